//! Aftercare: the portal that a company gives to the people who have already bought from it.
//!
//! Feature-first slices in one crate. Data walks through each in one direction: a page or form door parses, a service
//! function loads, asks [`access`] for a permit, decides by the pure rules of `domain.rs`, saves through `store.rs`,
//! writes one line of history and enqueues what follows, all in one transaction of `db`.
//!
//! * [`values`], [`error`], [`access`]: the words shared by all, the one error, who may do what.
//! * `db`, `jobs`, `server`, `cli`: the two engines, work for later, the running process, commands.
//! * `i18n`, `ui`: words and formats by language; the design system without a word of the domain.
//! * Slices (`accounts`, `people`, `notices`, …): `domain.rs` and `islands.rs` are compiled for the browser too,
//!   everything below `server` is not.
//!
//! Pages are rendered on the server and stay HTML; what must be alive is an island.

/// A page is some thousand small allocations, many of them freed by another thread than theirs; SQLite's go there too.
#[cfg(feature = "ssr")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod access;
pub mod accounts;
pub mod benefits;
pub mod calendar;
pub mod cases;
pub mod catalog;
pub mod charges;
#[cfg(feature = "ssr")]
pub mod cli;
pub mod coverage;
#[cfg(feature = "ssr")]
pub mod db;
#[cfg(feature = "ssr")]
pub mod desk;
pub mod error;
pub mod followups;
#[cfg(feature = "ssr")]
pub mod i18n;
pub mod import;
#[cfg(feature = "ssr")]
pub mod jobs;
pub mod notices;
pub mod people;
pub mod portal;
pub mod purchases;
pub mod ratings;
pub mod repairs;
#[cfg(feature = "ssr")]
pub mod server;
pub mod training;
#[cfg(feature = "ssr")]
pub mod ui;
pub mod values;

#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
