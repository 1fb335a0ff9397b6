use crate::key::{KeyRef, Keys};

/// Finds keys that come in ascending order among the keys of a run's subjects, in one pass over both.
pub(super) struct Alignment<'a> {
    keys: Keys<'a>,
    next: usize,
}

impl<'a> Alignment<'a> {
    pub(super) fn new(keys: Keys<'a>) -> Self {
        Alignment { keys, next: 0 }
    }

    /// The index of this key, if it is among them.
    pub(super) fn find(&mut self, key: KeyRef<'_>) -> Option<usize> {
        while self.next < self.keys.len() && self.keys.get(self.next) < key {
            self.next += 1;
        }
        (self.next < self.keys.len() && self.keys.get(self.next) == key).then_some(self.next)
    }
}
