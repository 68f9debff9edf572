//! The sheet that lies on the table: names, and an empty cell for each session to sign in. Made to be printed.

use super::FRAME;
use crate::{
    access::{Act, Subject},
    error::AppError,
    server::Cx,
    training::server::{
        check_in::int,
        portal::parse,
        store::{self, ClassRow, ContactRow, MakeUpRow, SessionRow},
        views, words,
    },
    ui::*,
    values::ClassId,
    w,
};
use axum::{extract::Path, response::Response};
use leptos::prelude::*;

/// Lines for those who come unannounced.
const SPARE: usize = 3;

pub async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let id: ClassId = parse(&id)?;
    let mut tx = cx.db().read().await?;
    let class = store::class(&mut tx, id).await?;
    cx.may(Act::ReadRoster, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
    let sessions = store::sessions(&mut tx, id).await?;
    let people = store::contacts(&mut tx, id).await?;
    let guests = store::guests(&mut tx, id).await?;
    drop(tx);
    Ok(cx.page(FRAME, w!(cx, teaching.sheet), || view_of(&cx, &class, &sessions, &people, &guests)))
}

fn view_of(cx: &Cx, class: &ClassRow, sessions: &[SessionRow], people: &[ContactRow], guests: &[MakeUpRow]) -> AnyView {
    let fmt = cx.fmt();
    let heads = sessions
        .iter()
        .map(|session| {
            let day = fmt.date(session.starts_at.with_timezone(&class.tz()).date_naive());
            let time = fmt.time(session.starts_at, class.tz());
            view! { <th scope="col">{day}<br/>{time}</th> }
        })
        .collect_view();
    let cells = || sessions.iter().map(|_| view! { <td></td> }).collect_view();
    let rows = people
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let firm = row.organisation.clone().map(|firm| view! { <span class="soft small">{firm}</span> });
            view! { <tr><td class="number">{fmt.number(int(at + 1))}</td><th scope="row">{row.name.clone()}" "{firm}</th>{cells()}</tr> }
        })
        .collect_view();
    // A guest signs only for the session that is made up here.
    let guests = guests
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let number = fmt.number(int(people.len() + at + 1));
            let cell = |session: &SessionRow| if session.id == row.session_id { "" } else { "–" };
            let cells = sessions.iter().map(|session| view! { <td>{cell(session)}</td> }).collect_view();
            let note = view! { <span class="soft small">{w!(fmt, teaching.guest)}</span> };
            view! { <tr><td class="number">{number}</td><th scope="row">{row.person_name.clone()}" "{note}</th>{cells}</tr> }
        })
        .collect_view();
    let spare = (0..SPARE).map(|_| view! { <tr><td></td><td></td>{cells()}</tr> }).collect_view();
    let place = words::place(class);
    let facts = [
        views::when(cx, class.starts_at, class.tz()),
        if place.is_empty() { w!(fmt, training.online) } else { place },
        class.trainer_name.clone(),
    ];
    let back = Some((class.desk_path(), class.title.clone()));
    view! {
        <PageHead title=class.title.clone() lead=Some(facts.join(" · ")) back/>
        <p class="no-print soft">{w!(fmt, teaching.sheet_text)}</p>
        <div class="sheet-frame" tabindex="0" role="region" aria-label=w!(fmt, teaching.sheet)>
            <table class="sheet">
                <caption class="visually-hidden">{w!(fmt, teaching.sheet)}</caption>
                <thead><tr><td></td><th scope="col">{w!(fmt, teaching.name)}</th>{heads}</tr></thead>
                <tbody>{rows}{guests}{spare}</tbody>
            </table>
        </div>
    }
    .into_any()
}
