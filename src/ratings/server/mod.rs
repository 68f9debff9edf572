//! Ratings on the server: storage, use cases, the page behind the link, the manager's view.

pub mod check;
pub mod demo;
pub mod desk;
pub mod jobs;
mod letters;
mod portal;
pub mod service;
mod slots;
pub mod store;
pub mod words;

use crate::server::App;
use axum::{Router, routing::get};

pub use letters::FeedbackLetter;
pub use slots::{needs, panel};

/// The addresses of ratings.
pub fn routes() -> Router<App> {
    Router::new().route("/rate/{token}", get(portal::show).post(portal::rate)).route("/desk/feedback", get(desk::show))
}
