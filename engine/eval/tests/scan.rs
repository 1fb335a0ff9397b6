//! One pass with batches, masks and dense accumulators against a plain reading of the rules, row by row.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use arrow_array::{Array, ArrayRef, cast::AsArray};
use proptest::prelude::*;
use tierd_eval::{
    columns::{array_of, value_at},
    expr::evaluate,
    scan::{Cell, FactPlan, FactScan, real_bits},
};
use tierd_model::{
    CalendarSpan, CalendarUnit, Clock, DAY_MICROS, Date, Decimal, KeyType, Per, Timestamp, Type, Value, Window,
    WindowKind, Zone, div_round, pow10,
};
use tierd_rules::{
    Aggregate, AggregateFn, ArithOp, Column, CompareOp, Config, Encoding, Expr, ExprKind, Facts, FactsId, FileId,
    FileSet, Limit, Location, Metric, MetricKind, RuleSet, Subject, SubjectId,
};

const SUBJECTS: usize = 5;
const AS_OF: &str = "2026-03-31T10:00:00";

/// Columns of the facts: time, then one of each type.
const TYPES: [Type; 7] =
    [Type::Timestamp, Type::Integer, Type::Decimal(2), Type::Text, Type::Bool, Type::Real, Type::Date];

#[derive(Debug, Clone)]
struct Row {
    /// [`SUBJECTS`] for one that isn't known.
    subject: usize,
    values: Vec<Option<Value>>,
}

fn nowhere() -> Location {
    Location { file: FileId(0), range: 0..0 }
}

fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, at: nowhere() }
}

fn column(index: usize, types: &[Type]) -> Expr {
    expr(ExprKind::Column(index), types[index])
}

fn literal(value: Value) -> Expr {
    let ty = value.ty();
    expr(ExprKind::Literal(value), ty)
}

static CLOCK: LazyLock<Clock> = LazyLock::new(|| {
    let zone = Arc::new(Zone::new("America/New_York").unwrap());
    let as_of = tierd_model::parse_timestamp(AS_OF.as_bytes()).unwrap().instant(&zone);
    Clock::new(as_of, zone)
});

fn zone() -> &'static Arc<Zone> {
    CLOCK.zone()
}

fn clock() -> &'static Clock {
    &CLOCK
}

fn rules(types: &[Type], filter: Option<Expr>, metrics: Vec<(Type, Aggregate)>) -> RuleSet {
    let columns = types.iter().enumerate().map(|(i, &ty)| Column {
        name: format!("c{i}"),
        column: format!("c{i}"),
        ty,
        encoding: Encoding::Plain,
        personal: false,
        at: nowhere(),
    });
    let files = FileSet::new(vec![]);
    let metric = |(i, (ty, aggregate))| Metric {
        name: format!("m{i}"),
        title: None,
        subject: SubjectId(0),
        ty,
        kind: MetricKind::Aggregate(aggregate),
        implicit: false,
        personal: false,
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
            subjects: vec![Subject {
                name: "customer".into(),
                table: "customers".into(),
                key: "id".into(),
                key_type: KeyType::Integer,
                filter: None,
                attributes: vec![],
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
        },
        metrics: metrics.into_iter().enumerate().map(metric).collect(),
        tier_sets: vec![],
        warnings: vec![],
    }
}

/// Runs the rows, split among as many scans as `splits` says.
fn scan(rules: &RuleSet, rows: &[Row], splits: usize) -> (Vec<ArrayRef>, tierd_eval::scan::FactCounts) {
    let plan = FactPlan::new(rules, FactsId(0), clock());
    let columns: Vec<(usize, usize)> = plan.columns().collect();
    let mut scans: Vec<FactScan> = (0..splits).map(|_| FactScan::new(&plan, SUBJECTS)).collect();
    for (i, row) in rows.iter().enumerate() {
        let scan = &mut scans[i % splits];
        let batch = scan.batch();
        for &(at, column) in &columns {
            match &row.values[column] {
                None => batch.set(at, Cell::Null),
                Some(Value::Text(text)) => batch.set_text(at, text.as_bytes()),
                Some(value) => batch.set(at, Cell::Value(stored(value))),
            }
        }
        let at = batch.rows();
        batch.subjects[at] = row.subject as u32;
        batch.set_subject_flag(1);
        // Batches of odd sizes, too.
        if batch.end_row() || i % 101 == 100 {
            scan.take();
        }
    }
    scans.iter_mut().for_each(FactScan::take);
    let mut whole = scans.remove(0);
    scans.into_iter().for_each(|scan| whole.merge(scan));
    let (metrics, counts) = whole.finish();
    (metrics.into_iter().map(|(_, array)| array).collect(), counts)
}

fn stored(value: &Value) -> i64 {
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

/// The value of an expression for one row, by the evaluator that the scan's own loops replace.
fn value_of(expr: &Expr, row: &Row, types: &[Type]) -> Option<Value> {
    let columns: Vec<_> = types.iter().zip(&row.values).map(|(&ty, v)| Some(array_of(ty, v.as_ref(), 1))).collect();
    value_at(&evaluate(expr, &columns, 1, clock()), expr.ty, 0)
}

fn holds(filter: &Option<Expr>, row: &Row, types: &[Type]) -> bool {
    filter.as_ref().is_none_or(|filter| value_of(filter, row, types) == Some(Value::Bool(true)))
}

/// The instant of a row: a date counts as its local midnight.
fn instant(row: &Row) -> Option<Timestamp> {
    match row.values[0].as_ref()? {
        Value::Timestamp(at) => Some(*at),
        Value::Date(day) => Some(zone().midnight(*day)),
        other => unreachable!("{other:?} as time"),
    }
}

/// The metric of one subject, read straight off the rules.
fn expected(rules: &RuleSet, metric: &Metric, rows: &[Row], types: &[Type], subject: usize) -> Option<Value> {
    let MetricKind::Aggregate(aggregate) = &metric.kind else { unreachable!() };
    let window = aggregate.window.resolve(clock());
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
            let days = values.iter().map(|value| match value {
                Value::Date(day) => *day,
                Value::Timestamp(at) => zone().date_of(*at),
                other => unreachable!("{other:?}"),
            });
            // The latest instant decides, not the latest day: a clock set back at midnight repeats a day.
            let latest = values.iter().zip(days).max_by(|a, b| order(a.0, b.0)).unwrap().1;
            (exact(i128::from(clock().today().0 - latest.0)), 0)
        }
    };
    finish(metric, aggregate, value, scale)
}

enum Number<'a> {
    /// Units; `None` if they don't fit.
    Exact(Option<i128>),
    Real(f64),
    Other(&'a Value),
}

fn exact<'a>(units: i128) -> Number<'a> {
    Number::Exact(Some(units))
}

fn other(value: Option<&Value>) -> Number<'_> {
    Number::Other(value.unwrap())
}

fn sum<'a>(values: &[&Value]) -> Number<'a> {
    if let Value::Real(_) = values[0] {
        let fixed = |v: &Value| match v {
            Value::Real(v) => (v * 2f64.powi(40)).round() as i128,
            _ => unreachable!(),
        };
        return Number::Real(values.iter().map(|v| fixed(v)).sum::<i128>() as f64 / 2f64.powi(40));
    }
    exact(values.iter().map(|v| v.as_decimal().unwrap().units).sum())
}

fn order(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Real(a), Value::Real(b)) => a.total_cmp(b),
        _ => stored(a).cmp(&stored(b)),
    }
}

fn finish(metric: &Metric, aggregate: &Aggregate, number: Number, scale: u8) -> Option<Value> {
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

fn value_of_type(ty: Type) -> BoxedStrategy<Value> {
    let small_or_huge = prop_oneof![
        6 => -12i64..12,
        1 => Just(i64::MAX),
        1 => Just(i64::MIN),
        1 => any::<i64>(),
    ];
    match ty {
        Type::Integer => small_or_huge.prop_map(Value::Integer).boxed(),
        Type::Decimal(scale) => small_or_huge.prop_map(move |u| Value::Decimal(Decimal::new(u.into(), scale))).boxed(),
        Type::Text => {
            prop_oneof![Just("paid"), Just("refunded"), Just("pa"), Just(""), Just("王先生 has a long remark")]
                .prop_map(|t| Value::Text(t.into()))
                .boxed()
        }
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Real => {
            prop_oneof![4 => (-40i32..40).prop_map(|i| f64::from(i) / 8.0), 1 => Just(1e23), 1 => Just(-1e23)]
                .prop_map(Value::Real)
                .boxed()
        }
        Type::Date => day().prop_map(|day| Value::Date(Date(day as i32))).boxed(),
        Type::Timestamp => (day(), prop_oneof![Just(0), Just(-1), 0..DAY_MICROS])
            .prop_map(|(day, time)| Value::Timestamp(Timestamp(zone().to_instant(day * DAY_MICROS) + time)))
            .boxed(),
    }
}

/// Days around the edges of the windows, and anywhere in three years.
fn day() -> impl Strategy<Value = i64> {
    let today = i64::from(clock().today().0);
    prop_oneof![Just(today), Just(today - 90), Just(today - 365), Just(today - 89), (today - 1100)..(today + 10)]
}

fn rows(types: &'static [Type]) -> impl Strategy<Value = Vec<Row>> {
    let values: Vec<_> = types.iter().map(|&ty| proptest::option::weighted(0.85, value_of_type(ty))).collect();
    let row = (0..=SUBJECTS, values).prop_map(|(subject, values)| Row { subject, values });
    proptest::collection::vec(row, 0..120)
}

fn comparison(types: &'static [Type]) -> impl Strategy<Value = Expr> {
    use CompareOp::*;
    let op = prop_oneof![Just(Eq), Just(Ne), Just(Lt), Just(Le), Just(Gt), Just(Ge)];
    (0..types.len(), op, any::<u8>()).prop_flat_map(move |(index, op, form)| {
        let ty = types[index];
        (value_of_type(ty), value_of_type(ty)).prop_map(move |(a, b)| {
            let op = if ty == Type::Text && !matches!(op, Eq | Ne) { Eq } else { op };
            let column = Box::new(column(index, types));
            let (low, high) = (Box::new(literal(a.clone())), Box::new(literal(b.clone())));
            let kind = match form % 8 {
                0 if ty != Type::Text => ExprKind::Between { value: column, low, high, negated: form > 99 },
                1 => ExprKind::In { value: column, list: vec![a, b], negated: form > 99 },
                2 => ExprKind::IsNull { value: column, negated: form > 99 },
                3 if ty == Type::Text => {
                    ExprKind::StartsWith { value: column, prefix: "pa".into(), negated: form > 99 }
                }
                4 => ExprKind::Compare(op, low, column),
                5 if ty.is_exact() => {
                    let wide = Type::Decimal(ty.scale().unwrap() + 1);
                    let constant =
                        literal(Value::Decimal(Decimal::new(i128::from(stored(&a)) * 7, wide.scale().unwrap())));
                    let cast = expr(ExprKind::Cast(column), wide);
                    return expr(ExprKind::Compare(op, Box::new(cast), Box::new(constant)), Type::Bool);
                }
                6 if ty != Type::Text => {
                    let twice = Box::new(expr(ExprKind::Coalesce(vec![*column, *low.clone()]), ty));
                    ExprKind::Compare(op, twice, high)
                }
                7 => ExprKind::Compare(op, column, Box::new(expr(ExprKind::Null, ty))),
                _ => ExprKind::Compare(op, column, low),
            };
            expr(kind, Type::Bool)
        })
    })
}

fn condition(types: &'static [Type]) -> impl Strategy<Value = Expr> {
    comparison(types).prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|e| expr(ExprKind::Not(Box::new(e)), Type::Bool)),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|all| expr(ExprKind::And(all), Type::Bool)),
            proptest::collection::vec(inner, 2..4).prop_map(|any| expr(ExprKind::Or(any), Type::Bool)),
        ]
    })
}

fn window() -> impl Strategy<Value = Window> {
    let kind = prop_oneof![
        Just(WindowKind::Lifetime),
        Just(WindowKind::Last(CalendarSpan::days(90))),
        Just(WindowKind::Last(CalendarSpan::months(12))),
        Just(WindowKind::Calendar(CalendarUnit::Year)),
        Just(WindowKind::Previous(CalendarUnit::Month)),
    ];
    (kind, 0u16..2)
        .prop_map(|(kind, offset)| Window { kind, offset: if kind == WindowKind::Lifetime { 0 } else { offset } })
}

fn argument(types: &'static [Type], index: usize, computed: bool) -> Expr {
    let plain = column(index, types);
    match plain.ty {
        // Small enough never to leave 64 bits.
        Type::Integer if computed => {
            let small = expr(
                ExprKind::Compare(
                    CompareOp::Lt,
                    Box::new(expr(ExprKind::Abs(Box::new(plain.clone())), plain.ty)),
                    Box::new(literal(Value::Integer(1000))),
                ),
                Type::Bool,
            );
            let double =
                expr(ExprKind::Arith(ArithOp::Add, Box::new(plain.clone()), Box::new(plain.clone())), plain.ty);
            expr(ExprKind::Case { whens: vec![(small, double)], otherwise: None }, plain.ty)
        }
        Type::Text if computed => {
            let other = literal(Value::Text("none".into()));
            expr(ExprKind::Coalesce(vec![plain.clone(), other]), Type::Text)
        }
        _ => plain,
    }
}

fn aggregate(types: &'static [Type]) -> impl Strategy<Value = (Type, Aggregate)> {
    use AggregateFn::*;
    let function = prop_oneof![
        Just(Sum),
        Just(Count),
        Just(CountDistinct),
        Just(Avg),
        Just(Min),
        Just(Max),
        Just(First),
        Just(Last),
        Just(DaysSince)
    ];
    let parts =
        (function, 0..types.len(), any::<bool>(), proptest::option::of(condition(types)), window(), any::<[bool; 3]>());
    parts.prop_map(move |(function, index, computed, filter, window, [star, zero, rate])| {
        let function = allowed(function, types[index]);
        let argument = (!(function == Count && star)).then(|| argument(types, index, computed));
        let of = types[index];
        let base = match function {
            Sum | Min | Max | First | Last => of,
            Count | CountDistinct | DaysSince => Type::Integer,
            Avg if of == Type::Real => Type::Real,
            Avg => Type::Decimal(of.scale().unwrap().max(6)),
        };
        let per = (rate && base.is_numeric() && window.units(Per::Month).is_some()).then_some(Per::Month);
        let ty = match base.scale() {
            Some(scale) if per.is_some() => Type::Decimal(scale.max(6)),
            _ => base,
        };
        let empty = zero.then(|| match ty {
            Type::Integer => Some(Value::Integer(0)),
            Type::Decimal(scale) => Some(Value::Decimal(Decimal::new(if star { 0 } else { 7 }, scale))),
            Type::Real => Some(Value::Real(0.0)),
            _ => None,
        });
        (ty, Aggregate { facts: FactsId(0), function, argument, filter, window, per, empty: empty.flatten() })
    })
}

/// The function, or one that the type allows.
fn allowed(function: AggregateFn, ty: Type) -> AggregateFn {
    use AggregateFn::*;
    match function {
        Sum | Avg if !ty.is_numeric() => Count,
        Min | Max if matches!(ty, Type::Text | Type::Bool) => Last,
        DaysSince if !matches!(ty, Type::Date | Type::Timestamp) => First,
        function => function,
    }
}

const DATED: [Type; 7] = [Type::Date, Type::Integer, Type::Decimal(2), Type::Text, Type::Bool, Type::Real, Type::Date];

fn check(
    types: &'static [Type],
    filter: Option<Expr>,
    metrics: Vec<(Type, Aggregate)>,
    rows: &[Row],
    shuffled: &[Row],
) {
    let rules = rules(types, filter, metrics);
    let (columns, counts) = scan(&rules, rows, 1);
    for (metric, column) in rules.metrics.iter().zip(&columns) {
        assert_eq!(column.len(), SUBJECTS);
        for subject in 0..SUBJECTS {
            let found = value_at(column, metric.ty, subject);
            let expected = expected(&rules, metric, rows, types, subject);
            assert_eq!(found, expected, "subject {subject} of {metric:#?}");
        }
    }
    let counted: Vec<&Row> = rows.iter().filter(|row| holds(&rules.config.facts[0].filter, row, types)).collect();
    assert_eq!((counts.rows, counts.counted), (rows.len() as u64, counted.len() as u64));
    assert_eq!(counts.unknown_subjects, counted.iter().filter(|row| row.subject == SUBJECTS).count() as u64);
    assert_eq!(counts.newest, counted.iter().filter_map(|row| instant(row)).filter(|at| *at <= clock().as_of()).max());
    for splits in [1, 2, 5] {
        let (again, counts_again) = scan(&rules, shuffled, splits);
        assert_eq!(counts, counts_again);
        for (column, again) in columns.iter().zip(&again) {
            assert_eq!(column.to_data(), again.to_data(), "in another order, by {splits} threads");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_plain_reading_in_any_order_of_rows(
        filter in proptest::option::of(condition(&TYPES)),
        metrics in proptest::collection::vec(aggregate(&TYPES), 1..6),
        (rows, shuffled) in rows(&TYPES).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        check(&TYPES, filter, metrics, &rows, &shuffled);
    }

    #[test]
    fn dates_count_from_their_local_midnight(
        metrics in proptest::collection::vec(aggregate(&DATED), 1..4),
        (rows, shuffled) in rows(&DATED).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        check(&DATED, None, metrics, &rows, &shuffled);
    }
}

fn row(subject: usize, time: Timestamp, amount: i64) -> Row {
    let mut values = vec![None; TYPES.len()];
    values[0] = Some(Value::Timestamp(time));
    values[1] = Some(Value::Integer(amount));
    Row { subject, values }
}

fn over(function: AggregateFn, argument: Expr, ty: Type) -> (Type, Aggregate) {
    let window = Window { kind: WindowKind::Lifetime, offset: 0 };
    let argument = Some(argument);
    (ty, Aggregate { facts: FactsId(0), function, argument, filter: None, window, per: None, empty: None })
}

#[test]
fn a_sum_that_leaves_64_bits_on_the_way_comes_back_exact() {
    let rules = rules(&TYPES, None, vec![over(AggregateFn::Sum, column(1, &TYPES), Type::Integer)]);
    let rows: Vec<Row> = (0..3000)
        .flat_map(|_| [row(1, Timestamp(0), i64::MAX), row(2, Timestamp(0), i64::MIN)])
        .chain((0..3000).flat_map(|_| [row(1, Timestamp(0), -i64::MAX), row(2, Timestamp(0), i64::MAX)]))
        .collect();
    for splits in [1, 2] {
        let (columns, _) = scan(&rules, &rows, splits);
        assert_eq!(value_at(&columns[0], Type::Integer, 1), Some(Value::Integer(0)));
        assert_eq!(value_at(&columns[0], Type::Integer, 2), Some(Value::Integer(-3000)));
    }
    // One that ends beyond them is NULL.
    let (columns, _) = scan(&rules, &rows[..4], 1);
    assert_eq!(value_at(&columns[0], Type::Integer, 1), None);
}

#[test]
fn a_sum_of_reals_that_leaves_128_bits_comes_back_exact() {
    let rules = rules(&TYPES, None, vec![over(AggregateFn::Sum, column(5, &TYPES), Type::Real)]);
    let large = 2f64.powi(79);
    let real = |value: f64| {
        let mut row = row(0, Timestamp(0), 0);
        row.values[5] = Some(Value::Real(value));
        row
    };
    let up = (0..2000).map(|_| real(large));
    let rows: Vec<Row> = up.chain([real(0.25)]).chain((0..2000).map(|_| real(-large))).collect();
    for splits in [1, 2, 3] {
        let (columns, _) = scan(&rules, &rows, splits);
        assert_eq!(value_at(&columns[0], Type::Real, 0), Some(Value::Real(0.25)));
    }
}

#[test]
fn a_computed_argument_beyond_64_bits_is_a_bad_value() {
    let square = Type::Decimal(4);
    let amount = || Box::new(column(2, &TYPES));
    let product = expr(ExprKind::Arith(ArithOp::Mul, amount(), amount()), square);
    let rules = rules(&TYPES, None, vec![over(AggregateFn::Sum, product, square)]);
    let mut rows = vec![row(0, Timestamp(0), 0), row(0, Timestamp(0), 0)];
    rows[0].values[2] = Some(Value::Decimal(Decimal::new(1 << 40, 2)));
    rows[1].values[2] = Some(Value::Decimal(Decimal::new(300, 2)));
    let (columns, counts) = scan(&rules, &rows, 1);
    assert_eq!(value_at(&columns[0], square, 0), Some(Value::Decimal(Decimal::new(90_000, 4))));
    assert_eq!((counts.bad_rows, counts.bad_values.last()), (1, Some(&1)));
}

/// A bad value is one of a row that counts, or one that the filter itself stumbled over.
#[test]
fn bad_values_of_rows_that_the_filter_removes_do_not_count() {
    let paid = expr(
        ExprKind::Compare(CompareOp::Eq, Box::new(column(3, &TYPES)), Box::new(literal(Value::Text("paid".into())))),
        Type::Bool,
    );
    let rules = rules(&TYPES, Some(paid), vec![over(AggregateFn::Sum, column(1, &TYPES), Type::Integer)]);
    let plan = FactPlan::new(&rules, FactsId(0), clock());
    assert_eq!(plan.columns().collect::<Vec<_>>(), [(0, 0), (1, 3), (2, 1)]);
    let fill = |scan: &mut FactScan| {
        for (status, amount) in [
            (Some("paid"), Cell::Bad),
            (Some("open"), Cell::Bad),
            (None, Cell::Value(5)),
            (Some("paid"), Cell::Value(7)),
        ] {
            let batch = scan.batch();
            batch.set(0, Cell::Value(0));
            match status {
                Some(text) => batch.set_text(1, text.as_bytes()),
                None => batch.set(1, Cell::Bad),
            }
            batch.set(2, amount);
            batch.end_row();
        }
    };
    let mut scan = FactScan::new(&plan, 1);
    fill(&mut scan);
    let found: Vec<_> = scan.inspect().into_iter().map(|bad| (bad.row, bad.column)).collect();
    assert_eq!(found, [(0, Some(2)), (2, Some(1))]);
    fill(&mut scan);
    scan.take();
    let (metrics, counts) = scan.finish();
    assert_eq!((counts.counted, counts.bad_rows, &counts.bad_values[..]), (2, 2, &[0, 1, 1][..]));
    assert_eq!(metrics[0].1.as_primitive::<arrow_array::types::Int64Type>().value(0), 7);
}

#[test]
fn a_text_column_that_only_conditions_read_forgets_its_texts() {
    let short = expr(
        ExprKind::StartsWith { value: Box::new(column(3, &TYPES)), prefix: "1".into(), negated: false },
        Type::Bool,
    );
    let mut count = over(AggregateFn::Count, column(1, &TYPES), Type::Integer);
    count.1.filter = Some(short);
    let rules = rules(&TYPES, None, vec![count]);
    let rows: Vec<Row> = (0..150_000)
        .map(|i: i64| {
            let mut row = row(0, Timestamp(0), i);
            row.values[3] = Some(Value::Text(i.to_string().into()));
            row
        })
        .collect();
    let (columns, _) = scan(&rules, &rows, 2);
    let expected = (0..150_000).filter(|i: &i64| i.to_string().starts_with('1')).count() as i64;
    assert_eq!(value_at(&columns[0], Type::Integer, 0), Some(Value::Integer(expected)));
}
