//! Which rights an item carries, and whether they cover a repair: a value, so that the screen, the booking and the
//! invoice decide alike, and a decision can be explained and replayed.

use super::rules::{PROLONGATION_MONTHS, RIGHT_TO_REPAIR, rule_pack};
use crate::{
    catalog::domain::{Plan, ProductKind, choices},
    values::{BenefitId, CountryCode, DateRange, add_months},
};
use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};

choices! {
    /// What sort of right.
    CoverageKind {
        /// What the law grants to a consumer; the seller is liable (Directive (EU) 2019/771).
        LegalGuarantee = "legal_guarantee",
        /// What the maker promised.
        Warranty = "warranty",
        /// A plan that was bought or included.
        ServicePlan = "service_plan",
        /// On a repair that was done, for the same fault.
        RepairWarranty = "repair_warranty",
    }
}

choices! {
    /// Why a right no longer holds although its period is not over.
    VoidReason {
        /// The sale was undone.
        Returned = "returned",
        /// The item was replaced, and the right went over to the new one.
        Replaced = "replaced",
        /// Someone opened or changed it in a way that ends the right.
        Altered = "altered",
    }
}

/// The legal rule that a coverage rests on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rule {
    pub id: String,
    pub version: u32,
}

/// One right of one item.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Layer {
    pub kind: CoverageKind,
    pub period: DateRange,
    /// How many months it was granted for; none where days were counted.
    pub months: Option<u32>,
    pub rule: Option<Rule>,
    /// The plan's name, where it comes from one.
    pub plan_name: Option<String>,
    pub void: Option<VoidReason>,
    /// Of a plan's repair allowance, how many are left of how many. Its period is its own: staff may have extended it, or
    /// given it to an item without a plan.
    pub repairs: Option<RepairsLeft>,
}

/// What a plan's repair allowance has left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RepairsLeft {
    pub benefit: BenefitId,
    pub granted: i64,
    pub left: i64,
}

/// What was sold, as far as its rights depend on it.
#[derive(Clone, PartialEq, Debug)]
pub struct Sale<'a> {
    pub kind: ProductKind,
    pub purchased_on: NaiveDate,
    pub delivered_on: Option<NaiveDate>,
    /// Bought by a person, not by an organisation.
    pub consumer: bool,
    pub country: Option<CountryCode>,
    pub warranty_months: Option<u32>,
    pub plan: Option<&'a Plan>,
    /// Months that the company grants instead of a shorter legal guarantee in this country.
    pub longer_guarantee: Option<u32>,
}

impl Sale<'_> {
    /// The day from which periods count: delivery, or the purchase where the delivery is unknown.
    pub fn counts_from(&self) -> NaiveDate {
        self.delivered_on.unwrap_or(self.purchased_on)
    }
}

/// The rights that one item of a sale has from the start.
pub fn rights(sale: &Sale) -> Vec<Layer> {
    let from = sale.counts_from();
    let layer = |kind, months, rule, plan_name| Layer {
        kind,
        period: DateRange::months_from(from, months),
        months: Some(months),
        rule,
        plan_name,
        void: None,
        repairs: None,
    };
    let mut layers = Vec::with_capacity(3);
    if let Some((months, rule)) = legal_guarantee(sale) {
        layers.push(layer(CoverageKind::LegalGuarantee, months, Some(rule), None));
    }
    if let Some(months) = sale.warranty_months.filter(|months| *months > 0) {
        layers.push(layer(CoverageKind::Warranty, months, None, None));
    }
    if let Some(plan) = sale.plan.filter(|plan| plan.period_months > 0 && plan.is_for(sale.kind)) {
        layers.push(layer(CoverageKind::ServicePlan, plan.period_months, None, Some(plan.name.clone())));
    }
    layers
}

/// Whether the law of any country grants a consumer something on a thing of this kind.
pub fn guaranteed_by_law(kind: ProductKind) -> bool {
    matches!(kind, ProductKind::Goods | ProductKind::Software)
}

/// Consumers only, goods and software only, and only where the country has a rule pack (Directive (EU) 2019/771,
/// articles 2 and 3; software by Directive (EU) 2019/770, article 11).
fn legal_guarantee(sale: &Sale) -> Option<(u32, Rule)> {
    if !sale.consumer || !guaranteed_by_law(sale.kind) {
        return None;
    }
    let pack = rule_pack(sale.country?, sale.counts_from())?;
    let months = pack.months.max(sale.longer_guarantee.unwrap_or(0));
    Some((months, Rule { id: pack.id.to_owned(), version: pack.version }))
}

/// The period of a legal guarantee after a repair that the customer chose under it: once 12 months longer. What has to lie
/// within it is the day on which they chose; how long the work took is not theirs to answer for.
///
/// # Errors
/// Why it is not prolonged.
pub fn prolonged(
    layer: &Layer,
    already: bool,
    chosen_on: NaiveDate,
    repaired_on: NaiveDate,
) -> Result<DateRange, NotProlonged> {
    if layer.kind != CoverageKind::LegalGuarantee {
        return Err(NotProlonged::NotALegalGuarantee);
    }
    if already {
        return Err(NotProlonged::OnceOnly);
    }
    if repaired_on < RIGHT_TO_REPAIR {
        return Err(NotProlonged::BeforeTheLaw);
    }
    if layer.void.is_some() || !layer.period.contains(chosen_on) {
        return Err(NotProlonged::NotInForce);
    }
    let last = add_months(layer.period.last_day(), PROLONGATION_MONTHS);
    Ok(DateRange { from: layer.period.from, until: last.succ_opt().unwrap_or(last) })
}

/// Why a repair did not prolong a right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotProlonged {
    NotALegalGuarantee,
    OnceOnly,
    BeforeTheLaw,
    NotInForce,
}

/// The period of the warranty on a repair that was handed back.
pub fn repair_warranty(handed_back_on: NaiveDate, days: u32) -> DateRange {
    let until = handed_back_on.checked_add_days(Days::new(u64::from(days) + 1)).unwrap_or(handed_back_on);
    DateRange { from: handed_back_on, until }
}

/// What somebody asks to have repaired.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Asked {
    pub kind: ProductKind,
    pub delivered_on: Option<NaiveDate>,
    pub today: NaiveDate,
    /// It is the fault that an earlier repair was for.
    pub same_fault: bool,
}

/// Whether a repair is covered. `until` is the last covered day.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Decision {
    Covered { by: CoverageKind, until: NaiveDate, because: Because, benefit: Option<BenefitId> },
    NotCovered { because: Because },
}

impl Decision {
    pub fn is_covered(&self) -> bool {
        matches!(self, Self::Covered { .. })
    }

    /// The reason, whichever way it went.
    pub fn because(&self) -> &Because {
        match self {
            Self::Covered { because, .. } | Self::NotCovered { because } => because,
        }
    }
}

/// The reason for a decision, with the facts it rests on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Because {
    /// The law's period, counted from this day, by this rule.
    LegalGuarantee { from: NaiveDate, months: u32, rule: Option<Rule> },
    /// The maker's period, counted from this day.
    Warranty { from: NaiveDate, months: u32 },
    /// The plan grants repairs, and this many are left before this one.
    Plan { plan_name: String, granted: i64, left: i64 },
    /// The same fault was repaired, and the repair is warranted since this day.
    RepairedBefore { on: NaiveDate },
    /// The plan's repairs are all used or booked.
    PlanUsedUp { plan_name: String, granted: i64 },
    /// The last right to end ended on this day.
    Ended { kind: CoverageKind, on: NaiveDate },
    /// A right is there, but void.
    Void { kind: CoverageKind, why: VoidReason },
    /// It was never covered.
    NoRights,
    /// It is not there yet.
    NotDelivered { expected: NaiveDate },
    /// A thing of this kind is not repaired.
    NotRepairable,
}

/// Decides by what costs the customer least: rights without a count first (the law, the maker, an earlier repair of the
/// same fault), then a plan's counted repairs. Among equals by what lasts longest; of what is counted by what ends first,
/// as the ledger does, since the rest can still be used later.
pub fn decide(asked: &Asked, layers: &[Layer]) -> Decision {
    let no = |because| Decision::NotCovered { because };
    if !asked.kind.can_be_repaired() {
        return no(Because::NotRepairable);
    }
    if let Some(expected) = asked.delivered_on.filter(|day| *day > asked.today) {
        return no(Because::NotDelivered { expected });
    }
    let holds = |layer: &&Layer| layer.void.is_none() && layer.period.contains(asked.today);
    let mut in_force: Vec<&Layer> = layers.iter().filter(holds).collect();
    in_force.sort_by_key(|layer| {
        let ends = i64::from(layer.period.until.num_days_from_ce());
        (rank(layer.kind), if layer.kind == CoverageKind::ServicePlan { ends } else { -ends })
    });
    if let Some(decision) = in_force.iter().find_map(|layer| covers(layer, asked.same_fault)) {
        return decision;
    }
    no(why_not(asked, layers, &in_force))
}

fn rank(kind: CoverageKind) -> u8 {
    match kind {
        CoverageKind::RepairWarranty => 0,
        CoverageKind::LegalGuarantee => 1,
        CoverageKind::Warranty => 2,
        CoverageKind::ServicePlan => 3,
    }
}

fn covers(layer: &Layer, same_fault: bool) -> Option<Decision> {
    let from = layer.period.from;
    let months = layer.months.unwrap_or(0);
    let (because, benefit) = match layer.kind {
        CoverageKind::LegalGuarantee => (Because::LegalGuarantee { from, months, rule: layer.rule.clone() }, None),
        CoverageKind::Warranty => (Because::Warranty { from, months }, None),
        CoverageKind::RepairWarranty if same_fault => (Because::RepairedBefore { on: from }, None),
        CoverageKind::RepairWarranty => return None,
        CoverageKind::ServicePlan => {
            let repairs = layer.repairs.filter(|repairs| repairs.left > 0)?;
            let plan_name = layer.plan_name.clone().unwrap_or_default();
            (Because::Plan { plan_name, granted: repairs.granted, left: repairs.left }, Some(repairs.benefit))
        }
    };
    Some(Decision::Covered { by: layer.kind, until: layer.period.last_day(), because, benefit })
}

fn why_not(asked: &Asked, layers: &[Layer], in_force: &[&Layer]) -> Because {
    let used_up = in_force.iter().find_map(|layer| {
        let repairs = layer.repairs.filter(|repairs| repairs.granted > 0)?;
        let plan_name = layer.plan_name.clone().unwrap_or_default();
        Some(Because::PlanUsedUp { plan_name, granted: repairs.granted })
    });
    let void = || {
        let layer = layers.iter().find(|layer| layer.void.is_some() && layer.period.contains(asked.today))?;
        Some(Because::Void { kind: layer.kind, why: layer.void? })
    };
    let repairing = |layer: &&Layer| match layer.kind {
        CoverageKind::LegalGuarantee | CoverageKind::Warranty => true,
        CoverageKind::ServicePlan => layer.repairs.is_some_and(|repairs| repairs.granted > 0),
        CoverageKind::RepairWarranty => false,
    };
    let ended = || {
        let over = layers.iter().filter(repairing).filter(|layer| layer.period.until <= asked.today);
        let last = over.max_by_key(|layer| layer.period.until)?;
        Some(Because::Ended { kind: last.kind, on: last.period.last_day() })
    };
    used_up.or_else(void).or_else(ended).unwrap_or(Because::NoRights)
}

#[cfg(test)]
mod tests;
