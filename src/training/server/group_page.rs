//! `/training/{class}/group`: the owner of a firm enrols several people, names and swaps them, and answers for a group
//! that waits. And the short card about it on the page of the class.

use super::{
    group_words,
    groups::{self, Group},
    portal::{key, parse},
    seats::Consent,
    shared::count,
    store::{
        self, Around, ClassRow, PlaceHere,
        parties::{self, PartyRow, PlaceRow, Skip, SkipRow},
    },
    views, words,
};
use crate::{
    access::{Act, Subject},
    db::Tx,
    error::{AppError, Fault, Faults, Refusal as Refused},
    i18n::InWords,
    server::{
        App, Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::{Frame, PortalTab},
    },
    training::domain::{ClassState, Cost, EnrolmentState, Hindered, Refusal, Seated, Wish},
    ui::*,
    values::{ClassId, EnrolmentId, Money, OrganisationId, PartyId, PersonId},
    w,
};
use axum::{
    Router,
    extract::{Path, RawQuery},
    response::Response,
    routing::get,
};
use chrono::{DateTime, Utc};
use leptos::prelude::*;

pub fn routes() -> Router<App> {
    Router::new().route("/training/{class}/group", get(show).post(act))
}

const FRAME: Frame = Frame::Portal(PortalTab::Training);
/// More people at once than this are two groups.
const MOST: i64 = 100;

/// A group of the firm as its page shows it.
struct Shown {
    party: PartyRow,
    places: Vec<PlaceRow>,
    skips: Vec<Skip>,
    /// When and why staff seated somebody before them.
    out_of_turn: Vec<(String, DateTime<Utc>)>,
    /// The place of its first in line.
    position: Option<i64>,
    /// What the offered seats cost.
    costs: Vec<Cost>,
}

/// What a group that is asked for would get, and cost.
struct Review {
    group: Group,
    seated: Seated,
    costs: Vec<Cost>,
}

struct Page {
    class: ClassRow,
    /// The reader's firms; the first is the one that the page is about.
    firms: Vec<(OrganisationId, String)>,
    members: Vec<(PersonId, String)>,
    groups: Vec<Shown>,
}

async fn load(cx: &Cx, id: ClassId, asked: &str) -> Result<Option<Page>, AppError> {
    let person = cx.person()?;
    let mut owned = person.owned_organisations();
    let mut tx = cx.db().read().await?;
    let class = store::class(&mut tx, id).await?;
    if class.state == ClassState::Draft {
        return Err(AppError::NotFound);
    }
    // The firm that the address names comes first; where it names none, one that has something to answer here.
    if asked.is_empty() && owned.len() > 1 {
        let here = parties::firms_here(&mut tx, id, person.id).await?;
        owned.sort_by_key(|firm| here.iter().position(|there| there == firm).unwrap_or(usize::MAX));
    }
    owned.sort_by_key(|firm| firm.to_string() != asked);
    let Some(&firm) = owned.first() else { return Ok(None) };
    cx.may(Act::ReadTeam, &Subject::nobody().within(Some(firm)))?;
    let (firms, members) = parties::firms_and_members(&mut tx, person.id, firm).await?;
    let groups = groups_of(&mut tx, cx, &class, firm).await?;
    Ok(Some(Page { class, firms, members, groups }))
}

/// The groups of a firm in a class that still have anything there.
async fn groups_of(tx: &mut Tx, cx: &Cx, class: &ClassRow, firm: OrganisationId) -> Result<Vec<Shown>, AppError> {
    let mut groups = Vec::new();
    for party in parties::of_firm(tx, class.id, firm).await? {
        let places = parties::places(tx, party.id).await?;
        let skips = parties::skips_of(tx, party.id).await?;
        let out_of_turn = parties::out_of_turn(tx, party.id).await?;
        if places.is_empty() && skips.is_empty() && out_of_turn.is_empty() {
            continue;
        }
        let first = places.iter().filter(|place| place.state == EnrolmentState::Waitlisted);
        let position = match first.filter_map(|place| place.queue_number).min() {
            Some(number) => Some(store::position(tx, class.id, number).await?),
            None => None,
        };
        let offered = places.iter().filter(|place| place.state == EnrolmentState::Offered).count();
        let costs = groups::costs(tx, cx, class, firm, i64::try_from(offered).unwrap_or(0)).await?;
        groups.push(Shown { party, places, skips, out_of_turn, position, costs });
    }
    Ok(groups)
}

async fn show(cx: Cx, Path(id): Path<String>, RawQuery(query): RawQuery) -> Result<Response, AppError> {
    let id = parse(&id)?;
    let query = query.unwrap_or_default();
    let asked: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let form = Form::new(asked.clone());
    let Some(page) = load(&cx, id, form.text("firm")).await? else { return Ok(nobody(&cx)) };
    let pairs: Vec<(&str, &str)> = asked.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (sheet, review) = match form.text("review") {
        "" => (Sheet::filled(&pairs), None),
        _ => match review(&cx, &page, &form).await {
            Ok(review) => (Sheet::filled(&pairs), Some(review)),
            Err(error) => (Sheet::again(form, error)?, None),
        },
    };
    Ok(respond(&cx, &page, &sheet, review.as_ref()))
}

async fn act(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let id: ClassId = parse(&id)?;
    let Some(page) = load(&cx, id, form.text("firm")).await? else { return Err(AppError::NotFound) };
    let Some(&(firm, _)) = page.firms.first() else { return Err(AppError::NotFound) };
    match run(&cx, id, firm, &form).await {
        Ok(notice) => Ok(cx.redirect(&format!("/training/{id}/group?firm={firm}"), Some(notice))),
        Err(error) => {
            // What is asked for costs more meanwhile, or finds other seats: it is said anew.
            let review = match form.text("act") {
                "enrol" => review(&cx, &page, &form).await.ok(),
                _ => None,
            };
            let sheet = Sheet::again(form, error)?;
            Ok(respond(&cx, &page, &sheet, review.as_ref()))
        }
    }
}

async fn run(cx: &Cx, class: ClassId, firm: OrganisationId, form: &Form) -> Result<Notice, AppError> {
    let mut faults = Faults::default();
    let agreed_minor = form.optional::<i64>("agreed", &mut faults, Fault::NotAnAmount);
    let seat = |faults: &mut Faults| form.parse::<EnrolmentId>("seat", faults, Fault::NotAChoice);
    let consent = Consent { agreed_minor, key: form.key() };
    match form.text("act") {
        "enrol" => {
            let group = group_of(form)?;
            // Nobody agreed to a price who was not told one.
            let consent = Consent { agreed_minor: Some(agreed_minor.unwrap_or(0)), ..consent };
            faults.check()?;
            let seated = groups::enrol(cx, class, firm, group, consent).await?.seated;
            Ok(match seated {
                Seated { booked: 0, .. } => Notice::GroupWaits,
                Seated { waiting: 0, left_out: 0, .. } => Notice::GroupEnrolled,
                _ => Notice::GroupPartly,
            })
        }
        "accept" | "decline" => {
            let party = form.parse::<PartyId>("party", &mut faults, Fault::NotAChoice);
            faults.check()?;
            let party = party.ok_or(AppError::NotFound)?;
            if form.text("act") == "decline" {
                groups::decline(cx, party, consent).await?;
                return Ok(Notice::GroupDeclined);
            }
            groups::accept(cx, party, Consent { agreed_minor: Some(agreed_minor.unwrap_or(0)), ..consent }).await?;
            Ok(Notice::GroupEnrolled)
        }
        named @ ("name" | "swap") => {
            let (seat, person) = (seat(&mut faults), form.parse::<PersonId>("person", &mut faults, Fault::NotAChoice));
            faults.check()?;
            let (seat, person) = (seat.ok_or(AppError::NotFound)?, person.ok_or(AppError::NotFound)?);
            if named == "name" {
                groups::name(cx, seat, person).await.map(|()| Notice::SeatNamed)
            } else {
                groups::swap(cx, seat, person).await.map(|()| Notice::SeatSwapped)
            }
        }
        "give_back" => {
            let seat = seat(&mut faults);
            faults.check()?;
            groups::give_back(cx, seat.ok_or(AppError::NotFound)?).await.map(|_| Notice::SeatGivenBack)
        }
        _ => Err(Faults::only("act", Fault::NotAChoice)),
    }
}

/// The group that a form asks for.
fn group_of(form: &Form) -> Result<Group, AppError> {
    let mut faults = Faults::default();
    let mut people: Vec<PersonId> = Vec::new();
    for text in form.all("person") {
        match text.parse() {
            Ok(person) if !people.contains(&person) => people.push(person),
            Ok(_) => {}
            Err(_) => faults.add("person", Fault::NotAChoice),
        }
    }
    let unnamed = form.optional::<i64>("unnamed", &mut faults, Fault::NotANumber).unwrap_or(0);
    match unnamed {
        n if n < 0 => faults.add("unnamed", Fault::TooSmall { min: 0 }),
        n if n > MOST => faults.add("unnamed", Fault::TooLarge { max: MOST }),
        _ => {}
    }
    let wish = form.optional::<Wish>("wish", &mut faults, Fault::NotAChoice).unwrap_or(Wish::Together);
    faults.check()?;
    Ok(Group { people, unnamed, wish, wait: form.text("wait") == "yes" })
}

async fn review(cx: &Cx, page: &Page, form: &Form) -> Result<Review, AppError> {
    let group = group_of(form)?;
    let Some(&(firm, _)) = page.firms.first() else { return Err(AppError::NotFound) };
    let mut tx = cx.db().read().await?;
    let seated = groups::plan(&mut tx, cx, &page.class, firm, &group).await?;
    let costs = groups::costs(&mut tx, cx, &page.class, firm, group.size() - seated.left_out).await?;
    Ok(Review { group, seated, costs })
}

fn sum(costs: &[Cost]) -> i64 {
    costs.iter().map(Cost::minor).fold(0, i64::saturating_add)
}

/// Whoever speaks for no firm.
fn nobody(cx: &Cx) -> Response {
    cx.page(FRAME, w!(cx, groups.title), || {
        let back = w!(cx, training.back_to_classes);
        view! {
            <PageHead title=w!(cx, groups.title) back=Some(("/training".to_owned(), back))/>
            <Empty icon=Icon::Users title=w!(cx, groups.no_firm_title) text=Some(w!(cx, groups.no_firm_text))/>
        }
    })
}

fn respond(cx: &Cx, page: &Page, sheet: &Sheet, review: Option<&Review>) -> Response {
    cx.sheet_page(sheet, FRAME, w!(cx, groups.title), || view_of(cx, page, sheet, review))
}

fn view_of(cx: &Cx, page: &Page, sheet: &Sheet, review: Option<&Review>) -> AnyView {
    let class = &page.class;
    let firm = page.firms.first().map(|(_, name)| name.clone()).unwrap_or_default();
    let lead = format!("{} · {}", class.title, views::when(cx, class.starts_at, class.tz()));
    let tabs = (page.firms.len() > 1).then(|| {
        let tabs = page.firms.iter().enumerate().map(|(at, (id, name))| Tab {
            href: format!("{}/group?firm={id}", class.path()),
            label: name.clone(),
            current: at == 0,
        });
        let tabs: Vec<Tab> = tabs.collect();
        view! { <Tabs label=w!(cx, groups.firms) tabs/> }
    });
    let groups = page.groups.iter().map(|group| group_card(cx, page, group, sheet)).collect_view();
    let groups = (!page.groups.is_empty()).then(|| {
        view! { <Section title=w!(cx, groups.yours, firm = firm.clone()) id=Some("yours".to_owned())>{groups}</Section> }
    });
    let confirm = review.map(|review| confirm(cx, page, review));
    let ask = (class.state == ClassState::Open && cx.now < class.starts_at).then(|| ask(cx, page, sheet));
    let rules = rules(cx, class);
    view! {
        <PageHead title=w!(cx, groups.title_firm, firm = firm) lead=Some(lead) back=Some((class.path(), class.title.clone()))/>
        {tabs}
        {views::faults(cx, sheet, class.tz())}
        <Columns>
            <div class="stack">
                {confirm}
                {groups}
                {ask}
            </div>
            <div class="stack">{rules}</div>
        </Columns>
    }
    .into_any()
}

/// The rules that hold for everybody and those of groups, with this class's own times.
fn rules(cx: &Cx, class: &ClassRow) -> AnyView {
    let policy = class.policy();
    let time = |at| {
        let tz = class.tz();
        w!(cx, training.time_in_zone, time = cx.fmt().date_time(at, tz), zone = words::zone(tz))
    };
    let of_groups = [
        group_words::rule_line(cx.fmt(), &policy, time(policy.gathers_until())),
        w!(cx, groups.rule_one_answer),
        w!(cx, groups.rule_names, time = time(policy.free_until())),
        w!(cx, groups.rule_swap, time = time(policy.starts)),
    ];
    let rules = views::policy(cx, class, false).into_iter().chain(of_groups);
    let rules = rules.map(|rule| view! { <li>{rule}</li> }).collect_view();
    view! { <Card title=Some(w!(cx, training.policy))><ul class="stack">{rules}</ul></Card> }.into_any()
}

/// Whom the reader wants to enrol.
fn ask(cx: &Cx, page: &Page, sheet: &Sheet) -> AnyView {
    let class = &page.class;
    let tz = class.tz();
    let enrolling = matches!(sheet.value("act"), "" | "enrol");
    let conflicts: &[Hindered] = match sheet.refusal() {
        Some(Refused::Training(Refusal::Hindered { people: conflicts })) if enrolling => conflicts,
        _ => &[],
    };
    let there = |person: PersonId| {
        let places = page.groups.iter().flat_map(|group| &group.places);
        places.into_iter().find(|place| place.person_id == Some(person)).map(|place| place.state)
    };
    let choice = |(person, name): &(PersonId, String)| {
        let conflict = conflicts.iter().find(|conflict| conflict.person == *person);
        let state = there(*person);
        Choice {
            value: person.to_string(),
            title: name.clone(),
            text: conflict.map(|conflict| group_words::hindrance(cx.fmt(), tz, &conflict.why)),
            note: state.map(|state| state.in_words(cx.fmt())),
            disabled: state.is_some(),
        }
    };
    let choices: Vec<Choice> = page.members.iter().map(choice).collect();
    let ticked: Vec<String> =
        if enrolling { sheet.values("person").into_iter().map(str::to_owned).collect() } else { Vec::new() };
    let fault = match conflicts {
        [] if enrolling => cx.fault(sheet, "person"),
        [] => None,
        conflicts => Some(group_words::conflicts(cx.fmt(), tz, conflicts)),
    };
    let wishes =
        [(Wish::Together, w!(cx, groups.wish_together_text)), (Wish::AsManyAsFit, w!(cx, groups.wish_fit_text))];
    let wishes: Vec<Choice> = wishes
        .into_iter()
        .map(|(wish, text)| Choice {
            value: wish.as_str().to_owned(),
            title: wish.in_words(cx.fmt()),
            text: Some(text),
            ..Choice::default()
        })
        .collect();
    let wish = match sheet.value("wish") {
        "" => Wish::Together.as_str().to_owned(),
        word => word.to_owned(),
    };
    let named = class.policy().takes_unnamed(cx.now).then(|| {
        let until = cx.fmt().date_time(class.policy().free_until(), tz);
        view! {
            <Field name="unnamed" label=w!(cx, groups.unnamed) kind="number" inputmode="numeric" value=sheet.value("unnamed").to_owned()
                min=Some("0".to_owned()) max=Some(MOST.to_string()) hint=Some(w!(cx, groups.unnamed_hint, time = until))
                fault=cx.fault(sheet, "unnamed")/>
        }
    });
    // A box that was never seen counts as ticked.
    let wait = sheet.value("review").is_empty() && sheet.value("act").is_empty() || sheet.value("wait") == "yes";
    let firm = page.firms.first().map(|(id, _)| id.to_string()).unwrap_or_default();
    let see = w!(cx, groups.see_price);
    let free = w!(cx, groups.free_now, count = count(class.seats().bookable(&class.policy(), cx.now)));
    let (who, how) = (w!(cx, groups.who), w!(cx, groups.wish));
    let (wait_label, wait_hint) = (w!(cx, groups.wait), Some(w!(cx, groups.wait_hint)));
    let action = format!("{}/group", class.path());
    view! {
        <Section title=w!(cx, groups.enrol_people) id=Some("enrol-people".to_owned())>
            <p class="soft">{free}</p>
            <form id="ask-group" class="form" method="get" action=action>
                <input type="hidden" name="firm" value=firm/>
                <input type="hidden" name="review" value="1"/>
                <ChoiceList name="person" legend=who choices several=true values=ticked fault/>
                {named}
                <ChoiceList name="wish" legend=how choices=wishes value=wish/>
                <Checkbox name="wait" label=wait_label value="yes" checked=wait hint=wait_hint/>
                <Actions><Button>{see}</Button></Actions>
            </form>
        </Section>
    }
    .into_any()
}

/// What was asked for, how it would be seated, what it costs; one tap more and it is done.
fn confirm(cx: &Cx, page: &Page, review: &Review) -> AnyView {
    let Review { group, seated, costs } = review;
    let class = &page.class;
    let total = sum(costs);
    let hidden = group
        .people
        .iter()
        .map(|person| view! { <input type="hidden" name="person" value=person.to_string()/> })
        .collect_view();
    let names: Vec<String> = page
        .members
        .iter()
        .filter(|(id, _)| group.people.contains(id))
        .map(|(_, name)| name.clone())
        .chain((group.unnamed > 0).then(|| w!(cx, groups.unnamed_count, count = count(group.unnamed))))
        .collect();
    let lines = group_words::costs(cx.fmt(), costs).into_iter().map(|line| view! { <li>{line}</li> }).collect_view();
    let later = (seated.waiting > 0).then(|| view! { <p class="soft small">{w!(cx, groups.price_later)}</p> });
    let money = Money::new(total, class.price_currency);
    let label = match (seated.booked, total) {
        (0, _) => w!(cx, training.join_waitlist),
        (_, 0) => w!(cx, groups.enrol, count = count(seated.booked)),
        _ => w!(cx, groups.enrol_paid, count = count(seated.booked), price = cx.fmt().money(money)),
    };
    let note = (total > 0).then(|| view! { <p class="soft small">{w!(cx, training.charge_note)}</p> });
    let firm = page.firms.first().map(|(id, _)| id.to_string()).unwrap_or_default();
    let wait = group.wait.then(|| view! { <input type="hidden" name="wait" value="yes"/> });
    let said = group_words::seated(cx.fmt(), seated);
    let form_key = key();
    let unnamed = group.unnamed.to_string();
    let wish = group.wish.as_str();
    view! {
        <Card title=Some(w!(cx, groups.confirm)) tone=Some(Tone::Info)>
            <p><strong>{names.join(", ")}</strong></p>
            <p>{said}</p>
            <ul class="stack">{lines}</ul>
            {later}
            {note}
            <form id="enrol-group" class="form" method="post">
                <input type="hidden" name="act" value="enrol"/>
                <input type="hidden" name="firm" value=firm/>
                <input type="hidden" name="agreed" value=total.to_string()/>
                <input type="hidden" name="unnamed" value=unnamed/>
                <input type="hidden" name="wish" value=wish/>
                {hidden}
                {wait}
                <HiddenKey value=form_key/>
                <Actions><Button icon=Some(Icon::Check)>{label}</Button></Actions>
            </form>
        </Card>
    }
    .into_any()
}

/// One group: its offer, its people, and why it was passed over.
fn group_card(cx: &Cx, page: &Page, group: &Shown, sheet: &Sheet) -> AnyView {
    let class = &page.class;
    let firm = page.firms.first().map(|(id, _)| id.to_string()).unwrap_or_default();
    let waiting = group.places.iter().filter(|place| place.state == EnrolmentState::Waitlisted).count() as u64;
    let waiting = standing(cx, group.party.together, group.party.gathered, waiting, group.position);
    let offer = offer(cx, class, group, &firm);
    let places = group.places.iter().map(|place| place_item(cx, page, place, sheet, &firm)).collect_view();
    let skips = skips(cx, class, &group.skips, &group.out_of_turn);
    view! {
        <Card tone=offer.is_some().then_some(Tone::Info)>
            {waiting}
            {offer}
            <ul class="plain-list stack" role="list">{places}</ul>
            {skips}
        </Card>
    }
    .into_any()
}

/// Where a group stands in line.
fn standing(cx: &Cx, together: bool, gathered: i64, waiting: u64, position: Option<i64>) -> Option<AnyView> {
    let position = position.map(|position| cx.fmt().number(position))?;
    let text = match together {
        true => w!(cx, groups.waits_together, count = waiting, position = position),
        false => w!(cx, groups.waits_split, count = waiting, position = position),
    };
    let held = (gathered > 0).then(|| {
        let text = w!(cx, groups.gathered, count = count(gathered), of = cx.fmt().number(waiting as i64));
        view! { <p>{text}</p> }
    });
    Some(view! { <div class="stack"><p><strong>{text}</strong></p>{held}</div> }.into_any())
}

fn offer(cx: &Cx, class: &ClassRow, group: &Shown, firm: &str) -> Option<AnyView> {
    let offered: Vec<&PlaceRow> = group.places.iter().filter(|row| row.state == EnrolmentState::Offered).collect();
    let until = offered.first()?.offered_until?;
    let tz = class.tz();
    let until = w!(cx, training.time_in_zone, time = cx.fmt().date_time(until, tz), zone = words::zone(tz));
    let held = w!(cx, groups.offered, count = offered.len() as u64, until = until);
    let lines =
        group_words::costs(cx.fmt(), &group.costs).into_iter().map(|line| view! { <li>{line}</li> }).collect_view();
    let total = sum(&group.costs);
    let accept = match total {
        0 => w!(cx, groups.accept, count = offered.len() as u64),
        _ => {
            let price = cx.fmt().money(Money::new(total, class.price_currency));
            w!(cx, groups.accept_paid, count = offered.len() as u64, price = price)
        }
    };
    let decline = w!(cx, groups.decline);
    let party = group.party.id.to_string();
    let (accept_id, decline_id) = (format!("accept-{party}"), format!("decline-{party}"));
    let (first_key, second_key) = (key(), key());
    Some(
        view! {
            <div class="stack">
                <p><strong>{held}</strong></p>
                <ul class="stack">{lines}</ul>
                <form id=accept_id class="form" method="post" data-offer="accept">
                    <input type="hidden" name="act" value="accept"/>
                    <input type="hidden" name="firm" value=firm.to_owned()/>
                    <input type="hidden" name="party" value=party.clone()/>
                    <input type="hidden" name="agreed" value=total.to_string()/>
                    <HiddenKey value=first_key/>
                    <Actions><Button icon=Some(Icon::Check)>{accept}</Button></Actions>
                </form>
                <form id=decline_id class="form" method="post" data-offer="decline">
                    <input type="hidden" name="act" value="decline"/>
                    <input type="hidden" name="firm" value=firm.to_owned()/>
                    <input type="hidden" name="party" value=party/>
                    <HiddenKey value=second_key/>
                    <Actions><Button tone=ButtonTone::Quiet>{decline}</Button></Actions>
                </form>
            </div>
        }
        .into_any(),
    )
}

/// A seat with its name, and what its owner can do with it.
fn place_item(cx: &Cx, page: &Page, place: &PlaceRow, sheet: &Sheet, firm: &str) -> AnyView {
    let name = place.person_name.clone().unwrap_or_else(|| w!(cx, groups.without_name));
    let badge = place.state.in_words(cx.fmt());
    let tone = words::state_tone(place.state);
    let id = place.id.to_string();
    let again = sheet.value("seat") == id;
    let change = (page.class.state == ClassState::Open && cx.now < page.class.starts_at).then(|| {
        let taken = |person: &PersonId| {
            let mut places = page.groups.iter().flat_map(|group| &group.places);
            places.any(|place| place.person_id == Some(*person))
        };
        let mut options = vec![(String::new(), w!(cx, groups.choose_person))];
        let free = page.members.iter().filter(|(person, _)| !taken(person));
        options.extend(free.map(|(person, name)| (person.to_string(), name.clone())));
        let fault = match sheet.refusal() {
            Some(Refused::Training(refusal)) if again => Some(words::refusal(cx.fmt(), page.class.tz(), refusal)),
            _ if again => cx.fault(sheet, "person"),
            _ => None,
        };
        let named = place.person_id.is_some();
        let (act, title, button) = match named {
            true => ("swap", w!(cx, groups.change, name = name.clone()), w!(cx, groups.swap)),
            false => ("name", w!(cx, groups.name_seat), w!(cx, groups.name)),
        };
        let late = place.state == EnrolmentState::Booked && page.class.policy().late_costs(cx.now);
        let late = late.then(|| view! { <p>{w!(cx, training.late_warning)}</p> });
        let give_back = w!(cx, groups.give_back);
        let label = if named { w!(cx, groups.instead) } else { w!(cx, groups.who_gets_it) };
        let value = if again { sheet.value("person").to_owned() } else { String::new() };
        let field = format!("person-{id}");
        let (form_id, back_id) = (format!("name-{id}"), format!("give-back-{id}"));
        let (first, second) = (id.clone(), id.clone());
        let (firm, firm_again) = (firm.to_owned(), firm.to_owned());
        view! {
            <Fold title open=again || !named>
                <form id=form_id class="form" method="post" data-seat=act>
                    <input type="hidden" name="act" value=act/>
                    <input type="hidden" name="firm" value=firm/>
                    <input type="hidden" name="seat" value=first/>
                    <Select name="person" id=Some(field) label options value fault/>
                    <Actions><Button tone=ButtonTone::Quiet>{button}</Button></Actions>
                </form>
                <form id=back_id class="form" method="post" data-seat="give-back">
                    <input type="hidden" name="act" value="give_back"/>
                    <input type="hidden" name="firm" value=firm_again/>
                    <input type="hidden" name="seat" value=second/>
                    {late}
                    <Actions><Button tone=ButtonTone::Danger>{give_back}</Button></Actions>
                </form>
            </Fold>
        }
    });
    view! {
        <li class="stack">
            <p class="split"><span>{name}</span> <Badge tone text=badge/></p>
            {change}
        </li>
    }
    .into_any()
}

/// When the group was passed over, latest first, by the rule or by staff.
fn skips(cx: &Cx, class: &ClassRow, skips: &[Skip], out_of_turn: &[(String, DateTime<Utc>)]) -> Option<AnyView> {
    let by_rule = skips.iter().map(|row| (row.at, group_words::skip(cx.fmt(), class.tz(), row)));
    let by_staff = out_of_turn.iter().map(|(why, at)| (*at, group_words::out_of_turn(cx.fmt(), class.tz(), why, *at)));
    let mut lines: Vec<(DateTime<Utc>, String)> = by_rule.chain(by_staff).collect();
    lines.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let many = lines.len() as u64;
    let lines = lines.into_iter().map(|(_, line)| view! { <li>{line}</li> }).collect_view();
    (many > 0).then(|| {
        view! { <Fold title=w!(cx, groups.passed_over, count = many)><ul class="stack">{lines}</ul></Fold> }.into_any()
    })
}

/// Whether a firm answers for the reader's place.
pub fn answers(mine: Option<&PlaceHere>) -> bool {
    mine.is_some_and(|row| row.firm.is_some())
}

/// The card of an employee whose firm waits, or is offered seats, for them.
pub fn member_card(cx: &Cx, class: &ClassRow, mine: &PlaceHere, around: &Around) -> Option<AnyView> {
    let firm = mine.firm.clone()?;
    let text = match mine.position {
        Some(position) => w!(cx, groups.you_wait, firm = firm, position = cx.fmt().number(position)),
        None => w!(cx, groups.you_offered, firm = firm),
    };
    let (together, gathered) = (mine.together.unwrap_or(false), mine.gathered.unwrap_or(0));
    let standing = standing(cx, together, gathered, count(mine.group_waiting), mine.position);
    let skips = skips(cx, class, &around.group_skips, &[]);
    let form_key = key();
    let leave = w!(cx, training.leave_waitlist);
    Some(
        view! {
            <Card tone=Some(Tone::Warn)>
                <p><strong>{text}</strong></p>
                {standing}
                {skips}
                <form id="cancel-enrolment" class="form" method="post">
                    <input type="hidden" name="act" value="cancel"/>
                    <HiddenKey value=form_key/>
                    <Actions><Button tone=ButtonTone::Quiet>{leave}</Button></Actions>
                </form>
            </Card>
        }
        .into_any(),
    )
}

/// The card of an owner: who of the firm is in the class, and the way to enrol more.
pub fn owner_card(cx: &Cx, class: &ClassRow, around: &Around) -> Option<AnyView> {
    let is_owner = cx.viewer.person().is_some_and(|person| !person.owned_organisations().is_empty());
    if class.state.is_over() || !is_owner {
        return None;
    }
    let places = &around.places;
    let many = |state| places.iter().filter(|(of, _)| *of == state).map(|(_, many)| count(*many)).sum::<u64>();
    let (booked, offered, waiting) =
        (many(EnrolmentState::Booked), many(EnrolmentState::Offered), many(EnrolmentState::Waitlisted));
    let text = match places.is_empty() {
        true => w!(cx, groups.card_empty),
        false => {
            w!(cx, groups.card_text, booked = cx.fmt().number(booked as i64), waiting = cx.fmt().number(waiting as i64))
        }
    };
    let held = (offered > 0).then(|| view! { <p><strong>{w!(cx, groups.card_offered, count = offered)}</strong></p> });
    let label = if offered > 0 { w!(cx, groups.card_answer) } else { w!(cx, groups.card_action) };
    let href = format!("{}/group", class.path());
    let tone = if offered > 0 { ButtonTone::Primary } else { ButtonTone::Quiet };
    Some(
        view! {
            <Card title=Some(w!(cx, groups.card_title)) tone=(offered > 0).then_some(Tone::Info)>
                <p>{text}</p>
                {held}
                <Actions><ButtonLink href tone icon=Some(Icon::Users)>{label}</ButtonLink></Actions>
            </Card>
        }
        .into_any(),
    )
}

/// What the trainer sees of groups: seats that still need names, groups in line, and who was passed over.
pub struct Groups {
    parties: Vec<(PartyRow, Vec<PlaceRow>)>,
    skips: Vec<SkipRow>,
}

impl Groups {
    /// The seats without a name that are on offer or wait, each with its firm.
    pub fn unnamed(&self) -> impl Iterator<Item = (&str, &PlaceRow)> {
        let all = self.parties.iter().flat_map(|(party, places)| {
            let firm = party.organisation_name.as_str();
            places.iter().map(move |place| (firm, place))
        });
        all.filter(|(_, place)| place.person_id.is_none() && place.state != EnrolmentState::Booked)
    }
}

pub async fn for_trainer(tx: &mut Tx, class: ClassId) -> Result<Groups, AppError> {
    let parties = groups::of_class(tx, class).await?;
    Ok(Groups { parties, skips: parties::skips(tx, class).await? })
}

pub fn trainer_card(cx: &Cx, class: &ClassRow, groups: &Groups) -> Option<AnyView> {
    let line = |(party, places): &(PartyRow, Vec<PlaceRow>)| {
        let many = |state| places.iter().filter(|place| place.state == state).count() as i64;
        let unnamed = places.iter().filter(|place| place.person_id.is_none()).count() as i64;
        let (booked, waiting) = (many(EnrolmentState::Booked), many(EnrolmentState::Waitlisted));
        let text = w!(
            cx,
            groups.desk_group,
            booked = cx.fmt().number(booked),
            offered = cx.fmt().number(many(EnrolmentState::Offered)),
            waiting = cx.fmt().number(waiting),
            unnamed = cx.fmt().number(unnamed)
        );
        let wish = if party.together { Wish::Together } else { Wish::AsManyAsFit }.in_words(cx.fmt());
        let held = (party.gathered > 0).then(|| {
            let text = w!(cx, groups.gathered, count = count(party.gathered), of = cx.fmt().number(waiting));
            view! { <p class="soft small">{text}</p> }
        });
        let name = party.organisation_name.clone();
        view! { <li class="stack"><p><strong>{name}</strong>" · "{wish}</p><p>{text}</p>{held}</li> }
    };
    let living: Vec<AnyView> =
        groups.parties.iter().filter(|(_, places)| !places.is_empty()).map(|group| line(group).into_any()).collect();
    if living.is_empty() && groups.skips.is_empty() {
        return None;
    }
    let policy = class.policy();
    let until = cx.fmt().date_time(policy.gathers_until(), class.tz());
    let rule = group_words::rule_line(cx.fmt(), &policy, until);
    let skip = |row: &SkipRow| {
        let text = format!("{}: {}", row.organisation_name, group_words::skip(cx.fmt(), class.tz(), &row.skip));
        view! { <li>{text}</li> }
    };
    let skips: Vec<AnyView> = groups.skips.iter().map(|row| skip(row).into_any()).collect();
    let title = w!(cx, groups.passed_over, count = skips.len() as u64);
    let skips = (!skips.is_empty()).then(|| view! { <Fold title><ul class="stack">{skips}</ul></Fold> });
    Some(
        view! {
            <Card title=Some(w!(cx, groups.desk_title))>
                <ul class="plain-list stack" role="list">{living}</ul>
                <p class="soft small">{rule}</p>
                {skips}
            </Card>
        }
        .into_any(),
    )
}
