//! Who came: the trainer's marks.

use super::{
    make_ups,
    plan::marked_from,
    seats::lock_of,
    shared::in_the_room,
    store::{self, ClassRow, SessionRow},
};
use crate::{
    access::{Act, Permit},
    db::Tx,
    error::AppError,
    server::{
        Cx,
        history::{self, Change},
    },
    training::domain::{ClassState, EnrolmentState, Mark, Refusal},
    values::{ClassId, ClassSessionId, EnrolmentId, PersonId},
};

/// Marks one person in one session, or takes the mark back. `was` is what the trainer saw: a mark that somebody else
/// has set meanwhile is not overwritten unseen.
pub async fn mark(
    cx: &Cx,
    class: ClassId,
    session: ClassSessionId,
    enrolment: EnrolmentId,
    was: Option<Option<Mark>>,
    mark: Option<Mark>,
) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                lock(tx, class, session, enrolment).await?;
                let (_, permit, by) = ready(tx, &cx, class, session).await?;
                let row = store::enrolment(tx, enrolment).await?;
                if row.class_id != class || row.state != EnrolmentState::Booked {
                    return Err(AppError::NotFound);
                }
                let now = store::mark(tx, enrolment, session).await?;
                if now == mark {
                    return Ok(());
                }
                if was.is_some_and(|was| was != now) {
                    return Err(Refusal::MarkChanged { now }.into());
                }
                store::set_mark(tx, &permit, enrolment, session, mark, by, cx.now).await?;
                let detail = serde_json::json!({ "session": session }).to_string();
                let change = Change {
                    entity: "enrolment",
                    id: enrolment.0,
                    customer: Some(row.person_id),
                    from: now.map(Mark::as_str),
                    to: mark.map(Mark::as_str),
                    detail: Some(&detail),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await?;
                make_ups::came_after_all(tx, &cx, enrolment, session, mark).await
            })
        })
        .await
}

/// Takes the last mark of a person in a session back: it is again what it was before. `saw` is what is taken back; a
/// mark that somebody else has set meanwhile stays.
pub async fn undo(
    cx: &Cx,
    class: ClassId,
    session: ClassSessionId,
    enrolment: EnrolmentId,
    saw: Mark,
) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                lock(tx, class, session, enrolment).await?;
                let (_, permit, by) = ready(tx, &cx, class, session).await?;
                let row = store::enrolment(tx, enrolment).await?;
                if row.class_id != class {
                    return Err(AppError::NotFound);
                }
                let now = store::mark(tx, enrolment, session).await?;
                if now != Some(saw) {
                    return Err(Refusal::MarkChanged { now }.into());
                }
                if !store::undo_mark(tx, &permit, enrolment, session, cx.now).await? {
                    store::set_mark(tx, &permit, enrolment, session, None, by, cx.now).await?;
                }
                let back = store::mark(tx, enrolment, session).await?;
                let detail = serde_json::json!({ "session": session, "undone": true }).to_string();
                let change = Change {
                    entity: "enrolment",
                    id: enrolment.0,
                    customer: Some(row.person_id),
                    from: now.map(Mark::as_str),
                    to: back.map(Mark::as_str),
                    detail: Some(&detail),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await?;
                make_ups::came_after_all(tx, &cx, enrolment, session, back).await
            })
        })
        .await
}

/// Marks everybody present in a session who has no mark yet, its guests as well; but nobody who said that they cannot
/// come, whose make-up it would end: they are marked one by one.
pub async fn mark_rest(cx: &Cx, class: ClassId, session: ClassSessionId) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                // A guest's mark may give the certificate of the class that they missed: that is held too.
                let homes: Vec<ClassId> = store::guests(tx, class).await?.iter().map(|row| row.home_id).collect();
                // And so are those in which somebody would have made this session up.
                let hosts = store::make_ups_of_session(tx, session).await?.into_iter().map(|row| row.class_id);
                let keys: Vec<_> =
                    std::iter::once(class).chain(homes.iter().copied()).chain(hosts).map(lock_of).collect();
                tx.lock(&keys).await?;
                let (_, permit, by) = ready(tx, &cx, class, session).await?;
                make_ups::mark_rest(tx, &cx, class, session, &homes).await?;
                let marked = store::mark_rest(tx, &permit, class, session, by, cx.now).await?;
                if marked == 0 {
                    return Ok(());
                }
                let detail = serde_json::json!({ "session": session, "marked": marked }).to_string();
                let to = Some(Mark::Present.as_str());
                let change = Change { entity: "class", id: class.0, to, detail: Some(&detail), ..Change::default() };
                history::record(tx, &cx, &permit, change).await?;
                for row in store::make_ups_of_session(tx, session).await? {
                    let mark = store::mark(tx, row.enrolment_id, session).await?;
                    make_ups::came_after_all(tx, &cx, row.enrolment_id, session, mark).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Holds the class, and those in which somebody would make the session up that they may come to after all.
async fn lock(tx: &mut Tx, class: ClassId, session: ClassSessionId, seat: EnrolmentId) -> Result<(), AppError> {
    let rows = store::make_ups_of_session(tx, session).await?.into_iter();
    let hosts = rows.filter(|row| row.enrolment_id == seat).map(|row| row.class_id);
    let keys: Vec<_> = std::iter::once(class).chain(hosts).map(lock_of).collect();
    tx.lock(&keys).await
}

/// Whether this session of this class can be marked now, by this viewer.
async fn ready(
    tx: &mut Tx,
    cx: &Cx,
    class: ClassId,
    session: ClassSessionId,
) -> Result<(ClassRow, Permit, PersonId), AppError> {
    tx.lock(&[lock_of(class)]).await?;
    let row = store::class(tx, class).await?;
    let permit = cx.may(Act::MarkAttendance, &in_the_room(tx, cx, &row).await?)?;
    let sessions: Vec<SessionRow> = store::sessions(tx, class).await?;
    let session = sessions.iter().find(|row| row.id == session).ok_or(AppError::NotFound)?;
    if !matches!(row.state, ClassState::Open | ClassState::Running) {
        return Err(Refusal::WrongState { state: row.state }.into());
    }
    let from = marked_from(session.starts_at);
    if cx.now < from {
        return Err(Refusal::TooEarlyToMark { from }.into());
    }
    // A mark has a name behind it.
    let by = cx.person()?.id;
    Ok((row, permit, by))
}
