//! The calendar: when places are open and when people, rooms and bays are busy.

pub mod domain;
pub mod hours;
#[cfg(feature = "ssr")]
pub mod server;
