//! Distinct texts as small numbers, so that a row costs a look into a table and never a string comparison.
//!
//! Every scanning thread has its own interner for each text column and takes no lock; ids of two threads are brought
//! together when their accumulators are merged ([`super::FactScan::merge`]). Id 0 is NULL.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// The id of NULL.
pub const NULL_ID: u32 = 0;

/// Texts up to this length are found in the fast table by their bytes alone.
const SHORT: usize = 16;
const FAST_SLOTS: usize = 256;

/// Why a text has no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("text is not valid UTF-8")]
pub struct NotUtf8;

/// A table of distinct texts.
#[derive(Debug)]
pub struct Interner {
    /// All texts, one after the other.
    arena: String,
    /// Where the text of each id ends; that of NULL is empty.
    ends: Vec<usize>,
    ids: HashTable<u32>,
    hasher: FixedState,
    /// Direct-mapped: short texts seen before.
    fast: Box<[FastSlot; FAST_SLOTS]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct FastSlot {
    bytes: u128,
    len: u32,
    id: u32,
}

impl Default for Interner {
    fn default() -> Self {
        Interner {
            arena: String::new(),
            ends: vec![0],
            ids: HashTable::new(),
            hasher: FixedState::default(),
            fast: Box::new([FastSlot::default(); FAST_SLOTS]),
        }
    }
}

impl Interner {
    /// The number of ids given so far, that of NULL included: ids are below it.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no text has been seen.
    pub fn is_empty(&self) -> bool {
        self.len() == 1
    }

    /// The text of an id; `None` for NULL.
    ///
    /// # Panics
    /// If this interner never gave the id.
    pub fn text(&self, id: u32) -> Option<&str> {
        let id = id as usize;
        (id > 0).then(|| &self.arena[self.ends[id - 1]..self.ends[id]])
    }

    /// The id of a text: always the same for the same bytes.
    ///
    /// # Errors
    /// [`NotUtf8`] where the bytes are no UTF-8.
    #[inline]
    pub fn intern(&mut self, text: &[u8]) -> Result<u32, NotUtf8> {
        if text.len() > SHORT {
            return self.intern_slow(text);
        }
        let bytes = pack(text);
        let slot = fast_slot(bytes, text.len());
        let found = self.fast[slot];
        // An unused slot has id 0, which no text has.
        if found.bytes == bytes && found.len == text.len() as u32 && found.id != NULL_ID {
            return Ok(found.id);
        }
        let id = self.intern_slow(text)?;
        self.fast[slot] = FastSlot { bytes, len: text.len() as u32, id };
        Ok(id)
    }

    /// Forgets all texts; ids begin anew.
    pub fn clear(&mut self) {
        *self = Interner::default();
    }

    #[cold]
    fn intern_slow(&mut self, text: &[u8]) -> Result<u32, NotUtf8> {
        let text = str::from_utf8(text).map_err(|_| NotUtf8)?;
        let hash = self.hasher.hash_one(text);
        let (arena, ends) = (&self.arena, &self.ends);
        let at = |id: u32| &arena[ends[id as usize - 1]..ends[id as usize]];
        if let Some(id) = self.ids.find(hash, |&id| at(id) == text) {
            return Ok(*id);
        }
        let id = self.ends.len() as u32;
        self.arena.push_str(text);
        self.ends.push(self.arena.len());
        let (arena, ends, hasher) = (&self.arena, &self.ends, &self.hasher);
        let rehash = |&id: &u32| hasher.hash_one(&arena[ends[id as usize - 1]..ends[id as usize]]);
        self.ids.insert_unique(hash, id, rehash);
        Ok(id)
    }
}

/// Up to 16 bytes as one number; together with the length it names the text.
#[inline]
fn pack(text: &[u8]) -> u128 {
    let word = |part: &[u8]| part.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let half = |part: &[u8]| part.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    // Two loads that overlap cover every length without a loop.
    match text.len() {
        8..=SHORT => (u128::from(word(&text[text.len() - 8..])) << 64) | u128::from(word(text)),
        4..=7 => (u128::from(half(&text[text.len() - 4..])) << 64) | u128::from(half(text)),
        _ => text.iter().fold(0, |packed, &byte| (packed << 8) | u128::from(byte)),
    }
}

#[inline]
fn fast_slot(bytes: u128, len: usize) -> usize {
    let mixed = (bytes as u64 ^ (bytes >> 64) as u64 ^ len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 56) as usize % FAST_SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_the_same_id_whatever_its_length() {
        let mut interner = Interner::default();
        let texts: Vec<String> = (0..40)
            .flat_map(|n| ["", "a", "王", "\0"].map(|c| c.repeat(n)))
            .chain((0..2000).map(|n| n.to_string()))
            .collect();
        let ids: Vec<u32> = texts.iter().map(|t| interner.intern(t.as_bytes()).unwrap()).collect();
        for (text, id) in texts.iter().zip(&ids) {
            assert_eq!(interner.intern(text.as_bytes()), Ok(*id), "{text:?}");
            assert_eq!(interner.text(*id), Some(text.as_str()));
        }
        let mut distinct: Vec<_> = texts.iter().zip(&ids).collect();
        distinct.sort();
        distinct.dedup();
        let mut unique = texts.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(distinct.len(), unique.len());
        assert_eq!(interner.len(), unique.len() + 1);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(Interner::default().intern(b"\xff"), Err(NotUtf8));
    }
}
