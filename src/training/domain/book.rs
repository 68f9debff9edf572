//! The whole enrolment book of one class in memory: what the store does in SQL, in thirty lines that can be read. It is
//! the yardstick that the tests hold the database to.

use super::{ClassState, Ending, EnrolmentState, Policy, Refusal, Seating, Seats, enrolment};
use crate::values::PersonId;
use chrono::{DateTime, Utc};

/// One line of the book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub person: PersonId,
    pub state: EnrolmentState,
    pub offered_until: Option<DateTime<Utc>>,
    pub ended: Option<Ending>,
}

/// The lines of one class in the order in which people came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Book {
    pub state: ClassState,
    pub capacity: i64,
    pub policy: Policy,
    pub lines: Vec<Line>,
}

impl Book {
    /// An open class without learners.
    pub fn open(capacity: i64, policy: Policy) -> Self {
        Self { state: ClassState::Open, capacity, policy, lines: Vec::new() }
    }

    /// The counters, counted.
    pub fn seats(&self) -> Seats {
        let count = |state| self.lines.iter().filter(|line| line.state == state).count() as i64;
        Seats {
            capacity: self.capacity,
            taken: count(EnrolmentState::Booked),
            held: count(EnrolmentState::Offered),
            waiting: count(EnrolmentState::Waitlisted),
        }
    }

    /// The active line of a person.
    pub fn line(&self, person: PersonId) -> Option<&Line> {
        self.lines.iter().find(|line| line.person == person && line.state.is_active())
    }

    /// The place of a person in line, from 1.
    pub fn position(&self, person: PersonId) -> Option<usize> {
        let mut waiting = self.lines.iter().filter(|line| line.state == EnrolmentState::Waitlisted);
        waiting.position(|line| line.person == person).map(|place| place + 1)
    }

    /// Enrols, or joins the line; who is in it already stays where they are, except that a free seat can be taken from
    /// the line once the waitlist is closed.
    pub fn enrol(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        let seating = enrolment::enrol(self.state, &self.seats(), &self.policy, now)?;
        match (self.active(person), seating) {
            (Some(line), Seating::Booked) if line.state == EnrolmentState::Waitlisted => {
                line.state = EnrolmentState::Booked;
            }
            (Some(_), _) => {}
            (None, seating) => {
                let state = match seating {
                    Seating::Booked => EnrolmentState::Booked,
                    Seating::Waitlisted => EnrolmentState::Waitlisted,
                };
                self.lines.push(Line { person, state, offered_until: None, ended: None });
            }
        }
        Ok(())
    }

    pub fn accept(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        let line = self.active(person).ok_or(Refusal::NoOffer)?;
        line.state = enrolment::accept(line.state, line.offered_until, now)?;
        line.offered_until = None;
        Ok(())
    }

    pub fn decline(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        let line = self.active(person).ok_or(Refusal::NoOffer)?;
        line.end(enrolment::decline(line.state)?, Ending::Declined);
        self.pass_on(now);
        Ok(())
    }

    pub fn cancel(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<EnrolmentState, Refusal> {
        let policy = self.policy;
        let line = self.active(person).ok_or(Refusal::NotEnrolled)?;
        let state = enrolment::cancel(line.state, &policy, now)?;
        line.end(state, Ending::Cancelled);
        self.pass_on(now);
        Ok(state)
    }

    /// Ends every offer whose time is over and passes the seats on.
    pub fn expire(&mut self, now: DateTime<Utc>) {
        for line in &mut self.lines {
            if enrolment::is_expired(line.state, line.offered_until, now) {
                line.end(EnrolmentState::Cancelled, Ending::Expired);
            }
        }
        self.pass_on(now);
    }

    pub fn resize(&mut self, capacity: i64, now: DateTime<Utc>) -> Result<(), Refusal> {
        self.capacity = self.seats().resize(capacity)?.capacity;
        self.pass_on(now);
        Ok(())
    }

    pub fn cancel_class(&mut self) -> Result<(), Refusal> {
        self.state = self.state.cancel()?;
        for line in self.lines.iter_mut().filter(|line| line.state.is_active()) {
            line.end(EnrolmentState::Cancelled, Ending::ClassCancelled);
        }
        Ok(())
    }

    /// Offers free seats to the first in line.
    fn pass_on(&mut self, now: DateTime<Utc>) {
        while let Some(until) = enrolment::next_offer(self.state, &self.seats(), &self.policy, now) {
            let Some(line) = self.lines.iter_mut().find(|line| line.state == EnrolmentState::Waitlisted) else {
                return;
            };
            line.state = EnrolmentState::Offered;
            line.offered_until = Some(until);
        }
    }

    fn active(&mut self, person: PersonId) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.person == person && line.state.is_active())
    }
}

impl Line {
    fn end(&mut self, state: EnrolmentState, why: Ending) {
        self.state = state;
        self.offered_until = None;
        self.ended = Some(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn person(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    fn policy() -> Policy {
        Policy::new("2026-12-01T09:00:00Z".parse().unwrap(), 48)
    }

    #[test]
    fn two_hundred_learners_for_fifty_seats_are_fifty_booked_and_a_line_without_gaps() {
        let now = policy().starts - Duration::days(20);
        let mut book = Book::open(50, policy());
        for n in 0..200 {
            book.enrol(person(n), now).unwrap();
        }
        assert_eq!(book.seats(), Seats { capacity: 50, taken: 50, held: 0, waiting: 150 });
        assert!((50..200).all(|n| book.position(person(n)) == Some(n as usize - 49)));
    }

    #[test]
    fn a_freed_seat_goes_down_the_line_until_somebody_takes_it() {
        let now = policy().starts - Duration::days(20);
        let mut book = Book::open(1, policy());
        for n in 0..4 {
            book.enrol(person(n), now).unwrap();
        }
        book.cancel(person(0), now).unwrap();
        assert_eq!(book.line(person(1)).unwrap().state, EnrolmentState::Offered);
        book.decline(person(1), now).unwrap();
        let late = now + Duration::hours(25);
        book.expire(late);
        assert_eq!(book.line(person(2)), None, "the offer to the second expired");
        book.accept(person(3), late).unwrap();
        assert_eq!(book.seats(), Seats { capacity: 1, taken: 1, held: 0, waiting: 0 });
    }

    #[derive(Clone, Debug)]
    enum Step {
        Enrol(u128),
        Accept(u128),
        Decline(u128),
        Cancel(u128),
        Wait(i64),
        Resize(i64),
        CancelClass,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..12_u128).prop_map(Step::Enrol),
            3 => (0..12_u128).prop_map(Step::Accept),
            2 => (0..12_u128).prop_map(Step::Decline),
            4 => (0..12_u128).prop_map(Step::Cancel),
            4 => (1..2_000_i64).prop_map(Step::Wait),
            1 => (1..8_i64).prop_map(Step::Resize),
            1 => prop::bool::weighted(0.1).prop_map(|yes| if yes { Step::CancelClass } else { Step::Wait(1) }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn the_book_is_never_oversold_and_the_line_is_never_jumped(
            capacity in 1..6_i64, steps in prop::collection::vec(step(), 1..80)
        ) {
            let p = policy();
            let mut book = Book::open(capacity, p);
            let mut now = p.starts - Duration::days(8);
            for step in steps {
                let before = book.clone();
                match step {
                    Step::Enrol(n) => { let _ = book.enrol(person(n), now); }
                    Step::Accept(n) => { let _ = book.accept(person(n), now); }
                    Step::Decline(n) => { let _ = book.decline(person(n), now); }
                    Step::Cancel(n) => { let _ = book.cancel(person(n), now); }
                    Step::Wait(minutes) => { now += Duration::minutes(minutes); book.expire(now); }
                    Step::Resize(capacity) => { let _ = book.resize(capacity, now); }
                    Step::CancelClass => { let _ = book.cancel_class(); }
                }
                let seats = book.seats();
                prop_assert!(seats.taken + seats.held <= seats.capacity);
                for n in 0..12 {
                    let active = book.lines.iter().filter(|l| l.person == person(n) && l.state.is_active()).count();
                    prop_assert!(active <= 1);
                }
                // A seat is never left free while somebody waits and offers may still be made.
                if book.state == ClassState::Open && !p.is_frozen(now) {
                    prop_assert!(seats.free() == 0 || seats.waiting == 0, "{:?}", seats);
                }
                // New offers go to the head of the line, end in time, and nothing that ended comes back.
                let heads: Vec<usize> = (0..before.lines.len())
                    .filter(|&i| before.lines[i].state == EnrolmentState::Waitlisted && book.lines[i].state == EnrolmentState::Waitlisted)
                    .collect();
                for (i, line) in book.lines.iter().enumerate() {
                    let was = before.lines.get(i).map(|l| l.state);
                    if line.state == EnrolmentState::Offered && was == Some(EnrolmentState::Waitlisted) {
                        prop_assert!(heads.iter().all(|&still| still > i), "somebody was passed over");
                        prop_assert!(!p.is_frozen(now));
                        prop_assert!(line.offered_until.is_some_and(|until| now < until && until <= p.freezes_at()));
                    }
                    if was.is_some_and(|state| !state.is_active()) {
                        prop_assert_eq!(Some(line.state), was);
                    }
                    if book.state == ClassState::Cancelled {
                        prop_assert!(!line.state.is_active());
                    }
                }
            }
        }
    }
}
