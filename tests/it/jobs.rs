//! Work for later.

use crate::{both, training::School, world::World};
use aftercare::{
    access::Viewer,
    benefits::server::jobs as nightly,
    jobs,
    notices::server::{Letter, To, service as notices},
    server::clock::{self, Hands},
    training::server::seats::{self, Consent},
};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

both! {
    async fn a_letter_waits_for_days_until_a_mail_server_takes_it(world: World) {
        let world = World::without_mail(world.engine).await;
        world.post(None, "/sign-in", &[("email", "ann@example.com")]).await;
        for _ in 0..30 {
            world.corrupt("update job set leased_until = null").await;
            // Once: its rest is not over before the clock goes on.
            Hands::at(clock::real_now()).hold(world.drain()).await;
        }
        assert_eq!(world.count("select attempts from job where kind = 'deliver'").await, 30);
        assert_eq!(world.count("select count(*) from job where failed_at is not null").await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
        // Not for ever, and then it is seen.
        world.corrupt("update job set attempts = 249, leased_until = null").await;
        world.drain().await;
        assert_eq!(world.broken().await, ["job_given_up"]);
    }
}

both! {
    async fn a_mail_server_that_hangs_holds_up_letters_only_and_no_end(world: World) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // It takes every connection and never says a word.
        let silent = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
        let world = World::mailing_by(world.engine, &format!("smtp://{address}")).await;
        let school = School::of(&world, vec![]).await;
        let class = school.open(school.draft("Small", 1, 24 * 20, 0)).await;
        let (ann, ben) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await);
        for who in [&ann, &ben] {
            seats::enrol(&world.cx_of(who).await, class, Consent::default()).await.unwrap();
        }
        seats::cancel(&world.cx_of(&ann).await, class, Consent::default()).await.unwrap();
        const OFFERS: &str = "select count(*) from enrolment where state = 'offered'";
        const LETTERS: &str = "select count(*) from job where kind = 'deliver' and done_at is null";
        assert_eq!(world.count(OFFERS).await, 1);
        let letters = world.count(LETTERS).await;
        assert!(letters > 1, "they are due before the end of the offer");
        world.advance(TimeDelta::hours(25));
        let stop = CancellationToken::new();
        let worker = tokio::spawn(jobs::work(world.app.clone(), stop.clone()));
        let passed = async {
            while world.count(OFFERS).await > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(15), passed).await.expect("the offer ends while letters wait");
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(15), worker).await.expect("the worker stops").unwrap();
        assert!(world.count(LETTERS).await >= letters, "none has left");
        silent.abort();
    }
}

both! {
    async fn whoever_works_off_what_is_due_waits_for_what_another_worker_is_about(world: World) {
        world.post(None, "/sign-in", &[("email", "ann@example.com")]).await;
        // Another worker has the letter, and is not done with it yet.
        let lease = clock::real_now() + TimeDelta::milliseconds(700);
        world
            .db()
            .write(move |tx| {
                Box::pin(async move {
                    Ok(aftercare::execute!(tx, "update job set attempts = 1, leased_until = $1 where kind = 'deliver'", lease)?)
                })
            })
            .await
            .unwrap();
        world.drain().await;
        assert_eq!(world.count("select count(*) from job where kind = 'deliver' and done_at is not null").await, 1);
        // Nor is it forgotten where the other dies over it just as one looks.
        for wait in 0..100 {
            let lease = clock::real_now() + TimeDelta::microseconds(1_000 + wait * 97);
            world
                .db()
                .write(move |tx| {
                    Box::pin(async move {
                        let again = "update job set done_at = null, leased_until = $1 where kind = 'deliver'";
                        Ok(aftercare::execute!(tx, again, lease)?)
                    })
                })
                .await
                .unwrap();
            world.drain().await;
            assert_eq!(world.count("select count(*) from job where kind = 'deliver' and done_at is null").await, 0);
        }
        // What failed and is to be tried again later is not waited for.
        let world = World::without_mail(world.engine).await;
        world.post(None, "/sign-in", &[("email", "ann@example.com")]).await;
        let still = Hands::at(clock::real_now());
        tokio::time::timeout(Duration::from_secs(30), still.hold(world.drain())).await.expect("it rests for two seconds");
        assert_eq!(world.count("select attempts from job where kind = 'deliver'").await, 1);
    }
}

both! {
    async fn what_is_due_in_ten_thousand_years_is_not_due_now(world: World) {
        let far: DateTime<Utc> = "+10000-01-07T09:00:00Z".parse().unwrap();
        world
            .db()
            .write(move |tx| Box::pin(async move { jobs::enqueue(tx, jobs::Job::ExpireBenefits, far).await.map(|_| ()) }))
            .await
            .unwrap();
        world.drain().await;
        assert_eq!(world.count("select count(*) from job where done_at is null").await, 1);
    }
}

both! {
    async fn the_nights_are_one_chain_however_often_one_is_tried_and_even_where_one_fails(world: World) {
        const PLANNED: &str = "select count(*) from job where kind = 'expire_benefits' and done_at is null and failed_at is null";
        let night = async || nightly::expire(&world.cx(Viewer::System)).await;
        nightly::plan(&world.cx(Viewer::System)).await.unwrap();
        nightly::plan(&world.cx(Viewer::System)).await.unwrap();
        assert_eq!(world.count(PLANNED).await, 1);
        // The worker dies after it, before the job is done: it is run again.
        world.advance(TimeDelta::days(1));
        night().await.unwrap();
        night().await.unwrap();
        assert_eq!(world.count(PLANNED).await, 2, "itself, and the next");
        world.drain().await;
        assert_eq!(world.count(PLANNED).await, 1);
        // Everything goes wrong for one night.
        world.corrupt("alter table benefit rename to benefit_elsewhere").await;
        world.advance(TimeDelta::days(2));
        for _ in 0..10 {
            world.corrupt("update job set leased_until = null").await;
            world.drain().await;
        }
        world.corrupt("alter table benefit_elsewhere rename to benefit").await;
        assert_eq!(world.broken().await, ["job_given_up"]);
        assert_eq!(world.count(PLANNED).await, 1, "the next night comes all the same");
        world.advance(TimeDelta::days(3));
        world.drain().await;
        assert_eq!(world.count("select count(*) from job where kind = 'expire_benefits' and done_at is not null").await, 2);
    }
}

both! {
    async fn a_letter_waits_until_eight_on_the_wall_also_in_the_nights_in_which_clocks_are_changed(world: World) {
        for (now, morning) in [
            ("2026-10-23T21:30:00Z", "2026-10-24T06:00:00Z"),
            ("2026-10-24T21:30:00Z", "2026-10-25T07:00:00Z"),
            ("2026-03-28T22:30:00Z", "2026-03-29T06:00:00Z"),
        ] {
            let world = World::at(world.engine, now).await;
            let (ann, cx) = (world.person("ann@example.com").await, world.operator());
            let send = world.db().write(move |tx| {
                let cx = cx.clone();
                Box::pin(async move {
                    let letter = Letter::RegistrationAccepted { serial: "S-1".into(), link: "/purchases".into() };
                    notices::send(tx, &cx, To::Person(ann), letter, "once").await
                })
            });
            send.await.unwrap();
            let mut tx = world.db().read().await.unwrap();
            let at = aftercare::fetch_scalar!(tx, DateTime<Utc>, "select send_after from message").unwrap();
            assert_eq!(at, Some(morning.parse().unwrap()), "{now}");
        }
    }
}
