//! When a message may arrive: never at night for the reader.

use chrono::{NaiveDateTime, NaiveTime, TimeDelta};

/// The night, on the reader's wall clock: from nine in the evening to eight in the morning.
const NIGHT_BEGINS: (u32, u32) = (21, 0);
const NIGHT_ENDS: (u32, u32) = (8, 0);

fn at((hour, minute): (u32, u32)) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default()
}

/// The end of the night that this wall-clock time lies in; none by day. Between the two the clocks may be changed, so
/// only an instant tells how long that is.
pub fn morning(local: NaiveDateTime) -> Option<NaiveDateTime> {
    let (begins, ends) = (at(NIGHT_BEGINS), at(NIGHT_ENDS));
    if local.time() < ends {
        Some(local.date().and_time(ends))
    } else if local.time() >= begins {
        Some((local.date() + TimeDelta::days(1)).and_time(ends))
    } else {
        None
    }
}

/// So long a reader has for an answer at the least, once they may read of it.
const TO_ANSWER: TimeDelta = TimeDelta::hours(1);

/// How long a letter that asks for an answer within `left` waits where the morning is that far off: what is over before
/// it, or so soon after it that hardly anybody answers, is told at once, since told later it would be told for nothing.
pub fn wait_unless_over(night: TimeDelta, left: TimeDelta) -> TimeDelta {
    if left <= night + TO_ANSWER { TimeDelta::zero() } else { night }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_lasts_from_nine_to_eight() {
        let ends = |text: &str| morning(text.parse().unwrap()).map(|at| at.to_string());
        assert_eq!(ends("2026-05-14T12:00:00"), None);
        assert_eq!(ends("2026-05-14T20:59:00"), None);
        assert_eq!(ends("2026-05-14T21:00:00").as_deref(), Some("2026-05-15 08:00:00"));
        assert_eq!(ends("2026-05-14T23:30:00").as_deref(), Some("2026-05-15 08:00:00"));
        assert_eq!(ends("2026-05-14T07:59:00").as_deref(), Some("2026-05-14 08:00:00"));
        assert_eq!(ends("2026-05-14T08:00:00"), None);
    }

    #[test]
    fn what_is_over_by_the_morning_or_within_an_hour_after_it_does_not_wait() {
        let wait = |night, left| wait_unless_over(TimeDelta::hours(night), TimeDelta::minutes(left)).num_minutes();
        assert_eq!(wait(10, 4 * 60), 0);
        assert_eq!(wait(10, 11 * 60), 0);
        assert_eq!(wait(10, 11 * 60 + 1), 10 * 60);
        assert_eq!(wait(0, 30), 0);
        assert_eq!(wait(0, 24 * 60), 0);
    }
}
