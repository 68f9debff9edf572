//! What customers get in writing about their cases.

use super::{service::Tell, store, store::Case};
use crate::{
    cases::domain::{Kind, Matter},
    db::Tx,
    error::AppError,
    i18n::Fmt,
    notices::server::{Letter, To, Urgency, Written},
    server::{Cx, fresh},
    values::{CaseId, PersonId},
    w,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

/// A letter about a case.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseLetter {
    subject: String,
    link: String,
    says: Says,
}

#[derive(Clone, Debug, PartialEq)]
enum Says {
    /// It has arrived; by when a person answers, and for complaints and claims by when the full answer is there.
    Opened {
        answer: DateTime<Utc>,
        full: Option<DateTime<Utc>>,
    },
    Told {
        tell: Tell,
        name: Option<String>,
        words: Option<String>,
    },
}

impl CaseLetter {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        match self.says {
            Says::Opened { .. } => "case_opened",
            Says::Told { tell: Tell::Answered, .. } => "case_answered",
            Says::Told { tell: Tell::Asked, .. } => "case_asked",
            Says::Told { tell: Tell::Resolved, .. } => "case_resolved",
        }
    }

    /// That it arrived answers the reader's own act; the rest waits for the morning.
    pub fn urgency(&self) -> Urgency {
        match self.says {
            Says::Opened { .. } => Urgency::AtOnce,
            Says::Told { .. } => Urgency::ByDay,
        }
    }

    /// In the reader's language and zone.
    pub fn write(&self, fmt: Fmt, zone: Tz) -> Written {
        let subject = self.subject.clone();
        let at = |instant| fmt.date_time(instant, zone);
        let (subject, body) = match &self.says {
            Says::Opened { answer, full } => (
                w!(fmt, cases.letter_opened_subject, subject = subject),
                match full {
                    Some(full) => w!(fmt, cases.letter_opened_complaint, when = at(*answer), full = at(*full)),
                    None => w!(fmt, cases.letter_opened_body, when = at(*answer)),
                },
            ),
            Says::Told { tell, name, words } => {
                let name = name.clone().unwrap_or_else(|| w!(fmt, cases.us));
                let (subject, first) = match tell {
                    Tell::Answered => (
                        w!(fmt, cases.letter_answered_subject, subject = subject),
                        w!(fmt, cases.letter_answered_body, name = name),
                    ),
                    Tell::Asked => (
                        w!(fmt, cases.letter_asked_subject, subject = subject),
                        w!(fmt, cases.letter_asked_body, name = name),
                    ),
                    Tell::Resolved => {
                        (w!(fmt, cases.letter_resolved_subject, subject = subject), w!(fmt, cases.letter_resolved_body))
                    }
                };
                (subject, words.as_ref().map_or_else(|| first.clone(), |words| format!("{first}\n\n{words}")))
            }
        };
        Written { subject, body, link: Some(self.link.clone()) }
    }
}

fn link(cx: &Cx, id: CaseId) -> String {
    cx.app.config.address(&format!("/cases/{id}"))
}

/// Says that it has arrived and by when we answer.
pub(super) async fn opened(
    tx: &mut Tx,
    cx: &Cx,
    customer: PersonId,
    id: CaseId,
    subject: &str,
    matter: &Matter,
) -> Result<(), AppError> {
    let full = matches!(matter.kind, Kind::Complaint | Kind::Claim).then_some(matter.solve_due);
    let answer = matter.answer_due.unwrap_or(matter.solve_due);
    let letter = CaseLetter { subject: subject.to_owned(), link: link(cx, id), says: Says::Opened { answer, full } };
    send(tx, cx, customer, letter, &format!("case_opened:{id}")).await
}

/// Says what the desk did.
pub(super) async fn told(tx: &mut Tx, cx: &Cx, case: &Case, tell: Tell, words: Option<&str>) -> Result<(), AppError> {
    let name = match cx.viewer.person() {
        Some(person) => store::name(tx, person.id).await?,
        None => None,
    };
    let says = Says::Told { tell, name, words: words.map(ToOwned::to_owned) };
    let letter = CaseLetter { subject: case.subject.clone(), link: link(cx, case.id), says };
    send(tx, cx, case.customer, letter, &format!("case_told:{}", fresh::<Uuid>())).await
}

async fn send(tx: &mut Tx, cx: &Cx, to: PersonId, letter: CaseLetter, dedupe_key: &str) -> Result<(), AppError> {
    crate::notices::server::service::send(tx, cx, To::Person(to), Letter::Case(letter), dedupe_key).await
}
