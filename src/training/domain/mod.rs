//! The rules of training, pure: the clock, prices and capacities are arguments.

pub mod attendance;
pub mod book;
pub mod class;
pub mod cost;
pub mod enrolment;
pub mod learning;
pub mod party;
mod refusal;
pub mod schedule;
pub mod teaching;
pub mod team;
pub mod validity;
pub mod wish;

pub use attendance::{Mark, Share};
pub use class::{Cancelling, ClassState, Effect, Plan, Policy, Seats, Stage, Terms, Window, WindowNews};
pub use cost::{Cost, SeatRight, WhyPays};
pub use enrolment::{Ending, EnrolmentState, Seating};
pub use learning::{Announced, Audience, Level, NeedsRule};
pub use party::{Hindered, Hindrance, Seated, Skipped, Turn, Unit, Wish};
pub use refusal::{Because, Conflict, Difference, LearnerClash, Refusal, Who};
pub use validity::Validity;

/// A word that is none of those an enumeration of this slice is stored as.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a word of training: {0}")]
pub struct UnknownWord(pub String);

/// An enumeration without data that is stored and posted as one word.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::training::domain::UnknownWord;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other => Err(crate::training::domain::UnknownWord(other.to_owned())),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::training::domain::UnknownWord;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    };
}
use words;
