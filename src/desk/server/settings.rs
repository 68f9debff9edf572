//! `/desk/settings`: the ways to everything that the company can set.

use crate::{
    access::{Act, Subject},
    error::AppError,
    server::{
        Cx,
        page::{DeskTab, Frame},
    },
    ui::*,
    w,
};
use axum::response::Response;
use leptos::prelude::*;

pub async fn show(cx: Cx) -> Result<Response, AppError> {
    cx.may(Act::SetHours, &Subject::nobody())?;
    let fmt = cx.fmt();
    let may = |act| cx.viewer.can(act, &Subject::nobody());
    let link = |open: bool, href: &'static str, icon: Icon, title: String, text: String| {
        open.then(|| view! { <CardLink href title text icon=Some(icon)/> })
    };
    let links = [
        link(
            may(Act::SetHours),
            "/desk/settings/workshops",
            Icon::Wrench,
            w!(fmt, repairs.settings_title),
            w!(fmt, repairs.settings_lead),
        ),
        link(
            may(Act::SetHours),
            "/desk/settings/hours",
            Icon::Chat,
            w!(fmt, cases.hours_title),
            w!(fmt, cases.hours_lead, zone = cx.company_zone().name()),
        ),
        link(
            may(Act::SetClassRules),
            "/desk/settings/training",
            Icon::Cap,
            w!(fmt, planning.rules_title),
            w!(fmt, planning.rules_lead),
        ),
        link(
            may(Act::SetGuarantee),
            "/desk/settings/guarantees",
            Icon::Shield,
            w!(fmt, coverage.guarantees_title),
            w!(fmt, coverage.guarantees_lead),
        ),
        link(may(Act::AddRoom), "/desk/settings/rooms", Icon::Pin, w!(fmt, rooms.title), w!(fmt, rooms.lead)),
    ]
    .into_iter()
    .flatten()
    .collect_view();
    Ok(cx.page(Frame::Desk(DeskTab::Settings), w!(fmt, shell.settings), || {
        view! {
            <PageHead title=w!(fmt, shell.settings)/>
            <Cards>{links}</Cards>
        }
    }))
}
