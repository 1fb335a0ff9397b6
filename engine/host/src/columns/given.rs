//! Columns that plugins give, checked before anybody sees them: of the type that the description names, one value per row, finite, in range.
//!
//! What a plugin leaves where a row has no value means nothing; it becomes zero, so that equal columns are equal bits.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, builder::StringBuilder,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use tierd_eval::columns::arrow_type;
use tierd_model::Type;

use super::{DAYS, MICROS};
use crate::{
    contract::{Given, GivenSegments, GivenTexts, GivenValues},
    fault::Fault,
};

/// Labels of a batch at most.
const LABELS: usize = 65_536;
/// Bytes of a label at most.
const LABEL_BYTES: usize = 1024;
/// The label of rows that have none.
const NO_LABEL: u32 = u32::MAX;

/// The column that was given for so many rows, of this type.
pub(crate) fn check(given: Given, ty: Type, rows: usize) -> Result<ArrayRef, Fault> {
    let nulls = nulls(given.valid, rows)?;
    let nulls = nulls.as_ref();
    Ok(match (ty, given.values) {
        (Type::Integer, GivenValues::Integers(values)) => {
            let values = checked(values, rows, nulls, |_| true, "")?;
            Arc::new(Int64Array::new(ScalarBuffer::from(values), nulls.cloned()))
        }
        (Type::Decimal(_), GivenValues::Decimals(units)) => {
            let units = checked(units, rows, nulls, |_| true, "")?;
            let units: Vec<i128> = units.into_iter().map(i128::from).collect();
            let array = Decimal128Array::new(ScalarBuffer::from(units), nulls.cloned());
            Arc::new(array.with_data_type(arrow_type(ty)))
        }
        (Type::Real, GivenValues::Reals(values)) => {
            let values = checked(values, rows, nulls, |value| value.is_finite(), "NaN or infinite")?;
            Arc::new(Float64Array::new(ScalarBuffer::from(values), nulls.cloned()))
        }
        (Type::Bool, GivenValues::Booleans(values)) => {
            let values = checked(values, rows, nulls, |value| *value <= 1, "neither 0 nor 1")?;
            let bits = BooleanBuffer::collect_bool(rows, |row| values[row] == 1);
            Arc::new(BooleanArray::new(bits, nulls.cloned()))
        }
        (Type::Date, GivenValues::Dates(values)) => {
            let values = checked(values, rows, nulls, |value| DAYS.contains(value), "not of the years 1 to 9999")?;
            Arc::new(Date32Array::new(ScalarBuffer::from(values), nulls.cloned()))
        }
        (Type::Timestamp, GivenValues::Timestamps(values)) => {
            let values = checked(values, rows, nulls, |value| MICROS.contains(value), "not of the years 1 to 9999")?;
            Arc::new(TimestampMicrosecondArray::new(ScalarBuffer::from(values), nulls.cloned()))
        }
        (Type::Text, GivenValues::Texts(given)) => Arc::new(texts(given, rows, nulls)?),
        (ty, values) => return Err(Fault::output(format!("gave {} for {ty}", name_of(&values)))),
    })
}

/// The labels of rows, as texts.
pub(crate) fn check_segments(given: &GivenSegments, rows: usize) -> Result<ArrayRef, Fault> {
    right_length(given.of_rows.len(), rows)?;
    check_labels(&given.labels)?;
    let mut texts = StringBuilder::with_capacity(rows, rows * 8);
    for (row, &label) in given.of_rows.iter().enumerate() {
        match given.labels.get(label as usize) {
            Some(label) => texts.append_value(label),
            None if label == NO_LABEL => texts.append_null(),
            None => {
                let labels = given.labels.len();
                return Err(Fault::output(format!("gave label {label} of {labels} for row {row} of its batch")));
            }
        }
    }
    Ok(Arc::new(texts.finish()))
}

fn check_labels(labels: &[String]) -> Result<(), Fault> {
    if labels.len() > LABELS {
        return Err(Fault::output(format!("gave {} labels, more than {LABELS}", labels.len())));
    }
    if labels.iter().any(|label| label.len() > LABEL_BYTES) {
        return Err(Fault::output(format!("gave a label of more than {LABEL_BYTES} bytes")));
    }
    let mut sorted: Vec<_> = labels.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|two| two[0] == two[1]) {
        return Err(Fault::output("gave a label twice"));
    }
    Ok(())
}

fn right_length(given: usize, rows: usize) -> Result<(), Fault> {
    if given == rows { Ok(()) } else { Err(Fault::output(format!("gave {given} values for {rows} rows"))) }
}

/// Which rows have a value; `None` if all have one.
fn nulls(valid: Option<Vec<u8>>, rows: usize) -> Result<Option<NullBuffer>, Fault> {
    let Some(valid) = valid else { return Ok(None) };
    let bytes = rows.div_ceil(8);
    if valid.len() != bytes {
        return Err(Fault::output(format!(
            "gave {} bytes of validity for {rows} rows, which need {bytes}",
            valid.len()
        )));
    }
    let nulls = NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(valid), 0, rows));
    Ok((nulls.null_count() > 0).then_some(nulls))
}

/// One value per row, all of which are good where there is one, and zero where there is none.
fn checked<T: Copy + Default>(
    mut values: Vec<T>,
    rows: usize,
    nulls: Option<&NullBuffer>,
    good: impl Fn(&T) -> bool,
    bad: &str,
) -> Result<Vec<T>, Fault> {
    right_length(values.len(), rows)?;
    if let Some(nulls) = nulls {
        for (row, value) in values.iter_mut().enumerate() {
            if nulls.is_null(row) {
                *value = T::default();
            }
        }
    }
    // Without an early exit this is a loop over vectors.
    if !values.iter().fold(true, |all, value| all & good(value)) {
        let row = values.iter().position(|value| !good(value)).unwrap_or_default();
        return Err(Fault::output(format!("gave a value that is {bad}, for row {row} of its batch")));
    }
    Ok(values)
}

fn texts(given: GivenTexts, rows: usize, nulls: Option<&NullBuffer>) -> Result<StringArray, Fault> {
    let GivenTexts { offsets, bytes } = given;
    if offsets.len() != rows + 1 {
        return Err(Fault::output(format!(
            "gave {} offsets of texts for {rows} rows, which need {}",
            offsets.len(),
            rows + 1
        )));
    }
    let ascending = offsets.windows(2).fold(true, |all, two| all & (two[0] <= two[1]));
    let within = offsets[0] == 0 && offsets[rows] as usize == bytes.len() && i32::try_from(bytes.len()).is_ok();
    if !ascending || !within {
        return Err(Fault::output("gave offsets of texts that don't go from 0 to the end of the bytes"));
    }
    // Ascending and at most `i32::MAX`.
    let offsets: Vec<i32> = offsets.into_iter().map(|offset| offset as i32).collect();
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let array = StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls.cloned());
    array.map_err(|_| Fault::output("gave texts that aren't UTF-8"))
}

fn name_of(values: &GivenValues) -> &'static str {
    match values {
        GivenValues::Integers(_) => "integers",
        GivenValues::Decimals(_) => "decimals",
        GivenValues::Reals(_) => "reals",
        GivenValues::Booleans(_) => "booleans",
        GivenValues::Texts(_) => "texts",
        GivenValues::Dates(_) => "dates",
        GivenValues::Timestamps(_) => "timestamps",
    }
}
