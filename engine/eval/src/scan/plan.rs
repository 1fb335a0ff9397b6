//! Which columns, windows, filters and accumulators the aggregates over one fact table need: each of them once.
//!
//! A plan is made once per run and shared by all scanning threads. Metrics that have a window, a filter or a sum in common
//! share it, so that the work of a row grows with what is different.

use tierd_model::{Clock, Date, Instants, Timestamp, Type, Value, Zone};
use tierd_rules::{Aggregate, AggregateFn, Expr, ExprKind, Facts, FactsId, MetricId, MetricKind, RuleSet};

use super::{
    filter::{Filter, Needs, TextTable},
    mask::Range,
    order::Order,
};

/// One pass over one fact table.
#[derive(Debug)]
pub struct FactPlan {
    pub(super) clock: Clock,
    /// Columns of the batch: first those that are read, then those that are computed.
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
    /// Index into [`Facts::columns`].
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
    fn words(self) -> usize {
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

    /// Columns of the table that the pass reads, as indexes into [`Facts::columns`]: those of the batch, in its order.
    pub fn columns(&self) -> impl Iterator<Item = usize> + '_ {
        self.columns.iter().filter_map(|column| match column.origin {
            Origin::Table(index) => Some(index),
            Origin::Computed(_) => None,
        })
    }

    /// Whether any metric needs the table at all.
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }
}

struct Builder<'a> {
    needs: Needs<'a>,
    time: usize,
    time_type: Type,
    row_filter: Option<Filter>,
    filter_columns: Vec<usize>,
    windows: Vec<Range>,
    filters: Vec<Filter>,
    computed: Vec<(usize, Type)>,
    kept_texts: Vec<Source>,
    masks: Vec<(usize, Option<usize>, Option<Source>)>,
    ops: Vec<(WantedOp, usize)>,
    metrics: Vec<MetricPlan>,
}

/// A column of the batch before it is known how many are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Read(usize),
    Computed(usize),
}

/// An [`OpKind`] over sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WantedOp {
    Count,
    Sum(Source),
    RealSum(Source),
    Extreme(Source, Order),
    Latest(Source, Order, Order),
    LatestText(Source, Order),
    Distinct(Source),
}

impl<'a> Builder<'a> {
    fn new(facts: &'a Facts, clock: &'a Clock) -> Self {
        let mut needs = Needs::new(facts, clock);
        let time = needs.column(facts.time);
        let row_filter = facts.filter.as_ref().map(|filter| needs.filter(filter));
        let filter_columns = facts.filter.as_ref().map_or(Vec::new(), Expr::columns);
        let filter_columns = filter_columns.into_iter().map(|column| needs.column(column)).collect();
        Builder {
            needs,
            time,
            time_type: facts.columns[facts.time].ty,
            row_filter,
            filter_columns,
            windows: Vec::new(),
            filters: Vec::new(),
            computed: Vec::new(),
            kept_texts: Vec::new(),
            masks: Vec::new(),
            ops: Vec::new(),
            metrics: Vec::new(),
        }
    }

    fn metric(&mut self, id: MetricId, ty: Type, aggregate: &Aggregate) {
        let instants = aggregate.window.resolve(self.needs.clock);
        let window = push_unique(&mut self.windows, time_range(self.time_type, instants, self.needs.clock.zone()));
        let filter = aggregate.filter.as_ref().map(|filter| self.needs.filter(filter));
        let filter = filter.map(|filter| push_unique(&mut self.filters, filter));
        let argument = aggregate.argument.as_ref().map(|argument| (self.source(argument), argument.ty));
        let mask = push_unique(&mut self.masks, (window, filter, argument.map(|(source, _)| source)));
        let finish = self.finish_of(aggregate, argument, mask);
        let per = aggregate.per.and_then(|per| aggregate.window.units(per));
        self.metrics.push(MetricPlan { id, ty, empty: aggregate.empty.clone(), per, finish });
    }

    fn source(&mut self, argument: &Expr) -> Source {
        if let ExprKind::Column(column) = argument.kind {
            return Source::Read(self.needs.column(column));
        }
        let other = self.needs.other_index(argument);
        Source::Computed(push_unique(&mut self.computed, (other, argument.ty)))
    }

    fn finish_of(&mut self, aggregate: &Aggregate, argument: Option<(Source, Type)>, mask: usize) -> Finish {
        let Some((source, ty)) = argument else {
            return Finish::Count { count: self.op(WantedOp::Count, mask) };
        };
        let empty_is_zero = aggregate.empty.as_ref().is_some_and(is_zero);
        let scale = ty.scale().unwrap_or(0);
        match aggregate.function {
            AggregateFn::Count => Finish::Count { count: self.op(WantedOp::Count, mask) },
            AggregateFn::CountDistinct => Finish::Distinct { set: self.op(WantedOp::Distinct(source), mask) },
            AggregateFn::Sum => {
                let count = (!empty_is_zero).then(|| self.op(WantedOp::Count, mask));
                match ty {
                    Type::Real => Finish::RealSum { sum: self.op(WantedOp::RealSum(source), mask), count },
                    _ => Finish::Sum { sum: self.op(WantedOp::Sum(source), mask), scale, count },
                }
            }
            AggregateFn::Avg => {
                let count = self.op(WantedOp::Count, mask);
                match ty {
                    Type::Real => Finish::RealAvg { sum: self.op(WantedOp::RealSum(source), mask), count },
                    _ => Finish::Avg { sum: self.op(WantedOp::Sum(source), mask), scale, count },
                }
            }
            AggregateFn::Min => self.extreme(source, Order::smallest(ty), mask),
            AggregateFn::Max => self.extreme(source, Order::largest(ty), mask),
            AggregateFn::DaysSince => {
                Finish::DaysSince { best: self.op(WantedOp::Extreme(source, Order::largest(ty)), mask) }
            }
            AggregateFn::First => self.latest(source, ty, Order::smallest, mask),
            AggregateFn::Last => self.latest(source, ty, Order::largest, mask),
        }
    }

    fn extreme(&mut self, source: Source, order: Order, mask: usize) -> Finish {
        let count = order.may_be_zero().then(|| self.op(WantedOp::Count, mask));
        Finish::Extreme { best: self.op(WantedOp::Extreme(source, order), mask), count }
    }

    fn latest(&mut self, source: Source, ty: Type, order: fn(Type) -> Order, mask: usize) -> Finish {
        let time = order(self.time_type);
        if ty == Type::Text {
            self.keep_texts(source);
            return Finish::LatestText { best: self.op(WantedOp::LatestText(source, time), mask) };
        }
        Finish::Latest { best: self.op(WantedOp::Latest(source, time, order(ty)), mask) }
    }

    fn keep_texts(&mut self, source: Source) {
        push_unique(&mut self.kept_texts, source);
    }

    fn op(&mut self, op: WantedOp, mask: usize) -> usize {
        if let WantedOp::Distinct(source) = op {
            self.keep_texts(source);
        }
        push_unique(&mut self.ops, (op, mask))
    }

    fn finish(self) -> FactPlan {
        let read = self.needs.columns.len();
        let column = |source| match source {
            Source::Read(column) => column,
            Source::Computed(column) => read + column,
        };
        let kept: Vec<usize> = self.kept_texts.iter().map(|&source| column(source)).collect();
        let tables = self.needs.columns.iter().map(|&c| (self.needs.facts.columns[c].ty, Origin::Table(c)));
        let computed = self.computed.iter().map(|&(other, ty)| (ty, Origin::Computed(other)));
        let columns = tables
            .chain(computed)
            .enumerate()
            .map(|(i, (ty, origin))| PlanColumn { ty, origin, keeps_texts: kept.contains(&i) })
            .collect();
        let masks = self.masks.iter().map(|&(window, filter, argument)| MaskPlan {
            window,
            filter,
            argument: argument.map(column),
        });
        let (ops, stride) = lay_out(&self.ops, column);
        FactPlan {
            clock: self.needs.clock.clone(),
            columns,
            scope: self.needs.facts.columns.len(),
            time: self.time,
            known: known_times(self.time_type, self.needs.clock),
            row_filter: self.row_filter,
            filter_columns: self.filter_columns,
            windows: self.windows,
            filters: self.filters,
            masks: masks.collect(),
            tables: self.needs.tables,
            others: self.needs.others,
            ops,
            stride,
            metrics: self.metrics,
        }
    }
}

/// Gives every accumulator its words; two counts share one.
fn lay_out(wanted: &[(WantedOp, usize)], column: impl Fn(Source) -> usize) -> (Vec<Op>, usize) {
    let (mut words, mut halves, mut sets) = (0, 0, 0);
    let mut ops: Vec<Op> = Vec::new();
    for &(op, mask) in wanted {
        let kind = match op {
            WantedOp::Count => OpKind::Count { high: halves % 2 == 1 },
            WantedOp::Sum(s) => OpKind::Sum { column: column(s) },
            WantedOp::RealSum(s) => OpKind::RealSum { column: column(s) },
            WantedOp::Extreme(s, order) => OpKind::Extreme { column: column(s), order },
            WantedOp::Latest(s, time, value) => OpKind::Latest { column: column(s), time, value },
            WantedOp::LatestText(s, time) => OpKind::LatestText { column: column(s), time },
            WantedOp::Distinct(s) => OpKind::Distinct { column: column(s) },
        };
        let word = match kind {
            OpKind::Count { .. } => halves / 2,
            OpKind::Distinct { .. } => sets,
            _ => words,
        };
        halves += usize::from(matches!(kind, OpKind::Count { .. }));
        sets += usize::from(matches!(kind, OpKind::Distinct { .. }));
        words += kind.words();
        ops.push(Op { kind, mask, word });
    }
    // Counts come after all other words.
    for op in ops.iter_mut().filter(|op| matches!(op.kind, OpKind::Count { .. })) {
        op.word += words;
    }
    (ops, words + halves.div_ceil(2))
}

fn push_unique<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Real(real) => *real == 0.0,
        value => value.as_decimal().is_some_and(|decimal| decimal.units == 0),
    }
}

/// The stored times of a window.
fn time_range(ty: Type, window: Instants, zone: &Zone) -> Range {
    let bound = |at: Timestamp| if ty == Type::Date { first_day_from(at, zone) } else { i128::from(at.0) };
    Range::clamped(bound(window.start), bound(window.end) - 1)
}

/// The stored times up to and including `as_of`.
fn known_times(ty: Type, clock: &Clock) -> Range {
    let end = Timestamp(clock.as_of().0.saturating_add(1));
    time_range(ty, Instants { start: Timestamp(i64::MIN), end }, clock.zone())
}

/// The first day that begins at this instant or later.
fn first_day_from(at: Timestamp, zone: &Zone) -> i128 {
    if at.0 == i64::MIN {
        return i128::from(i32::MIN);
    }
    let mut day = zone.date_of(at);
    while zone.midnight(day) < at {
        day = Date(day.0 + 1);
    }
    while zone.midnight(Date(day.0 - 1)) >= at {
        day = Date(day.0 - 1);
    }
    i128::from(day.0)
}
