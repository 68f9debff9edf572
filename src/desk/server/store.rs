//! Finding people, and what was written to them.

use crate::{
    db::Tx,
    error::AppError,
    fetch_all,
    notices::server::store::secret_letters,
    values::{ClassId, Cursor, OrganisationId, PersonId, Rows, page::PAGE},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A person in the list of a search.
#[derive(Clone, PartialEq, Debug, sqlx::FromRow)]
pub struct Found {
    pub id: PersonId,
    pub name: String,
    pub name_lower: String,
    pub email: Option<String>,
}

const BY_NAME: &str = "select id, name, name_lower, email from person where name_lower >= $1 and name_lower < $2 \
    and (name_lower, id) > ($3, $4) and not staff and erased_at is null order by name_lower, id limit $5";
const BY_EMAIL: &str = "select id, name, name_lower, email from person where email >= $1 and email < $2 \
    and not staff and erased_at is null order by email limit $3";
/// A later word of the name: a walk over the names, so only for what the indexed ways did not find.
const BY_WORD: &str = "select id, name, name_lower, email from person where name_lower like $1 escape '!' \
    and not staff and erased_at is null order by name_lower, id limit $2";

/// Nobody has a longer name; SQLite refuses patterns beyond a length.
const LONGEST_SEARCH: usize = 200;

/// People whose name or address begins like this; on the first page also those with a later name that does.
pub async fn search(tx: &mut Tx, text: &str, from: Option<&Cursor>) -> Result<Rows<Found>, AppError> {
    let text: String = text.trim().chars().take(LONGEST_SEARCH).collect::<String>().to_lowercase();
    // Beyond every text that begins so, byte by byte.
    let end = format!("{text}\u{10ffff}");
    let more = PAGE as i64 + 1;
    let (key, id) = from.map_or_else(|| (String::new(), Uuid::nil()), |cursor| (cursor.key.clone(), cursor.id));
    let mut found = fetch_all!(tx, Found, BY_NAME, text.as_str(), end.as_str(), key.as_str(), id, more)?;
    if from.is_none() && !text.is_empty() && found.len() <= PAGE {
        let mut also = fetch_all!(tx, Found, BY_EMAIL, text.as_str(), end.as_str(), PAGE as i64)?;
        if also.is_empty() && found.is_empty() {
            also = fetch_all!(tx, Found, BY_WORD, format!("% {}%", escaped(&text)), PAGE as i64)?;
        }
        also.retain(|person| found.iter().all(|known| known.id != person.id));
        found.extend(also);
        found.truncate(PAGE);
        return Ok(Rows { rows: found, next: None });
    }
    Ok(Rows::cut(found, |person| Cursor { key: person.name_lower.clone(), id: person.id.0 }))
}

/// Text as it stands in a pattern.
fn escaped(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

const ORGANISATIONS: &str = "select o.id, o.name, m.role from membership m join organisation o on o.id = m.organisation_id \
    where m.person_id = $1 order by o.name, o.id";

/// The firms that a person belongs to, and as what.
pub async fn organisations(tx: &mut Tx, person: PersonId) -> Result<Vec<(OrganisationId, String, String)>, AppError> {
    Ok(fetch_all!(tx, (OrganisationId, String, String), ORGANISATIONS, person)?)
}

/// What was written to a person.
#[derive(Clone, PartialEq, Debug, sqlx::FromRow)]
pub struct Sent {
    pub subject: String,
    pub created_at: DateTime<Utc>,
    pub read_at: Option<DateTime<Utc>>,
}

const SENT: &str = concat!(
    "select subject, created_at, read_at from message where person_id = $1 and letter <> 'class_session' and letter not in ",
    secret_letters!(),
    " order by created_at desc, id desc limit $2"
);

/// The letters to a person, without those whose words would let whoever reads them in as that person.
pub async fn sent(tx: &mut Tx, person: PersonId, most: i64) -> Result<Vec<Sent>, AppError> {
    Ok(fetch_all!(tx, Sent, SENT, person, most)?)
}

/// A meeting of a class today.
#[derive(Clone, PartialEq, Debug, sqlx::FromRow)]
pub struct ClassToday {
    pub id: ClassId,
    pub title: String,
    pub place: String,
    pub starts_at: DateTime<Utc>,
    pub taken: i64,
    pub capacity: i64,
    pub trainer_id: PersonId,
}

const CLASSES: &str = "select c.id, c.title, c.place, s.starts_at, c.taken, c.capacity, c.trainer_id \
    from class c join class_session s on s.class_id = c.id \
    where (c.trainer_id = $1 or c.id in (select a.class_id from class_assistant a where a.person_id = $1)) and c.state <> 'cancelled' and s.starts_at >= $2 and s.starts_at < $3 order by s.starts_at, s.id limit $4";

/// What somebody teaches or helps in between two instants, the first `most` meetings.
pub async fn classes(
    tx: &mut Tx,
    person: PersonId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    most: usize,
) -> Result<Vec<ClassToday>, AppError> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    Ok(fetch_all!(tx, ClassToday, CLASSES, person, from, until, most)?)
}

/// A repair that waits for its technician.
#[derive(Clone, PartialEq, Debug, sqlx::FromRow)]
pub struct JobToday {
    pub rma: String,
    pub item_name: String,
    pub customer_name: String,
    pub state: String,
    pub next_due: Option<DateTime<Utc>>,
}

const JOBS: &str = "select r.rma, r.item_name, p.name as customer_name, r.state, r.next_due from repair r \
    join person p on p.id = r.person_id where r.technician_id = $1 \
    and r.state not in ('handed_back', 'closed', 'cancelled', 'not_repairable') and r.next_due < $2 \
    order by r.next_due, r.id limit $3";

/// What a technician has to do before an instant, the most urgent first.
pub async fn jobs(
    tx: &mut Tx,
    technician: PersonId,
    until: DateTime<Utc>,
    most: i64,
) -> Result<Vec<JobToday>, AppError> {
    Ok(fetch_all!(tx, JobToday, JOBS, technician, until, most)?)
}

/// A firm among those that are alike.
#[derive(Clone, PartialEq, Debug, sqlx::FromRow)]
pub struct Alike {
    pub id: OrganisationId,
    pub name: String,
    pub external_id: Option<String>,
    pub created_at: DateTime<Utc>,
    likeness: String,
    pub people: i64,
    pub purchases: i64,
    /// One of its people, by whom it is looked at.
    pub person: Option<PersonId>,
}

const ALIKE: &str = "select o.id, o.name, o.external_id, o.created_at, o.likeness, \
    (select count(*) from membership m where m.organisation_id = o.id) as people, \
    (select count(*) from purchase p where p.organisation_id = o.id) as purchases, \
    (select m.person_id from membership m where m.organisation_id = o.id order by m.role desc, m.person_id limit 1) as person \
    from organisation o join (select likeness from organisation where likeness > $1 group by likeness having count(*) > 1 \
    order by likeness limit $2) g on g.likeness = o.likeness order by o.likeness, o.created_at, o.id";

/// Groups of firms with names that are alike, after a likeness, and where the next page begins.
pub async fn alike(tx: &mut Tx, after: &str) -> Result<(Vec<Vec<Alike>>, Option<String>), AppError> {
    let mut groups: Vec<Vec<Alike>> = Vec::new();
    for firm in fetch_all!(tx, Alike, ALIKE, after, PAGE as i64 + 1)? {
        match groups.last_mut() {
            Some(group) if group[0].likeness == firm.likeness => group.push(firm),
            _ => groups.push(vec![firm]),
        }
    }
    let more = groups.len() > PAGE;
    groups.truncate(PAGE);
    let next = groups.last().filter(|_| more).map(|group| group[0].likeness.clone());
    Ok((groups, next))
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_is_typed_is_no_pattern() {
        assert_eq!(escaped("50%_!"), "50!%!_!!");
    }
}
