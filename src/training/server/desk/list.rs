//! The list of classes: today, coming, drafts, past.

use super::FRAME;
use crate::{
    access::{Act, Role, Subject},
    calendar::domain::Span,
    db::Tx,
    error::AppError,
    server::{Cx, query::Query},
    training::server::{
        portal::{cursor, position},
        shared::far,
        store::{self, ListedClass},
        views,
    },
    ui::*,
    values::{ClassId, Cursor, PAGE, PAGE_ROWS, PersonId, Rows},
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

pub async fn list(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let trainer = own_only(&cx)?;
    let mut tx = cx.db().read().await?;
    // A class of many weeks is today's only on the days on which it meets.
    let mut meetings = Meetings::new();
    if !matches!(asked.view.as_str(), "drafts" | "past") {
        for session in store::desk_sessions(&mut tx, trainer, cx.now - Duration::days(2)).await? {
            meetings.entry(session.class_id).or_default().push(session.span());
        }
    }
    let after = position(&asked.after).unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
    let rows = match asked.view.as_str() {
        "drafts" => Rows::cut(store::desk_drafts(&mut tx, trainer, after, PAGE_ROWS).await?, place),
        "past" => {
            let before = position(&asked.after).unwrap_or((far(), Uuid::max()));
            Rows::cut(store::desk_past(&mut tx, trainer, before, PAGE_ROWS).await?, place)
        }
        "coming" => coming(&mut tx, trainer, after, &meetings, cx.now).await?,
        // Whole, since it is what has to be done. What should have been closed is today's work as well; wherever a class
        // is, its day ends within two.
        _ => {
            let mut rows = store::desk_begun(&mut tx, trainer, cx.now + Duration::days(2)).await?;
            rows.retain(|class| is_todays(class, &meetings, cx.now));
            Rows { rows, next: None }
        }
    };
    drop(tx);
    let next = |class: &ListedClass| {
        let coming = meetings.get(&class.id).and_then(|spans| spans.iter().find(|span| cx.now < span.until));
        coming.map_or(class.starts_at, |span| span.from)
    };
    Ok(cx.page(FRAME, w!(cx, training.desk_title), || list_view(&cx, &asked, &rows, &next)))
}

/// When classes meet.
type Meetings = HashMap<ClassId, Vec<Span>>;

/// Whether a class meets today at its place, or is over and not closed.
fn is_todays(class: &ListedClass, meetings: &Meetings, now: DateTime<Utc>) -> bool {
    let day = |at: DateTime<Utc>| at.with_timezone(&class.tz()).date_naive();
    let spans = meetings.get(&class.id).map(Vec::as_slice).unwrap_or_default();
    class.ends_at <= now || spans.iter().any(|span| day(span.from) <= day(now) && day(now) <= day(span.until))
}

/// A page of what is to come. What is today's stands among it in the order of the list: it is read on until the page is
/// full.
async fn coming(
    tx: &mut Tx,
    trainer: Option<PersonId>,
    mut after: (DateTime<Utc>, Uuid),
    meetings: &Meetings,
    now: DateTime<Utc>,
) -> Result<Rows<ListedClass>, AppError> {
    let mut rows = Vec::new();
    while rows.len() <= PAGE {
        let read = store::desk_coming(tx, trainer, after, PAGE_ROWS).await?;
        let is_last = read.len() <= PAGE;
        if let Some(class) = read.last() {
            after = (class.starts_at, class.id.0);
        }
        rows.extend(read.into_iter().filter(|class| !is_todays(class, meetings, now)));
        if is_last {
            break;
        }
    }
    Ok(Rows::cut(rows, place))
}

/// The place of a class in each of the lists.
fn place(class: &ListedClass) -> Cursor {
    cursor(class.starts_at, class.id.0)
}

/// A trainer sees their own classes, a manager all.
fn own_only(cx: &Cx) -> Result<Option<PersonId>, AppError> {
    let person = cx.person()?;
    cx.may(Act::ReadRoster, &Subject::nobody().assigned_to(Some(person.id)))?;
    let all = person.is(Role::Manager) || person.is(Role::Admin);
    Ok((!all).then_some(person.id))
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
