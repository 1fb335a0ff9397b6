//! Runs because the data has changed: for schedules with `on_change`.
//!
//! A change alone starts nothing. A run begins once the database has then been quiet for the time that the schedule says, or after ten
//! times that while it is written to without a pause. Nobody knows what happened while no daemon watched: the start counts as a
//! change, and so does the moment when a schedule is new or when the database can be read again.
//!
//! A run that failed has not seen the change: it is made again after pauses that double from the schedule's time of quiet on, or when the
//! database changes again.
//!
//! All schedules whose time of quiet is over share a run, and while one of theirs waits or runs, changes are only remembered. Time is
//! measured by a clock that doesn't jump; the time as of which a run decides is the one on the wall when it begins.

use std::{sync::Arc, time::Duration};

use tierd_ledger::Cause;
use tierd_rules::RuleSet;
use tierd_sources::{ChangeMonitor, DatabaseError};
use tokio::{task::JoinHandle, time::Instant};

use super::{Handle, RunDone, RunRefused, RunRequest};
use crate::evaluate;

/// The longest and the shortest time between two looks at the database.
const LOOK_AT_MOST: Duration = Duration::from_secs(2);
const LOOK_AT_LEAST: Duration = Duration::from_millis(100);

/// How often one looks whether there is a schedule that follows changes at all: other rules are told at once.
const IDLE: Duration = Duration::from_secs(3600);

/// Under constant writing a run begins after so many times of quiet.
const CAP: u32 = 10;

/// The longest pause between runs that fail.
const MOST_PAUSE: Duration = Duration::from_secs(20 * 60);

/// Watches the database while a schedule asks for it, until the daemon stops.
pub(super) async fn task(handle: Handle) {
    tokio::select! {
        () = handle.stopped() => {}
        () = Watcher::new(handle.clone()).go_on() => {}
    }
}

struct Watcher {
    handle: Handle,
    rules: Option<Arc<RuleSet>>,
    settling: Vec<Settling>,
    monitor: Option<ChangeMonitor>,
    run: Option<Asked>,
}

/// A run that was asked for.
struct Asked {
    schedules: Vec<String>,
    run: JoinHandle<Result<Arc<RunDone>, RunRefused>>,
}

/// A schedule that waits for the database to be quiet.
#[derive(Debug, Clone)]
struct Settling {
    schedule: String,
    quiet: Duration,
    /// The first change that no run has seen, and the last one.
    changed: Option<(Instant, Instant)>,
    failing: Option<Failing>,
}

/// Runs of a schedule that failed, one after the other.
#[derive(Debug, Clone, Copy)]
struct Failing {
    times: u32,
    /// Not to be tried again before, unless the database changes.
    again: Instant,
}

impl Settling {
    fn change(&mut self, now: Instant) {
        self.changed = Some((self.changed.map_or(now, |(first, _)| first), now));
    }

    /// Takes note of a run that failed.
    fn fail(&mut self, now: Instant) {
        let times = self.failing.map_or(0, |failing| failing.times);
        let pause = self.quiet.saturating_mul(1 << times.min(16)).min(MOST_PAUSE.max(self.quiet));
        self.failing = Some(Failing { times: times + 1, again: now + pause });
    }

    fn is_due(&self, now: Instant) -> bool {
        if self.changed.is_none() && self.failing.is_some_and(|failing| now >= failing.again) {
            return true;
        }
        self.changed
            .is_some_and(|(first, last)| now - last >= self.quiet || now - first >= self.quiet.saturating_mul(CAP))
    }
}

impl Watcher {
    fn new(handle: Handle) -> Self {
        Watcher { handle, rules: None, settling: Vec::new(), monitor: None, run: None }
    }

    async fn go_on(mut self) {
        let handle = self.handle.clone();
        let mut active = handle.watch_active();
        loop {
            self.adopt();
            self.look().await;
            tokio::select! {
                _ = active.changed() => {}
                () = handle.parts().wall.sleep(self.pause()) => {}
            }
        }
    }

    /// The schedules of the rules in force; those that were there before go on waiting.
    fn adopt(&mut self) {
        let rules = Arc::clone(&self.handle.active().rules);
        if self.rules.as_ref().is_some_and(|adopted| Arc::ptr_eq(adopted, &rules)) {
            return;
        }
        let now = Instant::now();
        let settling = rules.schedules.iter().filter_map(|schedule| {
            let before = self.settling.iter().find(|before| before.schedule == schedule.name);
            let changed = before.map_or(Some((now, now)), |before| before.changed);
            let failing = before.and_then(|before| before.failing);
            Some(Settling { schedule: schedule.name.clone(), quiet: schedule.on_change?, changed, failing })
        });
        self.settling = settling.collect();
        self.rules = Some(rules);
        if self.settling.is_empty() {
            // Nobody's files stay open for nothing.
            self.monitor = None;
        }
    }

    async fn look(&mut self) {
        self.end_run().await;
        if self.settling.is_empty() {
            return;
        }
        let changed = self.has_changed().await;
        let now = Instant::now();
        if changed {
            self.settling.iter_mut().for_each(|one| one.change(now));
        }
        let due: Vec<String> =
            self.settling.iter().filter(|one| one.is_due(now)).map(|one| one.schedule.clone()).collect();
        if !due.is_empty() && self.run.is_none() {
            self.settling.iter_mut().filter(|one| due.contains(&one.schedule)).for_each(|one| one.changed = None);
            self.ask(due);
        }
    }

    /// A run that found the database or the ledger locked, or that failed, has not seen the change.
    async fn end_run(&mut self) {
        let Some(Asked { schedules, run }) = self.run.take_if(|asked| asked.run.is_finished()) else { return };
        let (ended, now) = (run.await, Instant::now());
        for one in self.settling.iter_mut().filter(|one| schedules.contains(&one.schedule)) {
            match ended {
                Ok(Err(RunRefused::Deferred(_))) => one.change(now),
                Ok(Err(RunRefused::Failed(_))) => one.fail(now),
                _ => one.failing = None,
            }
        }
    }

    fn ask(&mut self, schedules: Vec<String>) {
        let request = RunRequest { cause: Cause::Change, schedules: Some(schedules.clone()), as_of: None };
        let handle = self.handle.clone();
        self.run = Some(Asked { schedules, run: tokio::spawn(async move { handle.run(request).await }) });
    }

    async fn has_changed(&mut self) -> bool {
        let Some(rules) = &self.rules else { return false };
        let path = self.handle.project().database(&rules.config);
        // Other rules may name another database.
        let monitor = self.monitor.take().filter(|monitor| monitor.path() == path);
        let looked = tokio::task::spawn_blocking(move || look_at(monitor, path)).await;
        match looked {
            Ok(Ok((monitor, changed))) => {
                self.monitor = Some(monitor);
                changed
            }
            // Opened anew at the next look, which then counts as a change. Runs say what is wrong with the database.
            Ok(Err(error)) => {
                tracing::debug!(%error, "the database can't be watched");
                false
            }
            Err(_) => false,
        }
    }

    fn pause(&self) -> Duration {
        let shortest = self.settling.iter().map(|one| one.quiet / 4).min();
        shortest.map_or(IDLE, |quarter| quarter.clamp(LOOK_AT_LEAST, LOOK_AT_MOST))
    }
}

fn look_at(monitor: Option<ChangeMonitor>, path: std::path::PathBuf) -> Result<(ChangeMonitor, bool), DatabaseError> {
    match monitor {
        Some(mut monitor) => {
            let changed = monitor.has_changed()?;
            Ok((monitor, changed))
        }
        None => Ok((ChangeMonitor::open(&evaluate::open(path)?)?, true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes at these seconds; returns when a run would begin.
    fn run_at(quiet: u64, changes: &[u64]) -> Option<u64> {
        let begin = Instant::now();
        let mut one = Settling {
            schedule: "default".to_owned(),
            quiet: Duration::from_secs(quiet),
            changed: None,
            failing: None,
        };
        (0..1000).find(|&second| {
            let now = begin + Duration::from_secs(second);
            if changes.contains(&second) {
                one.change(now);
            }
            one.is_due(now)
        })
    }

    #[test]
    fn run_begins_once_the_database_is_quiet() {
        assert_eq!(run_at(30, &[]), None);
        assert_eq!(run_at(30, &[5]), Some(35));
        assert_eq!(run_at(30, &[5, 20, 49]), Some(79));
        assert_eq!(run_at(30, &[5, 36]), Some(35));
    }

    #[test]
    fn failed_run_is_made_again_after_pauses_that_double_or_after_a_change() {
        let begin = Instant::now();
        let at = |second| begin + Duration::from_secs(second);
        let quiet = Duration::from_secs(30);
        let mut one = Settling { schedule: "default".to_owned(), quiet, changed: None, failing: None };
        let mut now = 0;
        for pause in [30, 60, 120, 240, 480, 960, 1200, 1200] {
            one.fail(at(now));
            assert!(!one.is_due(at(now + pause - 1)) && one.is_due(at(now + pause)), "{pause}");
            now += pause;
        }
        one.fail(at(now));
        one.change(at(now + 1));
        assert!(!one.is_due(at(now + 30)) && one.is_due(at(now + 31)));
    }

    #[test]
    fn constant_writing_does_not_put_a_run_off_for_ever() {
        let always: Vec<u64> = (5..1000).collect();
        assert_eq!(run_at(30, &always), Some(305));
    }
}
