//! The demo company's ratings: enough answers for a figure after each moment, an unhappy customer with the case that
//! makes it good, and a question that waits for the customer of the demo bar.

use super::service::{self, Question};
use crate::{
    access::Viewer,
    error::AppError,
    fetch_all,
    ratings::domain::Moment,
    server::{Cx, demo::Cast},
    values::PersonId,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Scores and words in the order of the matters that are found.
const ANSWERS: &[(i64, &str)] = &[
    (5, "Everything as promised, and a day early."),
    (2, "Nobody told me that the part had not arrived."),
    (4, ""),
    (5, "Muy amables. Me explicaron todo con paciencia."),
    (5, ""),
    (3, "Il lavoro è buono, ma ho dovuto telefonare due volte."),
    (5, "बहुत अच्छा अनुभव, धन्यवाद।"),
    (4, "Viskas gerai, tik laukti teko ilgiau."),
    (5, ""),
    (4, "Clear and friendly."),
    (5, "Perfetto!"),
    (5, ""),
    (4, ""),
    (1, "Dvi savaites niekas neatsiliepė."),
    (5, "Ačiū, labai aiškiai paaiškinta."),
    (5, ""),
    (4, "Bien, pero el aula estaba fría."),
    (5, "Would come again."),
];

/// A moment that somebody went through; `at` is when, where that is known to the hour.
#[derive(sqlx::FromRow)]
struct Lived {
    subject: Uuid,
    about: String,
    person: PersonId,
    at: Option<DateTime<Utc>>,
}

const CASES: &str = "select id as subject, subject as about, customer_id as person, coalesce(closed_at, resolved_at) as at \
    from care_case where state in ('resolved', 'closed') order by opened_at, id limit 8";

const REPAIRS: &str = "select id as subject, item_name as about, person_id as person, ended_at as at from repair \
    where state in ('handed_back', 'closed') order by created_at, id limit 12";
const CLASSES: &str = "select c.id as subject, c.title as about, e.person_id as person, c.ends_at as at \
    from enrolment e join class c on c.id = e.class_id where c.state = 'completed' and e.state = 'booked' \
    order by c.ends_at, e.id limit 12";
const DELIVERIES: &str = "select id as subject, product_name as about, person_id as person, cast(null as timestamptz) as at \
    from purchase where delivered_on is not null order by created_at, id limit 60";

/// Where each kind of moment is found.
const MOMENTS: &[(Moment, &str)] =
    &[(Moment::Case, CASES), (Moment::Repair, REPAIRS), (Moment::Class, CLASSES), (Moment::Delivery, DELIVERIES)];

/// Asks and answers through the same use cases as everybody else.
pub async fn seed(cx: &Cx, cast: &Cast) -> Result<(), AppError> {
    let pending = cast.person("customer")?;
    let mut asked: BTreeSet<PersonId> = BTreeSet::from([pending]);
    let mut answers = ANSWERS.iter().cycle();
    let mut days_ago = 70_i64;
    for (moment, sql) in MOMENTS {
        for lived in fetch_all!(cx.db().read().await?, Lived, *sql)? {
            if !asked.insert(lived.person) {
                continue;
            }
            let Some((score, words)) = answers.next() else { break };
            days_ago = (days_ago - 3).max(2);
            let spread = cx.now - TimeDelta::days(days_ago);
            // Who is unhappy said so today: what makes it good is still on its way.
            let at = if *score <= 2 {
                cx.now - TimeDelta::hours(4)
            } else {
                lived.at.unwrap_or(spread) + TimeDelta::hours(1)
            };
            put(cx, lived.question(*moment), at, Some((*score, words))).await?;
        }
    }
    // The customer of the bar is asked about something of theirs, and has not answered yet.
    for (moment, sql) in MOMENTS {
        let lived = fetch_all!(cx.db().read().await?, Lived, *sql)?;
        if let Some(lived) = lived.into_iter().find(|lived| lived.person == pending) {
            put(cx, lived.question(*moment), cx.now - TimeDelta::days(1), None).await?;
            break;
        }
    }
    Ok(())
}

impl Lived {
    fn question(self, moment: Moment) -> Question {
        Question { person: self.person, moment, subject: self.subject, about: self.about, did_the_work: Vec::new() }
    }
}

/// Puts a question, and answers it some hours later.
async fn put(
    cx: &Cx,
    question: Question,
    at: DateTime<Utc>,
    answer: Option<(i64, &'static str)>,
) -> Result<(), AppError> {
    let asked = Cx { now: at.min(cx.now), ..cx.as_viewer(Viewer::System) };
    let answered = Cx { now: (at + TimeDelta::hours(2)).min(cx.now), ..asked.clone() };
    cx.db()
        .write(move |tx| {
            let (asked, answered, question) = (asked.clone(), answered.clone(), question.clone());
            Box::pin(async move {
                let Some(id) = service::ask(tx, &asked, &question).await? else { return Ok(()) };
                let Some((score, words)) = answer else { return Ok(()) };
                service::answer_known(tx, &answered, id, score, words).await
            })
        })
        .await
}
