//! Random decisions from a list of random words.
//!
//! Proptest makes and shrinks the words; whoever asks draws from them. A spent list answers 0, and every question is put so that
//! 0 is the simplest answer: shorter lists and smaller words are simpler cases.

/// Words to draw from.
pub(crate) struct Choices<'a> {
    words: std::slice::Iter<'a, u32>,
}

impl<'a> Choices<'a> {
    pub(crate) fn new(words: &'a [u32]) -> Self {
        Choices { words: words.iter() }
    }

    fn word(&mut self) -> u32 {
        self.words.next().copied().unwrap_or(0)
    }

    /// Below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.word() as usize % n.max(1)
    }

    /// From `low` to `high`, both inside.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (i64::from(self.word()) << 16 | i64::from(self.word() & 0xffff)) % (high - low + 1)
    }

    /// One of them; the first is the simplest.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// True in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.word() % 100 >= 100 - percent
    }
}
