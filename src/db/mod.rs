//! The two engines behind one face: SQLite with a single writer that commits in groups, PostgreSQL with a pool.
//!
//! Stores hold one SQL text with `$n` placeholders and run it by the macros below on whichever engine a [`Tx`] holds.

pub mod dialect;
mod values;
mod writer;

use crate::error::AppError;
use futures::future::BoxFuture;
use sqlx::{
    ConnectOptions, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

pub use dialect::Key;

/// The database of one installation. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    Sqlite { read: SqlitePool, write: writer::Writer },
    Postgres { pool: PgPool, turns: writer::Turns },
}

/// One connection of either engine; inside [`Db::write`] it is in a transaction.
pub enum Tx {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

tokio::task_local! {
    /// How many statements the work that is watched has run.
    static STATEMENTS: Arc<Counts>;
}

#[derive(Default)]
struct Counts {
    read: AtomicU32,
    written: AtomicU32,
}

/// How many statements some work took: those that read for it, and those inside of its writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statements {
    pub read: u32,
    pub written: u32,
}

/// Runs `work` and tells how many statements it took: what a page costs, and that two answers cost the same, is held by
/// tests.
pub async fn counted<F: Future>(work: F) -> (F::Output, Statements) {
    let counts = Arc::<Counts>::default();
    let output = STATEMENTS.scope(Arc::clone(&counts), work).await;
    let [read, written] = [&counts.read, &counts.written].map(|count| count.load(Ordering::Relaxed));
    (output, Statements { read, written })
}

/// The borrowed connection that the macros run a statement on.
pub enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Tx {
    pub fn connection(&mut self) -> Connection<'_> {
        let _ = STATEMENTS.try_with(|counts| {
            let count = if writer::is_writing() { &counts.written } else { &counts.read };
            count.fetch_add(1, Ordering::Relaxed)
        });
        match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(connection) => Connection::Postgres(connection),
        }
    }

    /// Serialises everybody who names one of the keys until the transaction ends. On SQLite there is one writer anyway.
    pub async fn lock(&mut self, keys: &[Key]) -> Result<(), AppError> {
        dialect::lock(self, keys).await
    }
}

/// Runs a statement; gives the number of rows that it changed.
#[macro_export]
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $tx.connection() {
            $crate::db::Connection::Sqlite(c) => sqlx::query::<sqlx::Sqlite>($sql)$(.bind($bind))*.execute(c).await.map(|done| done.rows_affected()),
            $crate::db::Connection::Postgres(c) => sqlx::query::<sqlx::Postgres>($sql)$(.bind($bind))*.execute(c).await.map(|done| done.rows_affected()),
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! fetch_by {
    ($method:ident, $tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $tx.connection() {
            $crate::db::Connection::Sqlite(c) => sqlx::query_as::<sqlx::Sqlite, $row>($sql)$(.bind($bind))*.$method(c).await,
            $crate::db::Connection::Postgres(c) => sqlx::query_as::<sqlx::Postgres, $row>($sql)$(.bind($bind))*.$method(c).await,
        }
    };
}

/// Every row, as a `Vec<$row>`.
#[macro_export]
macro_rules! fetch_all {
    ($($all:tt)*) => { $crate::fetch_by!(fetch_all, $($all)*) };
}

/// The first row if there is one.
#[macro_export]
macro_rules! fetch_optional {
    ($($all:tt)*) => { $crate::fetch_by!(fetch_optional, $($all)*) };
}

/// The one row; none is `sqlx::Error::RowNotFound`, which becomes `AppError::NotFound`.
#[macro_export]
macro_rules! fetch_one {
    ($($all:tt)*) => { $crate::fetch_by!(fetch_one, $($all)*) };
}

/// The first column of the first row if there is one.
#[macro_export]
macro_rules! fetch_scalar {
    ($tx:expr, $type:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::fetch_by!(fetch_optional, $tx, ($type,), $sql $(, $bind)*).map(|row| row.map(|(value,)| value))
    };
}

/// Most connections that read at once.
const READERS: u32 = 8;

impl Db {
    /// Opens the database at `url` (`sqlite:PATH` or `postgres://…`) and brings it to this build's schema.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn open(url: &str) -> Result<Self, String> {
        let db = Self::connect(url).await.map_err(|e| format!("cannot open the database: {e}"))?;
        db.migrate().await.map_err(|e| format!("cannot bring the database up to date: {e}"))?;
        Ok(db)
    }

    async fn connect(url: &str) -> Result<Self, sqlx::Error> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url)?
                .options([
                    ("lock_timeout", "5000"),
                    ("statement_timeout", "30000"),
                    ("idle_in_transaction_session_timeout", "30000"),
                ])
                .disable_statement_logging();
            let pool = PgPoolOptions::new()
                .max_connections(16)
                .acquire_timeout(Duration::from_secs(5))
                .connect_with(options)
                .await?;
            return Ok(Self::Postgres { turns: writer::Turns::start(&pool), pool });
        }
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .pragma("cache_size", "-16000")
            .disable_statement_logging();
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await?;
        let (version,): (String,) = sqlx::query_as("select sqlite_version()").fetch_one(&write).await?;
        if !safe_sqlite(&version) {
            return Err(sqlx::Error::Configuration(
                format!("SQLite {version} can corrupt its write-ahead log; at least 3.51.3 is needed").into(),
            ));
        }
        let read = SqlitePoolOptions::new()
            .max_connections(READERS)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
            .connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Self::Sqlite { read, write: writer::Writer::start(write) })
    }

    async fn migrate(&self) -> Result<(), sqlx::migrate::MigrateError> {
        match self {
            Self::Sqlite { write, .. } => sqlx::migrate!("migrations/sqlite").run(write.pool()).await,
            Self::Postgres { pool, .. } => sqlx::migrate!("migrations/postgres").run(pool).await,
        }
    }

    /// A connection to read from.
    pub async fn read(&self) -> Result<Tx, AppError> {
        Ok(match self {
            Self::Sqlite { read, .. } => Tx::Sqlite(read.acquire().await?),
            Self::Postgres { pool, .. } => Tx::Postgres(pool.acquire().await?),
        })
    }

    /// Runs `work` in a transaction and answers once it is on disk. `work` may run more than once, so it only awaits
    /// SQL and clones what it needs; it finishes even where the caller goes away. Calls must not be nested.
    pub async fn write<T, F>(&self, work: F) -> Result<T, AppError>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, AppError>> + Send + Sync + 'static,
    {
        writer::refuse_nesting()?;
        match self {
            Self::Sqlite { write, .. } => write.write(work).await,
            Self::Postgres { pool, .. } => {
                let (pool, watched) = (pool.clone(), writer::Watched::now());
                tokio::spawn(async move { writer::postgres(&pool, &work, &watched).await })
                    .await
                    .unwrap_or_else(|panic| Err(crate::server::internal("a write panicked", &panic)))
            }
        }
    }

    /// As [`Db::write`], for work that begins by holding `key`, which many may want at once: on PostgreSQL those of one
    /// process run one after the other and share a commit, since each would wait for the last one's anyway.
    pub async fn write_in_turn<T, F>(&self, key: Key, work: F) -> Result<T, AppError>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, AppError>> + Send + Sync + 'static,
    {
        match self {
            Self::Sqlite { .. } => self.write(work).await,
            Self::Postgres { turns, .. } => {
                writer::refuse_nesting()?;
                turns.write(key, work).await
            }
        }
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    /// Ends every connection; afterwards the SQLite file stands alone without its log.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.pool().close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }
}

/// SQLite 3.7.0 to 3.51.2 can corrupt a WAL database under concurrent checkpoints (sqlite.org/wal.html).
fn safe_sqlite(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    version >= (3, 51, 3)
}

impl From<sqlx::Error> for AppError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Self::Busy,
            other if dialect::lost_race(&other) => Self::Busy,
            other if dialect::no_such_value(&other) => Self::NotFound,
            other => crate::server::internal("the database failed", &other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::safe_sqlite;

    #[test]
    fn an_sqlite_that_can_corrupt_its_log_is_refused() {
        assert!(safe_sqlite("3.51.3") && safe_sqlite("3.52.0") && safe_sqlite("4.0.0"));
        assert!(!safe_sqlite("3.51.2") && !safe_sqlite("3.40.1") && !safe_sqlite("x"));
    }
}
