//! The things that classes share, on the page of the settings: each folds open to be named anew or taken out of use.

use crate::{
    error::{AppError, Fault, Faults},
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
    },
    training::server::{
        equipment::{self, Step},
        portal::key,
        store::EquipmentRow,
    },
    ui::*,
    values::EquipmentId,
    w,
};
use leptos::prelude::*;

/// The acts of this part of the page.
const ACTS: [&str; 4] = ["equipment", "rename_equipment", "retire_equipment", "restore_equipment"];

/// Whether a form is one of these.
pub fn is_ours(act: &str) -> bool {
    ACTS.contains(&act)
}

pub async fn act(cx: &Cx, form: &Form) -> Result<Notice, AppError> {
    let mut faults = Faults::default();
    let act = form.text("act");
    let named = act == "equipment" || act == "rename_equipment";
    let [name, place] = match named {
        true => [form.words("name", 100, &mut faults), form.words("at_place", 100, &mut faults)],
        false => [String::new(), String::new()],
    };
    if act == "equipment" {
        faults.check()?;
        return equipment::add(cx, name, place, form.key()).await.map(|()| Notice::EquipmentAdded);
    }
    let id = form.parse::<EquipmentId>("equipment", &mut faults, Fault::NotAChoice);
    let version = form.parse::<i64>("version", &mut faults, Fault::NotANumber);
    faults.check()?;
    let id = id.ok_or(AppError::NotFound)?;
    let (step, notice) = match act {
        "rename_equipment" => (Step::Rename { name, place }, Notice::EquipmentChanged),
        "retire_equipment" => (Step::Retire, Notice::EquipmentRetired),
        _ => (Step::Restore, Notice::EquipmentChanged),
    };
    equipment::change_one(cx, id, version.unwrap_or(0), step).await.map(|()| notice)
}

/// All of it: what is in use, what is not, and the form for one more.
pub fn section(cx: &Cx, action: &'static str, things: &[EquipmentRow], sheet: &Sheet) -> AnyView {
    let none = things.is_empty().then(|| view! { <p class="soft">{w!(cx, planning.equipment_none)}</p> });
    let (retired, used): (Vec<_>, Vec<_>) = things.iter().partition(|row| row.retired_at.is_some());
    let used = used.into_iter().map(|row| thing(cx, action, row, sheet)).collect_view();
    let retired = retired.into_iter().map(|row| thing(cx, action, row, sheet)).collect_view();
    let here = sheet.value("act") == "equipment";
    let value = |field: &str| if here { sheet.value(field).to_owned() } else { String::new() };
    let fault = |field: &str| if here { cx.fault(sheet, field) } else { None };
    let (name, place) = (value("name"), value("at_place"));
    let (name_fault, place_fault) = (fault("name"), fault("at_place"));
    let add = w!(cx, planning.equipment_add);
    let form = view! {
        <form id="equipment" class="form" method="post" action=action>
            <input type="hidden" name="act" value="equipment"/>
            <HiddenKey value=key()/>
            <div class="fields">
                <Field name="name" label=w!(cx, planning.equipment_name) value=name fault=name_fault maxlength=Some(100) required=true/>
                <Field name="at_place" label=w!(cx, training.place) value=place fault=place_fault maxlength=Some(100) required=true/>
            </div>
            <Actions><Button tone=ButtonTone::Quiet icon=Some(Icon::Plus)>{add}</Button></Actions>
        </form>
    };
    view! {
        <Section title=w!(cx, planning.equipment)>
            {none}
            <div class="stack">{used}{retired}</div>
            {form}
        </Section>
    }
    .into_any()
}

fn thing(cx: &Cx, action: &'static str, row: &EquipmentRow, sheet: &Sheet) -> AnyView {
    let id = row.id.to_string();
    let again = sheet.value("equipment") == id;
    let typed = again && sheet.value("act") == "rename_equipment";
    let (name, place) = match typed {
        true => (sheet.value("name").to_owned(), sheet.value("at_place").to_owned()),
        false => (row.name.clone(), row.place.clone()),
    };
    let fault = |field: &str| if typed { cx.fault(sheet, field) } else { None };
    let (name_fault, place_fault) = (fault("name"), fault("at_place"));
    let is_retired = row.retired_at.is_some();
    let (step, label, tone) = match is_retired {
        true => ("restore_equipment", w!(cx, learning.equipment_restore), ButtonTone::Quiet),
        false => ("retire_equipment", w!(cx, learning.equipment_retire), ButtonTone::Danger),
    };
    let save = w!(cx, training.save);
    let title = match is_retired {
        true => format!("{} · {} · {}", row.name, row.place, w!(cx, learning.equipment_retired)),
        false => format!("{} · {}", row.name, row.place),
    };
    let (name_id, place_id) = (format!("name-{id}"), format!("place-{id}"));
    let version = row.version.to_string();
    let (second, version_again) = (id.clone(), version.clone());
    let text = (!is_retired).then(|| view! { <p class="soft small">{w!(cx, learning.equipment_retire_text)}</p> });
    let t = cx.fmt();
    view! {
        <Fold title open=again>
            <div class="stack">
                <form class="form" method="post" action=action>
                    <input type="hidden" name="act" value="rename_equipment"/>
                    <input type="hidden" name="equipment" value=id/>
                    <input type="hidden" name="version" value=version/>
                    <div class="fields">
                        <Field name="name" id=Some(name_id) label=w!(t, planning.equipment_name) value=name fault=name_fault maxlength=Some(100) required=true/>
                        <Field name="at_place" id=Some(place_id) label=w!(t, training.place) value=place fault=place_fault maxlength=Some(100) required=true/>
                    </div>
                    <Actions><Button tone=ButtonTone::Quiet>{save}</Button></Actions>
                </form>
                <form class="form" method="post" action=action>
                    <input type="hidden" name="act" value=step/>
                    <input type="hidden" name="equipment" value=second/>
                    <input type="hidden" name="version" value=version_again/>
                    {text}
                    <Actions><Button tone>{label}</Button></Actions>
                </form>
            </div>
        </Fold>
    }
    .into_any()
}
