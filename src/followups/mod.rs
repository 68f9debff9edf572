//! Follow-ups: the next planned contact with a customer, and the list of everything that somebody forgot.

pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
