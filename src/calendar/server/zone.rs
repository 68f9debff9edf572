//! Wall clocks: what a local time in a place means as an instant. The zone database stays on the server.

use crate::{i18n::Fmt, w};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The zones that forms offer first; any other IANA name is taken as well.
pub const COMMON: &[&str] = &[
    "Europe/Vilnius",
    "Europe/Rome",
    "Europe/Madrid",
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Warsaw",
    "Atlantic/Canary",
    "Asia/Kolkata",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/Bogota",
    "America/Argentina/Buenos_Aires",
    "UTC",
];

/// The instant of a wall clock in a zone. Where the clocks go back and a time comes twice, the first one is meant;
/// where they go forward and skip it, there is none.
pub fn instant(zone: Tz, date: NaiveDate, time: NaiveTime) -> Option<DateTime<Utc>> {
    zone.from_local_datetime(&NaiveDateTime::new(date, time)).earliest().map(|at| at.with_timezone(&Utc))
}

/// The zone of a stored name; what is unknown here is read in UTC.
pub fn named(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

/// A zone as people name it: its town.
pub fn town(tz: Tz) -> String {
    tz.name().rsplit('/').next().unwrap_or(tz.name()).replace('_', " ")
}

/// A time on the wall clock of its place, which is named where the reader lives by another one.
pub fn when(fmt: Fmt, at: DateTime<Utc>, place: Tz, reader: Tz) -> String {
    let time = fmt.date_time(at, place);
    if place == reader { time } else { w!(fmt, training.time_in_zone, time = time, zone = town(place)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(zone: &str, date: &str, time: &str) -> Option<String> {
        instant(named(zone), date.parse().unwrap(), time.parse().unwrap()).map(|at| at.to_rfc3339())
    }

    #[test]
    fn a_weekly_class_keeps_its_wall_clock_over_a_change_of_the_clocks() {
        assert_eq!(at("Europe/Rome", "2026-10-24", "09:00:00").unwrap(), "2026-10-24T07:00:00+00:00");
        assert_eq!(at("Europe/Rome", "2026-10-31", "09:00:00").unwrap(), "2026-10-31T08:00:00+00:00");
    }

    #[test]
    fn a_time_that_comes_twice_is_the_first_and_a_skipped_one_is_none() {
        assert_eq!(at("Europe/Rome", "2026-10-25", "02:30:00").unwrap(), "2026-10-25T00:30:00+00:00");
        assert_eq!(at("Europe/Rome", "2026-03-29", "02:30:00"), None);
    }

    #[test]
    fn every_common_zone_is_known() {
        assert!(COMMON.iter().all(|name| name.parse::<Tz>().is_ok()));
    }
}
