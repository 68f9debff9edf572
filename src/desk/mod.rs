//! The staff's frame: where each role starts, the search for customers, one customer on one screen.

pub mod server;
