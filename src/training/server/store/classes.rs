//! Courses, rooms, classes and their sessions.

use super::RulesRow;
use crate::{
    access::Permit,
    calendar::domain::Span,
    calendar::server::zone,
    db::Tx,
    error::{AppError, Fault, Faults},
    execute, fetch_all, fetch_optional, fetch_scalar,
    i18n::fold,
    training::domain::{ClassState, Level, NeedsRule, Policy, Seats, Stage, Terms, Window},
    values::{ClassId, ClassSessionId, CourseId, Currency, Money, PersonId, ProductId, RoomId},
};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

/// A class with what its pages say of its course, room and trainer.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ClassRow {
    pub id: ClassId,
    pub course_id: CourseId,
    pub title: String,
    pub language: String,
    pub zone: String,
    pub room_id: Option<RoomId>,
    pub room_name: Option<String>,
    pub room_seats: Option<i64>,
    pub address: Option<String>,
    pub place: String,
    pub link: Option<String>,
    pub trainer_id: PersonId,
    pub trainer_name: String,
    #[sqlx(try_from = "String")]
    pub state: ClassState,
    pub capacity: i64,
    pub taken: i64,
    pub held: i64,
    pub waiting: i64,
    pub price_minor: i64,
    pub price_currency: Currency,
    pub cut_off_hours: i64,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub version: i64,
    pub sequence: i64,
    pub changed_at: DateTime<Utc>,
    pub why_cancelled: Option<String>,
    pub summary: String,
    pub pass_percent: i64,
    #[sqlx(flatten)]
    pub rules: RulesRow,
    /// Guests of the fullest session: their seats are nobody else's.
    pub guests: i64,
    pub course_title: String,
    #[sqlx(try_from = "String")]
    pub level: Level,
    #[sqlx(try_from = "String")]
    pub needs_rule: NeedsRule,
    /// For how many months its certificates are valid.
    pub valid_months: Option<i64>,
}

impl ClassRow {
    /// The seats of those who take the whole class.
    pub fn seats(&self) -> Seats {
        Seats { capacity: self.capacity - self.guests, taken: self.taken, held: self.held, waiting: self.waiting }
    }

    pub fn policy(&self) -> Policy {
        self.rules.policy(self.starts_at, self.cut_off_hours)
    }

    pub fn stage(&self, now: DateTime<Utc>) -> Stage {
        Stage::of(self.state, self.seats(), &self.policy(), now)
    }

    pub fn tz(&self) -> Tz {
        zone::named(&self.zone)
    }

    pub fn price(&self) -> Money {
        Money::new(self.price_minor, self.price_currency)
    }

    /// The day of the first session at its place.
    pub fn first_day(&self) -> NaiveDate {
        self.starts_at.with_timezone(&self.tz()).date_naive()
    }

    pub fn path(&self) -> String {
        format!("/training/{}", self.id)
    }

    pub fn desk_path(&self) -> String {
        format!("/desk/classes/{}", self.id)
    }
}

/// A class as one line of a list: what its card says, and nothing that only its page does.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ListedClass {
    pub id: ClassId,
    pub title: String,
    pub language: String,
    pub zone: String,
    pub place: String,
    pub trainer_id: PersonId,
    #[sqlx(try_from = "String")]
    pub state: ClassState,
    /// Without those of guests.
    pub seats: i64,
    pub taken: i64,
    pub held: i64,
    pub waiting: i64,
    pub price_minor: i64,
    pub price_currency: Currency,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub opens_at: Option<DateTime<Utc>>,
    pub closes_at: Option<DateTime<Utc>>,
    pub freeze_minutes: i64,
    #[sqlx(try_from = "String")]
    pub level: Level,
}

impl ListedClass {
    /// The seats of those who take the whole class.
    pub fn seats(&self) -> Seats {
        Seats { capacity: self.seats, taken: self.taken, held: self.held, waiting: self.waiting }
    }

    pub fn stage(&self, now: DateTime<Utc>) -> Stage {
        let terms = Terms { freeze_minutes: self.freeze_minutes, ..Terms::default() };
        let policy = Policy { terms, ..Policy::new(self.starts_at, 0) };
        Stage::of(self.state, self.seats(), &policy, now)
    }

    pub fn window(&self) -> Window {
        Window { opens: self.opens_at, closes: self.closes_at }
    }

    pub fn tz(&self) -> Tz {
        zone::named(&self.zone)
    }

    pub fn price(&self) -> Money {
        Money::new(self.price_minor, self.price_currency)
    }

    pub fn path(&self) -> String {
        format!("/training/{}", self.id)
    }

    pub fn desk_path(&self) -> String {
        format!("/desk/classes/{}", self.id)
    }
}

macro_rules! listed {
    ($($rest:tt)+) => {
        concat!(
            "select c.id, c.title, c.language, c.zone, c.place, c.trainer_id, c.state, c.capacity - c.guests as seats, ",
            "c.taken, c.held, c.waiting, c.price_minor, c.price_currency, c.starts_at, c.ends_at, c.opens_at, c.closes_at, ",
            "c.freeze_minutes, k.level from class c join course k on k.id = c.course_id ",
            $($rest)+
        )
    };
}
pub(super) use listed;

/// One meeting: the wall clock that was promised, and the instants that it means.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SessionRow {
    pub id: ClassSessionId,
    pub class_id: ClassId,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

impl SessionRow {
    pub fn span(&self) -> Span {
        Span { from: self.starts_at, until: self.ends_at }
    }
}

macro_rules! class {
    ($($rest:tt)+) => {
        concat!(
            "select c.id, c.course_id, c.title, c.language, c.zone, c.room_id, r.name as room_name, ",
            "r.capacity as room_seats, r.address, c.place, c.link, c.trainer_id, t.name as trainer_name, c.state, ",
            "c.capacity, c.taken, c.held, c.waiting, c.price_minor, c.price_currency, c.cut_off_hours, c.starts_at, ",
            "c.ends_at, c.version, c.sequence, c.changed_at, c.why_cancelled, k.summary, ",
            "coalesce(c.pass_percent, k.pass_percent) as pass_percent, ",
            "c.guests, k.title as course_title, k.level, k.needs_rule, k.valid_months, ",
            "c.opens_at, c.closes_at, c.grace_until, c.freeze_minutes, c.offer_minutes, c.late_cancel, c.no_show ",
            "from class c join course k on k.id = c.course_id join person t on t.id = c.trainer_id ",
            "left join room r on r.id = c.room_id ",
            $($rest)+
        )
    };
}
pub(super) use class as query;

const CLASS: &str = class!("where c.id = $1");

pub async fn class(tx: &mut Tx, id: ClassId) -> Result<ClassRow, AppError> {
    fetch_optional!(tx, ClassRow, CLASS, id)?.ok_or(AppError::NotFound)
}

const RUNNING: &str = "select id from class where state = 'running' order by starts_at, id";

/// The classes that have begun and are not closed.
pub async fn running(tx: &mut Tx) -> Result<Vec<ClassId>, AppError> {
    Ok(fetch_all!(tx, (ClassId,), RUNNING)?.into_iter().map(|(id,)| id).collect())
}

const SESSIONS: &str =
    "select id, class_id, starts_at, ends_at from class_session where class_id = $1 order by starts_at";

pub async fn sessions(tx: &mut Tx, class: ClassId) -> Result<Vec<SessionRow>, AppError> {
    Ok(fetch_all!(tx, SessionRow, SESSIONS, class)?)
}

const INSTEAD_OF: &str = class!(
    "where c.course_id = $1 and c.state = 'open' and c.starts_at > $2 and c.id <> $3 and c.waiting = 0 \
     and c.taken + c.held < c.capacity - c.guests order by case when c.language = $4 then 0 else 1 end, \
     case when c.place = $5 then 0 else 1 end, c.starts_at, c.id limit 40"
);

/// The classes to come of the same course with seats that nobody waits for: those in its language first, then those in
/// its town or on line as it is, then the earliest.
pub async fn instead_of(tx: &mut Tx, class: &ClassRow, now: DateTime<Utc>) -> Result<Vec<ClassRow>, AppError> {
    Ok(fetch_all!(tx, ClassRow, INSTEAD_OF, class.course_id, now, class.id, &class.language, &class.place)?)
}

const LAST_HAD: &str = "select count(*) from class_session s where s.class_id = (select c.id from class c \
    where c.course_id = $1 and c.state <> 'cancelled' order by c.starts_at desc, c.id limit 1)";
const HAS_UNITS: &str = "select count(*) from course_unit where course_id = $1";

/// In how many sessions a course is held: as many as its last class had; where none was planned yet, as many as it has
/// units, and at least one.
pub async fn usual_sessions(tx: &mut Tx, course: CourseId) -> Result<i64, AppError> {
    let had = fetch_scalar!(tx, i64, LAST_HAD, course)?.unwrap_or(0);
    let units = fetch_scalar!(tx, i64, HAS_UNITS, course)?.unwrap_or(0);
    Ok(if had > 0 { had } else { units.max(1) })
}

/// Open or running: all, or those that `$2` teaches or helps in.
macro_rules! on {
    () => {
        "where c.state in ('open', 'running') and (cast($1 as text) is null or c.trainer_id = $2 \
         or exists (select 1 from class_assistant a where a.class_id = c.id and a.person_id = $2)) "
    };
}

const DESK_COMING: &str = listed!(on!(), "and (c.starts_at, c.id) > ($3, $4) order by c.starts_at, c.id limit $5");
const DESK_BEGUN: &str = listed!(on!(), "and c.starts_at < $3 order by c.starts_at, c.id");
const DESK_DRAFTS: &str = listed!(
    "where c.state = 'draft' and (cast($1 as text) is null or c.trainer_id = $2) \
     and (c.starts_at, c.id) > ($3, $4) order by c.starts_at, c.id limit $5"
);
const DESK_PAST: &str = listed!(
    "where c.state in ('completed', 'cancelled') and (cast($1 as text) is null or c.trainer_id = $2) \
     and (c.starts_at, c.id) < ($3, $4) order by c.starts_at desc, c.id desc limit $5"
);

/// Classes that are open or running: those that somebody teaches or helps in, or all; by their start, after a place in
/// that order.
pub async fn desk_coming(
    tx: &mut Tx,
    trainer: Option<PersonId>,
    after: (DateTime<Utc>, Uuid),
    most: i64,
) -> Result<Vec<ListedClass>, AppError> {
    let one = trainer.map(|_| "one");
    Ok(fetch_all!(tx, ListedClass, DESK_COMING, one, trainer, after.0, after.1, most)?)
}

/// All of [`desk_coming`] that begin before an instant.
pub async fn desk_begun(
    tx: &mut Tx,
    trainer: Option<PersonId>,
    before: DateTime<Utc>,
) -> Result<Vec<ListedClass>, AppError> {
    let one = trainer.map(|_| "one");
    Ok(fetch_all!(tx, ListedClass, DESK_BEGUN, one, trainer, before)?)
}

const DESK_SESSIONS: &str = "select s.id, s.class_id, s.starts_at, s.ends_at from class_session s join class c on c.id = s.class_id \
    where c.state in ('open', 'running') and s.ends_at > $3 and (cast($1 as text) is null or c.trainer_id = $2 \
    or exists (select 1 from class_assistant a where a.class_id = c.id and a.person_id = $2)) \
    order by s.starts_at, s.id limit 2000";

/// The sessions of [`desk_coming`] that end after an instant.
pub async fn desk_sessions(
    tx: &mut Tx,
    trainer: Option<PersonId>,
    after: DateTime<Utc>,
) -> Result<Vec<SessionRow>, AppError> {
    let one = trainer.map(|_| "one");
    Ok(fetch_all!(tx, SessionRow, DESK_SESSIONS, one, trainer, after)?)
}

/// Classes that are only planned, by their start, after a place in that order.
pub async fn desk_drafts(
    tx: &mut Tx,
    trainer: Option<PersonId>,
    after: (DateTime<Utc>, Uuid),
    most: i64,
) -> Result<Vec<ListedClass>, AppError> {
    let one = trainer.map(|_| "one");
    Ok(fetch_all!(tx, ListedClass, DESK_DRAFTS, one, trainer, after.0, after.1, most)?)
}

/// Classes that are over, latest first, before a place in that order.
pub async fn desk_past(
    tx: &mut Tx,
    trainer: Option<PersonId>,
    before: (DateTime<Utc>, Uuid),
    most: i64,
) -> Result<Vec<ListedClass>, AppError> {
    let one = trainer.map(|_| "one");
    Ok(fetch_all!(tx, ListedClass, DESK_PAST, one, trainer, before.0, before.1, most)?)
}

const TAUGHT: &str = class!(
    "where (c.trainer_id = $1 or c.id in (select a.class_id from class_assistant a where a.person_id = $1)) \
     and (c.ends_at > $2 or c.changed_at > $2) order by c.starts_at, c.id limit 300"
);

/// What somebody teaches, plans and helps in, and what ended or was called off since `since`.
pub async fn taught(tx: &mut Tx, trainer: PersonId, since: DateTime<Utc>) -> Result<Vec<ClassRow>, AppError> {
    Ok(fetch_all!(tx, ClassRow, TAUGHT, trainer, since)?)
}

/// A room as forms offer it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct RoomRow {
    pub id: RoomId,
    pub name: String,
    pub place: String,
    pub address: String,
    pub zone: String,
    pub capacity: i64,
    pub version: i64,
    pub retired_at: Option<DateTime<Utc>>,
}

const ROOMS: &str = "select id, name, place, address, zone, capacity, version, retired_at from room \
    where retired_at is null order by place, name, id limit 500";
const ALL_ROOMS: &str = "select id, name, place, address, zone, capacity, version, retired_at from room \
    order by case when retired_at is null then 0 else 1 end, place, name, id limit 1000";
const ROOM: &str = "select id, name, place, address, zone, capacity, version, retired_at from room where id = $1";
const ROOM_NAMES: &str = "select id, name from room where retired_at is null";
const INSERT_ROOM: &str = "insert into room (id, name, place, address, zone, capacity) values ($1, $2, $3, $4, $5, $6)";
const UPDATE_ROOM: &str = "update room set name = $2, place = $3, address = $4, zone = $5, capacity = $6, retired_at = $7, \
    version = version + 1 where id = $1 and version = $8";
const COMING_IN_ROOM: &str = "select count(*) from class \
    where room_id = $1 and state in ('draft', 'open', 'running') and ends_at > $2";
const LARGER_THAN: &str = "select title, starts_at, capacity from class \
    where room_id = $1 and state in ('draft', 'open', 'running') and ends_at > $2 and capacity > $3 \
    order by starts_at, id limit 1";

/// Those that can be chosen for a class.
pub async fn rooms(tx: &mut Tx) -> Result<Vec<RoomRow>, AppError> {
    Ok(fetch_all!(tx, RoomRow, ROOMS)?)
}

/// Those out of use as well, last.
pub async fn all_rooms(tx: &mut Tx) -> Result<Vec<RoomRow>, AppError> {
    Ok(fetch_all!(tx, RoomRow, ALL_ROOMS)?)
}

pub async fn room(tx: &mut Tx, id: RoomId) -> Result<Option<RoomRow>, AppError> {
    Ok(fetch_optional!(tx, RoomRow, ROOM, id)?)
}

pub async fn insert_room(tx: &mut Tx, _: &Permit, room: &RoomRow) -> Result<(), AppError> {
    execute!(tx, INSERT_ROOM, room.id, &room.name, &room.place, &room.address, &room.zone, room.capacity)?;
    Ok(())
}

/// The names of those in use.
pub async fn room_names(tx: &mut Tx) -> Result<Vec<(RoomId, String)>, AppError> {
    Ok(fetch_all!(tx, (RoomId, String), ROOM_NAMES)?)
}

/// Stores it, if nobody else has changed it since its version.
pub async fn update_room(tx: &mut Tx, _: &Permit, room: &RoomRow) -> Result<(), AppError> {
    let rows = execute!(
        tx,
        UPDATE_ROOM,
        room.id,
        &room.name,
        &room.place,
        &room.address,
        &room.zone,
        room.capacity,
        room.retired_at,
        room.version
    )?;
    if rows == 1 { Ok(()) } else { Err(AppError::Busy) }
}

/// How many classes to come are in it.
pub async fn coming_in_room(tx: &mut Tx, id: RoomId, now: DateTime<Utc>) -> Result<i64, AppError> {
    Ok(fetch_scalar!(tx, i64, COMING_IN_ROOM, id, now)?.unwrap_or(0))
}

const TO_COME_IN_ROOM: &str = "select id from class \
    where room_id = $1 and state in ('draft', 'open', 'running') and ends_at > $2 order by id";
const TOWN: &str = "select count(*) from room where place = $1 and retired_at is null";

/// The classes to come in it.
pub async fn to_come_in_room(tx: &mut Tx, id: RoomId, now: DateTime<Utc>) -> Result<Vec<ClassId>, AppError> {
    Ok(fetch_all!(tx, (ClassId,), TO_COME_IN_ROOM, id, now)?.into_iter().map(|(id,)| id).collect())
}

/// Whether a room that is in use is in a town.
pub async fn is_town(tx: &mut Tx, town: &str) -> Result<bool, AppError> {
    Ok(fetch_scalar!(tx, i64, TOWN, town)?.unwrap_or(0) > 0)
}

/// The first class to come in it that has more seats than so many: its title, when it begins, its seats.
pub async fn larger_than(
    tx: &mut Tx,
    id: RoomId,
    seats: i64,
    now: DateTime<Utc>,
) -> Result<Option<(String, DateTime<Utc>, i64)>, AppError> {
    Ok(fetch_optional!(tx, (String, DateTime<Utc>, i64), LARGER_THAN, id, now, seats)?)
}

/// A course as forms offer it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CourseRow {
    pub id: CourseId,
    pub title: String,
    pub summary: String,
    pub language: String,
    pub pass_percent: i64,
}

const COURSES: &str = "select id, title, summary, language, pass_percent from course order by title, id limit 500";
const COURSE: &str = "select id, title, summary, language, pass_percent from course where id = $1";
const COURSE_PRODUCTS: &str = "select product_id from course_product where course_id = $1 order by product_id";
const INSERT_COURSE: &str = "insert into course (id, title, summary, language, pass_percent, created_at, search) values ($1, $2, $3, $4, $5, $6, $7)";
pub(super) const INSERT_COURSE_PRODUCT: &str =
    "insert into course_product (course_id, product_id) values ($1, $2) on conflict (course_id, product_id) do nothing";

pub async fn courses(tx: &mut Tx) -> Result<Vec<CourseRow>, AppError> {
    Ok(fetch_all!(tx, CourseRow, COURSES)?)
}

pub async fn course(tx: &mut Tx, id: CourseId) -> Result<Option<CourseRow>, AppError> {
    Ok(fetch_optional!(tx, CourseRow, COURSE, id)?)
}

/// The products that a course belongs to; none makes it general.
pub async fn course_products(tx: &mut Tx, id: CourseId) -> Result<Vec<ProductId>, AppError> {
    Ok(fetch_all!(tx, (ProductId,), COURSE_PRODUCTS, id)?.into_iter().map(|(product,)| product).collect())
}

pub async fn insert_course(
    tx: &mut Tx,
    _: &Permit,
    course: &CourseRow,
    products: &[ProductId],
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let search = super::catalogue::searched(&course.title, &course.summary);
    execute!(
        tx,
        INSERT_COURSE,
        course.id,
        &course.title,
        &course.summary,
        &course.language,
        course.pass_percent,
        now,
        search
    )?;
    for product in products {
        execute!(tx, INSERT_COURSE_PRODUCT, course.id, *product)?;
    }
    Ok(())
}

const PRODUCT_BY_SKU: &str = "select id from product where sku = $1 order by id limit 1";

/// The products with these article numbers.
///
/// # Errors
/// A fault at the field `products` where there is no such number.
pub async fn products_by_sku(tx: &mut Tx, skus: &[String]) -> Result<Vec<ProductId>, AppError> {
    let mut products = Vec::new();
    for sku in skus.iter().filter(|sku| !sku.is_empty()) {
        let found = fetch_scalar!(tx, ProductId, PRODUCT_BY_SKU, sku)?;
        products.push(found.ok_or_else(|| Faults::only("products", Fault::NotAChoice))?);
    }
    Ok(products)
}

const TRAINERS: &str = "select p.id, p.name from person p join person_role r on r.person_id = p.id \
    where r.role = 'trainer' and p.erased_at is null order by p.name, p.id limit 200";

/// Everybody who can be a class's trainer.
pub async fn trainers(tx: &mut Tx) -> Result<Vec<(PersonId, String)>, AppError> {
    Ok(fetch_all!(tx, (PersonId, String), TRAINERS)?)
}

/// A class as it is planned.
#[derive(Clone, Debug, PartialEq)]
pub struct NewClass {
    pub id: ClassId,
    pub course: CourseId,
    pub trainer: PersonId,
    pub title: String,
    pub language: String,
    pub zone: Tz,
    pub room: Option<RoomId>,
    /// The room's town; empty on line.
    pub place: String,
    pub link: Option<String>,
    pub capacity: i64,
    pub price: Money,
    pub cut_off_hours: i64,
    /// In order of time.
    pub sessions: Vec<Span>,
    pub window: Window,
}

const INSERT_CLASS: &str = "insert into class (id, course_id, title, title_folded, language, zone, room_id, place, link, \
    trainer_id, state, capacity, taken, held, waiting, queue, price_minor, price_currency, cut_off_hours, starts_at, ends_at, \
    version, sequence, created_at, changed_at, opens_at, closes_at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'draft', $11, 0, 0, 0, 0, $12, $13, $14, $15, $16, 1, 0, $17, $17, \
    $18, $19)";
const INSERT_SESSION: &str = "insert into class_session (id, class_id, held_on, starts, ends, starts_at, ends_at) \
    values ($1, $2, $3, $4, $5, $6, $7)";

pub async fn insert_class(tx: &mut Tx, _: &Permit, class: &NewClass, now: DateTime<Utc>) -> Result<(), AppError> {
    let starts = class.sessions.first().map_or(now, |span| span.from);
    let ends = class.sessions.iter().map(|span| span.until).max().unwrap_or(now);
    execute!(
        tx,
        INSERT_CLASS,
        class.id,
        class.course,
        &class.title,
        fold(&class.title),
        &class.language,
        class.zone.name(),
        class.room,
        &class.place,
        class.link.as_deref(),
        class.trainer,
        class.capacity,
        class.price.minor,
        class.price.currency,
        class.cut_off_hours,
        starts,
        ends,
        now,
        class.window.opens,
        class.window.closes
    )?;
    for span in &class.sessions {
        insert_session(tx, class.id, class.zone, *span).await?;
    }
    Ok(())
}

/// One more meeting of a class, with its wall clock.
pub async fn insert_session(tx: &mut Tx, class: ClassId, zone: Tz, span: Span) -> Result<(), AppError> {
    let id: ClassSessionId = crate::server::fresh();
    let (from, until) = (span.from.with_timezone(&zone), span.until.with_timezone(&zone));
    let (day, starts, ends) = (from.date_naive(), clock(from), clock(until));
    execute!(tx, INSERT_SESSION, id, class, day, starts, ends, span.from, span.until)?;
    Ok(())
}

/// A wall clock as sessions keep it.
pub fn clock(at: DateTime<Tz>) -> String {
    at.format("%H:%M").to_string()
}

/// What may be changed of a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub title: String,
    pub room: Option<RoomId>,
    pub zone: Tz,
    pub place: String,
    pub link: Option<String>,
    pub capacity: i64,
    pub price: Money,
    pub cut_off_hours: i64,
    pub language: String,
    pub trainer: PersonId,
    /// Of the first and the last session.
    pub starts: DateTime<Utc>,
    pub ends: DateTime<Utc>,
    pub window: Window,
    pub grace: Option<DateTime<Utc>>,
    /// Whether calendar programs have to be told: another time, another room, another link.
    pub moved: bool,
}

const UPDATE_CLASS: &str = "update class set title = $3, title_folded = $4, room_id = $5, place = $6, link = $7, capacity = $8, \
    price_minor = $9, price_currency = $10, cut_off_hours = $11, sequence = sequence + $12, changed_at = $13, \
    language = $14, trainer_id = $15, starts_at = $16, ends_at = $17, opens_at = $18, closes_at = $19, grace_until = $20, \
    zone = $21, version = version + 1 where id = $1 and version = $2 and taken + held <= $8 - guests";

/// Stores the change if nobody else has changed the class since `version`.
pub async fn update_class(
    tx: &mut Tx,
    _: &Permit,
    id: ClassId,
    version: i64,
    to: &Changed,
    now: DateTime<Utc>,
) -> Result<bool, AppError> {
    let rows = execute!(
        tx,
        UPDATE_CLASS,
        id,
        version,
        &to.title,
        fold(&to.title),
        to.room,
        &to.place,
        to.link.as_deref(),
        to.capacity,
        to.price.minor,
        to.price.currency,
        to.cut_off_hours,
        i64::from(to.moved),
        now,
        &to.language,
        to.trainer,
        to.starts,
        to.ends,
        to.window.opens,
        to.window.closes,
        to.grace,
        to.zone.name()
    )?;
    Ok(rows == 1)
}

const FOLLOW_ROOM: &str = "update class set place = $3, zone = $4, grace_until = $5, sequence = sequence + 1, \
    changed_at = $6, version = version + 1 where id = $1 and version = $2";

/// The room of a class is elsewhere: so is the class, by the clock there.
pub async fn follow_room(
    tx: &mut Tx,
    _: &Permit,
    class: &ClassRow,
    place: &str,
    zone: Tz,
    grace: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let rows = execute!(tx, FOLLOW_ROOM, class.id, class.version, place, zone.name(), grace, now)?;
    if rows == 1 { Ok(()) } else { Err(AppError::Busy) }
}

const MOVE_CLASS: &str = "update class set state = $3, why_cancelled = $4, changed_at = $5, version = version + 1, \
    sequence = sequence + $6 where id = $1 and state = $2";

/// From one state to another, if it still is in the first.
pub async fn move_class(
    tx: &mut Tx,
    _: &Permit,
    class: &ClassRow,
    to: ClassState,
    why: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    // Programs take a cancellation only with a higher sequence.
    let told = i64::from(to == ClassState::Cancelled);
    let rows = execute!(tx, MOVE_CLASS, class.id, class.state.as_str(), to.as_str(), why, now, told)?;
    if rows == 1 { Ok(()) } else { Err(AppError::Busy) }
}
