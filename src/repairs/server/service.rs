//! What happens to a repair after it was booked: one function that loads, asks, decides, saves and tells, and what each
//! move takes along.

use super::{booking, store};
use crate::{
    access::{Act, Permit, Subject},
    benefits::{domain::Reference, server::ledger},
    calendar::{
        domain::Span,
        hours::Service,
        server::{
            busy,
            hours::{self, Workshop},
        },
    },
    charges::{self, domain::NewCharge},
    coverage::{
        self,
        domain::{CoverageKind, Decision},
    },
    db::{Key, Tx},
    error::AppError,
    followups::server::store as follow_ups,
    jobs,
    notices::server::{self as notices, To},
    repairs::domain::{
        Actor, Due, Job, Mode, Moment, Next, Policy, QuoteLine, QuoteState, Refusal, Rma, SlotId, Standing, State,
        Verb, quote_total,
    },
    server::{
        Cx, fresh,
        history::{self, Change},
        keys,
    },
    values::{Money, PersonId, PhotoId, QuoteId, RepairId},
};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

/// What a move brings along, beside its verb.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The version that the page showed; none where the rule itself notices a change.
    pub version: Option<i64>,
    /// Words for the customer's timeline, or the diagnosis, or the reason.
    pub words: Option<String>,
    pub slot: Option<SlotId>,
    pub quote: Option<QuoteId>,
    pub lines: Vec<QuoteLine>,
    pub day: Option<NaiveDate>,
}

/// Which letter a move sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LetterKind {
    Booked,
    Moved,
    Cancelled,
    Quoted,
    Ready,
    HandedBack,
    GivenUp,
}

/// Everything that the page of one repair shows.
#[derive(Clone, Debug)]
pub struct Shown {
    pub row: store::RepairRow,
    pub workshop: Workshop,
    pub quote: Option<(store::QuoteRow, Vec<QuoteLine>)>,
    pub events: Vec<store::EventRow>,
    pub work: Vec<store::WorkRow>,
    pub photos: Vec<PhotoId>,
    pub customer: String,
    pub technician: Option<String>,
    /// The earlier repair whose fault has come back, as the customer says.
    pub same_as: Option<Rma>,
    pub verbs: Vec<Verb>,
    pub job: Job,
    pub policy: Policy,
    pub subject: Subject,
}

/// Who somebody is to this repair.
fn actor(cx: &Cx, subject: &Subject) -> Actor {
    let theirs = cx.viewer.person().is_some_and(|p| {
        subject.person == Some(p.id) || subject.organisation.is_some_and(|firm| p.owned_organisations().contains(&firm))
    });
    match (theirs, cx.viewer.is_staff()) {
        (false, true) => Actor::Technician,
        _ if cx.viewer.person().is_none() => Actor::System,
        _ => Actor::Customer,
    }
}

fn subject_of(row: &store::RepairRow) -> Subject {
    Subject::of(row.person_id).within(row.organisation_id).assigned_to(row.technician_id)
}

/// The workshop's rules.
pub fn policy(workshop: &Workshop) -> Policy {
    Policy {
        notice_hours: workshop.notice_hours,
        quote_days: workshop.quote_days,
        warranty_days: workshop.warranty_days,
    }
}

/// One repair with all that belongs to it, for a customer (`desk` false) or the staff. What one may not see is not found.
pub async fn show(cx: &Cx, rma: &Rma, desk: bool) -> Result<Shown, AppError> {
    let mut tx = cx.db().read().await?;
    let tx = &mut tx;
    let row = store::by_rma(tx, rma).await?.ok_or(AppError::NotFound)?;
    let subject = subject_of(&row);
    if desk {
        cx.may(Act::ListRepairs, &subject)?;
    }
    cx.may(Act::ReadRepair, &subject).map_err(|e| if e == AppError::SignIn { e } else { AppError::NotFound })?;
    let workshop = hours::workshop(tx, row.workshop_id).await?.ok_or(AppError::NotFound)?;
    let quote = store::quote_and_lines(tx, row.id).await?;
    let job = row.job(quote.as_ref().map(|(quote, _)| quote));
    let policy = policy(&workshop);
    let by = if desk { Actor::Technician } else { actor(cx, &subject) };
    let moment = Moment { now: cx.now, today: cx.today() };
    let mut verbs = job.verbs(by, moment, &policy);
    verbs.retain(|verb| cx.viewer.can(act_of(*verb), &subject));
    let technician = match row.technician_id.filter(|_| desk) {
        Some(id) => store::name_of(tx, id).await?,
        None => None,
    };
    let same_as = match row.same_as {
        Some(earlier) => store::by_id(tx, earlier).await?.map(|earlier| earlier.number()),
        None => None,
    };
    Ok(Shown {
        same_as,
        events: store::events(tx, row.id).await?,
        work: if desk { store::work(tx, row.id).await? } else { Vec::new() },
        photos: super::photos::of_repair(tx, row.id).await?,
        customer: if desk { store::name_of(tx, row.person_id).await?.unwrap_or_default() } else { String::new() },
        quote,
        technician,
        workshop,
        verbs,
        job,
        policy,
        subject,
        row,
    })
}

/// The act that a verb is.
pub fn act_of(verb: Verb) -> Act {
    match verb {
        Verb::Move => Act::MoveRepair,
        Verb::Cancel => Act::CancelRepair,
        Verb::Receive => Act::ReceiveRepair,
        Verb::Diagnose => Act::DiagnoseRepair,
        Verb::Quote => Act::SendQuote,
        Verb::Accept => Act::AcceptQuote,
        Verb::Decline => Act::DeclineQuote,
        Verb::Lapse => Act::LapseQuote,
        Verb::Start | Verb::Resume | Verb::Reopen => Act::StartRepair,
        Verb::WaitForParts => Act::WaitForParts,
        Verb::Finish => Act::FinishRepair,
        Verb::MakeReady => Act::MarkReady,
        Verb::HandBack => Act::HandBack,
        Verb::Close => Act::CloseRepair,
        Verb::GiveUp => Act::GiveUpRepair,
    }
}

/// Moves a repair on. `desk` says through which door it came: at the desk one acts for the workshop.
///
/// # Errors
/// The rule's refusal; [`Refusal::ChangedMeanwhile`] where somebody else was there first.
pub async fn act(cx: &Cx, rma: &Rma, verb: Verb, input: Input, desk: bool) -> Result<(), AppError> {
    let (context, rma) = (cx.clone(), rma.clone());
    cx.db()
        .write(move |tx| {
            let (cx, rma, input) = (context.clone(), rma.clone(), input.clone());
            Box::pin(async move {
                let row = store::by_rma(tx, &rma).await?.ok_or(AppError::NotFound)?;
                step(tx, &cx, row.id, verb, &input, desk).await
            })
        })
        .await?;
    cx.app.wake.notify_one();
    Ok(())
}

/// The move itself, inside a transaction.
pub async fn step(tx: &mut Tx, cx: &Cx, id: RepairId, verb: Verb, input: &Input, desk: bool) -> Result<(), AppError> {
    tx.lock(&[Key::of("repair", id.0)]).await?;
    let row = store::by_id(tx, id).await?.ok_or(AppError::NotFound)?;
    let subject = subject_of(&row);
    let permit = cx.may(act_of(verb), &subject)?;
    let by = if desk { Actor::Technician } else { actor(cx, &subject) };
    if input.version.is_some_and(|seen| seen != row.version) {
        return Err(changed(tx, &row, input).await?);
    }
    let workshop = hours::workshop(tx, row.workshop_id).await?.ok_or(AppError::NotFound)?;
    let quote = store::quote(tx, id).await?;
    if let (Some(seen), Some(now)) = (input.quote, &quote)
        && seen != now.id
    {
        return Err(Refusal::QuoteReplaced.into());
    }
    let scene = Scene { cx, permit: &permit, row: &row, quote: quote.as_ref(), workshop: &workshop, by, input };
    let moved = scene.decide(verb)?;
    let (workshop, technician) = scene.consequences(tx, verb, &moved).await?;
    let next = next_of(tx, &workshop, &moved, cx.now).await?;
    let diagnosis = input.words.as_deref().filter(|_| matches!(verb, Verb::Diagnose | Verb::GiveUp));
    let saved = store::Saved { job: &moved, next, diagnosis, technician, workshop: workshop.id };
    if !store::save(tx, &permit, id, row.version, &saved, cx.now).await? {
        return Err(changed(tx, &row, input).await?);
    }
    let note = input.words.as_deref();
    let event = store::NewEvent::of(by, verb, row.state, moved.state, note);
    store::add_event(tx, &permit, id, event, cx.now).await?;
    let change = Change {
        entity: "repair",
        id: id.0,
        customer: Some(row.person_id),
        from: Some(row.state.as_str()),
        to: Some(moved.state.as_str()),
        why: note,
        detail: None,
    };
    history::record(tx, cx, &permit, change).await?;
    // What found its end, or is with the customer again, needs no follow-up.
    if moved.state == State::HandedBack || moved.state.is_end() {
        follow_ups::done_about(tx, &permit, "repair", id.0, cx.now).await?;
    }
    if let Some(kind) = letter_of(verb) {
        write_letter(tx, cx, id, kind).await?;
    }
    Ok(())
}

/// The refusal that shows both what stands and what was to be said.
async fn changed(tx: &mut Tx, row: &store::RepairRow, input: &Input) -> Result<AppError, AppError> {
    let last = store::events(tx, row.id).await?.pop();
    let theirs = last.and_then(|event| event.note).or_else(|| row.diagnosis.clone()).unwrap_or_default();
    let yours = input.words.clone().unwrap_or_default();
    Ok(Refusal::ChangedMeanwhile { state: row.state, theirs, yours }.into())
}

fn letter_of(verb: Verb) -> Option<LetterKind> {
    match verb {
        Verb::Move => Some(LetterKind::Moved),
        Verb::Cancel => Some(LetterKind::Cancelled),
        Verb::Quote => Some(LetterKind::Quoted),
        Verb::MakeReady => Some(LetterKind::Ready),
        Verb::HandBack => Some(LetterKind::HandedBack),
        Verb::GiveUp => Some(LetterKind::GivenUp),
        _ => None,
    }
}

/// One move with everything it looks at.
struct Scene<'a> {
    cx: &'a Cx,
    permit: &'a Permit,
    row: &'a store::RepairRow,
    quote: Option<&'a store::QuoteRow>,
    workshop: &'a Workshop,
    by: Actor,
    input: &'a Input,
}

impl Scene<'_> {
    fn moment(&self) -> Moment {
        Moment { now: self.cx.now, today: self.workshop.day(self.cx.now) }
    }

    /// The rule: where the job goes, or why not.
    fn decide(&self, verb: Verb) -> Result<Job, AppError> {
        let (job, moment, policy) = (self.row.job(self.quote), self.moment(), policy(self.workshop));
        let moved = match verb {
            Verb::Move => {
                let slot = self.input.slot.ok_or(Refusal::SlotGone)?;
                job.move_to(slot.starts_at, self.by, moment, &policy)
            }
            Verb::Quote => job.send_quote(self.new_quote()?, moment, &policy),
            Verb::WaitForParts => {
                let soon = moment.today.checked_add_days(Days::new(7)).unwrap_or(moment.today);
                job.wait_for_parts(self.input.day.unwrap_or(soon), moment, &policy)
            }
            _ => job.act(verb, self.by, moment, &policy),
        };
        Ok(moved?)
    }

    fn new_quote(&self) -> Result<Standing, AppError> {
        let total = quote_total(&self.input.lines)?;
        let today = self.moment().today;
        let days = Days::new(self.workshop.quote_days.unsigned_abs());
        let valid_until = self.input.day.or_else(|| today.checked_add_days(days)).unwrap_or(today);
        Ok(Standing { state: QuoteState::Sent, valid_until, total })
    }

    fn reference(&self) -> Reference<'static> {
        Reference { entity: "repair", id: self.row.id.0 }
    }

    fn viewer(&self) -> Option<PersonId> {
        self.cx.viewer.person().map(|person| person.id)
    }

    /// What a move takes along: slots, quotes, charges, benefits, coverage, later jobs. Gives the workshop and the
    /// technician that the job has from now on.
    async fn consequences(
        &self,
        tx: &mut Tx,
        verb: Verb,
        moved: &Job,
    ) -> Result<(Workshop, Option<PersonId>), AppError> {
        let (row, now) = (self.row, self.cx.now);
        let mut at = (self.workshop.clone(), row.technician_id);
        match verb {
            Verb::Move => at = self.take_other_slot(tx).await?,
            Verb::Cancel => {
                self.give_slot_back(tx, "cancelled").await?;
                ledger::release(tx, self.reference(), now).await?;
            }
            Verb::Receive => {
                if let Some(appointment) = store::appointment(tx, row.id).await? {
                    store::end_appointment(tx, self.permit, appointment.id, "kept").await?;
                }
                // Whoever receives a job that nobody has, has it.
                at.1 = at.1.or_else(|| self.viewer());
            }
            Verb::Diagnose => self.charge_fee(tx).await?,
            Verb::Quote => self.keep_quote(tx, moved).await?,
            Verb::Accept => {
                self.answer(tx, QuoteState::Accepted).await?;
                self.charge_quote(tx).await?;
            }
            Verb::Decline => self.answer(tx, QuoteState::Declined).await?,
            Verb::Lapse => self.answer(tx, QuoteState::Expired).await?,
            Verb::HandBack => self.settle(tx).await?,
            Verb::GiveUp => {
                ledger::release(tx, self.reference(), now).await?;
                if let Some(quote) = self.quote {
                    charges::server::reverse(tx, "quote", quote.id.0, now).await?;
                }
            }
            Verb::Start
            | Verb::WaitForParts
            | Verb::Resume
            | Verb::Finish
            | Verb::Reopen
            | Verb::MakeReady
            | Verb::Close => {}
        }
        Ok(at)
    }

    async fn take_other_slot(&self, tx: &mut Tx) -> Result<(Workshop, Option<PersonId>), AppError> {
        let slot = self.input.slot.ok_or(Refusal::SlotGone)?;
        let workshop = hours::workshop(tx, slot.workshop).await?.ok_or(Refusal::SlotGone)?;
        self.give_slot_back(tx, "moved").await?;
        let span = booking::take_slot(tx, &workshop, self.row.mode, Some(slot), self.cx.now).await?;
        let technician = match self.row.mode {
            Mode::OnSite => booking::assign(tx, Mode::OnSite, span, self.row.id).await?,
            _ => self.row.technician_id,
        };
        if let (Some(span), Some(service)) = (span, self.row.mode.service()) {
            let new = store::NewAppointment {
                repair: self.row.id,
                workshop: workshop.id,
                service: service.as_str(),
                starts_at: span.from,
                ends_at: span.until,
                zone: workshop.zone().name(),
                technician: technician.filter(|_| self.row.mode == Mode::OnSite),
            };
            store::add_appointment(tx, self.permit, &new, self.cx.now).await?;
        }
        Ok((workshop, technician))
    }

    async fn give_slot_back(&self, tx: &mut Tx, how: &str) -> Result<(), AppError> {
        if let Some(old) = store::appointment(tx, self.row.id).await? {
            store::end_appointment(tx, self.permit, old.id, how).await?;
            hours::release(tx, old.workshop_id, &old.service, old.starts_at).await?;
        }
        busy::free(tx, "repair", self.row.id.0).await
    }

    /// Looking at what is not covered costs what the page of the booking said.
    async fn charge_fee(&self, tx: &mut Tx) -> Result<(), AppError> {
        let row = self.row;
        if row.covered || row.fee_minor == 0 {
            return Ok(());
        }
        let charge = self.charge(row.fee(), "diagnosis", "repair", row.id.0, row.consent_at);
        charges::server::open(tx, charge, self.cx.now).await.map(|_| ())
    }

    async fn charge_quote(&self, tx: &mut Tx) -> Result<(), AppError> {
        let Some(quote) = self.quote.filter(|quote| quote.total_minor > 0) else { return Ok(()) };
        let charge = self.charge(quote.total(), "repair", "quote", quote.id.0, self.cx.now);
        charges::server::open(tx, charge, self.cx.now).await.map(|_| ())
    }

    fn charge(
        &self,
        amount: Money,
        reason: &'static str,
        entity: &'static str,
        id: Uuid,
        consent_at: DateTime<Utc>,
    ) -> NewCharge {
        NewCharge {
            person: self.row.person_id,
            organisation: self.row.organisation_id,
            amount,
            reason,
            entity,
            entity_id: id,
            consent_at,
        }
    }

    async fn keep_quote(&self, tx: &mut Tx, moved: &Job) -> Result<(), AppError> {
        let standing = moved.quote.ok_or(Refusal::QuoteEmpty)?;
        if let Some(old) = self.quote.filter(|old| old.state == QuoteState::Accepted) {
            charges::server::reverse(tx, "quote", old.id.0, self.cx.now).await?;
        }
        let id: QuoteId = fresh();
        let new = store::NewQuote {
            id,
            repair: self.row.id,
            total: standing.total,
            valid_until: standing.valid_until,
            words: self.input.words.as_deref(),
            lines: &self.input.lines,
            sent_by: self.viewer(),
        };
        store::add_quote(tx, self.permit, &new, self.cx.now).await?;
        let after = self.workshop.end_of(standing.valid_until) + TimeDelta::minutes(1);
        jobs::enqueue(tx, jobs::Job::LapseQuote { repair: self.row.id, quote: id }, after).await?;
        Ok(())
    }

    async fn answer(&self, tx: &mut Tx, state: QuoteState) -> Result<(), AppError> {
        let quote = self.quote.ok_or(Refusal::QuoteReplaced)?;
        let noted = store::answer_quote(tx, self.permit, quote.id, state, self.viewer(), self.cx.now).await?;
        if noted { Ok(()) } else { Err(Refusal::QuoteReplaced.into()) }
    }

    /// The item is with the customer again: the benefit is used, the work is warranted, the customer is asked.
    async fn settle(&self, tx: &mut Tx) -> Result<(), AppError> {
        let (row, now, today) = (self.row, self.cx.now, self.moment().today);
        if row.is_unrepaired(self.quote) {
            ledger::release(tx, self.reference(), now).await?;
        } else {
            ledger::spend(tx, self.reference(), now).await?;
            let decision: Option<Decision> = serde_json::from_str(&row.decision).ok();
            let by_law = matches!(decision, Some(Decision::Covered { by: CoverageKind::LegalGuarantee, .. }));
            // The day by which the booking was decided.
            let chosen_on = row.created_at.with_timezone(&self.cx.company_zone()).date_naive();
            let chosen = by_law.then_some(chosen_on);
            let days = u32::try_from(self.workshop.warranty_days).unwrap_or(0);
            coverage::server::service::after_repair(tx, row.item_id, row.id, today, days, chosen, now).await?;
        }
        let person = store::asked(tx, row).await?;
        let ask = jobs::Job::AskFeedback { moment: "repair".into(), subject: row.id.0, person };
        jobs::enqueue(tx, ask, now + TimeDelta::days(1)).await?;
        jobs::enqueue(tx, jobs::Job::CloseRepair { repair: row.id }, now + TimeDelta::days(14)).await?;
        Ok(())
    }
}

/// The next step of a job with the instant at which it is due.
pub async fn next_of(
    tx: &mut Tx,
    workshop: &Workshop,
    job: &Job,
    now: DateTime<Utc>,
) -> Result<Option<(Next, DateTime<Utc>)>, AppError> {
    let Some(next) = job.next() else { return Ok(None) };
    let today = workshop.day(now);
    let due = match next.due {
        Due::At(at) => at,
        Due::On(day) => workshop.end_of(day),
        Due::Days(n) => workshop.end_of(today.checked_add_days(Days::new(u64::from(n))).unwrap_or(today)),
        Due::WorkingDays(n) => {
            let table = hours::timetable(tx, workshop, Service::Desk, today).await?;
            let day = table.working_day_after(today, n);
            table.closes_on(day).and_then(|closes| workshop.instant(closes)).unwrap_or_else(|| workshop.end_of(day))
        }
    };
    Ok(Some((next, due)))
}

/// Records work or a part on a job that is with us.
///
/// # Errors
/// [`Refusal::NotNow`] before the item came and after it went.
pub async fn record_work(
    cx: &Cx,
    rma: &Rma,
    work: store::NewWork,
    key: Option<Uuid>,
    body: &str,
) -> Result<(), AppError> {
    let (cx, rma, body, db) = (cx.clone(), rma.clone(), body.to_owned(), cx.db().clone());
    db.write(move |tx| {
        let (cx, rma, work, body) = (cx.clone(), rma.clone(), work.clone(), body.clone());
        Box::pin(async move {
            let row = store::by_rma(tx, &rma).await?.ok_or(AppError::NotFound)?;
            let permit = cx.may(Act::RecordWork, &subject_of(&row))?;
            let scope = format!("record_work:{}", row.id);
            if keys::seen(tx, &scope, key, &body).await?.is_some() {
                return Ok(());
            }
            if row.state.is_before_arrival() || row.state.is_end() {
                return Err(Refusal::NotNow { state: row.state, verb: Verb::Finish }.into());
            }
            let by = cx.viewer.person().map(|person| person.id);
            store::add_work(tx, &permit, row.id, &work, by, cx.now).await?;
            let detail =
                serde_json::json!({ "kind": work.kind, "label": work.label, "quantity": work.quantity }).to_string();
            let change = Change {
                entity: "repair",
                id: row.id.0,
                customer: Some(row.person_id),
                detail: Some(&detail),
                ..Change::default()
            };
            history::record(tx, &cx, &permit, change).await?;
            keys::remember(tx, &scope, key, &body, "done").await
        })
    })
    .await
}

/// Gives every open job that has no technician one: it was booked when there was none.
pub async fn give_waiting(tx: &mut Tx, cx: &Cx, permit: &Permit) -> Result<(), AppError> {
    for id in store::without_technician(tx).await? {
        tx.lock(&[Key::of("repair", id.0)]).await?;
        let Some(row) = store::by_id(tx, id).await?.filter(store::RepairRow::wants_technician) else { continue };
        let span = store::appointment(tx, id).await?.and_then(|old| Span::new(old.starts_at, old.ends_at));
        let visits = booking::assign(tx, row.mode, span, id).await;
        // Whoever cannot be there at that time has the job all the same, and moves it.
        let technician = match visits {
            Err(AppError::Refused(_)) => booking::assign(tx, row.mode, None, id).await?,
            Ok(technician) => {
                store::send_to_visit(tx, permit, id, technician).await?;
                technician
            }
            Err(error) => return Err(error),
        };
        store::give(tx, permit, id, technician).await?;
        let change = Change { entity: "repair", id: id.0, customer: Some(row.person_id), ..Change::default() };
        history::record(tx, cx, permit, change).await?;
    }
    Ok(())
}

/// Job: a quote that nobody answered in time lapses.
pub async fn lapse_quote(cx: &Cx, repair: RepairId, quote: QuoteId) -> Result<(), AppError> {
    by_itself(cx, repair, Verb::Lapse, Input { quote: Some(quote), ..Input::default() }).await
}

/// Job: a repair that the customer has had back for two weeks is closed.
pub async fn close(cx: &Cx, repair: RepairId) -> Result<(), AppError> {
    by_itself(cx, repair, Verb::Close, Input::default()).await
}

/// A move that the clock makes; where it is not possible any more, nothing is to be done.
async fn by_itself(cx: &Cx, repair: RepairId, verb: Verb, input: Input) -> Result<(), AppError> {
    let context = cx.clone();
    let done = cx
        .db()
        .write(move |tx| {
            let (cx, input) = (context.clone(), input.clone());
            Box::pin(async move { step(tx, &cx, repair, verb, &input, false).await })
        })
        .await;
    match done {
        Err(AppError::Refused(_) | AppError::NotFound) => Ok(()),
        other => other,
    }
}

/// Tells whoever reads of it, each once for each state that the job reaches.
pub async fn write_letter(tx: &mut Tx, cx: &Cx, id: RepairId, kind: LetterKind) -> Result<(), AppError> {
    let row = store::by_id(tx, id).await?.ok_or(AppError::NotFound)?;
    let workshop = hours::workshop(tx, row.workshop_id).await?.ok_or(AppError::NotFound)?;
    let quote = store::quote(tx, id).await?;
    let link = cx.app.config.address(&format!("/repairs/{}", row.number()));
    for reader in store::readers(tx, &row).await? {
        let own_act = cx.viewer.person().is_some_and(|viewer| viewer.id == reader);
        let letter = super::letters::letter(kind, &row, &workshop, quote.as_ref(), cx.now, own_act, link.clone());
        let dedupe = format!("repair:{id}:{}:{kind:?}:{reader}", row.version);
        notices::service::send(tx, cx, To::Person(reader), letter, &dedupe).await?;
    }
    Ok(())
}
