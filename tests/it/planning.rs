//! Planning: moving a class with everybody in it, conflicts and proposals, series, absences, wishes, rules as settings.

use crate::{
    both,
    groups::Firm,
    training::{School, now},
    world::{Engine, Signed, World},
};
use aftercare::{
    access::{Act, Role, Subject},
    calendar::domain::Span,
    error::{AppError, Refusal as AnyRefusal},
    fetch_all,
    server::{Cx, fresh},
    training::{
        domain::{Announced, Cancelling, EnrolmentState, Mark, NeedsRule, Refusal, Who, Window, Wish},
        server::{
            announce, asks, attend, availability, change, courses,
            plan::{self, Draft, Extras},
            rules,
            seats::{self, Consent},
            staff_seats, store,
        },
    },
    values::{ClassId, Money, RoomId},
};
use axum::http::StatusCode;
use chrono::{DateTime, Duration, Utc};

async fn class(world: &World, id: ClassId) -> store::ClassRow {
    store::class(&mut world.db().read().await.unwrap(), id).await.unwrap()
}

async fn enrol(world: &World, who: &Signed, class: ClassId) -> EnrolmentState {
    seats::enrol(&world.cx_of(who).await, class, Consent::default()).await.unwrap().state
}

async fn state(world: &World, who: &Signed, class: ClassId) -> Option<EnrolmentState> {
    store::active(&mut world.db().read().await.unwrap(), class, who.id).await.unwrap().map(|row| row.state)
}

async fn time_of(world: &World, who: &Signed) -> Vec<DateTime<Utc>> {
    const TIME: &str = "select starts_at from busy where resource_id = $1 order by starts_at";
    let rows = fetch_all!(world.db().read().await.unwrap(), (DateTime<Utc>,), TIME, who.id).unwrap();
    rows.into_iter().map(|(at,)| at).collect()
}

/// The class as it is, as an edit.
fn as_it_is(row: &store::ClassRow) -> change::Edit {
    change::Edit {
        version: row.version,
        title: row.title.clone(),
        room: row.room_id,
        link: row.link.clone(),
        capacity: row.capacity,
        price: Money::new(row.price_minor, row.price_currency),
        cut_off_hours: row.cut_off_hours,
    }
}

/// Its first session at another time, so many hours from now.
async fn moved(world: &World, id: ClassId, hours: i64) -> change::Rest {
    let sessions = store::sessions(&mut world.db().read().await.unwrap(), id).await.unwrap();
    let from = now() + Duration::hours(hours);
    let mut wanted: Vec<_> = sessions.iter().map(|row| (Some(row.id), row.span())).collect();
    wanted[0].1 = Span { from, until: from + Duration::hours(2) };
    change::Rest { sessions: Some(wanted), ..change::Rest::default() }
}

async fn move_to(world: &World, cx: &Cx, id: ClassId, hours: i64) -> Result<(), AppError> {
    let (edit, rest) = (as_it_is(&class(world, id).await), moved(world, id, hours).await);
    change::edit(cx, id, edit, rest).await
}

fn refusal(error: AppError) -> Refusal {
    match error {
        AppError::Refused(AnyRefusal::Training(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

both! {
    async fn everybody_moves_along_with_a_class_and_is_told_once(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Movable", 1, 24 * 9, 0)).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        enrol(&world, &ann, id).await;
        assert_eq!(enrol(&world, &bob, id).await, EnrolmentState::Waitlisted);
        let before = class(&world, id).await;
        let trainer = school.now(&world).await;
        move_to(&world, &trainer, id, 24 * 11).await.unwrap();
        let row = class(&world, id).await;
        assert_eq!(row.starts_at, now() + Duration::hours(24 * 11));
        assert_eq!((row.sequence, row.version), (before.sequence + 1, before.version + 1));
        assert_eq!(time_of(&world, &ann).await, [row.starts_at]);
        assert_eq!(time_of(&world, &school.trainer).await, [row.starts_at]);
        assert_eq!(world.count("select count(*) from message where letter = 'class_moved'").await, 2);
        let (subject, body, _) = world.letter("ann@example.com").await.unwrap();
        assert!(subject.contains("Movable") && body.contains("It was:") && body.contains("10 December"), "{body}");
        assert!(body.contains("12 December") && body.contains("Your seat moves along"), "{body}");
        assert!(world.letter("bob@example.com").await.unwrap().1.contains("your place in line"));
        // Her calendar moves along; his never had it.
        const ALONG: &str = "select count(*) from message_calendar where number = 2 and method = 'request' and sequence = 1 \
            and body like '%:20261212T%'";
        assert_eq!(world.count(ALONG).await, 1);
        assert_eq!(world.count("select count(*) from message_calendar").await, 2);
        // The same again changes nothing and tells nobody.
        move_to(&world, &trainer, id, 24 * 11).await.unwrap();
        assert_eq!(world.count("select count(*) from message where letter = 'class_moved'").await, 2);
        assert_eq!(class(&world, id).await.sequence, row.sequence);
        // The reminder and the start of the old plan do nothing when their time comes.
        world.advance(Duration::days(9) + Duration::hours(1));
        world.drain().await;
        assert_eq!(world.count("select count(*) from message where letter = 'class_reminder'").await, 0);
        assert_eq!(class(&world, id).await.state, aftercare::training::domain::ClassState::Open);
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.advance(Duration::days(1));
        world.drain().await;
        assert_eq!(world.count("select count(*) from message where letter = 'class_reminder'").await, 1);
        world.advance(Duration::days(1));
        world.drain().await;
        assert_eq!(class(&world, id).await.state, aftercare::training::domain::ClassState::Running);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_learner_who_is_elsewhere_then_is_named_first_and_keeps_the_seat_until_they_choose(world: World) {
        let school = School::of(&world, vec![]).await;
        let other = world.staff_named(Role::Trainer, "second@staff.example").await;
        let id = school.open(school.draft("Movable", 5, 24 * 9, 0)).await;
        let draft = Draft { trainer: other.id, ..school.draft("Elsewhere", 5, 24 * 11, 0) };
        let cx = world.cx_of(&other).await;
        let second = plan::create(&cx, draft, None).await.unwrap();
        plan::publish(&cx, second).await.unwrap();
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        for who in [&ann, &bob] {
            enrol(&world, who, id).await;
        }
        enrol(&world, &ann, second).await;
        let path = format!("/desk/classes/{id}/edit");
        let row = class(&world, id).await;
        let session = store::sessions(&mut world.db().read().await.unwrap(), id).await.unwrap()[0].id.to_string();
        let (version, known) = (row.version.to_string(), ann.id.to_string());
        let mut fields = vec![
            ("version", version.as_str()), ("title", "Movable"), ("room", ""), ("link", "https://meet.example.com/x"),
            ("capacity", "5"), ("price", "0"), ("cut_off_hours", "48"), ("session_1", &session),
            ("date_1", "2026-12-12"), ("starts_1", "10:00"), ("ends_1", "12:00"),
        ];
        let first = world.post(&school.trainer, &path, &fields).await;
        assert_eq!(first.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(first.body.contains("Not saved yet") && first.body.contains("another appointment"), "{}", first.body);
        assert!(!first.body.contains("Elsewhere"), "the class of another trainer is not theirs to read: {}", first.body);
        assert!(first.body.contains(&format!("value=\"{known}\"")), "{}", first.body);
        assert_eq!(class(&world, id).await.version, row.version);
        // Knowing it, the trainer moves the class all the same.
        fields.push(("clash", &known));
        let again = world.post(&school.trainer, &path, &fields).await;
        assert_eq!(again.status, StatusCode::SEE_OTHER, "{}", again.body);
        assert_eq!(state(&world, &ann, id).await, Some(EnrolmentState::Offered));
        assert_eq!(state(&world, &bob, id).await, Some(EnrolmentState::Booked));
        let (_, body, _) = world.letter("ann@example.com").await.unwrap();
        assert!(body.contains("Elsewhere") && body.contains("Your seat is kept for you"), "{body}");
        assert_eq!(world.broken().await, Vec::<String>::new());
        // She gives the other up and accepts.
        seats::cancel(&world.cx_of(&ann).await, second, Consent::default()).await.unwrap();
        seats::accept(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        // Her calendar lost the seat with the move, and has it again, later than its loss.
        const AGAIN: &str = "select count(*) from message_calendar a \
            join message_calendar b on b.thread = a.thread and b.number = 2 and b.method = 'cancel' \
            join message_calendar c on c.thread = a.thread and c.number = 3 and c.method = 'request' and c.sequence > b.sequence \
            where a.number = 1 and a.method = 'request'";
        assert_eq!(world.count(AGAIN).await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn an_offer_does_not_outlive_the_waitlist_of_a_class_that_moved_nearer(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Nearer", 1, 24 * 20, 0)).await;
        let mut people = Vec::new();
        for name in ["ann", "bob", "cleo"] {
            people.push(world.customer(&format!("{name}@example.com")).await);
            enrol(&world, &people[people.len() - 1], id).await;
        }
        seats::cancel(&world.cx_of(&people[0]).await, id, Consent::default()).await.unwrap();
        let until = async |who: &Signed| {
            let row = store::active(&mut world.db().read().await.unwrap(), id, who.id).await.unwrap();
            row.and_then(|row| row.offered_until)
        };
        assert!(until(&people[1]).await.unwrap() > now() + Duration::hours(23));
        // In eight hours: the waitlist closes in six, half of that is for the offer.
        move_to(&world, &school.now(&world).await, id, 8).await.unwrap();
        let shorter = until(&people[1]).await.unwrap();
        assert!(shorter > now() + Duration::minutes(179) && shorter < now() + Duration::minutes(182), "{shorter}");
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.advance(Duration::hours(3) + Duration::minutes(5));
        world.drain().await;
        assert_eq!(state(&world, &people[1], id).await, None);
        assert_eq!(state(&world, &people[2], id).await, Some(EnrolmentState::Offered));
        // An hour from now it is too late for any offer.
        move_to(&world, &school.now(&world).await, id, 4).await.unwrap();
        assert_eq!(state(&world, &people[2], id).await, None);
        assert!(world.letter("cleo@example.com").await.unwrap().1.contains("cannot be kept any longer"));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_running_class_moves_only_where_all_can_follow_and_keeps_what_began(world: World) {
        let school = School::of(&world, vec![]).await;
        let other = world.staff_named(Role::Trainer, "second@staff.example").await;
        let draft = school.draft("Two days", 5, 24, 0);
        let second = Span { from: now() + Duration::hours(72), until: now() + Duration::hours(74) };
        let id = school.open(Draft { sessions: vec![draft.sessions[0], second], ..draft }).await;
        let cx = world.cx_of(&other).await;
        let elsewhere = plan::create(&cx, Draft { trainer: other.id, ..school.draft("Elsewhere", 5, 96, 0) }, None).await.unwrap();
        plan::publish(&cx, elsewhere).await.unwrap();
        let ann = world.customer("ann@example.com").await;
        enrol(&world, &ann, id).await;
        enrol(&world, &ann, elsewhere).await;
        world.advance(Duration::hours(30));
        world.drain().await;
        let trainer = school.now(&world).await;
        let to = async |hours: i64, known: bool| {
            let sessions = store::sessions(&mut world.db().read().await.unwrap(), id).await.unwrap();
            let from = now() + Duration::hours(hours);
            let last = (Some(sessions[1].id), Span { from, until: from + Duration::hours(2) });
            let wanted = vec![(Some(sessions[0].id), sessions[0].span()), last];
            let known_clashes = if known { vec![ann.id] } else { vec![] };
            let rest = change::Rest { sessions: Some(wanted), known_clashes, ..change::Rest::default() };
            change::edit(&trainer, id, as_it_is(&class(&world, id).await), rest).await
        };
        assert!(matches!(refusal(to(96, true).await.unwrap_err()), Refusal::LearnersClash { .. }));
        to(99, false).await.unwrap();
        assert_eq!(time_of(&world, &ann).await.len(), 3);
        // Nothing is promised that is over: no seat of a class that has begun is given back.
        let (_, body, _) = world.letter("ann@example.com").await.unwrap();
        assert!(body.contains("Your seat moves along.") && !body.contains("free of charge"), "{body}");
        assert_eq!(time_of(&world, &school.trainer).await, [now() + Duration::hours(24), now() + Duration::hours(99)]);
        // What has begun stays with who began it, whoever goes on.
        let third = world.staff_named(Role::Trainer, "third@staff.example").await;
        let rest = change::Rest { trainer: Some(third.id), ..change::Rest::default() };
        change::edit(&trainer, id, as_it_is(&class(&world, id).await), rest).await.unwrap();
        assert_eq!(time_of(&world, &school.trainer).await.len(), 1);
        assert_eq!(time_of(&world, &third).await, [now() + Duration::hours(99)]);
        let first = refusal(move_to(&world, &world.operator(), id, 40).await.unwrap_err());
        assert!(matches!(first, Refusal::SessionBegun { .. }));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn the_second_of_two_trainers_sees_the_others_time_before_overwriting_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Contested", 5, 24 * 9, 0)).await;
        let (edit, mine) = (as_it_is(&class(&world, id).await), moved(&world, id, 24 * 12).await);
        move_to(&world, &school.cx, id, 24 * 11).await.unwrap();
        let error = refusal(change::edit(&school.cx, id, edit, mine).await.unwrap_err());
        let Refusal::ChangedMeanwhile { differences } = error else { panic!("{error:?}") };
        let times = differences.iter().find(|one| one.field == "sessions").unwrap();
        assert_eq!((times.theirs.as_str(), times.yours.as_str()), ("2026-12-12 10:00–12:00", "2026-12-13 10:00–12:00"));
        assert_eq!(class(&world, id).await.starts_at, now() + Duration::hours(24 * 11));
    }
}

both! {
    async fn a_class_cannot_shrink_without_saying_who_would_have_to_move(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Shrinking", 3, 24 * 9, 0)).await;
        for email in ["ann@example.com", "bob@example.com", "cleo@example.com"] {
            enrol(&world, &world.customer(email).await, id).await;
        }
        let edit = change::Edit { capacity: 1, ..as_it_is(&class(&world, id).await) };
        let error = refusal(change::edit(&school.cx, id, edit, change::Rest::default()).await.unwrap_err());
        let people = vec!["cleo".into(), "bob".into()];
        assert_eq!(error, Refusal::MustMove { over: 2, people, unnamed: 0, gathered: 0, guests: vec![] });
    }
}

both! {
    async fn a_trainer_who_learns_elsewhere_is_busy_and_free_times_are_proposed(world: World) {
        let school = School::of(&world, vec![]).await;
        let other = world.staff_named(Role::Trainer, "second@staff.example").await;
        let draft = Draft { trainer: other.id, ..school.draft("Teaching well", 5, 24 * 9, 0) };
        let cx = world.cx_of(&other).await;
        let learning = plan::create(&cx, draft, None).await.unwrap();
        plan::publish(&cx, learning).await.unwrap();
        enrol(&world, &school.trainer, learning).await;
        let course = school.course.to_string();
        let mut fields = vec![
            ("course", course.as_str()), ("title", "Evening"), ("language", "en"), ("zone", "Europe/Madrid"),
            ("date_1", "2026-12-10"), ("starts_1", "11:00"), ("ends_1", "13:00"), ("link", "https://meet.example.com/x"),
            ("capacity", "5"), ("price", "0"), ("cut_off_hours", "48"),
        ];
        let refused = world.post(&school.trainer, "/desk/classes/new", &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        for text in ["The trainer is busy", "learns in “Teaching well”", "name=\"shift\" value=\"60\"", "name=\"shift\" value=\"90\""] {
            assert!(refused.body.contains(text), "{text}: {}", refused.body);
        }
        // One tap on a proposal saves it.
        fields.push(("shift", "60"));
        let saved = world.post(&school.trainer, "/desk/classes/new", &fields).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
        let id: ClassId = saved.location().rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(class(&world, id).await.starts_at.to_rfc3339(), "2026-12-10T11:00:00+00:00");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_series_keeps_its_wall_clock_and_a_copy_its_weekday(world: World) {
        let school = School::of(&world, vec![]).await;
        let course = school.course.to_string();
        let room = school.room.to_string();
        let fields = [
            ("course", course.as_str()), ("title", "Every other week"), ("language", "en"), ("zone", "Europe/Madrid"),
            ("date_1", "2027-03-17"), ("starts_1", "09:00"), ("ends_1", "12:00"), ("room", &room),
            ("capacity", "5"), ("price", "0"), ("cut_off_hours", "48"), ("repeats", "3"), ("every", "2"), ("then", "open"),
        ];
        let made = world.post(&school.trainer, "/desk/classes/new", &fields).await;
        assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
        const TIMES: &str = "select starts_at from class_session order by starts_at";
        let rows = fetch_all!(world.db().read().await.unwrap(), (DateTime<Utc>,), TIMES).unwrap();
        let times: Vec<String> = rows.iter().map(|(at,)| at.to_rfc3339()).collect();
        // The clocks go forward on 28 March: nine o'clock stays nine o'clock.
        assert_eq!(times, ["2027-03-17T08:00:00+00:00", "2027-03-31T07:00:00+00:00", "2027-04-14T07:00:00+00:00"]);
        assert_eq!(world.count("select count(*) from class where state = 'open'").await, 3);
        // All or nothing: one of another series meets the second of this one.
        let mut second = fields.to_vec();
        second[1] = ("title", "Every week");
        second[11] = ("repeats", "4");
        second[12] = ("every", "1");
        second[4] = ("date_1", "2027-03-24");
        let refused = world.post(&school.trainer, "/desk/classes/new", &second).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("31 March"), "{}", refused.body);
        assert_eq!(world.count("select count(*) from class").await, 3);
        let id = fetch_all!(world.db().read().await.unwrap(), (ClassId,), "select id from class order by starts_at limit 1").unwrap()[0].0;
        let copy = world.get(&school.trainer, &format!("/desk/classes/new?copy={id}")).await;
        assert_eq!(copy.status, StatusCode::OK);
        for text in ["value=\"Every other week\"", "value=\"2027-03-24\"", "value=\"09:00\"", "value=\"12:00\""] {
            assert!(copy.body.contains(text), "{text}: {}", copy.body);
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn of_two_plans_for_one_room_at_once_one_is_made(world: World) {
        let school = School::of(&world, vec![]).await;
        let mut plans = Vec::new();
        for n in 0..4 {
            let trainer = world.staff_named(Role::Trainer, &format!("trainer{n}@staff.example")).await;
            let cx = world.cx_of(&trainer).await;
            // Half of them are planned there, half are moved there.
            let hours = if n % 2 == 0 { 24 * 9 } else { 24 * 20 + n * 5 };
            let draft = Draft { trainer: trainer.id, room: Some(school.room), link: None, ..school.draft("Room", 5, hours, 0) };
            let id = if n % 2 == 0 { None } else { Some(plan::create(&cx, draft.clone(), None).await.unwrap()) };
            plans.push((cx, draft, id));
        }
        let world = std::sync::Arc::new(world);
        let mut tasks = tokio::task::JoinSet::new();
        for (cx, draft, id) in plans {
            let world = world.clone();
            tasks.spawn(async move {
                match id {
                    None => plan::create(&cx, draft, None).await.map(|_| ()),
                    Some(id) => move_to(&world, &cx, id, 24 * 9).await,
                }
            });
        }
        let done = tasks.join_all().await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
        for error in done.into_iter().filter_map(Result::err) {
            let Refusal::Taken { conflicts } = refusal(error) else { panic!() };
            assert_eq!(conflicts[0].who, Who::Room("Blue room".into()));
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn whoever_helps_and_what_is_used_are_taken_too(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        let form = [("act", "equipment"), ("name", "Projector"), ("at_place", "Madrid")];
        assert_eq!(world.post(&manager, "/desk/settings/training", &form).await.status, StatusCode::SEE_OTHER);
        let thing = store::all_equipment(&mut world.db().read().await.unwrap()).await.unwrap()[0].id;
        let helper = world.staff_named(Role::Technician, "helper@staff.example").await;
        let other = world.staff_named(Role::Trainer, "second@staff.example").await;
        let extras = Extras { assistants: vec![helper.id], equipment: vec![thing], ..Extras::default() };
        let draft = school.draft("Hands on", 5, 24 * 9, 0);
        let first = plan::create_series(&school.cx, vec![draft], extras.clone(), true, None).await.unwrap();
        let draft = Draft { trainer: other.id, ..school.draft("Too", 5, 24 * 9 + 1, 0) };
        let cx = world.cx_of(&other).await;
        let error = plan::create_series(&cx, vec![draft.clone()], extras, false, None).await.unwrap_err();
        let Refusal::Taken { conflicts } = refusal(error) else { panic!() };
        let who: Vec<Who> = conflicts.into_iter().map(|one| one.who).collect();
        assert_eq!(who, [Who::Assistant("The technician".into()), Who::Equipment("Projector".into())]);
        // Who helps no more is free again.
        let rest = change::Rest { assistants: Some(vec![]), equipment: Some(vec![]), ..change::Rest::default() };
        change::edit(&school.cx, first, as_it_is(&class(&world, first).await), rest).await.unwrap();
        let extras = Extras { assistants: vec![helper.id], equipment: vec![thing], ..Extras::default() };
        plan::create_series(&cx, vec![draft], extras, false, None).await.unwrap();
        // A substitute takes the class over, with its time.
        let rest = change::Rest { trainer: Some(other.id), ..change::Rest::default() };
        let error = change::edit(&school.cx, first, as_it_is(&class(&world, first).await), rest.clone()).await.unwrap_err();
        assert!(matches!(refusal(error), Refusal::Taken { .. }));
        let third = world.staff_named(Role::Trainer, "third@staff.example").await;
        let rest = change::Rest { trainer: Some(third.id), ..rest };
        change::edit(&school.cx, first, as_it_is(&class(&world, first).await), rest).await.unwrap();
        assert!(time_of(&world, &school.trainer).await.is_empty());
        assert_eq!(time_of(&world, &third).await.len(), 1);
        assert_eq!(world.get(&school.trainer, &format!("/desk/classes/{first}")).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn an_absence_blocks_planning_and_does_not_go_over_what_is_planned(world: World) {
        let school = School::of(&world, vec![]).await;
        school.open(school.draft("Planned", 5, 24 * 9, 0)).await;
        let day = |from: &'static str, until: &'static str| [("act", "absence"), ("from", from), ("until", until), ("why", "Away")];
        let over = world.post(&school.trainer, "/desk/availability", &day("2026-12-09T00:00", "2026-12-12T00:00")).await;
        assert_eq!(over.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(over.body.contains("Planned"), "{}", over.body);
        let kept = world.post(&school.trainer, "/desk/availability", &day("2026-12-14T00:00", "2026-12-28T00:00")).await;
        assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.body);
        assert_eq!(world.broken().await, Vec::<String>::new());
        let error = plan::create(&school.cx, school.draft("Holiday", 5, 24 * 20, 0), None).await.unwrap_err();
        let Refusal::Taken { conflicts } = refusal(error) else { panic!() };
        assert_eq!(conflicts[0].because, aftercare::training::domain::Because::Absent);
        let id = store::absences(&mut world.db().read().await.unwrap(), school.trainer.id, now()).await.unwrap()[0].id;
        availability::remove_absence(&school.cx, school.trainer.id, id).await.unwrap();
        plan::create(&school.cx, school.draft("Holiday", 5, 24 * 20, 0), None).await.unwrap();
        let hours = [("act", "hours"), ("day_1", "09:00-13:00"), ("day_2", "nine")];
        assert_eq!(world.post(&school.trainer, "/desk/availability", &hours).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let hours = [("act", "hours"), ("day_1", "09:00-13:00, 14:00-18:00")];
        assert_eq!(world.post(&school.trainer, "/desk/availability", &hours).await.status, StatusCode::SEE_OTHER);
        assert!(world.get(&school.trainer, "/desk/availability").await.body.contains("14:00-18:00"));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn enrolling_waits_for_its_window(world: World) {
        let school = School::of(&world, vec![]).await;
        let opens = now() + Duration::days(2);
        let window = aftercare::training::domain::Window { opens: Some(opens), closes: Some(opens + Duration::days(3)) };
        let extras = Extras { window, ..Extras::default() };
        let id = plan::create_series(&school.cx, vec![school.draft("Later", 5, 24 * 9, 0)], extras, true, None).await.unwrap();
        let ann = world.customer("ann@example.com").await;
        let path = format!("/training/{id}");
        let page = world.get(&ann, &path).await.body;
        assert!(page.contains("Enrolment opens on") && !page.contains("id=\"enrol\""), "{page}");
        assert_eq!(world.post(&ann, &path, &[("act", "enrol")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        // Staff who act for her need not wait.
        let row = class(&world, id).await;
        assert!(seats::rules_for(&school.cx, &row, ann.id).window.check(now()).is_ok());
        assert!(seats::rules_for(&world.cx_of(&ann).await, &row, ann.id).window.check(now()).is_err());
        world.advance(Duration::days(2));
        assert_eq!(enrol(&world, &ann, id).await, EnrolmentState::Booked);
        world.advance(Duration::days(5));
        let bob = world.customer("bob@example.com").await;
        let late = world.post(&bob, &path, &[("act", "enrol")]).await;
        assert!(late.body.contains("Enrolment closed on"), "{}", late.body);
    }
}

both! {
    async fn a_wish_is_kept_changed_withdrawn_and_told_of(world: World) {
        let school = School::of(&world, vec![]).await;
        let ann = world.customer("ann@example.com").await;
        let path = format!("/training/ask/{}", school.course);
        assert!(world.get(&ann, "/training/ask").await.body.contains("Printers"));
        let nothing = world.post(&ann, &path, &[("act", "ask"), ("language", ""), ("place", "")]).await;
        assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
        let key = "0190b5a0-0000-7000-8000-000000000007";
        let ask = [("act", "ask"), ("time", "2-morning"), ("time", "4-evening"), ("language", "en"), ("place", "Madrid"), ("key", key)];
        for _ in 0..2 {
            assert_eq!(world.post(&ann, &path, &ask).await.status, StatusCode::SEE_OTHER);
        }
        let page = world.get(&ann, &path).await.body;
        assert!(page.contains("We have your wish") && page.contains("id=\"withdraw-wish\""), "{page}");
        assert_eq!(world.count("select count(*) from class_wish where state = 'open'").await, 1);
        assert_eq!(world.count("select count(*) from history where entity = 'class_wish'").await, 1);
        world.post(&ann, &path, &[("act", "ask"), ("day_1", "2027-01-14"), ("language", ""), ("place", "")]).await;
        assert_eq!(world.count("select count(*) from class_wish").await, 1);
        // A class opens: she is told once, and asks no more once she has a seat.
        let id = school.open(school.draft("Printers again", 5, 24 * 9, 0)).await;
        let (subject, _, link) = world.letter("ann@example.com").await.unwrap();
        assert!(subject.contains("Printers again") && link.unwrap().ends_with(&format!("/training/{id}")));
        enrol(&world, &ann, id).await;
        assert_eq!(world.count("select count(*) from class_wish where state = 'answered'").await, 1);
        world.post(&ann, &path, &ask[..5]).await;
        world.post(&ann, &path, &[("act", "withdraw")]).await;
        world.post(&ann, &path, &[("act", "withdraw")]).await;
        assert_eq!(world.count("select count(*) from class_wish where state = 'open'").await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn everybody_who_asked_is_told_however_many_they_are(world: World) {
        const ASKERS: i64 = 201;
        let school = School::of(&world, vec![]).await;
        let mut askers = Vec::new();
        for n in 0..ASKERS {
            askers.push(world.person(&format!("asker{n}@example.com")).await);
        }
        let (course, at) = (school.course, now());
        let permit = world.operator().may(Act::AskForClass, &Subject::nobody()).unwrap();
        let wanted = store::Wanted { language: String::new(), place: String::new(), times: "7-evening".parse().unwrap() };
        world
            .db()
            .write(move |tx| {
                let (askers, wanted) = (askers.clone(), wanted.clone());
                Box::pin(async move {
                    for person in askers {
                        store::insert_wish(tx, &permit, course, person, &wanted, at).await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
        let told = async || world.count("select count(*) from message where letter = 'class_opened'").await;
        school.open(school.draft("Opened", 5, 24 * 9, 0)).await;
        assert_eq!(told().await, ASKERS);
        // A class that is opened for them and suits nobody.
        asks::open_for(&school.cx, school.draft("For those who asked", 5, 24 * 16, 0), Extras::default(), None).await.unwrap();
        assert_eq!(told().await, 2 * ASKERS);
    }
}

both! {
    async fn one_tap_opens_the_class_that_most_asked_for(world: World) {
        let school = School::of(&world, vec![]).await;
        let path = format!("/training/ask/{}", school.course);
        let mut people = Vec::new();
        for (name, time, place) in [("ann", "2-morning", ""), ("bob", "2-morning", "Madrid"), ("cleo", "4-evening", ""), ("dan", "2-morning", "online")] {
            let who = world.customer(&format!("{name}@example.com")).await;
            let ask = [("act", "ask"), ("time", time), ("language", ""), ("place", place)];
            assert_eq!(world.post(&who, &path, &ask).await.status, StatusCode::SEE_OTHER);
            people.push(who);
        }
        // On the first Tuesday that could be, one of them learns elsewhere all morning.
        let other = world.staff_named(Role::Trainer, "second@staff.example").await;
        let from: DateTime<Utc> = "2026-12-08T06:30:00Z".parse().unwrap();
        let sessions = vec![Span { from, until: from + Duration::hours(5) }];
        let draft = Draft { trainer: other.id, sessions, ..school.draft("Elsewhere", 5, 1, 0) };
        let cx = world.cx_of(&other).await;
        let busy = plan::create(&cx, draft, None).await.unwrap();
        plan::publish(&cx, busy).await.unwrap();
        seats::enrol(&world.cx_of(&people[1]).await, busy, Consent::default()).await.unwrap();
        // Having a seat in a class of the course he asks no more; he asks again.
        world.post(&people[1], &path, &[("act", "ask"), ("time", "2-morning"), ("language", ""), ("place", "Madrid")]).await;
        let board = world.get(&school.trainer, "/desk/demand").await;
        assert!(board.body.contains("4 people ask"), "{}", board.body);
        let (trainer, room) = (school.trainer.id.to_string(), school.room.to_string());
        // Where nothing is said yet, times are proposed all the same.
        assert!(world.get(&school.trainer, &format!("/desk/demand/{}", school.course)).await.body.contains("id=\"best-times\""));
        let terms = format!(
            "trainer={trainer}&language=en&minutes=120&room={room}&link=&capacity=5&price=0&cut_off_hours=48"
        );
        let desk = format!("/desk/demand/{}", school.course);
        let found = world.get(&school.trainer, &format!("{desk}?{terms}")).await;
        assert_eq!(found.status, StatusCode::OK);
        // Two can come on Tuesday the 15th at eight; on the 8th only one.
        let first = found.body.split("name=\"at\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!(first, "2026-12-15T07:00:00+00:00", "{}", found.body);
        assert!(found.body.contains("2 people can come"), "{}", found.body);
        let mut fields = vec![
            ("trainer", trainer.as_str()), ("language", "en"), ("minutes", "120"), ("room", &room), ("link", ""),
            ("capacity", "5"), ("price", "0"), ("cut_off_hours", "48"), ("at", &first),
            ("key", "0190b5a0-0000-7000-8000-000000000009"),
        ];
        let opened = world.post(&school.trainer, &desk, &fields).await;
        assert_eq!(opened.status, StatusCode::SEE_OTHER, "{}", opened.body);
        let id: ClassId = opened.location().rsplit('/').next().unwrap().parse().unwrap();
        let twice = world.post(&school.trainer, &desk, &fields).await;
        assert_eq!(twice.location(), opened.location());
        let row = class(&world, id).await;
        assert_eq!((row.taken, row.held, row.state), (0, 2, aftercare::training::domain::ClassState::Open));
        for (at, who) in people.iter().enumerate() {
            let offered = state(&world, who, id).await == Some(EnrolmentState::Offered);
            assert_eq!(offered, at < 2, "{at}");
        }
        assert_eq!(world.count("select count(*) from class_wish where state = 'open'").await, 2);
        assert!(world.letter("ann@example.com").await.unwrap().1.contains("a seat is kept for you"));
        assert!(world.letter("cleo@example.com").await.unwrap().1.contains("See whether it suits you"));
        // Another at the same time is refused.
        fields[9] = ("key", "0190b5a0-0000-7000-8000-00000000000a");
        assert_eq!(world.post(&school.trainer, &desk, &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_class_keeps_the_rules_that_held_when_it_was_published(world: World) {
        let school = School::of(&world, vec![]).await;
        let old = school.open(school.draft("Old rules", 1, 24 * 20, 9000)).await;
        let manager = world.staff(Role::Manager).await;
        let set = |hours: &'static str| [
            ("act", "rules"), ("cut_off_hours", "24"), ("offer_hours", "6"), ("freeze_hours", hours),
            ("late_cancel", "returned"), ("no_show", "returned"),
        ];
        assert_eq!(world.post(&manager, "/desk/settings/training", &set("999")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.post(&manager, "/desk/settings/training", &set("12")).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.post(&school.trainer, "/desk/settings/training", &set("1")).await.status, StatusCode::FORBIDDEN);
        assert_eq!(rules::read(&mut world.db().read().await.unwrap()).await.unwrap().terms.offer_minutes, 360);
        assert!(world.get(&school.trainer, "/desk/classes/new").await.body.contains("value=\"24\""));
        let new = school.open(school.draft("New rules", 1, 24 * 21, 9000)).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        let old_page = world.get(&ann, &format!("/training/{old}")).await.body;
        assert!(old_page.contains("for 24 hours") && old_page.contains("counts as used"), "{old_page}");
        let new_page = world.get(&ann, &format!("/training/{new}")).await.body;
        for text in ["for 6 hours", "cancelling costs nothing either", "gets back what their seat cost"] {
            assert!(new_page.contains(text), "{text}: {new_page}");
        }
        for who in [&ann, &bob] {
            enrol(&world, who, new).await;
        }
        // An offer lives for six hours, and is free to cancel late.
        world.advance(Duration::days(20) + Duration::hours(1));
        seats::cancel(&world.cx_of(&ann).await, new, Consent::default()).await.unwrap();
        assert_eq!(world.count("select count(*) from charge where state = 'void'").await, 1);
        let offer = store::active(&mut world.db().read().await.unwrap(), new, bob.id).await.unwrap().unwrap();
        let at = world.cx_of(&bob).await.now;
        let lasts = offer.offered_until.unwrap() - at;
        assert!((lasts - Duration::minutes(11 * 30)).abs() < Duration::minutes(1), "{lasts}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn check_names_what_breaks_a_promise_of_planning(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        let form = [("act", "equipment"), ("name", "Projector"), ("at_place", "Madrid")];
        world.post(&manager, "/desk/settings/training", &form).await;
        let thing = store::all_equipment(&mut world.db().read().await.unwrap()).await.unwrap()[0].id;
        let helper = world.staff_named(Role::Technician, "helper@staff.example").await;
        let extras = Extras { assistants: vec![helper.id], equipment: vec![thing], ..Extras::default() };
        let id = plan::create_series(&school.cx, vec![school.draft("Broken", 1, 24 * 9, 0)], extras, true, None).await.unwrap();
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        for who in [&ann, &bob] {
            enrol(&world, who, id).await;
        }
        let away = now() + Duration::days(30);
        let span = Span { from: away, until: away + Duration::days(10) };
        availability::add_absence(&school.cx, school.trainer.id, span, String::new(), None).await.unwrap();
        assert_eq!(world.broken().await, Vec::<String>::new());
        let finds = async |name: &str, corruption: &'static str, repair: &'static str| {
            world.corrupt(corruption).await;
            let broken = world.broken().await;
            assert!(broken.contains(&name.to_owned()), "{name}: {broken:?}");
            world.corrupt(repair).await;
            assert_eq!(world.broken().await, Vec::<String>::new(), "after {name}");
        };
        finds(
            "session_without_its_time",
            "update busy set entity = 'lost' where entity = 'class' and resource_id = (select trainer_id from class)",
            "update busy set entity = 'class' where entity = 'lost'",
        ).await;
        finds(
            "seat_without_its_sessions",
            "update busy set entity = 'lost' where entity = 'enrolment'",
            "update busy set entity = 'enrolment' where entity = 'lost'",
        ).await;
        finds(
            "assistant_without_their_time",
            "update busy set entity = 'lost' where entity = 'class' and resource_id = (select person_id from class_assistant)",
            "update busy set entity = 'class' where entity = 'lost'",
        ).await;
        finds(
            "equipment_without_its_time",
            "update busy set entity = 'lost' where entity = 'class' and resource_id = (select equipment_id from class_equipment)",
            "update busy set entity = 'class' where entity = 'lost'",
        ).await;
        finds(
            "absence_without_its_time",
            "update busy set entity = 'lost' where entity = 'absence'",
            "update busy set entity = 'absence' where entity = 'lost'",
        ).await;
        finds(
            "start_without_a_job",
            "update job set kind = 'lost' where kind = 'start_class'",
            "update job set kind = 'start_class' where kind = 'lost'",
        ).await;
        seats::cancel(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        finds(
            "offer_after_the_freeze",
            "update enrolment set offer_freezes_at = created_at where state = 'offered'",
            "update enrolment set offer_freezes_at = offered_until where state = 'offered'",
        ).await;
    }
}

async fn add_room(world: &World, name: &str, place: &str) -> RoomId {
    add_room_in(world, name, place, "Europe/Madrid").await
}

async fn add_room_in(world: &World, name: &str, place: &str, zone: &str) -> RoomId {
    let permit = world.operator().may(Act::AddRoom, &Subject::nobody()).unwrap();
    let row = store::RoomRow {
        id: fresh(),
        name: name.into(),
        place: place.into(),
        address: format!("{name} street 1"),
        zone: zone.into(),
        capacity: 20,
        version: 1,
        retired_at: None,
    };
    let id = row.id;
    world
        .db()
        .write(move |tx| {
            let row = row.clone();
            Box::pin(async move { store::insert_room(tx, &permit, &row).await })
        })
        .await
        .unwrap();
    id
}

both! {
    async fn a_class_in_a_room_keeps_the_clock_of_its_place_and_moves_to_that_of_another(world: World) {
        let school = School::of(&world, vec![]).await;
        let vilnius = add_room_in(&world, "White room", "Vilnius", "Europe/Vilnius").await;
        let (course, madrid) = (school.course.to_string(), school.room.to_string());
        // Whatever zone the form was left at.
        let fields = [
            ("course", course.as_str()), ("title", "Nine o'clock"), ("language", "en"), ("zone", "Asia/Kolkata"),
            ("date_1", "2026-12-10"), ("starts_1", "09:00"), ("ends_1", "12:00"),
            ("date_2", "2027-03-31"), ("starts_2", "09:00"), ("ends_2", "12:00"), ("room", &madrid), ("then", "open"),
            ("capacity", "5"), ("price", "0"), ("cut_off_hours", "48"),
        ];
        let made = world.post(&school.trainer, "/desk/classes/new", &fields).await;
        assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
        let id: ClassId = made.location().rsplit('/').next().unwrap().parse().unwrap();
        let times = async || {
            let rows = store::sessions(&mut world.db().read().await.unwrap(), id).await.unwrap();
            let times: Vec<String> = rows.iter().map(|row| row.starts_at.format("%m-%dT%H:%MZ").to_string()).collect();
            (class(&world, id).await.zone, times.join(" "))
        };
        let said = |zone: &str, times: &str| (zone.to_owned(), times.to_owned());
        assert_eq!(times().await, said("Europe/Madrid", "12-10T08:00Z 03-31T07:00Z"));
        // Once the first has begun, the second is held elsewhere: at nine o'clock there, and the first stays when it was.
        world.advance(Duration::days(11));
        world.drain().await;
        let rows = store::sessions(&mut world.db().read().await.unwrap(), id).await.unwrap();
        let (first, second, room) = (rows[0].id.to_string(), rows[1].id.to_string(), vilnius.to_string());
        let version = class(&world, id).await.version.to_string();
        let form = [
            ("version", version.as_str()), ("title", "Nine o'clock"), ("room", &room), ("link", ""), ("capacity", "5"),
            ("price", "0"), ("cut_off_hours", "48"),
            ("session_1", &first), ("date_1", "2026-12-10"), ("starts_1", "09:00"), ("ends_1", "12:00"),
            ("session_2", &second), ("date_2", "2027-03-31"), ("starts_2", "09:00"), ("ends_2", "12:00"),
        ];
        let saved = world.post(&school.trainer, &format!("/desk/classes/{id}/edit"), &form).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
        assert_eq!(times().await, said("Europe/Vilnius", "12-10T08:00Z 03-31T06:00Z"));
        assert_eq!(world.count("select count(*) from class_session where starts = '09:00'").await, 2);
        // Whoever changes only the room keeps the clock as well.
        let edit = change::Edit { room: Some(school.room), ..as_it_is(&class(&world, id).await) };
        change::edit(&school.now(&world).await, id, edit, change::Rest::default()).await.unwrap();
        assert_eq!(times().await, said("Europe/Madrid", "12-10T08:00Z 03-31T07:00Z"));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_substitute_and_whoever_is_free_again_hear_it_but_not_whoever_did_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let helper = world.staff_named(Role::Technician, "helper@staff.example").await;
        let other = world.staff_named(Role::Technician, "other@staff.example").await;
        let id = school.open(school.draft("Printers", 5, 24 * 9, 0)).await;
        let rest = change::Rest { assistants: Some(vec![helper.id]), ..change::Rest::default() };
        change::edit(&school.cx, id, as_it_is(&class(&world, id).await), rest).await.unwrap();
        const CREW: &str = "select count(*) from message where letter like 'crew_%'";
        assert_eq!(world.count(CREW).await, 1, "the trainer knows what she did");
        let (subject, body, link) = world.letter("helper@staff.example").await.unwrap();
        assert!(subject.contains("You help in “Printers”") && body.contains("The trainer is The trainer"), "{subject}: {body}");
        assert!(body.contains("10 December") && link.unwrap().ends_with(&format!("/desk/classes/{id}/room")), "{body}");
        // A manager moves the class: both hear it, once.
        let cx = world.cx_of(&manager).await;
        move_to(&world, &cx, id, 24 * 11).await.unwrap();
        assert_eq!(world.count("select count(*) from message where letter = 'crew_moved'").await, 2);
        let (subject, body, _) = world.letter("trainer@staff.example").await.unwrap();
        assert!(subject.contains("has moved") && body.contains("10 December") && body.contains("12 December"), "{body}");
        assert!(body.contains("changed by The manager"), "{body}");
        // What concerns neither of them tells neither.
        let edit = change::Edit { capacity: 6, ..as_it_is(&class(&world, id).await) };
        change::edit(&cx, id, edit, change::Rest::default()).await.unwrap();
        assert_eq!(world.count(CREW).await, 3);
        // A substitute and another helper: the new ones and the old ones.
        let rest = change::Rest { trainer: Some(second.id), assistants: Some(vec![other.id]), ..change::Rest::default() };
        change::edit(&cx, id, as_it_is(&class(&world, id).await), rest).await.unwrap();
        assert_eq!(world.count(CREW).await, 7);
        let (subject, body, link) = world.letter("second@staff.example").await.unwrap();
        assert!(subject.contains("You teach “Printers”") && body.contains("12 December"), "{subject}: {body}");
        assert!(link.unwrap().ends_with(&format!("/desk/classes/{id}")));
        for old in ["trainer@staff.example", "helper@staff.example"] {
            assert!(world.letter(old).await.unwrap().0.contains("no longer needed"), "{old}");
        }
        assert!(world.letter("other@staff.example").await.unwrap().0.contains("You help in"));
        // She moves her own class: who helps hears it, and the calendar follows that a letter had put it into.
        move_to(&world, &world.cx_of(&second).await, id, 24 * 12).await.unwrap();
        assert_eq!(world.count("select count(*) from message where letter = 'crew_moved'").await, 4);
        plan::cancel(&world.cx_of(&manager).await, id, "No heating.".into()).await.unwrap();
        assert_eq!(world.count("select count(*) from message where letter = 'crew_cancelled'").await, 2);
        let (subject, body, _) = world.letter("second@staff.example").await.unwrap();
        assert!(subject.contains("does not take place") && body.contains("No heating."), "{subject}: {body}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

/// What the calendar of somebody was told, appointment by appointment: its method, and the number of the change.
async fn calendar(world: &World, email: &str) -> Vec<(String, i64)> {
    const TOLD: &str = "select c.method, c.sequence from message_calendar c join message m on m.id = c.message_id \
        where m.email = $1 order by c.thread, c.number";
    fetch_all!(world.db().read().await.unwrap(), (String, i64), TOLD, email).unwrap()
}

both! {
    async fn whoever_is_planned_into_a_class_by_somebody_else_has_it_in_their_calendar(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let helper = world.staff_named(Role::Technician, "helper@staff.example").await;
        let (trainer, helps) = ("trainer@staff.example", "helper@staff.example");
        let cx = world.cx_of(&manager).await;
        let extras = plan::Extras { assistants: vec![helper.id], ..plan::Extras::default() };
        let draft = school.draft("Printers", 5, 24 * 9, 0);
        let id = plan::create_series(&cx, vec![draft], extras.clone(), false, None).await.unwrap();
        const CREW: &str = "select count(*) from message where letter like 'crew_%'";
        assert_eq!(world.count(CREW).await, 2);
        let (subject, body, link) = world.letter(trainer).await.unwrap();
        assert!(subject.contains("You teach “Printers”") && body.contains("10 December"), "{subject}: {body}");
        assert!(body.contains("It was planned by The manager.") && link.unwrap().ends_with(&format!("/desk/classes/{id}")), "{body}");
        let (subject, body, link) = world.letter(helps).await.unwrap();
        assert!(subject.contains("You help in “Printers”") && body.contains("The trainer is The trainer"), "{subject}: {body}");
        assert!(link.unwrap().ends_with(&format!("/desk/classes/{id}/room")));
        let request = |sequence| ("request".to_owned(), sequence);
        for who in [trainer, helps] {
            assert_eq!(calendar(&world, who).await, [request(0)], "{who}");
        }
        // It was theirs before it was published.
        plan::publish(&cx, id).await.unwrap();
        assert_eq!(world.count(CREW).await, 2);
        // Her feed has the same appointment.
        let thread = aftercare::fetch_scalar!(
            world.db().read().await.unwrap(),
            String,
            "select c.thread from message_calendar c join message m on m.id = c.message_id where m.email = $1",
            trainer
        )
        .unwrap()
        .unwrap();
        world.post(&school.trainer, "/training/mine", &[("act", "renew")]).await;
        let page = world.get(&school.trainer, "/training/mine").await.body;
        let start = page.find("http://portal.test/calendar/").unwrap() + "http://portal.test".len();
        let feed = world.get(None, &page[start..start + page[start..].find('"').unwrap()]).await.body.replace("\r\n ", "");
        assert!(feed.contains(&format!("UID:{thread}")), "{feed}");
        // She moves it herself: what a letter has put into her calendar follows.
        move_to(&world, &school.now(&world).await, id, 24 * 11).await.unwrap();
        for who in [trainer, helps] {
            assert_eq!(calendar(&world, who).await, [request(0), request(1)], "{who}");
        }
        assert!(!world.letter(trainer).await.unwrap().1.contains("changed by"));
        assert!(world.letter(helps).await.unwrap().1.contains("changed by The trainer"));
        // A substitute: one calendar is emptied, another one filled.
        let rest = change::Rest { trainer: Some(second.id), ..change::Rest::default() };
        change::edit(&cx, id, as_it_is(&class(&world, id).await), rest).await.unwrap();
        assert_eq!(calendar(&world, trainer).await.last().unwrap().0, "cancel");
        assert_eq!(calendar(&world, "second@staff.example").await, [request(1)]);
        plan::cancel(&cx, id, "No heating.".into()).await.unwrap();
        for who in ["second@staff.example", helps] {
            assert_eq!(calendar(&world, who).await.last().unwrap().0, "cancel", "{who}");
        }
        // What one plans oneself is no news; each session of two is an appointment.
        let told = world.count(CREW).await;
        let mut draft = school.draft("Twice", 5, 24 * 20, 0);
        let (from, until) = (draft.sessions[0].from + Duration::days(1), draft.sessions[0].until + Duration::days(1));
        draft.sessions.push(Span { from, until });
        plan::create_series(&school.now(&world).await, vec![draft], extras, true, None).await.unwrap();
        assert_eq!(world.count(CREW).await, told + 1, "only who helps");
        assert_eq!(calendar(&world, helps).await.iter().filter(|(method, _)| method == "request").count(), 4);
        assert_eq!(calendar(&world, trainer).await.len(), 3);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn what_was_said_and_marked_of_a_session_does_not_move_along_with_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Monday", 5, 24 * 9, 0)).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        for who in [&ann, &bob] {
            enrol(&world, who, id).await;
        }
        let session = store::sessions(&mut world.db().read().await.unwrap(), id).await.unwrap()[0].clone();
        announce::say(&world.cx_of(&ann).await, id, session.id, Announced::Absent, "A wedding.".into()).await.unwrap();
        // It ends later: what she said of it stands.
        let longer = Span { from: session.starts_at, until: session.ends_at + Duration::hours(1) };
        let rest = change::Rest { sessions: Some(vec![(Some(session.id), longer)]), ..change::Rest::default() };
        change::edit(&school.cx, id, as_it_is(&class(&world, id).await), rest).await.unwrap();
        assert_eq!(world.count("select count(*) from announcement").await, 1);
        assert!(!world.letter("ann@example.com").await.unwrap().1.contains("say it again"));
        // Half an hour before, everybody is marked; then it is put off.
        world.advance(Duration::hours(24 * 9) - Duration::minutes(30));
        let trainer = school.now(&world).await;
        attend::mark_rest(&trainer, id, session.id).await.unwrap();
        let hers = store::active(&mut world.db().read().await.unwrap(), id, ann.id).await.unwrap().unwrap().id;
        attend::mark(&trainer, id, session.id, hers, None, Some(Mark::Absent)).await.unwrap();
        assert_eq!(world.count("select count(*) from attendance").await, 2);
        move_to(&world, &trainer, id, 24 * 12).await.unwrap();
        assert_eq!(world.count("select count(*) from attendance").await, 0);
        assert_eq!(world.count("select count(*) from announcement").await, 0);
        assert!(world.letter("ann@example.com").await.unwrap().1.contains("please say it again"));
        assert!(!world.letter("bob@example.com").await.unwrap().1.contains("say it again"));
        let roster = world.get(&school.trainer, &format!("/desk/classes/{id}")).await.body;
        assert!(!roster.contains("A wedding."), "{roster}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn whoever_agreed_to_other_rules_has_time_to_go_free_of_charge(world: World) {
        let school = School::of(&world, vec![]).await;
        let (madrid, toledo) = (add_room(&world, "Red room", "Madrid").await, add_room(&world, "Green room", "Toledo").await);
        let id = school.open(Draft { room: Some(madrid), ..school.draft("Agreed", 1, 24 * 9, 9000) }).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        for who in [&ann, &bob] {
            enrol(&world, who, id).await;
        }
        let terms = "select count(*) from message where letter = 'class_terms'";
        let free = async || (class(&world, id).await.policy().free_until() - now()).num_hours();
        let edit = async |edit: change::Edit, language: &str| {
            let rest = change::Rest { language: Some(language.into()), ..change::Rest::default() };
            change::edit(&school.now(&world).await, id, edit, rest).await.unwrap();
        };
        // Less notice than before costs nobody anything.
        edit(change::Edit { cut_off_hours: 24, ..as_it_is(&class(&world, id).await) }, "en").await;
        assert_eq!((free().await, world.count(terms).await), (24 * 8, 0));
        // More does: there are three days to decide, and everybody who has a seat hears it.
        edit(change::Edit { cut_off_hours: 24 * 8, ..as_it_is(&class(&world, id).await) }, "en").await;
        assert_eq!((free().await, world.count(terms).await), (72, 1));
        let (subject, body, _) = world.letter("ann@example.com").await.unwrap();
        assert!(subject.contains("Agreed") && body.contains("192 h before") && body.contains("4 December"), "{subject}: {body}");
        // Another language is told to those in line as well.
        world.advance(Duration::days(1));
        edit(as_it_is(&class(&world, id).await), "es").await;
        assert_eq!((free().await, world.count(terms).await), (96, 3));
        for who in ["ann@example.com", "bob@example.com"] {
            assert!(world.letter(who).await.unwrap().1.contains("Español"), "{who}");
        }
        // So is another town, with the letter that says where it is.
        world.advance(Duration::days(2));
        edit(change::Edit { room: Some(toledo), ..as_it_is(&class(&world, id).await) }, "es").await;
        assert_eq!((free().await, world.count(terms).await), (24 * 6, 3));
        assert!(world.letter("ann@example.com").await.unwrap().1.contains("Toledo"));
        // Nothing is lost by it: she goes within her three days, and it costs nothing.
        world.advance(Duration::days(2));
        seats::cancel(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        assert_eq!(world.count("select count(*) from enrolment where state = 'cancelled'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn of_a_cancelled_class_everybody_gets_the_first_later_one_that_has_room_for_them(world: World) {
        let firm = Firm::of(&world, 3, 0).await;
        let school = &firm.school;
        let id = school.open(school.draft("Cancelled", 12, 24 * 9, 0)).await;
        // The next one by time is held in another language, the last one has most room.
        let spanish = school.open(Draft { language: "es".into(), ..school.draft("Spanish", 3, 24 * 10, 0) }).await;
        let small = school.open(school.draft("Small", 2, 24 * 11, 0)).await;
        let town = school.open(Draft { room: Some(school.room), ..school.draft("In town", 5, 24 * 12, 0) }).await;
        let large = school.open(school.draft("Large", 5, 24 * 13, 0)).await;
        let names = ["ann", "bob", "cleo", "dan", "eve"];
        let mut people = Vec::new();
        for name in names {
            let who = world.customer(&format!("{name}@example.com")).await;
            enrol(&world, &who, id).await;
            people.push(who);
        }
        // Ann is elsewhere when the small one meets; Bob gave a seat in it up.
        let other = world.staff_named(Role::Trainer, "second@staff.example").await;
        let cx = world.cx_of(&other).await;
        let second = School::course(&world, "Another course", vec![]).await;
        let draft = Draft { course: second, trainer: other.id, ..school.draft("Elsewhere", 5, 24 * 11, 0) };
        let elsewhere = plan::create(&cx, draft, None).await.unwrap();
        plan::publish(&cx, elsewhere).await.unwrap();
        enrol(&world, &people[0], elsewhere).await;
        enrol(&world, &people[1], small).await;
        seats::cancel(&world.cx_of(&people[1]).await, small, Consent::default()).await.unwrap();
        firm.enrol(&world, id, firm.group(&[0, 1, 2], 0, Wish::Together)).await.unwrap();
        let places = async |who: &Signed| {
            let mut of = Vec::new();
            for (name, class) in [("spanish", spanish), ("small", small), ("town", town), ("large", large)] {
                of.extend(state(&world, who, class).await.map(|state| (name, state)));
            }
            of
        };
        plan::cancel(&school.now(&world).await, id, "Ill.".into()).await.unwrap();
        let offered = EnrolmentState::Offered;
        assert_eq!(places(&people[0]).await, [("large", offered)]);
        assert_eq!(places(&people[1]).await, [("large", offered)]);
        assert_eq!(places(&people[2]).await, [("small", offered)]);
        assert_eq!(places(&people[3]).await, [("small", offered)]);
        assert_eq!(places(&people[4]).await, [("large", offered)]);
        // Two seats are left in the large one: the whole group goes to town.
        for who in &firm.people {
            assert_eq!(places(who).await, [("town", offered)]);
        }
        let (_, body, _) = world.letter("owner@firm.example").await.unwrap();
        assert!(body.contains("Where: Blue room, Calle Mayor 1, Madrid. Language: English."), "{body}");
        assert!(!world.letter("eve@example.com").await.unwrap().1.contains("Language:"));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_class_of_several_sessions_is_opened_for_askers_with_all_that_it_needs(world: World) {
        let school = School::of(&world, vec![]).await;
        let ask = format!("/training/ask/{}", school.course);
        let ann = world.customer("ann@example.com").await;
        let wish = [("act", "ask"), ("time", "2-morning"), ("language", ""), ("place", "")];
        assert_eq!(world.post(&ann, &ask, &wish).await.status, StatusCode::SEE_OTHER);
        let helper = world.staff_named(Role::Technician, "helper@staff.example").await;
        let manager = world.staff(Role::Manager).await;
        let form = [("act", "equipment"), ("name", "Projector"), ("at_place", "Madrid")];
        assert_eq!(world.post(&manager, "/desk/settings/training", &form).await.status, StatusCode::SEE_OTHER);
        let thing = store::all_equipment(&mut world.db().read().await.unwrap()).await.unwrap()[0].id.to_string();
        // The last class of the course had two sessions: so many are proposed.
        let other = world.staff_named(Role::Trainer, "second@staff.example").await;
        let cx = world.cx_of(&other).await;
        let draft = Draft { trainer: other.id, ..school.draft("Before", 5, 24 * 40, 0) };
        let again = Span { from: draft.sessions[0].from + Duration::days(1), until: draft.sessions[0].until + Duration::days(1) };
        plan::create(&cx, Draft { sessions: vec![draft.sessions[0], again], ..draft }, None).await.unwrap();
        let desk = format!("/desk/demand/{}", school.course);
        let page = world.get(&school.trainer, &desk).await.body;
        let field = page.split("name=\"sessions\"").nth(1).unwrap();
        assert!(field.split('>').next().unwrap().contains("value=\"2\""), "{page}");
        assert!(page.contains("Projector") && page.contains("name=\"assistants\""), "{page}");
        // The helper is away on the second Tuesday: what would meet then is not proposed.
        let from = "2026-12-15T00:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let away = Span { from, until: from + Duration::days(1) };
        let boss = world.cx_of(&manager).await;
        availability::add_absence(&boss, helper.id, away, String::new(), None).await.unwrap();
        let (trainer, helper) = (school.trainer.id.to_string(), helper.id.to_string());
        let terms = format!(
            "trainer={trainer}&language=en&minutes=120&sessions=3&room=&link=https%3A%2F%2Fmeet.example.com%2Fx&capacity=5&price=0\
             &cut_off_hours=48&assistants={helper}&equipment={thing}"
        );
        let found = world.get(&school.trainer, &format!("{desk}?{terms}")).await;
        let first = found.body.split("name=\"at\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!(first, "2026-12-22T07:00:00+00:00", "{}", found.body);
        assert!(found.body.contains("the last session is on"), "{}", found.body);
        let too_many = world.get(&school.trainer, &format!("{desk}?{}", terms.replace("sessions=3", "sessions=30"))).await;
        assert_eq!(too_many.status, StatusCode::UNPROCESSABLE_ENTITY);
        let mut fields = vec![
            ("trainer", trainer.as_str()), ("language", "en"), ("minutes", "120"), ("sessions", "3"), ("room", ""),
            ("link", "https://meet.example.com/x"), ("capacity", "5"), ("price", "0"), ("cut_off_hours", "48"),
            ("assistants", helper.as_str()), ("equipment", thing.as_str()), ("at", "2026-12-08T07:00:00+00:00"),
        ];
        // What is taken on one of the days only is refused.
        assert_eq!(world.post(&school.trainer, &desk, &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        fields[11] = ("at", first.as_str());
        // Each once, however often it is named.
        fields.extend([("assistants", helper.as_str()), ("equipment", thing.as_str())]);
        let opened = world.post(&school.trainer, &desk, &fields).await;
        assert_eq!(opened.status, StatusCode::SEE_OTHER, "{}", opened.body);
        let id: ClassId = opened.location().rsplit('/').next().unwrap().parse().unwrap();
        let mut tx = world.db().read().await.unwrap();
        let days: Vec<String> = store::sessions(&mut tx, id).await.unwrap().iter().map(|row| row.starts_at.to_rfc3339()).collect();
        assert_eq!(days, ["2026-12-22T07:00:00+00:00", "2026-12-29T07:00:00+00:00", "2027-01-05T07:00:00+00:00"]);
        assert_eq!(store::assistants(&mut tx, id).await.unwrap().len(), 1);
        assert_eq!(store::equipment_of(&mut tx, id).await.unwrap().len(), 1);
        drop(tx);
        assert_eq!(state(&world, &ann, id).await, Some(EnrolmentState::Offered));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn whose_offer_staff_give_back_asks_again(world: World) {
        let school = School::of(&world, vec![]).await;
        let ann = world.customer("ann@example.com").await;
        let path = format!("/training/ask/{}", school.course);
        let page = world.get(&ann, &path).await.body;
        assert!(page.contains("of a class on line, by the clock of"), "{page}");
        let wish = [("act", "ask"), ("time", "2-morning"), ("language", ""), ("place", "")];
        assert_eq!(world.post(&ann, &path, &wish).await.status, StatusCode::SEE_OTHER);
        let cx = school.now(&world).await;
        let id = asks::open_for(&cx, school.draft("Asked for", 4, 24 * 14 - 1, 0), Extras::default(), None).await.unwrap();
        let open = async || world.count("select count(*) from class_wish where state = 'open'").await;
        assert_eq!((open().await, state(&world, &ann, id).await), (0, Some(EnrolmentState::Offered)));
        let row = store::active(&mut world.db().read().await.unwrap(), id, ann.id).await.unwrap().unwrap();
        staff_seats::give_back(&cx, id, row.id, "She rang.".into()).await.unwrap();
        assert_eq!(open().await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn whoever_asked_and_got_no_class_is_asked_for_again(world: World) {
        let school = School::of(&world, vec![]).await;
        let path = format!("/training/ask/{}", school.course);
        let wish = [("act", "ask"), ("time", "2-morning"), ("language", ""), ("place", "")];
        let mut people = Vec::new();
        for name in ["ann", "bob", "cleo", "dan"] {
            let who = world.customer(&format!("{name}@example.com")).await;
            assert_eq!(world.post(&who, &path, &wish).await.status, StatusCode::SEE_OTHER);
            people.push(who);
        }
        let open = async || world.count("select count(*) from class_wish where state = 'open'").await;
        let cx = school.now(&world).await;
        let draft = |hours| school.draft("Asked for", 4, hours, 0);
        // Tuesday the 15th at nine in Madrid.
        let id = asks::open_for(&cx, draft(24 * 14 - 1), Extras::default(), None).await.unwrap();
        assert_eq!(open().await, 0);
        // Ann declines, Bob lets it lapse, Cleo and Dan accept.
        seats::decline(&world.cx_of(&people[0]).await, id, Consent::default()).await.unwrap();
        assert_eq!(open().await, 1);
        for who in &people[2..] {
            seats::accept(&world.cx_of(who).await, id, Consent::default()).await.unwrap();
        }
        world.advance(Duration::hours(25));
        world.drain().await;
        assert_eq!(state(&world, &people[1], id).await, None);
        assert_eq!(open().await, 2);
        assert!(world.get(&people[1], &path).await.body.contains("We have your wish"));
        // Dan asks for something else meanwhile: his old wish stays where it is.
        assert_eq!(world.post(&people[3], &path, &wish).await.status, StatusCode::SEE_OTHER);
        assert_eq!(open().await, 3);
        // The class is called off: Cleo, who had a seat, is offered none elsewhere and asks again.
        plan::cancel(&school.now(&world).await, id, "Ill.".into()).await.unwrap();
        assert_eq!(open().await, 4);
        const KEPT: &str = "select count(*) from class_wish where state = 'answered'";
        assert_eq!(world.count(KEPT).await, 1);
        // The next one is called off for one after it, which answers them instead until they decline it.
        let second = asks::open_for(&school.now(&world).await, draft(24 * 21 - 1), Extras::default(), None).await.unwrap();
        assert_eq!((open().await, state(&world, &people[2], second).await), (0, Some(EnrolmentState::Offered)));
        let third = school.open(draft(24 * 22)).await;
        plan::cancel(&school.now(&world).await, second, "Ill again.".into()).await.unwrap();
        assert_eq!((open().await, state(&world, &people[2], third).await), (0, Some(EnrolmentState::Offered)));
        seats::decline(&world.cx_of(&people[2]).await, third, Consent::default()).await.unwrap();
        assert_eq!(open().await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn nobody_gets_by_asking_into_a_class_that_they_lack_a_course_for(world: World) {
        let school = School::of(&world, vec![]).await;
        let basics = School::course(&world, "Basics first", vec![]).await;
        let course = store::course_detail(&mut world.db().read().await.unwrap(), school.course).await.unwrap();
        let course = store::CourseDetail { needs_rule: NeedsRule::Require, ..course };
        let edit = courses::Edit { course, units: Vec::new(), needs: vec![basics] };
        courses::edit(&school.now(&world).await, edit).await.unwrap();
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        let before = school.open(Draft { course: basics, ..school.draft("The easy one", 5, 24 * 5, 0) }).await;
        seats::enrol(&world.cx_of(&ann).await, before, Consent::default()).await.unwrap();
        let path = format!("/training/ask/{}", school.course);
        let wish = [("act", "ask"), ("time", "2-morning"), ("language", ""), ("place", "")];
        for who in [&ann, &bob] {
            assert_eq!(world.post(who, &path, &wish).await.status, StatusCode::SEE_OTHER);
        }
        // Tuesday the 15th at nine in Madrid.
        let draft = school.draft("The hard one", 5, 24 * 14 - 1, 0);
        let id = asks::open_for(&school.now(&world).await, draft, Extras::default(), None).await.unwrap();
        assert_eq!(state(&world, &ann, id).await, Some(EnrolmentState::Offered));
        // Bob reads of the class, keeps his wish, and is told on its page what he lacks.
        assert_eq!(state(&world, &bob, id).await, None);
        assert!(world.letter("bob@example.com").await.unwrap().0.contains("The hard one"));
        assert_eq!(world.count("select count(*) from class_wish where state = 'open'").await, 1);
        let error = seats::enrol(&world.cx_of(&bob).await, id, Consent::default()).await.unwrap_err();
        assert_eq!(refusal(error), Refusal::NeedsBefore { courses: vec!["Basics first".to_owned()] });
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn what_takes_seats_without_a_name_is_said_before_a_class_shrinks(world: World) {
        let firm = Firm::of(&world, 1, 0).await;
        let id = firm.school.open(firm.school.draft("Shrinking", 5, 24 * 9, 0)).await;
        firm.enrol(&world, id, firm.group(&[0], 2, Wish::Together)).await.unwrap();
        let edit = change::Edit { capacity: 1, ..as_it_is(&class(&world, id).await) };
        let error = refusal(change::edit(&firm.school.cx, id, edit, change::Rest::default()).await.unwrap_err());
        let Refusal::MustMove { over: 2, unnamed: 2, gathered: 0, .. } = &error else { panic!("{error:?}") };
        let version = class(&world, id).await.version.to_string();
        let form = [
            ("version", version.as_str()), ("title", "Shrinking"), ("room", ""), ("link", "https://meet.example.com/x"),
            ("capacity", "1"), ("price", "0"), ("cut_off_hours", "48"),
        ];
        let page = world.post(&firm.school.trainer, &format!("/desk/classes/{id}/edit"), &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains("2 seats without a name"), "{}", page.body);
    }
}

both! {
    async fn a_technician_says_when_they_are_away(world: World) {
        let technician = world.staff(Role::Technician).await;
        let agent = world.staff(Role::Agent).await;
        let path = "/desk/availability";
        assert!(world.get(&technician, "/desk/repairs").await.body.contains(path));
        let page = world.get(&technician, path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let away = [("act", "absence"), ("from", "2026-12-14T00:00"), ("until", "2026-12-28T00:00"), ("why", "Away")];
        assert_eq!(world.post(&technician, path, &away).await.status, StatusCode::SEE_OTHER);
        assert!(!time_of(&world, &technician).await.is_empty(), "visits are offered when somebody is there");
        assert_eq!(world.post(&agent, path, &away).await.status, StatusCode::FORBIDDEN);
        // A manager does it for whoever repairs as for whoever teaches.
        let manager = world.staff(Role::Manager).await;
        let page = world.get(&manager, &format!("{path}?person={}", technician.id)).await.body;
        assert!(page.contains("The technician") && page.contains("Away"), "{page}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

#[test]
fn letters_of_planning_are_written_in_every_language() {
    use aftercare::{
        i18n::{Fmt, Locale},
        training::server::{
            crew_letters::{CrewLetter, Says},
            letters::{About, Also, Stays, TrainingLetter},
        },
    };
    let about = || About {
        title: "Printers".into(),
        starts: now(),
        zone: chrono_tz::Europe::Madrid,
        place: String::new(),
        link: "https://portal.test/training/1".into(),
    };
    let span = Span { from: now(), until: now() + Duration::hours(2) };
    for locale in [Locale::en, Locale::es, Locale::it, Locale::hi, Locale::lt] {
        let stays = [
            Stays::Booked { cancelling: Cancelling::Free(now()) },
            Stays::Offered { until: now() },
            Stays::Waiting,
            Stays::Held { with: "Other".into(), until: now() },
            Stays::Lost { with: String::new() },
            Stays::Over,
            Stays::Kept { cancelling: Cancelling::Late },
        ];
        let mut letters: Vec<TrainingLetter> = stays
            .into_iter()
            .map(|stays| TrainingLetter::Moved {
                about: about(),
                was: vec![span],
                was_place: "Madrid".into(),
                now: vec![span, span],
                also: vec![
                    Also::Language("es".into()),
                    Also::CutOff(72),
                    Also::Link,
                    Also::SayAgain,
                    Also::Clock(chrono_tz::Europe::Vilnius, chrono_tz::Europe::Rome),
                ],
                stays,
            })
            .collect();
        letters.push(TrainingLetter::Opened { about: about(), until: Some(now()) });
        letters.push(TrainingLetter::Opened { about: about(), until: None });
        letters.push(TrainingLetter::Terms { about: about(), also: vec![Also::CutOff(72)], stays: Stays::Waiting });
        let crew = [
            Says::Teaches { sessions: vec![span] },
            Says::Helps { trainer: "Vera".into(), sessions: vec![span] },
            Says::Released { trainer: "Vera".into() },
            Says::Moved { was: vec![span], was_place: String::new(), now: vec![span], also: vec![Also::Link] },
            Says::Changed { also: vec![Also::Language("lt".into())] },
            Says::Cancelled { why: "Rain.".into() },
        ];
        let crew = crew.map(|says| {
            CrewLetter { about: about(), by: "Marta".into(), planned: false, says }.write(Fmt::new(locale))
        });
        for written in letters.iter().map(|letter| letter.write(Fmt::new(locale))).chain(crew) {
            assert!(written.subject.contains("Printers") && written.body.contains("Printers"), "{written:?}");
            assert!(!written.body.contains("{{") && !written.body.contains("https://"), "{written:?}");
        }
    }
}

/// Staff write down how everything that is due from somebody was settled.
async fn settle(world: &World, agent: &Signed, who: &Signed, outcome: &str) {
    const DUE: &str = "select id from charge where person_id = $1 and state = 'due'";
    let due = fetch_all!(world.db().read().await.unwrap(), (uuid::Uuid,), DUE, who.id).unwrap();
    assert_eq!(due.len(), 1);
    let id = due[0].0.to_string();
    let reply = world.post(agent, "/desk/charges", &[("charge", id.as_str()), ("outcome", outcome)]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
}

/// What somebody was charged, as (state, amount, whether it is to be paid back or was), the oldest first.
async fn charged(world: &World, who: &Signed) -> Vec<(String, i64, bool)> {
    const ALL: &str = "select c.state, c.amount_minor, b.charge_id is not null from charge c \
        left join refund b on b.charge_id = c.id where c.person_id = $1 order by c.created_at, c.id";
    fetch_all!(world.db().read().await.unwrap(), (String, i64, bool), ALL, who.id).unwrap()
}

both! {
    async fn a_seat_that_is_taken_again_after_its_class_moved_is_paid_for_once(world: World) {
        let school = School::of(&world, vec![]).await;
        let agent = world.staff(Role::Agent).await;
        let other = world.staff_named(Role::Trainer, "second@staff.example").await;
        let id = school.open(school.draft("Paid", 9, 24 * 9, 9000)).await;
        let cx = world.cx_of(&other).await;
        let draft = Draft { trainer: other.id, ..school.draft("Elsewhere", 9, 24 * 12, 0) };
        let elsewhere = plan::create(&cx, draft, None).await.unwrap();
        plan::publish(&cx, elsewhere).await.unwrap();
        let [ann, bob, cleo, dan] = [
            world.customer("ann@example.com").await,
            world.customer("bob@example.com").await,
            world.customer("cleo@example.com").await,
            world.customer("dan@example.com").await,
        ];
        let consent = |minor| Consent { agreed_minor: Some(minor), key: None };
        for (who, outcome) in [(&ann, "paid"), (&bob, "waived"), (&cleo, "paid"), (&dan, "paid")] {
            seats::enrol(&world.cx_of(who).await, id, consent(9000)).await.unwrap();
            seats::enrol(&world.cx_of(who).await, elsewhere, consent(0)).await.unwrap();
            settle(&world, &agent, who, outcome).await;
        }
        let trainer = school.now(&world).await;
        let known = vec![ann.id, bob.id, cleo.id, dan.id];
        let rest = change::Rest { known_clashes: known, ..moved(&world, id, 24 * 12).await };
        change::edit(&trainer, id, as_it_is(&class(&world, id).await), rest).await.unwrap();
        // Cleo has her money back before she answers; Dan's class has another price by then.
        assert_eq!(world.count("select count(*) from refund where paid_at is null").await, 3);
        const OF_CLEO: &str = "select c.id from charge c join person p on p.id = c.person_id where p.email = 'cleo@example.com'";
        let paid = aftercare::fetch_scalar!(world.db().read().await.unwrap(), uuid::Uuid, OF_CLEO).unwrap().unwrap().to_string();
        let back = world.post(&agent, "/desk/charges", &[("charge", paid.as_str()), ("outcome", "paid_back")]).await;
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
        let accept = async |who: &Signed, minor: i64| {
            seats::cancel(&world.cx_of(who).await, elsewhere, Consent::default()).await.unwrap();
            let place = seats::accept(&world.cx_of(who).await, id, consent(minor)).await.unwrap();
            assert_eq!(place.state, EnrolmentState::Booked);
        };
        for who in [&ann, &bob, &cleo] {
            accept(who, 9000).await;
        }
        let row = class(&world, id).await;
        let cheaper = change::Edit { price: Money::new(8000, row.price_currency), ..as_it_is(&row) };
        change::edit(&trainer, id, cheaper, change::Rest::default()).await.unwrap();
        accept(&dan, 8000).await;
        let one = |state: &str, minor, refund| (state.to_owned(), minor, refund);
        assert_eq!(charged(&world, &ann).await, [one("paid", 9000, false)], "what was paid pays again");
        assert_eq!(charged(&world, &bob).await, [one("waived", 9000, false), one("due", 9000, false)]);
        assert_eq!(charged(&world, &cleo).await, [one("paid", 9000, true), one("due", 9000, false)]);
        assert_eq!(charged(&world, &dan).await, [one("paid", 9000, true), one("due", 8000, false)]);
        assert_eq!(world.broken().await, Vec::<String>::new());
        // Given back once more, what was paid goes back once.
        seats::cancel(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        assert_eq!(charged(&world, &ann).await, [one("paid", 9000, true)]);
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.corrupt("update charge set state = 'void', settled_at = created_at where state = 'due' and amount_minor = 8000").await;
        assert_eq!(world.broken().await, ["seat_for_nothing"]);
    }
}

both! {
    /// Migration 0029 mends what was booked again before 0024 knew of it, and nothing else.
    async fn what_was_paid_for_a_seat_that_was_booked_again_long_ago_pays_for_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let agent = world.staff(Role::Agent).await;
        let id = school.open(school.draft("Paid", 9, 24 * 9, 9000)).await;
        let [ann, bob, cleo] = [
            world.customer("ann@example.com").await,
            world.customer("bob@example.com").await,
            world.customer("cleo@example.com").await,
        ];
        let consent = Consent { agreed_minor: Some(9000), key: None };
        for who in [&ann, &bob, &cleo] {
            seats::enrol(&world.cx_of(who).await, id, consent.clone()).await.unwrap();
            settle(&world, &agent, who, "paid").await;
        }
        // Bob gave his seat back; Cleo agreed to another price since, which is due.
        seats::cancel(&world.cx_of(&bob).await, id, Consent::default()).await.unwrap();
        world.corrupt("update charge set reversed_at = settled_at where reversed_at is null").await;
        world.corrupt("insert into refund (charge_id, created_at) select id, settled_at from charge c \
            where not exists (select 1 from refund r where r.charge_id = c.id)").await;
        world.corrupt("update enrolment set price_minor = 8000 where person_id = (select id from person where email = 'cleo@example.com')").await;
        let (db, now, cleos) = (world.db().clone(), world.app.clock.now(), cleo.id);
        db.write(move |tx| Box::pin(async move {
            const SEAT: &str = "select id from enrolment where person_id = $1";
            let seat = aftercare::fetch_scalar!(tx, uuid::Uuid, SEAT, cleos)?.unwrap();
            const ADD: &str = "insert into charge (id, person_id, amount_minor, amount_currency, reason, entity, entity_id, \
                consent_at, state, created_at) select $1, person_id, 8000, amount_currency, reason, entity, entity_id, \
                consent_at, 'due', $3 from charge where entity_id = $2";
            aftercare::execute!(tx, ADD, fresh::<aftercare::values::ChargeId>(), seat, now)?;
            Ok(())
        })).await.unwrap();
        assert_eq!(world.broken().await, ["seat_for_nothing"]);
        let migration = match world.engine {
            Engine::Sqlite => include_str!("../../migrations/sqlite/0029_paid_again.sql"),
            Engine::Postgres => include_str!("../../migrations/postgres/0029_paid_again.sql"),
        };
        let one = |state: &str, minor, refund| (state.to_owned(), minor, refund);
        for _ in 0..2 {
            for statement in migration.split(';').filter(|statement| !statement.trim().is_empty()) {
                world.corrupt(statement).await;
            }
            assert_eq!(world.broken().await, Vec::<String>::new());
            assert_eq!(charged(&world, &ann).await, [one("paid", 9000, false)]);
            assert_eq!(charged(&world, &bob).await, [one("paid", 9000, true)]);
            assert_eq!(charged(&world, &cleo).await, [one("paid", 9000, true), one("due", 8000, false)]);
        }
    }
}

both! {
    async fn a_draft_whose_time_has_passed_is_moved_and_published(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = plan::create(&school.cx, school.draft("Late", 5, 24, 0), None).await.unwrap();
        world.advance(Duration::hours(25));
        let cx = school.now(&world).await;
        assert_eq!(refusal(plan::publish(&cx, id).await.unwrap_err()), Refusal::InThePast);
        assert_eq!(refusal(move_to(&world, &cx, id, 20).await.unwrap_err()), Refusal::InThePast);
        move_to(&world, &cx, id, 24 * 9).await.unwrap();
        assert_eq!(time_of(&world, &school.trainer).await, [now() + Duration::hours(24 * 9)]);
        plan::publish(&cx, id).await.unwrap();
        let ann = world.customer("ann@example.com").await;
        assert_eq!(enrol(&world, &ann, id).await, EnrolmentState::Booked);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_draft_that_is_moved_keeps_its_cut_off(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = plan::create(&school.cx, school.draft("Soon", 5, 24 * 9, 0), None).await.unwrap();
        move_to(&world, &school.cx, id, 60).await.unwrap();
        assert_eq!(class(&world, id).await.rules.grace_until, None, "nobody has agreed to anything yet");
        // Nor does it matter what is kept of earlier plans.
        world.corrupt("update class set grace_until = starts_at").await;
        plan::publish(&school.cx, id).await.unwrap();
        let row = class(&world, id).await;
        assert_eq!(row.policy().free_until(), row.starts_at - Duration::hours(48));
        let ann = world.customer("ann@example.com").await;
        enrol(&world, &ann, id).await;
        world.advance(Duration::hours(13));
        let place = seats::cancel(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        assert_eq!(place.state, EnrolmentState::CancelledLate);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn whoever_books_after_the_cut_off_reads_what_giving_back_costs(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Soon", 5, 30, 0)).await;
        let ann = world.customer("ann@example.com").await;
        enrol(&world, &ann, id).await;
        let (_, body, _) = world.letter("ann@example.com").await.unwrap();
        assert!(body.contains("the seat counts as used") && !body.contains("You can cancel free of charge until"), "{body}");
    }
}

both! {
    async fn what_staff_do_at_night_is_read_in_the_morning(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Full", 1, 24 * 9, 0)).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        enrol(&world, &ann, id).await;
        enrol(&world, &bob, id).await;
        // At 22:40 in Madrid the trainer lets one more in.
        world.advance(Duration::minutes(12 * 60 + 40));
        let line = store::active(&mut world.db().read().await.unwrap(), id, bob.id).await.unwrap().unwrap().id;
        const OF_BOB: &str = "select count(*) from message where letter <> 'enrolment_waitlisted' \
            and person_id = (select id from person where email = 'bob@example.com')";
        const WAITS: &str = "select count(*) from message where letter <> 'enrolment_waitlisted' and send_after > created_at \
            and person_id = (select id from person where email = 'bob@example.com')";
        let form = [("act", "promote"), ("enrolment", &line.to_string()), ("one_more", "yes")];
        let done = world.post(&school.trainer, &format!("/desk/classes/{id}"), &form).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        assert!(world.count(OF_BOB).await > 0);
        assert_eq!(world.count(OF_BOB).await, world.count(WAITS).await);
        // What somebody does themselves at that hour is answered at once.
        let cid = world.customer("cid@example.com").await;
        enrol(&world, &cid, id).await;
        const OF_CID: &str = "select count(*) from message where send_after = created_at \
            and person_id = (select id from person where email = 'cid@example.com')";
        assert_eq!(world.count(OF_CID).await, 1);
    }
}

both! {
    async fn enrolling_in_a_series_closes_at_the_same_hour_whatever_the_clocks_do(world: World) {
        let school = School::of(&world, vec![]).await;
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        // Sundays at ten in Madrid, until Saturday at six in the evening; on 28 March the clocks go forward.
        let first = at("2027-03-21T09:00:00Z");
        let closes = Some(at("2027-03-20T17:00:00Z"));
        let draft = |from: DateTime<Utc>| Draft {
            sessions: vec![Span { from, until: from + Duration::hours(2) }],
            ..school.draft("Sundays", 5, 0, 0)
        };
        let series = vec![draft(first), draft(at("2027-03-28T08:00:00Z")), draft(at("2027-04-04T08:00:00Z"))];
        let window = Window { closes, ..Window::default() };
        let extras = plan::Extras { window, ..plan::Extras::default() };
        plan::create_series(&school.cx, series, extras, false, None).await.unwrap();
        let rows = fetch_all!(world.db().read().await.unwrap(), (DateTime<Utc>,), "select closes_at from class order by closes_at");
        let hours: Vec<String> = rows.unwrap().iter().map(|(at,)| at.to_rfc3339()).collect();
        assert_eq!(hours, ["2027-03-20T17:00:00+00:00", "2027-03-27T17:00:00+00:00", "2027-04-03T16:00:00+00:00"]);
    }
}

both! {
    async fn a_letter_that_could_not_leave_by_day_does_not_leave_at_night(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Printers", 2, 24 * 9, 0)).await;
        let ann = world.customer("ann@example.com").await;
        enrol(&world, &ann, id).await;
        world.drain().await;
        // At noon the class moves; nothing leaves until eleven in the night.
        world.advance(Duration::hours(2));
        move_to(&world, &school.now(&world).await, id, 24 * 10).await.unwrap();
        const WAIT: &str = "select count(*) from message where sent_at is null and letter = 'class_moved'";
        assert_eq!(world.count("select count(*) from message where letter = 'class_moved' and send_after = created_at").await, 1);
        world.advance(Duration::hours(11));
        world.drain().await;
        assert_eq!(world.count(WAIT).await, 1);
        world.advance(Duration::hours(10));
        world.drain().await;
        assert_eq!(world.count(WAIT).await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}
