//! Bookings by subject, without sorting: counted, then put in their places.

use crate::{given::Booked, scan::prefetch};

/// So many bookings ahead memory is asked for those of the next subjects: they lie anywhere.
const AHEAD: usize = 32;

/// Bookings grouped by subject.
pub(super) struct Grouped<'a> {
    bookings: &'a [Booked],
    /// Indices of `bookings`, by subject.
    order: Vec<u32>,
    /// By subject, the end of its part of `order`; it begins where the one before ends.
    ends: Vec<u32>,
}

impl<'a> Grouped<'a> {
    /// # Panics
    /// If there are more than 2^32 bookings (96 GiB of them), or one of a subject beyond the last.
    pub(super) fn new(bookings: &'a [Booked], subjects: usize) -> Self {
        assert!(u32::try_from(bookings.len()).is_ok(), "bookings are counted in 32 bits");
        // First how many each subject has, then where its part begins; filling moves that to its end.
        let mut ends = vec![0u32; subjects];
        bookings.iter().for_each(|booked| ends[booked.subject as usize] += 1);
        let mut total = 0;
        for place in &mut ends {
            total += std::mem::replace(place, total);
        }
        let mut order = vec![0u32; bookings.len()];
        for (index, booked) in bookings.iter().enumerate() {
            let place = &mut ends[booked.subject as usize];
            order[*place as usize] = index as u32;
            *place += 1;
        }
        Grouped { bookings, order, ends }
    }

    /// Puts the bookings of a subject in place of what `out` holds, in the order in which they came.
    pub(super) fn collect(&self, subject: usize, out: &mut Vec<Booked>) {
        let first = subject.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        let end = self.ends[subject] as usize;
        let mine = &self.order[first..end];
        let coming = &self.order[self.order.len().min(first + AHEAD)..self.order.len().min(end + AHEAD)];
        coming.iter().for_each(|&index| prefetch(self.bookings, index as usize));
        out.clear();
        out.extend(mine.iter().map(|&index| self.bookings[index as usize]));
    }
}
