//! `/account/charges`: what a customer owes.

use super::{service, store::ChargeRow, words};
use crate::{
    charges::domain::Refund,
    error::AppError,
    server::{
        Cx,
        page::{Frame, PortalTab},
        query::Query,
    },
    ui::*,
    values::Cursor,
    w,
};
use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;

/// Where the list goes on.
#[derive(Deserialize, Default)]
pub struct Asked {
    #[serde(default)]
    after: String,
}

/// `GET /account/charges`
pub async fn list(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let charges = service::mine(&cx, Cursor::decode(&asked.after).as_ref()).await?;
    let t = cx.fmt();
    let title = w!(t, charges.title);
    Ok(cx.page(Frame::Portal(PortalTab::None), title.clone(), || {
        let next = charges.next.as_ref().map(|next| {
            view! { <Pager href=format!("/account/charges?after={}", next.encode()) label=w!(t, shell.more)/> }
        });
        let body = if charges.rows.is_empty() {
            view! { <Empty icon=Icon::Coin title=w!(t, charges.empty_title) text=w!(t, charges.empty_text)/> }
                .into_any()
        } else {
            let cards = charges.rows.into_iter().map(|row| card(&cx, row)).collect_view();
            view! { <Cards>{cards}</Cards> }.into_any()
        };
        view! {
            <PageHead title=title lead=w!(t, charges.lead) back=Some(("/account".to_owned(), w!(t, shell.account)))/>
            {body}
            {next}
        }
    }))
}

fn card(cx: &Cx, row: ChargeRow) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let (tone, state) = words::standing(fmt, &row);
    let dates = dates(cx, &row);
    view! {
        <Card>
            <p class="split"><strong>{words::what(fmt, &row.reason, row.about.as_deref())}</strong> <span class="price">{fmt.money(row.amount())}</span></p>
            <p class="split"><span class="soft small">{dates}</span> <Badge tone=tone text=state/></p>
        </Card>
    }
}

/// When it was agreed to, settled, and reversed.
pub fn dates(cx: &Cx, row: &ChargeRow) -> String {
    let day = |at: chrono::DateTime<chrono::Utc>| cx.fmt().date(at.with_timezone(&cx.zone).date_naive());
    let agreed = w!(cx, charges.agreed_on, date = day(row.consent_at));
    let settled = row.settled_at.map(|at| w!(cx, charges.settled_on, date = day(at)));
    let back = row.refund().map(|refund| match refund.paid_at {
        Some(at) => w!(cx, charges.paid_back_on, date = day(at)),
        None => w!(cx, charges.paid_back_by, date = cx.fmt().date(pay_back_by(cx, refund))),
    });
    [Some(agreed), settled, back].into_iter().flatten().collect::<Vec<String>>().join(", ")
}

/// The day by which the money is back, in the company's days.
pub fn pay_back_by(cx: &Cx, refund: Refund) -> chrono::NaiveDate {
    Refund::by(refund.since.with_timezone(&cx.company_zone()).date_naive())
}
