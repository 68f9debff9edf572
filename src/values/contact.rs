//! How people and places are addressed.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An e-mail address, trimmed and in lower case, so that one person is not two.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct NotAnEmailAddress;

impl EmailAddress {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = NotAnEmailAddress;

    /// Takes what mail servers take in practice: one `@`, a local part of up to 64 bytes without spaces or controls,
    /// a domain of dotted labels, 254 bytes in all (RFC 5321, 4.5.3.1).
    fn from_str(text: &str) -> Result<Self, NotAnEmailAddress> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(NotAnEmailAddress)?;
        let bad = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || matches!(c, '@' | '<' | '>' | ',' | ';' | '"' | '\\' | '(' | ')' | ':' | '[' | ']')
        };
        let label = |l: &str| {
            !l.is_empty()
                && l.len() <= 63
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let dots = |s: &str| s.starts_with('.') || s.ends_with('.') || s.contains("..");
        let good = text.len() <= 254
            && !local.is_empty()
            && local.len() <= 64
            && !local.chars().any(bad)
            && !dots(local)
            && domain.contains('.')
            && domain.split('.').all(label);
        if good { Ok(Self(text.to_lowercase())) } else { Err(NotAnEmailAddress) }
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = NotAnEmailAddress;
    fn try_from(text: String) -> Result<Self, NotAnEmailAddress> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An ISO 3166-1 alpha-2 country code, two capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CountryCode([u8; 2]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 3166-1 country")]
pub struct NotACountry;

/// Every officially assigned ISO 3166-1 alpha-2 code.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET \
    FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ \
    IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML \
    MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS \
    PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL \
    TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

impl CountryCode {
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XX")
    }
}

impl FromStr for CountryCode {
    type Err = NotACountry;
    fn from_str(text: &str) -> Result<Self, NotACountry> {
        let bytes: [u8; 2] = text.as_bytes().try_into().map_err(|_| NotACountry)?;
        if COUNTRIES.split_ascii_whitespace().any(|code| code == text) { Ok(Self(bytes)) } else { Err(NotACountry) }
    }
}

impl TryFrom<String> for CountryCode {
    type Error = NotACountry;
    fn try_from(text: String) -> Result<Self, NotACountry> {
        text.parse()
    }
}

impl From<CountryCode> for String {
    fn from(country: CountryCode) -> Self {
        country.code().to_owned()
    }
}

/// A language tag by BCP 47, checked for shape only: `it`, `en-GB`, `zh-Hant-TW`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LanguageTag(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a BCP 47 language tag")]
pub struct NotALanguageTag;

impl LanguageTag {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language alone: `en` of `en-GB`.
    pub fn language(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }
}

impl FromStr for LanguageTag {
    type Err = NotALanguageTag;
    fn from_str(text: &str) -> Result<Self, NotALanguageTag> {
        let mut parts = text.split('-');
        let first = parts.next().unwrap_or_default();
        let language = (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic());
        let rest = parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
        if language && rest && text.len() <= 35 { Ok(Self(text.to_owned())) } else { Err(NotALanguageTag) }
    }
}

impl TryFrom<String> for LanguageTag {
    type Error = NotALanguageTag;
    fn try_from(text: String) -> Result<Self, NotALanguageTag> {
        text.parse()
    }
}

impl From<LanguageTag> for String {
    fn from(tag: LanguageTag) -> Self {
        tag.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_trimmed_and_lowered() {
        assert_eq!(" Ann@Example.COM ".parse::<EmailAddress>().unwrap().as_str(), "ann@example.com");
    }

    #[test]
    fn what_no_mail_server_takes_is_refused() {
        for text in [
            "",
            "a",
            "a@",
            "@b.c",
            "a@b",
            "a b@c.de",
            "a@b..c",
            "a@-b.c",
            "x\r\nBcc: y@z.org",
            "a@b.c>",
            ".a@b.c",
            "no-at-sign.example.com",
        ] {
            assert!(text.parse::<EmailAddress>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_assigned_countries_exist() {
        assert!("LT".parse::<CountryCode>().is_ok());
        assert!("XX".parse::<CountryCode>().is_err() && "lt".parse::<CountryCode>().is_err());
    }

    #[test]
    fn a_language_tag_has_its_shape() {
        assert_eq!("en-GB".parse::<LanguageTag>().unwrap().language(), "en");
        assert!("e".parse::<LanguageTag>().is_err() && "en_GB".parse::<LanguageTag>().is_err());
    }
}
