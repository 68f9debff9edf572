//! The desk's own pages. What slices have to say on them comes from the slices.

mod customer;
mod organisations;
mod reports;
mod search;
mod settings;
pub mod store;
mod today;
mod words;

use crate::server::App;
use axum::{Router, routing::get};

/// The addresses of the desk that belong to no slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/desk", get(today::show))
        .route("/desk/customers", get(search::show))
        .route("/desk/customers/{id}", get(customer::show).post(customer::plan))
        .route("/desk/customers/{id}/case", get(customer::new_case).post(customer::open_case))
        .route("/desk/organisations", get(organisations::show))
        .route("/desk/reports", get(reports::show))
        .route("/desk/settings", get(settings::show))
}
