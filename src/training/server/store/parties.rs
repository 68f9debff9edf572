//! Groups: their places, named or not, in one list; the line through which they are served; who was passed over.

use super::{COUNT, counted};
use crate::{
    access::Permit,
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional, fetch_scalar,
    server::fresh,
    training::domain::{EnrolmentState, Skipped},
    values::{BenefitId, ClassId, Currency, EnrolmentId, OrganisationId, PartyId, PersonId, SkipId},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A group as it enrolled.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PartyRow {
    pub id: PartyId,
    pub class_id: ClassId,
    pub organisation_id: OrganisationId,
    pub organisation_name: String,
    pub owner_id: PersonId,
    pub together: bool,
    pub gathered: i64,
    pub size: i64,
    pub created_at: DateTime<Utc>,
}

/// One place in a class, of somebody or without a name yet.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PlaceRow {
    pub id: EnrolmentId,
    pub class_id: ClassId,
    pub party_id: Option<PartyId>,
    pub person_id: Option<PersonId>,
    pub person_name: Option<String>,
    #[sqlx(try_from = "String")]
    pub state: EnrolmentState,
    pub queue_number: Option<i64>,
    pub offered_until: Option<DateTime<Utc>>,
    pub benefit_id: Option<BenefitId>,
    pub price_minor: i64,
    pub price_currency: Currency,
}

impl PlaceRow {
    /// As history and the calendar know it.
    pub fn entity(&self) -> &'static str {
        if self.person_id.is_some() { "enrolment" } else { "unnamed_seat" }
    }
}

macro_rules! party {
    ($rest:literal) => {
        concat!(
            "select y.id, y.class_id, y.organisation_id, o.name as organisation_name, y.owner_id, y.together, y.gathered, ",
            "y.size, y.created_at from party y join organisation o on o.id = y.organisation_id ",
            $rest
        )
    };
}

/// The places that `$condition` chooses, out of both tables: `x` stands for either.
macro_rules! places {
    ($condition:literal, $order:literal) => {
        concat!(
            "select x.id, x.class_id, x.party_id, x.person_id, p.name as person_name, x.state, x.queue_number, ",
            "x.offered_until, x.benefit_id, x.price_minor, x.price_currency, x.created_at ",
            "from enrolment x join person p on p.id = x.person_id where ",
            $condition,
            " union all select x.id, x.class_id, x.party_id, cast(null as uuid), cast(null as text), x.state, ",
            "x.queue_number, x.offered_until, x.benefit_id, x.price_minor, x.price_currency, x.created_at ",
            "from unnamed_seat x where ",
            $condition,
            $order
        )
    };
}

const PARTY: &str = party!("where y.id = $1");
const OF_FIRM: &str = party!("where y.class_id = $1 and y.organisation_id = $2 order by y.created_at, y.id limit 200");
const OF_CLASS: &str = party!("where y.class_id = $1 order by y.created_at, y.id limit 500");
const GATHERING: &str = party!("where y.class_id = $1 and y.gathered > 0 order by y.id");
const PLACES: &str = places!(
    "x.party_id = $1 and x.state in ('waitlisted', 'offered', 'booked')",
    " order by queue_number nulls first, created_at, id"
);
const PLACE: &str = places!("x.id = $1", " limit 1");
const BEFORE: &str =
    places!("x.class_id = $1 and x.state = 'waitlisted' and x.queue_number < $2", " order by queue_number, id");
const WAITS_FOR: &str = "select x.id, x.class_id, x.party_id, x.person_id, p.name as person_name, x.state, x.queue_number, \
    x.offered_until, x.benefit_id, x.price_minor, x.price_currency from enrolment x join person p on p.id = x.person_id \
    join party y on y.id = x.party_id where y.organisation_id = $1 and x.person_id = $2 \
    and x.state in ('waitlisted', 'offered') order by x.class_id, x.id";
const OVER: &str =
    places!("x.class_id = $1 and x.state = 'offered' and x.offered_until <= $2", " order by queue_number, id");
const UNNAMED_OF_CLASS: &str = "select x.id, x.class_id, x.party_id, cast(null as uuid) as person_id, \
    cast(null as text) as person_name, x.state, x.queue_number, x.offered_until, x.benefit_id, x.price_minor, \
    x.price_currency from unnamed_seat x where x.class_id = $1 and x.state in ('waitlisted', 'offered', 'booked') \
    order by x.queue_number nulls first, x.created_at, x.id";
const NEXT: &str = "select id, class_id, party_id, person_id, person_name, state, queue_number, offered_until, benefit_id, \
    price_minor, price_currency from ( \
    select * from (select x.id, x.class_id, x.party_id, x.person_id, p.name as person_name, x.state, x.queue_number, \
    x.offered_until, x.benefit_id, x.price_minor, x.price_currency from enrolment x join person p on p.id = x.person_id \
    where x.class_id = $1 and x.state = 'waitlisted' and x.queue_number > $2 order by x.queue_number limit 1) as named \
    union all \
    select * from (select x.id, x.class_id, x.party_id, cast(null as uuid) as person_id, cast(null as text) as person_name, \
    x.state, x.queue_number, x.offered_until, x.benefit_id, x.price_minor, x.price_currency from unnamed_seat x \
    where x.class_id = $1 and x.state = 'waitlisted' and x.queue_number > $2 order by x.queue_number limit 1) as unnamed \
    ) as line order by queue_number limit 1";

pub async fn party(tx: &mut Tx, id: PartyId) -> Result<PartyRow, AppError> {
    fetch_optional!(tx, PartyRow, PARTY, id)?.ok_or(AppError::NotFound)
}

/// The groups of a firm in a class.
pub async fn of_firm(tx: &mut Tx, class: ClassId, firm: OrganisationId) -> Result<Vec<PartyRow>, AppError> {
    Ok(fetch_all!(tx, PartyRow, OF_FIRM, class, firm)?)
}

const FIRMS_HERE: &str = "select y.organisation_id, cast(max(x.offered) as bigint) as offered from party y join (\
    select party_id, case state when 'offered' then 1 else 0 end as offered from enrolment \
    where state in ('waitlisted', 'offered', 'booked') union all \
    select party_id, case state when 'offered' then 1 else 0 end from unnamed_seat \
    where state in ('waitlisted', 'offered', 'booked')) x on x.party_id = y.id \
    join membership b on b.organisation_id = y.organisation_id and b.person_id = $2 and b.role = 'owner' \
    where y.class_id = $1 group by y.organisation_id order by 2 desc, 1";

/// The firms of an owner that have anything in a class, first whichever has something to answer.
pub async fn firms_here(tx: &mut Tx, class: ClassId, owner: PersonId) -> Result<Vec<OrganisationId>, AppError> {
    let rows = fetch_all!(tx, (OrganisationId, i64), FIRMS_HERE, class, owner)?;
    Ok(rows.into_iter().map(|(firm, _)| firm).collect())
}

/// All groups of a class.
pub async fn parties(tx: &mut Tx, class: ClassId) -> Result<Vec<PartyRow>, AppError> {
    Ok(fetch_all!(tx, PartyRow, OF_CLASS, class)?)
}

/// The groups for which seats are held while they wait.
pub async fn gathering(tx: &mut Tx, class: ClassId) -> Result<Vec<PartyRow>, AppError> {
    Ok(fetch_all!(tx, PartyRow, GATHERING, class)?)
}

/// What a group has now: seats, offers, places in line, in the order of the line.
pub async fn places(tx: &mut Tx, party: PartyId) -> Result<Vec<PlaceRow>, AppError> {
    Ok(fetch_all!(tx, PlaceRow, PLACES, party)?)
}

/// One place, ended or not.
pub async fn place(tx: &mut Tx, id: EnrolmentId) -> Result<PlaceRow, AppError> {
    fetch_optional!(tx, PlaceRow, PLACE, id)?.ok_or(AppError::NotFound)
}

/// Everything that waits before a number of the line, named or not.
pub async fn before(tx: &mut Tx, class: ClassId, number: i64) -> Result<Vec<PlaceRow>, AppError> {
    Ok(fetch_all!(tx, PlaceRow, BEFORE, class, number)?)
}

/// The places in line and the offers that a firm has for somebody.
pub async fn waits_for(tx: &mut Tx, firm: OrganisationId, person: PersonId) -> Result<Vec<PlaceRow>, AppError> {
    Ok(fetch_all!(tx, PlaceRow, WAITS_FOR, firm, person)?)
}

const CLASSES_OF_OWNER: &str = "select distinct y.class_id from party y join class c on c.id = y.class_id \
    where y.organisation_id = $1 and y.owner_id = $2 and c.state in ('open', 'running')";
const PASS: &str = "update party set owner_id = $3 where organisation_id = $1 and owner_id = $2";

/// The classes that are not over in which an owner answers for groups of a firm.
pub async fn classes_of_owner(tx: &mut Tx, firm: OrganisationId, owner: PersonId) -> Result<Vec<ClassId>, AppError> {
    Ok(fetch_all!(tx, (ClassId,), CLASSES_OF_OWNER, firm, owner)?.into_iter().map(|(id,)| id).collect())
}

/// Another owner answers for the groups of a firm from now on; gives how many those are. The caller holds the classes.
pub async fn pass(
    tx: &mut Tx,
    _: &Permit,
    firm: OrganisationId,
    from: PersonId,
    to: PersonId,
) -> Result<u64, AppError> {
    Ok(execute!(tx, PASS, firm, from, to)?)
}

/// All places of a class that have no name.
pub async fn unnamed(tx: &mut Tx, class: ClassId) -> Result<Vec<PlaceRow>, AppError> {
    Ok(fetch_all!(tx, PlaceRow, UNNAMED_OF_CLASS, class)?)
}

/// The offers of a class whose time is over.
pub async fn over(tx: &mut Tx, class: ClassId, now: DateTime<Utc>) -> Result<Vec<PlaceRow>, AppError> {
    Ok(fetch_all!(tx, PlaceRow, OVER, class, now)?)
}

/// The first in line behind a number.
pub async fn next_in_line(tx: &mut Tx, class: ClassId, after: i64) -> Result<Option<PlaceRow>, AppError> {
    Ok(fetch_optional!(tx, PlaceRow, NEXT, class, after)?)
}

const INSERT_PARTY: &str = "insert into party (id, class_id, organisation_id, owner_id, together, gathered, size, created_at) \
    values ($1, $2, $3, $4, $5, 0, $6, $7)";
const GATHER: &str = "update party set gathered = $2 where id = $1";
const HOLD: &str = "update class set held = held + $2 where id = $1";
const ATTACH: &str = "update enrolment set party_id = $2 where id = $1";
const DETACH: &str = "update enrolment set party_id = null, organisation_id = null where id = $1";
const INSERT_UNNAMED: &str = "insert into unnamed_seat (id, party_id, class_id, state, queue_number, offered_until, benefit_id, \
    price_minor, price_currency, created_at, changed_at) values ($1, $2, $3, $4, $5, $6, null, 0, $7, $8, $8)";
const DELETE_UNNAMED: &str = "delete from unnamed_seat where id = $1";
const TAKE: &str = "update class set taken = taken + $2 \
    where id = $1 and state = 'open' and taken + held + $2 <= capacity - guests and (waiting = 0 or $3)";

/// A new group.
#[derive(Clone, Debug)]
pub struct NewParty {
    pub id: PartyId,
    pub class: ClassId,
    pub firm: OrganisationId,
    pub owner: PersonId,
    pub together: bool,
    pub size: i64,
}

pub async fn insert_party(tx: &mut Tx, _: &Permit, new: &NewParty, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, INSERT_PARTY, new.id, new.class, new.firm, new.owner, new.together, new.size, now)?;
    Ok(())
}

/// Holds so many seats for a group that waits, instead of those that were held before.
pub async fn gather(tx: &mut Tx, _: &Permit, party: &PartyRow, seats: i64) -> Result<(), AppError> {
    if party.gathered != seats {
        execute!(tx, GATHER, party.id, seats)?;
        execute!(tx, HOLD, party.class_id, seats - party.gathered)?;
    }
    Ok(())
}

/// Puts somebody's place into a group.
pub async fn attach(tx: &mut Tx, _: &Permit, id: EnrolmentId, party: PartyId) -> Result<(), AppError> {
    execute!(tx, ATTACH, id, party)?;
    Ok(())
}

/// Takes somebody's place out of its group: it is not the firm's any more.
pub async fn detach(tx: &mut Tx, _: &Permit, id: EnrolmentId) -> Result<(), AppError> {
    execute!(tx, DETACH, id)?;
    Ok(())
}

/// Takes so many seats at once if they are free: not past those who wait, unless the waitlist is closed.
pub async fn take_seats(tx: &mut Tx, _: &Permit, class: ClassId, seats: i64, frozen: bool) -> Result<bool, AppError> {
    Ok(execute!(tx, TAKE, class, seats, frozen)? == 1)
}

const HOLD_SEATS: &str = "update class set held = held + $2 \
    where id = $1 and state = 'open' and taken + held + $2 <= capacity - guests and waiting = 0";

/// Holds so many seats for a group from outside of the line.
pub async fn hold_seats(tx: &mut Tx, _: &Permit, class: ClassId, seats: i64) -> Result<bool, AppError> {
    Ok(execute!(tx, HOLD_SEATS, class, seats)? == 1)
}

/// A place without a name; the class's counter has been moved already.
#[derive(Clone, Debug)]
pub struct NewUnnamed {
    pub id: EnrolmentId,
    pub party: PartyId,
    pub class: ClassId,
    pub state: EnrolmentState,
    pub queue_number: Option<i64>,
    pub offered_until: Option<DateTime<Utc>>,
    pub currency: Currency,
}

pub async fn insert_unnamed(tx: &mut Tx, _: &Permit, new: &NewUnnamed, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(
        tx,
        INSERT_UNNAMED,
        new.id,
        new.party,
        new.class,
        new.state.as_str(),
        new.queue_number,
        new.offered_until,
        new.currency,
        now
    )?;
    Ok(())
}

const MOVE_NAMED: &str = "update enrolment set state = $3, offered_until = $4, ended_because = $5, changed_at = $6 \
    where id = $1 and state = $2";
const MOVE_UNNAMED: &str =
    "update unnamed_seat set state = $3, offered_until = $4, changed_at = $5 where id = $1 and state = $2";

/// Moves a place from one state to another, with the class's counters.
pub async fn move_place(
    tx: &mut Tx,
    _: &Permit,
    place: &PlaceRow,
    to: EnrolmentState,
    until: Option<DateTime<Utc>>,
    because: Option<crate::training::domain::Ending>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let from = place.state.as_str();
    let rows = match place.person_id {
        Some(_) => {
            let because = because.map(crate::training::domain::Ending::as_str);
            execute!(tx, MOVE_NAMED, place.id, from, to.as_str(), until, because, now)?
        }
        None => execute!(tx, MOVE_UNNAMED, place.id, from, to.as_str(), until, now)?,
    };
    if rows != 1 {
        return Err(AppError::Busy);
    }
    let (was, is) = (counted(place.state), counted(to));
    execute!(tx, COUNT, place.class_id, is.0 - was.0, is.1 - was.1, is.2 - was.2)?;
    Ok(())
}

const PROLONG_NAMED: &str = "update enrolment set offered_until = $2, changed_at = $3 where party_id = $1 and state = 'offered' and offered_until <> $2";
const PROLONG_UNNAMED: &str = "update unnamed_seat set offered_until = $2, changed_at = $3 where party_id = $1 and state = 'offered' and offered_until <> $2";
const OFFERED_UNTIL: &str = "select min(offered_until) from (select offered_until from enrolment where party_id = $1 \
    and state = 'offered' union all select offered_until from unnamed_seat where party_id = $1 and state = 'offered') h";

/// When the offer ends that a group has; none where it has none.
pub async fn offered_until(tx: &mut Tx, party: PartyId) -> Result<Option<DateTime<Utc>>, AppError> {
    Ok(fetch_scalar!(tx, Option<DateTime<Utc>>, OFFERED_UNTIL, party)?.flatten())
}

/// All that is offered to a group has one deadline.
pub async fn one_deadline(
    tx: &mut Tx,
    _: &Permit,
    party: PartyId,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(tx, PROLONG_NAMED, party, until, now)?;
    execute!(tx, PROLONG_UNNAMED, party, until, now)?;
    Ok(())
}

const COST_UNNAMED: &str =
    "update unnamed_seat set benefit_id = $2, price_minor = $3, price_currency = $4 where id = $1";

/// Keeps what a place without a name was agreed to cost.
pub async fn set_unnamed_cost(
    tx: &mut Tx,
    _: &Permit,
    id: EnrolmentId,
    benefit: Option<BenefitId>,
    minor: i64,
    currency: Currency,
) -> Result<(), AppError> {
    execute!(tx, COST_UNNAMED, id, benefit, minor, currency)?;
    Ok(())
}

const INSERT_NAMED: &str = "insert into enrolment (id, class_id, person_id, organisation_id, party_id, state, queue_number, \
    offered_until, benefit_id, price_minor, price_currency, created_at, changed_at, offer_freezes_at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, \
    coalesce((select offer_freezes_at from enrolment where id = $13), (select offer_freezes_at from unnamed_seat where id = $13)))";
const END_SWAPPED: &str = "update enrolment set state = 'cancelled', offered_until = null, ended_because = 'cancelled', \
    changed_at = $3 where id = $1 and state = $2";

/// Somebody gets a place as it stands: one without a name, which keeps its id, or somebody else's, which ends.
pub async fn hand_over(
    tx: &mut Tx,
    _: &Permit,
    place: &PlaceRow,
    new: EnrolmentId,
    person: PersonId,
    firm: OrganisationId,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    // Under which freeze it was offered goes along.
    execute!(
        tx,
        INSERT_NAMED,
        new,
        place.class_id,
        person,
        firm,
        place.party_id,
        place.state.as_str(),
        place.queue_number,
        place.offered_until,
        place.benefit_id,
        place.price_minor,
        place.price_currency,
        now,
        place.id
    )?;
    match place.person_id {
        None => execute!(tx, DELETE_UNNAMED, place.id)?,
        Some(_) => execute!(tx, END_SWAPPED, place.id, place.state.as_str(), now)?,
    };
    Ok(())
}

/// A group that was passed over.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SkipRow {
    pub organisation_name: String,
    #[sqlx(flatten)]
    pub skip: Skip,
}

/// Why and when a group was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Skip {
    #[sqlx(try_from = "String")]
    pub reason: Skipped,
    pub needed: i64,
    pub free: i64,
    pub at: DateTime<Utc>,
}

const INSERT_SKIP: &str = "insert into line_skip (id, class_id, party_id, reason, needed, free, served_id, at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8)";
const SKIPS: &str = "select o.name as organisation_name, s.reason, s.needed, s.free, s.at from line_skip s \
    join party y on y.id = s.party_id join organisation o on o.id = y.organisation_id \
    where s.class_id = $1 order by s.at desc, s.id desc limit 50";
const SKIPS_OF_PARTY: &str =
    "select reason, needed, free, at from line_skip where party_id = $1 order by at desc, id desc limit 50";

const OUT_OF_TURN: &str = "select distinct why, at from seat_skip where party_id = $1 order by at desc, why limit 50";

/// When and why staff seated somebody before those of a group that wait.
pub async fn out_of_turn(tx: &mut Tx, party: PartyId) -> Result<Vec<(String, DateTime<Utc>)>, AppError> {
    Ok(fetch_all!(tx, (String, DateTime<Utc>), OUT_OF_TURN, party)?)
}

/// A group that is passed over, before it is known for whom.
#[derive(Clone, Copy, Debug)]
pub struct NewSkip {
    pub party: PartyId,
    pub reason: Skipped,
    pub needed: i64,
    pub free: i64,
}

/// Writes down that a group was passed over, and for which place.
pub async fn insert_skip(
    tx: &mut Tx,
    _: &Permit,
    class: ClassId,
    skip: NewSkip,
    served: Option<EnrolmentId>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let id: SkipId = fresh();
    let NewSkip { party, reason, needed, free } = skip;
    execute!(tx, INSERT_SKIP, id, class, party, reason.as_str(), needed, free, served, now)?;
    Ok(())
}

/// Who was passed over in a class, latest first.
pub async fn skips(tx: &mut Tx, class: ClassId) -> Result<Vec<SkipRow>, AppError> {
    Ok(fetch_all!(tx, SkipRow, SKIPS, class)?)
}

/// How often and why a group was passed over.
pub async fn skips_of(tx: &mut Tx, party: PartyId) -> Result<Vec<Skip>, AppError> {
    Ok(fetch_all!(tx, Skip, SKIPS_OF_PARTY, party)?)
}

const MEMBERS: &str = "select p.id, p.name from membership m join person p on p.id = m.person_id \
    where m.organisation_id = $1 and p.erased_at is null order by p.name_lower, p.id limit 500";
const FIRMS_AND_MEMBERS: &str = "select 'firm' as kind, o.id, o.name, o.name as place from membership b \
    join organisation o on o.id = b.organisation_id where b.person_id = $1 and b.role = 'owner' \
    union all select 'member', p.id, p.name, p.name_lower from membership m join person p on p.id = m.person_id \
    where m.organisation_id = $2 and p.erased_at is null order by 1, 4, 2 limit 600";
const FIRM_NAME: &str = "select name from organisation where id = $1";

/// The people of a firm.
pub async fn members(tx: &mut Tx, firm: OrganisationId) -> Result<Vec<(PersonId, String)>, AppError> {
    Ok(fetch_all!(tx, (PersonId, String), MEMBERS, firm)?)
}

/// Identity and name.
pub type Named<Id> = (Id, String);

/// The firms that a person owns, the chosen one first, and the people of that.
pub async fn firms_and_members(
    tx: &mut Tx,
    owner: PersonId,
    chosen: OrganisationId,
) -> Result<(Vec<Named<OrganisationId>>, Vec<Named<PersonId>>), AppError> {
    let (mut firms, mut members) = (Vec::new(), Vec::new());
    for (kind, id, name, _) in fetch_all!(tx, (String, Uuid, String, String), FIRMS_AND_MEMBERS, owner, chosen)? {
        match kind.as_str() {
            "firm" => firms.push((OrganisationId(id), name)),
            _ => members.push((PersonId(id), name)),
        }
    }
    firms.sort_by_key(|(id, _)| *id != chosen);
    Ok((firms, members))
}

pub async fn firm_name(tx: &mut Tx, firm: OrganisationId) -> Result<String, AppError> {
    fetch_scalar!(tx, String, FIRM_NAME, firm)?.ok_or(AppError::NotFound)
}
