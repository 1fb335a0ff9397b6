//! A daemon: the rules in force, kept up with the files; runs, one at a time; schedules; and a [`Handle`] on all of it.
//!
//! ```text
//! files ─► watch ─► reload ─► Active (a watch channel) ─► scheduler ─► executor ─► ledger
//!                     ▲                                      ▲             ▲
//!                     └──────────────── Handle ──────────────┴─────────────┘  ◄── HTTP, signals
//! ```
//!
//! Each part is a task of its own that owns its state; others see what it publishes on watch channels and ask it by messages.
//! Reading files, evaluating and writing the ledger happen on threads for blocking work. The ledger is opened for writing
//! only while something is written, so that commands beside the daemon (`tierd override add`, `tierd tasks done`) take their turn.
//!
//! Nothing here prints, and nothing knows HTTP.

mod active;
mod changes;
mod counters;
mod executor;
mod explain;
mod fill;
mod handle;
mod jitter;
mod kept_open;
mod liveness;
mod planner;
mod readers;
mod reload;
mod scheduler;
mod told;
mod verdicts;
mod wall;
mod watcher;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{Project, ProjectError, lock::DaemonLock, memory};

pub use active::{Active, Origin, Problem, Refused};
pub use counters::{Counts, DURATION_BOUNDS, Durations};
pub use executor::{Phases, RunDone, RunRefused, RunRequest, Running};
pub use fill::Filled;
pub use handle::Handle;
pub use liveness::{Liveness, Part, Patience};
pub use reload::{FileInfo, FileState, ReloadCause, ReloadStatus, Reloaded, RollbackRefused, last_good, roll_back};
pub use scheduler::{LastSlot, NextRun, Retry, Schedules};
pub use verdicts::{Decision, VerdictRefused};
pub use wall::{SystemWall, Wall};
pub use watcher::Watching;

/// So long it may take a run to notice that it is abandoned, and to say so in the ledger.
const GIVING_UP: Duration = Duration::from_secs(2);

/// So long a start waits, at most, until the ledger says which rules the daemon goes on with.
const FIRST_NOTE: Duration = Duration::from_secs(30);

/// Why a daemon can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The files can't be read.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The rules have errors, and the ledger has no earlier ones to go on with.
    #[error("the rules have errors, and there is no earlier revision to go on with:\n{}", problems.join("\n"))]
    NoRules {
        /// Each problem, rendered for people.
        problems: Vec<String>,
    },
    /// The program is ending.
    #[error("the program is ending")]
    Ended,
    /// The ledger can't be used, or another daemon does.
    #[error(transparent)]
    Ledger(#[from] tierd_ledger::Error),
    /// Another daemon serves this project.
    #[error("this project is served by {holder} already")]
    Served {
        /// What it says of itself.
        holder: String,
    },
    /// A file beside the ledger can't be used.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A daemon that runs. Dropping it ends its tasks at once; [`Serving::stop`] ends them well.
#[derive(Debug)]
pub struct Serving {
    handle: Handle,
    tasks: JoinSet<()>,
    // Given up last.
    _lock: DaemonLock,
}

/// Starts a daemon for this project: locks its ledger against other daemons, loads the rules, or the last good ones, and begins to
/// watch, to schedule and to take requests.
///
/// By the time it returns the ledger says which rules the daemon goes on with, so that neither a crash nor files that break leave anybody
/// without them; a ledger that can't be written just now keeps no daemon from serving.
///
/// # Errors
/// [`StartError`].
pub async fn start(project: Project, wall: Arc<dyn Wall>) -> Result<Serving, StartError> {
    memory::keep_little();
    let (reading, now) = (project.clone(), wall.now());
    let first =
        tokio::task::spawn_blocking(move || reload::first(&reading, now)).await.map_err(|_| StartError::Ended)??;
    let config = &first.active.rules.config;
    let lock = DaemonLock::take(&project.ledger(config), config.http.socket.as_deref())?;
    let (active, _) = watch::channel(Arc::new(first.active.clone()));
    let (reload_status, _) = watch::channel(Arc::new(first.status.clone()));
    let (unwritten, _) = watch::channel(0);
    let (watching, _) = watch::channel(Watching::Events { folders: 0 });
    let (note_tx, note_rx) = mpsc::unbounded_channel();
    let (reload_tx, reload_rx) = mpsc::channel(16);
    let (run_tx, run_rx) = mpsc::channel(64);
    let (running, _) = watch::channel(None);
    let (last_run, _) = watch::channel(None);
    let (schedules, _) = watch::channel(Arc::new(Schedules::default()));
    let (stopping, _) = watch::channel(false);
    let handle = Handle::new(handle::Parts {
        project,
        wall,
        active,
        reloads: reload_tx,
        reload_status,
        unwritten,
        watching,
        runs: run_tx,
        running,
        last_run,
        schedules,
        stopping,
        counters: counters::Counters::default(),
        pulse: liveness::Pulse::new(),
        explainer: explain::Explainer::default(),
    });
    let mut tasks = JoinSet::new();
    let road = first.road(handle.clone(), note_tx);
    // Nobody but the task of notes changes the count until the reloads begin.
    let mut unwritten = handle.watch_unwritten();
    let has_note = *unwritten.borrow_and_update() > 0;
    tasks.spawn(reload::note_task(handle.clone(), note_rx));
    if has_note {
        // Written, or not to be written just now, or slow: the task goes on with it.
        let _ = tokio::time::timeout(FIRST_NOTE, unwritten.changed()).await;
    }
    tasks.spawn(liveness::watched(handle.clone(), Part::Reload, reload::task(handle.clone(), reload_rx, road)));
    tasks.spawn(watcher::task(handle.clone()));
    tasks.spawn(executor::task(handle.clone(), run_rx));
    tasks.spawn(liveness::watched(handle.clone(), Part::Scheduler, scheduler::task(handle.clone())));
    tasks.spawn(changes::task(handle.clone()));
    tasks.spawn(kept_open::task(handle.clone()));
    Ok(Serving { handle, tasks, _lock: lock })
}

impl Serving {
    /// What others ask it by.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Stops well: begins no new run, and waits for the one that runs, at most this long. A run that isn't done by then is
    /// abandoned: its reading ends, and an evaluation, which nothing can interrupt, ends with the process before anything of it is
    /// written. Returns whether everything was done in time.
    pub async fn stop(mut self, patience: Duration) -> bool {
        self.handle.begin_stop();
        if self.ends_within(patience).await {
            return true;
        }
        self.handle.abandon_run();
        self.ends_within(GIVING_UP).await;
        false
    }

    async fn ends_within(&mut self, patience: Duration) -> bool {
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout(patience, ended).await.is_ok()
    }
}
