//! What the earlier steps of a case left: what a ledger would have stored.

use std::{collections::HashMap, convert::Infallible};

use tierd_eval::{
    evaluate::Outcome,
    given::Given,
    history::{Held, History, Override, OverrideKind, PolicyState, RuleState},
};
use tierd_model::{Clock, Key, Timestamp};
use tierd_rules::{
    RuleId, RuleSet, SubjectId, TierSetId,
    cases::{CaseOverride, CaseOverrideKind},
};

/// Levels and what policies and rules remember, by key: the subjects of a case may change from step to step.
#[derive(Debug, Default)]
pub(crate) struct Past {
    held: HashMap<(TierSetId, Key), Held>,
    rules: HashMap<(RuleId, Key), RuleState>,
}

impl Past {
    /// Keeps what a run found.
    pub(crate) fn take(&mut self, rules: &RuleSet, outcome: &Outcome, clock: &Clock) {
        for set in &outcome.sets {
            let key = &outcome.subjects[set.subject].key;
            let mut states = set.settled.states.iter().peekable();
            for (subject, &level) in set.settled.held.iter().enumerate() {
                let state = states.next_if(|(of, _)| *of as usize == subject).map(|(_, state)| *state);
                let held = self.held.entry((set.set, key(subject))).or_insert(Held::NOTHING);
                *held = after(*held, level, state, clock.as_of());
            }
        }
        for (rule, of) in
            outcome.rules.iter().filter_map(|of| Some((of, outcome.subject(rules.retention[of.rule.0].subject)?)))
        {
            for (subject, state) in &rule.states {
                self.rules.insert((rule.rule, (of.key)(*subject as usize)), *state);
            }
        }
    }

    /// As a run on these subjects asks for it.
    pub(crate) fn of<'a>(
        &'a self,
        rules: &'a RuleSet,
        given: &[Given],
        overrides: &'a [CaseOverride],
        as_of: Timestamp,
    ) -> PastOf<'a> {
        let keys = |given: &Given| (0..given.subjects).map(|index| (given.key)(index)).collect();
        let keys = given.iter().map(|given| (given.subject, keys(given))).collect();
        PastOf { past: self, rules, keys, overrides, as_of }
    }
}

/// What a subject holds after a run. A policy that tells no state has nothing new to remember.
fn after(before: Held, level: u16, state: Option<PolicyState>, as_of: Timestamp) -> Held {
    let remembers = before.state != PolicyState::at(before.level);
    let state = state.unwrap_or(if remembers { before.state } else { PolicyState::at(level) });
    let since = if level == before.level { before.since } else { as_of };
    Held { level, since, state }
}

/// The past as one run asks for it: by the places of its subjects.
pub(crate) struct PastOf<'a> {
    past: &'a Past,
    rules: &'a RuleSet,
    keys: HashMap<SubjectId, Vec<Key>>,
    overrides: &'a [CaseOverride],
    as_of: Timestamp,
}

impl PastOf<'_> {
    fn keys(&self, subject: SubjectId) -> &[Key] {
        self.keys.get(&subject).map_or(&[], Vec::as_slice)
    }
}

impl History for PastOf<'_> {
    type Error = Infallible;

    fn held(&self, set: TierSetId) -> Result<Vec<Held>, Infallible> {
        let keys = self.keys(self.rules.tier_sets[set.0].subject);
        let held = |key: &Key| self.past.held.get(&(set, key.clone())).copied().unwrap_or(Held::NOTHING);
        Ok(keys.iter().map(held).collect())
    }

    fn overrides(&self, set: TierSetId) -> Result<Vec<Override>, Infallible> {
        let in_force = |of: &&CaseOverride| {
            of.set == set
                && of.from.is_none_or(|from| from <= self.as_of)
                && of.until.is_none_or(|end| self.as_of < end)
        };
        let place = |of: &CaseOverride| self.keys(of.who.subject).iter().position(|key| *key == of.who.key);
        let found = self.overrides.iter().filter(in_force).filter_map(|of| {
            let kind = match of.kind {
                CaseOverrideKind::Pin => OverrideKind::Pin,
                CaseOverrideKind::Floor => OverrideKind::Floor,
                CaseOverrideKind::Ceiling => OverrideKind::Ceiling,
            };
            Some(Override { subject: place(of)? as u32, kind, level: of.level })
        });
        let mut found: Vec<Override> = found.collect();
        // Stable: those of one subject stay in the order written.
        found.sort_by_key(|of| of.subject);
        Ok(found)
    }

    fn rule_states(&self, rule: RuleId) -> Result<Vec<(u32, RuleState)>, Infallible> {
        let keys = self.keys(self.rules.retention[rule.0].subject).iter().zip(0..);
        let state = |key: &Key| self.past.rules.get(&(rule, key.clone())).copied();
        let known = keys.filter_map(|(key, subject)| Some((subject, state(key)?)));
        Ok(known.filter(|(_, state)| *state != RuleState::default()).collect())
    }
}
