//! Values with a text form of their own: types, spans, limits, windows, constants and free data.

use std::{borrow::Cow, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use tierd_model::{CalendarSpan, MAX_SCALE, Type};
use toml::de::DeValue;

use super::{
    config::{ColumnTable, KeyTable},
    read::{At, Item, Read, Reading, in_order},
    rules::WindowTable,
};
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
            "pattern": r"^\s*[1-9][0-9]*\s+(day|week|month|quarter|year)s?(\s+[1-9][0-9]*\s+(day|week|month|quarter|year)s?)*\s*$",
            "examples": ["12 months", "90 days", "1 year 6 months"],
        })
    }
}

/// A limit of rows: a number, a share such as `0.1%`, or `any`.
#[derive(Debug, Clone)]
pub(crate) struct LimitText;

impl Form for LimitText {
    type Value = Limit;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Limit> {
        let limit = match item.value.get_ref() {
            DeValue::Integer(n) => u64::from_str_radix(n.as_str(), n.radix()).ok().map(Limit::Rows),
            DeValue::String(text) if text == "any" => Some(Limit::Unlimited),
            DeValue::String(text) => text.strip_suffix('%').and_then(share),
            _ => None,
        };
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

/// Percent in text, to parts per million.
fn share(percent: &str) -> Option<Limit> {
    let share = tierd_model::Decimal::parse(percent.trim_end())?.rescale_exact(4)?;
    u32::try_from(share.units).ok().filter(|&ppm| ppm <= 1_000_000).map(Limit::PartsPerMillion)
}

/// `"text"` or `{ type = "text", … }`.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum ColumnEntry {
    /// Only the type.
    Short(Parsed<TypeName>),
    /// Type, encoding and more.
    Long(ColumnTable),
}

impl Read for ColumnEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::String(_) => Parsed::read(item, cx).map(ColumnEntry::Short),
            DeValue::Table(_) => ColumnTable::read(item, cx).map(ColumnEntry::Long),
            _ => cx.wrong_type(item, "a type in quotes or a table"),
        }
    }
}

/// `"id"` or `{ column = "id", type = "text" }`.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum KeyEntry {
    /// The column; it holds integers.
    Short(String),
    /// Column and type.
    Long(KeyTable),
}

impl Read for KeyEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::String(_) => String::read(item, cx).map(KeyEntry::Short),
            DeValue::Table(_) => KeyTable::read(item, cx).map(KeyEntry::Long),
            _ => cx.wrong_type(item, "a column in quotes or a table"),
        }
    }
}

/// `"lifetime"` or a table.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum WindowEntry {
    /// All time up to the run.
    Lifetime(LifetimeName),
    /// Any window.
    Table(WindowTable),
}

super::read::words! {
    /// The only window without measure.
    LifetimeName {
        /// All time up to the run.
        Lifetime = "lifetime",
    }
}

impl Read for WindowEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::String(_) => LifetimeName::read(item, cx).map(WindowEntry::Lifetime),
            DeValue::Table(_) => WindowTable::read(item, cx).map(WindowEntry::Table),
            _ => cx.wrong_type(item, "a table such as `{ last = \"12 months\" }`"),
        }
    }
}

/// A constant as written; its type is known only where it is used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    /// A number, its digits as written (TOML's floats are exact decimals here).
    Number(String),
    /// Text; `null` is NULL.
    Text(String),
    /// True or false.
    Bool(bool),
    /// A TOML date or time, as written.
    Time(String),
}

impl Read for Constant {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::Integer(n) if n.radix() == 10 => Some(Constant::Number(n.as_str().to_owned())),
            DeValue::Float(n) => Some(Constant::Number(n.as_str().to_owned())),
            DeValue::String(text) => Some(Constant::Text(text.to_string())),
            DeValue::Boolean(value) => Some(Constant::Bool(*value)),
            DeValue::Datetime(time) => Some(Constant::Time(time.to_string())),
            _ => cx.wrong_type(item, "a number, a text, a date or \"null\""),
        }
    }
}

impl JsonSchema for Constant {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Constant".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "string", "boolean"], "examples": [0, "null"] })
    }
}

/// Any data, as JSON.
#[derive(Debug, Clone)]
pub(crate) struct Data(pub(crate) serde_json::Map<String, serde_json::Value>);

impl Read for Data {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::Table(_) => match json(item, cx)? {
                serde_json::Value::Object(map) => Some(Data(map)),
                _ => None,
            },
            _ => cx.wrong_type(item, "a table"),
        }
    }
}

impl JsonSchema for Data {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Data".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// TOML to JSON; dates become text. TOML's own depth limit bounds the recursion.
fn json(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    let number = |text: &str| text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Json::Number);
    let found = match item.value.get_ref() {
        DeValue::String(text) => Some(Json::String(text.to_string())),
        DeValue::Boolean(value) => Some(Json::Bool(*value)),
        DeValue::Datetime(time) => Some(Json::String(time.to_string())),
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok().map(Json::from),
        DeValue::Float(n) => number(n.as_str()),
        DeValue::Array(array) => {
            let items = array.iter().map(|value| json(&Item { key: value.span(), value }, cx));
            return items.collect::<Option<Vec<_>>>().map(Json::Array);
        }
        DeValue::Table(table) => {
            let entries = in_order(table).into_iter().map(|(key, value)| {
                json(&Item { key: key.span(), value }, cx).map(|json| (key.get_ref().to_string(), json))
            });
            return entries.collect::<Option<_>>().map(Json::Object);
        }
    };
    if found.is_none() {
        let at = cx.location(item.value.span());
        cx.out.push(Diagnostic::error(code::OUT_OF_RANGE, &at, "this number is out of range"));
    }
    found
}

/// Any data; three of its keys have meaning.
#[derive(Debug, Clone)]
pub(crate) struct StrategyTable {
    pub(crate) data: Data,
    pub(crate) every: Option<At<Parsed<SpanText>>>,
}

impl Read for StrategyTable {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        let data = Data::read(item, cx)?;
        let DeValue::Table(table) = item.value.get_ref() else {
            return None;
        };
        for word in ["touch", "owner"] {
            if let Some((key, value)) = table.get_key_value(word) {
                String::read(&Item { key: key.span(), value }, cx);
            }
        }
        let every =
            table.get_key_value("every").and_then(|(key, value)| At::read(&Item { key: key.span(), value }, cx));
        Some(StrategyTable { data, every })
    }
}

impl JsonSchema for StrategyTable {
    fn schema_name() -> Cow<'static, str> {
        "Strategy".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut every = SpanText::schema();
        every.insert(
            "description".to_owned(),
            "How often, such as `90 days`: the next follow-up is due so long after a run.".into(),
        );
        json_schema!({
            "type": "object",
            "description": "How a level's subjects are treated: any data besides these keys.",
            "properties": {
                "touch": { "type": "string", "description": "How they are approached, such as `visit`." },
                "owner": { "type": "string", "description": "Who is responsible." },
                "every": every,
            },
        })
    }
}
