//! The tables of training. One text serves both engines.

mod classes;
mod planning;
mod room;
mod seats;
mod teaching;
mod wishes;

pub use classes::*;
pub use planning::*;
pub use room::*;
pub use seats::*;
pub use teaching::*;
pub use wishes::*;
