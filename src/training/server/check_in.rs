//! Checking in by the learner's own code: an address in a QR picture that the trainer's camera opens, or six characters
//! that are typed. Both name a seat and are made from the installation's key, so none is stored; they count on the days
//! of the class, for the staff who may mark it.

use super::{
    attend, make_ups,
    plan::marked_from,
    portal::parse,
    shared::in_the_room,
    store::{self, ClassRow, SessionRow},
    views, words,
};
use crate::{
    access::{Act, Subject},
    db::Tx,
    error::AppError,
    i18n::InWords,
    server::{
        App, Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::{DeskTab, Frame},
        secret,
    },
    training::domain::{ClassState, EnrolmentState, Mark, Refusal, teaching},
    ui::*,
    values::{ClassId, ClassSessionId, EnrolmentId, MakeUpId},
    w,
};
use axum::{Router, extract::Path, response::Response, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use leptos::prelude::*;

/// The address that a code opens.
pub fn routes() -> Router<App> {
    Router::new().route("/desk/check-in/{token}", get(show).post(present))
}

/// So much of a tag is in the address: 128 bits, and a picture that a camera reads from afar.
const TAG: usize = 22;

/// The path that a seat's QR code leads to.
pub fn path(app: &App, seat: EnrolmentId) -> String {
    format!("/desk/check-in/{seat}.{}", &tag(app, seat)[..TAG])
}

fn tag(app: &App, seat: EnrolmentId) -> String {
    app.secret.tag("check-in", &seat.to_string())
}

/// The six characters of a seat.
pub fn code(app: &App, seat: EnrolmentId) -> String {
    let tag = app.secret.tag("check-in code", &seat.to_string());
    teaching::spoken(&URL_SAFE_NO_PAD.decode(tag).unwrap_or_default())
}

fn read(app: &App, token: &str) -> Result<EnrolmentId, AppError> {
    let (seat, given) = token.split_once('.').ok_or(AppError::NotFound)?;
    let seat: EnrolmentId = parse(seat)?;
    if secret::same(given, &tag(app, seat)[..TAG]) { Ok(seat) } else { Err(AppError::NotFound) }
}

/// The session of today that somebody checks in to.
pub fn of_today<'a>(cx: &Cx, class: &ClassRow, sessions: &'a [SessionRow]) -> Option<&'a SessionRow> {
    let day = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&class.tz()).date_naive();
    let days: Vec<_> = sessions.iter().map(|session| (day(session.starts_at), session.span())).collect();
    teaching::of_the_day(&days, day(cx.now), cx.now).map(|place| &sessions[place])
}

/// Who is checked in: somebody with a seat in the class, or a guest who makes a session up there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Seat(EnrolmentId),
    Guest(MakeUpId),
}

impl Who {
    /// By the field of a form that names them, and their number in it.
    pub fn field(self) -> (&'static str, String) {
        match self {
            Self::Seat(id) => ("enrolment", id.to_string()),
            Self::Guest(id) => ("guest", id.to_string()),
        }
    }

    /// Where their row is on the page of the room.
    pub fn anchor(self) -> String {
        match self {
            Self::Seat(id) => format!("e-{id}"),
            Self::Guest(id) => format!("g-{id}"),
        }
    }
}

/// Whose a typed code is, among those who have a seat in the class or are guests of the session.
pub async fn who_of_code(
    tx: &mut Tx,
    cx: &Cx,
    class: ClassId,
    session: ClassSessionId,
    typed: &str,
) -> Result<Who, AppError> {
    let typed = teaching::typed(typed);
    let people = store::of_class(tx, class).await?.into_iter().filter(|row| row.state == EnrolmentState::Booked);
    let guests = store::guests(tx, class).await?.into_iter().filter(|row| row.session_id == session);
    let all =
        people.map(|row| (row.id, Who::Seat(row.id))).chain(guests.map(|row| (row.enrolment_id, Who::Guest(row.id))));
    let mut found = all.filter(|(seat, _)| secret::same(&code(&cx.app, *seat), &typed));
    match (found.next(), found.next()) {
        (Some((_, who)), None) => Ok(who),
        // Two with one code: nobody is marked by chance.
        _ => Err(Refusal::CodeUnknown.into()),
    }
}

struct Shown {
    class: ClassRow,
    who: Who,
    name: String,
    session: Option<SessionRow>,
    mark: Option<Mark>,
    here: usize,
    seats: usize,
}

async fn load(cx: &Cx, token: &str) -> Result<Shown, AppError> {
    cx.person()?;
    let id = read(&cx.app, token)?;
    let mut tx = cx.db().read().await?;
    let tx = &mut tx;
    let seat = store::enrolment(tx, id).await?;
    if seat.state != EnrolmentState::Booked {
        return Err(AppError::NotFound);
    }
    let own = store::class(tx, seat.class_id).await?;
    let mut doors = doors(tx, cx, &own, id).await?;
    let times: Vec<_> = doors.iter().map(|door| (door.session.span(), door.mark.is_some())).collect();
    let Some(place) = teaching::to_check_in(&times, cx.now) else {
        cx.may(Act::MarkAttendance, &in_the_room(tx, cx, &own).await?)?;
        let people = store::of_class(tx, own.id).await?;
        let seats = people.iter().filter(|row| row.state == EnrolmentState::Booked).count();
        let (who, name) = (Who::Seat(id), seat.person_name);
        return Ok(Shown { class: own, who, name, session: None, mark: None, here: 0, seats });
    };
    let Door { class, who, session, mark } = doors.swap_remove(place);
    let marks = store::marks(tx, class.id).await?;
    let mut guests = store::guests(tx, class.id).await?;
    guests.retain(|row| row.session_id == session.id);
    let here = marks.iter().filter(|row| row.session_id == session.id && row.mark.is_here()).count()
        + guests.iter().filter(|row| row.mark().is_some_and(Mark::is_here)).count();
    let people = store::of_class(tx, class.id).await?;
    let seats = people.iter().filter(|row| row.state == EnrolmentState::Booked).count() + guests.len();
    Ok(Shown { class, who, name: seat.person_name, session: Some(session), mark, here, seats })
}

/// A session of today that somebody comes for.
struct Door {
    class: ClassRow,
    who: Who,
    session: SessionRow,
    mark: Option<Mark>,
}

/// Where the viewer may check a seat in today: to sessions of its own class, and to those that it makes up elsewhere.
async fn doors(tx: &mut Tx, cx: &Cx, own: &ClassRow, seat: EnrolmentId) -> Result<Vec<Door>, AppError> {
    let today =
        |at: DateTime<Utc>, tz: Tz| at.with_timezone(&tz).date_naive() == cx.now.with_timezone(&tz).date_naive();
    let mut doors = Vec::new();
    if cx.viewer.can(Act::MarkAttendance, &in_the_room(tx, cx, own).await?) {
        let marks = store::marks(tx, own.id).await?;
        for session in store::sessions(tx, own.id).await?.into_iter().filter(|one| today(one.starts_at, own.tz())) {
            let mark = marks.iter().find(|row| row.enrolment_id == seat && row.session_id == session.id);
            let mark = mark.map(|row| row.mark);
            doors.push(Door { class: own.clone(), who: Who::Seat(seat), session, mark });
        }
    }
    for row in store::make_ups(tx, seat).await? {
        if !today(row.starts_at, row.tz()) || row.class_state == ClassState::Cancelled {
            continue;
        }
        let class = store::class(tx, row.class_id).await?;
        let room = in_the_room(tx, cx, &class).await?;
        let session = store::sessions(tx, class.id).await?.into_iter().find(|one| one.id == row.session_id);
        if let Some(session) = session
            && cx.viewer.can(Act::MarkMakeUp, &Subject::of(row.person_id).assigned_to(room.assigned))
        {
            doors.push(Door { class, who: Who::Guest(row.id), session, mark: row.mark() });
        }
    }
    Ok(doors)
}

async fn show(cx: Cx, Path(token): Path<String>) -> Result<Response, AppError> {
    let shown = load(&cx, &token).await?;
    Ok(page(&cx, &shown, &Sheet::default()))
}

fn page(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Response {
    let Shown { class, who, name, session, mark, here, seats } = shown;
    let room = session.as_ref().map_or_else(
        || format!("{}/room", class.desk_path()),
        |s| format!("{}/room?session={}", class.desk_path(), s.id),
    );
    cx.sheet_page(sheet, Frame::Desk(DeskTab::Classes), name.clone(), || {
        let fmt = cx.fmt();
        let body = match session {
            None => view! { <Alert tone=Tone::Warn><p>{w!(fmt, teaching.refusal_not_today)}</p></Alert> }.into_any(),
            Some(session) if cx.now < marked_from(session.starts_at) => {
                let from = marked_from(session.starts_at);
                let text = words::refusal(fmt, class.tz(), &Refusal::TooEarlyToMark { from });
                view! { <Alert tone=Tone::Warn><p>{text}</p></Alert> }.into_any()
            }
            Some(_) if *mark == Some(Mark::Present) => {
                let text = mark.map(|mark| mark.in_words(fmt));
                view! { <Alert tone=Tone::Good><p>{text}</p></Alert> }.into_any()
            }
            Some(session) => {
                let was = mark.map(|mark| view! { <p>{mark.in_words(fmt)}</p> });
                let present = Mark::Present.in_words(fmt);
                view! {
                    {was}
                    <form id="check-in" class="form" method="post">
                        <input type="hidden" name="session" value=session.id.to_string()/>
                        <input type="hidden" name="was" value=mark.map_or("none", Mark::as_str)/>
                        <Button icon=Some(Icon::Check)>{present}</Button>
                    </form>
                }
                .into_any()
            }
        };
        let time = session.as_ref().map(|session| fmt.date_time(session.starts_at, class.tz()));
        let lead = time.map_or_else(|| class.title.clone(), |time| format!("{} · {time}", class.title));
        let guest =
            matches!(who, Who::Guest(_)).then(|| view! { <Badge tone=Tone::Info text=w!(fmt, teaching.guest)/> });
        let count = w!(fmt, teaching.here, here = fmt.number(int(*here)), seats = fmt.number(int(*seats)));
        view! {
            <PageHead title=name.clone() lead=Some(lead) back=Some((room, w!(cx, teaching.room)))>{guest}</PageHead>
            {views::faults(cx, sheet, class.tz())}
            <Card>{body}</Card>
            <p class="soft">{count}</p>
        }
    })
}

/// A count as formats take it.
pub fn int(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

async fn present(cx: Cx, Path(token): Path<String>, form: Form) -> Result<Response, AppError> {
    let shown = load(&cx, &token).await?;
    match mark(&cx, &shown, &form).await {
        Ok(session) => {
            let to = format!("{}/room?session={session}#{}", shown.class.desk_path(), shown.who.anchor());
            Ok(cx.redirect(&to, Some(Notice::CheckedIn)))
        }
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            Ok(page(&cx, &load(&cx, &token).await?, &sheet))
        }
    }
}

/// Marks whoever it is, a learner of the class or a guest, the same way.
pub async fn set(
    cx: &Cx,
    class: ClassId,
    session: ClassSessionId,
    who: Who,
    was: Option<Option<Mark>>,
    mark: Option<Mark>,
) -> Result<(), AppError> {
    match who {
        Who::Seat(seat) => attend::mark(cx, class, session, seat, was, mark).await,
        Who::Guest(make_up) => make_ups::mark(cx, make_up, was, mark).await.map(|_| ()),
    }
}

/// Takes the last mark of whoever it is back.
pub async fn undo(cx: &Cx, class: ClassId, session: ClassSessionId, who: Who, saw: Mark) -> Result<(), AppError> {
    match who {
        Who::Seat(seat) => attend::undo(cx, class, session, seat, saw).await,
        Who::Guest(make_up) => make_ups::undo(cx, make_up, saw).await.map(|_| ()),
    }
}

async fn mark(cx: &Cx, shown: &Shown, form: &Form) -> Result<ClassSessionId, AppError> {
    let session = shown.session.as_ref().ok_or(Refusal::NotToday)?.id;
    let was = match form.text("was") {
        "none" => None,
        word => word.parse().ok(),
    };
    set(cx, shown.class.id, session, shown.who, Some(was), Some(Mark::Present)).await?;
    Ok(session)
}
