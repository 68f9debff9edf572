//! What training writes to whoever teaches or helps in a class, when somebody else decides about it: whoever is planned
//! in and a substitute hear that they teach, whoever is free again hears that too. What these letters put into their
//! calendars they move and take out again.

use super::{
    change::Before,
    invitations::{self, Chair},
    letters::{self, About, Also},
    store::{self, ClassRow, SessionRow},
    words,
};
use crate::{
    calendar::domain::Span,
    db::Tx,
    error::AppError,
    i18n::Fmt,
    notices::server::{Letter, Urgency, Written},
    server::Cx,
    values::PersonId,
    w,
};

/// A letter with what it needs to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct CrewLetter {
    pub about: About,
    /// Who decided it; empty where nobody else of the staff did.
    pub by: String,
    /// The class was planned with the reader in it, not changed.
    pub planned: bool,
    pub says: Says,
}

/// What it says.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// The class is the reader's now.
    Teaches {
        sessions: Vec<Span>,
    },
    /// The reader helps in it now.
    Helps {
        trainer: String,
        sessions: Vec<Span>,
    },
    /// It goes on without the reader.
    Released {
        trainer: String,
    },
    /// Its times or its room are others now.
    Moved {
        was: Vec<Span>,
        was_place: String,
        now: Vec<Span>,
        also: Vec<Also>,
    },
    /// Only its title, its language or its address on line is another one.
    Changed {
        also: Vec<Also>,
    },
    Cancelled {
        why: String,
    },
    /// It is over, and its trainer has not closed it.
    NotClosed,
}

impl CrewLetter {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        match self.says {
            Says::Teaches { .. } => "crew_teaches",
            Says::Helps { .. } => "crew_helps",
            Says::Released { .. } => "crew_released",
            Says::Moved { .. } => "crew_moved",
            Says::Changed { .. } => "crew_changed",
            Says::Cancelled { .. } => "crew_cancelled",
            Says::NotClosed => "crew_not_closed",
        }
    }

    pub fn urgency(&self) -> Urgency {
        Urgency::ByDay
    }

    /// In the reader's language, on the wall clock of the place.
    pub fn write(&self, fmt: Fmt) -> Written {
        let About { title, starts, zone, link, .. } = self.about.clone();
        let (time, town) = (fmt.date_time(starts, zone), words::zone(zone));
        let (subject, body, also) = match &self.says {
            Says::Teaches { sessions } => {
                let body = w!(fmt, planning.crew_teaches_body, title = title.clone());
                (w!(fmt, planning.crew_teaches_subject, title = title), self.with_times(fmt, body, sessions), &[][..])
            }
            Says::Helps { trainer, sessions } => {
                let body = w!(fmt, planning.crew_helps_body, title = title.clone(), trainer = trainer.clone());
                (w!(fmt, planning.crew_helps_subject, title = title), self.with_times(fmt, body, sessions), &[][..])
            }
            Says::Released { trainer } => (
                w!(fmt, planning.crew_released_subject, title = title.clone()),
                w!(
                    fmt,
                    planning.crew_released_body,
                    title = title,
                    time = time,
                    zone = town,
                    trainer = trainer.clone()
                ),
                &[][..],
            ),
            Says::Moved { was, was_place, now, also } => {
                let (subject, body) = letters::moved_words(fmt, &self.about, (was, was_place), now);
                (subject, body, also.as_slice())
            }
            Says::Changed { also } => {
                let (subject, body) = letters::terms_words(fmt, &self.about);
                (subject, body, also.as_slice())
            }
            Says::Cancelled { why } => (
                w!(fmt, training.letter_cancelled_subject, title = title.clone()),
                w!(fmt, planning.crew_cancelled_body, title = title, time = time, zone = town, why = why.clone()),
                &[][..],
            ),
            Says::NotClosed => (
                w!(fmt, planning.crew_not_closed_subject, title = title.clone()),
                w!(fmt, planning.crew_not_closed_body, title = title, time = time, zone = town),
                &[][..],
            ),
        };
        let by = match self.by.clone() {
            name if name.is_empty() => name,
            name if self.planned => w!(fmt, planning.crew_planned_by, name = name),
            name => w!(fmt, planning.crew_by, name = name),
        };
        Written { subject, body: letters::paragraphs(body, fmt, also, by), link: Some(link) }
    }

    fn with_times(&self, fmt: Fmt, body: String, sessions: &[Span]) -> String {
        let when = w!(
            fmt,
            planning.crew_when,
            times = letters::times(fmt, sessions, self.about.zone),
            place = letters::place_or_online(fmt, &self.about.place),
            zone = words::zone(self.about.zone)
        );
        format!("{body}\n\n{when}")
    }
}

impl From<CrewLetter> for Letter {
    fn from(letter: CrewLetter) -> Self {
        Self::Crew(Box::new(letter))
    }
}

/// What somebody does in a class.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Teaches,
    Helps,
}

/// Who teaches and helps in a class.
struct Crew {
    trainer: PersonId,
    assistants: Vec<PersonId>,
}

impl Crew {
    fn part(&self, person: PersonId) -> Option<Part> {
        if person == self.trainer {
            return Some(Part::Teaches);
        }
        self.assistants.contains(&person).then_some(Part::Helps)
    }

    /// Each of them once.
    fn everybody(&self) -> Vec<PersonId> {
        let mut people: Vec<PersonId> = std::iter::once(self.trainer).chain(self.assistants.iter().copied()).collect();
        people.sort();
        people.dedup();
        people
    }
}

/// A class is planned: it is theirs from now on, published or not.
pub async fn planned(tx: &mut Tx, cx: &Cx, class: &ClassRow, assistants: &[PersonId]) -> Result<(), AppError> {
    let crew = Crew { trainer: class.trainer_id, assistants: assistants.to_vec() };
    let sessions = store::sessions(tx, class.id).await?;
    let spans: Vec<Span> = sessions.iter().map(SessionRow::span).collect();
    for person in crew.everybody() {
        let part = crew.part(person);
        let says = match part {
            Some(Part::Helps) => Says::Helps { trainer: class.trainer_name.clone(), sessions: spans.clone() },
            _ => Says::Teaches { sessions: spans.clone() },
        };
        let news = News { part, says, planned: true, sessions: &sessions, gone: &[] };
        tell(tx, cx, class, person, news).await?;
    }
    Ok(())
}

/// A class was changed: whoever teaches or helps now, did before, or goes on at other times, hears it; not whoever
/// changed it.
pub async fn changed(
    tx: &mut Tx,
    cx: &Cx,
    before: &Before,
    now: &ClassRow,
    assistants: &[PersonId],
    spans: &[Span],
) -> Result<(), AppError> {
    let was = &before.class;
    let old = Crew { trainer: was.trainer_id, assistants: before.assistants.iter().map(|(id, _)| *id).collect() };
    let new = Crew { trainer: now.trainer_id, assistants: assistants.to_vec() };
    let was_spans: Vec<Span> = before.sessions.iter().map(SessionRow::span).collect();
    let mut people: Vec<PersonId> = old.everybody().into_iter().chain(new.everybody()).collect();
    people.sort();
    people.dedup();
    let also = differences(was, now);
    let is_moved = was_spans != spans || was.room_id != now.room_id || words::place(was) != words::place(now);
    let sessions = store::sessions(tx, now.id).await?;
    let gone = invitations::gone(&before.sessions, &sessions);
    for person in people {
        let (part, trainer) = (new.part(person), now.trainer_name.clone());
        let says = match part {
            None => Says::Released { trainer },
            Some(Part::Teaches) if old.part(person) != part => Says::Teaches { sessions: spans.to_vec() },
            Some(Part::Helps) if old.part(person) != part => Says::Helps { trainer, sessions: spans.to_vec() },
            Some(_) if is_moved => Says::Moved {
                was: was_spans.clone(),
                was_place: words::place(was),
                now: spans.to_vec(),
                also: also.clone(),
            },
            Some(_) if !also.is_empty() => Says::Changed { also: also.clone() },
            Some(_) => continue,
        };
        let (sessions, gone) = match part {
            None => (&[][..], before.sessions.as_slice()),
            Some(_) => (sessions.as_slice(), gone.as_slice()),
        };
        tell(tx, cx, now, person, News { part, says, planned: false, sessions, gone }).await?;
    }
    Ok(())
}

/// What of a class has changed beside its times and its room.
fn differences(was: &ClassRow, now: &ClassRow) -> Vec<Also> {
    let title = (was.title != now.title).then(|| Also::Title(was.title.clone()));
    let language = (was.language != now.language).then(|| Also::Language(now.language.clone()));
    let link = (was.link != now.link).then_some(Also::Link);
    let clock = (was.zone != now.zone).then(|| Also::Clock(now.tz(), was.tz()));
    title.into_iter().chain(language).chain(link).chain(clock).collect()
}

/// The class does not take place.
pub async fn cancelled(tx: &mut Tx, cx: &Cx, class: &ClassRow, why: &str) -> Result<(), AppError> {
    let assistants = store::assistants(tx, class.id).await?.into_iter().map(|(id, _)| id).collect();
    let crew = Crew { trainer: class.trainer_id, assistants };
    let gone = store::sessions(tx, class.id).await?;
    for person in crew.everybody() {
        let says = Says::Cancelled { why: why.to_owned() };
        let news = News { part: crew.part(person), says, planned: false, sessions: &[], gone: &gone };
        tell(tx, cx, class, person, news).await?;
    }
    Ok(())
}

/// The class is over, and its learners wait until its trainer closes it.
pub async fn not_closed(tx: &mut Tx, cx: &Cx, class: &ClassRow) -> Result<(), AppError> {
    let (part, says) = (Some(Part::Teaches), Says::NotClosed);
    let news = News { part, says, planned: false, sessions: &[], gone: &[] };
    tell(tx, cx, class, class.trainer_id, news).await
}

/// What one of them is told, and what becomes of their calendar.
struct News<'a> {
    part: Option<Part>,
    says: Says,
    planned: bool,
    /// Those that they are in now.
    sessions: &'a [SessionRow],
    /// Those that they are no longer in.
    gone: &'a [SessionRow],
}

/// Leads to what the reader can open: the class is its trainer's, the room is a helper's as well. Whoever did it knows;
/// but what an earlier letter put into their calendar has to follow.
async fn tell(tx: &mut Tx, cx: &Cx, class: &ClassRow, person: PersonId, news: News<'_>) -> Result<(), AppError> {
    let News { part, says, planned, sessions, gone } = news;
    let chair = Chair::of_crew(class, person, part == Some(Part::Helps));
    let by = cx.viewer.person().filter(|by| by.id != person).map(|by| by.name.clone()).unwrap_or_default();
    let itself = cx.viewer.person().is_some_and(|by| by.id == person);
    if itself
        && !invitations::has_any(tx, cx, chair, sessions).await?
        && !invitations::has_any(tx, cx, chair, gone).await?
    {
        return Ok(());
    }
    let path = match (part, &says) {
        (Some(Part::Teaches), _) => class.desk_path(),
        (Some(Part::Helps), Says::Helps { .. } | Says::Moved { .. } | Says::Changed { .. }) => {
            format!("{}/room", class.desk_path())
        }
        _ => "/desk".to_owned(),
    };
    let about = About { link: cx.app.config.address(&path), ..About::of(cx, class) };
    let letter = CrewLetter { about, by, planned, says };
    let once = format!("{}:{}:{}:{person}", letter.kind(), class.id, class.version);
    if sessions.is_empty() {
        return invitations::cancel(tx, cx, chair, gone, Some(letter.into()), &once).await;
    }
    invitations::request(tx, cx, chair, sessions, letter, &once).await?;
    invitations::cancel(tx, cx, chair, gone, None, &format!("{once}:gone")).await
}
