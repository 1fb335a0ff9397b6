//! How tierd's types stand in Arrow.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, cast::AsArray, types,
};
use arrow_schema::{DataType, TimeUnit};
use tierd_model::{Date, Decimal, Timestamp, Type, Value};

/// The Arrow type of a column of this type. Decimals always have precision 38.
pub fn arrow_type(ty: Type) -> DataType {
    match ty {
        Type::Text => DataType::Utf8,
        Type::Integer => DataType::Int64,
        Type::Decimal(scale) => DataType::Decimal128(38, scale as i8),
        Type::Real => DataType::Float64,
        Type::Bool => DataType::Boolean,
        Type::Date => DataType::Date32,
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

/// The value at `row` of a column of type `ty` ([`arrow_type`]); `None` for NULL.
///
/// # Panics
/// If the array isn't of that type or the row is beyond its end: columns are built by this crate.
pub fn value_at(array: &dyn Array, ty: Type, row: usize) -> Option<Value> {
    if array.is_null(row) {
        return None;
    }
    Some(match ty {
        Type::Text => Value::Text(array.as_string::<i32>().value(row).into()),
        Type::Integer => Value::Integer(array.as_primitive::<types::Int64Type>().value(row)),
        Type::Decimal(scale) => {
            Value::Decimal(Decimal::new(array.as_primitive::<types::Decimal128Type>().value(row), scale))
        }
        Type::Real => Value::Real(array.as_primitive::<types::Float64Type>().value(row)),
        Type::Bool => Value::Bool(array.as_boolean().value(row)),
        Type::Date => Value::Date(Date(array.as_primitive::<types::Date32Type>().value(row))),
        Type::Timestamp => {
            Value::Timestamp(Timestamp(array.as_primitive::<types::TimestampMicrosecondType>().value(row)))
        }
    })
}

/// A column of one value (or NULL) repeated: `array_of(Type::Integer, Some(&Value::Integer(3)), 1)`.
///
/// # Panics
/// If the value isn't of the type (decimals may differ in scale if the value fits): the checker has proved it.
pub fn array_of(ty: Type, value: Option<&Value>, rows: usize) -> ArrayRef {
    let Some(value) = value else {
        return arrow_array::new_null_array(&arrow_type(ty), rows);
    };
    match (ty, value) {
        (Type::Text, Value::Text(v)) => Arc::new(StringArray::from_iter_values(std::iter::repeat_n(v.as_ref(), rows))),
        (Type::Integer, Value::Integer(v)) => Arc::new(Int64Array::from_value(*v, rows)),
        (Type::Decimal(scale), v) => {
            let units = v.as_decimal().and_then(|d| d.rescale_exact(scale)).map(|d| d.units);
            let array = Decimal128Array::from(vec![units; rows]);
            Arc::new(array.with_data_type(arrow_type(ty)))
        }
        (Type::Real, Value::Real(v)) => Arc::new(Float64Array::from_value(*v, rows)),
        (Type::Bool, Value::Bool(v)) => Arc::new(BooleanArray::from(vec![*v; rows])),
        (Type::Date, Value::Date(v)) => Arc::new(Date32Array::from_value(v.0, rows)),
        (Type::Timestamp, Value::Timestamp(v)) => Arc::new(TimestampMicrosecondArray::from_value(v.0, rows)),
        (ty, value) => unreachable!("a {} where the checker has proved {ty}", value.ty()),
    }
}
