//! What the rules of a class promise, and that everybody is told them: seats that staff give back, offers that nobody
//! wants again, the sentences on the pages, what a no-show costs.

use crate::{
    both,
    groups::Firm,
    sold,
    training::School,
    world::{Engine, Reply, Signed, World},
};
use aftercare::{
    access::Role,
    fetch_one, fetch_scalar,
    training::{
        domain::{EnrolmentState, Mark, Wish},
        server::{
            attend, make_ups,
            plan::{self, Draft},
            seats::{self, Consent},
            store,
        },
    },
    values::{ClassId, ClassSessionId, EnrolmentId, MakeUpId, ProductId},
};
use axum::http::StatusCode;
use chrono::Duration;

fn path(class: ClassId) -> String {
    format!("/training/{class}")
}

fn desk(class: ClassId) -> String {
    format!("/desk/classes/{class}")
}

async fn enrol(world: &World, who: &Signed, class: ClassId) -> EnrolmentId {
    seats::enrol(&world.cx_of(who).await, class, Consent::default()).await.unwrap().enrolment
}

async fn cancel(world: &World, who: &Signed, class: ClassId) -> EnrolmentState {
    seats::cancel(&world.cx_of(who).await, class, Consent::default()).await.unwrap().state
}

async fn place(world: &World, who: &Signed, class: ClassId) -> Option<store::EnrolmentRow> {
    store::active(&mut world.db().read().await.unwrap(), class, who.id).await.unwrap()
}

async fn state(world: &World, who: &Signed, class: ClassId) -> Option<EnrolmentState> {
    place(world, who, class).await.map(|row| row.state)
}

async fn people<const N: usize>(world: &World, names: [&str; N]) -> [Signed; N] {
    let mut all = Vec::new();
    for name in names {
        all.push(world.customer(&format!("{name}@example.com")).await);
    }
    all.try_into().unwrap()
}

/// Sells a printer with three class seats, as an import does; gives the product.
async fn sell_seats(world: &World, email: &str) -> ProductId {
    const SOLD: &str = "select i.product_id from item i join person p on p.id = i.owner_id where p.email = $1";
    sold::sell(world, &[&sold::printer(&format!("A-{email}"), email, "ES", &format!("S-{email}"))]).await;
    fetch_scalar!(world.db().read().await.unwrap(), ProductId, SOLD, email).unwrap().unwrap()
}

/// Available, reserved, used, of the one plan that was sold.
async fn units(world: &World) -> (i64, i64, i64) {
    const UNITS: &str = "select available, reserved, used from benefit where allowance = 'training_seat'";
    fetch_one!(world.db().read().await.unwrap(), (i64, i64, i64), UNITS).unwrap()
}

async fn sound(world: &World) {
    assert_eq!(world.broken().await, Vec::<String>::new());
}

/// Somebody of the staff gives a seat back at the desk, for whoever has it.
async fn give_back(world: &World, by: &Signed, class: ClassId, seat: EnrolmentId, why: &str) -> Reply {
    let form = [("act", "give_back"), ("enrolment", &*seat.to_string()), ("why_give_back", why)];
    world.post(by, &desk(class), &form).await
}

both! {
    async fn staff_give_a_seat_back_after_the_cut_off_and_it_costs_the_learner_nothing(world: World) {
        let [ann, ben, cleo] = people(&world, ["ann", "ben", "cleo"]).await;
        let school = School::of(&world, vec![sell_seats(&world, "ann@example.com").await]).await;
        let id = school.open(school.draft("Soon", 1, 47, 9000)).await;
        let seat = enrol(&world, &ann, id).await;
        enrol(&world, &ben, id).await;
        enrol(&world, &cleo, id).await;
        assert_eq!(units(&world).await, (2, 1, 0));
        // Two taps: to unfold the form, and its button.
        let page = world.get(&school.trainer, &desk(id)).await.body;
        assert_eq!(page.matches("data-seat=\"give-back\"").count(), 3, "{page}");
        assert!(page.contains("Give the seat back") && page.contains("Take off the waitlist"), "{page}");
        // Nobody but staff who may.
        let technician = world.staff(Role::Technician).await;
        assert_eq!(give_back(&world, &technician, id, seat, "").await.status, StatusCode::FORBIDDEN);
        assert_eq!(give_back(&world, &ben, id, seat, "").await.status, StatusCode::NOT_FOUND);
        assert_eq!(give_back(&world, &ann, id, seat, "").await.status, StatusCode::NOT_FOUND);
        let long = "x".repeat(301);
        let reply = give_back(&world, &school.trainer, id, seat, &long).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains(&long), "what was typed is still there");
        assert_eq!(state(&world, &ann, id).await, Some(EnrolmentState::Booked));
        for _ in 0..2 {
            let reply = give_back(&world, &school.trainer, id, seat, "She fell ill.").await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
            assert!(reply.cookie("notice").unwrap().starts_with("seat_given_back."));
        }
        // It is after the cut-off, and still the allowance is back.
        assert_eq!(units(&world).await, (3, 0, 0));
        assert_eq!(state(&world, &ann, id).await, None);
        assert_eq!(state(&world, &ben, id).await, Some(EnrolmentState::Offered));
        let (subject, body, _) = world.letter("ann@example.com").await.unwrap();
        assert_eq!(subject, "We have given back your seat: Soon");
        assert!(body.contains("It costs you nothing") && body.ends_with("Reason: She fell ill."), "{body}");
        assert_eq!(world.count("select count(*) from message where letter in ('seat_given_back', 'seat_cancelled')").await, 1);
        assert_eq!(world.count("select count(*) from message_calendar where method = 'cancel'").await, 1);
        assert_eq!(
            world.count(
                "select count(*) from history where act = 'cancel_enrolment' and from_state = 'booked' \
                 and to_state = 'cancelled' and why = 'She fell ill.' and actor_id is not null"
            ).await,
            1
        );
        assert_eq!(world.count("select count(*) from history where act = 'cancel_enrolment'").await, 1);
        sound(&world).await;
    }
}

both! {
    async fn staff_take_an_offer_and_a_place_in_line_back_and_the_line_moves_up(world: World) {
        let [ann, ben, cleo, dan] = people(&world, ["ann", "ben", "cleo", "dan"]).await;
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Line", 1, 24 * 9, 0)).await;
        for who in [&ann, &ben, &cleo, &dan] {
            enrol(&world, who, id).await;
        }
        cancel(&world, &ann, id).await;
        let (offer, waits) = (place(&world, &ben, id).await.unwrap(), place(&world, &dan, id).await.unwrap());
        assert_eq!((offer.state, waits.state), (EnrolmentState::Offered, EnrolmentState::Waitlisted));
        assert_eq!(give_back(&world, &school.trainer, id, offer.id, "").await.status, StatusCode::SEE_OTHER);
        assert_eq!(state(&world, &cleo, id).await, Some(EnrolmentState::Offered));
        let (subject, body, _) = world.letter("ben@example.com").await.unwrap();
        assert!(subject.starts_with("No seat is kept for you") && !body.contains("Reason"), "{subject} {body}");
        assert_eq!(give_back(&world, &school.trainer, id, waits.id, "Full.").await.status, StatusCode::SEE_OTHER);
        assert!(world.letter("dan@example.com").await.unwrap().0.starts_with("You are no longer in line"));
        let row = store::class(&mut world.db().read().await.unwrap(), id).await.unwrap();
        assert_eq!((row.taken, row.held, row.waiting), (0, 1, 0));
        // A seat of another class is none of this one.
        let other = school.open(school.draft("Other", 1, 24 * 12, 0)).await;
        let elsewhere = enrol(&world, &dan, other).await;
        assert_eq!(give_back(&world, &school.trainer, id, elsewhere, "").await.status, StatusCode::NOT_FOUND);
        sound(&world).await;
    }
}

both! {
    async fn what_a_seat_was_charged_is_void_or_paid_back_when_staff_give_it_back_late(world: World) {
        let [ann, ben, cleo] = people(&world, ["ann", "ben", "cleo"]).await;
        let (school, agent) = (School::of(&world, vec![]).await, world.staff(Role::Agent).await);
        let id = school.open(school.draft("Paid", 5, 47, 9000)).await;
        let (first, second) = (enrol(&world, &ann, id).await, enrol(&world, &ben, id).await);
        let charge = fetch_one!(
            world.db().read().await.unwrap(),
            (uuid::Uuid,),
            "select id from charge where entity_id = $1",
            first
        )
        .unwrap()
        .0
        .to_string();
        let paid = [("charge", charge.as_str()), ("outcome", "paid")];
        assert_eq!(world.post(&agent, "/desk/charges", &paid).await.status, StatusCode::SEE_OTHER);
        for seat in [first, second] {
            assert_eq!(give_back(&world, &school.trainer, id, seat, "").await.status, StatusCode::SEE_OTHER);
        }
        assert_eq!(world.count("select count(*) from charge where state = 'void'").await, 1);
        assert_eq!(world.count("select count(*) from refund where paid_at is null").await, 1);
        // Who gives it back themselves pays for the seat at that hour.
        enrol(&world, &cleo, id).await;
        assert_eq!(cancel(&world, &cleo, id).await, EnrolmentState::CancelledLate);
        assert_eq!(world.count("select count(*) from charge where state = 'due'").await, 1);
        sound(&world).await;
    }
}

both! {
    async fn a_firm_hears_of_a_seat_that_staff_give_back_and_not_of_the_reason(world: World) {
        let firm = Firm::of(&world, 2, 1).await;
        let id = firm.school.open(firm.school.draft("Firm", 5, 47, 9000)).await;
        firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap();
        assert_eq!(units(&world).await, (1, 2, 0));
        let seat = place(&world, &firm.people[0], id).await.unwrap().id;
        assert_eq!(give_back(&world, &firm.school.trainer, id, seat, "Ill.").await.status, StatusCode::SEE_OTHER);
        assert_eq!(units(&world).await, (2, 1, 0));
        let (subject, body, _) = world.letter("owner@firm.example").await.unwrap();
        assert_eq!(subject, "We have given back a place of your firm: Firm");
        assert!(body.contains("the place of employee0") && !body.contains("Ill."), "{body}");
        assert!(world.letter("employee0@firm.example").await.unwrap().1.ends_with("Reason: Ill."));
        assert_eq!(state(&world, &firm.people[1], id).await, Some(EnrolmentState::Booked));
        sound(&world).await;
    }
}

both! {
    async fn staff_are_exempt_for_others_only_and_not_once_the_class_has_begun(world: World) {
        let [ann] = people(&world, ["ann"]).await;
        let (school, manager) = (School::of(&world, vec![]).await, world.staff(Role::Manager).await);
        let id = school.open(school.draft("Mixed", 5, 47, 9000)).await;
        let (hers, own) = (enrol(&world, &ann, id).await, enrol(&world, &manager, id).await);
        let page = world.get(&manager, &desk(id)).await.body;
        assert_eq!(page.matches("data-seat=\"give-back\"").count(), 1, "{page}");
        assert_eq!(give_back(&world, &manager, id, own, "").await.status, StatusCode::NOT_FOUND);
        assert_eq!(cancel(&world, &manager, id).await, EnrolmentState::CancelledLate);
        world.advance(Duration::hours(47));
        let page = world.get(&school.trainer, &desk(id)).await.body;
        assert!(!page.contains("data-seat=\"give-back\""), "{page}");
        let reply = give_back(&world, &school.trainer, id, hers, "").await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(state(&world, &ann, id).await, Some(EnrolmentState::Booked));
    }
}

both! {
    async fn whoever_gave_a_class_up_is_not_offered_it_again_when_another_is_cancelled(world: World) {
        let [ann, ben, cleo] = people(&world, ["ann", "ben", "cleo"]).await;
        let school = School::of(&world, vec![]).await;
        let off = school.open(school.draft("Off", 5, 24 * 20, 0)).await;
        let next = school.open(school.draft("Next", 1, 24 * 25, 0)).await;
        // Ann gave a seat of it back, Ben declined one that was offered.
        enrol(&world, &ann, next).await;
        enrol(&world, &ben, next).await;
        cancel(&world, &ann, next).await;
        assert_eq!(world.post(&ben, &path(next), &[("act", "decline")]).await.status, StatusCode::SEE_OTHER);
        for who in [&ann, &ben, &cleo] {
            enrol(&world, who, off).await;
        }
        let reply = world.post(&school.trainer, &desk(off), &[("act", "cancel"), ("why", "I am ill.")]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!((state(&world, &ann, next).await, state(&world, &ben, next).await), (None, None));
        assert_eq!(state(&world, &cleo, next).await, Some(EnrolmentState::Offered));
        for who in ["ann@example.com", "ben@example.com"] {
            let (_, body, link) = world.letter(who).await.unwrap();
            assert!(link.unwrap().ends_with("/training"), "{body}");
        }
        assert!(world.letter("cleo@example.com").await.unwrap().2.unwrap().ends_with(&path(next)));
        sound(&world).await;
    }
}

both! {
    async fn a_group_is_not_offered_a_class_that_one_of_it_gave_up(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let off = firm.school.open(firm.school.draft("Off", 5, 24 * 20, 0)).await;
        let next = firm.school.open(firm.school.draft("Next", 5, 24 * 25, 0)).await;
        enrol(&world, &firm.people[0], next).await;
        cancel(&world, &firm.people[0], next).await;
        firm.enrol(&world, off, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap();
        let reply = world.post(&firm.school.trainer, &desk(off), &[("act", "cancel"), ("why", "I am ill.")]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        for who in &firm.people {
            assert_eq!(state(&world, who, next).await, None);
        }
        // They may come all the same, if they want to.
        firm.enrol(&world, next, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap();
        sound(&world).await;
    }
}

/// The sentences that every page says where somebody takes a seat.
const RULES: [&str; 5] = [
    "You can cancel free of charge until",
    "After that a seat that you cancel counts as used",
    "Whoever does not come has used their seat.",
    "A freed seat is kept for the first person in line for 24 hours",
    "The waitlist closes on",
];

both! {
    async fn an_owner_confirms_under_the_same_rules_as_a_learner(world: World) {
        let firm = Firm::of(&world, 1, 0).await;
        let id = firm.school.open(firm.school.draft("Rules", 5, 24 * 20, 9000)).await;
        let learner = world.get(&firm.people[0], &path(id)).await.body;
        let review = format!("{}/group?review=1&wish=together&wait=yes&person={}", path(id), firm.people[0].id);
        let owner = world.get(&firm.owner, &review).await.body;
        assert!(owner.contains("id=\"enrol-group\""), "{owner}");
        for rule in RULES {
            assert!(learner.contains(rule), "{rule}: {learner}");
            assert!(owner.contains(rule), "{rule}: {owner}");
        }
        assert!(owner.contains("72 hours before the start"), "{owner}");
    }
}

both! {
    async fn whoever_waits_behind_a_group_that_gathers_seats_is_told_how_that_is_served(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let [seated, second, before, behind, guest] = people(&world, ["seated", "second", "before", "behind", "guest"]).await;
        let id = firm.school.open(firm.school.draft("Full", 2, 24 * 20, 0)).await;
        for who in [&seated, &second, &before] {
            enrol(&world, who, id).await;
        }
        firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap();
        enrol(&world, &behind, id).await;
        let (kept, served) = ("A freed seat is kept for the first person in line", "72 hours before the start");
        for who in [&seated, &before] {
            let page = world.get(who, &path(id)).await.body;
            assert!(page.contains(kept) && !page.contains(served), "{page}");
        }
        // So is whoever is about to stand there.
        for who in [&behind, &firm.people[0], &guest] {
            let page = world.get(who, &path(id)).await.body;
            assert!(page.contains(served) && !page.contains(kept), "{page}");
        }
        // A group that may be split is served seat by seat, like anybody.
        let split = firm.school.open(firm.school.draft("Split", 1, 24 * 24, 0)).await;
        enrol(&world, &seated, split).await;
        firm.enrol(&world, split, firm.group(&[0, 1], 0, Wish::AsManyAsFit)).await.unwrap();
        enrol(&world, &behind, split).await;
        for who in [&behind, &guest] {
            let page = world.get(who, &path(split)).await.body;
            assert!(page.contains(kept) && !page.contains(served), "{page}");
        }
    }
}

/// A learner with a plan stays away from a class, without a word; gives what is left of the plan.
async fn after_a_no_show(world: &World, no_show: &str) -> (i64, i64, i64) {
    let [ann] = people(world, ["ann"]).await;
    let school = School::of(world, vec![sell_seats(world, "ann@example.com").await]).await;
    rules(world, "spent", no_show).await;
    let id = school.open(school.draft("Missed", 5, 100, 9000)).await;
    enrol(world, &ann, id).await;
    assert_eq!(units(world).await, (2, 1, 0));
    missed_or_seen(world, &school, id, "absent", 101).await;
    assert_eq!(world.count("select count(*) from certificate").await, 0);
    sound(world).await;
    units(world).await
}

/// Everybody gets one mark, and the class is closed, so many hours from now.
async fn missed_or_seen(world: &World, school: &School, id: ClassId, mark: &str, hours: i64) {
    world.advance(Duration::hours(hours));
    let mut tx = world.db().read().await.unwrap();
    let session = store::sessions(&mut tx, id).await.unwrap()[0].id.to_string();
    let seats = store::of_class(&mut tx, id).await.unwrap();
    drop(tx);
    for seat in seats {
        let form = [
            ("act", "mark"),
            ("session", session.as_str()),
            ("enrolment", &*seat.id.to_string()),
            ("was", "none"),
            ("mark", mark),
        ];
        assert_eq!(world.post(&school.trainer, &desk(id), &form).await.status, StatusCode::SEE_OTHER);
    }
    let reply = world.post(&school.trainer, &desk(id), &[("act", "close")]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
}

both! {
    async fn a_no_show_gets_the_allowance_back_where_the_class_says_so(world: World) {
        assert_eq!(after_a_no_show(&world, "returned").await, (3, 0, 0));
    }
}

both! {
    async fn a_no_show_has_used_the_allowance_where_the_class_says_so(world: World) {
        assert_eq!(after_a_no_show(&world, "spent").await, (2, 0, 1));
    }
}

both! {
    async fn the_roster_says_what_a_learner_has_passed(world: World) {
        let [ann, ben] = people(&world, ["ann", "ben"]).await;
        let school = School::of(&world, vec![]).await;
        let basics = School::course(&world, "Basics", vec![]).await;
        let first = school.open(Draft { course: basics, ..school.draft("Basics in spring", 5, 24, 0) }).await;
        let second = school.open(school.draft("Printers", 5, 24 * 9, 0)).await;
        enrol(&world, &ann, first).await;
        for who in [&ann, &ben] {
            enrol(&world, who, second).await;
        }
        assert!(!world.get(&school.trainer, &desk(second)).await.body.contains("Has passed"));
        missed_or_seen(&world, &school, first, "present", 25).await;
        let page = world.get(&school.trainer, &desk(second)).await.body;
        assert_eq!(page.matches("Has passed: Basics in spring").count(), 1, "{page}");
        let known = store::known(&mut world.db().read().await.unwrap(), second, world.app.clock.now().date_naive()).await.unwrap();
        assert_eq!(known.keys().collect::<Vec<_>>(), [&ann.id]);
    }
}

both! {
    async fn an_offer_that_is_over_by_the_morning_is_told_at_night_and_any_other_waits(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let [ann, ben] = people(&world, ["ann", "ben"]).await;
        let mut classes = Vec::new();
        // Offered at eleven in the evening until half past three, half past eight, half past nine; and for a day.
        for (title, hours) in [("Early", 24), ("Noon", 34), ("Later", 36), ("Far", 24 * 20)] {
            let id = firm.school.open(firm.school.draft(title, 1, hours, 0)).await;
            for who in [&ann, &ben] {
                enrol(&world, who, id).await;
            }
            classes.push(id);
        }
        let theirs = firm.school.open(firm.school.draft("Theirs", 1, 27, 0)).await;
        enrol(&world, &ann, theirs).await;
        firm.enrol(&world, theirs, firm.group(&[0], 0, Wish::Together)).await.unwrap();
        world.advance(Duration::hours(13));
        for id in classes.iter().chain([&theirs]) {
            cancel(&world, &ann, *id).await;
        }
        for id in classes {
            assert_eq!(state(&world, &ben, id).await, Some(EnrolmentState::Offered));
        }
        world.drain().await;
        let sent = async || {
            const SENT: &str = "select count(*) from message where letter = 'seat_offered' and sent_at is not null";
            world.count(SENT).await
        };
        assert_eq!(sent().await, 2);
        assert_eq!(world.count("select count(*) from message where letter = 'seat_offered'").await, 4);
        assert_eq!(world.count("select count(*) from message where letter = 'group_offered' and sent_at is not null").await, 1);
        // The others in the morning, with time left to answer.
        world.advance(Duration::hours(22));
        world.drain().await;
        assert_eq!(sent().await, 4);
        let later = "select count(*) from message where letter = 'seat_offered' and send_after > created_at";
        assert_eq!(world.count(later).await, 2);
        sound(&world).await;
    }
}

/// The company's rules, but for what a late cancel and a no-show cost.
async fn rules(world: &World, late_cancel: &str, no_show: &str) {
    let manager = world.staff(Role::Manager).await;
    let form = [
        ("act", "rules"),
        ("cut_off_hours", "48"),
        ("offer_hours", "24"),
        ("freeze_hours", "2"),
        ("late_cancel", late_cancel),
        ("no_show", no_show),
    ];
    assert_eq!(world.post(&manager, "/desk/settings/training", &form).await.status, StatusCode::SEE_OTHER);
}

both! {
    async fn whoever_has_a_missed_seat_back_makes_nothing_up(world: World) {
        rules(&world, "spent", "returned").await;
        let [ann] = people(&world, ["ann"]).await;
        let school = School::of(&world, vec![sell_seats(&world, "ann@example.com").await]).await;
        let home = school.open(school.draft("Home", 5, 100, 9000)).await;
        let host = school.open(school.draft("Host", 5, 300, 9000)).await;
        enrol(&world, &ann, home).await;
        missed_or_seen(&world, &school, home, "absent", 101).await;
        assert_eq!(units(&world).await, (3, 0, 0));
        let page = world.get(&ann, &path(home)).await.body;
        assert!(!page.contains("Missed: session 1."), "{page}");
        let session = async |class| store::sessions(&mut world.db().read().await.unwrap(), class).await.unwrap()[0].id.to_string();
        let (missed, into) = (session(home).await, session(host).await);
        let reply = world.post(&ann, &format!("{}/make-up", path(home)), &[("missed", &*missed), ("session", &*into)]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.count("select count(*) from make_up").await, 0);
        sound(&world).await;
    }
}

/// Ann has a plan and Ben pays. Both stayed away from a class that forgives that, and are to make it up in another one
/// when it is closed: until then nothing is settled.
struct Pending {
    school: School,
    home: ClassId,
    host: ClassId,
    people: [Signed; 2],
    make_ups: [MakeUpId; 2],
}

impl Pending {
    async fn of(world: &World) -> Self {
        rules(world, "spent", "returned").await;
        let people = people(world, ["ann", "ben"]).await;
        let school = School::of(world, vec![sell_seats(world, "ann@example.com").await]).await;
        let home = school.open(school.draft("Home", 5, 30, 9000)).await;
        let host = school.open(school.draft("Host", 5, 300, 9000)).await;
        for who in &people {
            enrol(world, who, home).await;
        }
        world.advance(Duration::hours(31));
        let (missed, equal) = (session(world, home).await, session(world, host).await);
        let cx = school.now(world).await;
        let mut make_ups = Vec::new();
        for who in &people {
            let seat = place(world, who, home).await.unwrap().id;
            attend::mark(&cx, home, missed, seat, None, Some(Mark::Absent)).await.unwrap();
            make_ups.push(make_ups::book(&world.cx_of(who).await, home, missed, equal, None).await.unwrap());
        }
        plan::close(&cx, home).await.unwrap();
        assert_eq!((units(world).await, due(world).await), ((2, 1, 0), 1), "nothing is settled yet");
        sound(world).await;
        Self { school, home, host, people, make_ups: make_ups.try_into().unwrap() }
    }

    /// Both are marked in the class where they make it up, which is closed.
    async fn hold(&self, world: &World, mark: &str) {
        world.advance(Duration::hours(270));
        let close = async || world.post(&self.school.trainer, &desk(self.host), &[("act", "close")]).await.status;
        assert_eq!(close().await, StatusCode::UNPROCESSABLE_ENTITY, "guests have no mark yet");
        for id in self.make_ups {
            let reply = world.post(&self.school.trainer, &format!("/desk/make-ups/{id}"), &[("mark", mark)]).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        }
        assert_eq!((units(world).await, due(world).await), ((2, 1, 0), 1), "a mark can still be corrected");
        assert_eq!(close().await, StatusCode::SEE_OTHER);
        let late =
            world.post(&self.school.trainer, &format!("/desk/make-ups/{}", self.make_ups[0]), &[("mark", "")]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY, "what a closed class says stands");
    }
}

async fn session(world: &World, class: ClassId) -> ClassSessionId {
    store::sessions(&mut world.db().read().await.unwrap(), class).await.unwrap()[0].id
}

async fn due(world: &World) -> i64 {
    world.count("select count(*) from charge where state = 'due'").await
}

both! {
    async fn who_gives_a_make_up_up_has_the_missed_seat_back_where_its_class_forgives_that(world: World) {
        let pending = Pending::of(&world).await;
        let page = format!("{}/make-up", path(pending.home));
        for (who, id) in pending.people.iter().zip(pending.make_ups) {
            let shown = world.get(who, &page).await.body;
            assert!(shown.contains("If you give it back, nothing is left to make up"), "{shown}");
            let id = id.to_string();
            let form = [("act", "cancel"), ("make_up", id.as_str())];
            assert_eq!(world.post(who, &page, &form).await.status, StatusCode::SEE_OTHER);
        }
        assert_eq!((units(&world).await, due(&world).await), ((3, 0, 0), 0));
        for email in ["ann@example.com", "ben@example.com"] {
            let (subject, body, _) = world.letter(email).await.unwrap();
            assert_eq!(subject, "You have given your seat to make up “Home” back");
            assert!(body.ends_with("what your seat in “Home” cost comes back to you."), "{body}");
        }
        // There is nothing more to make up for.
        let (missed, equal) = (session(&world, pending.home).await, session(&world, pending.host).await);
        let again = make_ups::book(&world.cx_of(&pending.people[0]).await, pending.home, missed, equal, None).await;
        assert!(again.is_err(), "{again:?}");
        assert!(world.get(&pending.people[0], &page).await.body.contains("There is nothing to make up."));
        sound(&world).await;
    }
}

both! {
    async fn whose_make_up_does_not_take_place_has_the_missed_seat_back_where_its_class_forgives_that(world: World) {
        let pending = Pending::of(&world).await;
        plan::cancel(&pending.school.now(&world).await, pending.host, "Ill.".into()).await.unwrap();
        assert_eq!((units(&world).await, due(&world).await), ((3, 0, 0), 0));
        let (_, body, _) = world.letter("ben@example.com").await.unwrap();
        assert!(body.ends_with("what your seat in “Home” cost comes back to you."), "{body}");
        sound(&world).await;
    }
}

both! {
    async fn who_makes_a_missed_class_up_has_used_the_seat_once_that_class_is_closed(world: World) {
        let pending = Pending::of(&world).await;
        pending.hold(&world, "present").await;
        assert_eq!((units(&world).await, due(&world).await), ((2, 0, 1), 1));
        assert_eq!(world.count("select count(*) from certificate").await, 2);
        sound(&world).await;
    }
}

both! {
    async fn who_misses_the_make_up_too_is_forgiven_as_if_there_had_been_none(world: World) {
        let pending = Pending::of(&world).await;
        pending.hold(&world, "absent").await;
        assert_eq!((units(&world).await, due(&world).await), ((3, 0, 0), 0));
        sound(&world).await;
    }
}

both! {
    async fn whoever_answers_people_gives_a_seat_back_from_the_page_of_the_customer(world: World) {
        let [ann, ben] = people(&world, ["ann", "ben"]).await;
        let (agent, technician) = (world.staff(Role::Agent).await, world.staff(Role::Technician).await);
        let school = School::of(&world, vec![sell_seats(&world, "ann@example.com").await]).await;
        let id = school.open(school.draft("Soon", 1, 47, 9000)).await;
        let seat = enrol(&world, &ann, id).await;
        enrol(&world, &ben, id).await;
        let (customer, page) = (format!("/desk/customers/{}", ann.id), format!("/desk/seats/{seat}"));
        let shown = world.get(&agent, &customer).await.body;
        assert!(shown.contains(&format!("href=\"{page}\"")), "{shown}");
        // What it means is said before, with the rules that the learner agreed to.
        let shown = world.get(&agent, &page).await;
        assert_eq!(shown.status, StatusCode::OK);
        for words in ["It costs the learner nothing, however late it is", "Soon", "ann", "cancel"] {
            assert!(shown.body.contains(words), "{words}: {}", shown.body);
        }
        // Nobody else's business.
        assert_eq!(world.get(&technician, &page).await.status, StatusCode::FORBIDDEN);
        for other in [&ann, &ben] {
            assert_eq!(world.get(other, &page).await.status, StatusCode::NOT_FOUND);
            assert_eq!(world.post(other, &page, &[("why_give_back", "")]).await.status, StatusCode::NOT_FOUND);
        }
        // Nor another trainer's, on whatever page they ask; her own trainer may, as on the roster.
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let other = plan::create(&world.operator(), Draft { trainer: second.id, ..school.draft("Hers", 5, 100, 0) }, None).await.unwrap();
        let own = seat.to_string();
        let form = [("act", "give_back"), ("enrolment", own.as_str()), ("why_give_back", "")];
        for (address, status) in [
            (page.as_str(), StatusCode::FORBIDDEN),
            (&*desk(id), StatusCode::FORBIDDEN),
            (&*desk(other), StatusCode::NOT_FOUND),
        ] {
            let reply = world.post(&second, address, &form).await;
            assert_eq!(reply.status, status, "{address}: {}", reply.body);
        }
        let shown = world.get(&second, &page).await;
        assert_eq!(shown.status, StatusCode::FORBIDDEN);
        assert!(!shown.body.contains("Soon"), "{}", shown.body);
        assert_eq!(state(&world, &ann, id).await, Some(EnrolmentState::Booked));
        assert!(world.get(&school.trainer, &page).await.body.contains("data-seat=\"give-back\""));
        let nothing = "/desk/seats/00000000000070008000000000000000";
        assert_eq!(world.get(&second, nothing).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&agent, nothing).await.status, StatusCode::NOT_FOUND);
        // What was typed stays.
        let long = "x".repeat(301);
        let form = |why| [("act", "give_back"), ("enrolment", own.as_str()), ("why_give_back", why)];
        let reply = world.post(&agent, &page, &form(&long)).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains(&long), "{}", reply.body);
        for _ in 0..2 {
            let reply = world.post(&agent, &page, &form("She called.")).await;
            assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, customer.as_str()));
            assert!(reply.cookie("notice").unwrap().starts_with("seat_given_back."));
        }
        assert_eq!(units(&world).await, (3, 0, 0));
        assert_eq!(state(&world, &ben, id).await, Some(EnrolmentState::Offered));
        assert!(world.letter("ann@example.com").await.unwrap().1.ends_with("Reason: She called."));
        assert_eq!(world.count("select count(*) from history where act = 'cancel_enrolment'").await, 1);
        let shown = world.get(&agent, &page).await.body;
        assert!(shown.contains("There is nothing to give back any more") && !shown.contains("data-seat"), "{shown}");
        let shown = world.get(&agent, &customer).await.body;
        assert!(!shown.contains(&page), "{shown}");
        sound(&world).await;
    }
}

both! {
    async fn what_is_held_for_a_place_that_ended_and_an_excuse_that_costs_are_named(world: World) {
        let [ann, ben, cleo] = people(&world, ["ann", "ben", "cleo"]).await;
        let school = School::of(&world, vec![sell_seats(&world, "ann@example.com").await]).await;
        let id = school.open(school.draft("Held", 5, 100, 9000)).await;
        for who in [&ann, &ben, &cleo] {
            enrol(&world, who, id).await;
        }
        sound(&world).await;
        world.corrupt("update enrolment set state = 'cancelled' where benefit_id is not null").await;
        assert!(world.broken().await.contains(&"ended_seat_unsettled".to_owned()));
        world.corrupt("update enrolment set state = 'booked' where benefit_id is not null").await;
        // Nobody came; whoever pays owes it, and the one with a plan has used it, unless the class forgives.
        missed_or_seen(&world, &school, id, "absent", 101).await;
        sound(&world).await;
        world.corrupt("update class set no_show = 'returned'").await;
        assert_eq!(world.broken().await, ["no_show_against_the_rules"; 3]);
        world.corrupt("update class set no_show = 'spent'").await;
        sound(&world).await;
        world.corrupt("update attendance set mark = 'excused'").await;
        assert_eq!(world.broken().await, ["excused_seat_that_costs"; 3]);
    }
}

both! {
    async fn where_a_late_cancel_costs_nothing_nobody_reads_that_it_does(world: World) {
        for (cost, costs) in [("spent", true), ("returned", false)] {
            rules(&world, cost, "spent").await;
            let name = format!("{cost}@example.com");
            let who = world.customer(&name).await;
            let school = School::of(&world, vec![sell_seats(&world, &name).await]).await;
            let hours = if costs { 40 } else { 44 };
            let id = school.open(school.draft("Soon", 5, hours, 9000)).await;
            enrol(&world, &who, id).await;
            let warning = "if you cancel now, the seat counts as used";
            assert_eq!(world.get(&who, &path(id)).await.body.contains(warning), costs, "{cost}");
            let reply = world.post(&who, &path(id), &[("act", "cancel")]).await;
            assert_eq!(reply.cookie("notice").unwrap().starts_with("enrolment_cancelled_late."), costs, "{cost}");
            let (_, body, _) = world.letter(&name).await.unwrap();
            assert_eq!(body.contains("counts as used"), costs, "{body}");
            let used = world.count("select count(*) from benefit_entry where kind = 'use'").await;
            assert_eq!(used, 1, "only of the first");
            sound(&world).await;
        }
    }
}

both! {
    async fn whoever_cancelled_too_late_pays_nothing_for_a_class_that_does_not_take_place(world: World) {
        let [ann, ben, cleo, dan] = people(&world, ["ann", "ben", "cleo", "dan"]).await;
        let agent = world.staff(Role::Agent).await;
        let school = School::of(&world, vec![sell_seats(&world, "ann@example.com").await]).await;
        let id = school.open(school.draft("Off", 5, 40, 9000)).await;
        for who in [&ann, &ben, &cleo, &dan] {
            enrol(&world, who, id).await;
        }
        let mut tx = world.db().read().await.unwrap();
        const HERS: &str = "select id from charge where person_id = $1";
        let charge = aftercare::fetch_scalar!(tx, uuid::Uuid, HERS, cleo.id).unwrap().unwrap().to_string();
        drop(tx);
        let paid = [("charge", charge.as_str()), ("outcome", "paid")];
        assert_eq!(world.post(&agent, "/desk/charges", &paid).await.status, StatusCode::SEE_OTHER);
        for who in [&ann, &ben, &cleo] {
            assert_eq!(cancel(&world, who, id).await, EnrolmentState::CancelledLate);
        }
        assert_eq!((units(&world).await, due(&world).await), ((2, 0, 1), 2));
        plan::cancel(&school.now(&world).await, id, "No heating.".into()).await.unwrap();
        assert_eq!((units(&world).await, due(&world).await), ((3, 0, 0), 0));
        assert_eq!(world.count("select count(*) from refund").await, 1, "what Cleo had paid");
        let told = "select count(*) from message where letter = 'late_cancel_forgiven' and body like '%No heating.%'";
        assert_eq!(world.count(told).await, 3, "Dan still had his seat");
        assert_eq!(world.count("select count(*) from message where letter = 'class_cancelled'").await, 1);
        const ITEM: &str = "select i.purchase_id from benefit b join item i on i.id = b.item_id";
        let mut tx = world.db().read().await.unwrap();
        let purchase = aftercare::fetch_scalar!(tx, uuid::Uuid, ITEM).unwrap().unwrap();
        drop(tx);
        let page = world.get(&ann, &format!("/purchases/{}", purchase.simple())).await.body;
        assert!(page.contains("1 given back after use"), "{page}");
        sound(&world).await;
        // As it was left before the ledger knew how to: the migration gives it back, too.
        for left in [
            "delete from benefit_entry where kind = 'restore'",
            "update benefit_entry set settled_as = 'used' where settled_as = 'released'",
            "update benefit set used = 1, available = 2 where allowance = 'training_seat'",
            "delete from refund",
            "update charge set reversed_at = null",
            "update charge set state = 'due', settled_at = null where state = 'void' \
                and entity_id in (select id from enrolment where state = 'cancelled_late')",
        ] {
            world.corrupt(left).await;
        }
        assert_eq!(world.broken().await, ["cancelled_class_that_costs"; 3]);
        let migration = match world.engine {
            Engine::Sqlite => include_str!("../../migrations/sqlite/0033_restored.sql"),
            Engine::Postgres => include_str!("../../migrations/postgres/0033_restored.sql"),
        };
        for statement in migration.split(';').filter(|statement| !statement.trim().is_empty()) {
            world.corrupt(statement).await;
        }
        assert_eq!((units(&world).await, due(&world).await), ((3, 0, 0), 0));
        assert_eq!(world.count("select count(*) from refund r join charge c on c.id = r.charge_id where c.reversed_at is not null").await, 1);
        sound(&world).await;
        world.corrupt("update charge set state = 'due', settled_at = null where state = 'void' \
            and entity_id in (select id from enrolment where state = 'cancelled_late')").await;
        assert_eq!(world.broken().await, ["cancelled_class_that_costs"]);
        world.corrupt("update charge set state = 'void', settled_at = created_at where state = 'due'").await;
        world.corrupt("update benefit_entry set settled_as = 'used' where settled_as = 'released'").await;
        assert_eq!(world.broken().await, ["cancelled_class_that_costs"]);
    }
}

both! {
    async fn what_an_end_costs_against_the_rules_of_its_class_is_named(world: World) {
        let [ann, ben, cleo, dan] = people(&world, ["ann", "ben", "cleo", "dan"]).await;
        let school = School::of(&world, vec![sell_seats(&world, "ann@example.com").await]).await;
        let finds = async |clause: &str, wrong: &'static str, right: &'static str| {
            sound(&world).await;
            world.corrupt(wrong).await;
            assert_eq!(world.broken().await, [clause]);
            world.corrupt(right).await;
        };
        // Given back in time it is free, after the cut-off it is spent, as the class says.
        let late = school.open(school.draft("Late", 5, 100, 9000)).await;
        enrol(&world, &ann, late).await;
        cancel(&world, &ann, late).await;
        enrol(&world, &ann, late).await;
        world.advance(Duration::hours(60));
        assert_eq!(cancel(&world, &ann, late).await, EnrolmentState::CancelledLate);
        finds("late_cancel_against_the_rules", "update class set late_cancel = 'returned'", "update class set late_cancel = 'spent'").await;
        world.corrupt("update enrolment set state = 'cancelled' where state = 'cancelled_late'").await;
        assert!(world.broken().await.contains(&"free_cancel_that_costs".to_owned()));
        world.corrupt("update enrolment set state = 'cancelled_late' where id in (select entity_id from benefit_entry where kind = 'use')").await;
        // Somebody who pays and cancels late owes it, unless the class forgives.
        enrol(&world, &ben, late).await;
        assert_eq!(cancel(&world, &ben, late).await, EnrolmentState::CancelledLate);
        world.corrupt("update class set late_cancel = 'returned'").await;
        assert_eq!(world.broken().await.len(), 2, "whoever pays as well as whoever has a plan");
        world.corrupt("update class set late_cancel = 'spent'").await;
        // An offer is kept for a day at the longest.
        let full = school.open(school.draft("Full", 1, 200, 9000)).await;
        enrol(&world, &cleo, full).await;
        enrol(&world, &dan, full).await;
        cancel(&world, &cleo, full).await;
        assert_eq!(state(&world, &dan, full).await, Some(EnrolmentState::Offered));
        finds("offer_longer_than_the_rules", "update class set offer_minutes = 60", "update class set offer_minutes = 1440").await;
        seats::decline(&world.cx_of(&dan).await, full, Consent::default()).await.unwrap();
        // Nobody came.
        enrol(&world, &ann, full).await;
        missed_or_seen(&world, &school, full, "absent", 141).await;
        finds("no_show_against_the_rules", "update class set no_show = 'returned'", "update class set no_show = 'spent'").await;
        sound(&world).await;
        world.corrupt("update benefit_entry set settled_as = null where kind = 'reserve' and id = (select id from benefit_entry where kind = 'reserve' and settled_as = 'used' order by id desc limit 1)").await;
        assert!(world.broken().await.contains(&"seat_of_a_closed_class_unsettled".to_owned()));
    }
}
