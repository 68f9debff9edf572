//! Numbers that people read out: eight characters without look-alikes, the last one a check character.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Crockford's base 32 without `I L O U`, so that nothing is misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 8;

/// A public number such as `7K3M-Q2XD`; seven characters of chance or count and one that proves the others.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicNumber(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a number of ours")]
pub struct NotANumber;

impl PublicNumber {
    /// The number that belongs to a seed: 35 bits of it are kept. The caller draws the seed.
    pub fn from_seed(seed: u64) -> Self {
        let mut text: String =
            (0..LENGTH - 1).map(|place| ALPHABET[(seed >> (5 * place)) as usize & 31] as char).collect();
        text.push(check(&text));
        Self(text)
    }

    /// As it is stored: eight characters, no hyphen.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// ISO 7064-style weighted sum over a prime, folded into the alphabet: finds nearly every single wrong character and every
/// swap of neighbours among the first 31 values.
fn check(text: &str) -> char {
    let sum = text.bytes().fold(0_usize, |sum, byte| {
        let value = ALPHABET.iter().position(|a| *a == byte).unwrap_or(0);
        (sum * 2 + value) % 31
    });
    ALPHABET[sum] as char
}

impl FromStr for PublicNumber {
    type Err = NotANumber;

    /// Takes it as people type it: any case, hyphens and spaces anywhere, `O` for `0`, `I` or `L` for `1`.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let text: String = text
            .chars()
            .filter(|c| !matches!(c, '-' | ' '))
            .map(|c| match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect();
        let known = text.len() == LENGTH && text.bytes().all(|b| ALPHABET.contains(&b));
        if known && text.ends_with(check(&text[..LENGTH - 1])) { Ok(Self(text)) } else { Err(NotANumber) }
    }
}

impl fmt::Display for PublicNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (head, tail) = self.0.split_at(4);
        write!(f, "{head}-{tail}")
    }
}

impl TryFrom<String> for PublicNumber {
    type Error = NotANumber;
    fn try_from(text: String) -> Result<Self, NotANumber> {
        text.parse()
    }
}

impl From<PublicNumber> for String {
    fn from(number: PublicNumber) -> Self {
        number.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_back_as_people_type_it() {
        let number = PublicNumber::from_seed(0x1_2345_6789);
        let typed = number.to_string().to_lowercase().replace('-', " ").replace('0', "o");
        assert_eq!(typed.parse::<PublicNumber>().unwrap(), number);
    }

    #[test]
    fn one_wrong_character_is_found() {
        let number = PublicNumber::from_seed(987_654_321);
        for place in 0..LENGTH - 1 {
            let mut bytes = number.as_str().as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'7' { b'8' } else { b'7' };
            assert!(String::from_utf8(bytes).unwrap().parse::<PublicNumber>().is_err(), "place {place}");
        }
    }
}
