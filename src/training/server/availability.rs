//! When a trainer works and when not: absences take their time like a class does, hours say where classes are proposed.

use super::{conflicts::because, store};
use crate::{
    access::{Act, Subject},
    calendar::{
        domain::{Resource, Span},
        hours::Opening,
        server::busy,
    },
    db::Tx,
    error::{AppError, Fault, Faults},
    server::{
        Cx,
        history::{self, Change},
        keys,
    },
    training::domain::{Conflict, Refusal, Who},
    values::{AbsenceId, PersonId},
};
use uuid::Uuid;

/// Somebody does not work then. Refused where they teach or learn at that time: that is moved first.
pub async fn add_absence(
    cx: &Cx,
    person: PersonId,
    span: Span,
    why: String,
    key: Option<Uuid>,
) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, why) = (cx.clone(), why.clone());
            Box::pin(async move {
                let permit = cx.may(Act::SetAvailability, &Subject::nobody().assigned_to(Some(person)))?;
                let (scope, body) = (format!("add_absence:{person}"), format!("{span:?} {why}"));
                busy::lock(tx, &[Resource::Person(person)]).await?;
                if keys::seen(tx, &scope, key, &body).await?.is_some() {
                    return Ok(());
                }
                refuse_taken(tx, person, span).await?;
                let id = store::insert_absence(tx, &permit, person, span, &why, cx.now).await?;
                busy::occupy(tx, Resource::Person(person), span, "absence", id.0).await?;
                let change = Change { entity: "absence", id: id.0, to: Some("absent"), ..Change::default() };
                history::record(tx, &cx, &permit, change).await?;
                keys::remember(tx, &scope, key, &body, &id.to_string()).await
            })
        })
        .await
}

async fn refuse_taken(tx: &mut Tx, person: PersonId, span: Span) -> Result<(), AppError> {
    let name = store::staff_name(tx, person).await?.ok_or_else(|| Faults::only("person", Fault::NotAChoice))?;
    let mut conflicts = Vec::new();
    for clash in busy::clashes(tx, Resource::Person(person), &[span], None).await?.into_iter().take(8) {
        let because = because(&clash);
        let (from, until) = (clash.span.from, clash.span.until);
        conflicts.push(Conflict { who: Who::Trainer(name.clone()), because, from, until });
    }
    if conflicts.is_empty() { Ok(()) } else { Err(Refusal::Taken { conflicts }.into()) }
}

/// They work after all. A second tap finds nothing to take back.
pub async fn remove_absence(cx: &Cx, person: PersonId, id: AbsenceId) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let permit = cx.may(Act::SetAvailability, &Subject::nobody().assigned_to(Some(person)))?;
                let Some(row) = store::absence(tx, id).await?.filter(|row| row.person_id == person) else {
                    return Ok(());
                };
                busy::free(tx, "absence", row.id.0).await?;
                store::remove_absence(tx, &permit, row.id).await?;
                let (from, to) = (Some("absent"), Some("working"));
                let change = Change { entity: "absence", id: row.id.0, from, to, ..Change::default() };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}

/// When somebody works.
pub async fn set_hours(cx: &Cx, person: PersonId, hours: Vec<Opening>) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, hours) = (cx.clone(), hours.clone());
            Box::pin(async move {
                let permit = cx.may(Act::SetAvailability, &Subject::nobody().assigned_to(Some(person)))?;
                busy::lock(tx, &[Resource::Person(person)]).await?;
                store::set_working_hours(tx, &permit, person, &hours).await?;
                let change = Change { entity: "working_hours", id: person.0, ..Change::default() };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}
