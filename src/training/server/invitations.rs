//! What the letters of training do in people's calendars. Each session of each seat is one appointment with an identity
//! of its own, since programs take one appointment from a letter: the first goes with the letter, every further one with
//! a short one of its own.

use super::{
    letters::{self, About, TrainingLetter},
    store::{self, ClassRow, SessionRow},
    words,
};
use crate::{
    calendar::server::ics::{Entry, Method, Status},
    db::Tx,
    error::AppError,
    notices::server::{
        Letter, To, Urgency,
        service::{self, Invitation},
    },
    server::Cx,
    training::domain::EnrolmentState,
    values::{ClassSessionId, EnrolmentId, PersonId},
};

/// Whose seat in which class.
#[derive(Clone, Copy)]
pub struct Seat<'a> {
    pub class: &'a ClassRow,
    pub id: EnrolmentId,
    pub person: PersonId,
}

/// The identity of a session in the calendar of somebody with a seat.
pub fn uid(enrolment: EnrolmentId, session: ClassSessionId) -> String {
    format!("{enrolment}-{session}@aftercare")
}

/// Sends a letter that puts sessions into the reader's calendar, or moves those that are there. What is over, and what
/// the calendar knows already, is left alone.
pub async fn request(
    tx: &mut Tx,
    cx: &Cx,
    seat: Seat<'_>,
    sessions: &[SessionRow],
    letter: impl Into<Letter>,
    once: &str,
) -> Result<(), AppError> {
    tell(tx, cx, seat, sessions, Method::Request, Some(letter.into()), once).await
}

/// Sends a letter, if there is one, that takes sessions out of the reader's calendar.
pub async fn cancel(
    tx: &mut Tx,
    cx: &Cx,
    seat: Seat<'_>,
    sessions: &[SessionRow],
    letter: Option<Letter>,
    once: &str,
) -> Result<(), AppError> {
    tell(tx, cx, seat, sessions, Method::Cancel, letter, once).await
}

/// Tells everybody who has a seat that the class is at another address on line.
pub async fn readdressed(tx: &mut Tx, cx: &Cx, class: &ClassRow) -> Result<(), AppError> {
    let sessions = store::sessions(tx, class.id).await?;
    for seat in store::of_class(tx, class.id).await? {
        if seat.state == EnrolmentState::Booked {
            letters::changed(tx, cx, class, &sessions, seat.id, seat.person_id).await?;
        }
    }
    Ok(())
}

async fn tell(
    tx: &mut Tx,
    cx: &Cx,
    seat: Seat<'_>,
    sessions: &[SessionRow],
    method: Method,
    letter: Option<Letter>,
    once: &str,
) -> Result<(), AppError> {
    let mut news = Vec::new();
    for (place, session) in sessions.iter().enumerate().filter(|(_, session)| session.ends_at > cx.now) {
        let entry = entry(cx, seat, session, method);
        if let Some(invitation) = service::news(tx, cx, seat.person, &Invitation { method, entry }).await? {
            news.push((place, session, invitation));
        }
    }
    let mut news = news.into_iter();
    let at_once = letter.as_ref().is_some_and(|letter| letter.urgency() == Urgency::AtOnce);
    if let Some(letter) = letter {
        match news.next() {
            Some((_, _, invitation)) => invite(tx, cx, seat.person, letter, once, invitation).await?,
            None => service::send(tx, cx, To::Person(seat.person), letter, once).await?,
        }
    }
    for (place, session, invitation) in news {
        let number = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
        let about = About { starts: session.starts_at, ..About::of(cx, seat.class) };
        let letter = Letter::Training(TrainingLetter::Session {
            about,
            number: number(place + 1),
            count: number(sessions.len()),
            gone: method == Method::Cancel,
            at_once,
        });
        invite(tx, cx, seat.person, letter, &format!("{once}:{}", session.id), invitation).await?;
    }
    Ok(())
}

async fn invite(
    tx: &mut Tx,
    cx: &Cx,
    person: PersonId,
    letter: Letter,
    once: &str,
    invitation: Invitation,
) -> Result<(), AppError> {
    service::invite(tx, cx, To::Person(person), letter, once, invitation).await
}

fn entry(cx: &Cx, seat: Seat<'_>, session: &SessionRow, method: Method) -> Entry {
    let class = seat.class;
    let place = words::place(class);
    let link = class.link.clone().unwrap_or_default();
    let text = [class.summary.as_str(), &link].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
    Entry {
        uid: uid(seat.id, session.id),
        sequence: u32::try_from(class.sequence).unwrap_or(u32::MAX),
        changed: cx.now,
        span: session.span(),
        zone: class.tz(),
        title: class.title.clone(),
        text: text.join("\n\n"),
        // On line, the place is the address to go to.
        place: if place.is_empty() { link } else { place },
        url: cx.app.config.address(&class.path()),
        status: if method == Method::Cancel { Status::Cancelled } else { Status::Confirmed },
    }
}
