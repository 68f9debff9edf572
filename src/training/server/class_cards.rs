//! What the page of a class says to its learner beside the seat: what is missing before, materials, what can be said in
//! advance, what can be made up, and how it was.

use super::{
    announce, make_ups,
    portal::key,
    store::{self, ClassRow, MakeUpRow, MaterialLine, PlaceHere, Seen, SessionRow},
};
use crate::{
    db::Tx,
    error::AppError,
    i18n::InWords,
    server::{Cx, form::Sheet},
    training::domain::{
        Announced, ClassState, EnrolmentState, Mark, NeedsRule,
        learning::{self, stands},
    },
    ui::*,
    values::FeedbackId,
    w,
};
use leptos::prelude::*;

/// What can be made up of what was missed.
#[derive(Default)]
pub struct MakeUp {
    /// The numbers of missed sessions that can be made up still; of those to which the reader cannot come.
    missed: Vec<usize>,
    coming: Vec<usize>,
    /// The make-ups that are booked.
    booked: Vec<MakeUpRow>,
}

pub async fn make_up_of(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    seen: &Seen,
    mine: Option<&PlaceHere>,
) -> Result<MakeUp, AppError> {
    let Some(place) = mine.filter(|row| row.seat.state == EnrolmentState::Booked) else {
        return Ok(MakeUp::default());
    };
    let booked = if place.has_made_up { store::make_ups(tx, place.seat.id).await? } else { Vec::new() };
    let all = missed(class, seen, &booked, place.is_kept);
    let ahead = |number: &usize| seen.sessions.get(number - 1).is_some_and(|session| cx.now < session.ends_at);
    let (coming, missed) = all.into_iter().partition(ahead);
    Ok(MakeUp { missed, coming, booked })
}

/// The numbers of the sessions that are missed and can still be made up.
pub fn missed(class: &ClassRow, seen: &Seen, make_ups: &[MakeUpRow], is_kept: bool) -> Vec<usize> {
    let marks: Vec<Mark> = seen.marks.values().copied().collect();
    if make_ups::nothing_left(class, is_kept, &marks, seen.sessions.len()) {
        return Vec::new();
    }
    let open = |session: &SessionRow| {
        learning::misses(seen.marks.get(&session.id).copied(), seen.said.get(&session.id).map(|said| said.kind))
            && !make_ups.iter().any(|row| row.missed_id == session.id && stands(row.mark()))
    };
    (1..).zip(&seen.sessions).filter(|(_, session)| open(session)).map(|(number, _)| number).collect()
}

/// What the reader should see first: that they are asked how it was, or can make something up.
pub fn first(cx: &Cx, class: &ClassRow, mine: Option<&PlaceHere>, made_up: &MakeUp) -> AnyView {
    let attended = mine.filter(|row| row.seat.state == EnrolmentState::Booked && class.state == ClassState::Completed);
    let feedback = attended.and_then(|row| row.feedback).map(|id| feedback(cx, id));
    let make_up = make_up(cx, class, made_up);
    view! { {feedback}{make_up} }.into_any()
}

/// What they may want to do or read besides.
pub fn more(
    cx: &Cx,
    class: &ClassRow,
    seen: &Seen,
    materials: &[MaterialLine],
    inside: bool,
    sheet: &Sheet,
) -> AnyView {
    let say = if inside { say(cx, class, seen, sheet) } else { None };
    let materials = super::course_page::materials(cx, materials, inside);
    view! { {say}{materials} }.into_any()
}

/// The way to the page of the course.
pub fn course_link(cx: &Cx, class: &ClassRow) -> AnyView {
    let label = w!(cx, learning.about_the_course, title = class.course_title.clone());
    view! { <p><a class="button-link" href=format!("/training/courses/{}", class.course_id)>{label}</a></p> }.into_any()
}

/// What the reader lacks to enrol with a good conscience, or at all.
pub fn warning(cx: &Cx, class: &ClassRow, missing: &[String]) -> Option<AnyView> {
    if missing.is_empty() {
        return None;
    }
    let courses = missing.join(", ");
    let text = match class.needs_rule {
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

fn make_up(cx: &Cx, class: &ClassRow, made_up: &MakeUp) -> Option<AnyView> {
    let coming: Vec<&MakeUpRow> =
        made_up.booked.iter().filter(|row| row.mark().is_none() && row.ends_at > cx.now).collect();
    let nothing = made_up.missed.is_empty() && made_up.coming.is_empty();
    if nothing && coming.is_empty() {
        return None;
    }
    let joined = |numbers: &[usize]| {
        let numbers = numbers.iter().map(|n| cx.fmt().number(i64::try_from(*n).unwrap_or(0)));
        numbers.collect::<Vec<_>>().join(", ")
    };
    let text = (!made_up.missed.is_empty())
        .then(|| view! { <p>{w!(cx, learning.missed_text, numbers = joined(&made_up.missed))}</p> });
    let ahead = (!made_up.coming.is_empty())
        .then(|| view! { <p>{w!(cx, learning.will_miss_text, numbers = joined(&made_up.coming))}</p> });
    let booked = coming
        .into_iter()
        .map(|row| {
            let time = cx.fmt().date_time(row.starts_at, row.tz());
            view! { <p><strong>{w!(cx, learning.make_up_coming, title = row.title.clone(), time = time)}</strong></p> }
        })
        .collect_view();
    let action = if nothing { w!(cx, learning.make_up_see) } else { w!(cx, learning.make_up_action) };
    let href = format!("{}/make-up", class.path());
    let title = Some(w!(cx, learning.make_up));
    Some(
        view! {
            <Card title tone=Some(Tone::Info)>
                {booked}
                {text}
                {ahead}
                <Actions><ButtonLink href tone=ButtonTone::Quiet icon=Some(Icon::Calendar)>{action}</ButtonLink></Actions>
            </Card>
        }
        .into_any(),
    )
}

/// Says in advance that one will be late or absent, session by session.
fn say(cx: &Cx, class: &ClassRow, seen: &Seen, sheet: &Sheet) -> Option<AnyView> {
    let coming: Vec<(usize, &SessionRow)> = seen
        .sessions
        .iter()
        .enumerate()
        .filter(|(_, row)| cx.now < row.ends_at)
        .map(|(at, row)| (at + 1, row))
        .collect();
    if coming.is_empty() || class.state.is_over() {
        return None;
    }
    let name = |number: usize, row: &SessionRow| {
        let number = cx.fmt().number(i64::try_from(number).unwrap_or(0));
        let time = cx.fmt().date_time(row.starts_at, class.tz());
        format!("{} · {time}", w!(cx, training.session_number, number = number))
    };
    let said = coming
        .iter()
        .filter_map(|(number, row)| Some((name(*number, row), row.id, seen.said.get(&row.id)?)))
        .map(|(name, session, said)| {
            let kind = said.kind.in_words(cx.fmt());
            let words = (!said.words.is_empty()).then(|| view! { <p class="soft pre">{said.words.clone()}</p> });
            let (withdraw, session) = (w!(cx, learning.withdraw), session.to_string());
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
    let has_said = !seen.said.is_empty();
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
