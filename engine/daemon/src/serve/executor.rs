//! Runs, one at a time, in the order in which they were asked for.

use std::{sync::Arc, time::Duration};

use tierd_eval::due::Due;
use tierd_ledger::{Cause, Outcome, RunId};
use tierd_model::{Clock, Timestamp};
use tierd_rules::Revision;
use tierd_sources::{Progress, ReadOptions};
use tokio::sync::{mpsc, oneshot};

use super::{
    Active, Handle, told,
    verdicts::{self, Decision, VerdictRefused},
};
use crate::{
    evaluate::Evaluator,
    memory,
    report::{RuleReport, SetReport},
    run::{self, Asked, RunError, RunReport},
};

/// What is to be run.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Why.
    pub cause: Cause,
    /// Names of the schedules that are due; `None` for everything. Names that the rules don't have (any longer) are passed over.
    pub schedules: Option<Vec<String>>,
    /// The time to evaluate; `None` for the time when it begins.
    pub as_of: Option<Timestamp>,
}

/// A run that is being made.
#[derive(Debug, Clone)]
pub struct Running {
    /// What was asked for.
    pub request: RunRequest,
    /// Since when.
    pub since: Timestamp,
    /// The rules that were in force then: it goes by them to its end. An approved one goes by those of its hold.
    pub active: Arc<Active>,
    /// How far reading has come.
    pub progress: Arc<Progress>,
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct RunDone {
    /// What was asked for.
    pub request: RunRequest,
    /// When it began and when it was done.
    pub started: Timestamp,
    /// When it was done.
    pub finished: Timestamp,
    /// Its number in the ledger; none for one that never came so far.
    pub run: Option<RunId>,
    /// The rules that it went by; none for one that failed.
    pub revision: Option<Revision>,
    /// How it ended.
    pub outcome: Outcome,
    /// How long each part of it took; nothing where it failed.
    pub phases: Phases,
    /// Subjects read.
    pub subjects: u64,
    /// Metrics for which a plugin gave nothing, where rules allow that.
    pub plugin_failures: u64,
    /// Each tier set that it decided.
    pub sets: Vec<SetReport>,
    /// Each retention rule that it decided.
    pub rules: Vec<RuleReport>,
}

/// How long the parts of a run took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Phases {
    /// Reading the database.
    pub read: Duration,
    /// Everything after that, in memory.
    pub evaluate: Duration,
    /// Comparing with what is held, and writing.
    pub write: Duration,
}

/// Why there was no run, or a failed one.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunRefused {
    /// The daemon is stopping.
    #[error("tierd is stopping and begins no new run")]
    Stopping,
    /// It failed.
    #[error("{0}")]
    Failed(String),
    /// Others have locked the database or the ledger: the same request may succeed a little later.
    #[error("{0}")]
    Deferred(String),
}

/// What somebody waits for.
#[derive(Debug)]
pub(super) enum Waiting {
    /// A run.
    Run(RunRequest, oneshot::Sender<Result<Arc<RunDone>, RunRefused>>),
    /// A held run to be applied.
    Approve(Decision, oneshot::Sender<Result<Arc<RunDone>, VerdictRefused>>),
    /// A held run never to be applied.
    Reject(Decision, oneshot::Sender<Result<(), VerdictRefused>>),
}

/// Makes one run after the other until the daemon stops.
pub(super) async fn task(handle: Handle, mut runs: mpsc::Receiver<Waiting>) {
    loop {
        let waiting = tokio::select! {
            biased;
            () = handle.stopped() => return,
            waiting = runs.recv() => waiting,
        };
        // Whoever asked may have gone, and then nobody hears the answer.
        match waiting {
            Some(Waiting::Run(request, reply)) => drop(reply.send(one(&handle, request).await)),
            Some(Waiting::Approve(decision, reply)) => drop(reply.send(verdicts::approve(&handle, decision).await)),
            Some(Waiting::Reject(decision, reply)) => drop(reply.send(verdicts::reject(&handle, decision).await)),
            None => return,
        }
    }
}

async fn one(handle: &Handle, request: RunRequest) -> Result<Arc<RunDone>, RunRefused> {
    let started = handle.now();
    let work = |handle: &Handle, running: &Running| {
        carry_out(handle, running).map(|report| RunDone::of(handle, running, report))
    };
    match make(handle, &request, work).await.unwrap_or(Err(RunError::Panicked)) {
        Ok(done) => Ok(publish(handle, done, None)),
        Err(error) => {
            let refused = refused(&error);
            publish(handle, RunDone::failed(handle, started, request, &refused), Some(&error));
            Err(refused)
        }
    }
}

/// Makes a run on a thread of its own, behind everything else that the machine has to do; `None` if that panics. What it found is to be
/// dropped there, before anybody is answered; its memory is given back.
pub(super) async fn make<T: Send + 'static>(
    handle: &Handle,
    request: &RunRequest,
    work: impl FnOnce(&Handle, &Running) -> T + Send + 'static,
) -> Option<T> {
    let (since, active) = (handle.now(), handle.active());
    let running = Running { request: request.clone(), since, active, progress: Arc::new(Progress::default()) };
    handle.parts().running.send_replace(Some(running.clone()));
    told::began(request, &running.active);
    let of = handle.clone();
    let made = move || {
        give_way();
        let made = work(&of, &running);
        memory::give_back();
        made
    };
    // A lowered priority can't be raised again, and threads for blocking work serve requests too.
    let on_its_own = move || std::thread::Builder::new().name("run".to_owned()).spawn(made).ok()?.join().ok();
    // What a panic says may quote anything; the program's log says where it happened.
    let made = tokio::task::spawn_blocking(on_its_own).await.ok().flatten();
    handle.parts().running.send_replace(None);
    made
}

/// Lets everybody else go first: who waits for an answer waits for milliseconds, and a run takes as long as it takes. The threads that
/// this one starts are like it.
fn give_way() {
    const NICENESS: i32 = 10;
    // Where it isn't allowed, a run competes with everybody else, and is right all the same.
    let _ = rustix::process::nice(NICENESS);
}

/// Tells everybody what came of a run.
pub(super) fn publish(handle: &Handle, done: RunDone, failure: Option<&RunError>) -> Arc<RunDone> {
    let done = Arc::new(done);
    told::ended(&done, failure);
    handle.parts().counters.ended(&done);
    handle.parts().last_run.send_replace(Some(Arc::clone(&done)));
    done
}

pub(super) fn refused(error: &RunError) -> RunRefused {
    match error.is_temporary() {
        true => RunRefused::Deferred(error.to_string()),
        false => RunRefused::Failed(error.to_string()),
    }
}

fn carry_out(handle: &Handle, running: &Running) -> Result<RunReport, RunError> {
    let Running { request, since, active, progress } = running;
    let rules = &active.rules;
    let clock = Clock::new(request.as_of.unwrap_or(*since), Arc::clone(&rules.config.zone));
    let due = Due::named(rules, request.schedules.as_deref());
    let evaluator = Evaluator { clock: &clock, due: &due, options: ReadOptions::default(), progress };
    let asked =
        Asked { cause: request.cause, schedules: request.schedules.as_deref(), started: *since, activates: false };
    run::run(handle.project(), rules, &evaluator, asked)
}

impl RunDone {
    /// Of a run that was made; what it found is dropped here.
    pub(super) fn of(handle: &Handle, running: &Running, report: RunReport) -> Self {
        let RunReport { run, revision, outcome, violations: _, sets, rules, evaluation, write } = report;
        RunDone {
            request: running.request.clone(),
            started: running.since,
            finished: handle.now(),
            run,
            revision: Some(revision),
            outcome,
            phases: Phases { read: evaluation.read, evaluate: evaluation.evaluate, write },
            subjects: evaluation.subject_count(),
            plugin_failures: evaluation.outcome.plugin_failures.len() as u64,
            sets,
            rules,
        }
    }

    /// Of one that failed.
    pub(super) fn failed(handle: &Handle, started: Timestamp, request: RunRequest, why: &RunRefused) -> Self {
        RunDone {
            request,
            started,
            finished: handle.now(),
            run: None,
            revision: None,
            outcome: Outcome::Failed(why.to_string()),
            phases: Phases::default(),
            subjects: 0,
            plugin_failures: 0,
            sets: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// From its beginning to its end, by the clock on the wall; nothing where that was turned back.
    pub fn took(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.finished.0 - self.started.0).unwrap_or(0))
    }
}
