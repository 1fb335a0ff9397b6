//! What others ask a daemon by.

use std::sync::Arc;

use tierd_ledger::Reader;
use tierd_model::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    active::Active,
    counters::{Counters, Counts},
    executor::{RunDone, RunRefused, RunRequest, Running, Waiting},
    explain::Explainer,
    liveness::Pulse,
    reload::{Ask, ReloadCause, ReloadRequest, ReloadStatus, Reloaded, RollbackRefused, RollbackRequest},
    scheduler::Schedules,
    verdicts::{Decision, VerdictRefused},
    wall::Wall,
    watcher::Watching,
};
use crate::Project;

/// What others ask a daemon by. Clones are handles on the same daemon.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Parts>);

#[derive(Debug)]
pub(super) struct Parts {
    pub(super) project: Project,
    pub(super) wall: Arc<dyn Wall>,
    pub(super) active: watch::Sender<Arc<Active>>,
    pub(super) reloads: mpsc::Sender<Ask>,
    pub(super) reload_status: watch::Sender<Arc<ReloadStatus>>,
    pub(super) unwritten: watch::Sender<usize>,
    pub(super) watching: watch::Sender<Watching>,
    pub(super) runs: mpsc::Sender<Waiting>,
    pub(super) running: watch::Sender<Option<Running>>,
    pub(super) last_run: watch::Sender<Option<Arc<RunDone>>>,
    pub(super) schedules: watch::Sender<Arc<Schedules>>,
    pub(super) stopping: watch::Sender<bool>,
    pub(super) counters: Counters,
    pub(super) pulse: Pulse,
    pub(super) explainer: Explainer,
}

impl Handle {
    pub(super) fn new(parts: Parts) -> Self {
        Handle(Arc::new(parts))
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.0
    }

    /// The project that is served.
    pub fn project(&self) -> &Project {
        &self.0.project
    }

    /// What the clock on the wall shows.
    pub fn now(&self) -> Timestamp {
        self.0.wall.now()
    }

    /// The rules in force.
    pub fn active(&self) -> Arc<Active> {
        Arc::clone(&self.0.active.borrow())
    }

    /// Told whenever other rules come into force, or files are refused.
    pub fn watch_active(&self) -> watch::Receiver<Arc<Active>> {
        self.0.active.subscribe()
    }

    /// The run that runs.
    pub fn running(&self) -> Option<Running> {
        self.0.running.borrow().clone()
    }

    /// The last run that this daemon made, held and failed ones among them.
    pub fn last_run(&self) -> Option<Arc<RunDone>> {
        self.0.last_run.borrow().clone()
    }

    /// Told after each run.
    pub fn watch_runs(&self) -> watch::Receiver<Option<Arc<RunDone>>> {
        self.0.last_run.subscribe()
    }

    /// What this daemon has done since it started, in numbers.
    pub fn counts(&self) -> Counts {
        self.0.counters.now()
    }

    /// When runs are due.
    pub fn schedules(&self) -> Arc<Schedules> {
        Arc::clone(&self.0.schedules.borrow())
    }

    /// The ledger, for reading; to be used on a thread for blocking work.
    ///
    /// # Errors
    /// [`tierd_ledger::ErrorKind`]; above all `Missing` before the first run.
    pub fn reader(&self) -> Result<Reader, tierd_ledger::Error> {
        Reader::open(&self.0.project.ledger(&self.active().rules.config))
    }

    /// Looks at the files now, without waiting for them to become quiet, and says what came of it; `None` where the daemon is
    /// stopping. Requests that come while one is being answered share the next answer.
    pub async fn reload(&self, cause: ReloadCause) -> Option<Reloaded> {
        let (reply, answer) = oneshot::channel();
        self.ask(Ask::Look(ReloadRequest { cause, reply: Some(reply) })).await;
        answer.await.ok()
    }

    pub(super) async fn ask(&self, ask: Ask) {
        // Without a receiver the daemon is stopping, and whoever waits for a reply learns it by that.
        let _ = self.0.reloads.send(ask).await;
    }

    /// Puts an earlier revision into force, named by what its hash begins with, until the files change: also across a restart.
    /// Who did it, and why, go to the ledger where they are said.
    ///
    /// # Errors
    /// [`RollbackRefused`]; the rules in force stay then.
    pub async fn rollback(
        &self,
        revision: &str,
        by: Option<&str>,
        why: Option<&str>,
    ) -> Result<Arc<Active>, RollbackRefused> {
        let (reply, answer) = oneshot::channel();
        let (by, why) = (by.map(str::to_owned), why.map(str::to_owned));
        let request = RollbackRequest { revision: revision.to_owned(), by, why, reply };
        self.ask(Ask::RollBack(request)).await;
        answer.await.unwrap_or(Err(RollbackRefused::Stopping))
    }

    /// How reloading has gone so far.
    pub fn reload_status(&self) -> Arc<ReloadStatus> {
        Arc::clone(&self.0.reload_status.borrow())
    }

    /// How many changes of the files aren't in the ledger yet, as somebody else holds it or it can't be written.
    pub fn watch_unwritten(&self) -> watch::Receiver<usize> {
        self.0.unwritten.subscribe()
    }

    /// Whether changes of files are seen at once.
    pub fn watching(&self) -> Watching {
        self.0.watching.borrow().clone()
    }

    /// Makes a run, after those that wait already.
    ///
    /// # Errors
    /// [`RunRefused`]: nothing has changed then, but that a failed run has a row in the ledger.
    pub async fn run(&self, request: RunRequest) -> Result<Arc<RunDone>, RunRefused> {
        let (reply, answer) = oneshot::channel();
        let sent = self.0.runs.send(Waiting::Run(request, reply)).await;
        sent.map_err(|_| RunRefused::Stopping)?;
        answer.await.unwrap_or(Err(RunRefused::Stopping))
    }

    /// Has a held run applied, after the runs that wait already, if it would still change what was shown.
    ///
    /// # Errors
    /// [`VerdictRefused`]: nothing is applied then.
    pub async fn approve(&self, decision: Decision) -> Result<Arc<RunDone>, VerdictRefused> {
        let (reply, answer) = oneshot::channel();
        let sent = self.0.runs.send(Waiting::Approve(decision, reply)).await;
        sent.map_err(|_| RunRefused::Stopping)?;
        answer.await.unwrap_or(Err(VerdictRefused::Run(RunRefused::Stopping)))
    }

    /// Has a held run never applied.
    ///
    /// # Errors
    /// [`VerdictRefused`]: the hold is as it was.
    pub async fn reject(&self, decision: Decision) -> Result<(), VerdictRefused> {
        let (reply, answer) = oneshot::channel();
        let sent = self.0.runs.send(Waiting::Reject(decision, reply)).await;
        sent.map_err(|_| RunRefused::Stopping)?;
        answer.await.unwrap_or(Err(VerdictRefused::Run(RunRefused::Stopping)))
    }

    /// No new run begins from now on.
    pub fn begin_stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Ends the reading of the run that runs; it fails then. What is past its reading goes on.
    pub(super) fn abandon_run(&self) {
        if let Some(running) = self.running() {
            running.progress.cancel();
        }
    }

    /// Whether the daemon is stopping.
    pub fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    /// Waits until the daemon is told to stop.
    pub async fn stopped(&self) {
        let mut stopping = self.0.stopping.subscribe();
        // The sender lives as long as the handle.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }
}
