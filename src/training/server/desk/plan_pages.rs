//! Planning: a new class, a new course, and changing a class.

use super::{FRAME, forms};
use crate::{
    access::{Act, Role, Subject},
    calendar::server::zone,
    error::{AppError, Refusal as AnyRefusal},
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
    },
    training::{
        domain::{Difference, Refusal},
        server::{
            plan,
            portal::{key, parse},
            store::{self, ClassRow, CourseRow, RoomRow},
            views,
        },
    },
    ui::*,
    values::{ClassId, PersonId},
    w,
};
use axum::{extract::Path, response::Response};
use leptos::prelude::*;
use leptos_i18n::Locale as _;

/// What the form of a new class lets one choose from.
struct Choices {
    courses: Vec<CourseRow>,
    rooms: Vec<RoomRow>,
    trainers: Vec<(PersonId, String)>,
}

async fn choices(cx: &Cx) -> Result<Choices, AppError> {
    cx.may(Act::CreateClass, &Subject::nobody().assigned_to(cx.viewer.person().map(|person| person.id)))?;
    let mut tx = cx.db().read().await?;
    Ok(Choices {
        courses: store::courses(&mut tx).await?,
        rooms: store::rooms(&mut tx).await?,
        trainers: store::trainers(&mut tx).await?,
    })
}

pub async fn new(cx: Cx) -> Result<Response, AppError> {
    let sheet = Sheet::filled(&[
        ("language", cx.locale.as_str()),
        ("zone", cx.company_zone().name()),
        ("capacity", "12"),
        ("price", "0"),
        ("cut_off_hours", "48"),
    ]);
    Ok(new_page(&cx, &choices(&cx).await?, &sheet))
}

pub async fn create(cx: Cx, form: Form) -> Result<Response, AppError> {
    let created = match forms::draft(&cx, &form) {
        Ok(draft) => plan::create(&cx, draft, form.key()).await,
        Err(error) => Err(error),
    };
    match created {
        Ok(id) => Ok(cx.redirect(&format!("/desk/classes/{id}"), Some(Notice::ClassDrafted))),
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            Ok(new_page(&cx, &choices(&cx).await?, &sheet))
        }
    }
}

fn new_page(cx: &Cx, choices: &Choices, sheet: &Sheet) -> Response {
    let title = w!(cx, training.desk_new);
    let tz = sheet.value("zone").parse().unwrap_or(cx.company_zone());
    cx.sheet_page(sheet, FRAME, title.clone(), || {
        let course_new = w!(cx, training.course_new);
let save_draft = w!(cx, training.save_draft);
view! {
            <PageHead title=title lead=Some(w!(cx, training.new_lead)) back=Some(("/desk/classes".to_owned(), w!(cx, training.desk_title)))>
                <ButtonLink href="/desk/courses/new" tone=ButtonTone::Quiet icon=Some(Icon::Plus)>{course_new}</ButtonLink>
            </PageHead>
            <form id="new-class" class="form" method="post">
                {views::faults(cx, sheet, tz)}
                <HiddenKey value=key()/>
                {what(cx, choices, sheet)}
                {when(cx, sheet)}
                {terms(cx, &choices.rooms, sheet)}
                <Actions><Button>{save_draft}</Button></Actions>
            </form>
        }
    })
}

fn what(cx: &Cx, choices: &Choices, sheet: &Sheet) -> AnyView {
    let mut courses = vec![(String::new(), w!(cx, training.choose))];
    courses.extend(choices.courses.iter().map(|course| (course.id.to_string(), course.title.clone())));
    let manager = cx.viewer.person().is_some_and(|person| person.is(Role::Manager) || person.is(Role::Admin));
    let trainer = manager.then(|| {
        let mut trainers = vec![(String::new(), w!(cx, training.choose))];
        trainers.extend(choices.trainers.iter().map(|(id, name)| (id.to_string(), name.clone())));
        view! {
            <Select name="trainer" label=w!(cx, training.trainer) options=trainers value=sheet.value("trainer") fault=cx.fault(sheet, "trainer")/>
        }
    });
    view! {
        <Select name="course" label=w!(cx, training.course) options=courses value=sheet.value("course") fault=cx.fault(sheet, "course")/>
        {title(cx, sheet)}
        {trainer}
        <div class="fields">{language(cx, sheet)}{zone_field(cx, sheet)}</div>
    }
    .into_any()
}

fn title(cx: &Cx, sheet: &Sheet) -> AnyView {
    view! {
        <Field name="title" label=w!(cx, training.class_title) value=sheet.value("title") fault=cx.fault(sheet, "title")
            maxlength=Some(120) required=true/>
    }
    .into_any()
}

fn language(cx: &Cx, sheet: &Sheet) -> AnyView {
    let options = crate::i18n::LANGUAGES.iter().map(|(code, name)| ((*code).to_owned(), (*name).to_owned())).collect();
    view! {
        <Select name="language" label=w!(cx, training.language) options value=sheet.value("language") fault=cx.fault(sheet, "language")/>
    }
    .into_any()
}

fn zone_field(cx: &Cx, sheet: &Sheet) -> AnyView {
    let own = cx.company_zone().name();
    let mut names = vec![own];
    names.extend(zone::COMMON.iter().copied().filter(|name| *name != own));
    let options = names.into_iter().map(|name| (name.to_owned(), name.replace('_', " "))).collect();
    view! {
        <Select name="zone" label=w!(cx, training.zone) options value=sheet.value("zone") fault=cx.fault(sheet, "zone")/>
    }
    .into_any()
}

/// Eight lines; all but the first are folded away until they are needed, without a script.
fn when(cx: &Cx, sheet: &Sheet) -> AnyView {
    let line = |at: usize| {
        let first = at == 0;
        let [date, starts, ends] = ["date", "starts", "ends"].map(|name| forms::numbered(name, at));
        let legend = w!(cx, training.session_number, number = cx.fmt().number(i64::try_from(at + 1).unwrap_or(0)));
        let value = |name: &str| sheet.value(name).to_owned();
        view! {
            <fieldset class="field">
                <legend>{legend}</legend>
                <div class="fields">
                    <Field name=date.clone() label=w!(cx, training.date) kind="date" value=value(&date) fault=cx.fault(sheet, &date) required=first/>
                    <Field name=starts.clone() label=w!(cx, training.starts) kind="time" value=value(&starts) fault=cx.fault(sheet, &starts) required=first/>
                    <Field name=ends.clone() label=w!(cx, training.ends) kind="time" value=value(&ends) fault=cx.fault(sheet, &ends) required=first/>
                </div>
            </fieldset>
        }
        .into_any()
    };
    let more = (1..forms::SESSIONS).map(line).collect_view();
    let used = (1..forms::SESSIONS).any(|at| !sheet.value(&forms::numbered("date", at)).is_empty());
    view! {
        {line(0)}
        <Fold title=w!(cx, training.more_sessions) open=used>{more}</Fold>
    }
    .into_any()
}

/// Where, how many, for how much.
fn terms(cx: &Cx, rooms: &[RoomRow], sheet: &Sheet) -> AnyView {
    let mut options = vec![(String::new(), w!(cx, training.no_room))];
    options.extend(rooms.iter().map(|room| {
        let label = w!(
            cx,
            training.room_option,
            name = room.name.clone(),
            place = room.place.clone(),
            seats = cx.fmt().number(room.capacity)
        );
        (room.id.to_string(), label)
    }));
    let currency = cx.app.company.currency.to_string();
    view! {
        <Select name="room" label=w!(cx, training.room) options value=sheet.value("room") fault=cx.fault(sheet, "room")/>
        <Field name="link" label=w!(cx, training.link) kind="url" value=sheet.value("link") fault=cx.fault(sheet, "link")
            hint=Some(w!(cx, training.link_hint)) placeholder=Some("https://".to_owned())/>
        <div class="fields">
            <Field name="capacity" label=w!(cx, training.capacity) kind="number" value=sheet.value("capacity") fault=cx.fault(sheet, "capacity")
                inputmode="numeric" min=Some("1".to_owned()) max=Some("1000".to_owned()) required=true/>
            <Field name="price" label=w!(cx, training.price) value=sheet.value("price") fault=cx.fault(sheet, "price")
                inputmode="decimal" hint=Some(w!(cx, training.price_hint, currency = currency)) required=true/>
            <Field name="cut_off_hours" label=w!(cx, training.cut_off_hours) kind="number" value=sheet.value("cut_off_hours")
                fault=cx.fault(sheet, "cut_off_hours") inputmode="numeric" min=Some("0".to_owned()) required=true/>
        </div>
    }
    .into_any()
}

pub async fn edit(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let (class, rooms) = load(&cx, parse(&id)?).await?;
    let sheet = stored(&class);
    Ok(edit_page(&cx, &class, &rooms, &sheet))
}

/// A form as the class is stored now.
fn stored(class: &ClassRow) -> Sheet {
    let text = |id: Option<String>| id.unwrap_or_default();
    let (room, link) = (text(class.room_id.map(|id| id.to_string())), text(class.link.clone()));
    Sheet::filled(&[
        ("version", &class.version.to_string()),
        ("title", &class.title),
        ("room", &room),
        ("link", &link),
        ("capacity", &class.capacity.to_string()),
        ("price", &class.price().decimal()),
        ("cut_off_hours", &class.cut_off_hours.to_string()),
    ])
}

async fn load(cx: &Cx, id: ClassId) -> Result<(ClassRow, Vec<RoomRow>), AppError> {
    let mut tx = cx.db().read().await?;
    let class = store::class(&mut tx, id).await?;
    cx.may(Act::EditClass, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
    let rooms = store::rooms(&mut tx).await?;
    Ok((class, rooms))
}

pub async fn save(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let id: ClassId = parse(&id)?;
    let saved = match forms::edit(&cx, &form) {
        Ok(edit) => plan::edit(&cx, id, edit).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(()) => Ok(cx.redirect(&format!("/desk/classes/{id}"), Some(Notice::ClassSaved))),
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            let (class, rooms) = load(&cx, id).await?;
            Ok(edit_page(&cx, &class, &rooms, &sheet))
        }
    }
}

fn edit_page(cx: &Cx, class: &ClassRow, rooms: &[RoomRow], sheet: &Sheet) -> Response {
    let title_words = w!(cx, training.edit_title);
    let differences = match sheet.refusal() {
        Some(AnyRefusal::Training(Refusal::ChangedMeanwhile { differences })) => Some(compare(cx, differences)),
        _ => None,
    };
    // Who has seen the other's change may store their own next time.
    let version = match differences {
        Some(_) => class.version.to_string(),
        None => sheet.value("version").to_owned(),
    };
    cx.sheet_page(sheet, FRAME, title_words.clone(), || {
        let save = w!(cx, training.save);
let value = class.desk_path();
let leave = w!(cx, training.leave);
view! {
            <PageHead title=title_words lead=Some(class.title.clone()) back=Some((class.desk_path(), class.title.clone()))/>
            <form id="edit-class" class="form" method="post">
                {views::faults(cx, sheet, class.tz())}
                {differences}
                <input type="hidden" name="version" value=version/>
                {title(cx, sheet)}
                {terms(cx, rooms, sheet)}
                <Actions>
                    <Button>{save}</Button>
                    <ButtonLink href=value tone=ButtonTone::Quiet>{leave}</ButtonLink>
                </Actions>
            </form>
        }
    })
}

/// What is stored now beside what was about to be stored.
fn compare(cx: &Cx, differences: &[Difference]) -> AnyView {
    let label = |field: &str| match field {
        "title" => w!(cx, training.class_title),
        "room" => w!(cx, training.room),
        "link" => w!(cx, training.link),
        "capacity" => w!(cx, training.capacity),
        "price" => w!(cx, training.price),
        _ => w!(cx, training.cut_off_hours),
    };
    let rows = differences
        .iter()
        .map(|one| TableRow {
            href: None,
            cells: vec![label(&one.field).into_any(), one.theirs.clone().into_any(), one.yours.clone().into_any()],
        })
        .collect();
    let columns = vec![
        w!(cx, training.field).into(),
        w!(cx, training.difference_theirs).into(),
        w!(cx, training.difference_yours).into(),
    ];
    view! { <Table caption=w!(cx, training.refusal_changed) columns rows/> }.into_any()
}

pub async fn new_course(cx: Cx) -> Result<Response, AppError> {
    cx.may(Act::CreateCourse, &Subject::nobody())?;
    Ok(course_page(&cx, &Sheet::filled(&[("language", cx.locale.as_str()), ("pass_percent", "80")])))
}

pub async fn create_course(cx: Cx, form: Form) -> Result<Response, AppError> {
    // Before the form is looked at: its page belongs to the desk as well.
    cx.may(Act::CreateCourse, &Subject::nobody())?;
    let created = match forms::course(&form) {
        Ok(course) => {
            let skus: Vec<String> = form.text("products").split([',', '\n', ' ']).map(str::to_owned).collect();
            plan::create_course(&cx, course, skus, form.key()).await
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
    cx.sheet_page(sheet, FRAME, title_words.clone(), || {
        let save = w!(cx, training.save);
view! {
            <PageHead title=title_words back=Some(("/desk/classes/new".to_owned(), w!(cx, training.desk_new)))/>
            <form id="new-course" class="form" method="post">
                {cx.faults(sheet)}
                <HiddenKey value=key()/>
                {title(cx, sheet)}
                <TextArea name="summary" label=w!(cx, training.summary) value=sheet.value("summary") fault=cx.fault(sheet, "summary") maxlength=Some(2000)/>
                <div class="fields">
                    {language(cx, sheet)}
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
