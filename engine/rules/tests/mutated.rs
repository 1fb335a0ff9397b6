//! Whatever the files hold, loading ends with rules or with diagnostics at real places: it never panics.
//!
//! Files are those of the corpus of mistakes, of the packs under `rules/` with their tests, and of the manual, each with a few
//! places replaced or lines of other files put in.

#![allow(clippy::unwrap_used, reason = "a test stops where its files are wrong")]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use common::{CONFIG, examples, file, load_with, of_page};
use proptest::{prelude::*, sample::select};
use tierd_rules::{
    Diagnostic, File, FileSet, Loaded, Severity,
    cases::{TEST_FILE_END, load_tests},
    load,
};

/// All rule files of the corpus, good parts and bad ones.
static CORPUS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let paths = toml_files(&root().join("tests/corpus/bad"));
    paths.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect()
});

/// The files of the packs, and of the manual's examples: configuration, rules and tests that fit together.
static PROJECTS: LazyLock<Vec<Vec<File>>> = LazyLock::new(|| {
    let mut packs: Vec<_> = fs::read_dir(root().join("rules")).unwrap().map(|entry| entry.unwrap().path()).collect();
    packs.retain(|path| path.join("tierd.toml").exists());
    packs.sort();
    let packs = packs.iter().map(|pack| {
        let rules = toml_files(&pack.join("rules")).into_iter().map(|path| read(pack, &path));
        rules.chain([read(pack, &pack.join("tierd.toml"))]).collect()
    });
    let manual =
        examples().into_iter().map(|(config, rules)| vec![file("tierd.toml", config), file("rules/a.toml", rules)]);
    packs.chain(manual).collect()
});

/// Every line of the projects.
static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let files = PROJECTS.iter().flatten();
    files.flat_map(|file| file.text.lines()).filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
});

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths
}

fn read(pack: &Path, path: &Path) -> File {
    file(path.strip_prefix(pack).unwrap().to_str().unwrap(), &fs::read_to_string(path).unwrap())
}

/// Parts that mean something to one of the layers.
const PARTS: [&str; 56] = [
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "\r\n",
    "#",
    "\\",
    "\\u6b66",
    "武汉",
    "（",
    "\u{0}",
    "\u{1b}",
    "(",
    ")",
    " and ",
    " or ",
    " not ",
    " is null",
    " in (",
    " between ",
    " like ",
    "case ",
    "when ",
    " then ",
    " else ",
    " end",
    "cast(",
    " as real)",
    "interval '3 months'",
    "date '2024-01-31'",
    " + ",
    " - ",
    " * ",
    " / ",
    " >= ",
    "null",
    "true",
    "0",
    "-1.50",
    "99999999999999999999",
    "visits",
    "city",
    "joined_on",
    "coalesce(",
    "nullif(",
    "today",
];

fn part() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&PARTS[..]).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)]
}

/// A change of a text.
#[derive(Debug, Clone)]
enum Edit {
    /// Some characters become a part.
    Part(prop::sample::Index, usize, String),
    /// Some lines become a line of any project.
    Line(prop::sample::Index, usize, String),
}

fn part_edit() -> impl Strategy<Value = Edit> {
    (any::<prop::sample::Index>(), 0usize..6, part()).prop_map(|(at, removed, part)| Edit::Part(at, removed, part))
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let line = (any::<prop::sample::Index>(), 0usize..3, select(&LINES[..]));
    prop_oneof![part_edit(), line.prop_map(|(at, removed, line)| Edit::Line(at, removed, line + "\n"))]
}

impl Edit {
    fn apply(&self, text: &mut String) {
        let (Edit::Part(at, removed, new) | Edit::Line(at, removed, new)) = self;
        let starts = |(place, _): (usize, char)| {
            matches!(self, Edit::Part(..)) || place == 0 || text.as_bytes()[place - 1] == b'\n'
        };
        let mut bounds: Vec<usize> =
            text.char_indices().filter(|&found| starts(found)).map(|(place, _)| place).collect();
        bounds.push(text.len());
        let from = at.index(bounds.len());
        let to = (from + removed).min(bounds.len() - 1);
        text.replace_range(bounds[from]..bounds[to], new);
    }
}

/// A file of the corpus with a few places replaced.
fn mutated() -> impl Strategy<Value = String> {
    (select(&CORPUS[..]), prop::collection::vec(part_edit(), 1..6)).prop_map(|(mut text, edits)| {
        edits.iter().for_each(|edit| edit.apply(&mut text));
        text
    })
}

/// A project with a few changes in one of its files.
fn mutated_project() -> impl Strategy<Value = Vec<File>> {
    let edits = prop::collection::vec(any_edit(), 1..4);
    (select(&PROJECTS[..]), any::<prop::sample::Index>(), edits).prop_map(|(mut files, which, edits)| {
        let file = which.get(&files).clone();
        let mut text = file.text.to_string();
        edits.iter().for_each(|edit| edit.apply(&mut text));
        files.iter_mut().filter(|other| other.path == file.path).for_each(|file| file.text = text.as_str().into());
        files
    })
}

/// Every place exists, every diagnostic can be shown, and there is a result exactly where there is no error.
fn check(diagnostics: &[Diagnostic], files: &FileSet, good: bool) -> Result<(), TestCaseError> {
    let wrong = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    prop_assert_eq!(good, !wrong);
    for diagnostic in diagnostics {
        for label in std::iter::once(&diagnostic.primary).chain(&diagnostic.others) {
            let text = &files.file(label.location.file).text;
            prop_assert!(text.get(label.location.range.clone()).is_some(), "{:?}", diagnostic);
        }
        let shown = diagnostic.render(files, false);
        prop_assert!(!shown.contains(|char: char| char.is_control() && char != '\n'), "{:?}", shown);
        diagnostic.render(files, true);
        diagnostic.to_json(files);
        prop_assert!(tierd_rules::code::ALL.iter().any(|(code, _)| *code == diagnostic.code));
    }
    Ok(())
}

fn check_loaded(loaded: &Loaded) -> Result<(), TestCaseError> {
    check(&loaded.diagnostics, &loaded.files, loaded.rules.is_some())
}

/// Rules as they are, or with mistakes; then the tests of them.
fn check_project(files: Vec<File>) -> Result<(), TestCaseError> {
    let (tests, rules): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.path.ends_with(TEST_FILE_END));
    let loaded = load(of_page(rules));
    check_loaded(&loaded)?;
    if let Some(rules) = &loaded.rules {
        let tests = load_tests(rules, FileSet::new(tests));
        check(&tests.diagnostics, &tests.files, tests.tests.is_some())?;
    }
    Ok(())
}

#[test]
fn projects_are_good_before_they_are_changed() {
    assert!(PROJECTS.len() > 10 && LINES.len() > 500);
    for files in PROJECTS.iter() {
        let (tests, rules): (Vec<_>, Vec<_>) =
            files.iter().cloned().partition(|file| file.path.ends_with(TEST_FILE_END));
        let rules = load(of_page(rules)).rules.unwrap();
        assert_eq!(load_tests(&rules, FileSet::new(tests)).diagnostics, []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_rules_never_panic(text in mutated()) {
        check_loaded(&load_with(CONFIG, &text))?;
    }

    #[test]
    fn mutated_configurations_never_panic(text in mutated()) {
        check_loaded(&load_with(&text, "[tiers.value]\nlevel = [{ name = \"C\" }]\n"))?;
    }

    #[test]
    fn random_expressions_never_panic(parts in prop::collection::vec(part(), 1..40)) {
        let text = parts.concat().replace("'''", "''").replace(['\0', '\u{1b}', '\r', '\n'], " ");
        check_loaded(&load_with(CONFIG, &format!("[metric.m]\nderived = '''{text} '''\n")))?;
    }

    /// An expression that loads is quoted back whole.
    #[test]
    fn places_cover_what_was_written(blanks in prop::collection::vec(0usize..3, 16), multi_line in any::<bool>()) {
        let words = ["(", "visits", "+", "abs", "(", "-", "5", ")", ")", "*", "case", "when", "active", "then", "1", "end"];
        let spaced: String = words.iter().zip(&blanks).map(|(word, n)| format!("{word} {}", " ".repeat(*n))).collect();
        let quotes = if multi_line { "\"\"\"" } else { "\"" };
        let loaded = load_with(CONFIG, &format!("[metric.\"消费\"]\nderived = {quotes}{spaced}{quotes}\n"));
        let rules = loaded.rules.unwrap();
        let tierd_rules::MetricKind::Derived(expr) = &rules.metric("消费").unwrap().1.kind else { panic!("not derived") };
        prop_assert_eq!(rules.quote(&expr.at), spaced.trim_end());
    }
}

proptest! {
    // Projects are large; `PROPTEST_CASES` asks for more.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_projects_never_panic(files in mutated_project()) {
        check_project(files)?;
    }
}
