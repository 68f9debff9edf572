//! `aftercare check` itself: each clause is broken by some test, and those of no slice are broken here.

use crate::{both, world::World};
use aftercare::{access::Role, cli};
use axum::http::StatusCode;

/// Each clause stands by its name in a test that corrupts the database ([`World::corrupt`]) and compares what `check` finds
/// then ([`World::broken`], which holds it to the rows that were corrupted).
#[test]
fn every_clause_has_a_test_that_breaks_it_and_sees_its_row_named() {
    let mut tests = Vec::new();
    for file in std::fs::read_dir("tests/it").unwrap().flatten().filter(|file| file.path().is_file()) {
        let text = std::fs::read_to_string(file.path()).unwrap_or_default();
        // A list that stands before the test that goes through it belongs to it.
        let list =
            text.split("\nconst CORRUPTIONS").nth(1).and_then(|rest| rest.split("\n];").next()).unwrap_or_default();
        for test in text.replace("#[tokio::test", "both! {").split("both! {") {
            let list = if test.contains(" in CORRUPTIONS.iter()") { list } else { "" };
            tests.push(format!("{test}{list}"));
        }
    }
    let breaks = |test: &&String| {
        test.contains(".corrupt(") && (test.contains(".broken().await") || test.contains("cli::check("))
    };
    let tests: Vec<&String> = tests.iter().filter(breaks).collect();
    let untested = |name: &&str| !tests.iter().any(|test| test.contains(&format!("\"{name}\"")));
    let names: Vec<&str> = cli::clauses().into_iter().map(|clause| clause.name).collect();
    assert!(names.len() > 70);
    assert_eq!(names.into_iter().filter(untested).collect::<Vec<_>>(), Vec::<&str>::new());
}

both! {
    async fn what_check_names_is_what_was_corrupted(world: World) {
        world.post(None, "/sign-in", &[("email", "ann@example.com")]).await;
        world.post(None, "/sign-in", &[("email", "bob@example.com")]).await;
        let other = one(&world, "select id from job order by id desc limit 1").await;
        world.corrupt("update job set failed_at = created_at where id = (select id from job order by id limit 1)").await;
        assert_eq!(world.broken().await, ["job_given_up"]);
        let broken = cli::check(&world.app).await.unwrap();
        assert!(broken.len() == 1 && broken[0].id != other);
        // Behind the back of `corrupt`: then whatever is named was corrupted by nobody.
        world.db().write(|tx| Box::pin(async move {
            Ok(aftercare::execute!(tx, "update job set failed_at = created_at")?)
        })).await.unwrap();
        let held = std::panic::AssertUnwindSafe(world.broken());
        let refused = futures::FutureExt::catch_unwind(held).await;
        assert!(refused.is_err(), "a row that nobody corrupted is accepted");
    }
}

async fn one(world: &World, sql: &'static str) -> uuid::Uuid {
    let mut tx = world.db().read().await.unwrap();
    aftercare::fetch_scalar!(tx, uuid::Uuid, sql).unwrap().unwrap()
}

both! {
    async fn what_nobody_did_and_what_nobody_will_do_is_named_with_its_row(world: World) {
        world.post(None, "/sign-in", &[("email", "ann@example.com")]).await;
        let ann = world.customer("ann@example.com").await;
        world.staff(Role::Agent).await;
        let claim = [("serial_number", "XX-1"), ("email", ""), ("proof", "the receipt")];
        assert_eq!(world.post(&ann, "/purchases/register", &claim).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.broken().await, Vec::<String>::new());
        let named = async || {
            let broken = cli::check(&world.app).await.unwrap();
            broken.into_iter().map(|row| (row.name, row.id)).collect::<Vec<_>>()
        };
        world.corrupt("update job set failed_at = created_at").await;
        let job = one(&world, "select id from job").await;
        assert_eq!(named().await, [("job_given_up", job)]);
        world.corrupt("update job set failed_at = null").await;
        let act = one(&world, "select id from history where actor_kind = 'person'").await;
        assert_eq!(world.count("select count(*) from history where actor_kind = 'person'").await, 1);
        world.corrupt("update history set actor_id = null").await;
        assert_eq!(named().await, [("history_of_nobody", act)]);
    }
}

both! {
    async fn a_letter_that_no_job_will_send_is_named(world: World) {
        world.post(None, "/sign-in", &[("email", "ann@example.com")]).await;
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.corrupt("delete from job where kind = 'deliver'").await;
        assert_eq!(world.broken().await, ["letter_that_nobody_sends"]);
        // What has left needs nobody any more.
        world.corrupt("update message set sent_at = created_at").await;
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_letter_is_tied_to_its_own_job(world: World) {
        for email in ["ann@example.com", "ben@example.com"] {
            world.post(None, "/sign-in", &[("email", email)]).await;
        }
        // Due at the same moment, so that the one's job might be taken for the other's.
        world.corrupt("update message set send_after = (select min(send_after) from message)").await;
        world.corrupt("update job set run_at = (select min(send_after) from message)").await;
        let named = async || {
            let broken = cli::check(&world.app).await.unwrap();
            broken.into_iter().map(|row| (row.name, row.id)).collect::<Vec<_>>()
        };
        let letter = async |email: &str| {
            let mut tx = world.db().read().await.unwrap();
            const LETTER: &str = "select id from message where email = $1";
            aftercare::fetch_scalar!(tx, uuid::Uuid, LETTER, email).unwrap().unwrap()
        };
        let (ann, ben) = (letter("ann@example.com").await, letter("ben@example.com").await);
        assert_eq!(named().await, []);
        let change = async |sql: &'static str, message: uuid::Uuid| {
            let payload = format!("%{message}%");
            let changed = world.db().write(move |tx| {
                let payload = payload.clone();
                Box::pin(async move { Ok(aftercare::execute!(tx, sql, payload)?) })
            });
            assert_eq!(changed.await.unwrap(), 1, "{sql}");
        };
        change("update job set done_at = created_at where payload like $1", ann).await;
        assert_eq!(named().await, [("letter_that_nobody_sends", ann)], "its job is done, and it has not left");
        change("delete from job where payload like $1", ann).await;
        assert_eq!(named().await, [("letter_that_nobody_sends", ann)], "there is a job, but of another letter");
        world.corrupt("update message set sent_at = created_at where email = 'ann@example.com'").await;
        change("insert into job (id, kind, payload, run_at, attempts, created_at) select (select id from message where email = 'ann@example.com'), kind, payload, run_at, 0, created_at from job where payload like $1", ben).await;
        assert_eq!(named().await, [("letter_with_two_jobs", ben)]);
    }
}
