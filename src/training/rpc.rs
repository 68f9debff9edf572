//! The door of training's island.

use crate::error::Failed;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The seats of a class as they are now, in the reader's words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeatsNow {
    /// "3 seats left", or that the class is full.
    pub seats: String,
    /// "4 people are waiting"; empty where nobody does.
    pub waiting: String,
    /// How the badge is coloured.
    pub tone: String,
}

/// How many seats there are at this moment. The class comes as text, so that the browser need not load how ids are read.
#[server(prefix = "/rpc", endpoint = "training/seats")]
pub async fn live_seats(class: String) -> Result<SeatsNow, Failed> {
    let cx = use_context::<crate::server::Cx>().ok_or(Failed::Busy)?;
    let class = class.parse().map_err(|_| Failed::No)?;
    Ok(crate::training::server::shared::seats_now(&cx, class).await?)
}
