//! Training on the server: seats and their line, the trainer's desk, certificates, calendar files.

pub mod announce;
pub mod asks;
pub mod attend;
pub mod availability;
mod badge;
mod catalogue;
mod certificate_pdf;
mod certificates;
pub mod change;
pub mod check;
pub mod check_in;
mod class_cards;
pub mod conflicts;
mod course_page;
pub mod courses;
pub mod crew_letters;
pub mod demo;
mod demo_groups;
mod demo_learning;
mod demo_plan;
mod demo_teaching;
mod demo_team;
pub mod desk;
mod dues;
pub mod equipment;
pub mod files;
pub mod group_letters;
mod group_page;
mod group_words;
pub mod groups;
pub mod invitations;
pub mod jobs;
pub mod learning_letters;
pub mod letters;
mod make_up_page;
pub mod make_ups;
pub mod materials;
mod matrix;
pub mod members;
mod members_page;
pub mod plan;
pub mod portal;
mod portal_ask;
pub mod rooms;
pub mod rules;
pub mod seats;
pub mod shared;
pub mod staff_seats;
pub mod store;
pub mod team_letters;
mod ticket;
pub mod validity;
mod views;
pub mod words;
pub mod writing;

use crate::server::App;
use axum::Router;

pub use shared::{needs, panel};

/// The door that takes files, with its own limits.
pub fn upload_routes() -> Router<App> {
    desk::upload_routes()
}

/// Every address of training.
pub fn routes() -> Router<App> {
    portal::routes()
        .merge(portal_ask::routes())
        .merge(desk::routes())
        .merge(files::routes())
        .merge(catalogue::routes())
        .merge(course_page::routes())
        .merge(make_up_page::routes())
        .merge(certificates::routes())
        .merge(check_in::routes())
        .merge(group_page::routes())
        .merge(matrix::routes())
        .merge(ticket::routes())
        .merge(members_page::routes())
}
