//! Columns of results.

use crate::{Column, Failure, Item, Output, Values};

/// A column in the making.
pub struct Builder<T: Item> {
    store: T::Store,
    rows: usize,
    /// Bits of the rows so far; empty until the first row without a value.
    valid: Vec<u8>,
}

impl<T: Item> Builder<T> {
    /// A column that so many rows fit without being moved.
    pub fn with_capacity(rows: usize) -> Self {
        Builder { store: T::store(rows), rows: 0, valid: Vec::new() }
    }

    /// Adds the result for the next row. A failure is given its row where it has none.
    ///
    /// # Errors
    /// Where the function has failed, or its result isn't a value that tierd takes.
    #[inline]
    pub fn push(&mut self, result: impl Output<Item = T>) -> Result<(), Failure> {
        let pushed = result.value().and_then(|value| match value {
            Some(value) => {
                if !self.valid.is_empty() {
                    self.note(true);
                }
                value.push(&mut self.store)
            }
            None => {
                self.push_missing();
                Ok(())
            }
        });
        self.rows += 1;
        pushed.map_err(|failure| Failure { row: failure.row.or(Some(self.rows as u32 - 1)), ..failure })
    }

    #[cold]
    fn push_missing(&mut self) {
        if self.valid.is_empty() {
            self.valid = vec![0xff; self.rows / 8 + 1];
        }
        self.note(false);
        T::push_missing(&mut self.store);
    }

    fn note(&mut self, has_value: bool) {
        let (byte, bit) = (self.rows / 8, 1 << (self.rows % 8));
        self.valid.resize(byte + 1, 0);
        self.valid[byte] = if has_value { self.valid[byte] | bit } else { self.valid[byte] & !bit };
    }

    /// The column.
    pub fn finish(self) -> Column {
        Column { values: T::values(self.store), valid: (!self.valid.is_empty()).then_some(self.valid) }
    }
}

/// A column of results, one per row.
///
/// ```
/// use tierd_plugin::{Values, column};
///
/// let column = column([Some(1.5), None]).unwrap();
/// assert!(matches!(column.values, Values::Reals(values) if values[0] == 1.5));
/// assert_eq!(column.valid.unwrap()[0] & 0b11, 0b01);
/// ```
///
/// # Errors
/// The first failure, with its row.
pub fn column<T: Output>(rows: impl IntoIterator<Item = T>) -> Result<Column, Failure>
where
    T::Item: Item,
{
    let rows = rows.into_iter();
    let mut builder = Builder::<T::Item>::with_capacity(rows.size_hint().0);
    for row in rows {
        builder.push(row)?;
    }
    Ok(builder.finish())
}

impl Column {
    /// How many rows it has.
    pub fn rows(&self) -> usize {
        match &self.values {
            Values::Integers(values) | Values::Decimals(values) | Values::Timestamps(values) => values.len(),
            Values::Reals(values) => values.len(),
            Values::Booleans(values) => values.len(),
            Values::Dates(values) => values.len(),
            Values::Texts(texts) => texts.offsets.len().saturating_sub(1),
        }
    }
}
