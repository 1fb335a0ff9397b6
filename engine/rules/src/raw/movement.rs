//! The movement policy of a tier set as written: words for the common cases, tables for the rest.

use schemars::{JsonSchema, Schema, json_schema};
use tierd_model::{CalendarSpan, parse_date};
use toml::de::DeValue;

use super::{
    forms::{DayText, Form, Parsed, SPAN_PATTERN, SpanText},
    read::{Item, Read, Reading},
    rules::UnitName,
    table::{table, words},
};
use crate::{LockUntil, code, diagnostic::Diagnostic, suggest::nearest};

words! {
    /// When a level moves.
    TimingName {
        /// In the run that finds it.
        AtOnce = "at once",
        /// In the first run of a new period.
        AtPeriodEnd = "at period end",
        /// Never.
        Never = "never",
    }
}

/// `"at once"` or `{ when = "at once", after = "30 days", steps = 1 }`.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum DowngradeEntry {
    /// Only when.
    Short(TimingName),
    /// With a grace time or steps.
    Long(DowngradeTable),
}

table! {
    /// How levels fall.
    DowngradeTable = "`downgrade`" {
        /// When. Default: at once.
        optional r#when: TimingName,
        /// Only after having been below the level this long without a break: the grace time.
        optional after: Parsed<SpanText>,
        /// At most this many levels at once; the grace time then begins anew.
        optional steps: u16,
    }
}

impl Read for DowngradeEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::String(_) => TimingName::read(item, cx).map(DowngradeEntry::Short),
            DeValue::Table(_) => DowngradeTable::read(item, cx).map(DowngradeEntry::Long),
            _ => cx.wrong_type(item, "\"at once\", \"at period end\", \"never\" or a table"),
        }
    }
}

/// `"year"`, `"quarter"`, `"month"` or `{ program_year = "04-01" }`.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum PeriodEntry {
    /// Of the calendar.
    Calendar(UnitName),
    /// Of the program.
    Program(ProgramYearTable),
}

table! {
    /// Years of a program.
    ProgramYearTable = "a period" {
        /// The day of the year on which they begin: `"04-01"`.
        required program_year: Parsed<DayText>,
    }
}

impl Read for PeriodEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::String(_) => UnitName::read(item, cx).map(PeriodEntry::Calendar),
            DeValue::Table(_) => ProgramYearTable::read(item, cx).map(PeriodEntry::Program),
            _ => cx.wrong_type(item, "\"year\", \"quarter\", \"month\" or { program_year = \"04-01\" }"),
        }
    }
}

/// `"12 months"`, `2027-03-31` or `{ until = "12 months", renew = true }`.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum LockEntry {
    /// Only until when.
    Short(Parsed<LockText>),
    /// With renewal.
    Long(LockTable),
}

table! {
    /// How long a level, once taken, can't be lost.
    LockTable = "`lock`" {
        /// `"12 months"`, `"period end"`, `"next period end"`, or a day.
        required until: Parsed<LockText>,
        /// Whether a subject that still qualifies when the lock ends is locked anew. Default: false.
        optional renew: bool,
    }
}

impl Read for LockEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::String(_) | DeValue::Datetime(_) => Parsed::read(item, cx).map(LockEntry::Short),
            DeValue::Table(_) => LockTable::read(item, cx).map(LockEntry::Long),
            _ => cx.wrong_type(item, "\"12 months\", \"period end\", \"next period end\", a day or a table"),
        }
    }
}

/// The end of a lock: `12 months`, `period end`, `next period end`, or a day, which may stand in quotes.
#[derive(Debug, Clone)]
pub(crate) struct LockText;

const LOCK_WORDS: [&str; 2] = ["period end", "next period end"];

impl Form for LockText {
    type Value = LockUntil;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<LockUntil> {
        let text = match item.value.get_ref() {
            DeValue::Datetime(day) => day.to_string(),
            _ => String::read(item, cx)?,
        };
        match (text.as_str(), parse_date(text.as_bytes())) {
            ("period end", _) => return Some(LockUntil::PeriodEnd),
            ("next period end", _) => return Some(LockUntil::NextPeriodEnd),
            (_, Some(day)) => return Some(LockUntil::Day(day)),
            _ => {}
        }
        let span = CalendarSpan::parse(&text);
        if span.is_err() {
            let help = match nearest(&text, LOCK_WORDS) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => "write a span such as \"12 months\", a day such as 2027-03-31, \"period end\" or \"next period end\""
                    .to_owned(),
            };
            let at = cx.location(item.value.span());
            let headline = format!("`{text}` is no end of a lock");
            cx.out.push(Diagnostic::error(code::BAD_SPAN, &at, headline).help(help));
        }
        span.ok().map(LockUntil::Span)
    }

    fn schema() -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string", "enum": LOCK_WORDS },
            { "type": "string", "pattern": SPAN_PATTERN },
            { "type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$" },
        ], "examples": ["12 months", "period end", "2027-03-31"] })
    }
}
