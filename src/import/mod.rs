//! Import: what a company sold, from its files into the portal.
//!
//! A file is read row by row in constant memory. [`domain`] says what a row means and what is wrong with it; the server
//! part stages the whole file first and then applies it in short transactions, so that a portal that is running beside
//! it goes on working.

pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
