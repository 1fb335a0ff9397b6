//! One daemon for a ledger.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::Path,
};

use crate::serve::StartError;

/// Held as long as a daemon lives: an advisory lock of the operating system on `<ledger>.serve`, which ends with the process,
/// however that ends. The lock of the ledger itself is only held while something is written.
#[derive(Debug)]
pub(crate) struct DaemonLock {
    _file: File,
}

impl DaemonLock {
    /// Takes the lock for this ledger, and notes in it who holds it.
    pub(crate) fn take(ledger: &Path) -> Result<Self, StartError> {
        let mut path = ledger.as_os_str().to_owned();
        path.push(".serve");
        let path = std::path::PathBuf::from(path);
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
        file.set_len(0).map_err(failed)?;
        writeln!(file, "tierd serve (process {})", std::process::id()).map_err(failed)?;
        Ok(DaemonLock { _file: file })
    }
}
