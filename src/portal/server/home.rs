//! `/`: what needs the customer now, newest first; else the four doors. `/help`: the ways to a person.

use super::Need;
use crate::{
    error::AppError,
    server::{
        Cx,
        page::{Frame, PortalTab},
        query::Query,
    },
    ui::*,
    w,
};
use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;
use std::cmp::Reverse;

/// Home shows no more needs than one takes in at a glance.
const MOST: usize = 8;

/// Whether home shows all that waits.
#[derive(Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    all: String,
}

pub async fn show(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let Some(person) = cx.viewer.person() else { return Ok(landing(&cx)) };
    let name = person.name.split_whitespace().next().unwrap_or_default().to_owned();
    let all = needs(&cx).await?;
    let more = (all.len() > MOST && asked.all.is_empty()).then(|| ("/?all=1".to_owned(), w!(cx, purchases.show_all)));
    let needs = if more.is_some() { most_urgent(all) } else { all };
    let fmt = cx.fmt();
    Ok(cx.page(Frame::Portal(PortalTab::Home), w!(cx, home.title), || {
        let nothing = needs.is_empty();
        let cards = needs.into_iter().map(|need| card(&cx, need)).collect_view();
        let lead = nothing.then(|| w!(fmt, home.nothing));
        let doors = doors(&cx);
        view! {
            <PageHead title=w!(fmt, home.hello, name = name) lead/>
            {(!nothing).then(|| view! { <Section title=w!(fmt, home.needs) more=more><Cards>{cards}</Cards></Section> })}
            <Section title=w!(fmt, home.doors)>{doors}</Section>
        }
    }))
}

/// What waits for this customer in every slice, newest first: one statement a slice.
async fn needs(cx: &Cx) -> Result<Vec<Need>, AppError> {
    let mut tx = cx.db().read().await?;
    let mut needs = crate::purchases::server::needs(&mut tx, cx).await?;
    needs.extend(crate::training::server::needs(&mut tx, cx).await?);
    needs.extend(crate::cases::server::needs(&mut tx, cx).await?);
    needs.extend(crate::ratings::server::needs(&mut tx, cx).await?);
    needs.extend(crate::repairs::server::needs(&mut tx, cx).await?);
    needs.sort_by_key(|need| Reverse(need.since));
    Ok(needs)
}

/// As many as home shows at once: what runs out goes before what can wait, the soonest first; then the newest. They keep
/// their order.
fn most_urgent(needs: Vec<Need>) -> Vec<Need> {
    let mut chosen: Vec<_> = needs.into_iter().enumerate().collect();
    chosen.sort_by_key(|(place, need)| (need.until.is_none(), need.until, *place));
    chosen.truncate(MOST);
    chosen.sort_by_key(|(place, _)| *place);
    chosen.into_iter().map(|(_, need)| need).collect()
}

fn card(cx: &Cx, need: Need) -> impl IntoView + use<> {
    let note = cx.fmt().date_time(need.since, cx.zone);
    view! {
        <CardLink href=need.href title=need.title text=need.text icon=Some(need.icon) note tone=Some(Tone::Warn)
            badge=Some((Tone::Warn, need.action))/>
    }
}

fn doors(cx: &Cx) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    view! {
        <Cards wide=true>
            <CardLink href="/purchases" icon=Some(Icon::Box) title=w!(fmt, home.purchases) text=w!(fmt, home.purchases_text)/>
            <CardLink href="/repairs" icon=Some(Icon::Wrench) title=w!(fmt, home.repairs) text=w!(fmt, home.repairs_text)/>
            <CardLink href="/training" icon=Some(Icon::Cap) title=w!(fmt, home.training) text=w!(fmt, home.training_text)/>
            <CardLink href="/help" icon=Some(Icon::Help) title=w!(fmt, home.help) text=w!(fmt, home.help_text)/>
        </Cards>
    }
}

fn landing(cx: &Cx) -> Response {
    let fmt = cx.fmt();
    cx.page(Frame::Plain, w!(cx, home.title), || {
        let doors = doors(cx);
        view! {
            <PageHead title=w!(fmt, home.guest_title) lead=w!(fmt, home.guest_lead)/>
            <Actions><ButtonLink href="/sign-in" icon=Some(Icon::User)>{w!(fmt, home.sign_in)}</ButtonLink></Actions>
            <p class="soft">{w!(fmt, home.sign_in_hint)}</p>
            <Section title=w!(fmt, home.doors)>{doors}</Section>
        }
    })
}

/// The ways to a person.
pub async fn help(cx: Cx) -> Result<Response, AppError> {
    let fmt = cx.fmt();
    Ok(cx.page(Frame::Portal(PortalTab::Help), w!(cx, home.help_title), || {
        view! {
            <PageHead title=w!(fmt, home.help_title) lead=w!(fmt, home.help_lead)/>
            <Cards wide=true>
                <CardLink href="/cases/new?kind=question" icon=Some(Icon::Chat) title=w!(fmt, home.help_ask) text=w!(fmt, home.help_ask_text)/>
                <CardLink href="/cases/new?kind=incident" icon=Some(Icon::Alert) title=w!(fmt, home.help_incident) text=w!(fmt, home.help_incident_text)/>
                <CardLink href="/cases/new?kind=complaint" icon=Some(Icon::Mail) title=w!(fmt, home.help_complain) text=w!(fmt, home.help_complain_text)/>
                <CardLink href="/cases/new?kind=claim" icon=Some(Icon::Coin) title=w!(fmt, home.help_claim) text=w!(fmt, home.help_claim_text)/>
                <CardLink href="/repairs/new" icon=Some(Icon::Wrench) title=w!(fmt, home.help_repair) text=w!(fmt, home.help_repair_text)/>
                <CardLink href="/cases" icon=Some(Icon::List) title=w!(fmt, home.help_cases) text=w!(fmt, home.help_cases_text)/>
            </Cards>
        }
    }))
}
