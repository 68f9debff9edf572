//! Deciding on coverage, and what repairs and time do to it.

use super::store;
use crate::{
    coverage::domain::{self, Asked, CoverageKind, Decision, Layer},
    db::Tx,
    error::AppError,
    portal::server::Need,
    purchases::server::store as purchases,
    server::Cx,
    ui::Icon,
    values::{ItemId, RepairId},
    w,
};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

/// How many days before its end a customer is told of it.
const ENDING_SOON_DAYS: u64 = 30;

/// Whether a repair of an item is covered today: the same decision on the screen, at booking and at invoicing.
///
/// # Errors
/// [`AppError::NotFound`] where there is no such item.
pub async fn decide_repair(tx: &mut Tx, item: ItemId, today: NaiveDate) -> Result<Decision, AppError> {
    decide(tx, item, today, None).await
}

/// The same for the fault that an earlier repair of the item was for: the warranty on that repair counts too.
///
/// # Errors
/// As [`decide_repair`].
pub async fn decide_same_fault(
    tx: &mut Tx,
    item: ItemId,
    repair: RepairId,
    today: NaiveDate,
) -> Result<Decision, AppError> {
    decide(tx, item, today, Some(repair)).await
}

async fn decide(tx: &mut Tx, item: ItemId, today: NaiveDate, same_as: Option<RepairId>) -> Result<Decision, AppError> {
    let row = purchases::item(tx, item).await?.ok_or(AppError::NotFound)?;
    let asked = Asked { kind: row.kind(), delivered_on: row.delivered_on, today, same_fault: same_as.is_some() };
    let rows = store::of_item(tx, item).await?;
    // The warranty on another repair says nothing about this fault.
    let counts = |row: &&store::CoverageRow| {
        row.kind != CoverageKind::RepairWarranty.as_str() || same_as.is_none() || row.repair_id == same_as
    };
    let layers: Vec<Layer> = rows.iter().filter(counts).map(store::CoverageRow::layer).collect();
    Ok(domain::decide(&asked, &layers))
}

/// The rights of an item.
pub async fn layers(tx: &mut Tx, item: ItemId) -> Result<Vec<Layer>, AppError> {
    Ok(store::of_item(tx, item).await?.iter().map(store::CoverageRow::layer).collect())
}

/// What a repair that was handed back leaves behind: its own warranty, and a legal guarantee that is longer by twelve
/// months where it was chosen under it (Directive (EU) 2024/1799), on `chosen_by_law`. Part of the handing back.
pub async fn after_repair(
    tx: &mut Tx,
    item: ItemId,
    repair: RepairId,
    handed_back_on: NaiveDate,
    warranty_days: u32,
    chosen_by_law: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    if warranty_days > 0 {
        let period = domain::repair_warranty(handed_back_on, warranty_days);
        store::add_repair_warranty(tx, item, repair, period, now).await?;
    }
    let Some(chosen_on) = chosen_by_law else { return Ok(()) };
    for row in store::of_item(tx, item).await? {
        let already = row.prolonged_on.is_some();
        if let Ok(longer) = domain::prolonged(&row.layer(), already, chosen_on, handed_back_on) {
            store::prolong(tx, row.id, longer.until, handed_back_on, repair).await?;
        }
    }
    Ok(())
}

/// The last day on which the end of a right needs whoever has it.
pub fn ending_soon(today: NaiveDate) -> NaiveDate {
    today.checked_add_days(Days::new(ENDING_SOON_DAYS)).unwrap_or(today)
}

/// What needs the customer now: the last right on a thing of theirs ends soon.
pub fn need(cx: &Cx, row: store::EndingRow) -> Need {
    let last = row.ends_on.pred_opt().unwrap_or(row.ends_on);
    let soon = row.ends_on.checked_sub_days(Days::new(ENDING_SOON_DAYS)).unwrap_or(row.ends_on);
    let since = soon.and_time(NaiveTime::MIN).and_utc().max(row.created_at).min(cx.now);
    Need {
        since,
        until: Some(row.ends_on.and_time(NaiveTime::MIN).and_utc()),
        icon: Icon::Shield,
        title: w!(cx, coverage.need_title),
        text: w!(
            cx,
            coverage.need_text,
            kind = super::words::kind(cx, row.kind.parse().unwrap_or(domain::CoverageKind::Warranty)),
            product = row.product_name,
            date = cx.fmt().date(last)
        ),
        href: format!("/purchases/{}", row.purchase_id),
        action: w!(cx, coverage.need_action),
    }
}
