//! Bookings by subject, without comparing any: put in place into blocks of neighbouring subjects, then counted within each block,
//! which is small enough for the cache.

use crate::given::Booked;

/// There are at most 2 to the power of this many blocks: so many places can be written to in turn without missing the cache.
const BLOCK_BITS: u32 = 8;

/// Bookings in blocks of neighbouring subjects.
#[derive(Debug)]
pub struct Grouped<'a> {
    bookings: &'a [Booked],
    /// Where each block ends.
    ends: Vec<usize>,
    subjects: usize,
    shift: u32,
}

impl<'a> Grouped<'a> {
    /// Puts them so. They are left in another order, which means nothing.
    ///
    /// # Panics
    /// If there is a booking of a subject beyond the last.
    pub fn new(bookings: &'a mut [Booked], subjects: usize) -> Self {
        let shift = (usize::BITS - subjects.leading_zeros()).saturating_sub(BLOCK_BITS);
        let ends = into_blocks(bookings, shift, subjects.div_ceil(1 << shift));
        Grouped { bookings, ends, subjects, shift }
    }

    /// How many subjects a block has: a power of two.
    pub fn width(&self) -> usize {
        1 << self.shift
    }

    /// Calls `each` with the bookings of every subject from `first` (of a block) up to `end` (of a block, or of all), one after the
    /// other: also of those that have none.
    pub fn each(&self, first: usize, end: usize, mut each: impl FnMut(&mut [Booked])) {
        let mut block = Block::default();
        for first in (first..end).step_by(self.width()) {
            let number = first >> self.shift;
            let begin = number.checked_sub(1).map_or(0, |before| self.ends[before]);
            let subjects = self.width().min(self.subjects - first);
            block.fill(&self.bookings[begin..self.ends[number]], first, subjects);
            block.each(&mut each);
        }
    }
}

/// Puts the bookings of each block of `1 << shift` subjects together, and tells where each block ends.
fn into_blocks(bookings: &mut [Booked], shift: u32, blocks: usize) -> Vec<usize> {
    let block = |booked: &Booked| (booked.subject >> shift) as usize;
    let mut next = vec![0; blocks];
    bookings.iter().for_each(|booked| next[block(booked)] += 1);
    to_begins(&mut next);
    let ends: Vec<usize> = next.iter().copied().skip(1).chain([bookings.len()]).collect();
    for of in 0..blocks {
        while next[of] < ends[of] {
            let to = block(&bookings[next[of]]);
            bookings.swap(next[of], next[to]);
            next[to] += 1;
        }
    }
    ends
}

/// Counts become the places where each begins.
fn to_begins(counts: &mut [usize]) {
    let mut total = 0;
    counts.iter_mut().for_each(|count| total += std::mem::replace(count, total));
}

/// The bookings of neighbouring subjects. Its memory is used again and again.
#[derive(Default)]
struct Block {
    bookings: Vec<Booked>,
    /// By subject, the end of its part of `bookings`; it begins where the one before ends.
    ends: Vec<usize>,
}

impl Block {
    /// Takes the bookings of so many subjects from `first`.
    fn fill(&mut self, bookings: &[Booked], first: usize, subjects: usize) {
        let Block { bookings: placed, ends } = self;
        let place = |booked: &Booked| booked.subject as usize - first;
        ends.clear();
        ends.resize(subjects, 0);
        bookings.iter().for_each(|booked| ends[place(booked)] += 1);
        to_begins(ends);
        placed.clear();
        placed.extend_from_slice(bookings);
        // Filling moves the begin of each part to its end.
        for booked in bookings {
            let next = &mut ends[place(booked)];
            placed[*next] = *booked;
            *next += 1;
        }
    }

    fn each(&mut self, each: &mut impl FnMut(&mut [Booked])) {
        let mut begin = 0;
        for &end in &self.ends {
            each(&mut self.bookings[begin..end]);
            begin = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use tierd_model::Timestamp;

    use super::*;

    #[test]
    fn every_subject_has_its_own_bookings_however_many_there_are() {
        for subjects in [1, 2, 255, 256, 257, 1000, 70_000] {
            let subject = |amount: u64| (amount * amount * 7919 % subjects as u64) as u32;
            let one = |amount| Booked { subject: subject(amount), booking: 0, at: Timestamp(0), amount: amount as i64 };
            let mut bookings: Vec<Booked> = (1..3000).map(one).collect();
            let mut expected = vec![Vec::new(); subjects];
            bookings.iter().for_each(|booked| expected[booked.subject as usize].push(booked.amount));
            let mut found = Vec::new();
            Grouped::new(&mut bookings, subjects).each(0, subjects, |mine| {
                let mut amounts: Vec<i64> = mine.iter().map(|booked| booked.amount).collect();
                amounts.sort_unstable();
                found.push(amounts);
            });
            assert!(found == expected, "{subjects} subjects");
        }
        Grouped::new(&mut [], 0).each(0, 0, |_| unreachable!("nobody is there"));
    }
}
