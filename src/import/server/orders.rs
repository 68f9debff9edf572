//! A file of JSON, read order by order: a list, several lists one after the other, or an order a line.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

/// No shop's order is longer; what is, is no file of orders, and would not fit into memory.
const LONGEST: usize = 16 << 20;

/// The text of one order, and the line on which it begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    pub text: Vec<u8>,
    pub line: u64,
}

/// Where the reading stands.
pub struct Orders {
    file: BufReader<File>,
    line: u64,
    /// Inside of a list.
    listed: bool,
    over: bool,
}

impl Orders {
    /// # Errors
    /// Where the file cannot be opened.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
        if file.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
            file.consume("\u{feff}".len());
        }
        Ok(Self { file, line: 1, listed: false, over: false })
    }

    fn next_order(&mut self) -> Result<Option<Order>, String> {
        let unread = |error: std::io::Error| error.to_string();
        loop {
            let Some(byte) = self.file.fill_buf().map_err(unread)?.first().copied() else {
                return if self.listed { Err(self.at("the file ends within a list of orders")) } else { Ok(None) };
            };
            match byte {
                b'{' => return self.order().map(Some),
                b'[' if !self.listed => self.listed = true,
                b']' if self.listed => self.listed = false,
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' | b',' => {}
                other => {
                    return Err(self.at(&format!("an order is expected, not {:?}", char::from(other))));
                }
            }
            self.file.consume(1);
        }
    }

    /// Takes an object out whole, by its braces.
    fn order(&mut self) -> Result<Order, String> {
        let mut order = Order { text: Vec::new(), line: self.line };
        let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
        loop {
            let buffer = self.file.fill_buf().map_err(|error| error.to_string())?;
            if buffer.is_empty() {
                return Err(at(order.line, "the file ends within the order that begins here"));
            }
            let mut end = None;
            for (place, byte) in buffer.iter().enumerate() {
                match byte {
                    b'\n' => self.line += 1,
                    _ if escaped => {}
                    b'"' => quoted = !quoted,
                    b'{' | b'[' if !quoted => depth += 1,
                    b'}' | b']' if !quoted => depth -= 1,
                    _ => {}
                }
                escaped = quoted && !escaped && *byte == b'\\';
                if depth == 0 {
                    end = Some(place + 1);
                    break;
                }
            }
            let taken = end.unwrap_or(buffer.len());
            order.text.extend_from_slice(&buffer[..taken]);
            self.file.consume(taken);
            if end.is_some() {
                return Ok(order);
            }
            if order.text.len() > LONGEST {
                return Err(at(order.line, "the order that begins here is longer than 16 MB"));
            }
        }
    }

    fn at(&self, what: &str) -> String {
        at(self.line, what)
    }
}

fn at(line: u64, what: &str) -> String {
    format!("line {line}: {what}")
}

impl Iterator for Orders {
    type Item = Result<Order, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.next_order().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

impl Order {
    /// Reads it.
    ///
    /// # Errors
    /// The line and what is wrong on it.
    pub fn read<'o, T: serde::Deserialize<'o>>(&'o self) -> Result<T, String> {
        serde_json::from_slice(&self.text).map_err(|error| {
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or(&text);
            at(self.line + (error.line() as u64).saturating_sub(1), &format!("column {}: {what}", error.column()))
        })
    }

    /// The line on which the value of a field stands (`billing.email`, `line_items[2].sku`); where there is no such
    /// field, the line of what it would stand in.
    pub fn line_of(&self, field: &str) -> u64 {
        let mut place = 0;
        for step in field.split('.').flat_map(|part| part.split('[')) {
            let next = match step.strip_suffix(']') {
                Some(number) => number.parse().ok().and_then(|number| self.element(place, number)),
                None => self.member(place, step),
            };
            let Some(next) = next else { break };
            place = next;
        }
        self.line + self.text.iter().take(place).fold(0, |lines, byte| lines + u64::from(*byte == b'\n'))
    }

    /// Where the value begins that an object has under a name.
    fn member(&self, object: usize, name: &str) -> Option<usize> {
        let mut place = self.inside(object, b'{')?;
        loop {
            let end = self.past(place);
            let value = self.solid(self.solid(end) + 1);
            let quoted = self.text.get(place + 1..end.checked_sub(1)?)?;
            if quoted == name.as_bytes() {
                return Some(value);
            }
            place = self.after(value)?;
        }
    }

    /// Where the element of a list with this number begins.
    fn element(&self, list: usize, number: usize) -> Option<usize> {
        let mut place = self.inside(list, b'[')?;
        for _ in 0..number {
            place = self.after(place)?;
        }
        Some(place)
    }

    /// What stands first in an object or a list.
    fn inside(&self, place: usize, opening: u8) -> Option<usize> {
        let first = self.solid(place + 1);
        let empty = matches!(self.text.get(first), None | Some(b'}' | b']'));
        (self.text.get(place) == Some(&opening) && !empty).then_some(first)
    }

    /// What follows a value behind a comma.
    fn after(&self, value: usize) -> Option<usize> {
        let comma = self.solid(self.past(value));
        (self.text.get(comma) == Some(&b',')).then(|| self.solid(comma + 1))
    }

    /// The first place from this one on that is not blank.
    fn solid(&self, place: usize) -> usize {
        let rest = self.text.get(place..).unwrap_or_default();
        place + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    /// The place behind a value. It was read before, so that its braces and quotes are known to match.
    fn past(&self, value: usize) -> usize {
        let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
        for (place, byte) in self.text.iter().enumerate().skip(value) {
            let plain = depth == 0 && !quoted;
            match byte {
                _ if escaped => {}
                b'"' if quoted => {
                    quoted = false;
                    if depth == 0 {
                        return place + 1;
                    }
                }
                b'"' => quoted = true,
                b'{' | b'[' if !quoted => depth += 1,
                b',' if plain => return place,
                b'}' | b']' if plain => return place,
                b'}' | b']' if !quoted => {
                    depth -= 1;
                    if depth == 0 {
                        return place + 1;
                    }
                }
                _ => {}
            }
            escaped = quoted && !escaped && *byte == b'\\';
        }
        self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn orders(text: &str) -> Result<Vec<(u64, String)>, String> {
        let path = std::env::temp_dir().join(format!("aftercare-orders-{}.json", uuid::Uuid::now_v7().simple()));
        std::fs::write(&path, text).unwrap();
        let orders = Orders::open(&path).unwrap().map(|order| {
            let order = order?;
            Ok((order.line, String::from_utf8(order.text).unwrap()))
        });
        let orders = orders.collect();
        std::fs::remove_file(&path).unwrap();
        orders
    }

    #[test]
    fn a_list_several_lists_and_an_order_a_line_are_the_same_to_it() {
        let expected = |lines: [u64; 2]| {
            Ok(vec![(lines[0], r#"{"a":"}{\"\\"}"#.to_owned()), (lines[1], r#"{"b":[{}]}"#.to_owned())])
        };
        for (text, lines) in [
            ("[{A},{B}]", [1, 1]),
            ("\u{feff}[\n{A}\n,\n{B}\n]\n", [2, 4]),
            ("[{A}]\n[{B}]", [1, 2]),
            ("{A}\n\n{B}\n", [1, 3]),
        ] {
            let text = text.replace("{A}", r#"{"a":"}{\"\\"}"#).replace("{B}", r#"{"b":[{}]}"#);
            assert_eq!(orders(&text), expected(lines), "{text}");
        }
        assert_eq!(orders(""), Ok(vec![]));
        assert_eq!(orders("[]"), Ok(vec![]));
    }

    #[test]
    fn a_file_that_was_cut_off_or_is_something_else_is_named_with_its_line() {
        for (text, expected) in [
            ("[\n{\"a\":1},\n{\"b\":", "line 3: the file ends within the order that begins here"),
            ("[\n{\"a\":1},\n", "line 3: the file ends within a list of orders"),
            ("[\n1]", "line 2: an order is expected, not '1'"),
            ("order_number;sku", "line 1: an order is expected, not 'o'"),
            ("[[{}]]", "line 1: an order is expected, not '['"),
        ] {
            assert_eq!(orders(text), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_mistake_within_an_order_is_named_with_its_line() {
        let order = Order { text: b"{\n\"a\": 1,\n\"b\": x\n}".to_vec(), line: 40 };
        let read = order.read::<serde_json::Value>();
        assert_eq!(read.unwrap_err(), "line 42: column 6: expected value");
    }

    #[test]
    fn each_field_is_found_on_its_line() {
        let text = r#"{
            "id": 5, "x": { "email": "no" },
            "billing": {
                "first_name": "a \"quoted\" } name",
                "email": "b"
            },
            "line_items": [
                { "id": 1, "meta": [[], [{}]] },
                {
                    "id": 2,
                    "sku": null
                }
            ]
        }"#;
        let order = Order { text: text.into(), line: 10 };
        for (field, line) in [
            ("id", 11),
            ("billing", 12),
            ("billing.email", 14),
            ("billing.phone", 12),
            ("line_items[0].id", 17),
            ("line_items[1]", 18),
            ("line_items[1].sku", 20),
            ("line_items[1].name", 18),
            ("line_items[7].sku", 16),
            ("nothing", 10),
        ] {
            assert_eq!(order.line_of(field), line, "{field}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}\",:\\\\ab1 \n]{0,60}", field in "[a-b.\\[\\]0-9]{0,12}") {
            let _ = orders(&text);
            let _ = Order { text: text.into(), line: 1 }.line_of(&field);
        }
    }
}
