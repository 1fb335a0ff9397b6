//! One daemon for a ledger.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use crate::serve::StartError;

/// Held as long as a daemon lives: an advisory lock of the operating system on `<ledger>.serve`, which ends with the process,
/// however that ends. The lock of the ledger itself is only held while something is written.
#[derive(Debug)]
pub(crate) struct DaemonLock {
    _file: File,
}

impl DaemonLock {
    /// Takes the lock for this ledger, and notes in it who holds it. Links to a ledger lead to the same lock.
    pub(crate) fn take(ledger: &Path) -> Result<Self, StartError> {
        let mut path = resolve(ledger).into_os_string();
        path.push(".serve");
        let path = PathBuf::from(path);
        let failed = |source| StartError::Lock { path: path.clone(), source };
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let read = Read::by_ref(&mut file).take(400).read_to_string(&mut holder);
                let holder = holder.lines().next().filter(|line| read.is_ok() && !line.is_empty());
                return Err(StartError::Served { holder: holder.unwrap_or("another process").to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // On a full disk there is no note, and whoever is refused isn't told by whom.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "tierd serve (process {})", std::process::id()));
        Ok(DaemonLock { _file: file })
    }
}

/// Where a ledger really is, or will be. What can't be found out is said when the lock is opened.
fn resolve(ledger: &Path) -> PathBuf {
    let in_folder = || Some(ledger.parent()?.canonicalize().ok()?.join(ledger.file_name()?));
    ledger.canonicalize().ok().or_else(in_folder).unwrap_or_else(|| ledger.to_owned())
}
