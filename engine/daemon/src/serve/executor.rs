//! Runs, one at a time, in the order in which they were asked for.

use std::sync::Arc;

use tierd_eval::due::Due;
use tierd_ledger::{Cause, Outcome, RunId};
use tierd_model::{Clock, Timestamp};
use tierd_rules::RuleSet;
use tierd_sources::{Progress, ReadOptions};
use tokio::sync::{mpsc, oneshot};

use super::{Handle, active::Active};
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
    /// Each tier set that it decided.
    pub sets: Vec<SetReport>,
    /// Each retention rule that it decided.
    pub rules: Vec<RuleReport>,
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
    let asked = request.clone();
    let work = move || carry_out(&project, &active, &asked, started, &progress);
    let made = tokio::task::spawn_blocking(work).await;
    handle.parts().running.send_replace(None);
    let result = made.map_err(|error| RunRefused::Failed(error.to_string())).and_then(|made| made.map_err(refused));
    let failure = result.as_ref().err().cloned();
    let done = Arc::new(RunDone::new(request, started, handle.now(), result));
    handle.parts().last_run.send_replace(Some(Arc::clone(&done)));
    failure.map_or(Ok(done), Err)
}

fn refused(error: RunError) -> RunRefused {
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
            Ok(RunReport { run, outcome, sets, rules, .. }) => {
                RunDone { request, started, finished, run, outcome, sets, rules }
            }
            Err(refused) => {
                let outcome = Outcome::Failed(refused.to_string());
                RunDone { request, started, finished, run: None, outcome, sets: vec![], rules: vec![] }
            }
        }
    }
}
