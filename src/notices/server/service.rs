//! Sending: the letter is written in the reader's language and stored with the change that caused it; a job hands it
//! over to the mail server later.

use super::{
    letter::{Letter, Urgency},
    store::{self, MessageRow},
};
use crate::{
    db::Tx,
    error::AppError,
    i18n::{self, Fmt, Locale},
    jobs::{self, Job},
    notices::domain::wait_for_morning,
    people::server::store as people,
    server::{Cx, clock::real_now, fresh},
    values::{EmailAddress, MessageId, PersonId},
};
use leptos_i18n::Locale as _;

/// Whom a letter is for.
#[derive(Clone, Debug)]
pub enum To {
    Person(PersonId),
    /// An address that may be nobody's yet.
    Address {
        email: EmailAddress,
        person: Option<PersonId>,
    },
}

/// Writes and stores a letter, once for each `dedupe_key`, in the caller's transaction. Who has no address gets it
/// in the inbox only.
pub async fn send(tx: &mut Tx, cx: &Cx, to: To, letter: Letter, dedupe_key: &str) -> Result<(), AppError> {
    let (email, reader) = match to {
        To::Person(id) => {
            let person = people::by_id(tx, id).await?.ok_or(AppError::NotFound)?;
            (person.email.clone(), Some(person))
        }
        To::Address { email, person: Some(id) } => (Some(email), people::by_id(tx, id).await?),
        To::Address { email, person: None } => (Some(email), None),
    };
    let locale = match &reader {
        Some(person) => {
            person.language.as_deref().and_then(i18n::locale).unwrap_or_else(|| own_or_default(cx, person.id))
        }
        None => cx.locale,
    };
    let zone = reader.as_ref().and_then(|person| person.zone.as_deref()?.parse().ok()).unwrap_or(cx.company_zone());
    let written = letter.write(Fmt::new(locale), zone, &cx.app.company.name);
    let wait = match letter.urgency() {
        Urgency::AtOnce => chrono::TimeDelta::zero(),
        Urgency::ByDay => wait_for_morning(cx.now.with_timezone(&zone).naive_local()),
    };
    let row = MessageRow {
        id: fresh(),
        person_id: reader.as_ref().map(|person| person.id),
        email: email.as_ref().map(ToString::to_string).unwrap_or_default(),
        letter: letter.kind().to_owned(),
        language: locale.as_str().to_owned(),
        subject: written.subject,
        body: written.body,
        link: written.link,
        created_at: cx.now,
        send_after: cx.now + wait,
        sent_at: None,
        read_at: None,
    };
    if store::insert(tx, &row, dedupe_key).await? && email.is_some() {
        jobs::enqueue(tx, Job::Deliver { message: row.id }, row.send_after).await?;
    }
    Ok(())
}

/// Who never chose a language gets the one they are reading in now, others English.
fn own_or_default(cx: &Cx, person: PersonId) -> Locale {
    let reading = cx.viewer.person().map_or(cx.request.sender.is_empty(), |viewer| viewer.id != person);
    if reading { Locale::default() } else { cx.locale }
}

/// Hands a stored message over. Run again after a crash, it is sent again with the same Message-ID at the most.
pub async fn deliver(cx: &Cx, id: MessageId) -> Result<(), AppError> {
    let Some(message) = store::by_id(&mut cx.db().read().await?, id).await? else { return Ok(()) };
    if message.sent_at.is_some() {
        return Ok(());
    }
    cx.app.mailer.send(&message).await?;
    let now = if cx.app.demo { cx.now } else { real_now() };
    cx.db().write(move |tx| Box::pin(store::mark_sent(tx, id, now))).await
}
