use std::fmt;

use crate::{Date, civil_from_days, days_from_civil};

/// A stretch of calendar time: months and days, as people count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CalendarSpan {
    /// Calendar months (a year is 12).
    pub months: i32,
    /// Days (a week is 7).
    pub days: i32,
}

/// Why a text is no calendar span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a span is a whole number and a unit, such as `12 months`: day(s), week(s), month(s), quarter(s), year(s)")]
pub struct SpanError;

impl CalendarSpan {
    /// A span of days.
    pub const fn days(days: i32) -> Self {
        CalendarSpan { months: 0, days }
    }

    /// A span of calendar months.
    pub const fn months(months: i32) -> Self {
        CalendarSpan { months, days: 0 }
    }

    /// Reads `12 months`, `1 year 6 months`, `90 days`.
    ///
    /// # Errors
    /// [`SpanError`] for anything else, for numbers below 1 or spans above 1,000 years.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        let mut span = CalendarSpan { months: 0, days: 0 };
        let mut words = text.split_whitespace();
        let mut any = false;
        while let Some(number) = words.next() {
            let number: i32 = number.parse().ok().filter(|n| (1..=365_000).contains(n)).ok_or(SpanError)?;
            let (months, days) = match words.next().ok_or(SpanError)? {
                "day" | "days" => (0, number),
                "week" | "weeks" => (0, number * 7),
                "month" | "months" => (number, 0),
                "quarter" | "quarters" => (number * 3, 0),
                "year" | "years" => (number * 12, 0),
                _ => return Err(SpanError),
            };
            span.months += months;
            span.days += days;
            any = true;
        }
        let in_range = span.months <= 12_000 && span.days <= 365_000;
        if any && in_range { Ok(span) } else { Err(SpanError) }
    }

    /// The span in the other direction.
    pub const fn negate(self) -> Self {
        CalendarSpan { months: -self.months, days: -self.days }
    }

    /// `n` times the span.
    pub const fn times(self, n: i32) -> Self {
        CalendarSpan { months: self.months.saturating_mul(n), days: self.days.saturating_mul(n) }
    }

    /// `date + self`: months first, the day clamped to the month's last (31 Jan + 1 month = 28 or 29 Feb), then days.
    pub fn add_to(self, date: Date) -> Date {
        let (year, month, day) = civil_from_days(i64::from(date.0));
        let months = year * 12 + i64::from(month) - 1 + i64::from(self.months);
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) as u32 + 1);
        let day = day.min(days_in_month(year, month));
        Date((days_from_civil(year, month, day) + i64::from(self.days)) as i32)
    }
}

impl fmt::Display for CalendarSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: i32| if n.abs() == 1 { "" } else { "s" };
        match (self.months, self.days) {
            (0, d) => write!(f, "{d} day{}", plural(d)),
            (m, 0) if m % 12 == 0 => write!(f, "{} year{}", m / 12, plural(m / 12)),
            (m, 0) => write!(f, "{m} month{}", plural(m)),
            (m, d) => write!(f, "{m} month{} {d} day{}", plural(m), plural(d)),
        }
    }
}

/// The last day of a month of the proleptic Gregorian calendar.
fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(y: i64, m: u32, d: u32) -> Date {
        Date(days_from_civil(y, m, d) as i32)
    }

    #[test]
    fn month_ends_clamp() {
        assert_eq!(CalendarSpan::months(1).add_to(date(2024, 1, 31)), date(2024, 2, 29));
        assert_eq!(CalendarSpan::months(-12).add_to(date(2024, 2, 29)), date(2023, 2, 28));
        assert_eq!(CalendarSpan::months(-1).add_to(date(2024, 1, 15)), date(2023, 12, 15));
    }

    #[test]
    fn spans_are_numbers_with_units() {
        assert_eq!(CalendarSpan::parse("1 year 6 months"), Ok(CalendarSpan::months(18)));
        assert_eq!(CalendarSpan::parse("2 weeks"), Ok(CalendarSpan::days(14)));
        for bad in ["", "12", "months", "0 days", "-1 day", "1.5 months", "3 fortnights", "99999999999 days"] {
            assert!(CalendarSpan::parse(bad).is_err(), "{bad:?}");
        }
    }
}
