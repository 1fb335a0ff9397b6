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
    ledger.held_levels(&tier_set.name, keys(&evaluation.subject(set).source.keys), &names)
}

/// One of them.
pub(crate) fn level(held: &[u16], subject: usize) -> Option<u16> {
    held.get(subject).copied().filter(|&level| level != NO_LEVEL)
}

/// Keys as the source read them, as the ledger takes them.
pub(crate) fn keys(keys: &tierd_sources::Keys) -> tierd_ledger::Keys<'_> {
    match keys {
        tierd_sources::Keys::Integer(keys) => tierd_ledger::Keys::Integer(keys),
        tierd_sources::Keys::Text(keys) => tierd_ledger::Keys::Text(keys),
    }
}
