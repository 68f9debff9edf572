//! `/desk`: where each role starts its day.

use super::store;
use crate::{
    access::{Act, Role, Subject},
    cases::server::{
        badges, service as cases,
        store::{Case, Queue},
    },
    error::AppError,
    followups::server::{desk::due_card, service as followups, store as followup_store},
    i18n::InWords,
    ratings::{
        domain::Moment,
        server::{
            desk::figures,
            service::{self as ratings, Satisfaction},
        },
    },
    repairs::domain::State as RepairState,
    server::{
        Cx,
        page::{DeskTab, Frame},
    },
    ui::*,
    w,
};
use axum::response::Response;
use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use leptos::prelude::*;

/// A section of the starting page shows so many lines.
const LINES: usize = 5;
/// So many coming classes, in the next weeks, stand below those of today.
const NEXT_LINES: usize = 3;
const LOOK_AHEAD: TimeDelta = TimeDelta::days(28);

/// What the roles of this person need today.
#[derive(Default)]
struct Today {
    cases: Option<Vec<Case>>,
    follow_ups: Vec<followup_store::FollowUp>,
    classes: Option<Vec<store::ClassToday>>,
    next_classes: Vec<store::ClassToday>,
    jobs: Option<Vec<store::JobToday>>,
    neglected: Option<usize>,
    figures: Option<Vec<(Moment, Satisfaction)>>,
}

async fn load(cx: &Cx) -> Result<Today, AppError> {
    let me = cx.person()?.clone();
    cx.may(Act::OpenDesk, &Subject::nobody())?;
    let may = |act| cx.viewer.can(act, &Subject::nobody());
    let mut today = Today::default();
    let zone = cx.company_zone();
    let midnight = |day: NaiveDate| {
        let wall = day.and_time(NaiveTime::MIN);
        zone.from_local_datetime(&wall).earliest().map_or(cx.now, |local| local.with_timezone(&Utc))
    };
    let (begins, ends) = (midnight(cx.today()), midnight(cx.today() + TimeDelta::days(1)));
    let mut tx = cx.db().read().await?;
    let classes = store::classes(&mut tx, me.id, begins, ends, LINES).await?;
    today.next_classes = store::classes(&mut tx, me.id, ends, begins + LOOK_AHEAD, NEXT_LINES).await?;
    // Anybody of the staff may help in a class; a trainer is told of an empty day, too.
    let teaches = me.is(Role::Trainer) || !classes.is_empty() || !today.next_classes.is_empty();
    today.classes = teaches.then_some(classes);
    if me.is(Role::Technician) {
        today.jobs = Some(store::jobs(&mut tx, me.id, ends, 8).await?);
    }
    drop(tx);
    if may(Act::ListCases) {
        today.cases = Some(cases::queue(cx, Queue::Mine, None).await?.rows);
    }
    if may(Act::PlanFollowUp) {
        today.follow_ups = followups::mine(cx).await?;
    }
    if may(Act::ReadNeglected) {
        today.neglected = Some(followups::neglected(cx).await?.len());
    }
    if may(Act::ReadFeedback) && me.is(Role::Manager) {
        let mut tx = cx.db().read().await?;
        today.figures = Some(ratings::figures(&mut tx, cx).await?);
    }
    Ok(today)
}

pub async fn show(cx: Cx) -> Result<Response, AppError> {
    let today = load(&cx).await?;
    let fmt = cx.fmt();
    Ok(cx.page(Frame::Desk(DeskTab::Today), w!(cx, desk.title), || {
        let lead = fmt.day(cx.today());
        view! {
            <PageHead title=w!(fmt, desk.title) lead/>
            {today.neglected.map(|count| neglected(&cx, count))}
            {today.classes.map(|rows| classes(&cx, rows, today.next_classes))}
            {today.jobs.map(|rows| jobs(&cx, rows))}
            {today.cases.map(|rows| my_cases(&cx, &rows))}
            {(!today.follow_ups.is_empty()).then(|| {
                let cards = today.follow_ups.iter().take(LINES).map(|follow_up| due_card(&cx, follow_up)).collect_view();
                view! { <Section title=w!(fmt, desk.my_followups)><Cards>{cards}</Cards></Section> }
            })}
            {today.figures.map(|rows| {
                let table = figures(&cx, &rows);
                view! {
                    <Section title=w!(fmt, desk.satisfaction) more=Some(("/desk/feedback".to_owned(), w!(fmt, desk.see_all)))>{table}</Section>
                }
            })}
            {links(&cx)}
        }
    }))
}

/// What somebody teaches or helps in today, and what comes next.
fn classes(cx: &Cx, rows: Vec<store::ClassToday>, next: Vec<store::ClassToday>) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let (zone, me) = (cx.zone, cx.viewer.person().map(|person| person.id));
    let all = cx.viewer.can(Act::ReadRoster, &Subject::nobody().assigned_to(me));
    let all = all.then(|| ("/desk/classes".to_owned(), w!(fmt, desk.see_all)));
    let empty = rows.is_empty();
    let card = move |class: store::ClassToday, when: String| {
        let place = Some(class.place).filter(|place| !place.is_empty());
        let helps = (Some(class.trainer_id) != me).then(|| w!(fmt, teaching.you_help));
        let note = [Some(when), place, helps.clone()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let href = match helps {
            Some(_) => format!("/desk/classes/{}/room", class.id),
            None => format!("/desk/classes/{}", class.id),
        };
        view! {
            <CardLink href title=class.title icon=Some(Icon::Cap) note
                badge=Some((Tone::Info, format!("{} / {}", fmt.number(class.taken), fmt.number(class.capacity))))/>
        }
    };
    let cards = rows
        .into_iter()
        .map(|class| {
            let when = fmt.time(class.starts_at, zone);
            card(class, when)
        })
        .collect_view();
    let next = (!next.is_empty()).then(|| {
        let cards = next
            .into_iter()
            .map(|class| {
                let when = fmt.date_time(class.starts_at, zone);
                card(class, when)
            })
            .collect_view();
        view! { <Section title=w!(fmt, desk.classes_next)><Cards>{cards}</Cards></Section> }
    });
    view! {
        <Section title=w!(fmt, desk.classes) more=all>
            {empty.then(|| view! { <p class="soft">{w!(fmt, desk.classes_empty)}</p> })}
            <Cards>{cards}</Cards>
        </Section>
        {next}
    }
}

/// What a technician has to do today.
fn jobs(cx: &Cx, rows: Vec<store::JobToday>) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let empty = rows.is_empty();
    let cards = rows
        .into_iter()
        .map(|job| {
            let late = job.next_due.is_some_and(|due| due < cx.now);
            let when = job.next_due.map(|due| fmt.date_time(due, cx.zone)).unwrap_or_default();
            let when = if late { w!(fmt, cases.late_since, when = when) } else { w!(fmt, cases.due, when = when) };
            let state = job.state.parse::<RepairState>().map_or_else(|_| job.state.clone(), |state| state.in_words(fmt));
            view! {
                <CardLink href=format!("/desk/repairs/{}", job.rma) title=job.item_name icon=Some(Icon::Wrench) text=job.customer_name
                    note=when badge=Some((if late { Tone::Bad } else { Tone::Info }, state))/>
            }
        })
        .collect_view();
    view! {
        <Section title=w!(fmt, desk.jobs) more=Some(("/desk/repairs".to_owned(), w!(fmt, desk.see_all)))>
            {empty.then(|| view! { <p class="soft">{w!(fmt, desk.jobs_empty)}</p> })}
            <Cards>{cards}</Cards>
        </Section>
    }
}

/// The ways that are not on this page and that this person may go.
fn links(cx: &Cx) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let may = |act| cx.viewer.can(act, &Subject::nobody());
    let is = |role| cx.viewer.person().is_some_and(|person| person.is(role));
    let manages = is(Role::Manager) || is(Role::Admin);
    let link = |open: bool, href: &'static str, icon: Icon, title: String| {
        open.then(|| view! { <CardLink href title icon=Some(icon)/> })
    };
    let links = [
        link(manages, "/desk/classes", Icon::Cap, w!(fmt, desk.classes)),
        link(may(Act::ListRepairs) && !is(Role::Technician), "/desk/repairs", Icon::Wrench, w!(fmt, desk.jobs)),
        link(may(Act::ReadCustomer), "/desk/customers", Icon::Users, w!(fmt, desk.customers)),
        link(may(Act::ReadFeedback), "/desk/reports", Icon::Chart, w!(fmt, desk.reports)),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>();
    (!links.is_empty()).then(|| view! { <Section title=w!(fmt, desk.links)><Cards wide=true>{links}</Cards></Section> })
}

fn neglected(cx: &Cx, count: usize) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let (tone, text) = if count == 0 {
        (Tone::Good, w!(fmt, desk.neglected_none))
    } else {
        (Tone::Bad, w!(fmt, followups.waiting, count = count as u64))
    };
    view! { <CardLink href="/desk/neglected" title=w!(fmt, desk.neglected) text icon=Some(Icon::Heart) tone=Some(tone)/> }
}

fn my_cases(cx: &Cx, rows: &[Case]) -> impl IntoView + use<> {
    let fmt = cx.fmt();
    let empty = rows.is_empty();
    let cards = rows
        .iter()
        .take(LINES)
        .map(|case| {
            let tone = case.matter.is_late(cx.now).then_some(Tone::Bad);
            let (href, subject, customer) =
                (format!("/desk/cases/{}", case.id), case.subject.clone(), case.customer_name.clone());
            let badges = badges(cx, case);
            view! {
                <Card tone>
                    <p><strong><a href=href>{subject}</a></strong></p>
                    <p class="soft small">{customer}</p>
                    <p class="row">{badges}</p>
                </Card>
            }
        })
        .collect_view();
    view! {
        <Section title=w!(fmt, desk.my_cases) more=Some(("/desk/cases".to_owned(), w!(fmt, desk.see_all)))>
            {empty.then(|| view! { <p class="soft">{w!(fmt, desk.my_cases_empty)}</p> })}
            <Cards>{cards}</Cards>
        </Section>
    }
}
