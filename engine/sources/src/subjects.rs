//! Who is graded: the keys of the subject table in ascending order, and the attributes that rules ask for.

use std::collections::HashSet;

use arrow_array::{Array, ArrayRef, BooleanArray, UInt32Array};
use arrow_schema::ArrowError;
use arrow_select::take::take;
use rusqlite::{Connection, OptionalExtension};
use tierd_eval::expr::truth;
use tierd_model::{Clock, Key, KeyType};
use tierd_rules::{Column, Subject};

use crate::{
    bad::{BadExample, BadValues, FEW},
    decode::Decoder,
    keys::Keys,
    progress::Progress,
    reader::{Reader, ReaderKind, Request, RowSink, quoted, read_table},
    schema::Table,
    step::StepReader,
    subject_rows::{BadCell, SubjectRows, SubjectSink},
};

/// Subjects can't be told apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// Several rows have the same key.
    #[error("{count} keys of `{table}`.`{column}` stand in more than one row, such as {}", listed(examples))]
    DuplicateKeys {
        /// The table.
        table: String,
        /// Its key column.
        column: String,
        /// How many keys.
        count: usize,
        /// The first few.
        examples: Vec<Key>,
    },
    /// Rows without key.
    #[error("{count} rows of `{table}` have NULL for their key `{column}`")]
    MissingKeys {
        /// The table.
        table: String,
        /// Its key column.
        column: String,
        /// How many rows.
        count: usize,
    },
    /// Keys of another type.
    #[error("{count} keys of `{table}`.`{column}` are not {expected}, such as {}", examples.join(", "))]
    BadKeys {
        /// The table.
        table: String,
        /// Its key column.
        column: String,
        /// What keys are declared to be.
        expected: &'static str,
        /// How many rows.
        count: usize,
        /// What stands in the first few.
        examples: Vec<String>,
    },
}

impl SubjectError {
    /// What a log may say: as the message, but without keys.
    pub fn without_values(&self) -> String {
        match self {
            SubjectError::DuplicateKeys { table, column, count, .. } => {
                format!("{count} keys of `{table}`.`{column}` stand in more than one row")
            }
            SubjectError::BadKeys { table, column, expected, count, .. } => {
                format!("{count} keys of `{table}`.`{column}` are not {expected}")
            }
            missing @ SubjectError::MissingKeys { .. } => missing.to_string(),
        }
    }
}

fn listed(keys: &[Key]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Why there are no subjects.
#[derive(Debug)]
pub(crate) enum SubjectsFailed {
    Sqlite(rusqlite::Error),
    Columns(ArrowError),
    Subjects(SubjectError),
}

/// All subjects of one kind.
#[derive(Debug)]
pub(crate) struct Subjects {
    pub(crate) keys: Keys,
    /// By attribute; absent where it wasn't asked for.
    pub(crate) attributes: Vec<Option<ArrayRef>>,
    /// Rows of the table, those that the filter removes among them.
    pub(crate) rows: u64,
    pub(crate) bad_rows: u64,
    pub(crate) bad_values: Vec<BadValues>,
}

/// Which subjects are read, and how.
pub(crate) struct SubjectQuery<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) table: &'a Table,
    /// Attributes that are asked for.
    pub(crate) wanted: &'a [usize],
    pub(crate) clock: &'a Clock,
    pub(crate) kind: ReaderKind,
}

impl SubjectQuery<'_> {
    pub(crate) fn read(&self, connections: &mut [Connection], progress: &Progress) -> Result<Subjects, SubjectsFailed> {
        self.read_by(progress, |request, sink| {
            let sinks = connections.iter().map(|_| sink()).collect();
            read_table(connections, request, self.kind, progress, sinks)
        })
    }

    /// Only the rows of this key, found by the index that keys mostly have. `None` where rows have no ids or the key isn't found so.
    pub(crate) fn read_one(
        &self,
        connection: &Connection,
        key: &Key,
        progress: &Progress,
    ) -> Result<Option<Subjects>, SubjectsFailed> {
        let Some(id) = self.row_id(connection, key).map_err(SubjectsFailed::Sqlite)? else { return Ok(None) };
        let read = self.read_by(progress, |request, sink| {
            let mut sink = sink();
            sink.begin(0);
            StepReader::read(connection, request, Some(id..=id), &mut sink).map(|_| vec![sink])
        })?;
        Ok(read.keys.find(key).is_some().then_some(read))
    }

    fn row_id(&self, connection: &Connection, key: &Key) -> rusqlite::Result<Option<i64>> {
        let Some(row_id) = self.table.row_id() else { return Ok(None) };
        let (table, column) = (quoted(&self.table.name), quoted(&self.subject.key));
        let sql = format!("SELECT t.{row_id} FROM main.{table} AS t WHERE t.{column} = ?1 LIMIT 1");
        let row_id = |row: &rusqlite::Row<'_>| row.get(0);
        match key {
            Key::Integer(key) => connection.query_row(&sql, [key], row_id).optional(),
            Key::Text(key) => connection.query_row(&sql, [key], row_id).optional(),
        }
    }

    /// What `read` puts into sinks that it makes.
    fn read_by<'a>(
        &'a self,
        progress: &'a Progress,
        read_rows: impl for<'s> FnOnce(&Request<'_>, &dyn Fn() -> SubjectSink<'s>) -> rusqlite::Result<Vec<SubjectSink<'s>>>,
    ) -> Result<Subjects, SubjectsFailed> {
        let mut read = self.wanted.to_vec();
        read.extend(self.filter_columns());
        read.sort_unstable();
        read.dedup();
        let columns: Vec<&Column> = read.iter().map(|&index| &self.subject.attributes[index]).collect();
        let names = std::iter::once(&self.subject.key).chain(columns.iter().map(|column| &column.column));
        let request = Request { table: self.table, columns: names.map(String::as_str).collect() };
        let zone = self.clock.zone();
        let decoders: Vec<Decoder> = columns.iter().map(|column| Decoder::new(column, zone)).collect();
        let sink = || SubjectSink::new(self.subject.key_type, &columns, &decoders, progress);
        let sinks = read_rows(&request, &sink).map_err(SubjectsFailed::Sqlite)?;
        let rows = SubjectRows::join(sinks, self.subject.key_type, &columns).map_err(SubjectsFailed::Columns)?;
        self.select(&read, rows)
    }

    fn filter_columns(&self) -> Vec<usize> {
        self.subject.filter.as_ref().map_or(Vec::new(), |filter| filter.columns())
    }

    /// The rows that pass the filter, in the order of their keys.
    fn select(&self, read: &[usize], rows: SubjectRows) -> Result<Subjects, SubjectsFailed> {
        let SubjectRows { keys, keyless, columns, bad } = rows;
        let mut attributes = vec![None; self.subject.attributes.len()];
        read.iter().zip(columns).for_each(|(&index, column)| attributes[index] = Some(column));
        let count = keys.len();
        let passed = self.subject.filter.as_ref().map(|filter| truth(filter, &attributes, count, self.clock));
        let passes = |row: u32| passed.as_ref().is_none_or(|passed| is_true(passed, row as usize));
        self.check_keys(keyless.iter().filter(|(row, _)| passes(*row))).map_err(SubjectsFailed::Subjects)?;
        let (bad_rows, bad_values) = self.bad_values(read, &keys, bad, passes);
        for (index, attribute) in attributes.iter_mut().enumerate() {
            if !self.wanted.contains(&index) {
                *attribute = None;
            }
        }
        let keys = match (keys.is_ascending(), passed.is_none()) {
            (true, true) => keys,
            _ => {
                let mut order: Vec<u32> = (0..count as u32).filter(|&row| passes(row)).collect();
                keys.sort(&mut order);
                self.check_unique(&keys, &order).map_err(SubjectsFailed::Subjects)?;
                let indices = UInt32Array::from_iter_values(order.iter().copied());
                for column in attributes.iter_mut().flatten() {
                    *column = take(column, &indices, None).map_err(SubjectsFailed::Columns)?;
                }
                keys.pick(&order)
            }
        };
        Ok(Subjects { keys, attributes, rows: count as u64, bad_rows, bad_values })
    }

    fn check_keys<'a>(&self, keyless: impl Iterator<Item = &'a (u32, Option<String>)>) -> Result<(), SubjectError> {
        let (mut missing, mut bad, mut examples) = (0, 0, Vec::new());
        for (_, found) in keyless {
            match found {
                None => missing += 1,
                Some(found) => {
                    bad += 1;
                    examples.extend((examples.len() < FEW).then(|| found.clone()));
                }
            }
        }
        let (table, column) = (self.table.name.clone(), self.subject.key.clone());
        let expected = match self.subject.key_type {
            KeyType::Integer => "integers",
            KeyType::Text => "text",
        };
        if bad > 0 {
            return Err(SubjectError::BadKeys { table, column, expected, count: bad, examples });
        }
        if missing > 0 {
            return Err(SubjectError::MissingKeys { table, column, count: missing });
        }
        Ok(())
    }

    /// `order` is sorted: equal keys are neighbours.
    fn check_unique(&self, keys: &Keys, order: &[u32]) -> Result<(), SubjectError> {
        let same = |pair: &[u32]| keys.same(pair[0], pair[1]);
        let mut repeated: Vec<u32> = order.windows(2).filter(|pair| same(pair)).map(|pair| pair[0]).collect();
        repeated.dedup_by(|a, b| keys.same(*a, *b));
        if repeated.is_empty() {
            return Ok(());
        }
        Err(SubjectError::DuplicateKeys {
            table: self.table.name.clone(),
            column: self.subject.key.clone(),
            count: repeated.len(),
            examples: repeated.iter().take(FEW).map(|&row| keys.key(row as usize)).collect(),
        })
    }

    /// How many rows have a bad value, and the bad values by column: of rows that pass, or of columns that the filter reads.
    fn bad_values(
        &self,
        read: &[usize],
        keys: &Keys,
        bad: Vec<BadCell>,
        passes: impl Fn(u32) -> bool,
    ) -> (u64, Vec<BadValues>) {
        let filter_columns = self.filter_columns();
        let mut rows = HashSet::new();
        let mut by_column: Vec<BadValues> = Vec::new();
        for (&index, place) in read.iter().zip(0..) {
            let column = &self.subject.attributes[index];
            let counts =
                |cell: &&BadCell| cell.column == place && (filter_columns.contains(&index) || passes(cell.row));
            let cells: Vec<&BadCell> = bad.iter().filter(counts).collect();
            rows.extend(cells.iter().map(|cell| cell.row));
            let example = |cell: &&BadCell| BadExample {
                row_id: None,
                subject: Some(keys.key(cell.row as usize)),
                found: cell.found.clone().unwrap_or_else(|| "another type".to_owned()),
            };
            if !cells.is_empty() {
                by_column.push(BadValues {
                    table: self.table.name.clone(),
                    column: column.column.clone(),
                    expected: column.ty.to_string(),
                    count: cells.len() as u64,
                    examples: cells.iter().take(FEW).map(example).collect(),
                });
            }
        }
        (rows.len() as u64, by_column)
    }
}

fn is_true(truths: &BooleanArray, row: usize) -> bool {
    truths.is_valid(row) && truths.value(row)
}
