//! The fields that the forms of a new class and of a change share, and the times that are proposed where theirs are taken.

use super::{forms, rooms};
use crate::{
    calendar::{domain::LocalSpan, server::zone},
    db::Tx,
    error::AppError,
    server::{Cx, form::Sheet},
    training::{
        domain::Difference,
        server::store::{self, ClassRow, CourseRow, EquipmentRow, RoomRow},
    },
    ui::*,
    values::{ClassId, PersonId},
    w,
};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use chrono_tz::Tz;
use leptos::prelude::*;

/// What the forms let one choose from.
pub struct Choices {
    pub courses: Vec<CourseRow>,
    pub rooms: Vec<RoomRow>,
    pub trainers: Vec<(PersonId, String)>,
    pub staff: Vec<(PersonId, String)>,
    pub equipment: Vec<EquipmentRow>,
}

impl Choices {
    pub async fn load(tx: &mut Tx) -> Result<Self, AppError> {
        Ok(Self {
            courses: store::courses(tx).await?,
            rooms: store::rooms(tx).await?,
            trainers: store::trainers(tx).await?,
            staff: store::staff(tx).await?,
            equipment: store::all_equipment(tx).await?.into_iter().filter(|row| row.retired_at.is_none()).collect(),
        })
    }
}

/// The trainers to choose from.
pub fn trainer(cx: &Cx, choices: &Choices, sheet: &Sheet) -> AnyView {
    let mut trainers = vec![(String::new(), w!(cx, training.choose))];
    trainers.extend(choices.trainers.iter().map(|(id, name)| (id.to_string(), name.clone())));
    view! {
        <Select name="trainer" label=w!(cx, training.trainer) options=trainers value=sheet.value("trainer") fault=cx.fault(sheet, "trainer")/>
    }
    .into_any()
}

pub fn title(cx: &Cx, sheet: &Sheet) -> AnyView {
    view! {
        <Field name="title" label=w!(cx, training.class_title) value=sheet.value("title") fault=cx.fault(sheet, "title")
            maxlength=Some(120) required=true/>
    }
    .into_any()
}

pub fn language(cx: &Cx, sheet: &Sheet) -> AnyView {
    let options = crate::i18n::LANGUAGES.iter().map(|(code, name)| ((*code).to_owned(), (*name).to_owned())).collect();
    view! {
        <Select name="language" label=w!(cx, training.language) options value=sheet.value("language") fault=cx.fault(sheet, "language")/>
    }
    .into_any()
}

pub fn zone_field(cx: &Cx, sheet: &Sheet) -> AnyView {
    let own = cx.company_zone().name();
    let mut names = vec![own];
    names.extend(zone::COMMON.iter().copied().filter(|name| *name != own));
    let options = names.into_iter().map(|name| (name.to_owned(), name.replace('_', " "))).collect();
    view! {
        <Select name="zone" label=w!(cx, training.zone) options value=sheet.value("zone") fault=cx.fault(sheet, "zone")
            hint=Some(w!(cx, training.zone_hint))/>
    }
    .into_any()
}

/// Eight lines; those that a new class seldom needs are folded away, without a script. A change shows the sessions that
/// there are, and a line to add one.
pub fn when(cx: &Cx, sheet: &Sheet, new: bool) -> AnyView {
    let line = |at: usize| {
        let first = at == 0 && new;
        let [date, starts, ends, session] = ["date", "starts", "ends", "session"].map(|name| forms::numbered(name, at));
        let legend = w!(cx, training.session_number, number = cx.fmt().number(i64::try_from(at + 1).unwrap_or(0)));
        let value = |name: &str| sheet.value(name).to_owned();
        let kept = (!sheet.value(&session).is_empty())
            .then(|| view! { <input type="hidden" name=session.clone() value=value(&session)/> });
        view! {
            <fieldset class="field">
                <legend>{legend}</legend>
                {kept}
                <div class="fields">
                    <Field name=date.clone() label=w!(cx, training.date) kind="date" value=value(&date) fault=cx.fault(sheet, &date) required=first/>
                    <Field name=starts.clone() label=w!(cx, training.starts) kind="time" value=value(&starts) fault=cx.fault(sheet, &starts) required=first/>
                    <Field name=ends.clone() label=w!(cx, training.ends) kind="time" value=value(&ends) fault=cx.fault(sheet, &ends) required=first/>
                </div>
            </fieldset>
        }
        .into_any()
    };
    let used =
        (1..forms::SESSIONS).filter(|at| !sheet.value(&forms::numbered("date", *at)).is_empty()).max().unwrap_or(0);
    let shown = if new { 1 } else { used + 1 };
    let lines = (0..shown).map(line).collect_view();
    let more = (shown..forms::SESSIONS).map(line).collect_view();
    let open = used >= shown;
    let hint = (!new).then(|| view! { <p class="hint">{w!(cx, planning.sessions_hint)}</p> });
    view! {
        {hint}
        {lines}
        <Fold title=w!(cx, training.more_sessions) open>{more}</Fold>
    }
    .into_any()
}

/// Where, how many, for how much.
pub fn terms(cx: &Cx, rooms: &[RoomRow], sheet: &Sheet) -> AnyView {
    let mut options = vec![(String::new(), w!(cx, training.no_room))];
    options.extend(rooms.iter().map(|room| {
        let label = w!(
            cx,
            training.room_option,
            name = room.name.clone(),
            place = room.place.clone(),
            seats = cx.fmt().number(room.capacity)
        );
        let label = match room.retired_at {
            Some(_) => format!("{label} · {}", w!(cx, rooms.retired)),
            None => label,
        };
        (room.id.to_string(), label)
    }));
    let none = rooms.is_empty().then(|| rooms::none(cx));
    let currency = cx.app.company.currency.to_string();
    view! {
        <Select name="room" label=w!(cx, training.room) options value=sheet.value("room") fault=cx.fault(sheet, "room")/>
        {none}
        <Field name="link" label=w!(cx, training.link) kind="url" value=sheet.value("link") fault=cx.fault(sheet, "link")
            hint=Some(w!(cx, training.link_hint)) placeholder=Some("https://".to_owned())/>
        <div class="fields">
            <Field name="capacity" label=w!(cx, training.capacity) kind="number" value=sheet.value("capacity") fault=cx.fault(sheet, "capacity")
                inputmode="numeric" min=Some("1".to_owned()) max=Some("1000".to_owned()) required=true/>
            <Field name="price" label=w!(cx, training.price) value=sheet.value("price") fault=cx.fault(sheet, "price")
                inputmode="decimal" hint=Some(w!(cx, training.price_hint, currency = currency)) required=true/>
            <Field name="cut_off_hours" label=w!(cx, training.cut_off_hours) kind="number" value=sheet.value("cut_off_hours")
                fault=cx.fault(sheet, "cut_off_hours") inputmode="numeric" min=Some("0".to_owned()) required=true/>
        </div>
    }
    .into_any()
}

/// Who helps, and what is used.
pub fn helpers(cx: &Cx, choices: &Choices, sheet: &Sheet) -> AnyView {
    let chosen = |name: &str| sheet.values(name).into_iter().map(str::to_owned).collect::<Vec<String>>();
    let staff: Vec<Choice> = choices.staff.iter().map(|(id, name)| Choice::new(id.to_string(), name.clone())).collect();
    let things: Vec<Choice> = choices
        .equipment
        .iter()
        .map(|row| Choice { note: Some(row.place.clone()), ..Choice::new(row.id.to_string(), row.name.clone()) })
        .collect();
    let equipment = (!things.is_empty()).then(|| {
        view! {
            <ChoiceList name="equipment" legend=w!(cx, planning.equipment) choices=things several=true values=chosen("equipment")
                fault=cx.fault(sheet, "equipment") compact=true/>
        }
    });
    view! {
        <ChoiceList name="assistants" legend=w!(cx, planning.assistants) choices=staff several=true values=chosen("assistants")
            fault=cx.fault(sheet, "assistants") compact=true/>
        {equipment}
    }
    .into_any()
}

/// What most classes do without: who helps, what is used, when learners may enrol.
pub fn more(cx: &Cx, choices: &Choices, sheet: &Sheet, repeats: bool) -> AnyView {
    let moment = |name: &'static str, label: String, hint: Option<String>| {
        view! {
            <Field name label kind="datetime-local" value=sheet.value(name).to_owned() fault=cx.fault(sheet, name) hint/>
        }
    };
    let opens = moment("opens", w!(cx, planning.opens), Some(w!(cx, planning.opens_hint)));
    let closes = moment("closes", w!(cx, planning.closes), Some(w!(cx, planning.closes_hint)));
    let series = repeats.then(|| {
        view! {
            <div class="fields">
                <Field name="repeats" label=w!(cx, planning.repeats) kind="number" value=sheet.value("repeats").to_owned()
                    fault=cx.fault(sheet, "repeats") inputmode="numeric" min=Some("1".to_owned()) max=Some("26".to_owned())
                    hint=Some(w!(cx, planning.repeats_hint))/>
                <Field name="every" label=w!(cx, planning.every) kind="number" value=sheet.value("every").to_owned()
                    fault=cx.fault(sheet, "every") inputmode="numeric" min=Some("1".to_owned()) max=Some("52".to_owned())
                    hint=Some(w!(cx, planning.every_hint))/>
            </div>
        }
    });
    let windows = view! { <div class="fields">{opens}{closes}</div> };
    let helpers = helpers(cx, choices, sheet);
    let title = if repeats { w!(cx, planning.more) } else { w!(cx, planning.more_edit) };
    let used = ["assistants", "equipment", "opens", "closes"].iter().any(|name| !sheet.value(name).is_empty())
        || ["repeats", "every"].iter().any(|name| !matches!(sheet.value(name), "" | "1"));
    view! {
        <input type="hidden" name="whole" value="yes"/>
        <Fold title open=used>
            {series}
            {windows}
            {helpers}
        </Fold>
    }
    .into_any()
}

/// Times at which all is free, each a button that takes it at once.
pub fn proposals(cx: &Cx, zone: Tz, wanted: &[LocalSpan], shifts: &[i64]) -> Option<AnyView> {
    let first = wanted.iter().map(|one| one.from).min()?;
    if shifts.is_empty() {
        let nothing = w!(cx, planning.no_proposal);
        return Some(view! { <Alert tone=Tone::Info><p>{nothing}</p></Alert> }.into_any());
    }
    let buttons: Vec<AnyView> = shifts
        .iter()
        .map(|shift| {
            let label = said(cx, zone, first + Duration::minutes(*shift));
            view! { <Button tone=ButtonTone::Quiet name="shift" value=shift.to_string() icon=Some(Icon::Calendar)>{label}</Button> }
                .into_any()
        })
        .collect();
    let text = w!(cx, planning.proposals_text);
    Some(
        view! {
            <Card title=Some(w!(cx, planning.proposals)) tone=Some(Tone::Info)>
                <p>{text}</p>
                <Actions>{buttons}</Actions>
            </Card>
        }
        .into_any(),
    )
}

/// A wall clock in words.
pub fn said(cx: &Cx, zone: Tz, local: NaiveDateTime) -> String {
    zone::instant(zone, local.date(), local.time()).map_or_else(String::new, |at| cx.fmt().date_time(at, zone))
}

/// What a class needs besides its trainer and room, for its page.
pub struct Needed {
    assistants: Vec<(PersonId, String)>,
    equipment: Vec<EquipmentRow>,
}

impl Needed {
    pub async fn load(tx: &mut Tx, class: ClassId) -> Result<Self, AppError> {
        Ok(Self { assistants: store::assistants(tx, class).await?, equipment: store::equipment_of(tx, class).await? })
    }

    /// Only what there is.
    pub fn facts(&self, cx: &Cx, class: &ClassRow) -> Vec<(String, AnyView)> {
        let window = class.rules.window();
        let time = |at: Option<DateTime<Utc>>| at.map(|at| cx.fmt().date_time(at, class.tz())).unwrap_or_default();
        let names = self.assistants.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>().join(", ");
        let things = self.equipment.iter().map(|row| row.name.clone()).collect::<Vec<_>>().join(", ");
        let all = [
            (w!(cx, planning.assistants), names),
            (w!(cx, planning.equipment), things),
            (w!(cx, planning.opens), time(window.opens)),
            (w!(cx, planning.closes), time(window.closes)),
        ];
        all.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, text.into_any())).collect()
    }
}

/// What is stored now beside what was about to be stored, field by field with its label.
pub fn compare(cx: &Cx, differences: &[Difference], label: impl Fn(&str) -> String) -> AnyView {
    let rows = differences
        .iter()
        .map(|one| TableRow {
            href: None,
            cells: vec![label(&one.field).into_any(), one.theirs.clone().into_any(), one.yours.clone().into_any()],
        })
        .collect();
    let columns = vec![
        w!(cx, training.field).into(),
        w!(cx, training.difference_theirs).into(),
        w!(cx, training.difference_yours).into(),
    ];
    view! { <Table caption=w!(cx, training.refusal_changed) columns rows/> }.into_any()
}
