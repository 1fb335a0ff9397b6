//! From metrics to levels: the highest level whose condition is TRUE, and what UNKNOWN does.
//!
//! Grading goes in two steps, because what a subject held before comes from the ledger and is rarely needed: [`grade`]
//! finds what the metrics alone prove, and lists the subjects that met UNKNOWN; [`Graded::settle`] asks for the held
//! level of just these, and only in sets that keep it ([`Unknown::Keep`]). A run in which nothing is UNKNOWN never
//! reads a held level.
//!
//! Conditions are truth masks over chunks of subjects. A subject leaves the mask with its first TRUE, so that an
//! UNKNOWN below the level that it has doesn't count.

use arrow_array::{Array, BooleanArray};
use arrow_buffer::BooleanBuffer;
use tierd_model::Clock;
use tierd_rules::{TierSet, Unknown};

use crate::{
    derive::Metrics,
    expr::{chunks, slice, truth},
};

/// What a subject without level has in place of a level's index.
pub const NONE: u16 = u16::MAX;

/// How many subjects an error names.
const NAMED: usize = 10;

/// The levels of all subjects in one tier set.
#[derive(Debug, Clone, PartialEq)]
pub struct Graded {
    /// By subject, the index of its level (lowest is 0) or [`NONE`].
    pub earned: Vec<u16>,
    /// Subjects that met UNKNOWN before any TRUE, in order.
    pub unknown: Vec<UnknownAt>,
    /// By level, how many subjects met UNKNOWN in its condition before any TRUE.
    pub unknown_per_level: Vec<u64>,
    /// What the set does about UNKNOWN.
    pub policy: Unknown,
}

/// A subject whose decision met UNKNOWN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownAt {
    /// Its index.
    pub subject: u32,
    /// The highest level whose condition was UNKNOWN.
    pub level: u16,
}

/// A set that allows no UNKNOWN has met it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("conditions of tier set `{set}` are UNKNOWN for {count} subjects, and the set says `unknown = \"error\"`")]
pub struct UnknownConditions {
    /// The tier set.
    pub set: String,
    /// How many subjects it met.
    pub count: u64,
    /// The first few of them, by index, each with the highest level whose condition was UNKNOWN.
    pub first: Vec<UnknownAt>,
}

/// The level that the metrics prove, for every subject.
///
/// Where a decision met UNKNOWN, `earned` is the proven level for now if the set keeps levels ([`Graded::settle`] has
/// the last word), and the lowest level if the set says so.
///
/// # Errors
/// [`UnknownConditions`] if the set allows no UNKNOWN and there is one, be it in the condition to keep a level above the earned
/// one.
///
/// # Panics
/// If a metric of the set's conditions is absent from `metrics`.
pub fn grade(set: &TierSet, metrics: &Metrics, clock: &Clock) -> Result<Graded, UnknownConditions> {
    grade_rows(set, metrics, 0, metrics.subjects, clock)
}

/// As [`grade`] for `rows` subjects from `first`, which counts as subject 0 of the answer.
pub(crate) fn grade_rows(
    set: &TierSet,
    metrics: &Metrics,
    first: usize,
    rows: usize,
    clock: &Clock,
) -> Result<Graded, UnknownConditions> {
    let mut graded = prove(set, metrics, first, rows, clock);
    if set.unknown == Unknown::Error {
        graded.meet_unknown_keeps(set, metrics, first, rows, clock);
    }
    match set.unknown {
        Unknown::Keep => {}
        Unknown::Lowest => graded.unknown.iter().for_each(|unknown| graded.earned[unknown.subject as usize] = 0),
        Unknown::Error if graded.unknown.is_empty() => {}
        Unknown::Error => {
            let first = graded.unknown.iter().take(NAMED).copied().collect();
            return Err(UnknownConditions { set: set.name.clone(), count: graded.unknown.len() as u64, first });
        }
    }
    Ok(graded)
}

impl Graded {
    /// The subjects whose held level [`Graded::settle`] will ask for.
    pub fn needs_held(&self) -> &[UnknownAt] {
        match self.policy {
            Unknown::Keep => &self.unknown,
            Unknown::Lowest | Unknown::Error => &[],
        }
    }

    /// Keeps the level held where the decision met UNKNOWN and the proven level isn't as high.
    ///
    /// `held` gives a subject's level before this run; `None` if it had none, or one that the set no longer has.
    pub fn settle(&mut self, held: impl Fn(usize) -> Option<u16>) {
        if self.policy != Unknown::Keep {
            return;
        }
        for unknown in &self.unknown {
            let subject = unknown.subject as usize;
            if let Some(level) = held(subject) {
                self.earned[subject] = kept(self.earned[subject], level);
            }
        }
    }
}

/// How many subjects have each of so many levels, lowest first, and how many have none.
pub fn distribution(held: &[u16], levels: usize) -> (Vec<u64>, u64) {
    let mut counts = vec![0; levels];
    let mut none = 0;
    for &level in held {
        match counts.get_mut(usize::from(level)) {
            Some(count) => *count += 1,
            None => none += 1,
        }
    }
    (counts, none)
}

/// The higher of the proven and the held level.
fn kept(proven: u16, held: u16) -> u16 {
    if proven == NONE { held } else { proven.max(held) }
}

/// What the metrics alone prove.
fn prove(set: &TierSet, metrics: &Metrics, first: usize, rows: usize, clock: &Clock) -> Graded {
    let needed: Vec<usize> = set.metrics().into_iter().map(|metric| metric.0).collect();
    let mut graded = Graded {
        earned: Vec::with_capacity(rows),
        unknown: Vec::new(),
        unknown_per_level: vec![0; set.levels.len()],
        policy: set.unknown,
    };
    for (offset, rows) in chunks(rows) {
        let columns = slice(&metrics.columns, &needed, first + offset, rows);
        graded.add(set, rows, |level| set.levels[level].when.as_ref().map(|when| truth(when, &columns, rows, clock)));
    }
    graded
}

impl Graded {
    /// Grades the next `rows` subjects by the verdicts of each level; a level without condition is TRUE.
    fn add(&mut self, set: &TierSet, rows: usize, verdicts: impl Fn(usize) -> Option<BooleanArray>) {
        let first = self.earned.len();
        self.earned.resize(first + rows, NONE);
        // Subjects that no level was TRUE for yet, and those of them that met UNKNOWN.
        let mut open = BooleanBuffer::new_set(rows);
        let mut met = BooleanBuffer::new_unset(rows);
        let mut unknown = Vec::new();
        for level in (0..set.levels.len()).rev() {
            let (holds, not_known) = verdicts(level).map_or_else(|| (open.clone(), None), |verdicts| masks(&verdicts));
            if let Some(not_known) = not_known {
                let here = &open & &not_known;
                self.unknown_per_level[level] += here.count_set_bits() as u64;
                let new = &here & &!&met;
                unknown.extend(new.set_indices_u32().map(|row| (row, level as u16)));
                met |= &here;
            }
            let decided = &open & &holds;
            decided.set_indices().for_each(|row| self.earned[first + row] = level as u16);
            open = &open & &!&decided;
            if !open.has_true() {
                break;
            }
        }
        unknown.sort_unstable();
        self.unknown.extend(unknown.into_iter().map(|(row, level)| UnknownAt { subject: first as u32 + row, level }));
    }
}

impl Graded {
    /// Adds subjects for whom the keep condition of a level above the earned one is UNKNOWN: in a set that allows no UNKNOWN they
    /// must not come to lose a level by it.
    fn meet_unknown_keeps(&mut self, set: &TierSet, metrics: &Metrics, first: usize, rows: usize, clock: &Clock) {
        let keeps = || set.levels.iter().enumerate().filter_map(|(level, of)| Some((level as u16, of.keep.as_ref()?)));
        let needed: Vec<usize> = keeps().flat_map(|(_, keep)| keep.columns()).collect();
        for (offset, rows) in chunks(rows) {
            let columns = slice(&metrics.columns, &needed, first + offset, rows);
            for (level, keep) in keeps() {
                let (_, Some(not_known)) = masks(&truth(keep, &columns, rows, clock)) else { continue };
                let above = |subject: &usize| self.earned[*subject] == NONE || self.earned[*subject] < level;
                let met = not_known.set_indices().map(|row| offset + row).filter(above);
                self.unknown.extend(met.map(|subject| UnknownAt { subject: subject as u32, level }));
            }
        }
        // Of each subject the highest level.
        self.unknown.sort_unstable_by_key(|met| (met.subject, std::cmp::Reverse(met.level)));
        self.unknown.dedup_by_key(|met| met.subject);
    }
}

/// Which verdicts are TRUE, and which are UNKNOWN if any is.
fn masks(verdicts: &BooleanArray) -> (BooleanBuffer, Option<BooleanBuffer>) {
    match verdicts.nulls().filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => (verdicts.values() & nulls.inner(), Some(!nulls.inner())),
        None => (verdicts.values().clone(), None),
    }
}

#[cfg(test)]
mod tests;
