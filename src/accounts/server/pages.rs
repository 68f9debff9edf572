//! The pages of signing in. Each works as a plain form.

use super::{service, session};
use crate::{
    access::Act,
    accounts::domain::{CHALLENGE_MINUTES, safe_next, start},
    error::AppError,
    server::{
        Cx,
        cx::cookie,
        form::{Form, Sheet},
        notice::Notice,
        page::Frame,
        query::Query,
    },
    ui::*,
    w,
};
use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

/// Binds a code to the browser that asked for it.
const CHALLENGE: &str = "challenge";

#[derive(Default, Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

pub async fn sign_in(cx: Cx, Query(query): Query<Next>) -> Response {
    let next = safe_next(&query.next).to_owned();
    if cx.viewer.person().is_some() {
        return cx.redirect(start(&next, cx.viewer.is_staff()), None);
    }
    sign_in_page(&cx, &Sheet::filled(&[("next", &next)]))
}

fn sign_in_page(cx: &Cx, sheet: &Sheet) -> Response {
    let t = cx.fmt();
    let title = w!(cx, shell.sign_in);
    cx.sheet_page(sheet, Frame::Plain, title.clone(), || {
        view! {
            <PageHead title=title lead=Some(w!(cx, shell.sign_in_lead))/>
            <form id="sign-in" class="form" method="post" action="/sign-in">
                {cx.faults(sheet)}
                <input type="hidden" name="next" value=sheet.value("next").to_owned()/>
                <Field name="email" label=w!(cx, shell.email) kind="email" value=sheet.value("email") fault=cx.fault(sheet, "email")
                    autocomplete="email" inputmode="email" enterkeyhint="send" required=true/>
                <Actions><Button icon=Some(Icon::Mail)>{w!(t, shell.send_code)}</Button></Actions>
            </form>
        }
    })
}

pub async fn ask(cx: Cx, form: Form) -> Result<Response, AppError> {
    match service::ask(&cx, &form).await {
        Ok(asked) => {
            let mut response = cx.redirect("/sign-in/code", None);
            keep_challenge(&cx, &mut response, &asked.browser, CHALLENGE_MINUTES * 60);
            Ok(response)
        }
        Err(error) => Ok(sign_in_page(&cx, &Sheet::again(form, error)?)),
    }
}

fn keep_challenge(cx: &Cx, response: &mut Response, browser: &str, seconds: i64) {
    let cookie = format!(
        "{CHALLENGE}={browser}; Path=/sign-in; HttpOnly; SameSite=Lax; Max-Age={seconds}{}",
        cx.app.config.secure_suffix()
    );
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

pub async fn code(cx: Cx) -> Response {
    code_page(&cx, &Sheet::default())
}

fn code_page(cx: &Cx, sheet: &Sheet) -> Response {
    let t = cx.fmt();
    let title = w!(cx, shell.check_your_mail);
    cx.sheet_page(sheet, Frame::Plain, title.clone(), || {
        let demo = cx.app.demo.then(|| view! { <p><a href="/demo/mail">{w!(cx, shell.demo_mail)}</a></p> });
        view! {
            <PageHead title=title lead=Some(w!(cx, shell.code_lead, minutes = CHALLENGE_MINUTES.to_string()))/>
            <form id="sign-in-code" class="form" method="post" action="/sign-in/code">
                {cx.faults(sheet)}
                <Field name="code" label=w!(cx, shell.code) value=sheet.value("code") fault=cx.fault(sheet, "code")
                    autocomplete="one-time-code" inputmode="numeric" enterkeyhint="go" required=true/>
                <Actions>
                    <Button>{w!(t, shell.sign_in)}</Button>
                    <ButtonLink href="/sign-in" tone=ButtonTone::Quiet>{w!(t, shell.other_address)}</ButtonLink>
                </Actions>
            </form>
            {demo}
        }
    })
}

pub async fn try_code(cx: Cx, headers: HeaderMap, form: Form) -> Result<Response, AppError> {
    match service::by_code(&cx, cookie(&headers, CHALLENGE), &form).await {
        Ok((person, next)) => {
            let mut response = session::begin(&cx, person, &next, Some(Notice::SignedIn)).await?;
            keep_challenge(&cx, &mut response, "", 0);
            Ok(response)
        }
        Err(error) => Ok(code_page(&cx, &Sheet::again(form, error)?)),
    }
}

/// Opening the link changes nothing: mail scanners open links too. The button signs in.
pub async fn link(cx: Cx, Path(token): Path<String>) -> Result<Response, AppError> {
    let good = service::link_is_good(&cx, &token).await?;
    Ok(link_page(&cx, if good { StatusCode::OK } else { StatusCode::GONE }))
}

/// The page with the button, or of a link that is good for nothing any more.
fn link_page(cx: &Cx, status: StatusCode) -> Response {
    let good = status.is_success();
    let t = cx.fmt();
    let title = if good { w!(cx, shell.link_title) } else { w!(cx, shell.link_old_title) };
    let lead = if good { w!(cx, shell.link_lead) } else { w!(cx, shell.sign_in_not_valid) };
    cx.page_with(status, Frame::Plain, title.clone(), || {
        let act = if good {
            view! { <form method="post"><Actions><Button>{w!(t, shell.sign_in)}</Button></Actions></form> }.into_any()
        } else {
            view! { <Actions><ButtonLink href="/sign-in">{w!(t, shell.new_code)}</ButtonLink></Actions> }.into_any()
        };
        view! { <PageHead title=title lead=Some(lead)/> {act} }
    })
}

pub async fn use_link(cx: Cx, Path(token): Path<String>) -> Result<Response, AppError> {
    match service::by_link(&cx, &token).await {
        Ok((person, next)) => session::begin(&cx, person, &next, Some(Notice::SignedIn)).await,
        Err(AppError::Refused(_)) => Ok(link_page(&cx, StatusCode::UNPROCESSABLE_ENTITY)),
        Err(other) => Err(other),
    }
}

pub async fn sign_out(cx: Cx) -> Result<Response, AppError> {
    if let Some(id) = cx.request.session {
        session::end(&cx, Act::SignOut, id).await?;
    }
    let mut response = cx.redirect("/", Some(Notice::SignedOut));
    session::clear(&cx, &mut response);
    Ok(response)
}
