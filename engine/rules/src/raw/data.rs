//! Free data: benefits and strategies, handed on as JSON.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::{
    forms::{Form, Parsed, SpanText},
    read::{At, Item, Read, Reading, in_order},
};
use crate::{code, diagnostic::Diagnostic};

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
pub(super) fn json(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<serde_json::Value> {
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
