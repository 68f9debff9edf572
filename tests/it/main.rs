//! Everything that needs a database or the router, on both engines. One binary, so that it links once.

mod access;
mod accounts;
mod db;
mod import;
mod purchases;
mod schema;
mod sold;
mod world;
