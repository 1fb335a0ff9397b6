//! A column that is put together of batches.

use std::sync::{Mutex, PoisonError};

use arrow_array::{Array, ArrayRef, make_array, new_empty_array};
use arrow_buffer::{BooleanBufferBuilder, MutableBuffer, NullBuffer};
use tierd_eval::columns::arrow_type;
use tierd_model::Type;

use super::joined;

/// A column in the making. Values of a fixed width are copied to their place by whoever made them, each batch on its thread; others are
/// joined at the end.
pub(crate) struct Whole {
    ty: Type,
    rows: usize,
    /// All values one after the other; empty where they have no fixed width.
    values: MutableBuffer,
    batch_rows: usize,
}

/// The places of the batches of a column.
pub(crate) struct Places<'a>(Vec<Mutex<&'a mut [u8]>>);

/// A batch that has been put into its place.
pub(crate) enum Placed {
    /// Its values are there; which rows have one, and how many rows it has.
    There(Option<NullBuffer>, usize),
    /// It isn't of a fixed width.
    Apart(ArrayRef),
}

impl Whole {
    /// A column of type `ty` of so many rows, which come in batches of `batch_rows`, the last perhaps of fewer.
    pub(crate) fn new(ty: Type, rows: usize, batch_rows: usize) -> Self {
        let width = arrow_type(ty).primitive_width().unwrap_or_default();
        Whole { ty, rows, values: MutableBuffer::from_len_zeroed(rows * width), batch_rows }
    }

    /// Where batches are to be put.
    pub(crate) fn places(&mut self) -> Places<'_> {
        let width = self.values.len().checked_div(self.rows).unwrap_or_default();
        Places(self.values.as_slice_mut().chunks_mut((self.batch_rows * width).max(1)).map(Mutex::new).collect())
    }

    /// The column. All batches, in their order, have been put into their places.
    ///
    /// # Errors
    /// Where it can't be had: for lack of memory, or because of texts of more than 2 GiB.
    pub(crate) fn finish(self, batches: Vec<Placed>) -> Result<ArrayRef, String> {
        if arrow_type(self.ty).primitive_width().is_none() {
            let pieces = batches.into_iter().filter_map(|batch| match batch {
                Placed::Apart(piece) => Some(piece),
                Placed::There(..) => None,
            });
            return joined(&pieces.collect::<Vec<_>>(), self.ty);
        }
        let data = new_empty_array(&arrow_type(self.ty)).to_data().into_builder();
        let data = data.len(self.rows).nulls(nulls(&batches, self.rows)).buffers(vec![self.values.into()]);
        Ok(make_array(data.build().map_err(|error| error.to_string())?))
    }
}

impl Places<'_> {
    /// Puts batch `at` into its place. It has as many rows as the place.
    pub(crate) fn put(&self, at: usize, batch: ArrayRef) -> Placed {
        // Values of no fixed width have no places.
        let Some(place) = self.0.get(at) else { return Placed::Apart(batch) };
        let data = batch.to_data();
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = place.len();
        place.copy_from_slice(&data.buffers()[0].as_slice()[..bytes]);
        Placed::There(batch.nulls().cloned(), batch.len())
    }
}

fn nulls(batches: &[Placed], rows: usize) -> Option<NullBuffer> {
    let mut all = BooleanBufferBuilder::new(rows);
    let mut any = false;
    for batch in batches {
        match batch {
            Placed::There(Some(nulls), _) => {
                any = true;
                all.append_buffer(nulls.inner());
            }
            Placed::There(None, rows) => all.append_n(*rows, true),
            Placed::Apart(_) => {}
        }
    }
    any.then(|| NullBuffer::new(all.finish()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{BooleanArray, Decimal128Array, Float64Array, Int64Array, StringArray};

    use super::*;

    /// The column in batches of 4, put into their places from the last to the first.
    fn in_fours(column: ArrayRef, ty: Type) -> ArrayRef {
        let mut whole = Whole::new(ty, column.len(), 4);
        let places = whole.places();
        let batches = column.len().div_ceil(4);
        // As plugins give them: arrays of their own, not pieces of a larger one.
        let own = |at: usize| {
            let piece = column.slice(at * 4, 4.min(column.len() - at * 4));
            places.put(at, joined(&[piece.slice(0, 1), piece.slice(1, piece.len() - 1)], ty).unwrap())
        };
        let mut placed: Vec<Placed> = (0..batches).rev().map(own).collect();
        placed.reverse();
        whole.finish(placed).unwrap()
    }

    #[test]
    fn batches_in_any_order_are_the_column() {
        for rows in [1, 3, 4, 5, 13] {
            let some = |row: usize| (row % 5 != 3).then_some(row);
            let columns: [(ArrayRef, Type); 6] = [
                (Arc::new((0..rows).map(|row| some(row).map(|n| n as f64)).collect::<Float64Array>()), Type::Real),
                (Arc::new((0..rows).map(|row| row as i64).collect::<Int64Array>()), Type::Integer),
                (
                    Arc::new((0..rows).map(|row| some(row).map(|n| n as i128)).collect::<Decimal128Array>()),
                    Type::Decimal(2),
                ),
                (Arc::new((0..rows).map(|row| some(row).map(|n| n % 2 == 0)).collect::<BooleanArray>()), Type::Bool),
                (Arc::new((0..rows).map(|row| some(row).map(|n| n.to_string())).collect::<StringArray>()), Type::Text),
                (Arc::new((0..rows).map(|row| (row > 5).then_some(0.5)).collect::<Float64Array>()), Type::Real),
            ];
            for (column, ty) in columns {
                let column =
                    arrow_array::make_array(column.to_data().into_builder().data_type(arrow_type(ty)).build().unwrap());
                assert_eq!(*in_fours(Arc::clone(&column), ty), *column);
            }
        }
        assert_eq!(Whole::new(Type::Real, 0, 4).finish(Vec::new()).unwrap().len(), 0);
        assert_eq!(Whole::new(Type::Text, 0, 4).finish(Vec::new()).unwrap().len(), 0);
    }
}
