//! Everything that a database holds, to see whether something changed it.

use crate::world::World;
use sqlx::{Connection, SqliteConnection};
use std::collections::BTreeSet;

/// Every row of every table, as text that names its table.
pub struct Digest(BTreeSet<String>);

/// What moves by itself with every request.
const BY_ITSELF: [&str; 2] = ["session.seen_at", "session.ends_at"];

pub async fn connect(world: &World) -> SqliteConnection {
    SqliteConnection::connect(&world.app.config.database_url).await.unwrap()
}

impl Digest {
    /// `except`: columns (`table.column`) and whole tables (`table`) that are left out.
    pub async fn of(world: &World, except: &[&str]) -> Self {
        let mut connection = connect(world).await;
        let left_out = |name: &str| except.contains(&name) || BY_ITSELF.contains(&name) || name == "rate";
        let tables: Vec<String> =
            sqlx::query_scalar("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let mut rows = BTreeSet::new();
        for table in tables.into_iter().filter(|table| !left_out(table)) {
            let columns: Vec<String> = sqlx::query_scalar("select name from pragma_table_info($1)")
                .bind(&table)
                .fetch_all(&mut connection)
                .await
                .unwrap();
            let cells: Vec<String> = columns
                .iter()
                .filter(|column| !left_out(&format!("{table}.{column}")))
                .map(|column| format!("'{column}=' || quote(\"{column}\")"))
                .collect();
            let sql = format!("select '{table}: ' || {} from \"{table}\"", cells.join(" || ' ' || "));
            let found: Vec<String> =
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
            rows.extend(found);
        }
        assert!(rows.len() > 100, "a demo holds more than that");
        Self(rows)
    }

    /// The rows that came and went on the way from this to `after`.
    pub fn until(&self, after: &Self) -> Vec<String> {
        let gone = self.0.difference(&after.0).map(|row| format!("- {row}"));
        let come = after.0.difference(&self.0).map(|row| format!("+ {row}"));
        gone.chain(come).collect()
    }
}

/// A database that is looked at after every request. SQLite tells by a number whether anybody wrote to it at all; only then
/// is all of it read again.
pub struct Watch {
    connection: SqliteConnection,
    version: i64,
    digest: Digest,
    except: &'static [&'static str],
}

impl Watch {
    pub async fn begin(world: &World, except: &'static [&'static str]) -> Self {
        let mut connection = connect(world).await;
        let version = version(&mut connection).await;
        Self { connection, version, digest: Digest::of(world, except).await, except }
    }

    /// What came and went since the last look.
    pub async fn changes(&mut self, world: &World) -> Vec<String> {
        let now = version(&mut self.connection).await;
        if now == self.version {
            return Vec::new();
        }
        self.version = now;
        let after = Digest::of(world, self.except).await;
        std::mem::replace(&mut self.digest, after).until(&self.digest)
    }
}

/// Another one after every write by another connection.
async fn version(connection: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("pragma data_version").fetch_one(connection).await.unwrap()
}

/// The names of the tables in which something changed.
pub fn tables(changes: &[String]) -> BTreeSet<&str> {
    changes.iter().filter_map(|line| line[2..].split(':').next()).collect()
}
