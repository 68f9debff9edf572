//! The rooms of a company: kept by staff, chosen for classes.

use crate::{
    both,
    groups::Firm,
    training::{School, now},
    world::{Engine, Reply, Signed, World},
};
use aftercare::{
    access::Role,
    calendar::{
        domain::{Resource, Span},
        server::busy,
    },
    error::{AppError, Refusal as AnyRefusal},
    fetch_all, fetch_one,
    training::{
        domain::{EnrolmentState, Mark, Refusal, Wish},
        server::{
            attend, change, make_ups,
            plan::{self, Draft},
            rooms::{self, About, Step},
            seats::{self, Consent},
            store::{self, RoomRow},
        },
    },
    values::{ClassId, ClassSessionId, RoomId},
};
use axum::http::StatusCode;
use chrono::Duration;

const PATH: &str = "/desk/settings/rooms";

async fn rooms_of(world: &World) -> Vec<RoomRow> {
    store::all_rooms(&mut world.db().read().await.unwrap()).await.unwrap()
}

async fn first_session(world: &World, class: ClassId) -> ClassSessionId {
    store::sessions(&mut world.db().read().await.unwrap(), class).await.unwrap()[0].id
}

async fn named(world: &World, name: &str) -> RoomRow {
    rooms_of(world).await.into_iter().find(|row| row.name == name).unwrap()
}

async fn add(world: &World, who: &Signed, name: &str, seats: &str) -> Reply {
    let form = [
        ("act", "add"),
        ("name", name),
        ("address", "Calle Alta 7"),
        ("place", "Toledo"),
        ("capacity", seats),
        ("zone", "Europe/Madrid"),
    ];
    world.post(who, PATH, &form).await
}

/// Changes a room that was read in this version.
async fn save(world: &World, who: &Signed, id: RoomId, version: &str, changed: &[(&str, &str)]) -> Reply {
    let id = id.to_string();
    let mut form = vec![("act", "change"), ("room", &id), ("version", version)];
    let whole = [
        ("name", "Attic"),
        ("address", "Calle Alta 7"),
        ("place", "Toledo"),
        ("capacity", "8"),
        ("zone", "Europe/Madrid"),
    ];
    form.extend(whole.map(|(field, value)| {
        (field, changed.iter().find(|(name, _)| *name == field).map_or(value, |(_, value)| *value))
    }));
    world.post(who, PATH, &form).await
}

async fn step(world: &World, who: &Signed, act: &str, id: RoomId, version: &str) -> Reply {
    world.post(who, PATH, &[("act", act), ("room", &id.to_string()), ("version", version)]).await
}

/// The form of a new class in the room, on that day of December.
async fn plan_in(world: &World, school: &School, room: RoomId, seats: &str, day: &str) -> Reply {
    let (course, room, date) = (school.course.to_string(), room.to_string(), format!("2026-12-{day}"));
    let form = [
        ("course", course.as_str()),
        ("title", "Hands on"),
        ("language", "en"),
        ("zone", "Europe/Madrid"),
        ("date_1", &date),
        ("starts_1", "09:00"),
        ("ends_1", "12:00"),
        ("room", &room),
        ("link", ""),
        ("capacity", seats),
        ("price", "0"),
        ("cut_off_hours", "48"),
    ];
    world.post(&school.trainer, "/desk/classes/new", &form).await
}

fn planned(reply: &Reply) -> ClassId {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    reply.location().rsplit('/').next().unwrap().parse().unwrap()
}

both! {
    async fn staff_keep_the_rooms_and_plan_in_them(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        // Added through the page: it is on the list, and a class is planned in it.
        assert!(world.get(&manager, "/desk/settings").await.body.contains(PATH));
        assert_eq!(add(&world, &manager, "Attic", "8").await.status, StatusCode::SEE_OTHER);
        let attic = named(&world, "Attic").await;
        assert_eq!((attic.place.as_str(), attic.zone.as_str(), attic.capacity, attic.version), ("Toledo", "Europe/Madrid", 8, 1));
        let list = world.get(&manager, PATH).await.body;
        assert!(list.contains("Attic") && list.contains("Calle Alta 7, Toledo"), "{list}");
        let class = planned(&plan_in(&world, &school, attic.id, "8", "17").await);
        assert_eq!(plan_in(&world, &school, attic.id, "9", "18").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        // A new name, address and town are the class's at once.
        let moved = [("name", "Loft"), ("address", "Calle Nueva 1"), ("place", "Segovia")];
        assert_eq!(save(&world, &manager, attic.id, "1", &moved).await.status, StatusCode::SEE_OTHER);
        let row = store::class(&mut world.db().read().await.unwrap(), class).await.unwrap();
        assert_eq!((row.room_name.as_deref(), row.address.as_deref(), row.place.as_str()), (Some("Loft"), Some("Calle Nueva 1"), "Segovia"));
        // A second tap changes nothing; whoever read the first version sees what is stored now, and may store their own.
        assert_eq!(save(&world, &manager, attic.id, "1", &moved).await.status, StatusCode::SEE_OTHER);
        let late = save(&world, &manager, attic.id, "1", &[("name", "Garret")]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(late.body.contains("value=\"Garret\"") && late.body.contains("Stored now: Loft"), "{}", late.body);
        assert!(late.body.contains("name=\"version\" value=\"2\""), "{}", late.body);
        assert_eq!(save(&world, &manager, attic.id, "2", &[("name", "Garret")]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from history where act = 'edit_room' and entity = 'room'").await, 2);
        // What is typed wrong is told at its field.
        for wrong in [("name", ""), ("address", ""), ("place", ""), ("capacity", "0"), ("zone", "Moon/Base")] {
            assert_eq!(save(&world, &manager, attic.id, "3", &[wrong]).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
        }
        let nothing = format!("{PATH}?id=00000000000070008000000000000000");
        assert_eq!(world.get(&manager, &nothing).await.status, StatusCode::NOT_FOUND);
        // Only who may plan for the company keeps the rooms.
        assert_eq!(world.get(&school.trainer, PATH).await.status, StatusCode::FORBIDDEN);
        assert_eq!(add(&world, &school.trainer, "Mine", "8").await.status, StatusCode::FORBIDDEN);
        assert_eq!(save(&world, &school.trainer, attic.id, "3", &[]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(step(&world, &school.trainer, "retire", attic.id, "3").await.status, StatusCode::FORBIDDEN);
        let customer = world.customer("ann@example.com").await;
        assert_eq!(world.get(&customer, PATH).await.status, StatusCode::NOT_FOUND);
    }
}

both! {
    async fn of_the_rooms_in_use_each_has_its_own_name(world: World) {
        let manager = world.staff(Role::Manager).await;
        assert_eq!(add(&world, &manager, "Édition", "8").await.status, StatusCode::SEE_OTHER);
        let again = add(&world, &manager, "éDITION", "8").await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(again.body.contains("Another room in use has this name.") && again.body.contains("value=\"éDITION\""), "{}", again.body);
        assert_eq!(add(&world, &manager, "Attic", "8").await.status, StatusCode::SEE_OTHER);
        let (first, attic) = (named(&world, "Édition").await.id, named(&world, "Attic").await.id);
        assert_eq!(save(&world, &manager, attic, "1", &[("name", "édition")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        // Its own name may be written otherwise.
        assert_eq!(save(&world, &manager, attic, "1", &[("name", "ATTIC")]).await.status, StatusCode::SEE_OTHER);
        // What is out of use keeps no name for itself, and takes none back.
        assert_eq!(step(&world, &manager, "retire", first, "1").await.status, StatusCode::SEE_OTHER);
        assert_eq!(add(&world, &manager, "édition", "8").await.status, StatusCode::SEE_OTHER);
        let back = step(&world, &manager, "restore", first, "2").await;
        assert_eq!(back.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(back.body.contains("Another room in use has this name.") && back.body.contains("value=\"Édition\""), "{}", back.body);
        // Of two that take one name at once one gets it.
        let cx = world.cx_of(&manager).await;
        let about = |name: &str| About {
            name: name.into(),
            address: "Calle Alta 7".into(),
            place: "Toledo".into(),
            capacity: 8,
            zone: chrono_tz::Europe::Madrid,
        };
        let (one, other) = tokio::join!(rooms::add(&cx, about("Cellar"), None), rooms::add(&cx, about("CELLAR"), None));
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        // The same key is the same room.
        let key = Some(aftercare::server::fresh());
        let first = rooms::add(&cx, about("Yard"), key).await.unwrap();
        assert_eq!(rooms::add(&cx, about("Yard"), key).await.unwrap(), first);
    }
}

both! {
    async fn everybody_in_a_class_hears_that_its_room_is_elsewhere_and_their_calendars_follow(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let school = &firm.school;
        let manager = world.staff(Role::Manager).await;
        let helper = world.staff_named(Role::Technician, "helper@staff.example").await;
        add(&world, &manager, "Attic", "8").await;
        let attic = named(&world, "Attic").await.id;
        // A learner, two of a firm, somebody who makes up what they missed, a trainer and a helper.
        let home = school.open(school.draft("Home", 5, 10, 0)).await;
        let draft = Draft { room: Some(attic), link: None, ..school.draft("Hands on", 8, 60, 0) };
        let extras = plan::Extras { assistants: vec![helper.id], ..plan::Extras::default() };
        let id = plan::create_series(&school.cx, vec![draft], extras, true, None).await.unwrap();
        let (ann, guest) = (world.customer("ann@example.com").await, world.customer("guest@example.com").await);
        let enrol = async |who: &Signed, class| {
            seats::enrol(&world.cx_of(who).await, class, Consent::default()).await.unwrap().enrolment
        };
        enrol(&ann, id).await;
        firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap();
        let seat = enrol(&guest, home).await;
        world.advance(Duration::hours(11));
        let (missed, equal) = (first_session(&world, home).await, first_session(&world, id).await);
        attend::mark(&school.now(&world).await, home, missed, seat, None, Some(Mark::Absent)).await.unwrap();
        make_ups::book(&world.cx_of(&guest).await, home, missed, equal, None).await.unwrap();
        let letters = async || {
            let mut tx = world.db().read().await.unwrap();
            const LETTERS: &str = "select letter, count(*) from message where letter in ('class_moved', 'group_class_moved', \
                'make_up_changed', 'crew_moved') group by letter order by letter";
            fetch_all!(tx, (String, i64), LETTERS).unwrap()
        };
        let told = |count: [(&str, i64); 4]| count.map(|(letter, count)| (letter.to_owned(), count)).to_vec();
        let moved = [("address", "Calle Nueva 1"), ("place", "Segovia")];
        // A second tap tells nobody again.
        for _ in 0..2 {
            assert_eq!(save(&world, &manager, attic, "1", &moved).await.status, StatusCode::SEE_OTHER);
            let all = told([("class_moved", 3), ("crew_moved", 2), ("group_class_moved", 1), ("make_up_changed", 1)]);
            assert_eq!(letters().await, all);
        }
        let (_, body, _) = world.letter("ann@example.com").await.unwrap();
        assert!(body.contains("Calle Alta 7, Toledo") && body.contains("Calle Nueva 1, Segovia"), "{body}");
        for email in ["guest@example.com", "trainer@staff.example", "helper@staff.example"] {
            assert!(world.letter(email).await.unwrap().1.contains("Calle Nueva 1, Segovia"), "{email}");
        }
        let row = store::class(&mut world.db().read().await.unwrap(), id).await.unwrap();
        assert_eq!((row.place.as_str(), row.sequence, row.zone.as_str()), ("Segovia", 1, "Europe/Madrid"));
        assert_eq!(world.count("select count(*) from message_calendar where method = 'request' and sequence = 1").await, 6);
        assert_eq!(
            world.count("select count(*) from history where act = 'edit_class' and entity = 'class' and actor_kind = 'system'").await,
            1
        );
        // Another name, or more seats, are no news.
        let renamed = [("name", "Loft"), ("address", "Calle Nueva 1"), ("place", "Segovia"), ("capacity", "9")];
        assert_eq!(save(&world, &manager, attic, "2", &renamed).await.status, StatusCode::SEE_OTHER);
        assert_eq!(letters().await.iter().map(|(_, count)| count).sum::<i64>(), 7);
        // It is not what was agreed to: for three days nobody pays for going.
        world.advance(Duration::hours(20));
        let place = seats::cancel(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        assert_eq!(place.state, EnrolmentState::Cancelled);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn seats_that_keep_without_a_name_because_their_room_is_elsewhere_are_given_back_later(world: World) {
        let firm = Firm::of(&world, 0, 0).await;
        let manager = world.staff(Role::Manager).await;
        add(&world, &manager, "Attic", "8").await;
        let attic = named(&world, "Attic").await.id;
        let id = firm.school.open(Draft { room: Some(attic), link: None, ..firm.school.draft("Names", 8, 120, 0) }).await;
        firm.enrol(&world, id, firm.group(&[], 2, Wish::Together)).await.unwrap();
        world.advance(Duration::hours(30));
        assert_eq!(save(&world, &manager, attic, "1", &[("place", "Segovia")]).await.status, StatusCode::SEE_OTHER);
        let taken = async || store::class(&mut world.db().read().await.unwrap(), id).await.unwrap().taken;
        // At the cut-off that was, going is still free: the seats keep without a name.
        world.advance(Duration::hours(43));
        world.drain().await;
        assert_eq!(taken().await, 2);
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.advance(Duration::hours(30));
        world.drain().await;
        assert_eq!(taken().await, 0);
        assert_eq!(world.count("select count(*) from message where letter = 'group_returned'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn another_clock_of_a_room_changes_how_times_are_given_and_not_when_a_class_is(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        add(&world, &manager, "Attic", "8").await;
        let attic = named(&world, "Attic").await.id;
        let own = Draft { room: Some(attic), link: None, ..school.draft("By the room", 8, 24 * 9, 0) };
        let own = school.open(own).await;
        let ann = world.customer("ann@example.com").await;
        seats::enrol(&world.cx_of(&ann).await, own, Consent::default()).await.unwrap();
        assert_eq!(save(&world, &manager, attic, "1", &[("zone", "Atlantic/Canary")]).await.status, StatusCode::SEE_OTHER);
        let by_room = store::class(&mut world.db().read().await.unwrap(), own).await.unwrap();
        assert_eq!((by_room.zone.as_str(), by_room.sequence), ("Atlantic/Canary", 1));
        assert_eq!(by_room.starts_at, now() + Duration::hours(24 * 9), "it is when it was");
        let starts = fetch_one!(world.db().read().await.unwrap(), (String,), "select starts from class_session where class_id = $1", own).unwrap().0;
        assert_eq!(starts, "09:00", "ten o'clock in Madrid");
        assert_eq!(world.count("select count(*) from message where letter = 'class_moved'").await, 1);
        let (_, body, _) = world.letter("ann@example.com").await.unwrap();
        assert!(body.contains("no longer those of Madrid") && body.contains("at the same moment as before"), "{body}");
        let told = "select count(*) from message_calendar where sequence = 1 and body like '%TZID=Atlantic/Canary%'";
        assert_eq!(world.count(told).await, 2, "her calendar and the trainer's");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_class_that_another_clock_takes_past_midnight_can_still_be_changed(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        add(&world, &manager, "Attic", "8").await;
        let attic = named(&world, "Attic").await.id;
        // Half past ten in the evening in Madrid.
        let from = "2026-12-17T21:30:00Z".parse().unwrap();
        let evening = Span { from, until: from + Duration::hours(1) };
        let draft = Draft { room: Some(attic), link: None, sessions: vec![evening], ..school.draft("Evening", 8, 24, 0) };
        let id = school.open(draft).await;
        assert_eq!(save(&world, &manager, attic, "1", &[("zone", "Europe/Vilnius")]).await.status, StatusCode::SEE_OTHER);
        let address = format!("/desk/classes/{id}/edit");
        let form = world.get(&school.trainer, &address).await.body;
        assert!(form.contains("value=\"2026-12-17\"") && form.contains("value=\"23:30\"") && form.contains("value=\"00:30\""), "{form}");
        let (session, room) = (first_session(&world, id).await.to_string(), attic.to_string());
        let send = async |title: &str, date: &str, ends: &str| {
            let row = store::class(&mut world.db().read().await.unwrap(), id).await.unwrap();
            let version = row.version.to_string();
            let fields = [
                ("version", version.as_str()), ("title", title), ("language", "en"), ("session_1", &session), ("date_1", date),
                ("starts_1", "23:30"), ("ends_1", ends), ("room", &room), ("link", ""), ("capacity", "8"), ("price", "0"),
                ("cut_off_hours", "48"),
            ];
            let reply = world.post(&school.trainer, &address, &fields).await;
            let mut tx = world.db().read().await.unwrap();
            let title = store::class(&mut tx, id).await.unwrap().title;
            (reply.status, title, store::sessions(&mut tx, id).await.unwrap()[0].span())
        };
        let title = |title: &str| title.to_owned();
        assert_eq!(send("Late", "2026-12-17", "00:30").await, (StatusCode::SEE_OTHER, title("Late"), evening));
        // On another day it ends the morning after, too.
        let day = Duration::days(1);
        let next = Span { from: evening.from + day, until: evening.until + day };
        assert_eq!(send("Late", "2026-12-18", "00:30").await, (StatusCode::SEE_OTHER, title("Late"), next));
        // Whatever else ends before it begins is a mistake.
        assert_eq!(send("Late", "2026-12-18", "00:15").await, (StatusCode::UNPROCESSABLE_ENTITY, title("Late"), next));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn whoever_asks_for_a_class_in_a_town_follows_its_new_name(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        for name in ["Attic", "Cellar"] {
            add(&world, &manager, name, "8").await;
        }
        let (attic, cellar) = (named(&world, "Attic").await.id, named(&world, "Cellar").await.id);
        let (ask, bob) = (format!("/training/ask/{}", school.course), world.customer("bob@example.com").await);
        let wish = [("act", "ask"), ("time", "2-morning"), ("language", ""), ("place", "Toledo")];
        assert_eq!(world.post(&bob, &ask, &wish).await.status, StatusCode::SEE_OTHER);
        let wanted = async || {
            let mut tx = world.db().read().await.unwrap();
            store::wish(&mut tx, school.course, bob.id).await.unwrap().unwrap().place
        };
        // While another room is still there, the town is.
        let centre = ("place", "Toledo Centro");
        assert_eq!(save(&world, &manager, attic, "1", &[centre]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(wanted().await, "Toledo");
        let form = [("name", "Cellar"), centre];
        assert_eq!(save(&world, &manager, cellar, "1", &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(wanted().await, "Toledo Centro");
        let page = world.get(&bob, &ask).await.body;
        assert!(page.contains("value=\"Toledo Centro\"") && !page.contains("value=\"Toledo\""), "{page}");
        let line = "select count(*) from history where entity = 'class_wish' and actor_kind = 'system' and detail like '%Toledo Centro%'";
        assert_eq!(world.count(line).await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn who_asks_for_a_town_does_not_follow_a_room_that_moves_to_another(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        add(&world, &manager, "Attic", "8").await;
        let attic = named(&world, "Attic").await.id;
        let (ask, bob) = (format!("/training/ask/{}", school.course), world.customer("bob@example.com").await);
        let wish = [("act", "ask"), ("time", "2-morning"), ("language", ""), ("place", "Toledo")];
        assert_eq!(world.post(&bob, &ask, &wish).await.status, StatusCode::SEE_OTHER);
        let elsewhere = [("place", "Cuenca"), ("address", "Calle Baja 3")];
        assert_eq!(save(&world, &manager, attic, "1", &elsewhere).await.status, StatusCode::SEE_OTHER);
        let mut tx = world.db().read().await.unwrap();
        assert_eq!(store::wish(&mut tx, school.course, bob.id).await.unwrap().unwrap().place, "Toledo");
        drop(tx);
        let page = world.get(&bob, &ask).await.body;
        assert!(page.contains("value=\"Toledo\"") && page.contains("value=\"Cuenca\""), "{page}");
        assert_eq!(world.count("select count(*) from history where entity = 'class_wish' and actor_kind = 'system'").await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

/// Does `act` while somebody holds the room and changes it, who is done only once the act waits for it. SQLite lets
/// nobody write before that.
async fn while_it_changes<T: Send + 'static>(
    world: &World,
    room: RoomId,
    change: &'static str,
    act: impl Future<Output = T> + Send + 'static,
) -> T {
    const WAIT: &str = "select count(*) from pg_locks where locktype = 'advisory' and not granted \
        and database = (select oid from pg_database where datname = current_database())";
    let (engine, held) = (world.engine, std::sync::Arc::new(tokio::sync::Notify::new()));
    let (db, told) = (world.db().clone(), held.clone());
    let changing = tokio::spawn(async move {
        db.write(move |tx| {
            let told = told.clone();
            Box::pin(async move {
                busy::lock(tx, &[Resource::Room(room)]).await?;
                aftercare::execute!(tx, change)?;
                told.notify_one();
                while engine == Engine::Postgres && aftercare::fetch_scalar!(tx, i64, WAIT)?.unwrap_or(0) == 0 {}
                Ok(())
            })
        })
        .await
    });
    held.notified().await;
    let acting = tokio::spawn(act);
    changing.await.unwrap().unwrap();
    acting.await.unwrap()
}

both! {
    async fn a_class_is_planned_and_moved_into_its_room_as_it_is_by_then(world: World) {
        let school = School::of(&world, vec![]).await;
        let (cx, room) = (school.cx.clone(), school.room);
        let place = async |id: ClassId| store::class(&mut world.db().read().await.unwrap(), id).await.unwrap().place;
        let draft = Draft { room: Some(room), ..school.draft("Planned", 6, 48, 0) };
        const MOVED: &str = "update room set place = 'Toledo', address = 'Calle Alta 7', capacity = 8";
        let planned = while_it_changes(&world, room, MOVED, async move { plan::create(&cx, draft, None).await }).await;
        assert_eq!(place(planned.unwrap()).await, "Toledo");
        let (cx, id) = (school.cx.clone(), school.open(school.draft("Moved in", 6, 96, 0)).await);
        let row = store::class(&mut world.db().read().await.unwrap(), id).await.unwrap();
        let edit = change::Edit {
            version: row.version,
            title: row.title.clone(),
            room: Some(room),
            link: row.link.clone(),
            capacity: row.capacity,
            price: school.draft("", 0, 0, 0).price,
            cut_off_hours: row.cut_off_hours,
        };
        const AGAIN: &str = "update room set place = 'Cuenca', address = 'Calle Baja 3'";
        let rest = change::Rest::default();
        while_it_changes(&world, room, AGAIN, async move { change::edit(&cx, id, edit, rest).await }).await.unwrap();
        assert_eq!(place(id).await, "Cuenca");
        let (cx, draft) = (school.cx.clone(), Draft { room: Some(room), ..school.draft("Too many", 6, 144, 0) });
        const SMALLER: &str = "update room set capacity = 5";
        let refused = while_it_changes(&world, room, SMALLER, async move { plan::create(&cx, draft, None).await }).await;
        assert!(matches!(refused, Err(AppError::Refused(AnyRefusal::Training(_)))), "{refused:?}");
    }
}

both! {
    async fn a_room_out_of_use_stays_with_its_classes_and_is_chosen_for_no_other(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        add(&world, &manager, "Attic", "8").await;
        let attic = named(&world, "Attic").await.id;
        let text = attic.to_string();
        let class = planned(&plan_in(&world, &school, attic, "8", "17").await);
        let online = plan::create(&school.cx, school.draft("Online", 5, 24 * 9, 0), None).await.unwrap();
        let shown = world.get(&manager, &format!("{PATH}?id={attic}")).await.body;
        assert!(shown.contains("Classes to come in this room: 1"), "{shown}");
        let (ask, bob) = (format!("/training/ask/{}", school.course), world.customer("bob@example.com").await);
        let wish = [("act", "ask"), ("time", "2-morning"), ("language", ""), ("place", "Toledo")];
        assert_eq!(world.post(&bob, &ask, &wish).await.status, StatusCode::SEE_OTHER);
        for _ in 0..2 {
            assert_eq!(step(&world, &manager, "retire", attic, "1").await.status, StatusCode::SEE_OTHER);
        }
        assert_eq!(world.count("select count(*) from history where act = 'retire_room'").await, 1);
        assert!(world.get(&manager, PATH).await.body.contains("Out of use"));
        // No new class gets it, nor one that has it not; forms and towns offer it no more.
        let refused = plan_in(&world, &school, attic, "8", "18").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!refused.body.contains(&text), "{}", refused.body);
        let edit = async |id: ClassId, room: Option<RoomId>, title: &str| {
            let row = store::class(&mut world.db().read().await.unwrap(), id).await.unwrap();
            let (price, cut_off_hours) = (row.price(), row.cut_off_hours);
            let title = title.to_owned();
            let edit = change::Edit { version: row.version, title, room, link: row.link, capacity: 5, price, cut_off_hours };
            change::edit(&school.cx, id, edit, change::Rest::default()).await
        };
        assert!(matches!(edit(online, Some(attic), "Online").await, Err(AppError::Invalid(_))));
        let ann = world.customer("ann@example.com").await;
        assert!(!world.get(&ann, &ask).await.body.contains("Toledo"));
        assert!(world.get(&bob, &ask).await.body.contains("Toledo"), "who asked for the town keeps it");
        // The class that has it keeps it, whatever else is changed.
        let form = world.get(&school.trainer, &format!("/desk/classes/{class}/edit")).await.body;
        assert!(form.contains(&text) && form.contains("Out of use"), "{form}");
        edit(class, Some(attic), "Hands off").await.unwrap();
        let row = store::class(&mut world.db().read().await.unwrap(), class).await.unwrap();
        assert_eq!((row.room_id, row.title.as_str()), (Some(attic), "Hands off"));
        // And back.
        assert_eq!(step(&world, &manager, "restore", attic, "1").await.status, StatusCode::UNPROCESSABLE_ENTITY, "an older version");
        assert_eq!(step(&world, &manager, "restore", attic, "2").await.status, StatusCode::SEE_OTHER);
        planned(&plan_in(&world, &school, attic, "8", "18").await);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_room_is_made_no_smaller_than_a_class_to_come_in_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        add(&world, &manager, "Attic", "12").await;
        let attic = named(&world, "Attic").await.id;
        planned(&plan_in(&world, &school, attic, "10", "17").await);
        let refused = save(&world, &manager, attic, "1", &[("capacity", "9")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("“Hands on”") && refused.body.contains("10 seats"), "{}", refused.body);
        assert_eq!(save(&world, &manager, attic, "1", &[("capacity", "10")]).await.status, StatusCode::SEE_OTHER);
        // Once the class is over it counts no more.
        world.advance(chrono::Duration::days(20));
        assert_eq!(save(&world, &manager, attic, "2", &[("capacity", "4")]).await.status, StatusCode::SEE_OTHER);
        // Of planning a class in it and making it too small for that class at once one is done.
        for round in 0..5_i64 {
            let row = rooms_of(&world).await.into_iter().find(|row| row.id == attic).unwrap();
            let (boss, cx) = (world.cx_of(&manager).await, school.now(&world).await);
            let about = |capacity| About {
                name: "Attic".into(),
                address: row.address.clone(),
                place: row.place.clone(),
                capacity,
                zone: chrono_tz::Europe::Madrid,
            };
            let large = 20 + 2 * round;
            rooms::change_one(&boss, attic, row.version, Step::Change(about(large))).await.unwrap();
            let draft = Draft { room: Some(attic), ..school.draft("Race", large, 24 * (40 + round), 0) };
            let (planned, smaller) = tokio::join!(
                plan::create(&cx, draft, None),
                rooms::change_one(&boss, attic, row.version + 1, Step::Change(about(large - 1)))
            );
            assert!(planned.is_ok() != smaller.is_ok(), "{planned:?} {smaller:?}");
            if let Err(error) = smaller {
                assert!(matches!(error, AppError::Refused(AnyRefusal::Training(Refusal::RoomNeeded { .. }))), "{error:?}");
            }
        }
    }
}

both! {
    async fn where_there_is_no_room_the_page_and_the_form_of_a_class_say_how_to_get_one(world: World) {
        let (manager, trainer) = (world.staff(Role::Manager).await, world.staff(Role::Trainer).await);
        let link = format!("{PATH}?id=new");
        let empty = world.get(&manager, PATH).await.body;
        assert!(empty.contains("There is no room yet") && empty.contains(&link), "{empty}");
        assert!(world.get(&manager, "/desk/classes/new").await.body.contains(&link));
        let form = world.get(&trainer, "/desk/classes/new").await.body;
        assert!(form.contains("A manager can add one") && !form.contains(&link), "{form}");
        assert_eq!(add(&world, &manager, "Attic", "8").await.status, StatusCode::SEE_OTHER);
        assert!(!world.get(&manager, "/desk/classes/new").await.body.contains(&link));
        // A class on line, for which none is needed, is planned without.
        assert!(world.get(&manager, &link).await.body.contains("name=\"address\""));
    }
}
