//! From the level that is earned to the one that is held: keep conditions, grace, steps, period ends, locks, overrides.
//!
//! Three questions, one after the other, each in a file of its own. Which level do the conditions *support*
//! (`support`)? Where does the policy take a subject that is at this level and supported at that one (`policy`)? What do
//! overrides make of it (`overrides`)? A policy goes on underneath an override, so that its end finds the level that would
//! have been held without it.
//!
//! All days are calendar days of the run's zone. Nothing here asks what happened between two runs: a grace time begins on
//! the day of the run that first finds a subject below its level, and ends in the first run on or after its last day.
//!
//! Levels are compared by *rank*: 0 for none, else one more than the index, so that no level is below the lowest.

mod overrides;
mod policy;
mod support;
#[cfg(test)]
mod tests;

use tierd_model::Clock;
use tierd_rules::TierSet;

use crate::{
    derive::Metrics,
    history::{Held, Override, PolicyState},
    levels::{Graded, NONE},
};
use overrides::Overruled;
use policy::Policy;
use support::Support;

/// What a tier set's movement policy made of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// By subject, the level held from now on, or [`crate::levels::NONE`].
    pub held: Vec<u16>,
    /// Subjects whose held level isn't the one before, ascending, and why.
    pub moved: Vec<(u32, Reason)>,
    /// What the policy remembers of subjects of which it remembers something else than before, ascending. Where nothing is kept
    /// of a subject, its state is [`PolicyState::at`] the level held. What equals that is listed to replace something else, and of
    /// subjects that the policy has moved: it need not be stored, but tells a move of the policy from one of an override.
    pub states: Vec<(u32, PolicyState)>,
}

/// Why a level changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A subject without level takes one: its first, or one again after it had none.
    First,
    /// A higher level was earned.
    Upgraded,
    /// A higher level had been earned, and the period ended.
    UpgradedAtPeriodEnd,
    /// The conditions no longer hold.
    Downgraded,
    /// The grace time is over.
    DowngradedAfterGrace,
    /// The period ended below the level.
    DowngradedAtPeriodEnd,
    /// The set's levels have no order, and another one fits.
    Changed,
    /// The rules don't have the level held before any more.
    LevelRemoved,
    /// An override set or limited it.
    Override,
    /// An override ended.
    OverrideEnded,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 10] = [
        Reason::First,
        Reason::Upgraded,
        Reason::UpgradedAtPeriodEnd,
        Reason::Downgraded,
        Reason::DowngradedAfterGrace,
        Reason::DowngradedAtPeriodEnd,
        Reason::Changed,
        Reason::LevelRemoved,
        Reason::Override,
        Reason::OverrideEnded,
    ];

    /// As it is stored and shown: `downgraded after grace`.
    pub fn name(self) -> &'static str {
        match self {
            Reason::First => "first level",
            Reason::Upgraded => "upgraded",
            Reason::UpgradedAtPeriodEnd => "upgraded at period end",
            Reason::Downgraded => "downgraded",
            Reason::DowngradedAfterGrace => "downgraded after grace",
            Reason::DowngradedAtPeriodEnd => "downgraded at period end",
            Reason::Changed => "changed",
            Reason::LevelRemoved => "level removed from the rules",
            Reason::Override => "override",
            Reason::OverrideEnded => "override ended",
        }
    }
}

/// Whether a set holds whatever is earned, so that nothing of earlier runs is needed but for UNKNOWN.
pub fn is_at_once(set: &TierSet) -> bool {
    set.movement == tierd_rules::Movement::AT_ONCE && set.levels.iter().all(|level| level.keep.is_none())
}

/// Applies the movement policy of a set, and overrides, to what was graded.
///
/// `graded` is as [`crate::levels::grade`] gives it, not yet settled by [`Graded::settle`]; `held` has what each subject held
/// before; `overrides` are those in force, ascending by subject.
///
/// A level is supported where its `when` is TRUE, or where the subject is at it or above and its `keep` is TRUE. With
/// `unknown = "keep"`, a subject that would be supported below its level, while a condition above is UNKNOWN, stays as it is:
/// nothing falls, and no grace time or lock begins or ends.
///
/// # Panics
/// If a metric of the set's conditions is absent from `metrics`, or if `held` isn't as long as the subjects are many.
pub fn settle(
    set: &TierSet,
    metrics: &Metrics,
    mut graded: Graded,
    held: &[Held],
    overrides: &[Override],
    clock: &Clock,
) -> Settled {
    assert_eq!(held.len(), graded.earned.len(), "one held level per subject");
    let mut settled = Settled { held: Vec::with_capacity(held.len()), moved: Vec::new(), states: Vec::new() };
    let mut overruled = Overruled::new(set, overrides);
    if !set.ordered {
        graded.settle(|subject| Some(held[subject].state.level).filter(|&level| level != NONE));
        for (subject, (held, &earned)) in held.iter().zip(&graded.earned).enumerate() {
            settled.push(subject as u32, held, policy::change(held.state.level, earned), &mut overruled);
        }
        return settled;
    }
    let policy = Policy::new(&set.movement, clock);
    let mut support = Support::new(set, metrics, &graded, clock);
    for (subject, held) in held.iter().enumerate() {
        let supported = support.of(subject, held.state.level);
        settled.push(subject as u32, held, policy.step(held.state, supported), &mut overruled);
    }
    settled
}

/// The level that the conditions support for a subject which the policy has at `level`: earned, or kept by a `keep` condition.
/// `None` if a condition that might prove more is UNKNOWN, and the set keeps levels then.
pub(crate) fn supported(
    set: &TierSet,
    metrics: &Metrics,
    graded: &Graded,
    subject: usize,
    level: u16,
    clock: &Clock,
) -> Option<u16> {
    match Support::new(set, metrics, graded, clock).of(subject, level) {
        support::Supported::At(level) => Some(level),
        support::Supported::NotKnown => None,
    }
}

/// Where the policy takes a subject, and why if that is another level.
type Step = (PolicyState, Option<Reason>);

impl Settled {
    fn push(&mut self, subject: u32, before: &Held, (state, moved): Step, overruled: &mut Overruled<'_>) {
        let (level, limited) = overruled.level(subject, state.level);
        self.held.push(level);
        if level != before.level {
            self.moved.push((subject, reason(before, &state, moved, level, limited)));
        }
        let kept = |state: PolicyState, level| Some(state).filter(|state| *state != PolicyState::at(level));
        let (now, then) = (kept(state, level), kept(before.state, before.level));
        if now != then || level != before.level && then.is_none() {
            self.states.push((subject, state));
        }
    }
}

/// Why a set that holds whatever is earned ([`is_at_once`]), without overrides, holds another level than before. [`settle`] says the
/// same; this is for a set that was decided without asking what was held.
pub fn reason_at_once(set: &TierSet, was: &Held, now: u16) -> Reason {
    let moved =
        if set.ordered { policy::at_once(was.state.level, now) } else { policy::change(was.state.level, now).1 };
    reason(was, &PolicyState::at(now), moved, now, false)
}

/// Why a level is held that wasn't held before; `limited` where the subject has any override.
fn reason(before: &Held, state: &PolicyState, moved: Option<Reason>, level: u16, limited: bool) -> Reason {
    let was_removed = before.level == NONE && before.since.0 != 0;
    let was_overruled = before.level != before.state.level;
    match moved {
        _ if level != state.level => Reason::Override,
        _ if was_removed => Reason::LevelRemoved,
        Some(moved) if !was_overruled || limited => moved,
        _ => Reason::OverrideEnded,
    }
}

fn rank(level: u16) -> u16 {
    level.wrapping_add(1)
}

fn level_of(rank: u16) -> u16 {
    rank.wrapping_sub(1)
}
