//! Training on the server: seats and their line, the trainer's desk, certificates, calendar files.

pub mod asks;
pub mod attend;
pub mod availability;
pub mod change;
pub mod check;
pub mod check_in;
pub mod conflicts;
pub mod demo;
mod demo_plan;
mod demo_teaching;
pub mod desk;
mod dues;
pub mod files;
pub mod invitations;
pub mod jobs;
pub mod letters;
pub mod plan;
pub mod portal;
mod portal_ask;
pub mod rules;
pub mod seats;
pub mod shared;
pub mod staff_seats;
pub mod store;
mod ticket;
mod views;
pub mod words;
pub mod writing;

use crate::server::App;
use axum::Router;

pub use shared::{needs, panel};

/// Every address of training.
pub fn routes() -> Router<App> {
    portal::routes().merge(portal_ask::routes()).merge(desk::routes()).merge(files::routes()).merge(check_in::routes())
}
