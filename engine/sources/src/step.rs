//! The plain way: one row after the other, by `sqlite3_step`.

use rusqlite::{Connection, types::ValueRef};

use crate::reader::{Reader, Request, Row, RowIds, RowSink};

/// Steps through a query.
pub(crate) struct StepReader;

impl Reader for StepReader {
    fn read<S: RowSink>(
        connection: &Connection,
        request: &Request,
        rows: Option<RowIds>,
        sink: &mut S,
    ) -> rusqlite::Result<bool> {
        let mut statement = connection.prepare(&request.sql(str::to_owned, rows.is_some()))?;
        let mut found = match rows {
            Some(rows) => statement.query([rows.start(), rows.end()])?,
            None => statement.query([])?,
        };
        while let Some(row) = found.next()? {
            if sink.row(&SteppedRow(row)).is_break() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

struct SteppedRow<'a, 'b>(&'a rusqlite::Row<'b>);

impl Row for SteppedRow<'_, '_> {
    fn value(&self, column: usize) -> ValueRef<'_> {
        // Only a column beyond the request is an error.
        self.0.get_ref(column).unwrap_or(ValueRef::Null)
    }
}
