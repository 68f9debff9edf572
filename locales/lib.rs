//! The words of every screen and message, typed: one folder a language, one file a slice.
//!
//! A crate of its own because the words change seldom and take long to compile.

#![allow(clippy::all, reason = "the generated part is checked by its generator")]

include!(concat!(env!("OUT_DIR"), "/words/mod.rs"));

pub use i18n::Locale;
