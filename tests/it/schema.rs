//! Both engines end in the same tables and columns.

use crate::world::{Engine, World};
use aftercare::{db::Tx, fetch_all};

#[tokio::test]
async fn both_engines_have_the_same_tables_and_columns() {
    let sqlite = World::new(Engine::Sqlite).await;
    let postgres = World::new(Engine::Postgres).await;
    const SQLITE: &str = "select m.name, c.name from sqlite_master m, pragma_table_info(m.name) c \
        where m.type = 'table' and m.name not like 'sqlite_%' and m.name <> '_sqlx_migrations' order by 1, 2";
    const POSTGRES: &str = "select cast(table_name as text), cast(column_name as text) from information_schema.columns \
        where table_schema = 'public' and table_name <> '_sqlx_migrations' order by 1, 2";
    let columns = async |world: &World, sql: &'static str| {
        let mut tx: Tx = world.db().read().await.unwrap();
        let mut rows = fetch_all!(tx, (String, String), sql).unwrap();
        rows.sort();
        rows
    };
    let (left, right) = (columns(&sqlite, SQLITE).await, columns(&postgres, POSTGRES).await);
    assert!(left.len() > 50);
    assert_eq!(left, right);
}

#[test]
fn both_engines_have_the_same_migrations() {
    let names = |folder: &str| {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("migrations/sqlite"), names("migrations/postgres"));
}
