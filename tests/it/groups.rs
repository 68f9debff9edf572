//! A firm's groups: enrolled at once, named later, swapped, waiting as one party; through the router and the services.

use crate::{
    both, sold,
    training::{School, now},
    world::{Reply, Signed, World},
};
use aftercare::{
    access::Membership,
    error::AppError,
    fetch_all, fetch_one,
    training::{
        domain::{Cancelling, EnrolmentState, Mark, Seated, Window, Wish},
        server::{
            attend,
            groups::{self, Enrolled, Group},
            make_ups,
            plan::{self, Draft},
            rules::{self, Rules},
            seats::{self, Consent},
            store::{self, parties},
        },
    },
    values::{BenefitId, ClassId, ClassSessionId, OrganisationId, PartyId, PersonId, ProductId},
};
use axum::http::StatusCode;
use chrono::Duration;
use std::sync::Arc;

/// A firm with its owner and employees, and plans with so many class seats for the school's course.
pub struct Firm {
    pub id: OrganisationId,
    pub owner: Signed,
    pub people: Vec<Signed>,
    pub school: School,
}

impl Firm {
    pub async fn of(world: &World, employees: usize, printers: usize) -> Self {
        let owner = world.customer("owner@firm.example").await;
        let id = world.organisation("Acme Works").await;
        world.join(id, owner.id, Membership::Owner).await;
        let rows: Vec<String> = (0..printers)
            .map(|n| {
                format!(
                    "F-{n},1,2026-11-10,2026-11-14,owner@firm.example,ES,Acme Works,P1,Printer,goods,F{n},1,199.00,EUR,12,care-6"
                )
            })
            .collect();
        let mut products = Vec::new();
        if printers > 0 {
            sold::sell(world, &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
            let mut tx = world.db().read().await.unwrap();
            products.push(fetch_one!(tx, (ProductId,), "select id from product").unwrap().0);
        }
        let mut people = Vec::new();
        for n in 0..employees {
            let who = world.customer(&format!("employee{n}@firm.example")).await;
            world.join(id, who.id, Membership::Member).await;
            people.push(who);
        }
        Self { id, owner, people, school: School::of(world, products).await }
    }

    pub fn group(&self, people: &[usize], unnamed: i64, wish: Wish) -> Group {
        Group { people: people.iter().map(|&n| self.people[n].id).collect(), unnamed, wish, wait: true }
    }

    pub async fn enrol(&self, world: &World, class: ClassId, group: Group) -> Result<Enrolled, AppError> {
        groups::enrol(&world.cx_of(&self.owner).await, class, self.id, group, Consent::default()).await
    }

    /// Posts to the group's page as the owner.
    async fn post(&self, world: &World, class: ClassId, fields: &[(&str, &str)]) -> Reply {
        world.post(&self.owner, &path(class), fields).await
    }
}

fn path(class: ClassId) -> String {
    format!("/training/{class}/group")
}

async fn state(world: &World, who: &Signed, class: ClassId) -> Option<EnrolmentState> {
    store::active(&mut world.db().read().await.unwrap(), class, who.id).await.unwrap().map(|row| row.state)
}

async fn seats(world: &World, class: ClassId) -> (i64, i64, i64) {
    let row = store::class(&mut world.db().read().await.unwrap(), class).await.unwrap();
    (row.taken, row.held, row.waiting)
}

async fn gathered(world: &World, party: PartyId) -> i64 {
    parties::party(&mut world.db().read().await.unwrap(), party).await.unwrap().gathered
}

/// Available, reserved, used, of all the firm's class seats.
async fn units(world: &World) -> (i64, i64, i64) {
    const UNITS: &str = "select cast(sum(available) as bigint), cast(sum(reserved) as bigint), cast(sum(used) as bigint) \
        from benefit where allowance = 'training_seat'";
    fetch_one!(world.db().read().await.unwrap(), (i64, i64, i64), UNITS).unwrap()
}

async fn fill(world: &World, class: ClassId, many: usize) -> Vec<Signed> {
    let mut all = Vec::new();
    for n in 0..many {
        let who = world.customer(&format!("other{n}@example.com")).await;
        seats::enrol(&world.cx_of(&who).await, class, Consent::default()).await.unwrap();
        all.push(who);
    }
    all
}

async fn cancel(world: &World, who: &Signed, class: ClassId) {
    seats::cancel(&world.cx_of(who).await, class, Consent::default()).await.unwrap();
}

async fn first_session(world: &World, class: ClassId) -> ClassSessionId {
    store::sessions(&mut world.db().read().await.unwrap(), class).await.unwrap()[0].id
}

async fn sound(world: &World) {
    assert_eq!(world.broken().await, Vec::<String>::new());
}

both! {
    async fn an_owner_enrols_several_at_once_and_is_told_the_price_before(world: World) {
        let firm = Firm::of(&world, 5, 1).await;
        let id = firm.school.open(firm.school.draft("Together", 10, 24 * 9, 9000)).await;
        let people: Vec<String> = firm.people.iter().map(|who| who.id.to_string()).collect();
        let asked: String = people[..4].iter().map(|id| format!("&person={id}")).collect();
        let page = world.get(&firm.owner, &format!("{}?review=1&wish=together&wait=yes{asked}", path(id))).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("3 seats covered by “Care”"), "{}", page.body);
        assert!(page.body.contains("name=\"agreed\" value=\"9000\""), "{}", page.body);
        // Who agreed to less is asked again, with everything still there.
        let mut form = vec![("act", "enrol"), ("wish", "together"), ("wait", "yes"), ("agreed", "100")];
        form.extend(people[..4].iter().map(|id| ("person", id.as_str())));
        let again = firm.post(&world, id, &form).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(again.body.contains("name=\"agreed\" value=\"9000\""), "{}", again.body);
        let key = "0190b5a0-0000-7000-8000-000000000009";
        form[3] = ("agreed", "9000");
        form.push(("key", key));
        for _ in 0..2 {
            let done = firm.post(&world, id, &form).await;
            assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
            assert!(done.cookie("notice").unwrap().starts_with("group_enrolled."));
        }
        assert_eq!(seats(&world, id).await, (4, 0, 0));
        assert_eq!(units(&world).await, (0, 3, 0));
        assert_eq!(world.count("select count(*) from charge where amount_minor = 9000 and organisation_id is not null").await, 1);
        assert_eq!(world.count("select count(*) from message where letter = 'enrolled_by_firm'").await, 4);
        assert_eq!(world.count("select count(*) from message where letter = 'group_enrolled'").await, 1);
        assert_eq!(world.count("select count(*) from history where act = 'enrol_group'").await, 1);
        let page = world.get(&firm.owner, &format!("/training/{id}")).await;
        assert!(page.body.contains("Booked: 4"), "{}", page.body);
        sound(&world).await;
    }
}

both! {
    async fn whoever_cannot_come_is_named_and_nobody_is_enrolled(world: World) {
        let firm = Firm::of(&world, 4, 0).await;
        let id = firm.school.open(firm.school.draft("Wanted", 10, 100, 0)).await;
        let second = world.staff_named(aftercare::access::Role::Trainer, "second@staff.example").await;
        let other = Draft { trainer: second.id, ..firm.school.draft("Elsewhere", 10, 101, 0) };
        let other = plan::create(&world.operator(), other, None).await.unwrap();
        plan::publish(&world.operator(), other).await.unwrap();
        seats::enrol(&world.cx_of(&firm.people[0]).await, other, Consent::default()).await.unwrap();
        seats::enrol(&world.cx_of(&firm.people[1]).await, id, Consent::default()).await.unwrap();
        let people: Vec<String> = firm.people[..3].iter().map(|who| who.id.to_string()).collect();
        let mut form = vec![("act", "enrol"), ("agreed", "0")];
        form.extend(people.iter().map(|id| ("person", id.as_str())));
        let reply = firm.post(&world, id, &form).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("employee0: has another appointment") && reply.body.contains("employee1: has a seat"), "{}", reply.body);
        // What was ticked is ticked still.
        assert!(reply.body.contains(&format!("value=\"{}\" checked", people[2])), "{}", reply.body);
        assert_eq!(seats(&world, id).await, (1, 0, 0));
        // Nobody is enrolled who does not belong to the firm.
        let stranger = world.customer("stranger@example.com").await;
        let reply = firm.post(&world, id, &[("act", "enrol"), ("agreed", "0"), ("person", &stranger.id.to_string())]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        // And nobody but the owner enrols.
        let reply = world.post(&firm.people[3], &path(id), &form).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        assert_eq!(world.count("select count(*) from party").await, 0);
        sound(&world).await;
    }
}

both! {
    async fn all_or_none_and_as_many_as_fit(world: World) {
        let firm = Firm::of(&world, 5, 0).await;
        let id = firm.school.open(firm.school.draft("Small", 3, 24 * 9, 0)).await;
        fill(&world, id, 1).await;
        let none = Group { wait: false, ..firm.group(&[0, 1, 2], 0, Wish::Together) };
        assert!(matches!(firm.enrol(&world, id, none.clone()).await, Err(AppError::Refused(_))));
        assert!(firm.enrol(&world, id, firm.group(&[0, 1, 2, 3], 0, Wish::Together)).await.is_err(), "larger than the class");
        let some = Group { wish: Wish::AsManyAsFit, ..none };
        let done = firm.enrol(&world, id, some).await.unwrap();
        assert_eq!(done.seated, Seated { booked: 2, waiting: 0, left_out: 1 });
        let done = firm.enrol(&world, id, firm.group(&[2, 3], 0, Wish::AsManyAsFit)).await.unwrap();
        assert_eq!(done.seated, Seated { booked: 0, waiting: 2, left_out: 0 });
        assert_eq!(seats(&world, id).await, (3, 0, 2));
        sound(&world).await;
    }
}

both! {
    async fn a_seat_is_named_later_and_swapped_without_losing_its_allowance(world: World) {
        let firm = Firm::of(&world, 4, 1).await;
        let id = firm.school.open(firm.school.draft("Named", 10, 24 * 9, 9000)).await;
        firm.enrol(&world, id, firm.group(&[0], 2, Wish::Together)).await.unwrap();
        assert_eq!(units(&world).await, (0, 3, 0));
        let mut tx = world.db().read().await.unwrap();
        let unnamed = parties::unnamed(&mut tx, id).await.unwrap();
        drop(tx);
        let (seat, second) = (unnamed[0].id.to_string(), firm.people[1].id.to_string());
        let page = world.get(&firm.owner, &path(id)).await;
        assert!(page.body.contains("Seat without a name"), "{}", page.body);
        let reply = firm.post(&world, id, &[("act", "name"), ("seat", &seat), ("person", &second)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!(state(&world, &firm.people[1], id).await, Some(EnrolmentState::Booked));
        // Swapped for a third: the time of the second is free again, the allowance stays where it is.
        let third = firm.people[2].id.to_string();
        let reply = firm.post(&world, id, &[("act", "swap"), ("seat", &seat), ("person", &third)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!(state(&world, &firm.people[1], id).await, None);
        assert_eq!(state(&world, &firm.people[2], id).await, Some(EnrolmentState::Booked));
        assert_eq!(units(&world).await, (0, 3, 0));
        for (letter, many) in [("enrolled_by_firm", 3), ("seat_taken_back", 1), ("group_named", 2)] {
            let sql = format!("select count(*) from message where letter = '{letter}'");
            assert_eq!(world.count(sql.leak()).await, many, "{letter}");
        }
        // Somebody who is in already is refused at the field.
        let seat = unnamed[1].id.to_string();
        let reply = firm.post(&world, id, &[("act", "name"), ("seat", &seat), ("person", &third)]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("employee2: has a seat"), "{}", reply.body);
        // Whoever took over cancels: the allowance comes back once.
        cancel(&world, &firm.people[2], id).await;
        assert_eq!(units(&world).await, (1, 2, 0));
        assert_eq!(seats(&world, id).await, (2, 0, 0));
        sound(&world).await;
    }
}

both! {
    async fn what_has_no_name_at_the_cut_off_is_given_back_and_the_owner_told(world: World) {
        let firm = Firm::of(&world, 2, 1).await;
        let id = firm.school.open(firm.school.draft("Late names", 2, 24 * 9, 9000)).await;
        firm.enrol(&world, id, firm.group(&[0], 1, Wish::Together)).await.unwrap();
        let waits = world.customer("waits@example.com").await;
        seats::enrol(&world.cx_of(&waits).await, id, Consent::default()).await.unwrap();
        world.advance(Duration::hours(24 * 7 + 1));
        world.drain().await;
        assert_eq!(state(&world, &waits, id).await, Some(EnrolmentState::Offered));
        assert_eq!(units(&world).await, (2, 1, 0));
        assert_eq!(world.count("select count(*) from message where letter = 'group_returned'").await, 1);
        assert_eq!(world.count("select count(*) from history where act = 'return_seat'").await, 1);
        // From now on every seat needs a name.
        let late = firm.enrol(&world, id, firm.group(&[1], 1, Wish::AsManyAsFit)).await;
        assert!(matches!(late, Err(AppError::Refused(_))), "{late:?}");
        sound(&world).await;
    }
}

both! {
    async fn a_group_gathers_seats_until_72_hours_before_and_then_the_first_that_fits_gets_them(world: World) {
        let firm = Firm::of(&world, 4, 0).await;
        let id = firm.school.open(firm.school.draft("Line", 4, 24 * 9, 0)).await;
        let others = fill(&world, id, 4).await;
        let party = firm.enrol(&world, id, firm.group(&[0, 1], 1, Wish::Together)).await.unwrap().party;
        let late = world.customer("late@example.com").await;
        seats::enrol(&world.cx_of(&late).await, id, Consent::default()).await.unwrap();
        cancel(&world, &others[0], id).await;
        cancel(&world, &others[1], id).await;
        assert_eq!((gathered(&world, party).await, seats(&world, id).await), (2, (2, 2, 4)));
        assert_eq!(state(&world, &late, id).await, Some(EnrolmentState::Waitlisted));
        let page = world.get(&firm.owner, &path(id)).await;
        assert!(page.body.contains("2 of 3 seats are already held"), "{}", page.body);
        let page = world.get(&firm.people[0], &format!("/training/{id}")).await;
        assert!(page.body.contains("Acme Works waits for a seat for you: place 1 in line"), "{}", page.body);
        sound(&world).await;
        // 72 hours before: the held seats are freed, and the next in line gets one; the group sees why.
        world.advance(Duration::hours(24 * 6));
        world.drain().await;
        assert_eq!((gathered(&world, party).await, seats(&world, id).await), (0, (2, 1, 3)));
        assert_eq!(state(&world, &late, id).await, Some(EnrolmentState::Offered));
        let page = world.get(&firm.owner, &path(id)).await;
        assert!(page.body.contains("the group needed 3 seats, 2 were free"), "{}", page.body);
        let page = world.get(&firm.people[1], &format!("/training/{id}")).await;
        assert!(page.body.contains("the group needed 3 seats, 2 were free"), "{}", page.body);
        let desk = world.get(&firm.school.trainer, &format!("/desk/classes/{id}")).await;
        assert!(desk.body.contains("Acme Works: ") && desk.body.contains("2 were free"), "{}", desk.body);
        // Whoever comes now and fits is not held up by the group.
        let new = world.customer("new@example.com").await;
        let place = seats::enrol(&world.cx_of(&new).await, id, Consent::default()).await.unwrap();
        assert_eq!(place.state, EnrolmentState::Offered);
        sound(&world).await;
    }
}

both! {
    async fn what_a_group_gathers_is_free_for_whoever_takes_it_once_the_waitlist_is_closed(world: World) {
        let firm = Firm::of(&world, 3, 0).await;
        // The waitlist closes 120 hours before the start, two days before gathering would end.
        let manager = world.staff(aftercare::access::Role::Manager).await;
        let mut rules = Rules::default();
        rules.terms.freeze_minutes = 120 * 60;
        rules::set(&world.cx_of(&manager).await, rules).await.unwrap();
        let id = firm.school.open(firm.school.draft("Early", 3, 24 * 9, 0)).await;
        let others = fill(&world, id, 3).await;
        let party = firm.enrol(&world, id, firm.group(&[0, 1, 2], 0, Wish::Together)).await.unwrap().party;
        cancel(&world, &others[0], id).await;
        assert_eq!((gathered(&world, party).await, seats(&world, id).await), (1, (2, 1, 3)));
        let page = world.get(&firm.owner, &path(id)).await.body;
        assert!(page.contains("until the waitlist closes") && !page.contains("72 hours before"), "{page}");
        world.advance(Duration::hours(24 * 4));
        world.drain().await;
        assert_eq!((gathered(&world, party).await, seats(&world, id).await), (0, (2, 0, 3)));
        let page = world.get(&firm.owner, &path(id)).await.body;
        assert!(page.contains("the 1 seats held for the group of 3 were freed"), "{page}");
        sound(&world).await;
        // As the page says, it is for whoever takes it: somebody new, or one who waits.
        let new = world.customer("new@example.com").await;
        let place = seats::enrol(&world.cx_of(&new).await, id, Consent::default()).await.unwrap();
        assert_eq!(place.state, EnrolmentState::Booked);
        // What is given back now is not gathered again.
        cancel(&world, &others[1], id).await;
        assert_eq!((gathered(&world, party).await, seats(&world, id).await), (0, (2, 0, 3)));
        let place = seats::enrol(&world.cx_of(&firm.people[0]).await, id, Consent::default()).await.unwrap();
        assert_eq!(place.state, EnrolmentState::Booked);
        sound(&world).await;
    }
}

both! {
    async fn a_group_is_offered_its_seats_at_once_and_its_owner_answers_for_all(world: World) {
        let firm = Firm::of(&world, 4, 1).await;
        let id = firm.school.open(firm.school.draft("Offer", 3, 24 * 20, 9000)).await;
        let others = fill(&world, id, 3).await;
        let party = firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap().party;
        cancel(&world, &others[0], id).await;
        assert_eq!(state(&world, &firm.people[0], id).await, Some(EnrolmentState::Waitlisted));
        cancel(&world, &others[1], id).await;
        assert_eq!(seats(&world, id).await, (1, 2, 0));
        assert_eq!(world.count("select count(*) from message where letter = 'group_offered'").await, 1);
        assert_eq!(world.count("select count(*) from message where letter = 'seat_offered'").await, 0);
        let alone = world.post(&firm.people[0], &format!("/training/{id}"), &[("act", "accept")]).await;
        assert_eq!(alone.status, StatusCode::UNPROCESSABLE_ENTITY);
        let cx = world.cx_of(&firm.owner).await;
        let home = aftercare::training::server::needs(&mut world.db().read().await.unwrap(), &cx).await.unwrap();
        assert_eq!(home.len(), 1);
        let text = party.to_string();
        let page = world.get(&firm.owner, &path(id)).await;
        assert!(page.body.contains("2 seats covered by “Care”"), "{}", page.body);
        let reply = firm.post(&world, id, &[("act", "accept"), ("party", &text), ("agreed", "0")]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!(seats(&world, id).await, (3, 0, 0));
        assert_eq!(units(&world).await, (1, 2, 0));
        sound(&world).await;
        // Another group waits, is offered its seats, and lets them pass: they go to nobody of it again.
        let party = firm.enrol(&world, id, firm.group(&[2, 3], 0, Wish::AsManyAsFit)).await.unwrap().party;
        cancel(&world, &firm.people[0], id).await;
        assert_eq!(seats(&world, id).await, (2, 1, 1));
        let reply = firm.post(&world, id, &[("act", "decline"), ("party", &party.to_string())]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!(seats(&world, id).await, (2, 0, 0));
        // An offer that nobody answers ends as one, too.
        fill_one(&world, id).await;
        let party = firm.enrol(&world, id, firm.group(&[2, 3], 0, Wish::AsManyAsFit)).await.unwrap().party;
        cancel(&world, &firm.people[1], id).await;
        world.advance(Duration::hours(25));
        world.drain().await;
        assert!(parties::places(&mut world.db().read().await.unwrap(), party).await.unwrap().is_empty());
        sound(&world).await;
    }
}

both! {
    async fn whichever_of_two_owners_takes_what_is_offered_owes_it_and_both_are_told(world: World) {
        let firm = Firm::of(&world, 1, 0).await;
        let second = world.customer("second@firm.example").await;
        world.join(firm.id, second.id, Membership::Owner).await;
        let id = firm.school.open(firm.school.draft("Offer", 1, 24 * 9, 9000)).await;
        let others = fill(&world, id, 1).await;
        let party = firm.enrol(&world, id, firm.group(&[0], 0, Wish::Together)).await.unwrap().party.to_string();
        cancel(&world, &others[0], id).await;
        let accept = [("act", "accept"), ("party", party.as_str()), ("agreed", "9000")];
        let reply = world.post(&second, &path(id), &accept).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        const CHARGED: &str = "select person_id, state from charge where organisation_id is not null";
        let charged = async || fetch_one!(world.db().read().await.unwrap(), (PersonId, String), CHARGED).unwrap();
        assert_eq!(charged().await, (second.id, "due".to_owned()));
        const TOLD: &str = "select email, letter, body from message where letter in ('group_enrolled', 'group_accepted') \
            order by letter, email";
        let told = fetch_all!(world.db().read().await.unwrap(), (String, String, String), TOLD).unwrap();
        let whom: Vec<_> = told.iter().map(|(email, letter, _)| (email.as_str(), letter.as_str())).collect();
        let owner = "owner@firm.example";
        // She enrolled the group, and hears what became of it; whoever said yes to the price reads it once more.
        assert_eq!(whom, [(owner, "group_accepted"), (owner, "group_enrolled"), ("second@firm.example", "group_enrolled")]);
        assert!(told[0].2.contains("second has said yes") && told[0].2.contains("90.00"), "{}", told[0].2);
        assert!(told[2].2.contains("90.00"), "{}", told[2].2);
        sound(&world).await;
        // Given back too late it costs the second owner, who therefore hears that it does not after all.
        world.advance(Duration::hours(24 * 7 + 1));
        let seat = store::active(&mut world.db().read().await.unwrap(), id, firm.people[0].id).await.unwrap().unwrap().id;
        let late = groups::give_back(&world.cx_of(&firm.owner).await, seat).await.unwrap();
        assert_eq!((late, charged().await.1.as_str()), (EnrolmentState::CancelledLate, "due"));
        plan::cancel(&firm.school.now(&world).await, id, "Ill.".into()).await.unwrap();
        assert_eq!(charged().await.1, "void");
        const PAYER: &str = "select email from message where letter = 'late_cancel_forgiven'";
        let payers = fetch_all!(world.db().read().await.unwrap(), (String,), PAYER).unwrap();
        assert_eq!(payers, [("second@firm.example".to_owned(),)]);
        sound(&world).await;
    }
}

both! {
    async fn seats_that_are_freed_later_join_a_groups_offer_and_do_not_prolong_it(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let id = firm.school.open(firm.school.draft("Split", 3, 24 * 20, 0)).await;
        let others = fill(&world, id, 3).await;
        let party = firm.enrol(&world, id, firm.group(&[0], 1, Wish::AsManyAsFit)).await.unwrap().party;
        cancel(&world, &others[0], id).await;
        world.advance(Duration::hours(20));
        cancel(&world, &others[1], id).await;
        let places = parties::places(&mut world.db().read().await.unwrap(), party).await.unwrap();
        assert_eq!(places.iter().map(|place| place.state).collect::<Vec<_>>(), [EnrolmentState::Offered; 2]);
        assert_eq!(places[0].offered_until, places[1].offered_until);
        assert!(places[0].offered_until < Some(now() + Duration::hours(25)), "{places:?}");
        assert_eq!(world.count("select count(*) from message where letter = 'group_offered'").await, 2);
        sound(&world).await;
        // Freed in the moment after its end it is for whoever is next, once that offer has ended.
        let next = world.customer("next@example.com").await;
        seats::enrol(&world.cx_of(&next).await, id, Consent::default()).await.unwrap();
        world.advance(Duration::hours(4));
        cancel(&world, &others[2], id).await;
        world.drain().await;
        assert!(parties::places(&mut world.db().read().await.unwrap(), party).await.unwrap().is_empty());
        assert_eq!(state(&world, &next, id).await, Some(EnrolmentState::Offered));
        sound(&world).await;
    }
}

async fn fill_one(world: &World, class: ClassId) {
    let who = world.customer("filler@example.com").await;
    seats::enrol(&world.cx_of(&who).await, class, Consent::default()).await.unwrap();
}

both! {
    async fn a_cancelled_class_gives_a_group_everything_back_and_holds_seats_in_the_next(world: World) {
        let firm = Firm::of(&world, 3, 1).await;
        let id = firm.school.open(firm.school.draft("Off", 4, 24 * 9, 9000)).await;
        let next = firm.school.open(firm.school.draft("Next", 4, 24 * 15, 9000)).await;
        firm.enrol(&world, id, firm.group(&[0, 1], 1, Wish::Together)).await.unwrap();
        world.advance(Duration::minutes(5));
        plan::cancel(&firm.school.now(&world).await, id, "Ill.".into()).await.unwrap();
        assert_eq!(units(&world).await, (3, 0, 0));
        assert_eq!(seats(&world, id).await, (0, 0, 0));
        assert_eq!(seats(&world, next).await, (0, 3, 0));
        assert_eq!(world.count("select count(*) from message where letter = 'group_class_cancelled'").await, 1);
        let (_, body, link) = world.letter("owner@firm.example").await.unwrap();
        assert!(body.contains("Ill.") && link.unwrap().ends_with(&format!("{}?firm={}", path(next), firm.id)), "{body}");
        let party = parties::parties(&mut world.db().read().await.unwrap(), next).await.unwrap()[0].id;
        groups::accept(&world.cx_of(&firm.owner).await, party, Consent::default()).await.unwrap();
        assert_eq!(seats(&world, next).await, (3, 0, 0));
        sound(&world).await;
    }
}

both! {
    async fn the_matrix_says_who_has_learned_what_and_who_is_missing(world: World) {
        let firm = Firm::of(&world, 3, 1).await;
        let id = firm.school.open(firm.school.draft("Printers I", 10, 24 * 9, 0)).await;
        firm.enrol(&world, id, firm.group(&[0], 0, Wish::Together)).await.unwrap();
        let page = world.get(&firm.owner, "/training/team").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("employee1") && page.body.contains("Booked") && page.body.contains("Missing"), "{}", page.body);
        assert!(page.body.contains(&format!("action=\"{}\"", path(id))), "{}", page.body);
        // Others see nothing of it.
        let page = world.get(&firm.people[0], "/training/team").await;
        assert!(!page.body.contains("employee1"), "{}", page.body);
        let page = world.get(&firm.people[0], &path(id)).await;
        assert!(!page.body.contains("employee1"), "{}", page.body);
    }
}

both! {
    async fn the_matrix_leads_to_the_class_into_which_one_can_enrol_now(world: World) {
        let firm = Firm::of(&world, 1, 1).await;
        let later = Window { opens: Some(now() + Duration::hours(24 * 5)), closes: None };
        let extras = plan::Extras { window: later, ..plan::Extras::default() };
        let shut = vec![firm.school.draft("Still shut", 10, 24 * 9, 0)];
        let shut = plan::create_series(&firm.school.cx, shut, extras, true, None).await.unwrap();
        let page = world.get(&firm.owner, "/training/team").await.body;
        assert!(page.contains(&format!("action=\"{}\"", path(shut))), "{page}");
        let open = firm.school.open(firm.school.draft("Open", 10, 24 * 12, 0)).await;
        let page = world.get(&firm.owner, "/training/team").await.body;
        assert!(page.contains(&format!("action=\"{}\"", path(open))), "{page}");
    }
}

both! {
    async fn the_matrix_names_what_there_is_no_course_for(world: World) {
        let firm = Firm::of(&world, 1, 1).await;
        let lacks = async || world.get(&firm.owner, "/training/team").await.body.contains("No course yet");
        assert!(!lacks().await, "there is one for printers");
        let line = "F-9,1,2026-11-10,2026-11-14,owner@firm.example,ES,Acme Works,P9,Lathe,goods,F9,1,199.00,EUR,12,";
        sold::sell(&world, &[line]).await;
        let page = world.get(&firm.owner, "/training/team").await.body;
        assert!(lacks().await && page.contains("1 × Lathe"), "{page}");
        // Staff read it too.
        let manager = world.staff(aftercare::access::Role::Manager).await;
        let page = world.get(&manager, &format!("/desk/organisations/{}/team", firm.id)).await.body;
        assert!(page.contains("1 × Lathe"), "{page}");
    }
}

both! {
    async fn whoever_gets_a_seat_by_name_asks_for_a_class_no_more(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let ask = format!("/training/ask/{}", firm.school.course);
        for who in &firm.people {
            let wish = [("act", "ask"), ("time", "2-morning"), ("language", ""), ("place", "")];
            assert_eq!(world.post(who, &ask, &wish).await.status, StatusCode::SEE_OTHER);
        }
        let open = async || world.count("select count(*) from class_wish where state = 'open'").await;
        let id = firm.school.open(firm.school.draft("Named", 5, 24 * 9, 0)).await;
        let party = firm.enrol(&world, id, firm.group(&[], 1, Wish::Together)).await.unwrap().party;
        let seat = parties::places(&mut world.db().read().await.unwrap(), party).await.unwrap()[0].id;
        let owner = world.cx_of(&firm.owner).await;
        assert_eq!(open().await, 2);
        groups::name(&owner, seat, firm.people[0].id).await.unwrap();
        assert_eq!(open().await, 1);
        groups::swap(&owner, seat, firm.people[1].id).await.unwrap();
        assert_eq!(open().await, 0);
        sound(&world).await;
    }
}

both! {
    async fn a_seat_that_stands_is_in_the_calendar_whatever_ended_before_it(world: World) {
        let firm = Firm::of(&world, 1, 0).await;
        let (owner, member) = (world.cx_of(&firm.owner).await, &firm.people[0]);
        let id = firm.school.open(firm.school.draft("Stands", 5, 24 * 9, 0)).await;
        let party = firm.enrol(&world, id, firm.group(&[], 1, Wish::Together)).await.unwrap().party;
        // She takes a seat of her own, gives it back, and gets the older one of the firm's.
        seats::enrol(&world.cx_of(member).await, id, Consent::default()).await.unwrap();
        cancel(&world, member, id).await;
        let seat = parties::places(&mut world.db().read().await.unwrap(), party).await.unwrap()[0].id;
        groups::name(&owner, seat, member.id).await.unwrap();
        assert_eq!(world.post(member, "/training/mine", &[("act", "renew")]).await.status, StatusCode::SEE_OTHER);
        let page = world.get(member, "/training/mine").await.body;
        let address = page.split_once("http://portal.test/calendar/").unwrap().1.split_once('"').unwrap().0.to_owned();
        let feed = world.get(None, &format!("/calendar/{address}")).await.body;
        assert!(feed.contains("STATUS:CONFIRMED") && !feed.contains("STATUS:CANCELLED"), "{feed}");
    }
}

both! {
    async fn two_groups_race_for_the_last_seats_and_one_gets_all(world: World) {
        let firm = Firm::of(&world, 6, 1).await;
        let id = firm.school.open(firm.school.draft("Race", 3, 24 * 9, 9000)).await;
        let (world, firm) = (Arc::new(world), Arc::new(firm));
        let mut races = tokio::task::JoinSet::new();
        for at in [0, 3] {
            let (world, firm) = (world.clone(), firm.clone());
            races.spawn(async move {
                let group = firm.group(&[at, at + 1, at + 2], 0, Wish::Together);
                firm.enrol(&world, id, group).await.unwrap().seated
            });
        }
        let mut seated: Vec<i64> = races.join_all().await.into_iter().map(|seated| seated.booked).collect();
        seated.sort_unstable();
        assert_eq!(seated, [0, 3]);
        assert_eq!(seats(&world, id).await, (3, 0, 3));
        assert_eq!(units(&world).await, (0, 3, 0));
        sound(&world).await;
    }
}

both! {
    async fn a_class_cancelled_in_the_minute_somebody_enrols_is_one_truth_for_both(world: World) {
        let firm = Firm::of(&world, 4, 1).await;
        // Somebody missed a class of the course, and would make it up in each of those in doubt.
        let home = firm.school.open(firm.school.draft("Home", 3, 30, 0)).await;
        let guest = world.customer("guest@example.com").await;
        let seat = seats::enrol(&world.cx_of(&guest).await, home, Consent::default()).await.unwrap().enrolment;
        world.advance(Duration::hours(31));
        let missed = first_session(&world, home).await;
        attend::mark(&firm.school.now(&world).await, home, missed, seat, None, Some(Mark::Absent)).await.unwrap();
        let (world, firm) = (Arc::new(world), Arc::new(firm));
        let (mut groups_told, mut guests_told) = (0, 0);
        for round in 0..7 {
            let id = firm.school.open(firm.school.draft("Doubt", 4, 24 * (9 + round), 9000)).await;
            let equal = first_session(&world, id).await;
            let mut race = tokio::task::JoinSet::new();
            for n in 0..5_usize {
                let (world, firm, guest) = (world.clone(), firm.clone(), guest.clone());
                let attempt = async move {
                    let done = match n {
                        0 => firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::AsManyAsFit)).await.is_ok(),
                        1 => make_ups::book(&world.cx_of(&guest).await, home, missed, equal, None).await.is_ok(),
                        2 => plan::cancel(&firm.school.now(&world).await, id, "Ill.".into()).await.is_ok(),
                        n => {
                            let cx = world.cx_of(&firm.people[n - 1]).await;
                            seats::enrol(&cx, id, Consent::default()).await.is_ok()
                        }
                    };
                    (n, done)
                };
                match (round, n) {
                    // Once the group and the guest are surely first.
                    (0, 0 | 1) => assert!(attempt.await.1),
                    _ => drop(race.spawn(attempt)),
                }
            }
            let done = race.join_all().await;
            assert!(done.contains(&(2, true)), "{done:?}");
            let enrolled = |who: usize| i64::from(round == 0 || done.contains(&(who, true)));
            groups_told += enrolled(0);
            guests_told += enrolled(1);
            // Whoever was first: nobody has a place, nothing is held or owed, and whoever had one was told.
            let row = store::class(&mut world.db().read().await.unwrap(), id).await.unwrap();
            assert_eq!(row.state, aftercare::training::domain::ClassState::Cancelled);
            assert_eq!((row.taken, row.held, row.waiting), (0, 0, 0));
            for who in &firm.people {
                assert_eq!(state(&world, who, id).await, None);
                let page = world.get(who, &format!("/training/{id}")).await;
                assert!(!page.body.contains("id=\"enrol\""), "{}", page.body);
            }
            assert_eq!(units(&world).await, (3, 0, 0));
            assert_eq!(world.count("select count(*) from charge where state = 'due'").await, 0);
            sound(&world).await;
        }
        let ended = "select count(*) from enrolment where ended_because = 'class_cancelled'";
        let told = "select count(*) from message where letter = 'class_cancelled'";
        assert_eq!(world.count(ended).await, world.count(told).await);
        // Whoever pays for a group that got in, and whoever would have been a guest, heard both: once each.
        let owner = "select count(*) from message where letter = 'group_class_cancelled' and email = 'owner@firm.example'";
        assert_eq!(world.count(owner).await, groups_told);
        assert_eq!(world.count("select count(*) from message where letter = 'group_enrolled'").await, groups_told);
        for letter in [
            "select count(*) from message where letter = 'make_up_booked' and email = 'guest@example.com'",
            "select count(*) from message where letter = 'make_up_cancelled' and email = 'guest@example.com'",
        ] {
            assert_eq!(world.count(letter).await, guests_told, "{letter}");
        }
        assert_eq!(world.count("select count(*) from make_up where state = 'booked'").await, 0);
    }
}

both! {
    async fn check_names_what_is_wrong_with_a_group(world: World) {
        let firm = Firm::of(&world, 4, 0).await;
        let id = firm.school.open(firm.school.draft("Broken", 4, 24 * 9, 0)).await;
        let others = fill(&world, id, 4).await;
        firm.enrol(&world, id, firm.group(&[0, 1], 1, Wish::Together)).await.unwrap();
        cancel(&world, &others[0], id).await;
        sound(&world).await;
        let finds = async |name: &str, corruption: &'static str, repair: &'static str| {
            world.corrupt(corruption).await;
            let broken = world.broken().await;
            assert!(broken.contains(&name.to_owned()), "{name}: {broken:?}");
            world.corrupt(repair).await;
            assert_eq!(world.broken().await, Vec::<String>::new(), "after {name}");
        };
        finds("class_held_miscounted", "update party set gathered = 2", "update party set gathered = 1").await;
        finds(
            "group_gathers_too_much",
            "update party set gathered = 3",
            "update party set gathered = 1",
        ).await;
        finds(
            "class_waiting_miscounted",
            "update unnamed_seat set state = 'cancelled'",
            "update unnamed_seat set state = 'waitlisted'",
        ).await;
        finds(
            "group_torn_apart",
            "update enrolment set state = 'booked' where queue_number = 1",
            "update enrolment set state = 'waitlisted' where queue_number = 1",
        ).await;
        finds(
            "gathering_without_end",
            "update job set kind = 'lost' where kind = 'open_line'",
            "update job set kind = 'open_line' where kind = 'lost'",
        ).await;
        finds(
            "unnamed_seat_without_end",
            "update job set kind = 'lost' where kind = 'return_seats'",
            "update job set kind = 'return_seats' where kind = 'lost'",
        ).await;
        finds(
            "unnamed_seat_after_the_class",
            "update class set state = 'completed'",
            "update class set state = 'open'",
        ).await;
        finds(
            "group_without_history",
            "update history set entity = 'lost' where entity = 'party'",
            "update history set entity = 'party' where entity = 'lost'",
        ).await;
        cancel(&world, &others[1], id).await;
        cancel(&world, &others[2], id).await;
        assert_eq!(seats(&world, id).await, (1, 3, 0));
        finds(
            "group_with_two_deadlines",
            "update enrolment set offered_until = (select max(run_at) from job where kind = 'return_seats') where state = 'offered'",
            "update enrolment set offered_until = (select offered_until from unnamed_seat where state = 'offered') where state = 'offered'",
        ).await;
    }
}

both! {
    async fn check_names_the_group_of_the_very_class_whose_job_is_lost(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let full = fill(&world, firm.school.open(firm.school.draft("Full", 4, 24 * 9, 0)).await, 4).await;
        for days in [10, 12] {
            let id = firm.school.open(firm.school.draft("Lost", 4, 24 * days, 0)).await;
            for who in &full {
                seats::enrol(&world.cx_of(who).await, id, Consent::default()).await.unwrap();
            }
            firm.enrol(&world, id, firm.group(&[0, 1], 1, Wish::Together)).await.unwrap();
            cancel(&world, &full[0], id).await;
        }
        sound(&world).await;
        // The other class has its own still.
        world.corrupt("update job set kind = 'lost' where id in (select id from job where kind = 'open_line' order by run_at limit 1)").await;
        assert_eq!(world.broken().await, ["gathering_without_end"]);
        world.corrupt("update job set kind = 'open_line' where kind = 'lost'").await;
        world.corrupt("update job set kind = 'lost' where id in (select id from job where kind = 'return_seats' order by run_at limit 1)").await;
        assert_eq!(world.broken().await, ["unnamed_seat_without_end"]);
    }
}

#[test]
fn letters_about_groups_are_written_in_every_language() {
    use aftercare::{
        i18n::{Fmt, Locale},
        training::{
            domain::{Cost, WhyPays},
            server::{
                group_letters::{GroupLetter, Says},
                letters::{About, Also, Next, Waited},
            },
        },
        values::{Currency, Money},
    };
    let about = || About {
        title: "Printers".into(),
        starts: now(),
        zone: chrono_tz::Europe::Madrid,
        place: String::new(),
        link: "https://portal.test/training/1/group".into(),
    };
    let firm = || "Acme".to_owned();
    for locale in [Locale::en, Locale::es, Locale::it, Locale::hi, Locale::lt] {
        let next = || Next {
            starts: now(),
            zone: chrono_tz::Asia::Kolkata,
            until: now(),
            differs: Some(("Delhi".into(), "hi".into())),
        };
        for many in [1, 2, 7, 21] {
            let covered = Cost::Covered {
                benefit: BenefitId(uuid::Uuid::nil()),
                plan: "Care".into(),
                left: 3,
                granted: 3,
                until: now().date_naive(),
            };
            let pays = Cost::Pays {
                price: Money::new(9000, Currency::EUR),
                why: WhyPays::NothingLeft { plan: "Care".into() },
            };
            let mut costs = vec![covered; many];
            costs.extend(vec![pays; many]);
            let n = many as i64;
            let all = [
                Says::Enrolled { seated: Seated { booked: n, waiting: n, left_out: n }, costs },
                Says::Accepted {
                    by: "Ann".into(),
                    seated: Seated { booked: n, ..Seated::default() },
                    costs: vec![Cost::Free],
                },
                Says::Offered { seats: many as u64, until: now() },
                Says::Named { name: "Ann".into(), instead: None },
                Says::Named { name: "Ann".into(), instead: Some("Bob".into()) },
                Says::Returned { seats: many as u64 },
                Says::ClassCancelled { why: "Ill.".into(), next: Some(next()), gone: vec!["Ann".into()] },
                Says::Promoted { name: "Ann".into(), cost: Cost::Free },
                Says::Left { name: "Ann".into(), late: Some(true) },
                Says::Left { name: "Ann".into(), late: Some(false) },
                Says::Left { name: "Ann".into(), late: None },
                Says::Carried { name: "Ann".into(), before: (now(), chrono_tz::Asia::Kolkata) },
                Says::MemberLeft { name: "Ann".into(), firm: firm() },
                Says::ClassMoved {
                    kept: groups::Kept::Offers(many, now()),
                    elsewhere: vec!["Ann".into()],
                    lost: vec!["Bob".into()],
                    also: vec![Also::Language("lt".into())],
                },
                Says::ClassMoved {
                    kept: groups::Kept::Over,
                    elsewhere: Vec::new(),
                    lost: Vec::new(),
                    also: Vec::new(),
                },
                Says::ClassTerms { also: vec![Also::CutOff(72)], cancelling: Cancelling::Free(now()) },
                Says::YouAreIn { firm: firm() },
                Says::YouWait { firm: firm() },
                Says::YouAreOut { firm: firm() },
                Says::YouLeft { firm: firm() },
                Says::YouWaitNoMore { firm: firm() },
                Says::WaitOver { why: Waited::Expired },
                Says::WaitOver { why: Waited::Begun },
            ];
            for says in all {
                let written = GroupLetter { about: about(), says }.write(Fmt::new(locale));
                assert!(written.subject.contains("Printers") && written.body.contains("Printers"), "{written:?}");
                assert!(!written.body.contains("{{") && !written.body.contains("https://"), "{written:?}");
            }
        }
    }
}
