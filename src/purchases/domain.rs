//! The rules of registering a purchase.
//!
//! With an order number a purchase comes to whoever proves the order's address. With a serial number staff decide: one
//! person at a time asks for a number, whoever comes later disputes it.

use crate::catalog::domain::{ProductKind, choices};
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
    /// A repair of the piece is not over.
    RepairOpen,
    /// A seat or a visit is booked with what the piece's plan holds.
    BenefitBooked,
    /// The piece is offered to somebody already.
    OfferedAlready,
    /// The offer is over: taken, declined or withdrawn.
    OfferOver,
    /// Nobody gives anything to themselves.
    YoursAlready,
    /// A ticket is for whoever bought it.
    NotToGive,
}

choices! {
    /// How far it has come that a piece goes to somebody else.
    HandOverState {
        /// Its owner offers it.
        Open = "open",
        /// Somebody else has it now.
        Taken = "taken",
        /// They do not want it.
        Declined = "declined",
        /// Its owner keeps it.
        Withdrawn = "withdrawn",
    }
}

impl HandOverState {
    /// Ends an offer.
    ///
    /// # Errors
    /// [`Refusal::OfferOver`] where it has ended, and where "open" is no end.
    pub fn end(self, how: Self) -> Result<Self, Refusal> {
        match (self, how) {
            (Self::Open, Self::Taken | Self::Declined | Self::Withdrawn) => Ok(how),
            _ => Err(Refusal::OfferOver),
        }
    }
}

/// Whether its owner may give a piece to somebody else now. What they have under way with it ends first.
///
/// # Errors
/// What stands in the way.
pub fn can_go(kind: ProductKind, open_repairs: bool, booked: bool) -> Result<(), Refusal> {
    match kind {
        ProductKind::Journey => Err(Refusal::NotToGive),
        _ => nothing_under_way(open_repairs, booked),
    }
}

/// Whether a piece can change its owner without taking away what the old one has under way with it.
///
/// # Errors
/// What stands in the way.
pub fn nothing_under_way(open_repairs: bool, booked: bool) -> Result<(), Refusal> {
    match (open_repairs, booked) {
        (true, _) => Err(Refusal::RepairOpen),
        (_, true) => Err(Refusal::BenefitBooked),
        _ => Ok(()),
    }
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

    #[test]
    fn an_offer_ends_once() {
        for end in [HandOverState::Taken, HandOverState::Declined, HandOverState::Withdrawn] {
            assert_eq!(HandOverState::Open.end(end), Ok(end));
            for again in HandOverState::ALL {
                assert_eq!(end.end(*again), Err(Refusal::OfferOver));
            }
        }
        assert!(HandOverState::Open.end(HandOverState::Open).is_err());
    }

    #[test]
    fn a_piece_goes_when_nothing_is_under_way_with_it() {
        for kind in ProductKind::ALL {
            for (repair, booked) in [(false, false), (false, true), (true, false), (true, true)] {
                let free = *kind != ProductKind::Journey && !repair && !booked;
                assert_eq!(can_go(*kind, repair, booked).is_ok(), free, "{kind:?} {repair} {booked}");
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
