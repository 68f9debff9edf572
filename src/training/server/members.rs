//! Who belongs to a firm. Its owner asks somebody by an address; they belong to it once they have signed in with that
//! address and accepted, and not before: so the owner learns nothing of an address, and sees nobody's training who did
//! not agree.

use super::{
    groups, seats,
    store::{
        members::{self, InvitationRow, NewInvitation},
        parties,
    },
    team_letters,
};
use crate::{
    access::{Act, Membership, Permit, Subject},
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    people::server::store as people,
    purchases::server::firms::{self, Passed},
    repairs::server::store as repairs,
    server::{
        Cx, fresh,
        history::{self, Change},
        keys, rate,
    },
    training::domain::team::{self, InvitationState, Standing},
    values::{EmailAddress, InvitationId, OrganisationId, PersonId},
};
use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

/// So many letters to strangers an owner causes in an hour, and so many an address gets in a day, from whomever.
const BY_OWNER: i64 = 60;
const TO_ADDRESS: i64 = 5;

fn lock_of(firm: OrganisationId) -> Key {
    Key::of("organisation", firm.0)
}

/// Asks somebody to join a firm. Whether the address was known is not told, nor can it be seen.
pub async fn invite(
    cx: &Cx,
    firm: OrganisationId,
    email: EmailAddress,
    name: String,
    key: Option<Uuid>,
) -> Result<(), AppError> {
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, email, name) = (context.clone(), email.clone(), name.clone());
            Box::pin(async move {
                let permit = cx.may(Act::InviteMember, &Subject::nobody().within(Some(firm)))?;
                let by = cx.person()?.id;
                tx.lock(&[lock_of(firm)]).await?;
                let (scope, body) = (format!("invite_member:{by}"), format!("{firm} {email} {name}"));
                if keys::seen(tx, &scope, key, &body).await?.is_some() {
                    return Ok(());
                }
                if members::has_address(tx, firm, &email).await? {
                    return Err(Faults::only("email", Fault::AlreadyMember));
                }
                // Who is asked already is not asked twice.
                if members::open_to(tx, firm, &email).await?.is_none() {
                    team::invite(members::how_many_open(tx, firm).await?)?;
                    let new = NewInvitation { id: fresh(), firm, email, name, by };
                    invite_in(tx, &cx, &permit, new).await?;
                }
                keys::remember(tx, &scope, key, &body, "").await
            })
        })
        .await?;
    cx.app.wake.notify_one();
    Ok(())
}

async fn invite_in(tx: &mut Tx, cx: &Cx, permit: &Permit, new: NewInvitation) -> Result<(), AppError> {
    rate::take(tx, &format!("invite-by:{}", new.by), BY_OWNER, TimeDelta::hours(1)).await?;
    rate::take(tx, &format!("invite-to:{}", new.email), TO_ADDRESS, TimeDelta::days(1)).await?;
    members::insert_invitation(tx, permit, &new, cx.now).await?;
    let row = members::invitation(tx, new.id).await?;
    record(tx, cx, permit, &row, None, InvitationState::Open).await?;
    team_letters::invited(tx, cx, &row).await
}

async fn record(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    row: &InvitationRow,
    from: Option<InvitationState>,
    to: InvitationState,
) -> Result<(), AppError> {
    let customer = Some(cx.viewer.person().map_or(row.invited_by, |person| person.id));
    let change = Change {
        entity: "team_invitation",
        id: row.id.0,
        customer,
        from: from.map(InvitationState::as_str),
        to: Some(to.as_str()),
        ..Change::default()
    };
    history::record(tx, cx, permit, change).await
}

/// The owner takes an invitation back.
pub async fn withdraw(cx: &Cx, id: InvitationId) -> Result<(), AppError> {
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                let row = members::invitation(tx, id).await?;
                let firm = Subject::nobody().within(Some(row.organisation_id));
                let permit = cx.may(Act::WithdrawInvitation, &firm)?;
                end(tx, &cx, &permit, &row, InvitationState::Withdrawn).await.map(|_| ())
            })
        })
        .await
}

/// An invitation for whom it is meant, and for nobody else.
pub async fn mine(tx: &mut Tx, cx: &Cx, id: InvitationId) -> Result<InvitationRow, AppError> {
    let person = cx.person()?;
    let row = members::invitation(tx, id).await?;
    if row.email == person.email { Ok(row) } else { Err(AppError::NotFound) }
}

/// Whoever was asked joins the firm; from now on its owner sees their training.
pub async fn accept(cx: &Cx, id: InvitationId) -> Result<(), AppError> {
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                let row = mine(tx, &cx, id).await?;
                let person = cx.person()?.id;
                let permit = cx.may(Act::AcceptInvitation, &Subject::of(person))?;
                if end(tx, &cx, &permit, &row, InvitationState::Accepted).await? {
                    people::join(tx, &permit, row.organisation_id, person, Membership::Member, cx.now).await?;
                    members::name_person(tx, &permit, person, &row.email, &row.name).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Whoever was asked does not join the firm.
pub async fn decline(cx: &Cx, id: InvitationId) -> Result<(), AppError> {
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                let row = mine(tx, &cx, id).await?;
                let permit = cx.may(Act::DeclineInvitation, &Subject::of(cx.person()?.id))?;
                end(tx, &cx, &permit, &row, InvitationState::Declined).await.map(|_| ())
            })
        })
        .await
}

/// Ends an invitation one way; false where it ended that way already.
async fn end(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    row: &InvitationRow,
    to: InvitationState,
) -> Result<bool, AppError> {
    tx.lock(&[lock_of(row.organisation_id)]).await?;
    let now = members::invitation(tx, row.id).await?;
    let Some(to) = now.state.end(to)? else { return Ok(false) };
    members::end_invitation(tx, permit, row.id, to, cx.now).await?;
    record(tx, cx, permit, row, Some(now.state), to).await?;
    Ok(true)
}

/// Somebody no longer belongs to a firm. What it booked for them stays booked and paid; where it only waits for a seat for
/// them, it waits no more. What they bought for it stays the firm's: the owner who acts has it from now on.
pub async fn end_membership(cx: &Cx, firm: OrganisationId, person: PersonId) -> Result<(), AppError> {
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                let permit = cx.may(Act::EndMembership, &Subject::nobody().within(Some(firm)))?;
                // Whoever enrols them, or answers for them, holds them too: then all that the firm waits for is seen.
                let before = parties::waits_for(tx, firm, person).await?;
                let known = (firms::held(tx, firm, person).await?, repairs::open_for_firm(tx, firm, person).await?);
                let mut keys = vec![lock_of(firm), Key::of("person", person.0)];
                keys.extend(before.iter().map(|place| seats::lock_of(place.class_id)));
                keys.extend(known.0.iter().map(|item| Key::of("item", item.0)));
                keys.extend(known.1.iter().map(|repair| Key::of("repair", repair.0)));
                tx.lock(&keys).await?;
                let places = parties::waits_for(tx, firm, person).await?;
                if places.iter().any(|place| before.iter().all(|known| known.class_id != place.class_id)) {
                    return Err(AppError::Busy);
                }
                // Whoever books a repair in this moment holds the piece: by now it is seen.
                let items = firms::held(tx, firm, person).await?;
                let jobs = repairs::open_for_firm(tx, firm, person).await?;
                if items.iter().any(|id| !known.0.contains(id)) || jobs.iter().any(|id| !known.1.contains(id)) {
                    return Err(AppError::Busy);
                }
                let member = members::member(tx, firm, person).await?.ok_or(AppError::NotFound)?;
                team::end_membership(cx.person()?.id, person, member.standing)?;
                if !members::end_membership(tx, &permit, firm, person).await? {
                    return Err(AppError::Busy);
                }
                let to = cx.person()?.id;
                let Passed { items, benefits, purchases } = firms::pass(tx, &permit, firm, person, to, cx.now).await?;
                let repairs = repairs::pass(tx, &permit, firm, person, to).await?;
                let passed = json!({
                    "to": to, "items": items, "benefits": benefits, "purchases": purchases, "repairs": repairs
                });
                let passed = (items + benefits + purchases + repairs > 0).then(|| passed.to_string());
                let change = Change {
                    entity: "organisation",
                    id: firm.0,
                    customer: Some(person),
                    from: Some(Standing::Member.as_str()),
                    detail: passed.as_deref(),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await?;
                team_letters::ended(tx, &cx, firm, person).await?;
                groups::member_left(tx, &cx, firm, person, &places).await
            })
        })
        .await?;
    cx.app.wake.notify_one();
    Ok(())
}
