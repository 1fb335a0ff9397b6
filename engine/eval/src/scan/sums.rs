//! Exact addition in words that may wrap.
//!
//! A wrap isn't lost: it is counted beside the words ([`Carries`]), and a sum is its word plus its wraps.

use std::collections::HashMap;

use foldhash::fast::FixedState;

/// One, in a sum of reals: 40 binary digits after the point.
const REAL_ONE: f64 = (1u64 << 40) as f64;
/// 2^128 in a sum of reals.
const REAL_WRAP: f64 = (1u128 << 88) as f64;

/// How often accumulators have wrapped, by accumulator and subject; for counts, what was moved out of their 32 bits.
#[derive(Debug, Default)]
pub(super) struct Carries(HashMap<(usize, usize), i64, FixedState>);

impl Carries {
    #[inline]
    pub(super) fn note(&mut self, accumulator: usize, subject: usize, wraps: i64) {
        if wraps != 0 {
            *self.0.entry((accumulator, subject)).or_default() += wraps;
        }
    }

    #[inline]
    pub(super) fn get(&self, accumulator: usize, subject: usize) -> i128 {
        if self.0.is_empty() {
            return 0;
        }
        self.0.get(&(accumulator, subject)).map_or(0, |wraps| i128::from(*wraps))
    }

    pub(super) fn merge(&mut self, other: Carries) {
        other.0.into_iter().for_each(|((accumulator, subject), wraps)| self.note(accumulator, subject, wraps));
    }
}

/// Adds to a word and says how often it wrapped upwards: −1, 0 or 1.
#[inline]
pub(super) fn add_word(slot: &mut u64, value: i64) -> i64 {
    let (sum, wrapped) = (*slot as i64).overflowing_add(value);
    *slot = sum as u64;
    i64::from(wrapped) * value.signum()
}

/// The same for a number in two words.
#[inline]
pub(super) fn add_pair(words: &mut [u64], at: usize, value: i128) -> i64 {
    let (sum, wrapped) = pair_at(words, at).overflowing_add(value);
    words[at] = sum as u64;
    words[at + 1] = (sum >> 64) as u64;
    i64::from(wrapped) * value.signum() as i64
}

#[inline]
pub(super) fn pair_at(words: &[u64], at: usize) -> i128 {
    ((u128::from(words[at + 1]) << 64) | u128::from(words[at])) as i128
}

/// A double in fixed point, halves away from zero. Exact but for what lies beyond the last digit.
#[inline]
pub(crate) fn fixed_point(value: f64) -> i128 {
    (value * REAL_ONE).round() as i128
}

/// The nearest double of a sum in fixed point that has wrapped so often.
pub(crate) fn real_of(sum: i128, wraps: i128) -> f64 {
    let below = sum as f64 / REAL_ONE;
    if wraps == 0 { below } else { wraps as f64 * REAL_WRAP + below }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_and_its_wraps_are_the_sum() {
        let values = [i64::MAX, i64::MAX, 1, i64::MIN, i64::MIN, i64::MIN, -1, i64::MAX, 5];
        let (mut word, mut carries) = (0, Carries::default());
        for (done, &value) in values.iter().enumerate() {
            carries.note(0, 0, add_word(&mut word, value));
            let sum: i128 = values[..=done].iter().map(|&v| i128::from(v)).sum();
            assert_eq!(i128::from(word as i64) + (carries.get(0, 0) << 64), sum, "{:?}", &values[..=done]);
        }
    }

    #[test]
    fn two_words_wrap_at_128_bits() {
        let mut words = [7, 0, 0, 7];
        assert_eq!(add_pair(&mut words, 1, i128::MAX), 0);
        assert_eq!(add_pair(&mut words, 1, 1), 1);
        assert_eq!(add_pair(&mut words, 1, -1), -1);
        assert_eq!((pair_at(&words, 1), words[0], words[3]), (i128::MAX, 7, 7));
    }
}
