//! Where the data of a fact table begins.

use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tierd_eval::scan::Cell;
use tierd_model::{Timestamp, Type, Zone};
use tierd_rules::{Encoding, Facts, TimeEncoding};

use crate::{decode::Decoder, reader::quoted};

/// SQLite's instructions between two looks at the clock.
const STEPS: i32 = 100_000;

/// The time of the oldest fact, for a date its local midnight. `None` where there is none, where the least stored value is no
/// time at all, or where a look at the whole table takes longer than `patience`: it is good for a hint, not for grading.
///
/// The table's row filter is left out of account.
///
/// # Errors
/// SQLite's own, such as a table that isn't there.
pub fn oldest(
    connection: &mut Connection,
    facts: &Facts,
    zone: &Zone,
    patience: Duration,
) -> Result<Option<Timestamp>, rusqlite::Error> {
    let until = Instant::now() + patience;
    connection.progress_handler(STEPS, Some(move || Instant::now() >= until))?;
    let found = least(connection, facts, zone);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    match found {
        Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::OperationInterrupted => Ok(None),
        found => found,
    }
}

fn least(connection: &Connection, facts: &Facts, zone: &Zone) -> Result<Option<Timestamp>, rusqlite::Error> {
    let column = &facts.columns[facts.time];
    let (name, table) = (quoted(&column.column), quoted(&facts.table));
    // Numbers come before texts in SQLite's order.
    let kind = match column.encoding {
        Encoding::Time(TimeEncoding::Iso8601) => "= 'text'",
        _ => "IN ('integer', 'real')",
    };
    let sql = format!("SELECT min({name}) FROM main.{table} WHERE typeof({name}) {kind}");
    connection.query_row(&sql, [], |row| {
        let cell = Decoder::new(column, zone).cell(row.get_ref(0)?);
        Ok(match cell {
            Cell::Value(day) if column.ty == Type::Date => {
                i32::try_from(day).ok().map(|day| zone.midnight(tierd_model::Date(day)))
            }
            Cell::Value(micros) => Some(Timestamp(micros)),
            _ => None,
        })
    })
}
