//! Bad input with its exact expected output: `tests/corpus/bad/NAME.toml` and `NAME.expected`.
//!
//! A case is a rule file. A line `# --- PATH` begins another file of the same case; a case without `tierd.toml` uses
//! `tests/corpus/tierd.toml`. `UPDATE_EXPECT=1 cargo test -p tierd-rules --test corpus` writes the outputs anew; read them
//! before committing.

#![allow(clippy::unwrap_used, reason = "a test stops where its files are wrong")]

mod common;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use common::{CONFIG, file};
use tierd_rules::{File, FileSet, Loaded, code, load};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/bad")
}

/// The names of all cases, sorted.
fn cases() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let toml = entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let mut names: Vec<String> = toml.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// The files of a case.
fn files(case: &str) -> FileSet {
    let mut files: Vec<(String, String)> = vec![("rules/case.toml".to_owned(), String::new())];
    for line in case.split_inclusive('\n') {
        match line.strip_prefix("# --- ") {
            Some(path) => files.push((path.trim_end().to_owned(), String::new())),
            None => files.last_mut().unwrap().1.push_str(line),
        }
    }
    files.retain(|(path, text)| path == "tierd.toml" || !text.is_empty());
    if files.iter().all(|(path, _)| path != "tierd.toml") {
        files.push(("tierd.toml".to_owned(), CONFIG.to_owned()));
    }
    FileSet::new(files.iter().map(|(path, text)| file(path, text)).collect())
}

fn load_case(name: &str) -> Loaded {
    load(files(&fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap()))
}

fn output(loaded: &Loaded) -> String {
    let rendered: Vec<_> =
        loaded.diagnostics.iter().map(|diagnostic| diagnostic.render(&loaded.files, false)).collect();
    rendered.join("\n\n") + "\n"
}

#[test]
fn every_mistake_is_reported_as_expected() {
    let mut wrong = vec![];
    for name in cases() {
        let actual = output(&load_case(&name));
        let path = folder().join(format!("{name}.expected"));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, &actual).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != actual {
            wrong.push(format!("── {name} ──\n{actual}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ; they now give\n{}", wrong.len(), wrong.concat());
}

#[test]
fn every_case_has_a_mistake() {
    let silent: Vec<_> = cases().into_iter().filter(|name| load_case(name).diagnostics.is_empty()).collect();
    assert_eq!(silent, Vec::<String>::new());
    assert!(cases().len() >= 70, "the corpus has shrunk to {}", cases().len());
}

/// Codes that no small file gives: `limits.rs` has the first four, two need a database, and lints are given by those who see what
/// conditions can be true together.
const ELSEWHERE: [&str; 13] = [
    code::FILE_TOO_LARGE,
    code::TOO_MANY,
    code::EXPRESSION_TOO_LONG,
    code::MISSING_CONFIG,
    code::MISSING_TABLE,
    code::MISSING_COLUMN,
    code::UNREACHABLE_LEVEL,
    code::LEVEL_GAP,
    code::OVERLAPPING_LEVELS,
    code::OVERLAPPING_RULES,
    code::KEEP_HARDER_THAN_ENTER,
    code::WINDOW_BEYOND_DATA,
    code::LEVEL_ORDER,
];

#[test]
fn every_code_is_in_the_corpus() {
    let loaded = cases().into_iter().flat_map(|name| load_case(&name).diagnostics);
    let mut seen: BTreeSet<&str> = loaded.map(|diagnostic| diagnostic.code).collect();
    seen.extend(ELSEWHERE);
    let known: BTreeSet<&str> = code::ALL.iter().map(|(code, _)| *code).collect();
    assert_eq!(seen, known);
}

#[test]
fn every_error_has_a_fix() {
    // TOML's own errors and wrong TOML types say what is expected in the headline.
    let without =
        [code::TOML_SYNTAX, code::WRONG_VALUE_TYPE, code::EXPRESSION_SYNTAX, code::OUT_OF_RANGE, code::MISSING_KEY];
    let mut helpless = BTreeSet::new();
    for name in cases() {
        let loaded = load_case(&name);
        let bare = loaded.diagnostics.iter().filter(|d| d.help.is_none() && !without.contains(&d.code));
        helpless.extend(bare.map(|d| format!("{name}: {} {}", d.code, d.headline)));
    }
    assert_eq!(helpless, BTreeSet::new());
}

#[test]
fn the_default_configuration_is_good() {
    let config = File { path: "tierd.toml".into(), text: CONFIG.into() };
    assert_eq!(load(FileSet::new(vec![config])).diagnostics, []);
}
