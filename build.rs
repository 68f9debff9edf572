//! Joins the style sheets into one file, which the server carries inside.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_SSR").is_some() {
        fs::write(out.join("main.css"), style("style/main.css")?)?;
    }
    Ok(())
}

/// Replaces every `@import "file.css" layer(name);` by the file inside its layer, and drops comments and indentation.
fn style(main: &str) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed=style");
    let mut joined = String::new();
    for line in fs::read_to_string(main)?.lines() {
        let Some(import) = line.trim().strip_prefix("@import \"") else {
            joined.push_str(line);
            joined.push('\n');
            continue;
        };
        let (file, rest) = import.split_once('"').ok_or("@import without its end")?;
        let sheet = fs::read_to_string(PathBuf::from("style").join(file))?;
        match rest.trim().trim_end_matches(';').strip_prefix("layer(").and_then(|r| r.strip_suffix(')')) {
            Some(layer) => joined.push_str(&format!("@layer {layer} {{\n{sheet}\n}}\n")),
            None => joined.push_str(&sheet),
        }
    }
    Ok(slim(&joined))
}

fn slim(css: &str) -> String {
    let mut slimmed = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(start) = rest.find("/*") {
        slimmed.push_str(&rest[..start]);
        rest = rest[start..].find("*/").map_or("", |end| &rest[start + end + 2..]);
    }
    slimmed.push_str(rest);
    slimmed.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
