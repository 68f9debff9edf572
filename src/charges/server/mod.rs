//! Charges in the database, on the customer's account and on the desk.

pub mod check;
mod desk;
mod portal;
pub mod service;
pub mod store;
pub mod words;

pub use service::{carry_over, open, panel, void};

use crate::server::App;
use axum::{Router, routing::get};

/// The pages of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/account/charges", get(portal::list))
        .route("/desk/charges", get(desk::list).post(desk::settle))
}
