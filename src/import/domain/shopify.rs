//! Shopify's export of orders: CSV with a row for each line of an order, of which only the first carries what is the
//! order's own.

use super::{
    cells::{Header, Layout},
    shop::{LeftOut, ShopCell, ShopLine, discounted, firm, first_of, gave_all_back, instant},
};
use crate::values::Currency;
use std::collections::HashMap;

/// The columns that are read, as headers are compared: in small letters. The others are left alone.
const COLUMNS: &[&str] = &[
    "name",
    "email",
    "financial status",
    "paid at",
    "fulfilled at",
    "currency",
    "total",
    "refunded amount",
    "created at",
    "cancelled at",
    "canceled at",
    "billing name",
    "shipping name",
    "billing phone",
    "shipping phone",
    "phone",
    "shipping country",
    "billing country",
    "billing company",
    "lineitem quantity",
    "lineitem name",
    "lineitem price",
    "lineitem discount",
    "lineitem sku",
    "lineitem fulfillment status",
    "vendor",
];

/// The columns of Shopify's export.
pub fn shopify_columns() -> Layout {
    Layout {
        known: COLUMNS,
        required: &[&["name"], &["email"], &["created at"], &["lineitem quantity"], &["lineitem sku", "lineitem name"]],
    }
}

/// Reads the rows of an export one after the other.
pub struct ShopifyRows {
    places: HashMap<&'static str, usize>,
    currency: Currency,
    /// The order that the row before belonged to, and the place of that row in it.
    order: Option<(Order, u32)>,
}

/// What is the order's own.
#[derive(Clone, Default)]
struct Order {
    name: String,
    cells: HashMap<&'static str, String>,
}

impl Order {
    fn cell(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

impl ShopifyRows {
    /// `currency` is the company's, for an export without that column.
    pub fn new(header: &Header, currency: Currency) -> Self {
        let places = COLUMNS.iter().filter_map(|column| Some((*column, header.place(column)?))).collect();
        Self { places, currency, order: None }
    }

    /// The next row.
    pub fn read(&mut self, cells: &[&str]) -> ShopLine {
        let cell = |column: &str| self.places.get(column).and_then(|at| cells.get(*at)).map_or("", |cell| cell.trim());
        let name = cell("name");
        let (before, place) = match self.order.take() {
            Some((order, place)) if order.name == name && !name.is_empty() => (order, place + 1),
            _ => (Order::default(), 1),
        };
        // Every export has a state on the row that carries the order; rows of other tools may all carry it.
        let goes_on = place > 1 && cell("financial status").is_empty();
        let order = match goes_on {
            true => before,
            false => {
                let own = |column: &&'static str| Some((*column, cell(column).to_owned())).filter(|c| !c.1.is_empty());
                Order { name: name.to_owned(), cells: COLUMNS.iter().filter_map(own).collect() }
            }
        };
        let line = line(&order, place, &cell, self.currency);
        self.order = Some((order, place));
        line
    }
}

fn line<'c>(order: &Order, place: u32, cell: &dyn Fn(&str) -> &'c str, house: Currency) -> ShopLine {
    let first = |fields: &[(&'static str, &'static str)]| {
        let said: Vec<(&str, &'static str)> =
            fields.iter().map(|(column, field)| (order.cell(column), *field)).collect();
        let (value, field) = first_of(&said);
        ShopCell::new(value, field)
    };
    let phone = {
        let phone =
            first(&[("billing phone", "Billing Phone"), ("shipping phone", "Shipping Phone"), ("phone", "Phone")]);
        // An apostrophe keeps spreadsheets from reckoning with it.
        ShopCell::new(phone.value.trim_start_matches('\''), phone.field)
    };
    let country = first(&[("shipping country", "Shipping Country"), ("billing country", "Billing Country")]);
    let delivered = match cell("lineitem fulfillment status").to_lowercase().as_str() {
        "" | "fulfilled" => instant(order.cell("fulfilled at")),
        _ => String::new(),
    };
    ShopLine {
        left_out: left_out(order, cell),
        cells: [
            ShopCell::new(cell("name"), "Name"),
            ShopCell::new(place.to_string(), "order_line"),
            ShopCell::new(instant(order.cell("created at")), "Created at"),
            ShopCell::new(delivered, "Fulfilled at"),
            ShopCell::new(order.cell("email"), "Email"),
            first(&[("billing name", "Billing Name"), ("shipping name", "Shipping Name")]),
            phone,
            ShopCell::new(country.value.to_uppercase(), country.field),
            ShopCell::new(firm(order.cell("billing company")), "Billing Company"),
            ShopCell::new(cell("lineitem sku"), "Lineitem sku"),
            ShopCell::new(cell("lineitem name"), "Lineitem name"),
            ShopCell::new(cell("vendor"), "Vendor"),
            ShopCell::new(cell("lineitem quantity"), "Lineitem quantity"),
            price(order, cell, house),
            ShopCell::new(order.cell("currency").to_uppercase(), "Currency"),
        ],
    }
}

/// What one piece cost, less what was taken off this line. Without all of the figures it is told as it stands.
fn price<'c>(order: &Order, cell: &dyn Fn(&str) -> &'c str, house: Currency) -> ShopCell {
    let (price, discount) = (cell("lineitem price"), cell("lineitem discount"));
    let currency = Some(order.cell("currency")).filter(|code| !code.is_empty());
    let currency = currency.map_or(Ok(house), |code| code.to_uppercase().parse());
    let paid = currency.ok().and_then(|currency| discounted(price, discount, cell("lineitem quantity"), currency));
    ShopCell::new(paid.map_or_else(|| price.to_owned(), |paid| paid.decimal()), "Lineitem price")
}

fn left_out<'c>(order: &Order, cell: &dyn Fn(&str) -> &'c str) -> Option<LeftOut> {
    let cancelled = ["cancelled at", "canceled at"].iter().any(|column| !order.cell(column).is_empty());
    let refunded = gave_all_back(std::iter::once(order.cell("refunded amount")), order.cell("total"));
    let has = |column| !order.cell(column).is_empty();
    match order.cell("financial status").to_lowercase().replace(' ', "_").as_str() {
        _ if cancelled => Some(LeftOut::Cancelled),
        "voided" | "expired" => Some(LeftOut::Cancelled),
        _ if refunded => Some(LeftOut::Refunded),
        "refunded" => Some(LeftOut::Refunded),
        _ if cell("lineitem fulfillment status").eq_ignore_ascii_case("restocked") => Some(LeftOut::Refunded),
        _ if cell("lineitem quantity") == "0" => Some(LeftOut::NoPieces),
        "" | "paid" | "authorized" | "partially_paid" | "partially_refunded" => None,
        _ if has("paid at") || has("fulfilled at") => None,
        _ => Some(LeftOut::Unpaid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::domain::SHOP_COLUMNS;
    use proptest::prelude::*;

    const HEADER: &str = "Name,Email,Financial Status,Paid at,Fulfilled at,Currency,Total,Created at,Lineitem quantity,\
        Lineitem name,Lineitem price,Lineitem SKU,Lineitem fulfillment status,Billing Name,Billing Company,\
        Shipping Country,Cancelled at,Refunded Amount,Lineitem discount,Phone,Vendor,Tags";

    fn rows() -> ShopifyRows {
        let header = Header::read(HEADER.split(','), shopify_columns()).unwrap();
        ShopifyRows::new(&header, Currency::EUR)
    }

    /// A row of an export: what is said here, the rest empty.
    fn row(said: &[(&str, &str)]) -> Vec<String> {
        let value = |column: &str| said.iter().find(|(name, _)| *name == column).map_or("", |(_, value)| value);
        HEADER.split(',').map(|column| value(column).to_owned()).collect()
    }

    const PAID: &[(&str, &str)] = &[
        ("Name", "#1001"),
        ("Email", "ann@example.com"),
        ("Financial Status", "paid"),
        ("Fulfilled at", "2026-11-03 09:00:00 +0100"),
        ("Currency", "EUR"),
        ("Total", "100.00"),
        ("Created at", "2026-11-02 10:14:00 +0100"),
        ("Lineitem quantity", "2"),
        ("Lineitem name", "Kettle - Red"),
        ("Lineitem price", "50.00"),
        ("Lineitem SKU", "KET-R"),
        ("Shipping Country", "lt"),
        ("Refunded Amount", "0.00"),
        ("Phone", "'+37060000000"),
    ];

    fn with(changes: &[(&'static str, &'static str)]) -> ShopLine {
        let said: Vec<(&str, &str)> = changes.iter().chain(PAID).copied().collect();
        read(&mut rows(), &said)
    }

    fn read(rows: &mut ShopifyRows, said: &[(&str, &str)]) -> ShopLine {
        let cells = row(said);
        rows.read(&cells.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn value(line: &ShopLine, column: &str) -> String {
        line.cells[SHOP_COLUMNS.iter().position(|name| *name == column).unwrap()].value.clone()
    }

    #[test]
    fn a_row_says_the_same_in_our_columns() {
        let line = with(&[]);
        let values: Vec<&str> = line.cells.iter().map(|cell| cell.value.as_str()).collect();
        assert_eq!(
            values,
            [
                "#1001",
                "1",
                "2026-11-02T10:14:00+01:00",
                "2026-11-03T09:00:00+01:00",
                "ann@example.com",
                "",
                "+37060000000",
                "LT",
                "",
                "KET-R",
                "Kettle - Red",
                "",
                "2",
                "50.00",
                "EUR"
            ]
        );
        assert_eq!(line.left_out, None);
    }

    #[test]
    fn the_rows_of_an_order_have_what_its_first_row_has_and_are_numbered() {
        let mut rows = rows();
        read(&mut rows, PAID);
        let second = read(&mut rows, &[("Name", "#1001"), ("Lineitem quantity", "1"), ("Lineitem name", "Cup")]);
        assert_eq!(
            ["order_line", "customer_email", "sku", "currency"].map(|c| value(&second, c)),
            ["2", "ann@example.com", "", "EUR"]
        );
        let other = read(&mut rows, &[("Name", "#1002"), ("Lineitem quantity", "1"), ("Lineitem name", "Cup")]);
        assert_eq!(
            ["order_line", "customer_email"].map(|c| value(&other, c)),
            ["1", ""],
            "the next order has its own buyer"
        );
        let unnamed = read(&mut rows, &[("Lineitem quantity", "1"), ("Lineitem name", "Cup")]);
        assert_eq!(["order_number", "order_line"].map(|c| value(&unnamed, c)), ["", "1"]);
    }

    #[test]
    fn a_cancelled_order_is_left_out_with_all_of_its_lines() {
        let mut rows = rows();
        let said: Vec<(&str, &str)> =
            [("Cancelled at", "2026-11-03 09:00:00 +0100")].iter().chain(PAID).copied().collect();
        assert_eq!(read(&mut rows, &said).left_out, Some(LeftOut::Cancelled));
        let second = read(&mut rows, &[("Name", "#1001"), ("Lineitem quantity", "1"), ("Lineitem name", "Cup")]);
        assert_eq!(second.left_out, Some(LeftOut::Cancelled));
        assert_eq!(read(&mut rows, &[("Name", "#1002"), ("Financial Status", "paid")]).left_out, None);
    }

    #[test]
    fn what_was_sold_is_told_by_money_and_delivery() {
        for (changes, expected) in [
            (&[("Financial Status", "authorized"), ("Fulfilled at", "")][..], None),
            (&[("Financial Status", "partially_refunded"), ("Refunded Amount", "10.00")], None),
            (&[("Financial Status", "partially_refunded"), ("Refunded Amount", "100.00")], Some(LeftOut::Refunded)),
            (&[("Financial Status", "refunded")], Some(LeftOut::Refunded)),
            (&[("Financial Status", "voided")], Some(LeftOut::Cancelled)),
            (&[("Financial Status", "pending")], None),
            (&[("Financial Status", "pending"), ("Fulfilled at", "")], Some(LeftOut::Unpaid)),
            (&[("Lineitem quantity", "0")], Some(LeftOut::NoPieces)),
            (&[("Lineitem fulfillment status", "restocked")], Some(LeftOut::Refunded)),
        ] {
            assert_eq!(with(changes).left_out, expected, "{changes:?}");
        }
    }

    #[test]
    fn a_line_that_is_still_to_be_sent_is_not_delivered() {
        assert_eq!(value(&with(&[("Lineitem fulfillment status", "pending")]), "delivered_on"), "");
        assert_ne!(value(&with(&[("Lineitem fulfillment status", "fulfilled")]), "delivered_on"), "");
    }

    #[test]
    fn what_was_taken_off_a_line_is_taken_off_its_pieces() {
        assert_eq!(value(&with(&[("Lineitem discount", "5.00")]), "unit_price"), "47.50");
        assert_eq!(value(&with(&[("Lineitem price", "fifty")]), "unit_price"), "fifty", "to be blamed as it stands");
        assert_eq!(value(&with(&[("Currency", "EURO")]), "unit_price"), "50.00");
    }

    #[test]
    fn a_firm_is_one_that_is_named() {
        assert_eq!(value(&with(&[("Billing Company", "UAB Žalgiris")]), "organisation"), "UAB Žalgiris");
        assert_eq!(value(&with(&[("Billing Company", "-")]), "organisation"), "");
    }

    proptest! {
        #[test]
        fn no_row_makes_it_panic(cells in prop::collection::vec(".{0,12}", 0..30)) {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let mut rows = rows();
            rows.read(&cells);
            rows.read(&cells);
        }
    }
}
