//! Rows out of SQLite: one trait, two ways.
//!
//! [`CallbackReader`] lets SQLite call an aggregate function of ours with the columns of each row, which spares the way out of its
//! virtual machine and back for every row. [`StepReader`] is the plain way; it serves views and tables without row ids, and is
//! what the fast way is checked against.

use std::{
    ops::{ControlFlow, RangeInclusive},
    sync::atomic::{AtomicUsize, Ordering},
};

use rusqlite::{Connection, limits::Limit, types::ValueRef};

use crate::{callback::CallbackReader, progress::Progress, schema::Table, step::StepReader};

/// How a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReaderKind {
    /// The fastest way that serves the table.
    #[default]
    Auto,
    /// Plain stepping, on one connection.
    Step,
}

/// Columns of a table, in the order in which sinks get them.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    pub(crate) table: &'a Table,
    pub(crate) columns: Vec<&'a str>,
}

/// One row, borrowed from SQLite.
pub(crate) trait Row {
    /// The value of a column of the request.
    fn value(&self, column: usize) -> ValueRef<'_>;
}

/// What takes rows.
pub(crate) trait RowSink {
    /// Rows of another stretch of row ids follow.
    fn begin(&mut self, _chunk: usize) {}

    /// One row; [`ControlFlow::Break`] ends the read.
    fn row(&mut self, row: &impl Row) -> ControlFlow<()>;
}

/// Row ids to be read.
pub(crate) type RowIds = RangeInclusive<i64>;

/// A way to read a table.
pub(crate) trait Reader {
    /// Reads the rows of the request (those of these row ids, if any are named) into the sink. False if the sink ended it.
    fn read<S: RowSink>(
        connection: &Connection,
        request: &Request,
        rows: Option<RowIds>,
        sink: &mut S,
    ) -> rusqlite::Result<bool>;
}

impl Request<'_> {
    /// `list` with the quoted columns in it, from the table, by row id where a range is wanted.
    pub(crate) fn sql(&self, list: impl FnOnce(&str) -> String, ranged: bool) -> String {
        let columns: Vec<String> = self.columns.iter().map(|column| format!("t.{}", quoted(column))).collect();
        let select = list(&columns.join(", "));
        let range = match self.table.row_id().filter(|_| ranged) {
            Some(row_id) => format!(" WHERE t.{row_id} BETWEEN ?1 AND ?2"),
            None => String::new(),
        };
        format!("SELECT {select} FROM main.{} AS t{range}", quoted(&self.table.name))
    }
}

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Stretches are handed out in so many pieces, so that threads finish together.
const CHUNKS: i128 = 64;
/// Smaller stretches aren't worth handing out.
const LEAST_CHUNK: i128 = 4096;

/// Reads a whole table into as many sinks as there are connections (or fewer: unused sinks come back untouched).
///
/// All connections must see the same state of the database.
pub(crate) fn read_table<S: RowSink + Send>(
    connections: &mut [Connection],
    request: &Request,
    kind: ReaderKind,
    progress: &Progress,
    mut sinks: Vec<S>,
) -> rusqlite::Result<Vec<S>> {
    let callable = connections[0].limit(Limit::SQLITE_LIMIT_FUNCTION_ARG)? as usize >= request.columns.len();
    let chunks = match request.table.row_id() {
        Some(row_id) if callable && kind == ReaderKind::Auto => chunks(&connections[0], request.table, row_id)?,
        _ => {
            sinks[0].begin(0);
            StepReader::read(&connections[0], request, None, &mut sinks[0])?;
            return Ok(sinks);
        }
    };
    let rows = chunks.iter().map(|rows| (i128::from(*rows.end()) - i128::from(*rows.start()) + 1) as u64).sum();
    progress.expect(rows);
    let next = AtomicUsize::new(0);
    let work = |connection: &Connection, sink: &mut S| -> rusqlite::Result<()> {
        loop {
            let chunk = next.fetch_add(1, Ordering::Relaxed);
            let Some(rows) = chunks.get(chunk) else { return Ok(()) };
            sink.begin(chunk);
            let outcome = CallbackReader::read(connection, request, Some(rows.clone()), sink);
            if !matches!(outcome, Ok(true)) {
                // The others need not go on either.
                next.store(chunks.len(), Ordering::Relaxed);
                return outcome.map(drop);
            }
        }
    };
    std::thread::scope(|scope| {
        let mut pairs = connections.iter_mut().zip(&mut sinks).take(chunks.len().max(1));
        let first = pairs.next();
        let work = &work;
        let others: Vec<_> = pairs.map(|(connection, sink)| scope.spawn(move || work(connection, sink))).collect();
        let mine = first.map_or(Ok(()), |(connection, sink)| work(connection, sink));
        let joined =
            others.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.fold(mine, |so_far, result| so_far.and(result))
    })?;
    Ok(sinks)
}

/// The span of the table's row ids, cut into pieces, in ascending order.
fn chunks(connection: &Connection, table: &Table, row_id: &str) -> rusqlite::Result<Vec<RowIds>> {
    let table = quoted(&table.name);
    // Each of the two is one step down the b-tree; both in one query would read the whole table.
    let sql = format!("SELECT (SELECT min({row_id}) FROM main.{table}), (SELECT max({row_id}) FROM main.{table})");
    let (first, last): (Option<i64>, Option<i64>) =
        connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)) = (first, last) else {
        return Ok(Vec::new());
    };
    let (first, last) = (i128::from(first), i128::from(last));
    let size = ((last - first + 1) / CHUNKS + 1).max(LEAST_CHUNK);
    let starts = (0..).map(|i| first + i * size).take_while(|start| *start <= last);
    Ok(starts.map(|start| start as i64..=(start + size - 1).min(last) as i64).collect())
}
