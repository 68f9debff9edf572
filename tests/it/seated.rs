//! Around a seat: held after a move and confirmed again, what classes share, and when enrolling opens and closes.

use crate::{
    both,
    training::{School, now},
    world::{Signed, World},
};
use aftercare::{
    access::{Membership, Role},
    calendar::domain::Span,
    charges::{domain::ChargeState, server::service},
    error::{AppError, Refusal as AnyRefusal},
    fetch_scalar,
    training::{
        domain::{Refusal, Window, Wish},
        server::{
            change,
            equipment::{self, Step},
            groups::{self, Group},
            plan::{self, Draft, Extras},
            seats::{self, Consent},
            staff_seats, store,
        },
    },
    values::{ChargeId, ClassId, PersonId},
};
use axum::http::StatusCode;
use chrono::Duration;

async fn enrol(world: &World, who: &Signed, class: ClassId) {
    seats::enrol(&world.cx_of(who).await, class, Consent::default()).await.unwrap();
}

async fn cancel(world: &World, who: &Signed, class: ClassId) {
    seats::cancel(&world.cx_of(who).await, class, Consent::default()).await.unwrap();
}

both! {
    async fn a_seat_that_was_held_after_a_move_is_confirmed_again_to_whoever_answers(world: World) {
        let school = School::of(&world, vec![]).await;
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        let (owner, firm) = (world.customer("owner@firm.example").await, world.organisation("Acme Works").await);
        world.join(firm, owner.id, Membership::Owner).await;
        world.join(firm, bob.id, Membership::Member).await;
        let id = school.open(school.draft("Movable", 5, 24 * 9, 0)).await;
        let cx = world.cx_of(&second).await;
        let other = plan::create(&cx, Draft { trainer: second.id, ..school.draft("Other", 5, 24 * 11, 0) }, None).await.unwrap();
        plan::publish(&cx, other).await.unwrap();
        for who in [&ann, &bob] {
            enrol(&world, who, other).await;
        }
        enrol(&world, &ann, id).await;
        let group = Group { people: vec![bob.id], unnamed: 0, wish: Wish::AsManyAsFit, wait: true };
        let owner_cx = world.cx_of(&owner).await;
        let party = groups::enrol(&owner_cx, id, firm, group, Consent::default()).await.unwrap().party;
        // Both are elsewhere when it is moved to.
        let (row, sessions) = {
            let mut tx = world.db().read().await.unwrap();
            (store::class(&mut tx, id).await.unwrap(), store::sessions(&mut tx, id).await.unwrap())
        };
        let price = row.price();
        let edit = change::Edit {
            version: row.version,
            title: row.title,
            room: row.room_id,
            link: row.link,
            capacity: row.capacity,
            price,
            cut_off_hours: row.cut_off_hours,
        };
        let from = now() + Duration::hours(24 * 11);
        let rest = change::Rest {
            sessions: Some(vec![(Some(sessions[0].id), Span { from, until: from + Duration::hours(2) })]),
            known_clashes: vec![ann.id, bob.id],
            ..change::Rest::default()
        };
        change::edit(&school.now(&world).await, id, edit, rest).await.unwrap();
        assert_eq!(world.count("select count(*) from message where letter = 'group_class_moved' and email = 'owner@firm.example'").await, 1);
        assert!(world.get(&owner, "/").await.body.contains("Movable"), "the owner has something to answer");
        // They choose this one: each is confirmed once more, and it is in their calendars again.
        for who in [&ann, &bob] {
            cancel(&world, who, other).await;
        }
        let accept = [("act", "accept"), ("agreed", "0")];
        for _ in 0..2 {
            assert_eq!(world.post(&ann, &format!("/training/{id}"), &accept).await.status, StatusCode::SEE_OTHER);
        }
        groups::accept(&owner_cx, party, Consent::default()).await.unwrap();
        let booked = "select count(*) from message where letter = 'enrolment_booked' and email = 'ann@example.com'";
        assert_eq!(world.count(booked).await, 3, "this class twice, the other once");
        assert_eq!(world.count("select count(*) from message where letter = 'enrolled_by_firm'").await, 2);
        assert_eq!(world.count("select count(*) from message where letter = 'group_enrolled'").await, 2);
        const IN_CALENDARS: &str = "select count(*) from message_calendar c where c.method = 'request' \
            and not exists (select 1 from message_calendar n where n.thread = c.thread and n.number > c.number)";
        assert_eq!(world.count(IN_CALENDARS).await, 2);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn what_was_paid_for_a_seat_pays_for_it_again_once_it_is_taken_after_a_move(world: World) {
        let school = School::of(&world, vec![]).await;
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let ann = world.customer("ann@example.com").await;
        let id = school.open(school.draft("Movable", 5, 24 * 9, 9000)).await;
        let cx = world.cx_of(&second).await;
        let other = plan::create(&cx, Draft { trainer: second.id, ..school.draft("Other", 5, 24 * 10, 0) }, None).await.unwrap();
        plan::publish(&cx, other).await.unwrap();
        enrol(&world, &ann, other).await;
        enrol(&world, &ann, id).await;
        let charge = fetch_scalar!(world.db().read().await.unwrap(), ChargeId, "select id from charge").unwrap().unwrap();
        service::settle(&world.operator(), charge, ChargeState::Paid).await.unwrap();
        let to_pay_back = async || world.count("select count(*) from refund").await;
        // She is elsewhere then: until she chose, the seat costs nothing.
        change_all(&world, &school, id, &[ann.id]).await;
        assert_eq!(to_pay_back().await, 1);
        cancel(&world, &ann, other).await;
        seats::accept(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        assert_eq!(to_pay_back().await, 0, "she comes, and has paid");
        cancel(&world, &ann, id).await;
        assert_eq!(to_pay_back().await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

/// Another address on line, and a day later.
async fn change_all(world: &World, school: &School, id: ClassId, known: &[PersonId]) {
    let (row, sessions) = {
        let mut tx = world.db().read().await.unwrap();
        (store::class(&mut tx, id).await.unwrap(), store::sessions(&mut tx, id).await.unwrap())
    };
    let price = row.price();
    let link = Some("https://meet.example.com/other".to_owned());
    let edit = |version, link, row: store::ClassRow| change::Edit {
        version,
        title: row.title,
        room: row.room_id,
        link,
        capacity: row.capacity,
        price,
        cut_off_hours: row.cut_off_hours,
    };
    let cx = school.now(world).await;
    change::edit(&cx, id, edit(row.version, link.clone(), row.clone()), change::Rest::default()).await.unwrap();
    let later = |at| at + Duration::days(1);
    let span = Span { from: later(sessions[0].starts_at), until: later(sessions[0].ends_at) };
    let (sessions, known_clashes) = (Some(vec![(Some(sessions[0].id), span)]), known.to_vec());
    let rest = change::Rest { sessions, known_clashes, ..change::Rest::default() };
    change::edit(&cx, id, edit(row.version + 1, link, row), rest).await.unwrap();
}

both! {
    async fn who_was_carried_into_another_class_hears_what_becomes_of_that_one_too(world: World) {
        let school = School::of(&world, vec![]).await;
        let ann = world.customer("ann@example.com").await;
        let first = school.open(school.draft("First", 5, 24 * 20, 0)).await;
        let next = school.open(school.draft("Next", 5, 24 * 30, 0)).await;
        enrol(&world, &ann, first).await;
        change_all(&world, &school, first, &[]).await;
        let seat = store::active(&mut world.db().read().await.unwrap(), first, ann.id).await.unwrap().unwrap().id;
        staff_seats::carry(&school.now(&world).await, first, seat, next, "Better.".into()).await.unwrap();
        // As often as the first was changed, so is the next: neither is mistaken for the other.
        change_all(&world, &school, next, &[]).await;
        assert_eq!(world.count("select count(*) from message where letter = 'class_changed'").await, 2);
        assert_eq!(world.count("select count(*) from message where letter = 'class_moved'").await, 2);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn equipment_is_named_anew_and_goes_out_of_use_only_where_nothing_counts_on_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        let path = "/desk/settings/training";
        let form = [("act", "equipment"), ("name", "Projector"), ("at_place", "Madrid")];
        assert_eq!(world.post(&manager, path, &form).await.status, StatusCode::SEE_OTHER);
        let things = async || store::all_equipment(&mut world.db().read().await.unwrap()).await.unwrap();
        let id = things().await[0].id;
        let text = id.to_string();
        let step = |act: &'static str, version: &'static str, name: &'static str| {
            [("act", act), ("equipment", text.as_str()), ("version", version), ("name", name), ("at_place", "Madrid")]
                .map(|(key, value)| (key, value.to_owned()))
        };
        let post = async |who: &Signed, form: [(&'static str, String); 5]| {
            let form: Vec<(&str, &str)> = form.iter().map(|(key, value)| (*key, value.as_str())).collect();
            world.post(who, path, &form).await
        };
        // Named anew: the second of two sees the first's change, an empty name is a fault at its field.
        assert_eq!(post(&manager, step("rename_equipment", "1", "Beamer")).await.status, StatusCode::SEE_OTHER);
        let late = post(&manager, step("rename_equipment", "1", "Screen")).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(late.body.contains("value=\"Screen\"") && late.body.contains("Beamer"), "{}", late.body);
        assert_eq!(post(&manager, step("rename_equipment", "2", "")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(post(&school.trainer, step("rename_equipment", "2", "Mine")).await.status, StatusCode::FORBIDDEN);
        assert_eq!((things().await[0].name.as_str(), things().await[0].version), ("Beamer", 2));
        // A class to come counts on it.
        let extras = Extras { equipment: vec![id], ..Extras::default() };
        let class = plan::create_series(&school.cx, vec![school.draft("Hands on", 5, 24 * 9, 0)], extras.clone(), true, None).await.unwrap();
        let refused = post(&manager, step("retire_equipment", "2", "")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("“Hands on”"), "{}", refused.body);
        let sql = "update equipment set retired_at = '2026-12-01T09:00:00.000000Z'";
        world.corrupt_of(sql, "select class_id from class_equipment").await;
        assert_eq!(world.broken().await, ["retired_equipment_planned"]);
        world.corrupt("update equipment set retired_at = null").await;
        // Once that is over it goes, stays with what used it, and is offered no more.
        world.advance(Duration::days(10));
        assert_eq!(post(&manager, step("retire_equipment", "2", "")).await.status, StatusCode::SEE_OTHER);
        assert_eq!(post(&manager, step("retire_equipment", "2", "")).await.status, StatusCode::SEE_OTHER, "a second tap");
        assert_eq!(world.count("select count(*) from history where act = 'retire_equipment'").await, 1);
        let used = store::equipment_of(&mut world.db().read().await.unwrap(), class).await.unwrap();
        assert_eq!(used.len(), 1);
        let cx = school.now(&world).await;
        let error = plan::create_series(&cx, vec![school.draft("Next", 5, 24 * 20, 0)], extras.clone(), false, None).await.unwrap_err();
        assert!(matches!(error, AppError::Invalid(_)), "{error:?}");
        let new = world.get(&school.trainer, "/desk/classes/new").await.body;
        assert!(!new.contains(&text), "{new}");
        // And back.
        assert_eq!(post(&manager, step("restore_equipment", "3", "")).await.status, StatusCode::SEE_OTHER);
        plan::create_series(&cx, vec![school.draft("Next", 5, 24 * 20, 0)], extras, false, None).await.unwrap();
    }
}

both! {
    async fn of_planning_with_a_thing_and_taking_it_out_of_use_at_once_one_is_done(world: World) {
        let school = School::of(&world, vec![]).await;
        let manager = world.staff(Role::Manager).await;
        for round in 0..5_i64 {
            let form = [("act", "equipment"), ("name", "Printer"), ("at_place", "Madrid")];
            world.post(&manager, "/desk/settings/training", &form).await;
            let things = store::all_equipment(&mut world.db().read().await.unwrap()).await.unwrap();
            let id = things.iter().find(|row| row.version == 1 && row.retired_at.is_none()).unwrap().id;
            let extras = Extras { equipment: vec![id], ..Extras::default() };
            let draft = school.draft("Race", 5, 24 * (9 + round), 0);
            let boss = world.cx_of(&manager).await;
            let (planned, retired) = tokio::join!(
                plan::create_series(&school.cx, vec![draft], extras, false, None),
                equipment::change_one(&boss, id, 1, Step::Retire)
            );
            assert!(planned.is_ok() != retired.is_ok(), "{planned:?} {retired:?}");
            if let Err(AppError::Refused(AnyRefusal::Training(refusal))) = &retired {
                assert!(matches!(refusal, Refusal::EquipmentUsed { .. }));
            }
            let row = store::equipment(&mut world.db().read().await.unwrap(), id).await.unwrap().unwrap();
            if row.retired_at.is_none() {
                equipment::change_one(&boss, id, 1, Step::Rename { name: "Used".into(), place: "Madrid".into() }).await.unwrap();
            }
            assert_eq!(world.broken().await, Vec::<String>::new());
        }
    }
}

both! {
    async fn the_catalogue_says_when_enrolling_opens_and_that_it_closes_soon(world: World) {
        let school = School::of(&world, vec![]).await;
        let window = Window { opens: Some(now() + Duration::days(2)), closes: Some(now() + Duration::days(6)) };
        let extras = Extras { window, ..Extras::default() };
        let draft = school.draft("Windowed", 5, 24 * 9, 0);
        let id = plan::create_series(&school.cx, vec![draft], extras, true, None).await.unwrap();
        let ann = world.customer("ann@example.com").await;
        let pages = async |word: &str| {
            for page in ["/training".to_owned(), format!("/training/{id}")] {
                let body = world.get(&ann, &page).await.body;
                for other in ["Enrolment opens on", "Enrolment closes on"] {
                    assert_eq!(body.contains(other), other == word, "{page}: {other}");
                }
            }
        };
        pages("Enrolment opens on").await;
        world.advance(Duration::days(3));
        pages("").await;
        world.advance(Duration::days(2));
        pages("Enrolment closes on").await;
    }
}
