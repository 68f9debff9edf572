//! `/training/{class}/make-up`: the sessions that I missed, where each can be made up, and what is booked.

use super::{
    announce, class_cards, make_ups,
    portal::{FRAME, key, parse},
    store::{self, ClassRow, HostRow, MakeUpRow, SessionRow},
    ticket, views, words,
};
use crate::{
    error::{AppError, Fault, Faults},
    i18n::InWords,
    server::{
        App, Cx,
        form::{Form, Sheet},
        notice::Notice,
    },
    training::domain::{Announced, EnrolmentState},
    ui::*,
    values::{ClassId, ClassSessionId, MakeUpId},
    w,
};
use axum::{Router, extract::Path, response::Response, routing::get};
use leptos::prelude::*;
use std::collections::HashMap;

pub fn routes() -> Router<App> {
    Router::new().route("/training/{class}/make-up", get(show).post(act))
}

/// How many places are offered for one session.
const OFFERED: usize = 12;

struct Shown {
    class: ClassRow,
    make_ups: Vec<MakeUpRow>,
    said: HashMap<ClassSessionId, store::Said>,
    /// Those with which what the seat cost comes back, if they are given up.
    forgiven: Vec<MakeUpId>,
    /// Each missed session with where it can be made up.
    missed: Vec<(usize, SessionRow, Vec<HostRow>)>,
}

async fn load(cx: &Cx, id: ClassId) -> Result<Shown, AppError> {
    let person = cx.person()?.id;
    let mut tx = cx.db().read().await?;
    let class = store::class(&mut tx, id).await?;
    let seat = store::active(&mut tx, id, person).await?;
    let seat = seat.filter(|row| row.state == EnrolmentState::Booked).ok_or(AppError::NotFound)?;
    let seen = store::sessions_seen(&mut tx, id, Some(seat.id)).await?;
    let make_ups = store::make_ups(&mut tx, seat.id).await?;
    let is_kept = store::is_kept(&mut tx, seat.id).await?;
    let mut forgiven = Vec::new();
    for row in make_ups.iter().filter(|row| cx.now < row.starts_at) {
        if make_ups::would_come_back(&mut tx, &class, row).await? {
            forgiven.push(row.id);
        }
    }
    let mut missed = Vec::new();
    for number in class_cards::missed(&class, &seen, &make_ups, is_kept) {
        let hosts = make_ups::hosts(&mut tx, cx, &class, person, number, OFFERED).await?;
        missed.extend(seen.sessions.get(number - 1).map(|session| (number, session.clone(), hosts)));
    }
    let said = store::said_by(&mut tx, seat.id).await?;
    Ok(Shown { class, make_ups, said, forgiven, missed })
}

async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let shown = load(&cx, parse(&id)?).await?;
    Ok(page(&cx, &shown, &Sheet::default()))
}

async fn act(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let id: ClassId = parse(&id)?;
    cx.person()?;
    match run(&cx, id, &form).await {
        Ok(notice) => Ok(cx.redirect(&format!("/training/{id}/make-up"), Some(notice))),
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            Ok(page(&cx, &load(&cx, id).await?, &sheet))
        }
    }
}

async fn run(cx: &Cx, id: ClassId, form: &Form) -> Result<Notice, AppError> {
    let mut faults = Faults::default();
    if form.text("act") == "cancel" {
        let make_up = form.parse::<MakeUpId>("make_up", &mut faults, Fault::NotAChoice);
        faults.check()?;
        make_ups::cancel(cx, make_up.ok_or(AppError::NotFound)?).await?;
        return Ok(Notice::MakeUpCancelled);
    }
    if matches!(form.text("act"), "announce" | "withdraw") {
        return announce::act_as_guest(cx, form).await;
    }
    let missed = form.parse::<ClassSessionId>("missed", &mut faults, Fault::NotAChoice);
    let session = form.parse::<ClassSessionId>("session", &mut faults, Fault::NotAChoice);
    let (Some(missed), Some(session)) = (missed, session) else { return Err(AppError::Invalid(faults)) };
    make_ups::book(cx, id, missed, session, form.key()).await?;
    Ok(Notice::MakeUpBooked)
}

fn page(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Response {
    cx.sheet_page(sheet, FRAME, w!(cx, learning.make_up), || view_of(cx, shown, sheet))
}

fn view_of(cx: &Cx, shown: &Shown, sheet: &Sheet) -> AnyView {
    let class = &shown.class;
    let booked = booked(cx, shown, sheet);
    let missed = shown.missed.iter().map(|(number, row, hosts)| missed(cx, class, *number, row, hosts, sheet));
    let missed = missed.collect_view();
    let nothing = shown.missed.is_empty().then(|| view! { <p class="soft">{w!(cx, learning.nothing_to_make_up)}</p> });
    view! {
        <PageHead title=w!(cx, learning.make_up) lead=Some(w!(cx, learning.make_up_lead))
            back=Some((class.path(), class.title.clone()))/>
        {views::faults(cx, sheet, class.tz())}
        {booked}
        {missed}
        {nothing}
    }
    .into_any()
}

fn booked(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Option<AnyView> {
    if shown.make_ups.is_empty() {
        return None;
    }
    let rows = shown.make_ups.iter().map(|row| one(cx, shown, row, sheet)).collect_view();
    Some(view! { <Section title=w!(cx, learning.make_up_booked)><Cards>{rows}</Cards></Section> }.into_any())
}

fn one(cx: &Cx, shown: &Shown, row: &MakeUpRow, sheet: &Sheet) -> AnyView {
    let (said, forgiven) = (shown.said.get(&row.session_id), shown.forgiven.contains(&row.id));
    let time =
        w!(cx, training.time_in_zone, time = cx.fmt().date_time(row.starts_at, row.tz()), zone = words::zone(row.tz()));
    let place = if row.place.is_empty() { w!(cx, training.online) } else { row.place.clone() };
    let badge = row.mark().map(|mark| view! { <Badge text=mark.in_words(cx.fmt())/> });
    let join = row.link.as_deref().map(|link| view! { <p>{views::join_online(cx, link)}</p> });
    let cancel = (cx.now < row.starts_at).then(|| {
        let (id, words) = (row.id.to_string(), w!(cx, learning.make_up_cancel));
        let means = forgiven.then(|| view! { <p class="soft small">{w!(cx, learning.make_up_cancel_forgiven)}</p> });
        view! {
            <form method="post">
                {means}
                <input type="hidden" name="act" value="cancel"/>
                <input type="hidden" name="make_up" value=id/>
                <Actions><Button tone=ButtonTone::Danger>{words}</Button></Actions>
            </form>
        }
    });
    let title = row.title.clone();
    // A guest checks in with the code of the seat for which they make up.
    let code = (row.mark().is_none() && cx.now < row.ends_at)
        .then(|| ticket::to_show(cx, &format!("/training/{}", row.home_id), row.enrolment_id, row.starts_at));
    view! {
        <div class="card stack">
            <p class="row"><strong>{title}</strong>{badge}</p>
            <p>{time}" · "{place}</p>
            {join}
            {code}
            {say(cx, row, said, sheet)}
            {cancel}
        </div>
    }
    .into_any()
}

/// Says in advance that one will be late or absent, as of a session of one's own class.
fn say(cx: &Cx, row: &MakeUpRow, said: Option<&store::Said>, sheet: &Sheet) -> Option<AnyView> {
    if row.mark().is_some() || cx.now >= row.ends_at {
        return None;
    }
    let id = row.id.to_string();
    let again = sheet.value("act") == "announce" && sheet.value("make_up") == id;
    let open = again || said.is_some();
    let (value, fault) = (
        |field: &str| if again { sheet.value(field).to_owned() } else { String::new() },
        |field: &str| if again { cx.fault(sheet, field) } else { None },
    );
    let stands = said.map(|said| {
        let (kind, back, id) = (said.kind.in_words(cx.fmt()), w!(cx, learning.withdraw), id.clone());
        let words = (!said.words.is_empty()).then(|| view! { <p class="soft pre">{said.words.clone()}</p> });
        view! {
            <p><Badge tone=Tone::Warn text=kind/></p>
            {words}
            <form method="post">
                <input type="hidden" name="act" value="withdraw"/>
                <input type="hidden" name="make_up" value=id/>
                <Actions><Button tone=ButtonTone::Quiet>{back}</Button></Actions>
            </form>
        }
    });
    let kinds = Announced::ALL.iter().map(|kind| Choice::new(kind.as_str(), kind.in_words(cx.fmt()))).collect();
    let chosen = if again { value("kind") } else { Announced::Late.as_str().to_owned() };
    let (kind_id, words_id) = (format!("kind-{id}"), format!("words-{id}"));
    let (kind_fault, words_fault, words) = (fault("kind"), fault("words"), value("words"));
    let (legend, label, send) = (w!(cx, learning.say_kind), w!(cx, learning.say_words), w!(cx, learning.say_send));
    let (lead, optional) = (w!(cx, learning.say_lead), Some(w!(cx, shell.optional)));
    Some(
        view! {
            <Fold title=w!(cx, learning.say_title) open>
                {stands}
                <p class="soft">{lead}</p>
                <form class="form" method="post" data-form="announce">
                    <input type="hidden" name="act" value="announce"/>
                    <input type="hidden" name="make_up" value=id/>
                    <ChoiceList name="kind" id=Some(kind_id) legend choices=kinds value=chosen fault=kind_fault compact=true/>
                    <TextArea name="words" id=Some(words_id) label value=words fault=words_fault rows=2 maxlength=Some(announce::WORDS) optional/>
                    <Actions><Button tone=ButtonTone::Quiet>{send}</Button></Actions>
                </form>
            </Fold>
        }
        .into_any(),
    )
}

fn missed(cx: &Cx, class: &ClassRow, number: usize, row: &SessionRow, hosts: &[HostRow], sheet: &Sheet) -> AnyView {
    let number = cx.fmt().number(i64::try_from(number).unwrap_or(0));
    let was = cx.fmt().date_time(row.starts_at, class.tz());
    let title = w!(cx, learning.missed_session, number = number, time = was);
    if hosts.is_empty() {
        let none = w!(cx, learning.no_host);
        return view! { <Section title><p>{none}</p></Section> }.into_any();
    }
    let choices = hosts
        .iter()
        .map(|host| {
            let time = cx.fmt().date_time(host.starts_at, host.tz());
            let place = if host.place.is_empty() { w!(cx, training.online) } else { host.place.clone() };
            let zone = w!(cx, training.time_in_zone, time = time, zone = words::zone(host.tz()));
            Choice { text: Some(format!("{} · {place}", host.title)), ..Choice::new(host.id.to_string(), zone) }
        })
        .collect();
    let id = row.id.to_string();
    let mine = sheet.value("missed") == id;
    let (value, fault) = match mine {
        true => (sheet.value("session").to_owned(), cx.fault(sheet, "session")),
        false => (String::new(), None),
    };
    let (legend, book) = (w!(cx, learning.where_to_make_up), w!(cx, learning.make_up_book));
    let field = format!("session-{id}");
    // Once the class has begun, no seat in it is given back anyway.
    let begun = class.policy().has_started(cx.now);
    let binds = (!begun).then(|| view! { <p class="soft small">{w!(cx, learning.make_up_binds)}</p> });
    view! {
        <Section title>
            <form class="form" method="post">
                <input type="hidden" name="missed" value=id/>
                <HiddenKey value=key()/>
                <ChoiceList name="session" id=Some(field) legend choices value fault required=true/>
                {binds}
                <Actions><Button tone=ButtonTone::Primary icon=Some(Icon::Check)>{book}</Button></Actions>
            </form>
        </Section>
    }
    .into_any()
}
