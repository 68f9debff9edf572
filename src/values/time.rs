//! Periods of whole days, half open: `[from, until)`.

use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// A half-open range of dates: `from` is in it, `until` is not. No `until`: open ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct DateRange {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

impl DateRange {
    /// The period of `months` calendar months that starts on `from`: it ends at the end of the day that many months
    /// later, clamped to the month's last day. Delivered 2026-01-15 with 24 months: `[2026-01-15, 2028-01-16)`.
    pub fn months_from(from: NaiveDate, months: u32) -> Self {
        let last = add_months(from, months);
        Self { from, until: last.succ_opt().unwrap_or(last) }
    }

    pub fn contains(&self, day: NaiveDate) -> bool {
        self.from <= day && day < self.until
    }

    /// The last day that is still in the range.
    pub fn last_day(&self) -> NaiveDate {
        self.until.pred_opt().unwrap_or(self.until)
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.until && other.from < self.until
    }
}

/// `months` calendar months later, clamped to the month's last day (31 August and 6 months: 28 or 29 February).
pub fn add_months(day: NaiveDate, months: u32) -> NaiveDate {
    day.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX.with_day(1).unwrap_or(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_ends_on_the_same_day_of_its_last_month() {
        let range = DateRange::months_from(day("2026-01-15"), 24);
        assert_eq!((range.from, range.until), (day("2026-01-15"), day("2028-01-16")));
        assert_eq!(range.last_day(), day("2028-01-15"));
        assert!(range.contains(day("2028-01-15")) && !range.contains(day("2028-01-16")));
    }

    #[test]
    fn a_period_is_clamped_to_the_last_day_of_a_short_month() {
        assert_eq!(DateRange::months_from(day("2026-08-31"), 6).last_day(), day("2027-02-28"));
        assert_eq!(DateRange::months_from(day("2027-08-31"), 6).last_day(), day("2028-02-29"));
    }
}
