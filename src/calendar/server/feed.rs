//! The secret address of a person's own calendar. It is shown to its owner again and again, so it is not stored as a
//! hash but made anew each time: from the installation's key and a serial that changes when the owner replaces it.
//! Whoever reads the database learns no address.

use crate::{
    access::Permit,
    db::Tx,
    error::AppError,
    execute, fetch_scalar,
    server::{Cx, secret},
    values::PersonId,
};

const READ: &str = "select serial from calendar_feed where person_id = $1";
const WRITE: &str = "insert into calendar_feed (person_id, serial, token_hash, created_at) values ($1, $2, $3, $4) \
    on conflict (person_id) do update set serial = excluded.serial, token_hash = excluded.token_hash, created_at = excluded.created_at";
const REMOVE: &str = "delete from calendar_feed where person_id = $1";
const OWNER: &str = "select person_id from calendar_feed where token_hash = $1";

/// The path of the person's feed, if there is one.
pub async fn address(tx: &mut Tx, cx: &Cx, person: PersonId) -> Result<Option<String>, AppError> {
    let serial = fetch_scalar!(tx, String, READ, person)?;
    Ok(serial.map(|serial| path(&token(cx, person, &serial))))
}

/// Makes the address, or replaces it: the old one finds nobody any more.
pub async fn replace(tx: &mut Tx, cx: &Cx, _: &Permit, person: PersonId) -> Result<(), AppError> {
    let serial = secret::token();
    let token = token(cx, person, &serial);
    execute!(tx, WRITE, person, serial, secret::hash(&token), cx.now)?;
    Ok(())
}

/// Switches the feed off.
pub async fn revoke(tx: &mut Tx, _: &Permit, person: PersonId) -> Result<(), AppError> {
    execute!(tx, REMOVE, person)?;
    Ok(())
}

/// Whose feed the token opens.
pub async fn owner(tx: &mut Tx, token: &str) -> Result<Option<PersonId>, AppError> {
    Ok(fetch_scalar!(tx, PersonId, OWNER, secret::hash(token))?)
}

fn token(cx: &Cx, person: PersonId, serial: &str) -> String {
    cx.app.secret.tag("calendar", &format!("{person}.{serial}"))
}

fn path(token: &str) -> String {
    format!("/calendar/{token}.ics")
}
