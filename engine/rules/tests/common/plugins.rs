//! Plugins by hand: files that stand for a `.wasm`, with what it would say of itself.
//!
//! ```toml
//! functions.score = { kind = "scorer", inputs = ["spend number", "tenure integer?"], output = "decimal(2)", settings = ["base integer!"] }
//! lookups.regions = ["code text", "risk real"]
//! ```
//!
//! `?` is for inputs that may be NULL, `!` for settings that must be given. `problem` (and `help`) says that it can't be loaded,
//! `unasked = true` that nobody has asked it.

use std::sync::Arc;

use tierd_model::Type;
use tierd_rules::{
    File, FileSet, PluginFile,
    plugin::{
        Accepts, LookupTable, PluginDescription, PluginFunction, PluginInput, PluginKind, PluginProblem, PluginSetting,
        SettingType,
    },
};

/// The files, those that end in `.wasm` as plugins.
pub(crate) fn with_plugins(files: Vec<File>) -> FileSet {
    let (plugins, texts): (Vec<File>, Vec<File>) = files.into_iter().partition(|file| file.path.ends_with(".wasm"));
    let plugins = plugins.iter().map(|file| {
        let table: toml::Table = toml::from_str(&file.text).unwrap();
        let mut plugin = PluginFile::new(file.path.clone(), file.text.as_bytes());
        plugin.described = (!table.contains_key("unasked")).then(|| described(&table));
        plugin
    });
    FileSet::new(texts).with_plugins(plugins.collect())
}

fn described(table: &toml::Table) -> Result<Arc<PluginDescription>, PluginProblem> {
    let text = |key: &str| table.get(key).map(|text| text.as_str().unwrap().to_owned());
    if let Some(message) = text("problem") {
        return Err(PluginProblem { message, help: text("help").unwrap_or_default() });
    }
    let lookups = entries(table, "lookups").map(|(name, columns)| LookupTable {
        name: name.clone(),
        columns: words(columns).into_iter().map(|(name, ty)| (name, type_of(&ty).unwrap())).collect(),
    });
    Ok(Arc::new(PluginDescription {
        name: text("name").unwrap_or_default(),
        version: "1.0.0".to_owned(),
        doc: String::new(),
        functions: entries(table, "functions").map(|(name, function)| function_of(name, function)).collect(),
        lookups: lookups.collect(),
    }))
}

fn entries<'t>(table: &'t toml::Table, key: &str) -> impl Iterator<Item = (&'t String, &'t toml::Value)> {
    table.get(key).into_iter().flat_map(|value| value.as_table().unwrap())
}

fn function_of(name: &str, function: &toml::Value) -> PluginFunction {
    let list = |key: &str| function.get(key).map(words).unwrap_or_default();
    let kinds =
        [PluginKind::Scorer, PluginKind::Segmenter, PluginKind::Model, PluginKind::Aggregator, PluginKind::Planner];
    let input = |(name, ty): (String, String)| PluginInput {
        name,
        accepts: type_of(ty.trim_end_matches('?')).map_or(Accepts::Number, Accepts::Exactly),
        nullable: ty.ends_with('?'),
        doc: String::new(),
    };
    let setting = |(name, ty): (String, String)| PluginSetting {
        name,
        ty: match ty.trim_end_matches('!') {
            "boolean" => SettingType::Boolean,
            "integer" => SettingType::Integer,
            "number" => SettingType::Number,
            "text" => SettingType::Text,
            _ => SettingType::Any,
        },
        required: ty.ends_with('!'),
        doc: String::new(),
    };
    PluginFunction {
        name: name.to_owned(),
        kind: kinds.into_iter().find(|kind| Some(kind.name()) == function["kind"].as_str()).unwrap(),
        inputs: list("inputs").into_iter().map(input).collect(),
        output: function.get("output").map(|ty| type_of(ty.as_str().unwrap()).unwrap()),
        settings: list("settings").into_iter().map(setting).collect(),
        doc: String::new(),
    }
}

/// `"spend number"`: a name and what follows.
fn words(list: &toml::Value) -> Vec<(String, String)> {
    let words = list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().split_once(' ').unwrap());
    words.map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect()
}

fn type_of(text: &str) -> Option<Type> {
    Some(match text {
        "text" => Type::Text,
        "integer" => Type::Integer,
        "real" => Type::Real,
        "bool" => Type::Bool,
        "date" => Type::Date,
        "timestamp" => Type::Timestamp,
        other => Type::Decimal(other.strip_prefix("decimal(")?.strip_suffix(')')?.parse().unwrap()),
    })
}
