//! `/desk/settings/workshops`: where repairs are done, when, how many at once, and what looking at an item costs.

use super::parts::amount;
use crate::{
    access::{Act, Subject},
    calendar::{
        hours::{Opening, Service, read_hours, write_hours},
        server::hours::{self, NewWorkshop, Workshop},
    },
    error::{AppError, Fault, Faults},
    i18n::Fmt,
    server::{
        Cx,
        form::{Form, Sheet},
        fresh,
        history::{self, Change},
        notice::Notice,
        page::{DeskTab, Frame},
    },
    ui::*,
    values::{Money, WorkshopId},
    w,
};
use axum::{extract::RawQuery, response::Response};
use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use leptos::prelude::*;

const FRAME: Frame = Frame::Desk(DeskTab::Repairs);
const PATH: &str = "/desk/settings/workshops";
/// Whole numbers of the form: field, least, most, and what a new workshop begins with.
const NUMBERS: [(&str, i64, i64, i64); 7] = [
    ("slot_minutes", 5, 480, 30),
    ("lead_hours", 0, 720, 2),
    ("horizon_days", 1, 366, 30),
    ("desk_capacity", 0, 100, 1),
    ("visit_capacity", 0, 100, 1),
    ("notice_hours", 0, 720, 24),
    ("quote_days", 1, 365, 14),
];

/// `GET /desk/settings/workshops`, of one workshop with `?id=`, of a new one with `?id=new`.
pub async fn show(cx: Cx, RawQuery(raw): RawQuery) -> Result<Response, AppError> {
    cx.person()?;
    cx.may(Act::SetHours, &Subject::nobody())?;
    let asked = super::portal::query(raw);
    let all = hours::workshops(&mut cx.db().read().await?).await?;
    let chosen = match asked.text("id") {
        "" => all.first(),
        id => all.iter().find(|workshop| workshop.id.to_string() == id),
    };
    let form = match chosen {
        Some(workshop) => of_workshop(&cx, workshop).await?,
        None => empty(&cx),
    };
    let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    page(&cx, &all, Sheet::filled(&fields)).await
}

/// `POST /desk/settings/workshops`
pub async fn save(cx: Cx, form: Form) -> Result<Response, AppError> {
    cx.person()?;
    cx.may(Act::SetHours, &Subject::nobody())?;
    match keep(&cx, &form).await {
        Ok(id) => Ok(cx.redirect(&format!("{PATH}?id={id}"), Some(Notice::RepairSaved))),
        Err(error) => {
            let all = hours::workshops(&mut cx.db().read().await?).await?;
            page(&cx, &all, Sheet::again(form, error)?).await
        }
    }
}

async fn keep(cx: &Cx, form: &Form) -> Result<WorkshopId, AppError> {
    let known: Option<WorkshopId> = form.text("id").parse().ok();
    let new = read(cx, form, known.unwrap_or_else(fresh))?;
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, new) = (context.clone(), new.clone());
            Box::pin(async move {
                let permit = cx.may(Act::SetHours, &Subject::nobody())?;
                hours::set_workshop(tx, &permit, &new, cx.now, cx.today()).await?;
                let change = Change { entity: "workshop", id: new.id.0, ..Change::default() };
                history::record(tx, &cx, &permit, change).await?;
                Ok(new.id)
            })
        })
        .await
}

fn read(cx: &Cx, form: &Form, id: WorkshopId) -> Result<NewWorkshop, AppError> {
    let mut faults = Faults::default();
    let name = form.words("name", 100, &mut faults);
    let address = form.words("address", 300, &mut faults);
    let zone: Option<Tz> = form.parse("zone", &mut faults, Fault::NotAChoice);
    let numbers = NUMBERS.map(|(field, least, most, _)| {
        let number = form.parse::<i64>(field, &mut faults, Fault::NotANumber).unwrap_or(least);
        if number < least {
            faults.add(field, Fault::TooSmall { min: least });
        } else if number > most {
            faults.add(field, Fault::TooLarge { max: most });
        }
        number
    });
    let [slot_minutes, lead_hours, horizon_days, desk_capacity, visit_capacity, notice_hours, quote_days] = numbers;
    let currency = cx.app.company.currency;
    let [diagnosis_fee, visit_fee] = ["diagnosis_fee", "visit_fee"].map(|field| {
        let fee = amount(form.text(field), currency).filter(|fee| fee.minor >= 0);
        if fee.is_none() {
            faults.add(field, Fault::NotAnAmount);
        }
        fee.unwrap_or(Money::zero(currency))
    });
    let [desk, visits] = ["desk", "visit"].map(|service| {
        let mut week: Vec<Opening> = Vec::new();
        for day in 1..=7_u8 {
            let field = format!("{service}_{day}");
            match read_hours(day, form.text(&field)) {
                Some(openings) => week.extend(openings),
                None => faults.add(&field, Fault::NotATime),
            }
        }
        week
    });
    let mut closed = Vec::new();
    for line in form.text("closed").lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (day, label) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match day.parse::<NaiveDate>() {
            Ok(day) if (1970..=2200).contains(&day.year()) => closed.push((day, label.trim().to_owned())),
            _ => {
                faults.add("closed", Fault::NotADate);
                break;
            }
        }
    }
    faults.check()?;
    Ok(NewWorkshop {
        id,
        name,
        address,
        zone: zone.unwrap_or(cx.company_zone()),
        slot_minutes,
        lead_minutes: lead_hours * 60,
        horizon_days,
        desk_capacity,
        visit_capacity,
        notice_hours,
        quote_days,
        diagnosis_fee,
        visit_fee,
        desk,
        visits,
        closed,
    })
}

/// A workshop as the form shows it.
async fn of_workshop(cx: &Cx, workshop: &Workshop) -> Result<Vec<(String, String)>, AppError> {
    let mut tx = cx.db().read().await?;
    let desk = hours::timetable(&mut tx, workshop, Service::Desk, cx.today()).await?;
    let visits = hours::timetable(&mut tx, workshop, Service::Visit, cx.today()).await?;
    let closed = hours::closed_days(&mut tx, workshop.id, cx.today()).await?;
    let closed: Vec<String> = closed.iter().map(|(day, label)| format!("{day} {label}").trim().to_owned()).collect();
    let mut fields = vec![
        ("id".to_owned(), workshop.id.to_string()),
        ("name".to_owned(), workshop.name.clone()),
        ("address".to_owned(), workshop.address.clone()),
        ("zone".to_owned(), workshop.zone().name().to_owned()),
        ("diagnosis_fee".to_owned(), workshop.fee(None).decimal()),
        ("visit_fee".to_owned(), workshop.fee(Some(Service::Visit)).decimal()),
        ("closed".to_owned(), closed.join("\n")),
    ];
    let lead_hours = TimeDelta::minutes(workshop.lead_minutes).num_hours();
    let numbers = [
        workshop.slot_minutes,
        lead_hours,
        workshop.horizon_days,
        workshop.desk_capacity,
        workshop.visit_capacity,
        workshop.notice_hours,
        workshop.quote_days,
    ];
    fields.extend(NUMBERS.iter().zip(numbers).map(|((field, ..), number)| ((*field).to_owned(), number.to_string())));
    for (service, table) in [("desk", desk), ("visit", visits)] {
        fields.extend((1..=7).map(|day| (format!("{service}_{day}"), write_hours(day, &table.openings))));
    }
    Ok(fields)
}

/// What a new workshop begins with: office hours on weekdays, no fees.
fn empty(cx: &Cx) -> Vec<(String, String)> {
    let zero = Money::zero(cx.app.company.currency).decimal();
    let mut fields = vec![
        ("zone".to_owned(), cx.company_zone().name().to_owned()),
        ("diagnosis_fee".to_owned(), zero.clone()),
        ("visit_fee".to_owned(), zero),
    ];
    fields.extend(NUMBERS.iter().map(|(field, _, _, first)| ((*field).to_owned(), first.to_string())));
    for service in ["desk", "visit"] {
        fields.extend((1..=5).map(|day| (format!("{service}_{day}"), "09:00-13:00, 14:00-18:00".to_owned())));
    }
    fields
}

async fn page(cx: &Cx, all: &[Workshop], sheet: Sheet) -> Result<Response, AppError> {
    let t = cx.fmt();
    let title = w!(t, repairs.settings_title);
    Ok(cx.sheet_page(&sheet, FRAME, title.clone(), || {
        let current = sheet.value("id").to_owned();
        let mut tabs: Vec<Tab> = all
            .iter()
            .map(|workshop| Tab {
                href: format!("{PATH}?id={}", workshop.id),
                label: workshop.name.clone(),
                current: workshop.id.to_string() == current,
            })
            .collect();
        let new = w!(t, repairs.settings_new);
        tabs.push(Tab { href: format!("{PATH}?id=new"), label: new, current: current.is_empty() });
        let field = |name: &str, label: String, hint: Option<String>| {
            view! { <Field name=name.to_owned() label=label value=sheet.value(name).to_owned() fault=cx.fault(&sheet, name) hint=hint/> }
        };
        let numbers = NUMBERS.iter().map(|(name, ..)| field(name, label(t, name), None)).collect_view();
        let week = |service: &'static str| {
            let days = (1..=7_u8).map(|day| field(&format!("{service}_{day}"), weekday(t, day), None)).collect_view();
            view! { <div class="fields">{days}</div> }
        };
        let (desk, visits) = (week("desk"), week("visit"));
        view! {
            <PageHead title=title lead=w!(t, repairs.settings_lead)
                back=Some(("/desk/repairs".to_owned(), w!(t, repairs.desk_title)))/>
            <Tabs label=w!(t, repairs.settings_title) tabs=tabs/>
            {cx.faults(&sheet)}
            <form class="form" method="post" action=PATH id="workshop">
                <input type="hidden" name="id" value=current/>
                {field("name", w!(t, repairs.settings_name), None)}
                {field("address", w!(t, repairs.settings_address), None)}
                {field("zone", w!(t, repairs.settings_zone), None)}
                <div class="fields">{numbers}</div>
                <div class="fields">
                    {field("diagnosis_fee", w!(t, repairs.settings_diagnosis_fee), None)}
                    {field("visit_fee", w!(t, repairs.settings_visit_fee), None)}
                </div>
                <h2>{w!(t, repairs.settings_desk)}</h2>
                <p class="hint">{w!(t, repairs.settings_hours_hint)}</p>
                {desk}
                <h2>{w!(t, repairs.settings_visits)}</h2>
                {visits}
                <TextArea name="closed" label=w!(t, repairs.settings_closed) hint=w!(t, repairs.settings_closed_hint)
                    value=sheet.value("closed").to_owned() fault=cx.fault(&sheet, "closed")/>
                <Button>{w!(t, repairs.settings_save)}</Button>
            </form>
        }
    }))
}

fn label(t: Fmt, field: &str) -> String {
    match field {
        "slot_minutes" => w!(t, repairs.settings_slot_minutes),
        "lead_hours" => w!(t, repairs.settings_lead_hours),
        "horizon_days" => w!(t, repairs.settings_horizon_days),
        "desk_capacity" => w!(t, repairs.settings_desk_capacity),
        "visit_capacity" => w!(t, repairs.settings_visit_capacity),
        "notice_hours" => w!(t, repairs.settings_notice_hours),
        _ => w!(t, repairs.settings_quote_days),
    }
}

/// The name of a weekday, 1 for Monday.
fn weekday(t: Fmt, day: u8) -> String {
    // The fifth of January 1970 was a Monday.
    let monday = chrono::DateTime::UNIX_EPOCH.date_naive().and_time(NaiveTime::MIN) + TimeDelta::days(4);
    t.weekday((monday + TimeDelta::days(i64::from(day) - 1)).date())
}
