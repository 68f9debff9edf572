//! `/purchases/register`: one form for both ways, and the page that takes the code.

use super::register::{self, Next, RegistrationRow};
use crate::{
    error::AppError,
    purchases::domain::RegistrationState,
    server::{
        Cx,
        clock::real_now,
        form::{Form, Sheet},
        notice::Notice,
        page::{Frame, PortalTab},
    },
    ui::*,
    values::ClaimId,
    w,
};
use axum::{extract::Path, response::Response};
use leptos::prelude::*;

const FRAME: Frame = Frame::Portal(PortalTab::Purchases);

/// `GET /purchases/register`
pub async fn form(cx: Cx) -> Result<Response, AppError> {
    let email = cx.person()?.email.to_string();
    page(cx, Sheet::filled(&[("email", &email)])).await
}

/// `POST /purchases/register`
pub async fn register(cx: Cx, form: Form) -> Result<Response, AppError> {
    match register::register(&cx, &form).await {
        Ok(Next::Done) => Ok(cx.redirect("/purchases", Some(Notice::PurchaseRegistered))),
        Ok(Next::Code(id)) => Ok(cx.redirect(&format!("/purchases/register/{id}"), None)),
        Ok(Next::Checked) => Ok(cx.redirect("/purchases/register", Some(Notice::RegistrationReceived))),
        Err(error) => page(cx, Sheet::again(form, error)?).await,
    }
}

async fn page(cx: Cx, sheet: Sheet) -> Result<Response, AppError> {
    let mine = register::mine(&cx).await?;
    let t = cx.fmt();
    let title = w!(t, purchases.register_title);
    Ok(cx.sheet_page(&sheet, FRAME, title.clone(), || {
        let text = |name: &str| (sheet.value(name).to_owned(), cx.fault(&sheet, name));
        let (order, order_fault) = text("order_number");
        let (email, email_fault) = text("email");
        let (serial, serial_fault) = text("serial_number");
        let (proof, proof_fault) = text("proof");
        let asked = asked(&cx, mine);
        view! {
            <PageHead title=title lead=w!(t, purchases.register_lead) back=Some(("/purchases".to_owned(), w!(t, purchases.back)))/>
            {cx.faults(&sheet)}
            // Enter presses the first button: this one, which says nothing of the way, wherever one typed.
            <button type="submit" form="register-purchase" hidden=true tabindex="-1" aria-hidden="true"></button>
            <form method="post" action="/purchases/register" id="register-purchase" class="form">
                <HiddenKey value=sheet.key()/>
                <Card title=w!(t, purchases.by_order)>
                    <Field name="order_number" label=w!(t, purchases.order_number) hint=w!(t, purchases.order_number_hint)
                        value=order fault=order_fault maxlength=Some(200)/>
                    <Field name="email" label=w!(t, purchases.email) hint=w!(t, purchases.email_hint) kind="email"
                        autocomplete="email" value=email fault=email_fault maxlength=Some(254)/>
                    <Actions><Button name="way" value="order".to_owned()>{w!(t, purchases.send_order)}</Button></Actions>
                </Card>
                <Card title=w!(t, purchases.by_serial)>
                    <Field name="serial_number" label=w!(t, purchases.serial_number) hint=w!(t, purchases.serial_hint)
                        value=serial fault=serial_fault maxlength=Some(100)/>
                    <TextArea name="proof" label=w!(t, purchases.proof) hint=w!(t, purchases.proof_hint)
                        value=proof fault=proof_fault rows=3 maxlength=Some(2000)/>
                    <Actions>
                        <Button tone=ButtonTone::Quiet name="way" value="serial".to_owned()>{w!(t, purchases.send_serial)}</Button>
                    </Actions>
                </Card>
            </form>
            {asked}
        }
    }))
}

/// What the viewer asked for before, and how far it is.
fn asked(cx: &Cx, mine: Vec<RegistrationRow>) -> AnyView {
    if mine.is_empty() {
        return ().into_any();
    }
    let t = cx.fmt();
    let cards = mine
        .into_iter()
        .map(|row| {
            let (tone, text) = super::words::state(cx, &row);
            let waits = row.state() == RegistrationState::Unproven && row.code_until.is_some_and(|at| at > real_now());
            let code = waits.then(|| {
                view! {
                    <Actions>
                        <ButtonLink href=format!("/purchases/register/{}", row.id) tone=ButtonTone::Quiet>{w!(t, purchases.enter_code)}</ButtonLink>
                    </Actions>
                }
            });
            let at = w!(t, purchases.desk_asked_on, date = t.date_time(row.created_at, cx.zone));
            let why = row.why.map(|why| view! { <p class="pre">{why}</p> });
            let what = row.serial_number.or(row.order_number).unwrap_or_default();
            view! {
                <Card>
                    <p class="split"><strong>{what}</strong> <Badge tone=tone text=text/></p>
                    <p class="soft small">{at}</p>
                    {why}
                    {code}
                </Card>
            }
        })
        .collect_view();
    view! { <Section title=w!(cx, purchases.mine)><Cards>{cards}</Cards></Section> }.into_any()
}

/// `GET /purchases/register/{id}`
pub async fn code_form(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    code_page(cx, claim(&id)?, Sheet::default()).await
}

/// `POST /purchases/register/{id}`
pub async fn prove(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let id = claim(&id)?;
    match register::enter_code(&cx, id, &form).await {
        Ok(()) => Ok(cx.redirect("/purchases", Some(Notice::PurchaseRegistered))),
        Err(error) => code_page(cx, id, Sheet::again(form, error)?).await,
    }
}

fn claim(id: &str) -> Result<ClaimId, AppError> {
    id.parse().map_err(|_| AppError::NotFound)
}

async fn code_page(cx: Cx, id: ClaimId, sheet: Sheet) -> Result<Response, AppError> {
    let row = register::waiting(&cx, id).await?;
    let t = cx.fmt();
    let title = w!(t, purchases.code_title);
    Ok(cx.sheet_page(&sheet, FRAME, title.clone(), || {
        let email = row.email.map(|email| email.to_string()).unwrap_or_default();
        let (value, fault) = (sheet.value("code").to_owned(), cx.fault(&sheet, "code"));
        view! {
            <PageHead title=title lead=w!(t, purchases.code_lead, email = email)
                back=Some(("/purchases/register".to_owned(), w!(t, purchases.register_title)))/>
            {cx.faults(&sheet)}
            <form method="post" action=format!("/purchases/register/{id}") id="register-purchase-code" class="form narrow">
                <Field name="code" label=w!(t, purchases.code) value=value fault=fault inputmode="numeric"
                    autocomplete="one-time-code" maxlength=Some(12) required=true autofocus=true/>
                <Actions><Button>{w!(t, purchases.code_submit)}</Button></Actions>
            </form>
        }
    }))
}
