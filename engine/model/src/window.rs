use std::fmt;

use crate::{CalendarSpan, Clock, Date, Timestamp};

/// A unit of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CalendarUnit {
    /// From 1 January.
    Year,
    /// From 1 January, April, July, October.
    Quarter,
    /// From the first of the month.
    Month,
}

impl CalendarUnit {
    /// The unit's length in months.
    pub fn months(self) -> i32 {
        match self {
            CalendarUnit::Year => 12,
            CalendarUnit::Quarter => 3,
            CalendarUnit::Month => 1,
        }
    }

    /// The first day of the unit that holds `date`.
    pub fn first_day(self, date: Date) -> Date {
        let (year, month, _) = date.ymd();
        let unit = self.months() as u32;
        let month = (month - 1) / unit * unit + 1;
        Date(crate::days_from_civil(year, month, 1) as i32)
    }
}

/// Which stretch of time a metric looks at, before `as_of` is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// The kind of window.
    pub kind: WindowKind,
    /// How many windows further back: 1 is the window right before.
    pub offset: u16,
}

/// The kinds of windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowKind {
    /// All facts before `as_of`.
    Lifetime,
    /// From local midnight this span before the day of `as_of`, up to `as_of`.
    Last(CalendarSpan),
    /// The current calendar year, quarter or month, up to `as_of`.
    Calendar(CalendarUnit),
    /// The whole calendar year, quarter or month before the current one.
    Previous(CalendarUnit),
    /// From this day of the year, the last time that it came, up to `as_of`; further back, whole years from one such day to the next.
    ProgramYear(MonthDay),
    /// From the last anniversary of the subject's own date, up to `as_of`; further back, whole years. The date itself counts as
    /// the first anniversary. Holds the metric (its index in the rules) that gives the date.
    AnniversaryOf(usize),
    /// From the subject's own date (its local midnight) or time, up to `as_of`. Holds the metric that gives it.
    Since(usize),
}

/// A day of every year, such as 1 April. 29 February is the 28th in years that have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthDay {
    month: u8,
    day: u8,
}

/// Why a text is no day of the year.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a day of the year is MM-DD, such as `04-01`")]
pub struct MonthDayError;

impl MonthDay {
    /// Reads `04-01`.
    ///
    /// # Errors
    /// [`MonthDayError`] for anything else and for days that no year has.
    pub fn parse(text: &str) -> Result<Self, MonthDayError> {
        let (month, day) = match text.as_bytes() {
            [a, b, b'-', c, d] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()) => {
                ((a - b'0') * 10 + (b - b'0'), (c - b'0') * 10 + (d - b'0'))
            }
            _ => return Err(MonthDayError),
        };
        let longest = match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return Err(MonthDayError),
        };
        if (1..=longest).contains(&day) { Ok(MonthDay { month, day }) } else { Err(MonthDayError) }
    }

    /// The month, 1 to 12, and the day, 1 to 31.
    pub fn month_day(self) -> (u8, u8) {
        (self.month, self.day)
    }

    /// This day in a year.
    pub fn in_year(self, year: i64) -> Date {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let day = if (self.month, self.day) == (2, 29) && !leap { 28 } else { self.day };
        Date(crate::days_from_civil(year, self.month.into(), day.into()) as i32)
    }

    /// The last such day up to `date`.
    pub fn on_or_before(self, date: Date) -> Date {
        let year = date.ymd().0;
        let this = self.in_year(year);
        if this <= date { this } else { self.in_year(year - 1) }
    }

    /// The first such day from `date` on.
    pub fn on_or_after(self, date: Date) -> Date {
        let year = date.ymd().0;
        let this = self.in_year(year);
        if this >= date { this } else { self.in_year(year + 1) }
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

/// A subject's own date, from which its window is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// A calendar day.
    Day(Date),
    /// An instant.
    Time(Timestamp),
}

/// Whole years from one day to a later one, negative for an earlier one: anniversaries clamp as [`CalendarSpan::add_to`] does.
pub fn years_between(from: Date, to: Date) -> i32 {
    let years = (to.ymd().0 - from.ymd().0) as i32;
    if CalendarSpan::months(12 * years).add_to(from) <= to { years } else { years - 1 }
}

/// Half-open instants `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instants {
    /// First instant inside.
    pub start: Timestamp,
    /// First instant after.
    pub end: Timestamp,
}

/// The unit of a rate (`per = "month"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Per {
    /// Per day.
    Day,
    /// Per seven days.
    Week,
    /// Per month.
    Month,
    /// Per year.
    Year,
}

impl Window {
    /// The metric that gives each subject the date from which its own window is found; `None` where all subjects share one.
    pub fn anchor(&self) -> Option<usize> {
        match self.kind {
            WindowKind::AnniversaryOf(metric) | WindowKind::Since(metric) => Some(metric),
            _ => None,
        }
    }

    /// The instants of one subject's own window, from the date (or the time) that [`Window::anchor`] gives it: half-open, and
    /// never beyond `as_of`. Where the date is after the run's day, the window is empty.
    pub fn resolve_from(&self, clock: &Clock, anchor: Anchor) -> Instants {
        let (zone, today) = (clock.zone(), clock.today());
        let from = match (self.kind, anchor) {
            (WindowKind::Since(_), Anchor::Time(time)) => time,
            (WindowKind::Since(_), Anchor::Day(day)) => zone.midnight(day),
            (_, anchor) => {
                let day = match anchor {
                    Anchor::Day(day) => day,
                    Anchor::Time(time) => zone.date_of(time),
                };
                let years = years_between(day, today) - i32::from(self.offset);
                let end = match self.offset {
                    0 => clock.as_of(),
                    _ => zone.midnight(CalendarSpan::months(12 * (years + 1)).add_to(day)),
                };
                let start = if years < 0 { end } else { zone.midnight(CalendarSpan::months(12 * years).add_to(day)) };
                return Instants { start, end: end.max(start).min(clock.as_of()) };
            }
        };
        Instants { start: from, end: clock.as_of().max(from) }
    }

    /// The instants that this window means for a run: half-open, and never beyond `as_of`. For windows of the subject's own
    /// ([`Window::anchor`]) it is all time up to `as_of`, which holds every one of them.
    pub fn resolve(&self, clock: &Clock) -> Instants {
        let (zone, today) = (clock.zone(), clock.today());
        let back = i32::from(self.offset);
        let from_day = |day: Date| zone.midnight(day);
        match self.kind {
            WindowKind::Lifetime | WindowKind::AnniversaryOf(_) | WindowKind::Since(_) => {
                Instants { start: Timestamp(i64::MIN), end: clock.as_of() }
            }
            WindowKind::ProgramYear(first) => {
                let day = first.on_or_before(today);
                let start = |n: i32| from_day(first.in_year(day.ymd().0 - i64::from(n)));
                let end = if back == 0 { clock.as_of() } else { start(back - 1) };
                Instants { start: start(back), end }
            }
            WindowKind::Last(span) => {
                let start = |n: i32| from_day(span.times(n).negate().add_to(today));
                let end = if back == 0 { clock.as_of() } else { start(back) };
                Instants { start: start(back + 1), end }
            }
            WindowKind::Calendar(unit) | WindowKind::Previous(unit) => {
                let back = back + i32::from(matches!(self.kind, WindowKind::Previous(_)));
                let first = unit.first_day(today);
                let start = |n: i32| from_day(CalendarSpan::months(-unit.months() * n).add_to(first));
                let end = if back == 0 { clock.as_of() } else { start(back - 1) };
                Instants { start: start(back), end }
            }
        }
    }

    /// How many `per` units the window holds, as a fraction (numerator, denominator), where the window has a fixed length:
    /// `last` and `previous`. Whole units where the calendar gives them (12 months are 12 months, 90 days are 90 days),
    /// else by the mean Gregorian month of 30.436875 days.
    pub fn units(&self, per: Per) -> Option<(i128, i128)> {
        let span = match self.kind {
            WindowKind::Last(span) => span,
            WindowKind::Previous(unit) => CalendarSpan::months(unit.months()),
            _ => return None,
        };
        let (months, days) = (i128::from(span.months), i128::from(span.days));
        // A mean month is 30.436875 = 243,495 / 8,000 days.
        let (num, den) = match (per, months, days) {
            (Per::Month, m, 0) => (m, 1),
            (Per::Year, m, 0) => (m, 12),
            (Per::Day, 0, d) => (d, 1),
            (Per::Week, 0, d) => (d, 7),
            (Per::Day, m, d) => (m * 243_495 + d * 8000, 8000),
            (Per::Week, m, d) => (m * 243_495 + d * 8000, 56_000),
            (Per::Month, m, d) => (m * 243_495 + d * 8000, 243_495),
            (Per::Year, m, d) => (m * 243_495 + d * 8000, 243_495 * 12),
        };
        Some((num, den))
    }
}

#[cfg(test)]
mod tests;
