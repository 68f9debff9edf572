//! What customers get in writing when staff give them something by hand.

use super::words;
use crate::{
    benefits::domain::Allowance,
    db::Tx,
    error::AppError,
    fetch_one,
    i18n::Fmt,
    notices::server::{Letter, To, Urgency, Written, service},
    purchases::server::store::ItemRow,
    server::{Cx, fresh},
    values::BenefitId,
    w,
};
use chrono::NaiveDate;
use uuid::Uuid;

/// What was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Given {
    /// So many units, of a benefit that was there or of a new one.
    More {
        units: i64,
    },
    Longer,
}

/// Something was given, with what there is of it now.
#[derive(Clone, Debug, PartialEq)]
pub struct BenefitLetter {
    given: Given,
    allowance: Allowance,
    product: String,
    left: i64,
    granted: i64,
    /// The last day on which it can be used.
    until: NaiveDate,
    why: String,
    link: String,
}

impl BenefitLetter {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        match self.given {
            Given::More { .. } => "benefit_given",
            Given::Longer => "benefit_extended",
        }
    }

    pub fn urgency(&self) -> Urgency {
        Urgency::ByDay
    }

    /// In the reader's language.
    pub fn write(&self, fmt: Fmt) -> Written {
        let (product, why, link) = (self.product.clone(), self.why.clone(), Some(self.link.clone()));
        let left = words::left(fmt, self.allowance, self.left, self.granted, self.until);
        match self.given {
            Given::More { units } => {
                let what = words::counted(fmt, self.allowance, units);
                Written {
                    subject: w!(fmt, benefits.letter_given_subject, what = what.clone()),
                    body: w!(fmt, benefits.letter_given_body, what = what, product = product, left = left, why = why),
                    link,
                }
            }
            Given::Longer => {
                let (what, until) = (words::allowance(fmt, self.allowance), fmt.date(self.until));
                Written {
                    subject: w!(fmt, benefits.letter_longer_subject, product = product.clone(), until = until.clone()),
                    body: w!(
                        fmt,
                        benefits.letter_longer_body,
                        what = what,
                        product = product,
                        until = until,
                        left = left,
                        why = why
                    ),
                    link,
                }
            }
        }
    }
}

#[derive(sqlx::FromRow)]
struct Stands {
    allowance: String,
    granted: i64,
    available: i64,
    ends_on: NaiveDate,
}

const STANDS: &str = "select allowance, granted, available, ends_on from benefit where id = $1";

/// Tells the item's owner what was given, until when it lasts, and why. Part of the act, so once for each.
pub async fn given(
    tx: &mut Tx,
    cx: &Cx,
    item: &ItemRow,
    benefit: BenefitId,
    given: Given,
    why: &str,
) -> Result<(), AppError> {
    let stands = fetch_one!(tx, Stands, STANDS, benefit)?;
    let letter = BenefitLetter {
        given,
        allowance: stands.allowance.parse().unwrap_or(Allowance::TrainingSeat),
        product: item.product_name.clone(),
        left: stands.available,
        granted: stands.granted,
        until: stands.ends_on.pred_opt().unwrap_or(stands.ends_on),
        why: why.to_owned(),
        link: cx.app.config.address(&format!("/purchases/{}", item.purchase_id)),
    };
    let once = format!("benefit_given:{}", fresh::<Uuid>());
    service::send(tx, cx, To::Person(item.owner_person), Letter::Benefit(Box::new(letter)), &once).await
}
