//! What training writes to learners about their make-ups and what came of them.

use super::{
    store::{ClassRow, EnrolmentRow, MakeUpRow, ToTellRow},
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
    MakeUpBooked {
        about: Session,
        /// Room, address, town; empty on line.
        place: String,
    },
    MakeUpCancelled {
        about: Session,
    },
    Certified {
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
            Self::MakeUpBooked { .. } => "make_up_booked",
            Self::MakeUpCancelled { .. } => "make_up_cancelled",
            Self::Certified { .. } => "certified",
            Self::Lapses { .. } => "certificate_lapses",
            Self::EmployeeLapses { .. } => "employee_lapses",
        }
    }

    pub fn urgency(&self) -> Urgency {
        match self {
            Self::MakeUpBooked { .. } => Urgency::AtOnce,
            Self::MakeUpCancelled { .. } | Self::Certified { .. } => Urgency::ByDay,
            Self::Lapses { .. } | Self::EmployeeLapses { .. } => Urgency::ByDay,
        }
    }

    /// In the reader's language, on the wall clock of the place.
    pub fn write(&self, fmt: Fmt) -> Written {
        match self {
            Self::MakeUpBooked { about, place } => Written {
                subject: w!(fmt, learning.letter_make_up_subject, title = about.home.clone()),
                body: w!(
                    fmt,
                    learning.letter_make_up_body,
                    home = about.home.clone(),
                    title = about.title.clone(),
                    time = fmt.date_time(about.starts, about.zone),
                    zone = words::zone(about.zone),
                    place = if place.is_empty() { w!(fmt, training.online) } else { place.clone() }
                ),
                link: Some(about.link.clone()),
            },
            Self::MakeUpCancelled { about } => Written {
                subject: w!(fmt, learning.letter_make_up_off_subject, title = about.home.clone()),
                body: w!(
                    fmt,
                    learning.letter_make_up_off_body,
                    home = about.home.clone(),
                    title = about.title.clone(),
                    time = fmt.date_time(about.starts, about.zone),
                    zone = words::zone(about.zone)
                ),
                link: Some(about.link.clone()),
            },
            Self::Certified { title, link } => Written {
                subject: w!(fmt, learning.letter_certified_subject, title = title.clone()),
                body: w!(fmt, learning.letter_certified_body, title = title.clone()),
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
    let letter = LearningLetter::MakeUpBooked { about: Session::of(cx, row), place: words::place(class) };
    send(tx, cx, row.person_id, letter, &format!("make_up_booked:{}", row.id)).await
}

/// The class in which it would have been made up does not take place.
pub async fn make_up_cancelled(tx: &mut Tx, cx: &Cx, row: &MakeUpRow) -> Result<(), AppError> {
    let letter = LearningLetter::MakeUpCancelled { about: Session::of(cx, row) };
    send(tx, cx, row.person_id, letter, &format!("make_up_cancelled:{}", row.id)).await
}

/// A make-up earned the certificate of a class that was closed before.
pub async fn certified(tx: &mut Tx, cx: &Cx, home: &ClassRow, seat: &EnrolmentRow) -> Result<(), AppError> {
    let letter = LearningLetter::Certified { title: home.title.clone(), link: cx.app.config.address("/training/mine") };
    send(tx, cx, seat.person_id, letter, &format!("certified:{}", seat.id)).await
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
