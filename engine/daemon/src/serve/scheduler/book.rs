//! What the scheduler reads from the ledger and writes to it; to be called on threads for blocking work.

use std::{path::Path, time::Duration};

use tierd_ledger::{ErrorKind, Gap, GapReason, GapState, Ledger, NewGap, Reader, Result};
use tierd_model::Timestamp;

use super::{LastSlot, planner::PlannedGap};

/// Who writes, for others who want to.
const PROGRAM: &str = "tierd serve";

/// How long another writer is waited for. The scheduler looks again soon.
const PATIENCE: Duration = Duration::from_secs(5);

/// A schedule to be followed.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Recurrence and zone.
    pub(super) written: String,
}

/// What the ledger knows of a schedule.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) handled: Timestamp,
    pub(super) last: Option<LastSlot>,
    pub(super) open_gaps: u64,
}

/// A gap to be noted.
#[derive(Debug, Clone)]
pub(super) struct OwnedGap {
    schedule: String,
    first: Timestamp,
    last: Timestamp,
    slots: u64,
    reason: GapReason,
}

impl OwnedGap {
    pub(super) fn new(schedule: &str, gap: &PlannedGap) -> Self {
        let PlannedGap { first, last, slots, reason, .. } = *gap;
        OwnedGap { schedule: schedule.to_owned(), first, last, slots, reason }
    }

    pub(super) fn of_one(schedule: &str, slot: Timestamp, reason: GapReason) -> Self {
        OwnedGap { schedule: schedule.to_owned(), first: slot, last: slot, slots: 1, reason }
    }

    fn borrowed(&self) -> NewGap<'_> {
        let OwnedGap { first, last, slots, reason, .. } = *self;
        NewGap { schedule: &self.schedule, first, last, slots, reason }
    }
}

/// Follows these schedules from now on, after noting what becomes of slots of others, and returns what is known of each. Writes only
/// where there is something new, and makes no ledger for nothing.
pub(super) fn follow(path: &Path, entries: &[Entry], gaps: &[OwnedGap], now: Timestamp) -> Result<Vec<Known>> {
    let is_there = path.exists();
    if entries.is_empty() && !is_there {
        return Ok(Vec::new());
    }
    if !is_there || !gaps.is_empty() || !are_followed(path, entries)? {
        let mut ledger = Ledger::open_waiting(path, PROGRAM, PATIENCE)?;
        ledger.note_gaps(&gaps.iter().map(OwnedGap::borrowed).collect::<Vec<_>>(), now)?;
        let schedules: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.written.clone())).collect();
        ledger.follow_schedules(&schedules, now)?;
    }
    let reader = Reader::open(path)?;
    let followed = reader.followed_schedules()?;
    entries
        .iter()
        .map(|entry| {
            let handled = followed.iter().find(|one| one.name == entry.name).map_or(now, |one| one.handled);
            let last = reader.last_scheduled_run(&entry.name)?;
            let last = last.map(|run| LastSlot { slot: run.as_of, outcome: run.outcome, run: Some(run.id) });
            Ok(Known { handled, last, open_gaps: open(&reader.gaps(Some(&entry.name))?) })
        })
        .collect()
}

/// Notes gaps, all or none.
pub(super) fn note(path: &Path, gaps: &[OwnedGap], now: Timestamp) -> Result<()> {
    let mut ledger = Ledger::open_waiting(path, PROGRAM, PATIENCE)?;
    ledger.note_gaps(&gaps.iter().map(OwnedGap::borrowed).collect::<Vec<_>>(), now)
}

/// Slots that can still be made good, of each schedule.
pub(super) fn open_gaps(path: &Path, schedules: Vec<String>) -> Result<Vec<u64>> {
    let reader = Reader::open(path)?;
    schedules.iter().map(|name| Ok(open(&reader.gaps(Some(name))?))).collect()
}

fn are_followed(path: &Path, entries: &[Entry]) -> Result<bool> {
    let followed = match Reader::open(path).and_then(|reader| reader.followed_schedules()) {
        // A writer brings it up to date.
        Err(error) if matches!(error.kind, ErrorKind::Older { .. }) => return Ok(false),
        followed => followed?,
    };
    let is_there = |entry: &Entry| followed.iter().any(|one| one.name == entry.name && one.written == entry.written);
    Ok(followed.len() == entries.len() && entries.iter().all(is_there))
}

fn open(gaps: &[Gap]) -> u64 {
    gaps.iter().filter(|gap| gap.state == GapState::Open).map(|gap| gap.slots.saturating_sub(gap.filled)).sum()
}
