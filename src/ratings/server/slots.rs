//! What ratings hand to home and to the staff's page of one customer.

use super::{store, words};
use crate::{
    db::Tx,
    error::AppError,
    i18n::InWords,
    portal::server::{Need, Panel, PanelRow},
    server::Cx,
    ui::{Icon, Tone},
    values::PersonId,
    w,
};

/// The questions that wait for this customer.
pub async fn needs(tx: &mut Tx, cx: &Cx) -> Result<Vec<Need>, AppError> {
    let me = cx.person()?.id;
    let waiting = store::waiting(tx, me, cx.now).await?;
    Ok(waiting
        .into_iter()
        .map(|feedback| Need {
            since: feedback.request.asked_at,
            until: Some(feedback.request.open_until()),
            icon: Icon::Star,
            title: w!(cx, ratings.need_title),
            text: words::question(feedback.moment, &feedback.about, cx.fmt()),
            href: format!("/rate/{}", feedback.id),
            action: w!(cx, ratings.need_action),
        })
        .collect())
}

/// What one customer was asked and answered, for the staff.
pub async fn panel(tx: &mut Tx, cx: &Cx, person: PersonId) -> Result<Panel, AppError> {
    let fmt = cx.fmt();
    let rows = store::of_person(tx, person, 10)
        .await?
        .into_iter()
        .map(|feedback| {
            let measure = feedback.request.measure;
            let badge = match feedback.request.score {
                Some(score) => (words::tone(score, measure), words::score_of(score, measure, fmt)),
                None => (Tone::Plain, w!(fmt, ratings.panel_waiting)),
            };
            PanelRow {
                title: feedback.about,
                text: feedback.words.unwrap_or_else(|| feedback.moment.in_words(fmt)),
                badge: Some(badge),
                href: feedback.recovery.map(|case| format!("/desk/cases/{case}")),
            }
        })
        .collect();
    Ok(Panel { title: w!(fmt, ratings.panel), rows })
}
