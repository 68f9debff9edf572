//! The tables of training. One text serves both engines.

mod classes;
mod seats;
mod teaching;

pub use classes::*;
pub use seats::*;
pub use teaching::*;
