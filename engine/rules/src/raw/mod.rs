//! The files as written: typed TOML with the place of every value, before anything is looked up.
//!
//! One struct per table serves twice: [`read()`] fills it, and its field documentation is the editor's JSON Schema
//! ([`crate::schema`]). So the two can't drift apart. Reading never stops at the first mistake: a value that can't be read is
//! reported and left out ([`At::value`] is `None`), and its neighbours are read all the same.

pub(crate) mod cases;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod forms;
pub(crate) mod guard;
pub(crate) mod movement;
pub(crate) mod offsets;
pub(crate) mod plugin;
pub(crate) mod points;
pub(crate) mod policy;
mod read;
pub(crate) mod retention;
pub(crate) mod rules;
pub(crate) mod schedule;
mod table;
pub(crate) mod values;

pub(crate) use config::ConfigFile;
pub(crate) use read::{At, Name, Named, Reading};
pub(crate) use rules::RuleFile;

use toml::de::DeTable;

use crate::{
    code,
    diagnostic::Diagnostic,
    fileset::{File, FileId, Location},
    report::Report,
};

/// The largest file that is read.
const MAX_FILE: usize = 8 << 20;

/// The largest file in which all errors against TOML itself are looked for.
const MOST_RECOVERED: usize = 256 << 10;

/// Reads one file; `None` where it is no TOML at all or too large.
pub(crate) fn read<T: read::Read>(file: FileId, text: &File, out: &mut Report) -> Option<T> {
    let text = &*text.text;
    if text.len() > MAX_FILE {
        let at = Location { file, range: 0..0 };
        let size = format!("this file has {:.1} MiB; at most 8 MiB are read", text.len() as f64 / f64::from(1 << 20));
        out.push(Diagnostic::error(code::FILE_TOO_LARGE, &at, size).help("split it into several files"));
        return None;
    }
    // Without recovery toml ends at the first error: one per byte of a large file is more than anyone reads.
    if let (true, Err(error)) = (text.len() > MOST_RECOVERED, DeTable::parse(text)) {
        out.push(syntax(file, text, &error));
        return None;
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        out.extend(errors.iter().map(|error| syntax(file, text, error)));
        return None;
    }
    T::read_root(root, &mut Reading { file, out })
}

/// A mistake against TOML itself.
fn syntax(file: FileId, text: &str, error: &toml::de::Error) -> Diagnostic {
    let mut range = error.span().unwrap_or(text.len()..text.len());
    range.start = floor(text, range.start);
    range.end = floor(text, range.end).max(range.start);
    let headline = format!("this is no TOML: {}", error.message());
    let help = match error.message() {
        m if m.starts_with("invalid unquoted key") => {
            Some("in TOML, names with other letters than a to z stand in quotes")
        }
        m if m.starts_with("duplicate key") => {
            Some("it stands here for the second time: take one out, or give it another name")
        }
        m if m.starts_with("cannot recurse") => Some("at most 80 tables and lists stand inside each other"),
        _ => None,
    };
    Diagnostic::error(code::TOML_SYNTAX, &Location { file, range }, headline).maybe_help(help.map(str::to_owned))
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}
