//! A shop with accounts and customers, and what running cases over it gives.

use tierd_eval::plugin::NoPlugins;
use tierd_rules::{
    Diagnostic, File, FileSet, RuleSet,
    cases::{LoadedTests, TestFile},
    load,
};
use tierd_testing::{CaseResult, Coverage, FileResult, Filters, run};

pub(crate) const CONFIG: &str = r#"
time_zone = "Asia/Shanghai"
database.sqlite = "shop.db"

[subject.customer]
table = "customers"
key = "id"
filter = "city is null or city <> 'test'"
[subject.customer.attributes]
city = "text"
joined_on = { type = "date", encoding = "iso8601" }
score = "real"

[facts.orders]
table = "orders"
subject = "customer"
subject_column = "customer_id"
time = "ordered_at"
[facts.orders.columns]
ordered_at = { type = "timestamp", encoding = "iso8601" }
amount = { type = "decimal(2)", encoding = "minor_units" }
status = "text"
"#;

pub(crate) const RULES: &str = r#"
[metric.annual_spend]
from = "orders"
aggregate = "sum(amount)"
where = "status is null or status = 'paid'"
window = { last = "12 months" }
empty = 0

[metric.last_order]
from = "orders"
aggregate = "max(ordered_at)"
window = "lifetime"
empty = "null"

[metric.spend_rank]
rank = "annual_spend desc"

[metric.half_score]
derived = "score / cast(3 as real)"

[tiers.value]
[[tiers.value.level]]
name = "C"
[[tiers.value.level]]
name = "B"
when = "annual_spend >= 5000"
[[tiers.value.level]]
name = "A"
when = "annual_spend >= 10000 and (city = '武汉' or joined_on <= date '2020-12-31')"

[tiers.best]
[[tiers.best.level]]
name = "first"
when = "spend_rank = 1"
"#;

/// The rules of these files, which must be good.
pub(crate) fn rules(files: &[(&str, &str)]) -> RuleSet {
    let loaded = load(file_set(files));
    let errors: Vec<String> = loaded.diagnostics.iter().map(|error| error.render(&loaded.files, false)).collect();
    loaded.rules.unwrap_or_else(|| panic!("{}", errors.join("\n")))
}

pub(crate) fn shop() -> RuleSet {
    rules(&[("tierd.toml", CONFIG), ("rules/value.toml", RULES)])
}

pub(crate) fn file_set(files: &[(&str, &str)]) -> FileSet {
    FileSet::new(files.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() }).collect())
}

pub(crate) fn load_test(rules: &RuleSet, text: &str) -> LoadedTests {
    tierd_testing::load(rules, file_set(&[("rules/value.test.toml", text)]))
}

/// The cases of a file, which must be good.
pub(crate) fn tests(rules: &RuleSet, text: &str) -> (Vec<TestFile>, FileSet) {
    let loaded = load_test(rules, text);
    let shown = |error: &Diagnostic| error.render(&loaded.files, false);
    let errors: Vec<String> = loaded.diagnostics.iter().map(shown).collect();
    (loaded.tests.unwrap_or_else(|| panic!("{}", errors.join("\n"))), loaded.files)
}

pub(crate) fn results(rules: &RuleSet, text: &str, coverage: Option<&mut Coverage>) -> (Vec<FileResult>, FileSet) {
    let (tests, files) = tests(rules, text);
    (run(rules, &NoPlugins, &tests, &files, &Filters::default(), coverage), files)
}

/// What came of the cases of a file of the shop.
pub(crate) fn cases(text: &str) -> Vec<CaseResult> {
    results(&shop(), text, None).0.remove(0).cases
}

/// Every case passes.
pub(crate) fn pass(rules: &RuleSet, text: &str) {
    let (results, files) = results(rules, text, None);
    let failed = results.iter().flat_map(|file| &file.cases).flat_map(|case| &case.failures);
    let failed: Vec<String> = failed.map(|failure| format!("{:?} {failure:#?}", files.position(&failure.at))).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(!results.is_empty());
}

/// The failures of a file of the shop: `line as of what: expected, found`.
pub(crate) fn failures(rules: &RuleSet, text: &str) -> Vec<String> {
    let (results, files) = results(rules, text, None);
    let failed = results.iter().flat_map(|file| &file.cases).flat_map(|case| &case.failures);
    let shown = failed.map(|failure| {
        let who = failure.who.as_ref().map(|who| format!(" {who}")).unwrap_or_default();
        let line = files.position(&failure.at).1;
        format!("{line} {}{who} {}: {}, found {}", failure.as_of, failure.what, failure.expected, failure.found)
    });
    shown.collect()
}
