//! Reading and writing products and plans.

use crate::{
    catalog::domain::{Plan, ProductKind},
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional,
    values::{Currency, Money, ProductId},
};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A product as it is stored.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct ProductRow {
    pub id: ProductId,
    pub key: String,
    pub sku: Option<String>,
    pub name: String,
    pub brand: Option<String>,
    pub category: Option<String>,
    pub kind: String,
    pub unit_price_minor: Option<i64>,
    pub unit_price_currency: Option<Currency>,
    pub warranty_months: Option<i64>,
}

impl ProductRow {
    pub fn kind(&self) -> ProductKind {
        self.kind.parse().unwrap_or(ProductKind::Goods)
    }

    pub fn unit_price(&self) -> Option<Money> {
        Some(Money::new(self.unit_price_minor?, self.unit_price_currency?))
    }
}

/// What a product is known by: its article number, or its name where it has none.
pub fn key(sku: Option<&str>, name: &str) -> String {
    match sku {
        Some(sku) => format!("sku:{sku}"),
        None => format!("name:{name}"),
    }
}

/// Everything that one may search a product by, in lower case.
pub fn search_text(parts: &[Option<&str>]) -> String {
    let words: Vec<&str> = parts.iter().flatten().copied().collect();
    words.join(" ").to_lowercase()
}

const BY_SKU: &str = "select id, key, sku, name, brand, category, kind, unit_price_minor, unit_price_currency, \
    warranty_months from product where key = $1";
const BY_ID: &str = "select id, key, sku, name, brand, category, kind, unit_price_minor, unit_price_currency, \
    warranty_months from product where id = $1";
const ALL: &str = "select id, key, sku, name, brand, category, kind, unit_price_minor, unit_price_currency, \
    warranty_months from product where name > $1 order by name, id limit $2";

/// The product with an article number.
pub async fn by_sku(tx: &mut Tx, sku: &str) -> Result<Option<ProductRow>, AppError> {
    Ok(fetch_optional!(tx, ProductRow, BY_SKU, key(Some(sku), ""))?)
}

/// A product.
pub async fn product(tx: &mut Tx, id: ProductId) -> Result<Option<ProductRow>, AppError> {
    Ok(fetch_optional!(tx, ProductRow, BY_ID, id)?)
}

/// Products by name, after a name.
pub async fn products(tx: &mut Tx, after: &str, most: i64) -> Result<Vec<ProductRow>, AppError> {
    Ok(fetch_all!(tx, ProductRow, ALL, after, most)?)
}

type PlanCells = (String, String, i64, i64, i64, i64, Option<String>);

const PLANS: &str = "select code, name, period_months, training_seats, maintenance_visits, repairs, applies_to_kind \
    from plan order by code";

/// Every plan by its code. A company has a handful.
pub async fn plans(tx: &mut Tx) -> Result<HashMap<String, Plan>, AppError> {
    let rows = fetch_all!(tx, PlanCells, PLANS)?;
    let count = |number: i64| u32::try_from(number).unwrap_or(0);
    let plan = |(code, name, months, seats, visits, repairs, kind): PlanCells| {
        let plan = Plan {
            code: code.clone(),
            name,
            period_months: count(months),
            training_seats: count(seats),
            maintenance_visits: count(visits),
            repairs: count(repairs),
            applies_to: kind.and_then(|kind| kind.parse().ok()),
        };
        (code, plan)
    };
    Ok(rows.into_iter().map(plan).collect())
}

const SAVE_PLAN: &str = "insert into plan (code, name, period_months, training_seats, maintenance_visits, repairs, \
    applies_to_kind, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8) \
    on conflict (code) do update set name = excluded.name, period_months = excluded.period_months, \
    training_seats = excluded.training_seats, maintenance_visits = excluded.maintenance_visits, \
    repairs = excluded.repairs, applies_to_kind = excluded.applies_to_kind, updated_at = excluded.updated_at";

/// Adds a plan or changes it; what was granted by it before stays as it was.
pub async fn save_plan(tx: &mut Tx, plan: &Plan, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(
        tx,
        SAVE_PLAN,
        &plan.code,
        &plan.name,
        i64::from(plan.period_months),
        i64::from(plan.training_seats),
        i64::from(plan.maintenance_visits),
        i64::from(plan.repairs),
        plan.applies_to.map(ProductKind::as_str),
        now
    )?;
    Ok(())
}
