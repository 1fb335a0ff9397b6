//! Building blocks of tests: expressions, columns and clocks by hand.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use tierd_model::{Clock, Date, Decimal, Key, Timestamp, Type, Value, Zone, parse_date, parse_timestamp};
use tierd_rules::{
    CompareOp, Config, Expr, ExprKind, FileId, FileSet, Http, Level, Limit, Location, Metric, MetricId, MetricKind,
    Movement, Revision, RuleSet, Step, SubjectId, TierSet, TierSetId, Unknown,
};

use crate::plugin::NoPlugins;
use crate::{columns::array_of, derive::Metrics, due::Due, evaluate::evaluate, given::Given, history::NoHistory};

/// A node that is written nowhere.
pub(crate) fn node(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, at: nowhere() }
}

pub(crate) fn nowhere() -> Location {
    Location { file: FileId(0), range: 0..0 }
}

pub(crate) fn column(index: usize, ty: Type) -> Expr {
    node(ExprKind::Column(index), ty)
}

pub(crate) fn literal(value: Value) -> Expr {
    let ty = value.ty();
    node(ExprKind::Literal(value), ty)
}

/// A column of these values.
pub(crate) fn array(ty: Type, values: &[Option<Value>]) -> ArrayRef {
    let rows: Vec<ArrayRef> = values.iter().map(|value| array_of(ty, value.as_ref(), 1)).collect();
    let rows: Vec<&dyn Array> = rows.iter().map(AsRef::as_ref).collect();
    if rows.is_empty() { array_of(ty, None, 0) } else { arrow_select::concat::concat(&rows).unwrap() }
}

/// `2026-03-31T10:00` in a zone.
pub(crate) fn clock(as_of: &str, zone: &str) -> Clock {
    let zone = Arc::new(Zone::new(zone).unwrap());
    Clock::new(parse_timestamp(as_of.as_bytes()).unwrap().instant(&zone), zone)
}

pub(crate) fn integer(value: i64) -> Value {
    Value::Integer(value)
}

/// `12.50` as a decimal of the scale written.
pub(crate) fn decimal(text: &str) -> Value {
    Value::Decimal(Decimal::parse(text).unwrap())
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub(crate) fn date(text: &str) -> Value {
    Value::Date(parse_date(text.as_bytes()).unwrap())
}

pub(crate) fn days(days: i32) -> Value {
    Value::Date(Date(days))
}

pub(crate) fn instant(micros: i64) -> Value {
    Value::Timestamp(Timestamp(micros))
}

/// `column op constant`.
pub(crate) fn compare(index: usize, op: CompareOp, value: Value) -> Expr {
    let column = column(index, value.ty());
    node(ExprKind::Compare(op, Box::new(column), Box::new(literal(value))), Type::Bool)
}

/// A metric of the first kind of subject.
pub(crate) fn metric(name: &str, ty: Type, kind: MetricKind) -> Metric {
    let name = name.to_owned();
    Metric {
        name,
        title: None,
        subject: SubjectId(0),
        ty,
        kind,
        implicit: false,
        personal: false,
        pass: 0,
        scorecard: Vec::new(),
        allow: Vec::new(),
        at: nowhere(),
    }
}

/// A tier set of levels `L0`, `L1` … with these conditions, lowest first.
pub(crate) fn tier_set(unknown: Unknown, conditions: Vec<Option<Expr>>) -> TierSet {
    let level = |(index, when)| Level {
        name: format!("L{index}"),
        title: None,
        when,
        keep: None,
        benefits: Default::default(),
        strategy: Default::default(),
        follow_up: None,
        at: nowhere(),
    };
    let levels = conditions.into_iter().enumerate().map(level).collect();
    TierSet {
        name: "value".to_owned(),
        title: None,
        subject: SubjectId(0),
        unknown,
        ordered: true,
        movement: Movement::AT_ONCE,
        schedule: None,
        guard: None,
        category: None,
        allow: Vec::new(),
        levels,
        at: nowhere(),
    }
}

pub(crate) fn rule_set(metrics: Vec<Metric>, tier_sets: Vec<TierSet>) -> RuleSet {
    let config = Config {
        database: String::new(),
        ledger: String::new(),
        rules: String::new(),
        zone: Arc::new(Zone::utc()),
        bad_values: Limit::Rows(0),
        unknown_subjects: Limit::Unlimited,
        http: Http::default(),
        subjects: Vec::new(),
        facts: Vec::new(),
        lookups: Vec::new(),
    };
    let (revision, files) = (Revision([0; 32]), FileSet::default());
    let sets = (0..tier_sets.len()).map(|set| Step::TierSet(TierSetId(set)));
    let order = (0..metrics.len()).map(|metric| Step::Metric(MetricId(metric))).chain(sets).collect();
    let (points, retention, schedules, warnings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let plugins = Vec::new();
    RuleSet { revision, files, config, metrics, tier_sets, points, retention, plugins, schedules, order, warnings }
}

/// Subjects of a kind with integer keys from 1 and these columns.
pub(crate) fn given(subject: usize, subjects: usize, columns: Vec<Option<ArrayRef>>) -> Given {
    Given {
        subject: SubjectId(subject),
        subjects,
        key: Arc::new(|subject| Key::Integer(subject as i64 + 1)),
        columns,
        parents: Vec::new(),
        bookings: Vec::new(),
        gathered: Vec::new(),
    }
}

/// The metrics of the first kind of subject, whose attributes and aggregates are given.
pub(crate) fn complete(rules: &RuleSet, columns: Vec<Option<ArrayRef>>, subjects: usize, clock: &Clock) -> Metrics {
    let outcome = evaluate(rules, vec![given(0, subjects, columns)], &NoHistory, &NoPlugins, &Due::ALL, clock).unwrap();
    outcome.subjects.into_iter().next().unwrap().metrics
}
