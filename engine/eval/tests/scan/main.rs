//! One pass with batches, masks and dense accumulators against a plain reading of the rules, row by row.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod base;
mod bookings;
mod gathered;
mod random;
mod reference;

use arrow_array::{Array, ArrayRef, cast::AsArray};
use arrow_select::concat::concat;
use proptest::prelude::*;
use tierd_eval::{
    columns::{array_of, value_at},
    scan::{Cell, FactCounts, FactPlan, FactScan, Reading, Scanned},
};
use tierd_model::{Decimal, Timestamp, Type, Value, Window, WindowKind};
use tierd_rules::{Aggregate, AggregateFn, ArithOp, CompareOp, Expr, ExprKind, FactsId, RuleSet};

use base::{ANCHOR_TYPES, Anchors, Row, SUBJECTS, TYPES, clock, column, expr, literal, rules, stored};
use random::{aggregate, anchors, condition, rows};
use reference::{expected, holds, instant};

const FIRST: Reading = Reading { facts: FactsId(0), pass: 0 };

/// As [`scan_all`], without windows of the subjects' own.
fn scan(rules: &RuleSet, rows: &[Row], splits: usize) -> (Vec<ArrayRef>, FactCounts) {
    let Scanned { metrics, counts, .. } = scan_all(rules, (&Anchors::default(), rows), splits);
    (metrics.into_iter().map(|(_, array)| array).collect(), counts)
}

/// Runs the rows, split among as many scans as `splits` says.
fn scan_all(rules: &RuleSet, (anchors, rows): (&Anchors, &[Row]), splits: usize) -> Scanned {
    let anchors: Vec<_> = anchors.iter().zip(ANCHOR_TYPES).map(|(values, ty)| column_of(ty, values)).collect();
    let plan = FactPlan::new(rules, FIRST, clock(), &anchors, SUBJECTS);
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
    whole.finish()
}

fn column_of(ty: Type, values: &[Option<Value>]) -> Option<ArrayRef> {
    let values: Vec<ArrayRef> = values.iter().map(|value| array_of(ty, value.as_ref(), 1)).collect();
    let values: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
    (!values.is_empty()).then(|| concat(&values).unwrap())
}

const DATED: [Type; 7] = [Type::Date, Type::Integer, Type::Decimal(2), Type::Text, Type::Bool, Type::Real, Type::Date];

fn check(
    types: &'static [Type],
    filter: Option<Expr>,
    metrics: Vec<(Type, Aggregate)>,
    anchors: &Anchors,
    [rows, shuffled]: [&[Row]; 2],
) {
    let rules = rules(types, filter, metrics);
    let Scanned { metrics, counts, .. } = scan_all(&rules, (anchors, rows), 1);
    for (id, column) in &metrics {
        let metric = &rules.metrics[id.0];
        assert_eq!(column.len(), SUBJECTS);
        for subject in 0..SUBJECTS {
            let found = value_at(column, metric.ty, subject);
            let expected = expected(&rules, metric, (anchors, rows), types, subject);
            assert_eq!(found, expected, "subject {subject} of {metric:#?}");
        }
    }
    let counted: Vec<&Row> = rows.iter().filter(|row| holds(&rules.config.facts[0].filter, row, types)).collect();
    assert_eq!((counts.rows, counts.counted), (rows.len() as u64, counted.len() as u64));
    assert_eq!(counts.unknown_subjects, counted.iter().filter(|row| row.subject == SUBJECTS).count() as u64);
    assert_eq!(counts.newest, counted.iter().filter_map(|row| instant(row)).filter(|at| *at <= clock().as_of()).max());
    for splits in [1, 2, 5] {
        let again = scan_all(&rules, (anchors, shuffled), splits);
        assert_eq!(counts, again.counts);
        for ((_, column), (_, again)) in metrics.iter().zip(&again.metrics) {
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
        anchors in anchors(),
        (rows, shuffled) in rows(&TYPES).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        check(&TYPES, filter, metrics, &anchors, [&rows, &shuffled]);
    }

    #[test]
    fn dates_count_from_their_local_midnight(
        metrics in proptest::collection::vec(aggregate(&DATED), 1..4),
        anchors in anchors(),
        (rows, shuffled) in rows(&DATED).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        check(&DATED, None, metrics, &anchors, [&rows, &shuffled]);
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
    let plan = FactPlan::new(&rules, FIRST, clock(), &[], 1);
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
    let Scanned { metrics, counts, .. } = scan.finish();
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
