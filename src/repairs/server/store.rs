//! What is kept of repairs: the job, its appointments, quotes, work and the customer's timeline.

use crate::{
    access::{Permit, Scope},
    calendar::{
        domain::{Crew, Span},
        server::{busy, zone},
    },
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    repairs::domain::{Actor, Job, Mode, Next, QuoteLine, QuoteState, Rma, Standing, State, Verb},
    server::fresh,
    values::{
        AppointmentId, BenefitId, Currency, Cursor, ItemId, Money, OrganisationId, PAGE, PersonId, PublicNumber,
        QuoteId, RepairId, Rows, WorkshopId,
    },
};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

/// A repair as it is kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RepairRow {
    pub id: RepairId,
    pub rma: PublicNumber,
    pub item_id: ItemId,
    pub item_name: String,
    pub serial_number: Option<String>,
    pub person_id: PersonId,
    pub organisation_id: Option<OrganisationId>,
    pub workshop_id: WorkshopId,
    #[sqlx(try_from = "String")]
    pub mode: Mode,
    pub fault: String,
    pub place: Option<String>,
    #[sqlx(try_from = "String")]
    pub state: State,
    pub version: i64,
    pub covered: bool,
    pub decision: String,
    pub benefit_id: Option<BenefitId>,
    pub fee_minor: i64,
    pub fee_currency: Currency,
    pub consent_at: DateTime<Utc>,
    pub technician_id: Option<PersonId>,
    pub diagnosis: Option<String>,
    pub appointment_at: Option<DateTime<Utc>>,
    pub parts_due: Option<NaiveDate>,
    pub next_step: Option<String>,
    pub next_due: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// The earlier repair whose fault has come back.
    pub same_as: Option<RepairId>,
    /// The workshop's zone, by whose wall clock its appointments are.
    zone: String,
}

impl RepairRow {
    pub fn tz(&self) -> Tz {
        zone::named(&self.zone)
    }

    /// The number that people read.
    pub fn number(&self) -> Rma {
        Rma(self.rma.clone())
    }

    /// What looking at the item costs.
    pub fn fee(&self) -> Money {
        Money::new(self.fee_minor, self.fee_currency)
    }

    /// Open, and nobody's.
    pub fn wants_technician(&self) -> bool {
        self.technician_id.is_none() && !self.state.is_end() && self.state != State::HandedBack
    }

    /// Nothing covers it and its price was declined: it goes back as it came.
    pub fn is_unrepaired(&self, quote: Option<&QuoteRow>) -> bool {
        !self.covered && quote.is_some_and(|quote| quote.state == QuoteState::Declined)
    }

    /// The job as the rules see it.
    pub fn job(&self, quote: Option<&QuoteRow>) -> Job {
        Job {
            state: self.state,
            mode: self.mode,
            covered: self.covered,
            appointment: self.appointment_at,
            quote: quote.map(QuoteRow::standing),
            parts_due: self.parts_due,
        }
    }
}

macro_rules! repair_columns {
    () => {
        "r.id, r.rma, r.item_id, r.item_name, r.serial_number, r.person_id, r.organisation_id, r.workshop_id, r.mode, \
         r.fault, r.place, r.state, r.version, r.covered, r.decision, r.benefit_id, r.fee_minor, r.fee_currency, \
         r.consent_at, r.technician_id, r.diagnosis, r.appointment_at, r.parts_due, r.next_step, r.next_due, \
         r.created_at, r.updated_at, r.same_as, (select w.zone from workshop w where w.id = r.workshop_id) as zone"
    };
}

const BY_RMA: &str = concat!("select ", repair_columns!(), " from repair r where r.rma = $1");
const BY_ID: &str = concat!("select ", repair_columns!(), " from repair r where r.id = $1");

/// The repair of a number.
pub async fn by_rma(tx: &mut Tx, rma: &Rma) -> Result<Option<RepairRow>, AppError> {
    Ok(fetch_optional!(tx, RepairRow, BY_RMA, rma.0.as_str())?)
}

/// One repair.
pub async fn by_id(tx: &mut Tx, id: RepairId) -> Result<Option<RepairRow>, AppError> {
    Ok(fetch_optional!(tx, RepairRow, BY_ID, id)?)
}

const OPEN_FOR_FIRM: &str = "select id from repair where person_id = $1 and organisation_id = $2 \
    and state not in ('closed', 'cancelled', 'not_repairable') order by id";

/// The open repairs of a firm's pieces that somebody is the contact of.
pub async fn open_for_firm(tx: &mut Tx, firm: OrganisationId, person: PersonId) -> Result<Vec<RepairId>, AppError> {
    Ok(fetch_all!(tx, (RepairId,), OPEN_FOR_FIRM, person, firm)?.into_iter().map(|(id,)| id).collect())
}

const PASS: &str = "update repair set person_id = $3 where person_id = $1 and organisation_id = $2 \
    and state not in ('closed', 'cancelled', 'not_repairable')";

/// Makes somebody else of the firm the contact of those. The caller holds them.
pub async fn pass(
    tx: &mut Tx,
    _: &Permit,
    firm: OrganisationId,
    from: PersonId,
    to: PersonId,
) -> Result<u64, AppError> {
    Ok(execute!(tx, PASS, from, firm, to)?)
}

const READERS: &str =
    "select person_id from membership where organisation_id = $1 and role = 'owner' order by person_id";

/// Who reads what a repair comes to: its contact and, of a firm's piece, the firm's owners; each once.
pub async fn readers(tx: &mut Tx, row: &RepairRow) -> Result<Vec<PersonId>, AppError> {
    let mut readers = vec![row.person_id];
    if let Some(firm) = row.organisation_id {
        let owners = fetch_all!(tx, (PersonId,), READERS, firm)?.into_iter().map(|(id,)| id);
        readers.extend(owners.filter(|owner| *owner != row.person_id));
    }
    Ok(readers)
}

const BOOKER: &str = "select h.actor_id from history h join membership m on m.person_id = h.actor_id \
    and m.organisation_id = $2 and m.role = 'owner' where h.entity = 'repair' and h.entity_id = $1 \
    and h.act = 'book_repair' order by h.at, h.id limit 1";

/// Who is asked how a repair went: the owner of the firm who booked it, else its contact.
pub async fn asked(tx: &mut Tx, row: &RepairRow) -> Result<PersonId, AppError> {
    let Some(firm) = row.organisation_id else { return Ok(row.person_id) };
    Ok(fetch_scalar!(tx, PersonId, BOOKER, row.id, firm)?.unwrap_or(row.person_id))
}

const OF_PERSON: &str = concat!(
    "select ",
    repair_columns!(),
    " from repair r \
     where (r.person_id = $1 or r.organisation_id in \
        (select m.organisation_id from membership m where m.person_id = $1 and m.role = 'owner')) \
     and (r.created_at < $2 or (r.created_at = $2 and r.id < $3)) order by r.created_at desc, r.id desc limit $4"
);

/// What a customer may see, newest first: their own repairs and, for an owner, the firm's.
pub async fn of_scope(tx: &mut Tx, scope: &Scope, cursor: Option<&Cursor>) -> Result<Rows<RepairRow>, AppError> {
    let Scope::Own { person, .. } = scope else { return Ok(Rows { rows: Vec::new(), next: None }) };
    let (at, id) = beginning(cursor);
    let most = PAGE as i64 + 1;
    let rows = fetch_all!(tx, RepairRow, OF_PERSON, *person, at, id, most)?;
    Ok(Rows::cut(rows, |row| Cursor { key: row.created_at.to_rfc3339(), id: row.id.0 }))
}

/// Where a list that goes back in time begins: at its cursor, or after everything.
fn beginning(cursor: Option<&Cursor>) -> (DateTime<Utc>, uuid::Uuid) {
    let parsed = cursor.and_then(|c| DateTime::parse_from_rfc3339(&c.key).ok().map(|at| (at.to_utc(), c.id)));
    parsed.unwrap_or((DateTime::from_timestamp(7_258_118_400, 0).unwrap_or_default(), uuid::Uuid::max()))
}

const LATEST_OF: &str = concat!(
    "select ",
    repair_columns!(),
    " from repair r where r.person_id = $1 order by r.created_at desc, r.id desc limit $2"
);

/// A person's latest repairs.
pub async fn latest_of(tx: &mut Tx, person: PersonId, most: i64) -> Result<Vec<RepairRow>, AppError> {
    Ok(fetch_all!(tx, RepairRow, LATEST_OF, person, most)?)
}

/// A repair in which it is the customer's turn.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Waiting {
    rma: PublicNumber,
    pub item_name: String,
    pub updated_at: DateTime<Utc>,
    pub workshop: String,
    sent_at: Option<DateTime<Utc>>,
    valid_until: Option<NaiveDate>,
    total_minor: Option<i64>,
    total_currency: Option<Currency>,
}

impl Waiting {
    pub fn number(&self) -> Rma {
        Rma(self.rma.clone())
    }

    /// The price that waits for an answer: when it was sent, how much, until when it stands.
    pub fn price(&self) -> Option<(DateTime<Utc>, Money, NaiveDate)> {
        Some((self.sent_at?, Money::new(self.total_minor?, self.total_currency?), self.valid_until?))
    }
}

const WAITING_FOR: &str = "select r.rma, r.item_name, r.updated_at, w.name as workshop, q.sent_at, q.valid_until, \
    q.total_minor, q.total_currency from repair r join workshop w on w.id = r.workshop_id \
    left join quote q on q.repair_id = r.id and q.state = 'sent' and r.state = 'quoted' \
    where (r.person_id = $1 or r.organisation_id in \
        (select m.organisation_id from membership m where m.person_id = $1 and m.role = 'owner')) \
    and (r.state = 'ready' and r.mode = 'bring_in' or q.id is not null) order by r.next_due, r.id limit 100";

/// What waits for this customer: a price to answer, an item to collect.
pub async fn waiting_for(tx: &mut Tx, person: PersonId) -> Result<Vec<Waiting>, AppError> {
    Ok(fetch_all!(tx, Waiting, WAITING_FOR, person)?)
}

const OPEN_OF_ITEM: &str = concat!(
    "select ",
    repair_columns!(),
    " from repair r where r.item_id = $1 \
     and r.state not in ('handed_back', 'closed', 'cancelled', 'not_repairable') order by r.created_at desc, r.id desc limit 20"
);

/// The repairs of an item that are not over.
pub async fn open_of_item(tx: &mut Tx, item: ItemId) -> Result<Vec<RepairRow>, AppError> {
    Ok(fetch_all!(tx, RepairRow, OPEN_OF_ITEM, item)?)
}

/// An earlier repair of an item on which the warranty still holds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Warranted {
    pub id: RepairId,
    rma: PublicNumber,
    person_id: PersonId,
    organisation_id: Option<OrganisationId>,
    starts_on: NaiveDate,
    ends_on: NaiveDate,
}

impl Warranted {
    /// Its number, for whoever may see that repair: the thing may have been somebody else's at the time.
    pub fn number(&self, scope: &Scope) -> Option<Rma> {
        let seen = match scope {
            Scope::Own { person, organisations } => {
                *person == self.person_id || self.organisation_id.is_some_and(|firm| organisations.contains(&firm))
            }
            Scope::Everything => true,
            Scope::Nothing => false,
        };
        seen.then(|| Rma(self.rma.clone()))
    }

    /// The day on which its owner had it back, and the last day of the warranty.
    pub fn days(&self) -> (NaiveDate, NaiveDate) {
        (self.starts_on, self.ends_on.pred_opt().unwrap_or(self.ends_on))
    }
}

const WARRANTED: &str = "select r.id, r.rma, r.person_id, r.organisation_id, c.starts_on, c.ends_on from coverage c join repair r on r.id = c.repair_id \
    where c.item_id = $1 and c.kind = 'repair_warranty' and c.void_reason is null and c.starts_on <= $2 and c.ends_on > $2 \
    order by c.ends_on desc, r.id desc limit 10";

/// The repairs of an item on whose work the warranty holds on a day, the latest first.
pub async fn warranted(tx: &mut Tx, item: ItemId, today: NaiveDate) -> Result<Vec<Warranted>, AppError> {
    Ok(fetch_all!(tx, Warranted, WARRANTED, item, today)?)
}

/// A line of the staff's queue.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct QueueRow {
    pub id: RepairId,
    pub rma: PublicNumber,
    pub item_name: String,
    #[sqlx(try_from = "String")]
    pub state: State,
    #[sqlx(try_from = "String")]
    pub mode: Mode,
    pub next_step: Option<String>,
    pub next_due: Option<DateTime<Utc>>,
    pub appointment_at: Option<DateTime<Utc>>,
    pub customer_name: String,
    pub technician_name: Option<String>,
    zone: String,
}

impl QueueRow {
    pub fn tz(&self) -> Tz {
        zone::named(&self.zone)
    }
}

macro_rules! queue {
    () => {
        "select r.id, r.rma, r.item_name, r.state, r.mode, r.next_step, r.next_due, r.appointment_at, \
         p.name as customer_name, t.name as technician_name, w.zone \
         from repair r join workshop w on w.id = r.workshop_id join person p on p.id = r.person_id left join person t on t.id = r.technician_id "
    };
}

const QUEUE_OPEN: &str = concat!(
    queue!(),
    "where r.next_due is not null and (r.next_due > $1 or (r.next_due = $1 and r.id > $2)) order by r.next_due, r.id limit $3"
);
const QUEUE_STATE: &str = concat!(
    queue!(),
    "where r.state = $4 and r.next_due is not null and (r.next_due > $1 or (r.next_due = $1 and r.id > $2)) \
     order by r.next_due, r.id limit $3"
);
const QUEUE_ENDED: &str = concat!(
    queue!(),
    "where r.state = $3 and (r.created_at < $1 or (r.created_at = $1 and r.id < $2)) order by r.created_at desc, r.id desc limit $4"
);
const QUEUE_MINE: &str = concat!(
    queue!(),
    "where r.technician_id = $4 and r.next_due is not null and (r.next_due > $1 or (r.next_due = $1 and r.id > $2)) \
     order by r.next_due, r.id limit $3"
);

/// Which jobs the staff look at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Queue {
    Open,
    Mine(PersonId),
    In(State),
}

/// A page of jobs: open ones by what is due first, ended ones by what is newest.
pub async fn queue(tx: &mut Tx, which: Queue, cursor: Option<&Cursor>) -> Result<Rows<QueueRow>, AppError> {
    let most = PAGE as i64 + 1;
    let first = (DateTime::<Utc>::UNIX_EPOCH, uuid::Uuid::nil());
    let from = cursor.and_then(|c| DateTime::parse_from_rfc3339(&c.key).ok().map(|at| (at.to_utc(), c.id)));
    let (at, id) = from.unwrap_or(first);
    let rows = match which {
        Queue::Open => fetch_all!(tx, QueueRow, QUEUE_OPEN, at, id, most)?,
        Queue::Mine(person) => fetch_all!(tx, QueueRow, QUEUE_MINE, at, id, most, person)?,
        Queue::In(state) if !state.is_end() => fetch_all!(tx, QueueRow, QUEUE_STATE, at, id, most, state.as_str())?,
        Queue::In(state) => {
            // Ended jobs have nothing due; their cursor is the newest first, and one page is enough to look back.
            let (at, id) = beginning(None);
            let rows = fetch_all!(tx, QueueRow, QUEUE_ENDED, at, id, state.as_str(), most - 1)?;
            return Ok(Rows { rows, next: None });
        }
    };
    Ok(Rows::cut(rows, |row| Cursor { key: row.next_due.unwrap_or_default().to_rfc3339(), id: row.id.0 }))
}

/// An appointment of the day.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TodayRow {
    pub rma: PublicNumber,
    pub item_name: String,
    #[sqlx(try_from = "String")]
    pub state: State,
    #[sqlx(try_from = "String")]
    pub mode: Mode,
    pub customer_name: String,
    pub starts_at: DateTime<Utc>,
    pub workshop_name: String,
    pub zone: String,
    pub place: Option<String>,
}

const TODAY: &str = "select r.rma, r.item_name, r.state, r.mode, p.name as customer_name, a.starts_at, \
    w.name as workshop_name, a.zone, r.place \
    from appointment a join repair r on r.id = a.repair_id join person p on p.id = r.person_id \
    join workshop w on w.id = a.workshop_id \
    where a.state in ('booked', 'kept') and a.starts_at >= $1 and a.starts_at < $2 order by a.starts_at, a.id limit 100";

/// The appointments of a span of time, earliest first.
pub async fn appointments(tx: &mut Tx, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<TodayRow>, AppError> {
    Ok(fetch_all!(tx, TodayRow, TODAY, from, until)?)
}

/// What a new repair is made of.
#[derive(Clone, Debug)]
pub struct NewRepair {
    pub id: RepairId,
    pub rma: Rma,
    pub item: ItemId,
    pub item_name: String,
    pub serial_number: Option<String>,
    pub person: PersonId,
    pub organisation: Option<OrganisationId>,
    pub workshop: WorkshopId,
    pub fault: String,
    pub place: Option<String>,
    pub decision: String,
    pub benefit: Option<BenefitId>,
    pub fee: Money,
    pub technician: Option<PersonId>,
    pub job: Job,
    pub next: Option<(Next, DateTime<Utc>)>,
    pub same_as: Option<RepairId>,
}

const INSERT: &str = "insert into repair (id, rma, item_id, item_name, serial_number, person_id, organisation_id, \
    workshop_id, mode, fault, place, state, version, covered, decision, benefit_id, fee_minor, fee_currency, consent_at, \
    technician_id, appointment_at, next_step, next_by, next_due, created_at, updated_at, same_as) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, \
    $18, $18, $24)";

/// Keeps a new repair; consent was given at `now`.
pub async fn insert(tx: &mut Tx, _permit: &Permit, new: &NewRepair, now: DateTime<Utc>) -> Result<(), AppError> {
    let next = new.next.as_ref();
    execute!(
        tx,
        INSERT,
        new.id,
        new.rma.0.as_str(),
        new.item,
        new.item_name.as_str(),
        new.serial_number.as_deref(),
        new.person,
        new.organisation,
        new.workshop,
        new.job.mode.as_str(),
        new.fault.as_str(),
        new.place.as_deref(),
        new.job.state.as_str(),
        new.job.covered,
        new.decision.as_str(),
        new.benefit,
        new.fee.minor,
        new.fee.currency,
        now,
        new.technician,
        new.job.appointment,
        next.map(|(n, _)| n.step.as_str()),
        next.map(|(n, _)| n.by.as_str()),
        next.map(|(_, due)| *due),
        new.same_as
    )?;
    Ok(())
}

const UPDATE: &str = "update repair set state = $3, version = version + 1, appointment_at = $4, parts_due = $5, \
    next_step = $6, next_by = $7, next_due = $8, diagnosis = coalesce($9, diagnosis), technician_id = $10, \
    workshop_id = $11, ended_at = $12, updated_at = $13 where id = $1 and version = $2";

/// What a move changes beside the job itself.
#[derive(Clone, Debug)]
pub struct Saved<'a> {
    pub job: &'a Job,
    pub next: Option<(Next, DateTime<Utc>)>,
    pub diagnosis: Option<&'a str>,
    pub technician: Option<PersonId>,
    pub workshop: WorkshopId,
}

/// Saves a job that moved; false where somebody else saved it since `version`.
pub async fn save(
    tx: &mut Tx,
    _permit: &Permit,
    id: RepairId,
    version: i64,
    saved: &Saved<'_>,
    now: DateTime<Utc>,
) -> Result<bool, AppError> {
    let (job, next) = (saved.job, saved.next.as_ref());
    let ended = job.state.is_end().then_some(now);
    let rows = execute!(
        tx,
        UPDATE,
        id,
        version,
        job.state.as_str(),
        job.appointment,
        job.parts_due,
        next.map(|(n, _)| n.step.as_str()),
        next.map(|(n, _)| n.by.as_str()),
        next.map(|(_, due)| *due),
        saved.diagnosis,
        saved.technician,
        saved.workshop,
        ended,
        now
    )?;
    Ok(rows == 1)
}

const LEAST_BUSY: &str = "select p.id from person p join person_role pr on pr.person_id = p.id and pr.role = 'technician' \
    left join repair r on r.technician_id = p.id and r.next_due is not null \
    where p.erased_at is null group by p.id order by count(r.id), p.id";

/// The technicians, whoever has the fewest open jobs first.
pub async fn technicians(tx: &mut Tx) -> Result<Vec<PersonId>, AppError> {
    Ok(fetch_all!(tx, (PersonId,), LEAST_BUSY)?.into_iter().map(|(id,)| id).collect())
}

const WITHOUT_TECHNICIAN: &str = "select id from repair where technician_id is null \
    and state not in ('handed_back', 'closed', 'cancelled', 'not_repairable') order by created_at, id";
const GIVE: &str = "update repair set technician_id = $2 where id = $1";
const SEND_TO_VISIT: &str =
    "update appointment set technician_id = $2 where repair_id = $1 and service = 'visit' and state = 'booked'";

/// The open jobs that are nobody's, oldest first.
pub async fn without_technician(tx: &mut Tx) -> Result<Vec<RepairId>, AppError> {
    Ok(fetch_all!(tx, (RepairId,), WITHOUT_TECHNICIAN)?.into_iter().map(|(id,)| id).collect())
}

/// Makes a job somebody's.
pub async fn give(tx: &mut Tx, _: &Permit, id: RepairId, technician: Option<PersonId>) -> Result<(), AppError> {
    execute!(tx, GIVE, id, technician)?;
    Ok(())
}

/// Says who makes the visit that was booked, if one was.
pub async fn send_to_visit(tx: &mut Tx, _: &Permit, id: RepairId, who: Option<PersonId>) -> Result<(), AppError> {
    execute!(tx, SEND_TO_VISIT, id, who)?;
    Ok(())
}

const CREW: &str = "select p.id, b.starts_at, b.ends_at from person p \
    join person_role pr on pr.person_id = p.id and pr.role = 'technician' \
    left join busy b on b.resource_kind = 'person' and b.resource_id = p.id and b.starts_at > $1 and b.starts_at < $2 \
    and not (b.entity = 'repair' and b.entity_id = $3) where p.erased_at is null order by p.id";

/// When each technician is elsewhere until then, because of anything but the repair that is being moved. `None` where
/// there is no technician: then the workshop gives the job to somebody later.
pub async fn crew(
    tx: &mut Tx,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    moving: Option<RepairId>,
) -> Result<Option<Crew>, AppError> {
    type Row = (PersonId, Option<DateTime<Utc>>, Option<DateTime<Utc>>);
    let moving = moving.map_or(Uuid::nil(), |id| id.0);
    let rows = fetch_all!(tx, Row, CREW, now - busy::LONGEST, until, moving)?;
    let people = rows
        .chunk_by(|a, b| a.0 == b.0)
        .map(|rows| rows.iter().filter_map(|(_, from, until)| Span::new((*from)?, (*until)?)).collect());
    let crew = Crew(people.collect());
    Ok(Some(crew).filter(|crew| !crew.0.is_empty()))
}

/// An appointment that stands.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AppointmentRow {
    pub id: AppointmentId,
    pub workshop_id: WorkshopId,
    pub service: String,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

const APPOINTMENT: &str = "select id, workshop_id, service, starts_at, ends_at from appointment \
    where repair_id = $1 and state in ('booked', 'kept')";
const ADD_APPOINTMENT: &str = "insert into appointment \
    (id, repair_id, workshop_id, service, starts_at, ends_at, zone, technician_id, state, created_at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, 'booked', $9)";
const END_APPOINTMENT: &str = "update appointment set state = $2 where id = $1";

/// The appointment that a repair has now.
pub async fn appointment(tx: &mut Tx, repair: RepairId) -> Result<Option<AppointmentRow>, AppError> {
    Ok(fetch_optional!(tx, AppointmentRow, APPOINTMENT, repair)?)
}

/// What a new appointment is made of.
#[derive(Clone, Debug)]
pub struct NewAppointment<'a> {
    pub repair: RepairId,
    pub workshop: WorkshopId,
    pub service: &'a str,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub zone: &'a str,
    pub technician: Option<PersonId>,
}

/// Adds the appointment whose slot was taken.
pub async fn add_appointment(
    tx: &mut Tx,
    _permit: &Permit,
    new: &NewAppointment<'_>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let id: AppointmentId = fresh();
    execute!(
        tx,
        ADD_APPOINTMENT,
        id,
        new.repair,
        new.workshop,
        new.service,
        new.starts_at,
        new.ends_at,
        new.zone,
        new.technician,
        now
    )?;
    Ok(())
}

/// Ends an appointment as `moved`, `cancelled` or `kept`.
pub async fn end_appointment(tx: &mut Tx, _permit: &Permit, id: AppointmentId, how: &str) -> Result<(), AppError> {
    execute!(tx, END_APPOINTMENT, id, how)?;
    Ok(())
}

/// A quote as it is kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct QuoteRow {
    pub id: QuoteId,
    #[sqlx(try_from = "String")]
    pub state: QuoteState,
    pub total_minor: i64,
    pub total_currency: Currency,
    pub valid_until: NaiveDate,
    pub words: Option<String>,
    pub sent_at: DateTime<Utc>,
    pub answered_at: Option<DateTime<Utc>>,
}

impl QuoteRow {
    /// What the lines cost together.
    pub fn total(&self) -> Money {
        Money::new(self.total_minor, self.total_currency)
    }

    /// The quote as the rules see it.
    pub fn standing(&self) -> Standing {
        Standing { state: self.state, valid_until: self.valid_until, total: self.total() }
    }
}

const QUOTE: &str = "select id, state, total_minor, total_currency, valid_until, words, sent_at, answered_at from quote \
    where repair_id = $1 order by sent_at desc, id desc limit 1";
const ADD_QUOTE: &str = "insert into quote \
    (id, repair_id, state, total_minor, total_currency, valid_until, words, sent_at, sent_by) \
    values ($1, $2, 'sent', $3, $4, $5, $6, $7, $8)";
const ADD_LINE: &str = "insert into quote_line (id, quote_id, place, label, quantity, unit_minor, unit_currency) \
    values ($1, $2, $3, $4, $5, $6, $7)";
const QUOTE_AND_LINES: &str = "select q.id, q.state, q.total_minor, q.total_currency, q.valid_until, q.words, q.sent_at, \
    q.answered_at, l.label, l.quantity, l.unit_minor, l.unit_currency from quote q left join quote_line l on l.quote_id = q.id \
    where q.id = (select n.id from quote n where n.repair_id = $1 order by n.sent_at desc, n.id desc limit 1) order by l.place";
const SUPERSEDE: &str = "update quote set state = 'superseded' where repair_id = $1 and state in ('sent', 'accepted')";
const ANSWER: &str = "update quote set state = $2, answered_at = $3, answered_by = $4 where id = $1 and state = 'sent'";

/// The latest quote of a repair.
pub async fn quote(tx: &mut Tx, repair: RepairId) -> Result<Option<QuoteRow>, AppError> {
    Ok(fetch_optional!(tx, QuoteRow, QUOTE, repair)?)
}

/// The latest quote of a repair with its lines, in their order.
pub async fn quote_and_lines(tx: &mut Tx, repair: RepairId) -> Result<Option<(QuoteRow, Vec<QuoteLine>)>, AppError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        quote: QuoteRow,
        label: Option<String>,
        quantity: Option<i64>,
        unit_minor: Option<i64>,
        unit_currency: Option<Currency>,
    }
    let rows = fetch_all!(tx, Row, QUOTE_AND_LINES, repair)?;
    let Some(quote) = rows.first().map(|row| row.quote.clone()) else { return Ok(None) };
    let line = |row: Row| {
        let unit_price = Money::new(row.unit_minor?, row.unit_currency?);
        Some(QuoteLine { label: row.label?, quantity: row.quantity?, unit_price })
    };
    Ok(Some((quote, rows.into_iter().filter_map(line).collect())))
}

/// What a new quote is made of.
#[derive(Clone, Debug)]
pub struct NewQuote<'a> {
    pub id: QuoteId,
    pub repair: RepairId,
    pub total: Money,
    pub valid_until: NaiveDate,
    pub words: Option<&'a str>,
    pub lines: &'a [QuoteLine],
    pub sent_by: Option<PersonId>,
}

/// Adds a quote; any that stood before is superseded.
pub async fn add_quote(tx: &mut Tx, _permit: &Permit, new: &NewQuote<'_>, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, SUPERSEDE, new.repair)?;
    execute!(
        tx,
        ADD_QUOTE,
        new.id,
        new.repair,
        new.total.minor,
        new.total.currency,
        new.valid_until,
        new.words,
        now,
        new.sent_by
    )?;
    for (place, line) in (1_i64..).zip(new.lines) {
        let id = uuid::Uuid::now_v7();
        execute!(
            tx,
            ADD_LINE,
            id,
            new.id,
            place,
            line.label.as_str(),
            line.quantity,
            line.unit_price.minor,
            line.unit_price.currency
        )?;
    }
    Ok(())
}

/// Notes how a quote ended; false where it had ended already.
pub async fn answer_quote(
    tx: &mut Tx,
    _permit: &Permit,
    id: QuoteId,
    state: QuoteState,
    by: Option<PersonId>,
    now: DateTime<Utc>,
) -> Result<bool, AppError> {
    Ok(execute!(tx, ANSWER, id, state.as_str(), now, by)? == 1)
}

/// What was done or put in.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct WorkRow {
    pub kind: String,
    pub label: String,
    pub quantity: i64,
    pub part_number: Option<String>,
    pub at: DateTime<Utc>,
    pub by_name: Option<String>,
}

const WORK: &str = "select w.kind, w.label, w.quantity, w.part_number, w.at, p.name as by_name from repair_work w \
    left join person p on p.id = w.done_by where w.repair_id = $1 order by w.at, w.id";
const ADD_WORK: &str = "insert into repair_work (id, repair_id, kind, label, quantity, part_number, done_by, at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8)";

/// The work on a repair, oldest first.
pub async fn work(tx: &mut Tx, repair: RepairId) -> Result<Vec<WorkRow>, AppError> {
    Ok(fetch_all!(tx, WorkRow, WORK, repair)?)
}

/// What a technician records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewWork {
    pub kind: &'static str,
    pub label: String,
    pub quantity: i64,
    pub part_number: Option<String>,
}

/// Records work or a part.
pub async fn add_work(
    tx: &mut Tx,
    _permit: &Permit,
    repair: RepairId,
    new: &NewWork,
    by: Option<PersonId>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let id = uuid::Uuid::now_v7();
    execute!(
        tx,
        ADD_WORK,
        id,
        repair,
        new.kind,
        new.label.as_str(),
        new.quantity,
        new.part_number.as_deref(),
        by,
        now
    )?;
    Ok(())
}

/// A line of the customer's timeline.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EventRow {
    pub at: DateTime<Utc>,
    #[sqlx(try_from = "String")]
    pub actor: Actor,
    pub verb: String,
    #[sqlx(try_from = "String")]
    pub to_state: State,
    pub note: Option<String>,
}

const EVENTS: &str = "select at, actor, verb, to_state, note from repair_event where repair_id = $1 order by at, id";
const ADD_EVENT: &str = "insert into repair_event (id, repair_id, at, actor, verb, from_state, to_state, note) \
    values ($1, $2, $3, $4, $5, $6, $7, $8)";

/// What happened so far, oldest first.
pub async fn events(tx: &mut Tx, repair: RepairId) -> Result<Vec<EventRow>, AppError> {
    Ok(fetch_all!(tx, EventRow, EVENTS, repair)?)
}

/// What happens now.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent<'a> {
    pub actor: Actor,
    /// A [`Verb`], or `book` and `request` for the beginning.
    pub verb: &'a str,
    pub from: Option<State>,
    pub to: State,
    pub note: Option<&'a str>,
}

impl<'a> NewEvent<'a> {
    /// A move of the job.
    pub fn of(actor: Actor, verb: Verb, from: State, to: State, note: Option<&'a str>) -> Self {
        Self { actor, verb: verb.as_str(), from: Some(from), to, note }
    }
}

/// Adds to the customer's timeline.
pub async fn add_event(
    tx: &mut Tx,
    _permit: &Permit,
    repair: RepairId,
    new: NewEvent<'_>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let id = uuid::Uuid::now_v7();
    execute!(
        tx,
        ADD_EVENT,
        id,
        repair,
        now,
        new.actor.as_str(),
        new.verb,
        new.from.map(State::as_str),
        new.to.as_str(),
        new.note
    )?;
    Ok(())
}

const NAME_OF: &str = "select name from person where id = $1";

/// A person's name.
pub async fn name_of(tx: &mut Tx, person: PersonId) -> Result<Option<String>, AppError> {
    Ok(fetch_scalar!(tx, String, NAME_OF, person)?)
}
