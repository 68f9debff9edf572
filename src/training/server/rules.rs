//! The company's rules for classes, as managers set them. Each class keeps those that held when it was published.

use crate::{
    access::{Act, Permit, Subject},
    db::Tx,
    error::AppError,
    server::{
        Cx,
        history::{self, Change},
        settings,
    },
    training::domain::Terms,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Under which name the settings are kept.
const KEY: &str = "class_rules";

/// What new classes begin with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rules {
    /// Cancelling is free until so many hours before the start, unless its trainer says otherwise.
    pub cut_off_hours: i64,
    pub terms: Terms,
}

impl Default for Rules {
    fn default() -> Self {
        Self { cut_off_hours: 48, terms: Terms::default() }
    }
}

/// What holds now. Settings that nobody can read any more are the defaults.
pub async fn read(tx: &mut Tx) -> Result<Rules, AppError> {
    let kept = settings::read(tx, KEY).await?;
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// Sets what holds for classes that are published from now on.
pub async fn set(cx: &Cx, rules: Rules) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let permit = cx.may(Act::SetClassRules, &Subject::nobody())?;
                write(tx, &permit, &rules).await?;
                let detail = serde_json::to_string(&rules).ok();
                let change =
                    Change { entity: "class_rules", id: Uuid::nil(), detail: detail.as_deref(), ..Change::default() };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}

async fn write(tx: &mut Tx, _: &Permit, rules: &Rules) -> Result<(), AppError> {
    let text = serde_json::to_string(rules).map_err(|e| crate::server::internal("rules cannot be written", &e))?;
    settings::write(tx, KEY, &text).await
}
