//! Leaves a plugin alone that fails again and again: a run shouldn't spend its time on what won't work.
//!
//! Three failures in a row open the breaker for a minute. The first call after that is a trial: if it works the breaker closes, if not it
//! opens for twice as long, up to an hour. Time is an argument.

use std::time::{Duration, Instant};

/// Failures in a row that open it.
const FAILURES: u32 = 3;
/// How long it is open at first.
const FIRST_REST: Duration = Duration::from_secs(60);
/// How long it is open at most.
const LONGEST_REST: Duration = Duration::from_secs(3600);

/// How a plugin is dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// It is called.
    Closed,
    /// It is left alone for so long from now.
    Open(Duration),
    /// It is called on trial: one call, and its end decides.
    Trial,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Worked,
    Failed,
    /// It failed for a reason that isn't the plugin's.
    Neither,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Breaker {
    failures: u32,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    since: Instant,
    rest: Duration,
    on_trial: bool,
}

impl Breaker {
    /// Whether it may be called now; otherwise how long it still rests. One that may be called must be told how the call ended.
    pub(crate) fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let rested = now.saturating_duration_since(open.since);
        if open.on_trial || rested < open.rest {
            return Err(open.rest.saturating_sub(rested));
        }
        open.on_trial = true;
        Ok(())
    }

    /// A call ended.
    pub(crate) fn ended(&mut self, end: End, now: Instant) {
        match end {
            End::Worked => *self = Breaker::default(),
            End::Failed => self.failed(now),
            End::Neither => self.open = self.open.map(|open| Open { on_trial: false, ..open }),
        }
    }

    fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        let rest = match self.open {
            Some(open) if open.on_trial => (open.rest * 2).min(LONGEST_REST),
            // Calls that were let in before it opened end as they end.
            Some(_) => return,
            None if self.failures >= FAILURES => FIRST_REST,
            None => return,
        };
        self.open = Some(Open { since: now, rest, on_trial: false });
    }

    pub(crate) fn state(&self, now: Instant) -> BreakerState {
        match self.open {
            None => BreakerState::Closed,
            Some(open) if open.on_trial => BreakerState::Trial,
            Some(open) => match open.rest.saturating_sub(now.saturating_duration_since(open.since)) {
                Duration::ZERO => BreakerState::Trial,
                left => BreakerState::Open(left),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(n: u64) -> Duration {
        Duration::from_secs(60 * n)
    }

    #[test]
    fn rests_after_three_failures_in_a_row_and_twice_as_long_after_a_failed_trial() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            assert_eq!(breaker.admit(start), Ok(()));
            breaker.ended(End::Failed, start);
        }
        assert_eq!(breaker.admit(start), Err(minutes(1)));

        let mut now = start;
        for rest in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(breaker.state(now), BreakerState::Open(minutes(rest)));
            now += minutes(rest);
            assert_eq!(breaker.admit(now), Ok(()), "a trial after {rest} minutes");
            assert!(breaker.admit(now).is_err(), "one trial at a time");
            breaker.ended(End::Failed, now);
        }
        now += minutes(60);
        assert_eq!(breaker.admit(now), Ok(()));
        breaker.ended(End::Worked, now);
        assert_eq!(breaker.state(now), BreakerState::Closed);
    }

    #[test]
    fn failures_with_a_success_between_do_not_add_up() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for end in [End::Failed, End::Failed, End::Worked, End::Failed, End::Failed, End::Worked] {
            breaker.ended(end, now);
            assert_eq!(breaker.admit(now), Ok(()));
        }
    }

    #[test]
    fn a_trial_that_ends_for_other_reasons_is_followed_by_another() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        (0..3).for_each(|_| breaker.ended(End::Failed, start));
        let now = start + minutes(1);
        assert_eq!(breaker.admit(now), Ok(()));
        breaker.ended(End::Neither, now);
        assert_eq!(breaker.state(now), BreakerState::Trial);
        assert_eq!(breaker.admit(now), Ok(()));
    }
}
