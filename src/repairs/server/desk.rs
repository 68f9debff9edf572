//! The technician's side: what comes today, the queue, and one job with everything that can be done to it.

use super::{
    booking::{self, Chosen},
    parts::{self, Side},
    service, store, words,
};
use crate::{
    access::{Act, Subject},
    error::AppError,
    i18n::InWords,
    repairs::domain::{Mode, Rma, State, Verb},
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::{DeskTab, Frame},
    },
    ui::*,
    values::Cursor,
    w,
};
use axum::{
    extract::{Path, RawQuery},
    response::Response,
};
use chrono::{Days, TimeDelta};
use leptos::prelude::*;

const FRAME: Frame = Frame::Desk(DeskTab::Repairs);
/// The states by which the queue can be narrowed, in the order of the work.
const STATES: [State; 13] = [
    State::Requested,
    State::Booked,
    State::Received,
    State::Diagnosed,
    State::Quoted,
    State::Approved,
    State::Declined,
    State::InRepair,
    State::WaitingForParts,
    State::Repaired,
    State::Ready,
    State::HandedBack,
    State::Closed,
];

/// `GET /desk/repairs`
pub async fn list(cx: Cx, RawQuery(raw): RawQuery) -> Result<Response, AppError> {
    let person = cx.person()?.id;
    cx.may(Act::ListRepairs, &Subject::nobody())?;
    let asked = super::portal::query(raw);
    let which = match (asked.text("queue"), asked.text("queue").parse()) {
        (_, Ok(state)) => store::Queue::In(state),
        ("mine", _) => store::Queue::Mine(person),
        _ => store::Queue::Open,
    };
    let cursor = Cursor::decode(asked.text("after"));
    let mut tx = cx.db().read().await?;
    let zone = cx.company_zone();
    let midnight = cx.today().and_hms_opt(0, 0, 0).unwrap_or_default();
    let starts = midnight.and_local_timezone(zone).earliest().map_or(cx.now, |at| at.to_utc());
    let today = store::appointments(&mut tx, starts, starts + TimeDelta::days(1)).await?;
    let rows = store::queue(&mut tx, which, cursor.as_ref()).await?;
    drop(tx);
    let t = cx.fmt();
    Ok(cx.page(FRAME, w!(t, repairs.desk_title), || {
        let tab = |value: &str, label: String, current: bool| Tab {
            href: if value.is_empty() { "/desk/repairs".to_owned() } else { format!("/desk/repairs?queue={value}") },
            label,
            current,
        };
        let mut tabs = vec![
            tab("", w!(t, repairs.desk_open), which == store::Queue::Open),
            tab("mine", w!(t, repairs.desk_mine), matches!(which, store::Queue::Mine(_))),
        ];
        // There are many states: on a phone they would fill the page before the first job.
        let of_state = |s: &State| tab(s.as_str(), s.in_words(t), which == store::Queue::In(*s));
        tabs.extend(STATES.iter().filter(|s| which == store::Queue::In(**s)).map(of_state));
        let states: Vec<Tab> = STATES.iter().map(of_state).collect();
        let queue = if rows.rows.is_empty() {
            view! { <Empty icon=Icon::Wrench title=w!(t, repairs.desk_queue_empty_title) text=w!(t, repairs.desk_queue_empty_text)/> }.into_any()
        } else {
            queue_table(&cx, &rows.rows).into_any()
        };
        let pager = rows.next.as_ref().map(|next| {
            let key: String = url::form_urlencoded::byte_serialize(next.encode().as_bytes()).collect();
            let queue = asked.text("queue");
            view! { <Pager href=format!("/desk/repairs?queue={queue}&after={key}") label=w!(t, repairs.desk_more_jobs)/> }
        });
        let settings = cx.viewer.can(Act::SetHours, &Subject::nobody()).then(|| {
            view! { <ButtonLink href="/desk/settings/workshops" tone=ButtonTone::Quiet icon=Some(Icon::Gear)>{w!(t, repairs.settings_title)}</ButtonLink> }
        });
        let mine = cx.viewer.person().map(|me| Subject::nobody().assigned_to(Some(me.id)));
        let away = mine.is_some_and(|mine| cx.viewer.can(Act::SetAvailability, &mine)).then(|| {
            view! { <ButtonLink href="/desk/availability" tone=ButtonTone::Quiet icon=Some(Icon::Clock)>{w!(t, planning.availability)}</ButtonLink> }
        });
        let today = today_list(&cx, &today);
        view! {
            <PageHead title=w!(t, repairs.desk_title)>{away}{settings}</PageHead>
            <Section title=w!(t, repairs.desk_today)>{today}</Section>
            <Section title=w!(t, repairs.desk_queue)>
                <Tabs label=w!(t, repairs.desk_queue) tabs=tabs/>
                <Fold title=w!(t, repairs.desk_by_state)><Tabs label=w!(t, repairs.desk_by_state) tabs=states/></Fold>
                {queue}
                {pager}
            </Section>
        }
    }))
}

fn today_list(cx: &Cx, rows: &[store::TodayRow]) -> AnyView {
    let t = cx.fmt();
    if rows.is_empty() {
        return view! { <p class="hint">{w!(t, repairs.desk_today_empty)}</p> }.into_any();
    }
    let cards = rows.iter().map(|row| {
        let zone = row.zone.parse().unwrap_or(cx.company_zone());
        let place = match row.mode {
            Mode::OnSite => row.place.clone().unwrap_or_else(|| words::desk_mode(t, row.mode)),
            _ => row.workshop_name.clone(),
        };
        view! {
            <CardLink href=format!("/desk/repairs/{}", Rma(row.rma.clone()))
                title=format!("{} · {}", t.time(row.starts_at, zone), row.item_name)
                icon=Some(if row.mode == Mode::OnSite { Icon::Truck } else { Icon::Wrench })
                text=row.customer_name.clone() note=place
                badge=Some((words::tone(row.state), row.state.in_words(t)))/>
        }
    });
    let cards = cards.collect_view();
    view! { <Cards>{cards}</Cards> }.into_any()
}

fn queue_table(cx: &Cx, rows: &[store::QueueRow]) -> impl IntoView + use<> {
    let t = cx.fmt();
    let columns = vec![
        w!(t, repairs.desk_item).into(),
        w!(t, repairs.desk_customer).into(),
        w!(t, repairs.desk_actions).into(),
        w!(t, repairs.desk_owner).into(),
    ];
    let rows = rows.iter().map(|row| {
        let next =
            parts::next_line(cx, Side::Desk, row.next_step.as_deref(), row.next_due, row.appointment_at, row.tz());
        let late = row.next_due.is_some_and(|due| due < cx.now);
        let tone = if late { Tone::Bad } else { words::tone(row.state) };
        let rma = Rma(row.rma.clone());
        TableRow {
            href: Some(format!("/desk/repairs/{rma}")),
            cells: vec![
                view! { {row.item_name.clone()} <span class="soft small">{rma.to_string()}</span> }.into_any(),
                row.customer_name.clone().into_any(),
                view! { <Badge tone=tone text=row.state.in_words(t)/> <span class="soft small">{next}</span> }
                    .into_any(),
                row.technician_name.clone().unwrap_or_else(|| w!(t, repairs.desk_owner_none)).into_any(),
            ],
        }
    });
    let rows: Vec<TableRow> = rows.collect();
    view! { <Table caption=w!(t, repairs.desk_queue) columns=columns rows=rows/> }
}

/// `GET /desk/repairs/{rma}`
pub async fn show(cx: Cx, Path(rma): Path<String>, RawQuery(raw): RawQuery) -> Result<Response, AppError> {
    cx.person()?;
    let asked = super::portal::query(raw);
    let moving = (!asked.all("move").is_empty()).then(|| Chosen::of(&asked));
    page(cx, parts::rma(&rma)?, Sheet::default(), moving).await
}

/// `POST /desk/repairs/{rma}`: whatever `do` says.
pub async fn act(cx: Cx, Path(rma): Path<String>, form: Form) -> Result<Response, AppError> {
    cx.person()?;
    let rma = parts::rma(&rma)?;
    let done = if form.text("do") == "work" { record(&cx, &rma, &form).await } else { step(&cx, &rma, &form).await };
    match done {
        Ok(()) => Ok(cx.redirect(&format!("/desk/repairs/{rma}"), Some(Notice::RepairSaved))),
        Err(error) => {
            let moving = (form.text("do") == Verb::Move.as_str()).then(|| Chosen::of(&form));
            page(cx, rma, Sheet::again(form, error)?, moving).await
        }
    }
}

async fn record(cx: &Cx, rma: &Rma, form: &Form) -> Result<(), AppError> {
    service::record_work(cx, rma, parts::work(form)?, form.key(), &form.body()).await
}

async fn step(cx: &Cx, rma: &Rma, form: &Form) -> Result<(), AppError> {
    let verb: Verb = form.text("do").parse().map_err(|_| AppError::NotFound)?;
    if matches!(verb, Verb::Accept | Verb::Decline | Verb::Lapse) {
        return Err(AppError::Forbidden);
    }
    // Whoever may not do it hears that first, not what is wrong with the form.
    cx.may(service::act_of(verb), &Subject::nobody())?;
    let input = parts::desk_input(form, verb, cx.app.company.currency, cx.today())?;
    service::act(cx, rma, verb, input, true).await
}

async fn page(cx: Cx, rma: Rma, sheet: Sheet, moving: Option<Chosen>) -> Result<Response, AppError> {
    let shown = service::show(&cx, &rma, true).await?;
    let times = match moving.filter(|_| shown.verbs.contains(&Verb::Move)) {
        Some(chosen) => Some(booking::slots_to_move_to(&mut cx.db().read().await?, &shown.row, cx.now, chosen).await?),
        None => None,
    };
    let title = format!("{} · {}", shown.row.item_name, rma);
    let t = cx.fmt();
    Ok(cx.sheet_page(&sheet, FRAME, title, || {
        let desk = Desk { cx: &cx, shown: &shown, sheet: &sheet, address: format!("/desk/repairs/{rma}") };
        let state = shown.row.state;
        let serial = shown.row.serial_number.clone().map(|number| w!(t, repairs.serial, number = number));
        let moving =
            times.as_ref().map(|times| parts::move_form(&cx, &sheet, &desk.address, times, desk.hidden(Verb::Move)));
        let badge = (words::tone(state), state.in_words(t));
        let main = view! {
            <div class="stack">
                {parts::next_card(&cx, Side::Desk, &shown)}
                {moving}
                {desk.actions()}
                {desk.quote()}
                {desk.work()}
            </div>
        };
        let (said, pictures) = (shown.row.fault.clone(), parts::photo_list(&cx, &shown.photos));
        let steps = parts::timeline(&cx, Side::Desk, &shown);
        let facts = desk.facts(serial);
        view! {
            <PageHead title=shown.row.item_name.clone() lead=w!(t, repairs.number, rma = rma.to_string())
                back=Some(("/desk/repairs".to_owned(), w!(t, repairs.desk_title)))>
                <Badge tone=badge.0 text=badge.1/>
            </PageHead>
            {cx.faults(&sheet)}
            {desk.kept()}
            <Columns>
                {main}
                <div class="stack">
                    {facts}
                    <Section title=w!(t, repairs.desk_words)>
                        <p class="pre">{said}</p>
                        {pictures}
                    </Section>
                    <Section title=w!(t, repairs.desk_history)><Timeline steps=steps/></Section>
                </div>
            </Columns>
        }
    }))
}

/// One job on its page.
struct Desk<'a> {
    cx: &'a Cx,
    shown: &'a service::Shown,
    sheet: &'a Sheet,
    address: String,
}

impl Desk<'_> {
    fn can(&self, verb: Verb) -> bool {
        self.shown.verbs.contains(&verb)
    }

    /// Whether this form is the one that came back.
    fn is_again(&self, verb: Verb) -> bool {
        self.sheet.value("do") == verb.as_str()
    }

    /// What was typed into this form, if it is the one that came back.
    fn typed(&self, verb: Verb, field: &str) -> String {
        if self.is_again(verb) { self.sheet.value(field).to_owned() } else { String::new() }
    }

    fn fault(&self, verb: Verb, field: &str) -> Option<String> {
        if self.is_again(verb) { self.cx.fault(self.sheet, field) } else { None }
    }

    /// A field's id: its plain name in the form that came back, so that the summary leads there.
    fn id(&self, verb: Verb, field: &str) -> String {
        if self.is_again(verb) { field.to_owned() } else { format!("{field}-{verb}") }
    }

    /// What was typed into a form that the job, as others moved it on, does not offer any more.
    fn kept(&self) -> Option<AnyView> {
        let (t, sheet) = (self.cx.fmt(), self.sheet);
        let offered = match sheet.value("do") {
            "work" => self.takes_work(),
            verb => verb.parse::<Verb>().is_ok_and(|verb| self.can(verb)),
        };
        if !sheet.is_again() || offered {
            return None;
        }
        let typed = |label: String, field: &str| (label, sheet.value(field).to_owned());
        let mut rows = vec![typed(w!(t, repairs.desk_note), "words")];
        for n in 1..=parts::LINES {
            let line = ["label", "quantity", "unit_price"].map(|field| sheet.value(&format!("{field}_{n}")));
            let line = line.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
            rows.push((w!(t, repairs.desk_line, number = n.to_string()), line));
        }
        rows.extend([
            typed(w!(t, repairs.desk_valid_until), "valid_until"),
            typed(w!(t, repairs.desk_parts_due), "parts_due"),
            typed(w!(t, repairs.desk_work_label), "label"),
            typed(w!(t, repairs.desk_work_quantity), "quantity"),
            typed(w!(t, repairs.desk_work_part_number), "part_number"),
        ]);
        self.cx.kept(rows)
    }

    /// Work is recorded while the item is with us.
    fn takes_work(&self) -> bool {
        let state = self.shown.row.state;
        !state.is_before_arrival() && !state.is_end() && self.cx.viewer.can(Act::RecordWork, &self.shown.subject)
    }

    /// Which move this is, and the version of the job that the page showed.
    fn hidden(&self, verb: Verb) -> impl IntoView + use<> {
        view! {
            <input type="hidden" name="do" value=verb.as_str()/>
            <input type="hidden" name="version" value=self.shown.row.version.to_string()/>
        }
    }

    /// The forms of what can be done now; what leads on comes first, what ends the job last and folded away.
    fn actions(&self) -> Option<AnyView> {
        let t = self.cx.fmt();
        if self.shown.verbs.is_empty() {
            return None;
        }
        let plain = [
            Verb::Receive,
            Verb::Start,
            Verb::Resume,
            Verb::Finish,
            Verb::MakeReady,
            Verb::HandBack,
            Verb::Reopen,
            Verb::Close,
        ];
        let diagnose = self.can(Verb::Diagnose).then(|| {
            self.words_form(
                Verb::Diagnose,
                w!(t, repairs.desk_diagnosis),
                w!(t, repairs.desk_diagnosis_hint),
                ButtonTone::Primary,
            )
        });
        let plain = plain.into_iter().filter(|verb| self.can(*verb)).enumerate().map(|(place, verb)| {
            self.plain_form(verb, if place == 0 { ButtonTone::Primary } else { ButtonTone::Quiet })
        });
        let plain = plain.collect_view();
        let wait = self.can(Verb::WaitForParts).then(|| self.wait_form());
        let change = self.can(Verb::Move).then(|| {
            let href = format!("{}?move=1", self.address);
            view! {
                <ButtonLink href=href tone=ButtonTone::Quiet icon=Some(Icon::Calendar)>{w!(t, repairs.move_title)}</ButtonLink>
            }
        });
        let ends = [Verb::GiveUp, Verb::Cancel].into_iter().filter(|verb| self.can(*verb)).map(|verb| {
            let open = self.is_again(verb);
            let form =
                self.words_form(verb, w!(t, repairs.desk_why), w!(t, repairs.desk_note_hint), ButtonTone::Danger);
            view! { <Fold title=verb.in_words(t) open=open>{form}</Fold> }
        });
        let ends = ends.collect_view();
        let view = view! {
            <Section title=w!(t, repairs.desk_actions)>
                <div class="stack">{diagnose} {plain} {wait} {change} {ends}</div>
            </Section>
        };
        Some(view.into_any())
    }

    fn plain_form(&self, verb: Verb, tone: ButtonTone) -> impl IntoView + use<> {
        let words = verb.in_words(self.cx.fmt());
        view! {
            <form class="form" method="post" action=self.address.clone() id=format!("do-{verb}")>
                {self.hidden(verb)}
                <Button tone=tone>{words}</Button>
            </form>
        }
    }

    fn words_form(&self, verb: Verb, label: String, hint: String, tone: ButtonTone) -> impl IntoView + use<> {
        let words = verb.in_words(self.cx.fmt());
        view! {
            <form class="form" method="post" action=self.address.clone() id=format!("do-{verb}")>
                {self.hidden(verb)}
                <TextArea name="words" id=self.id(verb, "words") label=label hint=hint value=self.typed(verb, "words")
                    fault=self.fault(verb, "words") maxlength=Some(parts::WORDS) required={verb != Verb::Cancel}/>
                <Button tone=tone>{words}</Button>
            </form>
        }
    }

    /// Words for the customer that may be left out.
    fn note(&self, verb: Verb) -> impl IntoView + use<> {
        let t = self.cx.fmt();
        view! {
            <TextArea name="words" id=self.id(verb, "words") label=w!(t, repairs.desk_note) hint=w!(t, repairs.desk_note_hint)
                rows=2 value=self.typed(verb, "words") fault=self.fault(verb, "words") maxlength=Some(parts::WORDS)/>
        }
    }

    fn wait_form(&self) -> impl IntoView + use<> {
        let (t, verb) = (self.cx.fmt(), Verb::WaitForParts);
        let form = view! {
            <form class="form" method="post" action=self.address.clone() id=format!("do-{verb}")>
                {self.hidden(verb)}
                <Field name="parts_due" kind="date" label=w!(t, repairs.desk_parts_due) value=self.typed(verb, "parts_due")
                    fault=self.fault(verb, "parts_due") min=self.cx.today().to_string() required=true/>
                {self.note(verb)}
                <Button>{verb.in_words(t)}</Button>
            </form>
        };
        view! { <Fold title=verb.in_words(t) open=self.is_again(verb)>{form}</Fold> }
    }

    /// The price that was sent, and the form of a new one.
    fn quote(&self) -> Option<AnyView> {
        let t = self.cx.fmt();
        let sent = self.shown.quote.as_ref().map(|(quote, lines)| {
            let badge = (words::quote_tone(quote.state), quote.state.in_words(t));
            let table = parts::quote_table(self.cx, lines, quote.total());
            let until = w!(t, repairs.quote_until, date = t.date(quote.valid_until));
            view! { <Card><Badge tone=badge.0 text=badge.1/> {table} <p>{until}</p></Card> }
        });
        let form = self.can(Verb::Quote).then(|| self.quote_form());
        if sent.is_none() && form.is_none() {
            return None;
        }
        Some(view! { <Section title=w!(t, repairs.desk_quote)>{sent} {form}</Section> }.into_any())
    }

    fn quote_form(&self) -> impl IntoView + use<> {
        let (cx, t, verb) = (self.cx, self.cx.fmt(), Verb::Quote);
        let days = Days::new(self.shown.policy.quote_days.unsigned_abs());
        let until = cx.today().checked_add_days(days).map(|day| day.to_string()).unwrap_or_default();
        let until = if self.is_again(verb) { self.sheet.value("valid_until").to_owned() } else { until };
        let lines = (1..=parts::LINES).map(|n| {
            let [label, quantity, price] = ["label", "quantity", "unit_price"].map(|name| {
                let name = format!("{name}_{n}");
                (self.typed(verb, &name), self.fault(verb, &name), name)
            });
            view! {
                <fieldset class="line fields">
                    <legend class="visually-hidden">{w!(t, repairs.desk_line, number = n.to_string())}</legend>
                    <Field name=label.2 label=w!(t, repairs.quote_label) value=label.0 fault=label.1 maxlength=Some(200)/>
                    <Field name=quantity.2 label=w!(t, repairs.quote_quantity) inputmode="numeric" value=quantity.0 fault=quantity.1/>
                    <Field name=price.2 label=w!(t, repairs.quote_unit) inputmode="decimal" value=price.0 fault=price.1/>
                </fieldset>
            }
        });
        let form = view! {
            <form class="form" method="post" action=self.address.clone() id="do-quote">
                {self.hidden(verb)}
                <p class="hint">{w!(t, repairs.desk_quote_hint)}</p>
                {lines.collect_view()}
                <Field name="valid_until" kind="date" label=w!(t, repairs.desk_valid_until) value=until
                    fault=self.fault(verb, "valid_until") min=cx.today().to_string()/>
                {self.note(verb)}
                <Button>{verb.in_words(t)}</Button>
            </form>
        };
        let open = self.is_again(verb) || self.shown.row.state == State::Diagnosed && !self.shown.row.covered;
        view! { <Fold title=verb.in_words(t) open=open>{form}</Fold> }
    }

    fn work(&self) -> AnyView {
        let t = self.cx.fmt();
        let rows = self.shown.work.iter().map(|row| {
            let quantity = t.number(row.quantity);
            let (kind, much) = if row.kind == "part" {
                (w!(t, repairs.desk_work_part), w!(t, repairs.desk_work_pieces, count = quantity))
            } else {
                (w!(t, repairs.desk_work_work), w!(t, repairs.desk_work_minutes, count = quantity))
            };
            let number = row.part_number.as_ref().map(|number| format!(" ({number})")).unwrap_or_default();
            view! { <li><strong>{much}</strong>" "{row.label.clone()}{number}" "<span class="soft small">{kind}</span></li> }
        });
        let list = if self.shown.work.is_empty() {
            view! { <p class="hint">{w!(t, repairs.desk_work_empty)}</p> }.into_any()
        } else {
            view! { <ul class="plain-list" role="list">{rows.collect_view()}</ul> }.into_any()
        };
        let form = self.takes_work().then(|| self.work_form());
        view! { <Section title=w!(t, repairs.desk_work)>{list} {form}</Section> }.into_any()
    }

    fn work_form(&self) -> impl IntoView + use<> {
        let (cx, t) = (self.cx, self.cx.fmt());
        let again = self.sheet.value("do") == "work";
        let value = |name: &str| if again { self.sheet.value(name).to_owned() } else { String::new() };
        let fault = |name: &str| if again { cx.fault(self.sheet, name) } else { None };
        let kinds = vec![
            ("work".to_owned(), w!(t, repairs.desk_work_work)),
            ("part".to_owned(), w!(t, repairs.desk_work_part)),
        ];
        let form = view! {
            <form class="form" method="post" action=self.address.clone() id="record-work">
                <HiddenKey value=self.sheet.key()/>
                <input type="hidden" name="do" value="work"/>
                <Select name="kind" label=w!(t, repairs.desk_work_kind) options=kinds value=value("kind") fault=fault("kind")/>
                <Field name="label" label=w!(t, repairs.desk_work_label) value=value("label") fault=fault("label")
                    maxlength=Some(200) required=true/>
                <Field name="quantity" label=w!(t, repairs.desk_work_quantity) inputmode="numeric" value=value("quantity")
                    fault=fault("quantity") required=true/>
                <Field name="part_number" label=w!(t, repairs.desk_work_part_number) value=value("part_number")
                    fault=fault("part_number") maxlength=Some(200)/>
                <Button tone=ButtonTone::Quiet>{w!(t, repairs.desk_work_add)}</Button>
            </form>
        };
        view! { <Fold title=w!(t, repairs.desk_work_add) open=again>{form}</Fold> }
    }

    fn facts(&self, serial: Option<String>) -> AnyView {
        let (cx, t, row) = (self.cx, self.cx.fmt(), &self.shown.row);
        let customer = self.shown.customer.clone();
        let customer = if cx.viewer.can(Act::ReadCustomer, &self.shown.subject) {
            view! { <a href=format!("/desk/customers/{}", row.person_id)>{customer}</a> }.into_any()
        } else {
            customer.into_any()
        };
        let owner = self.shown.technician.clone().unwrap_or_else(|| w!(t, repairs.desk_owner_none));
        let covered = if row.covered { w!(t, repairs.desk_covered) } else { w!(t, repairs.desk_not_covered) };
        let item = serial.map_or(row.item_name.clone(), |serial| format!("{}, {serial}", row.item_name));
        let mut rows = vec![
            (w!(t, repairs.desk_customer), customer),
            (w!(t, repairs.desk_item), item.into_any()),
            (w!(t, repairs.cost_title), covered.into_any()),
            (w!(t, repairs.desk_owner), owner.into_any()),
            (w!(t, repairs.desk_mode), words::desk_mode(t, row.mode).into_any()),
        ];
        if let Some(earlier) = &self.shown.same_as {
            let rma = earlier.to_string();
            let link = view! { <a href=format!("/desk/repairs/{rma}")>{rma.clone()}</a> };
            rows.push((w!(t, repairs.desk_same_as), link.into_any()));
        }
        if row.appointment_at.is_some() {
            rows.push((w!(t, repairs.appointment), parts::appointment_line(cx, self.shown).into_any()));
        }
        if let Some(diagnosis) = row.diagnosis.clone() {
            rows.push((w!(t, repairs.desk_diagnosis), diagnosis.into_any()));
        }
        view! { <Card><DefinitionList rows=rows/></Card> }.into_any()
    }
}
