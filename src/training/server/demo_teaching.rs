//! Around the demo's classes: what learners want to learn, a letter to all, a seat given from the line, what learners
//! said.

use super::{
    staff_seats::{self, Promotion},
    store::{self, ClassRow},
    ticket, writing,
};
use crate::{
    access::{Person, Viewer},
    error::AppError,
    people::server::store as people,
    server::{Cx, form::Form},
    training::domain::EnrolmentState,
    values::ClassId,
};
use chrono::TimeDelta;

/// What the learners of tomorrow's class want to learn.
const WISHES: [&str; 3] = [
    "Printing on both sides without paper jams, please.",
    "What do the three lights mean?",
    "How do I clean the heads without wasting ink?",
];

/// The first class is tomorrow's, the second is full and has a line.
pub async fn seed(cx: &Cx, trainer: &Person, tomorrow: ClassId, full: ClassId) -> Result<(), AppError> {
    let mut tx = cx.db().read().await?;
    let people = store::of_class(&mut tx, tomorrow).await?;
    drop(tx);
    let booked = people.iter().filter(|row| row.state == EnrolmentState::Booked);
    for (row, wish) in booked.zip(WISHES) {
        let learner = people::by_id(&mut cx.db().read().await?, row.person_id).await?.ok_or(AppError::NotFound)?;
        let Some(email) = learner.email else { continue };
        let person = Person {
            id: learner.id,
            name: learner.name,
            email,
            language: learner.language,
            zone: learner.zone,
            roles: Default::default(),
            memberships: Vec::new(),
        };
        let then = Cx { now: cx.now - TimeDelta::days(1), ..cx.as_viewer(Viewer::Person(Box::new(person))) };
        ticket::say(&then, tomorrow, &Form::of(&[("wish", wish)])).await?;
    }
    let desk = Cx { now: cx.now - TimeDelta::minutes(30), ..cx.as_viewer(Viewer::Person(Box::new(trainer.clone()))) };
    let words = "Bring a photo of your printer's display if it shows an error. Coffee is ready from half past nine.";
    writing::to_all(&desk, tomorrow, "See you tomorrow".to_owned(), words.to_owned(), None).await?;
    seat_one(&desk, full).await
}

/// The last in line is seated on a chair more, and the others read why.
async fn seat_one(desk: &Cx, class: ClassId) -> Result<(), AppError> {
    let mut tx = desk.db().read().await?;
    let row: ClassRow = store::class(&mut tx, class).await?;
    let line = store::of_class(&mut tx, class).await?;
    drop(tx);
    let last = line.iter().rev().find(|row| row.state == EnrolmentState::Waitlisted);
    let Some(last) = last.filter(|_| row.room_seats.is_none_or(|seats| row.capacity < seats)) else { return Ok(()) };
    let why = "Travels from the islands and has a ferry booked for this day.".to_owned();
    staff_seats::promote(desk, class, last.id, Promotion { why, one_more: true, agreed: Some(i64::MAX) }).await
}
