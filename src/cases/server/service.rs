//! The use cases of cases: each loads, asks whether it may, lets the domain decide, saves, writes one line of history and
//! tells the customer, all in one transaction.

use super::{hours::working_time, store};
use crate::{
    access::{Act, Permit, Role, Subject},
    cases::domain::{
        Form as MessageForm, Kind, Matter, PER_HOUR, Priority, Refusal, SUBJECT_MAX, Side, State, WORDS_MAX,
        WorkingTime,
    },
    db::{Key, Tx},
    error::{AppError, Fault, Faults, Refusal as AnyRefusal},
    followups::server::store as follow_ups,
    jobs::{self, Job},
    server::{Cx, form::Form, fresh, history, keys},
    values::{CaseId, Cursor, PersonId, Rows},
};
use chrono::TimeDelta;
use store::{Case, Message, Queue};
use uuid::Uuid;

/// What somebody comes with.
#[derive(Clone, Debug)]
pub struct NewCase {
    pub customer: PersonId,
    pub kind: Kind,
    pub subject: String,
    pub words: String,
    /// What it is about: `("repair", id)`.
    pub entity: Option<(&'static str, Uuid)>,
    pub priority: Priority,
}

/// A case with what was said in it.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub case: Case,
    pub messages: Vec<Message>,
}

/// Opens a case within the caller's transaction: it has an owner, a next step and a due time from the first moment, and the
/// customer has our word that it arrived. A second contact about the same matter is more urgent than the first.
pub async fn open(tx: &mut Tx, cx: &Cx, new: NewCase) -> Result<CaseId, AppError> {
    let permit = cx.may(Act::OpenCase, &Subject::of(new.customer))?;
    let again = match new.entity {
        Some((entity, id)) => store::contacts_about(tx, new.customer, entity, id).await? > 0,
        None => false,
    };
    let priority = if again { new.priority.raised() } else { new.priority };
    let owner = owner_for(tx, new.customer, priority).await?;
    let hours = working_time(tx, cx, cx.now).await?;
    let matter = Matter::open(new.kind, priority, owner, cx.now, &hours);
    let id: CaseId = fresh();
    let about = new.entity.map(|(entity, id)| (entity.to_owned(), id));
    let row = store::NewRow { id, customer: new.customer, subject: new.subject.clone(), about, matter: matter.clone() };
    store::insert(tx, &permit, &row).await?;
    store::say(tx, &permit, id, cx.now, (Side::Customer, MessageForm::Message), Some(new.customer), &new.words).await?;
    let change = history::Change {
        entity: "case",
        id: id.0,
        customer: Some(new.customer),
        to: Some("open"),
        ..Default::default()
    };
    history::record(tx, cx, &permit, change).await?;
    super::letters::opened(tx, cx, new.customer, id, &new.subject, &matter).await?;
    Ok(id)
}

/// Who takes a new case: of the agents the one with the least to do. An upset customer goes to a manager first.
pub async fn owner_for(tx: &mut Tx, customer: PersonId, priority: Priority) -> Result<Option<PersonId>, AppError> {
    let order: [Role; 3] = if priority == Priority::Normal {
        [Role::Agent, Role::Manager, Role::Admin]
    } else {
        [Role::Manager, Role::Agent, Role::Admin]
    };
    for role in order {
        if let Some(owner) = store::least_loaded(tx, role.as_str(), customer).await? {
            return Ok(Some(owner));
        }
    }
    Ok(None)
}

/// What may be named as the thing that a case is about.
pub const ABOUT: [&str; 4] = ["item", "repair", "class", "purchase"];

/// Reads what a form says a case is about: `repair:ID`. Whatever is none of it is nothing.
pub fn about(text: &str) -> Option<(&'static str, Uuid)> {
    let (kind, id) = text.split_once(':')?;
    let kind = ABOUT.into_iter().find(|known| *known == kind)?;
    Some((kind, Uuid::try_parse(id).ok()?))
}

/// A customer asks, reports, complains or claims; staff may do it for somebody (`customer`).
pub async fn open_by_form(cx: &Cx, form: &Form, customer: Option<PersonId>) -> Result<CaseId, AppError> {
    let me = cx.person()?.id;
    let customer = customer.unwrap_or(me);
    let mut faults = Faults::default();
    let kind = form.parse::<Kind>("kind", &mut faults, Fault::NotAChoice);
    let subject = form.words("subject", SUBJECT_MAX, &mut faults);
    let words = form.words("words", WORDS_MAX, &mut faults);
    faults.check()?;
    let Some(kind) = kind else { return Err(Faults::only("kind", Fault::Required)) };
    let entity = about(form.text("about"));
    let new = NewCase { customer, kind, subject, words, entity, priority: Priority::Normal };
    let (key, body, cx2) = (form.key(), form.body(), cx.clone());
    cx.db()
        .write(move |tx| {
            let (new, body, cx) = (new.clone(), body.clone(), cx2.clone());
            Box::pin(async move {
                let scope = format!("open_case:{me}");
                if let Some(seen) = keys::seen(tx, &scope, key, &body).await? {
                    return seen.parse().map_err(|_| AppError::NotFound);
                }
                tx.lock(&[Key::of("person", new.customer.0)]).await?;
                let lately = store::opened_since(tx, new.customer, cx.now - TimeDelta::hours(1)).await?;
                if lately >= PER_HOUR && !cx.viewer.is_staff() {
                    return Err(Refusal::TooMany { per_hour: PER_HOUR }.into());
                }
                if let Some((kind, id)) = new.entity
                    && !store::is_theirs(tx, new.customer, kind, id).await?
                {
                    return Err(AppError::NotFound);
                }
                let id = open(tx, &cx, new).await?;
                keys::remember(tx, &scope, key, &body, &id.to_string()).await?;
                Ok(id)
            })
        })
        .await
}

/// A customer's own cases.
pub async fn mine(cx: &Cx, from: Option<&Cursor>) -> Result<Rows<Case>, AppError> {
    let me = cx.person()?.id;
    let mut tx = cx.db().read().await?;
    store::of_customer(&mut tx, me, from).await
}

/// The conversation as the customer reads it.
pub async fn show(cx: &Cx, id: CaseId) -> Result<Conversation, AppError> {
    cx.person()?;
    let mut tx = cx.db().read().await?;
    let case = store::find(&mut tx, id).await?;
    cx.may(Act::ReadCase, &Subject::of(case.customer))?;
    let messages = store::messages(&mut tx, id, false).await?;
    Ok(Conversation { case, messages })
}

/// What the customer does with a case of theirs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CustomerDeed {
    /// Says something; a resolved case opens again by it.
    Reply,
    /// Says that it is solved.
    Confirm,
}

/// The customer replies, or says that it is solved.
pub async fn by_customer(cx: &Cx, id: CaseId, deed: CustomerDeed, form: &Form) -> Result<(), AppError> {
    let me = cx.person()?.id;
    let words = match deed {
        CustomerDeed::Reply => Some(said(form)?),
        CustomerDeed::Confirm => None,
    };
    let done = change(cx, id, form, move |cx, case, hours| {
        let subject = Subject::of(case.customer);
        let matter = case.matter.clone();
        let (act, matter) = match deed {
            CustomerDeed::Confirm => (Act::ConfirmCase, matter.solved_by_customer(cx.now)),
            CustomerDeed::Reply if matter.resolved_at.is_some() => (Act::ReopenCase, matter.hear(cx.now, hours)),
            CustomerDeed::Reply => (Act::ReplyToCase, matter.hear(cx.now, hours)),
        };
        // Whoever may not know of it does not learn that the rules say no either.
        let permit = cx.may(act, &subject)?;
        let say = words.clone().map(|words| (Side::Customer, MessageForm::Message, words));
        Ok(Step { permit, matter: matter?, say, author: me, tell: None, why: None })
    })
    .await;
    match done {
        // It is over, as they say: a second tap is answered like the first.
        Err(AppError::Refused(AnyRefusal::Cases(Refusal::Closed { .. }))) if deed == CustomerDeed::Confirm => Ok(()),
        done => done,
    }
}

/// What the desk does with a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeskDeed {
    Answer,
    /// Answers, and that was it.
    AnswerAndSolve,
    /// Asks the customer; the clock stands still.
    Ask,
    Note,
    Take,
    Assign,
    /// Says how urgent it is.
    Prioritise,
    Resolve,
    Close,
}

impl DeskDeed {
    pub const ALL: [Self; 9] = [
        Self::Answer,
        Self::AnswerAndSolve,
        Self::Ask,
        Self::Note,
        Self::Take,
        Self::Assign,
        Self::Prioritise,
        Self::Resolve,
        Self::Close,
    ];

    /// As the buttons send it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::AnswerAndSolve => "answer_solve",
            Self::Ask => "ask",
            Self::Note => "note",
            Self::Take => "take",
            Self::Assign => "assign",
            Self::Prioritise => "prioritise",
            Self::Resolve => "resolve",
            Self::Close => "close",
        }
    }
}

impl std::str::FromStr for DeskDeed {
    type Err = AppError;
    fn from_str(text: &str) -> Result<Self, AppError> {
        Self::ALL.into_iter().find(|deed| deed.as_str() == text).ok_or(AppError::NotFound)
    }
}

/// Somebody of the desk works on a case.
pub async fn by_desk(cx: &Cx, id: CaseId, deed: DeskDeed, form: &Form) -> Result<(), AppError> {
    let me = cx.person()?.id;
    let words = match deed {
        DeskDeed::Answer | DeskDeed::AnswerAndSolve | DeskDeed::Ask | DeskDeed::Note => Some(said(form)?),
        DeskDeed::Take | DeskDeed::Assign | DeskDeed::Prioritise | DeskDeed::Resolve | DeskDeed::Close => None,
    };
    let owner = match deed {
        DeskDeed::Assign => {
            let mut faults = Faults::default();
            let owner = form.parse::<PersonId>("owner", &mut faults, Fault::NotAChoice);
            faults.check()?;
            let owner = owner.ok_or(AppError::NotFound)?;
            let mut tx = cx.db().read().await?;
            if !store::desk_people(&mut tx).await?.iter().any(|(id, _)| *id == owner) {
                return Err(Refusal::NotAnAgent.into());
            }
            owner
        }
        _ => me,
    };
    let priority = match deed {
        DeskDeed::Prioritise => {
            let mut faults = Faults::default();
            let priority = form.parse::<Priority>("priority", &mut faults, Fault::NotAChoice);
            faults.check()?;
            priority
        }
        _ => None,
    };
    change(cx, id, form, move |cx, case, hours| {
        let subject = Subject::of(case.customer).assigned_to(case.matter.owner);
        let matter = case.matter.clone();
        // Whoever answers a case that nobody owns has it from then on.
        let mine = |matter: Matter| Matter { owner: matter.owner.or(Some(me)), ..matter };
        let public = |form| words.clone().map(|words| (Side::Staff, form, words));
        let (act, matter, say, tell) = match deed {
            DeskDeed::Answer => (
                Act::AnswerCase,
                matter.reply(cx.now, hours).map(mine),
                public(MessageForm::Message),
                Some(Tell::Answered),
            ),
            DeskDeed::AnswerAndSolve => (
                Act::ResolveCase,
                matter.resolve(cx.now, hours).map(mine),
                public(MessageForm::Message),
                Some(Tell::Resolved),
            ),
            DeskDeed::Ask => (
                Act::AskCustomer,
                matter.ask(cx.now, hours).map(mine),
                public(MessageForm::Question),
                Some(Tell::Asked),
            ),
            DeskDeed::Note => (Act::NoteCase, Ok(matter), public(MessageForm::Note), None),
            DeskDeed::Take | DeskDeed::Assign => (Act::AssignCase, matter.give_to(owner), None, None),
            DeskDeed::Prioritise => {
                let priority = priority.unwrap_or(matter.priority);
                (Act::SetCasePriority, matter.prioritise(priority, hours), None, None)
            }
            DeskDeed::Resolve => {
                (Act::ResolveCase, matter.resolve(cx.now, hours).map(mine), None, Some(Tell::Resolved))
            }
            DeskDeed::Close => (Act::CloseCase, matter.close(cx.now), None, None),
        };
        let permit = cx.may(act, &subject)?;
        let why = priority.map(Priority::as_str);
        Ok(Step { permit, matter: matter?, say, author: me, tell, why })
    })
    .await
}

/// The customer said more at another place (on the page of a rating): it belongs into the case, if that still lives.
pub async fn hear_also(tx: &mut Tx, cx: &Cx, id: CaseId, words: &str) -> Result<(), AppError> {
    tx.lock(&[Key::of("case", id.0)]).await?;
    let case = store::find(tx, id).await?;
    let permit = cx.may(Act::ReplyToCase, &Subject::of(case.customer))?;
    let hours = working_time(tx, cx, case.matter.opened_at).await?;
    let Ok(matter) = case.matter.clone().hear(cx.now, &hours) else { return Ok(()) };
    keep(tx, cx, &permit, &case, &matter, Some("rating")).await?;
    store::say(tx, &permit, id, cx.now, (Side::Customer, MessageForm::Message), Some(case.customer), words).await
}

/// Whether a case is over for good.
pub async fn is_closed(tx: &mut Tx, id: CaseId) -> Result<bool, AppError> {
    Ok(store::find(tx, id).await?.matter.state == State::Closed)
}

/// Fourteen days after it was resolved, a case closes by itself, unless it was opened again meanwhile.
pub async fn close_by_itself(cx: &Cx, id: CaseId) -> Result<(), AppError> {
    let cx2 = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = cx2.clone();
            Box::pin(async move {
                tx.lock(&[Key::of("case", id.0)]).await?;
                let case = store::find(tx, id).await?;
                let due = case
                    .matter
                    .next()
                    .is_some_and(|(step, due)| step == crate::cases::domain::NextStep::Close && due <= cx.now);
                if !due {
                    return Ok(());
                }
                let permit = cx.may(Act::CloseCase, &Subject::of(case.customer))?;
                let matter = case.matter.clone().close(cx.now)?;
                keep(tx, &cx, &permit, &case, &matter, Some("silence")).await
            })
        })
        .await
}

/// What the customer is told of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tell {
    Answered,
    Asked,
    Resolved,
}

/// One step of a case, as it was decided.
struct Step {
    permit: Permit,
    matter: Matter,
    say: Option<(Side, MessageForm, String)>,
    author: PersonId,
    tell: Option<Tell>,
    why: Option<&'static str>,
}

/// Locks the case, lets `decide` decide on what it is now, and keeps all that follows from it.
async fn change<F>(cx: &Cx, id: CaseId, form: &Form, decide: F) -> Result<(), AppError>
where
    F: Fn(&Cx, &Case, &WorkingTime) -> Result<Step, AppError> + Send + Sync + Clone + 'static,
{
    let (key, body, cx2) = (form.key(), form.body(), cx.clone());
    let seen = form.text("seen").parse::<i64>().ok();
    cx.db()
        .write(move |tx| {
            let (body, cx, decide) = (body.clone(), cx2.clone(), decide.clone());
            Box::pin(async move {
                let scope = format!("case:{id}");
                if keys::seen(tx, &scope, key, &body).await?.is_some() {
                    return Ok(());
                }
                tx.lock(&[Key::of("case", id.0)]).await?;
                let case = store::find(tx, id).await?;
                // What the customer has written since the page was opened is read before one answers.
                if let Some(seen) = seen
                    && store::said_by_customer(tx, id).await? > seen
                {
                    return Err(Refusal::SaidMeanwhile.into());
                }
                let hours = working_time(tx, &cx, case.matter.opened_at).await?;
                let step = decide(&cx, &case, &hours)?;
                keep(tx, &cx, &step.permit, &case, &step.matter, step.why).await?;
                if let Some((side, form, words)) = &step.say {
                    store::say(tx, &step.permit, id, cx.now, (*side, *form), Some(step.author), words).await?;
                }
                if let Some(tell) = step.tell {
                    let words = step.say.as_ref().map(|(_, _, words)| words.as_str());
                    super::letters::told(tx, &cx, &case, tell, words).await?;
                }
                keys::remember(tx, &scope, key, &body, "done").await
            })
        })
        .await
}

/// Saves where the case stands, writes the line of history, and plans that it closes by itself.
async fn keep(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    case: &Case,
    matter: &Matter,
    why: Option<&str>,
) -> Result<(), AppError> {
    let mut matter = matter.clone();
    // What was not solved after all goes to somebody senior.
    if matter.reopened > case.matter.reopened && !store::is_senior(tx, matter.owner).await? {
        let senior = store::least_loaded(tx, Role::Manager.as_str(), case.customer).await?;
        matter.owner = senior.or(matter.owner);
    }
    store::save(tx, permit, case.id, &matter, cx.now).await?;
    let change = history::Change {
        entity: "case",
        id: case.id.0,
        customer: Some(case.customer),
        from: Some(case.matter.state.as_str()),
        to: Some(matter.state.as_str()),
        why,
        detail: None,
    };
    history::record(tx, cx, permit, change).await?;
    if matches!(matter.state, State::Resolved | State::Closed) {
        // Nobody need get in touch about what found its end.
        follow_ups::done_about(tx, permit, "case", case.id.0, cx.now).await?;
    }
    if matter.resolved_at.is_some() && matter.resolved_at != case.matter.resolved_at {
        let at = cx.now + TimeDelta::days(crate::cases::domain::REOPEN_DAYS);
        if matter.closed_at.is_none() {
            jobs::enqueue(tx, Job::CloseCase { case: case.id }, at).await?;
        }
        let ask = Job::AskFeedback { moment: "case".to_owned(), subject: case.id.0, person: case.customer };
        jobs::enqueue(tx, ask, cx.now + TimeDelta::hours(20)).await?;
    }
    Ok(())
}

/// What somebody typed to be said.
fn said(form: &Form) -> Result<String, AppError> {
    let mut faults = Faults::default();
    let words = form.words("words", WORDS_MAX, &mut faults);
    faults.check()?;
    Ok(words)
}

/// The desk's queue.
pub async fn queue(cx: &Cx, queue: Queue, from: Option<&Cursor>) -> Result<Rows<Case>, AppError> {
    let me = cx.person()?.id;
    cx.may(Act::ListCases, &Subject::nobody())?;
    let mut tx = cx.db().read().await?;
    store::queue(&mut tx, queue, me, cx.now, from).await
}

/// A case as the desk works on it: with its notes and whoever could have it.
#[derive(Clone, Debug)]
pub struct AtDesk {
    pub case: Case,
    pub messages: Vec<Message>,
    pub colleagues: Vec<(PersonId, String)>,
    /// The customer's other cases, so that nobody asks twice.
    pub before: Vec<Case>,
    pub history: Vec<history::Line>,
}

/// The case as the desk sees it.
pub async fn at_desk(cx: &Cx, id: CaseId) -> Result<AtDesk, AppError> {
    cx.person()?;
    cx.may(Act::ListCases, &Subject::nobody())?;
    let mut tx = cx.db().read().await?;
    let case = store::find(&mut tx, id).await?;
    let messages = store::messages(&mut tx, id, true).await?;
    let colleagues = store::desk_people(&mut tx).await?;
    let mut before = store::of_customer(&mut tx, case.customer, None).await?.rows;
    before.retain(|other| other.id != id);
    let history = history::of(&mut tx, "case", id.0).await?;
    Ok(AtDesk { case, messages, colleagues, before, history })
}
