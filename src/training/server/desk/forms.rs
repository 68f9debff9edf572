//! What the trainer's forms say, parsed at the edge.

use crate::{
    access::Role,
    calendar::{
        domain::{LocalSpan, Span},
        server::zone,
    },
    error::{AppError, Fault, Faults},
    server::{Cx, form::Form},
    training::{
        domain::{Level, Refusal, Window, schedule},
        server::{
            change::{Edit, Rest},
            plan::{Draft, Extras},
            store::{CourseRow, RoomRow, SessionRow},
        },
    },
    values::{ClassSessionId, CourseId, Money, PersonId, RoomId},
};
use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;

/// Most sessions that one form plans.
pub const SESSIONS: usize = 8;
/// Longest series.
const REPEATS: i64 = 26;
/// How many days ahead a class can be planned.
const AHEAD: u64 = 5 * 366;
/// Longest title.
const TITLE: u32 = 120;

/// A class, or a series of it, as the form of a new class has it.
#[derive(Clone, Debug)]
pub struct Planned {
    pub zone: Tz,
    /// The sessions of every class of the series on the wall clock.
    pub local: Vec<Vec<LocalSpan>>,
    pub series: Vec<Draft>,
    pub extras: Extras,
    /// Open for enrolment at once.
    pub open: bool,
}

/// The zone of the room that a form chooses, whose clock counts whatever else was chosen.
pub fn zone_there(form: &Form, rooms: &[RoomRow]) -> Option<Tz> {
    let id = form.text("room").parse::<RoomId>().ok()?;
    rooms.iter().find(|row| row.id == id).map(|row| zone::named(&row.zone))
}

/// Reads the form of a new class in one of these rooms, its sessions so many minutes later than they were typed.
pub fn planned(cx: &Cx, form: &Form, shift: i64, rooms: &[RoomRow]) -> Result<Planned, AppError> {
    let mut faults = Faults::default();
    let course = form.parse::<CourseId>("course", &mut faults, Fault::NotAChoice);
    let title = form.words("title", TITLE, &mut faults);
    let language = language(form, &mut faults);
    let zone = zone_there(form, rooms).or_else(|| form.parse::<Tz>("zone", &mut faults, Fault::NotAChoice));
    let times = times(cx, form, None, &mut faults);
    let every = within(number_or(form, "every", 1, &mut faults), "every", 1, 52, &mut faults);
    let repeats = within(number_or(form, "repeats", 1, &mut faults), "repeats", 1, REPEATS, &mut faults);
    let (room, link) = place(form, &mut faults);
    let capacity = capacity(form, &mut faults);
    let price = price(cx, form, &mut faults);
    let cut_off_hours = cut_off(form, &mut faults);
    let trainer = trainer(cx, form, &mut faults)?;
    let (assistants, equipment) = (many(form, "assistants", &mut faults), many(form, "equipment", &mut faults));
    let window = zone.map(|zone| window(form, zone, &mut faults)).unwrap_or_default();
    let (Some(course), Some(zone), Some(capacity), Some(price), Some(cut_off_hours), Some(trainer)) =
        (course, zone, capacity, price, cut_off_hours, trainer)
    else {
        return Err(AppError::Invalid(faults));
    };
    faults.check()?;
    let typed: Vec<LocalSpan> = times.iter().map(|time| time.local.later(Duration::minutes(shift))).collect();
    let local = schedule::repeat(&typed, every.unwrap_or(1), repeats.unwrap_or(1));
    let mut series = Vec::new();
    for sessions in &local {
        let sessions = sessions.iter().map(|one| span(*one, zone)).collect::<Result<Vec<Span>, AppError>>()?;
        let (title, language, link) = (title.clone(), language.clone(), link.clone());
        series.push(Draft {
            course,
            trainer,
            title,
            language,
            zone,
            sessions,
            room,
            link,
            capacity,
            price,
            cut_off_hours,
        });
    }
    let extras = Extras { assistants, equipment, window };
    Ok(Planned { zone, local, series, extras, open: form.text("then") == "open" })
}

/// Reads the form that changes a class with these sessions, its coming ones so many minutes later than they were typed.
/// What has begun stays on the clock that it `was` on, everything else is on that of where the class is to be. What the
/// form leaves out stays as it is.
pub fn edit(
    cx: &Cx,
    form: &Form,
    sessions: &[SessionRow],
    (was, zone): (Tz, Tz),
    shift: i64,
) -> Result<(Edit, Rest), AppError> {
    let mut faults = Faults::default();
    let version = form.parse::<i64>("version", &mut faults, Fault::NotANumber);
    let title = form.words("title", TITLE, &mut faults);
    let (room, link) = place(form, &mut faults);
    let capacity = capacity(form, &mut faults);
    let price = price(cx, form, &mut faults);
    let cut_off_hours = cut_off(form, &mut faults);
    let has = |name: &str| !form.all(name).is_empty();
    let times = has("date_1").then(|| times(cx, form, Some((sessions, was)), &mut faults));
    let whole = has("whole");
    let rest = Rest {
        language: has("language").then(|| language(form, &mut faults)),
        trainer: form.optional("trainer", &mut faults, Fault::NotAChoice),
        sessions: None,
        assistants: whole.then(|| many(form, "assistants", &mut faults)),
        equipment: whole.then(|| many(form, "equipment", &mut faults)),
        window: whole.then(|| window(form, zone, &mut faults)),
        known_clashes: many(form, "clash", &mut faults),
    };
    let (Some(version), Some(capacity), Some(price), Some(cut_off_hours)) = (version, capacity, price, cut_off_hours)
    else {
        return Err(AppError::Invalid(faults));
    };
    faults.check()?;
    let sessions = match times {
        Some(times) => Some(
            times
                .into_iter()
                .map(|time| {
                    // On the old clock a time may not exist that the new one has.
                    let begun = span(time.local, was).ok().filter(|span| time.session.is_some() && span.from <= cx.now);
                    let typed = begun.map_or_else(|| span(time.local, zone), Ok)?;
                    let later = time.local.later(Duration::minutes(shift));
                    Ok((time.session, if typed.from > cx.now { span(later, zone)? } else { typed }))
                })
                .collect::<Result<Vec<_>, AppError>>()?,
        ),
        None => None,
    };
    Ok((Edit { version, title, room, link, capacity, price, cut_off_hours }, Rest { sessions, ..rest }))
}

/// Reads the form of a new course.
pub fn course(form: &Form) -> Result<(CourseRow, Level), AppError> {
    let mut faults = Faults::default();
    let title = form.words("title", TITLE, &mut faults);
    let summary = form.text("summary").replace("\r\n", "\n");
    if summary.chars().count() > 2000 {
        faults.add("summary", Fault::TooLong { max: 2000 });
    }
    let language = language(form, &mut faults);
    let level = form.optional::<Level>("level", &mut faults, Fault::NotAChoice).unwrap_or(Level::Beginner);
    let percent = form.parse::<i64>("pass_percent", &mut faults, Fault::NotANumber);
    let pass_percent = within(percent, "pass_percent", 0, 100, &mut faults).unwrap_or_default();
    faults.check()?;
    Ok((CourseRow { id: crate::server::fresh(), title, summary, language, pass_percent }, level))
}

/// One line of the sessions: a date and two times on the wall clock of the place, and which session it was.
struct Time {
    session: Option<ClassSessionId>,
    local: LocalSpan,
}

/// What the wall clock means there.
fn span(local: LocalSpan, zone: Tz) -> Result<Span, AppError> {
    let at = |at: NaiveDateTime| {
        let (date, time) = (at.date(), at.time());
        zone::instant(zone, date, time).ok_or_else(|| Refusal::NoSuchTime { date, time, zone: zone.name().to_owned() })
    };
    Span::new(at(local.from)?, at(local.until)?).ok_or_else(|| Faults::only("session_end", Fault::EndsBeforeStart))
}

/// The name of a field in the n-th line of sessions.
pub fn numbered(name: &str, at: usize) -> String {
    format!("{name}_{}", at + 1)
}

/// The lines that are filled in, of a class that has these sessions on that clock. Of a new class, which has none, the
/// first one has to be, and none is in the past.
fn times(cx: &Cx, form: &Form, stored: Option<(&[SessionRow], Tz)>, faults: &mut Faults) -> Vec<Time> {
    let new = stored.is_none();
    let last = cx.today().checked_add_days(Days::new(AHEAD)).unwrap_or_default();
    let back = Days::new(if new { 1 } else { AHEAD });
    let first = cx.today().checked_sub_days(back).unwrap_or_default();
    let mut times = Vec::new();
    for at in 0..SESSIONS {
        let [date, starts, ends] = ["date", "starts", "ends"].map(|name| numbered(name, at));
        if (at > 0 || !new) && [&date, &starts, &ends].iter().all(|name| form.text(name).is_empty()) {
            continue;
        }
        let day = form.parse::<NaiveDate>(&date, faults, Fault::NotADate);
        if day.is_some_and(|day| day > last || day < first) {
            faults.add(&date, if day > Some(last) { Fault::NotADate } else { Fault::InThePast });
            continue;
        }
        let from = clock(form, &starts, faults);
        let until = clock(form, &ends, faults);
        if let (Some(day), Some(from), Some(until)) = (day, from, until) {
            let session = form.text(&numbered("session", at)).parse().ok();
            let ends_on = day + Duration::days(midnights(stored, session, (from, until)));
            if ends_on == day && until <= from {
                faults.add(&ends, Fault::EndsBeforeStart);
            } else {
                let local = LocalSpan { from: day.and_time(from), until: ends_on.and_time(until) };
                times.push(Time { session, local });
            }
        }
    }
    times
}

/// How many midnights a session crosses that begins and ends by the clock as it is stored. Nobody plans one like that, but
/// a room that goes by another clock takes its classes along.
fn midnights(
    stored: Option<(&[SessionRow], Tz)>,
    session: Option<ClassSessionId>,
    typed: (NaiveTime, NaiveTime),
) -> i64 {
    let known = stored.and_then(|(rows, tz)| Some((rows.iter().find(|row| Some(row.id) == session)?, tz)));
    let Some((row, tz)) = known else { return 0 };
    let [from, until] = [row.starts_at, row.ends_at].map(|at| at.with_timezone(&tz).naive_local());
    if (from.time(), until.time()) == typed { (until.date() - from.date()).num_days() } else { 0 }
}

/// How many minutes later a proposal of the page lies.
pub fn shift(form: &Form) -> i64 {
    form.text("shift").parse().ok().filter(|shift: &i64| shift.abs() <= 60 * 24 * 60).unwrap_or(0)
}

/// The values that were ticked.
pub fn many<T: std::str::FromStr>(form: &Form, name: &str, faults: &mut Faults) -> Vec<T> {
    let all: Vec<Option<T>> = form.all(name).into_iter().filter(|v| !v.is_empty()).map(|v| v.parse().ok()).collect();
    if all.iter().any(Option::is_none) {
        faults.add(name, Fault::NotAChoice);
    }
    all.into_iter().flatten().collect()
}

/// A number, or another one where nothing was typed.
pub fn number_or(form: &Form, name: &str, otherwise: i64, faults: &mut Faults) -> Option<i64> {
    if form.text(name).is_empty() { Some(otherwise) } else { form.parse(name, faults, Fault::NotANumber) }
}

/// From when until when learners may enrol by themselves, on the wall clock of the class.
fn window(form: &Form, zone: Tz, faults: &mut Faults) -> Window {
    let window = Window { opens: moment(form, "opens", zone, faults), closes: moment(form, "closes", zone, faults) };
    if let (Some(opens), Some(closes)) = (window.opens, window.closes)
        && closes <= opens
    {
        faults.add("closes", Fault::EndsBeforeStart);
    }
    window
}

/// A date with a time as browsers send them: `2026-12-01T09:30`; nothing where nothing was typed.
pub fn moment(form: &Form, name: &str, zone: Tz, faults: &mut Faults) -> Option<DateTime<Utc>> {
    let text = form.text(name);
    if text.is_empty() {
        return None;
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S"));
    let far = |local: &NaiveDateTime| (2000..2200).contains(&local.year());
    let at = local.ok().filter(far).and_then(|local| zone::instant(zone, local.date(), local.time()));
    if at.is_none() {
        faults.add(name, Fault::NotATime);
    }
    at
}

/// An instant as [`moment`] takes it.
pub fn typed(at: Option<DateTime<Utc>>, zone: Tz) -> String {
    at.map(|at| at.with_timezone(&zone).format("%Y-%m-%dT%H:%M").to_string()).unwrap_or_default()
}

/// A time as browsers send it: `09:30`, now and then with seconds.
fn clock(form: &Form, name: &str, faults: &mut Faults) -> Option<NaiveTime> {
    let text = form.text(name);
    if text.is_empty() {
        faults.add(name, Fault::Required);
        return None;
    }
    let time = NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S")).ok();
    if time.is_none() {
        faults.add(name, Fault::NotATime);
    }
    time
}

/// A room, a link, or both; one has to be there.
pub fn place(form: &Form, faults: &mut Faults) -> (Option<RoomId>, Option<String>) {
    let room = form.optional::<RoomId>("room", faults, Fault::NotAChoice);
    let link = form.text("link");
    if !link.is_empty() {
        let good = url::Url::parse(link).is_ok_and(|url| url.scheme() == "https" && url.has_host());
        match good {
            _ if link.chars().count() > 500 => faults.add("link", Fault::TooLong { max: 500 }),
            true => {}
            false => faults.add("link", Fault::NotALink),
        }
    } else if room.is_none() && form.text("room").is_empty() {
        faults.add("link", Fault::Required);
    }
    (room, Some(link.to_owned()).filter(|link| !link.is_empty()))
}

pub fn language(form: &Form, faults: &mut Faults) -> String {
    let code = form.text("language");
    if !crate::i18n::LANGUAGES.iter().any(|(known, _)| *known == code) {
        faults.add("language", if code.is_empty() { Fault::Required } else { Fault::NotAChoice });
    }
    code.to_owned()
}

pub fn capacity(form: &Form, faults: &mut Faults) -> Option<i64> {
    let seats = form.parse::<i64>("capacity", faults, Fault::NotANumber);
    within(seats, "capacity", 1, 1000, faults)
}

pub fn cut_off(form: &Form, faults: &mut Faults) -> Option<i64> {
    let hours = form.parse::<i64>("cut_off_hours", faults, Fault::NotANumber);
    within(hours, "cut_off_hours", 0, 24 * 60, faults)
}

pub fn within(number: Option<i64>, field: &str, least: i64, most: i64, faults: &mut Faults) -> Option<i64> {
    match number? {
        n if n < least => faults.add(field, Fault::TooSmall { min: least }),
        n if n > most => faults.add(field, Fault::TooLarge { max: most }),
        n => return Some(n),
    }
    None
}

/// People type a comma as well as a point.
pub fn price(cx: &Cx, form: &Form, faults: &mut Faults) -> Option<Money> {
    let text = form.text("price");
    if text.is_empty() {
        faults.add("price", Fault::Required);
        return None;
    }
    let price =
        Money::typed(text, cx.app.company.currency).ok().filter(|price| (0..=10_000_000).contains(&price.minor));
    if price.is_none() {
        faults.add("price", Fault::NotAnAmount);
    }
    price
}

/// A trainer plans their own classes; a manager says whose it is.
fn trainer(cx: &Cx, form: &Form, faults: &mut Faults) -> Result<Option<PersonId>, AppError> {
    let person = cx.person()?;
    Ok(match person.is(Role::Manager) || person.is(Role::Admin) {
        true => form.parse("trainer", faults, Fault::NotAChoice),
        false => Some(person.id),
    })
}
