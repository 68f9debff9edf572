//! Words and formats in the reader's language. The only place that turns values into prose.

mod faults;
mod format;
mod grammar;

use leptos_i18n::Locale as _;

pub use aftercare_words::Locale;
pub use format::Fmt;
pub use grammar::settled;

/// A word in the language of `$cx` (anything with a field `locale`): `w!(cx, shell.home)`,
/// `w!(cx, training.seats_left, count = 3_u64)`.
#[macro_export]
macro_rules! w {
    ($cx:expr, $($key:tt)*) => {
        $crate::i18n::settled($cx.locale, leptos_i18n::td_string!($cx.locale, $($key)*).to_string())
    };
}

/// A value that can be said.
pub trait InWords {
    fn in_words(&self, fmt: Fmt) -> String;
}

/// Text as searches compare it: without case, and without the accents that people leave out when they type. The marks
/// that scripts such as Devanagari write their vowels with stay.
pub fn fold(text: &str) -> String {
    let accent = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let lower = text.to_lowercase();
    icu_normalizer::DecomposingNormalizerBorrowed::new_nfd().normalize(&lower).chars().filter(|c| !accent(c)).collect()
}

/// Every language, with the name that its speakers give it.
pub const LANGUAGES: [(&str, &str); 5] =
    [("en", "English"), ("es", "Español"), ("it", "Italiano"), ("hi", "हिन्दी"), ("lt", "Lietuvių")];

/// The language of a BCP 47 tag, where we have it: `en-GB` is `en`.
pub fn locale(tag: &str) -> Option<Locale> {
    let language = tag.split(['-', '_']).next()?.to_ascii_lowercase();
    Locale::get_all().iter().copied().find(|locale| locale.as_str() == language)
}

/// The best of ours for an `Accept-Language` header (RFC 9110, 12.5.4): highest quality first, English where none fits.
pub fn negotiate(header: &str) -> Locale {
    let mut wanted: Vec<(f32, usize, Locale)> = header
        .split(',')
        .enumerate()
        .take(20)
        .filter_map(|(place, part)| {
            let mut parts = part.split(';');
            let tag = parts.next()?.trim();
            let quality = parts.find_map(|p| p.trim().strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
            locale(tag).filter(|_| quality > 0.0).map(|locale| (quality, place, locale))
        })
        .collect();
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    wanted.first().map_or_else(Locale::default, |(_, _, locale)| *locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_favourite_that_we_have_wins() {
        assert_eq!(negotiate("fr-FR,fr;q=0.9,it;q=0.8,en;q=0.7"), Locale::it);
        assert_eq!(negotiate("en;q=0.5, lt"), Locale::lt);
        assert_eq!(negotiate("hi-IN"), Locale::hi);
        assert_eq!(negotiate("de, *;q=0.1"), Locale::en);
        assert_eq!(negotiate(""), Locale::en);
    }

    #[test]
    fn a_search_needs_no_accents_and_keeps_every_vowel() {
        assert_eq!(fold("Įrangos PRIEŽIŪRA"), "irangos prieziura");
        assert_eq!(fold("Contabilità"), fold("contabilita"));
        assert_ne!(fold("प्रिंटर"), fold("परटर"));
    }

    #[test]
    fn every_language_has_its_own_name() {
        assert_eq!(LANGUAGES.len(), Locale::get_all().len());
        assert!(Locale::get_all().iter().all(|locale| LANGUAGES.iter().any(|(code, _)| *code == locale.as_str())));
    }
}
