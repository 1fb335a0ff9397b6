//! Conditions: comparisons and Kleene logic. NULL is UNKNOWN.

use std::sync::Arc;

use arrow_arith::boolean;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Scalar, cast::AsArray, types};
use arrow_buffer::BooleanBuffer;
use arrow_ord::cmp;
use hashbrown::HashSet;
use tierd_model::{Type, Value};
use tierd_rules::CompareOp;

use super::{
    operand::{self, Operand},
    sound,
};

/// Up to this many constants, comparing with each of them is faster than looking values up in a set.
const FEW: usize = 8;

pub(super) fn not(a: &BooleanArray) -> BooleanArray {
    sound(boolean::not(a))
}

pub(super) fn all(inputs: &[Operand], rows: usize) -> BooleanArray {
    fold(inputs, rows, true, |a, b| sound(boolean::and_kleene(a, b)))
}

pub(super) fn any(inputs: &[Operand], rows: usize) -> BooleanArray {
    fold(inputs, rows, false, |a, b| sound(boolean::or_kleene(a, b)))
}

fn fold(
    inputs: &[Operand],
    rows: usize,
    empty: bool,
    join: impl Fn(&BooleanArray, &BooleanArray) -> BooleanArray,
) -> BooleanArray {
    let verdicts = inputs.iter().map(|input| input.array(Type::Bool, rows).as_boolean().clone());
    verdicts.reduce(|a, b| join(&a, &b)).unwrap_or_else(|| BooleanArray::from(vec![empty; rows]))
}

/// Arrow orders reals by IEEE 754's totalOrder, which is the order of numbers for what [`super::real`] lets through.
pub(super) fn compare(op: CompareOp, a: &Operand, b: &Operand) -> BooleanArray {
    sound(match op {
        CompareOp::Eq => cmp::eq(a, b),
        CompareOp::Ne => cmp::neq(a, b),
        CompareOp::Lt => cmp::lt(a, b),
        CompareOp::Le => cmp::lt_eq(a, b),
        CompareOp::Gt => cmp::gt(a, b),
        CompareOp::Ge => cmp::gt_eq(a, b),
    })
}

/// `low <= value and value <= high`: FALSE already if one of them is, whatever the other end is.
pub(super) fn between(value: &Operand, low: &Operand, high: &Operand, rows: usize) -> BooleanArray {
    let above = compare(CompareOp::Ge, value, low);
    let below = compare(CompareOp::Le, value, high);
    sound(boolean::and_kleene(&spread(above, rows), &spread(below, rows)))
}

/// A verdict on two constants among others holds for every row.
fn spread(verdicts: BooleanArray, rows: usize) -> BooleanArray {
    if verdicts.len() == rows {
        return verdicts;
    }
    Operand::Constant(Arc::new(verdicts)).array(Type::Bool, rows).as_boolean().clone()
}

pub(super) fn is_null(a: &Operand) -> BooleanArray {
    sound(boolean::is_null(a.values()))
}

pub(super) fn starts_with(a: &Operand, prefix: &str) -> BooleanArray {
    let texts = a.values().as_string::<i32>();
    let verdicts =
        BooleanBuffer::collect_bool(texts.len(), |row| texts.value(row).as_bytes().starts_with(prefix.as_bytes()));
    BooleanArray::new(verdicts, texts.nulls().cloned())
}

/// Whether the value is one of the constants; UNKNOWN for NULL.
pub(super) fn one_of(a: &Operand, ty: Type, list: &[Value]) -> BooleanArray {
    // What no value of the type can be is never found.
    let constants = list.iter().map(|value| operand::constant(ty, value)).filter(|constant| constant.is_valid(0));
    match ty {
        _ if list.len() <= FEW => equals_any(a, constants),
        Type::Bool => equals_any(a, constants),
        Type::Text => text_in(a, list),
        Type::Integer => native_in::<types::Int64Type, _>(a, constants, |v| v),
        Type::Decimal(_) => native_in::<types::Decimal128Type, _>(a, constants, |v| v),
        Type::Real => native_in::<types::Float64Type, _>(a, constants, f64::to_bits),
        Type::Date => native_in::<types::Date32Type, _>(a, constants, |v| v),
        Type::Timestamp => native_in::<types::TimestampMicrosecondType, _>(a, constants, |v| v),
    }
}

fn equals_any(a: &Operand, constants: impl Iterator<Item = ArrayRef>) -> BooleanArray {
    let values: &dyn Array = a.values();
    let none = BooleanArray::new(BooleanBuffer::new_unset(values.len()), values.nulls().cloned());
    constants.fold(none, |found, constant| {
        let equal = sound(cmp::eq(&values, &Scalar::new(constant)));
        sound(boolean::or_kleene(&found, &equal))
    })
}

fn native_in<T: ArrowPrimitiveType, K: std::hash::Hash + Eq>(
    a: &Operand,
    constants: impl Iterator<Item = ArrayRef>,
    key: impl Fn(T::Native) -> K,
) -> BooleanArray {
    let set: HashSet<K, foldhash::fast::FixedState> =
        constants.map(|constant| key(constant.as_primitive::<T>().value(0))).collect();
    let values = a.values().as_primitive::<T>();
    let found = BooleanBuffer::collect_bool(values.len(), |row| set.contains(&key(values.value(row))));
    BooleanArray::new(found, values.nulls().cloned())
}

fn text_in(a: &Operand, list: &[Value]) -> BooleanArray {
    let texts = list.iter().filter_map(|value| if let Value::Text(text) = value { Some(text.as_ref()) } else { None });
    let set: HashSet<&str, foldhash::fast::FixedState> = texts.collect();
    let values = a.values().as_string::<i32>();
    let found = BooleanBuffer::collect_bool(values.len(), |row| set.contains(values.value(row)));
    BooleanArray::new(found, values.nulls().cloned())
}
