//! Groups of rules: one action per subject and run.

use std::{cmp::Reverse, collections::BTreeMap};

use tierd_rules::retention::Mode;

use super::entry::Draft;

/// Takes from each live rule of a group the candidates that a rule of higher priority has; of equal ones the first by name has
/// them. Rules that are only watched neither take nor lose.
pub(super) fn settle(drafts: &mut [Draft<'_>], subjects: usize) {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, Draft { of, .. }) in drafts.iter().enumerate().filter(|(_, draft)| draft.of.mode == Mode::Live) {
        if let Some(group) = &of.group {
            groups.entry(group).or_default().push(index);
        }
    }
    for mut group in groups.into_values() {
        // Rules are in the order of their names.
        group.sort_by_key(|&index| (Reverse(drafts[index].of.priority), drafts[index].rule));
        let mut taken = vec![false; subjects];
        group.into_iter().for_each(|index| take(&mut drafts[index], &mut taken));
    }
}

fn take(draft: &mut Draft<'_>, taken: &mut [bool]) {
    let Draft { known, candidates, waiting, .. } = draft;
    let before = candidates.len();
    candidates.retain(|&candidate| !std::mem::replace(&mut taken[known[candidate].subject as usize], true));
    waiting.group = (before - candidates.len()) as u64;
}
