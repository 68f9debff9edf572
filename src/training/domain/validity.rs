//! How long a certificate is valid: calendar months from the day on which it was given, to the end of the last one.

use crate::values::add_months;
use chrono::{Days, NaiveDate};

/// So many days before its last one a certificate asks for attention.
pub const SOON: u64 = 60;
/// The longest that a certificate of a course can be valid for, short of for ever.
pub const MOST_MONTHS: i64 = 600;

/// How a certificate stands on some day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Validity {
    ForEver,
    Until(NaiveDate),
    /// Valid, but not for long any more.
    Lapses(NaiveDate),
    /// Its last day was this one.
    Lapsed(NaiveDate),
}

impl Validity {
    pub fn of(last: Option<NaiveDate>, today: NaiveDate) -> Self {
        match last {
            None => Self::ForEver,
            Some(last) if last < today => Self::Lapsed(last),
            Some(last) if told_on(last) <= today => Self::Lapses(last),
            Some(last) => Self::Until(last),
        }
    }

    pub fn has_lapsed(self) -> bool {
        matches!(self, Self::Lapsed(_))
    }

    /// Whether its holder should learn again.
    pub fn asks(self) -> bool {
        matches!(self, Self::Lapses(_) | Self::Lapsed(_))
    }
}

/// The last day of a certificate that was given on a day.
pub fn last_day(given: NaiveDate, months: Option<i64>) -> Option<NaiveDate> {
    months.and_then(|months| u32::try_from(months).ok()).map(|months| add_months(given, months))
}

/// The day on which its holder hears that a certificate lapses.
pub fn told_on(last: NaiveDate) -> NaiveDate {
    last.checked_sub_days(Days::new(SOON)).unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_day_is_the_same_day_of_the_month_or_the_last_there_is() {
        assert_eq!(last_day(day("2026-08-31"), Some(6)), Some(day("2027-02-28")));
        assert_eq!(last_day(day("2024-02-29"), Some(12)), Some(day("2025-02-28")));
        assert_eq!(last_day(day("2026-12-01"), Some(24)), Some(day("2028-12-01")));
        assert_eq!(last_day(day("2026-12-01"), None), None);
    }

    #[test]
    fn a_certificate_is_valid_to_the_end_of_its_last_day() {
        let last = Some(day("2027-03-31"));
        assert_eq!(Validity::of(last, day("2027-01-29")), Validity::Until(day("2027-03-31")));
        assert_eq!(Validity::of(last, day("2027-01-30")), Validity::Lapses(day("2027-03-31")));
        assert_eq!(Validity::of(last, day("2027-03-31")), Validity::Lapses(day("2027-03-31")));
        assert_eq!(Validity::of(last, day("2027-04-01")), Validity::Lapsed(day("2027-03-31")));
        assert_eq!(Validity::of(None, day("2999-01-01")), Validity::ForEver);
    }

    proptest! {
        /// Time only makes it worse: valid, then soon over, then over.
        #[test]
        fn what_has_lapsed_never_comes_back(given in 0..20_000_i64, months in 1..600_i64, first in 0..40_000_i64, more in 0..400_i64) {
            let epoch = day("2000-01-01");
            let on = |days: i64| epoch + chrono::Duration::days(days);
            let last = last_day(on(given), Some(months));
            let rank = |at| match Validity::of(last, at) {
                Validity::ForEver => unreachable!(),
                Validity::Until(_) => 0,
                Validity::Lapses(_) => 1,
                Validity::Lapsed(_) => 2,
            };
            prop_assert!(last > Some(on(given)));
            prop_assert!(rank(on(first)) <= rank(on(first + more)));
        }
    }
}
