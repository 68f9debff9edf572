//! Charges: what a customer owes, with the consent it rests on. No money is collected online yet: staff settle.

pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
