//! `aftercare check` itself: each clause is broken by some test, and those of no slice are broken here.

use crate::both;
use aftercare::{access::Role, cli};
use axum::http::StatusCode;

#[test]
fn every_clause_has_a_test_that_breaks_it() {
    let mut tests = String::new();
    for file in std::fs::read_dir("tests/it").unwrap().flatten().filter(|file| file.path().is_file()) {
        tests.push_str(&std::fs::read_to_string(file.path()).unwrap_or_default());
    }
    let untested = |name: &&str| !tests.contains(&format!("\"{name}\""));
    let names: Vec<&str> = cli::clauses().into_iter().map(|clause| clause.name).collect();
    assert!(names.len() > 70);
    assert_eq!(names.into_iter().filter(untested).collect::<Vec<_>>(), Vec::<&str>::new());
}

both! {
    async fn what_nobody_did_and_what_nobody_will_do_is_named_with_its_row(world: World) {
        world.post(None, "/sign-in", &[("email", "ann@example.com")]).await;
        let ann = world.customer("ann@example.com").await;
        world.staff(Role::Agent).await;
        let claim = [("serial_number", "XX-1"), ("email", ""), ("proof", "the receipt")];
        assert_eq!(world.post(&ann, "/purchases/register", &claim).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.broken().await, Vec::<String>::new());
        let one = async |sql: &'static str| {
            let mut tx = world.db().read().await.unwrap();
            aftercare::fetch_scalar!(tx, uuid::Uuid, sql).unwrap().unwrap()
        };
        let named = async || {
            let broken = cli::check(&world.app).await.unwrap();
            broken.into_iter().map(|row| (row.name, row.id)).collect::<Vec<_>>()
        };
        world.corrupt("update job set failed_at = created_at").await;
        let job = one("select id from job").await;
        assert_eq!(named().await, [("job_given_up", job)]);
        world.corrupt("update job set failed_at = null").await;
        let act = one("select id from history where actor_kind = 'person'").await;
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
