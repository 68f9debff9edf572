//! Missed sessions that are made up in another class, and the seats that their guests take there.

use crate::{
    access::Permit,
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    training::domain::{ClassState, Mark},
    values::{CertificateId, ClassId, ClassSessionId, CourseId, EnrolmentId, MakeUpId, PersonId},
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::HashMap;

/// A make-up with what its pages say of it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct MakeUpRow {
    pub id: MakeUpId,
    pub enrolment_id: EnrolmentId,
    pub person_id: PersonId,
    pub person_name: String,
    pub person_email: Option<String>,
    pub missed_id: ClassSessionId,
    /// The class of which the session was missed.
    pub home_id: ClassId,
    pub home_title: String,
    pub session_id: ClassSessionId,
    pub class_id: ClassId,
    pub title: String,
    pub zone: String,
    pub place: String,
    /// The address on line of the class that the guest is in.
    pub link: Option<String>,
    #[sqlx(try_from = "String")]
    pub class_state: ClassState,
    /// How often the times or the place of the class have changed.
    pub sequence: i64,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    mark: Option<String>,
    was: Option<String>,
}

impl MakeUpRow {
    pub fn mark(&self) -> Option<Mark> {
        self.mark.as_deref().and_then(|word| word.parse().ok())
    }

    /// What the mark was before it was set last.
    pub fn was(&self) -> Option<Mark> {
        self.was.as_deref().and_then(|word| word.parse().ok())
    }

    pub fn tz(&self) -> Tz {
        crate::calendar::server::zone::named(&self.zone)
    }

    pub fn path(&self) -> String {
        crate::training::server::make_ups::path(self.home_id)
    }
}

macro_rules! make_up {
    ($rest:literal) => {
        concat!(
            "select m.id, m.enrolment_id, m.person_id, p.name as person_name, p.email as person_email, m.missed_id, h.class_id as home_id, ",
            "k.title as home_title, m.session_id, m.class_id, c.title, c.zone, c.place, c.link, c.state as class_state, c.sequence, ",
            "s.starts_at, s.ends_at, m.changed_at, m.mark, m.was ",
            "from make_up m join person p on p.id = m.person_id join class_session h on h.id = m.missed_id ",
            "join class k on k.id = h.class_id join class_session s on s.id = m.session_id join class c on c.id = m.class_id ",
            $rest
        )
    };
}

const BY_ID: &str = make_up!("where m.id = $1 and m.state = 'booked'");
const OF_ENROLMENT: &str =
    make_up!("where m.enrolment_id = $1 and m.state = 'booked' order by m.created_at, m.id limit 200");
const GUESTS: &str = make_up!("where m.class_id = $1 and m.state = 'booked' order by p.name, m.id");
const WITH_CLASS: &str =
    make_up!("where (m.class_id = $1 or h.class_id = $1) and m.state = 'booked' and m.mark is null order by m.id");
const OF_MISSED: &str = make_up!("where m.missed_id = $1 and m.state = 'booked' order by m.id");
const COMING: &str = make_up!(
    "where m.person_id = $1 and m.state = 'booked' and m.mark is null and s.ends_at > $2 order by s.starts_at, m.id limit 50"
);

/// A make-up that stands; the cancelled are not found.
pub async fn make_up(tx: &mut Tx, id: MakeUpId) -> Result<MakeUpRow, AppError> {
    fetch_optional!(tx, MakeUpRow, BY_ID, id)?.ok_or(AppError::NotFound)
}

/// The make-ups of one seat, first made first.
pub async fn make_ups(tx: &mut Tx, enrolment: EnrolmentId) -> Result<Vec<MakeUpRow>, AppError> {
    Ok(fetch_all!(tx, MakeUpRow, OF_ENROLMENT, enrolment)?)
}

/// The guests of a class, of all its sessions.
pub async fn guests(tx: &mut Tx, class: ClassId) -> Result<Vec<MakeUpRow>, AppError> {
    Ok(fetch_all!(tx, MakeUpRow, GUESTS, class)?)
}

/// The make-ups that are still to come and have to do with a class: in it, or of what was missed there.
pub async fn make_ups_with(tx: &mut Tx, class: ClassId) -> Result<Vec<MakeUpRow>, AppError> {
    Ok(fetch_all!(tx, MakeUpRow, WITH_CLASS, class)?)
}

/// The make-ups of one session that was missed.
pub async fn make_ups_of_session(tx: &mut Tx, missed: ClassSessionId) -> Result<Vec<MakeUpRow>, AppError> {
    Ok(fetch_all!(tx, MakeUpRow, OF_MISSED, missed)?)
}

/// The sessions in which a person will be a guest.
pub async fn make_ups_coming(tx: &mut Tx, person: PersonId, now: DateTime<Utc>) -> Result<Vec<MakeUpRow>, AppError> {
    Ok(fetch_all!(tx, MakeUpRow, COMING, person, now)?)
}

/// Of a seat `e` of a class that is closed: something was made up or is still to be, or the seat was used all the same.
macro_rules! kept {
    () => {
        "(exists (select 1 from make_up m join class h on h.id = m.class_id where m.enrolment_id = e.id \
         and m.state = 'booked' and (m.mark in ('present', 'late', 'partial') or h.state in ('open', 'running'))) \
         or exists (select 1 from benefit_entry b where b.benefit_id = e.benefit_id and b.entity = 'enrolment' \
         and b.entity_id = e.id and b.settled_as = 'used'))"
    };
}
pub(super) use kept;

const KEPT: &str = concat!("select count(*) from enrolment e where e.id = $1 and ", kept!());

/// Whether a seat is kept although nobody came to its class, so that more of it can be made up.
pub async fn is_kept(tx: &mut Tx, enrolment: EnrolmentId) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, i64, KEPT, enrolment)?.unwrap_or(0) > 0)
}

const TO_COME: &str = "select m.id, m.created_at, s.starts_at from make_up m join class_session s on s.id = m.session_id \
    where m.state = 'booked' and m.mark is null and s.starts_at > $1 order by s.starts_at, m.id";

/// All make-ups that are still to come: when they were booked, and when they begin.
pub async fn make_ups_to_come(
    tx: &mut Tx,
    now: DateTime<Utc>,
) -> Result<Vec<(MakeUpId, DateTime<Utc>, DateTime<Utc>)>, AppError> {
    Ok(fetch_all!(tx, (MakeUpId, DateTime<Utc>, DateTime<Utc>), TO_COME, now)?)
}

/// A session in which a missed one could be made up.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct HostRow {
    pub id: ClassSessionId,
    pub class_id: ClassId,
    pub title: String,
    pub zone: String,
    pub place: String,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub number: i64,
    pub guests: i64,
}

impl HostRow {
    pub fn tz(&self) -> Tz {
        crate::calendar::server::zone::named(&self.zone)
    }
}

macro_rules! host {
    ($rest:literal) => {
        concat!(
            "select s.id, s.class_id, c.title, c.zone, c.place, s.starts_at, s.ends_at, s.guests, ",
            "(select count(*) from class_session o where o.class_id = s.class_id and o.starts_at <= s.starts_at) as number ",
            "from class_session s join class c on c.id = s.class_id ",
            $rest
        )
    };
}

const HOST: &str = host!("where s.id = $1");
const HOSTS: &str = host!(
    "where c.course_id = $1 and c.state in ('open', 'running') and c.id <> $2 and s.starts_at > $3 \
     and c.taken + c.held + s.guests < c.capacity \
     and (select count(*) from class_session o where o.class_id = s.class_id and o.starts_at <= s.starts_at) = $4 \
     order by s.starts_at, s.id limit $5"
);

pub async fn host(tx: &mut Tx, session: ClassSessionId) -> Result<HostRow, AppError> {
    fetch_optional!(tx, HostRow, HOST, session)?.ok_or(AppError::NotFound)
}

/// Sessions with this number in other classes of the course that have a seat and are still to come.
pub async fn hosts(
    tx: &mut Tx,
    course: CourseId,
    except: ClassId,
    number: i64,
    now: DateTime<Utc>,
    most: i64,
) -> Result<Vec<HostRow>, AppError> {
    Ok(fetch_all!(tx, HostRow, HOSTS, course, except, now, number, most)?)
}

/// A new make-up.
#[derive(Clone, Copy, Debug)]
pub struct NewMakeUp {
    pub id: MakeUpId,
    pub enrolment: EnrolmentId,
    pub person: PersonId,
    pub missed: ClassSessionId,
    pub session: ClassSessionId,
    pub class: ClassId,
}

const INSERT: &str = "insert into make_up (id, enrolment_id, person_id, missed_id, session_id, class_id, state, created_at, \
    changed_at) values ($1, $2, $3, $4, $5, $6, 'booked', $7, $7) on conflict do nothing";
const TAKE: &str = "update class_session set guests = guests + 1 where id = $1 \
    and guests < (select c.capacity - c.taken - c.held from class c where c.id = class_session.class_id)";
const GIVE: &str = "update class_session set guests = guests - 1 where id = $1 and guests > 0";
const COUNT: &str = "update class set guests = (select max(s.guests) from class_session s where s.class_id = class.id) \
    where id = $1";

/// Takes a seat in the session, if one is free there; the caller holds the class.
pub async fn take_guest_seat(
    tx: &mut Tx,
    _: &Permit,
    class: ClassId,
    session: ClassSessionId,
) -> Result<bool, AppError> {
    let taken = execute!(tx, TAKE, session)? == 1;
    execute!(tx, COUNT, class)?;
    Ok(taken)
}

/// Writes it down; false where that session is made up already.
pub async fn insert_make_up(tx: &mut Tx, _: &Permit, new: &NewMakeUp, now: DateTime<Utc>) -> Result<bool, AppError> {
    let NewMakeUp { id, enrolment, person, missed, session, class } = *new;
    Ok(execute!(tx, INSERT, id, enrolment, person, missed, session, class, now)? == 1)
}

const CANCEL: &str = "update make_up set state = 'cancelled', changed_at = $2 where id = $1 and state = 'booked'";

/// Ends a make-up and gives its seat back.
pub async fn cancel_make_up(tx: &mut Tx, _: &Permit, row: &MakeUpRow, now: DateTime<Utc>) -> Result<(), AppError> {
    if execute!(tx, CANCEL, row.id, now)? != 1 {
        return Err(AppError::Busy);
    }
    execute!(tx, GIVE, row.session_id)?;
    execute!(tx, COUNT, row.class_id)?;
    Ok(())
}

const MARK: &str = "update make_up set mark = $2, was = mark, marked_by = $3, marked_at = $4, changed_at = $4 where id = $1 and state = 'booked'";

/// Marks a guest, or takes the mark back.
pub async fn mark_make_up(
    tx: &mut Tx,
    _: &Permit,
    id: MakeUpId,
    mark: Option<Mark>,
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(tx, MARK, id, mark.map(Mark::as_str), by, now)?;
    Ok(())
}

const UNDO: &str = "update make_up set was = null where id = $1";

/// A mark was taken back: what stands now is not taken back to what was a slip.
pub async fn forget_slip(tx: &mut Tx, _: &Permit, id: MakeUpId) -> Result<(), AppError> {
    execute!(tx, UNDO, id)?;
    Ok(())
}

const MADE_UP: &str = "select m.enrolment_id, m.missed_id, m.mark from make_up m join class_session s on s.id = m.missed_id \
    where s.class_id = $1 and m.state = 'booked' and m.mark in ('present', 'late', 'partial')";
const PENDING: &str = "select m.enrolment_id from make_up m join class_session s on s.id = m.missed_id \
    join class h on h.id = m.class_id where s.class_id = $1 and m.state = 'booked' and h.state in ('open', 'running')";
const PENDING_OF: &str = "select m.id from make_up m join class h on h.id = m.class_id \
    where m.enrolment_id = $1 and m.state = 'booked' and h.state in ('open', 'running')";

/// What the learners of a class have made up: the marks of their make-ups, by seat and missed session.
pub async fn made_up(tx: &mut Tx, class: ClassId) -> Result<HashMap<(EnrolmentId, ClassSessionId), Mark>, AppError> {
    let rows = fetch_all!(tx, (EnrolmentId, ClassSessionId, String), MADE_UP, class)?;
    Ok(rows.into_iter().filter_map(|(seat, session, mark)| Some(((seat, session), mark.parse().ok()?))).collect())
}

/// The seats of a class with a make-up in a class that is not closed yet.
pub async fn making_up(tx: &mut Tx, class: ClassId) -> Result<Vec<EnrolmentId>, AppError> {
    Ok(fetch_all!(tx, (EnrolmentId,), PENDING, class)?.into_iter().map(|(seat,)| seat).collect())
}

/// Whether a seat has such a make-up, apart from one.
pub async fn is_making_up(tx: &mut Tx, seat: EnrolmentId, except: Option<MakeUpId>) -> Result<bool, AppError> {
    let pending = fetch_all!(tx, (MakeUpId,), PENDING_OF, seat)?;
    Ok(pending.into_iter().any(|(id,)| Some(id) != except))
}

const CERTIFIED: &str = "select code from certificate where enrolment_id = $1";
const KEEP_WITHDRAWN: &str = "insert into withdrawn_certificate (code, enrolment_id, given_at, withdrawn_at) \
    select code, enrolment_id, given_at, $2 from certificate where enrolment_id = $1";
const WITHDRAW_CERTIFICATE: &str = "delete from certificate where enrolment_id = $1 returning id";

/// Whether a seat has its certificate.
pub async fn is_certified(tx: &mut Tx, enrolment: EnrolmentId) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, String, CERTIFIED, enrolment)?.is_some())
}

const ATTENDED: &str = "update certificate set percent = $2 where enrolment_id = $1 and percent <> $2";

/// How much of the class the holder of its certificate has attended by now; whether that is another share than before.
pub async fn attended(tx: &mut Tx, _: &Permit, enrolment: EnrolmentId, percent: i64) -> Result<bool, AppError> {
    Ok(execute!(tx, ATTENDED, enrolment, percent)? > 0)
}

/// Takes a certificate back that was given on a mark set by mistake. Its code is kept: whoever has a copy can learn it.
/// Gives which one it was.
pub async fn withdraw_certificate(
    tx: &mut Tx,
    _: &Permit,
    enrolment: EnrolmentId,
    now: DateTime<Utc>,
) -> Result<Option<CertificateId>, AppError> {
    execute!(tx, KEEP_WITHDRAWN, enrolment, now)?;
    Ok(fetch_scalar!(tx, CertificateId, WITHDRAW_CERTIFICATE, enrolment)?)
}
