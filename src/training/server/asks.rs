//! Asking for a class: what learners want where no date suits, and the class that answers them.

use super::{
    conflicts::{self, Needs},
    letters, plan,
    plan::{Draft, Extras},
    seats,
    store::{self, ClassRow, Wanted, WishRow},
};
use crate::{
    access::{Act, Subject, Viewer},
    calendar::{
        domain::{LocalSpan, Span},
        search::{self, Asker, Best, Taken, Weekly},
        server::zone,
    },
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    server::{
        Cx,
        history::{self, Change},
        keys,
    },
    training::domain::wish::{WishState, place_suits},
    values::{ClassId, CourseId, PersonId, WishId},
};
use chrono::{Duration, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use std::collections::HashMap;
use uuid::Uuid;

/// Keeps what the viewer wants: one open wish for a course, said anew as often as they like.
pub async fn ask(cx: &Cx, course: CourseId, wanted: Wanted, key: Option<Uuid>) -> Result<(), AppError> {
    let person = cx.person()?.id;
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, wanted) = (cx.clone(), wanted.clone());
            Box::pin(async move {
                let permit = cx.may(Act::AskForClass, &Subject::of(person))?;
                let (scope, body) = (format!("ask_for_class:{person}"), format!("{course} {wanted:?}"));
                tx.lock(&[Key::of("person", person.0)]).await?;
                if keys::seen(tx, &scope, key, &body).await?.is_some() {
                    return Ok(());
                }
                if store::course(tx, course).await?.is_none() {
                    return Err(Faults::only("course", Fault::NotAChoice));
                }
                let before = store::wish(tx, course, person).await?.map(|row| row.id);
                let id = match before {
                    Some(id) => {
                        store::change_wish(tx, &permit, id, &wanted, cx.now).await?;
                        id
                    }
                    None => store::insert_wish(tx, &permit, course, person, &wanted, cx.now).await?,
                };
                let from = before.map(|_| WishState::Open);
                history::record(tx, &cx, &permit, change(id, person, from, WishState::Open)).await?;
                keys::remember(tx, &scope, key, &body, &id.to_string()).await
            })
        })
        .await
}

/// Takes the wish back. A second tap finds nothing to take back.
pub async fn withdraw(cx: &Cx, course: CourseId) -> Result<(), AppError> {
    let person = cx.person()?.id;
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let permit = cx.may(Act::WithdrawWish, &Subject::of(person))?;
                tx.lock(&[Key::of("person", person.0)]).await?;
                let Some(row) = store::wish(tx, course, person).await? else { return Ok(()) };
                store::end_wish(tx, &permit, row.id, WishState::Withdrawn, None, cx.now).await?;
                let change = change(row.id, person, Some(WishState::Open), WishState::Withdrawn);
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}

fn change(id: WishId, person: PersonId, from: Option<WishState>, to: WishState) -> Change<'static> {
    let (from, to) = (from.map(WishState::as_str), Some(to.as_str()));
    Change { entity: "class_wish", id: id.0, customer: Some(person), from, to, ..Change::default() }
}

/// Whoever has a seat, or an offer of one, asks no more.
pub async fn answered(tx: &mut Tx, cx: &Cx, class: &ClassRow, person: PersonId) -> Result<(), AppError> {
    let Some(row) = store::wish(tx, class.course_id, person).await? else { return Ok(()) };
    let cx = cx.as_viewer(Viewer::System);
    let permit = cx.may(Act::AskForClass, &Subject::of(person))?;
    store::end_wish(tx, &permit, row.id, WishState::Answered, Some(class.id), cx.now).await?;
    let change = change(row.id, person, Some(WishState::Open), WishState::Answered);
    history::record(tx, &cx, &permit, change).await
}

/// The class that answered somebody's wish does not any more: another one does where it holds a seat for them, else they
/// ask again for what they asked for.
pub async fn answered_instead(
    tx: &mut Tx,
    cx: &Cx,
    class: ClassId,
    instead: Option<&ClassRow>,
    person: PersonId,
) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    let permit = cx.may(Act::AskForClass, &Subject::of(person))?;
    let wish = store::answered_by(tx, class, person).await?;
    match (wish, instead) {
        (Some(id), Some(other)) => store::answer_instead(tx, &permit, id, other.id, cx.now).await,
        (Some(id), None) => {
            store::reopen_wish(tx, &permit, id, cx.now).await?;
            let change = change(id, person, Some(WishState::Answered), WishState::Open);
            history::record(tx, &cx, &permit, change).await
        }
        (None, Some(other)) => answered(tx, &cx, other, person).await,
        (None, None) => Ok(()),
    }
}

/// A town in which no room is any more is called otherwise now: wishes go along.
pub async fn town_renamed(tx: &mut Tx, cx: &Cx, from: &str, to: &str) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    let permit = cx.may(Act::AskForClass, &Subject::nobody())?;
    let detail = serde_json::json!({ "was": from, "is": to }).to_string();
    for (id, person) in store::rename_town(tx, &permit, from, to, cx.now).await? {
        let change = change(id, person, Some(WishState::Open), WishState::Open);
        history::record(tx, &cx, &permit, Change { detail: Some(&detail), ..change }).await?;
    }
    Ok(())
}

/// Tells everybody who asks for the course that a class of it opens.
pub async fn tell_of(tx: &mut Tx, cx: &Cx, class: &ClassRow) -> Result<(), AppError> {
    for row in store::wishes_of_course(tx, class.course_id).await? {
        letters::opened(tx, cx, class, row.person_id, None).await?;
    }
    Ok(())
}

/// Whether a class is what somebody asked for.
fn fits(row: &WishRow, local: &LocalSpan, (place, link): (&str, bool), language: &str) -> bool {
    row.times().suit(local)
        && place_suits(&row.place, place, link)
        && (row.language.is_empty() || row.language == language)
}

/// Plans and opens a class for those who asked: a seat is held for each whom it suits, in the order in which they asked;
/// the others are told of it.
pub async fn open_for(cx: &Cx, draft: Draft, extras: Extras, key: Option<Uuid>) -> Result<ClassId, AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, draft, extras) = (cx.clone(), draft.clone(), extras.clone());
            Box::pin(async move {
                let (scope, body) = (plan::scope_of(&cx, "open_for_askers"), format!("{draft:?} {extras:?}"));
                if let Some(answer) = keys::seen(tx, &scope, key, &body).await?
                    && let Ok(id) = answer.parse()
                {
                    return Ok(id);
                }
                cx.may(Act::ReadDemand, &Subject::nobody())?;
                let id = plan::create_with(tx, &cx, draft, &extras).await?;
                plan::open_in(tx, &cx, id).await?;
                tx.lock(&[seats::lock_of(id)]).await?;
                let class = store::class(tx, id).await?;
                offer_to_askers(tx, &cx, &class).await?;
                keys::remember(tx, &scope, key, &body, &id.to_string()).await?;
                Ok(id)
            })
        })
        .await
}

async fn offer_to_askers(tx: &mut Tx, cx: &Cx, class: &ClassRow) -> Result<(), AppError> {
    let spans: Vec<Span> = store::sessions(tx, class.id).await?.iter().map(store::SessionRow::span).collect();
    let first = conflicts::local(&spans, class.tz()).into_iter().next();
    let at = (class.place.as_str(), class.link.is_some());
    for row in store::wishes_of_course(tx, class.course_id).await? {
        let suits = first.is_some_and(|local| fits(&row, &local, at, &class.language));
        let until = match suits {
            true => seats::offer_elsewhere(tx, cx, class, row.person_id).await?,
            false => None,
        };
        if until.is_some() {
            answered(tx, cx, class, row.person_id).await?;
        }
        letters::opened(tx, cx, class, row.person_id, until).await?;
    }
    Ok(())
}

/// What a class for askers is to be, apart from its time.
#[derive(Clone, Debug)]
pub struct Sought<'a> {
    pub course: CourseId,
    pub needs: &'a Needs,
    /// One can come on line, be there a room or not.
    pub link: bool,
    pub language: &'a str,
    pub zone: Tz,
    pub minutes: i64,
    /// One a week, each at the same time.
    pub sessions: i64,
}

/// How far ahead classes for askers are proposed, from when on, in what steps, and how many.
const WEEKS: i64 = 6;
const NOTICE: Duration = Duration::days(3);
const STEP: usize = 30;
const MOST: usize = 5;

/// The times at which all that the class needs is free for every session, and most askers can come.
pub async fn best_times(tx: &mut Tx, cx: &Cx, sought: &Sought<'_>, wishes: &[WishRow]) -> Result<Vec<Best>, AppError> {
    let around = Span { from: cx.now, until: cx.now + Duration::weeks(WEEKS + sought.sessions) };
    let taken = sought.needs.taken(tx, around, None).await?;
    let hours = store::working_hours(tx, sought.needs.trainer.0).await?;
    let candidates: Vec<LocalSpan> = candidates(cx, sought)
        .into_iter()
        .filter(|local| conflicts::fits_hours(cx, sought.zone, local, &hours, &[]))
        .collect();
    let mut theirs: HashMap<PersonId, Vec<Span>> = HashMap::new();
    for (person, span) in store::time_of_askers(tx, sought.course, around).await? {
        theirs.entry(person).or_default().push(span);
    }
    let place = sought.needs.room.as_ref().map_or("", |room| room.place.as_str());
    let askers: Vec<Asker<'_>> = wishes
        .iter()
        .map(|row| Asker {
            suits: Box::new(move |local| fits(row, local, (place, sought.link), sought.language)),
            taken: Taken::new(theirs.remove(&row.person_id).unwrap_or_default()),
        })
        .collect();
    let clock = |local: NaiveDateTime| zone::instant(sought.zone, local.date(), local.time());
    let weekly = Weekly { sessions: sought.sessions, clock: &clock };
    Ok(search::best_times(&candidates, &taken, weekly, &askers, cx.now + NOTICE, MOST))
}

fn candidates(cx: &Cx, sought: &Sought<'_>) -> Vec<LocalSpan> {
    let today = cx.now.with_timezone(&sought.zone).date_naive().and_time(NaiveTime::MIN);
    let starts = (0..WEEKS * 7).flat_map(|day| (0..24 * 60).step_by(STEP).map(move |minute| (day, minute)));
    starts
        .map(|(day, minute)| {
            let from = today + Duration::days(day) + Duration::minutes(minute);
            LocalSpan { from, until: from + Duration::minutes(sought.minutes) }
        })
        .collect()
}
