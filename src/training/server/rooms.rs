//! The rooms in which classes meet: added, changed, taken out of use and back. Classes to come keep their room, even one
//! that is out of use, and it never has fewer seats than they. Where it is elsewhere, they are, and everybody is told.

use super::{
    asks,
    change::{Before, room_changed},
    plan::scope_of,
    seats::lock_of,
    store::{self, ClassRow, RoomRow},
};
use crate::{
    access::{Act, Permit, Subject},
    calendar::{
        domain::Resource,
        server::{busy, zone},
    },
    db::{Key, Tx},
    error::{AppError, Fault, Faults, Refusal as AnyRefusal},
    server::{
        Cx, fresh,
        history::{self, Change},
        keys,
    },
    training::domain::Refusal,
    values::RoomId,
};
use chrono_tz::Tz;
use uuid::Uuid;

/// What staff say of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub name: String,
    /// What learners are told.
    pub address: String,
    /// The town in which learners look for classes and ask for them.
    pub place: String,
    pub capacity: i64,
    pub zone: Tz,
}

/// One more room. The same key again gives the same room.
pub async fn add(cx: &Cx, about: About, key: Option<Uuid>) -> Result<RoomId, AppError> {
    let row = RoomRow {
        id: fresh(),
        name: about.name,
        place: about.place,
        address: about.address,
        zone: about.zone.name().to_owned(),
        capacity: about.capacity,
        version: 1,
        retired_at: None,
    };
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, row) = (cx.clone(), row.clone());
            Box::pin(async move {
                let permit = cx.may(Act::AddRoom, &Subject::nobody())?;
                let scope = scope_of(&cx, "add_room");
                let body = format!("{} {} {} {} {}", row.name, row.place, row.address, row.zone, row.capacity);
                if let Some(answer) = keys::seen(tx, &scope, key, &body).await?
                    && let Ok(id) = answer.parse()
                {
                    return Ok(id);
                }
                hold_names(tx).await?;
                refuse_name(tx, &row).await?;
                store::insert_room(tx, &permit, &row).await?;
                history::record(tx, &cx, &permit, Change { to: Some("in_use"), ..change(row.id) }).await?;
                keys::remember(tx, &scope, key, &body, &row.id.to_string()).await?;
                Ok(row.id)
            })
        })
        .await
}

/// What is done to a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Change(About),
    Retire,
    Restore,
}

/// Does it. Who saw an older version is told first.
pub async fn change_one(cx: &Cx, id: RoomId, version: i64, step: Step) -> Result<(), AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, step) = (cx.clone(), step.clone());
            Box::pin(async move {
                let act = if matches!(step, Step::Change(_)) { Act::EditRoom } else { Act::RetireRoom };
                let permit = cx.may(act, &Subject::nobody())?;
                // Whoever changes a class holds it before its room.
                let classes = store::to_come_in_room(tx, id, cx.now).await?;
                tx.lock(&classes.iter().copied().map(lock_of).collect::<Vec<_>>()).await?;
                hold_names(tx).await?;
                // Whoever plans with it holds it too.
                busy::lock(tx, &[Resource::Room(id)]).await?;
                if store::to_come_in_room(tx, id, cx.now).await?.iter().any(|class| !classes.contains(class)) {
                    return Err(AppError::Busy);
                }
                let row = store::room(tx, id).await?.ok_or(AppError::NotFound)?;
                do_it(tx, &cx, &permit, &row, version, step).await
            })
        })
        .await
}

async fn do_it(tx: &mut Tx, cx: &Cx, permit: &Permit, row: &RoomRow, version: i64, step: Step) -> Result<(), AppError> {
    let mut to = row.clone();
    match step {
        Step::Change(About { name, address, place, capacity, zone }) => {
            (to.name, to.address, to.place, to.capacity) = (name, address, place, capacity);
            zone.name().clone_into(&mut to.zone);
        }
        Step::Retire => to.retired_at = row.retired_at.or(Some(cx.now)),
        Step::Restore => to.retired_at = None,
    }
    // A second tap is answered like the first.
    if to == *row {
        return Ok(());
    }
    if row.version != version {
        return Err(AnyRefusal::ChangedMeanwhile.into());
    }
    refuse_name(tx, &to).await?;
    if to.capacity < row.capacity
        && let Some((class, starts, seats)) = store::larger_than(tx, row.id, to.capacity, cx.now).await?
    {
        return Err(Refusal::RoomNeeded { class, starts, seats }.into());
    }
    let elsewhere = (&row.address, &row.place) != (&to.address, &to.place);
    let mut classes = Vec::new();
    if elsewhere || row.zone != to.zone {
        for id in store::to_come_in_room(tx, row.id, cx.now).await? {
            let class = store::class(tx, id).await?;
            if elsewhere || new_clock(&class, row, &to).is_some() {
                classes.push(Before::load(tx, class).await?);
            }
        }
    }
    store::update_room(tx, permit, &to).await?;
    let said = |row: &RoomRow| serde_json::json!([row.name, row.address, row.place, row.capacity, row.zone]);
    let (was, is) = (said(row), said(&to));
    let changed = (was != is).then(|| serde_json::json!({ "was": was, "is": is }).to_string());
    let state = |row: &RoomRow| if row.retired_at.is_some() { "retired" } else { "in_use" };
    let (from, now) = (state(row), state(&to));
    let change = Change {
        from: (from != now).then_some(from),
        to: Some(if from == now { "changed" } else { now }),
        detail: changed.as_deref(),
        ..change(row.id)
    };
    history::record(tx, cx, permit, change).await?;
    for before in &classes {
        room_changed(tx, cx, permit, before, &to.place, new_clock(&before.class, row, &to)).await?;
    }
    // With another address it is the room that went elsewhere; the town is called as ever.
    if row.place != to.place && row.address == to.address && !store::is_town(tx, &row.place).await? {
        asks::town_renamed(tx, cx, &row.place, &to.place).await?;
    }
    Ok(())
}

/// By which other clock the times of a class are given, where it went by that of its room.
fn new_clock(class: &ClassRow, was: &RoomRow, is: &RoomRow) -> Option<Tz> {
    (was.zone != is.zone && class.zone == was.zone).then(|| zone::named(&is.zone))
}

/// Two rooms cannot get one name at once.
async fn hold_names(tx: &mut Tx) -> Result<(), AppError> {
    tx.lock(&[Key::of("room_names", Uuid::nil())]).await
}

/// Of the rooms in use each has its own name, however it is written.
async fn refuse_name(tx: &mut Tx, room: &RoomRow) -> Result<(), AppError> {
    let name = room.name.to_lowercase();
    let same = |(id, other): &(RoomId, String)| *id != room.id && other.to_lowercase() == name;
    match room.retired_at.is_none() && store::room_names(tx).await?.iter().any(same) {
        true => Err(Faults::only("name", Fault::NameInUse)),
        false => Ok(()),
    }
}

fn change(id: RoomId) -> Change<'static> {
    Change { entity: "room", id: id.0, ..Change::default() }
}
