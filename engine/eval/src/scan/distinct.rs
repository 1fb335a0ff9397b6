//! Which values each subject has: pairs, sorted and deduplicated whenever they have doubled.

use tierd_model::Type;

/// Pairs are compacted from this many on.
const FIRST_COMPACTION: usize = 1 << 16;

/// A set of (subject, value).
#[derive(Debug)]
pub(super) enum Distinct {
    /// Values of 32 bits: text ids, days, truths.
    Narrow(Pairs<u64>),
    /// Values of 64 bits.
    Wide(Pairs<u128>),
}

/// Pairs as numbers: the subject above, the value below.
#[derive(Debug)]
pub(super) struct Pairs<K> {
    keys: Vec<K>,
    compact_at: usize,
}

impl Distinct {
    pub(super) fn new(ty: Type) -> Self {
        match ty {
            Type::Text | Type::Date | Type::Bool => Distinct::Narrow(Pairs::default()),
            Type::Integer | Type::Decimal(_) | Type::Real | Type::Timestamp => Distinct::Wide(Pairs::default()),
        }
    }

    /// Adds the pairs of all rows of a mask.
    pub(super) fn take(&mut self, subjects: &[u32], values: &[i64], mask: &[u8]) {
        let rows = || subjects.iter().zip(values).zip(mask).filter(|(_, mask)| **mask != 0).map(|(pair, _)| pair);
        match self {
            Distinct::Narrow(pairs) => pairs.extend(rows().map(|(&subject, &value)| narrow(subject, value as u32))),
            Distinct::Wide(pairs) => {
                pairs.extend(rows().map(|(&subject, &value)| (u128::from(subject) << 64) | u128::from(value as u64)));
            }
        }
    }

    /// Adds another set, whose text ids become `ids[id]`.
    pub(super) fn merge(&mut self, other: Distinct, ids: Option<&[u32]>) {
        match (self, other) {
            (Distinct::Narrow(pairs), Distinct::Narrow(other)) => match ids {
                Some(ids) => {
                    let renamed = |key: u64| narrow((key >> 32) as u32, ids[key as u32 as usize]);
                    pairs.extend(other.keys.into_iter().map(renamed));
                }
                None => pairs.extend(other.keys.into_iter()),
            },
            (Distinct::Wide(pairs), Distinct::Wide(other)) => pairs.extend(other.keys.into_iter()),
            _ => unreachable!("one plan gives both sets the same type"),
        }
    }

    /// How many values each of so many subjects has.
    pub(super) fn counts(&mut self, subjects: usize) -> Vec<u32> {
        // The slot for unknown subjects is left out.
        let mut counts = vec![0; subjects + 1];
        match self {
            Distinct::Narrow(pairs) => pairs.sorted().iter().for_each(|key| counts[(key >> 32) as usize] += 1),
            Distinct::Wide(pairs) => pairs.sorted().iter().for_each(|key| counts[(key >> 64) as usize] += 1),
        }
        counts.truncate(subjects);
        counts
    }
}

fn narrow(subject: u32, value: u32) -> u64 {
    (u64::from(subject) << 32) | u64::from(value)
}

impl<K> Default for Pairs<K> {
    fn default() -> Self {
        Pairs { keys: Vec::new(), compact_at: FIRST_COMPACTION }
    }
}

impl<K: Ord + Copy> Pairs<K> {
    fn extend(&mut self, keys: impl Iterator<Item = K>) {
        self.keys.extend(keys);
        if self.keys.len() >= self.compact_at {
            self.sorted();
            self.compact_at = FIRST_COMPACTION.max(self.keys.len() * 2);
        }
    }

    fn sorted(&mut self) -> &[K] {
        self.keys.sort_unstable();
        self.keys.dedup();
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compaction_keeps_every_pair_once() {
        let (subjects, values): (Vec<u32>, Vec<i64>) = (0..200_000).map(|i| (i % 7, i64::from(i % 21))).unzip();
        let mask: Vec<u8> = (0..200_000).map(|i| u8::from(i % 5 != 0)).collect();
        for ty in [Type::Integer, Type::Date] {
            let mut set = Distinct::new(ty);
            for start in (0..200_000).step_by(512) {
                let rows = start..(start + 512).min(200_000);
                set.take(&subjects[rows.clone()], &values[rows.clone()], &mask[rows]);
            }
            assert_eq!(set.counts(8), [3, 3, 3, 3, 3, 3, 3, 0], "{ty}");
        }
    }
}
