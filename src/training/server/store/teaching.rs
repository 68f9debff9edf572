//! Attendance and certificates.

use crate::{
    access::Permit,
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    training::domain::{Mark, Validity},
    values::{CertificateId, ClassId, ClassSessionId, CourseId, EnrolmentId, PersonId, PublicNumber},
};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// One mark of one person in one session.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct MarkRow {
    pub enrolment_id: EnrolmentId,
    pub session_id: ClassSessionId,
    #[sqlx(try_from = "String")]
    pub mark: Mark,
}

const MARKS: &str = "select a.enrolment_id, a.session_id, a.mark from attendance a \
    join class_session s on s.id = a.session_id where s.class_id = $1";
const MARK: &str = "select mark from attendance where enrolment_id = $1 and session_id = $2";
const SET_MARK: &str = "insert into attendance (enrolment_id, session_id, mark, marked_by, marked_at) values ($1, $2, $3, $4, $5) \
    on conflict (enrolment_id, session_id) do update set was = attendance.mark, mark = excluded.mark, \
    marked_by = excluded.marked_by, marked_at = excluded.marked_at";
const CLEAR_MARK: &str = "delete from attendance where enrolment_id = $1 and session_id = $2";
const MARK_REST: &str = "insert into attendance (enrolment_id, session_id, mark, marked_by, marked_at) \
    select e.id, $2, 'present', $3, $4 from enrolment e where e.class_id = $1 and e.state = 'booked' \
    and not exists (select 1 from announcement n where n.enrolment_id = e.id and n.session_id = $2 and n.kind = 'absent') \
    on conflict (enrolment_id, session_id) do nothing";

/// Every mark of a class.
pub async fn marks(tx: &mut Tx, class: ClassId) -> Result<Vec<MarkRow>, AppError> {
    Ok(fetch_all!(tx, MarkRow, MARKS, class)?)
}

pub async fn mark(tx: &mut Tx, enrolment: EnrolmentId, session: ClassSessionId) -> Result<Option<Mark>, AppError> {
    Ok(fetch_scalar!(tx, String, MARK, enrolment, session)?.and_then(|word| word.parse().ok()))
}

/// Sets or takes back a mark.
pub async fn set_mark(
    tx: &mut Tx,
    _: &Permit,
    enrolment: EnrolmentId,
    session: ClassSessionId,
    mark: Option<Mark>,
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    match mark {
        Some(mark) => execute!(tx, SET_MARK, enrolment, session, mark.as_str(), by, now)?,
        None => execute!(tx, CLEAR_MARK, enrolment, session)?,
    };
    Ok(())
}

/// Marks everybody present who has no mark in this session; says how many.
pub async fn mark_rest(
    tx: &mut Tx,
    _: &Permit,
    class: ClassId,
    session: ClassSessionId,
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<u64, AppError> {
    Ok(execute!(tx, MARK_REST, class, session, by, now)?)
}

const OWNED: &str = "select e.person_id, p.product_name, cast(null as text) as firm, p.purchased_on, i.id from enrolment e \
    join item i on i.owner_id = e.person_id join purchase p on p.id = i.purchase_id \
    where e.class_id = $1 and e.state = 'booked' \
    and (i.product_id in (select cp.product_id from course_product cp join class c on c.course_id = cp.course_id where c.id = $1) \
    or not exists (select 1 from course_product cp join class c on c.course_id = cp.course_id where c.id = $1)) \
    union all select e.person_id, p.product_name, o.name, p.purchased_on, i.id from enrolment e \
    join organisation o on o.id = e.organisation_id \
    join item i on i.organisation_id = o.id and i.owner_id <> e.person_id \
    join purchase p on p.id = i.purchase_id where e.class_id = $1 and e.state = 'booked' \
    and (i.product_id in (select cp.product_id from course_product cp join class c on c.course_id = cp.course_id where c.id = $1) \
    or not exists (select 1 from course_product cp join class c on c.course_id = cp.course_id where c.id = $1)) \
    order by 4 desc, 5 limit 1000";

/// What the learners of a class have of the course's products, latest first: a trainer teaches the printer that is
/// there. Of a general course, whatever they have. What is of the firm that enrolled them has its name beside it.
pub async fn owned_by_learners(tx: &mut Tx, class: ClassId) -> Result<HashMap<PersonId, Vec<String>>, AppError> {
    let mut owned: HashMap<PersonId, Vec<String>> = HashMap::new();
    for (person, product, firm, _, _) in
        fetch_all!(tx, (PersonId, String, Option<String>, NaiveDate, Uuid), OWNED, class)?
    {
        let product = firm.map_or(product.clone(), |firm| format!("{product} ({firm})"));
        let items = owned.entry(person).or_default();
        if items.len() < 5 && !items.contains(&product) {
            items.push(product);
        }
    }
    Ok(owned)
}

/// A certificate as anyone sees it who knows its code.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CertificateRow {
    pub code: PublicNumber,
    pub title: String,
    pub name: String,
    pub trainer: String,
    pub percent: i64,
    pub given_at: DateTime<Utc>,
    pub held_at: DateTime<Utc>,
    pub zone: String,
    pub language: String,
    pub course_id: CourseId,
    pub pass_percent: i64,
    pub last_valid_on: Option<NaiveDate>,
}

impl CertificateRow {
    /// How it stands at an instant, by the day where its class was held.
    pub fn validity(&self, now: DateTime<Utc>) -> Validity {
        let zone = crate::calendar::server::zone::named(&self.zone);
        Validity::of(self.last_valid_on, now.with_timezone(&zone).date_naive())
    }
}

const CERTIFICATE: &str = "select f.code, f.title, p.name, t.name as trainer, f.percent, f.given_at, c.ends_at as held_at, c.zone, \
    c.language, c.course_id, coalesce(c.pass_percent, k.pass_percent) as pass_percent, f.last_valid_on \
    from certificate f join person p on p.id = f.person_id join class c on c.id = f.class_id join person t on t.id = c.trainer_id \
    join course k on k.id = c.course_id where f.code = $1 and p.erased_at is null";
const INSERT_CERTIFICATE: &str = "insert into certificate (id, code, enrolment_id, person_id, class_id, title, percent, given_at, \
    last_valid_on, lapse_told_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing";
const WITHDRAWN: &str = "select withdrawn_at from withdrawn_certificate where code = $1";
const ALL_WITHDRAWN: &str = "select code from withdrawn_certificate order by withdrawn_at, code";

/// When the certificate with this code was taken back, if it was.
pub async fn withdrawn(tx: &mut Tx, code: &PublicNumber) -> Result<Option<DateTime<Utc>>, AppError> {
    Ok(fetch_scalar!(tx, DateTime<Utc>, WITHDRAWN, code)?)
}

/// The codes of all certificates that were taken back.
pub async fn all_withdrawn(tx: &mut Tx) -> Result<Vec<PublicNumber>, AppError> {
    Ok(fetch_all!(tx, (PublicNumber,), ALL_WITHDRAWN)?.into_iter().map(|(code,)| code).collect())
}

pub async fn certificate(tx: &mut Tx, code: &PublicNumber) -> Result<Option<CertificateRow>, AppError> {
    Ok(fetch_optional!(tx, CertificateRow, CERTIFICATE, code)?)
}

const CERTIFIES: &str =
    "select f.id from certificate f join class c on c.id = f.class_id where c.course_id = $1 limit 1";

/// Whether anybody has a certificate of the course: only then is it known outside.
pub async fn certifies(tx: &mut Tx, course: CourseId) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, CertificateId, CERTIFIES, course)?.is_some())
}

/// What is certified to whom.
#[derive(Clone, Debug)]
pub struct NewCertificate<'a> {
    pub code: &'a PublicNumber,
    pub enrolment: EnrolmentId,
    pub person: PersonId,
    pub class: ClassId,
    pub title: &'a str,
    pub percent: i64,
    /// Its last day, and when its holder hears of it.
    pub lapses: Option<(NaiveDate, DateTime<Utc>)>,
}

/// Gives a certificate; nothing where the code is taken already.
pub async fn insert_certificate(
    tx: &mut Tx,
    _: &Permit,
    new: &NewCertificate<'_>,
    now: DateTime<Utc>,
) -> Result<Option<CertificateId>, AppError> {
    if withdrawn(tx, new.code).await?.is_some() {
        return Ok(None);
    }
    let id: CertificateId = crate::server::fresh();
    let NewCertificate { code, enrolment, person, class, title, percent, lapses } = *new;
    let (last, told) = lapses.unzip();
    let given =
        execute!(tx, INSERT_CERTIFICATE, id, code, enrolment, person, class, title, percent, now, last, told)? == 1;
    Ok(given.then_some(id))
}
