//! What earlier runs left of one subject.

use tierd_eval::history::{Held, History, Override, RuleState};
use tierd_ledger::{KeyRef, OverrideFilter, Reader};
use tierd_model::{Clock, Key};
use tierd_rules::{RuleId, RuleSet, SubjectId, TierSetId, retention::Mode};

use crate::history;

/// The history of an evaluation of one subject alone: others of its kind aren't there, nor other kinds.
pub(super) struct OneHistory<'a> {
    pub(super) ledger: &'a Reader,
    pub(super) rules: &'a RuleSet,
    pub(super) kind: SubjectId,
    pub(super) key: &'a Key,
    pub(super) clock: &'a Clock,
    /// Sets in which the evaluation of everybody asked what is held, because of others.
    pub(super) asked: &'a [String],
}

impl History for OneHistory<'_> {
    type Error = tierd_ledger::Error;

    fn held(&self, set: TierSetId) -> Result<Vec<Held>, tierd_ledger::Error> {
        let set = &self.rules.tier_sets[set.0];
        if set.subject != self.kind {
            return Ok(Vec::new());
        }
        let standing = self.ledger.standing(&set.name, KeyRef::from(self.key), &history::level_names(set))?;
        Ok(vec![history::held(&standing)])
    }

    fn overrides(&self, set: TierSetId) -> Result<Vec<Override>, tierd_ledger::Error> {
        let set = &self.rules.tier_sets[set.0];
        if set.subject != self.kind {
            return Ok(Vec::new());
        }
        let (key, in_force) = (Some(KeyRef::from(self.key)), Some(self.clock.as_of()));
        let stored = self.ledger.overrides(OverrideFilter { set: Some(&set.name), key, in_force })?;
        Ok(stored.iter().filter_map(|stored| history::in_force(set, 0, stored)).collect())
    }

    /// Also where an evaluation of everybody would ask what is held for other reasons than this subject.
    fn has_states(&self, set: TierSetId) -> Result<bool, tierd_ledger::Error> {
        let name = &self.rules.tier_sets[set.0].name;
        Ok(self.asked.contains(name)
            || self.ledger.has_states(name)?
            || self.ledger.has_overrides(name, self.clock.as_of())?)
    }

    fn hold_for_changed(&self, rule: RuleId) -> Result<bool, tierd_ledger::Error> {
        history::hold_for_changed(self.ledger, &self.rules.retention[rule.0])
    }

    fn rule_states(&self, rule: RuleId) -> Result<Vec<(u32, RuleState)>, tierd_ledger::Error> {
        if self.rules.retention[rule.0].subject != self.kind {
            return Ok(Vec::new());
        }
        let state = rule_state(self.rules, Some(self.ledger), rule, self.key)?;
        Ok(if state == RuleState::default() { Vec::new() } else { vec![(0, state)] })
    }
}

/// What a rule remembers of one subject.
pub(super) fn rule_state(
    rules: &RuleSet,
    ledger: Option<&Reader>,
    rule: RuleId,
    key: &Key,
) -> Result<RuleState, tierd_ledger::Error> {
    let Some(ledger) = ledger else { return Ok(RuleState::default()) };
    let rule = &rules.retention[rule.0];
    let state = ledger.rule_state(&rule.name, rule.mode == Mode::Shadow, KeyRef::from(key))?;
    Ok(history::rule_state(state))
}
