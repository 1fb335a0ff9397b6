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

/// The sources of the decoded bytes of a string literal that starts at `base`.
fn walk(raw: &str, base: usize) -> Vec<Range<usize>> {
    let (quotes, escapes) = match raw.as_bytes() {
        [b'"', b'"', b'"', _, ..] => (3, true),
        [b'\'', b'\'', b'\'', _, ..] => (3, false),
        [b'"', ..] => (1, true),
        _ => (1, false),
    };
    let Some(mut rest) = raw.get(quotes..raw.len().saturating_sub(quotes)) else {
        return vec![];
    };
    let mut at = base + quotes;
    if quotes == 3 {
        let newline = ["\r\n", "\n"].into_iter().find(|n| rest.starts_with(n)).map_or(0, str::len);
        (rest, at) = (&rest[newline..], at + newline);
    }
    let mut out = Vec::with_capacity(rest.len());
    while let Some(char) = rest.chars().next() {
        let (source, decoded) = if char == '\\' && escapes { escape(rest) } else { (char.len_utf8(), 0) };
        match decoded {
            0 if char == '\\' && escapes => {}
            0 => out.extend((at..at + source).map(|byte| byte..byte + 1)),
            n => out.extend(std::iter::repeat_n(at..at + source, n)),
        }
        (rest, at) = (&rest[source..], at + source);
    }
    // Bytes of one character are one place: half a character can't be pointed at.
    join_characters(&mut out, raw, base);
    out
}

/// Bytes of a backslash sequence in the file, and of what it decodes to (none for a line that goes on).
fn escape(rest: &str) -> (usize, usize) {
    let hex = |digits: usize| {
        let code = rest.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        (2 + digits, code.and_then(char::from_u32).map_or(1, char::len_utf8))
    };
    match rest.as_bytes().get(1) {
        Some(b'x') => hex(2),
        Some(b'u') => hex(4),
        Some(b'U') => hex(8),
        Some(b' ' | b'\t' | b'\r' | b'\n') => (1 + (rest.len() - 1 - rest[1..].trim_start().len()), 0),
        Some(_) => (2, 1),
        None => (1, 1),
    }
}

/// Widens each single byte inside a character of the file to the whole character.
fn join_characters(bytes: &mut [Range<usize>], raw: &str, base: usize) {
    for byte in bytes {
        while !raw.is_char_boundary(byte.start - base) {
            byte.start -= 1;
        }
        while !raw.is_char_boundary(byte.end - base) {
            byte.end += 1;
        }
    }
}
