//! The calendar's server side: opening hours and free slots, taken time, time zones, calendar files, private feeds.

pub mod busy;
pub mod check;
pub mod feed;
pub mod hours;
pub mod ics;
pub mod zone;
