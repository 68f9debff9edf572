//! Products and plans in the database.

pub mod store;
