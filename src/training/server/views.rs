//! Pieces that several pages of training share.

use super::{
    group_words,
    shared::{count, seats_left},
    store::{ClassRow, ListedClass, MakeUpRow, SessionRow},
    words,
};
use crate::{
    calendar::server::zone,
    error::Refusal,
    i18n::InWords,
    server::{Cx, form::Sheet},
    training::domain::{Cost, Effect, Stage, Window, WindowNews},
    ui::*,
    w,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use leptos::prelude::*;

/// A class as one line of a list.
pub fn class_card(cx: &Cx, class: &ListedClass, href: String) -> AnyView {
    class_card_at(cx, class, class.starts_at, href)
}

/// The same with another of its times: when it meets next.
pub fn class_card_at(cx: &Cx, class: &ListedClass, at: DateTime<Utc>, href: String) -> AnyView {
    let (fmt, tz) = (cx.fmt(), class.tz());
    let place = if class.place.is_empty() { w!(cx, training.online) } else { class.place.clone() };
    let price = if class.price_minor == 0 { w!(cx, training.free) } else { fmt.money(class.price()) };
    let level = class.level.in_words(fmt);
    let mut note = format!("{place} · {} · {level} · {price}", words::language(&class.language));
    if let Some(news) = window_news(cx, class.stage(cx.now), class.window(), tz) {
        note = format!("{note} · {news}");
    }
    let badge = Some(seats_left(cx, class.stage(cx.now), class.seats()));
    let when = when(cx, at, tz);
    view! { <CardLink href title=class.title.clone() icon=Some(Icon::Cap) text=Some(when) note=Some(note) badge/> }
        .into_any()
}

/// That enrolling is still to open, or closes soon.
pub fn window_news(cx: &Cx, stage: Stage, window: Window, tz: Tz) -> Option<String> {
    if !matches!(stage, Stage::Open | Stage::Full) {
        return None;
    }
    let time = |at| cx.fmt().date_time(at, tz);
    Some(match window.news(cx.now)? {
        WindowNews::Opens(at) => w!(cx, learning.opens_on, time = time(at)),
        WindowNews::Closes(at) => w!(cx, learning.closes_on, time = time(at)),
    })
}

/// Sessions that the reader makes up as a guest elsewhere.
pub fn make_ups(cx: &Cx, rows: &[MakeUpRow]) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let cards = rows
        .iter()
        .map(|row| {
            let time = when(cx, row.starts_at, row.tz());
            let place = if row.place.is_empty() { w!(cx, training.online) } else { row.place.clone() };
            let badge = Some((Tone::Good, w!(cx, learning.make_up)));
            view! { <CardLink href=row.path() title=row.title.clone() icon=Some(Icon::Cap) text=Some(time) note=Some(place) badge/> }
        })
        .collect_view();
    Some(view! { <Section title=w!(cx, learning.make_up_booked)><Cards>{cards}</Cards></Section> }.into_any())
}

/// When a class begins, on the wall clock of its place.
pub fn when(cx: &Cx, starts_at: DateTime<Utc>, tz: Tz) -> String {
    zone::when(cx.fmt(), starts_at, tz, cx.zone)
}

/// Where a class is held; the address on line is for those who are in it.
pub fn venue(cx: &Cx, class: &ClassRow, may_join: bool) -> AnyView {
    let place = words::place(class);
    let place = (!place.is_empty()).then(|| view! { <span>{place}</span> });
    let online = class.link.as_deref().map(|link| match may_join {
        true => join_online(cx, link),
        false => view! { <span>{w!(cx, training.online)}" · "{w!(cx, training.link_later)}</span> }.into_any(),
    });
    view! { <span class="stack">{place}{online}</span> }.into_any()
}

/// The way into a class on line, for those who are in it. The other side does not learn where they come from.
pub fn join_online(cx: &Cx, link: &str) -> AnyView {
    let href = link.to_owned();
    view! { <a class="button-link" href=href rel="noreferrer">{w!(cx, training.join_online)}</a> }.into_any()
}

/// Every session in the class's zone, and in the reader's where that says something else.
pub fn sessions(cx: &Cx, class: &ClassRow, sessions: &[SessionRow]) -> AnyView {
    let fmt = cx.fmt();
    let tz = class.tz();
    let several = sessions.len() > 1;
    let rows = sessions
        .iter()
        .enumerate()
        .map(|(at, session)| {
            let time = format!("{} – {}", fmt.date_time(session.starts_at, tz), fmt.time(session.ends_at, tz));
            let there = w!(cx, training.time_in_zone, time = time, zone = words::zone(tz));
            let here = (!same_clock(session, tz, cx.zone)).then(|| {
                let time =
                    format!("{} – {}", fmt.date_time(session.starts_at, cx.zone), fmt.time(session.ends_at, cx.zone));
                view! { <p class="soft small">{w!(cx, training.your_time, time = time)}</p> }
            });
            let number = i64::try_from(at + 1).unwrap_or(0);
            let name = several
                .then(|| view! { <strong>{w!(cx, training.session_number, number = fmt.number(number))}</strong> });
            view! { <li class="stack">{name}<p>{there}</p>{here}</li> }
        })
        .collect_view();
    view! { <ul class="plain-list stack" role="list">{rows}</ul> }.into_any()
}

fn same_clock(session: &SessionRow, a: Tz, b: Tz) -> bool {
    session.starts_at.with_timezone(&a).naive_local() == session.starts_at.with_timezone(&b).naive_local()
}

/// How many sessions, in words.
pub fn session_count(cx: &Cx, sessions: &[SessionRow]) -> String {
    w!(cx, training.sessions, count = count(i64::try_from(sessions.len()).unwrap_or(0)))
}

/// What a seat costs the reader, and why.
pub fn cost(cx: &Cx, cost: &Cost) -> AnyView {
    let fmt = cx.fmt();
    match cost {
        Cost::Free | Cost::Covered { .. } => {
            let cost_2 = words::cost(fmt, cost);
            view! { <Alert tone=Tone::Good><p>{cost_2}</p></Alert> }.into_any()
        }
        Cost::Pays { price, why } => view! {
            <div class="stack">
                <p class="price">{fmt.money(*price)}</p>
                <p>{words::why_pays(fmt, why)}</p>
                <p class="soft small">{w!(cx, training.charge_note)}</p>
            </div>
        }
        .into_any(),
    }
}

/// What is wrong with a form that came back: refusals of training tell their times on the wall clock of the class.
pub fn faults(cx: &Cx, sheet: &Sheet, tz: Tz) -> AnyView {
    match sheet.refusal() {
        Some(Refusal::Training(refusal)) => {
            let text = words::refusal(cx.fmt(), tz, refusal);
            view! { <Alert tone=Tone::Bad urgent=true><p>{text}</p></Alert> }.into_any()
        }
        _ => cx.faults(sheet),
    }
}

/// Where a trainer finds the address of their calendar.
pub fn feed_link(cx: &Cx) -> AnyView {
    let fmt = cx.fmt();
    let text = w!(fmt, teaching.feed_trainer_text);
    let link = w!(fmt, teaching.feed_trainer_link);
    view! {
        <Card title=Some(w!(fmt, teaching.feed_trainer_title))>
            <p class="soft">{text}</p>
            <Actions><ButtonLink href="/training/mine#calendar-feed" tone=ButtonTone::Quiet icon=Some(Icon::Calendar)>{link}</ButtonLink></Actions>
        </Card>
    }
    .into_any()
}

/// A stage as a badge.
pub fn stage_badge(cx: &Cx, class: &ClassRow) -> AnyView {
    let stage = class.stage(cx.now);
    view! { <Badge tone=words::stage_tone(stage) text=stage.in_words(cx.fmt())/> }.into_any()
}

/// The rules of a class as they were when it was published, a sentence each. Whoever waits behind a group that stays
/// together is told how that is served, since freed seats are kept for it and not for the first person.
pub fn policy(cx: &Cx, class: &ClassRow, behind_group: bool) -> Vec<String> {
    let (rules, tz, fmt) = (class.policy(), class.tz(), cx.fmt());
    let time = |at: DateTime<Utc>| w!(cx, training.time_in_zone, time = fmt.date_time(at, tz), zone = words::zone(tz));
    let late = match rules.terms.late_cancel {
        Effect::Spent => w!(cx, planning.policy_late_spent),
        Effect::Returned => w!(cx, planning.policy_late_returned),
    };
    let no_show = match rules.terms.no_show {
        Effect::Spent => w!(cx, planning.policy_no_show_spent),
        Effect::Returned => w!(cx, planning.policy_no_show_returned),
    };
    let offer = match behind_group {
        true => group_words::rule_line(fmt, &rules, time(rules.gathers_until())),
        false => w!(cx, planning.policy_offer, time = words::duration(fmt, rules.terms.offer_minutes)),
    };
    vec![
        w!(cx, training.policy_free_until, time = time(rules.free_until())),
        late,
        no_show,
        offer,
        w!(cx, training.policy_freeze, time = time(rules.freezes_at())),
    ]
}
