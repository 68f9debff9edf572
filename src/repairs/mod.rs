//! Repairs: one job on one item, from the customer's request to the hand-back over the counter.
//!
//! [`domain`] holds the rules (states, who may move them, quotes, notice), [`photos`] what a picture may be.

pub mod domain;
pub mod photos;
#[cfg(feature = "ssr")]
pub mod server;
