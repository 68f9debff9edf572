//! What operators do about people: add staff, name a firm's owner.

use super::store::{self, NewPerson, OrganisationRow};
use crate::{
    access::{Act, Membership, Role, Subject},
    error::AppError,
    server::{Cx, history},
    values::{EmailAddress, OrganisationId, PersonId},
};

/// Makes somebody staff, known or new. What was booked before there was a technician gets one now.
pub async fn add_staff(cx: &Cx, email: EmailAddress, name: String, role: Role) -> Result<PersonId, AppError> {
    let permit = cx.may(Act::AddStaff, &Subject::nobody())?;
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, email, name) = (context.clone(), email.clone(), name.clone());
            Box::pin(async move {
                let new = NewPerson { email: Some(email), name, staff: true, ..NewPerson::default() };
                let person = store::insert(tx, &permit, &new, cx.now).await?;
                store::add_role(tx, &permit, person, role).await?;
                if role == Role::Technician {
                    crate::repairs::server::service::give_waiting(tx, &cx, &permit).await?;
                }
                let change =
                    history::Change { entity: "person", id: person.0, to: Some(role.as_str()), ..Default::default() };
                history::record(tx, &cx, &permit, change).await?;
                Ok(person)
            })
        })
        .await
}

/// The firms that an operator may mean by a name or a number.
pub async fn firms_called(cx: &Cx, text: &str) -> Result<Vec<OrganisationRow>, AppError> {
    cx.may(Act::NameOwner, &Subject::nobody())?;
    store::organisations_called(&mut cx.db().read().await?, text.trim()).await
}

/// Names the owner of a firm, who sees all that it bought and enrols its people. An import never does this.
pub async fn name_owner(cx: &Cx, organisation: OrganisationId, email: EmailAddress) -> Result<(), AppError> {
    let permit = cx.may(Act::NameOwner, &Subject::nobody())?;
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, email) = (context.clone(), email.clone());
            Box::pin(async move {
                let name = email.as_str().split('@').next().unwrap_or_default().to_owned();
                let person =
                    store::insert(tx, &permit, &NewPerson { email: Some(email), name, ..NewPerson::default() }, cx.now)
                        .await?;
                store::join(tx, &permit, organisation, person, Membership::Owner, cx.now).await?;
                let change = history::Change {
                    entity: "organisation",
                    id: organisation.0,
                    customer: Some(person),
                    to: Some("owner"),
                    ..Default::default()
                };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}
