//! `/desk/settings/hours`: when the service desk answers. The clocks of every promise run in these hours.

use super::hours::{self, DeskHours};
use crate::{
    access::{Act, Subject},
    calendar::hours::{Opening, read_hours, write_hours},
    db::Key,
    error::{AppError, Fault, Faults, Refusal},
    repairs::server::settings::{closed_days, weekday},
    server::{
        Cx,
        form::{Form, Sheet},
        history::{self, Change},
        notice::Notice,
        page::{DeskTab, Frame},
    },
    ui::*,
    w,
};
use axum::response::Response;
use leptos::prelude::*;
use uuid::Uuid;

const FRAME: Frame = Frame::Desk(DeskTab::Cases);
const PATH: &str = "/desk/settings/hours";

/// `GET /desk/settings/hours`
pub async fn show(cx: Cx) -> Result<Response, AppError> {
    cx.person()?;
    cx.may(Act::SetHours, &Subject::nobody())?;
    let now = hours::read(&mut cx.db().read().await?).await?;
    let fields = fields(&now);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Ok(page(&cx, &Sheet::filled(&fields), &[]))
}

/// `POST /desk/settings/hours`
pub async fn save(cx: Cx, form: Form) -> Result<Response, AppError> {
    cx.person()?;
    cx.may(Act::SetHours, &Subject::nobody())?;
    match keep(&cx, &form).await {
        Ok(()) => Ok(cx.redirect(PATH, Some(Notice::DeskHoursSaved))),
        Err(error) => {
            let theirs = match error {
                AppError::Refused(Refusal::ChangedMeanwhile) => fields(&hours::read(&mut cx.db().read().await?).await?),
                _ => Vec::new(),
            };
            Ok(page(&cx, &Sheet::again(form, error)?, &theirs))
        }
    }
}

async fn keep(cx: &Cx, form: &Form) -> Result<(), AppError> {
    let new = read(form)?;
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, new) = (context.clone(), new.clone());
            Box::pin(async move {
                let permit = cx.may(Act::SetHours, &Subject::nobody())?;
                tx.lock(&[Key::of("desk_hours", Uuid::nil())]).await?;
                if hours::read(tx).await?.version != new.version {
                    return Err(Refusal::ChangedMeanwhile.into());
                }
                hours::set(tx, &permit, &DeskHours { version: new.version + 1, ..new }).await?;
                let change = Change { entity: "desk_hours", id: Uuid::nil(), ..Change::default() };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}

/// The hours as they were typed, with the version that was read before.
fn read(form: &Form) -> Result<DeskHours, AppError> {
    let mut faults = Faults::default();
    let mut openings: Vec<Opening> = Vec::new();
    for day in 1..=7_u8 {
        let field = format!("day_{day}");
        match read_hours(day, form.text(&field)) {
            Some(hours) => openings.extend(hours),
            None => faults.add(&field, Fault::NotATime),
        }
    }
    if openings.is_empty() && faults.0.is_empty() {
        faults.add("day_1", Fault::Required);
    }
    let closed = closed_days(form, &mut faults);
    faults.check()?;
    Ok(DeskHours { version: form.text("version").parse().unwrap_or(-1), openings, closed })
}

fn fields(hours: &DeskHours) -> Vec<(String, String)> {
    let closed: Vec<String> =
        hours.closed.iter().map(|(day, label)| format!("{day} {label}").trim().to_owned()).collect();
    let mut fields = vec![("version".to_owned(), hours.version.to_string()), ("closed".to_owned(), closed.join("\n"))];
    fields.extend((1..=7).map(|day| (format!("day_{day}"), write_hours(day, &hours.openings))));
    fields
}

/// `theirs`: what somebody else saved while this was written; each field that differs says so.
fn page(cx: &Cx, sheet: &Sheet, theirs: &[(String, String)]) -> Response {
    let t = cx.fmt();
    let title = w!(t, cases.hours_title);
    cx.sheet_page(sheet, FRAME, title.clone(), || {
        let stored = |name: &str| theirs.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
        let now = |name: &str| {
            stored(name)
                .filter(|stored| stored != sheet.value(name))
                .map(|value| w!(t, repairs.settings_now, value = value))
        };
        let days = (1..=7_u8)
            .map(|day| {
                let name = format!("day_{day}");
                let (value, fault, hint) = (sheet.value(&name).to_owned(), cx.fault(sheet, &name), now(&name));
                view! { <Field name=name label=weekday(t, day) value=value fault=fault hint=hint/> }
            })
            .collect_view();
        let version = stored("version").unwrap_or_else(|| sheet.value("version").to_owned());
        let hint = [Some(w!(t, repairs.settings_closed_hint)), now("closed")];
        let hint = hint.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let zone = cx.company_zone().name().replace('_', " ");
        view! {
            <PageHead title=title lead=w!(t, cases.hours_lead, zone = zone)
                back=Some(("/desk/cases".to_owned(), w!(t, cases.desk_title)))/>
            {cx.faults(sheet)}
            <form class="form" method="post" action=PATH id="desk-hours">
                <input type="hidden" name="version" value=version/>
                <p class="hint">{w!(t, repairs.settings_hours_hint)}</p>
                <div class="fields">{days}</div>
                <TextArea name="closed" label=w!(t, repairs.settings_closed) hint=hint
                    value=sheet.value("closed").to_owned() fault=cx.fault(sheet, "closed")/>
                <Button>{w!(t, repairs.settings_save)}</Button>
            </form>
        }
    })
}
