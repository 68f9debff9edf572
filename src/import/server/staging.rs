//! The staging table: a whole file, checked, before anything of it is applied.

use super::{
    bulk::{self, Value},
    run::Kind,
    source::Place,
};
use crate::{
    db::{Tx, dialect::in_own_words},
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    import::domain::{Fault, RowFault},
};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// A row on its way into the staging table.
#[derive(Clone, Debug)]
pub struct Staged {
    pub line: i64,
    pub identity: String,
    pub place: Option<i64>,
    pub digest: String,
    /// Where it stands in its file, if not on the line that it is numbered by.
    pub at: Option<Place>,
    /// The row as JSON, or what is wrong with it.
    pub content: Result<String, Vec<RowFault>>,
}

/// A good row, ready to be applied.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Ready {
    pub line: i64,
    pub place: Option<i64>,
    pub digest: String,
    pub parsed: String,
    /// Whether it takes something away from a purchase that was there when the file was looked at.
    pub takes: bool,
}

const BEGIN: &str = "insert into import_run (id, kind, digest, state, applied_line, started_at) \
    values ($1, $2, $3, 'staging', 0, $4)";
const CUT_OFF: &str = "select id, applied_line from import_run where digest = $1 and kind = $2 and state = 'applying' \
    order by started_at desc limit 1";
const FORGET_ROWS: &str = "delete from import_row where run_id in \
    (select id from import_run where state = 'done' or (state = 'staging' and started_at < $1))";
const FORGET_RUNS: &str = "delete from import_run where state = 'staging' and started_at < $1";

/// Opens a run.
pub async fn begin(tx: &mut Tx, run: Uuid, kind: Kind, digest: &str, at: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, BEGIN, run, kind.as_str(), digest, at)?;
    Ok(())
}

/// The run of the same file that was cut off while it was applied, and the line it came to.
pub async fn cut_off(tx: &mut Tx, kind: Kind, digest: &str) -> Result<Option<(Uuid, i64)>, AppError> {
    Ok(fetch_optional!(tx, (Uuid, i64), CUT_OFF, digest, kind.as_str())?)
}

/// Forgets what was staged before `before` and never applied, and what a run left that was cut off after its end.
pub async fn forget(tx: &mut Tx, before: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, FORGET_ROWS, before)?;
    execute!(tx, FORGET_RUNS, before)?;
    Ok(())
}

const ADD: &str = "insert into import_row (run_id, line, identity, place, digest, parsed, faults)";
const ADD_AT: &str = "insert into import_row (run_id, line, identity, place, digest, parsed, faults, file_line, field)";

/// Takes rows in.
pub async fn add(tx: &mut Tx, run: Uuid, rows: &Arc<Vec<Staged>>) -> Result<(), AppError> {
    let elsewhere = rows.iter().any(|row| row.at.is_some());
    let rows = rows.iter().map(|row| {
        let (parsed, faults) = match &row.content {
            Ok(parsed) => (Some(parsed.clone()), None),
            Err(faults) => (None, Some(json(faults))),
        };
        let mut cells = vec![
            run.into(),
            row.line.into(),
            row.identity.clone().into(),
            row.place.into(),
            row.digest.clone().into(),
            Value::Text(parsed),
            Value::Text(faults),
        ];
        if elsewhere {
            cells.push(row.at.as_ref().map(|(line, _)| *line).into());
            cells.push(row.at.as_ref().map(|(_, field)| field.as_str()).into());
        }
        cells
    });
    bulk::insert(tx, if elsewhere { ADD_AT } else { ADD }, "", rows.collect()).await
}

fn json(faults: &[RowFault]) -> String {
    serde_json::to_string(faults).unwrap_or_default()
}

// Counting by the index is cheap: an order has few lines. The plus keeps SQLite from going through all lines before
// instead of through the order's.
const NUMBER: &str = "update import_row set place = (select count(*) from import_row other \
    where other.run_id = import_row.run_id and other.identity = import_row.identity and +other.line <= import_row.line) \
    where run_id = $1 and line > $2 and line <= $3 and place is null and identity <> ''";
// The first of them stays good, so that it is found from every later batch.
const REPEATED: &str = "select r.line, min(coalesce(o.file_line, o.line)), r.place from import_row r \
    join import_row o on o.run_id = r.run_id and o.identity = r.identity and o.place = r.place and o.faults is null \
    and +o.line < r.line where r.run_id = $1 and r.line > $2 and r.line <= $3 and r.faults is null \
    group by r.line, r.place order by r.line";

/// Lines of the file, the first one exclusive.
pub type Lines = (i64, i64);

/// Numbers the lines of orders that have no numbers, by their place in the file; bad rows keep their place, so that they
/// have it still when they come back mended.
pub async fn number(tx: &mut Tx, run: Uuid, (after, until): Lines) -> Result<(), AppError> {
    execute!(tx, NUMBER, run, after, until)?;
    Ok(())
}

/// Rows that say the same again as an earlier one, with what is wrong with them.
pub async fn repeated(
    tx: &mut Tx,
    run: Uuid,
    kind: Kind,
    (after, until): Lines,
) -> Result<Vec<(i64, RowFault)>, AppError> {
    let rows = fetch_all!(tx, (i64, i64, Option<i64>), REPEATED, run, after, until)?;
    let fault = |(line, first, place): (i64, i64, Option<i64>)| {
        let value = place.map(|place| place.to_string()).unwrap_or_default();
        let fault = Fault::SameAsLine(u64::try_from(first).unwrap_or_default());
        (line, RowFault::new(kind.identity_column(), value, fault))
    };
    Ok(rows.into_iter().map(fault).collect())
}

const BLAME: &str = "update import_row set faults = $3 where run_id = $1 and line = $2";
const AT: &str = "select file_line, field from import_row where run_id = $1 and line = $2";

/// Marks a row as bad; gives what is wrong with it, and where in the file it stands.
pub async fn blame(tx: &mut Tx, run: Uuid, line: i64, fault: RowFault) -> Result<RowFault, AppError> {
    let at = fetch_optional!(tx, (Option<i64>, Option<String>), AT, run, line)?;
    let fault = match at {
        Some((Some(line), field)) => RowFault { line: Some(line), field, ..fault },
        _ => fault,
    };
    execute!(tx, BLAME, run, line, json(std::slice::from_ref(&fault)))?;
    Ok(fault)
}

/// The line of the file on which a row stands.
pub async fn line_in_file(tx: &mut Tx, run: Uuid, line: i64) -> Result<i64, AppError> {
    let at = fetch_optional!(tx, (Option<i64>, Option<String>), AT, run, line)?;
    Ok(at.and_then(|(line, _)| line).unwrap_or(line))
}

const SOLD: &str = "select order_number, order_line from purchase where order_number in";

/// Which of some lines of orders are here as purchases.
pub async fn sold(tx: &mut Tx, lines: &[(String, i64)]) -> Result<BTreeSet<(String, i64)>, AppError> {
    let orders: BTreeSet<&str> = lines.iter().map(|(order, _)| order.as_str()).collect();
    let orders = orders.into_iter().map(Into::into).collect();
    Ok(bulk::select::<(String, i64)>(tx, SOLD, orders).await?.into_iter().collect())
}

const NUMBERED: &str = "select distinct coalesce(json_text(r.parsed, organisation), json_text(r.parsed, organisation_id)), \
    json_text(r.parsed, organisation_id) from import_row r where r.run_id = $1 and r.faults is null \
    and json_text(r.parsed, organisation_id) is not null \
    and coalesce(json_text(r.parsed, organisation), json_text(r.parsed, organisation_id)) in \
    (select json_text(n.parsed, organisation) from import_row n where n.run_id = $1 and n.faults is null \
    and json_text(n.parsed, organisation_id) is null and json_text(n.parsed, organisation) is not null)";

/// Firms that good rows bring with a name and a number, as far as other rows name a firm by that name alone.
pub async fn numbered_firms(tx: &mut Tx, run: Uuid) -> Result<Vec<(String, String)>, AppError> {
    let sql = AssertSqlSafe(in_own_words(tx, NUMBERED));
    Ok(fetch_all!(tx, (String, String), sql, run)?)
}

const TAKES: &str = "update import_row set takes = true where run_id = $1 and line = $2";

/// Marks a row as one that takes something away.
pub async fn mark_taking(tx: &mut Tx, run: Uuid, line: i64) -> Result<(), AppError> {
    execute!(tx, TAKES, run, line)?;
    Ok(())
}

const TAKING: &str = "select line, place, digest, parsed, takes from import_row \
    where run_id = $1 and line > $2 and takes and faults is null order by line limit 500";

const COUNT_TAKING: &str = "select count(*) from import_row where run_id = $1 and takes and faults is null";

/// How many good rows take something away.
pub async fn count_taking(tx: &mut Tx, run: Uuid) -> Result<i64, AppError> {
    Ok(fetch_scalar!(tx, i64, COUNT_TAKING, run)?.unwrap_or(0))
}

/// The next good rows that take something away.
pub async fn taking(tx: &mut Tx, run: Uuid, after: i64) -> Result<Vec<Ready>, AppError> {
    Ok(fetch_all!(tx, Ready, TAKING, run, after)?)
}

const CHANGED: &str = "select r.line, r.place, r.digest, r.parsed, r.takes from import_row r \
    join purchase p on p.order_number = r.identity and p.order_line = r.place and p.digest <> r.digest \
    where r.run_id = $1 and r.line > $2 and r.faults is null order by r.line limit 500";

/// Good rows of purchases that are there already and say something else now.
pub async fn changed(tx: &mut Tx, run: Uuid, after: i64) -> Result<Vec<Ready>, AppError> {
    Ok(fetch_all!(tx, Ready, CHANGED, run, after)?)
}

const COUNT: &str = "select count(*), cast(coalesce(sum(case when faults is null then 0 else 1 end), 0) as bigint) \
    from import_row where run_id = $1";
const BAD: &str = "select line, place, faults from import_row where run_id = $1 and line > $2 and faults is not null \
    order by line limit 500";

const APPLIED: &str = "select count(*) from import_row where run_id = $1 and line <= $2 and faults is null";

/// How many good rows there are up to a line.
pub async fn good_until(tx: &mut Tx, run: Uuid, line: i64) -> Result<i64, AppError> {
    Ok(fetch_scalar!(tx, i64, APPLIED, run, line)?.unwrap_or(0))
}

/// How many rows there are, and how many of them are bad.
pub async fn count(tx: &mut Tx, run: Uuid) -> Result<(i64, i64), AppError> {
    Ok(fetch_optional!(tx, (i64, i64), COUNT, run)?.unwrap_or_default())
}

/// A bad row: its line, its place in the order, its faults.
pub type Bad = (i64, Option<i64>, Vec<RowFault>);

/// The next bad rows after a line.
pub async fn bad(tx: &mut Tx, run: Uuid, after: i64) -> Result<Vec<Bad>, AppError> {
    let rows = fetch_all!(tx, (i64, Option<i64>, String), BAD, run, after)?;
    let read = |(line, place, faults): (i64, Option<i64>, String)| {
        serde_json::from_str(&faults).ok().map(|faults| (line, place, faults))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

const READY: &str = "select line, place, digest, parsed, takes from import_row \
    where run_id = $1 and line > $2 and faults is null order by line limit $3";
const APPLYING: &str = "update import_run set state = 'applying', applied_line = $2 where id = $1";
const DONE: &str = "update import_run set state = 'done', finished_at = $2 where id = $1";
const CLEAR: &str = "delete from import_row where run_id = $1 and line <= $2";
const LAST: &str = "select max(line) from import_row where run_id = $1";
const DROP: &str = "delete from import_run where id = $1";

/// The next good rows after a line.
pub async fn ready(tx: &mut Tx, run: Uuid, after: i64, most: i64) -> Result<Vec<Ready>, AppError> {
    Ok(fetch_all!(tx, Ready, READY, run, after, most)?)
}

/// Notes how far the run was applied.
pub async fn applied(tx: &mut Tx, run: Uuid, line: i64) -> Result<(), AppError> {
    execute!(tx, APPLYING, run, line)?;
    Ok(())
}

/// Ends a run whose rows are applied.
pub async fn done(tx: &mut Tx, run: Uuid, at: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, DONE, run, at)?;
    Ok(())
}

/// The last staged line.
pub async fn last_line(tx: &mut Tx, run: Uuid) -> Result<i64, AppError> {
    Ok(fetch_scalar!(tx, Option<i64>, LAST, run)?.flatten().unwrap_or(0))
}

/// Takes staged rows away, up to a line.
pub async fn clear(tx: &mut Tx, run: Uuid, line: i64) -> Result<(), AppError> {
    execute!(tx, CLEAR, run, line)?;
    Ok(())
}

/// Takes a run away that came to nothing; its rows must be cleared.
pub async fn drop(tx: &mut Tx, run: Uuid) -> Result<(), AppError> {
    execute!(tx, DROP, run)?;
    Ok(())
}
