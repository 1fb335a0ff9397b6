//! When values are the same, and how they are shown.

use tierd_model::{Clock, MICROS, Timestamp, Value};

/// How far a real may be from what is expected, as a share of it: what arithmetic in another order may make of it.
const REAL_TOLERANCE: f64 = 1e-9;

/// Whether a value is the expected one: numbers by their value, whatever their digits.
pub(crate) fn same(expected: Option<&Value>, found: Option<&Value>) -> bool {
    match (expected, found) {
        (None, None) => true,
        (Some(Value::Real(a)), Some(Value::Real(b))) => (a - b).abs() <= REAL_TOLERANCE * a.abs().max(b.abs()),
        (Some(a), Some(b)) => match (a.as_decimal(), b.as_decimal()) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
        _ => false,
    }
}

/// A value for people; times are local.
pub(crate) fn shown(value: Option<&Value>, clock: &Clock) -> String {
    match value {
        None => "null".to_owned(),
        Some(Value::Timestamp(at)) => local_time(*at, clock),
        Some(Value::Text(text)) => format!("{text:?}"),
        Some(value) => value.to_string(),
    }
}

/// `2026-06-30 09:00`, with seconds where there are any.
pub(crate) fn local_time(at: Timestamp, clock: &Clock) -> String {
    let civil = clock.zone().to_civil(at.0);
    let second = civil.div_euclid(MICROS).rem_euclid(86_400);
    let time = format!("{} {:02}:{:02}", clock.zone().date_of(at), second / 3600, second / 60 % 60);
    if second % 60 == 0 { time } else { format!("{time}:{:02}", second % 60) }
}

#[cfg(test)]
mod tests {
    use tierd_model::Decimal;

    use super::*;

    #[test]
    fn numbers_are_compared_by_value() {
        let decimal = |text: &str| Value::Decimal(Decimal::parse(text).unwrap());
        for (a, b, expected) in [
            (decimal("12.50"), decimal("12.5"), true),
            (decimal("12.00"), Value::Integer(12), true),
            (decimal("12.50"), decimal("12.51"), false),
            (Value::Real(0.1 + 0.2), Value::Real(0.3), true),
            (Value::Real(0.3), Value::Real(0.300001), false),
            (Value::Text("a".into()), Value::Text("A".into()), false),
        ] {
            assert_eq!(same(Some(&a), Some(&b)), expected, "{a} {b}");
        }
        assert!(same(None, None));
        assert!(!same(None, Some(&Value::Integer(0))));
    }
}
