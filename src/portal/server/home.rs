//! `/`: what needs the customer now, else the four doors.

use crate::{
    error::AppError,
    server::{
        Cx,
        page::{Frame, PortalTab},
    },
    ui::*,
    w,
};
use axum::response::Response;
use leptos::prelude::*;

pub async fn show(cx: Cx) -> Result<Response, AppError> {
    Ok(match cx.viewer.person() {
        None => landing(&cx),
        Some(person) => {
            let name = person.name.clone();
            cx.page(
                Frame::Portal(PortalTab::Home),
                w!(cx, shell.home),
                || view! { <PageHead title=w!(cx, shell.hello, name = name)/> },
            )
        }
    })
}

fn landing(cx: &Cx) -> Response {
    let t = cx.fmt();
    let title = w!(cx, shell.welcome, company = cx.app.company.name.clone());
    cx.page(Frame::Plain, w!(cx, shell.home), || {
        view! {
            <PageHead title=title lead=Some(w!(cx, shell.welcome_lead))/>
            <Actions><ButtonLink href="/sign-in">{w!(t, shell.sign_in)}</ButtonLink></Actions>
        }
    })
}
