//! The learner's side of a seat: enrol, wait in line, accept or decline an offer, cancel. Each is one transaction that
//! holds the class and the person, so that no seat is sold twice and nobody sits in two classes at once.

use super::{
    asks, courses, dues, group_letters, groups,
    letters::{self, Waited},
    make_ups,
    store::{self, ClassRow, EnrolmentRow, NewEnrolment, parties},
};
use crate::{
    access::{Act, Permit, Person, Subject, Viewer},
    calendar::{
        domain::{Resource, Span},
        server::busy,
    },
    db::{Key, Tx},
    error::AppError,
    jobs::{self, Job},
    server::{
        Cx, fresh,
        history::{self, Change},
        keys,
    },
    training::domain::{Cost, Effect, Ending, EnrolmentState, Policy, Refusal, Seating, Turn, Unit, enrolment, party},
    values::{ClassId, EnrolmentId, PersonId},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where somebody stands after an act on a seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Place {
    pub enrolment: EnrolmentId,
    pub state: EnrolmentState,
    /// The place in line, from 1, for who waits.
    pub position: Option<i64>,
}

/// What a form sends along: the price that its reader agreed to, and the key that makes a second post harmless.
#[derive(Clone, Debug, Default)]
pub struct Consent {
    /// `None` where no form asked; a form that says nothing agrees to nothing.
    pub agreed_minor: Option<i64>,
    pub key: Option<Uuid>,
}

/// Takes a seat, or the next place in line where there is none.
pub async fn enrol(cx: &Cx, class: ClassId, consent: Consent) -> Result<Place, AppError> {
    act(cx, class, "enrol", consent, |tx, cx, class, person, consent| {
        Box::pin(enrol_in(tx, cx, class, person, consent))
    })
    .await
}

/// Takes the seat that is held for the person.
pub async fn accept(cx: &Cx, class: ClassId, consent: Consent) -> Result<Place, AppError> {
    act(cx, class, "accept_offer", consent, |tx, cx, class, person, consent| {
        Box::pin(accept_in(tx, cx, class, person, consent))
    })
    .await
}

/// Lets the held seat go to the next in line.
pub async fn decline(cx: &Cx, class: ClassId, consent: Consent) -> Result<Place, AppError> {
    act(cx, class, "decline_offer", consent, |tx, cx, class, person, _| Box::pin(decline_in(tx, cx, class, person)))
        .await
}

/// Gives a seat, an offer or a place in line back.
pub async fn cancel(cx: &Cx, class: ClassId, consent: Consent) -> Result<Place, AppError> {
    act(cx, class, "cancel_enrolment", consent, |tx, cx, class, person, _| Box::pin(cancel_in(tx, cx, class, person)))
        .await
}

/// What happens between loading and answering; every act on a seat has this shape.
type Step = for<'a> fn(
    &'a mut Tx,
    &'a Cx,
    ClassRow,
    &'a Person,
    &'a Consent,
) -> futures::future::BoxFuture<'a, Result<Place, AppError>>;

/// Runs an act on the viewer's own seat in one transaction; the same key again gets the same answer.
async fn act(cx: &Cx, class: ClassId, name: &'static str, consent: Consent, step: Step) -> Result<Place, AppError> {
    let person = cx.person()?.clone();
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write_in_turn(lock_of(class), move |tx| {
            let (cx, person, consent) = (cx.clone(), person.clone(), consent.clone());
            Box::pin(async move {
                let (scope, body) = (format!("{name}:{}", person.id), class.to_string());
                tx.lock(&[lock_of(class), Key::of("person", person.id.0)]).await?;
                if let Some(answer) = keys::known(tx, &scope, consent.key, &body).await?
                    && let Ok(place) = serde_json::from_str(&answer)
                {
                    return Ok(place);
                }
                let row = store::class(tx, class).await?;
                // A draft is nobody's business yet.
                if row.state == crate::training::domain::ClassState::Draft {
                    return Err(AppError::NotFound);
                }
                let place = step(tx, &cx, row, &person, &consent).await?;
                let answer = serde_json::to_string(&place).unwrap_or_default();
                keys::remember(tx, &scope, consent.key, &body, &answer).await?;
                Ok(place)
            })
        })
        .await
}

/// The rules of the class for whoever acts: staff who act for somebody else are exempt from window and cut-off.
pub fn rules_for(cx: &Cx, class: &ClassRow, person: PersonId) -> Policy {
    if for_another(cx, person) { class.policy().exempt() } else { class.policy() }
}

/// Whether staff act for somebody else.
fn for_another(cx: &Cx, person: PersonId) -> bool {
    cx.viewer.is_staff() && cx.viewer.person().is_some_and(|staff| staff.id != person)
}

/// What everybody who changes the seats of a class holds.
pub fn lock_of(class: ClassId) -> Key {
    Key::of("class", class.0)
}

async fn enrol_in(
    tx: &mut Tx,
    cx: &Cx,
    class: ClassRow,
    person: &Person,
    consent: &Consent,
) -> Result<Place, AppError> {
    let permit = cx.may(Act::Enrol, &Subject::of(person.id))?;
    let before = store::active(tx, class.id, person.id).await?;
    let rules = rules_for(cx, &class, person.id);
    let policy = if before.is_some() { rules.of_line() } else { rules };
    let seating = match (&before, enrolment::enrol(class.state, &class.seats(), &policy, cx.now)) {
        // Who has a seat or an offer keeps it, whatever became of the class; who waits can take a seat once the line is closed.
        (Some(row), Ok(Seating::Booked)) if row.state == EnrolmentState::Waitlisted => Seating::Booked,
        (Some(row), _) => return place(tx, row).await,
        (None, seating) => seating?,
    };
    if before.is_none() {
        courses::require(tx, cx, &class, person.id).await?;
    }
    // Most people have nothing else to do from its first day to its last: then its sessions need not be looked at.
    let whole = [Span { from: class.starts_at, until: class.ends_at }];
    if !busy::clashes(tx, Resource::Person(person.id), &whole, None).await?.is_empty() {
        let spans = spans(tx, class.id).await?;
        refuse_clash(tx, &class, person.id, &spans, None).await?;
    }
    let cost = agreed_cost(tx, cx, &class, person, consent).await?;
    if seating == Seating::Booked && store::take_seat(tx, &permit, class.id, policy.is_frozen(cx.now)).await? {
        let id = match &before {
            Some(row) => leave_line_for_seat(tx, &permit, cx, &class, row).await?,
            None => insert(tx, &permit, cx, &class, person.id, EnrolmentState::Booked, None).await?,
        };
        let from = before.as_ref().map(|row| row.state);
        let spans = spans(tx, class.id).await?;
        book(tx, cx, &permit, &class, Booking { id, person: person.id, spans: &spans, cost: &cost, from }).await?;
        return Ok(Place { enrolment: id, state: EnrolmentState::Booked, position: None });
    }
    if policy.is_frozen(cx.now) {
        return Err(Refusal::LineClosed { at: policy.freezes_at() }.into());
    }
    let (number, position) = store::join_line(tx, &permit, class.id).await?;
    let id = insert(tx, &permit, cx, &class, person.id, EnrolmentState::Waitlisted, Some(number)).await?;
    record(tx, cx, &permit, id, person.id, None, EnrolmentState::Waitlisted, None).await?;
    // A seat may be free that does not suffice whoever stands before.
    if class.seats().free() > 0 {
        pass_on(tx, cx, class.id).await?;
        let row = store::enrolment(tx, id).await?;
        if row.state != EnrolmentState::Waitlisted {
            return place(tx, &row).await;
        }
    }
    letters::waitlisted(tx, cx, &class, id, person.id, position).await?;
    Ok(Place { enrolment: id, state: EnrolmentState::Waitlisted, position: Some(position) })
}

/// The seat has been taken already; only the place in line is given up.
async fn leave_line_for_seat(
    tx: &mut Tx,
    permit: &Permit,
    cx: &Cx,
    class: &ClassRow,
    row: &EnrolmentRow,
) -> Result<EnrolmentId, AppError> {
    store::seat_from_line(tx, permit, row, cx.now).await?;
    // Who takes a seat alone leaves the group that still waits, whose owner hears of it.
    if let Some(party) = row.party_id {
        parties::detach(tx, permit, row.id).await?;
        let party = parties::party(tx, party).await?;
        group_letters::went_alone(tx, cx, class, &party, row).await?;
    }
    Ok(row.id)
}

async fn accept_in(
    tx: &mut Tx,
    cx: &Cx,
    class: ClassRow,
    person: &Person,
    consent: &Consent,
) -> Result<Place, AppError> {
    let permit = cx.may(Act::AcceptOffer, &Subject::of(person.id))?;
    let row = store::active(tx, class.id, person.id).await?.ok_or(Refusal::NoOffer)?;
    if row.state == EnrolmentState::Booked {
        return place(tx, &row).await;
    }
    let to = enrolment::accept(row.state, row.offered_until, cx.now)?;
    if row.party_id.is_some() {
        return Err(Refusal::FirmAnswers.into());
    }
    let spans = spans(tx, class.id).await?;
    refuse_clash(tx, &class, person.id, &spans, None).await?;
    let cost = agreed_cost(tx, cx, &class, person, consent).await?;
    store::move_enrolment(tx, &permit, &row, to, None, None, cx.now).await?;
    let booking = Booking { id: row.id, person: person.id, spans: &spans, cost: &cost, from: Some(row.state) };
    book(tx, cx, &permit, &class, booking).await?;
    Ok(Place { enrolment: row.id, state: to, position: None })
}

async fn decline_in(tx: &mut Tx, cx: &Cx, class: ClassRow, person: &Person) -> Result<Place, AppError> {
    let permit = cx.may(Act::DeclineOffer, &Subject::of(person.id))?;
    let Some(row) = store::active(tx, class.id, person.id).await? else {
        return ended(tx, &class, person.id, Refusal::NoOffer).await;
    };
    let to = enrolment::decline(row.state)?;
    if row.party_id.is_some() {
        return Err(Refusal::FirmAnswers.into());
    }
    store::move_enrolment(tx, &permit, &row, to, None, Some(Ending::Declined), cx.now).await?;
    record(tx, cx, &permit, row.id, person.id, Some(row.state), to, Some(Ending::Declined)).await?;
    asks::answered_instead(tx, cx, class.id, None, person.id).await?;
    pass_on(tx, cx, class.id).await?;
    Ok(Place { enrolment: row.id, state: to, position: None })
}

async fn cancel_in(tx: &mut Tx, cx: &Cx, class: ClassRow, person: &Person) -> Result<Place, AppError> {
    let permit = cx.may(Act::CancelEnrolment, &Subject::of(person.id))?;
    let Some(row) = store::active(tx, class.id, person.id).await? else {
        return ended(tx, &class, person.id, Refusal::NotEnrolled).await;
    };
    let to = end(tx, cx, &permit, &class, &row).await?;
    record(tx, cx, &permit, row.id, person.id, Some(row.state), to, Some(Ending::Cancelled)).await?;
    letters::cancelled(tx, cx, &class, &row, to).await?;
    if row.state == EnrolmentState::Offered {
        asks::answered_instead(tx, cx, class.id, None, person.id).await?;
    }
    // Whoever pays for it hears of it too.
    if let Some(party) = row.party_id {
        let party = parties::party(tx, party).await?;
        group_letters::left(tx, cx, &class, &party, &row, to).await?;
    }
    pass_on(tx, cx, class.id).await?;
    Ok(Place { enrolment: row.id, state: to, position: None })
}

/// Ends somebody's place with all that it has, by the rules for whoever acts; says how it ended. The caller holds the
/// class and the person.
pub async fn end(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    class: &ClassRow,
    row: &EnrolmentRow,
) -> Result<EnrolmentState, AppError> {
    let rules = rules_for(cx, class, row.person_id);
    let to = enrolment::cancel(row.state, &rules, cx.now)?;
    if !for_another(cx, row.person_id) {
        make_ups::refuse_used(tx, row.id).await?;
    }
    store::move_enrolment(tx, permit, row, to, None, Some(Ending::Cancelled), cx.now).await?;
    busy::free(tx, "enrolment", row.id.0).await?;
    make_ups::seat_ended(tx, cx, row.id).await?;
    match (row.state, to) {
        (EnrolmentState::Booked, EnrolmentState::CancelledLate) if rules.terms.late_cancel == Effect::Spent => {
            dues::spend(tx, row.id, cx.now).await?;
        }
        (EnrolmentState::Booked, _) => dues::give_back(tx, row.id, cx.now).await?,
        _ => {}
    }
    Ok(to)
}

/// A second tap finds nothing to end any more: it is answered like the first, and somebody who never had a place is
/// told so.
async fn ended(tx: &mut Tx, class: &ClassRow, person: PersonId, otherwise: Refusal) -> Result<Place, AppError> {
    let row = store::latest(tx, class.id, person).await?.ok_or(otherwise)?;
    place(tx, &row).await
}

/// Ends the offers of a class whose time is over, a group's as one, and passes the seats on. Run by a job for one of
/// them; harmless where it was answered.
pub async fn expire(cx: &Cx, id: EnrolmentId) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let class = parties::place(tx, id).await?.class_id;
                tx.lock(&[lock_of(class)]).await?;
                let over = parties::over(tx, class, cx.now).await?;
                if over.is_empty() {
                    return Ok(());
                }
                let row = store::class(tx, class).await?;
                let mut groups_over = Vec::new();
                for place in over {
                    match (place.party_id, place.person_id) {
                        (Some(party), _) if groups_over.contains(&party) => {}
                        (Some(party), _) => {
                            groups_over.push(party);
                            groups::expire(tx, &cx, &row, party).await?;
                        }
                        (None, Some(person)) => {
                            let permit = cx.may(Act::ExpireOffer, &Subject::of(person))?;
                            let (to, why) = (EnrolmentState::Cancelled, Ending::Expired);
                            parties::move_place(tx, &permit, &place, to, None, Some(why), cx.now).await?;
                            record(tx, &cx, &permit, place.id, person, Some(place.state), to, Some(why)).await?;
                            asks::answered_instead(tx, &cx, class, None, person).await?;
                            letters::wait_over(tx, &cx, &row, place.id, person, Waited::Expired).await?;
                        }
                        (None, None) => {}
                    }
                }
                pass_on(tx, &cx, class).await
            })
        })
        .await
}

/// Serves the line from its head, by the one fixed rule: free seats are offered in its order; for a group that must stay
/// together they are gathered while it is first, until 72 hours before the start, or until the waitlist closes where that
/// is earlier; after that whoever does not fit is passed over, which is written down. The caller holds the class.
pub async fn pass_on(tx: &mut Tx, cx: &Cx, class: ClassId) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    let permit = cx.may(Act::OfferSeat, &Subject::nobody())?;
    let mut row = store::class(tx, class).await?;
    let gathers = row.policy().gathers(cx.now);
    if row.held > 0 && groups::release(tx, &cx, &permit, &row, gathers).await? {
        row = store::class(tx, class).await?;
    }
    let Some(until) = enrolment::offers_until(row.state, &row.policy(), cx.now) else { return Ok(()) };
    let (mut behind, mut passed) = (0, Vec::new());
    while row.waiting > 0 && (row.held > 0 || row.seats().free() > 0) {
        let Some(first) = parties::next_in_line(tx, class, behind).await? else { return Ok(()) };
        let (group, members) = match first.party_id {
            Some(id) => {
                let mut members = parties::places(tx, id).await?;
                members.retain(|place| place.state == EnrolmentState::Waitlisted);
                (Some(parties::party(tx, id).await?), members)
            }
            None => (None, vec![first]),
        };
        let size = i64::try_from(members.len()).unwrap_or(i64::MAX);
        let unit =
            group.as_ref().map_or(Unit::ONE, |group| Unit { size, together: group.together, gathered: group.gathered });
        // What is freed while a group has an offer joins that offer, which ends when it would have; an offer whose time is
        // over ends the group's waiting, and then the line is served anew.
        let until = match &group {
            Some(group) => parties::offered_until(tx, group.id).await?.unwrap_or(until),
            None => until,
        };
        if until <= cx.now {
            return Ok(());
        }
        behind = members.last().and_then(|place| place.queue_number).unwrap_or(behind + 1);
        let free = row.seats().free();
        match (party::turn(unit, free, row.capacity, gathers), &group) {
            (Turn::Rest, _) => return Ok(()),
            (Turn::Gather(seats), Some(group)) => return parties::gather(tx, &permit, group, seats).await,
            (Turn::Pass(reason), Some(group)) => {
                parties::gather(tx, &permit, group, 0).await?;
                passed.push(parties::NewSkip { party: group.id, reason, needed: size, free: free + unit.gathered });
            }
            (Turn::Offer(seats), _) => {
                if let Some(group) = &group {
                    parties::gather(tx, &permit, group, 0).await?;
                }
                let served: Vec<_> = members.into_iter().take(usize::try_from(seats).unwrap_or(0)).collect();
                for place in &served {
                    for skip in &passed {
                        parties::insert_skip(tx, &permit, class, *skip, Some(place.id), cx.now).await?;
                    }
                }
                offer(tx, &cx, &row, group.as_ref(), &served, until).await?;
            }
            (Turn::Gather(_) | Turn::Pass(_), None) => return Ok(()),
        }
        row = store::class(tx, class).await?;
    }
    Ok(())
}

/// Offers seats to one person, or to as many of a group; whoever answers gets one letter, and the offer one deadline.
async fn offer(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    group: Option<&parties::PartyRow>,
    places: &[parties::PlaceRow],
    until: DateTime<Utc>,
) -> Result<(), AppError> {
    let to = EnrolmentState::Offered;
    for place in places {
        let permit = cx.may(Act::OfferSeat, &place.person_id.map_or(Subject::nobody(), Subject::of))?;
        parties::move_place(tx, &permit, place, to, Some(until), None, cx.now).await?;
        store::offered_under(tx, &permit, place.id, class.policy().freezes_at()).await?;
        groups::record(tx, cx, &permit, place, to, None).await?;
        if let (None, Some(person)) = (group, place.person_id) {
            letters::offered(tx, cx, class, place.id, person, until).await?;
        }
    }
    let Some(first) = places.first() else { return Ok(()) };
    jobs::enqueue(tx, Job::ExpireOffer { enrolment: first.id }, until).await?;
    if let Some(group) = group {
        group_letters::offered(tx, cx, class, group, first.id, places.len(), until).await?;
    }
    Ok(())
}

/// Holds a seat in another class for somebody whose class was cancelled or who asked for one, unless they are elsewhere
/// then, lack what its course requires, or have a place there or had one that they gave up. The caller holds that class.
pub async fn offer_elsewhere(
    tx: &mut Tx,
    cx: &Cx,
    next: &ClassRow,
    person: PersonId,
) -> Result<Option<DateTime<Utc>>, AppError> {
    let cx = cx.as_viewer(Viewer::System);
    let Some(until) = next.policy().offer_until(cx.now) else { return Ok(None) };
    let spans = spans(tx, next.id).await?;
    let taken = store::active(tx, next.id, person).await?.is_some()
        || store::gave_up(tx, next.id, person).await?
        || !busy::clashes(tx, Resource::Person(person), &spans, None).await?.is_empty()
        || courses::lacks(tx, &cx, next, person).await?.is_some();
    let permit = cx.may(Act::OfferSeat, &Subject::of(person))?;
    if taken || !store::hold_seat(tx, &permit, next.id).await? {
        return Ok(None);
    }
    let id: EnrolmentId = fresh();
    let new = NewEnrolment {
        id,
        class: next.id,
        person,
        organisation: None,
        state: EnrolmentState::Offered,
        queue_number: None,
        offered_until: Some(until),
        price_currency: next.price_currency,
    };
    store::insert_enrolment(tx, &permit, &new, cx.now).await?;
    store::offered_under(tx, &permit, id, next.policy().freezes_at()).await?;
    record(tx, &cx, &permit, id, person, None, EnrolmentState::Offered, None).await?;
    jobs::enqueue(tx, Job::ExpireOffer { enrolment: id }, until).await?;
    Ok(Some(until))
}

async fn agreed_cost(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    person: &Person,
    consent: &Consent,
) -> Result<Cost, AppError> {
    let cost = dues::cost(tx, cx.today(), class, person).await?;
    match consent.agreed_minor {
        Some(agreed) if cost.minor() > agreed => Err(Refusal::PriceRose { price: class.price() }.into()),
        _ => Ok(cost),
    }
}

pub async fn spans(tx: &mut Tx, class: ClassId) -> Result<Vec<Span>, AppError> {
    Ok(store::sessions(tx, class).await?.iter().map(store::SessionRow::span).collect())
}

/// Names both: the class that is wanted and what stands in its way, apart from a seat that is given up for it.
pub async fn refuse_clash(
    tx: &mut Tx,
    class: &ClassRow,
    person: PersonId,
    spans: &[Span],
    except: Option<EnrolmentId>,
) -> Result<(), AppError> {
    let except = except.map(|seat| ("enrolment", seat.0));
    let Some(clash) = busy::clashes(tx, Resource::Person(person), spans, except).await?.into_iter().next() else {
        return Ok(());
    };
    let mine = class.title.clone();
    Err(match clash.label.is_empty() {
        true => Refusal::Occupied { mine, from: clash.span.from },
        false => Refusal::Clash { mine, with: clash.label },
    }
    .into())
}

async fn insert(
    tx: &mut Tx,
    permit: &Permit,
    cx: &Cx,
    class: &ClassRow,
    person: PersonId,
    state: EnrolmentState,
    queue_number: Option<i64>,
) -> Result<EnrolmentId, AppError> {
    let id = fresh();
    let new = NewEnrolment {
        id,
        class: class.id,
        person,
        organisation: None,
        state,
        queue_number,
        offered_until: None,
        price_currency: class.price_currency,
    };
    store::insert_enrolment(tx, permit, &new, cx.now).await?;
    Ok(id)
}

/// What is booked, for whom and at which cost.
struct Booking<'a> {
    id: EnrolmentId,
    person: PersonId,
    spans: &'a [Span],
    cost: &'a Cost,
    from: Option<EnrolmentState>,
}

/// Everything that a seat brings along: the time, the allowance or the charge, the history, the letter.
async fn book(tx: &mut Tx, cx: &Cx, permit: &Permit, class: &ClassRow, booking: Booking<'_>) -> Result<(), AppError> {
    let Booking { id, person, spans, cost, from } = booking;
    for span in spans {
        busy::occupy(tx, Resource::Person(person), *span, "enrolment", id.0).await?;
    }
    store::set_cost(tx, permit, id, cost.benefit(), cost.minor(), class.price_currency).await?;
    dues::take(tx, id, person, cost, cx.now).await?;
    asks::answered(tx, cx, class, person).await?;
    record(tx, cx, permit, id, person, from, EnrolmentState::Booked, None).await?;
    letters::booked(tx, cx, class, id, person, cost).await
}

async fn place(tx: &mut Tx, row: &EnrolmentRow) -> Result<Place, AppError> {
    let position = match (row.state, row.queue_number) {
        (EnrolmentState::Waitlisted, Some(number)) => Some(store::position(tx, row.class_id, number).await?),
        _ => None,
    };
    Ok(Place { enrolment: row.id, state: row.state, position })
}

/// The line in the history that every act on a seat leaves.
#[allow(clippy::too_many_arguments, reason = "one call a line; a struct would only repeat the names")]
pub async fn record(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    id: EnrolmentId,
    person: PersonId,
    from: Option<EnrolmentState>,
    to: EnrolmentState,
    why: Option<Ending>,
) -> Result<(), AppError> {
    let change = Change {
        entity: "enrolment",
        id: id.0,
        customer: Some(person),
        from: from.map(EnrolmentState::as_str),
        to: Some(to.as_str()),
        why: why.map(Ending::as_str),
        detail: None,
    };
    history::record(tx, cx, permit, change).await
}
