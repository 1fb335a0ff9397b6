//! Good files load, with the meaning that they were written for.

#![allow(clippy::unwrap_used, reason = "a test stops where its files are wrong")]

mod common;

use std::{fs, path::Path};

use common::{CONFIG, load_files, load_with};
use tierd_model::Type;
use tierd_rules::MetricKind;

const RULES: &str = r#"
[metric.annual_spend]
from = "orders"
aggregate = "sum(amount)"
where = "status = 'paid'"
window = { last = "12 months" }
empty = 0

[metric.spend_rank]
rank = "annual_spend desc"

[tiers.value]
level = [
    { name = "普通" },
    { name = "重要", when = "annual_spend >= 5000 and joined_on < today - interval '3 months'" },
    { name = "核心", when = "spend_rank <= 100", strategy = { every = "1 month" } },
]
"#;

#[test]
fn metrics_come_after_what_they_are_made_of() {
    let rules = load_with(CONFIG, RULES).rules.unwrap();
    let names: Vec<_> = rules.metrics.iter().map(|metric| (metric.name.as_str(), metric.ty, metric.implicit)).collect();
    assert_eq!(
        names,
        [
            ("annual_spend", Type::Decimal(2), false),
            ("spend_rank", Type::Integer, false),
            ("joined_on", Type::Date, true)
        ]
    );
    assert!(matches!(rules.metrics[1].kind, MetricKind::Rank { descending: true, .. }));
}

#[test]
fn conditions_are_quoted_as_written() {
    let rules = load_with(CONFIG, RULES).rules.unwrap();
    let levels = &rules.tier_set("value").unwrap().levels;
    let quoted: Vec<_> =
        levels.iter().filter_map(|level| level.when.as_ref()).map(|when| rules.quote(&when.at)).collect();
    assert_eq!(quoted, ["annual_spend >= 5000 and joined_on < today - interval '3 months'", "spend_rank <= 100"]);
    assert_eq!(rules.quote(&levels[0].at), "\"普通\"");
    assert_eq!(levels[2].follow_up.map(|span| span.to_string()).as_deref(), Some("1 month"));
}

#[test]
fn shipped_examples_load_without_a_word() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut loaded = 0;
    for folder in folders.filter(|folder| folder.join("tierd.toml").exists()) {
        let rules = fs::read_dir(folder.join("rules")).unwrap().map(|entry| entry.unwrap().path());
        let texts: Vec<(String, String)> = rules
            .chain([folder.join("tierd.toml")])
            .map(|path| (path.strip_prefix(&folder).unwrap().display().to_string(), fs::read_to_string(&path).unwrap()))
            .collect();
        let files: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        // Their plugins are put beside the rules by `run.sh`, which checks the rules with them.
        if ["hotel", "telecom-credit"].iter().any(|name| folder.ends_with(name)) {
            continue;
        }
        assert_eq!(load_files(&files).diagnostics, [], "{}", folder.display());
        loaded += 1;
    }
    assert!(loaded >= 2);
}
