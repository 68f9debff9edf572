//! Who asks, what they want to do, and whether they may: the only place that decides it.

pub mod policy;

use crate::{
    error::AppError,
    values::{EmailAddress, OrganisationId, PersonId},
};
use std::collections::BTreeSet;

pub use policy::{Act, allows};

/// What somebody is to the company. A person without a role is a customer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    Trainer,
    Technician,
    Agent,
    Manager,
    Admin,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Trainer, Self::Technician, Self::Agent, Self::Manager, Self::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trainer => "trainer",
            Self::Technician => "technician",
            Self::Agent => "agent",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| format!("{text:?} is not a role"))
    }
}

/// What somebody is to a business customer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Membership {
    Owner,
    Member,
}

/// Whoever is signed in.
#[derive(Clone, PartialEq, Debug)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub email: EmailAddress,
    pub language: Option<String>,
    pub zone: Option<String>,
    pub roles: BTreeSet<Role>,
    pub memberships: Vec<(OrganisationId, Membership)>,
}

impl Person {
    pub fn is_staff(&self) -> bool {
        !self.roles.is_empty()
    }

    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    pub fn owned_organisations(&self) -> Vec<OrganisationId> {
        self.memberships.iter().filter(|(_, m)| *m == Membership::Owner).map(|(id, _)| *id).collect()
    }
}

/// Who asks.
#[derive(Clone, PartialEq, Debug)]
pub enum Viewer {
    /// Nobody known.
    Guest,
    /// Somebody signed in.
    Person(Box<Person>),
    /// The holder of a secret link, for the one thing that it names.
    Link { act: Act, person: PersonId },
    /// Whoever runs the command line on the server.
    Operator,
    /// The portal itself: jobs, time-outs.
    System,
}

/// Whose thing it is, and who of the staff it is given to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Subject {
    pub person: Option<PersonId>,
    pub organisation: Option<OrganisationId>,
    pub assigned: Option<PersonId>,
}

impl Subject {
    /// Something that belongs to nobody in particular.
    pub fn nobody() -> Self {
        Self::default()
    }

    pub fn of(person: PersonId) -> Self {
        Self { person: Some(person), ..Self::default() }
    }

    pub fn within(self, organisation: Option<OrganisationId>) -> Self {
        Self { organisation, ..self }
    }

    pub fn assigned_to(self, staff: Option<PersonId>) -> Self {
        Self { assigned: staff, ..self }
    }
}

/// The proof that somebody was asked whether this may be done. Only [`Viewer::may`] makes one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permit {
    act: Act,
    subject: Subject,
}

impl Permit {
    pub fn act(&self) -> Act {
        self.act
    }

    pub fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// What a viewer may list: everything, or what is theirs and their firms'.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    Everything,
    Own { person: PersonId, organisations: Vec<OrganisationId> },
    Nothing,
}

impl Viewer {
    /// # Errors
    /// [`AppError::SignIn`] for a guest, [`AppError::NotFound`] where a customer asks for what is not theirs,
    /// [`AppError::Forbidden`] where staff lack the role.
    pub fn may(&self, act: Act, subject: &Subject) -> Result<Permit, AppError> {
        if allows(self, act, subject) {
            return Ok(Permit { act, subject: *subject });
        }
        Err(match self {
            Self::Guest => AppError::SignIn,
            Self::Person(person) if person.is_staff() => AppError::Forbidden,
            _ => AppError::NotFound,
        })
    }

    pub fn can(&self, act: Act, subject: &Subject) -> bool {
        allows(self, act, subject)
    }

    pub fn person(&self) -> Option<&Person> {
        match self {
            Self::Person(person) => Some(person),
            _ => None,
        }
    }

    pub fn is_staff(&self) -> bool {
        self.person().is_some_and(Person::is_staff)
    }

    /// What this viewer may list as a customer: what is theirs, and for an owner what is the firm's.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Person(person) => Scope::Own { person: person.id, organisations: person.owned_organisations() },
            Self::Operator | Self::System => Scope::Everything,
            Self::Guest | Self::Link { .. } => Scope::Nothing,
        }
    }
}
