//! Writing: what is answered is kept, what fails leaves nothing, and one failure does not touch its neighbours.

use crate::both;
use aftercare::{
    db::{Db, Key},
    error::AppError,
    server::{notice::Notice, settings},
};
use axum::http::{StatusCode, header};

both! {
    async fn a_failed_write_leaves_nothing_and_its_neighbours_stand(world: World) {
        let db = world.db().clone();
        let writes = (0..40).map(|n| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(move |tx| Box::pin(async move {
                    settings::write(tx, &format!("test-{n}"), "there").await?;
                    if n % 4 == 3 { Err(AppError::NotFound) } else { Ok(n) }
                })).await
            })
        });
        let outcomes: Vec<_> = futures::future::join_all(writes).await.into_iter().map(|joined| joined.unwrap()).collect();
        for (n, outcome) in outcomes.iter().enumerate() {
            let kept = settings::read(&mut db.read().await.unwrap(), &format!("test-{n}")).await.unwrap().is_some();
            assert_eq!(kept, n % 4 != 3, "{n}");
            assert_eq!(outcome.is_ok(), kept);
        }
    }
}

/// Adds one to a number that is read first: whoever does not hold the key loses somebody's.
async fn count_up(db: &Db, fails: bool) -> Result<i64, AppError> {
    let key = Key::of("test", uuid::Uuid::nil());
    db.write_in_turn(key, move |tx| {
        Box::pin(async move {
            tx.lock(&[key]).await?;
            let next = settings::read(tx, "number").await?.map_or(0, |text| text.parse::<i64>().unwrap()) + 1;
            settings::write(tx, "number", &next.to_string()).await?;
            if fails {
                // An error of the engine's own, which would end a transaction that has no savepoint.
                aftercare::execute!(
                    tx,
                    "insert into membership (organisation_id, person_id, role) values (null, null, null)"
                )?;
            }
            Ok(next)
        })
    })
    .await
}

both! {
    async fn writes_in_turn_of_two_processes_lose_nothing_and_fail_alone(world: World) {
        let here = world.db().clone();
        // SQLite belongs to one process.
        let there = if here.is_sqlite() { here.clone() } else { Db::open(&world.app.config.database_url).await.unwrap() };
        let writes = (0..120).map(|n| {
            let db = if n % 2 == 0 { here.clone() } else { there.clone() };
            tokio::spawn(async move { count_up(&db, n % 5 == 4).await })
        });
        let outcomes: Vec<_> = futures::future::join_all(writes).await.into_iter().map(|joined| joined.unwrap()).collect();
        assert!(outcomes.iter().enumerate().all(|(n, outcome)| outcome.is_ok() == (n % 5 != 4)), "{outcomes:?}");
        let mut numbers: Vec<i64> = outcomes.into_iter().flatten().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=96).collect::<Vec<i64>>());
        assert_eq!(settings::read(&mut here.read().await.unwrap(), "number").await.unwrap().as_deref(), Some("96"));
        if !here.is_sqlite() {
            there.close().await;
        }
    }
}

both! {
    async fn a_panic_in_a_write_is_an_error_of_that_write_alone(world: World) {
        let panicked: Result<(), AppError> = world.db().write(|_| Box::pin(async { panic!("on purpose") })).await;
        assert!(matches!(panicked, Err(AppError::Internal(_))));
        world.db().write(|tx| Box::pin(async move { settings::write(tx, "after", "all").await })).await.unwrap();
    }
}

both! {
    async fn a_write_inside_a_write_is_caught(world: World) {
        let db = world.db().clone();
        let nested: Result<(), AppError> = world
            .db()
            .write(move |_| {
                let db = db.clone();
                Box::pin(async move { db.write(|tx| Box::pin(async move { settings::write(tx, "nested", "").await })).await })
            })
            .await;
        assert!(matches!(nested, Err(AppError::Internal(_))));
    }
}

both! {
    async fn a_notice_that_was_not_signed_here_says_nothing(world: World) {
        let cookie = Notice::SignedIn.cookie(&world.app);
        let value = cookie.split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
        assert_eq!(Notice::read(&world.app.secret, &value), Some(Notice::SignedIn));
        assert_eq!(Notice::read(&world.app.secret, &value.replace("signed_in", "signed_out")), None);
    }
}

both! {
    async fn a_portal_without_its_database_lives_and_is_not_ready(world: World) {
        assert_eq!(world.get(None, "/readyz").await.status, StatusCode::OK);
        world.db().close().await;
        let reply = world.get(None, "/readyz").await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(reply.headers.contains_key(header::RETRY_AFTER));
        assert_eq!(world.get(None, "/healthz").await.status, StatusCode::OK);
    }
}

both! {
    async fn every_answer_names_its_request(world: World) {
        let (one, other) = (world.get(None, "/sign-in").await, world.get(None, "/no/such/page").await);
        let id = |reply: &crate::world::Reply| reply.headers.get("x-request-id").unwrap().to_str().unwrap().to_owned();
        assert!(id(&one).len() == 32 && id(&one) != id(&other));
    }
}
