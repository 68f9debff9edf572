//! Limits, counted in the database so that all processes share them, on the real clock.

use super::clock::real_now;
use crate::{db::Tx, error::AppError, execute, fetch_one};
use chrono::{DateTime, Duration, TimeDelta};

const COUNT: &str = "insert into rate (key, window_start, count) values ($1, $2, 1) \
    on conflict (key, window_start) do update set count = rate.count + 1 returning count";
const FORGET: &str = "delete from rate where window_start < $1";

/// Counts one more and says whether it is within `most` a `window`.
///
/// # Errors
/// [`AppError::TooMany`] with the seconds until the window ends.
pub async fn take(tx: &mut Tx, key: &str, most: i64, window: Duration) -> Result<(), AppError> {
    let (count, left) = count(tx, key, window).await?;
    if count <= most { Ok(()) } else { Err(AppError::TooMany { seconds: u32::try_from(left).unwrap_or(1).max(1) }) }
}

/// Counts one more; gives the count and the seconds until the window ends.
pub async fn count(tx: &mut Tx, key: &str, window: Duration) -> Result<(i64, i64), AppError> {
    let now = real_now().timestamp();
    let length = window.num_seconds().max(1);
    let start = now - now.rem_euclid(length);
    let since = DateTime::from_timestamp(start, 0).unwrap_or_default();
    let (count,) = fetch_one!(tx, (i64,), COUNT, key, since)?;
    Ok((count, start + length - now))
}

/// What was counted in this window so far.
pub async fn so_far(tx: &mut Tx, key: &str, window: Duration) -> Result<i64, AppError> {
    let now = real_now().timestamp();
    let length = window.num_seconds().max(1);
    let since = DateTime::from_timestamp(now - now.rem_euclid(length), 0).unwrap_or_default();
    const SO_FAR: &str = "select count from rate where key = $1 and window_start = $2";
    Ok(crate::fetch_scalar!(tx, i64, SO_FAR, key, since)?.unwrap_or(0))
}

/// Forgets windows that are long over.
pub async fn forget(tx: &mut Tx) -> Result<(), AppError> {
    execute!(tx, FORGET, real_now() - TimeDelta::days(2))?;
    Ok(())
}
