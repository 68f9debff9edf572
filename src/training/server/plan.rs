//! The trainer's side of a class: plan it, publish it, start it, close it, cancel it.

use super::{
    asks,
    conflicts::Needs,
    crew_letters, dues, groups,
    learning_letters::{self, Earned},
    letters::{self, Waited},
    make_ups, rules,
    seats::{self, lock_of},
    store::{
        self, ClassRow, CourseRow, EnrolmentRow, NewCertificate, NewClass, SessionRow,
        parties::{PartyRow, PlaceRow},
    },
};
use crate::{
    access::{Act, Permit, Subject, Viewer},
    calendar::{
        domain::{Resource, Span},
        server::{busy, zone},
    },
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    followups::server::store as follow_ups,
    jobs::{self, Job},
    server::{
        Cx, fresh,
        history::{self, Change},
        keys,
    },
    training::domain::{
        ClassState, Ending, EnrolmentState, Level, Mark, Plan, Refusal, Share, Window, attendance, validity,
    },
    values::{CertificateId, ClassId, CourseId, EquipmentId, Money, PersonId, PublicNumber, RoomId},
};
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// A class as a trainer wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub course: CourseId,
    pub trainer: PersonId,
    pub title: String,
    pub language: String,
    /// Of a class without a room; with one the clock there counts.
    pub zone: Tz,
    pub sessions: Vec<Span>,
    pub room: Option<RoomId>,
    pub link: Option<String>,
    pub capacity: i64,
    pub price: Money,
    pub cut_off_hours: i64,
}

/// The reminder goes out so long before the start.
pub const REMIND: Duration = Duration::hours(24);

/// A class that is over is to be closed within so long: its learners wait for their certificates.
const CLOSED_WITHIN: Duration = Duration::days(1);

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

/// What a class has besides: who helps, what it uses, when learners may enrol.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extras {
    pub assistants: Vec<PersonId>,
    pub equipment: Vec<EquipmentId>,
    pub window: Window,
}

impl Extras {
    /// The same for a later class of the series: enrolling opens for all at once, and closes for each in its time.
    fn for_one(&self, draft: &Draft, begins: Option<DateTime<Utc>>) -> Self {
        let mine = draft.sessions.iter().map(|span| span.from).min();
        // In a week in which the clocks are changed it closes at the same hour as in any other.
        let on_the_wall = |at: DateTime<Utc>| at.with_timezone(&draft.zone).naive_local();
        let later = mine.zip(begins).map_or(Duration::zero(), |(mine, first)| on_the_wall(mine) - on_the_wall(first));
        let closes = self.window.closes.map(|at| {
            let wall = on_the_wall(at) + later;
            // A time that the clocks skip does not come.
            zone::instant(draft.zone, wall.date(), wall.time()).unwrap_or(at + later)
        });
        Self { window: Window { closes, ..self.window }, ..self.clone() }
    }
}

/// Plans a series, all or nothing, and opens it for enrolment at once where that is wanted. Gives the first class.
pub async fn create_series(
    cx: &Cx,
    series: Vec<Draft>,
    extras: Extras,
    open: bool,
    key: Option<Uuid>,
) -> Result<ClassId, AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, series, extras) = (cx.clone(), series.clone(), extras.clone());
            Box::pin(async move {
                let (scope, body) = (scope_of(&cx, "create_class"), format!("{series:?} {extras:?} {open}"));
                if let Some(answer) = keys::seen(tx, &scope, key, &body).await?
                    && let Ok(id) = answer.parse()
                {
                    return Ok(id);
                }
                let mut first = None;
                let begins = series.first().and_then(|draft| draft.sessions.iter().map(|span| span.from).min());
                for draft in series {
                    let extras = extras.for_one(&draft, begins);
                    let id = create_with(tx, &cx, draft, &extras).await?;
                    if open {
                        open_in(tx, &cx, id).await?;
                    }
                    first = first.or(Some(id));
                }
                let id = first.ok_or(Refusal::NoSession)?;
                if open {
                    // Of a series its first class is news enough.
                    let class = store::class(tx, id).await?;
                    asks::tell_of(tx, &cx, &class).await?;
                }
                keys::remember(tx, &scope, key, &body, &id.to_string()).await?;
                Ok(id)
            })
        })
        .await
}

/// As [`create`], in a transaction of the caller's.
pub async fn create_in(tx: &mut Tx, cx: &Cx, draft: Draft) -> Result<ClassId, AppError> {
    create_with(tx, cx, draft, &Extras::default()).await
}

/// As [`create_in`], with all that a class can have.
pub async fn create_with(tx: &mut Tx, cx: &Cx, draft: Draft, extras: &Extras) -> Result<ClassId, AppError> {
    let permit = cx.may(Act::CreateClass, &Subject::nobody().assigned_to(Some(draft.trainer)))?;
    if store::course(tx, draft.course).await?.is_none() {
        return Err(Faults::only("course", Fault::NotAChoice));
    }
    // Its room stays what it is now until the class is planned in it.
    busy::lock(tx, draft.room.map(Resource::Room).as_slice()).await?;
    let needs = Needs::load(tx, draft.trainer, draft.room, None, &extras.assistants, &extras.equipment).await?;
    let seats = needs.room.as_ref().map(|room| (room.name.clone(), room.capacity));
    let plan = Plan { sessions: draft.sessions, capacity: draft.capacity, room: seats }.check(cx.now)?;
    busy::lock(tx, &needs.resources()).await?;
    needs.refuse_taken(tx, &plan.sessions, None).await?;
    let id: ClassId = fresh();
    let new = NewClass {
        id,
        course: draft.course,
        trainer: draft.trainer,
        title: draft.title,
        language: draft.language,
        zone: needs.zone().unwrap_or(draft.zone),
        room: draft.room,
        place: needs.room.as_ref().map(|room| room.place.clone()).unwrap_or_default(),
        link: draft.link,
        capacity: draft.capacity,
        price: draft.price,
        cut_off_hours: draft.cut_off_hours,
        sessions: plan.sessions,
        window: extras.window,
    };
    store::insert_class(tx, &permit, &new, cx.now).await?;
    // Each once, however often a form names them.
    let assistants: Vec<PersonId> = needs.assistants.iter().map(|(id, _)| *id).collect();
    let equipment: Vec<EquipmentId> = needs.equipment.iter().map(|row| row.id).collect();
    store::set_assistants(tx, &permit, id, &assistants).await?;
    store::set_equipment(tx, &permit, id, &equipment).await?;
    needs.occupy(tx, &new.sessions, id).await?;
    record(tx, cx, &permit, id, None, ClassState::Draft, None).await?;
    let class = store::class(tx, id).await?;
    crew_letters::planned(tx, cx, &class, &assistants).await?;
    Ok(id)
}

/// A course that belongs to products by their article numbers; an unknown one is named.
pub async fn create_course(
    cx: &Cx,
    course: CourseRow,
    level: Level,
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
                store::set_level(tx, &permit, id, level).await?;
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
            publish_in(tx, cx, permit, &class).await?;
            asks::tell_of(tx, cx, &class).await
        })
    })
    .await
}

/// As [`publish`], in a transaction of the caller's, of a class that nobody else knows yet; who is told is up to them.
pub async fn open_in(tx: &mut Tx, cx: &Cx, id: ClassId) -> Result<(), AppError> {
    let class = store::class(tx, id).await?;
    let permit = cx.may(Act::PublishClass, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
    publish_in(tx, cx, &permit, &class).await
}

async fn publish_in(tx: &mut Tx, cx: &Cx, permit: &Permit, class: &ClassRow) -> Result<(), AppError> {
    let to = class.state.publish(class.starts_at, cx.now)?;
    let terms = rules::read(tx).await?.terms;
    store::set_terms(tx, permit, class.id, &terms).await?;
    store::move_class(tx, permit, class, to, None, cx.now).await?;
    plan_jobs(tx, cx, class.id, class.starts_at).await?;
    record(tx, cx, permit, class.id, Some(class.state), to, None).await
}

/// The start and the first reminder of a class. Those of an earlier plan find that it is not time, and do nothing.
pub async fn plan_jobs(tx: &mut Tx, cx: &Cx, class: ClassId, starts: DateTime<Utc>) -> Result<(), AppError> {
    jobs::enqueue(tx, Job::StartClass { class }, starts).await?;
    if starts - REMIND > cx.now {
        jobs::enqueue(tx, Job::RemindClass { class }, starts - REMIND).await?;
    }
    Ok(())
}

/// The reminders of a class that begins: a day before each day that is still to come, of tomorrow at once.
async fn plan_reminders(tx: &mut Tx, cx: &Cx, class: &ClassRow) -> Result<(), AppError> {
    for session in reminded_of(tx, class).await?.iter().filter(|session| session.starts_at > cx.now) {
        let at = (session.starts_at - REMIND).max(cx.now);
        jobs::enqueue(tx, Job::RemindClass { class: class.id }, at).await?;
    }
    Ok(())
}

/// The reminders of sessions that are at another time. Of what is tomorrow a letter has just told.
pub async fn plan_reminders_anew(tx: &mut Tx, cx: &Cx, class: ClassId, spans: &[Span]) -> Result<(), AppError> {
    for at in spans.iter().map(|span| span.from - REMIND).filter(|at| *at > cx.now) {
        jobs::enqueue(tx, Job::RemindClass { class }, at).await?;
    }
    Ok(())
}

/// The first session of each day of a class: one letter is enough for a morning and its afternoon.
async fn reminded_of(tx: &mut Tx, class: &ClassRow) -> Result<Vec<SessionRow>, AppError> {
    let tz = class.tz();
    let mut sessions = store::sessions(tx, class.id).await?;
    sessions.dedup_by_key(|session| session.starts_at.with_timezone(&tz).date_naive());
    Ok(sessions)
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
            plan_reminders(tx, cx, &class).await?;
            jobs::enqueue(tx, Job::RemindToClose { class: class.id }, class.ends_at + CLOSED_WITHIN).await?;
            end_line(tx, cx, &class).await
        })
    })
    .await
}

/// Plans what classes lack that began before the portal knew of it: the reminders of their later days, and that they are
/// to be closed. Run whenever the worker starts; a second time it finds nothing to do.
pub async fn catch_up(cx: &Cx) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                tx.lock(&[Key::of("running_classes", Uuid::nil())]).await?;
                let planned = jobs::known(tx, "remind_to_close").await?;
                for class in store::running(tx).await? {
                    let job = Job::RemindToClose { class };
                    if planned.contains(&job) {
                        continue;
                    }
                    let class = store::class(tx, class).await?;
                    plan_reminders(tx, &cx, &class).await?;
                    jobs::enqueue(tx, job, (class.ends_at + CLOSED_WITHIN).max(cx.now)).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Tells the trainer of a class that it is over and still open. Run by a job a day after its end; where it goes on for
/// longer than was planned, so does the job.
pub async fn remind_to_close(cx: &Cx, id: ClassId) -> Result<(), AppError> {
    with_class(&cx.as_viewer(Viewer::System), id, Act::CloseClass, |tx, cx, _, class| {
        Box::pin(async move {
            let due = class.ends_at + CLOSED_WITHIN;
            if class.state.is_over() {
                return Ok(());
            }
            if cx.now < due {
                return jobs::enqueue(tx, Job::RemindToClose { class: class.id }, due).await.map(|_| ());
            }
            crew_letters::not_closed(tx, cx, &class).await
        })
    })
    .await
}

/// Ends the offers and places in line of a class that has begun, and tells everybody whose they were.
async fn end_line(tx: &mut Tx, cx: &Cx, class: &ClassRow) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    groups::end_line(tx, &cx, class).await?;
    for row in store::of_class(tx, class.id).await? {
        if row.state != EnrolmentState::Booked {
            let permit = cx.may(Act::ExpireOffer, &Subject::of(row.person_id))?;
            let (to, why) = (EnrolmentState::Cancelled, Ending::Expired);
            store::move_enrolment(tx, &permit, &row, to, None, Some(why), cx.now).await?;
            seats::record(tx, &cx, &permit, row.id, row.person_id, Some(row.state), to, Some(why)).await?;
            asks::answered_instead(tx, &cx, class.id, None, row.person_id).await?;
            letters::wait_over(tx, &cx, class, row.id, row.person_id, Waited::Begun).await?;
        }
    }
    Ok(())
}

/// Reminds everybody who has a seat of what begins within a day. Run by a job a day before.
pub async fn remind(cx: &Cx, id: ClassId) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let class = store::class(tx, id).await?;
                if !matches!(class.state, ClassState::Open | ClassState::Running) {
                    return Ok(());
                }
                let soon = |session: &SessionRow| cx.now < session.starts_at && session.starts_at - REMIND <= cx.now;
                let mut sessions = reminded_of(tx, &class).await?;
                sessions.retain(soon);
                for session in &sessions {
                    for row in store::of_class(tx, id).await?.iter().filter(|row| row.state == EnrolmentState::Booked) {
                        letters::reminder(tx, &cx, &class, session, row.id, row.person_id).await?;
                    }
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
            let last = sessions.last().map(SessionRow::span).ok_or(Refusal::NoSession)?;
            let booked: Vec<EnrolmentRow> = store::of_class(tx, class.id)
                .await?
                .into_iter()
                .filter(|row| row.state == EnrolmentState::Booked)
                .collect();
            let mut marks: HashMap<_, Vec<Mark>> = HashMap::new();
            let mut own: HashMap<_, Vec<Mark>> = HashMap::new();
            let counted = make_ups::Counted::load(tx, class.id).await?;
            for row in store::marks(tx, class.id).await? {
                own.entry(row.enrolment_id).or_default().push(row.mark);
                marks.entry(row.enrolment_id).or_default().push(counted.mark(&row));
            }
            let of = |row: &EnrolmentRow| marks.get(&row.id).cloned().unwrap_or_default();
            let guests = store::guests(tx, class.id).await?.into_iter().filter(|row| row.mark().is_none());
            let guests: BTreeSet<PersonId> = guests.map(|row| row.person_id).collect();
            let unmarked = booked.iter().filter(|row| of(row).len() < sessions.len()).count() + guests.len();
            let to = class.state.complete(last, i64::try_from(unmarked).unwrap_or(i64::MAX), cx.now)?;
            end_line(tx, cx, &class).await?;
            store::move_class(tx, permit, &class, to, None, cx.now).await?;
            for row in &booked {
                let marks = of(row);
                let no_show = class.policy().terms.no_show;
                let back = attendance::costs_nothing(&marks, sessions.len(), no_show);
                // Who came to nothing of it but makes something up is settled when that is over: until then, its mark can change.
                let came = own.get(&row.id).is_some_and(|own| !attendance::costs_nothing(own, sessions.len(), no_show));
                let waits = !came && counted.is_pending(row);
                let share = Share::of(marks, i64::try_from(sessions.len()).unwrap_or(i64::MAX));
                settle(tx, cx, permit, &class, row, share, (!waits).then_some(back)).await?;
            }
            make_ups::class_closed(tx, cx, class.id).await?;
            follow_ups::done_about(tx, permit, "class", class.id.0, cx.now).await?;
            record(tx, cx, permit, class.id, Some(class.state), to, None).await
        })
    })
    .await
}

/// What the end of a class means for one learner, and whether what the seat cost comes back, where that is known.
async fn settle(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    class: &ClassRow,
    row: &EnrolmentRow,
    share: Share,
    back: Option<bool>,
) -> Result<(), AppError> {
    match back {
        Some(true) => dues::give_back(tx, row.id, cx.now).await?,
        Some(false) => dues::spend(tx, row.id, cx.now).await?,
        None => {}
    }
    if share.passes(class.pass_percent) {
        let certificate = certify(tx, permit, cx, class, row, share.percent()).await?;
        learning_letters::certified(tx, cx, class, row, certificate, Earned::Attended).await?;
    }
    if share.percent() > 0 {
        let ask = Job::AskFeedback { moment: "class".to_owned(), subject: class.id.0, person: row.person_id };
        jobs::enqueue(tx, ask, cx.now).await?;
    }
    Ok(())
}

/// Gives the certificate.
pub async fn certify(
    tx: &mut Tx,
    permit: &Permit,
    cx: &Cx,
    class: &ClassRow,
    row: &EnrolmentRow,
    percent: i64,
) -> Result<CertificateId, AppError> {
    let lapses = lapses(class, cx.now);
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
            lapses,
        };
        if let Some(certificate) = store::insert_certificate(tx, permit, &new, cx.now).await? {
            if let Some((_, told)) = lapses {
                jobs::enqueue(tx, Job::TellLapse { certificate }, told).await?;
            }
            return Ok(certificate);
        }
    }
    Err(AppError::Busy)
}

/// The last day of a certificate that is given now, and when its holder is told of it: in the morning, where the class
/// was held.
fn lapses(class: &ClassRow, now: DateTime<Utc>) -> Option<(NaiveDate, DateTime<Utc>)> {
    let tz = class.tz();
    let morning = NaiveTime::from_hms_opt(9, 0, 0).unwrap_or_default();
    let last = validity::last_day(now.with_timezone(&tz).date_naive(), class.valid_months)?;
    let told = zone::instant(tz, validity::told_on(last), morning).unwrap_or(now);
    Some((last, told.max(now)))
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
    let known: Vec<ClassId> = store::instead_of(tx, &before, cx.now).await?.iter().map(|row| row.id).collect();
    let keys: Vec<_> = std::iter::once(id).chain(known.iter().copied()).map(lock_of).collect();
    tx.lock(&keys).await?;
    let class = store::class(tx, id).await?;
    let permit = cx.may(Act::CancelClass, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
    let to = class.state.cancel()?;
    let rows = store::of_class(tx, id).await?;
    let parties = groups::of_class(tx, id).await?;
    store::move_class(tx, &permit, &class, to, Some(why), cx.now).await?;
    follow_ups::done_about(tx, &permit, "class", id.0, cx.now).await?;
    busy::free(tx, "class", id.0).await?;
    record(tx, cx, &permit, id, Some(class.state), to, Some(why)).await?;
    crew_letters::cancelled(tx, cx, &class, why).await?;
    make_ups::class_cancelled(tx, cx, id).await?;
    // As they are now that its learners are guests nowhere any more. What opened in between is not held.
    let mut later = store::instead_of(tx, &class, cx.now).await?;
    later.retain(|row| known.contains(&row.id));
    let system = cx.as_viewer(Viewer::System);
    for row in &rows {
        end_with_class(tx, &system, row).await?;
        if row.state == EnrolmentState::Booked {
            busy::free(tx, "enrolment", row.id.0).await?;
            dues::give_back(tx, row.id, cx.now).await?;
        }
    }
    groups::end_with_class(tx, cx, &parties).await?;
    forgive_late(tx, cx, &class, why).await?;
    // Whoever had a seat is asked first, then the line in its order: a group, for which its owner answers, in its turn.
    let mut turns: Vec<Turn> = rows.into_iter().map(Turn::One).collect();
    turns.extend(parties.into_iter().map(|(party, places)| Turn::Group(party, places)));
    turns.sort_by_key(Turn::order);
    for turn in turns {
        match turn {
            Turn::One(row) => {
                let offer = match row.party_id {
                    None => offer_instead(tx, cx, &mut later, row.person_id).await?,
                    Some(_) => None,
                };
                let offer = offer.map(|(at, until)| (&later[at], until));
                asks::answered_instead(tx, cx, id, offer.map(|(next, _)| next), row.person_id).await?;
                letters::class_cancelled(tx, cx, &class, row.id, row.person_id, why, offer).await?;
            }
            Turn::Group(party, places) => {
                groups::offer_instead(tx, cx, &class, why, &mut later, party, places).await?;
            }
        }
    }
    Ok(())
}

/// Who is asked whether they come to another class instead of one that does not take place.
enum Turn {
    One(EnrolmentRow),
    Group(PartyRow, Vec<PlaceRow>),
}

impl Turn {
    /// Seats by when they were asked for, then offers, then the line.
    fn order(&self) -> (u8, i64, DateTime<Utc>) {
        let place = |state: EnrolmentState, number: Option<i64>| match state {
            EnrolmentState::Booked => (0, 0),
            EnrolmentState::Offered => (1, number.unwrap_or(0)),
            _ => (2, number.unwrap_or(0)),
        };
        let ((rank, number), since) = match self {
            Self::One(row) => (place(row.state, row.queue_number), row.created_at),
            Self::Group(party, places) => {
                let first = places.iter().map(|one| place(one.state, one.queue_number)).min();
                (first.unwrap_or((2, i64::MAX)), party.created_at)
            }
        };
        (rank, number, since)
    }
}

/// Holds a seat for somebody in the first of these classes that they can come to; says in which, and until when.
async fn offer_instead(
    tx: &mut Tx,
    cx: &Cx,
    later: &mut [ClassRow],
    person: PersonId,
) -> Result<Option<(usize, DateTime<Utc>)>, AppError> {
    for (at, next) in later.iter_mut().enumerate().filter(|(_, row)| row.seats().free() > 0) {
        if let Some(until) = seats::offer_elsewhere(tx, cx, next, person).await? {
            next.held += 1;
            return Ok(Some((at, until)));
        }
    }
    Ok(None)
}

/// Nobody pays for a class that does not take place: whoever had cancelled too late has back what that cost, and hears of
/// it once.
async fn forgive_late(tx: &mut Tx, cx: &Cx, class: &ClassRow, why: &str) -> Result<(), AppError> {
    let mut payers = BTreeSet::new();
    for (seat, benefit, payer) in store::cancelled_late(tx, class.id).await? {
        if dues::forgive(tx, seat, benefit, cx.now).await? {
            payers.insert(payer);
        }
    }
    for payer in payers {
        letters::late_forgiven(tx, cx, class, payer, why).await?;
    }
    Ok(())
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

pub async fn record(
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
pub fn scope_of(cx: &Cx, act: &str) -> String {
    format!("{act}:{}", cx.viewer.person().map(|person| person.id.to_string()).unwrap_or_default())
}

/// When a session may be marked: from an hour before it.
pub fn marked_from(starts: DateTime<Utc>) -> DateTime<Utc> {
    starts - Duration::hours(1)
}
