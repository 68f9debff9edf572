//! `/desk/charges`: staff write down how charges were settled.

use super::{
    portal::dates,
    service,
    store::{ChargeRow, Which},
    words,
};
use crate::{
    charges::domain::ChargeState,
    error::{AppError, Fault, Faults},
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::{DeskTab, Frame},
        query::Query,
    },
    ui::*,
    values::{ChargeId, Cursor},
    w,
};
use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;

/// Which charges are shown, and where the list goes on.
#[derive(Deserialize, Default)]
pub struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    after: String,
}

/// `GET /desk/charges`
pub async fn list(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    page(cx, asked, Sheet::default()).await
}

/// `POST /desk/charges`
pub async fn settle(cx: Cx, form: Form) -> Result<Response, AppError> {
    match settle_by(&cx, &form).await {
        Ok(()) if back(&form) => Ok(cx.redirect("/desk/charges?state=refund", Some(Notice::ChargePaidBack))),
        Ok(()) => Ok(cx.redirect("/desk/charges", Some(Notice::ChargeSettled))),
        Err(error) => {
            let state = if back(&form) { "refund" } else { "" };
            let asked = Asked { state: state.to_owned(), ..Asked::default() };
            page(cx, asked, Sheet::again(form, error)?).await
        }
    }
}

/// Whether the form says that money went back; else it says how a charge was settled.
fn back(form: &Form) -> bool {
    form.text("outcome") == "paid_back"
}

async fn settle_by(cx: &Cx, form: &Form) -> Result<(), AppError> {
    let mut faults = Faults::default();
    if back(form) {
        let id = form.parse::<ChargeId>("charge", &mut faults, Fault::NotAChoice);
        faults.check()?;
        return service::pay_back(cx, id.ok_or(AppError::NotFound)?).await;
    }
    let id = form.parse::<ChargeId>("charge", &mut faults, Fault::NotAChoice);
    let outcome = form.parse::<ChargeState>("outcome", &mut faults, Fault::NotAChoice);
    faults.check()?;
    match (id, outcome) {
        (Some(id), Some(outcome)) => service::settle(cx, id, outcome).await,
        _ => Err(AppError::NotFound),
    }
}

async fn page(cx: Cx, asked: Asked, sheet: Sheet) -> Result<Response, AppError> {
    let (which, state) = match asked.state.as_str() {
        "settled" => (Which::Settled, "settled"),
        "refund" => (Which::ToPayBack, "refund"),
        _ => (Which::Due, "due"),
    };
    let charges = service::all(&cx, which, Cursor::decode(&asked.after).as_ref()).await?;
    let t = cx.fmt();
    let title = w!(t, charges.desk_title);
    Ok(cx.sheet_page(&sheet, Frame::Desk(DeskTab::Charges), title.clone(), || {
        let tab = |href: &str, label, tab| Tab { href: href.into(), label, current: tab == which };
        let tabs = vec![
            tab("/desk/charges", w!(t, charges.filter_due), Which::Due),
            tab("/desk/charges?state=refund", w!(t, charges.filter_refund), Which::ToPayBack),
            tab("/desk/charges?state=settled", w!(t, charges.filter_settled), Which::Settled),
        ];
        let empty = match which {
            Which::Due => (w!(t, charges.desk_empty_title), w!(t, charges.desk_empty_text)),
            Which::ToPayBack => (w!(t, charges.refund_empty_title), w!(t, charges.refund_empty_text)),
            Which::Settled => (w!(t, charges.settled_empty_title), w!(t, charges.settled_empty_text)),
        };
        let next = charges.next.as_ref().map(|next| {
            view! { <Pager href=format!("/desk/charges?state={state}&after={}", next.encode()) label=w!(t, shell.more)/> }
        });
        let body = if charges.rows.is_empty() {
            view! { <Empty icon=Icon::Coin title=empty.0 text=empty.1/> }.into_any()
        } else {
            let cards = charges.rows.into_iter().map(|row| card(&cx, row)).collect_view();
            view! { <Cards>{cards}</Cards> }.into_any()
        };
        view! {
            <PageHead title=title lead=w!(t, charges.desk_lead)/>
            {cx.faults(&sheet)}
            <Tabs label=w!(t, charges.desk_title) tabs/>
            {body}
            {next}
        }
    }))
}

fn card(cx: &Cx, row: ChargeRow) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let amount = fmt.money(row.amount());
    let label = w!(cx, charges.settle_group, amount = amount.clone(), person = row.person_name.clone());
    let dates = dates(cx, &row);
    let buttons = (row.state() == ChargeState::Due).then(|| {
        view! {
            <form method="post" action="/desk/charges" role="group" aria-label=label>
                <input type="hidden" name="charge" value=row.id.to_string()/>
                <Actions>
                    <Button name="outcome" value="paid".to_owned()>{w!(fmt, charges.mark_paid)}</Button>
                    <Button tone=ButtonTone::Quiet name="outcome" value="waived".to_owned()>{w!(fmt, charges.mark_waived)}</Button>
                    <Button tone=ButtonTone::Danger name="outcome" value="void".to_owned()>{w!(fmt, charges.mark_void)}</Button>
                </Actions>
            </form>
        }
    });
    let refund = row.refund().filter(|refund| refund.paid_at.is_none()).map(|_| {
        let label = w!(cx, charges.pay_back_group, amount = amount.clone(), person = row.person_name.clone());
        view! {
            <form method="post" action="/desk/charges" role="group" aria-label=label>
                <input type="hidden" name="charge" value=row.id.to_string()/>
                <Actions><Button name="outcome" value="paid_back".to_owned()>{w!(fmt, charges.mark_paid_back)}</Button></Actions>
            </form>
        }
    });
    let (tone, state) = words::standing(fmt, &row);
    view! {
        <Card>
            <p class="split"><a href=format!("/desk/customers/{}", row.person_id)>{row.person_name}</a> <span class="price">{amount}</span></p>
            <p class="split"><span>{words::what(fmt, &row.reason, row.about.as_deref())}</span> <Badge tone=tone text=state/></p>
            <p class="soft small">{dates}</p>
            {buttons}
            {refund}
        </Card>
    }
}
