//! People and business customers.

pub mod likeness;
#[cfg(feature = "ssr")]
pub mod server;
