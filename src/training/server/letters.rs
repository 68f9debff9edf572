//! What training writes to people, each once, in their language.

use super::{store::ClassRow, words};
use crate::{
    db::Tx,
    error::AppError,
    i18n::Fmt,
    notices::server::{Letter, To, Urgency, Written, service},
    server::Cx,
    training::domain::Cost,
    values::{EnrolmentId, PersonId},
    w,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// A letter of training with what it needs to be written.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainingLetter {
    Booked {
        about: About,
        cost: Cost,
        free_until: DateTime<Utc>,
    },
    Waitlisted {
        about: About,
        position: i64,
    },
    Offered {
        about: About,
        until: DateTime<Utc>,
    },
    /// With the seat that is held in the next class of the course, where there is one.
    ClassCancelled {
        about: About,
        why: String,
        next: Option<(DateTime<Utc>, Tz, DateTime<Utc>)>,
    },
    Reminder {
        about: About,
    },
}

/// The class that a letter is about.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    pub title: String,
    pub starts: DateTime<Utc>,
    pub zone: Tz,
    /// Room, address, town; empty on line.
    pub place: String,
    /// Where the letter leads.
    pub link: String,
}

impl About {
    pub fn of(cx: &Cx, class: &ClassRow) -> Self {
        Self {
            title: class.title.clone(),
            starts: class.starts_at,
            zone: class.tz(),
            place: words::place(class),
            link: cx.app.config.address(&class.path()),
        }
    }
}

impl TrainingLetter {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Booked { .. } => "enrolment_booked",
            Self::Waitlisted { .. } => "enrolment_waitlisted",
            Self::Offered { .. } => "seat_offered",
            Self::ClassCancelled { .. } => "class_cancelled",
            Self::Reminder { .. } => "class_reminder",
        }
    }

    /// Only the answers to the reader's own act come at night.
    pub fn urgency(&self) -> Urgency {
        match self {
            Self::Booked { .. } | Self::Waitlisted { .. } => Urgency::AtOnce,
            Self::Offered { .. } | Self::ClassCancelled { .. } | Self::Reminder { .. } => Urgency::ByDay,
        }
    }

    /// In the reader's language, on the wall clock of the place.
    pub fn write(&self, fmt: Fmt) -> Written {
        let about = self.about();
        let title = about.title.clone();
        let time = fmt.date_time(about.starts, about.zone);
        let zone = words::zone(about.zone);
        let place = if about.place.is_empty() { w!(fmt, training.online) } else { about.place.clone() };
        let (subject, body) = match self {
            Self::Booked { cost, free_until, .. } => (
                w!(fmt, training.letter_booked_subject, title = title.clone()),
                w!(
                    fmt,
                    training.letter_booked_body,
                    title = title,
                    time = time,
                    zone = zone,
                    place = place,
                    cost = words::cost(fmt, cost),
                    free_until = fmt.date_time(*free_until, about.zone)
                ),
            ),
            Self::Waitlisted { position, .. } => (
                w!(fmt, training.letter_waitlisted_subject, title = title.clone()),
                w!(
                    fmt,
                    training.letter_waitlisted_body,
                    title = title,
                    time = time,
                    zone = zone,
                    position = fmt.number(*position)
                ),
            ),
            Self::Offered { until, .. } => (
                w!(fmt, training.letter_offered_subject, title = title.clone()),
                w!(
                    fmt,
                    training.letter_offered_body,
                    title = title,
                    time = time,
                    zone = zone,
                    until = fmt.date_time(*until, about.zone)
                ),
            ),
            Self::ClassCancelled { why, next: None, .. } => (
                w!(fmt, training.letter_cancelled_subject, title = title.clone()),
                w!(fmt, training.letter_cancelled_body, title = title, time = time, zone = zone, why = why.clone()),
            ),
            Self::ClassCancelled { why, next: Some((starts, next_zone, until)), .. } => (
                w!(fmt, training.letter_cancelled_subject, title = title.clone()),
                w!(
                    fmt,
                    training.letter_moved_body,
                    title = title,
                    time = time,
                    zone = zone,
                    why = why.clone(),
                    next_time = fmt.date_time(*starts, *next_zone),
                    next_zone = words::zone(*next_zone),
                    until = fmt.date_time(*until, *next_zone)
                ),
            ),
            Self::Reminder { .. } => (
                w!(fmt, training.letter_reminder_subject, title = title.clone()),
                w!(fmt, training.letter_reminder_body, title = title, time = time, zone = zone, place = place),
            ),
        };
        Written { subject, body, link: Some(about.link.clone()) }
    }

    fn about(&self) -> &About {
        match self {
            Self::Booked { about, .. }
            | Self::Waitlisted { about, .. }
            | Self::Offered { about, .. }
            | Self::ClassCancelled { about, .. }
            | Self::Reminder { about } => about,
        }
    }
}

/// A seat is booked.
pub async fn booked(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    id: EnrolmentId,
    person: PersonId,
    cost: &Cost,
) -> Result<(), AppError> {
    let free_until = class.policy().free_until();
    let letter = TrainingLetter::Booked { about: About::of(cx, class), cost: cost.clone(), free_until };
    send(tx, cx, person, letter, &format!("enrolment_booked:{id}")).await
}

/// Somebody waits in line.
pub async fn waitlisted(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    id: EnrolmentId,
    person: PersonId,
    position: i64,
) -> Result<(), AppError> {
    let letter = TrainingLetter::Waitlisted { about: About::of(cx, class), position };
    send(tx, cx, person, letter, &format!("enrolment_waitlisted:{id}")).await
}

/// A freed seat is held for somebody.
pub async fn offered(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    id: EnrolmentId,
    person: PersonId,
    until: DateTime<Utc>,
) -> Result<(), AppError> {
    let letter = TrainingLetter::Offered { about: About::of(cx, class), until };
    send(tx, cx, person, letter, &format!("seat_offered:{id}")).await
}

/// A class does not take place; perhaps a seat is held in the next one.
pub async fn class_cancelled(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    id: EnrolmentId,
    person: PersonId,
    why: &str,
    offer: Option<(&ClassRow, DateTime<Utc>)>,
) -> Result<(), AppError> {
    let mut about = About::of(cx, class);
    about.link = match offer {
        Some((next, _)) => cx.app.config.address(&next.path()),
        None => cx.app.config.address("/training"),
    };
    let next = offer.map(|(next, until)| (next.starts_at, next.tz(), until));
    let letter = TrainingLetter::ClassCancelled { about, why: why.to_owned(), next };
    send(tx, cx, person, letter, &format!("class_cancelled:{id}")).await
}

/// The class is tomorrow.
pub async fn reminder(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    id: EnrolmentId,
    person: PersonId,
) -> Result<(), AppError> {
    let letter = TrainingLetter::Reminder { about: About::of(cx, class) };
    send(tx, cx, person, letter, &format!("class_reminder:{id}")).await
}

async fn send(tx: &mut Tx, cx: &Cx, person: PersonId, letter: TrainingLetter, once: &str) -> Result<(), AppError> {
    service::send(tx, cx, To::Person(person), Letter::Training(letter), once).await
}
