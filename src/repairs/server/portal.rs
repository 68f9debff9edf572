//! What customers see of their repairs, and the doors of its forms.

use super::{
    booking::{self, Chosen, Draft},
    parts::{self, Side},
    photos, service, store, upload, words,
};
use crate::{
    calendar::server::{hours::Workshop, zone},
    coverage,
    error::{AppError, Faults},
    i18n::InWords,
    repairs::{
        domain::{FaultAgain, Mode, Rma, State, Verb},
        islands::PhotoShrink,
    },
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::{Frame, PortalTab},
    },
    ui::*,
    values::{Cursor, Money},
    w,
};
use axum::{
    extract::{Path, RawQuery, Request},
    response::Response,
};
use leptos::prelude::*;

const FRAME: Frame = Frame::Portal(PortalTab::Repairs);

/// The fields of an address.
pub fn query(raw: Option<String>) -> Form {
    Form::new(url::form_urlencoded::parse(raw.unwrap_or_default().as_bytes()).into_owned().collect())
}

/// `GET /repairs`
pub async fn list(cx: Cx, RawQuery(raw): RawQuery) -> Result<Response, AppError> {
    cx.person()?;
    let after = query(raw);
    let cursor = Cursor::decode(after.text("after"));
    let rows = store::of_scope(&mut cx.db().read().await?, &cx.viewer.scope(), cursor.as_ref()).await?;
    let first = cursor.is_none();
    let t = cx.fmt();
    Ok(cx.page(FRAME, w!(t, repairs.title), || {
        let head = view! {
            <PageHead title=w!(t, repairs.title) lead=w!(t, repairs.lead)>
                <ButtonLink href="/repairs/new" icon=Some(Icon::Plus)>{w!(t, repairs.book)}</ButtonLink>
            </PageHead>
        };
        if rows.rows.is_empty() && first {
            let empty = view! {
                <PageHead title=w!(t, repairs.title)/>
                <Empty icon=Icon::Wrench title=w!(t, repairs.empty_title) text=w!(t, repairs.empty_text)>
                    <ButtonLink href="/repairs/new">{w!(t, repairs.book)}</ButtonLink>
                </Empty>
            };
            return empty.into_any();
        }
        let cards = rows.rows.iter().map(|row| card(&cx, row)).collect_view();
        let pager = rows.next.as_ref().map(|next| {
            let key: String = url::form_urlencoded::byte_serialize(next.encode().as_bytes()).collect();
            view! { <Pager href=format!("/repairs?after={key}") label=w!(t, repairs.older)/> }
        });
        view! { {head} <Cards>{cards}</Cards> {pager} }.into_any()
    }))
}

/// A repair in the customer's list.
fn card(cx: &Cx, row: &store::RepairRow) -> impl IntoView + use<> {
    let t = cx.fmt();
    let text =
        parts::next_line(cx, Side::Customer, row.next_step.as_deref(), row.next_due, row.appointment_at, row.tz());
    view! {
        <CardLink href=format!("/repairs/{}", row.number()) title=row.item_name.clone() icon=Some(Icon::Wrench)
            text=text note=row.number().to_string() badge=Some((words::tone(row.state), words::customer_state(t, row.state)))/>
    }
}

/// `GET /repairs/new`
pub async fn new(cx: Cx, RawQuery(raw): RawQuery) -> Result<Response, AppError> {
    new_page(cx, Chosen::of(&query(raw)), Sheet::default()).await
}

/// `POST /repairs/new`: books, or keeps the draft where another button was pressed.
pub async fn book(cx: Cx, request: Request) -> Result<Response, AppError> {
    cx.person()?;
    let upload::Posted { form, faults, later } = upload::read(&cx, request).await?;
    let done = match later {
        Some(error) => Err(error),
        None => take(&cx, &form, faults).await,
    };
    match done {
        Ok(response) => Ok(response),
        Err(error) => {
            let chosen = Chosen::of(&form);
            new_page(cx, chosen, Sheet::again(form, error)?).await
        }
    }
}

/// What was posted: a booking, or another button of the draft.
async fn take(cx: &Cx, form: &Form, faults: Faults) -> Result<Response, AppError> {
    let removed = form.text("remove").parse().ok();
    if let Some(photo) = removed {
        photos::remove(cx, photo).await?;
    }
    let aside = removed.is_some() || !form.text("do").is_empty() || !form.text("later").is_empty();
    if aside || !faults.0.is_empty() {
        booking::keep_words(cx, form.text("fault"), form.text("place")).await?;
    }
    faults.check()?;
    if aside {
        return Ok(cx.redirect(&draft_address(form), None));
    }
    let rma = booking::book(cx, form).await?;
    Ok(cx.redirect(&format!("/repairs/{rma}"), Some(Notice::RepairBooked)))
}

/// Where a draft goes on: what was chosen stands in the address, words and pictures are kept by the server.
fn draft_address(form: &Form) -> String {
    let mut address = url::form_urlencoded::Serializer::new("/repairs/new?".to_owned());
    let later = form.text("later");
    let from = if later.is_empty() { form.text("from") } else { later };
    let same = booking::SAME_FAULT;
    for (name, value) in
        [("item", form.text("item")), ("mode", form.text("mode")), (same, form.text(same)), ("from", from)]
    {
        if !value.is_empty() {
            address.append_pair(name, value);
        }
    }
    if later.is_empty() && !form.text("slot").is_empty() {
        address.append_pair("slot", form.text("slot"));
    }
    address.finish()
}

async fn new_page(cx: Cx, chosen: Chosen, sheet: Sheet) -> Result<Response, AppError> {
    let draft = booking::draft(&cx, chosen).await?;
    let t = cx.fmt();
    let title = w!(t, repairs.book);
    Ok(cx.sheet_page(&sheet, FRAME, title.clone(), || {
        let back = Some(("/repairs".to_owned(), w!(t, repairs.title)));
        if draft.items.is_empty() {
            let empty = view! {
                <PageHead title=title back=back/>
                <Empty icon=Icon::Box title=w!(t, repairs.no_items_title) text=w!(t, repairs.no_items_text)>
                    <ButtonLink href="/purchases/register">{w!(t, repairs.no_items_action)}</ButtonLink>
                </Empty>
            };
            return empty.into_any();
        }
        let form = if draft.item.is_some() && draft.mode.is_some() {
            booking_form(&cx, &draft, &sheet).into_any()
        } else {
            choosing_form(&cx, &draft, &sheet).into_any()
        };
        view! { <PageHead title=title lead=w!(t, repairs.new_lead) back=back/> {cx.faults(&sheet)} {form} }.into_any()
    }))
}

/// The first step: which item, and how it gets to us. A GET, so that it can be linked to and gone back to.
fn choosing_form(cx: &Cx, draft: &Draft, sheet: &Sheet) -> impl IntoView + use<> {
    let t = cx.fmt();
    view! {
        <form id="book-repair" class="form" method="get" action="/repairs/new">
            {choices(cx, draft, sheet)}
            <Button>{w!(t, repairs.show_times)}</Button>
        </form>
    }
}

fn choices(cx: &Cx, draft: &Draft, sheet: &Sheet) -> impl IntoView + use<> {
    let t = cx.fmt();
    let mut options = Vec::new();
    if draft.item.is_none() {
        options.push((String::new(), w!(t, repairs.item_choose)));
    }
    options.extend(draft.items.iter().map(|item| {
        let serial = item.serial_number.as_ref().map(|number| format!(" · {number}")).unwrap_or_default();
        (item.id.to_string(), format!("{}{serial}", item.product_name))
    }));
    let modes = Mode::ALL.iter().map(|mode| {
        let text = match mode {
            Mode::BringIn => w!(t, repairs.mode_bring_in_text),
            Mode::SendIn => w!(t, repairs.mode_send_in_text),
            Mode::OnSite => w!(t, repairs.mode_on_site_text),
        };
        Choice { text: Some(text), ..Choice::new(mode.as_str(), mode.in_words(t)) }
    });
    let modes: Vec<Choice> = modes.collect();
    let item = draft.item.as_ref().map(|item| item.id.to_string()).unwrap_or_default();
    view! {
        <Select name="item" label=w!(t, repairs.item) options=options value=item fault=cx.fault(sheet, "item") required=true/>
        <ChoiceList name="mode" legend=w!(t, repairs.mode) choices=modes
            value=draft.mode.map(|mode| mode.as_str().to_owned()).unwrap_or_default()
            fault=cx.fault(sheet, "mode") required=true/>
        {same_fault(cx, draft, sheet)}
    }
}

/// Where earlier work on the item is still warranted: whether its fault has come back.
fn same_fault(cx: &Cx, draft: &Draft, sheet: &Sheet) -> Option<AnyView> {
    let t = cx.fmt();
    let item = draft.item.as_ref().filter(|_| !draft.earlier.is_empty())?.id;
    let scope = cx.viewer.scope();
    let mut choices: Vec<Choice> = draft
        .earlier
        .iter()
        .map(|one| {
            let (since, until) = one.days();
            let (since, until) = (t.date(since), t.date(until));
            let (title, text) = match one.number(&scope) {
                Some(rma) => (
                    w!(t, repairs.same_fault_yes, rma = rma.to_string()),
                    w!(t, repairs.same_fault_yes_text, since = since, until = until),
                ),
                None => (
                    w!(t, repairs.same_fault_before, since = since),
                    w!(t, repairs.same_fault_before_text, until = until),
                ),
            };
            Choice { text: Some(text), ..Choice::new(FaultAgain::As(one.id).to_string(), title) }
        })
        .collect();
    choices.push(Choice::new(FaultAgain::Another(item).to_string(), w!(t, repairs.same_fault_no)));
    let view = view! {
        <ChoiceList name=booking::SAME_FAULT legend=w!(t, repairs.same_fault) choices=choices
            value=draft.again.map(|again| again.to_string()).unwrap_or_default()
            fault=cx.fault(sheet, booking::SAME_FAULT) required=true/>
    };
    Some(view.into_any())
}

fn booking_form(cx: &Cx, draft: &Draft, sheet: &Sheet) -> impl IntoView + use<> {
    let t = cx.fmt();
    let typed = |name: &str, kept: &str| if sheet.is_again() { sheet.value(name).to_owned() } else { kept.to_owned() };
    let on_site = draft.mode == Some(Mode::OnSite);
    let open = draft.open.first().map(|rma| {
        let words = w!(t, repairs.open_already, rma = rma.to_string());
        let href = format!("/repairs/{rma}");
        view! { <Alert tone=Tone::Info><p><a href=href>{words}</a></p></Alert> }
    });
    let place = on_site.then(|| {
        view! {
            <TextArea name="place" label=w!(t, repairs.place) hint=w!(t, repairs.place_hint) rows=2
                value=typed("place", &draft.place) fault=cx.fault(sheet, "place") maxlength=Some(400) required=true/>
        }
    });
    let hidden = |name: String, fee: Money| view! { <input type="hidden" name=name value=fee.minor.to_string()/> };
    let fees: Vec<_> = match draft.fee() {
        Some(fee) => vec![hidden("fee".to_owned(), fee)],
        None => draft.places.iter().map(|(place, fee)| hidden(booking::fee_at(place.id), *fee)).collect(),
    };
    let confirm = match draft.fee().filter(|fee| !fee.is_zero()) {
        Some(fee) => w!(t, repairs.confirm_fee, fee = t.money(fee)),
        None => w!(t, repairs.confirm),
    };
    let without_time = draft.mode.is_some_and(Mode::needs_slot) && draft.slots.is_empty();
    view! {
        <form id="book-repair" class="form" method="post" action="/repairs/new" enctype="multipart/form-data">
            <HiddenKey value=sheet.key()/>
            {fees}
            {choices(cx, draft, sheet)}
            <button class="button" data-tone="quiet" type="submit" name="do" value="times" formnovalidate=true>
                <span>{w!(t, repairs.show_times)}</span>
            </button>
            {open}
            <TextArea name="fault" label=w!(t, repairs.fault) hint=w!(t, repairs.fault_hint) rows=5
                value=typed("fault", &draft.fault) fault=cx.fault(sheet, "fault")
                maxlength=Some(booking::FAULT_LENGTH) required=true/>
            {pictures(cx, draft, sheet)}
            {place}
            {times(cx, draft, sheet)}
            {cost(cx, draft)}
            {(!without_time).then(|| view! { <Button>{confirm}</Button> })}
        </form>
    }
}

fn pictures(cx: &Cx, draft: &Draft, sheet: &Sheet) -> impl IntoView + use<> {
    let t = cx.fmt();
    let kept = (!draft.photos.is_empty()).then(|| {
        let photos = (1..).zip(&draft.photos).map(|(number, id)| {
            let number: i32 = number;
            view! {
                <li class="photo">
                    <input type="hidden" name="photo" value=id.to_string()/>
                    <img src=format!("/photos/{id}") alt=w!(t, repairs.photo_alt, number = number.to_string()) width="160" height="120" loading="lazy"/>
                    <button class="button" data-tone="quiet" type="submit" name="remove" value=id.to_string() formnovalidate=true>
                        <span>{w!(t, repairs.photo_remove, number = number.to_string())}</span>
                    </button>
                </li>
            }
        });
        view! { <ul class="photos" role="list">{photos.collect_view()}</ul> }
    });
    view! {
        <FileInput name="photos" label=w!(t, repairs.photos) hint=w!(t, repairs.photos_hint)
            accept="image/jpeg,image/png,image/webp" multiple=true fault=cx.fault(sheet, "photos")/>
        <PhotoShrink input="photos".to_owned() busy=w!(t, repairs.photos_busy)/>
        {kept}
        <button class="button" data-tone="quiet" type="submit" name="do" value="photos" formnovalidate=true>
            <Icon name=Icon::Camera/><span>{w!(t, repairs.photos_add)}</span>
        </button>
    }
}

fn times(cx: &Cx, draft: &Draft, sheet: &Sheet) -> impl IntoView + use<> {
    let t = cx.fmt();
    if !draft.mode.is_some_and(Mode::needs_slot) {
        let address = draft.places.first().map(|(w, _)| format!("{}, {}", w.name, w.address)).unwrap_or_default();
        return view! { <Alert tone=Tone::Info><p>{w!(t, repairs.send_to, address = address)}</p></Alert> }.into_any();
    }
    if draft.slots.is_empty() {
        return view! {
            <Alert tone=Tone::Warn title=w!(t, repairs.no_slots_title)><p>{w!(t, repairs.no_slots_text)}</p></Alert>
        }
        .into_any();
    }
    // A button of the form, so that what was typed goes along.
    let later = draft.later.map(|day| {
        view! {
            <button class="button" data-tone="quiet" type="submit" name="later" value=day.to_string() formnovalidate=true>
                <span>{w!(t, repairs.slots_later)}</span>
            </button>
        }
    });
    let chosen = draft.slot.map(|slot| slot.to_string()).unwrap_or_default();
    let fault = cx.fault(sheet, "slot");
    let prices: &[(Workshop, Money)] = if draft.fee().is_some() { &[] } else { &draft.places };
    view! { {parts::slot_lists(cx, &draft.slots, prices, &chosen, fault)} {later} }.into_any()
}

fn cost(cx: &Cx, draft: &Draft) -> impl IntoView + use<> {
    let t = cx.fmt();
    let because = draft.decision.as_ref().map(|decision| coverage::server::words::decision(cx, decision));
    let covered = draft.decision.as_ref().is_some_and(|decision| decision.is_covered());
    let says = |fee: Option<Money>| match fee {
        _ if covered => w!(t, repairs.cost_covered),
        Some(fee) if !fee.is_zero() => w!(t, repairs.cost_fee, fee = t.money(fee)),
        _ => w!(t, repairs.cost_free_look),
    };
    // Where workshops differ, each says what holds there.
    let by_place = |words: &dyn Fn(&Workshop, Money) -> String| {
        let line = |(place, fee): &(Workshop, Money)| format!("{}: {}", place.name, words(place, *fee));
        draft.places.iter().map(line).collect::<Vec<_>>()
    };
    let prices = match draft.fee() {
        None if !draft.places.is_empty() => by_place(&|_, fee| says(Some(fee))),
        fee => vec![says(fee)],
    };
    let policy = |place: &Workshop| w!(t, repairs.policy, hours = t.number(place.notice_hours));
    let policies = match draft.places.first() {
        _ if !draft.mode.is_some_and(Mode::needs_slot) => Vec::new(),
        None => Vec::new(),
        Some((first, _)) if draft.places.iter().all(|(place, _)| place.notice_hours == first.notice_hours) => {
            vec![policy(first)]
        }
        Some(_) => by_place(&|place, _| policy(place)),
    };
    let prices = prices.into_iter().map(|text| view! { <p><strong>{text}</strong></p> }).collect_view();
    let policies = policies.into_iter().map(|text| view! { <p class="hint">{text}</p> }).collect_view();
    view! {
        <Card title=w!(t, repairs.cost_title) tone=Some(if covered { Tone::Good } else { Tone::Info })>
            {prices}
            {because.map(|text| view! { <p>{text}</p> })}
            {policies}
        </Card>
    }
}

/// `GET /repairs/{rma}`
pub async fn show(cx: Cx, Path(rma): Path<String>, RawQuery(raw): RawQuery) -> Result<Response, AppError> {
    cx.person()?;
    let asked = query(raw);
    let moving = (!asked.all("move").is_empty()).then(|| Chosen::of(&asked));
    show_page(cx, parts::rma(&rma)?, Sheet::default(), moving).await
}

/// `POST /repairs/{rma}`: move, cancel, accept or decline.
pub async fn act(cx: Cx, Path(rma): Path<String>, form: Form) -> Result<Response, AppError> {
    cx.person()?;
    let rma = parts::rma(&rma)?;
    let verb = form.text("do").parse().map_err(|_| AppError::NotFound)?;
    let notice = match verb {
        Verb::Move => Notice::RepairMoved,
        Verb::Cancel => Notice::RepairCancelled,
        Verb::Accept => Notice::QuoteAccepted,
        Verb::Decline => Notice::QuoteDeclined,
        _ => return Err(AppError::NotFound),
    };
    let input = parts::customer_input(&form, verb);
    let done = match input {
        Ok(input) => service::act(&cx, &rma, verb, input, false).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(cx.redirect(&format!("/repairs/{rma}"), Some(notice))),
        Err(error) => {
            let moving = (verb == Verb::Move).then(|| Chosen::of(&form));
            show_page(cx, rma, Sheet::again(form, error)?, moving).await
        }
    }
}

async fn show_page(cx: Cx, rma: Rma, sheet: Sheet, moving: Option<Chosen>) -> Result<Response, AppError> {
    let shown = service::show(&cx, &rma, false).await?;
    let t = cx.fmt();
    let times = match moving.filter(|_| shown.verbs.contains(&Verb::Move)) {
        Some(chosen) => Some(booking::slots_to_move_to(&mut cx.db().read().await?, &shown.row, cx.now, chosen).await?),
        None => None,
    };
    let title = shown.row.item_name.clone();
    Ok(cx.sheet_page(&sheet, FRAME, title.clone(), || {
        let state = shown.row.state;
        let address = format!("/repairs/{rma}");
        let moving = times.as_ref().map(|times| {
            let hidden = view! { <input type="hidden" name="do" value="move"/> };
            parts::move_form(&cx, &sheet, &address, times, hidden)
        });
        let badge = (words::tone(state), words::customer_state(t, state));
        let steps = parts::timeline(&cx, Side::Customer, &shown);
        let (said, pictures) = (shown.row.fault.clone(), parts::photo_list(&cx, &shown.photos));
        view! {
            <PageHead title=title lead=w!(t, repairs.number, rma = rma.to_string())
                back=Some(("/repairs".to_owned(), w!(t, repairs.title)))>
                <Badge tone=badge.0 text=badge.1/>
            </PageHead>
            {cx.faults(&sheet)}
            {parts::next_card(&cx, Side::Customer, &shown)}
            {price(&cx, &shown, &address)}
            {moving}
            {appointment(&cx, &shown, &address)}
            {shown.row.diagnosis.clone().map(|text| view! { <Section title=w!(t, repairs.diagnosis)><p class="pre">{text}</p></Section> })}
            <Section title=w!(t, repairs.timeline)><Timeline steps=steps/></Section>
            <Section title=w!(t, repairs.your_words)>
                <p class="pre">{said}</p>
                {pictures}
            </Section>
        }
    }))
}

/// The price that waits for an answer, or the one that was answered.
fn price(cx: &Cx, shown: &service::Shown, address: &str) -> Option<AnyView> {
    let t = cx.fmt();
    let (quote, lines) = shown.quote.as_ref()?;
    let total = t.money(quote.total());
    let can = |verb| shown.verbs.contains(&verb);
    let words = quote.words.clone().map(|words| view! { <p class="pre">{words}</p> });
    let answer = (can(Verb::Accept) || can(Verb::Decline)).then(|| {
        let accept = can(Verb::Accept).then(|| {
            let yes = w!(t, repairs.quote_accept, total = total.clone());
            view! {
                <p>{w!(t, repairs.quote_consent, total = total.clone())}</p>
                <Button name="do" value="accept".to_owned()>{yes}</Button>
            }
        });
        let hint = match shown.row.covered {
            true => w!(t, repairs.quote_decline_covered_hint),
            false => w!(t, repairs.quote_decline_hint),
        };
        view! {
            <form class="form" method="post" action=address.to_owned() id="answer-quote">
                <input type="hidden" name="quote" value=quote.id.to_string()/>
                {accept}
                <Button name="do" value="decline".to_owned() tone=ButtonTone::Quiet>{w!(t, repairs.quote_decline)}</Button>
                <p class="hint">{hint}</p>
            </form>
        }
    });
    let open = shown.row.state == State::Quoted;
    let badge = (words::quote_tone(quote.state), quote.state.in_words(t));
    let table = parts::quote_table(cx, lines, quote.total());
    let until = open.then(|| w!(t, repairs.quote_until, date = t.date(quote.valid_until)));
    let view = view! {
        <Section title=w!(t, repairs.quote_title)>
            <Card tone=open.then_some(Tone::Warn)>
                <Badge tone=badge.0 text=badge.1/>
                {words}
                {table}
                {until.map(|until| view! { <p>{until}</p> })}
                {answer}
            </Card>
        </Section>
    };
    Some(view.into_any())
}

/// The appointment with what one can still do about it.
fn appointment(cx: &Cx, shown: &service::Shown, address: &str) -> Option<AnyView> {
    if !shown.row.state.is_before_arrival() {
        return None;
    }
    let t = cx.fmt();
    let can = |verb| shown.verbs.contains(&verb);
    let until = shown.row.appointment_at.map(|at| shown.policy.notice_ends(at));
    let notice = match until {
        Some(until) if until >= cx.now => {
            w!(t, repairs.notice_until, date = zone::when(t, until, shown.workshop.zone(), cx.zone))
        }
        Some(_) => w!(t, repairs.notice_over),
        None => String::new(),
    };
    let late = until.is_some_and(|until| until < cx.now);
    let write = late.then(|| {
        let href = format!("/cases/new?about=repair:{}", shown.row.id);
        view! { <ButtonLink href tone=ButtonTone::Quiet icon=Some(Icon::Chat)>{w!(t, purchases.get_help)}</ButtonLink> }
    });
    let when = parts::appointment_line(cx, shown);
    let change = can(Verb::Move).then(|| {
        view! { <ButtonLink href=format!("{address}?move=1") tone=ButtonTone::Quiet icon=Some(Icon::Calendar)>{w!(t, repairs.move_title)}</ButtonLink> }
    });
    let cancel = can(Verb::Cancel).then(|| {
        let address = address.to_owned();
        view! {
            <Fold title=w!(t, repairs.cancel_title)>
                <form class="form" method="post" action=address id="cancel-repair">
                    <input type="hidden" name="do" value="cancel"/>
                    <p>{w!(t, repairs.cancel_text)}</p>
                    <Button tone=ButtonTone::Danger>{w!(t, repairs.cancel)}</Button>
                </form>
            </Fold>
        }
    });
    let view = view! {
        <Section title=w!(t, repairs.appointment)>
            <p>{when}</p>
            <p class="hint">{notice}</p>
            {write}
            {change}
            {cancel}
        </Section>
    };
    Some(view.into_any())
}
