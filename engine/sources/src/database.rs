//! The company's database: opened read-only, by SQLite alone, and never written.
//!
//! Nothing in this crate opens the file itself: closing any handle of it would drop the locks that SQLite has on it in this
//! process (POSIX). Before the first read, [`crate::preflight`] makes sure that reading it can't hurt its owner. `immutable` is
//! never used: it misses what is only in the WAL. Nor is the file mapped into memory: reading a map of a file that someone cuts
//! short ends the process.

use std::{
    ffi::{CStr, c_int, c_void},
    hash::{BuildHasher, RandomState},
    io,
    path::{Path, PathBuf},
    ptr,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig, ffi};

use crate::{
    error::DatabaseError,
    preflight::{SideFiles, Situation},
    vfs,
};

/// The first bytes of every SQLite database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER: usize = 100;
/// Offset of the header's "read version": 2 for a database in WAL mode.
const READ_VERSION: usize = 19;

/// A database that has passed the preflight.
#[derive(Debug, Clone)]
pub struct Database {
    path: PathBuf,
    patience: Duration,
    /// What files that we make beside it mean to its owner.
    side_files: SideFiles,
}

impl Database {
    /// Looks at the file, its owner and its header. Locks that others hold are waited for up to `patience`.
    ///
    /// # Errors
    /// [`DatabaseError`] where it is missing, no database, not readable, or not safe to open as this user.
    pub fn open(path: impl Into<PathBuf>, patience: Duration) -> Result<Self, DatabaseError> {
        let path = path.into();
        let metadata = std::fs::metadata(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => DatabaseError::Missing { path: path.clone() },
            _ => DatabaseError::Inaccessible { path: path.clone(), source },
        })?;
        if !metadata.is_file() {
            return Err(DatabaseError::NotAFile { path });
        }
        let mut database = Database { path, patience, side_files: SideFiles::Harmless };
        database.side_files = database.preflight()?;
        Ok(database)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A connection that can only read. Nothing has been read on it yet.
    ///
    /// # Errors
    /// [`DatabaseError`] where SQLite can't open it.
    pub fn connect(&self) -> Result<Connection, DatabaseError> {
        let vfs = match self.side_files {
            SideFiles::Harmless => None,
            SideFiles::Shared => vfs::with_shared_wal(),
            SideFiles::LockOut => vfs::without_new_wal(),
        };
        let mut connection = self.open_raw(vfs)?;
        self.configure(&mut connection).map_err(|source| self.error(source))?;
        Ok(connection)
    }

    /// Sorts what SQLite has reported while reading this database.
    pub fn error(&self, source: rusqlite::Error) -> DatabaseError {
        // The application has closed it since the preflight, and its WAL is gone; or it has come again meanwhile, and its WAL isn't whole yet.
        let code = source.sqlite_error().map(|error| error.extended_code);
        let is_of_wal = match source.sqlite_error_code() {
            Some(ErrorCode::CannotOpen) => true,
            Some(ErrorCode::ReadOnly) => code != Some(ffi::SQLITE_READONLY_ROLLBACK),
            _ => false,
        };
        if self.side_files == SideFiles::LockOut && is_of_wal {
            let waited = Duration::ZERO;
            return self.preflight().err().unwrap_or(DatabaseError::Busy { path: self.path.clone(), waited });
        }
        DatabaseError::from_sqlite(&self.path, self.patience, source)
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    fn open_raw(&self, vfs: Option<&CStr>) -> Result<Connection, DatabaseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // The bundled SQLite would read a name such as `file:x?immutable=1` as a URI.
        let is_uri = self.path.to_str().is_some_and(|path| path.starts_with("file:"));
        let path = if is_uri { Path::new(".").join(&self.path) } else { self.path.clone() };
        let opened = match vfs {
            // The index of a WAL is made before its file system is asked.
            Some(vfs) if self.side_files == SideFiles::LockOut => {
                let flags = flags | OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags_and_vfs(format!("{}?readonly_shm=1", uri(&path)), flags, vfs)
            }
            Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
            None => Connection::open_with_flags(path, flags),
        };
        opened.map_err(|source| DatabaseError::from_sqlite(&self.path, self.patience, source))
    }

    fn configure(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        connection.busy_handler(Some(patient(self.patience)))?;
        // A name that doesn't exist is an error, and never a text.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        // Views of a strange database call no functions with side effects.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "temp_store", "memory")
    }

    /// Returns what files that we make beside it mean to its owner.
    fn preflight(&self) -> Result<SideFiles, DatabaseError> {
        let header = read_header(&self.open_raw(None)?);
        let header = header.map_err(|source| DatabaseError::from_sqlite(&self.path, self.patience, source))?;
        let situation = Situation::of(&self.path)
            .map_err(|source| DatabaseError::Inaccessible { path: self.path.clone(), source })?;
        let side_files = situation.map_or(SideFiles::Harmless, |situation| situation.made());
        let Some(header) = header else {
            // An empty file is an empty database.
            return Ok(side_files);
        };
        if !header.starts_with(MAGIC) {
            return Err(DatabaseError::NotADatabase { path: self.path.clone() });
        }
        if let (2, Some(situation)) = (header[READ_VERSION], situation) {
            situation.judge(&self.path)?;
        }
        Ok(side_files)
    }
}

/// A path as SQLite's URIs have it: every byte that could mean something else by its number.
fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// The database's header, read through SQLite's own file handle: before any transaction, so that nothing is locked or created.
/// `None` for an empty file.
fn read_header(connection: &Connection) -> rusqlite::Result<Option<[u8; HEADER]>> {
    let mut header = [0u8; HEADER];
    let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
    let out: *mut *mut ffi::sqlite3_file = &mut file;
    // SAFETY: the connection is open; FILE_POINTER writes one pointer to its own file, which lives as long as the connection.
    let code = unsafe {
        ffi::sqlite3_file_control(connection.handle(), c"main".as_ptr(), ffi::SQLITE_FCNTL_FILE_POINTER, out.cast())
    };
    check(code)?;
    // SAFETY: SQLite sets `pMethods` of every file that it has opened; the pointer is null only where there is no file.
    let read = unsafe { file.as_ref().and_then(|file| file.pMethods.as_ref()) }.and_then(|methods| methods.xRead);
    let Some(read) = read else {
        return Ok(None);
    };
    // SAFETY: `read` is this file's own method; the buffer has room for the bytes asked for. On a short read, the rest is zeros.
    match unsafe { read(file, header.as_mut_ptr().cast::<c_void>(), HEADER as c_int, 0) } {
        ffi::SQLITE_IOERR_SHORT_READ if header == [0; HEADER] => Ok(None),
        ffi::SQLITE_IOERR_SHORT_READ => Ok(Some(header)),
        code => check(code).map(|()| Some(header)),
    }
}

fn check(code: c_int) -> rusqlite::Result<()> {
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
    }
}

/// A busy handler that waits a little, never twice the same, until its patience is at an end.
fn patient(patience: Duration) -> impl FnMut(i32) -> bool + Send + 'static {
    let mut since = Instant::now();
    move |attempt| {
        if attempt == 0 {
            since = Instant::now();
        }
        let keep_trying = since.elapsed() < patience;
        if keep_trying {
            std::thread::sleep(jitter(attempt));
        }
        keep_trying
    }
}

/// From half a millisecond to 12, growing with the attempts, with as much chance in it.
pub(crate) fn jitter(attempt: i32) -> Duration {
    let most = 1_000u64 << attempt.clamp(0, 3);
    let chance = RandomState::new().hash_one(attempt) % most;
    Duration::from_micros(most / 2 + chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris_of_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["shop.db", "a b?c=d&e#f%41.db", "门店.db"] {
            let path = folder.path().join(name);
            Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            let opened = Connection::open_with_flags(format!("{}?readonly_shm=1", uri(&path)), flags).unwrap();
            assert_eq!(opened.query_row("SELECT count(*) FROM t", [], |row| row.get(0)), Ok(0), "{name}");
        }
    }
}
