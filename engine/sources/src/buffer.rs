//! Columns that grow while a table is read, until they become Arrow arrays.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef,
    builder::{NullBufferBuilder, StringBuilder},
};
use tierd_eval::scan::{Cell, array_from};
use tierd_model::Type;

use crate::decode::Decoder;
use rusqlite::types::ValueRef;

/// One column.
#[derive(Debug)]
pub(crate) enum ColumnBuffer {
    Fixed { ty: Type, values: Vec<i64>, nulls: NullBufferBuilder },
    Text(StringBuilder),
}

impl ColumnBuffer {
    pub(crate) fn new(ty: Type) -> Self {
        match ty {
            Type::Text => ColumnBuffer::Text(StringBuilder::new()),
            ty => ColumnBuffer::Fixed { ty, values: Vec::new(), nulls: NullBufferBuilder::new(0) },
        }
    }

    /// Adds a stored value; false if it is bad (and read as NULL).
    #[inline]
    pub(crate) fn push(&mut self, decoder: &Decoder, stored: ValueRef) -> bool {
        match self {
            ColumnBuffer::Fixed { values, nulls, .. } => {
                let cell = decoder.cell(stored);
                let value = if let Cell::Value(value) = cell { Some(value) } else { None };
                values.push(value.unwrap_or(0));
                nulls.append(value.is_some());
                cell != Cell::Bad
            }
            ColumnBuffer::Text(texts) => {
                let text = match stored {
                    ValueRef::Text(text) => str::from_utf8(text).ok(),
                    _ => None,
                };
                texts.append_option(text);
                text.is_some() || matches!(stored, ValueRef::Null)
            }
        }
    }

    /// The column as an array.
    pub(crate) fn finish(self) -> ArrayRef {
        match self {
            ColumnBuffer::Fixed { ty, values, mut nulls } => array_from(ty, values, nulls.finish()),
            ColumnBuffer::Text(mut texts) => Arc::new(texts.finish()) as Arc<dyn Array>,
        }
    }
}
