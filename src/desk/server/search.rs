//! `/desk/customers`: find a person by the beginning of a name or an address.

use super::store;
use crate::{
    access::{Act, Subject},
    error::AppError,
    server::{
        Cx,
        page::{DeskTab, Frame},
        query::Query,
    },
    ui::*,
    values::Cursor,
    w,
};
use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;

/// What is looked for, and where the list goes on.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    from: String,
}

pub async fn show(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    cx.person()?;
    cx.may(Act::ReadCustomer, &Subject::nobody())?;
    let mut tx = cx.db().read().await?;
    let found = store::search(&mut tx, &asked.q, Cursor::decode(&asked.from).as_ref()).await?;
    drop(tx);
    let fmt = cx.fmt();
    Ok(cx.page(Frame::Desk(DeskTab::Customers), w!(cx, desk.customers), || {
        let empty = found.rows.is_empty();
        let people = found
            .rows
            .into_iter()
            .map(|person| {
                view! {
                    <CardLink href=format!("/desk/customers/{}", person.id) title=person.name icon=Some(Icon::User)
                        text=person.email.unwrap_or_default()/>
                }
            })
            .collect_view();
        let pager = found.next.map(|next| {
            let query: String =
                url::form_urlencoded::Serializer::new(String::new()).append_pair("q", &asked.q).append_pair("from", &next.encode()).finish();
            view! { <Pager href=format!("/desk/customers?{query}") label=w!(fmt, cases.more)/> }
        });
        view! {
            <PageHead title=w!(fmt, desk.customers) lead=w!(fmt, desk.customers_lead)>
                <ButtonLink href="/desk/organisations" tone=ButtonTone::Quiet icon=Some(Icon::Users)>{w!(fmt, desk.alike_title)}</ButtonLink>
            </PageHead>
            <SearchForm action="/desk/customers" label=w!(fmt, desk.search_label) button=w!(fmt, desk.search) value=asked.q.clone()/>
            {empty.then(|| view! {
                <Empty icon=Icon::Users title=w!(fmt, desk.search_empty_title) text=w!(fmt, desk.search_empty_text)/>
            })}
            <Cards>{people}</Cards>
            {pager}
        }
    }))
}
