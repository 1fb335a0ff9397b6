//! Two threads' accumulators become one.

use super::{
    accumulators::Accumulators,
    batch::Batch,
    distinct::Distinct,
    interner::Interner,
    loops::Texts,
    order::Order,
    plan::{FactPlan, OpKind},
    sums::{add_pair, add_word, pair_at},
};

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

impl Accumulators {
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
                OpKind::Distinct { .. } | OpKind::Days { .. } => {}
            }
        }
        self.carries.merge(other.carries);
        self.days.iter_mut().zip(other.days).for_each(|(ours, theirs)| ours.merge(theirs));
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
            carries.note(index, subject, wraps);
        }
    }

    fn merge_pairs(&mut self, index: usize, word: usize, other: &[u64]) {
        let carries = &mut self.carries;
        for subject in 0..self.subjects {
            let at = subject * self.stride + word;
            let wraps = add_pair(&mut self.words, at, pair_at(other, at));
            carries.note(index, subject, wraps);
        }
    }
}
