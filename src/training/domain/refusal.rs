//! Every business "no" of training, with its data and without prose.

use super::{ClassState, Conflict, Mark};
use crate::values::Money;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

/// Why something about a class or a seat cannot be done.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "no")]
pub enum Refusal {
    /// The class takes nobody (any more).
    NotOpen { state: ClassState },
    /// The class has begun.
    Started { at: DateTime<Utc> },
    /// The learner is in another class at that time.
    Clash { mine: String, with: String },
    /// The learner has another appointment at that time.
    Occupied { mine: String, from: DateTime<Utc> },
    /// The price is higher than the one that was agreed to.
    PriceRose { price: Money },
    /// There is no active enrolment to act on.
    NotEnrolled,
    /// There is no offer (any more) to accept or decline.
    NoOffer,
    /// The offer ended before it was accepted.
    OfferOver { at: DateTime<Utc> },
    /// The trainer is elsewhere at that time.
    TrainerBusy { with: String, from: DateTime<Utc>, until: DateTime<Utc> },
    /// The room is taken at that time.
    RoomBusy { room: String, with: String, from: DateTime<Utc>, until: DateTime<Utc> },
    /// The room has fewer seats than the class.
    RoomTooSmall { room: String, seats: i64 },
    /// Fewer seats than are taken or on offer.
    BelowTaken { taken: i64 },
    /// A class without a session cannot be published.
    NoSession,
    /// Two sessions of the class overlap.
    SessionsOverlap { first: NaiveDate },
    /// The first session is in the past.
    InThePast,
    /// The clocks skip that time on that day.
    NoSuchTime { date: NaiveDate, time: NaiveTime, zone: String },
    /// The move is not possible from the state that the class is in.
    WrongState { state: ClassState },
    /// The class cannot be closed before its last session has begun.
    NotOverYet { from: DateTime<Utc> },
    /// Somebody has no mark for some session yet.
    Unmarked { people: i64 },
    /// Attendance is marked from an hour before the session on.
    TooEarlyToMark { from: DateTime<Utc> },
    /// The mark was changed by somebody else.
    MarkChanged { now: Option<Mark> },
    /// Somebody else changed the class in the meantime.
    ChangedMeanwhile { differences: Vec<Difference> },
    /// Fewer seats are free than the group needs, and it does not wait.
    NotEnoughSeats { free: i64 },
    /// A group that must stay together does not fit into the class at all.
    LargerThanClass { capacity: i64 },
    /// From the cut-off on every seat needs a name.
    NamesNeeded { since: DateTime<Utc> },
    /// Some people of the group cannot come.
    Hindered { conflicts: Vec<Conflict> },
    /// The offer is the firm's: its owner answers for all of the group.
    FirmAnswers,
    /// There is no seat of the firm (any more) to name, swap or give back.
    NoSuchSeat,
}

/// One field that two people changed: what is stored now, and what was about to be stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Difference {
    pub field: String,
    pub theirs: String,
    pub yours: String,
}
