//! The tables of training. One text serves both engines.

mod classes;
pub mod parties;
mod seats;
mod teaching;
pub mod team;

pub use classes::*;
pub use seats::*;
pub use teaching::*;
