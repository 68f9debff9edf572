//! The calendar: when places are open and when people, rooms and bays are busy.

pub mod hours;
