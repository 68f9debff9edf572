//! Finding columns by their names, and reading the cells below them.

use super::fault::{Fault, RowFault};
use crate::values::{CountryCode, Currency, EmailAddress, LanguageTag, Money};
use chrono::{DateTime, FixedOffset, NaiveDate};
use std::str::FromStr;

/// The longest text that a cell may hold.
pub const LONGEST: usize = 200;

/// Which columns a file of one sort knows, and which of them it cannot do without.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub known: &'static [&'static str],
    /// Every group needs at least one of its columns.
    pub required: &'static [&'static [&'static str]],
}

/// A file whose header lacks what it cannot do without.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the header has no column {0}")]
pub struct MissingColumn(pub String);

/// The columns of one file: where each known one stands.
#[derive(Clone, Debug)]
pub struct Header {
    names: Vec<String>,
    known: &'static [&'static str],
}

impl Header {
    /// Reads a header; names are taken without regard to case and spaces around them.
    ///
    /// # Errors
    /// [`MissingColumn`] where one is missing that no row can do without.
    pub fn read<'a>(cells: impl Iterator<Item = &'a str>, layout: Layout) -> Result<Self, MissingColumn> {
        let clean = |cell: &str| cell.trim_start_matches('\u{feff}').trim().to_lowercase();
        let header = Self { names: cells.map(clean).collect(), known: layout.known };
        let lacking = layout.required.iter().find(|group| !group.iter().any(|name| header.has(name)));
        match lacking {
            Some(group) => Err(MissingColumn(group.join(" or "))),
            None => Ok(header),
        }
    }

    pub fn has(&self, column: &str) -> bool {
        self.names.iter().any(|name| name == column)
    }

    /// How many cells a row has.
    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// The columns that nobody reads, as they are named in the file; `reason` comes from our own rejects.
    pub fn unknown(&self) -> Vec<&str> {
        let ours = |name: &&str| self.known.contains(name) || *name == "reason";
        self.names.iter().map(String::as_str).filter(|name| !ours(name)).collect()
    }

    /// The column with which the header begins, to name the whole row by.
    pub fn first(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Where a column stands.
    pub fn place(&self, column: &str) -> Option<usize> {
        self.names.iter().position(|name| name == column)
    }
}

/// The trimmed text of one cell of a row; empty where there is none.
pub fn cell<'a>(header: &Header, cells: &[&'a str], column: &str) -> &'a str {
    header.place(column).and_then(|place| cells.get(place)).map_or("", |cell| cell.trim())
}

/// One row on its way in: hands out parsed cells and collects what is wrong with them.
pub struct Cells<'a> {
    header: &'a Header,
    cells: &'a [&'a str],
    pub faults: Vec<RowFault>,
}

impl<'a> Cells<'a> {
    pub fn new(header: &'a Header, cells: &'a [&'a str]) -> Self {
        Self { header, cells, faults: Vec::new() }
    }

    /// The trimmed text of a cell; empty where there is no such column.
    pub fn raw(&self, column: &str) -> &'a str {
        cell(self.header, self.cells, column)
    }

    pub fn blame(&mut self, column: &str, fault: Fault) {
        self.faults.push(RowFault::new(column, self.raw(column), fault));
    }

    /// The text of a cell if there is any.
    pub fn text(&mut self, column: &str) -> Option<String> {
        self.text_up_to(column, LONGEST)
    }

    pub fn text_up_to(&mut self, column: &str, longest: usize) -> Option<String> {
        let text = self.raw(column);
        if text.is_empty() {
            return None;
        }
        if text.chars().count() > longest {
            self.blame(column, Fault::TooLong(longest));
            return None;
        }
        // A line feed or another control character in a name breaks letters and lists.
        Some(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    }

    pub fn required(&mut self, column: &str) -> Option<String> {
        if self.raw(column).is_empty() {
            self.blame(column, Fault::Required);
            return None;
        }
        self.text(column)
    }

    /// A cell that is read by a type of ours.
    fn parsed<T: FromStr>(&mut self, column: &str, fault: Fault) -> Option<T> {
        let text = self.raw(column);
        if text.is_empty() {
            return None;
        }
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.blame(column, fault);
        }
        parsed
    }

    pub fn email(&mut self, column: &str) -> Option<EmailAddress> {
        if self.raw(column).is_empty() {
            self.blame(column, Fault::Required);
            return None;
        }
        self.parsed(column, Fault::NotAnEmail)
    }

    pub fn language(&mut self, column: &str) -> Option<LanguageTag> {
        self.parsed(column, Fault::NotALanguage)
    }

    pub fn country(&mut self, column: &str) -> Option<CountryCode> {
        self.parsed(column, Fault::NotACountry)
    }

    pub fn kind(&mut self, column: &str) -> Option<crate::catalog::domain::ProductKind> {
        self.parsed(column, Fault::NotAKind)
    }

    pub fn currency(&mut self, column: &str) -> Option<Currency> {
        self.parsed(column, Fault::NotACurrency)
    }

    /// A whole number from `least` to `most`.
    pub fn whole(&mut self, column: &str, least: i64, most: i64) -> Option<i64> {
        let number: i64 = self.parsed(column, Fault::NotAWholeNumber)?;
        if number < least {
            self.blame(column, Fault::BelowZero);
            return None;
        }
        if number > most {
            self.blame(column, Fault::TooLarge(most));
            return None;
        }
        Some(number)
    }

    /// A date, or an instant whose date the company's calendar says.
    pub fn date(&mut self, column: &str, day_of: &dyn Fn(DateTime<FixedOffset>) -> NaiveDate) -> Option<NaiveDate> {
        let text = self.raw(column);
        if text.is_empty() {
            return None;
        }
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| ()).and_then(sane) {
            return Some(date);
        }
        if let Ok(instant) = DateTime::parse_from_rfc3339(text)
            && let Ok(date) = sane(day_of(instant))
        {
            return Some(date);
        }
        self.blame(column, if shaped_like_a_date(text) { Fault::NoSuchDate } else { Fault::NotADate });
        None
    }

    /// An amount of zero or more; the currency of the row says how many decimals it may have.
    pub fn amount(&mut self, column: &str, currency: Currency) -> Option<Money> {
        let text = self.raw(column);
        if text.is_empty() {
            return None;
        }
        match Money::parse(text, currency) {
            Ok(money) if money.minor < 0 => {
                self.blame(column, Fault::BelowZero);
                None
            }
            Ok(money) => Some(money),
            Err(_) => {
                self.blame(column, Fault::NotADecimal);
                None
            }
        }
    }
}

/// Years of four digits only: what lies outside is a typing error, and sorts wrongly as text.
fn sane(date: NaiveDate) -> Result<NaiveDate, ()> {
    use chrono::Datelike;
    if (1900..=2999).contains(&date.year()) { Ok(date) } else { Err(()) }
}

fn shaped_like_a_date(text: &str) -> bool {
    let day = text.split(['T', ' ']).next().unwrap_or(text);
    let parts: Vec<&str> = day.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [4, 2, 2] && parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
}
