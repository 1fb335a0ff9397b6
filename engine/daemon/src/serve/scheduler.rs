//! Asks for runs when their times come.
//!
//! The task looks at the clock on the wall at least every 30 seconds, whatever it expects, so that a clock that jumps or a machine that
//! slept is noticed; `planner.rs` says what is to be done, and this carries it out. It never waits for a run: what comes while one runs
//! is planned at its time.
//!
//! How far each schedule has come is in the ledger, written in one transaction with the run or the gap that took care of a slot. What is
//! here only in memory are runs that wait and pauses before another try; without them, after a crash, their slots count as missed.
//!
//! When other rules come into force, schedules that come at the same times go on as they are. One that is new, or comes at other times
//! (another recurrence or zone), counts from then on. Slots of changed or removed ones that have come and weren't run become gaps, and a
//! removed schedule that returns is a new one: while it wasn't there, it had no slots to miss.

mod book;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tierd_ledger::{Cause, GapReason, Outcome, RunId};
use tierd_model::{MICROS, Timestamp};
use tierd_rules::{RuleSet, Schedule};
use tokio::{task::JoinSet, time::Instant};

use self::book::{Entry, OwnedGap};
use super::{
    Handle, RunDone, RunRefused, RunRequest, jitter,
    planner::{self, Line, Plan, PlannedRun, Tried},
};

/// The clock is looked at this often at least.
const LOOK: Duration = Duration::from_secs(30);

/// The first pause before a failed run is tried again, and the longest one; half as much again depends on chance.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const MOST_PAUSE: Duration = Duration::from_secs(800);

/// A clock that goes back by less is being adjusted.
const SET_BACK: i64 = 60 * MICROS;

/// When runs are due, as far as the daemon knows now.
#[derive(Debug, Clone, Default)]
pub struct Schedules {
    /// Each schedule, in the order of the rules.
    pub schedules: Vec<NextRun>,
}

/// When one schedule comes, and what became of it last.
#[derive(Debug, Clone)]
pub struct NextRun {
    /// The schedule.
    pub name: String,
    /// Its next slot, or the one that waits for another try; none where it only follows changes of the data.
    pub slot: Option<Timestamp>,
    /// When the run of that slot begins: later by the jitter, or by the pause before another try.
    pub begins: Option<Timestamp>,
    /// The slot whose run waits or runs now.
    pub busy: Option<Timestamp>,
    /// The last slot for which a run was made, by this daemon or one before it.
    pub last: Option<LastSlot>,
    /// A slot that is tried again.
    pub retry: Option<Retry>,
    /// Slots without a run that can still be made good.
    pub open_gaps: u64,
    /// Whether it also follows changes of the data.
    pub on_change: bool,
}

/// The last run of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSlot {
    /// The slot.
    pub slot: Timestamp,
    /// How its run ended.
    pub outcome: Outcome,
    /// Its run; none for one that never came so far as to be recorded.
    pub run: Option<RunId>,
}

/// A slot whose run has failed, and is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The slot.
    pub slot: Timestamp,
    /// How often it has been tried.
    pub times: u32,
    /// When it is tried again, at the earliest.
    pub again: Timestamp,
}

/// Asks for runs when their times come, until the daemon stops.
pub(super) async fn task(handle: Handle) {
    tokio::select! {
        () = handle.stopped() => {}
        () = Scheduler::new(handle.clone()).go_on() => {}
    }
}

struct Scheduler {
    handle: Handle,
    /// The rules whose schedules are followed.
    rules: Option<Arc<RuleSet>>,
    followed: Vec<Followed>,
    /// Slots of schedules that were changed or removed while their runs ran, and failed.
    lost: Vec<OwnedGap>,
    runs: JoinSet<Ended>,
    /// What the clock showed when it was last looked at.
    looked: Timestamp,
    /// Gaps may have been noted or filled since they were counted.
    gaps_moved: bool,
}

/// A schedule of the rules in force.
struct Followed {
    schedule: Schedule,
    /// Recurrence and zone.
    written: String,
    delay: Duration,
    handled: Timestamp,
    busy: Option<Busy>,
    busy_until: Option<Timestamp>,
    tried: Option<Tried>,
    last: Option<LastSlot>,
    open_gaps: u64,
}

/// A run that was asked for.
#[derive(Debug, Clone, Copy)]
struct Busy {
    slot: Timestamp,
    asked: Timestamp,
    /// The same by a clock that doesn't jump.
    since: Instant,
}

/// A run that has ended.
struct Ended {
    slot: Timestamp,
    schedules: Vec<String>,
    result: Result<Arc<RunDone>, RunRefused>,
}

impl Scheduler {
    fn new(handle: Handle) -> Self {
        Scheduler {
            looked: handle.now(),
            handle,
            rules: None,
            followed: Vec::new(),
            lost: Vec::new(),
            runs: JoinSet::new(),
            gaps_moved: false,
        }
    }

    async fn go_on(mut self) {
        let handle = self.handle.clone();
        let (mut active, mut done) = (handle.watch_active(), handle.watch_runs());
        loop {
            let pause = self.look().await;
            tokio::select! {
                Some(ended) = self.runs.join_next() => {
                    // A task that panicked has answered nobody: its slot is asked for again after a restart.
                    if let Ok(ended) = ended {
                        self.end(ended);
                    }
                }
                _ = active.changed() => {}
                _ = done.changed() => self.gaps_moved = true,
                () = handle.parts().wall.sleep(pause) => {}
            }
        }
    }

    /// Does everything that is to be done now, and returns for how long there is nothing more to do.
    async fn look(&mut self) -> Duration {
        let now = self.handle.now();
        self.look_at_clock(now);
        if !self.adopt(now).await {
            return LOOK;
        }
        let lines: Vec<Line<'_>> = self.followed.iter().map(Followed::line).collect();
        let plan = planner::plan(&lines, now);
        let noted = self.note(&plan, now).await;
        let has_gap = |line: &usize| plan.gaps.iter().any(|gap| gap.line == *line);
        for run in &plan.runs {
            // Gaps come first: the run says that everything up to its slot has been taken care of.
            if noted || !run.lines.iter().any(has_gap) {
                self.ask(run, now);
            }
        }
        self.publish(now).await;
        match plan.next {
            Some(next) if noted => Duration::from_micros(next.0.saturating_sub(now.0).max(0).unsigned_abs()).min(LOOK),
            _ => LOOK,
        }
    }

    fn look_at_clock(&mut self, now: Timestamp) {
        let back = self.looked.0.saturating_sub(now.0);
        if back > SET_BACK {
            tracing::warn!(
                seconds = back / MICROS,
                "the clock was set back: schedules wait until it has passed the slots that they have been run for"
            );
        }
        self.looked = now;
    }

    /// Follows the schedules of the rules in force. Returns whether it does: the ledger has to know.
    async fn adopt(&mut self, now: Timestamp) -> bool {
        let rules = Arc::clone(&self.handle.active().rules);
        if self.rules.as_ref().is_some_and(|adopted| Arc::ptr_eq(adopted, &rules)) {
            return true;
        }
        let folder = self.handle.project().folder().to_string_lossy().into_owned();
        let mut followed: Vec<Followed> =
            rules.schedules.iter().map(|schedule| Followed::new(schedule, &folder, now)).collect();
        let given_up = self.given_up(&followed, now);
        let (path, entries) = (self.ledger(), followed.iter().map(Followed::entry).collect::<Vec<_>>());
        let known = tokio::task::spawn_blocking(move || book::follow(&path, &entries, &given_up, now)).await;
        let known = match known.map_err(|error| error.to_string()) {
            Ok(Ok(known)) => known,
            Ok(Err(error)) => return self.unwritten(&error.to_string()),
            Err(error) => return self.unwritten(&error),
        };
        for (one, known) in followed.iter_mut().zip(known) {
            (one.handled, one.last, one.open_gaps) = (known.handled, known.last, known.open_gaps);
            if let Some(before) = self.followed.iter().find(|before| before.schedule.name == one.schedule.name) {
                one.take_over(before);
            }
            if one.handled.0.saturating_sub(now.0) > SET_BACK {
                tracing::warn!(
                    schedule = one.schedule.name,
                    until = %one.handled,
                    "the clock is behind a slot that this schedule has been run for: it waits until then"
                );
            }
        }
        (self.followed, self.rules) = (followed, Some(rules));
        true
    }

    /// What has come of schedules that are changed or removed, and won't be run.
    fn given_up(&self, followed: &[Followed], now: Timestamp) -> Vec<OwnedGap> {
        let goes_on = |before: &Followed| followed.iter().any(|one| one.is_as(before));
        let gone = self.followed.iter().filter(|before| !goes_on(before));
        let gaps = gone.flat_map(|before| {
            let gaps = planner::given_up(0, &before.line(), now);
            gaps.into_iter().map(|gap| OwnedGap::new(&before.schedule.name, &gap))
        });
        gaps.collect()
    }

    /// Notes the gaps of a plan. Returns whether they are in the ledger: while a run is made, that would have to wait, and so does
    /// everything that comes after them.
    async fn note(&mut self, plan: &Plan, now: Timestamp) -> bool {
        let name = |line: usize| self.followed[line].schedule.name.as_str();
        let planned = plan.gaps.iter().map(|gap| OwnedGap::new(name(gap.line), gap));
        let gaps: Vec<OwnedGap> = self.lost.iter().cloned().chain(planned).collect();
        if gaps.is_empty() {
            return true;
        }
        if self.handle.running().is_some() {
            return false;
        }
        let path = self.ledger();
        match tokio::task::spawn_blocking(move || book::note(&path, &gaps, now)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return self.unwritten(&error.to_string()),
            Err(error) => return self.unwritten(&error.to_string()),
        }
        self.lost.clear();
        self.gaps_moved = true;
        for gap in &plan.gaps {
            let one = &mut self.followed[gap.line];
            tracing::warn!(
                schedule = one.schedule.name,
                first = %gap.first,
                last = %gap.last,
                slots = gap.slots,
                reason = gap.reason.name(),
                "no run for slots of a schedule"
            );
            one.handled = one.handled.max(gap.last);
            one.tried = one.tried.filter(|tried| tried.slot > gap.last);
        }
        true
    }

    fn unwritten(&self, error: &str) -> bool {
        tracing::warn!(error, "schedules wait for the ledger");
        false
    }

    /// Asks for a run, and doesn't wait for it.
    fn ask(&mut self, run: &PlannedRun, now: Timestamp) {
        let busy = Busy { slot: run.slot, asked: now, since: Instant::now() };
        run.lines.iter().for_each(|&line| self.followed[line].busy = Some(busy));
        let schedules: Vec<String> = run.lines.iter().map(|&line| self.followed[line].schedule.name.clone()).collect();
        let (handle, slot) = (self.handle.clone(), run.slot);
        self.runs.spawn(async move {
            let schedules_due = Some(schedules.clone());
            let request = RunRequest { cause: Cause::Schedule, schedules: schedules_due, as_of: Some(slot) };
            Ended { slot, schedules, result: handle.run(request).await }
        });
    }

    fn end(&mut self, ended: Ended) {
        let now = self.handle.now();
        for name in &ended.schedules {
            let one = self.followed.iter_mut().find(|one| one.schedule.name == *name);
            let lost = match one {
                Some(one) => one.end(&ended, now),
                None => ended.result.is_err().then_some(GapReason::Changed),
            };
            self.lost.extend(lost.map(|reason| OwnedGap::of_one(name, ended.slot, reason)));
        }
        self.gaps_moved = true;
    }

    async fn publish(&mut self, now: Timestamp) {
        if std::mem::take(&mut self.gaps_moved) {
            let (path, names) = (self.ledger(), self.followed.iter().map(|one| one.schedule.name.clone()).collect());
            // Where the ledger can't be read, the counts stay as they were.
            if let Ok(Ok(open)) = tokio::task::spawn_blocking(move || book::open_gaps(&path, names)).await {
                self.followed.iter_mut().zip(open).for_each(|(one, open)| one.open_gaps = open);
            }
        }
        let schedules = self.followed.iter().map(|one| one.next_run(now)).collect();
        self.handle.parts().schedules.send_replace(Arc::new(Schedules { schedules }));
    }

    fn ledger(&self) -> PathBuf {
        self.handle.project().ledger(&self.handle.active().rules.config)
    }
}

impl Followed {
    /// As if it had been taken care of up to now.
    fn new(schedule: &Schedule, project: &str, now: Timestamp) -> Self {
        let recurrence = schedule.recurrence.as_ref().map(ToString::to_string).unwrap_or_default();
        Followed {
            written: format!("{recurrence} {}", schedule.zone.name()),
            delay: jitter::part_of(schedule.jitter, &[project, &schedule.name]),
            schedule: schedule.clone(),
            handled: now,
            busy: None,
            busy_until: None,
            tried: None,
            last: None,
            open_gaps: 0,
        }
    }

    fn entry(&self) -> Entry {
        Entry { name: self.schedule.name.clone(), written: self.written.clone() }
    }

    fn line(&self) -> Line<'_> {
        Line {
            schedule: &self.schedule,
            delay: self.delay,
            handled: self.handled,
            busy: self.busy.map(|busy| busy.slot),
            busy_until: self.busy_until,
            tried: self.tried,
        }
    }

    /// Whether both come at the same times under the same name.
    fn is_as(&self, other: &Followed) -> bool {
        self.schedule.name == other.schedule.name && self.written == other.written
    }

    /// Goes on from where the same schedule of the rules before was. A changed one still has its own run to wait for.
    fn take_over(&mut self, before: &Followed) {
        self.busy = before.busy;
        if self.is_as(before) {
            (self.busy_until, self.tried) = (before.busy_until, before.tried);
            self.last.clone_from(&before.last);
        }
    }

    /// Takes note of how the run of a slot ended. Returns why the slot is lost, if it is not to be tried again.
    fn end(&mut self, ended: &Ended, now: Timestamp) -> Option<GapReason> {
        let busy = self.busy.take()?;
        let (outcome, reason) = match &ended.result {
            Ok(done) => {
                self.handled = self.handled.max(ended.slot);
                self.busy_until = Some(now.min(planner::later(busy.asked, busy.since.elapsed())));
                self.tried = None;
                self.last = Some(LastSlot { slot: ended.slot, outcome: done.outcome.clone(), run: done.run });
                return None;
            }
            Err(RunRefused::Stopping) => return None,
            Err(refused @ RunRefused::Failed(_)) => (Outcome::Failed(refused.to_string()), GapReason::Failed),
            Err(refused @ RunRefused::Deferred(_)) => (Outcome::Failed(refused.to_string()), GapReason::Deferred),
        };
        self.last = Some(LastSlot { slot: ended.slot, outcome, run: None });
        // The schedule was changed in the meantime, and counts from then on.
        if ended.slot <= self.handled {
            return Some(reason);
        }
        let times = self.tried.filter(|tried| tried.slot == ended.slot).map_or(0, |tried| tried.times) + 1;
        let pause = pause(&self.schedule.name, ended.slot, times);
        self.tried = Some(Tried { slot: ended.slot, times, again: planner::later(now, pause), reason });
        tracing::warn!(schedule = self.schedule.name, slot = %ended.slot, times, "the run of a schedule is tried again");
        None
    }

    fn next_run(&self, now: Timestamp) -> NextRun {
        let candidate = self.line().candidate(now);
        let retry = self.tried.map(|Tried { slot, times, again, .. }| Retry { slot, times, again });
        NextRun {
            name: self.schedule.name.clone(),
            slot: candidate.map(|candidate| candidate.slot),
            begins: candidate.map(|candidate| candidate.ready),
            busy: self.busy.map(|busy| busy.slot),
            last: self.last.clone(),
            retry,
            open_gaps: self.open_gaps,
            on_change: self.schedule.on_change.is_some(),
        }
    }
}

/// How long to wait before the next try: twice as long each time, and a part that differs between schedules.
fn pause(schedule: &str, slot: Timestamp, times: u32) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(1 << times.saturating_sub(1).min(16)).min(MOST_PAUSE);
    pause + jitter::part_of(pause / 2, &[schedule, &slot.to_string(), &times.to_string()])
}
