//! The customer's pages of cases: the list, a new one, the conversation with its promise.

use super::{
    service::{self, Conversation, CustomerDeed},
    store::{Case, Message},
    words,
};
use crate::{
    access::{Act, Subject},
    cases::domain::{Form as MessageForm, Kind, REOPEN_DAYS, SUBJECT_MAX, Side, State, WORDS_MAX},
    error::AppError,
    i18n::InWords,
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::{Frame, PortalTab},
        query::Query,
    },
    ui::*,
    values::{CaseId, Cursor},
    w,
};
use axum::{extract::Path, response::Response};
use chrono::TimeDelta;
use leptos::prelude::*;
use serde::Deserialize;

const FRAME: Frame = Frame::Portal(PortalTab::Help);

/// Where a list goes on, and what a new case is about.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    from: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    about: String,
}

pub async fn list(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let rows = service::mine(&cx, Cursor::decode(&asked.from).as_ref()).await?;
    let fmt = cx.fmt();
    Ok(cx.page(FRAME, w!(cx, cases.title), || {
        let empty = rows.rows.is_empty();
        let cards = rows.rows.iter().map(|case| card(&cx, case)).collect_view();
        let pager = rows.next.map(|next| view! { <Pager href=format!("/cases?from={}", next.encode()) label=w!(fmt, cases.more)/> });
        view! {
            <PageHead title=w!(fmt, cases.title) lead=w!(fmt, cases.lead) back=Some(("/help".to_owned(), w!(fmt, home.help)))>
                {(!empty).then(|| view! { <ButtonLink href="/cases/new" icon=Some(Icon::Plus)>{w!(fmt, cases.new)}</ButtonLink> })}
            </PageHead>
            {empty.then(|| view! {
                <Empty icon=Icon::Chat title=w!(fmt, cases.empty_title) text=w!(fmt, cases.empty_text)>
                    <ButtonLink href="/cases/new" icon=Some(Icon::Plus)>{w!(fmt, cases.new)}</ButtonLink>
                </Empty>
            })}
            <Cards>{cards}</Cards>
            {pager}
        }
    }))
}

/// A case in a list of the customer's.
fn card(cx: &Cx, case: &Case) -> AnyView {
    let fmt = cx.fmt();
    let note = w!(fmt, cases.opened, when = fmt.date_time(case.matter.opened_at, cx.zone));
    let state = case.matter.state;
    view! {
        <CardLink href=format!("/cases/{}", case.id) title=case.subject.clone() text=promise(cx, case) note
            badge=Some((words::tone(state), state.in_words(fmt)))/>
    }
    .into_any()
}

/// What we promise about this case now, in a sentence.
fn promise(cx: &Cx, case: &Case) -> String {
    let (fmt, matter) = (cx.fmt(), &case.matter);
    let at = |instant| fmt.date_time(instant, cx.zone);
    match (matter.state, matter.promised()) {
        (State::Open, Some(due)) if due < cx.now => w!(fmt, cases.promise_late, when = at(due)),
        (State::Open, Some(due)) if matter.answer_due.is_some() => w!(fmt, cases.promise_answer, when = at(due)),
        (State::Open, Some(due)) => w!(fmt, cases.promise_solve, when = at(due)),
        (State::Open, None) => String::new(),
        (State::WaitingForYou, _) => w!(fmt, cases.your_turn),
        (State::Resolved, _) => {
            let until = matter.resolved_at.unwrap_or(matter.opened_at) + TimeDelta::days(REOPEN_DAYS);
            w!(fmt, cases.resolved_lead, when = at(until))
        }
        (State::Closed, _) => w!(fmt, cases.closed_lead, when = at(matter.closed_at.unwrap_or(matter.opened_at))),
    }
}

pub async fn new(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    cx.person()?;
    let sheet = Sheet::filled(&[("kind", &asked.kind), ("about", &asked.about)]);
    Ok(new_page(&cx, &sheet))
}

pub async fn open(cx: Cx, form: Form) -> Result<Response, AppError> {
    match service::open_by_form(&cx, &form, None).await {
        Ok(id) => Ok(cx.redirect(&format!("/cases/{id}"), Some(Notice::CaseOpened))),
        Err(error) => Ok(new_page(&cx, &Sheet::again(form, error)?)),
    }
}

fn new_page(cx: &Cx, sheet: &Sheet) -> Response {
    let fmt = cx.fmt();
    cx.sheet_page(sheet, FRAME, w!(cx, cases.new_title), || {
        let about = service::about(sheet.value("about")).and_then(|(entity, _)| words::about(entity, fmt));
        view! {
            <PageHead title=w!(fmt, cases.new_title) lead=w!(fmt, cases.new_lead) back=Some(("/help".to_owned(), w!(fmt, home.help)))/>
            <form method="post" action="/cases/new" id="new-case" class="form">
                {cx.faults(sheet)}
                <HiddenKey value=sheet.key()/>
                {about.map(|thing| view! {
                    <input type="hidden" name="about" value=sheet.value("about").to_owned()/>
                    <p class="soft">{w!(fmt, cases.about, thing = thing)}</p>
                })}
                {fields(cx, sheet)}
                <Actions><Button icon=Some(Icon::Mail)>{w!(fmt, cases.send)}</Button></Actions>
            </form>
        }
    })
}

/// The fields of a new case; the desk opens one for a customer with the same.
pub fn fields(cx: &Cx, sheet: &Sheet) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let choices = Kind::ALL
        .iter()
        .map(|kind| Choice { text: Some(words::hint(*kind, fmt)), ..Choice::new(kind.as_str(), kind.in_words(fmt)) })
        .collect();
    view! {
        <ChoiceList name="kind" legend=w!(fmt, cases.kind) choices value=sheet.value("kind").to_owned() fault=cx.fault(sheet, "kind") required=true/>
        <Field name="subject" label=w!(fmt, cases.subject) hint=w!(fmt, cases.subject_hint) value=sheet.value("subject").to_owned()
            fault=cx.fault(sheet, "subject") maxlength=Some(SUBJECT_MAX) required=true/>
        <TextArea name="words" label=w!(fmt, cases.words) hint=w!(fmt, cases.words_hint) value=sheet.value("words").to_owned()
            fault=cx.fault(sheet, "words") maxlength=Some(WORDS_MAX) rows=6 required=true/>
    }
}

/// The identity in an address; whatever is none leads nowhere.
pub fn id(text: &str) -> Result<CaseId, AppError> {
    text.parse().map_err(|_| AppError::NotFound)
}

pub async fn show(cx: Cx, Path(case): Path<String>) -> Result<Response, AppError> {
    cx.person()?;
    let conversation = service::show(&cx, id(&case)?).await?;
    Ok(show_page(&cx, conversation, &Sheet::default()))
}

pub async fn act(cx: Cx, Path(case): Path<String>, form: Form) -> Result<Response, AppError> {
    let id = id(&case)?;
    let deed = if form.text("do") == "confirm" { CustomerDeed::Confirm } else { CustomerDeed::Reply };
    let before = service::show(&cx, id).await?;
    cx.may(Act::ReplyToCase, &Subject::of(before.case.customer))?;
    match service::by_customer(&cx, id, deed, &form).await {
        Ok(()) => {
            let notice = match (deed, before.case.matter.state) {
                (CustomerDeed::Confirm, _) => Notice::CaseClosed,
                (CustomerDeed::Reply, State::Resolved) => Notice::CaseReopened,
                (CustomerDeed::Reply, _) => Notice::CaseReplied,
            };
            Ok(cx.redirect(&format!("/cases/{id}"), Some(notice)))
        }
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            Ok(show_page(&cx, service::show(&cx, id).await?, &sheet))
        }
    }
}

fn show_page(cx: &Cx, conversation: Conversation, sheet: &Sheet) -> Response {
    let Conversation { case, messages } = conversation;
    let (fmt, state) = (cx.fmt(), case.matter.state);
    cx.sheet_page(sheet, FRAME, case.subject.clone(), || {
        let about = case
            .about
            .as_ref()
            .and_then(|(entity, _)| words::about(entity, fmt))
            .map(|thing| w!(fmt, cases.about, thing = thing));
        let tone = if case.matter.is_late(cx.now) { Tone::Warn } else { words::tone(state) };
        let action = format!("/cases/{}", case.id);
        // It was closed while somebody wrote: what they wrote is theirs to say elsewhere.
        let closed = state == State::Closed;
        let typed = vec![(w!(fmt, cases.reply_label), sheet.value("words").to_owned())];
        let kept = closed.then(|| cx.kept(typed)).flatten().map(|kept| {
            let href = format!("/cases/new?kind={}", case.matter.kind.as_str());
            view! { {kept} <Actions><ButtonLink href icon=Some(Icon::Plus)>{w!(fmt, cases.new)}</ButtonLink></Actions> }
        });
        let (kind, promise, said) =
            (case.matter.kind.in_words(fmt), promise(cx, &case), talk(cx, &messages, Side::Customer));
        view! {
            <PageHead title=case.subject.clone() lead=about back=Some(("/cases".to_owned(), w!(fmt, cases.title)))>
                <Badge tone=words::tone(state) text=state.in_words(fmt)/>
                <span class="soft small">{kind}</span>
            </PageHead>
            {closed.then(|| cx.faults(sheet))}
            {kept}
            <Alert tone><p>{promise}</p></Alert>
            <Section title=w!(fmt, cases.conversation)>{said}</Section>
            {(!closed).then(|| reply_form(cx, &action, state, sheet))}
        }
    })
}

/// What the customer can say now.
fn reply_form(cx: &Cx, action: &str, state: State, sheet: &Sheet) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let (label, button) = match state {
        State::Resolved => (w!(fmt, cases.not_solved_label), w!(fmt, cases.not_solved)),
        _ => (w!(fmt, cases.reply_label), w!(fmt, cases.reply)),
    };
    let tone = if state == State::Resolved { ButtonTone::Quiet } else { ButtonTone::Primary };
    let confirm_tone = if state == State::Resolved { ButtonTone::Primary } else { ButtonTone::Quiet };
    let confirm = view! {
        <form method="post" action=action.to_owned() id="confirm-case">
            <input type="hidden" name="do" value="confirm"/>
            <Actions><Button tone=confirm_tone icon=Some(Icon::Check)>{w!(fmt, cases.solved)}</Button></Actions>
        </form>
    };
    let reply = view! {
        <form method="post" action=action.to_owned() id="reply" class="form">
            {cx.faults(sheet)}
            <HiddenKey value=sheet.key()/>
            <TextArea name="words" label=label value=sheet.value("words").to_owned() fault=cx.fault(sheet, "words")
                maxlength=Some(WORDS_MAX) required=true/>
            <Actions><Button tone>{button}</Button></Actions>
        </form>
    };
    if state == State::Resolved {
        view! { {confirm} {reply} }.into_any()
    } else {
        view! { {reply} {confirm} }.into_any()
    }
}

/// What was said, each line on the side of who said it.
pub fn talk(cx: &Cx, messages: &[Message], reader: Side) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let lines = messages
        .iter()
        .map(|message| {
            let mine = message.side == reader;
            let name = match (mine, reader) {
                (true, Side::Customer) => w!(fmt, cases.you),
                _ => message.author.clone().unwrap_or_else(|| w!(fmt, cases.us)),
            };
            let badge = match message.form {
                MessageForm::Message => None,
                MessageForm::Question => Some((Tone::Warn, w!(fmt, cases.a_question))),
                MessageForm::Note => Some((Tone::Plain, w!(fmt, cases.note))),
            };
            let paragraphs =
                message.words.split("\n\n").map(|part| view! { <p class="pre">{part.to_owned()}</p> }).collect_view();
            view! {
                <div class="talk-line" data-mine=mine.then_some("")>
                    <p class="soft small">
                        <strong>{name}</strong>" · "{fmt.date_time(message.at, cx.zone)}
                        {badge.map(|(tone, text)| view! { " "<Badge tone text/> })}
                    </p>
                    {paragraphs}
                </div>
            }
        })
        .collect_view();
    view! { <div class="talk">{lines}</div> }
}
