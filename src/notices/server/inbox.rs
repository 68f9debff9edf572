//! `/inbox`: what the portal told its reader.

use super::store;
use crate::{
    access::{Act, Subject},
    error::AppError,
    server::{
        Cx,
        cx::At,
        page::{Frame, PortalTab},
        query::Query,
    },
    ui::*,
    values::{Cursor, MessageId},
    w,
};
use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;

#[derive(Default, Deserialize)]
pub struct After {
    #[serde(default)]
    pub after: String,
}

pub async fn list(cx: Cx, Query(query): Query<After>) -> Result<Response, AppError> {
    let person = cx.person()?.id;
    cx.may(Act::ReadInbox, &Subject::of(person))?;
    let messages = store::inbox(&mut cx.db().read().await?, person, Cursor::decode(&query.after).as_ref()).await?;
    let title = w!(cx, shell.inbox);
    Ok(cx.page(Frame::Portal(PortalTab::None), title.clone(), || {
        let next = messages.next.map(|next| view! { <Pager href=format!("/inbox?after={}", next.encode()) label=w!(cx, shell.more)/> });
        let list = if messages.rows.is_empty() {
            view! { <Empty icon=Icon::Inbox title=w!(cx, shell.inbox_empty) text=Some(w!(cx, shell.inbox_empty_text))/> }.into_any()
        } else {
            let rows = messages
                .rows
                .into_iter()
                .map(|row| {
                    let new = row.read_at.is_none().then(|| view! { <Badge tone=Tone::Info text=w!(cx, shell.unread)/> });
                    view! {
                        <li><a class="row" href=format!("/inbox/{}", row.id)>
                            <span class="row-words"><strong>{row.subject}</strong><span>{cx.fmt().date_time(row.created_at, cx.zone)}</span></span>{new}
                        </a></li>
                    }
                })
                .collect_view();
            view! { <ul class="rows" role="list">{rows}</ul> }.into_any()
        };
        view! { <PageHead title=title/> {list} {next} }
    }))
}

pub async fn show(cx: Cx, At(id): At<MessageId>) -> Result<Response, AppError> {
    let person = cx.person()?.id;
    cx.may(Act::ReadInbox, &Subject::of(person))?;
    let message = store::to_read(&mut cx.db().read().await?, id).await?;
    let message = message.filter(|message| message.person_id == Some(person)).ok_or(AppError::NotFound)?;
    if message.read_at.is_none() {
        let now = cx.now;
        // Having read a letter changes nothing for anybody: no history, and a prefetch does no harm.
        if let Err(error) = cx.db().write(move |tx| Box::pin(store::mark_read(tx, id, now))).await {
            tracing::warn!(?error, "that a letter was read could not be kept");
        }
    }
    Ok(cx.page(Frame::Portal(PortalTab::None), message.subject.clone(), || {
        let paragraphs = super::letter::paragraphs(&cx, &message.body);
        let t = cx.fmt();
        let link = message.link.map(|href| view! { <Actions><ButtonLink href>{w!(t, shell.open)}</ButtonLink></Actions> });
        view! {
            <PageHead title=message.subject lead=Some(cx.fmt().date_time(message.created_at, cx.zone)) back=Some(("/inbox".to_owned(), w!(cx, shell.inbox)))/>
            <div class="prose">{paragraphs}</div>
            {link}
        }
    }))
}
