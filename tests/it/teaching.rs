//! The trainer before, in and after the room, and the invitations that calendars keep: on both databases.

use crate::{
    both, sold,
    training::{School, now},
    world::{Signed, World},
};
use aftercare::{
    access::Role,
    calendar::domain::Span,
    fetch_all, fetch_one, fetch_scalar,
    training::{
        domain::{EnrolmentState, Mark},
        server::{
            attend, change, check_in,
            plan::{self, Extras},
            seats::{self, Consent},
            store,
        },
    },
    values::{ClassId, ClassSessionId, EnrolmentId, Money, ProductId},
};
use axum::http::StatusCode;
use chrono::Duration;
use icalendar::{Calendar, Component, EventStatus, parser};

async fn enrol(world: &World, who: &Signed, class: ClassId) -> EnrolmentId {
    seats::enrol(&world.cx_of(who).await, class, Consent::default()).await.unwrap().enrolment
}

async fn learners(world: &World, class: ClassId, many: usize) -> Vec<(Signed, EnrolmentId)> {
    let mut all = Vec::new();
    for n in 0..many {
        let who = world.customer(&format!("learner{n:02}@example.com")).await;
        let seat = enrol(world, &who, class).await;
        all.push((who, seat));
    }
    all
}

fn desk(class: ClassId) -> String {
    format!("/desk/classes/{class}")
}

async fn class(world: &World, id: ClassId) -> store::ClassRow {
    store::class(&mut world.db().read().await.unwrap(), id).await.unwrap()
}

async fn first_session(world: &World, id: ClassId) -> ClassSessionId {
    store::sessions(&mut world.db().read().await.unwrap(), id).await.unwrap()[0].id
}

async fn seat(world: &World, who: &Signed, class: ClassId) -> Option<store::EnrolmentRow> {
    store::active(&mut world.db().read().await.unwrap(), class, who.id).await.unwrap()
}

/// What calendars were told, in the order of the threads: thread, number, method, sequence, body.
type Told = (String, i64, String, i64, String);

async fn told(world: &World) -> Vec<Told> {
    const TOLD: &str = "select thread, number, method, sequence, body from message_calendar order by thread, number";
    fetch_all!(world.db().read().await.unwrap(), Told, TOLD).unwrap()
}

fn read(text: &str) -> Calendar {
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')), "{text}");
    parser::read_calendar(&parser::unfold(text)).expect("a calendar").into()
}

async fn unsent(world: &World) -> i64 {
    world
        .count("select count(*) from message m join message_calendar c on c.message_id = m.id where m.sent_at is null")
        .await
}

async fn nothing_broken(world: &World) {
    assert_eq!(world.broken().await, Vec::<String>::new());
}

both! {
    async fn a_seat_puts_every_session_into_the_calendar_and_giving_it_back_takes_them_out(world: World) {
        let school = School::of(&world, vec![]).await;
        let mut draft = school.draft("Printers; for all, really", 5, 24 * 20, 0);
        let from = now() + Duration::days(22);
        draft.sessions.push(Span { from, until: from + Duration::hours(2) });
        let id = school.open(draft).await;
        let ann = world.customer("ann@example.com").await;
        let enrolment = enrol(&world, &ann, id).await;
        let rows = told(&world).await;
        assert_eq!(rows.len(), 2, "one appointment for each session");
        for (thread, number, method, sequence, body) in &rows {
            assert_eq!((*number, method.as_str(), *sequence), (1, "request", 0));
            assert!(thread.starts_with(&enrolment.to_string()));
            let calendar = read(body);
            let event = calendar.events().next().unwrap();
            assert_eq!((calendar.events().count(), event.get_uid().unwrap()), (1, thread.as_str()));
            assert_eq!(event.get_summary(), Some("Printers; for all, really"));
            assert_eq!(event.get_status(), Some(EventStatus::Confirmed));
            let flat = body.replace("\r\n ", "");
            for line in ["METHOD:REQUEST\r\n", "BEGIN:VTIMEZONE\r\nTZID:Europe/Madrid", "ORGANIZER;CN=\"Test Works\"", "mailto:ann@example.com\r\n", "DTSTAMP:20261201T090000Z\r\n"] {
                let plain = line.replace('"', "");
                assert!(flat.contains(line) || flat.contains(&plain), "{line} in {flat}");
            }
        }
        assert_eq!(world.count("select count(*) from message where letter = 'class_session'").await, 1);
        // The inbox tells it once.
        let inbox = world.get(&ann, "/inbox").await.body;
        assert_eq!(inbox.matches("Printers; for all, really").count(), 1, "{inbox}");
        seats::cancel(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        let rows = told(&world).await;
        assert_eq!(rows.len(), 4);
        for pair in rows.chunks(2) {
            let (first, last) = (&pair[0], &pair[1]);
            assert_eq!((&first.0, last.2.as_str(), last.1), (&last.0, "cancel", 2));
            assert!(last.3 > first.3);
            let calendar = read(&last.4);
            assert_eq!(calendar.events().next().unwrap().get_status(), Some(EventStatus::Cancelled));
            assert!(last.4.contains("METHOD:CANCEL"));
        }
        // Back again is another seat, and another appointment.
        let again = enrol(&world, &ann, id).await;
        assert!(told(&world).await.iter().any(|row| row.0.starts_with(&again.to_string()) && row.2 == "request"));
        world.drain().await;
        assert_eq!(unsent(&world).await, 0);
        nothing_broken(&world).await;
    }
}

both! {
    async fn another_place_is_told_to_calendars_and_another_price_is_not(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Moving", 5, 24 * 20, 0)).await;
        let ann = world.customer("ann@example.com").await;
        enrol(&world, &ann, id).await;
        let edit = async |link: &str, capacity: &str| {
            let version = class(&world, id).await.version.to_string();
            let fields = [("version", version.as_str()), ("title", "Moving"), ("room", ""), ("link", link), ("capacity", capacity),
                ("price", "0"), ("cut_off_hours", "48")];
            let reply = world.post(&school.trainer, &format!("{}/edit", desk(id)), &fields).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        };
        edit("https://meet.example.com/x", "6").await;
        assert_eq!(told(&world).await.len(), 1);
        edit("https://meet.example.com/elsewhere", "6").await;
        let rows = told(&world).await;
        assert_eq!((rows.len(), rows[1].2.as_str(), rows[1].3), (2, "request", 1));
        assert!(rows[1].4.replace("\r\n ", "").contains("LOCATION:https://meet.example.com/elsewhere"), "{}", rows[1].4);
        assert_eq!(world.letter("ann@example.com").await.unwrap().0, "New time or place: Moving");
        // The class does not take place: higher again.
        plan::cancel(&school.cx, id, "Ill.".into()).await.unwrap();
        let rows = told(&world).await;
        assert_eq!((rows[2].2.as_str(), rows[2].3), ("cancel", 2));
        nothing_broken(&world).await;
    }
}

both! {
    async fn the_end_of_an_appointment_never_overtakes_its_beginning(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Night", 5, 24 * 20, 0)).await;
        let ann = world.customer("ann@example.com").await;
        enrol(&world, &ann, id).await;
        world.drain().await;
        assert_eq!(unsent(&world).await, 0);
        // At night a change waits for the morning; the answer to her own act would come at once.
        world.advance(Duration::hours(14));
        let version = class(&world, id).await.version.to_string();
        let fields = [("version", version.as_str()), ("title", "Night"), ("room", ""), ("link", "https://meet.example.com/y"),
            ("capacity", "5"), ("price", "0"), ("cut_off_hours", "48")];
        assert_eq!(world.post(&school.trainer, &format!("{}/edit", desk(id)), &fields).await.status, StatusCode::SEE_OTHER);
        seats::cancel(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        world.drain().await;
        assert_eq!(unsent(&world).await, 2, "the newer waits for the older");
        nothing_broken(&world).await;
        world.advance(Duration::hours(20));
        world.drain().await;
        assert_eq!(unsent(&world).await, 0);
        nothing_broken(&world).await;
        assert_eq!(world.count("select count(*) from job where failed_at is not null").await, 0);
    }
}

both! {
    async fn what_breaks_the_order_of_a_thread_is_named(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Order", 5, 24 * 20, 0)).await;
        let ann = world.customer("ann@example.com").await;
        enrol(&world, &ann, id).await;
        seats::cancel(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        world.drain().await;
        let sql = "update message set sent_at = null where id in (select message_id from message_calendar where number = 1)";
        world.corrupt_of(sql, "select message_id from message_calendar").await;
        assert_eq!(world.broken().await, ["letter_that_nobody_sends", "calendar_letter_overtook"], "its own job is done");
        world.corrupt("update message set sent_at = created_at where sent_at is null").await;
        world.corrupt("update message_calendar set sequence = 0").await;
        assert!(world.broken().await.contains(&"calendar_change_not_newer".to_owned()));
    }
}

both! {
    async fn a_trainers_feed_holds_what_they_teach_and_names_nobody(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Taught", 5, 100, 0)).await;
        plan::create(&school.cx, school.draft("Only planned", 5, 200, 0), None).await.unwrap();
        let (ann, _) = learners(&world, id, 1).await.remove(0);
        let feed = async |who: &Signed| {
            world.post(who, "/training/mine", &[("act", "renew")]).await;
            let page = world.get(who, "/training/mine").await.body;
            let start = page.find("http://portal.test/calendar/").unwrap() + "http://portal.test".len();
            let end = start + page[start..].find('"').unwrap();
            world.get(None, &page[start..end]).await.body
        };
        let text = feed(&school.trainer).await;
        let states: Vec<_> = read(&text).events().map(|e| (e.get_summary().unwrap().to_owned(), e.get_status().unwrap())).collect();
        assert_eq!(states, [("Taught".to_owned(), EventStatus::Confirmed), ("Only planned".to_owned(), EventStatus::Tentative)]);
        assert!(text.contains("METHOD:PUBLISH") && !text.contains("ATTENDEE"));
        // A learner's feed and invitation are one appointment.
        let text = feed(&ann).await;
        assert!(!text.contains("ATTENDEE"));
        let uid = read(&text).events().next().unwrap().get_uid().unwrap().to_owned();
        assert_eq!(told(&world).await[0].0, uid);
    }
}

both! {
    async fn two_phones_that_mark_one_person_end_in_one_true_state(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Race", 30, 30, 0)).await;
        let all = learners(&world, id, 8).await;
        let session = first_session(&world, id).await;
        world.advance(Duration::hours(30));
        let cx = school.now(&world).await;
        let mut phones = tokio::task::JoinSet::new();
        for (_, seat) in &all {
            for mark in [Mark::Present, Mark::Absent, Mark::Late] {
                let (cx, seat) = (cx.clone(), *seat);
                phones.spawn(async move { (seat, mark, attend::mark(&cx, id, session, seat, Some(None), Some(mark)).await.is_ok()) });
            }
        }
        let taps = phones.join_all().await;
        let mut tx = world.db().read().await.unwrap();
        for (_, seat) in &all {
            let won: Vec<Mark> = taps.iter().filter(|(who, _, ok)| who == seat && *ok).map(|(_, mark, _)| *mark).collect();
            assert_eq!(won.len(), 1, "one tap counts, the others are told");
            assert_eq!(store::mark(&mut tx, *seat, session).await.unwrap(), Some(won[0]));
        }
        drop(tx);
        assert_eq!(world.count("select count(*) from history where act = 'mark_attendance'").await, 8);
    }
}

both! {
    async fn in_the_room_one_tap_marks_and_the_last_one_can_be_taken_back(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Room", 30, 30, 0)).await;
        let all = learners(&world, id, 3).await;
        let (session, room) = (first_session(&world, id).await.to_string(), format!("{}/room", desk(id)));
        assert!(!world.get(&school.trainer, &room).await.body.contains("room-mark"), "too early");
        world.advance(Duration::hours(30));
        let first = all[0].1.to_string();
        let tap = async |fields: &[(&str, &str)]| {
            let mut form = vec![("session", session.as_str()), ("enrolment", first.as_str())];
            form.extend(fields);
            world.post(&school.trainer, &room, &form).await
        };
        let reply = tap(&[("act", "mark"), ("mark", "present"), ("was", "none")]).await;
        assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, format!("{room}?session={session}#e-{first}").as_str()));
        let page = world.get(&school.trainer, &room).await.body;
        assert!(page.contains("1 of 3 here") && page.contains("Undo: learner00, Present"), "{page}");
        tap(&[("act", "mark"), ("mark", "late"), ("was", "present")]).await;
        // Taken back: present again; taken back once more: no mark.
        assert_eq!(tap(&[("act", "undo"), ("saw", "present")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(tap(&[("act", "undo"), ("saw", "late")]).await.status, StatusCode::SEE_OTHER);
        let mark = async || store::mark(&mut world.db().read().await.unwrap(), all[0].1, session.parse().unwrap()).await.unwrap();
        assert_eq!(mark().await, Some(Mark::Present));
        assert_eq!(tap(&[("act", "undo"), ("saw", "present")]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(mark().await, None);
        assert_eq!(world.count("select count(*) from history where act = 'mark_attendance'").await, 4);
        // By the code that a learner reads out, however it is typed.
        let code = check_in::code(&world.app, all[1].1);
        let spoken = format!(" {} {}", &code[..3].to_lowercase(), &code[3..]);
        let reply = tap(&[("act", "code"), ("code", &spoken)]).await;
        assert!(reply.location().ends_with(&format!("#e-{}", all[1].1)), "{}", reply.body);
        let wrong = tap(&[("act", "code"), ("code", "nobody")]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.body.contains("Nobody with a seat"), "{}", wrong.body);
        for (who, status) in [(&all[0].0, StatusCode::NOT_FOUND), (&world.staff_named(Role::Trainer, "other@staff.example").await, StatusCode::FORBIDDEN)] {
            assert_eq!(world.get(who, &room).await.status, status);
            let form = [("act", "mark"), ("session", session.as_str()), ("enrolment", &first), ("mark", "absent")];
            assert_eq!(world.post(who, &room, &form).await.status, status);
            let form = [("act", "code"), ("session", session.as_str()), ("code", &code)];
            assert_eq!(world.post(who, &room, &form).await.status, status);
        }
    }
}

both! {
    async fn whoever_helps_in_a_class_checks_people_in_and_does_nothing_else(world: World) {
        let school = School::of(&world, vec![]).await;
        let helper = world.staff_named(Role::Technician, "helper@staff.example").await;
        let stranger = world.staff_named(Role::Technician, "stranger@staff.example").await;
        let extras = Extras { assistants: vec![helper.id], ..Extras::default() };
        let id = plan::create_series(&school.cx, vec![school.draft("Helped", 30, 30, 0)], extras, true, None).await.unwrap();
        let (ann, seat) = learners(&world, id, 1).await.remove(0);
        let (session, room) = (first_session(&world, id).await.to_string(), format!("{}/room", desk(id)));
        world.advance(Duration::hours(30));
        // It stands on their own day, and leads into the room.
        assert!(world.get(&helper, "/desk").await.body.contains(&room));
        assert!(!world.get(&stranger, "/desk").await.body.contains(&room));
        let page = world.get(&helper, &room).await;
        assert!(page.status == StatusCode::OK && !page.body.contains(&format!("href=\"{}\"", desk(id))), "{}", page.body);
        let seat = seat.to_string();
        let form = [("act", "mark"), ("session", session.as_str()), ("enrolment", seat.as_str()), ("was", "none"), ("mark", "present")];
        assert_eq!(world.post(&stranger, &room, &form).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.post(&helper, &room, &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from attendance where mark = 'present'").await, 1);
        let code = check_in::path(&world.app, seat.parse().unwrap());
        assert_eq!(world.get(&helper, &code).await.status, StatusCode::OK);
        assert_eq!(world.get(&stranger, &code).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.get(&ann, &room).await.status, StatusCode::NOT_FOUND);
        // The class is its trainer's.
        for path in [desk(id), format!("{}/edit", desk(id)), format!("{}/roster.csv", desk(id))] {
            assert_eq!(world.get(&helper, &path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        assert_eq!(world.post(&helper, &desk(id), &[("act", "close")]).await.status, StatusCode::FORBIDDEN);
    }
}

both! {
    async fn a_learners_code_opens_for_the_trainer_on_the_day_and_for_nobody_else(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Door", 30, 30, 0)).await;
        let (ann, seat) = learners(&world, id, 1).await.remove(0);
        let path = check_in::path(&world.app, seat);
        let page = world.get(&ann, &format!("/training/{id}")).await.body;
        let picture = format!("/training/{id}/ticket.svg");
        assert!(page.contains(&picture) && page.contains(&check_in::code(&world.app, seat)), "{page}");
        let svg = world.get(&ann, &picture).await;
        assert!(svg.status == StatusCode::OK && svg.body.starts_with("<svg "), "{}", svg.body);
        assert_eq!(world.get(&school.trainer, &picture).await.status, StatusCode::NOT_FOUND);
        let guest = world.get(None, &path).await;
        assert!(guest.status == StatusCode::SEE_OTHER && guest.location().starts_with("/sign-in?next="));
        assert_eq!(world.get(&ann, &path).await.status, StatusCode::NOT_FOUND);
        let other = world.staff_named(Role::Trainer, "other@staff.example").await;
        assert_eq!(world.get(&other, &path).await.status, StatusCode::FORBIDDEN);
        let forged = format!("{}A", &path[..path.len() - 1]);
        let forged = if forged == path { format!("{}B", &path[..path.len() - 1]) } else { forged };
        assert_eq!(world.get(&school.trainer, &forged).await.status, StatusCode::NOT_FOUND);
        // A day before it says so and marks nothing.
        let early = world.get(&school.trainer, &path).await;
        assert!(early.status == StatusCode::OK && early.body.contains("no session today") && !early.body.contains("id=\"check-in\""));
        assert_eq!(world.post(&school.trainer, &path, &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        world.advance(Duration::hours(30));
        let page = world.get(&school.trainer, &path).await;
        assert!(page.body.contains("id=\"check-in\"") && page.body.contains("learner00"), "{}", page.body);
        let reply = world.post(&school.trainer, &path, &[("was", "none")]).await;
        assert!(reply.status == StatusCode::SEE_OTHER && reply.location().ends_with(&format!("#e-{seat}")));
        assert_eq!(world.count("select count(*) from attendance where mark = 'present'").await, 1);
        assert!(!world.get(&school.trainer, &path).await.body.contains("id=\"check-in\""));
        assert_eq!(world.post(&ann, &path, &[]).await.status, StatusCode::NOT_FOUND);
    }
}

/// Sells a printer with three class seats, as an import does; gives the product.
async fn sell_seats(world: &World, email: &str) -> ProductId {
    const SOLD: &str = "select i.product_id from item i join person p on p.id = i.owner_id where p.email = $1";
    sold::sell(world, &[&sold::printer(&format!("A-{email}"), email, "ES", &format!("S-{email}"))]).await;
    fetch_scalar!(world.db().read().await.unwrap(), ProductId, SOLD, email).unwrap().unwrap()
}

async fn units(world: &World) -> (i64, i64, i64) {
    const UNITS: &str = "select available, reserved, used from benefit where allowance = 'training_seat'";
    fetch_one!(world.db().read().await.unwrap(), (i64, i64, i64), UNITS).unwrap()
}

both! {
    async fn a_seat_is_carried_to_another_class_with_what_pays_for_it(world: World) {
        let product = sell_seats(&world, "learner00@example.com").await;
        let school = School::of(&world, vec![product]).await;
        let from = school.open(school.draft("First", 2, 24 * 20, 5000)).await;
        let to = school.open(school.draft("Second", 1, 24 * 25, 9000)).await;
        let all = learners(&world, from, 3).await;
        assert_eq!(units(&world).await, (2, 1, 0));
        let first = all[0].1.to_string();
        let carry = async |seat: &str, to: ClassId, why: &str| {
            let form = [("act", "move"), ("enrolment", seat), ("to", &to.to_string()), ("why_move", why)];
            world.post(&school.trainer, &desk(from), &form).await
        };
        assert_eq!(carry(&first, to, "").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let reply = carry(&first, to, "Two of one firm.").await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        // The seat, its allowance, its price; the freed one goes down the line.
        let row = seat(&world, &all[0].0, to).await.unwrap();
        assert_eq!((row.id, row.state, row.price_minor), (all[0].1, EnrolmentState::Booked, 0));
        assert_eq!(units(&world).await, (2, 1, 0));
        assert_eq!(seat(&world, &all[2].0, from).await.unwrap().state, EnrolmentState::Offered);
        let (subject, body, _) = world.letter("learner00@example.com").await.unwrap();
        assert!(subject.contains("Second") || subject.contains("First"), "{subject} {body}");
        let methods: Vec<(String, i64)> = told(&world).await.into_iter().filter(|row| row.0.starts_with(&first)).map(|row| (row.2, row.1)).collect();
        assert!(methods.contains(&("cancel".into(), 2)) && methods.iter().filter(|(m, _)| m == "request").count() == 2, "{methods:?}");
        // Full there: refused, with the reason, and nothing moved.
        let reply = carry(&all[1].1.to_string(), to, "Because.").await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("All seats are taken or on offer."), "{}", reply.body);
        assert_eq!(seat(&world, &all[1].0, from).await.unwrap().state, EnrolmentState::Booked);
        // Not into another course.
        let elsewhere = School { course: School::course(&world, "Ledgers", vec![]).await, ..school };
        let other = elsewhere.open(elsewhere.draft("Other", 5, 24 * 30, 0)).await;
        let form = [("act", "move"), ("enrolment", &*all[1].1.to_string()), ("to", &other.to_string()), ("why_move", "x")];
        assert_eq!(world.post(&elsewhere.trainer, &desk(from), &form).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.count("select count(*) from history where act = 'move_seat'").await, 1);
        world.drain().await;
        nothing_broken(&world).await;
        // Given back in time, the allowance comes back from where it is now.
        seats::cancel(&world.cx_of(&all[0].0).await, to, Consent::default()).await.unwrap();
        assert_eq!(units(&world).await, (3, 0, 0));
        nothing_broken(&world).await;
    }
}

both! {
    async fn staff_charge_no_more_than_the_price_that_they_said(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Dearer", 2, 30, 5000)).await;
        let page = world.get(&school.trainer, &desk(id)).await.body;
        assert!(page.contains("name=\"agreed\" value=\"5000\""), "{page}");
        let row = store::class(&mut world.db().read().await.unwrap(), id).await.unwrap();
        let edit = change::Edit {
            version: row.version, title: row.title, room: row.room_id, link: row.link, capacity: 1,
            price: Money::new(8000, row.price_currency), cut_off_hours: row.cut_off_hours,
        };
        change::edit(&school.now(&world).await, id, edit, change::Rest::default()).await.unwrap();
        let door = async |agreed: &str| {
            let form = [("act", "walk_in"), ("email", "door@example.com"), ("name", "Dora Door"), ("agreed", agreed)];
            world.post(&school.trainer, &desk(id), &form).await
        };
        let asked = door("5000").await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(asked.body.contains("80.00") && asked.body.contains("Dora Door"), "{}", asked.body);
        assert_eq!(world.count("select count(*) from enrolment").await, 0);
        assert_eq!(door("8000").await.status, StatusCode::SEE_OTHER);
        // From the line the same.
        let ann = world.customer("ann@example.com").await;
        seats::enrol(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        let waits = seat(&world, &ann, id).await.unwrap().id.to_string();
        let promote = async |agreed: &str| {
            let form = [("act", "promote"), ("enrolment", waits.as_str()), ("one_more", "yes"), ("agreed", agreed)];
            world.post(&school.trainer, &desk(id), &form).await
        };
        let asked = promote("5000").await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(asked.body.contains("80.00"), "{}", asked.body);
        assert_eq!(world.count("select count(*) from charge").await, 1);
        assert_eq!(promote("8000").await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from charge where amount_minor = 8000").await, 2);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn whoever_stands_in_the_door_is_seated_known_or_new_once(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Door", 3, 30, 5000)).await;
        world.advance(Duration::hours(31));
        world.drain().await;
        let known = world.customer("known@example.com").await;
        let seat_them = async |fields: &[(&str, &str)]| {
            let mut form = vec![("act", "walk_in")];
            form.extend(fields);
            world.post(&school.trainer, &desk(id), &form).await
        };
        let price = seat_them(&[("email", "known@example.com")]).await;
        assert_eq!(price.status, StatusCode::UNPROCESSABLE_ENTITY, "no plan pays, and nobody asked");
        let key = "0190b5a0-0000-7000-8000-000000000002";
        for _ in 0..2 {
            let reply = seat_them(&[("email", "known@example.com"), ("agreed", "5000"), ("key", key)]).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        }
        assert_eq!(seat(&world, &known, id).await.unwrap().price_minor, 5000);
        assert_eq!(world.count("select count(*) from charge where state = 'due'").await, 1);
        let again = seat_them(&[("email", "known@example.com"), ("agreed", "5000")]).await;
        assert!(again.status == StatusCode::UNPROCESSABLE_ENTITY && again.body.contains("has a place"), "{}", again.body);
        let nameless = seat_them(&[("email", "new@example.com"), ("agreed", "5000")]).await;
        assert_eq!(nameless.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(nameless.body.contains("new@example.com"), "what was typed is kept");
        assert_eq!(seat_them(&[("email", "New@Example.com "), ("name", "Nora New"), ("agreed", "5000")]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from person where email = 'new@example.com' and name = 'Nora New'").await, 1);
        assert_eq!(world.count("select count(*) from history where act = 'add_walk_in'").await, 2);
        // One chair is left: two doors, one seat.
        let world = std::sync::Arc::new(world);
        let mut doors = tokio::task::JoinSet::new();
        for n in 0..6 {
            let (world, trainer) = (world.clone(), school.trainer.clone());
            doors.spawn(async move {
                let email = format!("door{n}@example.com");
                let form = [("act", "walk_in"), ("email", &*email), ("name", "Somebody"), ("agreed", "5000")];
                world.post(&trainer, &desk(id), &form).await.status
            });
        }
        let seated = doors.join_all().await.into_iter().filter(|status| *status == StatusCode::SEE_OTHER).count();
        assert_eq!(seated, 1);
        assert_eq!(class(&world, id).await.taken, 3);
        nothing_broken(&world).await;
    }
}

both! {
    async fn whoever_is_passed_over_in_the_line_reads_why(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Line", 1, 24 * 20, 0)).await;
        let all = learners(&world, id, 4).await;
        let third = all[2].1.to_string();
        let promote = async |fields: &[(&str, &str)]| {
            let mut form = vec![("act", "promote"), ("enrolment", third.as_str())];
            form.extend(fields);
            world.post(&school.trainer, &desk(id), &form).await
        };
        let silent = promote(&[("one_more", "yes")]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY, "a reason is needed");
        let full = promote(&[("why", "She came from afar.")]).await;
        assert!(full.status == StatusCode::UNPROCESSABLE_ENTITY && full.body.contains("She came from afar."), "{}", full.body);
        for _ in 0..2 {
            let reply = promote(&[("why", "She came from afar."), ("one_more", "yes")]).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        }
        let row = class(&world, id).await;
        assert_eq!((row.capacity, row.taken, row.held, row.waiting), (2, 2, 0, 2));
        assert_eq!(seat(&world, &all[2].0, id).await.unwrap().state, EnrolmentState::Booked);
        assert_eq!(world.count("select count(*) from seat_skip").await, 1, "only the one before her");
        assert_eq!(world.count("select count(*) from history where act = 'promote_seat'").await, 1);
        let path = format!("/training/{id}");
        assert!(world.get(&all[1].0, &path).await.body.contains("She came from afar."));
        assert!(!world.get(&all[3].0, &path).await.body.contains("She came from afar."));
        assert!(world.get(&school.trainer, &desk(id)).await.body.contains("was seated before learner01"));
        nothing_broken(&world).await;
        world.corrupt("update seat_skip set why = ' '").await;
        assert_eq!(world.broken().await, ["skip_without_reason"]);
    }
}

both! {
    async fn the_trainer_knows_the_learners_and_writes_to_all_of_them_once(world: World) {
        let product = sell_seats(&world, "learner00@example.com").await;
        let school = School::of(&world, vec![product]).await;
        let id = school.open(school.draft("Known", 5, 24 * 20, 0)).await;
        let all = learners(&world, id, 2).await;
        let path = format!("/training/{id}");
        let long = "x".repeat(501);
        assert_eq!(world.post(&all[0].0, &path, &[("act", "wish"), ("wish", &long)]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.post(&all[0].0, &path, &[("act", "wish"), ("wish", "Double-sided printing")]).await.status, StatusCode::SEE_OTHER);
        let stranger = world.customer("stranger@example.com").await;
        assert_eq!(world.post(&stranger, &path, &[("act", "wish"), ("wish", "In")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let page = world.get(&school.trainer, &desk(id)).await.body;
        assert!(page.contains("Double-sided printing") && page.contains("Has: Printer"), "{page}");
        // In the night: the letter waits for the morning.
        world.advance(Duration::hours(14));
        let form = [("act", "write"), ("key", "0190b5a0-0000-7000-8000-000000000003"), ("subject", "Bring\r\n your printer"), ("words", "And its cable.\r\nThank you.")];
        for _ in 0..2 {
            assert_eq!(world.post(&school.trainer, &desk(id), &form).await.status, StatusCode::SEE_OTHER);
        }
        let empty = world.post(&school.trainer, &desk(id), &[("act", "write"), ("subject", "Only this"), ("words", "")]).await;
        assert!(empty.status == StatusCode::UNPROCESSABLE_ENTITY && empty.body.contains("Only this"));
        assert_eq!(world.count("select count(*) from message where letter = 'from_trainer'").await, 2);
        assert_eq!(world.count("select count(*) from message where letter = 'from_trainer' and send_after > created_at").await, 2);
        assert_eq!(world.count("select count(*) from history where act = 'message_class'").await, 1);
        let (subject, body, _) = world.letter("learner01@example.com").await.unwrap();
        assert!(subject == "Bring your printer" && body.contains("And its cable.\nThank you."), "{subject}: {body}");
    }
}

both! {
    async fn afterwards_there_is_a_file_without_formulas_a_sheet_and_what_learners_say(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("After", 9, 30, 0)).await;
        let all = learners(&world, id, 6).await;
        world.corrupt("update person set name = '=HYPERLINK(\"evil\")' where email = 'learner00@example.com'").await;
        world.advance(Duration::hours(31));
        world.drain().await;
        let session = first_session(&world, id).await.to_string();
        world.post(&school.trainer, &desk(id), &[("act", "mark_rest"), ("session", &session)]).await;
        let file = world.get(&school.trainer, &format!("{}/roster.csv", desk(id))).await;
        assert!(file.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
        assert!(file.body.contains("\"'=HYPERLINK(\"\"evil\"\")\"") && file.body.contains("learner01@example.com"), "{}", file.body);
        assert_eq!(file.body.lines().count(), 7);
        let sheet = world.get(&school.trainer, &format!("{}/sheet", desk(id))).await.body;
        assert!(sheet.contains("class=\"sheet\"") && sheet.contains("learner05"));
        for path in ["roster.csv", "sheet"] {
            assert_eq!(world.get(&all[0].0, &format!("{}/{path}", desk(id))).await.status, StatusCode::NOT_FOUND);
        }
        world.post(&school.trainer, &desk(id), &[("act", "close")]).await;
        world.drain().await;
        let page = world.get(&school.trainer, &desk(id)).await.body;
        assert_eq!(page.matches("href=\"/certificates/").count(), 6, "{page}");
        // Four answers say nothing yet; their words do.
        world.corrupt("update feedback set score = 5, answered_at = asked_at where id in (select id from feedback order by id limit 4)").await;
        world.corrupt("update feedback set words = 'More exercises, please' where id in (select id from feedback order by id limit 1)").await;
        let page = world.get(&school.trainer, &desk(id)).await.body;
        assert!(page.contains("A figure from five answers on") && page.contains("More exercises, please"), "{page}");
        world.corrupt("update feedback set score = 3, answered_at = asked_at where score is null").await;
        let page = world.get(&school.trainer, &desk(id)).await.body;
        assert!(page.contains("67%") && page.contains("between 30% and 90%") && page.contains("this class"), "{page}");
    }
}
