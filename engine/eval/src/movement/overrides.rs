//! Overrides, on top of the level that the policy gives.

use tierd_rules::TierSet;

use super::{level_of, rank};
use crate::history::{Override, OverrideKind};

/// Overrides of a set, asked about subject by subject in ascending order.
pub(super) struct Overruled<'a> {
    rest: &'a [Override],
    levels: usize,
    ordered: bool,
}

impl<'a> Overruled<'a> {
    pub(super) fn new(set: &TierSet, overrides: &'a [Override]) -> Self {
        Overruled { rest: overrides, levels: set.levels.len(), ordered: set.ordered }
    }

    /// What a subject holds to which the policy gives this level, and whether it has any override. Overrides to levels that
    /// the set doesn't have count for nothing.
    pub(super) fn level(&mut self, subject: u32, level: u16) -> (u16, bool) {
        if self.rest.first().is_none_or(|next| next.subject > subject) {
            return (level, false);
        }
        let skipped = self.rest.partition_point(|other| other.subject < subject);
        let (mine, rest) =
            self.rest[skipped..].split_at(self.rest[skipped..].partition_point(|o| o.subject == subject));
        self.rest = rest;
        let levels = self.levels;
        let known = |kind| mine.iter().filter(move |o| o.kind == kind && usize::from(o.level) < levels);
        if let Some(pin) = known(OverrideKind::Pin).next_back() {
            return (pin.level, true);
        }
        if !self.ordered {
            return (level, false);
        }
        let floor = known(OverrideKind::Floor).map(|o| rank(o.level)).max().unwrap_or(0);
        let ceiling = known(OverrideKind::Ceiling).map(|o| rank(o.level)).min().unwrap_or(u16::MAX);
        (level_of(rank(level).max(floor).min(ceiling)), !mine.is_empty())
    }
}
