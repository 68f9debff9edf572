//! Opening hours and the bookable times that follow from them, in the place's own wall clock.
//!
//! Everything here is local time without a zone: the server turns it into instants, because it keeps the zone database.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};

/// How many minutes a day has.
pub const DAY_MINUTES: u16 = 24 * 60;

/// What one books a time for: the counter of a workshop, or a technician who comes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Service {
    Desk,
    Visit,
}

impl Service {
    /// The name under which it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Visit => "visit",
        }
    }
}

/// One stretch of a weekday in which a place is open. A break is the gap between two stretches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Opening {
    /// 1 for Monday to 7 for Sunday, by ISO 8601.
    pub weekday: u8,
    /// Minutes after midnight.
    pub opens: u16,
    /// Minutes after midnight, later than `opens`; 1440 is the day's end.
    pub closes: u16,
}

impl Opening {
    /// A stretch, if its figures make sense.
    pub fn new(weekday: u8, opens: u16, closes: u16) -> Option<Self> {
        let good = (1..=7).contains(&weekday) && opens < closes && closes <= DAY_MINUTES;
        good.then_some(Self { weekday, opens, closes })
    }
}

/// A bookable stretch of local time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct LocalSlot {
    pub starts: NaiveDateTime,
    pub ends: NaiveDateTime,
}

/// When a place takes bookings, and how many at once.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Timetable {
    pub openings: Vec<Opening>,
    pub closed: Vec<NaiveDate>,
    /// How long one booking lasts.
    pub slot_minutes: u16,
    /// How many bookings one slot takes.
    pub capacity: u32,
    /// How long before its start a slot stops being bookable.
    pub lead_minutes: u32,
    /// How many days ahead one can book.
    pub horizon_days: u16,
}

impl Timetable {
    /// Every slot that one can ask for at `now`, earliest first, whether or not somebody has it already.
    pub fn slots(&self, now: NaiveDateTime) -> Vec<LocalSlot> {
        let days = (0..=u64::from(self.horizon_days)).filter_map(|n| now.date().checked_add_days(Days::new(n)));
        let earliest = self.earliest(now);
        days.flat_map(|day| self.slots_on(day)).filter(|slot| slot.starts >= earliest).collect()
    }

    /// The slots of one day, earliest first, without regard to lead time and horizon.
    pub fn slots_on(&self, day: NaiveDate) -> Vec<LocalSlot> {
        if self.slot_minutes == 0 || self.closed.contains(&day) {
            return Vec::new();
        }
        let midnight = day.and_time(NaiveTime::MIN);
        let at = |minute: u16| midnight + TimeDelta::minutes(i64::from(minute));
        let mut slots: Vec<LocalSlot> = self
            .openings_of(day)
            .flat_map(|opening| {
                (opening.opens..opening.closes)
                    .step_by(usize::from(self.slot_minutes))
                    .filter(move |start| u32::from(*start) + u32::from(self.slot_minutes) <= u32::from(opening.closes))
                    .map(|start| LocalSlot { starts: at(start), ends: at(start + self.slot_minutes) })
            })
            .collect();
        slots.sort();
        slots.dedup_by_key(|slot| slot.starts);
        slots
    }

    /// The slot that starts exactly then, if one can ask for it at `now`.
    pub fn slot_at(&self, starts: NaiveDateTime, now: NaiveDateTime) -> Option<LocalSlot> {
        let last = now.date().checked_add_days(Days::new(u64::from(self.horizon_days)))?;
        if starts < self.earliest(now) || starts.date() > last {
            return None;
        }
        self.slots_on(starts.date()).into_iter().find(|slot| slot.starts == starts)
    }

    /// Whether the place is open at all on that day.
    pub fn is_open(&self, day: NaiveDate) -> bool {
        !self.closed.contains(&day) && self.openings_of(day).next().is_some()
    }

    /// The day that lies `n` working days after `day`. A place that never opens counts calendar days.
    pub fn working_day_after(&self, day: NaiveDate, n: u32) -> NaiveDate {
        let mut left = n;
        let mut last = day;
        // A year without an open day is a place without hours.
        for candidate in day.iter_days().skip(1).take(366) {
            if left == 0 {
                return last;
            }
            if self.is_open(candidate) {
                left -= 1;
                last = candidate;
            }
        }
        if left == 0 { last } else { day.checked_add_days(Days::new(u64::from(n))).unwrap_or(day) }
    }

    /// When the place closes on that day, if it opens.
    pub fn closes_on(&self, day: NaiveDate) -> Option<NaiveDateTime> {
        if self.closed.contains(&day) {
            return None;
        }
        let minute = self.openings_of(day).map(|opening| opening.closes).max()?;
        Some(day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute)))
    }

    fn earliest(&self, now: NaiveDateTime) -> NaiveDateTime {
        now + TimeDelta::minutes(i64::from(self.lead_minutes))
    }

    fn openings_of(&self, day: NaiveDate) -> impl Iterator<Item = &Opening> {
        let weekday = day.weekday().number_from_monday();
        self.openings.iter().filter(move |opening| u32::from(opening.weekday) == weekday)
    }
}

/// Reads the hours of one weekday as people write them: `09:00-13:00, 14:00-18:00`; nothing written is closed.
pub fn read_hours(weekday: u8, text: &str) -> Option<Vec<Opening>> {
    let minute = |text: &str| {
        let (hours, minutes) = text.trim().split_once(':')?;
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        (minutes < 60).then_some(hours.checked_mul(60)? + minutes)
    };
    let stretches = text.split(',').map(str::trim).filter(|stretch| !stretch.is_empty());
    let openings: Option<Vec<Opening>> = stretches
        .map(|stretch| {
            let (opens, closes) = stretch.split_once(['-', '–'])?;
            Opening::new(weekday, minute(opens)?, minute(closes)?)
        })
        .collect();
    let mut openings = openings?;
    openings.sort_by_key(|opening| opening.opens);
    let apart = openings.windows(2).all(|pair| pair[0].closes <= pair[1].opens);
    apart.then_some(openings)
}

/// Writes the hours of one weekday as [`read_hours`] takes them.
pub fn write_hours(weekday: u8, openings: &[Opening]) -> String {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let of_day = openings.iter().filter(|opening| opening.weekday == weekday);
    of_day.map(|o| format!("{}-{}", clock(o.opens), clock(o.closes))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    fn weekdays() -> Timetable {
        let openings = (1..=5).flat_map(|d| [Opening::new(d, 540, 720), Opening::new(d, 780, 1020)]).flatten();
        Timetable {
            openings: openings.collect(),
            closed: vec!["2026-12-25".parse().unwrap()],
            slot_minutes: 30,
            capacity: 2,
            lead_minutes: 120,
            horizon_days: 21,
        }
    }

    #[test]
    fn a_break_has_no_slots() {
        let slots = weekdays().slots_on("2026-12-01".parse().unwrap());
        assert_eq!(slots.len(), 6 + 8);
        assert!(slots.iter().all(|s| s.ends <= at("2026-12-01 12:00") || s.starts >= at("2026-12-01 13:00")));
    }

    #[test]
    fn nothing_is_bookable_within_the_lead_time() {
        let first = weekdays().slots(at("2026-12-01 09:10"))[0];
        assert_eq!(first.starts, at("2026-12-01 11:30"));
    }

    #[test]
    fn weekends_and_closed_days_have_no_slots() {
        let table = weekdays();
        for day in ["2026-12-05", "2026-12-06", "2026-12-25"] {
            assert!(table.slots_on(day.parse().unwrap()).is_empty(), "{day}");
        }
    }

    #[test]
    fn working_days_skip_weekends_and_holidays() {
        let table = weekdays();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(table.working_day_after(day("2026-12-24"), 1), day("2026-12-28"));
        assert_eq!(table.working_day_after(day("2026-12-04"), 2), day("2026-12-08"));
        assert_eq!(table.working_day_after(day("2026-12-04"), 0), day("2026-12-04"));
        assert_eq!(Timetable::default().working_day_after(day("2026-12-04"), 3), day("2026-12-07"));
    }

    #[test]
    fn hours_are_read_as_people_write_them_and_written_back() {
        let text = "09:00-13:00, 14:30-18:00";
        assert_eq!(write_hours(2, &read_hours(2, text).unwrap()), text);
        assert_eq!(
            read_hours(1, " 14:00 – 24:00,9:00-12:00 ").map(|o| write_hours(1, &o)),
            Some("09:00-12:00, 14:00-24:00".into())
        );
        assert_eq!(read_hours(1, ""), Some(vec![]));
        for wrong in
            ["9-13", "13:00-09:00", "09:60-10:00", "09:00-25:00", "09:00-12:00, 11:00-13:00", "x", "99999:00-1:00"]
        {
            assert_eq!(read_hours(1, wrong), None, "{wrong}");
        }
    }

    prop_compose! {
        fn timetable()(
            raw in prop::collection::vec((1u8..=7, 0u16..1440, 1u16..=1440), 0..12),
            closed in prop::collection::vec(0u64..40, 0..6),
            slot_minutes in 0u16..240, lead_minutes in 0u32..6000, horizon_days in 0u16..40,
        ) -> Timetable {
            let base: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
            Timetable {
                openings: raw.into_iter().filter_map(|(day, a, b)| Opening::new(day, a.min(b), a.max(b))).collect(),
                closed: closed.into_iter().map(|n| base + Days::new(n)).collect(),
                slot_minutes, capacity: 1, lead_minutes, horizon_days,
            }
        }
    }

    proptest! {
        #[test]
        fn every_slot_lies_within_hours_and_after_the_lead_time(table in timetable(), minute in 0i64..1440) {
            let now = at("2026-11-22 00:00") + TimeDelta::minutes(minute);
            let midnight = |t: NaiveDateTime| t.date().and_time(NaiveTime::MIN);
            for slot in table.slots(now) {
                prop_assert!(slot.starts >= now + TimeDelta::minutes(i64::from(table.lead_minutes)));
                prop_assert!((slot.starts.date() - now.date()).num_days() <= i64::from(table.horizon_days));
                prop_assert!(!table.closed.contains(&slot.starts.date()));
                let (from, until) = ((slot.starts - midnight(slot.starts)).num_minutes(),
                                     (slot.ends - midnight(slot.starts)).num_minutes());
                prop_assert_eq!(until - from, i64::from(table.slot_minutes));
                prop_assert!(table.openings_of(slot.starts.date())
                    .any(|o| i64::from(o.opens) <= from && until <= i64::from(o.closes)));
                prop_assert_eq!(table.slot_at(slot.starts, now), Some(slot));
            }
        }

        #[test]
        fn slots_are_in_order_and_each_start_stands_once(table in timetable()) {
            let slots = table.slots(at("2026-11-22 08:00"));
            prop_assert!(slots.windows(2).all(|pair| pair[0].starts < pair[1].starts));
        }

        #[test]
        fn what_is_not_offered_cannot_be_asked_for(table in timetable(), minute in 0i64..57_600) {
            let now = at("2026-11-22 08:00");
            let wanted = now + TimeDelta::minutes(minute);
            let offered = table.slots(now).iter().any(|slot| slot.starts == wanted);
            prop_assert_eq!(table.slot_at(wanted, now).is_some(), offered);
        }
    }
}
