//! `/desk/feedback`: what customers say, with how sure one can be of it, and who still has to be made happy.

use super::{
    service::{self, Satisfaction},
    store::{Feedback, Recovery},
    words,
};
use crate::{
    error::AppError,
    i18n::InWords,
    ratings::domain::{Figure, Measure, Moment, Share},
    server::{
        Cx,
        page::{DeskTab, Frame},
        query::Query,
    },
    ui::*,
    values::Cursor,
    w,
};
use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;

/// Where the list of answers goes on.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    from: String,
}

pub async fn show(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let overview = service::overview(&cx, Cursor::decode(&asked.from).as_ref()).await?;
    let fmt = cx.fmt();
    Ok(cx.page(Frame::Desk(DeskTab::Feedback), w!(cx, ratings.desk_title), || {
        let latest_empty = overview.latest.rows.is_empty();
        let latest = overview.latest.rows.iter().map(|feedback| answer(&cx, feedback)).collect_view();
        let none_open = overview.recoveries.is_empty();
        let recoveries = overview.recoveries.iter().map(|recovery| recovery_card(&cx, recovery)).collect_view();
        let pager = overview.latest.next.as_ref().map(
            |next| view! { <Pager href=format!("/desk/feedback?from={}", next.encode()) label=w!(fmt, cases.more)/> },
        );
        view! {
            <PageHead title=w!(fmt, ratings.desk_title) lead=w!(fmt, ratings.desk_lead)/>
            {figures(&cx, &overview.figures)}
            <Section title=w!(fmt, ratings.recoveries)>
                {none_open.then(|| view! { <p class="soft">{w!(fmt, ratings.recoveries_empty)}</p> })}
                <Cards>{recoveries}</Cards>
            </Section>
            <Section title=w!(fmt, ratings.latest)>
                {latest_empty.then(|| view! { <p class="soft">{w!(fmt, ratings.latest_empty)}</p> })}
                <Cards>{latest}</Cards>
                {pager}
            </Section>
        }
    }))
}

/// The figures of all moments in a table.
pub fn figures(cx: &Cx, figures: &[(Moment, Satisfaction)]) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let columns = vec![
        Column::from(w!(fmt, ratings.moment)),
        Column { title: w!(fmt, ratings.satisfied), number: true },
        Column { title: w!(fmt, ratings.interval_title), number: true },
        Column { title: w!(fmt, ratings.answers), number: true },
    ];
    let rows = figures
        .iter()
        .map(|(moment, figure)| {
            let (share, interval, answers) = match figure {
                Satisfaction::Csat(figure) | Satisfaction::Ces(figure) => match figure {
                    Figure::Known(Share { answers, share, low, high }) => (
                        fmt.percent(*share),
                        w!(fmt, ratings.interval, low = fmt.percent(*low), high = fmt.percent(*high)),
                        *answers,
                    ),
                    Figure::TooFew { answers } => (w!(fmt, ratings.not_enough), "–".to_owned(), *answers),
                },
                Satisfaction::Nps(figure) => match figure {
                    Figure::Known(net) => (fmt.decimal(net.score, 0), "–".to_owned(), net.answers),
                    Figure::TooFew { answers } => (w!(fmt, ratings.not_enough), "–".to_owned(), *answers),
                },
            };
            let answers = fmt.number(i64::try_from(answers).unwrap_or(i64::MAX));
            let cells = [moment.in_words(fmt), share, interval, answers].into_iter().map(IntoAny::into_any).collect();
            TableRow { href: None, cells }
        })
        .collect();
    view! { <Table caption=w!(fmt, ratings.desk_title) columns rows/> }
}

fn answer(cx: &Cx, feedback: &Feedback) -> AnyView {
    let fmt = cx.fmt();
    let measure = feedback.request.measure;
    let score = feedback.request.score.unwrap_or_default();
    let when = feedback.request.answered_at.map(|at| fmt.date_time(at, cx.zone)).unwrap_or_default();
    let note = format!("{} · {} · {when}", feedback.person_name, feedback.about);
    view! {
        <CardLink href=format!("/desk/customers/{}", feedback.person) title=feedback.words.clone().unwrap_or_else(|| w!(fmt, ratings.no_words))
            note badge=Some((words::tone(score, measure), words::score_of(score, measure, fmt)))/>
    }
    .into_any()
}

fn recovery_card(cx: &Cx, recovery: &Recovery) -> AnyView {
    let fmt = cx.fmt();
    let measure: Measure = recovery.measure.parse().unwrap_or(Measure::Csat);
    let owner = recovery.owner_name.clone().unwrap_or_else(|| w!(fmt, cases.nobody));
    let due = recovery.next_due_at.map(|due| {
        let when = fmt.date_time(due, cx.zone);
        if due < cx.now { w!(fmt, cases.late_since, when = when) } else { w!(fmt, cases.due, when = when) }
    });
    let note = [Some(owner), due].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let text = recovery.words.clone().unwrap_or_else(|| w!(fmt, ratings.no_words));
    view! {
        <CardLink href=format!("/desk/cases/{}", recovery.case_id) title=format!("{}: {}", recovery.customer_name, recovery.about) text note
            tone=Some(Tone::Warn) badge=Some((words::tone(recovery.score, measure), words::score_of(recovery.score, measure, fmt)))/>
    }
    .into_any()
}
