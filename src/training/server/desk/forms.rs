//! What the trainer's forms say, parsed at the edge.

use crate::{
    access::Role,
    calendar::{domain::Span, server::zone},
    error::{AppError, Fault, Faults},
    server::{Cx, form::Form},
    training::{
        domain::Refusal,
        server::{
            plan::{Draft, Edit},
            store::CourseRow,
        },
    },
    values::{CourseId, Money, PersonId, RoomId},
};
use chrono::{Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;

/// Most sessions that one form plans.
pub const SESSIONS: usize = 8;
/// How many days ahead a class can be planned.
const AHEAD: u64 = 5 * 366;
/// Longest title.
const TITLE: u32 = 120;

/// Reads the form of a new class.
pub fn draft(cx: &Cx, form: &Form) -> Result<Draft, AppError> {
    let mut faults = Faults::default();
    let course = form.parse::<CourseId>("course", &mut faults, Fault::NotAChoice);
    let title = form.words("title", TITLE, &mut faults);
    let language = language(form, &mut faults);
    let zone = form.parse::<Tz>("zone", &mut faults, Fault::NotAChoice);
    let times = times(cx, form, &mut faults);
    let (room, link) = place(form, &mut faults);
    let capacity = capacity(form, &mut faults);
    let price = price(cx, form, &mut faults);
    let cut_off_hours = cut_off(form, &mut faults);
    let trainer = trainer(cx, form, &mut faults)?;
    let (Some(course), Some(zone), Some(capacity), Some(price), Some(cut_off_hours), Some(trainer)) =
        (course, zone, capacity, price, cut_off_hours, trainer)
    else {
        return Err(AppError::Invalid(faults));
    };
    faults.check()?;
    let sessions = times.into_iter().map(|time| time.span(zone)).collect::<Result<Vec<Span>, AppError>>()?;
    Ok(Draft { course, trainer, title, language, zone, sessions, room, link, capacity, price, cut_off_hours })
}

/// Reads the form that changes a class.
pub fn edit(cx: &Cx, form: &Form) -> Result<Edit, AppError> {
    let mut faults = Faults::default();
    let version = form.parse::<i64>("version", &mut faults, Fault::NotANumber);
    let title = form.words("title", TITLE, &mut faults);
    let (room, link) = place(form, &mut faults);
    let capacity = capacity(form, &mut faults);
    let price = price(cx, form, &mut faults);
    let cut_off_hours = cut_off(form, &mut faults);
    let (Some(version), Some(capacity), Some(price), Some(cut_off_hours)) = (version, capacity, price, cut_off_hours)
    else {
        return Err(AppError::Invalid(faults));
    };
    faults.check()?;
    Ok(Edit { version, title, room, link, capacity, price, cut_off_hours })
}

/// Reads the form of a new course.
pub fn course(form: &Form) -> Result<CourseRow, AppError> {
    let mut faults = Faults::default();
    let title = form.words("title", TITLE, &mut faults);
    let summary = form.text("summary").replace("\r\n", "\n");
    if summary.chars().count() > 2000 {
        faults.add("summary", Fault::TooLong { max: 2000 });
    }
    let language = language(form, &mut faults);
    let percent = form.parse::<i64>("pass_percent", &mut faults, Fault::NotANumber);
    let pass_percent = within(percent, "pass_percent", 0, 100, &mut faults).unwrap_or_default();
    faults.check()?;
    Ok(CourseRow { id: crate::server::fresh(), title, summary, language, pass_percent })
}

/// One line of the sessions: a date and two times on the wall clock of the place.
struct Time {
    date: NaiveDate,
    starts: NaiveTime,
    ends: NaiveTime,
}

impl Time {
    fn span(&self, zone: Tz) -> Result<Span, AppError> {
        let at = |time: NaiveTime| {
            zone::instant(zone, self.date, time).ok_or_else(|| Refusal::NoSuchTime {
                date: self.date,
                time,
                zone: zone.name().to_owned(),
            })
        };
        Span::new(at(self.starts)?, at(self.ends)?).ok_or_else(|| Faults::only("session_end", Fault::EndsBeforeStart))
    }
}

/// The name of a field in the n-th line of sessions.
pub fn numbered(name: &str, at: usize) -> String {
    format!("{name}_{}", at + 1)
}

/// The lines that are filled in; the first one has to be.
fn times(cx: &Cx, form: &Form, faults: &mut Faults) -> Vec<Time> {
    let last = cx.today().checked_add_days(Days::new(AHEAD)).unwrap_or_default();
    let mut times = Vec::new();
    for at in 0..SESSIONS {
        let [date, starts, ends] = ["date", "starts", "ends"].map(|name| numbered(name, at));
        if at > 0 && [&date, &starts, &ends].iter().all(|name| form.text(name).is_empty()) {
            continue;
        }
        let day = form.parse::<NaiveDate>(&date, faults, Fault::NotADate);
        if day.is_some_and(|day| day > last || day < cx.today().pred_opt().unwrap_or_default()) {
            faults.add(&date, if day > Some(last) { Fault::NotADate } else { Fault::InThePast });
            continue;
        }
        let from = clock(form, &starts, faults);
        let until = clock(form, &ends, faults);
        if let (Some(day), Some(from), Some(until)) = (day, from, until) {
            if until <= from {
                faults.add(&ends, Fault::EndsBeforeStart);
            } else {
                times.push(Time { date: day, starts: from, ends: until });
            }
        }
    }
    times
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
fn place(form: &Form, faults: &mut Faults) -> (Option<RoomId>, Option<String>) {
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

fn language(form: &Form, faults: &mut Faults) -> String {
    let code = form.text("language");
    if !crate::i18n::LANGUAGES.iter().any(|(known, _)| *known == code) {
        faults.add("language", if code.is_empty() { Fault::Required } else { Fault::NotAChoice });
    }
    code.to_owned()
}

fn capacity(form: &Form, faults: &mut Faults) -> Option<i64> {
    let seats = form.parse::<i64>("capacity", faults, Fault::NotANumber);
    within(seats, "capacity", 1, 1000, faults)
}

fn cut_off(form: &Form, faults: &mut Faults) -> Option<i64> {
    let hours = form.parse::<i64>("cut_off_hours", faults, Fault::NotANumber);
    within(hours, "cut_off_hours", 0, 24 * 60, faults)
}

fn within(number: Option<i64>, field: &str, least: i64, most: i64, faults: &mut Faults) -> Option<i64> {
    match number? {
        n if n < least => faults.add(field, Fault::TooSmall { min: least }),
        n if n > most => faults.add(field, Fault::TooLarge { max: most }),
        n => return Some(n),
    }
    None
}

/// People type a comma as well as a point.
fn price(cx: &Cx, form: &Form, faults: &mut Faults) -> Option<Money> {
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
