//! Cases in words.

use crate::{
    cases::domain::{Kind, NextStep, Priority, Refusal, State},
    i18n::{Fmt, InWords},
    ui::Tone,
    w,
};

impl InWords for Kind {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Question => w!(fmt, cases.kind_question),
            Self::Incident => w!(fmt, cases.kind_incident),
            Self::Complaint => w!(fmt, cases.kind_complaint),
            Self::Claim => w!(fmt, cases.kind_claim),
        }
    }
}

/// What a kind of case is for, in the customer's words.
pub fn hint(kind: Kind, fmt: Fmt) -> String {
    match kind {
        Kind::Question => w!(fmt, cases.kind_question_hint),
        Kind::Incident => w!(fmt, cases.kind_incident_hint),
        Kind::Complaint => w!(fmt, cases.kind_complaint_hint),
        Kind::Claim => w!(fmt, cases.kind_claim_hint),
    }
}

impl InWords for State {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Open => w!(fmt, cases.state_open),
            Self::WaitingForYou => w!(fmt, cases.state_waiting_for_you),
            Self::Resolved => w!(fmt, cases.state_resolved),
            Self::Closed => w!(fmt, cases.state_closed),
        }
    }
}

/// How a state looks.
pub fn tone(state: State) -> Tone {
    match state {
        State::Open => Tone::Info,
        State::WaitingForYou => Tone::Warn,
        State::Resolved => Tone::Good,
        State::Closed => Tone::Plain,
    }
}

impl InWords for Priority {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Normal => w!(fmt, cases.priority_normal),
            Self::High => w!(fmt, cases.priority_high),
            Self::Urgent => w!(fmt, cases.priority_urgent),
        }
    }
}

impl InWords for NextStep {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Answer => w!(fmt, cases.step_answer),
            Self::Solve => w!(fmt, cases.step_solve),
            Self::HearBack => w!(fmt, cases.step_hear_back),
            Self::Close => w!(fmt, cases.step_close),
        }
    }
}

impl InWords for Refusal {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Closed { at } => w!(fmt, cases.no_closed, when = fmt.date(at.date_naive())),
            Self::TooLateToReopen { days } => w!(fmt, cases.no_too_late, count = days.unsigned_abs()),
            Self::NotResolved => w!(fmt, cases.no_not_resolved),
            Self::AlreadyResolved => w!(fmt, cases.no_already_resolved),
            Self::NotAnAgent => w!(fmt, cases.no_not_an_agent),
            Self::SaidMeanwhile => w!(fmt, cases.no_said_meanwhile),
            Self::TooMany { per_hour } => w!(fmt, cases.no_too_many, count = per_hour.unsigned_abs()),
        }
    }
}

/// What a case is about, in a word or two; nothing for what we have no word for.
pub fn about(entity: &str, fmt: Fmt) -> Option<String> {
    match entity {
        "item" | "purchase" => Some(w!(fmt, cases.about_item)),
        "repair" => Some(w!(fmt, cases.about_repair)),
        "class" => Some(w!(fmt, cases.about_class)),
        "feedback" => Some(w!(fmt, cases.about_feedback)),
        _ => None,
    }
}
