//! Changing a class after it was planned: its words and seats, its times, its room, who teaches and helps. Everybody who
//! has a place in it moves with it and is told once.

use super::{
    asks,
    conflicts::{self, Needs},
    crew_letters, dues, group_letters,
    groups::{self, Kept},
    invitations, letters,
    letters::{Also, Stays},
    make_ups,
    plan::{self, plan_jobs},
    seats::{self, lock_of},
    store::{self, Changed, ClassRow, EnrolmentRow, MakeUpRow, SessionRow, parties},
};
use crate::{
    access::{Act, Permit, Subject},
    calendar::{
        domain::{Resource, Span, overlap_within},
        server::{
            busy::{self, Clash},
            zone,
        },
    },
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    jobs::{self, Job},
    server::Cx,
    training::domain::{
        ClassState, Difference, Ending, EnrolmentState, LearnerClash, Policy, Refusal, Window, class,
        schedule::{self, Moves},
    },
    values::{ClassId, ClassSessionId, EnrolmentId, EquipmentId, Money, PersonId, RoomId},
};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use std::collections::HashMap;

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

/// What a form may leave out: it stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rest {
    pub language: Option<String>,
    pub trainer: Option<PersonId>,
    pub sessions: Option<Vec<(Option<ClassSessionId>, Span)>>,
    pub assistants: Option<Vec<PersonId>>,
    pub equipment: Option<Vec<EquipmentId>>,
    pub window: Option<Window>,
    /// The learners of whom whoever moves the class knows that they are elsewhere then.
    pub known_clashes: Vec<PersonId>,
}

/// After a class became another one than was agreed to, cancelling is free for so long.
const GRACE: Duration = Duration::hours(72);

/// Changes the class. Who read an older version is shown what somebody else stored meanwhile.
pub async fn edit(cx: &Cx, id: ClassId, edit: Edit, rest: Rest) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, edit, rest) = (cx.clone(), edit.clone(), rest.clone());
            Box::pin(async move {
                let mut keys = vec![lock_of(id)];
                // Whoever has a place moves along: their time is held before anybody looks at it.
                let people = store::of_class(tx, id).await?;
                keys.extend(people.iter().map(|row| Key::of("person", row.person_id.0)));
                tx.lock(&keys).await?;
                // Whoever came in between is not held.
                let known = |row: &EnrolmentRow| people.iter().any(|known| known.person_id == row.person_id);
                if !store::of_class(tx, id).await?.iter().all(known) {
                    return Err(AppError::Busy);
                }
                let class = store::class(tx, id).await?;
                let permit = cx.may(Act::EditClass, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
                if !class.state.is_editable() {
                    return Err(Refusal::WrongState { state: class.state }.into());
                }
                let before = Before::load(tx, class).await?;
                let wanted = Wanted::of(tx, &cx, &before, edit, rest).await?;
                wanted.refuse_older(&before)?;
                change(tx, &cx, &permit, &before, &wanted).await
            })
        })
        .await
}

/// The class as it is stored.
pub struct Before {
    pub class: ClassRow,
    pub sessions: Vec<SessionRow>,
    pub assistants: Vec<(PersonId, String)>,
    pub equipment: Vec<store::EquipmentRow>,
}

impl Before {
    pub async fn load(tx: &mut Tx, class: ClassRow) -> Result<Self, AppError> {
        Ok(Self {
            sessions: store::sessions(tx, class.id).await?,
            assistants: store::assistants(tx, class.id).await?,
            equipment: store::equipment_of(tx, class.id).await?,
            class,
        })
    }
}

/// The class as it is wanted.
struct Wanted {
    edit: Edit,
    language: String,
    /// That of its room, once it is in another one.
    zone: Tz,
    sessions: Vec<(Option<ClassSessionId>, Span)>,
    spans: Vec<Span>,
    needs: Needs,
    window: Window,
    known_clashes: Vec<PersonId>,
}

impl Wanted {
    async fn of(tx: &mut Tx, cx: &Cx, before: &Before, edit: Edit, rest: Rest) -> Result<Self, AppError> {
        let class = &before.class;
        let trainer = rest.trainer.unwrap_or(class.trainer_id);
        if trainer != class.trainer_id && !store::trainers(tx).await?.iter().any(|(id, _)| *id == trainer) {
            return Err(Faults::only("trainer", Fault::NotAChoice));
        }
        let assistants = rest.assistants.unwrap_or_else(|| before.assistants.iter().map(|(id, _)| *id).collect());
        let equipment = rest.equipment.unwrap_or_else(|| before.equipment.iter().map(|row| row.id).collect());
        // Its room stays what it is now until the class is in it.
        busy::lock(tx, edit.room.map(Resource::Room).as_slice()).await?;
        let mut needs = Needs::load(tx, trainer, edit.room, class.room_id, &assistants, &equipment).await?;
        if trainer == class.trainer_id {
            needs.trainer.1.clone_from(&class.trainer_name);
        }
        let zone = needs.zone().filter(|_| edit.room != class.room_id).unwrap_or(class.tz());
        let sessions = match rest.sessions {
            Some(sessions) => sessions,
            None => there(before, zone, cx.now)?,
        };
        let mut spans: Vec<Span> = sessions.iter().map(|(_, span)| *span).collect();
        spans.sort();
        Ok(Self {
            language: rest.language.unwrap_or_else(|| class.language.clone()),
            window: rest.window.unwrap_or(class.rules.window()),
            known_clashes: rest.known_clashes,
            edit,
            zone,
            sessions,
            spans,
            needs,
        })
    }

    /// Somebody else's change is shown before it is overwritten.
    fn refuse_older(&self, before: &Before) -> Result<(), AppError> {
        if before.class.version == self.edit.version {
            return Ok(());
        }
        Err(Refusal::ChangedMeanwhile { differences: self.differences(before) }.into())
    }

    fn differences(&self, before: &Before) -> Vec<Difference> {
        let (class, edit, needs, tz) = (&before.class, &self.edit, &self.needs, before.class.tz());
        let room = needs.room.as_ref().map(|room| room.name.clone());
        let names = |people: &[(PersonId, String)]| join(people.iter().map(|(_, name)| name.clone()));
        let things = |rows: &[store::EquipmentRow]| join(rows.iter().map(|row| row.name.clone()));
        let times = |spans: Vec<Span>| join(spans.iter().map(|span| said(*span, tz)));
        let end = |at: Option<DateTime<Utc>>| at.map(|at| local(at, tz)).unwrap_or_default();
        let window = class.rules.window();
        let pairs = [
            ("title", class.title.clone(), edit.title.clone()),
            ("language", class.language.clone(), self.language.clone()),
            ("trainer", class.trainer_name.clone(), needs.trainer.1.clone()),
            ("sessions", times(before.sessions.iter().map(SessionRow::span).collect()), times(self.spans.clone())),
            ("room", class.room_name.clone().unwrap_or_default(), room.unwrap_or_default()),
            ("link", class.link.clone().unwrap_or_default(), edit.link.clone().unwrap_or_default()),
            ("assistants", names(&before.assistants), names(&needs.assistants)),
            ("equipment", things(&before.equipment), things(&needs.equipment)),
            ("capacity", class.capacity.to_string(), edit.capacity.to_string()),
            ("price", class.price().decimal(), edit.price.decimal()),
            ("cut_off_hours", class.cut_off_hours.to_string(), edit.cut_off_hours.to_string()),
            ("opens", end(window.opens), end(self.window.opens)),
            ("closes", end(window.closes), end(self.window.closes)),
        ];
        pairs
            .into_iter()
            .filter(|(_, theirs, yours)| theirs != yours)
            .map(|(field, theirs, yours)| Difference { field: field.to_owned(), theirs, yours })
            .collect()
    }
}

/// The sessions as they are, on the same wall clock in another zone. What has begun stays when it was.
fn there(before: &Before, zone: Tz, now: DateTime<Utc>) -> Result<Vec<(Option<ClassSessionId>, Span)>, Refusal> {
    let was = before.class.tz();
    let at = |instant: DateTime<Utc>| {
        let local = instant.with_timezone(&was).naive_local();
        let (date, time) = (local.date(), local.time());
        let there = if zone == was { Some(instant) } else { zone::instant(zone, date, time) };
        there.ok_or_else(|| Refusal::NoSuchTime { date, time, zone: zone.name().to_owned() })
    };
    let moved = |row: &SessionRow| match row.starts_at <= now {
        true => Ok((Some(row.id), row.span())),
        false => Ok((Some(row.id), Span { from: at(row.starts_at)?, until: at(row.ends_at)? })),
    };
    before.sessions.iter().map(moved).collect()
}

/// What of a class, beside its times, is no longer what those who have a seat in it agreed to.
struct Broken {
    /// Another town, another address, on line instead of a room.
    elsewhere: bool,
    language: Option<String>,
    /// Cancelling would be free for a shorter time.
    cut_off: Option<i64>,
}

impl Broken {
    fn of(class: &ClassRow, wanted: &Wanted, starts: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        // Of a draft nobody knows anything yet.
        let known = class.state != ClassState::Draft;
        let at = wanted.needs.room.as_ref().map_or(("", ""), |room| (room.place.as_str(), room.address.as_str()));
        let was_at = (class.place.as_str(), class.address.as_deref().unwrap_or_default());
        let hours = wanted.edit.cut_off_hours;
        let free_until = class.policy().free_until();
        let will_be = Policy { starts, cut_off_hours: hours, ..class.policy() }.free_until();
        // Where it costs already, nothing is taken from anybody.
        let earlier = hours > class.cut_off_hours && will_be < free_until && free_until > now;
        Self {
            elsewhere: known && at != was_at,
            language: (known && wanted.language != class.language).then(|| wanted.language.clone()),
            cut_off: (known && earlier).then_some(hours),
        }
    }

    fn is_any(&self) -> bool {
        self.elsewhere || self.language.is_some() || self.cut_off.is_some()
    }

    /// What a letter says of it; another place it says anyway.
    fn also(&self) -> Vec<Also> {
        let language = self.language.clone().map(Also::Language);
        language.into_iter().chain(self.cut_off.map(Also::CutOff)).collect()
    }
}

fn join(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn local(at: DateTime<Utc>, tz: Tz) -> String {
    at.with_timezone(&tz).format("%Y-%m-%d %H:%M").to_string()
}

fn said(span: Span, tz: Tz) -> String {
    format!("{}–{}", local(span.from, tz), span.until.with_timezone(&tz).format("%H:%M"))
}

async fn change(tx: &mut Tx, cx: &Cx, permit: &Permit, before: &Before, wanted: &Wanted) -> Result<(), AppError> {
    let (class, edit, needs) = (&before.class, &wanted.edit, &wanted.needs);
    let people = store::of_class(tx, class.id).await?;
    refuse_small(tx, class, edit.capacity, &people).await?;
    class::fits(edit.capacity, needs.room.as_ref().map(|room| (room.name.clone(), room.capacity)).as_ref())?;
    let known: Vec<_> = before.sessions.iter().map(|row| (row.id, row.span())).collect();
    let moves = schedule::moves(&known, &wanted.sessions, class.state, cx.now)?;
    let (Some(first), Some(last)) = (wanted.spans.first(), wanted.spans.iter().map(|span| span.until).max()) else {
        return Err(Refusal::NoSession.into());
    };
    if let Some((place, _)) = overlap_within(&wanted.spans) {
        let first = wanted.spans[place].from.with_timezone(&wanted.zone).date_naive();
        return Err(Refusal::SessionsOverlap { first }.into());
    }
    let draft = class.state == ClassState::Draft;
    // What has begun stays with those who began it; of a draft nothing has.
    let coming: Vec<Span> = wanted.spans.iter().copied().filter(|span| draft || span.from > cx.now).collect();
    busy::lock(tx, &needs.resources()).await?;
    needs.refuse_taken(tx, &coming, Some(class.id)).await?;
    let anew = begin_anew(before, &moves);
    let undone = make_ups::undone(tx, cx.now, &anew, &moves.removed).await?;
    let (clashes, seen) = match moves.is_empty() {
        true => Default::default(),
        false => clashes(tx, cx, &people, &moves, &undone).await?,
    };
    // Once the class runs nobody's seat can be held any more: then it goes where everybody can follow.
    let running = class.state == ClassState::Running;
    if clashes.iter().any(|clash| running || !wanted.known_clashes.contains(&clash.person)) {
        return Err(Refusal::LearnersClash { people: seen }.into());
    }
    let (new_room, new_link) = (edit.room != class.room_id, edit.link != class.link);
    let new_title = edit.title != class.title;
    let broken = Broken::of(class, wanted, first.from, cx.now);
    // Of a draft nobody has agreed to anything yet.
    let otherwise = !draft && (!moves.is_empty() || broken.is_any());
    let changed = Changed {
        title: edit.title.clone(),
        room: edit.room,
        zone: wanted.zone,
        place: needs.room.as_ref().map(|room| room.place.clone()).unwrap_or_default(),
        link: edit.link.clone(),
        capacity: edit.capacity,
        price: edit.price,
        cut_off_hours: edit.cut_off_hours,
        language: wanted.language.clone(),
        trainer: needs.trainer.0,
        starts: first.from,
        ends: last,
        window: wanted.window,
        grace: if otherwise { Some(cx.now + GRACE) } else { class.rules.grace_until },
        moved: new_room || new_link || !moves.is_empty(),
    };
    if !store::update_class(tx, permit, class.id, edit.version, &changed, cx.now).await? {
        return Err(AppError::Busy);
    }
    let assistants: Vec<PersonId> = needs.assistants.iter().map(|(id, _)| *id).collect();
    store::set_assistants(tx, permit, class.id, &assistants).await?;
    let equipment: Vec<EquipmentId> = needs.equipment.iter().map(|row| row.id).collect();
    store::set_equipment(tx, permit, class.id, &equipment).await?;
    match draft {
        true => busy::free(tx, "class", class.id.0).await?,
        false => busy::free_from(tx, "class", class.id.0, cx.now).await?,
    }
    needs.occupy(tx, &coming, class.id).await?;
    let gone: Vec<ClassSessionId> =
        moves.moved.iter().map(|(id, _)| *id).chain(moves.removed.iter().copied()).collect();
    make_ups::sessions_moved(tx, cx, class.id, &gone, &undone).await?;
    let spoke = keep_sessions(tx, permit, class.id, &moves, &anew, wanted.zone).await?;
    plan::record(tx, cx, permit, class.id, Some(class.state), class.state, None).await?;
    if class.state == ClassState::Open && first.from != class.starts_at {
        plan_jobs(tx, cx, class.id, first.from).await?;
    }
    let now = store::class(tx, class.id).await?;
    if class.state == ClassState::Running && !moves.is_empty() {
        let anew: Vec<Span> = moves.moved.iter().map(|(_, span)| *span).chain(moves.added.iter().copied()).collect();
        plan::plan_reminders_anew(tx, cx, class.id, &anew).await?;
    }
    let (spans, moved) = (wanted.spans.as_slice(), !moves.is_empty());
    let untold = new_title && (moved || broken.is_any()) && !(new_room || new_link);
    let told = Told { before, now: &now, spans, coming: &coming, moved, also: broken.also(), spoke };
    if moved || new_room {
        for row in &people {
            let clash = clashes.iter().find(|clash| clash.person == row.person_id);
            told.carry(tx, cx, row, clash).await?;
        }
        told.groups(tx, cx, &people, &clashes).await?;
        invitations::guests_readdressed(tx, cx, &now, new_room || new_link, broken.language).await?;
    } else if broken.is_any() {
        told.terms(tx, cx, &people, new_link, broken.language.is_some()).await?;
        invitations::guests_readdressed(tx, cx, &now, new_link, broken.language).await?;
    } else if new_link {
        invitations::readdressed(tx, cx, &now).await?;
    } else if new_title {
        invitations::renamed(tx, cx, &now, &class.title).await?;
    }
    // What a letter about something else says to whoever has a seat does not reach every guest.
    if untold {
        invitations::guests_renamed(tx, cx, &now, &class.title).await?;
    }
    crew_letters::changed(tx, cx, before, &now, &assistants, spans).await?;
    groups::watch_again(tx, class.id, cx.now).await?;
    // More seats are first of all for those who wait.
    seats::pass_on(tx, cx, class.id).await
}

/// The room in which a class meets is elsewhere now, or goes by another clock. Everybody who has a place in the class is
/// told, as when it moves into another room; when it takes place does not change. The caller holds the class.
pub async fn room_changed(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    before: &Before,
    place: &str,
    zone: Option<Tz>,
) -> Result<(), AppError> {
    let class = &before.class;
    // Of a draft nobody has agreed to anything yet.
    let grace = if class.state == ClassState::Draft { class.rules.grace_until } else { Some(cx.now + GRACE) };
    store::follow_room(tx, permit, class, place, zone.unwrap_or(class.tz()), grace, cx.now).await?;
    if let Some(zone) = zone {
        for row in &before.sessions {
            store::move_session(tx, permit, row.id, zone, row.span()).await?;
        }
    }
    let system = cx.as_viewer(crate::access::Viewer::System);
    let follows = system.may(Act::EditClass, &Subject::nobody())?;
    plan::record(tx, &system, &follows, class.id, Some(class.state), class.state, None).await?;
    let now = store::class(tx, class.id).await?;
    let people = store::of_class(tx, class.id).await?;
    let spans: Vec<Span> = before.sessions.iter().map(SessionRow::span).collect();
    let also: Vec<Also> = zone.map(|zone| Also::Clock(zone, class.tz())).into_iter().collect();
    let told = Told { before, now: &now, spans: &spans, coming: &[], moved: false, also, spoke: Vec::new() };
    for row in &people {
        told.carry(tx, cx, row, None).await?;
    }
    told.groups(tx, cx, &people, &[]).await?;
    invitations::guests_readdressed(tx, cx, &now, true, None).await?;
    let assistants: Vec<PersonId> = before.assistants.iter().map(|(id, _)| *id).collect();
    crew_letters::changed(tx, cx, before, &now, &assistants, &spans).await?;
    // Cancelling is free for longer now, and seats keep without a name.
    groups::watch_again(tx, class.id, cx.now).await
}

/// A class cannot be smaller than those who have a seat in it: says how many would have to move, who came last, and which
/// seats are taken without anybody's name.
async fn refuse_small(tx: &mut Tx, class: &ClassRow, capacity: i64, people: &[EnrolmentRow]) -> Result<(), AppError> {
    // Guests of a session sit in it like everybody else.
    let over = class.taken + class.held + class.guests - capacity;
    if over <= 0 {
        return Ok(());
    }
    let mut seated: Vec<&EnrolmentRow> = people.iter().filter(|row| row.state != EnrolmentState::Waitlisted).collect();
    // Offers are not taken yet; after them those who came last.
    seated.sort_by_key(|row| (row.state == EnrolmentState::Booked, std::cmp::Reverse(row.id)));
    let most = usize::try_from(over).unwrap_or(0);
    let people = seated.into_iter().take(most).map(|row| row.person_name.clone()).collect();
    let unnamed = parties::unnamed(tx, class.id).await?;
    let unnamed = unnamed.iter().filter(|place| place.state != EnrolmentState::Waitlisted).count();
    let unnamed = i64::try_from(unnamed).unwrap_or(i64::MAX);
    let gathered = parties::gathering(tx, class.id).await?.iter().map(|party| party.gathered).sum();
    let mut of_session: HashMap<ClassSessionId, Vec<String>> = HashMap::new();
    for row in store::guests(tx, class.id).await? {
        of_session.entry(row.session_id).or_default().push(row.person_name);
    }
    let guests = of_session.into_values().max_by_key(Vec::len).unwrap_or_default();
    Err(Refusal::MustMove { over, people, unnamed, gathered, guests }.into())
}

/// The learners who are elsewhere when the sessions are moved to: as they know it, and as whoever moves the class may,
/// who reads the titles of classes alone that they may open. What is undone by the move takes nobody's time.
async fn clashes(
    tx: &mut Tx,
    cx: &Cx,
    people: &[EnrolmentRow],
    moves: &Moves,
    undone: &[MakeUpRow],
) -> Result<(Vec<LearnerClash>, Vec<LearnerClash>), AppError> {
    let spans: Vec<Span> = moves.moved.iter().map(|(_, span)| *span).chain(moves.added.iter().copied()).collect();
    let (mut clashes, mut seen) = (Vec::new(), Vec::new());
    for row in people.iter().filter(|row| row.state == EnrolmentState::Booked) {
        let own = Some(("enrolment", row.id.0));
        let ends = |clash: &Clash| clash.entity == make_ups::ENTITY && undone.iter().any(|row| row.id.0 == clash.id);
        let found = busy::clashes(tx, Resource::Person(row.person_id), &spans, own).await?;
        if let Some(clash) = found.into_iter().find(|clash| !ends(clash)) {
            let theirs = LearnerClash {
                person: row.person_id,
                name: row.person_name.clone(),
                with: clash.label.clone(),
                from: clash.span.from,
            };
            let with = if conflicts::may_name(tx, cx, &clash).await? { clash.label } else { String::new() };
            seen.push(LearnerClash { with, ..theirs.clone() });
            clashes.push(theirs);
        }
    }
    Ok((clashes, seen))
}

/// The sessions that begin at another time, not only end at one.
fn begin_anew(before: &Before, moves: &Moves) -> Vec<ClassSessionId> {
    let was = |id| before.sessions.iter().find(|row| row.id == id).map(|row| row.starts_at);
    moves.moved.iter().filter(|(id, span)| was(*id) != Some(span.from)).map(|(id, _)| *id).collect()
}

/// Stores where the sessions are now. Gives the seats of those who had said something of a session that begins at another
/// time: what they said, and marks from before that time, are not about the new one.
async fn keep_sessions(
    tx: &mut Tx,
    permit: &Permit,
    class: ClassId,
    moves: &Moves,
    anew: &[ClassSessionId],
    zone: Tz,
) -> Result<Vec<EnrolmentId>, AppError> {
    let mut spoke = Vec::new();
    for (id, span) in &moves.moved {
        if anew.contains(id) {
            spoke.extend(store::forget_session(tx, permit, *id).await?);
        }
        store::move_session(tx, permit, *id, zone, *span).await?;
    }
    for id in &moves.removed {
        store::remove_session(tx, permit, *id).await?;
    }
    for span in &moves.added {
        store::insert_session(tx, class, zone, *span).await?;
    }
    Ok(spoke)
}

/// A class that was moved, and everybody who has a place in it.
struct Told<'a> {
    before: &'a Before,
    now: &'a ClassRow,
    spans: &'a [Span],
    coming: &'a [Span],
    /// Its times, not only its room.
    moved: bool,
    /// What else is other than before.
    also: Vec<Also>,
    /// The seats of those who had said something of a session that was moved.
    spoke: Vec<EnrolmentId>,
}

impl Told<'_> {
    /// Moves one person's time along and tells them.
    async fn carry(
        &self,
        tx: &mut Tx,
        cx: &Cx,
        row: &EnrolmentRow,
        clash: Option<&LearnerClash>,
    ) -> Result<(), AppError> {
        let stays = match (row.state, clash) {
            (EnrolmentState::Booked, Some(clash)) => self.hold(tx, cx, row, clash).await?,
            (EnrolmentState::Booked, None) => {
                if self.moved {
                    busy::free_from(tx, "enrolment", row.id.0, cx.now).await?;
                    for span in self.coming {
                        busy::occupy(tx, Resource::Person(row.person_id), *span, "enrolment", row.id.0).await?;
                    }
                }
                self.booked(cx)
            }
            // What is on offer to a group ends as one, which is seen to once all of it is known.
            (EnrolmentState::Offered, _) if row.party_id.is_none() => self.shorten(tx, cx, row).await?,
            _ => Stays::Waiting,
        };
        if row.party_id.is_some() { Ok(()) } else { self.tell(tx, cx, row, stays).await }
    }

    fn booked(&self, cx: &Cx) -> Stays {
        Stays::Booked { cancelling: self.now.policy().cancelling(cx.now) }
    }

    async fn tell(&self, tx: &mut Tx, cx: &Cx, row: &EnrolmentRow, stays: Stays) -> Result<(), AppError> {
        let before = (&self.before.class, self.before.sessions.as_slice());
        let mut also = self.also.clone();
        match stays {
            // Whoever has no place any more need not know what it would be like.
            Stays::Lost { .. } | Stays::Over => also.clear(),
            Stays::Booked { .. } if self.spoke.contains(&row.id) => also.push(Also::SayAgain),
            _ => {}
        }
        letters::moved(tx, cx, before, self.now, row, self.spans, (also, stays)).await
    }

    /// The class stays where and when it is, but in another language, or with less time to cancel. Who has no seat yet
    /// reads the rules when they take one, and hears only of the language.
    async fn terms(
        &self,
        tx: &mut Tx,
        cx: &Cx,
        people: &[EnrolmentRow],
        new_link: bool,
        new_language: bool,
    ) -> Result<(), AppError> {
        let mut also = self.also.clone();
        also.extend(new_link.then_some(Also::Link));
        for row in people {
            let stays = match row.state {
                EnrolmentState::Booked => Stays::Kept { cancelling: self.now.policy().cancelling(cx.now) },
                _ if !new_language || row.party_id.is_some() => continue,
                EnrolmentState::Offered => Stays::Offered { until: row.offered_until.unwrap_or(cx.now) },
                _ => Stays::Waiting,
            };
            letters::terms(tx, cx, self.now, row, also.clone(), stays).await?;
        }
        for party in parties::parties(tx, self.now.id).await? {
            let places = parties::places(tx, party.id).await?;
            if places.iter().any(|place| new_language || place.state == EnrolmentState::Booked) {
                group_letters::terms(tx, cx, self.now, &party, also.clone()).await?;
            }
        }
        Ok(())
    }

    /// Of each group the owner, who answers for it, hears what became of its seats; and each member that the firm does.
    async fn groups(
        &self,
        tx: &mut Tx,
        cx: &Cx,
        people: &[EnrolmentRow],
        clashes: &[LearnerClash],
    ) -> Result<(), AppError> {
        for party in parties::parties(tx, self.now.id).await? {
            let kept = groups::moved(tx, cx, self.now, &party).await?;
            let (mut elsewhere, mut lost) = (Vec::new(), Vec::new());
            for row in people.iter().filter(|row| row.party_id == Some(party.id)) {
                let clash = clashes.iter().find(|clash| clash.person == row.person_id);
                let with = clash.map(|clash| clash.with.clone()).unwrap_or_default();
                let firm = party.organisation_name.clone();
                let state = store::enrolment(tx, row.id).await?.state;
                let stays = match (row.state, state, kept) {
                    (_, EnrolmentState::Booked, _) => self.booked(cx),
                    (_, EnrolmentState::Waitlisted, _) => Stays::Waiting,
                    (EnrolmentState::Booked, EnrolmentState::Offered, Kept::Offers(_, until)) => {
                        elsewhere.push(row.person_name.clone());
                        Stays::HeldForFirm { firm, with, until }
                    }
                    (_, EnrolmentState::Offered, Kept::Offers(_, until)) => Stays::OfferedToFirm { firm, until },
                    (EnrolmentState::Booked, ..) => {
                        lost.push(row.person_name.clone());
                        Stays::Lost { with }
                    }
                    _ => Stays::Over,
                };
                self.tell(tx, cx, row, stays).await?;
            }
            let stands = kept != Kept::Nothing || !parties::places(tx, party.id).await?.is_empty();
            if stands || !lost.is_empty() {
                group_letters::moved(tx, cx, self.now, &party, kept, (elsewhere, lost), self.also.clone()).await?;
            }
        }
        Ok(())
    }

    /// Whoever is elsewhere now cannot sit in two places: the seat is held until they chose, and costs nothing till then.
    async fn hold(&self, tx: &mut Tx, cx: &Cx, row: &EnrolmentRow, clash: &LearnerClash) -> Result<Stays, AppError> {
        let system = cx.as_viewer(crate::access::Viewer::System);
        busy::free(tx, "enrolment", row.id.0).await?;
        make_ups::seat_ended(tx, cx, row.id).await?;
        dues::give_back(tx, row.id, cx.now).await?;
        let policy = self.now.policy();
        let Some(until) = policy.offer_until(cx.now) else {
            let permit = system.may(Act::CancelEnrolment, &Subject::of(row.person_id))?;
            end(tx, &system, &permit, row, Ending::ClassCancelled).await?;
            return Ok(Stays::Lost { with: clash.with.clone() });
        };
        let permit = system.may(Act::OfferSeat, &Subject::of(row.person_id))?;
        let to = EnrolmentState::Offered;
        store::move_enrolment(tx, &permit, row, to, Some(until), None, cx.now).await?;
        store::offered_under(tx, &permit, row.id, policy.freezes_at()).await?;
        seats::record(tx, &system, &permit, row.id, row.person_id, Some(row.state), to, None).await?;
        jobs::enqueue(tx, Job::ExpireOffer { enrolment: row.id }, until).await?;
        Ok(Stays::Held { with: clash.with.clone(), until })
    }

    /// No offer outlives the waitlist of the class, wherever that was moved to.
    async fn shorten(&self, tx: &mut Tx, cx: &Cx, row: &EnrolmentRow) -> Result<Stays, AppError> {
        let policy = self.now.policy();
        let kept = row.offered_until.unwrap_or(cx.now);
        if kept <= policy.freezes_at() {
            return Ok(Stays::Offered { until: kept });
        }
        let system = cx.as_viewer(crate::access::Viewer::System);
        match policy.offer_until(cx.now) {
            Some(until) => {
                let permit = system.may(Act::OfferSeat, &Subject::of(row.person_id))?;
                store::move_offer(tx, &permit, row.id, until, policy.freezes_at()).await?;
                jobs::enqueue(tx, Job::ExpireOffer { enrolment: row.id }, until).await?;
                Ok(Stays::Offered { until })
            }
            None => {
                let permit = system.may(Act::ExpireOffer, &Subject::of(row.person_id))?;
                end(tx, &system, &permit, row, Ending::Expired).await?;
                Ok(Stays::Over)
            }
        }
    }
}

async fn end(tx: &mut Tx, system: &Cx, permit: &Permit, row: &EnrolmentRow, why: Ending) -> Result<(), AppError> {
    let to = EnrolmentState::Cancelled;
    store::move_enrolment(tx, permit, row, to, None, Some(why), system.now).await?;
    asks::answered_instead(tx, system, row.class_id, None, row.person_id).await?;
    seats::record(tx, system, permit, row.id, row.person_id, Some(row.state), to, Some(why)).await
}
