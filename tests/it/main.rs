//! Everything that needs a database or the router, on both engines. One binary, so that it links once.

mod access;
mod accounts;
mod assets;
mod calendar;
mod cases;
mod db;
mod desk;
mod group_moves;
mod groups;
mod home;
mod import;
mod learning;
mod model;
mod planning;
mod process;
mod purchases;
mod ratings;
mod repairs;
mod schema;
mod sold;
mod teaching;
mod team;
mod training;
mod validity;
mod walk;
mod world;
