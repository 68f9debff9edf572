//! Follow-ups on the server: storage, use cases, the list of the neglected.

pub mod check;
pub mod demo;
pub mod desk;
pub mod service;
mod slots;
pub mod store;
pub mod words;

use crate::server::App;
use axum::{
    Router,
    routing::{get, post},
};

pub use slots::panel;

/// The addresses of follow-ups.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/desk/neglected", get(desk::list).post(desk::act))
        .route("/desk/follow-ups/{id}", post(desk::done))
}
