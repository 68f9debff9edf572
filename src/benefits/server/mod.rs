//! The benefit ledger in the database.

pub mod by_hand;
pub mod check;
mod desk;
pub mod jobs;
pub mod ledger;
pub mod letters;
pub mod words;

use crate::server::App;
use axum::{Router, routing::get};

/// The page on which staff give by hand.
pub fn routes() -> Router<App> {
    Router::new().route("/desk/benefits/{item}", get(desk::show).post(desk::give))
}
