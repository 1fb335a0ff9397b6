//! Strings with a form of their own: types, spans, limits.

use std::{borrow::Cow, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use tierd_model::{CalendarSpan, MAX_SCALE, MonthDay, Type};
use toml::de::DeValue;

use super::read::{Item, Read, Reading};
use crate::{code, config::Limit, diagnostic::Diagnostic, suggest::nearest};

/// A string with a form of its own, parsed as `T` says.
#[derive(Debug, Clone)]
pub(crate) struct Parsed<T: Form>(pub(crate) T::Value, PhantomData<T>);

/// How such a string is parsed and described.
pub(crate) trait Form {
    type Value;
    /// `None` where it is no such value, and reported.
    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self::Value>;
    fn schema() -> Schema;
}

impl<T: Form> Read for Parsed<T> {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        T::parse(item, cx).map(|value| Parsed(value, PhantomData))
    }
}

impl<T: Form> JsonSchema for Parsed<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::schema()
    }
}

/// A type of a column: `text`, `decimal(2)` …
#[derive(Debug, Clone)]
pub(crate) struct TypeName;

const TYPES: [&str; 7] = ["text", "integer", "decimal(2)", "real", "bool", "date", "timestamp"];

impl Form for TypeName {
    type Value = Type;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Type> {
        let text = String::read(item, cx)?;
        let found = match text.as_str() {
            "text" => Ok(Type::Text),
            "integer" => Ok(Type::Integer),
            "real" => Ok(Type::Real),
            "bool" => Ok(Type::Bool),
            "date" => Ok(Type::Date),
            "timestamp" => Ok(Type::Timestamp),
            other => decimal(other),
        };
        let at = cx.location(item.value.span());
        found.map_err(|help| cx.out.push(unknown_type(&text, help, &at))).ok()
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^(text|integer|real|bool|date|timestamp|decimal\((0|[1-9]|1[0-8])\))$",
            "examples": TYPES,
        })
    }
}

/// `decimal(2)`, or what to write instead.
fn decimal(text: &str) -> Result<Type, String> {
    let digits = text.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')'));
    match digits.map(|digits| digits.trim().parse::<u8>()) {
        Some(Ok(scale)) if scale <= MAX_SCALE => Ok(Type::Decimal(scale)),
        Some(_) => Err(format!("in `decimal(n)`, n is the number of digits after the point, 0 to {MAX_SCALE}")),
        None if text == "decimal" => Err("say how many digits it has after the point: \"decimal(2)\"".to_owned()),
        None => match nearest(text, TYPES).or_else(|| foreign_type(text)) {
            Some(near) => Err(format!("did you mean \"{near}\"?")),
            None => Err("types are text, integer, decimal(n), real, bool, date and timestamp".to_owned()),
        },
    }
}

/// tierd's word for a type of another system.
fn foreign_type(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    match text.split('(').next().unwrap_or("") {
        "string" | "varchar" | "char" => Some("text"),
        "int" | "bigint" => Some("integer"),
        "float" | "double" => Some("real"),
        "boolean" => Some("bool"),
        "datetime" => Some("timestamp"),
        "numeric" | "money" => Some("decimal(2)"),
        _ => None,
    }
}

fn unknown_type(text: &str, help: String, at: &crate::Location) -> Diagnostic {
    Diagnostic::error(code::UNKNOWN_TYPE, at, format!("no type `{text}`")).help(help)
}

/// What a stretch of calendar time looks like.
pub(crate) const SPAN_PATTERN: &str =
    r"^\s*[1-9][0-9]*\s+(day|week|month|quarter|year)s?(\s+[1-9][0-9]*\s+(day|week|month|quarter|year)s?)*\s*$";

/// A stretch of calendar time: `12 months`.
#[derive(Debug, Clone)]
pub(crate) struct SpanText;

impl Form for SpanText {
    type Value = CalendarSpan;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<CalendarSpan> {
        let text = String::read(item, cx)?;
        let report = |error: tierd_model::SpanError| {
            let at = cx.location(item.value.span());
            let headline = format!("`{text}` is no stretch of time");
            cx.out.push(Diagnostic::error(code::BAD_SPAN, &at, headline).help(error.to_string()));
        };
        CalendarSpan::parse(&text).map_err(report).ok()
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": SPAN_PATTERN,
            "examples": ["12 months", "90 days", "1 year 6 months"],
        })
    }
}

/// A day of every year: `04-01`.
#[derive(Debug, Clone)]
pub(crate) struct DayText;

impl Form for DayText {
    type Value = MonthDay;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<MonthDay> {
        let text = String::read(item, cx)?;
        let report = |error: tierd_model::MonthDayError| {
            let at = cx.location(item.value.span());
            let headline = format!("`{text}` is no day of the year");
            cx.out.push(Diagnostic::error(code::BAD_DAY, &at, headline).help(error.to_string()));
        };
        MonthDay::parse(&text).map_err(report).ok()
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])$|^(0[469]|11)-(0[1-9]|[12][0-9]|30)$|^02-(0[1-9]|[12][0-9])$",
            "examples": ["04-01", "12-31"],
        })
    }
}

/// A limit of rows: a number, a share such as `0.1%`, or `any`.
#[derive(Debug, Clone)]
pub(crate) struct LimitText;

impl Form for LimitText {
    type Value = Limit;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Limit> {
        let limit = Self::of(item);
        if limit.is_none() {
            let at = cx.location(item.value.span());
            let headline = "expected a number of rows, a share or \"any\"";
            let help = "such as `100`, `\"0.1%\"` or `\"any\"`";
            cx.out.push(Diagnostic::error(code::BAD_LIMIT, &at, headline).help(help));
        }
        limit
    }

    fn schema() -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": r"^(any|[0-9]+(\.[0-9]{1,4})?\s*%)$" },
        ], "examples": [0, "0.1%", "any"] })
    }
}

impl LimitText {
    /// The limit in a value, if it is one.
    pub(super) fn of(item: &Item<'_, '_>) -> Option<Limit> {
        match item.value.get_ref() {
            DeValue::Integer(n) => u64::from_str_radix(n.as_str(), n.radix()).ok().map(Limit::Rows),
            DeValue::String(text) if text == "any" => Some(Limit::Unlimited),
            DeValue::String(text) => text.strip_suffix('%').and_then(share),
            _ => None,
        }
    }
}

/// Percent in text, to parts per million.
fn share(percent: &str) -> Option<Limit> {
    let share = tierd_model::Decimal::parse(percent.trim_end())?.rescale_exact(4)?;
    u32::try_from(share.units).ok().filter(|&ppm| ppm <= 1_000_000).map(Limit::PartsPerMillion)
}
