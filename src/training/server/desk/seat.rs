//! One place of one learner at the desk, for whoever answers people and plans no classes: what it is, what giving it back
//! means, and the button.

use super::roster;
use crate::{
    access::{Act, Subject},
    error::AppError,
    i18n::InWords,
    server::{
        Cx,
        form::{Form, Sheet},
        page::{DeskTab, Frame},
    },
    training::server::{
        portal::parse,
        store::{self, ClassRow, EnrolmentRow},
        views, words,
    },
    ui::*,
    values::EnrolmentId,
    w,
};
use axum::{extract::Path, response::Response};
use leptos::prelude::*;

const FRAME: Frame = Frame::Desk(DeskTab::Customers);

struct Shown {
    class: ClassRow,
    seat: EnrolmentRow,
}

/// Where the page is.
pub fn path(seat: EnrolmentId) -> String {
    format!("/desk/seats/{seat}")
}

async fn load(cx: &Cx, id: EnrolmentId) -> Result<Shown, AppError> {
    cx.may(Act::OpenDesk, &Subject::nobody())?;
    // Whoever may do it in no class learns that first, not whether there is such a seat.
    cx.may(Act::CancelEnrolment, &Subject::nobody().assigned_to(Some(cx.person()?.id)))?;
    let mut tx = cx.db().read().await?;
    let seat = store::enrolment(&mut tx, id).await?;
    let class = store::class(&mut tx, seat.class_id).await?;
    cx.may(Act::CancelEnrolment, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
    Ok(Shown { class, seat })
}

/// `GET /desk/seats/{enrolment}`
pub async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    cx.may(Act::OpenDesk, &Subject::nobody())?;
    let shown = load(&cx, parse(&id)?).await?;
    Ok(page(&cx, &shown, &Sheet::default()))
}

/// Gives it back, and leads to whose it was.
pub async fn act(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let id: EnrolmentId = parse(&id)?;
    let shown = load(&cx, id).await?;
    match roster::give_back(&cx, shown.class.id, id, &form).await {
        Ok(notice) => Ok(cx.redirect(&back(&cx, &shown.seat), Some(notice))),
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            Ok(page(&cx, &load(&cx, id).await?, &sheet))
        }
    }
}

/// The page of the learner, for whoever may open it.
fn back(cx: &Cx, seat: &EnrolmentRow) -> String {
    match cx.viewer.can(Act::ReadCustomer, &Subject::of(seat.person_id)) {
        true => format!("/desk/customers/{}", seat.person_id),
        false => "/desk".to_owned(),
    }
}

fn page(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Response {
    cx.sheet_page(sheet, FRAME, shown.class.title.clone(), || view_of(cx, shown, sheet))
}

fn view_of(cx: &Cx, shown: &Shown, sheet: &Sheet) -> AnyView {
    let (class, seat) = (&shown.class, &shown.seat);
    let place = words::place(class);
    let place = if place.is_empty() { w!(cx, training.online) } else { place };
    let facts = vec![
        (w!(cx, training.when), views::when(cx, class.starts_at, class.tz()).into_any()),
        (w!(cx, training.venue), place.into_any()),
        (w!(cx, training.trainer), class.trainer_name.clone().into_any()),
    ];
    let rules = views::policy(cx, class, false).into_iter().map(|rule| view! { <li>{rule}</li> }).collect_view();
    let form = match roster::give_back_form(cx, class, seat, sheet) {
        Some(form) => form,
        None => view! { <p class="soft">{w!(cx, teaching.nothing_to_give_back)}</p> }.into_any(),
    };
    let badge = view! { <Badge tone=words::state_tone(seat.state) text=seat.state.in_words(cx.fmt())/> };
    view! {
        <PageHead title=class.title.clone() lead=Some(seat.person_name.clone())
            back=Some((back(cx, seat), seat.person_name.clone()))>{badge}</PageHead>
        {views::faults(cx, sheet, class.tz())}
        <Card><DefinitionList rows=facts/></Card>
        {form}
        <Card title=Some(w!(cx, training.policy))><ul class="stack">{rules}</ul></Card>
    }
    .into_any()
}
