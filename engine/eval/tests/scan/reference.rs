//! The rules read row by row, with no regard for speed.

use std::collections::BTreeSet;

use tierd_eval::{
    columns::{array_of, value_at},
    expr::evaluate,
};
use tierd_model::{Anchor, Date, Decimal, Timestamp, Type, Value, div_round, pow10};
use tierd_rules::{Aggregate, AggregateFn, Expr, Metric, MetricKind, RuleSet};

use super::base::{Anchors, Row, clock, stored, zone};

/// The value of an expression for one row, by the evaluator that the scan's own loops replace.
pub(crate) fn value_of(expr: &Expr, row: &Row, types: &[Type]) -> Option<Value> {
    let columns: Vec<_> = types.iter().zip(&row.values).map(|(&ty, v)| Some(array_of(ty, v.as_ref(), 1))).collect();
    value_at(&evaluate(expr, &columns, 1, clock()), expr.ty, 0)
}

pub(crate) fn holds(filter: &Option<Expr>, row: &Row, types: &[Type]) -> bool {
    filter.as_ref().is_none_or(|filter| value_of(filter, row, types) == Some(Value::Bool(true)))
}

/// The instant of a row: a date counts as its local midnight.
pub(crate) fn instant(row: &Row) -> Option<Timestamp> {
    match row.values[0].as_ref()? {
        Value::Timestamp(at) => Some(*at),
        Value::Date(day) => Some(zone().midnight(*day)),
        other => unreachable!("{other:?} as time"),
    }
}

/// The metric of one subject, read straight off the rules.
pub(crate) fn expected(
    rules: &RuleSet,
    metric: &Metric,
    (anchors, rows): (&Anchors, &[Row]),
    types: &[Type],
    subject: usize,
) -> Option<Value> {
    let MetricKind::Aggregate(aggregate) = &metric.kind else { unreachable!() };
    let window = match aggregate.window.anchor() {
        None => aggregate.window.resolve(clock()),
        Some(metric) => aggregate.window.resolve_from(clock(), anchor(anchors[metric][subject].as_ref()?)),
    };
    let counted: Vec<(Timestamp, Value)> = rows
        .iter()
        .filter(|row| row.subject == subject)
        .filter(|row| holds(&rules.config.facts[0].filter, row, types) && holds(&aggregate.filter, row, types))
        .filter_map(|row| Some((instant(row)?, row)))
        .filter(|(at, _)| window.start <= *at && *at < window.end)
        .filter_map(|(at, row)| match &aggregate.argument {
            Some(argument) => Some((at, value_of(argument, row, types)?)),
            None => Some((at, Value::Bool(true))),
        })
        .collect();
    if counted.is_empty() {
        return aggregate.empty.clone();
    }
    let values: Vec<&Value> = counted.iter().map(|(_, value)| value).collect();
    let scale = aggregate.argument.as_ref().and_then(|a| a.ty.scale()).unwrap_or(0);
    let (value, scale) = match aggregate.function {
        AggregateFn::Count => (exact(values.len() as i128), 0),
        AggregateFn::CountDistinct => {
            let distinct: BTreeSet<String> = values.iter().map(|v| format!("{v:?}")).collect();
            (exact(distinct.len() as i128), 0)
        }
        AggregateFn::Sum => (sum(&values), scale),
        AggregateFn::Avg => {
            let digits = scale.max(6);
            let average = match sum(&values) {
                Number::Exact(units) => Number::Exact(
                    units.and_then(|u| div_round(u.checked_mul(pow10(digits - scale))?, values.len() as i128)),
                ),
                Number::Real(sum) => Number::Real(sum / values.len() as f64),
                Number::Other(_) => unreachable!(),
            };
            (average, digits)
        }
        AggregateFn::Min => (other(values.iter().copied().min_by(|a, b| order(a, b))), scale),
        AggregateFn::Max => (other(values.iter().copied().max_by(|a, b| order(a, b))), scale),
        AggregateFn::First => {
            (other(counted.iter().min_by(|a, b| a.0.cmp(&b.0).then(order(&a.1, &b.1))).map(|(_, v)| v)), scale)
        }
        AggregateFn::Last => {
            (other(counted.iter().max_by(|a, b| a.0.cmp(&b.0).then(order(&a.1, &b.1))).map(|(_, v)| v)), scale)
        }
        AggregateFn::DaysSince => {
            let days = values.iter().map(|value| day(value));
            // The latest instant decides, not the latest day: a clock set back at midnight repeats a day.
            let latest = values.iter().zip(days).max_by(|a, b| order(a.0, b.0)).unwrap().1;
            (exact(i128::from(clock().today().0 - latest.0)), 0)
        }
        AggregateFn::MeanGap | AggregateFn::MedianGap => {
            let days: BTreeSet<i128> = values.iter().map(|value| day(value).0.into()).collect();
            let days: Vec<i128> = days.into_iter().collect();
            let mut gaps: Vec<i128> = days.windows(2).map(|pair| pair[1] - pair[0]).collect();
            if gaps.is_empty() {
                return aggregate.empty.clone();
            }
            gaps.sort_unstable();
            let gap = match aggregate.function {
                AggregateFn::MeanGap => div_round(gaps.iter().sum::<i128>() * 1_000_000, gaps.len() as i128),
                _ => Some((gaps[(gaps.len() - 1) / 2] + gaps[gaps.len() / 2]) * 500_000),
            };
            (Number::Exact(gap), 6)
        }
    };
    finish(metric, aggregate, value, scale)
}

fn anchor(value: &Value) -> Anchor {
    match value {
        Value::Date(day) => Anchor::Day(*day),
        Value::Timestamp(at) => Anchor::Time(*at),
        other => unreachable!("{other:?}"),
    }
}

/// The day of a date, or the local day of a timestamp.
fn day(value: &Value) -> Date {
    match value {
        Value::Date(day) => *day,
        Value::Timestamp(at) => zone().date_of(*at),
        other => unreachable!("{other:?}"),
    }
}

pub(crate) enum Number<'a> {
    /// Units; `None` if they don't fit.
    Exact(Option<i128>),
    Real(f64),
    Other(&'a Value),
}

pub(crate) fn exact<'a>(units: i128) -> Number<'a> {
    Number::Exact(Some(units))
}

pub(crate) fn other(value: Option<&Value>) -> Number<'_> {
    Number::Other(value.unwrap())
}

pub(crate) fn sum<'a>(values: &[&Value]) -> Number<'a> {
    if let Value::Real(_) = values[0] {
        let fixed = |v: &Value| match v {
            Value::Real(v) => (v * 2f64.powi(40)).round() as i128,
            _ => unreachable!(),
        };
        return Number::Real(values.iter().map(|v| fixed(v)).sum::<i128>() as f64 / 2f64.powi(40));
    }
    exact(values.iter().map(|v| v.as_decimal().unwrap().units).sum())
}

pub(crate) fn order(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Real(a), Value::Real(b)) => a.total_cmp(b),
        _ => stored(a).cmp(&stored(b)),
    }
}

pub(crate) fn finish(metric: &Metric, aggregate: &Aggregate, number: Number, scale: u8) -> Option<Value> {
    let per = aggregate.per.map(|per| aggregate.window.units(per).unwrap());
    let units = match number {
        Number::Other(value) if per.is_none() => return Some(value.clone()),
        Number::Real(value) | Number::Other(&Value::Real(value)) => {
            let (num, den) = per.unwrap_or((1, 1));
            return Some(Value::Real(if per.is_some() { value * den as f64 / num as f64 } else { value }));
        }
        Number::Other(value) => value.as_decimal().unwrap().units,
        Number::Exact(units) => units?,
    };
    let to_scale = metric.ty.scale().unwrap();
    let (num, den) = per.unwrap_or((1, 1));
    let units = div_round(units.checked_mul(pow10(to_scale - scale))?.checked_mul(den)?, num)?;
    match metric.ty {
        Type::Integer => i64::try_from(units).ok().map(Value::Integer),
        _ => (units.unsigned_abs() < pow10(38) as u128).then(|| Value::Decimal(Decimal::new(units, to_scale))),
    }
}
