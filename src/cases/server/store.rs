//! What is kept of cases: the case with its clocks, and what was said.

use crate::{
    access::Permit,
    cases::domain::{Form, Kind, Matter, Priority, Side, State},
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_one, fetch_optional, fetch_scalar,
    server::{fresh, internal},
    values::{CaseId, Cursor, PersonId, Rows, page::PAGE},
};
use chrono::{DateTime, SecondsFormat, Utc};
use std::str::FromStr;
use uuid::Uuid;

/// A case as it is read, with the names that go with it.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    pub id: CaseId,
    pub customer: PersonId,
    pub customer_name: String,
    pub owner_name: Option<String>,
    pub subject: String,
    /// What it is about: `("repair", id)`.
    pub about: Option<(String, Uuid)>,
    pub touched_at: DateTime<Utc>,
    pub matter: Matter,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: CaseId,
    kind: String,
    state: String,
    priority: String,
    customer_id: PersonId,
    customer_name: String,
    owner_id: Option<PersonId>,
    owner_name: Option<String>,
    subject: String,
    entity: Option<String>,
    entity_id: Option<Uuid>,
    opened_at: DateTime<Utc>,
    answer_due_at: Option<DateTime<Utc>>,
    first_answered_at: Option<DateTime<Utc>>,
    solve_due_at: DateTime<Utc>,
    waiting_since: Option<DateTime<Utc>>,
    resolved_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    reopened: i32,
    answered_late: bool,
    solved_late: bool,
    touched_at: DateTime<Utc>,
}

impl TryFrom<Row> for Case {
    type Error = AppError;

    fn try_from(row: Row) -> Result<Self, AppError> {
        Ok(Self {
            id: row.id,
            customer: row.customer_id,
            customer_name: row.customer_name,
            owner_name: row.owner_name,
            subject: row.subject,
            about: row.entity.zip(row.entity_id),
            touched_at: row.touched_at,
            matter: Matter {
                kind: word(&row.kind)?,
                state: word(&row.state)?,
                priority: word(&row.priority)?,
                owner: row.owner_id,
                opened_at: row.opened_at,
                answer_due: row.answer_due_at,
                first_answered_at: row.first_answered_at,
                solve_due: row.solve_due_at,
                waiting_since: row.waiting_since,
                resolved_at: row.resolved_at,
                closed_at: row.closed_at,
                reopened: row.reopened,
                answered_late: row.answered_late,
                solved_late: row.solved_late,
            },
        })
    }
}

/// A stored word as its value; the table's checks let no other in.
pub(crate) fn word<T: FromStr>(text: &str) -> Result<T, AppError> {
    text.parse().map_err(|_| internal("an unknown word is stored", &text))
}

macro_rules! select_case {
    ($rest:literal) => {
        concat!(
            "select c.id, c.kind, c.state, c.priority, c.customer_id, p.name as customer_name, c.owner_id, o.name as owner_name, \
             c.subject, c.entity, c.entity_id, c.opened_at, c.answer_due_at, c.first_answered_at, c.solve_due_at, c.waiting_since, \
             c.resolved_at, c.closed_at, c.reopened, c.answered_late, c.solved_late, c.touched_at \
             from care_case c join person p on p.id = c.customer_id left join person o on o.id = c.owner_id ",
            $rest
        )
    };
}

fn cases(rows: Vec<Row>) -> Result<Vec<Case>, AppError> {
    rows.into_iter().map(Case::try_from).collect()
}

const FIND: &str = select_case!("where c.id = $1");

/// The case; none is [`AppError::NotFound`].
pub async fn find(tx: &mut Tx, id: CaseId) -> Result<Case, AppError> {
    fetch_one!(tx, Row, FIND, id)?.try_into()
}

/// What a new case is made of.
#[derive(Clone, Debug)]
pub struct NewRow {
    pub id: CaseId,
    pub customer: PersonId,
    pub subject: String,
    pub about: Option<(String, Uuid)>,
    pub matter: Matter,
}

const INSERT: &str = "insert into care_case (id, kind, state, priority, customer_id, owner_id, subject, entity, entity_id, \
    opened_at, answer_due_at, first_answered_at, solve_due_at, waiting_since, resolved_at, closed_at, reopened, answered_late, \
    solved_late, next_step, next_due_at, touched_at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";

pub async fn insert(tx: &mut Tx, _: &Permit, new: &NewRow) -> Result<(), AppError> {
    let m = &new.matter;
    let (entity, entity_id) = new.about.clone().unzip();
    let next = m.next();
    execute!(
        tx,
        INSERT,
        new.id,
        m.kind.as_str(),
        m.state.as_str(),
        m.priority.as_str(),
        new.customer,
        m.owner,
        new.subject.as_str(),
        entity.as_deref(),
        entity_id,
        m.opened_at,
        m.answer_due,
        m.first_answered_at,
        m.solve_due,
        m.waiting_since,
        m.resolved_at,
        m.closed_at,
        m.reopened,
        m.answered_late,
        m.solved_late,
        next.map(|(step, _)| step.as_str()),
        next.map(|(_, due)| due),
        m.opened_at
    )?;
    Ok(())
}

const SAVE: &str = "update care_case set state = $2, priority = $3, owner_id = $4, answer_due_at = $5, first_answered_at = $6, \
    solve_due_at = $7, waiting_since = $8, resolved_at = $9, closed_at = $10, reopened = $11, answered_late = $12, solved_late = $13, \
    next_step = $14, next_due_at = $15, touched_at = $16 where id = $1";

/// Keeps where the case stands now. The caller has locked it.
pub async fn save(tx: &mut Tx, _: &Permit, id: CaseId, m: &Matter, now: DateTime<Utc>) -> Result<(), AppError> {
    let next = m.next();
    execute!(
        tx,
        SAVE,
        id,
        m.state.as_str(),
        m.priority.as_str(),
        m.owner,
        m.answer_due,
        m.first_answered_at,
        m.solve_due,
        m.waiting_since,
        m.resolved_at,
        m.closed_at,
        m.reopened,
        m.answered_late,
        m.solved_late,
        next.map(|(step, _)| step.as_str()),
        next.map(|(_, due)| due),
        now
    )?;
    Ok(())
}

/// One thing that was said.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    pub at: DateTime<Utc>,
    pub side: Side,
    pub form: Form,
    pub author: Option<String>,
    pub words: String,
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    at: DateTime<Utc>,
    side: String,
    form: String,
    author_name: Option<String>,
    words: String,
}

const MESSAGES: &str = "select m.at, m.side, m.form, p.name as author_name, m.words from case_message m \
    left join person p on p.id = m.author_id where m.case_id = $1 and (m.form <> 'note' or $2) order by m.at, m.id";

/// What was said, in order; notes only for colleagues.
pub async fn messages(tx: &mut Tx, id: CaseId, notes: bool) -> Result<Vec<Message>, AppError> {
    let rows = fetch_all!(tx, MessageRow, MESSAGES, id, notes)?;
    rows.into_iter()
        .map(|row| {
            Ok(Message {
                at: row.at,
                side: word(&row.side)?,
                form: word(&row.form)?,
                author: row.author_name,
                words: row.words,
            })
        })
        .collect()
}

const SAID_BY_CUSTOMER: &str = "select count(*) from case_message where case_id = $1 and side = 'customer'";

/// How often the customer has written.
pub async fn said_by_customer(tx: &mut Tx, id: CaseId) -> Result<i64, AppError> {
    Ok(fetch_scalar!(tx, i64, SAID_BY_CUSTOMER, id)?.unwrap_or(0))
}

const SAY: &str =
    "insert into case_message (id, case_id, at, side, form, author_id, words) values ($1, $2, $3, $4, $5, $6, $7)";

/// Adds what somebody says.
#[allow(clippy::too_many_arguments, reason = "the columns of a message")]
pub async fn say(
    tx: &mut Tx,
    _: &Permit,
    id: CaseId,
    at: DateTime<Utc>,
    (side, form): (Side, Form),
    author: Option<PersonId>,
    words: &str,
) -> Result<(), AppError> {
    execute!(tx, SAY, fresh::<Uuid>(), id, at, side.as_str(), form.as_str(), author, words)?;
    Ok(())
}

/// Where a list that is sorted by an instant and the identity goes on.
pub(crate) fn cursor(at: DateTime<Utc>, id: Uuid) -> Cursor {
    Cursor { key: at.to_rfc3339_opts(SecondsFormat::Micros, true), id }
}

/// The instant and identity of a cursor, or of the very beginning.
pub(crate) fn after(cursor: Option<&Cursor>, beginning: DateTime<Utc>) -> (DateTime<Utc>, Uuid) {
    cursor
        .and_then(|c| Some((c.key.parse::<DateTime<Utc>>().ok()?, c.id)))
        .unwrap_or((beginning, if beginning == DateTime::UNIX_EPOCH { Uuid::nil() } else { Uuid::max() }))
}

/// Later than everything that is stored.
pub(crate) fn the_end() -> DateTime<Utc> {
    DateTime::from_timestamp(32_503_680_000, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn page(rows: Vec<Row>, by: impl Fn(&Case) -> DateTime<Utc>) -> Result<Rows<Case>, AppError> {
    Ok(Rows::cut(cases(rows)?, |case| cursor(by(case), case.id.0)))
}

const MORE: i64 = PAGE as i64 + 1;

const OF_CUSTOMER: &str = select_case!(
    "where c.customer_id = $1 and (c.touched_at, c.id) < ($2, $3) order by c.touched_at desc, c.id desc limit $4"
);

/// A customer's cases, what moved last first.
pub async fn of_customer(tx: &mut Tx, customer: PersonId, from: Option<&Cursor>) -> Result<Rows<Case>, AppError> {
    let (at, id) = after(from, the_end());
    page(fetch_all!(tx, Row, OF_CUSTOMER, customer, at, id, MORE)?, |case| case.touched_at)
}

/// Which of the open cases the desk looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Queue {
    #[default]
    Mine,
    Unassigned,
    Overdue,
    All,
}

impl Queue {
    pub const ALL: [Self; 4] = [Self::Mine, Self::Unassigned, Self::Overdue, Self::All];

    /// As it stands in the address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Unassigned => "unassigned",
            Self::Overdue => "overdue",
            Self::All => "all",
        }
    }
}

const QUEUE_OWNER: &str = select_case!(
    "where c.owner_id = $1 and c.state in ('open', 'waiting_for_you') and (c.next_due_at, c.id) > ($2, $3) order by c.next_due_at, c.id limit $4"
);
const QUEUE_NOBODY: &str = select_case!(
    "where c.owner_id is null and c.state in ('open', 'waiting_for_you') and (c.next_due_at, c.id) > ($1, $2) order by c.next_due_at, c.id limit $3"
);
const QUEUE_OVERDUE: &str = select_case!(
    "where c.next_due_at < $1 and c.state in ('open', 'waiting_for_you') and (c.next_due_at, c.id) > ($2, $3) order by c.next_due_at, c.id limit $4"
);
const QUEUE_ALL: &str = select_case!(
    "where c.state in ('open', 'waiting_for_you') and (c.next_due_at, c.id) > ($1, $2) order by c.next_due_at, c.id limit $3"
);

/// What waits for the desk, the most urgent first.
pub async fn queue(
    tx: &mut Tx,
    queue: Queue,
    me: PersonId,
    now: DateTime<Utc>,
    from: Option<&Cursor>,
) -> Result<Rows<Case>, AppError> {
    let (at, id) = after(from, DateTime::UNIX_EPOCH);
    let rows = match queue {
        Queue::Mine => fetch_all!(tx, Row, QUEUE_OWNER, me, at, id, MORE)?,
        Queue::Unassigned => fetch_all!(tx, Row, QUEUE_NOBODY, at, id, MORE)?,
        Queue::Overdue => fetch_all!(tx, Row, QUEUE_OVERDUE, now, at, id, MORE)?,
        Queue::All => fetch_all!(tx, Row, QUEUE_ALL, at, id, MORE)?,
    };
    page(rows, |case| case.matter.next().map_or(case.touched_at, |(_, due)| due))
}

const WAITING_FOR: &str = select_case!(
    "where c.customer_id = $1 and c.state in ('waiting_for_you', 'resolved') order by c.touched_at desc limit 100"
);

/// The cases in which it is the customer's turn.
pub async fn waiting_for(tx: &mut Tx, customer: PersonId) -> Result<Vec<Case>, AppError> {
    cases(fetch_all!(tx, Row, WAITING_FOR, customer)?)
}

const OF_ENTITY: &str = "select count(*) from care_case where customer_id = $1 and entity = $2 and entity_id = $3";

/// How often a customer came about this matter before.
pub async fn contacts_about(tx: &mut Tx, customer: PersonId, entity: &str, id: Uuid) -> Result<i64, AppError> {
    Ok(fetch_scalar!(tx, i64, OF_ENTITY, customer, entity, id)?.unwrap_or(0))
}

macro_rules! theirs {
    ($table:literal, $person:literal) => {
        concat!(
            "select cast(1 as bigint) from ",
            $table,
            " where id = $1 and (",
            $person,
            " = $2 or organisation_id in (select organisation_id from membership where person_id = $2 and role = 'owner'))"
        )
    };
}

const THEIR_ITEM: &str = theirs!("item", "owner_id");
const THEIR_PURCHASE: &str = theirs!("purchase", "person_id");
const THEIR_REPAIR: &str = theirs!("repair", "person_id");
const A_CLASS: &str = "select cast(1 as bigint) from class where id = $1 and state <> 'draft'";

/// Whether a customer can come about this thing: it is theirs or their firm's, or a class that everybody may know of.
pub async fn is_theirs(tx: &mut Tx, customer: PersonId, entity: &str, id: Uuid) -> Result<bool, AppError> {
    let found = match entity {
        "item" => fetch_scalar!(tx, i64, THEIR_ITEM, id, customer)?,
        "purchase" => fetch_scalar!(tx, i64, THEIR_PURCHASE, id, customer)?,
        "repair" => fetch_scalar!(tx, i64, THEIR_REPAIR, id, customer)?,
        "class" => fetch_scalar!(tx, i64, A_CLASS, id)?,
        _ => None,
    };
    Ok(found.is_some())
}

const OPENED_SINCE: &str =
    "select count(*) from care_case where customer_id = $1 and touched_at >= $2 and opened_at >= $2";

/// How many cases a customer opened since then.
pub async fn opened_since(tx: &mut Tx, customer: PersonId, since: DateTime<Utc>) -> Result<i64, AppError> {
    Ok(fetch_scalar!(tx, i64, OPENED_SINCE, customer, since)?.unwrap_or(0))
}

const LEAST_LOADED: &str = "select r.person_id from person_role r join person p on p.id = r.person_id \
    where r.role = $1 and r.person_id <> $2 and p.erased_at is null \
    order by (select count(*) from care_case c where c.owner_id = r.person_id and c.state in ('open', 'waiting_for_you')), r.person_id limit 1";

/// Who of this role has the fewest open cases. Nobody works on their own case.
pub async fn least_loaded(tx: &mut Tx, role: &str, customer: PersonId) -> Result<Option<PersonId>, AppError> {
    Ok(fetch_scalar!(tx, PersonId, LEAST_LOADED, role, customer)?)
}

const SENIOR: &str = "select count(*) from person_role where person_id = $1 and role in ('manager', 'admin')";

/// Whether whoever has a case is a manager or more.
pub async fn is_senior(tx: &mut Tx, owner: Option<PersonId>) -> Result<bool, AppError> {
    let Some(owner) = owner else { return Ok(false) };
    Ok(fetch_scalar!(tx, i64, SENIOR, owner)?.unwrap_or(0) > 0)
}

const DESK: &str = "select distinct p.id, p.name from person p join person_role r on r.person_id = p.id \
    where r.role in ('agent', 'manager', 'admin') and p.erased_at is null order by p.name, p.id";

/// Everybody who can have a case.
pub async fn desk_people(tx: &mut Tx) -> Result<Vec<(PersonId, String)>, AppError> {
    Ok(fetch_all!(tx, (PersonId, String), DESK)?)
}

const NAME: &str = "select name from person where id = $1";

pub async fn name(tx: &mut Tx, person: PersonId) -> Result<Option<String>, AppError> {
    Ok(fetch_scalar!(tx, String, NAME, person)?)
}

/// What is new since a day: `(opened, solved, answered, answered late)`.
const REPORT: &str = "select \
    (select count(*) from care_case where opened_at >= $1) as opened, \
    (select count(*) from care_case where resolved_at >= $1) as solved, \
    (select count(*) from care_case where first_answered_at >= $1) as answered, \
    (select count(*) from care_case where first_answered_at >= $1 and answered_late) as late";

/// Figures of the desk since an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct Report {
    pub opened: i64,
    pub solved: i64,
    pub answered: i64,
    pub late: i64,
}

pub async fn report(tx: &mut Tx, since: DateTime<Utc>) -> Result<Report, AppError> {
    Ok(fetch_one!(tx, Report, REPORT, since)?)
}

const EXISTS: &str = "select state from care_case where id = $1";

/// Where a case stands, if it exists.
pub async fn state(tx: &mut Tx, id: CaseId) -> Result<Option<State>, AppError> {
    match fetch_optional!(tx, (String,), EXISTS, id)? {
        Some((state,)) => Ok(Some(word(&state)?)),
        None => Ok(None),
    }
}

/// The kinds and priorities that a form offers.
pub const KINDS: &[Kind] = Kind::ALL;
pub const PRIORITIES: &[Priority] = Priority::ALL;
