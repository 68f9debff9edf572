//! The list of classes: today, coming, drafts, past.

use super::FRAME;
use crate::{
    access::{Act, Role, Subject},
    calendar::domain::Span,
    error::AppError,
    server::{Cx, query::Query},
    training::server::{
        portal::{cursor, position},
        shared::far,
        store::{self, ListedClass},
        views,
    },
    ui::*,
    values::{ClassId, Cursor, PAGE_ROWS, PersonId, Rows},
    w,
};
use axum::response::Response;
use chrono::{DateTime, Duration, Utc};
use leptos::prelude::*;
use serde::Deserialize;
use std::collections::HashMap;
use uuid::Uuid;

/// Which classes are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    view: String,
    #[serde(default)]
    after: String,
}

/// Most classes that a list without pages shows.
const MOST: i64 = 200;

pub async fn list(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let trainer = own_only(&cx)?;
    let mut tx = cx.db().read().await?;
    // A class of many weeks is today's only on the days on which it meets.
    let mut meetings: HashMap<ClassId, Vec<Span>> = HashMap::new();
    if !matches!(asked.view.as_str(), "drafts" | "past") {
        for session in store::desk_sessions(&mut tx, trainer, cx.now - Duration::days(2)).await? {
            meetings.entry(session.class_id).or_default().push(session.span());
        }
    }
    let today = |class: &ListedClass| {
        let day = |at: DateTime<Utc>| at.with_timezone(&class.tz()).date_naive();
        let now = day(cx.now);
        let spans = meetings.get(&class.id).map(Vec::as_slice).unwrap_or_default();
        spans.iter().any(|span| day(span.from) <= now && now <= day(span.until))
    };
    let rows = match asked.view.as_str() {
        "drafts" => whole(store::desk_drafts(&mut tx, trainer, MOST).await?),
        "past" => {
            let before = position(&asked.after).unwrap_or((far(), Uuid::max()));
            let rows = store::desk_past(&mut tx, trainer, before, PAGE_ROWS).await?;
            Rows::cut(rows, |class| cursor(class.starts_at, class.id.0))
        }
        "coming" => whole(
            store::desk_coming(&mut tx, trainer, MOST)
                .await?
                .into_iter()
                .filter(|class| !today(class) && class.ends_at > cx.now)
                .collect(),
        ),
        // What should have been closed is today's work as well.
        _ => whole(
            store::desk_coming(&mut tx, trainer, MOST)
                .await?
                .into_iter()
                .filter(|class| today(class) || class.ends_at <= cx.now)
                .collect(),
        ),
    };
    drop(tx);
    let next = |class: &ListedClass| {
        let coming = meetings.get(&class.id).and_then(|spans| spans.iter().find(|span| cx.now < span.until));
        coming.map_or(class.starts_at, |span| span.from)
    };
    Ok(cx.page(FRAME, w!(cx, training.desk_title), || list_view(&cx, &asked, &rows, &next)))
}

/// A trainer sees their own classes, a manager all.
fn own_only(cx: &Cx) -> Result<Option<PersonId>, AppError> {
    let person = cx.person()?;
    cx.may(Act::ReadRoster, &Subject::nobody().assigned_to(Some(person.id)))?;
    let all = person.is(Role::Manager) || person.is(Role::Admin);
    Ok((!all).then_some(person.id))
}

fn whole(rows: Vec<ListedClass>) -> Rows<ListedClass> {
    Rows { rows, next: None }
}

/// `next` says when a class meets next.
fn list_view(
    cx: &Cx,
    asked: &Asked,
    rows: &Rows<ListedClass>,
    next: &dyn Fn(&ListedClass) -> DateTime<Utc>,
) -> AnyView {
    let view = match asked.view.as_str() {
        view @ ("coming" | "drafts" | "past") => view,
        _ => "today",
    };
    let tab =
        |name: &str, label: String| Tab { href: format!("/desk/classes?view={name}"), label, current: view == name };
    let tabs = vec![
        tab("today", w!(cx, training.desk_today)),
        tab("coming", w!(cx, training.desk_coming)),
        tab("drafts", w!(cx, training.desk_drafts)),
        tab("past", w!(cx, training.desk_past)),
    ];
    let list = if rows.rows.is_empty() {
        view! { <Empty icon=Icon::Cap title=w!(cx, training.desk_empty_title) text=Some(w!(cx, training.desk_empty_text))/> }.into_any()
    } else {
        let card = |class: &ListedClass| views::class_card_at(cx, class, next(class), door(cx, class));
        let cards = rows.rows.iter().map(card).collect_view();
        view! { <Cards>{cards}</Cards> }.into_any()
    };
    let href = |next: &Cursor| format!("/desk/classes?view={view}&after={}", next.encode());
    let more = rows.next.as_ref().map(|next| view! { <Pager href=href(next) label=w!(cx, shell.more)/> });
    let desk_new = w!(cx, training.desk_new);
    let doors = doors(cx);
    let courses = w!(cx, learning.courses);
    view! {
        <PageHead title=w!(cx, training.desk_title)>
            <ButtonLink href="/desk/classes/new" icon=Some(Icon::Plus)>{desk_new}</ButtonLink>
            <ButtonLink href="/desk/courses" tone=ButtonTone::Quiet icon=Some(Icon::Document)>{courses}</ButtonLink>
        </PageHead>
        <Tabs label=w!(cx, training.desk_title) tabs/>
        {list}
        {more}
        {views::feed_link(cx)}
        {doors}
    }
    .into_any()
}

/// Whoever only helps in a class goes straight into the room.
fn door(cx: &Cx, class: &ListedClass) -> String {
    match cx.viewer.can(Act::ReadRoster, &Subject::nobody().assigned_to(Some(class.trainer_id))) {
        true => class.desk_path(),
        false => format!("{}/room", class.desk_path()),
    }
}

/// The other pages of planning.
fn doors(cx: &Cx) -> AnyView {
    let demand = w!(cx, planning.demand);
    let availability = w!(cx, planning.availability);
    let rules = cx.viewer.can(Act::SetClassRules, &Subject::nobody()).then(|| {
        let rules = w!(cx, planning.rules_title);
        view! { <ButtonLink href="/desk/settings/training" tone=ButtonTone::Quiet icon=Some(Icon::Gear)>{rules}</ButtonLink> }
    });
    view! {
        <Actions>
            <ButtonLink href="/desk/demand" tone=ButtonTone::Quiet icon=Some(Icon::Users)>{demand}</ButtonLink>
            <ButtonLink href="/desk/availability" tone=ButtonTone::Quiet icon=Some(Icon::Clock)>{availability}</ButtonLink>
            {rules}
        </Actions>
    }
    .into_any()
}
