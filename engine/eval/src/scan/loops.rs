//! The loops over a batch: each adds one column to one accumulator of every row's subject, without branches.

use super::{
    accumulators::Targets,
    batch::{BATCH_ROWS, Batch},
    interner::Interner,
    mask::Truth,
    order::Order,
};

/// Values seen through an order.
#[derive(Clone, Copy)]
pub(super) struct Coded<'a> {
    pub(super) order: Order,
    pub(super) values: &'a [i64; BATCH_ROWS],
}

/// What decides between texts of equal time: the smaller is first, the larger last.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    pub(super) texts: &'a Interner,
    pub(super) first: bool,
}

impl<'a> Texts<'a> {
    pub(super) fn of(batch: &'a Batch, column: usize) -> &'a Interner {
        batch.texts(column).unwrap_or_else(|| unreachable!("text accumulators are over text columns"))
    }

    pub(super) fn keep_later(self, words: &mut [u64], word: usize, time: u64, id: u32) {
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

pub(super) fn count(words: &mut [u64], targets: &Targets, word: usize, shift: u32, mask: &Truth) {
    for (&first, &mask) in targets.first_words.iter().zip(mask) {
        let slot = &mut words[first + word];
        *slot = slot.wrapping_add(u64::from(mask) << shift);
    }
}

pub(super) fn extreme(
    words: &mut [u64],
    targets: &Targets,
    word: usize,
    order: Order,
    values: &[i64; BATCH_ROWS],
    mask: &Truth,
) {
    for ((&first, &value), &mask) in targets.first_words.iter().zip(values).zip(mask) {
        let slot = &mut words[first + word];
        *slot = (*slot).max(order.code(value) & u64::from(mask).wrapping_neg());
    }
}

#[expect(clippy::needless_range_loop, reason = "four arrays go in step")]
pub(super) fn latest(words: &mut [u64], targets: &Targets, word: usize, times: Coded, values: Coded, mask: &Truth) {
    for row in 0..BATCH_ROWS {
        let keep = u64::from(mask[row]).wrapping_neg();
        let new = (times.order.code(times.values[row]) & keep, values.order.code(values.values[row]) & keep);
        let at = targets.first_words[row] + word;
        let best = (words[at], words[at + 1]).max(new);
        (words[at], words[at + 1]) = best;
    }
}

pub(super) fn latest_text(
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
