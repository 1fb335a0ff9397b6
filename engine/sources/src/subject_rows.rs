//! The rows of a subject table as they come, and joined to columns again.

use std::ops::ControlFlow;

use arrow_array::{Array, ArrayRef, new_empty_array};
use arrow_schema::ArrowError;
use arrow_select::concat::concat;
use rusqlite::types::ValueRef;
use tierd_eval::columns::arrow_type;
use tierd_model::KeyType;
use tierd_rules::Column;

use crate::{
    buffer::ColumnBuffer,
    decode::{Decoder, describe},
    keys::{Keys, TextKeys},
    progress::Progress,
    reader::{Row, RowSink},
};

/// Rows between two looks at whether the read was cancelled.
const ROWS_BETWEEN_CHECKS: usize = 1024;
/// So many bad values of a stretch of rows are described.
const DESCRIBED: usize = 100;

/// All rows of a subject table, in the order of the table.
#[derive(Debug)]
pub(crate) struct SubjectRows {
    /// Not sorted yet. What isn't a key has a place all the same.
    pub(crate) keys: Keys,
    /// Rows without a usable key, and what stands there; `None` for NULL.
    pub(crate) keyless: Vec<(u32, Option<String>)>,
    pub(crate) columns: Vec<ArrayRef>,
    pub(crate) bad: Vec<BadCell>,
}

/// A bad value.
#[derive(Debug)]
pub(crate) struct BadCell {
    pub(crate) row: u32,
    /// Index among the columns that were read.
    pub(crate) column: usize,
    /// What stands there; described for the first few only.
    pub(crate) found: Option<String>,
}

/// Takes the rows that one thread reads.
pub(crate) struct SubjectSink<'a> {
    key_type: KeyType,
    columns: &'a [&'a Column],
    decoders: &'a [Decoder<'a>],
    progress: &'a Progress,
    chunks: Vec<Chunk>,
}

/// The rows of one stretch of row ids.
struct Chunk {
    number: usize,
    rows: usize,
    keys: Keys,
    keyless: Vec<(u32, Option<String>)>,
    columns: Vec<ColumnBuffer>,
    bad: Vec<BadCell>,
}

impl<'a> SubjectSink<'a> {
    pub(crate) fn new(
        key_type: KeyType,
        columns: &'a [&'a Column],
        decoders: &'a [Decoder<'a>],
        progress: &'a Progress,
    ) -> Self {
        SubjectSink { key_type, columns, decoders, progress, chunks: Vec::new() }
    }
}

impl RowSink for SubjectSink<'_> {
    fn begin(&mut self, number: usize) {
        self.chunks.push(Chunk {
            number,
            rows: 0,
            keys: no_keys(self.key_type),
            keyless: Vec::new(),
            columns: self.columns.iter().map(|column| ColumnBuffer::new(column.ty)).collect(),
            bad: Vec::new(),
        });
    }

    fn row(&mut self, row: &impl Row) -> ControlFlow<()> {
        let Some(chunk) = self.chunks.last_mut() else { unreachable!("readers begin before they bring rows") };
        chunk.push_key(row.value(0));
        for (column, (buffer, decoder)) in chunk.columns.iter_mut().zip(self.decoders).enumerate() {
            let stored = row.value(column + 1);
            if !buffer.push(decoder, stored) {
                let found = (chunk.bad.len() < DESCRIBED).then(|| describe(stored, self.columns[column].personal));
                chunk.bad.push(BadCell { row: chunk.rows as u32, column, found });
            }
        }
        chunk.rows += 1;
        if chunk.rows % ROWS_BETWEEN_CHECKS == 0 {
            self.progress.add(ROWS_BETWEEN_CHECKS as u64);
            if self.progress.is_cancelled() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

impl Chunk {
    #[inline]
    fn push_key(&mut self, stored: ValueRef) {
        let fits = match (&mut self.keys, stored) {
            (Keys::Integer(keys), ValueRef::Integer(key)) => {
                keys.push(key);
                true
            }
            (Keys::Text(keys), ValueRef::Text(key)) => {
                let key = str::from_utf8(key);
                keys.push(key.unwrap_or(""));
                key.is_ok()
            }
            (Keys::Integer(keys), _) => {
                keys.push(0);
                false
            }
            (Keys::Text(keys), _) => {
                keys.push("");
                false
            }
        };
        if !fits {
            let found = (stored != ValueRef::Null).then(|| describe(stored, false));
            self.keyless.push((self.rows as u32, found));
        }
    }
}

impl SubjectRows {
    /// Joins what the threads have read, in the order of the table.
    pub(crate) fn join(sinks: Vec<SubjectSink>, key_type: KeyType, columns: &[&Column]) -> Result<Self, ArrowError> {
        let mut chunks: Vec<Chunk> = sinks.into_iter().flat_map(|sink| sink.chunks).collect();
        chunks.sort_by_key(|chunk| chunk.number);
        let (mut keys, mut keyless, mut bad) = (no_keys(key_type), Vec::new(), Vec::new());
        let mut arrays: Vec<Vec<ArrayRef>> = columns.iter().map(|_| Vec::new()).collect();
        for chunk in chunks {
            let first = keys.len() as u32;
            keyless.extend(chunk.keyless.into_iter().map(|(row, found)| (first + row, found)));
            bad.extend(chunk.bad.into_iter().map(|cell| BadCell { row: first + cell.row, ..cell }));
            keys.append(chunk.keys);
            arrays.iter_mut().zip(chunk.columns).for_each(|(parts, part)| parts.push(part.finish()));
        }
        let columns = arrays.into_iter().zip(columns).map(|(parts, column)| {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            if parts.is_empty() { Ok(new_empty_array(&arrow_type(column.ty))) } else { concat(&parts) }
        });
        Ok(SubjectRows { keys, keyless, columns: columns.collect::<Result<_, _>>()?, bad })
    }
}

fn no_keys(key_type: KeyType) -> Keys {
    match key_type {
        KeyType::Integer => Keys::Integer(Vec::new()),
        KeyType::Text => Keys::Text(TextKeys::default()),
    }
}
