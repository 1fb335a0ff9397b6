//! Schedules: when tier sets and retention rules are decided by a daemon.
//!
//! A run decides the sets and rules that are *due*: those whose schedules have come. The others are evaluated as far as others need
//! them, and stay as they are. A run by hand decides all of them.

use std::{sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tierd_model::{Recurrence, Zone};

use crate::fileset::Location;

/// The schedule of everything that names none.
pub const DEFAULT_SCHEDULE: &str = "default";

/// Index into [`crate::RuleSet::schedules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleId(pub usize);

/// A `[schedule.NAME]` of `tierd.toml`, or plain words in a tier set or rule (named by these words).
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its name, or its words.
    pub name: String,
    /// When it comes; `None` only together with `on_change`.
    pub recurrence: Option<Recurrence>,
    /// On whose clock.
    pub zone: Arc<Zone>,
    /// What becomes of times that nobody was there for.
    pub missed: Missed,
    /// A run that can't begin within this time of its slot doesn't begin at all: the slot becomes a gap.
    pub deadline: Option<Duration>,
    /// Runs begin later than their slot by a part of this that depends on the project and the schedule, and never changes. `as_of` is
    /// the slot all the same.
    pub jitter: Duration,
    /// Also when the database has changed and then been quiet for this long. `as_of` is the time of the run's beginning.
    pub on_change: Option<Duration>,
    /// Where it is written.
    pub at: Location,
}

impl Schedule {
    /// By how much its runs begin later than their slots in this project: below [`Schedule::jitter`], and always the same, so that
    /// many projects with one schedule don't all begin at once. `project` is anything that identifies the project and doesn't change.
    pub fn delay(&self, project: &str) -> Duration {
        let hash = Sha256::new().chain_update(project).chain_update([0]).chain_update(&self.name).finalize();
        let part = hash.iter().take(8).fold(0u64, |part, byte| part << 8 | u64::from(*byte));
        // A part of 2^64, of a jitter of a year at most: it fits.
        let micros = (u128::from(part) * self.jitter.as_micros()) >> 64;
        Duration::from_micros(micros.try_into().unwrap_or(0))
    }
}

/// What becomes of slots that passed while no daemon ran, or while it could not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missed {
    /// The latest is run, the ones before it become gaps (default).
    Latest,
    /// Each is run, in order, as of its own time.
    All,
    /// All become gaps.
    Skip,
}
