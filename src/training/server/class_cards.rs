//! What the page of a class says to its learner beside the seat: what is missing before, materials, what can be said in
//! advance, what can be made up, and how it was.

use super::{
    announce,
    portal::key,
    store::{self, AnnouncementRow, ClassRow, EnrolmentRow, MakeUpRow, MaterialRow, SessionRow},
};
use crate::{
    db::Tx,
    error::AppError,
    i18n::InWords,
    ratings::domain::Moment,
    server::{Cx, form::Sheet},
    training::domain::{
        Announced, ClassState, EnrolmentState, Mark, NeedsRule,
        learning::{self, stands},
    },
    ui::*,
    values::{ClassSessionId, CourseId, FeedbackId},
    w,
};
use leptos::prelude::*;
use std::collections::HashMap;

/// What the cards are about.
pub struct Beside {
    course: CourseId,
    course_title: String,
    rule: NeedsRule,
    missing: Vec<String>,
    materials: Vec<MaterialRow>,
    inside: bool,
    announced: HashMap<ClassSessionId, AnnouncementRow>,
    /// Missed sessions that can be made up still, and the make-ups that are booked.
    missed: Vec<usize>,
    make_ups: Vec<MakeUpRow>,
    feedback: Option<FeedbackId>,
}

pub async fn load(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    sessions: &[SessionRow],
    seat: Option<&EnrolmentRow>,
) -> Result<Beside, AppError> {
    let person = cx.person()?.id;
    let booked = seat.filter(|row| row.state == EnrolmentState::Booked);
    // Whoever has a place in line or an offer was told when they took it.
    let missing = match seat {
        None if class.state == ClassState::Open => {
            store::missing_needs(tx, class.course_id, person, class.starts_at, class.first_day()).await?
        }
        _ => Vec::new(),
    };
    let mut beside = Beside {
        course: class.course_id,
        course_title: class.course_title.clone(),
        rule: class.needs_rule,
        missing,
        materials: store::materials(tx, class.course_id).await?,
        inside: booked.is_some() && class.state != ClassState::Cancelled,
        announced: HashMap::new(),
        missed: Vec::new(),
        make_ups: Vec::new(),
        feedback: None,
    };
    if let Some(seat) = booked {
        let own = |((enrolment, session), row)| (enrolment == seat.id).then_some((session, row));
        beside.announced = store::announcements(tx, class.id).await?.into_iter().filter_map(own).collect();
        // Before the class begins nobody has missed anything.
        if class.starts_at <= cx.now {
            beside.make_ups = store::make_ups(tx, seat.id).await?;
            beside.missed = missed(tx, class, sessions, seat, &beside.make_ups).await?;
        }
        if class.state == ClassState::Completed {
            let open = crate::ratings::server::store::waiting(tx, person, cx.now).await?;
            let asked = |row: &&crate::ratings::server::store::Feedback| {
                row.moment == Moment::Class && row.subject == class.id.0
            };
            beside.feedback = open.iter().find(asked).map(|row| row.id);
        }
    }
    Ok(beside)
}

/// The numbers of the sessions that were missed and can still be made up.
pub async fn missed(
    tx: &mut Tx,
    class: &ClassRow,
    sessions: &[SessionRow],
    seat: &EnrolmentRow,
    make_ups: &[MakeUpRow],
) -> Result<Vec<usize>, AppError> {
    let marks: HashMap<ClassSessionId, Mark> = store::marks(tx, class.id)
        .await?
        .into_iter()
        .filter(|row| row.enrolment_id == seat.id)
        .map(|row| (row.session_id, row.mark))
        .collect();
    let open = |session: &SessionRow| {
        learning::missed(marks.get(&session.id).copied())
            && !make_ups.iter().any(|row| row.missed_id == session.id && stands(row.mark()))
    };
    let numbers: Vec<usize> =
        sessions.iter().enumerate().filter(|(_, session)| open(session)).map(|(at, _)| at + 1).collect();
    if numbers.is_empty() || super::make_ups::given_back(tx, class, seat, sessions.len()).await? {
        return Ok(Vec::new());
    }
    Ok(numbers)
}

/// What the reader should see first: that they are asked how it was, or can make something up.
pub fn first(cx: &Cx, class: &ClassRow, beside: &Beside) -> AnyView {
    let feedback = beside.feedback.map(|id| feedback(cx, id));
    let make_up = make_up(cx, class, beside);
    view! { {feedback}{make_up} }.into_any()
}

/// What they may want to do or read besides.
pub fn more(cx: &Cx, class: &ClassRow, sessions: &[SessionRow], beside: &Beside, sheet: &Sheet) -> AnyView {
    let say = say(cx, class, sessions, beside, sheet);
    let materials = super::course_page::materials(cx, &beside.materials, beside.inside);
    view! { {say}{materials} }.into_any()
}

/// The way to the page of the course.
pub fn course_link(cx: &Cx, beside: &Beside) -> AnyView {
    let label = w!(cx, learning.about_the_course, title = beside.course_title.clone());
    view! { <p><a class="button-link" href=format!("/training/courses/{}", beside.course)>{label}</a></p> }.into_any()
}

/// What the reader lacks to enrol with a good conscience, or at all.
pub fn warning(cx: &Cx, beside: &Beside) -> Option<AnyView> {
    if beside.missing.is_empty() {
        return None;
    }
    let courses = beside.missing.join(", ");
    let text = match beside.rule {
        NeedsRule::Warn => w!(cx, learning.warn_missing, courses = courses),
        NeedsRule::Require if cx.viewer.is_staff() => w!(cx, learning.staff_exempt, courses = courses),
        NeedsRule::Require => w!(cx, learning.refusal_needs_before, courses = courses),
    };
    Some(view! { <Alert tone=Tone::Warn><p>{text}</p></Alert> }.into_any())
}

fn feedback(cx: &Cx, id: FeedbackId) -> AnyView {
    let (text, action) = (w!(cx, learning.rate_text), w!(cx, learning.rate_action));
    view! {
        <Card tone=Some(Tone::Info)>
            <p>{text}</p>
            <Actions><ButtonLink href=format!("/rate/{id}") icon=Some(Icon::Star)>{action}</ButtonLink></Actions>
        </Card>
    }
    .into_any()
}

fn make_up(cx: &Cx, class: &ClassRow, beside: &Beside) -> Option<AnyView> {
    let coming: Vec<&MakeUpRow> =
        beside.make_ups.iter().filter(|row| row.mark().is_none() && row.ends_at > cx.now).collect();
    if beside.missed.is_empty() && coming.is_empty() {
        return None;
    }
    let text = (!beside.missed.is_empty()).then(|| {
        let numbers = beside.missed.iter().map(|n| cx.fmt().number(i64::try_from(*n).unwrap_or(0)));
        let numbers = numbers.collect::<Vec<_>>().join(", ");
        view! { <p>{w!(cx, learning.missed_text, numbers = numbers)}</p> }
    });
    let booked = coming
        .into_iter()
        .map(|row| {
            let time = cx.fmt().date_time(row.starts_at, row.tz());
            view! { <p><strong>{w!(cx, learning.make_up_coming, title = row.title.clone(), time = time)}</strong></p> }
        })
        .collect_view();
    let action = if beside.missed.is_empty() { w!(cx, learning.make_up_see) } else { w!(cx, learning.make_up_action) };
    let href = format!("{}/make-up", class.path());
    let title = Some(w!(cx, learning.make_up));
    Some(
        view! {
            <Card title tone=Some(Tone::Info)>
                {booked}
                {text}
                <Actions><ButtonLink href tone=ButtonTone::Quiet icon=Some(Icon::Calendar)>{action}</ButtonLink></Actions>
            </Card>
        }
        .into_any(),
    )
}

/// Says in advance that one will be late or absent, session by session.
fn say(cx: &Cx, class: &ClassRow, sessions: &[SessionRow], beside: &Beside, sheet: &Sheet) -> Option<AnyView> {
    let coming: Vec<(usize, &SessionRow)> =
        sessions.iter().enumerate().filter(|(_, row)| cx.now < row.ends_at).map(|(at, row)| (at + 1, row)).collect();
    if !beside.inside || coming.is_empty() || class.state.is_over() {
        return None;
    }
    let name = |number: usize, row: &SessionRow| {
        let number = cx.fmt().number(i64::try_from(number).unwrap_or(0));
        let time = cx.fmt().date_time(row.starts_at, class.tz());
        format!("{} · {time}", w!(cx, training.session_number, number = number))
    };
    let said = coming
        .iter()
        .filter_map(|(number, row)| Some((name(*number, row), beside.announced.get(&row.id)?)))
        .map(|(name, said)| {
            let kind = said.kind.in_words(cx.fmt());
            let words = (!said.words.is_empty()).then(|| view! { <p class="soft pre">{said.words.clone()}</p> });
            let (withdraw, session) = (w!(cx, learning.withdraw), said.session_id.to_string());
            view! {
                <li class="stack">
                    <p class="row"><strong>{name}</strong><Badge tone=Tone::Warn text=kind/></p>
                    {words}
                    <form method="post">
                        <input type="hidden" name="act" value="withdraw"/>
                        <input type="hidden" name="session" value=session/>
                        <Actions><Button tone=ButtonTone::Quiet>{withdraw}</Button></Actions>
                    </form>
                </li>
            }
        })
        .collect_view();
    let options = coming.iter().map(|(number, row)| (row.id.to_string(), name(*number, row))).collect::<Vec<_>>();
    let kinds = Announced::ALL.iter().map(|kind| Choice::new(kind.as_str(), kind.in_words(cx.fmt()))).collect();
    let again = sheet.value("act") == "announce";
    let value = |field: &str| if again { sheet.value(field).to_owned() } else { String::new() };
    let fault = |field: &str| if again { cx.fault(sheet, field) } else { None };
    let session = match options.as_slice() {
        [(only, _)] => view! { <input type="hidden" name="session" value=only.clone()/> }.into_any(),
        _ => view! {
            <Select name="session" label=w!(cx, learning.which_session) options=options.clone() value=value("session") fault=fault("session")/>
        }
        .into_any(),
    };
    let chosen = if again { value("kind") } else { Announced::Late.as_str().to_owned() };
    let (legend, label, send) = (w!(cx, learning.say_kind), w!(cx, learning.say_words), w!(cx, learning.say_send));
    let (words, words_fault, kind_fault) = (value("words"), fault("words"), fault("kind"));
    let (lead, optional) = (w!(cx, learning.say_lead), Some(w!(cx, shell.optional)));
    let has_said = !beside.announced.is_empty();
    Some(
        view! {
            <Fold title=w!(cx, learning.say_title) open=again || has_said>
                <ul class="plain-list stack" role="list">{said}</ul>
                <p class="soft">{lead}</p>
                <form id="announce" class="form" method="post">
                    <input type="hidden" name="act" value="announce"/>
                    <HiddenKey value=key()/>
                    {session}
                    <ChoiceList name="kind" legend choices=kinds value=chosen fault=kind_fault compact=true/>
                    <TextArea name="words" label value=words fault=words_fault rows=2 maxlength=Some(announce::WORDS) optional/>
                    <Actions><Button tone=ButtonTone::Quiet>{send}</Button></Actions>
                </form>
            </Fold>
        }
        .into_any(),
    )
}
