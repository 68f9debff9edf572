//! Writing. SQLite: one task owns the only writing connection, runs what waits one after the other, each in a
//! savepoint, and commits them together, so that one `fsync` serves many. PostgreSQL: a transaction with retries; what
//! many want to hold at once is committed in groups as well.

use super::{Counts, Key, STATEMENTS, Tx};
use crate::{
    error::AppError,
    server::clock::{self, Hands},
};
use futures::{FutureExt, future::BoxFuture};
use sqlx::{PgPool, Postgres, SqlitePool, pool::PoolConnection};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// How many writes may wait before the next is told to come back.
const WAITING: usize = 1024;
/// How many writes share a commit at the most.
const GROUP: usize = 128;
/// How often a transaction that lost to another is tried.
const TRIES: u32 = 6;

tokio::task_local! {
    /// Set while a write runs: another one inside of it would wait for itself.
    static WRITING: ();
}

/// # Errors
/// Where a write is asked for inside of a write: a mistake of ours that would wait for itself for ever.
pub fn refuse_nesting() -> Result<(), AppError> {
    if is_writing() { Err(crate::server::internal("a write inside a write", &"Db::write")) } else { Ok(()) }
}

pub fn is_writing() -> bool {
    WRITING.try_with(|()| ()).is_ok()
}

/// What a test watches of the task that asked for a write, to go on with where the write runs.
#[derive(Clone, Default)]
pub struct Watched {
    counts: Option<Arc<Counts>>,
    hands: Option<Hands>,
}

impl Watched {
    /// Of this task.
    pub fn now() -> Self {
        Self { counts: STATEMENTS.try_with(Arc::clone).ok(), hands: clock::hands() }
    }

    async fn scope<F: Future>(&self, work: F) -> F::Output {
        match (&self.counts, &self.hands) {
            (None, None) => work.await,
            (Some(counts), None) => STATEMENTS.scope(Arc::clone(counts), work).await,
            (None, Some(hands)) => hands.hold(work).await,
            (Some(counts), Some(hands)) => hands.hold(STATEMENTS.scope(Arc::clone(counts), work)).await,
        }
    }
}

#[derive(Clone)]
pub struct Writer {
    pool: SqlitePool,
    queue: mpsc::Sender<Box<dyn Piece>>,
}

/// One write that waits: runs in the group's transaction, and is answered after the commit.
trait Piece: Send {
    /// True where it went well and its changes are to be kept.
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, bool>;
    fn answer(self: Box<Self>, committed: bool);
}

struct Write<T, F> {
    work: Arc<F>,
    watched: Watched,
    outcome: Option<Result<T, AppError>>,
    reply: oneshot::Sender<Result<T, AppError>>,
}

impl<T, F> Piece for Write<T, F>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, AppError>> + Send + Sync + 'static,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let outcome = guarded(&*self.work, tx, &self.watched).await;
            let kept = outcome.is_ok();
            self.outcome = Some(outcome);
            kept
        })
    }

    fn answer(self: Box<Self>, committed: bool) {
        let outcome = match self.outcome {
            Some(outcome) if committed || outcome.is_err() => outcome,
            _ => Err(AppError::Busy),
        };
        // Whoever asked may be gone; the write stands all the same.
        let _ = self.reply.send(outcome);
    }
}

async fn guarded<T, F>(work: &F, tx: &mut Tx, watched: &Watched) -> Result<T, AppError>
where
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, AppError>>,
{
    watched
        .scope(WRITING.scope((), AssertUnwindSafe(work(tx)).catch_unwind()))
        .await
        .unwrap_or_else(|_| Err(crate::server::internal("a write panicked", &"see the panic above")))
}

impl Writer {
    pub fn start(pool: SqlitePool) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        tokio::spawn(serve(Pool::Sqlite(pool.clone()), waiting));
        Self { pool, queue }
    }

    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    pub async fn write<T, F>(&self, work: F) -> Result<T, AppError>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, AppError>> + Send + Sync + 'static,
    {
        put(&self.queue, Arc::new(work)).await
    }
}

/// Lets the work wait for its turn, and waits for its answer.
async fn put<T, F>(queue: &mpsc::Sender<Box<dyn Piece>>, work: Arc<F>) -> Result<T, AppError>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, AppError>> + Send + Sync + 'static,
{
    let (reply, answer) = oneshot::channel();
    let piece = Box::new(Write { work, watched: Watched::now(), outcome: None, reply });
    queue.try_send(piece).map_err(|_| AppError::Busy)?;
    answer.await.unwrap_or(Err(AppError::Busy))
}

/// The writes of one process on PostgreSQL that hold the same thing, in turn: a queue for each of a few kinds of keys.
#[derive(Clone)]
pub struct Turns {
    pool: PgPool,
    queues: Arc<[mpsc::Sender<Box<dyn Piece>>]>,
}

/// How many groups may be under way at once: things that share a queue wait for each other a little.
const QUEUES: usize = 4;

impl Turns {
    pub fn start(pool: &PgPool) -> Self {
        let start = |_| {
            let (queue, waiting) = mpsc::channel(WAITING);
            tokio::spawn(serve(Pool::Postgres(pool.clone()), waiting));
            queue
        };
        Self { pool: pool.clone(), queues: (0..QUEUES).map(start).collect() }
    }

    pub async fn write<T, F>(&self, key: Key, work: F) -> Result<T, AppError>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, AppError>> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        let queue = usize::try_from(key.number().rem_euclid(QUEUES as i64)).unwrap_or(0);
        match put(&self.queues[queue], Arc::clone(&work)).await {
            // The group lost to another process, or there was no room in it: alone it may well succeed.
            Err(AppError::Busy) => {
                let (pool, watched) = (self.pool.clone(), Watched::now());
                tokio::spawn(async move { postgres(&pool, &*work, &watched).await })
                    .await
                    .unwrap_or_else(|panic| Err(crate::server::internal("a write panicked", &panic)))
            }
            answered => answered,
        }
    }
}

/// What a group takes its connection from.
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    async fn connection(&self) -> Result<Tx, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::Sqlite(pool.acquire().await?),
            Self::Postgres(pool) => Tx::Postgres(pool.acquire().await?),
        })
    }

    /// How a transaction begins that will write.
    fn begin(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "begin immediate",
            Self::Postgres(_) => "begin",
        }
    }
}

async fn serve(pool: Pool, mut waiting: mpsc::Receiver<Box<dyn Piece>>) {
    while let Some(first) = waiting.recv().await {
        let mut group = vec![first];
        while group.len() < GROUP {
            match waiting.try_recv() {
                Ok(next) => group.push(next),
                Err(_) => break,
            }
        }
        let committed = match pool.connection().await {
            Ok(tx) => commit(tx, pool.begin(), &mut group, &mut waiting).await,
            Err(error) => {
                tracing::error!(%error, "no connection to write on");
                false
            }
        };
        for piece in group {
            piece.answer(committed);
        }
    }
}

/// Runs the group in one transaction; false where nothing of it was kept.
async fn commit(
    mut tx: Tx,
    begin: &'static str,
    group: &mut Vec<Box<dyn Piece>>,
    waiting: &mut mpsc::Receiver<Box<dyn Piece>>,
) -> bool {
    let done = run(&mut tx, begin, group, waiting).await;
    if let Err(error) = &done {
        tracing::error!(%error, "a group of writes died");
        if crate::execute!(&mut tx, "rollback").is_err() {
            discard(tx);
        }
    }
    done.is_ok()
}

/// From the beginning of the transaction to its commit. Whoever comes meanwhile rides along.
async fn run(
    tx: &mut Tx,
    begin: &'static str,
    group: &mut Vec<Box<dyn Piece>>,
    waiting: &mut mpsc::Receiver<Box<dyn Piece>>,
) -> Result<(), sqlx::Error> {
    crate::execute!(tx, begin)?;
    let mut next = 0;
    while next < group.len() {
        // What comes first needs no savepoint: taking it back takes nothing else back. A large one is spared the copy
        // of every page that it changes.
        match next {
            0 => first(tx, begin, &mut group[0]).await?,
            _ => one(tx, next > 1, &mut group[next]).await?,
        }
        next += 1;
        while group.len() < GROUP
            && let Ok(late) = waiting.try_recv()
        {
            group.push(late);
        }
    }
    crate::execute!(tx, "commit")?;
    Ok(())
}

/// The write that opens a transaction. An error here means that the transaction itself is gone.
async fn first(tx: &mut Tx, begin: &'static str, piece: &mut Box<dyn Piece>) -> Result<(), sqlx::Error> {
    if !piece.run(tx).await {
        crate::execute!(tx, "rollback")?;
        crate::execute!(tx, begin)?;
    }
    Ok(())
}

/// One write in a savepoint, which ends the last one's; the commit ends the very last. An error here means that the
/// transaction itself is gone.
async fn one(tx: &mut Tx, another: bool, piece: &mut Box<dyn Piece>) -> Result<(), sqlx::Error> {
    let savepoint = if another { "release piece; savepoint piece" } else { "savepoint piece" };
    super::dialect::run(tx, savepoint).await?;
    if !piece.run(tx).await {
        crate::execute!(tx, "rollback to piece")?;
    }
    Ok(())
}

/// A transaction on PostgreSQL, tried again where it lost to another (40001, 40P01).
pub async fn postgres<T, F>(pool: &PgPool, work: &F, watched: &Watched) -> Result<T, AppError>
where
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, AppError>>,
{
    let mut tries = 0;
    loop {
        tries += 1;
        let mut tx = Tx::Postgres(pool.acquire().await?);
        crate::execute!(tx, "begin")?;
        let outcome = guarded(work, &mut tx, watched).await;
        let ended = match &outcome {
            Ok(_) => crate::execute!(tx, "commit"),
            Err(_) => crate::execute!(tx, "rollback"),
        };
        match (outcome, ended) {
            (Ok(value), Ok(_)) => return Ok(value),
            (Err(AppError::Busy), Ok(_)) if tries < TRIES => {
                tokio::time::sleep(Duration::from_millis(u64::from(rand::random::<u8>()) * u64::from(tries) / 4)).await;
            }
            (Err(error), Ok(_)) => return Err(error),
            (outcome, Err(error)) => {
                discard(tx);
                tracing::error!(%error, "a transaction could not be ended");
                return Err(outcome.err().unwrap_or(AppError::Busy));
            }
        }
    }
}

/// A connection in an unknown state must not serve anybody else.
fn discard(tx: Tx) {
    if let Tx::Postgres(connection) = tx {
        let _: <PoolConnection<Postgres> as std::ops::Deref>::Target = connection.detach();
    }
}
