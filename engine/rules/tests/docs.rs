//! The examples of `docs/rules.md` load.

mod common;

use common::load_with;
use tierd_rules::Severity;

const PAGE: &str = include_str!("../../../docs/rules.md");

/// The code blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let after = PAGE.split(fence.as_str()).skip(1);
    after.map(|rest| rest.split("```").next().unwrap_or("")).collect()
}

fn errors(config: &str, rules: &str) -> Vec<String> {
    let loaded = load_with(config, rules);
    let errors = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.map(|error| error.render(&loaded.files, false)).collect()
}

#[test]
fn rule_files_on_the_page_load() {
    let all = blocks("toml");
    let (page, others) = all.split_first().unwrap();
    assert!(others.len() >= 3);
    // A block with another configuration is that of the next block.
    let mut config = page;
    for block in others {
        if block.contains("time_zone") {
            config = block;
        } else {
            assert_eq!(errors(config, block), Vec::<String>::new(), "{block}");
            config = page;
        }
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
