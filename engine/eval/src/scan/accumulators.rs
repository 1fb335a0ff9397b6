//! Running sums, counts and extremes of all subjects, in one dense table.
//!
//! A subject is a row of `stride` words; one row more takes what belongs to no known subject, so that the loops need no branch.
//! All zero means "nothing yet" for every accumulator, so that fresh pages of the system serve as they are.
//!
//! Sums wrap. A bound on everything added so far proves, for data of usual size, that none of them has wrapped. Once it can't,
//! each addition is checked and every wrap is kept beside the table ([`Carries`]): sums are exact always, in any order of rows.

use tierd_model::Type;

use super::{
    batch::{BATCH_ROWS, Batch},
    days::Days,
    distinct::Distinct,
    loops::{Coded, Texts, count, extreme, latest, latest_text},
    mask::Truth,
    plan::{FactPlan, Op, OpKind},
    prefetch::prefetch,
    sums::{Carries, add_pair, add_word, fixed_point, pair_at, real_of},
};

#[derive(Debug)]
pub(super) struct Accumulators {
    pub(super) subjects: usize,
    pub(super) stride: usize,
    pub(super) words: Vec<u64>,
    pub(super) distinct: Vec<Distinct>,
    pub(super) days: Vec<Days>,
    /// For each accumulator, what the size of a sum can't exceed.
    pub(super) bounds: Vec<u128>,
    pub(super) carries: Carries,
    /// Rows since counts were last emptied: none of them is larger.
    pub(super) counted: u64,
}

/// Where the rows of a batch go.
pub(super) struct Targets<'a> {
    pub(super) subjects: &'a [u32; BATCH_ROWS],
    /// First word of each row's subject.
    pub(super) first_words: [usize; BATCH_ROWS],
}

impl Accumulators {
    pub(super) fn new(plan: &FactPlan, subjects: usize) -> Self {
        let distinct = plan.ops.iter().filter_map(|op| match op.kind {
            OpKind::Distinct { column } => Some(Distinct::new(plan.columns[column].ty)),
            _ => None,
        });
        let days = plan.ops.iter().filter_map(|op| match op.kind {
            OpKind::Days { column } => Some(Days::new(plan.columns[column].ty == Type::Timestamp, subjects)),
            _ => None,
        });
        Accumulators {
            subjects,
            stride: plan.stride,
            words: vec![0; (subjects + 1) * plan.stride],
            distinct: distinct.collect(),
            days: days.collect(),
            bounds: vec![0; plan.ops.len()],
            carries: Carries::default(),
            counted: 0,
        }
    }

    /// The words that a batch will touch, asked for from memory ahead of time.
    ///
    /// # Panics
    /// If a subject's index is larger than the number of subjects.
    pub(super) fn targets<'a>(&self, subjects: &'a [u32; BATCH_ROWS]) -> Targets<'a> {
        let largest = subjects.iter().copied().max().unwrap_or(0);
        assert!(largest as usize <= self.subjects, "a subject index beyond the spare row");
        let first_words = subjects.map(|subject| subject as usize * self.stride);
        for first in first_words {
            prefetch(&self.words, first);
            prefetch(&self.words, first + self.stride.saturating_sub(1));
        }
        Targets { subjects, first_words }
    }

    /// Takes in one batch. `masks` are those of the plan, 1 for rows that count.
    pub(super) fn take(&mut self, plan: &FactPlan, batch: &Batch, targets: &Targets, masks: &[Truth]) {
        self.make_room_for_counts(plan, BATCH_ROWS as u64);
        for (index, op) in plan.ops.iter().enumerate() {
            self.take_op(index, op, batch, plan, targets, &masks[op.mask]);
        }
    }

    fn take_op(&mut self, index: usize, op: &Op, batch: &Batch, plan: &FactPlan, targets: &Targets, mask: &Truth) {
        let values = |column: usize| &batch.column(column).values;
        let words = &mut self.words[..];
        match op.kind {
            OpKind::Count { high } => count(words, targets, op.word, u32::from(high) * 32, mask),
            OpKind::Sum { column } => self.sum(index, op.word, targets, values(column), mask),
            OpKind::RealSum { column } => self.real_sum(index, op.word, targets, values(column), mask),
            OpKind::Extreme { column, order } => extreme(words, targets, op.word, order, values(column), mask),
            OpKind::Latest { column, time: time_order, value } => {
                let times = Coded { order: time_order, values: values(plan.time) };
                latest(words, targets, op.word, times, Coded { order: value, values: values(column) }, mask);
            }
            OpKind::LatestText { column, time: order } => {
                let times = Coded { order, values: values(plan.time) };
                let texts = Texts::of(batch, column);
                latest_text(words, targets, op.word, times, values(column), texts, mask);
            }
            OpKind::Distinct { column } => self.distinct[op.word].take(targets.subjects, values(column), mask),
            OpKind::Days { column } => {
                self.days[op.word].take(targets.subjects, values(column), mask, plan.clock.zone());
            }
        }
    }

    fn sum(&mut self, index: usize, word: usize, targets: &Targets, values: &[i64; BATCH_ROWS], mask: &Truth) {
        // For every value |v| <= (v ^ sign) + 1.
        let size = values.iter().fold(0, |all, &v| all | (v ^ (v >> 63)) as u64);
        let bound = &mut self.bounds[index];
        *bound += (u128::from(size) + 1) * BATCH_ROWS as u128;
        if *bound > i64::MAX as u128 {
            return self.sum_checked(index, word, targets, values, mask);
        }
        for ((&first, &value), &mask) in targets.first_words.iter().zip(values).zip(mask) {
            let slot = &mut self.words[first + word];
            *slot = slot.wrapping_add(value as u64 & u64::from(mask).wrapping_neg());
        }
    }

    #[cold]
    fn sum_checked(&mut self, index: usize, word: usize, targets: &Targets, values: &[i64; BATCH_ROWS], mask: &Truth) {
        for row in (0..BATCH_ROWS).filter(|&row| mask[row] != 0) {
            let slot = &mut self.words[targets.first_words[row] + word];
            let wraps = add_word(slot, values[row]);
            self.carries.note(index, targets.subjects[row] as usize, wraps);
        }
    }

    fn real_sum(&mut self, index: usize, word: usize, targets: &Targets, values: &[i64; BATCH_ROWS], mask: &Truth) {
        let size = values.iter().map(|&bits| f64::from_bits(bits as u64).abs()).fold(0.0, f64::max);
        let added = ((fixed_point(size) as u128) + 1).saturating_mul(BATCH_ROWS as u128);
        self.bounds[index] = self.bounds[index].saturating_add(added);
        let checked = self.bounds[index] > i128::MAX as u128;
        for row in (0..BATCH_ROWS).filter(|&row| mask[row] != 0) {
            let value = fixed_point(f64::from_bits(values[row] as u64));
            let wraps = add_pair(&mut self.words, targets.first_words[row] + word, value);
            if checked {
                self.carries.note(index, targets.subjects[row] as usize, wraps);
            }
        }
    }

    /// Empties the counts into [`Carries`] before one of them could leave its 32 bits.
    pub(super) fn make_room_for_counts(&mut self, plan: &FactPlan, rows: u64) {
        self.counted += rows;
        if self.counted > u64::from(u32::MAX) {
            self.empty_counts(plan);
            self.counted = rows;
        }
    }

    #[cold]
    fn empty_counts(&mut self, plan: &FactPlan) {
        for (index, op) in plan.ops.iter().enumerate() {
            let OpKind::Count { high } = op.kind else { continue };
            let half = u64::from(u32::MAX) << (u32::from(high) * 32);
            for subject in 0..self.subjects {
                let slot = &mut self.words[subject * self.stride + op.word];
                let count = (*slot & half) >> (u32::from(high) * 32);
                *slot &= !half;
                self.carries.note(index, subject, count as i64);
            }
        }
    }

    pub(super) fn subjects(&self) -> usize {
        self.subjects
    }

    /// One word of a subject.
    #[inline]
    pub(super) fn word(&self, subject: usize, word: usize) -> u64 {
        self.words[subject * self.stride + word]
    }

    /// A count of a subject.
    #[inline]
    pub(super) fn count(&self, index: usize, op: &Op, subject: usize) -> i128 {
        let high = op.kind == OpKind::Count { high: true };
        let count = (self.word(subject, op.word) >> (u32::from(high) * 32)) as u32;
        i128::from(count) + self.carries.get(index, subject)
    }

    /// An exact sum of a subject.
    #[inline]
    pub(super) fn exact_sum(&self, index: usize, op: &Op, subject: usize) -> i128 {
        i128::from(self.word(subject, op.word) as i64) + (self.carries.get(index, subject) << 64)
    }

    /// A sum of reals of a subject: exact in fixed point, then the nearest double.
    pub(super) fn real_sum_of(&self, index: usize, op: &Op, subject: usize) -> f64 {
        real_of(pair_at(&self.words, subject * self.stride + op.word), self.carries.get(index, subject))
    }

    /// How many values of a set each subject has.
    pub(super) fn distinct_counts(&mut self, set: usize) -> Vec<u32> {
        self.distinct[set].counts(self.subjects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{scan::mask::Range, testing::clock};

    /// A plan of two counts, which share a word.
    fn plan() -> FactPlan {
        FactPlan {
            clock: clock("2026-03-31", "UTC"),
            columns: vec![],
            scope: 0,
            time: 0,
            known: Range::EMPTY,
            row_filter: None,
            filter_columns: vec![],
            windows: vec![],
            own_windows: vec![],
            filters: vec![],
            tables: vec![],
            others: vec![],
            masks: vec![],
            ops: [false, true].map(|high| Op { kind: OpKind::Count { high }, mask: usize::from(high), word: 0 }).into(),
            stride: 1,
            metrics: vec![],
            bookings: vec![],
            gathers: vec![],
            asked_times: None,
            arguments: vec![],
        }
    }

    #[test]
    fn counts_go_on_beyond_32_bits() {
        let (plan, batch) = (plan(), Batch::new([]));
        let mut all = Accumulators::new(&plan, 2);
        let (low, high) = (u64::from(u32::MAX) - 600, 5);
        all.words[1] = low | (high << 32);
        all.counted = low;
        let masks = [[1; BATCH_ROWS], [0; BATCH_ROWS]];
        for batches in 1..=4 {
            let targets = all.targets(&[1; BATCH_ROWS]);
            all.take(&plan, &batch, &targets, &masks);
            let added = batches * BATCH_ROWS as i128;
            assert_eq!(all.count(0, &plan.ops[0], 1), i128::from(low) + added);
            assert_eq!(all.count(1, &plan.ops[1], 1), i128::from(high));
        }
        let mut other = Accumulators::new(&plan, 2);
        other.words[1] = low;
        other.counted = low;
        let before = all.count(0, &plan.ops[0], 1);
        all.merge(&plan, other, &crate::scan::merge::MergedTexts { ids: vec![], batch: &batch });
        assert_eq!(all.count(0, &plan.ops[0], 1), before + i128::from(low));
        assert_eq!((all.count(1, &plan.ops[1], 1), all.count(0, &plan.ops[0], 0)), (5, 0));
    }
}
