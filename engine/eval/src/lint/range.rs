//! What a metric can be, whoever the subject: a share is 0 to 1, a quintile 1 to 5, a count isn't negative.
//!
//! So `late_share >= 80`, which was meant as percent, is seen to be never true. Only what the way in which a metric is found
//! guarantees is said here; nothing is said of computations and of stored values.

use tierd_model::{Decimal, Value};
use tierd_rules::{AggregateFn, Expr, ExprKind, MetricId, MetricKind, RankKind, RuleSet};

/// The numbers that a metric can be: from the least to the most, and what stands for nothing found.
pub(super) struct Range<'a> {
    pub(super) least: i64,
    most: Option<i64>,
    /// What it is where nothing is found, inside or not.
    pub(super) empty: Option<&'a Value>,
}

impl Range<'_> {
    /// Whether this number is in the range.
    pub(super) fn holds(&self, value: &Value) -> bool {
        let Some(number) = value.as_decimal() else { return true };
        let whole = |bound: i64| Decimal::new(bound.into(), 0);
        number >= whole(self.least) && self.most.is_none_or(|most| number <= whole(most))
    }
}

/// The range of a metric, if it has one.
pub(super) fn of(rules: &RuleSet, metric: MetricId) -> Option<Range<'_>> {
    let from = |least: i64, most: Option<i64>| Some(Range { least, most, empty: None });
    match &rules.metrics[metric.0].kind {
        MetricKind::Rank { kind: RankKind::Rank, .. } => from(1, None),
        MetricKind::Rank { kind: RankKind::Percentile, .. } => from(0, Some(100)),
        MetricKind::Rank { kind: RankKind::Ntile(buckets), .. } => from(1, Some((*buckets).into())),
        MetricKind::Aggregate(of) => of_function(of.function, of.argument.as_ref(), of.empty.as_ref()),
        MetricKind::Rollup(of) => of_function(of.function, of.argument.as_ref(), of.empty.as_ref()),
        MetricKind::Lookup(of) => self::of(rules, *of),
        MetricKind::Attribute(_)
        | MetricKind::Derived(_)
        | MetricKind::Points { .. }
        | MetricKind::Standing { .. }
        | MetricKind::Plugin(_) => None,
    }
}

/// `` `late_share` is 0 to 1 ``, of metrics that have a greatest value.
pub(super) fn words(rules: &RuleSet, metric: MetricId) -> Option<String> {
    let range = of(rules, metric)?;
    Some(format!("`{}` is {} to {}", rules.metrics[metric.0].name, range.least, range.most?))
}

fn of_function<'a>(function: AggregateFn, argument: Option<&Expr>, empty: Option<&'a Value>) -> Option<Range<'a>> {
    let (least, most) = match function {
        AggregateFn::Count | AggregateFn::CountDistinct => (0, None),
        // Gaps are between different days.
        AggregateFn::MeanGap | AggregateFn::MedianGap => (1, None),
        AggregateFn::Avg if argument.is_some_and(is_share) => (0, Some(1)),
        _ => return None,
    };
    Some(Range { least, most, empty })
}

/// Whether this is what `share(c)` averages: 1 and 0.
fn is_share(argument: &Expr) -> bool {
    let ExprKind::Case { whens, otherwise: None } = &argument.kind else { return false };
    let is_bit = |expr: &Expr| matches!(expr.kind, ExprKind::Literal(Value::Integer(0 | 1)));
    whens.iter().all(|(_, value)| is_bit(value))
}
