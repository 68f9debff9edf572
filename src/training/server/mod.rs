//! Training on the server: seats and their line, the trainer's desk, certificates, calendar files.

pub mod attend;
pub mod check;
pub mod demo;
mod demo_groups;
pub mod desk;
mod dues;
pub mod files;
pub mod group_letters;
mod group_page;
mod group_words;
pub mod groups;
pub mod jobs;
pub mod letters;
mod matrix;
pub mod plan;
pub mod portal;
pub mod seats;
pub mod shared;
pub mod store;
mod views;
pub mod words;

use crate::server::App;
use axum::Router;

pub use shared::{needs, panel};

/// Every address of training.
pub fn routes() -> Router<App> {
    portal::routes().merge(desk::routes()).merge(files::routes()).merge(group_page::routes()).merge(matrix::routes())
}
