//! The working hours of the service desk, laid out as instants for the clocks of [`crate::cases::domain`].

use crate::{cases::domain::WorkingTime, server::Cx};
use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// The desk answers from nine to five, Monday to Friday, in the company's zone.
const OPENS: u32 = 9;
const CLOSES: u32 = 17;
/// So far ahead the hours are laid out: longer than every promise.
const AHEAD_DAYS: i64 = 75;

/// The hours around `since` (the earliest instant that a clock asks about) until well after now.
pub fn working_time(cx: &Cx, since: DateTime<Utc>) -> WorkingTime {
    lay_out(cx.company_zone(), since.min(cx.now), cx.now + TimeDelta::days(AHEAD_DAYS))
}

/// Local office hours keep their wall clock through a change of summer time: each day is laid out by itself.
fn lay_out(zone: Tz, from: DateTime<Utc>, until: DateTime<Utc>) -> WorkingTime {
    let last = until.with_timezone(&zone).date_naive();
    let mut day = from.with_timezone(&zone).date_naive();
    let mut spans = Vec::new();
    while day <= last {
        if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            let at = |hour| {
                let wall = day.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or(NaiveTime::MIN));
                zone.from_local_datetime(&wall).earliest().map(|local| local.with_timezone(&Utc))
            };
            if let (Some(opens), Some(closes)) = (at(OPENS), at(CLOSES)) {
                spans.push((opens, closes));
            }
        }
        let Some(next) = day.succ_opt() else { break };
        day = next;
    }
    WorkingTime::new(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn office_hours_keep_their_wall_clock_through_a_change_of_summer_time() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        // Berlin leaves summer time on 25 October 2026.
        let hours = lay_out(chrono_tz::Europe::Berlin, at("2026-10-23T00:00:00Z"), at("2026-10-28T00:00:00Z"));
        assert_eq!(hours.after(at("2026-10-23T00:00:00Z"), TimeDelta::hours(1)), at("2026-10-23T08:00:00Z"));
        assert_eq!(hours.after(at("2026-10-24T00:00:00Z"), TimeDelta::hours(1)), at("2026-10-26T09:00:00Z"));
    }
}
