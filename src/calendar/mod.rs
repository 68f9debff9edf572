//! One calendar for every booking: when places are open, whose time is taken and by what, and files that calendar
//! programs read.

pub mod domain;
pub mod hours;
pub mod search;
#[cfg(feature = "ssr")]
pub mod server;
