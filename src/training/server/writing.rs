//! The trainer writes to everybody who has a seat, and to guests: once, by day, and it can be seen afterwards that it was done.

use super::{
    letters::{self, About, TrainingLetter},
    seats::lock_of,
    store,
};
use crate::{
    access::{Act, Subject},
    db::Tx,
    error::AppError,
    server::{
        Cx, fresh,
        history::{self, Change},
        keys,
    },
    training::domain::EnrolmentState,
    values::{ClassId, MessageId, PersonId},
};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Everybody with a seat, and everybody who makes a session up in the class that is not over.
pub async fn readers(tx: &mut Tx, class: ClassId, now: DateTime<Utc>) -> Result<BTreeSet<PersonId>, AppError> {
    let seats = store::of_class(tx, class).await?.into_iter();
    let seats = seats.filter(|seat| seat.state == EnrolmentState::Booked).map(|seat| seat.person_id);
    let guests = store::guests(tx, class).await?.into_iter().filter(|guest| now < guest.ends_at);
    let guests = guests.map(|guest| guest.person_id);
    Ok(seats.chain(guests).collect())
}

/// Sends the same letter to all; says to how many. The same key again sends nothing.
pub async fn to_all(
    cx: &Cx,
    class: ClassId,
    subject: String,
    words: String,
    key: Option<Uuid>,
) -> Result<usize, AppError> {
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, subject, words) = (cx.clone(), subject.clone(), words.clone());
            Box::pin(async move {
                tx.lock(&[lock_of(class)]).await?;
                let row = store::class(tx, class).await?;
                let permit = cx.may(Act::MessageClass, &Subject::nobody().assigned_to(Some(row.trainer_id)))?;
                let trainer = cx.person()?;
                let (scope, body) = (format!("message_class:{}", trainer.id), format!("{class} {subject} {words}"));
                if let Some(answer) = keys::seen(tx, &scope, key, &body).await? {
                    return Ok(answer.parse().unwrap_or_default());
                }
                let id: MessageId = fresh();
                let readers = readers(tx, class, cx.now).await?;
                for person in &readers {
                    let letter = TrainingLetter::FromTrainer {
                        about: About::of(&cx, &row),
                        trainer: trainer.name.clone(),
                        subject: subject.clone(),
                        words: words.clone(),
                    };
                    letters::send(tx, &cx, *person, letter, &format!("from_trainer:{id}:{person}")).await?;
                }
                let people = readers.len();
                let detail = serde_json::json!({ "subject": subject, "people": people }).to_string();
                let change = Change { entity: "class", id: class.0, detail: Some(&detail), ..Change::default() };
                history::record(tx, &cx, &permit, change).await?;
                keys::remember(tx, &scope, key, &body, &people.to_string()).await?;
                Ok(people)
            })
        })
        .await
}
