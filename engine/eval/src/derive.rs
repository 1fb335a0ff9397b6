//! From aggregates and attributes to all metrics of a subject: derived ones and ranks, in the checker's order.
//!
//! Metrics stand after those that they refer to, so that one walk is enough. Derived metrics are evaluated in chunks
//! that stay in the cache; ranks need every subject at once.

mod partial;

use arrow_array::{Array, ArrayRef};
use arrow_select::concat::concat;
use tierd_model::Clock;
use tierd_rules::{Expr, MetricId, MetricKind, RuleSet, SubjectId};

use crate::{
    columns::arrow_type,
    expr::{chunks, evaluate, slice, sound},
    rank::{Bucket, Ranked, rank},
};

pub use partial::partial;

/// All metrics of all subjects of one kind, in the order of their keys.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// A column of `subjects` values per metric, by [`MetricId`]; absent for metrics of other kinds of subjects.
    pub columns: Vec<Option<ArrayRef>>,
    /// One for each rank metric.
    pub cut_points: Vec<CutPoints>,
    /// How many subjects there are.
    pub subjects: usize,
}

/// What a rank metric found besides its column.
#[derive(Debug, Clone, PartialEq)]
pub struct CutPoints {
    /// The rank metric.
    pub metric: MetricId,
    /// Subjects that have a rank.
    pub ranked: u64,
    /// For buckets, the first and last value of each; else empty.
    pub boundaries: Vec<Bucket>,
}

impl Metrics {
    /// Where the cuts of a rank metric lie.
    pub fn cut_points(&self, metric: MetricId) -> Option<&CutPoints> {
        self.cut_points.iter().find(|cuts| cuts.metric == metric)
    }
}

/// Fills in the derived metrics and ranks of one kind of subject.
///
/// `given` has, by [`MetricId`], a column of `subjects` values for each aggregate and attribute of that kind.
///
/// # Panics
/// If one of these is absent or of another type or length.
pub fn complete(
    rules: &RuleSet,
    subject: SubjectId,
    mut given: Vec<Option<ArrayRef>>,
    subjects: usize,
    clock: &Clock,
) -> Metrics {
    given.resize(rules.metrics.len(), None);
    let mut metrics = Metrics { columns: given, cut_points: Vec::new(), subjects };
    for (index, metric) in rules.metrics.iter().enumerate().filter(|(_, metric)| metric.subject == subject) {
        match &metric.kind {
            MetricKind::Aggregate(_) | MetricKind::Attribute(_) => {}
            MetricKind::Lookup(_) | MetricKind::Rollup(_) | MetricKind::Points { .. } | MetricKind::Standing { .. } => {
            }
            MetricKind::Derived(expr) => {
                metrics.columns[index] = Some(derived(expr, &metrics.columns, subjects, clock));
            }
            MetricKind::Rank { of, descending, kind } => {
                #[expect(clippy::expect_used, reason = "metrics stand after those that they refer to")]
                let column = metrics.columns[of.0].as_ref().expect("the metric that is ranked");
                let Ranked { column, subjects: ranked, buckets } =
                    rank(column, rules.metrics[of.0].ty, *descending, *kind);
                metrics.columns[index] = Some(column);
                metrics.cut_points.push(CutPoints { metric: MetricId(index), ranked, boundaries: buckets });
            }
        }
    }
    metrics
}

fn derived(expr: &Expr, columns: &[Option<ArrayRef>], subjects: usize, clock: &Clock) -> ArrayRef {
    let needed = expr.columns();
    let parts: Vec<ArrayRef> = chunks(subjects)
        .map(|(first, rows)| evaluate(expr, &slice(columns, &needed, first, rows), rows, clock))
        .collect();
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    match parts[..] {
        [] => arrow_array::new_empty_array(&arrow_type(expr.ty)),
        _ => sound(concat(&parts)),
    }
}

#[cfg(test)]
mod tests;
