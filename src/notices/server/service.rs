//! Sending: the letter is written in the reader's language and stored with the change that caused it; a job hands it
//! over to the mail server later.

use super::{
    letter::{Letter, Urgency},
    store::{self, CalendarRow, MessageRow},
};
use crate::{
    access::Person,
    calendar::server::ics::{self, Entry, Method, Party},
    db::Tx,
    error::AppError,
    i18n::{self, Fmt, Locale},
    jobs::{self, Job},
    notices::domain::{morning, wait_unless_over},
    people::server::store as people,
    server::{Cx, clock::real_now, fresh},
    values::{EmailAddress, MessageId, PersonId},
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use leptos_i18n::Locale as _;
use lettre::message::Mailbox;

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
    send_with(tx, cx, to, letter, dedupe_key, None).await
}

/// What a letter does in the reader's calendar.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub method: Method,
    pub entry: Entry,
}

/// As [`send`], with an appointment for the reader's calendar. What was never in it is not taken out. The caller holds
/// whatever the appointment belongs to, so that its letters come one after the other.
pub async fn invite(
    tx: &mut Tx,
    cx: &Cx,
    to: To,
    letter: Letter,
    dedupe_key: &str,
    invitation: Invitation,
) -> Result<(), AppError> {
    send_with(tx, cx, to, letter, dedupe_key, Some(invitation)).await
}

/// What a person's calendar would be told that it was not told yet: `None` where it knows.
pub async fn news(
    tx: &mut Tx,
    cx: &Cx,
    person: PersonId,
    invitation: &Invitation,
) -> Result<Option<Invitation>, AppError> {
    let last = store::last_of_thread(tx, &invitation.entry.uid).await?;
    let new = match (invitation.method, last) {
        (Method::Cancel, last) => last.is_some_and(|last| last.method == Method::Request),
        (Method::Request, None) => true,
        (Method::Request, Some(last)) => match people::by_id(tx, person).await? {
            Some(reader) => !ics::says_the_same(&last.body, &body(cx, invitation, &reader.name, &address_of(&reader))),
            None => false,
        },
    };
    Ok(new.then(|| invitation.clone()))
}

fn address_of(reader: &people::PersonRow) -> String {
    reader.email.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn body(cx: &Cx, invitation: &Invitation, name: &str, email: &str) -> String {
    let from: Option<Mailbox> = cx.app.config.mail_from.parse().ok();
    let organizer = Party {
        name: from.as_ref().and_then(|from| from.name.clone()).unwrap_or_else(|| cx.app.company.name.clone()),
        email: from.map(|from| from.email.to_string()).unwrap_or_default(),
    };
    let attendee = Party { name: name.to_owned(), email: email.to_owned() };
    ics::invitation(invitation.method, &invitation.entry, &organizer, &attendee)
}

/// Puts the calendar part of a stored letter at the end of its thread. A change has a higher number than what it
/// changes, whatever the caller counted.
async fn attach(
    tx: &mut Tx,
    cx: &Cx,
    message: &MessageRow,
    name: &str,
    invitation: Invitation,
) -> Result<(), AppError> {
    let Invitation { method, mut entry } = invitation;
    let last = store::last_of_thread(tx, &entry.uid).await?;
    let lowest = match (&last, method) {
        (None, Method::Cancel) => return Ok(()),
        (None, Method::Request) => 0,
        (Some(last), Method::Cancel) if last.method == Method::Cancel => return Ok(()),
        (Some(last), Method::Request) if last.method == Method::Request => last.sequence,
        (Some(last), _) => last.sequence + 1,
    };
    let sequence = lowest.max(i64::from(entry.sequence));
    entry.sequence = u32::try_from(sequence).unwrap_or(u32::MAX);
    entry.changed = cx.now;
    let row = CalendarRow {
        message_id: message.id,
        thread: entry.uid.clone(),
        number: last.map_or(1, |last| last.number + 1),
        method,
        sequence,
        body: body(cx, &Invitation { method, entry }, name, &message.email),
    };
    if store::insert_calendar(tx, &row).await? { Ok(()) } else { Err(AppError::Busy) }
}

/// Who gets a letter.
struct Reader {
    id: PersonId,
    name: String,
    email: Option<EmailAddress>,
    language: Option<String>,
    reads: Option<String>,
    zone: Option<String>,
}

/// Whoever acts was read a moment ago, others are read now.
async fn reader(tx: &mut Tx, cx: &Cx, id: PersonId) -> Result<Option<Reader>, AppError> {
    if let Some(Person { name, email, language, zone, .. }) =
        cx.viewer.person().filter(|viewer| viewer.id == id).cloned()
    {
        return Ok(Some(Reader { id, name, email: Some(email), language, reads: None, zone }));
    }
    let read = |people::PersonRow { name, email, language, reads, zone, .. }| Reader {
        id,
        name,
        email,
        language,
        reads,
        zone,
    };
    Ok(people::by_id(tx, id).await?.map(read))
}

async fn send_with(
    tx: &mut Tx,
    cx: &Cx,
    to: To,
    letter: Letter,
    dedupe_key: &str,
    invitation: Option<Invitation>,
) -> Result<(), AppError> {
    let to_person = matches!(to, To::Person(_));
    let (email, reader) = match to {
        To::Person(id) => {
            let reader = reader(tx, cx, id).await?.ok_or(AppError::NotFound)?;
            (reader.email.clone(), Some(reader))
        }
        To::Address { email, person: Some(id) } => (Some(email), reader(tx, cx, id).await?),
        To::Address { email, person: None } => (Some(email), None),
    };
    let locale = match &reader {
        Some(person) => match person.language.as_deref().and_then(i18n::locale) {
            Some(chosen) => chosen,
            None => own_or_last(cx, person),
        },
        None => cx.locale,
    };
    let zone = reader.as_ref().and_then(|person| person.zone.as_deref()?.parse().ok()).unwrap_or(cx.company_zone());
    let written = letter.write(Fmt::new(locale), zone, &cx.app.company.name);
    let answers = reader.as_ref().is_none_or(|reader| cx.viewer.person().is_some_and(|viewer| viewer.id == reader.id));
    let urgency = match letter.urgency() {
        // What somebody else did is no answer to the reader's own act, whatever the letter is like.
        Urgency::AtOnce if to_person && !answers => Urgency::ByDay,
        urgency => urgency,
    };
    let wait = match urgency {
        Urgency::AtOnce => TimeDelta::zero(),
        Urgency::ByDay => until_morning(cx.now, zone),
        Urgency::Until(until) => wait_unless_over(until_morning(cx.now, zone), until - cx.now),
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
        by_day: urgency == Urgency::ByDay,
    };
    if store::insert(tx, &row, dedupe_key).await? && email.is_some() {
        if let Some(invitation) = invitation {
            attach(tx, cx, &row, reader.as_ref().map_or("", |reader| &reader.name), invitation).await?;
        }
        jobs::enqueue(tx, Job::Deliver { message: row.id }, row.send_after).await?;
    }
    Ok(())
}

/// How long it is until the night is over where the reader lives; nothing by day. An hour more or less in the night in
/// which the clocks are changed.
fn until_morning(now: DateTime<Utc>, zone: Tz) -> TimeDelta {
    let Some(ends) = morning(now.with_timezone(&zone).naive_local()) else { return TimeDelta::zero() };
    let at = ends.and_local_timezone(zone).earliest().map_or_else(|| ends.and_utc(), |at| at.to_utc());
    (at - now).max(TimeDelta::zero())
}

/// Who never chose a language gets the one they are reading in now, else the one they read in when they signed in last, or
/// English.
fn own_or_last(cx: &Cx, person: &Reader) -> Locale {
    let others = cx.viewer.person().map_or(cx.request.sender.is_empty(), |viewer| viewer.id != person.id);
    if others { person.reads.as_deref().and_then(i18n::locale).unwrap_or_default() } else { cx.locale }
}

/// So long a worker has a letter before another may send it.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// So long a letter waits for an older one of its thread that another worker is sending.
const TURN: TimeDelta = TimeDelta::seconds(5);

/// Hands a stored message over. Run again after a crash, it is sent again with the same Message-ID at the most.
pub async fn deliver(cx: &Cx, id: MessageId) -> Result<(), AppError> {
    let mut tx = cx.db().read().await?;
    let Some(message) = store::by_id(&mut tx, id).await? else { return Ok(()) };
    if message.sent_at.is_some() {
        return Ok(());
    }
    if let Some(morning) = not_before(&mut tx, cx, &message).await? {
        drop(tx);
        return wait(cx, id, morning).await;
    }
    if let Some(calendar) = store::calendar(&mut tx, id).await? {
        drop(tx);
        return deliver_in_order(cx, calendar).await;
    }
    drop(tx);
    cx.app.mailer.send(&message, None).await?;
    sent(cx, id).await
}

/// Until when a letter waits that got late, by a mail server that was away or a portal that stood still, and would arrive
/// at night.
async fn not_before(tx: &mut Tx, cx: &Cx, message: &MessageRow) -> Result<Option<DateTime<Utc>>, AppError> {
    if !message.by_day {
        return Ok(None);
    }
    let reader = match message.person_id {
        Some(person) => people::by_id(tx, person).await?,
        None => None,
    };
    let zone = reader.and_then(|reader| reader.zone?.parse().ok()).unwrap_or(cx.company_zone());
    let wait = until_morning(cx.now, zone);
    Ok((wait > TimeDelta::zero()).then(|| cx.now + wait))
}

/// A calendar program that gets the end of an appointment before its beginning keeps it for ever: what is older in the
/// thread leaves first, or the newer waits for it.
async fn deliver_in_order(cx: &Cx, last: CalendarRow) -> Result<(), AppError> {
    let unsent = store::unsent(&mut cx.db().read().await?, &last.thread, last.number).await?;
    for (id, send_after) in unsent {
        if send_after > cx.now {
            return wait(cx, last.message_id, send_after).await;
        }
        let mut tx = cx.db().read().await?;
        let older = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
        let morning = not_before(&mut tx, cx, &older).await?;
        drop(tx);
        if let Some(morning) = morning {
            return wait(cx, last.message_id, morning).await;
        }
        let (until, now) = (real_now() + LEASE, real_now());
        let leased = cx.db().write(move |tx| Box::pin(store::lease(tx, id, until, now))).await?;
        let mut tx = cx.db().read().await?;
        let message = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
        let calendar = store::calendar(&mut tx, id).await?.ok_or(AppError::NotFound)?;
        drop(tx);
        match (leased, message.sent_at) {
            (false, Some(_)) => continue,
            (false, None) => return wait(cx, last.message_id, cx.now + TURN).await,
            (true, _) => {}
        }
        if let Err(error) = cx.app.mailer.send(&message, Some(&calendar)).await {
            cx.db().write(move |tx| Box::pin(store::end_lease(tx, id))).await?;
            return Err(error);
        }
        sent(cx, id).await?;
    }
    Ok(())
}

/// The letter is tried again later, without being counted as failed.
async fn wait(cx: &Cx, message: MessageId, until: DateTime<Utc>) -> Result<(), AppError> {
    cx.db()
        .write(move |tx| Box::pin(async move { jobs::enqueue(tx, Job::Deliver { message }, until).await.map(|_| ()) }))
        .await
}

async fn sent(cx: &Cx, id: MessageId) -> Result<(), AppError> {
    // What leaves the demo is read in it.
    let demo = cx.app.demo;
    let now = if demo { cx.now } else { real_now() };
    cx.db()
        .write(move |tx| {
            Box::pin(async move {
                store::mark_sent(tx, id, now).await?;
                if demo { Ok(()) } else { store::forget_secret(tx, id).await }
            })
        })
        .await
}
