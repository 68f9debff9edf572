//! What the ledger says.

use super::ledger::EntryRow;
use crate::{
    benefits::domain::{Allowance, EntryKind, Refusal},
    i18n::Fmt,
    server::Cx,
    w,
};
use chrono::NaiveDate;

/// The name of an allowance.
pub fn allowance(fmt: Fmt, allowance: Allowance) -> String {
    match allowance {
        Allowance::TrainingSeat => w!(fmt, benefits.training_seat),
        Allowance::MaintenanceVisit => w!(fmt, benefits.maintenance_visit),
        Allowance::Repair => w!(fmt, benefits.repair),
    }
}

/// "3 class seats".
pub fn counted(fmt: Fmt, allowance: Allowance, units: i64) -> String {
    let n = fmt.number(units);
    match allowance {
        Allowance::TrainingSeat => w!(fmt, benefits.n_training_seat, count = units, n = n),
        Allowance::MaintenanceVisit => w!(fmt, benefits.n_maintenance_visit, count = units, n = n),
        Allowance::Repair => w!(fmt, benefits.n_repair, count = units, n = n),
    }
}

/// "2 of 3 class seats left, until 14 May"; `until` is the last day.
pub fn left(fmt: Fmt, allowance: Allowance, left: i64, granted: i64, until: NaiveDate) -> String {
    let until = fmt.date(until);
    let left = fmt.number(left);
    match allowance {
        Allowance::TrainingSeat => w!(fmt, benefits.left_training_seat, count = granted, left = left, until = until),
        Allowance::MaintenanceVisit => {
            w!(fmt, benefits.left_maintenance_visit, count = granted, left = left, until = until)
        }
        Allowance::Repair => w!(fmt, benefits.left_repair, count = granted, left = left, until = until),
    }
}

/// What an entry did.
pub fn entry(cx: &Cx, entry: &EntryRow) -> String {
    let n = cx.fmt().number(entry.units);
    match entry.kind.parse().unwrap_or(EntryKind::Grant) {
        EntryKind::Grant => w!(cx, benefits.entry_grant, n = n),
        EntryKind::Reserve => w!(cx, benefits.entry_reserve, n = n),
        EntryKind::Use => w!(cx, benefits.entry_use, n = n),
        EntryKind::Release => w!(cx, benefits.entry_release, n = n),
        EntryKind::Restore => w!(cx, benefits.entry_restore, n = n),
        EntryKind::Expire => w!(cx, benefits.entry_expire, n = n),
        EntryKind::Extend => w!(cx, benefits.entry_extend),
    }
}

/// A "no" of the ledger.
pub fn refusal(fmt: Fmt, refusal: &Refusal) -> String {
    match refusal {
        Refusal::NothingLeft => w!(fmt, benefits.refusal_nothing_left),
        Refusal::NotLater => w!(fmt, benefits.refusal_not_later),
        Refusal::ThereAlready => w!(fmt, benefits.refusal_there_already),
        Refusal::OutsideItsPeriod => w!(fmt, benefits.refusal_outside_period),
    }
}
