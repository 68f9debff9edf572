//! The use cases of follow-ups: plan the next contact, do it, and empty the list of what was forgotten.

use super::store::{self, FollowUp, Neglected, NewFollowUp};
use crate::{
    access::{Act, Permit, Subject},
    cases::{
        domain::Matter,
        server::store::{self as cases, Case},
    },
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    followups::domain::{Outcome, Refusal, plan as check_plan},
    server::{Cx, form::Form, fresh, history, keys},
    values::{CaseId, FollowUpId, PersonId},
    w,
};
use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use uuid::Uuid;

/// The list shows so many at once; the rest follows as they are dealt with.
pub const MOST: i64 = 100;
/// When a follow-up may be planned for by one tap: so many days from now.
pub const WHEN_DAYS: [i64; 3] = [1, 3, 7];
const WHAT_MAX: u32 = 200;

/// The list of what somebody forgot.
pub async fn neglected(cx: &Cx) -> Result<Vec<Neglected>, AppError> {
    cx.person()?;
    cx.may(Act::ReadNeglected, &Subject::nobody())?;
    let mut tx = cx.db().read().await?;
    store::neglected(&mut tx, cx, MOST).await
}

/// A planned contact: for whom, about what, and by when.
#[derive(Clone, Debug)]
pub struct Plan {
    pub customer: Option<PersonId>,
    pub about: Option<(&'static str, Uuid)>,
    pub what: String,
    pub due: DateTime<Utc>,
    /// The key of the form that it came by, and what the form said: a double tap plans one contact.
    pub once: Option<(Uuid, String)>,
}

/// What makes a form one act.
fn once(form: &Form) -> Option<(Uuid, String)> {
    form.key().map(|key| (key, form.body()))
}

/// Reads a plan from a form: `what`, `due` in days, and what it is about (`entity`, `id`).
pub fn read(cx: &Cx, form: &Form, customer: Option<PersonId>) -> Result<Plan, AppError> {
    let mut faults = Faults::default();
    let days = form.parse::<i64>("due", &mut faults, Fault::NotAChoice).filter(|days| WHEN_DAYS.contains(days));
    let what = form.text("what").to_owned();
    if what.chars().count() > WHAT_MAX as usize {
        faults.add("what", Fault::TooLong { max: WHAT_MAX });
    }
    if days.is_none() && faults.of("due").is_none() {
        faults.add("due", Fault::NotAChoice);
    }
    faults.check()?;
    // Planned for a customer, it is about them, whatever else the form names.
    let about = match store::known(form.text("entity")).filter(|_| customer.is_none()) {
        Some(entity) => Some((entity, Uuid::try_parse(form.text("id")).map_err(|_| AppError::NotFound)?)),
        None => None,
    };
    let what = if what.is_empty() { usual(cx, about) } else { what };
    Ok(Plan { customer, about, what, due: in_days(cx, days.unwrap_or(1)), once: once(form) })
}

/// What is done where nobody says otherwise.
fn usual(cx: &Cx, about: Option<(&'static str, Uuid)>) -> String {
    match about {
        Some(("class", _)) => w!(cx, followups.plan_what_class),
        Some(("refund", _)) => w!(cx, followups.plan_what_refund),
        _ => w!(cx, followups.plan_what_default),
    }
}

/// The end of the working day so many days from now, at the company.
fn in_days(cx: &Cx, days: i64) -> DateTime<Utc> {
    let day = cx.today() + TimeDelta::days(days);
    let wall = day.and_time(NaiveTime::from_hms_opt(17, 0, 0).unwrap_or(NaiveTime::MIN));
    cx.company_zone()
        .from_local_datetime(&wall)
        .earliest()
        .map_or(cx.now + TimeDelta::days(days), |at| at.with_timezone(&Utc))
}

/// Plans the next contact. Whoever plans it has it; a case that nobody owned is theirs from then on.
pub async fn plan(cx: &Cx, plan: Plan) -> Result<FollowUpId, AppError> {
    let me = cx.person()?.id;
    check_plan(plan.due, cx.now)?;
    let cx2 = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, plan) = (cx2.clone(), plan.clone());
            Box::pin(async move {
                let scope = format!("plan_follow_up:{me}");
                let (key, body) = plan.once.clone().unzip();
                let body = body.unwrap_or_default();
                if let Some(answer) = keys::seen(tx, &scope, key, &body).await? {
                    return answer.parse().map_err(|_| AppError::NotFound);
                }
                if let Some((entity, id)) = plan.about {
                    tx.lock(&[Key::of(entity, id)]).await?;
                }
                let customer = match (plan.customer, plan.about) {
                    (Some(customer), _) => customer,
                    (None, Some((entity, id))) => store::customer_of(tx, entity, id).await?,
                    (None, None) => return Err(AppError::NotFound),
                };
                let permit = cx.may(Act::PlanFollowUp, &Subject::of(customer))?;
                if let Some(("follow_up", id)) = plan.about {
                    // Planning a follow-up anew moves it.
                    let id = FollowUpId(id);
                    if !store::take(tx, &permit, id, me, plan.due).await? {
                        return Err(Refusal::AlreadyDone.into());
                    }
                    record(tx, &cx, &permit, id, customer, "moved").await?;
                    keys::remember(tx, &scope, key, &body, &id.to_string()).await?;
                    return Ok(id);
                }
                if let Some(("case", id)) = plan.about {
                    let case = cases::find(tx, CaseId(id)).await?;
                    if case.matter.owner.is_none() {
                        taken_over(tx, &cx, &permit, &case).await?;
                    }
                    let owner = case.matter.owner.or(Some(me));
                    cases::save(tx, &permit, case.id, &Matter { owner, ..case.matter }, cx.now).await?;
                }
                let new =
                    NewFollowUp { id: fresh(), customer, owner: me, what: plan.what, about: plan.about, due: plan.due };
                store::insert(tx, &permit, &new, Some(me), cx.now).await?;
                record(tx, &cx, &permit, new.id, customer, "planned").await?;
                keys::remember(tx, &scope, key, &body, &new.id.to_string()).await?;
                Ok(new.id)
            })
        })
        .await
}

/// A case that nobody has is somebody's from now on, and its own history says whose doing that was.
async fn taken_over(tx: &mut Tx, cx: &Cx, permit: &Permit, case: &Case) -> Result<(), AppError> {
    let state = case.matter.state.as_str();
    let change = history::Change {
        entity: "case",
        id: case.id.0,
        customer: Some(case.customer),
        from: Some(state),
        to: Some(state),
        ..Default::default()
    };
    history::record(tx, cx, permit, change).await
}

/// What is late gets a contact by tomorrow, and it is me who makes it.
pub async fn get_in_touch_tomorrow(cx: &Cx, about: (&'static str, Uuid), form: &Form) -> Result<(), AppError> {
    let what = usual(cx, Some(about));
    plan(cx, Plan { customer: None, about: Some(about), what, due: in_days(cx, 1), once: once(form) }).await.map(|_| ())
}

/// Takes a follow-up that nobody owns or that is late: it is mine, until tomorrow.
pub async fn take(cx: &Cx, id: FollowUpId, form: &Form) -> Result<(), AppError> {
    let due = in_days(cx, 1);
    let about = Some(("follow_up", id.0));
    plan(cx, Plan { customer: None, about, what: String::new(), due, once: once(form) }).await.map(|_| ())
}

/// Somebody did it: how did it go?
pub async fn done(cx: &Cx, id: FollowUpId, form: &Form) -> Result<(), AppError> {
    cx.may(Act::DoneFollowUp, &Subject::nobody())?;
    let mut faults = Faults::default();
    let outcome = form.parse::<Outcome>("outcome", &mut faults, Fault::NotAChoice);
    faults.check()?;
    let outcome = outcome.ok_or(AppError::NotFound)?;
    let cx2 = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = cx2.clone();
            Box::pin(async move {
                let follow_up = store::find(tx, id).await?;
                let permit = cx.may(Act::DoneFollowUp, &Subject::of(follow_up.customer_id))?;
                if follow_up.undecided {
                    return Err(Refusal::Undecided.into());
                }
                if !store::done(tx, &permit, id, outcome, cx.now).await? {
                    return Err(Refusal::AlreadyDone.into());
                }
                record(tx, &cx, &permit, id, follow_up.customer_id, outcome.as_str()).await
            })
        })
        .await
}

/// What I have planned and not done.
pub async fn mine(cx: &Cx) -> Result<Vec<FollowUp>, AppError> {
    let me = cx.person()?.id;
    let mut tx = cx.db().read().await?;
    store::of_owner(&mut tx, me, 20).await
}

async fn record(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    id: FollowUpId,
    customer: PersonId,
    to: &str,
) -> Result<(), AppError> {
    let change =
        history::Change { entity: "follow_up", id: id.0, customer: Some(customer), to: Some(to), ..Default::default() };
    history::record(tx, cx, permit, change).await
}
