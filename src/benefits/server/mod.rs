//! The benefit ledger in the database.

pub mod check;
pub mod jobs;
pub mod ledger;
pub mod words;
