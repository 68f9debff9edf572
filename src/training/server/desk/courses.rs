//! Courses at the desk: their list, and one course with its syllabus, what it needs before, and its materials.

use super::{FRAME, upload};
use crate::{
    access::{Act, Subject},
    error::{AppError, Fault, Faults, Refusal as AnyRefusal},
    i18n::InWords,
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
    },
    training::{
        domain::{Audience, Difference, Level, NeedsRule, Refusal, learning::FILE_MEGABYTES, validity::MOST_MONTHS},
        server::{
            course_page::kind,
            courses::{self, Edit},
            materials,
            portal::{key, parse},
            store::{self, CourseDetail, CourseRow, MaterialRow, UnitRow},
        },
    },
    ui::*,
    values::{CourseId, MaterialId},
    w,
};
use axum::{
    extract::{Path, Request},
    response::Response,
};
use leptos::prelude::*;

/// Longest title, longest text, and the most units that a course has.
const TITLE: u32 = 120;
const TEXT: u32 = 2000;
const UNITS: usize = 20;
/// Empty lines for new units.
const NEW_UNITS: usize = 3;
/// Longest unit, in minutes.
const MINUTES: i64 = 24 * 60;

pub async fn list(cx: Cx) -> Result<Response, AppError> {
    cx.may(Act::EditCourse, &Subject::nobody())?;
    let rows = store::courses(&mut cx.db().read().await?).await?;
    Ok(cx.page(FRAME, w!(cx, learning.courses), || {
        let new = w!(cx, training.course_new);
        let cards = rows
            .iter()
            .map(|row| {
                let text = crate::training::server::words::language(&row.language);
                view! { <CardLink href=format!("/desk/courses/{}", row.id) title=row.title.clone() icon=Some(Icon::Document) text=Some(text)/> }
            })
            .collect_view();
        view! {
            <PageHead title=w!(cx, learning.courses) back=Some(("/desk/classes".to_owned(), w!(cx, training.desk_title)))>
                <ButtonLink href="/desk/courses/new" icon=Some(Icon::Plus)>{new}</ButtonLink>
            </PageHead>
            <Cards>{cards}</Cards>
        }
    }))
}

struct Shown {
    course: CourseDetail,
    units: Vec<UnitRow>,
    needs: Vec<CourseId>,
    courses: Vec<CourseRow>,
    materials: Vec<MaterialRow>,
}

async fn load(cx: &Cx, id: CourseId) -> Result<Shown, AppError> {
    cx.may(Act::EditCourse, &Subject::nobody())?;
    let mut tx = cx.db().read().await?;
    Ok(Shown {
        course: store::course_detail(&mut tx, id).await?,
        units: store::units(&mut tx, id).await?,
        needs: store::needs_of(&mut tx, id).await?.into_iter().map(|(id, _)| id).collect(),
        courses: store::courses(&mut tx).await?.into_iter().filter(|course| course.id != id).collect(),
        materials: store::materials(&mut tx, id).await?,
    })
}

pub async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let shown = load(&cx, parse(&id)?).await?;
    let sheet = stored(&shown);
    Ok(page(&cx, &shown, &sheet))
}

/// A form as the course is stored now.
fn stored(shown: &Shown) -> Sheet {
    let course = &shown.course;
    let mut fields: Vec<(String, String)> = vec![
        ("version".to_owned(), course.version.to_string()),
        ("title".to_owned(), course.title.clone()),
        ("summary".to_owned(), course.summary.clone()),
        ("language".to_owned(), course.language.clone()),
        ("level".to_owned(), course.level.as_str().to_owned()),
        ("pass_percent".to_owned(), course.pass_percent.to_string()),
        ("valid_months".to_owned(), course.valid_months.map(|months| months.to_string()).unwrap_or_default()),
        ("needs_rule".to_owned(), course.needs_rule.as_str().to_owned()),
        ("products".to_owned(), course.products.clone().unwrap_or_default().join(", ")),
    ];
    fields.extend(shown.needs.iter().map(|need| ("needs".to_owned(), need.to_string())));
    for (at, unit) in shown.units.iter().enumerate() {
        fields.push((named("unit", at), unit.title.clone()));
        fields.push((named("minutes", at), unit.minutes.to_string()));
        fields.push((named("about", at), unit.summary.clone()));
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Sheet::filled(&fields)
}

fn named(name: &str, at: usize) -> String {
    format!("{name}_{}", at + 1)
}

pub async fn save(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let id: CourseId = parse(&id)?;
    cx.may(Act::EditCourse, &Subject::nobody())?;
    let back = format!("/desk/courses/{id}");
    if form.text("act") == "remove" {
        materials::remove(&cx, id, parse::<MaterialId>(form.text("material"))?).await?;
        return Ok(cx.redirect(&back, Some(Notice::MaterialRemoved)));
    }
    let saved = match read(id, &form) {
        Ok(edit) => courses::edit(&cx, edit).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(()) => Ok(cx.redirect(&back, Some(Notice::CourseSaved))),
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            Ok(page(&cx, &load(&cx, id).await?, &sheet))
        }
    }
}

/// Reads the form of a course.
fn read(id: CourseId, form: &Form) -> Result<Edit, AppError> {
    let mut faults = Faults::default();
    let version = form.parse::<i64>("version", &mut faults, Fault::NotANumber);
    let title = form.words("title", TITLE, &mut faults);
    let summary = text(form, "summary", &mut faults);
    let known = |code: &str| crate::i18n::LANGUAGES.iter().any(|(tag, _)| *tag == code);
    let language = form.text("language").to_owned();
    if !known(&language) {
        faults.add("language", Fault::NotAChoice);
    }
    let level = form.parse::<Level>("level", &mut faults, Fault::NotAChoice);
    let needs_rule = form.parse::<NeedsRule>("needs_rule", &mut faults, Fault::NotAChoice);
    let pass_percent = form.parse::<i64>("pass_percent", &mut faults, Fault::NotANumber);
    if pass_percent.is_some_and(|percent| percent > 100) {
        faults.add("pass_percent", Fault::TooLarge { max: 100 });
    } else if pass_percent.is_some_and(|percent| percent < 0) {
        faults.add("pass_percent", Fault::TooSmall { min: 0 });
    }
    let valid_months = form.optional::<i64>("valid_months", &mut faults, Fault::NotANumber);
    if valid_months.is_some_and(|months| months < 1) {
        faults.add("valid_months", Fault::TooSmall { min: 1 });
    } else if valid_months.is_some_and(|months| months > MOST_MONTHS) {
        faults.add("valid_months", Fault::TooLarge { max: MOST_MONTHS });
    }
    let needs = form.all("needs").into_iter().filter_map(|need| need.parse().ok()).collect();
    let units = units(form, &mut faults);
    let (Some(version), Some(level), Some(needs_rule), Some(pass_percent)) = (version, level, needs_rule, pass_percent)
    else {
        return Err(AppError::Invalid(faults));
    };
    faults.check()?;
    // What a form leaves out stays as it is.
    let products = (!form.all("products").is_empty()).then(|| skus(form.text("products")));
    let course =
        CourseDetail { id, title, summary, language, pass_percent, level, needs_rule, valid_months, version, products };
    Ok(Edit { course, units, needs })
}

/// Article numbers with commas between them.
fn skus(typed: &str) -> Vec<String> {
    typed.split([',', '\n']).map(|sku| sku.trim().to_owned()).filter(|sku| !sku.is_empty()).collect()
}

fn text(form: &Form, name: &str, faults: &mut Faults) -> String {
    let text = form.text(name).replace("\r\n", "\n");
    if text.chars().count() > TEXT as usize {
        faults.add(name, Fault::TooLong { max: TEXT });
    }
    text
}

/// Lines without a title are no units, so that one is removed by emptying it.
fn units(form: &Form, faults: &mut Faults) -> Vec<UnitRow> {
    let mut units = Vec::new();
    for at in 0..UNITS {
        let (unit, minutes, about) = (named("unit", at), named("minutes", at), named("about", at));
        let title = form.text(&unit).to_owned();
        let summary = text(form, &about, faults);
        let time = form.optional::<i64>(&minutes, faults, Fault::NotANumber).unwrap_or(0);
        if title.is_empty() {
            if !summary.is_empty() {
                faults.add(&unit, Fault::Required);
            }
            continue;
        }
        if title.chars().count() > TITLE as usize {
            faults.add(&unit, Fault::TooLong { max: TITLE });
        }
        if time < 0 {
            faults.add(&minutes, Fault::TooSmall { min: 0 });
        } else if time > MINUTES {
            faults.add(&minutes, Fault::TooLarge { max: MINUTES });
        }
        units.push(UnitRow { title, summary, minutes: time });
    }
    units
}

/// `POST /desk/courses/{course}/materials`: a file or an address.
pub async fn add_material(cx: Cx, Path(id): Path<String>, request: Request) -> Result<Response, AppError> {
    let id: CourseId = parse(&id)?;
    cx.may(Act::AddMaterial, &Subject::nobody())?;
    let posted = upload::read(request).await?;
    let form = posted.form.clone();
    let added = match material(posted) {
        Ok(new) => materials::add(&cx, id, new).await,
        Err(error) => Err(error),
    };
    match added {
        Ok(_) => Ok(cx.redirect(&format!("/desk/courses/{id}"), Some(Notice::MaterialAdded))),
        Err(error) => {
            let shown = load(&cx, id).await?;
            Ok(material_page(&cx, &shown, &Sheet::again(form, error)?))
        }
    }
}

/// The form of a material alone, as it came back.
pub async fn new_material(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let shown = load(&cx, parse(&id)?).await?;
    let sheet = Sheet::filled(&[("audience", Audience::Enrolled.as_str())]);
    Ok(material_page(&cx, &shown, &sheet))
}

fn material(posted: upload::Posted) -> Result<materials::New, AppError> {
    let (form, mut faults) = (posted.form, posted.faults);
    let title = form.words("title", TITLE, &mut faults);
    let audience = form.parse::<Audience>("audience", &mut faults, Fault::NotAChoice);
    let link = form.text("link").to_owned();
    if !link.is_empty() && !link.starts_with("https://") {
        faults.add("link", Fault::NotALink);
    } else if link.chars().count() > TEXT as usize {
        faults.add("link", Fault::TooLong { max: TEXT });
    }
    if link.is_empty() && posted.file.is_none() && faults.of("file").is_none() {
        faults.add("file", Fault::Required);
    }
    faults.check()?;
    let source = match posted.file {
        Some((bytes, name)) => materials::Source::File(bytes, name),
        None => materials::Source::Link(link),
    };
    Ok(materials::New { title, audience: audience.ok_or(AppError::NotFound)?, source })
}

fn page(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Response {
    let course = &shown.course;
    let differences = match sheet.refusal() {
        Some(AnyRefusal::Training(Refusal::ChangedMeanwhile { differences })) => Some(compare(cx, differences)),
        _ => None,
    };
    // Who has seen the other's change may store their own next time.
    let version = match differences {
        Some(_) => course.version.to_string(),
        None => sheet.value("version").to_owned(),
    };
    cx.sheet_page(sheet, FRAME, course.title.clone(), || {
        let (public, save) = (w!(cx, training.seen_by_customers), w!(cx, training.save));
        let href = format!("/training/courses/{}", course.id);
        let what = what(cx, sheet);
        let needs = needs(cx, shown, sheet);
        let syllabus = syllabus(cx, sheet);
        let materials = material_list(cx, shown);
        view! {
            <PageHead title=course.title.clone() back=Some(("/desk/courses".to_owned(), w!(cx, learning.courses)))>
                <ButtonLink href tone=ButtonTone::Quiet>{public}</ButtonLink>
            </PageHead>
            <form id="edit-course" class="form" method="post">
                {cx.faults(sheet)}
                {differences}
                <input type="hidden" name="version" value=version/>
                {what}
                {needs}
                {syllabus}
                <Actions><Button>{save}</Button></Actions>
            </form>
            {materials}
        }
    })
}

fn what(cx: &Cx, sheet: &Sheet) -> AnyView {
    let value = |name: &str| sheet.value(name).to_owned();
    let levels = Level::ALL.iter().map(|level| (level.as_str().to_owned(), level.in_words(cx.fmt()))).collect();
    let languages =
        crate::i18n::LANGUAGES.iter().map(|(code, name)| ((*code).to_owned(), (*name).to_owned())).collect();
    view! {
        <Field name="title" label=w!(cx, training.class_title) value=value("title") fault=cx.fault(sheet, "title") maxlength=Some(TITLE) required=true/>
        <TextArea name="summary" label=w!(cx, training.summary) value=value("summary") fault=cx.fault(sheet, "summary") maxlength=Some(TEXT)/>
        <div class="fields">
            <Select name="language" label=w!(cx, training.language) options=languages value=value("language") fault=cx.fault(sheet, "language")/>
            <Select name="level" label=w!(cx, learning.level) options=levels value=value("level") fault=cx.fault(sheet, "level")/>
            <Field name="pass_percent" label=w!(cx, training.pass_percent) kind="number" value=value("pass_percent")
                fault=cx.fault(sheet, "pass_percent") inputmode="numeric" min=Some("0".to_owned()) max=Some("100".to_owned())/>
        </div>
        <Field name="products" label=w!(cx, training.products) value=value("products") fault=cx.fault(sheet, "products")
            hint=Some(w!(cx, training.products_hint)) optional=Some(w!(cx, shell.optional))/>
        <Field name="valid_months" label=w!(cx, validity.valid_months) kind="number" value=value("valid_months")
            fault=cx.fault(sheet, "valid_months") hint=Some(w!(cx, validity.valid_months_hint)) optional=Some(w!(cx, shell.optional))
            inputmode="numeric" min=Some("1".to_owned()) max=Some(MOST_MONTHS.to_string())/>
    }
    .into_any()
}

fn needs(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Option<AnyView> {
    if shown.courses.is_empty() {
        return Some(
            view! { <input type="hidden" name="needs_rule" value=sheet.value("needs_rule").to_owned()/> }.into_any(),
        );
    }
    let values: Vec<String> = sheet.values("needs").into_iter().map(str::to_owned).collect();
    let choices = shown.courses.iter().map(|course| Choice::new(course.id.to_string(), course.title.clone())).collect();
    let rules = NeedsRule::ALL
        .iter()
        .map(|rule| {
            let words = match rule {
                NeedsRule::Warn => w!(cx, learning.needs_warn),
                NeedsRule::Require => w!(cx, learning.needs_require),
            };
            Choice::new(rule.as_str(), words)
        })
        .collect();
    let (open, value) = (!values.is_empty(), sheet.value("needs_rule").to_owned());
    let fault = cx.fault(sheet, "needs_rule");
    let (legend, rule) = (w!(cx, learning.needs), w!(cx, learning.needs_rule));
    Some(
        view! {
            <Fold title=w!(cx, learning.needs) open>
                <ChoiceList name="needs" legend choices values several=true/>
                <ChoiceList name="needs_rule" legend=rule choices=rules value fault/>
            </Fold>
        }
        .into_any(),
    )
}

/// A line for each unit, and some empty ones.
fn syllabus(cx: &Cx, sheet: &Sheet) -> AnyView {
    let used = (0..UNITS)
        .rev()
        .find(|at| [named("unit", *at), named("about", *at)].iter().any(|name| !sheet.value(name).is_empty()));
    let lines = (used.map_or(0, |at| at + 1) + NEW_UNITS).min(UNITS);
    let rows = (0..lines)
        .map(|at| {
            let [unit, minutes, about] = ["unit", "minutes", "about"].map(|name| named(name, at));
            let value = |name: &str| sheet.value(name).to_owned();
            let legend = w!(cx, learning.unit_number, number = cx.fmt().number(i64::try_from(at + 1).unwrap_or(0)));
            view! {
                <fieldset class="field">
                    <legend>{legend}</legend>
                    <div class="fields">
                        <Field name=unit.clone() label=w!(cx, learning.unit_title) value=value(&unit) fault=cx.fault(sheet, &unit) maxlength=Some(TITLE)/>
                        <Field name=minutes.clone() label=w!(cx, learning.unit_minutes) kind="number" value=value(&minutes)
                            fault=cx.fault(sheet, &minutes) inputmode="numeric" min=Some("0".to_owned())/>
                    </div>
                    <TextArea name=about.clone() label=w!(cx, learning.unit_about) value=value(&about) fault=cx.fault(sheet, &about) rows=2 maxlength=Some(TEXT)/>
                </fieldset>
            }
        })
        .collect_view();
    let hint = w!(cx, learning.units_hint);
    view! { <Fold title=w!(cx, learning.syllabus) open=used.is_some()><p class="soft small">{hint}</p><div class="stack">{rows}</div></Fold> }
        .into_any()
}

/// What is stored now beside what was about to be stored.
fn compare(cx: &Cx, differences: &[Difference]) -> AnyView {
    let label = |field: &str| match field {
        "title" => w!(cx, training.class_title),
        "summary" => w!(cx, training.summary),
        "language" => w!(cx, training.language),
        "level" => w!(cx, learning.level),
        "pass_percent" => w!(cx, training.pass_percent),
        "valid_months" => w!(cx, validity.valid_months),
        "needs" => w!(cx, learning.needs),
        "units" => w!(cx, learning.syllabus),
        "products" => w!(cx, training.products),
        _ => w!(cx, learning.needs_rule),
    };
    super::fields::compare(cx, differences, label)
}

fn audience(cx: &Cx, audience: Audience) -> String {
    match audience {
        Audience::Enrolled => w!(cx, learning.for_enrolled),
        Audience::Everyone => w!(cx, learning.for_everyone),
    }
}

fn material_list(cx: &Cx, shown: &Shown) -> AnyView {
    let rows = shown
        .materials
        .iter()
        .map(|row| {
            let note = format!("{} · {}", kind(cx, row.media_type.as_deref(), row.bytes), audience(cx, row.audience));
            let href = row.link.clone().unwrap_or_else(|| format!("/materials/{}", row.id));
            let download = row.link.is_none().then_some("");
            let id = row.id.to_string();
            let (remove, label) = (w!(cx, learning.remove), w!(cx, learning.remove_named, title = row.title.clone()));
            view! {
                <li class="split">
                    <span class="stack"><a class="button-link" href=href rel="noreferrer" download=download>{row.title.clone()}</a><span class="soft small">{note}</span></span>
                    <form method="post" aria-label=label>
                        <input type="hidden" name="act" value="remove"/>
                        <input type="hidden" name="material" value=id/>
                        <Button tone=ButtonTone::Danger>{remove}</Button>
                    </form>
                </li>
            }
        })
        .collect_view();
    let none = shown.materials.is_empty().then(|| view! { <p class="soft">{w!(cx, learning.no_materials)}</p> });
    let (add, href) = (w!(cx, learning.material_add), format!("/desk/courses/{}/materials", shown.course.id));
    view! {
        <Section title=w!(cx, learning.materials)>
            {none}
            <ul class="plain-list stack" role="list">{rows}</ul>
            <Actions><ButtonLink href tone=ButtonTone::Quiet icon=Some(Icon::Plus)>{add}</ButtonLink></Actions>
        </Section>
    }
    .into_any()
}

fn material_page(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Response {
    let title = w!(cx, learning.material_add);
    cx.sheet_page(sheet, FRAME, title.clone(), || {
        let value = |name: &str| sheet.value(name).to_owned();
        let choices = Audience::ALL.iter().map(|who| Choice::new(who.as_str(), audience(cx, *who))).collect();
        let hint = w!(cx, learning.material_hint, size = cx.fmt().number(i64::from(FILE_MEGABYTES)));
        let optional = || Some(w!(cx, shell.optional));
        let (add, back) = (w!(cx, learning.material_add), format!("/desk/courses/{}", shown.course.id));
        view! {
            <PageHead title=title back=Some((back, shown.course.title.clone()))/>
            <form id="add-material" class="form" method="post" enctype="multipart/form-data">
                {cx.faults(sheet)}
                <HiddenKey value=key()/>
                <Field name="title" label=w!(cx, learning.material_title) value=value("title") fault=cx.fault(sheet, "title") maxlength=Some(TITLE) required=true/>
                <FileInput name="file" label=w!(cx, learning.material_file) accept="application/pdf,image/jpeg,image/png,image/webp"
                    fault=cx.fault(sheet, "file") hint optional=optional()/>
                <Field name="link" label=w!(cx, learning.material_link) kind="url" value=value("link") fault=cx.fault(sheet, "link")
                    optional=optional() placeholder=Some("https://".to_owned())/>
                <ChoiceList name="audience" legend=w!(cx, learning.audience) choices value=value("audience") fault=cx.fault(sheet, "audience")/>
                <Actions><Button>{add}</Button></Actions>
            </form>
        }
    })
}
