//! The use cases of ratings: ask, remind, answer; and make it good where somebody is unhappy.

use super::{letters, store};
use crate::{
    access::{Act, Subject, Viewer},
    cases::{
        domain::{Kind, Priority},
        server::service as cases,
    },
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    jobs::{self, Job},
    ratings::domain::{
        Figure, Measure, Moment, NetPromoters, REMIND_AFTER_DAYS, Refusal, Request, Score, Share, WORDS_MAX, ces, csat,
        may_ask, nps,
    },
    server::{Cx, form::Form, fresh, history},
    values::{CaseId, Cursor, FeedbackId, PersonId, Rows},
    w,
};
use chrono::TimeDelta;
use store::{Feedback, Recovery};
use uuid::Uuid;

/// Figures look back so far.
pub const FIGURES_DAYS: i64 = 90;

/// Whom to ask about what.
#[derive(Clone, Debug)]
pub struct Question {
    pub person: PersonId,
    pub moment: Moment,
    pub subject: Uuid,
    /// What it is about, as the customer calls it.
    pub about: String,
    /// Whose work it was: they do not judge it.
    pub did_the_work: Vec<PersonId>,
}

/// Puts a question, unless the rules say that this person is not to be asked now. Gives the question's identity.
pub async fn ask(tx: &mut Tx, cx: &Cx, question: &Question) -> Result<Option<FeedbackId>, AppError> {
    let permit = cx.may(Act::AskFeedback, &Subject::of(question.person))?;
    tx.lock(&[Key::of("person", question.person.0)]).await?;
    let measure = question.moment.measure();
    let last = store::last_asked(tx, question.person, measure).await?;
    if may_ask(question.person, last, &question.did_the_work, cx.now).is_err() {
        return Ok(None);
    }
    let request = Request { measure, asked_at: cx.now, reminded_at: None, answered_at: None, score: None };
    let id: FeedbackId = fresh();
    if !store::insert(tx, &permit, id, question.person, question.moment, question.subject, &question.about, &request)
        .await?
    {
        return Ok(None);
    }
    let token = store::link(tx, &permit, id, cx.now).await?;
    letters::asked(tx, cx, question, id, &token, false).await?;
    let change = history::Change {
        entity: "feedback",
        id: id.0,
        customer: Some(question.person),
        to: Some("asked"),
        ..Default::default()
    };
    history::record(tx, cx, &permit, change).await?;
    jobs::enqueue(tx, Job::RemindFeedback { feedback: id }, cx.now + TimeDelta::days(REMIND_AFTER_DAYS)).await?;
    Ok(Some(id))
}

/// The one reminder, if there is still no answer.
pub async fn remind(tx: &mut Tx, cx: &Cx, id: FeedbackId) -> Result<(), AppError> {
    let Some(feedback) = store::by_id(tx, id).await? else { return Ok(()) };
    if !feedback.request.may_remind(cx.now) {
        return Ok(());
    }
    let permit = cx.may(Act::RemindFeedback, &Subject::of(feedback.person))?;
    if !store::reminded(tx, &permit, id, cx.now).await? {
        return Ok(());
    }
    let token = store::link(tx, &permit, id, cx.now).await?;
    let question = Question {
        person: feedback.person,
        moment: feedback.moment,
        subject: feedback.subject,
        about: feedback.about.clone(),
        did_the_work: Vec::new(),
    };
    letters::asked(tx, cx, &question, id, &token, true).await?;
    let change = history::Change {
        entity: "feedback",
        id: id.0,
        customer: Some(feedback.person),
        to: Some("reminded"),
        ..Default::default()
    };
    history::record(tx, cx, &permit, change).await
}

/// The question behind the last part of `/rate/…`: a secret token, or for who is signed in the question's own identity.
async fn find(tx: &mut Tx, cx: &Cx, token: &str) -> Result<Option<Feedback>, AppError> {
    if let Ok(id) = token.parse::<FeedbackId>() {
        let feedback = store::by_id(tx, id).await?;
        return Ok(feedback.filter(|f| cx.viewer.can(Act::Rate, &Subject::of(f.person))));
    }
    store::by_token(tx, token).await
}

/// What the link opens. Opening it changes nothing.
pub async fn show(cx: &Cx, token: &str) -> Result<Option<Shown>, AppError> {
    let mut tx = cx.db().read().await?;
    let Some(feedback) = find(&mut tx, cx, token).await? else { return Ok(None) };
    let recovery_due = match feedback.recovery {
        Some(case) => crate::cases::server::store::find(&mut tx, case).await?.matter.promised(),
        None => None,
    };
    let closed = feedback.request.check_open(cx.now).err();
    Ok(Some(Shown { feedback, closed, recovery_due }))
}

/// A question as its page shows it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub feedback: Feedback,
    /// Why it cannot be answered any more.
    pub closed: Option<Refusal>,
    /// By when somebody gets in touch to make it good.
    pub recovery_due: Option<chrono::DateTime<chrono::Utc>>,
}

/// Takes an answer, or a changed one. Who is unhappy gets a case with an owner and a due time, in the same transaction.
pub async fn rate(cx: &Cx, token: &str, form: &Form) -> Result<(), AppError> {
    let mut faults = Faults::default();
    let score = form.parse::<i64>("score", &mut faults, Fault::NotAChoice);
    let words = form.text("words").replace("\r\n", "\n");
    if words.chars().count() > WORDS_MAX as usize {
        faults.add("words", Fault::TooLong { max: WORDS_MAX });
    }
    faults.check()?;
    let Some(score) = score else { return Err(Faults::only("score", Fault::Required)) };
    let words = Some(words).filter(|words| !words.is_empty());
    let (cx2, token) = (cx.clone(), token.to_owned());
    cx.db()
        .write(move |tx| {
            let (cx, token, words) = (cx2.clone(), token.clone(), words.clone());
            Box::pin(async move {
                let found = find(tx, &cx, &token).await?.ok_or(AppError::NotFound)?;
                tx.lock(&[Key::of("feedback", found.id.0)]).await?;
                let feedback = store::by_id(tx, found.id).await?.ok_or(AppError::NotFound)?;
                answer(tx, &cx, feedback, score, words).await
            })
        })
        .await
}

/// Answers a question whose identity is known, as the holder of its link.
pub(super) async fn answer_known(
    tx: &mut Tx,
    cx: &Cx,
    id: FeedbackId,
    score: i64,
    words: &str,
) -> Result<(), AppError> {
    let feedback = store::by_id(tx, id).await?.ok_or(AppError::NotFound)?;
    let cx = cx.as_viewer(Viewer::Link { act: Act::Rate, person: feedback.person });
    answer(tx, &cx, feedback, score, Some(words.to_owned()).filter(|words| !words.is_empty())).await
}

async fn answer(tx: &mut Tx, cx: &Cx, feedback: Feedback, score: i64, words: Option<String>) -> Result<(), AppError> {
    let subject = Subject::of(feedback.person);
    // Whoever holds the link may answer this one question, also while somebody else is signed in here.
    let cx = if cx.viewer.can(Act::Rate, &subject) {
        cx.clone()
    } else {
        cx.as_viewer(Viewer::Link { act: Act::Rate, person: feedback.person })
    };
    let permit = cx.may(Act::Rate, &subject)?;
    let before = feedback.request.score.map(|score| score.to_string());
    let (request, score) = feedback.request.clone().answer(score, cx.now)?;
    let new = words.as_deref().filter(|new| feedback.words.as_deref() != Some(*new));
    let says_more = new.is_some() || feedback.request.score != Some(score.value());
    let over = match feedback.recovery {
        Some(case) => cases::is_closed(tx, case).await?,
        None => true,
    };
    // Who is unhappy again after all was made good is heard again: nobody reads a case that is closed.
    let recovery = match feedback.recovery {
        known if over && score.is_unhappy() && (known.is_none() || says_more) => {
            Some(recover(tx, &cx, &feedback, score, words.as_deref()).await?)
        }
        known => known,
    };
    if let (Some(case), Some(new), false) = (feedback.recovery, new, over) {
        cases::hear_also(tx, &cx.as_viewer(Viewer::System), case, new).await?;
    }
    let words = words.or_else(|| feedback.words.clone());
    store::answer(tx, &permit, feedback.id, &request, words.as_deref(), recovery, cx.now).await?;
    let change = history::Change {
        entity: "feedback",
        id: feedback.id.0,
        customer: Some(feedback.person),
        from: before.as_deref(),
        to: Some(&score.value().to_string()),
        ..Default::default()
    };
    history::record(tx, &cx, &permit, change).await
}

/// Opens the case that shall make it good: urgent, so that it goes to somebody senior.
async fn recover(
    tx: &mut Tx,
    cx: &Cx,
    feedback: &Feedback,
    score: Score,
    words: Option<&str>,
) -> Result<CaseId, AppError> {
    let (_, most) = score.measure().scale();
    let of = w!(cx, ratings.score_of, score = score.value().to_string(), most = most.to_string());
    let new = cases::NewCase {
        customer: feedback.person,
        kind: Kind::Complaint,
        subject: w!(cx, ratings.recovery_subject, about = feedback.about.clone()),
        words: words.map_or_else(|| of.clone(), |words| format!("{of}\n\n{words}")),
        entity: Some(("feedback", feedback.id.0)),
        priority: Priority::High,
    };
    cases::open(tx, &cx.as_viewer(Viewer::System), new).await
}

/// What is known of one moment.
#[derive(Clone, PartialEq, Debug)]
pub enum Satisfaction {
    Csat(Figure<Share>),
    Ces(Figure<Share>),
    Nps(Figure<NetPromoters>),
}

/// What the manager reads about feedback.
#[derive(Clone, Debug)]
pub struct Overview {
    pub figures: Vec<(Moment, Satisfaction)>,
    pub latest: Rows<Feedback>,
    pub recoveries: Vec<Recovery>,
}

/// The figures of the last ninety days, what was said last, and who is still unhappy.
pub async fn overview(cx: &Cx, from: Option<&Cursor>) -> Result<Overview, AppError> {
    cx.person()?;
    cx.may(Act::ReadFeedback, &Subject::nobody())?;
    let mut tx = cx.db().read().await?;
    let figures = figures(&mut tx, cx).await?;
    let latest = store::latest(&mut tx, from).await?;
    let recoveries = store::recoveries(&mut tx).await?;
    Ok(Overview { figures, latest, recoveries })
}

/// The figure of each moment.
pub async fn figures(tx: &mut Tx, cx: &Cx) -> Result<Vec<(Moment, Satisfaction)>, AppError> {
    let tally = store::tally(tx, cx.now - TimeDelta::days(FIGURES_DAYS)).await?;
    Ok(tally
        .into_iter()
        .map(|(moment, tally)| {
            let figure = match moment.measure() {
                Measure::Csat => Satisfaction::Csat(csat(&tally)),
                Measure::Ces => Satisfaction::Ces(ces(&tally)),
                Measure::Nps => Satisfaction::Nps(nps(&tally)),
            };
            (moment, figure)
        })
        .collect())
}
