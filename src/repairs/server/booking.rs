//! Booking a repair: what the page offers, and the one transaction that takes the slot and keeps the job.

use super::{photos, service, store};
use crate::{
    access::{Act, Subject},
    benefits::{domain::Reference, server::ledger},
    calendar::server::{
        busy,
        hours::{self, FreeSlot, Taken, Workshop},
    },
    calendar::{
        domain::{Resource, Span},
        hours::Service,
    },
    coverage::{
        domain::Decision,
        server::service::{decide_repair, decide_same_fault},
    },
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    execute, fetch_optional,
    purchases::server::store::{ItemRow, item, items_of},
    repairs::{
        domain::{Actor, FaultAgain, Job, Mode, Refusal, Rma, SlotId},
        photos::FILES,
    },
    server::{
        Cx,
        form::Form,
        fresh,
        history::{self, Change},
        internal, keys,
    },
    values::{ItemId, Money, PersonId, PhotoId, PublicNumber, RepairId, WorkshopId},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// How many characters a description of the fault may have.
pub const FAULT_LENGTH: u32 = 4000;
const PLACE_LENGTH: u32 = 400;
/// The id of the first list of times on a page.
pub const PLACE_OF_SLOT: &str = "slot";
/// The field that says whether an earlier fault has come back.
pub const SAME_FAULT: &str = "same_fault";
/// How many days with free times the page lists at once.
const DAYS: usize = 6;

/// What `/repairs/new` shows.
#[derive(Clone, Debug)]
pub struct Draft {
    pub items: Vec<ItemRow>,
    pub item: Option<ItemRow>,
    pub mode: Option<Mode>,
    pub open: Vec<Rma>,
    pub decision: Option<Decision>,
    /// The repairs of which it is asked whether their fault has come back, and what was said.
    pub earlier: Vec<store::Warranted>,
    pub again: Option<FaultAgain>,
    /// The workshops that one can choose here, each with what looking at the item costs there.
    pub places: Vec<(Workshop, Money)>,
    pub slots: Vec<(FreeSlot, Workshop)>,
    /// The time that was chosen already.
    pub slot: Option<SlotId>,
    pub later: Option<NaiveDate>,
    pub photos: Vec<PhotoId>,
    pub fault: String,
    pub place: String,
}

impl Draft {
    /// What looking at it costs, where that is the same wherever one goes.
    pub fn fee(&self) -> Option<Money> {
        let (_, first) = self.places.first()?;
        self.places.iter().all(|(_, fee)| fee == first).then_some(*first)
    }
}

/// What the address or the form chose so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chosen {
    pub item: Option<ItemId>,
    pub mode: Option<Mode>,
    pub from: Option<NaiveDate>,
    pub slot: Option<SlotId>,
    pub again: Option<FaultAgain>,
}

impl Chosen {
    /// Reads what can be read; whatever is not a choice is not chosen.
    pub fn of(form: &Form) -> Self {
        Self {
            item: form.text("item").parse().ok(),
            mode: form.text("mode").parse().ok(),
            from: form.text("from").parse().ok(),
            slot: form.text("slot").parse().ok(),
            again: form.text(SAME_FAULT).parse().ok(),
        }
    }
}

const READ_DRAFT: &str = "select fault, place from repair_draft where person_id = $1";
const KEEP_DRAFT: &str = "insert into repair_draft (person_id, fault, place, updated_at) values ($1, $2, $3, $4) \
    on conflict (person_id) do update set fault = excluded.fault, place = excluded.place, updated_at = excluded.updated_at";
const DROP_DRAFT: &str = "delete from repair_draft where person_id = $1";

/// Everything that the page of a new repair shows.
pub async fn draft(cx: &Cx, chosen: Chosen) -> Result<Draft, AppError> {
    let person = cx.person()?.id;
    let mut tx = cx.db().read().await?;
    let tx = &mut tx;
    let mut items = items_of(tx, &cx.viewer.scope()).await?;
    // What has not arrived yet cannot have failed.
    let today = cx.today();
    items.retain(|item| item.kind().can_be_repaired() && item.delivered_on.is_none_or(|day| day <= today));
    let found = match chosen.item {
        Some(id) => items.iter().find(|item| item.id == id).cloned(),
        None if items.len() == 1 => items.first().cloned(),
        None => None,
    };
    let (fault, place) = fetch_optional!(tx, (String, String), READ_DRAFT, person)?.unwrap_or_default();
    let mut draft = Draft {
        items,
        item: found,
        mode: chosen.mode,
        open: Vec::new(),
        decision: None,
        earlier: Vec::new(),
        again: None,
        places: Vec::new(),
        slots: Vec::new(),
        slot: chosen.slot,
        later: None,
        photos: photos::drafts(tx, person, cx.now).await?,
        fault,
        place,
    };
    if let Some(item) = &draft.item {
        draft.open = store::open_of_item(tx, item.id).await?.iter().map(store::RepairRow::number).collect();
        let decided = decide(tx, item.id, chosen.again, today).await?;
        (draft.earlier, draft.again, draft.decision) = (decided.earlier, decided.again, Some(decided.decision));
    }
    let workshops = hours::workshops(tx).await?;
    if let Some(service) = chosen.mode.and_then(Mode::service) {
        (draft.slots, draft.later) = slots(tx, &workshops, service, cx.now, chosen.from, None).await?;
        // A time of a later page was chosen: the page goes on from there, so that it stays chosen.
        let at = |slot: SlotId| workshops.iter().find(|w| w.id == slot.workshop).map(|w| w.day(slot.starts_at));
        if let Some(day) = chosen.slot.filter(|slot| !lists(&draft.slots, *slot)).and_then(at) {
            let (there, later) = slots(tx, &workshops, service, cx.now, Some(day), None).await?;
            if chosen.slot.is_some_and(|slot| lists(&there, slot)) {
                (draft.slots, draft.later) = (there, later);
            }
        }
    }
    if let (Some(decision), Some(mode)) = (&draft.decision, chosen.mode) {
        let offered = |place: &&Workshop| draft.slots.iter().any(|(slot, _)| slot.workshop == place.id);
        let mut places: Vec<&Workshop> = workshops.iter().filter(offered).collect();
        // A parcel goes to the first.
        if places.is_empty() {
            places.extend(workshops.first());
        }
        draft.places = places.into_iter().map(|place| (place.clone(), fee(decision, mode, place))).collect();
    }
    Ok(draft)
}

/// Whether a repair is covered, and what has to be said for that.
struct Decided {
    earlier: Vec<store::Warranted>,
    /// What was said, as far as it answers the question that is asked today.
    again: Option<FaultAgain>,
    decision: Decision,
}

/// Decides on coverage. Where the answer makes a difference for the customer, it is asked whether a fault has come back
/// on which earlier work is warranted; what is free in any case need not be asked about.
async fn decide(tx: &mut Tx, item: ItemId, said: Option<FaultAgain>, today: NaiveDate) -> Result<Decided, AppError> {
    let decision = decide_repair(tx, item, today).await?;
    if matches!(decision, Decision::Covered { benefit: None, .. }) {
        return Ok(Decided { earlier: Vec::new(), again: None, decision });
    }
    let earlier = store::warranted(tx, item, today).await?;
    let again = said.filter(|said| match said {
        FaultAgain::Another(of) => *of == item && !earlier.is_empty(),
        FaultAgain::As(repair) => earlier.iter().any(|one| one.id == *repair),
    });
    let decision = match again.and_then(FaultAgain::same_as) {
        Some(repair) => decide_same_fault(tx, item, repair, today).await?,
        None => decision,
    };
    Ok(Decided { earlier, again, decision })
}

/// The free slots that a booked repair can move to, from a day on; where a time of a later day was chosen, from there.
pub async fn slots_to_move_to(
    tx: &mut Tx,
    row: &store::RepairRow,
    now: DateTime<Utc>,
    chosen: Chosen,
) -> Result<(Vec<(FreeSlot, Workshop)>, Option<NaiveDate>), AppError> {
    let Some(service) = row.mode.service() else { return Ok((Vec::new(), None)) };
    let workshops = hours::workshops(tx).await?;
    let first = slots(tx, &workshops, service, now, chosen.from, Some(row.id)).await?;
    let at = |slot: SlotId| workshops.iter().find(|w| w.id == slot.workshop).map(|w| w.day(slot.starts_at));
    let Some(day) = chosen.slot.filter(|slot| !lists(&first.0, *slot)).and_then(at) else { return Ok(first) };
    let there = slots(tx, &workshops, service, now, Some(day), Some(row.id)).await?;
    Ok(if there.0.is_empty() { first } else { there })
}

fn lists(slots: &[(FreeSlot, Workshop)], wanted: SlotId) -> bool {
    slots.iter().any(|(slot, _)| (slot.workshop, slot.starts_at) == (wanted.workshop, wanted.starts_at))
}

/// The free slots of all workshops, earliest first; of visits those for which a technician is free, whatever else takes
/// their time, but for the repair that is being moved.
pub async fn slots(
    tx: &mut Tx,
    workshops: &[Workshop],
    service: Service,
    now: DateTime<Utc>,
    from: Option<NaiveDate>,
    moving: Option<RepairId>,
) -> Result<(Vec<(FreeSlot, Workshop)>, Option<NaiveDate>), AppError> {
    let horizon = workshops.iter().map(|workshop| workshop.horizon_days).max().unwrap_or(0);
    let crew = match service {
        Service::Visit => store::crew(tx, now, now + TimeDelta::days(horizon + 1), moving).await?,
        Service::Desk => None,
    };
    let mut all = Vec::new();
    let mut later = None;
    for workshop in workshops {
        let (free, next) = hours::free(tx, workshop, service, now, from, DAYS, crew.as_ref()).await?;
        all.extend(free.into_iter().map(|slot| (slot, workshop.clone())));
        later = match (later, next) {
            (Some(a), Some(b)) => Some(NaiveDate::min(a, b)),
            (a, b) => a.or(b),
        };
    }
    all.sort_by_key(|(slot, _)| slot.starts_at);
    Ok((all, later))
}

/// What looking at it costs: nothing where it is covered.
fn fee(decision: &Decision, mode: Mode, workshop: &Workshop) -> Money {
    let fee = workshop.fee(mode.service());
    if decision.is_covered() { Money::zero(fee.currency) } else { fee }
}

/// Keeps the words of a draft, so that choosing another item or time loses nothing.
pub async fn keep_words(cx: &Cx, fault: &str, place: &str) -> Result<(), AppError> {
    let person = cx.person()?.id;
    let cut = |text: &str, most: u32| text.chars().take(most as usize).collect::<String>();
    let (fault, place, now) = (cut(fault, FAULT_LENGTH), cut(place, PLACE_LENGTH), cx.now);
    cx.db()
        .write(move |tx| {
            let (fault, place) = (fault.clone(), place.clone());
            Box::pin(async move {
                execute!(tx, KEEP_DRAFT, person, fault, place, now)?;
                Ok(())
            })
        })
        .await
}

/// The hidden field that carries the price at one workshop, where prices differ.
pub fn fee_at(workshop: WorkshopId) -> String {
    format!("fee-{workshop}")
}

/// A booking as it was typed, checked field by field.
#[derive(Clone, Debug)]
struct Wish {
    item: ItemId,
    mode: Mode,
    slot: Option<SlotId>,
    fault: String,
    place: Option<String>,
    photos: Vec<PhotoId>,
    again: Option<FaultAgain>,
    /// What the page said that looking at it costs at the chosen workshop, in minor units.
    seen_fee: Option<i64>,
}

impl Wish {
    fn read(form: &Form) -> Result<Self, AppError> {
        let mut faults = Faults::default();
        let item = form.parse("item", &mut faults, Fault::NotAChoice);
        let mode = form.parse::<Mode>("mode", &mut faults, Fault::NotAChoice);
        let fault = form.words("fault", FAULT_LENGTH, &mut faults);
        let slot = match mode {
            Some(mode) if mode.needs_slot() => form.parse::<SlotId>("slot", &mut faults, Fault::NotAChoice),
            _ => None,
        };
        let again = form.optional(SAME_FAULT, &mut faults, Fault::NotAChoice);
        let place = form.text("place").to_owned();
        if place.is_empty() && mode == Some(Mode::OnSite) {
            faults.add("place", Fault::Required);
        }
        if place.chars().count() > PLACE_LENGTH as usize {
            faults.add("place", Fault::TooLong { max: PLACE_LENGTH });
        }
        let photos: Vec<PhotoId> = form.all("photo").into_iter().filter_map(|id| id.parse().ok()).collect();
        if photos.len() > FILES as usize {
            faults.add("photos", Fault::TooManyFiles { max: FILES });
        }
        faults.check()?;
        let (Some(item), Some(mode)) = (item, mode) else { return Err(AppError::Invalid(Faults::default())) };
        let place = Some(place).filter(|text| !text.is_empty() && mode == Mode::OnSite);
        let there = slot.and_then(|slot| form.text(&fee_at(slot.workshop)).parse().ok());
        let seen_fee = there.or_else(|| form.text("fee").parse().ok());
        Ok(Self { item, mode, slot, fault, place, photos, again, seen_fee })
    }

    fn essence(&self) -> String {
        let slot = self.slot.map(|slot| slot.to_string()).unwrap_or_default();
        let place = self.place.as_deref().unwrap_or_default();
        let again = self.again.map(|again| again.to_string()).unwrap_or_default();
        [self.item.to_string().as_str(), self.mode.as_str(), &slot, place, &self.fault, &again].join("\u{1f}")
    }
}

/// Books a repair together with its slot: both, or neither. Gives the repair's number.
///
/// # Errors
/// Faults of the form; [`Refusal::SlotTaken`] for whoever loses the race.
pub async fn book(cx: &Cx, form: &Form) -> Result<Rma, AppError> {
    let viewer = cx.person()?.id;
    let wish = Wish::read(form)?;
    let (key, cx) = (form.key(), cx.clone());
    let app = cx.app.clone();
    let rma = app
        .db
        .write(move |tx| {
            let (cx, wish) = (cx.clone(), wish.clone());
            Box::pin(async move {
                let scope = format!("book_repair:{viewer}");
                // Pictures get new names with every post; what else was wished is what the key stands for.
                let body = wish.essence();
                if let Some(answer) = keys::seen(tx, &scope, key, &body).await? {
                    return answer.parse().map_err(|e| internal("an answered key is damaged", &e));
                }
                let rma = keep(tx, &cx, viewer, &wish, key.is_some()).await?;
                keys::remember(tx, &scope, key, &body, &rma.to_string()).await?;
                Ok(rma)
            })
        })
        .await?;
    app.wake.notify_one();
    Ok(rma)
}

const SAME: &str = "select rma from repair where item_id = $1 and mode = $2 and fault = $3 and created_at > $4 \
    and state in ('requested', 'booked') and (appointment_at = $5 or (appointment_at is null and $6)) \
    and (same_as = $7 or (same_as is null and $8)) order by created_at desc limit 1";

/// A wish without a key that is the same as one that was kept within the hour.
async fn same_wish(tx: &mut Tx, wish: &Wish, now: DateTime<Utc>) -> Result<Option<Rma>, AppError> {
    let at = wish.slot.map(|slot| slot.starts_at);
    let same_as = wish.again.and_then(FaultAgain::same_as);
    let since = now - TimeDelta::hours(1);
    let found = fetch_optional!(
        tx,
        (PublicNumber,),
        SAME,
        wish.item,
        wish.mode.as_str(),
        wish.fault.as_str(),
        since,
        at,
        at.is_none(),
        same_as,
        same_as.is_none()
    )?;
    Ok(found.map(|(rma,)| Rma(rma)))
}

/// Keeps the repair; without a key of its own, a wish that was kept already is answered with what it became.
async fn keep(tx: &mut Tx, cx: &Cx, viewer: PersonId, wish: &Wish, keyed: bool) -> Result<Rma, AppError> {
    let not_offered = || Faults::only("item", Fault::NotAChoice);
    // Whoever takes the piece over meanwhile waits, or was first.
    tx.lock(&[Key::of("item", wish.item.0)]).await?;
    let item = item(tx, wish.item).await?.ok_or_else(not_offered)?;
    let subject = Subject::of(item.owner_person).within(item.organisation);
    let permit = cx.may(Act::BookRepair, &subject).map_err(|_| not_offered())?;
    if !keyed && let Some(rma) = same_wish(tx, wish, cx.now).await? {
        return Ok(rma);
    }
    if !item.kind().can_be_repaired() {
        return Err(Refusal::NothingToRepair.into());
    }
    let workshop = match wish.slot {
        Some(slot) => hours::workshop(tx, slot.workshop).await?.ok_or(Refusal::SlotGone)?,
        None => hours::workshops(tx).await?.into_iter().next().ok_or(Refusal::NoWorkshop)?,
    };
    let Decided { earlier, again, decision } = decide(tx, item.id, wish.again, cx.today()).await?;
    if again.is_none() && !earlier.is_empty() {
        return Err(Faults::only(SAME_FAULT, Fault::Required));
    }
    let fee = fee(&decision, wish.mode, &workshop);
    // The price that was on the page is the price; another one needs another yes, and so does one that nobody saw.
    match wish.seen_fee {
        Some(seen) if seen < fee.minor => return Err(Refusal::PriceChanged { fee }.into()),
        None if !fee.is_zero() => return Err(Refusal::PriceToAgree { fee }.into()),
        _ => {}
    }
    let id: RepairId = fresh();
    let rma = Rma(PublicNumber::from_seed(rand::random()));
    let job = Job::begin(wish.mode, wish.slot.map(|slot| slot.starts_at), decision.is_covered());
    let span = take_slot(tx, &workshop, wish.mode, wish.slot, cx.now).await?;
    let technician = assign(tx, wish.mode, span, id).await?;
    let next = service::next_of(tx, &workshop, &job, cx.now).await?;
    let benefit = match &decision {
        Decision::Covered { benefit, .. } => *benefit,
        Decision::NotCovered { .. } => None,
    };
    let new = store::NewRepair {
        id,
        rma: rma.clone(),
        item: item.id,
        item_name: item.product_name.clone(),
        serial_number: item.serial_number.clone(),
        person: item.owner_person,
        organisation: item.organisation,
        workshop: workshop.id,
        fault: wish.fault.clone(),
        place: wish.place.clone(),
        decision: serde_json::to_string(&decision).map_err(|e| internal("a decision cannot be written", &e))?,
        benefit,
        fee,
        technician,
        job: job.clone(),
        next,
        same_as: again.and_then(FaultAgain::same_as),
    };
    store::insert(tx, &permit, &new, cx.now).await?;
    if let Some(benefit) = benefit {
        ledger::reserve(tx, benefit, 1, Reference { entity: "repair", id: id.0 }, cx.now).await?;
    }
    if let (Some(span), Some(service)) = (span, wish.mode.service()) {
        let new = store::NewAppointment {
            repair: id,
            workshop: workshop.id,
            service: service.as_str(),
            starts_at: span.from,
            ends_at: span.until,
            zone: workshop.zone().name(),
            technician: technician.filter(|_| wish.mode == Mode::OnSite),
        };
        store::add_appointment(tx, &permit, &new, cx.now).await?;
    }
    photos::attach(tx, &permit, id, &wish.photos, viewer).await?;
    let verb = if wish.slot.is_some() { "book" } else { "request" };
    let by = if viewer == item.owner_person || !cx.viewer.is_staff() { Actor::Customer } else { Actor::Technician };
    let event = store::NewEvent { actor: by, verb, from: None, to: job.state, note: None };
    store::add_event(tx, &permit, id, event, cx.now).await?;
    let change = Change {
        entity: "repair",
        id: id.0,
        customer: Some(item.owner_person),
        to: Some(job.state.as_str()),
        ..Change::default()
    };
    history::record(tx, cx, &permit, change).await?;
    execute!(tx, DROP_DRAFT, viewer)?;
    service::write_letter(tx, cx, id, service::LetterKind::Booked).await?;
    Ok(rma)
}

/// Takes the wished slot; a parcel needs none.
pub async fn take_slot(
    tx: &mut Tx,
    workshop: &Workshop,
    mode: Mode,
    slot: Option<SlotId>,
    now: DateTime<Utc>,
) -> Result<Option<Span>, AppError> {
    let (Some(service), Some(slot)) = (mode.service(), slot) else { return Ok(None) };
    match hours::take(tx, workshop, service, slot.starts_at, now).await? {
        Taken::Until(until) => Ok(Span::new(slot.starts_at, until)),
        Taken::Full => Err(Refusal::SlotTaken.into()),
        Taken::NotOffered => Err(Refusal::SlotGone.into()),
    }
}

/// Gives the job to a technician: whoever has the least to do, and for a visit has that time free.
pub async fn assign(
    tx: &mut Tx,
    mode: Mode,
    span: Option<Span>,
    repair: RepairId,
) -> Result<Option<PersonId>, AppError> {
    let candidates = store::technicians(tx).await?;
    let Some(span) = span.filter(|_| mode == Mode::OnSite) else { return Ok(candidates.first().copied()) };
    let everybody: Vec<Resource> = candidates.iter().map(|id| Resource::Person(*id)).collect();
    busy::lock(tx, &everybody).await?;
    for technician in &candidates {
        let resource = Resource::Person(*technician);
        if busy::clashes(tx, resource, &[span], Some(("repair", repair.0))).await?.is_empty() {
            busy::occupy(tx, resource, span, "repair", repair.0).await?;
            return Ok(Some(*technician));
        }
    }
    // Nobody is free at that time although the slot has room. Without any technician the workshop assigns later.
    if candidates.is_empty() { Ok(None) } else { Err(Refusal::SlotTaken.into()) }
}
