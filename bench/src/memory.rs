//! What a run takes from the machine: anonymous memory at its highest (cached files are not counted), and processor time.

use std::{
    fs::File,
    io,
    path::Path,
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
pub(crate) fn anonymous_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

/// Processor time of this process so far, in seconds, of all threads; 0 where `/proc` is absent.
pub(crate) fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The command's name, in parentheses, may hold blanks; user and system time are fields 14 and 15, in ticks of 10 ms.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Reads the whole file, so that a run finds it in the system's cache.
pub(crate) fn warm(file: &Path) -> io::Result<()> {
    io::copy(&mut File::open(file)?, &mut io::sink()).map(drop)
}
