//! People and business customers.

#[cfg(feature = "ssr")]
pub mod server;
