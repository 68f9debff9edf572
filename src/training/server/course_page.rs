//! The page of a course: what it teaches, what it needs before, its materials, and when it is held next.

use super::{
    portal::{FRAME, parse},
    shared::count,
    store::{self, CourseDetail, ListedClass, MaterialLine, UnitRow},
    views, words,
};
use crate::{
    access::{Act, Subject},
    error::AppError,
    i18n::InWords,
    server::{App, Cx},
    training::domain::{Audience, NeedsRule},
    ui::*,
    values::CourseId,
    w,
};
use axum::{Router, extract::Path, response::Response, routing::get};
use leptos::prelude::*;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/training/courses/{course}", get(show))
        .route("/materials/{id}", get(super::materials::download))
}

/// How many coming classes the page of a course shows.
const COMING: i64 = 20;

struct Shown {
    course: CourseDetail,
    units: Vec<UnitRow>,
    /// With whether the reader has them.
    needs: Vec<(CourseId, String, bool)>,
    products: Vec<String>,
    materials: Vec<MaterialLine>,
    classes: Vec<ListedClass>,
    /// Whether the reader learns here, or teaches.
    inside: bool,
}

async fn load(cx: &Cx, id: CourseId) -> Result<Shown, AppError> {
    let person = cx.person()?.id;
    let mut tx = cx.db().read().await?;
    let (course, learns) = store::course_for(&mut tx, id, person).await?;
    let (needs, products) = store::needs_and_products(&mut tx, id, person, super::shared::far(), cx.today()).await?;
    let inside = learns || cx.viewer.can(Act::ReadMaterial, &Subject::nobody());
    Ok(Shown {
        units: store::units(&mut tx, id).await?,
        needs,
        products,
        materials: store::materials(&mut tx, id).await?.into_iter().map(MaterialLine::from).collect(),
        classes: store::of_course(&mut tx, id, cx.now, COMING).await?,
        course,
        inside,
    })
}

async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let shown = load(&cx, parse(&id)?).await?;
    Ok(cx.page(FRAME, shown.course.title.clone(), || view_of(&cx, &shown)))
}

fn view_of(cx: &Cx, shown: &Shown) -> AnyView {
    let course = &shown.course;
    let edit = cx.viewer.can(Act::EditCourse, &Subject::nobody()).then(|| {
        let label = w!(cx, learning.edit_course);
        view! { <ButtonLink href=format!("/desk/courses/{}", course.id) tone=ButtonTone::Quiet>{label}</ButtonLink> }
    });
    let level = course.level.in_words(cx.fmt());
    let classes = if shown.classes.is_empty() {
        view! { <p>{w!(cx, learning.no_coming_class)}</p> }.into_any()
    } else {
        let cards = shown.classes.iter().map(|class| views::class_card(cx, class, class.path())).collect_view();
        view! { <Cards>{cards}</Cards> }.into_any()
    };
    let summary = (!course.summary.is_empty()).then(|| view! { <p class="pre">{course.summary.clone()}</p> });
    let syllabus = syllabus(cx, &shown.units);
    let materials = materials(cx, &shown.materials, shown.inside);
    let (needs, facts) = (needs(cx, shown), facts(cx, shown));
    let about = Some(w!(cx, learning.about_course));
    let coming = w!(cx, learning.coming_classes);
    view! {
        <PageHead title=course.title.clone() lead=summary.is_none().then(|| w!(cx, learning.about_course))
            back=Some(("/training".to_owned(), w!(cx, training.back_to_classes)))>
            <Badge tone=Tone::Info text=level/>
            {edit}
        </PageHead>
        <Columns>
            <div class="stack">
                {summary}
                {needs}
                <Section title=coming>{classes}</Section>
                {syllabus}
                {materials}
            </div>
            <div class="stack"><Card title=about><DefinitionList rows=facts/></Card></div>
        </Columns>
    }
    .into_any()
}

fn facts(cx: &Cx, shown: &Shown) -> Vec<(String, AnyView)> {
    let course = &shown.course;
    let minutes: i64 = shown.units.iter().map(|unit| unit.minutes).sum();
    let percent = cx.fmt().percent(course.pass_percent as f64 / 100.0);
    let mut facts = vec![
        (w!(cx, learning.level), course.level.in_words(cx.fmt()).into_any()),
        (w!(cx, training.language), words::language(&course.language).into_any()),
    ];
    if minutes > 0 {
        facts.push((w!(cx, learning.duration), duration(cx, minutes).into_any()));
    }
    facts.push((w!(cx, learning.asked_share), percent.into_any()));
    if let Some(months) = course.valid_months {
        let months = w!(cx, validity.for_months, count = count(months));
        facts.push((w!(cx, validity.certificate_valid), months.into_any()));
    }
    if !shown.products.is_empty() {
        let names = shown.products.iter().map(|name| view! { <li>{name.clone()}</li> }).collect_view();
        facts.push((w!(cx, learning.belongs_to), view! { <ul class="plain-list" role="list">{names}</ul> }.into_any()));
    }
    facts
}

/// Minutes as hours and minutes.
pub fn duration(cx: &Cx, minutes: i64) -> String {
    let part = |many: i64, words: fn(&Cx, u64) -> String| (many > 0).then(|| words(cx, count(many)));
    let hours = part(minutes / 60, |cx, many| w!(cx, learning.hours, count = many));
    let rest = part(minutes % 60, |cx, many| w!(cx, learning.minutes, count = many));
    [hours, rest].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn syllabus(cx: &Cx, units: &[UnitRow]) -> Option<AnyView> {
    if units.is_empty() {
        return None;
    }
    let rows = units
        .iter()
        .map(|unit| {
            let time =
                (unit.minutes > 0).then(|| view! { <span class="soft small">{duration(cx, unit.minutes)}</span> });
            let text = (!unit.summary.is_empty()).then(|| view! { <p class="soft pre">{unit.summary.clone()}</p> });
            view! { <li class="unit"><p class="split"><strong>{unit.title.clone()}</strong>{time}</p>{text}</li> }
        })
        .collect_view();
    Some(view! { <Section title=w!(cx, learning.syllabus)><ol class="syllabus">{rows}</ol></Section> }.into_any())
}

/// What should come before, and what of it the reader lacks.
fn needs(cx: &Cx, shown: &Shown) -> Option<AnyView> {
    if shown.needs.is_empty() {
        return None;
    }
    let rows = shown
        .needs
        .iter()
        .map(|(id, title, met)| {
            let badge = match met {
                true => view! { <Badge tone=Tone::Good text=w!(cx, learning.need_met)/> },
                false => view! { <Badge tone=Tone::Warn text=w!(cx, learning.need_missing)/> },
            };
            view! { <li class="split"><a class="button-link" href=format!("/training/courses/{id}")>{title.clone()}</a>{badge}</li> }
        })
        .collect_view();
    let rule = match shown.course.needs_rule {
        NeedsRule::Warn => w!(cx, learning.you_warn),
        NeedsRule::Require => w!(cx, learning.you_require),
    };
    let title = Some(w!(cx, learning.needs));
    Some(
        view! {
            <Card title>
                <ul class="plain-list stack" role="list">{rows}</ul>
                <p class="soft small">{rule}</p>
            </Card>
        }
        .into_any(),
    )
}

/// What the reader may have of the materials; of the rest, that it is there.
pub fn materials(cx: &Cx, materials: &[MaterialLine], inside: bool) -> Option<AnyView> {
    if materials.is_empty() {
        return None;
    }
    let rows = materials
        .iter()
        .map(|row| {
            let title = row.title.clone();
            let open = inside || row.audience == Audience::Everyone;
            let what = match (open, &row.link) {
                (false, _) => view! { <span>{title}</span> }.into_any(),
                (true, Some(link)) => {
                    view! { <a class="button-link" href=link.clone() rel="noreferrer">{title}</a> }.into_any()
                }
                (true, None) => {
                    view! { <a class="button-link" href=format!("/materials/{}", row.id) download="">{title}</a> }
                        .into_any()
                }
            };
            let note =
                if open { kind(cx, row.media_type.as_deref(), row.bytes) } else { w!(cx, learning.for_enrolled) };
            view! { <li class="split">{what}<span class="soft small">{note}</span></li> }
        })
        .collect_view();
    let list = view! { <ul class="plain-list stack" role="list">{rows}</ul> };
    Some(view! { <Section title=w!(cx, learning.materials)>{list}</Section> }.into_any())
}

/// What kind of thing a material is, and how large.
pub fn kind(cx: &Cx, media_type: Option<&str>, bytes: Option<i64>) -> String {
    match (media_type, bytes) {
        (Some(media_type), Some(bytes)) => {
            let what = if media_type == "application/pdf" { "PDF".to_owned() } else { w!(cx, learning.picture) };
            let kilobytes = cx.fmt().number((bytes + 1023) / 1024);
            format!("{what} · {}", w!(cx, learning.kilobytes, size = kilobytes))
        }
        _ => w!(cx, learning.link_elsewhere),
    }
}
