//! What planning keeps beside the class: its rules, its sessions as they move, who and what it needs, absences, hours.

use super::clock;
use crate::{
    access::Permit,
    calendar::{domain::Span, hours::Opening},
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    server::fresh,
    training::domain::{Effect, Policy, Terms, Window},
    values::{AbsenceId, ClassId, ClassSessionId, EnrolmentId, EquipmentId, PersonId},
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// The rules of one class, as they were when it was published.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct RulesRow {
    pub opens_at: Option<DateTime<Utc>>,
    pub closes_at: Option<DateTime<Utc>>,
    pub grace_until: Option<DateTime<Utc>>,
    pub freeze_minutes: i64,
    pub offer_minutes: i64,
    #[sqlx(try_from = "String")]
    pub late_cancel: Effect,
    #[sqlx(try_from = "String")]
    pub no_show: Effect,
}

impl RulesRow {
    pub fn window(&self) -> Window {
        Window { opens: self.opens_at, closes: self.closes_at }
    }

    pub fn policy(&self, starts: DateTime<Utc>, cut_off_hours: i64) -> Policy {
        let terms = Terms {
            freeze_minutes: self.freeze_minutes,
            offer_minutes: self.offer_minutes,
            late_cancel: self.late_cancel,
            no_show: self.no_show,
        };
        Policy { starts, cut_off_hours, terms, window: self.window(), grace: self.grace_until }
    }
}

const SET_TERMS: &str = "update class set freeze_minutes = $2, offer_minutes = $3, late_cancel = $4, no_show = $5, \
    grace_until = null, pass_percent = (select k.pass_percent from course k where k.id = class.course_id) where id = $1";

/// Freezes the company's rules on a class that is published, and what its course asks for a certificate. Nobody has
/// agreed to anything else before.
pub async fn set_terms(tx: &mut Tx, _: &Permit, id: ClassId, terms: &Terms) -> Result<(), AppError> {
    let (late, no_show) = (terms.late_cancel.as_str(), terms.no_show.as_str());
    execute!(tx, SET_TERMS, id, terms.freeze_minutes, terms.offer_minutes, late, no_show)?;
    Ok(())
}

const OFFERED_UNDER: &str = "update enrolment set offer_freezes_at = $2 where id = $1";
const UNNAMED_UNDER: &str = "update unnamed_seat set offer_freezes_at = $2 where id = $1";
const MOVE_OFFER: &str =
    "update enrolment set offered_until = $2, offer_freezes_at = $3 where id = $1 and state = 'offered'";

/// Keeps under which freeze an offer was made, of a seat with a name or without.
pub async fn offered_under(tx: &mut Tx, _: &Permit, id: EnrolmentId, freezes: DateTime<Utc>) -> Result<(), AppError> {
    if execute!(tx, OFFERED_UNDER, id, freezes)? == 0 {
        execute!(tx, UNNAMED_UNDER, id, freezes)?;
    }
    Ok(())
}

/// Another end for an offer, because its class was moved.
pub async fn move_offer(
    tx: &mut Tx,
    _: &Permit,
    id: EnrolmentId,
    until: DateTime<Utc>,
    freezes: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(tx, MOVE_OFFER, id, until, freezes)?;
    Ok(())
}

const MOVE_SESSION: &str =
    "update class_session set held_on = $2, starts = $3, ends = $4, starts_at = $5, ends_at = $6 where id = $1";
/// What hangs on a session: marks made before its time, what learners said of it, places in it that ended.
const FORGET_MARKS: &str = "delete from attendance where session_id = $1";
const FORGET_WORDS: &str = "delete from announcement where session_id = $1";
const FORGET_GUESTS: &str = "delete from make_up where state = 'cancelled' and (session_id = $1 or missed_id = $1)";
const REMOVE_SESSION: &str = "delete from class_session where id = $1";

const ANNOUNCED: &str = "select enrolment_id from announcement where session_id = $1 order by enrolment_id";

/// Forgets what was said and marked of a session before its time, because it begins at another one; gives the seats that
/// had said something of it.
pub async fn forget_session(tx: &mut Tx, _: &Permit, id: ClassSessionId) -> Result<Vec<EnrolmentId>, AppError> {
    let spoke = fetch_all!(tx, (EnrolmentId,), ANNOUNCED, id)?.into_iter().map(|(seat,)| seat).collect();
    for forget in [FORGET_MARKS, FORGET_WORDS] {
        execute!(tx, forget, id)?;
    }
    Ok(spoke)
}

/// Another time for a session.
pub async fn move_session(tx: &mut Tx, _: &Permit, id: ClassSessionId, zone: Tz, span: Span) -> Result<(), AppError> {
    let (from, until) = (span.from.with_timezone(&zone), span.until.with_timezone(&zone));
    execute!(tx, MOVE_SESSION, id, from.date_naive(), clock(from), clock(until), span.from, span.until)?;
    Ok(())
}

/// Takes a session out that has not begun, with the marks that were made before its time.
pub async fn remove_session(tx: &mut Tx, _: &Permit, id: ClassSessionId) -> Result<(), AppError> {
    for forget in [FORGET_MARKS, FORGET_WORDS, FORGET_GUESTS] {
        execute!(tx, forget, id)?;
    }
    execute!(tx, REMOVE_SESSION, id)?;
    Ok(())
}

const ASSISTANTS: &str = "select p.id, p.name from class_assistant a join person p on p.id = a.person_id \
    where a.class_id = $1 order by p.name, p.id";
const CLEAR_ASSISTANTS: &str = "delete from class_assistant where class_id = $1";
const ADD_ASSISTANT: &str = "insert into class_assistant (class_id, person_id) values ($1, $2)";
const STAFF: &str = "select id, name from person where staff and erased_at is null order by name, id limit 500";
const WITH_HOURS: &str = "select distinct p.id, p.name from person p join person_role r on r.person_id = p.id \
    where r.role in ('trainer', 'technician') and p.erased_at is null order by p.name, p.id limit 400";
const NAME: &str = "select name from person where id = $1 and staff";

/// Who helps in a class.
pub async fn assistants(tx: &mut Tx, class: ClassId) -> Result<Vec<(PersonId, String)>, AppError> {
    Ok(fetch_all!(tx, (PersonId, String), ASSISTANTS, class)?)
}

const ASSISTS: &str = "select count(*) from class_assistant where class_id = $1 and person_id = $2";

/// Whether somebody helps in a class.
pub async fn assists(tx: &mut Tx, class: ClassId, person: PersonId) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, i64, ASSISTS, class, person)?.unwrap_or(0) > 0)
}

pub async fn set_assistants(tx: &mut Tx, _: &Permit, class: ClassId, people: &[PersonId]) -> Result<(), AppError> {
    execute!(tx, CLEAR_ASSISTANTS, class)?;
    for person in people {
        execute!(tx, ADD_ASSISTANT, class, *person)?;
    }
    Ok(())
}

/// Everybody who can help in a class.
pub async fn staff(tx: &mut Tx) -> Result<Vec<(PersonId, String)>, AppError> {
    Ok(fetch_all!(tx, (PersonId, String), STAFF)?)
}

/// Whose absences count: whoever teaches, and whoever repairs.
pub async fn with_hours(tx: &mut Tx) -> Result<Vec<(PersonId, String)>, AppError> {
    Ok(fetch_all!(tx, (PersonId, String), WITH_HOURS)?)
}

/// The name of somebody of the staff.
pub async fn staff_name(tx: &mut Tx, person: PersonId) -> Result<Option<String>, AppError> {
    Ok(fetch_scalar!(tx, String, NAME, person)?)
}

/// A thing that classes use.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct EquipmentRow {
    pub id: EquipmentId,
    pub name: String,
    pub place: String,
    pub version: i64,
    pub retired_at: Option<DateTime<Utc>>,
}

const ALL_EQUIPMENT: &str =
    "select id, name, place, version, retired_at from equipment order by place, name, id limit 500";
const ONE_EQUIPMENT: &str = "select id, name, place, version, retired_at from equipment where id = $1";
const NEXT_USE: &str = "select c.title, c.starts_at from class_equipment u join class c on c.id = u.class_id \
    where u.equipment_id = $1 and c.state in ('draft', 'open', 'running') and c.ends_at > $2 \
    order by c.starts_at, c.id limit 1";
const UPDATE_EQUIPMENT: &str =
    "update equipment set name = $2, place = $3, retired_at = $4, version = version + 1 where id = $1 and version = $5";
const OF_CLASS: &str = "select q.id, q.name, q.place, q.version, q.retired_at from class_equipment c join equipment q on q.id = c.equipment_id \
    where c.class_id = $1 order by q.name, q.id";
const INSERT_EQUIPMENT: &str = "insert into equipment (id, name, place, created_at) values ($1, $2, $3, $4)";
const CLEAR_EQUIPMENT: &str = "delete from class_equipment where class_id = $1";
const ADD_EQUIPMENT: &str = "insert into class_equipment (class_id, equipment_id) values ($1, $2)";

pub async fn all_equipment(tx: &mut Tx) -> Result<Vec<EquipmentRow>, AppError> {
    Ok(fetch_all!(tx, EquipmentRow, ALL_EQUIPMENT)?)
}

pub async fn equipment(tx: &mut Tx, id: EquipmentId) -> Result<Option<EquipmentRow>, AppError> {
    Ok(fetch_optional!(tx, EquipmentRow, ONE_EQUIPMENT, id)?)
}

/// The first class to come that uses it, and when that begins.
pub async fn next_use(
    tx: &mut Tx,
    id: EquipmentId,
    now: DateTime<Utc>,
) -> Result<Option<(String, DateTime<Utc>)>, AppError> {
    Ok(fetch_optional!(tx, (String, DateTime<Utc>), NEXT_USE, id, now)?)
}

/// Stores it, if nobody else has changed it since its version.
pub async fn update_equipment(tx: &mut Tx, _: &Permit, row: &EquipmentRow) -> Result<(), AppError> {
    let rows = execute!(tx, UPDATE_EQUIPMENT, row.id, &row.name, &row.place, row.retired_at, row.version)?;
    if rows == 1 { Ok(()) } else { Err(AppError::Busy) }
}

/// What a class uses.
pub async fn equipment_of(tx: &mut Tx, class: ClassId) -> Result<Vec<EquipmentRow>, AppError> {
    Ok(fetch_all!(tx, EquipmentRow, OF_CLASS, class)?)
}

pub async fn insert_equipment(tx: &mut Tx, _: &Permit, row: &EquipmentRow, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, INSERT_EQUIPMENT, row.id, &row.name, &row.place, now)?;
    Ok(())
}

pub async fn set_equipment(tx: &mut Tx, _: &Permit, class: ClassId, things: &[EquipmentId]) -> Result<(), AppError> {
    execute!(tx, CLEAR_EQUIPMENT, class)?;
    for thing in things {
        execute!(tx, ADD_EQUIPMENT, class, *thing)?;
    }
    Ok(())
}

/// A time at which somebody does not work.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AbsenceRow {
    pub id: AbsenceId,
    pub person_id: PersonId,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub why: String,
}

const ABSENCES: &str = "select id, person_id, starts_at, ends_at, why from absence \
    where person_id = $1 and ends_at > $2 order by ends_at, id limit 200";
const ABSENCE: &str = "select id, person_id, starts_at, ends_at, why from absence where id = $1";
const INSERT_ABSENCE: &str =
    "insert into absence (id, person_id, starts_at, ends_at, why, created_at) values ($1, $2, $3, $4, $5, $6)";
const REMOVE_ABSENCE: &str = "delete from absence where id = $1";

/// Somebody's absences that are not over.
pub async fn absences(tx: &mut Tx, person: PersonId, now: DateTime<Utc>) -> Result<Vec<AbsenceRow>, AppError> {
    Ok(fetch_all!(tx, AbsenceRow, ABSENCES, person, now)?)
}

pub async fn absence(tx: &mut Tx, id: AbsenceId) -> Result<Option<AbsenceRow>, AppError> {
    Ok(fetch_optional!(tx, AbsenceRow, ABSENCE, id)?)
}

pub async fn insert_absence(
    tx: &mut Tx,
    _: &Permit,
    person: PersonId,
    span: Span,
    why: &str,
    now: DateTime<Utc>,
) -> Result<AbsenceId, AppError> {
    let id: AbsenceId = fresh();
    execute!(tx, INSERT_ABSENCE, id, person, span.from, span.until, why, now)?;
    Ok(id)
}

pub async fn remove_absence(tx: &mut Tx, _: &Permit, id: AbsenceId) -> Result<(), AppError> {
    execute!(tx, REMOVE_ABSENCE, id)?;
    Ok(())
}

const HOURS: &str = "select weekday, opens, closes from working_hours where person_id = $1 order by weekday, opens";
const CLEAR_HOURS: &str = "delete from working_hours where person_id = $1";
const ADD_HOURS: &str = "insert into working_hours (person_id, weekday, opens, closes) values ($1, $2, $3, $4)";

/// When somebody works; nothing where they did not say.
pub async fn working_hours(tx: &mut Tx, person: PersonId) -> Result<Vec<Opening>, AppError> {
    let rows = fetch_all!(tx, (i64, i64, i64), HOURS, person)?;
    let opening = |(weekday, opens, closes): (i64, i64, i64)| {
        Opening::new(u8::try_from(weekday).ok()?, u16::try_from(opens).ok()?, u16::try_from(closes).ok()?)
    };
    Ok(rows.into_iter().filter_map(opening).collect())
}

pub async fn set_working_hours(tx: &mut Tx, _: &Permit, person: PersonId, hours: &[Opening]) -> Result<(), AppError> {
    execute!(tx, CLEAR_HOURS, person)?;
    for one in hours {
        let (weekday, opens, closes) = (i64::from(one.weekday), i64::from(one.opens), i64::from(one.closes));
        execute!(tx, ADD_HOURS, person, weekday, opens, closes)?;
    }
    Ok(())
}
