//! What training writes to people about the firm that they belong to, or are asked to.

use super::store::{members::InvitationRow, parties};
use crate::{
    db::Tx,
    error::AppError,
    i18n::Fmt,
    notices::server::{Letter, To, Urgency, Written, service},
    people::server::store as people,
    server::Cx,
    training::domain::team::Standing,
    values::{OrganisationId, PersonId},
    w,
};

/// A letter with what it needs to be written. Whoever was an owner hears it from the company, and which owner has now what
/// they had for the firm.
#[derive(Clone, Debug, PartialEq)]
pub enum TeamLetter {
    Invited { owner: String, firm: String, link: String },
    Ended { owner: String, firm: String, link: String },
    OwnerEnded { owner: String, firm: String, link: String },
}

impl TeamLetter {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Invited { .. } => "team_invitation",
            Self::Ended { .. } | Self::OwnerEnded { .. } => "membership_ended",
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
            Self::OwnerEnded { owner, firm, link } => Written {
                subject: w!(fmt, team.letter_ended_subject, firm = firm.clone()),
                body: w!(fmt, team.letter_owner_ended_body, owner = owner.clone(), firm = firm.clone()),
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

/// Somebody no longer belongs to a firm: a member, or one of its owners. What they had for it is with `owner`.
pub async fn ended(
    tx: &mut Tx,
    cx: &Cx,
    firm: OrganisationId,
    (person, standing): (PersonId, Standing),
    owner: String,
) -> Result<(), AppError> {
    let (name, link) = (parties::firm_name(tx, firm).await?, cx.app.config.address("/training/mine"));
    let letter = match standing {
        Standing::Owner => TeamLetter::OwnerEnded { owner, firm: name, link },
        _ => TeamLetter::Ended { owner, firm: name, link },
    };
    let once = format!("membership_ended:{firm}:{person}:{}", cx.now.timestamp_micros());
    service::send(tx, cx, To::Person(person), letter.into(), &once).await
}
