//! The acts of learners, and of those who keep their courses.

use super::{CUSTOMER, Walk};
use aftercare::access::Act;
use chrono::TimeDelta;

const TRAINER: &str = "trainer@example.com";
const MINE: &str = "(select id from person where email = 'customer@example.com')";

/// The class of which the customer missed a session, the session, and an equal one elsewhere.
async fn missed(walk: &Walk) -> (String, String, String) {
    let of_mine = format!(
        "from attendance a join enrolment e on e.id = a.enrolment_id join class c on c.id = e.class_id \
         where e.person_id = {MINE} and a.mark = 'absent' and c.title like 'Chiusura%ripasso' limit 1"
    );
    let home = walk.text(&format!("select lower(hex(e.class_id)) {of_mine}")).await;
    let session = walk.text(&format!("select lower(hex(a.session_id)) {of_mine}")).await;
    let host = walk.text("select lower(hex(session_id)) from make_up where state = 'booked' limit 1").await;
    (home, session, host)
}

/// The customer's class of tomorrow with its session.
async fn tomorrow(walk: &Walk) -> (String, String) {
    let mine = format!(
        "from enrolment e join class c on c.id = e.class_id join class_session s on s.class_id = c.id \
         where e.person_id = {MINE} and e.state = 'booked' and c.state = 'open' order by s.starts_at limit 1"
    );
    let class = walk.text(&format!("select lower(hex(c.id)) {mine}")).await;
    (class, walk.text(&format!("select lower(hex(s.id)) {mine}")).await)
}

async fn book(walk: &mut Walk) -> String {
    let (home, session, host) = missed(walk).await;
    let path = format!("/training/{home}/make-up");
    walk.post(CUSTOMER, &path, &[("missed", &session), ("session", &host)]).await;
    path
}

pub async fn perform(walk: &mut Walk, act: Act) {
    match act {
        Act::EditCourse => {
            let id = walk.text("select lower(hex(id)) from course order by title limit 1").await;
            let cell = format!("select cast(version as text) from course where hex(id) = upper('{id}')");
            let version = walk.text(&cell).await;
            let form = [
                ("version", version.as_str()),
                ("title", "A better title"),
                ("summary", "What one learns."),
                ("language", "en"),
                ("level", "advanced"),
                ("needs_rule", "require"),
                ("pass_percent", "75"),
                ("unit_1", "The first unit"),
                ("minutes_1", "45"),
            ];
            walk.post(TRAINER, &format!("/desk/courses/{id}"), &form).await;
        }
        Act::AddMaterial => {
            let id = walk.text("select lower(hex(id)) from course order by title limit 1").await;
            let form = [("title", "Notes"), ("link", "https://www.example.com/notes"), ("audience", "enrolled")];
            walk.post(TRAINER, &format!("/desk/courses/{id}/materials"), &form).await;
        }
        Act::RemoveMaterial => {
            let course = walk.text("select lower(hex(course_id)) from material where link is not null").await;
            let id = walk.text("select lower(hex(id)) from material where link is not null").await;
            let form = [("act", "remove"), ("material", id.as_str())];
            walk.post(TRAINER, &format!("/desk/courses/{course}"), &form).await;
        }
        Act::Announce => {
            let (class, session) = tomorrow(walk).await;
            let form = [("act", "announce"), ("session", session.as_str()), ("kind", "absent"), ("words", "I am ill.")];
            walk.post(CUSTOMER, &format!("/training/{class}"), &form).await;
        }
        Act::WithdrawAnnouncement => {
            let (class, session) = tomorrow(walk).await;
            let form = [("act", "withdraw"), ("session", session.as_str())];
            walk.post(CUSTOMER, &format!("/training/{class}"), &form).await;
        }
        Act::BookMakeUp => {
            book(walk).await;
        }
        Act::CancelMakeUp => {
            let learner = "select p.email from make_up m join person p on p.id = m.person_id where m.state = 'booked'";
            let (who, id) = (
                walk.text(learner).await,
                walk.text("select lower(hex(id)) from make_up where state = 'booked'").await,
            );
            let home = "select lower(hex(s.class_id)) from make_up m join class_session s on s.id = m.missed_id where m.state = 'booked'";
            let home = walk.text(home).await;
            let form = [("act", "cancel"), ("make_up", id.as_str())];
            walk.post(&who, &format!("/training/{home}/make-up"), &form).await;
        }
        Act::MarkMakeUp => {
            let id = walk.text("select lower(hex(id)) from make_up where state = 'booked'").await;
            walk.world.advance(TimeDelta::days(18));
            walk.post(TRAINER, &format!("/desk/make-ups/{id}"), &[("mark", "absent")]).await;
        }
        other => panic!("{other:?} is no act of learners"),
    }
}
