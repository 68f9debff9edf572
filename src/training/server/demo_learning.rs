//! The demo company's courses as learners see them: levels, syllabus, what comes before, a material; and a session that
//! was missed and is made up.

use super::{
    announce, attend, courses,
    demo::{Sketch, Stage, person},
    make_ups,
    materials::{self, Source},
    plan,
    store::{self, UnitRow},
};
use crate::{
    access::Person,
    error::AppError,
    training::domain::{Announced, Audience, Level, Mark, NeedsRule},
    values::{ClassId, PersonId},
};
use chrono::TimeDelta;

/// Title and minutes.
type Unit = (&'static str, i64);

const SYLLABUS: [(Level, &[Unit]); 4] = [
    (Level::Beginner, &[("Paper, trays and jams", 45), ("Ink, heads and colours", 60), ("When to call us", 30)]),
    (Level::Beginner, &[("Plan de cuentas", 90), ("Facturas y bancos", 120), ("Impuestos del mes", 90)]),
    (Level::Advanced, &[("Inventario e ammortamenti", 120), ("Assestamento", 120), ("Bilancio", 90)]),
    (Level::Intermediate, &[("Kasdienė apžiūra", 60), ("Saugos taisyklės", 60), ("Kada kviesti meistrą", 45)]),
];

const MANUAL: &str = "https://www.example.com/manuals/printer";

/// Seeds what learners see of the courses, and the make-up of a class that is over.
pub async fn seed(stage: &Stage<'_>, customer: PersonId, host: ClassId, coming: ClassId) -> Result<(), AppError> {
    let trainer = stage.trainer_at(-60);
    for (place, (level, units)) in SYLLABUS.iter().enumerate() {
        let course = store::course_detail(&mut stage.cx.db().read().await?, stage.courses[place]).await?;
        let units = units
            .iter()
            .map(|(title, minutes)| UnitRow { title: (*title).to_owned(), summary: String::new(), minutes: *minutes })
            .collect();
        // Closing the books stands on knowing them.
        let needs = if place == 2 { vec![stage.courses[1]] } else { Vec::new() };
        let course = store::CourseDetail { level: *level, needs_rule: NeedsRule::Warn, ..course };
        courses::edit(&trainer, courses::Edit { course, units, needs }).await?;
    }
    let manual = materials::New {
        title: "The printed manual, as a page".to_owned(),
        audience: Audience::Everyone,
        source: Source::Link(MANUAL.to_owned()),
    };
    materials::add(&trainer, stage.courses[0], manual).await?;
    missed(stage, customer, host).await?;
    late(stage, customer, coming).await
}

/// A class in which the customer missed the second session, and somebody else who makes theirs up already.
async fn missed(stage: &Stage<'_>, customer: PersonId, host: ClassId) -> Result<(), AppError> {
    let sketch = Sketch(2, "Chiusura dell’anno: ripasso", "it", Some(1), -9, 9, 2, 18, 15000);
    let id = stage.open(&sketch).await?;
    let other = stage.cast.customer(33)?;
    for who in [customer, other, stage.cast.customer(34)?] {
        stage.enrol(id, who, 12).await?;
    }
    let mut tx = stage.cx.db().read().await?;
    let (sessions, people) = (store::sessions(&mut tx, id).await?, store::of_class(&mut tx, id).await?);
    let hosts = store::sessions(&mut tx, host).await?;
    drop(tx);
    for (number, session) in sessions.iter().enumerate() {
        for row in &people {
            let away = number == 1 && [customer, other].contains(&row.person_id);
            let mark = if away { Mark::Absent } else { Mark::Present };
            let cx = stage.at(session.starts_at, &stage.trainer);
            attend::mark(&cx, id, session.id, row.id, None, Some(mark)).await?;
        }
    }
    if let (Some(missed), Some(equal)) = (sessions.get(1), hosts.get(1)) {
        plan::close(&stage.at(missed.ends_at + TimeDelta::minutes(30), &stage.trainer), id).await?;
        let learner: Person = person(stage.cx, other, &[], vec![]).await?;
        let cx = stage.at(stage.cx.now - TimeDelta::days(2), &learner);
        make_ups::book(&cx, id, missed.id, equal.id, None).await?;
    }
    Ok(())
}

/// The customer says that tomorrow it will be later.
async fn late(stage: &Stage<'_>, customer: PersonId, coming: ClassId) -> Result<(), AppError> {
    let sessions = store::sessions(&mut stage.cx.db().read().await?, coming).await?;
    let learner = person(stage.cx, customer, &[], vec![]).await?;
    match sessions.first() {
        Some(first) => {
            let cx = stage.at(stage.cx.now - TimeDelta::hours(3), &learner);
            let words = "My train arrives at ten past ten.".to_owned();
            announce::say(&cx, coming, first.id, Announced::Late, words).await
        }
        None => Ok(()),
    }
}
