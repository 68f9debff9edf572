//! What training writes to people about the firm that they belong to, or are asked to.

use super::store::{members::InvitationRow, parties};
use crate::{
    db::Tx,
    error::AppError,
    i18n::Fmt,
    notices::server::{Letter, To, Urgency, Written, service},
    people::server::store as people,
    server::Cx,
    values::{OrganisationId, PersonId},
    w,
};

/// A letter with what it needs to be written.
#[derive(Clone, Debug, PartialEq)]
pub enum TeamLetter {
    Invited { owner: String, firm: String, link: String },
    Ended { owner: String, firm: String, link: String },
}

impl TeamLetter {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Invited { .. } => "team_invitation",
            Self::Ended { .. } => "membership_ended",
        }
    }

    pub fn urgency(&self) -> Urgency {
        Urgency::ByDay
    }

    /// In the reader's language.
    pub fn write(&self, fmt: Fmt, company: &str) -> Written {
        match self {
            Self::Invited { owner, firm, link } => Written {
                subject: w!(fmt, team.letter_subject, owner = owner.clone(), firm = firm.clone()),
                body: w!(
                    fmt,
                    team.letter_body,
                    owner = owner.clone(),
                    firm = firm.clone(),
                    company = company.to_owned()
                ),
                link: Some(link.clone()),
            },
            Self::Ended { owner, firm, link } => Written {
                subject: w!(fmt, team.letter_ended_subject, firm = firm.clone()),
                body: w!(fmt, team.letter_ended_body, owner = owner.clone(), firm = firm.clone()),
                link: Some(link.clone()),
            },
        }
    }
}

impl From<TeamLetter> for Letter {
    fn from(letter: TeamLetter) -> Self {
        Self::Team(letter)
    }
}

/// Somebody is asked to join a firm. Known or not, they get the same.
pub async fn invited(tx: &mut Tx, cx: &Cx, row: &InvitationRow) -> Result<(), AppError> {
    let person = people::by_email(tx, &row.email).await?.map(|person| person.id);
    let letter = TeamLetter::Invited {
        owner: row.owner_name.clone(),
        firm: row.organisation_name.clone(),
        link: cx.app.config.address(&format!("/invitations/{}", row.id)),
    };
    let to = To::Address { email: row.email.clone(), person };
    service::send(tx, cx, to, letter.into(), &format!("team_invitation:{}", row.id)).await
}

/// Somebody no longer belongs to a firm.
pub async fn ended(tx: &mut Tx, cx: &Cx, firm: OrganisationId, person: PersonId) -> Result<(), AppError> {
    let letter = TeamLetter::Ended {
        owner: cx.person()?.name.clone(),
        firm: parties::firm_name(tx, firm).await?,
        link: cx.app.config.address("/training/mine"),
    };
    let once = format!("membership_ended:{firm}:{person}:{}", cx.now.timestamp_micros());
    service::send(tx, cx, To::Person(person), letter.into(), &once).await
}
