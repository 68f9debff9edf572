//! The calendar's server side: opening hours and free slots, taken time.

pub mod busy;
pub mod hours;
