//! What the demo company sold: a story for each of the five sorts of customers, and something for everybody else.

use super::{hand_over, register};
use crate::{
    access::{Act, Subject, Viewer},
    catalog::{
        domain::{Plan, ProductKind},
        server::store as catalog,
    },
    db::Tx,
    error::AppError,
    fetch_optional,
    import::{domain::PurchaseRow, server::sold},
    people::server::store as people,
    server::{Cx, demo::Cast, form::Form},
    training::server::demo::person,
    values::{CountryCode, Currency, ItemId, Money, PersonId},
};
use chrono::{Days, NaiveDate, TimeDelta};

/// The plan that is sold with appliances.
pub const CARE: &str = "care-6";

/// What the company sells: article number, name, brand, category, kind, price in cents, months of warranty.
type Product = (&'static str, &'static str, &'static str, &'static str, ProductKind, i64, u32);

const PRODUCTS: [Product; 10] = [
    ("PRINT-540", "Aurora 540 printer", "Aurora", "Printers", ProductKind::Goods, 28_900, 24),
    ("COFFEE-7", "Brisa coffee machine", "Brisa", "Kitchen", ProductKind::Goods, 41_500, 12),
    ("LAPTOP-14", "Nordlys 14 laptop", "Nordlys", "Computers", ProductKind::Goods, 109_900, 24),
    ("VACUUM-2", "Silenta vacuum cleaner", "Silenta", "Home", ProductKind::Goods, 19_900, 12),
    ("HEADPHONES-3", "Canto headphones", "Canto", "Sound", ProductKind::Goods, 8_900, 0),
    ("SEWING-21", "Filo sewing machine", "Filo", "Home", ProductKind::Goods, 32_400, 36),
    ("LEDGER-PRO", "Ledger Pro accounting", "Ledger", "Software", ProductKind::Software, 48_000, 0),
    ("HEATPUMP-12", "Heat pump 12 kW, installed", "Calora", "Installations", ProductKind::Installation, 940_000, 60),
    ("LATHE-400", "CNC lathe 400", "Tornio", "Machinery", ProductKind::Installation, 3_890_000, 24),
    ("RAIL-2ND", "Intercity ticket, second class", "Company railway", "Journeys", ProductKind::Journey, 4_620, 0),
];

/// The place of a product in [`PRODUCTS`].
const PRINTER: usize = 0;
const COFFEE: usize = 1;
const LAPTOP: usize = 2;
const VACUUM: usize = 3;
const HEADPHONES: usize = 4;
const LEDGER: usize = 6;
const HEATPUMP: usize = 7;
const LATHE: usize = 8;
const TICKET: usize = 9;

/// One sale: who, what, how many days ago it was bought, how many days the delivery took.
struct Sale<'s> {
    person: PersonId,
    product: usize,
    bought: i64,
    took: u64,
    quantity: i64,
    organisation: Option<&'s str>,
    plan: bool,
    country: Option<&'s str>,
}

impl Sale<'_> {
    fn new(person: PersonId, product: usize, bought: i64) -> Self {
        Self { person, product, bought, took: 4, quantity: 1, organisation: None, plan: false, country: None }
    }
}

/// The products, the plan, the purchases, and two people who ask for one serial number.
pub async fn seed(cx: &Cx, cast: &Cast) -> Result<(), AppError> {
    let sales = sales(cast)?;
    let seeds = std::sync::Arc::new(sales);
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, sales) = (context.clone(), std::sync::Arc::clone(&seeds));
            Box::pin(async move {
                catalog::save_plan(tx, &plan(), cx.now).await?;
                for (number, sale) in sales.iter().enumerate() {
                    sell(tx, &cx, number, sale).await?;
                }
                Ok(())
            })
        })
        .await?;
    ask(cx, cast).await
}

fn plan() -> Plan {
    Plan {
        code: CARE.into(),
        name: "Care: six months of training and maintenance".into(),
        period_months: 6,
        training_seats: 3,
        maintenance_visits: 2,
        repairs: 1,
        applies_to: Some(ProductKind::Goods),
    }
}

fn sales(cast: &Cast) -> Result<Vec<Sale<'static>>, AppError> {
    let (customer, owner, member) = (cast.person("customer")?, cast.person("owner")?, cast.person("member")?);
    let firm = Some("Petrauskas & Partners");
    let mut sales = vec![
        // A printer with six months of training and maintenance.
        Sale { plan: true, country: Some("ES"), ..Sale::new(customer, PRINTER, 64) },
        Sale { country: Some("ES"), ..Sale::new(customer, COFFEE, 700) },
        Sale { country: Some("IT"), ..Sale::new(customer, VACUUM, 713) },
        // Its last right ends in two weeks.
        Sale { country: Some("IT"), ..Sale::new(customer, HEADPHONES, 720) },
        Sale { took: 0, ..Sale::new(customer, TICKET, 3) },
        // On its way.
        Sale { took: 5, country: Some("ES"), ..Sale::new(customer, HEADPHONES, 2) },
        // A firm's accounting package, for five, and its printer.
        Sale { quantity: 5, organisation: firm, took: 0, ..Sale::new(owner, LEDGER, 40) },
        Sale { organisation: firm, plan: true, ..Sale::new(owner, PRINTER, 35) },
        Sale { organisation: firm, plan: true, ..Sale::new(member, LAPTOP, 120) },
        Sale { country: Some("IT"), ..Sale::new(member, COFFEE, 300) },
        // Installations and machinery.
        Sale {
            organisation: Some("Costa Verde Hotels"),
            quantity: 2,
            took: 30,
            ..Sale::new(cast.customer(8)?, HEATPUMP, 400)
        },
        Sale { organisation: Some("Himalaya Textiles"), took: 45, ..Sale::new(cast.customer(24)?, LATHE, 500) },
    ];
    for (place, person) in (0_i64..).zip(&cast.customers) {
        let goods = usize::try_from(place % 6).unwrap_or(0);
        let first = Sale { plan: place % 3 == 0, ..Sale::new(*person, goods, 12 + place * 37 % 160) };
        sales.push(first);
        if place % 2 == 0 {
            sales.push(Sale::new(*person, usize::try_from((place + 3) % 6).unwrap_or(0), 200 + place * 53 % 900));
        }
        if place % 4 == 1 {
            sales.push(Sale { took: 0, ..Sale::new(*person, TICKET, 2 + place % 20) });
        }
        if place % 5 == 2 {
            sales.push(Sale { took: 0, ..Sale::new(*person, LEDGER, 20 + place * 11 % 300) });
        }
    }
    Ok(sales)
}

async fn sell(tx: &mut Tx, cx: &Cx, number: usize, sale: &Sale<'_>) -> Result<(), AppError> {
    let person = people::by_id(tx, sale.person).await?.ok_or(AppError::NotFound)?;
    let email = person.email.ok_or(AppError::NotFound)?;
    let (sku, name, brand, category, kind, price, warranty) = PRODUCTS[sale.product];
    let country: Option<CountryCode> = sale.country.and_then(|country| country.parse().ok()).or(person.country);
    let purchased_on = days_ago(cx.today(), sale.bought);
    let serial = |piece: i64| format!("{}-{:04}{piece}", &sku[..3], 1000 + number * 7);
    let has_serials = kind != ProductKind::Journey;
    let row = PurchaseRow {
        order_number: format!("A{}", 20_000 + number),
        order_line: Some(1),
        purchased_on,
        delivered_on: purchased_on.checked_add_days(Days::new(sale.took)),
        customer_email: email,
        customer_name: None,
        customer_phone: None,
        customer_language: None,
        customer_country: country,
        organisation: sale.organisation.map(str::to_owned),
        organisation_id: None,
        sku: Some(sku.to_owned()),
        product_name: Some(name.to_owned()),
        brand: Some(brand.to_owned()),
        category: Some(category.to_owned()),
        kind: Some(kind),
        serial_numbers: (1..=sale.quantity).filter(|_| has_serials).map(serial).collect(),
        quantity: sale.quantity,
        unit_price: Some(Money::new(price, Currency::EUR)),
        warranty_months: Some(warranty),
        plan: sale.plan.then(|| CARE.to_owned()),
    };
    let permit = cx.may(Act::Import, &Subject::nobody())?;
    sold(tx, (cx, &permit), &row, "demo").await.map(|_| ())
}

fn days_ago(today: NaiveDate, days: i64) -> NaiveDate {
    today.checked_sub_days(Days::new(days.unsigned_abs())).unwrap_or(today)
}

/// Two people ask for one sewing machine that the company knows nothing of.
async fn ask(cx: &Cx, cast: &Cast) -> Result<(), AppError> {
    let asks = [
        (cast.customer(2)?, "Bought at the fair in Kaunas, receipt 2207."),
        (cast.customer(18)?, "Me l’ha regalata mia zia, ho lo scontrino."),
    ];
    for (person, proof) in asks {
        let permit = cx.may(Act::RegisterPurchase, &Subject::of(person))?;
        let context = cx.clone();
        cx.db()
            .write(move |tx| {
                let cx = context.clone();
                Box::pin(async move {
                    register::by_serial(tx, &cx, &permit, person, "FILO-77-301", Some(proof)).await.map(|_| ())
                })
            })
            .await?;
    }
    Ok(())
}

/// A thing of one of the customers with which nothing is under way.
const FREE: &str = "select i.id, i.owner_id from item i join purchase p on p.id = i.purchase_id \
    where p.kind = 'goods' and i.owner_id = $1 and i.organisation_id is null and p.delivered_on < $2 \
    and not exists (select 1 from benefit b where b.item_id = i.id and b.reserved > 0) \
    and not exists (select 1 from repair r where r.item_id = i.id) order by i.id limit 1";

/// Somebody gives the customer a thing, who has not answered yet.
pub async fn offer(cx: &Cx, cast: &Cast) -> Result<(), AppError> {
    for customer in &cast.customers {
        let mut tx = cx.db().read().await?;
        let found = fetch_optional!(tx, (ItemId, PersonId), FREE, *customer, cx.today())?;
        drop(tx);
        if let Some((item, owner)) = found {
            let giver = person(cx, owner, &[], Vec::new()).await?;
            let giver = Cx { now: cx.now - TimeDelta::hours(6), ..cx.as_viewer(Viewer::Person(Box::new(giver))) };
            return hand_over::give(&giver, item, &Form::of(&[("email", "customer@example.com")])).await;
        }
    }
    Ok(())
}
