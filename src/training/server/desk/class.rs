//! One class at the desk: its roster, its marks, and what its trainer can do with it.

use super::{
    FRAME,
    after::{self, After},
    fields::Needed,
    roster::{self, Before},
};
use crate::{
    access::{Act, Subject},
    error::{AppError, Fault, Faults},
    i18n::InWords,
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
        query::Query,
    },
    training::{
        domain::{ClassState, EnrolmentState, Mark},
        server::{
            attend,
            plan::{self, marked_from},
            portal::parse,
            shared::{count, seats_in_words},
            store::{self, ClassRow, EnrolmentRow, SessionRow},
            views, words, writing,
        },
    },
    ui::*,
    values::{ClassId, ClassSessionId, EnrolmentId, PersonId},
    w,
};
use axum::{extract::Path, response::Response};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::Deserialize;
use std::collections::HashMap;

/// Which session's marks are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    session: String,
}

/// Everything that the page shows.
struct Shown {
    class: ClassRow,
    sessions: Vec<SessionRow>,
    people: Vec<EnrolmentRow>,
    owned: HashMap<PersonId, Vec<String>>,
    marks: HashMap<(EnrolmentId, ClassSessionId), Mark>,
    needed: Needed,
    session: Option<ClassSessionId>,
    learners: super::learners::Learners,
    /// How many a letter to all reaches.
    readers: usize,
    before: Before,
    after: After,
    groups: crate::training::server::group_page::Groups,
}

async fn load(cx: &Cx, id: ClassId, session: &str) -> Result<Shown, AppError> {
    let mut tx = cx.db().read().await?;
    let class = store::class(&mut tx, id).await?;
    cx.may(Act::ReadRoster, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
    let sessions = store::sessions(&mut tx, id).await?;
    let people = store::of_class(&mut tx, id).await?;
    let owned = store::owned_by_learners(&mut tx, id).await?;
    let marks = store::marks(&mut tx, id)
        .await?
        .into_iter()
        .map(|row| ((row.enrolment_id, row.session_id), row.mark))
        .collect();
    let needed = Needed::load(&mut tx, id).await?;
    let asked = session.parse().ok().filter(|id| sessions.iter().any(|row| row.id == *id));
    // Else the session that is on, or the next one, or the last.
    let current = sessions.iter().find(|row| cx.now < row.ends_at).or(sessions.last()).map(|row| row.id);
    let learners = super::learners::load(&mut tx, id).await?;
    let readers = writing::readers(&mut tx, id, cx.now).await?.len();
    let before = roster::load(&mut tx, cx, &class).await?;
    let after = after::load(&mut tx, &class).await?;
    let groups = crate::training::server::group_page::for_trainer(&mut tx, id).await?;
    Ok(Shown {
        class,
        sessions,
        people,
        owned,
        marks,
        needed,
        session: asked.or(current),
        learners,
        readers,
        before,
        after,
        groups,
    })
}

pub async fn show(cx: Cx, Path(id): Path<String>, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let shown = load(&cx, parse(&id)?, &asked.session).await?;
    Ok(page(&cx, &shown, &Sheet::default()))
}

fn page(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Response {
    cx.sheet_page(sheet, FRAME, shown.class.title.clone(), || view_of(cx, shown, sheet))
}

pub async fn act(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let id: ClassId = parse(&id)?;
    // Back to the session that was worked on; whatever else was sent stays out of the address.
    let session = form.text("session").parse::<ClassSessionId>().map(|id| id.to_string()).unwrap_or_default();
    match run(&cx, id, &form).await {
        Ok(notice) => {
            let to = if session.is_empty() { String::new() } else { format!("?session={session}") };
            Ok(cx.redirect(&format!("/desk/classes/{id}{to}"), notice))
        }
        Err(error) => again(&cx, id, form, error).await,
    }
}

/// The page with what was refused.
pub async fn again(cx: &Cx, id: ClassId, form: Form, error: AppError) -> Result<Response, AppError> {
    let session = form.text("session").to_owned();
    let sheet = Sheet::again(form, error)?;
    Ok(page(cx, &load(cx, id, &session).await?, &sheet))
}

async fn run(cx: &Cx, id: ClassId, form: &Form) -> Result<Option<Notice>, AppError> {
    if let Some(done) = roster::run(cx, id, form).await {
        return done.map(Some);
    }
    match form.text("act") {
        "publish" => plan::publish(cx, id).await.map(|()| Some(Notice::ClassPublished)),
        "close" => plan::close(cx, id).await.map(|()| Some(Notice::ClassClosed)),
        "cancel" => {
            let mut faults = Faults::default();
            let why = form.words("why", 500, &mut faults);
            faults.check()?;
            plan::cancel(cx, id, why).await.map(|()| Some(Notice::ClassCancelled))
        }
        "mark_rest" => attend::mark_rest(cx, id, parse(form.text("session"))?).await.map(|()| None),
        "mark" => {
            let mut faults = Faults::default();
            let mark = form.optional::<Mark>("mark", &mut faults, Fault::NotAChoice);
            let was = match form.text("was") {
                "" => None,
                "none" => Some(None),
                word => Some(word.parse().ok()),
            };
            faults.check()?;
            attend::mark(cx, id, parse(form.text("session"))?, parse(form.text("enrolment"))?, was, mark)
                .await
                .map(|()| None)
        }
        _ => Err(Faults::only("act", Fault::NotAChoice)),
    }
}

fn view_of(cx: &Cx, shown: &Shown, sheet: &Sheet) -> AnyView {
    let class = &shown.class;
    let now = seats_in_words(cx, class.state, class.seats(), &class.policy());
    let edit = class.state.is_editable().then(|| {
        let label = w!(cx, training.edit);
        view! { <ButtonLink href=format!("{}/edit", class.desk_path()) tone=ButtonTone::Quiet>{label}</ButtonLink> }
    });
    let copy_words = w!(cx, planning.copy);
    let copy = view! { <ButtonLink href=format!("/desk/classes/new?copy={}", class.id) tone=ButtonTone::Quiet>{copy_words}</ButtonLink> };
    let public = (class.state != ClassState::Draft).then(|| {
        let seen_by_customers = w!(cx, training.seen_by_customers);
        view! { <ButtonLink href=class.path() tone=ButtonTone::Quiet>{seen_by_customers}</ButtonLink> }
    });
    let mut facts = vec![
        (w!(cx, training.venue), views::venue(cx, class, true)),
        (w!(cx, training.trainer), class.trainer_name.clone().into_any()),
        (w!(cx, training.seats), format!("{} / {}", class.taken + class.held, class.capacity).into_any()),
    ];
    facts.extend(shown.needed.facts(cx, class));
    let why = class.why_cancelled.clone().map(|why| view! { <Alert tone=Tone::Bad><p class="pre">{why}</p></Alert> });
    let stage_badge = views::stage_badge(cx, class);
    let waiting = now.waiting;
    let publish = publish(cx, class);
    let tools = roster::tools(cx, class, shown.readers, sheet);
    let after = after::cards(cx, class, &shown.people, &shown.after);
    let roster = roster(cx, shown, sheet);
    let line = line(cx, shown, sheet);
    let groups = crate::training::server::group_page::trainer_card(cx, class, &shown.groups);
    let session_count = Some(views::session_count(cx, &shown.sessions));
    let sessions = views::sessions(cx, class, &shown.sessions);
    let close = close(cx, shown);
    let cancel = cancel(cx, class, sheet);
    view! {
        <PageHead title=class.title.clone() lead=Some(views::when(cx, class.starts_at, class.tz())) back=Some(("/desk/classes".to_owned(), w!(cx, training.desk_title)))>
            {stage_badge}
            <span class="soft small">{waiting}</span>
        </PageHead>
        {views::faults(cx, sheet, class.tz())}
        {why}
        <Columns>
            <div class="stack">
                {publish}
                {tools}
                {roster}
                {line}
                {after}
                {groups}
            </div>
            <div class="stack">
                <Card title=session_count>
                    {sessions}
                    <DefinitionList rows=facts/>
                    <Actions>{edit}{copy}{public}</Actions>
                </Card>
                {close}
                {cancel}
            </div>
        </Columns>
    }
    .into_any()
}

fn publish(cx: &Cx, class: &ClassRow) -> Option<AnyView> {
    (class.state == ClassState::Draft).then(|| {
        let publish_text = w!(cx, training.publish_text);
        let publish = w!(cx, training.publish);
        view! {
            <Card tone=Some(Tone::Info)>
                <p>{publish_text}</p>
                <form id="publish-class" class="form" method="post">
                    <input type="hidden" name="act" value="publish"/>
                    <Actions><Button>{publish}</Button></Actions>
                </form>
            </Card>
        }
        .into_any()
    })
}

fn roster(cx: &Cx, shown: &Shown, sheet: &Sheet) -> AnyView {
    let booked: Vec<&EnrolmentRow> = shown.people.iter().filter(|row| row.state == EnrolmentState::Booked).collect();
    let Some(session) = shown.session.and_then(|id| shown.sessions.iter().find(|row| row.id == id)) else {
        return ().into_any();
    };
    let open = matches!(shown.class.state, ClassState::Open | ClassState::Running);
    let guests = shown.learners.guests(cx, session, shown.class.state);
    if booked.is_empty() && !shown.learners.has_guests() {
        return {
            let roster_empty = w!(cx, training.roster_empty);
            view! { <Section title=w!(cx, training.roster)><p class="soft">{roster_empty}</p></Section> }.into_any()
        };
    }
    let markable = open && cx.now >= marked_from(session.starts_at);
    let unmarked = booked.iter().filter(|row| !shown.marks.contains_key(&(row.id, session.id))).map(|row| row.id);
    let unmarked: Vec<EnrolmentId> = unmarked.chain(shown.learners.unmarked(session.id)).collect();
    // Who said that they cannot come is not marked along with the others.
    let away = unmarked.iter().filter(|seat| shown.learners.cannot_come(**seat, session.id)).count();
    let unmarked = unmarked.len() - away;
    let rest = (markable && unmarked > 0).then(|| {
        let everyone_present = w!(cx, training.everyone_present);
        let left = w!(cx, training.unmarked, count = unmarked as u64);
        let spares = (away > 0).then(|| view! { <p class="soft small">{w!(cx, training.rest_spares)}</p> });
        view! {
            <form class="form" method="post" id="mark-rest">
                <input type="hidden" name="act" value="mark_rest"/>
                <input type="hidden" name="session" value=session.id.to_string()/>
                <Actions>
                    <Button tone=ButtonTone::Quiet icon=Some(Icon::Check)>{everyone_present}</Button>
                    <span class="soft small">{left}</span>
                </Actions>
                {spares}
            </form>
        }
    });
    let tabs = (shown.sessions.len() > 1).then(|| {
        let tabs = shown
            .sessions
            .iter()
            .enumerate()
            .map(|(at, row)| Tab {
                href: format!("{}?session={}", shown.class.desk_path(), row.id),
                label: w!(cx, training.session_number, number = cx.fmt().number(i64::try_from(at + 1).unwrap_or(0))),
                current: row.id == session.id,
            })
            .collect();
        view! { <Tabs label=w!(cx, training.when) tabs/> }
    });
    let early = (open && !markable).then(|| {
        let from = cx.fmt().date_time(marked_from(session.starts_at), shown.class.tz());
        view! { <p class="soft small">{w!(cx, training.refusal_too_early, time = from)}</p> }
    });
    let people = booked.iter().map(|row| learner(cx, shown, row, session, markable, sheet)).collect_view();
    view! {
        <Section title=w!(cx, training.roster)>
            {tabs}
            {early}
            {rest}
            <ul class="plain-list stack" role="list">{people}</ul>
        </Section>
        {guests}
    }
    .into_any()
}

/// One learner: the name, what they have, and the marks to tap.
fn learner(cx: &Cx, shown: &Shown, row: &EnrolmentRow, session: &SessionRow, markable: bool, sheet: &Sheet) -> AnyView {
    let now = shown.marks.get(&(row.id, session.id)).copied();
    let owned = shown.owned.get(&row.person_id).map(|items| {
        view! { <p class="soft small">{w!(cx, training.owns, items = items.join(", "))}</p> }
    });
    let badge = now.map(|mark| view! { <Badge tone=words::mark_tone(mark) text=mark.in_words(cx.fmt())/> });
    let marks = markable.then(|| {
        let buttons = Mark::ALL
            .iter()
            .map(|mark| {
                let chosen = now == Some(*mark);
                // A second tap takes the mark back.
                let value = if chosen { String::new() } else { mark.as_str().to_owned() };
                let tone = if chosen { ButtonTone::Primary } else { ButtonTone::Quiet };
                let words = mark.in_words(cx.fmt());
                view! { <Button tone name="mark" value=value>{words}</Button> }
            })
            .collect_view();
        view! {
            <form method="post" aria-label=row.person_name.clone()>
                <input type="hidden" name="act" value="mark"/>
                <input type="hidden" name="session" value=session.id.to_string()/>
                <input type="hidden" name="enrolment" value=row.id.to_string()/>
                <input type="hidden" name="was" value=now.map_or("none", Mark::as_str)/>
                <Actions>{buttons}</Actions>
            </form>
        }
    });
    view! {
        <li class="card stack">
            <p class="row"><strong>{row.person_name.clone()}</strong>{badge}</p>
            {owned}
            {shown.learners.said(cx, row.id, session.id)}
            {roster::facts(cx, &shown.before, row)}
            {marks}
            {roster::move_form(cx, &shown.before, row, sheet)}
            {roster::give_back_form(cx, &shown.class, row, sheet)}
        </li>
    }
    .into_any()
}

/// One line of the list of offers and of the line.
struct InLine<'a> {
    name: String,
    state: EnrolmentState,
    queue_number: Option<i64>,
    offered_until: Option<DateTime<Utc>>,
    /// Of a seat that has a name.
    row: Option<&'a EnrolmentRow>,
}

/// Offers and the line, in their order: seats without a name stand in it like everybody, so that each place has the
/// number that its learner reads.
fn line(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Option<AnyView> {
    let named = shown.people.iter().filter(|row| row.state != EnrolmentState::Booked).map(|row| InLine {
        name: row.person_name.clone(),
        state: row.state,
        queue_number: row.queue_number,
        offered_until: row.offered_until,
        row: Some(row),
    });
    let unnamed = shown.groups.unnamed().map(|(firm, place)| InLine {
        name: format!("{firm} · {}", w!(cx, groups.without_name)),
        state: place.state,
        queue_number: place.queue_number,
        offered_until: place.offered_until,
        row: None,
    });
    let mut waiting: Vec<InLine> = named.chain(unnamed).collect();
    if waiting.is_empty() {
        return None;
    }
    waiting.sort_by_key(|line| (line.state == EnrolmentState::Waitlisted, line.queue_number));
    let mut place = 0;
    let rows = waiting
        .into_iter()
        .map(|line| {
            let text = match (line.state, line.offered_until) {
                (EnrolmentState::Offered, Some(until)) => {
                    w!(cx, training.offered_until, until = cx.fmt().date_time(until, shown.class.tz()))
                }
                _ => {
                    place += 1;
                    cx.fmt().number(place)
                }
            };
            let forms = line.row.map(|row| {
                let promote = roster::promote_form(cx, &shown.class, row, place == 1, sheet);
                let give_back = roster::give_back_form(cx, &shown.class, row, sheet);
                view! { {promote} {give_back} }
            });
            view! {
                <li class="stack">
                    <p class="row"><strong>{line.name}</strong><span class="soft">{text}</span></p>
                    {forms}
                </li>
            }
        })
        .collect_view();
    let title =
        format!("{} · {}", w!(cx, training.waitlist), w!(cx, training.waiting, count = count(shown.class.waiting)));
    let skips = roster::skips(cx, &shown.class, &shown.before);
    Some(view! { <Fold title open=true><ul class="plain-list stack" role="list">{rows}</ul></Fold> {skips} }.into_any())
}

fn close(cx: &Cx, shown: &Shown) -> Option<AnyView> {
    let open = matches!(shown.class.state, ClassState::Open | ClassState::Running);
    let last = shown.sessions.last().is_some_and(|row| cx.now >= row.starts_at);
    (open && last).then(|| {
        let close_text = w!(cx, training.close_text);
        let close_class = w!(cx, training.close_class);
        view! {
            <Card tone=Some(Tone::Info)>
                <p>{close_text}</p>
                <form id="close-class" class="form" method="post">
                    <input type="hidden" name="act" value="close"/>
                    <Actions><Button icon=Some(Icon::Check)>{close_class}</Button></Actions>
                </form>
            </Card>
        }
        .into_any()
    })
}

fn cancel(cx: &Cx, class: &ClassRow, sheet: &Sheet) -> Option<AnyView> {
    class.state.is_editable().then(|| {
        let cancel_class_text = w!(cx, training.cancel_class_text);
        let why_cancel = w!(cx, training.why_cancel);
        let value = sheet.value("why").to_owned();
        let fault = cx.fault(sheet, "why");
        let cancel_class = w!(cx, training.cancel_class);
        view! {
            <Fold title=w!(cx, training.cancel_class) open=sheet.fault("why").is_some()>
                <p>{cancel_class_text}</p>
                <form id="cancel-class" class="form" method="post">
                    <input type="hidden" name="act" value="cancel"/>
                    <TextArea name="why" label=why_cancel value=value fault=fault rows=2 maxlength=Some(500)/>
                    <Actions><Button tone=ButtonTone::Danger>{cancel_class}</Button></Actions>
                </form>
            </Fold>
        }
        .into_any()
    })
}
