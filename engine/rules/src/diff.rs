//! What is different between two revisions, in rule terms: `tiers.value.A: annual_spend >= 10000 → 12000`.
//!
//! It compares what is *written*, table by table and key by key, so that no key can be forgotten here, and a condition by its parts.
//! So it works for revisions that another version of tierd has loaded, and for files that don't load at all as far as they are TOML.
//!
//! What it doesn't see, on purpose: formatting, comments, the order of keys and tables, and which file a table is in, since these
//! change nothing. What it can't see: that two ways of writing mean the same (`10000 <= spend` and `spend >= 10000`, `daily` and
//! `daily at 00:00`, a default that is left out) is shown as a change; something with a new name is shown as one thing gone and
//! another one new; and who moves because of a change is for `tierd plan` to say.

mod condition;
#[cfg(test)]
mod tests;
mod tree;

use std::{collections::BTreeSet, fmt};

use self::tree::{Leaf, Table, Tree};
use crate::{FileSet, RuleSet};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whether it came, went, or became another.
    pub kind: ChangeKind,
    /// What: `metric.annual_spend.where`, `retention.win_back`; a level is `tiers.SET.LEVEL`, which also stands for its `when`.
    pub what: String,
    /// Of a comparison whose value has changed: all but the value, `annual_spend >=`.
    pub part: Option<String>,
    /// What it was; `None` for what came, and for whole tables.
    pub from: Option<String>,
    /// What it is; `None` for what went, and for whole tables.
    pub to: Option<String>,
}

/// The way in which something is different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is there in both, and not the same.
    Changed,
}

/// `+ tiers.value.S`, `- retention.call.cooldown: 90 days`, `retention.call.for: 2 days → 3 days`; a condition that was added to others is
/// `tiers.value.A: + and visits >= 5`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind {
            ChangeKind::Added => "+ ",
            ChangeKind::Removed => "- ",
            ChangeKind::Changed => "",
        };
        let what = &self.what;
        match (&self.part, &self.from, &self.to) {
            (Some(part), Some(from), Some(to)) => write!(f, "{what}: {part} {from} → {to}"),
            (None, Some(from), Some(to)) => write!(f, "{what}: {from} → {to}"),
            (Some(part), Some(text), None) | (Some(part), None, Some(text)) => write!(f, "{what}: {sign}{part} {text}"),
            (None, Some(text), None) | (None, None, Some(text)) => write!(f, "{sign}{what}: {text}"),
            (_, None, None) => write!(f, "{sign}{what}"),
        }
    }
}

/// What is different in `new` against `old`, by name. Nothing for two revisions that differ in nothing but form.
pub fn diff(old: &RuleSet, new: &RuleSet) -> Vec<Change> {
    diff_files(&old.files, &new.files)
}

/// As [`diff`], of files that needn't be good: what is no TOML is passed over.
///
/// ```
/// use tierd_rules::{File, FileSet, diff_files};
/// let files = |when: &str| {
///     let text = format!("[retention.call]\nwhen = \"{when}\"\naction.task = \"call\"");
///     FileSet::new(vec![File { path: "rules/call.toml".into(), text: text.into() }])
/// };
/// let changes = diff_files(&files("visits < 5"), &files("visits  < 6"));
/// assert_eq!(changes[0].to_string(), "retention.call.when: visits < 5 → 6");
/// ```
pub fn diff_files(old: &FileSet, new: &FileSet) -> Vec<Change> {
    let mut out = vec![];
    walk(&mut vec![], Some(&tree::of_files(old)), Some(&tree::of_files(new)), &mut out);
    out
}

fn walk<'t>(path: &mut Vec<&'t str>, old: Option<&'t Tree>, new: Option<&'t Tree>, out: &mut Vec<Change>) {
    match (old, new) {
        (Some(Tree::Leaf(a)), Some(Tree::Leaf(b))) => values(path, a, b, out),
        (Some(Tree::Table(a)), Some(Tree::Table(b))) if is_open(path) || a.shares_a_key_with(b) => {
            if matches!(path[..], ["tiers", _, LEVEL]) {
                order(path, a, b, out);
            }
            for key in a.entries.keys().chain(b.entries.keys()).collect::<BTreeSet<_>>() {
                path.push(key);
                walk(path, a.entries.get(key), b.entries.get(key), out);
                path.pop();
            }
        }
        (Some(a), Some(b)) => out.extend((a != b).then(|| changed(path, a.to_string(), b.to_string()))),
        (Some(gone), None) => one_sided(path, gone, ChangeKind::Removed, out),
        (None, Some(come)) => one_sided(path, come, ChangeKind::Added, out),
        (None, None) => {}
    }
}

/// Something that is there on one side only: each thing in it, if it holds things with names of their own.
fn one_sided<'t>(path: &mut Vec<&'t str>, tree: &'t Tree, kind: ChangeKind, out: &mut Vec<Change>) {
    if let (Tree::Table(table), true) = (tree, holds_things(path)) {
        for (key, entry) in &table.entries {
            path.push(key);
            one_sided(path, entry, kind, out);
            path.pop();
        }
        return;
    }
    let text = Some(tree.to_string()).filter(|_| !is_thing(path));
    let (from, to) = if kind == ChangeKind::Added { (None, text) } else { (text, None) };
    out.push(Change { kind, what: name(path), part: None, from, to });
}

/// Levels that both have, in another order.
fn order(path: &[&str], old: &Table, new: &Table, out: &mut Vec<Change>) {
    let common = |one: &Table, other: &Table| {
        let names = one.order.iter().filter(|name| other.entries.contains_key(*name));
        names.map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    let (from, to) = (common(old, new), common(new, old));
    out.extend((from != to).then(|| changed(path, from, to)));
}

fn values(path: &[&str], old: &Leaf, new: &Leaf, out: &mut Vec<Change>) {
    if old == new {
        return;
    }
    match (path.last().is_some_and(|key| condition::is_expression(key)), old, new) {
        (true, Leaf::Text(old), Leaf::Text(new)) => condition::changes(&name(path), old, new, out),
        _ => out.push(changed(path, old.to_string(), new.to_string())),
    }
}

fn changed(path: &[&str], from: String, to: String) -> Change {
    Change { kind: ChangeKind::Changed, what: name(path), part: None, from: Some(from), to: Some(to) }
}

/// The tables that hold things with names of their own.
const KINDS: [&str; 9] = ["metric", "tiers", "points", "retention", "subject", "facts", "schedule", PLUGIN, "lookup"];

/// The table under which plugins stand, and the key under which the hash of each one's file does: no key of `tierd.toml`.
const PLUGIN: &str = "plugin";
const PLUGIN_FILE: &str = "file";

/// The key under which the levels of a tier set stand.
const LEVEL: &str = "level";

fn holds_things(path: &[&str]) -> bool {
    matches!(path, [] | ["tiers", _, LEVEL]) || matches!(path, [kind] if KINDS.contains(kind))
}

/// A thing with a name of its own: a metric, a level, a schedule.
fn is_thing(path: &[&str]) -> bool {
    matches!(path, [_, .., _]) && holds_things(&path[..path.len() - 1])
}

/// Whether two tables at this place are one thing, however different they are.
fn is_open(path: &[&str]) -> bool {
    holds_things(path) || is_thing(path)
}

/// A level stands right under its set, and its condition for the level; a plugin's file stands for the plugin.
fn name(path: &[&str]) -> String {
    match path {
        ["tiers", set, LEVEL, level, "when"] => format!("tiers.{set}.{level}"),
        ["tiers", set, LEVEL, rest @ ..] if !rest.is_empty() => format!("tiers.{set}.{}", rest.join(".")),
        [PLUGIN, plugin, PLUGIN_FILE] => format!("{PLUGIN}.{plugin}"),
        path => path.join("."),
    }
}
