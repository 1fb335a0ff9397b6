//! From rules to a plan: what aggregates have in common is asked for once.

use std::mem::discriminant;

use arrow_array::ArrayRef;
use tierd_model::{Clock, Instants, Timestamp, Type, Value, Window, WindowKind, pow10};
use tierd_rules::{
    Aggregate, AggregateFn, Booking, Expr, ExprKind, Facts, Metric, MetricId, PointsId, PointsProgram,
    plugin::{PluginCall, PluginFacts},
};

use super::{
    bookings::BookingPlan,
    filter::{Filter, Needs},
    gathered::GatherPlan,
    order::Order,
    own_window::OwnWindow,
    plan::{FactPlan, Finish, MaskPlan, MetricPlan, Op, OpKind, PlanColumn, WindowPlan},
    times::{known_times, time_range},
};

/// A plan in the making.
pub(super) struct Builder<'a> {
    needs: Needs<'a>,
    time: usize,
    time_type: Type,
    row_filter: Option<Filter>,
    filter_columns: Vec<usize>,
    windows: Vec<WindowPlan>,
    own_windows: Vec<OwnWindow>,
    /// By metric, the dates that subjects' own windows begin at.
    anchors: &'a [Option<ArrayRef>],
    filters: Vec<Filter>,
    kept_texts: Vec<usize>,
    masks: Vec<MaskPlan>,
    ops: Vec<Op>,
    metrics: Vec<MetricPlan>,
    bookings: Vec<BookingPlan>,
    gathers: Vec<GatherPlan>,
    asked_times: Option<usize>,
    arguments: Vec<(usize, String)>,
}

/// What an aggregate is over.
#[derive(Debug, Clone, Copy)]
struct Argument {
    /// Column of the batch.
    column: usize,
    ty: Type,
}

impl<'a> Builder<'a> {
    pub(super) fn new(facts: &'a Facts, clock: &'a Clock, anchors: &'a [Option<ArrayRef>]) -> Self {
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
            own_windows: Vec::new(),
            anchors,
            filters: Vec::new(),
            kept_texts: Vec::new(),
            masks: Vec::new(),
            ops: Vec::new(),
            metrics: Vec::new(),
            bookings: Vec::new(),
            gathers: Vec::new(),
            asked_times: None,
            arguments: Vec::new(),
        }
    }

    pub(super) fn metric(&mut self, id: MetricId, metric: &Metric, aggregate: &Aggregate) {
        let window = self.window(aggregate.window);
        let own_window = match self.windows[window] {
            WindowPlan::Own(own) => Some(own),
            WindowPlan::Common(_) => None,
        };
        let filter = self.filter(aggregate.filter.as_ref());
        let argument = aggregate.argument.as_ref().map(|expr| self.argument(&metric.name, expr));
        let column = argument.map(|argument| argument.column);
        let mask = push_unique(&mut self.masks, MaskPlan { window, filter, argument: column });
        let finish = self.finish_of(aggregate, argument, mask);
        let per = aggregate.per.and_then(|per| aggregate.window.units(per));
        self.metrics.push(MetricPlan { id, ty: metric.ty, empty: aggregate.empty.clone(), own_window, per, finish });
    }

    /// Reads what an aggregate of an earlier reading is over, for the sake of the counts.
    pub(super) fn also_read(&mut self, name: &str, aggregate: &Aggregate) {
        self.read_filter(aggregate.filter.as_ref());
        if let Some(expr) = &aggregate.argument {
            self.argument(name, expr);
        }
    }

    /// The facts that a plugin is given.
    pub(super) fn gather(&mut self, id: MetricId, metric: &Metric, call: &PluginCall, of: &PluginFacts) {
        let window = self.window(of.window);
        let filter = self.filter(of.filter.as_ref());
        let mask = push_unique(&mut self.masks, MaskPlan { window, filter, argument: None });
        let arguments: Vec<Argument> = call.inputs.iter().map(|input| self.argument(&metric.name, input)).collect();
        for text in arguments.iter().filter(|argument| argument.ty == Type::Text) {
            push_unique(&mut self.kept_texts, text.column);
        }
        let inputs: Vec<usize> = arguments.iter().map(|argument| argument.column).collect();
        let required = call.required.iter().map(|&input| inputs[input]).collect();
        self.gathers.push(GatherPlan { metric: id, mask, inputs, required });
    }

    /// As [`Builder::also_read`].
    pub(super) fn also_gathered(&mut self, name: &str, call: &PluginCall, of: &PluginFacts) {
        self.read_filter(of.filter.as_ref());
        call.inputs.iter().for_each(|input| _ = self.argument(name, input));
    }

    /// What facts book.
    pub(super) fn booking(&mut self, id: PointsId, program: &PointsProgram, index: u16, booking: &Booking) {
        let window = self.window(Window { kind: WindowKind::Lifetime, offset: 0 });
        let filter = self.filter(booking.filter.as_ref());
        let Argument { column, ty } = self.points(program, booking);
        let mask = push_unique(&mut self.masks, MaskPlan { window, filter, argument: Some(column) });
        let digits = ty.scale().unwrap_or(0) - program.digits;
        let units = i64::try_from(pow10(digits)).ok();
        self.bookings.push(BookingPlan { program: id, booking: index, mask, column, units });
    }

    /// Asks for the times of facts after an instant and up to `as_of`.
    pub(super) fn times(&mut self, filter: Option<&Expr>, after: Timestamp) {
        let next = |at: Timestamp| Timestamp(at.0.saturating_add(1));
        let instants = Instants { start: next(after), end: next(self.needs.clock.as_of()) };
        let times = WindowPlan::Common(time_range(self.time_type, instants, self.needs.clock.zone()));
        let window = push_unique(&mut self.windows, times);
        let filter = self.filter(filter);
        self.asked_times = Some(push_unique(&mut self.masks, MaskPlan { window, filter, argument: None }));
    }

    /// As [`Builder::also_read`].
    pub(super) fn also_booked(&mut self, program: &PointsProgram, booking: &Booking) {
        self.read_filter(booking.filter.as_ref());
        self.points(program, booking);
    }

    /// The points of a booking, with as many digits as the program has at least.
    fn points(&mut self, program: &PointsProgram, booking: &Booking) -> Argument {
        let name = format!("points.{}", program.name);
        let points = &booking.points;
        if points.ty.scale().is_some_and(|scale| scale >= program.digits) {
            return self.argument(&name, points);
        }
        let kind = ExprKind::Cast(Box::new(points.clone()));
        self.argument(&name, &Expr { kind, ty: program.ty(), at: points.at.clone() })
    }

    fn read_filter(&mut self, filter: Option<&Expr>) {
        for column in filter.into_iter().flat_map(Expr::columns) {
            self.needs.column(column);
        }
    }

    fn argument(&mut self, name: &str, expr: &Expr) -> Argument {
        let column = self.argument_column(expr);
        push_unique(&mut self.arguments, (column, name.to_owned()));
        Argument { column, ty: expr.ty }
    }

    fn filter(&mut self, filter: Option<&Expr>) -> Option<usize> {
        let filter = self.needs.filter(filter?);
        Some(push_unique(&mut self.filters, filter))
    }

    fn window(&mut self, window: Window) -> usize {
        let times = match window.anchor() {
            Some(metric) => WindowPlan::Own(self.own_window(window, metric)),
            None => {
                let instants = window.resolve(self.needs.clock);
                WindowPlan::Common(time_range(self.time_type, instants, self.needs.clock.zone()))
            }
        };
        push_unique(&mut self.windows, times)
    }

    fn own_window(&mut self, window: Window, metric: usize) -> usize {
        self.own_windows.iter().position(|own| own.window == window).unwrap_or_else(|| {
            #[expect(clippy::expect_used, reason = "`anchors` of the plan finds the date of every window")]
            let anchors = self.anchors[metric].as_ref().expect("the date that a window begins at");
            self.own_windows.push(OwnWindow::new(window, anchors, self.time_type, self.needs.clock));
            self.own_windows.len() - 1
        })
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
            AggregateFn::Last => self.latest(argument, Order::largest, mask),
            AggregateFn::MeanGap | AggregateFn::MedianGap => Finish::Gaps {
                days: self.op(OpKind::Days { column: argument.column }, mask),
                median: aggregate.function == AggregateFn::MedianGap,
            },
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
            let same_kind = |op: &&Op| discriminant(&op.kind) == discriminant(&kind);
            let word = match kind {
                OpKind::Distinct { .. } | OpKind::Days { .. } => self.ops.iter().filter(same_kind).count(),
                _ => self.words(),
            };
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
            own_windows: self.own_windows,
            filters: self.filters,
            masks: self.masks,
            tables: self.needs.tables,
            others: self.needs.others,
            ops: self.ops,
            stride: words + usize::div_ceil(counts, 2),
            metrics: self.metrics,
            bookings: self.bookings,
            gathers: self.gathers,
            asked_times: self.asked_times,
            arguments: self.arguments,
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
