//! Calendar files: one class to be added by hand, and the private feed of a person's classes.

use super::{
    invitations::{self, Seat},
    portal::parse,
    store::{self, ClassRow, MakeUpRow, MineRow, SessionRow},
    words,
};
use crate::{
    calendar::{
        domain::Span,
        server::{
            feed,
            ics::{self, Entry, Method, Status},
        },
    },
    error::AppError,
    i18n,
    people::server::store as people,
    server::{App, Cx},
    training::domain::{ClassState, EnrolmentState},
    values::{ClassId, PersonId},
    w,
};
use axum::{
    Router,
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::Duration;
use std::collections::HashMap;

/// The addresses of calendar files.
pub fn routes() -> Router<App> {
    Router::new().route("/training/{class}/calendar.ics", get(of_class)).route("/calendar/{file}", get(of_person))
}

/// What ended stays in the feed for so long, so that every program has taken it out.
const ENDED: Duration = Duration::days(90);

async fn of_class(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let person = cx.person()?.id;
    let id: ClassId = parse(&id)?;
    let mut tx = cx.db().read().await?;
    let class = store::class(&mut tx, id).await?;
    if class.state == ClassState::Draft {
        return Err(AppError::NotFound);
    }
    let sessions = store::sessions(&mut tx, id).await?;
    // Whoever has a seat gets the appointments of their invitation, and whoever waits for one what the feed says of it: a
    // program that has those keeps one of each.
    let entries: Vec<Entry> = match store::active(&mut tx, id, person).await? {
        Some(row) if row.state == EnrolmentState::Booked => {
            let seat = Seat { class: &class, id: row.id, person };
            sessions.iter().map(|session| invitations::entry(&cx, seat, session, Method::Request)).collect()
        }
        Some(row) => {
            let row = store::of_place(&mut tx, row.id, cx.now).await?;
            sessions.iter().map(|session| my_entry(&cx, &row, session)).collect()
        }
        None => sessions.iter().map(|session| class_entry(&cx, &class, session)).collect(),
    };
    Ok(answer(&ics::file(&class.title, &entries), "class.ics"))
}

fn class_entry(cx: &Cx, class: &ClassRow, session: &SessionRow) -> Entry {
    Entry {
        uid: uid(session),
        sequence: u32::try_from(class.sequence).unwrap_or(u32::MAX),
        changed: class.changed_at,
        span: session.span(),
        zone: class.tz(),
        title: class.title.clone(),
        text: class.summary.clone(),
        place: place(cx, words::place(class)),
        url: cx.app.config.address(&class.path()),
        status: if class.state == ClassState::Cancelled { Status::Cancelled } else { Status::Confirmed },
    }
}

/// The feed asks for no sign-in: calendar programs cannot. Its address is the secret.
async fn of_person(cx: Cx, Path(file): Path<String>) -> Result<Response, AppError> {
    let token = file.strip_suffix(".ics").ok_or(AppError::NotFound)?;
    let mut tx = cx.db().read().await?;
    let person = feed::owner(&mut tx, token).await?.ok_or(AppError::NotFound)?;
    // The program that asks speaks for nobody: it is the owner who reads.
    let chosen = people::by_id(&mut tx, person).await?.and_then(|owner| owner.language);
    let cx = Cx { locale: chosen.as_deref().and_then(i18n::locale).unwrap_or(cx.locale), ..cx };
    let since = cx.now - ENDED;
    let mut classes: HashMap<ClassId, MineRow> = HashMap::new();
    for row in store::for_feed(&mut tx, person, since).await? {
        // Of several places in a class the one that stands, else the last that ended.
        if !classes.get(&row.class_id).is_some_and(|known| known.state.is_active()) {
            classes.insert(row.class_id, row);
        }
    }
    let sessions = store::feed_sessions(&mut tx, person, since).await?;
    let mut seen = std::collections::HashSet::new();
    let make_ups = store::make_ups_coming(&mut tx, person, since).await?;
    let mut entries: Vec<Entry> = sessions
        .iter()
        .filter(|session| seen.insert(session.id))
        .filter_map(|session| Some(my_entry(&cx, classes.get(&session.class_id)?, session)))
        .collect();
    entries.extend(make_ups.iter().map(|row| make_up_entry(&cx, row)));
    for class in store::taught(&mut tx, person, since).await? {
        let sessions = store::sessions(&mut tx, class.id).await?;
        entries.extend(sessions.iter().map(|session| taught_entry(&cx, person, &class, session)));
    }
    Ok(answer(&ics::file(&w!(cx, training.feed_name), &entries), "classes.ics"))
}

/// What the reader teaches or helps in; what is only planned is tentative.
fn taught_entry(cx: &Cx, reader: PersonId, class: &ClassRow, session: &SessionRow) -> Entry {
    let status = match class.state {
        ClassState::Cancelled => Status::Cancelled,
        ClassState::Draft => Status::Tentative,
        ClassState::Open | ClassState::Running | ClassState::Completed => Status::Confirmed,
    };
    let (text, path) = match class.trainer_id == reader {
        true => (w!(cx, teaching.you_teach), class.desk_path()),
        false => (w!(cx, teaching.you_help), format!("{}/room", class.desk_path())),
    };
    let (text, place) = invitations::with_link(&text, words::place(class), class.link.as_deref());
    let uid = invitations::uid(reader.0, session.id);
    Entry { uid, text, place, url: cx.app.config.address(&path), status, ..class_entry(cx, class, session) }
}

fn my_entry(cx: &Cx, row: &MineRow, session: &SessionRow) -> Entry {
    let status = match (row.class_state, row.state) {
        (ClassState::Cancelled, _) | (_, EnrolmentState::Cancelled | EnrolmentState::CancelledLate) => {
            Status::Cancelled
        }
        (_, EnrolmentState::Booked) => Status::Confirmed,
        (_, EnrolmentState::Waitlisted | EnrolmentState::Offered) => Status::Tentative,
    };
    let parts = [row.address.as_deref().unwrap_or_default(), row.place.as_str()];
    let venue: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    // Who waits, or has no seat any more, does not learn where to go on line.
    let link = row.link.as_deref().filter(|_| status == Status::Confirmed);
    let (text, venue) = invitations::with_link("", venue.join(", "), link);
    // Programs take a cancellation only with a higher sequence than what they have.
    let told = i64::from(status == Status::Cancelled && row.class_state != ClassState::Cancelled);
    Entry {
        uid: invitations::uid(row.enrolment_id.0, session.id),
        sequence: u32::try_from(row.sequence + told).unwrap_or(u32::MAX),
        changed: row.since.max(row.changed_at),
        span: session.span(),
        zone: row.tz(),
        title: row.title.clone(),
        text,
        place: place(cx, venue),
        url: cx.app.config.address(&row.path()),
        status,
    }
}

/// A session that is made up as a guest.
fn make_up_entry(cx: &Cx, row: &MakeUpRow) -> Entry {
    let (text, venue) = invitations::with_link(&w!(cx, learning.make_up), row.place.clone(), row.link.as_deref());
    Entry {
        uid: invitations::uid(row.id.0, row.session_id),
        sequence: u32::try_from(row.sequence).unwrap_or(u32::MAX),
        changed: row.changed_at,
        span: Span { from: row.starts_at, until: row.ends_at },
        zone: row.tz(),
        title: row.title.clone(),
        text,
        place: place(cx, venue),
        url: cx.app.config.address(&row.path()),
        status: Status::Confirmed,
    }
}

/// The identity of a session for those who are not in it. That of a learner or of whoever teaches is the one of their
/// invitation, so that a program that gets both keeps one.
fn uid(session: &SessionRow) -> String {
    format!("session-{}@aftercare", session.id)
}

fn place(cx: &Cx, place: String) -> String {
    if place.is_empty() { w!(cx, training.online) } else { place }
}

fn answer(text: &str, name: &str) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    (headers, text.to_owned()).into_response()
}
