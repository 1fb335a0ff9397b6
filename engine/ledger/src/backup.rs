//! A copy of the ledger while it is in use.
//!
//! SQLite copies inside one read transaction, so that the copy is the ledger as it was at one moment; a run that is being
//! written meanwhile doesn't wait, and isn't in the copy. The copy is built beside its place, checked, and renamed into it: a
//! file of that name is a whole ledger, or what was there before. Copying the files by other means misses what is only in the
//! WAL.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use crate::{
    error::{At, ErrorKind, KindResult, Result},
    file::{self, Found, with_suffix},
    schema,
};

/// A ledger whose lock another program holds is asked again after this time,
const AGAIN: Duration = Duration::from_millis(50);
/// and so often.
const TRIES: u32 = 600;

/// A copy of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupDone {
    /// Where it is.
    pub path: PathBuf,
    /// How large it is.
    pub bytes: u64,
    /// How many runs it remembers.
    pub runs: u64,
}

/// Copies a ledger to another file, also while it is in use, and makes sure that the copy is good. `force` replaces an
/// earlier ledger there, and never any other file.
///
/// # Errors
/// [`ErrorKind`], above all: [`ErrorKind::BackupExists`]; [`ErrorKind::NotALedger`] for any other file that would be replaced;
/// what is at the place of the copy stays as it is then.
pub fn backup(ledger: &Path, to: &Path, force: bool) -> Result<BackupDone> {
    let (path, from) = file::open_reader(ledger)?;
    let to = file::resolve(to).at(to)?;
    let copied = || {
        may_be_replaced(&path, &to, force)?;
        let building = with_suffix(&to, ".partial");
        file::remove_if_there(&building)?;
        let done = copy(&from, &building).and_then(|()| verify(&building)).and_then(|runs| {
            // Looked at again: copying takes a while.
            may_be_replaced(&path, &to, force)?;
            let failed = |source| ErrorKind::File { action: "make", file: to.clone(), source };
            fs::rename(&building, &to).map_err(failed)?;
            file::sync_folder(&to).map_err(failed)?;
            let bytes = fs::metadata(&to).map_err(failed)?.len();
            Ok(BackupDone { path: to.clone(), bytes, runs })
        });
        if done.is_err() {
            // What went wrong is the news, not that a leftover stays.
            let _ = fs::remove_file(&building);
        }
        done
    };
    copied().at(&to)
}

fn may_be_replaced(ledger: &Path, to: &Path, force: bool) -> KindResult<()> {
    if to == ledger {
        return Err(ErrorKind::BackupOfItself);
    }
    match file::identify(to)? {
        Found::Ledger if !force => Err(ErrorKind::BackupExists),
        // An empty file is as little a ledger as any other: somebody has put it there.
        Found::Nothing if to.exists() && !force => Err(ErrorKind::BackupExists),
        _ => Ok(()),
    }
}

fn copy(from: &Connection, to: &Path) -> KindResult<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(to, flags)?;
    let backup = Backup::new(from, &mut copy)?;
    for _ in 0..TRIES {
        // All pages in one step, and so in one read transaction.
        match backup.step(-1)? {
            StepResult::Done => {
                drop(backup);
                return copy.close().map_err(|(_, error)| error.into());
            }
            _ => std::thread::sleep(AGAIN),
        }
    }
    let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    Err(rusqlite::Error::SqliteFailure(busy, None).into())
}

/// Opens the copy as any reader would, and has SQLite look through it. Gives the number of runs in it.
fn verify(copy: &Path) -> KindResult<u64> {
    let conn = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    if schema::application_id(&conn)? != schema::APPLICATION_ID {
        return Err(ErrorKind::NotALedger);
    }
    let found: String = conn.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if found != "ok" {
        let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        return Err(rusqlite::Error::SqliteFailure(corrupt, Some(found)).into());
    }
    let runs: i64 = conn.query_row("SELECT count(*) FROM run", [], |row| row.get(0))?;
    // Leaves no WAL of the copy behind.
    conn.close().map_err(|(_, error)| error)?;
    let failed = |source: io::Error| ErrorKind::File { action: "sync", file: copy.to_owned(), source };
    fs::File::open(copy).and_then(|file| file.sync_all()).map_err(failed)?;
    Ok(u64::try_from(runs).unwrap_or(0))
}
