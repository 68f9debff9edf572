//! Checking in by the learner's own code: an address in a QR picture that the trainer's camera opens, or six characters
//! that are typed. Both name a seat and are made from the installation's key, so none is stored; they count on the days
//! of the class, for the staff who may mark it.

use super::{
    attend, make_ups,
    plan::marked_from,
    portal::parse,
    shared::in_the_room,
    store::{self, ClassRow, MakeUpRow, SessionRow},
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
    let sessions = store::sessions(tx, own.id).await?;
    let mut session = of_today(cx, &own, &sessions).cloned();
    // Whose own class has no session today may be a guest of another today.
    let guest = match session {
        Some(_) => None,
        None => store::make_ups(tx, id).await?.into_iter().find(|row| is_today(cx, row)),
    };
    let (class, who, mut mark) = match &guest {
        Some(row) => (store::class(tx, row.class_id).await?, Who::Guest(row.id), row.mark()),
        None => (own, Who::Seat(id), None),
    };
    let (act, subject) = match &guest {
        Some(row) => (Act::MarkMakeUp, Subject::of(row.person_id)),
        None => (Act::MarkAttendance, Subject::nobody()),
    };
    cx.may(act, &subject.assigned_to(in_the_room(tx, cx, &class).await?.assigned))?;
    if let Some(row) = &guest {
        session = store::sessions(tx, class.id).await?.into_iter().find(|session| session.id == row.session_id);
    }
    let (mut here, mut guests) = (0, Vec::new());
    if let Some(session) = &session {
        let marks = store::marks(tx, class.id).await?.into_iter().filter(|row| row.session_id == session.id);
        let marks: Vec<_> = marks.collect();
        if guest.is_none() {
            mark = marks.iter().find(|row| row.enrolment_id == id).map(|row| row.mark);
        }
        guests = store::guests(tx, class.id).await?;
        guests.retain(|row| row.session_id == session.id);
        here = marks.iter().filter(|row| row.mark.is_here()).count();
        here += guests.iter().filter(|row| row.mark().is_some_and(Mark::is_here)).count();
    }
    let people = store::of_class(tx, class.id).await?;
    let seats = people.iter().filter(|row| row.state == EnrolmentState::Booked).count() + guests.len();
    Ok(Shown { class, who, name: seat.person_name, session, mark, here, seats })
}

/// Whether a make-up is on this day where it is held, in a class that takes place.
fn is_today(cx: &Cx, row: &MakeUpRow) -> bool {
    let day = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&row.tz()).date_naive();
    day(row.starts_at) == day(cx.now) && row.class_state != ClassState::Cancelled
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
