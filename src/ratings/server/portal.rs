//! `/rate/{token}`: one question, one tap, no sign-in. Opening it changes nothing; the button posts.

use super::{
    service::{self, Shown},
    words,
};
use crate::{
    error::AppError,
    i18n::InWords,
    ratings::domain::{Measure, Refusal, WORDS_MAX},
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::Frame,
        query::Query,
    },
    ui::*,
    w,
};
use axum::{extract::Path, http::StatusCode, response::Response};
use leptos::prelude::*;
use serde::Deserialize;

/// The choice that was made in the letter.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    score: String,
}

pub async fn show(cx: Cx, Path(token): Path<String>, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let shown = service::show(&cx, &token).await?;
    Ok(page(&cx, &token, shown, &Sheet::filled(&[("score", &asked.score)])))
}

pub async fn rate(cx: Cx, Path(token): Path<String>, form: Form) -> Result<Response, AppError> {
    match service::rate(&cx, &token, &form).await {
        Ok(()) => Ok(cx.redirect(&format!("/rate/{token}"), Some(Notice::Rated))),
        Err(AppError::NotFound) => Ok(unknown(&cx)),
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            let shown = service::show(&cx, &token).await?;
            Ok(page(&cx, &token, shown, &sheet))
        }
    }
}

fn page(cx: &Cx, token: &str, shown: Option<Shown>, sheet: &Sheet) -> Response {
    match shown {
        None => unknown(cx),
        Some(Shown { closed: Some(refusal), feedback, .. }) => {
            gone(cx, &refusal, &words::question(feedback.moment, &feedback.about, cx.fmt()))
        }
        Some(shown) => question(cx, token, &shown, sheet),
    }
}

fn question(cx: &Cx, token: &str, shown: &Shown, sheet: &Sheet) -> Response {
    let fmt = cx.fmt();
    let feedback = &shown.feedback;
    let asked = words::question(feedback.moment, &feedback.about, fmt);
    let answered = feedback.request.answered_at.is_some();
    cx.sheet_page(sheet, Frame::Plain, w!(cx, ratings.title), || {
        let lead = (!answered).then(|| w!(fmt, ratings.lead));
        let title = if answered { w!(fmt, ratings.thanks_title) } else { w!(fmt, ratings.title) };
        let thanks = answered.then(|| {
            let text = match shown.recovery_due {
                Some(due) => w!(fmt, ratings.thanks_unhappy, when = fmt.date_time(due, cx.zone)),
                None => w!(fmt, ratings.thanks_text),
            };
            let change = feedback
                .request
                .changeable_until()
                .map(|until| w!(fmt, ratings.change, when = fmt.date_time(until, cx.zone)));
            view! { <Alert tone=Tone::Good><p>{text}</p><p>{change}</p></Alert> }
        });
        let known = feedback.request.score.map(|score| score.to_string()).unwrap_or_default();
        let score = if sheet.value("score").is_empty() { known } else { sheet.value("score").to_owned() };
        let said = feedback.words.clone().unwrap_or_default();
        let said = if sheet.is_again() { sheet.value("words").to_owned() } else { said };
        let button = if answered { w!(fmt, ratings.save) } else { w!(fmt, ratings.send) };
        view! {
            <PageHead title lead/>
            {thanks}
            <form method="post" action=format!("/rate/{token}") id="rate" class="form">
                {cx.faults(sheet)}
                {scale(cx, feedback.request.measure, asked, &score, cx.fault(sheet, "score"))}
                <TextArea name="words" label=w!(fmt, ratings.words) hint=w!(fmt, ratings.words_hint) value=said
                    fault=cx.fault(sheet, "words") maxlength=Some(WORDS_MAX)/>
                <Actions><Button icon=Some(Icon::Check)>{button}</Button></Actions>
            </form>
        }
    })
}

/// One to five as stars, the longer scales as numbers beside each other.
fn scale(cx: &Cx, measure: Measure, legend: String, score: &str, fault: Option<String>) -> AnyView {
    let fmt = cx.fmt();
    if measure == Measure::Csat {
        let value = score.parse::<u8>().ok();
        return view! { <Stars name="score" legend words=words::five(fmt) value fault required=true/> }.into_any();
    }
    let (low, high) = measure.scale();
    let choices = (low..=high)
        .map(|n| {
            let end = match n {
                n if n == low => Some(w!(fmt, ratings.low_end)),
                n if n == high => Some(w!(fmt, ratings.high_end)),
                _ => None,
            };
            Choice { note: end, ..Choice::new(n.to_string(), fmt.number(n.into())) }
        })
        .collect();
    view! { <ChoiceList name="score" legend choices value=score.to_owned() fault compact=true required=true/> }
        .into_any()
}

/// The question is closed: says why, and where else one is heard.
fn gone(cx: &Cx, refusal: &Refusal, asked: &str) -> Response {
    let fmt = cx.fmt();
    let status = if matches!(refusal, Refusal::Expired { .. }) { StatusCode::GONE } else { StatusCode::OK };
    let (asked, why) = (asked.to_owned(), refusal.in_words(fmt));
    cx.page_with(status, Frame::Plain, w!(cx, ratings.gone_title), || {
        view! {
            <PageHead title=w!(fmt, ratings.gone_title) lead=asked/>
            <Alert><p>{why}</p></Alert>
            <Actions><ButtonLink href="/cases/new" icon=Some(Icon::Mail)>{w!(fmt, ratings.write)}</ButtonLink></Actions>
        }
    })
}

/// No question of ours: perhaps the link was cut off.
fn unknown(cx: &Cx) -> Response {
    let fmt = cx.fmt();
    cx.page_with(StatusCode::NOT_FOUND, Frame::Plain, w!(cx, ratings.unknown_title), || {
        view! {
            <PageHead title=w!(fmt, ratings.unknown_title) lead=w!(fmt, ratings.unknown_text)/>
            <Actions><ButtonLink href="/cases/new" icon=Some(Icon::Mail)>{w!(fmt, ratings.write)}</ButtonLink></Actions>
        }
    })
}
