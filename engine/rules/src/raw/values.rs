//! Values that can be written in several ways: a column by its type or a table, a window by its name or a table, constants.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::{
    config::{ColumnTable, KeyTable},
    forms::{Parsed, TypeName},
    read::{Item, Read, Reading},
    rules::WindowTable,
    table::words,
};
use crate::fileset::Location;

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
    Table(Box<WindowTable>),
}

words! {
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
            DeValue::Table(_) => WindowTable::read(item, cx).map(|table| WindowEntry::Table(Box::new(table))),
            _ => cx.wrong_type(item, "a table such as `{ last = \"12 months\" }`"),
        }
    }
}

/// A number, or an expression in quotes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PointsEntry {
    /// Its digits as written.
    Number(String),
    /// The expression.
    Expression(String),
}

impl Read for PointsEntry {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        match item.value.get_ref() {
            DeValue::Integer(n) if n.radix() == 10 => Some(PointsEntry::Number(n.as_str().to_owned())),
            DeValue::Float(n) => Some(PointsEntry::Number(n.as_str().to_owned())),
            DeValue::String(text) => Some(PointsEntry::Expression(text.to_string())),
            _ => cx.wrong_type(item, "a number, or an expression in quotes"),
        }
    }
}

impl JsonSchema for PointsEntry {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Points".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "string"], "examples": [40, "-5 * complaints"] })
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

/// A constant that stands for a condition, with the place of its key and itself: `from = 50`.
#[derive(Debug, Clone)]
pub(crate) struct Threshold {
    pub(crate) constant: Constant,
    pub(crate) whole: Location,
}

impl Read for Threshold {
    fn read(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Self> {
        let whole = cx.location(item.key.start..item.value.span().end);
        Constant::read(item, cx).map(|constant| Threshold { constant, whole })
    }
}

impl JsonSchema for Threshold {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Threshold".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "string"], "examples": [50, "2024-01-31"] })
    }
}
