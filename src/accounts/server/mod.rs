//! Signing in and out, sessions, the account page.

mod account;
mod pages;
pub mod service;
pub mod session;
mod words;

use crate::server::App;
use axum::{
    Router,
    routing::{get, post},
};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in", get(pages::sign_in).post(pages::ask))
        .route("/sign-in/code", get(pages::code).post(pages::try_code))
        .route("/sign-in/link/{token}", get(pages::link).post(pages::use_link))
        .route("/sign-out", post(pages::sign_out))
        .route("/language", post(account::language))
        .route("/account", get(account::show).post(account::save))
        .route("/account/sessions/{id}/end", post(account::end_session))
}
