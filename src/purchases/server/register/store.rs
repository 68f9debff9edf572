//! Registrations in the database.

use crate::{
    access::Permit,
    db::{Key, Tx},
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    purchases::{
        domain::{RegistrationState, nothing_under_way},
        server::hand_over::{end_old, under_way},
    },
    values::{ClaimId, Cursor, EmailAddress, ItemId, PAGE_ROWS, PersonId, Rows},
};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// A registration as it is stored.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct RegistrationRow {
    pub id: ClaimId,
    pub person_id: PersonId,
    pub order_number: Option<String>,
    pub email: Option<EmailAddress>,
    pub code_hash: Option<String>,
    pub code_until: Option<DateTime<Utc>>,
    pub tries: i64,
    pub serial_number: Option<String>,
    pub serial_key: Option<String>,
    pub state: String,
    pub why: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl RegistrationRow {
    pub fn state(&self) -> RegistrationState {
        self.state.parse().unwrap_or(RegistrationState::Expired)
    }
}

const ONE: &str = "select id, person_id, order_number, email, code_hash, code_until, tries, serial_number, serial_key, \
    state, why, created_at from registration where id = $1";
const OF_PERSON: &str = "select id, person_id, order_number, email, code_hash, code_until, tries, serial_number, \
    serial_key, state, why, created_at from registration where person_id = $1 \
    order by created_at desc, id desc limit 10";

pub async fn registration(tx: &mut Tx, id: ClaimId) -> Result<Option<RegistrationRow>, AppError> {
    Ok(fetch_optional!(tx, RegistrationRow, ONE, id)?)
}

pub async fn of_person(tx: &mut Tx, person: PersonId) -> Result<Vec<RegistrationRow>, AppError> {
    Ok(fetch_all!(tx, RegistrationRow, OF_PERSON, person)?)
}

/// What somebody asks for by an order.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    pub number: &'a str,
    pub email: &'a EmailAddress,
    pub code_hash: &'a str,
    pub code_until: DateTime<Utc>,
}

const ADD_ORDER: &str = "insert into registration (id, person_id, way, order_number, email, code_hash, code_until, \
    tries, state, created_at) values ($1, $2, 'order', $3, $4, $5, $6, 0, $7, $8)";

pub async fn add_order(
    tx: &mut Tx,
    _: &Permit,
    id: ClaimId,
    person: PersonId,
    order: Order<'_>,
    state: RegistrationState,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(
        tx,
        ADD_ORDER,
        id,
        person,
        order.number,
        order.email.as_str(),
        order.code_hash,
        order.code_until,
        state.as_str(),
        now
    )?;
    Ok(())
}

/// What somebody asks for by a serial number.
#[derive(Clone, Copy)]
pub struct Serial<'a> {
    pub number: &'a str,
    pub key: &'a str,
    pub proof: Option<&'a str>,
}

const ADD_SERIAL: &str = "insert into registration (id, person_id, way, serial_number, serial_key, proof, tries, \
    state, created_at) values ($1, $2, 'serial', $3, $4, $5, 0, $6, $7) on conflict do nothing";
const ASKED_FOR: &str = "select id from registration where serial_key = $1 and state in ('open', 'accepted') limit 1";

/// Whether somebody asks for the number, or was given a piece by it. Two pieces may share a number, but staff look twice.
pub async fn asked_for(tx: &mut Tx, key: &str) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, ClaimId, ASKED_FOR, key)?.is_some())
}

/// Adds it; false where the number is somebody else's to ask for.
pub async fn add_serial(
    tx: &mut Tx,
    _: &Permit,
    id: ClaimId,
    person: PersonId,
    serial: Serial<'_>,
    state: RegistrationState,
    now: DateTime<Utc>,
) -> Result<bool, AppError> {
    let added = execute!(tx, ADD_SERIAL, id, person, serial.number, serial.key, serial.proof, state.as_str(), now)?;
    Ok(added == 1)
}

const WAITS: &str = "select r.id from registration r where r.person_id = $1 and r.serial_key = $2 \
    and (r.state in ('open', 'disputed') or (r.state = 'accepted' \
    and exists (select 1 from item i where i.id = r.item_id and i.owner_id = r.person_id))) limit 1";

/// Whether this person asks for this number already, or was given its piece and has it still.
pub async fn waits_already(tx: &mut Tx, person: PersonId, key: &str) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, ClaimId, WAITS, person, key)?.is_some())
}

const SET_STATE: &str = "update registration set state = $2 where id = $1";
const COUNT_TRY: &str = "update registration set tries = tries + 1 where id = $1";

pub async fn set_state(tx: &mut Tx, _: &Permit, id: ClaimId, state: RegistrationState) -> Result<(), AppError> {
    execute!(tx, SET_STATE, id, state.as_str())?;
    Ok(())
}

pub async fn count_try(tx: &mut Tx, id: ClaimId) -> Result<(), AppError> {
    execute!(tx, COUNT_TRY, id)?;
    Ok(())
}

// Only what still belongs to the person of the order's address comes over: what was handed on does not come back.
const MOVE_BENEFITS: &str = "update benefit set person_id = $3 where item_id in (select i.id from item i \
    join purchase p on p.id = i.purchase_id where p.order_number = $1 and p.buyer_email = $2 \
    and i.owner_id in (select id from person where email = $2))";
const MOVE_ITEMS: &str = "update item set owner_id = $3 where id in (select i.id from item i \
    join purchase p on p.id = i.purchase_id where p.order_number = $1 and p.buyer_email = $2 \
    and i.owner_id in (select id from person where email = $2))";
const MOVE_PURCHASES: &str = "update purchase set person_id = $3 where order_number = $1 and buyer_email = $2 \
    and person_id in (select id from person where email = $2)";

const ITEMS_TO_MOVE: &str = "select i.id, i.owner_id from item i join purchase p on p.id = i.purchase_id \
    where p.order_number = $1 and p.buyer_email = $2 and i.owner_id in (select id from person where email = $2)";

/// Brings an order over to whoever proved its address. Does the same whether there is such an order or not. The mark that
/// shops print before a number is typed by some and left out by others.
///
/// # Errors
/// What somebody has under way with a piece of it: that ends first, and nothing of the order comes over before.
pub async fn move_order(
    tx: &mut Tx,
    _: &Permit,
    number: &str,
    email: &EmailAddress,
    person: PersonId,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let bare = number.trim_start_matches('#');
    let numbers = [bare.to_owned(), format!("#{bare}")];
    let mut items = Vec::new();
    for number in &numbers {
        items.extend(fetch_all!(tx, (ItemId, PersonId), ITEMS_TO_MOVE, number, email.as_str())?);
    }
    let mut keys: Vec<Key> = items.iter().map(|(item, _)| Key::of("item", item.0)).collect();
    // Who has them books nothing more with them meanwhile.
    keys.extend(items.iter().map(|(_, owner)| Key::of("person", owner.0)));
    tx.lock(&keys).await?;
    for number in &numbers {
        for statement in [MOVE_BENEFITS, MOVE_ITEMS, MOVE_PURCHASES] {
            execute!(tx, statement, number, email.as_str(), person)?;
        }
    }
    for (item, owner) in items {
        end_accepted(tx, item, now).await?;
        // After its benefits are held by the move: what is booked with them in the same moment is seen.
        if owner != person {
            let (repairs, booked) = under_way(tx, item).await?;
            nothing_under_way(repairs, booked)?;
        }
        end_old(tx, item, now).await?;
    }
    Ok(())
}

/// A registration that staff have to decide, with what is known of the serial number.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct OpenRow {
    pub id: ClaimId,
    pub person_id: PersonId,
    pub person_name: String,
    /// Where they live, as far as the portal knows.
    pub country: Option<String>,
    pub serial_number: String,
    pub proof: Option<String>,
    pub state: String,
    pub created_at: DateTime<Utc>,
    /// What was sold with this number. It is several things where their makers number alike.
    #[sqlx(skip)]
    pub pieces: Vec<PieceRow>,
}

/// A piece that has the number that somebody asks for.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct PieceRow {
    pub registration_id: ClaimId,
    pub id: ItemId,
    pub product_name: String,
    pub owner_name: String,
    pub order_number: String,
    pub purchased_on: NaiveDate,
}

impl OpenRow {
    pub fn is_disputed(&self) -> bool {
        self.state == RegistrationState::Disputed.as_str()
    }
}

const OPEN: &str = "select r.id, r.person_id, a.name as person_name, a.country, r.serial_number, r.proof, r.state, r.created_at \
    from registration r join person a on a.id = r.person_id where r.state in ('open', 'disputed') and (r.created_at, r.id) > ($1, $2) order by r.created_at, r.id limit $3";

const PIECES: &str = "select r.id as registration_id, i.id, p.product_name, o.name as owner_name, p.order_number, \
    p.purchased_on from registration r join item i on i.serial_key = r.serial_key \
    join purchase p on p.id = i.purchase_id join person o on o.id = i.owner_id \
    where r.state in ('open', 'disputed') and (r.created_at, r.id) > ($1, $2) and (r.created_at, r.id) <= ($3, $4) \
    order by p.product_name, i.id limit 500";

/// What waits for a decision, the oldest first.
pub async fn open(tx: &mut Tx, _: &Permit, cursor: Option<&Cursor>) -> Result<Rows<OpenRow>, AppError> {
    let read = |cursor: &Cursor| Some((DateTime::from_timestamp_micros(cursor.key.parse().ok()?)?, cursor.id));
    let (at, id) = cursor.and_then(read).unwrap_or((DateTime::<Utc>::UNIX_EPOCH, Uuid::nil()));
    let mut rows = fetch_all!(tx, OpenRow, OPEN, at, id, PAGE_ROWS)?;
    if let Some((until, last)) = rows.last().map(|row| (row.created_at, row.id)) {
        for piece in fetch_all!(tx, PieceRow, PIECES, at, id, until, last)? {
            if let Some(row) = rows.iter_mut().find(|row| row.id == piece.registration_id) {
                row.pieces.push(piece);
            }
        }
    }
    Ok(Rows::cut(rows, |row| Cursor { key: row.created_at.timestamp_micros().to_string(), id: row.id.0 }))
}

const TAKEN: &str = "select id from registration where item_id = $1 and state = 'accepted' and ended_at is null \
    and id <> $2 limit 1";
const DISPUTE_OTHERS: &str = "update registration set state = 'disputed' \
    where serial_key = $1 and state = 'open' and id <> $2";
const DECIDE: &str = "update registration set state = $2, item_id = $3, decided_by = $4, why = $5, decided_at = $6 \
    where id = $1";
const ITEMS_WITH: &str = "select id from item where serial_key = $1 order by id";

/// Whether the piece was given to somebody by another registration, who has it still.
pub async fn taken(tx: &mut Tx, item: ItemId, but: ClaimId) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, ClaimId, TAKEN, item, but)?.is_some())
}

/// Whoever else asks for the number disputes it from now on.
pub async fn dispute_others(tx: &mut Tx, _: &Permit, key: &str, but: ClaimId) -> Result<(), AppError> {
    execute!(tx, DISPUTE_OTHERS, key, but)?;
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "one row of a table")]
pub async fn decide(
    tx: &mut Tx,
    _: &Permit,
    id: ClaimId,
    state: RegistrationState,
    item: Option<ItemId>,
    by: Option<PersonId>,
    why: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(tx, DECIDE, id, state.as_str(), item, by, why, now)?;
    Ok(())
}

/// The pieces with a serial number.
pub async fn items_with(tx: &mut Tx, key: &str) -> Result<Vec<ItemId>, AppError> {
    Ok(fetch_all!(tx, (ItemId,), ITEMS_WITH, key)?.into_iter().map(|(id,)| id).collect())
}

const HAND_ON: &str = "update item set owner_id = $2, organisation_id = null, transferred_at = $3 \
    where id = $1 and owner_id <> $2";
const HAND_ON_BENEFITS: &str = "update benefit set person_id = $2, organisation_id = null where item_id = $1";
const END_ACCEPTED: &str = "update registration set ended_at = $2 where item_id = $1 and state = 'accepted' \
    and ended_at is null and person_id <> (select i.owner_id from item i where i.id = $1)";

/// Gives a piece to whoever proved that it is theirs.
pub async fn hand_on(tx: &mut Tx, _: &Permit, item: ItemId, to: PersonId, now: DateTime<Utc>) -> Result<(), AppError> {
    if execute!(tx, HAND_ON, item, to, now)? == 1 {
        execute!(tx, HAND_ON_BENEFITS, item, to)?;
        end_accepted(tx, item, now).await?;
    }
    Ok(())
}

/// Ends that a piece was given to somebody by its number who has it no more: somebody else may be given it now.
async fn end_accepted(tx: &mut Tx, item: ItemId, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, END_ACCEPTED, item, now)?;
    Ok(())
}

/// Whoever a sale is written down for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct BuyerRow {
    pub email: EmailAddress,
    pub country: Option<String>,
}

const BUYER: &str = "select email, country from person where id = $1 and email is not null";

pub async fn buyer(tx: &mut Tx, person: PersonId) -> Result<Option<BuyerRow>, AppError> {
    Ok(fetch_optional!(tx, BuyerRow, BUYER, person)?)
}
