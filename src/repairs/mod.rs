//! Repairs: one job on one item, from the customer's request to the hand-back over the counter.
//!
//! [`domain`] holds the rules (states, who may move them, quotes, notice), [`photos`] what a picture may be, [`islands`]
//! what is alive on the pages.

pub mod domain;
pub mod islands;
pub mod photos;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "hydrate")]
mod shrink;
#[cfg(not(feature = "hydrate"))]
#[path = "nowhere.rs"]
mod shrink;
