//! A course as trainers keep it: what it teaches, how hard it is, what it needs before. And what that means for who
//! enrols.

use super::store::{self, ClassRow, CourseDetail, UnitRow};
use crate::{
    access::{Act, Subject},
    db::{Key, Tx},
    error::AppError,
    server::{
        Cx,
        history::{self, Change},
    },
    training::domain::{Difference, NeedsRule, Refusal, learning},
    values::{CourseId, PersonId},
};

/// A course as a trainer wants it; its version is the one that they had before their eyes.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    pub course: CourseDetail,
    pub units: Vec<UnitRow>,
    pub needs: Vec<CourseId>,
}

/// Changes the course. Who read an older version is shown what somebody else stored meanwhile.
pub async fn edit(cx: &Cx, edit: Edit) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, edit) = (cx.clone(), edit.clone());
            Box::pin(async move {
                let permit = cx.may(Act::EditCourse, &Subject::nobody())?;
                let id = edit.course.id;
                tx.lock(&[Key::of("course", id.0)]).await?;
                let stored = store::course_detail(tx, id).await?;
                if stored.version != edit.course.version {
                    return Err(
                        Refusal::ChangedMeanwhile { differences: differences(tx, &stored, &edit).await? }.into()
                    );
                }
                let products = match &edit.course.products {
                    Some(skus) => Some(store::products_by_sku(tx, skus).await?),
                    None => None,
                };
                if !store::update_course(tx, &permit, &edit.course).await? {
                    return Err(AppError::Busy);
                }
                store::set_units(tx, &permit, id, &edit.units).await?;
                // A course that needs itself could never be taken.
                let needs: Vec<CourseId> = edit.needs.into_iter().filter(|need| *need != id).collect();
                store::set_needs(tx, &permit, id, &needs).await?;
                if let Some(products) = products {
                    store::set_products(tx, &permit, id, &products).await?;
                }
                let change = Change { entity: "course", id: id.0, to: Some("changed"), ..Change::default() };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}

async fn differences(tx: &mut Tx, stored: &CourseDetail, edit: &Edit) -> Result<Vec<Difference>, AppError> {
    let yours = &edit.course;
    let (units, needs) = (store::units(tx, stored.id).await?, store::needs_of(tx, stored.id).await?);
    let mut wanted = store::courses(tx).await?;
    wanted.retain(|course| edit.needs.contains(&course.id) && course.id != stored.id);
    wanted.sort_by(|one, other| (&one.title, one.id).cmp(&(&other.title, other.id)));
    let skus = |course: &CourseDetail| course.products.clone().or(stored.products.clone()).unwrap_or_default();
    let sorted = |mut skus: Vec<String>| {
        skus.sort();
        skus.dedup();
        skus.join(", ")
    };
    let pairs = [
        ("title", stored.title.clone(), yours.title.clone()),
        ("summary", stored.summary.clone(), yours.summary.clone()),
        ("language", stored.language.clone(), yours.language.clone()),
        ("level", stored.level.as_str().to_owned(), yours.level.as_str().to_owned()),
        ("pass_percent", stored.pass_percent.to_string(), yours.pass_percent.to_string()),
        ("valid_months", months(stored), months(yours)),
        ("needs_rule", stored.needs_rule.as_str().to_owned(), yours.needs_rule.as_str().to_owned()),
        (
            "needs",
            needs.into_iter().map(|(_, title)| title).collect::<Vec<_>>().join(", "),
            wanted.into_iter().map(|course| course.title).collect::<Vec<_>>().join(", "),
        ),
        ("units", said(&units), said(&edit.units)),
        ("products", sorted(skus(stored)), sorted(skus(yours))),
    ];
    let differences = pairs
        .into_iter()
        .filter(|(_, theirs, yours)| theirs != yours)
        .map(|(field, theirs, yours)| Difference { field: field.to_owned(), theirs, yours });
    Ok(differences.collect())
}

fn said(units: &[UnitRow]) -> String {
    let unit = |unit: &UnitRow| match unit.summary.as_str() {
        "" => format!("{} ({})", unit.title, unit.minutes),
        about => format!("{} ({}): {about}", unit.title, unit.minutes),
    };
    units.iter().map(unit).collect::<Vec<_>>().join("; ")
}

fn months(course: &CourseDetail) -> String {
    course.valid_months.map(|months| months.to_string()).unwrap_or_default()
}

/// The courses that a person has to take before this class and has not, where the course insists on them.
pub async fn lacks(tx: &mut Tx, cx: &Cx, class: &ClassRow, person: PersonId) -> Result<Option<Vec<String>>, AppError> {
    match require(tx, cx, class, person).await {
        Ok(()) => Ok(None),
        Err(AppError::Refused(crate::error::Refusal::Training(Refusal::NeedsBefore { courses }))) => Ok(Some(courses)),
        Err(error) => Err(error),
    }
}

/// Refuses who lacks what the course of a class requires. Staff are exempt.
pub async fn require(tx: &mut Tx, cx: &Cx, class: &ClassRow, person: PersonId) -> Result<(), AppError> {
    if class.needs_rule == NeedsRule::Warn {
        return Ok(());
    }
    let missing = store::missing_needs(tx, class.course_id, person, class.starts_at, class.first_day()).await?;
    Ok(learning::require(class.needs_rule, missing, cx.viewer.is_staff())?)
}
