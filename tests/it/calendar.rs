//! Calendar files as a real parser reads them, and taken time.

use crate::{
    both,
    training::{School, now},
};
use aftercare::{
    calendar::{
        domain::{Resource, Span},
        server::busy,
    },
    server::fresh,
    training::server::{
        plan,
        seats::{self, Consent},
    },
    values::RoomId,
};
use axum::http::StatusCode;
use chrono::Duration;
use icalendar::{Calendar, CalendarDateTime, Component, DatePerhapsTime, EventStatus, parser};
use uuid::Uuid;

fn read(text: &str) -> Calendar {
    parser::read_calendar(&parser::unfold(text)).expect("a calendar").into()
}

both! {
    async fn a_class_is_a_file_that_calendar_programs_read(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Printers, and more", 5, 100, 0)).await;
        let ann = world.customer("ann@example.com").await;
        let file = world.get(&ann, &format!("/training/{id}/calendar.ics")).await;
        assert_eq!(file.status, StatusCode::OK);
        assert!(file.headers["content-type"].to_str().unwrap().starts_with("text/calendar"));
        let calendar = read(&file.body);
        let event = calendar.events().next().unwrap();
        assert_eq!(event.get_summary(), Some("Printers, and more"));
        let Some(DatePerhapsTime::DateTime(CalendarDateTime::WithTimezone { date_time, tzid })) = event.get_start() else {
            panic!("{:?}", event.get_start());
        };
        assert_eq!(tzid, "Europe/Madrid");
        assert_eq!(date_time, (now() + Duration::hours(100)).with_timezone(&chrono_tz::Europe::Madrid).naive_local());
        assert!(file.body.contains("BEGIN:VTIMEZONE\r\nTZID:Europe/Madrid"));
    }
}

both! {
    async fn whoever_has_a_seat_adds_the_appointments_that_their_invitation_moves(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Once only", 1, 100, 0)).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        let seat = seats::enrol(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap().enrolment;
        let line = seats::enrol(&world.cx_of(&bob).await, id, Consent::default()).await.unwrap().enrolment;
        let path = format!("/training/{id}/calendar.ics");
        assert_eq!(world.count("select count(*) from message_calendar").await, 1);
        let thread = aftercare::fetch_scalar!(world.db().read().await.unwrap(), String, "select thread from message_calendar").unwrap().unwrap();
        let file = world.get(&ann, &path).await.body;
        let calendar = read(&file);
        let event = calendar.events().next().unwrap();
        assert_eq!(event.get_uid(), Some(thread.as_str()), "{file}");
        assert!(thread.starts_with(&seat.0.simple().to_string()));
        // On line it keeps the way in, which only those with a seat have.
        assert!(file.replace("\r\n ", "").contains("LOCATION:https://meet.example.com/x"), "{file}");
        let waits = world.get(&bob, &path).await.body;
        assert!(waits.contains(&format!("UID:{}-", line.0.simple())) && !waits.contains("meet.example.com"), "{waits}");
        // Who waits for a seat, or has an offer of one, gets what their feed says of it: it is not certain yet.
        assert_eq!(world.post(&bob, "/training/mine", &[("act", "renew")]).await.status, StatusCode::SEE_OTHER);
        let page = world.get(&bob, "/training/mine").await.body;
        let feed = page.split("http://portal.test").find(|part| part.starts_with("/calendar/")).unwrap().split('"').next().unwrap();
        let event = |file: &str| file[file.find("BEGIN:VEVENT").unwrap()..].to_owned();
        for state in ["waitlisted", "offered"] {
            let said = world.get(&bob, &path).await.body;
            assert!(said.contains("STATUS:TENTATIVE") && said.contains("TRANSP:TRANSPARENT"), "{state}: {said}");
            assert_eq!(event(&said), event(&world.get(None, feed).await.body), "{state}");
            if state == "waitlisted" {
                seats::cancel(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
                assert_eq!(world.count("select count(*) from enrolment where state = 'offered'").await, 1);
            }
        }
    }
}

both! {
    async fn a_private_feed_follows_its_owner_and_can_be_revoked(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Feed", 5, 100, 0)).await;
        let ann = world.customer("ann@example.com").await;
        let cx = world.cx_of(&ann).await;
        seats::enrol(&cx, id, Consent::default()).await.unwrap();
        let address = async || {
            let page = world.get(&ann, "/training/mine").await.body;
            let start = page.find("http://portal.test/calendar/")? + "http://portal.test".len();
            let end = start + page[start..].find('"')?;
            Some(page[start..end].to_owned())
        };
        assert_eq!(address().await, None);
        assert_eq!(world.post(&ann, "/training/mine", &[("act", "renew")]).await.status, StatusCode::SEE_OTHER);
        let first = address().await.unwrap();
        // No sign-in: programs cannot. The address is not in the database.
        let feed = world.get(None, &first).await;
        assert_eq!(feed.status, StatusCode::OK);
        let secret = first.trim_start_matches("/calendar/").trim_end_matches(".ics").to_owned();
        assert_eq!(world.count("select count(*) from calendar_feed").await, 1);
        let stored = aftercare::fetch_scalar!(world.db().read().await.unwrap(), String, "select serial || token_hash from calendar_feed").unwrap().unwrap();
        assert!(!stored.contains(&secret));
        let (uid, sequence) = {
            let calendar = read(&feed.body);
            let event = calendar.events().next().unwrap();
            assert_eq!(event.get_status(), Some(EventStatus::Confirmed));
            (event.get_uid().unwrap().to_owned(), event.get_sequence().unwrap())
        };
        // In the language of whoever reads it, not of the program that fetches it.
        assert!(feed.body.contains("CALNAME:My classes"), "{}", feed.body);
        world.corrupt("update person set language = 'es' where email = 'ann@example.com'").await;
        let spanish = world.get(None, &first).await.body;
        assert!(spanish.contains("CALNAME:Mis clases"), "{spanish}");
        world.corrupt("update person set language = null where email = 'ann@example.com'").await;
        // Cancelled: the same event, a higher sequence, and it says so.
        plan::cancel(&school.cx, id, "Ill.".into()).await.unwrap();
        let calendar = read(&world.get(None, &first).await.body);
        let event = calendar.events().next().unwrap();
        assert_eq!((event.get_uid().unwrap(), event.get_status()), (uid.as_str(), Some(EventStatus::Cancelled)));
        assert!(event.get_sequence().unwrap() > sequence);
        // Replaced, the old address finds nobody; switched off, none does.
        world.post(&ann, "/training/mine", &[("act", "renew")]).await;
        let second = address().await.unwrap();
        assert_ne!(first, second);
        assert_eq!(world.get(None, &first).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(None, &second).await.status, StatusCode::OK);
        world.post(&ann, "/training/mine", &[("act", "revoke")]).await;
        assert_eq!(world.get(None, &second).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(None, "/calendar/nonsense.ics").await.status, StatusCode::NOT_FOUND);
    }
}

both! {
    async fn a_room_is_given_once_however_many_ask_at_once(world: World) {
        let room: RoomId = fresh();
        let span = Span { from: now(), until: now() + Duration::days(20) };
        let mut tries = tokio::task::JoinSet::new();
        for n in 0..20_u128 {
            let db = world.db().clone();
            tries.spawn(async move {
                db.write(move |tx| {
                    Box::pin(async move {
                        let resource = Resource::Room(room);
                        busy::lock(tx, &[resource]).await?;
                        if !busy::clashes(tx, resource, &[span], None).await?.is_empty() {
                            return Ok(false);
                        }
                        busy::occupy(tx, resource, span, "visit", Uuid::from_u128(n)).await?;
                        Ok(true)
                    })
                })
                .await
                .unwrap()
            });
        }
        let won = tries.join_all().await.into_iter().filter(|won| *won).count();
        assert_eq!(won, 1);
        // Found in its middle too, though it is kept in pieces; and free once it is given back.
        let middle = Span { from: now() + Duration::days(12), until: now() + Duration::days(12) + Duration::hours(1) };
        let resource = Resource::Room(room);
        let clash = busy::clashes(&mut world.db().read().await.unwrap(), resource, &[middle], None).await.unwrap().remove(0);
        assert_eq!(clash.entity, "visit");
        let own = Some((clash.entity.as_str(), clash.id));
        assert!(busy::clashes(&mut world.db().read().await.unwrap(), resource, &[middle], own).await.unwrap().is_empty());
        let id = clash.id;
        world.db().write(move |tx| Box::pin(busy::free(tx, "visit", id))).await.unwrap();
        assert!(busy::clashes(&mut world.db().read().await.unwrap(), resource, &[middle], None).await.unwrap().is_empty());
    }
}
