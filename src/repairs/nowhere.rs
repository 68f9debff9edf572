//! On the server there is no file input: what stands in for the browser's half of the islands.

use leptos::prelude::RwSignal;

/// Does nothing: effects run in browsers only.
pub fn watch(_input: &str, _working: RwSignal<bool>, _pictures: RwSignal<Vec<String>>) {}
