//! Which columns, windows, filters and accumulators the aggregates over one fact table need: each of them once.
//!
//! A plan is made once per run and shared by all scanning threads. Metrics that have a window, a filter or a sum in common
//! share it, so that the work of a row grows with what is different.

use tierd_model::{Clock, Type, Value};
use tierd_rules::{Expr, FactsId, MetricId, MetricKind, RuleSet};

use super::{
    build::Builder,
    filter::{Filter, TextTable},
    mask::Range,
    order::Order,
};

/// One pass over one fact table.
#[derive(Debug)]
pub struct FactPlan {
    pub(super) clock: Clock,
    /// Columns of the batch, read and computed.
    pub(super) columns: Vec<PlanColumn>,
    /// How many columns of the facts there are: the scope of expressions.
    pub(super) scope: usize,
    /// The column of the row's time.
    pub(super) time: usize,
    /// Times that the run knows: up to `as_of`.
    pub(super) known: Range,
    pub(super) row_filter: Option<Filter>,
    /// Columns whose bad values count even in rows that the row filter removes, because it reads them.
    pub(super) filter_columns: Vec<usize>,
    pub(super) windows: Vec<Range>,
    pub(super) filters: Vec<Filter>,
    pub(super) tables: Vec<TextTable>,
    pub(super) others: Vec<Expr>,
    pub(super) masks: Vec<MaskPlan>,
    pub(super) ops: Vec<Op>,
    /// 64-bit words per subject.
    pub(super) stride: usize,
    pub(super) metrics: Vec<MetricPlan>,
}

/// A column of the batch.
#[derive(Debug, Clone)]
pub(super) struct PlanColumn {
    pub(super) ty: Type,
    pub(super) origin: Origin,
    /// Texts stay until the end because results name them.
    pub(super) keeps_texts: bool,
}

/// Where a column's values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Index into [`tierd_rules::Facts::columns`].
    Table(usize),
    /// Index into [`FactPlan::others`].
    Computed(usize),
}

/// Rows that count for some accumulator: in the window, with the filter TRUE and the argument not NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MaskPlan {
    pub(super) window: usize,
    pub(super) filter: Option<usize>,
    pub(super) argument: Option<usize>,
}

/// What is accumulated for each subject. Words that were never touched are 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Op {
    pub(super) kind: OpKind,
    /// Index of the mask.
    pub(super) mask: usize,
    /// First word in the subject's row (for [`OpKind::Distinct`] the index of the set).
    pub(super) word: usize,
}

/// Columns are those of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpKind {
    /// One half of a word.
    Count { high: bool },
    /// One word, wrapping.
    Sum { column: usize },
    /// Two words: a wrapping 128-bit sum in fixed point.
    RealSum { column: usize },
    /// One word: the greatest code of [`Order`].
    Extreme { column: usize, order: Order },
    /// Two words: the greatest code of the time, and among equal ones of the value.
    Latest { column: usize, time: Order, value: Order },
    /// The same for text: code of the time, id.
    LatestText { column: usize, time: Order },
    /// A set of (subject, value).
    Distinct { column: usize },
}

impl OpKind {
    pub(super) fn words(self) -> usize {
        match self {
            OpKind::Count { .. } | OpKind::Distinct { .. } => 0,
            OpKind::Sum { .. } | OpKind::Extreme { .. } => 1,
            OpKind::RealSum { .. } | OpKind::Latest { .. } | OpKind::LatestText { .. } => 2,
        }
    }
}

/// How a metric is read off its accumulators. Numbers are indexes of [`FactPlan::ops`].
#[derive(Debug, Clone)]
pub(super) struct MetricPlan {
    pub(super) id: MetricId,
    pub(super) ty: Type,
    /// Column of the batch.
    pub(super) argument: Option<usize>,
    pub(super) empty: Option<Value>,
    /// Multiply by the second and divide by the first (`per`).
    pub(super) per: Option<(i128, i128)>,
    pub(super) finish: Finish,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Finish {
    Count {
        count: usize,
    },
    Distinct {
        set: usize,
    },
    /// Without a count, what nothing was added to is 0, and so is `empty`.
    Sum {
        sum: usize,
        scale: u8,
        count: Option<usize>,
    },
    RealSum {
        sum: usize,
        count: Option<usize>,
    },
    Avg {
        sum: usize,
        scale: u8,
        count: usize,
    },
    RealAvg {
        sum: usize,
        count: usize,
    },
    /// Without a count, no value has code 0.
    Extreme {
        best: usize,
        count: Option<usize>,
    },
    Latest {
        best: usize,
    },
    LatestText {
        best: usize,
    },
    DaysSince {
        best: usize,
    },
}

impl FactPlan {
    /// The pass over these facts that gives every aggregate of them.
    pub fn new(rules: &RuleSet, facts: FactsId, clock: &Clock) -> Self {
        let of_rules = &rules.config.facts[facts.0];
        let aggregates = rules.metrics.iter().enumerate().filter_map(|(id, metric)| match &metric.kind {
            MetricKind::Aggregate(aggregate) if aggregate.facts == facts => Some((MetricId(id), metric.ty, aggregate)),
            _ => None,
        });
        let mut builder = Builder::new(of_rules, clock);
        for (id, ty, aggregate) in aggregates {
            builder.metric(id, ty, aggregate);
        }
        builder.finish()
    }

    /// What the pass reads: columns of the batch, each with the column of the table (an index into
    /// [`tierd_rules::Facts::columns`]) that fills it. The batch's other columns are computed from these.
    pub fn columns(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.columns.iter().enumerate().filter_map(|(column, of_plan)| match of_plan.origin {
            Origin::Table(of_facts) => Some((column, of_facts)),
            Origin::Computed(_) => None,
        })
    }

    /// The metrics of which a column of the batch is the argument.
    pub fn metrics_of(&self, column: usize) -> impl Iterator<Item = MetricId> + '_ {
        self.metrics.iter().filter(move |metric| metric.argument == Some(column)).map(|metric| metric.id)
    }
}
