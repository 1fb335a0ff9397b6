//! What the log says of runs: constant messages, with numbers in fields, and neither keys nor stored values.

use tierd_ledger::Outcome;
use tracing::{error, info, warn};

use super::{active::Active, executor::RunDone, executor::RunRequest};
use crate::run::RunError;

/// A run begins.
pub(super) fn began(request: &RunRequest, active: &Active) {
    let schedules = request.schedules.as_ref().map(|names| names.join(", "));
    info!(
        cause = request.cause.name(),
        schedules,
        as_of = request.as_of.map(tracing::field::display),
        revision = active.rules.revision.short(),
        "run started"
    );
}

/// A run has ended; `failure` says why it failed.
pub(super) fn ended(done: &RunDone, failure: Option<&RunError>) {
    let run = done.run.map(|run| run.0);
    let (cause, seconds) = (done.request.cause.name(), done.took().as_secs_f64());
    let revision = done.revision.map(|revision| revision.short());
    match (&done.outcome, failure) {
        (Outcome::Held(reason), _) => warn!(run, cause, revision, seconds, reason, "run held"),
        (_, Some(failure)) => error!(run, cause, seconds, error = failure.without_values(), "run failed"),
        (outcome, None) => {
            let moved: u64 = done.sets.iter().flat_map(|set| &set.moves).map(|moved| moved.subjects).sum();
            let unknown: u64 = done.sets.iter().map(|set| set.unknown).sum();
            let acted: u64 = done.rules.iter().map(|rule| rule.acted).sum();
            let (outcome, subjects, plugin_failures) = (outcome.name(), done.subjects, done.plugin_failures);
            info!(
                run,
                cause, outcome, revision, seconds, subjects, moved, acted, unknown, plugin_failures, "run finished"
            );
        }
    }
}
