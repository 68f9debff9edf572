//! What a seat costs whom, and why: the benefit ledger first, then the price.

use crate::values::{BenefitId, Money, ProductId};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What the benefit ledger holds for the learner: a counted right to class seats from one plan of one item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeatRight {
    pub benefit: BenefitId,
    pub product: ProductId,
    pub plan: String,
    pub granted: i64,
    pub left: i64,
    /// The last day on which it can be used.
    pub until: NaiveDate,
}

/// What the learner pays, and because of what.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cost")]
pub enum Cost {
    Free,
    Covered { benefit: BenefitId, plan: String, left: i64, granted: i64, until: NaiveDate },
    Pays { price: Money, why: WhyPays },
}

/// Why no plan covers a seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum WhyPays {
    /// The learner has no plan with class seats.
    NoPlan,
    /// The plans that there are belong to other products than this course.
    OtherProduct { plan: String },
    /// The plan's seats are used or reserved.
    NothingLeft { plan: String },
    /// The plan ends before the class.
    EndsBefore { plan: String, until: NaiveDate },
}

impl Cost {
    /// Decides for a class that starts on `day`: the right that ends soonest and fits pays for the seat. A course
    /// without products is general: every plan with class seats covers it.
    pub fn of(price: Money, course: &[ProductId], rights: &[SeatRight], day: NaiveDate) -> Self {
        if price.minor <= 0 {
            return Self::Free;
        }
        let belongs = |right: &&SeatRight| course.is_empty() || course.contains(&right.product);
        let fitting: Vec<&SeatRight> = rights.iter().filter(belongs).collect();
        let in_time = |right: &&&SeatRight| right.until >= day;
        let covers = fitting.iter().filter(in_time).filter(|right| right.left > 0).min_by_key(|right| right.until);
        if let Some(right) = covers {
            return Self::Covered {
                benefit: right.benefit,
                plan: right.plan.clone(),
                left: right.left,
                granted: right.granted,
                until: right.until,
            };
        }
        let spent = fitting.iter().find(in_time).map(|right| WhyPays::NothingLeft { plan: right.plan.clone() });
        let ended = || {
            let last = fitting.iter().filter(|right| right.left > 0).max_by_key(|right| right.until)?;
            Some(WhyPays::EndsBefore { plan: last.plan.clone(), until: last.until })
        };
        let other = || rights.first().map(|right| WhyPays::OtherProduct { plan: right.plan.clone() });
        let nothing = || fitting.first().map(|right| WhyPays::NothingLeft { plan: right.plan.clone() });
        let why = spent.or_else(ended).or_else(nothing).or_else(other).unwrap_or(WhyPays::NoPlan);
        Self::Pays { price, why }
    }

    /// What the learner is charged, in minor units of the class's currency.
    pub fn minor(&self) -> i64 {
        match self {
            Self::Free | Self::Covered { .. } => 0,
            Self::Pays { price, .. } => price.minor,
        }
    }

    pub fn benefit(&self) -> Option<BenefitId> {
        match self {
            Self::Covered { benefit, .. } => Some(*benefit),
            Self::Free | Self::Pays { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Currency;
    use uuid::Uuid;

    const PRINTER: ProductId = ProductId(Uuid::from_u128(1));
    const LEDGER: ProductId = ProductId(Uuid::from_u128(2));

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn right(n: u128, product: ProductId, left: i64, until: &str) -> SeatRight {
        SeatRight {
            benefit: BenefitId(Uuid::from_u128(n)),
            product,
            plan: format!("Plan {n}"),
            granted: 3,
            left,
            until: day(until),
        }
    }

    fn cost(rights: &[SeatRight]) -> Cost {
        Cost::of(Money::new(9000, Currency::EUR), &[PRINTER], rights, day("2026-12-01"))
    }

    #[test]
    fn the_right_that_ends_soonest_pays() {
        let rights = [right(1, PRINTER, 2, "2027-05-14"), right(2, PRINTER, 1, "2026-12-01")];
        assert_eq!(cost(&rights).benefit(), Some(BenefitId(Uuid::from_u128(2))));
        assert_eq!(cost(&rights).minor(), 0);
    }

    #[test]
    fn a_price_is_explained() {
        let why = |rights: &[SeatRight]| match cost(rights) {
            Cost::Pays { why, price } => {
                assert_eq!(price.minor, 9000);
                why
            }
            other => panic!("{other:?}"),
        };
        let plan = || "Plan 1".to_owned();
        assert_eq!(why(&[]), WhyPays::NoPlan);
        assert_eq!(why(&[right(1, LEDGER, 2, "2027-05-14")]), WhyPays::OtherProduct { plan: plan() });
        assert_eq!(why(&[right(1, PRINTER, 0, "2027-05-14")]), WhyPays::NothingLeft { plan: plan() });
        let ends = WhyPays::EndsBefore { plan: plan(), until: day("2026-11-30") };
        assert_eq!(why(&[right(1, PRINTER, 1, "2026-11-30")]), ends);
    }

    #[test]
    fn a_general_course_is_covered_by_any_plan_and_a_free_class_by_none() {
        let rights = [right(1, LEDGER, 1, "2027-05-14")];
        let price = Money::new(100, Currency::EUR);
        assert!(Cost::of(price, &[], &rights, day("2026-12-01")).benefit().is_some());
        assert_eq!(Cost::of(Money::zero(Currency::EUR), &[], &rights, day("2026-12-01")), Cost::Free);
    }
}
