//! The few places where the two engines really differ.

use super::{Connection, Tx};
use crate::error::AppError;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What a rule that spans rows serialises on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    kind: &'static str,
    id: Uuid,
}

impl Key {
    /// A thing by kind and id: `Key::of("class", id.0)`.
    pub fn of(kind: &'static str, id: Uuid) -> Self {
        Self { kind, id }
    }

    pub(super) fn number(self) -> i64 {
        let number = hashed(self.kind, self.id.as_bytes());
        if MANY.contains(&self.kind) { hashed(self.kind, &number.rem_euclid(SHARED).to_be_bytes()) } else { number }
    }
}

/// Kinds of which one transaction may hold any number, an import for one. PostgreSQL has room for some thousands of locks
/// in all, so that these share [`SHARED`] of them.
const MANY: [&str; 2] = ["item", "serial_number"];
const SHARED: i64 = 512;

fn hashed(kind: &str, id: &[u8]) -> i64 {
    let digest = Sha256::new().chain_update(kind).chain_update(id).finalize();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(bytes)
}

/// Holds the keys until the transaction ends, in one order for everybody, so that nobody waits in a circle.
pub async fn lock(tx: &mut Tx, keys: &[Key]) -> Result<(), AppError> {
    let mut numbers: Vec<i64> = keys.iter().map(|key| key.number()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if let Connection::Postgres(connection) = tx.connection() {
        // One after the other as they stand in the array.
        sqlx::query("select pg_advisory_xact_lock(number) from unnest($1::bigint[]) as keys(number)")
            .bind(numbers)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// The statement with what a clause may say written in the engine's words: `minutes(a, b)`, the minutes from one column's
/// instant to another's; `written(id)`, an identity as jobs write it; `named(payload, field)`, the identity that a job's
/// payload holds under a name; `json_text(column, field)`, what a JSON text says under a name.
pub fn in_own_words(tx: &Tx, sql: &str) -> String {
    let sqlite = matches!(tx, Tx::Sqlite(_));
    let sql = called(sql, "minutes", |from, until| match sqlite {
        true => format!("((julianday({until}) - julianday({from})) * 1440)"),
        false => format!("(extract(epoch from ({until} - {from})) / 60)"),
    });
    let sql = called(&sql, "written", |id, _| match sqlite {
        true => {
            let part = |from: u32, length: u32| format!("substr(lower(hex({id})), {from}, {length})");
            let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)];
            format!("({})", parts.join(" || '-' || "))
        }
        false => format!("cast({id} as text)"),
    });
    let sql = called(&sql, "json_text", |json, field| match sqlite {
        true => format!("json_extract({json}, '$.{field}')"),
        false => format!("(cast({json} as json) ->> '{field}')"),
    });
    called(&sql, "named", |payload, field| {
        let (place, mark) = (if sqlite { "instr" } else { "strpos" }, format!("\"{field}\":\""));
        format!("substr({payload}, {place}({payload}, '{mark}') + {}, 36)", mark.len())
    })
}

/// The statement with every call of `name` replaced by what is written for its one or two arguments.
fn called(sql: &str, name: &str, write: impl Fn(&str, &str) -> String) -> String {
    let mut written = String::new();
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once(&format!("{name}(")) {
        let Some((arguments, after)) = after.split_once(')') else { break };
        let (first, second) = arguments.split_once(", ").unwrap_or((arguments, ""));
        written.push_str(before);
        written.push_str(&write(first, second));
        rest = after;
    }
    written + rest
}

/// Runs several statements without values in one go.
pub(super) async fn run(tx: &mut Tx, statements: &'static str) -> Result<(), sqlx::Error> {
    match tx.connection() {
        Connection::Sqlite(connection) => sqlx::query(statements).execute(connection).await.map(|_| ()),
        // Prepared, there could only be one.
        Connection::Postgres(connection) => sqlx::raw_sql(statements).execute(connection).await.map(|_| ()),
    }
}

/// Lets the writing connection of a command that changes much keep more of SQLite's pages at hand (64 MB), and copy
/// them out of the log less often. PostgreSQL has its own memory.
pub async fn widen_cache(tx: &mut Tx) -> Result<(), AppError> {
    for pragma in ["pragma cache_size = -65536", "pragma wal_autocheckpoint = 8192"] {
        if let Connection::Sqlite(connection) = tx.connection() {
            sqlx::query(pragma).execute(connection).await?;
        }
    }
    Ok(())
}

/// Whether the error says that the transaction lost to another and may be tried again.
pub fn lost_race(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|e| e.code());
    // 40001 serialization_failure, 40P01 deadlock_detected, 55P03 lock_not_available; 5 and 517 are SQLITE_BUSY and SQLITE_BUSY_SNAPSHOT.
    matches!(code.as_deref(), Some("40001" | "40P01" | "55P03" | "5" | "517"))
}

/// Whether the error says that no such value can be kept or compared: text with the character NUL (22021), an instant
/// before or after all that the engine knows (22008), a number too large (22003). Whoever sent it finds nothing by it.
pub fn no_such_value(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|e| e.code());
    matches!(code.as_deref(), Some("22021" | "22008" | "22003"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_transaction_that_holds_very_many_pieces_needs_few_locks() {
        let locks = |kind| (0..5000).map(|n| Key::of(kind, Uuid::from_u128(n)).number()).collect::<HashSet<_>>();
        let (items, people) = (locks("item"), locks("person"));
        assert!(items.len() <= 512, "{}", items.len());
        assert_eq!(people.len(), 5000);
        assert!(items.is_disjoint(&people) && items.is_disjoint(&locks("serial_number")));
    }

    #[test]
    fn what_a_clause_may_say_is_replaced_wherever_it_stands() {
        let sql = called("x(a, b) > 1 and x(c.d) < y(e)", "x", |one, two| format!("[{one}|{two}]"));
        assert_eq!(sql, "[a|b] > 1 and [c.d|] < y(e)");
    }
}
