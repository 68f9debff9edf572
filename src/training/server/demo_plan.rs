//! The demo company's planning: equipment, an absence, hours, and people who ask for classes.

use super::{
    asks, availability,
    store::{self, EquipmentRow, Wanted},
};
use crate::{
    access::{Act, Person, Subject, Viewer},
    calendar::{domain::Span, hours::Opening, server::zone},
    error::AppError,
    server::{Cx, fresh},
    training::domain::wish::Times,
    values::CourseId,
};
use chrono::{NaiveTime, TimeDelta};

/// Name, place.
const EQUIPMENT: [(&str, &str); 3] =
    [("Proyector 4K", "Madrid"), ("Impresora de prácticas", "Madrid"), ("Stampante dimostrativa", "Milano")];

/// Which times suit, where, in which language, for which of the courses.
const WISHES: [(usize, &str, &str, &str); 7] = [
    (0, "2-morning 4-morning 4-evening", "", "en"),
    (0, "4-evening 6-morning", "online", "en"),
    (0, "2-morning 3-afternoon", "Madrid", "en"),
    (0, "4-evening", "", ""),
    (1, "1-evening 3-evening", "online", "es"),
    (1, "3-evening 5-afternoon", "", "es"),
    (3, "2-afternoon", "Vilnius", "lt"),
];

pub async fn seed(cx: &Cx, trainer: &Person, people: &[Person], courses: &[CourseId]) -> Result<(), AppError> {
    let permit = cx.may(Act::AddEquipment, &Subject::nobody())?;
    let now = cx.now;
    cx.db()
        .write(move |tx| {
            Box::pin(async move {
                for (name, place) in EQUIPMENT {
                    let row = EquipmentRow {
                        id: fresh(),
                        name: name.to_owned(),
                        place: place.to_owned(),
                        version: 1,
                        retired_at: None,
                    };
                    store::insert_equipment(tx, &permit, &row, now).await?;
                }
                Ok(())
            })
        })
        .await?;
    let by = |person: &Person| cx.as_viewer(Viewer::Person(Box::new(person.clone())));
    let hours = (1..=5).filter_map(|day| Opening::new(day, 8 * 60, 20 * 60)).collect();
    availability::set_hours(&by(trainer), trainer.id, hours).await?;
    let tz = cx.company_zone();
    let midnight = |days: i64| zone::instant(tz, cx.today() + TimeDelta::days(days), NaiveTime::MIN);
    if let Some(span) = midnight(64).zip(midnight(71)).and_then(|(from, until)| Span::new(from, until)) {
        availability::add_absence(&by(trainer), trainer.id, span, "Vacaciones".to_owned(), None).await?;
    }
    for ((course, times, place, language), person) in WISHES.into_iter().zip(people) {
        let times: Times = times.parse().unwrap_or_default();
        let wanted = Wanted { language: language.to_owned(), place: place.to_owned(), times };
        if let Some(course) = courses.get(course) {
            asks::ask(&by(person), *course, wanted, None).await?;
        }
    }
    Ok(())
}
