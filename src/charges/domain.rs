//! The states of a charge.

use crate::{
    catalog::domain::choices,
    values::{Money, OrganisationId, PersonId},
};
use chrono::{DateTime, Days, NaiveDate, Utc};
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
    /// Nothing of it is to be paid back, or not any more.
    NothingToPayBack,
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

/// Within how many days what was paid for nothing is paid back.
const PAYS_BACK_WITHIN: Days = Days::new(14);

/// What was paid for something that does not happen: the whole charge goes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refund {
    pub since: DateTime<Utc>,
    pub paid_at: Option<DateTime<Utc>>,
}

impl Refund {
    /// The day by which the customer has the money again, for what was cancelled on `since`.
    pub fn by(since: NaiveDate) -> NaiveDate {
        since.checked_add_days(PAYS_BACK_WITHIN).unwrap_or(since)
    }

    /// Pays it back, once.
    ///
    /// # Errors
    /// [`Refusal::NothingToPayBack`] where that was done.
    pub fn pay_back(self, now: DateTime<Utc>) -> Result<Self, Refusal> {
        match self.paid_at {
            None => Ok(Self { paid_at: Some(now), ..self }),
            Some(_) => Err(Refusal::NothingToPayBack),
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

    #[test]
    fn what_was_paid_for_nothing_is_paid_back_once_and_within_two_weeks() {
        let (since, later) = ("2026-12-01T09:00:00Z".parse().unwrap(), "2026-12-03T09:00:00Z".parse().unwrap());
        let refund = Refund { since, paid_at: None };
        let paid = refund.pay_back(later).unwrap();
        assert_eq!(paid, Refund { since, paid_at: Some(later) });
        assert_eq!(paid.pay_back(later), Err(Refusal::NothingToPayBack));
        assert_eq!(Refund::by(since.date_naive()).to_string(), "2026-12-15");
    }
}
