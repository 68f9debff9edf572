//! `/desk/organisations`: firms that are likely one and the same. The list only points at them; nothing is merged.

use super::store::{self, Alike};
use crate::{
    access::{Act, Subject},
    error::AppError,
    server::{
        Cx,
        page::{DeskTab, Frame},
        query::Query,
    },
    ui::*,
    w,
};
use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;

/// Where the list goes on.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    after: String,
}

pub async fn show(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    cx.person()?;
    cx.may(Act::ReadCustomer, &Subject::nobody())?;
    let (groups, next) = store::alike(&mut cx.db().read().await?, &asked.after).await?;
    let t = cx.fmt();
    let title = w!(t, desk.alike_title);
    Ok(cx.page(Frame::Desk(DeskTab::Customers), title.clone(), || {
        let empty = groups.is_empty();
        let cards = groups.iter().map(|group| card(&cx, group)).collect_view();
        let pager = next.map(|after| {
            let after: String = url::form_urlencoded::byte_serialize(after.as_bytes()).collect();
            view! { <Pager href=format!("/desk/organisations?after={after}") label=w!(t, cases.more)/> }
        });
        view! {
            <PageHead title=title lead=w!(t, desk.alike_lead) back=Some(("/desk/customers".to_owned(), w!(t, desk.customers)))/>
            {empty.then(|| view! {
                <Empty icon=Icon::Check title=w!(t, desk.alike_empty_title) text=w!(t, desk.alike_empty_text)/>
            })}
            <div class="stack">{cards}</div>
            {pager}
        }
    }))
}

/// Firms whose names are alike, each with what tells it from the others.
fn card(cx: &Cx, group: &[Alike]) -> impl IntoView + use<> {
    let t = cx.fmt();
    let columns = vec![
        Column::from(w!(t, desk.alike_name)),
        Column::from(w!(t, desk.alike_number)),
        Column { title: w!(t, desk.alike_people), number: true },
        Column { title: w!(t, desk.alike_purchases), number: true },
        Column::from(w!(t, desk.alike_since)),
    ];
    let zone = cx.company_zone();
    let rows = group
        .iter()
        .map(|firm| TableRow {
            href: firm.person.map(|person| format!("/desk/customers/{person}")),
            cells: vec![
                firm.name.clone().into_any(),
                firm.external_id.clone().unwrap_or_default().into_any(),
                t.number(firm.people).into_any(),
                t.number(firm.purchases).into_any(),
                t.date(firm.created_at.with_timezone(&zone).date_naive()).into_any(),
            ],
        })
        .collect();
    let caption = group.first().map(|firm| firm.name.clone()).unwrap_or_default();
    view! { <Card><Table caption=caption columns=columns rows=rows/></Card> }
}
