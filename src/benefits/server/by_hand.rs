//! What staff give by hand, beyond what the plan granted: more units, a longer period, a benefit of its own. Everything is
//! an entry of the ledger like any other, so that nothing is lost or made up.

use super::letters::{self, Given};
use crate::{
    access::{Act, Permit},
    benefits::domain::{Allowance, Refusal, longer},
    catalog::server::store::plans,
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    execute, fetch_optional,
    purchases::server::store::{ItemRow, item},
    server::{
        Cx,
        form::Form,
        fresh,
        history::{self, Change},
        keys,
    },
    values::{BenefitEntryId, BenefitId, ItemId},
};
use chrono::{Days, NaiveDate};

/// The longest reason.
pub const WHY: u32 = 500;
/// Most units that are given at once.
pub const UNITS: i64 = 100;
/// How far ahead a benefit can end, in days.
const REACH: u64 = 3660;

/// What can be given to an item: a repair only of what can be repaired.
pub fn allowances(item: &ItemRow) -> Vec<Allowance> {
    let fits = |allowance: &Allowance| *allowance != Allowance::Repair || item.kind().can_be_repaired();
    Allowance::ALL.iter().copied().filter(fits).collect()
}

/// What is given.
#[derive(Clone, Debug, PartialEq)]
enum Gift {
    More { benefit: BenefitId, units: i64 },
    Longer { benefit: BenefitId, ends_on: NaiveDate },
    New { plan: String, allowance: Allowance, units: i64, ends_on: NaiveDate },
}

fn read(form: &Form, today: NaiveDate) -> Result<(Gift, String), AppError> {
    let mut faults = Faults::default();
    let benefit = |faults: &mut Faults| form.parse::<BenefitId>("benefit", faults, Fault::NotAChoice);
    let gift = match form.text("do") {
        "more" => {
            let (benefit, units) = (benefit(&mut faults), units(form, &mut faults));
            benefit.zip(units).map(|(benefit, units)| Gift::More { benefit, units })
        }
        "longer" => {
            let (benefit, end) = (benefit(&mut faults), end(form, today, &mut faults));
            benefit.zip(end).map(|(benefit, ends_on)| Gift::Longer { benefit, ends_on })
        }
        "new" => {
            let plan: Option<String> = form.parse("plan", &mut faults, Fault::NotAChoice);
            let allowance = form.parse::<Allowance>("allowance", &mut faults, Fault::NotAChoice);
            let (units, end) = (units(form, &mut faults), end(form, today, &mut faults));
            match (plan, allowance, units, end) {
                (Some(plan), Some(allowance), Some(units), Some(ends_on)) => {
                    Some(Gift::New { plan, allowance, units, ends_on })
                }
                _ => None,
            }
        }
        _ => return Err(AppError::NotFound),
    };
    let why = form.words("why", WHY, &mut faults);
    faults.check()?;
    gift.map(|gift| (gift, why)).ok_or(AppError::NotFound)
}

fn units(form: &Form, faults: &mut Faults) -> Option<i64> {
    let units = form.parse::<i64>("units", faults, Fault::NotANumber)?;
    if units < 1 {
        faults.add("units", Fault::TooSmall { min: 1 });
    } else if units > UNITS {
        faults.add("units", Fault::TooLarge { max: UNITS });
    }
    Some(units)
}

/// The first day on which it cannot be used any more; the form names the last on which it can.
fn end(form: &Form, today: NaiveDate, faults: &mut Faults) -> Option<NaiveDate> {
    let last = form.parse::<NaiveDate>("until", faults, Fault::NotADate)?;
    if last < today {
        faults.add("until", Fault::InThePast);
    } else if today.checked_add_days(Days::new(REACH)).is_none_or(|end| last > end) {
        faults.add("until", Fault::NotADate);
    }
    last.succ_opt()
}

/// Gives what the form says to a piece, says why, and tells the customer; answers whether a period was moved.
///
/// # Errors
/// Faults of the form; [`Refusal`] where the ledger says no.
pub async fn give(cx: &Cx, id: ItemId, form: &Form) -> Result<bool, AppError> {
    let me = cx.person()?.id;
    let (gift, why) = read(form, cx.today())?;
    let moved = matches!(gift, Gift::Longer { .. });
    let (key, body, context) = (form.key(), form.body(), cx.clone());
    cx.db()
        .write(move |tx| {
            let (cx, gift, why, body) = (context.clone(), gift.clone(), why.clone(), body.clone());
            Box::pin(async move {
                let item = item(tx, id).await?.ok_or(AppError::NotFound)?;
                let act = if moved { Act::ExtendBenefit } else { Act::GrantBenefit };
                let permit = cx.may(act, &item.subject())?;
                let scope = format!("give_benefit:{me}");
                if keys::seen(tx, &scope, key, &body).await?.is_some() {
                    return Ok(());
                }
                tx.lock(&[Key::of("item", id.0)]).await?;
                let (benefit, given) = match gift {
                    Gift::More { benefit, units } => {
                        (more(tx, &permit, &cx, id, benefit, units).await?, Given::More { units })
                    }
                    Gift::Longer { benefit, ends_on } => {
                        (extend(tx, &permit, &cx, id, benefit, ends_on).await?, Given::Longer)
                    }
                    Gift::New { plan, allowance, units, ends_on } => {
                        (grant(tx, &permit, &cx, &item, &plan, allowance, units, ends_on).await?, Given::More { units })
                    }
                };
                let change = Change {
                    entity: "benefit",
                    id: benefit.0,
                    customer: Some(item.owner_person),
                    why: Some(&why),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await?;
                letters::given(tx, &cx, &item, benefit, given, &why).await?;
                keys::remember(tx, &scope, key, &body, "done").await
            })
        })
        .await?;
    Ok(moved)
}

const ENTER: &str = "insert into benefit_entry (id, benefit_id, at, kind, units) values ($1, $2, $3, $4, $5)";

async fn enter(tx: &mut Tx, cx: &Cx, benefit: BenefitId, kind: &'static str, units: i64) -> Result<(), AppError> {
    execute!(tx, ENTER, fresh::<BenefitEntryId>(), benefit, cx.now, kind, units)?;
    Ok(())
}

const MORE: &str = "update benefit set granted = granted + $3, available = available + $3 \
    where id = $1 and item_id = $2 and ends_on > $4";

async fn more(
    tx: &mut Tx,
    _: &Permit,
    cx: &Cx,
    item: ItemId,
    benefit: BenefitId,
    units: i64,
) -> Result<BenefitId, AppError> {
    if execute!(tx, MORE, benefit, item, units, cx.today())? == 0 {
        return Err(Refusal::OutsideItsPeriod.into());
    }
    enter(tx, cx, benefit, "grant", units).await?;
    Ok(benefit)
}

const STANDS: &str = "select ends_on, expired from benefit where id = $1 and item_id = $2";
/// Only if it still is what was read: what expires meanwhile would be counted wrongly.
const EXTEND: &str = "update benefit set ends_on = $2, available = available + expired, expired = 0, extended_at = $3 \
    where id = $1 and ends_on = $4 and expired = $5";

async fn extend(
    tx: &mut Tx,
    _: &Permit,
    cx: &Cx,
    item: ItemId,
    benefit: BenefitId,
    ends_on: NaiveDate,
) -> Result<BenefitId, AppError> {
    let (end, expired) = fetch_optional!(tx, (NaiveDate, i64), STANDS, benefit, item)?.ok_or(AppError::NotFound)?;
    longer(end, ends_on, cx.today())?;
    if execute!(tx, EXTEND, benefit, ends_on, cx.now, end, expired)? == 0 {
        return Err(AppError::Busy);
    }
    enter(tx, cx, benefit, "extend", expired).await?;
    Ok(benefit)
}

const GRANT: &str = "insert into benefit (id, item_id, person_id, organisation_id, allowance, plan_code, plan_name, \
    starts_on, ends_on, granted, available, reserved, used, expired, created_at, granted_at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, 0, 0, 0, $11, $11) on conflict do nothing";

#[allow(clippy::too_many_arguments, reason = "the columns of a benefit")]
async fn grant(
    tx: &mut Tx,
    _: &Permit,
    cx: &Cx,
    item: &ItemRow,
    plan: &str,
    allowance: Allowance,
    units: i64,
    ends_on: NaiveDate,
) -> Result<BenefitId, AppError> {
    if !allowances(item).contains(&allowance) {
        return Err(Faults::only("allowance", Fault::NotAChoice));
    }
    let plans = plans(tx).await?;
    let plan = plans.get(plan).ok_or_else(|| Faults::only("plan", Fault::NotAChoice))?;
    let id: BenefitId = fresh();
    let added = execute!(
        tx,
        GRANT,
        id,
        item.id,
        item.owner_person,
        item.organisation,
        allowance.as_str(),
        plan.code.as_str(),
        plan.name.as_str(),
        cx.today(),
        ends_on,
        units,
        cx.now
    )?;
    if added == 0 {
        return Err(Refusal::ThereAlready.into());
    }
    enter(tx, cx, id, "grant", units).await?;
    Ok(id)
}
