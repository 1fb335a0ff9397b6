//! How far a read has come, for another thread to look at; and its end, if that thread wishes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared by the threads that read and the one that shows.
#[derive(Debug, Default)]
pub struct Progress {
    rows: AtomicU64,
    expected: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    /// Rows read so far, in all tables.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// About how many rows there will be, in the tables begun so far: at most the span of their row ids.
    pub fn expected(&self) -> u64 {
        self.expected.load(Ordering::Relaxed)
    }

    /// Asks the read to end; it returns [`crate::ReadError::Cancelled`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the read was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    pub(crate) fn expect(&self, rows: u64) {
        self.expected.fetch_add(rows, Ordering::Relaxed);
    }
}
