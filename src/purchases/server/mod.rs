//! Purchases in the database, on the customer's screen and on the desk.

pub mod check;
pub mod demo;
mod desk;
pub mod firms;
pub mod hand_over;
mod hand_over_pages;
mod portal;
pub mod register;
mod register_pages;
pub mod service;
pub mod store;
pub mod words;

pub use service::{needs, panel};

use crate::server::App;
use axum::{Router, routing::get};

/// The pages of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/purchases", get(portal::list))
        .route("/purchases/register", get(register_pages::form).post(register_pages::register))
        .route("/purchases/register/{id}", get(register_pages::code_form).post(register_pages::prove))
        .route("/purchases/give/{item}", get(hand_over_pages::give_form).post(hand_over_pages::give))
        .route("/purchases/take-over/{id}", get(hand_over_pages::offer).post(hand_over_pages::answer))
        .route("/purchases/{id}", get(portal::show))
        .route("/desk/registrations", get(desk::list).post(desk::decide))
}
