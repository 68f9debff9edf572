//! Planning: a new class, from nothing or as a copy of another, and a new course.

use super::{
    FRAME,
    fields::{self, Choices},
    forms::{self, numbered},
};
use crate::{
    access::{Act, Role, Subject},
    calendar::server::zone,
    error::{AppError, Refusal as AnyRefusal},
    i18n::InWords,
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
        query::Query,
    },
    training::{
        domain::{Level, Refusal, schedule},
        server::{
            conflicts::{self, Needs},
            plan,
            portal::{key, parse},
            rules,
            store::{self, SessionRow},
            views,
        },
    },
    ui::*,
    values::ClassId,
    w,
};
use axum::response::Response;
use leptos::prelude::*;
use leptos_i18n::Locale as _;
use serde::Deserialize;

/// Which class is to be copied.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    copy: String,
}

async fn choices(cx: &Cx) -> Result<Choices, AppError> {
    cx.may(Act::CreateClass, &Subject::nobody().assigned_to(cx.viewer.person().map(|person| person.id)))?;
    Choices::load(&mut cx.db().read().await?).await
}

pub async fn new(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let choices = choices(&cx).await?;
    let sheet = match asked.copy.as_str() {
        "" => {
            let rules = rules::read(&mut cx.db().read().await?).await?;
            Sheet::filled(&[
                ("language", cx.locale.as_str()),
                ("zone", cx.company_zone().name()),
                ("capacity", "12"),
                ("price", "0"),
                ("cut_off_hours", &rules.cut_off_hours.to_string()),
                ("repeats", "1"),
                ("every", "1"),
            ])
        }
        id => copy(&cx, parse(id)?).await?,
    };
    Ok(new_page(&cx, &choices, &sheet, None))
}

/// The form as another class has it, on the same weekdays after today.
async fn copy(cx: &Cx, id: ClassId) -> Result<Sheet, AppError> {
    let mut tx = cx.db().read().await?;
    let class = store::class(&mut tx, id).await?;
    cx.may(Act::ReadRoster, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
    let spans: Vec<_> = store::sessions(&mut tx, id).await?.iter().map(SessionRow::span).collect();
    let today = cx.now.with_timezone(&class.tz()).date_naive();
    let sessions = schedule::into_future(&conflicts::local(&spans, class.tz()), today);
    let text = |name: &str, value: String| (name.to_owned(), value);
    let mut fields = vec![
        text("course", class.course_id.to_string()),
        text("title", class.title.clone()),
        text("trainer", class.trainer_id.to_string()),
        text("language", class.language.clone()),
        text("zone", class.tz().name().to_owned()),
        text("room", class.room_id.map(|id| id.to_string()).unwrap_or_default()),
        text("link", class.link.clone().unwrap_or_default()),
        text("capacity", class.capacity.to_string()),
        text("price", class.price().decimal()),
        text("cut_off_hours", class.cut_off_hours.to_string()),
        text("repeats", "1".to_owned()),
        text("every", "1".to_owned()),
    ];
    for (at, one) in sessions.iter().take(forms::SESSIONS).enumerate() {
        fields.push((numbered("date", at), one.from.date().to_string()));
        fields.push((numbered("starts", at), one.from.format("%H:%M").to_string()));
        fields.push((numbered("ends", at), one.until.format("%H:%M").to_string()));
    }
    let assistants = store::assistants(&mut tx, id).await?;
    fields.extend(assistants.into_iter().map(|(id, _)| text("assistants", id.to_string())));
    let equipment = store::equipment_of(&mut tx, id).await?;
    fields.extend(equipment.into_iter().map(|row| text("equipment", row.id.to_string())));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Ok(Sheet::filled(&fields))
}

pub async fn create(cx: Cx, form: Form) -> Result<Response, AppError> {
    let choices = choices(&cx).await?;
    let created = match forms::planned(&cx, &form, forms::shift(&form), &choices.rooms) {
        Ok(planned) => {
            let many = planned.series.len() > 1;
            plan::create_series(&cx, planned.series, planned.extras, planned.open, form.key())
                .await
                .map(|id| (id, many, planned.open))
        }
        Err(error) => Err(error),
    };
    match created {
        Ok((_, true, true)) => Ok(cx.redirect("/desk/classes?view=coming", Some(Notice::ClassPublished))),
        Ok((_, true, false)) => Ok(cx.redirect("/desk/classes?view=drafts", Some(Notice::SeriesDrafted))),
        Ok((id, false, open)) => {
            let notice = if open { Notice::ClassPublished } else { Notice::ClassDrafted };
            Ok(cx.redirect(&format!("/desk/classes/{id}"), Some(notice)))
        }
        Err(error) => {
            let taken = matches!(error, AppError::Refused(AnyRefusal::Training(Refusal::Taken { .. })));
            let proposals = if taken { proposals(&cx, &form, &choices).await? } else { None };
            let sheet = Sheet::again(form, error)?;
            Ok(new_page(&cx, &choices, &sheet, proposals))
        }
    }
}

/// Other times for what was typed, at which all that it needs is free.
async fn proposals(cx: &Cx, form: &Form, choices: &Choices) -> Result<Option<AnyView>, AppError> {
    let planned = forms::planned(cx, form, 0, &choices.rooms)?;
    let wanted: Vec<_> = planned.local.into_iter().flatten().collect();
    let Some(draft) = planned.series.first() else { return Ok(None) };
    let (assistants, equipment) = (&planned.extras.assistants, &planned.extras.equipment);
    let mut tx = cx.db().read().await?;
    let needs = Needs::load(&mut tx, draft.trainer, draft.room, None, assistants, equipment).await?;
    let shifts = conflicts::propose(&mut tx, cx, &needs, planned.zone, &wanted, None).await?;
    drop(tx);
    Ok(fields::proposals(cx, planned.zone, &wanted, &shifts))
}

fn new_page(cx: &Cx, choices: &Choices, sheet: &Sheet, proposals: Option<AnyView>) -> Response {
    let title = w!(cx, training.desk_new);
    let room = choices.rooms.iter().find(|row| row.id.to_string() == sheet.value("room"));
    let typed = || sheet.value("zone").parse().unwrap_or(cx.company_zone());
    let tz = room.map_or_else(typed, |row| zone::named(&row.zone));
    cx.sheet_page(sheet, FRAME, title.clone(), || {
        let course_new = w!(cx, training.course_new);
        let save_draft = w!(cx, training.save_draft);
        let save_open = w!(cx, planning.save_open);
        view! {
            <PageHead title=title lead=Some(w!(cx, training.new_lead)) back=Some(("/desk/classes".to_owned(), w!(cx, training.desk_title)))>
                <ButtonLink href="/desk/courses/new" tone=ButtonTone::Quiet icon=Some(Icon::Plus)>{course_new}</ButtonLink>
            </PageHead>
            <form id="new-class" class="form" method="post" action="/desk/classes/new">
                // Enter saves what is typed, not the first proposal.
                <button type="submit" hidden=true tabindex="-1" aria-hidden="true"></button>
                {views::faults(cx, sheet, tz)}
                {proposals}
                <HiddenKey value=key()/>
                {what(cx, choices, sheet)}
                {fields::when(cx, sheet, true)}
                {fields::terms(cx, &choices.rooms, sheet)}
                {fields::more(cx, choices, sheet, true)}
                <Actions>
                    <Button tone=ButtonTone::Quiet name="then" value="open".to_owned()>{save_open}</Button>
                    <Button>{save_draft}</Button>
                </Actions>
            </form>
        }
    })
}

fn what(cx: &Cx, choices: &Choices, sheet: &Sheet) -> AnyView {
    let mut courses = vec![(String::new(), w!(cx, training.choose))];
    courses.extend(choices.courses.iter().map(|course| (course.id.to_string(), course.title.clone())));
    let manager = cx.viewer.person().is_some_and(|person| person.is(Role::Manager) || person.is(Role::Admin));
    let trainer = manager.then(|| fields::trainer(cx, choices, sheet));
    view! {
        <Select name="course" label=w!(cx, training.course) options=courses value=sheet.value("course") fault=cx.fault(sheet, "course")/>
        {fields::title(cx, sheet)}
        {trainer}
        <div class="fields">{fields::language(cx, sheet)}{fields::zone_field(cx, sheet)}</div>
    }
    .into_any()
}

pub async fn new_course(cx: Cx) -> Result<Response, AppError> {
    cx.may(Act::CreateCourse, &Subject::nobody())?;
    Ok(course_page(&cx, &Sheet::filled(&[("language", cx.locale.as_str()), ("pass_percent", "80")])))
}

pub async fn create_course(cx: Cx, form: Form) -> Result<Response, AppError> {
    // Before the form is looked at: its page belongs to the desk as well.
    cx.may(Act::CreateCourse, &Subject::nobody())?;
    let created = match forms::course(&form) {
        Ok((course, level)) => {
            let skus: Vec<String> = form.text("products").split([',', '\n', ' ']).map(str::to_owned).collect();
            plan::create_course(&cx, course, level, skus, form.key()).await
        }
        Err(error) => Err(error),
    };
    match created {
        Ok(_) => Ok(cx.redirect("/desk/classes/new", Some(Notice::CourseCreated))),
        Err(error) => Ok(course_page(&cx, &Sheet::again(form, error)?)),
    }
}

fn course_page(cx: &Cx, sheet: &Sheet) -> Response {
    let title_words = w!(cx, training.course_new);
    let levels: Vec<_> = Level::ALL.iter().map(|level| (level.as_str().to_owned(), level.in_words(cx.fmt()))).collect();
    cx.sheet_page(sheet, FRAME, title_words.clone(), || {
        let save = w!(cx, training.save);
view! {
            <PageHead title=title_words back=Some(("/desk/classes/new".to_owned(), w!(cx, training.desk_new)))/>
            <form id="new-course" class="form" method="post">
                {cx.faults(sheet)}
                <HiddenKey value=key()/>
                {fields::title(cx, sheet)}
                <TextArea name="summary" label=w!(cx, training.summary) value=sheet.value("summary") fault=cx.fault(sheet, "summary") maxlength=Some(2000)/>
                <div class="fields">
                    {fields::language(cx, sheet)}
                    <Select name="level" label=w!(cx, learning.level) options=levels value=sheet.value("level") fault=cx.fault(sheet, "level")/>
                    <Field name="pass_percent" label=w!(cx, training.pass_percent) kind="number" value=sheet.value("pass_percent")
                        fault=cx.fault(sheet, "pass_percent") inputmode="numeric" min=Some("0".to_owned()) max=Some("100".to_owned())/>
                </div>
                <Field name="products" label=w!(cx, training.products) value=sheet.value("products") fault=cx.fault(sheet, "products")
                    hint=Some(w!(cx, training.products_hint))/>
                <Actions><Button>{save}</Button></Actions>
            </form>
        }
    })
}
