//! `/demo/mail`: every letter of the demo, since none leaves it.

use super::{inbox::After, store};
use crate::{
    error::AppError,
    server::{Cx, cx::At, page::Frame, query::Query},
    ui::*,
    values::{Cursor, MessageId},
    w,
};
use axum::response::Response;
use leptos::prelude::*;

pub async fn list(cx: Cx, Query(query): Query<After>) -> Result<Response, AppError> {
    let messages = store::latest(&mut cx.db().read().await?, Cursor::decode(&query.after).as_ref()).await?;
    let title = w!(cx, shell.demo_mail);
    Ok(cx.page(Frame::Plain, title.clone(), || {
        let next = messages.next.map(|next| view! { <Pager href=format!("/demo/mail?after={}", next.encode()) label=w!(cx, shell.more)/> });
        let rows = messages
            .rows
            .into_iter()
            .map(|row| {
                view! {
                    <li><a class="row" href=format!("/demo/mail/{}", row.id)>
                        <span class="row-words"><strong>{row.subject}</strong><span>{row.email}" · "{cx.fmt().date_time(row.created_at, cx.zone)}</span></span>
                    </a></li>
                }
            })
            .collect_view();
        view! { <PageHead title=title lead=Some(w!(cx, shell.demo_mail_lead))/> <ul class="rows" role="list">{rows}</ul> {next} }
    }))
}

pub async fn show(cx: Cx, At(id): At<MessageId>) -> Result<Response, AppError> {
    let mut tx = cx.db().read().await?;
    let message = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let calendar = store::calendar(&mut tx, id).await?;
    drop(tx);
    Ok(cx.page(Frame::Plain, message.subject.clone(), || {
        let paragraphs = super::letter::paragraphs(&cx, &message.body);
        let link = message.link.map(|href| view! { <p><a href=href.clone()>{href.clone()}</a></p> });
        let calendar = calendar.map(|part| {
            let text = part.body.replace("\r\n ", "");
            view! { <Fold title=w!(cx, teaching.calendar_part)><pre class="calendar-part" tabindex="0">{text}</pre></Fold> }
        });
        view! {
            <PageHead title=message.subject lead=Some(message.email) back=Some(("/demo/mail".to_owned(), w!(cx, shell.demo_mail)))/>
            <div class="prose" lang=message.language>{paragraphs}{link}</div>
            {calendar}
        }
    }))
}
