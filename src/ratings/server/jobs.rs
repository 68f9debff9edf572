//! Asking, as a job: some moment lies behind us, and we would like to know how it was.

use super::service::{self, Question};
use crate::{
    db::Tx,
    error::AppError,
    fetch_optional,
    ratings::domain::Moment,
    server::Cx,
    values::{FeedbackId, PersonId},
};
use uuid::Uuid;

/// What it is about and who did the work, by the kind of moment; nothing where the matter is gone or not over.
const CASE: &str =
    "select c.subject, c.owner_id from care_case c where c.id = $1 and c.state in ('resolved', 'closed')";

const REPAIR: &str = "select item_name, technician_id from repair where id = $1 and state in ('handed_back', 'closed')";
const CLASS: &str = "select title, trainer_id from class where id = $1 and state = 'completed'";
const DELIVERY: &str = "select p.product_name, nobody.id from purchase p left join person nobody on false \
    where p.id = $1 and p.delivered_on is not null";

async fn subject(tx: &mut Tx, moment: Moment, id: Uuid) -> Result<Option<(String, Option<PersonId>)>, AppError> {
    let sql = match moment {
        Moment::Case => CASE,
        Moment::Repair => REPAIR,
        Moment::Class => CLASS,
        Moment::Delivery => DELIVERY,
        // Nobody does all of a relation, and no single thing is asked about.
        Moment::Relation => return Ok(None),
    };
    Ok(fetch_optional!(tx, (String, Option<PersonId>), sql, id)?)
}

/// Puts the question about a moment. Done twice, it is put once.
pub async fn ask(cx: &Cx, moment: &str, subject_id: Uuid, person: PersonId) -> Result<(), AppError> {
    let moment: Moment = moment.parse().map_err(|_| AppError::NotFound)?;
    let cx2 = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = cx2.clone();
            Box::pin(async move {
                let Some((about, worker)) = subject(tx, moment, subject_id).await? else { return Ok(()) };
                let question =
                    Question { person, moment, subject: subject_id, about, did_the_work: worker.into_iter().collect() };
                service::ask(tx, &cx, &question).await.map(|_| ())
            })
        })
        .await
}

/// Sends the one reminder where there is still no answer.
pub async fn remind(cx: &Cx, feedback: FeedbackId) -> Result<(), AppError> {
    let cx2 = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = cx2.clone();
            Box::pin(async move { service::remind(tx, &cx, feedback).await })
        })
        .await
}
