//! What training owes to those who are easily forgotten: groups and guests, walk-ins, whoever asked for a class, whoever
//! waits until one is closed; and what of them others may read.

use crate::{
    both,
    groups::Firm,
    sold,
    training::{School, now},
    world::{Signed, World},
};
use aftercare::{
    access::Role,
    calendar::{
        domain::{LocalSpan, Span},
        hours::Opening,
    },
    fetch_one, fetch_scalar,
    training::{
        domain::{EnrolmentState, Mark, Wish},
        server::{
            asks, attend, change, check_in, conflicts, courses, groups, make_ups,
            plan::{self, Draft, Extras},
            seats::{self, Consent},
            staff_seats,
            store::{self, SessionRow, Wanted, parties},
        },
    },
    values::{ClassId, CourseId, EnrolmentId, ProductId},
};
use axum::http::StatusCode;
use chrono::Duration;

async fn enrol(world: &World, who: &Signed, class: ClassId) -> EnrolmentState {
    seats::enrol(&world.cx_of(who).await, class, Consent::default()).await.unwrap().state
}

async fn cancel(world: &World, who: &Signed, class: ClassId) {
    seats::cancel(&world.cx_of(who).await, class, Consent::default()).await.unwrap();
}

async fn place(world: &World, who: &Signed, class: ClassId) -> Option<store::EnrolmentRow> {
    store::active(&mut world.db().read().await.unwrap(), class, who.id).await.unwrap()
}

async fn seat(world: &World, who: &Signed, class: ClassId) -> EnrolmentId {
    place(world, who, class).await.unwrap().id
}

async fn state(world: &World, who: &Signed, class: ClassId) -> Option<EnrolmentState> {
    place(world, who, class).await.map(|row| row.state)
}

async fn sessions(world: &World, class: ClassId) -> Vec<SessionRow> {
    store::sessions(&mut world.db().read().await.unwrap(), class).await.unwrap()
}

async fn people<const N: usize>(world: &World, names: [&str; N]) -> [Signed; N] {
    let mut all = Vec::new();
    for name in names {
        all.push(world.customer(&format!("{name}@example.com")).await);
    }
    all.try_into().unwrap()
}

/// A class of somebody else's, open for enrolment.
async fn elsewhere(world: &World, trainer: &Signed, draft: Draft) -> ClassId {
    let cx = world.cx_of(trainer).await;
    let id = plan::create(&cx, Draft { trainer: trainer.id, ..draft }, None).await.unwrap();
    plan::publish(&cx, id).await.unwrap();
    id
}

/// Sessions of two hours that begin so many hours from now.
fn at(hours: &[i64]) -> Vec<Span> {
    let span = |from| Span { from, until: from + Duration::hours(2) };
    hours.iter().map(|hours| span(now() + Duration::hours(*hours))).collect()
}

/// The last letter of a kind to an address: its subject and its body.
async fn letter(world: &World, email: &str, kind: &str) -> Option<(String, String)> {
    const LETTER: &str =
        "select subject, body from message where email = $1 and letter = $2 order by created_at desc, id desc limit 1";
    aftercare::fetch_optional!(world.db().read().await.unwrap(), (String, String), LETTER, email, kind).unwrap()
}

async fn letters(world: &World, kind: &'static str) -> i64 {
    world.count(format!("select count(*) from message where letter = '{kind}'").leak()).await
}

async fn sound(world: &World) {
    assert_eq!(world.broken().await, Vec::<String>::new());
}

fn desk(id: ClassId) -> String {
    format!("/desk/classes/{id}")
}

both! {
    async fn of_a_cancelled_class_groups_are_asked_in_their_turn(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let school = &firm.school;
        let [ann, bob] = people(&world, ["ann", "bob"]).await;
        // A group that had its seats before anybody: it comes before somebody who enrolled later, and before the line.
        let id = school.open(school.draft("Off", 3, 24 * 9, 0)).await;
        let next = school.open(school.draft("Next", 2, 24 * 15, 0)).await;
        firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap();
        world.advance(Duration::minutes(5));
        assert_eq!(enrol(&world, &ann, id).await, EnrolmentState::Booked);
        assert_eq!(enrol(&world, &bob, id).await, EnrolmentState::Waitlisted);
        plan::cancel(&school.now(&world).await, id, "Ill.".into()).await.unwrap();
        assert_eq!(state(&world, &firm.people[0], next).await, Some(EnrolmentState::Offered));
        assert_eq!((state(&world, &ann, next).await, state(&world, &bob, next).await), (None, None));
        sound(&world).await;
        // A group that came later than she is asked after her, and before the line.
        let id = school.open(school.draft("Off too", 3, 24 * 10, 0)).await;
        assert_eq!(enrol(&world, &ann, id).await, EnrolmentState::Booked);
        world.advance(Duration::minutes(5));
        firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap();
        assert_eq!(enrol(&world, &bob, id).await, EnrolmentState::Waitlisted);
        let last = school.open(school.draft("Last", 3, 24 * 16, 0)).await;
        plan::cancel(&school.now(&world).await, id, "Ill.".into()).await.unwrap();
        for who in [&ann, &firm.people[0], &firm.people[1]] {
            assert_eq!(state(&world, who, last).await, Some(EnrolmentState::Offered));
        }
        assert_eq!(state(&world, &bob, last).await, None);
        sound(&world).await;
    }
}

both! {
    async fn in_line_a_group_of_a_cancelled_class_keeps_its_place(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let school = &firm.school;
        let [ann, bob] = people(&world, ["ann", "bob"]).await;
        let id = school.open(school.draft("Off", 2, 24 * 9, 0)).await;
        for who in [&ann, &bob] {
            enrol(&world, who, id).await;
        }
        firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap();
        let [cleo] = people(&world, ["cleo"]).await;
        assert_eq!(enrol(&world, &cleo, id).await, EnrolmentState::Waitlisted);
        let next = school.open(school.draft("Next", 4, 24 * 15, 0)).await;
        plan::cancel(&school.now(&world).await, id, "Ill.".into()).await.unwrap();
        for who in [&ann, &bob, &firm.people[0], &firm.people[1]] {
            assert_eq!(state(&world, who, next).await, Some(EnrolmentState::Offered));
        }
        assert_eq!(state(&world, &cleo, next).await, None, "behind the group");
        sound(&world).await;
    }
}

both! {
    async fn a_code_opens_the_session_of_the_day_that_its_reader_holds(world: World) {
        let school = School::of(&world, vec![]).await;
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let home = school.open(school.draft("Morning", 5, 24, 0)).await;
        let host = elsewhere(&world, &second, school.draft("Evening", 5, 31, 0)).await;
        let [ann] = people(&world, ["ann"]).await;
        enrol(&world, &ann, home).await;
        let seat = seat(&world, &ann, home).await;
        world.advance(Duration::hours(25));
        let (missed, equal) = (sessions(&world, home).await[0].id, sessions(&world, host).await[0].id);
        attend::mark(&school.now(&world).await, home, missed, seat, None, Some(Mark::Absent)).await.unwrap();
        make_ups::book(&world.cx_of(&ann).await, home, missed, equal, None).await.unwrap();
        // In the evening of the same day the other trainer checks her in.
        world.advance(Duration::hours(6));
        let path = check_in::path(&world.app, seat);
        let page = world.get(&second, &path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert!(page.body.contains("Evening") && page.body.contains("id=\"check-in\""), "{}", page.body);
        let done = world.post(&second, &path, &[("was", "none")]).await;
        assert!(done.location().contains("#g-"), "{}", done.body);
        // Who holds the morning sees that, and what is marked there.
        let own = world.get(&school.trainer, &path).await.body;
        assert!(own.contains("Morning") && own.contains("Absent") && !own.contains("Evening"), "{own}");
        // Who may see both comes to the one that is on.
        let manager = world.staff(Role::Manager).await;
        assert!(world.get(&manager, &path).await.body.contains("Evening"));
        let third = world.staff_named(Role::Trainer, "third@staff.example").await;
        assert_eq!(world.get(&third, &path).await.status, StatusCode::FORBIDDEN);
        sound(&world).await;
    }
}

async fn ask(world: &World, who: &Signed, course: CourseId, place: &str) {
    let wanted = Wanted { language: String::new(), place: place.to_owned(), times: "2-morning".parse().unwrap() };
    asks::ask(&world.cx_of(who).await, course, wanted, None).await.unwrap();
}

both! {
    async fn whoever_staff_seat_asks_no_more(world: World) {
        const OPEN: &str = "select count(*) from class_wish where state = 'open'";
        let firm = Firm::of(&world, 2, 0).await;
        let school = &firm.school;
        let [ann, bob, cleo] = people(&world, ["ann", "bob", "cleo"]).await;
        let id = school.open(school.draft("Full", 1, 100, 0)).await;
        let other = school.open(school.draft("Roomy", 5, 130, 0)).await;
        // In the door.
        ask(&world, &ann, school.course, "").await;
        assert_eq!(world.count(OPEN).await, 1);
        let door = [("act", "walk_in"), ("email", "ann@example.com")];
        assert_eq!(world.post(&school.trainer, &desk(id), &door).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count(OPEN).await, 0);
        // From the line: somebody alone, and somebody for whom a firm waits.
        enrol(&world, &bob, id).await;
        firm.enrol(&world, id, firm.group(&[0], 0, Wish::Together)).await.unwrap();
        for who in [&bob, &firm.people[0]] {
            ask(&world, who, school.course, "").await;
            let text = seat(&world, who, id).await.to_string();
            let form = [("act", "promote"), ("enrolment", text.as_str()), ("one_more", "yes"), ("why", "Needed at work.")];
            assert_eq!(world.post(&school.trainer, &desk(id), &form).await.status, StatusCode::SEE_OTHER);
            assert_eq!(world.count(OPEN).await, 0);
        }
        // To a class that suits better.
        enrol(&world, &cleo, other).await;
        ask(&world, &cleo, school.course, "").await;
        let third = school.open(school.draft("Later", 5, 160, 0)).await;
        let from = seat(&world, &cleo, other).await;
        staff_seats::carry(&school.now(&world).await, other, from, third, "It suits better.".into()).await.unwrap();
        assert_eq!(world.count(OPEN).await, 0);
        sound(&world).await;
    }
}

both! {
    async fn whoever_comes_in_late_needs_only_the_time_that_is_left(world: World) {
        let school = School::of(&world, vec![]).await;
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let id = school.open(Draft { sessions: at(&[30, 54]), ..school.draft("Two days", 5, 30, 0) }).await;
        let other = elsewhere(&world, &second, school.draft("Elsewhere", 5, 30, 0)).await;
        let [ann] = people(&world, ["ann"]).await;
        enrol(&world, &ann, other).await;
        world.advance(Duration::hours(49));
        world.drain().await;
        let door = [("act", "walk_in"), ("email", "ann@example.com")];
        let reply = world.post(&school.trainer, &desk(id), &door).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        const TIME: &str = "select count(*) from busy where entity = 'enrolment' and entity_id = $1";
        let seat = seat(&world, &ann, id).await;
        let time = fetch_scalar!(world.db().read().await.unwrap(), i64, TIME, seat).unwrap().unwrap();
        assert_eq!(time, 1, "the session that is over takes nobody's time");
        sound(&world).await;
    }
}

/// Sells a printer with three class seats; gives the product.
async fn sell(world: &World, email: &str) -> ProductId {
    sold::sell(world, &[&sold::printer("P-1", email, "ES", "S1")]).await;
    fetch_one!(world.db().read().await.unwrap(), (ProductId,), "select id from product").unwrap().0
}

both! {
    async fn what_pays_for_whoever_comes_in_late_holds_on_that_day(world: World) {
        let [ann] = people(&world, ["ann"]).await;
        let school = School::of(&world, vec![sell(&world, "ann@example.com").await]).await;
        let id = school.open(Draft { sessions: at(&[30, 78]), ..school.draft("Two days", 5, 30, 5000) }).await;
        // From the second of December to the fourth. She has bought the plan after the first day.
        world.corrupt("update benefit set starts_on = '2026-12-03'").await;
        world.advance(Duration::hours(73));
        let mut door = vec![("act", "walk_in"), ("email", "ann@example.com")];
        let reply = world.post(&school.trainer, &desk(id), &door).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!((place(&world, &ann, id).await.unwrap().price_minor, world.count("select count(*) from charge").await), (0, 0));
        // It has ended since: the price is said, and charged.
        let later = school.open(Draft { sessions: at(&[100, 148]), ..school.draft("Two days more", 5, 100, 5000) }).await;
        world.corrupt("update benefit set ends_on = '2026-12-06'").await;
        world.advance(Duration::hours(70));
        let silent = world.post(&school.trainer, &desk(later), &door).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(silent.body.contains("agreed"), "{}", silent.body);
        door.push(("agreed", "5000"));
        let reply = world.post(&school.trainer, &desk(later), &door).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!(place(&world, &ann, later).await.unwrap().price_minor, 5000);
    }
}

both! {
    async fn whoever_passes_is_told_when_the_class_is_closed(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Taught", 5, 30, 0)).await;
        let [ann, bob] = people(&world, ["ann", "bob"]).await;
        for who in [&ann, &bob] {
            enrol(&world, who, id).await;
        }
        world.advance(Duration::hours(33));
        let (cx, session) = (school.now(&world).await, sessions(&world, id).await[0].id);
        attend::mark(&cx, id, session, seat(&world, &bob, id).await, None, Some(Mark::Absent)).await.unwrap();
        attend::mark_rest(&cx, id, session).await.unwrap();
        plan::close(&cx, id).await.unwrap();
        let (subject, body) = letter(&world, "ann@example.com", "certified").await.unwrap();
        assert!(subject.contains("Taught") && body.contains("You have passed"), "{subject} {body}");
        assert_eq!(letters(&world, "certified").await, 1, "whoever stayed away has passed nothing");
        sound(&world).await;
    }
}

both! {
    async fn a_class_that_nobody_closes_is_asked_for_and_stands_on_the_list(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        let id = school.open(school.draft("Forgotten", 5, 30, 0)).await;
        let empty = school.open(school.draft("Nobody came", 5, 34, 0)).await;
        let [ann] = people(&world, ["ann"]).await;
        enrol(&world, &ann, id).await;
        let list = async || world.get(&manager, "/desk/neglected").await.body;
        world.advance(Duration::hours(32 + 23));
        world.drain().await;
        assert!(list().await.contains("Nobody is neglected"));
        assert_eq!(letters(&world, "crew_not_closed").await, 0);
        world.advance(Duration::hours(24));
        world.drain().await;
        let (subject, body) = letter(&world, "trainer@staff.example", "crew_not_closed").await.unwrap();
        assert!(subject.contains("Nobody came") || subject.contains("Forgotten"), "{subject}");
        assert!(body.contains("nobody gets a certificate"), "{body}");
        let page = list().await;
        assert!(page.contains("Forgotten") && page.contains(&desk(id)) && page.contains("Late since"), "{page}");
        assert!(!page.contains("Nobody came"), "nobody waits for it");
        let text = id.to_string();
        let take = [("do", "take"), ("entity", "class"), ("id", text.as_str())];
        assert_eq!(world.post(&manager, "/desk/neglected", &take).await.status, StatusCode::SEE_OTHER);
        assert!(list().await.contains("Nobody is neglected"));
        assert!(world.get(&manager, "/desk").await.body.contains("See that the class is closed"));
        // The trainer closes it, and nothing is left to be done; neither is anybody told again.
        let (cx, session) = (school.now(&world).await, sessions(&world, id).await[0].id);
        attend::mark_rest(&cx, id, session).await.unwrap();
        plan::close(&cx, id).await.unwrap();
        assert_eq!(world.count("select count(*) from follow_up where done_at is null").await, 0);
        plan::close(&cx, empty).await.unwrap();
        world.advance(Duration::days(3));
        world.drain().await;
        assert_eq!(letters(&world, "crew_not_closed").await, 2, "once for each class");
        assert!(list().await.contains("Nobody is neglected"));
        sound(&world).await;
    }
}

both! {
    async fn a_class_that_goes_on_longer_is_asked_for_after_its_new_end(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(Draft { sessions: at(&[30, 54]), ..school.draft("Longer", 5, 30, 0) }).await;
        world.advance(Duration::hours(31));
        world.drain().await;
        let row = store::class(&mut world.db().read().await.unwrap(), id).await.unwrap();
        let edit = change::Edit {
            version: row.version,
            title: row.title.clone(),
            room: row.room_id,
            link: row.link.clone(),
            capacity: row.capacity,
            price: row.price(),
            cut_off_hours: row.cut_off_hours,
        };
        let wanted = sessions(&world, id).await.iter().zip(at(&[30, 96])).map(|(row, span)| (Some(row.id), span)).collect();
        let rest = change::Rest { sessions: Some(wanted), ..change::Rest::default() };
        change::edit(&school.now(&world).await, id, edit, rest).await.unwrap();
        world.advance(Duration::hours(56));
        world.drain().await;
        assert_eq!(letters(&world, "crew_not_closed").await, 0, "it is not over");
        world.advance(Duration::hours(48));
        world.drain().await;
        assert_eq!(letters(&world, "crew_not_closed").await, 1);
        assert!(letter(&world, "trainer@staff.example", "crew_not_closed").await.unwrap().0.contains("Longer"));
    }
}

both! {
    async fn an_owner_reads_of_appointments_that_are_the_firms_and_of_no_others(world: World) {
        let firm = Firm::of(&world, 3, 0).await;
        let school = &firm.school;
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let third = world.staff_named(Role::Trainer, "third@staff.example").await;
        let id = school.open(school.draft("Wanted", 10, 24 * 9, 0)).await;
        let private = elsewhere(&world, &second, school.draft("A private matter", 10, 24 * 9, 0)).await;
        let ours = elsewhere(&world, &third, school.draft("Of the firm", 10, 24 * 9, 0)).await;
        enrol(&world, &firm.people[0], private).await;
        firm.enrol(&world, ours, firm.group(&[1], 0, Wish::Together)).await.unwrap();
        let ids: Vec<String> = firm.people.iter().map(|who| who.id.to_string()).collect();
        let path = format!("/training/{id}/group");
        let form = [("act", "enrol"), ("agreed", "0"), ("person", &*ids[0]), ("person", &*ids[1])];
        let reply = world.post(&firm.owner, &path, &form).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("employee1: is in “Of the firm”"), "{}", reply.body);
        assert!(reply.body.contains("employee0: has another appointment"), "{}", reply.body);
        assert!(!reply.body.contains("A private matter"), "{}", reply.body);
        // The same where somebody is swapped for them.
        firm.enrol(&world, id, firm.group(&[2], 0, Wish::Together)).await.unwrap();
        let from = seat(&world, &firm.people[2], id).await.to_string();
        let swap = world.post(&firm.owner, &path, &[("act", "swap"), ("seat", &from), ("person", &ids[0])]).await;
        assert_eq!(swap.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", swap.body);
        assert!(!swap.body.contains("A private matter"), "{}", swap.body);
        sound(&world).await;
    }
}

both! {
    async fn a_trainer_reads_in_which_class_of_their_own_somebody_is_and_of_no_other(world: World) {
        let school = School::of(&world, vec![]).await;
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let manager = world.staff(Role::Manager).await;
        let private = elsewhere(&world, &second, school.draft("A private matter", 10, 24 * 9, 0)).await;
        let id = school.open(school.draft("Wanted", 10, 24 * 9, 0)).await;
        let [ann] = people(&world, ["ann"]).await;
        enrol(&world, &ann, private).await;
        let door = [("act", "walk_in"), ("email", "ann@example.com")];
        let reply = world.post(&school.trainer, &desk(id), &door).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("ann: Is in “another appointment”"), "{}", reply.body);
        assert!(!reply.body.contains("A private matter"), "{}", reply.body);
        // Whoever runs all classes reads it.
        let reply = world.post(&manager, &desk(id), &door).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("ann: Is in “A private matter”"), "{}", reply.body);
    }
}

/// A form of a course as it is stored, with other article numbers.
fn course_form<'a>(version: &'a str, products: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("version", version),
        ("title", "Printers"),
        ("summary", "All about it."),
        ("language", "en"),
        ("level", "basic"),
        ("pass_percent", "80"),
        ("valid_months", ""),
        ("needs_rule", "warn"),
        ("products", products),
        ("unit_1", "Toner"),
        ("minutes_1", "45"),
        ("about_1", "Where it goes."),
    ]
}

both! {
    async fn the_products_of_a_course_are_changed_and_compared_like_the_rest_of_it(world: World) {
        let product = sell(&world, "ann@example.com").await;
        let ann = world.signed("ann@example.com").await;
        let school = School::of(&world, vec![]).await;
        let path = format!("/desk/courses/{}", school.course);
        let id = school.open(school.draft("Printers I", 5, 24 * 9, 0)).await;
        let mine = async || world.get(&ann, "/training?owned=on").await.body.contains(&id.to_string());
        assert!(!mine().await);
        let level = fetch_one!(world.db().read().await.unwrap(), (String,), "select level from course").unwrap().0;
        let version = async || store::course_detail(&mut world.db().read().await.unwrap(), school.course).await.unwrap();
        let first = version().await.version.to_string();
        let with_level = |version: &str, products: &str| -> Vec<(String, String)> {
            let own = |(name, value): (&str, &str)| match name {
                "level" => (name.to_owned(), level.clone()),
                _ => (name.to_owned(), value.to_owned()),
            };
            course_form(version, products).into_iter().map(own).collect()
        };
        let post = async |form: Vec<(String, String)>| {
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            world.post(&school.trainer, &path, &form).await
        };
        // What is no article number is said at its field, and stays.
        let wrong = post(with_level(&first, "P1, NONE-SUCH")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.body.contains("P1, NONE-SUCH") && wrong.body.contains("id=\"products-fault\""), "{}", wrong.body);
        assert_eq!(world.count("select count(*) from course_product").await, 0);
        let saved = post(with_level(&first, "P1")).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
        let products = store::course_products(&mut world.db().read().await.unwrap(), school.course).await.unwrap();
        assert_eq!(products, [product]);
        assert!(mine().await, "the catalogue narrows by what she owns");
        assert!(world.get(&school.trainer, &path).await.body.contains("value=\"P1\""));
        // Who had the older course before their eyes is shown all that differs before it is overwritten.
        let older = post(vec![
            ("version".into(), first.clone()), ("title".into(), "Printers".into()), ("summary".into(), "All about it.".into()),
            ("language".into(), "en".into()), ("level".into(), level.clone()), ("pass_percent".into(), "80".into()),
            ("needs_rule".into(), "warn".into()), ("products".into(), String::new()), ("unit_1".into(), "Paper".into()),
        ])
        .await;
        assert_eq!(older.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(older.body.contains("Toner (45): Where it goes.") && older.body.contains("Paper (0)"), "{}", older.body);
        assert!(older.body.contains("P1"), "{}", older.body);
        // A form without the field leaves them; an empty one takes them out.
        let second = version().await.version.to_string();
        let mut form = with_level(&second, "");
        form.retain(|(name, _)| name != "products");
        assert_eq!(post(form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from course_product").await, 1);
        let third = version().await.version.to_string();
        assert_eq!(post(with_level(&third, "")).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from course_product").await, 0);
    }
}

both! {
    async fn what_somebody_else_changed_of_what_a_course_needs_is_shown(world: World) {
        let school = School::of(&world, vec![]).await;
        let before = School::course(&world, "Basics", vec![]).await;
        let cx = school.now(&world).await;
        let stored = store::course_detail(&mut world.db().read().await.unwrap(), school.course).await.unwrap();
        let edit = courses::Edit { course: stored, units: Vec::new(), needs: vec![before] };
        courses::edit(&cx, edit.clone()).await.unwrap();
        let error = courses::edit(&cx, courses::Edit { needs: Vec::new(), ..edit }).await.unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains("\"needs\"") && text.contains("Basics") && !text.contains("\"units\""), "{text}");
    }
}

both! {
    async fn an_offer_that_is_named_or_swapped_keeps_its_freeze_and_says_that_it_is_one(world: World) {
        let firm = Firm::of(&world, 4, 0).await;
        let school = &firm.school;
        let id = school.open(school.draft("Offer", 3, 24 * 20, 0)).await;
        let [ann, bob, cleo] = people(&world, ["ann", "bob", "cleo"]).await;
        for who in [&ann, &bob, &cleo] {
            enrol(&world, who, id).await;
        }
        let party = firm.enrol(&world, id, firm.group(&[0], 1, Wish::Together)).await.unwrap().party;
        for who in [&ann, &bob] {
            cancel(&world, who, id).await;
        }
        const KEPT: &str = "select count(*) from (select offered_until, offer_freezes_at from enrolment where state = 'offered' \
            union all select offered_until, offer_freezes_at from unnamed_seat where state = 'offered') x \
            where x.offer_freezes_at >= x.offered_until";
        assert_eq!(world.count(KEPT).await, 2, "with a name or without");
        world.corrupt("update unnamed_seat set offer_freezes_at = created_at").await;
        assert_eq!(world.broken().await, ["offer_after_the_freeze"]);
        world.corrupt("update unnamed_seat set offer_freezes_at = offered_until").await;
        let owner = world.cx_of(&firm.owner).await;
        groups::swap(&owner, seat(&world, &firm.people[0], id).await, firm.people[1].id).await.unwrap();
        let places = parties::places(&mut world.db().read().await.unwrap(), party).await.unwrap();
        let unnamed = places.iter().find(|place| place.person_id.is_none()).unwrap().id;
        groups::name(&owner, unnamed, firm.people[2].id).await.unwrap();
        assert_eq!(world.count(KEPT).await, 2);
        // Nobody reads that they wait who only waits for an answer.
        for email in ["employee1@firm.example", "employee2@firm.example"] {
            let (subject, body) = letter(&world, email, "held_by_firm").await.unwrap();
            assert!(subject.contains("A seat is held for you") && body.contains("Acme Works decides"), "{subject} {body}");
            assert!(letter(&world, email, "waitlisted_by_firm").await.is_none());
        }
        sound(&world).await;
    }
}

both! {
    async fn what_a_charge_should_be_by_the_rules_of_its_class_is_verified(world: World) {
        let school = School::of(&world, vec![]).await;
        let [ann, bob] = people(&world, ["ann", "bob"]).await;
        let id = school.open(school.draft("Paid", 5, 100, 9000)).await;
        for who in [&ann, &bob] {
            enrol(&world, who, id).await;
        }
        world.advance(Duration::hours(60));
        cancel(&world, &ann, id).await;
        world.advance(Duration::hours(43));
        let (cx, session) = (school.now(&world).await, sessions(&world, id).await[0].id);
        attend::mark(&cx, id, session, seat(&world, &bob, id).await, None, Some(Mark::Absent)).await.unwrap();
        plan::close(&cx, id).await.unwrap();
        sound(&world).await;
        // Both owe it, as the class says: what nobody charges any more, or charges against the rules, is named.
        world.corrupt("update charge set state = 'void', settled_at = created_at where state = 'due'").await;
        assert_eq!(world.broken().await, ["late_cancel_against_the_rules", "no_show_against_the_rules"]);
        world.corrupt("update charge set settled_by = person_id").await;
        let broken = world.broken().await;
        assert!(!broken.iter().any(|name| name.ends_with("against_the_rules")), "staff may do without it: {broken:?}");
        world.corrupt("update charge set state = 'due', settled_at = null, settled_by = null").await;
        sound(&world).await;
        world.corrupt("update class set no_show = 'returned'").await;
        assert_eq!(world.broken().await, ["no_show_against_the_rules"]);
    }
}

both! {
    async fn a_certificate_says_what_was_made_up_since_and_what_was_asked_then(world: World) {
        let school = School::of(&world, vec![]).await;
        world.corrupt("update course set pass_percent = 50").await;
        let home = school.open(Draft { sessions: at(&[30, 54]), ..school.draft("Home", 5, 30, 0) }).await;
        let host = school.open(Draft { sessions: at(&[250, 274]), ..school.draft("Host", 5, 250, 0) }).await;
        let [ann] = people(&world, ["ann"]).await;
        enrol(&world, &ann, home).await;
        let seat = seat(&world, &ann, home).await;
        world.advance(Duration::hours(57));
        let (cx, all) = (school.now(&world).await, sessions(&world, home).await);
        attend::mark(&cx, home, all[0].id, seat, None, Some(Mark::Present)).await.unwrap();
        attend::mark(&cx, home, all[1].id, seat, None, Some(Mark::Absent)).await.unwrap();
        plan::close(&cx, home).await.unwrap();
        let percent = async || world.count("select percent from certificate").await;
        assert_eq!(percent().await, 50);
        let equal = sessions(&world, host).await[1].id;
        let make_up = make_ups::book(&world.cx_of(&ann).await, home, all[1].id, equal, None).await.unwrap();
        world.advance(Duration::hours(218));
        let cx = school.now(&world).await;
        make_ups::mark(&cx, make_up, None, Some(Mark::Present)).await.unwrap();
        assert_eq!(percent().await, 100);
        let code = fetch_one!(world.db().read().await.unwrap(), (String,), "select code from certificate").unwrap().0;
        let page = world.get(None, &format!("/certificates/{code}")).await.body;
        assert!(page.contains("100"), "{page}");
        assert_eq!(letters(&world, "certified").await, 1, "it is the same certificate");
        // A mistake is taken back, and what it says with it.
        make_ups::mark(&cx, make_up, None, None).await.unwrap();
        assert_eq!(percent().await, 50);
        // The course asks for more by now: the badge says what was asked of her.
        world.corrupt("update course set pass_percent = 90").await;
        let badge = world.get(None, &format!("/certificates/{code}/badge")).await.body;
        let payload = badge.split('.').nth(1).unwrap();
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let payload: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        let narrative = payload["credentialSubject"]["achievement"]["criteria"]["narrative"].as_str().unwrap().to_owned();
        assert!(narrative.contains("50") && !narrative.contains("90"), "{narrative}");
        sound(&world).await;
    }
}

both! {
    async fn whoever_takes_another_seat_has_another_ticket(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Again", 5, 24 * 9, 0)).await;
        let [ann] = people(&world, ["ann"]).await;
        let picture = async || {
            let page = world.get(&ann, &format!("/training/{id}")).await.body;
            let path = format!("/training/{id}/ticket.svg");
            let rest = page.split(&path).nth(1).unwrap().split('"').next().unwrap();
            format!("{path}{rest}")
        };
        enrol(&world, &ann, id).await;
        let first = picture().await;
        assert_eq!(world.get(&ann, &first).await.status, StatusCode::OK);
        cancel(&world, &ann, id).await;
        enrol(&world, &ann, id).await;
        assert_ne!(picture().await, first, "what a browser has kept is not shown for it");
        assert_eq!(world.get(&ann, &picture().await).await.status, StatusCode::OK);
    }
}

both! {
    async fn an_owner_hears_who_took_a_seat_without_the_group(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let id = firm.school.open(firm.school.draft("Frozen", 2, 24 * 9, 0)).await;
        let [ann, bob] = people(&world, ["ann", "bob"]).await;
        for who in [&ann, &bob] {
            enrol(&world, who, id).await;
        }
        firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap();
        world.advance(Duration::hours(24 * 9) - Duration::minutes(30));
        world.drain().await;
        cancel(&world, &ann, id).await;
        assert_eq!(enrol(&world, &firm.people[0], id).await, EnrolmentState::Booked);
        let row = place(&world, &firm.people[0], id).await.unwrap();
        assert_eq!((row.party_id, row.organisation_id), (None, None), "the seat is not the firm's");
        let (subject, body) = letter(&world, "owner@firm.example", "group_went_alone").await.unwrap();
        assert!(subject.contains("employee0") && body.contains("theirs to pay"), "{subject} {body}");
        assert_eq!(state(&world, &firm.people[1], id).await, Some(EnrolmentState::Waitlisted));
        sound(&world).await;
    }
}

both! {
    async fn the_hours_of_a_trainer_are_those_of_the_company(world: World) {
        let cx = world.operator();
        let hours = [Opening { weekday: 2, opens: 9 * 60, closes: 17 * 60 }];
        let span = |day: &str, from: &str, until: &str| LocalSpan {
            from: format!("{day}T{from}").parse().unwrap(),
            until: format!("{day}T{until}").parse().unwrap(),
        };
        let fits = |zone: chrono_tz::Tz, local| conflicts::fits_hours(&cx, zone, &local, &hours, &[]);
        assert_eq!(cx.company_zone(), chrono_tz::Europe::Madrid);
        assert!(fits(chrono_tz::Europe::Madrid, span("2026-12-08", "09:00:00", "17:00:00")));
        // Nine to five in New York is three to eleven in the evening at home.
        let there = chrono_tz::America::New_York;
        assert!(!fits(there, span("2026-12-08", "10:00:00", "12:00:00")));
        assert!(fits(there, span("2026-12-08", "03:00:00", "11:00:00")));
        // In Auckland the working day of a Tuesday lasts into Wednesday.
        let far = chrono_tz::Pacific::Auckland;
        assert!(fits(far, span("2026-12-08", "22:00:00", "23:30:00")));
        let late = LocalSpan { until: "2026-12-09T01:00:00".parse().unwrap(), ..span("2026-12-08", "23:00:00", "23:30:00") };
        assert!(fits(far, late));
    }
}

both! {
    async fn a_class_in_a_room_with_a_link_suits_whoever_asked_for_on_line(world: World) {
        let school = School::of(&world, vec![]).await;
        let [ann] = people(&world, ["ann"]).await;
        ask(&world, &ann, school.course, "online").await;
        // Tuesday the 15th, at eight in Madrid.
        let sessions = vec![Span { from: "2026-12-15T07:00:00Z".parse().unwrap(), until: "2026-12-15T09:00:00Z".parse().unwrap() }];
        let draft = Draft { sessions, room: Some(school.room), ..school.draft("Both ways", 5, 1, 0) };
        let id = asks::open_for(&school.cx, draft, Extras::default(), None).await.unwrap();
        assert_eq!(state(&world, &ann, id).await, Some(EnrolmentState::Offered));
        sound(&world).await;
    }
}

both! {
    async fn a_firms_machines_are_seen_by_whoever_teaches_its_people(world: World) {
        let firm = Firm::of(&world, 1, 1).await;
        let id = firm.school.open(firm.school.draft("Printers I", 5, 24 * 9, 0)).await;
        firm.enrol(&world, id, firm.group(&[0], 0, Wish::Together)).await.unwrap();
        let roster = world.get(&firm.school.trainer, &desk(id)).await.body;
        assert!(roster.contains("Printer (Acme Works)"), "{roster}");
    }
}
