//! Everything that needs a database or the router, on both engines. One binary, so that it links once.

mod access;
mod accounts;
mod assets;
mod db;
mod process;
mod schema;
mod world;
