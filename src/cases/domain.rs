//! How a case moves, who has to do what next, and by when: clocks run in working time and stand still while we wait for the
//! customer.

use crate::values::{PersonId, add_months};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A resolved case comes back to life within this many days.
pub const REOPEN_DAYS: i64 = 14;
/// When the customer was asked and stays silent, somebody gets in touch after this many days.
pub const HEAR_BACK_DAYS: i64 = 7;
/// How many cases one person may open in an hour.
pub const PER_HOUR: i64 = 10;
/// The longest subject and the longest message that are taken.
pub const SUBJECT_MAX: u32 = 120;
pub const WORDS_MAX: u32 = 5000;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$vdoc])* $variant),+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As it is stored and stands in forms.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or(UnknownWord)
            }
        }
    };
}

/// Text that is none of the words of cases.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a known word of cases")]
pub struct UnknownWord;

words! {
    /// What the customer comes with.
    Kind { Question = "question", Incident = "incident", Complaint = "complaint", Claim = "claim" }
}
words! {
    /// Where a case stands. The customer reads the same words.
    State {
        /// With us.
        Open = "open",
        /// We have asked the customer something.
        WaitingForYou = "waiting_for_you",
        /// We think it is done; the customer may say no for fourteen days.
        Resolved = "resolved",
        Closed = "closed",
    }
}
words! {
    /// How soon; it shortens both promises.
    Priority { Normal = "normal", High = "high", Urgent = "urgent" }
}
words! {
    /// What has to happen next.
    NextStep {
        /// A person answers the customer.
        Answer = "answer",
        /// A person brings it to an end.
        Solve = "solve",
        /// The customer answers; if not, a person gets in touch.
        HearBack = "hear_back",
        /// It closes by itself unless the customer says that it is not solved.
        Close = "close",
    }
}
words! {
    /// Whose words a message carries.
    Side { Customer = "customer", Staff = "staff" }
}
words! {
    /// What a message is for.
    Form {
        /// Both sides read it.
        Message = "message",
        /// We ask the customer and wait.
        Question = "question",
        /// Only staff read it.
        Note = "note",
    }
}

impl Priority {
    /// One step up.
    pub fn raised(self) -> Self {
        match self {
            Self::Normal => Self::High,
            Self::High | Self::Urgent => Self::Urgent,
        }
    }
}

/// What we promise, in working time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Promise {
    pub first_answer: TimeDelta,
    pub solution: TimeDelta,
}

/// The promise for a kind of case: in hours of work, halved for high and quartered for urgent.
pub fn promise(kind: Kind, priority: Priority) -> Promise {
    let (answer, solution) = match kind {
        Kind::Question => (8, 24),
        Kind::Incident => (4, 16),
        Kind::Complaint => (4, 40),
        Kind::Claim => (8, 40),
    };
    let shorter = match priority {
        Priority::Normal => 1,
        Priority::High => 2,
        Priority::Urgent => 4,
    };
    Promise {
        first_answer: TimeDelta::minutes(answer * 60 / shorter),
        solution: TimeDelta::minutes(solution * 60 / shorter),
    }
}

/// The hours in which somebody works, laid out as instants: sorted, apart, half open. The caller lays them out from opening
/// hours, closed days and the zone; where they end (or when there are none) every hour counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WorkingTime(Vec<(DateTime<Utc>, DateTime<Utc>)>);

impl WorkingTime {
    /// Takes spans in any order, also overlapping or empty ones.
    pub fn new(mut spans: Vec<(DateTime<Utc>, DateTime<Utc>)>) -> Self {
        spans.retain(|(from, until)| from < until);
        spans.sort();
        let mut apart: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::with_capacity(spans.len());
        for (from, until) in spans {
            match apart.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(until),
                _ => apart.push((from, until)),
            }
        }
        Self(apart)
    }

    /// How much was worked between two instants.
    pub fn between(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> TimeDelta {
        self.stretches(from)
            .take_while(|(start, _)| *start < until)
            .fold(TimeDelta::zero(), |worked, (start, end)| worked + (end.min(until) - start))
    }

    /// The instant at which so much has been worked since `from`.
    pub fn after(&self, from: DateTime<Utc>, work: TimeDelta) -> DateTime<Utc> {
        let mut left = work.max(TimeDelta::zero());
        for (start, end) in self.stretches(from) {
            if end - start >= left {
                return start + left;
            }
            left -= end - start;
        }
        from + work
    }

    /// The instant from which so much is worked until `until`; before the first of the hours every hour counts.
    pub fn before(&self, until: DateTime<Utc>, work: TimeDelta) -> DateTime<Utc> {
        let mut left = work.max(TimeDelta::zero());
        let mut earliest = until;
        let stretches: Vec<_> =
            self.stretches(DateTime::<Utc>::MIN_UTC).take_while(|(start, _)| *start < until).collect();
        for (start, end) in stretches.into_iter().rev() {
            let end = end.min(until);
            if end - start >= left {
                return end - left;
            }
            left -= end - start;
            earliest = start;
        }
        earliest - left
    }

    /// What is left of the hours from an instant on, with the open end.
    fn stretches(&self, from: DateTime<Utc>) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> + '_ {
        let open_end = self.0.last().map_or(from, |last| last.1.max(from));
        self.0
            .iter()
            .copied()
            .filter(move |(_, until)| *until > from)
            .map(move |(start, until)| (start.max(from), until))
            .chain(std::iter::once((open_end, DateTime::<Utc>::MAX_UTC)))
    }
}

/// A business no about cases.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "no")]
pub enum Refusal {
    /// It is closed for good.
    Closed { at: DateTime<Utc> },
    /// It was resolved too long ago to be opened again.
    TooLateToReopen { days: i64 },
    /// Nothing to reopen or to confirm: it is not resolved.
    NotResolved,
    /// Somebody else resolved it a moment ago.
    AlreadyResolved,
    /// The person who shall have it does not work on cases.
    NotAnAgent,
    /// The customer has written something since the page was opened.
    SaidMeanwhile,
    /// So many cases in one hour are not read by anybody.
    TooMany { per_hour: i64 },
}

/// A case with its clocks. Its words lie beside it, in its messages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Matter {
    pub kind: Kind,
    pub state: State,
    pub priority: Priority,
    pub owner: Option<PersonId>,
    pub opened_at: DateTime<Utc>,
    /// By when a person answers what the customer said last; nothing when they did.
    pub answer_due: Option<DateTime<Utc>>,
    /// When a person answered for the first time.
    pub first_answered_at: Option<DateTime<Utc>>,
    /// By when it is brought to an end.
    pub solve_due: DateTime<Utc>,
    /// Since when we wait for the customer: the clock of the solution stands still.
    pub waiting_since: Option<DateTime<Utc>>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    pub reopened: i32,
    /// A promise that was broken stays broken, also after the solution.
    pub answered_late: bool,
    pub solved_late: bool,
}

impl Matter {
    /// Opens a case: it has an owner (if there is anybody) and its promises from the first moment.
    pub fn open(
        kind: Kind,
        priority: Priority,
        owner: Option<PersonId>,
        now: DateTime<Utc>,
        hours: &WorkingTime,
    ) -> Self {
        let promise = promise(kind, priority);
        Self {
            kind,
            state: State::Open,
            priority,
            owner,
            opened_at: now,
            answer_due: Some(hours.after(now, promise.first_answer)),
            first_answered_at: None,
            solve_due: within_the_month(kind, now, hours.after(now, promise.solution)),
            waiting_since: None,
            resolved_at: None,
            closed_at: None,
            reopened: 0,
            answered_late: false,
            solved_late: false,
        }
    }

    /// What comes next and by when; nothing when it is closed.
    pub fn next(&self) -> Option<(NextStep, DateTime<Utc>)> {
        match (self.state, self.answer_due, self.waiting_since, self.resolved_at) {
            (State::Closed, ..) => None,
            (State::Resolved, _, _, resolved) => {
                Some((NextStep::Close, resolved.unwrap_or(self.opened_at) + TimeDelta::days(REOPEN_DAYS)))
            }
            (State::WaitingForYou, _, waiting, _) => {
                Some((NextStep::HearBack, waiting.unwrap_or(self.opened_at) + TimeDelta::days(HEAR_BACK_DAYS)))
            }
            (State::Open, Some(answer), ..) if answer <= self.solve_due => Some((NextStep::Answer, answer)),
            (State::Open, ..) => Some((NextStep::Solve, self.solve_due)),
        }
    }

    /// By when the customer hears from us: what the page promises. Nothing while it is the customer's turn.
    pub fn promised(&self) -> Option<DateTime<Utc>> {
        match self.state {
            State::Open => self.next().map(|(_, due)| due),
            _ => None,
        }
    }

    /// Is it with us, and past its time?
    pub fn is_late(&self, now: DateTime<Utc>) -> bool {
        self.next().is_some_and(|(step, due)| step != NextStep::Close && due < now)
    }

    /// A person takes it, or gives it to a colleague.
    pub fn give_to(self, owner: PersonId) -> Result<Self, Refusal> {
        self.alive()?;
        Ok(Self { owner: Some(owner), ..self })
    }

    /// It turns out to be more urgent than it looked, or less: both promises move by the difference in working time, so
    /// that whatever a pause has given back already is kept.
    pub fn prioritise(self, priority: Priority, hours: &WorkingTime) -> Result<Self, Refusal> {
        self.alive()?;
        if self.state == State::Resolved {
            return Err(Refusal::AlreadyResolved);
        }
        let (old, new) = (promise(self.kind, self.priority), promise(self.kind, priority));
        let moved = |due: DateTime<Utc>, old: TimeDelta, new: TimeDelta| {
            if new < old { hours.before(due, old - new) } else { hours.after(due, new - old) }
        };
        let mut solve_due = moved(self.solve_due, old.solution, new.solution);
        if solve_due > self.solve_due {
            solve_due = within_the_month(self.kind, self.opened_at, solve_due).max(self.solve_due);
        }
        let answer_due = self.answer_due.map(|due| moved(due, old.first_answer, new.first_answer));
        Ok(Self { priority, answer_due, solve_due, ..self })
    }

    /// A person answers; it stays with us until it is resolved.
    pub fn reply(self, now: DateTime<Utc>, hours: &WorkingTime) -> Result<Self, Refusal> {
        self.alive()?;
        let state = if self.state == State::Resolved { State::Resolved } else { State::Open };
        Ok(Self { state, ..self.resume(now, hours).answered(now) })
    }

    /// A person asks the customer: that is an answer too, and from here the clock stands still.
    pub fn ask(self, now: DateTime<Utc>, hours: &WorkingTime) -> Result<Self, Refusal> {
        self.alive()?;
        let resolved_at = None;
        Ok(Self {
            state: State::WaitingForYou,
            waiting_since: Some(now),
            resolved_at,
            ..self.resume(now, hours).answered(now)
        })
    }

    /// The customer says something: the clock runs again, and a new answer is due if none was. A resolved case that still
    /// can be opened again opens.
    pub fn hear(self, now: DateTime<Utc>, hours: &WorkingTime) -> Result<Self, Refusal> {
        if self.state == State::Resolved {
            return self.reopen(now, hours);
        }
        self.alive()?;
        let due = hours.after(now, promise(self.kind, self.priority).first_answer);
        let answer_due = self.answer_due.or(Some(due));
        Ok(Self { state: State::Open, answer_due, ..self.resume(now, hours) })
    }

    /// A person says that it is done.
    pub fn resolve(self, now: DateTime<Utc>, hours: &WorkingTime) -> Result<Self, Refusal> {
        self.alive()?;
        if self.state == State::Resolved {
            return Err(Refusal::AlreadyResolved);
        }
        let case = self.resume(now, hours).answered(now);
        let solved_late = case.solved_late || now > case.solve_due;
        Ok(Self { state: State::Resolved, resolved_at: Some(now), solved_late, ..case })
    }

    /// The customer says that it is not solved: it opens again, more urgent than before and with new promises.
    pub fn reopen(self, now: DateTime<Utc>, hours: &WorkingTime) -> Result<Self, Refusal> {
        self.alive()?;
        let resolved_at = self.resolved_at.filter(|_| self.state == State::Resolved).ok_or(Refusal::NotResolved)?;
        if now >= resolved_at + TimeDelta::days(REOPEN_DAYS) {
            return Err(Refusal::TooLateToReopen { days: REOPEN_DAYS });
        }
        let priority = self.priority.raised();
        let promise = promise(self.kind, priority);
        Ok(Self {
            state: State::Open,
            priority,
            answer_due: Some(hours.after(now, promise.first_answer)),
            solve_due: within_the_month(self.kind, now, hours.after(now, promise.solution)),
            resolved_at: None,
            reopened: self.reopened + 1,
            ..self
        })
    }

    /// The customer says thank you, or fourteen days have passed.
    pub fn close(self, now: DateTime<Utc>) -> Result<Self, Refusal> {
        self.alive()?;
        if self.state != State::Resolved {
            return Err(Refusal::NotResolved);
        }
        Ok(Self { state: State::Closed, closed_at: Some(now), ..self })
    }

    /// The customer says that it is solved, whoever's turn it was.
    pub fn solved_by_customer(self, now: DateTime<Utc>) -> Result<Self, Refusal> {
        self.alive()?;
        let resolved_at = self.resolved_at.or(Some(now));
        Ok(Self {
            state: State::Closed,
            resolved_at,
            closed_at: Some(now),
            answer_due: None,
            waiting_since: None,
            ..self
        })
    }

    fn alive(&self) -> Result<(), Refusal> {
        match (self.state, self.closed_at) {
            (State::Closed, at) => Err(Refusal::Closed { at: at.unwrap_or(self.opened_at) }),
            _ => Ok(()),
        }
    }

    /// What was promised has been kept or broken: the answer is given.
    fn answered(self, now: DateTime<Utc>) -> Self {
        let late = self.answer_due.is_some_and(|due| due < now);
        Self {
            answer_due: None,
            first_answered_at: self.first_answered_at.or(Some(now)),
            answered_late: self.answered_late || late,
            ..self
        }
    }

    /// The clock of the solution runs again: the working time that passed while we waited is given back, though never beyond
    /// the month that a complaint or a claim has by law.
    fn resume(self, now: DateTime<Utc>, hours: &WorkingTime) -> Self {
        let Some(since) = self.waiting_since else { return self };
        let waited = hours.between(since, now);
        let later = within_the_month(self.kind, self.opened_at, hours.after(self.solve_due.max(since), waited));
        let solve_due = later.max(self.solve_due);
        Self { solve_due, waiting_since: None, ..self }
    }
}

/// A complaint and a claim are answered in full within a month, whatever else holds.
fn within_the_month(kind: Kind, since: DateTime<Utc>, due: DateTime<Utc>) -> DateTime<Utc> {
    match kind {
        Kind::Complaint | Kind::Claim => due.min(add_months(since.date_naive(), 1).and_time(since.time()).and_utc()),
        Kind::Question | Kind::Incident => due,
    }
}

/// Nine to five in UTC on weekdays, for those who have set no hours: `days` days from the one of `from`.
pub fn office_hours(from: DateTime<Utc>, days: i64) -> WorkingTime {
    use chrono::{Datelike, Weekday};
    let clock = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or(NaiveTime::MIN);
    WorkingTime::new(
        (0..days)
            .map(|n| from.date_naive() + TimeDelta::days(n))
            .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
            .map(|day| (day.and_time(clock(9)).and_utc(), day.and_time(clock(17)).and_utc()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Tuesday.
    fn tuesday() -> DateTime<Utc> {
        at("2026-12-01T09:00:00Z")
    }

    fn hours() -> WorkingTime {
        office_hours(at("2026-11-23T00:00:00Z"), 120)
    }

    fn agent() -> PersonId {
        PersonId(uuid::Uuid::from_u128(7))
    }

    fn opened(kind: Kind) -> Matter {
        Matter::open(kind, Priority::Normal, Some(agent()), tuesday(), &hours())
    }

    #[test]
    fn a_target_of_sixteen_hours_is_two_working_days() {
        assert_eq!(hours().after(tuesday(), TimeDelta::hours(16)), at("2026-12-02T17:00:00Z"));
        assert_eq!(hours().after(at("2026-12-04T16:00:00Z"), TimeDelta::hours(2)), at("2026-12-07T10:00:00Z"));
    }

    #[test]
    fn a_question_asked_on_friday_evening_waits_for_monday() {
        let case = Matter::open(Kind::Question, Priority::Normal, None, at("2026-12-04T20:00:00Z"), &hours());
        assert_eq!(case.next(), Some((NextStep::Answer, at("2026-12-07T17:00:00Z"))));
    }

    #[test]
    fn every_hour_counts_where_no_hours_are_set() {
        let case = Matter::open(Kind::Incident, Priority::Urgent, None, tuesday(), &WorkingTime::default());
        assert_eq!(case.answer_due, Some(at("2026-12-01T10:00:00Z")));
    }

    #[test]
    fn the_clock_stands_still_while_the_customer_is_asked() {
        let case = opened(Kind::Question);
        assert_eq!(case.solve_due, at("2026-12-03T17:00:00Z"));
        let case = case.ask(at("2026-12-01T13:00:00Z"), &hours()).unwrap();
        assert_eq!(case.next(), Some((NextStep::HearBack, at("2026-12-08T13:00:00Z"))));
        assert_eq!(case.promised(), None);
        assert!(!case.is_late(at("2026-12-08T12:00:00Z")), "it is the customer's turn");
        let case = case.hear(at("2026-12-03T13:00:00Z"), &hours()).unwrap();
        assert_eq!(case.solve_due, at("2026-12-07T17:00:00Z"), "two working days were given back");
        assert_eq!(case.next(), Some((NextStep::Answer, at("2026-12-04T13:00:00Z"))));
    }

    #[test]
    fn another_priority_moves_both_promises_and_keeps_the_pause() {
        // Asked at 13:00 on Tuesday, heard on Thursday at 13:00: sixteen working hours were given back.
        let paused = opened(Kind::Question).ask(at("2026-12-01T13:00:00Z"), &hours()).unwrap();
        let case = paused.hear(at("2026-12-03T13:00:00Z"), &hours()).unwrap();
        assert_eq!((case.answer_due, case.solve_due), (Some(at("2026-12-04T13:00:00Z")), at("2026-12-07T17:00:00Z")));
        let urgent = case.clone().prioritise(Priority::Urgent, &hours()).unwrap();
        // Two hours for an answer instead of eight; six for the solution instead of twenty-four.
        assert_eq!(urgent.answer_due, Some(at("2026-12-03T15:00:00Z")));
        assert_eq!(urgent.solve_due, at("2026-12-03T15:00:00Z"));
        assert_eq!(urgent.prioritise(Priority::Normal, &hours()), Ok(case));
    }

    #[test]
    fn a_case_that_found_its_end_keeps_its_priority() {
        let resolved = opened(Kind::Question).resolve(tuesday(), &hours()).unwrap();
        assert_eq!(resolved.clone().prioritise(Priority::Urgent, &hours()), Err(Refusal::AlreadyResolved));
        let closed = resolved.close(tuesday()).unwrap();
        assert!(matches!(closed.prioritise(Priority::High, &hours()), Err(Refusal::Closed { .. })));
    }

    #[test]
    fn who_stays_silent_is_followed_up() {
        let case = opened(Kind::Question).ask(tuesday(), &hours()).unwrap();
        assert!(case.is_late(at("2026-12-08T09:00:01Z")));
    }

    #[test]
    fn an_answer_keeps_the_promise_and_a_late_one_stays_late() {
        let case = opened(Kind::Incident);
        let kept = case.clone().reply(at("2026-12-01T12:59:00Z"), &hours()).unwrap();
        assert_eq!((kept.answered_late, kept.first_answered_at), (false, Some(at("2026-12-01T12:59:00Z"))));
        assert_eq!(kept.next(), Some((NextStep::Solve, at("2026-12-02T17:00:00Z"))));
        let broken = case.reply(at("2026-12-01T13:01:00Z"), &hours()).unwrap();
        let solved = broken.resolve(at("2026-12-01T14:00:00Z"), &hours()).unwrap();
        assert!(solved.answered_late && !solved.solved_late);
    }

    #[test]
    fn a_complaint_is_answered_in_full_within_a_month_however_long_we_waited() {
        let case = opened(Kind::Complaint).ask(tuesday(), &hours()).unwrap();
        let case = case.hear(at("2026-12-30T10:00:00Z"), &hours()).unwrap();
        assert_eq!(case.solve_due, at("2027-01-01T09:00:00Z"));
    }

    #[test]
    fn a_resolved_case_opens_again_within_fourteen_days() {
        let case = opened(Kind::Question).resolve(tuesday(), &hours()).unwrap();
        assert_eq!(case.next(), Some((NextStep::Close, at("2026-12-15T09:00:00Z"))));
        let again = case.clone().hear(at("2026-12-15T08:59:00Z"), &hours()).unwrap();
        assert_eq!((again.state, again.priority, again.reopened), (State::Open, Priority::High, 1));
        assert_eq!(again.resolved_at, None);
        assert_eq!(
            case.reopen(at("2026-12-15T09:00:00Z"), &hours()),
            Err(Refusal::TooLateToReopen { days: REOPEN_DAYS })
        );
    }

    #[test]
    fn a_closed_case_stays_closed() {
        let closed = opened(Kind::Question).resolve(tuesday(), &hours()).unwrap().close(tuesday()).unwrap();
        let no = Err(Refusal::Closed { at: tuesday() });
        assert_eq!(closed.next(), None);
        assert_eq!(closed.clone().reply(tuesday(), &hours()), no);
        assert_eq!(closed.clone().hear(tuesday(), &hours()), no);
        assert_eq!(closed.clone().give_to(agent()), no);
        assert_eq!(closed.solved_by_customer(tuesday()), no);
    }

    #[test]
    fn only_a_resolved_case_is_closed_by_us() {
        assert_eq!(opened(Kind::Question).close(tuesday()), Err(Refusal::NotResolved));
        assert_eq!(opened(Kind::Question).reopen(tuesday(), &hours()), Err(Refusal::NotResolved));
        let resolved = opened(Kind::Question).resolve(tuesday(), &hours()).unwrap();
        assert_eq!(resolved.resolve(tuesday(), &hours()), Err(Refusal::AlreadyResolved));
    }

    #[test]
    fn a_customer_may_say_at_any_time_that_it_is_solved() {
        let case = opened(Kind::Incident).ask(tuesday(), &hours()).unwrap().solved_by_customer(tuesday()).unwrap();
        assert_eq!((case.state, case.next(), case.waiting_since), (State::Closed, None, None));
    }

    #[test]
    fn every_word_is_read_back() {
        assert!(Kind::ALL.iter().all(|w| w.as_str().parse() == Ok(*w)));
        assert!(State::ALL.iter().all(|w| w.as_str().parse() == Ok(*w)));
        assert!(Priority::ALL.iter().all(|w| w.as_str().parse() == Ok(*w)));
        assert!(NextStep::ALL.iter().all(|w| w.as_str().parse() == Ok(*w)));
        assert!("solved".parse::<State>().is_err());
    }

    #[derive(Clone, Copy, Debug)]
    enum Deed {
        Reply,
        Ask,
        Hear,
        Resolve,
        Reopen,
        Close,
        Thanks,
    }

    fn deed() -> impl Strategy<Value = (Deed, i64)> {
        let deeds = [Deed::Reply, Deed::Ask, Deed::Hear, Deed::Resolve, Deed::Reopen, Deed::Close, Deed::Thanks];
        (proptest::sample::select(deeds.to_vec()), 0_i64..60 * 24 * 5)
    }

    proptest! {
        /// Whatever happens to a case, while it lives it has a next step and a due time, and its clock never runs backwards.
        #[test]
        fn a_living_case_always_has_a_next_step(kind in proptest::sample::select(Kind::ALL.to_vec()), deeds in proptest::collection::vec(deed(), 0..12)) {
            let hours = hours();
            let mut now = tuesday();
            let mut case = opened(kind);
            for (deed, minutes) in deeds {
                now += TimeDelta::minutes(minutes);
                let before = case.clone();
                let moved = match deed {
                    Deed::Reply => case.clone().reply(now, &hours),
                    Deed::Ask => case.clone().ask(now, &hours),
                    Deed::Hear => case.clone().hear(now, &hours),
                    Deed::Resolve => case.clone().resolve(now, &hours),
                    Deed::Reopen => case.clone().reopen(now, &hours),
                    Deed::Close => case.clone().close(now),
                    Deed::Thanks => case.clone().solved_by_customer(now),
                };
                if let Ok(moved) = moved { case = moved }
                prop_assert_eq!(case.next().is_none(), case.state == State::Closed);
                prop_assert_eq!(case.waiting_since.is_some(), case.state == State::WaitingForYou);
                prop_assert!(!before.answered_late || case.answered_late, "a breach stays a breach");
                prop_assert_eq!(case.owner, Some(agent()));
                if case.reopened == before.reopened { prop_assert!(case.solve_due >= before.solve_due); }
            }
        }

        #[test]
        fn working_time_is_given_back_to_the_minute(start in 0_i64..60 * 24 * 60, work in 0_i64..60 * 200) {
            let hours = hours();
            let from = tuesday() + TimeDelta::minutes(start);
            let end = hours.after(from, TimeDelta::minutes(work));
            prop_assert!(end >= from);
            prop_assert_eq!(hours.between(from, end), TimeDelta::minutes(work));
        }

        #[test]
        fn working_time_is_counted_back_as_it_is_counted_on(start in 0_i64..60 * 24 * 60, work in 1_i64..60 * 200, share in 0_i64..=100) {
            let hours = hours();
            let due = hours.after(tuesday() + TimeDelta::minutes(start), TimeDelta::minutes(work));
            let back = TimeDelta::minutes(work * share / 100);
            let begin = hours.before(due, back);
            prop_assert!(begin <= due);
            prop_assert_eq!(hours.after(begin, back), due);
        }

        #[test]
        fn worked_time_adds_up(a in 0_i64..20_000, b in 0_i64..20_000, c in 0_i64..20_000) {
            let mut cut = [a, b, c].map(|m| tuesday() + TimeDelta::minutes(m));
            cut.sort();
            let hours = hours();
            prop_assert_eq!(hours.between(cut[0], cut[1]) + hours.between(cut[1], cut[2]), hours.between(cut[0], cut[2]));
        }
    }
}
