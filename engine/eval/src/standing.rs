//! Where subjects stand in a tier set, as columns that conditions can read: `tier.value`, `was.value`, `since.value`.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, StringArray};
use tierd_model::Clock;
use tierd_rules::TierSet;

use crate::history::Held;

/// The names of these levels (text); NULL for none.
pub(crate) fn names(set: &TierSet, levels: impl Iterator<Item = u16>) -> ArrayRef {
    let name = |level: u16| set.levels.get(usize::from(level)).map(|level| level.name.as_str());
    Arc::new(levels.map(name).collect::<StringArray>())
}

/// The days since which levels are held (date); NULL where there is none.
pub(crate) fn since(set: &TierSet, held: &[Held], clock: &Clock) -> ArrayRef {
    let day = |held: &Held| {
        let has_level = usize::from(held.level) < set.levels.len();
        has_level.then(|| clock.zone().date_of(held.since).0)
    };
    Arc::new(held.iter().map(day).collect::<Date32Array>())
}
