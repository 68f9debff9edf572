//! The demo company's workshop and its repairs: thirty jobs over every state, told by the services themselves, each on
//! the day on which it would have happened.

use super::{booking, service, store};
use crate::{
    access::{Act, Person, Role, Subject, Viewer},
    calendar::{
        hours::Opening,
        server::hours::{self, NewWorkshop},
    },
    catalog::domain::ProductKind,
    error::AppError,
    people::server::store as people,
    purchases::server::store::{ItemRow, items_of},
    repairs::domain::{FaultAgain, Mode, QuoteLine, Rma, SlotId, State, Verb},
    server::{Cx, demo::Cast, form::Form, fresh},
    values::{Money, PersonId},
};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

/// What is wrong, what it turned out to be, and what mending it costs in cents of work and of parts.
struct Tale {
    fault: &'static str,
    diagnosis: &'static str,
    part: &'static str,
    work: i64,
    price: i64,
}

const TALES: [Tale; 10] = [
    Tale {
        fault: "Since Monday it jams on every second sheet and there are grey stripes on the left.",
        diagnosis: "The pick-up rollers are worn and the fuser sleeve is scratched.",
        part: "Fuser with rollers",
        work: 4500,
        price: 8990,
    },
    Tale {
        fault: "No se enciende. La luz parpadea en naranja tres veces y se apaga.",
        diagnosis: "La fuente de alimentación ha fallado tras una subida de tensión.",
        part: "Fuente de alimentación",
        work: 3500,
        price: 6450,
    },
    Tale {
        fault: "Perde acqua da sotto dopo mezz’ora di lavoro.",
        diagnosis: "La guarnizione della pompa è consumata.",
        part: "Guarnizione della pompa",
        work: 5500,
        price: 2380,
    },
    Tale {
        fault: "चालू करने पर तेज़ आवाज़ आती है और थोड़ी देर में बंद हो जाता है।",
        diagnosis: "पंखे का बेयरिंग घिस गया है, इसलिए मशीन ज़्यादा गर्म होकर बंद हो जाती है।",
        part: "पंखा",
        work: 3000,
        price: 1990,
    },
    Tale {
        fault: "Ekranas mirga, o po atnaujinimo nebejungia prie belaidžio tinklo.",
        diagnosis: "Pažeistas ekrano kabelis ir belaidžio ryšio modulis.",
        part: "Belaidžio ryšio modulis",
        work: 4000,
        price: 3750,
    },
    Tale {
        fault: "The lid does not close any more; the hinge on the right side is broken.",
        diagnosis: "The hinge is broken; the lid itself is fine.",
        part: "Hinge, right",
        work: 2500,
        price: 1490,
    },
    Tale {
        fault: "Huele a quemado cuando trabaja más de diez minutos.",
        diagnosis: "Un condensador de la placa de control está quemado.",
        part: "Placa de control",
        work: 5000,
        price: 11_900,
    },
    Tale {
        fault: "Il motore gira, ma la lama non si muove.",
        diagnosis: "La cinghia è rotta.",
        part: "Cinghia",
        work: 3000,
        price: 1250,
    },
    Tale {
        fault: "It says error E-42 and asks for service. Switching it off and on does not help.",
        diagnosis: "The temperature sensor gives no value.",
        part: "Temperature sensor",
        work: 3500,
        price: 2290,
    },
    Tale {
        fault: "Neįsikrauna baterija, veikia tik įjungtas į tinklą.",
        diagnosis: "Baterija nusidėvėjusi.",
        part: "Baterija",
        work: 1500,
        price: 5900,
    },
];

/// Which states there are to be seen, and how the item came. The first five are the demo customer's own, as far as there
/// are items.
const JOBS: [(State, Mode); 30] = [
    (State::Quoted, Mode::BringIn),
    (State::Ready, Mode::BringIn),
    (State::Booked, Mode::BringIn),
    (State::HandedBack, Mode::BringIn),
    (State::WaitingForParts, Mode::SendIn),
    (State::Booked, Mode::OnSite),
    (State::InRepair, Mode::OnSite),
    (State::Quoted, Mode::OnSite),
    (State::Closed, Mode::BringIn),
    (State::Requested, Mode::SendIn),
    (State::Requested, Mode::SendIn),
    (State::Booked, Mode::BringIn),
    (State::Booked, Mode::BringIn),
    (State::Booked, Mode::BringIn),
    (State::Received, Mode::BringIn),
    (State::Received, Mode::SendIn),
    (State::Diagnosed, Mode::BringIn),
    (State::Diagnosed, Mode::SendIn),
    (State::Approved, Mode::BringIn),
    (State::Approved, Mode::BringIn),
    (State::NotRepairable, Mode::BringIn),
    (State::InRepair, Mode::BringIn),
    (State::InRepair, Mode::SendIn),
    (State::WaitingForParts, Mode::BringIn),
    (State::Repaired, Mode::BringIn),
    (State::Ready, Mode::SendIn),
    (State::HandedBack, Mode::SendIn),
    (State::Closed, Mode::OnSite),
    (State::Cancelled, Mode::BringIn),
    // Nothing covers the last one: a price that is declined sends it back as it came.
    (State::Declined, Mode::BringIn),
];

/// What was handed back weeks ago had been bought before.
const OWNED_FOR: Days = Days::new(50);

/// Sets the workshop up and lives through its jobs.
pub async fn seed(cx: &Cx, cast: &Cast) -> Result<(), AppError> {
    open_workshops(cx).await?;
    let technician = viewer(cx, cast.person("technician")?, &[Role::Technician]).await?;
    let mut items = items_for(cx, cast).await?;
    items.truncate(JOBS.len());
    let stars = [cast.person("customer")?, cast.person("owner")?, cast.person("member")?];
    old_enough(&mut items, cx.today(), &stars);
    for (n, ((state, mode), item)) in JOBS.iter().zip(&items).enumerate() {
        let tale = &TALES[n % TALES.len()];
        let customer = viewer(cx, item.owner_person, &[]).await?;
        live(cx, n, (*state, *mode), item, tale, &customer, &technician).await?;
    }
    Ok(())
}

/// What was mended weeks ago was bought before: such jobs trade their item with another of the same owner, or of
/// anybody where that is nobody's own story.
fn old_enough(items: &mut [ItemRow], today: NaiveDate, stars: &[PersonId]) {
    let ended = |n: usize| matches!(JOBS[n].0, State::HandedBack | State::Closed);
    let long_ago = |item: &ItemRow| item.delivered_on.is_some_and(|day| day + Days::new(70) < today);
    for n in 0..items.len() {
        let own = |n: usize| stars.contains(&items[n].owner_person);
        if !ended(n) || long_ago(&items[n]) {
            continue;
        }
        let trade = (0..items.len()).find(|&m| {
            let alike = items[m].owner_person == items[n].owner_person || (!own(n) && !own(m));
            alike && !ended(m) && long_ago(&items[m])
        });
        if let Some(m) = trade {
            items.swap(n, m);
        }
    }
}

async fn open_workshops(cx: &Cx) -> Result<(), AppError> {
    let (zone, now, currency) = (cx.company_zone(), cx.now, cx.app.company.currency);
    let today = cx.today();
    let permit = cx.may(Act::SetHours, &Subject::nobody())?;
    cx.db()
        .write(move |tx| {
            let workshop = workshop(zone, today, currency);
            Box::pin(async move { hours::set_workshop(tx, &permit, &workshop, now, today).await })
        })
        .await
}

fn workshop(zone: Tz, today: NaiveDate, currency: crate::values::Currency) -> NewWorkshop {
    let hours = |days: std::ops::RangeInclusive<u8>, opens: u16, closes: u16| {
        days.filter_map(move |day| Opening::new(day, opens, closes))
    };
    let desk =
        hours(1..=5, 9 * 60, 13 * 60).chain(hours(1..=5, 14 * 60, 18 * 60)).chain(hours(6..=6, 10 * 60, 14 * 60));
    let visits = hours(1..=5, 9 * 60, 12 * 60).chain(hours(1..=5, 14 * 60, 17 * 60));
    let closed = today.checked_add_days(Days::new(17)).unwrap_or(today);
    NewWorkshop {
        id: fresh(),
        name: "Central workshop".to_owned(),
        address: "Calle del Taller 12, 28010 Madrid".to_owned(),
        zone,
        slot_minutes: 30,
        lead_minutes: 120,
        horizon_days: 30,
        desk_capacity: 3,
        visit_capacity: 1,
        notice_hours: 24,
        quote_days: 14,
        warranty_days: 90,
        diagnosis_fee: Money::new(2900, currency),
        visit_fee: Money::new(5900, currency),
        desk: desk.collect(),
        visits: visits.collect(),
        closed: vec![(closed, "Stocktaking".to_owned())],
    }
}

/// Things that can be repaired: the demo customer's first, then the firm's, then everybody's, one each.
async fn items_for(cx: &Cx, cast: &Cast) -> Result<Vec<ItemRow>, AppError> {
    let mut tx = cx.db().read().await?;
    let mut found: Vec<ItemRow> = Vec::new();
    let own = [(cast.person("customer")?, 5), (cast.person("owner")?, 3), (cast.person("member")?, 1)];
    let others = cast.customers.iter().map(|person| (*person, 1));
    for (person, most) in own.into_iter().chain(others) {
        let scope = crate::access::Scope::Own { person, organisations: Vec::new() };
        let items = items_of(&mut tx, &scope).await?;
        let fit = items.into_iter().filter(|item| {
            matches!(item.kind(), ProductKind::Goods | ProductKind::Installation)
                && item.delivered_on.is_some_and(|day| day + OWNED_FOR < cx.today())
        });
        let fresh = fit.filter(|item| !found.iter().any(|other| other.id == item.id)).take(most).collect::<Vec<_>>();
        found.extend(fresh);
    }
    // Fewer people than jobs: those who have come again.
    let again: Vec<ItemRow> = found.iter().rev().take(JOBS.len().saturating_sub(found.len())).cloned().collect();
    found.extend(again);
    Ok(found)
}

/// Somebody's eyes and hands.
async fn viewer(cx: &Cx, id: PersonId, roles: &[Role]) -> Result<Viewer, AppError> {
    let row = people::by_id(&mut cx.db().read().await?, id).await?.ok_or(AppError::NotFound)?;
    let email = match row.email {
        Some(email) => email,
        None => "nobody@example.com".parse().map_err(|_| AppError::NotFound)?,
    };
    Ok(Viewer::Person(Box::new(Person {
        id,
        name: row.name,
        email,
        language: row.language,
        zone: row.zone,
        roles: roles.iter().copied().collect(),
        memberships: Vec::new(),
    })))
}

/// What happens on the way to a state; `free` says that a right covers it, so that no price has to be accepted.
fn path(state: State, free: bool) -> Vec<Verb> {
    let begin: &[Verb] = &[Verb::Receive, Verb::Diagnose];
    let begun: &[Verb] = if free { &[Verb::Start] } else { &[Verb::Quote, Verb::Accept, Verb::Start] };
    let more: &[Verb] = match state {
        State::Requested | State::Booked => return Vec::new(),
        State::Cancelled => return vec![Verb::Cancel],
        State::Received => return vec![Verb::Receive],
        State::Diagnosed => return begin.to_vec(),
        State::Quoted => return [begin, &[Verb::Quote]].concat(),
        State::Approved => return [begin, &[Verb::Quote, Verb::Accept]].concat(),
        State::Declined => return [begin, &[Verb::Quote, Verb::Decline]].concat(),
        State::NotRepairable => return [begin, &[Verb::GiveUp]].concat(),
        State::InRepair => &[],
        State::WaitingForParts => &[Verb::WaitForParts],
        State::Repaired => &[Verb::Finish],
        State::Ready => &[Verb::Finish, Verb::MakeReady],
        State::HandedBack => &[Verb::Finish, Verb::MakeReady, Verb::HandBack],
        State::Closed => &[Verb::Finish, Verb::MakeReady, Verb::HandBack, Verb::Close],
    };
    [begin, begun, more].concat()
}

async fn live(
    cx: &Cx,
    n: usize,
    (state, mode): (State, Mode),
    item: &ItemRow,
    tale: &Tale,
    customer: &Viewer,
    technician: &Viewer,
) -> Result<(), AppError> {
    let at = |viewer: &Viewer, now: DateTime<Utc>| Cx { now, ..cx.as_viewer(viewer.clone()) };
    let spread = i64::try_from(n % 5).unwrap_or(0);
    let began = match state {
        State::Requested | State::Booked | State::Cancelled => cx.now - TimeDelta::hours(30 + 5 * spread),
        State::HandedBack => cx.now - TimeDelta::days(16 + spread),
        State::Closed => cx.now - TimeDelta::days(40 + spread),
        _ => cx.now - TimeDelta::days(9 + spread),
    };
    let rma = match begin(&at(customer, began), n, mode, item, tale, (state, cx.now)).await? {
        Some(rma) => rma,
        None => return Ok(()),
    };
    let row = store::by_rma(&mut cx.db().read().await?, &rma).await?.ok_or(AppError::NotFound)?;
    let verbs = path(state, row.covered);
    let arrived = row.appointment_at.unwrap_or(began + TimeDelta::days(2));
    let last = latest(cx.now, n, state);
    let between = (last - arrived) / i32::try_from(verbs.len().max(1)).unwrap_or(1);
    for (step, verb) in (1_i32..).zip(&verbs) {
        let left = i64::try_from(verbs.len()).unwrap_or(0) - i64::from(step);
        let now = match verb {
            Verb::Cancel => began + TimeDelta::hours(1),
            // Evenly between the day it came and its latest news; a job that came today is worked on by the minute.
            _ if between > TimeDelta::zero() => arrived + between * step,
            _ => cx.now - TimeDelta::minutes(1 + left),
        };
        let by_customer = matches!(verb, Verb::Accept | Verb::Decline | Verb::Cancel);
        let cx = at(if by_customer { customer } else { technician }, now);
        if *verb == Verb::Finish {
            record(&cx, &rma, tale).await?;
        }
        service::act(&cx, &rma, *verb, input(&cx, *verb, tale), !by_customer).await?;
    }
    Ok(())
}

/// When the latest thing happened to a job: mostly since yesterday, so that its next step is still to come; every sixth
/// lies a little longer, because there is always something late.
fn latest(now: DateTime<Utc>, n: usize, state: State) -> DateTime<Utc> {
    let n = i64::try_from(n).unwrap_or(0);
    match state {
        State::Closed => now - TimeDelta::days(4),
        State::HandedBack => now - TimeDelta::days(2 + n % 4),
        _ if n % 6 == 4 => now - TimeDelta::days(6),
        _ => now - TimeDelta::hours(1 + (n * 7) % 20),
    }
}

/// Where a technician comes.
const PLACES: [&str; 3] =
    ["Calle de la Huerta 8, taller", "Via dei Platani 21, secondo piano", "Ąžuolų g. 14, įėjimas iš kiemo"];

/// Books with the first time that fits: for a job that is still to come one in the next days, else the earliest.
async fn begin(
    cx: &Cx,
    n: usize,
    mode: Mode,
    item: &ItemRow,
    tale: &Tale,
    (state, today): (State, DateTime<Utc>),
) -> Result<Option<Rma>, AppError> {
    let workshops = hours::workshops(&mut cx.db().read().await?).await?;
    // What looking at it costs at the most: they say yes to it.
    let fee = workshops.iter().map(|workshop| workshop.fee(mode.service()).minor).max().unwrap_or(0).to_string();
    let slot = match mode.service() {
        None => None,
        Some(kind) => {
            let mut tx = cx.db().read().await?;
            let (free, _) = booking::slots(&mut tx, &workshops, kind, cx.now, None, None).await?;
            let earliest = match state {
                State::Booked => today + TimeDelta::hours(1),
                // Far enough ahead that it can still be called off.
                State::Cancelled => cx.now + TimeDelta::days(3),
                _ => cx.now,
            };
            let skip = if state == State::Booked { (n % 7) * 3 } else { n % 3 };
            let fit: Vec<_> = free.iter().filter(|(slot, _)| slot.starts_at > earliest).collect();
            let Some((slot, _)) = fit.get(skip.min(fit.len().saturating_sub(1))) else { return Ok(None) };
            Some(SlotId { workshop: slot.workshop, starts_at: slot.starts_at })
        }
    };
    let slot = slot.map(|slot| slot.to_string()).unwrap_or_default();
    // Whose thing was here before comes with another trouble.
    let again = FaultAgain::Another(item.id).to_string();
    let item = item.id.to_string();
    let fields = [
        ("item", item.as_str()),
        ("mode", mode.as_str()),
        ("fault", tale.fault),
        ("slot", &slot),
        ("place", PLACES[n % PLACES.len()]),
        ("fee", &fee),
        (booking::SAME_FAULT, &again),
    ];
    booking::book(cx, &Form::of(&fields)).await.map(Some)
}

async fn record(cx: &Cx, rma: &Rma, tale: &Tale) -> Result<(), AppError> {
    let part = store::NewWork {
        kind: "part",
        label: tale.part.to_owned(),
        quantity: 1,
        part_number: Some(format!("P-{}", tale.price)),
    };
    service::record_work(cx, rma, part, None, "").await?;
    let work =
        store::NewWork { kind: "work", label: tale.diagnosis.to_owned(), quantity: tale.work / 100, part_number: None };
    service::record_work(cx, rma, work, None, "").await
}

fn input(cx: &Cx, verb: Verb, tale: &Tale) -> service::Input {
    let currency = cx.app.company.currency;
    let line = |label: &str, minor| QuoteLine {
        label: label.to_owned(),
        quantity: 1,
        unit_price: Money::new(minor, currency),
    };
    let words = match verb {
        Verb::Diagnose | Verb::GiveUp => Some(tale.diagnosis.to_owned()),
        Verb::WaitForParts => Some(tale.part.to_owned()),
        _ => None,
    };
    service::Input {
        words,
        lines: if verb == Verb::Quote {
            vec![line(tale.part, tale.price), line(tale.diagnosis, tale.work)]
        } else {
            Vec::new()
        },
        day: match verb {
            Verb::WaitForParts => cx.today().checked_add_days(Days::new(6)),
            _ => None,
        },
        ..service::Input::default()
    }
}
