//! Retention rules: which subjects an entry opens for, and on whom a rule acts in this run.

use tierd_model::{Clock, Date, Timestamp};
use tierd_rules::{RuleId, RuleSet, TierSetId};

use crate::{
    derive::Metrics,
    given::KeyOf,
    history::{Held, RuleState},
};

/// What rules of one kind of subject are decided on.
pub struct Context<'a> {
    /// The rules.
    pub rules: &'a RuleSet,
    /// All metrics of the subjects, levels among them.
    pub metrics: &'a Metrics,
    /// Their keys, for hold-outs.
    pub key: &'a KeyOf,
    /// What subjects held before and hold now, of each set that some trigger names.
    pub sets: &'a dyn Fn(TierSetId) -> SetLevels<'a>,
    /// The run's time.
    pub clock: &'a Clock,
}

/// The levels of one tier set before and after.
#[derive(Debug, Clone, Copy)]
pub struct SetLevels<'a> {
    /// By subject, before this run.
    pub was: &'a [Held],
    /// By subject, from now on.
    pub now: &'a [u16],
}

/// What a run did about one retention rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOutcome {
    /// Which rule.
    pub rule: RuleId,
    /// On whom it acts, ascending by subject.
    pub acts: Vec<Act>,
    /// What it remembers of subjects of which it remembers something else than before, ascending. What equals
    /// [`RuleState::default`] need not be stored.
    pub states: Vec<(u32, RuleState)>,
    /// Subjects in an entry.
    pub entered: u64,
    /// Those of them that wait, by the reason.
    pub waiting: Waiting,
    /// Subjects for whom the condition is UNKNOWN.
    pub unknown: u64,
    /// More subjects than the limit allows, in a rule that holds then: how many; it acts on nobody.
    pub held: Option<u64>,
}

/// How many subjects wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// The entry hasn't lasted as long as `for` asks.
    pub hold_for: u64,
    /// The last action is too recent.
    pub cooldown: u64,
    /// Another rule of the group acts.
    pub group: u64,
    /// The run's limit is used up.
    pub limit: u64,
}

/// One action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// Index of the subject.
    pub subject: u32,
    /// What kind.
    pub kind: ActKind,
    /// When the entry opened.
    pub entered: Timestamp,
    /// The date that it belongs to, of date triggers.
    pub occurrence: Option<Date>,
}

/// Whether an action takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActKind {
    /// It does.
    Acted,
    /// The subject is held out, to measure the effect.
    HeldOut,
    /// The rule is only watched.
    Shadow,
}

/// Decides all rules of one kind of subject together, because those of a group depend on each other.
///
/// `states` has what each rule remembers, as [`crate::history::History::rule_states`] gives it.
///
/// # Panics
/// If a metric of a rule is absent from the context's metrics.
pub fn decide(_context: &Context<'_>, _states: &[(RuleId, Vec<(u32, RuleState)>)]) -> Vec<RuleOutcome> {
    Vec::new()
}
