//! The meaning of expressions, one row at a time and as plainly as can be: what the columns are checked against.
//!
//! Shares nothing with the evaluator. Exact numbers are 256 bits wide here, and reals are rounded on their decimal
//! expansion.

use std::cmp::Ordering;

use arrow_buffer::i256;
use tierd_model::{Clock, DAY_MICROS, Date, Decimal, Timestamp, Type, Value};
use tierd_rules::{ArithOp, CompareOp, Expr, ExprKind};

type Row<'a> = &'a [Option<Value>];

pub(super) fn value(expr: &Expr, row: Row<'_>, clock: &Clock) -> Option<Value> {
    use ExprKind as K;
    let of = |expr: &Expr| value(expr, row, clock);
    let truth = |expr: &Expr| verdict(expr, row, clock);
    match &expr.kind {
        K::Literal(v) => known(v.clone()),
        K::Null => None,
        K::Column(index) => row[*index].clone().and_then(known),
        K::AsOf => Some(Value::Timestamp(clock.as_of())),
        K::Today => Some(Value::Date(clock.today())),
        K::Not(a) => boolean(truth(a).map(|a| !a)),
        K::And(all) => boolean(conjunction(all.iter().map(truth))),
        K::Or(all) => boolean(conjunction(all.iter().map(|a| truth(a).map(|a| !a))).map(|a| !a)),
        K::Compare(op, a, b) => boolean(compare(*op, of(a), of(b))),
        K::Between { value, low, high, negated } => {
            let above = compare(CompareOp::Ge, of(value), of(low));
            let below = compare(CompareOp::Le, of(value), of(high));
            boolean(conjunction([above, below].into_iter()).map(|inside| inside != *negated))
        }
        K::In { value, list, negated } => {
            let value = of(value)?;
            boolean(Some(list.iter().any(|constant| order(constant, &value) == Ordering::Equal) != *negated))
        }
        K::IsNull { value, negated } => boolean(Some(of(value).is_none() != *negated)),
        K::StartsWith { value, prefix, negated } => match of(value)? {
            Value::Text(text) => boolean(Some(text.starts_with(prefix.as_ref()) != *negated)),
            other => panic!("{other:?}"),
        },
        K::Arith(op, a, b) => arith(*op, of(a)?, of(b)?, expr.ty),
        K::Negate(a) => arith(ArithOp::Sub, zero(a.ty), of(a)?, expr.ty),
        K::Abs(a) => {
            let a = of(a)?;
            if order(&a, &zero(a.ty())) == Ordering::Less {
                arith(ArithOp::Sub, zero(a.ty()), a, expr.ty)
            } else {
                fitting(a)
            }
        }
        K::Floor(a) => whole(of(a)?, false),
        K::Ceil(a) => whole(of(a)?, true),
        K::Round(a, digits) => match of(a)? {
            Value::Real(v) => known(Value::Real(rounded_text(v, *digits).parse().unwrap())),
            exact => cast(exact, expr.ty),
        },
        K::Cast(a) => cast(of(a)?, expr.ty),
        K::Case { whens, otherwise } => {
            let chosen = whens.iter().find(|(when, _)| truth(when) == Some(true));
            chosen.map(|(_, then)| then).or(otherwise.as_deref()).and_then(of)
        }
        K::Coalesce(all) => all.iter().find_map(of),
        K::NullIf(a, b) => of(a).filter(|a| of(b).is_none_or(|b| order(a, &b) != Ordering::Equal)),
        K::Least(all) => all.iter().filter_map(of).min_by(order),
        K::Greatest(all) => all.iter().filter_map(of).max_by(order),
        K::AddSpan(a, span) => match of(a)? {
            Value::Date(date) => add_span(date, *span).map(Value::Date),
            Value::Timestamp(at) => {
                let civil = clock.zone().to_civil(at.0);
                let day = add_span(Date(i32::try_from(civil.div_euclid(DAY_MICROS)).ok()?), *span)?;
                let civil = i64::from(day.0) * DAY_MICROS + civil.rem_euclid(DAY_MICROS);
                Some(Value::Timestamp(Timestamp(clock.zone().to_instant(civil))))
            }
            other => panic!("{other:?}"),
        },
        K::DaysBetween(a, b) => match (of(a)?, of(b)?) {
            (Value::Date(a), Value::Date(b)) => Some(Value::Integer(i64::from(b.0) - i64::from(a.0))),
            other => panic!("{other:?}"),
        },
        K::DateOf(a) => match of(a)? {
            Value::Timestamp(at) => Some(Value::Date(clock.zone().date_of(at))),
            other => panic!("{other:?}"),
        },
    }
}

fn verdict(expr: &Expr, row: Row<'_>, clock: &Clock) -> Option<bool> {
    match value(expr, row, clock)? {
        Value::Bool(verdict) => Some(verdict),
        other => panic!("{other:?}"),
    }
}

fn boolean(verdict: Option<bool>) -> Option<Value> {
    verdict.map(Value::Bool)
}

/// FALSE if any is FALSE, else UNKNOWN if any is UNKNOWN, else TRUE.
fn conjunction(verdicts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let verdicts: Vec<_> = verdicts.collect();
    if verdicts.contains(&Some(false)) {
        return Some(false);
    }
    if verdicts.contains(&None) { None } else { Some(true) }
}

fn compare(op: CompareOp, a: Option<Value>, b: Option<Value>) -> Option<bool> {
    let order = order(&a?, &b?);
    Some(match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    })
}

fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) if a.scale == b.scale => a.units.cmp(&b.units),
        (Value::Real(a), Value::Real(b)) => a.partial_cmp(b).unwrap(),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        other => panic!("{other:?}"),
    }
}

/// NaN and the infinities are no values.
fn known(value: Value) -> Option<Value> {
    match value {
        Value::Real(v) if !v.is_finite() => None,
        other => Some(other),
    }
}

fn arith(op: ArithOp, a: Value, b: Value, ty: Type) -> Option<Value> {
    if let (Value::Real(a), Value::Real(b)) = (&a, &b) {
        let result = match op {
            ArithOp::Add => a + b,
            ArithOp::Sub => a - b,
            ArithOp::Mul => a * b,
            ArithOp::Div => a / b,
        };
        return known(Value::Real(result));
    }
    let ((a, scale_a), (b, scale_b)) = (exact(&a), exact(&b));
    let (dividend, divisor) = match op {
        ArithOp::Add => (a.checked_add(b)?, i256::ONE),
        ArithOp::Sub => (a.checked_sub(b)?, i256::ONE),
        ArithOp::Mul => (a.checked_mul(b)?, ten_to(scale_a + scale_b - ty.scale().unwrap())),
        ArithOp::Div => (a.checked_mul(ten_to(ty.scale().unwrap() + scale_b - scale_a))?, b),
    };
    typed(nearest(dividend, divisor)?, ty)
}

fn cast(value: Value, ty: Type) -> Option<Value> {
    match (value, ty) {
        (value @ Value::Real(_), Type::Real) => Some(value),
        (Value::Real(v), _) => {
            let text = rounded_text(v, ty.scale().unwrap());
            typed(i256::from_string(&text.replace('.', ""))?, ty)
        }
        (value, Type::Real) => Some(Value::Real(value.as_decimal().unwrap().to_f64())),
        // The same number in the same type stays what it is.
        (value, ty) if value.ty() == ty => Some(value),
        (value, ty) => {
            let ((units, from), to) = (exact(&value), ty.scale().unwrap());
            let shifted = units.checked_mul(ten_to(to.saturating_sub(from)))?;
            typed(nearest(shifted, ten_to(from.saturating_sub(to)))?, ty)
        }
    }
}

/// The integer right below or right above, unless the number is one.
fn whole(value: Value, above: bool) -> Option<Value> {
    let (cut, negative, broken) = match value {
        Value::Real(v) => {
            let expansion = format!("{v:.1100}");
            let (digits, rest) = expansion.split_once('.').unwrap();
            (i256::from_string(digits)?, v < 0.0, rest.bytes().any(|digit| digit != b'0'))
        }
        exact_number => {
            let (units, scale) = exact(&exact_number);
            let (cut, rest) = units.checked_div_rem(ten_to(scale))?;
            (cut, units.is_negative(), rest != i256::ZERO)
        }
    };
    let step = match (broken, negative, above) {
        (true, true, false) => i256::MINUS_ONE,
        (true, false, true) => i256::ONE,
        _ => i256::ZERO,
    };
    typed(cut.checked_add(step)?, Type::Integer)
}

fn exact(value: &Value) -> (i256, u8) {
    let decimal = value.as_decimal().unwrap();
    (i256::from_i128(decimal.units), decimal.scale)
}

fn ten_to(exponent: u8) -> i256 {
    (0..exponent).fold(i256::ONE, |power, _| power.checked_mul(i256::from_i128(10)).unwrap())
}

/// Halves away from zero.
fn nearest(dividend: i256, divisor: i256) -> Option<i256> {
    let (quotient, rest) = dividend.checked_div_rem(divisor)?;
    let twice = rest.wrapping_abs().checked_add(rest.wrapping_abs())?;
    let away = if dividend.is_negative() == divisor.is_negative() { i256::ONE } else { i256::MINUS_ONE };
    if twice >= divisor.wrapping_abs() { quotient.checked_add(away) } else { Some(quotient) }
}

fn typed(units: i256, ty: Type) -> Option<Value> {
    let units = units.to_i128()?;
    match ty {
        Type::Integer => i64::try_from(units).ok().map(Value::Integer),
        Type::Decimal(scale) => fitting(Value::Decimal(Decimal::new(units, scale))),
        other => panic!("{other:?}"),
    }
}

/// A decimal has at most 38 digits.
fn fitting(value: Value) -> Option<Value> {
    match value {
        Value::Decimal(d) if d.units.unsigned_abs().to_string().len() > 38 => None,
        other => Some(other),
    }
}

fn zero(ty: Type) -> Value {
    match ty {
        Type::Integer => Value::Integer(0),
        Type::Decimal(scale) => Value::Decimal(Decimal::new(0, scale)),
        Type::Real => Value::Real(0.0),
        other => panic!("{other:?}"),
    }
}

fn add_span(date: Date, span: tierd_model::CalendarSpan) -> Option<Date> {
    let written = |date: Date| (-9999..=9999).contains(&date.ymd().0).then_some(date);
    written(span.add_to(written(date)?))
}

/// The decimal expansion of a double is finite: round it as one does on paper.
fn rounded_text(value: f64, digits: u8) -> String {
    let expansion = format!("{:.1100}", value.abs());
    let point = expansion.find('.').unwrap();
    let (kept, rest) = expansion.split_at(point + 1 + usize::from(digits));
    let mut kept: Vec<u8> = kept.bytes().collect();
    if rest.as_bytes()[0] >= b'5' {
        increment(&mut kept);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", String::from_utf8(kept).unwrap().trim_end_matches('.'))
}

fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev().filter(|digit| **digit != b'.') {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}
