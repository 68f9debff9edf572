//! Coverage in the database, and what it says.

pub mod check;
pub mod service;
pub mod store;
pub mod words;
