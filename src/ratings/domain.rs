//! What is asked, what an answer counts for, and when an answer calls for somebody to make it good.
//!
//! CSAT is the share of 4 and 5, NPS the share of 9 and 10 less the share of 0 to 6, CES the share of 5 to 7; each is said
//! with the number of answers and a 95 % Wilson interval, and not at all below five answers.

use crate::values::PersonId;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// One question of a kind in this many days, and no more.
pub const COOLDOWN_DAYS: i64 = 14;
/// A reminder goes out once, this many days after the question.
pub const REMIND_AFTER_DAYS: i64 = 4;
/// The question can be answered for this many days.
pub const OPEN_DAYS: i64 = 30;
/// An answer can be changed for this many days after it was given.
pub const CHANGEABLE_DAYS: i64 = 7;
/// Figures stay hidden below this many answers: they would say more about chance than about us.
pub const FEWEST_ANSWERS: u64 = 5;
/// The longest words that are taken.
pub const WORDS_MAX: u32 = 2000;

/// What is measured, and on which scale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Satisfaction, 1 to 5.
    Csat,
    /// Would you recommend us, 0 to 10.
    Nps,
    /// Was it easy, 1 to 7.
    Ces,
}

impl Measure {
    pub const ALL: [Self; 3] = [Self::Csat, Self::Nps, Self::Ces];

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csat => "csat",
            Self::Nps => "nps",
            Self::Ces => "ces",
        }
    }

    /// The lowest and the highest score.
    pub fn scale(self) -> (i32, i32) {
        match self {
            Self::Csat => (1, 5),
            Self::Nps => (0, 10),
            Self::Ces => (1, 7),
        }
    }
}

/// The moment that the question is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    Delivery,
    Repair,
    Class,
    Case,
    /// Not one moment but all that we have been to each other.
    Relation,
}

impl Moment {
    pub const ALL: [Self; 5] = [Self::Delivery, Self::Repair, Self::Class, Self::Case, Self::Relation];

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Repair => "repair",
            Self::Class => "class",
            Self::Case => "case",
            Self::Relation => "relation",
        }
    }

    /// What is asked about such a moment.
    pub fn measure(self) -> Measure {
        match self {
            Self::Delivery | Self::Repair | Self::Class | Self::Case => Measure::Csat,
            Self::Relation => Measure::Nps,
        }
    }
}

/// Text that is neither a measure nor a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a known word of ratings")]
pub struct UnknownWord;

impl FromStr for Measure {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|m| m.as_str() == text).ok_or(UnknownWord)
    }
}

impl FromStr for Moment {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|m| m.as_str() == text).ok_or(UnknownWord)
    }
}

/// A score that lies on its measure's scale.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Score {
    measure: Measure,
    value: i32,
}

impl Score {
    /// Takes a number if it is on the scale.
    pub fn new(measure: Measure, value: i64) -> Result<Self, Refusal> {
        let (low, high) = measure.scale();
        match i32::try_from(value) {
            Ok(value) if (low..=high).contains(&value) => Ok(Self { measure, value }),
            _ => Err(Refusal::NotOnTheScale { low, high }),
        }
    }

    pub fn value(self) -> i32 {
        self.value
    }

    pub fn measure(self) -> Measure {
        self.measure
    }

    /// A CSAT of 1 or 2, an NPS up to 6, a CES of 1 or 2: somebody has to make it good.
    pub fn is_unhappy(self) -> bool {
        match self.measure {
            Measure::Csat | Measure::Ces => self.value <= 2,
            Measure::Nps => self.value <= 6,
        }
    }
}

/// A business no about ratings.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "no")]
pub enum Refusal {
    NotOnTheScale {
        low: i32,
        high: i32,
    },
    /// The time to answer is over.
    Expired {
        on: DateTime<Utc>,
    },
    /// It was answered, and the time to change the answer is over.
    Settled {
        on: DateTime<Utc>,
    },
}

/// Why a question is not put.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "no")]
pub enum NotAsked {
    /// The same was asked a short while ago; not before this time again.
    AskedLately { not_before: DateTime<Utc> },
    /// Who did the work does not judge it.
    OwnWork,
}

/// May this person be asked now? `last_asked` is when they were last asked a question of the same kind, `did_the_work` are the
/// technician, trainer or agent whose work it is about.
pub fn may_ask(
    person: PersonId,
    last_asked: Option<DateTime<Utc>>,
    did_the_work: &[PersonId],
    now: DateTime<Utc>,
) -> Result<(), NotAsked> {
    if did_the_work.contains(&person) {
        return Err(NotAsked::OwnWork);
    }
    match last_asked.map(|last| last + TimeDelta::days(COOLDOWN_DAYS)) {
        Some(not_before) if now < not_before => Err(NotAsked::AskedLately { not_before }),
        _ => Ok(()),
    }
}

/// One question put to one person about one moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Request {
    pub measure: Measure,
    pub asked_at: DateTime<Utc>,
    pub reminded_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub score: Option<i32>,
}

impl Request {
    /// Until when the answer can be given.
    pub fn open_until(&self) -> DateTime<Utc> {
        self.asked_at + TimeDelta::days(OPEN_DAYS)
    }

    /// Until when the answer that was given can be changed.
    pub fn changeable_until(&self) -> Option<DateTime<Utc>> {
        self.answered_at.map(|at| at + TimeDelta::days(CHANGEABLE_DAYS))
    }

    /// Can it be answered, or its answer be changed, now?
    pub fn check_open(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        match self.changeable_until() {
            Some(on) if on <= now => Err(Refusal::Settled { on }),
            Some(_) => Ok(()),
            None if self.open_until() <= now => Err(Refusal::Expired { on: self.open_until() }),
            None => Ok(()),
        }
    }

    /// Takes an answer, or a changed one. The first answer starts the time in which it may be changed.
    pub fn answer(self, score: i64, now: DateTime<Utc>) -> Result<(Self, Score), Refusal> {
        self.check_open(now)?;
        let score = Score::new(self.measure, score)?;
        let answered_at = self.answered_at.or(Some(now));
        Ok((Self { score: Some(score.value()), answered_at, ..self }, score))
    }

    /// One reminder, when it is time, and only while there is no answer.
    pub fn may_remind(&self, now: DateTime<Utc>) -> bool {
        self.reminded_at.is_none()
            && self.answered_at.is_none()
            && now >= self.asked_at + TimeDelta::days(REMIND_AFTER_DAYS)
            && now < self.open_until()
    }
}

/// A share of answers with what it may be by chance.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Share {
    pub answers: u64,
    /// All three from 0 to 1.
    pub share: f64,
    pub low: f64,
    pub high: f64,
}

/// A figure, or why there is none yet.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure<T> {
    TooFew { answers: u64 },
    Known(T),
}

/// How often each score was given: `(score, times)`.
pub type Tally = [(i32, u64)];

/// The share of 4 and 5 among all answers.
pub fn csat(tally: &Tally) -> Figure<Share> {
    share_of(tally, |score| score >= 4)
}

/// The share of 5 to 7 among all answers about effort.
pub fn ces(tally: &Tally) -> Figure<Share> {
    share_of(tally, |score| score >= 5)
}

/// The net promoter score, -100 to 100.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct NetPromoters {
    pub answers: u64,
    pub score: f64,
}

/// The share of 9 and 10 less the share of 0 to 6, times a hundred.
pub fn nps(tally: &Tally) -> Figure<NetPromoters> {
    let answers = count(tally, |_| true);
    if answers < FEWEST_ANSWERS {
        return Figure::TooFew { answers };
    }
    let net = count(tally, |s| s >= 9) as f64 - count(tally, |s| s <= 6) as f64;
    Figure::Known(NetPromoters { answers, score: 100.0 * net / answers as f64 })
}

fn share_of(tally: &Tally, counts: impl Fn(i32) -> bool) -> Figure<Share> {
    let answers = count(tally, |_| true);
    if answers < FEWEST_ANSWERS {
        return Figure::TooFew { answers };
    }
    let good = count(tally, counts);
    let (low, high) = wilson(good, answers);
    Figure::Known(Share { answers, share: good as f64 / answers as f64, low, high })
}

fn count(tally: &Tally, counts: impl Fn(i32) -> bool) -> u64 {
    tally.iter().filter(|(score, _)| counts(*score)).map(|(_, times)| times).sum()
}

/// The 95 % interval of Wilson (1927) for `good` of `all`: it never leaves 0 to 1 and is honest for small numbers.
pub fn wilson(good: u64, all: u64) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let z = 1.959_963_984_540_054_f64;
    let n = all as f64;
    let p = good as f64 / n;
    let middle = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + z * z / n;
    (((middle - spread) / whole).clamp(0.0, p), ((middle + spread) / whole).clamp(p, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn asked() -> Request {
        Request {
            measure: Measure::Csat,
            asked_at: at("2026-12-01T09:00:00Z"),
            reminded_at: None,
            answered_at: None,
            score: None,
        }
    }

    fn person(n: u128) -> PersonId {
        PersonId(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn csat_is_the_share_of_four_and_five_with_its_interval() {
        let Figure::Known(share) = csat(&[(1, 1), (3, 1), (4, 3), (5, 5)]) else { panic!("ten answers are enough") };
        assert_eq!(share.answers, 10);
        assert!((share.share - 0.8).abs() < 1e-9);
        // Reference: R, prop.test(8, 10, correct = FALSE)$conf.int
        assert!((share.low - 0.490_162_3).abs() < 1e-6, "{}", share.low);
        assert!((share.high - 0.943_317_8).abs() < 1e-6, "{}", share.high);
    }

    #[test]
    fn figures_are_hidden_below_five_answers() {
        assert_eq!(csat(&[(5, 4)]), Figure::TooFew { answers: 4 });
        assert_eq!(nps(&[]), Figure::TooFew { answers: 0 });
        assert!(matches!(csat(&[(5, 5)]), Figure::Known(_)));
    }

    #[test]
    fn nps_is_promoters_less_detractors() {
        let Figure::Known(net) = nps(&[(10, 3), (9, 2), (8, 1), (7, 1), (6, 2), (0, 1)]) else { panic!() };
        assert_eq!(net.answers, 10);
        assert!((net.score - 20.0).abs() < 1e-9);
    }

    #[test]
    fn a_low_score_calls_for_recovery() {
        let unhappy = |m, v| Score::new(m, v).unwrap().is_unhappy();
        assert!(unhappy(Measure::Csat, 1) && unhappy(Measure::Csat, 2) && !unhappy(Measure::Csat, 3));
        assert!(unhappy(Measure::Nps, 0) && unhappy(Measure::Nps, 6) && !unhappy(Measure::Nps, 7));
    }

    #[test]
    fn a_score_off_the_scale_is_refused() {
        assert_eq!(Score::new(Measure::Csat, 0), Err(Refusal::NotOnTheScale { low: 1, high: 5 }));
        assert_eq!(Score::new(Measure::Csat, i64::MAX), Err(Refusal::NotOnTheScale { low: 1, high: 5 }));
        assert!(Score::new(Measure::Nps, 0).is_ok());
    }

    #[test]
    fn nobody_is_asked_twice_in_fourteen_days() {
        let last = at("2026-12-01T09:00:00Z");
        let not_before = at("2026-12-15T09:00:00Z");
        assert_eq!(
            may_ask(person(1), Some(last), &[], at("2026-12-15T08:59:59Z")),
            Err(NotAsked::AskedLately { not_before })
        );
        assert_eq!(may_ask(person(1), Some(last), &[], not_before), Ok(()));
        assert_eq!(may_ask(person(1), None, &[], last), Ok(()));
    }

    #[test]
    fn a_technician_does_not_rate_themselves() {
        let now = at("2026-12-01T09:00:00Z");
        assert_eq!(may_ask(person(1), None, &[person(2), person(1)], now), Err(NotAsked::OwnWork));
        assert_eq!(may_ask(person(3), None, &[person(2), person(1)], now), Ok(()));
    }

    #[test]
    fn an_answer_can_be_changed_for_seven_days_and_no_longer() {
        let (first, _) = asked().answer(2, at("2026-12-02T09:00:00Z")).unwrap();
        let (second, score) = first.answer(5, at("2026-12-08T09:00:00Z")).unwrap();
        assert_eq!((second.answered_at, score.value()), (Some(at("2026-12-02T09:00:00Z")), 5));
        assert_eq!(
            second.answer(1, at("2026-12-09T09:00:00Z")).unwrap_err(),
            Refusal::Settled { on: at("2026-12-09T09:00:00Z") }
        );
    }

    #[test]
    fn a_question_expires_after_thirty_days() {
        assert!(asked().answer(4, at("2026-12-31T08:59:59Z")).is_ok());
        assert_eq!(
            asked().answer(4, at("2026-12-31T09:00:00Z")).unwrap_err(),
            Refusal::Expired { on: at("2026-12-31T09:00:00Z") }
        );
    }

    #[test]
    fn there_is_at_most_one_reminder_and_none_after_an_answer() {
        let day5 = at("2026-12-05T09:00:00Z");
        assert!(!asked().may_remind(at("2026-12-05T08:59:59Z")));
        assert!(asked().may_remind(day5));
        assert!(!Request { reminded_at: Some(day5), ..asked() }.may_remind(day5 + TimeDelta::days(5)));
        assert!(!Request { answered_at: Some(day5), ..asked() }.may_remind(day5));
        assert!(!asked().may_remind(at("2026-12-31T09:00:00Z")));
    }

    #[test]
    fn every_word_is_read_back() {
        assert!(Moment::ALL.into_iter().all(|m| m.as_str().parse() == Ok(m)));
        assert!(Measure::ALL.into_iter().all(|m| m.as_str().parse() == Ok(m)));
    }

    proptest! {
        #[test]
        fn an_interval_holds_the_share_and_stays_within_zero_and_one(all in 1_u64..100_000, part in 0.0_f64..=1.0) {
            let good = (all as f64 * part) as u64;
            let (low, high) = wilson(good, all);
            let share = good as f64 / all as f64;
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
        }

        #[test]
        fn more_answers_make_a_narrower_interval(all in 5_u64..10_000, part in 0.0_f64..=1.0) {
            let good = (all as f64 * part) as u64;
            let (low, high) = wilson(good, all);
            let (low10, high10) = wilson(good * 10, all * 10);
            prop_assert!(high10 - low10 < high - low);
        }

        #[test]
        fn nps_stays_between_minus_and_plus_a_hundred(tally in proptest::collection::vec((0_i32..=10, 0_u64..50), 0..11)) {
            if let Figure::Known(net) = nps(&tally) {
                prop_assert!((-100.0..=100.0).contains(&net.score));
            }
        }
    }
}
