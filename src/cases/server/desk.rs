//! The desk's pages of cases: the queue, and one case with its customer's history first.

use super::{
    portal::{id, talk},
    service::{self, AtDesk, DeskDeed},
    store::{Case, Queue},
    words,
};
use crate::{
    access::{Act, Subject},
    cases::domain::{Priority, Side, State, WORDS_MAX},
    error::AppError,
    i18n::InWords,
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::{DeskTab, Frame},
        query::Query,
    },
    ui::*,
    values::{Cursor, Rows},
    w,
};
use axum::{extract::Path, response::Response};
use leptos::prelude::*;
use serde::Deserialize;

const FRAME: Frame = Frame::Desk(DeskTab::Cases);

/// Which queue, and where it goes on.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    queue: String,
    #[serde(default)]
    from: String,
}

pub async fn list(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let queue = Queue::ALL.into_iter().find(|queue| queue.as_str() == asked.queue).unwrap_or_default();
    let rows = service::queue(&cx, queue, Cursor::decode(&asked.from).as_ref()).await?;
    let fmt = cx.fmt();
    Ok(cx.page(FRAME, w!(cx, cases.desk_title), || {
        let tabs = Queue::ALL
            .into_iter()
            .map(|this| Tab { href: format!("/desk/cases?queue={}", this.as_str()), label: queue_name(&cx, this), current: this == queue })
            .collect();
        let empty = rows.rows.is_empty();
        let pager = rows.next.as_ref().map(|next| {
            let href = format!("/desk/cases?queue={}&from={}", queue.as_str(), next.encode());
            view! { <Pager href label=w!(fmt, cases.more)/> }
        });
        let settings = cx.viewer.can(Act::SetHours, &Subject::nobody()).then(|| {
            view! { <ButtonLink href="/desk/settings/hours" tone=ButtonTone::Quiet icon=Some(Icon::Gear)>{w!(fmt, cases.hours_link)}</ButtonLink> }
        });
        view! {
            <PageHead title=w!(fmt, cases.desk_title) lead=w!(fmt, cases.desk_lead)>{settings}</PageHead>
            <Tabs label=w!(fmt, cases.tabs) tabs/>
            {if empty {
                view! { <Empty icon=Icon::Check title=w!(fmt, cases.desk_empty_title) text=w!(fmt, cases.desk_empty_text)/> }.into_any()
            } else {
                table(&cx, &rows).into_any()
            }}
            {pager}
        }
    }))
}

fn queue_name(cx: &Cx, queue: Queue) -> String {
    match queue {
        Queue::Mine => w!(cx, cases.tab_mine),
        Queue::Unassigned => w!(cx, cases.tab_unassigned),
        Queue::Overdue => w!(cx, cases.tab_overdue),
        Queue::All => w!(cx, cases.tab_all),
    }
}

fn table(cx: &Cx, rows: &Rows<Case>) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let columns = vec![
        Column::from(w!(fmt, cases.subject)),
        Column::from(w!(fmt, cases.customer)),
        Column::from(w!(fmt, cases.next_step)),
        Column::from(w!(fmt, cases.owner)),
    ];
    let rows = rows
        .rows
        .iter()
        .map(|case| TableRow {
            href: Some(format!("/desk/cases/{}", case.id)),
            cells: vec![
                case.subject.clone().into_any(),
                case.customer_name.clone().into_any(),
                view! { <span class="row">{badges(cx, case)}</span> }.into_any(),
                case.owner_name.clone().unwrap_or_else(|| w!(fmt, cases.nobody)).into_any(),
            ],
        })
        .collect();
    view! { <Table caption=w!(fmt, cases.desk_title) columns rows/> }
}

/// How urgent it is, what comes next and by when.
pub fn badges(cx: &Cx, case: &Case) -> impl IntoView + use<> {
    let priority = case.matter.priority;
    let urgent =
        (priority != Priority::Normal).then(|| view! { <Badge tone=Tone::Bad text=priority.in_words(cx.fmt())/> });
    let next = next(cx, case);
    view! { {urgent} {next} }
}

/// What comes next and by when; late in the colour of late.
fn next(cx: &Cx, case: &Case) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    case.matter.next().map(|(step, due)| {
        let when = fmt.date_time(due, cx.zone);
        let (tone, when) = if case.matter.is_late(cx.now) {
            (Tone::Bad, w!(fmt, cases.late_since, when = when))
        } else {
            (words::tone(case.matter.state), w!(fmt, cases.due, when = when))
        };
        view! { <Badge tone text=step.in_words(fmt)/> <span class="soft small">{when}</span> }
    })
}

pub async fn show(cx: Cx, Path(case): Path<String>) -> Result<Response, AppError> {
    let at_desk = service::at_desk(&cx, id(&case)?).await?;
    Ok(page(&cx, at_desk, &Sheet::default()))
}

pub async fn act(cx: Cx, Path(case): Path<String>, form: Form) -> Result<Response, AppError> {
    cx.may(Act::ListCases, &Subject::nobody())?;
    let id = id(&case)?;
    let deed: DeskDeed = form.text("do").parse()?;
    match service::by_desk(&cx, id, deed, &form).await {
        Ok(()) => {
            let notice = match deed {
                DeskDeed::Answer | DeskDeed::Ask => Notice::CaseReplied,
                DeskDeed::AnswerAndSolve | DeskDeed::Resolve => Notice::CaseResolved,
                DeskDeed::Note => Notice::CaseNoted,
                DeskDeed::Take => Notice::CaseTaken,
                DeskDeed::Assign => Notice::CaseAssigned,
                DeskDeed::Prioritise => Notice::CasePrioritised,
                DeskDeed::Close => Notice::CaseClosed,
            };
            Ok(cx.redirect(&format!("/desk/cases/{id}"), Some(notice)))
        }
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            Ok(page(&cx, service::at_desk(&cx, id).await?, &sheet))
        }
    }
}

/// The forms of the page, each by what it can be sent for.
const FORMS: [&[DeskDeed]; 4] = [SAYS, &[DeskDeed::Note], &[DeskDeed::Assign], &[DeskDeed::Prioritise]];
const SAYS: &[DeskDeed] = &[DeskDeed::Answer, DeskDeed::AnswerAndSolve, DeskDeed::Ask];

/// Whether a page shows that form of a case in this state.
fn offered(deeds: &[DeskDeed], state: State) -> bool {
    match state {
        State::Closed => false,
        State::Resolved => !deeds.contains(&DeskDeed::Prioritise),
        _ => true,
    }
}

/// The sheet, if it is that of a form that is sent for one of these.
fn of<'a>(sheet: &'a Sheet, deeds: &[DeskDeed]) -> Option<&'a Sheet> {
    deeds.iter().any(|deed| sheet.value("do") == deed.as_str()).then_some(sheet)
}

fn page(cx: &Cx, at_desk: AtDesk, sheet: &Sheet) -> Response {
    let fmt = cx.fmt();
    cx.sheet_page(sheet, FRAME, at_desk.case.subject.clone(), || {
        let case = &at_desk.case;
        let (matter, state) = (&case.matter, case.matter.state);
        let action = format!("/desk/cases/{}", case.id);
        let kind = matter.kind.in_words(fmt);
        let said = talk(cx, &at_desk.messages, Side::Staff);
        let (before, facts) = (before(cx, &at_desk), facts(cx, &at_desk, &action, sheet));
        let forms = (state != State::Closed).then(|| answer_forms(cx, &action, seen(&at_desk), sheet));
        let mut shown = FORMS.iter().filter(|deeds| offered(deeds, state));
        let otherwise = shown.all(|deeds| of(sheet, deeds).is_none()).then(|| cx.faults(sheet));
        let typed = vec![(w!(fmt, cases.answer_label), sheet.value("words").to_owned())];
        let kept = (state == State::Closed).then(|| cx.kept(typed));
        view! {
            <PageHead title=case.subject.clone() lead=case.customer_name.clone() back=Some(("/desk/cases".to_owned(), w!(fmt, cases.desk_title)))>
                <Badge tone=words::tone(state) text=state.in_words(fmt)/>
                <span class="soft small">{kind}</span>
            </PageHead>
            <Columns>
                <div class="stack">
                    {otherwise}
                    {kept}
                    {before}
                    <Section title=w!(fmt, cases.conversation)>{said}</Section>
                    {forms}
                </div>
                <div class="stack">{facts}</div>
            </Columns>
        }
    })
}

/// The customer so far, before one answers.
fn before(cx: &Cx, at_desk: &AtDesk) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let others = at_desk
        .before
        .iter()
        .take(5)
        .map(|case| {
            let state = case.matter.state;
            view! {
                <li class="split">
                    <a href=format!("/desk/cases/{}", case.id)>{case.subject.clone()}</a>
                    <Badge tone=words::tone(state) text=state.in_words(fmt)/>
                </li>
            }
        })
        .collect_view();
    let first = at_desk.before.is_empty();
    let may_read = cx.viewer.can(Act::ReadCustomer, &Subject::of(at_desk.case.customer));
    let name = at_desk.case.customer_name.clone();
    let href = format!("/desk/customers/{}", at_desk.case.customer);
    view! {
        <Card title=w!(fmt, cases.before)>
            {first.then(|| view! { <p class="soft">{w!(fmt, cases.before_none)}</p> })}
            {(!first).then(|| view! { <ul class="plain-list stack" role="list">{others}</ul> })}
            {may_read.then(|| view! { <p><a href=href>{w!(fmt, cases.everything_of, name = name)}</a></p> })}
        </Card>
    }
}

/// How often the customer has written, as this page shows it.
fn seen(at_desk: &AtDesk) -> String {
    at_desk.messages.iter().filter(|message| message.side == Side::Customer).count().to_string()
}

fn answer_forms(cx: &Cx, action: &str, seen: String, sheet: &Sheet) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let none = Sheet::default();
    let (public, again) = (of(sheet, SAYS).unwrap_or(&none), of(sheet, &[DeskDeed::Note]));
    let (noted, note) = (again.is_some(), again.unwrap_or(&none));
    let note_form = view! {
        <form method="post" action=action.to_owned() id="note" class="form">
            {cx.faults(note)}
            <HiddenKey value=note.key()/>
            <TextArea name="words" id="note-words".to_owned() label=w!(fmt, cases.note_label) hint=w!(fmt, cases.note_hint)
                value=note.value("words").to_owned() fault=cx.fault(note, "words") maxlength=Some(WORDS_MAX) required=true/>
            <Actions><Button tone=ButtonTone::Quiet name="do" value=DeskDeed::Note.as_str().to_owned()>{w!(fmt, cases.note_save)}</Button></Actions>
        </form>
    };
    view! {
        <form method="post" action=action.to_owned() id="answer" class="form">
            {cx.faults(public)}
            <HiddenKey value=public.key()/>
            <input type="hidden" name="seen" value=seen/>
            <TextArea name="words" label=w!(fmt, cases.answer_label) hint=w!(fmt, cases.ask_hint) value=public.value("words").to_owned()
                fault=cx.fault(public, "words") maxlength=Some(WORDS_MAX) rows=5 required=true/>
            <Actions>
                <Button name="do" value=DeskDeed::Answer.as_str().to_owned()>{w!(fmt, cases.answer)}</Button>
                <Button tone=ButtonTone::Quiet name="do" value=DeskDeed::AnswerAndSolve.as_str().to_owned()>{w!(fmt, cases.answer_solve)}</Button>
                <Button tone=ButtonTone::Quiet name="do" value=DeskDeed::Ask.as_str().to_owned()>{w!(fmt, cases.ask)}</Button>
            </Actions>
        </form>
        <Fold title=w!(fmt, cases.note_label) open=noted>{note_form}</Fold>
    }
}

/// Who has it, what was promised, what can be done besides answering.
fn facts(cx: &Cx, at_desk: &AtDesk, action: &str, sheet: &Sheet) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let (case, matter) = (&at_desk.case, &at_desk.case.matter);
    let me = cx.viewer.person().map(|person| person.id);
    let at = |instant| fmt.date_time(instant, cx.zone);
    let mut rows: Vec<(String, AnyView)> = vec![
        (w!(fmt, cases.owner), case.owner_name.clone().unwrap_or_else(|| w!(fmt, cases.nobody)).into_any()),
        (w!(fmt, cases.priority), matter.priority.in_words(fmt).into_any()),
    ];
    if matter.next().is_some() {
        rows.push((w!(fmt, cases.next_step), view! { <span class="row">{next(cx, case)}</span> }.into_any()));
    }
    let reopened = (matter.reopened > 0)
        .then(|| w!(fmt, cases.reopened, count = u64::from(matter.reopened.unsigned_abs())))
        .map(|text| view! { <Badge tone=Tone::Warn text/> });
    let late = [(matter.answered_late, w!(fmt, cases.answered_late)), (matter.solved_late, w!(fmt, cases.solved_late))]
        .into_iter()
        .filter(|(late, _)| *late)
        .map(|(_, text)| view! { <Badge tone=Tone::Warn text/> })
        .collect_view();
    let options = at_desk.colleagues.iter().map(|(id, name)| (id.to_string(), name.clone())).collect();
    let owner = matter.owner.map(|owner| owner.to_string()).unwrap_or_default();
    let alive = matter.state != State::Closed;
    let post = |deed: DeskDeed, tone: ButtonTone, text: String| {
        let seen =
            (deed == DeskDeed::Resolve).then(|| view! { <input type="hidden" name="seen" value=seen(at_desk)/> });
        view! {
            <form method="post" action=action.to_owned()>
                {seen}
                <Button tone name="do" value=deed.as_str().to_owned()>{text}</Button>
            </form>
        }
    };
    let opened = w!(fmt, cases.opened, when = at(matter.opened_at));
    let take = (alive && matter.owner != me).then(|| post(DeskDeed::Take, ButtonTone::Quiet, w!(fmt, cases.take)));
    let end = alive.then(|| {
        if matter.state == State::Resolved {
            post(DeskDeed::Close, ButtonTone::Danger, w!(fmt, cases.close))
        } else {
            post(DeskDeed::Resolve, ButtonTone::Quiet, w!(fmt, cases.resolve))
        }
    });
    let assign = alive.then(|| {
        let again = of(sheet, &[DeskDeed::Assign]);
        let fault = again.and_then(|sheet| cx.fault(sheet, "owner"));
        let faults = again.map(|sheet| cx.faults(sheet));
        let form = view! {
            <form method="post" action=action.to_owned() id="assign" class="form">
                {faults}
                <Select name="owner" label=w!(fmt, cases.assign) options value=owner fault/>
                <Actions><Button tone=ButtonTone::Quiet name="do" value=DeskDeed::Assign.as_str().to_owned()>{w!(fmt, cases.assign_save)}</Button></Actions>
            </form>
        };
        view! { <Card>{form}</Card> }
    });
    let urgency = (alive && matter.state != State::Resolved).then(|| {
        let options = Priority::ALL.iter().map(|priority| (priority.as_str().to_owned(), priority.in_words(fmt))).collect();
        let value = matter.priority.as_str().to_owned();
        let again = of(sheet, &[DeskDeed::Prioritise]);
        let fault = again.and_then(|sheet| cx.fault(sheet, "priority"));
        let faults = again.map(|sheet| cx.faults(sheet));
        let form = view! {
            <form method="post" action=action.to_owned() id="prioritise" class="form">
                {faults}
                <Select name="priority" label=w!(fmt, cases.priority) hint=w!(fmt, cases.priority_hint) options value fault/>
                <Actions><Button tone=ButtonTone::Quiet name="do" value=DeskDeed::Prioritise.as_str().to_owned()>{w!(fmt, cases.priority_save)}</Button></Actions>
            </form>
        };
        view! { <Card>{form}</Card> }
    });
    view! {
        <Card>
            <DefinitionList rows/>
            <p class="row">{reopened} {late}</p>
            <p class="soft small">{opened}</p>
            <Actions>{take} {end}</Actions>
        </Card>
        {assign}
        {urgency}
    }
}
