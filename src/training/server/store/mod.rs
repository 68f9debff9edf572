//! The tables of training. One text serves both engines.

mod classes;
mod room;
mod seats;
mod teaching;

pub use classes::*;
pub use room::*;
pub use seats::*;
pub use teaching::*;
