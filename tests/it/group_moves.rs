//! Groups when their class is moved, called off, or a seat given back late: whoever answers for them hears what there is
//! to answer, and rules are those that the class was given.

use crate::{
    both,
    groups::Firm,
    training::now,
    world::{Signed, World},
};
use aftercare::{
    calendar::domain::Span,
    training::{
        domain::{EnrolmentState, Wish},
        server::{
            change,
            groups::{self, Group},
            plan::{self, Draft},
            seats::{self, Consent},
            store::{self, parties},
        },
    },
    values::{ClassId, PersonId},
};
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
        assert!(link.unwrap().ends_with(&format!("/training/{id}/group")));
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
