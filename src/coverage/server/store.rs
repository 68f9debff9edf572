//! Reading and writing rights.

use crate::{
    access::Permit,
    coverage::domain::{CoverageKind, Layer, RepairsLeft, Rule},
    db::Tx,
    error::AppError,
    execute, fetch_all,
    server::{fresh, settings},
    values::{BenefitId, CountryCode, CoverageId, DateRange, ItemId, PurchaseId, RepairId},
};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashMap;

/// A right as it is stored, or the repair allowance of a plan.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct CoverageRow {
    pub id: CoverageId,
    pub item_id: ItemId,
    pub kind: String,
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    pub months: Option<i64>,
    pub rule_id: Option<String>,
    pub rule_version: Option<i64>,
    pub plan_name: Option<String>,
    pub prolonged_on: Option<NaiveDate>,
    pub void_reason: Option<String>,
    /// The repair that it is the warranty on, or that prolonged it.
    pub repair_id: Option<RepairId>,
    /// Of a repair allowance.
    pub benefit_id: Option<BenefitId>,
    pub repairs_granted: Option<i64>,
    pub repairs_left: Option<i64>,
    /// It is worth a line of its own: what a plan's own right says already, or what is used up, is not.
    pub apart: bool,
}

impl CoverageRow {
    /// The right itself.
    pub fn layer(&self) -> Layer {
        let rule = self.rule_id.clone().zip(self.rule_version);
        let repairs = self.benefit_id.zip(self.repairs_granted).zip(self.repairs_left);
        Layer {
            kind: self.kind.parse().unwrap_or(CoverageKind::Warranty),
            period: DateRange { from: self.starts_on, until: self.ends_on },
            months: self.months.and_then(|months| u32::try_from(months).ok()),
            rule: rule.map(|(id, version)| Rule { id, version: u32::try_from(version).unwrap_or(0) }),
            plan_name: self.plan_name.clone(),
            void: self.void_reason.as_deref().and_then(|reason| reason.parse().ok()),
            repairs: repairs.map(|((benefit, granted), left)| RepairsLeft { benefit, granted, left }),
        }
    }
}

/// What a plan pays for is its repair allowance, in the allowance's own period: staff extend one, or give one to an item
/// without a plan. So each is a right of its own here; that of a void plan is void with it.
macro_rules! rights {
    ($coverage:literal, $allowance:literal) => {
        concat!(
            "select c.id as id, c.item_id, c.kind as kind, c.starts_on, c.ends_on as ends_on, c.months, c.rule_id, \
             c.rule_version, c.plan_name, c.prolonged_on, c.void_reason, c.repair_id, null as benefit_id, null as repairs_granted, \
             null as repairs_left, true as apart from coverage c ",
            $coverage,
            " union all select b.id, b.item_id, 'service_plan', b.starts_on, b.ends_on, null, null, null, b.plan_name, \
             null, c.void_reason, null, b.id, b.granted, b.available, \
             b.available > 0 and (c.ends_on is null or b.ends_on > c.ends_on) from benefit b \
             left join coverage c on c.item_id = b.item_id and c.kind = 'service_plan' and c.plan_code = b.plan_code ",
            $allowance,
            " and b.allowance = 'repair' order by ends_on, kind, id"
        )
    };
}

const OF_ITEM: &str = rights!("where c.item_id = $1", "where b.item_id = $1");
const OF_PIECES: &str = rights!(
    "join item i on i.id = c.item_id where i.purchase_id = $1 and i.position > $2 and i.position <= $3",
    "join item i on i.id = b.item_id where i.purchase_id = $1 and i.position > $2 and i.position <= $3"
);

/// The rights of an item, the first to end first.
pub async fn of_item(tx: &mut Tx, item: ItemId) -> Result<Vec<CoverageRow>, AppError> {
    Ok(fetch_all!(tx, CoverageRow, OF_ITEM, item)?)
}

/// The rights of the pieces of a purchase after one position and up to another, the first to end first.
pub async fn of_pieces(
    tx: &mut Tx,
    purchase: PurchaseId,
    after: i64,
    until: i64,
) -> Result<Vec<CoverageRow>, AppError> {
    Ok(fetch_all!(tx, CoverageRow, OF_PIECES, purchase, after, until)?)
}

const ADD_REPAIR_WARRANTY: &str = "insert into coverage (id, item_id, kind, starts_on, ends_on, repair_id, created_at) \
    values ($1, $2, 'repair_warranty', $3, $4, $5, $6) on conflict do nothing";
const PROLONG: &str = "update coverage set ends_on = $2, prolonged_on = $3, repair_id = $4 \
    where id = $1 and prolonged_on is null";

/// Gives an item the warranty on a repair; one repair gives one.
pub async fn add_repair_warranty(
    tx: &mut Tx,
    item: ItemId,
    repair: RepairId,
    period: DateRange,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let id: CoverageId = fresh();
    execute!(tx, ADD_REPAIR_WARRANTY, id, item, period.from, period.until, repair, now)?;
    Ok(())
}

/// Prolongs a right once; false where it was prolonged before.
pub async fn prolong(
    tx: &mut Tx,
    coverage: CoverageId,
    until: NaiveDate,
    repaired_on: NaiveDate,
    repair: RepairId,
) -> Result<bool, AppError> {
    Ok(execute!(tx, PROLONG, coverage, until, repaired_on, repair)? == 1)
}

const LONGER: &str =
    "select key, value from setting where key >= 'coverage.legal_months.' and key < 'coverage.legal_months/'";

/// The months that the company set for a country instead of a shorter legal guarantee (`coverage.legal_months.SE`).
pub async fn longer_guarantees(tx: &mut Tx) -> Result<HashMap<String, u32>, AppError> {
    let rows = fetch_all!(tx, (String, String), LONGER)?;
    let read = |(key, value): (String, String)| Some((key.rsplit('.').next()?.to_owned(), value.parse().ok()?));
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Sets the months that count in a country from now on; none for what its law says.
pub async fn set_longer_guarantee(
    tx: &mut Tx,
    _: &Permit,
    country: CountryCode,
    months: Option<u32>,
) -> Result<(), AppError> {
    let key = format!("coverage.legal_months.{}", country.code());
    match months {
        Some(months) => settings::write(tx, &key, &months.to_string()).await,
        None => settings::remove(tx, &key).await,
    }
}

/// A right that is about to end, with what it is on.
#[derive(Clone, Debug)]
pub struct EndingRow {
    pub kind: String,
    pub ends_on: NaiveDate,
    pub created_at: DateTime<Utc>,
    pub purchase_id: crate::values::PurchaseId,
    pub product_name: String,
}

/// Whether something is left of the benefit of this name for a repair: for statements that look for what covers on a day,
/// as [`crate::coverage::domain::decide`] does. The period is for them to ask.
macro_rules! repair_left {
    ($benefit:literal) => {
        concat!(
            "(",
            $benefit,
            ".allowance = 'repair' and ",
            $benefit,
            ".available > 0 and not exists (select 1 from coverage v \
             where v.item_id = ",
            $benefit,
            ".item_id and v.kind = 'service_plan' and v.plan_code = ",
            $benefit,
            ".plan_code \
             and v.void_reason is not null))"
        )
    };
}
pub(crate) use repair_left;

/// The last rights of things of a person ($1) that end after a day ($2) and up to another one ($3): a part of the one
/// statement that home asks of purchases. A repair allowance is one where nothing else lasts as long; a plan covers nothing
/// but by its allowances, so none outlasts a guarantee.
macro_rules! ending {
    () => {
        concat!(
            "select kind, ends_on, created_at, purchase_id, product_name from \
            (select c.id, c.kind, c.ends_on, c.created_at, p.id as purchase_id, p.product_name \
            from item i join coverage c on c.item_id = i.id join purchase p on p.id = i.purchase_id \
            where i.owner_id = $1 and c.ends_on > $2 and c.ends_on <= $3 and c.void_reason is null \
            and c.kind <> 'repair_warranty' \
            and not exists (select 1 from coverage o where o.item_id = c.item_id and o.void_reason is null \
            and o.kind <> 'repair_warranty' and (o.kind <> 'service_plan' or c.kind = 'service_plan') \
            and o.starts_on <= $2 and o.ends_on > c.ends_on) \
            and not exists (select 1 from benefit b where b.item_id = c.item_id and b.starts_on <= $2 \
            and b.ends_on > c.ends_on and ",
            repair_left!("b"),
            ") union all \
            select b.id, 'service_plan', b.ends_on, coalesce(b.extended_at, b.granted_at, b.created_at), p.id, p.product_name \
            from item i join benefit b on b.item_id = i.id join purchase p on p.id = i.purchase_id \
            where i.owner_id = $1 and p.kind <> 'journey' and b.ends_on > $2 and b.ends_on <= $3 and ",
            repair_left!("b"),
            " and not exists (select 1 from coverage o where o.item_id = b.item_id and o.void_reason is null \
            and o.kind <> 'repair_warranty' and o.starts_on <= $2 and o.ends_on >= b.ends_on) \
            and not exists (select 1 from benefit o where o.item_id = b.item_id and o.starts_on <= $2 \
            and (o.ends_on, o.id) > (b.ends_on, b.id) and ",
            repair_left!("o"),
            ")) as rights order by ends_on, id limit 100"
        )
    };
}
pub(crate) use ending;
