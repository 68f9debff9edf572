//! A firm's side of a class: its owner enrols several people at once, names seats later, swaps people, and answers for a
//! group that waits in line. Each is one transaction that holds the class and everybody concerned.

use super::{
    asks, courses, dues, group_letters,
    letters::Waited,
    make_ups,
    seats::{self, Consent, lock_of},
    store::{
        self, ClassRow, NewEnrolment, members,
        parties::{self, NewParty, NewUnnamed, PartyRow, PlaceRow},
    },
};
use crate::{
    access::{Act, Permit, Subject, Viewer},
    calendar::{
        domain::{Resource, Span},
        server::busy,
    },
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    jobs::{self, Job},
    server::{
        Cx, fresh,
        history::{self, Change},
        keys,
    },
    training::domain::{
        ClassState, Cost, Effect, Ending, EnrolmentState, Hindered, Hindrance, Refusal, Seated, Skipped, Wish,
        enrolment, party,
    },
    values::{ClassId, EnrolmentId, Money, OrganisationId, PartyId, PersonId},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A group as its owner wants it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    pub people: Vec<PersonId>,
    /// Seats that get their names later.
    pub unnamed: i64,
    pub wish: Wish,
    /// Whether those who find no seat wait in line.
    pub wait: bool,
}

impl Group {
    pub fn size(&self) -> i64 {
        i64::try_from(self.people.len()).unwrap_or(i64::MAX).saturating_add(self.unnamed)
    }
}

/// What became of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Enrolled {
    pub party: PartyId,
    pub seated: Seated,
}

/// Enrols several people of a firm at once. All that stands in the way of anybody is named, and then nobody is enrolled.
pub async fn enrol(
    cx: &Cx,
    class: ClassId,
    firm: OrganisationId,
    group: Group,
    consent: Consent,
) -> Result<Enrolled, AppError> {
    let owner = cx.person()?.id;
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, group, consent) = (cx.clone(), group.clone(), consent.clone());
            Box::pin(async move {
                let permit = cx.may(Act::EnrolGroup, &Subject::nobody().within(Some(firm)))?;
                let (scope, body) = (format!("enrol_group:{owner}"), format!("{class} {firm} {group:?}"));
                lock(tx, class, &group.people).await?;
                if let Some(answer) = keys::seen(tx, &scope, consent.key, &body).await?
                    && let Ok(enrolled) = serde_json::from_str(&answer)
                {
                    return Ok(enrolled);
                }
                let row = store::class(tx, class).await?;
                if row.state == ClassState::Draft {
                    return Err(AppError::NotFound);
                }
                let enrolled = enrol_in(tx, &cx, &permit, row, firm, &group, &consent).await?;
                let answer = serde_json::to_string(&enrolled).unwrap_or_default();
                keys::remember(tx, &scope, consent.key, &body, &answer).await?;
                Ok(enrolled)
            })
        })
        .await
}

/// The class, and the time of everybody who is to be in it.
async fn lock(tx: &mut Tx, class: ClassId, people: &[PersonId]) -> Result<(), AppError> {
    let mut keys = vec![lock_of(class)];
    keys.extend(people.iter().map(|person| Key::of("person", person.0)));
    tx.lock(&keys).await
}

async fn enrol_in(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    class: ClassRow,
    firm: OrganisationId,
    group: &Group,
    consent: &Consent,
) -> Result<Enrolled, AppError> {
    let owner = cx.person()?.id;
    let policy = class.policy();
    let seated = plan(tx, cx, &class, firm, group).await?;
    let costs = dues::firm_costs(tx, cx.today(), &class, firm, seated.booked).await?;
    agree(&class, &costs, consent)?;
    if seated.booked > 0 && !parties::take_seats(tx, permit, class.id, seated.booked, policy.is_frozen(cx.now)).await? {
        return Err(AppError::Busy);
    }
    let party = NewParty {
        id: fresh(),
        class: class.id,
        firm,
        owner,
        together: group.wish == Wish::Together,
        size: seated.booked + seated.waiting,
    };
    parties::insert_party(tx, permit, &party, cx.now).await?;
    let everybody = group.people.iter().copied().map(Some).chain(std::iter::repeat(None));
    for (n, person) in (0..seated.booked + seated.waiting).zip(everybody) {
        let state = if n < seated.booked { EnrolmentState::Booked } else { EnrolmentState::Waitlisted };
        let place = add(tx, cx, permit, &class, &party, person, state).await?;
        if let (EnrolmentState::Booked, Some(cost)) = (state, costs.get(usize::try_from(n).unwrap_or(usize::MAX))) {
            settle(tx, cx, &class, &party, &place, cost).await?;
        }
        record(tx, &cx.as_viewer(Viewer::System), &system(cx, Act::Enrol, person)?, &place, state, None).await?;
        if let Some(person) = person {
            group_letters::enrolled_by_firm(tx, cx, &class, firm, place.id, person, state).await?;
        }
    }
    let detail = serde_json::json!({ "booked": seated.booked, "waiting": seated.waiting, "left_out": seated.left_out });
    record_party(tx, cx, permit, party.id, owner, &detail.to_string()).await?;
    let row = parties::party(tx, party.id).await?;
    group_letters::told_owner(tx, cx, &class, &row, seated, &costs).await?;
    watch(tx, &class, &row, cx.now).await?;
    if seated.waiting > 0 {
        seats::pass_on(tx, cx, class.id).await?;
    }
    Ok(Enrolled { party: party.id, seated })
}

/// How the group would be seated now; refused with everything that stands in the way of anybody.
pub async fn plan(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    firm: OrganisationId,
    group: &Group,
) -> Result<Seated, AppError> {
    if group.size() == 0 {
        return Err(Faults::only("person", Fault::Required));
    }
    let members: BTreeMap<_, _> = parties::members(tx, firm).await?.into_iter().collect();
    if group.people.iter().any(|person| !members.contains_key(person)) {
        return Err(Faults::only("person", Fault::NotAChoice));
    }
    let policy = class.policy();
    enrolment::takes(class.state, &policy, cx.now)?;
    if group.unnamed > 0 && !policy.takes_unnamed(cx.now) {
        return Err(Refusal::NamesNeeded { since: policy.free_until() }.into());
    }
    let spans = seats::spans(tx, class.id).await?;
    let mut conflicts = Vec::new();
    for person in &group.people {
        let why = hindrance(tx, cx, class, firm, *person, &spans).await?;
        let name = members.get(person).cloned().unwrap_or_default();
        conflicts.extend(why.map(|why| Hindered { person: *person, name, why }));
    }
    if !conflicts.is_empty() {
        return Err(Refusal::Hindered { people: conflicts }.into());
    }
    Ok(party::seat(group.size(), group.wish, group.wait, class.state, &class.seats(), &policy, cx.now)?)
}

/// What the group would cost the firm at most, as its page says it.
pub async fn costs(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    firm: OrganisationId,
    seats: i64,
) -> Result<Vec<Cost>, AppError> {
    dues::firm_costs(tx, cx.today(), class, firm, seats).await
}

/// The sum that is charged; never more than was agreed to.
fn agree(class: &ClassRow, costs: &[Cost], consent: &Consent) -> Result<(), AppError> {
    let sum = costs.iter().map(Cost::minor).fold(0_i64, i64::saturating_add);
    match consent.agreed_minor {
        Some(agreed) if sum > agreed => Err(Refusal::PriceRose { price: Money::new(sum, class.price_currency) }.into()),
        _ => Ok(()),
    }
}

/// Why somebody cannot come.
async fn hindrance(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    firm: OrganisationId,
    person: PersonId,
    spans: &[Span],
) -> Result<Option<Hindrance>, AppError> {
    if store::active(tx, class.id, person).await?.is_some() {
        return Ok(Some(Hindrance::AlreadyIn));
    }
    if let Some(courses) = courses::lacks(tx, cx, class, person).await? {
        return Ok(Some(Hindrance::NeedsBefore { courses }));
    }
    elsewhere(tx, firm, person, spans).await
}

/// A class that the firm enrolled them in is named to its owner; what else somebody does is theirs.
async fn elsewhere(
    tx: &mut Tx,
    firm: OrganisationId,
    person: PersonId,
    spans: &[Span],
) -> Result<Option<Hindrance>, AppError> {
    let clash = busy::clashes(tx, Resource::Person(person), spans, None).await?.into_iter().next();
    let Some(clash) = clash else { return Ok(None) };
    let firms =
        clash.entity == "enrolment" && store::enrolment(tx, EnrolmentId(clash.id)).await?.organisation_id == Some(firm);
    Ok(Some(match firms {
        true => Hindrance::Class { title: clash.label },
        false => Hindrance::Occupied { from: clash.span.from },
    }))
}

async fn refuse_hindrance(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    firm: OrganisationId,
    person: PersonId,
    name: String,
) -> Result<(), AppError> {
    let spans = seats::spans(tx, class.id).await?;
    match hindrance(tx, cx, class, firm, person, &spans).await? {
        Some(why) => Err(Refusal::Hindered { people: vec![Hindered { person, name, why }] }.into()),
        None => Ok(()),
    }
}

/// Writes a place of a group down; seats have been taken from the class's counter already, places in line are drawn here.
async fn add(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    class: &ClassRow,
    party: &NewParty,
    person: Option<PersonId>,
    state: EnrolmentState,
) -> Result<PlaceRow, AppError> {
    let id: EnrolmentId = fresh();
    let queue_number = match state {
        EnrolmentState::Waitlisted => Some(store::join_line(tx, permit, class.id).await?.0),
        _ => None,
    };
    insert(tx, cx, permit, class, party, Place { id, person, state, queue_number, until: None }).await
}

/// A new place.
struct Place {
    id: EnrolmentId,
    person: Option<PersonId>,
    state: EnrolmentState,
    queue_number: Option<i64>,
    until: Option<DateTime<Utc>>,
}

async fn insert(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    class: &ClassRow,
    party: &NewParty,
    place: Place,
) -> Result<PlaceRow, AppError> {
    let Place { id, person, state, queue_number, until } = place;
    match person {
        Some(person) => {
            let new = NewEnrolment {
                id,
                class: class.id,
                person,
                organisation: Some(party.firm),
                state,
                queue_number,
                offered_until: until,
                price_currency: class.price_currency,
            };
            store::insert_enrolment(tx, permit, &new, cx.now).await?;
            parties::attach(tx, permit, id, party.id).await?;
        }
        None => {
            let new = NewUnnamed {
                id,
                party: party.id,
                class: class.id,
                state,
                queue_number,
                offered_until: until,
                currency: class.price_currency,
            };
            parties::insert_unnamed(tx, permit, &new, cx.now).await?;
        }
    }
    parties::place(tx, id).await
}

/// What a booked place brings along: the time of whoever has it, the allowance or the charge.
async fn settle(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &NewParty,
    place: &PlaceRow,
    cost: &Cost,
) -> Result<(), AppError> {
    let permit = system(cx, Act::Enrol, place.person_id)?;
    match place.person_id {
        Some(person) => {
            occupy(tx, class.id, person, place.id).await?;
            asks::answered(tx, cx, class, person).await?;
            store::set_cost(tx, &permit, place.id, cost.benefit(), cost.minor(), class.price_currency).await?;
        }
        None => {
            parties::set_unnamed_cost(tx, &permit, place.id, cost.benefit(), cost.minor(), class.price_currency)
                .await?;
        }
    }
    dues::take_for_firm(tx, place.id, party.owner, party.firm, cost, cx.now).await
}

async fn occupy(tx: &mut Tx, class: ClassId, person: PersonId, id: EnrolmentId) -> Result<(), AppError> {
    for span in seats::spans(tx, class).await? {
        busy::occupy(tx, Resource::Person(person), span, "enrolment", id.0).await?;
    }
    Ok(())
}

/// The times at which something happens to a group by itself.
async fn watch(tx: &mut Tx, class: &ClassRow, party: &PartyRow, now: DateTime<Utc>) -> Result<(), AppError> {
    let (policy, places) = (class.policy(), parties::places(tx, party.id).await?);
    if places.iter().any(|place| place.person_id.is_none()) {
        jobs::enqueue(tx, Job::ReturnSeats { class: class.id }, policy.free_until()).await?;
    }
    let waits = places.iter().any(|place| place.state == EnrolmentState::Waitlisted);
    if party.together && waits && policy.gathers(now) {
        jobs::enqueue(tx, Job::OpenLine { class: class.id }, policy.gathers_until()).await?;
    }
    Ok(())
}

/// After the class was moved or its cut-off changed: what happens by itself happens at the new times. The caller holds
/// the class.
pub async fn watch_again(tx: &mut Tx, class: ClassId, now: DateTime<Utc>) -> Result<(), AppError> {
    let class = store::class(tx, class).await?;
    for party in parties::parties(tx, class.id).await? {
        watch(tx, &class, &party, now).await?;
    }
    Ok(())
}

/// What is left of the offers to a group after its class was moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// Nothing was on offer.
    Nothing,
    /// So many seats, until then.
    Offers(usize, DateTime<Utc>),
    /// It was too late for them.
    Over,
}

/// After the class was moved: all that is on offer to a group, named or not, ends at one time, and not after the
/// waitlist of the class; where no time is left, the group leaves the line. The caller holds the class.
pub async fn moved(tx: &mut Tx, cx: &Cx, class: &ClassRow, party: &PartyRow) -> Result<Kept, AppError> {
    let mut offered = parties::places(tx, party.id).await?;
    offered.retain(|place| place.state == EnrolmentState::Offered);
    let last = offered.iter().filter_map(|place| place.offered_until).max();
    let (Some(first), Some(last)) = (offered.first(), last) else { return Ok(Kept::Nothing) };
    let policy = class.policy();
    let until = if last <= policy.freezes_at() { Some(last) } else { policy.offer_until(cx.now) };
    let Some(until) = until else {
        leave(tx, &cx.as_viewer(Viewer::System), party.id, Act::ExpireOffer, Ending::Expired).await?;
        return Ok(Kept::Over);
    };
    let permit = system(cx, Act::OfferSeat, None)?;
    parties::one_deadline(tx, &permit, party.id, until, cx.now).await?;
    for place in &offered {
        store::offered_under(tx, &permit, place.id, policy.freezes_at()).await?;
    }
    jobs::enqueue(tx, Job::ExpireOffer { enrolment: first.id }, until).await?;
    Ok(Kept::Offers(offered.len(), until))
}

/// The owner takes all that is offered to the group.
pub async fn accept(cx: &Cx, party: PartyId, consent: Consent) -> Result<(), AppError> {
    answer(cx, party, Act::AcceptGroup, consent, |tx, cx, permit, party, consent| {
        Box::pin(accept_in(tx, cx, permit, party, consent))
    })
    .await
}

/// The owner lets the offer go, and with it the group's place in line.
pub async fn decline(cx: &Cx, party: PartyId, consent: Consent) -> Result<(), AppError> {
    answer(cx, party, Act::DeclineGroup, consent, |tx, cx, permit, party, _| {
        Box::pin(async move {
            if !parties::places(tx, party.id).await?.iter().any(|place| place.state == EnrolmentState::Offered) {
                return Err(Refusal::NoOffer.into());
            }
            let system = cx.as_viewer(Viewer::System);
            let ended = leave(tx, &system, party.id, Act::DeclineOffer, Ending::Declined).await?;
            record_party(tx, cx, permit, party.id, party.owner_id, "{\"declined\":true}").await?;
            let class = store::class(tx, party.class_id).await?;
            group_letters::wait_over(tx, cx, &class, &party, &ended, None).await?;
            seats::pass_on(tx, cx, party.class_id).await
        })
    })
    .await
}

type Answer = for<'a> fn(
    &'a mut Tx,
    &'a Cx,
    &'a Permit,
    PartyRow,
    &'a Consent,
) -> futures::future::BoxFuture<'a, Result<(), AppError>>;

async fn answer(cx: &Cx, id: PartyId, act: Act, consent: Consent, step: Answer) -> Result<(), AppError> {
    let owner = cx.person()?.id;
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, consent) = (cx.clone(), consent.clone());
            Box::pin(async move {
                let party = parties::party(tx, id).await?;
                let permit = cx.may(act, &Subject::nobody().within(Some(party.organisation_id)))?;
                lock_places(tx, party.class_id, id).await?;
                let (scope, body) = (format!("{}:{owner}", act.as_str()), id.to_string());
                if keys::seen(tx, &scope, consent.key, &body).await?.is_some() {
                    return Ok(());
                }
                let party = parties::party(tx, id).await?;
                step(tx, &cx, &permit, party, &consent).await?;
                keys::remember(tx, &scope, consent.key, &body, "").await
            })
        })
        .await
}

/// The class and everybody of a group; should somebody have been swapped in between, it is tried again.
async fn lock_places(tx: &mut Tx, class: ClassId, party: PartyId) -> Result<(), AppError> {
    let people = |places: Vec<PlaceRow>| places.into_iter().filter_map(|place| place.person_id).collect::<Vec<_>>();
    let before = people(parties::places(tx, party).await?);
    lock(tx, class, &before).await?;
    let after = people(parties::places(tx, party).await?);
    if after.iter().all(|person| before.contains(person)) { Ok(()) } else { Err(AppError::Busy) }
}

async fn accept_in(tx: &mut Tx, cx: &Cx, permit: &Permit, party: PartyRow, consent: &Consent) -> Result<(), AppError> {
    let class = store::class(tx, party.class_id).await?;
    let mut places = parties::places(tx, party.id).await?;
    places.retain(|place| place.state == EnrolmentState::Offered);
    let first = places.first().ok_or(Refusal::NoOffer)?;
    let to = enrolment::accept(first.state, first.offered_until, cx.now)?;
    let spans = seats::spans(tx, class.id).await?;
    let mut conflicts = Vec::new();
    for place in &places {
        if let (Some(person), Some(name)) = (place.person_id, &place.person_name) {
            let why = match members::member(tx, party.organisation_id, person).await? {
                Some(_) => elsewhere(tx, party.organisation_id, person, &spans).await?,
                None => Some(Hindrance::Left),
            };
            conflicts.extend(why.map(|why| Hindered { person, name: name.clone(), why }));
        }
    }
    if !conflicts.is_empty() {
        return Err(Refusal::Hindered { people: conflicts }.into());
    }
    let seats = i64::try_from(places.len()).unwrap_or(i64::MAX);
    let costs = dues::firm_costs(tx, cx.today(), &class, party.organisation_id, seats).await?;
    agree(&class, &costs, consent)?;
    // Of several owners the one who says yes to the price owes it.
    let of = NewParty { owner: cx.person()?.id, ..as_new(&party) };
    for (place, cost) in places.iter().zip(&costs) {
        let own = system(cx, Act::AcceptOffer, place.person_id)?;
        parties::move_place(tx, &own, place, to, None, None, cx.now).await?;
        settle(tx, cx, &class, &of, place, cost).await?;
        record(tx, &cx.as_viewer(Viewer::System), &own, place, to, None).await?;
        if let Some(person) = place.person_id {
            group_letters::enrolled_by_firm(tx, cx, &class, party.organisation_id, place.id, person, to).await?;
        }
    }
    record_party(tx, cx, permit, party.id, party.owner_id, &serde_json::json!({ "booked": seats }).to_string()).await?;
    let seated = Seated { booked: seats, ..Seated::default() };
    group_letters::accepted(tx, cx, &class, &party, first.id, seated, &costs).await
}

fn as_new(party: &PartyRow) -> NewParty {
    NewParty {
        id: party.id,
        class: party.class_id,
        firm: party.organisation_id,
        owner: party.owner_id,
        together: party.together,
        size: party.size,
    }
}

/// Somebody of a group goes on without it, in this class or in another: the seat stays the firm's, whose owner can still
/// swap it or give it back.
pub async fn part(
    tx: &mut Tx,
    cx: &Cx,
    party: &PartyRow,
    seat: EnrolmentId,
    class: ClassId,
) -> Result<PartyRow, AppError> {
    let permit = system(cx, Act::Enrol, None)?;
    let new = NewParty { id: fresh(), class, size: 1, ..as_new(party) };
    parties::insert_party(tx, &permit, &new, cx.now).await?;
    let detail = serde_json::json!({ "parted_from": party.id }).to_string();
    record_party(tx, &cx.as_viewer(Viewer::System), &permit, new.id, new.owner, &detail).await?;
    parties::attach(tx, &permit, seat, new.id).await?;
    parties::party(tx, new.id).await
}

/// Somebody no longer belongs to a firm, which therefore waits for no seat for them any more. What it booked stays. The
/// caller holds the person and the classes of `places`.
pub async fn member_left(
    tx: &mut Tx,
    cx: &Cx,
    firm: OrganisationId,
    person: PersonId,
    places: &[PlaceRow],
) -> Result<(), AppError> {
    let system = cx.as_viewer(Viewer::System);
    let permit = self::system(cx, Act::CancelEnrolment, Some(person))?;
    let (to, why) = (EnrolmentState::Cancelled, Ending::Cancelled);
    for place in places {
        let class = store::class(tx, place.class_id).await?;
        let party = parties::party(tx, place.party_id.ok_or(AppError::NotFound)?).await?;
        parties::move_place(tx, &permit, place, to, None, Some(why), cx.now).await?;
        record(tx, &system, &permit, place, to, Some(why)).await?;
        group_letters::no_longer_waits(tx, cx, &class, firm, place.id, person).await?;
        group_letters::member_left(tx, cx, &class, &party, place).await?;
        seats::pass_on(tx, cx, class.id).await?;
    }
    Ok(())
}

/// A group leaves the line with all that is offered to it; whoever of it has a seat keeps it. Gives the places that ended,
/// so that those concerned can be told. The caller holds the class.
pub async fn leave(tx: &mut Tx, system: &Cx, party: PartyId, act: Act, why: Ending) -> Result<Vec<PlaceRow>, AppError> {
    let row = parties::party(tx, party).await?;
    let to = EnrolmentState::Cancelled;
    let mut places = parties::places(tx, party).await?;
    places.retain(|place| place.state != EnrolmentState::Booked);
    for place in &places {
        let permit = self::system(system, act, place.person_id)?;
        parties::move_place(tx, &permit, place, to, None, Some(why), system.now).await?;
        record(tx, system, &permit, place, to, Some(why)).await?;
        if let Some(person) = place.person_id {
            asks::answered_instead(tx, system, row.class_id, None, person).await?;
        }
    }
    let permit = self::system(system, Act::ExpireOffer, None)?;
    parties::gather(tx, &permit, &row, 0).await?;
    Ok(places)
}

/// The offer to a group was not answered in time: it leaves the line, and all concerned are told. The caller holds the
/// class.
pub async fn expire(tx: &mut Tx, system: &Cx, class: &ClassRow, party: PartyId) -> Result<(), AppError> {
    let ended = leave(tx, system, party, Act::ExpireOffer, Ending::Expired).await?;
    let party = parties::party(tx, party).await?;
    group_letters::wait_over(tx, system, class, &party, &ended, Some(Waited::Expired)).await
}

/// Frees what is held for groups whose time of gathering is over, or that wait no longer; says whether there was any.
pub async fn release(tx: &mut Tx, cx: &Cx, permit: &Permit, class: &ClassRow, gathers: bool) -> Result<bool, AppError> {
    let mut any = false;
    for party in parties::gathering(tx, class.id).await? {
        let places = parties::places(tx, party.id).await?;
        let waits = places.iter().filter(|place| place.state == EnrolmentState::Waitlisted).count();
        if gathers && waits > 0 {
            continue;
        }
        if waits > 0 {
            let needed = i64::try_from(waits).unwrap_or(i64::MAX);
            let skip =
                parties::NewSkip { party: party.id, reason: Skipped::GatheringEnded, needed, free: party.gathered };
            parties::insert_skip(tx, permit, class.id, skip, None, cx.now).await?;
        }
        parties::gather(tx, permit, &party, 0).await?;
        any = true;
    }
    Ok(any)
}

/// Gives a seat, or a place in line, its name. It keeps all that it has: its place, its allowance, its price.
pub async fn name(cx: &Cx, seat: EnrolmentId, person: PersonId) -> Result<(), AppError> {
    rename(cx, seat, person, Act::NameSeat).await
}

/// Somebody else of the firm takes a place over as it stands. Both are told.
pub async fn swap(cx: &Cx, from: EnrolmentId, person: PersonId) -> Result<(), AppError> {
    rename(cx, from, person, Act::SwapSeat).await
}

async fn rename(cx: &Cx, seat: EnrolmentId, person: PersonId, act: Act) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let before = parties::place(tx, seat).await?;
                let mut people = vec![person];
                people.extend(before.person_id);
                lock(tx, before.class_id, &people).await?;
                let place = parties::place(tx, seat).await?;
                let party = parties::party(tx, place.party_id.ok_or(Refusal::NoSuchSeat)?).await?;
                let permit = cx.may(act, &Subject::nobody().within(Some(party.organisation_id)))?;
                // A second tap finds it done.
                if place.person_id == Some(person) {
                    return Ok(());
                }
                if !place.state.is_active() || place.person_id.is_some() != (act == Act::SwapSeat) {
                    return Err(Refusal::NoSuchSeat.into());
                }
                rename_in(tx, &cx, &permit, &party, place, person).await
            })
        })
        .await
}

async fn rename_in(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    party: &PartyRow,
    place: PlaceRow,
    person: PersonId,
) -> Result<(), AppError> {
    let class = store::class(tx, place.class_id).await?;
    party::renames(class.state, &class.policy(), cx.now)?;
    let members = parties::members(tx, party.organisation_id).await?;
    let name = members.into_iter().find(|(id, _)| *id == person).map(|(_, name)| name);
    let name = name.ok_or_else(|| Faults::only("person", Fault::NotAChoice))?;
    refuse_hindrance(tx, cx, &class, party.organisation_id, person, name.clone()).await?;
    make_ups::refuse_used(tx, place.id).await?;
    let new = if place.person_id.is_some() { fresh() } else { place.id };
    parties::hand_over(tx, permit, &place, new, person, party.organisation_id, cx.now).await?;
    if let Some(from) = place.person_id {
        busy::free(tx, "enrolment", place.id.0).await?;
        make_ups::seat_ended(tx, cx, place.id).await?;
        dues::carry_over(tx, place.id, new).await?;
        let (system, own) = (cx.as_viewer(Viewer::System), system(cx, Act::CancelEnrolment, Some(from))?);
        record(tx, &system, &own, &place, EnrolmentState::Cancelled, Some(Ending::Cancelled)).await?;
        group_letters::given_back(tx, cx, &class, party.organisation_id, place.id, from).await?;
    }
    if place.state == EnrolmentState::Booked {
        occupy(tx, class.id, person, new).await?;
        asks::answered(tx, cx, &class, person).await?;
    }
    let detail = serde_json::json!({ "seat": place.id, "from": place.person_id }).to_string();
    let change = Change {
        entity: "enrolment",
        id: new.0,
        customer: Some(person),
        from: None,
        to: Some(place.state.as_str()),
        why: None,
        detail: Some(&detail),
    };
    history::record(tx, cx, permit, change).await?;
    group_letters::enrolled_by_firm(tx, cx, &class, party.organisation_id, new, person, place.state).await?;
    group_letters::named(tx, cx, &class, party, new, &name, place.person_name.as_deref()).await
}

/// The owner gives a seat, an offer or a place in line back, named or not.
pub async fn give_back(cx: &Cx, seat: EnrolmentId) -> Result<EnrolmentState, AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let class = parties::place(tx, seat).await?.class_id;
                tx.lock(&[lock_of(class)]).await?;
                let place = parties::place(tx, seat).await?;
                let party = parties::party(tx, place.party_id.ok_or(Refusal::NoSuchSeat)?).await?;
                let firm = Subject { person: place.person_id, ..Subject::nobody() }.within(Some(party.organisation_id));
                let permit = cx.may(Act::CancelEnrolment, &firm)?;
                if !place.state.is_active() {
                    return Ok(place.state);
                }
                let class = store::class(tx, class).await?;
                let to = enrolment::cancel(place.state, &class.policy(), cx.now)?;
                make_ups::refuse_used(tx, place.id).await?;
                end(tx, &cx, &permit, &place, to).await?;
                record(tx, &cx, &permit, &place, to, Some(Ending::Cancelled)).await?;
                if let Some(person) = place.person_id {
                    group_letters::given_back(tx, &cx, &class, party.organisation_id, place.id, person).await?;
                }
                seats::pass_on(tx, &cx, class.id).await?;
                Ok(to)
            })
        })
        .await
}

/// Ends a place with all that it has.
async fn end(tx: &mut Tx, cx: &Cx, permit: &Permit, place: &PlaceRow, to: EnrolmentState) -> Result<(), AppError> {
    let late = store::class(tx, place.class_id).await?.policy().terms.late_cancel;
    // A seat without a name has no late ending of its own: what it costs says the ledger.
    let stored = if place.person_id.is_some() { to } else { EnrolmentState::Cancelled };
    parties::move_place(tx, permit, place, stored, None, Some(Ending::Cancelled), cx.now).await?;
    busy::free(tx, "enrolment", place.id.0).await?;
    make_ups::seat_ended(tx, cx, place.id).await?;
    match (place.state, to) {
        (EnrolmentState::Booked, EnrolmentState::CancelledLate) if late == Effect::Spent => {
            dues::spend(tx, place.id, cx.now).await
        }
        (EnrolmentState::Booked, _) => dues::give_back(tx, place.id, cx.now).await,
        _ => Ok(()),
    }
}

/// The cut-off has come: seats that have no name are given back, and their owners told. Run by a job.
pub async fn return_seats(cx: &Cx, class: ClassId) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                tx.lock(&[lock_of(class)]).await?;
                let row = store::class(tx, class).await?;
                let mut of_party: BTreeMap<PartyId, Vec<PlaceRow>> = BTreeMap::new();
                for place in parties::unnamed(tx, class).await? {
                    of_party.entry(place.party_id.ok_or(AppError::NotFound)?).or_default().push(place);
                }
                // The class was moved meanwhile: another job comes at the new time.
                if of_party.is_empty() || row.policy().takes_unnamed(cx.now) {
                    return Ok(());
                }
                for (party, places) in of_party {
                    let party = parties::party(tx, party).await?;
                    let permit = cx.may(Act::ReturnSeat, &Subject::nobody().within(Some(party.organisation_id)))?;
                    for place in &places {
                        end(tx, &cx, &permit, place, EnrolmentState::Cancelled).await?;
                    }
                    let detail = serde_json::json!({ "returned": places.len() }).to_string();
                    record_party(tx, &cx, &permit, party.id, party.owner_id, &detail).await?;
                    group_letters::returned(tx, &cx, &row, &party, places.len()).await?;
                }
                seats::pass_on(tx, &cx, class).await
            })
        })
        .await
}

/// 72 hours before the start, or once the waitlist closes, nothing is gathered any more: the line is served anew. Run by
/// a job.
pub async fn open_line(cx: &Cx, class: ClassId) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                tx.lock(&[lock_of(class)]).await?;
                seats::pass_on(tx, &cx, class).await
            })
        })
        .await
}

/// What groups still hold or wait for ends with the line. The caller holds the class.
pub async fn end_line(tx: &mut Tx, system: &Cx, class: &ClassRow) -> Result<(), AppError> {
    for party in parties::parties(tx, class.id).await? {
        let ended = leave(tx, system, party.id, Act::ExpireOffer, Ending::Expired).await?;
        group_letters::wait_over(tx, system, class, &party, &ended, Some(Waited::Begun)).await?;
    }
    Ok(())
}

/// The class does not take place: seats without a name are given back, and nothing is gathered any more. The caller holds
/// the class.
pub async fn end_with_class(tx: &mut Tx, cx: &Cx, before: &[(PartyRow, Vec<PlaceRow>)]) -> Result<(), AppError> {
    let system = cx.as_viewer(Viewer::System);
    for (party, places) in before {
        let permit = self::system(cx, Act::CancelEnrolment, None)?;
        for place in places.iter().filter(|place| place.person_id.is_none()) {
            end(tx, &system, &permit, place, EnrolmentState::Cancelled).await?;
            let to = EnrolmentState::Cancelled;
            record(tx, &system, &permit, place, to, Some(Ending::ClassCancelled)).await?;
        }
        let now = parties::party(tx, party.id).await?;
        parties::gather(tx, &permit, &now, 0).await?;
    }
    Ok(())
}

/// Holds seats for a group whose class does not take place, in the first of the later classes into which all of it fits,
/// and tells its owner. The caller holds all of them and has ended `places`, which it had.
pub async fn offer_instead(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    why: &str,
    later: &mut [ClassRow],
    party: PartyRow,
    places: Vec<PlaceRow>,
) -> Result<(), AppError> {
    if places.is_empty() {
        return Ok(());
    }
    let system = cx.as_viewer(Viewer::System);
    let (mut of_firm, mut gone) = (Vec::new(), Vec::new());
    for place in places {
        match place.person_id {
            Some(person) if members::member(tx, party.organisation_id, person).await?.is_none() => {
                gone.extend(place.person_name);
            }
            _ => of_firm.push(place),
        }
    }
    let (size, mut offer) = (i64::try_from(of_firm.len()).unwrap_or(i64::MAX), None);
    for next in later.iter_mut().filter(|next| size > 0 && next.seats().free() >= size) {
        if let Some(until) = offer_elsewhere(tx, &system, next, &party, &of_firm).await? {
            next.held += size;
            offer = Some((&*next, until));
            break;
        }
    }
    group_letters::class_cancelled(tx, cx, class, &party, why, offer, gone).await
}

/// The groups of a class with all that they have.
pub async fn of_class(tx: &mut Tx, class: ClassId) -> Result<Vec<(PartyRow, Vec<PlaceRow>)>, AppError> {
    let mut all = Vec::new();
    for party in parties::parties(tx, class).await? {
        let places = parties::places(tx, party.id).await?;
        all.push((party, places));
    }
    Ok(all)
}

/// Holds seats in another class for a whole group, apart from whoever left the firm, if everybody can come and nobody's place there was given up before.
async fn offer_elsewhere(
    tx: &mut Tx,
    system: &Cx,
    next: &ClassRow,
    party: &PartyRow,
    places: &[PlaceRow],
) -> Result<Option<DateTime<Utc>>, AppError> {
    let Some(until) = next.policy().offer_until(system.now) else { return Ok(None) };
    let people: Vec<PersonId> = places.iter().filter_map(|place| place.person_id).collect();
    let spans = seats::spans(tx, next.id).await?;
    for person in &people {
        if hindrance(tx, system, next, party.organisation_id, *person, &spans).await?.is_some()
            || store::gave_up(tx, next.id, *person).await?
        {
            return Ok(None);
        }
    }
    let size = i64::try_from(places.len()).unwrap_or(i64::MAX);
    let permit = self::system(system, Act::OfferSeat, None)?;
    if (people.len() < places.len() && !next.policy().takes_unnamed(system.now))
        || !parties::hold_seats(tx, &permit, next.id, size).await?
    {
        return Ok(None);
    }
    let new = NewParty { id: fresh(), class: next.id, size, ..as_new(party) };
    parties::insert_party(tx, &permit, &new, system.now).await?;
    record_party(tx, system, &permit, new.id, new.owner, &serde_json::json!({ "offered": size }).to_string()).await?;
    let mut first = None;
    for old in places {
        let permit = self::system(system, Act::OfferSeat, old.person_id)?;
        let state = EnrolmentState::Offered;
        let place = Place { id: fresh(), person: old.person_id, state, queue_number: None, until: Some(until) };
        let place = insert(tx, system, &permit, next, &new, place).await?;
        store::offered_under(tx, &permit, place.id, next.policy().freezes_at()).await?;
        record(tx, system, &permit, &place, state, None).await?;
        first = first.or(Some(place.id));
    }
    if let Some(enrolment) = first {
        jobs::enqueue(tx, Job::ExpireOffer { enrolment }, until).await?;
    }
    let row = parties::party(tx, new.id).await?;
    watch(tx, next, &row, system.now).await?;
    Ok(Some(until))
}

/// What the portal itself does to one place, as part of somebody's act on the group.
fn system(cx: &Cx, act: Act, person: Option<PersonId>) -> Result<Permit, AppError> {
    cx.as_viewer(Viewer::System).may(act, &person.map_or(Subject::nobody(), Subject::of))
}

/// The line that a place leaves in the history.
pub async fn record(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    place: &PlaceRow,
    to: EnrolmentState,
    why: Option<Ending>,
) -> Result<(), AppError> {
    let change = Change {
        entity: place.entity(),
        id: place.id.0,
        customer: place.person_id,
        from: (place.state != to).then(|| place.state.as_str()),
        to: Some(to.as_str()),
        why: why.map(Ending::as_str),
        detail: None,
    };
    history::record(tx, cx, permit, change).await
}

/// The one line that an act on a whole group leaves.
async fn record_party(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    party: PartyId,
    owner: PersonId,
    detail: &str,
) -> Result<(), AppError> {
    let change =
        Change { entity: "party", id: party.0, customer: Some(owner), detail: Some(detail), ..Change::default() };
    history::record(tx, cx, permit, change).await
}
