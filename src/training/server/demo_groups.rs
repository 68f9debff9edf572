//! The demo's firm: a group with a seat that still needs its name, one that gathers seats in line, one with an offer.

use super::{
    demo::{Sketch, Stage, person},
    groups::{self, Enrolled, Group},
    seats::{self, Consent},
};
use crate::{
    access::Membership,
    error::AppError,
    training::domain::Wish,
    values::{ClassId, PersonId},
};
use chrono::TimeDelta;

const NAMED_LATER: Sketch = Sketch(0, "Your printer, every day: for teams", "en", None, 25, 19, 1, 12, 4900);
const GATHERS: Sketch = Sketch(0, "Your printer: care and cleaning", "en", None, 28, 19, 1, 4, 4900);
const OFFERED: Sketch = Sketch(0, "Your printer: colour management", "en", None, 34, 19, 1, 3, 4900);

/// Seeds the groups of the first firm.
pub async fn seed(stage: &Stage<'_>) -> Result<(), AppError> {
    let [jonas, ieva, mantas] = [stage.cast.customer(32)?, stage.cast.customer(33)?, stage.cast.customer(34)?];
    let class = stage.open(&NAMED_LATER).await?;
    group(stage, class, vec![stage.cast.person("member")?, jonas], 1).await?;

    let class = stage.open(&GATHERS).await?;
    stage.fill(class, 4, 4).await?;
    group(stage, class, vec![jonas, ieva], 1).await?;
    leave(stage, class, 4).await?;

    let class = stage.open(&OFFERED).await?;
    stage.fill(class, 8, 3).await?;
    group(stage, class, vec![ieva, mantas], 0).await?;
    leave(stage, class, 8).await?;
    leave(stage, class, 9).await
}

/// The owner enrols people of the firm, three days ago.
async fn group(stage: &Stage<'_>, class: ClassId, people: Vec<PersonId>, unnamed: i64) -> Result<Enrolled, AppError> {
    let firm = stage.cast.organisation(0)?;
    let owner = person(stage.cx, stage.cast.person("owner")?, &[], vec![(firm, Membership::Owner)]).await?;
    let cx = stage.at(stage.cx.now - TimeDelta::days(3), &owner);
    let group = Group { people, unnamed, wish: Wish::Together, wait: true };
    groups::enrol(&cx, class, firm, group, Consent::default()).await
}

/// One of the demo's customers gives the seat back, an hour ago.
async fn leave(stage: &Stage<'_>, class: ClassId, customer: usize) -> Result<(), AppError> {
    let leaving = person(stage.cx, stage.cast.customer(customer)?, &[], vec![]).await?;
    let cx = stage.at(stage.cx.now - TimeDelta::hours(1), &leaving);
    seats::cancel(&cx, class, Consent::default()).await.map(|_| ())
}
