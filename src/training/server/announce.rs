//! What learners say in advance of a session: that they will be late, or absent. Their trainer reads it on the roster.

use super::{
    make_ups,
    seats::lock_of,
    store::{self, EnrolmentRow, SessionRow},
};
use crate::{
    access::{Act, Subject},
    db::Tx,
    error::{AppError, Fault, Faults},
    server::{
        Cx,
        form::Form,
        history::{self, Change},
        notice::Notice,
    },
    training::domain::{Announced, Refusal, learning},
    values::{ClassId, ClassSessionId},
};

/// Longest explanation.
pub const WORDS: u32 = 300;

/// What the form on the page of a class says: `announce` says it, `withdraw` takes it back.
pub async fn act(cx: &Cx, class: ClassId, form: &Form) -> Result<Notice, AppError> {
    let mut faults = Faults::default();
    let session = form.parse::<ClassSessionId>("session", &mut faults, Fault::NotAChoice);
    if form.text("act") == "withdraw" {
        faults.check()?;
        withdraw(cx, class, session.ok_or(AppError::NotFound)?).await?;
        return Ok(Notice::AnnouncementWithdrawn);
    }
    let kind = form.parse::<Announced>("kind", &mut faults, Fault::NotAChoice);
    let words = form.text("words").replace("\r\n", "\n");
    if words.chars().count() > WORDS as usize {
        faults.add("words", Fault::TooLong { max: WORDS });
    }
    let (Some(session), Some(kind)) = (session, kind) else { return Err(AppError::Invalid(faults)) };
    faults.check()?;
    say(cx, class, session, kind, words).await?;
    Ok(Notice::Announced)
}

/// Says that the viewer will be late or absent; what they said before is replaced.
pub async fn say(
    cx: &Cx,
    class: ClassId,
    session: ClassSessionId,
    kind: Announced,
    words: String,
) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, words) = (cx.clone(), words.clone());
            Box::pin(async move {
                let (seat, row) = seat(tx, &cx, class, session).await?;
                let permit = cx.may(Act::Announce, &Subject::of(seat.person_id))?;
                learning::announce(seat.state, row.span(), cx.now)?;
                store::announce(tx, &permit, seat.id, session, kind, &words, cx.now).await?;
                let detail = detail(session);
                let change = Change { to: Some(kind.as_str()), detail: Some(&detail), ..change(&seat) };
                history::record(tx, &cx, &permit, change).await?;
                match kind {
                    Announced::Late => make_ups::comes_after_all(tx, &cx, seat.id, session).await,
                    Announced::Absent => Ok(()),
                }
            })
        })
        .await
}

/// Takes it back: the viewer comes after all.
pub async fn withdraw(cx: &Cx, class: ClassId, session: ClassSessionId) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let (seat, row) = seat(tx, &cx, class, session).await?;
                let permit = cx.may(Act::WithdrawAnnouncement, &Subject::of(seat.person_id))?;
                learning::announce(seat.state, row.span(), cx.now)?;
                // A second tap finds nothing to take back.
                if !store::withdraw(tx, &permit, seat.id, session).await? {
                    return Ok(());
                }
                let detail = detail(session);
                let change = Change { to: Some("withdrawn"), detail: Some(&detail), ..change(&seat) };
                history::record(tx, &cx, &permit, change).await?;
                make_ups::comes_after_all(tx, &cx, seat.id, session).await
            })
        })
        .await
}

/// The viewer's seat in the class, and the session of it.
async fn seat(
    tx: &mut Tx,
    cx: &Cx,
    class: ClassId,
    session: ClassSessionId,
) -> Result<(EnrolmentRow, SessionRow), AppError> {
    tx.lock(&[lock_of(class)]).await?;
    let sessions = store::sessions(tx, class).await?;
    let row = sessions.into_iter().find(|row| row.id == session).ok_or(AppError::NotFound)?;
    let seat = store::active(tx, class, cx.person()?.id).await?.ok_or(Refusal::NotEnrolled)?;
    Ok((seat, row))
}

fn change(seat: &EnrolmentRow) -> Change<'static> {
    Change { entity: "enrolment", id: seat.id.0, customer: Some(seat.person_id), ..Change::default() }
}

fn detail(session: ClassSessionId) -> String {
    serde_json::json!({ "session": session }).to_string()
}
