//! Ratings in words.

use crate::{
    i18n::{Fmt, InWords},
    ratings::domain::{Measure, Moment, Refusal},
    ui::Tone,
    w,
};

/// The question that is put about a moment.
pub fn question(moment: Moment, about: &str, fmt: Fmt) -> String {
    let about = about.to_owned();
    match moment {
        Moment::Delivery => w!(fmt, ratings.q_delivery, about = about),
        Moment::Repair => w!(fmt, ratings.q_repair, about = about),
        Moment::Class => w!(fmt, ratings.q_class, about = about),
        Moment::Case => w!(fmt, ratings.q_case, about = about),
        Moment::Relation => w!(fmt, ratings.q_relation),
    }
}

impl InWords for Moment {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Delivery => w!(fmt, ratings.moment_delivery),
            Self::Repair => w!(fmt, ratings.moment_repair),
            Self::Class => w!(fmt, ratings.moment_class),
            Self::Case => w!(fmt, ratings.moment_case),
            Self::Relation => w!(fmt, ratings.moment_relation),
        }
    }
}

impl InWords for Refusal {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::NotOnTheScale { low, high } => {
                w!(fmt, ratings.no_scale, low = fmt.number((*low).into()), high = fmt.number((*high).into()))
            }
            Self::Expired { on } => w!(fmt, ratings.gone_expired, when = fmt.date(on.date_naive())),
            Self::Settled { on } => w!(fmt, ratings.gone_settled, when = fmt.date(on.date_naive())),
        }
    }
}

/// What one to five stand for, from worst to best.
pub fn five(fmt: Fmt) -> [String; 5] {
    [
        w!(fmt, ratings.score_1),
        w!(fmt, ratings.score_2),
        w!(fmt, ratings.score_3),
        w!(fmt, ratings.score_4),
        w!(fmt, ratings.score_5),
    ]
}

/// Every score of a scale, from the lowest, with what it is called.
pub fn choices(measure: Measure, fmt: Fmt) -> Vec<(i32, String)> {
    let (low, high) = measure.scale();
    let called = |score: i32| {
        let words = match measure {
            Measure::Csat => usize::try_from(score - low).ok().and_then(|at| five(fmt).get(at).cloned()),
            Measure::Nps | Measure::Ces if score == low => Some(w!(fmt, ratings.low_end)),
            Measure::Nps | Measure::Ces if score == high => Some(w!(fmt, ratings.high_end)),
            Measure::Nps | Measure::Ces => None,
        };
        let number = fmt.number(score.into());
        words.map_or_else(|| number.clone(), |words| format!("{number} · {words}"))
    };
    (low..=high).map(|score| (score, called(score))).collect()
}

/// `2 of 5`
pub fn score_of(score: i32, measure: Measure, fmt: Fmt) -> String {
    let (_, most) = measure.scale();
    w!(fmt, ratings.score_of, score = fmt.number(score.into()), most = fmt.number(most.into()))
}

/// How a score looks.
pub fn tone(score: i32, measure: Measure) -> Tone {
    match crate::ratings::domain::Score::new(measure, score.into()) {
        Ok(score) if score.is_unhappy() => Tone::Bad,
        Ok(_) if f64::from(score) >= f64::from(measure.scale().1) * 0.75 => Tone::Good,
        _ => Tone::Plain,
    }
}
