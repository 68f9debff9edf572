//! What the ledger does by itself: every night it ends what was not used in its period.

use super::ledger;
use crate::{
    db::{Key, Tx},
    error::AppError,
    fetch_scalar,
    jobs::{self, Job},
    server::Cx,
};
use chrono::{DateTime, NaiveTime, Utc};
use uuid::Uuid;

const PLANNED: &str = "select count(*) from job where kind = 'expire_benefits' and done_at is null \
    and failed_at is null and run_at > $1";

/// Plans the next night's run if none is planned, whoever asks and however often: so a run that is tried again makes no
/// second chain, and one that fails ends none.
pub async fn plan(cx: &Cx) -> Result<(), AppError> {
    let (now, at) = (cx.now, next_night(cx));
    cx.db().write(move |tx| Box::pin(async move { plan_in(tx, now, at).await })).await
}

async fn plan_in(tx: &mut Tx, now: DateTime<Utc>, at: DateTime<Utc>) -> Result<(), AppError> {
    tx.lock(&[Key::of("nightly", Uuid::nil())]).await?;
    if fetch_scalar!(tx, i64, PLANNED, now)?.unwrap_or(0) == 0 {
        jobs::enqueue(tx, Job::ExpireBenefits, at).await?;
    }
    Ok(())
}

/// Ten past midnight at the company.
fn next_night(cx: &Cx) -> DateTime<Utc> {
    let day = cx.today().succ_opt().unwrap_or_default();
    let night = day.and_time(NaiveTime::from_hms_opt(0, 10, 0).unwrap_or_default());
    let at = night.and_local_timezone(cx.company_zone()).earliest();
    at.map_or(cx.now + chrono::TimeDelta::days(1), |at| at.with_timezone(&Utc))
}

/// Plans the next night, then expires everything that is over, in short transactions.
pub async fn expire(cx: &Cx) -> Result<(), AppError> {
    plan(cx).await?;
    let (today, now) = (cx.today(), cx.now);
    while cx.db().write(move |tx| Box::pin(async move { ledger::expire(tx, today, now).await })).await? > 0 {}
    Ok(())
}
