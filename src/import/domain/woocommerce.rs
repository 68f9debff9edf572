//! WooCommerce's orders, as its REST API gives them: JSON, an order with its lines in one piece.

use super::shop::{LeftOut, ShopCell, ShopLine, firm, first_of, gave_all_back, greenwich, instant, taxed};
use crate::values::Currency;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// An order, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct WooOrder {
    id: Text,
    number: Text,
    status: Text,
    currency: Text,
    total: Text,
    date_created: Text,
    date_created_gmt: Text,
    date_paid: Text,
    date_paid_gmt: Text,
    date_completed: Text,
    date_completed_gmt: Text,
    #[serde(deserialize_with = "or_nothing")]
    billing: Address,
    #[serde(deserialize_with = "or_nothing")]
    shipping: Address,
    line_items: Option<Vec<Item>>,
    #[serde(deserialize_with = "or_nothing")]
    refunds: Vec<Refund>,
    /// What the API says instead, where it refuses.
    message: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Address {
    first_name: Text,
    last_name: Text,
    company: Text,
    country: Text,
    email: Text,
    phone: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    id: Text,
    name: Text,
    sku: Text,
    quantity: Text,
    price: Text,
    total: Text,
    total_tax: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Refund {
    total: Text,
}

/// What should be text and may be a number, or nothing: which of them depends on WooCommerce's version and its plug-ins.
#[derive(Clone, Debug, Default)]
struct Text(String);

impl Text {
    fn as_str(&self) -> &str {
        self.0.trim()
    }

    fn is_said(&self) -> bool {
        !self.as_str().is_empty()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyText;
        impl<'de> Visitor<'de> for AnyText {
            type Value = Text;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("text or a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Text, E> {
                Ok(Text(truth.to_string()))
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Text, A::Error> {
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(AnyText)
    }
}

fn or_nothing<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Something else than an order.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoOrder {
    #[error("not an order of WooCommerce: it has no line_items")]
    NoLines,
    #[error("not an order of WooCommerce, but a message: {0}")]
    Message(String),
}

impl WooOrder {
    /// Its lines in our columns; `house` is the company's currency, where the order does not say one.
    ///
    /// # Errors
    /// [`NoOrder`] where it is something else.
    pub fn lines(&self, house: Currency) -> Result<Vec<ShopLine>, NoOrder> {
        match &self.line_items {
            Some(items) => Ok(items.iter().enumerate().map(|(at, item)| self.line(at, item, house)).collect()),
            None if self.message.is_said() => Err(NoOrder::Message(self.message.as_str().to_owned())),
            None => Err(NoOrder::NoLines),
        }
    }

    fn line(&self, at: usize, item: &Item, house: Currency) -> ShopLine {
        let (billing, shipping) = (&self.billing, &self.shipping);
        let of_item = |field: &str| format!("line_items[{at}].{field}");
        let first = |fields: &[(&Text, &'static str)]| {
            let said: Vec<(&str, &'static str)> = fields.iter().map(|(text, field)| (text.as_str(), *field)).collect();
            let (value, field) = first_of(&said);
            ShopCell::new(value, field)
        };
        let day = |gmt: &Text, field: &'static str, local: &Text, local_field: &'static str| match gmt.is_said() {
            true => ShopCell::new(greenwich(gmt.as_str()), field),
            false if local.is_said() => ShopCell::new(instant(local.as_str()), local_field),
            false => ShopCell::new("", field),
        };
        // Its number among all lines of the shop stays when another line is taken out of the order.
        let place = if item.id.is_said() { item.id.as_str().to_owned() } else { (at + 1).to_string() };
        ShopLine {
            left_out: self.left_out(item),
            cells: [
                first(&[(&self.number, "number"), (&self.id, "id")]),
                ShopCell::new(place, of_item("id")),
                day(&self.date_created_gmt, "date_created_gmt", &self.date_created, "date_created"),
                day(&self.date_completed_gmt, "date_completed_gmt", &self.date_completed, "date_completed"),
                ShopCell::new(billing.email.as_str(), "billing.email"),
                name(billing, shipping),
                first(&[(&billing.phone, "billing.phone"), (&shipping.phone, "shipping.phone")]),
                {
                    let country =
                        first(&[(&shipping.country, "shipping.country"), (&billing.country, "billing.country")]);
                    ShopCell::new(country.value.to_uppercase(), country.field)
                },
                ShopCell::new(firm(billing.company.as_str()), "billing.company"),
                ShopCell::new(item.sku.as_str(), of_item("sku")),
                ShopCell::new(item.name.as_str(), of_item("name")),
                ShopCell::new("", of_item("brand")),
                ShopCell::new(item.quantity.as_str(), of_item("quantity")),
                {
                    let (price, field) = self.price(item, house);
                    ShopCell::new(price, of_item(field))
                },
                ShopCell::new(self.currency.as_str().to_uppercase(), "currency"),
            ],
        }
    }

    /// What one piece came to, coupons off and tax on. Without all of the figures it is told as it stands.
    fn price(&self, item: &Item, house: Currency) -> (String, &'static str) {
        let code = self.currency.as_str().to_uppercase();
        let currency = if code.is_empty() { Ok(house) } else { code.parse() };
        let (total, field) = match item.total.is_said() {
            true => (item.total.as_str(), "total"),
            false => (item.price.as_str(), "price"),
        };
        let pieces = if field == "total" { item.quantity.as_str() } else { "1" };
        let tax = if field == "total" { item.total_tax.as_str() } else { "" };
        let paid = currency.ok().and_then(|currency| taxed(total, tax, pieces, currency));
        (paid.map_or_else(|| total.to_owned(), |paid| paid.decimal()), field)
    }

    fn left_out(&self, item: &Item) -> Option<LeftOut> {
        let refunds = self.refunds.iter().map(|refund| refund.total.as_str());
        let refunded = gave_all_back(refunds, self.total.as_str());
        let dates = [&self.date_paid, &self.date_paid_gmt, &self.date_completed, &self.date_completed_gmt];
        let status = self.status.as_str().to_lowercase();
        match status.strip_prefix("wc-").unwrap_or(&status) {
            "cancelled" | "failed" | "trash" => Some(LeftOut::Cancelled),
            "refunded" => Some(LeftOut::Refunded),
            "checkout-draft" | "auto-draft" | "draft" => Some(LeftOut::Draft),
            _ if refunded => Some(LeftOut::Refunded),
            _ if item.quantity.as_str() == "0" => Some(LeftOut::NoPieces),
            "" | "processing" | "completed" => None,
            _ if dates.iter().any(|date| date.is_said()) => None,
            _ => Some(LeftOut::Unpaid),
        }
    }
}

fn name(billing: &Address, shipping: &Address) -> ShopCell {
    let full = |address: &Address| {
        let parts = [address.first_name.as_str(), address.last_name.as_str()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let (of_billing, of_shipping) = (full(billing), full(shipping));
    if of_billing.is_empty() && !of_shipping.is_empty() {
        return ShopCell::new(of_shipping, "shipping.first_name");
    }
    ShopCell::new(of_billing, "billing.first_name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::domain::SHOP_COLUMNS;
    use serde_json::{Value, json};

    fn order() -> Value {
        json!({
            "id": 727, "number": "727", "status": "completed", "currency": "EUR", "total": "121.00",
            "date_created": "2026-11-03T00:30:00", "date_created_gmt": "2026-11-02T22:30:00",
            "date_paid": "2026-11-03T00:31:00", "date_completed_gmt": "2026-11-05T08:00:00",
            "billing": { "first_name": "Živilė", "last_name": "Kazlauskienė", "company": "", "country": "LT",
                "email": "zivile@example.com", "phone": "+370 600 00000" },
            "shipping": { "first_name": "", "last_name": "", "country": "" },
            "line_items": [
                { "id": 315, "name": "Kettle", "sku": "KET", "quantity": 2, "price": 50, "subtotal": "120.00",
                    "total": "100.00", "total_tax": "21.00" },
                { "id": 316, "name": "Cup", "sku": null, "quantity": 1, "total": "0.00", "total_tax": "0.00" }
            ],
            "refunds": []
        })
    }

    fn lines(order: Value) -> Vec<ShopLine> {
        serde_json::from_value::<WooOrder>(order).unwrap().lines(Currency::EUR).unwrap()
    }

    fn values(line: &ShopLine) -> Vec<&str> {
        line.cells.iter().map(|cell| cell.value.as_str()).collect()
    }

    fn field(line: &ShopLine, column: &str) -> (String, String) {
        let cell = &line.cells[SHOP_COLUMNS.iter().position(|name| *name == column).unwrap()];
        (cell.value.clone(), cell.field.clone().into_owned())
    }

    #[test]
    fn a_line_says_the_same_in_our_columns() {
        let lines = lines(order());
        assert_eq!(
            values(&lines[0]),
            [
                "727",
                "315",
                "2026-11-02T22:30:00Z",
                "2026-11-05T08:00:00Z",
                "zivile@example.com",
                "Živilė Kazlauskienė",
                "+370 600 00000",
                "LT",
                "",
                "KET",
                "Kettle",
                "",
                "2",
                "60.50",
                "EUR"
            ]
        );
        assert_eq!(field(&lines[1], "sku"), (String::new(), "line_items[1].sku".into()));
        assert_eq!(field(&lines[1], "order_line"), ("316".into(), "line_items[1].id".into()));
    }

    #[test]
    fn what_was_sold_is_told_by_its_state_money_and_delivery() {
        let unpaid = json!({ "date_paid": null, "date_completed_gmt": null });
        for (changes, expected) in [
            (json!({ "status": "processing" }), None),
            (json!({ "status": "wc-completed" }), None),
            (json!({ "status": "cancelled" }), Some(LeftOut::Cancelled)),
            (json!({ "status": "failed" }), Some(LeftOut::Cancelled)),
            (json!({ "status": "trash" }), Some(LeftOut::Cancelled)),
            (json!({ "status": "refunded" }), Some(LeftOut::Refunded)),
            (json!({ "status": "checkout-draft" }), Some(LeftOut::Draft)),
            (json!({ "refunds": [{ "id": 1, "total": "-121.00" }] }), Some(LeftOut::Refunded)),
            (json!({ "refunds": [{ "id": 1, "total": "-21.00" }] }), None),
            (json!({ "status": "pending" }), None),
            (json!({ "status": "pending", "date_paid": null, "date_completed_gmt": null }), Some(LeftOut::Unpaid)),
            (json!({ "status": "on-hold", "date_paid": null, "date_completed_gmt": null }), Some(LeftOut::Unpaid)),
            (json!({ "status": "shipped" }), None),
        ] {
            let mut order = order();
            for (key, value) in changes.as_object().unwrap() {
                order[key] = value.clone();
            }
            assert_eq!(lines(order)[0].left_out, expected, "{changes}");
        }
        let mut order = order();
        order["status"] = "completed".into();
        for (key, value) in unpaid.as_object().unwrap() {
            order[key] = value.clone();
        }
        order["line_items"][0]["quantity"] = 0.into();
        let lines = lines(order);
        assert_eq!([lines[0].left_out, lines[1].left_out], [Some(LeftOut::NoPieces), None]);
    }

    #[test]
    fn whatever_versions_and_plug_ins_make_of_it_is_read() {
        let odd = json!({
            "id": "9", "status": "processing", "date_created": "2026-11-03T00:30:00", "billing": [], "shipping": null,
            "line_items": [{ "name": ["?"], "quantity": "2", "price": 21.5, "sku": 77, "total": null }], "refunds": null,
        });
        let lines = lines(odd);
        let expected = ["9", "1", "2026-11-03", "", "", "", "", "", "", "77", "", "", "2", "21.50", ""];
        assert_eq!(values(&lines[0]), expected);
    }

    #[test]
    fn a_refusal_of_the_api_is_no_order() {
        let read = |value| serde_json::from_value::<WooOrder>(value).unwrap().lines(Currency::EUR).unwrap_err();
        let refused = json!({ "code": "woocommerce_rest_cannot_view", "message": "Sorry.", "data": { "status": 401 } });
        assert_eq!(read(refused), NoOrder::Message("Sorry.".into()));
        assert_eq!(read(json!({})), NoOrder::NoLines);
    }
}
