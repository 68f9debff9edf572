//! Products and plans: the pure words.

use crate::benefits::domain::Allowance;
use serde::{Deserialize, Serialize};

/// An enum whose choices are stored and sent as fixed words in snake case.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// Every choice, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word under which it is stored and sent.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::catalog::domain::NotAChoice;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::catalog::domain::NotAChoice),
                }
            }
        }
    };
}
pub(crate) use choices;

/// The text is none of the words that there are to choose from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not one of the choices")]
pub struct NotAChoice;

choices! {
    /// What sort of thing is sold.
    ProductKind {
        /// A thing that one can hold: a printer, a toaster.
        Goods = "goods",
        /// A program, by licence.
        Software = "software",
        /// A ticket.
        Journey = "journey",
        /// A machine or facility that is put up on site.
        Installation = "installation",
    }
}

impl ProductKind {
    /// Whether a thing of this kind can fail and be put right: a ticket cannot, its journey is over.
    pub fn can_be_repaired(self) -> bool {
        !matches!(self, Self::Journey)
    }
}

/// A service plan: what it grants, and for how long from delivery.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The short name by which purchases point to it: `care-6`.
    pub code: String,
    pub name: String,
    pub period_months: u32,
    pub training_seats: u32,
    pub maintenance_visits: u32,
    pub repairs: u32,
    /// The only kind of product that it is for, if it is for one only.
    pub applies_to: Option<ProductKind>,
}

impl Plan {
    /// The counted rights that the plan grants to one item.
    pub fn grants(&self) -> impl Iterator<Item = (Allowance, i64)> {
        [
            (Allowance::TrainingSeat, self.training_seats),
            (Allowance::MaintenanceVisit, self.maintenance_visits),
            (Allowance::Repair, self.repairs),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(allowance, count)| (allowance, i64::from(count)))
    }

    /// Whether it may be sold with a product of this kind.
    pub fn is_for(&self, kind: ProductKind) -> bool {
        self.applies_to.is_none_or(|only| only == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_from_its_word() {
        for kind in ProductKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert_eq!("car".parse::<ProductKind>(), Err(NotAChoice));
    }

    #[test]
    fn a_plan_grants_only_what_it_counts() {
        let plan = Plan {
            code: "care-6".into(),
            name: "Care".into(),
            period_months: 6,
            training_seats: 3,
            maintenance_visits: 0,
            repairs: 1,
            applies_to: Some(ProductKind::Goods),
        };
        let grants: Vec<_> = plan.grants().collect();
        assert_eq!(grants, [(Allowance::TrainingSeat, 3), (Allowance::Repair, 1)]);
        assert!(plan.is_for(ProductKind::Goods) && !plan.is_for(ProductKind::Journey));
    }
}
