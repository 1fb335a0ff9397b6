//! Readers of the ledger that are kept open from one explanation to the next: opening one takes longer than what is asked of it.
//!
//! An idle reader holds no lock and no snapshot, so that it is in nobody's way. One whose file has been replaced is given up.

use std::{
    fs,
    ops::Deref,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Mutex, PoisonError},
};

use tierd_ledger::Reader;

/// More aren't kept: each may hold two megabytes of pages.
const MOST: usize = 4;

/// Readers that nobody uses at the moment, and the file that they read.
#[derive(Debug, Default)]
pub(super) struct Readers(Mutex<(Option<FileId>, Vec<Reader>)>);

/// Device and number of a file.
type FileId = (u64, u64);

/// A reader that goes back when it is dropped.
#[derive(Debug)]
pub(super) struct Lent<'a> {
    from: &'a Readers,
    file: Option<FileId>,
    /// There until it is dropped.
    reader: Option<Reader>,
}

impl Readers {
    /// A reader of this ledger.
    ///
    /// # Errors
    /// Where it can't be opened.
    pub(super) fn lend(&self, ledger: &Path) -> Result<Lent<'_>, tierd_ledger::Error> {
        let file = file_id(ledger);
        let kept = {
            let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.0 != file {
                *idle = (file, Vec::new());
            }
            idle.1.pop().filter(|_| file.is_some())
        };
        let reader = kept.map_or_else(|| Reader::open(ledger), Ok)?;
        Ok(Lent { from: self, file, reader: Some(reader) })
    }
}

fn file_id(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

impl Deref for Lent<'_> {
    type Target = Reader;

    #[expect(clippy::expect_used, reason = "only `drop` takes it")]
    fn deref(&self) -> &Reader {
        self.reader.as_ref().expect("a reader that is lent")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut idle = self.from.0.lock().unwrap_or_else(PoisonError::into_inner);
        if self.file.is_some() && idle.0 == self.file && idle.1.len() < MOST {
            idle.1.extend(self.reader.take());
        }
    }
}
