//! The level that a subject's conditions support: what it has earned, or may keep.

use arrow_array::{Array, BooleanArray};
use tierd_model::Clock;
use tierd_rules::{TierSet, Unknown};

use super::rank;
use crate::{
    derive::Metrics,
    expr::{CHUNK, slice, truth},
    levels::{Graded, UnknownAt},
};

/// What the conditions say of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Supported {
    /// This level, or [`crate::levels::NONE`].
    At(u16),
    /// A level below the one before is proven, but a condition above it is UNKNOWN, and the set keeps levels then.
    NotKnown,
}

/// The conditions of a set, asked subject by subject in ascending order.
pub(super) struct Support<'a> {
    set: &'a TierSet,
    metrics: &'a Metrics,
    clock: &'a Clock,
    earned: &'a [u16],
    /// Those still to come.
    unknown: &'a [UnknownAt],
    /// Whether UNKNOWN counts as FALSE.
    unknown_is_false: bool,
    /// Metrics that keep conditions read; empty if no level has one.
    needed: Vec<usize>,
    has_keep: bool,
    chunk: Option<Chunk>,
}

/// The verdicts of keep conditions for [`CHUNK`] subjects.
struct Chunk {
    first: usize,
    /// By level; `None` where it has no keep condition of its own.
    keep: Vec<Option<BooleanArray>>,
}

impl<'a> Support<'a> {
    pub(super) fn new(set: &'a TierSet, metrics: &'a Metrics, graded: &'a Graded, clock: &'a Clock) -> Self {
        let keeps = || set.levels.iter().filter_map(|level| level.keep.as_ref());
        Support {
            set,
            metrics,
            clock,
            earned: &graded.earned,
            unknown: &graded.unknown,
            unknown_is_false: set.unknown == Unknown::Lowest,
            needed: keeps().flat_map(|keep| keep.columns()).collect(),
            has_keep: keeps().next().is_some(),
            chunk: None,
        }
    }

    /// What the conditions say of a subject that is at this level.
    pub(super) fn of(&mut self, subject: usize, level: u16) -> Supported {
        let earned = self.earned[subject];
        let not_known = self.not_known(subject);
        if rank(earned) >= rank(level) {
            return Supported::At(earned);
        }
        // Conditions to enter: all levels above the supported one count, because any of them might prove that it doesn't fall.
        let mut frozen = not_known;
        let mut supported = earned;
        if self.has_keep {
            let (kept, keep_not_known) = self.kept(subject, earned, level);
            supported = kept;
            frozen = frozen.max(keep_not_known);
        }
        let stays = rank(supported) < rank(level) && frozen > rank(supported) && !self.unknown_is_false;
        if stays { Supported::NotKnown } else { Supported::At(supported) }
    }

    /// The rank of the highest level whose condition is UNKNOWN for this subject before any is TRUE; 0 for none.
    fn not_known(&mut self, subject: usize) -> u16 {
        match self.unknown {
            [first, rest @ ..] if first.subject as usize == subject => {
                self.unknown = rest;
                rank(first.level)
            }
            _ => 0,
        }
    }

    /// The highest level above `earned` and up to `level` whose keep condition is TRUE (else `earned`), and the rank of the
    /// highest above that whose keep condition is UNKNOWN (else 0).
    fn kept(&mut self, subject: usize, earned: u16, level: u16) -> (u16, u16) {
        let chunk = self.chunk(subject);
        let row = subject - chunk.first;
        let mut not_known = 0;
        for rank in (rank(earned) + 1..=rank(level)).rev() {
            let Some(keep) = &chunk.keep[usize::from(rank - 1)] else { continue };
            if keep.is_null(row) {
                not_known = not_known.max(rank);
            } else if keep.value(row) {
                return (rank - 1, not_known);
            }
        }
        (earned, not_known)
    }

    fn chunk(&mut self, subject: usize) -> &Chunk {
        let first = subject - subject % CHUNK;
        if self.chunk.as_ref().is_none_or(|chunk| chunk.first != first) {
            self.chunk = None;
        }
        let Support { set, metrics, clock, needed, .. } = self;
        self.chunk.get_or_insert_with(|| {
            let rows = CHUNK.min(metrics.subjects - first);
            let columns = slice(&metrics.columns, needed, first, rows);
            let verdicts = |level: &tierd_rules::Level| Some(truth(level.keep.as_ref()?, &columns, rows, clock));
            Chunk { first, keep: set.levels.iter().map(verdicts).collect() }
        })
    }
}
