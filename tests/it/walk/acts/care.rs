//! The acts of cases, ratings and follow-ups.

use super::{AGENT, Walk, job};
use aftercare::{access::Act, jobs::Job};
use axum::http::StatusCode;
use chrono::TimeDelta;

/// A case in a state: its id and its customer's address.
async fn case(walk: &Walk, state: &str) -> (String, String) {
    let cell = async |cell: &str| {
        let sql = format!(
            "select {cell} from care_case c join person p on p.id = c.customer_id where c.state = '{state}' order by c.id limit 1"
        );
        walk.text(&sql).await
    };
    (cell("lower(hex(c.id))").await, cell("p.email").await)
}

async fn by_customer(walk: &mut Walk, state: &str, fields: &[(&str, &str)]) {
    let (id, email) = case(walk, state).await;
    walk.post(&email, &format!("/cases/{id}"), fields).await;
}

async fn by_desk(walk: &mut Walk, state: &str, fields: &[(&str, &str)]) {
    let (id, _) = case(walk, state).await;
    walk.post(AGENT, &format!("/desk/cases/{id}"), fields).await;
}

pub async fn perform(walk: &mut Walk, act: Act) {
    match act {
        Act::OpenCase => {
            let form = [("kind", "complaint"), ("subject", "Late"), ("words", "It came late.")];
            walk.post(super::CUSTOMER, "/cases/new", &form).await;
        }
        Act::ReplyToCase => by_customer(walk, "waiting_for_you", &[("words", "To my office, please.")]).await,
        Act::ReopenCase => by_customer(walk, "resolved", &[("words", "It is not solved.")]).await,
        Act::ConfirmCase => by_customer(walk, "resolved", &[("do", "confirm")]).await,
        Act::AnswerCase => by_desk(walk, "open", &[("do", "answer"), ("words", "We look into it.")]).await,
        Act::AskCustomer => by_desk(walk, "open", &[("do", "ask"), ("words", "Which one?")]).await,
        Act::NoteCase => by_desk(walk, "open", &[("do", "note"), ("words", "Called twice.")]).await,
        Act::AssignCase => by_desk(walk, "open", &[("do", "take")]).await,
        Act::SetCasePriority => by_desk(walk, "open", &[("do", "prioritise"), ("priority", "urgent")]).await,
        Act::ResolveCase => by_desk(walk, "open", &[("do", "resolve")]).await,
        Act::CloseCase => by_desk(walk, "resolved", &[("do", "close")]).await,
        Act::AskFeedback => {
            // Whoever is asked by what the demo left to be done is not asked again.
            walk.world.drain().await;
            let unasked = "from purchase p where p.delivered_on < '2026-12-01' and p.person_id not in (select person_id from feedback) \
                order by p.id limit 1";
            let purchase = walk.text(&format!("select lower(hex(p.id)) {unasked}")).await;
            let person = walk.text(&format!("select lower(hex(p.person_id)) {unasked}")).await;
            let (subject, person) = (purchase.parse().unwrap(), person.parse().unwrap());
            job(walk, Job::AskFeedback { moment: "delivery".into(), subject, person }).await;
        }
        Act::RemindFeedback => {
            let id = walk.text("select lower(hex(id)) from feedback where answered_at is null").await;
            walk.world.advance(TimeDelta::days(6));
            sqlx::query("delete from job where kind = 'remind_feedback'")
                .execute(&mut super::connect(&walk.world).await)
                .await
                .unwrap();
            job(walk, Job::RemindFeedback { feedback: id.parse().unwrap() }).await;
        }
        Act::Rate => {
            let link = "select link from message where link like '%/rate/%' and email = 'customer@example.com'";
            let path = walk.text(link).await.replace("http://portal.test", "");
            let world = walk.world.clone();
            let form = [("score", "1"), ("words", "Nobody came.")];
            let reply = walk.once(async { world.post_with("", &path, &form).await }).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        }
        Act::PlanFollowUp => {
            let (_, email) = case(walk, "open").await;
            let id = walk.text(&format!("select lower(hex(id)) from person where email = '{email}'")).await;
            walk.post(AGENT, &format!("/desk/customers/{id}"), &[("due", "3"), ("what", "Call.")]).await;
        }
        Act::DoneFollowUp => {
            let id = walk.text("select lower(hex(id)) from follow_up where done_at is null and (entity is null or entity <> 'registration')").await;
            walk.post(AGENT, &format!("/desk/follow-ups/{id}"), &[("outcome", "reached")]).await;
        }
        other => panic!("{other:?}: say in tests/it/walk/acts how it is done"),
    }
}
