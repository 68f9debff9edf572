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
    let mut calendar = empty("PUBLISH");
    calendar.name(&one_line(name));
    for entry in entries {
        calendar.push(event(entry));
    }
    with_zones(&calendar, entries)
}

/// What an invitation asks of the reader's calendar program (RFC 5546).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// Keep the appointment, or move it.
    Request,
    /// Take it out.
    Cancel,
}

impl Method {
    /// As tables write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Cancel => "cancel",
        }
    }

    /// As calendars and headers of mail write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

impl TryFrom<String> for Method {
    type Error = String;
    fn try_from(word: String) -> Result<Self, String> {
        match word.as_str() {
            "request" => Ok(Self::Request),
            "cancel" => Ok(Self::Cancel),
            _ => Err(format!("{word:?} is no method")),
        }
    }
}

/// Who invites, and who is invited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Party {
    pub name: String,
    pub email: String,
}

/// One appointment for one person's calendar: one object has one method and one identity (RFC 5546, 3.2.2).
pub fn invitation(method: Method, entry: &Entry, organizer: &Party, attendee: &Party) -> String {
    let mut calendar = empty(method.name());
    let mut event = event(entry);
    let named = |key: &str, party: &Party| {
        let mut property = Property::new(key, format!("mailto:{}", one_line(&party.email)));
        property.add_parameter("CN", &parameter(&party.name));
        property
    };
    event.append_property(named("ORGANIZER", organizer).done());
    // Whoever enrolled has said yes already, so no answer is asked for.
    let mut invited = named("ATTENDEE", attendee);
    for (key, value) in
        [("CUTYPE", "INDIVIDUAL"), ("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", "ACCEPTED"), ("RSVP", "FALSE")]
    {
        invited.add_parameter(key, value);
    }
    event.append_property(invited.done());
    calendar.push(event);
    with_zones(&calendar, std::slice::from_ref(entry))
}

/// Whether two invitations say the same, apart from when they were written and the number of the change.
pub fn says_the_same(one: &str, other: &str) -> bool {
    let stamps = |line: &&str| !["DTSTAMP:", "LAST-MODIFIED:", "SEQUENCE:"].iter().any(|key| line.starts_with(key));
    one.lines().filter(stamps).eq(other.lines().filter(stamps))
}

fn empty(method: &str) -> Calendar {
    let mut calendar = Calendar::empty();
    for (key, value) in
        [("VERSION", "2.0"), ("PRODID", "-//Aftercare//Portal//EN"), ("CALSCALE", "GREGORIAN"), ("METHOD", method)]
    {
        calendar.append_property(Property::new(key, value));
    }
    calendar
}

/// Zones must precede the events that name them; the crate writes none.
fn with_zones(calendar: &Calendar, entries: &[Entry]) -> String {
    let text = calendar.to_string();
    let zones = zones(entries);
    let split = text.find("BEGIN:VEVENT").or_else(|| text.find("END:VCALENDAR")).unwrap_or(text.len());
    let (head, tail) = text.split_at(split);
    format!("{head}{zones}{tail}")
}

/// The value of a parameter has no way to hold a quotation mark.
fn parameter(text: &str) -> String {
    one_line(text).replace('"', "'")
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

    fn invited(method: Method, name: &str) -> String {
        let company = Party { name: "Lumina; Works, \"Madrid\"".into(), email: "service@example.com".into() };
        let learner = Party { name: name.into(), email: "ann@example.org".into() };
        let status = if method == Method::Cancel { Status::Cancelled } else { Status::Confirmed };
        let entry = Entry { status, ..entry("Europe/Madrid", "2026-10-31T08:00:00Z") };
        invitation(method, &entry, &company, &learner)
    }

    /// The lines as they were before they were folded.
    fn unfolded(text: &str) -> Vec<String> {
        text.replace("\r\n ", "").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn an_invitation_names_who_invites_whom_and_asks_for_no_answer() {
        let text = invited(Method::Request, "Ünal \"Ann\" Öztürk: of the very long name, which goes on; and on and on");
        let lines = unfolded(&text);
        assert!(lines.contains(&"METHOD:REQUEST".to_owned()) && lines.contains(&"STATUS:CONFIRMED".to_owned()));
        assert!(
            lines.contains(&"ORGANIZER;CN=\"Lumina; Works, 'Madrid'\":mailto:service@example.com".to_owned()),
            "{text}"
        );
        let attendee = lines.iter().find(|line| line.starts_with("ATTENDEE")).unwrap();
        for part in ["PARTSTAT=ACCEPTED", "RSVP=FALSE", "ROLE=REQ-PARTICIPANT", ":mailto:ann@example.org"] {
            assert!(attendee.contains(part), "{attendee}");
        }
        assert!(attendee.contains("CN=\"Ünal 'Ann' Öztürk: of the very long name, which goes on; and on and on\""));
        let calendar: Calendar = parser::read_calendar(&parser::unfold(&text)).unwrap().into();
        assert_eq!(calendar.events().count(), 1);
        assert_eq!(calendar.events().next().unwrap().get_uid(), Some("session-1@aftercare"));
        // One object: its zone, then its event, and nothing that is published.
        assert!(text.find("END:VTIMEZONE").unwrap() < text.find("BEGIN:VEVENT").unwrap());
        assert!(!text.contains("PUBLISH"));
    }

    #[test]
    fn every_line_ends_in_crlf_has_75_octets_at_most_and_escapes_what_it_must() {
        for text in [invited(Method::Request, &"ग्राहक ".repeat(20)), invited(Method::Cancel, "Ann")] {
            assert!(text.ends_with("END:VCALENDAR\r\n"));
            assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])), "{text}");
            let lines = unfolded(&text);
            assert!(lines.contains(&"SUMMARY:Accounts\\; the first\\, easy steps".to_owned()), "{text}");
            assert!(lines.iter().any(|line| line.starts_with("DESCRIPTION:Line one\\nLine two\\, with")), "{text}");
        }
    }

    #[test]
    fn a_feed_is_published_to_nobody_in_particular() {
        let text = file("x", &[entry("Europe/Madrid", "2026-10-31T08:00:00Z")]);
        assert!(text.contains("METHOD:PUBLISH") && !text.contains("ATTENDEE") && !text.contains("ORGANIZER"));
    }

    #[test]
    fn two_invitations_differ_by_what_they_say_and_not_by_their_stamps() {
        let entry = entry("Europe/Madrid", "2026-10-31T08:00:00Z");
        let party = Party { name: "A".into(), email: "a@example.org".into() };
        let text = |entry: &Entry| invitation(Method::Request, entry, &party, &party);
        let later = Entry { changed: entry.changed + Duration::days(1), sequence: 9, ..entry.clone() };
        assert!(says_the_same(&text(&entry), &text(&later)));
        assert!(!says_the_same(&text(&entry), &text(&Entry { place: "Elsewhere".into(), ..entry.clone() })));
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
