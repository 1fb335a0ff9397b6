//! Schedules and the way in for HTTP, as written in `tierd.toml`.

use std::time::Duration;

use schemars::{Schema, json_schema};
use tierd_model::{Recurrence, RecurrenceError};

use super::{
    forms::{Form, Parsed},
    read::{At, Item, Read, Reading},
    table::{table, words},
};
use crate::{code, diagnostic::Diagnostic, suggest::nearest};

table! {
    /// When tier sets and retention rules are decided: by `every`, `cron`, `on_change`, or one of the first two and the last.
    ScheduleTable = "a schedule" {
        /// Plain words: `"15 minutes"`, `"2 hours"`, `"hourly"`, `"daily at 02:15"`, `"weekly on Monday at 03:00"`, `"monthly on 1 at 03:00"`, `"monthly on last"`, `"quarterly"`, `"yearly on 04-01 at 03:00"`.
        optional every: Parsed<EveryText>,
        /// In place of `every`: minute, hour, day of the month, month, day of the week. Where both days are restricted, one of them is enough.
        optional cron: Parsed<CronText>,
        /// On whose clock. Default: the `time_zone` of the file.
        optional time_zone: String,
        /// What becomes of times that passed while no daemon ran. Default: latest.
        optional missed: MissedName,
        /// A run that can't begin within this time doesn't begin at all: `"6 hours"`.
        optional deadline: Parsed<DurationText>,
        /// Runs begin later by a part of this that never changes: `"5 minutes"`. Default: none.
        optional jitter: Parsed<DurationText>,
        /// Also when the database has changed and then been quiet for this long: `"30 seconds"`.
        optional on_change: Parsed<DurationText>,
    }
}

words! {
    /// What becomes of times that passed while no daemon ran.
    MissedName {
        /// The latest is run; those before it are gaps.
        Latest = "latest",
        /// Each is run, in order, as of its own time.
        All = "all",
        /// All are gaps.
        Skip = "skip",
    }
}

table! {
    /// How a daemon is reached. A change of these needs a restart.
    HttpTable = "`[http]`" {
        /// Address and port, or `"off"`. Default: `127.0.0.1:7411`.
        #[schemars(example = &"127.0.0.1:7411")]
        optional listen: String,
        /// Path of the Unix socket, from the folder of this file, or `"off"`. Default: `tierd.sock`.
        optional socket: String,
        /// File with the token that changes need over TCP. Without one, changes go over the socket alone.
        optional token_file: String,
        /// Names under which others reach it, such as `"tierd.example.com"`: allowed besides loopback names.
        optional hosts: Vec<At<String>>,
        /// Web pages that may ask from a browser, such as `"https://console.example.com"`.
        optional origins: Vec<At<String>>,
    }
}

/// Plain words for what comes again: `daily at 02:15`.
#[derive(Debug, Clone)]
pub(crate) struct EveryText;

impl Form for EveryText {
    type Value = Recurrence;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Recurrence> {
        let text = String::read(item, cx)?;
        let report = |error: RecurrenceError| {
            cx.out.push(bad_words(&text, &error, &cx.location(item.value.span())));
        };
        Recurrence::words(&text).map_err(report).ok()
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "examples": ["15 minutes", "hourly", "daily at 02:15", "weekly on Monday at 03:00", "monthly on 1 at 03:00",
                         "monthly on last at 03:00", "quarterly", "yearly on 04-01 at 03:00"],
        })
    }
}

/// Words that name no time.
pub(crate) fn bad_words(text: &str, error: &RecurrenceError, at: &crate::Location) -> Diagnostic {
    let near = error.unknown().and_then(|(word, known)| nearest(word, known.iter().copied()));
    let cron = text.split_whitespace().count() == 5 && text.contains('*');
    let help = match near {
        _ if cron => "a cron expression stands under `cron` in a `[schedule.NAME]`".to_owned(),
        Some(near) => format!("did you mean `{near}`?"),
        None => error.to_string(),
    };
    Diagnostic::error(code::BAD_SCHEDULE, at, format!("`{text}` is no time that comes again")).help(help)
}

/// A cron expression of five fields.
#[derive(Debug, Clone)]
pub(crate) struct CronText;

impl Form for CronText {
    type Value = Recurrence;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Recurrence> {
        let text = String::read(item, cx)?;
        let report = |error: RecurrenceError| {
            let at = cx.location(item.value.span());
            let help = "five fields: minute, hour, day of the month, month, day of the week; such as \"15 2 * * *\"";
            cx.out.push(Diagnostic::error(code::BAD_SCHEDULE, &at, error.to_string()).help(help));
        };
        Recurrence::cron(&text).map_err(report).ok()
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": r"^\s*(\S+\s+){4}\S+\s*$", "examples": ["15 2 * * *", "0 3 1 1,4,7,10 *"] })
    }
}

/// A length of real time: `30 seconds`, `6 hours`.
#[derive(Debug, Clone)]
pub(crate) struct DurationText;

/// The longest.
const MOST_SECONDS: u64 = 366 * 86_400;

impl Form for DurationText {
    type Value = Duration;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Duration> {
        let text = String::read(item, cx)?;
        let found = duration(&text);
        if found.is_none() {
            let at = cx.location(item.value.span());
            let headline = format!("`{text}` is no length of time");
            let help = "a whole number and a unit, such as `30 seconds`: second(s), minute(s), hour(s), day(s), up to 366 days";
            cx.out.push(Diagnostic::error(code::BAD_DURATION, &at, headline).help(help));
        }
        found
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\s*[1-9][0-9]*\s+(second|minute|hour|day)s?\s*$",
            "examples": ["30 seconds", "5 minutes", "6 hours"],
        })
    }
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.trim().split_once(char::is_whitespace)?;
    let seconds = match unit.trim_start() {
        "second" | "seconds" => 1,
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    let seconds = number.checked_mul(seconds).filter(|seconds| (1..=MOST_SECONDS).contains(seconds))?;
    Some(Duration::from_secs(seconds))
}
