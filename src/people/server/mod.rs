//! Who there is.

pub mod demo;
pub mod service;
pub mod store;
