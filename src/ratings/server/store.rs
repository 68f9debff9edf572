//! What is kept of ratings: the question, its secret links as hashes, and the answer.

use crate::{
    access::Permit,
    cases::server::store::{after, cursor, the_end, word},
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    ratings::domain::{Measure, Moment, Request},
    server::secret,
    values::{CaseId, Cursor, FeedbackId, PersonId, Rows, page::PAGE},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A question as it is read.
#[derive(Clone, PartialEq, Debug)]
pub struct Feedback {
    pub id: FeedbackId,
    pub person: PersonId,
    pub person_name: String,
    pub moment: Moment,
    pub subject: Uuid,
    pub about: String,
    pub words: Option<String>,
    pub recovery: Option<CaseId>,
    pub request: Request,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: FeedbackId,
    person_id: PersonId,
    person_name: String,
    moment: String,
    measure: String,
    subject_id: Uuid,
    about: String,
    asked_at: DateTime<Utc>,
    reminded_at: Option<DateTime<Utc>>,
    answered_at: Option<DateTime<Utc>>,
    score: Option<i32>,
    words: Option<String>,
    recovery_id: Option<CaseId>,
}

impl TryFrom<Row> for Feedback {
    type Error = AppError;

    fn try_from(row: Row) -> Result<Self, AppError> {
        Ok(Self {
            id: row.id,
            person: row.person_id,
            person_name: row.person_name,
            moment: word(&row.moment)?,
            subject: row.subject_id,
            about: row.about,
            words: row.words,
            recovery: row.recovery_id,
            request: Request {
                measure: word(&row.measure)?,
                asked_at: row.asked_at,
                reminded_at: row.reminded_at,
                answered_at: row.answered_at,
                score: row.score,
            },
        })
    }
}

macro_rules! select_feedback {
    ($rest:literal) => {
        concat!(
            "select f.id, f.person_id, p.name as person_name, f.moment, f.measure, f.subject_id, f.about, f.asked_at, f.reminded_at, \
             f.answered_at, f.score, f.words, f.recovery_id from feedback f join person p on p.id = f.person_id ",
            $rest
        )
    };
}

fn all(rows: Vec<Row>) -> Result<Vec<Feedback>, AppError> {
    rows.into_iter().map(Feedback::try_from).collect()
}

const BY_TOKEN: &str = select_feedback!("join feedback_link l on l.feedback_id = f.id where l.hash = $1");

/// The question that a secret link leads to.
pub async fn by_token(tx: &mut Tx, token: &str) -> Result<Option<Feedback>, AppError> {
    fetch_optional!(tx, Row, BY_TOKEN, secret::hash(token))?.map(Feedback::try_from).transpose()
}

const BY_ID: &str = select_feedback!("where f.id = $1");

pub async fn by_id(tx: &mut Tx, id: FeedbackId) -> Result<Option<Feedback>, AppError> {
    fetch_optional!(tx, Row, BY_ID, id)?.map(Feedback::try_from).transpose()
}

const LAST_ASKED: &str = "select max(asked_at) from feedback where person_id = $1 and measure = $2";

/// When this person was last asked a question of this kind.
pub async fn last_asked(tx: &mut Tx, person: PersonId, measure: Measure) -> Result<Option<DateTime<Utc>>, AppError> {
    Ok(fetch_scalar!(tx, Option<DateTime<Utc>>, LAST_ASKED, person, measure.as_str())?.flatten())
}

const INSERT: &str = "insert into feedback (id, person_id, moment, measure, subject_id, about, asked_at, expires_at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (moment, subject_id, person_id) do nothing";

/// Keeps a question; false where the same was asked before.
pub async fn insert(
    tx: &mut Tx,
    _: &Permit,
    id: FeedbackId,
    person: PersonId,
    moment: Moment,
    subject: Uuid,
    about: &str,
    request: &Request,
) -> Result<bool, AppError> {
    let rows = execute!(
        tx,
        INSERT,
        id,
        person,
        moment.as_str(),
        request.measure.as_str(),
        subject,
        about,
        request.asked_at,
        request.open_until()
    )?;
    Ok(rows == 1)
}

const LINK: &str = "insert into feedback_link (hash, feedback_id, created_at) values ($1, $2, $3)";

/// Draws a secret link to a question and keeps its hash.
pub async fn link(tx: &mut Tx, _: &Permit, id: FeedbackId, now: DateTime<Utc>) -> Result<String, AppError> {
    let token = secret::token();
    execute!(tx, LINK, secret::hash(&token), id, now)?;
    Ok(token)
}

const REMINDED: &str =
    "update feedback set reminded_at = $2 where id = $1 and reminded_at is null and answered_at is null";

/// Notes that the one reminder goes out; false where somebody was faster.
pub async fn reminded(tx: &mut Tx, _: &Permit, id: FeedbackId, now: DateTime<Utc>) -> Result<bool, AppError> {
    Ok(execute!(tx, REMINDED, id, now)? == 1)
}

const ANSWER: &str =
    "update feedback set score = $2, words = $3, answered_at = $4, changed_at = $5, recovery_id = $6 where id = $1";

pub async fn answer(
    tx: &mut Tx,
    _: &Permit,
    id: FeedbackId,
    request: &Request,
    words: Option<&str>,
    recovery: Option<CaseId>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(tx, ANSWER, id, request.score, words, request.answered_at, now, recovery)?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct TallyRow {
    moment: String,
    score: i32,
    times: i64,
}

const TALLY: &str = "select moment, score, count(*) as times from feedback where answered_at >= $1 and score is not null \
    group by moment, score order by moment, score";

/// How often each score was given since then, by moment.
pub async fn tally(tx: &mut Tx, since: DateTime<Utc>) -> Result<Vec<(Moment, Vec<(i32, u64)>)>, AppError> {
    let rows = fetch_all!(tx, TallyRow, TALLY, since)?;
    let mut by_moment: Vec<(Moment, Vec<(i32, u64)>)> = Moment::ALL.into_iter().map(|m| (m, Vec::new())).collect();
    for row in rows {
        let moment: Moment = word(&row.moment)?;
        if let Some((_, tally)) = by_moment.iter_mut().find(|(m, _)| *m == moment) {
            tally.push((row.score, u64::try_from(row.times).unwrap_or(0)));
        }
    }
    Ok(by_moment)
}

/// How many questions went out since then, and how many of them were answered.
const ASKED: &str = "select count(*) as asked, count(answered_at) as answered from feedback where asked_at >= $1";

pub async fn asked_and_answered(tx: &mut Tx, since: DateTime<Utc>) -> Result<(i64, i64), AppError> {
    Ok(crate::fetch_one!(tx, (i64, i64), ASKED, since)?)
}

const LATEST: &str = select_feedback!(
    "where f.answered_at is not null and (f.answered_at, f.id) < ($1, $2) order by f.answered_at desc, f.id desc limit $3"
);

/// The latest answers.
pub async fn latest(tx: &mut Tx, from: Option<&Cursor>) -> Result<Rows<Feedback>, AppError> {
    let (at, id) = after(from, the_end());
    let rows = all(fetch_all!(tx, Row, LATEST, at, id, PAGE as i64 + 1)?)?;
    Ok(Rows::cut(rows, |f| cursor(f.request.answered_at.unwrap_or(f.request.asked_at), f.id.0)))
}

const OF_PERSON: &str = select_feedback!("where f.person_id = $1 order by f.asked_at desc, f.id desc limit $2");

/// What a person was asked, the latest first.
pub async fn of_person(tx: &mut Tx, person: PersonId, most: i64) -> Result<Vec<Feedback>, AppError> {
    all(fetch_all!(tx, Row, OF_PERSON, person, most)?)
}

const WAITING: &str = select_feedback!(
    "where f.person_id = $1 and f.answered_at is null and f.expires_at > $2 order by f.asked_at desc limit 100"
);

/// The questions that wait for this person's answer.
pub async fn waiting(tx: &mut Tx, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Feedback>, AppError> {
    all(fetch_all!(tx, Row, WAITING, person, now)?)
}

/// A case that makes a bad rating good, with the rating.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Recovery {
    pub case_id: CaseId,
    pub customer_name: String,
    pub about: String,
    pub score: i32,
    pub measure: String,
    pub words: Option<String>,
    pub owner_name: Option<String>,
    pub next_due_at: Option<DateTime<Utc>>,
}

const RECOVERIES: &str = "select c.id as case_id, p.name as customer_name, f.about, f.score, f.measure, f.words, o.name as owner_name, \
    c.next_due_at from feedback f join care_case c on c.id = f.recovery_id join person p on p.id = f.person_id \
    left join person o on o.id = c.owner_id where c.state in ('open', 'waiting_for_you') and f.score is not null \
    order by c.next_due_at, c.id limit 50";

/// The recoveries that are still open, the most urgent first.
pub async fn recoveries(tx: &mut Tx) -> Result<Vec<Recovery>, AppError> {
    Ok(fetch_all!(tx, Recovery, RECOVERIES)?)
}
