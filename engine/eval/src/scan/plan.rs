//! Which columns, windows, filters and accumulators the aggregates over one fact table need: each of them once.
//!
//! A plan is made once per run and shared by all scanning threads. Metrics that have a window, a filter or a sum in common
//! share it, so that the work of a row grows with what is different.

use arrow_array::ArrayRef;
use tierd_model::{Clock, Timestamp, Type, Value};
use tierd_rules::{Expr, Facts, MetricId, RuleSet};

use super::{
    bookings::BookingPlan,
    build::Builder,
    filter::{Filter, TextTable},
    gathered::GatherPlan,
    mask::Range,
    order::Order,
    own_window::OwnWindow,
    readings::{Reading, bookings},
};
use crate::derive::partial;

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
    pub(super) windows: Vec<WindowPlan>,
    pub(super) own_windows: Vec<OwnWindow>,
    pub(super) filters: Vec<Filter>,
    pub(super) tables: Vec<TextTable>,
    pub(super) others: Vec<Expr>,
    pub(super) masks: Vec<MaskPlan>,
    pub(super) ops: Vec<Op>,
    /// 64-bit words per subject.
    pub(super) stride: usize,
    pub(super) metrics: Vec<MetricPlan>,
    pub(super) bookings: Vec<BookingPlan>,
    pub(super) gathers: Vec<GatherPlan>,
    /// Index of the mask of the rows whose times are asked for.
    pub(super) asked_times: Option<usize>,
    /// Columns of the batch that are arguments, each with the name of the metric or points program.
    pub(super) arguments: Vec<(usize, String)>,
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

/// The times of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WindowPlan {
    /// The same for all subjects.
    Common(Range),
    /// Index into [`FactPlan::own_windows`].
    Own(usize),
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
    /// First word in the subject's row (for [`OpKind::Distinct`] and [`OpKind::Days`] the index of the set).
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
    /// A set of (subject, day).
    Days { column: usize },
}

impl OpKind {
    pub(super) fn words(self) -> usize {
        match self {
            OpKind::Count { .. } | OpKind::Distinct { .. } | OpKind::Days { .. } => 0,
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
    pub(super) empty: Option<Value>,
    /// Index of the subjects' own window: without the date that it begins at, the metric is NULL.
    pub(super) own_window: Option<usize>,
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
    Gaps {
        days: usize,
        median: bool,
    },
}

impl FactPlan {
    /// The plan of one reading. `columns` has, by [`MetricId`], the attributes of `subjects` subjects and the aggregates of
    /// earlier passes: the subjects' own windows begin at dates found from them.
    ///
    /// Its columns are also those of earlier readings of the table, so that its counts of rows and bad values speak for all of
    /// them.
    ///
    /// # Panics
    /// If a column that a window begins at is absent or has another length.
    pub fn new(
        rules: &RuleSet,
        reading: Reading,
        clock: &Clock,
        columns: &[Option<ArrayRef>],
        subjects: usize,
    ) -> Self {
        let anchors = anchors(rules, reading, clock, columns, subjects);
        let mut builder = Builder::new(&rules.config.facts[reading.facts.0], clock, &anchors);
        for (id, aggregate) in reading.metrics(rules) {
            builder.metric(id, &rules.metrics[id.0], aggregate);
        }
        for (id, call, facts) in reading.gathers(rules) {
            builder.gather(id, &rules.metrics[id.0], call, facts);
        }
        for (id, aggregate) in reading.earlier(rules) {
            builder.also_read(&rules.metrics[id.0].name, aggregate);
        }
        for (id, call, facts) in reading.gathers_earlier(rules) {
            builder.also_gathered(&rules.metrics[id.0].name, call, facts);
        }
        for (id, program, index, booking) in bookings(rules, reading.facts) {
            if reading.is_first(rules) {
                builder.booking(id, program, index, booking);
            } else {
                builder.also_booked(program, booking);
            }
        }
        builder.finish()
    }

    /// The plan of a reading that asks for no metric, but for the time of each fact for which `filter` (over its columns) is
    /// TRUE, after an instant and up to `as_of`. Where the time is a date, it counts as its local midnight.
    pub fn of_times(facts: &Facts, filter: Option<&Expr>, after: Timestamp, clock: &Clock) -> Self {
        let mut builder = Builder::new(facts, clock, &[]);
        builder.times(filter, after);
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

    /// The names of the metrics (`spend`) and points programs (`points.club`) that a column of the batch is added up for.
    pub fn names_of(&self, column: usize) -> impl Iterator<Item = &str> {
        self.arguments.iter().filter(move |(argument, _)| *argument == column).map(|(_, name)| name.as_str())
    }
}

/// The columns, with the dates that windows of this reading begin at.
fn anchors(
    rules: &RuleSet,
    reading: Reading,
    clock: &Clock,
    columns: &[Option<ArrayRef>],
    subjects: usize,
) -> Vec<Option<ArrayRef>> {
    let aggregates = reading.metrics(rules).map(|(_, aggregate)| aggregate.window);
    let windows = aggregates.chain(reading.gathers(rules).map(|(.., facts)| facts.window));
    let wanted: Vec<MetricId> = windows.filter_map(|window| window.anchor()).map(MetricId).collect();
    if wanted.is_empty() { Vec::new() } else { partial(rules, &wanted, columns, subjects, clock) }
}
