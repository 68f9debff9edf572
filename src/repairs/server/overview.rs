//! What other pages show of repairs: what needs the customer now, and the staff's view of one customer.

use super::{
    parts::{self, Side},
    store, words,
};
use crate::{
    db::Tx,
    error::AppError,
    i18n::InWords,
    portal::server::{Need, Panel, PanelRow},
    server::Cx,
    ui::Icon,
    values::PersonId,
    w,
};
use chrono::NaiveTime;

/// How many repairs the panel lists.
const MOST: i64 = 8;

/// A price to answer, an item to collect.
pub async fn needs(tx: &mut Tx, cx: &Cx) -> Result<Vec<Need>, AppError> {
    let person = cx.person()?.id;
    let mut needs = Vec::new();
    for row in store::waiting_for(tx, person).await? {
        let href = format!("/repairs/{}", row.number());
        let item = row.item_name.clone();
        if let Some((since, total, until)) = row.price() {
            let (total, date) = (cx.fmt().money(total), cx.fmt().date(until));
            needs.push(Need {
                since,
                until: Some(until.and_time(NaiveTime::MIN).and_utc()),
                icon: Icon::Coin,
                title: w!(cx, repairs.need_quote_title),
                text: w!(cx, repairs.need_quote_text, item = item, total = total, date = date),
                href,
                action: w!(cx, repairs.need_quote_action),
            });
        } else {
            needs.push(Need {
                since: row.updated_at,
                until: None,
                icon: Icon::Wrench,
                title: w!(cx, repairs.need_ready_title),
                text: w!(cx, repairs.need_ready_text, item = item, place = row.workshop),
                href,
                action: w!(cx, repairs.need_ready_action),
            });
        }
    }
    Ok(needs)
}

/// One person's latest repairs, for the staff.
pub async fn panel(tx: &mut Tx, cx: &Cx, person: PersonId) -> Result<Panel, AppError> {
    let rows = store::latest_of(tx, person, MOST).await?;
    let rows = rows.iter().map(|row| PanelRow {
        title: row.item_name.clone(),
        text: parts::next_line(cx, Side::Desk, row.next_step.as_deref(), row.next_due, row.appointment_at, row.tz())
            .unwrap_or_else(|| row.number().to_string()),
        badge: Some((words::tone(row.state), row.state.in_words(cx.fmt()))),
        href: Some(format!("/desk/repairs/{}", row.number())),
    });
    Ok(Panel { title: w!(cx, repairs.title), rows: rows.collect() })
}
