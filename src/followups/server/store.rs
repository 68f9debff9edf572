//! What is kept of follow-ups, and the one query that finds what somebody forgot.

use crate::{
    access::Permit,
    charges::domain::Refund,
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_one, fetch_scalar,
    followups::domain::{Neglect, OpenThing, Outcome, neglect},
    server::Cx,
    values::{FollowUpId, PersonId},
};
use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use uuid::Uuid;

/// A planned contact as it is read.
#[derive(Clone, PartialEq, Debug, sqlx::FromRow)]
pub struct FollowUp {
    pub id: FollowUpId,
    pub customer_id: PersonId,
    pub customer_name: String,
    pub owner_id: Option<PersonId>,
    pub owner_name: Option<String>,
    pub what: String,
    pub due_at: Option<DateTime<Utc>>,
    pub planned_at: DateTime<Utc>,
    pub done_at: Option<DateTime<Utc>>,
    pub outcome: Option<String>,
    /// It is about a registration that nobody has decided: only this contact keeps that from being forgotten.
    pub undecided: bool,
}

macro_rules! select_follow_up {
    ($rest:literal) => {
        concat!(
            "select f.id, f.customer_id, p.name as customer_name, f.owner_id, o.name as owner_name, f.what, f.due_at, f.planned_at, \
             f.done_at, f.outcome, exists (select 1 from registration g where f.entity = 'registration' and g.id = f.entity_id \
             and g.state in ('open', 'disputed')) as undecided from follow_up f join person p on p.id = f.customer_id left join person o on o.id = f.owner_id ",
            $rest
        )
    };
}

const FIND: &str = select_follow_up!("where f.id = $1");

pub async fn find(tx: &mut Tx, id: FollowUpId) -> Result<FollowUp, AppError> {
    Ok(fetch_one!(tx, FollowUp, FIND, id)?)
}

const OF_CUSTOMER: &str = select_follow_up!("where f.customer_id = $1 order by f.planned_at desc, f.id desc limit $2");

/// A customer's follow-ups, the latest first.
pub async fn of_customer(tx: &mut Tx, customer: PersonId, most: i64) -> Result<Vec<FollowUp>, AppError> {
    Ok(fetch_all!(tx, FollowUp, OF_CUSTOMER, customer, most)?)
}

const OF_OWNER: &str =
    select_follow_up!("where f.owner_id = $1 and f.done_at is null order by f.due_at, f.id limit $2");

/// What a member of staff has planned and not done, the nearest first.
pub async fn of_owner(tx: &mut Tx, owner: PersonId, most: i64) -> Result<Vec<FollowUp>, AppError> {
    Ok(fetch_all!(tx, FollowUp, OF_OWNER, owner, most)?)
}

/// What a new follow-up is made of.
#[derive(Clone, Debug)]
pub struct NewFollowUp {
    pub id: FollowUpId,
    pub customer: PersonId,
    pub owner: PersonId,
    pub what: String,
    pub about: Option<(&'static str, Uuid)>,
    pub due: DateTime<Utc>,
}

const INSERT: &str = "insert into follow_up (id, customer_id, owner_id, what, entity, entity_id, due_at, planned_by, planned_at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

pub async fn insert(
    tx: &mut Tx,
    _: &Permit,
    new: &NewFollowUp,
    by: Option<PersonId>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let (entity, entity_id) = new.about.unzip();
    execute!(tx, INSERT, new.id, new.customer, new.owner, new.what.as_str(), entity, entity_id, new.due, by, now)?;
    Ok(())
}

const TAKE: &str = "update follow_up set owner_id = $2, due_at = $3 where id = $1 and done_at is null";

/// Gives an open follow-up an owner and a due time; false where it is done already.
pub async fn take(
    tx: &mut Tx,
    _: &Permit,
    id: FollowUpId,
    owner: PersonId,
    due: DateTime<Utc>,
) -> Result<bool, AppError> {
    Ok(execute!(tx, TAKE, id, owner, due)? == 1)
}

const DONE: &str = "update follow_up set done_at = $2, outcome = $3 where id = $1 and done_at is null";

/// Notes how it ended; false where it is done already.
pub async fn done(
    tx: &mut Tx,
    _: &Permit,
    id: FollowUpId,
    outcome: Outcome,
    now: DateTime<Utc>,
) -> Result<bool, AppError> {
    Ok(execute!(tx, DONE, id, now, outcome.as_str())? == 1)
}

const DONE_ABOUT: &str =
    "update follow_up set done_at = $3, outcome = 'reached' where entity = $1 and entity_id = $2 and done_at is null";

/// A thing that found its end needs no follow-up any more.
pub async fn done_about(tx: &mut Tx, _: &Permit, entity: &str, id: Uuid, now: DateTime<Utc>) -> Result<(), AppError> {
    execute!(tx, DONE_ABOUT, entity, id, now)?;
    Ok(())
}

/// Something that a customer has open and that somebody forgot.
#[derive(Clone, PartialEq, Debug)]
pub struct Neglected {
    pub entity: &'static str,
    pub id: Uuid,
    pub customer: PersonId,
    pub customer_name: String,
    pub title: String,
    pub owner_name: Option<String>,
    pub since: DateTime<Utc>,
    pub why: Neglect,
    /// The last part of its address, where that is not its identity.
    pub path: Option<String>,
}

#[derive(sqlx::FromRow)]
struct NeglectedRow {
    id: Uuid,
    customer_id: PersonId,
    customer_name: String,
    title: String,
    owner_id: Option<PersonId>,
    owner_name: Option<String>,
    has_step: bool,
    due_at: Option<DateTime<Utc>>,
    since: DateTime<Utc>,
    path: Option<String>,
}

/// How long a thing may be open before it is forgotten.
enum Has {
    Time(TimeDelta),
    /// Until the day has passed by which money is promised back, in the company's days.
    DaysToPayBack,
}

impl Has {
    /// What was due before this is late now.
    fn before(&self, cx: &Cx) -> DateTime<Utc> {
        match self {
            Self::Time(time) => cx.now - *time,
            Self::DaysToPayBack => {
                let first = Refund::late_before(cx.today()).and_time(NaiveTime::MIN);
                let begins = cx.company_zone().from_local_datetime(&first).earliest();
                begins.map_or_else(|| first.and_utc(), |at| at.with_timezone(&Utc))
            }
        }
    }
}

/// A kind of thing that can be open: its query binds `$1` now, less the time that it has, and `$2` how many, in the order of
/// the list: what of [`Neglect`] it is, the worst first, then the oldest.
struct Source {
    entity: &'static str,
    has: Has,
    sql: &'static str,
}

/// An owner who has left no longer owns. A follow-up that is planned, owned and still to come keeps a thing off the list.
/// A registration has its owner and its time by its follow-up alone, which stands here itself once it is late.
const SOURCES: &[Source] = &[
    Source {
        entity: "case",
        has: Has::Time(TimeDelta::zero()),
        sql: "select c.id, c.customer_id, p.name as customer_name, c.subject as title, o.id as owner_id, o.name as owner_name, \
            c.next_step is not null as has_step, c.next_due_at as due_at, c.opened_at as since, cast(null as text) as path \
            from care_case c join person p on p.id = c.customer_id \
            left join person o on o.id = c.owner_id and exists (select 1 from person_role r where r.person_id = o.id) \
            where c.state in ('open', 'waiting_for_you') \
            and (o.id is null or c.next_step is null or c.next_due_at is null or c.next_due_at < $1) \
            and not exists (select 1 from follow_up f where f.entity = 'case' and f.entity_id = c.id and f.done_at is null \
                and f.owner_id is not null and f.due_at >= $1 and c.owner_id is not null) \
            order by case when o.id is null then 0 when c.next_step is null then 1 when c.next_due_at is null then 2 else 3 end, \
                c.opened_at, c.id limit $2",
    },
    Source {
        entity: "repair",
        has: Has::Time(TimeDelta::zero()),
        sql: "select r.id, r.person_id as customer_id, p.name as customer_name, r.item_name as title, o.id as owner_id, \
            o.name as owner_name, r.next_step is not null as has_step, r.next_due as due_at, r.created_at as since, r.rma as path \
            from repair r join person p on p.id = r.person_id \
            left join person o on o.id = r.technician_id and exists (select 1 from person_role t where t.person_id = o.id) \
            where r.state not in ('handed_back', 'closed', 'cancelled', 'not_repairable') \
            and (o.id is null or r.next_step is null or r.next_due is null or r.next_due < $1) \
            and not exists (select 1 from follow_up f where f.entity = 'repair' and f.entity_id = r.id and f.done_at is null \
                and f.owner_id is not null and f.due_at >= $1) \
            order by case when o.id is null then 0 when r.next_step is null then 1 when r.next_due is null then 2 else 3 end, \
                r.created_at, r.id limit $2",
    },
    Source {
        entity: "registration",
        has: Has::Time(TimeDelta::zero()),
        sql: "select r.id, r.person_id as customer_id, p.name as customer_name, \
            coalesce(r.serial_number, r.order_number, r.way) as title, r.decided_by as owner_id, \
            cast(null as text) as owner_name, true as has_step, r.decided_at as due_at, r.created_at as since, \
            cast(null as text) as path \
            from registration r join person p on p.id = r.person_id where r.state in ('open', 'disputed') \
            and not exists (select 1 from follow_up f join person_role o on o.person_id = f.owner_id \
                where f.entity = 'registration' and f.entity_id = r.id and f.done_at is null) \
            order by r.created_at, r.id limit $2",
    },
    // Until a class that is over is closed, its learners wait for their certificates: it stands for whoever enrolled first.
    Source {
        entity: "class",
        has: Has::Time(TimeDelta::days(1)),
        sql: "select c.id, e.person_id as customer_id, p.name as customer_name, c.title, o.id as owner_id, o.name as owner_name, \
            true as has_step, c.ends_at as due_at, c.ends_at as since, cast(null as text) as path from class c \
            join enrolment e on e.id = (select x.id from enrolment x where x.class_id = c.id and x.state = 'booked' \
                order by x.created_at, x.id limit 1) \
            join person p on p.id = e.person_id \
            left join person o on o.id = c.trainer_id and exists (select 1 from person_role r where r.person_id = o.id) \
            where c.state in ('open', 'running') and c.ends_at < $1 \
            and not exists (select 1 from follow_up f where f.entity = 'class' and f.entity_id = c.id and f.done_at is null \
                and f.owner_id is not null and f.due_at >= $1) \
            order by case when o.id is null then 0 else 3 end, c.ends_at, c.id limit $2",
    },
    // Paying it back has its owner by a follow-up alone, as a registration: money that nobody had to send is nobody's.
    Source {
        entity: "refund",
        has: Has::DaysToPayBack,
        sql: "select c.id, c.person_id as customer_id, p.name as customer_name, coalesce(case c.entity \
                when 'repair' then (select r.item_name from repair r where r.id = c.entity_id) \
                when 'quote' then (select r.item_name from quote q join repair r on r.id = q.repair_id where q.id = c.entity_id) \
                when 'enrolment' then coalesce( \
                    (select k.title from enrolment e join class k on k.id = e.class_id where e.id = c.entity_id), \
                    (select k.title from unnamed_seat u join class k on k.id = u.class_id where u.id = c.entity_id)) \
            end, c.reason) as title, b.paid_by as owner_id, cast(null as text) as owner_name, true as has_step, \
            b.created_at as due_at, b.created_at as since, cast(null as text) as path \
            from refund b join charge c on c.id = b.charge_id join person p on p.id = c.person_id \
            where b.paid_at is null and b.created_at < $1 \
            and not exists (select 1 from follow_up f join person_role o on o.person_id = f.owner_id \
                where f.entity = 'refund' and f.entity_id = c.id and f.done_at is null) \
            order by b.created_at, c.id limit $2",
    },
    Source {
        entity: "follow_up",
        has: Has::Time(TimeDelta::zero()),
        sql: "select f.id, f.customer_id, p.name as customer_name, f.what as title, o.id as owner_id, o.name as owner_name, \
            true as has_step, f.due_at, f.planned_at as since, cast(null as text) as path \
            from follow_up f join person p on p.id = f.customer_id \
            left join person o on o.id = f.owner_id and exists (select 1 from person_role r where r.person_id = o.id) \
            where f.done_at is null and (o.id is null or f.due_at is null or f.due_at < $1) \
            order by case when o.id is null then 0 when f.due_at is null then 2 else 3 end, f.planned_at, f.id limit $2",
    },
];

/// Everything that somebody forgot: what nobody owns first, and of each kind of neglect whoever has waited longest.
pub async fn neglected(tx: &mut Tx, cx: &Cx, most: i64) -> Result<Vec<Neglected>, AppError> {
    let mut all = Vec::new();
    for source in SOURCES {
        let before = source.has.before(cx);
        for row in fetch_all!(tx, NeglectedRow, source.sql, before, most)? {
            let thing = OpenThing { owner: row.owner_id, next_step: row.has_step, due: row.due_at };
            if let Some(why) = neglect(&thing, before) {
                all.push(Neglected {
                    entity: source.entity,
                    id: row.id,
                    customer: row.customer_id,
                    customer_name: row.customer_name,
                    title: row.title,
                    owner_name: row.owner_name,
                    since: row.since,
                    why,
                    path: row.path,
                });
            }
        }
    }
    all.sort_by_key(|thing| (thing.why.rank(), thing.since, thing.id));
    all.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(all)
}

/// Whose thing it is: the customer of something that stands on the list.
pub async fn customer_of(tx: &mut Tx, entity: &str, id: Uuid) -> Result<PersonId, AppError> {
    let sql = match entity {
        "case" => "select customer_id from care_case where id = $1",
        "follow_up" => "select customer_id from follow_up where id = $1",
        "repair" => "select person_id from repair where id = $1",
        "registration" => "select person_id from registration where id = $1",
        "refund" => "select person_id from charge where id = $1",
        "class" => {
            "select person_id from enrolment where class_id = $1 and state = 'booked' order by created_at, id limit 1"
        }
        _ => return Err(AppError::NotFound),
    };
    fetch_scalar!(tx, PersonId, sql, id)?.ok_or(AppError::NotFound)
}

/// The kinds of things that stand on the list.
pub fn known(entity: &str) -> Option<&'static str> {
    SOURCES.iter().map(|source| source.entity).find(|known| *known == entity)
}
