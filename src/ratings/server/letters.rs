//! The question in writing, with a link for each answer. A link opens the page with its choice made; only the button
//! there answers.

use super::{service::Question, words};
use crate::{
    db::Tx,
    error::AppError,
    i18n::Fmt,
    notices::server::{Letter, To, Urgency, Written},
    ratings::domain::Moment,
    server::Cx,
    values::FeedbackId,
    w,
};

/// A letter that asks how it was.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedbackLetter {
    moment: Moment,
    about: String,
    link: String,
    reminder: bool,
}

impl FeedbackLetter {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        if self.reminder { "feedback_reminder" } else { "feedback" }
    }

    pub fn urgency(&self) -> Urgency {
        Urgency::ByDay
    }

    /// In the reader's language.
    pub fn write(&self, fmt: Fmt) -> Written {
        let question = words::question(self.moment, &self.about, fmt);
        let choices: Vec<String> = words::choices(self.moment.measure(), fmt)
            .into_iter()
            .map(|(score, words)| format!("{words}: {}?score={score}", self.link))
            .collect();
        let mut body = format!("{question}\n\n{}\n\n{}", choices.join("\n"), w!(fmt, ratings.letter_body));
        if self.reminder {
            body = format!("{body}\n\n{}", w!(fmt, ratings.letter_reminder));
        }
        Written {
            subject: w!(fmt, ratings.letter_subject, about = self.about.clone()),
            body,
            link: Some(self.link.clone()),
        }
    }
}

/// Sends the question, or its one reminder.
pub(super) async fn asked(
    tx: &mut Tx,
    cx: &Cx,
    question: &Question,
    id: FeedbackId,
    token: &str,
    reminder: bool,
) -> Result<(), AppError> {
    let letter = FeedbackLetter {
        moment: question.moment,
        about: question.about.clone(),
        link: cx.app.config.address(&format!("/rate/{token}")),
        reminder,
    };
    let key = if reminder { format!("feedback_reminder:{id}") } else { format!("feedback:{id}") };
    crate::notices::server::service::send(tx, cx, To::Person(question.person), Letter::Feedback(letter), &key).await
}
