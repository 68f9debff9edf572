//! What is alive on the pages of repairs. Everything here is a help only: the forms work without it.

use super::shrink;
use leptos::prelude::*;

/// Makes chosen photos small enough for a slow line before they are sent, and shows them at once.
#[island]
pub fn PhotoShrink(
    /// The id of the file input.
    input: String,
    /// What is said while it works.
    busy: String,
) -> impl IntoView {
    let working = RwSignal::new(false);
    let pictures = RwSignal::new(Vec::<String>::new());
    Effect::new(move |_| shrink::watch(&input, working, pictures));
    let preview = move || {
        let pictures = pictures.get();
        (!pictures.is_empty()).then(|| {
            let pictures = pictures.into_iter().map(|src| view! { <li class="photo"><img src=src alt=""/></li> });
            view! { <ul class="photos" role="list">{pictures.collect_view()}</ul> }
        })
    };
    view! {
        <p class="hint" role="status">{move || working.get().then(|| busy.clone())}</p>
        {preview}
    }
}
