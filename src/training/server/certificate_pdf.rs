//! A certificate on paper: one page in landscape, in our own fonts, so that it looks the same everywhere. Text is
//! shaped, so that Devanagari joins as it should.

use super::certificates::Said;
use crate::{error::AppError, server::internal};
use chrono::{DateTime, Datelike, Timelike, Utc};
use krilla::{
    Document,
    color::rgb,
    geom::{PathBuilder, Point, Rect},
    metadata::{DateTime as Moment, Metadata},
    num::NormalizedF32,
    page::PageSettings,
    paint::{Fill, Stroke},
    surface::Surface,
    text::{Font, TextDirection},
};

/// Noto Sans, cut to Latin, Greek, Cyrillic and Devanagari; under the SIL Open Font License, see `fonts/OFL.txt`.
static REGULAR: &[u8] = include_bytes!("fonts/NotoSans-Regular.ttf");
static BOLD: &[u8] = include_bytes!("fonts/NotoSans-Bold.ttf");

/// A4, lying: points, 72 to the inch.
const WIDTH: f32 = 841.89;
const HEIGHT: f32 = 595.28;
const MARGIN: f32 = 34.0;
/// The widest that a line of text is.
const LINE: f32 = WIDTH - 2.0 * (MARGIN + 46.0);

const INK: (u8, u8, u8) = (28, 40, 46);
const SOFT: (u8, u8, u8) = (88, 100, 106);
const BRAND: (u8, u8, u8) = (0, 93, 80);

/// A weight of the font, to draw with and to measure with.
struct Face {
    font: Font,
    measure: rustybuzz::Face<'static>,
}

fn damaged() -> AppError {
    internal("a font is damaged", &"certificate")
}

/// What a weight of the font measures and shapes with.
fn measure(bytes: &'static [u8]) -> Result<rustybuzz::Face<'static>, AppError> {
    rustybuzz::Face::from_slice(bytes, 0).ok_or_else(damaged)
}

/// The glyphs of a text in one script.
fn shape(face: &rustybuzz::Face<'_>, run: &str) -> rustybuzz::GlyphBuffer {
    let mut buffer = rustybuzz::UnicodeBuffer::new();
    buffer.push_str(run);
    buffer.guess_segment_properties();
    rustybuzz::shape(face, &[], buffer)
}

/// Whether the font has a glyph for every character of a text. Glyph 0 stands for those that it lacks, and is not seen.
fn has_glyphs(face: &rustybuzz::Face<'_>, text: &str) -> bool {
    runs(text).into_iter().all(|run| shape(face, run).glyph_infos().iter().all(|glyph| glyph.glyph_id != 0))
}

/// Whether our fonts can write all that the certificate says. Where they cannot, its page is printed: a browser has fonts
/// of its own.
///
/// # Errors
/// Only ours.
pub fn can_draw(said: &Said) -> Result<bool, AppError> {
    let (regular, bold) = (measure(REGULAR)?, measure(BOLD)?);
    let facts = said.facts.iter().flat_map(|(name, what)| [name, what]);
    let lines = [&said.awarded, &said.took_part, &said.company, &said.trainer, &said.trainer_label];
    let mut in_regular = lines.into_iter().chain([&said.verify, &said.address]).chain(facts);
    let mut in_bold = [&said.company, &said.heading, &said.name, &said.title, &said.code].into_iter();
    Ok(in_regular.all(|text| has_glyphs(&regular, text)) && in_bold.all(|text| has_glyphs(&bold, text)))
}

impl Face {
    fn load(bytes: &'static [u8]) -> Result<Self, AppError> {
        Ok(Self { font: Font::new(bytes.into(), 0).ok_or_else(damaged)?, measure: measure(bytes)? })
    }

    fn width(&self, text: &str, size: f32) -> f32 {
        let glyphs = shape(&self.measure, text);
        let units: i32 = glyphs.glyph_positions().iter().map(|glyph| glyph.x_advance).sum();
        units as f32 * size / self.measure.units_per_em() as f32
    }
}

/// The certificate as a file.
///
/// # Errors
/// Only ours.
pub fn draw(said: &Said, given_at: DateTime<Utc>) -> Result<Vec<u8>, AppError> {
    let (regular, bold) = (Face::load(REGULAR)?, Face::load(BOLD)?);
    let mut document = Document::new();
    let settings =
        PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| internal("a page without a size", &"certificate"))?;
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    let mut sheet = Sheet { surface: &mut surface };
    sheet.frame();
    sheet.centred(&bold, &said.company, 104.0, 17.0, BRAND);
    sheet.centred(&bold, &said.heading, 160.0, 40.0, INK);
    sheet.centred(&regular, &said.awarded, 206.0, 14.0, SOFT);
    sheet.centred(&bold, &said.name, 254.0, 34.0, INK);
    sheet.centred(&regular, &said.took_part, 290.0, 14.0, SOFT);
    sheet.wrapped(&bold, &said.title, 326.0, 21.0, BRAND);
    let facts = said.facts.iter().map(|(name, what)| format!("{name}: {what}")).collect::<Vec<_>>().join("   ·   ");
    sheet.centred(&regular, &facts, 394.0, 12.0, INK);
    sheet.signature(&regular, said);
    sheet.proof(&regular, &bold, said);
    surface.finish();
    page.finish();
    let moment = Moment::new(u16::try_from(given_at.year()).unwrap_or(2000))
        .month(given_at.month() as u8)
        .day(given_at.day() as u8)
        .hour(given_at.hour() as u8)
        .minute(given_at.minute() as u8)
        .second(given_at.second() as u8)
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    let metadata = Metadata::new()
        .title(format!("{} · {}", said.heading, said.name))
        .authors(vec![said.company.clone()])
        .language(said.language.clone())
        .creation_date(moment);
    document.set_metadata(metadata);
    document.finish().map_err(|e| internal("a certificate could not be drawn", &e))
}

struct Sheet<'a, 's> {
    surface: &'a mut Surface<'s>,
}

impl Sheet<'_, '_> {
    fn ink(&mut self, (r, g, b): (u8, u8, u8)) {
        self.surface.set_stroke(None);
        let paint = rgb::Color::new(r, g, b).into();
        self.surface.set_fill(Some(Fill { paint, opacity: NormalizedF32::ONE, rule: Default::default() }));
    }

    /// Two lines around the page.
    fn frame(&mut self) {
        for (inset, width) in [(MARGIN, 2.2), (MARGIN + 7.0, 0.7)] {
            let Some(rect) = Rect::from_xywh(inset, inset, WIDTH - 2.0 * inset, HEIGHT - 2.0 * inset) else { return };
            let mut path = PathBuilder::new();
            path.push_rect(rect);
            self.surface.set_fill(None);
            let paint = rgb::Color::new(BRAND.0, BRAND.1, BRAND.2).into();
            self.surface.set_stroke(Some(Stroke { paint, width, ..Stroke::default() }));
            if let Some(path) = path.finish() {
                self.surface.draw_path(&path);
            }
        }
    }

    /// One line from `x` on; each script is shaped by itself. Gives where it ends.
    fn line(&mut self, face: &Face, text: &str, x: f32, y: f32, size: f32) -> f32 {
        let mut x = x;
        for run in runs(text) {
            let start = Point::from_xy(x, y);
            self.surface.draw_text(start, face.font.clone(), size, run, false, TextDirection::Auto);
            x += face.width(run, size);
        }
        x
    }

    /// In the middle, smaller where it is too long.
    fn centred(&mut self, face: &Face, text: &str, y: f32, size: f32, colour: (u8, u8, u8)) {
        let wide = wide(face, text, size);
        let size = if wide > LINE { size * LINE / wide } else { size };
        self.ink(colour);
        self.line(face, text, (WIDTH - wide.min(LINE)) / 2.0, y, size);
    }

    /// In the middle, on two lines where one is too short for it.
    fn wrapped(&mut self, face: &Face, text: &str, y: f32, size: f32, colour: (u8, u8, u8)) {
        match halves(text).filter(|_| wide(face, text, size) > LINE) {
            Some((first, second)) => {
                self.centred(face, first, y, size, colour);
                self.centred(face, second, y + size * 1.35, size, colour);
            }
            None => self.centred(face, text, y + size * 0.6, size, colour),
        }
    }

    fn signature(&mut self, regular: &Face, said: &Said) {
        let (x, y, length) = (MARGIN + 60.0, 492.0, 220.0);
        self.ink(INK);
        let mut path = PathBuilder::new();
        if let Some(rect) = Rect::from_xywh(x, y, length, 0.8) {
            path.push_rect(rect);
        }
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
        let size = 13.0 * (length / wide(regular, &said.trainer, 13.0)).min(1.0);
        self.line(regular, &said.trainer, x, y + 17.0, size);
        self.ink(SOFT);
        self.line(regular, &format!("{}, {}", said.trainer_label, said.company), x, y + 33.0, 10.0);
    }

    /// The code that leads to the page, and what it says.
    fn proof(&mut self, regular: &Face, bold: &Face, said: &Said) {
        let side = 84.0;
        let (left, top) = (WIDTH - MARGIN - 60.0 - side, 440.0);
        self.ink(INK);
        let step = side / said.qr.len().max(1) as f32;
        let mut path = PathBuilder::new();
        for (y, row) in said.qr.iter().enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, dark)| **dark) {
                // A hair more than a module, so that no viewer draws seams.
                let rect = Rect::from_xywh(left + x as f32 * step, top + y as f32 * step, step + 0.05, step + 0.05);
                if let Some(rect) = rect {
                    path.push_rect(rect);
                }
            }
        }
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
        let ends = |text: &str, face: &Face, size: f32| left - 16.0 - wide(face, text, size);
        self.ink(SOFT);
        self.line(regular, &said.verify, ends(&said.verify, regular, 10.0), top + 46.0, 10.0);
        self.line(regular, &said.address, ends(&said.address, regular, 8.0), top + 82.0, 8.0);
        self.ink(INK);
        self.line(bold, &said.code, ends(&said.code, bold, 15.0), top + 66.0, 15.0);
    }
}

fn wide(face: &Face, text: &str, size: f32) -> f32 {
    runs(text).into_iter().map(|run| face.width(run, size)).sum()
}

/// The text in pieces of one script each; spaces and marks stay with what stands before them.
fn runs(text: &str) -> Vec<&str> {
    let mut runs = Vec::new();
    let (mut start, mut script) = (0, None);
    for (at, c) in text.char_indices() {
        let of = match c {
            '\u{900}'..='\u{97f}' | '\u{a8e0}'..='\u{a8ff}' => Some(true),
            c if c.is_alphabetic() => Some(false),
            _ => None,
        };
        if of.is_some() && script.is_some() && of != script {
            runs.push(&text[start..at]);
            start = at;
        }
        script = of.or(script);
    }
    if start < text.len() {
        runs.push(&text[start..]);
    }
    runs
}

/// Two lines that are about as long as each other.
fn halves(text: &str) -> Option<(&str, &str)> {
    let middle = text.len() / 2;
    let at = text.match_indices(' ').map(|(at, _)| at).min_by_key(|at| at.abs_diff(middle))?;
    Some((&text[..at], &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_is_shaped_by_itself() {
        assert_eq!(runs("Jūratė Žemaitė"), ["Jūratė Žemaitė"]);
        assert_eq!(runs("प्रिया शर्मा (Priya)"), ["प्रिया शर्मा (", "Priya)"]);
        assert_eq!(runs("2026"), ["2026"]);
        assert!(runs("").is_empty());
    }

    #[test]
    fn every_name_of_our_languages_has_its_glyphs_and_what_others_lack_is_known() {
        for bytes in [REGULAR, BOLD] {
            let face = measure(bytes).unwrap();
            for name in [
                "ąčęėįšųūž ĄČĘĖĮŠŲŪŽ",
                "áéíóúñü¿¡",
                "àèéìòù’“”",
                "प्रिया क्षेत्रज्ञ श्रृंखला ॐ १२३",
                "Łódź Škoda Ørsted",
                "Αθήνα Київ",
            ] {
                assert!(has_glyphs(&face, name), "{name}");
            }
            for name in ["李小龙", "김민수", "محمد", "שרה", "สมชาย", "Li 小龙"] {
                assert!(!has_glyphs(&face, name), "{name}");
            }
        }
    }

    #[test]
    fn a_long_title_stands_on_two_lines() {
        assert_eq!(halves("one two three four"), Some(("one two", "three four")));
        assert_eq!(halves("one"), None);
    }
}
