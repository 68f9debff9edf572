//! Around the room: for which session somebody checks in, codes that are typed, seats that staff give, cells of a file.

use super::{ClassState, Mark, Policy, Refusal, Seats};
use crate::calendar::domain::Span;
use chrono::{DateTime, NaiveDate, Utc};

impl Mark {
    /// Whether somebody was in the room, for however long.
    pub fn is_here(self) -> bool {
        matches!(self, Self::Present | Self::Late | Self::Partial)
    }
}

/// The session that somebody who stands in the door today comes for: the one that is on or next, else the last of the
/// day. `sessions` in order, each with its day at the place.
pub fn of_the_day(sessions: &[(NaiveDate, Span)], today: NaiveDate, now: DateTime<Utc>) -> Option<usize> {
    let of_today = || sessions.iter().enumerate().filter(|(_, (day, _))| *day == today);
    of_today().find(|(_, (_, span))| now < span.until).or_else(|| of_today().next_back()).map(|(place, _)| place)
}

/// Of the sessions of one day, each with whether somebody is marked in it: the one that is on or next, else the last in
/// which they are not.
pub fn to_check_in(sessions: &[(Span, bool)], now: DateTime<Utc>) -> Option<usize> {
    let coming = sessions.iter().enumerate().filter(|(_, (span, _))| now < span.until);
    let over = sessions.iter().enumerate().max_by_key(|(_, (span, marked))| (!marked, span.from));
    coming.min_by_key(|(_, (span, _))| span.from).or(over).map(|(place, _)| place)
}

/// Letters and digits that nobody takes for one another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Six characters to say or to type, out of at least four bytes of a tag.
pub fn spoken(tag: &[u8]) -> String {
    let bits = tag.iter().take(4).fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte));
    (0..6).map(|place| char::from(LETTERS[((bits >> (27 - 5 * place)) & 31) as usize])).collect()
}

/// What somebody typed, as [`spoken`] writes it.
pub fn typed(text: &str) -> String {
    let letter = |c: char| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    text.chars().filter(char::is_ascii_alphanumeric).map(letter).collect()
}

/// Whether staff may seat somebody who stands in the door. While the line is open its people come first.
pub fn walk_in(
    state: ClassState,
    seats: &Seats,
    policy: &Policy,
    ends: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    if !matches!(state, ClassState::Open | ClassState::Running) {
        return Err(Refusal::NotOpen { state });
    }
    if ends <= now {
        return Err(Refusal::NotOpen { state: ClassState::Completed });
    }
    seat(seats, policy, now)
}

/// Whether staff may move somebody into a class from another one of the course.
pub fn move_in(state: ClassState, seats: &Seats, policy: &Policy, now: DateTime<Utc>) -> Result<(), Refusal> {
    if state != ClassState::Open {
        return Err(Refusal::NotOpen { state });
    }
    if policy.has_started(now) {
        return Err(Refusal::Started { at: policy.starts });
    }
    seat(seats, policy, now)
}

fn seat(seats: &Seats, policy: &Policy, now: DateTime<Utc>) -> Result<(), Refusal> {
    if seats.free() == 0 {
        return Err(Refusal::NoSeat);
    }
    if seats.waiting > 0 && !policy.is_frozen(now) {
        return Err(Refusal::OthersWait { people: seats.waiting });
    }
    Ok(())
}

/// Whether staff may seat somebody from the line, and whether that needs one more chair.
pub fn promote(
    state: ClassState,
    seats: &Seats,
    policy: &Policy,
    one_more: bool,
    now: DateTime<Utc>,
) -> Result<bool, Refusal> {
    if state != ClassState::Open {
        return Err(Refusal::NotOpen { state });
    }
    if policy.has_started(now) {
        return Err(Refusal::Started { at: policy.starts });
    }
    match (seats.free(), one_more) {
        (0, false) => Err(Refusal::NoSeat),
        (free, _) => Ok(free == 0),
    }
}

/// A cell of a file that spreadsheets open: what begins like a formula is text there too.
pub fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;
    use proptest::prelude::*;

    fn policy() -> Policy {
        Policy::new("2026-12-01T09:00:00Z".parse().unwrap(), 48)
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn whoever_stands_in_the_door_comes_for_the_session_that_is_on_or_next() {
        let starts = policy().starts;
        let span = |hour: i64| Span { from: starts + Duration::hours(hour), until: starts + Duration::hours(hour + 2) };
        let (first, second) = (day("2026-12-01"), day("2026-12-02"));
        let sessions = [(first, span(0)), (first, span(4)), (second, span(24))];
        let at = |hour| of_the_day(&sessions, first, starts + Duration::hours(hour));
        assert_eq!((at(-1), at(1), at(3), at(9)), (Some(0), Some(0), Some(1), Some(1)));
        assert_eq!(of_the_day(&sessions, second, starts), Some(2));
        assert_eq!(of_the_day(&sessions, day("2026-12-03"), starts), None);
    }

    #[test]
    fn whoever_has_several_sessions_on_a_day_checks_in_to_the_one_that_is_on_or_next() {
        let starts = policy().starts;
        let span = |hour: i64| Span { from: starts + Duration::hours(hour), until: starts + Duration::hours(hour + 2) };
        let at = |sessions: &[(Span, bool)], hour| to_check_in(sessions, starts + Duration::hours(hour));
        let day = [(span(0), true), (span(8), false), (span(4), false)];
        assert_eq!((at(&day, -1), at(&day, 1), at(&day, 3), at(&day, 7)), (Some(0), Some(0), Some(2), Some(1)));
        assert_eq!(at(&day, 12), Some(1), "the last");
        assert_eq!(at(&[(span(0), false), (span(4), true)], 12), Some(0), "the one that is not marked");
        assert_eq!(at(&[(span(0), true), (span(4), true)], 12), Some(1));
        assert_eq!(at(&[], 1), None);
    }

    #[test]
    fn a_code_survives_being_said_and_typed() {
        assert_eq!(typed(" o1-iL "), "0111");
        assert_eq!(spoken(&[0, 0, 0, 0]), "000000");
        assert_eq!(spoken(&[255, 255, 255, 255]), "ZZZZZZ");
    }

    #[test]
    fn staff_seat_nobody_past_an_open_line_and_nobody_on_a_chair_that_is_not_there() {
        let (p, free) = (policy(), Seats { capacity: 3, taken: 1, held: 0, waiting: 0 });
        let (early, late) = (p.starts - Duration::days(3), p.starts - Duration::minutes(5));
        let ends = p.starts + Duration::hours(3);
        let waiting = Seats { waiting: 2, ..free };
        assert_eq!(walk_in(ClassState::Open, &free, &p, ends, early), Ok(()));
        assert_eq!(walk_in(ClassState::Open, &waiting, &p, ends, early), Err(Refusal::OthersWait { people: 2 }));
        assert_eq!(walk_in(ClassState::Open, &waiting, &p, ends, late), Ok(()));
        assert_eq!(walk_in(ClassState::Running, &free, &p, ends, p.starts), Ok(()));
        assert!(walk_in(ClassState::Running, &free, &p, ends, ends).is_err());
        assert_eq!(move_in(ClassState::Open, &free, &p, p.starts), Err(Refusal::Started { at: p.starts }));
        let full = Seats { taken: 3, ..waiting };
        assert_eq!(walk_in(ClassState::Open, &full, &p, ends, late), Err(Refusal::NoSeat));
        assert_eq!(promote(ClassState::Open, &full, &p, false, early), Err(Refusal::NoSeat));
        assert_eq!(promote(ClassState::Open, &full, &p, true, early), Ok(true));
        assert_eq!(promote(ClassState::Open, &waiting, &p, true, late), Ok(false));
        assert!(promote(ClassState::Running, &waiting, &p, true, p.starts).is_err());
    }

    #[test]
    fn no_cell_is_a_formula() {
        for evil in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(cell(evil), format!("'{evil}"));
        }
        assert_eq!(cell("Ann-Marie = x"), "Ann-Marie = x");
    }

    proptest! {
        #[test]
        fn every_code_is_typed_as_it_was_spoken(tag in prop::array::uniform4(any::<u8>())) {
            let code = spoken(&tag);
            prop_assert_eq!(code.len(), 6);
            prop_assert_eq!(typed(&code.to_lowercase()), code);
        }
    }
}
