//! Who the rows are about: people by their address, firms by their number or name.

use super::{
    apply::Settings,
    bulk::{self, Value},
};
use crate::{
    access::Permit,
    db::{Key, Tx},
    error::AppError,
    execute, fetch_all, fetch_scalar,
    import::domain::{Fault, PurchaseRow, RowFault},
    people::likeness::likeness,
    server::{
        Cx, fresh,
        history::{self, Change},
    },
    values::{CountryCode, EmailAddress, OrganisationId, PersonId},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// A person as far as an import fills in what is missing.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Known {
    id: PersonId,
    email: EmailAddress,
    name: String,
    phone: Option<String>,
    language: Option<String>,
    country: Option<String>,
}

/// Whoever bought something, and where they live as far as the portal knows.
#[derive(Clone, Copy, Debug)]
pub struct Buyer {
    pub id: PersonId,
    pub country: Option<CountryCode>,
}

const KNOWN: &str = "select id, email, name, phone, language, country from person where email in";
const ADD: &str = "insert into person \
    (id, email, name, name_lower, phone, language, country, staff, created_at, version)";
const FILL: &str = "update person set phone = coalesce(phone, $2), language = coalesce(language, $3), \
    country = coalesce(country, $4), version = version + 1 where id = $1";
// Whoever saved their account chose their name, even the one that the address gave them.
const NAME: &str = "update person set name = $3, name_lower = $4, version = version + 1 where id = $1 and name = $2 \
    and not exists (select 1 from history h where h.entity = 'person' and h.entity_id = person.id \
    and h.act = 'edit_account' and h.to_state is null)";

/// The people of some rows, by address: known ones get what was missing, which the history tells, new ones are added.
/// What they changed themselves is never overwritten.
pub async fn people(
    tx: &mut Tx,
    (cx, permit): (&Cx, &Permit),
    settings: &Settings,
    rows: &[&PurchaseRow],
) -> Result<HashMap<EmailAddress, Buyer>, AppError> {
    let wanted: BTreeMap<&EmailAddress, &PurchaseRow> = rows.iter().map(|row| (&row.customer_email, *row)).collect();
    // Not every line of an order has to say where it went.
    let countries: HashMap<&EmailAddress, CountryCode> =
        rows.iter().filter_map(|row| Some((&row.customer_email, row.customer_country?))).collect();
    let mut known = find(tx, wanted.keys().copied()).await?;
    for person in &mut known {
        let row = wanted[&person.email];
        let phone = row.customer_phone.as_deref().filter(|_| person.phone.is_none());
        let language = row.customer_language.as_ref().map(|tag| tag.as_str()).filter(|_| person.language.is_none());
        let country = countries.get(&person.email).filter(|_| person.country.is_none()).map(CountryCode::code);
        let (mut from, mut to) = (Vec::new(), Vec::new());
        let mut said = |what: &str, was: &str, is: &str| {
            from.push(format!("{what} {was}"));
            to.push(format!("{what} {is}"));
        };
        if phone.is_some() || language.is_some() || country.is_some() {
            execute!(tx, FILL, person.id, phone, language, country)?;
            let filled = [("customer_phone", phone), ("customer_language", language), ("customer_country", country)];
            filled.iter().filter_map(|(what, is)| Some((*what, (*is)?))).for_each(|(what, is)| said(what, "–", is));
        }
        let unnamed = person.name == before_at(&person.email);
        if let Some(name) = row.customer_name.as_deref().filter(|name| unnamed && *name != person.name)
            && execute!(tx, NAME, person.id, &person.name, name, name.to_lowercase())? == 1
        {
            said("customer_name", &person.name, name);
        }
        if let Some(code) = country {
            person.country = Some(code.to_owned());
        }
        if !to.is_empty() {
            let (from, to) = (from.join(", "), to.join(", "));
            let change = Change {
                entity: "person",
                id: person.id.0,
                customer: Some(person.id),
                from: Some(&from),
                to: Some(&to),
                ..Change::default()
            };
            history::record(tx, cx, permit, change).await?;
        }
    }
    let there: BTreeSet<EmailAddress> = known.iter().map(|person| person.email.clone()).collect();
    let new: Vec<&EmailAddress> = wanted.keys().copied().filter(|email| !there.contains(*email)).collect();
    if !new.is_empty() {
        let cells =
            new.iter().map(|email| person_cells(settings, email, wanted[*email], countries.get(*email))).collect();
        bulk::insert(tx, ADD, "on conflict (email) do nothing", cells).await?;
        // Somebody may have signed in with the address meanwhile, so that the row to use is not ours.
        known.extend(find(tx, new.into_iter()).await?);
    }
    let buyer = |person: Known| {
        let country = person.country.and_then(|code| code.parse().ok());
        (person.email, Buyer { id: person.id, country })
    };
    Ok(known.into_iter().map(buyer).collect())
}

/// What somebody is called of whom nothing but the address is known.
fn before_at(email: &EmailAddress) -> &str {
    email.as_str().split('@').next().unwrap_or_default()
}

fn person_cells(
    settings: &Settings,
    email: &EmailAddress,
    row: &PurchaseRow,
    country: Option<&CountryCode>,
) -> Vec<Value> {
    let name = row.customer_name.as_deref().unwrap_or(before_at(email));
    let id: PersonId = fresh();
    vec![
        id.0.into(),
        email.as_str().into(),
        name.into(),
        name.to_lowercase().into(),
        row.customer_phone.clone().into(),
        row.customer_language.as_ref().map(|tag| tag.as_str()).into(),
        country.map(CountryCode::code).into(),
        false.into(),
        settings.now.into(),
        0_i64.into(),
    ]
}

async fn find(tx: &mut Tx, emails: impl Iterator<Item = &EmailAddress>) -> Result<Vec<Known>, AppError> {
    bulk::select(tx, KNOWN, emails.map(|email| email.as_str().into()).collect()).await
}

/// How a firm is known: by the number that the company gave it, else by its exact name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Firm {
    Number(String),
    Name(String),
}

impl Firm {
    /// The firm that a row belongs to, if it belongs to one.
    pub fn of(row: &PurchaseRow) -> Option<Self> {
        let number = row.organisation_id.clone().map(Self::Number);
        number.or_else(|| row.organisation.clone().map(Self::Name))
    }
}

const BY_NUMBER: &str = "select external_id, id from organisation where external_id in";
const BY_NAME: &str = "select name, id, external_id from organisation where name in";
const SHARED: &str = "select name, id, external_id from organisation where name in \
    (select name from organisation group by name having count(*) > 1)";
const FIRM_OF: &str = "select o.id from purchase p join organisation o on o.id = p.organisation_id \
    where p.order_number = $1 and p.order_line = $2 and o.name = $3";
const ADD_FIRM: &str = "insert into organisation (id, name, external_id, created_at, likeness)";
const ADD_MEMBER: &str = "insert into membership (organisation_id, person_id, role, created_at)";

type Called = (String, OrganisationId, Option<String>);

/// What a name means to an import: the firm that the company gave no number, else the only one with that name. Several
/// are told by what tells them apart.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Meant {
    One(OrganisationId),
    Several(String),
}

fn meant(mut called: Vec<Called>) -> HashMap<String, Meant> {
    called.sort();
    let mut firms: HashMap<String, Vec<(OrganisationId, Option<String>)>> = HashMap::new();
    for (name, id, number) in called {
        firms.entry(name).or_default().push((id, number));
    }
    let of = |firms: Vec<(OrganisationId, Option<String>)>| {
        let without: Vec<OrganisationId> =
            firms.iter().filter(|(_, number)| number.is_none()).map(|(id, _)| *id).collect();
        match (without.as_slice(), firms.as_slice()) {
            ([one], _) | ([], [(one, _)]) => Meant::One(*one),
            _ => {
                let mut numbers: Vec<String> = firms.into_iter().filter_map(|(_, number)| number).collect();
                numbers.sort();
                Meant::Several(if numbers.is_empty() { String::new() } else { format!(": {}", numbers.join(", ")) })
            }
        }
    };
    firms.into_iter().map(|(name, firms)| (name, of(firms))).collect()
}

/// The firms of some rows.
#[derive(Debug, Default)]
pub struct Firms {
    found: HashMap<Firm, OrganisationId>,
    /// Names that several firms share.
    several: HashMap<String, String>,
}

impl Firms {
    pub fn tells_all_apart(&self) -> bool {
        self.several.is_empty()
    }

    /// Whether a row names its firm by a name that several share.
    pub fn share(&self, row: &PurchaseRow) -> bool {
        matches!(Firm::of(row), Some(Firm::Name(name)) if self.several.contains_key(&name))
    }

    /// The firm that a row belongs to. A purchase that is there already, at this place of its order, stays with its firm
    /// as long as the name is the same.
    pub async fn of(
        &self,
        tx: &mut Tx,
        row: &PurchaseRow,
        there: Option<i64>,
    ) -> Result<Result<Option<OrganisationId>, RowFault>, AppError> {
        let Some(firm) = Firm::of(row) else { return Ok(Ok(None)) };
        let Firm::Name(name) = &firm else { return Ok(Ok(self.found.get(&firm).copied())) };
        if let Some(place) = there
            && let Some(id) = fetch_scalar!(tx, OrganisationId, FIRM_OF, &row.order_number, place, name)?
        {
            return Ok(Ok(Some(id)));
        }
        Ok(match self.several.get(name) {
            Some(numbers) => {
                let fault = Fault::SeveralOrganisations(numbers.clone());
                Err(RowFault::new("organisation", name.clone(), fault))
            }
            None => Ok(self.found.get(&firm).copied()),
        })
    }
}

/// The names that mean several firms once those are in that a file brings with a name and a number.
pub async fn shared(tx: &mut Tx, brought: Vec<(String, String)>) -> Result<Firms, AppError> {
    let distinct = |cells: BTreeSet<&str>| cells.into_iter().map(Into::into).collect::<Vec<Value>>();
    let names = distinct(brought.iter().map(|(name, _)| name.as_str()).collect());
    let numbers = distinct(brought.iter().map(|(_, number)| number.as_str()).collect());
    let mut called: BTreeSet<Called> = fetch_all!(tx, Called, SHARED)?.into_iter().collect();
    called.extend(bulk::select::<Called>(tx, BY_NAME, names).await?);
    // A number that is known stays with its firm, whatever the file calls it.
    let known: BTreeSet<String> =
        bulk::select::<(String, OrganisationId)>(tx, BY_NUMBER, numbers).await?.into_iter().map(|(n, _)| n).collect();
    let new = brought.into_iter().filter(|(_, number)| !known.contains(number));
    called.extend(new.map(|(name, number)| (name, fresh(), Some(number))));
    let several = meant(called.into_iter().collect()).into_iter();
    let several = several.filter_map(|(name, meant)| match meant {
        Meant::Several(numbers) => Some((name, numbers)),
        Meant::One(_) => None,
    });
    Ok(Firms { several: several.collect(), found: HashMap::new() })
}

/// The firms of some rows; new ones are added.
pub async fn firms(tx: &mut Tx, settings: &Settings, rows: &[&PurchaseRow]) -> Result<Firms, AppError> {
    let wanted: BTreeMap<Firm, &PurchaseRow> = rows.iter().filter_map(|row| Some((Firm::of(row)?, *row))).collect();
    if wanted.is_empty() {
        return Ok(Firms::default());
    }
    // Names are not unique in the database: two firms may share one. Two imports must not make two of one, though.
    tx.lock(&[Key::of("import_organisations", Uuid::nil())]).await?;
    let (mut numbers, mut names): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for firm in wanted.keys() {
        match firm {
            Firm::Number(number) => numbers.push(number.as_str().into()),
            Firm::Name(name) => names.push(name.as_str().into()),
        }
    }
    let (mut found, mut several) = (HashMap::new(), HashMap::new());
    for (number, id) in bulk::select::<(String, OrganisationId)>(tx, BY_NUMBER, numbers).await? {
        found.insert(Firm::Number(number), id);
    }
    for (name, meant) in meant(bulk::select::<Called>(tx, BY_NAME, names).await?) {
        match meant {
            Meant::One(id) => {
                found.insert(Firm::Name(name), id);
            }
            Meant::Several(numbers) => {
                several.insert(name, numbers);
            }
        }
    }
    let mut cells = Vec::new();
    for (firm, row) in wanted {
        let shared = matches!(&firm, Firm::Name(name) if several.contains_key(name));
        if shared || found.contains_key(&firm) {
            continue;
        }
        let id: OrganisationId = fresh();
        let (name, number) = match &firm {
            Firm::Number(number) => (row.organisation.clone().unwrap_or_else(|| number.clone()), Some(number.clone())),
            Firm::Name(name) => (name.clone(), None),
        };
        let alike = likeness(&name);
        cells.push(vec![id.0.into(), name.into(), number.into(), settings.now.into(), alike.into()]);
        found.insert(firm, id);
    }
    bulk::insert(tx, ADD_FIRM, "", cells).await?;
    Ok(Firms { found, several })
}

const ENDED: &str = "select entity_id, customer_id from history \
    where act = 'end_membership' and entity = 'organisation' and customer_id is not null and entity_id in";

/// Buyers become members of the firms that they bought for; owners are named by staff only. Whoever a firm's owner took
/// out of it comes back by an invitation, not by a row that was mended.
pub async fn members(
    tx: &mut Tx,
    settings: &Settings,
    pairs: BTreeSet<(OrganisationId, PersonId)>,
) -> Result<(), AppError> {
    let firms: BTreeSet<OrganisationId> = pairs.iter().map(|(firm, _)| *firm).collect();
    let firms = firms.into_iter().map(|firm| firm.0.into()).collect();
    let ended: BTreeSet<(Uuid, Uuid)> = bulk::select::<(Uuid, Uuid)>(tx, ENDED, firms).await?.into_iter().collect();
    let cells = pairs
        .into_iter()
        .filter(|(firm, person)| !ended.contains(&(firm.0, person.0)))
        .map(|(firm, person)| vec![firm.0.into(), person.0.into(), "member".into(), settings.now.into()])
        .collect();
    bulk::insert(tx, ADD_MEMBER, "on conflict (organisation_id, person_id) do nothing", cells).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_the_firm_without_a_number_or_the_only_one() {
        let id = |n: u128| OrganisationId(Uuid::from_u128(n));
        let of = |firms: &[(u128, Option<&str>)]| {
            let called = firms.iter().map(|(n, number)| ("A".to_owned(), id(*n), number.map(str::to_owned)));
            meant(called.collect()).remove("A").unwrap()
        };
        assert_eq!(of(&[(1, None)]), Meant::One(id(1)));
        assert_eq!(of(&[(1, Some("7"))]), Meant::One(id(1)));
        assert_eq!(of(&[(1, Some("7")), (2, None), (3, Some("8"))]), Meant::One(id(2)));
        assert_eq!(of(&[(2, Some("8")), (1, Some("7"))]), Meant::Several(": 7, 8".to_owned()));
        assert_eq!(of(&[(1, None), (2, None)]), Meant::Several(String::new()));
    }
}
