//! Asking for a class where no date suits: which course, which times, which language, where.

use super::{
    asks,
    portal::{key, parse},
    store::{self, CourseRow, Wanted, WishRow},
    words,
};
use crate::{
    error::{AppError, Fault, Faults},
    i18n::InWords,
    server::{
        App, Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::{Frame, PortalTab},
    },
    training::domain::wish::{self, Part, Slot, Times},
    ui::*,
    values::CourseId,
    w,
};
use axum::{Router, extract::Path, response::Response, routing::get};
use chrono::{Days, NaiveDate};
use leptos::prelude::*;
use std::collections::BTreeSet;

const FRAME: Frame = Frame::Portal(PortalTab::Training);
/// So many single days can be named.
const DATES: usize = 3;
/// How many days ahead.
const AHEAD: u64 = 366;

pub fn routes() -> Router<App> {
    Router::new().route("/training/ask", get(list)).route("/training/ask/{course}", get(show).post(act))
}

/// The courses; those that the reader asked for first.
async fn list(cx: Cx) -> Result<Response, AppError> {
    let person = cx.person()?.id;
    let mut tx = cx.db().read().await?;
    let courses = store::courses(&mut tx).await?;
    let mine = store::wishes_of_person(&mut tx, person).await?;
    drop(tx);
    let title = w!(cx, planning.ask_title);
    Ok(cx.page(FRAME, title.clone(), || {
        let card = |course: &CourseRow| {
            let asked = mine.iter().any(|row| row.course_id == course.id);
            let badge = asked.then(|| (Tone::Good, w!(cx, planning.asked)));
            let href = format!("/training/ask/{}", course.id);
            let (title, text) = (course.title.clone(), Some(course.summary.clone()).filter(|text| !text.is_empty()));
            view! { <CardLink href title icon=Some(Icon::Cap) text badge/> }.into_any()
        };
        let (asked, others): (Vec<&CourseRow>, Vec<&CourseRow>) =
            courses.iter().partition(|course| mine.iter().any(|row| row.course_id == course.id));
        let cards: Vec<AnyView> = asked.into_iter().chain(others).map(card).collect();
        view! {
            <PageHead title=title lead=Some(w!(cx, planning.ask_lead)) back=Some(("/training".to_owned(), w!(cx, training.back_to_classes)))/>
            <Cards>{cards}</Cards>
        }
    }))
}

struct Shown {
    course: CourseRow,
    mine: Option<WishRow>,
    towns: Vec<String>,
}

async fn load(cx: &Cx, id: CourseId) -> Result<Shown, AppError> {
    let person = cx.person()?.id;
    let mut tx = cx.db().read().await?;
    let course = store::course(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let mine = store::wish(&mut tx, id, person).await?;
    let mut towns: Vec<String> = store::rooms(&mut tx).await?.into_iter().map(|room| room.place).collect();
    towns.dedup();
    // Whoever has asked for a town keeps it, though no room there is in use any more.
    let own = mine.as_ref().map(|row| &row.place).filter(|own| !matches!(own.as_str(), wish::ANYWHERE | wish::ONLINE));
    towns.extend(own.filter(|own| !towns.contains(own)).cloned());
    Ok(Shown { course, mine, towns })
}

async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let shown = load(&cx, parse(&id)?).await?;
    let sheet = match &shown.mine {
        Some(row) => kept(row),
        None => Sheet::filled(&[("language", &shown.course.language)]),
    };
    Ok(page(&cx, &shown, &sheet))
}

/// The form as the reader filled it in.
fn kept(row: &WishRow) -> Sheet {
    let mut fields = vec![("language".to_owned(), row.language.clone()), ("place".to_owned(), row.place.clone())];
    let mut dates = 0;
    for slot in row.times().0 {
        match slot {
            Slot::Weekly(..) => fields.push(("time".to_owned(), slot.to_string())),
            Slot::On(day) => {
                dates += 1;
                fields.push((format!("day_{dates}"), day.to_string()));
            }
        }
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Sheet::filled(&fields)
}

async fn act(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let id: CourseId = parse(&id)?;
    let shown = load(&cx, id).await?;
    let done = match form.text("act") {
        "withdraw" => asks::withdraw(&cx, id).await.map(|()| Notice::WishWithdrawn),
        _ => match read(&cx, &shown, &form) {
            Ok(wanted) => asks::ask(&cx, id, wanted, form.key()).await.map(|()| Notice::WishKept),
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(notice) => Ok(cx.redirect(&format!("/training/ask/{id}"), Some(notice))),
        Err(error) => Ok(page(&cx, &shown, &Sheet::again(form, error)?)),
    }
}

fn read(cx: &Cx, shown: &Shown, form: &Form) -> Result<Wanted, AppError> {
    let mut faults = Faults::default();
    let mut slots = BTreeSet::new();
    for word in form.all("time").into_iter().filter(|word| !word.is_empty()) {
        match word.parse::<Slot>() {
            Ok(slot @ Slot::Weekly(..)) => {
                slots.insert(slot);
            }
            _ => faults.add("time", Fault::NotAChoice),
        }
    }
    let (today, last) = (cx.today(), cx.today().checked_add_days(Days::new(AHEAD)).unwrap_or_default());
    for n in 1..=DATES {
        let name = format!("day_{n}");
        match form.optional::<NaiveDate>(&name, &mut faults, Fault::NotADate) {
            Some(day) if day <= today => faults.add(&name, Fault::InThePast),
            Some(day) if day > last => faults.add(&name, Fault::NotADate),
            Some(day) => {
                slots.insert(Slot::On(day));
            }
            None => {}
        }
    }
    if slots.is_empty() && faults.0.is_empty() {
        faults.add("time", Fault::Required);
    }
    let language = form.text("language").to_owned();
    if !language.is_empty() && !crate::i18n::LANGUAGES.iter().any(|(code, _)| *code == language) {
        faults.add("language", Fault::NotAChoice);
    }
    let place = form.text("place").to_owned();
    let known = matches!(place.as_str(), wish::ANYWHERE | wish::ONLINE) || shown.towns.contains(&place);
    if !known {
        faults.add("place", Fault::NotAChoice);
    }
    faults.check()?;
    Ok(Wanted { language, place, times: Times(slots) })
}

fn page(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Response {
    let title = shown.course.title.clone();
    cx.sheet_page(sheet, FRAME, title.clone(), || {
        let action = format!("/training/ask/{}", shown.course.id);
        let chosen: Vec<String> = sheet.values("time").into_iter().map(str::to_owned).collect();
        let days: Vec<AnyView> = (1..=7_u8).map(|day| weekday(cx, day, &chosen)).collect();
        let dates: Vec<AnyView> = (1..=DATES)
            .map(|n| {
                let name = format!("day_{n}");
                let label = w!(cx, planning.day_number, number = cx.fmt().number(i64::try_from(n).unwrap_or(0)));
                let (value, fault) = (sheet.value(&name).to_owned(), cx.fault(sheet, &name));
                view! { <Field name=name label kind="date" value fault/> }.into_any()
            })
            .collect();
        let mut languages = vec![(String::new(), w!(cx, training.any_language))];
        languages.extend(crate::i18n::LANGUAGES.iter().map(|(code, name)| ((*code).to_owned(), (*name).to_owned())));
        let mut places = vec![
            (wish::ANYWHERE.to_owned(), w!(cx, training.any_place)),
            (wish::ONLINE.to_owned(), w!(cx, training.online)),
        ];
        places.extend(shown.towns.iter().map(|town| (town.clone(), town.clone())));
        let open = shown.mine.is_some();
        let state = open.then(|| {
            let text = w!(cx, planning.asked_text);
            view! { <Alert tone=Tone::Good><p>{text}</p></Alert> }
        });
        let send = if open { w!(cx, planning.ask_change) } else { w!(cx, planning.ask_send) };
        let withdraw = open.then(|| {
            let words = w!(cx, planning.ask_withdraw);
            view! {
                <form id="withdraw-wish" class="form" method="post" action=action.clone()>
                    <input type="hidden" name="act" value="withdraw"/>
                    <Actions><Button tone=ButtonTone::Quiet>{words}</Button></Actions>
                </form>
            }
        });
        let clock = w!(cx, planning.which_times_clock, zone = words::zone(cx.company_zone()));
        let fault = cx.fault(sheet, "time").map(|fault| view! { <p class="fault" id="time-fault"><Icon name=Icon::Alert/><span>{fault}</span></p> });
        view! {
            <PageHead title=title lead=Some(w!(cx, planning.ask_course_lead)) back=Some(("/training/ask".to_owned(), w!(cx, planning.ask_title)))/>
            {cx.faults(sheet)}
            {state}
            <form id="ask-for-class" class="form" method="post" action=action>
                <input type="hidden" name="act" value="ask"/>
                <HiddenKey value=key()/>
                <Section title=w!(cx, planning.which_times) id=Some("time".to_owned())>
                    <p class="soft small">{clock}</p>
                    {fault}
                    {days}
                </Section>
                <Section title=w!(cx, planning.which_days)><div class="fields">{dates}</div></Section>
                <div class="fields">
                    <Select name="language" label=w!(cx, training.language) options=languages value=sheet.value("language") fault=cx.fault(sheet, "language")/>
                    <Select name="place" label=w!(cx, training.place) options=places value=sheet.value("place") fault=cx.fault(sheet, "place")/>
                </div>
                <Actions><Button icon=Some(Icon::Check)>{send}</Button></Actions>
            </form>
            {withdraw}
        }
    })
}

fn weekday(cx: &Cx, day: u8, chosen: &[String]) -> AnyView {
    let choices = Part::ALL
        .iter()
        .map(|part| Choice::new(Slot::Weekly(day, *part).to_string(), part.in_words(cx.fmt())))
        .collect();
    let (id, legend) = (format!("time-{day}"), words::weekday(cx.fmt(), day));
    view! { <ChoiceList name="time" id legend choices several=true compact=true values=chosen.to_vec()/> }.into_any()
}
