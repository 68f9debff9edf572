//! The benefit ledger: dated and counted rights that are reserved, used, released, expire and are extended, and that are
//! conserved like money.

pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
