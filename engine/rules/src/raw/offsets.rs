//! From places in a decoded TOML string back to the file.
//!
//! A diagnostic about `"spend >= \"2000\""` must point at the file, where the text has quotes, escapes, and line ends that the
//! decoded string hasn't. toml gives the place of the whole string only; so the string is walked once more here.

use std::ops::Range;

use crate::fileset::{File, Location};

/// For each byte of a decoded string, the bytes of the file that it comes from.
#[derive(Debug)]
pub(crate) struct Offsets {
    bytes: Vec<Range<usize>>,
    whole: Location,
}

impl Offsets {
    /// The offsets of the string literal at `at`, quotes included, that decodes to `decoded`.
    pub(crate) fn new(file: &File, at: &Location, decoded: &str) -> Self {
        let raw = file.text.get(at.range.clone()).unwrap_or("");
        let mut bytes = walk(raw, at.range.start);
        if bytes.len() != decoded.len() {
            // Not the literal that it is taken for: point at all of it rather than at a wrong part.
            bytes = vec![at.range.clone(); decoded.len()];
        }
        Offsets { bytes, whole: at.clone() }
    }

    /// The place of a range of the decoded string; an empty range is the place before its character.
    pub(crate) fn locate(&self, range: Range<usize>) -> Location {
        let start = match self.bytes.get(range.start) {
            Some(byte) => byte.start,
            None => self.bytes.last().map_or(self.whole.range.start, |byte| byte.end),
        };
        let end = match range.end.checked_sub(1).and_then(|last| self.bytes.get(last)) {
            Some(byte) if range.end > range.start => byte.end,
            _ => start,
        };
        Location { file: self.whole.file, range: start..end.max(start) }
    }
}

/// The sources of the decoded bytes of a string literal that begins at `base`. The bytes of one character all come from the whole
/// character, and those of an escape from the whole escape: half of either can't be pointed at.
fn walk(raw: &str, base: usize) -> Vec<Range<usize>> {
    let (quotes, escapes) = match raw.as_bytes() {
        [b'"', b'"', b'"', _, ..] => (3, true),
        [b'\'', b'\'', b'\'', _, ..] => (3, false),
        [b'"', ..] => (1, true),
        _ => (1, false),
    };
    let mut rest = raw.get(quotes..raw.len().saturating_sub(quotes)).unwrap_or("");
    let mut at = base + quotes;
    let first_newline = ["\r\n", "\n"].into_iter().find(|newline| quotes == 3 && rest.starts_with(newline));
    let mut skip = first_newline.map_or(0, str::len);
    let mut out = Vec::with_capacity(rest.len());
    while let Some(next) = rest.get(skip..).filter(|next| !next.is_empty()) {
        at += skip;
        let (written, decoded) = piece(next, escapes);
        out.extend(std::iter::repeat_n(at..at + written, decoded));
        (rest, skip) = (next, written);
    }
    out
}

/// Bytes of the first character or escape in the file, and of what it decodes to.
fn piece(text: &str, escapes: bool) -> (usize, usize) {
    let hex = |digits: usize| {
        let code = text.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        (2 + digits, code.and_then(char::from_u32).map_or(1, char::len_utf8))
    };
    match text.as_bytes() {
        [b'\\', b'x', ..] if escapes => hex(2),
        [b'\\', b'u', ..] if escapes => hex(4),
        [b'\\', b'U', ..] if escapes => hex(8),
        // A line that goes on: the blanks and line ends that follow are none of the text.
        [b'\\', b' ' | b'\t' | b'\r' | b'\n', ..] if escapes => {
            (text.len() - text[1..].trim_start_matches([' ', '\t', '\r', '\n']).len(), 0)
        }
        [b'\\', _, ..] if escapes => (2, 1),
        _ => {
            let length = text.chars().next().map_or(1, char::len_utf8);
            (length, length)
        }
    }
}

#[cfg(test)]
mod tests {
    use toml::de::DeValue;

    use super::*;
    use crate::fileset::FileId;

    /// Where each character of the decoded string is written.
    fn places(literal: &str) -> Vec<(char, String)> {
        let text = format!("消费 = {literal}");
        let at = Location { file: FileId(0), range: text.len() - literal.len()..text.len() };
        let value = DeValue::parse(literal).unwrap_or_else(|error| panic!("{literal}: {error}"));
        let decoded = value.get_ref().as_str().unwrap();
        let file = File { path: "a.toml".into(), text: text.as_str().into() };
        let offsets = Offsets::new(&file, &at, decoded);
        let place = |(i, char): (usize, char)| {
            let range = offsets.locate(i..i + char.len_utf8()).range;
            (char, text[range].to_owned())
        };
        decoded.char_indices().map(place).collect()
    }

    #[test]
    fn plain_characters_are_where_they_are_written() {
        for literal in [
            "\"a 武汉 b\"",
            "'a 武汉 \\ b'",
            "\"\"\"\na\n\n武\"汉\"\"b\n\"\"\"",
            "\"\"\"\r\na\r\nb\"\"\"",
            "'''\na\\\n''武'''",
            "'''a''''",
            "\"\"\"a\"\"\"\"\"",
            "\"\"",
            "''",
            "\"\"\"\"\"\"",
            "\"\"\"\n\"\"\"",
        ] {
            for (char, place) in places(literal) {
                assert_eq!(place, char.to_string(), "{literal}");
            }
        }
    }

    #[test]
    fn escapes_are_one_place() {
        let written = |literal: &str| places(literal).into_iter().map(|(_, place)| place).collect::<Vec<_>>();
        assert_eq!(
            written(r#""\t\"\\\u6b66\U0001F600\x41\e武""#),
            ["\\t", "\\\"", "\\\\", "\\u6b66", "\\U0001F600", "\\x41", "\\e", "武"]
        );
        assert_eq!(written("\"\"\"a \\  \n \r\n\t b\"\"\""), ["a", " ", "b"]);
    }

    #[test]
    fn what_is_no_literal_is_pointed_at_as_a_whole() {
        let file = File { path: "a.toml".into(), text: "x = 'abc'".into() };
        let offsets = Offsets::new(&file, &Location { file: FileId(0), range: 4..9 }, "something else");
        assert_eq!(offsets.locate(3..5).range, 4..9);
    }
}
