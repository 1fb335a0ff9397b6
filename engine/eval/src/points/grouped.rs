//! Bookings by subject, without comparing any: put in place into blocks of neighbouring subjects, then counted within each block,
//! which is small enough for the cache.

use crate::given::Booked;

/// There are at most 2 to the power of this many blocks: so many places can be written to in turn without missing the cache.
const BLOCK_BITS: u32 = 8;

/// Calls `each` with the bookings of every subject, one after the other: also of those that have none. The bookings are left in
/// another order.
///
/// # Panics
/// If there is a booking of a subject beyond the last.
pub(super) fn by_subject(bookings: &mut [Booked], subjects: usize, mut each: impl FnMut(&mut [Booked])) {
    let shift = (usize::BITS - subjects.leading_zeros()).saturating_sub(BLOCK_BITS);
    let width = 1 << shift;
    let ends = into_blocks(bookings, shift, subjects.div_ceil(width));
    let (mut begin, mut block) = (0, Block::default());
    for (first, end) in (0..subjects).step_by(width).zip(ends) {
        block.fill(&bookings[begin..end], first, width.min(subjects - first));
        block.each(&mut each);
        begin = end;
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
            by_subject(&mut bookings, subjects, |mine| {
                let mut amounts: Vec<i64> = mine.iter().map(|booked| booked.amount).collect();
                amounts.sort_unstable();
                found.push(amounts);
            });
            assert!(found == expected, "{subjects} subjects");
        }
        by_subject(&mut [], 0, |_| unreachable!("nobody is there"));
    }
}
