//! Reading purchases and their pieces.

use crate::{
    access::Scope,
    catalog::domain::ProductKind,
    coverage::server::store::{EndingRow, ending, repair_left},
    db::Tx,
    error::AppError,
    fetch_all, fetch_optional,
    values::{
        Currency, Cursor, EmailAddress, HandOverId, ItemId, Money, OrganisationId, PAGE_ROWS, PersonId, ProductId,
        PurchaseId, Rows,
    },
};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// A piece with what is worth knowing of its purchase.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct ItemRow {
    pub id: ItemId,
    pub purchase_id: PurchaseId,
    pub position: i64,
    pub product_id: ProductId,
    pub product_name: String,
    pub kind: String,
    pub serial_number: Option<String>,
    pub owner_person: PersonId,
    pub organisation: Option<OrganisationId>,
    pub purchased_on: NaiveDate,
    pub delivered_on: Option<NaiveDate>,
}

impl ItemRow {
    pub fn kind(&self) -> ProductKind {
        self.kind.parse().unwrap_or(ProductKind::Goods)
    }

    /// Whose it is, for permissions.
    pub fn subject(&self) -> crate::access::Subject {
        crate::access::Subject::of(self.owner_person).within(self.organisation)
    }
}

const ITEM: &str = "select i.id, i.purchase_id, i.position, i.product_id, p.product_name, p.kind, i.serial_number, \
    i.owner_id as owner_person, i.organisation_id as organisation, p.purchased_on, p.delivered_on \
    from item i join purchase p on p.id = i.purchase_id where i.id = $1";
const ITEMS_OF: &str = "select i.id, i.purchase_id, i.position, i.product_id, p.product_name, p.kind, i.serial_number, \
    i.owner_id as owner_person, i.organisation_id as organisation, p.purchased_on, p.delivered_on \
    from item i join purchase p on p.id = i.purchase_id \
    where i.owner_id = $1 or i.organisation_id in \
    (select organisation_id from membership where person_id = $1 and role = 'owner') \
    order by p.purchased_on desc, p.id, i.position limit 500";
const ITEMS_IN: &str = "select i.id, i.purchase_id, i.position, i.product_id, p.product_name, p.kind, i.serial_number, \
    i.owner_id as owner_person, i.organisation_id as organisation, p.purchased_on, p.delivered_on \
    from item i join purchase p on p.id = i.purchase_id where i.purchase_id = $1 and i.position > $2 \
    and ($4 is null or i.owner_id = $4 or i.organisation_id in \
    (select organisation_id from membership where person_id = $4 and role = 'owner')) order by i.position limit $3";

/// A piece.
pub async fn item(tx: &mut Tx, id: ItemId) -> Result<Option<ItemRow>, AppError> {
    Ok(fetch_optional!(tx, ItemRow, ITEM, id)?)
}

/// The pieces of a person and of the firms they own, the latest first; up to 500, which is what one can choose from.
pub async fn items_of(tx: &mut Tx, scope: &Scope) -> Result<Vec<ItemRow>, AppError> {
    match scope {
        Scope::Own { person, .. } => Ok(fetch_all!(tx, ItemRow, ITEMS_OF, *person)?),
        Scope::Everything | Scope::Nothing => Ok(Vec::new()),
    }
}

/// The pieces of a purchase after a position: all, or those of a person and of the firms they own.
pub async fn items_in(
    tx: &mut Tx,
    purchase: PurchaseId,
    after: i64,
    most: i64,
    of: Option<PersonId>,
) -> Result<Vec<ItemRow>, AppError> {
    Ok(fetch_all!(tx, ItemRow, ITEMS_IN, purchase, after, most, of)?)
}

/// A purchase with everything that its page says.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct PurchaseRow {
    pub id: PurchaseId,
    pub order_number: String,
    pub order_line: i64,
    pub person_id: PersonId,
    pub person_name: String,
    pub organisation_id: Option<OrganisationId>,
    pub organisation_name: Option<String>,
    pub product_name: String,
    pub brand: Option<String>,
    pub category: Option<String>,
    pub kind: String,
    pub purchased_on: NaiveDate,
    pub delivered_on: Option<NaiveDate>,
    pub quantity: i64,
    pub unit_price_minor: Option<i64>,
    pub unit_price_currency: Option<Currency>,
}

impl PurchaseRow {
    pub fn kind(&self) -> ProductKind {
        self.kind.parse().unwrap_or(ProductKind::Goods)
    }

    pub fn unit_price(&self) -> Option<Money> {
        Some(Money::new(self.unit_price_minor?, self.unit_price_currency?))
    }
}

const PURCHASE: &str = "select p.id, p.order_number, p.order_line, p.person_id, b.name as person_name, \
    p.organisation_id, o.name as organisation_name, p.product_name, p.brand, p.category, p.kind, p.purchased_on, \
    p.delivered_on, p.quantity, p.unit_price_minor, p.unit_price_currency from purchase p \
    join person b on b.id = p.person_id left join organisation o on o.id = p.organisation_id where p.id = $1";

/// A purchase.
pub async fn purchase(tx: &mut Tx, id: PurchaseId) -> Result<Option<PurchaseRow>, AppError> {
    Ok(fetch_optional!(tx, PurchaseRow, PURCHASE, id)?)
}

/// A purchase as the list shows it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct ListRow {
    pub id: PurchaseId,
    pub product_name: String,
    pub kind: String,
    pub organisation_name: Option<String>,
    pub purchased_on: NaiveDate,
    pub delivered_on: Option<NaiveDate>,
    pub pieces: i64,
    /// The first day that no right covers any more; none where nothing covers it today.
    pub covered_until: Option<NaiveDate>,
}

/// Which purchases a list shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Covered {
    #[default]
    All,
    Yes,
    No,
}

impl Covered {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Yes => "yes",
            Self::No => "no",
        }
    }

    /// Reads it from an address; whatever is no choice means all.
    pub fn read(text: &str) -> Self {
        match text {
            "yes" => Self::Yes,
            "no" => Self::No,
            _ => Self::All,
        }
    }
}

/// The first day that no right covers any more, of the pieces `i` of the purchase `p` on the day `$2`: what
/// [`crate::coverage::domain::decide`] says. A plan covers as long as its repair allowance lasts, and something is left.
macro_rules! covered_until {
    ($pieces:literal) => {
        concat!(
            "(select max(r.ends_on) from (select c.ends_on from item i join coverage c on c.item_id = i.id \
             where i.purchase_id = p.id and ",
            $pieces,
            " and p.kind <> 'journey' and c.void_reason is null and c.kind not in ('repair_warranty', 'service_plan') \
             and c.starts_on <= $2 and c.ends_on > $2 \
             union all select b.ends_on from item i join benefit b on b.item_id = i.id where i.purchase_id = p.id and ",
            $pieces,
            " and p.kind <> 'journey' and b.starts_on <= $2 and b.ends_on > $2 and ",
            repair_left!("b"),
            ") as r)"
        )
    };
}

const LIST: &str = concat!(
    "select * from (select p.id, p.product_name, p.kind, o.name as organisation_name, p.purchased_on, \
    p.delivered_on, \
    (select count(*) from item i where i.purchase_id = p.id and (i.owner_id = $1 or i.organisation_id in \
    (select organisation_id from membership where person_id = $1 and role = 'owner'))) as pieces, ",
    covered_until!(
        "(i.owner_id = $1 or i.organisation_id in \
         (select organisation_id from membership where person_id = $1 and role = 'owner'))"
    ),
    " as covered_until from purchase p left join organisation o on o.id = p.organisation_id \
    where p.id in (select i.purchase_id from item i where i.owner_id = $1 union all \
    select i.purchase_id from membership m join item i on i.organisation_id = m.organisation_id \
    where m.person_id = $1 and m.role = 'owner') \
    and (p.purchased_on, p.id) < ($3, $4) and ($5 = '' or p.search like $5 escape '!')) l \
    where $6 = 'all' or ($6 = 'yes') = (covered_until is not null) \
    order by purchased_on desc, id desc limit $7"
);

/// The purchases that a viewer sees: their own, and all of the firms that they own; the latest first.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    search: &str,
    covered: Covered,
    today: NaiveDate,
    cursor: Option<&Cursor>,
) -> Result<Rows<ListRow>, AppError> {
    let Scope::Own { person, .. } = scope else { return Ok(cut(Vec::new())) };
    let far = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or_default();
    let (day, id) = cursor.and_then(|c| Some((c.key.parse().ok()?, c.id))).unwrap_or((far, Uuid::max()));
    let rows = fetch_all!(tx, ListRow, LIST, *person, today, day, id, pattern(search), covered.as_str(), PAGE_ROWS)?;
    Ok(cut(rows))
}

fn cut(rows: Vec<ListRow>) -> Rows<ListRow> {
    Rows::cut(rows, |row| Cursor { key: row.purchased_on.to_string(), id: row.id.0 })
}

/// What `like` looks for: the words as typed, in lower case, nothing of them special.
fn pattern(search: &str) -> String {
    let words = search.trim().to_lowercase();
    if words.is_empty() {
        return String::new();
    }
    let mut pattern = String::from("%");
    for c in words.chars().take(100) {
        match c {
            '%' | '_' | '!' => {
                pattern.push('!');
                pattern.push(c);
            }
            c if c.is_whitespace() => pattern.push('%'),
            c => pattern.push(c),
        }
    }
    pattern.push('%');
    pattern
}

/// A purchase as the staff's page of a customer shows it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PanelRow {
    pub id: PurchaseId,
    pub product_name: String,
    pub order_number: String,
    pub purchased_on: NaiveDate,
    pub covered_until: Option<NaiveDate>,
}

const PANEL: &str = concat!(
    "select p.id, p.product_name, p.order_number, p.purchased_on, ",
    covered_until!("i.owner_id = $1"),
    " as covered_until from purchase p where p.id in (select i.purchase_id from item i where i.owner_id = $1) \
    order by p.purchased_on desc, p.id desc limit 20"
);

/// The latest purchases of a customer.
pub async fn panel(tx: &mut Tx, person: PersonId, today: NaiveDate) -> Result<Vec<PanelRow>, AppError> {
    Ok(fetch_all!(tx, PanelRow, PANEL, person, today)?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_that_is_typed_into_the_search_is_special() {
        assert_eq!(super::pattern(" 50%_Off! "), "%50!%!_off!!%");
        assert_eq!(super::pattern("HP  printer"), "%hp%%printer%");
        assert_eq!(super::pattern("  "), "");
    }
}

/// What needs a person in this slice.
#[derive(Clone, Debug)]
pub enum Waiting {
    /// A right on something of theirs ends soon.
    Ends(EndingRow),
    /// Somebody gives them a piece.
    Offered { id: HandOverId, giver: String, product: String, since: DateTime<Utc> },
}

const WAITING: &str = concat!(
    "select kind, ends_on, created_at, purchase_id as id, product_name, '' as giver from (",
    ending!(),
    ") e union all select 'offered', null, h.created_at, h.id, p.product_name, g.name \
    from hand_over h join item i on i.id = h.item_id join purchase p on p.id = i.purchase_id join person g on g.id = h.from_id \
    where h.to_email = $4 and h.state = 'open'"
);

/// What ends after `today` and up to `until`, and what is offered to the person's address.
pub async fn waiting(
    tx: &mut Tx,
    (person, email): (PersonId, &EmailAddress),
    today: NaiveDate,
    until: NaiveDate,
) -> Result<Vec<Waiting>, AppError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        kind: String,
        ends_on: Option<NaiveDate>,
        created_at: DateTime<Utc>,
        /// Of the purchase; of what is offered, of the hand-over.
        id: Uuid,
        product_name: String,
        giver: String,
    }
    let rows = fetch_all!(tx, Row, WAITING, person, today, until, email)?;
    let read = |Row { kind, ends_on, created_at, id, product_name, giver }| match ends_on {
        Some(ends_on) => {
            Waiting::Ends(EndingRow { kind, ends_on, created_at, purchase_id: PurchaseId(id), product_name })
        }
        None => Waiting::Offered { id: HandOverId(id), giver, product: product_name, since: created_at },
    };
    Ok(rows.into_iter().map(read).collect())
}
