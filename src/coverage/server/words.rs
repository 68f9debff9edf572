//! What coverage says: every decision as a sentence that a customer understands.

use crate::{
    coverage::{
        domain::{Because, CoverageKind, Decision, Rule, VoidReason},
        rules::months_beyond,
    },
    server::Cx,
    values::add_months,
    w,
};
use chrono::NaiveDate;

/// The name of a right.
pub fn kind(cx: &Cx, kind: CoverageKind) -> String {
    match kind {
        CoverageKind::LegalGuarantee => w!(cx, coverage.legal_guarantee),
        CoverageKind::Warranty => w!(cx, coverage.warranty),
        CoverageKind::ServicePlan => w!(cx, coverage.service_plan),
        CoverageKind::RepairWarranty => w!(cx, coverage.repair_warranty),
    }
}

/// Why a right is void.
pub fn void(cx: &Cx, reason: VoidReason) -> String {
    match reason {
        VoidReason::Returned => w!(cx, coverage.void_returned),
        VoidReason::Replaced => w!(cx, coverage.void_replaced),
        VoidReason::Altered => w!(cx, coverage.void_altered),
    }
}

/// The sentence that the customer reads: whether a repair is covered, by what, because of what, until when.
pub fn decision(cx: &Cx, decision: &Decision) -> String {
    let date = |day| cx.fmt().date(day);
    let months = |count: u32| w!(cx, coverage.months, count = i64::from(count));
    let until = match decision {
        Decision::Covered { until, .. } => date(*until),
        Decision::NotCovered { .. } => String::new(),
    };
    match decision.because() {
        Because::LegalGuarantee { from, months: count, rule } => {
            let (ours, months, from_day) = (beyond_law(rule.as_ref(), *count), months(*count), date(*from));
            match (longer(decision, *from, *count), ours) {
                (false, false) => w!(cx, coverage.covered_by_law, until = until, months = months, from = from_day),
                (true, false) => {
                    w!(cx, coverage.covered_by_law_longer, until = until, months = months, from = from_day)
                }
                (false, true) => w!(cx, coverage.covered_by_grant, until = until, months = months, from = from_day),
                (true, true) => {
                    w!(cx, coverage.covered_by_grant_longer, until = until, months = months, from = from_day)
                }
            }
        }
        Because::Warranty { from, months: count } => {
            w!(cx, coverage.covered_by_warranty, until = until, months = months(*count), from = date(*from))
        }
        Because::Plan { plan_name, granted, left } => w!(
            cx,
            coverage.covered_by_plan,
            plan = plan_name.clone(),
            until = until,
            left = cx.fmt().number(*left),
            granted = cx.fmt().number(*granted)
        ),
        Because::RepairedBefore { on } => w!(cx, coverage.covered_by_repair, until = until, on = date(*on)),
        Because::PlanUsedUp { plan_name, granted } => {
            w!(cx, coverage.not_plan_used_up, plan = plan_name.clone(), granted = cx.fmt().number(*granted))
        }
        Because::Ended { kind: which, on } => w!(cx, coverage.not_ended, kind = kind(cx, *which), on = date(*on)),
        Because::Void { kind: which, why } => w!(cx, coverage.not_void, kind = kind(cx, *which), why = void(cx, *why)),
        Because::NoRights => w!(cx, coverage.not_rights),
        Because::NotDelivered { expected } => w!(cx, coverage.not_delivered, on = date(*expected)),
        Because::NotRepairable => w!(cx, coverage.not_repairable),
    }
}

/// Whether it holds for longer than the law grants from the start: a repair under it prolonged it.
fn longer(decision: &Decision, from: NaiveDate, months: u32) -> bool {
    matches!(decision, Decision::Covered { until, .. } if *until > add_months(from, months))
}

/// Whether the company grants more months than the law.
fn beyond_law(rule: Option<&Rule>, months: u32) -> bool {
    rule.is_some_and(|rule| months_beyond(&rule.id, rule.version, months).is_some())
}

/// The rule behind a decision, where it rests on one, so that it can be looked up.
pub fn rule(cx: &Cx, decision: &Decision) -> Option<String> {
    match decision.because() {
        Because::LegalGuarantee { rule: Some(rule), .. } => {
            Some(w!(cx, coverage.rule, id = rule.id.clone(), version = rule.version.to_string()))
        }
        _ => None,
    }
}
