//! Letters, their delivery, the inbox.

pub mod check;
pub mod demo_mail;
mod inbox;
pub mod letter;
pub mod mail;
pub mod service;
pub mod store;

use crate::server::App;
use axum::{Router, routing::get};

pub use letter::{Letter, Urgency, Written};
pub use service::To;

pub fn routes() -> Router<App> {
    Router::new().route("/inbox", get(inbox::list)).route("/inbox/{id}", get(inbox::show))
}
