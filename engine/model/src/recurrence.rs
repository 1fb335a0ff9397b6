//! When something comes again: `15 minutes`, `daily at 02:15`, a cron expression.
//!
//! There are two kinds. An *interval* goes on in real time, whatever clocks do. A *calendar* recurrence is a rule for days and a
//! list of times of day on the clock of a zone; a time that a jump of the clock skips comes at the moment of the jump, and one that
//! is shown twice comes the first time. A cron expression whose hour field is `*` is about minutes of each hour, as an interval is: in
//! an hour that is shown twice it comes both times, and for a skipped hour nothing is made up.
//!
//! What is found depends on nothing but the rule, the zone and the time asked about: no state, and no clock. Missed times, jitter and
//! what to run are for others.

use std::fmt;

use croner::CronPattern;

use crate::{DAY_MICROS, Date, MICROS, MonthDay, Timestamp, Zone, zone::Shown};

mod cron;
mod days;
#[cfg(test)]
mod tests;
mod words;

const MINUTE: i64 = 60 * MICROS;
const HOUR: i64 = 60 * MINUTE;

/// Intervals are counted from local midnight of 1 January 2000.
const FIRST_DAY: Date = Date(10_957);

/// Times before the year 1 and after the year 9998 aren't looked at.
const EARLIEST: Timestamp = Timestamp(crate::days_from_civil(1, 1, 1) * DAY_MICROS);
const LATEST: Timestamp = Timestamp(crate::days_from_civil(9999, 1, 1) * DAY_MICROS);

/// After so many days (400 years) the calendar begins again: what hasn't come by then never comes.
const CYCLE: i32 = 146_097;

/// A jump of a clock moves a time of day by no more than this many days, even where a zone changed sides of the date line.
const FARTHEST_JUMP: i32 = 2;

/// When something comes again, on the clock of a zone. Equal ones come at the same times.
#[derive(Debug, Clone, PartialEq)]
pub struct Recurrence(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Every so many microseconds.
    Interval(i64),
    /// On these days, at this minute of the day.
    At(Days, u16),
    /// As a cron expression says.
    Cron(Cron),
}

/// Which days, in plain words.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Days {
    Daily,
    /// On a day of the week: 0 is Monday.
    Weekly(u8),
    Monthly(MonthlyDay),
    /// Of the first month of each quarter; [`MonthlyDay::Last`] is the last day of the quarter.
    Quarterly(MonthlyDay),
    Yearly(MonthDay),
}

/// A day of a month.
#[derive(Debug, Clone, Copy, PartialEq)]
enum MonthlyDay {
    /// 1 to 31; the last day of months that are shorter.
    Nth(u8),
    Last,
}

/// A cron expression, with its times of day laid out.
#[derive(Debug, Clone, PartialEq)]
struct Cron {
    /// As written, with single blanks.
    text: String,
    pattern: Box<CronPattern>,
    /// Minutes of the day, ascending; at least one.
    minutes: Vec<u16>,
    /// Its hour field is `*`.
    each_hour: bool,
}

/// Why a text is no recurrence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RecurrenceError {
    message: String,
    unknown: Option<(String, &'static [&'static str])>,
}

impl RecurrenceError {
    /// The word that isn't understood, and the words that could stand in its place, for finding the one that was meant.
    pub fn unknown(&self) -> Option<(&str, &'static [&'static str])> {
        self.unknown.as_ref().map(|(word, known)| (word.as_str(), *known))
    }
}

impl Recurrence {
    /// Reads plain words, in any case: `15 minutes`, `2 hours`, `hourly`, `daily at 02:15`, `weekly on Monday at 03:00`, `monthly on
    /// 1 at 03:00`, `monthly on last at 03:00`, `quarterly`, `yearly on 04-01 at 03:00`. Without a time of day it is 00:00, without a day
    /// the first: Monday, the 1st, 1 January.
    ///
    /// ```
    /// use tierd_model::Recurrence;
    /// assert_eq!(Recurrence::words("Monthly  on 1 at 3:00").unwrap().to_string(), "monthly at 03:00");
    /// assert!(Recurrence::words("fortnightly").is_err());
    /// ```
    ///
    /// # Errors
    /// [`RecurrenceError`] with what can be written instead.
    pub fn words(text: &str) -> Result<Self, RecurrenceError> {
        words::parse(text).map(Recurrence)
    }

    /// Reads a cron expression of five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday; names of
    /// months and days in English). Where both days are restricted, that is, neither is `*`, **one of them is enough**, as in other
    /// crons; a `+` before the day of the week asks for both. `L`, `W` and `#` have their usual meanings: `0 3 L * *` is the last day
    /// of each month, `0 3 * * MON#1` the first Monday.
    ///
    /// # Errors
    /// [`RecurrenceError`] with what is wrong.
    pub fn cron(text: &str) -> Result<Self, RecurrenceError> {
        cron::parse(text).map(|cron| Recurrence(Kind::Cron(cron)))
    }

    /// The first time strictly after this one; `None` if it never comes again, as on 30 February, or only after the year 9998.
    ///
    /// Times that the zone's clock skips come at the moment of the jump, once, however many of them there are. Those that it shows
    /// twice come the first time.
    pub fn next_after(&self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let at = at.max(EARLIEST);
        let next = match &self.0 {
            Kind::Interval(every) => {
                let first = zone.midnight(FIRST_DAY).0;
                Some(Timestamp(first + ((at.0.min(LATEST.0) - first).div_euclid(*every) + 1) * every))
            }
            Kind::At(days, minute) => after(at, zone, |day| days.on(day), &[*minute], false),
            Kind::Cron(cron) => after(at, zone, |day| cron.on(day), &cron.minutes, cron.each_hour),
        };
        next.filter(|next| *next < LATEST && *next > at)
    }
}

/// The first time after `at` on one of these days, at one of these minutes.
fn after(at: Timestamp, zone: &Zone, on: impl Fn(Date) -> bool, minutes: &[u16], twice: bool) -> Option<Timestamp> {
    let begin = zone.date_of(at.min(LATEST)).0 - FARTHEST_JUMP;
    let of_day = |day: i32| {
        let minutes = if on(Date(day)) { minutes } else { &[] };
        minutes.iter().filter_map(|&minute| shown_after(at, zone, Date(day), minute, twice)).min()
    };
    let found = (begin..=begin + CYCLE + FARTHEST_JUMP).find(|&day| of_day(day).is_some())?;
    // Around midnight a clock that is put back shows times of the day after before the second ones of this day.
    (found..=found + FARTHEST_JUMP).filter_map(of_day).min()
}

/// The first instant after `at` at which a time of day comes on a day.
fn shown_after(at: Timestamp, zone: &Zone, day: Date, minute: u16, twice: bool) -> Option<Timestamp> {
    let (first, second) = match zone.shown(i64::from(day.0) * DAY_MICROS + i64::from(minute) * MINUTE) {
        Shown::Once(at) => (Some(at), None),
        Shown::Twice(first, second) => (Some(first), Some(second).filter(|_| twice)),
        Shown::Never { jump } => (Some(jump).filter(|_| !twice), None),
    };
    first.into_iter().chain(second).map(Timestamp).find(|time| *time > at)
}

/// As it would be written in the fewest words: `daily at 02:15`, `monthly`. [`Recurrence::words`] or [`Recurrence::cron`] reads it again.
impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Interval(every) => words::write_interval(*every, f),
            Kind::At(days, minute) => words::write(*days, *minute, f),
            Kind::Cron(cron) => f.write_str(&cron.text),
        }
    }
}
