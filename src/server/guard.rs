//! What stands in front of every request: a context, refusal of cross-site writes, security headers, one log line,
//! and pages for errors.

use super::{App, Cx, cx, page};
use crate::error::{AppError, Failed};
use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::time::Instant;

#[derive(Clone)]
pub struct RequestId(pub String);

/// A script nonce: 128 bits of chance.
pub fn nonce() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// An error leaves the handler as a bare status; [`around`] gives it a page in the reader's language.
impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let mut response = status(&self).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

pub fn status(error: &AppError) -> StatusCode {
    match error {
        AppError::SignIn => StatusCode::UNAUTHORIZED,
        AppError::Forbidden => StatusCode::FORBIDDEN,
        AppError::NotFound => StatusCode::NOT_FOUND,
        AppError::Invalid(_) | AppError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        AppError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        AppError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        AppError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        AppError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The same for what an island is told.
pub fn status_of_failed(failed: Failed) -> StatusCode {
    match failed {
        Failed::SignIn => StatusCode::UNAUTHORIZED,
        Failed::Forbidden => StatusCode::FORBIDDEN,
        Failed::NotFound => StatusCode::NOT_FOUND,
        Failed::No => StatusCode::UNPROCESSABLE_ENTITY,
        Failed::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Failed::Broken => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The layer around everything that is not a file.
pub async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = RequestId(uuid::Uuid::now_v7().simple().to_string());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = answer(&app, id.clone(), request, next).await;
    tracing::info!(
        request = id.0, %method, path = redacted(&path), status = response.status().as_u16(),
        micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX), "answered"
    );
    response
}

/// Secret parts of addresses stay out of the log.
fn redacted(path: &str) -> String {
    for secret in ["/rate/", "/calendar/", "/sign-in/link/"] {
        if path.starts_with(secret) {
            return format!("{secret}…");
        }
    }
    path.to_owned()
}

async fn answer(app: &App, id: RequestId, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(id.clone());
    if !same_site(app, &parts) {
        return headers(
            app,
            None,
            &id,
            (StatusCode::FORBIDDEN, "This request came from another site.\n").into_response(),
        );
    }
    let cx = match cx::of_request(app, &parts).await {
        Ok(cx) => cx,
        Err(error) => {
            log_failed(&id, &error);
            return headers(app, None, &id, status(&error).into_response());
        }
    };
    parts.extensions.insert(cx.clone());
    let wants_html = !parts.uri.path().starts_with("/rpc/") && !parts.uri.path().starts_with("/api/");
    let asked = (parts.method.clone(), parts.headers.get(header::REFERER).cloned());
    let mut response = if leads_nowhere(&parts.uri) {
        AppError::NotFound.into_response()
    } else {
        next.run(Request::from_parts(parts, body)).await
    };
    if let Some(error) = response.extensions_mut().remove::<AppError>() {
        log_failed(&id, &error);
        response = match error {
            error if !wants_html => problem(&error),
            // Whoever has to sign in first is sent there and comes back.
            AppError::SignIn => page::sign_in_first(&cx, &back(&cx, asked)),
            error => page::error(&cx, error),
        };
    }
    headers(app, Some(&cx), &id, response)
}

/// What failed was logged under the reference, maybe by another task: this line says in which request it was.
fn log_failed(id: &RequestId, error: &AppError) {
    if let AppError::Internal(reference) = error {
        tracing::error!(request = id.0, reference, "failed");
    }
}

/// Where whoever signs in first goes on: where they wanted to go; whose form was not taken, to the page on which the form
/// stood, for some forms are sent to an address that is none to open.
fn back(cx: &Cx, (method, referer): (Method, Option<HeaderValue>)) -> String {
    let path = cx.request.path.as_str();
    if matches!(method, Method::GET | Method::HEAD) {
        return path.to_owned();
    }
    let path = path.split('?').next().unwrap_or("/");
    let came_from = referer.as_ref().and_then(|address| address.to_str().ok()?.strip_prefix(&cx.app.config.origin()));
    came_from.filter(|page| page.starts_with('/')).unwrap_or(path).to_owned()
}

/// No address of ours holds the character NUL, which not every database takes as text, or a path that is no text at all.
fn leads_nowhere(uri: &axum::http::Uri) -> bool {
    let nul = uri.path_and_query().is_some_and(|address| address.as_str().contains("%00"));
    nul || std::str::from_utf8(&decoded(uri.path())).is_err()
}

/// The bytes that a path stands for.
fn decoded(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while place < bytes.len() {
        let code = path.get(place + 1..place + 3).filter(|_| bytes[place] == b'%');
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                place += 3;
            }
            None => {
                decoded.push(bytes[place]);
                place += 1;
            }
        }
    }
    decoded
}

/// An error for a machine, by RFC 9457.
fn problem(error: &AppError) -> Response {
    let code = status(error);
    let body = serde_json::json!({ "type": "about:blank", "title": code.canonical_reason(), "status": code.as_u16(), "error": error });
    (code, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

/// Whether a request that changes something comes from this very site. Browsers say so in `Sec-Fetch-Site`; where
/// they do not (plain http beyond loopback), `Origin` has to be ours.
fn same_site(app: &App, parts: &axum::http::request::Parts) -> bool {
    if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    match text(HeaderName::from_static("sec-fetch-site")) {
        Some("same-origin" | "none") => true,
        _ => text(header::ORIGIN) == Some(app.config.origin().as_str()),
    }
}

fn headers(app: &App, cx: Option<&Cx>, id: &RequestId, mut response: Response) -> Response {
    let map = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            map.entry(HeaderName::from_static(name)).or_insert(value);
        }
    };
    let nonce = cx.map_or("", |cx| &cx.request.nonce);
    set(
        "content-security-policy",
        &format!(
            "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
             img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; media-src 'self' blob:; \
             manifest-src 'self'; worker-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
        ),
    );
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "same-origin");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set("permissions-policy", "camera=(self), microphone=(), geolocation=(), payment=(), usb=()");
    set("cache-control", "private, no-cache");
    set("x-request-id", &id.0);
    if app.config.is_https() {
        set("strict-transport-security", "max-age=31536000");
    }
    if cx.is_some_and(|cx| cx.request.notice.is_some()) && response.status().is_success() {
        let gone = format!(
            "{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{}",
            super::notice::COOKIE,
            app.config.secure_suffix()
        );
        if let Ok(value) = HeaderValue::from_str(&gone) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}
