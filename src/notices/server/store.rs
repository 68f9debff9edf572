//! Messages in the database.

use crate::{
    calendar::server::ics::Method,
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
    /// It arrives by day alone, however late it leaves.
    pub by_day: bool,
}

/// The letters whose very words let somebody in: no page shows them, and they are forgotten once they have left.
macro_rules! secret_letters {
    () => {
        "('sign_in', 'registration_code')"
    };
}
pub(crate) use secret_letters;

const INSERT: &str = "insert into message (id, person_id, email, channel, letter, language, subject, body, link, dedupe_key, created_at, send_after, by_day) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (dedupe_key) do nothing";
const BY_ID: &str = "select id, person_id, email, letter, language, subject, body, link, created_at, send_after, sent_at, read_at, by_day \
    from message where id = $1";
const LATEST: &str = "select id, person_id, email, letter, language, subject, body, link, created_at, send_after, sent_at, read_at, by_day \
    from message where (created_at, id) < ($1, $2) order by created_at desc, id desc limit $3";
const INBOX: &str = concat!(
    "select id, person_id, email, letter, language, subject, body, link, created_at, send_after, sent_at, read_at, by_day \
    from message where person_id = $1 and letter <> 'class_session' and letter not in ",
    secret_letters!(),
    " and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"
);
const TO_READ: &str = concat!(
    "select id, person_id, email, letter, language, subject, body, link, created_at, send_after, sent_at, read_at, by_day \
    from message where id = $1 and letter not in ",
    secret_letters!()
);
const SENT: &str = "update message set sent_at = $2 where id = $1 and sent_at is null";
const FORGET: &str = concat!(
    "update message set subject = '', body = '', link = null where id = $1 and sent_at is not null and letter in ",
    secret_letters!()
);
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
        row.send_after,
        row.by_day
    )?;
    Ok(added == 1)
}

pub async fn by_id(tx: &mut Tx, id: MessageId) -> Result<Option<MessageRow>, AppError> {
    Ok(fetch_optional!(tx, MessageRow, BY_ID, id)?)
}

/// A letter that its reader may open in the portal.
pub async fn to_read(tx: &mut Tx, id: MessageId) -> Result<Option<MessageRow>, AppError> {
    Ok(fetch_optional!(tx, MessageRow, TO_READ, id)?)
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

/// Of a secret that has left nothing stays but that it did.
pub async fn forget_secret(tx: &mut Tx, id: MessageId) -> Result<(), AppError> {
    execute!(tx, FORGET, id)?;
    Ok(())
}

pub async fn mark_read(tx: &mut Tx, id: MessageId, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, READ, id, now)?;
    Ok(())
}

/// The calendar part of a letter.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CalendarRow {
    pub message_id: MessageId,
    /// The identity of the appointment in one person's calendar.
    pub thread: String,
    /// The place in the thread, from 1.
    pub number: i64,
    #[sqlx(try_from = "String")]
    pub method: Method,
    pub sequence: i64,
    pub body: String,
}

const INSERT_CALENDAR: &str = "insert into message_calendar (message_id, thread, number, method, sequence, body) \
    values ($1, $2, $3, $4, $5, $6) on conflict (thread, number) do nothing";
const CALENDAR: &str =
    "select message_id, thread, number, method, sequence, body from message_calendar where message_id = $1";
const LAST_OF_THREAD: &str = "select message_id, thread, number, method, sequence, body from message_calendar \
    where thread = $1 order by number desc limit 1";
const UNSENT: &str = "select m.id, m.send_after from message_calendar c join message m on m.id = c.message_id \
    where c.thread = $1 and c.number <= $2 and m.sent_at is null order by c.number";
const LEASE: &str = "update message_calendar set leased_until = $2 where message_id = $1 \
    and (leased_until is null or leased_until < $3) \
    and exists (select 1 from message m where m.id = message_calendar.message_id and m.sent_at is null)";
const END_LEASE: &str = "update message_calendar set leased_until = null where message_id = $1";

/// Keeps the calendar part of a letter; false where somebody else has just taken its place in the thread.
pub async fn insert_calendar(tx: &mut Tx, row: &CalendarRow) -> Result<bool, AppError> {
    let CalendarRow { message_id, thread, number, method, sequence, body } = row;
    let rows = execute!(tx, INSERT_CALENDAR, *message_id, thread, *number, method.as_str(), *sequence, body)?;
    Ok(rows == 1)
}

pub async fn calendar(tx: &mut Tx, id: MessageId) -> Result<Option<CalendarRow>, AppError> {
    Ok(fetch_optional!(tx, CalendarRow, CALENDAR, id)?)
}

/// What the reader's calendar was told last about an appointment.
pub async fn last_of_thread(tx: &mut Tx, thread: &str) -> Result<Option<CalendarRow>, AppError> {
    Ok(fetch_optional!(tx, CalendarRow, LAST_OF_THREAD, thread)?)
}

/// The letters of a thread that did not leave yet, up to a place in it, with the time from which they may.
pub async fn unsent(tx: &mut Tx, thread: &str, number: i64) -> Result<Vec<(MessageId, DateTime<Utc>)>, AppError> {
    Ok(fetch_all!(tx, (MessageId, DateTime<Utc>), UNSENT, thread, number)?)
}

/// Takes the sending of a letter on; false where another worker has it, or it left.
pub async fn lease(tx: &mut Tx, id: MessageId, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<bool, AppError> {
    Ok(execute!(tx, LEASE, id, until, now)? == 1)
}

pub async fn end_lease(tx: &mut Tx, id: MessageId) -> Result<(), AppError> {
    execute!(tx, END_LEASE, id)?;
    Ok(())
}
