//! One value out of several: CASE, COALESCE, NULLIF, LEAST and GREATEST, of any type.

use arrow_arith::boolean;
use arrow_array::{Array, ArrayRef, BooleanArray, cast::AsArray, new_null_array};
use arrow_select::{nullif::nullif, zip::zip};
use tierd_model::Type;
use tierd_rules::CompareOp;

use super::{compare::compare, operand::Operand, sound};
use crate::columns::arrow_type;

/// Inputs are condition, value, condition, value … and, if `otherwise`, one more value.
///
/// From the last condition up, so that an earlier one that is TRUE wins. UNKNOWN doesn't choose, as FALSE.
pub(super) fn case(inputs: &[Operand], otherwise: bool, ty: Type, rows: usize) -> ArrayRef {
    let (pairs, rest) = inputs.split_at(inputs.len() - usize::from(otherwise));
    let last = match rest {
        [value] => value.array(ty, rows),
        _ => new_null_array(&arrow_type(ty), rows),
    };
    pairs.chunks_exact(2).rev().fold(last, |below, pair| {
        let holds = pair[0].array(Type::Bool, rows);
        choose(holds.as_boolean(), &pair[1], below)
    })
}

pub(super) fn coalesce(inputs: &[Operand], ty: Type, rows: usize) -> ArrayRef {
    inputs.iter().rev().fold(new_null_array(&arrow_type(ty), rows), |below, input| {
        let values = input.array(ty, rows);
        if values.null_count() == 0 {
            return values;
        }
        choose(&sound(boolean::is_not_null(&values)), input, below)
    })
}

pub(super) fn null_if(a: &Operand, b: &Operand, ty: Type, rows: usize) -> ArrayRef {
    // Two constants are a matter of one row, as `rows` then says.
    sound(nullif(&a.array(ty, rows), &compare(CompareOp::Eq, a, b)))
}

/// The input that comes before all others by `order`; NULL inputs are passed over.
pub(super) fn extreme(inputs: &[Operand], order: CompareOp, ty: Type, rows: usize) -> ArrayRef {
    inputs.iter().fold(new_null_array(&arrow_type(ty), rows), |best, input| {
        let missing = sound(boolean::is_null(&best));
        let best = Operand::Rows(best);
        let better = compare(order, input, &best);
        choose(&sound(boolean::or_kleene(&better, &missing)), input, best.into_array(ty, rows))
    })
}

/// `yes` where the mask is TRUE, else `no`.
fn choose(mask: &BooleanArray, yes: &Operand, no: ArrayRef) -> ArrayRef {
    sound(zip(mask, yes, &Operand::Rows(no)))
}
