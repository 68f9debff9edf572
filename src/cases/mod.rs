//! Cases: a conversation that needs an answer, its owner, and the promise of when the answer comes.

pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
