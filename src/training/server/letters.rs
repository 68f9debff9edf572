//! What training writes to people, each once, in their language.

use super::{
    invitations::{self, Chair, Seat},
    store::{self, ClassRow, EnrolmentRow, SessionRow},
    words,
};
use crate::{
    calendar::domain::Span,
    db::Tx,
    error::AppError,
    i18n::Fmt,
    notices::server::{Letter, To, Urgency, Written, service},
    server::Cx,
    training::domain::{Cancelling, Cost, EnrolmentState},
    values::{EnrolmentId, PersonId},
    w,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

/// A letter of training with what it needs to be written.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainingLetter {
    Booked {
        about: About,
        cost: Cost,
        cancelling: Cancelling,
    },
    Waitlisted {
        about: About,
        position: i64,
    },
    Offered {
        about: About,
        until: DateTime<Utc>,
    },
    /// The reader waits no more, or has no offer any more, without having done anything.
    WaitOver {
        about: About,
        why: Waited,
    },
    /// With the seat that is held in a later class of the course, where there is one.
    ClassCancelled {
        about: About,
        why: String,
        next: Option<Next>,
    },
    /// The class that the reader had cancelled a seat in too late does not take place.
    LateForgiven {
        about: About,
        why: String,
    },
    Reminder {
        about: About,
    },
    /// The reader has given a seat back.
    SeatCancelled {
        about: About,
        late: bool,
    },
    /// Staff have given the reader's place back for them.
    GivenBack {
        about: About,
        was: EnrolmentState,
        why: String,
    },
    /// Another time or place.
    Changed {
        about: About,
    },
    /// Another title.
    Renamed {
        about: About,
        was: String,
    },
    /// One further session for the calendar, or one that is out of it; sent with another letter.
    Session {
        about: About,
        number: i64,
        count: i64,
        gone: bool,
        at_once: bool,
    },
    /// Staff gave the reader a seat in another class instead.
    SeatMoved {
        about: About,
        before: (DateTime<Utc>, Tz),
        why: String,
    },
    /// Tells a trainer who comes from another class.
    MovedIn {
        about: About,
        name: String,
        why: String,
    },
    /// The trainer writes to everybody in the class.
    FromTrainer {
        about: About,
        trainer: String,
        subject: String,
        words: String,
    },
    /// The times or the room are others now.
    Moved {
        about: About,
        was: Vec<Span>,
        was_place: String,
        now: Vec<Span>,
        also: Vec<Also>,
        stays: Stays,
    },
    /// Its time and room stay; the language that it is held in, or until when cancelling is free, does not.
    Terms {
        about: About,
        also: Vec<Also>,
        stays: Stays,
    },
    /// A class of a course that the reader asked for opens; perhaps a seat is held for them.
    Opened {
        about: About,
        until: Option<DateTime<Utc>>,
    },
}

/// Why somebody waits no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waited {
    /// The offer was not answered in time.
    Expired,
    /// The class has begun.
    Begun,
}

/// The later class in which seats are held instead of one that does not take place.
#[derive(Clone, Debug, PartialEq)]
pub struct Next {
    pub starts: DateTime<Utc>,
    pub zone: Tz,
    pub until: DateTime<Utc>,
    /// Where it meets and the code of its language, if either is another one.
    pub differs: Option<(String, String)>,
}

impl Next {
    pub fn of(class: &ClassRow, next: &ClassRow, until: DateTime<Utc>) -> Self {
        let differs = class.place != next.place || class.language != next.language;
        let differs = differs.then(|| (words::place(next), next.language.clone()));
        Self { starts: next.starts_at, zone: next.tz(), until, differs }
    }

    /// The line that says so.
    pub fn differences(&self, fmt: Fmt) -> Option<String> {
        let (place, language) = self.differs.as_ref()?;
        let (place, language) = (place_or_online(fmt, place), words::language(language));
        Some(w!(fmt, planning.next_differs, place = place, language = language))
    }
}

/// What else is other than before, each a line of a letter.
#[derive(Clone, Debug, PartialEq)]
pub enum Also {
    /// It is called otherwise: what it was called.
    Title(String),
    /// By its code.
    Language(String),
    /// Cancelling is free until so many hours before the start, which is earlier than before.
    CutOff(i64),
    /// Another address on line.
    Link,
    /// Its times are given by the clock of the first place, no longer by that of the second.
    Clock(Tz, Tz),
    /// What the reader said in advance was about the old time.
    SayAgain,
}

impl Also {
    pub fn write(&self, fmt: Fmt) -> String {
        match self {
            Self::Title(was) => w!(fmt, planning.also_title, was = was.clone()),
            Self::Language(code) => w!(fmt, planning.also_language, language = words::language(code)),
            Self::CutOff(hours) => w!(fmt, planning.also_cut_off, hours = fmt.number(*hours)),
            Self::Link => w!(fmt, planning.also_link),
            Self::Clock(now, was) => w!(fmt, planning.also_clock, zone = words::zone(*now), was = words::zone(*was)),
            Self::SayAgain => w!(fmt, planning.also_say_again),
        }
    }
}

/// What becomes of somebody's place in a class that is moved.
#[derive(Clone, Debug, PartialEq)]
pub enum Stays {
    Booked {
        cancelling: Cancelling,
    },
    /// Nothing moved; only what was agreed to is other than before.
    Kept {
        cancelling: Cancelling,
    },
    Offered {
        until: DateTime<Utc>,
    },
    Waiting,
    /// They are elsewhere then: the seat is held until they chose.
    Held {
        with: String,
        until: DateTime<Utc>,
    },
    /// They are elsewhere then, and it is too late to hold the seat.
    Lost {
        with: String,
    },
    /// It is too late for the offer.
    Over,
    /// They are elsewhere then: the seat is held until their firm chose.
    HeldForFirm {
        firm: String,
        with: String,
        until: DateTime<Utc>,
    },
    /// Their firm answers.
    OfferedToFirm {
        firm: String,
        until: DateTime<Utc>,
    },
}

impl Stays {
    fn write(&self, fmt: Fmt, zone: Tz) -> String {
        let time = |at: &DateTime<Utc>| fmt.date_time(*at, zone);
        let other = |with: &str| words::otherwise(fmt, with);
        match self {
            Self::Booked { cancelling } => {
                words::and(w!(fmt, planning.stays_booked), words::unsuited(fmt, zone, *cancelling))
            }
            Self::Kept { cancelling } => {
                words::and(w!(fmt, planning.stays_kept), words::unsuited(fmt, zone, *cancelling))
            }
            Self::Offered { until } => w!(fmt, planning.stays_offered, until = time(until)),
            Self::Waiting => w!(fmt, planning.stays_waiting),
            Self::Held { with, until } => w!(fmt, planning.stays_held, with = other(with), until = time(until)),
            Self::Lost { with } => w!(fmt, planning.stays_lost, with = other(with)),
            Self::Over => w!(fmt, planning.stays_over),
            Self::HeldForFirm { firm, with, until } => {
                w!(fmt, team.stays_held, firm = firm.clone(), with = other(with), until = time(until))
            }
            Self::OfferedToFirm { firm, until } => {
                w!(fmt, team.stays_offered, firm = firm.clone(), until = time(until))
            }
        }
    }
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
            Self::WaitOver { .. } => "wait_over",
            Self::ClassCancelled { .. } => "class_cancelled",
            Self::LateForgiven { .. } => "late_cancel_forgiven",
            Self::Reminder { .. } => "class_reminder",
            Self::SeatCancelled { .. } => "seat_cancelled",
            Self::GivenBack { .. } => "seat_given_back",
            Self::Changed { .. } => "class_changed",
            Self::Renamed { .. } => "class_renamed",
            Self::Session { .. } => "class_session",
            Self::SeatMoved { .. } => "seat_moved",
            Self::MovedIn { .. } => "moved_in",
            Self::FromTrainer { .. } => "from_trainer",
            Self::Moved { .. } => "class_moved",
            Self::Terms { .. } => "class_terms",
            Self::Opened { .. } => "class_opened",
        }
    }

    /// Only the answers to the reader's own act come at night, and a seat that is held for them and would be somebody
    /// else's by the morning.
    pub fn urgency(&self) -> Urgency {
        match self {
            Self::Booked { .. } | Self::Waitlisted { .. } => Urgency::AtOnce,
            Self::Offered { until, .. }
            | Self::ClassCancelled { next: Some(Next { until, .. }), .. }
            | Self::Moved { stays: Stays::Held { until, .. } | Stays::Offered { until }, .. }
            | Self::Opened { until: Some(until), .. } => Urgency::Until(*until),
            Self::ClassCancelled { .. } | Self::LateForgiven { .. } => Urgency::ByDay,
            Self::Reminder { .. } | Self::WaitOver { .. } => Urgency::ByDay,
            Self::SeatCancelled { .. } | Self::Session { at_once: true, .. } => Urgency::AtOnce,
            Self::Renamed { .. } => Urgency::ByDay,
            Self::Changed { .. } | Self::Session { .. } | Self::SeatMoved { .. } => Urgency::ByDay,
            Self::MovedIn { .. } | Self::FromTrainer { .. } | Self::GivenBack { .. } => Urgency::ByDay,
            Self::Moved { .. } | Self::Terms { .. } | Self::Opened { .. } => Urgency::ByDay,
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
            Self::Booked { cost, cancelling, .. } => {
                let body = w!(
                    fmt,
                    training.letter_booked_body,
                    title = title.clone(),
                    time = time,
                    zone = zone,
                    place = place,
                    cost = words::cost(fmt, cost)
                );
                let last = match cancelling {
                    Cancelling::Free(until) => {
                        w!(fmt, training.letter_booked_free, free_until = fmt.date_time(*until, about.zone))
                    }
                    Cancelling::Late => w!(fmt, training.late_warning),
                    Cancelling::Over => String::new(),
                };
                (w!(fmt, training.letter_booked_subject, title = title), paragraphs(body, fmt, &[], last))
            }
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
            Self::WaitOver { why, .. } => {
                let subject = w!(fmt, training.letter_over_subject, title = title.clone());
                let body = match why {
                    Waited::Expired => w!(fmt, training.letter_over_expired, title = title, time = time, zone = zone),
                    Waited::Begun => w!(fmt, training.letter_over_begun, title = title, time = time, zone = zone),
                };
                (subject, body)
            }
            Self::ClassCancelled { why, next: None, .. } => (
                w!(fmt, training.letter_cancelled_subject, title = title.clone()),
                w!(fmt, training.letter_cancelled_body, title = title, time = time, zone = zone, why = why.clone()),
            ),
            Self::ClassCancelled { why, next: Some(next), .. } => {
                let body = w!(
                    fmt,
                    training.letter_moved_body,
                    title = title.clone(),
                    time = time,
                    zone = zone,
                    why = why.clone(),
                    next_time = fmt.date_time(next.starts, next.zone),
                    next_zone = words::zone(next.zone),
                    until = fmt.date_time(next.until, next.zone)
                );
                let subject = w!(fmt, training.letter_cancelled_subject, title = title);
                (subject, paragraphs(body, fmt, &[], next.differences(fmt).unwrap_or_default()))
            }
            Self::LateForgiven { why, .. } => (
                w!(fmt, training.letter_cancelled_subject, title = title.clone()),
                w!(fmt, training.letter_late_forgiven_body, title = title, time = time, zone = zone, why = why.clone()),
            ),
            Self::Reminder { .. } => (
                w!(fmt, training.letter_reminder_subject, title = title.clone()),
                w!(fmt, training.letter_reminder_body, title = title, time = time, zone = zone, place = place),
            ),
            Self::SeatCancelled { late, .. } => (
                w!(fmt, teaching.letter_seat_cancelled_subject, title = title.clone()),
                match late {
                    true => {
                        w!(fmt, teaching.letter_seat_cancelled_late_body, title = title, time = time, zone = zone)
                    }
                    false => w!(fmt, teaching.letter_seat_cancelled_body, title = title, time = time, zone = zone),
                },
            ),
            Self::GivenBack { was, why, .. } => {
                let (subject, body) = match was {
                    EnrolmentState::Waitlisted => (
                        w!(fmt, teaching.letter_off_line_subject, title = title.clone()),
                        w!(fmt, teaching.letter_off_line_body, title = title, time = time, zone = zone),
                    ),
                    EnrolmentState::Offered => (
                        w!(fmt, teaching.letter_offer_withdrawn_subject, title = title.clone()),
                        w!(fmt, teaching.letter_offer_withdrawn_body, title = title, time = time, zone = zone),
                    ),
                    _ => (
                        w!(fmt, teaching.letter_given_back_subject, title = title.clone()),
                        w!(fmt, teaching.letter_given_back_body, title = title, time = time, zone = zone),
                    ),
                };
                match why.is_empty() {
                    true => (subject, body),
                    false => (subject, format!("{body}\n\n{}", w!(fmt, teaching.letter_why, why = why.clone()))),
                }
            }
            Self::Changed { .. } => (
                w!(fmt, teaching.letter_changed_subject, title = title.clone()),
                w!(fmt, teaching.letter_changed_body, title = title, time = time, zone = zone, place = place),
            ),
            Self::Renamed { was, .. } => (
                w!(fmt, teaching.letter_renamed_subject, was = was.clone(), title = title.clone()),
                w!(fmt, teaching.letter_renamed_body, was = was.clone(), title = title, time = time, zone = zone),
            ),
            Self::Session { gone: true, .. } => (
                w!(fmt, teaching.letter_session_gone_subject, title = title.clone()),
                w!(fmt, teaching.letter_session_gone_body, title = title, time = time, zone = zone),
            ),
            Self::Session { number, count, .. } => {
                let (number, count) = (fmt.number(*number), fmt.number(*count));
                (
                    w!(
                        fmt,
                        teaching.letter_session_subject,
                        number = number.clone(),
                        of = count.clone(),
                        title = title.clone()
                    ),
                    w!(
                        fmt,
                        teaching.letter_session_body,
                        number = number,
                        of = count,
                        title = title,
                        time = time,
                        zone = zone,
                        place = place
                    ),
                )
            }
            Self::SeatMoved { before, why, .. } => (
                w!(fmt, teaching.letter_seat_moved_subject, title = title.clone()),
                w!(
                    fmt,
                    teaching.letter_seat_moved_body,
                    before = fmt.date_time(before.0, before.1),
                    title = title,
                    time = time,
                    zone = zone,
                    place = place,
                    why = why.clone()
                ),
            ),
            Self::MovedIn { name, why, .. } => (
                w!(fmt, teaching.letter_moved_in_subject, name = name.clone(), title = title.clone()),
                w!(
                    fmt,
                    teaching.letter_moved_in_body,
                    name = name.clone(),
                    title = title,
                    time = time,
                    zone = zone,
                    why = why.clone()
                ),
            ),
            Self::FromTrainer { trainer, subject, words, .. } => (
                subject.clone(),
                format!(
                    "{}\n\n{words}",
                    w!(
                        fmt,
                        teaching.letter_from_trainer_body,
                        trainer = trainer.clone(),
                        title = title,
                        time = time,
                        zone = zone
                    )
                ),
            ),
            Self::Moved { was, was_place, now, also, stays, .. } => {
                let (subject, body) = moved_words(fmt, about, (was, was_place), now);
                (subject, paragraphs(body, fmt, also, stays.write(fmt, about.zone)))
            }
            Self::Terms { also, stays, .. } => {
                let (subject, body) = terms_words(fmt, about);
                (subject, paragraphs(body, fmt, also, stays.write(fmt, about.zone)))
            }
            Self::Opened { until, .. } => {
                let subject = w!(fmt, planning.letter_opened_subject, title = title.clone());
                let body = w!(fmt, planning.letter_opened_body, title = title, time = time, zone = zone, place = place);
                let more = match until {
                    Some(until) => w!(fmt, planning.letter_opened_held, until = fmt.date_time(*until, about.zone)),
                    None => w!(fmt, planning.letter_opened_look),
                };
                (subject, format!("{body}\n\n{more}"))
            }
        };
        Written { subject, body, link: Some(about.link.clone()) }
    }

    fn about(&self) -> &About {
        match self {
            Self::Booked { about, .. }
            | Self::Waitlisted { about, .. }
            | Self::Offered { about, .. }
            | Self::WaitOver { about, .. }
            | Self::ClassCancelled { about, .. }
            | Self::LateForgiven { about, .. }
            | Self::Reminder { about }
            | Self::SeatCancelled { about, .. }
            | Self::GivenBack { about, .. }
            | Self::Changed { about }
            | Self::Renamed { about, .. }
            | Self::Session { about, .. }
            | Self::SeatMoved { about, .. }
            | Self::MovedIn { about, .. }
            | Self::FromTrainer { about, .. }
            | Self::Moved { about, .. }
            | Self::Terms { about, .. }
            | Self::Opened { about, .. } => about,
        }
    }
}

/// Sessions on the wall clock of a place, one a line.
pub fn times(fmt: Fmt, spans: &[Span], zone: Tz) -> String {
    let said = |span: &Span| format!("{} – {}", fmt.date_time(span.from, zone), fmt.time(span.until, zone));
    spans.iter().map(said).collect::<Vec<_>>().join("\n")
}

/// Where a class meets, as letters say it.
pub fn place_or_online(fmt: Fmt, place: &str) -> String {
    if place.is_empty() { w!(fmt, training.online) } else { place.to_owned() }
}

/// Subject and beginning of a letter about a class that was moved: when and where it was, and is.
pub fn moved_words(fmt: Fmt, about: &About, (was, was_place): (&[Span], &str), now: &[Span]) -> (String, String) {
    let body = w!(
        fmt,
        planning.letter_moved_body,
        title = about.title.clone(),
        before = times(fmt, was, about.zone),
        before_place = place_or_online(fmt, was_place),
        after = times(fmt, now, about.zone),
        after_place = place_or_online(fmt, &about.place),
        zone = words::zone(about.zone)
    );
    (w!(fmt, planning.letter_moved_subject, title = about.title.clone()), body)
}

/// Subject and beginning of a letter about a class of which something else has changed.
pub fn terms_words(fmt: Fmt, about: &About) -> (String, String) {
    let body = w!(
        fmt,
        planning.letter_terms_body,
        title = about.title.clone(),
        time = fmt.date_time(about.starts, about.zone),
        zone = words::zone(about.zone),
        place = place_or_online(fmt, &about.place)
    );
    (w!(fmt, planning.letter_terms_subject, title = about.title.clone()), body)
}

/// A body, what else has changed line by line, and how it ends.
pub fn paragraphs(body: String, fmt: Fmt, also: &[Also], last: String) -> String {
    let also = also.iter().map(|one| one.write(fmt));
    let all = std::iter::once(body).chain(also).chain([last]);
    all.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
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
    let cancelling = class.policy().cancelling(cx.now);
    let letter = TrainingLetter::Booked { about: About::of(cx, class), cost: cost.clone(), cancelling };
    let sessions = store::sessions(tx, class.id).await?;
    let (seat, once) = (Seat { class, id, person }, format!("enrolment_booked:{id}:{}:{}", class.id, class.sequence));
    invitations::request(tx, cx, seat, &sessions, letter, &once).await
}

/// A seat is given back by whoever had it.
pub async fn cancelled(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    row: &EnrolmentRow,
    to: EnrolmentState,
) -> Result<(), AppError> {
    if row.state != EnrolmentState::Booked {
        return Ok(());
    }
    let late = to == EnrolmentState::CancelledLate && class.policy().late_costs(cx.now);
    let letter = TrainingLetter::SeatCancelled { about: About::of(cx, class), late };
    let sessions = store::sessions(tx, class.id).await?;
    let seat = Seat { class, id: row.id, person: row.person_id };
    invitations::cancel(tx, cx, seat, &sessions, Some(letter.into()), &format!("seat_cancelled:{}", row.id)).await
}

/// Staff gave somebody's place back for them.
pub async fn given_back(tx: &mut Tx, cx: &Cx, class: &ClassRow, row: &EnrolmentRow, why: &str) -> Result<(), AppError> {
    let letter = TrainingLetter::GivenBack { about: About::of(cx, class), was: row.state, why: why.to_owned() };
    let sessions = store::sessions(tx, class.id).await?;
    let seat = Seat { class, id: row.id, person: row.person_id };
    invitations::cancel(tx, cx, seat, &sessions, Some(letter.into()), &format!("seat_given_back:{}", row.id)).await
}

/// The class is at another address on line. `sessions` are those that it has.
pub async fn changed(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    sessions: &[SessionRow],
    id: EnrolmentId,
    person: PersonId,
) -> Result<(), AppError> {
    let letter = TrainingLetter::Changed { about: About::of(cx, class) };
    let once = format!("class_changed:{id}:{}:{}", class.id, class.version);
    invitations::request(tx, cx, Seat { class, id, person }, sessions, letter, &once).await
}

/// The class is called otherwise. `because_of` is the seat or the make-up of whoever reads it.
pub async fn renamed<'a>(
    tx: &mut Tx,
    cx: &Cx,
    chair: impl Into<Chair<'a>>,
    sessions: &[SessionRow],
    was: &str,
    because_of: Uuid,
) -> Result<(), AppError> {
    let chair = chair.into();
    let next = sessions.iter().find(|session| cx.now < session.ends_at).map(|session| session.starts_at);
    let about = About::of(cx, chair.class());
    let (starts, link) = (next.unwrap_or(about.starts), cx.app.config.address(&chair.path()));
    let letter = TrainingLetter::Renamed { about: About { starts, link, ..about }, was: was.to_owned() };
    let once = format!("class_renamed:{because_of}:{}", chair.class().version);
    invitations::request(tx, cx, chair, sessions, letter, &once).await
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

/// Waiting is over, and so is what was offered.
pub async fn wait_over(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    id: EnrolmentId,
    person: PersonId,
    why: Waited,
) -> Result<(), AppError> {
    let letter = TrainingLetter::WaitOver { about: About::of(cx, class), why };
    send(tx, cx, person, letter, &format!("wait_over:{id}")).await
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
    let next = offer.map(|(next, until)| Next::of(class, next, until));
    let letter = TrainingLetter::ClassCancelled { about, why: why.to_owned(), next };
    let sessions = store::sessions(tx, class.id).await?;
    let seat = Seat { class, id, person };
    invitations::cancel(tx, cx, seat, &sessions, Some(letter.into()), &format!("class_cancelled:{id}")).await
}

/// A class does not take place, and cancelling it late costs nothing any more.
pub async fn late_forgiven(tx: &mut Tx, cx: &Cx, class: &ClassRow, payer: PersonId, why: &str) -> Result<(), AppError> {
    let about = About { link: cx.app.config.address("/training"), ..About::of(cx, class) };
    let letter = TrainingLetter::LateForgiven { about, why: why.to_owned() };
    send(tx, cx, payer, letter, &format!("late_cancel_forgiven:{}:{payer}", class.id)).await
}

/// A session of the class is tomorrow.
pub async fn reminder(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    session: &SessionRow,
    id: EnrolmentId,
    person: PersonId,
) -> Result<(), AppError> {
    let about = About { starts: session.starts_at, ..About::of(cx, class) };
    // Once for each start: a session that was moved is reminded of again.
    let once = format!("class_reminder:{id}:{}:{}", session.id, session.starts_at.timestamp());
    send(tx, cx, person, TrainingLetter::Reminder { about }, &once).await
}

/// The class is at another time or in another room. The calendar of whoever keeps their seat is moved along; of whoever
/// loses it, emptied.
pub async fn moved(
    tx: &mut Tx,
    cx: &Cx,
    before: (&ClassRow, &[SessionRow]),
    class: &ClassRow,
    row: &EnrolmentRow,
    now: &[Span],
    (also, stays): (Vec<Also>, Stays),
) -> Result<(), AppError> {
    let keeps = matches!(stays, Stays::Booked { .. });
    let letter = TrainingLetter::Moved {
        about: About::of(cx, class),
        was: before.1.iter().map(SessionRow::span).collect(),
        was_place: words::place(before.0),
        now: now.to_vec(),
        also,
        stays,
    };
    // A seat can be carried into another class that has changed as often.
    let once = format!("class_moved:{}:{}:{}", row.id, class.id, class.sequence);
    let seat = Seat { class, id: row.id, person: row.person_id };
    if !keeps {
        return invitations::cancel(tx, cx, seat, before.1, Some(letter.into()), &once).await;
    }
    let sessions = store::sessions(tx, class.id).await?;
    let gone = invitations::gone(before.1, &sessions);
    invitations::request(tx, cx, seat, &sessions, letter, &once).await?;
    invitations::cancel(tx, cx, seat, &gone, None, &format!("{once}:gone")).await
}

/// The class stays where and when it is, and is not what was agreed to. Whoever has a seat finds another address on line
/// in their calendar.
pub async fn terms(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    row: &EnrolmentRow,
    also: Vec<Also>,
    stays: Stays,
) -> Result<(), AppError> {
    let seated = matches!(stays, Stays::Kept { .. });
    let letter = TrainingLetter::Terms { about: About::of(cx, class), also, stays };
    let once = format!("class_terms:{}:{}:{}", row.id, class.id, class.version);
    if !seated {
        return send(tx, cx, row.person_id, letter, &once).await;
    }
    let sessions = store::sessions(tx, class.id).await?;
    let seat = Seat { class, id: row.id, person: row.person_id };
    invitations::request(tx, cx, seat, &sessions, letter, &once).await
}

/// A class that somebody asked for opens.
pub async fn opened(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    person: PersonId,
    until: Option<DateTime<Utc>>,
) -> Result<(), AppError> {
    let letter = TrainingLetter::Opened { about: About::of(cx, class), until };
    send(tx, cx, person, letter, &format!("class_opened:{}:{person}", class.id)).await
}

impl From<TrainingLetter> for Letter {
    fn from(letter: TrainingLetter) -> Self {
        Self::Training(letter)
    }
}

pub async fn send(tx: &mut Tx, cx: &Cx, person: PersonId, letter: TrainingLetter, once: &str) -> Result<(), AppError> {
    service::send(tx, cx, To::Person(person), Letter::Training(letter), once).await
}
