//! Who came: one mark for each session, and what they add up to.

use super::{Effect, words};
use serde::{Deserialize, Serialize};

words! {
    /// What the trainer marks for one person in one session.
    Mark { Present = "present", Late = "late", Partial = "partial", Absent = "absent", Excused = "excused" }
}

impl Mark {
    /// Half sessions attended: who came late was there, who left early was half there.
    fn halves(self) -> i64 {
        match self {
            Self::Present | Self::Late => 2,
            Self::Partial => 1,
            Self::Absent | Self::Excused => 0,
        }
    }
}

/// The part of a class that somebody attended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Share {
    halves: i64,
    sessions: i64,
}

impl Share {
    /// Adds up the marks of one person; a session without a mark was not attended.
    pub fn of(marks: impl IntoIterator<Item = Mark>, sessions: i64) -> Self {
        Self { halves: marks.into_iter().map(Mark::halves).sum(), sessions }
    }

    /// Whole per cent, rounded down.
    pub fn percent(&self) -> i64 {
        if self.sessions > 0 { self.halves * 50 / self.sessions } else { 0 }
    }

    /// Whether it is at least the share that the course asks.
    pub fn passes(&self, asked_percent: i64) -> bool {
        self.sessions > 0 && self.halves > 0 && self.halves * 50 >= asked_percent * self.sessions
    }
}

/// Whether a person was excused from all of the class, so that it costs them nothing.
pub fn was_excused(marks: &[Mark], sessions: usize) -> bool {
    sessions > 0 && marks.len() == sessions && marks.iter().all(|mark| *mark == Mark::Excused)
}

/// Whether what a seat cost comes back at the end of its class: its learner was excused from all of it, or came to none
/// of it and the class forgives that.
pub fn costs_nothing(marks: &[Mark], sessions: usize, no_show: Effect) -> bool {
    let never = Share::of(marks.iter().copied(), i64::try_from(sessions).unwrap_or(i64::MAX)).percent() == 0;
    was_excused(marks, sessions) || (never && no_show == Effect::Returned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn late_counts_whole_partial_counts_half() {
        use Mark::*;
        assert_eq!(Share::of([Present, Late, Partial, Absent], 4).percent(), 62);
        assert!(Share::of([Present, Late, Partial, Partial], 4).passes(75));
        assert!(!Share::of([Present, Late, Partial, Excused], 4).passes(75));
        assert!(Share::of([Present, Present], 3).passes(66) && !Share::of([Present, Present], 3).passes(67));
    }

    #[test]
    fn who_never_came_gets_no_certificate_even_where_nothing_is_asked() {
        assert!(!Share::of([Mark::Absent], 1).passes(0));
        assert!(!Share::of([], 0).passes(0));
    }

    #[test]
    fn only_who_is_excused_from_everything_is_let_off() {
        assert!(was_excused(&[Mark::Excused, Mark::Excused], 2));
        assert!(!was_excused(&[Mark::Excused], 2) && !was_excused(&[Mark::Excused, Mark::Absent], 2));
        assert!(!was_excused(&[], 0));
    }

    #[test]
    fn who_never_came_has_the_cost_back_only_where_the_class_says_so() {
        use Mark::*;
        for (marks, spent, returned) in [
            ([Absent, Absent], false, true),
            ([Excused, Absent], false, true),
            ([Excused, Excused], true, true),
            ([Absent, Late], false, false),
        ] {
            assert_eq!(costs_nothing(&marks, 2, Effect::Spent), spent, "{marks:?}");
            assert_eq!(costs_nothing(&marks, 2, Effect::Returned), returned, "{marks:?}");
        }
    }

    proptest! {
        #[test]
        fn a_better_mark_never_fails_who_would_have_passed(
            marks in prop::collection::vec(prop::sample::select(Mark::ALL), 1..8), asked in 0..=100_i64, place in 0..8_usize
        ) {
            let sessions = marks.len() as i64;
            let mut better = marks.clone();
            let place = place % marks.len();
            better[place] = Mark::Present;
            prop_assert!(!Share::of(marks.clone(), sessions).passes(asked) || Share::of(better, sessions).passes(asked));
            prop_assert!((0..=100).contains(&Share::of(marks, sessions).percent()));
        }
    }
}
