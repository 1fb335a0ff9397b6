//! What can go wrong with the database as a whole.

use std::{io, path::PathBuf, time::Duration};

use rusqlite::{ErrorCode, ffi};

use crate::preflight::Unsafe;

/// The database can't be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// There is no such file.
    #[error("no database at {}", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// A folder, socket or device.
    #[error("{} is not a file", path.display())]
    NotAFile {
        /// What was found.
        path: PathBuf,
    },
    /// The system doesn't let us look at the file.
    #[error("can't look at {}", path.display())]
    Inaccessible {
        /// The database.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The system doesn't let us open the file.
    #[error("can't open {}: is it readable for this user?", path.display())]
    CantOpen {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// Some other file.
    #[error("{} is not an SQLite database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// Its pages contradict each other.
    #[error("{} is damaged; `PRAGMA integrity_check` says where", path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// A writer has kept it to itself.
    #[error("{} stayed locked by another process for {} ms", path.display(), waited.as_millis())]
    Busy {
        /// The database.
        path: PathBuf,
        /// For how long we have tried.
        waited: Duration,
    },
    /// A writer that crashed has left a journal, which only a writer can roll back.
    #[error("{} has the journal of a writer that crashed; let the application open it once", path.display())]
    HotJournal {
        /// The database.
        path: PathBuf,
    },
    /// Opening it as this user would lock its owner out.
    #[error(transparent)]
    Unsafe(#[from] Unsafe),
    /// Anything else that SQLite reports.
    #[error("can't read {}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
}

impl DatabaseError {
    /// Whether another try later may succeed.
    pub fn is_temporary(&self) -> bool {
        matches!(self, DatabaseError::Busy { .. })
    }

    /// Sorts what SQLite reports.
    pub(crate) fn from_sqlite(path: &std::path::Path, waited: Duration, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        if source.sqlite_error().is_some_and(|e| e.extended_code == ffi::SQLITE_READONLY_ROLLBACK) {
            return DatabaseError::HotJournal { path };
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DatabaseError::Busy { path, waited },
            Some(ErrorCode::DatabaseCorrupt) => DatabaseError::Corrupt { path, source },
            Some(ErrorCode::NotADatabase) => DatabaseError::NotADatabase { path },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => DatabaseError::CantOpen { path, source },
            _ => DatabaseError::Sqlite { path, source },
        }
    }
}
