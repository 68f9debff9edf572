//! Dates, times, money and numbers by CLDR, in the reader's language.

use super::Locale;
use crate::values::{CountryCode, Money};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;
use fixed_decimal::Decimal;
use icu_calendar::{Date, Gregorian};
use icu_datetime::{FixedCalendarDateTimeFormatter, NoCalendarFormatter, fieldsets, input::DateTime as Moment};
use icu_decimal::DecimalFormatter;
use icu_experimental::{
    dimension::currency::{CurrencyCode, formatter::CurrencyFormatter},
    displaynames::{DisplayNamesOptions, multi::RegionDisplayNames},
};
use icu_time::Time;
use leptos_i18n::Locale as _;
use std::{cell::RefCell, collections::HashMap, rc::Rc};

/// Formats for one language. Free to make; the formatters behind it are made once a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fmt {
    pub locale: Locale,
}

struct Formatters {
    date: FixedCalendarDateTimeFormatter<Gregorian, fieldsets::YMD>,
    short: FixedCalendarDateTimeFormatter<Gregorian, fieldsets::YMD>,
    day: FixedCalendarDateTimeFormatter<Gregorian, fieldsets::YMDE>,
    weekday: FixedCalendarDateTimeFormatter<Gregorian, fieldsets::E>,
    moment: FixedCalendarDateTimeFormatter<Gregorian, fieldsets::MDET>,
    time: NoCalendarFormatter<fieldsets::T>,
    number: DecimalFormatter,
    money: CurrencyFormatter,
    countries: RegionDisplayNames,
}

thread_local! {
    static MADE: RefCell<HashMap<&'static str, Rc<Formatters>>> = RefCell::default();
}

impl Formatters {
    fn new(language: &str) -> Option<Self> {
        // 24 hours for English too: the portal's English is international.
        let tag = if language == "en" { "en-GB" } else { language };
        let locale: icu_locale_core::Locale = tag.parse().ok()?;
        let english: icu_locale_core::Locale = "en-IE".parse().ok()?;
        let coins = if language == "en" { &english } else { &locale };
        Some(Self {
            date: FixedCalendarDateTimeFormatter::try_new((&locale).into(), fieldsets::YMD::long()).ok()?,
            short: FixedCalendarDateTimeFormatter::try_new((&locale).into(), fieldsets::YMD::medium()).ok()?,
            day: FixedCalendarDateTimeFormatter::try_new((&locale).into(), fieldsets::YMDE::long()).ok()?,
            weekday: FixedCalendarDateTimeFormatter::try_new((&locale).into(), fieldsets::E::long()).ok()?,
            moment: FixedCalendarDateTimeFormatter::try_new(
                (&locale).into(),
                fieldsets::MDET::long().with_time_precision(icu_datetime::options::TimePrecision::Minute),
            )
            .ok()?,
            time: NoCalendarFormatter::try_new((&locale).into(), fieldsets::T::hm()).ok()?,
            number: DecimalFormatter::try_new((&locale).into(), Default::default()).ok()?,
            money: CurrencyFormatter::try_new(coins.into(), Default::default()).ok()?,
            countries: RegionDisplayNames::try_new((&locale).into(), DisplayNamesOptions::default()).ok()?,
        })
    }
}

impl Fmt {
    pub fn new(locale: Locale) -> Self {
        Self { locale }
    }

    /// Runs with this language's formatters; plain ISO text in the impossible case that CLDR lacks the language.
    fn with(self, iso: impl FnOnce() -> String, format: impl FnOnce(&Formatters) -> String) -> String {
        let language = self.locale.as_str();
        let made = MADE.with_borrow_mut(|made| {
            if let Some(formatters) = made.get(language) {
                return Some(Rc::clone(formatters));
            }
            let formatters = Rc::new(Formatters::new(language)?);
            made.insert(language, Rc::clone(&formatters));
            Some(formatters)
        });
        made.map_or_else(iso, |formatters| format(&formatters))
    }

    /// `14 May 2026`
    pub fn date(self, day: NaiveDate) -> String {
        self.with(
            || day.to_string(),
            |f| gregorian(day).map_or_else(|| day.to_string(), |date| f.date.format(&date).to_string()),
        )
    }

    /// `14 May 2026`, with the month cut short: for the narrow places of a badge.
    pub fn short_date(self, day: NaiveDate) -> String {
        self.with(
            || day.to_string(),
            |f| gregorian(day).map_or_else(|| day.to_string(), |date| f.short.format(&date).to_string()),
        )
    }

    /// `Thursday 14 May 2026`
    pub fn day(self, day: NaiveDate) -> String {
        self.with(
            || day.to_string(),
            |f| gregorian(day).map_or_else(|| day.to_string(), |date| f.day.format(&date).to_string()),
        )
    }

    /// `Thursday`, as it stands alone: with a capital where sentences have one.
    pub fn weekday(self, day: NaiveDate) -> String {
        let name = self.with(
            || day.to_string(),
            |f| gregorian(day).map_or_else(|| day.to_string(), |date| f.weekday.format(&date).to_string()),
        );
        let mut letters = name.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    /// `Thursday 14 May, 16:30`, on the wall clock of `zone`.
    pub fn date_time(self, at: DateTime<Utc>, zone: Tz) -> String {
        let local = at.with_timezone(&zone).naive_local();
        self.with(
            || local.to_string(),
            |f| match (gregorian(local.date()), clock(local.time())) {
                (Some(date), Some(time)) => self.when(f.moment.format(&Moment { date, time }).to_string()),
                _ => local.to_string(),
            },
        )
    }

    /// CLDR names a weekday; a moment says when. Lithuanian has a case of its own for that: `antradienį`.
    fn when(self, moment: String) -> String {
        if self.locale == Locale::lt { moment.replace("dienis", "dienį") } else { moment }
    }

    /// `16:30`, on the wall clock of `zone`.
    pub fn time(self, at: DateTime<Utc>, zone: Tz) -> String {
        self.clock(at.with_timezone(&zone).time())
    }

    /// `16:30`
    pub fn clock(self, time: NaiveTime) -> String {
        self.with(
            || time.format("%H:%M").to_string(),
            |f| clock(time).map_or_else(|| time.to_string(), |time| f.time.format(&time).to_string()),
        )
    }

    /// `€12.50`, `12,50 €`
    pub fn money(self, money: Money) -> String {
        let iso = || format!("{} {}", money.decimal(), money.currency);
        self.with(iso, |f| {
            let mut amount = Decimal::from(money.minor);
            amount.multiply_pow10(-(money.currency.digits() as i16));
            match money.currency.code().parse() {
                Ok(code) => f.money.format_fixed_decimal(&amount, &CurrencyCode(code)).to_string(),
                Err(_) => iso(),
            }
        })
    }

    /// `Lithuania`
    pub fn country(self, country: CountryCode) -> String {
        let code = || country.code().to_owned();
        self.with(code, |f| {
            let name = country.code().parse().ok().and_then(|region| f.countries.of(region).map(str::to_owned));
            name.unwrap_or_else(code)
        })
    }

    /// `1,234`
    pub fn number(self, number: i64) -> String {
        self.with(|| number.to_string(), |f| f.number.format(&Decimal::from(number)).to_string())
    }

    /// A number with at most `digits` decimals: `4.3`
    pub fn decimal(self, number: f64, digits: i16) -> String {
        let scaled = (number * 10_f64.powi(i32::from(digits))).round() as i64;
        self.with(
            || number.to_string(),
            |f| {
                let mut decimal = Decimal::from(scaled);
                decimal.multiply_pow10(-digits);
                decimal.trim_end();
                f.number.format(&decimal).to_string()
            },
        )
    }

    /// A share of one as whole per cent: `86 %`. Hindi and English write it without the space.
    pub fn percent(self, share: f64) -> String {
        let number = self.decimal(share * 100.0, 0);
        match self.locale {
            Locale::en | Locale::hi => format!("{number}%"),
            Locale::it => format!("{number}%"),
            Locale::es | Locale::lt => format!("{number}\u{a0}%"),
        }
    }
}

fn gregorian(day: NaiveDate) -> Option<Date<Gregorian>> {
    Date::try_new_gregorian(day.year(), u8::try_from(day.month()).ok()?, u8::try_from(day.day()).ok()?).ok()
}

fn clock(time: NaiveTime) -> Option<Time> {
    Time::try_new(
        u8::try_from(time.hour()).ok()?,
        u8::try_from(time.minute()).ok()?,
        u8::try_from(time.second()).ok()?,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Currency;

    fn every(format: impl Fn(Fmt) -> String) -> Vec<String> {
        [Locale::en, Locale::es, Locale::it, Locale::hi, Locale::lt]
            .into_iter()
            .map(|locale| format(Fmt::new(locale)))
            .collect()
    }

    #[test]
    fn dates_are_written_as_each_language_does() {
        let day: NaiveDate = "2026-05-14".parse().unwrap();
        assert_eq!(
            every(|f| f.date(day)),
            ["14 May 2026", "14 de mayo de 2026", "14 maggio 2026", "14 मई 2026", "2026 m. gegužės 14 d."]
        );
    }

    #[test]
    fn countries_have_their_names() {
        let germany = "DE".parse().unwrap();
        assert_eq!(every(|f| f.country(germany)), ["Germany", "Alemania", "Germania", "जर्मनी", "Vokietija"]);
    }

    #[test]
    fn moments_stand_on_the_wall_clock_of_their_zone() {
        let at: DateTime<Utc> = "2026-05-14T14:30:00Z".parse().unwrap();
        let said = every(|f| f.date_time(at, chrono_tz::Europe::Madrid));
        assert!(said.iter().all(|text| text.contains("16:30") || text.contains("4:30")), "{said:?}");
    }

    #[test]
    fn a_moment_in_lithuanian_says_when() {
        let at: DateTime<Utc> = "2026-12-01T09:00:00Z".parse().unwrap();
        let fmt = Fmt::new(Locale::lt);
        let said = fmt.date_time(at, chrono_tz::Europe::Vilnius);
        assert!(said.starts_with("gruodžio 1 d., antradienį") && said.ends_with("11:00"), "{said}");
        assert_eq!(fmt.weekday(at.date_naive()), "Antradienis");
        let until = crate::i18n::settled(Locale::lt, format!("iki {said}"));
        assert!(until.contains("antradienio"), "{until}");
    }

    #[test]
    fn money_is_written_as_each_language_does() {
        let said = every(|f| f.money(Money::new(123_450, Currency::EUR)));
        assert!(said.iter().all(|text| text.contains('€')), "{said:?}");
        assert!(said[0].contains("1,234.50") && said[4].contains("1\u{a0}234,50"), "{said:?}");
    }
}
