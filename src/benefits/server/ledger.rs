//! Moving units in the ledger. Each move is one conditional update, so that two who want the last unit cannot both have
//! it, and leaves one entry.

use crate::{
    benefits::domain::{Allowance, Balance, Reference, Refusal, Units},
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_scalar,
    server::fresh,
    values::{BenefitEntryId, BenefitId, ItemId, OrganisationId, PersonId, ProductId, PurchaseId},
};
use chrono::{DateTime, Days, NaiveDate, Utc};

type BalanceCells = (BenefitId, ItemId, ProductId, String, i64, i64, NaiveDate);

/// What a member bought for the firm they may use too; its owner may use all that the firm has.
const OF_HOLDER: &str = "select b.id, b.item_id, i.product_id, b.plan_name, b.granted, b.available, b.ends_on \
    from benefit b join item i on i.id = b.item_id where b.person_id = $1 and b.allowance = $2 \
    and ((b.starts_on <= $3 and b.ends_on > $3) or (b.starts_on <= $4 and b.ends_on > $4)) \
    union select b.id, b.item_id, i.product_id, b.plan_name, b.granted, b.available, b.ends_on \
    from membership m join benefit b on b.organisation_id = m.organisation_id join item i on i.id = b.item_id \
    where m.person_id = $1 and m.role = 'owner' and b.allowance = $2 \
    and ((b.starts_on <= $3 and b.ends_on > $3) or (b.starts_on <= $4 and b.ends_on > $4)) order by 7, 1";

const OF_ORGANISATION: &str = "select b.id, b.item_id, i.product_id, b.plan_name, b.granted, b.available, b.ends_on \
    from benefit b join item i on i.id = b.item_id \
    where b.organisation_id = $1 and b.allowance = $2 and b.starts_on <= $3 and b.ends_on > $3 \
    order by b.ends_on, b.id";

/// What somebody can use of an allowance on a day, for themselves and the firms that they own; what ends first
/// comes first. Used-up benefits are in it with nothing left, so that a screen can say so.
pub async fn balances(
    tx: &mut Tx,
    person: PersonId,
    allowance: Allowance,
    on: NaiveDate,
) -> Result<Vec<Balance>, AppError> {
    balances_on(tx, person, allowance, [on, on]).await
}

/// The same for whatever holds on one of two days.
pub async fn balances_on(
    tx: &mut Tx,
    person: PersonId,
    allowance: Allowance,
    [one, other]: [NaiveDate; 2],
) -> Result<Vec<Balance>, AppError> {
    let rows = fetch_all!(tx, BalanceCells, OF_HOLDER, person, allowance.as_str(), one, other)?;
    Ok(rows.into_iter().map(balance).collect())
}

/// What a firm itself can use of an allowance on a day, what ends first first.
pub async fn balances_of_firm(
    tx: &mut Tx,
    firm: OrganisationId,
    allowance: Allowance,
    on: NaiveDate,
) -> Result<Vec<Balance>, AppError> {
    let rows = fetch_all!(tx, BalanceCells, OF_ORGANISATION, firm, allowance.as_str(), on)?;
    Ok(rows.into_iter().map(balance).collect())
}

fn balance((benefit, item, product, plan_name, granted, left, ends_on): BalanceCells) -> Balance {
    let until = ends_on.pred_opt().unwrap_or(ends_on);
    Balance { benefit, item, product, plan_name, granted, left, until }
}

const RESERVE: &str = "update benefit set available = available - $2, reserved = reserved + $2 \
    where id = $1 and available >= $2 and ends_on > $3";
const SPEND: &str = "update benefit set reserved = reserved - $2, used = used + $2 where id = $1";
const RELEASE: &str = "update benefit set reserved = reserved - $2, available = available + $2 where id = $1";
const RESTORE: &str = "update benefit set used = used - $2, available = available + $2 where id = $1";
const ENTER: &str = "insert into benefit_entry (id, benefit_id, at, kind, units, entity, entity_id) \
    values ($1, $2, $3, $4, $5, $6, $7)";
const SETTLE: &str = "update benefit_entry set settled_as = $3 \
    where entity = $1 and entity_id = $2 and kind = 'reserve' and settled_as is null returning benefit_id, units";

/// Holds `units` of a benefit for a booking.
///
/// # Errors
/// [`Refusal::NothingLeft`] where fewer are available, or the benefit is over.
pub async fn reserve(
    tx: &mut Tx,
    benefit: BenefitId,
    units: i64,
    reference: Reference<'_>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    // Zones lie up to 14 hours apart: whoever is still on the last day may reserve.
    let day = now.date_naive().checked_sub_days(Days::new(1)).unwrap_or_default();
    if units < 1 || execute!(tx, RESERVE, benefit, units, day)? == 0 {
        return Err(Refusal::NothingLeft.into());
    }
    enter(tx, benefit, "reserve", units, reference, now).await
}

/// Turns what the reference had reserved into used units. Does nothing where it had reserved nothing, or it was settled.
pub async fn spend(tx: &mut Tx, reference: Reference<'_>, now: DateTime<Utc>) -> Result<(), AppError> {
    settle(tx, reference, "used", SPEND, "use", now).await
}

/// Gives back what the reference had reserved. Does nothing where it had reserved nothing, or it was settled.
pub async fn release(tx: &mut Tx, reference: Reference<'_>, now: DateTime<Utc>) -> Result<(), AppError> {
    settle(tx, reference, "released", RELEASE, "release", now).await
}

const UNSETTLE: &str = "update benefit_entry set settled_as = 'released' where benefit_id = $1 and entity = $2 \
    and entity_id = $3 and kind = 'reserve' and settled_as = 'used' returning units";

/// Brings back what the reference had used of a benefit, because what it was used for does not take place; says whether
/// there was anything.
pub async fn restore(
    tx: &mut Tx,
    benefit: BenefitId,
    reference: Reference<'_>,
    now: DateTime<Utc>,
) -> Result<bool, AppError> {
    let used = fetch_all!(tx, (i64,), UNSETTLE, benefit, reference.entity, reference.id)?;
    for (units,) in &used {
        execute!(tx, RESTORE, benefit, *units)?;
        enter(tx, benefit, "restore", *units, reference, now).await?;
    }
    Ok(!used.is_empty())
}

const HELD: &str = "select count(*) from benefit_entry \
    where entity = $1 and entity_id = $2 and kind = 'reserve' and settled_as is null";

/// Whether the reference holds anything that is not settled.
pub async fn is_held(tx: &mut Tx, reference: Reference<'_>) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, i64, HELD, reference.entity, reference.id)?.unwrap_or(0) > 0)
}

const CARRY_OVER: &str = "update benefit_entry set entity_id = $3 \
    where entity = $1 and entity_id = $2 and kind = 'reserve' and settled_as is null";

/// What the reference had reserved is reserved for another thing of its kind: no unit moves.
pub async fn carry_over(tx: &mut Tx, from: Reference<'_>, to: Reference<'_>) -> Result<(), AppError> {
    execute!(tx, CARRY_OVER, from.entity, from.id, to.id)?;
    Ok(())
}

async fn settle(
    tx: &mut Tx,
    reference: Reference<'_>,
    settled_as: &'static str,
    statement: &'static str,
    kind: &'static str,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let held = fetch_all!(tx, (BenefitId, i64), SETTLE, reference.entity, reference.id, settled_as)?;
    for (benefit, units) in held {
        execute!(tx, statement, benefit, units)?;
        enter(tx, benefit, kind, units, reference, now).await?;
    }
    Ok(())
}

async fn enter(
    tx: &mut Tx,
    benefit: BenefitId,
    kind: &'static str,
    units: i64,
    reference: Reference<'_>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let id: BenefitEntryId = fresh();
    execute!(tx, ENTER, id, benefit, now, kind, units, reference.entity, reference.id)?;
    Ok(())
}

const OVER: &str = "select id, available from benefit where ends_on <= $1 and available > 0 order by ends_on limit 500";
const EXPIRE: &str = "update benefit set available = available - $2, expired = expired + $2 \
    where id = $1 and available >= $2 and ends_on <= $3";
const ENTER_EXPIRED: &str =
    "insert into benefit_entry (id, benefit_id, at, kind, units) values ($1, $2, $3, 'expire', $4)";

/// Ends what was not used in its period, up to a batch; gives how many benefits that were.
pub async fn expire(tx: &mut Tx, today: NaiveDate, now: DateTime<Utc>) -> Result<usize, AppError> {
    let over = fetch_all!(tx, (BenefitId, i64), OVER, today)?;
    for (benefit, units) in &over {
        if execute!(tx, EXPIRE, *benefit, *units, today)? == 1 {
            let id: BenefitEntryId = fresh();
            execute!(tx, ENTER_EXPIRED, id, *benefit, now, *units)?;
        }
    }
    Ok(over.len())
}

/// A benefit of one item as its page shows it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct BenefitRow {
    pub id: BenefitId,
    pub item_id: ItemId,
    pub allowance: String,
    pub plan_name: String,
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    pub granted: i64,
    pub available: i64,
    pub reserved: i64,
    pub used: i64,
    pub expired: i64,
}

impl BenefitRow {
    pub fn allowance(&self) -> Allowance {
        self.allowance.parse().unwrap_or(Allowance::Repair)
    }

    pub fn units(&self) -> Units {
        Units {
            granted: self.granted,
            available: self.available,
            reserved: self.reserved,
            used: self.used,
            expired: self.expired,
        }
    }
}

/// One entry as its page shows it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EntryRow {
    pub benefit_id: BenefitId,
    pub at: DateTime<Utc>,
    pub kind: String,
    pub units: i64,
    pub entity: Option<String>,
    pub entity_id: Option<uuid::Uuid>,
}

const OF_ITEM: &str = "select id, item_id, allowance, plan_name, starts_on, ends_on, granted, available, reserved, used, \
    expired from benefit where item_id = $1 order by ends_on, allowance desc, id";
const OF_PIECES: &str = "select b.id, b.item_id, b.allowance, b.plan_name, b.starts_on, b.ends_on, b.granted, b.available, \
    b.reserved, b.used, b.expired from item i join benefit b on b.item_id = i.id \
    where i.purchase_id = $1 and i.position > $2 and i.position <= $3 order by b.ends_on, b.allowance desc, b.id";
const ENTRIES: &str = "select benefit_id, at, kind, units, entity, entity_id from ( \
    select e.benefit_id, e.at, e.id, e.kind, e.units, e.entity, e.entity_id, \
    row_number() over (partition by e.benefit_id order by e.at, e.id) as place \
    from item i join benefit b on b.item_id = i.id join benefit_entry e on e.benefit_id = b.id \
    where i.purchase_id = $1 and i.position > $2 and i.position <= $3) as entries where place <= 200 order by at, id";

/// The benefits of an item.
pub async fn of_item(tx: &mut Tx, item: ItemId) -> Result<Vec<BenefitRow>, AppError> {
    Ok(fetch_all!(tx, BenefitRow, OF_ITEM, item)?)
}

/// The benefits of the pieces of a purchase after one position and up to another, with their entries, oldest first.
pub async fn of_pieces(
    tx: &mut Tx,
    purchase: PurchaseId,
    after: i64,
    until: i64,
) -> Result<(Vec<BenefitRow>, Vec<EntryRow>), AppError> {
    let benefits = fetch_all!(tx, BenefitRow, OF_PIECES, purchase, after, until)?;
    let entries =
        if benefits.is_empty() { Vec::new() } else { fetch_all!(tx, EntryRow, ENTRIES, purchase, after, until)? };
    Ok((benefits, entries))
}
