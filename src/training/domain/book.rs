//! The whole enrolment book of one class in memory: what the store does in SQL, in thirty lines that can be read. It is
//! the yardstick that the tests hold the database to.

use super::{
    ClassState, Ending, EnrolmentState, Policy, Refusal, Seated, Seating, Seats, Turn, Unit, Wish, enrolment, party,
};
use crate::values::PersonId;
use chrono::{DateTime, Utc};

/// One line of the book: of somebody, or of a seat that has no name yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub person: Option<PersonId>,
    /// Which of the parties it belongs to.
    pub party: Option<usize>,
    pub state: EnrolmentState,
    pub offered_until: Option<DateTime<Utc>>,
    pub ended: Option<Ending>,
}

/// A group, and the seats that are held for it while it waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Party {
    pub together: bool,
    pub gathered: i64,
}

/// The lines of one class in the order in which people came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Book {
    pub state: ClassState,
    pub capacity: i64,
    pub policy: Policy,
    pub lines: Vec<Line>,
    pub parties: Vec<Party>,
}

impl Book {
    /// An open class without learners.
    pub fn open(capacity: i64, policy: Policy) -> Self {
        Self { state: ClassState::Open, capacity, policy, lines: Vec::new(), parties: Vec::new() }
    }

    /// The counters, counted.
    pub fn seats(&self) -> Seats {
        let count = |state| self.lines.iter().filter(|line| line.state == state).count() as i64;
        Seats {
            capacity: self.capacity,
            taken: count(EnrolmentState::Booked),
            held: count(EnrolmentState::Offered) + self.parties.iter().map(|party| party.gathered).sum::<i64>(),
            waiting: count(EnrolmentState::Waitlisted),
        }
    }

    /// The active line of a person.
    pub fn line(&self, person: PersonId) -> Option<&Line> {
        self.lines.iter().find(|line| line.person == Some(person) && line.state.is_active())
    }

    /// The active lines of a party, in their order.
    pub fn of_party(&self, party: usize) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.party == Some(party) && line.state.is_active())
    }

    /// The place of a person in line, from 1.
    pub fn position(&self, person: PersonId) -> Option<usize> {
        let mut waiting = self.lines.iter().filter(|line| line.state == EnrolmentState::Waitlisted);
        waiting.position(|line| line.person == Some(person)).map(|place| place + 1)
    }

    /// Enrols, or joins the line; who is in it already stays where they are, except that a free seat can be taken from
    /// the line once the waitlist is closed. Whoever takes one leaves their group.
    pub fn enrol(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        let policy = if self.line(person).is_some() { self.policy.of_line() } else { self.policy };
        let seating = enrolment::enrol(self.state, &self.seats(), &policy, now)?;
        match (self.active(person), seating) {
            (Some(line), Seating::Booked) if line.state == EnrolmentState::Waitlisted => {
                line.state = EnrolmentState::Booked;
                line.party = None;
            }
            (Some(_), _) => {}
            (None, seating) => {
                let state = match seating {
                    Seating::Booked => EnrolmentState::Booked,
                    Seating::Waitlisted => EnrolmentState::Waitlisted,
                };
                self.lines.push(Line { person: Some(person), party: None, state, offered_until: None, ended: None });
                self.pass_on(now);
            }
        }
        Ok(())
    }

    /// Enrols a group of named people and of seats without a name.
    pub fn enrol_group(
        &mut self,
        people: &[Option<PersonId>],
        wish: Wish,
        wait: bool,
        now: DateTime<Utc>,
    ) -> Result<Seated, Refusal> {
        let size = people.len() as i64;
        let seated = party::seat(size, wish, wait, self.state, &self.seats(), &self.policy, now)?;
        if people.contains(&None) && !self.policy.takes_unnamed(now) {
            return Err(Refusal::NamesNeeded { since: self.policy.free_until() });
        }
        if people.iter().flatten().any(|person| self.line(*person).is_some()) {
            return Err(Refusal::Hindered { people: Vec::new() });
        }
        let party = Some(self.parties.len());
        self.parties.push(Party { together: wish == Wish::Together, gathered: 0 });
        for (n, &person) in (0..seated.booked + seated.waiting).zip(people) {
            let state = if n < seated.booked { EnrolmentState::Booked } else { EnrolmentState::Waitlisted };
            self.lines.push(Line { person, party, state, offered_until: None, ended: None });
        }
        self.pass_on(now);
        Ok(seated)
    }

    pub fn accept(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        let line = self.active(person).ok_or(Refusal::NoOffer)?;
        let state = enrolment::accept(line.state, line.offered_until, now)?;
        if line.party.is_some() {
            return Err(Refusal::FirmAnswers);
        }
        line.state = state;
        line.offered_until = None;
        Ok(())
    }

    pub fn decline(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        let line = self.active(person).ok_or(Refusal::NoOffer)?;
        let state = enrolment::decline(line.state)?;
        if line.party.is_some() {
            return Err(Refusal::FirmAnswers);
        }
        line.end(state, Ending::Declined);
        self.pass_on(now);
        Ok(())
    }

    /// The owner takes all that is offered to the group.
    pub fn accept_group(&mut self, party: usize, now: DateTime<Utc>) -> Result<(), Refusal> {
        let offer = self.of_party(party).find(|line| line.state == EnrolmentState::Offered).ok_or(Refusal::NoOffer)?;
        let state = enrolment::accept(offer.state, offer.offered_until, now)?;
        for line in self.lines.iter_mut().filter(|line| line.party == Some(party)) {
            if line.state == EnrolmentState::Offered {
                line.state = state;
                line.offered_until = None;
            }
        }
        Ok(())
    }

    /// The owner lets the offer go, and with it the group's place in line.
    pub fn decline_group(&mut self, party: usize, now: DateTime<Utc>) -> Result<(), Refusal> {
        if !self.of_party(party).any(|line| line.state == EnrolmentState::Offered) {
            return Err(Refusal::NoOffer);
        }
        self.leave(party, Ending::Declined);
        self.pass_on(now);
        Ok(())
    }

    /// Gives the first seat of a group that has no name one.
    pub fn name(&mut self, party: usize, person: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        party::renames(self.state, &self.policy, now)?;
        if self.line(person).is_some() {
            return Err(Refusal::Hindered { people: Vec::new() });
        }
        let unnamed = |line: &&mut Line| line.party == Some(party) && line.person.is_none() && line.state.is_active();
        self.lines.iter_mut().find(unnamed).ok_or(Refusal::NoSuchSeat)?.person = Some(person);
        Ok(())
    }

    /// Somebody else of the firm takes a place over as it stands.
    pub fn swap(&mut self, from: PersonId, to: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        party::renames(self.state, &self.policy, now)?;
        if self.line(to).is_some() {
            return Err(Refusal::Hindered { people: Vec::new() });
        }
        self.active(from).filter(|line| line.party.is_some()).ok_or(Refusal::NoSuchSeat)?.person = Some(to);
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

    /// Ends every offer whose time is over, a group's as one, and passes the seats on.
    pub fn expire(&mut self, now: DateTime<Utc>) {
        let over = |line: &Line| enrolment::is_expired(line.state, line.offered_until, now);
        for party in 0..self.parties.len() {
            if self.of_party(party).any(over) {
                self.leave(party, Ending::Expired);
            }
        }
        for line in &mut self.lines {
            if over(line) {
                line.end(EnrolmentState::Cancelled, Ending::Expired);
            }
        }
        self.pass_on(now);
    }

    /// From the cut-off on there is no seat without a name.
    pub fn return_unnamed(&mut self, now: DateTime<Utc>) {
        let unnamed = |line: &Line| line.person.is_none() && line.state.is_active();
        if !self.policy.takes_unnamed(now) && self.lines.iter().any(unnamed) {
            for line in self.lines.iter_mut().filter(|line| unnamed(line)) {
                line.end(EnrolmentState::Cancelled, Ending::Expired);
            }
            self.pass_on(now);
        }
    }

    pub fn resize(&mut self, capacity: i64, now: DateTime<Utc>) -> Result<(), Refusal> {
        self.capacity = self.seats().resize(capacity)?.capacity;
        self.pass_on(now);
        Ok(())
    }

    /// The class is at another time: no offer outlives the waitlist, wherever that went.
    pub fn move_to(&mut self, policy: Policy, now: DateTime<Utc>) {
        self.policy = policy;
        let outlives = |line: &Line| {
            line.state == EnrolmentState::Offered && line.offered_until.is_some_and(|until| until > policy.freezes_at())
        };
        match policy.offer_until(now) {
            Some(until) => {
                for line in self.lines.iter_mut().filter(|line| outlives(line)) {
                    line.offered_until = Some(until);
                }
            }
            None => {
                for party in 0..self.parties.len() {
                    if self.of_party(party).any(outlives) {
                        self.leave(party, Ending::Expired);
                    }
                }
                for line in self.lines.iter_mut().filter(|line| outlives(line)) {
                    line.end(EnrolmentState::Cancelled, Ending::Expired);
                }
            }
        }
        self.pass_on(now);
    }

    pub fn cancel_class(&mut self) -> Result<(), Refusal> {
        self.state = self.state.cancel()?;
        for line in self.lines.iter_mut().filter(|line| line.state.is_active()) {
            line.end(EnrolmentState::Cancelled, Ending::ClassCancelled);
        }
        self.parties.iter_mut().for_each(|party| party.gathered = 0);
        Ok(())
    }

    /// Serves the line from its head: offers free seats, or gathers them for a group that must stay together.
    fn pass_on(&mut self, now: DateTime<Utc>) {
        let gathers = self.policy.gathers(now);
        for party in 0..self.parties.len() {
            if !gathers || !self.of_party(party).any(|line| line.state == EnrolmentState::Waitlisted) {
                self.parties[party].gathered = 0;
            }
        }
        let Some(until) = enrolment::offers_until(self.state, &self.policy, now) else { return };
        let mut next = 0;
        while let Some(first) = (next..self.lines.len()).find(|&n| self.lines[n].state == EnrolmentState::Waitlisted) {
            let party = self.lines[first].party;
            let waits = |line: &Line| line.state == EnrolmentState::Waitlisted && line.party == party;
            let members: Vec<usize> = match party {
                Some(_) => (first..self.lines.len()).filter(|&n| waits(&self.lines[n])).collect(),
                None => vec![first],
            };
            let unit = match party {
                Some(party) => {
                    let Party { together, gathered } = self.parties[party];
                    Unit { size: members.len() as i64, together, gathered }
                }
                None => Unit::ONE,
            };
            let held = match party::turn(unit, self.seats().free(), self.capacity, gathers) {
                Turn::Offer(seats) => {
                    for &n in members.iter().take(seats as usize) {
                        self.lines[n].state = EnrolmentState::Offered;
                    }
                    // A group has one offer with one deadline.
                    for (n, line) in self.lines.iter_mut().enumerate() {
                        let same = n == first || (party.is_some() && line.party == party);
                        if same && line.state == EnrolmentState::Offered {
                            line.offered_until = Some(until);
                        }
                    }
                    0
                }
                Turn::Gather(seats) => seats,
                Turn::Pass(_) => 0,
                Turn::Rest => return,
            };
            if let Some(party) = party {
                self.parties[party].gathered = held;
            }
            if held > 0 {
                return;
            }
            next = members.last().map_or(first, |last| last + 1);
        }
    }

    /// The group leaves the line with all that is offered to it; whoever of it has a seat keeps it.
    fn leave(&mut self, party: usize, why: Ending) {
        let waits = |line: &&mut Line| line.party == Some(party) && line.state.is_active();
        for line in self.lines.iter_mut().filter(waits).filter(|line| line.state != EnrolmentState::Booked) {
            line.end(EnrolmentState::Cancelled, why);
        }
        self.parties[party].gathered = 0;
    }

    fn active(&mut self, person: PersonId) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.person == Some(person) && line.state.is_active())
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
        EnrolGroup { first: u128, named: u128, unnamed: usize, together: bool, wait: bool },
        AcceptGroup(usize),
        DeclineGroup(usize),
        Name(usize, u128),
        Swap(u128, u128),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..12_u128).prop_map(Step::Enrol),
            3 => (0..12_u128).prop_map(Step::Accept),
            2 => (0..12_u128).prop_map(Step::Decline),
            4 => (0..12_u128).prop_map(Step::Cancel),
            4 => (1..2_000_i64).prop_map(Step::Wait),
            1 => (1..8_i64).prop_map(Step::Resize),
            4 => (0..12_u128, 0..4_u128, 0..3_usize, any::<bool>(), any::<bool>()).prop_map(
                |(first, named, unnamed, together, wait)| Step::EnrolGroup { first, named, unnamed, together, wait }
            ),
            2 => (0..6_usize).prop_map(Step::AcceptGroup),
            1 => (0..6_usize).prop_map(Step::DeclineGroup),
            1 => (0..6_usize, 0..12_u128).prop_map(|(party, n)| Step::Name(party, n)),
            1 => (0..12_u128, 0..12_u128).prop_map(|(a, b)| Step::Swap(a, b)),
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
                    Step::Wait(minutes) => {
                        now += Duration::minutes(minutes);
                        book.return_unnamed(now);
                        book.expire(now);
                    }
                    Step::Resize(capacity) => { let _ = book.resize(capacity, now); }
                    Step::CancelClass => { let _ = book.cancel_class(); }
                    Step::EnrolGroup { first, named, unnamed, together, wait } => {
                        let mut people: Vec<_> = (first..first + named).map(|n| Some(person(n % 12))).collect();
                        people.extend(std::iter::repeat_n(None, unnamed));
                        let wish = if together { Wish::Together } else { Wish::AsManyAsFit };
                        if !people.is_empty() {
                            let _ = book.enrol_group(&people, wish, wait, now);
                        }
                    }
                    Step::AcceptGroup(party) => { let _ = book.accept_group(party, now); }
                    Step::DeclineGroup(party) => { let _ = book.decline_group(party, now); }
                    Step::Name(party, n) => { let _ = book.name(party, person(n), now); }
                    Step::Swap(a, b) => { let _ = book.swap(person(a), person(b), now); }
                }
                check(&book, &before, now)?;
            }
        }
    }

    /// What holds after every step.
    fn check(book: &Book, before: &Book, now: DateTime<Utc>) -> Result<(), TestCaseError> {
        let (p, seats) = (book.policy, book.seats());
        prop_assert!(seats.taken + seats.held <= seats.capacity);
        for n in 0..12 {
            let active = book.lines.iter().filter(|l| l.person == Some(person(n)) && l.state.is_active()).count();
            prop_assert!(active <= 1);
        }
        let waiting = |line: &Line| line.state == EnrolmentState::Waitlisted;
        for (n, party) in book.parties.iter().enumerate() {
            let waits = book.of_party(n).filter(|line| waiting(line)).count() as i64;
            prop_assert!(party.gathered == 0 || (party.together && party.gathered < waits && p.gathers(now)));
            // A group that stays together has its seats or waits, never both; whoever took a seat alone left it.
            let booked = book.of_party(n).any(|line| line.state == EnrolmentState::Booked);
            let offered = book.of_party(n).any(|line| line.state == EnrolmentState::Offered);
            prop_assert!(!party.together || i64::from(waits > 0) + i64::from(booked) + i64::from(offered) <= 1);
            let deadlines: Vec<_> = book.of_party(n).filter_map(|line| line.offered_until).collect();
            prop_assert!(deadlines.windows(2).all(|pair| pair[0] == pair[1]));
        }
        // A seat is never left free while somebody whom it suffices waits and offers may still be made.
        if book.state == ClassState::Open && !p.is_frozen(now) && seats.free() > 0 {
            for line in book.lines.iter().filter(|line| waiting(line)) {
                let party = line.party.filter(|&party| book.parties[party].together);
                let waits = party.map_or(1, |party| book.of_party(party).filter(|line| waiting(line)).count());
                prop_assert!(waits as i64 > seats.free(), "{:?}", seats);
            }
        }
        // New offers go down the line in its order, past nobody but groups that must stay together; they end in time,
        // and nothing that ended comes back.
        let still: Vec<usize> =
            (0..before.lines.len()).filter(|&i| waiting(&before.lines[i]) && waiting(&book.lines[i])).collect();
        for (i, line) in book.lines.iter().enumerate() {
            let was = before.lines.get(i).map(|l| l.state);
            if line.state == EnrolmentState::Offered && was.is_none_or(|was| was == EnrolmentState::Waitlisted) {
                for &passed in still.iter().filter(|&&still| still < i) {
                    let party = book.lines[passed].party;
                    let together = party.is_some_and(|party| book.parties[party].together);
                    let waits = book.lines.iter().filter(|l| waiting(l) && l.party == party).count() as i64;
                    prop_assert!(together, "somebody was passed over");
                    prop_assert!(!p.gathers(now) || waits > book.capacity, "a group was passed over too early");
                }
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
        Ok(())
    }
}
