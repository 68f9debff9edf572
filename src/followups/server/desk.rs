//! `/desk/neglected`: the list that is to be empty, with a button on each line that takes it off.

use super::{
    service::{self, WHEN_DAYS},
    store::{FollowUp, Neglected},
    words,
};
use crate::{
    access::{Act, Subject},
    cases::server::service::{self as cases, DeskDeed},
    error::AppError,
    followups::domain::Outcome,
    i18n::InWords,
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::{DeskTab, Frame},
    },
    ui::*,
    values::{CaseId, FollowUpId},
    w,
};
use axum::{extract::Path, response::Response};
use leptos::prelude::*;
use uuid::Uuid;

const FRAME: Frame = Frame::Desk(DeskTab::Neglected);

pub async fn list(cx: Cx) -> Result<Response, AppError> {
    page(&cx, &Sheet::default()).await
}

async fn page(cx: &Cx, sheet: &Sheet) -> Result<Response, AppError> {
    let neglected = service::neglected(cx).await?;
    let fmt = cx.fmt();
    Ok(cx.sheet_page(sheet, FRAME, w!(cx, followups.title), || {
        let count = neglected.len() as u64;
        let cards = neglected.iter().map(|thing| card(cx, thing, sheet)).collect_view();
        view! {
            <PageHead title=w!(fmt, followups.title) lead=w!(fmt, followups.lead)>
                {(count > 0).then(|| view! { <Badge tone=Tone::Bad text=w!(fmt, followups.waiting, count = count)/> })}
            </PageHead>
            {cx.faults(sheet)}
            {(count == 0).then(|| view! {
                <Empty icon=Icon::Heart title=w!(fmt, followups.empty_title) text=w!(fmt, followups.empty_text)/>
            })}
            <Cards>{cards}</Cards>
        }
    }))
}

fn card(cx: &Cx, thing: &Neglected, sheet: &Sheet) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let kind = words::entity(thing.entity, fmt);
    let since = w!(fmt, followups.open_since, when = fmt.date_time(thing.since, cx.zone));
    let owner = thing.owner_name.clone();
    let href = match thing.entity {
        "case" => format!("/desk/cases/{}", thing.id.simple()),
        "repair" => format!("/desk/repairs/{}", thing.path.clone().unwrap_or_default()),
        "registration" => "/desk/registrations".to_owned(),
        "class" => format!("/desk/classes/{}", thing.id.simple()),
        "refund" => "/desk/charges?state=refund".to_owned(),
        _ => format!("/desk/customers/{}", thing.customer),
    };
    let (entity, id) = (thing.entity, thing.id.simple().to_string());
    let again = sheet.is_again() && sheet.value("do") == "plan" && sheet.value("id") == id;
    let new = Sheet::default();
    let (take_key, plan_key) = (new.key(), if again { sheet.key() } else { new.key() });
    let (title, why) = (thing.title.clone(), words::why(&thing.why, fmt, cx.zone));
    let facts = [Some(kind), Some(thing.customer_name.clone()), Some(since), owner]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ");
    let take = view! {
        <form method="post" action="/desk/neglected">
            <input type="hidden" name="entity" value=entity/>
            <input type="hidden" name="id" value=id.clone()/>
            <HiddenKey value=take_key/>
            <Button name="do" value="take".to_owned()>{w!(fmt, followups.take)}</Button>
        </form>
    };
    let plan = view! {
        <form method="post" action="/desk/neglected" class="form">
            <input type="hidden" name="entity" value=entity/>
            <input type="hidden" name="id" value=id.clone()/>
            <HiddenKey value=plan_key/>
            {plan_fields(cx, &id, again.then_some(sheet))}
            <Button tone=ButtonTone::Quiet name="do" value="plan".to_owned()>{w!(fmt, followups.plan_save)}</Button>
        </form>
    };
    view! {
        <Card tone=Some(Tone::Bad)>
            <p class="row"><strong><a href=href>{title}</a></strong><Badge tone=Tone::Bad text=why/></p>
            <p class="soft small">{facts}</p>
            {take}
            <Fold title=w!(fmt, followups.plan) open=again>{plan}</Fold>
        </Card>
    }
}

/// What comes next and by when: one of a few days. `suffix` keeps the ids of several such forms apart; the one that comes
/// back has its plain names for ids, so that the summary finds them.
pub fn plan_fields(cx: &Cx, suffix: &str, again: Option<&Sheet>) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let options = WHEN_DAYS
        .into_iter()
        .map(|days| (days.to_string(), fmt.day(cx.today() + chrono::TimeDelta::days(days))))
        .collect();
    let id = |name: &str| if again.is_some() { name.to_owned() } else { format!("{name}-{suffix}") };
    let value = |name: &str| again.map(|sheet| sheet.value(name).to_owned()).unwrap_or_default();
    let fault = |name: &str| again.and_then(|sheet| cx.fault(sheet, name));
    let due = Some(value("due")).filter(|due| !due.is_empty()).unwrap_or_else(|| "1".to_owned());
    view! {
        <Field name="what" id=id("what") label=w!(fmt, followups.plan_what) placeholder=w!(fmt, followups.plan_what_default)
            value=value("what") fault=fault("what")/>
        <Select name="due" id=id("due") label=w!(fmt, followups.plan_due) options value=due fault=fault("due")/>
    }
}

pub async fn act(cx: Cx, form: Form) -> Result<Response, AppError> {
    cx.may(Act::PlanFollowUp, &Subject::nobody())?;
    let outcome = match form.text("do") {
        "take" => take(&cx, &form).await.map(|()| Notice::CaseTaken),
        "plan" => match service::read(&cx, &form, None) {
            Ok(plan) => service::plan(&cx, plan).await.map(|_| Notice::FollowUpPlanned),
            Err(error) => Err(error),
        },
        _ => Err(AppError::NotFound),
    };
    match outcome {
        Ok(notice) => Ok(cx.redirect("/desk/neglected", Some(notice))),
        Err(error) => page(&cx, &Sheet::again(form, error)?).await,
    }
}

/// One tap takes it off the list: it is mine, and if it is late I get in touch by tomorrow.
async fn take(cx: &Cx, form: &Form) -> Result<(), AppError> {
    let id = Uuid::try_parse(form.text("id")).map_err(|_| AppError::NotFound)?;
    match super::store::known(form.text("entity")) {
        Some("case") => {
            let id = CaseId(id);
            cases::by_desk(cx, id, DeskDeed::Take, form).await?;
            let late = cases::at_desk(cx, id).await?.case.matter.is_late(cx.now);
            if late { service::get_in_touch_tomorrow(cx, ("case", id.0), form).await } else { Ok(()) }
        }
        Some("follow_up") => service::take(cx, FollowUpId(id), form).await,
        Some(other) => service::get_in_touch_tomorrow(cx, (other, id), form).await,
        None => Err(AppError::NotFound),
    }
}

/// `/desk/follow-ups/{id}`: how did it go?
pub async fn done(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let id: FollowUpId = id.parse().map_err(|_| AppError::NotFound)?;
    service::done(&cx, id, &form).await?;
    Ok(cx.redirect("/desk", Some(Notice::FollowUpDone)))
}

/// A planned contact with the buttons that end it, or the way to what has to be decided first.
pub fn due_card(cx: &Cx, follow_up: &FollowUp) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let when = follow_up.due_at.map(|due| fmt.date_time(due, cx.zone)).unwrap_or_default();
    let late = follow_up.due_at.is_none_or(|due| due < cx.now);
    let (tone, when) = if late {
        (Tone::Bad, w!(fmt, cases.late_since, when = when))
    } else {
        (Tone::Info, w!(fmt, cases.due, when = when))
    };
    let buttons = Outcome::ALL
        .into_iter()
        .map(|outcome| {
            let tone = if outcome == Outcome::Reached { ButtonTone::Primary } else { ButtonTone::Quiet };
            view! { <Button tone name="outcome" value=outcome.as_str().to_owned()>{outcome.in_words(fmt)}</Button> }
        })
        .collect_view();
    let (what, name) = (follow_up.what.clone(), follow_up.customer_name.clone());
    let (href, action) =
        (format!("/desk/customers/{}", follow_up.customer_id), format!("/desk/follow-ups/{}", follow_up.id));
    let end = if follow_up.undecided {
        let decide = w!(fmt, followups.decide);
        view! { <Actions><ButtonLink href="/desk/registrations">{decide}</ButtonLink></Actions> }.into_any()
    } else {
        view! { <form method="post" action=action><Actions>{buttons}</Actions></form> }.into_any()
    };
    view! {
        <Card>
            <p class="row"><strong>{what}</strong><Badge tone text=when/></p>
            <p><a href=href>{name}</a></p>
            {end}
        </Card>
    }
}
