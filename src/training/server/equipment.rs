//! What classes share: named anew, moved to another place, taken out of use and back. A thing that a class to come uses
//! stays in use, so that nothing that is planned falls apart.

use super::{
    plan::scope_of,
    store::{self, EquipmentRow},
};
use crate::{
    access::{Act, Permit, Subject},
    calendar::{domain::Resource, server::busy},
    db::Tx,
    error::AppError,
    server::{
        Cx, fresh,
        history::{self, Change},
        keys,
    },
    training::domain::{Difference, Refusal},
    values::EquipmentId,
};
use uuid::Uuid;

/// One more thing.
pub async fn add(cx: &Cx, name: String, place: String, key: Option<Uuid>) -> Result<(), AppError> {
    let row = EquipmentRow { id: fresh(), name, place, version: 1, retired_at: None };
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, row) = (cx.clone(), row.clone());
            Box::pin(async move {
                let permit = cx.may(Act::AddEquipment, &Subject::nobody())?;
                let (scope, body) = (scope_of(&cx, "add_equipment"), format!("{} {}", row.name, row.place));
                if keys::seen(tx, &scope, key, &body).await?.is_some() {
                    return Ok(());
                }
                store::insert_equipment(tx, &permit, &row, cx.now).await?;
                history::record(tx, &cx, &permit, Change { to: Some("in_use"), ..change(row.id) }).await?;
                keys::remember(tx, &scope, key, &body, &row.id.to_string()).await
            })
        })
        .await
}

/// What is done to a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Rename { name: String, place: String },
    Retire,
    Restore,
}

/// Does it. Who saw an older version is shown what somebody else stored meanwhile.
pub async fn change_one(cx: &Cx, id: EquipmentId, version: i64, step: Step) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, step) = (cx.clone(), step.clone());
            Box::pin(async move {
                let act = if matches!(step, Step::Rename { .. }) { Act::EditEquipment } else { Act::RetireEquipment };
                let permit = cx.may(act, &Subject::nobody())?;
                // Whoever plans with it holds it too.
                busy::lock(tx, &[Resource::Equipment(id)]).await?;
                let row = store::equipment(tx, id).await?.ok_or(AppError::NotFound)?;
                do_it(tx, &cx, &permit, &row, version, step).await
            })
        })
        .await
}

async fn do_it(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    row: &EquipmentRow,
    version: i64,
    step: Step,
) -> Result<(), AppError> {
    let mut to = row.clone();
    match step {
        Step::Rename { name, place } => (to.name, to.place) = (name, place),
        Step::Retire => to.retired_at = row.retired_at.or(Some(cx.now)),
        Step::Restore => to.retired_at = None,
    }
    // A second tap is answered like the first.
    if to == *row {
        return Ok(());
    }
    if row.version != version {
        return Err(Refusal::ChangedMeanwhile { differences: differences(row, &to) }.into());
    }
    if row.retired_at.is_none()
        && to.retired_at.is_some()
        && let Some((class, starts)) = store::next_use(tx, row.id, cx.now).await?
    {
        return Err(Refusal::EquipmentUsed { class, starts }.into());
    }
    store::update_equipment(tx, permit, &to).await?;
    let state = |row: &EquipmentRow| if row.retired_at.is_some() { "retired" } else { "in_use" };
    let renamed = (row.name != to.name || row.place != to.place)
        .then(|| serde_json::json!({ "was": [row.name, row.place], "is": [to.name, to.place] }).to_string());
    let (from, is) = (state(row), state(&to));
    let change = Change {
        from: (from != is).then_some(from),
        to: Some(if from == is { "changed" } else { is }),
        detail: renamed.as_deref(),
        ..change(row.id)
    };
    history::record(tx, cx, permit, change).await
}

fn differences(stored: &EquipmentRow, yours: &EquipmentRow) -> Vec<Difference> {
    let pairs = [("name", &stored.name, &yours.name), ("place", &stored.place, &yours.place)];
    let differs = pairs.into_iter().filter(|(_, theirs, yours)| theirs != yours);
    differs
        .map(|(field, theirs, yours)| Difference {
            field: field.to_owned(),
            theirs: theirs.clone(),
            yours: yours.clone(),
        })
        .collect()
}

fn change(id: EquipmentId) -> Change<'static> {
    Change { entity: "equipment", id: id.0, ..Change::default() }
}
