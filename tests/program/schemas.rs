//! Every TOML file that ships validates against its JSON Schema, and names it in its first line.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::Project;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn toml_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            toml_files(&entry, out);
        } else if entry.extension().is_some_and(|e| e == "toml")
            // Profiles of example databases are read by `tierd demo` alone.
            && !["Cargo.toml", "profile.toml"].iter().any(|name| entry.ends_with(name))
        {
            out.push(entry);
        }
    }
}

#[test]
fn shipped_files_validate_against_their_schemas() {
    let mut files = Vec::new();
    for folder in ["examples", "rules", "bench"] {
        if root().join(folder).exists() {
            toml_files(&root().join(folder), &mut files);
        }
    }
    assert!(files.len() >= 4, "{files:?}");
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap();
        let schema = first.strip_prefix("#:schema ").unwrap_or_else(|| panic!("{} names no schema", path.display()));
        let schema = path.parent().unwrap().join(schema.trim());
        let schema: Value = serde_json::from_str(&fs::read_to_string(&schema).unwrap()).unwrap();
        assert_valid(&schema, &text, &path);
    }
}

#[test]
fn files_that_tierd_writes_validate_against_the_schemas_beside_them() {
    let project = Project::empty();
    project.tierd(&["demo", "--customers", "50", "--dir", "d"]).ok();
    project.sql(crate::support::TABLES);
    project.tierd(&["init", "--database", "shop.db", "--time-zone", "UTC"]).ok();
    for folder in ["d", "."] {
        let mut files = Vec::new();
        toml_files(&project.path(folder), &mut files);
        assert!(files.len() >= 2);
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            let schema = text.lines().next().unwrap().strip_prefix("#:schema ").unwrap();
            let schema = fs::read_to_string(path.parent().unwrap().join(schema)).unwrap();
            assert_valid(&serde_json::from_str(&schema).unwrap(), &text, &path);
        }
    }
}

#[test]
fn schemas_refuse_unknown_keys() {
    let project = Project::empty();
    let schema = project.tierd(&["schema", "rules"]).ok().json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = serde_json::json!({ "tiers": { "t": { "level": [{ "name": "a" }] } } });
    let bad = serde_json::json!({ "tiers": { "t": { "level": [{ "nam": "a" }] } } });
    assert!(validator.is_valid(&good));
    assert!(!validator.is_valid(&bad));
    assert!(jsonschema::validator_for(&project.tierd(&["schema", "config"]).ok().json()).is_ok());
}

fn assert_valid(schema: &Value, text: &str, path: &Path) {
    let document = json(toml::from_str(text).unwrap());
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&document).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
}

/// A document as editors see it: dates are texts.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(datetime) => Value::String(datetime.to_string()),
        toml::Value::Array(values) => values.into_iter().map(json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, json(value))).collect(),
        other => serde_json::to_value(other).unwrap(),
    }
}
