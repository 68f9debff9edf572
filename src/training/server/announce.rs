//! What learners say in advance of a session: that they will be late, or absent. Their trainer reads it on the roster and
//! in the room. Whoever makes a session up as a guest says it of that one.

use super::{
    make_ups,
    seats::lock_of,
    store::{self, SessionRow},
};
use crate::{
    access::{Act, Subject},
    calendar::domain::Span,
    db::Tx,
    error::{AppError, Fault, Faults},
    server::{
        Cx,
        form::Form,
        history::{self, Change},
        notice::Notice,
    },
    training::domain::{Announced, EnrolmentState, Refusal, learning},
    values::{ClassId, ClassSessionId, EnrolmentId, MakeUpId, PersonId},
};

/// Longest explanation.
pub const WORDS: u32 = 300;

/// Of which session somebody speaks: one of the class in which they have a seat, or the one that they make up.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    Seat(ClassId, ClassSessionId),
    Guest(MakeUpId),
}

/// What the form on the page of a class says: `announce` says it, `withdraw` takes it back.
pub async fn act(cx: &Cx, class: ClassId, form: &Form) -> Result<Notice, AppError> {
    let mut faults = Faults::default();
    let session = form.parse::<ClassSessionId>("session", &mut faults, Fault::NotAChoice);
    run(cx, session.map(|session| Of::Seat(class, session)), form, faults).await
}

/// The same on the page of a make-up.
pub async fn act_as_guest(cx: &Cx, form: &Form) -> Result<Notice, AppError> {
    let mut faults = Faults::default();
    let make_up = form.parse::<MakeUpId>("make_up", &mut faults, Fault::NotAChoice);
    run(cx, make_up.map(Of::Guest), form, faults).await
}

async fn run(cx: &Cx, of: Option<Of>, form: &Form, mut faults: Faults) -> Result<Notice, AppError> {
    if form.text("act") == "withdraw" {
        faults.check()?;
        take_back(cx, of.ok_or(AppError::NotFound)?).await?;
        return Ok(Notice::AnnouncementWithdrawn);
    }
    let kind = form.parse::<Announced>("kind", &mut faults, Fault::NotAChoice);
    let words = form.text("words").replace("\r\n", "\n");
    if words.chars().count() > WORDS as usize {
        faults.add("words", Fault::TooLong { max: WORDS });
    }
    let (Some(of), Some(kind)) = (of, kind) else { return Err(AppError::Invalid(faults)) };
    faults.check()?;
    tell(cx, of, kind, words).await?;
    Ok(Notice::Announced)
}

/// Says that the viewer will be late or absent in a session of their class.
pub async fn say(
    cx: &Cx,
    class: ClassId,
    session: ClassSessionId,
    kind: Announced,
    words: String,
) -> Result<(), AppError> {
    tell(cx, Of::Seat(class, session), kind, words).await
}

/// Takes it back: the viewer comes after all.
pub async fn withdraw(cx: &Cx, class: ClassId, session: ClassSessionId) -> Result<(), AppError> {
    take_back(cx, Of::Seat(class, session)).await
}

/// Says that the viewer will be late or absent; what they said before is replaced.
pub async fn tell(cx: &Cx, of: Of, kind: Announced, words: String) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, words) = (cx.clone(), words.clone());
            Box::pin(async move {
                let chair = chair(tx, &cx, of).await?;
                let permit = cx.may(Act::Announce, &Subject::of(chair.person))?;
                learning::announce(chair.state, chair.span, cx.now)?;
                store::announce(tx, &permit, chair.seat, chair.session, kind, &words, cx.now).await?;
                let detail = detail(chair.session);
                let change = Change { to: Some(kind.as_str()), detail: Some(&detail), ..chair.change() };
                history::record(tx, &cx, &permit, change).await?;
                match (of, kind) {
                    (Of::Seat(..), Announced::Late) => {
                        make_ups::comes_after_all(tx, &cx, chair.seat, chair.session).await
                    }
                    _ => Ok(()),
                }
            })
        })
        .await
}

async fn take_back(cx: &Cx, of: Of) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let chair = chair(tx, &cx, of).await?;
                let permit = cx.may(Act::WithdrawAnnouncement, &Subject::of(chair.person))?;
                learning::announce(chair.state, chair.span, cx.now)?;
                // A second tap finds nothing to take back.
                if !store::withdraw(tx, &permit, chair.seat, chair.session).await? {
                    return Ok(());
                }
                let detail = detail(chair.session);
                let change = Change { to: Some("withdrawn"), detail: Some(&detail), ..chair.change() };
                history::record(tx, &cx, &permit, change).await?;
                match of {
                    Of::Seat(..) => make_ups::comes_after_all(tx, &cx, chair.seat, chair.session).await,
                    Of::Guest(_) => Ok(()),
                }
            })
        })
        .await
}

/// Where the viewer sits in the session, because of which seat.
struct Chair {
    of: Of,
    seat: EnrolmentId,
    state: EnrolmentState,
    person: PersonId,
    session: ClassSessionId,
    span: Span,
}

impl Chair {
    fn change(&self) -> Change<'static> {
        let (entity, id) = match self.of {
            Of::Seat(..) => ("enrolment", self.seat.0),
            Of::Guest(make_up) => (make_ups::ENTITY, make_up.0),
        };
        Change { entity, id, customer: Some(self.person), ..Change::default() }
    }
}

/// The viewer's, with its class held.
async fn chair(tx: &mut Tx, cx: &Cx, of: Of) -> Result<Chair, AppError> {
    let person = cx.person()?.id;
    match of {
        Of::Seat(class, session) => {
            tx.lock(&[lock_of(class)]).await?;
            let sessions = store::sessions(tx, class).await?;
            let row: SessionRow = sessions.into_iter().find(|row| row.id == session).ok_or(AppError::NotFound)?;
            let seat = store::active(tx, class, person).await?.ok_or(Refusal::NotEnrolled)?;
            Ok(Chair { of, seat: seat.id, state: seat.state, person, session, span: row.span() })
        }
        Of::Guest(id) => {
            let class = store::make_up(tx, id).await?.class_id;
            tx.lock(&[lock_of(class)]).await?;
            let row = store::make_up(tx, id).await?;
            if row.person_id != person {
                return Err(AppError::NotFound);
            }
            let (span, state) = (Span { from: row.starts_at, until: row.ends_at }, EnrolmentState::Booked);
            Ok(Chair { of, seat: row.enrolment_id, state, person, session: row.session_id, span })
        }
    }
}

fn detail(session: ClassSessionId) -> String {
    serde_json::json!({ "session": session }).to_string()
}
