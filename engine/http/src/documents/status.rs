use serde::{Deserialize, Serialize};
use tierd_daemon::serve::{self, Active, Handle, Origin};
use tierd_ledger::Reader;
use tierd_model::Timestamp;
use utoipa::ToSchema;

use super::Refused;

/// More holds aren't counted.
const HOLDS: u32 = 100;

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
    /// Runs that wait for a person
    pub holds: u64,
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
    /// The slot whose run waits or runs now
    pub busy: Option<String>,
    /// Its last slot for which a run was made
    pub last: Option<LastSlot>,
    /// When a slot whose run failed is tried again
    pub retry: Option<String>,
    /// Slots without a run that can still be made good
    pub open_gaps: u64,
    /// Whether it also follows changes of the data
    pub on_change: bool,
}

/// The last run of a schedule
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LastSlot {
    /// The slot
    pub slot: String,
    /// Its run; null for one that never came so far
    pub run: Option<i64>,
    /// `applied`, `unchanged`, `held` or `failed`
    pub outcome: String,
    /// Why it was held or failed
    pub message: Option<String>,
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
    /// Of a daemon, and of what the ledger has (`None` where there is none yet).
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn of(handle: &Handle, ledger: Option<&Reader>) -> Result<Self, tierd_ledger::Error> {
        let last_run = ledger.map(|ledger| ledger.runs(1)).transpose()?.and_then(|mut runs| runs.pop());
        let holds = ledger.map(|ledger| ledger.holds(true, HOLDS)).transpose()?.map_or(0, |holds| holds.len() as u64);
        let active = handle.active();
        let Active { rules, since, origin, refused } = &*active;
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: handle.now().to_string(),
            revision: rules.revision.to_string(),
            since: since.to_string(),
            origin: origin_name(*origin).to_owned(),
            refused: refused.as_ref().map(Refused::from),
            schedules: handle.schedules().schedules.iter().map(NextRun::from).collect(),
            running: handle.running().as_ref().map(Running::from),
            last_run: last_run.as_ref().map(LastRun::from),
            holds,
            stopping: handle.is_stopping(),
        })
    }
}

fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Files => "files",
        Origin::LastGood => "last good",
        Origin::RolledBack => "rolled back",
    }
}

impl From<&serve::NextRun> for NextRun {
    fn from(next: &serve::NextRun) -> Self {
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        NextRun {
            schedule: next.name.clone(),
            slot: text(next.slot),
            begins: text(next.begins),
            busy: text(next.busy),
            last: next.last.as_ref().map(LastSlot::from),
            retry: text(next.retry.map(|retry| retry.again)),
            open_gaps: next.open_gaps,
            on_change: next.on_change,
        }
    }
}

impl From<&serve::LastSlot> for LastSlot {
    fn from(last: &serve::LastSlot) -> Self {
        LastSlot {
            slot: last.slot.to_string(),
            run: last.run.map(|run| run.0),
            outcome: last.outcome.name().to_owned(),
            message: super::run::message(&last.outcome),
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
