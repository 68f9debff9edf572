//! What training does by itself when its time has come.

use super::{plan, seats};
use crate::{
    error::AppError,
    server::Cx,
    values::{ClassId, EnrolmentId},
};

/// The time of an offer may be over.
pub async fn expire_offer(cx: &Cx, enrolment: EnrolmentId) -> Result<(), AppError> {
    seats::expire(cx, enrolment).await
}

/// A class begins.
pub async fn start_class(cx: &Cx, class: ClassId) -> Result<(), AppError> {
    plan::start(cx, class).await
}

/// A class is tomorrow.
pub async fn remind_class(cx: &Cx, class: ClassId) -> Result<(), AppError> {
    plan::remind(cx, class).await
}
