//! `/desk/reports`: how the desk keeps its promises, over thirty days.

use crate::{
    access::{Act, Subject},
    cases::server::store as cases,
    error::AppError,
    ratings::server::{desk::figures, service as ratings, store as feedback},
    server::{
        Cx,
        page::{DeskTab, Frame},
    },
    ui::*,
    w,
};
use axum::response::Response;
use chrono::TimeDelta;
use leptos::prelude::*;

pub async fn show(cx: Cx) -> Result<Response, AppError> {
    cx.person()?;
    cx.may(Act::ReadFeedback, &Subject::nobody())?;
    let since = cx.now - TimeDelta::days(30);
    let mut tx = cx.db().read().await?;
    let report = cases::report(&mut tx, since).await?;
    let (asked, answered) = feedback::asked_and_answered(&mut tx, since).await?;
    let satisfaction = ratings::figures(&mut tx, &cx).await?;
    drop(tx);
    let fmt = cx.fmt();
    Ok(cx.page(Frame::Desk(DeskTab::None), w!(cx, desk.reports), || {
        let in_time = match report.answered {
            0 => "–".to_owned(),
            all => fmt.percent((all - report.late) as f64 / all as f64),
        };
        let rows: Vec<(String, AnyView)> = vec![
            (w!(fmt, desk.report_opened), fmt.number(report.opened).into_any()),
            (w!(fmt, desk.report_solved), fmt.number(report.solved).into_any()),
            (w!(fmt, desk.report_in_time), in_time.into_any()),
            (w!(fmt, desk.report_asked), fmt.number(asked).into_any()),
            (w!(fmt, desk.report_answered), fmt.number(answered).into_any()),
        ];
        let table = figures(&cx, &satisfaction);
        view! {
            <PageHead title=w!(fmt, desk.reports) lead=w!(fmt, desk.reports_lead)/>
            <Card title=w!(fmt, cases.desk_title)><DefinitionList rows/></Card>
            <Section title=w!(fmt, desk.satisfaction) more=Some(("/desk/feedback".to_owned(), w!(fmt, desk.see_all)))>{table}</Section>
        }
    }))
}
