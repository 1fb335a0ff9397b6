//! Making, recognising and opening the file.
//!
//! A new ledger is built beside its place and renamed into it, so that a file of that name is either a whole ledger or not
//! there, and its first page says from the first moment on that it is one. What isn't a ledger is left alone entirely: not
//! written, not locked, and given neither lock file nor WAL.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use crate::{
    error::{At, ErrorKind, KindResult, Result},
    lock::WriterLock,
    schema,
};

/// How long to wait for a program that has locked the file itself.
const BUSY: Duration = Duration::from_secs(5);

/// The settings of the writing connection.
///
/// - `synchronous = FULL`: a run that was reported as applied survives a power cut. It costs one sync per run.
/// - `cache_size` (4 MiB) bounds the memory of a transaction of any size: pages beyond it go to the WAL early.
///   Rows come in the order of keys, so that a larger cache isn't faster.
/// - `foreign_keys = OFF`: ids are looked up or made in the same transaction, so that looking them up again for each of
///   millions of rows finds nothing. The tests run `foreign_key_check`.
const WRITER_SETTINGS: &str = "PRAGMA synchronous = FULL;
    PRAGMA cache_size = -4096;
    PRAGMA journal_size_limit = 16777216;
    PRAGMA foreign_keys = OFF;";

/// Opens the ledger for writing, making it where there is none. Waits for another writer as long as `patience` lasts.
pub(crate) fn open_writer(path: &Path, program: &str, patience: Duration) -> Result<(PathBuf, Connection, WriterLock)> {
    let path = resolve(path).at(path)?;
    let opened = || {
        identify(&path)?;
        let lock = WriterLock::take(&path, program, patience)?;
        // Looked at again: another process may have made the file before the lock was ours.
        if identify(&path)? == Found::Nothing {
            create(&path)?;
        }
        let mut conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        conn.execute_batch(WRITER_SETTINGS)?;
        schema::migrate(&mut conn, schema::STEPS)?;
        Ok::<_, ErrorKind>((conn, lock))
    };
    let (conn, lock) = opened().at(&path)?;
    Ok((path, conn, lock))
}

/// Opens the ledger for reading. Takes no lock and never changes the file.
pub(crate) fn open_reader(path: &Path) -> Result<(PathBuf, Connection)> {
    let path = resolve(path).at(path)?;
    let opened = || {
        if identify(&path)? == Found::Nothing {
            return Err(ErrorKind::Missing);
        }
        let conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let (found, known) = (schema::version(&conn)?, schema::known_version());
        match found {
            _ if found > known => Err(ErrorKind::Newer { found, known }),
            _ if found < known => Err(ErrorKind::Older { found, known }),
            _ => Ok(conn),
        }
    };
    let conn = opened().at(&path)?;
    Ok((path, conn))
}

/// What is at the place of a ledger.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// No file, or an empty one.
    Nothing,
    /// A ledger of some version.
    Ledger,
}

pub(crate) fn identify(path: &Path) -> KindResult<Found> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(source) => return Err(ErrorKind::File { action: "look at", file: path.to_owned(), source }),
        Ok(meta) if !meta.is_file() => return Err(ErrorKind::NotALedger),
        Ok(meta) if meta.len() == 0 => return Ok(Found::Nothing),
        Ok(_) => {}
    }
    match peek_application_id(path)? {
        schema::APPLICATION_ID => Ok(Found::Ledger),
        _ => Err(ErrorKind::NotALedger),
    }
}

/// Reads the application id out of the first page, and leaves no trace.
///
/// - Merely reading a WAL database leaves `-wal` and `-shm` files beside it, which its owner may then be unable to open. Only
///   `immutable` makes none. It doesn't look into the WAL, and needn't: the application id of a ledger is in the file
///   before the file has its name, and stays.
/// - `std::fs` could read those four bytes too, but closing its handle would drop the locks that SQLite holds on the file in
///   this process.
/// - A checkpoint writes the first page before those at the end. `writable_schema` has SQLite accept a file that is shorter
///   than its first page says.
fn peek_application_id(path: &Path) -> rusqlite::Result<i64> {
    let uri = format!("file:{}?immutable=1", percent_encoded(path));
    let conn = connect(Path::new(&uri), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)?;
    conn.pragma_update(None, "writable_schema", true)?;
    schema::application_id(&conn)
}

/// A path as a part of a URI.
fn percent_encoded(path: &Path) -> String {
    let mut encoded = String::new();
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Builds a ledger beside its place, and moves it there whole. The caller holds the lock.
fn create(path: &Path) -> KindResult<()> {
    let building = with_suffix(path, ".new");
    for leftover in [&building, &with_suffix(&building, "-journal"), &with_suffix(&building, "-wal")] {
        remove_if_there(leftover)?;
    }
    let mut conn = connect(&building, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    conn.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    schema::migrate(&mut conn, schema::STEPS)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.close().map_err(|(_, error)| error)?;
    let failed = |source| ErrorKind::File { action: "make", file: path.to_owned(), source };
    fs::rename(&building, path).map_err(failed)?;
    sync_folder(path).map_err(failed)
}

/// A rename is durable once its folder is.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

pub(crate) fn remove_if_there(file: &Path) -> KindResult<()> {
    match fs::remove_file(file) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(ErrorKind::File { action: "remove", file: file.to_owned(), source })
        }
        _ => Ok(()),
    }
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(BUSY)?;
    Ok(conn)
}

/// The file itself, absolute and through links, so that one ledger has one lock file. Its folder has to exist.
pub(crate) fn resolve(path: &Path) -> KindResult<PathBuf> {
    if let Ok(file) = fs::canonicalize(path) {
        return Ok(file);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = |source| ErrorKind::File { action: "find the folder", file: folder.to_owned(), source };
    let folder = fs::canonicalize(folder).map_err(failed)?;
    let no_name = || failed(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"));
    Ok(folder.join(path.file_name().ok_or_else(no_name)?))
}

/// A file beside this one.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ledger_is_recognised_in_the_middle_of_a_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tierd.ledger");
        create(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..4096]).unwrap();
        assert!(matches!(identify(&path), Ok(Found::Ledger)));
    }

    #[test]
    fn any_path_is_a_part_of_a_uri() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("100% sure? #1 + ü 帳.ledger");
        create(&path).unwrap();
        assert!(matches!(identify(&path), Ok(Found::Ledger)));
    }
}
