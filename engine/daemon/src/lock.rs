//! One daemon for a ledger, and how others find it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use crate::serve::StartError;

/// A note is no longer than this: two lines, one of them with a path.
const NOTE_BYTES: u64 = 5000;

/// Held as long as a daemon lives: an advisory lock of the operating system on `<ledger>.serve`, which ends with the process,
/// however that ends. The lock of the ledger itself is only held while something is written.
#[derive(Debug)]
pub(crate) struct DaemonLock {
    _file: File,
}

impl DaemonLock {
    /// Takes the lock for this ledger, and notes in it who holds it and at which socket it answers. Links to a ledger lead to the
    /// same lock.
    pub(crate) fn take(ledger: &Path, socket: Option<&str>) -> Result<Self, StartError> {
        let path = path(ledger);
        let failed = |source| StartError::Lock { path: path.clone(), source };
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read(&mut file).and_then(|note| note.lines().next().map(str::to_owned));
                let holder = holder.filter(|line| !line.is_empty()).unwrap_or_else(|| "another process".to_owned());
                return Err(StartError::Served { holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // On a full disk there is no note, and whoever is refused isn't told by whom.
        let _ = file.set_len(0).and_then(|()| file.write_all(note(std::process::id(), socket).as_bytes()));
        Ok(DaemonLock { _file: file })
    }
}

/// What the last daemon of a ledger noted of itself. It may be gone since: the lock itself isn't asked for, because that could keep a
/// daemon that starts at this moment from getting it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Its process.
    pub process: u32,
    /// Its socket, if it has one, as its configuration has it: from the project's folder. So a copy of a project doesn't lead to the
    /// daemon of the original.
    pub socket: Option<String>,
}

/// What the last daemon of this ledger noted of itself, if that can be read.
pub fn noted(ledger: &Path) -> Option<Noted> {
    let note = read(&mut File::open(path(ledger)).ok()?)?;
    let process = note.split_once(PROCESS)?.1.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    let socket = note.lines().find_map(|line| line.strip_prefix(SOCKET)).map(str::to_owned);
    Some(Noted { process, socket })
}

const PROCESS: &str = "(process ";
const SOCKET: &str = "socket ";

fn note(process: u32, socket: Option<&str>) -> String {
    let socket = socket.map(|path| format!("{SOCKET}{path}\n")).unwrap_or_default();
    format!("tierd serve {PROCESS}{process})\n{socket}")
}

fn read(file: &mut File) -> Option<String> {
    let mut note = String::new();
    file.take(NOTE_BYTES).read_to_string(&mut note).ok()?;
    Some(note)
}

fn path(ledger: &Path) -> PathBuf {
    let mut path = resolve(ledger).into_os_string();
    path.push(".serve");
    PathBuf::from(path)
}

/// Where a ledger really is, or will be. What can't be found out is said when the lock is opened.
fn resolve(ledger: &Path) -> PathBuf {
    let in_folder = || Some(ledger.parent()?.canonicalize().ok()?.join(ledger.file_name()?));
    ledger.canonicalize().ok().or_else(in_folder).unwrap_or_else(|| ledger.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_who_holds_it_and_where_that_answers() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("a.ledger");
        assert_eq!(noted(&ledger), None);
        let lock = DaemonLock::take(&ledger, Some("a b/tierd.sock")).unwrap();
        let process = std::process::id();
        assert_eq!(noted(&ledger), Some(Noted { process, socket: Some("a b/tierd.sock".into()) }));
        let refused = DaemonLock::take(&ledger, None).unwrap_err();
        assert!(
            matches!(&refused, StartError::Served { holder } if *holder == format!("tierd serve (process {process})"))
        );
        drop(lock);
        let _lock = DaemonLock::take(&ledger, None).unwrap();
        assert_eq!(noted(&ledger), Some(Noted { process, socket: None }));
    }
}
