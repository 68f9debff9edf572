//! Pieces that the customer's pages and the desk's share, and the reading of their forms.

use super::{booking::PLACE_OF_SLOT, service, store, words};
use crate::{
    calendar::server::{
        hours::{FreeSlot, Workshop},
        zone,
    },
    error::{AppError, Fault, Faults},
    i18n::{Fmt, InWords},
    repairs::domain::{Mode, QuoteLine, Rma, SlotId, State, Step as NextStep, Verb},
    server::{
        Cx,
        form::{Form, Sheet},
    },
    ui::*,
    values::{Currency, Money, PhotoId},
    w,
};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use leptos::prelude::*;

/// How many characters words for the timeline may have.
pub const WORDS: u32 = 2000;
const LABEL: u32 = 200;

/// The number in an address; whatever is none leads nowhere.
pub fn rma(text: &str) -> Result<Rma, AppError> {
    text.parse().map_err(|_| AppError::NotFound)
}

/// For whom a page is written: the same step is the customer's to take on one and the customer's on the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Customer,
    Desk,
}

impl Side {
    fn step(self, t: Fmt, step: NextStep) -> String {
        match self {
            Self::Customer => step.in_words(t),
            Self::Desk => words::desk_step(t, step),
        }
    }
}

/// What comes next and when, in a line; nothing for a repair that is over.
pub fn next_line(
    cx: &Cx,
    side: Side,
    step: Option<&str>,
    due: Option<DateTime<Utc>>,
    appointment: Option<DateTime<Utc>>,
    zone: Tz,
) -> Option<String> {
    let step = step?.parse::<NextStep>().ok()?;
    let words = side.step(cx.fmt(), step);
    let when = due.map(|due| due_words(cx, step, due, appointment, zone));
    Some(when.map_or(words.clone(), |when| format!("{words} · {when}")))
}

/// An appointment by the minute, everything else by the day.
fn due_words(cx: &Cx, step: NextStep, due: DateTime<Utc>, appointment: Option<DateTime<Utc>>, zone: Tz) -> String {
    let t = cx.fmt();
    let by_the_minute = matches!(step, NextStep::BringItem | NextStep::VisitYou) && appointment == Some(due);
    if by_the_minute {
        return zone::when(t, due, zone, cx.zone);
    }
    let date = t.date(due.with_timezone(&zone).date_naive());
    if due < cx.now { w!(t, repairs.late, date = date) } else { w!(t, repairs.next_by, date = date) }
}

/// The card that says what happens next.
pub fn next_card(cx: &Cx, side: Side, shown: &service::Shown) -> impl IntoView + use<> {
    let t = cx.fmt();
    let row = &shown.row;
    let zone = shown.workshop.zone();
    let step = row.next_step.as_deref().and_then(|step| step.parse::<NextStep>().ok());
    let Some(step) = step else {
        return view! { <Card title=w!(t, repairs.next_title)><p>{w!(t, repairs.next_none)}</p></Card> }.into_any();
    };
    let when = row.next_due.map(|due| due_words(cx, step, due, row.appointment_at, zone));
    let address = matches!(step, NextStep::SendItem | NextStep::BringItem | NextStep::Collect)
        .then(|| format!("{}, {}", shown.workshop.name, shown.workshop.address));
    let tone = if row.state == State::Quoted {
        Tone::Warn
    } else if row.state == State::Ready {
        Tone::Good
    } else {
        Tone::Info
    };
    view! {
        <Card title=w!(t, repairs.next_title) tone=Some(tone)>
            <p><strong>{side.step(t, step)}</strong></p>
            {when.map(|when| view! { <p>{when}</p> })}
            {address.map(|address| view! { <p>{address}</p> })}
        </Card>
    }
    .into_any()
}

/// The appointment with its place.
pub fn appointment_line(cx: &Cx, shown: &service::Shown) -> String {
    let t = cx.fmt();
    let place = match shown.row.mode {
        Mode::OnSite => shown.row.place.clone().unwrap_or_else(|| w!(t, repairs.mode_on_site)),
        _ => format!("{}, {}", shown.workshop.name, shown.workshop.address),
    };
    match shown.row.appointment_at {
        Some(at) => {
            w!(t, repairs.appointment_at, date = zone::when(t, at, shown.workshop.zone(), cx.zone), place = place)
        }
        None => w!(t, repairs.send_to, address = place),
    }
}

/// What happened, and what is expected next.
pub fn timeline(cx: &Cx, side: Side, shown: &service::Shown) -> Vec<Step> {
    let t = cx.fmt();
    let zone = shown.workshop.zone();
    let last = shown.events.len().saturating_sub(1);
    let mut steps: Vec<Step> = shown
        .events
        .iter()
        .enumerate()
        .map(|(place, event)| Step {
            state: match event.to_state {
                State::Cancelled | State::NotRepairable => StepState::Stopped,
                _ if event.verb == "decline" => StepState::Stopped,
                state if place == last && !state.is_end() => StepState::Current,
                _ => StepState::Done,
            },
            title: match side {
                Side::Desk if event.verb != "move" => event.to_state.in_words(t),
                _ => words::event(t, &event.verb),
            },
            text: event.note.clone(),
            time: Some(zone::when(t, event.at, zone, cx.zone)),
        })
        .collect();
    let row = &shown.row;
    if let Some(next) = row.next_step.as_deref().and_then(|step| step.parse::<NextStep>().ok()) {
        steps.push(Step {
            state: StepState::Next,
            title: side.step(t, next),
            text: None,
            time: row.next_due.map(|due| due_words(cx, next, due, row.appointment_at, zone)),
        });
    }
    steps
}

/// The pictures of a repair.
pub fn photo_list(cx: &Cx, photos: &[PhotoId]) -> Option<AnyView> {
    if photos.is_empty() {
        return None;
    }
    let t = cx.fmt();
    let items = (1..).zip(photos).map(|(number, id): (i32, _)| {
        let alt = w!(t, repairs.photo_alt, number = number.to_string());
        view! {
            <li class="photo">
                <a href=format!("/photos/{id}")><img src=format!("/photos/{id}") alt=alt width="160" height="120" loading="lazy"/></a>
            </li>
        }
    });
    Some(view! { <ul class="photos" role="list">{items.collect_view()}</ul> }.into_any())
}

/// The form that moves an appointment; `hidden` says which act it is. Days beyond those listed are a link away.
pub fn move_form(
    cx: &Cx,
    sheet: &Sheet,
    address: &str,
    (slots, later): &(Vec<(FreeSlot, Workshop)>, Option<NaiveDate>),
    hidden: impl IntoView + 'static,
) -> AnyView {
    let t = cx.fmt();
    let (address, hidden) = (address.to_owned(), hidden.into_any());
    if slots.is_empty() {
        let none = view! {
            <Section title=w!(t, repairs.move_title)>
                <Alert tone=Tone::Warn title=w!(t, repairs.no_slots_title)><p>{w!(t, repairs.no_slots_move)}</p></Alert>
            </Section>
        };
        return none.into_any();
    }
    let later = later.map(|day| {
        let href = format!("{address}?move=1&from={day}");
        view! { <Pager href=href label=w!(t, repairs.slots_later)/> }
    });
    let times = slot_lists(cx, slots, &[], sheet.value("slot"), cx.fault(sheet, "slot"));
    let view = view! {
        <Section title=w!(t, repairs.move_title)>
            <form class="form" method="post" action=address id="move-repair">
                {hidden}
                {times}
                <Button>{w!(t, repairs.do_move)}</Button>
            </form>
            {later}
        </Section>
    };
    view.into_any()
}

/// Free times, a list a day, in the workshop's wall clock. Each says what `prices` has for its workshop.
pub fn slot_lists(
    cx: &Cx,
    slots: &[(FreeSlot, Workshop)],
    prices: &[(Workshop, Money)],
    chosen: &str,
    fault: Option<String>,
) -> impl IntoView + use<> {
    let t = cx.fmt();
    let several = slots.iter().any(|(_, workshop)| workshop.id != slots[0].1.id);
    let price = |at: &Workshop| prices.iter().find(|(place, _)| place.id == at.id).map(|(_, price)| t.money(*price));
    let mut days: Vec<(NaiveDate, Vec<Choice>)> = Vec::new();
    for (slot, workshop) in slots {
        let day = workshop.day(slot.starts_at);
        let id = SlotId { workshop: slot.workshop, starts_at: slot.starts_at };
        let choice = Choice {
            text: several.then(|| match price(workshop) {
                Some(price) => format!("{} · {price}", workshop.name),
                None => workshop.name.clone(),
            }),
            note: (slot.left == 1).then(|| w!(t, repairs.slots_left, count = 1_u64)),
            ..Choice::new(id.to_string(), t.time(slot.starts_at, workshop.zone()))
        };
        match days.last_mut() {
            Some((last, choices)) if *last == day => choices.push(choice),
            _ => days.push((day, vec![choice])),
        }
    }
    let zones = slots.first().map(|(_, workshop)| workshop.zone().name().replace('_', " "));
    let hint = zones.map(|zone| w!(t, repairs.slot_zone, zone = zone));
    // The first day lies open, the others unfold: a phone's screen holds one day.
    let lists = days.into_iter().enumerate().map(|(place, (day, choices))| {
        let id = if place == 0 { PLACE_OF_SLOT.to_owned() } else { format!("{PLACE_OF_SLOT}-{place}") };
        let open = choices.iter().any(|choice| choice.value == chosen);
        let list = view! {
            <ChoiceList name="slot" id=id legend=t.day(day) choices=choices value=chosen.to_owned()
                fault=fault.clone().filter(|_| place == 0) compact=true required=true/>
        };
        match place {
            0 => list.into_any(),
            _ => view! { <Fold title=t.day(day) open=open>{list}</Fold> }.into_any(),
        }
    });
    let lists = lists.collect_view();
    view! {
        <div class="slots" id="slots">
            <h2>{w!(t, repairs.slot)}</h2>
            {hint.map(|hint| view! { <p class="hint">{hint}</p> })}
            {lists}
        </div>
    }
}

/// The lines of a quote with their total.
pub fn quote_table(cx: &Cx, lines: &[QuoteLine], total: Money) -> impl IntoView + use<> {
    let t = cx.fmt();
    let number = |title: String| Column { title, number: true };
    let columns = vec![
        w!(t, repairs.quote_label).into(),
        number(w!(t, repairs.quote_quantity)),
        number(w!(t, repairs.quote_unit)),
        number(w!(t, repairs.quote_sum)),
    ];
    let rows: Vec<TableRow> = lines
        .iter()
        .map(|line| TableRow {
            href: None,
            cells: vec![
                line.label.clone().into_any(),
                t.number(line.quantity).into_any(),
                t.money(line.unit_price).into_any(),
                line.total().map(|sum| t.money(sum)).unwrap_or_default().into_any(),
            ],
        })
        .collect();
    view! {
        <Table caption=w!(t, repairs.quote_title) columns=columns rows=rows/>
        <p class="row"><span>{w!(t, repairs.quote_total)}</span><strong>{t.money(total)}</strong></p>
    }
}

/// What a customer's form brings.
pub fn customer_input(form: &Form, verb: Verb) -> Result<service::Input, AppError> {
    let mut faults = Faults::default();
    let mut input = service::Input::default();
    match verb {
        Verb::Move => input.slot = form.parse("slot", &mut faults, Fault::NotAChoice),
        Verb::Accept | Verb::Decline => input.quote = form.parse("quote", &mut faults, Fault::NotAChoice),
        _ => {}
    }
    faults.check()?;
    Ok(input)
}

/// What a technician's form brings: the version it was written on, words, lines, a day.
pub fn desk_input(form: &Form, verb: Verb, currency: Currency, today: NaiveDate) -> Result<service::Input, AppError> {
    let mut faults = Faults::default();
    let version = form.parse("version", &mut faults, Fault::NotANumber);
    let words = match verb {
        Verb::Diagnose | Verb::GiveUp => Some(form.words("words", WORDS, &mut faults)),
        _ => Some(optional_words(form, "words", WORDS, &mut faults)).filter(|words| !words.is_empty()),
    };
    let mut input = service::Input { version, words, ..service::Input::default() };
    match verb {
        Verb::Move => input.slot = form.parse("slot", &mut faults, Fault::NotAChoice),
        Verb::Quote => {
            input.lines = lines(form, currency, &mut faults);
            input.day = form.optional("valid_until", &mut faults, Fault::NotADate);
            within_reach("valid_until", input.day, today, &mut faults);
        }
        Verb::WaitForParts => {
            input.day = form.parse("parts_due", &mut faults, Fault::NotADate);
            within_reach("parts_due", input.day, today, &mut faults);
        }
        _ => {}
    }
    faults.check()?;
    Ok(input)
}

/// How many days ahead a day can lie that a technician names.
const REACH: i64 = 2 * 366;

/// A day that is to come: not before today, and not so far off that it is a slip of the finger.
fn within_reach(name: &str, day: Option<NaiveDate>, today: NaiveDate, faults: &mut Faults) {
    match day {
        Some(day) if day < today => faults.add(name, Fault::InThePast),
        Some(day) if (day - today).num_days() > REACH => faults.add(name, Fault::NotADate),
        _ => {}
    }
}

fn optional_words(form: &Form, name: &str, most: u32, faults: &mut Faults) -> String {
    if form.text(name).is_empty() { String::new() } else { form.words(name, most, faults) }
}

/// How many lines a quote's form has.
pub const LINES: usize = 6;

/// The lines that were filled in; each fault stands at its own field.
fn lines(form: &Form, currency: Currency, faults: &mut Faults) -> Vec<QuoteLine> {
    let mut lines = Vec::new();
    for n in 1..=LINES {
        let [label, quantity, price] = ["label", "quantity", "unit_price"].map(|name| format!("{name}_{n}"));
        if form.text(&label).is_empty() && form.text(&price).is_empty() {
            continue;
        }
        let words = form.words(&label, LABEL, faults);
        let quantity_text = form.text(&quantity);
        let number = if quantity_text.is_empty() { Some(1) } else { quantity_text.parse::<i64>().ok() };
        match number {
            None => faults.add(&quantity, Fault::NotANumber),
            Some(n) if n < 1 => faults.add(&quantity, Fault::TooSmall { min: 1 }),
            Some(n) if n > 9999 => faults.add(&quantity, Fault::TooLarge { max: 9999 }),
            Some(_) => {}
        }
        let amount = Money::typed(form.text(&price), currency).ok();
        match amount {
            None if form.text(&price).is_empty() => faults.add(&price, Fault::Required),
            None => faults.add(&price, Fault::NotAnAmount),
            Some(amount) if amount.minor < 0 => faults.add(&price, Fault::TooSmall { min: 0 }),
            Some(_) => {}
        }
        if let (Some(quantity), Some(unit_price)) = (number, amount) {
            lines.push(QuoteLine { label: words, quantity, unit_price });
        }
    }
    lines
}

/// What a technician did or put in.
pub fn work(form: &Form) -> Result<store::NewWork, AppError> {
    let mut faults = Faults::default();
    let kind = match form.text("kind") {
        "work" => "work",
        "part" => "part",
        _ => {
            faults.add("kind", Fault::NotAChoice);
            "work"
        }
    };
    let label = form.words("label", LABEL, &mut faults);
    let quantity = form.parse::<i64>("quantity", &mut faults, Fault::NotANumber).unwrap_or(1);
    if !(1..=9999).contains(&quantity) {
        faults.add("quantity", if quantity < 1 { Fault::TooSmall { min: 1 } } else { Fault::TooLarge { max: 9999 } });
    }
    let part_number = optional_words(form, "part_number", LABEL, &mut faults);
    faults.check()?;
    Ok(store::NewWork { kind, label, quantity, part_number: Some(part_number).filter(|text| !text.is_empty()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        "2026-12-01".parse().unwrap()
    }

    fn faulty(result: Result<service::Input, AppError>) -> Vec<String> {
        match result {
            Err(AppError::Invalid(faults)) => faults.0.into_iter().map(|(field, _)| field).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_quote_is_read_line_by_line_and_empty_lines_are_left_out() {
        let form = Form::of(&[
            ("version", "3"),
            ("label_1", "Fuser"),
            ("quantity_1", "1"),
            ("unit_price_1", "89,90"),
            ("label_3", "Work"),
            ("quantity_3", "2"),
            ("unit_price_3", "45.00"),
            ("valid_until", "2026-12-20"),
        ]);
        let input = desk_input(&form, Verb::Quote, Currency::EUR, today()).unwrap();
        assert_eq!(input.lines.iter().map(|l| l.unit_price.minor * l.quantity).collect::<Vec<_>>(), [8990, 9000]);
        assert_eq!((input.version, input.day), (Some(3), "2026-12-20".parse().ok()));
    }

    #[test]
    fn each_fault_of_a_quote_stands_at_its_field() {
        let form = Form::of(&[
            ("version", "3"),
            ("label_1", ""),
            ("quantity_1", "x"),
            ("unit_price_1", "12.345"),
            ("valid_until", "2026-11-30"),
        ]);
        let faults = faulty(desk_input(&form, Verb::Quote, Currency::EUR, today()));
        assert_eq!(faults, ["label_1", "quantity_1", "unit_price_1", "valid_until"]);
    }

    #[test]
    fn a_diagnosis_needs_words_and_parts_need_a_day_to_come() {
        let form = Form::of(&[("version", "1")]);
        assert_eq!(faulty(desk_input(&form, Verb::Diagnose, Currency::EUR, today())), ["words"]);
        assert_eq!(faulty(desk_input(&form, Verb::WaitForParts, Currency::EUR, today())), ["parts_due"]);
        assert!(desk_input(&form, Verb::Receive, Currency::EUR, today()).is_ok());
    }
}
