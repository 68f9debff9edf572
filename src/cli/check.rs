//! `aftercare check`: the promises as statements that return what breaks them.

use crate::{db::dialect, error::AppError, fetch_all, server::App};
use sqlx::AssertSqlSafe;
use std::process::ExitCode;
use uuid::Uuid;

/// One clause of a promise. Its SQL gives a row (`id`, `detail`) for everything that breaks it, and may say what
/// [`dialect::in_own_words`] knows.
pub struct Clause {
    /// The promise's number in the product's list.
    pub promise: u8,
    pub name: &'static str,
    pub sql: &'static str,
}

/// Every clause of every slice.
pub fn clauses() -> Vec<&'static Clause> {
    let all: &[&'static [Clause]] = &[
        &FOUNDATION,
        crate::benefits::server::check::CLAUSES,
        crate::calendar::server::check::CLAUSES,
        crate::cases::server::check::CLAUSES,
        crate::charges::server::check::CLAUSES,
        crate::coverage::server::check::CLAUSES,
        crate::followups::server::check::CLAUSES,
        crate::purchases::server::check::CLAUSES,
        crate::ratings::server::check::CLAUSES,
        crate::repairs::server::CLAUSES,
        crate::training::server::check::CLAUSES,
        crate::notices::server::check::CLAUSES,
    ];
    all.iter().flat_map(|clauses| clauses.iter()).collect()
}

const FOUNDATION: [Clause; 2] = [
    Clause {
        promise: 6,
        name: "history_of_nobody",
        sql: "select id, act as detail from history where actor_kind = 'person' and actor_id is null",
    },
    Clause { promise: 4, name: "job_given_up", sql: "select id, kind as detail from job where failed_at is not null" },
];

/// What broke, as one line each.
pub struct Broken {
    pub promise: u8,
    pub name: &'static str,
    pub id: Uuid,
    pub detail: String,
}

pub async fn check(app: &App) -> Result<Vec<Broken>, AppError> {
    let mut broken = Vec::new();
    let mut tx = app.db.read().await?;
    for clause in clauses() {
        let sql = dialect::in_own_words(&tx, clause.sql);
        for (id, detail) in fetch_all!(tx, (Uuid, String), AssertSqlSafe(sql))? {
            broken.push(Broken { promise: clause.promise, name: clause.name, id, detail });
        }
    }
    Ok(broken)
}

pub async fn run(app: &App, json: bool) -> Result<ExitCode, String> {
    let broken = check(app).await.map_err(|e| format!("the database failed: {e:?}"))?;
    for line in &broken {
        if json {
            println!(
                "{}",
                serde_json::json!({ "promise": line.promise, "clause": line.name, "id": line.id, "detail": line.detail })
            );
        } else {
            println!("promise {}: {} {}: {}", line.promise, line.name, line.id.simple(), line.detail);
        }
    }
    if broken.is_empty() && !json {
        println!("{} clauses hold", clauses().len());
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
