//! Bad input with its exact expected output: `tests/corpus/bad/NAME.toml` and `NAME.expected`.
//!
//! A case is a rule file. A line `# --- PATH` begins another file of the same case; a case without `tierd.toml` uses
//! `tests/corpus/tierd.toml`. A file `….wasm` holds what the plugin says of itself (`common/plugins.rs`). `UPDATE_EXPECT=1 cargo test -p tierd-rules --test corpus` writes the outputs anew; read them
//! before committing.

#![allow(clippy::unwrap_used, reason = "a test stops where its files are wrong")]

mod common;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use common::{CONFIG, file, with_plugins};
use tierd_rules::{
    Diagnostic, File, FileSet,
    cases::{TEST_FILE_END, load_tests},
    code, load,
};

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
fn files(case: &str) -> Vec<File> {
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
    files.iter().map(|(path, text)| file(path, text)).collect()
}

/// What is said of a case, and how it is shown. Its test files are checked if everything else is good.
fn load_case(name: &str) -> (Vec<Diagnostic>, String) {
    let text = fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
    let (tests, rules) = files(&text).into_iter().partition(|file: &File| file.path.ends_with(TEST_FILE_END));
    let loaded = load(with_plugins(rules));
    let (mut diagnostics, mut text) = (loaded.diagnostics.clone(), output(&loaded.diagnostics, &loaded.files));
    if let Some(rules) = loaded.rules {
        let tests = load_tests(&rules, FileSet::new(tests));
        text += &output(&tests.diagnostics, &tests.files);
        diagnostics.extend(tests.diagnostics);
    }
    (diagnostics, text)
}

fn output(diagnostics: &[Diagnostic], files: &FileSet) -> String {
    let rendered: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.render(files, false)).collect();
    if rendered.is_empty() { String::new() } else { rendered.join("\n\n") + "\n" }
}

#[test]
fn every_mistake_is_reported_as_expected() {
    let mut wrong = vec![];
    for name in cases() {
        let actual = load_case(&name).1;
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
    let silent: Vec<_> = cases().into_iter().filter(|name| load_case(name).0.is_empty()).collect();
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
    let loaded = cases().into_iter().flat_map(|name| load_case(&name).0);
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
        let diagnostics = load_case(&name).0;
        let bare = diagnostics.iter().filter(|d| d.help.is_none() && !without.contains(&d.code));
        helpless.extend(bare.map(|d| format!("{name}: {} {}", d.code, d.headline)));
    }
    assert_eq!(helpless, BTreeSet::new());
}

#[test]
fn the_default_configuration_is_good() {
    let config = File { path: "tierd.toml".into(), text: CONFIG.into() };
    assert_eq!(load(FileSet::new(vec![config])).diagnostics, []);
}
