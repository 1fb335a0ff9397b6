//! Metrics that plugins find, with a double in their place: what it is given, where its values go, and what becomes of failures.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../../rules/tests/common/plugins.rs"]
mod files;

use std::{cell::RefCell, sync::Arc};

use arrow_array::{
    Array, ArrayRef, Decimal128Array, Float64Array, StringArray,
    cast::AsArray,
    types::{Float64Type, Int64Type},
};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use tierd_eval::{
    columns::{arrow_type, value_at},
    due::Due,
    evaluate::{Asker, Error, Outcome, evaluate},
    explain,
    given::Given,
    history::NoHistory,
    plugin::{PluginColumn, PluginFailure, Plugins, Proposal, SubjectFacts},
    scan::memory::{MemoryRow, MemorySubjects, given},
};
use tierd_model::{Clock, Decimal, Key, Type, Value, parse_date, parse_timestamp};
use tierd_rules::{FactsId, File, RuleSet, SubjectId, TierSetId, load, plugin::PluginCall};

const CONFIG: &str = "
    time_zone = 'Asia/Shanghai'
    database.sqlite = 'shop.db'
    [subject.customer]
    table = 'customers'
    key = 'id'
    [subject.customer.attributes]
    joined_on = { type = 'date', encoding = 'iso8601' }
    visits = 'integer'
    city = { type = 'text', personal = true }
    [facts.orders]
    table = 'orders'
    subject = 'customer'
    subject_column = 'customer_id'
    time = 'at'
    [facts.orders.columns]
    at = { type = 'timestamp', encoding = 'iso8601' }
    amount = { type = 'decimal(2)', encoding = 'minor_units' }
    status = 'text'";

const RULES: &str = "
    [metric.credit_score]
    plugin = 'credit'
    function = 'score'
    inputs = { visits = 'visits + 1', tenure = 'days_between(joined_on, today)' }
    config = {}
    ON_ERROR
    [metric.fit]
    plugin = 'credit'
    function = 'model'
    inputs = { visits = 'visits' }
    [metric.warmth]
    plugin = 'credit'
    function = 'decay'
    from = 'orders'
    where = \"status is null or status <> 'void'\"
    window = { since = 'joined_on' }
    empty = -1
    inputs = { amount = 'amount', status = 'status' }
    [metric.place]
    rank = 'credit_score desc'
    [tiers.value]
    [[tiers.value.level]]
    name = 'C'
    [[tiers.value.level]]
    name = 'B'
    when = 'credit_score >= 20'";

/// What the plugin says of itself.
const CREDIT: &str = r#"
functions.score = { kind = "scorer", inputs = ["visits number", "tenure integer?"], output = "decimal(2)" }
functions.model = { kind = "model", inputs = ["visits number"], output = "real" }
functions.decay = { kind = "aggregator", inputs = ["amount number", "status text?"], output = "real" }
"#;

fn rules_with(on_error: &str) -> RuleSet {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let rules = RULES.replace("ON_ERROR", on_error);
    let all = vec![file("tierd.toml", CONFIG), file("rules/value.toml", &rules), file("rules/credit.wasm", CREDIT)];
    let loaded = load(files::with_plugins(all));
    assert!(loaded.rules.is_some(), "{:#?}", loaded.diagnostics);
    loaded.rules.unwrap()
}

fn rules() -> RuleSet {
    rules_with("")
}

/// What a double does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    Fails,
    Short,
    OtherType,
    NotFinite,
}

/// `score` is ten times the visits, a hundredth more for each day of tenure; `model` half the visits; `decay` depends on the order of
/// facts.
struct Double {
    wrong: Wrong,
    /// By call: function and rows.
    calls: RefCell<Vec<(String, usize)>>,
}

impl Double {
    fn new(wrong: Wrong) -> Self {
        Double { wrong, calls: RefCell::new(Vec::new()) }
    }

    fn called(&self, call: &PluginCall, rows: usize) -> Result<(), PluginFailure> {
        self.calls.borrow_mut().push((call.function.clone(), rows));
        let (plugin, function, message) = ("credit".to_owned(), call.function.clone(), "out of fuel".to_owned());
        let failure = PluginFailure { plugin, function, reason: "fuel", message };
        if self.wrong == Wrong::Fails && call.function == "score" { Err(failure) } else { Ok(()) }
    }
}

impl Plugins for Double {
    fn column(
        &self,
        call: &PluginCall,
        inputs: &[ArrayRef],
        rows: usize,
        _: &Clock,
    ) -> Result<PluginColumn, PluginFailure> {
        self.called(call, rows)?;
        assert!(inputs.iter().all(|input| input.len() == rows));
        let visits = inputs[0].as_primitive::<Float64Type>();
        assert_eq!(visits.null_count(), 0);
        if call.function == "model" {
            let mut half: Vec<f64> = visits.iter().flatten().map(|visits| visits / 2.0).collect();
            if self.wrong == Wrong::NotFinite {
                half[0] = f64::NAN;
            }
            let summary = Some(Map::from_iter([("rows".to_owned(), json!(rows))]));
            return Ok(PluginColumn { column: Arc::new(Float64Array::from(half)), summary });
        }
        let tenure = inputs[1].as_primitive::<Int64Type>();
        let score = visits
            .iter()
            .zip(tenure)
            .map(|(visits, tenure)| Some((visits? * 1000.0) as i128 + i128::from(tenure.unwrap_or(0))));
        let mut score: Vec<Option<i128>> = score.collect();
        if self.wrong == Wrong::Short {
            score.pop();
        }
        let column: ArrayRef = match self.wrong {
            Wrong::OtherType => Arc::new(StringArray::from(vec!["x"; rows])),
            _ => Arc::new(Decimal128Array::from(score).with_data_type(arrow_type(Type::Decimal(2)))),
        };
        Ok(PluginColumn { column, summary: None })
    }

    fn aggregate(&self, call: &PluginCall, facts: &SubjectFacts, _: &Clock) -> Result<ArrayRef, PluginFailure> {
        self.called(call, facts.rows_of.len())?;
        let (amounts, status) = (facts.inputs[0].as_primitive::<Float64Type>(), facts.inputs[1].as_string::<i32>());
        let mut row = 0;
        let values = facts.rows_of.iter().map(|&rows| {
            assert!(rows > 0);
            let mut value = 0.0;
            for _ in 0..rows {
                let text = if status.is_valid(row) { status.value(row).len() as f64 } else { 0.25 };
                value = value / 2.0 + amounts.value(row) + text / 8.0;
                row += 1;
            }
            value
        });
        Ok(Arc::new(values.collect::<Float64Array>()))
    }

    fn plan(&self, _: &PluginCall, _: &[ArrayRef], _: usize, _: &Clock) -> Result<Vec<Proposal>, PluginFailure> {
        unreachable!("no rule has a planner")
    }
}

fn clock(rules: &RuleSet) -> Clock {
    let zone = Arc::clone(&rules.config.zone);
    Clock::new(parse_timestamp(b"2026-03-31 12:00").unwrap().instant(&zone), zone)
}

fn customer(key: i64, joined: Option<&str>, visits: Option<i64>) -> MemoryRow {
    let joined = joined.map(|day| Value::Date(parse_date(day.as_bytes()).unwrap()));
    MemoryRow { key: Key::Integer(key), values: vec![joined, visits.map(Value::Integer)] }
}

fn order(rules: &RuleSet, key: i64, time: &str, amount: Option<i128>, status: Option<&str>) -> MemoryRow {
    let at = Value::Timestamp(parse_timestamp(time.as_bytes()).unwrap().instant(&rules.config.zone));
    let amount = amount.map(|amount| Value::Decimal(Decimal::new(amount, 2)));
    MemoryRow { key: Key::Integer(key), values: vec![Some(at), amount, status.map(|text| Value::Text(text.into()))] }
}

/// The second has no visits, the third no day of joining, the fourth no orders that count.
fn shop(rules: &RuleSet, orders: Vec<MemoryRow>) -> Vec<Given> {
    let rows = vec![
        customer(1, Some("2026-03-01"), Some(1)),
        customer(2, Some("2026-03-01"), None),
        customer(3, None, Some(2)),
        customer(4, Some("2026-03-30"), Some(0)),
    ];
    given(rules, &[MemorySubjects { subject: SubjectId(0), rows, facts: vec![(FactsId(0), orders)] }], &clock(rules))
}

fn orders(rules: &RuleSet) -> Vec<MemoryRow> {
    let order = |key, time, amount, status| order(rules, key, time, amount, status);
    vec![
        order(1, "2026-03-02", Some(800), Some("paid")),
        order(1, "2026-03-03", Some(400), None),
        order(1, "2026-03-03", Some(200), None),
        order(1, "2026-03-04", None, Some("paid")),
        order(1, "2026-03-05", Some(900), Some("void")),
        order(1, "2026-02-28", Some(900), Some("paid")),
        order(2, "2026-03-01", Some(100), Some("paid")),
        order(3, "2026-03-02", Some(100), Some("paid")),
        order(4, "2026-03-02", Some(100), Some("paid")),
        order(9, "2026-03-02", Some(100), Some("paid")),
    ]
}

fn run(rules: &RuleSet, plugins: &Double) -> Result<Outcome, Error<std::convert::Infallible>> {
    evaluate(rules, shop(rules, orders(rules)), &NoHistory, plugins, &Due::ALL, &clock(rules))
}

/// By subject, as it is written.
fn values(rules: &RuleSet, outcome: &Outcome, metric: &str) -> Vec<String> {
    let (id, metric) = rules.metric(metric).unwrap();
    let of = &outcome.subjects[0].metrics;
    let column = of.columns[id.0].as_ref().unwrap();
    let text = |value: Option<Value>| value.map_or("NULL".to_owned(), |value| value.to_string());
    (0..of.subjects).map(|subject| text(value_at(column, metric.ty, subject))).collect()
}

#[test]
fn rows_without_a_required_value_are_not_given() {
    let (rules, plugins) = (rules(), Double::new(Wrong::Nothing));
    let outcome = run(&rules, &plugins).unwrap();
    assert_eq!(values(&rules, &outcome, "credit_score"), ["20.30", "NULL", "30.00", "10.01"]);
    assert_eq!(values(&rules, &outcome, "place"), ["2", "NULL", "1", "3"]);
    assert_eq!(values(&rules, &outcome, "fit"), ["0.5", "NULL", "1", "0"]);
    let calls = plugins.calls.borrow();
    assert!(calls.contains(&("score".to_owned(), 3)) && calls.contains(&("model".to_owned(), 3)), "{calls:?}");
    assert_eq!(outcome.sets[0].settled.held[0], 1);
    assert_eq!(outcome.plugin_failures, []);
}

#[test]
fn what_a_model_says_of_its_fit_is_kept() {
    let rules = rules();
    let outcome = run(&rules, &Double::new(Wrong::Nothing)).unwrap();
    let (id, _) = rules.metric("fit").unwrap();
    let [(of, summary)] = outcome.summaries.as_slice() else { panic!("{:?}", outcome.summaries) };
    assert_eq!((*of, Json::from(summary.clone())), (id, json!({ "rows": 3 })));
}

/// In order of time, and among equal times of the values; no facts give `empty`, no day that the window begins at NULL.
#[test]
fn facts_are_given_in_order() {
    let rules = rules();
    let outcome = run(&rules, &Double::new(Wrong::Nothing)).unwrap();
    let first = ((8.0 + 0.5) / 2.0 + 2.0 + 0.25 / 8.0) / 2.0 + 4.0 + 0.25 / 8.0;
    assert_eq!(
        values(&rules, &outcome, "warmth"),
        [first.to_string(), "1.5".to_owned(), "NULL".to_owned(), "-1".to_owned()]
    );
}

#[test]
fn a_failure_ends_the_run_or_leaves_the_metric_unknown() {
    let error = run(&rules(), &Double::new(Wrong::Fails)).unwrap_err();
    assert_eq!(error.to_string(), "plugin credit, function score: out of fuel");

    let rules = rules_with("on_plugin_error = 'unknown'");
    let outcome = run(&rules, &Double::new(Wrong::Fails)).unwrap();
    assert_eq!(values(&rules, &outcome, "credit_score"), ["NULL"; 4]);
    assert_eq!(values(&rules, &outcome, "fit")[0], "0.5");
    let [failed] = outcome.plugin_failures.as_slice() else { panic!("{:?}", outcome.plugin_failures) };
    assert_eq!((failed.asker, failed.subjects), (Asker::Metric(rules.metric("credit_score").unwrap().0), 4));
    assert_eq!((failed.failure.reason, failed.failure.function.as_str()), ("fuel", "score"));
    assert_eq!(outcome.sets[0].unknown.len(), 4);
}

#[test]
fn what_is_no_column_of_the_metric_is_a_failure() {
    for (wrong, message) in [
        (Wrong::Short, "plugin credit, function score: gave 2 values for 3 rows"),
        (Wrong::OtherType, "plugin credit, function score: gave values of another type than decimal(2)"),
        (Wrong::NotFinite, "plugin credit, function model: gave a number that isn't finite"),
    ] {
        let error = run(&rules(), &Double::new(wrong)).unwrap_err();
        assert!(matches!(&error, Error::Plugin(failure) if failure.reason == "output"));
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_column_that_is_given_takes_the_place_of_a_call() {
    let (rules, plugins) = (rules(), Double::new(Wrong::Fails));
    let mut given = shop(&rules, orders(&rules));
    let (id, _) = rules.metric("credit_score").unwrap();
    let score =
        Decimal128Array::from(vec![Some(5), None, None, Some(2500)]).with_data_type(arrow_type(Type::Decimal(2)));
    given[0].columns[id.0] = Some(Arc::new(score));
    let outcome = evaluate(&rules, given, &NoHistory, &plugins, &Due::ALL, &clock(&rules)).unwrap();
    assert_eq!(outcome.sets[0].settled.held[3], 1);
    assert!(plugins.calls.borrow().iter().all(|(function, _)| function != "score"));
}

#[test]
fn nobody_is_no_call() {
    let (rules, plugins) = (rules(), Double::new(Wrong::Fails));
    let nobody = MemorySubjects { subject: SubjectId(0), rows: vec![], facts: vec![] };
    let given = given(&rules, &[nobody], &clock(&rules));
    let outcome = evaluate(&rules, given, &NoHistory, &plugins, &Due::ALL, &clock(&rules)).unwrap();
    assert_eq!((outcome.subjects[0].metrics.subjects, plugins.calls.borrow().len()), (0, 0));
}

#[test]
fn a_score_is_explained_by_what_was_given() {
    let rules = rules();
    let outcome = run(&rules, &Double::new(Wrong::Nothing)).unwrap();
    let story = explain::explain_held(&rules, &outcome, TierSetId(0), 0, &clock(&rules));
    let lines: Vec<String> =
        story.metrics.iter().map(|of| format!("{} {}", of.name, explain::text::how(of, &clock(&rules)))).collect();
    assert_eq!(
        lines,
        [
            "credit_score score of plugin credit: visits = visits + 1 (= 2), tenure = days_between(joined_on, today) (= 30)",
            "visits attribute visits",
            "joined_on attribute joined_on",
        ]
    );
    assert!(story.metrics[0].depth == 0 && story.metrics[1].depth == 1);
}

proptest! {
    /// The order in which rows are read never reaches a plugin, not even among rows of one time.
    #[test]
    fn the_order_of_rows_does_not_matter(
        facts in proptest::collection::vec((1i64..5, 0i64..3, proptest::option::of(0i128..4), proptest::option::of(0usize..3)), 0..40)
            .prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
    ) {
        let rules = rules();
        let evaluated = |facts: &[(i64, i64, Option<i128>, Option<usize>)]| {
            let row = |&(key, day, amount, status): &(i64, i64, Option<i128>, Option<usize>)| {
                let status = status.map(|status| ["paid", "open", "x"][status]);
                order(&rules, key, &format!("2026-03-3{}", day % 2), amount, status)
            };
            let given = shop(&rules, facts.iter().map(row).collect());
            let outcome = evaluate(&rules, given, &NoHistory, &Double::new(Wrong::Nothing), &Due::ALL, &clock(&rules)).unwrap();
            values(&rules, &outcome, "warmth")
        };
        prop_assert_eq!(evaluated(&facts.0), evaluated(&facts.1));
    }
}
