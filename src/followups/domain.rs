//! When something that a customer has open is neglected: nobody owns it, nothing comes next, no time is set, or it is past.

use crate::values::PersonId;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A follow-up may be planned at most this far ahead.
pub const FURTHEST_DAYS: i64 = 180;

/// What is known of one open thing: who has it, whether a next step is named, and by when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenThing {
    pub owner: Option<PersonId>,
    pub next_step: bool,
    pub due: Option<DateTime<Utc>>,
}

/// Why something stands on the list of the neglected. The worst comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Neglect {
    NoOwner,
    NoNextStep,
    NoDueTime,
    Overdue { since: DateTime<Utc> },
}

impl Neglect {
    /// Where it stands on the list: among those of one rank the longest wait comes first.
    pub fn rank(self) -> u8 {
        match self {
            Self::NoOwner => 0,
            Self::NoNextStep => 1,
            Self::NoDueTime => 2,
            Self::Overdue { .. } => 3,
        }
    }
}

/// Says why a thing is neglected, or `None` when all is well.
pub fn neglect(thing: &OpenThing, now: DateTime<Utc>) -> Option<Neglect> {
    match thing.due {
        _ if thing.owner.is_none() => Some(Neglect::NoOwner),
        _ if !thing.next_step => Some(Neglect::NoNextStep),
        None => Some(Neglect::NoDueTime),
        Some(due) if due < now => Some(Neglect::Overdue { since: due }),
        Some(_) => None,
    }
}

/// How a follow-up ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Reached,
    NotReached,
    NotNeeded,
}

impl Outcome {
    pub const ALL: [Self; 3] = [Self::Reached, Self::NotReached, Self::NotNeeded];

    /// As it is stored and stands in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::NotReached => "not_reached",
            Self::NotNeeded => "not_needed",
        }
    }
}

impl FromStr for Outcome {
    type Err = UnknownOutcome;
    fn from_str(text: &str) -> Result<Self, UnknownOutcome> {
        Self::ALL.into_iter().find(|o| o.as_str() == text).ok_or(UnknownOutcome)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an outcome of a follow-up")]
pub struct UnknownOutcome;

/// A business no about follow-ups.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "no")]
pub enum Refusal {
    /// The time lies in the past.
    InThePast,
    /// Too far ahead: by then nobody remembers.
    TooFarAhead { days: i64 },
    /// Somebody has already done it.
    AlreadyDone,
    /// What it is about waits for a decision, with which it ends.
    Undecided,
}

/// A follow-up needs a time that is still to come and not too far away.
pub fn plan(due: DateTime<Utc>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
    if due <= now {
        Err(Refusal::InThePast)
    } else if due > now + TimeDelta::days(FURTHEST_DAYS) {
        Err(Refusal::TooFarAhead { days: FURTHEST_DAYS })
    } else {
        Ok(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn well() -> OpenThing {
        OpenThing {
            owner: Some(PersonId(uuid::Uuid::from_u128(1))),
            next_step: true,
            due: Some(at("2026-12-02T09:00:00Z")),
        }
    }

    #[test]
    fn a_thing_with_owner_step_and_time_to_come_is_not_neglected() {
        assert_eq!(neglect(&well(), at("2026-12-01T09:00:00Z")), None);
        assert_eq!(neglect(&well(), at("2026-12-02T09:00:00Z")), None);
    }

    #[test]
    fn whatever_is_missing_is_named_and_the_worst_first() {
        let now = at("2026-12-01T09:00:00Z");
        assert_eq!(neglect(&OpenThing { owner: None, due: None, ..well() }, now), Some(Neglect::NoOwner));
        assert_eq!(neglect(&OpenThing { next_step: false, ..well() }, now), Some(Neglect::NoNextStep));
        assert_eq!(neglect(&OpenThing { due: None, ..well() }, now), Some(Neglect::NoDueTime));
        let due = at("2026-11-30T09:00:00Z");
        assert_eq!(neglect(&OpenThing { due: Some(due), ..well() }, now), Some(Neglect::Overdue { since: due }));
    }

    #[test]
    fn a_follow_up_is_planned_for_a_time_to_come() {
        let now = at("2026-12-01T09:00:00Z");
        assert_eq!(plan(now, now), Err(Refusal::InThePast));
        assert_eq!(plan(now + TimeDelta::days(181), now), Err(Refusal::TooFarAhead { days: 180 }));
        assert!(plan(now + TimeDelta::days(1), now).is_ok());
    }

    proptest! {
        /// Taking it, naming the step and planning a time always empties the list.
        #[test]
        fn every_neglected_thing_can_be_taken_off_the_list(owner in any::<bool>(), step in any::<bool>(), due in -90_i64..90, plan_in in 1_i64..180) {
            let now = at("2026-12-01T09:00:00Z");
            let thing = OpenThing { owner: owner.then_some(PersonId(uuid::Uuid::from_u128(1))), next_step: step, due: Some(now + TimeDelta::days(due)) };
            let planned = plan(now + TimeDelta::days(plan_in), now).unwrap();
            let mended = OpenThing { owner: thing.owner.or(Some(PersonId(uuid::Uuid::from_u128(2)))), next_step: true, due: Some(planned) };
            prop_assert_eq!(neglect(&mended, now), None);
        }
    }
}
