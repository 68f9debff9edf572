//! Around the room: the last mark, wishes, seats that staff give, what is known of the people, answers afterwards.

use super::EnrolmentRow;
use crate::{
    access::{Membership, Permit},
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional,
    server::fresh,
    training::{domain::Mark, server::check_in::Who},
    values::{
        ClassId, ClassSessionId, CourseId, EnrolmentId, MakeUpId, OrganisationId, PartyId, PersonId, PublicNumber,
        SeatSkipId,
    },
};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// The last mark that somebody set in a session, and what it was before.
#[derive(Clone, Debug)]
pub struct LastMark {
    pub who: Who,
    pub name: String,
    pub mark: Mark,
    pub was: Option<Mark>,
}

const LAST_MARK: &str = "select u.guest, u.id, p.name, u.mark, u.was from ( \
    select 0 as guest, a.enrolment_id as id, e.person_id, a.mark, a.was, a.marked_at from attendance a \
    join enrolment e on e.id = a.enrolment_id where a.session_id = $1 and a.marked_by = $2 \
    union all select 1, m.id, m.person_id, m.mark, m.was, m.marked_at from make_up m \
    where m.session_id = $1 and m.state = 'booked' and m.mark is not null and m.marked_by = $2) u \
    join person p on p.id = u.person_id order by u.marked_at desc, u.id desc limit 1";
const UNDO: &str = "update attendance set mark = was, was = null, marked_at = $3 where enrolment_id = $1 and session_id = $2 \
    and was is not null";

/// What its setter can take back.
pub async fn last_mark(tx: &mut Tx, session: ClassSessionId, by: PersonId) -> Result<Option<LastMark>, AppError> {
    let row = fetch_optional!(tx, (i32, Uuid, String, String, Option<String>), LAST_MARK, session, by)?;
    Ok(row.and_then(|(guest, id, name, mark, was)| {
        let who = if guest == 1 { Who::Guest(MakeUpId(id)) } else { Who::Seat(EnrolmentId(id)) };
        Some(LastMark { who, name, mark: mark.parse().ok()?, was: was.and_then(|word| word.parse().ok()) })
    }))
}

/// Makes a mark what it was before; false where there was none, so that it is to be cleared.
pub async fn undo_mark(
    tx: &mut Tx,
    _: &Permit,
    enrolment: EnrolmentId,
    session: ClassSessionId,
    now: DateTime<Utc>,
) -> Result<bool, AppError> {
    Ok(execute!(tx, UNDO, enrolment, session, now)? == 1)
}

const SAY_WISH: &str = "insert into wish (enrolment_id, words, said_at) values ($1, $2, $3) \
    on conflict (enrolment_id) do update set words = excluded.words, said_at = excluded.said_at";
const FORGET_WISH: &str = "delete from wish where enrolment_id = $1";
const WISHES: &str = "select w.enrolment_id, w.words from wish w join enrolment e on e.id = w.enrolment_id \
    where e.class_id = $1 and e.state = 'booked'";

/// Keeps what somebody wants to learn; no words, no wish.
pub async fn say_wish(
    tx: &mut Tx,
    _: &Permit,
    enrolment: EnrolmentId,
    words: &str,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    match words.is_empty() {
        true => execute!(tx, FORGET_WISH, enrolment)?,
        false => execute!(tx, SAY_WISH, enrolment, words, now)?,
    };
    Ok(())
}

/// What the learners of a class want to learn.
pub async fn wishes_of_class(tx: &mut Tx, class: ClassId) -> Result<HashMap<EnrolmentId, String>, AppError> {
    Ok(fetch_all!(tx, (EnrolmentId, String), WISHES, class)?.into_iter().collect())
}

const KNOWN: &str = "select f.person_id, f.title, f.code from certificate f where f.class_id <> $1 \
    and (f.last_valid_on is null or f.last_valid_on >= $2) and f.person_id in (select person_id from enrolment where class_id = $1 and state = 'booked') \
    order by f.given_at desc, f.id limit 1000";

/// What the learners of a class have passed elsewhere and what is still valid on a day, latest first.
pub async fn known(
    tx: &mut Tx,
    class: ClassId,
    day: NaiveDate,
) -> Result<HashMap<PersonId, Vec<(String, String)>>, AppError> {
    let mut known: HashMap<PersonId, Vec<(String, String)>> = HashMap::new();
    for (person, title, code) in fetch_all!(tx, (PersonId, String, String), KNOWN, class, day)? {
        known.entry(person).or_default().push((title, code));
    }
    Ok(known)
}

const GIVEN: &str =
    "select e.id, f.code from certificate f join enrolment e on e.id = f.enrolment_id where f.class_id = $1";

/// The certificates that a class gave.
pub async fn given(tx: &mut Tx, class: ClassId) -> Result<HashMap<EnrolmentId, PublicNumber>, AppError> {
    Ok(fetch_all!(tx, (EnrolmentId, PublicNumber), GIVEN, class)?.into_iter().collect())
}

/// What a file says of one learner beside the marks.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ContactRow {
    pub id: EnrolmentId,
    pub name: String,
    pub email: Option<String>,
    pub organisation: Option<String>,
}

const CONTACTS: &str = "select e.id, p.name, p.email, o.name as organisation from enrolment e join person p on p.id = e.person_id \
    left join organisation o on o.id = e.organisation_id where e.class_id = $1 and e.state = 'booked' \
    order by p.name, e.id";

/// Everybody with a seat, by name.
pub async fn contacts(tx: &mut Tx, class: ClassId) -> Result<Vec<ContactRow>, AppError> {
    Ok(fetch_all!(tx, ContactRow, CONTACTS, class)?)
}

const OTHERS: &str = "select id from class where course_id = $1 and id <> $2 and state = 'open' and starts_at > $3 \
    order by starts_at, id limit 50";

/// The other open classes of a course.
pub async fn others_of_course(
    tx: &mut Tx,
    course: CourseId,
    except: ClassId,
    now: DateTime<Utc>,
) -> Result<Vec<super::ClassRow>, AppError> {
    let mut classes = Vec::new();
    for (id,) in fetch_all!(tx, (ClassId,), OTHERS, course, except, now)? {
        classes.push(super::class(tx, id).await?);
    }
    Ok(classes)
}

const FIRMS: &str = "select organisation_id, role from membership where person_id = $1 order by organisation_id";

/// The firms of a person that somebody else acts for.
pub async fn firms(tx: &mut Tx, person: PersonId) -> Result<Vec<(OrganisationId, Membership)>, AppError> {
    let membership = |role: &str| if role == "owner" { Membership::Owner } else { Membership::Member };
    let rows = fetch_all!(tx, (OrganisationId, String), FIRMS, person)?;
    Ok(rows.into_iter().map(|(firm, role)| (firm, membership(&role))).collect())
}

const TAKE_IN_ROOM: &str = "update class set taken = taken + 1 \
    where id = $1 and state in ('open', 'running') and taken + held < capacity - guests";
const ADD_CHAIR: &str =
    "update class set capacity = capacity + 1, version = version + 1, changed_at = $2 where id = $1";
const CARRY: &str = "update enrolment set class_id = $2, queue_number = null, changed_at = $3 \
    where id = $1 and class_id = $4 and state = 'booked'";
const LEAVE: &str = "update class set taken = taken - 1 where id = $1";
const FORGET_MARKS: &str = "delete from attendance where enrolment_id = $1";

/// Takes a seat for somebody who stands in the door, of a class that has begun as well.
pub async fn take_seat_in_room(tx: &mut Tx, _: &Permit, class: ClassId) -> Result<bool, AppError> {
    Ok(execute!(tx, TAKE_IN_ROOM, class)? == 1)
}

/// One seat more.
pub async fn add_chair(tx: &mut Tx, _: &Permit, class: ClassId, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, ADD_CHAIR, class, now)?;
    Ok(())
}

/// Carries a seat into another class in which one has been taken: what pays for it stays as it is.
pub async fn carry_seat(
    tx: &mut Tx,
    _: &Permit,
    row: &EnrolmentRow,
    to: ClassId,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    if execute!(tx, CARRY, row.id, to, now, row.class_id)? != 1 {
        return Err(AppError::Busy);
    }
    execute!(tx, LEAVE, row.class_id)?;
    execute!(tx, FORGET_MARKS, row.id)?;
    Ok(())
}

const INSERT_SKIP: &str = "insert into seat_skip (id, class_id, enrolment_id, party_id, seated_id, why, by_id, at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8)";
const SKIPS_OF_CLASS: &str = "select coalesce(p.name, o.name, '') as name, s.name as seated, k.why, k.at from seat_skip k \
    left join enrolment e on e.id = k.enrolment_id left join person p on p.id = e.person_id \
    left join party y on y.id = k.party_id left join organisation o on o.id = y.organisation_id \
    join enrolment t on t.id = k.seated_id join person s on s.id = t.person_id \
    where k.class_id = $1 order by k.at desc, k.id desc limit 50";

/// Notes that somebody in line was passed over, or a group's seats that have no name yet.
#[allow(clippy::too_many_arguments, reason = "the columns of one row")]
pub async fn insert_seat_skip(
    tx: &mut Tx,
    _: &Permit,
    class: ClassId,
    skipped: Option<EnrolmentId>,
    party: Option<PartyId>,
    seated: EnrolmentId,
    why: &str,
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let id: SeatSkipId = fresh();
    execute!(tx, INSERT_SKIP, id, class, skipped, party, seated, why, by, now)?;
    Ok(())
}

/// Who was passed over, who was seated, why and when.
pub type SeatSkip = (String, String, String, DateTime<Utc>);

pub async fn seat_skips_of_class(tx: &mut Tx, class: ClassId) -> Result<Vec<SeatSkip>, AppError> {
    Ok(fetch_all!(tx, SeatSkip, SKIPS_OF_CLASS, class)?)
}

/// One class of a course with the answers about it, score by score.
#[derive(Clone, Debug)]
pub struct Answered {
    pub id: ClassId,
    pub starts_at: DateTime<Utc>,
    pub zone: String,
    pub tally: Vec<(i32, u64)>,
}

const LAST_OF_COURSE: &str = "select id, starts_at, zone from class where course_id = $1 and state = 'completed' \
    and starts_at <= $2 order by starts_at desc, id desc limit 6";
const TALLY: &str = "select score, count(*) as times from feedback where moment = 'class' and subject_id = $1 \
    and score is not null group by score order by score";
const WORDS: &str = "select words from feedback where moment = 'class' and subject_id = $1 and words is not null \
    and words <> '' order by answered_at desc, id desc limit 100";

/// The answers about the last classes of a course up to a time, latest class first.
pub async fn answers_of_course(tx: &mut Tx, course: CourseId, until: DateTime<Utc>) -> Result<Vec<Answered>, AppError> {
    let mut classes = Vec::new();
    for (id, starts_at, zone) in fetch_all!(tx, (ClassId, DateTime<Utc>, String), LAST_OF_COURSE, course, until)? {
        let tally = fetch_all!(tx, (i32, i64), TALLY, id)?
            .into_iter()
            .map(|(score, times)| (score, u64::try_from(times).unwrap_or(0)))
            .collect();
        classes.push(Answered { id, starts_at, zone, tally });
    }
    Ok(classes)
}

/// What learners wrote about a class.
pub async fn words_about(tx: &mut Tx, class: ClassId) -> Result<Vec<String>, AppError> {
    Ok(fetch_all!(tx, (String,), WORDS, class)?.into_iter().map(|(words,)| words).collect())
}
