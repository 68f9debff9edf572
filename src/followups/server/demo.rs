//! The demo company's follow-ups: one to come, one that is late, one done.

use super::service::{self, Plan};
use crate::{
    access::Role,
    cases::server::demo::acting,
    error::AppError,
    server::{Cx, demo::Cast, form::Form},
};
use chrono::TimeDelta;

/// Plans the next contacts through the same use cases as everybody else.
pub async fn seed(cx: &Cx, cast: &Cast) -> Result<(), AppError> {
    let agent = acting(cx, cast, "agent", Role::Agent)?;
    for (customer, planned_hours_ago, due_in_hours, what, outcome) in [
        (5, 20, 6, "Ask whether the new filter fits", None),
        (10, 24 * 4, -20, "Call about the training for the second team", None),
        (34, 24 * 8, -24 * 6, "Ask how the first month went", Some("reached")),
    ] {
        let planned = Cx { now: cx.now - TimeDelta::hours(planned_hours_ago), ..agent.clone() };
        let plan = Plan {
            customer: Some(cast.customer(customer)?),
            about: None,
            what: what.to_owned(),
            due: cx.now + TimeDelta::hours(due_in_hours),
            once: None,
        };
        let id = service::plan(&planned, plan).await?;
        if let Some(outcome) = outcome {
            let done = Cx { now: cx.now - TimeDelta::days(6), ..agent.clone() };
            service::done(&done, id, &Form::of(&[("outcome", outcome)])).await?;
        }
    }
    Ok(())
}
