//! The running side of repairs.
//!
//! `portal` and `desk` are the pages with their doors, `upload` reads what carries pictures, `booking` and `service` are
//! the use cases, `store` and `photos` what is kept, `pictures` makes files safe, `letters` and `words` say it.

mod booking;
pub mod check;
pub mod demo;
mod desk;
pub mod jobs;
pub mod letters;
mod overview;
mod parts;
mod photos;
pub(crate) mod pictures;
mod portal;
pub mod service;
pub mod settings;
pub mod store;
mod upload;
mod words;

use crate::server::App;
use axum::{Router, extract::DefaultBodyLimit, routing::get};

pub use check::CLAUSES;
pub use demo::seed;
pub use overview::{needs, panel};

/// Every address of repairs.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/repairs", get(portal::list))
        .route("/repairs/{rma}", get(portal::show).post(portal::act))
        .route("/photos/{id}", get(photos::show))
        .route("/desk/settings/workshops", get(settings::show).post(settings::save))
        .route("/desk/repairs", get(desk::list))
        .route("/desk/repairs/{rma}", get(desk::show).post(desk::act))
}

/// The door that takes pictures. It stands outside of the general time-out, and counts what it takes by itself, so that
/// whoever sends too much hears so on the page.
pub fn upload_routes() -> Router<App> {
    Router::new().route("/repairs/new", get(portal::new).post(portal::book)).layer(DefaultBodyLimit::disable())
}
