//! Whether the parts of a daemon still move: what a watchdog is fed by.
//!
//! Each part is a task, and each looks around at least every half minute, whatever happens. So the time when a task was last
//! polled says whether it lives: one that blocks its thread, waits for something that never comes, or has ended, isn't polled
//! again. Runs are different: while one is made, what must move is the count of rows read, and evaluating and writing, which
//! count no rows, are allowed a longer time.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use tierd_model::Timestamp;

use super::Handle;

/// A part of a daemon that must not stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Keeps up with the files.
    Reload,
    /// Asks for runs when their times come.
    Scheduler,
    /// Makes the runs.
    Executor,
}

/// How long a part may stand still.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without looking around.
    pub part: Duration,
    /// Of a run, without reading a row.
    pub run: Duration,
}

/// When each part was last polled, in milliseconds since the daemon started.
#[derive(Debug)]
pub(super) struct Pulse {
    start: Instant,
    polled: [AtomicU64; 3],
}

/// Looks at the parts again and again, and remembers what it needs for that.
#[derive(Debug)]
pub struct Liveness {
    handle: Handle,
    patience: Patience,
    run: Option<SeenRun>,
    waiting_since: Option<Instant>,
}

/// How far a run was when it last moved.
#[derive(Debug, Clone, Copy)]
struct SeenRun {
    began: Timestamp,
    rows: u64,
    moved: Instant,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Reload => "reload",
            Part::Scheduler => "scheduler",
            Part::Executor => "executor",
        })
    }
}

impl Default for Patience {
    /// Three times as long as a part sleeps at most; and for a run, ten minutes of evaluating.
    fn default() -> Self {
        Patience { part: Duration::from_secs(90), run: Duration::from_secs(600) }
    }
}

impl Pulse {
    pub(super) fn new() -> Self {
        Pulse { start: Instant::now(), polled: Default::default() }
    }

    fn beat(&self, part: Part) {
        let now = self.start.elapsed().as_millis();
        self.polled[part as usize].store(u64::try_from(now).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn last(&self, part: Part) -> Instant {
        self.start + Duration::from_millis(self.polled[part as usize].load(Ordering::Relaxed))
    }
}

/// The task of a part, noting when it is polled.
pub(super) async fn watched(handle: Handle, part: Part, task: impl Future<Output = ()>) {
    let mut task = pin!(task);
    poll_fn(|context| {
        handle.parts().pulse.beat(part);
        task.as_mut().poll(context)
    })
    .await;
}

impl Liveness {
    /// Begins to look.
    pub fn new(handle: Handle, patience: Patience) -> Self {
        Liveness { handle, patience, run: None, waiting_since: None }
    }

    /// The first part that stands still, if one does. To be asked more often than the shortest patience.
    pub fn stuck(&mut self, now: Instant) -> Option<Part> {
        let still = |part| now.saturating_duration_since(self.handle.parts().pulse.last(part)) > self.patience.part;
        if let Some(part) = [Part::Reload, Part::Scheduler].into_iter().find(|part| still(*part)) {
            return Some(part);
        }
        let standing = if self.handle.running().is_some() { self.run_stands(now) } else { self.requests_wait(now) };
        standing.then_some(Part::Executor)
    }

    /// Whether the run that runs hasn't read a row for too long.
    fn run_stands(&mut self, now: Instant) -> bool {
        self.waiting_since = None;
        let Some(running) = self.handle.running() else { return false };
        let (began, rows) = (running.since, running.progress.rows());
        match self.run.filter(|seen| seen.began == began && seen.rows == rows) {
            Some(seen) => now.saturating_duration_since(seen.moved) > self.patience.run,
            None => {
                self.run = Some(SeenRun { began, rows, moved: now });
                false
            }
        }
    }

    /// Whether runs have been asked for, and none has begun for too long.
    fn requests_wait(&mut self, now: Instant) -> bool {
        self.run = None;
        let runs = &self.handle.parts().runs;
        if runs.capacity() == runs.max_capacity() {
            self.waiting_since = None;
            return false;
        }
        let since = *self.waiting_since.get_or_insert(now);
        now.saturating_duration_since(since) > self.patience.part
    }
}
