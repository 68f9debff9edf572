//! Certificates: a page that anyone can verify and print, the same as a PDF, and as an Open Badge.

use super::{
    badge, certificate_pdf,
    store::{self, CertificateRow},
    validity,
};
use crate::{
    calendar::server::zone,
    error::AppError,
    server::{App, Cx, page::Frame},
    training::domain::Validity,
    ui::*,
    values::PublicNumber,
    w,
};
use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use qrcode::{Color, EcLevel, QrCode};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/certificates/{code}", get(show))
        .route("/certificates/{code}/certificate.pdf", get(pdf))
        .route("/certificates/{code}/badge", get(badge::show))
        .route("/badges/issuer", get(badge::issuer))
        .route("/badges/key", get(badge::key))
        .route("/badges/achievements/{course}", get(badge::achieved))
        .route("/badges/revocations", get(badge::revocations))
}

/// What a certificate says, in the reader's language; page and paper say the same.
pub struct Said {
    pub company: String,
    pub heading: String,
    pub awarded: String,
    pub name: String,
    pub took_part: String,
    pub title: String,
    /// Names and what they stand for.
    pub facts: Vec<(String, String)>,
    pub validity: Validity,
    pub trainer: String,
    pub trainer_label: String,
    pub code: String,
    pub verify: String,
    /// Where it is verified, and the modules of the code that leads there.
    pub address: String,
    pub qr: Vec<Vec<bool>>,
    pub language: String,
}

fn said(cx: &Cx, found: &CertificateRow) -> Said {
    use leptos_i18n::Locale as _;
    let tz = zone::named(&found.zone);
    let day = |at: DateTime<Utc>| cx.fmt().date(at.with_timezone(&tz).date_naive());
    let address = cx.app.config.address(&format!("/certificates/{}", found.code));
    let mut facts = vec![
        (w!(cx, training.certificate_held_on), day(found.held_at)),
        (w!(cx, training.certificate_attended), cx.fmt().percent(found.percent as f64 / 100.0)),
        (w!(cx, training.certificate_given), day(found.given_at)),
    ];
    facts.extend(found.last_valid_on.map(|last| (w!(cx, validity.valid_until), cx.fmt().date(last))));
    Said {
        company: cx.app.company.name.clone(),
        heading: w!(cx, training.certificate),
        awarded: w!(cx, learning.certificate_awarded),
        name: found.name.clone(),
        took_part: w!(cx, learning.certificate_took_part),
        title: found.title.clone(),
        facts,
        validity: found.validity(cx.now),
        trainer: found.trainer.clone(),
        trainer_label: w!(cx, training.trainer),
        code: found.code.to_string(),
        verify: w!(cx, learning.certificate_verify),
        qr: qr(&address),
        address,
        language: cx.locale.as_str().to_owned(),
    }
}

/// The modules of a QR code, dark ones true. What is too long for one gives none.
fn qr(text: &str) -> Vec<Vec<bool>> {
    QrCode::with_error_correction_level(text, EcLevel::M)
        .map(|code| {
            let width = code.width();
            code.to_colors().chunks(width).map(|row| row.iter().map(|color| *color == Color::Dark).collect()).collect()
        })
        .unwrap_or_default()
}

async fn find(cx: &Cx, code: &str) -> Result<CertificateRow, AppError> {
    let code: PublicNumber = code.parse().map_err(|_| AppError::NotFound)?;
    store::certificate(&mut cx.db().read().await?, &code).await?.ok_or(AppError::NotFound)
}

/// Public: whoever is shown a certificate can see that it is genuine.
async fn show(cx: Cx, Path(code): Path<String>) -> Result<Response, AppError> {
    let found = match find(&cx, &code).await {
        Err(AppError::NotFound) => return withdrawn(&cx, &code).await,
        found => found?,
    };
    let said = said(&cx, &found);
    let has_pdf = certificate_pdf::can_draw(&said)?;
    Ok(cx.page(Frame::Plain, format!("{} · {}", said.heading, said.name), || view_of(&cx, &found, &said, has_pdf)))
}

/// Whoever is shown a copy of a certificate that was taken back learns just that.
async fn withdrawn(cx: &Cx, code: &str) -> Result<Response, AppError> {
    let code: PublicNumber = code.parse().map_err(|_| AppError::NotFound)?;
    let since = store::withdrawn(&mut cx.db().read().await?, &code).await?.ok_or(AppError::NotFound)?;
    let title = w!(cx, validity.withdrawn_title);
    let date = cx.fmt().date(since.with_timezone(&cx.company_zone()).date_naive());
    Ok(cx.page_with(StatusCode::GONE, Frame::Plain, title.clone(), || {
        let text = w!(cx, validity.withdrawn_text, date = date);
        view! { <PageHead title=title/> <Alert tone=Tone::Bad><p>{text}</p></Alert> }.into_any()
    }))
}

fn view_of(cx: &Cx, found: &CertificateRow, said: &Said, has_pdf: bool) -> AnyView {
    let text = w!(cx, training.certificate_text, name = said.name.clone(), title = said.title.clone());
    let stands = validity::said(cx.fmt(), said.validity).map(|(tone, text)| view! { <p><Badge tone text/></p> });
    let (tone, genuine) = match said.validity.has_lapsed() {
        true => (Tone::Warn, w!(cx, validity.genuine_but_lapsed)),
        false => (Tone::Good, w!(cx, training.certificate_genuine)),
    };
    let facts = said.facts.iter().map(|(name, what)| (name.clone(), what.clone().into_any())).collect();
    let path = format!("/certificates/{}", found.code);
    let (hint, badge) = (w!(cx, learning.certificate_hint), w!(cx, learning.certificate_badge));
    let badge_href = format!("{path}/badge");
    let pdf = has_pdf.then(|| {
        let (href, words) = (format!("{path}/certificate.pdf"), w!(cx, learning.certificate_pdf));
        view! { <ButtonLink href icon=Some(Icon::Document) download=true>{words}</ButtonLink> }
    });
    view! {
        <div class="no-print"><Alert tone title=Some(genuine)><p>{text}</p>{stands}</Alert></div>
        <article class="certificate">
            <p class="certificate-company">{said.company.clone()}</p>
            <h1 class="certificate-heading">{said.heading.clone()}</h1>
            <p class="certificate-line">{said.awarded.clone()}</p>
            <p class="certificate-name">{said.name.clone()}</p>
            <p class="certificate-line">{said.took_part.clone()}</p>
            <p class="certificate-title">{said.title.clone()}</p>
            <DefinitionList rows=facts/>
            <div class="certificate-foot">
                <p class="certificate-signature"><span class="certificate-signed">{said.trainer.clone()}</span><span>{said.trainer_label.clone()}</span></p>
                <div class="certificate-proof">
                    {picture(said)}
                    <p><span>{said.verify.clone()}</span><span class="certificate-code">{said.code.clone()}</span><span class="certificate-address">{said.address.clone()}</span></p>
                </div>
            </div>
        </article>
        <p class="soft small no-print">{hint}</p>
        <Actions>
            {pdf}
            <ButtonLink href=badge_href tone=ButtonTone::Quiet icon=Some(Icon::Shield) download=true>{badge}</ButtonLink>
        </Actions>
    }
    .into_any()
}

/// The code as one path; its four modules of margin belong to it.
fn picture(said: &Said) -> AnyView {
    let mut path = String::new();
    for (y, row) in said.qr.iter().enumerate() {
        for (x, _) in row.iter().enumerate().filter(|(_, dark)| **dark) {
            path.push_str(&format!("M{} {}h1v1h-1z", x + 4, y + 4));
        }
    }
    let side = said.qr.len() + 8;
    view! {
        <svg class="qr" viewBox=format!("0 0 {side} {side}") role="img" aria-label=said.address.clone() shape-rendering="crispEdges"><path d=path></path></svg>
    }
    .into_any()
}

/// Its page is printed instead.
fn no_pdf(cx: &Cx, found: &CertificateRow) -> Response {
    let title = w!(cx, learning.certificate_no_pdf);
    let back = Some((format!("/certificates/{}", found.code), w!(cx, training.certificate)));
    cx.page_with(StatusCode::NOT_FOUND, Frame::Plain, title.clone(), || {
        let text = w!(cx, learning.certificate_no_pdf_text);
        view! { <PageHead title=title back/> <Alert tone=Tone::Info><p>{text}</p></Alert> }.into_any()
    })
}

async fn pdf(cx: Cx, Path(code): Path<String>) -> Result<Response, AppError> {
    let found = find(&cx, &code).await?;
    let said = said(&cx, &found);
    if !certificate_pdf::can_draw(&said)? {
        return Ok(no_pdf(&cx, &found));
    }
    let file = format!("{}.pdf", said.code);
    let given_at = found.given_at;
    let bytes = tokio::task::spawn_blocking(move || certificate_pdf::draw(&said, given_at))
        .await
        .map_err(|e| crate::server::internal("drawing a certificate panicked", &e))??;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, super::materials::disposition(&file)),
    ];
    Ok((headers, bytes).into_response())
}
