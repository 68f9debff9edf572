//! Asking, as a job: some moment lies behind us, and we would like to know how it was.

use super::service::{self, Question};
use crate::{
    db::Tx,
    error::AppError,
    fetch_optional,
    jobs::{self, Job},
    ratings::domain::Moment,
    server::Cx,
    values::{FeedbackId, PersonId},
};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

/// What it is about and who did the work, by the kind of moment; nothing where the matter is gone or not over.
const CASE: &str =
    "select c.subject, c.owner_id from care_case c where c.id = $1 and c.state in ('resolved', 'closed')";

const REPAIR: &str = "select item_name, technician_id from repair where id = $1 and state in ('handed_back', 'closed')";
const CLASS: &str = "select title, trainer_id from class where id = $1 and state = 'completed'";

async fn subject(tx: &mut Tx, moment: Moment, id: Uuid) -> Result<Option<(String, Option<PersonId>)>, AppError> {
    let sql = match moment {
        Moment::Case => CASE,
        Moment::Repair => REPAIR,
        Moment::Class => CLASS,
        // A delivery is read with its date and its owner; nobody does all of a relation, and no single thing is asked
        // about.
        Moment::Delivery | Moment::Relation => return Ok(None),
    };
    Ok(fetch_optional!(tx, (String, Option<PersonId>), sql, id)?)
}

/// Feedback about a delivery is asked for so many days later, in the late morning.
const ASK_AFTER_DAYS: u64 = 7;

/// When somebody has had something that was delivered on a day for long enough to say how it is.
pub fn time_to_ask(delivered: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let day = delivered.checked_add_days(Days::new(ASK_AFTER_DAYS)).unwrap_or(delivered);
    let morning = day.and_time(NaiveTime::from_hms_opt(10, 30, 0).unwrap_or_default());
    let at = morning.and_local_timezone(zone).earliest().map(|at| at.to_utc());
    at.unwrap_or_else(|| morning.and_utc())
}

/// A delivery that nobody was asked about yet, as it stands now: who has what was delivered. The buyer, unless all of it
/// went to somebody else.
const DELIVERY: &str = "select p.product_name, p.delivered_on, \
    case when exists (select 1 from item i where i.purchase_id = p.id and i.owner_id = p.person_id) then p.person_id \
    else coalesce((select i.owner_id from item i where i.purchase_id = p.id order by i.position limit 1), p.person_id) \
    end as owner_id \
    from purchase p where p.id = $1 and p.delivered_on is not null \
    and not exists (select 1 from feedback f where f.moment = 'delivery' and f.subject_id = p.id)";

/// Asks about a delivery, or waits on where it was put off meanwhile.
async fn ask_about_delivery(tx: &mut Tx, cx: &Cx, purchase: Uuid) -> Result<(), AppError> {
    let row = fetch_optional!(tx, (String, NaiveDate, PersonId), DELIVERY, purchase)?;
    let Some((about, delivered, person)) = row else { return Ok(()) };
    let at = time_to_ask(delivered, cx.company_zone());
    if at > cx.now {
        let job = Job::AskFeedback { moment: Moment::Delivery.as_str().to_owned(), subject: purchase, person };
        return jobs::enqueue(tx, job, at).await.map(|_| ());
    }
    let question = Question { person, moment: Moment::Delivery, subject: purchase, about, did_the_work: Vec::new() };
    service::ask(tx, cx, &question).await.map(|_| ())
}

/// Puts the question about a moment. Done twice, it is put once.
pub async fn ask(cx: &Cx, moment: &str, subject_id: Uuid, person: PersonId) -> Result<(), AppError> {
    let moment: Moment = moment.parse().map_err(|_| AppError::NotFound)?;
    let cx2 = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = cx2.clone();
            Box::pin(async move {
                if moment == Moment::Delivery {
                    return ask_about_delivery(tx, &cx, subject_id).await;
                }
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
