//! Doubles as numbers: every real that an expression works with is finite, and zero has one sign.
//!
//! That makes equality of bits, Arrow's total order and the order of numbers one and the same.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, cast::AsArray, types::Float64Type};
use arrow_buffer::i256;

/// The number, with zero positive; `None` for NaN and the infinities.
#[inline]
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value + 0.0)
}

/// The column with NULL for what isn't finite and zero positive. Nothing is copied where nothing changes.
pub(crate) fn tidy(column: &ArrayRef) -> ArrayRef {
    let reals = column.as_primitive::<Float64Type>();
    let is_tidy = |value: &f64| finite(*value).is_some_and(|tidy| tidy.to_bits() == value.to_bits());
    if reals.values().iter().all(is_tidy) {
        return Arc::clone(column);
    }
    Arc::new(reals.iter().map(|value| value.and_then(finite)).collect::<Float64Array>())
}

/// `value` rounded to `digits` (at most 38) after the point, halves away from zero, as a whole number of `10^-digits`.
///
/// Decided on the exact binary value: 1.005 is a little less than it looks and goes to 1.00. A double is a
/// mantissa times a power of two, and 256 bits hold the mantissa times `10^digits` exactly. `None` where the result
/// leaves the range of `i128`.
pub(super) fn round_units(value: f64, digits: u8) -> Option<i128> {
    let (mantissa, exponent) = decode(value.abs());
    let power = i256::from_i128(10i128.checked_pow(u32::from(digits))?);
    let product = i256::from_i128(i128::from(mantissa)).checked_mul(power)?;
    let units = match exponent {
        0..=126 => product.checked_mul(i256::ONE << exponent as u8)?,
        // Half a unit, added before the rest is cut off, carries halves up.
        -255..=-1 => (product + (i256::ONE << (-exponent - 1) as u8)) >> (-exponent) as u8,
        _ if mantissa == 0 || exponent < 0 => i256::ZERO,
        _ => return None,
    };
    let units = units.to_i128()?;
    Some(if value < 0.0 { -units } else { units })
}

/// A double that is a whole number, as one; `None` beyond 64 bits.
pub(super) fn whole(value: f64) -> Option<i64> {
    // Both ends are powers of two, so that comparing with them is exact.
    let end = 2f64.powi(63);
    (-end..end).contains(&value).then_some(value as i64)
}

/// Mantissa and exponent of a finite double that isn't negative (IEEE 754, binary64).
fn decode(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), (bits >> 52) as i32);
    // Subnormal numbers have no hidden bit, and the exponent of the smallest normal ones.
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

/// `value` rounded to `digits` (at most 22) after the point, halves away from zero: the double nearest to that decimal.
pub(super) fn round(value: f64, digits: u8) -> f64 {
    match round_units(value, digits) {
        // From 2^53 units on a double has no more digits to round; below, both operands of the division are exact.
        Some(units) if units.unsigned_abs() < 1 << 53 && digits <= 22 => units as f64 / 10f64.powi(i32::from(digits)),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_decided_on_the_exact_binary_value() {
        for (value, digits, expected) in [
            (2.5, 0, 3.0),
            (-2.5, 0, -3.0),
            (0.49999999999999994, 0, 0.0),
            (-0.4, 0, 0.0),
            (1.005, 2, 1.0),
            (1.115, 2, 1.11),
            (2.675, 2, 2.67),
            (0.125, 2, 0.13),
            (4503599627370497.5, 0, 4503599627370498.0),
            (1e300, 18, 1e300),
            (123.456, 25, 123.456),
        ] {
            assert_eq!(round(value, digits).to_bits(), f64::to_bits(expected), "round({value}, {digits})");
        }
    }

    #[test]
    fn units_are_exact_where_the_product_is_not() {
        assert_eq!(round_units(0.1, 18), Some(100_000_000_000_000_006));
        assert_eq!(round_units(-0.1, 18), Some(-100_000_000_000_000_006));
        assert_eq!(round_units(5e-324, 38), Some(0));
        assert_eq!(round_units(1e30, 18), None);
    }
}
