//! Groups: people of one firm who enrol together, and how the line serves them. One rule, printed on every page: a group
//! that must stay together gathers freed seats while it is first in line, until 72 hours before the start; after that a
//! freed seat goes to the first in line whom it suffices. Where the waitlist closes earlier, nothing is gathered from then
//! on either: free seats go to whoever takes them.

use super::{ClassState, Cost, Policy, Refusal, SeatRight, Seats, words};
use crate::values::{Money, PersonId, ProductId};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

impl Policy {
    /// Until so long before the start, seats are gathered for a group that must stay together.
    pub const GATHER: Duration = Duration::hours(72);

    /// Until when the first in line gathers seats: never longer than there is a line that is served.
    pub fn gathers_until(&self) -> DateTime<Utc> {
        (self.starts - Self::GATHER).min(self.freezes_at())
    }

    /// Whether the waitlist closes before the time of gathering would be over.
    pub fn closes_while_gathering(&self) -> bool {
        self.freezes_at() < self.starts - Self::GATHER
    }

    pub fn gathers(&self, now: DateTime<Utc>) -> bool {
        now < self.gathers_until()
    }

    /// Whether a seat may be booked without a name now: until the cut-off.
    pub fn takes_unnamed(&self, now: DateTime<Utc>) -> bool {
        now < self.free_until()
    }
}

words! {
    /// What a group wants where there are fewer seats than people.
    Wish {
        /// All or none.
        Together = "together",
        /// As many as fit.
        AsManyAsFit = "as_many_as_fit",
    }
}

words! {
    /// Why a group in line was passed over.
    Skipped {
        /// Fewer seats are free than it needs, and nothing is gathered any more.
        DoesNotFit = "does_not_fit",
        /// It is larger than the whole class.
        LargerThanClass = "larger_than_class",
        /// The time of gathering is over: what was held for it is free again.
        GatheringEnded = "gathering_ended",
    }
}

/// How a group is seated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Seated {
    pub booked: i64,
    pub waiting: i64,
    /// Whoever finds no seat and does not wait.
    pub left_out: i64,
}

/// Seats a group of `size`, if the class takes people. `wait` says whether those without a seat join the line.
pub fn seat(
    size: i64,
    wish: Wish,
    wait: bool,
    state: ClassState,
    seats: &Seats,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Seated, Refusal> {
    super::enrolment::takes(state, policy, now)?;
    let free = seats.bookable(policy, now);
    if free >= size {
        return Ok(Seated { booked: size, ..Seated::default() });
    }
    if wish == Wish::Together && size > seats.capacity {
        return Err(Refusal::LargerThanClass { capacity: seats.capacity });
    }
    // Once the line is closed nobody in it is served any more.
    let wait = wait && !policy.is_frozen(now);
    match (wish, wait) {
        (Wish::Together, true) => Ok(Seated { waiting: size, ..Seated::default() }),
        (Wish::AsManyAsFit, true) => Ok(Seated { booked: free, waiting: size - free, left_out: 0 }),
        (Wish::AsManyAsFit, false) if free > 0 => Ok(Seated { booked: free, waiting: 0, left_out: size - free }),
        _ => Err(Refusal::NotEnoughSeats { free }),
    }
}

/// Whoever is served at once in line: one person, a group that may be split, or one that must stay together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unit {
    /// How many of it still wait.
    pub size: i64,
    pub together: bool,
    /// How many seats are held for it already.
    pub gathered: i64,
}

impl Unit {
    /// One person alone.
    pub const ONE: Self = Self { size: 1, together: false, gathered: 0 };
}

/// What happens when the line comes to a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// So many of it get a seat offered.
    Offer(i64),
    /// So many seats are held for it now, and it goes on waiting; nobody behind it is served.
    Gather(i64),
    /// It is passed over.
    Pass(Skipped),
    /// Nothing can be done for anybody now.
    Rest,
}

/// Serves a unit from `free` seats.
pub fn turn(unit: Unit, free: i64, capacity: i64, gathers: bool) -> Turn {
    if !unit.together {
        return if free > 0 { Turn::Offer(free.min(unit.size)) } else { Turn::Rest };
    }
    let at_hand = free + unit.gathered;
    if unit.size > capacity {
        Turn::Pass(Skipped::LargerThanClass)
    } else if at_hand >= unit.size {
        Turn::Offer(unit.size)
    } else if gathers && free > 0 {
        Turn::Gather(at_hand)
    } else if gathers || at_hand == 0 {
        Turn::Rest
    } else {
        Turn::Pass(Skipped::DoesNotFit)
    }
}

/// What so many seats cost a firm: its plans pay as long as they have seats left, what ends soonest first.
pub fn costs(price: Money, course: &[ProductId], rights: &[SeatRight], day: NaiveDate, seats: i64) -> Vec<Cost> {
    let mut rights = rights.to_vec();
    let next = |_| {
        let cost = Cost::of(price, course, &rights, day);
        if let Some(right) = rights.iter_mut().find(|right| Some(right.benefit) == cost.benefit()) {
            right.left -= 1;
        }
        cost
    };
    (0..seats).map(next).collect()
}

/// What stands in the way of one person of a group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hindered {
    pub person: PersonId,
    pub name: String,
    pub why: Hindrance,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "hindrance")]
pub enum Hindrance {
    /// They have a seat or a place in line already.
    AlreadyIn,
    /// They no longer belong to the firm.
    Left,
    /// They are in another class then.
    Class { title: String },
    /// They have another appointment then.
    Occupied { from: DateTime<Utc> },
    /// They have not passed what the course needs before.
    NeedsBefore { courses: Vec<String> },
}

/// Whether a seat can still get a name or another one: until the class begins.
pub fn renames(state: ClassState, policy: &Policy, now: DateTime<Utc>) -> Result<(), Refusal> {
    match state {
        ClassState::Open if now < policy.starts => Ok(()),
        ClassState::Open | ClassState::Running => Err(Refusal::Started { at: policy.starts }),
        state => Err(Refusal::NotOpen { state }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{BenefitId, Currency};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn policy() -> Policy {
        Policy::new("2026-12-10T09:00:00Z".parse().unwrap(), 48)
    }

    fn group(size: i64, gathered: i64) -> Unit {
        Unit { size, together: true, gathered }
    }

    #[test]
    fn all_or_none_takes_all_or_waits_together_or_is_refused() {
        let (p, seats) = (policy(), Seats { capacity: 5, taken: 3, held: 0, waiting: 0 });
        let now = p.starts - Duration::days(9);
        let ask = |size, wish, wait, now| seat(size, wish, wait, ClassState::Open, &seats, &p, now);
        let fit = Wish::AsManyAsFit;
        assert_eq!(ask(2, Wish::Together, false, now), Ok(Seated { booked: 2, ..Seated::default() }));
        assert_eq!(ask(3, Wish::Together, true, now), Ok(Seated { waiting: 3, ..Seated::default() }));
        assert_eq!(ask(3, Wish::Together, false, now), Err(Refusal::NotEnoughSeats { free: 2 }));
        assert_eq!(ask(6, Wish::Together, true, now), Err(Refusal::LargerThanClass { capacity: 5 }));
        assert_eq!(ask(3, fit, true, now), Ok(Seated { booked: 2, waiting: 1, left_out: 0 }));
        assert_eq!(ask(3, fit, false, now), Ok(Seated { booked: 2, waiting: 0, left_out: 1 }));
        assert_eq!(ask(3, Wish::Together, true, p.freezes_at()), Err(Refusal::NotEnoughSeats { free: 2 }));
        assert!(matches!(ask(1, fit, true, p.starts), Err(Refusal::Started { .. })));
    }

    #[test]
    fn a_group_gathers_until_72_hours_before_and_is_passed_over_afterwards() {
        assert!(policy().gathers(policy().starts - Duration::hours(72) - Duration::seconds(1)));
        assert!(!policy().gathers(policy().starts - Duration::hours(72)));
        // Not once the waitlist is closed, either.
        let mut early = policy();
        early.terms.freeze_minutes = 100 * 60;
        assert!(early.gathers(early.freezes_at() - Duration::seconds(1)) && !early.gathers(early.freezes_at()));
        assert!(early.closes_while_gathering() && !policy().closes_while_gathering());
        assert_eq!(turn(group(3, 0), 1, 5, true), Turn::Gather(1));
        assert_eq!(turn(group(3, 1), 1, 5, true), Turn::Gather(2));
        assert_eq!(turn(group(3, 2), 1, 5, true), Turn::Offer(3));
        assert_eq!(turn(group(3, 2), 0, 5, true), Turn::Rest);
        assert_eq!(turn(group(3, 0), 2, 5, false), Turn::Pass(Skipped::DoesNotFit));
        assert_eq!(turn(group(3, 0), 3, 5, false), Turn::Offer(3));
        assert_eq!(turn(group(6, 0), 1, 5, true), Turn::Pass(Skipped::LargerThanClass));
        assert_eq!(turn(Unit { together: false, ..group(3, 0) }, 2, 5, true), Turn::Offer(2));
        assert_eq!(turn(Unit::ONE, 0, 5, false), Turn::Rest);
    }

    #[test]
    fn plans_pay_as_long_as_they_last_and_the_rest_is_charged() {
        let day: NaiveDate = "2026-12-10".parse().unwrap();
        let right = |n: u128, left| SeatRight {
            benefit: BenefitId(Uuid::from_u128(n)),
            product: ProductId(Uuid::from_u128(9)),
            plan: format!("Plan {n}"),
            granted: 3,
            left,
            until: day + Duration::days(n as i64),
        };
        let costs = costs(Money::new(9000, Currency::EUR), &[], &[right(2, 2), right(1, 1)], day, 5);
        let paid: Vec<_> = costs.iter().map(|cost| cost.benefit().map(|id| id.0.as_u128())).collect();
        assert_eq!(paid, [Some(1), Some(2), Some(2), None, None]);
        assert_eq!(costs.iter().map(Cost::minor).sum::<i64>(), 18_000);
    }

    proptest! {
        #[test]
        fn nobody_of_a_group_is_lost_and_no_seat_is_sold_twice(
            size in 1..20_i64, capacity in 1..10_i64, taken in 0..10_i64, waiting in 0..3_i64,
            together in any::<bool>(), wait in any::<bool>(), minutes in -100..10_000_i64,
        ) {
            let p = policy();
            let seats = Seats { capacity, taken: taken.min(capacity), held: 0, waiting };
            let wish = if together { Wish::Together } else { Wish::AsManyAsFit };
            let now = p.starts - Duration::minutes(minutes);
            if let Ok(seated) = seat(size, wish, wait, ClassState::Open, &seats, &p, now) {
                prop_assert_eq!(seated.booked + seated.waiting + seated.left_out, size);
                prop_assert!(seated.booked <= seats.bookable(&p, now));
                prop_assert!(!together || seated.booked == 0 || seated.booked == size);
                prop_assert!(wait || seated.waiting == 0);
            }
        }

        #[test]
        fn a_turn_never_gives_more_than_there_is(
            size in 1..9_i64, gathered in 0..9_i64, free in 0..9_i64, capacity in 1..12_i64, together in any::<bool>(), gathers in any::<bool>()
        ) {
            let unit = Unit { size, together, gathered: if together { gathered } else { 0 } };
            match turn(unit, free, capacity, gathers) {
                Turn::Offer(n) => {
                    prop_assert!(n > 0 && n <= free + unit.gathered && n <= size);
                    prop_assert!(!together || n == size);
                }
                Turn::Gather(n) => prop_assert!(gathers && together && n < size && n == free + unit.gathered),
                Turn::Pass(_) => prop_assert!(together),
                Turn::Rest => prop_assert!(free == 0),
            }
        }
    }
}
