//! Diagnostics as JSON and in colour; `corpus.rs` has them as plain text.

#![allow(clippy::unwrap_used, reason = "a test stops where its files are wrong")]

mod common;

use common::{CONFIG, load_files, load_with};
use serde_json::json;
use tierd_rules::Loaded;

fn duplicate() -> Loaded {
    let first = "# 客户\n[metric.\"消费\"]\nderived = \"visits\"\n";
    let second = "metric.\"消费\" = { derived = \"visits + 1\" }\n";
    load_files(&[("tierd.toml", CONFIG), ("rules/a.toml", first), ("rules/b.toml", second)])
}

#[test]
fn json_has_all_places_in_lines_and_characters() {
    let loaded = duplicate();
    assert_eq!(
        loaded.diagnostics[0].to_json(&loaded.files),
        json!({
            "code": "duplicate-name",
            "severity": "error",
            "headline": "there are two metrics `消费`",
            "help": "give one of them another name",
            "places": [
                { "file": "rules/b.toml", "line": 1, "column": 8, "end_line": 1, "end_column": 12, "label": "" },
                { "file": "rules/a.toml", "line": 2, "column": 9, "end_line": 2, "end_column": 13, "label": "the first one" },
            ],
        })
    );
    assert_eq!(loaded.diagnostics[0].position(&loaded.files), ("rules/b.toml", 1, 8));
}

/// The text without ANSI escapes.
fn bare(colored: &str) -> String {
    let mut parts = colored.split("\u{1b}[");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
}

#[test]
fn color_changes_nothing_but_color() {
    let loaded = duplicate();
    let (plain, colored) =
        (loaded.diagnostics[0].render(&loaded.files, false), loaded.diagnostics[0].render(&loaded.files, true));
    assert_ne!(plain, colored);
    assert_eq!(plain, bare(&colored));
}

#[test]
fn carets_stand_below_wide_characters() {
    let loaded = load_with(CONFIG, "[tiers.t]\nlevel = [{ name = \"普通客户\", when = \"武汉 > 5\" }]\n");
    let text = loaded.diagnostics[0].render(&loaded.files, false);
    let lines: Vec<&str> = text.lines().collect();
    // Each of the Chinese characters takes two columns of a terminal.
    let before = "level = [{ name = \"".len() + 4 * 2 + "\", when = \"".len();
    assert_eq!(lines[4], format!("  | {}^^^^", " ".repeat(before)));
}
