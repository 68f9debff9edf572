//! What somebody holds for a firm. It is the firm's: it stays there when they leave.

use crate::{
    access::Permit,
    db::Tx,
    error::AppError,
    execute, fetch_all,
    values::{ItemId, OrganisationId, PersonId},
};
use chrono::{DateTime, Utc};

const HELD: &str = "select id from item where owner_id = $1 and organisation_id = $2 order by id";

/// The pieces that somebody has for a firm.
pub async fn held(tx: &mut Tx, firm: OrganisationId, person: PersonId) -> Result<Vec<ItemId>, AppError> {
    Ok(fetch_all!(tx, (ItemId,), HELD, person, firm)?.into_iter().map(|(id,)| id).collect())
}

const OFFERED: &str = "select i.id from hand_over h join item i on i.id = h.item_id \
    where h.from_id = $1 and h.state = 'open' and i.organisation_id = $2 order by i.id";

/// The pieces of a firm that somebody has offered to give away.
pub async fn offered(tx: &mut Tx, firm: OrganisationId, person: PersonId) -> Result<Vec<ItemId>, AppError> {
    Ok(fetch_all!(tx, (ItemId,), OFFERED, person, firm)?.into_iter().map(|(id,)| id).collect())
}

/// How much went from one to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passed {
    pub items: u64,
    pub benefits: u64,
    pub purchases: u64,
}

// What they were given by its number they have no more: see [`super::register::store::hand_on`].
const END_ACCEPTED: &str = "update registration set ended_at = $3 where person_id = $1 and state = 'accepted' \
    and ended_at is null and item_id in (select id from item where owner_id = $1 and organisation_id = $2)";
const PASS_ITEMS: &str = "update item set owner_id = $3 where owner_id = $1 and organisation_id = $2";
const PASS_BENEFITS: &str = "update benefit set person_id = $3 where person_id = $1 and organisation_id = $2";
// By it an import knows whose the pieces are.
const PASS_PURCHASES: &str = "update purchase set person_id = $3 where person_id = $1 and organisation_id = $2";

/// Passes what somebody holds for a firm to somebody else of it. The caller holds both the pieces and the person.
pub async fn pass(
    tx: &mut Tx,
    _: &Permit,
    firm: OrganisationId,
    from: PersonId,
    to: PersonId,
    now: DateTime<Utc>,
) -> Result<Passed, AppError> {
    execute!(tx, END_ACCEPTED, from, firm, now)?;
    Ok(Passed {
        items: execute!(tx, PASS_ITEMS, from, firm, to)?,
        benefits: execute!(tx, PASS_BENEFITS, from, firm, to)?,
        purchases: execute!(tx, PASS_PURCHASES, from, firm, to)?,
    })
}
