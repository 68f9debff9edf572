//! Training: classes of a course, the seats in them, the waitlist, attendance and certificates.

pub mod domain;
pub mod islands;
pub mod rpc;
#[cfg(feature = "ssr")]
pub mod server;
