use serde::{Deserialize, Serialize};
use tierd_daemon::{
    BreakerState,
    serve::{self, Active, Handle, Origin},
};
use tierd_ledger::{FollowedSchedule, GapState, Reader, ReloadOutcome};
use tierd_model::Timestamp;
use utoipa::ToSchema;

use super::Refused;

/// More holds aren't counted.
const HOLDS: u32 = 100;

/// How a project stands: told by its daemon, or from the ledger where none answers
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Whether a daemon tells this
    pub daemon: bool,
    /// The version of the program
    pub version: String,
    /// What the clock shows
    pub now: String,
    /// The rules in force, or last in force: a hash over all files; null before there were any
    pub revision: Option<String>,
    /// Since when they are in force
    pub since: Option<String>,
    /// `files`, `last_good` (the files were refused at the start) or `rolled_back`
    pub origin: Option<String>,
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
    /// Plugins of the rules in force; empty where no daemon answers
    pub plugins: Vec<PluginStatus>,
    /// How changes of files are seen; null where no daemon answers
    pub watching: Option<Watching>,
    /// Whether it is stopping
    pub stopping: bool,
}

/// How changes of files are seen
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Watching {
    /// Whether they are seen at once; otherwise only every 30 seconds
    pub at_once: bool,
    /// Why they aren't
    pub reason: Option<String>,
}

impl From<serve::Watching> for Watching {
    fn from(watching: serve::Watching) -> Self {
        match watching {
            serve::Watching::Events { .. } => Watching { at_once: true, reason: None },
            serve::Watching::PollOnly { reason } => Watching { at_once: false, reason: Some(reason) },
        }
    }
}

/// How a plugin does
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PluginStatus {
    /// Its name in rules
    pub name: String,
    /// Its file
    pub file: String,
    /// The hash of its file
    pub sha256: String,
    /// The version that it tells
    pub version: String,
    /// `ready`, `resting` (it failed several times in a row) or `trial`
    pub state: String,
    /// Calls since the daemon started or the file came; a metric of a run is one
    pub calls: u64,
    /// How many of them failed
    pub failures: u64,
    /// Seconds that they took
    pub seconds: f64,
}

impl PluginStatus {
    fn all(handle: &Handle) -> Vec<Self> {
        let stats = handle.project().plugin_stats();
        let status = |plugin: &tierd_rules::plugin::Plugin| {
            let seen = stats.iter().find(|stats| stats.hash == plugin.file.hash);
            let state = match seen.map(|seen| seen.breaker) {
                None | Some(BreakerState::Closed) => "ready",
                Some(BreakerState::Open(_)) => "resting",
                Some(BreakerState::Trial) => "trial",
            };
            PluginStatus {
                name: plugin.name.clone(),
                file: plugin.file.path.to_string(),
                sha256: plugin.file.hash.to_string(),
                version: plugin.description.version.clone(),
                state: state.to_owned(),
                calls: seen.map_or(0, |seen| seen.calls),
                failures: seen.map_or(0, |seen| seen.failures.iter().map(|(_, times)| times).sum()),
                seconds: seen.map_or(0.0, |seen| seen.seconds),
            }
        };
        handle.active().rules.plugins.iter().map(status).collect()
    }
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
            daemon: true,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: handle.now().to_string(),
            revision: Some(rules.revision.to_string()),
            since: Some(since.to_string()),
            origin: Some(origin.name().to_owned()),
            refused: refused.as_ref().map(Refused::from),
            schedules: handle.schedules().schedules.iter().map(NextRun::from).collect(),
            running: handle.running().as_ref().map(Running::from),
            last_run: LastRun::never_recorded(handle, last_run.as_ref()).or(last_run.as_ref().map(LastRun::from)),
            holds,
            plugins: PluginStatus::all(handle),
            watching: Some(handle.watching().into()),
            stopping: handle.is_stopping(),
        })
    }
}

impl Status {
    /// As the ledger has it, where no daemon answers: what was in force last, and what became of the files since.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub fn of_ledger(ledger: &Reader, now: Timestamp) -> Result<Self, tierd_ledger::Error> {
        let (good, reload) = (ledger.last_good()?, ledger.last_reload()?);
        let origin = reload
            .as_ref()
            .filter(|reload| reload.outcome == ReloadOutcome::RolledBack)
            // A run since then may have brought other rules into force.
            .filter(|reload| reload.revision == good.map(|good| good.revision))
            .map(|_| Origin::RolledBack.name());
        Ok(Status {
            daemon: false,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: now.to_string(),
            revision: good.map(|good| good.revision.to_string()),
            since: good.map(|good| good.at.to_string()),
            origin: origin.map(str::to_owned),
            refused: reload.filter(|reload| reload.outcome == ReloadOutcome::Refused).map(Refused::of_ledger),
            schedules: schedules_of_ledger(ledger)?,
            running: None,
            last_run: ledger.runs(1)?.first().map(LastRun::from),
            holds: ledger.holds(true, HOLDS)?.len() as u64,
            plugins: Vec::new(),
            watching: None,
            stopping: false,
        })
    }
}

/// Schedules that were followed last: nobody knows when they come without a daemon.
fn schedules_of_ledger(ledger: &Reader) -> Result<Vec<NextRun>, tierd_ledger::Error> {
    let gaps = ledger.gaps(None)?;
    let schedule = |followed: FollowedSchedule| {
        let open = gaps.iter().filter(|gap| gap.schedule == followed.name && gap.state == GapState::Open);
        let last = ledger.last_scheduled_run(&followed.name)?;
        Ok(NextRun {
            slot: None,
            begins: None,
            busy: None,
            last: last.as_ref().map(LastSlot::from),
            retry: None,
            open_gaps: open.map(|gap| gap.slots.saturating_sub(gap.filled)).sum(),
            on_change: false,
            schedule: followed.name,
        })
    };
    ledger.followed_schedules()?.into_iter().map(schedule).collect()
}

impl From<&tierd_ledger::Run> for LastSlot {
    fn from(run: &tierd_ledger::Run) -> Self {
        LastSlot {
            slot: run.as_of.to_string(),
            run: Some(run.id.0),
            outcome: run.outcome.name().to_owned(),
            message: super::run::message(&run.outcome),
        }
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

impl LastRun {
    /// The daemon's last run, if that is later than the ledger's and the ledger knows nothing of it: it was full, or somebody kept it or
    /// the database locked.
    fn never_recorded(handle: &Handle, recorded: Option<&tierd_ledger::Run>) -> Option<Self> {
        let done = handle.last_run().filter(|done| done.run.is_none())?;
        let later = recorded.is_none_or(|recorded| recorded.finished < done.started);
        later.then(|| LastRun {
            run: None,
            outcome: done.outcome.name().to_owned(),
            message: super::run::message(&done.outcome),
            as_of: done.request.as_of.unwrap_or(done.started).to_string(),
            finished: done.finished.to_string(),
        })
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
