//! Between the scan's plain integers and Arrow arrays.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, cast::AsArray, types,
};
use arrow_buffer::NullBuffer;
use tierd_model::{Type, Value};

use super::{
    batch::{BAD, Batch, VALID, Values},
    interner::Interner,
};
use crate::columns::arrow_type;

/// Doubles from here on can't be summed in fixed point: 2^80.
const REAL_LIMIT: f64 = (1u128 << 80) as f64;

/// An array of any type but text from values laid out as in [`Values`].
///
/// # Panics
/// For text, or if the nulls have another length.
pub fn array_from(ty: Type, values: Vec<i64>, nulls: Option<NullBuffer>) -> ArrayRef {
    match ty {
        Type::Text => unreachable!("text has no values of its own"),
        Type::Integer => Arc::new(Int64Array::new(values.into(), nulls)),
        Type::Decimal(_) => {
            let units: Vec<i128> = values.into_iter().map(i128::from).collect();
            Arc::new(Decimal128Array::new(units.into(), nulls).with_data_type(arrow_type(ty)))
        }
        Type::Real => {
            let reals: Vec<f64> = values.into_iter().map(|bits| f64::from_bits(bits as u64)).collect();
            Arc::new(Float64Array::new(reals.into(), nulls))
        }
        Type::Bool => {
            let truths: Vec<bool> = values.into_iter().map(|value| value != 0).collect();
            Arc::new(BooleanArray::new(truths.into(), nulls))
        }
        Type::Date => {
            let days: Vec<i32> = values.into_iter().map(|day| day as i32).collect();
            Arc::new(Date32Array::new(days.into(), nulls))
        }
        Type::Timestamp => Arc::new(TimestampMicrosecondArray::new(values.into(), nulls)),
    }
}

/// An array of texts from their ids.
///
/// # Panics
/// If the interner never gave one of the ids.
pub fn text_array(ids: impl IntoIterator<Item = u32>, texts: &Interner) -> ArrayRef {
    Arc::new(ids.into_iter().map(|id| texts.text(id)).collect::<StringArray>())
}

/// One column of a batch, as long as the batch has rows.
pub(super) fn batch_array(batch: &Batch, column: usize, ty: Type) -> ArrayRef {
    let (values, rows) = (batch.column(column), batch.rows());
    if let Some(texts) = batch.texts(column) {
        return text_array(values.values[..rows].iter().map(|&id| id as u32), texts);
    }
    let valid: Vec<bool> = values.flags[..rows].iter().map(|flag| flag & VALID != 0).collect();
    array_from(ty, values.values[..rows].to_vec(), Some(NullBuffer::from(valid)))
}

/// The inverse of [`batch_array`]: a value that doesn't fit in 64 bits, and a real too large to be summed, is [`BAD`].
/// Returns whether there is one.
pub(super) fn read_back(array: &dyn Array, ty: Type, out: &mut Values, texts: Option<&mut Interner>) -> bool {
    let (mut texts, mut any_bad) = (texts, false);
    for row in 0..array.len() {
        let (value, flag) = match array.is_null(row) {
            true => (0, 0),
            false => match value_in(array, ty, row, texts.as_deref_mut()) {
                Some(value) => (value, VALID),
                None => (0, BAD),
            },
        };
        out.values[row] = value;
        out.flags[row] = flag;
        any_bad |= flag == BAD;
    }
    any_bad
}

fn value_in(array: &dyn Array, ty: Type, row: usize, texts: Option<&mut Interner>) -> Option<i64> {
    match ty {
        Type::Text => texts?.intern(array.as_string::<i32>().value(row).as_bytes()).ok().map(i64::from),
        Type::Integer => Some(array.as_primitive::<types::Int64Type>().value(row)),
        Type::Decimal(_) => array.as_primitive::<types::Decimal128Type>().value(row).try_into().ok(),
        Type::Real => real_bits(array.as_primitive::<types::Float64Type>().value(row)),
        Type::Bool => Some(array.as_boolean().value(row).into()),
        Type::Date => Some(array.as_primitive::<types::Date32Type>().value(row).into()),
        Type::Timestamp => Some(array.as_primitive::<types::TimestampMicrosecondType>().value(row)),
    }
}

/// The bits of a double as [`Values`] keeps them, zero being positive; `None` from 2^80 on, for NaN and the infinities.
///
/// ```
/// assert_eq!(tierd_eval::scan::real_bits(-0.0), Some(0));
/// assert_eq!(tierd_eval::scan::real_bits(f64::NAN), None);
/// ```
#[inline]
pub fn real_bits(value: f64) -> Option<i64> {
    (value.abs() < REAL_LIMIT).then_some((value + 0.0).to_bits() as i64)
}

/// A value of any type but text, as [`Values`] lays it out in a column of this type; `None` where it doesn't fit.
pub(super) fn stored(value: &Value, ty: Type) -> Option<i64> {
    match value {
        Value::Real(value) => real_bits(*value),
        value => i64::try_from(exact_value(value, ty)?).ok(),
    }
}

/// A constant of an exact type, a bool, a date or a timestamp, as [`Values`] lays it out (before it must fit in 64 bits).
pub(super) fn exact_value(value: &Value, ty: Type) -> Option<i128> {
    match (value, ty) {
        (Value::Integer(_) | Value::Decimal(_), _) => Some(value.as_decimal()?.rescale_exact(ty.scale()?)?.units),
        (Value::Bool(value), _) => Some((*value).into()),
        (Value::Date(day), _) => Some(day.0.into()),
        (Value::Timestamp(at), _) => Some(at.0.into()),
        (Value::Real(_) | Value::Text(_), _) => None,
    }
}
