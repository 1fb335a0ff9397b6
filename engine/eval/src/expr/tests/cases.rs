//! The semantics that people ask about, one line each.

use tierd_model::{CalendarSpan, Type, Value};
use tierd_rules::{ArithOp, CompareOp, Expr, ExprKind as K};

use crate::{
    columns::value_at,
    expr::{CHUNK, evaluate, truth},
    testing::{array, clock, column, date, decimal, instant, integer, literal, node, text},
};

/// The expression's value over one row of NULLs of type integer, as text.
fn shown(expr: &Expr) -> String {
    let columns = [Some(array(Type::Integer, &[None]))];
    let values = evaluate(expr, &columns, 1, &clock("2026-03-31T10:00", "Asia/Shanghai"));
    value_at(&values, expr.ty, 0).map_or_else(|| "NULL".to_owned(), |value| value.to_string())
}

fn check(kind: K, ty: Type, expected: &str) {
    let expr = node(kind, ty);
    assert_eq!(shown(&expr), expected, "{expr:?}");
}

fn boxed(value: Value) -> Box<Expr> {
    Box::new(literal(value))
}

fn null(ty: Type) -> Expr {
    node(K::Null, ty)
}

fn unknown() -> Expr {
    let null = Box::new(column(0, Type::Integer));
    node(K::Compare(CompareOp::Eq, null, boxed(integer(1))), Type::Bool)
}

fn verdict(value: bool) -> Expr {
    literal(Value::Bool(value))
}

#[test]
fn division_rounds_halves_away_from_zero() {
    for (a, b, scale, expected) in [
        (integer(1), integer(3), 6, "0.333333"),
        (integer(-2), integer(3), 6, "-0.666667"),
        (decimal("0.000001"), integer(2), 6, "0.000001"),
        (decimal("-0.000001"), integer(2), 6, "-0.000001"),
        (decimal("10.00"), decimal("4.000"), 6, "2.500000"),
        (integer(1), integer(0), 6, "NULL"),
        (decimal("1.00"), decimal("0.00"), 6, "NULL"),
        (integer(i64::MIN), integer(-1), 6, "9223372036854775808.000000"),
    ] {
        check(K::Arith(ArithOp::Div, boxed(a), boxed(b)), Type::Decimal(scale), expected);
    }
}

#[test]
fn a_quotient_that_fits_is_found_though_its_dividend_does_not() {
    let a = decimal("12345678901234567890.123456789012345678");
    check(K::Arith(ArithOp::Div, boxed(a.clone()), boxed(a)), Type::Decimal(18), "1.000000000000000000");
}

#[test]
fn what_does_not_fit_is_null() {
    let most = || decimal("99999999999999999999999999999999999999");
    let (ty, one) = (Type::Decimal(0), || decimal("1"));
    check(K::Arith(ArithOp::Add, boxed(most()), boxed(one())), ty, "NULL");
    check(K::Arith(ArithOp::Mul, boxed(most()), boxed(most())), ty, "NULL");
    check(K::Arith(ArithOp::Sub, boxed(most()), boxed(one())), ty, "99999999999999999999999999999999999998");
    check(K::Arith(ArithOp::Mul, boxed(integer(i64::MAX)), boxed(integer(2))), Type::Integer, "NULL");
    check(K::Negate(boxed(integer(i64::MIN))), Type::Integer, "NULL");
    check(K::Abs(boxed(integer(i64::MIN))), Type::Integer, "NULL");
    check(K::Cast(boxed(most())), Type::Integer, "NULL");
    check(K::Cast(boxed(most())), Type::Decimal(1), "NULL");
    check(K::Cast(boxed(Value::Real(1e300))), Type::Decimal(2), "NULL");
}

#[test]
fn reals_that_are_not_finite_are_null_and_zero_has_no_sign() {
    let real = Value::Real;
    check(K::Arith(ArithOp::Div, boxed(real(1.0)), boxed(real(0.0))), Type::Real, "NULL");
    check(K::Arith(ArithOp::Mul, boxed(real(1e300)), boxed(real(1e300))), Type::Real, "NULL");
    check(K::Literal(real(f64::NAN)), Type::Real, "NULL");
    check(K::Negate(boxed(real(0.0))), Type::Real, "0");
    check(K::Compare(CompareOp::Eq, boxed(real(-0.0)), boxed(real(0.0))), Type::Bool, "true");
    check(K::Round(boxed(real(-2.5)), 0), Type::Real, "-3");
}

#[test]
fn decimals_round_and_widen_exactly() {
    check(K::Round(boxed(decimal("2.345")), 2), Type::Decimal(2), "2.35");
    check(K::Round(boxed(decimal("-2.5")), 0), Type::Decimal(0), "-3");
    check(K::Round(boxed(integer(7)), 2), Type::Decimal(2), "7.00");
    check(K::Cast(boxed(decimal("7.50"))), Type::Integer, "8");
    check(K::Cast(boxed(decimal("7.5"))), Type::Decimal(3), "7.500");
    check(K::Cast(boxed(decimal("7.5"))), Type::Real, "7.5");
}

#[test]
fn whole_numbers_lie_on_both_sides() {
    for (number, below, above) in [
        (decimal("7.50"), "7", "8"),
        (decimal("-7.50"), "-8", "-7"),
        (decimal("7.00"), "7", "7"),
        (decimal("-0.01"), "-1", "0"),
        (integer(7), "7", "7"),
        (Value::Real(-2.5), "-3", "-2"),
        (Value::Real(9.3e18), "NULL", "NULL"),
        (Value::Real(-(2f64.powi(63))), "-9223372036854775808", "-9223372036854775808"),
        (decimal("92233720368547758.075"), "92233720368547758", "92233720368547759"),
        (decimal("9223372036854775807.5"), "9223372036854775807", "NULL"),
    ] {
        check(K::Floor(boxed(number.clone())), Type::Integer, below);
        check(K::Ceil(boxed(number)), Type::Integer, above);
    }
}

#[test]
fn logic_is_kleenes() {
    let (yes, no) = (|| verdict(true), || verdict(false));
    for (kind, expected) in [
        (K::And(vec![unknown(), no()]), "false"),
        (K::And(vec![yes(), unknown(), yes()]), "NULL"),
        (K::Or(vec![unknown(), yes()]), "true"),
        (K::Or(vec![no(), unknown()]), "NULL"),
        (K::Not(Box::new(unknown())), "NULL"),
        (K::And(vec![]), "true"),
        (K::Or(vec![]), "false"),
    ] {
        check(kind, Type::Bool, expected);
    }
}

#[test]
fn between_is_false_where_one_end_proves_it() {
    let between = |value, low: Expr, high: Expr, negated| {
        let (value, low, high) = (boxed(integer(value)), Box::new(low), Box::new(high));
        K::Between { value, low, high, negated }
    };
    let (five, nothing) = (|| literal(integer(5)), || column(0, Type::Integer));
    check(between(5, five(), five(), false), Type::Bool, "true");
    check(between(4, five(), nothing(), false), Type::Bool, "false");
    check(between(4, five(), nothing(), true), Type::Bool, "true");
    check(between(6, five(), nothing(), false), Type::Bool, "NULL");
}

#[test]
fn null_is_in_no_list_and_in_none_missing() {
    for list in [3, 100] {
        let list: Vec<Value> = (0..list).map(integer).collect();
        let found = |value: Expr, negated| K::In { value: Box::new(value), list: list.clone(), negated };
        check(found(literal(integer(2)), false), Type::Bool, "true");
        check(found(literal(integer(-2)), true), Type::Bool, "true");
        check(found(column(0, Type::Integer), false), Type::Bool, "NULL");
        check(found(column(0, Type::Integer), true), Type::Bool, "NULL");
    }
}

#[test]
fn is_null_is_never_unknown() {
    let nothing = || Box::new(column(0, Type::Integer));
    check(K::IsNull { value: nothing(), negated: false }, Type::Bool, "true");
    check(K::IsNull { value: nothing(), negated: true }, Type::Bool, "false");
    check(K::IsNull { value: Box::new(unknown()), negated: false }, Type::Bool, "true");
}

#[test]
fn case_passes_over_unknown_conditions() {
    let whens = || vec![(unknown(), literal(text("A"))), (verdict(true), literal(text("B")))];
    check(K::Case { whens: whens(), otherwise: None }, Type::Text, "B");
    let first = vec![(unknown(), literal(text("A")))];
    check(K::Case { whens: first.clone(), otherwise: Some(boxed(text("C"))) }, Type::Text, "C");
    check(K::Case { whens: first, otherwise: None }, Type::Text, "NULL");
}

#[test]
fn nulls_are_passed_over_where_sql_says_so() {
    let some = || vec![null(Type::Integer), literal(integer(2)), literal(integer(1))];
    check(K::Least(some()), Type::Integer, "1");
    check(K::Greatest(some()), Type::Integer, "2");
    check(K::Least(vec![null(Type::Integer), column(0, Type::Integer)]), Type::Integer, "NULL");
    check(K::Coalesce(some()), Type::Integer, "2");
    check(K::NullIf(boxed(integer(0)), boxed(integer(0))), Type::Integer, "NULL");
    check(K::NullIf(boxed(integer(3)), Box::new(null(Type::Integer))), Type::Integer, "3");
}

#[test]
fn dates_move_by_the_calendar() {
    let months = CalendarSpan::months;
    check(K::AddSpan(boxed(date("2024-01-31")), months(1)), Type::Date, "2024-02-29");
    check(K::AddSpan(boxed(date("2024-03-31")), months(-1)), Type::Date, "2024-02-29");
    check(K::AddSpan(boxed(date("9999-12-31")), CalendarSpan::days(1)), Type::Date, "NULL");
    check(K::AddSpan(boxed(date("2024-01-31")), months(i32::MIN)), Type::Date, "NULL");
    check(K::Today, Type::Date, "2026-03-31");
    let (joined, today) = (boxed(date("2026-03-01")), Box::new(node(K::Today, Type::Date)));
    check(K::DaysBetween(joined, today), Type::Integer, "30");
    // 16:00 in London is the next day in Shanghai.
    check(K::DateOf(boxed(instant(16 * 3_600_000_000))), Type::Date, "1970-01-02");
}

#[test]
fn instants_keep_their_local_time_of_day() {
    let clock = clock("2026-03-31T10:00", "America/New_York");
    for span in [CalendarSpan::months(-1), CalendarSpan::days(-30), CalendarSpan::months(11)] {
        let as_of = Box::new(node(K::AsOf, Type::Timestamp));
        let values = evaluate(&node(K::AddSpan(as_of, span), Type::Timestamp), &[], 1, &clock);
        let expected = Some(Value::Timestamp(clock.as_of_plus(span)));
        assert_eq!(value_at(&values, Type::Timestamp, 0), expected, "{span}");
    }
}

#[test]
fn constants_fill_any_number_of_rows() {
    let clock = clock("2026-03-31T10:00", "UTC");
    for rows in [0, 1, CHUNK + 1] {
        assert_eq!(truth(&verdict(true), &[], rows, &clock).true_count(), rows);
        assert_eq!(evaluate(&null(Type::Decimal(2)), &[], rows, &clock).len(), rows);
    }
}

/// Values under NULLs are anything; kernels must not let them shine through.
#[test]
fn sliced_columns_are_read_from_their_offset() {
    let values: Vec<Option<Value>> = (0..100).map(|i| (i % 3 > 0).then(|| integer(i))).collect();
    let whole = array(Type::Integer, &values);
    let twice = node(
        K::Arith(ArithOp::Add, Box::new(column(0, Type::Integer)), Box::new(column(0, Type::Integer))),
        Type::Integer,
    );
    let few = node(K::Compare(CompareOp::Lt, Box::new(twice), boxed(integer(100))), Type::Bool);
    let clock = clock("2026-03-31T10:00", "UTC");
    let verdicts = truth(&few, &[Some(whole.slice(37, 30))], 30, &clock);
    for row in 0..30 {
        let i = row as i64 + 37;
        let expected = (i % 3 > 0).then_some(Value::Bool(2 * i < 100));
        assert_eq!(value_at(&verdicts, Type::Bool, row), expected, "{i}");
    }
}
