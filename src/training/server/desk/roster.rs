//! Before a class: what the trainer knows of each learner, and what they can do about the seats and tell everybody.

use crate::{
    access::Act,
    db::Tx,
    error::{AppError, Fault, Faults},
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
    },
    training::{
        domain::{ClassState, EnrolmentState, enrolment, teaching},
        server::{
            portal::{key, parse},
            seats,
            staff_seats::{self, Promotion, WalkIn},
            store::{self, ClassRow, EnrolmentRow, SeatSkip},
            writing,
        },
    },
    ui::*,
    values::{ClassId, EmailAddress, EnrolmentId, PersonId},
    w,
};
use leptos::prelude::*;
use std::collections::HashMap;

/// What is loaded for it.
pub struct Before {
    known: HashMap<PersonId, Vec<(String, String)>>,
    wishes: HashMap<EnrolmentId, String>,
    others: Vec<ClassRow>,
    skips: Vec<SeatSkip>,
}

pub async fn load(tx: &mut Tx, cx: &Cx, class: &ClassRow) -> Result<Before, AppError> {
    let others = match class.state == ClassState::Open && !class.policy().has_started(cx.now) {
        true => store::others_of_course(tx, class.course_id, class.id, cx.now).await?,
        false => Vec::new(),
    };
    Ok(Before {
        known: store::known(tx, class.id, class.first_day()).await?,
        wishes: store::wishes_of_class(tx, class.id).await?,
        others,
        skips: store::seat_skips_of_class(tx, class.id).await?,
    })
}

/// What a form of this part does; `None` where it is none of them.
pub async fn run(cx: &Cx, id: ClassId, form: &Form) -> Option<Result<Notice, AppError>> {
    Some(match form.text("act") {
        "write" => write(cx, id, form).await,
        "walk_in" => walk_in(cx, id, form).await,
        "move" => carry(cx, id, form).await,
        "promote" => promote(cx, id, form).await,
        "give_back" => match parse(form.text("enrolment")) {
            Ok(seat) => give_back(cx, id, seat, form).await,
            Err(error) => Err(error),
        },
        _ => return None,
    })
}

async fn write(cx: &Cx, id: ClassId, form: &Form) -> Result<Notice, AppError> {
    let mut faults = Faults::default();
    let subject = form.words("subject", 120, &mut faults);
    let words = form.words("words", 4000, &mut faults);
    faults.check()?;
    // A subject is one line.
    let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    writing::to_all(cx, id, subject, words, form.key()).await.map(|_| Notice::ClassWritten)
}

async fn walk_in(cx: &Cx, id: ClassId, form: &Form) -> Result<Notice, AppError> {
    let mut faults = Faults::default();
    let email = form.parse::<EmailAddress>("email", &mut faults, Fault::NotAnEmail);
    let name = form.text("name").to_owned();
    if name.chars().count() > 120 {
        faults.add("name", Fault::TooLong { max: 120 });
    }
    let agreed = form.optional::<i64>("agreed", &mut faults, Fault::NotAnAmount);
    faults.check()?;
    let email = email.ok_or_else(|| Faults::only("email", Fault::Required))?;
    let who = WalkIn { email, name, agreed };
    staff_seats::walk_in(cx, id, who, form.key()).await.map(|_| Notice::WalkInSeated)
}

async fn carry(cx: &Cx, id: ClassId, form: &Form) -> Result<Notice, AppError> {
    let mut faults = Faults::default();
    let to = form.parse::<ClassId>("to", &mut faults, Fault::NotAChoice);
    let why = form.words("why_move", 300, &mut faults);
    faults.check()?;
    let to = to.ok_or_else(|| Faults::only("to", Fault::Required))?;
    staff_seats::carry(cx, id, parse(form.text("enrolment"))?, to, why).await.map(|()| Notice::SeatMoved)
}

async fn promote(cx: &Cx, id: ClassId, form: &Form) -> Result<Notice, AppError> {
    let mut faults = Faults::default();
    let why = form.text("why").to_owned();
    if why.chars().count() > 300 {
        faults.add("why", Fault::TooLong { max: 300 });
    }
    let agreed = form.optional::<i64>("agreed", &mut faults, Fault::NotAnAmount);
    faults.check()?;
    let how = Promotion { why, one_more: form.text("one_more") == "yes", agreed };
    staff_seats::promote(cx, id, parse(form.text("enrolment"))?, how).await.map(|()| Notice::SeatGiven)
}

/// Gives a seat back for its learner, with the reason that was typed.
pub async fn give_back(cx: &Cx, id: ClassId, seat: EnrolmentId, form: &Form) -> Result<Notice, AppError> {
    let why = form.text("why_give_back").to_owned();
    if why.chars().count() > 300 {
        return Err(Faults::only("why_give_back", Fault::TooLong { max: 300 }));
    }
    staff_seats::give_back(cx, id, seat, why).await.map(|()| Notice::SeatGivenBack)
}

/// What is known of one learner.
pub fn facts(cx: &Cx, before: &Before, row: &EnrolmentRow) -> AnyView {
    let fmt = cx.fmt();
    let known = before.known.get(&row.person_id).map(|passed| {
        let titles = passed.iter().take(4).map(|(title, _)| title.clone()).collect::<Vec<_>>().join(", ");
        view! { <p class="soft small">{w!(fmt, teaching.knows, titles = titles)}</p> }
    });
    let wish = before.wishes.get(&row.id).map(|words| {
        view! { <p class="small pre"><strong>{w!(fmt, teaching.wants)}</strong>" "{words.clone()}</p> }
    });
    let firm = row.organisation_id.map(|firm| {
        let (href, words) = (format!("/desk/organisations/{firm}/team"), w!(fmt, team.desk_link));
        let label = format!("{words}: {}", row.person_name);
        view! { <p><a class="button-link" href=href aria-label=label>{words}</a></p> }
    });
    view! { {known} {wish} {firm} }.into_any()
}

/// Whether a form that came back is this one of this person.
fn back<'a>(sheet: &'a Sheet, act: &str, row: &EnrolmentRow, field: &str) -> Option<&'a str> {
    (sheet.value("act") == act && sheet.value("enrolment") == row.id.to_string()).then(|| sheet.value(field))
}

/// To another class of the course.
pub fn move_form(cx: &Cx, before: &Before, row: &EnrolmentRow, sheet: &Sheet) -> Option<AnyView> {
    if before.others.is_empty() {
        return None;
    }
    let fmt = cx.fmt();
    let option = |class: &ClassRow| {
        let free = w!(fmt, training.seats_left, count = u64::try_from(class.seats().free()).unwrap_or(0));
        let label = format!("{} · {} · {free}", fmt.date_time(class.starts_at, class.tz()), class.title);
        (class.id.to_string(), label)
    };
    let options = before.others.iter().map(option).collect();
    let again = back(sheet, "move", row, "to");
    let to = again.unwrap_or_default().to_owned();
    let why = back(sheet, "move", row, "why_move").unwrap_or_default().to_owned();
    let fault = again.and_then(|_| cx.fault(sheet, "why_move"));
    let to_fault = again.and_then(|_| cx.fault(sheet, "to"));
    let (to_id, why_id) = (format!("to-{}", row.id), format!("why_move-{}", row.id));
    let is_open = again.is_some();
    let enrolment = row.id.to_string();
    Some(
        view! {
            <Fold title=w!(fmt, teaching.move_title) open=is_open>
                <form class="form" method="post">
                    <input type="hidden" name="act" value="move"/>
                    <input type="hidden" name="enrolment" value=enrolment/>
                    <Select name="to" id=Some(to_id) label=w!(fmt, teaching.move_to) options value=to fault=to_fault/>
                    <Field name="why_move" id=Some(why_id) label=w!(fmt, teaching.why_move) value=why fault required=true maxlength=Some(300)/>
                    <Actions><Button tone=ButtonTone::Quiet>{w!(fmt, teaching.move_button)}</Button></Actions>
                </form>
            </Fold>
        }
        .into_any(),
    )
}

/// From the line onto a seat.
pub fn promote_form(cx: &Cx, class: &ClassRow, row: &EnrolmentRow, first: bool, sheet: &Sheet) -> Option<AnyView> {
    if row.state != EnrolmentState::Waitlisted
        || teaching::promote(class.state, &class.seats(), &class.policy(), true, cx.now).is_err()
    {
        return None;
    }
    let fmt = cx.fmt();
    let again = back(sheet, "promote", row, "why");
    let why = again.unwrap_or_default().to_owned();
    let fault = |field: &str| again.and_then(|_| cx.fault(sheet, field));
    let (why_fault, agreed_fault) = (fault("why"), fault("agreed"));
    let full = class.seats().free() == 0;
    let chair = full.then(|| {
        let id = format!("one_more-{}", row.id);
        let checked = back(sheet, "promote", row, "one_more") == Some("yes");
        view! { <Checkbox name="one_more" id=Some(id) label=w!(fmt, teaching.one_more) value="yes" checked/> }
    });
    let price = (class.price_minor > 0).then(|| {
        let id = format!("agreed-{}", row.id);
        let label = w!(fmt, teaching.agreed, price = fmt.money(class.price()));
        // Whoever agreed to another price is asked again.
        let value = class.price_minor.to_string();
        let checked = back(sheet, "promote", row, "agreed") == Some(value.as_str());
        view! { <Checkbox name="agreed" id=Some(id) label value checked fault=agreed_fault/> }
    });
    let hint = (!first).then(|| w!(fmt, teaching.why_promote_hint));
    let why_id = format!("why-{}", row.id);
    let is_open = again.is_some();
    let enrolment = row.id.to_string();
    Some(
        view! {
            <Fold title=w!(fmt, teaching.promote_title) open=is_open>
                <form class="form" method="post">
                    <input type="hidden" name="act" value="promote"/>
                    <input type="hidden" name="enrolment" value=enrolment/>
                    <Field name="why" id=Some(why_id) label=w!(fmt, teaching.why_promote) value=why fault=why_fault hint required=!first maxlength=Some(300)/>
                    {chair}
                    {price}
                    <Actions><Button tone=ButtonTone::Quiet>{w!(fmt, teaching.promote_button)}</Button></Actions>
                </form>
            </Fold>
        }
        .into_any(),
    )
}

/// For the learner: their seat, offer or place in line goes back. To unfold it is the first step, its button the second.
pub fn give_back_form(cx: &Cx, class: &ClassRow, row: &EnrolmentRow, sheet: &Sheet) -> Option<AnyView> {
    let rules = seats::rules_for(cx, class, row.person_id);
    if cx.viewer.person().is_some_and(|viewer| viewer.id == row.person_id)
        || cx.may(Act::CancelEnrolment, &staff_seats::seat_of(row.person_id, class)).is_err()
        || enrolment::cancel(row.state, &rules, cx.now).is_err()
    {
        return None;
    }
    let fmt = cx.fmt();
    let (title, text) = match row.state {
        EnrolmentState::Booked => (w!(fmt, teaching.give_back), w!(fmt, teaching.give_back_text)),
        _ => (w!(fmt, teaching.off_line), w!(fmt, teaching.off_line_text)),
    };
    let again = back(sheet, "give_back", row, "why_give_back");
    let why = again.unwrap_or_default().to_owned();
    let fault = again.and_then(|_| cx.fault(sheet, "why_give_back"));
    let (why_id, is_open) = (format!("why_give_back-{}", row.id), again.is_some());
    let (label, hint) = (w!(fmt, teaching.why_give_back), Some(w!(fmt, teaching.why_give_back_hint)));
    let (enrolment, button) = (row.id.to_string(), title.clone());
    Some(
        view! {
            <Fold title open=is_open>
                <p>{text}</p>
                <form class="form" method="post" data-seat="give-back">
                    <input type="hidden" name="act" value="give_back"/>
                    <input type="hidden" name="enrolment" value=enrolment/>
                    <Field name="why_give_back" id=Some(why_id) label value=why fault hint optional=Some(w!(fmt, shell.optional)) maxlength=Some(300)/>
                    <Actions><Button tone=ButtonTone::Danger>{button}</Button></Actions>
                </form>
            </Fold>
        }
        .into_any(),
    )
}

/// Who was passed over, and why.
pub fn skips(cx: &Cx, class: &ClassRow, before: &Before) -> Option<AnyView> {
    if before.skips.is_empty() {
        return None;
    }
    let fmt = cx.fmt();
    let rows = before
        .skips
        .iter()
        .map(|(name, seated, why, at)| {
            let text = w!(fmt, teaching.skipped_line, name = name.clone(), seated = seated.clone());
            view! { <li><p>{text}" "<span class="soft small">{fmt.date_time(*at, class.tz())}</span></p><p class="pre">{why.clone()}</p></li> }
        })
        .collect_view();
    Some(
        view! { <Fold title=w!(fmt, teaching.skips)><ul class="plain-list stack" role="list">{rows}</ul></Fold> }
            .into_any(),
    )
}

/// What can be done about the class as a whole: the room, the sheet, the file; a letter to all; somebody in the door.
pub fn tools(cx: &Cx, class: &ClassRow, seats: usize, sheet: &Sheet) -> AnyView {
    if class.state == ClassState::Draft {
        return ().into_any();
    }
    let fmt = cx.fmt();
    let path = class.desk_path();
    let live = matches!(class.state, ClassState::Open | ClassState::Running);
    let (in_room, sheet_words, file) = (w!(fmt, teaching.room), w!(fmt, teaching.sheet), w!(fmt, teaching.export));
    let room = live.then(|| {
        view! { <ButtonLink href=format!("{path}/room") icon=Some(Icon::Check)>{in_room}</ButtonLink> }
    });
    let (print, csv) = (format!("{path}/sheet"), format!("{path}/roster.csv"));
    let letter = (seats > 0 && class.state != ClassState::Cancelled).then(|| letter_form(cx, seats, sheet));
    let door = (live && class.ends_at > cx.now).then(|| walk_in_form(cx, class, sheet));
    view! {
        <div class="stack">
            <Actions>
                {room}
                <ButtonLink href=print tone=ButtonTone::Quiet icon=Some(Icon::Document)>{sheet_words}</ButtonLink>
                <ButtonLink href=csv tone=ButtonTone::Quiet icon=Some(Icon::List) download=true>{file}</ButtonLink>
            </Actions>
            {letter}
            {door}
        </div>
    }
    .into_any()
}

fn letter_form(cx: &Cx, seats: usize, sheet: &Sheet) -> AnyView {
    let fmt = cx.fmt();
    let again = sheet.value("act") == "write";
    let value = |field: &str| if again { sheet.value(field).to_owned() } else { String::new() };
    let (subject, words) = (value("subject"), value("words"));
    let fault = |field: &str| if again { cx.fault(sheet, field) } else { None };
    let (subject_fault, words_fault) = (fault("subject"), fault("words"));
    let form_key = key();
    let people = u64::try_from(seats).unwrap_or(0);
    view! {
        <Fold title=w!(fmt, teaching.write_title) open=again>
            <form id="write-to-all" class="form" method="post">
                <input type="hidden" name="act" value="write"/>
                <HiddenKey value=form_key/>
                <Field name="subject" label=w!(fmt, teaching.subject) value=subject fault=subject_fault required=true maxlength=Some(120)/>
                <TextArea name="words" label=w!(fmt, teaching.words) value=words fault=words_fault hint=Some(w!(fmt, teaching.write_hint))
                    rows=4 maxlength=Some(4000) required=true/>
                <Actions><Button tone=ButtonTone::Quiet icon=Some(Icon::Mail)>{w!(fmt, teaching.write_button, count = people)}</Button></Actions>
            </form>
        </Fold>
    }
    .into_any()
}

fn walk_in_form(cx: &Cx, class: &ClassRow, sheet: &Sheet) -> AnyView {
    let fmt = cx.fmt();
    let again = sheet.value("act") == "walk_in";
    let value = |field: &str| if again { sheet.value(field).to_owned() } else { String::new() };
    let (email, name) = (value("email"), value("name"));
    let fault = |field: &str| if again { cx.fault(sheet, field) } else { None };
    let (email_fault, name_fault, agreed_fault) = (fault("email"), fault("name"), fault("agreed"));
    let price = (class.price_minor > 0).then(|| {
        let label = w!(fmt, teaching.agreed, price = fmt.money(class.price()));
        // Whoever agreed to another price is asked again.
        let price = class.price_minor.to_string();
        let checked = value("agreed") == price;
        view! { <Checkbox name="agreed" label value=price checked fault=agreed_fault/> }
    });
    let form_key = key();
    view! {
        <Fold title=w!(fmt, teaching.walk_in_title) open=again>
            <form id="walk-in" class="form" method="post">
                <input type="hidden" name="act" value="walk_in"/>
                <HiddenKey value=form_key/>
                <Field name="email" kind="email" label=w!(fmt, teaching.email) value=email fault=email_fault autocomplete="off" required=true/>
                <Field name="name" label=w!(fmt, teaching.name) value=name fault=name_fault hint=Some(w!(fmt, teaching.name_hint)) autocomplete="off"/>
                {price}
                <Actions><Button tone=ButtonTone::Quiet icon=Some(Icon::Plus)>{w!(fmt, teaching.walk_in_button)}</Button></Actions>
            </form>
        </Fold>
    }
    .into_any()
}
