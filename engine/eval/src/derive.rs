//! Metrics that are found from other metrics of the same subjects: derived ones and ranks.
//!
//! Derived metrics are evaluated in chunks that stay in the cache; ranks need every subject at once. In which order all metrics
//! are found is the business of [`crate::evaluate`].

mod partial;

use arrow_array::{Array, ArrayRef};
use arrow_select::concat::concat;
use tierd_model::{Clock, Type};
use tierd_rules::{Expr, MetricId, RankKind};

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

    /// The column of a metric of these subjects.
    ///
    /// # Panics
    /// If it is absent: metrics stand after those that they refer to.
    pub(crate) fn column(&self, metric: MetricId) -> &ArrayRef {
        #[expect(clippy::expect_used, reason = "metrics stand after those that they refer to")]
        self.columns[metric.0].as_ref().expect("a metric that stands before")
    }
}

/// The column of a derived metric, over the columns of `subjects` values that it reads.
pub(crate) fn derived(expr: &Expr, columns: &[Option<ArrayRef>], subjects: usize, clock: &Clock) -> ArrayRef {
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

/// The column of a rank metric, which ranks a metric of type `ty`, and where its cuts lie.
pub(crate) fn ranked(
    metric: MetricId,
    (of, ty): (&ArrayRef, Type),
    descending: bool,
    kind: RankKind,
) -> (ArrayRef, CutPoints) {
    let Ranked { column, subjects: ranked, buckets } = rank(of, ty, descending, kind);
    (column, CutPoints { metric, ranked, boundaries: buckets })
}

#[cfg(test)]
mod tests;
