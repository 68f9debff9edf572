//! What is alive in training: the seats of a class while others enrol.

use super::rpc::{SeatsNow, live_seats};
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

/// How often the seats are asked for while somebody looks at them.
const EVERY: Duration = Duration::from_secs(5);

/// Seats left and people waiting; without scripts it says what held when the page was made.
#[island]
pub fn LiveSeats(class: String, now: SeatsNow) -> impl IntoView {
    let (now, set_now) = signal(now);
    Effect::new(move |_| {
        let class = class.clone();
        let look = move || {
            let class = class.clone();
            if !document().hidden() {
                spawn_local(async move {
                    if let Ok(seats) = live_seats(class).await {
                        set_now.set(seats);
                    }
                });
            }
        };
        if let Ok(timer) = set_interval_with_handle(look, EVERY) {
            on_cleanup(move || timer.clear());
        }
    });
    view! {
        <span class="row" aria-live="polite">
            <span class="badge" data-tone=move || now.get().tone>{move || now.get().seats}</span>
            <span class="soft small">{move || now.get().waiting}</span>
        </span>
    }
}
