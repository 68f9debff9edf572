//! Accounts: signing in without a password, sessions, and what people set for themselves.

pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
