//! The tables of training. One text serves both engines.

mod catalogue;
mod classes;
mod learning;
mod make_ups;
mod seats;
mod teaching;

pub use catalogue::*;
pub use classes::*;
pub use learning::*;
pub use make_ups::*;
pub use seats::*;
pub use teaching::*;
