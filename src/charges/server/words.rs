//! What charges say.

use super::store::ChargeRow;
use crate::{
    charges::domain::{ChargeState, Refund, Refusal},
    i18n::Fmt,
    ui::Tone,
    w,
};

/// Where a charge stands.
pub fn state(fmt: Fmt, state: ChargeState) -> String {
    match state {
        ChargeState::Due => w!(fmt, charges.state_due),
        ChargeState::Paid => w!(fmt, charges.state_paid),
        ChargeState::Waived => w!(fmt, charges.state_waived),
        ChargeState::Void => w!(fmt, charges.state_void),
    }
}

/// How a state looks.
pub fn tone(state: ChargeState) -> Tone {
    match state {
        ChargeState::Due => Tone::Warn,
        ChargeState::Paid => Tone::Good,
        ChargeState::Waived | ChargeState::Void => Tone::Plain,
    }
}

/// Where a charge stands and how that looks; of one that is reversed, where the money is.
pub fn standing(fmt: Fmt, row: &ChargeRow) -> (Tone, String) {
    match row.refund() {
        Some(Refund { paid_at: None, .. }) => (Tone::Warn, w!(fmt, charges.state_to_pay_back)),
        Some(_) => (Tone::Plain, w!(fmt, charges.state_paid_back)),
        None => (tone(row.state()), state(fmt, row.state())),
    }
}

/// What a charge is for, and which one of its kind.
pub fn what(fmt: Fmt, code: &str, about: Option<&str>) -> String {
    let reason = reason(fmt, code);
    match about {
        Some(about) => format!("{reason} · {about}"),
        None => reason,
    }
}

/// By the code that the slice gave it.
fn reason(fmt: Fmt, code: &str) -> String {
    match code {
        "repair" | "repair_quote" | "quote" => w!(fmt, charges.reason_repair),
        "diagnosis" => w!(fmt, charges.reason_diagnosis),
        "class" | "class_seat" | "enrolment" => w!(fmt, charges.reason_class),
        "visit" => w!(fmt, charges.reason_visit),
        "late_cancel" | "no_show" => w!(fmt, charges.reason_late_cancel),
        _ => w!(fmt, charges.reason_service),
    }
}

/// A "no" about a charge.
pub fn refusal(fmt: Fmt, refusal: &Refusal) -> String {
    match refusal {
        Refusal::AlreadySettled(as_what) => w!(fmt, charges.refusal_settled, state = state(fmt, *as_what)),
        Refusal::NothingToPayBack => w!(fmt, charges.refusal_nothing_to_pay_back),
    }
}
