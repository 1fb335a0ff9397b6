//! One writer at a time.
//!
//! The lock is an advisory lock of the operating system on `<ledger>.lock`, so it ends with the process that holds it,
//! however that ends. The file itself stays: removing it would let two processes lock two files of the same name.
//! Readers don't look at it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tierd_model::Timestamp;

use crate::{
    error::{ErrorKind, KindResult},
    file::with_suffix,
};

/// How long to wait before the lock is tried again: writers come and go in some milliseconds, runs in seconds.
const AGAIN: Duration = Duration::from_millis(20);

/// More of a lock file than this is no note of tierd's.
const LONGEST_NOTE: u64 = 400;

/// Held as long as this value lives.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
}

impl WriterLock {
    /// Takes the lock of this ledger and notes in it who holds it. Waits for others as long as this patience lasts.
    pub(crate) fn take(ledger: &Path, program: &str, patience: Duration) -> KindResult<Self> {
        let path = with_suffix(ledger, ".lock");
        let failed = |action| {
            let file = path.clone();
            move |source: io::Error| ErrorKind::File { action, file, source }
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(failed("open the lock file"))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begun.elapsed() < patience => thread::sleep(AGAIN),
                Err(TryLockError::WouldBlock) => return Err(ErrorKind::Locked { holder: read_note(&mut file) }),
                Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
            }
        }
        // On a full disk there is no note, and whoever is refused isn't told by whom.
        let _ = write_note(&mut file, &note(program));
        Ok(WriterLock { file })
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // A note left behind would only name someone who has gone; the lock ends with the handle in any case.
        let _ = self.file.set_len(0);
    }
}

fn note(program: &str) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = Timestamp(i64::try_from(since.as_secs()).unwrap_or(0) * tierd_model::MICROS);
    format!("{program} (process {} on {}, since {since})\n", std::process::id(), host())
}

/// The name of this machine: a ledger may lie on a shared disk.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "an unnamed host".to_owned() } else { name.to_owned() }
}

fn write_note(file: &mut File, note: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(note.as_bytes())
}

/// The holder's note, or a plain word where it hasn't written one yet.
fn read_note(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let read = file.take(LONGEST_NOTE).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().next().unwrap_or("").trim();
    if read.is_err() || line.is_empty() || line.contains(char::is_control) {
        return "another process".to_owned();
    }
    line.to_owned()
}
