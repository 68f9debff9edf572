//! Messages to people: letters by e-mail, kept in the inbox of whoever they are for.

pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
