//! Who of a firm has learned what: the courses that belong to what the firm has, and where its people stand in them.

use super::{ClassRow, classes::query};
use crate::{
    calendar::server::zone,
    db::Tx,
    error::AppError,
    fetch_all,
    training::domain::{EnrolmentState, Validity},
    values::{ClassId, CourseId, OrganisationId, PersonId, PublicNumber},
};
use chrono::{DateTime, NaiveDate, Utc};

/// A course of the matrix.
#[derive(Clone, Debug)]
pub struct TeamCourseRow {
    pub id: CourseId,
    pub title: String,
    /// What the firm has of its products, and how many of each.
    pub machines: Vec<(String, i64)>,
}

/// Somebody passed a course.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PassedRow {
    pub course_id: CourseId,
    pub person_id: PersonId,
    pub code: PublicNumber,
    pub given_at: DateTime<Utc>,
    pub last_valid_on: Option<NaiveDate>,
    pub zone: String,
}

impl PassedRow {
    /// How it stands at an instant, by the day where its class was held.
    pub fn validity(&self, now: DateTime<Utc>) -> Validity {
        Validity::of(self.last_valid_on, now.with_timezone(&zone::named(&self.zone)).date_naive())
    }
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
    /// The class is over, and a session of it is still to be made up: the day is that of the next such session.
    pub makes_up: bool,
}

const COURSES: &str = "select k.id, k.title, p.name, count(*) as items from item i \
    join product p on p.id = i.product_id left join course_product cp on cp.product_id = p.id \
    left join course k on k.id = cp.course_id where i.organisation_id = $1 and (k.id is not null or p.kind <> 'journey') \
    group by k.id, k.title, p.id, p.name order by k.title nulls last, k.id, p.name, p.id limit 500";
// One row a person and course, so that no limit has to cut off what counts.
const PASSED: &str = "select course_id, person_id, code, given_at, last_valid_on, zone from (select c.course_id, f.person_id, \
    f.code, f.given_at, f.last_valid_on, c.zone, row_number() over (partition by c.course_id, f.person_id \
    order by f.last_valid_on desc nulls first, f.given_at desc, f.id) as place from certificate f \
    join class c on c.id = f.class_id join membership m on m.person_id = f.person_id where m.organisation_id = $1 \
    and c.course_id in (select cp.course_id from course_product cp join item i on i.product_id = cp.product_id \
    where i.organisation_id = $1)) as best where place = 1";
const COMING: &str = "select c.course_id, c.id as class_id, e.person_id, e.state, c.starts_at, c.zone, \
    false as makes_up from membership m \
    join enrolment e on e.person_id = m.person_id join class c on c.id = e.class_id \
    where m.organisation_id = $1 and e.state in ('waitlisted', 'offered', 'booked') and c.state in ('open', 'running') \
    union all select c.course_id, c.id, e.person_id, e.state, s.starts_at, h.zone, true from membership m \
    join enrolment e on e.person_id = m.person_id and e.state = 'booked' \
    join class c on c.id = e.class_id and c.state = 'completed' \
    join make_up u on u.enrolment_id = e.id and u.state = 'booked' and u.mark is null \
    join class h on h.id = u.class_id and h.state in ('open', 'running') join class_session s on s.id = u.session_id \
    where m.organisation_id = $1 order by 7, 5";
const NEXT: &str = query!(
    "where c.id in (select n.id from (select o.id, row_number() over (partition by o.course_id \
     order by case when (o.opens_at is null or o.opens_at <= $2) and (o.closes_at is null or o.closes_at > $2) then 0 else 1 end, \
     case when o.waiting = 0 and o.taken + o.held < o.capacity - o.guests then 0 else 1 end, o.starts_at, o.id) \
     as place from class o where o.state = 'open' and o.starts_at > $2 and o.course_id in (select cp.course_id \
     from course_product cp join item i on i.product_id = cp.product_id where i.organisation_id = $1)) as n \
     where n.place = 1)"
);

/// The courses that belong to what a firm has; and what it has, with how many of each, for which there is no course. A
/// journey needs none.
pub async fn courses_of_firm(
    tx: &mut Tx,
    firm: OrganisationId,
) -> Result<(Vec<TeamCourseRow>, Vec<(String, i64)>), AppError> {
    let (mut courses, mut without): (Vec<TeamCourseRow>, Vec<(String, i64)>) = Default::default();
    for row in fetch_all!(tx, (Option<CourseId>, Option<String>, String, i64), COURSES, firm)? {
        let (course, title, machine, many) = row;
        match (course, courses.last_mut()) {
            (None, _) => without.push((machine, many)),
            (Some(id), Some(course)) if course.id == id => course.machines.push((machine, many)),
            (Some(id), _) => {
                let (title, machines) = (title.unwrap_or_default(), vec![(machine, many)]);
                courses.push(TeamCourseRow { id, title, machines });
            }
        }
    }
    Ok((courses, without))
}

/// The certificates of a firm's people in the courses that belong to what it has: of each person and course the one that
/// is valid the longest.
pub async fn passed(tx: &mut Tx, firm: OrganisationId) -> Result<Vec<PassedRow>, AppError> {
    Ok(fetch_all!(tx, PassedRow, PASSED, firm)?)
}

/// Where a firm's people have a seat or wait for one, by the start of the class; then what they still make up of a class
/// that is over.
pub async fn coming(tx: &mut Tx, firm: OrganisationId) -> Result<Vec<ComingRow>, AppError> {
    Ok(fetch_all!(tx, ComingRow, COMING, firm)?)
}

/// The next class of each course of a firm's: one that people can be enrolled in now first, then one with a free seat
/// before a full one.
pub async fn next_classes(tx: &mut Tx, firm: OrganisationId, now: DateTime<Utc>) -> Result<Vec<ClassRow>, AppError> {
    Ok(fetch_all!(tx, ClassRow, NEXT, firm, now)?)
}
