//! Calls of plugins that are good: what becomes of them.

#![allow(clippy::unwrap_used, reason = "a test stops where its rules are wrong")]

mod common;

use common::{CONFIG, load_with_plugins};
use serde_json::{Value as Json, json};
use tierd_model::Type;
use tierd_rules::{
    Expr, ExprKind, Metric, MetricKind, RuleSet,
    plugin::{OnPluginError, PluginKind, PluginLimits, PluginMetric},
    retention::Action,
};

const CREDIT: &str = r#"
functions.score = { kind = "scorer", inputs = ["spend number", "tenure integer?", "city text?"], output = "decimal(2)", settings = ["base integer!", "mode text"] }
functions.label = { kind = "segmenter", inputs = ["spend number"] }
functions.exact = { kind = "scorer", inputs = ["spend decimal(4)"], output = "integer" }
functions.decay = { kind = "aggregator", inputs = ["amount number", "status text?"], output = "real" }
functions.remind = { kind = "planner", inputs = ["spend number", "level text?"], settings = ["share number"] }
lookups.regions = ["risk real"]
"#;

const GRANTS: &str = r#"
[lookup.margins]
table = "margins"
key = "id"
columns = { margin = { type = "decimal(2)", encoding = "text" } }
[lookup.regions]
table = "regions"
key = { column = "code", type = "text" }
columns = { risk = "real" }
[plugin.credit]
memory = "128 MiB"
time = "500 ms"
fuel = 1_000_000
lookups = ["regions"]
config = { base = 7, mode = "strict" }
actions = { tasks = ["call"], owners = ["sales"], events = ["coupon"], per_subject = 2 }
"#;

fn load(rules: &str) -> RuleSet {
    let loaded = load_with_plugins(&format!("{CONFIG}{GRANTS}"), rules, &[("credit", CREDIT)]);
    let said: Vec<String> = loaded.diagnostics.iter().map(|d| d.render(&loaded.files, false)).collect();
    loaded.rules.unwrap_or_else(|| panic!("{}", said.join("\n\n")))
}

fn plugin<'r>(rules: &'r RuleSet, name: &str) -> (&'r Metric, &'r PluginMetric) {
    let (_, metric) = rules.metric(name).unwrap();
    match &metric.kind {
        MetricKind::Plugin(plugin) => (metric, plugin),
        other => panic!("{other:?}"),
    }
}

fn types(inputs: &[Expr]) -> Vec<Type> {
    inputs.iter().map(|input| input.ty).collect()
}

#[test]
fn a_scorer_is_given_what_it_takes() {
    let rules = load(
        r#"
        [metric.credit_score]
        plugin = "credit"
        function = "score"
        inputs = { tenure = "days_between(joined_on, today)", spend = "annual_spend", city = "city" }
        config = { base = 3 }
        on_plugin_error = "unknown"
        [metric.annual_spend]
        from = "orders"
        aggregate = "sum(amount)"
        window = { last = "12 months" }
        empty = 0
        [metric.twice]
        derived = "credit_score * 2"
        "#,
    );
    let (metric, found) = plugin(&rules, "credit_score");
    assert_eq!((metric.ty, metric.subject.0, metric.pass), (Type::Decimal(2), 0, 0));
    assert_eq!(types(&found.call.inputs), [Type::Real, Type::Integer, Type::Text]);
    assert!(matches!(found.call.inputs[0].kind, ExprKind::Cast(_)));
    assert_eq!(found.call.required, [0]);
    assert_eq!(Json::from(found.call.config.clone()), json!({ "base": 3, "mode": "strict" }));
    assert_eq!(found.call.on_error, OnPluginError::Unknown);
    let names: Vec<&str> = found.metrics().iter().map(|id| rules.metrics[id.0].name.as_str()).collect();
    assert_eq!(names, ["annual_spend", "joined_on", "city"]);
    let place = |name: &str| rules.metric(name).unwrap().0;
    assert!(place("annual_spend") < place("credit_score") && place("credit_score") < place("twice"));
    assert_eq!(rules.metric("twice").unwrap().1.ty, Type::Decimal(2));
}

#[test]
fn a_segmenter_gives_text_and_fewer_digits_become_more() {
    let rules = load(
        r#"
        [metric.a]
        plugin = "credit"
        function = "label"
        inputs = { spend = "score" }
        [metric.b]
        plugin = "credit"
        function = "exact"
        inputs = { spend = "credit" }
        [metric.c]
        plugin = "credit"
        function = "exact"
        inputs = { spend = "0.5" }
        [tiers.t]
        level = [{ name = "bad" }, { name = "good", when = "a = 'good' and b > c" }]
        "#,
    );
    let (metric, found) = plugin(&rules, "a");
    assert_eq!((metric.ty, types(&found.call.inputs)), (Type::Text, vec![Type::Real]));
    assert!(matches!(found.call.inputs[0].kind, ExprKind::Column(_)));
    for name in ["b", "c"] {
        assert_eq!(types(&plugin(&rules, name).1.call.inputs), [Type::Decimal(4)]);
    }
    assert_eq!(rules.warnings, []);
}

#[test]
fn an_aggregator_is_given_facts() {
    let rules = load(
        r#"
        [metric.warmth]
        plugin = "credit"
        function = "decay"
        from = "orders"
        where = "status = 'paid'"
        window = { since = "first_gift" }
        empty = 0.5
        inputs = { amount = "amount * items", status = "status" }
        [metric.first_gift]
        from = "orders"
        aggregate = "min(ordered_at)"
        where = "gift"
        window = "lifetime"
        empty = "null"
        "#,
    );
    let (metric, found) = plugin(&rules, "warmth");
    assert_eq!((metric.ty, metric.pass), (Type::Real, 1));
    assert_eq!(types(&found.call.inputs), [Type::Real, Type::Text]);
    assert_eq!(found.call.required, [0]);
    let facts = found.facts.as_ref().unwrap();
    assert_eq!(facts.window.anchor(), Some(rules.metric("first_gift").unwrap().0.0));
    assert_eq!(facts.empty, Some(tierd_model::Value::Real(0.5)));
    assert!(facts.filter.is_some() && found.metrics().is_empty());
}

#[test]
fn calls_are_made_for_each_category() {
    let rules = load(
        r#"
        [metric.warmth]
        plugin = "credit"
        function = "decay"
        from = "orders"
        by = "status"
        window = { last = "12 months" }
        empty = 0
        inputs = { amount = "amount", status = "status" }
        [metric.label]
        plugin = "credit"
        function = "label"
        inputs = { spend = "warmth" }
        [tiers.t]
        per = "category"
        categories = ["paid", "open"]
        level = [{ name = "bad" }, { name = "good", when = "label = 'good'" }]
        "#,
    );
    for category in ["paid", "open"] {
        let (_, label) = plugin(&rules, &format!("label[{category}]"));
        let warmth = format!("warmth[{category}]");
        assert_eq!(label.metrics(), [rules.metric(&warmth).unwrap().0]);
        assert!(plugin(&rules, &warmth).1.facts.as_ref().unwrap().filter.is_some());
    }
    assert_eq!(rules.warnings, []);
}

#[test]
fn limits_and_grants_are_handed_on() {
    let rules = load("");
    let [credit] = rules.plugins.as_slice() else { panic!("{:?}", rules.plugins) };
    assert_eq!((credit.name.as_str(), &*credit.file.path), ("credit", "rules/credit.wasm"));
    assert_eq!(credit.limits, PluginLimits { memory_bytes: 128 << 20, time_ms: 500, fuel: Some(1_000_000) });
    assert_eq!(credit.grants.lookups, [1]);
    assert_eq!(rules.config.lookups[1].name, "regions");
    assert_eq!(credit.grants.tasks.as_deref(), Some(&["call".to_owned()][..]));
    assert_eq!((credit.grants.owners.as_slice(), credit.grants.per_subject), (&["sales".to_owned()][..], 2));
    assert_eq!(credit.grants.events.as_deref(), Some(&["coupon".to_owned()][..]));
}

#[test]
fn without_a_word_a_plugin_may_do_little() {
    let other = "functions.score = { kind = \"scorer\", output = \"real\" }";
    let loaded = load_with_plugins(CONFIG, "", &[("other", other)]);
    let rules = loaded.rules.unwrap();
    assert_eq!(rules.plugins[0].limits, PluginLimits::default());
    assert_eq!(rules.plugins[0].grants, Default::default());
}

/// What a plugin's bytes are is part of the revision.
#[test]
fn another_file_is_another_revision() {
    let plugins =
        |end: &str| load_with_plugins(&format!("{CONFIG}{GRANTS}"), "", &[("credit", &format!("{CREDIT}{end}"))]);
    let (one, two) = (plugins("").rules.unwrap(), plugins("# newer").rules.unwrap());
    assert_ne!(one.revision, two.revision);
    assert_ne!(one.plugins[0].file.hash, two.plugins[0].file.hash);
}

#[test]
fn a_planner_is_the_action_of_a_retention_rule() {
    let rules = load(
        r#"
        [tiers.t]
        level = [{ name = "bad" }, { name = "good", when = "score > 1" }]
        [retention.keep]
        when = "score < 5"
        [retention.keep.action]
        plugin = "credit"
        function = "remind"
        inputs = { level = "tier.t", spend = "2 * score" }
        config = { share = 0.5 }
        on_plugin_error = "wait"
        [retention.lose]
        when = "score < 5"
        action = { plugin = "credit", function = "remind", inputs = { level = "'x'", spend = "credit" } }
        "#,
    );
    let call = |rule: usize| match &rules.retention[rule].action {
        Action::Planned(call) => call,
        other => panic!("{other:?}"),
    };
    let keep = call(0);
    assert_eq!((keep.function.as_str(), keep.kind), ("remind", PluginKind::Planner));
    assert_eq!(types(&keep.inputs), [Type::Real, Type::Text]);
    assert_eq!((keep.required.as_slice(), keep.on_error), (&[0][..], OnPluginError::Unknown));
    // What `[plugin.credit]` gives is for functions that have such settings.
    assert_eq!(Json::from(keep.config.clone()), json!({ "share": 0.5 }));
    assert_eq!(call(1).on_error, OnPluginError::Fail);
    assert_eq!(rules.warnings, []);
}
