//! The running process: what every request has at hand, how it is answered, and what stands in front of the pages.

pub mod assets;
pub mod body;
pub mod clock;
pub mod config;
pub mod cx;
pub mod demo;
pub mod form;
pub mod guard;
pub mod history;
pub mod keys;
pub mod notice;
pub mod page;
pub mod query;
pub mod rate;
pub mod router;
pub mod secret;
pub mod serve;
pub mod settings;

use crate::{db::Db, error::AppError, notices::server::mail::Mailer};
use std::{fmt::Debug, ops::Deref, sync::Arc};
use uuid::Uuid;

pub use cx::Cx;

/// What all requests share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub struct Parts {
    pub db: Db,
    pub config: config::Config,
    pub clock: clock::Clock,
    pub assets: assets::Assets,
    pub mailer: Mailer,
    pub company: settings::Company,
    /// Signs cookies and derives secrets; drawn once and kept in the database, so that all processes agree.
    pub secret: secret::Key,
    /// Whether the database carries the mark of the demo company.
    pub demo: bool,
    /// Told when something was enqueued, so that the worker need not wait for its next look.
    pub wake: tokio::sync::Notify,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// A new identity, UUIDv7: sorted by the time of its making.
pub fn fresh<Id: From<Uuid>>() -> Id {
    Id::from(Uuid::now_v7())
}

/// Logs a failure once, under a reference that the customer can read out, and tells nobody else its cause.
pub fn internal(what: &str, cause: &dyn Debug) -> AppError {
    let reference = crate::values::PublicNumber::from_seed(rand::random()).to_string();
    tracing::error!(reference, ?cause, "{what}");
    AppError::Internal(reference)
}
