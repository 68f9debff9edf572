//! Groups when their class is moved, called off, or a seat given back late: whoever answers for them hears what there is
//! to answer, and rules are those that the class was given. And what staff and employees do to seats that a firm pays for.

use crate::{
    both,
    groups::Firm,
    training::now,
    world::{Signed, World},
};
use aftercare::{
    access::Membership,
    calendar::domain::Span,
    charges::{domain::ChargeState, server::service},
    training::{
        domain::{EnrolmentState, Wish},
        server::{
            change,
            groups::{self, Group},
            plan::{self, Draft},
            seats::{self, Consent},
            staff_seats,
            store::{self, parties},
        },
    },
    values::{ChargeId, ClassId, EnrolmentId, PersonId},
};
use axum::http::StatusCode;
use chrono::Duration;

/// Moves the class to so many hours from the beginning, knowing who is elsewhere then.
async fn move_to(world: &World, firm: &Firm, id: ClassId, hours: i64, known: Vec<PersonId>) {
    let mut tx = world.db().read().await.unwrap();
    let row = store::class(&mut tx, id).await.unwrap();
    let session = store::sessions(&mut tx, id).await.unwrap()[0].id;
    drop(tx);
    let edit = change::Edit {
        version: row.version,
        title: row.title.clone(),
        room: row.room_id,
        link: row.link.clone(),
        capacity: row.capacity,
        price: row.price(),
        cut_off_hours: row.cut_off_hours,
    };
    let from = now() + Duration::hours(hours);
    let sessions = vec![(Some(session), Span { from, until: from + Duration::hours(2) })];
    let rest = change::Rest { sessions: Some(sessions), known_clashes: known, ..change::Rest::default() };
    change::edit(&firm.school.now(world).await, id, edit, rest).await.unwrap();
}

async fn state(world: &World, who: &Signed, class: ClassId) -> Option<EnrolmentState> {
    store::active(&mut world.db().read().await.unwrap(), class, who.id).await.unwrap().map(|row| row.state)
}

async fn elsewhere(world: &World, firm: &Firm, who: &Signed, hours: i64) -> ClassId {
    let second = world.staff_named(aftercare::access::Role::Trainer, "second@staff.example").await;
    let other = Draft { trainer: second.id, ..firm.school.draft("Elsewhere", 10, hours, 0) };
    let other = plan::create(&world.operator(), other, None).await.unwrap();
    plan::publish(&world.operator(), other).await.unwrap();
    seats::enrol(&world.cx_of(who).await, other, Consent::default()).await.unwrap();
    other
}

/// The newest letter of a kind to an address.
async fn letter(world: &World, email: &str, kind: &str) -> (String, Option<String>) {
    const LETTER: &str = "select body, link from message where email = $1 and letter = $2 order by id desc limit 1";
    let mut tx = world.db().read().await.unwrap();
    let found = aftercare::fetch_optional!(tx, (String, Option<String>), LETTER, email, kind).unwrap();
    found.unwrap_or_else(|| panic!("no {kind} for {email}"))
}

async fn sound(world: &World) {
    assert_eq!(world.broken().await, Vec::<String>::new());
}

both! {
    async fn who_of_a_group_is_elsewhere_when_the_class_moves_is_answered_for_by_the_owner(world: World) {
        let firm = Firm::of(&world, 3, 0).await;
        let id = firm.school.open(firm.school.draft("Moves", 6, 24 * 9, 0)).await;
        firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap();
        elsewhere(&world, &firm, &firm.people[0], 24 * 12 + 1).await;
        move_to(&world, &firm, id, 24 * 12, vec![firm.people[0].id]).await;
        assert_eq!(state(&world, &firm.people[0], id).await, Some(EnrolmentState::Offered));
        assert_eq!(state(&world, &firm.people[1], id).await, Some(EnrolmentState::Booked));
        // The member reads that the firm decides, and is not told to choose.
        let (body, _) = letter(&world, "employee0@firm.example", "class_moved").await;
        assert!(body.contains("“Elsewhere”") && body.contains("Acme Works has been told and decides"), "{body}");
        assert!(!body.contains("cancel the other"), "{body}");
        let (body, _) = letter(&world, "employee1@firm.example", "class_moved").await;
        assert!(body.contains("Your seat moves along"), "{body}");
        // The owner reads whom it concerns, until when, and where to answer.
        let (body, link) = letter(&world, "owner@firm.example", "group_class_moved").await;
        assert!(body.contains("Elsewhere at that time: employee0.") && body.contains("1 seat is held for your group"), "{body}");
        assert!(link.unwrap().ends_with(&format!("/training/{id}/group?firm={}", firm.id)));
        assert_eq!(world.count("select count(*) from message where letter = 'group_class_moved'").await, 1);
        sound(&world).await;
        // And can give the seat to somebody else and take it.
        let mut tx = world.db().read().await.unwrap();
        let party = parties::parties(&mut tx, id).await.unwrap()[0].id;
        let seat = store::active(&mut tx, id, firm.people[0].id).await.unwrap().unwrap().id;
        drop(tx);
        let owner = world.cx_of(&firm.owner).await;
        groups::swap(&owner, seat, firm.people[2].id).await.unwrap();
        groups::accept(&owner, party, Consent::default()).await.unwrap();
        assert_eq!(state(&world, &firm.people[2], id).await, Some(EnrolmentState::Booked));
        sound(&world).await;
    }
}

both! {
    async fn offers_to_a_group_named_or_not_keep_one_deadline_when_the_class_moves_nearer(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let id = firm.school.open(firm.school.draft("Nearer", 2, 24 * 30, 0)).await;
        let mut others = Vec::new();
        for n in 0..2 {
            let who = world.customer(&format!("other{n}@example.com")).await;
            seats::enrol(&world.cx_of(&who).await, id, Consent::default()).await.unwrap();
            others.push(who);
        }
        let party = firm.enrol(&world, id, firm.group(&[0], 1, Wish::Together)).await.unwrap().party;
        for who in &others {
            seats::cancel(&world.cx_of(who).await, id, Consent::default()).await.unwrap();
        }
        assert_eq!(state(&world, &firm.people[0], id).await, Some(EnrolmentState::Offered));
        // In so few hours that the waitlist freezes before the offer would have ended.
        move_to(&world, &firm, id, 14, vec![]).await;
        let mut tx = world.db().read().await.unwrap();
        let places = parties::places(&mut tx, party).await.unwrap();
        let freezes = store::class(&mut tx, id).await.unwrap().policy().freezes_at();
        drop(tx);
        assert_eq!(places.len(), 2, "{places:?}");
        assert_eq!(places[0].offered_until, places[1].offered_until);
        assert!(places[0].offered_until.unwrap() <= freezes, "{places:?} {freezes}");
        let (body, _) = letter(&world, "owner@firm.example", "group_class_moved").await;
        assert!(body.contains("2 seats are held for your group"), "{body}");
        let (body, _) = letter(&world, "employee0@firm.example", "class_moved").await;
        assert!(body.contains("Acme Works answers for all of the group"), "{body}");
        sound(&world).await;
        // Nearer still there is no time left: the group leaves, and is told.
        move_to(&world, &firm, id, 1, vec![]).await;
        assert!(parties::places(&mut world.db().read().await.unwrap(), party).await.unwrap().is_empty());
        let (body, _) = letter(&world, "owner@firm.example", "group_class_moved").await;
        assert!(body.contains("cannot be kept any longer"), "{body}");
        sound(&world).await;
    }
}

both! {
    async fn what_one_owner_paid_pays_again_when_another_takes_the_seat_after_a_move(world: World) {
        let firm = Firm::of(&world, 1, 0).await;
        let second = world.customer("another@firm.example").await;
        world.join(firm.id, second.id, Membership::Owner).await;
        let id = firm.school.open(firm.school.draft("Movable", 5, 24 * 9, 9000)).await;
        let party = firm.enrol(&world, id, firm.group(&[0], 0, Wish::Together)).await.unwrap().party;
        let other = elsewhere(&world, &firm, &firm.people[0], 24 * 11).await;
        let charge = aftercare::fetch_scalar!(world.db().read().await.unwrap(), ChargeId, "select id from charge");
        service::settle(&world.operator(), charge.unwrap().unwrap(), ChargeState::Paid).await.unwrap();
        let to_pay_back = async || world.count("select count(*) from refund").await;
        move_to(&world, &firm, id, 24 * 11, vec![firm.people[0].id]).await;
        assert_eq!(to_pay_back().await, 1, "the seat is held, and costs nothing till then");
        cancel(&world, &firm.people[0], other).await;
        groups::accept(&world.cx_of(&second).await, party, Consent::default()).await.unwrap();
        // The firm has paid for it already.
        assert_eq!((to_pay_back().await, world.count("select count(*) from charge").await), (0, 1));
        sound(&world).await;
    }
}

both! {
    async fn what_a_firms_late_cancelling_costs_say_the_rules_of_the_class(world: World) {
        let firm = Firm::of(&world, 3, 1).await;
        let used = async || {
            const USED: &str = "select cast(sum(available) as bigint), cast(sum(used) as bigint) from benefit \
                where allowance = 'training_seat'";
            aftercare::fetch_one!(world.db().read().await.unwrap(), (i64, i64), USED).unwrap()
        };
        let spent = firm.school.open(firm.school.draft("Spent", 5, 24 * 9, 9000)).await;
        let returned = firm.school.open(firm.school.draft("Returned", 5, 24 * 9 + 3, 9000)).await;
        world.corrupt("update class set late_cancel = 'returned' where title = 'Returned'").await;
        let mut seats = Vec::new();
        for class in [spent, returned] {
            firm.enrol(&world, class, firm.group(&[0], 0, Wish::Together)).await.unwrap();
            let mut tx = world.db().read().await.unwrap();
            seats.push(store::active(&mut tx, class, firm.people[0].id).await.unwrap().unwrap().id);
        }
        // After both cut-offs.
        world.advance(Duration::hours(24 * 8));
        let owner = world.cx_of(&firm.owner).await;
        assert_eq!(groups::give_back(&owner, seats[0]).await.unwrap(), EnrolmentState::CancelledLate);
        assert_eq!(used().await, (1, 1));
        assert_eq!(groups::give_back(&owner, seats[1]).await.unwrap(), EnrolmentState::CancelledLate);
        assert_eq!(used().await, (2, 1));
        sound(&world).await;
        // Neither takes place: what the one had cost comes back, and whoever pays hears of it.
        for class in [spent, returned] {
            plan::cancel(&firm.school.now(&world).await, class, "Ill.".into()).await.unwrap();
        }
        assert_eq!(used().await, (3, 0));
        let told = "select count(*) from message where letter = 'late_cancel_forgiven'";
        assert_eq!(world.count(told).await, 1);
        const PAYER: &str = "select email from message where letter = 'late_cancel_forgiven'";
        let payer = aftercare::fetch_scalar!(world.db().read().await.unwrap(), String, PAYER).unwrap();
        assert_eq!(payer.as_deref(), Some("owner@firm.example"));
        sound(&world).await;
    }
}

both! {
    async fn an_offer_to_a_group_elsewhere_keeps_the_freeze_that_it_was_made_under(world: World) {
        let firm = Firm::of(&world, 3, 0).await;
        let id = firm.school.open(firm.school.draft("Off", 4, 24 * 9, 0)).await;
        let next = firm.school.open(firm.school.draft("Next", 4, 24 * 15, 0)).await;
        let group = Group { unnamed: 1, ..firm.group(&[0, 1], 0, Wish::Together) };
        firm.enrol(&world, id, group).await.unwrap();
        plan::cancel(&firm.school.now(&world).await, id, "Ill.".into()).await.unwrap();
        const KEPT: &str = "select offered_until, offer_freezes_at from enrolment where class_id = $1 and state = 'offered'";
        type Row = (chrono::DateTime<chrono::Utc>, Option<chrono::DateTime<chrono::Utc>>);
        let mut tx = world.db().read().await.unwrap();
        let rows = aftercare::fetch_all!(tx, Row, KEPT, next).unwrap();
        let freezes = store::class(&mut tx, next).await.unwrap().policy().freezes_at();
        drop(tx);
        assert_eq!(rows.iter().map(|row| row.1).collect::<Vec<_>>(), [Some(freezes); 2]);
        // So that `check` sees an offer that outlives it.
        world.corrupt("update enrolment set offer_freezes_at = created_at where state = 'offered'").await;
        assert_eq!(world.broken().await, ["offer_after_the_freeze", "offer_after_the_freeze"]);
    }
}

async fn seat(world: &World, who: &Signed, class: ClassId) -> EnrolmentId {
    store::active(&mut world.db().read().await.unwrap(), class, who.id).await.unwrap().unwrap().id
}

async fn seats_of(world: &World, class: ClassId) -> (i64, i64, i64) {
    let row = store::class(&mut world.db().read().await.unwrap(), class).await.unwrap();
    (row.taken, row.held, row.waiting)
}

/// Others who sit in the class already.
async fn fill(world: &World, class: ClassId, many: usize) -> Vec<Signed> {
    let mut all = Vec::new();
    for n in 0..many {
        let who = world.customer(&format!("filler{n}-{class}@example.com")).await;
        seats::enrol(&world.cx_of(&who).await, class, Consent::default()).await.unwrap();
        all.push(who);
    }
    all
}

async fn cancel(world: &World, who: &Signed, class: ClassId) {
    seats::cancel(&world.cx_of(who).await, class, Consent::default()).await.unwrap();
}

/// Available and reserved of all class seats.
async fn units(world: &World) -> (i64, i64) {
    const UNITS: &str = "select cast(sum(available) as bigint), cast(sum(reserved) as bigint) from benefit \
        where allowance = 'training_seat'";
    aftercare::fetch_one!(world.db().read().await.unwrap(), (i64, i64), UNITS).unwrap()
}

async fn letters(world: &World, kind: &'static str) -> i64 {
    world.count(format!("select count(*) from message where letter = '{kind}'").leak()).await
}

both! {
    async fn who_is_promoted_out_of_a_waiting_group_costs_the_firm_and_the_rest_is_offered_what_was_gathered(world: World) {
        let firm = Firm::of(&world, 4, 1).await;
        let id = firm.school.open(firm.school.draft("Promoted", 3, 24 * 9, 9000)).await;
        let others = fill(&world, id, 3).await;
        firm.enrol(&world, id, firm.group(&[0, 1, 2], 0, Wish::Together)).await.unwrap();
        for who in &others[..2] {
            cancel(&world, who, id).await;
        }
        assert_eq!((seats_of(&world, id).await, units(&world).await), ((1, 2, 3), (3, 0)));
        let first = seat(&world, &firm.people[0], id).await;
        let text = first.to_string();
        let form = [("act", "promote"), ("enrolment", text.as_str()), ("one_more", "yes")];
        for _ in 0..2 {
            let reply = world.post(&firm.school.trainer, &format!("/desk/classes/{id}"), &form).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        }
        assert_eq!(state(&world, &firm.people[0], id).await, Some(EnrolmentState::Booked));
        // The firm's plan pays, and nobody is charged.
        assert_eq!(units(&world).await, (2, 1));
        assert_eq!(world.count("select count(*) from charge c join person p on p.id = c.person_id where p.email like '%@firm.example'").await, 0);
        let (body, link) = letter(&world, "owner@firm.example", "group_promoted").await;
        assert!(body.contains("employee0") && body.contains("1 seat covered by “Care”"), "{body}");
        assert!(link.unwrap().ends_with(&format!("/training/{id}/group?firm={}", firm.id)));
        letter(&world, "employee0@firm.example", "enrolled_by_firm").await;
        assert_eq!(letters(&world, "group_promoted").await, 1);
        assert_eq!(world.count("select count(*) from message where letter = 'enrolment_booked' and email = 'employee0@firm.example'").await, 0);
        // What had been gathered suffices for the two who are left.
        assert_eq!(seats_of(&world, id).await, (2, 2, 0));
        assert_eq!(letters(&world, "group_offered").await, 1);
        assert_eq!(world.count("select count(*) from history where act = 'promote_seat'").await, 1);
        sound(&world).await;
        // The seat is the firm's: its owner gives it to somebody else, or back.
        let owner = world.cx_of(&firm.owner).await;
        groups::swap(&owner, first, firm.people[3].id).await.unwrap();
        let swapped = seat(&world, &firm.people[3], id).await;
        groups::give_back(&owner, swapped).await.unwrap();
        assert_eq!(units(&world).await, (3, 0));
        sound(&world).await;
    }
}

both! {
    async fn a_firm_without_a_plan_is_charged_for_whom_staff_promote_and_only_as_agreed(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let id = firm.school.open(firm.school.draft("Charged", 1, 24 * 9, 9000)).await;
        fill(&world, id, 1).await;
        firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::AsManyAsFit)).await.unwrap();
        let text = seat(&world, &firm.people[0], id).await.to_string();
        let mut form = vec![("act", "promote"), ("enrolment", text.as_str()), ("one_more", "yes")];
        let desk = format!("/desk/classes/{id}");
        let silent = world.post(&firm.school.trainer, &desk, &form).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody agreed to the price");
        form.push(("agreed", "9000"));
        assert_eq!(world.post(&firm.school.trainer, &desk, &form).await.status, StatusCode::SEE_OTHER);
        const CHARGED: &str = "select count(*) from charge c join person p on p.id = c.person_id \
            where p.email = 'owner@firm.example' and c.organisation_id is not null and c.amount_minor = 9000";
        assert_eq!(world.count(CHARGED).await, 1);
        let (body, _) = letter(&world, "owner@firm.example", "group_promoted").await;
        assert!(body.contains("90.00"), "{body}");
        // A group that may be split goes on waiting for the others.
        assert_eq!(state(&world, &firm.people[1], id).await, Some(EnrolmentState::Waitlisted));
        sound(&world).await;
    }
}

both! {
    async fn seats_without_a_name_stand_in_line_and_are_passed_over_with_a_reason_that_their_owner_reads(world: World) {
        let firm = Firm::of(&world, 1, 0).await;
        let id = firm.school.open(firm.school.draft("Passed", 1, 24 * 9, 0)).await;
        fill(&world, id, 1).await;
        firm.enrol(&world, id, firm.group(&[0], 2, Wish::AsManyAsFit)).await.unwrap();
        let [late, last] = [world.customer("late@example.com").await, world.customer("last@example.com").await];
        for who in [&late, &last] {
            seats::enrol(&world.cx_of(who).await, id, Consent::default()).await.unwrap();
        }
        // The desk numbers the line as those in it read it.
        let desk = format!("/desk/classes/{id}");
        let page = world.get(&firm.school.trainer, &desk).await.body;
        assert!(page.contains("Acme Works · Seat without a name"), "{page}");
        for (name, place) in [("employee0", 1), ("late", 4), ("last", 5)] {
            let after = page.split(&format!("<strong>{name}</strong>")).last().unwrap();
            let number = after.split('>').nth(1).unwrap();
            assert!(number.starts_with(&place.to_string()), "{name}: {number}");
        }
        assert!(world.get(&late, &format!("/training/{id}")).await.body.contains("You are number 4 in line"));
        let text = seat(&world, &late, id).await.to_string();
        let mut form = vec![("act", "promote"), ("enrolment", text.as_str()), ("one_more", "yes")];
        assert_eq!(world.post(&firm.school.trainer, &desk, &form).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        form.push(("why", "She came from afar."));
        assert_eq!(world.post(&firm.school.trainer, &desk, &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from seat_skip where enrolment_id is not null").await, 1);
        assert_eq!(world.count("select count(*) from seat_skip where enrolment_id is null and party_id is not null").await, 1);
        // The owner reads it once for the group, her employee for themselves, the trainer of everybody.
        let owner = world.get(&firm.owner, &format!("/training/{id}/group")).await.body;
        assert!(owner.contains("Passed over once") && owner.contains("The reason: She came from afar."), "{owner}");
        assert!(world.get(&firm.people[0], &format!("/training/{id}")).await.body.contains("She came from afar."));
        let page = world.get(&firm.school.trainer, &desk).await.body;
        assert!(page.contains("late was seated before Acme Works") && page.contains("late was seated before employee0"), "{page}");
        sound(&world).await;
    }
}

both! {
    async fn a_group_of_seats_without_a_name_alone_is_not_passed_over_in_silence(world: World) {
        let firm = Firm::of(&world, 0, 0).await;
        let id = firm.school.open(firm.school.draft("Nameless", 1, 24 * 9, 0)).await;
        fill(&world, id, 1).await;
        firm.enrol(&world, id, firm.group(&[], 1, Wish::Together)).await.unwrap();
        let late = world.customer("late@example.com").await;
        seats::enrol(&world.cx_of(&late).await, id, Consent::default()).await.unwrap();
        let late = seat(&world, &late, id).await;
        let how = |why: &str| staff_seats::Promotion { why: why.to_owned(), one_more: true, agreed: None };
        let trainer = firm.school.now(&world).await;
        assert!(staff_seats::promote(&trainer, id, late, how("")).await.is_err());
        staff_seats::promote(&trainer, id, late, how("Needed on Monday.")).await.unwrap();
        let owner = world.get(&firm.owner, &format!("/training/{id}/group")).await.body;
        assert!(owner.contains("Needed on Monday."), "{owner}");
        sound(&world).await;
    }
}

/// The fields of a form on a page.
fn fields(body: &str, form: &str) -> Vec<(String, String)> {
    let form = body
        .split(form)
        .nth(1)
        .and_then(|rest| rest.split("</form>").next())
        .unwrap_or_else(|| panic!("no {form}: {body}"));
    let value =
        |input: &str, name: &str| Some(input.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.to_owned());
    form.split("<input").skip(1).filter_map(|input| Some((value(input, "name")?, value(input, "value")?))).collect()
}

both! {
    async fn an_owner_of_two_firms_comes_from_the_letter_to_the_offer_and_accepts_with_one_tap(world: World) {
        let firm = Firm::of(&world, 1, 0).await;
        let second = world.organisation("Beta Tools").await;
        let worker = world.customer("worker@beta.example").await;
        world.join(second, firm.owner.id, Membership::Owner).await;
        world.join(second, worker.id, Membership::Member).await;
        let id = firm.school.open(firm.school.draft("Two firms", 2, 24 * 9, 0)).await;
        let others = fill(&world, id, 2).await;
        firm.enrol(&world, id, firm.group(&[0], 0, Wish::Together)).await.unwrap();
        let group = Group { people: vec![worker.id], unnamed: 0, wish: Wish::Together, wait: true };
        let owner = world.cx_of(&firm.owner).await;
        groups::enrol(&owner, id, second, group, Consent::default()).await.unwrap();
        // The page of the class counts both.
        let page = world.get(&firm.owner, &format!("/training/{id}")).await.body;
        assert!(page.contains("Booked: 0 · waiting: 2"), "{page}");
        for (who, other) in [(&firm.people[0], &others[0]), (&worker, &others[1])] {
            cancel(&world, other, id).await;
            assert_eq!(state(&world, who, id).await, Some(EnrolmentState::Offered));
            let (_, link) = letter(&world, "owner@firm.example", "group_offered").await;
            let path = link.unwrap().replace("http://portal.test", "");
            let page = world.get(&firm.owner, &path).await;
            assert_eq!(page.status, StatusCode::OK);
            assert_eq!(page.body.matches("data-offer=\"accept\"").count(), 1, "{}", page.body);
            // Without a firm in the address it is the one that has something to answer.
            let short = world.get(&firm.owner, &format!("/training/{id}/group")).await.body;
            assert_eq!(short.matches("data-offer=\"accept\"").count(), 1, "{short}");
            let form = fields(&page.body, "id=\"accept-");
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let reply = world.post(&firm.owner, &path, &form).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
            assert_eq!(state(&world, who, id).await, Some(EnrolmentState::Booked));
        }
        let page = world.get(&firm.owner, &format!("/training/{id}")).await.body;
        assert!(page.contains("Booked: 2 · waiting: 0"), "{page}");
        // Called off: each letter leads to what is held for its own firm.
        let next = firm.school.open(firm.school.draft("Next", 4, 24 * 15, 0)).await;
        plan::cancel(&firm.school.now(&world).await, id, "Ill.".into()).await.unwrap();
        const LINKS: &str = "select link from message where letter = 'group_class_cancelled' order by link";
        let links = aftercare::fetch_all!(world.db().read().await.unwrap(), (String,), LINKS).unwrap();
        let mut wanted = [firm.id, second].map(|firm| format!("http://portal.test/training/{next}/group?firm={firm}"));
        wanted.sort();
        assert_eq!(links.into_iter().map(|row| row.0).collect::<Vec<_>>(), wanted);
        sound(&world).await;
    }
}

both! {
    async fn an_owner_hears_when_one_of_the_firm_gives_a_place_back_and_what_it_costs(world: World) {
        let firm = Firm::of(&world, 3, 1).await;
        let id = firm.school.open(firm.school.draft("Left", 2, 24 * 9, 9000)).await;
        firm.enrol(&world, id, firm.group(&[0, 1, 2], 0, Wish::AsManyAsFit)).await.unwrap();
        cancel(&world, &firm.people[2], id).await;
        let (body, link) = letter(&world, "owner@firm.example", "group_place_left").await;
        assert!(body.contains("employee2 no longer waits with your group."), "{body}");
        assert!(link.unwrap().ends_with(&format!("?firm={}", firm.id)));
        cancel(&world, &firm.people[0], id).await;
        let (body, _) = letter(&world, "owner@firm.example", "group_place_left").await;
        assert!(body.contains("employee0 has given the seat back. It costs your firm nothing."), "{body}");
        world.advance(Duration::hours(24 * 8));
        cancel(&world, &firm.people[1], id).await;
        let (body, _) = letter(&world, "owner@firm.example", "group_place_left").await;
        assert!(body.contains("employee1 has given the seat back after the time"), "{body}");
        // Whoever gives back themselves, as an owner, hears nothing of it.
        let next = firm.school.open(firm.school.draft("Own", 2, 24 * 20, 0)).await;
        let group = Group { people: vec![firm.owner.id], unnamed: 0, wish: Wish::Together, wait: true };
        firm.enrol(&world, next, group).await.unwrap();
        cancel(&world, &firm.owner, next).await;
        assert_eq!(letters(&world, "group_place_left").await, 3);
        sound(&world).await;
    }
}

both! {
    async fn a_seat_that_staff_move_to_another_class_stays_the_firms(world: World) {
        let firm = Firm::of(&world, 4, 1).await;
        let id = firm.school.open(firm.school.draft("From", 4, 24 * 9, 9000)).await;
        let next = firm.school.open(firm.school.draft("To", 4, 24 * 15, 9000)).await;
        firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap();
        let moved = seat(&world, &firm.people[0], id).await;
        let trainer = firm.school.now(&world).await;
        for _ in 0..2 {
            staff_seats::carry(&trainer, id, moved, next, "Her machine comes later.".into()).await.unwrap();
        }
        assert_eq!(state(&world, &firm.people[0], next).await, Some(EnrolmentState::Booked));
        let (body, link) = letter(&world, "owner@firm.example", "group_seat_moved").await;
        assert!(body.contains("the seat of employee0") && body.starts_with("To,"), "{body}");
        assert_eq!(letters(&world, "group_seat_moved").await, 1);
        let path = link.unwrap().replace("http://portal.test", "");
        assert_eq!(path, format!("/training/{next}/group?firm={}", firm.id));
        let page = world.get(&firm.owner, &path).await.body;
        assert!(page.contains("Change: employee0"), "{page}");
        assert_eq!(units(&world).await, (1, 2));
        sound(&world).await;
        // She swaps it there, and gives it back.
        let (seat_id, third) = (moved.to_string(), firm.people[2].id.to_string());
        let reply = world.post(&firm.owner, &path, &[("act", "swap"), ("seat", &seat_id), ("person", &third)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        let swapped = seat(&world, &firm.people[2], next).await.to_string();
        let reply = world.post(&firm.owner, &path, &[("act", "give_back"), ("seat", &swapped)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!((seats_of(&world, next).await, units(&world).await), ((0, 0, 0), (2, 1)));
        sound(&world).await;
    }
}

both! {
    async fn whoever_waited_hears_once_and_by_day_that_waiting_is_over(world: World) {
        let firm = Firm::of(&world, 3, 0).await;
        let id = firm.school.open(firm.school.draft("Over", 2, 24 * 9, 0)).await;
        let others = fill(&world, id, 2).await;
        let (first, second) = (world.customer("first@example.com").await, world.customer("second@example.com").await);
        for who in [&first, &second] {
            seats::enrol(&world.cx_of(who).await, id, Consent::default()).await.unwrap();
        }
        firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::AsManyAsFit)).await.unwrap();
        firm.enrol(&world, id, firm.group(&[2], 0, Wish::AsManyAsFit)).await.unwrap();
        // An offer that nobody answers: the first hears of it, and nobody else.
        cancel(&world, &others[0], id).await;
        world.advance(Duration::hours(25));
        world.drain().await;
        let (body, link) = letter(&world, "first@example.com", "wait_over").await;
        assert!(body.contains("was not taken in time") && link.unwrap().ends_with(&format!("/training/{id}")), "{body}");
        assert_eq!(letters(&world, "wait_over").await, 1);
        // The second lets it pass by herself, and the group's owner does not answer.
        assert_eq!(state(&world, &second, id).await, Some(EnrolmentState::Offered));
        seats::decline(&world.cx_of(&second).await, id, Consent::default()).await.unwrap();
        assert_eq!(letters(&world, "wait_over").await, 1);
        assert_eq!(state(&world, &firm.people[0], id).await, Some(EnrolmentState::Offered));
        world.advance(Duration::hours(50));
        world.drain().await;
        let (body, _) = letter(&world, "owner@firm.example", "group_wait_over").await;
        assert!(body.contains("was not answered in time"), "{body}");
        for n in 0..2 {
            let (body, _) = letter(&world, &format!("employee{n}@firm.example"), "firm_waits_no_more").await;
            assert!(body.contains("Acme Works no longer waits for a seat for you"), "{body}");
        }
        // What is offered to the next group its owner declines: she knows, the employee is told.
        let mut tx = world.db().read().await.unwrap();
        let party = store::active(&mut tx, id, firm.people[2].id).await.unwrap().unwrap().party_id.unwrap();
        drop(tx);
        groups::decline(&world.cx_of(&firm.owner).await, party, Consent::default()).await.unwrap();
        letter(&world, "employee2@firm.example", "firm_waits_no_more").await;
        assert_eq!((letters(&world, "group_wait_over").await, letters(&world, "firm_waits_no_more").await), (1, 3));
        // Who still waits when the class begins, alone or in a group, hears it then.
        seats::enrol(&world.cx_of(&others[0]).await, id, Consent::default()).await.unwrap();
        for who in [&first, &second] {
            seats::enrol(&world.cx_of(who).await, id, Consent::default()).await.unwrap();
        }
        firm.enrol(&world, id, Group { unnamed: 1, ..firm.group(&[0], 0, Wish::AsManyAsFit) }).await.unwrap();
        world.advance(Duration::hours(24 * 9));
        world.drain().await;
        let (body, _) = letter(&world, "second@example.com", "wait_over").await;
        assert!(body.contains("has begun"), "{body}");
        let (body, _) = letter(&world, "owner@firm.example", "group_wait_over").await;
        assert!(body.contains("The class has begun"), "{body}");
        assert_eq!((letters(&world, "wait_over").await, letters(&world, "group_wait_over").await), (3, 2));
        assert_eq!(letters(&world, "firm_waits_no_more").await, 4);
        sound(&world).await;
    }
}

both! {
    async fn that_waiting_is_over_is_told_by_day(world: World) {
        let school = crate::training::School::of(&world, vec![]).await;
        // It begins at two in the night.
        let id = school.open(school.draft("Night", 1, 24 * 9 + 17, 0)).await;
        fill(&world, id, 1).await;
        let late = world.customer("late@example.com").await;
        seats::enrol(&world.cx_of(&late).await, id, Consent::default()).await.unwrap();
        world.advance(Duration::hours(24 * 9 + 17));
        world.drain().await;
        assert_eq!(letters(&world, "wait_over").await, 1);
        assert_eq!(world.count("select count(*) from message where letter = 'wait_over' and send_after > created_at").await, 1);
        sound(&world).await;
    }
}
