//! Several connections that see one and the same state of the database.
//!
//! Each connection opens its own read transaction. That no commit came in between is proven by one more connection, the
//! monitor: its `PRAGMA data_version` is the same before the first transaction was opened and after the last. Else all of them
//! are closed and opened anew.
//!
//! None of them waits for a lock while another holds one: in rollback mode a writer that is about to commit lets no new reader
//! in and waits for those that are, so that we would wait for ourselves. Waiting is done between attempts, with nothing open.
//! A writer that never leaves time for several transactions leaves us one, which always agrees with itself.

use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use crate::{
    database::{Database, jitter},
    error::DatabaseError,
};

/// After so many commits in the way, one connection must do.
const MOST_COMMITS_IN_THE_WAY: u32 = 30;

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
        let connect = || {
            let connection = database.connect()?;
            connection.busy_timeout(Duration::ZERO).map_err(error)?;
            Ok::<_, DatabaseError>(connection)
        };
        let monitor = connect()?;
        let mut open = (0..connections.max(1)).map(|_| connect()).collect::<Result<Vec<_>, _>>()?;
        let (started, mut in_the_way) = (Instant::now(), 0);
        for attempt in 0.. {
            let outcome = begin_all(&monitor, &open).map_err(error)?;
            match outcome {
                Outcome::OneState => break,
                _ if started.elapsed() > database.patience() && (outcome == Outcome::Locked || open.len() == 1) => {
                    return Err(DatabaseError::Busy { path: database.path().to_owned(), waited: database.patience() });
                }
                Outcome::Locked => {}
                Outcome::CommitInTheWay => in_the_way += 1,
            }
            open.iter().try_for_each(end).map_err(error)?;
            if in_the_way > MOST_COMMITS_IN_THE_WAY || started.elapsed() > database.patience() {
                open.truncate(1);
            }
            std::thread::sleep(jitter(attempt));
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

/// What came of opening all transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    OneState,
    /// A writer lets nobody in.
    Locked,
    /// A writer came in between, or is about to.
    CommitInTheWay,
}

fn begin_all(monitor: &Connection, connections: &[Connection]) -> rusqlite::Result<Outcome> {
    let Some((first, others)) = connections.split_first() else {
        return Ok(Outcome::OneState);
    };
    let Some(before) = unless_busy(data_version(monitor))? else {
        return Ok(Outcome::Locked);
    };
    if unless_busy(begin(first))?.is_none() {
        return Ok(Outcome::Locked);
    }
    for connection in others {
        if unless_busy(begin(connection))?.is_none() {
            return Ok(Outcome::CommitInTheWay);
        }
    }
    let proven = others.is_empty() || unless_busy(data_version(monitor))? == Some(before);
    Ok(if proven { Outcome::OneState } else { Outcome::CommitInTheWay })
}

/// Opens a transaction and reads, which is what fixes the state that it sees.
fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN")?;
    schema_version(connection).map(drop)
}

fn end(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("ROLLBACK") }
}

/// `None` where somebody else has locked the database.
fn unless_busy<T>(result: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match result {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(None),
        result => result.map(Some),
    }
}

fn schema_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA schema_version", [], |row| row.get(0))
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}
