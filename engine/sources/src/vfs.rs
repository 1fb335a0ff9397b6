//! SQLite's own file system, but for one thing: it makes no WAL.
//!
//! An application that closes its last connection takes `-wal` and `-shm` with it, at any moment. A reader that comes right after would make
//! them anew, and they would be its own: where that locks the application out, reading has to fail instead. Once SQLite has a lock
//! on the database and its WAL is there, nobody removes either: so it is enough not to make the WAL.

use std::{
    ffi::{CStr, c_char, c_int},
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicPtr, Ordering},
    },
};

use rusqlite::ffi;

const NAME: &CStr = c"tierd-no-new-wal";

/// SQLite's own, which does all the work.
static ORIGINAL: AtomicPtr<ffi::sqlite3_vfs> = AtomicPtr::new(ptr::null_mut());

/// Its name for SQLite; `None` where SQLite doesn't take it.
pub(crate) fn without_new_wal() -> Option<&'static CStr> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    REGISTERED.get_or_init(register).then_some(NAME)
}

fn register() -> bool {
    // SAFETY: a null pointer asks for the default one; SQLite initialises itself for it.
    let original = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    // SAFETY: what SQLite finds it keeps for the life of the program, and the default one is never changed.
    let Some(of) = (unsafe { original.as_ref() }) else { return false };
    ORIGINAL.store(original, Ordering::Release);
    let ours = ffi::sqlite3_vfs { pNext: ptr::null_mut(), zName: NAME.as_ptr(), xOpen: Some(open), ..*of };
    // SAFETY: it lives for the rest of the program, and its methods are those of the default one, which take any pointer to a file system
    // that has the same `pAppData`.
    unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(ours)), 0) == ffi::SQLITE_OK }
}

/// As the default one opens files, but that a WAL has to be there.
unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let original = ORIGINAL.load(Ordering::Acquire);
    let flags = if flags & ffi::SQLITE_OPEN_WAL == 0 { flags } else { flags & !ffi::SQLITE_OPEN_CREATE };
    // SAFETY: `register` has stored the default one before SQLite knew of this function.
    let Some(open) = (unsafe { original.as_ref() }).and_then(|original| original.xOpen) else {
        return ffi::SQLITE_CANTOPEN;
    };
    // SAFETY: the arguments are those of SQLite, for a method of its own.
    unsafe { open(original, name, file, flags, out) }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, ErrorCode, OpenFlags};

    use super::*;

    #[test]
    fn a_database_is_read_while_its_wal_is_there_and_never_gets_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let application = || Connection::open(&path).unwrap();
        let count = || {
            let vfs = without_new_wal().unwrap();
            let reader = Connection::open_with_flags_and_vfs(&path, OpenFlags::SQLITE_OPEN_READ_ONLY, vfs).unwrap();
            reader.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0))
        };
        let files = || std::fs::read_dir(folder.path()).unwrap().count();
        application().execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1); PRAGMA journal_mode = WAL").unwrap();
        for rows in 2..4 {
            let error = count().unwrap_err();
            assert_eq!((error.sqlite_error_code(), files()), (Some(ErrorCode::CannotOpen), 1));
            let application = application();
            application.execute_batch("INSERT INTO t VALUES (2)").unwrap();
            assert_eq!(count(), Ok(rows));
            application.close().unwrap();
        }
    }
}
