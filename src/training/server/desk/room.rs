//! The room: who is here, on a phone in one hand. One tap on a name marks it present; a marked name opens the other
//! marks. Every tap is a small form that comes back to the same name, so it needs no script.

use super::FRAME;
use crate::{
    access::{Act, Subject},
    error::{AppError, Fault, Faults},
    i18n::InWords,
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
        query::Query,
    },
    training::{
        domain::{ClassState, EnrolmentState, Mark},
        server::{
            check_in::{self, Who, int},
            plan::marked_from,
            portal::parse,
            shared::in_the_room,
            store::{self, AnnouncementRow, ClassRow, LastMark, SessionRow},
            views, words,
        },
    },
    ui::*,
    values::{ClassId, ClassSessionId},
    w,
};
use axum::{extract::Path, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use std::collections::HashMap;

/// Which session it is about.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    session: String,
}

struct Shown {
    class: ClassRow,
    sessions: Vec<SessionRow>,
    session: Option<SessionRow>,
    people: Vec<Present>,
    last: Option<LastMark>,
}

/// Somebody who belongs into the room in this session.
struct Present {
    who: Who,
    name: String,
    /// The class that a guest missed.
    guest_of: Option<String>,
    /// What they said in advance.
    said: Option<AnnouncementRow>,
    mark: Option<Mark>,
}

async fn load(cx: &Cx, id: ClassId, session: &str) -> Result<Shown, AppError> {
    let mut tx = cx.db().read().await?;
    let class = store::class(&mut tx, id).await?;
    cx.may(Act::MarkAttendance, &in_the_room(&mut tx, cx, &class).await?)?;
    let sessions = store::sessions(&mut tx, id).await?;
    let asked = session.parse::<ClassSessionId>().ok();
    let session = sessions
        .iter()
        .find(|row| asked == Some(row.id))
        .or_else(|| check_in::of_today(cx, &class, &sessions))
        .or_else(|| sessions.iter().find(|row| cx.now < row.ends_at))
        .or(sessions.last())
        .cloned();
    let seated = store::of_class(&mut tx, id).await?.into_iter().filter(|row| row.state == EnrolmentState::Booked);
    let (mut marks, mut guests, mut last, mut said) = (HashMap::new(), Vec::new(), None, HashMap::new());
    if let Some(session) = &session {
        let of_session = store::marks(&mut tx, id).await?.into_iter().filter(|row| row.session_id == session.id);
        marks = of_session.map(|row| (row.enrolment_id, row.mark)).collect();
        guests = store::guests(&mut tx, id).await?;
        guests.retain(|row| row.session_id == session.id);
        let all = store::announcements(&mut tx, id).await?.into_values();
        said = all.filter(|row| row.session_id == session.id).map(|row| (row.enrolment_id, row)).collect();
        last = store::last_mark(&mut tx, session.id, cx.person()?.id).await?;
    }
    let seated = seated.map(|row| Present {
        who: Who::Seat(row.id),
        name: row.person_name,
        guest_of: None,
        said: said.get(&row.id).cloned(),
        mark: marks.get(&row.id).copied(),
    });
    let guests = guests.into_iter().map(|row| Present {
        who: Who::Guest(row.id),
        said: said.get(&row.enrolment_id).cloned(),
        mark: row.mark(),
        name: row.person_name,
        guest_of: Some(row.home_title),
    });
    let people = seated.chain(guests).collect();
    Ok(Shown { class, sessions, session, people, last })
}

pub async fn show(cx: Cx, Path(id): Path<String>, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let shown = load(&cx, parse(&id)?, &asked.session).await?;
    Ok(page(&cx, &shown, &Sheet::default()))
}

pub async fn act(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    cx.person()?;
    let id: ClassId = parse(&id)?;
    let session = form.text("session").to_owned();
    match run(&cx, id, &form).await {
        Ok(Done { session, who, notice }) => {
            let to = format!("/desk/classes/{id}/room?session={session}#{}", who.anchor());
            Ok(cx.redirect(&to, notice))
        }
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            Ok(page(&cx, &load(&cx, id, &session).await?, &sheet))
        }
    }
}

/// What was done: where to go on, and whether there is something to say that the row does not say itself.
struct Done {
    session: ClassSessionId,
    who: Who,
    notice: Option<Notice>,
}

async fn run(cx: &Cx, id: ClassId, form: &Form) -> Result<Done, AppError> {
    let mut faults = Faults::default();
    let session: ClassSessionId = parse(form.text("session"))?;
    match form.text("act") {
        "code" => {
            let typed = form.words("code", 40, &mut faults);
            faults.check()?;
            let mut tx = cx.db().read().await?;
            let class = store::class(&mut tx, id).await?;
            cx.may(Act::MarkAttendance, &in_the_room(&mut tx, cx, &class).await?)?;
            let who = check_in::who_of_code(&mut tx, cx, id, session, &typed).await?;
            drop(tx);
            check_in::set(cx, id, session, who, None, Some(Mark::Present)).await?;
            Ok(Done { session, who, notice: Some(Notice::CheckedIn) })
        }
        "undo" => {
            let saw = form.parse::<Mark>("saw", &mut faults, Fault::NotAChoice);
            faults.check()?;
            let saw = saw.ok_or_else(|| Faults::only("saw", Fault::Required))?;
            let who = named(form)?;
            check_in::undo(cx, id, session, who, saw).await?;
            Ok(Done { session, who, notice: Some(Notice::MarkTakenBack) })
        }
        "mark" => {
            let mark = form.optional::<Mark>("mark", &mut faults, Fault::NotAChoice);
            faults.check()?;
            let was = match form.text("was") {
                "" => None,
                "none" => Some(None),
                word => Some(word.parse().ok()),
            };
            let who = named(form)?;
            check_in::set(cx, id, session, who, was, mark).await?;
            Ok(Done { session, who, notice: None })
        }
        _ => Err(Faults::only("act", Fault::NotAChoice)),
    }
}

/// Whom a form is about.
fn named(form: &Form) -> Result<Who, AppError> {
    Ok(match form.text("guest") {
        "" => Who::Seat(parse(form.text("enrolment"))?),
        guest => Who::Guest(parse(guest)?),
    })
}

fn page(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Response {
    cx.sheet_page(sheet, FRAME, w!(cx, teaching.room), || view_of(cx, shown, sheet))
}

fn view_of(cx: &Cx, shown: &Shown, sheet: &Sheet) -> AnyView {
    let (fmt, class) = (cx.fmt(), &shown.class);
    let trainer = Subject::nobody().assigned_to(Some(class.trainer_id));
    let back = match cx.viewer.can(Act::ReadRoster, &trainer) {
        true => (class.desk_path(), class.title.clone()),
        // Whoever helps comes from their own day.
        false => ("/desk".to_owned(), w!(fmt, shell.today)),
    };
    let back = Some(back);
    let Some(session) = &shown.session else {
        return view! { <PageHead title=w!(fmt, teaching.room) back/> }.into_any();
    };
    let open = matches!(class.state, ClassState::Open | ClassState::Running);
    let markable = open && cx.now >= marked_from(session.starts_at);
    let here = shown.people.iter().filter(|row| row.mark.is_some_and(Mark::is_here)).count();
    let count = w!(fmt, teaching.here, here = fmt.number(int(here)), seats = fmt.number(int(shown.people.len())));
    let early = (open && !markable).then(|| {
        let from = fmt.date_time(marked_from(session.starts_at), class.tz());
        view! { <Alert tone=Tone::Info><p>{w!(fmt, training.refusal_too_early, time = from)}</p></Alert> }
    });
    let empty = shown.people.is_empty().then(|| view! { <p class="soft">{w!(fmt, training.roster_empty)}</p> });
    let rows = shown.people.iter().map(|row| person(cx, row, session, markable)).collect_view();
    let join = class.link.as_deref().map(|link| view! { <p>{views::join_online(cx, link)}</p> });
    let lead = format!("{} · {}", class.title, fmt.date_time(session.starts_at, class.tz()));
    view! {
        <PageHead title=w!(fmt, teaching.room) lead=Some(lead) back/>
        {views::faults(cx, sheet, class.tz())}
        {join}
        {tabs(cx, shown, session)}
        {early}
        <div class="room-head">
            <p class="room-count">{count}</p>
            {markable.then(|| undo(cx, shown, session)).flatten()}
        </div>
        {empty}
        <ul class="room" role="list">{rows}</ul>
        {markable.then(|| by_code(cx, session, sheet))}
    }
    .into_any()
}

fn tabs(cx: &Cx, shown: &Shown, session: &SessionRow) -> Option<AnyView> {
    (shown.sessions.len() > 1).then(|| {
        let tab = |(at, row): (usize, &SessionRow)| Tab {
            href: format!("{}/room?session={}", shown.class.desk_path(), row.id),
            label: w!(cx, training.session_number, number = cx.fmt().number(int(at + 1))),
            current: row.id == session.id,
        };
        let tabs = shown.sessions.iter().enumerate().map(tab).collect();
        view! { <Tabs label=w!(cx, training.when) tabs/> }.into_any()
    })
}

/// The last tap can be taken back, by whoever tapped.
fn undo(cx: &Cx, shown: &Shown, session: &SessionRow) -> Option<AnyView> {
    let last = shown.last.as_ref()?;
    let (field, id) = last.who.field();
    let label = w!(cx, teaching.undo, name = last.name.clone(), mark = last.mark.in_words(cx.fmt()));
    Some(
        view! {
            <form id="undo" method="post">
                <input type="hidden" name="act" value="undo"/>
                <input type="hidden" name="session" value=session.id.to_string()/>
                <input type="hidden" name=field value=id/>
                <input type="hidden" name="saw" value=last.mark.as_str()/>
                <Button tone=ButtonTone::Quiet icon=Some(Icon::Back)>{label}</Button>
            </form>
        }
        .into_any(),
    )
}

fn person(cx: &Cx, row: &Present, session: &SessionRow, markable: bool) -> AnyView {
    let fmt = cx.fmt();
    let now = row.mark;
    let name = row.name.clone();
    let anchor = row.who.anchor();
    let badge = now.map(|mark| view! { <Badge tone=words::mark_tone(mark) text=mark.in_words(fmt)/> });
    let guest = row.guest_of.clone().map(|title| {
        let from = w!(fmt, learning.guest_from, title = title);
        view! { <span class="soft small">{w!(fmt, teaching.guest)}" · "{from}</span> }
    });
    let said = row.said.as_ref().map(|said| {
        let words = (!said.words.is_empty()).then(|| view! { <span class="soft small">{said.words.clone()}</span> });
        view! { <Badge tone=Tone::Warn text=said.kind.in_words(fmt)/>{words} }
    });
    if !markable {
        return view! { <li class="room-row" id=anchor><span class="room-tap"><span class="room-name"><strong>{name}</strong>{guest}{said}</span>{badge}</span></li> }
            .into_any();
    }
    let (field, id) = row.who.field();
    let hidden = || {
        view! {
            <input type="hidden" name="act" value="mark"/>
            <input type="hidden" name="session" value=session.id.to_string()/>
            <input type="hidden" name=field value=id.clone()/>
            <input type="hidden" name="was" value=now.map_or("none", Mark::as_str)/>
        }
    };
    let others = Mark::ALL
        .iter()
        // Who makes a session up is there or is not.
        .filter(|mark| row.guest_of.is_none() || **mark != Mark::Excused)
        .filter(|mark| now != Some(**mark) && (now.is_some() || **mark != Mark::Present))
        .map(|mark| {
            let words = mark.in_words(fmt);
            view! { <Button tone=ButtonTone::Quiet name="mark" value=mark.as_str().to_owned()>{words}</Button> }
        })
        .collect_view();
    let clear = now.map(|_| {
        view! { <Button tone=ButtonTone::Quiet name="mark" value=String::new() icon=Some(Icon::Cross)>{w!(fmt, teaching.no_mark)}</Button> }
    });
    let more = view! {
        <form method="post" class="room-marks" aria-label=name.clone()>
            {hidden()}
            {others}
            {clear}
        </form>
    };
    if now.is_some() {
        return view! {
            <li class="room-row" id=anchor data-marked="">
                <details>
                    <summary class="room-tap"><span class="room-name"><strong>{name}</strong>{guest}{said}</span>{badge}</summary>
                    {more}
                </details>
            </li>
        }
        .into_any();
    }
    let other = w!(fmt, teaching.other_mark, name = name.clone());
    view! {
        <li class="room-row" id=anchor>
            <form method="post" class="room-mark">
                {hidden()}
                <button class="room-tap" type="submit" name="mark" value="present"><span class="room-name"><strong>{name}</strong>{guest}{said}</span><Icon name=Icon::Check/></button>
            </form>
            <details class="room-more">
                <summary><span class="visually-hidden">{other}</span><Icon name=Icon::Menu/></summary>
                {more}
            </details>
        </li>
    }
    .into_any()
}

fn by_code(cx: &Cx, session: &SessionRow, sheet: &Sheet) -> AnyView {
    let fmt = cx.fmt();
    let typed = sheet.value("act") == "code";
    let value = if typed { sheet.value("code").to_owned() } else { String::new() };
    let fault = cx.fault(sheet, "code");
    let session = session.id.to_string();
    view! {
        <Fold title=w!(fmt, teaching.code_title) open=typed>
            <form id="check-in-code" class="form" method="post">
                <input type="hidden" name="act" value="code"/>
                <input type="hidden" name="session" value=session/>
                <Field name="code" label=w!(fmt, teaching.code_label) value fault hint=Some(w!(fmt, teaching.code_hint)) autocomplete="off"
                    enterkeyhint="done" maxlength=Some(40) required=true/>
                <Actions><Button tone=ButtonTone::Quiet>{Mark::Present.in_words(fmt)}</Button></Actions>
            </form>
        </Fold>
    }
    .into_any()
}
