//! `/desk/registrations`: what customers say is theirs, for staff to accept or refuse.

use super::register::{self, ANOTHER, OpenRow, PieceRow};
use crate::{
    error::AppError,
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
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

const FRAME: Frame = Frame::Desk(DeskTab::Registrations);

/// Where the list goes on.
#[derive(Deserialize, Default)]
pub struct Asked {
    #[serde(default)]
    after: String,
}

/// `GET /desk/registrations`
pub async fn list(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    page(cx, &asked.after, Sheet::default()).await
}

/// `POST /desk/registrations`
pub async fn decide(cx: Cx, form: Form) -> Result<Response, AppError> {
    match register::decide(&cx, &form).await {
        Ok(true) => Ok(cx.redirect("/desk/registrations", Some(Notice::RegistrationAccepted))),
        Ok(false) => Ok(cx.redirect("/desk/registrations", Some(Notice::RegistrationRefused))),
        Err(error) => {
            let after = form.text("after").to_owned();
            page(cx, &after, Sheet::again(form, error)?).await
        }
    }
}

async fn page(cx: Cx, after: &str, sheet: Sheet) -> Result<Response, AppError> {
    let open = register::open(&cx, Cursor::decode(after).as_ref()).await?;
    let t = cx.fmt();
    let title = w!(t, purchases.desk_title);
    Ok(cx.sheet_page(&sheet, FRAME, title.clone(), || {
        let next = open.next.as_ref().map(|next| {
            view! { <Pager href=format!("/desk/registrations?after={}", next.encode()) label=w!(t, shell.more)/> }
        });
        let body = if open.rows.is_empty() {
            view! {
                <Empty icon=Icon::Check title=w!(t, purchases.desk_empty_title) text=w!(t, purchases.desk_empty_text)/>
            }
            .into_any()
        } else {
            let cards = open.rows.into_iter().map(|row| card(&cx, &sheet, after, row)).collect_view();
            view! { <Cards>{cards}</Cards> }.into_any()
        };
        view! {
            <PageHead title=title lead=w!(t, purchases.desk_lead)/>
            {cx.faults(&sheet)}
            {body}
            {next}
        }
    }))
}

/// `after` is the page of the list that the card stands on, where its form comes back to.
fn card(cx: &Cx, sheet: &Sheet, after: &str, row: OpenRow) -> impl IntoView + use<> {
    let id = row.id.to_string();
    let t = cx.fmt();
    let this = sheet.value("registration") == id;
    let field = |name: &str| {
        let value = if this { sheet.value(name).to_owned() } else { String::new() };
        (value, if this { cx.fault(sheet, name) } else { None })
    };
    // One form on this page is the one that came back: its fields carry the plain names, so that the summary finds them.
    let field_id = |name: &str| if this { name.to_owned() } else { format!("{name}-{id}") };
    let (sku_id, day_id, country_id, why_id) =
        (field_id("sku"), field_id("purchased_on"), field_id("country"), field_id("why"));
    let again = id.clone();
    let (sku, sku_fault) = field("sku");
    let (day, day_fault) = field("purchased_on");
    let (why, why_fault) = field("why");
    let (typed, country_fault) = field("country");
    let country = if this { typed } else { row.country.clone().unwrap_or_default() };
    let disputed = row.is_disputed().then(|| {
        view! { <Alert tone=Tone::Warn><p>{w!(t, purchases.desk_disputed)}</p></Alert> }
    });
    let what = match row.pieces.as_slice() {
        [] => w!(t, purchases.desk_unknown),
        [piece] => {
            w!(t, purchases.desk_known, product = piece.product_name.clone(), owner = piece.owner_name.clone())
        }
        _ => w!(t, purchases.desk_several),
    };
    let wrong = sku_fault.is_some() || day_fault.is_some() || country_fault.is_some();
    let unknown_sale = wrong || !sku.is_empty() || !day.is_empty();
    let fields = view! {
        <div class="fields">
            <Field name="sku" id=sku_id label=w!(t, purchases.desk_sku) value=sku fault=sku_fault/>
            <Field name="purchased_on" id=day_id kind="date" label=w!(t, purchases.desk_bought_on)
                value=day fault=day_fault max=cx.today().to_string()/>
            <Field name="country" id=country_id label=w!(t, purchases.desk_country) hint=w!(t, purchases.desk_country_hint)
                value=country fault=country_fault maxlength=Some(2)/>
        </div>
    };
    let sale = if row.pieces.is_empty() {
        fields.into_any()
    } else {
        let (chosen, fault) = field("item");
        let (choices, only) = choices(cx, &row.pieces);
        let chosen = if chosen.is_empty() { only } else { chosen };
        view! {
            <ChoiceList name="item" id=field_id("item") legend=w!(t, purchases.desk_which) choices value=chosen fault/>
            <Fold title=w!(t, purchases.desk_other_sale) open=unknown_sale>{fields}</Fold>
        }
        .into_any()
    };
    let person = row.person_name.clone();
    let title = w!(t, purchases.desk_asks, person = row.person_name, serial = row.serial_number);
    let refusing = this && sheet.value("decision") == "refuse";
    let asked_on = w!(t, purchases.desk_asked_on, date = cx.fmt().date_time(row.created_at, cx.zone));
    let (page, page_again) = (page_field(after), page_field(after));
    let refusal = view! {
        <form method="post" action="/desk/registrations" class="form">
            <input type="hidden" name="registration" value=again/>
            {page_again}
            <TextArea name="why" id=why_id label=w!(t, purchases.desk_why) hint=w!(t, purchases.desk_why_hint)
                value=why fault=why_fault rows=2 maxlength=Some(1000)/>
            <Actions><Button tone=ButtonTone::Danger name="decision" value="refuse".to_owned()>{w!(t, purchases.refuse)}</Button></Actions>
        </form>
    };
    view! {
        <Card title=title>
            <p><a href=format!("/desk/customers/{}", row.person_id)>{person}</a></p>
            <p class="soft small">{asked_on}</p>
            {disputed}
            <p>{what}</p>
            {row.proof.map(|proof| view! { <p class="pre">{proof}</p> })}
            <form method="post" action="/desk/registrations" class="form">
                <input type="hidden" name="registration" value=id/>
                {page}
                {sale}
                <Actions><Button name="decision" value="accept".to_owned()>{w!(t, purchases.accept)}</Button></Actions>
            </form>
            <Fold title=w!(t, purchases.refuse) open=refusing>{refusal}</Fold>
        </Card>
    }
}

/// The things that have the number, and that it is none of them; with what is chosen already where there is only one.
fn choices(cx: &Cx, pieces: &[PieceRow]) -> (Vec<Choice>, String) {
    let t = cx.fmt();
    let choice = |piece: &PieceRow| {
        let words = w!(t, purchases.desk_piece, product = piece.product_name.clone(), owner = piece.owner_name.clone());
        let bought = w!(t, purchases.bought_on, date = t.date(piece.purchased_on));
        Choice { text: Some(format!("{} · {bought}", piece.order_number)), ..Choice::new(piece.id.to_string(), words) }
    };
    let only = if let [piece] = pieces { piece.id.to_string() } else { String::new() };
    let another = Choice::new(ANOTHER, w!(t, purchases.desk_another));
    (pieces.iter().map(choice).chain([another]).collect(), only)
}

/// Which page of the list a form stands on.
fn page_field(after: &str) -> Option<AnyView> {
    let after = after.to_owned();
    (!after.is_empty()).then(|| view! { <input type="hidden" name="after" value=after/> }.into_any())
}
