//! Between Arrow and the contract: columns that plugins are given, and columns that they give back, checked.

mod given;
mod input;
mod whole;

use arrow_array::ArrayRef;
use tierd_eval::columns::arrow_type;
use tierd_model::Type;

pub(crate) use self::{
    given::{check, check_segments},
    input::{Held, held},
    whole::Whole,
};

/// The first and the last day that a date may be: 0001-01-01 and 9999-12-31.
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

/// The first and the last instant, in microseconds: those days.
const MICROS: std::ops::RangeInclusive<i64> =
    (*DAYS.start() as i64 * tierd_model::DAY_MICROS)..=((*DAYS.end() as i64 + 1) * tierd_model::DAY_MICROS - 1);

/// One array of several. All are of one type, so that this can't fail but for lack of memory or texts of more than 2 GiB.
pub(crate) fn joined(pieces: &[ArrayRef], ty: Type) -> Result<ArrayRef, String> {
    match pieces {
        [] => Ok(arrow_array::new_empty_array(&arrow_type(ty))),
        [one] => Ok(one.clone()),
        several => {
            let several: Vec<_> = several.iter().map(AsRef::as_ref).collect();
            arrow_select::concat::concat(&several).map_err(|error| error.to_string())
        }
    }
}
