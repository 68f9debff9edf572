//! Workshops, their hours and how full their slots are. Local slots become instants here, where the zones are known.

use crate::{
    access::Permit,
    calendar::{
        domain::{Crew, Span, most_at_once},
        hours::{LocalSlot, Opening, Service, Timetable},
    },
    db::{Key, Tx},
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    values::{Currency, Money, WorkshopId},
};
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// A place that repairs things, with everything that can be set about it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Workshop {
    pub id: WorkshopId,
    pub name: String,
    pub address: String,
    zone: String,
    pub slot_minutes: i64,
    pub lead_minutes: i64,
    pub horizon_days: i64,
    pub desk_capacity: i64,
    pub visit_capacity: i64,
    pub notice_hours: i64,
    pub quote_days: i64,
    pub warranty_days: i64,
    pub diagnosis_fee_minor: i64,
    pub visit_fee_minor: i64,
    pub fee_currency: Currency,
    /// Grows with every change, so that of two editors the second is told.
    pub version: i64,
}

impl Workshop {
    /// The zone in whose wall clock the hours stand.
    pub fn zone(&self) -> Tz {
        self.zone.parse().unwrap_or(Tz::UTC)
    }

    /// What looking at an item costs whoever is not covered.
    pub fn fee(&self, service: Option<Service>) -> Money {
        let minor = match service {
            Some(Service::Visit) => self.visit_fee_minor,
            Some(Service::Desk) | None => self.diagnosis_fee_minor,
        };
        Money::new(minor, self.fee_currency)
    }

    /// How many bookings one slot takes.
    pub fn capacity(&self, service: Service) -> i64 {
        match service {
            Service::Desk => self.desk_capacity,
            Service::Visit => self.visit_capacity,
        }
    }

    /// The day at the workshop.
    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone()).date_naive()
    }

    /// The instant of a local time; a time that the clocks skip has none, one that comes twice is the first.
    pub fn instant(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        self.zone().from_local_datetime(&local).earliest().map(|at| at.to_utc())
    }

    /// The last minute of a day at the workshop.
    pub fn end_of(&self, day: NaiveDate) -> DateTime<Utc> {
        let local = day.and_hms_opt(23, 59, 0).unwrap_or_default();
        self.instant(local).unwrap_or_else(|| local.and_utc())
    }
}

/// A slot that one can still have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FreeSlot {
    pub workshop: WorkshopId,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub left: i64,
}

/// How the attempt to have a slot ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It is ours, until then.
    Until(DateTime<Utc>),
    /// Others had it first.
    Full,
    /// It is none of the slots that are offered now.
    NotOffered,
}

macro_rules! workshop_columns {
    () => {
        "id, name, address, zone, slot_minutes, lead_minutes, horizon_days, desk_capacity, visit_capacity, \
         notice_hours, quote_days, warranty_days, diagnosis_fee_minor, visit_fee_minor, fee_currency, \
         version"
    };
}

const WORKSHOPS: &str = concat!("select ", workshop_columns!(), " from workshop where active order by name, id");
const WORKSHOP: &str = concat!("select ", workshop_columns!(), " from workshop where id = $1");

/// Every workshop that takes bookings.
pub async fn workshops(tx: &mut Tx) -> Result<Vec<Workshop>, AppError> {
    Ok(fetch_all!(tx, Workshop, WORKSHOPS)?)
}

/// One workshop.
pub async fn workshop(tx: &mut Tx, id: WorkshopId) -> Result<Option<Workshop>, AppError> {
    Ok(fetch_optional!(tx, Workshop, WORKSHOP, id)?)
}

const OPENINGS: &str = "select weekday, opens, closes from opening_hours \
    where workshop_id = $1 and service = $2 order by weekday, opens";
const CLOSED: &str = "select day from closed_day where workshop_id = $1 and day >= $2 order by day";

/// When a workshop takes bookings of one kind; closed days from `since` on.
pub async fn timetable(
    tx: &mut Tx,
    workshop: &Workshop,
    service: Service,
    since: NaiveDate,
) -> Result<Timetable, AppError> {
    let openings = fetch_all!(tx, (i64, i64, i64), OPENINGS, workshop.id, service.as_str())?;
    let openings = openings.into_iter().filter_map(|(weekday, opens, closes)| {
        Opening::new(u8::try_from(weekday).ok()?, u16::try_from(opens).ok()?, u16::try_from(closes).ok()?)
    });
    let closed = fetch_all!(tx, (NaiveDate,), CLOSED, workshop.id, since)?;
    Ok(Timetable {
        openings: openings.collect(),
        closed: closed.into_iter().map(|(day,)| day).collect(),
        slot_minutes: u16::try_from(workshop.slot_minutes).unwrap_or(0),
        capacity: u32::try_from(workshop.capacity(service)).unwrap_or(0),
        lead_minutes: u32::try_from(workshop.lead_minutes).unwrap_or(u32::MAX),
        horizon_days: u16::try_from(workshop.horizon_days).unwrap_or(0),
    })
}

const TAKEN: &str = "select starts_at, ends_at from appointment where workshop_id = $1 and service = $2 \
    and state in ('booked', 'kept') and starts_at > $3 and starts_at < $4 and ends_at > $5 order by starts_at";
/// No slot is longer: it lies within one day, and a day on which the clocks go back has 25 hours.
const LONGEST: TimeDelta = TimeDelta::hours(25);

/// The appointments that take time of a span, by their start. They count with all their time, since those that were booked
/// when slots were longer or began elsewhere are kept.
async fn taken(
    tx: &mut Tx,
    workshop: &Workshop,
    service: Service,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Span>, AppError> {
    type Row = (DateTime<Utc>, DateTime<Utc>);
    let rows = fetch_all!(tx, Row, TAKEN, workshop.id, service.as_str(), from - LONGEST, until, from)?;
    Ok(rows.into_iter().filter_map(|(from, until)| Span::new(from, until)).collect())
}

/// The free slots of `days` days that have any, from `from` on (or from now), and the day on which the next begin. Where
/// a `crew` is given, one of them has to be free as well.
pub async fn free(
    tx: &mut Tx,
    workshop: &Workshop,
    service: Service,
    now: DateTime<Utc>,
    from: Option<NaiveDate>,
    days: usize,
    crew: Option<&Crew>,
) -> Result<(Vec<FreeSlot>, Option<NaiveDate>), AppError> {
    let zone = workshop.zone();
    let local = now.with_timezone(&zone).naive_local();
    let table = timetable(tx, workshop, service, local.date()).await?;
    let from = from.map_or(local.date(), |day| day.max(local.date()));
    let offered: Vec<LocalSlot> = table.slots(local).into_iter().filter(|slot| slot.starts.date() >= from).collect();
    let Some(last) = offered.last() else { return Ok((Vec::new(), None)) };
    let until = workshop.end_of(last.starts.date()) + TimeDelta::minutes(1);
    let since = now.max(workshop.end_of(from.checked_sub_days(Days::new(1)).unwrap_or(from)));
    let taken = taken(tx, workshop, service, since, until).await?;
    // Slots come in their order, so what was over before one is over for all that follow.
    let mut over = 0;
    let capacity = workshop.capacity(service);
    let mut seen = Vec::new();
    let mut free = Vec::new();
    for slot in offered {
        let (Some(starts_at), Some(ends_at)) = (workshop.instant(slot.starts), workshop.instant(slot.ends)) else {
            continue;
        };
        let Some(span) = Span::new(starts_at, ends_at) else { continue };
        let hands = crew.map_or(i64::MAX, |crew| i64::try_from(crew.free(&span)).unwrap_or(i64::MAX));
        over += taken[over..].iter().take_while(|busy| busy.from + LONGEST <= starts_at).count();
        let left = (capacity - most_at_once(&taken[over..], &span)).min(hands);
        if left < 1 {
            continue;
        }
        let day = slot.starts.date();
        if seen.last() != Some(&day) {
            if seen.len() == days {
                return Ok((free, Some(day)));
            }
            seen.push(day);
        }
        free.push(FreeSlot { workshop: workshop.id, starts_at, ends_at, left });
    }
    Ok((free, None))
}

const OPEN: &str = "insert into slot_load (workshop_id, service, starts_at, booked, capacity) values ($1, $2, $3, 0, $4) \
    on conflict (workshop_id, service, starts_at) do nothing";
const TAKE: &str = "update slot_load set booked = booked + 1, capacity = case when capacity > $4 then capacity else $4 end \
    where workshop_id = $1 and service = $2 and starts_at = $3 and booked < $4";
const RELEASE: &str = "update slot_load set booked = booked - 1 \
    where workshop_id = $1 and service = $2 and starts_at = $3 and booked > 0";

/// Takes a place in a slot. One after the other does so and finds every place that those before took: no number of askers
/// gets more than there is, whatever the slots were like when others booked.
pub async fn take(
    tx: &mut Tx,
    workshop: &Workshop,
    service: Service,
    starts_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Taken, AppError> {
    let zone = workshop.zone();
    let local = now.with_timezone(&zone).naive_local();
    let table = timetable(tx, workshop, service, local.date()).await?;
    let Some(slot) = table.slot_at(starts_at.with_timezone(&zone).naive_local(), local) else {
        return Ok(Taken::NotOffered);
    };
    // The second of two equal wall-clock times is not the slot that is offered.
    let Some(ends_at) = workshop.instant(slot.ends).filter(|_| workshop.instant(slot.starts) == Some(starts_at)) else {
        return Ok(Taken::NotOffered);
    };
    let capacity = workshop.capacity(service);
    let Some(span) = Span::new(starts_at, ends_at) else { return Ok(Taken::NotOffered) };
    // Where there is no room any more nobody waits; whoever finds some looks again when it is their turn.
    for in_turn in [false, true] {
        if in_turn {
            tx.lock(&[Key::of("workshop", workshop.id.0)]).await?;
        }
        if most_at_once(&taken(tx, workshop, service, starts_at, ends_at).await?, &span) >= capacity {
            return Ok(Taken::Full);
        }
    }
    execute!(tx, OPEN, workshop.id, service.as_str(), starts_at, capacity)?;
    let got = execute!(tx, TAKE, workshop.id, service.as_str(), starts_at, capacity)? == 1;
    Ok(if got { Taken::Until(ends_at) } else { Taken::Full })
}

/// Gives a place back.
pub async fn release(
    tx: &mut Tx,
    workshop: WorkshopId,
    service: &str,
    starts_at: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(tx, RELEASE, workshop, service, starts_at)?;
    Ok(())
}

const BOOKED: &str = "select booked from slot_load where workshop_id = $1 and service = $2 and starts_at = $3";

/// How many have a place in a slot.
pub async fn booked(
    tx: &mut Tx,
    workshop: WorkshopId,
    service: Service,
    starts_at: DateTime<Utc>,
) -> Result<i64, AppError> {
    Ok(fetch_scalar!(tx, i64, BOOKED, workshop, service.as_str(), starts_at)?.unwrap_or(0))
}

/// A workshop as it is set up.
#[derive(Clone, Debug)]
pub struct NewWorkshop {
    pub id: WorkshopId,
    pub name: String,
    pub address: String,
    pub zone: Tz,
    pub slot_minutes: i64,
    pub lead_minutes: i64,
    pub horizon_days: i64,
    pub desk_capacity: i64,
    pub visit_capacity: i64,
    pub notice_hours: i64,
    pub quote_days: i64,
    pub warranty_days: i64,
    pub diagnosis_fee: Money,
    pub visit_fee: Money,
    pub desk: Vec<Opening>,
    pub visits: Vec<Opening>,
    pub closed: Vec<(NaiveDate, String)>,
}

const SET_WORKSHOP: &str = "insert into workshop (id, name, address, zone, slot_minutes, lead_minutes, horizon_days, \
    desk_capacity, visit_capacity, notice_hours, quote_days, warranty_days, diagnosis_fee_minor, visit_fee_minor, \
    fee_currency, active, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, true, $16) \
    on conflict (id) do update set name = excluded.name, address = excluded.address, zone = excluded.zone, \
    slot_minutes = excluded.slot_minutes, lead_minutes = excluded.lead_minutes, horizon_days = excluded.horizon_days, \
    desk_capacity = excluded.desk_capacity, visit_capacity = excluded.visit_capacity, \
    notice_hours = excluded.notice_hours, quote_days = excluded.quote_days, \
    warranty_days = excluded.warranty_days, \
    diagnosis_fee_minor = excluded.diagnosis_fee_minor, visit_fee_minor = excluded.visit_fee_minor, \
    fee_currency = excluded.fee_currency, version = workshop.version + 1";
const DROP_OPENINGS: &str = "delete from opening_hours where workshop_id = $1";
const DROP_CLOSED: &str = "delete from closed_day where workshop_id = $1 and day >= $2";
const ADD_OPENING: &str =
    "insert into opening_hours (id, workshop_id, service, weekday, opens, closes) values ($1, $2, $3, $4, $5, $6)";
const ADD_CLOSED: &str = "insert into closed_day (workshop_id, day, label) values ($1, $2, $3) on conflict do nothing";

/// Sets a workshop up, or changes it: its hours and its closed days from `today` on become those given. What is booked
/// stays booked.
pub async fn set_workshop(
    tx: &mut Tx,
    _permit: &Permit,
    new: &NewWorkshop,
    now: DateTime<Utc>,
    today: NaiveDate,
) -> Result<(), AppError> {
    execute!(
        tx,
        SET_WORKSHOP,
        new.id,
        new.name.as_str(),
        new.address.as_str(),
        new.zone.name(),
        new.slot_minutes,
        new.lead_minutes,
        new.horizon_days,
        new.desk_capacity,
        new.visit_capacity,
        new.notice_hours,
        new.quote_days,
        new.warranty_days,
        new.diagnosis_fee.minor,
        new.visit_fee.minor,
        new.diagnosis_fee.currency,
        now
    )?;
    execute!(tx, DROP_OPENINGS, new.id)?;
    for (service, openings) in [(Service::Desk, &new.desk), (Service::Visit, &new.visits)] {
        for opening in openings {
            let id = uuid::Uuid::now_v7();
            let (weekday, opens, closes) =
                (i64::from(opening.weekday), i64::from(opening.opens), i64::from(opening.closes));
            execute!(tx, ADD_OPENING, id, new.id, service.as_str(), weekday, opens, closes)?;
        }
    }
    execute!(tx, DROP_CLOSED, new.id, today)?;
    for (day, label) in &new.closed {
        execute!(tx, ADD_CLOSED, new.id, *day, label.as_str())?;
    }
    Ok(())
}

const CLOSED_DAYS: &str = "select day, label from closed_day where workshop_id = $1 and day >= $2 order by day";

/// The days on which a workshop is closed, from a day on, with their reasons.
pub async fn closed_days(
    tx: &mut Tx,
    workshop: WorkshopId,
    since: NaiveDate,
) -> Result<Vec<(NaiveDate, String)>, AppError> {
    Ok(fetch_all!(tx, (NaiveDate, String), CLOSED_DAYS, workshop, since)?)
}
