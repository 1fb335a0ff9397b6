//! What a node evaluates to: a value per row, or one value for all of them.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, Datum, PrimitiveArray, cast::AsArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use tierd_model::{Decimal, Type, Value};

use super::{numbers, real};
use crate::columns::{array_of, value_at};

/// An operand of a kernel. Arrow calls this a [`Datum`]: most kernels take either kind.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    /// A value per row.
    Rows(ArrayRef),
    /// An array of one value, which stands for every row.
    Constant(ArrayRef),
}

impl Datum for Operand {
    fn get(&self) -> (&dyn Array, bool) {
        match self {
            Operand::Rows(array) => (array.as_ref(), false),
            Operand::Constant(array) => (array.as_ref(), true),
        }
    }
}

impl Operand {
    pub(super) fn is_constant(&self) -> bool {
        matches!(self, Operand::Constant(_))
    }

    /// Other values in the same shape.
    pub(super) fn with(&self, values: ArrayRef) -> Self {
        match self {
            Operand::Rows(_) => Operand::Rows(values),
            Operand::Constant(_) => Operand::Constant(values),
        }
    }

    /// The values as they lie there: one per row, or just one.
    pub(super) fn values(&self) -> &ArrayRef {
        match self {
            Operand::Rows(array) | Operand::Constant(array) => array,
        }
    }

    /// A value for each row, constants repeated.
    pub(super) fn array(&self, ty: Type, rows: usize) -> ArrayRef {
        match self {
            Operand::Rows(array) => Arc::clone(array),
            Operand::Constant(array) if rows == 1 => Arc::clone(array),
            Operand::Constant(array) => array_of(ty, value_at(array, ty, 0).as_ref(), rows),
        }
    }

    /// As [`Operand::array`].
    pub(super) fn into_array(self, ty: Type, rows: usize) -> ArrayRef {
        match self {
            Operand::Rows(array) => array,
            constant => constant.array(ty, rows),
        }
    }

    /// The values behind numbers and times, for a loop over rows.
    pub(super) fn natives<T: ArrowPrimitiveType>(&self) -> Natives<'_, T> {
        Natives { array: self.values().as_primitive(), stride: usize::from(!self.is_constant()) }
    }
}

/// Numbers or times by row; a constant answers every row alike.
pub(super) struct Natives<'a, T: ArrowPrimitiveType> {
    array: &'a PrimitiveArray<T>,
    stride: usize,
}

impl<T: ArrowPrimitiveType> Natives<'_, T> {
    /// The value of a row; anything where it is NULL.
    #[inline]
    fn at(&self, row: usize) -> T::Native {
        self.array.values()[row * self.stride]
    }

    /// Which of `rows` rows aren't NULL; `None` for all.
    fn nulls(&self, rows: usize) -> Option<NullBuffer> {
        let nulls = self.array.nulls().filter(|nulls| nulls.null_count() > 0)?;
        Some(if self.stride == 0 { NullBuffer::new_null(rows) } else { nulls.clone() })
    }
}

/// `op` over each row; NULL where the operand is NULL or `op` gives `None`. `op` also meets what lies under NULLs.
pub(super) fn map<A, O>(a: &Operand, op: impl Fn(A::Native) -> Option<O::Native>) -> PrimitiveArray<O>
where
    A: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
{
    let (a, rows) = (a.natives::<A>(), a.values().len());
    collect(rows, a.nulls(rows), |row| op(a.at(row)))
}

/// `op` over each row of two operands; NULL where either is NULL or `op` gives `None`.
pub(super) fn map2<A, B, O>(
    a: &Operand,
    b: &Operand,
    rows: usize,
    op: impl Fn(A::Native, B::Native) -> Option<O::Native>,
) -> PrimitiveArray<O>
where
    A: ArrowPrimitiveType,
    B: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
{
    let (a, b) = (a.natives::<A>(), b.natives::<B>());
    let nulls = NullBuffer::union(a.nulls(rows).as_ref(), b.nulls(rows).as_ref());
    collect(rows, nulls, |row| op(a.at(row), b.at(row)))
}

fn collect<O: ArrowPrimitiveType>(
    rows: usize,
    nulls: Option<NullBuffer>,
    op: impl Fn(usize) -> Option<O::Native>,
) -> PrimitiveArray<O> {
    let mut values = Vec::with_capacity(rows);
    let fits = BooleanBuffer::collect_bool(rows, |row| {
        let value = op(row);
        values.push(value.unwrap_or_default());
        value.is_some()
    });
    let fits = (fits.count_set_bits() < rows).then(|| NullBuffer::new(fits));
    PrimitiveArray::new(values.into(), NullBuffer::union(nulls.as_ref(), fits.as_ref()))
}

/// A value written in a rule, as an array of one. What no column of the type can hold is NULL.
pub(super) fn constant(ty: Type, value: &Value) -> ArrayRef {
    let value = match (ty, value) {
        (Type::Decimal(scale), value) => {
            let units = value.as_decimal().and_then(|d| d.rescale_exact(scale)).and_then(|d| numbers::fit(d.units));
            units.map(|units| Value::Decimal(Decimal::new(units, scale)))
        }
        (Type::Real, Value::Real(value)) => real::finite(*value).map(Value::Real),
        (_, value) => Some(value.clone()),
    };
    array_of(ty, value.as_ref(), 1)
}
