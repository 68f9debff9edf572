//! The running import: stage the whole file, look at all of it, then apply it in short transactions.

mod apply;
mod bulk;
mod catalog;
mod changes;
pub mod command;
mod orders;
mod people;
mod reader;
mod run;
mod source;
mod staging;

pub use apply::{Sold, sold};
pub use run::{Failed, Kind, Options, Report, Told, run};
pub use source::Format;
