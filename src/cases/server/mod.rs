//! Cases on the server: storage, use cases, pages.

pub mod check;
pub mod demo;
mod desk;
pub mod hours;
mod letters;
pub mod portal;
pub mod service;
mod settings;
pub mod slots;
pub mod store;
pub mod words;

use crate::server::App;
use axum::{Router, routing::get};

pub use desk::badges;
pub use letters::CaseLetter;
pub use slots::{needs, panel};

/// The addresses of cases.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/cases", get(portal::list))
        .route("/cases/new", get(portal::new).post(portal::open))
        .route("/cases/{id}", get(portal::show).post(portal::act))
        .route("/desk/cases", get(desk::list))
        .route("/desk/cases/{id}", get(desk::show).post(desk::act))
        .route("/desk/settings/hours", get(settings::show).post(settings::save))
}
