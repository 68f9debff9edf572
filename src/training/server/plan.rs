//! The trainer's side of a class: plan it, publish it, change it, start it, close it, cancel it.

use super::{
    dues, groups, letters,
    seats::{self, lock_of},
    store::{self, Changed, ClassRow, CourseRow, EnrolmentRow, NewCertificate, NewClass, RoomRow},
};
use crate::{
    access::{Act, Permit, Subject, Viewer},
    calendar::{
        domain::{Resource, Span},
        server::busy::{self, Clash},
    },
    db::Tx,
    error::{AppError, Fault, Faults},
    jobs::{self, Job},
    server::{
        Cx, fresh,
        history::{self, Change},
        keys,
    },
    training::domain::{ClassState, Difference, Ending, EnrolmentState, Mark, Plan, Refusal, Share, attendance, class},
    values::{ClassId, CourseId, Money, PersonId, PublicNumber, RoomId},
};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use std::collections::HashMap;
use uuid::Uuid;

/// A class as a trainer wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub course: CourseId,
    pub trainer: PersonId,
    pub title: String,
    pub language: String,
    pub zone: Tz,
    pub sessions: Vec<Span>,
    pub room: Option<RoomId>,
    pub link: Option<String>,
    pub capacity: i64,
    pub price: Money,
    pub cut_off_hours: i64,
}

/// The reminder goes out so long before the start.
const REMIND: Duration = Duration::hours(24);

/// Plans a class. Its trainer and its room are taken from now on, so that two plans cannot meet in one room.
/// The same key again gives the same class.
pub async fn create(cx: &Cx, draft: Draft, key: Option<Uuid>) -> Result<ClassId, AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, draft) = (cx.clone(), draft.clone());
            Box::pin(async move {
                let (scope, body) = (scope_of(&cx, "create_class"), format!("{draft:?}"));
                if let Some(answer) = keys::seen(tx, &scope, key, &body).await?
                    && let Ok(id) = answer.parse()
                {
                    return Ok(id);
                }
                let id = create_in(tx, &cx, draft).await?;
                keys::remember(tx, &scope, key, &body, &id.to_string()).await?;
                Ok(id)
            })
        })
        .await
}

/// As [`create`], in a transaction of the caller's.
pub async fn create_in(tx: &mut Tx, cx: &Cx, draft: Draft) -> Result<ClassId, AppError> {
    let permit = cx.may(Act::CreateClass, &Subject::nobody().assigned_to(Some(draft.trainer)))?;
    if store::course(tx, draft.course).await?.is_none() {
        return Err(Faults::only("course", Fault::NotAChoice));
    }
    let room = room(tx, draft.room).await?;
    let seats = room.as_ref().map(|room| (room.name.clone(), room.capacity));
    let plan = Plan { sessions: draft.sessions, capacity: draft.capacity, room: seats }.check(cx.now)?;
    let trainer = Resource::Person(draft.trainer);
    let mut wanted = vec![trainer];
    wanted.extend(room.as_ref().map(|room| Resource::Room(room.id)));
    busy::lock(tx, &wanted).await?;
    refuse_busy(tx, draft.trainer, room.as_ref(), &plan.sessions, None).await?;
    let id: ClassId = fresh();
    let new = NewClass {
        id,
        course: draft.course,
        trainer: draft.trainer,
        title: draft.title,
        language: draft.language,
        zone: draft.zone,
        room: draft.room,
        place: room.map(|room| room.place).unwrap_or_default(),
        link: draft.link,
        capacity: draft.capacity,
        price: draft.price,
        cut_off_hours: draft.cut_off_hours,
        sessions: plan.sessions,
    };
    store::insert_class(tx, &permit, &new, cx.now).await?;
    for resource in wanted {
        for span in &new.sessions {
            busy::occupy(tx, resource, *span, "class", id.0).await?;
        }
    }
    record(tx, cx, &permit, id, None, ClassState::Draft, None).await?;
    Ok(id)
}

/// A course that belongs to products by their article numbers; an unknown one is named.
pub async fn create_course(
    cx: &Cx,
    course: CourseRow,
    skus: Vec<String>,
    key: Option<Uuid>,
) -> Result<CourseId, AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, course, skus) = (cx.clone(), course.clone(), skus.clone());
            Box::pin(async move {
                let permit = cx.may(Act::CreateCourse, &Subject::nobody())?;
                let body = format!("{} {skus:?}", course.title);
                let (scope, id) = (scope_of(&cx, "create_course"), course.id);
                if let Some(answer) = keys::seen(tx, &scope, key, &body).await?
                    && let Ok(id) = answer.parse()
                {
                    return Ok(id);
                }
                let products = store::products_by_sku(tx, &skus).await?;
                store::insert_course(tx, &permit, &course, &products, cx.now).await?;
                let change = Change { entity: "course", id: id.0, ..Change::default() };
                history::record(tx, &cx, &permit, change).await?;
                keys::remember(tx, &scope, key, &body, &id.to_string()).await?;
                Ok(id)
            })
        })
        .await
}

/// Opens the class for enrolment.
pub async fn publish(cx: &Cx, id: ClassId) -> Result<(), AppError> {
    with_class(cx, id, Act::PublishClass, |tx, cx, permit, class| {
        Box::pin(async move {
            let to = class.state.publish(class.starts_at, cx.now)?;
            store::move_class(tx, permit, &class, to, None, cx.now).await?;
            let at = class.starts_at;
            jobs::enqueue(tx, Job::StartClass { class: class.id }, at).await?;
            if at - REMIND > cx.now {
                jobs::enqueue(tx, Job::RemindClass { class: class.id }, at - REMIND).await?;
            }
            record(tx, cx, permit, class.id, Some(class.state), to, None).await
        })
    })
    .await
}

/// What a trainer changes, and which version of the class they had before their eyes.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    pub version: i64,
    pub title: String,
    pub room: Option<RoomId>,
    pub link: Option<String>,
    pub capacity: i64,
    pub price: Money,
    pub cut_off_hours: i64,
}

/// Changes the class. Who read an older version is shown what somebody else stored meanwhile.
pub async fn edit(cx: &Cx, id: ClassId, edit: Edit) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, edit) = (cx.clone(), edit.clone());
            Box::pin(async move {
                tx.lock(&[lock_of(id)]).await?;
                let class = store::class(tx, id).await?;
                let permit = cx.may(Act::EditClass, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
                edit_in(tx, &cx, &permit, class, edit).await
            })
        })
        .await
}

async fn edit_in(tx: &mut Tx, cx: &Cx, permit: &Permit, class: ClassRow, edit: Edit) -> Result<(), AppError> {
    if !class.state.is_editable() {
        return Err(Refusal::WrongState { state: class.state }.into());
    }
    let room = room(tx, edit.room).await?;
    if class.version != edit.version {
        let differences = differences(&class, &edit, room.as_ref());
        return Err(Refusal::ChangedMeanwhile { differences }.into());
    }
    class.seats().resize(edit.capacity)?;
    class::fits(edit.capacity, room.as_ref().map(|room| (room.name.clone(), room.capacity)).as_ref())?;
    let moved = edit.room != class.room_id || edit.link != class.link;
    if edit.room != class.room_id {
        let spans: Vec<Span> = store::sessions(tx, class.id).await?.iter().map(store::SessionRow::span).collect();
        let mut wanted = vec![Resource::Person(class.trainer_id)];
        wanted.extend(edit.room.map(Resource::Room));
        busy::lock(tx, &wanted).await?;
        refuse_busy(tx, class.trainer_id, room.as_ref(), &spans, Some(class.id)).await?;
        busy::free(tx, "class", class.id.0).await?;
        for resource in wanted {
            for span in &spans {
                busy::occupy(tx, resource, *span, "class", class.id.0).await?;
            }
        }
    }
    let changed = Changed {
        title: edit.title,
        room: edit.room,
        place: room.map(|room| room.place).unwrap_or_default(),
        link: edit.link,
        capacity: edit.capacity,
        price: edit.price,
        cut_off_hours: edit.cut_off_hours,
        moved,
    };
    if !store::update_class(tx, permit, class.id, edit.version, &changed, cx.now).await? {
        return Err(AppError::Busy);
    }
    record(tx, cx, permit, class.id, Some(class.state), class.state, None).await?;
    groups::watch_again(tx, class.id, cx.now).await?;
    // More seats are first of all for those who wait.
    seats::pass_on(tx, cx, class.id).await
}

fn differences(class: &ClassRow, edit: &Edit, room: Option<&RoomRow>) -> Vec<Difference> {
    let pairs = [
        ("title", class.title.clone(), edit.title.clone()),
        ("room", class.room_name.clone().unwrap_or_default(), room.map(|r| r.name.clone()).unwrap_or_default()),
        ("link", class.link.clone().unwrap_or_default(), edit.link.clone().unwrap_or_default()),
        ("capacity", class.capacity.to_string(), edit.capacity.to_string()),
        ("price", class.price().decimal(), edit.price.decimal()),
        ("cut_off_hours", class.cut_off_hours.to_string(), edit.cut_off_hours.to_string()),
    ];
    pairs
        .into_iter()
        .filter(|(_, theirs, yours)| theirs != yours)
        .map(|(field, theirs, yours)| Difference { field: field.to_owned(), theirs, yours })
        .collect()
}

/// The first session begins: who still waits in line waits no more. Run by a job; harmless where it came too late.
pub async fn start(cx: &Cx, id: ClassId) -> Result<(), AppError> {
    with_class(&cx.as_viewer(Viewer::System), id, Act::StartClass, |tx, cx, permit, class| {
        Box::pin(async move {
            let Ok(to) = class.state.start() else { return Ok(()) };
            if cx.now < class.starts_at {
                return Ok(());
            }
            store::move_class(tx, permit, &class, to, None, cx.now).await?;
            record(tx, cx, permit, class.id, Some(class.state), to, None).await?;
            end_line(tx, cx, class.id).await
        })
    })
    .await
}

/// Ends the offers and places in line of a class that has begun.
async fn end_line(tx: &mut Tx, cx: &Cx, class: ClassId) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    groups::end_line(tx, &cx, class).await?;
    for row in store::of_class(tx, class).await? {
        if row.state != EnrolmentState::Booked {
            let permit = cx.may(Act::ExpireOffer, &Subject::of(row.person_id))?;
            let (to, why) = (EnrolmentState::Cancelled, Ending::Expired);
            store::move_enrolment(tx, &permit, &row, to, None, Some(why), cx.now).await?;
            seats::record(tx, &cx, &permit, row.id, row.person_id, Some(row.state), to, Some(why)).await?;
        }
    }
    Ok(())
}

/// Reminds everybody who has a seat. Run by a job a day before.
pub async fn remind(cx: &Cx, id: ClassId) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let class = store::class(tx, id).await?;
                if class.state != ClassState::Open || class.starts_at <= cx.now {
                    return Ok(());
                }
                for row in store::of_class(tx, id).await?.iter().filter(|row| row.state == EnrolmentState::Booked) {
                    letters::reminder(tx, &cx, &class, row.id, row.person_id).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Closes the class: certificates for those who attended enough, allowances settled, everybody asked how it was.
pub async fn close(cx: &Cx, id: ClassId) -> Result<(), AppError> {
    with_class(cx, id, Act::CloseClass, |tx, cx, permit, class| {
        Box::pin(async move {
            let sessions = store::sessions(tx, class.id).await?;
            let last = sessions.last().map(store::SessionRow::span).ok_or(Refusal::NoSession)?;
            let booked: Vec<EnrolmentRow> = store::of_class(tx, class.id)
                .await?
                .into_iter()
                .filter(|row| row.state == EnrolmentState::Booked)
                .collect();
            let mut marks: HashMap<_, Vec<Mark>> = HashMap::new();
            for row in store::marks(tx, class.id).await? {
                marks.entry(row.enrolment_id).or_default().push(row.mark);
            }
            let of = |row: &EnrolmentRow| marks.get(&row.id).cloned().unwrap_or_default();
            let unmarked = booked.iter().filter(|row| of(row).len() < sessions.len()).count();
            let to = class.state.complete(last, i64::try_from(unmarked).unwrap_or(i64::MAX), cx.now)?;
            end_line(tx, cx, class.id).await?;
            store::move_class(tx, permit, &class, to, None, cx.now).await?;
            for row in &booked {
                settle(tx, cx, permit, &class, row, &of(row), sessions.len()).await?;
            }
            record(tx, cx, permit, class.id, Some(class.state), to, None).await
        })
    })
    .await
}

/// What the end of a class means for one learner.
async fn settle(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    class: &ClassRow,
    row: &EnrolmentRow,
    marks: &[Mark],
    sessions: usize,
) -> Result<(), AppError> {
    if attendance::was_excused(marks, sessions) {
        dues::give_back(tx, row.id, cx.now).await?;
    } else {
        dues::spend(tx, row.id, cx.now).await?;
    }
    let share = Share::of(marks.iter().copied(), i64::try_from(sessions).unwrap_or(i64::MAX));
    if share.passes(class.pass_percent) {
        certify(tx, permit, cx, class, row, share.percent()).await?;
    }
    if share.percent() > 0 {
        let ask = Job::AskFeedback { moment: "class".to_owned(), subject: class.id.0, person: row.person_id };
        jobs::enqueue(tx, ask, cx.now).await?;
    }
    Ok(())
}

async fn certify(
    tx: &mut Tx,
    permit: &Permit,
    cx: &Cx,
    class: &ClassRow,
    row: &EnrolmentRow,
    percent: i64,
) -> Result<(), AppError> {
    // Of 34 thousand million codes one is taken already now and then.
    for _ in 0..20 {
        let code = PublicNumber::from_seed(rand::random());
        let new = NewCertificate {
            code: &code,
            enrolment: row.id,
            person: row.person_id,
            class: class.id,
            title: &class.title,
            percent,
        };
        if store::insert_certificate(tx, permit, &new, cx.now).await? {
            return Ok(());
        }
    }
    Err(AppError::Busy)
}

/// Cancels the class: tells everyone, gives back what seats cost, offers seats in the next class of the course.
pub async fn cancel(cx: &Cx, id: ClassId, why: String) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, why) = (cx.clone(), why.clone());
            Box::pin(async move { cancel_in(tx, &cx, id, &why).await })
        })
        .await
}

async fn cancel_in(tx: &mut Tx, cx: &Cx, id: ClassId, why: &str) -> Result<(), AppError> {
    let before = store::class(tx, id).await?;
    let next = store::next_of_course(tx, before.course_id, cx.now, id).await?;
    let mut keys = vec![lock_of(id)];
    keys.extend(next.as_ref().map(|next| lock_of(next.id)));
    tx.lock(&keys).await?;
    let class = store::class(tx, id).await?;
    let permit = cx.may(Act::CancelClass, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
    let to = class.state.cancel()?;
    let rows = store::of_class(tx, id).await?;
    let parties = groups::of_class(tx, id).await?;
    store::move_class(tx, &permit, &class, to, Some(why), cx.now).await?;
    busy::free(tx, "class", id.0).await?;
    record(tx, cx, &permit, id, Some(class.state), to, Some(why)).await?;
    // Whoever had a seat is asked first, then the line in its order.
    let (booked, line): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.state == EnrolmentState::Booked);
    let system = cx.as_viewer(Viewer::System);
    for row in &booked {
        end_with_class(tx, &system, row).await?;
        busy::free(tx, "enrolment", row.id.0).await?;
        dues::give_back(tx, row.id, cx.now).await?;
    }
    for row in &line {
        end_with_class(tx, &system, row).await?;
    }
    for row in booked.iter().chain(&line) {
        // For a group its owner answers.
        let offer = match next.as_ref().filter(|_| row.party_id.is_none()) {
            Some(next) => seats::offer_elsewhere(tx, cx, next, row.person_id).await?.map(|until| (next, until)),
            None => None,
        };
        letters::class_cancelled(tx, cx, &class, row.id, row.person_id, why, offer).await?;
    }
    groups::end_with_class(tx, cx, &class, why, next.as_ref(), parties).await
}

async fn end_with_class(tx: &mut Tx, system: &Cx, row: &EnrolmentRow) -> Result<(), AppError> {
    let permit = system.may(Act::CancelEnrolment, &Subject::of(row.person_id))?;
    let (to, why) = (EnrolmentState::Cancelled, Ending::ClassCancelled);
    store::move_enrolment(tx, &permit, row, to, None, Some(why), system.now).await?;
    seats::record(tx, system, &permit, row.id, row.person_id, Some(row.state), to, Some(why)).await
}

/// A step on a class that its trainer may take.
type Step =
    for<'a> fn(&'a mut Tx, &'a Cx, &'a Permit, ClassRow) -> futures::future::BoxFuture<'a, Result<(), AppError>>;

async fn with_class(cx: &Cx, id: ClassId, act: Act, step: Step) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                tx.lock(&[lock_of(id)]).await?;
                let class = store::class(tx, id).await?;
                let permit = cx.may(act, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
                step(tx, &cx, &permit, class).await
            })
        })
        .await
}

async fn room(tx: &mut Tx, id: Option<RoomId>) -> Result<Option<RoomRow>, AppError> {
    match id {
        Some(id) => Ok(Some(store::room(tx, id).await?.ok_or_else(|| Faults::only("room", Fault::NotAChoice))?)),
        None => Ok(None),
    }
}

/// Trainer and room have to be free at every session, apart from this very class.
async fn refuse_busy(
    tx: &mut Tx,
    trainer: PersonId,
    room: Option<&RoomRow>,
    spans: &[Span],
    class: Option<ClassId>,
) -> Result<(), AppError> {
    let except = class.map(|id| ("class", id.0));
    let first = |clashes: Vec<Clash>| clashes.into_iter().next();
    if let Some(clash) = first(busy::clashes(tx, Resource::Person(trainer), spans, except).await?) {
        let (from, until) = (clash.span.from, clash.span.until);
        return Err(Refusal::TrainerBusy { with: clash.label, from, until }.into());
    }
    if let Some(room) = room
        && let Some(clash) = first(busy::clashes(tx, Resource::Room(room.id), spans, except).await?)
    {
        let (from, until) = (clash.span.from, clash.span.until);
        return Err(Refusal::RoomBusy { room: room.name.clone(), with: clash.label, from, until }.into());
    }
    Ok(())
}

async fn record(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    id: ClassId,
    from: Option<ClassState>,
    to: ClassState,
    why: Option<&str>,
) -> Result<(), AppError> {
    let change = Change {
        entity: "class",
        id: id.0,
        from: from.map(ClassState::as_str),
        to: Some(to.as_str()),
        why,
        ..Change::default()
    };
    history::record(tx, cx, permit, change).await
}

/// Under which name a person's keys for an act are kept.
fn scope_of(cx: &Cx, act: &str) -> String {
    format!("{act}:{}", cx.viewer.person().map(|person| person.id.to_string()).unwrap_or_default())
}

/// When a session may be marked: from an hour before it.
pub fn marked_from(starts: DateTime<Utc>) -> DateTime<Utc> {
    starts - Duration::hours(1)
}
