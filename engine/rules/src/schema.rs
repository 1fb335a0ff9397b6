//! JSON Schemas of all kinds of file, for editors: made from the very structs that files are read into.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::raw::{ConfigFile, RuleFile, cases::TestFile};

/// The JSON Schema (draft 2020-12) of `tierd.toml`.
pub fn config_schema() -> Value {
    schema_of::<ConfigFile>("tierd.toml")
}

/// The JSON Schema (draft 2020-12) of a rule file.
pub fn rules_schema() -> Value {
    schema_of::<RuleFile>("tierd rules")
}

/// The JSON Schema (draft 2020-12) of a test file.
pub fn tests_schema() -> Value {
    schema_of::<TestFile>("tierd tests")
}

fn schema_of<T: JsonSchema>(title: &str) -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let mut value = schema.to_value();
    without_null(&mut value);
    if let Some(root) = value.as_object_mut() {
        root.insert("title".to_owned(), json!(title));
    }
    value
}

/// TOML has no null: a key that may be absent is no key that may be null.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            remove_null(map);
            map.values_mut().for_each(without_null);
        }
        Value::Array(all) => all.iter_mut().for_each(without_null),
        _ => {}
    }
}

fn remove_null(map: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|ty| ty != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            map.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(any)) = map.get_mut("anyOf") else {
        return;
    };
    any.retain(|schema| *schema != json!({ "type": "null" }));
    if let [Value::Object(only)] = any.as_slice() {
        let only = only.clone();
        map.remove("anyOf");
        only.into_iter().for_each(|(key, value)| {
            map.entry(key).or_insert(value);
        });
    }
}
