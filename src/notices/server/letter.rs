//! Every letter that the portal writes. Each slice words its own; this is the list.

use crate::{
    cases::server::CaseLetter, i18n::Fmt, ratings::server::FeedbackLetter, server::Cx,
    training::server::letters::TrainingLetter, w,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use leptos::prelude::*;

/// A letter with what it needs to be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Letter {
    SignIn { code: String, link: String },
    Case(CaseLetter),
    Feedback(FeedbackLetter),
    RegistrationCode { code: String },
    RegistrationAccepted { serial: String, link: String },
    RegistrationRefused { serial: String, why: String, link: String },
    RegisteredToAnother { product: String, serial: String, link: String },
    Repair(Box<crate::repairs::server::letters::RepairLetter>),
    Training(TrainingLetter),
    Learning(crate::training::server::learning_letters::LearningLetter),
    Group(Box<crate::training::server::group_letters::GroupLetter>),
    Team(crate::training::server::team_letters::TeamLetter),
    Crew(Box<crate::training::server::crew_letters::CrewLetter>),
    PaidBack(crate::charges::server::letters::PaidBack),
    HandOver(Box<crate::purchases::server::hand_over::HandOverLetter>),
    Benefit(Box<crate::benefits::server::letters::BenefitLetter>),
}

/// Whether it may arrive at night.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgency {
    /// An answer to the reader's own act, a code, a safety recall.
    AtOnce,
    /// Waits for the morning.
    ByDay,
    /// Waits for the morning, if there is time left for an answer then.
    Until(DateTime<Utc>),
}

/// A letter in words. The body is plain text; a paragraph a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    pub subject: String,
    pub body: String,
    /// The one place where it leads.
    pub link: Option<String>,
}

impl Letter {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SignIn { .. } => "sign_in",
            Self::Case(letter) => letter.kind(),
            Self::Feedback(letter) => letter.kind(),
            Self::RegistrationCode { .. } => "registration_code",
            Self::RegistrationAccepted { .. } => "registration_accepted",
            Self::RegistrationRefused { .. } => "registration_refused",
            Self::RegisteredToAnother { .. } => "registered_to_another",
            Self::Repair(letter) => letter.kind(),
            Self::Training(letter) => letter.kind(),
            Self::Learning(letter) => letter.kind(),
            Self::Group(letter) => letter.kind(),
            Self::Team(letter) => letter.kind(),
            Self::Crew(letter) => letter.kind(),
            Self::PaidBack(letter) => letter.kind(),
            Self::Benefit(letter) => letter.kind(),
            Self::HandOver(letter) => letter.kind(),
        }
    }

    pub fn urgency(&self) -> Urgency {
        match self {
            Self::SignIn { .. } | Self::RegistrationCode { .. } => Urgency::AtOnce,
            Self::RegistrationAccepted { .. } | Self::RegistrationRefused { .. } | Self::RegisteredToAnother { .. } => {
                Urgency::ByDay
            }
            Self::Case(letter) => letter.urgency(),
            Self::Feedback(letter) => letter.urgency(),
            Self::Repair(letter) => letter.urgency(),
            Self::Training(letter) => letter.urgency(),
            Self::Learning(letter) => letter.urgency(),
            Self::Group(letter) => letter.urgency(),
            Self::Team(letter) => letter.urgency(),
            Self::Crew(letter) => letter.urgency(),
            Self::PaidBack(letter) => letter.urgency(),
            Self::Benefit(letter) => letter.urgency(),
            Self::HandOver(letter) => letter.urgency(),
        }
    }

    /// In the reader's language and time zone.
    pub fn write(&self, fmt: Fmt, zone: Tz, company: &str) -> Written {
        match self {
            Self::SignIn { code, link } => Written {
                subject: w!(fmt, shell.letter_sign_in_subject, code = code.clone(), company = company.to_owned()),
                body: w!(fmt, shell.letter_sign_in_body, code = code.clone(), company = company.to_owned()),
                link: Some(link.clone()),
            },
            Self::Case(letter) => letter.write(fmt, zone),
            Self::Feedback(letter) => letter.write(fmt),
            Self::RegistrationCode { code } => Written {
                subject: w!(fmt, purchases.letter_code_subject, code = code.clone()),
                body: w!(fmt, purchases.letter_code_text, code = code.clone()),
                link: None,
            },
            Self::RegistrationAccepted { serial, link } => Written {
                subject: w!(fmt, purchases.letter_accepted_subject, serial = serial.clone()),
                body: w!(fmt, purchases.letter_accepted_text, serial = serial.clone()),
                link: Some(link.clone()),
            },
            Self::RegistrationRefused { serial, why, link } => Written {
                subject: w!(fmt, purchases.letter_refused_subject, serial = serial.clone()),
                body: w!(fmt, purchases.letter_refused_text, serial = serial.clone(), why = why.clone()),
                link: Some(link.clone()),
            },
            Self::RegisteredToAnother { product, serial, link } => Written {
                subject: w!(fmt, purchases.letter_another_subject, product = product.clone()),
                body: w!(fmt, purchases.letter_another_text, product = product.clone(), serial = serial.clone()),
                link: Some(link.clone()),
            },
            Self::Repair(letter) => letter.write(fmt, zone),
            Self::Training(letter) => letter.write(fmt),
            Self::Learning(letter) => letter.write(fmt),
            Self::Group(letter) => letter.write(fmt),
            Self::Team(letter) => letter.write(fmt, company),
            Self::Crew(letter) => letter.write(fmt),
            Self::PaidBack(letter) => letter.write(fmt),
            Self::Benefit(letter) => letter.write(fmt),
            Self::HandOver(letter) => letter.write(fmt),
        }
    }
}

/// The body of a letter on a page: a line that ends with an address of the portal leads there by its words.
pub fn paragraphs(cx: &Cx, body: &str) -> Vec<AnyView> {
    let origin = format!("{}/", cx.app.config.origin());
    let line = |line: &str| match line.rsplit_once(": ").filter(|(_, link)| link.starts_with(&origin)) {
        Some((words, link)) => view! { <p><a href=link.to_owned()>{words.to_owned()}</a></p> }.into_any(),
        None => view! { <p>{line.to_owned()}</p> }.into_any(),
    };
    body.lines().filter(|text| !text.is_empty()).map(line).collect()
}
