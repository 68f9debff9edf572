//! A purchase that is there already and says something else now.
//!
//! Pieces keep their identity as far as their serial numbers and places tell. What somebody relies on (a repair, a
//! registration, a used benefit) is never deleted or given to another: that is a conflict.

use super::{
    apply::{self, Cells, Settings, Whole},
    catalog,
    staging::Ready,
};
use crate::{
    access::Permit,
    catalog::{
        domain::{Plan, ProductKind},
        server::store::ProductRow as Product,
    },
    coverage::{
        domain::{CoverageKind, Layer, rights},
        rules::{PROLONGATION_MONTHS, months_beyond},
    },
    db::{Key, Tx},
    error::AppError,
    execute, fetch_all, fetch_optional,
    import::domain::{Conflict, Fault, PurchaseRow, RowFault, serial_key},
    purchases::server::{hand_over, register},
    server::{
        Cx, fresh,
        history::{self, Change},
    },
    values::{
        BenefitEntryId, BenefitId, CountryCode, Currency, DateRange, EmailAddress, ItemId, Money, OrganisationId,
        PersonId, ProductId, PurchaseId, add_months,
    },
};
use chrono::{DateTime, NaiveDate, Utc};
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

/// A purchase as it is stored, as far as a change compares it.
#[derive(Debug, sqlx::FromRow)]
struct Stored {
    id: PurchaseId,
    person_id: PersonId,
    buyer_email: String,
    organisation_id: Option<OrganisationId>,
    organisation_name: Option<String>,
    organisation_number: Option<String>,
    plan_code: Option<String>,
    product_key: String,
    product_name: String,
    kind: String,
    quantity: i64,
    unit_price_minor: Option<i64>,
    unit_price_currency: Option<Currency>,
    purchased_on: NaiveDate,
    delivered_on: Option<NaiveDate>,
    warranty_months: Option<i64>,
    created_at: DateTime<Utc>,
}

impl Stored {
    fn kind(&self) -> ProductKind {
        self.kind.parse().unwrap_or(ProductKind::Goods)
    }
}

/// Who has a piece, and for which firm.
type Owner = (PersonId, Option<OrganisationId>);

/// One piece, and what binds it.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Piece {
    id: ItemId,
    position: i64,
    serial_number: Option<String>,
    serial_key: Option<String>,
    owner_id: PersonId,
    organisation_id: Option<OrganisationId>,
    handed_on: bool,
    registered: bool,
    repaired: bool,
    used: bool,
    /// Something was once reserved of a benefit of it, though all of it was given back.
    told_of: bool,
    /// Something is booked by a benefit of another plan than the row leaves it.
    booked_otherwise: bool,
}

impl Piece {
    /// What keeps it from being deleted or given to another. What its ledger tells of is one's own, and what was booked
    /// by it still names it.
    fn held(&self) -> Option<Conflict> {
        self.bound().or(self.told_of.then_some(Conflict::UsedBenefit))
    }

    fn bound(&self) -> Option<Conflict> {
        let reasons = [
            (self.repaired, Conflict::Repair),
            (self.registered, Conflict::Registration),
            (self.handed_on, Conflict::Transfer),
            (self.used, Conflict::UsedBenefit),
        ];
        reasons.into_iter().find(|(holds, _)| *holds).map(|(_, conflict)| conflict)
    }
}

const STORED: &str = "select p.id, p.person_id, p.buyer_email, p.organisation_id, o.name as organisation_name, \
    o.external_id as organisation_number, p.plan_code, d.key as product_key, p.product_name, p.kind, p.quantity, \
    p.unit_price_minor, p.unit_price_currency, p.purchased_on, p.delivered_on, p.warranty_months, p.created_at \
    from purchase p join product d on d.id = p.product_id \
    left join organisation o on o.id = p.organisation_id where p.order_number = $1 and p.order_line = $2";
// A registration by order names no piece: it is of each that came over by it, and stays with whoever proved the address.
const PIECES: &str = "select i.id, i.position, i.serial_number, i.serial_key, i.owner_id, i.organisation_id, \
    i.transferred_at is not null as handed_on, \
    (exists (select 1 from registration r where r.item_id = i.id \
        or (r.serial_key = i.serial_key and r.state in ('open', 'disputed'))) \
    or exists (select 1 from registration r where r.person_id = i.owner_id and r.way = 'order' and r.state = 'proven' \
        and r.email = p.buyer_email and ltrim(r.order_number, '#') = ltrim(p.order_number, '#'))) as registered, \
    exists (select 1 from repair r where r.item_id = i.id) as repaired, \
    exists (select 1 from benefit b where b.item_id = i.id \
        and (b.reserved + b.used > 0 or b.granted_at is not null or b.extended_at is not null)) as used, \
    exists (select 1 from benefit b join benefit_entry e on e.benefit_id = b.id \
        where b.item_id = i.id and e.entity is not null) as told_of, \
    exists (select 1 from benefit b where b.item_id = i.id and b.granted_at is null and b.extended_at is null \
        and b.plan_code <> $2 and b.reserved > 0) as booked_otherwise \
    from item i join purchase p on p.id = i.purchase_id where i.purchase_id = $1 order by i.position";

/// What a changed row would do to the pieces that are there.
struct Plans {
    /// Pieces that stay, each with the serial number that it gets.
    kept: Vec<(Piece, Option<String>)>,
    removed: Vec<Piece>,
    /// Serial numbers for pieces that come new, in their order.
    added: Vec<Option<String>>,
}

/// Matches pieces with serial numbers: equal numbers first, then by place.
fn plans(pieces: Vec<Piece>, row: &PurchaseRow) -> Plans {
    let mut open: Vec<Option<String>> = row.serial_numbers.iter().cloned().map(Some).collect();
    open.resize(usize::try_from(row.quantity).unwrap_or(1).max(open.len()), None);
    let mut kept = Vec::new();
    let mut unmatched = Vec::new();
    for piece in pieces {
        let key = piece.serial_key.as_deref();
        let equal = |serial: &Option<String>| key.is_some() && serial.as_deref().map(serial_key).as_deref() == key;
        match open.iter().position(equal) {
            Some(at) => kept.push((piece, open.remove(at))),
            None => unmatched.push(piece),
        }
    }
    // Whoever relies on a piece keeps it before others do.
    unmatched.sort_by_key(|piece| (piece.bound().is_none(), piece.held().is_none(), piece.position));
    let mut removed = Vec::new();
    for piece in unmatched {
        // A piece with a number that is not in the row any more gets a new one; a piece without stays without first.
        let wish = open.iter().position(|serial| serial.is_none() == piece.serial_number.is_none());
        match wish.or(if open.is_empty() { None } else { Some(0) }) {
            Some(at) => kept.push((piece, open.remove(at))),
            None => removed.push(piece),
        }
    }
    Plans { kept, removed, added: open }
}

/// What a change must not do. `plan` is what the row leaves the pieces: none where the plan that it names does not fit the
/// article.
fn refused(stored: &Stored, row: &PurchaseRow, plan: Option<&str>, plans: &Plans) -> Option<Conflict> {
    let another = stored.buyer_email != row.customer_email.as_str() || another_firm(stored, row);
    let taken = plans.removed.iter().find_map(Piece::held);
    let given = || plans.kept.iter().filter(|_| another).find_map(|(piece, _)| piece.held());
    let renamed = || {
        let changes = |(piece, serial): &&(Piece, Option<String>)| {
            piece.serial_key.is_some() && piece.serial_key != serial.as_deref().map(serial_key)
        };
        plans.kept.iter().filter(changes).find_map(|(piece, _)| piece.bound())
    };
    let other_plan = stored.plan_code.is_some() && stored.plan_code.as_deref() != plan;
    let ends_used = |(piece, _): &(Piece, _)| (other_plan && piece.used) || piece.booked_otherwise;
    let used = || plans.kept.iter().any(ends_used).then_some(Conflict::UsedBenefit);
    taken.or_else(given).or_else(renamed).or_else(used)
}

fn another_firm(stored: &Stored, row: &PurchaseRow) -> bool {
    match (&row.organisation_id, &row.organisation) {
        (Some(number), _) => stored.organisation_number.as_ref() != Some(number),
        (None, Some(name)) => stored.organisation_name.as_ref() != Some(name),
        (None, None) => stored.organisation_id.is_some(),
    }
}

/// What a purchase has of its own where its row leaves it open.
pub struct Own {
    pub name: String,
    pub brand: Option<String>,
    pub category: Option<String>,
    pub kind: ProductKind,
    pub unit_price: Option<Money>,
    pub warranty_months: Option<u32>,
}

impl Own {
    /// As its product says today.
    pub fn of(product: &Product) -> Self {
        Self {
            name: product.name.clone(),
            brand: product.brand.clone(),
            category: product.category.clone(),
            kind: product.kind(),
            unit_price: product.unit_price(),
            warranty_months: months(product.warranty_months),
        }
    }
}

fn months(stored: Option<i64>) -> Option<u32> {
    stored.and_then(|months| u32::try_from(months).ok())
}

/// What was frozen in a purchase when it came in: its product, its plan and the company's rules may say something else
/// by now.
#[derive(Debug, sqlx::FromRow)]
pub struct Frozen {
    pub product_id: ProductId,
    buyer_email: String,
    product_name: String,
    brand: Option<String>,
    category: Option<String>,
    kind: String,
    unit_price_minor: Option<i64>,
    unit_price_currency: Option<Currency>,
    warranty_months: Option<i64>,
    country: Option<CountryCode>,
    plan_code: Option<String>,
    plan_name: Option<String>,
    plan_months: Option<i64>,
    legal_months: Option<i64>,
    rule_id: Option<String>,
    rule_version: Option<i64>,
}

impl Frozen {
    /// What its row left open then.
    pub fn own(&self) -> Own {
        Own {
            name: self.product_name.clone(),
            brand: self.brand.clone(),
            category: self.category.clone(),
            kind: self.kind.parse().unwrap_or(ProductKind::Goods),
            unit_price: self
                .unit_price_minor
                .zip(self.unit_price_currency)
                .map(|(minor, code)| Money::new(minor, code)),
            warranty_months: months(self.warranty_months),
        }
    }

    /// The plan, with the name and the period that it was sold with.
    pub fn sold_with<'p>(&self, plan: &'p Plan) -> Cow<'p, Plan> {
        if self.plan_code.as_ref() != Some(&plan.code) {
            return Cow::Borrowed(plan);
        }
        let name = self.plan_name.clone().unwrap_or_else(|| plan.name.clone());
        Cow::Owned(Plan { name, period_months: months(self.plan_months).unwrap_or(plan.period_months), ..plan.clone() })
    }

    /// The country that it was sold to, as long as its buyer is the same.
    pub fn country_of(&self, buyer: &EmailAddress) -> Option<CountryCode> {
        self.country.filter(|_| self.buyer_email == buyer.as_str())
    }

    /// Whether a legal guarantee of this country came with it.
    pub fn granted_by_law(&self, country: Option<CountryCode>) -> bool {
        self.legal_months.is_some() && self.country == country
    }

    /// The months of its legal guarantee, where the company granted more than the law.
    pub fn longer_guarantee(&self) -> Option<u32> {
        let version = self.rule_version.and_then(|version| u32::try_from(version).ok())?;
        months_beyond(self.rule_id.as_deref()?, version, months(self.legal_months)?)
    }
}

// The first piece has carried the rights from the start; those that were added to the purchase later carry the same.
const FROZEN: &str = "select p.product_id, p.buyer_email, p.product_name, p.brand, p.category, p.kind, p.unit_price_minor, \
    p.unit_price_currency, p.warranty_months, p.country, s.plan_code, s.plan_name, s.months as plan_months, \
    l.months as legal_months, l.rule_id, l.rule_version from purchase p \
    left join item i on i.purchase_id = p.id \
        and i.position = (select min(o.position) from item o where o.purchase_id = p.id) \
    left join coverage s on s.item_id = i.id and s.kind = 'service_plan' \
    left join coverage l on l.item_id = i.id and l.kind = 'legal_guarantee' where p.id = $1";

/// What was frozen in a purchase.
pub async fn frozen(tx: &mut Tx, id: PurchaseId) -> Result<Option<Frozen>, AppError> {
    Ok(fetch_optional!(tx, Frozen, FROZEN, id)?)
}

/// What a staged row would do to the purchase that is there.
pub enum Effect {
    /// It takes nothing away, whatever somebody comes to rely on meanwhile.
    Harmless,
    /// It takes something away that nobody relies on, as yet.
    Takes,
    Conflict(RowFault),
}

/// Judges a staged row by what is there now.
pub async fn effect(tx: &mut Tx, settings: &Settings, ready: &Ready) -> Result<Effect, AppError> {
    let Ok(row) = serde_json::from_str::<PurchaseRow>(&ready.parsed) else { return Ok(Effect::Harmless) };
    let place = ready.place.unwrap_or(1);
    let Some(stored) = fetch_optional!(tx, Stored, STORED, &row.order_number, place)? else {
        return Ok(Effect::Harmless);
    };
    // As it would be when the row is applied.
    let kind = match row.kind {
        None if stored.product_key == catalog::product_key(&row) => stored.kind(),
        _ => catalog::kind_of(tx, &row).await?,
    };
    let plan = settings.plan(&row, kind).map(|plan| plan.code.as_str());
    let pieces = fetch_all!(tx, Piece, PIECES, stored.id, plan.unwrap_or_default())?;
    if let Some(conflict) = refused(&stored, &row, plan, &plans(pieces.clone(), &row)) {
        return Ok(Effect::Conflict(RowFault::new("order_line", place.to_string(), Fault::Conflict(conflict))));
    }
    Ok(if takes(&stored, &row, plan, pieces) { Effect::Takes } else { Effect::Harmless })
}

/// Whether the row would be refused if somebody relied on every piece.
fn takes(stored: &Stored, row: &PurchaseRow, plan: Option<&str>, pieces: Vec<Piece>) -> bool {
    let relied_on = |piece: Piece| Piece { repaired: true, used: true, ..piece };
    refused(stored, row, plan, &plans(pieces.into_iter().map(relied_on).collect(), row)).is_some()
}

const HELD: &str = "select i.id, i.serial_key from item i join purchase p on p.id = i.purchase_id \
    where p.order_number = $1 and p.order_line = $2";
// Changes nothing: whoever books with a benefit in this moment waits, or is seen.
const HOLD_BENEFITS: &str = "update benefit set granted = granted where item_id in (select i.id from item i \
    join purchase p on p.id = i.purchase_id where p.order_number = $1 and p.order_line = $2)";

/// Holds the pieces of a purchase until the transaction ends: nobody comes to rely on one between the look at it and the
/// change.
pub async fn hold(tx: &mut Tx, ready: &Ready) -> Result<(), AppError> {
    let Ok(row) = serde_json::from_str::<PurchaseRow>(&ready.parsed) else { return Ok(()) };
    let place = ready.place.unwrap_or(1);
    let pieces = fetch_all!(tx, (ItemId, Option<String>), HELD, &row.order_number, place)?;
    let mut keys: Vec<Key> = pieces.iter().map(|(item, _)| Key::of("item", item.0)).collect();
    keys.extend(pieces.iter().filter_map(|(_, serial)| serial.as_deref()).map(register::lock));
    tx.lock(&keys).await?;
    execute!(tx, HOLD_BENEFITS, &row.order_number, place)?;
    Ok(())
}

const UPDATE: &str = "update purchase set person_id = $2, buyer_email = $3, organisation_id = $4, product_id = $5, \
    product_name = $6, brand = $7, category = $8, kind = $9, purchased_on = $10, delivered_on = $11, country = $12, \
    quantity = $13, unit_price_minor = $14, unit_price_currency = $15, warranty_months = $16, plan_code = $17, \
    search = $18, digest = $19, updated_at = $20 where id = $1";
// Whoever takes a piece over in this moment keeps it: then no row is found.
const UPDATE_ITEM: &str = "update item set product_id = $2, serial_number = $3, serial_key = $4, owner_id = $5, \
    organisation_id = $6 where id = $1 and transferred_at is null";
// Whose it is by then is what counts: it may have been handed on in this moment.
const KEEP_OWNER: &str = "update item set product_id = $2, serial_number = $3, serial_key = $4 where id = $1 \
    returning owner_id, organisation_id";
const OWN_BENEFITS: &str = "update benefit set person_id = $2, organisation_id = $3 where item_id = $1";

/// Changes a purchase to what its row says now, or says what stands against it.
pub async fn apply(
    tx: &mut Tx,
    (cx, permit): (&Cx, &Permit),
    settings: &Settings,
    id: PurchaseId,
    whole: &Whole<'_>,
) -> Result<Result<(), Conflict>, AppError> {
    let row = whole.row;
    let Some(stored) = fetch_optional!(tx, Stored, STORED, &row.order_number, whole.place)? else {
        return Err(AppError::NotFound);
    };
    let plan = whole.plan().map(|plan| plan.code.as_str());
    let pieces = fetch_all!(tx, Piece, PIECES, id, plan.unwrap_or_default())?;
    let next = pieces.iter().map(|piece| piece.position).max().unwrap_or(0) + 1;
    let serials: Vec<String> = pieces.iter().filter_map(|piece| piece.serial_number.clone()).collect();
    let plans = plans(pieces, row);
    if let Some(conflict) = refused(&stored, row, plan, &plans) {
        return Ok(Err(conflict));
    }
    let (before, after) = difference(&stored, &serials, whole);
    // A buyer who registered the purchase under another address keeps it as long as the order's address is the same.
    let same_buyer = stored.buyer_email == row.customer_email.as_str();
    let person = if same_buyer { stored.person_id } else { whole.person };
    execute!(
        tx,
        UPDATE,
        id,
        person,
        row.customer_email.as_str(),
        whole.organisation,
        whole.product,
        &whole.product_name,
        whole.brand.as_deref(),
        whole.category.as_deref(),
        whole.kind.as_str(),
        row.purchased_on,
        row.delivered_on,
        whole.country.as_ref().map(CountryCode::code),
        row.quantity,
        whole.unit_price.map(|price| price.minor),
        whole.unit_price.as_ref().map(|price| price.currency.code()),
        whole.warranty_months.map(i64::from),
        plan,
        &whole.search,
        whole.digest,
        settings.now
    )?;
    for piece in &plans.removed {
        remove(tx, piece.id).await?;
    }
    let wanted = rights(&whole.sale());
    for (piece, serial) in &plans.kept {
        let key = serial.as_deref().map(serial_key);
        // What comes with the plan is for whoever has the piece now.
        let owner = if piece.bound().is_some() {
            let kept = fetch_optional!(tx, Owner, KEEP_OWNER, piece.id, whole.product, serial.as_deref(), key)?;
            kept.ok_or(AppError::Busy)?
        } else {
            let goes = (piece.owner_id, piece.organisation_id) != (person, whole.organisation);
            if goes {
                tx.lock(&[Key::of("item", piece.id.0)]).await?;
            }
            let update =
                execute!(tx, UPDATE_ITEM, piece.id, whole.product, serial.as_deref(), key, person, whole.organisation)?;
            if update == 0 {
                return Err(AppError::Busy);
            }
            execute!(tx, OWN_BENEFITS, piece.id, person, whole.organisation)?;
            if goes {
                hand_over::end_old(tx, piece.id, settings.now).await?;
            }
            (person, whole.organisation)
        };
        coverages(tx, settings, piece.id, &wanted, whole.plan()).await?;
        benefits(tx, settings, piece.id, owner, stored.plan_code.as_deref(), whole).await?;
    }
    let mut cells = Cells::default();
    let moved = Whole { person, ..whole.clone() };
    for (position, serial) in (next..).zip(&plans.added) {
        cells.item(settings, id, position, serial.as_deref(), &moved);
    }
    cells.insert(tx).await?;
    if let Some(delivered) = row.delivered_on.filter(|_| row.delivered_on != stored.delivered_on) {
        // Only what was on its way when it came in is known to have come since.
        let since = stored.created_at.with_timezone(&settings.zone).date_naive();
        let known_since = stored.delivered_on.is_none_or(|day| day > since).then_some(since);
        apply::ask(tx, settings, id, person, delivered, known_since).await?;
    }
    let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let (from, to) = (known(&before), known(&after));
    for customer in BTreeSet::from([stored.person_id, person]) {
        let change = Change {
            entity: "purchase",
            id: id.0,
            customer: Some(customer),
            from: from.as_deref(),
            to: to.as_deref(),
            ..Change::default()
        };
        history::record(tx, cx, permit, change).await?;
    }
    Ok(Ok(()))
}

/// What the history says of a changed purchase: each thing that is another now, before and after, under the name of its
/// column.
fn difference(stored: &Stored, serials: &[String], whole: &Whole<'_>) -> (String, String) {
    let row = whole.row;
    let price = |price: Option<Money>| price.map(|price| format!("{} {}", price.decimal(), price.currency));
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string());
    let list = |serials: &[String]| Some(serials.join("|")).filter(|text| !text.is_empty());
    let firm = match stored.organisation_id == whole.organisation {
        true => stored.organisation_name.clone(),
        false => row.organisation.clone().or_else(|| row.organisation_id.clone()),
    };
    let stored_price = stored.unit_price_minor.zip(stored.unit_price_currency);
    let facts = [
        ("customer_email", Some(stored.buyer_email.clone()), Some(row.customer_email.to_string())),
        ("organisation", stored.organisation_name.clone(), firm),
        ("product_name", Some(stored.product_name.clone()), Some(whole.product_name.clone())),
        ("serial_number", list(serials), list(&row.serial_numbers)),
        ("quantity", Some(stored.quantity.to_string()), Some(row.quantity.to_string())),
        (
            "unit_price",
            price(stored_price.map(|(minor, currency)| Money::new(minor, currency))),
            price(whole.unit_price),
        ),
        ("purchased_on", day(Some(stored.purchased_on)), day(Some(row.purchased_on))),
        ("delivered_on", day(stored.delivered_on), day(row.delivered_on)),
        (
            "warranty_months",
            stored.warranty_months.map(|months| months.to_string()),
            whole.warranty_months.map(|months| months.to_string()),
        ),
        ("plan", stored.plan_code.clone(), whole.plan().map(|plan| plan.code.clone())),
    ];
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (name, was, is) in facts.into_iter().filter(|(_, was, is)| was != is) {
        let said = |value: Option<String>| {
            let value: String = value.unwrap_or_else(|| "–".to_owned()).chars().take(LONGEST_SAID).collect();
            format!("{name} {value}")
        };
        before.push(said(was));
        after.push(said(is));
    }
    (before.join(", "), after.join(", "))
}

/// The history repeats no more than this of one value: a line may carry ten thousand serial numbers.
const LONGEST_SAID: usize = 200;

const REMOVE: [&str; 4] = [
    "delete from hand_over where item_id = $1",
    "delete from benefit_entry where benefit_id in (select id from benefit where item_id = $1)",
    "delete from benefit where item_id = $1",
    "delete from coverage where item_id = $1",
];
const REMOVE_ITEM: &str = "delete from item where id = $1 and transferred_at is null";

async fn remove(tx: &mut Tx, item: ItemId) -> Result<(), AppError> {
    for statement in REMOVE {
        execute!(tx, statement, item)?;
    }
    match execute!(tx, REMOVE_ITEM, item)? {
        0 => Err(AppError::Busy),
        _ => Ok(()),
    }
}

const COVERAGES: &str = "select kind, prolonged_on from coverage where item_id = $1 and kind <> 'repair_warranty'";
const MOVE_COVERAGE: &str = "update coverage set starts_on = $3, ends_on = $4, months = $5, rule_id = $6, \
    rule_version = $7, plan_code = $8, plan_name = $9 where item_id = $1 and kind = $2";
const END_COVERAGE: &str = "delete from coverage where item_id = $1 and kind = $2";

/// Brings the rights of a piece in line with the sale; a prolongation that was earned stays, and so does what repairs gave.
async fn coverages(
    tx: &mut Tx,
    settings: &Settings,
    item: ItemId,
    wanted: &[Layer],
    plan: Option<&Plan>,
) -> Result<(), AppError> {
    let there: HashMap<String, Option<NaiveDate>> =
        fetch_all!(tx, (String, Option<NaiveDate>), COVERAGES, item)?.into_iter().collect();
    let mut cells = Cells::default();
    for layer in wanted {
        let Some(prolonged_on) = there.get(layer.kind.as_str()) else {
            cells.coverage(settings, item, layer, plan);
            continue;
        };
        let until = match prolonged_on {
            Some(_) => {
                let last = add_months(layer.period.last_day(), PROLONGATION_MONTHS);
                last.succ_opt().unwrap_or(last)
            }
            None => layer.period.until,
        };
        let plan = plan.filter(|_| layer.kind == CoverageKind::ServicePlan);
        execute!(
            tx,
            MOVE_COVERAGE,
            item,
            layer.kind.as_str(),
            layer.period.from,
            until,
            layer.months.map(i64::from),
            layer.rule.as_ref().map(|rule| rule.id.as_str()),
            layer.rule.as_ref().map(|rule| i64::from(rule.version)),
            plan.map(|plan| plan.code.as_str()),
            plan.map(|plan| plan.name.as_str())
        )?;
    }
    for kind in there.keys().filter(|kind| !wanted.iter().any(|layer| layer.kind.as_str() == kind.as_str())) {
        execute!(tx, END_COVERAGE, item, kind)?;
    }
    cells.insert(tx).await
}

/// What staff gave by hand is none of the import's business.
const BENEFITS: &str = "select b.id, b.plan_code, b.starts_on, b.ends_on, b.available, b.expired, \
    b.extended_at is not null as extended, \
    exists (select 1 from benefit o join benefit_entry e on e.benefit_id = o.id where o.item_id = b.item_id \
        and o.plan_code = b.plan_code and e.entity is not null) as told_of from benefit b where b.item_id = $1 and b.granted_at is null";
const MOVE_BENEFIT: &str = "update benefit set starts_on = $2, ends_on = $3, \
    available = case when $4 then available + expired else available end, \
    expired = case when $4 then 0 else expired end where id = $1";
const EXTENDED: &str = "insert into benefit_entry (id, benefit_id, at, kind, units) values ($1, $2, $3, 'extend', $4)";
const DELETE_BENEFIT: [&str; 2] =
    ["delete from benefit_entry where benefit_id = $1", "delete from benefit where id = $1"];
/// Only if nobody reserves of it in this moment.
const END_BENEFIT: &str = "update benefit set ends_on = $2, available = 0, expired = expired + available \
    where id = $1 and available = $3 and reserved = 0";
const EXPIRED: &str = "insert into benefit_entry (id, benefit_id, at, kind, units) values ($1, $2, $3, 'expire', $4)";

#[derive(sqlx::FromRow)]
struct Benefit {
    id: BenefitId,
    plan_code: String,
    starts_on: NaiveDate,
    ends_on: NaiveDate,
    available: i64,
    expired: i64,
    extended: bool,
    /// Something was reserved once of what this plan gave: all of it ends and comes back together.
    told_of: bool,
}

/// Takes a benefit away. Where something was booked by its plan once, that still names it: then it ends, and its ledger
/// stays.
async fn take_away(tx: &mut Tx, settings: &Settings, benefit: &Benefit) -> Result<(), AppError> {
    let Benefit { id, available, .. } = *benefit;
    if !benefit.told_of {
        for statement in DELETE_BENEFIT {
            execute!(tx, statement, id)?;
        }
        return Ok(());
    }
    let first = benefit.starts_on.succ_opt().unwrap_or(benefit.starts_on);
    if execute!(tx, END_BENEFIT, id, benefit.ends_on.min(settings.today.max(first)), available)? == 0 {
        // Booked by since it was looked at: the next look finds the conflict.
        return Err(AppError::Busy);
    }
    if available > 0 {
        execute!(tx, EXPIRED, fresh::<BenefitEntryId>(), id, settings.now, available)?;
    }
    Ok(())
}

/// Brings the counted rights of a piece in line with its plan. Another plan was refused before where one of them is used.
/// What ended with an earlier plan than `before`, and staff prolonged since, is theirs as what they gave by hand.
async fn benefits(
    tx: &mut Tx,
    settings: &Settings,
    item: ItemId,
    (person, organisation): Owner,
    before: Option<&str>,
    whole: &Whole<'_>,
) -> Result<(), AppError> {
    let there = fetch_all!(tx, Benefit, BENEFITS, item)?;
    let plan = whole.plan();
    for benefit in &there {
        let Some(plan) = plan.filter(|plan| plan.code == benefit.plan_code) else {
            if !benefit.extended || before == Some(benefit.plan_code.as_str()) {
                take_away(tx, settings, benefit).await?;
            }
            continue;
        };
        let mut period = DateRange::months_from(whole.sale().counts_from(), plan.period_months);
        if benefit.extended {
            period.until = period.until.max(benefit.ends_on);
        }
        if (period.from, period.until) != (benefit.starts_on, benefit.ends_on) {
            let revived = period.until > settings.today;
            execute!(tx, MOVE_BENEFIT, benefit.id, period.from, period.until, revived)?;
            let entry: BenefitEntryId = fresh();
            execute!(tx, EXTENDED, entry, benefit.id, settings.now, if revived { benefit.expired } else { 0 })?;
        }
    }
    let Some(plan) = plan else { return Ok(()) };
    let period = DateRange::months_from(whole.sale().counts_from(), plan.period_months);
    let has_plan = there.iter().any(|benefit| benefit.plan_code == plan.code);
    let mut cells = Cells::default();
    for (allowance, count) in plan.grants().filter(|_| !has_plan) {
        cells.benefit(settings, item, person, organisation, allowance, plan, period, count);
    }
    cells.insert(tx).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn piece(position: i64, serial: Option<&str>, used: bool) -> Piece {
        Piece {
            id: ItemId(Uuid::now_v7()),
            position,
            serial_number: serial.map(str::to_owned),
            serial_key: serial.map(serial_key),
            owner_id: PersonId(Uuid::nil()),
            organisation_id: None,
            handed_on: false,
            registered: false,
            repaired: false,
            used,
            told_of: false,
            booked_otherwise: false,
        }
    }

    fn row(quantity: i64, serials: &[&str]) -> PurchaseRow {
        PurchaseRow {
            order_number: "A1".into(),
            order_line: None,
            purchased_on: NaiveDate::default(),
            delivered_on: None,
            customer_email: "ann@example.com".parse().unwrap(),
            customer_name: None,
            customer_phone: None,
            customer_language: None,
            customer_country: None,
            organisation: None,
            organisation_id: None,
            sku: Some("P1".into()),
            product_name: None,
            brand: None,
            category: None,
            kind: None,
            serial_numbers: serials.iter().map(|serial| (*serial).to_owned()).collect(),
            quantity,
            unit_price: None,
            warranty_months: None,
            plan: None,
        }
    }

    #[test]
    fn pieces_keep_their_serial_numbers_in_whatever_order_they_come() {
        let plans = plans(vec![piece(1, Some("A"), false), piece(2, Some("B"), false)], &row(3, &["B", "C", "a"]));
        let kept: Vec<_> =
            plans.kept.iter().map(|(piece, serial)| (piece.position, serial.as_deref().unwrap())).collect();
        assert_eq!(kept, [(1, "a"), (2, "B")]);
        assert_eq!(plans.added, [Some("C".to_owned())]);
    }

    #[test]
    fn what_somebody_relies_on_is_taken_away_last() {
        let plans = plans(vec![piece(1, None, false), piece(2, None, true)], &row(1, &[]));
        assert_eq!(plans.removed.iter().map(|piece| piece.position).collect::<Vec<_>>(), [1]);
    }
}
