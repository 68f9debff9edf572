//! What the exports of web shops have in common: a line of an order, said in the columns of our own file.

use crate::values::{Currency, Money};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use std::borrow::Cow;

/// The columns of our own file that a shop fills, in the order of [`ShopLine::cells`].
pub const SHOP_COLUMNS: [&str; 15] = [
    "order_number",
    "order_line",
    "purchased_on",
    "delivered_on",
    "customer_email",
    "customer_name",
    "customer_phone",
    "customer_country",
    "organisation",
    "sku",
    "product_name",
    "brand",
    "quantity",
    "unit_price",
    "currency",
];

/// A value, and what it is called in the shop's file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShopCell {
    pub value: String,
    pub field: Cow<'static, str>,
}

impl ShopCell {
    pub fn new(value: impl Into<String>, field: impl Into<Cow<'static, str>>) -> Self {
        Self { value: value.into(), field: field.into() }
    }
}

/// One line of a shop's order. What is wrong with a value stays in it: rows of shops are judged like rows of our own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShopLine {
    pub cells: [ShopCell; SHOP_COLUMNS.len()],
    /// Why nobody has bought it, or has it no more.
    pub left_out: Option<LeftOut>,
}

/// Why a line of an order is no purchase.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, thiserror::Error)]
pub enum LeftOut {
    #[error("cancelled")]
    Cancelled,
    #[error("refunded")]
    Refunded,
    #[error("neither paid nor delivered")]
    Unpaid,
    #[error("not an order yet")]
    Draft,
    #[error("without a piece")]
    NoPieces,
}

/// What a decimal is multiplied by, so that sums and shares of it are whole numbers.
const SCALE: usize = 12;

/// A decimal as shops write it: more places than the currency has, where tax was worked out.
fn decimal(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 15 || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let part: String = part.chars().chain(std::iter::repeat('0')).take(SCALE).collect();
    let value: i128 = format!("{whole}{part}").parse().ok()?;
    Some(if negative { -value } else { value })
}

/// What one of so many pieces cost of a sum, rounded to what the currency has.
fn share(sum: i128, pieces: i128, currency: Currency) -> Option<Money> {
    let unit = pieces * 10_i128.pow(u32::try_from(SCALE).ok()?.checked_sub(currency.digits())?);
    let half = if sum < 0 { -unit / 2 } else { unit / 2 };
    let minor = i64::try_from((sum + half).checked_div(unit)?).ok()?;
    Some(Money::new(minor, currency))
}

/// The price of a piece, from what the shop says of one and what it took off all of them.
pub fn discounted(price: &str, discount: &str, pieces: &str, currency: Currency) -> Option<Money> {
    let pieces: i128 = pieces.parse::<u32>().ok()?.into();
    let discount = if discount.is_empty() { 0 } else { decimal(discount)? };
    share(decimal(price)? * pieces - discount, pieces, currency)
}

/// The price of a piece, from what all of them came to without tax, and the tax.
pub fn taxed(total: &str, tax: &str, pieces: &str, currency: Currency) -> Option<Money> {
    let tax = if tax.is_empty() { 0 } else { decimal(tax)? };
    share(decimal(total)? + tax, pieces.parse::<u32>().ok()?.into(), currency)
}

/// Whether a refund gave all of it back.
pub fn gave_all_back<'a>(refunds: impl Iterator<Item = &'a str>, total: &str) -> bool {
    let back: i128 = refunds.filter_map(decimal).map(i128::abs).sum();
    decimal(total).is_some_and(|total| total > 0 && back >= total)
}

/// A time with its distance from Greenwich as RFC 3339, a time without as its date; anything else as it is, to be judged
/// like a date of ours.
pub fn instant(text: &str) -> String {
    let text = text.trim();
    let zoned = text.strip_suffix(" UTC").map_or_else(|| text.to_owned(), |time| format!("{time} +0000"));
    if let Ok(instant) = DateTime::parse_from_str(&zoned, "%Y-%m-%d %H:%M:%S %z") {
        return instant.to_rfc3339();
    }
    local_date(text).map_or_else(|| text.to_owned(), |date| date.to_string())
}

/// A time in Greenwich that does not say so, as RFC 3339.
pub fn greenwich(text: &str) -> String {
    let text = text.trim();
    if local_date(text).is_some() { format!("{}Z", text.replace(' ', "T")) } else { text.to_owned() }
}

fn local_date(text: &str) -> Option<NaiveDate> {
    let at = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S"));
    at.ok().map(|at| at.date())
}

/// What people write into the field for a firm when there is none.
pub fn firm(text: &str) -> &str {
    let text = text.trim();
    let nothing = !text.chars().any(char::is_alphanumeric) || text.eq_ignore_ascii_case("n/a");
    if nothing { "" } else { text }
}

/// The first of some fields that says something; else the first.
pub fn first_of<'a>(fields: &[(&'a str, &'static str)]) -> (&'a str, &'static str) {
    let said = fields.iter().find(|(value, _)| !value.trim().is_empty()).or(fields.first());
    said.map_or(("", ""), |(value, field)| (value.trim(), *field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_piece_costs_its_share_rounded_to_the_cent() {
        let said = |money: Option<Money>| money.map(|money| money.decimal());
        assert_eq!(said(discounted("49.90", "", "2", Currency::EUR)).as_deref(), Some("49.90"));
        assert_eq!(said(discounted("49.90", "10.00", "3", Currency::EUR)).as_deref(), Some("46.57"));
        assert_eq!(said(taxed("21.83", "4.1477", "1", Currency::EUR)).as_deref(), Some("25.98"));
        assert_eq!(said(taxed("10", "", "3", Currency::EUR)).as_deref(), Some("3.33"));
        assert_eq!(said(taxed("0.05", "", "2", Currency::EUR)).as_deref(), Some("0.03"));
        let yen: Currency = "JPY".parse().unwrap();
        assert_eq!(said(taxed("1000.00", "100", "3", yen)).as_deref(), Some("367"));
        assert_eq!(said(taxed("-0.05", "", "2", Currency::EUR)).as_deref(), Some("-0.03"));
        for bad in ["", "ten", "1,5", "1e3", "1.2.3", "."] {
            assert_eq!((taxed(bad, "", "1", Currency::EUR), discounted("1", "", bad, Currency::EUR)), (None, None));
        }
        assert_eq!(taxed("1", "", "0", Currency::EUR), None);
    }

    #[test]
    fn a_time_is_read_with_its_distance_from_greenwich() {
        assert_eq!(instant("2026-11-02 23:40:00 -0500"), "2026-11-02T23:40:00-05:00");
        assert_eq!(instant("2026-11-02 23:40:00 UTC"), "2026-11-02T23:40:00+00:00");
        assert_eq!(instant("2026-11-02 23:40:00"), "2026-11-02");
        assert_eq!(instant("2026-02-30 23:40:00 +0100"), "2026-02-30 23:40:00 +0100");
        assert_eq!(greenwich("2026-11-02T23:40:00"), "2026-11-02T23:40:00Z");
        assert_eq!(greenwich("2026-11-02T23:40:00Z"), "2026-11-02T23:40:00Z");
        assert_eq!(greenwich("yesterday"), "yesterday");
    }

    #[test]
    fn a_firm_has_a_letter_or_a_digit() {
        assert_eq!(["-", " n/a ", " . ", " 3M ", "Žalgiris, UAB"].map(firm), ["", "", "", "3M", "Žalgiris, UAB"]);
    }

    #[test]
    fn a_refund_of_everything_is_one_however_it_is_cut() {
        assert!(gave_all_back(["-10.00", "-5.50"].into_iter(), "15.5"));
        assert!(!gave_all_back(["-10.00"].into_iter(), "15.50"));
        assert!(!gave_all_back([].into_iter(), "0.00"), "what was free from the start was not refunded");
    }

    proptest! {
        #[test]
        fn all_pieces_together_cost_the_sum_but_for_rounding(cents in 0_i64..10_000_000, pieces in 1_i64..1000) {
            let total = Money::new(cents, Currency::EUR).decimal();
            let piece = taxed(&total, "", &pieces.to_string(), Currency::EUR).unwrap();
            prop_assert!((piece.minor * pieces - cents).abs() * 2 <= pieces);
        }

        #[test]
        fn no_text_makes_it_panic(a in ".{0,40}", b in "[0-9.-]{0,40}", c in "[0-9]{0,12}") {
            let _ = (taxed(&b, &a, &c, Currency::EUR), discounted(&b, &b, &c, Currency::EUR));
            let _ = (instant(&a), greenwich(&a), firm(&a).len(), gave_all_back([a.as_str()].into_iter(), &b));
        }
    }
}
