//! The rules of a repair: its states, who may move it where, what comes next and by when, quotes and notice.

use crate::{
    calendar::hours::Service,
    values::{ItemId, Money, PublicNumber, RepairId, WorkshopId},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Gives an enum its names in storage, both ways.
macro_rules! stored {
    ($name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $name {
            /// Every value, in the order of its declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name under which it is stored.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl FromStr for $name {
            type Err = Unknown;
            fn from_str(text: &str) -> Result<Self, Unknown> {
                match text { $($text => Ok(Self::$variant),)+ _ => Err(Unknown) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = Unknown;
            fn try_from(text: String) -> Result<Self, Unknown> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// The text is no value of the closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a value of this set")]
pub struct Unknown;

/// The number under which a repair is known: `RMA-7K3M-Q2XD`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rma(pub PublicNumber);

impl fmt::Display for Rma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RMA-{}", self.0)
    }
}

impl FromStr for Rma {
    type Err = Unknown;

    /// Takes it with or without its `RMA-`, as people type it.
    fn from_str(text: &str) -> Result<Self, Unknown> {
        let text = text.trim();
        let bare = match text.get(..4) {
            Some(head) if head.eq_ignore_ascii_case("rma-") => &text[4..],
            _ => text,
        };
        bare.parse().map(Self).map_err(|_| Unknown)
    }
}

/// Where a repair stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum State {
    /// Asked for; the item is on its way to us without an appointment (sent in).
    Requested,
    /// Asked for, with an appointment.
    Booked,
    /// We have the item (or are at it).
    Received,
    /// We know what is wrong.
    Diagnosed,
    /// The customer has a price to accept or decline.
    Quoted,
    Approved,
    Declined,
    InRepair,
    WaitingForParts,
    Repaired,
    /// To be collected, or on its way back.
    Ready,
    HandedBack,
    Closed,
    Cancelled,
    NotRepairable,
}

stored!(State {
    Requested = "requested", Booked = "booked", Received = "received", Diagnosed = "diagnosed", Quoted = "quoted",
    Approved = "approved", Declined = "declined", InRepair = "in_repair", WaitingForParts = "waiting_for_parts",
    Repaired = "repaired", Ready = "ready", HandedBack = "handed_back", Closed = "closed", Cancelled = "cancelled",
    NotRepairable = "not_repairable",
});

/// What the customer reads instead of the state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Stage {
    Requested,
    WeHaveIt,
    WeNeedYou,
    BeingFixed,
    Ready,
    Done,
}

stored!(Stage {
    Requested = "requested", WeHaveIt = "we_have_it", WeNeedYou = "we_need_you", BeingFixed = "being_fixed",
    Ready = "ready", Done = "done",
});

impl State {
    /// What the customer reads.
    pub fn stage(self) -> Stage {
        match self {
            Self::Requested | Self::Booked => Stage::Requested,
            Self::Received | Self::Diagnosed | Self::Declined => Stage::WeHaveIt,
            Self::Quoted => Stage::WeNeedYou,
            Self::Approved | Self::InRepair | Self::WaitingForParts | Self::Repaired => Stage::BeingFixed,
            Self::Ready => Stage::Ready,
            Self::HandedBack | Self::Closed | Self::Cancelled | Self::NotRepairable => Stage::Done,
        }
    }

    /// Nothing can happen any more.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Closed | Self::Cancelled | Self::NotRepairable)
    }

    /// The item has not reached us, so the customer still decides alone.
    pub fn is_before_arrival(self) -> bool {
        matches!(self, Self::Requested | Self::Booked)
    }
}

/// How the item and the technician come together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Mode {
    BringIn,
    SendIn,
    OnSite,
}

stored!(Mode { BringIn = "bring_in", SendIn = "send_in", OnSite = "on_site" });

impl Mode {
    /// A parcel needs no appointment.
    pub fn needs_slot(self) -> bool {
        self.service().is_some()
    }

    /// Which of a workshop's timetables it is booked in.
    pub fn service(self) -> Option<Service> {
        match self {
            Self::BringIn => Some(Service::Desk),
            Self::OnSite => Some(Service::Visit),
            Self::SendIn => None,
        }
    }
}

/// A slot as forms carry it: the workshop and the second at which it starts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SlotId {
    pub workshop: WorkshopId,
    pub starts_at: DateTime<Utc>,
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.workshop, self.starts_at.timestamp())
    }
}

impl FromStr for SlotId {
    type Err = Unknown;
    fn from_str(text: &str) -> Result<Self, Unknown> {
        let (workshop, seconds) = text.split_once('~').ok_or(Unknown)?;
        // No slot lies before 1970 or after 2200: what is far off overflows a calendar.
        let seconds = seconds.parse().ok().filter(|s| (0..7_258_118_400_i64).contains(s)).ok_or(Unknown)?;
        let starts_at = DateTime::from_timestamp(seconds, 0).ok_or(Unknown)?;
        Ok(Self { workshop: workshop.parse().map_err(|_| Unknown)?, starts_at })
    }
}

/// What a customer says of a fault where earlier work on the item is still warranted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FaultAgain {
    /// It is another one; said of this item, so that it is no answer about the next.
    Another(ItemId),
    /// It is the one that this repair was for.
    As(RepairId),
}

impl FaultAgain {
    /// The repair whose fault has come back.
    pub fn same_as(self) -> Option<RepairId> {
        match self {
            Self::Another(_) => None,
            Self::As(repair) => Some(repair),
        }
    }
}

impl fmt::Display for FaultAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Another(item) => write!(f, "no~{item}"),
            Self::As(repair) => write!(f, "{repair}"),
        }
    }
}

impl FromStr for FaultAgain {
    type Err = Unknown;
    fn from_str(text: &str) -> Result<Self, Unknown> {
        match text.strip_prefix("no~") {
            Some(item) => item.parse().map(Self::Another).map_err(|_| Unknown),
            None => text.parse().map(Self::As).map_err(|_| Unknown),
        }
    }
}

/// Who moves a repair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Actor {
    Customer,
    Technician,
    /// The clock: a quote that lapses, a job that closes by itself.
    System,
}

stored!(Actor { Customer = "customer", Technician = "technician", System = "system" });

/// What can be done to a repair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Verb {
    Move,
    Cancel,
    Receive,
    Diagnose,
    Quote,
    Accept,
    Decline,
    Lapse,
    Start,
    WaitForParts,
    Resume,
    Finish,
    Reopen,
    MakeReady,
    HandBack,
    Close,
    GiveUp,
}

stored!(Verb {
    Move = "move", Cancel = "cancel", Receive = "receive", Diagnose = "diagnose", Quote = "quote", Accept = "accept",
    Decline = "decline", Lapse = "lapse", Start = "start", WaitForParts = "wait_for_parts", Resume = "resume",
    Finish = "finish", Reopen = "reopen", MakeReady = "make_ready", HandBack = "hand_back", Close = "close",
    GiveUp = "give_up",
});

/// One possible move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transition {
    pub from: State,
    pub verb: Verb,
    pub to: State,
    pub by: &'static [Actor],
}

const CUSTOMER: &[Actor] = &[Actor::Customer];
const TECHNICIAN: &[Actor] = &[Actor::Technician];
const SYSTEM: &[Actor] = &[Actor::System];
const BOTH: &[Actor] = &[Actor::Customer, Actor::Technician];

const fn t(from: State, verb: Verb, to: State, by: &'static [Actor]) -> Transition {
    Transition { from, verb, to, by }
}

/// Every move there is; what does not stand here cannot happen. Declining leads back to `diagnosed` where the job is covered:
/// see [`Job::may`].
pub const TRANSITIONS: &[Transition] = &[
    t(State::Requested, Verb::Move, State::Booked, BOTH),
    t(State::Requested, Verb::Cancel, State::Cancelled, BOTH),
    t(State::Requested, Verb::Receive, State::Received, TECHNICIAN),
    t(State::Booked, Verb::Move, State::Booked, BOTH),
    t(State::Booked, Verb::Cancel, State::Cancelled, BOTH),
    t(State::Booked, Verb::Receive, State::Received, TECHNICIAN),
    t(State::Received, Verb::Diagnose, State::Diagnosed, TECHNICIAN),
    t(State::Received, Verb::GiveUp, State::NotRepairable, TECHNICIAN),
    t(State::Diagnosed, Verb::Quote, State::Quoted, TECHNICIAN),
    t(State::Diagnosed, Verb::Start, State::InRepair, TECHNICIAN),
    t(State::Diagnosed, Verb::GiveUp, State::NotRepairable, TECHNICIAN),
    t(State::Quoted, Verb::Quote, State::Quoted, TECHNICIAN),
    t(State::Quoted, Verb::Accept, State::Approved, CUSTOMER),
    t(State::Quoted, Verb::Decline, State::Declined, CUSTOMER),
    t(State::Quoted, Verb::Lapse, State::Diagnosed, SYSTEM),
    t(State::Approved, Verb::Start, State::InRepair, TECHNICIAN),
    t(State::Approved, Verb::WaitForParts, State::WaitingForParts, TECHNICIAN),
    t(State::Declined, Verb::Quote, State::Quoted, TECHNICIAN),
    t(State::Declined, Verb::MakeReady, State::Ready, TECHNICIAN),
    t(State::InRepair, Verb::WaitForParts, State::WaitingForParts, TECHNICIAN),
    t(State::InRepair, Verb::Quote, State::Quoted, TECHNICIAN),
    t(State::InRepair, Verb::Finish, State::Repaired, TECHNICIAN),
    t(State::InRepair, Verb::GiveUp, State::NotRepairable, TECHNICIAN),
    t(State::WaitingForParts, Verb::Resume, State::InRepair, TECHNICIAN),
    t(State::WaitingForParts, Verb::WaitForParts, State::WaitingForParts, TECHNICIAN),
    t(State::WaitingForParts, Verb::GiveUp, State::NotRepairable, TECHNICIAN),
    t(State::Repaired, Verb::MakeReady, State::Ready, TECHNICIAN),
    t(State::Repaired, Verb::Reopen, State::InRepair, TECHNICIAN),
    t(State::Ready, Verb::HandBack, State::HandedBack, TECHNICIAN),
    t(State::HandedBack, Verb::Close, State::Closed, &[Actor::Technician, Actor::System]),
];

/// The move that a verb makes from a state.
pub fn transition(from: State, verb: Verb) -> Option<Transition> {
    TRANSITIONS.iter().find(|t| t.from == from && t.verb == verb).copied()
}

/// The business noes of this slice, with what a sentence about them needs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Refusal {
    /// From this state that is not possible (any more).
    NotNow { state: State, verb: Verb },
    /// Somebody else had the slot first.
    SlotTaken,
    /// The slot is not one of those that are offered.
    SlotGone,
    /// Too late to move or cancel online.
    NoticeOver { until: DateTime<Utc> },
    /// It is not covered, so the customer has to accept a price first.
    NeedsAcceptedQuote,
    /// The quote's time is over.
    QuoteExpired { on: NaiveDate },
    /// It is not the quote that stands now.
    QuoteReplaced,
    /// A quote without a line, or with a sum that no number holds.
    QuoteEmpty,
    /// Somebody saved something else since the page was opened.
    ChangedMeanwhile { state: State, theirs: String, yours: String },
    /// The item cannot be repaired by us (a journey, a licence).
    NothingToRepair,
    /// No workshop takes this kind of booking.
    NoWorkshop,
    /// What it costs to look at the item is not what the page had said.
    PriceChanged { fee: Money },
    /// Looking at it costs something, and nobody has said yes to that yet.
    PriceToAgree { fee: Money },
}

/// How fast and how long things may be, set by the workshop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// Until this long before the appointment the customer may move or cancel.
    pub notice_hours: i64,
    /// How many days a quote stands.
    pub quote_days: i64,
    /// How many days the work itself is guaranteed.
    pub warranty_days: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { notice_hours: 24, quote_days: 14, warranty_days: 90 }
    }
}

impl Policy {
    /// The last instant at which the customer may still move or cancel.
    pub fn notice_ends(&self, appointment: DateTime<Utc>) -> DateTime<Utc> {
        appointment - TimeDelta::hours(self.notice_hours)
    }
}

/// One line of a quote.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QuoteLine {
    pub label: String,
    pub quantity: i64,
    pub unit_price: Money,
}

impl QuoteLine {
    /// What the line costs; `None` where no number holds it.
    pub fn total(&self) -> Option<Money> {
        self.unit_price.times(self.quantity)
    }
}

/// What the lines cost together.
///
/// # Errors
/// [`Refusal::QuoteEmpty`] without lines, with a quantity below one, a price below nothing, currencies that differ or
/// a sum that no number holds.
pub fn quote_total(lines: &[QuoteLine]) -> Result<Money, Refusal> {
    let first = lines.first().ok_or(Refusal::QuoteEmpty)?;
    lines.iter().try_fold(Money::zero(first.unit_price.currency), |sum, line| {
        let sane = line.quantity >= 1 && line.unit_price.minor >= 0 && !line.label.trim().is_empty();
        let total = line.total().filter(|_| sane).ok_or(Refusal::QuoteEmpty)?;
        sum.checked_add(total).ok_or(Refusal::QuoteEmpty)
    })
}

/// How a quote stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum QuoteState {
    Sent,
    Accepted,
    Declined,
    Expired,
    /// A newer one took its place.
    Superseded,
}

stored!(QuoteState {
    Sent = "sent", Accepted = "accepted", Declined = "declined", Expired = "expired", Superseded = "superseded",
});

/// What decides about a quote: how it stands and the last day on which it can be accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Standing {
    pub state: QuoteState,
    pub valid_until: NaiveDate,
    pub total: Money,
}

/// A repair as the rules see it.
#[derive(Clone, PartialEq, Debug)]
pub struct Job {
    pub state: State,
    pub mode: Mode,
    /// The coverage pays, so no quote is needed.
    pub covered: bool,
    pub appointment: Option<DateTime<Utc>>,
    pub quote: Option<Standing>,
    pub parts_due: Option<NaiveDate>,
}

/// The clock in the two forms that rules need: the instant and the company's day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    pub now: DateTime<Utc>,
    pub today: NaiveDate,
}

impl Job {
    /// A new job: with an appointment it is booked, without one (sent in) requested.
    pub fn begin(mode: Mode, appointment: Option<DateTime<Utc>>, covered: bool) -> Self {
        let state = if appointment.is_some() { State::Booked } else { State::Requested };
        Self { state, mode, covered, appointment, quote: None, parts_due: None }
    }

    /// What this actor can do now; exactly these buttons are shown.
    pub fn verbs(&self, by: Actor, at: Moment, policy: &Policy) -> Vec<Verb> {
        let possible = TRANSITIONS.iter().filter(|t| t.from == self.state).map(|t| t.verb);
        possible.filter(|verb| self.may(*verb, by, at, policy).is_ok()).collect()
    }

    /// Whether the move is possible for this actor now, and where it leads.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may(&self, verb: Verb, by: Actor, at: Moment, policy: &Policy) -> Result<State, Refusal> {
        let not_now = Refusal::NotNow { state: self.state, verb };
        let found = transition(self.state, verb).filter(|t| t.by.contains(&by)).ok_or(not_now.clone())?;
        match verb {
            Verb::Move if !self.mode.needs_slot() => Err(not_now),
            Verb::Move | Verb::Cancel => self.notice_stands(by, at.now, policy).map(|()| found.to),
            Verb::Start if self.state == State::Diagnosed && !self.covered => Err(Refusal::NeedsAcceptedQuote),
            Verb::Accept => self.open_quote(at.today).map(|()| found.to),
            Verb::Lapse if self.open_quote(at.today).is_ok() => Err(not_now),
            // Who does not want more than what is covered gets that all the same.
            Verb::Decline if self.covered => Ok(State::Diagnosed),
            _ => Ok(found.to),
        }
    }

    /// Makes the move.
    ///
    /// # Errors
    /// The reason why it is not possible.
    pub fn act(mut self, verb: Verb, by: Actor, at: Moment, policy: &Policy) -> Result<Self, Refusal> {
        self.state = self.may(verb, by, at, policy)?;
        if let Some(quote) = self.quote.as_mut() {
            quote.state = match verb {
                Verb::Accept => QuoteState::Accepted,
                Verb::Decline => QuoteState::Declined,
                Verb::Lapse => QuoteState::Expired,
                _ => quote.state,
            };
        }
        if verb != Verb::WaitForParts {
            self.parts_due = None;
        }
        Ok(self)
    }

    /// Sends a quote; one that was open before is superseded by it.
    ///
    /// # Errors
    /// The reason why it is not possible.
    pub fn send_quote(self, quote: Standing, at: Moment, policy: &Policy) -> Result<Self, Refusal> {
        let mut job = self.act(Verb::Quote, Actor::Technician, at, policy)?;
        job.quote = Some(quote);
        Ok(job)
    }

    /// Takes another appointment.
    ///
    /// # Errors
    /// The reason why it is not possible.
    pub fn move_to(self, to: DateTime<Utc>, by: Actor, at: Moment, policy: &Policy) -> Result<Self, Refusal> {
        let mut job = self.act(Verb::Move, by, at, policy)?;
        job.appointment = Some(to);
        Ok(job)
    }

    /// Waits for a part that is expected on a day.
    ///
    /// # Errors
    /// The reason why it is not possible.
    pub fn wait_for_parts(self, due: NaiveDate, at: Moment, policy: &Policy) -> Result<Self, Refusal> {
        let mut job = self.act(Verb::WaitForParts, Actor::Technician, at, policy)?;
        job.parts_due = Some(due);
        Ok(job)
    }

    fn notice_stands(&self, by: Actor, now: DateTime<Utc>, policy: &Policy) -> Result<(), Refusal> {
        match self.appointment.map(|appointment| policy.notice_ends(appointment)) {
            Some(until) if by == Actor::Customer && now > until => Err(Refusal::NoticeOver { until }),
            _ => Ok(()),
        }
    }

    fn open_quote(&self, today: NaiveDate) -> Result<(), Refusal> {
        match self.quote {
            Some(quote) if quote.state != QuoteState::Sent => Err(Refusal::QuoteReplaced),
            Some(quote) if today > quote.valid_until => Err(Refusal::QuoteExpired { on: quote.valid_until }),
            Some(_) => Ok(()),
            None => Err(Refusal::QuoteReplaced),
        }
    }

    /// What is expected next, of whom, and by which rule its date follows; nothing once the job has ended.
    pub fn next(&self) -> Option<Next> {
        let (step, by, due) = match self.state {
            State::Requested if self.mode == Mode::SendIn => (Step::SendItem, Actor::Customer, Due::Days(14)),
            State::Requested => (Step::AgreeTime, Actor::Technician, Due::WorkingDays(1)),
            State::Booked if self.mode == Mode::OnSite => (Step::VisitYou, Actor::Technician, self.appointment_due()),
            State::Booked => (Step::BringItem, Actor::Customer, self.appointment_due()),
            State::Received => (Step::Diagnose, Actor::Technician, Due::WorkingDays(2)),
            State::Diagnosed if self.covered => (Step::StartWork, Actor::Technician, Due::WorkingDays(2)),
            State::Diagnosed => (Step::SendQuote, Actor::Technician, Due::WorkingDays(1)),
            State::Quoted => {
                let until = self.quote.map(|quote| Due::On(quote.valid_until)).unwrap_or(Due::WorkingDays(1));
                (Step::AnswerQuote, Actor::Customer, until)
            }
            State::Approved => (Step::StartWork, Actor::Technician, Due::WorkingDays(2)),
            State::Declined => (Step::PrepareReturn, Actor::Technician, Due::WorkingDays(2)),
            State::InRepair => (Step::FinishWork, Actor::Technician, Due::WorkingDays(5)),
            State::WaitingForParts => {
                (Step::PartsArrive, Actor::Technician, self.parts_due.map_or(Due::WorkingDays(5), Due::On))
            }
            State::Repaired => (Step::TestAndPack, Actor::Technician, Due::WorkingDays(1)),
            State::Ready if self.mode == Mode::SendIn => (Step::SendBack, Actor::Technician, Due::WorkingDays(2)),
            // We are at the item, or bring it: nobody has to come for it.
            State::Ready if self.mode == Mode::OnSite => (Step::HandOverThere, Actor::Technician, Due::WorkingDays(2)),
            State::Ready => (Step::Collect, Actor::Customer, Due::Days(14)),
            State::HandedBack => (Step::SettleDown, Actor::System, Due::Days(14)),
            State::Closed | State::Cancelled | State::NotRepairable => return None,
        };
        Some(Next { step, by, due })
    }

    fn appointment_due(&self) -> Due {
        self.appointment.map_or(Due::WorkingDays(1), Due::At)
    }
}

/// What is expected next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Step {
    SendItem,
    AgreeTime,
    BringItem,
    VisitYou,
    Diagnose,
    SendQuote,
    AnswerQuote,
    StartWork,
    FinishWork,
    PartsArrive,
    PrepareReturn,
    TestAndPack,
    SendBack,
    Collect,
    HandOverThere,
    SettleDown,
}

stored!(Step {
    SendItem = "send_item", AgreeTime = "agree_time", BringItem = "bring_item", VisitYou = "visit_you",
    Diagnose = "diagnose", SendQuote = "send_quote", AnswerQuote = "answer_quote", StartWork = "start_work",
    FinishWork = "finish_work", PartsArrive = "parts_arrive", PrepareReturn = "prepare_return",
    TestAndPack = "test_and_pack", SendBack = "send_back", Collect = "collect",
    HandOverThere = "hand_over_there", SettleDown = "settle_down",
});

/// The next expected step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Next {
    pub step: Step,
    pub by: Actor,
    pub due: Due,
}

/// How the date of a step follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// An instant that is known.
    At(DateTime<Utc>),
    /// The end of a day that is known.
    On(NaiveDate),
    /// The end of the day that many of the workshop's working days from today.
    WorkingDays(u32),
    /// The end of the day that many calendar days from today.
    Days(u32),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Currency;
    use proptest::prelude::*;

    const POLICY: Policy = Policy { notice_hours: 24, quote_days: 14, warranty_days: 90 };

    fn at(text: &str) -> Moment {
        let now: DateTime<Utc> = text.parse().unwrap();
        Moment { now, today: now.date_naive() }
    }

    fn now() -> Moment {
        at("2026-12-01T09:00:00Z")
    }

    fn job(state: State) -> Job {
        Job { state, ..Job::begin(Mode::BringIn, Some("2026-12-10T09:00:00Z".parse().unwrap()), false) }
    }

    fn standing(until: &str) -> Standing {
        Standing {
            state: QuoteState::Sent,
            valid_until: until.parse().unwrap(),
            total: Money::new(9900, Currency::EUR),
        }
    }

    fn line(quantity: i64, minor: i64) -> QuoteLine {
        QuoteLine { label: "Fuser".into(), quantity, unit_price: Money::new(minor, Currency::EUR) }
    }

    #[test]
    fn a_covered_job_goes_from_the_counter_back_over_it_without_a_quote() {
        let path = [
            (Verb::Receive, State::Received),
            (Verb::Diagnose, State::Diagnosed),
            (Verb::Start, State::InRepair),
            (Verb::WaitForParts, State::WaitingForParts),
            (Verb::Resume, State::InRepair),
            (Verb::Finish, State::Repaired),
            (Verb::MakeReady, State::Ready),
            (Verb::HandBack, State::HandedBack),
        ];
        let mut job = Job { covered: true, ..job(State::Booked) };
        for (verb, state) in path {
            job = job.act(verb, Actor::Technician, now(), &POLICY).unwrap();
            assert_eq!(job.state, state);
        }
        assert_eq!(job.act(Verb::Close, Actor::System, now(), &POLICY).unwrap().state, State::Closed);
    }

    #[test]
    fn a_job_that_is_not_covered_needs_an_accepted_quote() {
        let diagnosed = job(State::Diagnosed);
        let refused = diagnosed.clone().act(Verb::Start, Actor::Technician, now(), &POLICY);
        assert_eq!(refused, Err(Refusal::NeedsAcceptedQuote));
        let quoted = diagnosed.send_quote(standing("2026-12-15"), now(), &POLICY).unwrap();
        let approved = quoted.act(Verb::Accept, Actor::Customer, now(), &POLICY).unwrap();
        assert_eq!(approved.quote.unwrap().state, QuoteState::Accepted);
        assert_eq!(approved.act(Verb::Start, Actor::Technician, now(), &POLICY).unwrap().state, State::InRepair);
    }

    #[test]
    fn who_declines_what_comes_on_top_gets_what_is_covered_all_the_same() {
        let covered = Job { covered: true, ..job(State::Diagnosed) };
        let quoted = covered.send_quote(standing("2026-12-15"), now(), &POLICY).unwrap();
        let declined = quoted.act(Verb::Decline, Actor::Customer, now(), &POLICY).unwrap();
        assert_eq!((declined.state, declined.quote.unwrap().state), (State::Diagnosed, QuoteState::Declined));
        assert_eq!(declined.next().unwrap().step, Step::StartWork);
        assert_eq!(declined.act(Verb::Start, Actor::Technician, now(), &POLICY).unwrap().state, State::InRepair);
        let other = job(State::Diagnosed).send_quote(standing("2026-12-15"), now(), &POLICY).unwrap();
        assert_eq!(other.act(Verb::Decline, Actor::Customer, now(), &POLICY).unwrap().state, State::Declined);
    }

    #[test]
    fn a_quote_cannot_be_accepted_after_it_expired() {
        let quoted = job(State::Diagnosed).send_quote(standing("2026-12-15"), now(), &POLICY).unwrap();
        let last_day = at("2026-12-15T23:00:00Z");
        assert!(quoted.may(Verb::Accept, Actor::Customer, last_day, &POLICY).is_ok());
        let late = at("2026-12-16T00:00:00Z");
        let refused = quoted.clone().act(Verb::Accept, Actor::Customer, late, &POLICY);
        assert_eq!(refused, Err(Refusal::QuoteExpired { on: "2026-12-15".parse().unwrap() }));
        assert!(quoted.may(Verb::Lapse, Actor::System, last_day, &POLICY).is_err());
        assert_eq!(quoted.act(Verb::Lapse, Actor::System, late, &POLICY).unwrap().state, State::Diagnosed);
    }

    #[test]
    fn a_technician_cannot_accept_for_the_customer() {
        let quoted = job(State::Diagnosed).send_quote(standing("2026-12-15"), now(), &POLICY).unwrap();
        let refused = quoted.act(Verb::Accept, Actor::Technician, now(), &POLICY);
        assert_eq!(refused, Err(Refusal::NotNow { state: State::Quoted, verb: Verb::Accept }));
    }

    #[test]
    fn the_customer_moves_and_cancels_until_the_notice_ends_and_the_workshop_always() {
        let booked = job(State::Booked);
        let until: DateTime<Utc> = "2026-12-09T09:00:00Z".parse().unwrap();
        let late = at("2026-12-09T09:00:01Z");
        for verb in [Verb::Move, Verb::Cancel] {
            assert!(booked.may(verb, Actor::Customer, Moment { now: until, ..late }, &POLICY).is_ok());
            assert_eq!(booked.may(verb, Actor::Customer, late, &POLICY), Err(Refusal::NoticeOver { until }));
            assert!(booked.may(verb, Actor::Technician, late, &POLICY).is_ok());
        }
    }

    #[test]
    fn a_parcel_has_no_appointment_to_move() {
        let sent = Job::begin(Mode::SendIn, None, true);
        assert_eq!(sent.state, State::Requested);
        assert!(sent.may(Verb::Move, Actor::Customer, now(), &POLICY).is_err());
        assert!(sent.may(Verb::Cancel, Actor::Customer, now(), &POLICY).is_ok());
    }

    #[test]
    fn only_what_was_brought_in_is_collected() {
        let next = |mode| Job { state: State::Ready, ..Job::begin(mode, None, true) }.next().unwrap();
        let of = |mode| (next(mode).step, next(mode).by);
        assert_eq!(of(Mode::BringIn), (Step::Collect, Actor::Customer));
        assert_eq!(of(Mode::SendIn), (Step::SendBack, Actor::Technician));
        assert_eq!(of(Mode::OnSite), (Step::HandOverThere, Actor::Technician));
    }

    #[test]
    fn everything_open_has_a_next_step_and_every_end_has_none() {
        for state in State::ALL {
            assert_eq!(job(*state).next().is_none(), state.is_end(), "{state}");
        }
    }

    #[test]
    fn nothing_leads_out_of_an_end_and_everything_else_leads_to_one() {
        for state in State::ALL {
            let out: Vec<_> = TRANSITIONS.iter().filter(|t| t.from == *state).collect();
            assert_eq!(out.is_empty(), state.is_end(), "{state}");
        }
        let mut reached: Vec<State> = State::ALL.iter().copied().filter(|s| s.is_end()).collect();
        for _ in State::ALL {
            let before = TRANSITIONS.iter().filter(|t| reached.contains(&t.to)).map(|t| t.from);
            let mut more: Vec<State> = before.collect();
            reached.append(&mut more);
            reached.sort();
            reached.dedup();
        }
        assert_eq!(reached.len(), State::ALL.len());
    }

    #[test]
    fn every_state_can_be_reached_and_each_verb_leads_to_one_place() {
        for state in State::ALL {
            let first = matches!(state, State::Requested | State::Booked);
            assert!(first || TRANSITIONS.iter().any(|t| t.to == *state), "{state}");
        }
        for (place, one) in TRANSITIONS.iter().enumerate() {
            assert!(!TRANSITIONS[place + 1..].iter().any(|t| (t.from, t.verb) == (one.from, one.verb)), "{one:?}");
        }
    }

    #[test]
    fn a_quote_adds_up_and_a_senseless_one_is_refused() {
        assert_eq!(quote_total(&[line(2, 4500), line(1, 900)]), Ok(Money::new(9900, Currency::EUR)));
        let dollars = QuoteLine { unit_price: Money::new(1, "USD".parse().unwrap()), ..line(1, 1) };
        let nameless = QuoteLine { label: "  ".into(), ..line(1, 1) };
        for bad in [vec![], vec![line(0, 1)], vec![line(1, -1)], vec![line(2, i64::MAX)], vec![line(1, 1), dollars]] {
            assert_eq!(quote_total(&bad), Err(Refusal::QuoteEmpty));
        }
        assert_eq!(quote_total(&[nameless]), Err(Refusal::QuoteEmpty));
    }

    #[test]
    fn what_is_said_of_a_fault_is_read_back() {
        let id = uuid::Uuid::from_u128(7);
        for said in [FaultAgain::Another(id.into()), FaultAgain::As(id.into())] {
            assert_eq!(said.to_string().parse(), Ok(said));
        }
        assert!(["", "no", "no~", "yes"].iter().all(|text| text.parse::<FaultAgain>().is_err()));
    }

    #[test]
    fn a_number_is_read_with_and_without_its_prefix() {
        let rma = Rma(PublicNumber::from_seed(77_777_777));
        let shown = rma.to_string();
        assert_eq!(shown.parse(), Ok(rma.clone()));
        assert_eq!(shown.to_lowercase().replace("rma-", "").parse(), Ok(rma));
        assert!("RMA-".parse::<Rma>().is_err() && "é".parse::<Rma>().is_err());
    }

    proptest! {
        #[test]
        fn names_are_read_back(n in 0..State::ALL.len()) {
            let state = State::ALL[n];
            prop_assert_eq!(state.as_str().parse(), Ok(state));
        }

        #[test]
        fn whatever_happens_only_listed_moves_do(
            acts in prop::collection::vec((0..Verb::ALL.len(), 0..Actor::ALL.len(), 0i64..60), 0..60),
            covered: bool, mode in 0..Mode::ALL.len(),
        ) {
            let start = now();
            let mode = Mode::ALL[mode];
            let appointment = mode.needs_slot().then(|| start.now + TimeDelta::days(9));
            let mut job = Job::begin(mode, appointment, covered);
            let mut accepted = false;
            for (verb, by, days) in acts {
                let (verb, by) = (Verb::ALL[verb], Actor::ALL[by]);
                let instant = start.now + TimeDelta::days(days);
                let moment = Moment { now: instant, today: instant.date_naive() };
                let before = job.clone();
                let offered = before.verbs(by, moment, &POLICY).contains(&verb);
                let after = match verb {
                    Verb::Quote => job.clone().send_quote(standing("2026-12-20"), moment, &POLICY).ok()
                        .filter(|_| by == Actor::Technician),
                    _ => job.clone().act(verb, by, moment, &POLICY).ok(),
                };
                prop_assert_eq!(offered, after.is_some());
                let Some(after) = after else { continue };
                let known = transition(before.state, verb).unwrap();
                // Who declines what comes on top gets what is covered all the same.
                let on_top = covered && verb == Verb::Decline;
                prop_assert_eq!(after.state, if on_top { State::Diagnosed } else { known.to });
                prop_assert!(known.by.contains(&by));
                accepted |= verb == Verb::Accept;
                // Promise 3: no work on what is not covered without the customer's yes.
                prop_assert!(after.state != State::InRepair || covered || accepted);
                job = after;
            }
        }
    }
}
