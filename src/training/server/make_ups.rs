//! A missed session made up as a guest in the equal session of another class: no second benefit, no second charge. Each
//! act holds both classes and the person, so that no session is fuller than its class may be.

use super::{
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
        ClassState, EnrolmentState, Mark, Refusal, Seats, Share, attendance,
        learning::{self, Host},
    },
    values::{ClassId, ClassSessionId, MakeUpId, PersonId},
};
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

/// The number of a session that this seat has missed and may still make up, from 1.
async fn missed_number(
    tx: &mut Tx,
    home: &ClassRow,
    seat: &EnrolmentRow,
    missed: ClassSessionId,
) -> Result<usize, AppError> {
    let sessions = store::sessions(tx, home.id).await?;
    let number = sessions.iter().position(|row| row.id == missed).ok_or(AppError::NotFound)? + 1;
    let may = seat.state == EnrolmentState::Booked && learning::missed(store::mark(tx, seat.id, missed).await?);
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
/// is nothing left to make up for, unless a make-up was booked already when the class was closed.
async fn given_back(tx: &mut Tx, home: &ClassRow, seat: &EnrolmentRow, sessions: usize) -> Result<bool, AppError> {
    if home.state != ClassState::Completed {
        return Ok(false);
    }
    let has_made_up = store::has_made_up(tx, seat.id).await?;
    let marks: Vec<Mark> = store::marks(tx, home.id)
        .await?
        .into_iter()
        .filter(|row| row.enrolment_id == seat.id)
        .map(|row| row.mark)
        .collect();
    Ok(nothing_left(home, has_made_up, &marks, sessions))
}

/// The same from what is loaded: the seat's make-ups and marks.
pub fn nothing_left(home: &ClassRow, has_made_up: bool, marks: &[Mark], sessions: usize) -> bool {
    let no_show = home.policy().terms.no_show;
    home.state == ClassState::Completed && !has_made_up && attendance::costs_nothing(marks, sessions, no_show)
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
                tx.lock(&[lock_of(row.class_id), Key::of("person", row.person_id.0)]).await?;
                let row = store::make_up(tx, id).await?;
                cx.may(Act::CancelMakeUp, &Subject::of(row.person_id)).map_err(|_| AppError::NotFound)?;
                if cx.now >= row.starts_at {
                    return Err(Refusal::MakeUpBegun { at: row.starts_at }.into());
                }
                end(tx, &cx, &row).await?;
                learning_letters::make_up_given_back(tx, &cx, &row).await?;
                seats::pass_on(tx, &cx, row.class_id).await
            })
        })
        .await
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

/// Ends a make-up: the seat, the time, the line in the history. The caller holds the class.
async fn end(tx: &mut Tx, cx: &Cx, row: &MakeUpRow) -> Result<(), AppError> {
    let permit = cx.may(Act::CancelMakeUp, &Subject::of(row.person_id))?;
    store::cancel_make_up(tx, &permit, row, cx.now).await?;
    busy::free(tx, ENTITY, row.id.0).await?;
    let change = Change { from: Some("booked"), to: Some("cancelled"), ..change(row.id, row.person_id) };
    history::record(tx, cx, &permit, change).await
}

/// A class does not take place: its guests are told, and whoever has their seat in it back makes nothing up elsewhere.
pub async fn class_cancelled(tx: &mut Tx, cx: &Cx, class: ClassId) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    for row in store::make_ups_with(tx, class).await? {
        tx.lock(&[lock_of(row.class_id)]).await?;
        end(tx, &cx, &row).await?;
        if row.class_id == class {
            learning_letters::make_up_cancelled(tx, &cx, &row).await?;
        } else {
            learning_letters::make_up_needless(tx, &cx, &row).await?;
            seats::pass_on(tx, &cx, row.class_id).await?;
        }
    }
    Ok(())
}

/// Sessions of a class have another time, or are no more: their guests promised the old one, so their places end and they
/// are told. Who was marked in the hour before was marked for a time that does not come. The caller holds the class.
pub async fn sessions_moved(tx: &mut Tx, cx: &Cx, class: ClassId, gone: &[ClassSessionId]) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    for row in store::guests(tx, class).await? {
        if !gone.contains(&row.session_id) {
            continue;
        }
        end(tx, &cx, &row).await?;
        learning_letters::make_up_cancelled(tx, &cx, &row).await?;
        let home = store::class(tx, row.home_id).await?;
        if row.mark().is_some() && home.state == ClassState::Completed {
            let permit = cx.may(Act::MarkMakeUp, &Subject::of(row.person_id))?;
            certificate(tx, &cx, &permit, &home, &row).await?;
        }
    }
    Ok(())
}

/// Marks a guest, or clears the mark. Where the class that was missed is closed already, the certificate is given
/// now; a mark that was a mistake takes it away again.
/// `was` is what the trainer saw: a mark that somebody else has set meanwhile is not overwritten unseen.
pub async fn mark(cx: &Cx, id: MakeUpId, was: Option<Option<Mark>>, mark: Option<Mark>) -> Result<ClassId, AppError> {
    locked(cx, id, move |_| (was, mark, false)).await
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
    history::record(tx, cx, &permit, change).await
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
            plan::certify(tx, permit, cx, home, &seat, share.percent()).await?;
            learning_letters::certified(tx, cx, home, &seat, Earned::MadeUp).await?;
            Ok(Some("given"))
        }
        (false, true) => {
            store::withdraw_certificate(tx, permit, seat.id).await?;
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
    made_up: HashMap<(crate::values::EnrolmentId, ClassSessionId), Mark>,
    pending: Vec<crate::values::EnrolmentId>,
}

impl Counted {
    pub async fn load(tx: &mut Tx, class: ClassId) -> Result<Self, AppError> {
        Ok(Self { made_up: store::made_up(tx, class).await?, pending: store::making_up(tx, class).await? })
    }

    /// The mark that counts.
    pub fn mark(&self, row: &store::MarkRow) -> Mark {
        learning::counted(row.mark, self.made_up.get(&(row.enrolment_id, row.session_id)).copied())
    }

    /// Whether something of this seat is still to be made up, so that it is used.
    pub fn is_pending(&self, seat: &EnrolmentRow) -> bool {
        self.pending.contains(&seat.id)
    }
}

fn change(id: MakeUpId, person: PersonId) -> Change<'static> {
    Change { entity: ENTITY, id: id.0, customer: Some(person), ..Change::default() }
}
