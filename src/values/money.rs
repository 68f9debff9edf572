//! Money: an integer of minor units and a currency; never a float.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An ISO 4217 currency code, three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    pub const EUR: Self = Self(*b"EUR");

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Digits after the decimal mark, by ISO 4217.
    pub fn digits(&self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Not three capital ASCII letters, or not a code that ISO 4217 knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 4217 code")]
pub struct NotACurrency;

/// Every active ISO 4217 code of a country or union, sorted.
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP \
    BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL \
    GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT \
    LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR \
    PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB \
    TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR \
    ZMW ZWG";

impl FromStr for Currency {
    type Err = NotACurrency;
    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        let bytes: [u8; 3] = text.as_bytes().try_into().map_err(|_| NotACurrency)?;
        if CODES.split_ascii_whitespace().any(|code| code == text) { Ok(Self(bytes)) } else { Err(NotACurrency) }
    }
}

impl TryFrom<String> for Currency {
    type Error = NotACurrency;
    fn try_from(text: String) -> Result<Self, NotACurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// An amount in minor units (cents) of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

/// The text is not a decimal, has more digits than the currency, or is too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal")]
pub struct NotAnAmount;

impl Money {
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    pub fn is_zero(&self) -> bool {
        self.minor == 0
    }

    /// Reads a plain decimal such as `12`, `12.5` or `-3.99`; a point, never a comma.
    ///
    /// # Errors
    /// [`NotAnAmount`] where it is not one, or has more digits than the currency.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, NotAnAmount> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let places = currency.digits() as usize;
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let trailing_point = digits.ends_with('.');
        let significant = part.trim_end_matches('0');
        if whole.is_empty() || trailing_point || !all_digits(whole) || !all_digits(part) || significant.len() > places {
            return Err(NotAnAmount);
        }
        let joined = format!("{whole}{significant:0<places$}");
        let minor: i64 = joined.parse().map_err(|_| NotAnAmount)?;
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }

    /// Reads an amount as people type it: with a point or a comma before the cents, with or without marks between the
    /// thousands (`1 234,50`, `1.234,50`, `1,234.50`). What could be meant in two ways (`1.234`) is none.
    ///
    /// # Errors
    /// [`NotAnAmount`] where it is not one.
    pub fn typed(text: &str, currency: Currency) -> Result<Self, NotAnAmount> {
        let mut text: String = text.trim().replace('\u{2212}', "-");
        let marks: Vec<char> = text.chars().filter(|c| matches!(c, '.' | ',')).collect();
        let decimal = match marks[..] {
            [] => None,
            [one] => Some(one),
            // The last mark stands before the cents, if those before it are of the other kind.
            [.., before, last] if before != last => Some(last),
            _ => None,
        };
        if let Some((whole, cents)) = decimal.and_then(|mark| text.rsplit_once(mark)) {
            if cents.len() > currency.digits() as usize {
                return Err(NotAnAmount);
            }
            text = format!("{}.{cents}", ungrouped(whole)?);
        } else {
            text = ungrouped(&text)?;
        }
        Self::parse(&text, currency)
    }

    /// Adds two amounts of one currency; `None` where the currencies differ or the sum is too large.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        Some(Self { minor: self.minor.checked_add(other.minor)?, currency: self.currency })
    }

    /// `n` times the amount; `None` where it is too large.
    pub fn times(self, n: i64) -> Option<Self> {
        Some(Self { minor: self.minor.checked_mul(n)?, currency: self.currency })
    }

    /// The share of `percent` per cent, rounded half up (away from zero) to the minor unit.
    pub fn percent(self, percent: i64) -> Self {
        let scaled = i128::from(self.minor) * i128::from(percent);
        let rounded = (scaled.abs() + 50) / 100;
        let minor = i64::try_from(rounded * scaled.signum()).unwrap_or(i64::MAX);
        Self { minor, currency: self.currency }
    }

    /// The plain decimal, as files and the API carry it: `12.50`.
    pub fn decimal(&self) -> String {
        let places = self.currency.digits();
        let unit = 10_u64.pow(places);
        let sign = if self.minor < 0 { "-" } else { "" };
        let magnitude = self.minor.unsigned_abs();
        if places == 0 {
            format!("{sign}{magnitude}")
        } else {
            format!("{sign}{}.{:0width$}", magnitude / unit, magnitude % unit, width = places as usize)
        }
    }
}

/// A whole number without the marks between its thousands.
fn ungrouped(text: &str) -> Result<String, NotAnAmount> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let is_mark = |c: char| matches!(c, '.' | ',' | ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’');
    let groups: Vec<&str> = digits.split(is_mark).collect();
    let mut marks: Vec<char> = digits.chars().filter(|c| is_mark(*c)).collect();
    marks.dedup();
    let by_threes = (1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|group| group.len() == 3);
    // One kind of mark, and three digits behind each.
    if marks.len() > 1 || (!marks.is_empty() && !by_threes) {
        return Err(NotAnAmount);
    }
    Ok(format!("{sign}{}", groups.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_as_people_type_it() {
        let typed = |text: &str| Money::typed(text, Currency::EUR).ok().map(|money| money.minor);
        for (text, minor) in [
            ("12", 1200),
            ("12,5", 1250),
            (" 12.50 ", 1250),
            ("0,07", 7),
            ("1 234,50", 123_450),
            ("1\u{a0}234,50", 123_450),
            ("1\u{202f}234\u{202f}567", 123_456_700),
            ("1.234,50", 123_450),
            ("1,234.50", 123_450),
            ("1.234.567", 123_456_700),
            ("1’234.50", 123_450),
            ("-3,99", -399),
        ] {
            assert_eq!(typed(text), Some(minor), "{text}");
        }
        for text in [
            "",
            ",",
            "1.234",
            "1,234",
            "12,",
            ",50",
            "1.2.3",
            "12 34,50",
            "1 234.567,00",
            "1,2,3.4",
            "1e3",
            "€5",
            "a,b",
        ] {
            assert_eq!(typed(text), None, "{text}");
        }
        let yen: Currency = "JPY".parse().unwrap();
        assert_eq!(Money::typed("1,234,567", yen).unwrap().minor, 1_234_567);
        assert_eq!(Money::typed("1,5", yen), Err(NotAnAmount));
    }

    #[test]
    fn a_decimal_is_read_and_written_exactly() {
        for (text, minor) in [("12", 1200), ("12.5", 1250), ("0.07", 7), ("-3.99", -399), ("1.500", 150)] {
            let money = Money::parse(text, Currency::EUR).unwrap();
            assert_eq!(money.minor, minor, "{text}");
            assert_eq!(Money::parse(&money.decimal(), Currency::EUR).unwrap(), money);
        }
    }

    #[test]
    fn what_is_not_a_decimal_is_refused() {
        for text in ["", ".", "12.", "12,5", "12,5.0", "1e3", "+1", "0.001", "1 000", "99999999999999999999"] {
            assert_eq!(Money::parse(text, Currency::EUR), Err(NotAnAmount), "{text}");
        }
    }

    #[test]
    fn only_iso_codes_are_currencies() {
        assert!("EUR".parse::<Currency>().is_ok());
        for text in ["EURO", "eur", "XXQ", "", "E R"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_percentage_is_rounded_half_up() {
        assert_eq!(Money::new(4620, Currency::EUR).percent(25).minor, 1155);
        assert_eq!(Money::new(1, Currency::EUR).percent(50).minor, 1);
        assert_eq!(Money::new(-1, Currency::EUR).percent(50).minor, -1);
    }

    #[test]
    fn yen_have_no_decimals() {
        let yen: Currency = "JPY".parse().unwrap();
        assert_eq!(Money::parse("500", yen).unwrap().decimal(), "500");
        assert_eq!(Money::parse("5.5", yen), Err(NotAnAmount));
    }
}
