//! Fact tables: decoded once, then aggregated by one GROUP BY in each step for all metrics and windows together.

use tierd_model::{Instants, Type, Value, Window, pow10};
use tierd_rules::{Aggregate, AggregateFn, Expr, Facts, FactsId, MetricId, MetricKind, SubjectId};

use super::{
    decode::{decode, key},
    expr::{Scope, call, date_literal, days_between, divide, joined, times, value},
    gaps,
    grouped::{Grouped, counts, filter, or_empty, some_rows},
    metric::{Step, filtered},
    own_window::OwnWindows,
    plan::Plan,
    points::{Part, cut, parts},
    select, table,
    text::{Binds, Names, Sql, infix, name},
    zone::{Reach, date_of, first_day_from, midnight},
};

/// A fact table in a query.
pub(super) struct FactsSql<'a> {
    plan: &'a Plan<'a>,
    id: FactsId,
    facts: &'a Facts,
    /// Quoted name of the decoded rows.
    rows: String,
    /// The names of their columns.
    names: Names,
    /// These columns.
    scope: Scope<'a>,
    /// Quoted name of the decoded subject column.
    subject: String,
}

/// Where a step's metrics find their rows.
struct Source<'s> {
    /// What stands after FROM.
    from: String,
    /// Windows of subjects' own, and the column with the instant of each row.
    own: Option<(&'s OwnWindows, String)>,
}

impl<'a> FactsSql<'a> {
    /// The tables that metrics of these subjects need.
    pub(super) fn of(plan: &'a Plan<'a>, subject: SubjectId, names: &mut Names) -> Vec<Self> {
        let facts = plan.rules.config.facts.iter().enumerate().filter(|(_, facts)| facts.subject == subject);
        let ids =
            facts.map(|(id, _)| FactsId(id)).filter(|id| aggregates(plan, *id).next().is_some() || books(plan, *id));
        ids.map(|id| FactsSql::new(plan, id, names)).collect()
    }

    fn new(plan: &'a Plan<'a>, id: FactsId, names: &mut Names) -> Self {
        let facts = &plan.rules.config.facts[id.0];
        let windows =
            aggregates(plan, id).map(|(_, a)| a.window).chain(booked(plan, id).into_iter().map(|part| part.window));
        let reach = Reach::of(windows.map(|window| window.resolve(plan.clock)));
        let mut columns = Names::default();
        let subject = name(&columns.take(&plan.rules.config.subjects[facts.subject.0].name));
        let scope = Scope {
            clock: plan.clock,
            columns: facts.columns.iter().map(|c| name(&columns.take(&c.name))).collect(),
            time: Some((facts.time, reach)),
        };
        FactsSql { rows: name(&names.take(&facts.name)), plan, id, facts, names: columns, scope, subject }
    }

    /// The queries of its rows.
    pub(super) fn rows(&self, names: &mut Names) -> Vec<super::Cte> {
        let filter = self.facts.filter.as_ref().map(|filter| self.scope.lower(filter));
        filtered(&self.rows, &self.facts.name, self.decoded(), filter, names)
    }

    /// The columns that metrics read, typed.
    fn decoded(&self) -> String {
        let facts = self.facts;
        let (zone, time) = (self.plan.clock.zone(), facts.time);
        let reach = |column| if column == time { self.reach() } else { Reach::ALL };
        let key_type = self.plan.rules.config.subjects[facts.subject.0].key_type;
        let mut columns = vec![(key(&facts.subject_column, key_type).bare().to_owned(), self.subject.clone())];
        for column in self.used() {
            let text = decode(&facts.columns[column], zone, reach(column));
            columns.push((text.bare().to_owned(), self.scope.columns[column].clone()));
        }
        select(&columns, &format!("FROM {}", table(&facts.table)))
    }

    /// The times of rows that can matter.
    fn reach(&self) -> Reach {
        self.scope.time.map_or(Reach::ALL, |(_, reach)| reach)
    }

    /// Columns that the filter, the windows and the metrics read.
    fn used(&self) -> Vec<usize> {
        let metrics = aggregates(self.plan, self.id).flat_map(|(_, a)| a.argument.iter().chain(&a.filter));
        let booked = booked(self.plan, self.id);
        let bookings = booked.iter().flat_map(|part| part.booking.filter.iter().chain([&part.booking.points]));
        let mut used: Vec<usize> = metrics.chain(&self.facts.filter).chain(bookings).flat_map(Expr::columns).collect();
        used.push(self.facts.time);
        used.sort_unstable();
        used.dedup();
        used
    }

    /// The metrics of a step that are found from these facts.
    pub(super) fn step(&self, step: &mut Step<'_>) {
        let of_facts: Vec<(MetricId, &Aggregate)> =
            aggregates(self.plan, self.id).filter(|(id, _)| step.own.contains(id)).collect();
        let parts = parts(self.plan, step.own, self.id);
        let windows = self.own_windows(&of_facts, step);
        let source = self.source(windows.as_ref(), step);
        let (ordered, unordered): (Vec<_>, Vec<_>) = of_facts.into_iter().partition(|(_, a)| is_ordered(a.function));
        let (between, grouped): (Vec<_>, Vec<_>) = unordered.into_iter().partition(|(_, a)| is_gap(a.function));
        if !grouped.is_empty() || !parts.is_empty() {
            self.group(&grouped, &parts, &source, step);
        }
        for (id, aggregate) in ordered {
            let cte = step.query(&format!("{}_rows", self.name_of(id)), self.first(id, aggregate, &source));
            step.join(&cte, "key", &format!(" AND {cte}.nth = 1"));
            self.finish(id, aggregate, Sql::whole(format!("{cte}.{}", self.plan.columns[id.0])), step);
        }
        for (id, aggregate) in between {
            let days = step.query(&format!("{}_days", self.name_of(id)), self.days(aggregate, &source));
            let median = aggregate.function == AggregateFn::MedianGap;
            let column = &self.plan.columns[id.0];
            let cte = gaps::between(&days, median, self.name_of(id), column, step);
            step.join(&cte, "key", "");
            self.finish(id, aggregate, Sql::whole(format!("{cte}.{column}")), step);
        }
    }

    fn name_of(&self, id: MetricId) -> &str {
        &self.plan.rules.metrics[id.0].name
    }

    /// The windows that these metrics have for each subject, from the step before.
    fn own_windows(&self, aggregates: &[(MetricId, &Aggregate)], step: &mut Step<'_>) -> Option<OwnWindows> {
        let mut windows: Vec<Window> = Vec::new();
        for (_, aggregate) in aggregates.iter().filter(|(_, aggregate)| aggregate.window.anchor().is_some()) {
            if !windows.contains(&aggregate.window) {
                windows.push(aggregate.window);
            }
        }
        if windows.is_empty() {
            return None;
        }
        let cte = name(&step.names.take(&format!("{}_windows", self.facts.name)));
        let (windows, cte) = OwnWindows::new(self.plan, windows, step.from, cte, self.names.clone());
        step.ctes.push(cte);
        Some(windows)
    }

    /// The rows, each beside its subject's own windows if there are any.
    fn source<'s>(&self, own: Option<&'s OwnWindows>, step: &mut Step<'_>) -> Source<'s> {
        let Some(own) = own else { return Source { from: self.rows.clone(), own: None } };
        let time = &self.scope.columns[self.facts.time];
        let (rows, time) = match self.facts.columns[self.facts.time].ty {
            Type::Date => {
                let begins = name(
                    &self.names.clone().take(&format!("midnight_of_{}", self.facts.columns[self.facts.time].name)),
                );
                let at = midnight(self.plan.clock.zone(), self.reach(), &Sql::whole(time));
                let columns = [("*".to_owned(), "*".to_owned()), (at.bare().to_owned(), begins.clone())];
                let query = select(&columns, &format!("FROM {}", self.rows));
                (step.query(&format!("{}_at", self.facts.name), query), begins)
            }
            _ => (self.rows.clone(), time.clone()),
        };
        let from = format!("{rows}\nJOIN {0} ON {0}.{1} = {rows}.{2}", own.cte, own.key, self.subject);
        Source { from, own: Some((own, time)) }
    }

    /// All aggregates that don't depend on an order of rows, and all sums of points.
    fn group(
        &self,
        aggregates: &[(MetricId, &Aggregate)],
        parts: &[Part<'_>],
        source: &Source<'_>,
        step: &mut Step<'_>,
    ) {
        let subject = &self.plan.rules.config.subjects[self.facts.subject.0].name;
        let cte = name(&step.names.take(&format!("{}_by_{subject}", self.facts.name)));
        let mut columns = vec![(self.subject.clone(), self.subject.clone())];
        for &(id, aggregate) in aggregates {
            let argument = aggregate.argument.as_ref().map(|a| (self.scope.lower(a), a.ty));
            let rows = self.rows_of(aggregate.filter.as_ref(), aggregate.window, source);
            let grouped = Grouped { function: aggregate.function, argument, rows };
            let raw = grouped.columns(&cte, &self.plan.columns[id.0], &mut columns);
            self.finish(id, aggregate, raw, step);
        }
        for (i, part) in parts.iter().enumerate() {
            let alias = name(&format!("{} {}", self.name_of(part.metric), i + 1));
            columns.push((self.points(part, source), alias.clone()));
            step.add(
                part.metric,
                &call("coalesce", &[Sql::whole(format!("{cte}.{alias}")), Sql::integer(0)]),
                part.minus,
            );
        }
        step.ctes.push((cte.clone(), select(&columns, &format!("FROM {}\nGROUP BY {}", source.from, self.subject))));
        step.join(&cte, &self.subject, "");
    }

    /// The points that a booking books, summed up.
    fn points(&self, part: &Part<'_>, source: &Source<'_>) -> String {
        let points = &part.booking.points;
        let points = cut(&self.scope.lower(points), points.ty, part.program.digits);
        let mut rows = self.rows_of(part.booking.filter.as_ref(), part.window, source);
        rows.push(infix(Binds::Order, &points, ">", &Sql::integer(0)));
        format!("sum({}){}", points.bare(), filter(&rows))
    }

    /// `first` and `last`: the rows in their order, numbered.
    fn first(&self, id: MetricId, aggregate: &Aggregate, source: &Source<'_>) -> String {
        let value = aggregate.argument.as_ref().map_or(Sql::whole("NULL"), |a| self.scope.lower(a));
        let subject = &self.subject;
        let time = &self.scope.columns[self.facts.time];
        let down = if aggregate.function == AggregateFn::Last { " DESC" } else { "" };
        let order = format!("PARTITION BY {subject} ORDER BY {time}{down}, {}{down}", value.bare());
        let columns = [
            (subject.clone(), "key".to_owned()),
            (value.bare().to_owned(), self.plan.columns[id.0].clone()),
            (format!("row_number() OVER ({order})"), name("nth")),
        ];
        select(&columns, &self.where_stands(&value, aggregate, source))
    }

    /// The different days of each subject.
    fn days(&self, aggregate: &Aggregate, source: &Source<'_>) -> String {
        let Some(argument) = &aggregate.argument else { return String::new() };
        let value = self.scope.lower(argument);
        let day = match argument.ty {
            Type::Timestamp => date_of(self.plan.clock.zone(), self.scope.reach(argument), &value),
            _ => value.clone(),
        };
        let columns = [(self.subject.clone(), "key".to_owned()), (day.bare().to_owned(), "day".to_owned())];
        select(&columns, &format!("{}\nGROUP BY 1, 2", self.where_stands(&value, aggregate, source)))
    }

    /// The rows that count and have a value.
    fn where_stands(&self, value: &Sql, aggregate: &Aggregate, source: &Source<'_>) -> String {
        let mut rows = self.rows_of(aggregate.filter.as_ref(), aggregate.window, source);
        rows.push(Sql::new(Binds::Equality, format!("{} IS NOT NULL", value.at(Binds::Sum))));
        format!("FROM {}\nWHERE {}", source.from, joined(Binds::And, "AND", rows).bare())
    }

    /// Which rows count: all of these must hold.
    fn rows_of(&self, filter: Option<&Expr>, window: Window, source: &Source<'_>) -> Vec<Sql> {
        let mut all: Vec<Sql> = filter.map(|filter| self.scope.lower(filter)).into_iter().collect();
        let own = source.own.as_ref().and_then(|(own, time)| Some((own.bounds(window)?, time)));
        match own {
            None => all.extend(self.inside(window.resolve(self.plan.clock))),
            Some(((from, until), time)) => {
                let time = Sql::whole(time);
                let as_of = value(&Value::Timestamp(self.plan.clock.as_of()), Type::Timestamp);
                all.push(infix(Binds::Order, &time, ">=", &Sql::whole(from)));
                all.push(infix(Binds::Order, &time, "<", &until.map_or(as_of, Sql::whole)));
            }
        }
        all
    }

    /// Whether a row's time is in the window. A date counts as its local midnight, so that its ends are the first days that begin
    /// inside and after.
    fn inside(&self, window: Instants) -> Vec<Sql> {
        let time = Sql::whole(&self.scope.columns[self.facts.time]);
        let end = |at| match self.facts.columns[self.facts.time].ty {
            Type::Date => date_literal(first_day_from(self.plan.clock.zone(), at)),
            ty => value(&Value::Timestamp(at), ty),
        };
        let start = (window.start.0 > i64::MIN).then(|| infix(Binds::Order, &time, ">=", &end(window.start)));
        start.into_iter().chain([infix(Binds::Order, &time, "<", &end(window.end))]).collect()
    }

    /// From what SQL aggregated to the metric: the day counted, the rate, the value of a subject without rows, and NULL for one
    /// whose window has no beginning.
    fn finish(&self, id: MetricId, aggregate: &Aggregate, raw: Sql, step: &mut Step<'_>) {
        let ty = self.plan.rules.metrics[id.0].ty;
        let mut sql = some_rows(aggregate.function, raw, aggregate.empty.as_ref(), ty);
        if aggregate.function == AggregateFn::DaysSince {
            sql = self.days_since(aggregate, &sql);
        }
        if let Some(units) = aggregate.per.and_then(|per| aggregate.window.units(per)) {
            let own = aggregate.argument.as_ref().filter(|_| !counts(aggregate.function)).map(|a| a.ty);
            sql = rate(&sql, units, own, ty);
        }
        sql = or_empty(sql, aggregate.empty.as_ref(), ty);
        if let Some(anchor) = aggregate.window.anchor().filter(|_| aggregate.empty.is_some()) {
            sql = Sql::whole(format!("CASE WHEN {} IS NOT NULL THEN {} END", self.plan.columns[anchor], sql.bare()));
        }
        step.set(id, sql);
    }

    fn days_since(&self, aggregate: &Aggregate, latest: &Sql) -> Sql {
        let argument = aggregate.argument.as_ref();
        let day = match argument.map(|a| a.ty) {
            Some(Type::Timestamp) => {
                let reach = argument.map_or(Reach::ALL, |a| self.scope.reach(a));
                date_of(self.plan.clock.zone(), reach, latest)
            }
            _ => latest.clone(),
        };
        days_between(&day, &date_literal(self.plan.clock.today()))
    }
}

/// The aggregates needed over a fact table.
fn aggregates<'p>(plan: &'p Plan<'_>, facts: FactsId) -> impl Iterator<Item = (MetricId, &'p Aggregate)> {
    plan.metrics().filter_map(move |(id, metric)| match &metric.kind {
        MetricKind::Aggregate(aggregate) if aggregate.facts == facts => Some((id, aggregate)),
        _ => None,
    })
}

/// The bookings needed by a fact table.
fn booked<'p>(plan: &'p Plan<'_>, facts: FactsId) -> Vec<Part<'p>> {
    let metrics: Vec<MetricId> = plan.metrics().map(|(id, _)| id).collect();
    parts(plan, &metrics, facts)
}

fn books(plan: &Plan<'_>, facts: FactsId) -> bool {
    !booked(plan, facts).is_empty()
}

/// Whether the aggregate asks for rows in their order.
fn is_ordered(function: AggregateFn) -> bool {
    matches!(function, AggregateFn::First | AggregateFn::Last)
}

/// Whether it asks for the days between rows.
fn is_gap(function: AggregateFn) -> bool {
    matches!(function, AggregateFn::MeanGap | AggregateFn::MedianGap)
}

/// A sum or count times `denominator / numerator`, from its own scale to that of `ty`.
fn rate(sql: &Sql, (numerator, denominator): (i128, i128), own: Option<Type>, ty: Type) -> Sql {
    let digits = |ty: Type| ty.scale().unwrap_or(0);
    let widen = pow10(digits(ty).saturating_sub(own.map_or(0, digits)));
    divide(&times(sql, widen * denominator), &Sql::integer(numerator))
}
