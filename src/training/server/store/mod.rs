//! The tables of training. One text serves both engines.

mod catalogue;
mod classes;
mod home;
mod learning;
mod make_ups;
pub mod members;
mod page;
pub mod parties;
mod planning;
mod room;
mod seats;
mod teaching;
pub mod team;
mod validity;
mod wishes;

pub use catalogue::*;
pub use classes::*;
pub use home::*;
pub use learning::*;
pub use make_ups::*;
pub use page::*;
pub use planning::*;
pub use room::*;
pub use seats::*;
pub use teaching::*;
pub use validity::*;
pub use wishes::*;
