//! Many rows in one statement: what makes a hundred thousand rows a matter of seconds.

use crate::{
    db::{Connection, Tx},
    error::AppError,
};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{AssertSqlSafe, Postgres, Sqlite};
use uuid::Uuid;

/// How many rows go into one statement; few sizes, so that the engines prepare few statements.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// One cell of a row on its way into a table.
#[derive(Clone, Debug)]
pub enum Value {
    Id(Option<Uuid>),
    Text(Option<String>),
    Number(Option<i64>),
    Day(Option<NaiveDate>),
    Instant(Option<DateTime<Utc>>),
    Truth(bool),
}

macro_rules! value {
    ($($from:ty => $variant:ident),+ $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(Some(value.into()))
            }
        }
        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$variant(value.map(Into::into))
            }
        }
    )+};
}

value!(Uuid => Id, String => Text, &str => Text, i64 => Number, NaiveDate => Day, DateTime<Utc> => Instant);

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

macro_rules! bind_all {
    ($query:expr, $values:expr) => {
        $values.into_iter().fold($query, |query, value| match value {
            Value::Id(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Number(value) => query.bind(value),
            Value::Day(value) => query.bind(value),
            Value::Instant(value) => query.bind(value),
            Value::Truth(value) => query.bind(value),
        })
    };
}

/// Inserts rows: `head` is `insert into … (…)`, `tail` what follows the values.
pub async fn insert(
    tx: &mut Tx,
    head: &'static str,
    tail: &'static str,
    rows: Vec<Vec<Value>>,
) -> Result<(), AppError> {
    let Some(width) = rows.first().map(Vec::len) else { return Ok(()) };
    let mut rows = rows.into_iter();
    for size in SIZES {
        while rows.len() >= size {
            let values: Vec<Value> = rows.by_ref().take(size).flatten().collect();
            let sql = format!("{head} values {} {tail}", tuples(tx, size, width));
            match tx.connection() {
                Connection::Sqlite(c) => {
                    bind_all!(sqlx::query::<Sqlite>(AssertSqlSafe(sql)), values).execute(c).await.map(|_| ())?;
                }
                Connection::Postgres(c) => {
                    bind_all!(sqlx::query::<Postgres>(AssertSqlSafe(sql)), values).execute(c).await.map(|_| ())?;
                }
            }
        }
    }
    Ok(())
}

/// Reads the rows whose column is one of `keys`: `head` ends with `… where column in`.
pub async fn select<Row>(tx: &mut Tx, head: &'static str, keys: Vec<Value>) -> Result<Vec<Row>, AppError>
where
    Row: Send
        + Unpin
        + for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
        + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>,
{
    let mut found = Vec::new();
    let mut keys = keys.into_iter();
    for size in SIZES {
        while keys.len() >= size {
            let values: Vec<Value> = keys.by_ref().take(size).collect();
            let sql = format!("{head} {}", tuples(tx, 1, size));
            let rows: Vec<Row> = match tx.connection() {
                Connection::Sqlite(c) => {
                    bind_all!(sqlx::query_as::<Sqlite, Row>(AssertSqlSafe(sql)), values).fetch_all(c).await?
                }
                Connection::Postgres(c) => {
                    bind_all!(sqlx::query_as::<Postgres, Row>(AssertSqlSafe(sql)), values).fetch_all(c).await?
                }
            };
            found.extend(rows);
        }
    }
    Ok(found)
}

/// `($1, $2), ($3, $4)`, or `(?, ?), (?, ?)` on SQLite: to it `$1` is a name, and finding the value of a name takes a walk
/// through all of them.
fn tuples(tx: &Tx, rows: usize, width: usize) -> String {
    let place = |place: usize| match tx {
        Tx::Sqlite(_) => "?".to_owned(),
        Tx::Postgres(_) => format!("${place}"),
    };
    numbered(rows, width, place)
}

fn numbered(rows: usize, width: usize, place: impl Fn(usize) -> String) -> String {
    let tuple = |row: usize| {
        let cells: Vec<String> = (1..=width).map(|column| place(row * width + column)).collect();
        format!("({})", cells.join(", "))
    };
    (0..rows).map(tuple).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn placeholders_are_numbered_through() {
        assert_eq!(super::numbered(2, 3, |place| format!("${place}")), "($1, $2, $3), ($4, $5, $6)");
    }
}
