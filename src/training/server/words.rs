//! What training says: states, costs, refusals, in the reader's language.

use super::store::{ClassRow, MineRow};
pub use crate::calendar::server::zone::town as zone;
use crate::{
    i18n::{Fmt, InWords},
    training::domain::{
        Announced, Because, Cancelling, ClassState, Conflict, Cost, Effect, EnrolmentState, Level, Mark, Refusal,
        Stage, Who, WhyPays,
        wish::{Part, Slot},
    },
    ui::Tone,
    w,
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

impl InWords for Stage {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Draft => w!(fmt, training.stage_draft),
            Self::Open => w!(fmt, training.stage_open),
            Self::Full => w!(fmt, training.stage_full),
            Self::Running => w!(fmt, training.stage_running),
            Self::Completed => w!(fmt, training.stage_completed),
            Self::Cancelled => w!(fmt, training.stage_cancelled),
        }
    }
}

impl InWords for ClassState {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Draft => Stage::Draft,
            Self::Open => Stage::Open,
            Self::Running => Stage::Running,
            Self::Completed => Stage::Completed,
            Self::Cancelled => Stage::Cancelled,
        }
        .in_words(fmt)
    }
}

impl InWords for EnrolmentState {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Waitlisted => w!(fmt, training.state_waitlisted),
            Self::Offered => w!(fmt, training.state_offered),
            Self::Booked => w!(fmt, training.state_booked),
            Self::Cancelled => w!(fmt, training.state_cancelled),
            Self::CancelledLate => w!(fmt, training.state_cancelled_late),
        }
    }
}

impl InWords for Level {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Beginner => w!(fmt, learning.level_beginner),
            Self::Intermediate => w!(fmt, learning.level_intermediate),
            Self::Advanced => w!(fmt, learning.level_advanced),
        }
    }
}

impl InWords for Announced {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Late => w!(fmt, learning.announced_late),
            Self::Absent => w!(fmt, learning.announced_absent),
        }
    }
}

impl InWords for Mark {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Present => w!(fmt, training.mark_present),
            Self::Late => w!(fmt, training.mark_late),
            Self::Partial => w!(fmt, training.mark_partial),
            Self::Absent => w!(fmt, training.mark_absent),
            Self::Excused => w!(fmt, training.mark_excused),
        }
    }
}

/// How a stage is coloured.
pub fn stage_tone(stage: Stage) -> Tone {
    match stage {
        Stage::Open => Tone::Good,
        Stage::Full => Tone::Warn,
        Stage::Running => Tone::Info,
        Stage::Draft | Stage::Completed => Tone::Plain,
        Stage::Cancelled => Tone::Bad,
    }
}

/// What became of somebody's place in a class: nobody has one any more in a class that is over or cancelled.
pub fn place_badge(fmt: Fmt, row: &MineRow, now: DateTime<Utc>) -> (Tone, String) {
    match (row.class_state, row.state) {
        (ClassState::Cancelled, _) => (Tone::Bad, row.class_state.in_words(fmt)),
        (_, EnrolmentState::Booked) if row.ends_at <= now => (Tone::Plain, w!(fmt, training.state_over)),
        (_, state) => (state_tone(state), state.in_words(fmt)),
    }
}

/// How an enrolment's state is coloured.
pub fn state_tone(state: EnrolmentState) -> Tone {
    match state {
        EnrolmentState::Booked => Tone::Good,
        EnrolmentState::Offered => Tone::Info,
        EnrolmentState::Waitlisted => Tone::Warn,
        EnrolmentState::Cancelled | EnrolmentState::CancelledLate => Tone::Plain,
    }
}

/// The sentence that says what a seat costs and because of what.
pub fn cost(fmt: Fmt, cost: &Cost) -> String {
    match cost {
        Cost::Free => w!(fmt, training.cost_free),
        Cost::Covered { plan, left, granted, until, .. } => w!(
            fmt,
            training.cost_covered,
            plan = plan.clone(),
            left = fmt.number(*left),
            granted = fmt.number(*granted),
            until = fmt.date(*until)
        ),
        Cost::Pays { price, why } => format!("{} – {}", fmt.money(*price), why_pays(fmt, why)),
    }
}

/// Why no plan pays.
pub fn why_pays(fmt: Fmt, why: &WhyPays) -> String {
    match why {
        WhyPays::NoPlan => w!(fmt, training.why_no_plan),
        WhyPays::OtherProduct { plan } => w!(fmt, training.why_other_product, plan = plan.clone()),
        WhyPays::NothingLeft { plan } => w!(fmt, training.why_nothing_left, plan = plan.clone()),
        WhyPays::EndsBefore { plan, until } => {
            w!(fmt, training.why_ends_before, plan = plan.clone(), until = fmt.date(*until))
        }
    }
}

/// A refusal in words, its times on the wall clock of `tz`.
pub fn refusal(fmt: Fmt, tz: Tz, refusal: &Refusal) -> String {
    let time = |at| fmt.date_time(at, tz);
    match refusal {
        Refusal::NotOpen { state } => w!(fmt, training.refusal_not_open, stage = state.in_words(fmt)),
        Refusal::Started { at } => w!(fmt, training.refusal_started, time = time(*at)),
        Refusal::Clash { mine, with } => w!(fmt, training.refusal_clash, mine = mine.clone(), with = with.clone()),
        Refusal::Occupied { mine, from } => {
            w!(fmt, training.refusal_occupied, mine = mine.clone(), time = time(*from))
        }
        Refusal::PriceRose { price } => w!(fmt, training.refusal_price_rose, price = fmt.money(*price)),
        Refusal::NotEnrolled => w!(fmt, training.refusal_not_enrolled),
        Refusal::NoOffer => w!(fmt, training.refusal_no_offer),
        Refusal::OfferOver { at } => w!(fmt, training.refusal_offer_over, time = time(*at)),
        Refusal::Taken { conflicts } => {
            conflicts.iter().map(|one| conflict(fmt, tz, one)).collect::<Vec<_>>().join(" ")
        }
        Refusal::RoomTooSmall { room, seats } => {
            w!(fmt, training.refusal_room_too_small, room = room.clone(), seats = fmt.number(*seats))
        }
        Refusal::BelowTaken { taken } => w!(fmt, training.refusal_below_taken, taken = fmt.number(*taken)),
        Refusal::NoSession => w!(fmt, training.refusal_no_session),
        Refusal::SessionsOverlap { first } => w!(fmt, training.refusal_sessions_overlap, date = fmt.date(*first)),
        Refusal::InThePast => w!(fmt, training.refusal_in_the_past),
        Refusal::NoSuchTime { date, time, zone } => {
            w!(fmt, training.refusal_no_such_time, date = fmt.date(*date), time = fmt.clock(*time), zone = zone.clone())
        }
        Refusal::WrongState { state } => w!(fmt, training.refusal_wrong_state, stage = state.in_words(fmt)),
        Refusal::NotOverYet { from } => w!(fmt, training.refusal_not_over_yet, time = time(*from)),
        Refusal::Unmarked { people } => {
            w!(fmt, training.refusal_unmarked, count = u64::try_from(*people).unwrap_or(u64::MAX))
        }
        Refusal::TooEarlyToMark { from } => w!(fmt, training.refusal_too_early, time = time(*from)),
        Refusal::MarkChanged { .. } => w!(fmt, training.refusal_mark_changed),
        Refusal::ChangedMeanwhile { .. } => w!(fmt, training.refusal_changed),
        Refusal::NoSeat => w!(fmt, teaching.refusal_no_seat),
        Refusal::LineClosed { at } => w!(fmt, training.refusal_line_closed, time = time(*at)),
        Refusal::OthersWait { people } => {
            w!(fmt, teaching.refusal_others_wait, count = u64::try_from(*people).unwrap_or(u64::MAX))
        }
        Refusal::OtherCourse => w!(fmt, teaching.refusal_other_course),
        Refusal::HasPlace { name } => w!(fmt, teaching.refusal_has_place, name = name.clone()),
        Refusal::NotToday => w!(fmt, teaching.refusal_not_today),
        Refusal::CodeUnknown => w!(fmt, teaching.refusal_code_unknown),
        Refusal::OpensLater { at } => w!(fmt, planning.refusal_opens_later, time = time(*at)),
        Refusal::EnrolmentClosed { at } => w!(fmt, planning.refusal_enrolment_closed, time = time(*at)),
        Refusal::MustMove { over, people, unnamed, gathered, guests } => {
            let many = |count: i64| u64::try_from(count).unwrap_or(u64::MAX);
            let mut all = people.clone();
            all.extend(guests.iter().map(|name| w!(fmt, teaching.guest_named, name = name.clone())));
            all.extend((*unnamed > 0).then(|| w!(fmt, planning.seats_unnamed, count = many(*unnamed))));
            all.extend((*gathered > 0).then(|| w!(fmt, planning.seats_gathered, count = many(*gathered))));
            w!(fmt, planning.refusal_must_move, count = many(*over), people = all.join(", "))
        }
        Refusal::SessionBegun { at } => w!(fmt, planning.refusal_session_begun, time = time(*at)),
        Refusal::LearnersClash { people } => {
            let names = people.iter().map(|one| one.name.clone()).collect::<Vec<_>>().join(", ");
            w!(fmt, planning.refusal_learners_clash, people = names)
        }
        Refusal::LearnerElsewhere { name, with, from } => {
            format!("{name}: {}", w!(fmt, planning.clash_text, with = otherwise(fmt, with), time = time(*from)))
        }
        Refusal::NeedsBefore { courses } => w!(fmt, learning.refusal_needs_before, courses = courses.join(", ")),
        Refusal::SessionOver { at } => w!(fmt, learning.refusal_session_over, time = time(*at)),
        Refusal::NotMissed => w!(fmt, learning.refusal_not_missed),
        Refusal::NotEqual => w!(fmt, learning.refusal_not_equal),
        Refusal::MakeUpBegun { at } => w!(fmt, learning.refusal_session_begun, time = time(*at)),
        Refusal::SessionFull => w!(fmt, learning.refusal_session_full),
        Refusal::AlreadyMadeUp => w!(fmt, learning.refusal_already_made_up),
        Refusal::MadeUp => w!(fmt, learning.refusal_made_up),
        Refusal::NotEnoughSeats { free } => {
            w!(fmt, groups.refusal_not_enough, count = u64::try_from(*free).unwrap_or(0))
        }
        Refusal::LargerThanClass { capacity } => w!(fmt, groups.refusal_larger, capacity = fmt.number(*capacity)),
        Refusal::NamesNeeded { since } => w!(fmt, groups.refusal_names_needed, time = time(*since)),
        Refusal::Hindered { people } => super::group_words::conflicts(fmt, tz, people),
        Refusal::FirmAnswers => w!(fmt, groups.refusal_firm_answers),
        Refusal::NoSuchSeat => w!(fmt, groups.refusal_no_such_seat),
        Refusal::EquipmentUsed { class, starts } => {
            w!(fmt, learning.refusal_equipment_used, title = class.clone(), time = time(*starts))
        }
        Refusal::RoomNeeded { class, starts, seats } => {
            w!(fmt, rooms.refusal_needed, title = class.clone(), time = time(*starts), seats = fmt.number(*seats))
        }
        Refusal::TooManyInvitations { most } => w!(fmt, team.refusal_full, most = fmt.number(*most)),
        Refusal::InvitationOver => w!(fmt, team.refusal_over),
        Refusal::OwnMembership => w!(fmt, team.refusal_own),
        Refusal::OwnersMembership => w!(fmt, team.refusal_owner),
        Refusal::LastOwner => w!(fmt, team.refusal_last_owner),
    }
}

/// Who or what is taken, when and by what.
fn conflict(fmt: Fmt, tz: Tz, conflict: &Conflict) -> String {
    let (from, until) = (fmt.date_time(conflict.from, tz), fmt.date_time(conflict.until, tz));
    let with = match &conflict.because {
        Because::Class(title) => otherwise(fmt, title),
        Because::Learns(title) => w!(fmt, planning.learns_in, title = otherwise(fmt, title)),
        Because::Absent => w!(fmt, planning.absent),
        Because::Other => otherwise(fmt, ""),
    };
    match &conflict.who {
        Who::Trainer(name) if name.is_empty() => {
            w!(fmt, training.refusal_trainer_busy, with = with, from = from, until = until)
        }
        Who::Trainer(name) | Who::Assistant(name) => {
            w!(fmt, planning.person_busy, name = name.clone(), with = with, from = from, until = until)
        }
        Who::Room(name) | Who::Equipment(name) => {
            w!(fmt, training.refusal_room_busy, room = name.clone(), with = with, from = from, until = until)
        }
    }
}

/// How a mark looks.
pub fn mark_tone(mark: Mark) -> Tone {
    match mark {
        Mark::Present => Tone::Good,
        Mark::Late | Mark::Partial => Tone::Warn,
        Mark::Absent => Tone::Bad,
        Mark::Excused => Tone::Plain,
    }
}

/// Where no place is known, times are told in UTC; pages of a class use [`refusal`] with its own zone.
impl InWords for Refusal {
    fn in_words(&self, fmt: Fmt) -> String {
        refusal(fmt, Tz::UTC, self)
    }
}

/// What stands in the way, or "another appointment" where it has no title.
pub fn otherwise(fmt: Fmt, label: &str) -> String {
    if label.is_empty() { w!(fmt, calendar.entity_unknown) } else { label.to_owned() }
}

/// Where a class meets: room, address, town; empty on line.
pub fn place(class: &ClassRow) -> String {
    let parts = [class.room_name.as_deref(), class.address.as_deref(), Some(class.place.as_str())];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// A language by the name that its speakers give it.
pub fn language(code: &str) -> String {
    let known = crate::i18n::LANGUAGES.iter().find(|(tag, _)| *tag == code);
    known.map_or_else(|| code.to_uppercase(), |(_, name)| (*name).to_owned())
}

impl InWords for Part {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Morning => w!(fmt, planning.morning),
            Self::Afternoon => w!(fmt, planning.afternoon),
            Self::Evening => w!(fmt, planning.evening),
        }
    }
}

impl InWords for Slot {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Weekly(day, part) => format!("{}, {}", weekday(fmt, *day), part.in_words(fmt)),
            Self::On(day) => fmt.date(*day),
        }
    }
}

impl InWords for Effect {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Spent => w!(fmt, planning.effect_spent),
            Self::Returned => w!(fmt, planning.effect_returned),
        }
    }
}

/// The name of a weekday, 1 for Monday.
pub fn weekday(fmt: Fmt, day: u8) -> String {
    // The fifth of January 1970 was a Monday.
    let monday = DateTime::UNIX_EPOCH.date_naive() + TimeDelta::days(4);
    fmt.weekday(monday + TimeDelta::days(i64::from(day) - 1))
}

/// So many minutes, said in hours where they are whole.
pub fn duration(fmt: Fmt, minutes: i64) -> String {
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    match minutes {
        n if n % 60 == 0 => w!(fmt, planning.hours, count = count(n / 60)),
        n => w!(fmt, planning.minutes, count = count(n)),
    }
}

/// What somebody whom a change does not suit can do about their seat; nothing once it can no longer be given back.
pub fn unsuited(fmt: Fmt, zone: Tz, cancelling: Cancelling) -> String {
    match cancelling {
        Cancelling::Free(until) => w!(fmt, planning.stays_free, free_until = fmt.date_time(until, zone)),
        Cancelling::Late => w!(fmt, training.late_warning),
        Cancelling::Over => String::new(),
    }
}

/// Two sentences, of which the second may be empty.
pub fn and(first: String, second: String) -> String {
    if second.is_empty() { first } else { format!("{first} {second}") }
}
