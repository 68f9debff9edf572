//! A class: its states, its seats, and the times that rule it.

use super::{Refusal, words};
use crate::calendar::domain::{Span, overlap_within};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

words! {
    /// What is stored of a class. That it is full is seen from its seats and never stored.
    ClassState { Draft = "draft", Open = "open", Running = "running", Completed = "completed", Cancelled = "cancelled" }
}

impl ClassState {
    /// Learners may enrol from now on.
    pub fn publish(self, starts: DateTime<Utc>, now: DateTime<Utc>) -> Result<Self, Refusal> {
        match self {
            Self::Draft if starts <= now => Err(Refusal::InThePast),
            Self::Draft => Ok(Self::Open),
            state => Err(Refusal::WrongState { state }),
        }
    }

    /// The first session begins.
    pub fn start(self) -> Result<Self, Refusal> {
        match self {
            Self::Open => Ok(Self::Running),
            state => Err(Refusal::WrongState { state }),
        }
    }

    /// The trainer closes the class once its last session has begun and everybody is marked.
    pub fn complete(self, last: Span, unmarked: i64, now: DateTime<Utc>) -> Result<Self, Refusal> {
        match self {
            Self::Open | Self::Running if now < last.from => Err(Refusal::NotOverYet { from: last.from }),
            Self::Open | Self::Running if unmarked > 0 => Err(Refusal::Unmarked { people: unmarked }),
            Self::Open | Self::Running => Ok(Self::Completed),
            state => Err(Refusal::WrongState { state }),
        }
    }

    /// The class does not take place.
    pub fn cancel(self) -> Result<Self, Refusal> {
        match self {
            Self::Draft | Self::Open | Self::Running => Ok(Self::Cancelled),
            state => Err(Refusal::WrongState { state }),
        }
    }

    /// Whether its trainer may still change it.
    pub fn is_editable(self) -> bool {
        matches!(self, Self::Draft | Self::Open | Self::Running)
    }

    /// Whether its time is over for good, one way or the other.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }
}

/// What people see of a class: its state, its seats and the clock together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Draft,
    Open,
    Full,
    Running,
    Completed,
    Cancelled,
}

impl Stage {
    pub fn of(state: ClassState, seats: Seats, policy: &Policy, now: DateTime<Utc>) -> Self {
        match state {
            ClassState::Draft => Self::Draft,
            ClassState::Open if policy.has_started(now) => Self::Running,
            ClassState::Open if seats.bookable(policy, now) == 0 => Self::Full,
            ClassState::Open => Self::Open,
            ClassState::Running => Self::Running,
            ClassState::Completed => Self::Completed,
            ClassState::Cancelled => Self::Cancelled,
        }
    }
}

/// The counters of a class. `taken + held <= capacity` holds always; the database checks it too.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Seats {
    pub capacity: i64,
    /// Seats booked.
    pub taken: i64,
    /// Seats on offer to somebody.
    pub held: i64,
    /// People on the waitlist without an offer.
    pub waiting: i64,
}

impl Seats {
    /// Seats that are neither booked nor on offer.
    pub fn free(&self) -> i64 {
        (self.capacity - self.taken - self.held).max(0)
    }

    /// Seats that somebody who comes now can book at once: none while others wait in line.
    pub fn bookable(&self, policy: &Policy, now: DateTime<Utc>) -> i64 {
        if self.waiting > 0 && !policy.is_frozen(now) { 0 } else { self.free() }
    }

    /// With another capacity, if nobody loses a seat by it.
    pub fn resize(self, capacity: i64) -> Result<Self, Refusal> {
        if capacity < self.taken + self.held {
            return Err(Refusal::BelowTaken { taken: self.taken + self.held });
        }
        Ok(Self { capacity, ..self })
    }
}

words! {
    /// What becomes of what a seat cost, where its learner gave it up too late or did not come.
    Effect { Spent = "spent", Returned = "returned" }
}

/// The company's rules as they were when the class was published.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// The waitlist closes so long before the start: who gets a seat later could not come in time.
    pub freeze_minutes: i64,
    /// The longest that a freed seat is kept for one person.
    pub offer_minutes: i64,
    pub late_cancel: Effect,
    pub no_show: Effect,
}

impl Default for Terms {
    fn default() -> Self {
        Self { freeze_minutes: 120, offer_minutes: 24 * 60, late_cancel: Effect::Spent, no_show: Effect::Spent }
    }
}

/// When learners may enrol by themselves; an end that is not given is open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Window {
    pub opens: Option<DateTime<Utc>>,
    pub closes: Option<DateTime<Utc>>,
}

impl Window {
    /// Why nobody may enrol by themselves now, if so.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        match (self.opens, self.closes) {
            (Some(at), _) if now < at => Err(Refusal::OpensLater { at }),
            (_, Some(at)) if at <= now => Err(Refusal::EnrolmentClosed { at }),
            _ => Ok(()),
        }
    }

    /// What a reader should know of it now: that it is still to open, or that it closes soon.
    pub fn news(&self, now: DateTime<Utc>) -> Option<WindowNews> {
        match (self.opens, self.closes) {
            (Some(at), _) if now < at => Some(WindowNews::Opens(at)),
            (_, Some(at)) if now < at && at <= now + CLOSES_SOON => Some(WindowNews::Closes(at)),
            _ => None,
        }
    }
}

/// So long before it closes the window is worth a word.
const CLOSES_SOON: Duration = Duration::hours(48);

/// What is new about a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WindowNews {
    Opens(DateTime<Utc>),
    Closes(DateTime<Utc>),
}

/// The times that rule the seats of one class.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// When the first session starts.
    pub starts: DateTime<Utc>,
    /// Cancelling is free until so many hours before the start.
    pub cut_off_hours: i64,
    pub terms: Terms,
    pub window: Window,
    /// Cancelling is free until then as well: the class was moved, and not everybody can come now.
    pub grace: Option<DateTime<Utc>>,
}

/// What giving a booked seat back means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cancelling {
    /// It costs nothing until then.
    Free(DateTime<Utc>),
    /// It costs what the seat cost.
    Late,
    /// The class has begun: no seat is given back any more.
    Over,
}

impl Policy {
    /// Where less is left than this, halving it again would only be a nuisance.
    pub const SHORTEST_HALF: Duration = Duration::minutes(30);

    /// By the rules that hold where nobody set others.
    pub fn new(starts: DateTime<Utc>, cut_off_hours: i64) -> Self {
        Self { starts, cut_off_hours, terms: Terms::default(), window: Window::default(), grace: None }
    }

    /// For whoever stands in line already: they came within the window.
    pub fn of_line(self) -> Self {
        Self { window: Window::default(), ..self }
    }

    /// For staff who act for a learner: no window and no cut-off.
    pub fn exempt(self) -> Self {
        Self { cut_off_hours: 0, window: Window::default(), ..self }
    }

    /// Until when cancelling costs nothing.
    pub fn free_until(&self) -> DateTime<Utc> {
        let cut_off = self.starts - Duration::hours(self.cut_off_hours);
        self.grace.map_or(cut_off, |grace| grace.max(cut_off)).min(self.starts)
    }

    /// Whether giving a booked seat back now costs what it cost.
    pub fn late_costs(&self, now: DateTime<Utc>) -> bool {
        now >= self.free_until() && self.terms.late_cancel == Effect::Spent
    }

    /// What giving a booked seat back means from `now` on.
    pub fn cancelling(&self, now: DateTime<Utc>) -> Cancelling {
        if self.has_started(now) {
            Cancelling::Over
        } else if now < self.free_until() {
            Cancelling::Free(self.free_until())
        } else if self.late_costs(now) {
            Cancelling::Late
        } else {
            Cancelling::Free(self.starts)
        }
    }

    /// From when on no seat is offered any more and free seats go to whoever takes them.
    pub fn freezes_at(&self) -> DateTime<Utc> {
        self.starts - Duration::minutes(self.terms.freeze_minutes)
    }

    pub fn is_frozen(&self, now: DateTime<Utc>) -> bool {
        now >= self.freezes_at()
    }

    pub fn has_started(&self, now: DateTime<Utc>) -> bool {
        now >= self.starts
    }

    /// Until when a seat that is offered now is held: an offer's lifetime, or half of the time until the waitlist
    /// closes where that is less, so that the next in line gets a chance too; the whole rest once it is at most half
    /// an hour. `None` once the waitlist is closed.
    pub fn offer_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let left = self.freezes_at() - now;
        if left <= Duration::zero() {
            None
        } else if left <= Self::SHORTEST_HALF {
            Some(self.freezes_at())
        } else {
            Some(now + Duration::minutes(self.terms.offer_minutes).min(left / 2))
        }
    }
}

/// What a trainer plans: sessions in order of time, and seats in a room or on line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    pub sessions: Vec<Span>,
    pub capacity: i64,
    /// The room's name and seats, where the class meets in one.
    pub room: Option<(String, i64)>,
}

impl Plan {
    /// Puts the sessions in order and says whether such a class can be held.
    pub fn check(mut self, now: DateTime<Utc>) -> Result<Self, Refusal> {
        self.sessions.sort();
        let first = self.sessions.first().ok_or(Refusal::NoSession)?;
        if first.from <= now {
            return Err(Refusal::InThePast);
        }
        if let Some((place, _)) = overlap_within(&self.sessions) {
            return Err(Refusal::SessionsOverlap { first: self.sessions[place].from.date_naive() });
        }
        fits(self.capacity, self.room.as_ref())?;
        Ok(self)
    }
}

/// Whether a room has seats enough.
pub fn fits(capacity: i64, room: Option<&(String, i64)>) -> Result<(), Refusal> {
    match room {
        Some((name, seats)) if *seats < capacity => Err(Refusal::RoomTooSmall { room: name.clone(), seats: *seats }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn policy() -> Policy {
        Policy::new(at("2026-12-01T09:00:00Z"), 48)
    }

    #[test]
    fn an_offer_lasts_a_day_and_less_as_the_class_nears() {
        let p = policy();
        assert_eq!(p.offer_until(at("2026-11-20T09:00:00Z")), Some(at("2026-11-21T09:00:00Z")));
        assert_eq!(p.offer_until(at("2026-11-30T09:00:00Z")), Some(at("2026-11-30T20:00:00Z")));
        assert_eq!(p.offer_until(at("2026-12-01T06:40:00Z")), Some(at("2026-12-01T07:00:00Z")));
        assert_eq!(p.offer_until(at("2026-12-01T07:00:00Z")), None);
    }

    #[test]
    fn cancelling_is_free_until_the_cut_off() {
        assert_eq!(policy().free_until(), at("2026-11-29T09:00:00Z"));
        let at_noon = |day| policy().cancelling(at(&format!("2026-11-{day}T12:00:00Z")));
        assert_eq!(at_noon(28), Cancelling::Free(policy().free_until()));
        assert_eq!([at_noon(29), policy().cancelling(policy().starts)], [Cancelling::Late, Cancelling::Over]);
        let mut lenient = policy();
        lenient.terms.late_cancel = Effect::Returned;
        assert_eq!(lenient.cancelling(at("2026-11-29T12:00:00Z")), Cancelling::Free(lenient.starts));
    }

    #[test]
    fn after_a_move_cancelling_is_free_for_a_while_but_not_once_the_class_began() {
        let grace = |text: &str| Policy { grace: Some(at(text)), ..policy() };
        assert_eq!(grace("2026-11-30T12:00:00Z").free_until(), at("2026-11-30T12:00:00Z"));
        assert_eq!(grace("2026-11-20T12:00:00Z").free_until(), policy().free_until());
        assert_eq!(grace("2026-12-05T12:00:00Z").free_until(), policy().starts);
    }

    #[test]
    fn enrolling_opens_and_closes_by_its_window_and_staff_need_none() {
        let (opens, closes) = (at("2026-11-10T08:00:00Z"), at("2026-11-20T08:00:00Z"));
        let window = Window { opens: Some(opens), closes: Some(closes) };
        assert_eq!(window.check(opens - Duration::seconds(1)), Err(Refusal::OpensLater { at: opens }));
        assert_eq!(window.check(opens), Ok(()));
        assert_eq!(window.check(closes), Err(Refusal::EnrolmentClosed { at: closes }));
        assert_eq!(window.news(opens - Duration::days(30)), Some(WindowNews::Opens(opens)));
        let soon = closes - Duration::hours(48);
        assert_eq!(window.news(soon - Duration::seconds(1)), None);
        assert_eq!(window.news(soon), Some(WindowNews::Closes(closes)));
        assert_eq!(window.news(closes), None);
        let staff = Policy { window, ..policy() }.exempt();
        assert_eq!(staff.window.check(closes), Ok(()));
        assert_eq!(staff.free_until(), staff.starts);
    }

    #[test]
    fn a_class_is_full_by_its_seats_and_runs_by_the_clock() {
        let seats = Seats { capacity: 2, taken: 1, held: 1, waiting: 0 };
        let policy = policy();
        let before = policy.freezes_at() - Duration::hours(1);
        let stage = |seats, at| Stage::of(ClassState::Open, seats, &policy, at);
        let waited_for = Seats { held: 0, waiting: 1, ..seats };
        assert_eq!(stage(seats, before), Stage::Full);
        assert_eq!(stage(Seats { held: 0, ..seats }, before), Stage::Open);
        assert_eq!(stage(waited_for, before), Stage::Full);
        assert_eq!(
            stage(waited_for, policy.freezes_at()),
            Stage::Open,
            "the waitlist is closed: whoever comes takes it"
        );
        assert_eq!(stage(seats, policy.starts), Stage::Running);
    }

    #[test]
    fn a_free_seat_is_not_for_newcomers_while_others_wait_until_the_waitlist_closes() {
        let p = policy();
        let seats = Seats { capacity: 3, taken: 2, held: 0, waiting: 4 };
        assert_eq!(seats.bookable(&p, p.freezes_at() - Duration::seconds(1)), 0);
        assert_eq!(seats.bookable(&p, p.freezes_at()), 1);
    }

    #[test]
    fn a_class_cannot_shrink_below_its_seats() {
        let seats = Seats { capacity: 10, taken: 4, held: 2, waiting: 0 };
        assert_eq!(seats.resize(5), Err(Refusal::BelowTaken { taken: 6 }));
        assert_eq!(seats.resize(6).map(|s| s.free()), Ok(0));
    }

    #[test]
    fn only_listed_moves_of_a_class_are_possible() {
        use ClassState::*;
        let now = at("2026-11-01T00:00:00Z");
        let last = Span { from: now - Duration::hours(2), until: now };
        for &state in ClassState::ALL {
            assert_eq!(state.publish(policy().starts, now).is_ok(), state == Draft);
            assert_eq!(state.start().is_ok(), state == Open);
            assert_eq!(state.complete(last, 0, now).is_ok(), matches!(state, Open | Running));
            assert_eq!(state.cancel().is_ok(), !state.is_over());
        }
        assert_eq!(Running.complete(last, 3, now), Err(Refusal::Unmarked { people: 3 }));
        assert!(matches!(Running.complete(last, 0, last.from - Duration::hours(1)), Err(Refusal::NotOverYet { .. })));
        assert_eq!(Draft.publish(now, now), Err(Refusal::InThePast));
    }

    #[test]
    fn a_plan_is_put_in_order_and_refused_where_it_cannot_be_held() {
        let now = at("2026-11-01T00:00:00Z");
        let day = |d: u32, from: u32, until: u32| Span {
            from: at(&format!("2026-12-{d:02}T{from:02}:00:00Z")),
            until: at(&format!("2026-12-{d:02}T{until:02}:00:00Z")),
        };
        let plan = |sessions| Plan { sessions, capacity: 8, room: Some(("Blue".into(), 10)) };
        assert_eq!(plan(vec![]).check(now), Err(Refusal::NoSession));
        assert_eq!(plan(vec![day(2, 9, 12), day(1, 9, 12)]).check(now).unwrap().sessions[0], day(1, 9, 12));
        assert!(matches!(plan(vec![day(1, 9, 12), day(1, 11, 13)]).check(now), Err(Refusal::SessionsOverlap { .. })));
        assert_eq!(plan(vec![day(1, 9, 12)]).check(at("2027-01-01T00:00:00Z")), Err(Refusal::InThePast));
        let large = Plan { capacity: 11, ..plan(vec![day(1, 9, 12)]) };
        assert_eq!(large.check(now), Err(Refusal::RoomTooSmall { room: "Blue".into(), seats: 10 }));
    }

    proptest! {
        #[test]
        fn an_offer_ends_in_the_future_and_never_after_the_waitlist_closes(
            minutes in -500..100_000_i64, freeze_minutes in 0..3_000_i64, offer_minutes in 1..10_000_i64
        ) {
            let p = Policy { terms: Terms { freeze_minutes, offer_minutes, ..Terms::default() }, ..policy() };
            let now = p.freezes_at() - Duration::minutes(minutes);
            match p.offer_until(now) {
                Some(until) => {
                    prop_assert!(now < until && until <= p.freezes_at() && until <= p.starts);
                    prop_assert!(until - now <= Duration::minutes(offer_minutes.max(30)));
                }
                None => prop_assert!(p.is_frozen(now)),
            }
        }
    }
}
