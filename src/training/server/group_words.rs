//! What is said of groups: how they are seated, what they cost, what stands in somebody's way, who was passed over.

use super::{shared::count, store::parties::Skip, words};
use crate::{
    i18n::{Fmt, InWords},
    training::domain::{Cost, Hindered, Hindrance, Policy, Seated, Skipped, Wish},
    values::Money,
    w,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

impl InWords for Wish {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Together => w!(fmt, groups.wish_together),
            Self::AsManyAsFit => w!(fmt, groups.wish_fit),
        }
    }
}

/// How a group is seated, in one sentence for each part.
pub fn seated(fmt: Fmt, seated: &Seated) -> String {
    let parts = [
        (seated.booked > 0).then(|| w!(fmt, groups.seated_booked, count = count(seated.booked))),
        (seated.waiting > 0).then(|| w!(fmt, groups.seated_waiting, count = count(seated.waiting))),
        (seated.left_out > 0).then(|| w!(fmt, groups.seated_left_out, count = count(seated.left_out))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Which plan covers how many seats, and the charge for the rest with its reason.
pub fn costs(fmt: Fmt, costs: &[Cost]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(cost) = costs.get(at) {
        let same = costs[at..].iter().take_while(|other| kind(other) == kind(cost)).count();
        let many = same as u64;
        lines.push(match cost {
            Cost::Free => w!(fmt, training.cost_free),
            Cost::Covered { plan, left, granted, until, .. } => w!(
                fmt,
                groups.cost_covered,
                count = many,
                plan = plan.clone(),
                left = fmt.number(*left),
                granted = fmt.number(*granted),
                until = fmt.date(*until)
            ),
            Cost::Pays { price, why } => {
                let sum = Money::new(price.minor.saturating_mul(same as i64), price.currency);
                let charged =
                    w!(fmt, groups.cost_charged, count = many, price = fmt.money(*price), sum = fmt.money(sum));
                format!("{charged} {}", words::why_pays(fmt, why))
            }
        });
        at += same;
    }
    lines
}

/// What is said together: what one plan pays, and what is charged.
fn kind(cost: &Cost) -> (u8, Option<crate::values::BenefitId>) {
    match cost {
        Cost::Free => (0, None),
        Cost::Covered { benefit, .. } => (1, Some(*benefit)),
        Cost::Pays { .. } => (2, None),
    }
}

/// What stands in somebody's way.
pub fn hindrance(fmt: Fmt, tz: Tz, why: &Hindrance) -> String {
    match why {
        Hindrance::AlreadyIn => w!(fmt, groups.hindrance_in),
        Hindrance::Left => w!(fmt, groups.hindrance_left),
        Hindrance::Class { title } => w!(fmt, groups.hindrance_class, title = title.clone()),
        Hindrance::NeedsBefore { courses } => w!(fmt, groups.hindrance_needs, courses = courses.join(", ")),
        Hindrance::Occupied { from } => w!(fmt, groups.hindrance_busy, time = fmt.date_time(*from, tz)),
    }
}

/// All that stands in the way of a group, by name.
pub fn conflicts(fmt: Fmt, tz: Tz, conflicts: &[Hindered]) -> String {
    let line = |conflict: &Hindered| format!("{}: {}", conflict.name, hindrance(fmt, tz, &conflict.why));
    conflicts.iter().map(line).collect::<Vec<_>>().join(" ")
}

/// How the line is served where groups are in it, with this class's own time.
pub fn rule_line(fmt: Fmt, policy: &Policy, time: String) -> String {
    match policy.closes_while_gathering() {
        true => w!(fmt, groups.rule_line_closes, time = time),
        false => w!(fmt, groups.rule_line, time = time),
    }
}

/// When and why staff seated somebody before those of a group.
pub fn out_of_turn(fmt: Fmt, tz: Tz, why: &str, at: DateTime<Utc>) -> String {
    w!(fmt, groups.skip_out_of_turn, time = fmt.date_time(at, tz), why = why.to_owned())
}

/// When and why a group was passed over.
pub fn skip(fmt: Fmt, tz: Tz, row: &Skip) -> String {
    let (time, needed, free) = (fmt.date_time(row.at, tz), fmt.number(row.needed), fmt.number(row.free));
    match row.reason {
        Skipped::DoesNotFit => w!(fmt, groups.skip_does_not_fit, time = time, needed = needed, free = free),
        Skipped::LargerThanClass => w!(fmt, groups.skip_larger, time = time, needed = needed),
        Skipped::GatheringEnded => w!(fmt, groups.skip_gathering, time = time, needed = needed, free = free),
    }
}
