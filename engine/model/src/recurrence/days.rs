//! On which days a recurrence comes.

use croner::Weekday;

use super::{Cron, Days, MonthlyDay};
use crate::{Date, days_from_civil};

impl Days {
    /// Whether it comes on this day.
    pub(super) fn on(self, date: Date) -> bool {
        let (year, month, _) = date.ymd();
        match self {
            Days::Daily => true,
            Days::Weekly(weekday) => i64::from(weekday) == days_since_monday(date),
            Days::Monthly(day) => day.of(year, month) == date,
            Days::Quarterly(MonthlyDay::Last) => month.is_multiple_of(3) && MonthlyDay::Last.of(year, month) == date,
            Days::Quarterly(day) => month % 3 == 1 && day.of(year, month) == date,
            Days::Yearly(day) => day.in_year(year) == date,
        }
    }
}

impl MonthlyDay {
    fn of(self, year: i64, month: u32) -> Date {
        let next = if month == 12 { days_from_civil(year + 1, 1, 1) } else { days_from_civil(year, month + 1, 1) };
        let nth = match self {
            MonthlyDay::Nth(day) => days_from_civil(year, month, day.into()),
            MonthlyDay::Last => i64::MAX,
        };
        Date(nth.min(next - 1) as i32)
    }
}

impl Cron {
    /// Whether it comes on this day.
    pub(super) fn on(&self, date: Date) -> bool {
        let (year, month, day) = date.ymd();
        let Ok(year) = i32::try_from(year) else {
            return false;
        };
        // The functions fail only for days that no calendar has.
        self.pattern.month_match(month).unwrap_or(false)
            && self.pattern.day_match(year, month, day, weekday(date)).unwrap_or(false)
    }
}

/// 0 on Mondays: 1970-01-01 was a Thursday.
fn days_since_monday(date: Date) -> i64 {
    (i64::from(date.0) + 3).rem_euclid(7)
}

fn weekday(date: Date) -> Weekday {
    match days_since_monday(date) {
        0 => Weekday::Monday,
        1 => Weekday::Tuesday,
        2 => Weekday::Wednesday,
        3 => Weekday::Thursday,
        4 => Weekday::Friday,
        5 => Weekday::Saturday,
        _ => Weekday::Sunday,
    }
}
