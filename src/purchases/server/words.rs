//! What purchases and registrations say.

use super::register::RegistrationRow;
use crate::{
    i18n::Fmt,
    purchases::domain::{Refusal, RegistrationState},
    server::{Cx, clock::real_now},
    ui::Tone,
    w,
};

/// How far a registration is, to the person who asked. That somebody else asks too is not theirs to know.
pub fn state(cx: &Cx, row: &RegistrationRow) -> (Tone, String) {
    let over = row.code_until.is_some_and(|until| until <= real_now());
    match row.state() {
        RegistrationState::Unproven if over => (Tone::Plain, w!(cx, purchases.state_expired)),
        RegistrationState::Unproven => (Tone::Info, w!(cx, purchases.state_unproven)),
        RegistrationState::Proven => (Tone::Good, w!(cx, purchases.state_proven)),
        RegistrationState::Expired => (Tone::Plain, w!(cx, purchases.state_expired)),
        RegistrationState::Open | RegistrationState::Disputed => (Tone::Info, w!(cx, purchases.state_open)),
        RegistrationState::Accepted => (Tone::Good, w!(cx, purchases.state_accepted)),
        RegistrationState::Refused => (Tone::Bad, w!(cx, purchases.state_refused)),
    }
}

/// A "no" about a registration.
pub fn refusal(fmt: Fmt, refusal: &Refusal) -> String {
    match refusal {
        Refusal::AlreadyDecided => w!(fmt, purchases.refusal_decided),
        Refusal::SerialTaken => w!(fmt, purchases.refusal_taken),
        Refusal::UnknownArticle => w!(fmt, purchases.refusal_unknown_article),
        Refusal::RepairOpen => w!(fmt, handover.refusal_repair),
        Refusal::BenefitBooked => w!(fmt, handover.refusal_booked),
        Refusal::OfferedAlready => w!(fmt, handover.refusal_offered),
        Refusal::OfferOver => w!(fmt, handover.refusal_over),
        Refusal::YoursAlready => w!(fmt, handover.refusal_yours),
        Refusal::NotToGive => w!(fmt, handover.refusal_ticket),
    }
}
