//! What a seat costs in the ledger and in charges: the only place where training touches either.

use super::store::{self, ClassRow};
use crate::{
    access::Person,
    benefits::{
        domain::{Allowance, Balance, Reference},
        server::ledger,
    },
    charges::{domain::NewCharge, server as charges},
    db::Tx,
    error::AppError,
    training::domain::{Cost, SeatRight, party},
    values::{BenefitId, EnrolmentId, OrganisationId, PersonId, ProductId},
};
use chrono::{DateTime, NaiveDate, Utc};

/// Under which name the ledger and the charges know a seat.
const ENTITY: &str = "enrolment";

/// What a seat costs this person: of their own plans and those of the firms that they own, the right that ends
/// soonest, else the price.
pub async fn cost(tx: &mut Tx, today: NaiveDate, class: &ClassRow, person: &Person) -> Result<Cost, AppError> {
    if class.price_minor == 0 {
        return Ok(Cost::Free);
    }
    let products = store::course_products(tx, class.course_id).await?;
    cost_of(tx, today, class, person, &products).await
}

/// The same where the products of the course are known.
pub async fn cost_of(
    tx: &mut Tx,
    today: NaiveDate,
    class: &ClassRow,
    person: &Person,
    products: &[ProductId],
) -> Result<Cost, AppError> {
    if class.price_minor == 0 {
        return Ok(Cost::Free);
    }
    // What holds on the day of the class pays, or today where that has begun; what holds only today says why it does not.
    let day = class.first_day().max(today);
    let mut rights = rights(tx, person, [day, today]).await?;
    rights.sort_by_key(|right| right.until < day);
    Ok(Cost::of(class.price(), products, &rights, day))
}

/// The class seats that a person may use on one of two days.
async fn rights(tx: &mut Tx, person: &Person, on: [NaiveDate; 2]) -> Result<Vec<SeatRight>, AppError> {
    Ok(ledger::balances_on(tx, person.id, Allowance::TrainingSeat, on).await?.into_iter().map(right).collect())
}

fn right(balance: Balance) -> SeatRight {
    SeatRight {
        benefit: balance.benefit,
        product: balance.product,
        plan: balance.plan_name,
        granted: balance.granted,
        left: balance.left,
        until: balance.until,
    }
}

/// What so many seats cost a firm: its own plans pay first, never those of its owner.
pub async fn firm_costs(
    tx: &mut Tx,
    today: NaiveDate,
    class: &ClassRow,
    firm: OrganisationId,
    seats: i64,
) -> Result<Vec<Cost>, AppError> {
    let products = store::course_products(tx, class.course_id).await?;
    let day = class.first_day();
    let mut rights: Vec<SeatRight> =
        ledger::balances_of_firm(tx, firm, Allowance::TrainingSeat, day).await?.into_iter().map(right).collect();
    // What holds only today says why it does not pay.
    for balance in ledger::balances_of_firm(tx, firm, Allowance::TrainingSeat, today).await? {
        if !rights.iter().any(|known| known.benefit == balance.benefit) {
            rights.push(right(balance));
        }
    }
    Ok(party::costs(class.price(), &products, &rights, day, seats))
}

/// Reserves a seat of a firm in the ledger, or opens the charge that its owner agreed to.
pub async fn take_for_firm(
    tx: &mut Tx,
    id: EnrolmentId,
    owner: PersonId,
    firm: OrganisationId,
    cost: &Cost,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    charge(tx, id, owner, Some(firm), cost, now).await
}

/// What one place had reserved or owes goes with it to another.
pub async fn carry_over(tx: &mut Tx, from: EnrolmentId, to: EnrolmentId) -> Result<(), AppError> {
    ledger::carry_over(tx, reference(from), reference(to)).await?;
    charges::carry_over(tx, ENTITY, from.0, to.0).await
}

/// Reserves the seat in the ledger, or opens the charge that was agreed to.
pub async fn take(
    tx: &mut Tx,
    id: EnrolmentId,
    person: PersonId,
    cost: &Cost,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    charge(tx, id, person, None, cost, now).await
}

async fn charge(
    tx: &mut Tx,
    id: EnrolmentId,
    person: PersonId,
    organisation: Option<OrganisationId>,
    cost: &Cost,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    match cost {
        Cost::Free => Ok(()),
        Cost::Covered { benefit, .. } => ledger::reserve(tx, *benefit, 1, reference(id), now).await,
        Cost::Pays { price, .. } => {
            let charge = NewCharge {
                person,
                organisation,
                amount: *price,
                reason: "class",
                entity: ENTITY,
                entity_id: id.0,
                consent_at: now,
            };
            charges::open(tx, charge, now).await.map(|_| ())
        }
    }
}

/// The seat is used, or was cancelled too late: the allowance is spent, a charge stays due.
pub async fn spend(tx: &mut Tx, id: EnrolmentId, now: DateTime<Utc>) -> Result<(), AppError> {
    ledger::spend(tx, reference(id), now).await
}

/// The seat costs nothing after all: the allowance comes back, a charge is void, or paid back where it was paid.
pub async fn give_back(tx: &mut Tx, id: EnrolmentId, now: DateTime<Utc>) -> Result<(), AppError> {
    ledger::release(tx, reference(id), now).await?;
    charges::reverse(tx, ENTITY, id.0, now).await.map(|_| ())
}

/// The class of a seat that was cancelled too late does not take place: what it used comes back, what it cost is void or
/// paid back. Says whether it had cost anything.
pub async fn forgive(
    tx: &mut Tx,
    id: EnrolmentId,
    benefit: Option<BenefitId>,
    now: DateTime<Utc>,
) -> Result<bool, AppError> {
    let restored = match benefit {
        Some(benefit) => ledger::restore(tx, benefit, reference(id), now).await?,
        None => false,
    };
    Ok(charges::reverse(tx, ENTITY, id.0, now).await? || restored)
}

/// Whether something is still held or owed for the seat, or was paid for it.
pub async fn is_held(tx: &mut Tx, id: EnrolmentId) -> Result<bool, AppError> {
    Ok(ledger::is_held(tx, reference(id)).await? || charges::is_owed(tx, ENTITY, id.0).await?)
}

fn reference(id: EnrolmentId) -> Reference<'static> {
    Reference { entity: ENTITY, id: id.0 }
}
