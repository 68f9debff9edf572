//! Every business "no" of training, with its data and without prose.

use super::{ClassState, Hindered, Mark};
use crate::values::{Money, PersonId};
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
    /// Somebody or something that the class needs is taken at that time.
    Taken { conflicts: Vec<Conflict> },
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
    /// All seats are taken or on offer.
    NoSeat,
    /// All seats are taken, and nobody joins the line any more.
    LineClosed { at: DateTime<Utc> },
    /// Others stand in line for the seats that are free.
    OthersWait { people: i64 },
    /// The other class belongs to another course.
    OtherCourse,
    /// The person has a place in that class already.
    HasPlace { name: String },
    /// The class has no session today.
    NotToday,
    /// Nobody in the class has this code.
    CodeUnknown,
    /// Learners cannot enrol by themselves yet.
    OpensLater { at: DateTime<Utc> },
    /// Learners cannot enrol by themselves any more.
    EnrolmentClosed { at: DateTime<Utc> },
    /// So many would have to move before the class can be so small: those who came last; and what else takes seats, which
    /// are seats without a name, seats that are gathered for groups, and the guests of the fullest session.
    MustMove { over: i64, people: Vec<String>, unnamed: i64, gathered: i64, guests: Vec<String> },
    /// A session that has begun stays as it was.
    SessionBegun { at: DateTime<Utc> },
    /// These learners are elsewhere at the new times; whoever moves the class has to say that they know it.
    LearnersClash { people: Vec<LearnerClash> },
    /// Somebody whom staff would seat is elsewhere then; which class that is, where they may read it.
    LearnerElsewhere { name: String, with: String, from: DateTime<Utc> },
    /// The course asks for others that the learner has not taken.
    NeedsBefore { courses: Vec<String> },
    /// The session is over: nothing can be said in advance of it.
    SessionOver { at: DateTime<Utc> },
    /// The learner has not missed that session, or its mark costs them nothing to make up.
    NotMissed,
    /// The other session is not that session of another class of the course.
    NotEqual,
    /// The session that would make up has begun.
    MakeUpBegun { at: DateTime<Utc> },
    /// No seat is free in that session.
    SessionFull,
    /// That session is made up already, or is being made up elsewhere.
    AlreadyMadeUp,
    /// A session of the class was made up already: what the seat is for was had.
    MadeUp,
    /// Fewer seats are free than the group needs, and it does not wait.
    NotEnoughSeats { free: i64 },
    /// A group that must stay together does not fit into the class at all.
    LargerThanClass { capacity: i64 },
    /// From the cut-off on every seat needs a name.
    NamesNeeded { since: DateTime<Utc> },
    /// Some people of the group cannot come.
    Hindered { people: Vec<Hindered> },
    /// The offer is the firm's: its owner answers for all of the group.
    FirmAnswers,
    /// There is no seat of the firm (any more) to name, swap or give back.
    NoSuchSeat,
    /// A class to come uses the thing.
    EquipmentUsed { class: String, starts: DateTime<Utc> },
    /// A class to come in the room has more seats than the room is to have.
    RoomNeeded { class: String, starts: DateTime<Utc>, seats: i64 },
    /// So many people at once are asked to join a firm, and no more.
    TooManyInvitations { most: i64 },
    /// The invitation was answered or withdrawn.
    InvitationOver,
    /// Nobody ends their own membership of a firm.
    OwnMembership,
    /// Only staff end the membership of an owner.
    OwnersMembership,
    /// A firm keeps an owner.
    LastOwner,
}

/// Who or what is taken, by what, and when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Conflict {
    pub who: Who,
    pub because: Because,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

/// What a class needs to be free.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    Trainer(String),
    Assistant(String),
    Room(String),
    Equipment(String),
}

/// Why it is not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Another class takes place with them, or in it.
    Class(String),
    /// They learn in another class.
    Learns(String),
    /// They said that they do not work then.
    Absent,
    Other,
}

/// A learner who is elsewhere when a class is moved to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LearnerClash {
    pub person: PersonId,
    pub name: String,
    /// What they are in then; empty where it has no title.
    pub with: String,
    pub from: DateTime<Utc>,
}

/// One field that two people changed: what is stored now, and what was about to be stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Difference {
    pub field: String,
    pub theirs: String,
    pub yours: String,
}
