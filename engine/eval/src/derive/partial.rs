//! Some derived metrics before all others: the dates from which subjects' own windows begin.

use arrow_array::ArrayRef;
use tierd_model::Clock;
use tierd_rules::{MetricId, MetricKind, RuleSet};

use super::derived;

/// The columns, and with them the `wanted` metrics and what these are derived from. `columns` has, by [`MetricId`], the attributes
/// and aggregates known so far, of `subjects` values each.
///
/// # Panics
/// If one of these that a wanted metric is derived from is absent, or of another type or length.
pub fn partial(
    rules: &RuleSet,
    wanted: &[MetricId],
    columns: &[Option<ArrayRef>],
    subjects: usize,
    clock: &Clock,
) -> Vec<Option<ArrayRef>> {
    let mut columns = columns.to_vec();
    columns.resize(rules.metrics.len(), None);
    let mut needed = vec![false; rules.metrics.len()];
    wanted.iter().for_each(|metric| needed[metric.0] = true);
    // Metrics stand after those that they refer to: one walk back finds what is needed, one forth fills it in.
    for index in (0..needed.len()).rev().filter(|&index| columns[index].is_none()) {
        if let (true, MetricKind::Derived(expr)) = (needed[index], &rules.metrics[index].kind) {
            expr.columns().into_iter().for_each(|column| needed[column] = true);
        }
    }
    for (index, metric) in rules.metrics.iter().enumerate().filter(|(index, _)| needed[*index]) {
        if let (None, MetricKind::Derived(expr)) = (&columns[index], &metric.kind) {
            columns[index] = Some(derived(expr, &columns, subjects, clock));
        }
    }
    columns
}
