//! Missed slots made good within a daemon.

use std::sync::Arc;

use tierd_ledger::{Cause, Outcome};

use super::{Handle, RunDone, RunRequest};
use crate::fill::{FillPlan, read_plan};

/// What came of making gaps good.
#[derive(Debug, Clone)]
pub struct Filled {
    /// What was to be done.
    pub plan: FillPlan,
    /// The runs that were made, in the order of the plan.
    pub done: Vec<Arc<RunDone>>,
    /// Why the rest wasn't.
    pub stopped: Option<String>,
}

impl Handle {
    /// Makes the gaps of all schedules good, or of one, run after run; or only says what that takes. It stops at a run that fails or
    /// waits for a person: later ones would overtake it.
    ///
    /// # Errors
    /// [`tierd_ledger::Error`] where the gaps can't be read.
    pub async fn fill(&self, schedule: Option<String>, dry_run: bool) -> Result<Filled, tierd_ledger::Error> {
        let plan = self.plan_fill(schedule).await?;
        let mut filled = Filled { plan, done: Vec::new(), stopped: None };
        if dry_run {
            return Ok(filled);
        }
        for run in &filled.plan.runs {
            let schedules = Some(run.schedules.clone());
            let request = RunRequest { cause: Cause::Fill, schedules, as_of: Some(run.slot) };
            match self.run(request).await {
                Ok(done) => {
                    let held = matches!(done.outcome, Outcome::Held(_));
                    filled.done.push(done);
                    if held {
                        filled.stopped = Some("the last run exceeds a guard and waits for a person".to_owned());
                        break;
                    }
                }
                Err(refused) => {
                    filled.stopped = Some(refused.to_string());
                    break;
                }
            }
        }
        Ok(filled)
    }

    async fn plan_fill(&self, schedule: Option<String>) -> Result<FillPlan, tierd_ledger::Error> {
        let handle = self.clone();
        let read = move || match handle.reader() {
            // Where no run has made a ledger yet, nothing was missed.
            Err(error) if matches!(error.kind, tierd_ledger::ErrorKind::Missing) => Ok(FillPlan::default()),
            reader => read_plan(&handle.active().rules, &reader?, schedule.as_deref()),
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(plan) => plan,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
}
