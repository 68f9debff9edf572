//! Follow-ups in words.

use crate::{
    followups::domain::{Neglect, Outcome, Refusal},
    i18n::{Fmt, InWords},
    w,
};
use chrono_tz::Tz;

impl InWords for Refusal {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::InThePast => w!(fmt, followups.no_past),
            Self::TooFarAhead { days } => w!(fmt, followups.no_too_far, count = days.unsigned_abs()),
            Self::AlreadyDone => w!(fmt, followups.no_done),
            Self::Undecided => w!(fmt, followups.no_undecided),
        }
    }
}

impl InWords for Outcome {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Reached => w!(fmt, followups.outcome_reached),
            Self::NotReached => w!(fmt, followups.outcome_not_reached),
            Self::NotNeeded => w!(fmt, followups.outcome_not_needed),
        }
    }
}

/// A stored outcome in words.
pub fn outcome(stored: &str, fmt: Fmt) -> String {
    stored.parse::<Outcome>().map_or_else(|_| stored.to_owned(), |outcome| outcome.in_words(fmt))
}

/// Why something stands on the list.
pub fn why(neglect: &Neglect, fmt: Fmt, zone: Tz) -> String {
    match neglect {
        Neglect::NoOwner => w!(fmt, followups.why_no_owner),
        Neglect::NoNextStep => w!(fmt, followups.why_no_next_step),
        Neglect::NoDueTime => w!(fmt, followups.why_no_due_time),
        Neglect::Overdue { since } => w!(fmt, followups.why_overdue, when = fmt.date_time(*since, zone)),
    }
}

/// What kind of thing it is.
pub fn entity(entity: &str, fmt: Fmt) -> String {
    match entity {
        "case" => w!(fmt, followups.entity_case),
        "repair" => w!(fmt, followups.entity_repair),
        "registration" => w!(fmt, followups.entity_claim),
        "class" => w!(fmt, followups.entity_class),
        "refund" => w!(fmt, followups.entity_refund),
        _ => w!(fmt, followups.entity_follow_up),
    }
}
