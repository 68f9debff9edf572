//! Seats that staff give: to somebody who stands in the door, to somebody from another class of the course, to somebody
//! from the middle of the line; and those that they give back for somebody. Each is one transaction that holds the classes and the person.

use super::{
    asks, conflicts, dues, group_letters, groups,
    invitations::{self, Seat},
    letters::{self, About, TrainingLetter},
    make_ups,
    seats::{self, lock_of, spans},
    store::{
        self, ClassRow, NewEnrolment, SessionRow,
        parties::{self, PartyRow, PlaceRow},
    },
};
use crate::{
    access::{Act, Permit, Person, Subject},
    calendar::{
        domain::{Resource, Span},
        server::busy,
    },
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    people::server::store::{self as people, NewPerson, PersonRow},
    server::{
        Cx, fresh,
        history::{self, Change},
        keys,
    },
    training::domain::{Cost, Ending, EnrolmentState, Refusal, class, teaching},
    values::{ClassId, EmailAddress, EnrolmentId, PersonId},
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Somebody who stands in the door.
#[derive(Clone, Debug)]
pub struct WalkIn {
    pub email: EmailAddress,
    /// Needed for whoever is new.
    pub name: String,
    /// The price that they agreed to where no plan pays, in minor units.
    pub agreed: Option<i64>,
}

/// Seats somebody, known or new. The same key again gives the same seat.
pub async fn walk_in(cx: &Cx, class: ClassId, who: WalkIn, key: Option<Uuid>) -> Result<EnrolmentId, AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, who) = (cx.clone(), who.clone());
            Box::pin(async move {
                let (scope, body) = (format!("walk_in:{}", cx.person()?.id), format!("{class} {who:?}"));
                tx.lock(&[lock_of(class)]).await?;
                if let Some(answer) = keys::seen(tx, &scope, key, &body).await?
                    && let Ok(id) = answer.parse()
                {
                    return Ok(id);
                }
                let id = walk_in_in(tx, &cx, class, who).await?;
                keys::remember(tx, &scope, key, &body, &id.to_string()).await?;
                Ok(id)
            })
        })
        .await
}

async fn walk_in_in(tx: &mut Tx, cx: &Cx, id: ClassId, who: WalkIn) -> Result<EnrolmentId, AppError> {
    let class = store::class(tx, id).await?;
    let permit = cx.may(Act::AddWalkIn, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
    teaching::walk_in(class.state, &class.seats(), &class.policy(), class.ends_at, cx.now)?;
    let person = match people::by_email(tx, &who.email).await? {
        Some(row) => row.id,
        None if who.name.is_empty() => return Err(Faults::only("name", Fault::Required)),
        None => {
            let new = NewPerson { email: Some(who.email), name: who.name, ..NewPerson::default() };
            people::insert(tx, &permit, &new, cx.now).await?
        }
    };
    tx.lock(&[Key::of("person", person.0)]).await?;
    let row = people::by_id(tx, person).await?.ok_or(AppError::NotFound)?;
    if store::active(tx, id, person).await?.is_some() {
        return Err(Refusal::HasPlace { name: row.name }.into());
    }
    let mut spans = spans(tx, id).await?;
    // Where they were while the class began without them is nobody's business any more.
    spans.retain(|span| cx.now < span.until);
    refuse_clash(tx, cx, (person, &row.name), &spans, None).await?;
    let cost = cost(tx, cx, &class, row, who.agreed).await?;
    if !store::take_seat_in_room(tx, &permit, id).await? {
        return Err(Refusal::NoSeat.into());
    }
    let seat: EnrolmentId = fresh();
    let new = NewEnrolment {
        id: seat,
        class: id,
        person,
        organisation: None,
        state: EnrolmentState::Booked,
        queue_number: None,
        offered_until: None,
        price_currency: class.price_currency,
    };
    store::insert_enrolment(tx, &permit, &new, cx.now).await?;
    book(tx, cx, &permit, Seat { class: &class, id: seat, person }, &spans, &cost).await?;
    record(tx, cx, &permit, seat, person, None, None).await?;
    letters::booked(tx, cx, &class, seat, person, &cost).await?;
    Ok(seat)
}

/// Carries a seat into another class of the course: what pays for it stays, both trainers' lists are right, the learner
/// is told. Doing it twice is doing it once.
pub async fn carry(cx: &Cx, from: ClassId, seat: EnrolmentId, to: ClassId, why: String) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, why) = (cx.clone(), why.clone());
            Box::pin(async move {
                let person = store::enrolment(tx, seat).await?.person_id;
                tx.lock(&[lock_of(from), lock_of(to), Key::of("person", person.0)]).await?;
                let old = store::class(tx, from).await?;
                let permit = cx.may(Act::MoveSeat, &Subject::nobody().assigned_to(Some(old.trainer_id)))?;
                let row = store::enrolment(tx, seat).await?;
                if row.class_id == to && row.state == EnrolmentState::Booked {
                    return Ok(());
                }
                if row.class_id != from || row.state != EnrolmentState::Booked {
                    return Err(AppError::NotFound);
                }
                if old.policy().has_started(cx.now) {
                    return Err(Refusal::Started { at: old.starts_at }.into());
                }
                // What is to be made up of it, perhaps in that very class, neither takes a chair nor their time any more.
                make_ups::seat_ended(tx, &cx, seat).await?;
                let new = store::class(tx, to).await?;
                if old.course_id != new.course_id || old.id == new.id {
                    return Err(Refusal::OtherCourse.into());
                }
                teaching::move_in(new.state, &new.seats(), &new.policy(), cx.now)?;
                if store::active(tx, to, person).await?.is_some() {
                    return Err(Refusal::HasPlace { name: row.person_name }.into());
                }
                let spans = spans(tx, to).await?;
                refuse_clash(tx, &cx, (person, &row.person_name), &spans, Some(seat)).await?;
                if !store::take_seat(tx, &permit, to, new.policy().is_frozen(cx.now)).await? {
                    return Err(Refusal::NoSeat.into());
                }
                let before = store::sessions(tx, from).await?;
                store::carry_seat(tx, &permit, &row, to, cx.now).await?;
                // A group stays in its class; what the firm pays for stays the firm's, in the new class too.
                let party = match row.party_id {
                    Some(party) => Some(parties::party(tx, party).await?),
                    None => None,
                };
                if let Some(party) = &party {
                    let part = groups::part(tx, &cx, party, seat, to).await?;
                    let before = (old.starts_at, old.tz());
                    group_letters::carried(tx, &cx, &new, &part, &row.person_name, before).await?;
                }
                busy::free(tx, "enrolment", seat.0).await?;
                occupy(tx, person, seat, &spans).await?;
                asks::answered(tx, &cx, &new, person).await?;
                let detail = serde_json::json!({ "from": from, "to": to }).to_string();
                record(tx, &cx, &permit, seat, person, Some(&why), Some(&detail)).await?;
                tell_moved(tx, &cx, &old, &before, Seat { class: &new, id: seat, person }, &row.person_name, &why)
                    .await?;
                seats::pass_on(tx, &cx, from).await
            })
        })
        .await
}

async fn tell_moved(
    tx: &mut Tx,
    cx: &Cx,
    old: &ClassRow,
    before: &[SessionRow],
    seat: Seat<'_>,
    name: &str,
    why: &str,
) -> Result<(), AppError> {
    let (class, once) = (seat.class, format!("seat_moved:{}:{}", seat.id, fresh::<Uuid>()));
    let letter = TrainingLetter::SeatMoved {
        about: About::of(cx, class),
        before: (old.starts_at, old.tz()),
        why: why.to_owned(),
    };
    let sessions = store::sessions(tx, class.id).await?;
    invitations::request(tx, cx, seat, &sessions, letter, &once).await?;
    invitations::cancel(tx, cx, Seat { class: old, ..seat }, before, None, &format!("{once}:before")).await?;
    if cx.viewer.person().is_none_or(|viewer| viewer.id != class.trainer_id) {
        let about = About { link: cx.app.config.address(&class.desk_path()), ..About::of(cx, class) };
        let letter = TrainingLetter::MovedIn { about, name: name.to_owned(), why: why.to_owned() };
        letters::send(tx, cx, class.trainer_id, letter, &format!("{once}:trainer")).await?;
    }
    Ok(())
}

/// How somebody is seated from the line.
#[derive(Clone, Debug)]
pub struct Promotion {
    /// Needed where others are passed over.
    pub why: String,
    /// One chair more, where all are taken.
    pub one_more: bool,
    /// As of [`WalkIn`].
    pub agreed: Option<i64>,
}

/// Seats somebody who waits. Whoever is passed over is noted with the reason, and reads it.
pub async fn promote(cx: &Cx, class: ClassId, seat: EnrolmentId, how: Promotion) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, how) = (cx.clone(), how.clone());
            Box::pin(async move {
                let person = store::enrolment(tx, seat).await?.person_id;
                tx.lock(&[lock_of(class), Key::of("person", person.0)]).await?;
                promote_in(tx, &cx, class, seat, how).await
            })
        })
        .await
}

async fn promote_in(tx: &mut Tx, cx: &Cx, id: ClassId, seat: EnrolmentId, how: Promotion) -> Result<(), AppError> {
    let class = store::class(tx, id).await?;
    let permit = cx.may(Act::PromoteSeat, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
    let row = store::enrolment(tx, seat).await?;
    match (row.class_id == id, row.state) {
        (true, EnrolmentState::Waitlisted) => {}
        // A second tap.
        (true, EnrolmentState::Booked) => return Ok(()),
        _ => return Err(AppError::NotFound),
    }
    let passed_over = parties::before(tx, id, row.queue_number.unwrap_or(0)).await?;
    if !passed_over.is_empty() && how.why.is_empty() {
        return Err(Faults::only("why", Fault::Required));
    }
    if teaching::promote(class.state, &class.seats(), &class.policy(), how.one_more, cx.now)? {
        // Whoever makes the room smaller holds it.
        if let Some(room) = class.room_id {
            busy::lock(tx, &[Resource::Room(room)]).await?;
        }
        let class = store::class(tx, id).await?;
        let room = class.room_name.zip(class.room_seats);
        class::fits(class.capacity + 1, room.as_ref())?;
        store::add_chair(tx, &permit, id, cx.now).await?;
    }
    let spans = spans(tx, id).await?;
    refuse_clash(tx, cx, (row.person_id, &row.person_name), &spans, None).await?;
    let party = match row.party_id {
        Some(party) => Some(parties::party(tx, party).await?),
        None => None,
    };
    let cost = match &party {
        // What a firm waits for, the firm pays.
        Some(party) => agreed(firm_cost(tx, cx, &class, party).await?, how.agreed)?,
        None => {
            let learner = people::by_id(tx, row.person_id).await?.ok_or(AppError::NotFound)?;
            cost(tx, cx, &class, learner, how.agreed).await?
        }
    };
    if !store::take_seat(tx, &permit, id, true).await? {
        return Err(Refusal::NoSeat.into());
    }
    store::seat_from_line(tx, &permit, &row, cx.now).await?;
    skip(tx, cx, &permit, &passed_over, seat, &how.why).await?;
    let to = Seat { class: &class, id: seat, person: row.person_id };
    match &party {
        Some(party) => {
            // Who is seated alone leaves the group that still waits together.
            let party = if party.together { groups::part(tx, cx, party, seat, id).await? } else { party.clone() };
            take_time(tx, &permit, to, &spans, &cost).await?;
            dues::take_for_firm(tx, seat, party.owner_id, party.organisation_id, &cost, cx.now).await?;
            asks::answered(tx, cx, &class, row.person_id).await?;
            let firm = party.organisation_id;
            let state = EnrolmentState::Booked;
            group_letters::enrolled_by_firm(tx, cx, &class, firm, seat, row.person_id, state).await?;
            group_letters::promoted(tx, cx, &class, &party, &row, &cost).await?;
        }
        None => {
            book(tx, cx, &permit, to, &spans, &cost).await?;
            letters::booked(tx, cx, &class, seat, row.person_id, &cost).await?;
        }
    }
    let why = Some(how.why.as_str()).filter(|why| !why.is_empty());
    record(tx, cx, &permit, seat, row.person_id, why, None).await?;
    // What was gathered for a group may suffice for the rest of it.
    seats::pass_on(tx, cx, id).await
}

/// Notes whoever was passed over: each person, and each group once for its seats that have no name yet.
async fn skip(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    passed_over: &[PlaceRow],
    seated: EnrolmentId,
    why: &str,
) -> Result<(), AppError> {
    let by = cx.person()?.id;
    let mut unnamed = BTreeSet::new();
    for place in passed_over {
        let named = place.person_id.map(|_| place.id);
        if named.is_some() || place.party_id.is_some_and(|party| unnamed.insert(party)) {
            let (class, party) = (place.class_id, place.party_id);
            store::insert_seat_skip(tx, permit, class, named, party, seated, why, by, cx.now).await?;
        }
    }
    Ok(())
}

/// What one seat more costs a firm.
async fn firm_cost(tx: &mut Tx, cx: &Cx, class: &ClassRow, party: &PartyRow) -> Result<Cost, AppError> {
    let costs = dues::firm_costs(tx, cx.today(), class, party.organisation_id, 1).await?;
    costs.into_iter().next().ok_or(AppError::NotFound)
}

/// A price that nobody agreed to is not charged, nor one that rose since the form was shown.
fn agreed(cost: Cost, agreed: Option<i64>) -> Result<Cost, AppError> {
    match (&cost, agreed) {
        (Cost::Pays { .. }, None) => Err(Faults::only("agreed", Fault::Required)),
        (Cost::Pays { price, .. }, Some(agreed)) if price.minor > agreed => {
            Err(Refusal::PriceRose { price: *price }.into())
        }
        _ => Ok(cost),
    }
}

/// Somebody's place in a class, as staff ask whether they may give it back.
pub fn seat_of(person: PersonId, class: &ClassRow) -> Subject {
    Subject::of(person).assigned_to(Some(class.trainer_id))
}

/// Gives somebody's seat, offer or place in line back for them: free of charge until the class begins, with a reason or
/// without. Whoever has a place themselves gives it back on its page. Doing it twice is doing it once.
pub async fn give_back(cx: &Cx, class: ClassId, seat: EnrolmentId, why: String) -> Result<(), AppError> {
    let by = cx.person()?.id;
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, why) = (cx.clone(), why.clone());
            Box::pin(async move {
                let person = store::enrolment(tx, seat).await?.person_id;
                tx.lock(&[lock_of(class), Key::of("person", person.0)]).await?;
                let class = store::class(tx, class).await?;
                let permit = cx.may(Act::CancelEnrolment, &seat_of(person, &class))?;
                let row = store::enrolment(tx, seat).await?;
                if row.class_id != class.id || by == person {
                    return Err(AppError::NotFound);
                }
                if !row.state.is_active() {
                    return Ok(());
                }
                let to = seats::end(tx, &cx, &permit, &class, &row).await?;
                let change = Change {
                    entity: "enrolment",
                    id: seat.0,
                    customer: Some(person),
                    from: Some(row.state.as_str()),
                    to: Some(to.as_str()),
                    why: Some(if why.is_empty() { Ending::Cancelled.as_str() } else { why.as_str() }),
                    detail: None,
                };
                history::record(tx, &cx, &permit, change).await?;
                letters::given_back(tx, &cx, &class, &row, &why).await?;
                if row.state == EnrolmentState::Offered {
                    asks::answered_instead(tx, &cx, class.id, None, person).await?;
                }
                // Whoever pays for it hears of it too.
                if let Some(party) = row.party_id {
                    let party = parties::party(tx, party).await?;
                    group_letters::staff_gave_back(tx, &cx, &class, &party, &row).await?;
                }
                seats::pass_on(tx, &cx, class.id).await
            })
        })
        .await
}

/// Refuses to seat somebody who is elsewhere then, apart from a seat that is given up for it. Where that is, staff read
/// of their own classes alone.
async fn refuse_clash(
    tx: &mut Tx,
    cx: &Cx,
    (person, name): (PersonId, &str),
    spans: &[Span],
    except: Option<EnrolmentId>,
) -> Result<(), AppError> {
    let except = except.map(|seat| ("enrolment", seat.0));
    let clash = busy::clashes(tx, Resource::Person(person), spans, except).await?.into_iter().next();
    let Some(clash) = clash else { return Ok(()) };
    let with = if conflicts::may_name(tx, cx, &clash).await? { clash.label } else { String::new() };
    Err(Refusal::LearnerElsewhere { name: name.to_owned(), with, from: clash.span.from }.into())
}

/// What the seat costs whoever gets it, and that they know.
async fn cost(tx: &mut Tx, cx: &Cx, class: &ClassRow, row: PersonRow, agreed: Option<i64>) -> Result<Cost, AppError> {
    let Some(email) = row.email else { return Err(Faults::only("email", Fault::Required)) };
    let person = Person {
        id: row.id,
        name: row.name,
        email,
        language: row.language,
        zone: row.zone,
        roles: BTreeSet::new(),
        memberships: store::firms(tx, row.id).await?,
    };
    self::agreed(dues::cost(tx, cx.today(), class, &person).await?, agreed)
}

/// The time, and what pays; whoever has a seat asks for none.
async fn book(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    seat: Seat<'_>,
    spans: &[Span],
    cost: &Cost,
) -> Result<(), AppError> {
    take_time(tx, permit, seat, spans, cost).await?;
    dues::take(tx, seat.id, seat.person, cost, cx.now).await?;
    asks::answered(tx, cx, seat.class, seat.person).await
}

/// The time, and what the seat was agreed to cost, whoever pays.
async fn take_time(tx: &mut Tx, permit: &Permit, seat: Seat<'_>, spans: &[Span], cost: &Cost) -> Result<(), AppError> {
    occupy(tx, seat.person, seat.id, spans).await?;
    store::set_cost(tx, permit, seat.id, cost.benefit(), cost.minor(), seat.class.price_currency).await
}

async fn occupy(tx: &mut Tx, person: PersonId, seat: EnrolmentId, spans: &[Span]) -> Result<(), AppError> {
    for span in spans {
        busy::occupy(tx, Resource::Person(person), *span, "enrolment", seat.0).await?;
    }
    Ok(())
}

async fn record(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    seat: EnrolmentId,
    person: PersonId,
    why: Option<&str>,
    detail: Option<&str>,
) -> Result<(), AppError> {
    let change = Change {
        entity: "enrolment",
        id: seat.0,
        customer: Some(person),
        from: None,
        to: Some(EnrolmentState::Booked.as_str()),
        why,
        detail,
    };
    history::record(tx, cx, permit, change).await
}
