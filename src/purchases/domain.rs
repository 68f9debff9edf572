//! The rules of registering a purchase.
//!
//! With an order number a purchase comes to whoever proves the order's address. With a serial number staff decide: one
//! person at a time asks for a number, whoever comes later disputes it.

use crate::catalog::domain::choices;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

/// A code that proves an address lives this long.
pub const CODE_MINUTES: i64 = 10;
/// A code may be tried this often.
pub const CODE_TRIES: i64 = 5;
/// A person may ask this often in a day.
pub const REGISTRATIONS_A_DAY: i64 = 20;
/// Codes to one address in [`CODE_WINDOW`].
pub const CODES_TO_ADDRESS: i64 = 3;
pub const CODE_WINDOW: Duration = Duration::minutes(15);

choices! {
    /// How far a registration has come.
    RegistrationState {
        /// The address was not proven yet.
        Unproven = "unproven",
        /// The address is proven: what belongs to it came over.
        Proven = "proven",
        /// The code was not entered in time, or wrong too often.
        Expired = "expired",
        /// Staff have to decide.
        Open = "open",
        /// Staff have to decide, and somebody else asks for the same thing.
        Disputed = "disputed",
        /// Staff said yes.
        Accepted = "accepted",
        /// Staff said no.
        Refused = "refused",
    }
}

impl RegistrationState {
    /// Whether staff still have to decide.
    pub fn waits_for_staff(self) -> bool {
        matches!(self, Self::Open | Self::Disputed)
    }

    /// # Errors
    /// [`Refusal::AlreadyDecided`] where there is nothing to decide.
    pub fn decide(self, yes: bool) -> Result<Self, Refusal> {
        match (self.waits_for_staff(), yes) {
            (false, _) => Err(Refusal::AlreadyDecided),
            (true, true) => Ok(Self::Accepted),
            (true, false) => Ok(Self::Refused),
        }
    }
}

/// What entering a code comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    Proven,
    /// Wrong; so many tries are left.
    Wrong {
        left: u32,
    },
    /// Too late, or wrong too often: a new registration is needed.
    Over,
}

/// Judges a code. `tries` counts the wrong ones before this.
pub fn prove(right: bool, tries: i64, until: DateTime<Utc>, now: DateTime<Utc>) -> Proof {
    if tries >= CODE_TRIES || now >= until {
        return Proof::Over;
    }
    if right {
        return Proof::Proven;
    }
    match u32::try_from(CODE_TRIES - tries - 1) {
        Ok(left) if left > 0 => Proof::Wrong { left },
        _ => Proof::Over,
    }
}

/// Why a registration cannot be decided like that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Refusal {
    AlreadyDecided,
    /// The serial number was given to somebody else.
    SerialTaken,
    /// The article number is none of ours.
    UnknownArticle,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_registration_is_decided_once() {
        for state in RegistrationState::ALL {
            let decided = state.decide(true);
            assert_eq!(decided.is_ok(), state.waits_for_staff(), "{state:?}");
            if let Ok(decided) = decided {
                assert_eq!(decided.decide(false), Err(Refusal::AlreadyDecided));
            }
        }
    }

    proptest! {
        #[test]
        fn a_code_is_good_only_in_time_and_before_too_many_tries(right: bool, tries in 0_i64..10, minutes in -20_i64..20) {
            let until = DateTime::<Utc>::UNIX_EPOCH + Duration::minutes(CODE_MINUTES);
            let now = until + Duration::minutes(minutes);
            let proof = prove(right, tries, until, now);
            prop_assert_eq!(proof == Proof::Proven, right && tries < CODE_TRIES && minutes < 0);
            if let Proof::Wrong { left } = proof {
                prop_assert!(left > 0 && i64::from(left) + tries < CODE_TRIES);
            }
        }
    }
}
