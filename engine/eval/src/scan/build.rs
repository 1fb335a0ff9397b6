//! From rules to a plan: what aggregates have in common is asked for once.

use tierd_model::{Clock, Type, Value};
use tierd_rules::{Aggregate, AggregateFn, Expr, ExprKind, Facts, MetricId};

use super::{
    filter::{Filter, Needs},
    mask::Range,
    order::Order,
    plan::{FactPlan, Finish, MaskPlan, MetricPlan, Op, OpKind, PlanColumn},
    times::{known_times, time_range},
};

/// A plan in the making.
pub(super) struct Builder<'a> {
    needs: Needs<'a>,
    time: usize,
    time_type: Type,
    row_filter: Option<Filter>,
    filter_columns: Vec<usize>,
    windows: Vec<Range>,
    filters: Vec<Filter>,
    kept_texts: Vec<usize>,
    masks: Vec<MaskPlan>,
    ops: Vec<Op>,
    metrics: Vec<MetricPlan>,
}

/// What an aggregate is over.
#[derive(Debug, Clone, Copy)]
struct Argument {
    /// Column of the batch.
    column: usize,
    ty: Type,
}

impl<'a> Builder<'a> {
    pub(super) fn new(facts: &'a Facts, clock: &'a Clock) -> Self {
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
            kept_texts: Vec::new(),
            masks: Vec::new(),
            ops: Vec::new(),
            metrics: Vec::new(),
        }
    }

    pub(super) fn metric(&mut self, id: MetricId, ty: Type, aggregate: &Aggregate) {
        let instants = aggregate.window.resolve(self.needs.clock);
        let window = push_unique(&mut self.windows, time_range(self.time_type, instants, self.needs.clock.zone()));
        let filter = aggregate.filter.as_ref().map(|filter| self.needs.filter(filter));
        let filter = filter.map(|filter| push_unique(&mut self.filters, filter));
        let argument =
            aggregate.argument.as_ref().map(|expr| Argument { column: self.argument_column(expr), ty: expr.ty });
        let column = argument.map(|argument| argument.column);
        let mask = push_unique(&mut self.masks, MaskPlan { window, filter, argument: column });
        let finish = self.finish_of(aggregate, argument, mask);
        let per = aggregate.per.and_then(|per| aggregate.window.units(per));
        self.metrics.push(MetricPlan { id, ty, argument: column, empty: aggregate.empty.clone(), per, finish });
    }

    fn argument_column(&mut self, argument: &Expr) -> usize {
        match argument.kind {
            ExprKind::Column(column) => self.needs.column(column),
            _ => self.needs.computed(argument),
        }
    }

    fn finish_of(&mut self, aggregate: &Aggregate, argument: Option<Argument>, mask: usize) -> Finish {
        let Some(argument) = argument else {
            return Finish::Count { count: self.count(mask) };
        };
        match aggregate.function {
            AggregateFn::Count => Finish::Count { count: self.count(mask) },
            AggregateFn::CountDistinct => {
                push_unique(&mut self.kept_texts, argument.column);
                Finish::Distinct { set: self.op(OpKind::Distinct { column: argument.column }, mask) }
            }
            AggregateFn::Sum => {
                let empty_is_zero = aggregate.empty.as_ref().is_some_and(is_zero);
                let count = (!empty_is_zero).then(|| self.count(mask));
                self.sum(argument, count, mask)
            }
            AggregateFn::Avg => {
                let count = self.count(mask);
                match self.sum(argument, None, mask) {
                    Finish::Sum { sum, scale, .. } => Finish::Avg { sum, scale, count },
                    Finish::RealSum { sum, .. } => Finish::RealAvg { sum, count },
                    other => other,
                }
            }
            AggregateFn::Min => self.extreme(argument, Order::smallest(argument.ty), mask),
            AggregateFn::Max => self.extreme(argument, Order::largest(argument.ty), mask),
            AggregateFn::DaysSince => {
                let order = Order::largest(argument.ty);
                Finish::DaysSince { best: self.op(OpKind::Extreme { column: argument.column, order }, mask) }
            }
            AggregateFn::First => self.latest(argument, Order::smallest, mask),
            AggregateFn::MeanGap | AggregateFn::MedianGap => unreachable!("no rule can write it yet"),
            AggregateFn::Last => self.latest(argument, Order::largest, mask),
        }
    }

    fn sum(&mut self, Argument { column, ty }: Argument, count: Option<usize>, mask: usize) -> Finish {
        match ty.scale() {
            Some(scale) => Finish::Sum { sum: self.op(OpKind::Sum { column }, mask), scale, count },
            None => Finish::RealSum { sum: self.op(OpKind::RealSum { column }, mask), count },
        }
    }

    fn extreme(&mut self, Argument { column, .. }: Argument, order: Order, mask: usize) -> Finish {
        let count = order.may_be_zero().then(|| self.count(mask));
        Finish::Extreme { best: self.op(OpKind::Extreme { column, order }, mask), count }
    }

    fn latest(&mut self, Argument { column, ty }: Argument, order: fn(Type) -> Order, mask: usize) -> Finish {
        let time = order(self.time_type);
        if ty == Type::Text {
            push_unique(&mut self.kept_texts, column);
            return Finish::LatestText { best: self.op(OpKind::LatestText { column, time }, mask) };
        }
        Finish::Latest { best: self.op(OpKind::Latest { column, time, value: order(ty) }, mask) }
    }

    fn count(&mut self, mask: usize) -> usize {
        let is_this = |op: &Op| matches!(op.kind, OpKind::Count { .. }) && op.mask == mask;
        self.ops.iter().position(is_this).unwrap_or_else(|| {
            let counts = self.ops.iter().filter(|op| matches!(op.kind, OpKind::Count { .. })).count();
            // Two share a word. Counts come after all other words: `finish` moves them there.
            self.ops.push(Op { kind: OpKind::Count { high: counts % 2 == 1 }, mask, word: counts / 2 });
            self.ops.len() - 1
        })
    }

    fn op(&mut self, kind: OpKind, mask: usize) -> usize {
        self.ops.iter().position(|op| op.kind == kind && op.mask == mask).unwrap_or_else(|| {
            let sets = self.ops.iter().filter(|op| matches!(op.kind, OpKind::Distinct { .. })).count();
            let word = if matches!(kind, OpKind::Distinct { .. }) { sets } else { self.words() };
            self.ops.push(Op { kind, mask, word });
            self.ops.len() - 1
        })
    }

    /// Words of a subject before its counts.
    fn words(&self) -> usize {
        self.ops.iter().map(|op| op.kind.words()).sum()
    }

    pub(super) fn finish(mut self) -> FactPlan {
        let words = self.words();
        let mut counts = 0;
        for op in self.ops.iter_mut().filter(|op| matches!(op.kind, OpKind::Count { .. })) {
            op.word += words;
            counts += 1;
        }
        let columns = self.needs.columns.iter().enumerate().map(|(column, &origin)| PlanColumn {
            ty: self.needs.type_of(origin),
            origin,
            keeps_texts: self.kept_texts.contains(&column),
        });
        FactPlan {
            clock: self.needs.clock.clone(),
            columns: columns.collect(),
            scope: self.needs.facts.columns.len(),
            time: self.time,
            known: known_times(self.time_type, self.needs.clock),
            row_filter: self.row_filter,
            filter_columns: self.filter_columns,
            windows: self.windows,
            filters: self.filters,
            masks: self.masks,
            tables: self.needs.tables,
            others: self.needs.others,
            ops: self.ops,
            stride: words + usize::div_ceil(counts, 2),
            metrics: self.metrics,
        }
    }
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
