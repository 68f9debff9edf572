//! The demo company's money: somebody paid for a class, cancelled in time, and has it to come back.

use super::service;
use crate::{
    access::{Role, Viewer},
    cases::server::demo::acting,
    charges::domain::ChargeState,
    error::AppError,
    fetch_optional,
    server::{Cx, demo::Cast},
    training::server::{
        demo::person,
        seats::{self, Consent},
    },
    values::{ChargeId, ClassId, PersonId},
};
use chrono::TimeDelta;

/// A seat that somebody owes, in a class that is far off and has room, so that nothing else follows from cancelling it.
const OWED: &str = "select c.id, k.id, e.person_id from charge c join enrolment e on e.id = c.entity_id \
    join class k on k.id = e.class_id where c.entity = 'enrolment' and c.state = 'due' and e.state = 'booked' \
    and e.party_id is null and k.state = 'open' and k.starts_at > $1 and k.waiting = 0 and k.held = 0 \
    order by c.id desc limit 1";

/// Pays a seat and gives it back, through the same use cases as everybody else.
pub async fn seed(cx: &Cx, cast: &Cast) -> Result<(), AppError> {
    let far = cx.now + TimeDelta::days(14);
    let mut tx = cx.db().read().await?;
    let owed = fetch_optional!(tx, (ChargeId, ClassId, PersonId), OWED, far)?;
    drop(tx);
    let Some((charge, class, learner)) = owed.filter(|(_, _, learner)| cast.customers.contains(learner)) else {
        return Ok(());
    };
    let agent = acting(cx, cast, "agent", Role::Agent)?;
    let paid = Cx { now: cx.now - TimeDelta::hours(40), ..agent };
    service::settle(&paid, charge, ChargeState::Paid).await?;
    let learner = Viewer::Person(Box::new(person(cx, learner, &[], Vec::new()).await?));
    let cancelled = Cx { now: cx.now - TimeDelta::hours(20), ..cx.as_viewer(learner) };
    seats::cancel(&cancelled, class, Consent::default()).await.map(|_| ())
}
