//! Applying products and plans, and finding the products of purchases.

use super::{
    apply::{Applied, Settings},
    bulk::{self, Value},
    staging::Ready,
};
use crate::{
    catalog::{
        domain::{Plan, ProductKind},
        server::store::{self, ProductRow as Stored},
    },
    db::Tx,
    error::AppError,
    import::domain::{ProductRow, PurchaseRow},
    server::fresh,
    values::ProductId,
};
use std::collections::{BTreeMap, HashMap};

const KNOWN: &str = "select id, key, sku, name, brand, category, kind, unit_price_minor, unit_price_currency, \
    warranty_months from product where key in";
const ADD: &str = "insert into product (id, key, sku, name, search, brand, category, kind, unit_price_minor, \
    unit_price_currency, warranty_months, created_at, updated_at)";
const CHANGE: &str = "on conflict (key) do update set name = excluded.name, search = excluded.search, \
    brand = excluded.brand, category = excluded.category, kind = excluded.kind, \
    unit_price_minor = excluded.unit_price_minor, unit_price_currency = excluded.unit_price_currency, \
    warranty_months = excluded.warranty_months, updated_at = excluded.updated_at";

fn cells(settings: &Settings, key: String, row: &ProductRow, sku: Option<&str>) -> Vec<Value> {
    let id: ProductId = fresh();
    let (brand, category) = (row.brand.as_deref(), row.category.as_deref());
    vec![
        id.0.into(),
        key.into(),
        sku.into(),
        row.name.as_str().into(),
        store::search_text(&[Some(&row.name), brand, category, sku]).into(),
        brand.into(),
        category.into(),
        row.kind.as_str().into(),
        row.unit_price.map(|price| price.minor).into(),
        row.unit_price.as_ref().map(|price| price.currency.code()).into(),
        row.warranty_months.map(i64::from).into(),
        settings.now.into(),
        settings.now.into(),
    ]
}

/// Adds products, and changes those that say something else now. Purchases keep what was frozen in them.
pub async fn products(tx: &mut Tx, settings: &Settings, ready: &[Ready]) -> Result<Applied, AppError> {
    let rows: Vec<ProductRow> = ready.iter().filter_map(|row| serde_json::from_str(&row.parsed).ok()).collect();
    let keys = rows.iter().map(|row| store::key(Some(&row.sku), "").into()).collect();
    let known: HashMap<String, Stored> =
        bulk::select::<Stored>(tx, KNOWN, keys).await?.into_iter().map(|row| (row.key.clone(), row)).collect();
    let mut applied = Applied::default();
    let mut write = Vec::new();
    for row in &rows {
        let key = store::key(Some(&row.sku), "");
        match known.get(&key) {
            Some(stored) if same(stored, row) => applied.unchanged += 1,
            Some(_) => {
                applied.changed += 1;
                write.push(cells(settings, key, row, Some(&row.sku)));
            }
            None => {
                applied.added += 1;
                write.push(cells(settings, key, row, Some(&row.sku)));
            }
        }
    }
    bulk::insert(tx, ADD, CHANGE, write).await?;
    Ok(applied)
}

fn same(stored: &Stored, row: &ProductRow) -> bool {
    stored.name == row.name
        && stored.brand == row.brand
        && stored.category == row.category
        && stored.kind() == row.kind
        && stored.unit_price() == row.unit_price
        && stored.warranty_months == row.warranty_months.map(i64::from)
}

/// Adds plans and changes them; a company has a handful.
pub async fn plans(tx: &mut Tx, settings: &Settings, ready: &[Ready]) -> Result<Applied, AppError> {
    let known = store::plans(tx).await?;
    let mut applied = Applied::default();
    for plan in ready.iter().filter_map(|row| serde_json::from_str::<Plan>(&row.parsed).ok()) {
        match known.get(&plan.code) {
            Some(stored) if *stored == plan => applied.unchanged += 1,
            Some(_) => applied.changed += 1,
            None => applied.added += 1,
        }
        store::save_plan(tx, &plan, settings.now).await?;
    }
    Ok(applied)
}

/// The products of some purchases by their keys; unknown ones are added from what the purchase says.
pub async fn products_of(
    tx: &mut Tx,
    settings: &Settings,
    rows: &[&PurchaseRow],
) -> Result<HashMap<String, Stored>, AppError> {
    let wanted: BTreeMap<String, &PurchaseRow> = rows.iter().map(|row| (product_key(row), *row)).collect();
    let mut known = find(tx, wanted.keys()).await?;
    let missing: Vec<(&String, &&PurchaseRow)> = wanted.iter().filter(|(key, _)| !known.contains_key(*key)).collect();
    if !missing.is_empty() {
        let new = missing.iter().map(|(key, row)| {
            let product = ProductRow {
                sku: row.sku.clone().unwrap_or_default(),
                name: product_name(row),
                brand: row.brand.clone(),
                category: row.category.clone(),
                kind: row.kind.unwrap_or(ProductKind::Goods),
                unit_price: row.unit_price,
                warranty_months: row.warranty_months,
            };
            cells(settings, (*key).clone(), &product, row.sku.as_deref())
        });
        bulk::insert(tx, ADD, "on conflict (key) do nothing", new.collect()).await?;
        known.extend(find(tx, missing.into_iter().map(|(key, _)| key)).await?);
    }
    Ok(known)
}

async fn find(tx: &mut Tx, keys: impl Iterator<Item = &String>) -> Result<HashMap<String, Stored>, AppError> {
    let rows = bulk::select::<Stored>(tx, KNOWN, keys.map(|key| key.as_str().into()).collect()).await?;
    Ok(rows.into_iter().map(|row| (row.key.clone(), row)).collect())
}

/// What kind of thing a row sells, as it would be when the row is applied.
pub async fn kind_of(tx: &mut Tx, row: &PurchaseRow) -> Result<ProductKind, AppError> {
    if let Some(kind) = row.kind {
        return Ok(kind);
    }
    let known = find(tx, std::iter::once(&product_key(row))).await?;
    Ok(known.values().next().map_or(ProductKind::Goods, Stored::kind))
}

/// What the product of a purchase is known by.
pub fn product_key(row: &PurchaseRow) -> String {
    store::key(row.sku.as_deref(), row.product_name.as_deref().unwrap_or_default())
}

fn product_name(row: &PurchaseRow) -> String {
    row.product_name.clone().or_else(|| row.sku.clone()).unwrap_or_default()
}
