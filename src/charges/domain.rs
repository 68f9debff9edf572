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

    /// What was cancelled before this day was promised back by a day that lies before `today`.
    pub fn late_before(today: NaiveDate) -> NaiveDate {
        today.checked_sub_days(PAYS_BACK_WITHIN).unwrap_or(today)
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

/// What becomes of an earlier charge for a thing when a price for it is agreed to again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// It is the very charge that is asked for.
    Stands,
    /// What was paid already pays again: its refund is withdrawn.
    Revived,
    /// Another price was agreed to instead.
    Replaced,
    /// It is over, and pays for nothing.
    Over,
}

/// A charge as far as it matters when its thing is charged again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Earlier {
    pub state: ChargeState,
    pub amount: Money,
    /// What it was for did not happen.
    pub reversed: bool,
    pub refund: Option<Refund>,
}

impl Earlier {
    /// What becomes of it when `amount` is agreed to. Money that went back, or another sum, pays for nothing; nor does
    /// what was waived for something that did not happen.
    pub fn again(&self, amount: Money) -> Again {
        let same = self.amount == amount;
        match (self.state, self.reversed) {
            (ChargeState::Void, _) => Again::Over,
            (ChargeState::Due, _) if !same => Again::Replaced,
            (_, false) => Again::Stands,
            (ChargeState::Paid, true) if same && self.refund.is_some_and(|refund| refund.paid_at.is_none()) => {
                Again::Revived
            }
            (_, true) => Again::Over,
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
        let day = since.date_naive();
        assert_eq!(Refund::late_before(Refund::by(day)), day, "not late on the promised day");
        assert!(day < Refund::late_before(Refund::by(day).succ_opt().unwrap()));
    }

    #[test]
    fn what_is_agreed_to_again_is_paid_once() {
        use crate::values::Currency;
        let (price, other) = (Money::new(9000, Currency::EUR), Money::new(8000, Currency::EUR));
        let at: DateTime<Utc> = "2026-12-01T09:00:00Z".parse().unwrap();
        let (open, back) = (Refund { since: at, paid_at: None }, Refund { since: at, paid_at: Some(at) });
        let charge = |state, refund| Earlier { state, amount: price, reversed: false, refund };
        let reversed = |state, refund| Earlier { reversed: true, ..charge(state, refund) };
        assert_eq!(charge(ChargeState::Due, None).again(price), Again::Stands);
        assert_eq!(charge(ChargeState::Due, None).again(other), Again::Replaced);
        assert_eq!(charge(ChargeState::Paid, None).again(price), Again::Stands);
        assert_eq!(reversed(ChargeState::Paid, Some(open)).again(price), Again::Revived);
        assert_eq!(reversed(ChargeState::Paid, Some(open)).again(other), Again::Over);
        assert_eq!(reversed(ChargeState::Paid, Some(back)).again(price), Again::Over);
        assert_eq!(charge(ChargeState::Waived, None).again(price), Again::Stands);
        assert_eq!(reversed(ChargeState::Waived, None).again(price), Again::Over);
        assert_eq!(charge(ChargeState::Void, None).again(price), Again::Over);
    }
}
