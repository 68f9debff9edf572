//! The trainer's desk: plan classes, see who comes, mark who came, close or cancel. Made for a phone in the classroom.

mod after;
mod availability;
mod class;
mod courses;
mod demand;
mod edit_page;
mod equipment;
mod export;
mod fields;
mod forms;
mod learners;
mod list;
mod plan_pages;
mod room;
mod rooms;
mod roster;
mod rules_page;
pub mod seat;
mod sheet;
mod team;
mod upload;

use crate::server::{
    App,
    page::{DeskTab, Frame},
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};

const FRAME: Frame = Frame::Desk(DeskTab::Classes);

/// The door that takes the files of a course.
pub fn upload_routes() -> Router<App> {
    Router::new()
        .route("/desk/courses/{course}/materials", get(courses::new_material).post(courses::add_material))
        .layer(DefaultBodyLimit::disable())
}

/// The trainers' addresses.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/desk/classes", get(list::list))
        .route("/desk/classes/new", get(plan_pages::new).post(plan_pages::create))
        .route("/desk/courses/new", get(plan_pages::new_course).post(plan_pages::create_course))
        .route("/desk/classes/{class}", get(class::show).post(class::act))
        .route("/desk/classes/{class}/edit", get(edit_page::edit).post(edit_page::save))
        .route("/desk/availability", get(availability::show).post(availability::act))
        .route("/desk/demand", get(demand::board))
        .route("/desk/demand/{course}", get(demand::course).post(demand::open))
        .route("/desk/settings/training", get(rules_page::show).post(rules_page::act))
        .route("/desk/settings/rooms", get(rooms::show).post(rooms::act))
        .route("/desk/courses", get(courses::list))
        .route("/desk/courses/{course}", get(courses::show).post(courses::save))
        .route("/desk/seats/{enrolment}", get(seat::show).post(seat::act))
        .route("/desk/make-ups/{id}", post(learners::mark))
        .route("/desk/classes/{class}/room", get(room::show).post(room::act))
        .route("/desk/classes/{class}/sheet", get(sheet::show))
        .route("/desk/classes/{class}/roster.csv", get(export::csv))
        .route("/desk/organisations/{organisation}/team", get(team::show))
}
