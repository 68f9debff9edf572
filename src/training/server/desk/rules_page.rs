//! `/desk/settings/training`: the company's rules for classes, and the equipment that they share.

use super::{FRAME, equipment, forms};
use crate::{
    access::{Act, Subject},
    error::{AppError, Fault, Faults},
    i18n::InWords,
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
    },
    training::{
        domain::{Effect, Terms},
        server::{
            rules::{self, Rules},
            store, views,
        },
    },
    ui::*,
    w,
};
use axum::response::Response;
use leptos::prelude::*;

const PATH: &str = "/desk/settings/training";
/// Whole numbers of the form: field, least, most.
const NUMBERS: [(&str, i64, i64); 3] =
    [("cut_off_hours", 0, 24 * 60), ("offer_hours", 1, 14 * 24), ("freeze_hours", 0, 14 * 24)];

pub async fn show(cx: Cx) -> Result<Response, AppError> {
    cx.may(Act::SetClassRules, &Subject::nobody())?;
    page(&cx, &kept(&cx).await?).await
}

/// A form as the rules are now.
async fn kept(cx: &Cx) -> Result<Sheet, AppError> {
    let rules = rules::read(&mut cx.db().read().await?).await?;
    Ok(Sheet::filled(&[
        ("cut_off_hours", &rules.cut_off_hours.to_string()),
        ("offer_hours", &(rules.terms.offer_minutes / 60).to_string()),
        ("freeze_hours", &(rules.terms.freeze_minutes / 60).to_string()),
        ("late_cancel", rules.terms.late_cancel.as_str()),
        ("no_show", rules.terms.no_show.as_str()),
    ]))
}

pub async fn act(cx: Cx, form: Form) -> Result<Response, AppError> {
    cx.may(Act::SetClassRules, &Subject::nobody())?;
    let done = match form.text("act") {
        act if equipment::is_ours(act) => equipment::act(&cx, &form).await,
        _ => match read(&form) {
            Ok(rules) => rules::set(&cx, rules).await.map(|()| Notice::ClassRulesSaved),
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(notice) => Ok(cx.redirect(PATH, Some(notice))),
        Err(error) => page(&cx, &Sheet::again(form, error)?).await,
    }
}

fn read(form: &Form) -> Result<Rules, AppError> {
    let mut faults = Faults::default();
    let [cut_off, offer, freeze] = NUMBERS.map(|(field, least, most)| {
        let number = form.parse::<i64>(field, &mut faults, Fault::NotANumber);
        forms::within(number, field, least, most, &mut faults).unwrap_or(least)
    });
    let [late_cancel, no_show] = ["late_cancel", "no_show"]
        .map(|field| form.parse::<Effect>(field, &mut faults, Fault::NotAChoice).unwrap_or(Effect::Spent));
    faults.check()?;
    let terms = Terms { freeze_minutes: freeze * 60, offer_minutes: offer * 60, late_cancel, no_show };
    Ok(Rules { cut_off_hours: cut_off, terms })
}

async fn page(cx: &Cx, sheet: &Sheet) -> Result<Response, AppError> {
    let things = store::all_equipment(&mut cx.db().read().await?).await?;
    // What was typed about a thing says nothing of the rules: they are shown as they are.
    let kept = kept(cx).await?;
    let of_thing = equipment::is_ours(sheet.value("act"));
    let title = w!(cx, planning.rules_title);
    Ok(cx.sheet_page(sheet, FRAME, title.clone(), || {
        let rules_sheet = if of_thing { &kept } else { sheet };
        let number = |(name, least, most): (&'static str, i64, i64), label: String, hint: String| {
            view! {
                <Field name label kind="number" value=rules_sheet.value(name).to_owned() fault=cx.fault(rules_sheet, name)
                    inputmode="numeric" min=Some(least.to_string()) max=Some(most.to_string()) hint=Some(hint) required=true/>
            }
        };
        let effect = |name: &'static str, label: String| {
            let options = Effect::ALL.iter().map(|one| (one.as_str().to_owned(), one.in_words(cx.fmt()))).collect();
            view! { <Select name label options value=rules_sheet.value(name).to_owned() fault=cx.fault(rules_sheet, name)/> }
        };
        let save = w!(cx, training.save);
        let faults = views::faults(cx, sheet, cx.company_zone());
        let equipment = equipment::section(cx, PATH, &things, sheet);
        view! {
            <PageHead title=title lead=Some(w!(cx, planning.rules_lead)) back=Some(("/desk/classes".to_owned(), w!(cx, training.desk_title)))/>
            {faults}
            <form id="class-rules" class="form" method="post" action=PATH>
                <input type="hidden" name="act" value="rules"/>
                {number(NUMBERS[0], w!(cx, planning.rule_cut_off), w!(cx, planning.rule_cut_off_hint))}
                {number(NUMBERS[1], w!(cx, planning.rule_offer), w!(cx, planning.rule_offer_hint))}
                {number(NUMBERS[2], w!(cx, planning.rule_freeze), w!(cx, planning.rule_freeze_hint))}
                {effect("late_cancel", w!(cx, planning.rule_late))}
                {effect("no_show", w!(cx, planning.rule_no_show))}
                <Actions><Button>{save}</Button></Actions>
            </form>
            {equipment}
        }
    }))
}
