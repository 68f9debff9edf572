//! The listings of the catalogue: open classes by their start, through every filter, page by page.

use super::{ListedClass, classes::listed};
use crate::{
    db::{Tx, dialect::in_own_words},
    error::AppError,
    fetch_all,
    i18n::fold,
    training::domain::Level,
    values::PersonId,
};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;
use uuid::Uuid;

/// How a class is held, as the catalogue asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Online,
    InPerson,
}

impl Held {
    pub const ALL: [Self; 2] = [Self::InPerson, Self::Online];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::InPerson => "in_person",
        }
    }
}

/// What a reader of the catalogue asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub level: Option<Level>,
    pub language: Option<String>,
    pub place: Option<String>,
    pub held: Option<Held>,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    pub free: bool,
    /// Only for what the reader owns.
    pub owned: bool,
    pub search: Option<String>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The search as a pattern: what the reader typed means itself.
    fn pattern(&self) -> Option<String> {
        let folded = fold(self.search.as_deref()?);
        Some(format!("%{}%", folded.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")))
    }
}

/// What a course is found by.
pub fn searched(title: &str, summary: &str) -> String {
    fold(&format!("{title} {summary}"))
}

macro_rules! filtered {
    ($rest:literal) => {
        concat!(
            "where c.state = 'open' and (c.starts_at, c.id) > ($1, $2) and c.starts_at < $3 ",
            "and (cast($4 as text) is null or k.level = $4) and (cast($5 as text) is null or c.language = $5) ",
            "and (cast($6 as text) is null or c.place = $6) ",
            "and (cast($7 as text) is null or ($7 = 'online' and c.link is not null) or ($7 = 'in_person' and c.room_id is not null)) ",
            // Once the waitlist is closed a free seat is for whoever takes it.
            "and (cast($8 as bigint) = 0 or (c.taken + c.held < c.capacity - c.guests \
             and (c.waiting = 0 or minutes($11, c.starts_at) <= c.freeze_minutes))) ",
            "and (cast($9 as text) is null or c.title_folded like $9 escape '\\' or k.search like $9 escape '\\') ",
            $rest
        )
    };
}

const COMING: &str = listed!(filtered!("order by c.starts_at, c.id limit $10"));
const FOR_OWNED: &str = listed!(filtered!(
    "and exists (select 1 from course_product cp \
     join item i on i.product_id = cp.product_id left join membership m on m.organisation_id = i.organisation_id and m.person_id = $12 \
     where cp.course_id = c.course_id and (i.owner_id = $12 or m.person_id is not null)) \
     order by c.starts_at, c.id limit $10"
));

/// Open classes by their start, after a place in that order.
pub async fn coming(
    tx: &mut Tx,
    filter: &Filter,
    after: (DateTime<Utc>, Uuid),
    most: i64,
    now: DateTime<Utc>,
) -> Result<Vec<ListedClass>, AppError> {
    let (after, until, free) = bounds(filter, after);
    let sql = AssertSqlSafe(in_own_words(tx, COMING));
    Ok(fetch_all!(
        tx,
        ListedClass,
        sql,
        after.0,
        after.1,
        until,
        filter.level.map(Level::as_str),
        filter.language.as_deref(),
        filter.place.as_deref(),
        filter.held.map(Held::as_str),
        free,
        filter.pattern(),
        most,
        now
    )?)
}

/// Of these, after a place in their order, the classes of courses that belong to what the person has, or what the firm has that they belong to.
pub async fn for_owned(
    tx: &mut Tx,
    filter: &Filter,
    person: PersonId,
    after: (DateTime<Utc>, Uuid),
    most: i64,
    now: DateTime<Utc>,
) -> Result<Vec<ListedClass>, AppError> {
    let (after, until, free) = bounds(filter, after);
    let sql = AssertSqlSafe(in_own_words(tx, FOR_OWNED));
    Ok(fetch_all!(
        tx,
        ListedClass,
        sql,
        after.0,
        after.1,
        until,
        filter.level.map(Level::as_str),
        filter.language.as_deref(),
        filter.place.as_deref(),
        filter.held.map(Held::as_str),
        free,
        filter.pattern(),
        most,
        now,
        person
    )?)
}

/// Where the listing begins and ends in time, and whether only free seats count.
fn bounds(filter: &Filter, after: (DateTime<Utc>, Uuid)) -> ((DateTime<Utc>, Uuid), DateTime<Utc>, i64) {
    let after = match filter.from {
        Some(from) if from > after.0 => (from, Uuid::nil()),
        _ => after,
    };
    (after, filter.until.unwrap_or_else(crate::training::server::shared::far), i64::from(filter.free))
}

const CHOICES: &str = "select distinct place, language from class where state = 'open' and starts_at > $1";

/// The towns and the languages that there are classes in.
pub async fn choices(tx: &mut Tx, now: DateTime<Utc>) -> Result<(Vec<String>, Vec<String>), AppError> {
    let rows = fetch_all!(tx, (String, String), CHOICES, now)?;
    let (mut places, mut languages): (BTreeSet<_>, BTreeSet<_>) = rows.into_iter().unzip();
    places.remove("");
    languages.remove("");
    Ok((places.into_iter().collect(), languages.into_iter().collect()))
}

const OF_COURSE: &str =
    listed!("where c.course_id = $1 and c.state = 'open' and c.starts_at > $2 order by c.starts_at, c.id limit $3");

/// The coming classes of a course.
pub async fn of_course(
    tx: &mut Tx,
    course: crate::values::CourseId,
    now: DateTime<Utc>,
    most: i64,
) -> Result<Vec<ListedClass>, AppError> {
    Ok(fetch_all!(tx, ListedClass, OF_COURSE, course, now, most)?)
}
