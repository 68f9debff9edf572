//! What the clock does for repairs.

use super::{photos, service};
use crate::{
    error::AppError,
    server::Cx,
    values::{PhotoId, QuoteId, RepairId},
};

/// A quote that nobody answered in time lapses.
pub async fn lapse_quote(cx: &Cx, repair: RepairId, quote: QuoteId) -> Result<(), AppError> {
    service::lapse_quote(cx, repair, quote).await
}

/// A repair that the customer has had back for two weeks is closed.
pub async fn close_repair(cx: &Cx, repair: RepairId) -> Result<(), AppError> {
    service::close(cx, repair).await
}

/// A picture that found no repair within its day is forgotten, and with it what a crash left on the disk.
pub async fn forget_photo(cx: &Cx, photo: PhotoId) -> Result<(), AppError> {
    photos::forget(cx, photo).await?;
    photos::sweep(&cx.app).await.map(|_| ())
}
