//! Calendar files (RFC 5545) that calendar programs import or subscribe to.

use crate::calendar::domain::Span;
use chrono::{DateTime, Days, Duration, NaiveDate, Offset, TimeZone, Utc};
use chrono_tz::{OffsetComponents, OffsetName, Tz};
use icalendar::{Calendar, CalendarDateTime, Component, Event, EventLike, EventStatus, Property};
use std::collections::BTreeMap;
use std::fmt::Write;

/// One appointment as calendar programs see it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Stays the same for ever, through every change.
    pub uid: String,
    /// Rises with changes of time or place.
    pub sequence: u32,
    pub changed: DateTime<Utc>,
    pub span: Span,
    /// The zone of the place, whose wall clock is shown.
    pub zone: Tz,
    pub title: String,
    pub text: String,
    pub place: String,
    pub url: String,
    pub status: Status,
}

/// Whether it takes place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    Confirmed,
    /// Not certain yet: a place in line.
    Tentative,
    Cancelled,
}

/// A published calendar with all zones that its entries need.
pub fn file(name: &str, entries: &[Entry]) -> String {
    let mut calendar = Calendar::empty();
    for (key, value) in
        [("VERSION", "2.0"), ("PRODID", "-//Aftercare//Portal//EN"), ("CALSCALE", "GREGORIAN"), ("METHOD", "PUBLISH")]
    {
        calendar.append_property(Property::new(key, value));
    }
    calendar.name(&one_line(name));
    for entry in entries {
        calendar.push(event(entry));
    }
    let text = calendar.to_string();
    // Zones must precede the events that name them; the crate writes none.
    let zones = zones(entries);
    let split = text.find("BEGIN:VEVENT").or_else(|| text.find("END:VCALENDAR")).unwrap_or(text.len());
    let (head, tail) = text.split_at(split);
    format!("{head}{zones}{tail}")
}

/// Without controls: not every property is escaped by the crate, and a line end would start another property.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn event(entry: &Entry) -> Event {
    let mut event = Event::new();
    event.uid(&one_line(&entry.uid)).sequence(entry.sequence).timestamp(entry.changed).last_modified(entry.changed);
    event.summary(&entry.title).description(&entry.text).location(&entry.place);
    event.status(match entry.status {
        Status::Confirmed => EventStatus::Confirmed,
        Status::Tentative => EventStatus::Tentative,
        Status::Cancelled => EventStatus::Cancelled,
    });
    // A cancelled or uncertain appointment blocks nobody's day.
    let transparent = if entry.status == Status::Confirmed { "OPAQUE" } else { "TRANSPARENT" };
    event.add_property("TRANSP", transparent);
    if !entry.url.is_empty() {
        event.url(&one_line(&entry.url));
    }
    event.starts(CalendarDateTime::from(&entry.span.from.with_timezone(&entry.zone)));
    event.ends(CalendarDateTime::from(&entry.span.until.with_timezone(&entry.zone)));
    event.done()
}

/// A VTIMEZONE for every zone that entries stand in, with the changes of its clocks around them.
fn zones(entries: &[Entry]) -> String {
    let mut years: BTreeMap<&str, (Tz, DateTime<Utc>, DateTime<Utc>)> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.zone != Tz::UTC) {
        let Span { from, until } = entry.span;
        years
            .entry(entry.zone.name())
            .and_modify(|(_, first, last)| (*first, *last) = ((*first).min(from), (*last).max(until)))
            .or_insert((entry.zone, from, until));
    }
    years.into_values().map(|(zone, first, last)| vtimezone(zone, first, last)).collect()
}

fn vtimezone(zone: Tz, first: DateTime<Utc>, last: DateTime<Utc>) -> String {
    let from = first - Duration::days(366);
    let mut out = format!("BEGIN:VTIMEZONE\r\nTZID:{}\r\n", zone.name());
    // What held before the first change that is listed.
    observance(
        &mut out,
        zone,
        from,
        from,
        NaiveDate::from_ymd_opt(1970, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0)),
    );
    let mut at = from;
    let end = last + Duration::days(366);
    while at < end {
        let next = at.checked_add_days(Days::new(1)).unwrap_or(end);
        if offset(zone, at) != offset(zone, next) {
            let change = bisect(zone, at, next);
            observance(&mut out, zone, at, change, None);
        }
        at = next;
    }
    out.push_str("END:VTIMEZONE\r\n");
    out
}

/// The first second at which the later offset holds.
fn bisect(zone: Tz, mut before: DateTime<Utc>, mut after: DateTime<Utc>) -> DateTime<Utc> {
    let old = offset(zone, before);
    while after - before > Duration::seconds(1) {
        let middle = before + (after - before) / 2;
        if offset(zone, middle) == old { before = middle } else { after = middle }
    }
    // Halves of odd spans leave fractions; clocks change on whole seconds.
    Utc.timestamp_opt(after.timestamp(), 0).single().unwrap_or(after)
}

fn observance(
    out: &mut String,
    zone: Tz,
    before: DateTime<Utc>,
    change: DateTime<Utc>,
    start: Option<chrono::NaiveDateTime>,
) {
    let now = zone.offset_from_utc_datetime(&change.naive_utc());
    let kind = if now.dst_offset() > Duration::zero() { "DAYLIGHT" } else { "STANDARD" };
    let old = offset(zone, before);
    let start = start.unwrap_or_else(|| change.naive_utc() + Duration::seconds(old.into()));
    let name = now.abbreviation().map(|name| format!("TZNAME:{name}\r\n")).unwrap_or_default();
    // Writing into a string cannot fail.
    let _ = write!(
        out,
        "BEGIN:{kind}\r\nDTSTART:{}\r\nTZOFFSETFROM:{}\r\nTZOFFSETTO:{}\r\n{name}END:{kind}\r\n",
        start.format("%Y%m%dT%H%M%S"),
        signed(old),
        signed(offset(zone, change)),
    );
}

fn offset(zone: Tz, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

fn signed(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use icalendar::{DatePerhapsTime, parser};

    fn entry(zone: &str, from: &str) -> Entry {
        let from: DateTime<Utc> = from.parse().unwrap();
        Entry {
            uid: "session-1@aftercare".into(),
            sequence: 2,
            changed: from - Duration::days(30),
            span: Span { from, until: from + Duration::hours(2) },
            zone: zone.parse().unwrap(),
            title: "Accounts; the first, easy steps".into(),
            text: "Line one\nLine two, with a rather long sentence that needs to be folded by whoever writes it".into(),
            place: "Sala Azul, Madrid".into(),
            url: "https://portal.example.com/training/1".into(),
            status: Status::Confirmed,
        }
    }

    #[test]
    fn a_file_is_read_back_by_a_real_parser_with_its_wall_clock() {
        let text = file("My classes", &[entry("Europe/Madrid", "2026-10-31T08:00:00Z")]);
        let calendar: Calendar = parser::read_calendar(&parser::unfold(&text)).unwrap().into();
        let event = calendar.events().next().unwrap();
        assert_eq!(event.get_uid(), Some("session-1@aftercare"));
        assert_eq!(event.get_sequence(), Some(2));
        assert_eq!(event.get_summary(), Some("Accounts; the first, easy steps"));
        match event.get_start() {
            Some(DatePerhapsTime::DateTime(CalendarDateTime::WithTimezone { date_time, tzid })) => {
                assert_eq!((date_time.to_string().as_str(), tzid.as_str()), ("2026-10-31 09:00:00", "Europe/Madrid"));
            }
            other => panic!("{other:?}"),
        }
        assert!(text.lines().all(|line| line.len() <= 76), "{text}");
    }

    #[test]
    fn the_zone_says_when_its_clocks_change() {
        let text = file("x", &[entry("Europe/Madrid", "2026-10-31T08:00:00Z")]);
        let change =
            "BEGIN:STANDARD\r\nDTSTART:20261025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\n";
        assert!(text.contains(change), "{text}");
        assert!(text.find("END:VTIMEZONE").unwrap() < text.find("BEGIN:VEVENT").unwrap());
        assert_eq!(text.matches("BEGIN:VTIMEZONE").count(), 1);
    }

    #[test]
    fn a_zone_without_changes_has_one_observance() {
        let text = file("x", &[entry("Asia/Kolkata", "2026-10-31T08:00:00Z")]);
        assert_eq!(text.matches("BEGIN:STANDARD").count(), 1);
        assert!(text.contains("TZOFFSETTO:+0530"));
    }

    #[test]
    fn a_cancelled_appointment_says_so_and_blocks_nothing() {
        let cancelled = Entry { status: Status::Cancelled, ..entry("UTC", "2026-10-31T08:00:00Z") };
        let text = file("x", &[cancelled]);
        assert!(text.contains("STATUS:CANCELLED") && text.contains("TRANSP:TRANSPARENT"), "{text}");
        assert!(!text.contains("VTIMEZONE"));
    }

    #[test]
    fn no_title_can_add_lines_to_the_file() {
        let evil = Entry {
            title: "A\r\nATTENDEE:mailto:x@y.z".into(),
            url: "https://x.y\r\nX-EVIL:2".into(),
            ..entry("UTC", "2026-10-31T08:00:00Z")
        };
        let text = file("B\r\nX-EVIL:1", &[evil]);
        assert!(!text.contains("\nATTENDEE") && !text.contains("\nX-EVIL"), "{text}");
    }
}
