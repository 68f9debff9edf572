//! `/desk/customers/{id}`: everything that one person has with us, on one screen.

use super::store;
use crate::{
    access::{Act, Subject, Viewer},
    cases::server::{portal::fields as case_fields, service as cases},
    error::AppError,
    followups::server::{desk::plan_fields, service as followups},
    people::server::store::{self as people, PersonRow},
    portal::server::{Panel, PanelRow},
    server::{
        Cx,
        form::{Form, Sheet},
        history,
        notice::Notice,
        page::{DeskTab, Frame},
    },
    ui::*,
    values::{OrganisationId, PersonId},
    w,
};
use axum::{extract::Path, response::Response};
use leptos::prelude::*;

const FRAME: Frame = Frame::Desk(DeskTab::Customers);
/// So many lines of messages and of history are shown.
const LINES: i64 = 20;

/// All that the page shows.
struct Customer {
    person: PersonRow,
    organisations: Vec<(OrganisationId, String)>,
    panels: Vec<Panel>,
    sent: Vec<store::Sent>,
    history: Vec<history::Line>,
}

/// Loads everything; that staff looked at a person is kept in the history, one line a look.
async fn load(cx: &Cx, id: PersonId) -> Result<Customer, AppError> {
    cx.person()?;
    let permit = cx.may(Act::ReadCustomer, &Subject::of(id))?;
    let mut tx = cx.db().read().await?;
    let person = people::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let organisations = store::organisations(&mut tx, id).await?.into_iter().map(|(id, name, _)| (id, name)).collect();
    let panels = vec![
        crate::purchases::server::panel(&mut tx, cx, id).await?,
        crate::repairs::server::panel(&mut tx, cx, id).await?,
        crate::training::server::panel(&mut tx, cx, id).await?,
        crate::charges::server::panel(&mut tx, cx, id).await?,
        crate::cases::server::panel(&mut tx, cx, id).await?,
        crate::ratings::server::panel(&mut tx, cx, id).await?,
        crate::followups::server::panel(&mut tx, cx, id).await?,
    ];
    let sent = store::sent(&mut tx, id, LINES).await?;
    let history = history::of_customer(&mut tx, id, LINES).await?;
    drop(tx);
    let cx2 = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = cx2.clone();
            Box::pin(async move {
                let change = history::Change { entity: "person", id: id.0, customer: Some(id), ..Default::default() };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await?;
    Ok(Customer { person, organisations, panels, sent, history })
}

/// The identity in the address; whatever is none leads nowhere.
fn id(text: &str) -> Result<PersonId, AppError> {
    text.parse().map_err(|_| AppError::NotFound)
}

pub async fn show(cx: Cx, Path(person): Path<String>) -> Result<Response, AppError> {
    let customer = load(&cx, id(&person)?).await?;
    Ok(page(&cx, customer, &Sheet::default()))
}

/// Plans the next contact with this person.
pub async fn plan(cx: Cx, Path(person): Path<String>, form: Form) -> Result<Response, AppError> {
    let id = id(&person)?;
    let planned = match followups::read(&cx, &form, Some(id)) {
        Ok(plan) => followups::plan(&cx, plan).await,
        Err(error) => Err(error),
    };
    match planned {
        Ok(_) => Ok(cx.redirect(&format!("/desk/customers/{id}"), Some(Notice::FollowUpPlanned))),
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            Ok(page(&cx, load(&cx, id).await?, &sheet))
        }
    }
}

fn page(cx: &Cx, customer: Customer, sheet: &Sheet) -> Response {
    let fmt = cx.fmt();
    let person = &customer.person;
    cx.sheet_page(sheet, FRAME, person.name.clone(), || {
        let since = w!(fmt, desk.customer_since, when = fmt.date(person.created_at.with_timezone(&cx.zone).date_naive()));
        let panels = customer.panels.into_iter().map(|panel| panel_card(cx, panel)).collect_view();
        let action = format!("/desk/customers/{}", person.id);
        let new_case = format!("{action}/case");
        let contact = contact(cx, person, &customer.organisations);
        let (messages, history) = (messages(cx, &customer.sent), history_card(cx, &customer.history));
        let plan = view! {
            <form method="post" action=action id="plan-follow-up" class="form">
                {cx.faults(sheet)}
                <HiddenKey value=sheet.key()/>
                {plan_fields(cx, "person", sheet.is_again().then_some(sheet))}
                <Actions><Button tone=ButtonTone::Quiet>{w!(fmt, followups.plan_save)}</Button></Actions>
            </form>
        };
        view! {
            <PageHead title=person.name.clone() lead=since back=Some(("/desk/customers".to_owned(), w!(fmt, desk.customers)))>
                <ButtonLink href=new_case tone=ButtonTone::Quiet icon=Some(Icon::Chat)>{w!(fmt, desk.new_case)}</ButtonLink>
            </PageHead>
            <Columns>
                <div class="stack">{panels}</div>
                <div class="stack">
                    {contact}
                    <Card title=w!(fmt, followups.plan)>{plan}</Card>
                    {messages}
                    {history}
                </div>
            </Columns>
        }
    })
}

fn contact(cx: &Cx, person: &PersonRow, organisations: &[(OrganisationId, String)]) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let mut rows: Vec<(String, AnyView)> = Vec::new();
    if let Some(email) = &person.email {
        let email = email.to_string();
        rows.push((w!(fmt, desk.email), view! { <a href=format!("mailto:{email}")>{email.clone()}</a> }.into_any()));
    }
    if let Some(phone) = person.phone.clone() {
        let href = format!("tel:{}", phone.replace(' ', ""));
        rows.push((w!(fmt, desk.phone), view! { <a href=href>{phone}</a> }.into_any()));
    }
    if let Some(language) = person.language.clone() {
        let own = crate::i18n::LANGUAGES
            .iter()
            .find(|(code, _)| *code == language)
            .map_or(language.clone(), |(_, name)| (*name).to_owned());
        rows.push((w!(fmt, desk.language), own.into_any()));
    }
    if !organisations.is_empty() {
        let firms = organisations
            .iter()
            .map(|(id, name)| {
                let (href, words) = (format!("/desk/organisations/{id}/team"), w!(fmt, team.desk_link));
                let label = format!("{words}: {name}");
                view! { <li>{name.clone()}" "<a class="button-link" href=href aria-label=label>{words}</a></li> }
            })
            .collect_view();
        rows.push((w!(fmt, desk.organisations), view! { <ul class="plain-list" role="list">{firms}</ul> }.into_any()));
    }
    view! { <Card title=w!(fmt, desk.contact)><DefinitionList rows/></Card> }
}

fn panel_card(cx: &Cx, panel: Panel) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let empty = panel.rows.is_empty();
    let rows = panel.rows.into_iter().map(panel_row).collect_view();
    view! {
        <Card title=panel.title>
            {empty.then(|| view! { <p class="soft">{w!(fmt, desk.nothing_here)}</p> })}
            <ul class="plain-list stack" role="list">{rows}</ul>
        </Card>
    }
}

fn panel_row(row: PanelRow) -> impl IntoView {
    let title = match row.href {
        Some(href) => view! { <a href=href>{row.title}</a> }.into_any(),
        None => row.title.into_any(),
    };
    view! {
        <li>
            <p class="row"><strong>{title}</strong>{row.badge.map(|(tone, text)| view! { <Badge tone text/> })}</p>
            <p class="soft small">{row.text}</p>
        </li>
    }
}

fn messages(cx: &Cx, sent: &[store::Sent]) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let empty = sent.is_empty();
    let rows = sent
        .iter()
        .map(|message| {
            view! { <li><p>{message.subject.clone()}</p><p class="soft small">{fmt.date_time(message.created_at, cx.zone)}</p></li> }
        })
        .collect_view();
    view! {
        <Card title=w!(fmt, desk.messages)>
            {empty.then(|| view! { <p class="soft">{w!(fmt, desk.nothing_here)}</p> })}
            <ul class="plain-list stack" role="list">{rows}</ul>
        </Card>
    }
}

fn history_card(cx: &Cx, lines: &[history::Line]) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let rows = lines
        .iter()
        .map(|line| {
            let who = match line.actor_kind.as_str() {
                "person" => line.actor_name.clone().unwrap_or_default(),
                "link" => w!(fmt, desk.by_link),
                // The one thing that nobody who is signed in does: prove who they are.
                "guest" => w!(fmt, desk.by_guest),
                "operator" => w!(fmt, desk.by_operator),
                _ => w!(fmt, desk.by_system),
            };
            let text = format!("{who} · {}", fmt.date_time(line.at, cx.zone));
            // What the sales system said about a purchase, or a person, before and after.
            let imported = matches!(line.entity.as_str(), "purchase" | "person");
            let change = line.from_state.as_ref().zip(line.to_state.as_ref()).filter(|_| imported);
            let change = change.map(|(from, to)| view! { <p class="small">{format!("{from} → {to}")}</p> });
            view! { <li><p>{super::words::act(&line.act, fmt)}</p>{change}<p class="soft small">{text}</p></li> }
        })
        .collect_view();
    view! { <Fold title=w!(fmt, desk.history)><ul class="plain-list stack" role="list">{rows}</ul></Fold> }
}

/// A case that staff open for somebody who called.
pub async fn new_case(cx: Cx, Path(person): Path<String>) -> Result<Response, AppError> {
    new_case_page(&cx, id(&person)?, &Sheet::default()).await
}

pub async fn open_case(cx: Cx, Path(person): Path<String>, form: Form) -> Result<Response, AppError> {
    let id = id(&person)?;
    // It is the desk's door: customers open cases by their own.
    cx.may(Act::ReadCustomer, &Subject::of(id))?;
    match cases::open_by_form(&cx, &form, Some(id)).await {
        Ok(case) => Ok(cx.redirect(&format!("/desk/cases/{case}"), Some(Notice::CaseOpened))),
        Err(error) => new_case_page(&cx, id, &Sheet::again(form, error)?).await,
    }
}

async fn new_case_page(cx: &Cx, id: PersonId, sheet: &Sheet) -> Result<Response, AppError> {
    cx.person()?;
    cx.may(Act::ReadCustomer, &Subject::of(id))?;
    let person = people::by_id(&mut cx.db().read().await?, id).await?.ok_or(AppError::NotFound)?;
    let fmt = cx.fmt();
    let own = matches!(&cx.viewer, Viewer::Person(me) if me.id == id);
    Ok(cx.sheet_page(sheet, FRAME, w!(cx, desk.new_case), || {
        let back = format!("/desk/customers/{id}");
        view! {
            <PageHead title=w!(fmt, desk.new_case) lead=(!own).then(|| person.name.clone()) back=Some((back.clone(), person.name.clone()))/>
            <form method="post" action=format!("{back}/case") id="new-case" class="form">
                {cx.faults(sheet)}
                <HiddenKey value=sheet.key()/>
                {case_fields(cx, sheet)}
                <Actions><Button>{w!(fmt, desk.new_case)}</Button></Actions>
            </form>
        }
    }))
}
