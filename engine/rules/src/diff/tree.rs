//! Files as one tree of what is written in them, without form and without place.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use toml::de::{DeTable, DeValue};

use super::{PLUGIN, PLUGIN_FILE};
use crate::{
    File, FileSet,
    fileset::{is_plugin, plugin_name},
};

/// A table, or a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Table(Table),
    Leaf(Leaf),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Table {
    pub(super) entries: BTreeMap<String, Tree>,
    /// Of tables in a list, which stand here by their names: the names in the order written.
    pub(super) order: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Leaf {
    Text(String),
    /// A whole number, whatever its base and separators.
    Integer(i128),
    /// Anything else, as written; of lists, their values.
    Other(String),
    List(Vec<Tree>),
}

/// All files in one. Things of one kind have different names in good files; of two that share one, the later counts.
pub(super) fn of_files(files: &FileSet) -> Tree {
    let mut root = BTreeMap::new();
    for (_, file) in files.iter() {
        if is_plugin(&file.path) {
            merge(&mut root, of_plugin(file));
            continue;
        }
        let (table, _) = DeTable::parse_recoverable(&file.text);
        merge(&mut root, of_table(table.get_ref()));
    }
    Tree::Table(Table { entries: root, order: vec![] })
}

/// `plugin.NAME.file`: the hash, as much of it as people need.
fn of_plugin(file: &File) -> Table {
    let hash = file.plugin().map_or(String::new(), |hash| hash.short());
    let table = |key: &str, value| {
        let entries = BTreeMap::from([(key.to_owned(), value)]);
        Tree::Table(Table { entries, order: vec![] })
    };
    let plugin = table(PLUGIN_FILE, Tree::Leaf(Leaf::Text(hash)));
    let named = table(plugin_name(&file.path), plugin);
    Table { entries: BTreeMap::from([(PLUGIN.to_owned(), named)]), order: vec![] }
}

fn merge(into: &mut BTreeMap<String, Tree>, from: Table) {
    for (key, value) in from.entries {
        match (into.get_mut(&key), value) {
            (Some(Tree::Table(known)), Tree::Table(more)) if key == PLUGIN => merge(&mut known.entries, more),
            (Some(Tree::Table(known)), Tree::Table(more)) => known.entries.extend(more.entries),
            (_, value) => _ = into.insert(key, value),
        }
    }
}

fn of_table(table: &DeTable<'_>) -> Table {
    let entries = table.iter().map(|(key, value)| (key.get_ref().to_string(), of_value(value.get_ref())));
    Table { entries: entries.collect(), order: vec![] }
}

fn of_value(value: &DeValue<'_>) -> Tree {
    Tree::Leaf(match value {
        DeValue::Table(table) => return Tree::Table(of_table(table)),
        DeValue::Array(all) => {
            let all: Vec<Tree> = all.iter().map(|value| of_value(value.get_ref())).collect();
            match by_name(&all) {
                Some(table) => return Tree::Table(table),
                None => Leaf::List(all),
            }
        }
        DeValue::String(text) => Leaf::Text(text.to_string()),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Leaf::Integer(number),
            Err(_) => Leaf::Other(number.as_str().to_owned()),
        },
        DeValue::Float(number) => Leaf::Other(number.as_str().to_owned()),
        DeValue::Boolean(value) => Leaf::Other(value.to_string()),
        DeValue::Datetime(time) => Leaf::Other(time.to_string()),
    })
}

/// Tables in a list by what they are called, or by their places where not all have names of their own; with their order.
fn by_name(all: &[Tree]) -> Option<Table> {
    let tables: Option<Vec<&Table>> = all.iter().map(Tree::table).collect();
    let tables = tables.filter(|tables| !tables.is_empty())?;
    let names = ["name", "title"].iter().find_map(|key| different(&tables, key));
    let order = names.unwrap_or_else(|| (1..=all.len()).map(|place| place.to_string()).collect());
    Some(Table { entries: order.iter().cloned().zip(all.iter().cloned()).collect(), order })
}

/// The texts under a key, if all tables have one and no two the same.
fn different(tables: &[&Table], key: &str) -> Option<Vec<String>> {
    let texts: Option<Vec<String>> =
        tables.iter().map(|table| table.entries.get(key)?.text().map(str::to_owned)).collect();
    texts.filter(|texts| {
        !texts.iter().any(String::is_empty) && texts.iter().collect::<BTreeSet<_>>().len() == texts.len()
    })
}

impl Table {
    pub(super) fn shares_a_key_with(&self, other: &Table) -> bool {
        self.entries.keys().any(|key| other.entries.contains_key(key))
    }
}

impl Tree {
    fn table(&self) -> Option<&Table> {
        match self {
            Tree::Table(table) => Some(table),
            Tree::Leaf(_) => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Tree::Leaf(Leaf::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// As it stands in a table or list, where texts have quotes.
    fn inside(&self) -> String {
        match self.text() {
            Some(text) => format!("{text:?}"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tree::Leaf(leaf) => leaf.fmt(f),
            Tree::Table(table) => {
                let entries: Vec<_> =
                    table.entries.iter().map(|(key, value)| format!("{key} = {}", value.inside())).collect();
                write!(f, "{{ {} }}", entries.join(", "))
            }
        }
    }
}

/// A text alone stands without quotes, on one line.
impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Leaf::Text(text) if text.trim().is_empty() => write!(f, "{text:?}"),
            Leaf::Text(text) => f.write_str(&text.split_whitespace().collect::<Vec<_>>().join(" ")),
            Leaf::Integer(number) => number.fmt(f),
            Leaf::Other(text) => f.write_str(text),
            Leaf::List(all) => write!(f, "[{}]", all.iter().map(Tree::inside).collect::<Vec<_>>().join(", ")),
        }
    }
}
