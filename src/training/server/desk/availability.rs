//! `/desk/availability`: when a trainer or a technician works, and when not.

use super::{FRAME, forms};
use crate::{
    access::{Act, Role, Subject},
    calendar::{
        domain::Span,
        hours::{Opening, read_hours, write_hours},
    },
    error::{AppError, Fault, Faults},
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::{DeskTab, Frame},
        query::Query,
    },
    training::server::{
        availability as service,
        portal::key,
        store::{self, AbsenceRow},
        views, words,
    },
    ui::*,
    values::{AbsenceId, PersonId},
    w,
};
use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;

/// Whose time is asked for: the reader's own, unless a manager says whose.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    person: String,
}

struct Shown {
    person: PersonId,
    /// Of whom a manager chooses.
    staff: Vec<(PersonId, String)>,
    absences: Vec<AbsenceRow>,
    hours: Vec<Opening>,
}

async fn load(cx: &Cx, asked: &str) -> Result<Shown, AppError> {
    let me = cx.person()?;
    let manager = me.is(Role::Manager) || me.is(Role::Admin);
    let mut tx = cx.db().read().await?;
    let staff = if manager { store::with_hours(&mut tx).await? } else { Vec::new() };
    let chosen = asked.parse().ok().filter(|id| staff.iter().any(|(known, _)| known == id));
    let person = chosen.or(staff.first().map(|(id, _)| *id)).unwrap_or(me.id);
    cx.may(Act::SetAvailability, &Subject::nobody().assigned_to(Some(person)))?;
    let absences = store::absences(&mut tx, person, cx.now).await?;
    let hours = store::working_hours(&mut tx, person).await?;
    Ok(Shown { person, staff, absences, hours })
}

pub async fn show(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let shown = load(&cx, &asked.person).await?;
    Ok(page(&cx, &shown, &Sheet::default()))
}

pub async fn act(cx: Cx, form: Form) -> Result<Response, AppError> {
    let shown = load(&cx, form.text("person")).await?;
    let person = shown.person;
    let done = match form.text("act") {
        "remove" => match form.text("absence").parse::<AbsenceId>() {
            Ok(id) => service::remove_absence(&cx, person, id).await,
            Err(_) => Err(AppError::NotFound),
        },
        "hours" => match week(&form) {
            Ok(hours) => service::set_hours(&cx, person, hours).await,
            Err(error) => Err(error),
        },
        _ => match absence(&cx, &form) {
            Ok((span, why)) => service::add_absence(&cx, person, span, why, form.key()).await,
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(()) => Ok(cx.redirect(&address(&shown), Some(Notice::AvailabilitySaved))),
        Err(error) => Ok(page(&cx, &shown, &Sheet::again(form, error)?)),
    }
}

fn address(shown: &Shown) -> String {
    match shown.staff.is_empty() {
        true => "/desk/availability".to_owned(),
        false => format!("/desk/availability?person={}", shown.person),
    }
}

fn absence(cx: &Cx, form: &Form) -> Result<(Span, String), AppError> {
    let mut faults = Faults::default();
    let zone = cx.company_zone();
    let [from, until] = ["from", "until"].map(|name| {
        let at = forms::moment(form, name, zone, &mut faults);
        if at.is_none() && form.text(name).is_empty() {
            faults.add(name, Fault::Required);
        }
        at
    });
    let why = form.text("why").chars().take(200).collect::<String>();
    let span = from.zip(until).and_then(|(from, until)| Span::new(from, until));
    match (from, until, span) {
        (Some(_), Some(_), None) => faults.add("until", Fault::EndsBeforeStart),
        (_, Some(until), _) if until <= cx.now => faults.add("until", Fault::InThePast),
        (_, _, Some(span)) if span.duration() > chrono::Duration::days(400) => {
            faults.add("until", Fault::NotADate);
        }
        _ => {}
    }
    faults.check()?;
    span.map(|span| (span, why)).ok_or_else(|| Faults::only("until", Fault::EndsBeforeStart))
}

fn week(form: &Form) -> Result<Vec<Opening>, AppError> {
    let mut faults = Faults::default();
    let mut week = Vec::new();
    for day in 1..=7_u8 {
        let field = format!("day_{day}");
        match read_hours(day, form.text(&field)) {
            Some(openings) => week.extend(openings),
            None => faults.add(&field, Fault::NotATime),
        }
    }
    faults.check()?;
    Ok(week)
}

fn page(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Response {
    let title = w!(cx, planning.availability);
    let zone = cx.company_zone();
    // Back to where they came from: technicians have no classes.
    let classes = cx.viewer.person().map(|me| Subject::nobody().assigned_to(Some(me.id)));
    let (frame, back) = match classes.is_some_and(|own| cx.viewer.can(Act::ReadRoster, &own)) {
        true => (FRAME, ("/desk/classes".to_owned(), w!(cx, training.desk_title))),
        false => (Frame::Desk(DeskTab::Repairs), ("/desk/repairs".to_owned(), w!(cx, repairs.desk_title))),
    };
    cx.sheet_page(sheet, frame, title.clone(), || {
        let person = shown.person.to_string();
        let tabs: Vec<Tab> = shown
            .staff
            .iter()
            .map(|(id, name)| Tab {
                href: format!("/desk/availability?person={id}"),
                label: name.clone(),
                current: *id == shown.person,
            })
            .collect();
        let tabs = (!tabs.is_empty()).then(|| view! { <Tabs label=w!(cx, planning.availability) tabs/> });
        let rows: Vec<AnyView> = shown.absences.iter().map(|row| one(cx, row, &person)).collect();
        let none = rows.is_empty().then(|| view! { <p class="soft">{w!(cx, planning.absences_none)}</p> });
        let moment = |name: &'static str, label: String| {
            view! {
                <Field name label kind="datetime-local" value=sheet.value(name).to_owned() fault=cx.fault(sheet, name) required=true/>
            }
        };
        let days: Vec<AnyView> = (1..=7_u8)
            .map(|day| {
                let name = format!("day_{day}");
                let value = match sheet.value("act") {
                    "hours" => sheet.value(&name).to_owned(),
                    _ => write_hours(day, &shown.hours),
                };
                let label = words::weekday(cx.fmt(), day);
                view! { <Field name=name.clone() label value fault=cx.fault(sheet, &name)/> }.into_any()
            })
            .collect();
        let (add, save) = (w!(cx, planning.absence_add), w!(cx, training.save));
        let hint = w!(cx, planning.hours_hint);
        let absence_form = view! {
            <form id="absence" class="form" method="post" action="/desk/availability">
                <input type="hidden" name="act" value="absence"/>
                <input type="hidden" name="person" value=person.clone()/>
                <HiddenKey value=key()/>
                <div class="fields">
                    {moment("from", w!(cx, planning.from))}
                    {moment("until", w!(cx, planning.until))}
                </div>
                <Field name="why" label=w!(cx, planning.why) value=sheet.value("why").to_owned() maxlength=Some(200)
                    optional=Some(w!(cx, planning.optional))/>
                <Actions><Button icon=Some(Icon::Plus)>{add}</Button></Actions>
            </form>
        };
        let hours_form = view! {
            <form id="working-hours" class="form" method="post" action="/desk/availability">
                <input type="hidden" name="act" value="hours"/>
                <input type="hidden" name="person" value=person/>
                <p class="hint">{hint}</p>
                <div class="fields">{days}</div>
                <Actions><Button tone=ButtonTone::Quiet>{save}</Button></Actions>
            </form>
        };
        view! {
            <PageHead title=title lead=Some(w!(cx, planning.availability_lead)) back=Some(back)/>
            {tabs}
            {views::faults(cx, sheet, zone)}
            <Section title=w!(cx, planning.absences)>
                {none}
                <ul class="plain-list stack" role="list">{rows}</ul>
                {absence_form}
            </Section>
            <Section title=w!(cx, planning.working_hours)>{hours_form}</Section>
        }
    })
}

fn one(cx: &Cx, row: &AbsenceRow, person: &str) -> AnyView {
    let zone = cx.company_zone();
    let time = format!("{} – {}", cx.fmt().date_time(row.starts_at, zone), cx.fmt().date_time(row.ends_at, zone));
    let why = (!row.why.is_empty()).then(|| view! { <p class="soft">{row.why.clone()}</p> });
    let remove = w!(cx, planning.absence_remove);
    view! {
        <li class="card stack">
            <p><strong>{time.clone()}</strong></p>
            {why}
            <form method="post" action="/desk/availability" aria-label=time>
                <input type="hidden" name="act" value="remove"/>
                <input type="hidden" name="person" value=person.to_owned()/>
                <input type="hidden" name="absence" value=row.id.to_string()/>
                <Actions><Button tone=ButtonTone::Quiet icon=Some(Icon::Cross)>{remove}</Button></Actions>
            </form>
        </li>
    }
    .into_any()
}
