//! Every change can be explained: who, when, from what to what, why. Exactly one row for each act.

use super::{Cx, fresh};
use crate::{
    access::{Permit, Viewer},
    db::Tx,
    error::AppError,
    execute, fetch_all,
    values::{HistoryId, PersonId},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What changed.
#[derive(Clone, Debug, Default)]
pub struct Change<'a> {
    /// The kind of thing: `repair`, `class`, `enrolment` …
    pub entity: &'a str,
    pub id: Uuid,
    /// The customer whom it concerns and who may see it.
    pub customer: Option<PersonId>,
    pub from: Option<&'a str>,
    pub to: Option<&'a str>,
    /// A reason in somebody's own words, or a code.
    pub why: Option<&'a str>,
    /// What else is worth keeping, as JSON.
    pub detail: Option<&'a str>,
}

/// One line of the history as it is read.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Line {
    pub at: DateTime<Utc>,
    pub actor_kind: String,
    pub actor_name: Option<String>,
    pub act: String,
    pub entity: String,
    pub entity_id: Uuid,
    pub from_state: Option<String>,
    pub to_state: Option<String>,
    pub why: Option<String>,
}

const RECORD: &str = "insert into history \
    (id, at, actor_kind, actor_id, act, entity, entity_id, customer_id, from_state, to_state, why, detail) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// Writes the line of an act. The permit says which act it was.
pub async fn record(tx: &mut Tx, cx: &Cx, permit: &Permit, change: Change<'_>) -> Result<(), AppError> {
    let (kind, actor) = match &cx.viewer {
        Viewer::Guest => ("guest", None),
        Viewer::Person(person) => ("person", Some(person.id)),
        Viewer::Link { person, .. } => ("link", Some(*person)),
        Viewer::Operator => ("operator", None),
        Viewer::System => ("system", None),
    };
    let id: HistoryId = fresh();
    execute!(
        tx,
        RECORD,
        id,
        cx.now,
        kind,
        actor,
        permit.act().as_str(),
        change.entity,
        change.id,
        change.customer,
        change.from,
        change.to,
        change.why,
        change.detail
    )?;
    Ok(())
}

const OF: &str = "select h.at, h.actor_kind, p.name as actor_name, h.act, h.entity, h.entity_id, h.from_state, h.to_state, h.why \
    from history h left join person p on p.id = h.actor_id where h.entity = $1 and h.entity_id = $2 order by h.at, h.id";
const OF_CUSTOMER: &str = "select h.at, h.actor_kind, p.name as actor_name, h.act, h.entity, h.entity_id, h.from_state, h.to_state, h.why \
    from history h left join person p on p.id = h.actor_id where h.customer_id = $1 order by h.at desc, h.id desc limit $2";

/// The history of one thing, oldest first.
pub async fn of(tx: &mut Tx, entity: &str, id: Uuid) -> Result<Vec<Line>, AppError> {
    Ok(fetch_all!(tx, Line, OF, entity, id)?)
}

/// The latest that concerns one customer, newest first.
pub async fn of_customer(tx: &mut Tx, person: PersonId, most: i64) -> Result<Vec<Line>, AppError> {
    Ok(fetch_all!(tx, Line, OF_CUSTOMER, person, most)?)
}
