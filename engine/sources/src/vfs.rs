//! SQLite's own file system, but for the WAL of another user's database.
//!
//! An application that closes its last connection takes `-wal` and `-shm` with it, at any moment. A reader that comes right after makes
//! them anew, and they are its own. Where that locks the application out, reading has to fail instead: once SQLite has a lock on the
//! database and its WAL is there, nobody removes either, so that it is enough to make neither the WAL nor (by `readonly_shm`) its index. Where the application may write them,
//! they have to be there with its permissions at once: SQLite makes files and gives them their permissions after that, and who opens
//! them in between may only read.

use std::{
    ffi::{CStr, OsStr, c_char, c_int},
    fs, io,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
    process, ptr,
    sync::{
        OnceLock,
        atomic::{AtomicPtr, AtomicU64, Ordering},
    },
};

use rusqlite::ffi;

type Open =
    unsafe extern "C" fn(*mut ffi::sqlite3_vfs, *const c_char, *mut ffi::sqlite3_file, c_int, *mut c_int) -> c_int;

const NONE: &CStr = c"tierd-no-new-wal";
const SHARED: &CStr = c"tierd-shared-wal";

/// SQLite's own, which does all the work.
static ORIGINAL: AtomicPtr<ffi::sqlite3_vfs> = AtomicPtr::new(ptr::null_mut());

/// The name for SQLite of one that makes no WAL; `None` where SQLite doesn't take it.
pub(crate) fn without_new_wal() -> Option<&'static CStr> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    REGISTERED.get_or_init(|| register(NONE, open_none)).then_some(NONE)
}

/// The name for SQLite of one that makes a WAL with its permissions from the first moment; `None` where SQLite doesn't take it.
pub(crate) fn with_shared_wal() -> Option<&'static CStr> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    REGISTERED.get_or_init(|| register(SHARED, open_shared)).then_some(SHARED)
}

fn register(name: &'static CStr, open: Open) -> bool {
    // SAFETY: a null pointer asks for the default one; SQLite initialises itself for it.
    let original = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    // SAFETY: what SQLite finds it keeps for the life of the program, and the default one is never changed.
    let Some(of) = (unsafe { original.as_ref() }) else { return false };
    ORIGINAL.store(original, Ordering::Release);
    let ours = ffi::sqlite3_vfs { pNext: ptr::null_mut(), zName: name.as_ptr(), xOpen: Some(open), ..*of };
    // SAFETY: it lives for the rest of the program, and its methods are those of the default one, which take any pointer to a file system
    // that has the same `pAppData`.
    unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(ours)), 0) == ffi::SQLITE_OK }
}

/// As the default one opens files, but that a WAL has to be there.
unsafe extern "C" fn open_none(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let flags = if flags & ffi::SQLITE_OPEN_WAL == 0 { flags } else { flags & !ffi::SQLITE_OPEN_CREATE };
    // SAFETY: the arguments are those of SQLite.
    unsafe { open(name, file, flags, out) }
}

/// As the default one opens files, but that a WAL is made beforehand.
unsafe extern "C" fn open_shared(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    if flags & ffi::SQLITE_OPEN_WAL != 0 && !name.is_null() {
        // SAFETY: names that SQLite gives are C strings that live through the call.
        let name = unsafe { CStr::from_ptr(name) };
        // Where it can't be made so, SQLite makes it as ever.
        let _ = make_shared(Path::new(OsStr::from_bytes(name.to_bytes())));
    }
    // SAFETY: the arguments are those of SQLite.
    unsafe { open(name, file, flags, out) }
}

/// # Safety
/// The arguments must be such as SQLite gives a file system's `xOpen`.
unsafe fn open(name: *const c_char, file: *mut ffi::sqlite3_file, flags: c_int, out: *mut c_int) -> c_int {
    let original = ORIGINAL.load(Ordering::Acquire);
    // SAFETY: `register` has stored the default one before SQLite knew of any other.
    let Some(open) = (unsafe { original.as_ref() }).and_then(|original| original.xOpen) else {
        return ffi::SQLITE_CANTOPEN;
    };
    // SAFETY: the caller's arguments, for a method of SQLite's own.
    unsafe { open(original, name, file, flags, out) }
}

/// Makes a WAL and its index, empty and with the database's permissions, where they aren't there.
fn make_shared(wal: &Path) -> io::Result<()> {
    let Some(database) = wal.as_os_str().as_bytes().strip_suffix(b"-wal") else { return Ok(()) };
    let permissions = fs::Permissions::from_mode(fs::metadata(OsStr::from_bytes(database))?.mode() & 0o777);
    for end in ["-shm", "-wal"] {
        let path = PathBuf::from(OsStr::from_bytes(&[database, end.as_bytes()].concat()));
        if !path.exists() {
            make(&path, permissions.clone())?;
        }
    }
    Ok(())
}

/// Makes an empty file under another name and links it to its own. It is closed before: SQLite's locks on a file go with any handle of
/// it that this process closes.
fn make(path: &Path, permissions: fs::Permissions) -> io::Result<()> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let mut other = path.as_os_str().to_owned();
    other.push(format!(".{}-{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed)));
    #[expect(clippy::disallowed_methods, reason = "a new file, which SQLite has never opened")]
    drop(fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&other)?);
    let linked = fs::set_permissions(&other, permissions).and_then(|()| fs::hard_link(&other, path));
    fs::remove_file(&other)?;
    match linked {
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
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

    #[test]
    fn a_wal_is_made_with_the_permissions_of_its_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let application = || Connection::open(&path).unwrap();
        application().execute_batch("CREATE TABLE t (x); PRAGMA journal_mode = WAL").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let vfs = with_shared_wal().unwrap();
        let reader = Connection::open_with_flags_and_vfs(&path, OpenFlags::SQLITE_OPEN_READ_ONLY, vfs).unwrap();
        let count = || reader.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0));
        assert_eq!(count(), Ok(0));
        let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let modes: Vec<_> = files.iter().map(|file| fs::metadata(file).unwrap().mode() & 0o777).collect();
        assert_eq!(modes, [0o666; 3], "{files:?}");
        application().execute_batch("INSERT INTO t VALUES (1)").unwrap();
        assert_eq!(count(), Ok(1));
    }
}
