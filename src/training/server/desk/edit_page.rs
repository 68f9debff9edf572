//! Changing a class: its words and seats, its times, its room, who teaches it. What somebody else stored meanwhile is
//! shown first; so are the learners who are elsewhere at new times.

use super::{
    FRAME,
    fields::{self, Choices},
    forms::{self, numbered, typed},
};
use crate::{
    access::{Act, Subject},
    error::{AppError, Refusal as AnyRefusal},
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
    },
    training::{
        domain::{ClassState, Difference, LearnerClash, Refusal},
        server::{
            change::{self, Before},
            conflicts::{self, Needs},
            portal::parse,
            store, views, words,
        },
    },
    ui::*,
    values::ClassId,
    w,
};
use axum::{extract::Path, response::Response};
use chrono_tz::Tz;
use leptos::prelude::*;

pub async fn edit(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let (before, choices) = load(&cx, parse(&id)?).await?;
    let sheet = stored(&before);
    Ok(edit_page(&cx, &before, &choices, &sheet, None))
}

/// A form as the class is stored now.
fn stored(before: &Before) -> Sheet {
    let class = &before.class;
    let tz = class.tz();
    let text = |name: &str, value: String| (name.to_owned(), value);
    let window = class.rules.window();
    let mut fields = vec![
        text("version", class.version.to_string()),
        text("title", class.title.clone()),
        text("language", class.language.clone()),
        text("trainer", class.trainer_id.to_string()),
        text("room", class.room_id.map(|id| id.to_string()).unwrap_or_default()),
        text("link", class.link.clone().unwrap_or_default()),
        text("capacity", class.capacity.to_string()),
        text("price", class.price().decimal()),
        text("cut_off_hours", class.cut_off_hours.to_string()),
        text("opens", typed(window.opens, tz)),
        text("closes", typed(window.closes, tz)),
    ];
    for (at, row) in before.sessions.iter().take(forms::SESSIONS).enumerate() {
        let (from, until) = (row.starts_at.with_timezone(&tz), row.ends_at.with_timezone(&tz));
        fields.push((numbered("session", at), row.id.to_string()));
        fields.push((numbered("date", at), from.date_naive().to_string()));
        fields.push((numbered("starts", at), store::clock(from)));
        fields.push((numbered("ends", at), store::clock(until)));
    }
    fields.extend(before.assistants.iter().map(|(id, _)| text("assistants", id.to_string())));
    fields.extend(before.equipment.iter().map(|row| text("equipment", row.id.to_string())));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Sheet::filled(&fields)
}

async fn load(cx: &Cx, id: ClassId) -> Result<(Before, Choices), AppError> {
    let mut tx = cx.db().read().await?;
    let class = store::class(&mut tx, id).await?;
    cx.may(Act::EditClass, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
    let before = Before::load(&mut tx, class).await?;
    let mut choices = Choices::load(&mut tx).await?;
    // A room that is out of use stays with the class.
    if let Some(id) = before.class.room_id
        && !choices.rooms.iter().any(|room| room.id == id)
    {
        choices.rooms.extend(store::room(&mut tx, id).await?);
    }
    Ok((before, choices))
}

pub async fn save(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let id: ClassId = parse(&id)?;
    let (before, choices) = load(&cx, id).await?;
    let zones = zones(&before, &choices, &form);
    let saved = match forms::edit(&cx, &form, &before.sessions, zones, forms::shift(&form)) {
        Ok((edit, rest)) => change::edit(&cx, id, edit, rest).await,
        Err(error) => Err(error),
    };
    match saved {
        // A substitute's class is no longer the trainer's own.
        Ok(()) => {
            let class = store::class(&mut cx.db().read().await?, id).await?;
            let own = cx.viewer.can(Act::ReadRoster, &Subject::nobody().assigned_to(Some(class.trainer_id)));
            let to = if own { class.desk_path() } else { "/desk/classes".to_owned() };
            Ok(cx.redirect(&to, Some(Notice::ClassSaved)))
        }
        Err(error) => {
            let taken = matches!(error, AppError::Refused(AnyRefusal::Training(Refusal::Taken { .. })));
            let proposals = if taken { proposals(&cx, &before, &choices, &form).await? } else { None };
            let sheet = Sheet::again(form, error)?;
            Ok(edit_page(&cx, &before, &choices, &sheet, proposals))
        }
    }
}

/// The zone that the class is in, and that of the room which it is to be in.
fn zones(before: &Before, choices: &Choices, form: &Form) -> (Tz, Tz) {
    let (was, same) = (before.class.tz(), before.class.room_id.map(|id| id.to_string()).unwrap_or_default());
    let there = forms::zone_there(form, &choices.rooms).filter(|_| form.text("room") != same);
    (was, there.unwrap_or(was))
}

/// Other times for the sessions that have not begun.
async fn proposals(cx: &Cx, before: &Before, choices: &Choices, form: &Form) -> Result<Option<AnyView>, AppError> {
    let class = &before.class;
    let (was, tz) = zones(before, choices, form);
    let (edit, rest) = forms::edit(cx, form, &before.sessions, (was, tz), 0)?;
    let spans: Vec<_> = match rest.sessions {
        Some(sessions) => sessions.into_iter().map(|(_, span)| span).collect(),
        None => before.sessions.iter().map(store::SessionRow::span).collect(),
    };
    let coming: Vec<_> = spans.into_iter().filter(|span| span.from > cx.now).collect();
    let wanted = conflicts::local(&coming, tz);
    let assistants = rest.assistants.unwrap_or_else(|| before.assistants.iter().map(|(id, _)| *id).collect());
    let equipment = rest.equipment.unwrap_or_else(|| before.equipment.iter().map(|row| row.id).collect());
    let trainer = rest.trainer.unwrap_or(class.trainer_id);
    let mut tx = cx.db().read().await?;
    let needs = Needs::load(&mut tx, trainer, edit.room, class.room_id, &assistants, &equipment).await?;
    let shifts = conflicts::propose(&mut tx, cx, &needs, tz, &wanted, Some(class.id)).await?;
    drop(tx);
    Ok(fields::proposals(cx, tz, &wanted, &shifts))
}

fn edit_page(cx: &Cx, before: &Before, choices: &Choices, sheet: &Sheet, proposals: Option<AnyView>) -> Response {
    let class = &before.class;
    let title_words = w!(cx, training.edit_title);
    let differences = match sheet.refusal() {
        Some(AnyRefusal::Training(Refusal::ChangedMeanwhile { differences })) => Some(compare(cx, differences)),
        _ => None,
    };
    let clashes = match sheet.refusal() {
        Some(AnyRefusal::Training(Refusal::LearnersClash { people })) if class.state != ClassState::Running => {
            Some(known(cx, before, people, sheet))
        }
        _ => None,
    };
    // Who has seen the other's change may store their own next time.
    let version = match differences {
        Some(_) => class.version.to_string(),
        None => sheet.value("version").to_owned(),
    };
    cx.sheet_page(sheet, FRAME, title_words.clone(), || {
        let save = w!(cx, training.save);
        let value = class.desk_path();
        let leave = w!(cx, training.leave);
        view! {
            <PageHead title=title_words lead=Some(class.title.clone()) back=Some((class.desk_path(), class.title.clone()))/>
            <form id="edit-class" class="form" method="post">
                // Enter saves what is typed, not the first proposal.
                <button type="submit" hidden=true tabindex="-1" aria-hidden="true"></button>
                {views::faults(cx, sheet, class.tz())}
                {differences}
                {clashes}
                {proposals}
                <input type="hidden" name="version" value=version/>
                {fields::title(cx, sheet)}
                <div class="fields">
                    {fields::trainer(cx, choices, sheet)}
                    {fields::language(cx, sheet)}
                </div>
                {fields::when(cx, sheet, false)}
                {fields::terms(cx, &choices.rooms, sheet)}
                {fields::more(cx, choices, sheet, false)}
                <Actions>
                    <Button>{save}</Button>
                    <ButtonLink href=value tone=ButtonTone::Quiet>{leave}</ButtonLink>
                </Actions>
            </form>
        }
    })
}

/// The learners who are elsewhere then, each to be ticked by whoever moves the class all the same.
fn known(cx: &Cx, before: &Before, people: &[LearnerClash], sheet: &Sheet) -> AnyView {
    let tz = before.class.tz();
    let choices = people
        .iter()
        .map(|one| Choice {
            text: Some(w!(
                cx,
                planning.clash_text,
                with = words::otherwise(cx.fmt(), &one.with),
                time = cx.fmt().date_time(one.from, tz)
            )),
            ..Choice::new(one.person.to_string(), one.name.clone())
        })
        .collect();
    let values = sheet.values("clash").into_iter().map(str::to_owned).collect();
    let hint = Some(w!(cx, planning.clash_hint));
    view! { <ChoiceList name="clash" legend=w!(cx, planning.clash_legend) choices several=true values hint/> }
        .into_any()
}

/// What is stored now beside what was about to be stored.
fn compare(cx: &Cx, differences: &[Difference]) -> AnyView {
    let label = |field: &str| match field {
        "title" => w!(cx, training.class_title),
        "language" => w!(cx, training.language),
        "trainer" => w!(cx, training.trainer),
        "sessions" => w!(cx, training.when),
        "assistants" => w!(cx, planning.assistants),
        "equipment" => w!(cx, planning.equipment),
        "opens" => w!(cx, planning.opens),
        "closes" => w!(cx, planning.closes),
        "room" => w!(cx, training.room),
        "link" => w!(cx, training.link),
        "capacity" => w!(cx, training.capacity),
        "price" => w!(cx, training.price),
        _ => w!(cx, training.cut_off_hours),
    };
    super::fields::compare(cx, differences, label)
}
