//! Coverage: which rights an item carries, until when, and why a repair is or is not covered.

pub mod domain;
pub mod rules;
#[cfg(feature = "ssr")]
pub mod server;
