//! Taken time: who or what is where, from when until when, because of what. The one place in which classes, repairs
//! and visits see each other.
//!
//! A rule that says "free, therefore mine" first calls [`lock`] with all that it wants to take, then [`clashes`], then
//! [`occupy`], in one transaction: on PostgreSQL two that ask at once would otherwise both find it free.

use crate::{
    calendar::domain::{Resource, Span},
    db::{Key, Tx},
    error::AppError,
    execute, fetch_all,
    server::fresh,
};
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

/// Something that already takes the time that somebody wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clash {
    /// What kind of thing it is: `class`, `enrolment`, `repair` …
    pub entity: String,
    pub id: Uuid,
    pub span: Span,
    /// The title of the class, of a make-up that in which it is made up; empty where the thing has none.
    pub label: String,
}

/// Longer spans are kept in pieces, so that a search needs to look back only so far.
pub const LONGEST: Duration = Duration::days(7);

const OCCUPY: &str = "insert into busy (id, resource_kind, resource_id, starts_at, ends_at, entity, entity_id) \
    values ($1, $2, $3, $4, $5, $6, $7)";
const FREE: &str = "delete from busy where entity = $1 and entity_id = $2";
const FREE_FROM: &str = "delete from busy where entity = $1 and entity_id = $2 and starts_at > $3";
const CLASHES: &str = "select b.starts_at, b.ends_at, b.entity, b.entity_id, coalesce(c.title, '') as label from busy b \
    left join enrolment e on b.entity = 'enrolment' and e.id = b.entity_id \
    left join make_up m on b.entity = 'make_up' and m.id = b.entity_id \
    left join class c on c.id = case b.entity when 'class' then b.entity_id when 'make_up' then m.class_id \
    else e.class_id end \
    where b.resource_kind = $1 and b.resource_id = $2 and b.starts_at > $3 and b.starts_at < $4 and b.ends_at > $5 \
    order by b.starts_at, b.id";

/// Serialises everybody who wants any of these resources until the transaction ends.
pub async fn lock(tx: &mut Tx, resources: &[Resource]) -> Result<(), AppError> {
    let keys: Vec<Key> = resources.iter().map(|resource| Key::of(resource.kind(), resource.id())).collect();
    tx.lock(&keys).await
}

/// Takes the time. Whether it is free is the caller's question, see [`clashes`].
pub async fn occupy(tx: &mut Tx, resource: Resource, span: Span, entity: &str, id: Uuid) -> Result<(), AppError> {
    let mut from = span.from;
    while from < span.until {
        let until = span.until.min(from + LONGEST);
        let row: Uuid = fresh();
        execute!(tx, OCCUPY, row, resource.kind(), resource.id(), from, until, entity, id)?;
        from = until;
    }
    Ok(())
}

/// Gives back all time that the thing has taken, of whomever.
pub async fn free(tx: &mut Tx, entity: &str, id: Uuid) -> Result<(), AppError> {
    execute!(tx, FREE, entity, id)?;
    Ok(())
}

/// Gives back the time that has not begun.
pub async fn free_from(tx: &mut Tx, entity: &str, id: Uuid, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, FREE_FROM, entity, id, now)?;
    Ok(())
}

/// What stands in the way of these spans, earliest first, without what belongs to `except` itself.
pub async fn clashes(
    tx: &mut Tx,
    resource: Resource,
    spans: &[Span],
    except: Option<(&str, Uuid)>,
) -> Result<Vec<Clash>, AppError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        starts_at: DateTime<Utc>,
        ends_at: DateTime<Utc>,
        entity: String,
        entity_id: Uuid,
        label: String,
    }
    let (Some(from), Some(until)) = (spans.iter().map(|s| s.from).min(), spans.iter().map(|s| s.until).max()) else {
        return Ok(Vec::new());
    };
    let rows = fetch_all!(tx, Row, CLASHES, resource.kind(), resource.id(), from - LONGEST, until, from)?;
    let clashes = rows
        .into_iter()
        .filter(|row| except != Some((row.entity.as_str(), row.entity_id)))
        .map(|row| Clash {
            span: Span { from: row.starts_at, until: row.ends_at },
            entity: row.entity,
            id: row.entity_id,
            label: row.label,
        })
        .filter(|clash| spans.iter().any(|span| span.overlaps(&clash.span)));
    Ok(clashes.collect())
}
