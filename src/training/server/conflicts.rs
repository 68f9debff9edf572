//! What a class needs to be free at its times: its trainer, who helps, the room, the equipment. One place asks for all of
//! them, takes them, and looks for other times where they are not.

use super::store::{self, EquipmentRow, RoomRow};
use crate::{
    access::{Act, Subject},
    calendar::{
        domain::{LocalSpan, Resource, Span},
        hours::Opening,
        search::{self, Reach, Taken},
        server::{
            busy::{self, Clash},
            zone,
        },
    },
    db::Tx,
    error::{AppError, Fault, Faults},
    server::Cx,
    training::domain::{Because, Conflict, Refusal, Who},
    values::{ClassId, EnrolmentId, EquipmentId, PersonId, RoomId},
};
use chrono::{Datelike, Duration, NaiveDateTime, NaiveTime, Timelike};
use chrono_tz::Tz;

/// Who and what one class needs.
#[derive(Clone, Debug)]
pub struct Needs {
    pub trainer: (PersonId, String),
    pub room: Option<RoomRow>,
    pub assistants: Vec<(PersonId, String)>,
    pub equipment: Vec<EquipmentRow>,
}

impl Needs {
    /// Looks everything up; what there is not is a fault at its field. A room that is out of use is none, unless it is
    /// `kept`: the one that the class has.
    pub async fn load(
        tx: &mut Tx,
        trainer: PersonId,
        room: Option<RoomId>,
        kept: Option<RoomId>,
        assistants: &[PersonId],
        equipment: &[EquipmentId],
    ) -> Result<Self, AppError> {
        let room = match room {
            Some(id) => {
                let row = store::room(tx, id).await?.filter(|row| row.retired_at.is_none() || kept == Some(id));
                Some(row.ok_or_else(|| Faults::only("room", Fault::NotAChoice))?)
            }
            None => None,
        };
        // Whoever plans for somebody who is no staff is told by the name of nobody: the trainer is looked up by id.
        let name = store::staff_name(tx, trainer).await?.unwrap_or_default();
        let mut needs = Self { trainer: (trainer, name), room, assistants: Vec::new(), equipment: Vec::new() };
        for id in assistants {
            let name = store::staff_name(tx, *id).await?.filter(|_| *id != trainer);
            let name = name.ok_or_else(|| Faults::only("assistants", Fault::NotAChoice))?;
            if !needs.assistants.iter().any(|(known, _)| known == id) {
                needs.assistants.push((*id, name));
            }
        }
        for id in equipment {
            let row = store::equipment(tx, *id).await?.filter(|row| row.retired_at.is_none());
            let row = row.ok_or_else(|| Faults::only("equipment", Fault::NotAChoice))?;
            if !needs.equipment.contains(&row) {
                needs.equipment.push(row);
            }
        }
        Ok(needs)
    }

    /// Whose clock counts: that of the room, where there is one.
    pub fn zone(&self) -> Option<Tz> {
        self.room.as_ref().map(|room| zone::named(&room.zone))
    }

    fn all(&self) -> Vec<(Who, Resource)> {
        let mut all = vec![(Who::Trainer(self.trainer.1.clone()), Resource::Person(self.trainer.0))];
        all.extend(self.room.iter().map(|room| (Who::Room(room.name.clone()), Resource::Room(room.id))));
        let assistants = self.assistants.iter();
        all.extend(assistants.map(|(id, name)| (Who::Assistant(name.clone()), Resource::Person(*id))));
        all.extend(self.equipment.iter().map(|one| (Who::Equipment(one.name.clone()), Resource::Equipment(one.id))));
        all
    }

    pub fn resources(&self) -> Vec<Resource> {
        self.all().into_iter().map(|(_, resource)| resource).collect()
    }

    /// Refuses with everything that is in the way, apart from the class itself.
    pub async fn refuse_taken(&self, tx: &mut Tx, spans: &[Span], class: Option<ClassId>) -> Result<(), AppError> {
        // It may have been made smaller or taken out of use before the caller held it: then all begins anew.
        if let Some(room) = &self.room
            && store::room(tx, room.id).await?.as_ref() != Some(room)
        {
            return Err(AppError::Busy);
        }
        // It may have been taken out of use before the caller held it.
        for one in &self.equipment {
            if store::equipment(tx, one.id).await?.is_none_or(|row| row.retired_at.is_some()) {
                return Err(Faults::only("equipment", Fault::NotAChoice));
            }
        }
        let except = class.map(|id| ("class", id.0));
        let mut conflicts = Vec::new();
        for (who, resource) in self.all() {
            for clash in busy::clashes(tx, resource, spans, except).await? {
                conflicts.push(Conflict {
                    who: who.clone(),
                    because: because(&clash),
                    from: clash.span.from,
                    until: clash.span.until,
                });
            }
        }
        // More would be no help to whoever reads it.
        conflicts.truncate(8);
        if conflicts.is_empty() { Ok(()) } else { Err(Refusal::Taken { conflicts }.into()) }
    }

    /// Takes all of it for the class.
    pub async fn occupy(&self, tx: &mut Tx, spans: &[Span], class: ClassId) -> Result<(), AppError> {
        for resource in self.resources() {
            for span in spans {
                busy::occupy(tx, resource, *span, "class", class.0).await?;
            }
        }
        Ok(())
    }

    /// Everything that is taken of any of it, from now on until as far as anybody looks.
    pub async fn taken(&self, tx: &mut Tx, around: Span, class: Option<ClassId>) -> Result<Taken, AppError> {
        let except = class.map(|id| ("class", id.0));
        let mut spans = Vec::new();
        for resource in self.resources() {
            spans.extend(busy::clashes(tx, resource, &[around], except).await?.into_iter().map(|clash| clash.span));
        }
        Ok(Taken::new(spans))
    }
}

/// Why it is taken.
pub fn because(clash: &Clash) -> Because {
    match clash.entity.as_str() {
        "class" => Because::Class(clash.label.clone()),
        "enrolment" => Because::Learns(clash.label.clone()),
        "absence" => Because::Absent,
        _ => Because::Other,
    }
}

/// Whether the viewer may read which class somebody else is in then: only of one that they may open.
pub async fn may_name(tx: &mut Tx, cx: &Cx, clash: &Clash) -> Result<bool, AppError> {
    let class = match clash.entity.as_str() {
        "class" => ClassId(clash.id),
        "enrolment" => store::enrolment(tx, EnrolmentId(clash.id)).await?.class_id,
        _ => return Ok(false),
    };
    let trainer = store::class(tx, class).await?.trainer_id;
    Ok(cx.viewer.can(Act::ReadRoster, &Subject::nobody().assigned_to(Some(trainer))))
}

/// How many days around the wanted time are looked at, in what steps, and how many times are proposed.
const DAYS: i64 = 14;
const STEP: i64 = 30;
const PROPOSED: usize = 4;

/// The nearest times at which all that the class needs is free, as minutes on the wall clock by which every session is
/// shifted.
pub async fn propose(
    tx: &mut Tx,
    cx: &Cx,
    needs: &Needs,
    zone: Tz,
    wanted: &[LocalSpan],
    class: Option<ClassId>,
) -> Result<Vec<i64>, AppError> {
    let clock = |local: NaiveDateTime| zone::instant(zone, local.date(), local.time());
    let spans: Vec<Span> = wanted.iter().filter_map(|local| search::instants(local, &clock)).collect();
    let (Some(first), Some(last)) = (spans.iter().map(|s| s.from).min(), spans.iter().map(|s| s.until).max()) else {
        return Ok(Vec::new());
    };
    let reach = Duration::days(DAYS + 1);
    let taken = needs.taken(tx, Span { from: first - reach, until: last + reach }, class).await?;
    let hours = store::working_hours(tx, needs.trainer.0).await?;
    let fits = |local: &LocalSpan| fits_hours(cx, zone, local, &hours, wanted);
    let reach = Reach { not_before: cx.now, days: DAYS, step_minutes: STEP };
    Ok(search::nearest_free(wanted, &taken, &clock, &fits, reach, PROPOSED))
}

/// Within the hours of the trainer, which are of the company's day; without any, by day where the class is, or at the
/// hours that were wanted.
pub fn fits_hours(cx: &Cx, zone: Tz, local: &LocalSpan, hours: &[Opening], wanted: &[LocalSpan]) -> bool {
    let minute = |at: NaiveDateTime| at.time().hour() * 60 + at.time().minute();
    if hours.is_empty() {
        if local.from.date() != local.until.date() {
            return false;
        }
        let earliest = wanted.iter().map(|one| one.from.time()).min().unwrap_or(DAY.0).min(DAY.0);
        let latest = wanted.iter().map(|one| one.until.time()).max().unwrap_or(DAY.1).max(DAY.1);
        return earliest <= local.from.time() && local.until.time() <= latest;
    }
    let company = |local: NaiveDateTime| {
        zone::instant(zone, local.date(), local.time()).map(|at| at.with_timezone(&cx.company_zone()).naive_local())
    };
    let (Some(from), Some(until)) = (company(local.from), company(local.until)) else { return false };
    let local = LocalSpan { from, until };
    if local.from.date() != local.until.date() {
        return false;
    }
    hours.iter().any(|opening| {
        u32::from(opening.weekday) == local.from.weekday().number_from_monday()
            && u32::from(opening.opens) <= minute(local.from)
            && minute(local.until) <= u32::from(opening.closes)
    })
}

/// When classes are proposed where nobody said otherwise.
const DAY: (NaiveTime, NaiveTime) = (hour(8), hour(20));

const fn hour(hour: u32) -> NaiveTime {
    match NaiveTime::from_hms_opt(hour, 0, 0) {
        Some(time) => time,
        None => NaiveTime::MIN,
    }
}

/// The sessions on the wall clock of a place.
pub fn local(spans: &[Span], zone: Tz) -> Vec<LocalSpan> {
    let wall = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&zone).naive_local();
    spans.iter().map(|span| LocalSpan { from: wall(span.from), until: wall(span.until) }).collect()
}
