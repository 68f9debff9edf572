//! What training writes to learners about their make-ups and what came of them.

use super::{
    invitations::{self, Chair},
    letters::Also,
    store::{self, ClassRow, EnrolmentRow, MakeUpRow, SessionRow, ToTellRow},
    words,
};
use crate::{
    db::Tx,
    error::AppError,
    i18n::Fmt,
    notices::server::{Letter, To, Urgency, Written, service},
    server::Cx,
    values::{CertificateId, OrganisationId, PersonId},
    w,
};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// A letter with what it needs to be written.
#[derive(Clone, Debug, PartialEq)]
pub enum LearningLetter {
    /// About a session that is made up elsewhere.
    MakeUp {
        about: Session,
        says: Says,
    },
    Certified {
        title: String,
        earned: Earned,
        link: String,
    },
    /// The reader's certificate was given on a mark that has been corrected since.
    CertificateWithdrawn {
        title: String,
        link: String,
    },
    /// The reader's own certificate lapses.
    Lapses {
        title: String,
        last: NaiveDate,
        link: String,
    },
    /// To the owner of a firm: one of somebody there.
    EmployeeLapses {
        name: String,
        firm: String,
        title: String,
        last: NaiveDate,
        link: String,
    },
}

/// By what a certificate was earned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Earned {
    /// By the class itself, when it was closed.
    Attended,
    /// By a session that was made up later.
    MadeUp,
}

/// What became of it. Places are room, address and town; empty on line.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    Booked {
        place: String,
    },
    /// It takes place elsewhere now.
    Changed {
        place: String,
        /// Where that is another one as well, by its code.
        language: Option<String>,
    },
    /// It is held in another language now, by its code.
    Language {
        language: String,
    },
    /// It is tomorrow.
    Reminder {
        place: String,
    },
    /// The reader gave it back.
    GivenBack {
        /// What the seat in the class that was missed cost comes back with it.
        forgiven: bool,
    },
    /// It does not take place then, or not at all.
    Cancelled {
        forgiven: bool,
    },
    /// There is nothing to make up any more: the missed session begins at another time, or is no more.
    Void,
}

impl Says {
    fn kind(&self) -> &'static str {
        match self {
            Self::Booked { .. } => "make_up_booked",
            Self::Changed { .. } => "make_up_changed",
            Self::Language { .. } => "make_up_language",
            Self::Reminder { .. } => "make_up_reminder",
            Self::GivenBack { .. } => "make_up_given_back",
            Self::Cancelled { .. } => "make_up_cancelled",
            Self::Void => "make_up_void",
        }
    }

    fn write(&self, fmt: Fmt, about: &Session) -> Written {
        let (home, title) = (about.home.clone(), about.title.clone());
        let (time, zone) = (fmt.date_time(about.starts, about.zone), words::zone(about.zone));
        let at = |place: &str| if place.is_empty() { w!(fmt, training.online) } else { place.to_owned() };
        let (subject, body) = match self {
            Self::Booked { place } => (
                w!(fmt, learning.letter_make_up_subject, title = home.clone()),
                w!(
                    fmt,
                    learning.letter_make_up_body,
                    home = home,
                    title = title,
                    time = time,
                    zone = zone,
                    place = at(place)
                ),
            ),
            Self::Changed { place, language } => {
                let body = w!(
                    fmt,
                    learning.letter_make_up_changed_body,
                    home = home.clone(),
                    title = title,
                    time = time,
                    zone = zone,
                    place = at(place)
                );
                let also = language.as_ref().map(|code| Also::Language(code.clone()).write(fmt));
                let body = std::iter::once(body).chain(also).collect::<Vec<_>>().join("\n\n");
                (w!(fmt, learning.letter_make_up_changed_subject, title = home), body)
            }
            Self::Language { language } => (
                w!(fmt, learning.letter_make_up_language_subject, title = home.clone()),
                w!(
                    fmt,
                    learning.letter_make_up_language_body,
                    home = home,
                    title = title,
                    language = words::language(language),
                    time = time,
                    zone = zone
                ),
            ),
            Self::Reminder { place } => (
                w!(fmt, learning.letter_make_up_reminder_subject, title = title.clone()),
                w!(
                    fmt,
                    learning.letter_make_up_reminder_body,
                    home = home,
                    title = title,
                    time = time,
                    zone = zone,
                    place = at(place)
                ),
            ),
            Self::GivenBack { forgiven } => {
                let subject = w!(fmt, learning.letter_make_up_back_subject, title = home.clone());
                let next = next(fmt, &home, *forgiven, w!(fmt, learning.letter_make_up_back_next));
                let body =
                    w!(fmt, learning.letter_make_up_back_body, home = home, title = title, time = time, zone = zone);
                (subject, format!("{body}\n\n{next}"))
            }
            Self::Cancelled { forgiven } => {
                let subject = w!(fmt, learning.letter_make_up_off_subject, title = home.clone());
                let next = next(fmt, &home, *forgiven, w!(fmt, learning.letter_make_up_off_next));
                let body =
                    w!(fmt, learning.letter_make_up_off_body, home = home, title = title, time = time, zone = zone);
                (subject, format!("{body}\n\n{next}"))
            }
            Self::Void => (
                w!(fmt, learning.letter_make_up_void_subject, title = home.clone()),
                w!(fmt, learning.letter_make_up_void_body, home = home, title = title, time = time, zone = zone),
            ),
        };
        Written { subject, body, link: Some(about.link.clone()) }
    }
}

/// How a letter about a make-up that has ended goes on: another can be chosen, unless the seat costs nothing after all.
fn next(fmt: Fmt, home: &str, forgiven: bool, otherwise: String) -> String {
    if forgiven { w!(fmt, learning.letter_make_up_forgiven, home = home.to_owned()) } else { otherwise }
}

/// A session that is made up elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The class of which a session was missed, and the one that it is made up in.
    pub home: String,
    pub title: String,
    pub starts: DateTime<Utc>,
    pub zone: Tz,
    pub link: String,
}

impl Session {
    fn of(cx: &Cx, row: &MakeUpRow) -> Self {
        Self {
            home: row.home_title.clone(),
            title: row.title.clone(),
            starts: row.starts_at,
            zone: row.tz(),
            link: cx.app.config.address(&row.path()),
        }
    }
}

impl LearningLetter {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::MakeUp { says, .. } => says.kind(),
            Self::Certified { .. } => "certified",
            Self::CertificateWithdrawn { .. } => "certificate_withdrawn",
            Self::Lapses { .. } => "certificate_lapses",
            Self::EmployeeLapses { .. } => "employee_lapses",
        }
    }

    pub fn urgency(&self) -> Urgency {
        match self {
            Self::MakeUp { says: Says::Booked { .. } | Says::GivenBack { .. }, .. } => Urgency::AtOnce,
            Self::MakeUp { .. } => Urgency::ByDay,
            Self::Certified { .. } | Self::CertificateWithdrawn { .. } => Urgency::ByDay,
            Self::Lapses { .. } | Self::EmployeeLapses { .. } => Urgency::ByDay,
        }
    }

    /// In the reader's language, on the wall clock of the place.
    pub fn write(&self, fmt: Fmt) -> Written {
        match self {
            Self::MakeUp { about, says } => says.write(fmt, about),
            Self::Certified { title, earned, link } => Written {
                subject: w!(fmt, learning.letter_certified_subject, title = title.clone()),
                body: match earned {
                    Earned::Attended => w!(fmt, learning.letter_passed_body, title = title.clone()),
                    Earned::MadeUp => w!(fmt, learning.letter_certified_body, title = title.clone()),
                },
                link: Some(link.clone()),
            },
            Self::CertificateWithdrawn { title, link } => Written {
                subject: w!(fmt, learning.letter_certificate_withdrawn_subject, title = title.clone()),
                body: w!(fmt, learning.letter_certificate_withdrawn_body, title = title.clone()),
                link: Some(link.clone()),
            },
            Self::Lapses { title, last, link } => Written {
                subject: w!(fmt, validity.letter_subject, title = title.clone(), date = fmt.date(*last)),
                body: w!(fmt, validity.letter_body, title = title.clone(), date = fmt.date(*last)),
                link: Some(link.clone()),
            },
            Self::EmployeeLapses { name, firm, title, last, link } => Written {
                subject: w!(fmt, validity.letter_firm_subject, name = name.clone(), title = title.clone()),
                body: w!(
                    fmt,
                    validity.letter_firm_body,
                    name = name.clone(),
                    firm = firm.clone(),
                    title = title.clone(),
                    date = fmt.date(*last)
                ),
                link: Some(link.clone()),
            },
        }
    }
}

/// A missed session will be made up.
pub async fn make_up_booked(tx: &mut Tx, cx: &Cx, row: &MakeUpRow, class: &ClassRow) -> Result<(), AppError> {
    let letter = make_up(cx, row, Says::Booked { place: words::place(class) });
    let (chair, once) = (Chair::of_guest(class, row), format!("make_up_booked:{}", row.id));
    let sessions = session(tx, row).await?;
    invitations::request(tx, cx, chair, &sessions, letter, &once).await
}

/// The session to come is in another place; perhaps in another language too.
pub async fn make_up_changed(
    tx: &mut Tx,
    cx: &Cx,
    row: &MakeUpRow,
    class: &ClassRow,
    language: Option<String>,
) -> Result<(), AppError> {
    let letter = make_up(cx, row, Says::Changed { place: words::place(class), language });
    let (chair, once) = (Chair::of_guest(class, row), format!("make_up_changed:{}:{}", row.id, class.version));
    let sessions = session(tx, row).await?;
    invitations::request(tx, cx, chair, &sessions, letter, &once).await
}

/// The session to come is held in another language.
pub async fn make_up_language(tx: &mut Tx, cx: &Cx, row: &MakeUpRow, class: &ClassRow) -> Result<(), AppError> {
    let letter = make_up(cx, row, Says::Language { language: class.language.clone() });
    let once = format!("make_up_language:{}:{}", row.id, class.version);
    service::send(tx, cx, To::Person(row.person_id), letter, &once).await
}

/// The session is tomorrow.
pub async fn make_up_reminder(tx: &mut Tx, cx: &Cx, row: &MakeUpRow, class: &ClassRow) -> Result<(), AppError> {
    let letter = make_up(cx, row, Says::Reminder { place: words::place(class) });
    service::send(tx, cx, To::Person(row.person_id), letter, &format!("make_up_reminder:{}", row.id)).await
}

/// The reader gave the seat back; perhaps what the missed class cost comes back with it.
pub async fn make_up_given_back(tx: &mut Tx, cx: &Cx, row: &MakeUpRow, forgiven: bool) -> Result<(), AppError> {
    make_up_off(tx, cx, row, Some(Says::GivenBack { forgiven })).await
}

/// The class in which it would have been made up does not take place.
pub async fn make_up_cancelled(tx: &mut Tx, cx: &Cx, row: &MakeUpRow, forgiven: bool) -> Result<(), AppError> {
    make_up_off(tx, cx, row, Some(Says::Cancelled { forgiven })).await
}

/// The session that was missed begins at another time, or is no more.
pub async fn make_up_void(tx: &mut Tx, cx: &Cx, row: &MakeUpRow) -> Result<(), AppError> {
    make_up_off(tx, cx, row, Some(Says::Void)).await
}

/// The class of which the session was missed does not take place, which a letter of its own tells: here it only leaves
/// the calendar.
pub async fn make_up_needless(tx: &mut Tx, cx: &Cx, row: &MakeUpRow) -> Result<(), AppError> {
    make_up_off(tx, cx, row, None).await
}

async fn make_up_off(tx: &mut Tx, cx: &Cx, row: &MakeUpRow, says: Option<Says>) -> Result<(), AppError> {
    let class = store::class(tx, row.class_id).await?;
    let once = format!("{}:{}", says.as_ref().map_or("make_up_needless", Says::kind), row.id);
    let (sessions, letter) = (session(tx, row).await?, says.map(|says| make_up(cx, row, says)));
    invitations::cancel(tx, cx, Chair::of_guest(&class, row), &sessions, letter, &once).await
}

fn make_up(cx: &Cx, row: &MakeUpRow, says: Says) -> Letter {
    Letter::Learning(LearningLetter::MakeUp { about: Session::of(cx, row), says })
}

/// The one session that is made up, as the calendar needs it.
async fn session(tx: &mut Tx, row: &MakeUpRow) -> Result<Vec<SessionRow>, AppError> {
    let sessions = store::sessions(tx, row.class_id).await?;
    Ok(sessions.into_iter().filter(|session| session.id == row.session_id).collect())
}

/// Somebody has the certificate of a class that is closed. One that is given instead of one that was taken back has a code
/// of its own, so that is told too.
pub async fn certified(
    tx: &mut Tx,
    cx: &Cx,
    home: &ClassRow,
    seat: &EnrolmentRow,
    certificate: CertificateId,
    earned: Earned,
) -> Result<(), AppError> {
    let link = cx.app.config.address("/training/mine");
    let letter = LearningLetter::Certified { title: home.title.clone(), earned, link };
    send(tx, cx, seat.person_id, letter, &format!("certified:{certificate}")).await
}

/// The certificate of somebody is taken back; the letter leads to where one can ask about it.
pub async fn certificate_withdrawn(
    tx: &mut Tx,
    cx: &Cx,
    home: &ClassRow,
    seat: &EnrolmentRow,
    certificate: CertificateId,
) -> Result<(), AppError> {
    let link = cx.app.config.address("/help");
    let letter = LearningLetter::CertificateWithdrawn { title: home.title.clone(), link };
    send(tx, cx, seat.person_id, letter, &format!("certificate_withdrawn:{certificate}")).await
}

/// A certificate lapses soon.
pub async fn lapses(tx: &mut Tx, cx: &Cx, certificate: CertificateId, row: &ToTellRow) -> Result<(), AppError> {
    let link = cx.app.config.address(&format!("/training/courses/{}", row.course_id));
    let letter = LearningLetter::Lapses { title: row.title.clone(), last: row.last_valid_on, link };
    send(tx, cx, row.person_id, letter, &format!("certificate_lapses:{certificate}")).await
}

/// The certificate of somebody of a firm lapses soon: its owner hears it, once, whatever else they own.
pub async fn employee_lapses(
    tx: &mut Tx,
    cx: &Cx,
    certificate: CertificateId,
    row: &ToTellRow,
    owner: PersonId,
    (firm, firm_name): (OrganisationId, String),
) -> Result<(), AppError> {
    let letter = LearningLetter::EmployeeLapses {
        name: row.name.clone(),
        firm: firm_name,
        title: row.title.clone(),
        last: row.last_valid_on,
        link: cx.app.config.address(&format!("/training/team?firm={firm}")),
    };
    send(tx, cx, owner, letter, &format!("employee_lapses:{certificate}:{owner}")).await
}

async fn send(tx: &mut Tx, cx: &Cx, person: PersonId, letter: LearningLetter, once: &str) -> Result<(), AppError> {
    service::send(tx, cx, To::Person(person), Letter::Learning(letter), once).await
}
