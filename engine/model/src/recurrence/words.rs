//! Plain words for recurrences: reading and writing them.

use std::fmt;

use super::{Days, HOUR, Kind, MINUTE, MonthlyDay, RecurrenceError};
use crate::MonthDay;

pub(super) const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const HEADS: [&str; 6] = ["hourly", "daily", "weekly", "monthly", "quarterly", "yearly"];
const UNITS: [&str; 4] = ["minute", "minutes", "hour", "hours"];
const EXAMPLES: &str = "write `15 minutes`, `2 hours`, `hourly`, `daily at 02:15`, `weekly on Monday at 03:00`, `monthly on 1 at 03:00`, \
                        `quarterly` or `yearly on 04-01`";

/// The longest interval, in hours: a leap year.
const MOST_HOURS: i64 = 366 * 24;

/// The words that are still to be read.
struct Words<'a> {
    rest: std::slice::Iter<'a, String>,
}

pub(super) fn parse(text: &str) -> Result<Kind, RecurrenceError> {
    let all: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let mut words = Words { rest: all.iter() };
    let kind = words.kind()?;
    match words.rest.next() {
        None => Ok(kind),
        Some(word) => Err(not_understood(word, &["on", "at"], "a day stands after `on`, then a time after `at`")),
    }
}

impl Words<'_> {
    fn next(&mut self) -> &str {
        self.rest.next().map_or("", String::as_str)
    }

    /// Takes the next word if it is this one.
    fn takes(&mut self, word: &str) -> bool {
        let found = self.rest.as_slice().first().is_some_and(|next| next == word);
        if found {
            self.rest.next();
        }
        found
    }

    fn kind(&mut self) -> Result<Kind, RecurrenceError> {
        if self.takes("every") {
            return self.interval();
        }
        let days = match self.rest.as_slice().first().map_or("", String::as_str) {
            "hourly" => {
                self.next();
                return Ok(Kind::Interval(HOUR));
            }
            "daily" => |_: &mut Self| Ok(Days::Daily),
            "weekly" => Self::weekly,
            "monthly" => |words: &mut Self| words.day_of_month().map(Days::Monthly),
            "quarterly" => |words: &mut Self| words.day_of_month().map(Days::Quarterly),
            "yearly" => Self::yearly,
            number if number.starts_with(|char: char| char.is_ascii_digit()) => return self.interval(),
            other => return Err(not_understood(other, &HEADS, EXAMPLES)),
        };
        self.next();
        let days = days(self)?;
        Ok(Kind::At(days, self.time_of_day()?))
    }

    /// `15 minutes`, `2 hours`, `hour`.
    fn interval(&mut self) -> Result<Kind, RecurrenceError> {
        let first = self.next().to_owned();
        let (number, unit) = match first.starts_with(|char: char| char.is_ascii_digit()) {
            true => (first.parse::<i64>().unwrap_or(i64::MAX), self.next().to_owned()),
            false => (1, first),
        };
        let (size, most) = match unit.as_str() {
            "minute" | "minutes" => (MINUTE, MOST_HOURS * 60),
            "hour" | "hours" => (HOUR, MOST_HOURS),
            "day" | "days" | "week" | "weeks" | "month" | "months" | "quarter" | "quarters" | "year" | "years" => {
                return Err(message(
                    "intervals are of minutes and hours; longer ones are `daily`, `weekly`, `monthly`, \
                                    `quarterly` and `yearly`, or a cron expression",
                ));
            }
            other => return Err(not_understood(other, &UNITS, "an interval is `15 minutes` or `2 hours`")),
        };
        match number {
            0 => Err(message("an interval is 1 minute at least")),
            number if number > most => Err(message("an interval is a year at most")),
            number => Ok(Kind::Interval(number * size)),
        }
    }

    fn weekly(&mut self) -> Result<Days, RecurrenceError> {
        if !self.takes("on") {
            return Ok(Days::Weekly(0));
        }
        let word = self.next();
        let found = WEEKDAYS.iter().position(|day| day.eq_ignore_ascii_case(word));
        let error = || not_understood(word, &WEEKDAYS, "a day of the week stands after `on`: `weekly on Monday`");
        found.map(|day| Days::Weekly(day as u8)).ok_or_else(error)
    }

    fn yearly(&mut self) -> Result<Days, RecurrenceError> {
        let day = if self.takes("on") { self.next() } else { "01-01" };
        let error = || not_understood(day, &[], "a day of the year stands after `on`, as MM-DD: `yearly on 04-01`");
        MonthDay::parse(day).map(Days::Yearly).map_err(|_| error())
    }

    fn day_of_month(&mut self) -> Result<MonthlyDay, RecurrenceError> {
        match if self.takes("on") { self.next() } else { "1" } {
            "last" => Ok(MonthlyDay::Last),
            word => match word.parse() {
                Ok(day @ 1..=31) => Ok(MonthlyDay::Nth(day)),
                _ => Err(not_understood(word, &["last"], "a day of the month stands after `on`: 1 to 31, or `last`")),
            },
        }
    }

    /// `at 02:15`, as a minute of the day; 0 where it isn't there.
    fn time_of_day(&mut self) -> Result<u16, RecurrenceError> {
        if !self.takes("at") {
            return Ok(0);
        }
        let word = self.next();
        let time = word.split_once(':').and_then(|(hour, minute)| Some((digits(hour, 1)?, digits(minute, 2)?)));
        match time {
            Some((hour @ 0..=23, minute @ 0..=59)) => Ok(hour * 60 + minute),
            _ => {
                Err(not_understood(word, &[], "a time of day stands after `at`, from 00:00 to 23:59: `daily at 02:15`"))
            }
        }
    }
}

/// A number of at least so many digits, and two at most.
fn digits(text: &str, least: usize) -> Option<u16> {
    let good = (least..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if good { text.parse().ok() } else { None }
}

fn message(text: &str) -> RecurrenceError {
    RecurrenceError { message: text.to_owned(), unknown: None }
}

fn not_understood(word: &str, known: &'static [&'static str], help: &str) -> RecurrenceError {
    match word {
        "" => message(help),
        word => RecurrenceError {
            message: format!("`{word}` isn't understood here: {help}"),
            unknown: Some((word.to_owned(), known)),
        },
    }
}

pub(super) fn write_interval(every: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (every / HOUR, every / MINUTE, every % HOUR == 0) {
        (1, _, true) => f.write_str("hourly"),
        (hours, _, true) => write!(f, "{hours} hours"),
        (_, 1, false) => f.write_str("1 minute"),
        (_, minutes, false) => write!(f, "{minutes} minutes"),
    }
}

pub(super) fn write(days: Days, minute: u16, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match days {
        Days::Daily => f.write_str("daily"),
        Days::Weekly(0) => f.write_str("weekly"),
        Days::Weekly(day) => write!(f, "weekly on {}", WEEKDAYS[usize::from(day)]),
        Days::Monthly(day) => write_day("monthly", day, f),
        Days::Quarterly(day) => write_day("quarterly", day, f),
        Days::Yearly(day) if day.month_day() == (1, 1) => f.write_str("yearly"),
        Days::Yearly(day) => write!(f, "yearly on {day}"),
    }?;
    match minute {
        0 => Ok(()),
        minute => write!(f, " at {:02}:{:02}", minute / 60, minute % 60),
    }
}

fn write_day(head: &str, day: MonthlyDay, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match day {
        MonthlyDay::Nth(1) => f.write_str(head),
        MonthlyDay::Nth(day) => write!(f, "{head} on {day}"),
        MonthlyDay::Last => write!(f, "{head} on last"),
    }
}
