//! Columns of an evaluation as a plugin is given them: borrowed where Arrow has the same bytes, made anew for decimals, booleans and the
//! offsets of texts.

use arrow_array::{Array, ArrayRef, cast::AsArray, types};
use arrow_buffer::{BooleanBuffer, Buffer};
use tierd_eval::columns::arrow_type;
use tierd_model::Type;

use crate::{
    contract::{Column, Texts, Values},
    fault::{Fault, Reason},
};

/// A column of a batch, and what had to be made for it.
pub(crate) struct Held<'a> {
    values: HeldValues<'a>,
    valid: Option<Buffer>,
}

enum HeldValues<'a> {
    Integers(&'a [i64]),
    Decimals(Vec<i64>),
    Reals(&'a [f64]),
    Booleans(Vec<u8>),
    Texts(Vec<u32>, &'a [u8]),
    Dates(&'a [i32]),
    Timestamps(&'a [i64]),
}

impl Held<'_> {
    /// As the contract has it.
    pub(crate) fn column(&self) -> Column<'_> {
        let values = match &self.values {
            HeldValues::Integers(values) => Values::Integers(values),
            HeldValues::Decimals(values) => Values::Decimals(values),
            HeldValues::Reals(values) => Values::Reals(values),
            HeldValues::Booleans(values) => Values::Booleans(values),
            HeldValues::Texts(offsets, bytes) => Values::Texts(Texts { offsets, bytes }),
            HeldValues::Dates(values) => Values::Dates(values),
            HeldValues::Timestamps(values) => Values::Timestamps(values),
        };
        Column { values, valid: self.valid.as_deref() }
    }
}

/// Rows `from..from + rows` of a column of type `ty`, to be given as that type.
pub(crate) fn held(array: &ArrayRef, ty: Type, from: usize, rows: usize) -> Result<Held<'_>, Fault> {
    if *array.data_type() != arrow_type(ty) || array.len() < from + rows {
        let message = format!("was to be given {} {}s for {ty}s", array.len(), array.data_type());
        return Err(Fault::new(Reason::Refused, message));
    }
    let within = from..from + rows;
    let values = match ty {
        Type::Integer => HeldValues::Integers(&array.as_primitive::<types::Int64Type>().values()[within]),
        Type::Real => HeldValues::Reals(&array.as_primitive::<types::Float64Type>().values()[within]),
        Type::Date => HeldValues::Dates(&array.as_primitive::<types::Date32Type>().values()[within]),
        Type::Timestamp => {
            HeldValues::Timestamps(&array.as_primitive::<types::TimestampMicrosecondType>().values()[within])
        }
        Type::Decimal(_) => HeldValues::Decimals(units(array, from, rows)?),
        Type::Bool => {
            let bits = array.as_boolean().values().slice(from, rows);
            HeldValues::Booleans(bits.iter().map(u8::from).collect())
        }
        Type::Text => texts(array, from, rows),
    };
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    Ok(Held { values, valid: nulls.and_then(|nulls| valid(&nulls.inner().slice(from, rows))) })
}

/// Decimals in 64 bits. What is stored where there is no value means nothing, and becomes 0.
fn units(array: &ArrayRef, from: usize, rows: usize) -> Result<Vec<i64>, Fault> {
    let array = array.as_primitive::<types::Decimal128Type>();
    let too_large = || Fault::new(Reason::Refused, "was to be given a decimal of more than 64 bits");
    (from..from + rows)
        .map(|row| if array.is_null(row) { Ok(0) } else { i64::try_from(array.value(row)).map_err(|_| too_large()) })
        .collect()
}

/// Offsets begin at 0 in every batch.
fn texts(array: &ArrayRef, from: usize, rows: usize) -> HeldValues<'_> {
    let array = array.as_string::<i32>();
    let offsets = &array.value_offsets()[from..=from + rows];
    let (first, last) = (offsets[0], offsets[rows]);
    // Arrow's offsets ascend from 0.
    let rebased = offsets.iter().map(|offset| (offset - first) as u32).collect();
    HeldValues::Texts(rebased, &array.value_data()[first as usize..last as usize])
}

/// The bitmap from its first bit on, with zeros after the last; `None` where all rows have a value.
fn valid(bits: &BooleanBuffer) -> Option<Buffer> {
    let rows = bits.len();
    if bits.count_set_bits() == rows {
        return None;
    }
    let bytes = bits.sliced();
    let bytes = bytes.slice_with_length(0, rows.div_ceil(8));
    if rows.is_multiple_of(8) {
        return Some(bytes);
    }
    let mut owned = bytes.to_vec();
    if let Some(last) = owned.last_mut() {
        *last &= (1_u8 << (rows % 8)) - 1;
    }
    Some(Buffer::from_vec(owned))
}
