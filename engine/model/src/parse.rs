//! ISO 8601 dates and times from bytes, without allocation: the shapes that databases really hold.

use crate::{DAY_MICROS, Date, MICROS, Timestamp, Zone, days_from_civil};

/// A date and time as written: on the local clock, or with an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CivilText {
    /// Without offset: microseconds since 1970-01-01T00:00 on the local clock.
    Local(i64),
    /// With `Z` or an offset: an instant.
    Instant(i64),
}

impl CivilText {
    /// The instant, local times being read in `zone`.
    #[inline]
    pub fn instant(self, zone: &Zone) -> Timestamp {
        match self {
            CivilText::Local(civil) => Timestamp(zone.to_instant(civil)),
            CivilText::Instant(at) => Timestamp(at),
        }
    }
}

/// Reads `YYYY-MM-DD`; `None` for anything else, also for days that don't exist.
#[inline]
pub fn parse_date(text: &[u8]) -> Option<Date> {
    let text: &[u8; 10] = text.try_into().ok()?;
    days(text).map(|d| Date(d as i32))
}

/// Reads `YYYY-MM-DD`, `YYYY-MM-DD HH:MM`, `…:SS`, `…:SS.ffffff`, with `T` or a blank between, and optionally `Z`, `±HH:MM`,
/// `±HHMM` or `±HH` at the end. Digits of a second beyond the sixth are cut. `None` for anything else.
///
/// ```
/// use tierd_model::{CivilText, parse_timestamp};
/// assert_eq!(parse_timestamp(b"1970-01-01 00:00:01.5"), Some(CivilText::Local(1_500_000)));
/// assert_eq!(parse_timestamp(b"1970-01-01T01:00:00+01:00"), Some(CivilText::Instant(0)));
/// assert_eq!(parse_timestamp(b"2023-02-29"), None);
/// ```
#[inline]
pub fn parse_timestamp(text: &[u8]) -> Option<CivilText> {
    let (date, rest) = text.split_first_chunk::<10>()?;
    let midnight = days(date)? * DAY_MICROS;
    if rest.is_empty() {
        return Some(CivilText::Local(midnight));
    }
    let (clock, rest) = rest.split_first_chunk::<6>()?;
    if !matches!(clock[0], b' ' | b'T') || clock[3] != b':' {
        return None;
    }
    let (hour, minute) = (two(clock[1], clock[2])?, two(clock[4], clock[5])?);
    let (second, micros, rest) = seconds(rest)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let civil = midnight + (hour * 3600 + minute * 60 + second) * MICROS + micros;
    match offset(rest)? {
        None => Some(CivilText::Local(civil)),
        Some(offset) => Some(CivilText::Instant(civil - offset)),
    }
}

#[inline]
fn days(text: &[u8; 10]) -> Option<i64> {
    if text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let year = two(text[0], text[1])? * 100 + two(text[2], text[3])?;
    let (month, day) = (two(text[5], text[6])?, two(text[8], text[9])?);
    if !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (day <= last).then(|| days_from_civil(year, month as u32, day as u32))
}

#[inline]
fn two(a: u8, b: u8) -> Option<i64> {
    let (a, b) = (a.wrapping_sub(b'0'), b.wrapping_sub(b'0'));
    (a <= 9 && b <= 9).then(|| i64::from(a) * 10 + i64::from(b))
}

/// `:SS` and a fraction, if they are there: seconds, microseconds, what follows.
#[inline]
fn seconds(text: &[u8]) -> Option<(i64, i64, &[u8])> {
    let [b':', a, b, rest @ ..] = text else {
        return Some((0, 0, text));
    };
    let second = two(*a, *b)?;
    let [b'.', rest @ ..] = rest else {
        return Some((second, 0, rest));
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let mut micros = 0;
    for digit in rest[..digits].iter().chain(b"000000").take(6) {
        micros = micros * 10 + i64::from(digit - b'0');
    }
    Some((second, micros, &rest[digits..]))
}

/// `Z`, `±HH:MM`, `±HHMM`, `±HH` or nothing, in microseconds.
#[inline]
fn offset(text: &[u8]) -> Option<Option<i64>> {
    let (sign, hours, minutes) = match text {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [sign, a, b] => (sign, two(*a, *b)?, 0),
        [sign, a, b, c, d] | [sign, a, b, b':', c, d] => (sign, two(*a, *b)?, two(*c, *d)?),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let size = (hours * 3600 + minutes * 60) * MICROS;
    match sign {
        b'+' => Some(Some(size)),
        b'-' => Some(Some(-size)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_databases_hold() {
        let day = days_from_civil(2024, 2, 29) * DAY_MICROS;
        for (text, expected) in [
            ("2024-02-29", CivilText::Local(day)),
            ("2024-02-29 01:02", CivilText::Local(day + 3_720 * MICROS)),
            ("2024-02-29T01:02:03", CivilText::Local(day + 3_723 * MICROS)),
            ("2024-02-29T01:02:03.1234567", CivilText::Local(day + 3_723_123_456)),
            ("2024-02-29T01:02:03Z", CivilText::Instant(day + 3_723 * MICROS)),
            ("2024-02-29T01:02:03.5-0230", CivilText::Instant(day + (3_723 + 9_000) * MICROS + 500_000)),
            ("2024-02-29 01:02+08", CivilText::Instant(day + (3_720 - 28_800) * MICROS)),
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "n/a",
            "2024-2-9",
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-01-00",
            "20240101",
            "2024-01-01 24:00",
            "2024-01-01 1:00",
            "2024-01-01 10:60",
            "2024-01-01T10:00:60",
            "2024-01-01T10:00:00.",
            "2024-01-01T10:00:00+25:00",
            "2024-01-01T10:00:00 UTC",
            "2024-01-01 ",
            "2024/01/01",
            "٢٠٢٤-٠١-٠١",
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), None, "{text}");
        }
    }
}
