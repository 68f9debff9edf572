//! Coverage in the database, and what it says.

pub mod check;
pub mod service;
mod settings;
pub mod store;
pub mod words;

use crate::server::App;
use axum::{Router, routing::get};

/// The pages of this slice.
pub fn routes() -> Router<App> {
    Router::new().route("/desk/settings/guarantees", get(settings::show).post(settings::save))
}
