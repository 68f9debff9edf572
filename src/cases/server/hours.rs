//! The working hours of the service desk, laid out as instants for the clocks of [`crate::cases::domain`].

use crate::{
    calendar::hours::Opening,
    cases::domain::WorkingTime,
    db::Tx,
    error::AppError,
    server::{Cx, internal, settings},
};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Under which name the hours are kept among the settings.
const KEY: &str = "desk_hours";
/// So far ahead the hours are laid out: longer than every promise.
const AHEAD_DAYS: i64 = 75;

/// When the desk answers, in the company's wall clock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeskHours {
    /// Grows with every change, so that of two editors the second is told.
    pub version: i64,
    pub openings: Vec<Opening>,
    pub closed: Vec<(NaiveDate, String)>,
}

/// From nine to five, Monday to Friday, until a manager says something else.
impl Default for DeskHours {
    fn default() -> Self {
        Self {
            version: 0,
            openings: (1..=5).filter_map(|day| Opening::new(day, 9 * 60, 17 * 60)).collect(),
            closed: Vec::new(),
        }
    }
}

/// The hours as they are set.
pub async fn read(tx: &mut Tx) -> Result<DeskHours, AppError> {
    match settings::read(tx, KEY).await? {
        Some(text) => serde_json::from_str(&text).map_err(|e| internal("the desk's hours are damaged", &e)),
        None => Ok(DeskHours::default()),
    }
}

/// Sets the hours. What was promised before stays promised.
pub async fn set(tx: &mut Tx, _: &crate::access::Permit, hours: &DeskHours) -> Result<(), AppError> {
    let text = serde_json::to_string(hours).map_err(|e| internal("the desk's hours cannot be written", &e))?;
    settings::write(tx, KEY, &text).await
}

/// The hours around `since` (the earliest instant that a clock asks about) until well after now.
pub async fn working_time(tx: &mut Tx, cx: &Cx, since: DateTime<Utc>) -> Result<WorkingTime, AppError> {
    let hours = read(tx).await?;
    Ok(lay_out(&hours, cx.company_zone(), since.min(cx.now), cx.now + TimeDelta::days(AHEAD_DAYS)))
}

/// Local office hours keep their wall clock through a change of summer time: each day is laid out by itself.
fn lay_out(hours: &DeskHours, zone: Tz, from: DateTime<Utc>, until: DateTime<Utc>) -> WorkingTime {
    let last = until.with_timezone(&zone).date_naive();
    let first = from.with_timezone(&zone).date_naive();
    let mut spans = Vec::new();
    for day in first.iter_days().take_while(|day| *day <= last) {
        if hours.closed.iter().any(|(closed, _)| *closed == day) {
            continue;
        }
        let at = |minute: u16| {
            let wall = day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute));
            zone.from_local_datetime(&wall).earliest().map(|local| local.with_timezone(&Utc))
        };
        let weekday = day.weekday().number_from_monday();
        for opening in hours.openings.iter().filter(|opening| u32::from(opening.weekday) == weekday) {
            if let (Some(opens), Some(closes)) = (at(opening.opens), at(opening.closes)) {
                spans.push((opens, closes));
            }
        }
    }
    WorkingTime::new(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn office_hours_keep_their_wall_clock_through_a_change_of_summer_time() {
        // Berlin leaves summer time on 25 October 2026.
        let zone = chrono_tz::Europe::Berlin;
        let hours = lay_out(&DeskHours::default(), zone, at("2026-10-23T00:00:00Z"), at("2026-10-28T00:00:00Z"));
        assert_eq!(hours.after(at("2026-10-23T00:00:00Z"), TimeDelta::hours(1)), at("2026-10-23T08:00:00Z"));
        assert_eq!(hours.after(at("2026-10-24T00:00:00Z"), TimeDelta::hours(1)), at("2026-10-26T09:00:00Z"));
    }

    #[test]
    fn the_desks_own_hours_count_with_breaks_saturdays_and_closed_days() {
        let opening = |day, opens, closes| Opening::new(day, opens, closes).unwrap();
        let set = DeskHours {
            version: 3,
            openings: vec![opening(2, 600, 720), opening(2, 780, 840), opening(6, 0, 1440)],
            closed: vec![("2026-12-08".parse().unwrap(), "Holiday".to_owned())],
        };
        let hours = lay_out(&set, Tz::UTC, at("2026-12-01T00:00:00Z"), at("2026-12-20T00:00:00Z"));
        // Tuesday: two hours, a break, one hour; Saturday has twenty-four; the next Tuesday is closed.
        assert_eq!(hours.after(at("2026-12-01T09:00:00Z"), TimeDelta::minutes(150)), at("2026-12-01T13:30:00Z"));
        assert_eq!(hours.after(at("2026-12-01T09:00:00Z"), TimeDelta::hours(4)), at("2026-12-05T01:00:00Z"));
        assert_eq!(hours.after(at("2026-12-06T00:00:00Z"), TimeDelta::hours(1)), at("2026-12-12T01:00:00Z"));
    }
}
