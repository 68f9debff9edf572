//! Rule packs: what the law of a country grants to consumers, as dated data with an id and a version.
//!
//! A company can lengthen a period for what it sells from then on (`/desk/settings/guarantees`, kept as
//! `coverage.legal_months.SE`); it cannot shorten one. Check a pack against the text of its law before relying on it.

use crate::values::CountryCode;
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// The legal guarantee of one group of countries, for what was delivered within a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RulePack {
    /// The name that is kept with every coverage that rests on it.
    pub id: &'static str,
    pub version: u32,
    /// ISO 3166-1 codes, separated by spaces.
    countries: &'static str,
    pub months: u32,
    /// The first delivery date for which it holds.
    valid_from: NaiveDate,
    /// The first delivery date for which it no longer holds.
    valid_until: Option<NaiveDate>,
    /// Where it is written.
    pub source: &'static str,
}

const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date,
        None => panic!("no such date"),
    }
}

/// Directive (EU) 2019/771 applies to contracts concluded from this day on (article 24(2)).
const SALE_OF_GOODS: NaiveDate = day(2022, 1, 1);

/// From this day on a repair under the legal guarantee prolongs it (Directive (EU) 2024/1799, articles 16 and 22).
pub const RIGHT_TO_REPAIR: NaiveDate = day(2026, 7, 31);
/// By how many months, once (Directive (EU) 2019/771, article 10(2a), as amended).
pub const PROLONGATION_MONTHS: u32 = 12;

/// Every pack; the first that fits holds.
pub const RULE_PACKS: &[RulePack] = &[
    RulePack {
        id: "es-legal-guarantee",
        version: 1,
        countries: "ES",
        months: 36,
        valid_from: SALE_OF_GOODS,
        valid_until: None,
        source: "Real Decreto-ley 7/2021, article 16 (Directive (EU) 2019/771, article 10(3))",
    },
    RulePack {
        id: "pt-legal-guarantee",
        version: 1,
        countries: "PT",
        months: 36,
        valid_from: SALE_OF_GOODS,
        valid_until: None,
        source: "Decreto-Lei 84/2021, article 12 (Directive (EU) 2019/771, article 10(3))",
    },
    RulePack {
        id: "eu-legal-guarantee",
        version: 2,
        countries: "AT BE BG HR CY CZ DE DK EE FI FR GR HU IE IS IT LI LT LU LV MT NL NO PL RO SE SI SK",
        months: 24,
        valid_from: SALE_OF_GOODS,
        valid_until: None,
        source: "Directive (EU) 2019/771, article 10(1)",
    },
    RulePack {
        id: "eu-legal-guarantee",
        version: 1,
        countries: "AT BE BG HR CY CZ DE DK EE ES FI FR GR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK",
        months: 24,
        valid_from: day(2002, 1, 1),
        valid_until: Some(SALE_OF_GOODS),
        source: "Directive 1999/44/EC, article 5(1)",
    },
];

/// The pack that holds in a country for what was delivered on a day; none where we have none.
pub fn rule_pack(country: CountryCode, delivered_on: NaiveDate) -> Option<&'static RulePack> {
    RULE_PACKS.iter().find(|pack| {
        pack.countries.split(' ').any(|code| code == country.code())
            && pack.valid_from <= delivered_on
            && pack.valid_until.is_none_or(|until| delivered_on < until)
    })
}

/// The countries whose law grants something on what is delivered on a day, and how many months.
pub fn countries(delivered_on: NaiveDate) -> BTreeMap<CountryCode, u32> {
    let codes = RULE_PACKS.iter().flat_map(|pack| pack.countries.split(' ')).filter_map(|code| code.parse().ok());
    codes.filter_map(|country| Some((country, rule_pack(country, delivered_on)?.months))).collect()
}

/// The months of a legal guarantee that rests on a rule, where they are more than the rule grants.
pub fn months_beyond(rule_id: &str, version: u32, months: u32) -> Option<u32> {
    let pack = RULE_PACKS.iter().find(|pack| pack.id == rule_id && pack.version == version)?;
    (months > pack.months).then_some(months)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(country: &str, delivered_on: &str) -> Option<u32> {
        rule_pack(country.parse().unwrap(), delivered_on.parse().unwrap()).map(|pack| pack.months)
    }

    #[test]
    fn the_union_grants_two_years_and_iberia_three() {
        assert_eq!(months("LT", "2026-01-15"), Some(24));
        assert_eq!(months("IT", "2026-01-15"), Some(24));
        assert_eq!(months("ES", "2026-01-15"), Some(36));
        assert_eq!(months("PT", "2026-01-15"), Some(36));
        assert_eq!(months("ES", "2021-12-31"), Some(24));
    }

    #[test]
    fn a_country_without_a_pack_grants_nothing() {
        assert_eq!(months("GB", "2026-01-15"), None);
        assert_eq!(months("IN", "2026-01-15"), None);
        assert_eq!(months("LT", "2001-12-31"), None);
    }

    #[test]
    fn what_a_country_grants_is_what_its_pack_says_on_the_day() {
        let of = |day: &str| countries(day.parse().unwrap());
        let (now, before) = (of("2026-12-01"), of("2021-12-31"));
        assert_eq!((now.len(), before.len()), (30, 30));
        let spain: CountryCode = "ES".parse().unwrap();
        assert_eq!((now[&spain], before[&spain]), (36, 24));
        assert!(of("2001-12-31").is_empty());
    }

    #[test]
    fn a_guarantee_is_longer_than_its_law_only_beyond_its_own_rule() {
        assert_eq!(months_beyond("eu-legal-guarantee", 2, 36), Some(36));
        assert_eq!(months_beyond("es-legal-guarantee", 1, 36), None);
        assert_eq!(months_beyond("eu-legal-guarantee", 2, 24), None);
        assert_eq!(months_beyond("none", 1, 36), None);
    }

    #[test]
    fn every_country_in_a_pack_exists_and_is_named_once() {
        for pack in RULE_PACKS {
            let mut codes: Vec<&str> = pack.countries.split(' ').collect();
            assert!(codes.iter().all(|code| code.parse::<CountryCode>().is_ok()), "{}", pack.id);
            let count = codes.len();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), count, "{}", pack.id);
        }
    }
}
