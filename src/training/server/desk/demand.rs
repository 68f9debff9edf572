//! `/desk/demand`: who asks for which class, and when most of them can come.

use super::{
    FRAME,
    fields::{self, Choices},
    forms,
};
use crate::{
    access::{Act, Subject},
    calendar::{
        domain::LocalSpan,
        search::{Best, Weekly},
        server::zone,
    },
    error::{AppError, Fault, Faults},
    i18n::InWords,
    server::{
        Cx,
        form::{Form, Sheet},
        notice::Notice,
    },
    training::{
        domain::wish,
        server::{
            asks::{self, Sought},
            conflicts::Needs,
            plan::{Draft, Extras},
            portal::{key, parse},
            rules,
            shared::count,
            store::{self, CourseRow, RoomRow, WishRow},
            views, words,
        },
    },
    ui::*,
    values::{CourseId, RoomId},
    w,
};
use axum::{
    extract::{Path, RawQuery},
    response::Response,
};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use chrono_tz::Tz;
use leptos::prelude::*;

/// Everything that is asked for, course by course, most asked for first.
pub async fn board(cx: Cx) -> Result<Response, AppError> {
    cx.may(Act::ReadDemand, &Subject::nobody())?;
    let rows = store::wishes(&mut cx.db().read().await?).await?;
    let mut courses: Vec<&[WishRow]> = rows.chunk_by(|a, b| a.course_id == b.course_id).collect();
    courses.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    let title = w!(cx, planning.demand);
    Ok(cx.page(FRAME, title.clone(), || {
        let cards: Vec<AnyView> = courses
            .iter()
            .filter_map(|rows| {
                let first = rows.first()?;
                let names = rows.iter().take(5).map(|row| row.person_name.clone()).collect::<Vec<_>>().join(", ");
                let badge = Some((Tone::Info, w!(cx, planning.askers, count = rows.len() as u64)));
                let href = format!("/desk/demand/{}", first.course_id);
                let title = first.course_title.clone();
                Some(view! { <CardLink href title icon=Some(Icon::Cap) text=Some(names) badge/> }.into_any())
            })
            .collect();
        let list = if cards.is_empty() {
            let text = Some(w!(cx, planning.demand_empty_text));
            view! { <Empty icon=Icon::Cap title=w!(cx, planning.demand_empty) text/> }.into_any()
        } else {
            view! { <Cards>{cards}</Cards> }.into_any()
        };
        view! {
            <PageHead title=title lead=Some(w!(cx, planning.demand_lead)) back=Some(("/desk/classes".to_owned(), w!(cx, training.desk_title)))/>
            {list}
        }
    }))
}

/// A course with those who ask for it.
struct Shown {
    course: CourseRow,
    wishes: Vec<WishRow>,
    choices: Choices,
}

async fn load(cx: &Cx, id: CourseId) -> Result<Shown, AppError> {
    cx.may(Act::ReadDemand, &Subject::nobody())?;
    let mut tx = cx.db().read().await?;
    let course = store::course(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let wishes = store::wishes_of_course(&mut tx, id).await?;
    let choices = Choices::load(&mut tx).await?;
    Ok(Shown { course, wishes, choices })
}

/// When most can come: to the class that the form says, or at first to the one that most would plan.
pub async fn course(cx: Cx, Path(id): Path<String>, RawQuery(raw): RawQuery) -> Result<Response, AppError> {
    let shown = load(&cx, parse(&id)?).await?;
    let raw = raw.unwrap_or_default();
    let asked = Form::new(url::form_urlencoded::parse(raw.as_bytes()).into_owned().collect());
    let first = asked.text("capacity").is_empty();
    let form = if first { begun(&cx, &shown).await? } else { asked };
    match best(&cx, &shown, &form).await {
        Ok(found) => Ok(page(&cx, &shown, &fresh(form)?, Some(found))),
        // Nobody has typed anything yet that could be wrong.
        Err(AppError::Invalid(_)) if first => Ok(page(&cx, &shown, &fresh(form)?, None)),
        Err(error) => Ok(page(&cx, &shown, &Sheet::again(form, error)?, None)),
    }
}

/// A form without anything wrong.
fn fresh(form: Form) -> Result<Sheet, AppError> {
    Sheet::again(form, AppError::Invalid(Faults::default()))
}

/// The reader as the trainer, in the town that most ask for, in as many sessions as the course usually has.
async fn begun(cx: &Cx, shown: &Shown) -> Result<Form, AppError> {
    let mut tx = cx.db().read().await?;
    let rules = rules::read(&mut tx).await?;
    let most = i64::try_from(forms::SESSIONS).unwrap_or(i64::MAX);
    let sessions = store::usual_sessions(&mut tx, shown.course.id).await?.min(most);
    drop(tx);
    let me = cx.person()?.id;
    let trainers = &shown.choices.trainers;
    let trainer = trainers.iter().find(|(id, _)| *id == me).or(trainers.first());
    let asks = |room: &&RoomRow| shown.wishes.iter().filter(|row| row.place == room.place).count();
    // Of equals the first of the list.
    let room = shown.choices.rooms.iter().rev().max_by_key(asks);
    Ok(Form::of(&[
        ("trainer", &trainer.map(|(id, _)| id.to_string()).unwrap_or_default()),
        ("language", &shown.course.language),
        ("minutes", "120"),
        ("sessions", &sessions.to_string()),
        ("room", &room.map(|row| row.id.to_string()).unwrap_or_default()),
        ("capacity", &room.map_or(12, |row| row.capacity.min(12)).to_string()),
        ("price", "0"),
        ("cut_off_hours", &rules.cut_off_hours.to_string()),
    ]))
}

/// What the form says of the class, without its time.
struct Terms {
    draft: Draft,
    extras: Extras,
    minutes: i64,
    sessions: i64,
    zone: Tz,
}

fn read(cx: &Cx, shown: &Shown, form: &Form) -> Result<Terms, AppError> {
    let mut faults = Faults::default();
    let trainer = form.parse("trainer", &mut faults, Fault::NotAChoice);
    let trainer = trainer.filter(|id| {
        let own = cx.viewer.can(Act::EditClass, &Subject::nobody().assigned_to(Some(*id)));
        own && shown.choices.trainers.iter().any(|(known, _)| known == id)
    });
    if trainer.is_none() {
        faults.add("trainer", Fault::NotAChoice);
    }
    let language = forms::language(form, &mut faults);
    let minutes = form.parse::<i64>("minutes", &mut faults, Fault::NotANumber);
    let minutes = forms::within(minutes, "minutes", 15, 10 * 60, &mut faults);
    let most = i64::try_from(forms::SESSIONS).unwrap_or(i64::MAX);
    let sessions = forms::number_or(form, "sessions", 1, &mut faults);
    let sessions = forms::within(sessions, "sessions", 1, most, &mut faults);
    let assistants = forms::many(form, "assistants", &mut faults);
    let equipment = forms::many(form, "equipment", &mut faults);
    let (room, link) = forms::place(form, &mut faults);
    let capacity = forms::capacity(form, &mut faults);
    let price = forms::price(cx, form, &mut faults);
    let cut_off_hours = forms::cut_off(form, &mut faults);
    let zone = zone_of(cx, shown, room);
    let (Some(trainer), Some(minutes), Some(sessions), Some(capacity), Some(price), Some(cut_off_hours)) =
        (trainer, minutes, sessions, capacity, price, cut_off_hours)
    else {
        return Err(AppError::Invalid(faults));
    };
    faults.check()?;
    let draft = Draft {
        course: shown.course.id,
        trainer,
        title: shown.course.title.clone(),
        language,
        zone,
        sessions: Vec::new(),
        room,
        link,
        capacity,
        price,
        cut_off_hours,
    };
    let extras = Extras { assistants, equipment, ..Extras::default() };
    Ok(Terms { draft, extras, minutes, sessions, zone })
}

fn zone_of(cx: &Cx, shown: &Shown, room: Option<RoomId>) -> Tz {
    let room = shown.choices.rooms.iter().find(|row| Some(row.id) == room);
    room.map_or(cx.company_zone(), |row| zone::named(&row.zone))
}

/// The times that suit most, with the zone that they are said in.
struct Found {
    best: Vec<Best>,
    zone: Tz,
}

async fn best(cx: &Cx, shown: &Shown, form: &Form) -> Result<Found, AppError> {
    let terms = read(cx, shown, form)?;
    let mut tx = cx.db().read().await?;
    let Extras { assistants, equipment, .. } = &terms.extras;
    let needs = Needs::load(&mut tx, terms.draft.trainer, terms.draft.room, None, assistants, equipment).await?;
    let sought = Sought {
        course: shown.course.id,
        needs: &needs,
        link: terms.draft.link.is_some(),
        language: &terms.draft.language,
        zone: terms.zone,
        minutes: terms.minutes,
        sessions: terms.sessions,
    };
    Ok(Found { best: asks::best_times(&mut tx, cx, &sought, &shown.wishes).await?, zone: terms.zone })
}

/// One tap: the class, its seats held, its offers on their way.
pub async fn open(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    let shown = load(&cx, parse(&id)?).await?;
    match opened(&cx, &shown, &form).await {
        Ok(class) => Ok(cx.redirect(&format!("/desk/classes/{class}"), Some(Notice::ClassOpenedForAskers))),
        Err(error) => {
            let found = best(&cx, &shown, &form).await.ok();
            Ok(page(&cx, &shown, &Sheet::again(form, error)?, found))
        }
    }
}

async fn opened(cx: &Cx, shown: &Shown, form: &Form) -> Result<crate::values::ClassId, AppError> {
    let terms = read(cx, shown, form)?;
    let from = form.text("at").parse::<DateTime<Utc>>().map_err(|_| Faults::only("at", Fault::NotATime))?;
    let far = cx.now + Duration::days(5 * 366);
    let first = from.with_timezone(&terms.zone).naive_local();
    let first = LocalSpan { from: first, until: first + Duration::minutes(terms.minutes) };
    let clock = |local: NaiveDateTime| zone::instant(terms.zone, local.date(), local.time());
    let spans = Weekly { sessions: terms.sessions, clock: &clock }.spans(&first).filter(|_| from < far);
    let sessions = spans.ok_or_else(|| Faults::only("at", Fault::NotATime))?;
    asks::open_for(cx, Draft { sessions, ..terms.draft }, terms.extras, form.key()).await
}

fn page(cx: &Cx, shown: &Shown, sheet: &Sheet, found: Option<Found>) -> Response {
    let title = shown.course.title.clone();
    let tz = cx.company_zone();
    cx.sheet_page(sheet, FRAME, title.clone(), || {
        let action = format!("/desk/demand/{}", shown.course.id);
        let people: Vec<AnyView> = shown.wishes.iter().map(|row| asker(cx, row)).collect();
        let found = found.map(|found| times(cx, &action, sheet, &found));
        let trainers = shown.choices.trainers.iter().map(|(id, name)| (id.to_string(), name.clone())).collect();
        let find = w!(cx, planning.find_times);
        let helpers = fields::helpers(cx, &shown.choices, sheet);
        let helped = ["assistants", "equipment"].iter().any(|name| !sheet.value(name).is_empty());
        let askers = w!(cx, planning.askers, count = shown.wishes.len() as u64);
        let form = view! {
            <form id="find-times" class="form" method="get" action=action>
                <div class="fields">
                    <Select name="trainer" label=w!(cx, training.trainer) options=trainers value=sheet.value("trainer") fault=cx.fault(sheet, "trainer")/>
                    {fields::language(cx, sheet)}
                    <Field name="minutes" label=w!(cx, planning.length) kind="number" value=sheet.value("minutes") fault=cx.fault(sheet, "minutes")
                        inputmode="numeric" min=Some("15".to_owned()) max=Some("600".to_owned()) required=true/>
                    <Field name="sessions" label=w!(cx, planning.sessions_number) kind="number" value=sheet.value("sessions")
                        fault=cx.fault(sheet, "sessions") inputmode="numeric" min=Some("1".to_owned())
                        max=Some(forms::SESSIONS.to_string()) hint=Some(w!(cx, planning.sessions_weekly))/>
                </div>
                {fields::terms(cx, &shown.choices.rooms, sheet)}
                <Fold title=w!(cx, planning.more_people) open=helped>{helpers}</Fold>
                <Actions><Button icon=Some(Icon::Search)>{find}</Button></Actions>
            </form>
        };
        view! {
            <PageHead title=title lead=Some(askers) back=Some(("/desk/demand".to_owned(), w!(cx, planning.demand)))/>
            {views::faults(cx, sheet, tz)}
            {found}
            <Section title=w!(cx, planning.find_title)>{form}</Section>
            <Section title=w!(cx, planning.who_asks)><ul class="plain-list stack" role="list">{people}</ul></Section>
        }
    })
}

fn asker(cx: &Cx, row: &WishRow) -> AnyView {
    let times = row.times().0.iter().map(|slot| slot.in_words(cx.fmt())).collect::<Vec<_>>().join(" · ");
    let place = match row.place.as_str() {
        wish::ANYWHERE => w!(cx, training.any_place),
        wish::ONLINE => w!(cx, training.online),
        town => town.to_owned(),
    };
    let language = match row.language.as_str() {
        "" => w!(cx, training.any_language),
        code => words::language(code),
    };
    view! {
        <li class="card stack">
            <p><strong>{row.person_name.clone()}</strong></p>
            <p>{times}</p>
            <p class="soft small">{place}" · "{language}</p>
        </li>
    }
    .into_any()
}

/// Each time is a form of one button that opens the class there.
fn times(cx: &Cx, action: &str, sheet: &Sheet, found: &Found) -> AnyView {
    const KEPT: [&str; 11] = [
        "trainer",
        "language",
        "minutes",
        "sessions",
        "room",
        "link",
        "capacity",
        "price",
        "cut_off_hours",
        "assistants",
        "equipment",
    ];
    let rows: Vec<AnyView> = found
        .best
        .iter()
        .map(|one| {
            let fields: Vec<AnyView> = KEPT
                .iter()
                .flat_map(|name| sheet.values(name).into_iter().map(move |value| (*name, value.to_owned())))
                .map(|(name, value)| view! { <input type="hidden" name=name value=value/> }.into_any())
                .collect();
            let from = one.spans.first().map(|span| span.from).unwrap_or_default();
            let time = cx.fmt().date_time(from, found.zone);
            let last = one.spans.iter().skip(1).next_back().map(|span| {
                let date = cx.fmt().date(span.from.with_timezone(&found.zone).date_naive());
                view! { <p class="soft small">{w!(cx, planning.last_session, date = date)}</p> }
            });
            let zone = words::zone(found.zone);
            let many = w!(cx, planning.can_come, count = count(i64::try_from(one.askers.len()).unwrap_or(0)));
            let open = w!(cx, planning.open_now);
            view! {
                <li class="card stack">
                    <p class="row"><strong>{time.clone()}</strong><span class="soft">{zone}</span></p>
                    {last}
                    <p>{many}</p>
                    <form method="post" action=action.to_owned() aria-label=time>
                        {fields}
                        <input type="hidden" name="at" value=from.to_rfc3339()/>
                        <HiddenKey value=key()/>
                        <Actions><Button icon=Some(Icon::Check)>{open}</Button></Actions>
                    </form>
                </li>
            }
            .into_any()
        })
        .collect();
    let none = rows.is_empty().then(|| view! { <p class="soft">{w!(cx, planning.no_time)}</p> });
    let text = w!(cx, planning.open_text);
    view! {
        <Section title=w!(cx, planning.best_times)>
            <p>{text}</p>
            {none}
            <ul class="plain-list stack" role="list" id="best-times">{rows}</ul>
        </Section>
    }
    .into_any()
}
