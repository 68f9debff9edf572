//! Reading and writing charges.

use crate::{
    access::{Permit, Scope},
    charges::domain::{ChargeState, Earlier, NewCharge, Refund},
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    server::fresh,
    values::{ChargeId, Currency, Cursor, Money, OrganisationId, PAGE_ROWS, PersonId, Rows},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A charge as lists show it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct ChargeRow {
    pub id: ChargeId,
    pub person_id: PersonId,
    pub person_name: String,
    pub organisation_id: Option<OrganisationId>,
    pub amount_minor: i64,
    pub amount_currency: Currency,
    pub reason: String,
    /// Which class or repair it is for, in its own words; a repair's number as `Rma` shows it.
    pub about: Option<String>,
    pub entity: String,
    pub entity_id: Uuid,
    pub consent_at: DateTime<Utc>,
    pub state: String,
    pub created_at: DateTime<Utc>,
    pub settled_at: Option<DateTime<Utc>>,
    pub refund_since: Option<DateTime<Utc>>,
    pub refund_paid_at: Option<DateTime<Utc>>,
}

impl ChargeRow {
    pub fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.amount_currency)
    }

    pub fn state(&self) -> ChargeState {
        self.state.parse().unwrap_or(ChargeState::Due)
    }

    /// What became of the money where it was paid for something that does not happen.
    pub fn refund(&self) -> Option<Refund> {
        self.refund_since.map(|since| Refund { since, paid_at: self.refund_paid_at })
    }
}

macro_rules! select_charge {
    ($rest:literal) => {
        concat!(
            "select c.id, c.person_id, p.name as person_name, c.organisation_id, c.amount_minor, c.amount_currency, c.reason, \
             case c.entity \
                 when 'repair' then (select r.item_name || ' · RMA-' || substr(r.rma, 1, 4) || '-' || substr(r.rma, 5) from repair r where r.id = c.entity_id) \
                 when 'quote' then (select r.item_name || ' · RMA-' || substr(r.rma, 1, 4) || '-' || substr(r.rma, 5) from quote q join repair r on r.id = q.repair_id where q.id = c.entity_id) \
                 when 'enrolment' then coalesce( \
                     (select k.title from enrolment e join class k on k.id = e.class_id where e.id = c.entity_id), \
                     (select k.title from unnamed_seat u join class k on k.id = u.class_id where u.id = c.entity_id)) \
             end as about, c.entity, c.entity_id, c.consent_at, c.state, c.created_at, c.settled_at, b.created_at as refund_since, \
             b.paid_at as refund_paid_at from charge c join person p on p.id = c.person_id \
             left join refund b on b.charge_id = c.id ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct EarlierRow {
    id: ChargeId,
    amount_minor: i64,
    amount_currency: Currency,
    state: String,
    reversed: bool,
    refund_since: Option<DateTime<Utc>>,
    refund_paid_at: Option<DateTime<Utc>>,
}

const EARLIER: &str = "select c.id, c.amount_minor, c.amount_currency, c.state, c.reversed_at is not null as reversed, \
    b.created_at as refund_since, b.paid_at as refund_paid_at from charge c left join refund b on b.charge_id = c.id \
    where c.entity = $1 and c.entity_id = $2 and c.reason = $3 and (c.person_id = $4 or c.organisation_id = $5) \
    and c.state <> 'void' \
    order by c.created_at desc, c.id desc";

/// What the same person was charged for the same thing before, or anybody on behalf of the same firm, the latest first.
pub async fn earlier(tx: &mut Tx, charge: &NewCharge) -> Result<Vec<(ChargeId, Earlier)>, AppError> {
    let (person, firm) = (charge.person, charge.organisation);
    let rows = fetch_all!(tx, EarlierRow, EARLIER, charge.entity, charge.entity_id, charge.reason, person, firm)?;
    let read = |row: EarlierRow| {
        let earlier = Earlier {
            state: row.state.parse().unwrap_or(ChargeState::Due),
            amount: Money::new(row.amount_minor, row.amount_currency),
            reversed: row.reversed,
            refund: row.refund_since.map(|since| Refund { since, paid_at: row.refund_paid_at }),
        };
        (row.id, earlier)
    };
    Ok(rows.into_iter().map(read).collect())
}

const WITHDRAW_REFUND: &str = "delete from refund where charge_id = $1 and paid_at is null";
const REVIVE: &str = "update charge set reversed_at = null where id = $1";

/// What was to be paid back pays for its thing again; false where it was paid back meanwhile.
pub async fn revive(tx: &mut Tx, id: ChargeId) -> Result<bool, AppError> {
    if execute!(tx, WITHDRAW_REFUND, id)? == 0 {
        return Ok(false);
    }
    execute!(tx, REVIVE, id)?;
    Ok(true)
}

const REPLACE: &str = "update charge set state = 'void', settled_at = $2 where id = $1 and state = 'due'";

/// Another charge takes the place of one that is due.
pub async fn replace(tx: &mut Tx, id: ChargeId, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, REPLACE, id, now)?;
    Ok(())
}

const ADD: &str = "insert into charge (id, person_id, organisation_id, amount_minor, amount_currency, reason, entity, \
    entity_id, consent_at, state, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'due', $10) \
    on conflict do nothing";
const THERE: &str = "select id from charge where entity = $1 and entity_id = $2 and reason = $3 and state <> 'void' \
    and reversed_at is null";

/// Adds a charge; the same reason for the same thing stands once, and asking again gives the one that is there.
pub async fn add(tx: &mut Tx, charge: &NewCharge, now: DateTime<Utc>) -> Result<ChargeId, AppError> {
    let id: ChargeId = fresh();
    let added = execute!(
        tx,
        ADD,
        id,
        charge.person,
        charge.organisation,
        charge.amount.minor,
        charge.amount.currency,
        charge.reason,
        charge.entity,
        charge.entity_id,
        charge.consent_at,
        now
    )?;
    if added == 1 {
        return Ok(id);
    }
    let there = fetch_scalar!(tx, ChargeId, THERE, charge.entity, charge.entity_id, charge.reason)?;
    there.ok_or_else(|| crate::server::internal("a charge vanished", &charge.entity_id))
}

const VOID: &str = "update charge set state = 'void', settled_at = $3 \
    where entity = $1 and entity_id = $2 and state = 'due'";

/// Voids what is still due for a thing that does not happen.
pub async fn void(tx: &mut Tx, entity: &str, entity_id: Uuid, now: DateTime<Utc>) -> Result<u64, AppError> {
    Ok(execute!(tx, VOID, entity, entity_id, now)?)
}

const OWED: &str = "select count(*) from charge c where c.entity = $1 and c.entity_id = $2 and (c.state = 'due' \
    or (c.state = 'paid' and not exists (select 1 from refund r where r.charge_id = c.id)))";

/// Whether it is due for a thing, or was paid for good.
pub async fn is_owed(tx: &mut Tx, entity: &str, entity_id: Uuid) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, i64, OWED, entity, entity_id)?.unwrap_or(0) > 0)
}

const OPEN_REFUND: &str = "insert into refund (charge_id, created_at) select c.id, $3 from charge c \
    where c.entity = $1 and c.entity_id = $2 and c.state = 'paid' on conflict do nothing";

/// What was paid for it already is to be paid back, once.
pub async fn open_refund(tx: &mut Tx, entity: &str, entity_id: Uuid, now: DateTime<Utc>) -> Result<u64, AppError> {
    Ok(execute!(tx, OPEN_REFUND, entity, entity_id, now)?)
}

const REVERSE: &str = "update charge set reversed_at = $3 where entity = $1 and entity_id = $2 \
    and state in ('paid', 'waived') and reversed_at is null";

/// What was settled for it stands for nothing any more.
pub async fn reverse(tx: &mut Tx, entity: &str, entity_id: Uuid, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, REVERSE, entity, entity_id, now)?;
    Ok(())
}

const PAY_BACK: &str = "update refund set paid_at = $2, paid_by = $3 where charge_id = $1 and paid_at is null";

/// Writes down that it was paid back; false where that was done before.
pub async fn pay_back(
    tx: &mut Tx,
    _: &Permit,
    id: ChargeId,
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<bool, AppError> {
    Ok(execute!(tx, PAY_BACK, id, now, by)? == 1)
}

const CARRY_OVER: &str = "update charge set entity_id = $3 where entity = $1 and entity_id = $2 and state <> 'void'";

/// What is or was owed for one thing belongs to another now.
pub async fn carry_over(tx: &mut Tx, entity: &str, from: Uuid, to: Uuid) -> Result<(), AppError> {
    execute!(tx, CARRY_OVER, entity, from, to)?;
    Ok(())
}

const SETTLE: &str = "update charge set state = $2, settled_at = $3, settled_by = $4 where id = $1 and state = 'due'";

/// Settles a charge if it is still due; false where it was not.
pub async fn settle(
    tx: &mut Tx,
    _: &Permit,
    id: ChargeId,
    outcome: ChargeState,
    by: Option<PersonId>,
    now: DateTime<Utc>,
) -> Result<bool, AppError> {
    Ok(execute!(tx, SETTLE, id, outcome.as_str(), now, by)? == 1)
}

const ONE: &str = select_charge!("where c.id = $1");

/// A charge.
pub async fn charge(tx: &mut Tx, id: ChargeId) -> Result<Option<ChargeRow>, AppError> {
    Ok(fetch_optional!(tx, ChargeRow, ONE, id)?)
}

const OF_VIEWER: &str = select_charge!(
    "where (c.person_id = $1 or c.organisation_id in \
    (select organisation_id from membership where person_id = $1 and role = 'owner')) \
    and (c.created_at < $2 or (c.created_at = $2 and c.id < $3)) \
    order by c.created_at desc, c.id desc limit $4"
);
const DUE: &str = select_charge!(
    "where c.state = 'due' and (c.created_at < $1 or (c.created_at = $1 and c.id < $2)) \
    order by c.created_at desc, c.id desc limit $3"
);
const SETTLED: &str = select_charge!(
    "where c.state <> 'due' and (c.created_at < $1 or (c.created_at = $1 and c.id < $2)) \
    order by c.created_at desc, c.id desc limit $3"
);

const TO_PAY_BACK: &str = select_charge!(
    "where b.paid_at is null and (b.created_at > $1 or (b.created_at = $1 and c.id > $2)) \
    order by b.created_at, c.id limit $3"
);

/// Where a list by time begins that has no cursor.
fn start(cursor: Option<&Cursor>) -> (DateTime<Utc>, Uuid) {
    let far = DateTime::<Utc>::from_timestamp(32_000_000_000, 0).unwrap_or_default();
    let read = cursor.and_then(|cursor| {
        let micros = cursor.key.parse().ok()?;
        Some((DateTime::from_timestamp_micros(micros)?, cursor.id))
    });
    read.unwrap_or((far, Uuid::max()))
}

fn cut(rows: Vec<ChargeRow>) -> Rows<ChargeRow> {
    Rows::cut(rows, |row| Cursor { key: row.created_at.timestamp_micros().to_string(), id: row.id.0 })
}

/// What a viewer owes, and their firms; newest first.
pub async fn of_viewer(tx: &mut Tx, scope: &Scope, cursor: Option<&Cursor>) -> Result<Rows<ChargeRow>, AppError> {
    let Scope::Own { person, .. } = scope else { return Ok(cut(Vec::new())) };
    let (at, id) = start(cursor);
    Ok(cut(fetch_all!(tx, ChargeRow, OF_VIEWER, *person, at, id, PAGE_ROWS)?))
}

/// Which charges the desk looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    Due,
    /// Paid for something that does not happen, and not paid back yet.
    ToPayBack,
    Settled,
}

/// Everything that is due or was settled, newest first; what is to be paid back, oldest first.
pub async fn listed(
    tx: &mut Tx,
    _: &Permit,
    which: Which,
    cursor: Option<&Cursor>,
) -> Result<Rows<ChargeRow>, AppError> {
    let (at, id) = start(cursor);
    let statement = match which {
        Which::Due => DUE,
        Which::Settled => SETTLED,
        Which::ToPayBack => return to_pay_back(tx, cursor).await,
    };
    Ok(cut(fetch_all!(tx, ChargeRow, statement, at, id, PAGE_ROWS)?))
}

async fn to_pay_back(tx: &mut Tx, cursor: Option<&Cursor>) -> Result<Rows<ChargeRow>, AppError> {
    let (at, id) = cursor.map_or((DateTime::UNIX_EPOCH, Uuid::nil()), |cursor| start(Some(cursor)));
    let rows = fetch_all!(tx, ChargeRow, TO_PAY_BACK, at, id, PAGE_ROWS)?;
    let since = |row: &ChargeRow| row.refund_since.unwrap_or(row.created_at).timestamp_micros().to_string();
    Ok(Rows::cut(rows, |row| Cursor { key: since(row), id: row.id.0 }))
}

const OF_PERSON: &str = select_charge!(
    "where c.person_id = $1 \
    order by c.created_at desc, c.id desc limit 10"
);

/// The latest charges of a customer.
pub async fn of_person(tx: &mut Tx, person: PersonId) -> Result<Vec<ChargeRow>, AppError> {
    Ok(fetch_all!(tx, ChargeRow, OF_PERSON, person)?)
}
