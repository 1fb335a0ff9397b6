//! Levels held before, in the order of a run's subjects.

use tierd_ledger::{NO_LEVEL, Reader};
use tierd_rules::RuleSet;

use crate::evaluate::{Evaluation, SetResult};

/// The level that each subject of a set holds, by index; [`NO_LEVEL`] where it holds none.
pub(crate) fn levels(
    ledger: &Reader,
    rules: &RuleSet,
    evaluation: &Evaluation,
    set: &SetResult,
) -> Result<Vec<u16>, tierd_ledger::Error> {
    let tier_set = &rules.tier_sets[set.set];
    let names: Vec<&str> = tier_set.levels.iter().map(|level| level.name.as_str()).collect();
    let keys = LedgerKeys::new(&evaluation.subject(set).source.keys);
    ledger.held_levels(&tier_set.name, keys.borrowed(), &names)
}

/// One of them.
pub(crate) fn level(held: &[u16], subject: usize) -> Option<u16> {
    held.get(subject).copied().filter(|&level| level != NO_LEVEL)
}

/// Keys as the source read them, which the ledger takes by [`LedgerKeys::borrowed`].
pub(crate) enum LedgerKeys<'a> {
    Integer(&'a [i64]),
    Text(Texts<'a>),
}

impl<'a> LedgerKeys<'a> {
    pub(crate) fn new(keys: &'a tierd_sources::Keys) -> Self {
        match keys {
            tierd_sources::Keys::Integer(keys) => LedgerKeys::Integer(keys),
            tierd_sources::Keys::Text(keys) => LedgerKeys::Text(Texts(keys)),
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
