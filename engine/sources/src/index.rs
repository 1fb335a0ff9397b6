//! From a fact's subject key to the subject's index.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use tierd_eval::scan::{BATCH_ROWS, VALID};

use crate::keys::{Keys, TextKeys};

/// A table by key takes at most so many entries per subject (32 bytes), else the keys are hashed.
const SPARSE: u128 = 8;

/// Finds subjects by key.
#[derive(Debug)]
pub(crate) struct SubjectIndex<'a> {
    kind: Kind<'a>,
    /// The index of what isn't known: the number of subjects.
    spare: u32,
}

#[derive(Debug)]
enum Kind<'a> {
    /// Integers without gaps from this one on.
    Contiguous(i64),
    /// Integers with few gaps: the index by distance from the first.
    Dense(i64, Vec<u32>),
    Sparse(&'a [i64], HashTable<u32>),
    Text(&'a TextKeys, HashTable<u32>),
}

impl<'a> SubjectIndex<'a> {
    pub(crate) fn new(keys: &'a Keys) -> Self {
        let kind = match keys {
            Keys::Integer(keys) => of_integers(keys),
            Keys::Text(keys) => {
                let hash = |&i: &u32| hash_text(keys.get(i as usize).as_bytes());
                let mut table = HashTable::with_capacity(keys.len());
                for i in 0..keys.len() as u32 {
                    table.insert_unique(hash(&i), i, hash);
                }
                Kind::Text(keys, table)
            }
        };
        SubjectIndex { kind, spare: keys.len() as u32 }
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text(..))
    }

    pub(crate) fn spare(&self) -> u32 {
        self.spare
    }

    /// The subjects of a batch of integer keys. Keys that aren't valid are 0 and belong to nobody.
    pub(crate) fn resolve(&self, keys: &[i64; BATCH_ROWS], flags: &[u8; BATCH_ROWS], out: &mut [u32; BATCH_ROWS]) {
        let rows = out.iter_mut().zip(keys.iter().zip(flags));
        match &self.kind {
            Kind::Contiguous(first) => {
                for (out, (key, flag)) in rows {
                    let distance = key.wrapping_sub(*first) as u64;
                    let known = flag & VALID != 0 && distance < u64::from(self.spare);
                    *out = if known { distance as u32 } else { self.spare };
                }
            }
            Kind::Dense(first, table) => {
                for (out, (key, flag)) in rows {
                    let found = table.get(key.wrapping_sub(*first) as u64 as usize).copied().unwrap_or(self.spare);
                    *out = if flag & VALID != 0 { found } else { self.spare };
                }
            }
            Kind::Sparse(known, table) => {
                for (out, (key, flag)) in rows {
                    let found = table.find(hash_integer(*key), |&i| known[i as usize] == *key).copied();
                    *out = found.filter(|_| flag & VALID != 0).unwrap_or(self.spare);
                }
            }
            Kind::Text(..) => unreachable!("text keys are looked up row by row"),
        }
    }

    /// The subject of a text key.
    #[inline]
    pub(crate) fn find_text(&self, key: &[u8]) -> u32 {
        let Kind::Text(keys, table) = &self.kind else { unreachable!("integer keys are looked up by the batch") };
        let found = table.find(hash_text(key), |&i| keys.get(i as usize).as_bytes() == key);
        found.copied().unwrap_or(self.spare)
    }
}

fn of_integers(keys: &[i64]) -> Kind<'_> {
    let (Some(&first), Some(&last)) = (keys.first(), keys.last()) else {
        return Kind::Contiguous(0);
    };
    let range = (i128::from(last) - i128::from(first)) as u128 + 1;
    let count = keys.len() as u128;
    if range == count {
        return Kind::Contiguous(first);
    }
    if range <= count * SPARSE {
        let mut table = vec![count as u32; range as usize];
        keys.iter().enumerate().for_each(|(i, key)| table[key.wrapping_sub(first) as u64 as usize] = i as u32);
        return Kind::Dense(first, table);
    }
    let hash = |&i: &u32| hash_integer(keys[i as usize]);
    let mut table = HashTable::with_capacity(keys.len());
    for i in 0..keys.len() as u32 {
        table.insert_unique(hash(&i), i, hash);
    }
    Kind::Sparse(keys, table)
}

#[inline]
fn hash_integer(key: i64) -> u64 {
    FixedState::default().hash_one(key)
}

#[inline]
fn hash_text(key: &[u8]) -> u64 {
    FixedState::default().hash_one(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_keys_finds_its_own_and_nothing_else() {
        for keys in [
            vec![],
            vec![7],
            vec![-3, -2, -1, 0, 1],
            vec![-3, 0, 1, 5],
            vec![i64::MIN, -1, 0, 1 << 40, i64::MAX],
            vec![i64::MAX - 2, i64::MAX - 1, i64::MAX],
            (0..2000).map(|i| i * 1_000_003).collect(),
        ] {
            let keys = Keys::Integer(keys);
            let Keys::Integer(list) = &keys else { unreachable!() };
            let index = SubjectIndex::new(&keys);
            let mut probes: Vec<i64> =
                list.iter().flat_map(|k| [*k, k.wrapping_add(1), k.wrapping_sub(1), k.wrapping_mul(3)]).collect();
            probes.extend([0, i64::MIN, i64::MAX]);
            for chunk in probes.chunks(BATCH_ROWS) {
                let mut batch = [0; BATCH_ROWS];
                batch[..chunk.len()].copy_from_slice(chunk);
                let mut out = [0; BATCH_ROWS];
                index.resolve(&batch, &[VALID; BATCH_ROWS], &mut out);
                for (key, found) in chunk.iter().zip(out) {
                    let expected = list.binary_search(key).map_or(list.len() as u32, |i| i as u32);
                    assert_eq!(found, expected, "{key}");
                }
                index.resolve(&batch, &[0; BATCH_ROWS], &mut out);
                assert_eq!(out, [list.len() as u32; BATCH_ROWS]);
            }
        }
    }
}
