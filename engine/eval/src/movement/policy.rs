//! One subject's step: from the level that the policy gave before, and the one that the conditions support, to the next.

use tierd_model::{Clock, Date};
use tierd_rules::{Lock, LockUntil, Movement, Timing};

use super::{Reason, Step, level_of, rank, support::Supported};
use crate::{history::PolicyState, levels::NONE};

/// A movement policy in one run.
pub(super) struct Policy<'a> {
    movement: &'a Movement,
    today: Date,
    /// The first day of the run's period, if the policy moves at period ends.
    period: Option<Date>,
    /// The first day on which a level that is taken today may be lost, if that is to come.
    lock: Option<Date>,
}

impl<'a> Policy<'a> {
    pub(super) fn new(movement: &'a Movement, clock: &Clock) -> Self {
        let by_period = [movement.upgrade, movement.downgrade].contains(&Timing::AtPeriodEnd);
        Policy {
            movement,
            today: clock.today(),
            period: by_period.then(|| movement.period.first_day(clock)),
            lock: movement.lock.map(|lock| lock_end(movement, lock, clock)).filter(|&end| end > clock.today()),
        }
    }

    /// The next state of a subject, and why if its level is another one.
    pub(super) fn step(&self, before: PolicyState, supported: Supported) -> Step {
        // Where the policy didn't go by periods before, this period counts as decided: its end is the first one that matters.
        let decided = self.period.map(|period| before.decided.unwrap_or(period));
        let state = PolicyState { decided, ..before };
        let ended = self.period > decided;
        match supported {
            Supported::NotKnown => (state, None),
            Supported::At(level) if before.level == NONE => self.first(level),
            Supported::At(level) => self.known(PolicyState { decided: self.period, ..state }, level, ended),
        }
    }

    /// A subject without level takes one at once.
    fn first(&self, level: u16) -> Step {
        match level {
            NONE => (PolicyState::at(NONE), None),
            _ => (self.taken(level), Some(Reason::First)),
        }
    }

    fn taken(&self, level: u16) -> PolicyState {
        PolicyState { level, below_since: None, locked_until: self.lock, decided: self.period }
    }

    fn known(&self, state: PolicyState, supported: u16, period_ended: bool) -> Step {
        let qualifies = rank(supported) >= rank(state.level);
        let state = PolicyState { locked_until: self.locked(state.locked_until, qualifies), ..state };
        if !qualifies {
            return self.below(state, supported, period_ended);
        }
        let stays = PolicyState { below_since: None, ..state };
        match self.movement.upgrade {
            _ if supported == state.level => (stays, None),
            Timing::AtOnce => (self.taken(supported), Some(Reason::Upgraded)),
            Timing::AtPeriodEnd if period_ended => (self.taken(supported), Some(Reason::UpgradedAtPeriodEnd)),
            Timing::AtPeriodEnd | Timing::Never => (stays, None),
        }
    }

    /// The lock after this run: the one that there is, a renewed one, or none.
    fn locked(&self, until: Option<Date>, qualifies: bool) -> Option<Date> {
        let lock = self.movement.lock?;
        if matches!(lock.until, LockUntil::Day(_)) {
            return self.lock;
        }
        let until = until?;
        if self.today < until {
            return Some(until);
        }
        self.lock.filter(|_| lock.renew && qualifies)
    }

    fn below(&self, state: PolicyState, supported: u16, period_ended: bool) -> Step {
        let since = state.below_since.unwrap_or(self.today);
        let waits = PolicyState { below_since: Some(since), ..state };
        let grace_over = self.movement.grace.is_none_or(|grace| grace.add_to(since) <= self.today);
        let reason = match self.movement.downgrade {
            Timing::Never => return (PolicyState { below_since: None, ..state }, None),
            _ if state.locked_until.is_some() || !grace_over => return (waits, None),
            Timing::AtPeriodEnd if !period_ended => return (waits, None),
            Timing::AtPeriodEnd => Reason::DowngradedAtPeriodEnd,
            Timing::AtOnce if self.movement.grace.is_some() => Reason::DowngradedAfterGrace,
            Timing::AtOnce => Reason::Downgraded,
        };
        let steps = self.movement.steps.unwrap_or(u16::MAX);
        let level = level_of(rank(supported).max(rank(state.level).saturating_sub(steps)));
        if level == NONE {
            return (PolicyState::at(NONE), Some(reason));
        }
        let below_since = (level != supported).then_some(self.today);
        (PolicyState { level, below_since, ..state }, Some(reason))
    }
}

/// Whatever is earned is held: for levels without order.
pub(super) fn change(before: u16, earned: u16) -> Step {
    let reason = match before {
        _ if before == earned => None,
        NONE => Some(Reason::First),
        _ => Some(Reason::Changed),
    };
    (PolicyState::at(earned), reason)
}

/// Why whatever is earned is another level than the one before, of levels in an order.
pub(super) fn at_once(before: u16, earned: u16) -> Option<Reason> {
    match before {
        _ if before == earned => None,
        NONE => Some(Reason::First),
        _ if rank(earned) > rank(before) => Some(Reason::Upgraded),
        _ => Some(Reason::Downgraded),
    }
}

fn lock_end(movement: &Movement, lock: Lock, clock: &Clock) -> Date {
    let next = || movement.period.next(movement.period.first_day(clock));
    match lock.until {
        LockUntil::Span(span) => span.add_to(clock.today()),
        LockUntil::PeriodEnd => next(),
        LockUntil::NextPeriodEnd => movement.period.next(next()),
        LockUntil::Day(day) => day,
    }
}
