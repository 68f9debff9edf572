//! Purchases: what a customer bought, its pieces, and how somebody makes a purchase theirs.

pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
