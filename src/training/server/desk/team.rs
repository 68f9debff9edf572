//! `/desk/organisations/{organisation}/team`: staff see who of a firm has learned what, to advise it. Nothing is changed
//! here: only the firm's owner enrols its people.

use crate::{
    access::{Act, Subject},
    error::AppError,
    server::{
        Cx,
        page::{DeskTab, Frame},
    },
    training::server::{
        matrix::{self, Matrix},
        portal::parse,
    },
    ui::*,
    values::OrganisationId,
    w,
};
use axum::{extract::Path, response::Response};
use leptos::prelude::*;

pub async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    cx.person()?;
    let firm: OrganisationId = parse(&id)?;
    cx.may(Act::ReadFirmTraining, &Subject::nobody().within(Some(firm)))?;
    let matrix = Matrix::load(&mut cx.db().read().await?, &cx, firm, None).await?;
    // Each goes back to where they came from.
    let (tab, back) = match cx.viewer.can(Act::ReadCustomer, &Subject::nobody()) {
        true => (DeskTab::Customers, ("/desk/customers".to_owned(), w!(cx, desk.customers))),
        false => (DeskTab::Classes, ("/desk/classes".to_owned(), w!(cx, training.desk_title))),
    };
    let title = w!(cx, team.desk_title, firm = matrix.name.clone());
    Ok(cx.page(Frame::Desk(tab), title.clone(), || {
        view! {
            <PageHead title lead=Some(w!(cx, team.desk_lead)) back=Some(back)/>
            {matrix::table(&cx, &matrix)}
        }
    }))
}
