//! People, their roles and firms in the database.

use crate::{
    access::{Membership, Permit, Role},
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional,
    i18n::Locale,
    people::likeness::likeness,
    server::fresh,
    values::{CountryCode, EmailAddress, LanguageTag, OrganisationId, PersonId},
};
use chrono::{DateTime, Utc};
use leptos_i18n::Locale as _;
use uuid::Uuid;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PersonRow {
    pub id: PersonId,
    pub email: Option<EmailAddress>,
    pub name: String,
    pub phone: Option<String>,
    pub language: Option<String>,
    /// In which language they read when they signed in last: theirs where they never chose one.
    pub reads: Option<String>,
    pub country: Option<CountryCode>,
    pub zone: Option<String>,
    pub staff: bool,
    pub first_signed_in_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub version: i64,
}

/// Somebody new.
#[derive(Clone, Debug, Default)]
pub struct NewPerson {
    pub email: Option<EmailAddress>,
    pub name: String,
    pub phone: Option<String>,
    pub language: Option<LanguageTag>,
    pub country: Option<CountryCode>,
    pub staff: bool,
}

const BY_ID: &str = "select id, email, name, phone, language, reads, country, zone, staff, first_signed_in_at, created_at, version \
    from person where id = $1";
const BY_EMAIL: &str = "select id, email, name, phone, language, reads, country, zone, staff, first_signed_in_at, created_at, version \
    from person where email = $1";
const INSERT: &str = "insert into person (id, email, name, name_lower, phone, language, country, zone, staff, created_at, version) \
    values ($1, $2, $3, $4, $5, $6, $7, null, $8, $9, 1) on conflict (email) do nothing";
const ADD_ROLE: &str = "insert into person_role (person_id, role) values ($1, $2) on conflict do nothing";
const MARK_STAFF: &str = "update person set staff = true, version = version + 1 where id = $1";
const INSERT_ORGANISATION: &str =
    "insert into organisation (id, name, external_id, created_at, likeness) values ($1, $2, $3, $4, $5)";
const ORGANISATIONS_CALLED: &str = "select id, name, external_id from organisation \
    where name = $1 or external_id = $1 or id = $2 order by external_id, id limit 100";
const ADD_MEMBER: &str = "insert into membership (organisation_id, person_id, role, created_at) values ($1, $2, $3, $4) \
    on conflict (organisation_id, person_id) do nothing";
const MAKE_OWNER: &str = "insert into membership (organisation_id, person_id, role, created_at) values ($1, $2, 'owner', $3) \
    on conflict (organisation_id, person_id) do update set role = 'owner'";

const SET_READS: &str = "update person set reads = $2 where id = $1 and coalesce(reads, '') <> $2";

/// Keeps the language in which somebody reads who signs in. Part of that.
pub async fn set_reads(tx: &mut Tx, _: &Permit, id: PersonId, locale: Locale) -> Result<(), AppError> {
    execute!(tx, SET_READS, id, locale.as_str())?;
    Ok(())
}

pub async fn by_id(tx: &mut Tx, id: PersonId) -> Result<Option<PersonRow>, AppError> {
    Ok(fetch_optional!(tx, PersonRow, BY_ID, id)?)
}

pub async fn by_email(tx: &mut Tx, email: &EmailAddress) -> Result<Option<PersonRow>, AppError> {
    Ok(fetch_optional!(tx, PersonRow, BY_EMAIL, email)?)
}

/// Adds a person; an address that is known already gives the person who has it.
pub async fn insert(tx: &mut Tx, _permit: &Permit, new: &NewPerson, now: DateTime<Utc>) -> Result<PersonId, AppError> {
    let id: PersonId = fresh();
    let added = execute!(
        tx,
        INSERT,
        id,
        &new.email,
        &new.name,
        new.name.to_lowercase(),
        &new.phone,
        &new.language,
        new.country,
        new.staff,
        now
    )?;
    match &new.email {
        Some(email) if added == 0 => Ok(by_email(tx, email).await?.ok_or(AppError::Busy)?.id),
        _ => Ok(id),
    }
}

pub async fn add_role(tx: &mut Tx, _permit: &Permit, person: PersonId, role: Role) -> Result<(), AppError> {
    execute!(tx, MARK_STAFF, person)?;
    execute!(tx, ADD_ROLE, person, role.as_str())?;
    Ok(())
}

pub async fn insert_organisation(
    tx: &mut Tx,
    _permit: &Permit,
    name: &str,
    now: DateTime<Utc>,
) -> Result<OrganisationId, AppError> {
    let id: OrganisationId = fresh();
    execute!(tx, INSERT_ORGANISATION, id, name, Option::<String>::None, now, likeness(name))?;
    Ok(id)
}

const WITHOUT_LIKENESS: &str = "select id, name from organisation where likeness is null order by id limit 500";
const SET_LIKENESS: &str = "update organisation set likeness = $2 where id = $1 and likeness is null";

/// Firms of a time before names were compared get their likeness, a batch at a time; gives how many that were.
pub async fn fill_likeness(tx: &mut Tx) -> Result<usize, AppError> {
    let rows = fetch_all!(tx, (OrganisationId, String), WITHOUT_LIKENESS)?;
    for (id, name) in &rows {
        execute!(tx, SET_LIKENESS, *id, likeness(name))?;
    }
    Ok(rows.len())
}

/// A firm as operators tell it from others.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OrganisationRow {
    pub id: OrganisationId,
    pub name: String,
    /// The number that the company gave it (`organisation_id` in files).
    pub external_id: Option<String>,
}

/// The firms that a text may mean: by their exact name, by the company's number, by ours. Several may share a name.
pub async fn organisations_called(tx: &mut Tx, text: &str) -> Result<Vec<OrganisationRow>, AppError> {
    let id: OrganisationId = text.parse().unwrap_or(OrganisationId(Uuid::nil()));
    Ok(fetch_all!(tx, OrganisationRow, ORGANISATIONS_CALLED, text, id)?)
}

/// Makes somebody belong to a firm. An owner stays one.
pub async fn join(
    tx: &mut Tx,
    _permit: &Permit,
    organisation: OrganisationId,
    person: PersonId,
    membership: Membership,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    match membership {
        Membership::Member => execute!(tx, ADD_MEMBER, organisation, person, "member", now)?,
        Membership::Owner => execute!(tx, MAKE_OWNER, organisation, person, now)?,
    };
    Ok(())
}
