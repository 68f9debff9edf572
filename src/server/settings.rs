//! What the installation keeps about itself in the table `setting`.

use super::{App, secret::Key};
use crate::{
    db::{Db, Tx},
    error::AppError,
    execute, fetch_scalar,
    values::Currency,
};
use chrono_tz::Tz;
use tokio::io::AsyncWriteExt;

/// The company that this portal belongs to.
#[derive(Clone, Debug)]
pub struct Company {
    pub name: String,
    pub zone: Tz,
    pub currency: Currency,
}

const READ: &str = "select value from setting where key = $1";
const WRITE: &str =
    "insert into setting (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value";
const REMOVE: &str = "delete from setting where key = $1";
const ONCE: &str = "insert into setting (key, value) values ($1, $2) on conflict (key) do nothing";

pub async fn read(tx: &mut Tx, key: &str) -> Result<Option<String>, AppError> {
    Ok(fetch_scalar!(tx, String, READ, key)?)
}

pub async fn write(tx: &mut Tx, key: &str, value: &str) -> Result<(), AppError> {
    execute!(tx, WRITE, key, value)?;
    Ok(())
}

pub async fn remove(tx: &mut Tx, key: &str) -> Result<(), AppError> {
    execute!(tx, REMOVE, key)?;
    Ok(())
}

/// The installation's key, drawn by whoever comes first.
pub async fn secret(db: &Db) -> Result<Key, AppError> {
    let drawn = Key::draw().encode();
    let kept = db
        .write(move |tx| {
            let drawn = drawn.clone();
            Box::pin(async move {
                execute!(tx, ONCE, "secret", &drawn)?;
                read(tx, "secret").await
            })
        })
        .await?;
    kept.as_deref()
        .and_then(Key::decode)
        .ok_or_else(|| super::internal("the installation's key is damaged", &"setting.secret"))
}

/// Whether the data folder is this installation's: whoever opens it first leaves a mark, from which the key is not to be
/// read. Files that a database does not know may be those of another one.
pub async fn owns_folder(app: &App) -> bool {
    let mark = super::secret::hash(&format!("folder {}", app.secret.encode()));
    let path = app.config.data_dir.join("installation");
    match tokio::fs::read_to_string(&path).await {
        Ok(there) => there.trim() == mark,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let made = tokio::fs::OpenOptions::new().write(true).create_new(true).open(&path).await;
            match made {
                Ok(mut file) => file.write_all(mark.as_bytes()).await.is_ok() && file.flush().await.is_ok(),
                Err(_) => false,
            }
        }
        Err(_) => false,
    }
}

/// Whether this is the demo company's database.
pub async fn is_demo(db: &Db) -> Result<bool, AppError> {
    Ok(read(&mut db.read().await?, "demo").await?.is_some())
}

/// Whatever a company does leaves a row in one of these: who it knows, what it sells, what it brought in, what it did.
const UNTOUCHED: &str = "select not (exists (select 1 from person) or exists (select 1 from organisation) \
    or exists (select 1 from product) or exists (select 1 from plan) or exists (select 1 from import_run) \
    or exists (select 1 from course) or exists (select 1 from room) or exists (select 1 from workshop) \
    or exists (select 1 from message) or exists (select 1 from history))";

/// Whether nothing of a company is in the database yet.
pub async fn is_untouched(db: &Db) -> Result<bool, AppError> {
    Ok(fetch_scalar!(db.read().await?, bool, UNTOUCHED)?.unwrap_or(false))
}

/// How far `POST /demo/clock` moved business time, in seconds.
pub async fn clock_offset(db: &Db) -> Result<i64, AppError> {
    Ok(read(&mut db.read().await?, "clock_offset").await?.and_then(|text| text.parse().ok()).unwrap_or(0))
}
