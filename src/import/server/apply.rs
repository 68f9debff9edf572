//! Applying purchases: new rows in bulk, changed ones with care.

use super::{
    bulk::{self, Value},
    catalog,
    changes::{self, Frozen, Own},
    people::{self, Buyer},
    staging::Ready,
};
use crate::{
    access::Permit,
    benefits::domain::Allowance,
    catalog::{
        domain::{Plan, ProductKind},
        server::store::{self as products, ProductRow as Product},
    },
    coverage::domain::{CoverageKind, Layer, Sale, rights},
    db::Tx,
    error::AppError,
    fetch_all,
    import::domain::{Fault, PurchaseRow, RowFault, serial_key},
    jobs::{self, Job},
    ratings::server::jobs::time_to_ask,
    server::{Cx, fresh},
    values::{
        BenefitEntryId, BenefitId, CountryCode, CoverageId, DateRange, ItemId, Money, OrganisationId, PersonId,
        ProductId, PurchaseId,
    },
};
use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

/// What was delivered up to this many days ago may still be asked about, if the operator wants it.
const STILL_FRESH_DAYS: u64 = 30;

/// What came of a batch.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
    /// What takes something away and was applied before all others.
    pub earlier: u64,
    /// What turned out to conflict only when it was applied.
    pub conflicts: Vec<(i64, RowFault)>,
}

/// What every row needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    pub now: DateTime<Utc>,
    pub today: NaiveDate,
    pub zone: Tz,
    pub plans: HashMap<String, Plan>,
    /// Months that the company grants in a country instead of a shorter legal guarantee.
    pub longer_guarantees: HashMap<String, u32>,
    pub notify: bool,
}

impl Settings {
    /// Reads what the rows of a run need to know.
    pub async fn read(cx: &Cx, notify: bool) -> Result<Self, AppError> {
        let mut tx = cx.db().read().await?;
        Ok(Self {
            now: cx.now,
            today: cx.today(),
            zone: cx.company_zone(),
            plans: products::plans(&mut tx).await?,
            longer_guarantees: crate::coverage::server::store::longer_guarantees(&mut tx).await?,
            notify,
        })
    }

    /// The plan that a row sells with an article of this kind: none where the plan is not for such.
    pub fn plan(&self, row: &PurchaseRow, kind: ProductKind) -> Option<&Plan> {
        row.plan.as_ref().and_then(|code| self.plans.get(code)).filter(|plan| plan.is_for(kind))
    }

    pub fn longer_guarantee(&self, country: Option<CountryCode>) -> Option<u32> {
        self.longer_guarantees.get(country?.code()).copied()
    }
}

/// A purchase with everything filled in that its row left open.
#[derive(Clone, Debug)]
pub struct Whole<'r> {
    pub row: &'r PurchaseRow,
    pub place: i64,
    pub digest: &'r str,
    pub person: PersonId,
    pub organisation: Option<OrganisationId>,
    /// Whose law counts.
    pub country: Option<CountryCode>,
    pub product: ProductId,
    pub product_name: String,
    pub brand: Option<String>,
    pub category: Option<String>,
    pub kind: ProductKind,
    pub unit_price: Option<Money>,
    pub warranty_months: Option<u32>,
    /// The plan that was sold with it.
    pub plan: Option<Cow<'r, Plan>>,
    /// Months that the company grants instead of a shorter legal guarantee.
    pub longer_guarantee: Option<u32>,
    pub search: String,
    /// How it came in: `import`, `registration` or `demo`.
    pub source: &'static str,
}

impl Whole<'_> {
    pub fn sale(&self) -> Sale<'_> {
        Sale {
            kind: self.kind,
            purchased_on: self.row.purchased_on,
            delivered_on: self.row.delivered_on,
            consumer: !self.row.is_for_an_organisation(),
            country: self.country,
            warranty_months: self.warranty_months,
            plan: self.plan(),
            longer_guarantee: self.longer_guarantee,
        }
    }

    /// The plan that was sold with it.
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_deref()
    }
}

/// Applies a batch of good rows.
pub async fn purchases(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    settings: &Settings,
    ready: &[Ready],
) -> Result<Applied, AppError> {
    let parsed: Vec<(&Ready, PurchaseRow)> =
        ready.iter().filter_map(|row| Some((row, serde_json::from_str(&row.parsed).ok()?))).collect();
    let known = known(tx, &parsed).await?;
    let mut applied = Applied::default();
    let mut open = Vec::with_capacity(parsed.len());
    for (row, purchase) in &parsed {
        match known.get(&(purchase.order_number.as_str(), row.place.unwrap_or(1))) {
            Some((_, digest)) if *digest == row.digest && row.takes => applied.earlier += 1,
            Some((_, digest)) if *digest == row.digest => applied.unchanged += 1,
            Some((id, _)) => open.push((row, purchase, Some(*id))),
            None => open.push((row, purchase, None)),
        }
    }
    let rows: Vec<&PurchaseRow> = open.iter().map(|(_, purchase, _)| *purchase).collect();
    let people = people::people(tx, (cx, permit), settings, &rows).await?;
    let firms = people::firms(tx, settings, &rows).await?;
    let products = catalog::products_of(tx, settings, &rows).await?;
    let mut new = Vec::new();
    let mut members = BTreeSet::new();
    for (row, purchase, existing) in open {
        let organisation = match firms.of(tx, purchase, existing.map(|_| row.place.unwrap_or(1))).await? {
            Ok(organisation) => organisation,
            Err(fault) => {
                applied.conflicts.push((row.line, fault));
                continue;
            }
        };
        let (Some(buyer), Some(product)) =
            (people.get(&purchase.customer_email), products.get(&catalog::product_key(purchase)))
        else {
            return Err(crate::server::internal("an imported person or product vanished", &row.line));
        };
        members.extend(organisation.map(|firm| (firm, buyer.id)));
        let frozen = match existing {
            Some(id) => changes::frozen(tx, id).await?,
            None => None,
        };
        let whole = whole(settings, row, purchase, *buyer, organisation, product, frozen.as_ref());
        match existing {
            None => {
                applied.added += 1;
                new.push((fresh(), whole));
            }
            Some(id) => {
                if row.takes {
                    changes::hold(tx, row).await?;
                }
                match changes::apply(tx, (cx, permit), settings, id, &whole).await? {
                    Ok(()) => applied.changed += 1,
                    Err(conflict) => {
                        let fault = RowFault::new("order_line", whole.place.to_string(), Fault::Conflict(conflict));
                        applied.conflicts.push((row.line, fault));
                    }
                }
            }
        }
    }
    people::members(tx, settings, members).await?;
    add_as(tx, settings, &new).await?;
    Ok(applied)
}

const KNOWN: &str = "select order_number, order_line, id, digest from purchase where order_number in";

type Known<'r> = HashMap<(&'r str, i64), (PurchaseId, String)>;

async fn known<'r>(tx: &mut Tx, rows: &'r [(&Ready, PurchaseRow)]) -> Result<Known<'r>, AppError> {
    let orders: BTreeSet<&str> = rows.iter().map(|(_, row)| row.order_number.as_str()).collect();
    let keys = orders.iter().map(|order| (*order).into()).collect();
    let found = bulk::select::<(String, i64, PurchaseId, String)>(tx, KNOWN, keys).await?;
    let find = |(order, line, id, digest): (String, i64, PurchaseId, String)| {
        orders.get(order.as_str()).map(|order| ((*order, line), (id, digest)))
    };
    Ok(found.into_iter().filter_map(find).collect())
}

/// What a row leaves open is as its product and its buyer say, or, where the purchase is there already, as it was when it came in.
fn whole<'r>(
    settings: &'r Settings,
    ready: &'r Ready,
    row: &'r PurchaseRow,
    buyer: Buyer,
    organisation: Option<OrganisationId>,
    product: &Product,
    frozen: Option<&Frozen>,
) -> Whole<'r> {
    let Own { name, brand, category, kind, unit_price, warranty_months } = match frozen {
        Some(frozen) if frozen.product_id == product.id => frozen.own(),
        _ => Own::of(product),
    };
    let product_name = row.product_name.clone().unwrap_or(name);
    let brand = row.brand.clone().or(brand);
    let category = row.category.clone().or(category);
    let kind = row.kind.unwrap_or(kind);
    let plan = settings.plan(row, kind).map(|plan| match frozen {
        Some(frozen) => frozen.sold_with(plan),
        None => Cow::Borrowed(plan),
    });
    let country = row
        .customer_country
        .or_else(|| frozen.and_then(|frozen| frozen.country_of(&row.customer_email)))
        .or(buyer.country);
    let longer_guarantee = match frozen {
        Some(frozen) if frozen.granted_by_law(country) => frozen.longer_guarantee(),
        _ => settings.longer_guarantee(country),
    };
    let serials = row.serial_numbers.join(" ");
    let words = [
        Some(product_name.as_str()),
        brand.as_deref(),
        category.as_deref(),
        row.sku.as_deref(),
        Some(row.order_number.as_str()),
        Some(serials.as_str()),
    ];
    Whole {
        search: products::search_text(&words),
        source: "import",
        row,
        place: ready.place.unwrap_or(1),
        digest: &ready.digest,
        person: buyer.id,
        organisation,
        country,
        product: product.id,
        product_name,
        brand,
        category,
        kind,
        unit_price: row.unit_price.or(unit_price),
        warranty_months: row.warranty_months.or(warranty_months),
        plan,
        longer_guarantee,
    }
}

const ADD_PURCHASE: &str = "insert into purchase (id, order_number, order_line, person_id, buyer_email, \
    organisation_id, product_id, product_name, brand, category, kind, purchased_on, delivered_on, country, quantity, \
    unit_price_minor, unit_price_currency, warranty_months, plan_code, search, digest, source, created_at, updated_at)";
const ADD_ITEM: &str = "insert into item (id, purchase_id, position, product_id, serial_number, serial_key, owner_id, \
    organisation_id, created_at)";
const ADD_COVERAGE: &str = "insert into coverage (id, item_id, kind, starts_on, ends_on, months, rule_id, \
    rule_version, plan_code, plan_name, created_at)";
const ADD_BENEFIT: &str = "insert into benefit (id, item_id, person_id, organisation_id, allowance, plan_code, \
    plan_name, starts_on, ends_on, granted, available, reserved, used, expired, created_at)";
const ADD_ENTRY: &str = "insert into benefit_entry (id, benefit_id, at, kind, units)";

/// Adds new purchases with their items, rights and benefits.
async fn add_as(tx: &mut Tx, settings: &Settings, new: &[(PurchaseId, Whole<'_>)]) -> Result<(), AppError> {
    let mut cells = Cells::default();
    for (id, whole) in new {
        let id = *id;
        cells.purchase(settings, id, whole);
        for position in 1..=whole.row.quantity {
            let serial = usize::try_from(position - 1).ok().and_then(|at| whole.row.serial_numbers.get(at));
            cells.item(settings, id, position, serial.map(String::as_str), whole);
        }
        if let Some(delivered) = whole.row.delivered_on {
            ask(tx, settings, id, whole.person, delivered, None).await?;
        }
    }
    cells.insert(tx).await
}

/// Asks how it was, some days after a delivery that is still to come, or that came after the portal knew of a purchase
/// that was on its way then (`known_since`); about earlier ones only where the operator wants.
pub async fn ask(
    tx: &mut Tx,
    settings: &Settings,
    purchase: PurchaseId,
    person: PersonId,
    delivered: NaiveDate,
    known_since: Option<NaiveDate>,
) -> Result<(), AppError> {
    let fresh = settings.today.checked_sub_days(Days::new(STILL_FRESH_DAYS)).is_some_and(|day| delivered >= day);
    let awaited = known_since.is_some_and(|since| delivered >= since);
    if delivered > settings.today || (fresh && (awaited || settings.notify)) {
        let job = Job::AskFeedback { moment: "delivery".into(), subject: purchase.0, person };
        jobs::enqueue(tx, job, time_to_ask(delivered, settings.zone).max(settings.now)).await?;
    }
    Ok(())
}

/// A purchase that came in one by one, and its pieces.
#[derive(Clone, Debug)]
pub struct Sold {
    pub purchase: PurchaseId,
    pub items: Vec<ItemId>,
}

const PIECES: &str = "select id from item where purchase_id = $1 order by position";

/// Writes down one sale, as an import of one row would.
pub async fn sold(
    tx: &mut Tx,
    (cx, permit): (&Cx, &Permit),
    row: &PurchaseRow,
    source: &'static str,
) -> Result<Sold, AppError> {
    let settings = Settings {
        now: cx.now,
        today: cx.today(),
        zone: cx.company_zone(),
        plans: products::plans(tx).await?,
        longer_guarantees: crate::coverage::server::store::longer_guarantees(tx).await?,
        notify: false,
    };
    let rows = [row];
    let buyer = people::people(tx, (cx, permit), &settings, &rows).await?.remove(&row.customer_email);
    let firms = people::firms(tx, &settings, &rows).await?;
    let product = catalog::products_of(tx, &settings, &rows).await?.remove(&catalog::product_key(row));
    let (Some(buyer), Some(product)) = (buyer, product) else {
        return Err(crate::server::internal("a sold product vanished", &row.order_number));
    };
    let organisation = firms.of(tx, row, None).await?.unwrap_or_default();
    people::members(tx, &settings, organisation.map(|firm| (firm, buyer.id)).into_iter().collect()).await?;
    let place = row.order_line.unwrap_or(1);
    let ready = Ready { line: 0, place: Some(place), digest: String::new(), parsed: String::new(), takes: false };
    let purchase: PurchaseId = fresh();
    let whole = Whole { source, ..whole(&settings, &ready, row, buyer, organisation, &product, None) };
    add_as(tx, &settings, &[(purchase, whole)]).await?;
    let items = fetch_all!(tx, (ItemId,), PIECES, purchase)?.into_iter().map(|(id,)| id).collect();
    Ok(Sold { purchase, items })
}

/// Rows on their way into the tables.
#[derive(Default)]
pub struct Cells {
    purchases: Vec<Vec<Value>>,
    items: Vec<Vec<Value>>,
    coverages: Vec<Vec<Value>>,
    benefits: Vec<Vec<Value>>,
    entries: Vec<Vec<Value>>,
}

impl Cells {
    fn purchase(&mut self, settings: &Settings, id: PurchaseId, whole: &Whole) {
        let row = whole.row;
        self.purchases.push(vec![
            id.0.into(),
            row.order_number.as_str().into(),
            whole.place.into(),
            whole.person.0.into(),
            row.customer_email.as_str().into(),
            whole.organisation.map(|firm| firm.0).into(),
            whole.product.0.into(),
            whole.product_name.as_str().into(),
            whole.brand.as_deref().into(),
            whole.category.as_deref().into(),
            whole.kind.as_str().into(),
            row.purchased_on.into(),
            row.delivered_on.into(),
            whole.country.as_ref().map(CountryCode::code).into(),
            row.quantity.into(),
            whole.unit_price.map(|price| price.minor).into(),
            whole.unit_price.as_ref().map(|price| price.currency.code()).into(),
            whole.warranty_months.map(i64::from).into(),
            whole.plan().map(|plan| plan.code.as_str()).into(),
            whole.search.as_str().into(),
            whole.digest.into(),
            whole.source.into(),
            settings.now.into(),
            settings.now.into(),
        ]);
    }

    /// One piece, and everything that it carries.
    pub fn item(
        &mut self,
        settings: &Settings,
        purchase: PurchaseId,
        position: i64,
        serial: Option<&str>,
        whole: &Whole,
    ) {
        let id: ItemId = fresh();
        self.items.push(vec![
            id.0.into(),
            purchase.0.into(),
            position.into(),
            whole.product.0.into(),
            serial.into(),
            serial.map(serial_key).into(),
            whole.person.0.into(),
            whole.organisation.map(|firm| firm.0).into(),
            settings.now.into(),
        ]);
        let plan = whole.plan();
        for layer in rights(&whole.sale()) {
            self.coverage(settings, id, &layer, plan);
        }
        if let Some(plan) = plan {
            let period = DateRange::months_from(whole.sale().counts_from(), plan.period_months);
            for (allowance, count) in plan.grants() {
                self.benefit(settings, id, whole.person, whole.organisation, allowance, plan, period, count);
            }
        }
    }

    /// One right.
    pub fn coverage(&mut self, settings: &Settings, item: ItemId, layer: &Layer, plan: Option<&Plan>) {
        let id: CoverageId = fresh();
        let plan = plan.filter(|_| layer.kind == CoverageKind::ServicePlan);
        self.coverages.push(vec![
            id.0.into(),
            item.0.into(),
            layer.kind.as_str().into(),
            layer.period.from.into(),
            layer.period.until.into(),
            layer.months.map(i64::from).into(),
            layer.rule.as_ref().map(|rule| rule.id.as_str()).into(),
            layer.rule.as_ref().map(|rule| i64::from(rule.version)).into(),
            plan.map(|plan| plan.code.as_str()).into(),
            plan.map(|plan| plan.name.as_str()).into(),
            settings.now.into(),
        ]);
    }

    /// One counted right, and the entry that granted it. What was over before it came is granted all the same, and
    /// expires at once, so that the ledger tells it.
    #[allow(clippy::too_many_arguments, reason = "one row of a table")]
    pub fn benefit(
        &mut self,
        settings: &Settings,
        item: ItemId,
        person: PersonId,
        organisation: Option<OrganisationId>,
        allowance: Allowance,
        plan: &Plan,
        period: DateRange,
        count: i64,
    ) {
        let id: BenefitId = fresh();
        let over = period.until <= settings.today;
        let (available, expired) = if over { (0, count) } else { (count, 0) };
        self.benefits.push(vec![
            id.0.into(),
            item.0.into(),
            person.0.into(),
            organisation.map(|firm| firm.0).into(),
            allowance.as_str().into(),
            plan.code.as_str().into(),
            plan.name.as_str().into(),
            period.from.into(),
            period.until.into(),
            count.into(),
            available.into(),
            0_i64.into(),
            0_i64.into(),
            expired.into(),
            settings.now.into(),
        ]);
        let mut entry = |kind: &'static str| {
            let entry: BenefitEntryId = fresh();
            let cells: Vec<Value> = vec![entry.0.into(), id.0.into(), settings.now.into(), kind.into(), count.into()];
            self.entries.push(cells);
        };
        entry("grant");
        if over {
            entry("expire");
        }
    }

    pub async fn insert(self, tx: &mut Tx) -> Result<(), AppError> {
        bulk::insert(tx, ADD_PURCHASE, "", self.purchases).await?;
        bulk::insert(tx, ADD_ITEM, "", self.items).await?;
        bulk::insert(tx, ADD_COVERAGE, "", self.coverages).await?;
        bulk::insert(tx, ADD_BENEFIT, "", self.benefits).await?;
        bulk::insert(tx, ADD_ENTRY, "", self.entries).await
    }
}
