//! What somebody who asks for a class says of their time: weekdays with a part of the day, and single days.

use super::words;
use crate::calendar::domain::LocalSpan;
use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use std::{collections::BTreeSet, fmt, str::FromStr};

words! {
    /// A part of the day, by when a class begins.
    Part { Morning = "morning", Afternoon = "afternoon", Evening = "evening" }
}

impl Part {
    /// Morning until noon, afternoon until five.
    pub fn of(at: NaiveDateTime) -> Self {
        match at.hour() {
            0..12 => Self::Morning,
            12..17 => Self::Afternoon,
            _ => Self::Evening,
        }
    }
}

words! {
    /// What became of a wish.
    WishState { Open = "open", Answered = "answered", Withdrawn = "withdrawn" }
}

/// One time that suits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Slot {
    /// 1 for Monday to 7 for Sunday.
    Weekly(u8, Part),
    On(NaiveDate),
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weekly(day, part) => write!(f, "{day}-{}", part.as_str()),
            Self::On(day) => write!(f, "{day}"),
        }
    }
}

impl FromStr for Slot {
    type Err = super::UnknownWord;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || super::UnknownWord(text.to_owned());
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Ok(Self::On(day));
        }
        let (day, part) = text.split_once('-').ok_or_else(unknown)?;
        let day = day.parse().ok().filter(|day| (1..=7).contains(day)).ok_or_else(unknown)?;
        Ok(Self::Weekly(day, part.parse()?))
    }
}

/// The times that suit somebody, kept as words with spaces between them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Times(pub BTreeSet<Slot>);

impl Times {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a class at this time would suit.
    pub fn suit(&self, local: &LocalSpan) -> bool {
        let weekday = u8::try_from(local.from.weekday().number_from_monday()).unwrap_or(0);
        self.0.contains(&Slot::Weekly(weekday, Part::of(local.from))) || self.0.contains(&Slot::On(local.from.date()))
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(Slot::to_string).collect();
        f.write_str(&words.join(" "))
    }
}

impl FromStr for Times {
    type Err = super::UnknownWord;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split_whitespace().map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// Wherever a class may be.
pub const ANYWHERE: &str = "";
/// Without a room.
pub const ONLINE: &str = "online";

/// Whether a class in a town (empty: on line alone) is where somebody wants it; with a link, one can come on line too.
pub fn place_suits(wanted: &str, place: &str, link: bool) -> bool {
    match wanted {
        ANYWHERE => true,
        ONLINE => link || place.is_empty(),
        town => town == place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;
    use proptest::prelude::*;

    fn at(text: &str) -> LocalSpan {
        let from = text.parse().unwrap();
        LocalSpan { from, until: from + Duration::hours(2) }
    }

    #[test]
    fn a_time_suits_by_its_weekday_and_part_or_by_its_day() {
        let times: Times = "2-morning 4-evening 2026-12-05".parse().unwrap();
        assert!(times.suit(&at("2026-12-01T09:00:00")), "a Tuesday morning");
        assert!(!times.suit(&at("2026-12-01T12:00:00")), "a Tuesday afternoon");
        assert!(times.suit(&at("2026-12-03T17:00:00")), "a Thursday evening");
        assert!(times.suit(&at("2026-12-05T14:00:00")), "that Saturday");
        assert!(!times.suit(&at("2026-12-12T14:00:00")), "another Saturday");
    }

    #[test]
    fn a_place_suits_where_it_is_the_one_or_any_will_do() {
        assert!(place_suits(ANYWHERE, "Madrid", false) && place_suits(ANYWHERE, "", true));
        assert!(place_suits(ONLINE, "", true) && !place_suits(ONLINE, "Madrid", false));
        assert!(place_suits(ONLINE, "Madrid", true), "in a room and on line at once");
        assert!(place_suits("Madrid", "Madrid", true) && !place_suits("Madrid", "", true));
    }

    proptest! {
        #[test]
        fn times_are_read_back_as_they_were_written(raw in prop::collection::btree_set((1..8_u8, 0..3_usize, 0..40_i64), 0..20)) {
            let first: NaiveDate = "2026-12-01".parse().unwrap();
            let slots = raw.into_iter().map(|(day, part, ahead)| match ahead {
                0..20 => Slot::Weekly(day, Part::ALL[part]),
                days => Slot::On(first + Duration::days(days)),
            });
            let times = Times(slots.collect());
            prop_assert_eq!(times.to_string().parse::<Times>().unwrap(), times);
        }
    }
}
