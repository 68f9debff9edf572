//! What a course is to its learners: level, units, what it needs before, materials; and what they say in advance.

use super::page::Said;
use crate::{
    access::Permit,
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    training::domain::{Announced, Audience, Level, NeedsRule},
    values::{ClassId, ClassSessionId, CourseId, EnrolmentId, MaterialId, PersonId, ProductId},
};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashMap;

/// A course with everything that its page says of it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct CourseDetail {
    pub id: CourseId,
    pub title: String,
    pub summary: String,
    pub language: String,
    pub pass_percent: i64,
    #[sqlx(try_from = "String")]
    pub level: Level,
    #[sqlx(try_from = "String")]
    pub needs_rule: NeedsRule,
    /// For how many months its certificates are valid; none: for ever.
    pub valid_months: Option<i64>,
    pub version: i64,
    /// The article numbers of its products; nothing where they are not looked at.
    #[sqlx(skip)]
    pub products: Option<Vec<String>>,
}

/// Whether a person has or had a seat in a class of a course.
macro_rules! learns {
    ($course:literal, $person:literal) => {
        concat!(
            "exists (select 1 from enrolment e join class c on c.id = e.class_id where e.person_id = ",
            $person,
            " and e.state = 'booked' and c.course_id = ",
            $course,
            " and c.state <> 'cancelled')"
        )
    };
}

const DETAIL: &str = "select id, title, summary, language, pass_percent, level, needs_rule, valid_months, version from course where id = $1";

const SKUS: &str = "select p.sku from course_product cp join product p on p.id = cp.product_id \
    where cp.course_id = $1 and p.sku is not null order by p.sku";

pub async fn course_detail(tx: &mut Tx, id: CourseId) -> Result<CourseDetail, AppError> {
    let course = fetch_optional!(tx, CourseDetail, DETAIL, id)?.ok_or(AppError::NotFound)?;
    let products = fetch_all!(tx, (String,), SKUS, id)?.into_iter().map(|(sku,)| sku).collect();
    Ok(CourseDetail { products: Some(products), ..course })
}

const DROP_PRODUCTS: &str = "delete from course_product where course_id = $1 \
    and product_id in (select id from product where sku is not null)";

/// Replaces the products that the course belongs to, apart from those without an article number.
pub async fn set_products(tx: &mut Tx, _: &Permit, course: CourseId, products: &[ProductId]) -> Result<(), AppError> {
    execute!(tx, DROP_PRODUCTS, course)?;
    for product in products {
        execute!(tx, super::classes::INSERT_COURSE_PRODUCT, course, *product)?;
    }
    Ok(())
}

const DETAIL_FOR: &str = concat!(
    "select k.id, k.title, k.summary, k.language, k.pass_percent, k.level, k.needs_rule, k.valid_months, k.version, ",
    learns!("k.id", "$2"),
    " as learns from course k where k.id = $1"
);

/// The same with whether a person learns there.
pub async fn course_for(tx: &mut Tx, id: CourseId, person: PersonId) -> Result<(CourseDetail, bool), AppError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        course: CourseDetail,
        learns: bool,
    }
    let row = fetch_optional!(tx, Row, DETAIL_FOR, id, person)?.ok_or(AppError::NotFound)?;
    Ok((row.course, row.learns))
}

const UPDATE_COURSE: &str = "update course set title = $3, summary = $4, language = $5, pass_percent = $6, level = $7, \
    needs_rule = $8, search = $9, valid_months = $10, version = version + 1 where id = $1 and version = $2";

/// Stores the course if nobody else has changed it since its version.
pub async fn update_course(tx: &mut Tx, _: &Permit, course: &CourseDetail) -> Result<bool, AppError> {
    let rows = execute!(
        tx,
        UPDATE_COURSE,
        course.id,
        course.version,
        &course.title,
        &course.summary,
        &course.language,
        course.pass_percent,
        course.level.as_str(),
        course.needs_rule.as_str(),
        super::catalogue::searched(&course.title, &course.summary),
        course.valid_months
    )?;
    Ok(rows == 1)
}

const SET_LEVEL: &str = "update course set level = $2 where id = $1";

/// How hard a new course is.
pub async fn set_level(tx: &mut Tx, _: &Permit, course: CourseId, level: Level) -> Result<(), AppError> {
    execute!(tx, SET_LEVEL, course, level.as_str())?;
    Ok(())
}

/// One unit of the syllabus.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct UnitRow {
    pub title: String,
    pub summary: String,
    pub minutes: i64,
}

const UNITS: &str = "select title, summary, minutes from course_unit where course_id = $1 order by number";
const DROP_UNITS: &str = "delete from course_unit where course_id = $1";
const INSERT_UNIT: &str =
    "insert into course_unit (course_id, number, title, summary, minutes) values ($1, $2, $3, $4, $5)";

pub async fn units(tx: &mut Tx, course: CourseId) -> Result<Vec<UnitRow>, AppError> {
    Ok(fetch_all!(tx, UnitRow, UNITS, course)?)
}

/// Replaces the syllabus.
pub async fn set_units(tx: &mut Tx, _: &Permit, course: CourseId, units: &[UnitRow]) -> Result<(), AppError> {
    execute!(tx, DROP_UNITS, course)?;
    for (number, unit) in (1_i64..).zip(units) {
        execute!(tx, INSERT_UNIT, course, number, &unit.title, &unit.summary, unit.minutes)?;
    }
    Ok(())
}

const NEEDS: &str = "select k.id, k.title from course_need n join course k on k.id = n.needs_id where n.course_id = $1 \
    order by k.title, k.id";
const DROP_NEEDS: &str = "delete from course_need where course_id = $1";
const INSERT_NEED: &str = "insert into course_need (course_id, needs_id) select $1, k.id from course k where k.id = $2 \
    on conflict (course_id, needs_id) do nothing";

/// The courses that should be taken before.
pub async fn needs_of(tx: &mut Tx, course: CourseId) -> Result<Vec<(CourseId, String)>, AppError> {
    Ok(fetch_all!(tx, (CourseId, String), NEEDS, course)?)
}

/// Replaces what the course needs before.
pub async fn set_needs(tx: &mut Tx, _: &Permit, course: CourseId, needs: &[CourseId]) -> Result<(), AppError> {
    execute!(tx, DROP_NEEDS, course)?;
    for need in needs {
        execute!(tx, INSERT_NEED, course, *need)?;
    }
    Ok(())
}

/// Whether a person has taken a course: with a certificate that is still valid on a day, or a seat in a class of it that
/// ends before a time.
macro_rules! taken {
    ($course:literal, $person:literal, $before:literal, $day:literal) => {
        concat!(
            "exists (select 1 from enrolment e join class c on c.id = e.class_id ",
            "left join certificate f on f.enrolment_id = e.id where e.person_id = ",
            $person,
            " and c.course_id = ",
            $course,
            " and e.state = 'booked' and ((f.id is not null and (f.last_valid_on is null or f.last_valid_on >= ",
            $day,
            ")) or (c.state in ('open', 'running') and c.ends_at <= ",
            $before,
            ")))"
        )
    };
}
pub(super) use taken;

const MISSING: &str = concat!(
    "select k.title from course_need n join course k on k.id = n.needs_id where n.course_id = $1 and not ",
    taken!("n.needs_id", "$2", "$3", "$4"),
    " order by k.title, k.id"
);

/// Which of the courses that this one needs a person has not taken, and will not have taken before a time. What they
/// have a certificate of counts where it is valid on that `day`.
pub async fn missing_needs(
    tx: &mut Tx,
    course: CourseId,
    person: PersonId,
    before: DateTime<Utc>,
    day: NaiveDate,
) -> Result<Vec<String>, AppError> {
    Ok(fetch_all!(tx, (String,), MISSING, course, person, before, day)?.into_iter().map(|(title,)| title).collect())
}

const NEEDS_AND_PRODUCTS: &str = concat!(
    "select 'need' as kind, k.id, k.title, ",
    taken!("n.needs_id", "$2", "$3", "$4"),
    " as met from course_need n join course k on k.id = n.needs_id where n.course_id = $1 \
     union all select 'product', p.id, p.name, false from course_product cp join product p on p.id = cp.product_id \
     where cp.course_id = $1 order by 1, 3, 2"
);

/// A course that is needed before, and whether the reader has it.
pub type Need = (CourseId, String, bool);

/// What a course needs before, and whether a person has taken it, valid on a `day`, or will have before a time; and the names of the
/// products that it belongs to.
pub async fn needs_and_products(
    tx: &mut Tx,
    course: CourseId,
    person: PersonId,
    before: DateTime<Utc>,
    day: NaiveDate,
) -> Result<(Vec<Need>, Vec<String>), AppError> {
    let (mut needs, mut products) = (Vec::new(), Vec::new());
    for (kind, id, name, met) in
        fetch_all!(tx, (String, CourseId, String, bool), NEEDS_AND_PRODUCTS, course, person, before, day)?
    {
        match kind.as_str() {
            "need" => needs.push((id, name, met)),
            _ => products.push(name),
        }
    }
    Ok((needs, products))
}

/// A file or an address that belongs to a course.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct MaterialRow {
    pub id: MaterialId,
    pub course_id: CourseId,
    pub title: String,
    #[sqlx(try_from = "String")]
    pub audience: Audience,
    pub link: Option<String>,
    pub file: Option<String>,
    pub name: Option<String>,
    pub media_type: Option<String>,
    pub bytes: Option<i64>,
    pub sha256: Option<String>,
}

const MATERIALS: &str = "select id, course_id, title, audience, link, file, name, media_type, bytes, sha256 from material \
    where course_id = $1 order by created_at, id limit 200";
const MATERIAL: &str =
    "select id, course_id, title, audience, link, file, name, media_type, bytes, sha256 from material where id = $1";
const INSERT_MATERIAL: &str = "insert into material (id, course_id, title, audience, link, file, name, media_type, bytes, \
    sha256, added_by, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const DROP_MATERIAL: &str = "delete from material where id = $1 and course_id = $2";
const KNOWN_FILE: &str = "select id from material where file = $1";

pub async fn materials(tx: &mut Tx, course: CourseId) -> Result<Vec<MaterialRow>, AppError> {
    Ok(fetch_all!(tx, MaterialRow, MATERIALS, course)?)
}

pub async fn material(tx: &mut Tx, id: MaterialId) -> Result<MaterialRow, AppError> {
    fetch_optional!(tx, MaterialRow, MATERIAL, id)?.ok_or(AppError::NotFound)
}

pub async fn insert_material(
    tx: &mut Tx,
    _: &Permit,
    row: &MaterialRow,
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(
        tx,
        INSERT_MATERIAL,
        row.id,
        row.course_id,
        &row.title,
        row.audience.as_str(),
        row.link.as_deref(),
        row.file.as_deref(),
        row.name.as_deref(),
        row.media_type.as_deref(),
        row.bytes,
        row.sha256.as_deref(),
        by,
        now
    )?;
    Ok(())
}

pub async fn drop_material(tx: &mut Tx, _: &Permit, course: CourseId, id: MaterialId) -> Result<bool, AppError> {
    Ok(execute!(tx, DROP_MATERIAL, id, course)? == 1)
}

/// Whether a file belongs to a material.
pub async fn knows_file(tx: &mut Tx, file: &str) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, MaterialId, KNOWN_FILE, file)?.is_some())
}

const LEARNS: &str = concat!("select ", learns!("$2", "$1"));

/// Whether a person has or had a seat in a class of the course.
pub async fn learns(tx: &mut Tx, person: PersonId, course: CourseId) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, bool, LEARNS, person, course)?.unwrap_or(false))
}

/// What somebody said in advance of a session.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AnnouncementRow {
    pub enrolment_id: EnrolmentId,
    pub session_id: ClassSessionId,
    #[sqlx(try_from = "String")]
    pub kind: Announced,
    pub words: String,
    pub announced_at: DateTime<Utc>,
}

const ANNOUNCEMENTS: &str = "select a.enrolment_id, a.session_id, a.kind, a.words, a.announced_at from announcement a \
    join class_session s on s.id = a.session_id where s.class_id = $1 order by a.announced_at";
const ANNOUNCE: &str = "insert into announcement (enrolment_id, session_id, kind, words, announced_at) \
    values ($1, $2, $3, $4, $5) on conflict (enrolment_id, session_id) \
    do update set kind = excluded.kind, words = excluded.words, announced_at = excluded.announced_at";
const WITHDRAW: &str = "delete from announcement where enrolment_id = $1 and session_id = $2";

/// Everything that the learners of a class said in advance, by seat and session.
pub async fn announcements(
    tx: &mut Tx,
    class: ClassId,
) -> Result<HashMap<(EnrolmentId, ClassSessionId), AnnouncementRow>, AppError> {
    let rows = fetch_all!(tx, AnnouncementRow, ANNOUNCEMENTS, class)?;
    Ok(rows.into_iter().map(|row| ((row.enrolment_id, row.session_id), row)).collect())
}

pub async fn announce(
    tx: &mut Tx,
    _: &Permit,
    enrolment: EnrolmentId,
    session: ClassSessionId,
    kind: Announced,
    words: &str,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(tx, ANNOUNCE, enrolment, session, kind.as_str(), words, now)?;
    Ok(())
}

const SAID: &str = "select session_id, kind, words from announcement where enrolment_id = $1";

/// What was said in advance by one seat, by session: of its class, and of those in which it is a guest.
pub async fn said_by(tx: &mut Tx, enrolment: EnrolmentId) -> Result<HashMap<ClassSessionId, Said>, AppError> {
    let rows = fetch_all!(tx, (ClassSessionId, String, String), SAID, enrolment)?;
    let said = |(session, kind, words): (_, String, _)| Some((session, Said { kind: kind.parse().ok()?, words }));
    Ok(rows.into_iter().filter_map(said).collect())
}

/// Takes it back; false where nothing was said.
pub async fn withdraw(
    tx: &mut Tx,
    _: &Permit,
    enrolment: EnrolmentId,
    session: ClassSessionId,
) -> Result<bool, AppError> {
    Ok(execute!(tx, WITHDRAW, enrolment, session)? == 1)
}
