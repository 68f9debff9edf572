//! Products and plans in the database.

pub mod store;
pub mod words;
