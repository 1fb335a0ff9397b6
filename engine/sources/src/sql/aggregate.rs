//! Fact tables: decoded, then aggregated by one GROUP BY for all metrics and windows together.

use tierd_model::{Instants, Type, pow10};
use tierd_rules::{Aggregate, AggregateFn, Expr, Facts, FactsId, MetricId};

use super::{
    Cte,
    decode::{decode, key},
    expr::{Scope, call, date_literal, days_between, divide, joined, times, value},
    metric::filtered,
    plan::Plan,
    select, table,
    text::{Binds, Names, Sql, indent, infix, name},
    zone::{Reach, date_of, first_day_from},
};

/// A fact table in a query.
pub(super) struct FactsSql<'a> {
    plan: &'a Plan<'a>,
    facts: &'a Facts,
    /// Its metrics.
    aggregates: Vec<(MetricId, &'a Aggregate)>,
    /// Quoted name of the decoded rows.
    rows: String,
    /// Quoted name of the aggregates by subject.
    grouped: String,
    /// The columns of the decoded rows.
    scope: Scope<'a>,
    /// Quoted name of the decoded subject column.
    subject: String,
}

impl<'a> FactsSql<'a> {
    /// The fact table with all its metrics of the plan.
    pub(super) fn new(plan: &'a Plan<'a>, id: FactsId, names: &mut Names) -> Self {
        let facts = &plan.rules.config.facts[id.0];
        let subject = &plan.rules.config.subjects[facts.subject.0].name;
        let aggregates = plan.aggregates_of(id);
        let reach = Reach::of(aggregates.iter().map(|(_, a)| a.window.resolve(plan.clock)));
        let mut columns = Names::default();
        let subject_column = name(&columns.take(subject));
        let scope = Scope {
            clock: plan.clock,
            columns: facts.columns.iter().map(|c| name(&columns.take(&c.name))).collect(),
            time: Some((facts.time, reach)),
        };
        FactsSql {
            rows: name(&names.take(&facts.name)),
            grouped: name(&names.take(&format!("{}_by_{subject}", facts.name))),
            subject: subject_column,
            plan,
            facts,
            aggregates,
            scope,
        }
    }

    /// The queries behind its metrics.
    pub(super) fn ctes(&self, names: &mut Names, columns: &mut [Sql], joins: &mut Vec<String>) -> Vec<Cte> {
        let filter = self.facts.filter.as_ref().map(|filter| self.scope.lower(filter));
        let mut ctes = filtered(&self.rows, &self.facts.name, self.decoded(), filter, names);
        let (ordered, grouped): (Vec<_>, Vec<_>) = self.aggregates.iter().partition(|(_, a)| is_ordered(a));
        if !grouped.is_empty() {
            ctes.push((self.grouped.clone(), self.group(&grouped, columns)));
            joins.push(self.join(&self.grouped, ""));
        }
        for (id, aggregate) in ordered {
            let cte = name(&names.take(&format!("{}_rows", self.plan.rules.metrics[id.0].name)));
            ctes.push((cte.clone(), self.first(*id, aggregate)));
            joins.push(self.join(&cte, &format!(" AND {cte}.nth = 1")));
            columns[id.0] = self.finish(*id, aggregate, &Sql::whole(format!("{cte}.{}", self.plan.columns[id.0])));
        }
        ctes
    }

    fn join(&self, cte: &str, more: &str) -> String {
        format!("LEFT JOIN {cte} ON {cte}.{} = key{more}", self.subject)
    }

    /// The columns that metrics read, typed.
    fn decoded(&self) -> String {
        let facts = self.facts;
        let (zone, time) = (self.plan.clock.zone(), facts.time);
        let reach =
            |column| if column == time { self.scope.time.map_or(Reach::ALL, |(_, reach)| reach) } else { Reach::ALL };
        let key_type = self.plan.rules.config.subjects[facts.subject.0].key_type;
        let mut columns = vec![(key(&facts.subject_column, key_type).bare().to_owned(), self.subject.clone())];
        for column in self.used() {
            let text = decode(&facts.columns[column], zone, reach(column));
            columns.push((text.bare().to_owned(), self.scope.columns[column].clone()));
        }
        select(&columns, &format!("FROM {}", table(&facts.table)))
    }

    /// Columns that the filter, the windows and the metrics read.
    fn used(&self) -> Vec<usize> {
        let metrics = self.aggregates.iter().flat_map(|(_, a)| a.argument.iter().chain(&a.filter));
        let mut used: Vec<usize> = metrics.chain(&self.facts.filter).flat_map(Expr::columns).collect();
        used.push(self.facts.time);
        used.sort_unstable();
        used.dedup();
        used
    }

    /// All aggregates that don't depend on an order of rows.
    fn group(&self, aggregates: &[&(MetricId, &Aggregate)], columns: &mut [Sql]) -> String {
        let mut select_columns = vec![(self.subject.clone(), self.subject.clone())];
        for (id, aggregate) in aggregates {
            let alias = &self.plan.columns[id.0];
            let over = format!("FILTER (\n  WHERE {}\n)", indent(self.rows_of(aggregate).bare(), 2));
            let argument = aggregate.argument.as_ref().map_or(Sql::whole("*"), |a| self.scope.lower(a));
            let raw = |alias: &str| Sql::whole(format!("{}.{alias}", self.grouped));
            let (call, result) = match average(aggregate) {
                None => (one_call(aggregate.function, argument.bare()), raw(alias)),
                Some(scale) => {
                    let count = name(&format!("count of {}", alias.trim_matches('"')));
                    select_columns.push((format!("count({}) {over}", argument.bare()), count.clone()));
                    let dividend = times(&raw(alias), pow10(6u8.saturating_sub(scale)));
                    (format!("sum({})", argument.bare()), divide(&dividend, &raw(&count)))
                }
            };
            select_columns.push((format!("{call} {over}"), alias.clone()));
            columns[id.0] = self.finish(*id, aggregate, &result);
        }
        select(&select_columns, &format!("FROM {}\nGROUP BY {}", self.rows, self.subject))
    }

    /// `first` and `last`: the rows in their order, numbered.
    fn first(&self, id: MetricId, aggregate: &Aggregate) -> String {
        let value = aggregate.argument.as_ref().map_or(Sql::whole("NULL"), |a| self.scope.lower(a));
        let subject = &self.subject;
        let time = &self.scope.columns[self.facts.time];
        let down = if aggregate.function == AggregateFn::Last { " DESC" } else { "" };
        let order = format!("PARTITION BY {subject} ORDER BY {time}{down}, {}{down}", value.bare());
        let columns = [
            (subject.clone(), subject.clone()),
            (value.bare().to_owned(), self.plan.columns[id.0].clone()),
            (format!("row_number() OVER ({order})"), name("nth")),
        ];
        let stands = Sql::new(Binds::Equality, format!("{} IS NOT NULL", value.at(Binds::Sum)));
        let rows = joined(Binds::And, "AND", vec![self.rows_of(aggregate), stands]);
        select(&columns, &format!("FROM {}\nWHERE {}", self.rows, rows.bare()))
    }

    /// Which rows count.
    fn rows_of(&self, aggregate: &Aggregate) -> Sql {
        let mut all = Vec::new();
        if let Some(filter) = &aggregate.filter {
            all.push(self.scope.lower(filter));
        }
        all.extend(self.inside(aggregate.window.resolve(self.plan.clock)));
        joined(Binds::And, "AND", all)
    }

    /// Whether a row's time is in the window. A date counts as its local midnight, so that its ends are the first days that begin
    /// inside and after.
    fn inside(&self, window: Instants) -> Vec<Sql> {
        let time = Sql::whole(&self.scope.columns[self.facts.time]);
        let end = |at| match self.facts.columns[self.facts.time].ty {
            Type::Date => date_literal(first_day_from(self.plan.clock.zone(), at)),
            ty => value(&tierd_model::Value::Timestamp(at), ty),
        };
        let start = (window.start.0 > i64::MIN).then(|| infix(Binds::Order, &time, ">=", &end(window.start)));
        start.into_iter().chain([infix(Binds::Order, &time, "<", &end(window.end))]).collect()
    }

    /// From what SQL aggregated to the metric: the day counted, the rate, the value of a subject without rows.
    fn finish(&self, id: MetricId, aggregate: &Aggregate, raw: &Sql) -> Sql {
        let ty = self.plan.rules.metrics[id.0].ty;
        let mut sql = raw.clone();
        let counts = matches!(aggregate.function, AggregateFn::Count | AggregateFn::CountDistinct);
        let empty = aggregate.empty.as_ref().map(|empty| value(empty, ty));
        // A count of no rows is 0 and not NULL.
        if counts && empty.as_ref().is_none_or(|e| e.bare() != "0") {
            sql = call("nullif", &[sql, Sql::integer(0)]);
        }
        if aggregate.function == AggregateFn::DaysSince {
            sql = self.days_since(aggregate, &sql);
        }
        if let Some((numerator, denominator)) = aggregate.per.and_then(|per| aggregate.window.units(per)) {
            let own = aggregate.argument.as_ref().filter(|_| !counts).map(|a| a.ty);
            sql = rate(&sql, (numerator, denominator), own, ty);
        }
        match empty {
            Some(empty) => call("coalesce", &[sql, empty]),
            None => sql,
        }
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

/// Whether the aggregate asks for rows in their order.
fn is_ordered(aggregate: &Aggregate) -> bool {
    matches!(aggregate.function, AggregateFn::First | AggregateFn::Last)
}

/// The scale of the argument of an exact average, which is a quotient of two aggregates.
fn average(aggregate: &Aggregate) -> Option<u8> {
    match aggregate.function {
        AggregateFn::Avg => aggregate.argument.as_ref().and_then(|a| a.ty.scale()),
        _ => None,
    }
}

fn one_call(function: AggregateFn, argument: &str) -> String {
    match function {
        AggregateFn::Sum => format!("sum({argument})"),
        AggregateFn::Count => format!("count({argument})"),
        AggregateFn::CountDistinct => format!("count(DISTINCT {argument})"),
        AggregateFn::Avg => format!("avg({argument})"),
        AggregateFn::Min | AggregateFn::First => format!("min({argument})"),
        AggregateFn::MeanGap | AggregateFn::MedianGap => unreachable!("no rule can write it yet"),
        AggregateFn::Max | AggregateFn::Last | AggregateFn::DaysSince => format!("max({argument})"),
    }
}

/// A sum or count times `denominator / numerator`, from its own scale to that of `ty`.
fn rate(sql: &Sql, (numerator, denominator): (i128, i128), own: Option<Type>, ty: Type) -> Sql {
    let digits = |ty: Type| ty.scale().unwrap_or(0);
    let widen = pow10(digits(ty).saturating_sub(own.map_or(0, digits)));
    divide(&times(sql, widen * denominator), &Sql::integer(numerator))
}
