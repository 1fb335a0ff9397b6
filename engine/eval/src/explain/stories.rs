//! Where the numbers in a condition come from: each metric with its value and the way it was found.

use tierd_model::{Instants, Per, Value, Window};
use tierd_rules::{Aggregate, AggregateFn, Metric, MetricId, MetricKind, RankKind, TierSet};

use super::Row;
use crate::{derive::Metrics, rank::Bucket};

/// One metric of one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Which metric.
    pub metric: MetricId,
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: Option<String>,
    /// Its value; `None` for NULL.
    pub value: Option<Value>,
    /// Personal, or computed from what is.
    pub personal: bool,
    /// How many metrics lie between it and the condition.
    pub depth: usize,
    /// How it was found.
    pub how: How,
}

/// How a metric was found.
#[derive(Debug, Clone, PartialEq)]
pub enum How {
    /// From facts.
    Aggregate {
        /// Such as `sum(amount)`.
        text: String,
        /// Name of the facts.
        from: String,
        /// Which rows, in the rule's words.
        filter: Option<String>,
        /// The window as declared.
        window: Window,
        /// The window of this run.
        instants: Instants,
        /// Divided by the window's length in these units.
        per: Option<Per>,
        /// What a subject has for which no row counts; `None` for NULL.
        empty: Option<Value>,
    },
    /// From a column of the subject table.
    Attribute {
        /// Its name in rules.
        name: String,
    },
    /// From other metrics.
    Derived {
        /// The rule's words.
        text: String,
        /// What it reads.
        inputs: Vec<MetricId>,
    },
    /// From the order of all subjects.
    Rank {
        /// What is ordered.
        of: MetricId,
        /// Its name.
        of_name: String,
        /// Largest first.
        descending: bool,
        /// What is given.
        kind: RankKind,
        /// Subjects that have a rank.
        ranked: u64,
        /// The buckets with their cut points, if it gives buckets.
        buckets: Vec<Bucket>,
    },
}

/// The metrics of a set's conditions and all that they are computed from, each once, where it is met first.
pub(super) fn stories(row: &Row<'_>, set: &TierSet, metrics: &Metrics) -> Vec<Story> {
    let mut out = Vec::new();
    // A stack instead of recursion: metrics may build on each other at any depth.
    let mut open: Vec<(MetricId, usize)> = set.metrics().into_iter().rev().map(|metric| (metric, 0)).collect();
    let mut seen = vec![false; row.rules.metrics.len()];
    while let Some((id, depth)) = open.pop() {
        if std::mem::replace(&mut seen[id.0], true) {
            continue;
        }
        let story = story(row, id, depth, metrics);
        open.extend(inputs(&story.how).into_iter().rev().map(|input| (input, depth + 1)));
        out.push(story);
    }
    out
}

fn inputs(how: &How) -> Vec<MetricId> {
    match how {
        How::Aggregate { .. } | How::Attribute { .. } => Vec::new(),
        How::Derived { inputs, .. } => inputs.clone(),
        How::Rank { of, .. } => vec![*of],
    }
}

fn story(row: &Row<'_>, id: MetricId, depth: usize, metrics: &Metrics) -> Story {
    let metric = &row.rules.metrics[id.0];
    Story {
        metric: id,
        name: metric.name.clone(),
        title: metric.title.clone(),
        value: row.metric(id),
        personal: row.personal[id.0],
        depth,
        how: how(row, id, metric, metrics),
    }
}

fn how(row: &Row<'_>, id: MetricId, metric: &Metric, metrics: &Metrics) -> How {
    match &metric.kind {
        MetricKind::Aggregate(aggregate) => of_facts(row, aggregate),
        MetricKind::Attribute(index) => {
            let subject = row.rules.config.subjects.get(metric.subject.0);
            let attribute = subject.and_then(|subject| subject.attributes.get(*index));
            How::Attribute { name: attribute.map_or_else(|| metric.name.clone(), |column| column.name.clone()) }
        }
        MetricKind::Derived(expr) => {
            How::Derived { text: row.quote(&expr.at), inputs: expr.columns().into_iter().map(MetricId).collect() }
        }
        MetricKind::Lookup(_) | MetricKind::Rollup(_) | MetricKind::Points { .. } | MetricKind::Standing { .. } => {
            How::Attribute { name: metric.name.clone() }
        }
        MetricKind::Rank { of, descending, kind } => {
            let cuts = metrics.cut_points(id);
            How::Rank {
                of: *of,
                of_name: row.rules.metrics[of.0].name.clone(),
                descending: *descending,
                kind: *kind,
                ranked: cuts.map_or(0, |cuts| cuts.ranked),
                buckets: cuts.map(|cuts| cuts.boundaries.clone()).unwrap_or_default(),
            }
        }
    }
}

fn of_facts(row: &Row<'_>, aggregate: &Aggregate) -> How {
    let argument = aggregate.argument.as_ref().map_or_else(|| "*".to_owned(), |argument| row.quote(&argument.at));
    let text = format!("{}({argument})", name(aggregate.function));
    How::Aggregate {
        text,
        from: row.rules.config.facts.get(aggregate.facts.0).map(|facts| facts.name.clone()).unwrap_or_default(),
        filter: aggregate.filter.as_ref().map(|filter| row.quote(&filter.at)),
        window: aggregate.window,
        instants: aggregate.window.resolve(row.clock),
        per: aggregate.per,
        empty: aggregate.empty.clone(),
    }
}

fn name(function: AggregateFn) -> &'static str {
    match function {
        AggregateFn::Sum => "sum",
        AggregateFn::Count => "count",
        AggregateFn::CountDistinct => "count_distinct",
        AggregateFn::Avg => "avg",
        AggregateFn::Min => "min",
        AggregateFn::Max => "max",
        AggregateFn::First => "first",
        AggregateFn::Last => "last",
        AggregateFn::DaysSince => "days_since",
        AggregateFn::MeanGap => "mean_gap",
        AggregateFn::MedianGap => "median_gap",
    }
}
