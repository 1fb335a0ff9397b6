//! What is to be done about the slots of schedules: a pure function of how far each has come, what its runs do, and the clock.
//!
//! ```text
//! handled            gaps                 candidate             next
//!   ───┼───────┬────────┬────────┬───────────┬────────────┬───────┼──────►
//!              missed, overlap, deadline,    run, or wait        now
//!              failed, deferred              for another try
//! ```
//!
//! Of the slots of a schedule that have come and haven't been taken care of, the first ones become gaps and the one after them is the
//! *candidate* that is run. Gaps never come after the candidate, so that "handled up to" says all that must be remembered.
//!
//! - Candidates of several schedules at the same slot are one run, which begins when the first of them may: a jitter spreads runs, and
//!   here one takes place anyway.
//! - While a run of a schedule waits or runs, nothing is decided about the schedule's later slots. When it is done, those that came in
//!   the meantime are gaps (`missed = "all"`: they take their turn).
//! - A run that failed is tried again with growing pauses, until its deadline, or until a later slot has come that takes its place
//!   (`missed = "all"`: and it has been tried [`MOST_TRIES`] times).
//! - A clock that was set back finds no slots after `handled`: nothing is run twice. One that jumped forward, or stood still while the
//!   machine slept, finds missed ones.
//!
//! It knows neither clock, ledger nor tasks; `scheduler.rs` carries out what is planned.

#[cfg(test)]
mod property;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tierd_ledger::GapReason;
use tierd_model::{MICROS, Timestamp};
use tierd_rules::{Missed, Schedule};

/// Slots that are looked at in one go: after a year away, a schedule of every minute has half a million.
const MOST_SLOTS: usize = 5_000;

/// A slot that is seen this late for the first time was missed. The clock is looked at every 30 seconds.
const LATE: i64 = 120 * MICROS;

/// With `missed = "all"` later slots wait for one that fails, but not for ever.
const MOST_TRIES: u32 = 5;

/// No try is this far away: if the clock says so, it was set back.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(20 * 60);

/// One schedule as the planner sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) schedule: &'a Schedule,
    /// Runs may begin so long after their slot: the schedule's jitter.
    pub(super) delay: Duration,
    /// Slots up to this one have been taken care of.
    pub(super) handled: Timestamp,
    /// The slot of its own run that waits or runs.
    pub(super) busy: Option<Timestamp>,
    /// Until when its last successful run kept it busy.
    pub(super) busy_until: Option<Timestamp>,
    /// A slot whose run has failed.
    pub(super) tried: Option<Tried>,
}

/// A slot whose run has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tried {
    pub(super) slot: Timestamp,
    /// How often.
    pub(super) times: u32,
    /// When it may be tried again.
    pub(super) again: Timestamp,
    /// What becomes of the slot if it isn't: [`GapReason::Failed`] or [`GapReason::Deferred`].
    pub(super) reason: GapReason,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// To be noted before the runs are asked for.
    pub(super) gaps: Vec<PlannedGap>,
    /// To be asked for now, in this order.
    pub(super) runs: Vec<PlannedRun>,
    /// When there is something to be done next, if the clock goes on as it does; `None` if no schedule comes again.
    pub(super) next: Option<Timestamp>,
}

/// Slots of one schedule, one after the other, that get no run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlannedGap {
    /// Index of the schedule's line.
    pub(super) line: usize,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) slots: u64,
    pub(super) reason: GapReason,
}

/// One run for the schedules that come at a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedRun {
    pub(super) slot: Timestamp,
    /// Indices of the schedules' lines.
    pub(super) lines: Vec<usize>,
}

/// The slot of a schedule that is next to be run, and when it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) slot: Timestamp,
    pub(super) ready: Timestamp,
}

/// What is to be done now.
pub(super) fn plan(lines: &[Line<'_>], now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let mut candidates = Vec::new();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.busy.is_none()) {
        let settled = settle(line, now);
        plan.gaps.extend(merged(index, &settled.gaps));
        candidates.extend(settled.candidate.map(|candidate| (index, candidate)));
        if settled.has_more {
            plan.next = Some(now);
        }
    }
    // Stable: within a slot in the order of the lines.
    candidates.sort_by_key(|(_, candidate)| candidate.slot);
    for group in candidates.chunk_by(|(_, a), (_, b)| a.slot == b.slot) {
        let ready = group.iter().map(|(_, candidate)| candidate.ready).min().unwrap_or(now);
        if ready <= now {
            plan.runs.push(PlannedRun { slot: group[0].1.slot, lines: group.iter().map(|(line, _)| *line).collect() });
        } else {
            plan.next = Some(plan.next.map_or(ready, |next| next.min(ready)));
        }
    }
    plan
}

/// Slots that have come and will not be run because the schedule is changed or removed.
pub(super) fn given_up(index: usize, line: &Line<'_>, now: Timestamp) -> Vec<PlannedGap> {
    let after = line.busy.map_or(line.handled, |busy| busy.max(line.handled));
    let come = slots(line, after).take_while(|&slot| slot <= now).take(MOST_SLOTS);
    merged(index, &come.map(|slot| (slot, GapReason::Changed)).collect::<Vec<_>>())
}

/// What is to be done about one schedule.
#[derive(Debug, Default)]
struct Settled {
    gaps: Vec<(Timestamp, GapReason)>,
    candidate: Option<Candidate>,
    /// There are more slots than were looked at.
    has_more: bool,
}

fn settle(line: &Line<'_>, now: Timestamp) -> Settled {
    let has_come = |slot: &Timestamp| line.begin(*slot) <= now;
    let mut come: Vec<Timestamp> = slots(line, line.handled).take_while(has_come).take(MOST_SLOTS + 1).collect();
    let has_more = come.len() > MOST_SLOTS;
    come.truncate(MOST_SLOTS);
    let gaps = gaps(line, &come, now);
    let candidate = match come.get(gaps.len()) {
        Some(&slot) => Some(Candidate { slot, ready: line.retry_of(slot, now).unwrap_or(now) }),
        None if has_more => None,
        None => {
            let next = slots(line, come.last().map_or(line.handled, |&last| last.max(line.handled))).next();
            next.map(|slot| Candidate { slot, ready: line.begin(slot) })
        }
    };
    // With `latest` and `skip` the last one that was looked at isn't the latest yet.
    match candidate.filter(|_| has_more && line.schedule.missed != Missed::All) {
        None => Settled { gaps, candidate, has_more },
        Some(_) => Settled { gaps, candidate: None, has_more },
    }
}

/// Of the slots that have come, the first ones that get no run, and why.
fn gaps(line: &Line<'_>, come: &[Timestamp], now: Timestamp) -> Vec<(Timestamp, GapReason)> {
    let mut gaps = Vec::new();
    for (place, &slot) in come.iter().enumerate() {
        match line.gives_up(slot, place + 1 == come.len(), now) {
            Some(reason) => gaps.push((slot, reason)),
            None => break,
        }
    }
    gaps
}

/// Neighbours with the same reason as one gap.
fn merged(line: usize, gaps: &[(Timestamp, GapReason)]) -> Vec<PlannedGap> {
    let ranges = gaps.chunk_by(|(_, a), (_, b)| a == b);
    let gap = |range: &[(Timestamp, GapReason)]| {
        let (&(first, reason), &(last, _)) = (range.first()?, range.last()?);
        Some(PlannedGap { line, first, last, slots: range.len() as u64, reason })
    };
    ranges.filter_map(gap).collect()
}

/// The slots after a time, in their order.
fn slots<'a>(line: &Line<'a>, after: Timestamp) -> impl Iterator<Item = Timestamp> + use<'a> {
    let schedule = line.schedule;
    let next = move |at: &Timestamp| schedule.recurrence.as_ref()?.next_after(*at, &schedule.zone);
    std::iter::successors(next(&after), next)
}

impl Line<'_> {
    /// When the run of a slot may begin.
    pub(super) fn begin(&self, slot: Timestamp) -> Timestamp {
        later(slot, self.delay)
    }

    /// The slot that comes next, or waits for another try.
    pub(super) fn candidate(&self, now: Timestamp) -> Option<Candidate> {
        match self.busy {
            None => settle(self, now).candidate,
            Some(busy) => {
                let next = slots(self, busy.max(self.handled)).next();
                next.map(|slot| Candidate { slot, ready: self.begin(slot) })
            }
        }
    }

    /// Why a slot that has come is not to be run, if so.
    fn gives_up(&self, slot: Timestamp, is_last: bool, now: Timestamp) -> Option<GapReason> {
        let tried = self.tried.filter(|tried| tried.slot == slot);
        let all = self.schedule.missed == Missed::All;
        let overlaps = self.busy_until.is_some_and(|until| self.begin(slot) <= until);
        let is_late = self.schedule.deadline.is_some_and(|deadline| later(slot, deadline) < now);
        let takes_its_place = !is_last && (!all || tried.is_some_and(|tried| tried.times >= MOST_TRIES));
        let skipped = self.schedule.missed == Missed::Skip && now.0.saturating_sub(self.begin(slot).0) > LATE;
        match tried {
            Some(tried) if is_late || takes_its_place => Some(tried.reason),
            Some(_) => None,
            None if overlaps && !all => Some(GapReason::Overlap),
            None if is_late => Some(GapReason::Deadline),
            None if takes_its_place || skipped => Some(GapReason::Missed),
            None => None,
        }
    }

    /// When a slot that has failed may be tried again, if that isn't now.
    fn retry_of(&self, slot: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let again = self.tried.filter(|tried| tried.slot == slot)?.again;
        (now < again && again <= later(now, LONGEST_PAUSE)).then_some(again)
    }
}

/// So much later.
pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp(at.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
}
