//! Opening, voiding and settling charges.

use super::{
    letters,
    store::{self, ChargeRow, Which},
    words,
};
use crate::{
    access::{Act, Subject},
    charges::domain::{Again, ChargeState, NewCharge, Refusal},
    db::Tx,
    error::AppError,
    followups::server::store as follow_ups,
    portal::server::{Panel, PanelRow},
    server::{
        Cx,
        history::{self, Change},
    },
    values::{ChargeId, Cursor, PersonId, Rows},
    w,
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Opens a charge for something that the customer said yes to. Part of that act: its history row is the act's.
///
/// The same thing is paid for once: asking again gives the charge that stands, and what was paid and is to be paid back
/// pays again.
pub async fn open(tx: &mut Tx, charge: NewCharge, now: DateTime<Utc>) -> Result<ChargeId, AppError> {
    for (id, earlier) in store::earlier(tx, &charge).await? {
        match earlier.again(charge.amount) {
            Again::Stands => return Ok(id),
            Again::Revived if store::revive(tx, id).await? => return Ok(id),
            Again::Replaced => store::replace(tx, id, now).await?,
            Again::Revived | Again::Over => {}
        }
    }
    store::add(tx, &charge, now).await
}

/// Nobody pays for a thing that does not happen: what is due is void, what was paid is to be paid back. Part of the act
/// that ended it. Says whether there was anything to void or to pay back.
pub async fn reverse(tx: &mut Tx, entity: &str, entity_id: Uuid, now: DateTime<Utc>) -> Result<bool, AppError> {
    let void = store::void(tx, entity, entity_id, now).await?;
    let back = store::open_refund(tx, entity, entity_id, now).await?;
    store::reverse(tx, entity, entity_id, now).await?;
    Ok(void + back > 0)
}

/// What was agreed to for one thing is owed for another that takes its place. Part of the act that did it.
pub async fn carry_over(tx: &mut Tx, entity: &str, from: Uuid, to: Uuid) -> Result<(), AppError> {
    store::carry_over(tx, entity, from, to).await
}

/// What the viewer owes.
pub async fn mine(cx: &Cx, cursor: Option<&Cursor>) -> Result<Rows<ChargeRow>, AppError> {
    let person = cx.person()?.id;
    cx.may(Act::ReadCharge, &Subject::of(person))?;
    store::of_viewer(&mut cx.db().read().await?, &cx.viewer.scope(), cursor).await
}

/// What all customers owe, for the desk.
pub async fn all(cx: &Cx, which: Which, cursor: Option<&Cursor>) -> Result<Rows<ChargeRow>, AppError> {
    let permit = cx.may(Act::SettleCharge, &Subject::nobody())?;
    store::listed(&mut cx.db().read().await?, &permit, which, cursor).await
}

/// Writes down how a charge was settled.
pub async fn settle(cx: &Cx, id: ChargeId, outcome: ChargeState) -> Result<(), AppError> {
    // Whoever may not do it learns that first, not whether there is such a charge.
    cx.may(Act::SettleCharge, &Subject::nobody())?;
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                let charge = store::charge(tx, id).await?.ok_or(AppError::NotFound)?;
                let subject = Subject::of(charge.person_id).within(charge.organisation_id);
                let permit = cx.may(Act::SettleCharge, &subject)?;
                let outcome = charge.state().settle(outcome)?;
                let by = cx.viewer.person().map(|person| person.id);
                if !store::settle(tx, &permit, id, outcome, by, cx.now).await? {
                    return Err(Refusal::AlreadySettled(ChargeState::Paid).into());
                }
                let change = Change {
                    entity: "charge",
                    id: id.0,
                    customer: Some(charge.person_id),
                    from: Some(charge.state().as_str()),
                    to: Some(outcome.as_str()),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}

/// Writes down that what a customer had paid for nothing went back to them, and tells them.
pub async fn pay_back(cx: &Cx, id: ChargeId) -> Result<(), AppError> {
    cx.may(Act::PayBack, &Subject::nobody())?;
    let by = cx.person()?.id;
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                let charge = store::charge(tx, id).await?.ok_or(AppError::NotFound)?;
                let subject = Subject::of(charge.person_id).within(charge.organisation_id);
                let permit = cx.may(Act::PayBack, &subject)?;
                charge.refund().ok_or(Refusal::NothingToPayBack)?.pay_back(cx.now)?;
                if !store::pay_back(tx, &permit, id, by, cx.now).await? {
                    return Err(Refusal::NothingToPayBack.into());
                }
                follow_ups::done_about(tx, &permit, "refund", id.0, cx.now).await?;
                let change = Change {
                    entity: "charge",
                    id: id.0,
                    customer: Some(charge.person_id),
                    from: Some(charge.state().as_str()),
                    to: Some("paid_back"),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await?;
                letters::paid_back(tx, &cx, &charge).await
            })
        })
        .await?;
    cx.app.wake.notify_one();
    Ok(())
}

/// What a customer owes, on the staff's page of them.
pub async fn panel(tx: &mut Tx, cx: &Cx, person: PersonId) -> Result<Panel, AppError> {
    let fmt = cx.fmt();
    let rows = store::of_person(tx, person).await?;
    let row = |row: ChargeRow| PanelRow {
        title: format!("{} · {}", words::what(fmt, &row.reason, row.about.as_deref()), fmt.money(row.amount())),
        text: super::portal::dates(cx, &row),
        badge: Some(words::standing(fmt, &row)),
        href: match row.refund() {
            Some(refund) if refund.paid_at.is_none() => Some("/desk/charges?state=refund".to_owned()),
            _ => (row.state() == ChargeState::Due).then(|| "/desk/charges".to_owned()),
        },
    };
    Ok(Panel { title: w!(cx, charges.title), rows: rows.into_iter().map(row).collect() })
}
