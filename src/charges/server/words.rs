//! What charges say.

use crate::{
    charges::domain::{ChargeState, Refusal},
    server::Cx,
    ui::Tone,
};

/// Where a charge stands.
pub fn state(cx: &Cx, state: ChargeState) -> String {
    match state {
        ChargeState::Due => w!(cx, charges.state_due),
        ChargeState::Paid => w!(cx, charges.state_paid),
        ChargeState::Waived => w!(cx, charges.state_waived),
        ChargeState::Void => w!(cx, charges.state_void),
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

/// What a charge is for, by the code that the slice gave it.
pub fn reason(cx: &Cx, code: &str) -> String {
    match code {
        "repair" | "repair_quote" | "quote" => w!(cx, charges.reason_repair),
        "class" | "class_seat" | "enrolment" => w!(cx, charges.reason_class),
        "visit" => w!(cx, charges.reason_visit),
        "late_cancel" | "no_show" => w!(cx, charges.reason_late_cancel),
        _ => w!(cx, charges.reason_other),
    }
}

/// A "no" about a charge.
pub fn refusal(cx: &Cx, refusal: &Refusal) -> String {
    match refusal {
        Refusal::AlreadySettled(as_what) => w!(cx, charges.refusal_settled, state = state(cx, *as_what)),
    }
}
