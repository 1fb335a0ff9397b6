//! Whether somebody has committed to the database since it was last asked about.
//!
//! `PRAGMA data_version` of one connection moves when another connection, of any process, commits. So one read-only connection stays
//! open, after the same preflight as for any other reading; it never has a transaction open, so that it holds up no writer and no
//! checkpoint. What it does hold, in WAL mode, is the same as any program that has the database open: `-wal` and `-shm` stay when the
//! application closes its last connection, and the journal mode can't be changed.
//!
//! A database that was replaced by another file is opened anew: the old file would never change again.

use std::path::Path;

use rusqlite::Connection;

use crate::{database::Database, error::DatabaseError};

/// Tells whether the database has changed.
#[derive(Debug)]
pub struct ChangeMonitor {
    database: Database,
    connection: Connection,
    version: i64,
    file: Option<FileId>,
}

impl ChangeMonitor {
    /// Opens a connection that watches this database.
    ///
    /// # Errors
    /// [`DatabaseError`] where it can't be opened or read.
    pub fn open(database: &Database) -> Result<Self, DatabaseError> {
        // The file is looked at first: if it is replaced in between, the next look notices.
        let file = FileId::of(database);
        let connection = database.connect()?;
        let version = data_version(&connection).map_err(|source| database.error(source))?;
        Ok(ChangeMonitor { database: database.clone(), connection, version, file })
    }

    /// Which database it watches.
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// Whether anybody has committed, or replaced the file, since this was last asked (or since it was opened).
    ///
    /// # Errors
    /// [`DatabaseError`] where the database can't be read; what happened in the meantime is told next time.
    pub fn has_changed(&mut self) -> Result<bool, DatabaseError> {
        if FileId::of(&self.database) != self.file {
            let database = Database::open(self.database.path(), self.database.patience())?;
            *self = ChangeMonitor::open(&database)?;
            return Ok(true);
        }
        let version = data_version(&self.connection).map_err(|source| self.database.error(source))?;
        Ok(std::mem::replace(&mut self.version, version) != version)
    }
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}

/// Device and number of a file: another one under the same name has others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    fn of(database: &Database) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(database.path()).ok().map(|file| FileId(file.dev(), file.ino()))
    }

    #[cfg(not(unix))]
    fn of(_: &Database) -> Option<Self> {
        None
    }
}
