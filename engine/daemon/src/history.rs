//! What earlier runs left, as the ledger has it, in the order of this run's subjects.

use tierd_eval::history::{Held, History, Override, OverrideKind, PolicyState, RuleState};
use tierd_ledger::{OverrideFilter, Reader, Standing};
use tierd_model::Clock;
use tierd_rules::{RetentionRule, RuleId, RuleSet, SubjectId, TierSet, TierSetId, retention::Mode};
use tierd_sources::{Keys, SourceData};

/// A ledger, seen by the keys of what was read.
pub(crate) struct LedgerHistory<'a> {
    ledger: Option<&'a Reader>,
    rules: &'a RuleSet,
    sources: &'a [SourceData],
    clock: &'a Clock,
}

impl<'a> LedgerHistory<'a> {
    /// Without a ledger there is no history.
    pub(crate) fn new(
        ledger: Option<&'a Reader>,
        rules: &'a RuleSet,
        sources: &'a [SourceData],
        clock: &'a Clock,
    ) -> Self {
        LedgerHistory { ledger, rules, sources, clock }
    }

    #[expect(clippy::expect_used, reason = "`needed_subjects` names the subjects of every tier set and rule")]
    fn keys(&self, subject: SubjectId) -> &'a Keys {
        &self.sources.iter().find(|source| source.subject == subject).expect("a kind of subject that was read").keys
    }
}

impl History for LedgerHistory<'_> {
    type Error = tierd_ledger::Error;

    fn held(&self, set: TierSetId) -> Result<Vec<Held>, tierd_ledger::Error> {
        let Some(ledger) = self.ledger else { return Ok(Vec::new()) };
        let set = &self.rules.tier_sets[set.0];
        let keys = LedgerKeys::new(self.keys(set.subject));
        let standings = ledger.standings(&set.name, keys.borrowed(), &level_names(set))?;
        Ok(standings.iter().map(held).collect())
    }

    fn overrides(&self, set: TierSetId) -> Result<Vec<Override>, tierd_ledger::Error> {
        let Some(ledger) = self.ledger else { return Ok(Vec::new()) };
        let set = &self.rules.tier_sets[set.0];
        let (keys, as_of) = (self.keys(set.subject), self.clock.as_of());
        let filter = OverrideFilter { set: Some(&set.name), in_force: Some(as_of), ..OverrideFilter::default() };
        let mut overrides: Vec<Override> =
            ledger.overrides(filter)?.iter().filter_map(|stored| found(set, keys, stored)).collect();
        overrides.sort_by_key(|one| one.subject);
        Ok(overrides)
    }

    fn has_states(&self, set: TierSetId) -> Result<bool, tierd_ledger::Error> {
        self.ledger.map_or(Ok(false), |ledger| ledger.has_states(&self.rules.tier_sets[set.0].name))
    }

    fn hold_for_changed(&self, rule: RuleId) -> Result<bool, tierd_ledger::Error> {
        self.ledger.map_or(Ok(false), |ledger| hold_for_changed(ledger, &self.rules.retention[rule.0]))
    }

    fn rule_states(&self, rule: RuleId) -> Result<Vec<(u32, RuleState)>, tierd_ledger::Error> {
        let Some(ledger) = self.ledger else { return Ok(Vec::new()) };
        let rule = &self.rules.retention[rule.0];
        let keys = LedgerKeys::new(self.keys(rule.subject));
        let states = ledger.rule_states(&rule.name, rule.mode == Mode::Shadow, keys.borrowed())?;
        Ok(states.into_iter().map(|row| (row.subject, rule_state(row.state))).collect())
    }
}

pub(crate) fn held(standing: &Standing) -> Held {
    let state = PolicyState {
        level: standing.policy,
        below_since: standing.below_since,
        locked_until: standing.locked_until,
        decided: standing.decided,
    };
    Held { level: standing.level, since: standing.since, state }
}

pub(crate) fn rule_state(state: tierd_ledger::RuleState) -> RuleState {
    let tierd_ledger::RuleState { entered, acted, last_acted, occurrence } = state;
    RuleState { entered, acted, last_acted, occurrence }
}

/// `None` if the subject has left the data, or the rules no longer have the level.
fn found(set: &TierSet, keys: &Keys, stored: &tierd_ledger::Override) -> Option<Override> {
    in_force(set, keys.find(&stored.key)? as u32, stored)
}

/// An override of this subject (its index); `None` if the rules no longer have the level.
pub(crate) fn in_force(set: &TierSet, subject: u32, stored: &tierd_ledger::Override) -> Option<Override> {
    let level = set.levels.iter().position(|level| level.name == stored.level)? as u16;
    let kind = match stored.kind {
        tierd_ledger::OverrideKind::Pin => OverrideKind::Pin,
        tierd_ledger::OverrideKind::Floor => OverrideKind::Floor,
        tierd_ledger::OverrideKind::Ceiling => OverrideKind::Ceiling,
    };
    Some(Override { subject, kind, level })
}

/// How long entries of a rule have to last, as the ledger records it.
pub(crate) fn hold_for(rule: &RetentionRule) -> String {
    rule.hold_for.map_or_else(String::new, |span| span.to_string())
}

/// Whether that is another time than the one that the ledger has recorded. What isn't recorded is taken for the same.
pub(crate) fn hold_for_changed(ledger: &Reader, rule: &RetentionRule) -> Result<bool, tierd_ledger::Error> {
    Ok(ledger.hold_for(&rule.name)?.is_some_and(|kept| kept != hold_for(rule)))
}

/// The names of a set's levels, lowest first.
pub(crate) fn level_names(set: &TierSet) -> Vec<&str> {
    set.levels.iter().map(|level| level.name.as_str()).collect()
}

/// Keys as the source read them, which the ledger takes by [`LedgerKeys::borrowed`].
pub(crate) enum LedgerKeys<'a> {
    Integer(&'a [i64]),
    Text(Texts<'a>),
}

impl<'a> LedgerKeys<'a> {
    pub(crate) fn new(keys: &'a Keys) -> Self {
        match keys {
            Keys::Integer(keys) => LedgerKeys::Integer(keys),
            Keys::Text(keys) => LedgerKeys::Text(Texts(keys)),
        }
    }

    pub(crate) fn borrowed(&self) -> tierd_ledger::Keys<'_> {
        match self {
            LedgerKeys::Integer(keys) => tierd_ledger::Keys::Integer(keys),
            LedgerKeys::Text(keys) => tierd_ledger::Keys::Text(keys),
        }
    }
}

/// Text keys of the source, as the ledger asks for them.
pub(crate) struct Texts<'a>(&'a tierd_sources::TextKeys);

impl tierd_ledger::TextKeys for Texts<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn key(&self, subject: usize) -> &str {
        self.0.get(subject)
    }
}
