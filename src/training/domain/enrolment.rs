//! One person's place in a class: on the waitlist, on offer, booked, or ended.

use super::{ClassState, Policy, Refusal, Seats, words};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

words! {
    /// What is stored of an enrolment beside its times.
    EnrolmentState {
        Waitlisted = "waitlisted",
        /// A seat is held for this person until a deadline.
        Offered = "offered",
        Booked = "booked",
        Cancelled = "cancelled",
        /// Cancelled after the cut-off: the allowance is spent, a charge stays due.
        CancelledLate = "cancelled_late",
    }
}

impl EnrolmentState {
    /// Whether it still is a place in the class, or in its line.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Waitlisted | Self::Offered | Self::Booked)
    }
}

words! {
    /// Why an enrolment ended.
    Ending {
        Cancelled = "cancelled",
        Declined = "declined",
        Expired = "expired",
        ClassCancelled = "class_cancelled",
    }
}

/// Where somebody who enrols now ends up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seating {
    Booked,
    Waitlisted,
}

/// Whether the class takes people now.
pub fn takes(state: ClassState, policy: &Policy, now: DateTime<Utc>) -> Result<(), Refusal> {
    if state != ClassState::Open {
        return Err(Refusal::NotOpen { state });
    }
    if policy.has_started(now) {
        return Err(Refusal::Started { at: policy.starts });
    }
    policy.window.check(now)
}

/// Whether the class takes people, and whether there is a seat for one who comes now. Once the line is closed nobody
/// joins it: they would never be served.
pub fn enrol(state: ClassState, seats: &Seats, policy: &Policy, now: DateTime<Utc>) -> Result<Seating, Refusal> {
    takes(state, policy, now)?;
    match seats.bookable(policy, now) {
        1.. => Ok(Seating::Booked),
        _ if policy.is_frozen(now) => Err(Refusal::LineClosed { at: policy.freezes_at() }),
        _ => Ok(Seating::Waitlisted),
    }
}

/// Until when seats that are offered now are held, where the line is served at all.
pub fn offers_until(state: ClassState, policy: &Policy, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if state == ClassState::Open { policy.offer_until(now) } else { None }
}

/// Takes the seat that is held.
pub fn accept(
    state: EnrolmentState,
    offered_until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<EnrolmentState, Refusal> {
    match (state, offered_until) {
        (EnrolmentState::Offered, Some(until)) if now < until => Ok(EnrolmentState::Booked),
        (EnrolmentState::Offered, Some(until)) => Err(Refusal::OfferOver { at: until }),
        _ => Err(Refusal::NoOffer),
    }
}

/// Gives the held seat to the next in line.
pub fn decline(state: EnrolmentState) -> Result<EnrolmentState, Refusal> {
    match state {
        EnrolmentState::Offered => Ok(EnrolmentState::Cancelled),
        _ => Err(Refusal::NoOffer),
    }
}

/// Whether the time of an offer is over.
pub fn is_expired(state: EnrolmentState, offered_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    state == EnrolmentState::Offered && offered_until.is_none_or(|until| until <= now)
}

/// Gives a seat, an offer or a place in line back. A booked seat costs its allowance after the cut-off, and nothing can
/// be given back once the class has begun. A place in line and an offer are free to leave at any time.
pub fn cancel(state: EnrolmentState, policy: &Policy, now: DateTime<Utc>) -> Result<EnrolmentState, Refusal> {
    match state {
        EnrolmentState::Waitlisted | EnrolmentState::Offered => Ok(EnrolmentState::Cancelled),
        EnrolmentState::Booked if policy.has_started(now) => Err(Refusal::Started { at: policy.starts }),
        EnrolmentState::Booked if now < policy.free_until() => Ok(EnrolmentState::Cancelled),
        EnrolmentState::Booked => Ok(EnrolmentState::CancelledLate),
        EnrolmentState::Cancelled | EnrolmentState::CancelledLate => Err(Refusal::NotEnrolled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    fn policy() -> Policy {
        Policy::new("2026-12-01T09:00:00Z".parse().unwrap(), 48)
    }

    #[test]
    fn a_seat_is_booked_while_there_is_one_and_nobody_waits() {
        let (p, now) = (policy(), policy().starts - Duration::days(9));
        let seats = Seats { capacity: 2, taken: 1, held: 0, waiting: 0 };
        assert_eq!(enrol(ClassState::Open, &seats, &p, now), Ok(Seating::Booked));
        for full in [Seats { taken: 2, ..seats }, Seats { held: 1, ..seats }, Seats { waiting: 1, ..seats }] {
            assert_eq!(enrol(ClassState::Open, &full, &p, now), Ok(Seating::Waitlisted));
        }
    }

    #[test]
    fn nobody_joins_a_line_that_is_closed() {
        let (p, full) = (policy(), Seats { capacity: 2, taken: 2, held: 0, waiting: 1 });
        let before = p.freezes_at() - Duration::seconds(1);
        assert_eq!(enrol(ClassState::Open, &full, &p, before), Ok(Seating::Waitlisted));
        let closed = Err(Refusal::LineClosed { at: p.freezes_at() });
        assert_eq!(enrol(ClassState::Open, &full, &p, p.freezes_at()), closed);
        let free = Seats { taken: 1, ..full };
        assert_eq!(enrol(ClassState::Open, &free, &p, p.freezes_at()), Ok(Seating::Booked));
    }

    #[test]
    fn nobody_enrols_in_a_class_that_is_not_open_or_has_begun() {
        let p = policy();
        let seats = Seats { capacity: 2, ..Seats::default() };
        for &state in ClassState::ALL {
            let answer = enrol(state, &seats, &p, p.starts - Duration::days(1));
            assert_eq!(answer.is_ok(), state == ClassState::Open);
        }
        assert_eq!(enrol(ClassState::Open, &seats, &p, p.starts), Err(Refusal::Started { at: p.starts }));
    }

    #[test]
    fn an_allowance_is_spent_only_by_cancelling_after_the_cut_off() {
        let p = policy();
        let before = p.free_until() - Duration::seconds(1);
        assert_eq!(cancel(EnrolmentState::Booked, &p, before), Ok(EnrolmentState::Cancelled));
        assert_eq!(cancel(EnrolmentState::Booked, &p, p.free_until()), Ok(EnrolmentState::CancelledLate));
        assert_eq!(cancel(EnrolmentState::Waitlisted, &p, p.free_until()), Ok(EnrolmentState::Cancelled));
        assert_eq!(cancel(EnrolmentState::Booked, &p, p.starts), Err(Refusal::Started { at: p.starts }));
        assert_eq!(cancel(EnrolmentState::Cancelled, &p, before), Err(Refusal::NotEnrolled));
    }

    #[test]
    fn an_offer_is_accepted_only_before_its_deadline() {
        let until = policy().starts - Duration::days(1);
        assert_eq!(
            accept(EnrolmentState::Offered, Some(until), until - Duration::seconds(1)),
            Ok(EnrolmentState::Booked)
        );
        assert_eq!(accept(EnrolmentState::Offered, Some(until), until), Err(Refusal::OfferOver { at: until }));
        assert_eq!(accept(EnrolmentState::Waitlisted, None, until), Err(Refusal::NoOffer));
        assert!(is_expired(EnrolmentState::Offered, Some(until), until));
        assert!(!is_expired(EnrolmentState::Booked, None, until));
        assert_eq!(decline(EnrolmentState::Booked), Err(Refusal::NoOffer));
    }
}
