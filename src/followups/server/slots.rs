//! What follow-ups hand to the staff's page of one customer.

use super::store;
use crate::{
    db::Tx,
    error::AppError,
    portal::server::{Panel, PanelRow},
    server::Cx,
    ui::Tone,
    values::PersonId,
    w,
};

/// What was planned for one customer, and how it went.
pub async fn panel(tx: &mut Tx, cx: &Cx, person: PersonId) -> Result<Panel, AppError> {
    let fmt = cx.fmt();
    let rows = store::of_customer(tx, person, 10)
        .await?
        .into_iter()
        .map(|follow_up| {
            let when = follow_up.due_at.map(|due| fmt.date_time(due, cx.zone));
            let badge = match &follow_up.outcome {
                Some(outcome) => (Tone::Plain, super::words::outcome(outcome, fmt)),
                None if follow_up.due_at.is_some_and(|due| due >= cx.now) => {
                    (Tone::Info, when.clone().unwrap_or_default())
                }
                None => (Tone::Bad, when.map(|when| w!(fmt, cases.late_since, when = when)).unwrap_or_default()),
            };
            PanelRow {
                title: follow_up.what,
                text: follow_up.owner_name.unwrap_or_default(),
                badge: Some(badge),
                href: None,
            }
        })
        .collect();
    Ok(Panel { title: w!(fmt, followups.panel), rows })
}
