//! The ledger: what tierd itself has to remember, in one SQLite file of its own.
mod apply;
mod decisions;
mod dictionary;
mod error;
mod file;
mod key;
mod lock;
mod reader;
mod revision;
mod run;
mod schema;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub use apply::{Move, SetSummary};
pub use decisions::{DecidingMetrics, NO_LEVEL, SetDecisions};
pub use error::{Error, ErrorKind, Result};
pub use key::{KeyRef, Keys, TextKeys};
pub use reader::{Held, HeldLevel, LevelCount, Reader, Revision, Run, Transition};
pub use revision::{RevisionHash, RevisionRecord};
pub use run::{Outcome, RunId, RunRecord, RunStart, RunSummary, RunWriter};

use error::At;

/// The ledger, open for writing. There is one writer at a time; readers don't wait for it, nor it for them.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    // Closed before the lock below is given up: fields are dropped in order.
    conn: Connection,
    _lock: lock::WriterLock,
}

impl Ledger {
    /// Opens the ledger for writing; makes it where there is no file, or an empty one. `program` is what a second writer
    /// is told of this one, such as `tierd serve`.
    ///
    /// # Errors
    /// [`ErrorKind`], above all: `Locked` by another writer, `NotALedger` for any other file, `Newer` for a ledger of a
    /// newer program. None of them changes the file.
    pub fn open(path: &Path, program: &str) -> Result<Self> {
        let (path, conn, lock) = file::open_writer(path, program)?;
        Ok(Ledger { path, conn, _lock: lock })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records a valid revision with all its files, and that it is in force from now on. Returns whether that is news.
    /// Contents are stored once however many revisions share them.
    ///
    /// # Errors
    /// [`ErrorKind`]; nothing is written then.
    pub fn record_revision(&mut self, record: &RevisionRecord<'_>) -> Result<bool> {
        revision::record(&mut self.conn, record).at(&self.path)
    }

    /// Begins a run. Nothing is written before it ends.
    pub fn begin_run(&mut self, start: RunStart) -> RunWriter<'_> {
        RunWriter::new(self, start)
    }
}
