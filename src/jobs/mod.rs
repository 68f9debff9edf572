//! Work for later: enqueued in the transaction that causes it, run at least once, given up on visibly.

use crate::{
    access::Viewer,
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_scalar,
    server::{App, Cx, clock::real_now, fresh},
    values::{
        CaseId, CertificateId, ClassId, EnrolmentId, FeedbackId, JobId, MakeUpId, MessageId, PersonId, PhotoId,
        QuoteId, RepairId,
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use std::{panic::AssertUnwindSafe, time::Duration};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Everything that can wait to be done. Each handler may run twice and must have its effect once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Hands a message over to the mail server.
    Deliver { message: MessageId },
    /// Closes a case that was resolved and not opened again.
    CloseCase { case: CaseId },
    /// Asks a person how it was: `moment` is `delivery`, `repair`, `class` or `case`, `subject` the thing it is about.
    AskFeedback { moment: String, subject: Uuid, person: PersonId },
    /// Asks once more where there is no answer.
    RemindFeedback { feedback: FeedbackId },
    /// Plans itself again for the next night, and ends benefits that were not used in their period.
    ExpireBenefits,
    /// Lets a quote lapse that nobody answered.
    LapseQuote { repair: RepairId, quote: QuoteId },
    /// Closes a repair that the customer has had back for a while.
    CloseRepair { repair: RepairId },
    /// Forgets a picture that found no repair.
    ForgetPhoto { photo: PhotoId },
    /// Ends an offer of a seat whose time is over.
    ExpireOffer { enrolment: EnrolmentId },
    /// A class begins.
    StartClass { class: ClassId },
    /// Tells the trainer of a class that is over that it is still to be closed.
    RemindToClose { class: ClassId },
    /// Reminds the learners of a class the day before.
    RemindClass { class: ClassId },
    /// Reminds whoever makes a session up, the day before.
    RemindGuest { make_up: MakeUpId },
    /// The cut-off of a class: seats without a name are given back.
    ReturnSeats { class: ClassId },
    /// No seats are gathered any more for a group that waits for a class.
    OpenLine { class: ClassId },
    /// A certificate lapses soon: its holder is told.
    TellLapse { certificate: CertificateId },
}

/// How long a worker has a job before another may take it.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How often a job is tried before it is given up.
const TRIES: i64 = 10;
/// How often a letter is tried while no mail server takes it: for five days, as RFC 5321, 4.5.4.1 asks ("at least 4-5
/// days").
const LETTER_TRIES: i64 = 250;
/// How many a worker takes at once.
const BATCH: i64 = 32;
/// How long one waits for a job that another worker is about, before one looks again.
const MOMENT: Duration = Duration::from_millis(20);
/// How long the worker sleeps when nothing is due.
const NAP: Duration = Duration::from_secs(1);
/// How long a letter that is on its way may still take once the worker is to stop. Whoever starts next sends it again
/// with the same Message-ID at the most.
const LAST_LETTER: Duration = Duration::from_secs(5);

const ENQUEUE: &str =
    "insert into job (id, kind, payload, run_at, attempts, created_at) values ($1, $2, $3, $4, 0, $5)";

/// The last second of which the year has four digits, in seconds of Unix time: what lies beyond sorts wrongly as text.
const LAST: i64 = 253_402_300_799;

/// Enqueues within the caller's transaction, due at `run_at` in business time.
pub async fn enqueue(tx: &mut Tx, job: Job, run_at: DateTime<Utc>) -> Result<JobId, AppError> {
    let run_at = DateTime::from_timestamp(LAST, 0).map_or(run_at, |last| run_at.min(last));
    let payload = serde_json::to_value(&job).map_err(|e| crate::server::internal("a job cannot be written", &e))?;
    let kind = payload.get("job").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned();
    let id: JobId = fresh();
    execute!(tx, ENQUEUE, id, kind, payload.to_string(), run_at, real_now())?;
    Ok(id)
}

const KNOWN: &str = "select payload from job where kind = $1 and failed_at is null";

/// All jobs of a kind that are to be done or were: so that none is planned twice.
pub async fn known(tx: &mut Tx, kind: &str) -> Result<Vec<Job>, AppError> {
    let rows = fetch_all!(tx, (String,), KNOWN, kind)?;
    Ok(rows.iter().filter_map(|(payload,)| serde_json::from_str(payload).ok()).collect())
}

async fn run(cx: &Cx, job: Job) -> Result<(), AppError> {
    match job {
        Job::Deliver { message } => crate::notices::server::service::deliver(cx, message).await,
        Job::CloseCase { case } => crate::cases::server::service::close_by_itself(cx, case).await,
        Job::AskFeedback { moment, subject, person } => {
            crate::ratings::server::jobs::ask(cx, &moment, subject, person).await
        }
        Job::RemindFeedback { feedback } => crate::ratings::server::jobs::remind(cx, feedback).await,
        Job::ExpireBenefits => crate::benefits::server::jobs::expire(cx).await,
        Job::LapseQuote { repair, quote } => crate::repairs::server::jobs::lapse_quote(cx, repair, quote).await,
        Job::CloseRepair { repair } => crate::repairs::server::jobs::close_repair(cx, repair).await,
        Job::ForgetPhoto { photo } => crate::repairs::server::jobs::forget_photo(cx, photo).await,
        Job::ExpireOffer { enrolment } => crate::training::server::jobs::expire_offer(cx, enrolment).await,
        Job::StartClass { class } => crate::training::server::jobs::start_class(cx, class).await,
        Job::RemindToClose { class } => crate::training::server::plan::remind_to_close(cx, class).await,
        Job::RemindClass { class } => crate::training::server::jobs::remind_class(cx, class).await,
        Job::RemindGuest { make_up } => crate::training::server::make_ups::remind(cx, make_up).await,
        Job::ReturnSeats { class } => crate::training::server::groups::return_seats(cx, class).await,
        Job::OpenLine { class } => crate::training::server::groups::open_line(cx, class).await,
        Job::TellLapse { certificate } => crate::training::server::validity::tell(cx, certificate).await,
    }
}

const DUE: &str = "select id from job where done_at is null and failed_at is null and run_at <= $1 \
    and (leased_until is null or leased_until < $2) and ($4 = 'all' or ($4 = 'letters') = (kind = 'deliver')) \
    order by run_at, id limit $3";
/// What is due or under way, at one look: all but what rests until it is tried again.
const OPEN: &str = "select count(*) from job where done_at is null and failed_at is null and run_at <= $1 \
    and (leased_until is null or leased_until < $2 or last_error is null)";
/// What has an error and a lease waits to be tried again; what is being tried has none.
const CLAIM: &str = "update job set leased_until = $2, attempts = attempts + 1, last_error = null where id = $1 \
    and done_at is null and failed_at is null and (leased_until is null or leased_until < $3)";
const PAYLOAD: &str = "select payload from job where id = $1";
const ATTEMPTS: &str = "select attempts from job where id = $1";
const DONE: &str = "update job set done_at = $2, leased_until = null, last_error = null where id = $1";
const AGAIN: &str = "update job set leased_until = $2, last_error = $3 where id = $1";
const GIVE_UP: &str = "update job set failed_at = $2, leased_until = null, last_error = $3 where id = $1";

/// What is worked off one after the other. A mail server that is slow, or hangs, holds nothing up but letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lane {
    All,
    Letters,
    Rest,
}

impl Lane {
    fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Letters => "letters",
            Self::Rest => "rest",
        }
    }
}

/// Works off everything that is due, until nothing is, and what another worker is about is done too. Who has died over
/// a job keeps it as long as a lease at the most.
pub async fn drain(cx: &Cx) -> Result<(), AppError> {
    let never = CancellationToken::new();
    loop {
        while round(&cx.app, Lane::All, &never).await? > 0 {}
        let now = cx.app.clock.now();
        // What became due since the last round is still to be done: a lease that ran out, or what a job left behind.
        if fetch_scalar!(cx.app.db.read().await?, i64, OPEN, now, real_now())?.unwrap_or(0) == 0 {
            return Ok(());
        }
        tokio::time::sleep(MOMENT).await;
    }
}

/// One batch, as far as it gets before it is to stop; gives how many it took.
async fn round(app: &App, lane: Lane, stop: &CancellationToken) -> Result<usize, AppError> {
    let now = app.clock.now();
    let due = fetch_all!(app.db.read().await?, (JobId,), DUE, now, real_now(), BATCH, lane.as_str())?;
    let mut taken = 0;
    for (id,) in due {
        if stop.is_cancelled() {
            break;
        }
        if claim(app, id).await? {
            taken += 1;
            if lane == Lane::Letters {
                let too_long = async {
                    stop.cancelled().await;
                    tokio::time::sleep(LAST_LETTER).await;
                };
                tokio::select! {
                    outcome = one(app, id) => outcome?,
                    () = too_long => tracing::warn!(job = %id, "a letter took too long to leave and is sent later"),
                }
            } else {
                one(app, id).await?;
            }
        }
    }
    Ok(taken)
}

async fn claim(app: &App, id: JobId) -> Result<bool, AppError> {
    app.db
        .write(move |tx| Box::pin(async move { Ok(execute!(tx, CLAIM, id, real_now() + LEASE, real_now())? == 1) }))
        .await
}

async fn one(app: &App, id: JobId) -> Result<(), AppError> {
    let mut tx = app.db.read().await?;
    let payload = fetch_scalar!(tx, String, PAYLOAD, id)?.ok_or(AppError::NotFound)?;
    let attempts = fetch_scalar!(tx, i64, ATTEMPTS, id)?.unwrap_or(TRIES);
    drop(tx);
    let mut is_letter = false;
    let outcome = match serde_json::from_str::<Job>(&payload) {
        Ok(job) => {
            is_letter = matches!(job, Job::Deliver { .. });
            let cx = Cx::without_request(app, Viewer::System);
            AssertUnwindSafe(run(&cx, job))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(crate::server::internal("a job panicked", &payload)))
        }
        Err(error) => Err(crate::server::internal("a job cannot be read", &error)),
    };
    let most = if is_letter && matches!(outcome, Err(AppError::Busy)) { LETTER_TRIES } else { TRIES };
    app.db
        .write(move |tx| {
            let outcome = outcome.clone();
            Box::pin(async move {
                match outcome {
                    Ok(()) => execute!(tx, DONE, id, real_now())?,
                    Err(error) if attempts >= most => execute!(tx, GIVE_UP, id, real_now(), format!("{error:?}"))?,
                    Err(error) => execute!(tx, AGAIN, id, real_now() + back_off(attempts), format!("{error:?}"))?,
                };
                Ok(())
            })
        })
        .await
}

/// 2, 4, 8 … seconds, half an hour at the most.
fn back_off(attempts: i64) -> TimeDelta {
    TimeDelta::seconds(2_i64.saturating_pow(u32::try_from(attempts).unwrap_or(0)).min(1800))
}

/// The worker inside `serve`; ends soon after it is told to stop.
pub async fn work(app: App, stop: CancellationToken) {
    tokio::join!(look_after(&app, &stop), lane(&app, Lane::Letters, &stop), lane(&app, Lane::Rest, &stop));
}

/// How many naps lie between two looks at what has to be done now and then.
const HOUR: u32 = 3600;

/// What is no job: plans the nightly work, forgets old counts, and keeps the demo's clock.
async fn look_after(app: &App, stop: &CancellationToken) {
    let cx = Cx::without_request(app, Viewer::System);
    if let Err(error) = crate::training::server::make_ups::plan_reminders(&cx).await {
        tracing::warn!(?error, "reminders could not be planned");
    }
    if let Err(error) = crate::training::server::plan::catch_up(&cx).await {
        tracing::warn!(?error, "what running classes lack could not be planned");
    }
    let mut ticks = 0_u32;
    while !stop.is_cancelled() {
        if app.demo
            && let Ok(offset) = crate::server::settings::clock_offset(&app.db).await
        {
            app.clock.set_offset(offset);
        }
        if ticks.is_multiple_of(HOUR) {
            let _ = app.db.write(|tx| Box::pin(crate::server::rate::forget(tx))).await;
            if let Err(error) = crate::benefits::server::jobs::plan(&Cx::without_request(app, Viewer::System)).await {
                tracing::warn!(?error, "the nightly work could not be planned");
            }
        }
        ticks = ticks.wrapping_add(1);
        rest(stop).await;
    }
}

async fn lane(app: &App, lane: Lane, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        match round(app, lane, stop).await {
            // What is waked for is a letter that somebody waits for.
            Ok(0) if lane == Lane::Letters => tokio::select! {
                () = rest(stop) => {}
                () = app.wake.notified() => {}
            },
            Ok(0) => rest(stop).await,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(?error, "the jobs rest for a moment");
                rest(stop).await;
            }
        }
    }
}

/// A nap, or until it is time to stop.
async fn rest(stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(NAP) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_tried_for_five_days_and_at_least_every_half_hour() {
        let waits = (1..LETTER_TRIES).map(back_off);
        assert!(waits.clone().all(|wait| wait <= TimeDelta::minutes(30)));
        assert!(waits.sum::<TimeDelta>() >= TimeDelta::days(5));
    }
}
