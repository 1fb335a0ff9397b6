use serde::{Deserialize, Serialize};
use tierd_daemon::serve::{self, Active, Handle, Origin};
use utoipa::ToSchema;

use super::Refused;

/// How a daemon stands
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    /// The version of the program
    pub version: String,
    /// What the clock shows
    pub now: String,
    /// The rules in force: a hash over all files
    pub revision: String,
    /// Since when they are in force
    pub since: String,
    /// `files`, `last good` (the files were refused at the start) or `rolled back`
    pub origin: String,
    /// Files on disk that aren't in force, and why; null where they are
    pub refused: Option<Refused>,
    /// When runs are due
    pub schedules: Vec<NextRun>,
    /// The run that is being made
    pub running: Option<Running>,
    /// The last run
    pub last_run: Option<LastRun>,
    /// Whether it is stopping
    pub stopping: bool,
}

/// When a schedule comes
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NextRun {
    /// The schedule
    pub schedule: String,
    /// Its next time, for which that run evaluates
    pub slot: Option<String>,
    /// When that run begins
    pub begins: Option<String>,
    /// The last run that decided it
    pub last_run: Option<LastRun>,
}

/// A run that is being made
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Running {
    /// `hand`, `schedule`, `change`, `fill` or `approval`
    pub cause: String,
    /// The schedules that it decides; null for everything
    pub schedules: Option<Vec<String>>,
    /// Since when
    pub since: String,
    /// Rows read so far
    pub rows: u64,
    /// About how many there will be, in the tables begun so far
    pub rows_expected: u64,
}

/// How a run ended
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LastRun {
    /// Its number; null for one that never came so far
    pub run: Option<i64>,
    /// `applied`, `unchanged`, `held` or `failed`
    pub outcome: String,
    /// Why it was held or failed
    pub message: Option<String>,
    /// The time that it evaluated
    pub as_of: String,
    /// When it ended
    pub finished: String,
}

impl Status {
    /// Of a daemon; `runs` are the latest in the ledger, newest first.
    pub fn of(handle: &Handle, runs: &[tierd_ledger::Run]) -> Self {
        let active = handle.active();
        let Active { rules, since, origin, refused } = &*active;
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: handle.now().to_string(),
            revision: rules.revision.to_string(),
            since: since.to_string(),
            origin: origin_name(*origin).to_owned(),
            refused: refused.as_ref().map(Refused::from),
            schedules: handle.schedules().schedules.iter().map(|next| NextRun::of(next, runs)).collect(),
            running: handle.running().as_ref().map(Running::from),
            last_run: runs.first().map(LastRun::from),
            stopping: handle.is_stopping(),
        }
    }
}

fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Files => "files",
        Origin::LastGood => "last good",
        Origin::RolledBack => "rolled back",
    }
}

impl NextRun {
    fn of(next: &serve::NextRun, runs: &[tierd_ledger::Run]) -> Self {
        let decided = |run: &&tierd_ledger::Run| run.schedules.as_ref().is_none_or(|names| names.contains(&next.name));
        NextRun {
            schedule: next.name.clone(),
            slot: next.slot.map(|at| at.to_string()),
            begins: next.begins.map(|at| at.to_string()),
            last_run: runs.iter().find(decided).map(LastRun::from),
        }
    }
}

impl From<&serve::Running> for Running {
    fn from(running: &serve::Running) -> Self {
        Running {
            cause: running.request.cause.name().to_owned(),
            schedules: running.request.schedules.clone(),
            since: running.since.to_string(),
            rows: running.progress.rows(),
            rows_expected: running.progress.expected(),
        }
    }
}

impl From<&tierd_ledger::Run> for LastRun {
    fn from(run: &tierd_ledger::Run) -> Self {
        LastRun {
            run: Some(run.id.0),
            outcome: run.outcome.name().to_owned(),
            message: super::run::message(&run.outcome),
            as_of: run.as_of.to_string(),
            finished: run.finished.to_string(),
        }
    }
}
