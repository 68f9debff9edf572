//! The customer's frame: home, help, and what the slices hand to them.

#[cfg(feature = "ssr")]
pub mod server;
