//! What a daemon has done since it started, in numbers, for whoever watches it.
//!
//! Counted where runs end rather than from [`super::Handle::watch_runs`], which shows the last run only: two runs in quick
//! succession would count as one. Everything here is named after rules, levels and schedules, never after a subject.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::executor::RunDone;

/// Upper bounds of the histogram of how long runs take, in seconds.
pub const DURATION_BOUNDS: [f64; 10] = [0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0];

/// Counts of a daemon; shared by its parts.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<Counts>);

/// The counts at one moment.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Runs by outcome and cause, by the words of the ledger.
    pub runs: BTreeMap<(&'static str, &'static str), u64>,
    /// Changes of level by tier set, level before and level now; `None` is no level.
    pub transitions: BTreeMap<(String, Option<String>, Option<String>), u64>,
    /// By tier set: subjects whose decision met UNKNOWN in the last run that decided the set.
    pub unknown: BTreeMap<String, u64>,
    /// How long runs took, whatever came of them.
    pub durations: Durations,
}

/// A histogram of how long runs took.
#[derive(Debug, Clone, Default)]
pub struct Durations {
    /// How many took at most so long as [`DURATION_BOUNDS`] says, and longer than the bound before.
    pub within: [u64; DURATION_BOUNDS.len()],
    /// How many there were.
    pub count: u64,
    /// How long all of them took together, in seconds.
    pub sum: f64,
}

impl Counters {
    /// A run has ended.
    pub(super) fn ended(&self, done: &RunDone) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.runs.entry((done.outcome.name(), done.request.cause.name())).or_default() += 1;
        counts.durations.add(done.took());
        for set in &done.sets {
            counts.unknown.insert(set.name.clone(), set.unknown);
            // A held run has changed nothing.
            let moves = set.moves.iter().filter(|_| done.outcome == tierd_ledger::Outcome::Applied);
            for moved in moves {
                let key = (set.name.clone(), moved.from.clone(), moved.to.clone());
                *counts.transitions.entry(key).or_default() += moved.subjects;
            }
        }
    }

    pub(super) fn now(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Durations {
    fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(within) = DURATION_BOUNDS.iter().position(|bound| seconds <= *bound) {
            self.within[within] += 1;
        }
        self.count += 1;
        self.sum += seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_the_first_bucket_that_holds_it() {
        let mut durations = Durations::default();
        for millis in [100, 101, 7_000_000] {
            durations.add(Duration::from_millis(millis));
        }
        assert_eq!(durations.within[..2], [1, 1]);
        assert_eq!((durations.count, durations.within.iter().sum::<u64>()), (3, 2));
        assert!((durations.sum - 7000.201).abs() < 1e-9);
    }
}
