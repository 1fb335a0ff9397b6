//! ISO 8601 dates and times from bytes, without allocation: the shapes that databases really hold.

use crate::{DAY_MICROS, Date, MICROS, Timestamp, Zone};

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
    if let Some(civil) = text.try_into().ok().and_then(to_the_second) {
        return Some(CivilText::Local(civil));
    }
    parse_any(text)
}

/// `YYYY-MM-DD HH:MM:SS`, the shape that most databases hold, eight bytes at a time.
#[inline]
fn to_the_second(text: &[u8; 19]) -> Option<i64> {
    let (date, clock) = (pairs(word(text, 0), Shape::DATE)?, pairs(word(text, 11), Shape::CLOCK)?);
    let day = two(text[8], text[9])? as u32;
    let at = |pairs: u64, byte: u32| (pairs >> (8 * byte)) as u8;
    let (hour, minute, second) = (at(clock, 0), at(clock, 3), at(clock, 6));
    if !matches!(text[10], b' ' | b'T') || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let year = u32::from(at(date, 0)) * 100 + u32::from(at(date, 2));
    let days = days_of(year, at(date, 5).into(), day)?;
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    Some(days * DAY_MICROS + seconds * MICROS)
}

/// Eight bytes of a text, and what each may differ in from a text of zeros.
#[derive(Clone, Copy)]
struct Shape {
    /// The text with `0` for each digit.
    text: u64,
    /// Per byte, 0x7f minus the most that it may differ: 9 in a digit, nothing elsewhere.
    slack: u64,
}

impl Shape {
    const DATE: Shape = Shape::of(b"0000-00-");
    const CLOCK: Shape = Shape::of(b"00:00:00");

    const fn of(text: &[u8; 8]) -> Self {
        let (mut slack, mut i) = ([0x7f; 8], 0);
        while i < 8 {
            if text[i] == b'0' {
                slack[i] = 0x7f - 9;
            }
            i += 1;
        }
        Shape { text: u64::from_le_bytes(*text), slack: u64::from_le_bytes(slack) }
    }
}

#[inline]
fn word(text: &[u8; 19], from: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&text[from..from + 8]);
    u64::from_le_bytes(bytes)
}

/// Ten times each digit plus the next: at a digit that another follows, the number of the two.
/// `None` if any byte differs from the shape by more than it may.
#[inline]
fn pairs(text: u64, shape: Shape) -> Option<u64> {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let digits = text ^ shape.text;
    // A byte that differs too much reaches its high bit, or has it already; up to the first such byte nothing is carried.
    let fits = (digits | digits.wrapping_add(shape.slack)) & HIGH == 0;
    fits.then(|| digits.wrapping_mul(10).wrapping_add(digits >> 8))
}

fn parse_any(text: &[u8]) -> Option<CivilText> {
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
    days_of(year as u32, two(text[5], text[6])? as u32, two(text[8], text[9])? as u32)
}

/// Days of the year before each month (and before the next year), without and with a leap day.
const BEFORE_MONTH: [[u16; 13]; 2] = [
    [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365],
    [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366],
];

/// Days since 1970-01-01 of a day in the years 0 to 9999; `None` where there is no such day.
#[inline]
fn days_of(year: u32, month: u32, day: u32) -> Option<i64> {
    // 400 years later the calendar is the same, and nothing is negative.
    const FROM_YEAR_MINUS_400: i64 = 146_097 + 719_528;
    if !(1..=12).contains(&month) {
        return None;
    }
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let before = &BEFORE_MONTH[usize::from(leap)];
    let (first, next) = (u32::from(before[month as usize - 1]), u32::from(before[month as usize]));
    if day < 1 || first + day > next {
        return None;
    }
    let past = year + 399;
    let days = 365 * (past + 1) + past / 4 - past / 100 + past / 400 + first + day;
    Some(i64::from(days) - FROM_YEAR_MINUS_400)
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
    use crate::{civil_from_days, days_from_civil};

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

    #[test]
    fn every_day_of_the_calendar_and_no_other() {
        for days in days_from_civil(0, 1, 1)..=days_from_civil(9999, 12, 31) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_of(year as u32, month, day), Some(days), "{year}-{month}-{day}");
            let last = civil_from_days(days + 1).2 == 1;
            assert_eq!(days_of(year as u32, month, day + 1).is_none(), last, "{year}-{month}-{day}");
        }
    }

    /// Every byte in every place: the fast way takes only what the other takes too, and gives the same.
    #[test]
    fn the_fast_way_agrees_with_the_other() {
        for text in ["2024-02-29 23:59:59", "1999-12-31T00:00:00", "0000-01-01 10:20:30"] {
            for place in 0..19 {
                for byte in 0..=255 {
                    let mut text: [u8; 19] = text.as_bytes().try_into().unwrap();
                    text[place] = byte;
                    assert_eq!(parse_timestamp(&text), parse_any(&text), "{}", text.escape_ascii());
                }
            }
        }
    }
}
