//! The examples of `docs/rules.md` load.

mod common;

use common::{blocks, examples, load_with_plugins};
use tierd_rules::Severity;

/// What the plugin of the page says of itself.
const CREDIT: &str = r#"
functions.score = { kind = "scorer", inputs = ["spend number", "tenure integer?", "city text?"], output = "integer", settings = ["base integer"] }
functions.decay = { kind = "aggregator", inputs = ["amount number"], output = "real" }
lookups.regions = ["risk real"]
"#;

fn errors(config: &str, rules: &str) -> Vec<String> {
    let plugins = if config.contains("[plugin.credit]") { &[("credit", CREDIT)][..] } else { &[] };
    let loaded = load_with_plugins(config, rules, plugins);
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
