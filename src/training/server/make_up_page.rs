//! `/training/{class}/make-up`: the sessions that I missed, where each can be made up, and what is booked.

use super::{
    class_cards, make_ups,
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
    training::domain::EnrolmentState,
    ui::*,
    values::{ClassId, ClassSessionId, MakeUpId},
    w,
};
use axum::{Router, extract::Path, response::Response, routing::get};
use leptos::prelude::*;

pub fn routes() -> Router<App> {
    Router::new().route("/training/{class}/make-up", get(show).post(act))
}

/// How many places are offered for one session.
const OFFERED: usize = 12;

struct Shown {
    class: ClassRow,
    make_ups: Vec<MakeUpRow>,
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
    Ok(Shown { class, make_ups, forgiven, missed })
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
    let booked = booked(cx, shown);
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

fn booked(cx: &Cx, shown: &Shown) -> Option<AnyView> {
    if shown.make_ups.is_empty() {
        return None;
    }
    let rows = shown.make_ups.iter().map(|row| one(cx, row, shown.forgiven.contains(&row.id))).collect_view();
    Some(view! { <Section title=w!(cx, learning.make_up_booked)><Cards>{rows}</Cards></Section> }.into_any())
}

fn one(cx: &Cx, row: &MakeUpRow, forgiven: bool) -> AnyView {
    let time =
        w!(cx, training.time_in_zone, time = cx.fmt().date_time(row.starts_at, row.tz()), zone = words::zone(row.tz()));
    let place = if row.place.is_empty() { w!(cx, training.online) } else { row.place.clone() };
    let badge = row.mark().map(|mark| view! { <Badge text=mark.in_words(cx.fmt())/> });
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
            {code}
            {cancel}
        </div>
    }
    .into_any()
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
    view! {
        <Section title>
            <form class="form" method="post">
                <input type="hidden" name="missed" value=id/>
                <HiddenKey value=key()/>
                <ChoiceList name="session" id=Some(field) legend choices value fault required=true/>
                <Actions><Button tone=ButtonTone::Primary icon=Some(Icon::Check)>{book}</Button></Actions>
            </form>
        </Section>
    }
    .into_any()
}
