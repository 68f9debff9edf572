//! What the roster of a class says beside the names: what was said in advance, and the guests who make a session up.

use crate::{
    db::Tx,
    error::{AppError, Fault, Faults},
    i18n::InWords,
    server::{Cx, form::Form},
    training::{
        domain::{Announced, ClassState, Mark},
        server::{
            make_ups,
            plan::marked_from,
            portal::parse,
            store::{self, AnnouncementRow, MakeUpRow, SessionRow},
        },
    },
    ui::*,
    values::{ClassId, ClassSessionId, EnrolmentId, MakeUpId},
    w,
};
use axum::{extract::Path, response::Response};
use leptos::prelude::*;
use std::collections::HashMap;

/// Announcements and guests of a class.
pub struct Learners {
    announced: HashMap<(EnrolmentId, ClassSessionId), AnnouncementRow>,
    guests: Vec<MakeUpRow>,
}

pub async fn load(tx: &mut Tx, class: ClassId) -> Result<Learners, AppError> {
    Ok(Learners { announced: store::announcements(tx, class).await?, guests: store::guests(tx, class).await? })
}

impl Learners {
    /// What somebody said in advance of a session.
    pub fn said(&self, cx: &Cx, seat: EnrolmentId, session: ClassSessionId) -> Option<AnyView> {
        let said = self.announced.get(&(seat, session))?;
        let text = match said.words.is_empty() {
            true => said.kind.in_words(cx.fmt()),
            false => format!("{}: {}", said.kind.in_words(cx.fmt()), said.words),
        };
        Some(
            view! { <p class="pre"><Badge tone=Tone::Warn text=w!(cx, learning.said_in_advance)/>" "{text}</p> }
                .into_any(),
        )
    }

    /// Whether anybody makes a session of the class up.
    pub fn has_guests(&self) -> bool {
        !self.guests.is_empty()
    }

    /// How many guests of a session have no mark.
    pub fn unmarked(&self, session: ClassSessionId) -> impl Iterator<Item = EnrolmentId> {
        let unmarked = move |row: &&MakeUpRow| row.session_id == session && row.mark().is_none();
        self.guests.iter().filter(unmarked).map(|row| row.enrolment_id)
    }

    /// Whether somebody said that they cannot come to a session.
    pub fn cannot_come(&self, seat: EnrolmentId, session: ClassSessionId) -> bool {
        self.announced.get(&(seat, session)).is_some_and(|said| said.kind == Announced::Absent)
    }

    /// The guests of a session, each with the marks to tap while its class is not closed, or was closed without one.
    pub fn guests(&self, cx: &Cx, session: &SessionRow, class: ClassState) -> Option<AnyView> {
        let begun = cx.now >= marked_from(session.starts_at);
        let markable = |row: &MakeUpRow| match class {
            ClassState::Open | ClassState::Running => begun,
            ClassState::Completed => row.mark().is_none(),
            ClassState::Draft | ClassState::Cancelled => false,
        };
        let rows: Vec<AnyView> = self
            .guests
            .iter()
            .filter(|row| row.session_id == session.id)
            .map(|row| {
                let said = self.said(cx, row.enrolment_id, session.id);
                guest(cx, row, said, markable(row))
            })
            .collect();
        if rows.is_empty() {
            return None;
        }
        let title = w!(cx, learning.guests);
        Some(view! { <Section title><ul class="plain-list stack" role="list">{rows}</ul></Section> }.into_any())
    }
}

fn guest(cx: &Cx, row: &MakeUpRow, said: Option<AnyView>, markable: bool) -> AnyView {
    let now = row.mark();
    let badge = now.map(|mark| view! { <Badge text=mark.in_words(cx.fmt())/> });
    let was = now.map_or("none", Mark::as_str);
    let marks = markable.then(|| {
        let buttons = [Mark::Present, Mark::Late, Mark::Partial, Mark::Absent]
            .into_iter()
            .map(|mark| {
                let chosen = now == Some(mark);
                // A second tap takes the mark back.
                let value = if chosen { String::new() } else { mark.as_str().to_owned() };
                let tone = if chosen { ButtonTone::Primary } else { ButtonTone::Quiet };
                let words = mark.in_words(cx.fmt());
                view! { <Button tone name="mark" value=value>{words}</Button> }
            })
            .collect_view();
        view! {
            <form method="post" action=format!("/desk/make-ups/{}", row.id) aria-label=row.person_name.clone()>
                <input type="hidden" name="session" value=row.session_id.to_string()/>
                <input type="hidden" name="was" value=was/>
                <Actions>{buttons}</Actions>
            </form>
        }
    });
    let from = w!(cx, learning.guest_from, title = row.home_title.clone());
    view! {
        <li class="card stack">
            <p class="row"><strong>{row.person_name.clone()}</strong>{badge}</p>
            <p class="soft small">{from}</p>
            {said}
            {marks}
        </li>
    }
    .into_any()
}

/// `POST /desk/make-ups/{id}`: marks a guest.
pub async fn mark(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let id: MakeUpId = parse(&id)?;
    let mut faults = Faults::default();
    let mark = form.optional::<Mark>("mark", &mut faults, Fault::NotAChoice);
    faults.check()?;
    // What the page showed: a mark that somebody else set meanwhile is not overwritten unseen.
    let was = match form.text("was") {
        "" => None,
        "none" => Some(None),
        word => Some(word.parse().ok()),
    };
    match make_ups::mark(&cx, id, was, mark).await {
        Ok(class) => {
            let session = form.text("session").parse::<ClassSessionId>();
            let session = session.map(|id| format!("?session={id}")).unwrap_or_default();
            Ok(cx.redirect(&format!("/desk/classes/{class}{session}"), None))
        }
        Err(error) => {
            let class = store::make_up(&mut cx.db().read().await?, id).await?.class_id;
            super::class::again(&cx, class, form, error).await
        }
    }
}
