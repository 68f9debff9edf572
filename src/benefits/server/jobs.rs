//! What the ledger does by itself: every night it ends what was not used in its period.

use super::ledger;
use crate::{error::AppError, server::Cx};

/// Expires everything that is over, in short transactions.
pub async fn expire(cx: &Cx) -> Result<(), AppError> {
    let (today, now) = (cx.today(), cx.now);
    while cx.db().write(move |tx| Box::pin(async move { ledger::expire(tx, today, now).await })).await? > 0 {}
    Ok(())
}
