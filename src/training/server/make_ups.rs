//! A missed session made up as a guest in the equal session of another class: no second benefit, no second charge. Each
//! act holds both classes and the person, so that no session is fuller than its class may be.

use super::{
    dues,
    learning_letters::{self, Earned},
    plan,
    seats::{self, lock_of},
    shared::in_the_room,
    store::{self, ClassRow, EnrolmentRow, HostRow, MakeUpRow, NewMakeUp},
};
use crate::{
    access::{Act, Subject, Viewer},
    calendar::{
        domain::{Resource, Span},
        server::busy,
    },
    db::{Key, Tx},
    error::AppError,
    jobs::{self, Job},
    server::{
        Cx, fresh,
        history::{self, Change},
        keys,
    },
    training::domain::{
        Announced, ClassState, EnrolmentState, Mark, Refusal, Seats, Share, attendance,
        learning::{self, Host},
    },
    values::{ClassId, ClassSessionId, EnrolmentId, MakeUpId, PersonId},
};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// Under which name the calendar and the history know a make-up.
pub const ENTITY: &str = "make_up";

/// Where the learner of a class finds what they can make up, and where they do.
pub fn path(home: ClassId) -> String {
    format!("/training/{home}/make-up")
}

/// Books a seat in another class's equal session for the viewer's missed one.
pub async fn book(
    cx: &Cx,
    home: ClassId,
    missed: ClassSessionId,
    session: ClassSessionId,
    key: Option<Uuid>,
) -> Result<MakeUpId, AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let person = cx.person()?.id;
                let (scope, body) = (format!("book_make_up:{person}"), format!("{missed} {session}"));
                let host = store::host(tx, session).await?;
                tx.lock(&[lock_of(home), lock_of(host.class_id), Key::of("person", person.0)]).await?;
                if let Some(answer) = keys::seen(tx, &scope, key, &body).await?
                    && let Ok(id) = answer.parse()
                {
                    return Ok(id);
                }
                let id = book_in(tx, &cx, home, missed, session).await?;
                keys::remember(tx, &scope, key, &body, &id.to_string()).await?;
                Ok(id)
            })
        })
        .await
}

async fn book_in(
    tx: &mut Tx,
    cx: &Cx,
    home: ClassId,
    missed: ClassSessionId,
    session: ClassSessionId,
) -> Result<MakeUpId, AppError> {
    let person = cx.person()?.id;
    let permit = cx.may(Act::BookMakeUp, &Subject::of(person))?;
    let home = store::class(tx, home).await?;
    let seat = store::active(tx, home.id, person).await?.ok_or(Refusal::NotEnrolled)?;
    let number = missed_number(tx, &home, &seat, missed).await?;
    let host = store::host(tx, session).await?;
    let class = store::class(tx, host.class_id).await?;
    let wanted = wanted(&home, &class, &host);
    let span = wanted.span;
    wanted.admits(number, cx.now)?;
    seats::refuse_clash(tx, &class, person, &[span], None).await?;
    if !store::take_guest_seat(tx, &permit, class.id, session).await? {
        return Err(Refusal::SessionFull.into());
    }
    let id: MakeUpId = fresh();
    let new = NewMakeUp { id, enrolment: seat.id, person, missed, session, class: class.id };
    if !store::insert_make_up(tx, &permit, &new, cx.now).await? {
        return Err(Refusal::AlreadyMadeUp.into());
    }
    busy::occupy(tx, Resource::Person(person), span, ENTITY, id.0).await?;
    let change = Change { to: Some("booked"), ..change(id, person) };
    history::record(tx, cx, &permit, change).await?;
    let row = store::make_up(tx, id).await?;
    learning_letters::make_up_booked(tx, cx, &row, &class).await?;
    if span.from - plan::REMIND > cx.now {
        jobs::enqueue(tx, Job::RemindGuest { make_up: id }, span.from - plan::REMIND).await?;
    }
    Ok(id)
}

fn wanted(home: &ClassRow, class: &ClassRow, host: &HostRow) -> Host {
    Host {
        same_course: class.course_id == home.course_id && class.id != home.id,
        number: usize::try_from(host.number).unwrap_or(0),
        class: class.state,
        // The guests are counted of this session alone, not of the fullest.
        seats: Seats { capacity: class.capacity, ..class.seats() },
        policy: class.policy(),
        guests: host.guests,
        span: Span { from: host.starts_at, until: host.ends_at },
    }
}

/// How many sessions are looked at, of which those that somebody can come to are shown.
const LOOKED_AT: i64 = 60;

/// The sessions in which somebody can make up session `number` of a class: only such as would be taken, at times at which
/// they are nowhere else.
pub async fn hosts(
    tx: &mut Tx,
    cx: &Cx,
    home: &ClassRow,
    person: PersonId,
    number: usize,
    most: usize,
) -> Result<Vec<HostRow>, AppError> {
    let place = i64::try_from(number).unwrap_or(0);
    let mut open = Vec::new();
    for host in store::hosts(tx, home.course_id, home.id, place, cx.now, LOOKED_AT).await? {
        let wanted = wanted(home, &store::class(tx, host.class_id).await?, &host);
        if wanted.admits(number, cx.now).is_ok()
            && busy::clashes(tx, Resource::Person(person), &[wanted.span], None).await?.is_empty()
        {
            open.push(host);
        }
        if open.len() == most {
            break;
        }
    }
    Ok(open)
}

/// The number of a session that this seat misses and may still make up, from 1.
async fn missed_number(
    tx: &mut Tx,
    home: &ClassRow,
    seat: &EnrolmentRow,
    missed: ClassSessionId,
) -> Result<usize, AppError> {
    let sessions = store::sessions(tx, home.id).await?;
    let number = sessions.iter().position(|row| row.id == missed).ok_or(AppError::NotFound)? + 1;
    let said = store::said_by(tx, seat.id).await?.get(&missed).map(|said| said.kind);
    let may = seat.state == EnrolmentState::Booked && learning::misses(store::mark(tx, seat.id, missed).await?, said);
    if !may || given_back(tx, home, seat, sessions.len()).await? {
        return Err(Refusal::NotMissed.into());
    }
    let stands = |row: &MakeUpRow| row.missed_id == missed && learning::stands(row.mark());
    if store::make_ups(tx, seat.id).await?.iter().any(stands) {
        return Err(Refusal::AlreadyMadeUp.into());
    }
    Ok(number)
}

/// Who was excused from all of a class that is closed, or never came and is forgiven, has back what the seat cost; there
/// is nothing left to make up for, unless something was made up or is still to be.
async fn given_back(tx: &mut Tx, home: &ClassRow, seat: &EnrolmentRow, sessions: usize) -> Result<bool, AppError> {
    if home.state != ClassState::Completed {
        return Ok(false);
    }
    let is_kept = store::is_kept(tx, seat.id).await?;
    let marks: Vec<Mark> = store::marks(tx, home.id)
        .await?
        .into_iter()
        .filter(|row| row.enrolment_id == seat.id)
        .map(|row| row.mark)
        .collect();
    Ok(nothing_left(home, is_kept, &marks, sessions))
}

/// The same from what is loaded: whether the seat is kept for a make-up, and its marks.
pub fn nothing_left(home: &ClassRow, is_kept: bool, marks: &[Mark], sessions: usize) -> bool {
    let no_show = home.policy().terms.no_show;
    home.state == ClassState::Completed && !is_kept && attendance::costs_nothing(marks, sessions, no_show)
}

/// Gives the seat of a make-up back, before its session begins. A second tap is answered like the first.
pub async fn cancel(cx: &Cx, id: MakeUpId) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let row = store::make_up(tx, id).await?;
                let person = Key::of("person", row.person_id.0);
                tx.lock(&[lock_of(row.class_id), lock_of(row.home_id), person]).await?;
                let row = store::make_up(tx, id).await?;
                cx.may(Act::CancelMakeUp, &Subject::of(row.person_id)).map_err(|_| AppError::NotFound)?;
                if cx.now >= row.starts_at {
                    return Err(Refusal::MakeUpBegun { at: row.starts_at }.into());
                }
                let back = end(tx, &cx, &row).await?;
                learning_letters::make_up_given_back(tx, &cx, &row, back).await?;
                seats::pass_on(tx, &cx, row.class_id).await
            })
        })
        .await
}

/// Whoever is marked as being there came after all, too.
pub async fn came_after_all(
    tx: &mut Tx,
    cx: &Cx,
    seat: EnrolmentId,
    session: ClassSessionId,
    mark: Option<Mark>,
) -> Result<(), AppError> {
    match mark {
        Some(mark) if mark.is_here() => comes_after_all(tx, &cx.as_viewer(Viewer::System), seat, session).await,
        _ => Ok(()),
    }
}

/// Whoever said that they cannot come to a session comes after all: what they would have made up for it goes back. The
/// caller holds the class of that session.
pub async fn comes_after_all(tx: &mut Tx, cx: &Cx, seat: EnrolmentId, session: ClassSessionId) -> Result<(), AppError> {
    if learning::missed(store::mark(tx, seat, session).await?) {
        return Ok(());
    }
    for row in store::make_ups(tx, seat).await? {
        if row.missed_id == session && row.mark().is_none() && cx.now < row.starts_at {
            tx.lock(&[lock_of(row.class_id)]).await?;
            let back = end(tx, cx, &row).await?;
            learning_letters::make_up_given_back(tx, cx, &row, back).await?;
            seats::pass_on(tx, cx, row.class_id).await?;
        }
    }
    Ok(())
}

/// Reminds a guest the day before. Run by a job; harmless where the make-up has ended.
pub async fn remind(cx: &Cx, id: MakeUpId) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let row = match store::make_up(tx, id).await {
                    Ok(row) if row.mark().is_none() && cx.now < row.starts_at => row,
                    Ok(_) | Err(AppError::NotFound) => return Ok(()),
                    Err(error) => return Err(error),
                };
                let class = store::class(tx, row.class_id).await?;
                learning_letters::make_up_reminder(tx, &cx, &row, &class).await
            })
        })
        .await
}

/// Plans the reminders that nobody has planned yet: of make-ups that were booked before there were any. Run whenever the
/// worker starts; a second time it finds nothing to do.
pub async fn plan_reminders(cx: &Cx) -> Result<(), AppError> {
    let now = cx.now;
    cx.app
        .db
        .clone()
        .write(move |tx| {
            Box::pin(async move {
                tx.lock(&[Key::of("make_up_reminders", Uuid::nil())]).await?;
                let planned = jobs::known(tx, "remind_guest").await?;
                for (id, booked, starts) in store::make_ups_to_come(tx, now).await? {
                    let (at, job) = (starts - plan::REMIND, Job::RemindGuest { make_up: id });
                    // Who booked within the last day was told then.
                    if booked < at && !planned.contains(&job) {
                        jobs::enqueue(tx, job, at).await?;
                    }
                }
                Ok(())
            })
        })
        .await
}

/// Ends a make-up: the seat, the time, the line in the history, and what it was for. Says whether what the seat in the
/// class that was missed cost comes back with it. The caller holds the class.
async fn end(tx: &mut Tx, cx: &Cx, row: &MakeUpRow) -> Result<bool, AppError> {
    let permit = cx.may(Act::CancelMakeUp, &Subject::of(row.person_id))?;
    // Whoever closes that class decides about the seat, too.
    tx.lock(&[lock_of(row.home_id)]).await?;
    store::cancel_make_up(tx, &permit, row, cx.now).await?;
    // Nor is what they said of that session about another try.
    store::withdraw(tx, &permit, row.enrolment_id, row.session_id).await?;
    busy::free(tx, ENTITY, row.id.0).await?;
    let home = store::class(tx, row.home_id).await?;
    let mut certificate = None;
    if row.mark().is_some() && home.state == ClassState::Completed {
        let system = cx.as_viewer(Viewer::System);
        let permit = system.may(Act::MarkMakeUp, &Subject::of(row.person_id))?;
        certificate = self::certificate(tx, &system, &permit, &home, row).await?;
    }
    let detail = certificate.map(|what| serde_json::json!({ "certificate": what }).to_string());
    let change = Change {
        from: Some("booked"),
        to: Some("cancelled"),
        detail: detail.as_deref(),
        ..change(row.id, row.person_id)
    };
    history::record(tx, cx, &permit, change).await?;
    settle(tx, cx, &home, row.enrolment_id).await
}

/// Whether what the seat of a class that is closed cost is still held and goes back, once a make-up is given up.
pub async fn would_come_back(tx: &mut Tx, home: &ClassRow, row: &MakeUpRow) -> Result<bool, AppError> {
    if home.state != ClassState::Completed || store::is_making_up(tx, row.enrolment_id, Some(row.id)).await? {
        return Ok(false);
    }
    Ok(costs_nothing(tx, home, row.enrolment_id, Some(row)).await? && dues::is_held(tx, row.enrolment_id).await?)
}

/// What the seat of a class that is closed cost is settled once nothing of it is to be made up any more, by the rule by
/// which the class was closed: nobody pays for a class to which they never came, where that is forgiven. Says whether the
/// cost comes back. The caller holds the class.
async fn settle(tx: &mut Tx, cx: &Cx, home: &ClassRow, seat: EnrolmentId) -> Result<bool, AppError> {
    if home.state != ClassState::Completed || store::is_making_up(tx, seat, None).await? {
        return Ok(false);
    }
    let back = costs_nothing(tx, home, seat, None).await?;
    let held = dues::is_held(tx, seat).await?;
    match back {
        true => dues::give_back(tx, seat, cx.now).await?,
        false => dues::spend(tx, seat, cx.now).await?,
    }
    Ok(back && held)
}

/// Whether a seat costs nothing by what its learner attended and made up, apart from one make-up.
async fn costs_nothing(
    tx: &mut Tx,
    home: &ClassRow,
    seat: EnrolmentId,
    without: Option<&MakeUpRow>,
) -> Result<bool, AppError> {
    let sessions = store::sessions(tx, home.id).await?.len();
    let made_up = store::made_up(tx, home.id).await?;
    let made_up = |session: ClassSessionId| match without {
        Some(row) if row.missed_id == session => None,
        _ => made_up.get(&(seat, session)).copied(),
    };
    let marks = store::marks(tx, home.id).await?.into_iter().filter(|mark| mark.enrolment_id == seat);
    let marks: Vec<Mark> = marks.map(|mark| learning::counted(mark.mark, made_up(mark.session_id))).collect();
    Ok(attendance::costs_nothing(&marks, sessions, home.policy().terms.no_show))
}

/// A class is closed: its guests make nothing up in it any more, and what their seats elsewhere cost is settled.
pub async fn class_closed(tx: &mut Tx, cx: &Cx, class: ClassId) -> Result<(), AppError> {
    for row in store::guests(tx, class).await? {
        tx.lock(&[lock_of(row.home_id)]).await?;
        let home = store::class(tx, row.home_id).await?;
        settle(tx, cx, &home, row.enrolment_id).await?;
    }
    Ok(())
}

/// A class does not take place: its guests are told, and whoever has their seat in it back makes nothing up elsewhere. Who
/// was marked in the hour before its session was marked for a time that does not come.
pub async fn class_cancelled(tx: &mut Tx, cx: &Cx, class: ClassId) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    // Who was marked in the hour before a session was marked for one that does not come.
    let marked = store::guests(tx, class).await?.into_iter().filter(|row| row.mark().is_some());
    let marked: Vec<MakeUpRow> = marked.filter(|row| row.starts_at > cx.now).collect();
    for row in store::make_ups_with(tx, class).await?.into_iter().chain(marked) {
        if row.class_id == class {
            let back = end(tx, &cx, &row).await?;
            learning_letters::make_up_cancelled(tx, &cx, &row, back).await?;
        } else {
            end_needless(tx, &cx, &row).await?;
        }
    }
    Ok(())
}

/// Somebody's seat is theirs no more: what they missed on it they make up nowhere. The caller holds its class.
pub async fn seat_ended(tx: &mut Tx, cx: &Cx, seat: EnrolmentId) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    for row in store::make_ups(tx, seat).await? {
        if row.mark().is_none() {
            end_needless(tx, &cx, &row).await?;
        }
    }
    Ok(())
}

/// A seat on which somebody made a session up has been used: it is neither given back nor handed on, or one seat would
/// teach twice.
///
/// # Errors
/// [`Refusal::MadeUp`].
pub async fn refuse_used(tx: &mut Tx, seat: EnrolmentId) -> Result<(), AppError> {
    let used = store::make_ups(tx, seat).await?.iter().any(|row| row.mark().is_some_and(Mark::is_here));
    if used { Err(Refusal::MadeUp.into()) } else { Ok(()) }
}

async fn end_needless(tx: &mut Tx, system: &Cx, row: &MakeUpRow) -> Result<(), AppError> {
    tx.lock(&[lock_of(row.class_id)]).await?;
    end(tx, system, row).await?;
    learning_letters::make_up_needless(tx, system, row).await?;
    seats::pass_on(tx, system, row.class_id).await
}

/// Of sessions that begin at another time, or are no more, nobody has missed anything, and nobody makes anything up: these
/// make-ups end. Who was there already has made up a session that is still to be held, should they not come to it either.
pub async fn undone(
    tx: &mut Tx,
    now: DateTime<Utc>,
    anew: &[ClassSessionId],
    removed: &[ClassSessionId],
) -> Result<Vec<MakeUpRow>, AppError> {
    let mut rows = Vec::new();
    for session in anew {
        rows.extend(store::make_ups_of_session(tx, *session).await?);
    }
    rows.retain(|row| !row.mark().is_some_and(Mark::is_here) || now < row.starts_at);
    for session in removed {
        rows.extend(store::make_ups_of_session(tx, *session).await?);
    }
    Ok(rows)
}

/// Sessions of a class have another time, or are no more: their guests promised the old one, so their places end and they
/// are told. Who was marked in the hour before was marked for a time that does not come. What is [`undone`] of its own
/// sessions ends. The caller holds the class.
pub async fn sessions_moved(
    tx: &mut Tx,
    cx: &Cx,
    class: ClassId,
    gone: &[ClassSessionId],
    undone: &[MakeUpRow],
) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    for row in undone {
        if row.mark().is_some() || cx.now >= row.starts_at {
            end_needless(tx, &cx, row).await?;
            continue;
        }
        tx.lock(&[lock_of(row.class_id)]).await?;
        end(tx, &cx, row).await?;
        learning_letters::make_up_void(tx, &cx, row).await?;
        seats::pass_on(tx, &cx, row.class_id).await?;
    }
    for row in store::guests(tx, class).await? {
        if !gone.contains(&row.session_id) {
            continue;
        }
        let back = end(tx, &cx, &row).await?;
        learning_letters::make_up_cancelled(tx, &cx, &row, back).await?;
    }
    Ok(())
}

/// Marks a guest, or clears the mark. Where the class that was missed is closed already, the certificate is given
/// now; a mark that was a mistake takes it away again.
/// `was` is what the trainer saw: a mark that somebody else has set meanwhile is not overwritten unseen.
pub async fn mark(cx: &Cx, id: MakeUpId, was: Option<Option<Mark>>, mark: Option<Mark>) -> Result<ClassId, AppError> {
    locked(cx, id, move |_| (was, mark, false)).await
}

/// Marks the guests of a session present who have no mark yet and did not say that they cannot come. The caller holds the
/// class, and those of which they missed a session; who came in between waits for the next tap.
pub async fn mark_rest(
    tx: &mut Tx,
    cx: &Cx,
    class: ClassId,
    session: ClassSessionId,
    held: &[ClassId],
) -> Result<(), AppError> {
    for row in store::guests(tx, class).await? {
        let said = store::said_by(tx, row.enrolment_id).await?.get(&session).map(|said| said.kind);
        let here = row.mark().is_none() && said != Some(Announced::Absent);
        if row.session_id == session && here && held.contains(&row.home_id) {
            mark_in(tx, cx, &row, None, Some(Mark::Present), false).await?;
        }
    }
    Ok(())
}

/// Takes the last mark of a guest back: it is again what it was before. `saw` is what is taken back.
pub async fn undo(cx: &Cx, id: MakeUpId, saw: Mark) -> Result<ClassId, AppError> {
    locked(cx, id, move |row| (Some(Some(saw)), row.was(), true)).await
}

/// Marks under the locks of both classes, by what is seen then: what the trainer saw, the mark, whether it is a slip
/// that is taken back.
async fn locked(
    cx: &Cx,
    id: MakeUpId,
    decide: impl Fn(&MakeUpRow) -> (Option<Option<Mark>>, Option<Mark>, bool) + Clone + Send + Sync + 'static,
) -> Result<ClassId, AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, decide) = (cx.clone(), decide.clone());
            Box::pin(async move {
                let row = store::make_up(tx, id).await?;
                tx.lock(&[lock_of(row.class_id), lock_of(row.home_id)]).await?;
                let row = store::make_up(tx, id).await?;
                let (was, mark, slip) = decide(&row);
                mark_in(tx, &cx, &row, was, mark, slip).await?;
                Ok(row.class_id)
            })
        })
        .await
}

async fn mark_in(
    tx: &mut Tx,
    cx: &Cx,
    row: &MakeUpRow,
    was: Option<Option<Mark>>,
    mark: Option<Mark>,
    slip: bool,
) -> Result<(), AppError> {
    let class = store::class(tx, row.class_id).await?;
    let assigned = in_the_room(tx, cx, &class).await?.assigned;
    let permit = cx.may(Act::MarkMakeUp, &Subject::of(row.person_id).assigned_to(assigned))?;
    if was.is_some_and(|was| was != row.mark()) && (slip || row.mark() != mark) {
        return Err(Refusal::MarkChanged { now: row.mark() }.into());
    }
    if row.mark() == mark {
        return Ok(());
    }
    // What a closed class says of its guests stands, like what it says of its learners. Of whom it says nothing yet it was
    // closed before guests had to be marked.
    let forgotten = class.state == ClassState::Completed && row.mark().is_none();
    if !forgotten && !matches!(class.state, ClassState::Open | ClassState::Running) {
        return Err(Refusal::WrongState { state: class.state }.into());
    }
    let from = plan::marked_from(row.starts_at);
    if cx.now < from {
        return Err(Refusal::TooEarlyToMark { from }.into());
    }
    // A mark that stands again may not stand beside a later try.
    let another =
        |other: &MakeUpRow| other.id != row.id && other.missed_id == row.missed_id && learning::stands(other.mark());
    if learning::stands(mark) && store::make_ups(tx, row.enrolment_id).await?.iter().any(another) {
        return Err(Refusal::AlreadyMadeUp.into());
    }
    let by = cx.person()?.id;
    store::mark_make_up(tx, &permit, row.id, mark, by, cx.now).await?;
    if slip {
        store::forget_slip(tx, &permit, row.id).await?;
    }
    let home = store::class(tx, row.home_id).await?;
    let certificate = match home.state {
        ClassState::Completed => certificate(tx, cx, &permit, &home, row).await?,
        _ => None,
    };
    let detail = match (certificate, slip) {
        (None, false) => None,
        (what, slip) => Some(serde_json::json!({ "certificate": what, "undone": slip }).to_string()),
    };
    let change = Change {
        from: row.mark().map(Mark::as_str),
        to: mark.map(Mark::as_str),
        detail: detail.as_deref(),
        ..change(row.id, row.person_id)
    };
    history::record(tx, cx, &permit, change).await?;
    if forgotten {
        settle(tx, cx, &home, row.enrolment_id).await?;
    }
    Ok(())
}

/// Whether the mark gave or took the certificate of a class that is closed.
async fn certificate(
    tx: &mut Tx,
    cx: &Cx,
    permit: &crate::access::Permit,
    home: &ClassRow,
    row: &MakeUpRow,
) -> Result<Option<&'static str>, AppError> {
    let seat = store::enrolment(tx, row.enrolment_id).await?;
    let sessions = store::sessions(tx, home.id).await?.len();
    let made_up = store::made_up(tx, home.id).await?;
    let marks = store::marks(tx, home.id).await?.into_iter().filter(|mark| mark.enrolment_id == seat.id);
    let counted = marks.map(|mark| learning::counted(mark.mark, made_up.get(&(seat.id, mark.session_id)).copied()));
    let share = Share::of(counted, i64::try_from(sessions).unwrap_or(i64::MAX));
    match (share.passes(home.pass_percent), store::is_certified(tx, seat.id).await?) {
        (true, false) => {
            let certificate = plan::certify(tx, permit, cx, home, &seat, share.percent()).await?;
            learning_letters::certified(tx, cx, home, &seat, certificate, Earned::MadeUp).await?;
            Ok(Some("given"))
        }
        (false, true) => {
            if let Some(certificate) = store::withdraw_certificate(tx, permit, seat.id, cx.now).await? {
                learning_letters::certificate_withdrawn(tx, cx, home, &seat, certificate).await?;
            }
            Ok(Some("withdrawn"))
        }
        // What it says of how much somebody attended goes on being true.
        (true, true) => {
            let changed = store::attended(tx, permit, seat.id, share.percent()).await?;
            Ok(changed.then_some("changed"))
        }
        (false, false) => Ok(None),
    }
}

/// For closing a class: what counts of each seat's marks, and who is still to make something up.
pub struct Counted {
    made_up: HashMap<(EnrolmentId, ClassSessionId), Mark>,
    pending: Vec<EnrolmentId>,
}

impl Counted {
    pub async fn load(tx: &mut Tx, class: ClassId) -> Result<Self, AppError> {
        Ok(Self { made_up: store::made_up(tx, class).await?, pending: store::making_up(tx, class).await? })
    }

    /// The mark that counts.
    pub fn mark(&self, row: &store::MarkRow) -> Mark {
        learning::counted(row.mark, self.made_up.get(&(row.enrolment_id, row.session_id)).copied())
    }

    /// Whether something of this seat is still to be made up, so that nothing is settled yet.
    pub fn is_pending(&self, seat: &EnrolmentRow) -> bool {
        self.pending.contains(&seat.id)
    }
}

fn change(id: MakeUpId, person: PersonId) -> Change<'static> {
    Change { entity: ENTITY, id: id.0, customer: Some(person), ..Change::default() }
}
