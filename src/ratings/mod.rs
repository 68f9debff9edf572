//! Ratings: one question about one moment, answered by one tap, and what happens when somebody is unhappy.

pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
