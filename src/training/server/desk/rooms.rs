//! `/desk/settings/rooms`: the rooms in which classes meet.

use super::forms;
use crate::{
    access::{Act, Subject},
    calendar::server::zone,
    error::{AppError, Fault, Faults, Refusal as AnyRefusal},
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::{DeskTab, Frame},
    },
    training::server::{
        portal::key,
        rooms::{self, About, Step},
        store::{self, RoomRow},
        views,
    },
    ui::*,
    values::RoomId,
    w,
};
use axum::{extract::RawQuery, response::Response};
use chrono_tz::Tz;
use leptos::prelude::*;

const FRAME: Frame = Frame::Desk(DeskTab::Settings);
const PATH: &str = "/desk/settings/rooms";
const NEW: &str = "/desk/settings/rooms?id=new";

/// All rooms, the form of one with `?id=`, of a new one with `?id=new`.
pub async fn show(cx: Cx, RawQuery(raw): RawQuery) -> Result<Response, AppError> {
    cx.may(Act::AddRoom, &Subject::nobody())?;
    let raw = raw.unwrap_or_default();
    let asked = Form::new(url::form_urlencoded::parse(raw.as_bytes()).into_owned().collect());
    match asked.text("id") {
        "" => list(&cx).await,
        "new" => Ok(page(&cx, None, &Sheet::filled(&[("zone", cx.company_zone().name())]))),
        id => {
            let shown = load(&cx, id).await?;
            let sheet = Sheet::again(stored(&shown.room, "change"), AppError::Invalid(Faults::default()))?;
            Ok(page(&cx, Some(&shown), &sheet))
        }
    }
}

pub async fn act(cx: Cx, form: Form) -> Result<Response, AppError> {
    cx.may(Act::AddRoom, &Subject::nobody())?;
    match done(&cx, &form).await {
        Ok(notice) => Ok(cx.redirect(PATH, Some(notice))),
        Err(error) if form.text("act") == "add" => Ok(page(&cx, None, &Sheet::again(form, error)?)),
        Err(error) => {
            let shown = load(&cx, form.text("room")).await?;
            // Whoever takes it out of use or back has typed nothing.
            let form = match form.text("act") {
                "change" => form,
                act => stored(&shown.room, act),
            };
            Ok(page(&cx, Some(&shown), &Sheet::again(form, error)?))
        }
    }
}

async fn done(cx: &Cx, form: &Form) -> Result<Notice, AppError> {
    if form.text("act") == "add" {
        return rooms::add(cx, about(form)?, form.key()).await.map(|_| Notice::RoomAdded);
    }
    let mut faults = Faults::default();
    let id = form.parse::<RoomId>("room", &mut faults, Fault::NotAChoice);
    let version = form.parse::<i64>("version", &mut faults, Fault::NotANumber);
    let (Some(id), Some(version)) = (id, version) else { return Err(AppError::Invalid(faults)) };
    let (step, notice) = match form.text("act") {
        "change" => (Step::Change(about(form)?), Notice::RoomChanged),
        "retire" => (Step::Retire, Notice::RoomRetired),
        "restore" => (Step::Restore, Notice::RoomChanged),
        _ => return Err(Faults::only("act", Fault::NotAChoice)),
    };
    rooms::change_one(cx, id, version, step).await.map(|()| notice)
}

fn about(form: &Form) -> Result<About, AppError> {
    let mut faults = Faults::default();
    let name = form.words("name", 100, &mut faults);
    let address = form.words("address", 300, &mut faults);
    let place = form.words("place", 100, &mut faults);
    let capacity = forms::capacity(form, &mut faults);
    let zone = form.parse::<Tz>("zone", &mut faults, Fault::NotAChoice);
    match (capacity, zone) {
        (Some(capacity), Some(zone)) => {
            faults.check()?;
            Ok(About { name, address, place, capacity, zone })
        }
        _ => Err(AppError::Invalid(faults)),
    }
}

/// A room with what is to come in it.
struct Shown {
    room: RoomRow,
    coming: i64,
}

async fn load(cx: &Cx, id: &str) -> Result<Shown, AppError> {
    let id: RoomId = id.parse().map_err(|_| AppError::NotFound)?;
    let mut tx = cx.db().read().await?;
    let room = store::room(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    Ok(Shown { coming: store::coming_in_room(&mut tx, id, cx.now).await?, room })
}

/// The form as the room is stored now.
fn stored(room: &RoomRow, act: &str) -> Form {
    Form::of(&[
        ("act", act),
        ("version", &room.version.to_string()),
        ("name", &room.name),
        ("address", &room.address),
        ("place", &room.place),
        ("capacity", &room.capacity.to_string()),
        ("zone", &room.zone),
    ])
}

async fn list(cx: &Cx) -> Result<Response, AppError> {
    let all = store::all_rooms(&mut cx.db().read().await?).await?;
    let title = w!(cx, rooms.title);
    Ok(cx.page(FRAME, title.clone(), || {
        let add = w!(cx, rooms.add);
        let add = view! { <ButtonLink href=NEW icon=Some(Icon::Plus)>{add}</ButtonLink> };
        let back = Some(("/desk/settings".to_owned(), w!(cx, shell.settings)));
        let lead = Some(w!(cx, rooms.lead));
        if all.is_empty() {
            let (empty, text) = (w!(cx, rooms.empty_title), w!(cx, rooms.empty_text));
            return view! {
                <PageHead title lead back/>
                <Empty icon=Icon::Pin title=empty text>{add}</Empty>
            }
            .into_any();
        }
        let cards = all.iter().map(|room| card(cx, room)).collect_view();
        view! {
            <PageHead title lead back>{add}</PageHead>
            <Cards>{cards}</Cards>
        }
        .into_any()
    }))
}

fn card(cx: &Cx, room: &RoomRow) -> AnyView {
    let text = format!("{}, {}", room.address, room.place);
    let note = w!(cx, rooms.seats, seats = cx.fmt().number(room.capacity));
    let badge = room.retired_at.map(|_| (Tone::Plain, w!(cx, rooms.retired)));
    let href = format!("{PATH}?id={}", room.id);
    view! { <CardLink href title=room.name.clone() icon=Some(Icon::Pin) text note badge/> }.into_any()
}

fn page(cx: &Cx, shown: Option<&Shown>, sheet: &Sheet) -> Response {
    let title = shown.map_or_else(|| w!(cx, rooms.new_title), |shown| shown.room.name.clone());
    let tz = shown.map_or(cx.company_zone(), |shown| zone::named(&shown.room.zone));
    cx.sheet_page(sheet, FRAME, title.clone(), || {
        let badge = shown
            .and_then(|shown| shown.room.retired_at)
            .map(|_| view! { <Badge tone=Tone::Plain text=w!(cx, rooms.retired)/> });
        let steps = shown.map(|shown| steps(cx, shown));
        view! {
            <PageHead title back=Some((PATH.to_owned(), w!(cx, rooms.title)))>{badge}</PageHead>
            {views::faults(cx, sheet, tz)}
            {form(cx, shown, sheet)}
            {steps}
        }
    })
}

fn form(cx: &Cx, shown: Option<&Shown>, sheet: &Sheet) -> AnyView {
    // What somebody else stored meanwhile stands at each field that differs; whoever has read it may store their own.
    let meanwhile = sheet.refusal() == Some(&AnyRefusal::ChangedMeanwhile);
    let theirs = shown.filter(|_| meanwhile).map(|shown| stored(&shown.room, ""));
    let hint = |name: &str, text: Option<String>| {
        let now = theirs.as_ref().map(|form| form.text(name)).filter(|now| *now != sheet.value(name));
        let now = now.map(|now| w!(cx, rooms.stored_now, value = now.to_owned()));
        Some([text, now].into_iter().flatten().collect::<Vec<_>>().join(" ")).filter(|hint| !hint.is_empty())
    };
    let version = match (&theirs, shown) {
        (Some(form), _) => form.text("version").to_owned(),
        _ => sheet.value("version").to_owned(),
    };
    let known = shown.map(|shown| {
        view! {
            <input type="hidden" name="act" value="change"/>
            <input type="hidden" name="room" value=shown.room.id.to_string()/>
            <input type="hidden" name="version" value=version/>
        }
    });
    let new = shown.is_none().then(|| {
        view! {
            <input type="hidden" name="act" value="add"/>
            <HiddenKey value=key()/>
        }
    });
    let kept = shown.map(|_| view! { <p class="hint">{w!(cx, rooms.kept)}</p> });
    let value = |name: &str| sheet.value(name).to_owned();
    let save = w!(cx, training.save);
    view! {
        <form id="room" class="form" method="post" action=PATH>
            {known}
            {new}
            <Field name="name" label=w!(cx, rooms.name) value=value("name") fault=cx.fault(sheet, "name") hint=hint("name", None)
                maxlength=Some(100) required=true/>
            <Field name="address" label=w!(cx, rooms.address) value=value("address") fault=cx.fault(sheet, "address")
                hint=hint("address", Some(w!(cx, rooms.address_hint))) maxlength=Some(300) required=true/>
            <Field name="place" label=w!(cx, rooms.town) value=value("place") fault=cx.fault(sheet, "place")
                hint=hint("place", Some(w!(cx, rooms.town_hint))) maxlength=Some(100) required=true/>
            <Field name="capacity" label=w!(cx, training.capacity) kind="number" value=value("capacity") fault=cx.fault(sheet, "capacity")
                hint=hint("capacity", None) inputmode="numeric" min=Some("1".to_owned()) max=Some("1000".to_owned()) required=true/>
            <Select name="zone" label=w!(cx, training.zone) options=zones(cx, sheet.value("zone")) value=value("zone")
                fault=cx.fault(sheet, "zone") hint=hint("zone", None)/>
            {kept}
            <Actions><Button>{save}</Button></Actions>
        </form>
    }
    .into_any()
}

/// The zones that forms offer, and the one that is chosen.
fn zones(cx: &Cx, chosen: &str) -> Vec<(String, String)> {
    let mut names = vec![cx.company_zone().name()];
    for name in zone::COMMON.iter().copied().chain(chosen.parse::<Tz>().ok().map(|tz| tz.name())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| (name.to_owned(), name.replace('_', " "))).collect()
}

/// Out of use, or back.
fn steps(cx: &Cx, shown: &Shown) -> AnyView {
    let room = &shown.room;
    let (step, label, tone) = match room.retired_at {
        Some(_) => ("restore", w!(cx, rooms.restore), ButtonTone::Quiet),
        None => ("retire", w!(cx, rooms.retire), ButtonTone::Danger),
    };
    let text = room.retired_at.is_none().then(|| view! { <p class="soft">{w!(cx, rooms.retire_text)}</p> });
    let coming = w!(cx, rooms.coming, count = cx.fmt().number(shown.coming));
    let (id, version) = (room.id.to_string(), room.version.to_string());
    view! {
        <Section title=w!(cx, rooms.use_title)>
            <form id="room-use" class="form" method="post" action=PATH>
                <input type="hidden" name="act" value=step/>
                <input type="hidden" name="room" value=id/>
                <input type="hidden" name="version" value=version/>
                {text}
                <p class="soft">{coming}</p>
                <Actions><Button tone>{label}</Button></Actions>
            </form>
        </Section>
    }
    .into_any()
}

/// Where no room is in use: the way to one for whoever may add it, else whom to ask.
pub fn none(cx: &Cx) -> AnyView {
    let may = cx.viewer.can(Act::AddRoom, &Subject::nobody());
    let more = match may {
        true => view! { <a href=NEW>{w!(cx, rooms.add)}</a> }.into_any(),
        false => w!(cx, rooms.ask).into_any(),
    };
    view! { <p class="hint">{w!(cx, rooms.none)}" "{more}</p> }.into_any()
}
