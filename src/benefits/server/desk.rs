//! `/desk/benefits/{item}`: what an item's plans hold, and what staff give beyond it.

use super::{
    by_hand::{self, UNITS, WHY},
    ledger::{self, BenefitRow},
    words,
};
use crate::{
    access::Act,
    catalog::server::store::plans,
    error::AppError,
    purchases::server::store::{ItemRow, item},
    server::{
        Cx,
        cx::At,
        form::{Form, Sheet},
        notice::Notice,
        page::{DeskTab, Frame},
    },
    ui::*,
    values::ItemId,
    w,
};
use axum::response::Response;
use leptos::prelude::*;

/// `GET /desk/benefits/{item}`
pub async fn show(cx: Cx, At(id): At<ItemId>) -> Result<Response, AppError> {
    page(&cx, id, Sheet::default()).await
}

/// `POST /desk/benefits/{item}`
pub async fn give(cx: Cx, At(id): At<ItemId>, form: Form) -> Result<Response, AppError> {
    match by_hand::give(&cx, id, &form).await {
        Ok(moved) => {
            let notice = if moved { Notice::BenefitExtended } else { Notice::BenefitGiven };
            Ok(cx.redirect(&format!("/desk/benefits/{id}"), Some(notice)))
        }
        Err(error) => page(&cx, id, Sheet::again(form, error)?).await,
    }
}

async fn page(cx: &Cx, id: ItemId, sheet: Sheet) -> Result<Response, AppError> {
    cx.person()?;
    let mut tx = cx.db().read().await?;
    let item = item(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    cx.may(Act::GrantBenefit, &item.subject())?;
    let benefits = ledger::of_item(&mut tx, id).await?;
    let mut offered: Vec<(String, String)> =
        plans(&mut tx).await?.into_values().map(|plan| (plan.code, plan.name)).collect();
    drop(tx);
    offered.sort_by(|a, b| a.1.cmp(&b.1));
    let t = cx.fmt();
    let title = w!(t, benefits.by_hand_title);
    Ok(cx.sheet_page(&sheet, Frame::Desk(DeskTab::Customers), title.clone(), || {
        let empty = benefits.is_empty();
        let cards = benefits.iter().map(|benefit| card(cx, &item, benefit, &sheet)).collect_view();
        let new = (!offered.is_empty()).then(|| new_form(cx, &item, offered, &sheet));
        let lead = match &item.serial_number {
            Some(serial) => format!("{} · {serial}", item.product_name),
            None => item.product_name.clone(),
        };
        let back = Some((format!("/purchases/{}", item.purchase_id), item.product_name.clone()));
        view! {
            <PageHead title=title lead=lead back=back/>
            {cx.faults(&sheet)}
            {empty.then(|| view! { <p class="soft">{w!(t, benefits.none_yet)}</p> })}
            <div class="stack">{cards}</div>
            {new}
        }
    }))
}

/// The fields of one of the forms: its own where it is the one that came back, under plain names for the summary.
struct Fields<'a> {
    cx: &'a Cx,
    sheet: &'a Sheet,
    /// What the form is called on this page.
    name: String,
    came_back: bool,
}

impl Fields<'_> {
    fn id(&self, field: &str) -> String {
        if self.came_back { field.to_owned() } else { format!("{field}-{}", self.name) }
    }

    fn value(&self, field: &str, first: &str) -> String {
        if self.came_back { self.sheet.value(field).to_owned() } else { first.to_owned() }
    }

    fn fault(&self, field: &str) -> Option<String> {
        if self.came_back { self.cx.fault(self.sheet, field) } else { None }
    }

    fn key(&self) -> String {
        if self.came_back { self.sheet.key() } else { uuid::Uuid::now_v7().to_string() }
    }

    fn why(&self) -> impl IntoView + use<> {
        let t = self.cx.fmt();
        view! {
            <TextArea name="why" id=self.id("why") label=w!(t, benefits.why) hint=w!(t, benefits.why_hint) rows=2
                value=self.value("why", "") fault=self.fault("why") maxlength=Some(WHY) required=true/>
        }
    }

    fn units(&self, label: String) -> impl IntoView + use<> {
        view! {
            <Field name="units" id=self.id("units") label=label kind="number" inputmode="numeric" min="1".to_owned()
                max=UNITS.to_string() value=self.value("units", "1") fault=self.fault("units") required=true/>
        }
    }

    fn until(&self, first: &str) -> impl IntoView + use<> {
        let t = self.cx.fmt();
        view! {
            <Field name="until" id=self.id("until") label=w!(t, benefits.longer_until) kind="date" min=self.cx.today().to_string()
                value=self.value("until", first) fault=self.fault("until") required=true/>
        }
    }
}

/// One benefit with what is left of it, and the two ways to give more of it.
fn card(cx: &Cx, item: &ItemRow, benefit: &BenefitRow, sheet: &Sheet) -> impl IntoView + use<> {
    let t = cx.fmt();
    let action = format!("/desk/benefits/{}", item.id);
    let id = benefit.id.to_string();
    let until = benefit.ends_on.pred_opt().unwrap_or(benefit.ends_on);
    let text = words::left(t, benefit.allowance(), benefit.available, benefit.granted, until);
    let name = words::allowance(t, benefit.allowance());
    let tone = if benefit.available > 0 { Tone::Good } else { Tone::Plain };
    let fields = |deed: &str| Fields {
        cx,
        sheet,
        name: format!("{deed}-{id}"),
        came_back: sheet.is_again() && sheet.value("benefit") == id && sheet.value("do") == deed,
    };
    let running = benefit.ends_on > cx.today();
    let more = running.then(|| {
        let fields = fields("more");
        let (units, why, open) = (fields.units(w!(t, benefits.more_units)), fields.why(), fields.came_back);
        let form = view! {
            <form method="post" action=action.clone() class="form">
                <HiddenKey value=fields.key()/>
                <input type="hidden" name="benefit" value=id.clone()/>
                {units} {why}
                <Actions><Button name="do" value="more".to_owned()>{w!(t, benefits.give)}</Button></Actions>
            </form>
        };
        view! { <Fold title=w!(t, benefits.more_title) open=open>{form}</Fold> }
    });
    let fields = fields("longer");
    let (last, why, open) = (fields.until(&until.to_string()), fields.why(), fields.came_back);
    let longer = view! {
        <form method="post" action=action class="form">
            <HiddenKey value=fields.key()/>
            <input type="hidden" name="benefit" value=id/>
            {last} {why}
            <Actions><Button name="do" value="longer".to_owned()>{w!(t, benefits.longer)}</Button></Actions>
        </form>
    };
    let (value, max) = (benefit.available, benefit.granted);
    let plan = w!(t, benefits.from_plan, plan = benefit.plan_name.clone());
    view! {
        <Card>
            <p class="soft">{plan}</p>
            <Meter label=name text=text value=value max=max tone=tone/>
            {more}
            <Fold title=w!(t, benefits.longer_title) open=open>{longer}</Fold>
        </Card>
    }
}

fn new_form(cx: &Cx, item: &ItemRow, offered: Vec<(String, String)>, sheet: &Sheet) -> impl IntoView + use<> {
    let t = cx.fmt();
    let came_back = sheet.is_again() && sheet.value("do") == "new";
    let fields = Fields { cx, sheet, name: "new".to_owned(), came_back };
    let allowances = by_hand::allowances(item).into_iter();
    let allowances = allowances.map(|a| (a.as_str().to_owned(), words::allowance(t, a))).collect();
    let (units, until, why) = (fields.units(w!(t, benefits.new_units)), fields.until(""), fields.why());
    let form = view! {
        <form method="post" action=format!("/desk/benefits/{}", item.id) class="form" id="new-benefit">
            <HiddenKey value=fields.key()/>
            <Select name="plan" label=w!(t, benefits.new_plan) options=offered value=fields.value("plan", "") fault=fields.fault("plan")/>
            <Select name="allowance" label=w!(t, benefits.new_allowance) options=allowances
                value=fields.value("allowance", "") fault=fields.fault("allowance")/>
            {units} {until} {why}
            <Actions><Button name="do" value="new".to_owned()>{w!(t, benefits.give)}</Button></Actions>
        </form>
    };
    view! { <Section title=w!(t, benefits.new_title)><Card>{form}</Card></Section> }
}
