//! Finding times at which everybody is free. The zone database stays on the server, so the wall clock of a place comes
//! as a function.

use super::domain::{LocalSpan, Span};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};

/// What a wall clock means as an instant; nothing where the clocks skip it.
pub type Clock<'a> = &'a dyn Fn(NaiveDateTime) -> Option<DateTime<Utc>>;

/// Taken time, merged, for quick questions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Taken(Vec<Span>);

impl Taken {
    pub fn new(mut spans: Vec<Span>) -> Self {
        spans.sort();
        let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
                _ => merged.push(span),
            }
        }
        Self(merged)
    }

    /// Whether nothing in it overlaps the span.
    pub fn leaves(&self, span: &Span) -> bool {
        // Merged spans end in the order in which they start: the first that ends after the start decides.
        let at = self.0.partition_point(|taken| taken.until <= span.from);
        self.0.get(at).is_none_or(|taken| taken.from >= span.until)
    }
}

/// The span as instants, if the clocks have both its ends in their order.
pub fn instants(span: &LocalSpan, clock: Clock<'_>) -> Option<Span> {
    Span::new(clock(span.from)?, clock(span.until)?)
}

/// A class that meets once a week, at the same time of the same weekday.
#[derive(Clone, Copy)]
pub struct Weekly<'a> {
    pub sessions: i64,
    pub clock: Clock<'a>,
}

impl Weekly<'_> {
    /// All its sessions from the first on; nothing where the clocks skip one.
    pub fn spans(self, first: &LocalSpan) -> Option<Vec<Span>> {
        (0..self.sessions).map(|week| instants(&first.later(Duration::weeks(week)), self.clock)).collect()
    }
}

/// How far and how finely times are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reach {
    /// Nothing begins before.
    pub not_before: DateTime<Utc>,
    pub days: i64,
    pub step_minutes: i64,
}

/// The nearest times at which all of the sessions can be held, as minutes on the wall clock by which all of them are
/// shifted together: nearest first, of two equally near the later one. `fits` says which hours are wanted at all.
pub fn nearest_free(
    wanted: &[LocalSpan],
    taken: &Taken,
    clock: Clock<'_>,
    fits: &dyn Fn(&LocalSpan) -> bool,
    reach: Reach,
    most: usize,
) -> Vec<i64> {
    let steps = reach.days * 24 * 60 / reach.step_minutes;
    (1..=steps)
        .flat_map(|step| [step * reach.step_minutes, -step * reach.step_minutes])
        .filter(|shift| is_free(wanted, *shift, taken, clock, fits, reach.not_before))
        .take(most)
        .collect()
}

fn is_free(
    wanted: &[LocalSpan],
    shift: i64,
    taken: &Taken,
    clock: Clock<'_>,
    fits: &dyn Fn(&LocalSpan) -> bool,
    not_before: DateTime<Utc>,
) -> bool {
    wanted.iter().all(|session| {
        let local = session.later(Duration::minutes(shift));
        fits(&local) && instants(&local, clock).is_some_and(|span| span.from > not_before && taken.leaves(&span))
    })
}

/// Somebody who asked for a class: which times suit them, and which of theirs are taken.
pub struct Asker<'a> {
    pub suits: Box<dyn Fn(&LocalSpan) -> bool + 'a>,
    pub taken: Taken,
}

/// A time for a class, and the askers who can come, as their places in the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Best {
    /// Of the first session.
    pub local: LocalSpan,
    /// Of all sessions; at least one.
    pub spans: Vec<Span>,
    pub askers: Vec<usize>,
}

/// The times that suit most askers while all that is needed is free: most askers first, then the earliest; one a day.
pub fn best_times(
    candidates: &[LocalSpan],
    taken: &Taken,
    weekly: Weekly<'_>,
    askers: &[Asker<'_>],
    not_before: DateTime<Utc>,
    most: usize,
) -> Vec<Best> {
    let mut best: Vec<Best> = candidates
        .iter()
        .filter_map(|local| {
            let spans = weekly.spans(local).filter(|spans| spans.first().is_some_and(|span| span.from > not_before))?;
            if !spans.iter().all(|span| taken.leaves(span)) {
                return None;
            }
            let can = |asker: &Asker<'_>| (asker.suits)(local) && spans.iter().all(|span| asker.taken.leaves(span));
            let askers: Vec<usize> = (0..askers.len()).filter(|at| can(&askers[*at])).collect();
            (!askers.is_empty()).then_some(Best { local: *local, spans, askers })
        })
        .collect();
    best.sort_by_key(|one| (std::cmp::Reverse(one.askers.len()), one.spans.first().map(|span| span.from)));
    let mut days = Vec::new();
    best.retain(|one| {
        let day = one.local.from.date();
        let first = !days.contains(&day);
        days.push(day);
        first
    });
    best.truncate(most);
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Timelike;
    use proptest::prelude::*;

    fn monday() -> NaiveDateTime {
        "2026-12-07T00:00:00".parse().unwrap()
    }

    fn utc(at: NaiveDateTime) -> Option<DateTime<Utc>> {
        Some(at.and_utc())
    }

    fn local(from: i64, long: i64) -> LocalSpan {
        LocalSpan { from: monday() + Duration::minutes(from), until: monday() + Duration::minutes(from + long) }
    }

    fn span(from: i64, long: i64) -> Span {
        let local = local(from, long);
        Span { from: local.from.and_utc(), until: local.until.and_utc() }
    }

    /// Minute by minute.
    fn free_slowly(span: &Span, taken: &[Span]) -> bool {
        let minutes = (span.until - span.from).num_minutes();
        (0..minutes).all(|m| !taken.iter().any(|taken| taken.contains(span.from + Duration::minutes(m))))
    }

    #[test]
    fn a_skipped_hour_is_no_time() {
        let clock = |at: NaiveDateTime| if at.hour() == 2 { None } else { utc(at) };
        let reach = Reach { not_before: DateTime::UNIX_EPOCH, days: 1, step_minutes: 60 };
        let busy = Taken::new(vec![span(60, 60)]);
        let found = nearest_free(&[local(60, 60)], &busy, &clock, &|_| true, reach, 2);
        assert_eq!(found, [-60, 120], "02:00 is none, 00:00 and 03:00 are free");
    }

    proptest! {
        #[test]
        fn what_is_left_free_is_what_minutes_say(
            raw in prop::collection::vec((0..100_i64, 1..20_i64), 0..8), from in 0..100_i64, long in 1..25_i64
        ) {
            let spans: Vec<Span> = raw.iter().map(|(from, long)| span(*from, *long)).collect();
            let wanted = span(from, long);
            prop_assert_eq!(Taken::new(spans.clone()).leaves(&wanted), free_slowly(&wanted, &spans));
        }

        #[test]
        fn the_nearest_free_times_are_those_of_brute_force(
            raw in prop::collection::vec((0..2880_i64, 1..400_i64), 0..8),
            sessions in prop::collection::vec((0..1440_i64, 30..180_i64), 1..3),
            most in 1..5_usize,
        ) {
            let taken: Vec<Span> = raw.iter().map(|(from, long)| span(*from, *long)).collect();
            let wanted: Vec<LocalSpan> = sessions.iter().map(|(from, long)| local(*from, *long)).collect();
            let reach = Reach { not_before: monday().and_utc(), days: 1, step_minutes: 30 };
            let fits = |one: &LocalSpan| one.from.hour() >= 6;
            let found = nearest_free(&wanted, &Taken::new(taken.clone()), &utc, &fits, reach, most);
            // All shifts, looked at minute by minute, then put in order.
            let mut slow: Vec<i64> = (-48..=48_i64)
                .map(|step| step * 30)
                .filter(|shift| *shift != 0)
                .filter(|shift| wanted.iter().all(|session| {
                    let moved = session.later(Duration::minutes(*shift));
                    let at = Span { from: moved.from.and_utc(), until: moved.until.and_utc() };
                    fits(&moved) && at.from > reach.not_before && free_slowly(&at, &taken)
                }))
                .collect();
            slow.sort_by_key(|shift| (shift.abs(), -shift));
            slow.truncate(most);
            prop_assert_eq!(found, slow);
        }

        #[test]
        fn the_best_times_are_those_of_brute_force(
            busy in prop::collection::vec((0..14_400_i64, 1..600_i64), 0..12),
            askers in prop::collection::vec((0..24_u32, prop::collection::vec((0..4320_i64, 1..600_i64), 0..4)), 0..5),
            most in 1..4_usize,
            sessions in 1..3_i64,
        ) {
            let taken: Vec<Span> = busy.iter().map(|(from, long)| span(*from, *long)).collect();
            let theirs: Vec<Vec<Span>> =
                askers.iter().map(|(_, raw)| raw.iter().map(|(from, long)| span(*from, *long)).collect()).collect();
            let suits = |hour: u32| move |one: &LocalSpan| one.from.hour() >= hour;
            let people: Vec<Asker<'_>> = askers
                .iter()
                .zip(&theirs)
                .map(|((hour, _), taken)| Asker { suits: Box::new(suits(*hour)), taken: Taken::new(taken.clone()) })
                .collect();
            let candidates: Vec<LocalSpan> = (0..72).map(|hour| local(hour * 60, 90)).collect();
            let weekly = Weekly { sessions, clock: &utc };
            let found = best_times(&candidates, &Taken::new(taken.clone()), weekly, &people, monday().and_utc(), most);
            // Day by day the time with most people, the earliest of equals; then the days in order.
            let mut slow: Vec<(LocalSpan, Vec<usize>)> = Vec::new();
            for day in 0..3 {
                let mut of_day: Option<(LocalSpan, Vec<usize>)> = None;
                for one in candidates.iter().filter(|one| one.from.date() == (monday() + Duration::days(day)).date()) {
                    let at = |week: i64| Span {
                        from: (one.from + Duration::weeks(week)).and_utc(),
                        until: (one.until + Duration::weeks(week)).and_utc(),
                    };
                    let free = |taken: &[Span]| (0..sessions).all(|week| free_slowly(&at(week), taken));
                    let can: Vec<usize> =
                        (0..askers.len()).filter(|n| one.from.hour() >= askers[*n].0 && free(&theirs[*n])).collect();
                    let good = at(0).from > monday().and_utc() && free(&taken) && !can.is_empty();
                    if good && of_day.as_ref().is_none_or(|(_, most)| can.len() > most.len()) {
                        of_day = Some((*one, can));
                    }
                }
                slow.extend(of_day);
            }
            slow.sort_by_key(|(one, can)| (std::cmp::Reverse(can.len()), one.from));
            slow.truncate(most);
            let found: Vec<(LocalSpan, Vec<usize>)> = found.into_iter().map(|one| (one.local, one.askers)).collect();
            prop_assert_eq!(found, slow);
        }
    }
}
