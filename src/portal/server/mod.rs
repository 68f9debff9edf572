//! Home and help, and the shared slots of the slices.

mod home;

use crate::{
    server::App,
    ui::{Icon, Tone},
};
use axum::{Router, routing::get};
use chrono::{DateTime, Utc};

/// Something that waits for the customer; home shows the newest first.
pub struct Need {
    pub since: DateTime<Utc>,
    /// When it is too late to do anything about it.
    pub until: Option<DateTime<Utc>>,
    pub icon: Icon,
    pub title: String,
    pub text: String,
    pub href: String,
    /// The words of the button.
    pub action: String,
}

/// A slice's part of the page on which staff see one customer.
pub struct Panel {
    pub title: String,
    pub rows: Vec<PanelRow>,
}

pub struct PanelRow {
    pub title: String,
    pub text: String,
    pub badge: Option<(Tone, String)>,
    pub href: Option<String>,
}

pub fn routes() -> Router<App> {
    Router::new().route("/", get(home::show)).route("/help", get(home::help))
}
