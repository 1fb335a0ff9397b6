//! Facts gathered for plugins against a plain reading, row by row, in whatever order rows come.

use proptest::{prelude::*, sample::subsequence};
use serde_json::Map;
use tierd_eval::{columns::value_at, plugin::SubjectFacts};
use tierd_model::{Type, Value, Window, WindowKind};
use tierd_rules::{
    Expr, FactsId, Metric, MetricId, MetricKind, PluginId, RuleSet,
    plugin::{OnPluginError, PluginCall, PluginFacts, PluginKind, PluginMetric},
};

use crate::{
    base::{Anchors, Row, SUBJECTS, TYPES, clock, column, nowhere, rules},
    random::{condition, rows},
    reference::{holds, instant, value_of},
    scan_all,
};

/// A row as the plugin sees it.
type Given = (usize, i64, Vec<Option<Value>>);

fn gathering(filter: Option<Expr>, inputs: Vec<usize>, required: Vec<usize>) -> RuleSet {
    let mut rules = rules(&TYPES, None, vec![]);
    let call = PluginCall {
        plugin: PluginId(0),
        function: "decay".to_owned(),
        kind: PluginKind::Aggregator,
        inputs: inputs.into_iter().map(|index| column(index, &TYPES)).collect(),
        required,
        config: Map::new(),
        on_error: OnPluginError::Fail,
        at: nowhere(),
    };
    let window = Window { kind: WindowKind::Lifetime, offset: 0 };
    let facts = Some(PluginFacts { facts: FactsId(0), filter, window, empty: None });
    let kind = MetricKind::Plugin(Box::new(PluginMetric { call, facts }));
    rules.metrics.push(Metric { ty: Type::Real, kind, ..rules.metrics[0].clone() });
    rules
}

fn plugin(rules: &RuleSet) -> (MetricId, &PluginMetric) {
    let last = rules.metrics.len() - 1;
    match &rules.metrics[last].kind {
        MetricKind::Plugin(plugin) => (MetricId(last), plugin),
        other => panic!("{other:?}"),
    }
}

/// What the plugin is to be given, row by row.
fn expected(rules: &RuleSet, rows: &[Row]) -> Vec<Given> {
    let (_, PluginMetric { call, facts }) = plugin(rules);
    let filter = &facts.as_ref().unwrap().filter;
    let mut found: Vec<Given> = Vec::new();
    for row in rows.iter().filter(|row| row.subject < SUBJECTS && holds(filter, row, &TYPES)) {
        let Some(at) = instant(row).filter(|at| *at < clock().as_of()) else { continue };
        let inputs: Vec<_> = call.inputs.iter().map(|input| value_of(input, row, &TYPES)).collect();
        if call.required.iter().all(|&input| inputs[input].is_some()) {
            found.push((row.subject, at.0, inputs));
        }
    }
    sorted(found)
}

/// Rows of one subject and time in any order that is the same for the same rows.
fn sorted(mut rows: Vec<Given>) -> Vec<Given> {
    rows.sort_by_key(|(subject, at, inputs)| (*subject, *at, format!("{inputs:?}")));
    rows
}

fn given(rules: &RuleSet, facts: &SubjectFacts) -> Vec<Given> {
    let (_, PluginMetric { call, .. }) = plugin(rules);
    assert_eq!(facts.rows_of.len(), SUBJECTS);
    let subjects = facts.rows_of.iter().enumerate().flat_map(|(subject, &rows)| vec![subject; rows as usize]);
    let subjects: Vec<usize> = subjects.collect();
    assert_eq!(subjects.len(), facts.times.len());
    let row = |row: usize| {
        let inputs = facts.inputs.iter().zip(&call.inputs).map(|(column, input)| value_at(column, input.ty, row));
        (subjects[row], facts.times[row], inputs.collect())
    };
    (0..subjects.len()).map(row).collect()
}

fn gathered(rules: &RuleSet, rows: &[Row], splits: usize) -> SubjectFacts {
    let mut found = scan_all(rules, (&Anchors::default(), rows), splits).gathered;
    assert_eq!(found.len(), 1);
    let (id, facts) = found.remove(0);
    assert_eq!(id, plugin(rules).0);
    facts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn facts_agree_with_a_plain_reading_in_any_order(
        filter in proptest::option::of(condition(&TYPES)),
        inputs in subsequence((1..TYPES.len()).collect::<Vec<_>>(), 0..4),
        rows in rows(&TYPES),
        first_required in any::<bool>(),
    ) {
        let required = if first_required && !inputs.is_empty() { vec![0] } else { vec![] };
        let rules = gathering(filter, inputs, required);
        let facts = gathered(&rules, &rows, 1);
        let found = given(&rules, &facts);
        prop_assert!(found.windows(2).all(|pair| (pair[0].0, pair[0].1) <= (pair[1].0, pair[1].1)));
        prop_assert_eq!(sorted(found), expected(&rules, &rows));
        let backwards: Vec<Row> = rows.iter().rev().cloned().collect();
        for other in [gathered(&rules, &rows, 3), gathered(&rules, &backwards, 1), gathered(&rules, &backwards, 2)] {
            prop_assert_eq!(&other.rows_of, &facts.rows_of);
            prop_assert_eq!(&other.times, &facts.times);
            for (column, first) in other.inputs.iter().zip(&facts.inputs) {
                prop_assert_eq!(column.to_data(), first.to_data());
            }
        }
    }
}
