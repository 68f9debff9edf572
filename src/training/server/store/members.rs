//! The people of a firm, and whom its owner asked to join it.

use super::parties::Named;
use crate::{
    access::Permit,
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    training::domain::team::{InvitationState, Standing},
    values::{EmailAddress, InvitationId, OrganisationId, PersonId},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Somebody of a firm, or somebody who is asked to be.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TeamMemberRow {
    /// Of the person; of whoever is only invited, of the invitation.
    pub id: Uuid,
    pub name: String,
    /// Of whoever is only invited: the owner has typed it.
    pub email: String,
    #[sqlx(try_from = "String")]
    pub standing: Standing,
    pub since: DateTime<Utc>,
}

const TEAM: &str = "select id, name, email, standing, since from (select p.id, p.name, p.name_lower as folded, \
    cast('' as text) as email, m.role as standing, m.created_at as since from membership m \
    join person p on p.id = m.person_id where m.organisation_id = $1 and p.erased_at is null \
    union all select i.id, i.name, lower(i.name) as folded, i.email, cast('invited' as text) as standing, \
    i.created_at as since from team_invitation i where i.organisation_id = $1 and i.state = 'open' \
    union all select o.id, o.name, o.name as folded, cast('' as text) as email, cast('firm' as text) as standing, \
    o.created_at as since from organisation o where o.id = $1 or o.id in (select b.organisation_id from membership b \
    where b.person_id = $2 and b.role = 'owner')) as team \
    order by case when standing = 'firm' then 0 else 1 end, folded, id limit 1000";
const MEMBER: &str = "select p.id, p.name, cast('' as text) as email, m.role as standing, m.created_at as since \
    from membership m join person p on p.id = m.person_id where m.organisation_id = $1 and m.person_id = $2";

/// Everybody of a firm and everybody who is asked, by name; before them the firm itself with its name, and the others
/// that `owner` owns.
pub async fn team(
    tx: &mut Tx,
    firm: OrganisationId,
    owner: Option<PersonId>,
) -> Result<(Vec<Named<OrganisationId>>, Vec<TeamMemberRow>), AppError> {
    let (mut firms, mut team) = (Vec::new(), Vec::new());
    for (id, name, email, standing, since) in
        fetch_all!(tx, (Uuid, String, String, String, DateTime<Utc>), TEAM, firm, owner)?
    {
        match standing.parse() {
            Ok(standing) => team.push(TeamMemberRow { id, name, email, standing, since }),
            Err(_) => firms.push((OrganisationId(id), name)),
        }
    }
    firms.sort_by_key(|(id, _)| *id != firm);
    Ok((firms, team))
}

pub async fn member(tx: &mut Tx, firm: OrganisationId, person: PersonId) -> Result<Option<TeamMemberRow>, AppError> {
    Ok(fetch_optional!(tx, TeamMemberRow, MEMBER, firm, person)?)
}

const HAS_ADDRESS: &str = "select m.person_id from membership m join person p on p.id = m.person_id \
    where m.organisation_id = $1 and p.email = $2";

/// Whether somebody of the firm has the address.
pub async fn has_address(tx: &mut Tx, firm: OrganisationId, email: &EmailAddress) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, PersonId, HAS_ADDRESS, firm, email)?.is_some())
}

const END: &str = "delete from membership where organisation_id = $1 and person_id = $2 and role = $3";

/// Ends a membership; false where there is none.
pub async fn end_membership(
    tx: &mut Tx,
    _: &Permit,
    firm: OrganisationId,
    person: PersonId,
    standing: Standing,
) -> Result<bool, AppError> {
    Ok(execute!(tx, END, firm, person, standing.as_str())? == 1)
}

const OTHER_OWNERS: &str = "select p.id, p.name from membership m join person p on p.id = m.person_id \
    where m.organisation_id = $1 and m.person_id <> $2 and m.role = 'owner' and p.erased_at is null \
    order by m.created_at, m.person_id";

/// The owners of a firm beside one person, the first one first.
pub async fn other_owners(
    tx: &mut Tx,
    firm: OrganisationId,
    person: PersonId,
) -> Result<Vec<Named<PersonId>>, AppError> {
    Ok(fetch_all!(tx, Named<PersonId>, OTHER_OWNERS, firm, person)?)
}

/// Somebody who is asked to join a firm.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct InvitationRow {
    pub id: InvitationId,
    pub organisation_id: OrganisationId,
    pub organisation_name: String,
    pub email: EmailAddress,
    pub name: String,
    pub invited_by: PersonId,
    pub owner_name: String,
    #[sqlx(try_from = "String")]
    pub state: InvitationState,
}

const INVITATION: &str = "select i.id, i.organisation_id, o.name as organisation_name, i.email, i.name, i.invited_by, \
    p.name as owner_name, i.state from team_invitation i join organisation o on o.id = i.organisation_id \
    join person p on p.id = i.invited_by where i.id = $1";
const OPEN_TO: &str = "select id from team_invitation where organisation_id = $1 and email = $2 and state = 'open'";
const OPEN: &str = "select cast(count(*) as bigint) from team_invitation where organisation_id = $1 and state = 'open'";
const INSERT: &str = "insert into team_invitation (id, organisation_id, email, name, invited_by, state, created_at, changed_at) \
    values ($1, $2, $3, $4, $5, 'open', $6, $6)";
const MOVE: &str = "update team_invitation set state = $2, changed_at = $3 where id = $1 and state = 'open'";

pub async fn invitation(tx: &mut Tx, id: InvitationId) -> Result<InvitationRow, AppError> {
    fetch_optional!(tx, InvitationRow, INVITATION, id)?.ok_or(AppError::NotFound)
}

/// The open invitation of an address to a firm.
pub async fn open_to(
    tx: &mut Tx,
    firm: OrganisationId,
    email: &EmailAddress,
) -> Result<Option<InvitationId>, AppError> {
    Ok(fetch_scalar!(tx, InvitationId, OPEN_TO, firm, email)?)
}

/// How many invitations of a firm are open.
pub async fn how_many_open(tx: &mut Tx, firm: OrganisationId) -> Result<i64, AppError> {
    Ok(fetch_scalar!(tx, i64, OPEN, firm)?.unwrap_or(0))
}

/// Somebody new to ask.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    pub id: InvitationId,
    pub firm: OrganisationId,
    pub email: EmailAddress,
    pub name: String,
    pub by: PersonId,
}

pub async fn insert_invitation(
    tx: &mut Tx,
    _: &Permit,
    new: &NewInvitation,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(tx, INSERT, new.id, new.firm, &new.email, &new.name, new.by, now)?;
    Ok(())
}

/// Ends an open invitation.
pub async fn end_invitation(
    tx: &mut Tx,
    _: &Permit,
    id: InvitationId,
    to: InvitationState,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    match execute!(tx, MOVE, id, to.as_str(), now)? {
        1 => Ok(()),
        _ => Err(AppError::Busy),
    }
}

const RENAME: &str = "update person set name = $2, name_lower = $3, version = version + 1 where id = $1 and name = $4";

/// Who never said their name, and is called by their address, gets the one that they were invited by.
pub async fn name_person(
    tx: &mut Tx,
    _: &Permit,
    person: PersonId,
    email: &EmailAddress,
    name: &str,
) -> Result<(), AppError> {
    let unnamed = email.as_str().split('@').next().unwrap_or_default();
    execute!(tx, RENAME, person, name, name.to_lowercase(), unnamed)?;
    Ok(())
}
