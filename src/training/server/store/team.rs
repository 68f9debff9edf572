//! Who of a firm has learned what: the courses that belong to what the firm has, and where its people stand in them.

use super::{ClassRow, classes::query};
use crate::{
    db::Tx,
    error::AppError,
    fetch_all,
    training::domain::EnrolmentState,
    values::{ClassId, CourseId, OrganisationId, PersonId, PublicNumber},
};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A course of the matrix.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TeamCourseRow {
    pub id: CourseId,
    pub title: String,
}

/// Somebody passed a course.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PassedRow {
    pub course_id: CourseId,
    pub person_id: PersonId,
    pub code: PublicNumber,
    pub given_at: DateTime<Utc>,
}

/// Somebody has a seat or waits for one.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ComingRow {
    pub course_id: CourseId,
    pub class_id: ClassId,
    pub person_id: PersonId,
    #[sqlx(try_from = "String")]
    pub state: EnrolmentState,
    pub starts_at: DateTime<Utc>,
    pub zone: String,
}

const COURSES: &str = "select k.id, k.title from course k where k.id in (select cp.course_id from course_product cp \
    join item i on i.product_id = cp.product_id where i.organisation_id = $1) order by k.title, k.id limit 50";
const PASSED: &str = "select c.course_id, f.person_id, f.code, f.given_at from certificate f \
    join class c on c.id = f.class_id join membership m on m.person_id = f.person_id \
    where m.organisation_id = $1 order by f.given_at desc limit 2000";
const COMING: &str = "select c.course_id, c.id as class_id, e.person_id, e.state, c.starts_at, c.zone from membership m \
    join enrolment e on e.person_id = m.person_id join class c on c.id = e.class_id \
    where m.organisation_id = $1 and e.state in ('waitlisted', 'offered', 'booked') and c.state in ('open', 'running') \
    order by c.starts_at limit 2000";
const NEXT: &str = query!(
    "where c.id in (select n.id from (select x.id, row_number() over (partition by x.course_id order by \
     case when x.waiting = 0 and x.taken + x.held < x.capacity - x.guests then 0 else 1 end, x.starts_at, x.id) as place \
     from class x where x.state = 'open' and x.starts_at > $2 and x.course_id in (select cp.course_id from course_product cp \
     join item i on i.product_id = cp.product_id where i.organisation_id = $1)) as n where n.place = 1)"
);

/// The courses that belong to what a firm has.
pub async fn courses_of_firm(tx: &mut Tx, firm: OrganisationId) -> Result<Vec<TeamCourseRow>, AppError> {
    Ok(fetch_all!(tx, TeamCourseRow, COURSES, firm)?)
}

/// The certificates of a firm's people, latest first.
pub async fn passed(tx: &mut Tx, firm: OrganisationId) -> Result<Vec<PassedRow>, AppError> {
    Ok(fetch_all!(tx, PassedRow, PASSED, firm)?)
}

/// Where a firm's people have a seat or wait for one, by the start of the class.
pub async fn coming(tx: &mut Tx, firm: OrganisationId) -> Result<Vec<ComingRow>, AppError> {
    Ok(fetch_all!(tx, ComingRow, COMING, firm)?)
}

/// The next class of each of these courses; one with a free seat before a full one.
pub async fn next_classes(
    tx: &mut Tx,
    firm: OrganisationId,
    now: DateTime<Utc>,
) -> Result<HashMap<CourseId, ClassRow>, AppError> {
    let rows = fetch_all!(tx, ClassRow, NEXT, firm, now)?;
    Ok(rows.into_iter().map(|class| (class.course_id, class)).collect())
}
