//! The demo company's training: classes in every state around the clock, made by the same services that serve people.

use super::{
    attend,
    plan::{self, Draft},
    seats::{self, Consent},
    store::{self, CourseRow, RoomRow},
};
use crate::{
    access::{Act, Membership, Person, Role, Subject, Viewer},
    calendar::{domain::Span, server::zone},
    error::AppError,
    fetch_all,
    people::server::store as people,
    server::{Cx, demo::Cast, fresh},
    training::domain::Mark,
    values::{ClassId, CourseId, Money, OrganisationId, PersonId, ProductId, RoomId},
};
use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// Name, town, address, seats.
const ROOMS: [(&str, &str, &str, i64); 3] = [
    ("Aula Azul", "Madrid", "Calle de Alcalá 120", 16),
    ("Sala Grande", "Milano", "Via Torino 45", 24),
    ("Mokymų klasė", "Vilnius", "Gedimino pr. 12", 12),
];

/// Title, what one learns, language, the kind of product that it belongs to.
const COURSES: [(&str, &str, &str, &str); 4] = [
    (
        "Your printer, every day",
        "Loading paper, cleaning the heads, what the lights mean, and what to do before you call us.",
        "en",
        "goods",
    ),
    (
        "Contabilidad desde cero",
        "Plan de cuentas, facturas, bancos e impuestos: lo que una pequeña empresa necesita cada mes.",
        "es",
        "software",
    ),
    (
        "Chiusura dell’anno senza ansia",
        "Inventario, ammortamenti, scritture di assestamento e bilancio, passo per passo.",
        "it",
        "software",
    ),
    (
        "Įrangos priežiūra saugiai",
        "Kasdienė apžiūra, valymas, saugos taisyklės ir kada kviesti meistrą.",
        "lt",
        "installation",
    ),
];

/// A class of the demo: course, title, language, room, day from today, hour, sessions, seats, price in cents.
pub(super) struct Sketch(
    pub usize,
    pub &'static str,
    pub &'static str,
    pub Option<usize>,
    pub i64,
    pub u32,
    pub u64,
    pub i64,
    pub i64,
);

const OPEN: [Sketch; 12] = [
    Sketch(0, "Your printer, every day", "en", Some(0), 1, 10, 1, 12, 4900),
    Sketch(0, "Your printer, every day: small group", "en", Some(0), 5, 10, 1, 4, 4900),
    Sketch(1, "Contabilidad desde cero", "es", Some(0), 8, 9, 2, 12, 12000),
    Sketch(1, "Contabilidad desde cero: la factura electrónica", "es", None, 12, 16, 1, 30, 0),
    Sketch(2, "Chiusura dell’anno senza ansia", "it", Some(1), 15, 9, 2, 20, 15000),
    Sketch(3, "Įrangos priežiūra saugiai", "lt", Some(2), 18, 9, 1, 8, 6000),
    Sketch(0, "Your printer: colours that match", "en", None, 20, 17, 1, 25, 2900),
    Sketch(1, "Contabilidad: IVA y declaraciones", "es", Some(0), 22, 9, 2, 14, 12000),
    Sketch(0, "प्रिंटर की रोज़मर्रा देखभाल", "hi", None, 26, 12, 1, 20, 0),
    Sketch(2, "Contabilità per chi comincia", "it", Some(1), 29, 9, 3, 18, 18000),
    Sketch(0, "Your printer, every day", "en", Some(0), 36, 10, 1, 12, 4900),
    Sketch(3, "Įrangos priežiūra: pažengusiems", "lt", Some(2), 39, 9, 2, 8, 9000),
];

const PAST: [Sketch; 4] = [
    Sketch(0, "Your printer, every day", "en", Some(0), -45, 10, 1, 12, 4900),
    Sketch(1, "Contabilidad desde cero", "es", Some(0), -31, 9, 2, 12, 12000),
    Sketch(2, "Chiusura dell’anno senza ansia", "it", Some(1), -21, 9, 2, 18, 15000),
    Sketch(3, "Įrangos priežiūra saugiai", "lt", Some(2), -12, 9, 1, 8, 6000),
];

/// Seeds rooms, courses and classes in every state.
pub async fn seed(cx: &Cx, cast: &Cast) -> Result<(), AppError> {
    let stage = Stage::build(cx, cast).await?;
    let customer = cast.person("customer")?;
    for (at, sketch) in PAST.iter().enumerate() {
        stage.past(sketch, at).await?;
    }
    stage.running().await?;
    let mut open = Vec::new();
    for (at, sketch) in OPEN.iter().enumerate() {
        let id = stage.open(sketch).await?;
        open.push(id);
        match at {
            // Full, with a line; one seat is freed and offered to the customer of the bar.
            1 => stage.offer_to(id, customer).await?,
            // Tomorrow, with the customer in it.
            0 => {
                stage.enrol(id, customer, 3).await?;
                stage.fill(id, at * 3, 6).await?;
            }
            2 => {
                stage.enrol(id, cast.person("owner")?, 3).await?;
                stage.enrol(id, cast.person("member")?, 3).await?;
                stage.fill(id, at * 3, 5).await?;
            }
            // Full, with the customer in line.
            5 => {
                stage.fill(id, 15, 8).await?;
                stage.enrol(id, customer, 2).await?;
            }
            _ => stage.fill(id, at * 3, at % 6).await?,
        }
    }
    super::demo_learning::seed(&stage, customer, open[4], open[0]).await?;
    super::demo_teaching::seed(cx, &stage.trainer, open[0], open[1]).await?;
    super::demo_groups::seed(&stage).await?;
    super::demo_team::seed(&stage).await?;
    let draft = Sketch(1, "Contabilidad: cierre trimestral", "es", Some(0), 50, 9, 2, 12, 12000);
    stage.draft(&draft, 2).await?;
    stage.draft(&Sketch(0, "Your printer: large formats", "en", None, 54, 15, 1, 20, 3900), 1).await?;
    let called_off = stage.open(&Sketch(3, "Įrangos priežiūra: savaitgalis", "lt", Some(2), 44, 9, 1, 8, 6000)).await?;
    stage.fill(called_off, 30, 3).await?;
    plan::cancel(&stage.trainer_at(0), called_off, "Dėstytojas susirgo.".to_owned()).await?;
    let mut askers = Vec::new();
    for n in 32..39 {
        askers.push(person(cx, cast.customer(n)?, &[], vec![]).await?);
    }
    super::demo_plan::seed(cx, &stage.trainer, &askers, &stage.courses).await
}

/// What the classes stand on.
pub(super) struct Stage<'a> {
    pub cx: &'a Cx,
    pub cast: &'a Cast,
    pub trainer: Person,
    rooms: Vec<RoomId>,
    pub courses: Vec<CourseId>,
}

const OWNED: &str = "select distinct i.product_id from item i join purchase p on p.id = i.purchase_id \
    where p.kind = $1 and (i.owner_id = $2 or i.organisation_id = $3)";

impl<'a> Stage<'a> {
    async fn build(cx: &'a Cx, cast: &'a Cast) -> Result<Self, AppError> {
        let permit = cx.may(Act::CreateCourse, &Subject::nobody())?;
        let (customer, firm) = (cast.person("customer")?, cast.organisation(0)?);
        let trainer = person(cx, cast.person("trainer")?, &[Role::Trainer], vec![]).await?;
        let zones = [cx.company_zone().name(), "Europe/Rome", "Europe/Vilnius"];
        let now = cx.now;
        let (rooms, courses) = cx
            .db()
            .write(move |tx| {
                Box::pin(async move {
                    let mut rooms = Vec::new();
                    for ((name, place, address, capacity), zone) in ROOMS.into_iter().zip(zones) {
                        let id: RoomId = fresh();
                        let room = RoomRow {
                            id,
                            name: name.to_owned(),
                            place: place.to_owned(),
                            address: address.to_owned(),
                            zone: zone.to_owned(),
                            capacity,
                            version: 1,
                            retired_at: None,
                        };
                        store::insert_room(tx, &permit, &room).await?;
                        rooms.push(id);
                    }
                    let mut courses = Vec::new();
                    for (title, summary, language, kind) in COURSES {
                        let products = fetch_all!(tx, (ProductId,), OWNED, kind, customer, firm)?;
                        let products: Vec<ProductId> = products.into_iter().map(|(id,)| id).collect();
                        let id: CourseId = fresh();
                        let course = CourseRow {
                            id,
                            title: title.to_owned(),
                            summary: summary.to_owned(),
                            language: language.to_owned(),
                            pass_percent: 80,
                        };
                        store::insert_course(tx, &permit, &course, &products, now).await?;
                        courses.push(id);
                    }
                    Ok((rooms, courses))
                })
            })
            .await?;
        Ok(Self { cx, cast, trainer, rooms, courses })
    }

    /// The trainer, so many days from now.
    pub fn trainer_at(&self, days: i64) -> Cx {
        self.at(self.cx.now + TimeDelta::days(days), &self.trainer)
    }

    pub fn at(&self, now: DateTime<Utc>, person: &Person) -> Cx {
        Cx { now, ..self.cx.as_viewer(Viewer::Person(Box::new(person.clone()))) }
    }

    /// Plans a class, so many days before its start.
    async fn draft(&self, sketch: &Sketch, ahead: i64) -> Result<ClassId, AppError> {
        let Sketch(course, title, language, room, day, hour, sessions, capacity, price) = *sketch;
        let zone = match room {
            Some(1) => zone::named("Europe/Rome"),
            Some(2) => zone::named("Europe/Vilnius"),
            _ => self.cx.company_zone(),
        };
        let today = self.cx.now.with_timezone(&zone).date_naive();
        let first = today.checked_add_signed(TimeDelta::days(day)).unwrap_or(today);
        let clock = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        let spans = (0..sessions).filter_map(|n| {
            let date = first.checked_add_days(Days::new(n * 2))?;
            Span::new(zone::instant(zone, date, clock(hour))?, zone::instant(zone, date, clock(hour + 3))?)
        });
        let draft = Draft {
            course: self.courses[course],
            trainer: self.trainer.id,
            title: title.to_owned(),
            language: language.to_owned(),
            zone,
            sessions: spans.collect(),
            room: room.map(|place| self.rooms[place]),
            link: room.is_none().then(|| "https://meet.example.com/aftercare".to_owned()),
            capacity,
            price: Money::new(price, self.cx.app.company.currency),
            cut_off_hours: 48,
        };
        plan::create(&self.trainer_at(day.min(0) - ahead), draft, None).await
    }

    pub async fn open(&self, sketch: &Sketch) -> Result<ClassId, AppError> {
        let id = self.draft(sketch, 30).await?;
        plan::publish(&self.trainer_at(sketch.4.min(0) - 29), id).await?;
        Ok(id)
    }

    /// One person enrols, so many days ago.
    pub async fn enrol(&self, class: ClassId, who: PersonId, days: i64) -> Result<(), AppError> {
        let mut memberships = Vec::new();
        if who == self.cast.person("owner")? {
            memberships.push((self.cast.organisation(0)?, Membership::Owner));
        }
        let learner = person(self.cx, who, &[], memberships).await?;
        let cx = self.at(self.cx.now - TimeDelta::days(days), &learner);
        match seats::enrol(&cx, class, Consent::default()).await {
            // Whoever is in another class at that time simply is not in this one.
            Ok(_) | Err(AppError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Customers of the demo, so many from some place on.
    pub async fn fill(&self, class: ClassId, from: usize, many: usize) -> Result<(), AppError> {
        for n in from..from + many {
            self.enrol(class, self.cast.customer(n)?, 4).await?;
        }
        Ok(())
    }

    async fn offer_to(&self, class: ClassId, customer: PersonId) -> Result<(), AppError> {
        self.fill(class, 12, 4).await?;
        self.enrol(class, customer, 2).await?;
        self.fill(class, 20, 3).await?;
        let leaving = person(self.cx, self.cast.customer(12)?, &[], vec![]).await?;
        let cx = self.at(self.cx.now - TimeDelta::hours(1), &leaving);
        seats::cancel(&cx, class, Consent::default()).await.map(|_| ())
    }

    /// A class of the past: held, marked, closed.
    async fn past(&self, sketch: &Sketch, at: usize) -> Result<(), AppError> {
        let id = self.open(sketch).await?;
        let mut learners = vec![self.cast.customer(at * 7)?];
        learners.push(self.cast.person(if at.is_multiple_of(2) { "customer" } else { "member" })?);
        for n in 1..6 {
            learners.push(self.cast.customer(at * 7 + n)?);
        }
        for who in learners {
            self.enrol(id, who, 5 - sketch.4).await?;
        }
        self.mark(id, &[Mark::Present, Mark::Present, Mark::Late, Mark::Present, Mark::Absent, Mark::Partial]).await?;
        let ends = store::class(&mut self.cx.db().read().await?, id).await?.ends_at;
        plan::close(&self.at(ends + TimeDelta::minutes(30), &self.trainer), id).await
    }

    /// Yesterday the first session, tomorrow the second.
    async fn running(&self) -> Result<(), AppError> {
        let id = self.open(&Sketch(1, "Contabilidad: nóminas", "es", Some(0), -1, 14, 2, 12, 12000)).await?;
        for n in 26..32 {
            self.enrol(id, self.cast.customer(n)?, 6).await?;
        }
        let starts = store::class(&mut self.cx.db().read().await?, id).await?.starts_at;
        plan::start(&self.at(starts, &self.trainer), id).await?;
        self.mark(id, &[Mark::Present, Mark::Late, Mark::Present]).await
    }

    /// Marks all sessions that are over, the marks around and around.
    async fn mark(&self, class: ClassId, marks: &[Mark]) -> Result<(), AppError> {
        let mut tx = self.cx.db().read().await?;
        let sessions = store::sessions(&mut tx, class).await?;
        let people = store::of_class(&mut tx, class).await?;
        drop(tx);
        for session in sessions.iter().filter(|session| session.ends_at < self.cx.now) {
            for (place, row) in people.iter().enumerate() {
                let cx = self.at(session.starts_at, &self.trainer);
                let mark = marks.get(place % marks.len()).copied();
                attend::mark(&cx, class, session.id, row.id, None, mark).await?;
            }
        }
        Ok(())
    }
}

/// Somebody of the demo as their browser would be.
pub(crate) async fn person(
    cx: &Cx,
    id: PersonId,
    roles: &[Role],
    memberships: Vec<(OrganisationId, Membership)>,
) -> Result<Person, AppError> {
    let row = people::by_id(&mut cx.db().read().await?, id).await?.ok_or(AppError::NotFound)?;
    Ok(Person {
        id,
        name: row.name,
        email: row.email.ok_or(AppError::NotFound)?,
        language: row.language,
        zone: row.zone,
        roles: roles.iter().copied().collect::<BTreeSet<_>>(),
        memberships,
    })
}
