//! Facts by hand: expressions, rules and rows.

use std::sync::{Arc, LazyLock};

use tierd_eval::scan::real_bits;
use tierd_model::{Clock, KeyType, Type, Value, Zone};
use tierd_rules::{
    Aggregate, Column, Config, Encoding, Expr, ExprKind, Facts, FileId, FileSet, Http, Limit, Location, Metric,
    MetricKind, RuleSet, Subject, SubjectId,
};

pub(crate) const SUBJECTS: usize = 5;
pub(crate) const AS_OF: &str = "2026-03-31T10:00:00";

/// Columns of the facts: time, then one of each type.
pub(crate) const TYPES: [Type; 7] =
    [Type::Timestamp, Type::Integer, Type::Decimal(2), Type::Text, Type::Bool, Type::Real, Type::Date];

#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// [`SUBJECTS`] for one that isn't known.
    pub(crate) subject: usize,
    pub(crate) values: Vec<Option<Value>>,
}

pub(crate) fn nowhere() -> Location {
    Location { file: FileId(0), range: 0..0 }
}

pub(crate) fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, at: nowhere() }
}

pub(crate) fn column(index: usize, types: &[Type]) -> Expr {
    expr(ExprKind::Column(index), types[index])
}

pub(crate) fn literal(value: Value) -> Expr {
    let ty = value.ty();
    expr(ExprKind::Literal(value), ty)
}

pub(crate) static CLOCK: LazyLock<Clock> = LazyLock::new(|| {
    let zone = Arc::new(Zone::new("America/New_York").unwrap());
    let as_of = tierd_model::parse_timestamp(AS_OF.as_bytes()).unwrap().instant(&zone);
    Clock::new(as_of, zone)
});

pub(crate) fn zone() -> &'static Arc<Zone> {
    CLOCK.zone()
}

pub(crate) fn clock() -> &'static Clock {
    &CLOCK
}

/// By metric and subject, the dates that windows of the subjects' own begin at: metric 0 has dates, metric 1 timestamps.
pub(crate) type Anchors = [Vec<Option<Value>>; 2];
pub(crate) const ANCHOR_TYPES: [Type; 2] = [Type::Date, Type::Timestamp];

/// These metrics, after the two anchors.
pub(crate) fn rules(types: &[Type], filter: Option<Expr>, metrics: Vec<(Type, Aggregate)>) -> RuleSet {
    let columns = types.iter().enumerate().map(|(i, &ty)| Column {
        name: format!("c{i}"),
        column: format!("c{i}"),
        ty,
        encoding: Encoding::Plain,
        personal: false,
        at: nowhere(),
    });
    let files = FileSet::new(vec![]);
    let anchors = ANCHOR_TYPES.into_iter().zip((0..).map(MetricKind::Attribute));
    let metrics = metrics.into_iter().map(|(ty, aggregate)| (ty, MetricKind::Aggregate(aggregate)));
    let metric = |(i, (ty, kind))| Metric {
        name: format!("m{i}"),
        title: None,
        subject: SubjectId(0),
        ty,
        kind,
        implicit: false,
        personal: false,
        pass: 0,
        scorecard: vec![],
        allow: vec![],
        at: nowhere(),
    };
    RuleSet {
        revision: files.revision(),
        files,
        config: Config {
            database: "shop.db".into(),
            ledger: "tierd.ledger".into(),
            rules: "rules".into(),
            zone: Arc::clone(zone()),
            bad_values: Limit::Rows(0),
            unknown_subjects: Limit::Unlimited,
            http: Http::default(),
            subjects: vec![Subject {
                name: "customer".into(),
                table: "customers".into(),
                key: "id".into(),
                key_type: KeyType::Integer,
                filter: None,
                attributes: vec![],
                parent: None,
                at: nowhere(),
            }],
            facts: vec![Facts {
                name: "orders".into(),
                table: "orders".into(),
                subject: SubjectId(0),
                subject_column: "customer_id".into(),
                time: 0,
                filter,
                fresh: None,
                may_be_empty: false,
                columns: columns.collect(),
                at: nowhere(),
            }],
            lookups: vec![],
        },
        metrics: anchors.chain(metrics).enumerate().map(metric).collect(),
        tier_sets: vec![],
        points: vec![],
        schedules: vec![],
        retention: vec![],
        plugins: vec![],
        order: vec![],
        warnings: vec![],
    }
}

pub(crate) fn stored(value: &Value) -> i64 {
    match value {
        Value::Integer(v) => *v,
        Value::Decimal(v) => v.units as i64,
        Value::Real(v) => real_bits(*v).unwrap(),
        Value::Bool(v) => i64::from(*v),
        Value::Date(v) => v.0.into(),
        Value::Timestamp(v) => v.0,
        Value::Text(_) => unreachable!("texts are interned"),
    }
}
