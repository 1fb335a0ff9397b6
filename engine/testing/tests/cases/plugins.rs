//! Cases of rules that call a plugin, with a double in its place.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, cast::AsArray, types::Float64Type};
use serde_json::{Map, json};
use tierd_eval::plugin::{NoPlugins, PluginColumn, PluginFailure, Plugins, Proposal, ProposedAction, SubjectFacts};
use tierd_model::{Clock, Type};
use tierd_rules::{
    PluginFile, RuleSet, load,
    plugin::{Accepts, PluginCall, PluginDescription, PluginFunction, PluginInput, PluginKind},
};
use tierd_testing::{Filters, run};

use crate::support::{CONFIG, file_set, tests};

const RULES: &str = r#"
[metric.twice]
plugin = "double"
function = "twice"
inputs = { number = "score" }

[metric.total]
plugin = "double"
function = "total"
from = "orders"
window = { last = "12 months" }
empty = 0
inputs = { number = "amount" }

[tiers.value]
[[tiers.value.level]]
name = "C"
[[tiers.value.level]]
name = "B"
when = "twice >= 10 or total >= 100"

[retention.keep]
when = "score >= 3"
action = { plugin = "double", function = "plan", inputs = { number = "score" } }
"#;

const GRANTS: &str = r#"
[plugin.double]
actions = { tasks = true, events = ["coupon"], per_subject = 2 }
"#;

const CASES: &str = r#"
as_of = 2026-06-30
[[case]]
name = "a high score"
subject = { score = 5.5 }
expect = { value = "B" }
expect_metrics = { twice = 11.0, total = 0 }
expect_tasks = [{ rule = "keep", title = "call", due = 2026-07-02 }]
expect_events = [{ rule = "keep", event = "coupon", data = { worth = 5 } }]

[[case]]
name = "orders"
facts.orders = [{ ordered_at = 2026-06-01, amount = 60 }, { ordered_at = 2026-06-02, amount = 40 }, { ordered_at = 2020-01-01, amount = 1 }]
expect = { value = "B" }
expect_metrics = { twice = "null", total = 100 }
expect_tasks = []
expect_events = []

[[case]]
name = "a metric that is given"
subject = { score = 1 }
metrics = { twice = 12 }
expect = { value = "B" }
"#;

/// Twice a number, the sum of facts, and a call and a coupon for everybody.
struct Double;

impl Plugins for Double {
    fn column(&self, _: &PluginCall, inputs: &[ArrayRef], _: usize, _: &Clock) -> Result<PluginColumn, PluginFailure> {
        let numbers = inputs[0].as_primitive::<Float64Type>();
        let twice = numbers.iter().map(|number| number.map(|number| number * 2.0));
        Ok(PluginColumn { column: Arc::new(twice.collect::<Float64Array>()), summary: None })
    }

    fn aggregate(&self, _: &PluginCall, facts: &SubjectFacts, _: &Clock) -> Result<ArrayRef, PluginFailure> {
        let numbers = facts.inputs[0].as_primitive::<Float64Type>();
        let mut rest = numbers.iter().flatten();
        let total = facts.rows_of.iter().map(|&rows| rest.by_ref().take(rows as usize).sum::<f64>());
        Ok(Arc::new(Float64Array::from(total.collect::<Vec<_>>())))
    }

    fn plan(&self, _: &PluginCall, inputs: &[ArrayRef], _: usize, _: &Clock) -> Result<Vec<Proposal>, PluginFailure> {
        let numbers = inputs[0].as_primitive::<Float64Type>().values();
        let both = |(row, number): (usize, &f64)| {
            let (title, due_days) = ("call".to_owned(), Some(2));
            let task = ProposedAction::Task { title, owner: None, channel: None, text: None, due_days };
            let data = Map::from_iter([("worth".to_owned(), json!(*number as i64))]);
            let event = ProposedAction::Event { name: "coupon".to_owned(), data };
            [task, event].map(|action| Proposal { row: row as u32, action })
        };
        Ok(numbers.iter().enumerate().flat_map(both).collect())
    }
}

fn rules() -> RuleSet {
    rules_of(RULES)
}

fn rules_of(text: &str) -> RuleSet {
    let function = |name: &str, kind| PluginFunction {
        name: name.to_owned(),
        kind,
        inputs: vec![PluginInput {
            name: "number".to_owned(),
            accepts: Accepts::Number,
            nullable: false,
            doc: String::new(),
        }],
        output: (kind != PluginKind::Planner).then_some(Type::Real),
        settings: vec![],
        doc: String::new(),
    };
    let description = PluginDescription {
        name: "Double".to_owned(),
        version: "1.0.0".to_owned(),
        doc: String::new(),
        functions: vec![
            function("twice", PluginKind::Scorer),
            function("total", PluginKind::Aggregator),
            function("plan", PluginKind::Planner),
        ],
        lookups: vec![],
    };
    let files = file_set(&[("tierd.toml", &format!("{CONFIG}{GRANTS}")), ("rules/value.toml", text)]);
    let files = files.with_plugins(vec![PluginFile::new("rules/double.wasm", &b"double"[..])]);
    let loaded = load(files.described(|_| Ok(Arc::new(description.clone()))));
    assert!(loaded.rules.is_some(), "{:#?}", loaded.diagnostics);
    loaded.rules.unwrap()
}

#[test]
fn cases_run_with_plugins() {
    let rules = rules();
    let (tests, files) = tests(&rules, CASES);
    let results = run(&rules, &Double, &tests, &files, &Filters::default(), None);
    let failures: Vec<_> = results[0].cases.iter().flat_map(|case| &case.failures).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(results[0].cases.len(), 3);
}

#[test]
fn without_who_runs_them_a_case_fails_and_says_so() {
    let rules = rules();
    let (tests, files) = tests(&rules, CASES);
    let results = run(&rules, &NoPlugins, &tests, &files, &Filters::default(), None);
    let found: Vec<&str> =
        results[0].cases.iter().flat_map(|case| &case.failures).map(|failure| &*failure.found).collect();
    let why = |function| format!("plugin #0, function {function}: plugins aren't run here");
    // The third needs no call: one metric is given, and the other has no facts.
    assert_eq!(found, [why("twice"), why("total")]);
}

#[test]
fn where_a_rule_lets_a_plugin_fail_the_case_says_why_its_metric_is_null() {
    let rules = rules_of(&RULES.replacen(
        "inputs = { number = \"score\" }",
        "inputs = { number = \"score\" }\non_plugin_error = \"unknown\"",
        1,
    ));
    let cases = "as_of = 2026-06-30\n[[case]]\nname = 'twice'\nsubject = { score = 2.5 }\nexpect_metrics = { twice = 5.0, total = 1 }";
    let (tests, files) = tests(&rules, cases);
    let results = run(&rules, &NoPlugins, &tests, &files, &Filters::default(), None);
    let [first, second] = &results[0].cases[0].failures[..] else { panic!("{results:#?}") };
    assert_eq!(first.detail, ["twice is unknown: plugin #0, function twice: plugins aren't run here"]);
    // Once is enough.
    assert_eq!((&*second.what, second.detail.len()), ("metric total", 0));
}
