//! What the letters of training do in people's calendars. Each session of each seat is one appointment with an identity
//! of its own, since programs take one appointment from a letter: the first goes with the letter, every further one with
//! a short one of its own.

use super::{
    learning_letters,
    letters::{self, About, TrainingLetter},
    make_ups,
    store::{self, ClassRow, MakeUpRow, SessionRow},
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
    values::{ClassId, ClassSessionId, EnrolmentId, PersonId},
};
use uuid::Uuid;

/// Whose seat in which class.
#[derive(Clone, Copy)]
pub struct Seat<'a> {
    pub class: &'a ClassRow,
    pub id: EnrolmentId,
    pub person: PersonId,
}

/// Who is in a session because of what: a seat in the class, a missed session that is made up there, or because they
/// teach or help in it.
#[derive(Clone, Copy)]
pub struct Chair<'a> {
    class: &'a ClassRow,
    person: PersonId,
    because_of: Uuid,
    page: Page,
}

/// The page that says everything about it.
#[derive(Clone, Copy)]
enum Page {
    Class,
    /// Of the class of which a guest missed a session.
    MakeUp(ClassId),
    Desk,
    Room,
}

impl<'a> From<Seat<'a>> for Chair<'a> {
    fn from(seat: Seat<'a>) -> Self {
        Self { class: seat.class, person: seat.person, because_of: seat.id.0, page: Page::Class }
    }
}

impl<'a> Chair<'a> {
    pub fn of_guest(class: &'a ClassRow, row: &MakeUpRow) -> Self {
        Self { class, person: row.person_id, because_of: row.id.0, page: Page::MakeUp(row.home_id) }
    }

    /// Of whoever teaches, or only helps.
    pub fn of_crew(class: &'a ClassRow, person: PersonId, helps: bool) -> Self {
        Self { class, person, because_of: person.0, page: if helps { Page::Room } else { Page::Desk } }
    }

    pub fn class(&self) -> &'a ClassRow {
        self.class
    }

    /// The page that says everything about it.
    pub fn path(&self) -> String {
        match self.page {
            Page::Class => self.class.path(),
            Page::MakeUp(home) => make_ups::path(home),
            Page::Desk => self.class.desk_path(),
            Page::Room => format!("{}/room", self.class.desk_path()),
        }
    }
}

/// The identity of a session in the calendar of somebody who is in it because of an enrolment, a make-up, or themselves.
pub fn uid(because_of: Uuid, session: ClassSessionId) -> String {
    format!("{}-{session}@aftercare", because_of.simple())
}

/// Sends a letter that puts sessions into the reader's calendar, or moves those that are there. What is over, and what
/// the calendar knows already, is left alone.
pub async fn request(
    tx: &mut Tx,
    cx: &Cx,
    chair: impl Into<Chair<'_>>,
    sessions: &[SessionRow],
    letter: impl Into<Letter>,
    once: &str,
) -> Result<(), AppError> {
    tell(tx, cx, chair.into(), sessions, Method::Request, Some(letter.into()), once).await
}

/// Sends a letter, if there is one, that takes sessions out of the reader's calendar.
pub async fn cancel(
    tx: &mut Tx,
    cx: &Cx,
    chair: impl Into<Chair<'_>>,
    sessions: &[SessionRow],
    letter: Option<Letter>,
    once: &str,
) -> Result<(), AppError> {
    tell(tx, cx, chair.into(), sessions, Method::Cancel, letter, once).await
}

/// Whether the reader's calendar has one of these sessions to come from a letter.
pub async fn has_any(
    tx: &mut Tx,
    cx: &Cx,
    chair: impl Into<Chair<'_>>,
    sessions: &[SessionRow],
) -> Result<bool, AppError> {
    let chair = chair.into();
    for session in sessions.iter().filter(|session| session.ends_at > cx.now) {
        let entry = entry(cx, chair, session, Method::Cancel);
        if service::news(tx, cx, chair.person, &Invitation { method: Method::Cancel, entry }).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The sessions that a class had and has no more.
pub fn gone(before: &[SessionRow], now: &[SessionRow]) -> Vec<SessionRow> {
    before.iter().filter(|old| !now.iter().any(|new| new.id == old.id)).cloned().collect()
}

/// Tells everybody who has a seat that the class is at another address on line.
pub async fn readdressed(tx: &mut Tx, cx: &Cx, class: &ClassRow) -> Result<(), AppError> {
    let sessions = store::sessions(tx, class.id).await?;
    for seat in store::of_class(tx, class.id).await? {
        if seat.state == EnrolmentState::Booked {
            letters::changed(tx, cx, class, &sessions, seat.id, seat.person_id).await?;
        }
    }
    guests_readdressed(tx, cx, class, true, None).await
}

/// Tells everybody who has a seat what the class, that was called `was`, is called now: in their calendar it is.
pub async fn renamed(tx: &mut Tx, cx: &Cx, class: &ClassRow, was: &str) -> Result<(), AppError> {
    let sessions = store::sessions(tx, class.id).await?;
    for row in store::of_class(tx, class.id).await? {
        if row.state == EnrolmentState::Booked {
            let seat = Seat { class, id: row.id, person: row.person_id };
            letters::renamed(tx, cx, seat, &sessions, was, row.id.0).await?;
        }
    }
    guests_renamed(tx, cx, class, was).await
}

/// As [`renamed`], of guests of sessions that are to come.
pub async fn guests_renamed(tx: &mut Tx, cx: &Cx, class: &ClassRow, was: &str) -> Result<(), AppError> {
    let sessions = store::sessions(tx, class.id).await?;
    for row in store::guests(tx, class.id).await? {
        if row.mark().is_none() && cx.now < row.starts_at {
            let theirs: Vec<SessionRow> = sessions.iter().filter(|one| one.id == row.session_id).cloned().collect();
            letters::renamed(tx, cx, Chair::of_guest(class, &row), &theirs, was, row.id.0).await?;
        }
    }
    Ok(())
}

/// Tells the guests of sessions that are to come that the class is in another place, held in another language, or both.
pub async fn guests_readdressed(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    elsewhere: bool,
    language: Option<String>,
) -> Result<(), AppError> {
    for row in store::guests(tx, class.id).await? {
        if row.mark().is_some() || row.starts_at <= cx.now {
            continue;
        }
        match (elsewhere, &language) {
            (true, _) => learning_letters::make_up_changed(tx, cx, &row, class, language.clone()).await?,
            (false, Some(_)) => learning_letters::make_up_language(tx, cx, &row, class).await?,
            (false, None) => {}
        }
    }
    Ok(())
}

async fn tell(
    tx: &mut Tx,
    cx: &Cx,
    chair: Chair<'_>,
    sessions: &[SessionRow],
    method: Method,
    letter: Option<Letter>,
    once: &str,
) -> Result<(), AppError> {
    let mut news = Vec::new();
    for (place, session) in sessions.iter().enumerate().filter(|(_, session)| session.ends_at > cx.now) {
        let entry = self::entry(cx, chair, session, method);
        if let Some(invitation) = service::news(tx, cx, chair.person, &Invitation { method, entry }).await? {
            news.push((place, session, invitation));
        }
    }
    let mut news = news.into_iter();
    let at_once = letter.as_ref().is_some_and(|letter| letter.urgency() == Urgency::AtOnce);
    if let Some(letter) = letter {
        match news.next() {
            Some((_, _, invitation)) => invite(tx, cx, chair.person, letter, once, invitation).await?,
            None => service::send(tx, cx, To::Person(chair.person), letter, once).await?,
        }
    }
    for (place, session, invitation) in news {
        let number = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
        let link = cx.app.config.address(&chair.path());
        let about = About { starts: session.starts_at, link, ..About::of(cx, chair.class) };
        let letter = Letter::Training(TrainingLetter::Session {
            about,
            number: number(place + 1),
            count: number(sessions.len()),
            gone: method == Method::Cancel,
            at_once,
        });
        invite(tx, cx, chair.person, letter, &format!("{once}:{}", session.id), invitation).await?;
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

/// A session as the calendar of whoever sits in it has it.
pub fn entry<'a>(cx: &Cx, chair: impl Into<Chair<'a>>, session: &SessionRow, method: Method) -> Entry {
    let chair = chair.into();
    let class = chair.class;
    let (text, place) = with_link(&class.summary, words::place(class), class.link.as_deref());
    Entry {
        uid: uid(chair.because_of, session.id),
        sequence: u32::try_from(class.sequence).unwrap_or(u32::MAX),
        changed: cx.now,
        span: session.span(),
        zone: class.tz(),
        title: class.title.clone(),
        text,
        place,
        url: cx.app.config.address(&chair.path()),
        status: if method == Method::Cancel { Status::Cancelled } else { Status::Confirmed },
    }
}

/// The text and the place of an appointment for whoever is in the session: they go by the address on line, which is the
/// place where there is no other.
pub fn with_link(text: &str, place: String, link: Option<&str>) -> (String, String) {
    let link = link.unwrap_or_default();
    let said = [text, link].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n");
    (said, if place.is_empty() { link.to_owned() } else { place })
}
