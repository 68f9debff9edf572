//! What customers get in writing about their money.

use super::{store::ChargeRow, words};
use crate::{
    db::Tx,
    error::AppError,
    i18n::Fmt,
    notices::server::{Letter, To, Urgency, Written, service},
    server::Cx,
    values::Money,
    w,
};

/// What was paid for something that did not happen went back.
#[derive(Clone, Debug, PartialEq)]
pub struct PaidBack {
    amount: Money,
    /// The code of what it had been paid for.
    reason: String,
    /// Which one.
    about: Option<String>,
    link: String,
}

impl PaidBack {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        "paid_back"
    }

    pub fn urgency(&self) -> Urgency {
        Urgency::ByDay
    }

    /// In the reader's language.
    pub fn write(&self, fmt: Fmt) -> Written {
        let (amount, reason) = (fmt.money(self.amount), words::what(fmt, &self.reason, self.about.as_deref()));
        Written {
            subject: w!(fmt, charges.letter_paid_back_subject, amount = amount.clone()),
            body: w!(fmt, charges.letter_paid_back_body, amount = amount, reason = reason),
            link: Some(self.link.clone()),
        }
    }
}

/// Tells whoever had paid, once.
pub async fn paid_back(tx: &mut Tx, cx: &Cx, charge: &ChargeRow) -> Result<(), AppError> {
    let link = cx.app.config.address("/account/charges");
    let letter = PaidBack { amount: charge.amount(), reason: charge.reason.clone(), about: charge.about.clone(), link };
    service::send(tx, cx, To::Person(charge.person_id), Letter::PaidBack(letter), &format!("paid_back:{}", charge.id))
        .await
}
