//! Charges in the database, on the customer's account and on the desk.

pub mod check;
pub mod demo;
mod desk;
pub mod letters;
mod portal;
pub mod service;
pub mod store;
pub mod words;

pub use service::{carry_over, open, panel, reverse};
pub use store::is_owed;

use crate::server::App;
use axum::{Router, routing::get};

/// The pages of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/account/charges", get(portal::list))
        .route("/desk/charges", get(desk::list).post(desk::settle))
}
