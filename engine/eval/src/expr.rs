//! Expressions over Arrow columns: each node of the tree is one kernel call over all rows.
//!
//! The checker has proved every type, so that this module only dispatches, once per node and never per row.
//! Comparisons, Kleene logic and choices are Arrow's own kernels; arithmetic is ours, because in tierd a result that
//! doesn't fit is NULL where Arrow raises an error (`numbers`). Constants stay single values until a kernel needs them
//! (`operand`).
//!
//! Callers hand in some thousand rows at a time ([`CHUNK`]), so that what lies between two nodes stays in the cache.
//! Explanations evaluate single rows by the same functions; that is why they can't disagree with the levels.
//!
//! Deliberately absent: errors. Whatever the numbers are, the answer is a value or NULL. No branch is skipped either:
//! an operand that isn't needed can't fail, and a short cut per row would cost more than it saves.

mod calendar;
mod choice;
mod compare;
pub(crate) mod numbers;
mod operand;
pub(crate) mod real;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Date32Array, TimestampMicrosecondArray, cast::AsArray};
use arrow_schema::ArrowError;
use tierd_model::{Clock, Type};
use tierd_rules::{Expr, ExprKind};

use operand::Operand;

/// Rows that are best evaluated at once: a few columns of them fit into the second-level cache.
pub const CHUNK: usize = 8192;

/// The value of `expr` for each of `rows` rows: an array of `rows` values of the expression's type
/// ([`crate::columns`]).
///
/// `columns` are those of the expression's scope, by index; only those that it reads need be there. Each has `rows`
/// values of its declared type. A result that doesn't fit its type, a division by zero and a real that isn't finite are
/// NULL.
///
/// # Panics
/// If a column that the expression reads is absent or of another type or length: the callers of this crate build them.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, Int64Array, cast::AsArray, types::Int64Type};
/// use tierd_eval::expr::evaluate;
/// use tierd_model::{Clock, Timestamp, Type, Value, Zone};
/// use tierd_rules::{ArithOp, Expr, ExprKind, FileId, Location};
///
/// let node = |kind| Expr { kind, ty: Type::Integer, at: Location { file: FileId(0), range: 0..0 } };
/// let one = node(ExprKind::Literal(Value::Integer(1)));
/// let sum = node(ExprKind::Arith(ArithOp::Add, Box::new(node(ExprKind::Column(0))), Box::new(one)));
///
/// let columns = [Some(Arc::new(Int64Array::from(vec![Some(41), None, Some(i64::MAX)])) as ArrayRef)];
/// let clock = Clock::new(Timestamp(0), Arc::new(Zone::utc()));
/// let sums = evaluate(&sum, &columns, 3, &clock);
/// assert_eq!(sums.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(42), None, None]);
/// ```
pub fn evaluate(expr: &Expr, columns: &[Option<ArrayRef>], rows: usize, clock: &Clock) -> ArrayRef {
    operand(expr, columns, rows, clock).into_array(expr.ty, rows)
}

/// The verdict of a condition for each of `rows` rows; UNKNOWN is NULL. See [`evaluate`].
///
/// # Panics
/// As [`evaluate`], and if the expression isn't of type bool.
pub fn truth(expr: &Expr, columns: &[Option<ArrayRef>], rows: usize, clock: &Clock) -> BooleanArray {
    evaluate(expr, columns, rows, clock).as_boolean().clone()
}

/// The stretches that `rows` rows are evaluated in: first row and length, each at most [`CHUNK`] long.
pub(crate) fn chunks(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).step_by(CHUNK).map(move |first| (first, CHUNK.min(rows - first)))
}

/// The columns that `needed` names, cut to `rows` rows from `first`; all others absent.
pub(crate) fn slice(
    columns: &[Option<ArrayRef>],
    needed: &[usize],
    first: usize,
    rows: usize,
) -> Vec<Option<ArrayRef>> {
    let mut out = vec![None; columns.len()];
    for &index in needed {
        out[index] = columns[index].as_ref().map(|column| column.slice(first, rows));
    }
    out
}

fn operand(expr: &Expr, columns: &[Option<ArrayRef>], rows: usize, clock: &Clock) -> Operand {
    if let ExprKind::Column(index) = expr.kind {
        return Operand::Rows(column(columns, index, expr.ty));
    }
    let inputs: Vec<Operand> = expr.children().into_iter().map(|child| operand(child, columns, rows, clock)).collect();
    // What reads no column is computed once, for one row.
    if inputs.iter().all(Operand::is_constant) {
        return Operand::Constant(compute(expr, &inputs, 1, clock));
    }
    Operand::Rows(compute(expr, &inputs, rows, clock))
}

fn column(columns: &[Option<ArrayRef>], index: usize, ty: Type) -> ArrayRef {
    #[expect(clippy::expect_used, reason = "callers hand in every column that the expression reads")]
    let column = columns[index].as_ref().expect("a column that the expression reads");
    match ty {
        Type::Real => real::tidy(column),
        _ => Arc::clone(column),
    }
}

/// One node, its children ([`Expr::children`]) being computed: an array of `rows` values.
fn compute(expr: &Expr, inputs: &[Operand], rows: usize, clock: &Clock) -> ArrayRef {
    use ExprKind as K;
    match &expr.kind {
        K::Literal(value) => operand::constant(expr.ty, value),
        K::Null => arrow_array::new_null_array(&crate::columns::arrow_type(expr.ty), rows),
        K::Column(_) => unreachable!("columns are read, not computed"),
        K::AsOf => Arc::new(TimestampMicrosecondArray::from_value(clock.as_of().0, rows)),
        K::Today => Arc::new(Date32Array::from_value(clock.today().0, rows)),
        K::Not(_) => Arc::new(compare::not(inputs[0].array(Type::Bool, rows).as_boolean())),
        K::And(_) => Arc::new(compare::all(inputs, rows)),
        K::Or(_) => Arc::new(compare::any(inputs, rows)),
        K::Compare(op, ..) => Arc::new(compare::compare(*op, &inputs[0], &inputs[1])),
        K::Between { negated, .. } => {
            Arc::new(negate_if(*negated, compare::between(&inputs[0], &inputs[1], &inputs[2], rows)))
        }
        K::In { value, list, negated } => Arc::new(negate_if(*negated, compare::one_of(&inputs[0], value.ty, list))),
        K::IsNull { negated, .. } => Arc::new(negate_if(*negated, compare::is_null(&inputs[0]))),
        K::StartsWith { prefix, negated, .. } => {
            Arc::new(negate_if(*negated, compare::starts_with(&inputs[0], prefix)))
        }
        K::Arith(op, a, b) => numbers::arith(*op, (&inputs[0], a.ty), (&inputs[1], b.ty), expr.ty, rows),
        K::Negate(_) => numbers::negate(&inputs[0], expr.ty),
        K::Abs(_) => numbers::abs(&inputs[0], expr.ty),
        K::Round(a, digits) => numbers::round(&inputs[0], a.ty, *digits, expr.ty),
        K::Floor(a) => numbers::whole(&inputs[0], a.ty, numbers::Whole::Below),
        K::Ceil(a) => numbers::whole(&inputs[0], a.ty, numbers::Whole::Above),
        K::Cast(a) => numbers::cast(&inputs[0], a.ty, expr.ty),
        K::Case { otherwise, .. } => choice::case(inputs, otherwise.is_some(), expr.ty, rows),
        K::Coalesce(_) => choice::coalesce(inputs, expr.ty, rows),
        K::NullIf(..) => choice::null_if(&inputs[0], &inputs[1], expr.ty, rows),
        K::Least(_) => choice::extreme(inputs, tierd_rules::CompareOp::Lt, expr.ty, rows),
        K::Greatest(_) => choice::extreme(inputs, tierd_rules::CompareOp::Gt, expr.ty, rows),
        K::AddSpan(_, span) => calendar::add_span(&inputs[0], expr.ty, *span, clock),
        K::DaysBetween(..) => calendar::days_between(&inputs[0], &inputs[1], rows),
        K::DateOf(_) => calendar::date_of(&inputs[0], clock),
    }
}

fn negate_if(negated: bool, verdicts: BooleanArray) -> BooleanArray {
    if negated { compare::not(&verdicts) } else { verdicts }
}

/// What a kernel of Arrow answers. Its errors are wrong types or lengths, which the checker and `Operand` rule out.
#[expect(clippy::expect_used, reason = "the checker has proved the types, and all operands have the same length")]
pub(crate) fn sound<T>(result: Result<T, ArrowError>) -> T {
    result.expect("operands of proved type and equal length")
}
