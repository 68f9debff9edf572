//! What customers see of training: a class, and their own classes.

use super::{
    announce, class_cards, dues, group_page,
    seats::{self, Consent},
    shared::{far, seats_in_words},
    store::{self, Around, ClassRow, MineRow, PlaceHere, Reader, Seen},
    validity, views, words,
};
use crate::{
    access::{Act, Subject},
    calendar::server::feed,
    error::{AppError, Fault, Faults},
    i18n::InWords,
    server::{
        App, Cx,
        form::{Form, Sheet},
        history::{self, Change},
        notice::Notice,
        page::{Frame, PortalTab},
        query::Query,
    },
    training::{
        domain::{ClassState, Cost, EnrolmentState, Policy, Refusal, Validity},
        islands::LiveSeats,
    },
    ui::*,
    values::{ClassId, Cursor, PAGE_ROWS, PublicNumber, Rows},
    w,
};
use axum::{Router, extract::Path, response::Response, routing::get};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

/// The customers' addresses of training.
pub fn routes() -> Router<App> {
    Router::new().route("/training/mine", get(mine).post(change_feed)).route("/training/{class}", get(show).post(act))
}

pub(super) const FRAME: Frame = Frame::Portal(PortalTab::Training);
/// Where a list goes on.
#[derive(Clone, Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    after: String,
}

/// Everything that the page of a class shows.
struct Shown {
    class: ClassRow,
    seen: Seen,
    mine: Option<PlaceHere>,
    cost: Cost,
    around: Around,
    make_up: class_cards::MakeUp,
}

impl Shown {
    fn is_booked(&self) -> bool {
        self.mine.as_ref().is_some_and(|row| row.seat.state == EnrolmentState::Booked)
    }
}

/// Five statements at most, whoever looks: each fetches what belongs together.
async fn load(cx: &Cx, id: ClassId) -> Result<Shown, AppError> {
    let person = cx.person()?;
    let mut tx = cx.db().read().await?;
    let class = store::class(&mut tx, id).await?;
    if class.state == ClassState::Draft {
        return Err(AppError::NotFound);
    }
    let mine = store::place_here(&mut tx, id, person.id, cx.now).await?;
    let seat = mine.as_ref().map(|row| &row.seat);
    let may_enrol = match seat.map(|row| row.state) {
        // Whoever has a seat, or a place in line, is not told what one would cost.
        Some(EnrolmentState::Booked) => false,
        Some(EnrolmentState::Waitlisted) => class.policy().is_frozen(cx.now),
        _ => true,
    };
    let booked = seat.filter(|row| row.state == EnrolmentState::Booked);
    let seen = store::sessions_seen(&mut tx, id, booked.map(|row| row.id)).await?;
    let waits = seat.filter(|row| row.state != EnrolmentState::Booked).map(|row| (row.id, row.party_id));
    let owner = (!person.owned_organisations().is_empty()).then_some(person.id);
    let reader = Reader { person: person.id, may_enrol, owner, waits };
    let around = store::around(&mut tx, &class, reader).await?;
    let cost = match may_enrol {
        true => dues::cost_of(&mut tx, cx.today(), &class, person, &around.products).await?,
        false => Cost::Free,
    };
    let make_up = class_cards::make_up_of(&mut tx, cx, &class, &seen, mine.as_ref()).await?;
    Ok(Shown { class, seen, mine, cost, around, make_up })
}

async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let shown = load(&cx, parse(&id)?).await?;
    Ok(class_page(&cx, &shown, &Sheet::default()))
}

fn class_page(cx: &Cx, shown: &Shown, sheet: &Sheet) -> Response {
    cx.sheet_page(sheet, FRAME, shown.class.title.clone(), || class_view(cx, shown, sheet))
}

fn class_view(cx: &Cx, shown: &Shown, sheet: &Sheet) -> AnyView {
    let class = &shown.class;
    let now = seats_in_words(cx, class.state, class.seats(), &class.policy());
    let live = match class.state {
        ClassState::Open => view! { <LiveSeats class=class.id.to_string() now/> }.into_any(),
        _ => views::stage_badge(cx, class),
    };
    let has_seat = shown.is_booked();
    let ics = format!("{}/calendar.ics", class.path());
    let calendar = (!class.state.is_over()).then(|| {
        let add_to_calendar = w!(cx, training.add_to_calendar);
view! { <ButtonLink href=ics tone=ButtonTone::Quiet icon=Some(Icon::Calendar) download=true>{add_to_calendar}</ButtonLink> }
    });
    let summary = (!class.summary.is_empty()).then(|| view! { <p class="pre">{class.summary.clone()}</p> });
    let facts = vec![
        (w!(cx, training.trainer), class.trainer_name.clone().into_any()),
        (w!(cx, training.venue), views::venue(cx, class, has_seat)),
        (w!(cx, training.language), words::language(&class.language).into_any()),
    ];
    let standing = standing(cx, shown);
    let ticket = super::ticket::card(cx, class, shown.mine.as_ref(), &shown.around.skips, sheet);
    let firm = group_page::owner_card(cx, class, &shown.around);
    let when = Some(w!(cx, training.when));
    let sessions = views::sessions(cx, class, &shown.seen.sessions);
    let about = Some(w!(cx, training.about));
    let behind_group = shown.mine.as_ref().map_or(shown.around.group_waits, |mine| mine.behind_group);
    let policy = policy(cx, class, behind_group);
    let first = class_cards::first(cx, class, shown.mine.as_ref(), &shown.make_up);
    let inside = has_seat && class.state != ClassState::Cancelled;
    let more = class_cards::more(cx, class, &shown.seen, &shown.around.materials, inside, sheet);
    let course_link = class_cards::course_link(cx, class);
    view! {
        <PageHead title=class.title.clone() lead=Some(views::when(cx, class.starts_at, class.tz())) back=Some(("/training".to_owned(), w!(cx, training.back_to_classes)))>
            {live}
        </PageHead>
        {views::faults(cx, sheet, class.tz())}
        <Columns>
            <div class="stack">
                {standing}
                {first}
                {ticket}
                {firm}
                <Card title=when>
                    {sessions}
                    <Actions>{calendar}</Actions>
                </Card>
                {more}
                <Card title=about>{summary}<DefinitionList rows=facts/>{course_link}</Card>
            </div>
            <div class="stack">{policy}</div>
        </Columns>
    }
    .into_any()
}

/// The rules that hold for this class, with its own times.
fn policy(cx: &Cx, class: &ClassRow, behind_group: bool) -> AnyView {
    let percent = cx.fmt().percent(class.pass_percent as f64 / 100.0);
    let rules: Vec<AnyView> =
        views::policy(cx, class, behind_group).into_iter().map(|rule| view! { <li>{rule}</li> }.into_any()).collect();
    let policy_certificate = w!(cx, training.policy_certificate, percent = percent);
    let ask = w!(cx, planning.ask_link);
    let href = format!("/training/ask/{}", class.course_id);
    view! {
        <Card title=Some(w!(cx, training.policy))>
            <ul class="stack">
                {rules}
                <li>{policy_certificate}</li>
            </ul>
            <Actions><ButtonLink href=href tone=ButtonTone::Quiet icon=Some(Icon::Calendar)>{ask}</ButtonLink></Actions>
        </Card>
    }
    .into_any()
}

/// Where the reader stands, and the one thing that they can do about it.
fn standing(cx: &Cx, shown: &Shown) -> AnyView {
    let (class, rules) = (&shown.class, shown.class.policy());
    let closed = match class.state {
        ClassState::Cancelled => Some((Tone::Bad, w!(cx, training.class_cancelled_text))),
        ClassState::Completed => Some((Tone::Plain, w!(cx, training.class_over_text))),
        _ => None,
    };
    if let Some((tone, text)) = closed {
        let why = class.why_cancelled.clone().map(|why| view! { <p class="pre">{why}</p> });
        return view! { <Alert tone><p>{text}</p>{why}</Alert> }.into_any();
    }
    // Once the line is closed a free seat is for whoever takes it, group or not.
    let answers = group_page::answers(shown.mine.as_ref()) && !(rules.is_frozen(cx.now) && class.seats().free() > 0);
    match shown.mine.as_ref().map(|row| (row.seat.state, row)) {
        Some((EnrolmentState::Booked, _)) => booked(cx, &rules),
        Some((_, mine)) if answers => group_page::member_card(cx, class, mine, &shown.around).into_any(),
        Some((EnrolmentState::Offered, mine)) => offered(cx, shown, mine),
        Some((EnrolmentState::Waitlisted, mine)) => waiting(cx, shown, mine),
        _ if rules.has_started(cx.now) || class.state != ClassState::Open => {
            let you_started = w!(cx, training.you_started);
            view! { <Alert tone=Tone::Info><p>{you_started}</p></Alert> }.into_any()
        }
        _ => match rules.window.check(cx.now) {
            Ok(()) => enrol_form(cx, shown),
            Err(refusal) => {
                let text = words::refusal(cx.fmt(), class.tz(), &refusal);
                view! { <Alert tone=Tone::Info><p>{text}</p></Alert> }.into_any()
            }
        },
    }
}

fn booked(cx: &Cx, rules: &Policy) -> AnyView {
    let cancel = if rules.has_started(cx.now) {
        view! { <p>{w!(cx, training.you_started)}</p> }.into_any()
    } else {
        let late = rules.late_costs(cx.now).then(|| view! { <p>{w!(cx, training.late_warning)}</p> });
        let cancel_seat = w!(cx, training.cancel_seat);
        view! {
            {late}
            <form id="cancel-enrolment" class="form" method="post">
                <input type="hidden" name="act" value="cancel"/>
                <HiddenKey value=key()/>
                <Actions><Button tone=ButtonTone::Danger>{cancel_seat}</Button></Actions>
            </form>
        }
        .into_any()
    };
    let you_booked = w!(cx, training.you_booked);
    view! {
        <Card tone=Some(Tone::Good)>
            <p><strong>{you_booked}</strong></p>
            {cancel}
        </Card>
    }
    .into_any()
}

fn offered(cx: &Cx, shown: &Shown, mine: &PlaceHere) -> AnyView {
    let class = &shown.class;
    let until = mine.seat.offered_until.unwrap_or(cx.now);
    let until =
        w!(cx, training.time_in_zone, time = cx.fmt().date_time(until, class.tz()), zone = words::zone(class.tz()));
    let accept = match &shown.cost {
        Cost::Pays { price, .. } => w!(cx, training.accept_paid, price = cx.fmt().money(*price)),
        _ => w!(cx, training.accept),
    };
    let you_offered = w!(cx, training.you_offered, until = until);
    let cost = views::cost(cx, &shown.cost);
    let agreed = shown.cost.minor().to_string();
    let form_key = key();
    let second_key = key();
    let decline = w!(cx, training.decline);
    view! {
        <Card tone=Some(Tone::Info)>
            <p><strong>{you_offered}</strong></p>
            {cost}
            <form id="accept-offer" class="form" method="post">
                <input type="hidden" name="act" value="accept"/>
                <input type="hidden" name="agreed" value=agreed/>
                <HiddenKey value=form_key/>
                <Actions><Button icon=Some(Icon::Check)>{accept}</Button></Actions>
            </form>
            <form id="decline-offer" class="form" method="post">
                <input type="hidden" name="act" value="decline"/>
                <HiddenKey value=second_key/>
                <Actions><Button tone=ButtonTone::Quiet>{decline}</Button></Actions>
            </form>
        </Card>
    }
    .into_any()
}

fn waiting(cx: &Cx, shown: &Shown, mine: &PlaceHere) -> AnyView {
    let class = &shown.class;
    let position = cx.fmt().number(mine.position.unwrap_or(1));
    // Once the line is closed a free seat is for whoever takes it, so for those who wait too.
    let take = class.policy().is_frozen(cx.now).then(|| enrol_form(cx, shown));
    let you_waitlisted = w!(cx, training.you_waitlisted, position = position);
    let form_key = key();
    let leave_waitlist = w!(cx, training.leave_waitlist);
    view! {
        <Card tone=Some(Tone::Warn)>
            <p><strong>{you_waitlisted}</strong></p>
            <form id="cancel-enrolment" class="form" method="post">
                <input type="hidden" name="act" value="cancel"/>
                <HiddenKey value=form_key/>
                <Actions><Button tone=ButtonTone::Quiet>{leave_waitlist}</Button></Actions>
            </form>
        </Card>
        {take}
    }
    .into_any()
}

/// That the line is closed, and what that means for a seat that becomes free.
fn line_closed(cx: &Cx, class: &ClassRow) -> AnyView {
    let closed = Refusal::LineClosed { at: class.policy().freezes_at() };
    let text = words::refusal(cx.fmt(), class.tz(), &closed);
    view! { <Alert tone=Tone::Info><p>{text}</p></Alert> }.into_any()
}

fn enrol_form(cx: &Cx, shown: &Shown) -> AnyView {
    let class = &shown.class;
    let free = class.seats().bookable(&class.policy(), cx.now) > 0;
    if !free && class.policy().is_frozen(cx.now) {
        return line_closed(cx, class);
    }
    let label = match (&shown.cost, free) {
        (_, false) => w!(cx, training.join_waitlist),
        (Cost::Pays { price, .. }, true) => w!(cx, training.enrol_paid, price = cx.fmt().money(*price)),
        (_, true) => w!(cx, training.enrol),
    };
    let full = (!free).then(|| view! { <p>{w!(cx, training.full_text)}</p> });
    let closes = views::window_news(cx, class.stage(cx.now), class.rules.window(), class.tz())
        .map(|text| view! { <p><strong>{text}</strong></p> });
    // Whoever has a place in line was told when they took it.
    let warning = shown.mine.is_none().then(|| class_cards::warning(cx, class, &shown.around.missing));
    let cost = views::cost(cx, &shown.cost);
    let agreed = shown.cost.minor().to_string();
    let form_key = key();
    view! {
        <Card title=Some(w!(cx, training.what_it_costs))>
            {cost}
            {full}
            {closes}
            {warning}
            <form id="enrol" class="form" method="post">
                <input type="hidden" name="act" value="enrol"/>
                <input type="hidden" name="agreed" value=agreed/>
                <HiddenKey value=form_key/>
                <Actions><Button icon=Some(Icon::Check)>{label}</Button></Actions>
            </form>
        </Card>
    }
    .into_any()
}

/// A fresh key for a form that creates or ends something.
pub fn key() -> String {
    crate::server::fresh::<Uuid>().to_string()
}

async fn act(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let id = parse(&id)?;
    match run(&cx, id, &form).await {
        Ok(notice) => Ok(cx.redirect(&format!("/training/{id}"), Some(notice))),
        Err(error) => {
            let sheet = Sheet::again(form, error)?;
            Ok(class_page(&cx, &load(&cx, id).await?, &sheet))
        }
    }
}

async fn run(cx: &Cx, id: ClassId, form: &Form) -> Result<Notice, AppError> {
    let mut faults = Faults::default();
    let agreed_minor = form.optional::<i64>("agreed", &mut faults, Fault::NotAnAmount);
    faults.check()?;
    // Who says nothing of a price has agreed to none.
    let consent = Consent { agreed_minor: Some(agreed_minor.unwrap_or(0)), key: form.key() };
    let place = match form.text("act") {
        "accept" => seats::accept(cx, id, consent).await?,
        "decline" => {
            seats::decline(cx, id, consent).await?;
            return Ok(Notice::OfferDeclined);
        }
        "cancel" => {
            let place = seats::cancel(cx, id, consent).await?;
            let costs = place.state == EnrolmentState::CancelledLate
                && store::class(&mut cx.db().read().await?, id).await?.policy().late_costs(cx.now);
            return Ok(if costs { Notice::EnrolmentCancelledLate } else { Notice::EnrolmentCancelled });
        }
        "announce" | "withdraw" => return announce::act(cx, id, form).await,
        "wish" => return super::ticket::say(cx, id, form).await.map(|()| Notice::WishSaid),
        "" | "enrol" => seats::enrol(cx, id, consent).await?,
        _ => return Err(Faults::only("act", Fault::NotAChoice)),
    };
    Ok(match place.state {
        EnrolmentState::Waitlisted => Notice::Waitlisted,
        EnrolmentState::Offered => Notice::SeatHeld,
        _ => Notice::Enrolled,
    })
}

async fn mine(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let person = cx.person()?.id;
    let mut tx = cx.db().read().await?;
    let after = position(&asked.after);
    let coming = if after.is_none() { store::mine_coming(&mut tx, person, cx.now).await? } else { Vec::new() };
    let rows = store::mine_past(&mut tx, person, cx.now, after.unwrap_or((far(), Uuid::max())), PAGE_ROWS).await?;
    let past = Rows::cut(rows, |row| cursor(row.created_at, row.enrolment_id.0));
    let feed = feed::address(&mut tx, &cx, person).await?.map(|path| cx.app.config.address(&path));
    let make_ups = store::make_ups_coming(&mut tx, person, cx.now).await?;
    drop(tx);
    Ok(cx.page(FRAME, w!(cx, training.mine_title), || mine_view(&cx, &coming, &make_ups, &past, feed)))
}

fn mine_view(
    cx: &Cx,
    coming: &[MineRow],
    make_ups: &[store::MakeUpRow],
    past: &Rows<MineRow>,
    feed: Option<String>,
) -> AnyView {
    let list = |rows: &[MineRow]| {
        let cards = rows.iter().map(|row| mine_card(cx, row)).collect_view();
        view! { <Cards>{cards}</Cards> }
    };
    let nothing = (coming.is_empty() && past.rows.is_empty()).then(|| {
        let mine_find = w!(cx, training.mine_find);
        view! {
            <Empty icon=Icon::Cap title=w!(cx, training.mine_empty_title) text=Some(w!(cx, training.mine_empty_text))>
                <ButtonLink href="/training">{mine_find}</ButtonLink>
            </Empty>
        }
    });
    let coming = (!coming.is_empty()).then(|| {
        let list_2 = list(coming);
        view! { <Section title=w!(cx, training.mine_coming)>{list_2}</Section> }
    });
    let next = past.next.as_ref().map(|next| {
        view! { <Pager href=format!("/training/mine?after={}", next.encode()) label=w!(cx, shell.more)/> }
    });
    let past = (!past.rows.is_empty()).then(|| {
        let list_2 = list(&past.rows);
        view! { <Section title=w!(cx, training.mine_past)>{list_2}</Section> }
    });
    view! {
        <PageHead title=w!(cx, training.mine_title) back=Some(("/training".to_owned(), w!(cx, training.title)))/>
        {nothing}
        {coming}
        {views::make_ups(cx, make_ups)}
        {past}
        {next}
        {feed_card(cx, feed)}
    }
    .into_any()
}

fn mine_card(cx: &Cx, row: &MineRow) -> AnyView {
    let time = views::when(cx, row.next(), row.tz());
    let place = if row.place.is_empty() { w!(cx, training.online) } else { row.place.clone() };
    let badge = words::place_badge(cx.fmt(), row, cx.now);
    let certificate = row.certificate.clone().and_then(|code| code.parse::<PublicNumber>().ok());
    match certificate {
        Some(code) => {
            let today = cx.now.with_timezone(&row.tz()).date_naive();
            let badge = validity::said(cx.fmt(), Validity::of(row.last_valid_on, today))
                .unwrap_or((Tone::Good, ClassState::Completed.in_words(cx.fmt())));
            view! {
                <CardLink href=format!("/certificates/{code}") title=row.title.clone() icon=Some(Icon::Document) text=Some(time)
                    note=Some(w!(cx, training.certificate)) badge=Some(badge)/>
            }
            .into_any()
        }
        None => view! {
            <CardLink href=row.path() title=row.title.clone() icon=Some(Icon::Cap) text=Some(time) note=Some(place) badge=Some(badge)/>
        }
        .into_any(),
    }
}

fn feed_card(cx: &Cx, feed: Option<String>) -> AnyView {
    let body = match feed {
        Some(address) => {
            let feed_renew = w!(cx, training.feed_renew);
            let feed_revoke = w!(cx, training.feed_revoke);
            view! {
            <Field name="feed" label=w!(cx, training.feed_address) value=address readonly=true hint=Some(w!(cx, training.feed_renew_text))/>
            <Actions>
                <Button tone=ButtonTone::Quiet name="act" value="renew".to_owned()>{feed_renew}</Button>
                <Button tone=ButtonTone::Quiet name="act" value="revoke".to_owned()>{feed_revoke}</Button>
            </Actions>
        }.into_any()
        }
        None => {
            let feed_create = w!(cx, training.feed_create);
            view! {
            <Actions><Button tone=ButtonTone::Quiet name="act" value="renew".to_owned() icon=Some(Icon::Calendar)>{feed_create}</Button></Actions>
        }.into_any()
        }
    };
    let feed_text = w!(cx, training.feed_text);
    view! {
        <Card title=Some(w!(cx, training.feed_title))>
            <p class="soft">{feed_text}</p>
            <form id="calendar-feed" class="form" method="post" action="/training/mine">{body}</form>
        </Card>
    }
    .into_any()
}

async fn change_feed(cx: Cx, form: Form) -> Result<Response, AppError> {
    let person = cx.person()?.id;
    let permit = cx.may(Act::ChangeFeed, &Subject::of(person))?;
    let revoke = form.text("act") == "revoke";
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                match revoke {
                    true => feed::revoke(tx, &permit, person).await?,
                    false => feed::replace(tx, &cx, &permit, person).await?,
                }
                let to = Some(if revoke { "revoked" } else { "made" });
                let change =
                    Change { entity: "calendar_feed", id: person.0, customer: Some(person), to, ..Change::default() };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await?;
    Ok(cx.redirect("/training/mine", Some(Notice::CalendarChanged)))
}

/// An address that is no class is no page.
pub fn parse<T: std::str::FromStr>(id: &str) -> Result<T, AppError> {
    id.parse().map_err(|_| AppError::NotFound)
}

/// Where a list goes on, as its address says it.
pub fn position(after: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let cursor = Cursor::decode(after)?;
    Some((DateTime::from_timestamp_micros(cursor.key.parse().ok()?)?, cursor.id))
}

/// The place of a row in a list by time.
pub fn cursor(at: DateTime<Utc>, id: Uuid) -> Cursor {
    Cursor { key: at.timestamp_micros().to_string(), id }
}
