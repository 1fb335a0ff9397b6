//! What people say of held runs, in the queue of runs: nothing else is decided meanwhile.

use std::sync::Arc;

use tierd_ledger::{Cause, ErrorKind, RunId, Verdict};
use tierd_model::Timestamp;

use super::{
    Handle,
    executor::{self, RunDone, RunRefused, RunRequest, Running},
};
use crate::{
    approval::{self, ApproveError},
    run::RunError,
};

/// What a person says of a held run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The held run.
    pub hold: RunId,
    /// Who says it.
    pub by: String,
    /// Why.
    pub why: String,
}

/// Why a held run wasn't decided.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VerdictRefused {
    /// There is no such hold.
    #[error("{0}")]
    NoHold(String),
    /// It no longer waits: somebody has decided it, or a later run has taken its place.
    #[error("{0}")]
    Over(String),
    /// Name or reason are missing.
    #[error("{0}")]
    Incomplete(String),
    /// What would be applied isn't what was shown.
    #[error("{message}")]
    MovedOn {
        /// The run that is held in its place.
        fresh: Arc<RunDone>,
        /// What is different now.
        message: String,
    },
    /// The run that should apply it was refused or failed; the hold goes on waiting.
    #[error(transparent)]
    Run(#[from] RunRefused),
}

impl Decision {
    fn verdict(&self, at: Timestamp) -> Verdict<'_> {
        Verdict { at, by: &self.by, why: &self.why }
    }
}

/// Why nothing was applied.
enum NotApplied {
    /// The run that is held in its place, and what is different.
    MovedOn(Box<RunDone>, String),
    /// Anything else.
    Failed(ApproveError),
}

/// Has a held run applied, if it would still change what was shown.
pub(super) async fn approve(handle: &Handle, decision: Decision) -> Result<Arc<RunDone>, VerdictRefused> {
    let (request, started) = (RunRequest { cause: Cause::Approval, schedules: None, as_of: None }, handle.now());
    let work = move |handle: &Handle, running: &Running| apply(handle, running, &decision);
    let panicked = || Err(NotApplied::Failed(ApproveError::Run(RunError::Panicked)));
    match executor::make(handle, &request, work).await.unwrap_or_else(panicked) {
        Ok(done) => Ok(executor::publish(handle, done, None)),
        Err(NotApplied::MovedOn(fresh, message)) => {
            Err(VerdictRefused::MovedOn { fresh: executor::publish(handle, *fresh, None), message })
        }
        Err(NotApplied::Failed(error)) => {
            let refused = refused(&error);
            // What was refused without a run is nobody's else business.
            if let (VerdictRefused::Run(why), ApproveError::Run(error)) = (&refused, &error) {
                executor::publish(handle, RunDone::failed(handle, started, request, why), Some(error));
            }
            Err(refused)
        }
    }
}

fn apply(handle: &Handle, running: &Running, decision: &Decision) -> Result<RunDone, NotApplied> {
    let verdict = decision.verdict(running.since);
    match approval::approve(handle.project(), &running.active.rules, decision.hold, verdict, &running.progress) {
        Ok(report) => Ok(RunDone::of(handle, running, report)),
        Err(ApproveError::MovedOn(moved)) => {
            let message = moved.to_string();
            Err(NotApplied::MovedOn(Box::new(RunDone::of(handle, running, moved.fresh)), message))
        }
        Err(error) => Err(NotApplied::Failed(error)),
    }
}

/// Has a held run never applied.
pub(super) async fn reject(handle: &Handle, decision: Decision) -> Result<(), VerdictRefused> {
    let (active, of, now) = (handle.active(), handle.clone(), handle.now());
    let work = move || approval::reject(of.project(), &active.rules, decision.hold, decision.verdict(now));
    let rejected = tokio::task::spawn_blocking(work).await.unwrap_or(Err(RunError::Panicked));
    rejected.map_err(|error| refused(&ApproveError::Run(error)))
}

fn refused(error: &ApproveError) -> VerdictRefused {
    let message = error.to_string();
    let ApproveError::Run(failure) = error else { return VerdictRefused::Over(message) };
    let RunError::Ledger(of_ledger) = failure else { return VerdictRefused::Run(executor::refused(failure)) };
    match of_ledger.kind {
        ErrorKind::NoHold(_) | ErrorKind::Missing => VerdictRefused::NoHold(of_ledger.kind.to_string()),
        ErrorKind::HoldOver { .. } => VerdictRefused::Over(of_ledger.kind.to_string()),
        ErrorKind::Nobody | ErrorKind::NoReason => VerdictRefused::Incomplete(of_ledger.kind.to_string()),
        _ => VerdictRefused::Run(executor::refused(failure)),
    }
}
