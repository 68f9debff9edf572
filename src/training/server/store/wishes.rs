//! What learners ask for: one open wish per person and course.

use crate::{
    access::Permit,
    calendar::domain::Span,
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    server::fresh,
    training::domain::wish::{Times, WishState},
    values::{ClassId, CourseId, PersonId, WishId},
};
use chrono::{DateTime, Utc};

/// A wish with who has it and for what.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct WishRow {
    pub id: WishId,
    pub course_id: CourseId,
    pub course_title: String,
    pub person_id: PersonId,
    pub person_name: String,
    pub language: String,
    pub place: String,
    times: String,
    pub created_at: DateTime<Utc>,
}

impl WishRow {
    /// What cannot be read suits nobody.
    pub fn times(&self) -> Times {
        self.times.parse().unwrap_or_default()
    }
}

macro_rules! wish {
    ($rest:literal) => {
        concat!(
            "select w.id, w.course_id, k.title as course_title, w.person_id, p.name as person_name, w.language, w.place, ",
            "w.times, w.created_at from class_wish w join course k on k.id = w.course_id ",
            "join person p on p.id = w.person_id where w.state = 'open' ",
            $rest
        )
    };
}

const OPEN: &str = wish!("order by k.title, w.course_id, w.created_at, w.id limit 1000");
// Without a limit: all of them are told of a class.
const OF_COURSE: &str = wish!("and w.course_id = $1 order by w.created_at, w.id");
const OF_PERSON: &str = wish!("and w.person_id = $1 order by w.created_at, w.id limit 200");
const ONE: &str = wish!("and w.course_id = $1 and w.person_id = $2");

/// Everything that is asked for, course by course.
pub async fn wishes(tx: &mut Tx) -> Result<Vec<WishRow>, AppError> {
    Ok(fetch_all!(tx, WishRow, OPEN)?)
}

/// Who asks for a course, in the order in which they asked.
pub async fn wishes_of_course(tx: &mut Tx, course: CourseId) -> Result<Vec<WishRow>, AppError> {
    Ok(fetch_all!(tx, WishRow, OF_COURSE, course)?)
}

/// What somebody asks for.
pub async fn wishes_of_person(tx: &mut Tx, person: PersonId) -> Result<Vec<WishRow>, AppError> {
    Ok(fetch_all!(tx, WishRow, OF_PERSON, person)?)
}

pub async fn wish(tx: &mut Tx, course: CourseId, person: PersonId) -> Result<Option<WishRow>, AppError> {
    Ok(fetch_optional!(tx, WishRow, ONE, course, person)?)
}

/// What somebody says of the class that they want.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub language: String,
    pub place: String,
    pub times: Times,
}

const INSERT: &str = "insert into class_wish (id, course_id, person_id, language, place, times, state, created_at, changed_at) \
    values ($1, $2, $3, $4, $5, $6, 'open', $7, $7)";
const CHANGE: &str = "update class_wish set language = $2, place = $3, times = $4, changed_at = $5 \
    where id = $1 and state = 'open'";
const END: &str = "update class_wish set state = $2, class_id = $3, changed_at = $4 where id = $1 and state = 'open'";

pub async fn insert_wish(
    tx: &mut Tx,
    _: &Permit,
    course: CourseId,
    person: PersonId,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> Result<WishId, AppError> {
    let id: WishId = fresh();
    execute!(tx, INSERT, id, course, person, &wanted.language, &wanted.place, wanted.times.to_string(), now)?;
    Ok(id)
}

pub async fn change_wish(
    tx: &mut Tx,
    _: &Permit,
    id: WishId,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(tx, CHANGE, id, &wanted.language, &wanted.place, wanted.times.to_string(), now)?;
    Ok(())
}

/// Ends a wish: withdrawn, or answered by a class.
pub async fn end_wish(
    tx: &mut Tx,
    _: &Permit,
    id: WishId,
    to: WishState,
    class: Option<ClassId>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(tx, END, id, to.as_str(), class, now)?;
    Ok(())
}

const RENAME_TOWN: &str = "update class_wish set place = $2, changed_at = $3 \
    where place = $1 and state = 'open' returning id, person_id";
const RENAME_ANSWERED: &str = "update class_wish set place = $2 where place = $1 and state = 'answered'";

/// A town is called otherwise: whoever asks for a class there asks for it under its new name. Gives the open wishes.
pub async fn rename_town(
    tx: &mut Tx,
    _: &Permit,
    from: &str,
    to: &str,
    now: DateTime<Utc>,
) -> Result<Vec<(WishId, PersonId)>, AppError> {
    // An answered wish may be asked again.
    execute!(tx, RENAME_ANSWERED, from, to)?;
    Ok(fetch_all!(tx, (WishId, PersonId), RENAME_TOWN, from, to, now)?)
}

const ANSWERED_BY: &str = "select w.id from class_wish w where w.class_id = $1 and w.person_id = $2 and w.state = 'answered' \
    and not exists (select 1 from class_wish o where o.course_id = w.course_id and o.person_id = w.person_id \
    and o.state = 'open') order by w.changed_at desc, w.id desc limit 1";
const REOPEN: &str = "update class_wish set state = 'open', class_id = null, changed_at = $2 where id = $1";
const ANSWER_INSTEAD: &str = "update class_wish set class_id = $2, changed_at = $3 where id = $1";

/// What somebody asked for until this class answered it, unless they asked anew.
pub async fn answered_by(tx: &mut Tx, class: ClassId, person: PersonId) -> Result<Option<WishId>, AppError> {
    Ok(fetch_scalar!(tx, WishId, ANSWERED_BY, class, person)?)
}

/// Asked for again.
pub async fn reopen_wish(tx: &mut Tx, _: &Permit, id: WishId, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, REOPEN, id, now)?;
    Ok(())
}

/// Another class answers it.
pub async fn answer_instead(
    tx: &mut Tx,
    _: &Permit,
    id: WishId,
    class: ClassId,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(tx, ANSWER_INSTEAD, id, class, now)?;
    Ok(())
}

const TIME_OF_ASKERS: &str = "select w.person_id, b.starts_at, b.ends_at from class_wish w join busy b \
    on b.resource_kind = 'person' and b.resource_id = w.person_id and b.starts_at < $3 and b.ends_at > $2 \
    where w.state = 'open' and w.course_id = $1 limit 20000";

/// Which time of those who ask for a course is taken.
pub async fn time_of_askers(tx: &mut Tx, course: CourseId, around: Span) -> Result<Vec<(PersonId, Span)>, AppError> {
    type Row = (PersonId, DateTime<Utc>, DateTime<Utc>);
    let rows = fetch_all!(tx, Row, TIME_OF_ASKERS, course, around.from, around.until)?;
    Ok(rows.into_iter().map(|(person, from, until)| (person, Span { from, until })).collect())
}
