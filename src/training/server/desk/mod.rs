//! The trainer's desk: plan classes, see who comes, mark who came, close or cancel. Made for a phone in the classroom.

mod after;
mod class;
mod export;
mod forms;
mod list;
mod plan_pages;
mod room;
mod roster;
mod sheet;

use crate::server::{
    App,
    page::{DeskTab, Frame},
};
use axum::{Router, routing::get};

const FRAME: Frame = Frame::Desk(DeskTab::Classes);

/// The trainers' addresses.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/desk/classes", get(list::list))
        .route("/desk/classes/new", get(plan_pages::new).post(plan_pages::create))
        .route("/desk/courses/new", get(plan_pages::new_course).post(plan_pages::create_course))
        .route("/desk/classes/{class}", get(class::show).post(class::act))
        .route("/desk/classes/{class}/edit", get(plan_pages::edit).post(plan_pages::save))
        .route("/desk/classes/{class}/room", get(room::show).post(room::act))
        .route("/desk/classes/{class}/sheet", get(sheet::show))
        .route("/desk/classes/{class}/roster.csv", get(export::csv))
}
