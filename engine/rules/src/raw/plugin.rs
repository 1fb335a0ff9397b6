//! What `tierd.toml` and rules say of plugins, as written.

use std::{borrow::Cow, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value as Json;
use toml::de::DeValue;

use super::{
    data::json,
    forms::{Form, Parsed},
    read::{At, Item, Named, Read, Reading},
    table::{table, words},
    values::{ColumnEntry, KeyEntry},
};
use crate::{code, diagnostic::Diagnostic};

table! {
    /// What a plugin may take, look up and propose. Without it: 64 MiB, 2 s for each call, and nothing to look up or propose.
    PluginTable = "a plugin" {
        /// Most of all its memories together: `"64 MiB"`.
        optional memory: Parsed<SizeText>,
        /// Longest time of a call: `"2 s"`, `"500 ms"`.
        optional time: Parsed<CallTimeText>,
        /// Most units of work of a call: a budget that is the same on every machine. Default: no limit but time.
        optional fuel: u64,
        /// Settings, for rules that don't give their own.
        optional config: Named<Setting>,
        /// Tables that it may look things up in: NAMEs of `[lookup.NAME]`.
        optional lookups: Vec<At<String>>,
        /// What it may propose to be done.
        optional actions: ActionsTable,
    }
}

table! {
    /// What a plugin may propose to be done.
    ActionsTable = "`actions`" {
        /// Tasks: `true`, or the channels that they may have.
        optional tasks: TasksEntry,
        /// Owners that tasks may have. Default: any.
        optional owners: Vec<At<String>>,
        /// Names of events.
        optional events: Vec<At<String>>,
        /// Proposals for each subject in a run, at most. Default: 1.
        optional per_subject: u16,
    }
}

table! {
    /// A table or view in which plugins look things up by key.
    LookupTable = "a look-up table" {
        /// Table or view.
        required table: String,
        /// Its key column, unique; an integer unless it says `{ column = "…", type = "text" }`.
        required key: KeyEntry,
        /// Whether a table without any row is no mistake; otherwise a run refuses it, so that an emptied table grades no one. Default: false.
        optional may_be_empty: bool,
        /// Columns that plugins may see: a name for each, with its type.
        required columns: Named<ColumnEntry>,
    }
}

words! {
    /// What becomes of a plugin's failure.
    OnPluginErrorName {
        /// The run fails, and all levels stay as they are.
        Fail = "fail",
        /// The metric is NULL, so that conditions on it are UNKNOWN.
        Unknown = "unknown",
    }
}

words! {
    /// What becomes of the failure of a plugin that is to propose something.
    OnPlannerErrorName {
        /// The run fails, and all levels stay as they are.
        Fail = "fail",
        /// The rule acts on nobody in this run; who would have been acted on waits for the next.
        Wait = "wait",
    }
}

/// A setting of a plugin: any data.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting(pub(crate) Json);

impl Read for Setting {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        json(item, cx).map(Setting)
    }
}

impl JsonSchema for Setting {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Setting".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}

/// `true`, or a list of channels.
#[derive(Debug, Clone)]
pub(crate) enum TasksEntry {
    /// Any, or none.
    Any(bool),
    /// With these channels.
    Channels(Vec<At<String>>),
}

impl Read for TasksEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::Boolean(any) => Some(TasksEntry::Any(*any)),
            DeValue::Array(_) => Vec::read(item, cx).map(TasksEntry::Channels),
            _ => cx.wrong_type(item, "true or a list of channels"),
        }
    }
}

impl JsonSchema for TasksEntry {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Tasks".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["boolean", "array"], "items": { "type": "string" }, "examples": [true, ["call"]] })
    }
}

/// A size of memory: `64 MiB`.
#[derive(Debug, Clone)]
pub(crate) struct SizeText;

/// A page of WebAssembly, and all that its memories can have.
pub(crate) const SIZES: std::ops::RangeInclusive<u64> = 64 << 10..=4 << 30;

impl Form for SizeText {
    type Value = u64;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<u64> {
        let text = String::read(item, cx)?;
        let found = memory_size(&text);
        let at = cx.location(item.value.span());
        match found {
            None => {
                let headline = format!("`{text}` is no size of memory");
                cx.out.push(Diagnostic::error(code::BAD_SIZE, &at, headline).help("write such as \"64 MiB\""));
            }
            Some(size) if !SIZES.contains(&size) => {
                let headline = "a plugin's memory is from 64 KiB to 4 GiB";
                cx.out.push(Diagnostic::error(code::OUT_OF_RANGE, &at, headline).help("write such as \"64 MiB\""));
            }
            Some(_) => {}
        }
        found.filter(|size| SIZES.contains(size))
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\s*[1-9][0-9]*\s*(KiB|MiB|GiB)\s*$",
            "examples": ["64 MiB", "256 MiB"],
        })
    }
}

/// The time of a call: `2 s`.
#[derive(Debug, Clone)]
pub(crate) struct CallTimeText;

/// Longer calls would hold up whole runs.
pub(crate) const TIMES: std::ops::RangeInclusive<u64> = 1..=600_000;

impl Form for CallTimeText {
    type Value = Duration;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Duration> {
        let text = String::read(item, cx)?;
        let found = call_time_ms(&text);
        let at = cx.location(item.value.span());
        let help = "write such as \"2 s\" or \"500 ms\"";
        match found {
            None => {
                let headline = format!("`{text}` is no time of a call");
                cx.out.push(Diagnostic::error(code::BAD_DURATION, &at, headline).help(help));
            }
            Some(time) if !TIMES.contains(&time) => {
                let headline = "a call takes from 1 ms to 600 s";
                cx.out.push(Diagnostic::error(code::OUT_OF_RANGE, &at, headline).help(help));
            }
            Some(_) => {}
        }
        found.filter(|time| TIMES.contains(time)).map(Duration::from_millis)
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\s*[1-9][0-9]*\s*(ms|s)\s*$",
            "examples": ["2 s", "500 ms"],
        })
    }
}

/// Bytes, from such as `64 MiB`; whether a plugin may have so many isn't looked at.
pub(crate) fn memory_size(text: &str) -> Option<u64> {
    measure(text, &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)])
}

/// Milliseconds, from such as `2 s` or `500 ms`; whether a call may take so long isn't looked at.
pub(crate) fn call_time_ms(text: &str) -> Option<u64> {
    measure(text, &[("ms", 1), ("s", 1000)])
}

/// A whole number and one of these units, in the smallest of them.
fn measure(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|char: char| !char.is_ascii_digit()).filter(|&end| end > 0)?;
    let (number, unit) = (text[..digits].parse::<u64>().ok()?, text[digits..].trim());
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*factor)
}
