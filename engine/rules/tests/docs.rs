//! The examples of `docs/rules.md` load.

mod common;

use common::{blocks, examples, file, of_page};
use tierd_rules::{Severity, load};

fn errors(config: &str, rules: &str) -> Vec<String> {
    let loaded = load(of_page(vec![file("tierd.toml", config), file("rules/test.toml", rules)]));
    let errors = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.map(|error| error.render(&loaded.files, false)).collect()
}

#[test]
fn rule_files_on_the_page_load() {
    let all = examples();
    assert!(all.len() >= 3);
    for (config, rules) in all {
        assert_eq!(errors(config, rules), Vec::<String>::new(), "{rules}");
    }
}

#[test]
fn expressions_on_the_page_load() {
    let config = blocks("toml")[0];
    let lines: Vec<_> = blocks("sql").concat().lines().map(str::to_owned).collect();
    assert!(lines.len() >= 8);
    for line in lines {
        let rules = format!("[metric.m]\nderived = \"{line}\"\n");
        assert_eq!(errors(config, &rules), Vec::<String>::new(), "{line}");
    }
}
