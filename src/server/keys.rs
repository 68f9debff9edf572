//! The same form sent twice has one effect and one answer: forms that create carry a hidden key.

use super::{clock::real_now, secret};
use crate::{
    db::Tx,
    error::{AppError, Fault, Faults},
    execute, fetch_optional,
};
use uuid::Uuid;

const SEEN: &str = "select digest, answer from answered_key where scope = $1 and key = $2";
const REMEMBER: &str = "insert into answered_key (scope, key, digest, answer, created_at) values ($1, $2, $3, $4, $5)";

/// What this key was answered before, if it was. `scope` names the act and the person, `body` is what was sent.
///
/// # Errors
/// [`AppError::Invalid`] where the same key comes with something else.
pub async fn seen(tx: &mut Tx, scope: &str, key: Option<Uuid>, body: &str) -> Result<Option<String>, AppError> {
    if let Some(key) = key {
        tx.lock(&[crate::db::Key::of("answered_key", key)]).await?;
    }
    known(tx, scope, key, body).await
}

/// As [`seen`], where the caller holds what `scope` names: nobody else can answer the key meanwhile.
pub async fn known(tx: &mut Tx, scope: &str, key: Option<Uuid>, body: &str) -> Result<Option<String>, AppError> {
    let Some(key) = key else { return Ok(None) };
    match fetch_optional!(tx, (String, String), SEEN, scope, key)? {
        None => Ok(None),
        Some((digest, answer)) if digest == secret::hash(body) => Ok(Some(answer)),
        Some(_) => Err(Faults::only("key", Fault::AlreadyUsed)),
    }
}

/// Keeps the answer, in the transaction that has the effect.
pub async fn remember(tx: &mut Tx, scope: &str, key: Option<Uuid>, body: &str, answer: &str) -> Result<(), AppError> {
    if let Some(key) = key {
        execute!(tx, REMEMBER, scope, key, secret::hash(body), answer, real_now())?;
    }
    Ok(())
}
