//! Whether the cases of the packs hold the figures of their rules: a threshold that is moved by one unit must fail some case. So
//! each has a case at it, and on the side to which it may move.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{copied, packs};

/// One figure of a rule file, one unit up or down.
struct Moved {
    what: String,
    file: String,
}

#[test]
fn every_threshold_that_is_one_unit_off_fails_a_case() {
    let (mut tried, mut passed) = (0, Vec::new());
    for pack in packs() {
        let project = copied(&pack);
        for path in rule_files(&project.path("rules")) {
            let text = fs::read_to_string(&path).unwrap();
            for moved in thresholds(&text) {
                fs::write(&path, &moved.file).unwrap();
                tried += 1;
                if project.tierd(&["test", "-q"]).code == 0 {
                    passed.push(format!("{pack}: {}", moved.what));
                }
            }
            fs::write(&path, &text).unwrap();
        }
    }
    assert!(passed.is_empty() && tried > 100, "of {tried} figures no case holds {passed:#?}");
}

fn rule_files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_rules = |path: &str| path.ends_with(".toml") && !path.ends_with(".test.toml");
    paths.filter(|path| is_rules(path.to_str().unwrap())).collect()
}

/// The file with each number moved that a condition compares with, or that a level begins at.
fn thresholds(text: &str) -> Vec<Moved> {
    let mut all = Vec::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let rule = line.split(" #").next().unwrap();
        for (at, figure) in numbers(rule).into_iter().filter(|(at, _)| is_threshold(rule, *at)) {
            for off in beside(figure) {
                let (before, after) = (&text[..begin + at], &text[begin + at + figure.len()..]);
                let what = format!("{off} for {figure} in `{}`", rule.trim());
                all.push(Moved { what, file: format!("{before}{off}{after}") });
            }
        }
        begin += line.len();
    }
    all
}

/// Whether the number there is what a value must be above or below.
fn is_threshold(rule: &str, at: usize) -> bool {
    let before = rule[..at].trim_end().trim_end_matches('-').trim_end();
    match rule.split('=').next().unwrap().trim() {
        "from" => true,
        "when" | "keep" => [">", ">=", "<", "<="].iter().any(|operator| before.ends_with(operator)),
        _ => false,
    }
}

/// One unit less and one more, of the last digit that is written.
fn beside(figure: &str) -> Vec<String> {
    let digits = figure.split_once('.').map_or(0, |(_, digits)| digits.len());
    let units: i128 = figure.replace('.', "").parse().unwrap();
    let number = |units| tierd_model::Decimal::new(units, digits as u8).to_string();
    [units - 1, units + 1].into_iter().filter(|units| *units >= 0).map(number).collect()
}

/// Numbers of a line that are no part of a name, with their places.
fn numbers(line: &str) -> Vec<(usize, &str)> {
    let mut all = Vec::new();
    let mut rest = 0;
    while let Some(at) = line[rest..].find(|c: char| c.is_ascii_digit()).map(|at| rest + at) {
        let end = line[at..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(line.len(), |end| at + end);
        if !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            all.push((at, &line[at..end]));
        }
        rest = end;
    }
    all
}
