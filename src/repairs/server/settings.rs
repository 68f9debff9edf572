//! `/desk/settings/workshops`: where repairs are done, when, how many at once, and what looking at an item costs.

use crate::{
    access::{Act, Subject},
    calendar::{
        hours::{Opening, Service, read_hours, write_hours},
        server::hours::{self, NewWorkshop, Workshop},
    },
    db::Key,
    error::{AppError, Fault, Faults, Refusal},
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
const NUMBERS: [(&str, i64, i64, i64); 8] = [
    ("slot_minutes", 5, 480, 30),
    ("lead_hours", 0, 720, 2),
    ("horizon_days", 1, 366, 30),
    ("desk_capacity", 0, 100, 1),
    ("visit_capacity", 0, 100, 1),
    ("notice_hours", 0, 720, 24),
    ("quote_days", 1, 365, 14),
    ("warranty_days", 0, 3650, 90),
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
    page(&cx, &all, Sheet::filled(&fields), &[]).await
}

/// `POST /desk/settings/workshops`
pub async fn save(cx: Cx, form: Form) -> Result<Response, AppError> {
    cx.person()?;
    cx.may(Act::SetHours, &Subject::nobody())?;
    match keep(&cx, &form).await {
        Ok(id) => Ok(cx.redirect(&format!("{PATH}?id={id}"), Some(Notice::RepairSaved))),
        Err(error) => {
            let all = hours::workshops(&mut cx.db().read().await?).await?;
            let theirs = match all.iter().find(|workshop| workshop.id.to_string() == form.text("id")) {
                Some(workshop) if error == AppError::Refused(Refusal::ChangedMeanwhile) => {
                    of_workshop(&cx, workshop).await?
                }
                _ => Vec::new(),
            };
            page(&cx, &all, Sheet::again(form, error)?, &theirs).await
        }
    }
}

async fn keep(cx: &Cx, form: &Form) -> Result<WorkshopId, AppError> {
    let known: Option<WorkshopId> = form.text("id").parse().ok();
    let new = read(cx, form, known.unwrap_or_else(fresh))?;
    let seen: Option<i64> = form.text("version").parse().ok();
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, new) = (context.clone(), new.clone());
            Box::pin(async move {
                let permit = cx.may(Act::SetHours, &Subject::nobody())?;
                tx.lock(&[Key::of("workshop", new.id.0)]).await?;
                let now = hours::workshop(tx, new.id).await?.map(|workshop| workshop.version);
                if now.is_some() && now != seen {
                    return Err(Refusal::ChangedMeanwhile.into());
                }
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
    let [
        slot_minutes,
        lead_hours,
        horizon_days,
        desk_capacity,
        visit_capacity,
        notice_hours,
        quote_days,
        warranty_days,
    ] = numbers;
    let currency = cx.app.company.currency;
    let [diagnosis_fee, visit_fee] = ["diagnosis_fee", "visit_fee"].map(|field| {
        let fee = Money::typed(form.text(field), currency).ok().filter(|fee| fee.minor >= 0);
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
    let closed = closed_days(form, &mut faults);
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
        warranty_days,
        diagnosis_fee,
        visit_fee,
        desk,
        visits,
        closed,
    })
}

/// The closed days as they are typed, one a line with its reason.
pub fn closed_days(form: &Form, faults: &mut Faults) -> Vec<(NaiveDate, String)> {
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
    closed
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
        ("version".to_owned(), workshop.version.to_string()),
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
        workshop.warranty_days,
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

/// `theirs`: what somebody else saved while this was written; each field that differs says so.
async fn page(cx: &Cx, all: &[Workshop], sheet: Sheet, theirs: &[(String, String)]) -> Result<Response, AppError> {
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
        let now = |name: &str| {
            let stored = theirs.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
            stored.filter(|stored| *stored != sheet.value(name)).map(|stored| w!(t, repairs.settings_now, value = stored.to_owned()))
        };
        let field = |name: &str, label: String| {
            view! { <Field name=name.to_owned() label=label value=sheet.value(name).to_owned() fault=cx.fault(&sheet, name) hint=now(name)/> }
        };
        // Whoever was told of the other's change may save over it.
        let version = theirs.iter().find(|(field, _)| field == "version").map(|(_, version)| version.clone());
        let version = version.unwrap_or_else(|| sheet.value("version").to_owned());
        let closed_hint = [Some(w!(t, repairs.settings_closed_hint)), now("closed")];
        let closed_hint: Vec<String> = closed_hint.into_iter().flatten().collect();
        let numbers = NUMBERS.iter().map(|(name, ..)| field(name, label(t, name))).collect_view();
        let week = |service: &'static str| {
            let days = (1..=7_u8).map(|day| field(&format!("{service}_{day}"), weekday(t, day))).collect_view();
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
                <input type="hidden" name="version" value=version/>
                {field("name", w!(t, repairs.settings_name))}
                {field("address", w!(t, repairs.settings_address))}
                {field("zone", w!(t, repairs.settings_zone))}
                <div class="fields">{numbers}</div>
                <div class="fields">
                    {field("diagnosis_fee", w!(t, repairs.settings_diagnosis_fee))}
                    {field("visit_fee", w!(t, repairs.settings_visit_fee))}
                </div>
                <h2>{w!(t, repairs.settings_desk)}</h2>
                <p class="hint">{w!(t, repairs.settings_hours_hint)}</p>
                {desk}
                <h2>{w!(t, repairs.settings_visits)}</h2>
                {visits}
                <TextArea name="closed" label=w!(t, repairs.settings_closed) hint=closed_hint.join(" ")
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
        "quote_days" => w!(t, repairs.settings_quote_days),
        _ => w!(t, repairs.settings_warranty_days),
    }
}

/// The name of a weekday, 1 for Monday.
pub fn weekday(t: Fmt, day: u8) -> String {
    // The fifth of January 1970 was a Monday.
    let monday = chrono::DateTime::UNIX_EPOCH.date_naive().and_time(NaiveTime::MIN) + TimeDelta::days(4);
    t.weekday((monday + TimeDelta::days(i64::from(day) - 1)).date())
}
