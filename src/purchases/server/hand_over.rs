//! Giving a piece to somebody else: its owner offers it to an address, and whoever signs in with that address takes it
//! over. What covers it goes along; what its old owner has under way with it ends first.

use super::{register::store::hand_on, store::ItemRow};
use crate::{
    access::{Act, Subject},
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    execute, fetch_optional, fetch_scalar,
    i18n::Fmt,
    notices::server::{Letter, To, Urgency, Written, service as notices},
    people::server::store as people,
    purchases::domain::{HandOverState, Refusal, can_go},
    repairs,
    server::{
        Cx,
        form::Form,
        fresh,
        history::{self, Change},
        keys, rate,
    },
    values::{EmailAddress, HandOverId, ItemId, PersonId, PurchaseId},
    w,
};
use chrono::{DateTime, Duration, Utc};

/// A person may offer pieces this often in a day.
const OFFERS_A_DAY: i64 = 20;

/// An offer with the piece that it is about.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct HandOverRow {
    pub id: HandOverId,
    pub item_id: ItemId,
    pub from_id: PersonId,
    pub from_name: String,
    pub to_email: EmailAddress,
    state: String,
    pub created_at: DateTime<Utc>,
}

impl HandOverRow {
    pub fn state(&self) -> HandOverState {
        self.state.parse().unwrap_or(HandOverState::Withdrawn)
    }
}

const ONE: &str = "select h.id, h.item_id, h.from_id, p.name as from_name, h.to_email, h.state, h.created_at \
    from hand_over h join person p on p.id = h.from_id where h.id = $1";
const OPEN: &str = "select h.id, h.item_id, h.from_id, p.name as from_name, h.to_email, h.state, h.created_at \
    from hand_over h join person p on p.id = h.from_id where h.item_id = $1 and h.state = 'open'";
const ADD: &str = "insert into hand_over (id, item_id, from_id, to_email, state, created_at) \
    values ($1, $2, $3, $4, 'open', $5) on conflict do nothing";
const END: &str = "update hand_over set state = $2, answered_at = $3 where id = $1 and state = 'open'";
const BOOKED: &str = "select count(*) from benefit where item_id = $1 and reserved > 0";

/// Whether anything stands in the way of the piece's being given away.
async fn free(tx: &mut Tx, item: &ItemRow) -> Result<(), AppError> {
    let (repairs, booked) = under_way(tx, item.id).await?;
    Ok(can_go(item.kind(), repairs, booked)?)
}

/// Whether a repair of the piece is open, and whether something is booked with what it carries.
pub(super) async fn under_way(tx: &mut Tx, item: ItemId) -> Result<(bool, bool), AppError> {
    let repairs = repairs::server::store::open_of_item(tx, item).await?;
    let booked = fetch_scalar!(tx, i64, BOOKED, item)?.unwrap_or(0);
    Ok((!repairs.is_empty(), booked > 0))
}

/// That whoever offers a piece has it still: it is theirs alone, or belongs to a firm that they own.
macro_rules! giver_has_it {
    () => {
        "exists (select 1 from item i where i.id = hand_over.item_id \
         and ((i.owner_id = hand_over.from_id and i.organisation_id is null) or exists (select 1 from membership m \
         where m.organisation_id = i.organisation_id and m.person_id = hand_over.from_id and m.role = 'owner')))"
    };
}
pub(super) use giver_has_it;

const STILL_TO_GIVE: &str = concat!("select id from hand_over where id = $1 and ", giver_has_it!());
const END_OLD: &str = concat!(
    "update hand_over set state = 'withdrawn', answered_at = $2 where item_id = $1 and state = 'open' and not ",
    giver_has_it!()
);

/// Ends the offer of a piece that has another owner now: only what is one's own can be given. The caller holds the piece.
pub async fn end_old(tx: &mut Tx, item: ItemId, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, END_OLD, item, now)?;
    Ok(())
}

async fn own_item(tx: &mut Tx, cx: &Cx, id: ItemId) -> Result<ItemRow, AppError> {
    cx.person()?;
    let item = super::store::item(tx, id).await?.ok_or(AppError::NotFound)?;
    if cx.viewer.can(Act::GiveItem, &item.subject()) { Ok(item) } else { Err(AppError::NotFound) }
}

/// What the page of a piece's owner shows: the piece, the offer that stands, what stands in the way.
pub async fn giving(cx: &Cx, id: ItemId) -> Result<(ItemRow, Option<HandOverRow>, Option<Refusal>), AppError> {
    let mut tx = cx.db().read().await?;
    let item = own_item(&mut tx, cx, id).await?;
    let open = fetch_optional!(tx, HandOverRow, OPEN, id)?;
    let stop = match free(&mut tx, &item).await {
        Ok(()) => None,
        Err(AppError::Refused(crate::error::Refusal::Purchases(refusal))) => Some(refusal),
        Err(other) => return Err(other),
    };
    Ok((item, open, stop))
}

/// Offers a piece to whoever has an address.
///
/// # Errors
/// A fault at `email`; a [`Refusal`] where something is under way with the piece.
pub async fn give(cx: &Cx, id: ItemId, form: &Form) -> Result<(), AppError> {
    let me = cx.person()?.clone();
    own_item(&mut cx.db().read().await?, cx, id).await?;
    let mut faults = Faults::default();
    let email = form.parse::<EmailAddress>("email", &mut faults, Fault::NotAnEmail);
    faults.check()?;
    let email = email.ok_or_else(|| Faults::only("email", Fault::Required))?;
    if email == me.email {
        return Err(Refusal::YoursAlready.into());
    }
    let (key, body, context) = (form.key(), form.body(), cx.clone());
    cx.db()
        .write(move |tx| {
            let (cx, me, email, body) = (context.clone(), me.clone(), email.clone(), body.clone());
            Box::pin(async move {
                let scope = format!("give_item:{}", me.id);
                if keys::seen(tx, &scope, key, &body).await?.is_some() {
                    return Ok(());
                }
                tx.lock(&[Key::of("item", id.0)]).await?;
                let item = own_item(tx, &cx, id).await?;
                let permit = cx.may(Act::GiveItem, &item.subject())?;
                free(tx, &item).await?;
                rate::take(tx, &scope, OFFERS_A_DAY, Duration::days(1)).await?;
                let offer: HandOverId = fresh();
                if execute!(tx, ADD, offer, id, me.id, email.as_str(), cx.now)? == 0 {
                    return Err(Refusal::OfferedAlready.into());
                }
                let change = Change {
                    entity: "item",
                    id: id.0,
                    customer: Some(me.id),
                    to: Some("offered"),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await?;
                let to = match people::by_email(tx, &email).await? {
                    Some(person) => To::Person(person.id),
                    None => To::Address { email, person: None },
                };
                let path = format!("/purchases/take-over/{offer}");
                tell(tx, &cx, to, Says::Offered, &me.name, &item, offer, &path).await?;
                keys::remember(tx, &scope, key, &body, "done").await
            })
        })
        .await?;
    cx.app.wake.notify_one();
    Ok(())
}

/// Its owner keeps the piece after all.
///
/// # Errors
/// [`Refusal::OfferOver`] where it was answered meanwhile.
pub async fn keep(cx: &Cx, id: ItemId) -> Result<(), AppError> {
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                tx.lock(&[Key::of("item", id.0)]).await?;
                let item = own_item(tx, &cx, id).await?;
                let permit = cx.may(Act::KeepItem, &item.subject())?;
                let offer = fetch_optional!(tx, HandOverRow, OPEN, id)?.ok_or(Refusal::OfferOver)?;
                end(tx, &cx, &offer, HandOverState::Withdrawn).await?;
                let change = Change {
                    entity: "item",
                    id: id.0,
                    customer: Some(item.owner_person),
                    from: Some("offered"),
                    to: Some("kept"),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}

async fn end(tx: &mut Tx, cx: &Cx, offer: &HandOverRow, how: HandOverState) -> Result<(), AppError> {
    let how = offer.state().end(how)?;
    match execute!(tx, END, offer.id, how.as_str(), cx.now)? {
        1 => Ok(()),
        _ => Err(Refusal::OfferOver.into()),
    }
}

/// The offer, for whoever has the address that it was made to; nobody else finds it.
async fn offered(tx: &mut Tx, cx: &Cx, id: HandOverId) -> Result<HandOverRow, AppError> {
    let me = cx.person()?;
    let offer = fetch_optional!(tx, HandOverRow, ONE, id)?.ok_or(AppError::NotFound)?;
    if offer.to_email == me.email { Ok(offer) } else { Err(AppError::NotFound) }
}

/// What the page of whoever may take it over shows.
pub async fn offer(cx: &Cx, id: HandOverId) -> Result<(HandOverRow, ItemRow), AppError> {
    let mut tx = cx.db().read().await?;
    let offer = offered(&mut tx, cx, id).await?;
    let item = super::store::item(&mut tx, offer.item_id).await?.ok_or(AppError::NotFound)?;
    Ok((offer, item))
}

/// Takes a piece over, or declines it; answers which purchase it is part of. Asking for the same again changes nothing.
///
/// # Errors
/// [`Refusal::OfferOver`] where it was answered otherwise; what stands in the way of the piece's going.
pub async fn answer(cx: &Cx, id: HandOverId, take: bool) -> Result<PurchaseId, AppError> {
    let context = cx.clone();
    let purchase = cx
        .db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                let HandOverRow { item_id: item, from_id, .. } = offered(tx, &cx, id).await?;
                // Who gives it books nothing more with its benefits meanwhile.
                tx.lock(&[Key::of("item", item.0), Key::of("person", from_id.0)]).await?;
                let (offer, me) = (offered(tx, &cx, id).await?, cx.person()?);
                let item = super::store::item(tx, item).await?.ok_or(AppError::NotFound)?;
                let (act, how) = match take {
                    true => (Act::TakeItem, HandOverState::Taken),
                    false => (Act::DeclineItem, HandOverState::Declined),
                };
                let permit = cx.may(act, &Subject::of(me.id))?;
                if offer.state() == how {
                    return Ok(item.purchase_id);
                }
                if take && fetch_scalar!(tx, HandOverId, STILL_TO_GIVE, id)?.is_none() {
                    return Err(Refusal::OfferOver.into());
                }
                end(tx, &cx, &offer, how).await?;
                if take {
                    hand_on(tx, &permit, item.id, me.id, cx.now).await?;
                    // After its benefits are held by this: what is booked with them in the same moment is seen.
                    free(tx, &item).await?;
                }
                let change = Change {
                    entity: "item",
                    id: item.id.0,
                    customer: Some(me.id),
                    from: Some("offered"),
                    to: Some(how.as_str()),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await?;
                let says = if take { Says::Taken } else { Says::Declined };
                let path = if take { "/purchases".to_owned() } else { format!("/purchases/{}", item.purchase_id) };
                tell(tx, &cx, To::Person(offer.from_id), says, &me.name, &item, id, &path).await?;
                Ok(item.purchase_id)
            })
        })
        .await?;
    cx.app.wake.notify_one();
    Ok(purchase)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Says {
    Offered,
    Taken,
    Declined,
}

/// What the two get in writing.
#[derive(Clone, Debug, PartialEq)]
pub struct HandOverLetter {
    says: Says,
    /// The other one.
    name: String,
    product: String,
    link: String,
}

impl HandOverLetter {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        match self.says {
            Says::Offered => "item_offered",
            Says::Taken => "item_taken",
            Says::Declined => "item_declined",
        }
    }

    pub fn urgency(&self) -> Urgency {
        Urgency::ByDay
    }

    /// In the reader's language.
    pub fn write(&self, fmt: Fmt) -> Written {
        let (name, product) = (self.name.clone(), self.product.clone());
        let (subject, body) = match self.says {
            Says::Offered => (
                w!(fmt, handover.letter_offered_subject, name = name.clone(), product = product.clone()),
                w!(fmt, handover.letter_offered_body, name = name, product = product),
            ),
            Says::Taken => (
                w!(fmt, handover.letter_taken_subject, name = name.clone(), product = product.clone()),
                w!(fmt, handover.letter_taken_body, name = name, product = product),
            ),
            Says::Declined => (
                w!(fmt, handover.letter_declined_subject, name = name.clone(), product = product.clone()),
                w!(fmt, handover.letter_declined_body, name = name, product = product),
            ),
        };
        Written { subject, body, link: Some(self.link.clone()) }
    }
}

#[allow(clippy::too_many_arguments, reason = "one call a letter; a struct would only repeat the names")]
async fn tell(
    tx: &mut Tx,
    cx: &Cx,
    to: To,
    says: Says,
    name: &str,
    item: &ItemRow,
    id: HandOverId,
    path: &str,
) -> Result<(), AppError> {
    let link = cx.app.config.address(path);
    let letter = HandOverLetter { says, name: name.to_owned(), product: item.product_name.clone(), link };
    let once = format!("hand_over:{id}:{}", letter.kind());
    notices::send(tx, cx, to, Letter::HandOver(Box::new(letter)), &once).await
}
