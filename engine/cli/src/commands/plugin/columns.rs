//! Columns for plugins from texts: cells of a CSV file, or made-up numbers.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use tierd_eval::columns::arrow_type;
use tierd_model::{Decimal, Type, Zone, parse_date, parse_timestamp};
use tierd_rules::plugin::Accepts;

/// A column from its cells, empty ones being NULL.
///
/// # Errors
/// The index of the first cell that isn't a value of the type.
pub(super) fn parse(ty: Type, cells: &[String], zone: &Zone) -> Result<ArrayRef, usize> {
    fn each<T>(cells: &[String], parse: impl Fn(&str) -> Option<T>) -> Result<Vec<Option<T>>, usize> {
        let cell = |(index, cell): (usize, &String)| match cell.trim() {
            "" => Ok(None),
            text => parse(text).map(Some).ok_or(index),
        };
        cells.iter().enumerate().map(cell).collect()
    }
    Ok(match ty {
        Type::Text => Arc::new(StringArray::from(each(cells, |text| Some(text.to_owned()))?)),
        Type::Integer => Arc::new(Int64Array::from(each(cells, |text| text.parse().ok())?)),
        Type::Real => {
            let real = |text: &str| text.parse::<f64>().ok().filter(|real| real.is_finite());
            Arc::new(Float64Array::from(each(cells, real)?))
        }
        Type::Decimal(scale) => {
            let units = each(cells, |text| Some(Decimal::parse(text)?.rescale_exact(scale)?.units))?;
            Arc::new(Decimal128Array::from(units).with_data_type(arrow_type(ty)))
        }
        Type::Bool => Arc::new(BooleanArray::from(each(cells, |text| match text {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        })?)),
        Type::Date => Arc::new(Date32Array::from(each(cells, |text| Some(parse_date(text.as_bytes())?.0))?)),
        Type::Timestamp => {
            let micros = each(cells, |text| Some(parse_timestamp(text.as_bytes())?.instant(zone).0))?;
            Arc::new(TimestampMicrosecondArray::from(micros))
        }
    })
}

/// A column of any type from small numbers.
pub(super) fn of_numbers(accepts: Accepts, numbers: impl Iterator<Item = usize>) -> ArrayRef {
    let ty = accepts.given_as();
    match ty {
        Type::Text => Arc::new(StringArray::from_iter_values(numbers.map(|number| number.to_string()))),
        Type::Integer => Arc::new(Int64Array::from_iter_values(numbers.map(|number| number as i64))),
        Type::Real => Arc::new(Float64Array::from_iter_values(numbers.map(|number| number as f64 / 4.0))),
        Type::Decimal(_) => {
            let units = Decimal128Array::from_iter_values(numbers.map(|number| number as i128));
            Arc::new(units.with_data_type(arrow_type(ty)))
        }
        Type::Bool => Arc::new(numbers.map(|number| Some(number % 2 == 0)).collect::<BooleanArray>()),
        Type::Date => Arc::new(Date32Array::from_iter_values(numbers.map(|number| 19_000 + number as i32))),
        Type::Timestamp => {
            let day = |number| (19_000 + number as i64) * tierd_model::DAY_MICROS;
            Arc::new(TimestampMicrosecondArray::from_iter_values(numbers.map(day)))
        }
    }
}
