//! The whole enrolment book of one class in memory: what the store does in SQL, in a few lines each that can be read. It is
//! the yardstick that the tests hold the database to.

use super::{
    ClassState, Ending, EnrolmentState, Mark, Policy, Refusal, Seated, Seating, Seats, Turn, Unit, Wish, enrolment,
    party, teaching,
};
use crate::{calendar::domain::Span, values::PersonId};
use chrono::{DateTime, Duration, Utc};

/// One line of the book: of somebody, or of a seat that has no name yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub person: Option<PersonId>,
    /// Which of the parties it belongs to.
    pub party: Option<usize>,
    pub state: EnrolmentState,
    pub offered_until: Option<DateTime<Utc>>,
    pub ended: Option<Ending>,
    /// What it drew when it joined the line.
    pub number: Option<i64>,
    /// How the trainer marked whoever has it, and what the mark was before.
    pub mark: Option<Mark>,
    pub was: Option<Mark>,
    /// When it was asked for.
    pub since: DateTime<Utc>,
}

/// A group, and the seats that are held for it while it waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Party {
    pub together: bool,
    pub gathered: i64,
    /// When it came.
    pub since: DateTime<Utc>,
}

/// The lines of one class in the order in which people came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Book {
    pub state: ClassState,
    pub capacity: i64,
    pub policy: Policy,
    pub lines: Vec<Line>,
    pub parties: Vec<Party>,
    /// Who makes a missed session of another class up in this one: their seats are nobody else's.
    pub guests: Vec<PersonId>,
    /// Who is somewhere else at its time.
    pub elsewhere: Vec<PersonId>,
}

impl Book {
    /// An open class without learners.
    pub fn open(capacity: i64, policy: Policy) -> Self {
        let (lines, parties, guests, elsewhere) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { state: ClassState::Open, capacity, policy, lines, parties, guests, elsewhere }
    }

    /// The counters, counted.
    pub fn seats(&self) -> Seats {
        let count = |state| self.lines.iter().filter(|line| line.state == state).count() as i64;
        Seats {
            capacity: self.capacity - self.guests.len() as i64,
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

    /// Whether somebody's time is taken: by a seat here, as a guest here, or by something else.
    fn sits(&self, person: PersonId) -> bool {
        let seat = self.line(person).is_some_and(|line| line.state == EnrolmentState::Booked);
        seat || self.cannot_come(person)
    }

    fn cannot_come(&self, person: PersonId) -> bool {
        self.guests.contains(&person) || self.elsewhere.contains(&person)
    }

    /// Whether somebody had a place that was given up, by them or for them: they are offered none again.
    fn gave_up(&self, person: PersonId) -> bool {
        let ended = |line: &Line| matches!(line.ended, Some(Ending::Cancelled | Ending::Declined));
        self.lines.iter().any(|line| line.person == Some(person) && ended(line))
    }

    /// How the last place of somebody who has none any more ended.
    fn last(&self, person: PersonId) -> Option<EnrolmentState> {
        let mine = |line: &&Line| line.person == Some(person) && line.ended.is_some();
        self.lines.iter().rev().find(mine).map(|line| line.state)
    }

    /// Writes a new line down; one that waits draws its number.
    fn add(&mut self, person: Option<PersonId>, party: Option<usize>, state: EnrolmentState, since: DateTime<Utc>) {
        let drawn = self.lines.iter().filter_map(|line| line.number).max().unwrap_or(0);
        let number = (state == EnrolmentState::Waitlisted).then_some(drawn + 1);
        let (offered_until, ended, mark, was) = (None, None, None, None);
        self.lines.push(Line { person, party, state, offered_until, ended, number, mark, was, since });
    }

    /// Enrols, or joins the line; who is in it already stays where they are, whatever became of the class, except that a
    /// free seat can be taken from the line once the waitlist is closed. Whoever takes one leaves their group.
    pub fn enrol(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        let policy = if self.line(person).is_some() { self.policy.of_line() } else { self.policy };
        let seating = enrolment::enrol(self.state, &self.seats(), &policy, now);
        let hindered = self.cannot_come(person);
        match (self.active(person), seating) {
            (Some(line), Ok(Seating::Booked)) if line.state == EnrolmentState::Waitlisted => {
                if hindered {
                    return Err(Refusal::Hindered { people: Vec::new() });
                }
                line.state = EnrolmentState::Booked;
                line.party = None;
            }
            (Some(_), _) => {}
            (None, seating) => {
                let state = match seating? {
                    Seating::Booked => EnrolmentState::Booked,
                    Seating::Waitlisted => EnrolmentState::Waitlisted,
                };
                if hindered {
                    return Err(Refusal::Hindered { people: Vec::new() });
                }
                self.add(Some(person), None, state, now);
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
        if people.iter().flatten().any(|person| self.line(*person).is_some() || self.sits(*person)) {
            return Err(Refusal::Hindered { people: Vec::new() });
        }
        let party = Some(self.parties.len());
        self.parties.push(Party { together: wish == Wish::Together, gathered: 0, since: now });
        for (n, &person) in (0..seated.booked + seated.waiting).zip(people) {
            let state = if n < seated.booked { EnrolmentState::Booked } else { EnrolmentState::Waitlisted };
            self.add(person, party, state, now);
        }
        self.pass_on(now);
        Ok(seated)
    }

    pub fn accept(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        let hindered = self.cannot_come(person);
        let line = self.active(person).ok_or(Refusal::NoOffer)?;
        if line.state == EnrolmentState::Booked {
            return Ok(());
        }
        let state = enrolment::accept(line.state, line.offered_until, now)?;
        if line.party.is_some() {
            return Err(Refusal::FirmAnswers);
        }
        if hindered {
            return Err(Refusal::Hindered { people: Vec::new() });
        }
        line.state = state;
        line.offered_until = None;
        Ok(())
    }

    pub fn decline(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        let last = self.last(person);
        let line = match self.active(person) {
            Some(line) => line,
            // A second tap is answered like the first.
            None => return last.map(|_| ()).ok_or(Refusal::NoOffer),
        };
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
        let elsewhere =
            |line: &Line| line.state == EnrolmentState::Offered && line.person.is_some_and(|person| self.sits(person));
        if self.of_party(party).any(elsewhere) {
            return Err(Refusal::Hindered { people: Vec::new() });
        }
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
        if self.line(person).is_some() || self.sits(person) {
            return Err(Refusal::Hindered { people: Vec::new() });
        }
        let unnamed = |line: &&mut Line| line.party == Some(party) && line.person.is_none() && line.state.is_active();
        self.lines.iter_mut().find(unnamed).ok_or(Refusal::NoSuchSeat)?.person = Some(person);
        Ok(())
    }

    /// Somebody else of the firm takes a place over as it stands; whose it was has given it up.
    pub fn swap(&mut self, from: PersonId, to: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        party::renames(self.state, &self.policy, now)?;
        if self.line(to).is_some() || self.sits(to) {
            return Err(Refusal::Hindered { people: Vec::new() });
        }
        let line = self.active(from).filter(|line| line.party.is_some()).ok_or(Refusal::NoSuchSeat)?;
        (line.person, line.mark, line.was) = (Some(to), None, None);
        let (party, state) = (line.party, EnrolmentState::Cancelled);
        self.add(Some(from), party, state, now);
        if let Some(line) = self.lines.last_mut() {
            line.end(state, Ending::Cancelled);
        }
        Ok(())
    }

    pub fn cancel(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<EnrolmentState, Refusal> {
        self.cancel_by(self.policy, person, now)
    }

    /// Staff give somebody's place back for them: no window, no cut-off.
    pub fn give_back(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<EnrolmentState, Refusal> {
        self.cancel_by(self.policy.exempt(), person, now)
    }

    fn cancel_by(&mut self, policy: Policy, person: PersonId, now: DateTime<Utc>) -> Result<EnrolmentState, Refusal> {
        let last = self.last(person);
        let line = match self.active(person) {
            Some(line) => line,
            // A second tap is answered like the first.
            None => return last.ok_or(Refusal::NotEnrolled),
        };
        let state = enrolment::cancel(line.state, &policy, now)?;
        line.end(state, Ending::Cancelled);
        self.pass_on(now);
        Ok(state)
    }

    /// The owner gives the first place of a group back that has no name.
    pub fn cancel_unnamed(&mut self, party: usize, now: DateTime<Utc>) -> Result<EnrolmentState, Refusal> {
        let policy = self.policy;
        let unnamed = |line: &&mut Line| line.party == Some(party) && line.person.is_none() && line.state.is_active();
        let line = self.lines.iter_mut().find(unnamed).ok_or(Refusal::NoSuchSeat)?;
        let state = enrolment::cancel(line.state, &policy, now)?;
        line.end(state, Ending::Cancelled);
        self.pass_on(now);
        Ok(state)
    }

    /// Staff seat somebody who stands in the door.
    pub fn walk_in(&mut self, person: PersonId, ends: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Refusal> {
        teaching::walk_in(self.state, &self.seats(), &self.policy, ends, now)?;
        if self.line(person).is_some() || self.sits(person) {
            return Err(Refusal::Hindered { people: Vec::new() });
        }
        self.add(Some(person), None, EnrolmentState::Booked, now);
        Ok(())
    }

    /// Staff seat somebody from the line, past others only with a reason, perhaps on one chair more. Who is seated alone
    /// leaves a group that stays together.
    pub fn promote(
        &mut self,
        person: PersonId,
        one_more: bool,
        reason: bool,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let place = self.position(person).ok_or(Refusal::NoSuchSeat)?;
        let more = teaching::promote(self.state, &self.seats(), &self.policy, one_more, now)?;
        if (place > 1 && !reason) || self.sits(person) {
            return Err(Refusal::Hindered { people: Vec::new() });
        }
        self.capacity += i64::from(more);
        let alone = self.parties.len();
        let together: Vec<bool> = self.parties.iter().map(|party| party.together).collect();
        let line = self.active(person).ok_or(Refusal::NoSuchSeat)?;
        line.state = EnrolmentState::Booked;
        if line.party.is_some_and(|party| together.get(party) == Some(&true)) {
            line.party = Some(alone);
            self.parties.push(Party { together: true, gathered: 0, since: now });
        }
        self.pass_on(now);
        Ok(())
    }

    /// Staff carry a seat into another class of the course. A group stays behind; what the firm pays for stays the firm's.
    pub fn carry(&mut self, person: PersonId, to: &mut Self, now: DateTime<Utc>) -> Result<(), Refusal> {
        let policy = self.policy;
        let line = self.active(person).filter(|line| line.state == EnrolmentState::Booked);
        let line = line.ok_or(Refusal::NoSuchSeat)?;
        if policy.has_started(now) {
            return Err(Refusal::Started { at: policy.starts });
        }
        teaching::move_in(to.state, &to.seats(), &to.policy, now)?;
        if to.line(person).is_some() || to.sits(person) {
            return Err(Refusal::Hindered { people: Vec::new() });
        }
        // It did not end: it is in the other book.
        (line.state, line.mark, line.was) = (EnrolmentState::Cancelled, None, None);
        let since = line.since;
        let party = line.party.map(|party| self.parties[party].together).map(|together| {
            to.parties.push(Party { together, gathered: 0, since: now });
            to.parties.len() - 1
        });
        to.add(Some(person), party, EnrolmentState::Booked, since);
        self.pass_on(now);
        Ok(())
    }

    /// Holds seats for somebody, or all of a group, whose own class does not take place: only where everybody can come,
    /// nobody waits, and nobody of them gave a place up before.
    pub fn hold(&mut self, people: &[Option<PersonId>], together: Option<bool>, now: DateTime<Utc>) -> bool {
        let Some(until) = enrolment::offers_until(self.state, &self.policy, now) else { return false };
        let cannot = |person: PersonId| self.line(person).is_some() || self.sits(person) || self.gave_up(person);
        let seats = self.seats();
        if seats.waiting > 0
            || seats.free() < people.len() as i64
            || people.iter().flatten().any(|person| cannot(*person))
            || (people.contains(&None) && !self.policy.takes_unnamed(now))
        {
            return false;
        }
        let party = together.map(|together| {
            self.parties.push(Party { together, gathered: 0, since: now });
            self.parties.len() - 1
        });
        for person in people {
            self.add(*person, party, EnrolmentState::Offered, now);
            if let Some(line) = self.lines.last_mut() {
                line.offered_until = Some(until);
            }
        }
        true
    }

    /// Somebody makes a session up here that they missed in another class: on a seat that nobody has or waits for.
    pub fn seat_guest(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        let seats = self.seats();
        if !matches!(self.state, ClassState::Open | ClassState::Running) {
            return Err(Refusal::NotOpen { state: self.state });
        }
        if self.policy.has_started(now) {
            return Err(Refusal::MakeUpBegun { at: self.policy.starts });
        }
        let line = seats.waiting > 0 && !self.policy.is_frozen(now);
        if line || seats.free() == 0 || self.sits(person) {
            return Err(Refusal::SessionFull);
        }
        self.guests.push(person);
        Ok(())
    }

    /// A guest comes no more.
    pub fn guest_leaves(&mut self, person: PersonId, now: DateTime<Utc>) {
        self.guests.retain(|guest| *guest != person);
        self.pass_on(now);
    }

    /// The trainer marks somebody with a seat, or clears the mark.
    pub fn mark(&mut self, person: PersonId, mark: Option<Mark>, now: DateTime<Utc>) -> Result<(), Refusal> {
        self.markable(now)?;
        let line = self.active(person).filter(|line| line.state == EnrolmentState::Booked);
        let line = line.ok_or(Refusal::NotEnrolled)?;
        if line.mark != mark {
            (line.mark, line.was) = (mark, mark.and(line.mark));
        }
        Ok(())
    }

    /// The trainer takes the last mark of somebody back.
    pub fn undo(&mut self, person: PersonId, now: DateTime<Utc>) -> Result<(), Refusal> {
        self.markable(now)?;
        let line = self.active(person).filter(|line| line.mark.is_some()).ok_or(Refusal::NotEnrolled)?;
        (line.mark, line.was) = (line.was, None);
        Ok(())
    }

    /// Whoever has a seat and no mark was there.
    pub fn mark_rest(&mut self, now: DateTime<Utc>) -> Result<(), Refusal> {
        self.markable(now)?;
        for line in self.lines.iter_mut().filter(|line| line.state == EnrolmentState::Booked && line.mark.is_none()) {
            line.mark = Some(Mark::Present);
        }
        Ok(())
    }

    fn markable(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        let from = self.policy.starts - Duration::hours(1);
        match self.state {
            ClassState::Open | ClassState::Running if now < from => Err(Refusal::TooEarlyToMark { from }),
            ClassState::Open | ClassState::Running => Ok(()),
            state => Err(Refusal::WrongState { state }),
        }
    }

    /// The first session begins: whoever still waits, or has an offer, does so no more.
    pub fn start(&mut self, now: DateTime<Utc>) {
        if self.state == ClassState::Open && self.policy.has_started(now) {
            self.state = ClassState::Running;
            self.end_line();
        }
    }

    /// The trainer closes the class once everybody is marked.
    pub fn close(&mut self, now: DateTime<Utc>) -> Result<(), Refusal> {
        let last = Span { from: self.policy.starts, until: self.policy.starts };
        let seated = self.lines.iter().filter(|line| line.state == EnrolmentState::Booked);
        let unmarked = seated.filter(|line| line.mark.is_none()).count();
        self.state = self.state.complete(last, unmarked as i64, now)?;
        self.end_line();
        Ok(())
    }

    fn end_line(&mut self) {
        for line in self.lines.iter_mut().filter(|line| line.state.is_active()) {
            if line.state != EnrolmentState::Booked {
                line.end(EnrolmentState::Cancelled, Ending::Expired);
            }
        }
        self.parties.iter_mut().for_each(|party| party.gathered = 0);
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
        // Guests sit in it like everybody else.
        self.seats().resize(capacity - self.guests.len() as i64)?;
        self.capacity = capacity;
        self.pass_on(now);
        Ok(())
    }

    /// Cancelling is free until another time before the start. Where that is earlier, and it is still free, it stays free
    /// for three days.
    pub fn cut_off(&mut self, hours: i64, now: DateTime<Utc>) {
        let was = self.policy.free_until();
        let shorter = hours > self.policy.cut_off_hours && was > now;
        self.policy.cut_off_hours = hours;
        if shorter && self.policy.free_until() < was {
            self.policy.grace = Some(now + Duration::hours(72));
        }
        self.pass_on(now);
    }

    /// The class is at another time, at which these people are elsewhere, and cancelling is free for three days. No offer
    /// outlives the waitlist, wherever that went; whoever had a seat and is elsewhere has it held as long as an offer made
    /// now, or loses it where it is too late for that; all that a group has on offer ends at one time. Guests had promised
    /// the old time, and marks from before it are not about the new one.
    pub fn move_to(&mut self, starts: DateTime<Utc>, elsewhere: Vec<PersonId>, now: DateTime<Utc>) {
        let policy = Policy { starts, grace: Some(now + Duration::hours(72)), ..self.policy };
        self.policy = policy;
        self.guests.clear();
        self.lines.iter_mut().for_each(|line| (line.mark, line.was) = (None, None));
        self.elsewhere = elsewhere;
        for line in self.lines.iter_mut().filter(|line| line.state == EnrolmentState::Booked) {
            if !line.person.is_some_and(|person| self.elsewhere.contains(&person)) {
                continue;
            }
            match policy.offer_until(now) {
                Some(until) => (line.state, line.offered_until) = (EnrolmentState::Offered, Some(until)),
                None => line.end(EnrolmentState::Cancelled, Ending::ClassCancelled),
            }
        }
        for party in 0..self.parties.len() {
            let last = self.of_party(party).filter_map(|line| line.offered_until).max();
            for line in self.lines.iter_mut().filter(|line| line.party == Some(party) && line.offered_until.is_some()) {
                line.offered_until = last;
            }
        }
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

    /// Who is asked whether they come to another class instead, one after the other: seats by when they were asked for, then
    /// offers and the line in their order; a group, as a whole, in the turn of the first of it.
    pub fn turns(&self) -> Vec<Vec<&Line>> {
        let active = || self.lines.iter().filter(|line| line.state.is_active());
        let mut turns: Vec<Vec<&Line>> = active().filter(|line| line.party.is_none()).map(|line| vec![line]).collect();
        turns.extend((0..self.parties.len()).map(|party| self.of_party(party).collect()));
        turns.retain(|turn| !turn.is_empty());
        turns.sort_by_key(|turn| {
            let since = turn[0].party.map_or(turn[0].since, |party| self.parties[party].since);
            let place = |line: &&Line| match line.state {
                EnrolmentState::Booked => (0, 0),
                EnrolmentState::Offered => (1, line.number.unwrap_or(0)),
                _ => (2, line.number.unwrap_or(0)),
            };
            (turn.iter().map(place).min(), since)
        });
        turns
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
                    let Party { together, gathered, .. } = self.parties[party];
                    Unit { size: members.len() as i64, together, gathered }
                }
                None => Unit::ONE,
            };
            // A group has one offer with one deadline, which seats that are freed later do not prolong; once it is over,
            // its end serves the line.
            let open = party.and_then(|party| self.of_party(party).find_map(|line| line.offered_until));
            let until = open.unwrap_or(until);
            if until <= now {
                return;
            }
            let held = match party::turn(unit, self.seats().free(), self.capacity, gathers) {
                Turn::Offer(seats) => {
                    for &n in members.iter().take(seats as usize) {
                        self.lines[n].state = EnrolmentState::Offered;
                        self.lines[n].offered_until = Some(until);
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

    #[test]
    fn what_staff_give_passes_nobody_without_a_reason_and_guests_take_seats_like_everybody_else() {
        let now = policy().starts - Duration::days(20);
        let mut book = Book::open(2, policy());
        book.seat_guest(person(9), now).unwrap();
        for n in 0..4 {
            book.enrol(person(n), now).unwrap();
        }
        assert_eq!(book.seats(), Seats { capacity: 1, taken: 1, held: 0, waiting: 3 });
        assert_eq!(book.walk_in(person(5), policy().starts, now), Err(Refusal::NoSeat));
        assert!(book.promote(person(2), true, false, now).is_err() && book.capacity == 2);
        book.promote(person(2), true, true, now).unwrap();
        assert_eq!(book.seats(), Seats { capacity: 2, taken: 2, held: 0, waiting: 2 });
        book.guest_leaves(person(9), now);
        assert_eq!(book.line(person(1)).unwrap().state, EnrolmentState::Offered);
        let late = policy().starts - Duration::hours(1);
        assert_eq!(book.give_back(person(0), late), Ok(EnrolmentState::Cancelled));
        assert_eq!(book.cancel(person(2), late), Ok(EnrolmentState::CancelledLate));
    }

    #[test]
    fn a_seat_goes_into_another_class_and_whose_class_is_called_off_is_offered_a_seat_once() {
        let now = policy().starts - Duration::days(20);
        let (mut book, mut other) = (Book::open(2, policy()), Book::open(2, policy()));
        book.enrol_group(&[Some(person(0)), Some(person(1))], Wish::Together, true, now).unwrap();
        book.carry(person(0), &mut other, now).unwrap();
        assert_eq!((book.seats().taken, other.seats().taken, other.line(person(0)).unwrap().party), (1, 1, Some(0)));
        assert!(other.hold(&[Some(person(1))], Some(true), now) && !other.hold(&[Some(person(2))], None, now));
        other.decline_group(1, now).unwrap();
        assert!(!other.hold(&[Some(person(1))], None, now), "they declined it");
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
        GiveBack(u128),
        CancelUnnamed(usize),
        WalkIn(u128),
        Promote { who: u128, one_more: bool, reason: bool },
        SeatGuest(u128),
        GuestLeaves(u128),
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
            1 => (0..12_u128).prop_map(Step::GiveBack),
            1 => (0..6_usize).prop_map(Step::CancelUnnamed),
            1 => (0..12_u128).prop_map(Step::WalkIn),
            1 => (0..12_u128, any::<bool>(), any::<bool>())
                .prop_map(|(who, one_more, reason)| Step::Promote { who, one_more, reason }),
            2 => (0..12_u128).prop_map(Step::SeatGuest),
            1 => (0..12_u128).prop_map(Step::GuestLeaves),
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
                    Step::GiveBack(n) => { let _ = book.give_back(person(n), now); }
                    Step::CancelUnnamed(party) => { let _ = book.cancel_unnamed(party, now); }
                    Step::WalkIn(n) => { let _ = book.walk_in(person(n), p.starts + Duration::hours(2), now); }
                    Step::Promote { who, one_more, reason } => {
                        let _ = book.promote(person(who), one_more, reason, now);
                    }
                    Step::SeatGuest(n) => { let _ = book.seat_guest(person(n), now); }
                    Step::GuestLeaves(n) => book.guest_leaves(person(n), now),
                }
                check(&book, &before, now)?;
            }
        }
    }

    /// What holds after every step.
    fn check(book: &Book, before: &Book, now: DateTime<Utc>) -> Result<(), TestCaseError> {
        let (p, seats) = (book.policy, book.seats());
        prop_assert!(seats.taken + seats.held <= seats.capacity, "{:?}", seats);
        prop_assert!(
            book.guests.iter().all(|guest| book.line(*guest).is_none_or(|l| l.state != EnrolmentState::Booked))
        );
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
