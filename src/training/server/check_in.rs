//! Checking in by the learner's own code: an address in a QR picture that the trainer's camera opens, or six characters
//! that are typed. Both name a seat and are made from the installation's key, so none is stored; they count on the days
//! of the class, for the staff who may mark it.

use super::{
    attend,
    plan::marked_from,
    portal::parse,
    shared::in_the_room,
    store::{self, ClassRow, EnrolmentRow, SessionRow},
    views, words,
};
use crate::{
    access::Act,
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
    training::domain::{EnrolmentState, Mark, Refusal, teaching},
    ui::*,
    values::{ClassId, ClassSessionId, EnrolmentId},
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

/// Whose seat a typed code is, among those who have one in the class.
pub async fn seat_of_code(tx: &mut Tx, cx: &Cx, class: ClassId, typed: &str) -> Result<EnrolmentId, AppError> {
    let typed = teaching::typed(typed);
    let people = store::of_class(tx, class).await?;
    let mut found =
        people.iter().filter(|row| row.state == EnrolmentState::Booked && secret::same(&code(&cx.app, row.id), &typed));
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row.id),
        // Two with one code: nobody is marked by chance.
        _ => Err(Refusal::CodeUnknown.into()),
    }
}

struct Shown {
    class: ClassRow,
    seat: EnrolmentRow,
    session: Option<SessionRow>,
    mark: Option<Mark>,
    here: usize,
    seats: usize,
}

async fn load(cx: &Cx, token: &str) -> Result<Shown, AppError> {
    cx.person()?;
    let id = read(&cx.app, token)?;
    let mut tx = cx.db().read().await?;
    let seat = store::enrolment(&mut tx, id).await?;
    let class = store::class(&mut tx, seat.class_id).await?;
    cx.may(Act::MarkAttendance, &in_the_room(&mut tx, cx, &class).await?)?;
    if seat.state != EnrolmentState::Booked {
        return Err(AppError::NotFound);
    }
    let sessions = store::sessions(&mut tx, class.id).await?;
    let session = of_today(cx, &class, &sessions).cloned();
    let (mut mark, mut here) = (None, 0);
    if let Some(session) = &session {
        mark = store::mark(&mut tx, id, session.id).await?;
        let marks = store::marks(&mut tx, class.id).await?;
        here = marks.iter().filter(|row| row.session_id == session.id && row.mark.is_here()).count();
    }
    let people = store::of_class(&mut tx, class.id).await?;
    let seats = people.iter().filter(|row| row.state == EnrolmentState::Booked).count();
    Ok(Shown { class, seat, session, mark, here, seats })
}

async fn show(cx: Cx, Path(token): Path<String>) -> Result<Response, AppError> {
    let shown = load(&cx, &token).await?;
    Ok(page(&cx, &shown, &Sheet::default()))
}

fn page(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Response {
    let Shown { class, seat, session, mark, here, seats } = shown;
    let room = session.as_ref().map_or_else(
        || format!("{}/room", class.desk_path()),
        |s| format!("{}/room?session={}", class.desk_path(), s.id),
    );
    cx.sheet_page(sheet, Frame::Desk(DeskTab::Classes), seat.person_name.clone(), || {
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
        let count = w!(fmt, teaching.here, here = fmt.number(int(*here)), seats = fmt.number(int(*seats)));
        view! {
            <PageHead title=seat.person_name.clone() lead=Some(lead) back=Some((room, w!(cx, teaching.room)))/>
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
            let to = format!("{}/room?session={session}#e-{}", shown.class.desk_path(), shown.seat.id);
            Ok(cx.redirect(&to, Some(Notice::CheckedIn)))
        }
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            Ok(page(&cx, &load(&cx, &token).await?, &sheet))
        }
    }
}

async fn mark(cx: &Cx, shown: &Shown, form: &Form) -> Result<ClassSessionId, AppError> {
    let session = shown.session.as_ref().ok_or(Refusal::NotToday)?.id;
    let was = match form.text("was") {
        "none" => None,
        word => word.parse().ok(),
    };
    attend::mark(cx, shown.class.id, session, shown.seat.id, Some(was), Some(Mark::Present)).await?;
    Ok(session)
}
