use super::*;
use proptest::prelude::*;
use uuid::Uuid;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn care() -> Plan {
    Plan {
        code: "care-6".into(),
        name: "Care".into(),
        period_months: 6,
        training_seats: 3,
        maintenance_visits: 2,
        repairs: 1,
        applies_to: Some(ProductKind::Goods),
    }
}

fn sale(country: &str) -> Sale<'static> {
    Sale {
        kind: ProductKind::Goods,
        purchased_on: day("2026-01-10"),
        delivered_on: Some(day("2026-01-15")),
        consumer: true,
        country: Some(country.parse().unwrap()),
        warranty_months: Some(12),
        plan: None,
        longer_guarantee: None,
    }
}

fn kinds(sale: &Sale) -> Vec<CoverageKind> {
    rights(sale).iter().map(|layer| layer.kind).collect()
}

fn asked(today: &str) -> Asked {
    Asked { kind: ProductKind::Goods, delivered_on: Some(day("2026-01-15")), today: day(today), same_fault: false }
}

fn plan_layer(left: i64) -> Layer {
    Layer {
        kind: CoverageKind::ServicePlan,
        period: DateRange::months_from(day("2026-01-15"), 6),
        months: Some(6),
        rule: None,
        plan_name: Some("Care".into()),
        void: None,
        repairs: Some(RepairsLeft { benefit: BenefitId(Uuid::nil()), granted: 1, left }),
    }
}

#[test]
fn a_consumer_in_lithuania_is_guaranteed_two_years_from_delivery() {
    let layers = rights(&sale("LT"));
    assert_eq!(layers[0].kind, CoverageKind::LegalGuarantee);
    assert_eq!(layers[0].period, DateRange { from: day("2026-01-15"), until: day("2028-01-16") });
    assert_eq!(layers[0].rule.as_ref().unwrap().id, "eu-legal-guarantee");
}

#[test]
fn the_purchase_date_counts_where_the_delivery_is_unknown() {
    let layers = rights(&Sale { delivered_on: None, ..sale("LT") });
    assert_eq!(layers[0].period.from, day("2026-01-10"));
}

#[test]
fn a_firm_a_journey_and_a_country_without_a_rule_pack_have_no_legal_guarantee() {
    assert_eq!(kinds(&Sale { consumer: false, ..sale("LT") }), [CoverageKind::Warranty]);
    assert_eq!(kinds(&sale("GB")), [CoverageKind::Warranty]);
    let journey = Sale { kind: ProductKind::Journey, warranty_months: Some(0), ..sale("LT") };
    assert!(kinds(&journey).is_empty());
    let software = Sale { kind: ProductKind::Software, warranty_months: None, ..sale("ES") };
    assert_eq!(kinds(&software), [CoverageKind::LegalGuarantee]);
    assert_eq!(rights(&software)[0].months, Some(36));
}

#[test]
fn a_company_can_lengthen_but_not_shorten_the_guarantee() {
    assert_eq!(rights(&Sale { longer_guarantee: Some(36), ..sale("SE") })[0].months, Some(36));
    assert_eq!(rights(&Sale { longer_guarantee: Some(6), ..sale("SE") })[0].months, Some(24));
}

#[test]
fn a_plan_covers_only_what_it_is_for() {
    let plan = care();
    let goods = Sale { plan: Some(&plan), ..sale("GB") };
    assert_eq!(kinds(&goods), [CoverageKind::Warranty, CoverageKind::ServicePlan]);
    assert_eq!(kinds(&Sale { kind: ProductKind::Software, ..goods }), [CoverageKind::Warranty]);
}

#[test]
fn a_repair_prolongs_the_guarantee_once_and_only_since_the_law() {
    let guarantee = &rights(&sale("LT"))[0];
    let prolonged = |layer, already, on| prolonged(layer, already, on, on);
    let range = prolonged(guarantee, false, day("2026-08-01")).unwrap();
    assert_eq!(range.last_day(), day("2029-01-15"));
    assert_eq!(prolonged(guarantee, true, day("2026-08-01")), Err(NotProlonged::OnceOnly));
    assert_eq!(prolonged(guarantee, false, day("2026-07-30")), Err(NotProlonged::BeforeTheLaw));
    assert_eq!(prolonged(guarantee, false, day("2028-01-16")), Err(NotProlonged::NotInForce));
    assert_eq!(prolonged(&plan_layer(1), false, day("2026-08-01")), Err(NotProlonged::NotALegalGuarantee));
}

/// The law asks when the customer chose to have it repaired (Directive (EU) 2019/771, article 10(2a)): a workshop that
/// takes its time takes nothing from them.
#[test]
fn a_guarantee_is_prolonged_by_a_repair_that_was_chosen_on_its_last_day_and_done_later() {
    let guarantee = &rights(&sale("LT"))[0];
    let range = prolonged(guarantee, false, day("2028-01-15"), day("2028-02-10")).unwrap();
    assert_eq!((range.from, range.last_day()), (guarantee.period.from, day("2029-01-15")));
    let late = prolonged(guarantee, false, day("2028-01-16"), day("2028-02-10"));
    assert_eq!(late, Err(NotProlonged::NotInForce));
}

#[test]
fn the_law_is_taken_before_a_counted_repair() {
    let mut layers = rights(&sale("LT"));
    layers.insert(0, plan_layer(1));
    let Decision::Covered { by, until, benefit, .. } = decide(&asked("2026-03-01"), &layers) else { panic!() };
    assert_eq!((by, until, benefit), (CoverageKind::LegalGuarantee, day("2028-01-15"), None));
}

#[test]
fn a_plan_covers_as_long_as_repairs_are_left() {
    let decision = decide(&asked("2026-03-01"), &[plan_layer(1)]);
    let Decision::Covered { by: CoverageKind::ServicePlan, benefit: Some(_), until, .. } = decision else { panic!() };
    assert_eq!(until, day("2026-07-15"));
    let used_up = decide(&asked("2026-03-01"), &[plan_layer(0)]);
    assert_eq!(used_up.because(), &Because::PlanUsedUp { plan_name: "Care".into(), granted: 1 });
}

#[test]
fn of_two_allowances_the_one_that_ends_first_is_used_first() {
    let longer = |left| Layer {
        period: DateRange { from: day("2026-02-01"), until: day("2027-01-01") },
        plan_name: Some("Given".into()),
        repairs: Some(RepairsLeft { benefit: BenefitId(Uuid::max()), granted: 1, left }),
        ..plan_layer(1)
    };
    let paid_by = |on: &str, layers: &[Layer]| match decide(&asked(on), layers) {
        Decision::Covered { benefit, until, .. } => benefit.map(|benefit| (benefit.0, until)),
        Decision::NotCovered { .. } => None,
    };
    let (first, given) = ((Uuid::nil(), day("2026-07-15")), (Uuid::max(), day("2026-12-31")));
    assert_eq!(paid_by("2026-03-01", &[longer(1), plan_layer(1)]), Some(first));
    assert_eq!(paid_by("2026-03-01", &[longer(1), plan_layer(0)]), Some(given));
    assert_eq!(paid_by("2026-08-01", &[longer(1), plan_layer(1)]), Some(given));
    let used_up = decide(&asked("2026-08-01"), &[longer(0), plan_layer(1)]);
    assert_eq!(used_up.because(), &Because::PlanUsedUp { plan_name: "Given".into(), granted: 1 });
    let over = decide(&asked("2027-01-01"), &[longer(1), plan_layer(1)]);
    assert_eq!(over.because(), &Because::Ended { kind: CoverageKind::ServicePlan, on: day("2026-12-31") });
}

#[test]
fn the_last_covered_day_is_covered_and_the_next_is_not() {
    let layers = rights(&sale("GB"));
    assert!(decide(&asked("2027-01-15"), &layers).is_covered());
    let after = decide(&asked("2027-01-16"), &layers);
    assert_eq!(after.because(), &Because::Ended { kind: CoverageKind::Warranty, on: day("2027-01-15") });
}

#[test]
fn a_repair_warranty_covers_the_same_fault_only() {
    let layer = Layer {
        kind: CoverageKind::RepairWarranty,
        period: repair_warranty(day("2026-03-01"), 90),
        months: None,
        rule: None,
        plan_name: None,
        void: None,
        repairs: None,
    };
    assert_eq!(layer.period.last_day(), day("2026-05-30"));
    assert!(!decide(&asked("2026-04-01"), std::slice::from_ref(&layer)).is_covered());
    let again = Asked { same_fault: true, ..asked("2026-04-01") };
    assert!(decide(&again, &[layer]).is_covered());
}

#[test]
fn a_void_right_says_why() {
    let mut layers = rights(&sale("GB"));
    layers[0].void = Some(VoidReason::Returned);
    let decision = decide(&asked("2026-03-01"), &layers);
    assert_eq!(decision.because(), &Because::Void { kind: CoverageKind::Warranty, why: VoidReason::Returned });
}

#[test]
fn what_is_not_delivered_or_cannot_be_repaired_is_not_covered() {
    let layers = rights(&sale("LT"));
    let early = decide(&asked("2026-01-12"), &layers);
    assert_eq!(early.because(), &Because::NotDelivered { expected: day("2026-01-15") });
    let ticket = Asked { kind: ProductKind::Journey, ..asked("2026-03-01") };
    assert_eq!(decide(&ticket, &layers).because(), &Because::NotRepairable);
    assert_eq!(decide(&asked("2026-03-01"), &[]).because(), &Because::NoRights);
}

proptest! {
    #[test]
    fn covered_means_that_a_layer_holds_today(offset in 0_u64..1500, left in 0_i64..3, firm: bool) {
        let mut layers = rights(&Sale { consumer: !firm, ..sale("ES") });
        layers.push(plan_layer(left));
        let today = day("2026-01-15") + Days::new(offset);
        let decision = decide(&Asked { today, ..asked("2026-01-15") }, &layers);
        if let Decision::Covered { by, until, .. } = &decision {
            prop_assert!(*until >= today);
            prop_assert!(layers.iter().any(|l| l.kind == *by && l.period.contains(today) && l.period.last_day() == *until));
        }
        let longest = layers.iter().filter(|l| l.kind != CoverageKind::ServicePlan || left > 0).map(|l| l.period.until).max();
        prop_assert_eq!(decision.is_covered(), longest.is_some_and(|until| today < until));
    }

    #[test]
    fn the_order_of_layers_does_not_matter(offset in 0_u64..1500, seed in 0_usize..6) {
        let plan = care();
        let mut layers = rights(&Sale { plan: Some(&plan), ..sale("ES") });
        let today = day("2026-01-15") + Days::new(offset);
        let first = decide(&Asked { today, ..asked("2026-01-15") }, &layers);
        let count = layers.len();
        layers.rotate_left(seed % count);
        prop_assert_eq!(first, decide(&Asked { today, ..asked("2026-01-15") }, &layers));
    }
}
