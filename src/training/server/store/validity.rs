//! Certificates that lapse: whose they are, and who has to hear of it.

use crate::{
    db::Tx,
    error::AppError,
    fetch_all, fetch_optional,
    values::{CertificateId, CourseId, EnrolmentId, OrganisationId, PersonId},
};
use chrono::NaiveDate;

/// No certificate `g` of the same person and course is valid for longer than `f`.
macro_rules! newest {
    () => {
        "not exists (select 1 from certificate g join class d on d.id = g.class_id \
         where g.person_id = f.person_id and d.course_id = c.course_id and g.id <> f.id and (g.last_valid_on is null \
         or g.last_valid_on > f.last_valid_on or (g.last_valid_on = f.last_valid_on and g.id > f.id)))"
    };
}

pub(super) use newest;

/// A certificate whose time of telling has come.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ToTellRow {
    pub person_id: PersonId,
    pub name: String,
    pub enrolment_id: EnrolmentId,
    pub course_id: CourseId,
    pub title: String,
    pub last_valid_on: NaiveDate,
}

const TO_TELL: &str = concat!(
    "select f.person_id, p.name, f.enrolment_id, c.course_id, k.title, f.last_valid_on from certificate f \
     join person p on p.id = f.person_id join class c on c.id = f.class_id join course k on k.id = c.course_id \
     where f.id = $1 and f.last_valid_on is not null and p.erased_at is null and ",
    newest!()
);

/// Nothing where it was taken back, or where its holder has learned it again since.
pub async fn to_tell(tx: &mut Tx, certificate: CertificateId) -> Result<Option<ToTellRow>, AppError> {
    Ok(fetch_optional!(tx, ToTellRow, TO_TELL, certificate)?)
}

const OWNERS: &str = "select m.person_id, m.organisation_id, o.name from membership l \
    join membership m on m.organisation_id = l.organisation_id join organisation o on o.id = m.organisation_id \
    where l.person_id = $1 and m.role = 'owner' and m.person_id <> $1 and (exists (select 1 from course_product cp \
    join item i on i.product_id = cp.product_id where cp.course_id = $2 and i.organisation_id = m.organisation_id) \
    or exists (select 1 from enrolment e where e.id = $3 and e.organisation_id = m.organisation_id)) \
    order by m.organisation_id, m.person_id limit 50";

/// The owners of the firms in whose matrix the certificate stands, or that paid for it.
pub async fn owners_concerned(
    tx: &mut Tx,
    row: &ToTellRow,
) -> Result<Vec<(PersonId, OrganisationId, String)>, AppError> {
    let rows =
        fetch_all!(tx, (PersonId, OrganisationId, String), OWNERS, row.person_id, row.course_id, row.enrolment_id)?;
    Ok(rows)
}
