//! All addresses of the portal on one screen.

use super::{App, assets, clock, guard, page};
use crate::error::Failed;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;
use std::time::Duration;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

/// The largest body of an ordinary form.
const FORM_BYTES: usize = 64 * 1024;
/// How long an ordinary request may take to be read and answered.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn router(app: App) -> Router {
    let demo = if app.demo { super::demo::routes() } else { Router::new() };
    let pages = Router::new()
        .merge(crate::accounts::server::routes())
        .merge(crate::benefits::server::routes())
        .merge(crate::charges::server::routes())
        .merge(crate::coverage::server::routes())
        .merge(crate::notices::server::routes())
        .merge(crate::portal::server::routes())
        .merge(crate::cases::server::routes())
        .merge(crate::ratings::server::routes())
        .merge(crate::followups::server::routes())
        .merge(crate::desk::server::routes())
        .merge(crate::purchases::server::routes())
        .merge(crate::repairs::server::routes())
        .merge(crate::training::server::routes())
        .merge(demo)
        .route("/rpc/{*name}", post(rpc).get(rpc))
        .fallback(page::nowhere)
        .method_not_allowed_fallback(page::wrong_method)
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(middleware::from_fn(in_time))
        // Pictures from a slow phone take their time; that door has its own patience and its own limits.
        .merge(crate::repairs::server::upload_routes().method_not_allowed_fallback(page::wrong_method))
        .merge(crate::training::server::upload_routes().method_not_allowed_fallback(page::wrong_method))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(app.clone(), guard::around))
        .layer(CompressionLayer::new().br(true).gzip(true).quality(tower_http::CompressionLevel::Fastest));
    let mut router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/assets/{build}/{*path}", get(assets::built));
    for path in assets::at_root() {
        router = router.route(&path, get(assets::root));
    }
    router.merge(pages).with_state(app)
}

async fn in_time(request: Request, next: Next) -> Response {
    clock::within(PATIENCE, next.run(request)).await.unwrap_or_else(|| StatusCode::REQUEST_TIMEOUT.into_response())
}

/// Ready where the database answers.
async fn ready(State(app): State<App>) -> Response {
    match app.db.read().await {
        Ok(mut tx) => match crate::fetch_scalar!(tx, i64, "select cast(1 as bigint)") {
            Ok(_) => (StatusCode::OK, "ready\n").into_response(),
            Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
        },
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "2")], "the database does not answer\n")
            .into_response(),
    }
}

/// The islands' doors: server functions, with the same context as pages.
async fn rpc(cx: super::Cx, State(_): State<App>, request: Request) -> Response {
    let answer =
        leptos_axum::handle_server_fns_with_context(move || leptos::prelude::provide_context(cx.clone()), request)
            .await
            .into_response();
    if answer.headers().contains_key(SERVER_FN_ERROR_HEADER) { refused(answer).await } else { answer }
}

/// Leptos answers every refusal with 500; the body knows better.
async fn refused(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, FORM_BYTES).await.unwrap_or_default();
    if let Ok(failed) = serde_json::from_slice::<Failed>(&body) {
        parts.status = guard::status_of_failed(failed);
        parts.headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    }
    (parts, body).into_response()
}

/// A panic in a handler is a failure of ours like any other.
fn panicked(cause: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let cause = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("?");
    super::internal("a handler panicked", &cause).into_response()
}
