//! Spans of time and whose they are. Two spans that touch do not overlap: a class may start when another ends.

use crate::values::{EquipmentId, PersonId, RoomId, WorkshopId};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A half-open span of time: `from` is in it, `until` is not. Never empty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Span {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

impl Span {
    /// The span between two instants, if it ends after it starts.
    pub fn new(from: DateTime<Utc>, until: DateTime<Utc>) -> Option<Self> {
        (from < until).then_some(Self { from, until })
    }

    /// Whether both hold some instant.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.until && other.from < self.until
    }

    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.from <= instant && instant < self.until
    }

    pub fn duration(&self) -> Duration {
        self.until - self.from
    }
}

/// A stretch on the wall clock of a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct LocalSpan {
    pub from: NaiveDateTime,
    pub until: NaiveDateTime,
}

impl LocalSpan {
    /// So much later on the same clock.
    pub fn later(&self, by: Duration) -> Self {
        Self { from: self.from + by, until: self.until + by }
    }
}

/// Whatever can be in one place only at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Resource {
    /// Staff at work as well as customers in a class: a trainer who learns elsewhere is busy.
    Person(PersonId),
    Room(RoomId),
    Workshop(WorkshopId),
    /// A thing that classes use. Its time is kept like a room's: whoever has it has it alone.
    Equipment(EquipmentId),
}

impl Resource {
    /// Its kind as it is stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Room(_) | Self::Equipment(_) => "room",
            Self::Workshop(_) => "workshop",
        }
    }

    pub fn id(&self) -> Uuid {
        match self {
            Self::Person(id) => id.0,
            Self::Room(id) => id.0,
            Self::Workshop(id) => id.0,
            Self::Equipment(id) => id.0,
        }
    }
}

/// People of whom any one will do, each with the spans in which they are elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Crew(pub Vec<Vec<Span>>);

impl Crew {
    /// How many of them have all of that time free.
    pub fn free(&self, span: &Span) -> usize {
        self.0.iter().filter(|elsewhere| !elsewhere.iter().any(|taken| taken.overlaps(span))).count()
    }
}

/// How many of these spans, sorted by their start, take the same moment of that time at the most.
pub fn most_at_once(sorted: &[Span], within: &Span) -> i64 {
    let there: Vec<&Span> =
        sorted.iter().take_while(|span| span.from < within.until).filter(|span| span.overlaps(within)).collect();
    // The most are there when one of them begins, or at the beginning of that time.
    let beginnings = there.iter().map(|span| span.from.max(within.from));
    let counts = beginnings.map(|at| there.iter().filter(|span| span.contains(at)).count());
    i64::try_from(counts.max().unwrap_or(0)).unwrap_or(i64::MAX)
}

/// The first two spans of a plan that overlap each other, as their places in it.
pub fn overlap_within(spans: &[Span]) -> Option<(usize, usize)> {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|&place| spans[place]);
    // Sorted by start, the one that ends last so far is the only one that the next can run into first.
    let mut last: Option<usize> = None;
    for place in order {
        match last {
            Some(before) if spans[before].overlaps(&spans[place]) => {
                return Some((before.min(place), before.max(place)));
            }
            Some(before) if spans[before].until >= spans[place].until => {}
            _ => last = Some(place),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(from: i64, until: i64) -> Span {
        let at = |minutes| DateTime::UNIX_EPOCH + Duration::minutes(minutes);
        Span { from: at(from), until: at(until) }
    }

    #[test]
    fn spans_that_touch_do_not_overlap() {
        assert!(!span(0, 60).overlaps(&span(60, 120)));
        assert!(span(0, 61).overlaps(&span(60, 120)));
        assert!(span(0, 100).overlaps(&span(10, 20)));
    }

    #[test]
    fn of_a_crew_those_are_free_who_are_nowhere_else() {
        let crew = Crew(vec![vec![span(0, 60)], vec![span(60, 90), span(200, 260)], vec![]]);
        for (from, until, free) in [(0, 60, 2), (60, 120, 2), (59, 61, 1), (90, 200, 3), (250, 270, 2)] {
            assert_eq!(crew.free(&span(from, until)), free, "{from} to {until}");
        }
        assert_eq!(Crew::default().free(&span(0, 1)), 0);
    }

    #[test]
    fn what_counts_is_how_many_are_there_at_the_same_moment() {
        let taken = [span(0, 30), span(30, 60), span(30, 90), span(100, 110)];
        for (from, until, most) in
            [(0, 30, 1), (0, 60, 2), (15, 31, 2), (60, 120, 1), (90, 100, 0), (0, 200, 2), (105, 106, 1)]
        {
            assert_eq!(most_at_once(&taken, &span(from, until)), most, "{from} to {until}");
        }
        assert_eq!(most_at_once(&[], &span(0, 60)), 0);
    }

    #[test]
    fn a_span_ends_after_it_starts() {
        let at = DateTime::UNIX_EPOCH;
        assert!(Span::new(at, at).is_none());
        assert!(Span::new(at, at + Duration::seconds(1)).is_some());
    }

    proptest! {
        #[test]
        fn spans_overlap_exactly_if_they_share_a_minute(a in 0..50_i64, b in 1..20_i64, c in 0..50_i64, d in 1..20_i64) {
            let (x, y) = (span(a, a + b), span(c, c + d));
            let shared = (0..80).any(|m| {
                let at = DateTime::UNIX_EPOCH + Duration::minutes(m);
                x.contains(at) && y.contains(at)
            });
            prop_assert_eq!(x.overlaps(&y), shared);
            prop_assert_eq!(x.overlaps(&y), y.overlaps(&x));
        }

        #[test]
        fn an_overlap_within_a_plan_is_found_exactly_if_there_is_one(raw in prop::collection::vec((0..60_i64, 1..15_i64), 0..8)) {
            let spans: Vec<Span> = raw.iter().map(|(from, long)| span(*from, from + long)).collect();
            let any = (0..spans.len()).any(|i| (0..i).any(|j| spans[i].overlaps(&spans[j])));
            let found = overlap_within(&spans);
            prop_assert_eq!(found.is_some(), any);
            if let Some((i, j)) = found {
                prop_assert!(i < j && spans[i].overlaps(&spans[j]));
            }
        }
    }
}
