//! The learner's side of a course: how hard it is, what it needs before, what is said in advance of a session, and
//! how a missed session is made up.

use super::{ClassState, EnrolmentState, Mark, Policy, Refusal, Seats, words};
use crate::calendar::domain::Span;
use chrono::{DateTime, Utc};

words! {
    /// How much a course takes for granted.
    Level { Beginner = "beginner", Intermediate = "intermediate", Advanced = "advanced" }
}

words! {
    /// What happens to who lacks a course that has to come before.
    NeedsRule { Warn = "warn", Require = "require" }
}

words! {
    /// Who sees a material.
    Audience { Enrolled = "enrolled", Everyone = "everyone" }
}

words! {
    /// What a learner says in advance of a session.
    Announced { Late = "late", Absent = "absent" }
}

/// Largest file of a course, in megabytes and in bytes.
pub const FILE_MEGABYTES: u32 = 20;
pub const FILE_BYTES: usize = FILE_MEGABYTES as usize * 1024 * 1024;

/// Whether somebody may enrol who lacks these courses. Staff are exempt.
pub fn require(rule: NeedsRule, missing: Vec<String>, staff: bool) -> Result<(), Refusal> {
    match rule {
        NeedsRule::Require if !staff && !missing.is_empty() => Err(Refusal::NeedsBefore { courses: missing }),
        NeedsRule::Require | NeedsRule::Warn => Ok(()),
    }
}

/// Whether something can still be said in advance of a session: by who has a seat, until it is over.
pub fn announce(state: EnrolmentState, session: Span, now: DateTime<Utc>) -> Result<(), Refusal> {
    match state {
        EnrolmentState::Booked if now < session.until => Ok(()),
        EnrolmentState::Booked => Err(Refusal::SessionOver { at: session.until }),
        _ => Err(Refusal::NotEnrolled),
    }
}

/// Whether a mark means that the session was missed and may be made up.
pub fn missed(mark: Option<Mark>) -> bool {
    matches!(mark, Some(Mark::Absent | Mark::Excused))
}

/// Whether somebody misses a session: by its mark, or because they said that they cannot come and nobody has marked them.
pub fn misses(mark: Option<Mark>, said: Option<Announced>) -> bool {
    missed(mark) || (mark.is_none() && said == Some(Announced::Absent))
}

/// Whether a make-up with this mark still stands: it is to come, or the learner was there.
pub fn stands(mark: Option<Mark>) -> bool {
    !missed(mark)
}

/// The session in which somebody wants to be a guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Host {
    pub same_course: bool,
    /// Its place among the sessions of its class, from 1.
    pub number: usize,
    pub class: ClassState,
    /// The seats of its class, of which no guest has been taken off.
    pub seats: Seats,
    pub policy: Policy,
    pub guests: i64,
    pub span: Span,
}

impl Host {
    /// Seats of this very session that nobody has.
    pub fn free(&self) -> i64 {
        (self.seats.capacity - self.seats.taken - self.seats.held - self.guests).max(0)
    }

    /// Whether who missed session `number` of a class of the course may sit in here. Nobody passes those who wait in
    /// line for a seat in the whole class.
    pub fn admits(&self, number: usize, now: DateTime<Utc>) -> Result<(), Refusal> {
        if !self.same_course || self.number != number {
            return Err(Refusal::NotEqual);
        }
        if !matches!(self.class, ClassState::Open | ClassState::Running) {
            return Err(Refusal::NotOpen { state: self.class });
        }
        if now >= self.span.from {
            return Err(Refusal::MakeUpBegun { at: self.span.from });
        }
        let line = self.seats.waiting > 0 && !self.policy.is_frozen(now);
        if line || self.free() == 0 { Err(Refusal::SessionFull) } else { Ok(()) }
    }
}

/// What counts for passing: where a missed session was made up, the mark of the make-up.
pub fn counted(own: Mark, made_up: Option<Mark>) -> Mark {
    match made_up {
        Some(mark) if missed(Some(own)) => mark,
        _ => own,
    }
}

/// What a material is, by its first bytes; names and declared types are never believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    Pdf,
    Picture,
}

/// Tells a PDF and pictures from everything else.
pub fn sniff(bytes: &[u8]) -> Option<FileKind> {
    match bytes {
        [b'%', b'P', b'D', b'F', b'-', ..] => Some(FileKind::Pdf),
        [0xFF, 0xD8, 0xFF, ..] | [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Some(FileKind::Picture),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(FileKind::Picture),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;
    use proptest::prelude::*;

    fn span() -> Span {
        let from: DateTime<Utc> = "2026-12-01T09:00:00Z".parse().unwrap();
        Span { from, until: from + Duration::hours(2) }
    }

    fn host() -> Host {
        Host {
            same_course: true,
            number: 2,
            class: ClassState::Open,
            seats: Seats { capacity: 5, taken: 3, held: 0, waiting: 0 },
            policy: Policy::new(span().from, 48),
            guests: 1,
            span: span(),
        }
    }

    #[test]
    fn who_lacks_a_course_is_warned_or_refused_as_the_course_says_and_staff_never() {
        let missing = || vec!["Basics".to_owned()];
        assert_eq!(require(NeedsRule::Warn, missing(), false), Ok(()));
        assert_eq!(require(NeedsRule::Require, missing(), true), Ok(()));
        assert_eq!(require(NeedsRule::Require, vec![], false), Ok(()));
        assert_eq!(require(NeedsRule::Require, missing(), false), Err(Refusal::NeedsBefore { courses: missing() }));
    }

    #[test]
    fn one_can_say_it_until_the_session_is_over() {
        let at = span();
        assert_eq!(announce(EnrolmentState::Booked, at, at.until - Duration::seconds(1)), Ok(()));
        assert_eq!(announce(EnrolmentState::Booked, at, at.until), Err(Refusal::SessionOver { at: at.until }));
        for state in [EnrolmentState::Waitlisted, EnrolmentState::Offered, EnrolmentState::Cancelled] {
            assert_eq!(announce(state, at, at.from), Err(Refusal::NotEnrolled));
        }
    }

    #[test]
    fn who_cannot_come_misses_the_session_unless_they_came() {
        assert!(misses(None, Some(Announced::Absent)) && misses(Some(Mark::Excused), None));
        assert!(!misses(Some(Mark::Present), Some(Announced::Absent)) && !misses(None, Some(Announced::Late)));
        assert!(!misses(None, None));
    }

    #[test]
    fn a_session_is_made_up_only_in_its_equal_with_a_free_seat_before_it_begins() {
        let before = span().from - Duration::days(1);
        assert_eq!(host().admits(2, before), Ok(()));
        assert_eq!(host().admits(1, before), Err(Refusal::NotEqual));
        assert_eq!(Host { same_course: false, ..host() }.admits(2, before), Err(Refusal::NotEqual));
        assert_eq!(host().admits(2, span().from), Err(Refusal::MakeUpBegun { at: span().from }));
        assert_eq!(Host { guests: 2, ..host() }.admits(2, before), Err(Refusal::SessionFull));
        let cancelled = Host { class: ClassState::Cancelled, ..host() };
        assert_eq!(cancelled.admits(2, before), Err(Refusal::NotOpen { state: ClassState::Cancelled }));
    }

    #[test]
    fn a_guest_does_not_pass_those_who_wait_until_the_line_is_closed() {
        let line = Host { seats: Seats { waiting: 1, ..host().seats }, ..host() };
        assert_eq!(line.admits(2, span().from - Duration::days(1)), Err(Refusal::SessionFull));
        assert_eq!(line.admits(2, span().from - Duration::minutes(30)), Ok(()));
    }

    #[test]
    fn a_make_up_counts_for_what_was_missed_and_for_nothing_else() {
        assert_eq!(counted(Mark::Absent, Some(Mark::Present)), Mark::Present);
        assert_eq!(counted(Mark::Excused, None), Mark::Excused);
        assert_eq!(counted(Mark::Partial, Some(Mark::Present)), Mark::Partial);
    }

    #[test]
    fn a_file_is_what_its_bytes_say() {
        assert_eq!(sniff(b"%PDF-1.7"), Some(FileKind::Pdf));
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n...."), Some(FileKind::Picture));
        for other in [&b"<html>"[..], b"MZ", b"", b"PK\x03\x04", b"<svg xmlns="] {
            assert_eq!(sniff(other), None);
        }
    }

    proptest! {
        #[test]
        fn a_session_is_never_fuller_than_its_class_may_be(
            capacity in 1..20_i64, taken in 0..20_i64, held in 0..5_i64, guests in 0..20_i64, waiting in 0..2_i64
        ) {
            let host = Host { seats: Seats { capacity, taken, held, waiting }, guests, ..host() };
            if host.admits(2, span().from - Duration::days(1)).is_ok() {
                prop_assert!(taken + held + guests < capacity);
            }
        }

        #[test]
        fn making_up_never_makes_a_mark_worse(
            own in prop::sample::select(Mark::ALL), made in prop::option::of(prop::sample::select(&[Mark::Present, Mark::Late, Mark::Partial][..]))
        ) {
            let share = |mark| super::super::Share::of([mark], 1).percent();
            prop_assert!(share(counted(own, made)) >= share(own));
        }
    }
}
