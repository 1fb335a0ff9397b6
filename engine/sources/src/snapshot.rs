//! Several connections that see one and the same state of the database.
//!
//! Each connection opens its own read transaction. That no commit came in between is proven by one more connection, the
//! monitor: its `PRAGMA data_version` is the same before the first transaction was opened and after the last. Else all of them
//! are opened anew. A writer that never pauses long enough leaves us one connection, which always agrees with itself.

use std::time::Instant;

use rusqlite::Connection;

use crate::{
    database::{Database, jitter},
    error::DatabaseError,
};

/// After so many commits in the way, one connection must do.
const MOST_ATTEMPTS: i32 = 100;

/// Open read transactions on one state of the database.
///
/// While it lives, a database in rollback mode admits no commit and one in WAL mode can't shorten its WAL: it is opened, read and
/// dropped, and evaluation comes afterwards.
#[derive(Debug)]
pub struct Snapshot {
    database: Database,
    connections: Vec<Connection>,
    schema_version: i64,
    opened: Instant,
}

impl Snapshot {
    /// Opens read transactions on `connections` connections, or on one where a writer leaves no time for more.
    ///
    /// # Errors
    /// [`DatabaseError`] where the database can't be read.
    pub fn open(database: &Database, connections: usize) -> Result<Self, DatabaseError> {
        let error = |source| database.error(source);
        let connect = || database.connect();
        let monitor = connect()?;
        let mut open = (0..connections.max(1)).map(|_| connect()).collect::<Result<Vec<_>, _>>()?;
        let started = Instant::now();
        for attempt in 0.. {
            let before = data_version(&monitor).map_err(error)?;
            open.iter().try_for_each(begin).map_err(error)?;
            if open.len() == 1 || data_version(&monitor).map_err(error)? == before {
                break;
            }
            open.iter().try_for_each(|connection| connection.execute_batch("ROLLBACK")).map_err(error)?;
            if attempt == MOST_ATTEMPTS || started.elapsed() > database.patience() {
                open.truncate(1);
            }
            std::thread::sleep(jitter(0));
        }
        let schema_version = schema_version(&open[0]).map_err(error)?;
        Ok(Snapshot { database: database.clone(), connections: open, schema_version, opened: Instant::now() })
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// SQLite's counter of changes to the schema, in this state.
    pub fn schema_version(&self) -> i64 {
        self.schema_version
    }

    /// When the read transactions were opened.
    pub fn opened(&self) -> Instant {
        self.opened
    }

    /// One of the connections.
    pub fn connection(&self) -> &Connection {
        &self.connections[0]
    }

    /// All connections, one for each thread.
    pub fn connections(&mut self) -> &mut [Connection] {
        &mut self.connections
    }
}

/// Opens a transaction and reads, which is what fixes the state that it sees.
fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN")?;
    schema_version(connection).map(drop)
}

fn schema_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA schema_version", [], |row| row.get(0))
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}
