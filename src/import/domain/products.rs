//! A product, and a service plan, as files bring them.

use super::{
    cells::{Cells, Header, Layout},
    fault::{Fault, RowFault},
};
use crate::{
    catalog::domain::{Plan, ProductKind},
    values::{Currency, Money},
};
use serde::{Deserialize, Serialize};

/// The columns of a file of products.
pub fn product_columns() -> Layout {
    Layout {
        known: &["sku", "name", "brand", "category", "kind", "unit_price", "currency", "warranty_months"],
        required: &[&["sku"], &["name"]],
    }
}

/// The columns of a file of plans.
pub fn plan_columns() -> Layout {
    Layout {
        known: &["plan", "name", "period_months", "training_seats", "maintenance_visits", "repairs", "applies_to_kind"],
        required: &[&["plan"], &["name"], &["period_months"]],
    }
}

/// A product as it was read.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProductRow {
    pub sku: String,
    pub name: String,
    pub brand: Option<String>,
    pub category: Option<String>,
    pub kind: ProductKind,
    pub unit_price: Option<Money>,
    pub warranty_months: Option<u32>,
}

/// A plan as it was read.
pub type PlanRow = Plan;

/// Reads one product.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_product(header: &Header, cells: &[&str], house_currency: Currency) -> Result<ProductRow, Vec<RowFault>> {
    let mut row = Cells::new(header, cells);
    let sku = row.required("sku");
    let name = row.required("name");
    let brand = row.text("brand");
    let category = row.text("category");
    let kind = row.kind("kind").unwrap_or(ProductKind::Goods);
    let before = row.faults.len();
    let currency = row.currency("currency");
    let unit_price = match row.faults.len() == before {
        true => row.amount("unit_price", currency.unwrap_or(house_currency)),
        false => None,
    };
    let warranty_months = row.whole("warranty_months", 0, 1200).and_then(|months| u32::try_from(months).ok());
    match (sku, name) {
        (Some(sku), Some(name)) if row.faults.is_empty() => {
            Ok(ProductRow { sku, name, brand, category, kind, unit_price, warranty_months })
        }
        _ => Err(row.faults),
    }
}

/// Reads one plan.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_plan(header: &Header, cells: &[&str]) -> Result<PlanRow, Vec<RowFault>> {
    let mut row = Cells::new(header, cells);
    let code = row.required("plan");
    let name = row.required("name");
    if row.raw("period_months").is_empty() {
        row.blame("period_months", Fault::Required);
    }
    let mut count =
        |column, least, most| row.whole(column, least, most).and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
    let period_months = count("period_months", 1, 1200);
    let training_seats = count("training_seats", 0, 10_000);
    let maintenance_visits = count("maintenance_visits", 0, 10_000);
    let repairs = count("repairs", 0, 10_000);
    let applies_to = row.kind("applies_to_kind");
    match (code, name) {
        (Some(code), Some(name)) if row.faults.is_empty() => {
            Ok(Plan { code, name, period_months, training_seats, maintenance_visits, repairs, applies_to })
        }
        _ => Err(row.faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_whole() {
        let header = Header::read(
            "plan,name,period_months,training_seats,maintenance_visits,repairs,applies_to_kind".split(','),
            plan_columns(),
        )
        .unwrap();
        let plan = read_plan(&header, &["care-6", "Care", "6", "3", "2", "1", "goods"]).unwrap();
        assert_eq!((plan.period_months, plan.training_seats, plan.applies_to), (6, 3, Some(ProductKind::Goods)));
        let faults = read_plan(&header, &["care-6", "Care", "", "x", "2", "1", "car"]).unwrap_err();
        let columns: Vec<&str> = faults.iter().map(|fault| fault.column.as_str()).collect();
        assert_eq!(columns, ["period_months", "training_seats", "applies_to_kind"]);
    }

    #[test]
    fn a_product_without_a_name_or_with_a_strange_price_is_bad() {
        let header = Header::read("sku,name,unit_price,currency".split(','), product_columns()).unwrap();
        let read = |cells: &[&str]| read_product(&header, cells, Currency::EUR);
        assert_eq!(read(&["A", "Lamp", "12.50", ""]).unwrap().unit_price, Some(Money::new(1250, Currency::EUR)));
        assert_eq!(read(&["A", "", "12.50", "EUR"]).unwrap_err()[0].column, "name");
        assert_eq!(read(&["A", "Lamp", "x", "EUR"]).unwrap_err()[0].fault, Fault::NotADecimal);
    }
}
