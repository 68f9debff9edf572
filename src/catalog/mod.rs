//! What the company sells: products, and the service plans that come with them.

pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
