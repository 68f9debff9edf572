//! Enrolments and the counters of a class. The counters decide: a seat is taken by an update that finds one free.

use super::{RulesRow, class};
use crate::{
    access::Permit,
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_one, fetch_optional, fetch_scalar,
    training::domain::{ClassState, Ending, EnrolmentState, Policy},
    values::{BenefitId, ClassId, Currency, EnrolmentId, OrganisationId, PartyId, PersonId},
};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// One person's place in a class.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EnrolmentRow {
    pub id: EnrolmentId,
    pub class_id: ClassId,
    pub person_id: PersonId,
    pub person_name: String,
    pub organisation_id: Option<OrganisationId>,
    /// The group that they are in, where a firm enrolled them.
    pub party_id: Option<PartyId>,
    #[sqlx(try_from = "String")]
    pub state: EnrolmentState,
    pub queue_number: Option<i64>,
    pub offered_until: Option<DateTime<Utc>>,
    pub benefit_id: Option<BenefitId>,
    pub price_minor: i64,
    pub price_currency: Currency,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}

macro_rules! enrolment_columns {
    () => {
        "e.id, e.class_id, e.person_id, p.name as person_name, e.organisation_id, e.party_id, e.state, \
         e.queue_number, e.offered_until, e.benefit_id, e.price_minor, e.price_currency, e.created_at, e.changed_at "
    };
}
pub(super) use enrolment_columns;

macro_rules! enrolment {
    ($rest:literal) => {
        concat!("select ", enrolment_columns!(), "from enrolment e join person p on p.id = e.person_id ", $rest)
    };
}

const ENROLMENT: &str = enrolment!("where e.id = $1");
const ACTIVE: &str =
    enrolment!("where e.class_id = $1 and e.person_id = $2 and e.state in ('waitlisted', 'offered', 'booked')");
const LATEST: &str =
    enrolment!("where e.class_id = $1 and e.person_id = $2 order by e.created_at desc, e.id desc limit 1");
const OF_CLASS: &str = enrolment!(
    "where e.class_id = $1 and e.state in ('waitlisted', 'offered', 'booked') \
     order by e.state, e.queue_number nulls first, p.name, e.id"
);

pub async fn enrolment(tx: &mut Tx, id: EnrolmentId) -> Result<EnrolmentRow, AppError> {
    fetch_optional!(tx, EnrolmentRow, ENROLMENT, id)?.ok_or(AppError::NotFound)
}

/// The place that a person has in a class now.
pub async fn active(tx: &mut Tx, class: ClassId, person: PersonId) -> Result<Option<EnrolmentRow>, AppError> {
    Ok(fetch_optional!(tx, EnrolmentRow, ACTIVE, class, person)?)
}

/// The last place that a person had in a class, ended or not.
pub async fn latest(tx: &mut Tx, class: ClassId, person: PersonId) -> Result<Option<EnrolmentRow>, AppError> {
    Ok(fetch_optional!(tx, EnrolmentRow, LATEST, class, person)?)
}

const GAVE_UP: &str = "select e.id from enrolment e where e.class_id = $1 and e.person_id = $2 \
    and e.ended_because in ('cancelled', 'declined') limit 1";

/// Whether a person had a place in a class that was given up, by them or for them: cancelled, or declined when it was
/// offered.
pub async fn gave_up(tx: &mut Tx, class: ClassId, person: PersonId) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, EnrolmentId, GAVE_UP, class, person)?.is_some())
}

/// Everybody with a place in the class: booked, offered, and the line in its order.
pub async fn of_class(tx: &mut Tx, class: ClassId) -> Result<Vec<EnrolmentRow>, AppError> {
    Ok(fetch_all!(tx, EnrolmentRow, OF_CLASS, class)?)
}

const CANCELLED_LATE: &str = "select e.id, e.benefit_id, coalesce((select g.person_id from charge g \
    where g.entity = 'enrolment' and g.entity_id = e.id and g.state <> 'void' and g.reversed_at is null limit 1), \
    y.owner_id, e.person_id) as payer_id from \
    (select id, benefit_id, person_id, party_id from enrolment where class_id = $1 and state = 'cancelled_late' \
    union all select id, benefit_id, null, party_id from unnamed_seat where class_id = $1 and state = 'cancelled') e \
    left join party y on y.id = e.party_id order by e.id";

/// The seats of a class that were cancelled after its cut-off, with the benefit that paid and with who pays for them:
/// whoever is charged, else the owner who enrolled their group, else their learner. Of seats without a name only the ledger
/// and the charges know whether it was late: all that were given back are here.
pub async fn cancelled_late(
    tx: &mut Tx,
    class: ClassId,
) -> Result<Vec<(EnrolmentId, Option<BenefitId>, PersonId)>, AppError> {
    Ok(fetch_all!(tx, (EnrolmentId, Option<BenefitId>, PersonId), CANCELLED_LATE, class)?)
}

const POSITION: &str = "select (select count(*) from enrolment where class_id = $1 and state = 'waitlisted' and queue_number <= $2) \
    + (select count(*) from unnamed_seat where class_id = $1 and state = 'waitlisted' and queue_number <= $2)";

/// The place in line, from 1.
pub async fn position(tx: &mut Tx, class: ClassId, queue_number: i64) -> Result<i64, AppError> {
    Ok(fetch_scalar!(tx, i64, POSITION, class, queue_number)?.unwrap_or(1))
}

const TAKE_SEAT: &str = "update class set taken = taken + 1 \
    where id = $1 and state = 'open' and taken + held < capacity - guests and (waiting = 0 or $2)";
const JOIN_LINE: &str = "update class set waiting = waiting + 1, queue = queue + 1 where id = $1 and state = 'open' returning queue, waiting";
pub(super) const COUNT: &str =
    "update class set taken = taken + $2, held = held + $3, waiting = waiting + $4 where id = $1";

/// Takes a seat if one is free: not past those who wait, unless the waitlist is closed.
pub async fn take_seat(tx: &mut Tx, _: &Permit, class: ClassId, frozen: bool) -> Result<bool, AppError> {
    Ok(execute!(tx, TAKE_SEAT, class, frozen)? == 1)
}

/// Draws the next number in line; gives it with the place in line that it stands for. Whoever comes last has everybody
/// who waits before them, and nobody counts a long line.
pub async fn join_line(tx: &mut Tx, _: &Permit, class: ClassId) -> Result<(i64, i64), AppError> {
    Ok(fetch_one!(tx, (i64, i64), JOIN_LINE, class)?)
}

/// How an enrolment's state is counted: taken, held, waiting.
pub(super) fn counted(state: EnrolmentState) -> (i64, i64, i64) {
    match state {
        EnrolmentState::Booked => (1, 0, 0),
        EnrolmentState::Offered => (0, 1, 0),
        EnrolmentState::Waitlisted => (0, 0, 1),
        EnrolmentState::Cancelled | EnrolmentState::CancelledLate => (0, 0, 0),
    }
}

/// A new enrolment.
#[derive(Clone, Debug)]
pub struct NewEnrolment {
    pub id: EnrolmentId,
    pub class: ClassId,
    pub person: PersonId,
    pub organisation: Option<OrganisationId>,
    pub state: EnrolmentState,
    pub queue_number: Option<i64>,
    pub offered_until: Option<DateTime<Utc>>,
    pub price_currency: Currency,
}

const INSERT: &str = "insert into enrolment (id, class_id, person_id, organisation_id, state, queue_number, offered_until, \
    price_minor, price_currency, created_at, changed_at) values ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $9)";

/// Writes it down; the counter has been moved by [`take_seat`], [`join_line`] or [`hold_seat`].
pub async fn insert_enrolment(tx: &mut Tx, _: &Permit, new: &NewEnrolment, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(
        tx,
        INSERT,
        new.id,
        new.class,
        new.person,
        new.organisation,
        new.state.as_str(),
        new.queue_number,
        new.offered_until,
        new.price_currency,
        now
    )?;
    Ok(())
}

const HOLD_SEAT: &str = "update class set held = held + 1 \
    where id = $1 and state = 'open' and taken + held < capacity - guests and waiting = 0";

/// Holds a seat for somebody from outside of the line.
pub async fn hold_seat(tx: &mut Tx, _: &Permit, class: ClassId) -> Result<bool, AppError> {
    Ok(execute!(tx, HOLD_SEAT, class)? == 1)
}

const MOVE: &str = "update enrolment set state = $3, offered_until = $4, ended_because = $5, changed_at = $6 \
    where id = $1 and state = $2";

/// From one state to another, with the class's counters.
pub async fn move_enrolment(
    tx: &mut Tx,
    _: &Permit,
    row: &EnrolmentRow,
    to: EnrolmentState,
    until: Option<DateTime<Utc>>,
    because: Option<Ending>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let (was, is) = (counted(row.state), counted(to));
    let rows = execute!(tx, MOVE, row.id, row.state.as_str(), to.as_str(), until, because.map(Ending::as_str), now)?;
    if rows != 1 {
        return Err(AppError::Busy);
    }
    execute!(tx, COUNT, row.class_id, is.0 - was.0, is.1 - was.1, is.2 - was.2)?;
    Ok(())
}

const SEAT_FROM_LINE: &str =
    "update enrolment set state = 'booked', changed_at = $2 where id = $1 and state = 'waitlisted'";

/// From the line onto a seat that [`take_seat`] has taken, once the waitlist is closed.
pub async fn seat_from_line(tx: &mut Tx, _: &Permit, row: &EnrolmentRow, now: DateTime<Utc>) -> Result<(), AppError> {
    if execute!(tx, SEAT_FROM_LINE, row.id, now)? != 1 {
        return Err(AppError::Busy);
    }
    execute!(tx, COUNT, row.class_id, 0_i64, 0_i64, -1_i64)?;
    Ok(())
}

const PAID_BY: &str = "update enrolment set benefit_id = $2, price_minor = $3, price_currency = $4 where id = $1";

/// Keeps what the seat was agreed to cost.
pub async fn set_cost(
    tx: &mut Tx,
    _: &Permit,
    id: EnrolmentId,
    benefit: Option<BenefitId>,
    minor: i64,
    currency: Currency,
) -> Result<(), AppError> {
    execute!(tx, PAID_BY, id, benefit, minor, currency)?;
    Ok(())
}

/// One line of a person's classes.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MineRow {
    pub enrolment_id: EnrolmentId,
    pub class_id: ClassId,
    pub title: String,
    pub zone: String,
    pub place: String,
    pub address: Option<String>,
    /// The address on line: for those alone who have a seat.
    pub link: Option<String>,
    #[sqlx(try_from = "String")]
    pub class_state: ClassState,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    /// When its first session begins that is not over.
    next_at: Option<DateTime<Utc>>,
    pub cut_off_hours: i64,
    pub sequence: i64,
    pub changed_at: DateTime<Utc>,
    #[sqlx(try_from = "String")]
    pub state: EnrolmentState,
    pub queue_number: Option<i64>,
    pub offered_until: Option<DateTime<Utc>>,
    pub since: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub certificate: Option<String>,
    pub last_valid_on: Option<NaiveDate>,
    #[sqlx(flatten)]
    pub rules: RulesRow,
    pub party_id: Option<PartyId>,
}

impl MineRow {
    pub fn tz(&self) -> Tz {
        crate::calendar::server::zone::named(&self.zone)
    }

    pub fn policy(&self) -> Policy {
        self.rules.policy(self.starts_at, self.cut_off_hours)
    }

    pub fn path(&self) -> String {
        format!("/training/{}", self.class_id)
    }

    pub fn is_coming(&self) -> bool {
        self.state.is_active() && !self.class_state.is_over()
    }

    /// When one has to be there next; of what is over, when it began.
    pub fn next(&self) -> DateTime<Utc> {
        self.next_at.filter(|_| self.is_coming()).unwrap_or(self.starts_at)
    }
}

macro_rules! mine {
    ($rest:literal) => {
        concat!(
            "select e.id as enrolment_id, c.id as class_id, c.title, c.zone, c.place, r.address, c.link, c.state as class_state, ",
            "c.starts_at, c.ends_at, ",
            "(select min(s.starts_at) from class_session s where s.class_id = c.id and s.ends_at > $2) as next_at, ",
            "c.cut_off_hours, c.sequence, c.changed_at, e.state, e.queue_number, e.offered_until, ",
            "e.changed_at as since, e.created_at, f.code as certificate, f.last_valid_on, e.party_id, ",
            "c.opens_at, c.closes_at, c.grace_until, c.freeze_minutes, c.offer_minutes, c.late_cancel, c.no_show ",
            "from enrolment e join class c on c.id = e.class_id left join room r on r.id = c.room_id ",
            "left join certificate f on f.enrolment_id = e.id ",
            $rest
        )
    };
}

const MINE_COMING: &str = mine!(
    "where e.person_id = $1 and e.state in ('waitlisted', 'offered', 'booked') and c.state in ('open', 'running') \
     and c.ends_at > $2 order by next_at, e.id limit 200"
);
const MINE_PAST: &str = mine!(
    "where e.person_id = $1 and (e.state in ('cancelled', 'cancelled_late') or c.state in ('completed', 'cancelled') \
     or c.ends_at <= $2) and (e.created_at, e.id) < ($3, $4) order by e.created_at desc, e.id desc limit $5"
);
const OF_PLACE: &str = mine!("where e.id = $1");
const FEED: &str = mine!(
    "where e.person_id = $1 and (e.state in ('booked', 'offered', 'waitlisted') or e.changed_at > $2) \
     order by c.starts_at, e.id limit 500"
);

/// The places that a person has in classes that are not over, by their next session.
pub async fn mine_coming(tx: &mut Tx, person: PersonId, now: DateTime<Utc>) -> Result<Vec<MineRow>, AppError> {
    Ok(fetch_all!(tx, MineRow, MINE_COMING, person, now)?)
}

/// What is over for a person, closed by its trainer or not, latest first, before a place in that order.
pub async fn mine_past(
    tx: &mut Tx,
    person: PersonId,
    now: DateTime<Utc>,
    before: (DateTime<Utc>, uuid::Uuid),
    most: i64,
) -> Result<Vec<MineRow>, AppError> {
    Ok(fetch_all!(tx, MineRow, MINE_PAST, person, now, before.0, before.1, most)?)
}

/// One place, as the list of a person's classes and their calendar have it.
pub async fn of_place(tx: &mut Tx, id: EnrolmentId, now: DateTime<Utc>) -> Result<MineRow, AppError> {
    fetch_optional!(tx, MineRow, OF_PLACE, id, now)?.ok_or(AppError::NotFound)
}

/// Everything for a person's calendar: what there is, and what ended since `since`, so that programs take it out.
pub async fn for_feed(tx: &mut Tx, person: PersonId, since: DateTime<Utc>) -> Result<Vec<MineRow>, AppError> {
    Ok(fetch_all!(tx, MineRow, FEED, person, since)?)
}

const FEED_SESSIONS: &str = "select s.id, s.class_id, s.starts_at, s.ends_at from enrolment e join class_session s on s.class_id = e.class_id \
    where e.person_id = $1 and (e.state in ('booked', 'offered', 'waitlisted') or e.changed_at > $2) \
    order by s.starts_at limit 2000";

/// The sessions of [`for_feed`].
pub async fn feed_sessions(
    tx: &mut Tx,
    person: PersonId,
    since: DateTime<Utc>,
) -> Result<Vec<super::SessionRow>, AppError> {
    Ok(fetch_all!(tx, super::SessionRow, FEED_SESSIONS, person, since)?)
}

const LIVE: &str = "select capacity - guests as capacity, taken, held, waiting, state, starts_at, cut_off_hours, opens_at, closes_at, grace_until, \
    freeze_minutes, offer_minutes, late_cancel, no_show from class where id = $1 and state <> 'draft'";

/// The counters of a class alone, for the page that watches them.
pub async fn live(tx: &mut Tx, id: ClassId) -> Result<(crate::training::domain::Seats, ClassState, Policy), AppError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        capacity: i64,
        taken: i64,
        held: i64,
        waiting: i64,
        #[sqlx(try_from = "String")]
        state: ClassState,
        starts_at: DateTime<Utc>,
        cut_off_hours: i64,
        #[sqlx(flatten)]
        rules: RulesRow,
    }
    let row = fetch_one!(tx, Row, LIVE, id)?;
    let seats = crate::training::domain::Seats {
        capacity: row.capacity,
        taken: row.taken,
        held: row.held,
        waiting: row.waiting,
    };
    Ok((seats, row.state, row.rules.policy(row.starts_at, row.cut_off_hours)))
}

/// The class of an enrolment, for whoever has only that.
pub async fn class_of(tx: &mut Tx, id: EnrolmentId) -> Result<super::ClassRow, AppError> {
    let row = enrolment(tx, id).await?;
    class(tx, row.class_id).await
}
