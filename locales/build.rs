//! Turns the folders of words into types, and stops the build where a language is not complete.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fs,
    path::PathBuf,
};

/// Every folder below `locales/` is a language, every file of the English one a namespace. A missing or surplus key
/// in another language stops the build: a half-translated screen must not ship.
fn main() -> Result<(), Box<dyn Error>> {
    use leptos_i18n_build::{Config, ParseOptions, TranslationsInfos};

    println!("cargo::rerun-if-changed=.");
    let out = PathBuf::from(env::var("OUT_DIR")?).join("words");
    let mut config = Config::new("en")?.locales_path(".").parse_options(ParseOptions::new().interpolate_display(true));
    for language in languages()?.into_iter().filter(|name| name != "en") {
        config = config.add_locale(&language)?;
    }
    for file in names("en")? {
        config = config.add_namespace(file.trim_end_matches(".json"))?;
    }
    let infos = TranslationsInfos::parse_at_dir(env::var("CARGO_MANIFEST_DIR")?, config)?;
    strict()?;
    infos.generate_i18n_module(out)?;
    Ok(())
}

/// The languages: every folder beside this file that is not the crate's own.
fn languages() -> Result<Vec<String>, Box<dyn Error>> {
    Ok(names(".")?.into_iter().filter(|name| PathBuf::from(name).join("shell.json").is_file()).collect())
}

fn names(folder: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names: Vec<String> = fs::read_dir(folder)?
        .map(|entry| entry.map(|e| e.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, _>>()?;
    names.sort();
    Ok(names)
}

/// Compares every language with English: the same keys, the same placeholders, the plural forms that it needs.
fn strict() -> Result<(), Box<dyn Error>> {
    let mut faults = Vec::new();
    for file in names("en")? {
        let english = keys(&PathBuf::from("en").join(&file))?;
        for language in languages()?.into_iter().filter(|name| name != "en") {
            let path = PathBuf::from(&language).join(&file);
            let there = keys(&path)?;
            let place = path.display();
            faults.extend(english.keys().filter(|k| !there.contains_key(*k)).map(|k| format!("{place}: missing {k}")));
            faults.extend(there.keys().filter(|k| !english.contains_key(*k)).map(|k| format!("{place}: surplus {k}")));
            for (key, word) in &there {
                let Some(model) = english.get(key) else { continue };
                if model.holes != word.holes {
                    faults.push(format!("{place}: {key} has {:?}, English has {:?}", word.holes, model.holes));
                }
                let needed: &[&str] = if language == "lt" { &["one", "few", "other"] } else { &["one", "other"] };
                if !word.forms.is_empty() && needed.iter().any(|form| !word.forms.contains(*form)) {
                    faults.push(format!("{place}: {key} needs the forms {needed:?}"));
                }
            }
        }
    }
    for fault in &faults {
        println!("cargo::error={fault}");
    }
    if faults.is_empty() { Ok(()) } else { Err("the languages differ".into()) }
}

/// What one word holds, all its plural forms together.
#[derive(Default)]
struct Word {
    forms: BTreeSet<String>,
    holes: BTreeSet<String>,
}

fn keys(path: &std::path::Path) -> Result<BTreeMap<String, Word>, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let json = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut words = BTreeMap::new();
    collect("", &json, &mut words);
    Ok(words)
}

fn collect(prefix: &str, json: &serde_json::Value, words: &mut BTreeMap<String, Word>) {
    const FORMS: [&str; 6] = ["_zero", "_one", "_two", "_few", "_many", "_other"];
    match json {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                collect(&path, value, words);
            }
        }
        serde_json::Value::String(text) => {
            let form = FORMS.iter().find(|form| prefix.ends_with(**form));
            let key = form.map_or(prefix, |form| &prefix[..prefix.len() - form.len()]);
            let word = words.entry(key.to_owned()).or_default();
            word.forms.extend(form.map(|form| form[1..].to_owned()));
            // A singular may say "one" instead of the number.
            word.holes.extend(holes(text).filter(|hole| form.is_none() || hole != "count"));
        }
        _ => {}
    }
}

fn holes(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}").map(|(hole, _)| hole.trim().to_owned()))
}
