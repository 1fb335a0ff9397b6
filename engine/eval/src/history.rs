//! What earlier runs left, as far as this one depends on it. Where it is kept is for others to know: the ledger, or a test.

use std::convert::Infallible;

use tierd_model::{Date, Timestamp};
use tierd_rules::{RuleId, TierSetId};

use crate::levels::NONE;

/// Answers what earlier runs left. Subjects are indices in the order of keys of this run's data.
pub trait History {
    /// Why it can't answer.
    type Error;

    /// What each subject holds in a tier set, by subject; those beyond the end of the answer hold nothing.
    ///
    /// # Errors
    /// Where the state can't be read.
    fn held(&self, set: TierSetId) -> Result<Vec<Held>, Self::Error>;

    /// Overrides of a tier set that are in force at `as_of`, ascending by subject; of one subject in the order in which they were made.
    ///
    /// # Errors
    /// Where the state can't be read.
    fn overrides(&self, set: TierSetId) -> Result<Vec<Override>, Self::Error>;

    /// Whether the [`PolicyState`] of some subject in a tier set says more than the level that it holds, because of an override
    /// that may have ended, say. Where it doesn't, a set that moves at once is decided without asking what is held.
    ///
    /// # Errors
    /// Where the state can't be read.
    fn has_states(&self, _set: TierSetId) -> Result<bool, Self::Error> {
        Ok(true)
    }

    /// Whether the rule's `for` is another one than in the last run that decided it, one that was added or taken away included. Entries
    /// in which the rule hasn't acted then begin anew.
    ///
    /// # Errors
    /// Where the state can't be read.
    fn hold_for_changed(&self, _rule: RuleId) -> Result<bool, Self::Error> {
        Ok(false)
    }

    /// What a retention rule remembers in its present mode, ascending by subject; nothing of subjects with [`RuleState::default`].
    ///
    /// # Errors
    /// Where the state can't be read.
    fn rule_states(&self, rule: RuleId) -> Result<Vec<(u32, RuleState)>, Self::Error>;
}

/// Where there has been no run yet.
#[derive(Debug, Clone, Copy)]
pub struct NoHistory;

impl History for NoHistory {
    type Error = Infallible;

    fn held(&self, _: TierSetId) -> Result<Vec<Held>, Infallible> {
        Ok(Vec::new())
    }

    fn overrides(&self, _: TierSetId) -> Result<Vec<Override>, Infallible> {
        Ok(Vec::new())
    }

    fn rule_states(&self, _: RuleId) -> Result<Vec<(u32, RuleState)>, Infallible> {
        Ok(Vec::new())
    }
}

/// What a subject holds in a tier set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its level, overrides included, or [`NONE`]; also where the rules have the level no longer.
    pub level: u16,
    /// The `as_of` of the run that gave it; 0 where the subject has none, so that [`NONE`] with a time is a level that the rules
    /// have no longer.
    pub since: Timestamp,
    /// What the movement policy remembers; [`PolicyState::at`] the level where nothing is kept.
    pub state: PolicyState,
}

impl Held {
    /// A subject that has never had a level.
    pub const NOTHING: Held = Held { level: NONE, since: Timestamp(0), state: PolicyState::at(NONE) };
}

/// What a movement policy remembers of a subject from run to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyState {
    /// The level that the policy gives, without overrides, or [`NONE`].
    pub level: u16,
    /// The run's day since which the subject has been below `level` without a break, where there is a grace time or something
    /// else made it wait.
    pub below_since: Option<Date>,
    /// The first day on which the level may be lost.
    pub locked_until: Option<Date>,
    /// The first day of the period in which the level was last decided, where the policy moves at period ends.
    pub decided: Option<Date>,
}

impl PolicyState {
    /// A level with nothing to remember.
    pub const fn at(level: u16) -> Self {
        PolicyState { level, below_since: None, locked_until: None, decided: None }
    }
}

/// A person's decision that overrules the rules for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Override {
    /// Index of the subject.
    pub subject: u32,
    /// What it does.
    pub kind: OverrideKind,
    /// Index of the level.
    pub level: u16,
}

/// What an override does. Of several on one subject the last pin wins; without pin, the highest floor, then the lowest ceiling.
/// Levels without order have no floors and ceilings: there, only pins count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverrideKind {
    /// Exactly this level.
    Pin,
    /// At least this level.
    Floor,
    /// At most this level.
    Ceiling,
}

/// What a retention rule remembers of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RuleState {
    /// The `as_of` of the run that opened the entry; `None` outside of one.
    pub entered: Option<Timestamp>,
    /// Whether the rule has acted in this entry (or counted the subject as held out).
    pub acted: bool,
    /// The last time that it acted at all: for cool-down and follow-ups.
    pub last_acted: Option<Timestamp>,
    /// The date that the last action of a date trigger belonged to.
    pub occurrence: Option<Date>,
}
