//! The states of a charge.

use crate::{
    catalog::domain::choices,
    values::{Money, OrganisationId, PersonId},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

choices! {
    /// Where a charge stands.
    ChargeState {
        /// The customer owes it.
        Due = "due",
        /// It was paid outside of the portal, and staff wrote it down.
        Paid = "paid",
        /// The company does without it.
        Waived = "waived",
        /// What it was for did not happen.
        Void = "void",
    }
}

/// Why a charge cannot be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Refusal {
    /// It was settled already, as this.
    AlreadySettled(ChargeState),
}

impl ChargeState {
    /// Settles a charge that is due.
    ///
    /// # Errors
    /// [`Refusal::AlreadySettled`] where it is not due any more, and where "due" is no way to settle.
    pub fn settle(self, outcome: Self) -> Result<Self, Refusal> {
        match (self, outcome) {
            (Self::Due, Self::Paid | Self::Waived | Self::Void) => Ok(outcome),
            (state, _) => Err(Refusal::AlreadySettled(state)),
        }
    }
}

/// What another slice asks to be charged. `reason` is a short code that has words in every language.
#[derive(Clone, PartialEq, Debug)]
pub struct NewCharge {
    pub person: PersonId,
    pub organisation: Option<OrganisationId>,
    pub amount: Money,
    pub reason: &'static str,
    pub entity: &'static str,
    pub entity_id: Uuid,
    /// When the customer said yes to this amount.
    pub consent_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_is_settled_once() {
        for outcome in [ChargeState::Paid, ChargeState::Waived, ChargeState::Void] {
            assert_eq!(ChargeState::Due.settle(outcome), Ok(outcome));
            for again in ChargeState::ALL {
                assert_eq!(outcome.settle(*again), Err(Refusal::AlreadySettled(outcome)));
            }
        }
        assert!(ChargeState::Due.settle(ChargeState::Due).is_err());
    }
}
