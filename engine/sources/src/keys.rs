//! The keys of all subjects, in ascending order: a subject's index is its place among them.

use tierd_model::{Key, KeyType};

/// Ascending, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// Integers, by value.
    Integer(Vec<i64>),
    /// Texts, byte by byte.
    Text(TextKeys),
}

/// While they are read, keys stand in the order of the table.
impl Keys {
    pub(crate) fn append(&mut self, more: Keys) {
        match (self, more) {
            (Keys::Integer(keys), Keys::Integer(more)) => keys.extend(more),
            (Keys::Text(keys), Keys::Text(more)) => (0..more.len()).for_each(|i| keys.push(more.get(i))),
            _ => unreachable!("keys of one table have one type"),
        }
    }

    /// Whether each is larger than the one before.
    pub(crate) fn is_ascending(&self) -> bool {
        match self {
            Keys::Integer(keys) => keys.is_sorted_by(|a, b| a < b),
            Keys::Text(keys) => (1..keys.len()).all(|i| keys.get(i - 1) < keys.get(i)),
        }
    }

    /// Sorts places by their keys; places of equal keys keep their order.
    pub(crate) fn sort(&self, places: &mut [u32]) {
        match self {
            Keys::Integer(keys) => places.sort_by_key(|&place| keys[place as usize]),
            Keys::Text(keys) => places.sort_by(|&a, &b| keys.get(a as usize).cmp(keys.get(b as usize))),
        }
    }

    pub(crate) fn same(&self, a: u32, b: u32) -> bool {
        match self {
            Keys::Integer(keys) => keys[a as usize] == keys[b as usize],
            Keys::Text(keys) => keys.get(a as usize) == keys.get(b as usize),
        }
    }

    /// The keys at these places.
    pub(crate) fn pick(&self, places: &[u32]) -> Keys {
        match self {
            Keys::Integer(keys) => Keys::Integer(places.iter().map(|&place| keys[place as usize]).collect()),
            Keys::Text(keys) => {
                let mut picked = TextKeys::default();
                places.iter().for_each(|&place| picked.push(keys.get(place as usize)));
                Keys::Text(picked)
            }
        }
    }
}

impl Keys {
    /// These keys in order, each once. Those of another type are left out.
    pub fn sorted(keys: impl IntoIterator<Item = Key>, ty: KeyType) -> Self {
        let (mut integers, mut texts) = (Vec::new(), Vec::new());
        for key in keys {
            match key {
                Key::Integer(key) => integers.push(key),
                Key::Text(key) => texts.push(key),
            }
        }
        integers.sort_unstable();
        integers.dedup();
        texts.sort_unstable();
        texts.dedup();
        match ty {
            KeyType::Integer => Keys::Integer(integers),
            KeyType::Text => {
                let mut sorted = TextKeys::default();
                texts.iter().for_each(|key| sorted.push(key));
                Keys::Text(sorted)
            }
        }
    }

    /// How many subjects there are.
    pub fn len(&self) -> usize {
        match self {
            Keys::Integer(keys) => keys.len(),
            Keys::Text(keys) => keys.len(),
        }
    }

    /// Whether there are no subjects.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of a subject.
    ///
    /// # Panics
    /// If there is no such subject.
    pub fn key(&self, subject: usize) -> Key {
        match self {
            Keys::Integer(keys) => Key::Integer(keys[subject]),
            Keys::Text(keys) => Key::Text(keys.get(subject).into()),
        }
    }

    /// The subject of a key; `None` if there is none.
    pub fn find(&self, key: &Key) -> Option<usize> {
        match (self, key) {
            (Keys::Integer(keys), Key::Integer(key)) => keys.binary_search(key).ok(),
            (Keys::Text(keys), Key::Text(key)) => keys.find(key),
            _ => None,
        }
    }
}

/// Texts, one after the other in one piece of memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextKeys {
    arena: String,
    /// Where each begins, and the end of the last.
    bounds: Vec<usize>,
}

impl Default for TextKeys {
    fn default() -> Self {
        TextKeys { arena: String::new(), bounds: vec![0] }
    }
}

impl TextKeys {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text at this place.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, index: usize) -> &str {
        &self.arena[self.bounds[index]..self.bounds[index + 1]]
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.arena.push_str(text);
        self.bounds.push(self.arena.len());
    }

    pub(crate) fn find(&self, key: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }
}
