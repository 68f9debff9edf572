//! What cases hand to home and to the staff's page of one customer.

use super::{store, words};
use crate::{
    cases::domain::State,
    db::Tx,
    error::AppError,
    i18n::InWords,
    portal::server::{Need, Panel, PanelRow},
    server::Cx,
    ui::Icon,
    values::PersonId,
    w,
};

/// The cases in which it is the customer's turn: we asked something, or think that it is solved.
pub async fn needs(tx: &mut Tx, cx: &Cx) -> Result<Vec<Need>, AppError> {
    let me = cx.person()?.id;
    let cases = store::waiting_for(tx, me).await?;
    Ok(cases
        .into_iter()
        .map(|case| {
            let asked = case.matter.state == State::WaitingForYou;
            let (title, action) = if asked {
                (w!(cx, cases.need_asked_title), w!(cx, cases.need_asked_action))
            } else {
                (w!(cx, cases.need_resolved_title), w!(cx, cases.need_resolved_action))
            };
            let since = case.matter.waiting_since.or(case.matter.resolved_at).unwrap_or(case.touched_at);
            let href = format!("/cases/{}", case.id);
            Need { since, until: None, icon: Icon::Chat, title, text: case.subject, href, action }
        })
        .collect())
}

/// The cases of one customer for the staff.
pub async fn panel(tx: &mut Tx, cx: &Cx, person: PersonId) -> Result<Panel, AppError> {
    let cases = store::of_customer(tx, person, None).await?.rows;
    let fmt = cx.fmt();
    let rows = cases
        .into_iter()
        .take(10)
        .map(|case| PanelRow {
            text: w!(fmt, cases.opened, when = fmt.date_time(case.matter.opened_at, cx.zone)),
            badge: Some((words::tone(case.matter.state), case.matter.state.in_words(fmt))),
            href: Some(format!("/desk/cases/{}", case.id)),
            title: case.subject,
        })
        .collect();
    Ok(Panel { title: w!(fmt, cases.panel), rows })
}
