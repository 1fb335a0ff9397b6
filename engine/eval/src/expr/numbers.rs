//! Arithmetic whose result may not fit: NULL then, never an error.
//!
//! Exact numbers are counted in units of their scale, as `i128`; integers stay `i64` where the result is one. A decimal
//! has at most [`DIGITS`] digits, which is what Arrow's `Decimal128` promises to hold. Rounding is half away from zero
//! throughout.

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, PrimitiveArray, types};
use arrow_buffer::i256;
use tierd_model::{Decimal, Type, div_round, pow10};
use tierd_rules::ArithOp;

use super::{
    operand::{Operand, map, map2},
    real,
};
use crate::columns::arrow_type;

/// Digits of the largest decimal.
const DIGITS: u8 = 38;

type Int64 = types::Int64Type;
type Units = types::Decimal128Type;
type Float64 = types::Float64Type;

/// The units, if a decimal can have that many.
#[inline]
pub(crate) fn fit(units: i128) -> Option<i128> {
    (units.unsigned_abs() < const { pow10(DIGITS).unsigned_abs() }).then_some(units)
}

/// `a op b`; each operand with its type.
pub(super) fn arith(op: ArithOp, a: (&Operand, Type), b: (&Operand, Type), ty: Type, rows: usize) -> ArrayRef {
    match ty {
        Type::Real => Arc::new(real_arith(op, a.0, b.0, rows)),
        Type::Integer => Arc::new(integer_arith(op, a.0, b.0, rows)),
        _ => decimal_arith(op, a, b, ty, rows),
    }
}

fn real_arith(op: ArithOp, a: &Operand, b: &Operand, rows: usize) -> PrimitiveArray<Float64> {
    match op {
        ArithOp::Add => map2::<Float64, Float64, Float64>(a, b, rows, |a, b| real::finite(a + b)),
        ArithOp::Sub => map2::<Float64, Float64, Float64>(a, b, rows, |a, b| real::finite(a - b)),
        ArithOp::Mul => map2::<Float64, Float64, Float64>(a, b, rows, |a, b| real::finite(a * b)),
        ArithOp::Div => map2::<Float64, Float64, Float64>(a, b, rows, |a, b| real::finite(a / b)),
    }
}

fn integer_arith(op: ArithOp, a: &Operand, b: &Operand, rows: usize) -> PrimitiveArray<Int64> {
    match op {
        ArithOp::Add => map2::<Int64, Int64, Int64>(a, b, rows, i64::checked_add),
        ArithOp::Sub => map2::<Int64, Int64, Int64>(a, b, rows, i64::checked_sub),
        ArithOp::Mul => map2::<Int64, Int64, Int64>(a, b, rows, i64::checked_mul),
        // The checker gives quotients a scale; a whole one is rounded.
        ArithOp::Div => map2::<Int64, Int64, Int64>(a, b, rows, |a, b| {
            div_round(i128::from(a), i128::from(b)).and_then(|q| i64::try_from(q).ok())
        }),
    }
}

fn decimal_arith(op: ArithOp, a: (&Operand, Type), b: (&Operand, Type), ty: Type, rows: usize) -> ArrayRef {
    let (scale_a, scale_b, scale) = (digits(a.1), digits(b.1), digits(ty));
    let (a, b) = (units(a.0, a.1), units(b.0, b.1));
    let result = match op {
        ArithOp::Add => map2::<Units, Units, Units>(&a, &b, rows, |a, b| fit(a.checked_add(b)?)),
        ArithOp::Sub => map2::<Units, Units, Units>(&a, &b, rows, |a, b| fit(a.checked_sub(b)?)),
        ArithOp::Mul => {
            let rescale = rescaler(scale_a + scale_b, scale);
            map2::<Units, Units, Units>(&a, &b, rows, |a, b| rescale(a.checked_mul(b)?))
        }
        ArithOp::Div => {
            let shift = (scale + scale_b).saturating_sub(scale_a);
            let (factor, wide) = (power(shift), i256::from_i128(10).checked_pow(u32::from(shift)));
            map2::<Units, Units, Units>(&a, &b, rows, |a, b| match factor.and_then(|factor| a.checked_mul(factor)) {
                Some(dividend) => fit(div_round(dividend, b)?),
                // The quotient may fit where the dividend needs more than 128 bits.
                None => fit(wide_div_round(i256::from_i128(a).checked_mul(wide?)?, i256::from_i128(b))?),
            })
        }
    };
    decimals(result, ty)
}

fn wide_div_round(dividend: i256, divisor: i256) -> Option<i128> {
    let (quotient, rest) = dividend.checked_div_rem(divisor)?;
    let twice = rest.wrapping_abs().checked_mul(i256::from_i128(2))?;
    let quotient = quotient.to_i128()?;
    if twice < divisor.wrapping_abs() {
        return Some(quotient);
    }
    if dividend.is_negative() == divisor.is_negative() { quotient.checked_add(1) } else { quotient.checked_sub(1) }
}

pub(super) fn negate(a: &Operand, ty: Type) -> ArrayRef {
    match ty {
        Type::Real => Arc::new(map::<Float64, Float64>(a, |a| real::finite(-a))),
        Type::Integer => Arc::new(map::<Int64, Int64>(a, i64::checked_neg)),
        _ => decimals(map::<Units, Units>(a, |a| fit(a.checked_neg()?)), ty),
    }
}

pub(super) fn abs(a: &Operand, ty: Type) -> ArrayRef {
    match ty {
        Type::Real => Arc::new(map::<Float64, Float64>(a, |a| real::finite(a.abs()))),
        Type::Integer => Arc::new(map::<Int64, Int64>(a, i64::checked_abs)),
        _ => decimals(map::<Units, Units>(a, |a| fit(a.checked_abs()?)), ty),
    }
}

/// To `places` digits after the point: reals stay reals, exact numbers take the scale of `ty`.
pub(super) fn round(a: &Operand, from: Type, places: u8, ty: Type) -> ArrayRef {
    match (from, ty) {
        (Type::Real, Type::Real) => Arc::new(map::<Float64, Float64>(a, |a| real::finite(real::round(a, places)))),
        _ => cast(a, from, ty),
    }
}

/// Which whole number a number goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    /// The greatest that isn't larger.
    Below,
    /// The least that isn't smaller.
    Above,
}

/// The nearest whole number on one side, as an integer; what doesn't fit is NULL.
pub(super) fn whole(a: &Operand, from: Type, side: Whole) -> ArrayRef {
    let above = side == Whole::Above;
    match from.scale() {
        None => Arc::new(map::<Float64, Int64>(a, |a| real::whole(if above { a.ceil() } else { a.floor() }))),
        Some(0) => cast(a, from, Type::Integer),
        Some(scale) => {
            let one = power(scale);
            Arc::new(map::<Units, Int64>(a, |a| {
                let one = one?;
                let up = i128::from(above && a.rem_euclid(one) > 0);
                i64::try_from(a.div_euclid(one) + up).ok()
            }))
        }
    }
}

/// From one number type to another; what doesn't fit is NULL.
pub(super) fn cast(a: &Operand, from: Type, to: Type) -> ArrayRef {
    match (from, to) {
        _ if from == to => Arc::clone(a.values()),
        (Type::Real, Type::Integer) => {
            Arc::new(map::<Float64, Int64>(a, |a| i64::try_from(real::round_units(a, 0)?).ok()))
        }
        (Type::Real, _) => decimals(map::<Float64, Units>(a, |a| fit(real::round_units(a, digits(to))?)), to),
        (_, Type::Real) => {
            let scale = digits(from);
            Arc::new(map::<Units, Float64>(&units(a, from), |a| real::finite(Decimal::new(a, scale).to_f64())))
        }
        (_, Type::Integer) => {
            let rescale = rescaler(digits(from), 0);
            Arc::new(map::<Units, Int64>(&units(a, from), |a| i64::try_from(rescale(a)?).ok()))
        }
        _ => {
            let rescale = rescaler(digits(from), digits(to));
            decimals(map::<Units, Units>(&units(a, from), rescale), to)
        }
    }
}

/// An exact number as units of its scale; integers are units of scale 0.
fn units(a: &Operand, ty: Type) -> Operand {
    if ty != Type::Integer {
        return a.clone();
    }
    a.with(Arc::new(map::<Int64, Units>(a, |a| Some(i128::from(a)))))
}

/// Digits after the point of an exact number.
fn digits(ty: Type) -> u8 {
    ty.scale().unwrap_or(0)
}

fn power(exponent: u8) -> Option<i128> {
    10i128.checked_pow(u32::from(exponent))
}

/// Units of one scale to the nearest of another.
fn rescaler(from: u8, to: u8) -> impl Fn(i128) -> Option<i128> {
    let factor = power(from.abs_diff(to));
    let up = to >= from;
    move |units| fit(if up { units.checked_mul(factor?)? } else { div_round(units, factor?)? })
}

fn decimals(units: Decimal128Array, ty: Type) -> ArrayRef {
    Arc::new(units.with_data_type(arrow_type(ty)))
}
