//! What training says: states, costs, refusals, in the reader's language.

use super::store::ClassRow;
use crate::{
    i18n::{Fmt, InWords},
    training::domain::{ClassState, Cost, EnrolmentState, Mark, Refusal, Stage, WhyPays},
    ui::Tone,
    w,
};
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
        Refusal::TrainerBusy { with, from, until } => w!(
            fmt,
            training.refusal_trainer_busy,
            with = otherwise(fmt, with),
            from = time(*from),
            until = time(*until)
        ),
        Refusal::RoomBusy { room, with, from, until } => w!(
            fmt,
            training.refusal_room_busy,
            room = room.clone(),
            with = otherwise(fmt, with),
            from = time(*from),
            until = time(*until)
        ),
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
        Refusal::NotEnoughSeats { free } => {
            w!(fmt, groups.refusal_not_enough, count = u64::try_from(*free).unwrap_or(0))
        }
        Refusal::LargerThanClass { capacity } => w!(fmt, groups.refusal_larger, capacity = fmt.number(*capacity)),
        Refusal::NamesNeeded { since } => w!(fmt, groups.refusal_names_needed, time = time(*since)),
        Refusal::Hindered { conflicts } => super::group_words::conflicts(fmt, tz, conflicts),
        Refusal::FirmAnswers => w!(fmt, groups.refusal_firm_answers),
        Refusal::NoSuchSeat => w!(fmt, groups.refusal_no_such_seat),
    }
}

/// Where no place is known, times are told in UTC; pages of a class use [`refusal`] with its own zone.
impl InWords for Refusal {
    fn in_words(&self, fmt: Fmt) -> String {
        refusal(fmt, Tz::UTC, self)
    }
}

/// What stands in the way, or "another appointment" where it has no title.
fn otherwise(fmt: Fmt, label: &str) -> String {
    if label.is_empty() { w!(fmt, calendar.entity_unknown) } else { label.to_owned() }
}

/// Where a class meets: room, address, town; empty on line.
pub fn place(class: &ClassRow) -> String {
    let parts = [class.room_name.as_deref(), class.address.as_deref(), Some(class.place.as_str())];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// A zone as people name it: its town.
pub fn zone(tz: Tz) -> String {
    tz.name().rsplit('/').next().unwrap_or(tz.name()).replace('_', " ")
}

/// A language by the name that its speakers give it.
pub fn language(code: &str) -> String {
    let known = crate::i18n::LANGUAGES.iter().find(|(tag, _)| *tag == code);
    known.map_or_else(|| code.to_uppercase(), |(_, name)| (*name).to_owned())
}
