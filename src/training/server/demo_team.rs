//! The demo's firm: a safety certificate that lapses soon, one that has lapsed, and somebody who is asked to join.

use super::{
    attend, courses,
    demo::{Sketch, Stage, person},
    members, plan, store,
};
use crate::{
    access::Membership,
    error::AppError,
    training::domain::Mark,
    values::{ClassId, PersonId},
};
use chrono::TimeDelta;

const LAPSED: Sketch = Sketch(1, "Contabilidad: cierre del año pasado", "es", None, -420, 15, 1, 12, 0);
const LAPSES: Sketch = Sketch(1, "Contabilidad: repaso anual", "es", None, -330, 15, 1, 12, 0);

/// Seeds what the first firm's owner sees of its people.
pub async fn seed(stage: &Stage<'_>) -> Result<(), AppError> {
    let course = stage.courses[1];
    let detail = store::course_detail(&mut stage.cx.db().read().await?, course).await?;
    let mut tx = stage.cx.db().read().await?;
    let units = store::units(&mut tx, course).await?;
    let needs = store::needs_of(&mut tx, course).await?.into_iter().map(|(id, _)| id).collect();
    drop(tx);
    let detail = store::CourseDetail { valid_months: Some(12), ..detail };
    courses::edit(&stage.trainer_at(-421), courses::Edit { course: detail, units, needs }).await?;
    let (jonas, ieva) = (stage.cast.customer(32)?, stage.cast.customer(33)?);
    held(stage, &LAPSED, jonas).await?;
    held(stage, &LAPSES, ieva).await?;
    let firm = stage.cast.organisation(0)?;
    let owner = person(stage.cx, stage.cast.person("owner")?, &[], vec![(firm, Membership::Owner)]).await?;
    let cx = stage.at(stage.cx.now - TimeDelta::days(1), &owner);
    let email = "rokas.balciunas@example.net".parse().map_err(|_| AppError::NotFound)?;
    members::invite(&cx, firm, email, "Rokas Balčiūnas".to_owned(), None).await
}

/// A class of long ago that one of the firm attended.
async fn held(stage: &Stage<'_>, sketch: &Sketch, learner: PersonId) -> Result<ClassId, AppError> {
    let id = stage.open(sketch).await?;
    stage.enrol(id, learner, 5 - sketch.4).await?;
    let mut tx = stage.cx.db().read().await?;
    let (sessions, people) = (store::sessions(&mut tx, id).await?, store::of_class(&mut tx, id).await?);
    let ends = store::class(&mut tx, id).await?.ends_at;
    drop(tx);
    for session in &sessions {
        for row in &people {
            let cx = stage.at(session.starts_at, &stage.trainer);
            attend::mark(&cx, id, session.id, row.id, None, Some(Mark::Present)).await?;
        }
    }
    plan::close(&stage.at(ends + TimeDelta::minutes(30), &stage.trainer), id).await?;
    Ok(id)
}
