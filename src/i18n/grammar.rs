//! What a language does to a sentence once a date stands in it: words that bend to their neighbours, which no formatter
//! knows of.

use super::Locale;

/// The sentence as its language writes it.
pub fn settled(locale: Locale, text: String) -> String {
    match locale {
        Locale::it => elided(text),
        Locale::lt => governed(text),
        Locale::en | Locale::es | Locale::hi => text,
    }
}

const ITALIAN_MONTHS: [&str; 12] = [
    "gennaio",
    "febbraio",
    "marzo",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "agosto",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
];
/// Article and prepositions before a day of the month, and how they shorten before a vowel.
const ARTICLES: [(&str, &str); 7] = [
    ("il", "l’"),
    ("Il", "L’"),
    ("al", "all’"),
    ("dal", "dall’"),
    ("del", "dell’"),
    ("nel", "nell’"),
    ("sul", "sull’"),
];

/// The eighth and the eleventh begin with a vowel: `fino all’8 maggio`, `dall’11 dicembre`.
fn elided(text: String) -> String {
    if !text.contains("l 8 ") && !text.contains("l 11 ") {
        return text;
    }
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let mut place = 0;
    while place + 2 < words.len() {
        let vowel = matches!(words[place + 1].as_str(), "8" | "11");
        if vowel && ITALIAN_MONTHS.contains(&letters(&words[place + 2])) {
            let word = words[place].clone();
            // What stands before it in the same breath: a bracket, a line break.
            let begin = word.rfind(|c: char| !c.is_alphabetic()).map_or(0, |at| at + char_length(&word, at));
            if let Some((_, short)) = ARTICLES.iter().find(|(long, _)| *long == &word[begin..]) {
                words[place] = format!("{}{short}{}", &word[..begin], words[place + 1]);
                words.remove(place + 1);
            }
        }
        place += 1;
    }
    words.join(" ")
}

fn char_length(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}

/// A word without what stands around it.
fn letters(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphabetic())
}

const LITHUANIAN_MONTHS: [&str; 12] = [
    "sausio",
    "vasario",
    "kovo",
    "balandžio",
    "gegužės",
    "birželio",
    "liepos",
    "rugpjūčio",
    "rugsėjo",
    "spalio",
    "lapkričio",
    "gruodžio",
];
/// How far a weekday stands behind its month at the most: `gruodžio 1 d., antradienį, 11:00`.
const REACH: usize = 4;

/// After `iki` and `nuo` the weekday of a moment stands in the genitive: `iki gruodžio 1 d., antradienio, 11:00`.
fn governed(text: String) -> String {
    if !text.contains("dienį") {
        return text;
    }
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    for place in 0..words.len().saturating_sub(1) {
        let asks = matches!(letters(&words[place]), "iki" | "Iki" | "nuo" | "Nuo");
        if !asks || !LITHUANIAN_MONTHS.contains(&letters(&words[place + 1])) {
            continue;
        }
        let weekday = words.iter_mut().skip(place + 1).take(REACH).find(|word| letters(word).ends_with("dienį"));
        if let Some(weekday) = weekday {
            *weekday = weekday.replace("dienį", "dienio");
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn italian_articles_shorten_before_the_eighth_and_the_eleventh() {
        let said = |text: &str| settled(Locale::it, text.to_owned());
        assert_eq!(said("Valido fino al 8 maggio 2026."), "Valido fino all’8 maggio 2026.");
        assert_eq!(said("dal 11 dicembre 2026 al 8 gennaio 2027"), "dall’11 dicembre 2026 all’8 gennaio 2027");
        assert_eq!(said("Bene.\n\nIl 11 marzo (il 8 aprile)"), "Bene.\n\nL’11 marzo (l’8 aprile)");
        for same in ["fino al 14 maggio", "il 8 per cento", "al 11 di via Roma", "del 1 agosto", ""] {
            assert_eq!(said(same), same);
        }
        assert_eq!(settled(Locale::es, "del 8 maggio".to_owned()), "del 8 maggio");
    }

    #[test]
    fn lithuanian_weekdays_follow_their_preposition() {
        let said = |text: &str| settled(Locale::lt, text.to_owned());
        assert_eq!(
            said("Atsakysime iki gruodžio 1 d., antradienį, 11:00."),
            "Atsakysime iki gruodžio 1 d., antradienio, 11:00."
        );
        assert_eq!(
            said("vėluoja nuo gegužės 14 d., ketvirtadienį 16:30"),
            "vėluoja nuo gegužės 14 d., ketvirtadienio 16:30"
        );
        for same in [
            "Pradėta gruodžio 1 d., antradienį, 11:00",
            "iki pietų, antradienį",
            "nuo gruodžio 1 d. ir kas antrą savaitę antradienį",
        ] {
            assert_eq!(said(same), same);
        }
    }
}
