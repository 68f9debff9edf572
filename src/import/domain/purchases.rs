//! One line of an order.

use super::{
    cells::{Cells, Header, Layout},
    fault::{Fault, RowFault},
};
use crate::{
    catalog::domain::{Plan, ProductKind},
    values::{CountryCode, Currency, EmailAddress, LanguageTag, Money},
};
use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};

/// More pieces in one line are a typing error.
const MOST_PIECES: i64 = 10_000;
/// A warranty of a hundred years is one too.
const MOST_MONTHS: i64 = 1200;
/// Ten thousand serial numbers still fit.
const LONGEST_SERIALS: usize = 400_000;

/// The columns of a file of purchases.
pub fn purchase_columns() -> Layout {
    Layout {
        known: &[
            "order_number",
            "order_line",
            "purchased_on",
            "delivered_on",
            "customer_email",
            "customer_name",
            "customer_phone",
            "customer_language",
            "customer_country",
            "organisation",
            "organisation_id",
            "sku",
            "product_name",
            "brand",
            "category",
            "kind",
            "serial_number",
            "quantity",
            "unit_price",
            "currency",
            "warranty_months",
            "plan",
        ],
        required: &[&["order_number"], &["customer_email"], &["purchased_on"], &["sku", "product_name"]],
    }
}

/// A line of an order as it was read; what is missing here comes from the product.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PurchaseRow {
    pub order_number: String,
    /// Missing: its place in the order, which only the whole file tells.
    pub order_line: Option<i64>,
    pub purchased_on: NaiveDate,
    pub delivered_on: Option<NaiveDate>,
    pub customer_email: EmailAddress,
    pub customer_name: Option<String>,
    pub customer_phone: Option<String>,
    pub customer_language: Option<LanguageTag>,
    pub customer_country: Option<CountryCode>,
    pub organisation: Option<String>,
    pub organisation_id: Option<String>,
    pub sku: Option<String>,
    pub product_name: Option<String>,
    pub brand: Option<String>,
    pub category: Option<String>,
    pub kind: Option<ProductKind>,
    pub serial_numbers: Vec<String>,
    pub quantity: i64,
    pub unit_price: Option<Money>,
    pub warranty_months: Option<u32>,
    pub plan: Option<String>,
}

impl PurchaseRow {
    /// Whether it belongs to a firm.
    pub fn is_for_an_organisation(&self) -> bool {
        self.organisation.is_some() || self.organisation_id.is_some()
    }
}

/// Reads one row.
///
/// # Errors
/// Everything that is wrong with it, cell by cell in the order of the contract's columns.
pub fn read_purchase<'p>(
    header: &Header,
    cells: &[&str],
    plan: impl Fn(&str) -> Option<&'p Plan>,
    house_currency: Currency,
    day_of: &dyn Fn(DateTime<FixedOffset>) -> NaiveDate,
) -> Result<PurchaseRow, Vec<RowFault>> {
    let mut row = Cells::new(header, cells);
    let order_number = row.required("order_number");
    let order_line = line_number(&mut row);
    let purchased_on = purchased_on(&mut row, day_of);
    let delivered_on = row.date("delivered_on", day_of);
    if let (Some(purchased), Some(delivered)) = (purchased_on, delivered_on)
        && delivered < purchased
    {
        row.blame("delivered_on", Fault::DeliveredBeforePurchased);
    }
    let customer_email = row.email("customer_email");
    let customer_name = row.text("customer_name");
    let customer_phone = row.text_up_to("customer_phone", 40);
    let customer_language = row.language("customer_language");
    let customer_country = row.country("customer_country");
    let organisation = row.text("organisation");
    let organisation_id = row.text("organisation_id");
    let sku = row.text("sku");
    let product_name = row.text("product_name");
    if row.raw("sku").is_empty() && row.raw("product_name").is_empty() {
        row.blame(if header.has("sku") { "sku" } else { "product_name" }, Fault::Required);
    }
    let brand = row.text("brand");
    let category = row.text("category");
    let kind = row.kind("kind");
    let (serial_numbers, quantity) = pieces(&mut row);
    let unit_price = price(&mut row, house_currency);
    let warranty_months = row.whole("warranty_months", 0, MOST_MONTHS).and_then(|months| u32::try_from(months).ok());
    let plan = plan_code(&mut row, kind, plan);
    match (order_number, purchased_on, customer_email) {
        (Some(order_number), Some(purchased_on), Some(customer_email)) if row.faults.is_empty() => Ok(PurchaseRow {
            order_number,
            order_line,
            purchased_on,
            delivered_on,
            customer_email,
            customer_name,
            customer_phone,
            customer_language,
            customer_country,
            organisation,
            organisation_id,
            sku,
            product_name,
            brand,
            category,
            kind,
            serial_numbers,
            quantity,
            unit_price,
            warranty_months,
            plan,
        }),
        _ => Err(row.faults),
    }
}

fn line_number(row: &mut Cells) -> Option<i64> {
    let before = row.faults.len();
    let line = row.whole("order_line", 1, i64::from(u32::MAX));
    if row.faults.len() > before {
        // "Below zero" would be wrong for a line 0.
        row.faults[before].fault = Fault::NotAWholeNumber;
    }
    line
}

fn purchased_on(row: &mut Cells, day_of: &dyn Fn(DateTime<FixedOffset>) -> NaiveDate) -> Option<NaiveDate> {
    if row.raw("purchased_on").is_empty() {
        row.blame("purchased_on", Fault::Required);
        return None;
    }
    row.date("purchased_on", day_of)
}

/// The serial numbers and how many pieces there are: as many as serial numbers where no quantity is given.
fn pieces(row: &mut Cells) -> (Vec<String>, i64) {
    let text = row.text_up_to("serial_number", LONGEST_SERIALS).unwrap_or_default();
    let serials: Vec<String> =
        text.split('|').map(str::trim).filter(|serial| !serial.is_empty()).map(str::to_owned).collect();
    if serials.iter().any(|serial| serial.chars().count() > 100) {
        row.blame("serial_number", Fault::TooLong(100));
    }
    let keys: std::collections::HashSet<String> = serials.iter().map(|serial| serial_key(serial)).collect();
    if keys.len() < serials.len() {
        row.blame("serial_number", Fault::SerialTwice);
    }
    let counted = i64::try_from(serials.len()).unwrap_or(MOST_PIECES);
    let quantity = match row.raw("quantity") {
        "" => Some(counted.max(1)),
        text => match text.parse::<i64>() {
            Ok(number) if number < 1 => {
                row.blame("quantity", Fault::QuantityBelowOne);
                None
            }
            Ok(number) if number > MOST_PIECES => {
                row.blame("quantity", Fault::TooLarge(MOST_PIECES));
                None
            }
            Ok(number) => Some(number),
            Err(_) => {
                row.blame("quantity", Fault::NotAWholeNumber);
                None
            }
        },
    };
    if quantity.is_some_and(|quantity| counted > quantity) {
        row.blame("serial_number", Fault::MoreSerialsThanQuantity);
    }
    (serials, quantity.unwrap_or(1))
}

/// The price; where the currency itself is wrong, only the currency is blamed, unless the price is no number at all.
fn price(row: &mut Cells, house_currency: Currency) -> Option<Money> {
    let before = row.faults.len();
    let currency = row.currency("currency");
    if row.faults.len() > before {
        let digits = row.raw("unit_price").strip_prefix('-').unwrap_or(row.raw("unit_price"));
        let number = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.matches('.').count() < 2;
        if !number {
            row.blame("unit_price", Fault::NotADecimal);
        }
        return None;
    }
    row.amount("unit_price", currency.unwrap_or(house_currency))
}

fn plan_code<'p>(
    row: &mut Cells,
    kind: Option<ProductKind>,
    plan: impl Fn(&str) -> Option<&'p Plan>,
) -> Option<String> {
    let code = row.text("plan")?;
    match plan(&code) {
        None => row.blame("plan", Fault::UnknownPlan),
        Some(found) if kind.is_some_and(|kind| !found.is_for(kind)) => row.blame("plan", Fault::PlanForAnotherKind),
        Some(_) => {}
    }
    Some(code)
}

/// A serial number as it is compared: capitals, without spaces, hyphens, dots and strokes, so that people may type it
/// as they like.
pub fn serial_key(serial: &str) -> String {
    serial
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '/' | '_'))
        .flat_map(char::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan() -> Plan {
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

    fn read(columns: &str, cells: &[&str]) -> Result<PurchaseRow, Vec<RowFault>> {
        let header = Header::read(columns.split(','), purchase_columns()).unwrap();
        let plan = plan();
        let find = |code: &str| (code == plan.code).then_some(&plan);
        read_purchase(&header, cells, find, Currency::EUR, &|instant| instant.date_naive())
    }

    const SHORT: &str = "order_number,customer_email,purchased_on,sku";

    fn fault(columns: &str, cells: &[&str]) -> (String, Fault) {
        let faults = read(columns, cells).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        (faults[0].column.clone(), faults[0].fault.clone())
    }

    fn with(column: &str, value: &str) -> Result<PurchaseRow, Vec<RowFault>> {
        read(&format!("{SHORT},{column}"), &["A1", "ann@example.com", "2026-01-15", "P1", value])
    }

    #[test]
    fn four_columns_make_a_purchase() {
        let row = read(SHORT, &["A1", " Ann@Example.com ", "2026-01-15", "P1"]).unwrap();
        assert_eq!(row.customer_email.as_str(), "ann@example.com");
        assert_eq!((row.quantity, row.order_line, row.delivered_on), (1, None, None));
    }

    #[test]
    fn an_instant_counts_by_its_day() {
        let row = read(SHORT, &["A1", "ann@example.com", "2026-01-15T23:30:00+02:00", "P1"]).unwrap();
        assert_eq!(row.purchased_on, "2026-01-15".parse().unwrap());
    }

    #[test]
    fn serial_numbers_stand_for_pieces() {
        let row = with("serial_number", "A-1 | A-2|A-3").unwrap();
        assert_eq!((row.quantity, row.serial_numbers.len()), (3, 3));
        assert_eq!(with("serial_number", "A-1|a1").unwrap_err()[0].fault, Fault::SerialTwice);
        let both = format!("{SHORT},serial_number,quantity");
        let more = fault(&both, &["A1", "ann@example.com", "2026-01-15", "P1", "A|B", "1"]);
        assert_eq!(more, ("serial_number".into(), Fault::MoreSerialsThanQuantity));
    }

    #[test]
    fn each_fault_is_named_at_its_column() {
        for (column, value, expected) in [
            ("quantity", "-2", Fault::QuantityBelowOne),
            ("quantity", "two", Fault::NotAWholeNumber),
            ("unit_price", "12,5.0", Fault::NotADecimal),
            ("unit_price", "-1", Fault::BelowZero),
            ("currency", "EURO", Fault::NotACurrency),
            ("plan", "care-99", Fault::UnknownPlan),
            ("delivered_on", "2021-01-01", Fault::DeliveredBeforePurchased),
            ("delivered_on", "2026-02-30", Fault::NoSuchDate),
            // Far off, as programs say "never": no year of four digits that anybody means, whatever clock it is on.
            ("delivered_on", "9999-12-31", Fault::NoSuchDate),
            ("delivered_on", "9999-12-31T00:00:00Z", Fault::NoSuchDate),
            ("delivered_on", "9999-12-31T23:59:59-10:00", Fault::NoSuchDate),
            ("delivered_on", "0001-01-01T00:00:00Z", Fault::NoSuchDate),
            ("delivered_on", "soon", Fault::NotADate),
            ("customer_country", "XX", Fault::NotACountry),
            ("customer_language", "english_GB", Fault::NotALanguage),
            ("kind", "car", Fault::NotAKind),
            ("warranty_months", "-1", Fault::BelowZero),
            ("order_line", "0", Fault::NotAWholeNumber),
        ] {
            let faults = with(column, value).unwrap_err();
            assert_eq!((faults.len(), &faults[0].fault, faults[0].column.as_str()), (1, &expected, column), "{value}");
        }
        let missing = fault(SHORT, &["", "ann@example.com", "2026-01-15", "P1"]);
        assert_eq!(missing, ("order_number".into(), Fault::Required));
        let no_product = fault(SHORT, &["A1", "ann@example.com", "2026-01-15", ""]);
        assert_eq!(no_product, ("sku".into(), Fault::Required));
    }

    #[test]
    fn a_plan_must_fit_the_kind() {
        let columns = format!("{SHORT},kind,plan");
        let row = ["A1", "ann@example.com", "2026-01-15", "P1", "software", "care-6"];
        assert_eq!(fault(&columns, &row), ("plan".into(), Fault::PlanForAnotherKind));
    }

    #[test]
    fn a_header_without_a_needed_column_is_refused_and_unknown_ones_are_named() {
        let missing = Header::read("order_number,customer_email,sku".split(','), purchase_columns());
        assert_eq!(missing.unwrap_err(), MissingColumn("purchased_on".into()));
        let header = Header::read(
            "\u{feff}Order_Number,customer_email,purchased_on, SKU ,colour".split(','),
            purchase_columns(),
        );
        assert_eq!(header.unwrap().unknown(), ["colour"]);
    }

    proptest! {
        #[test]
        fn no_row_makes_it_panic(cells in prop::collection::vec(".{0,30}", 4..8)) {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let columns = format!("{SHORT},quantity,unit_price,currency,serial_number");
            let _ = read(&columns, &cells);
        }
    }

    use super::super::cells::MissingColumn;
}
