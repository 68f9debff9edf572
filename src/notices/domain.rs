//! When a message may arrive: never at night for the reader.

use chrono::{NaiveDateTime, NaiveTime, TimeDelta};

/// The night, on the reader's wall clock: from nine in the evening to eight in the morning.
const NIGHT_BEGINS: (u32, u32) = (21, 0);
const NIGHT_ENDS: (u32, u32) = (8, 0);

fn at((hour, minute): (u32, u32)) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default()
}

/// How long to wait from this wall-clock time until it is no longer night; nothing by day.
pub fn wait_for_morning(local: NaiveDateTime) -> TimeDelta {
    let (begins, ends) = (at(NIGHT_BEGINS), at(NIGHT_ENDS));
    if local.time() < ends {
        local.date().and_time(ends) - local
    } else if local.time() >= begins {
        (local.date() + TimeDelta::days(1)).and_time(ends) - local
    } else {
        TimeDelta::zero()
    }
}

/// So long a reader has for an answer at the least, once they may read of it.
const TO_ANSWER: TimeDelta = TimeDelta::hours(1);

/// The same for a letter that asks for an answer within `left`: what is over before the morning, or so soon after it
/// that hardly anybody answers, is told at once, since told later it would be told for nothing.
pub fn wait_unless_over(local: NaiveDateTime, left: TimeDelta) -> TimeDelta {
    let night = wait_for_morning(local);
    if left <= night + TO_ANSWER { TimeDelta::zero() } else { night }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_lasts_from_nine_to_eight() {
        let wait = |text: &str| wait_for_morning(text.parse().unwrap()).num_minutes();
        assert_eq!(wait("2026-05-14T12:00:00"), 0);
        assert_eq!(wait("2026-05-14T20:59:00"), 0);
        assert_eq!(wait("2026-05-14T21:00:00"), 11 * 60);
        assert_eq!(wait("2026-05-14T23:30:00"), 8 * 60 + 30);
        assert_eq!(wait("2026-05-14T07:59:00"), 1);
        assert_eq!(wait("2026-05-14T08:00:00"), 0);
    }

    #[test]
    fn what_is_over_by_the_morning_or_within_an_hour_after_it_does_not_wait() {
        let wait =
            |text: &str, minutes| wait_unless_over(text.parse().unwrap(), TimeDelta::minutes(minutes)).num_minutes();
        assert_eq!(wait("2026-05-14T22:00:00", 4 * 60), 0);
        assert_eq!(wait("2026-05-14T22:00:00", 11 * 60), 0);
        assert_eq!(wait("2026-05-14T22:00:00", 11 * 60 + 1), 10 * 60);
        assert_eq!(wait("2026-05-14T12:00:00", 30), 0);
        assert_eq!(wait("2026-05-14T12:00:00", 24 * 60), 0);
    }
}
