//! Running sums, counts and extremes of all subjects, in one dense table.
//!
//! A subject is a row of `stride` words; one row more takes what belongs to no known subject, so that the loops need no branch.
//! All zero means "nothing yet" for every accumulator, so that fresh pages of the system serve as they are.
//!
//! Sums wrap. A bound on everything added so far proves, for data of usual size, that none of them has wrapped. Once it can't,
//! each addition is checked and every wrap is kept beside the table ([`Carries`]): sums are exact always, in any order of rows.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::{
    batch::{BATCH_ROWS, Batch},
    distinct::Distinct,
    interner::Interner,
    mask::Truth,
    order::Order,
    plan::{FactPlan, Op, OpKind},
};

/// One, in a sum of reals: 40 binary digits after the point.
const REAL_ONE: f64 = (1u64 << 40) as f64;
/// 2^128 in a sum of reals.
const REAL_WRAP: f64 = (1u128 << 88) as f64;

/// How often an accumulator has wrapped, by accumulator and subject; for counts, what was moved out of their 32 bits.
type Carries = HashMap<(usize, usize), i64, FixedState>;

#[derive(Debug)]
pub(super) struct Accumulators {
    subjects: usize,
    stride: usize,
    words: Vec<u64>,
    distinct: Vec<Distinct>,
    /// For each accumulator, what the size of a sum can't exceed.
    bounds: Vec<u128>,
    carries: Carries,
    /// Rows since counts were last emptied: none of them is larger.
    counted: u64,
}

/// Where the rows of a batch go.
pub(super) struct Targets<'a> {
    pub(super) subjects: &'a [u32; BATCH_ROWS],
    /// First word of each row's subject.
    first_words: [usize; BATCH_ROWS],
}

impl Accumulators {
    pub(super) fn new(plan: &FactPlan, subjects: usize) -> Self {
        let distinct = plan.ops.iter().filter_map(|op| match op.kind {
            OpKind::Distinct { column } => Some(Distinct::new(plan.columns[column].ty)),
            _ => None,
        });
        Accumulators {
            subjects,
            stride: plan.stride,
            words: vec![0; (subjects + 1) * plan.stride],
            distinct: distinct.collect(),
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
            self.take_op(index, op, batch, plan.time, targets, &masks[op.mask]);
        }
    }

    fn take_op(&mut self, index: usize, op: &Op, batch: &Batch, time: usize, targets: &Targets, mask: &Truth) {
        let values = |column: usize| &batch.column(column).values;
        let words = &mut self.words[..];
        match op.kind {
            OpKind::Count { high } => count(words, targets, op.word, u32::from(high) * 32, mask),
            OpKind::Sum { column } => self.sum(index, op.word, targets, values(column), mask),
            OpKind::RealSum { column } => self.real_sum(index, op.word, targets, values(column), mask),
            OpKind::Extreme { column, order } => extreme(words, targets, op.word, order, values(column), mask),
            OpKind::Latest { column, time: time_order, value } => {
                let times = Coded { order: time_order, values: values(time) };
                latest(words, targets, op.word, times, Coded { order: value, values: values(column) }, mask);
            }
            OpKind::LatestText { column, time: order } => {
                let times = Coded { order, values: values(time) };
                let texts = Texts::of(batch, column);
                latest_text(words, targets, op.word, times, values(column), texts, mask);
            }
            OpKind::Distinct { column } => self.distinct[op.word].take(targets.subjects, values(column), mask),
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
            note_carry(&mut self.carries, index, targets.subjects[row] as usize, wraps);
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
                note_carry(&mut self.carries, index, targets.subjects[row] as usize, wraps);
            }
        }
    }

    /// Empties the counts into [`Carries`] before one of them could leave its 32 bits.
    fn make_room_for_counts(&mut self, plan: &FactPlan, rows: u64) {
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
                note_carry(&mut self.carries, index, subject, count as i64);
            }
        }
    }

    /// Adds what another thread has accumulated. `ids` gives, for each text column, this side's id for each of the other's.
    pub(super) fn merge(&mut self, plan: &FactPlan, other: Accumulators, texts: &MergedTexts) {
        self.make_room_for_counts(plan, other.counted);
        for (index, op) in plan.ops.iter().enumerate() {
            self.bounds[index] = self.bounds[index].saturating_add(other.bounds[index]);
            match op.kind {
                OpKind::Count { high } => self.merge_counts(op.word, high, &other.words),
                OpKind::Sum { .. } => self.merge_words(index, op.word, &other.words),
                OpKind::RealSum { .. } => self.merge_pairs(index, op.word, &other.words),
                OpKind::Extreme { .. } => {
                    self.each_word(op.word, |word, words| words[word] = words[word].max(other.words[word]));
                }
                OpKind::Latest { .. } => self.each_word(op.word, |word, words| {
                    let theirs = (other.words[word], other.words[word + 1]);
                    if theirs > (words[word], words[word + 1]) {
                        (words[word], words[word + 1]) = theirs;
                    }
                }),
                OpKind::LatestText { column, time } => {
                    let (ids, texts) = texts.column(column);
                    let texts = Texts { texts, first: time == Order::SmallestTime };
                    self.each_word(op.word, |word, words| {
                        if other.words[word] != 0 {
                            texts.keep_later(words, word, other.words[word], ids[other.words[word + 1] as usize]);
                        }
                    });
                }
                OpKind::Distinct { .. } => {}
            }
        }
        for (index, wraps) in other.carries {
            *self.carries.entry(index).or_default() += wraps;
        }
        self.merge_distinct(plan, other.distinct, texts);
    }

    fn merge_distinct(&mut self, plan: &FactPlan, other: Vec<Distinct>, texts: &MergedTexts) {
        let columns = plan.ops.iter().filter_map(|op| match op.kind {
            OpKind::Distinct { column } => Some(column),
            _ => None,
        });
        for ((set, other), column) in self.distinct.iter_mut().zip(other).zip(columns) {
            set.merge(other, texts.ids(column));
        }
    }

    fn each_word(&mut self, word: usize, mut merge: impl FnMut(usize, &mut [u64])) {
        (0..self.subjects).for_each(|subject| merge(subject * self.stride + word, &mut self.words));
    }

    fn merge_counts(&mut self, word: usize, high: bool, other: &[u64]) {
        let half = u64::from(u32::MAX) << (u32::from(high) * 32);
        self.each_word(word, |word, words| words[word] += other[word] & half);
    }

    fn merge_words(&mut self, index: usize, word: usize, other: &[u64]) {
        let carries = &mut self.carries;
        for subject in 0..self.subjects {
            let at = subject * self.stride + word;
            let wraps = add_word(&mut self.words[at], other[at] as i64);
            note_carry(carries, index, subject, wraps);
        }
    }

    fn merge_pairs(&mut self, index: usize, word: usize, other: &[u64]) {
        let carries = &mut self.carries;
        for subject in 0..self.subjects {
            let at = subject * self.stride + word;
            let wraps = add_pair(&mut self.words, at, pair_at(other, at));
            note_carry(carries, index, subject, wraps);
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
        i128::from(count) + self.carry(index, subject)
    }

    /// An exact sum of a subject.
    #[inline]
    pub(super) fn exact_sum(&self, index: usize, op: &Op, subject: usize) -> i128 {
        i128::from(self.word(subject, op.word) as i64) + (self.carry(index, subject) << 64)
    }

    /// A sum of reals of a subject: exact in fixed point, then the nearest double.
    pub(super) fn real_sum_of(&self, index: usize, op: &Op, subject: usize) -> f64 {
        let below = pair_at(&self.words, subject * self.stride + op.word) as f64 / REAL_ONE;
        match self.carry(index, subject) {
            0 => below,
            wraps => wraps as f64 * REAL_WRAP + below,
        }
    }

    /// How many values of a set each subject has.
    pub(super) fn distinct_counts(&mut self, set: usize) -> Vec<u32> {
        self.distinct[set].counts(self.subjects)
    }

    #[inline]
    fn carry(&self, index: usize, subject: usize) -> i128 {
        if self.carries.is_empty() {
            return 0;
        }
        self.carries.get(&(index, subject)).map_or(0, |wraps| i128::from(*wraps))
    }
}

/// The texts of two threads under one set of ids, by column of the batch.
pub(super) struct MergedTexts<'a> {
    pub(super) ids: Vec<Option<Vec<u32>>>,
    pub(super) batch: &'a Batch,
}

impl MergedTexts<'_> {
    fn ids(&self, column: usize) -> Option<&[u32]> {
        self.ids[column].as_deref()
    }

    fn column(&self, column: usize) -> (&[u32], &Interner) {
        match (self.ids(column), self.batch.texts(column)) {
            (Some(ids), Some(texts)) => (ids, texts),
            _ => unreachable!("text accumulators are over text columns"),
        }
    }
}

/// Values seen through an order.
#[derive(Clone, Copy)]
struct Coded<'a> {
    order: Order,
    values: &'a [i64; BATCH_ROWS],
}

/// What decides between texts of equal time: the smaller is first, the larger last.
#[derive(Clone, Copy)]
struct Texts<'a> {
    texts: &'a Interner,
    first: bool,
}

impl<'a> Texts<'a> {
    fn of(batch: &'a Batch, column: usize) -> &'a Interner {
        batch.texts(column).unwrap_or_else(|| unreachable!("text accumulators are over text columns"))
    }

    fn keep_later(self, words: &mut [u64], word: usize, time: u64, id: u32) {
        let (best, best_id) = (words[word], words[word + 1] as u32);
        let wins_tie = || {
            let (new, old) = (self.texts.text(id), self.texts.text(best_id));
            if self.first { new < old } else { new > old }
        };
        if time > best || (time == best && id != best_id && wins_tie()) {
            words[word] = time;
            words[word + 1] = u64::from(id);
        }
    }
}

fn count(words: &mut [u64], targets: &Targets, word: usize, shift: u32, mask: &Truth) {
    for (&first, &mask) in targets.first_words.iter().zip(mask) {
        let slot = &mut words[first + word];
        *slot = slot.wrapping_add(u64::from(mask) << shift);
    }
}

fn extreme(words: &mut [u64], targets: &Targets, word: usize, order: Order, values: &[i64; BATCH_ROWS], mask: &Truth) {
    for ((&first, &value), &mask) in targets.first_words.iter().zip(values).zip(mask) {
        let slot = &mut words[first + word];
        *slot = (*slot).max(order.code(value) & u64::from(mask).wrapping_neg());
    }
}

#[expect(clippy::needless_range_loop, reason = "four arrays go in step")]
fn latest(words: &mut [u64], targets: &Targets, word: usize, times: Coded, values: Coded, mask: &Truth) {
    for row in 0..BATCH_ROWS {
        let keep = u64::from(mask[row]).wrapping_neg();
        let new = (times.order.code(times.values[row]) & keep, values.order.code(values.values[row]) & keep);
        let at = targets.first_words[row] + word;
        let best = (words[at], words[at + 1]).max(new);
        (words[at], words[at + 1]) = best;
    }
}

fn latest_text(
    words: &mut [u64],
    targets: &Targets,
    word: usize,
    times: Coded,
    ids: &[i64; BATCH_ROWS],
    texts: &Interner,
    mask: &Truth,
) {
    let texts = Texts { texts, first: times.order == Order::SmallestTime };
    for row in (0..BATCH_ROWS).filter(|&row| mask[row] != 0) {
        let time = times.order.code(times.values[row]);
        texts.keep_later(words, targets.first_words[row] + word, time, ids[row] as u32);
    }
}

/// Adds to a word and says how often it wrapped upwards: −1, 0 or 1.
#[inline]
fn add_word(slot: &mut u64, value: i64) -> i64 {
    let (sum, wrapped) = (*slot as i64).overflowing_add(value);
    *slot = sum as u64;
    i64::from(wrapped) * value.signum()
}

/// The same for a number in two words.
#[inline]
fn add_pair(words: &mut [u64], at: usize, value: i128) -> i64 {
    let (sum, wrapped) = pair_at(words, at).overflowing_add(value);
    words[at] = sum as u64;
    words[at + 1] = (sum >> 64) as u64;
    i64::from(wrapped) * value.signum() as i64
}

#[inline]
fn pair_at(words: &[u64], at: usize) -> i128 {
    ((u128::from(words[at + 1]) << 64) | u128::from(words[at])) as i128
}

#[inline]
fn note_carry(carries: &mut Carries, index: usize, subject: usize, wraps: i64) {
    if wraps != 0 {
        *carries.entry((index, subject)).or_default() += wraps;
    }
}

/// A double in fixed point, halves away from zero. Exact but for what lies beyond the last digit.
#[inline]
fn fixed_point(value: f64) -> i128 {
    (value * REAL_ONE).round() as i128
}

#[inline]
fn prefetch(words: &[u64], index: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing and faults on no address; the pointer is only computed, by wrapping arithmetic.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(words.as_ptr().wrapping_add(index).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (words, index);
}
