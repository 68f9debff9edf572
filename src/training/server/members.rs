//! Who belongs to a firm. Its owner asks somebody by an address; they belong to it once they have signed in with that
//! address and accepted, and not before: so the owner learns nothing of an address, and sees nobody's training who did
//! not agree.

use super::{
    groups, seats,
    store::{
        members::{self, InvitationRow, NewInvitation},
        parties::{self, PlaceRow},
    },
    team_letters,
};
use crate::{
    access::{Act, Membership, Permit, Subject},
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    people::server::store as people,
    purchases::server::{
        firms::{self, Passed},
        hand_over,
    },
    repairs::server::store as repairs,
    server::{
        Cx, fresh,
        history::{self, Change},
        keys, rate,
    },
    training::domain::team::{self, InvitationState, Standing},
    values::{ClassId, EmailAddress, InvitationId, ItemId, OrganisationId, PersonId, RepairId},
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
                let ties = Ties::hold(tx, firm, person).await?;
                let member = members::member(tx, firm, person).await?.ok_or(AppError::NotFound)?;
                let by = cx.person()?;
                team::end_membership(by.id, person, member.standing)?;
                let leaving = Leaving { firm, person, standing: member.standing, heir: (by.id, by.name.clone()) };
                leave(tx, &cx, &permit, leaving, ties).await
            })
        })
        .await?;
    cx.app.wake.notify_one();
    Ok(())
}

/// An owner no longer belongs to a firm, by the word of the company alone. It is as with a member; what they had for the
/// firm goes to its first other owner, and with it the groups for which they answered. What they owe stays theirs.
///
/// # Errors
/// [`AppError::NotFound`] where nobody with the address is an owner of it, [`Refusal::LastOwner`] of the only one.
///
/// [`Refusal::LastOwner`]: crate::training::domain::Refusal::LastOwner
pub async fn end_ownership(cx: &Cx, firm: OrganisationId, email: EmailAddress) -> Result<(), AppError> {
    cx.may(Act::NameOwner, &Subject::nobody())?;
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, email) = (context.clone(), email.clone());
            Box::pin(async move {
                let permit = cx.may(Act::EndMembership, &Subject::nobody().within(Some(firm)))?;
                let person = people::by_email(tx, &email).await?.ok_or(AppError::NotFound)?.id;
                let ties = Ties::hold(tx, firm, person).await?;
                let standing = members::member(tx, firm, person).await?.map(|member| member.standing);
                let standing = standing.filter(|standing| *standing == Standing::Owner).ok_or(AppError::NotFound)?;
                let others = members::other_owners(tx, firm, person).await?;
                team::end_ownership(others.len())?;
                let heir = others.into_iter().next().ok_or(AppError::NotFound)?;
                leave(tx, &cx, &permit, Leaving { firm, person, standing, heir }, ties).await
            })
        })
        .await?;
    cx.app.wake.notify_one();
    Ok(())
}

/// What ties somebody to a firm beside their membership.
struct Ties {
    /// In line or on offer, which the firm has for them.
    places: Vec<PlaceRow>,
    /// Where they answer for its groups.
    groups: Vec<ClassId>,
    /// What they have for it.
    items: Vec<ItemId>,
    /// What of it they have offered to give away.
    offered: Vec<ItemId>,
    repairs: Vec<RepairId>,
}

impl Ties {
    async fn of(tx: &mut Tx, firm: OrganisationId, person: PersonId) -> Result<Self, AppError> {
        Ok(Self {
            places: parties::waits_for(tx, firm, person).await?,
            groups: parties::classes_of_owner(tx, firm, person).await?,
            items: firms::held(tx, firm, person).await?,
            offered: firms::offered(tx, firm, person).await?,
            repairs: repairs::open_for_firm(tx, firm, person).await?,
        })
    }

    fn keys(&self) -> Vec<Key> {
        let classes = self.places.iter().map(|place| place.class_id).chain(self.groups.iter().copied());
        let items = self.items.iter().chain(&self.offered).map(|item| Key::of("item", item.0));
        let repairs = self.repairs.iter().map(|repair| Key::of("repair", repair.0));
        classes.map(seats::lock_of).chain(items).chain(repairs).collect()
    }

    /// Holds all of it, with the firm and the person. Whoever enrols them, answers for them, or books a repair in this
    /// moment holds one of these too: by then what they did is seen.
    async fn hold(tx: &mut Tx, firm: OrganisationId, person: PersonId) -> Result<Self, AppError> {
        let mut keys = Self::of(tx, firm, person).await?.keys();
        keys.extend([lock_of(firm), Key::of("person", person.0)]);
        tx.lock(&keys).await?;
        let now = Self::of(tx, firm, person).await?;
        if now.keys().iter().all(|key| keys.contains(key)) { Ok(now) } else { Err(AppError::Busy) }
    }
}

/// Who leaves which firm, and the owner who has from now on what they had for it.
struct Leaving {
    firm: OrganisationId,
    person: PersonId,
    standing: Standing,
    heir: (PersonId, String),
}

/// Ends a membership and passes on what the person has for the firm. The caller holds `ties`.
async fn leave(tx: &mut Tx, cx: &Cx, permit: &Permit, leaving: Leaving, ties: Ties) -> Result<(), AppError> {
    let Leaving { firm, person, standing, heir: (to, heir) } = leaving;
    if !members::end_membership(tx, permit, firm, person, standing).await? {
        return Err(AppError::Busy);
    }
    let Passed { items, benefits, purchases } = firms::pass(tx, permit, firm, person, to, cx.now).await?;
    let repairs = repairs::pass(tx, permit, firm, person, to).await?;
    let groups = parties::pass(tx, permit, firm, person, to).await?;
    for item in &ties.offered {
        hand_over::end_old(tx, *item, cx.now).await?;
    }
    let passed = json!({
        "to": to, "items": items, "benefits": benefits, "purchases": purchases, "repairs": repairs, "groups": groups
    });
    let passed = (items + benefits + purchases + repairs + groups > 0).then(|| passed.to_string());
    let change = Change {
        entity: "organisation",
        id: firm.0,
        customer: Some(person),
        from: Some(standing.as_str()),
        detail: passed.as_deref(),
        ..Change::default()
    };
    history::record(tx, cx, permit, change).await?;
    team_letters::ended(tx, cx, firm, (person, standing), heir).await?;
    groups::member_left(tx, cx, firm, person, &ties.places).await
}
