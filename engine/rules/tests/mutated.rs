//! Whatever the files hold, loading ends with rules or with diagnostics at real places: it never panics.

#![allow(clippy::unwrap_used, reason = "a test stops where its files are wrong")]

mod common;

use std::{fs, path::Path, sync::LazyLock};

use common::{CONFIG, load_with};
use proptest::{prelude::*, sample::select};
use tierd_rules::{Loaded, Severity};

/// All rule files of the corpus, good parts and bad ones.
static CORPUS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/bad");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect()
});

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

/// A file with a few places replaced.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), 0usize..6, part());
    (select(&CORPUS[..]), prop::collection::vec(edit, 1..6)).prop_map(|(mut text, edits)| {
        for (place, removed, part) in edits {
            let mut bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            bounds.push(text.len());
            let from = place.index(bounds.len());
            let to = (from + removed).min(bounds.len() - 1);
            text.replace_range(bounds[from]..bounds[to], &part);
        }
        text
    })
}

/// Every place exists, every diagnostic can be shown, and rules are there exactly where there is no error.
fn check(loaded: &Loaded) -> Result<(), TestCaseError> {
    let wrong = loaded.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    prop_assert_eq!(loaded.rules.is_none(), wrong);
    for diagnostic in &loaded.diagnostics {
        for label in std::iter::once(&diagnostic.primary).chain(&diagnostic.others) {
            let text = &loaded.files.file(label.location.file).text;
            prop_assert!(text.get(label.location.range.clone()).is_some(), "{:?}", diagnostic);
        }
        let shown = diagnostic.render(&loaded.files, false);
        prop_assert!(!shown.contains(|char: char| char.is_control() && char != '\n'), "{:?}", shown);
        diagnostic.render(&loaded.files, true);
        diagnostic.to_json(&loaded.files);
        prop_assert!(tierd_rules::code::ALL.iter().any(|(code, _)| *code == diagnostic.code));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_rules_never_panic(text in mutated()) {
        check(&load_with(CONFIG, &text))?;
    }

    #[test]
    fn mutated_configurations_never_panic(text in mutated()) {
        check(&load_with(&text, "[tiers.value]\nlevel = [{ name = \"C\" }]\n"))?;
    }

    #[test]
    fn random_expressions_never_panic(parts in prop::collection::vec(part(), 1..40)) {
        let text = parts.concat().replace("'''", "''").replace(['\0', '\u{1b}', '\r', '\n'], " ");
        check(&load_with(CONFIG, &format!("[metric.m]\nderived = '''{text} '''\n")))?;
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
