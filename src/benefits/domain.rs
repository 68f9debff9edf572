//! The rules of the benefit ledger.
//!
//! A benefit is a number of equal rights (three class seats) for a period. Each unit is always in exactly one of four
//! places: available, reserved, used, expired. Entries only move units between them, so that
//! `granted = available + reserved + used + expired` holds by construction.

use crate::catalog::domain::choices;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

choices! {
    /// What is counted.
    Allowance {
        /// A seat in a class.
        TrainingSeat = "training_seat",
        /// A visit to maintain the item.
        MaintenanceVisit = "maintenance_visit",
        /// A repair at no price.
        Repair = "repair",
    }
}

choices! {
    /// What an entry of the ledger does.
    EntryKind {
        /// Brings units into being.
        Grant = "grant",
        /// Holds available units for a booking.
        Reserve = "reserve",
        /// Turns reserved units into used ones.
        Use = "use",
        /// Gives reserved units back.
        Release = "release",
        /// Brings used units back: what they were used for does not take place.
        Restore = "restore",
        /// Ends available units with their period.
        Expire = "expire",
        /// Moves the end of the period.
        Extend = "extend",
    }
}

/// Why the ledger says no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Refusal {
    /// Fewer units are available than are asked for.
    NothingLeft,
    /// The period is over, or has not begun.
    OutsideItsPeriod,
    /// The new end is not later than the one that stands.
    NotLater,
    /// The item has a benefit of this plan already: that one can be given more of.
    ThereAlready,
}

/// Where the units of one benefit are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Units {
    pub granted: i64,
    pub available: i64,
    pub reserved: i64,
    pub used: i64,
    pub expired: i64,
}

impl Units {
    /// A fresh grant: all of it is available.
    pub fn granted(count: i64) -> Self {
        Self { granted: count, available: count, ..Self::default() }
    }

    /// Whether no unit was lost or made up.
    pub fn conserved(&self) -> bool {
        let parts = [self.available, self.reserved, self.used, self.expired];
        parts.iter().all(|part| *part >= 0) && self.granted == parts.iter().sum::<i64>()
    }

    /// Whether anybody has made use of it, so that it can no longer be taken away.
    pub fn touched(&self) -> bool {
        self.reserved > 0 || self.used > 0
    }

    /// Gives `count` units more.
    #[must_use]
    pub fn more(self, count: i64) -> Self {
        let count = count.max(0);
        Self { granted: self.granted + count, available: self.available + count, ..self }
    }

    /// Holds `count` units for a booking.
    ///
    /// # Errors
    /// [`Refusal::NothingLeft`] where fewer are available.
    pub fn reserve(self, count: i64) -> Result<Self, Refusal> {
        if count < 1 || self.available < count {
            return Err(Refusal::NothingLeft);
        }
        Ok(Self { available: self.available - count, reserved: self.reserved + count, ..self })
    }

    /// Turns `count` reserved units into used ones.
    ///
    /// # Errors
    /// [`Refusal::NothingLeft`] where fewer are reserved.
    pub fn spend(self, count: i64) -> Result<Self, Refusal> {
        if count < 1 || self.reserved < count {
            return Err(Refusal::NothingLeft);
        }
        Ok(Self { reserved: self.reserved - count, used: self.used + count, ..self })
    }

    /// Gives `count` reserved units back.
    ///
    /// # Errors
    /// [`Refusal::NothingLeft`] where fewer are reserved.
    pub fn release(self, count: i64) -> Result<Self, Refusal> {
        if count < 1 || self.reserved < count {
            return Err(Refusal::NothingLeft);
        }
        Ok(Self { reserved: self.reserved - count, available: self.available + count, ..self })
    }

    /// Brings `count` used units back: what they were used for does not take place.
    ///
    /// # Errors
    /// [`Refusal::NothingLeft`] where fewer are used.
    pub fn restore(self, count: i64) -> Result<Self, Refusal> {
        if count < 1 || self.used < count {
            return Err(Refusal::NothingLeft);
        }
        Ok(Self { used: self.used - count, available: self.available + count, ..self })
    }

    /// Ends whatever is still available; what is reserved stays, since it was booked in time.
    pub fn expire(self) -> Self {
        Self { available: 0, expired: self.expired + self.available, ..self }
    }

    /// Brings what had expired back, because the period was extended.
    pub fn revive(self) -> Self {
        Self { expired: 0, available: self.available + self.expired, ..self }
    }
}

/// Whether a period that ends on `ends_on` (the first day on which it is over) may be moved to end on `wanted`.
///
/// # Errors
/// [`Refusal::NotLater`] where it would not be longer, [`Refusal::OutsideItsPeriod`] where it would be over even so.
pub fn longer(ends_on: NaiveDate, wanted: NaiveDate, today: NaiveDate) -> Result<(), Refusal> {
    if wanted <= ends_on {
        return Err(Refusal::NotLater);
    }
    if wanted <= today { Err(Refusal::OutsideItsPeriod) } else { Ok(()) }
}

/// What a person can still use of one benefit. `until` is the last day on which it can be used.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Balance {
    pub benefit: crate::values::BenefitId,
    pub item: crate::values::ItemId,
    pub product: crate::values::ProductId,
    pub plan_name: String,
    pub granted: i64,
    pub left: i64,
    pub until: NaiveDate,
}

/// What a unit is reserved for: an enrolment, a repair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference<'a> {
    pub entity: &'a str,
    pub id: uuid::Uuid,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Move {
        Reserve(i64),
        Spend(i64),
        Release(i64),
        Restore(i64),
        Expire,
        Revive,
        More(i64),
    }

    fn any_move() -> impl Strategy<Value = Move> {
        prop_oneof![
            (-2_i64..6).prop_map(Move::Reserve),
            (-2_i64..6).prop_map(Move::Spend),
            (-2_i64..6).prop_map(Move::Release),
            (-2_i64..6).prop_map(Move::Restore),
            Just(Move::Expire),
            Just(Move::Revive),
            (-2_i64..6).prop_map(Move::More),
        ]
    }

    fn apply(units: Units, step: &Move) -> Units {
        match step {
            Move::Reserve(count) => units.reserve(*count).unwrap_or(units),
            Move::Spend(count) => units.spend(*count).unwrap_or(units),
            Move::Release(count) => units.release(*count).unwrap_or(units),
            Move::Restore(count) => units.restore(*count).unwrap_or(units),
            Move::Expire => units.expire(),
            Move::Revive => units.revive(),
            Move::More(count) => units.more(*count),
        }
    }

    proptest! {
        #[test]
        fn units_are_conserved_whatever_happens(granted in 0_i64..20, steps in prop::collection::vec(any_move(), 0..60)) {
            let mut units = Units::granted(granted);
            let mut given = 0;
            for step in &steps {
                units = apply(units, step);
                prop_assert!(units.conserved(), "{step:?} broke {units:?}");
                given += if let Move::More(count) = step { (*count).max(0) } else { 0 };
                prop_assert_eq!(units.granted, granted + given);
            }
        }

        #[test]
        fn what_is_used_stays_used_unless_it_is_restored(granted in 0_i64..20, steps in prop::collection::vec(any_move(), 0..60)) {
            let mut units = Units::granted(granted);
            for step in &steps {
                let next = apply(units, step);
                prop_assert!(next.used >= units.used || matches!(step, Move::Restore(_)));
                units = next;
            }
        }
    }

    #[test]
    fn a_period_only_grows_and_ends_in_days_to_come() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let (end, today) = (day("2026-11-01"), day("2026-12-01"));
        assert_eq!(longer(end, day("2026-12-02"), today), Ok(()));
        assert_eq!(longer(end, day("2026-11-01"), today), Err(Refusal::NotLater));
        assert_eq!(longer(end, day("2026-12-01"), today), Err(Refusal::OutsideItsPeriod));
    }

    #[test]
    fn the_last_seat_is_given_once() {
        let units = Units::granted(1).reserve(1).unwrap();
        assert_eq!(units.reserve(1), Err(Refusal::NothingLeft));
        assert_eq!(units.release(1).unwrap().reserve(1).unwrap().spend(1).unwrap().used, 1);
    }

    #[test]
    fn what_is_booked_outlives_the_period() {
        let units = Units::granted(3).reserve(1).unwrap().expire();
        assert_eq!((units.expired, units.reserved), (2, 1));
        assert_eq!(units.spend(1).unwrap().used, 1);
    }
}
