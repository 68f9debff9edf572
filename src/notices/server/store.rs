//! Messages in the database.

use crate::{
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional,
    values::{Cursor, MessageId, PAGE_ROWS, PersonId, Rows},
};
use chrono::{DateTime, Utc};

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MessageRow {
    pub id: MessageId,
    pub person_id: Option<PersonId>,
    pub email: String,
    pub letter: String,
    pub language: String,
    pub subject: String,
    pub body: String,
    pub link: Option<String>,
    pub created_at: DateTime<Utc>,
    pub send_after: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub read_at: Option<DateTime<Utc>>,
}

const INSERT: &str = "insert into message (id, person_id, email, channel, letter, language, subject, body, link, dedupe_key, created_at, send_after) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (dedupe_key) do nothing";
const BY_ID: &str = "select id, person_id, email, letter, language, subject, body, link, created_at, send_after, sent_at, read_at \
    from message where id = $1";
const LATEST: &str = "select id, person_id, email, letter, language, subject, body, link, created_at, send_after, sent_at, read_at \
    from message where (created_at, id) < ($1, $2) order by created_at desc, id desc limit $3";
const INBOX: &str = "select id, person_id, email, letter, language, subject, body, link, created_at, send_after, sent_at, read_at \
    from message where person_id = $1 and letter <> 'sign_in' and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4";
const SENT: &str = "update message set sent_at = $2 where id = $1 and sent_at is null";
const READ: &str = "update message set read_at = $2 where id = $1 and read_at is null";

pub async fn insert(tx: &mut Tx, row: &MessageRow, dedupe_key: &str) -> Result<bool, AppError> {
    let added = execute!(
        tx,
        INSERT,
        row.id,
        row.person_id,
        &row.email,
        "email",
        &row.letter,
        &row.language,
        &row.subject,
        &row.body,
        &row.link,
        dedupe_key,
        row.created_at,
        row.send_after
    )?;
    Ok(added == 1)
}

pub async fn by_id(tx: &mut Tx, id: MessageId) -> Result<Option<MessageRow>, AppError> {
    Ok(fetch_optional!(tx, MessageRow, BY_ID, id)?)
}

/// Where a newest-first list begins.
fn start(after: Option<&Cursor>) -> (DateTime<Utc>, uuid::Uuid) {
    after
        .and_then(|cursor| Some((cursor.key.parse::<i64>().ok().and_then(DateTime::from_timestamp_micros)?, cursor.id)))
        .unwrap_or((DateTime::from_timestamp(253_402_300_799, 0).unwrap_or_default(), uuid::Uuid::max()))
}

fn page(rows: Vec<MessageRow>) -> Rows<MessageRow> {
    Rows::cut(rows, |row| Cursor { key: row.created_at.timestamp_micros().to_string(), id: row.id.0 })
}

pub async fn latest(tx: &mut Tx, after: Option<&Cursor>) -> Result<Rows<MessageRow>, AppError> {
    let (at, id) = start(after);
    Ok(page(fetch_all!(tx, MessageRow, LATEST, at, id, PAGE_ROWS)?))
}

pub async fn inbox(tx: &mut Tx, person: PersonId, after: Option<&Cursor>) -> Result<Rows<MessageRow>, AppError> {
    let (at, id) = start(after);
    Ok(page(fetch_all!(tx, MessageRow, INBOX, person, at, id, PAGE_ROWS)?))
}

pub async fn mark_sent(tx: &mut Tx, id: MessageId, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, SENT, id, now)?;
    Ok(())
}

pub async fn mark_read(tx: &mut Tx, id: MessageId, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, READ, id, now)?;
    Ok(())
}
