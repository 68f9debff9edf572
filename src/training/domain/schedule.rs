//! The sessions of a class in time: repeated over weeks, copied into the future, moved once they are planned.

use super::{ClassState, Refusal};
use crate::{
    calendar::domain::{LocalSpan, Span},
    values::ClassSessionId,
};
use chrono::{DateTime, Duration, NaiveDate, Utc};

/// The same sessions `times` times, `every` weeks apart, on the same wall clock.
pub fn repeat(sessions: &[LocalSpan], every: i64, times: i64) -> Vec<Vec<LocalSpan>> {
    (0..times).map(|n| sessions.iter().map(|session| session.later(Duration::weeks(every * n))).collect()).collect()
}

/// The same sessions, whole weeks later, so that the first is after `today`.
pub fn into_future(sessions: &[LocalSpan], today: NaiveDate) -> Vec<LocalSpan> {
    let Some(first) = sessions.iter().map(|session| session.from.date()).min() else { return Vec::new() };
    let behind = (today - first).num_days();
    let weeks = if behind < 0 { 1 } else { behind / 7 + 1 };
    sessions.iter().map(|session| session.later(Duration::weeks(weeks))).collect()
}

/// What becomes of the sessions of a class.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Moves {
    pub moved: Vec<(ClassSessionId, Span)>,
    pub added: Vec<Span>,
    pub removed: Vec<ClassSessionId>,
}

impl Moves {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// From the sessions as they are to those that are wanted. What has begun stays as it was, and nothing new begins in
/// the past. Of a draft nothing begins, whatever its times.
pub fn moves(
    before: &[(ClassSessionId, Span)],
    wanted: &[(Option<ClassSessionId>, Span)],
    state: ClassState,
    now: DateTime<Utc>,
) -> Result<Moves, Refusal> {
    let begun = |was: &Span| state != ClassState::Draft && was.from <= now;
    let mut moves = Moves::default();
    for (id, span) in wanted {
        let was = id.and_then(|id| before.iter().find(|(known, _)| *known == id));
        match was {
            Some((_, was)) if was == span => {}
            Some((_, was)) if begun(was) => return Err(Refusal::SessionBegun { at: was.from }),
            _ if span.from <= now => return Err(Refusal::InThePast),
            Some((id, _)) => moves.moved.push((*id, *span)),
            None => moves.added.push(*span),
        }
    }
    for (id, was) in before.iter().filter(|(id, _)| !wanted.iter().any(|(wanted, _)| wanted == &Some(*id))) {
        if begun(was) {
            return Err(Refusal::SessionBegun { at: was.from });
        }
        moves.removed.push(*id);
    }
    Ok(moves)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn local(from: &str, hours: i64) -> LocalSpan {
        let from = from.parse().unwrap();
        LocalSpan { from, until: from + Duration::hours(hours) }
    }

    fn span(from: &str) -> Span {
        let from: DateTime<Utc> = from.parse().unwrap();
        Span { from, until: from + Duration::hours(2) }
    }

    #[test]
    fn a_series_keeps_its_weekday_and_its_clock() {
        let series = repeat(&[local("2026-10-20T09:00:00", 3), local("2026-10-22T14:00:00", 2)], 2, 3);
        assert_eq!(series.len(), 3);
        assert_eq!(series[2], [local("2026-11-17T09:00:00", 3), local("2026-11-19T14:00:00", 2)]);
    }

    #[test]
    fn a_copy_is_on_the_same_weekday_after_today() {
        let day = |text: &str| text.parse().unwrap();
        let sessions = [local("2026-10-20T09:00:00", 3)];
        assert_eq!(into_future(&sessions, day("2026-12-01")), [local("2026-12-08T09:00:00", 3)]);
        assert_eq!(into_future(&sessions, day("2026-10-20")), [local("2026-10-27T09:00:00", 3)]);
        assert_eq!(into_future(&sessions, day("2026-10-01")), [local("2026-10-27T09:00:00", 3)]);
    }

    #[test]
    fn sessions_are_moved_added_and_removed_unless_they_have_begun() {
        let id = |n| ClassSessionId(Uuid::from_u128(n));
        let now: DateTime<Utc> = "2026-12-01T10:00:00Z".parse().unwrap();
        let before = [(id(1), span("2026-12-01T09:00:00Z")), (id(2), span("2026-12-03T09:00:00Z"))];
        let moves = |wanted: &[_], now| super::moves(&before, wanted, ClassState::Running, now);
        let keep = (Some(id(1)), before[0].1);
        assert!(moves(&[keep, (Some(id(2)), before[1].1)], now).unwrap().is_empty());
        let moved = moves(&[keep, (Some(id(2)), span("2026-12-04T09:00:00Z"))], now).unwrap();
        assert_eq!(moved.moved, [(id(2), span("2026-12-04T09:00:00Z"))]);
        let swapped = moves(&[keep, (None, span("2026-12-05T09:00:00Z"))], now).unwrap();
        assert_eq!((swapped.added, swapped.removed), (vec![span("2026-12-05T09:00:00Z")], vec![id(2)]));
        let begun = Err(Refusal::SessionBegun { at: before[0].1.from });
        assert_eq!(moves(&[(Some(id(2)), before[1].1)], now), begun);
        assert_eq!(moves(&[(Some(id(1)), span("2026-12-06T09:00:00Z"))], now), begun);
        assert_eq!(moves(&[keep, (None, span("2026-12-01T08:00:00Z"))], now), Err(Refusal::InThePast));
    }

    #[test]
    fn of_a_draft_nothing_has_begun() {
        let id = |n| ClassSessionId(Uuid::from_u128(n));
        let now: DateTime<Utc> = "2026-12-01T10:00:00Z".parse().unwrap();
        let before = [(id(1), span("2026-12-01T09:00:00Z")), (id(2), span("2026-12-03T09:00:00Z"))];
        let moves = |wanted: &[_]| moves(&before, wanted, ClassState::Draft, now);
        let moved = moves(&[(Some(id(1)), span("2026-12-06T09:00:00Z")), (Some(id(2)), before[1].1)]).unwrap();
        assert_eq!(moved.moved, [(id(1), span("2026-12-06T09:00:00Z"))]);
        assert_eq!(moves(&[(Some(id(2)), before[1].1)]).unwrap().removed, [id(1)]);
        assert!(moves(&[(Some(id(1)), before[0].1), (Some(id(2)), before[1].1)]).unwrap().is_empty());
        assert_eq!(moves(&[(Some(id(1)), span("2026-12-01T08:00:00Z"))]), Err(Refusal::InThePast));
    }
}
