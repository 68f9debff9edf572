//! Showing purchases.

use super::store::{self, Covered, ItemRow, ListRow, PurchaseRow, Waiting};
use crate::{
    access::{Act, Subject},
    benefits::server::ledger::{self, BenefitRow, EntryRow},
    coverage::{
        domain::{Asked, Decision, decide},
        server::store::{self as coverage, CoverageRow},
    },
    db::Tx,
    error::AppError,
    portal::server::{Need, Panel, PanelRow},
    server::Cx,
    ui::{Icon, Tone},
    values::{Cursor, PersonId, PurchaseId, Rows},
    w,
};

/// How many pieces of a purchase its page shows at once.
const PIECES: usize = 20;

/// What the viewer bought, and the firms they own.
pub async fn list(cx: &Cx, search: &str, covered: Covered, cursor: Option<&Cursor>) -> Result<Rows<ListRow>, AppError> {
    let person = cx.person()?.id;
    cx.may(Act::ReadPurchase, &Subject::of(person))?;
    store::list(&mut cx.db().read().await?, &cx.viewer.scope(), search, covered, cx.today(), cursor).await
}

/// A purchase as its page shows it.
pub struct Shown {
    pub purchase: PurchaseRow,
    /// Whether the viewer may see what it cost and who bought it, besides the pieces.
    pub whole: bool,
    pub items: Vec<ShownItem>,
    /// The position after which the next pieces come, where there are more.
    pub more_after: Option<i64>,
}

/// A piece with everything that it carries.
pub struct ShownItem {
    pub item: ItemRow,
    pub decision: Decision,
    pub coverages: Vec<CoverageRow>,
    pub benefits: Vec<(BenefitRow, Vec<EntryRow>)>,
}

/// A purchase, as far as the viewer may see it.
///
/// # Errors
/// [`AppError::NotFound`] where there is none, or none that is theirs.
pub async fn show(cx: &Cx, id: PurchaseId, after: i64) -> Result<Shown, AppError> {
    let viewer = cx.person()?.id;
    let mut tx = cx.db().read().await?;
    let purchase = store::purchase(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    // Counted among those that the viewer may see: one piece of many may be theirs.
    let of = if cx.viewer.can(Act::ReadPurchase, &Subject::nobody()) { None } else { Some(viewer) };
    let mut rows = store::items_in(&mut tx, id, after, PIECES as i64 + 1, of).await?;
    let more_after = if rows.len() > PIECES { rows.get(PIECES - 1).map(|item| item.position) } else { None };
    rows.truncate(PIECES);
    rows.retain(|item| cx.viewer.can(Act::ReadPurchase, &item.subject()));
    let bought = Subject::of(purchase.person_id).within(purchase.organisation_id);
    let whole = cx.viewer.can(Act::ReadPurchase, &bought);
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Err(AppError::NotFound) };
    let (before, until) = (first.position - 1, last.position);
    let coverages = coverage::of_pieces(&mut tx, id, before, until).await?;
    let (benefits, entries) = ledger::of_pieces(&mut tx, id, before, until).await?;
    let items = rows.into_iter().map(|item| shown_item(cx, item, &coverages, &benefits, &entries)).collect();
    Ok(Shown { purchase, whole, items, more_after })
}

/// A piece with what of all these is its own.
fn shown_item(
    cx: &Cx,
    item: ItemRow,
    coverages: &[CoverageRow],
    benefits: &[BenefitRow],
    entries: &[EntryRow],
) -> ShownItem {
    let coverages: Vec<_> = coverages.iter().filter(|row| row.item_id == item.id).cloned().collect();
    let layers: Vec<_> = coverages.iter().map(CoverageRow::layer).collect();
    let asked = Asked { kind: item.kind(), delivered_on: item.delivered_on, today: cx.today(), same_fault: false };
    let entries_of =
        |benefit: &BenefitRow| entries.iter().filter(|row| row.benefit_id == benefit.id).cloned().collect();
    let benefits = benefits.iter().filter(|row| row.item_id == item.id);
    let benefits = benefits.map(|benefit| (benefit.clone(), entries_of(benefit))).collect();
    ShownItem { decision: decide(&asked, &layers), item, coverages, benefits }
}

/// What needs the customer now in this slice: coverage that ends soon, and pieces that somebody offers them.
pub async fn needs(tx: &mut Tx, cx: &Cx) -> Result<Vec<Need>, AppError> {
    let person = cx.person()?;
    let today = cx.today();
    let until = crate::coverage::server::service::ending_soon(today);
    let offered = |id, giver, product: String, since| Need {
        since,
        until: None,
        icon: Icon::Box,
        title: w!(cx, handover.offer_title, product = product),
        text: w!(cx, handover.offer_lead, name = giver),
        href: format!("/purchases/take-over/{id}"),
        action: w!(cx, team.need_action),
    };
    let need = |waiting| match waiting {
        Waiting::Ends(row) => crate::coverage::server::service::need(cx, row),
        Waiting::Offered { id, giver, product, since } => offered(id, giver, product, since),
    };
    let rows = store::waiting(tx, (person.id, &person.email), today, until).await?;
    Ok(rows.into_iter().map(need).collect())
}

/// What a customer bought, on the staff's page of them.
pub async fn panel(tx: &mut Tx, cx: &Cx, person: PersonId) -> Result<Panel, AppError> {
    let rows = store::panel(tx, person, cx.today()).await?;
    let row = |row: store::PanelRow| PanelRow {
        title: row.product_name,
        text: format!("{} · {}", row.order_number, w!(cx, purchases.bought_on, date = cx.fmt().date(row.purchased_on))),
        badge: Some(covered_badge(cx, row.covered_until)),
        href: Some(format!("/purchases/{}", row.id)),
    };
    Ok(Panel { title: w!(cx, purchases.panel), rows: rows.into_iter().map(row).collect() })
}

/// Whether something is covered, in two words. `until` is the first day that is not.
pub fn covered_badge(cx: &Cx, until: Option<chrono::NaiveDate>) -> (Tone, String) {
    match until.and_then(|day| day.pred_opt()) {
        Some(last) => (Tone::Good, w!(cx, purchases.covered_until, date = cx.fmt().short_date(last))),
        None => (Tone::Plain, w!(cx, purchases.not_covered)),
    }
}
