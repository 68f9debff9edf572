//! What remains of a firm's name when one leaves out how it may be written: two firms with the same remainder are likely
//! one. A person decides; nothing is merged by it.

/// Legal forms, without dots: they come and go before and behind a name.
const FORMS: [&str; 38] = [
    "ab", "ag", "as", "bv", "co", "corp", "cv", "doo", "gmbh", "ii", "inc", "kft", "kg", "limited", "llc", "llp",
    "ltd", "ltda", "mb", "nv", "ohg", "oy", "oyj", "plc", "private", "pvt", "sa", "sarl", "sas", "sl", "slu", "snc",
    "spa", "sro", "srl", "srls", "uab", "vsi",
];

/// The words that tell a name from others, in lower case without accents, sorted. A name of nothing else but legal forms
/// and marks stays whole.
pub fn likeness(name: &str) -> String {
    let plain: String = name.chars().flat_map(char::to_lowercase).flat_map(plain).collect();
    let plain = plain.replace(['\'', '’', '`'], "");
    let mut words: Vec<String> = Vec::new();
    let mut initials = false;
    for word in plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        // `S.L.` and `S. L.` are one word.
        let initial = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
        match words.last_mut() {
            Some(last) if initial && initials => last.push_str(word),
            _ => words.push(word.to_owned()),
        }
        initials = initial;
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut own: Vec<&str> = words.iter().copied().filter(|word| !FORMS.contains(word) && *word != "and").collect();
    if own.is_empty() {
        own = words;
    }
    own.sort_unstable();
    own.dedup();
    own.join(" ")
}

/// A letter without its accent.
fn plain(letter: char) -> impl Iterator<Item = char> {
    let (first, second) = match letter {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ą' | 'ā' => ('a', None),
        'ä' => ('a', None),
        'æ' => ('a', Some('e')),
        'ç' | 'č' | 'ć' => ('c', None),
        'ď' | 'đ' => ('d', None),
        'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ė' | 'ě' | 'ē' => ('e', None),
        'ğ' => ('g', None),
        'ì' | 'í' | 'î' | 'ï' | 'į' | 'ī' => ('i', None),
        'ł' => ('l', None),
        'ñ' | 'ń' | 'ň' => ('n', None),
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' => ('o', None),
        'ř' => ('r', None),
        'š' | 'ś' | 'ș' => ('s', None),
        'ß' => ('s', Some('s')),
        'ť' | 'ț' => ('t', None),
        'ù' | 'ú' | 'û' | 'ü' | 'ų' | 'ū' | 'ű' | 'ů' => ('u', None),
        'ý' | 'ÿ' => ('y', None),
        'ž' | 'ź' | 'ż' => ('z', None),
        other => (other, None),
    };
    std::iter::once(first).chain(second)
}

#[cfg(test)]
mod tests {
    use super::likeness;
    use proptest::prelude::*;

    #[test]
    fn names_that_are_written_in_two_ways_are_alike() {
        for (one, other) in [
            ("UAB „Žalgirio spaustuvė“", "Zalgirio spaustuve, UAB"),
            ("Costa Verde Hotels, S.L.", "COSTA VERDE HOTELS SL"),
            ("Officine Rossi S.r.l.", "Officine  Rossi srl"),
            ("O'Brien & Sons Ltd.", "O’Brien and Sons Limited"),
            ("Sharma Textiles Pvt. Ltd.", "Sharma Textiles"),
            ("Müller GmbH & Co. KG", "Muller"),
        ] {
            assert_eq!(likeness(one), likeness(other), "{one} / {other}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for (one, other) in
            [("Rossi", "Russo"), ("Vilnius Taxi", "Kaunas Taxi"), ("शर्मा ट्रेडर्स", "वर्मा ट्रेडर्स"), ("SA", "SL")]
        {
            assert_ne!(likeness(one), likeness(other), "{one} / {other}");
        }
        assert!(!likeness("शर्मा ट्रेडर्स").is_empty());
    }

    proptest! {
        #[test]
        fn capitals_order_and_legal_forms_tell_nothing(one in "[a-z]{4,12}x", other in "[a-z]{4,12}x") {
            prop_assert_eq!(likeness(&format!("{one} {other}")), likeness(&format!("{}, {} UAB", other.to_uppercase(), one)));
        }
    }
}
