//! Runs, one at a time, in the order in which they were asked for.

use std::{sync::Arc, time::Duration};

use tierd_eval::due::Due;
use tierd_ledger::{Cause, Outcome, RunId};
use tierd_model::{Clock, Timestamp};
use tierd_rules::RuleSet;
use tierd_sources::{Progress, ReadOptions};
use tokio::sync::{mpsc, oneshot};

use super::{Handle, active::Active, told};
use crate::{
    Project,
    evaluate::Evaluator,
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
    /// How it ended.
    pub outcome: Outcome,
    /// How long each part of it took; nothing where it failed.
    pub phases: Phases,
    /// Subjects read.
    pub subjects: u64,
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

/// A request and whom to answer.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) request: RunRequest,
    pub(super) reply: Option<oneshot::Sender<Result<Arc<RunDone>, RunRefused>>>,
}

/// Makes one run after the other until the daemon stops.
pub(super) async fn task(handle: Handle, mut runs: mpsc::Receiver<Waiting>) {
    loop {
        let waiting = tokio::select! {
            biased;
            () = handle.stopped() => return,
            waiting = runs.recv() => waiting,
        };
        let Some(Waiting { request, reply }) = waiting else { return };
        let answer = one(&handle, request).await;
        if let Some(reply) = reply {
            // Whoever asked may have gone.
            let _ = reply.send(answer);
        }
    }
}

async fn one(handle: &Handle, request: RunRequest) -> Result<Arc<RunDone>, RunRefused> {
    let (active, project, started) = (handle.active(), handle.project().clone(), handle.now());
    let progress = Arc::new(Progress::default());
    let running = Running { request: request.clone(), since: started, progress: Arc::clone(&progress) };
    handle.parts().running.send_replace(Some(running));
    told::began(&request, &active);
    let asked = request.clone();
    let work = move || carry_out(&project, &active, &asked, started, &progress);
    // What a panic says may quote anything; the program's log says where it happened.
    let result = tokio::task::spawn_blocking(work).await.unwrap_or(Err(RunError::Panicked));
    handle.parts().running.send_replace(None);
    let (result, failure) = match result {
        Ok(report) => (Ok(report), None),
        Err(error) => (Err(refused(&error)), Some(error)),
    };
    let answer = result.as_ref().err().cloned();
    let done = Arc::new(RunDone::new(request, started, handle.now(), result));
    told::ended(&done, failure.as_ref());
    handle.parts().counters.ended(&done);
    handle.parts().last_run.send_replace(Some(Arc::clone(&done)));
    answer.map_or(Ok(done), Err)
}

fn refused(error: &RunError) -> RunRefused {
    match error.is_temporary() {
        true => RunRefused::Deferred(error.to_string()),
        false => RunRefused::Failed(error.to_string()),
    }
}

fn carry_out(
    project: &Project,
    active: &Active,
    request: &RunRequest,
    started: Timestamp,
    progress: &Progress,
) -> Result<RunReport, RunError> {
    let rules = &active.rules;
    let clock = Clock::new(request.as_of.unwrap_or(started), Arc::clone(&rules.config.zone));
    let due = due(rules, request.schedules.as_deref());
    let evaluator = Evaluator { clock: &clock, due: &due, options: ReadOptions::default(), progress };
    let asked = Asked { cause: request.cause, schedules: request.schedules.as_deref(), started };
    run::run(project, rules, &evaluator, asked)
}

/// What schedules of these names decide.
fn due(rules: &RuleSet, schedules: Option<&[String]>) -> Due {
    let Some(names) = schedules else { return Due::ALL };
    let ids = rules.schedules.iter().enumerate().filter(|(_, schedule)| names.contains(&schedule.name));
    Due::by(ids.map(|(id, _)| tierd_rules::ScheduleId(id)).collect())
}

impl RunDone {
    fn new(
        request: RunRequest,
        started: Timestamp,
        finished: Timestamp,
        result: Result<RunReport, RunRefused>,
    ) -> Self {
        match result {
            Ok(RunReport { run, outcome, sets, rules, evaluation, write }) => {
                let phases = Phases { read: evaluation.read, evaluate: evaluation.evaluate, write };
                let subjects = evaluation.subject_count();
                RunDone { request, started, finished, run, outcome, phases, subjects, sets, rules }
            }
            Err(refused) => {
                let (outcome, phases) = (Outcome::Failed(refused.to_string()), Phases::default());
                RunDone {
                    request,
                    started,
                    finished,
                    run: None,
                    outcome,
                    phases,
                    subjects: 0,
                    sets: vec![],
                    rules: vec![],
                }
            }
        }
    }

    /// From its beginning to its end, by the clock on the wall; nothing where that was turned back.
    pub fn took(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.finished.0 - self.started.0).unwrap_or(0))
    }
}
