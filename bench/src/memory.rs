//! Anonymous memory of this process at its highest: what it takes from the machine beside cached files.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Looks every few milliseconds.
pub(crate) struct Peak {
    kib: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Peak {
    pub(crate) fn watch() -> Self {
        let (kib, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (theirs, end) = (Arc::clone(&kib), Arc::clone(&done));
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                theirs.fetch_max(anonymous_kib(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(4));
            }
        });
        Peak { kib, done, thread }
    }

    /// The highest so far, in MiB.
    pub(crate) fn end(self) -> f64 {
        self.done.store(true, Ordering::Relaxed);
        let _ = self.thread.join();
        self.kib.fetch_max(anonymous_kib(), Ordering::Relaxed);
        self.kib.load(Ordering::Relaxed) as f64 / 1024.0
    }
}

/// `RssAnon` of Linux; 0 elsewhere.
fn anonymous_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}
