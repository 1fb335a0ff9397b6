//! On which days something happened to each subject: the gaps between them are its own cycle.
//!
//! Pairs of subject and day are collected row by row and laid out by subject in one counting sort, which costs less than sorting
//! them all and needs no table of subjects while reading. Where rows repeat days, pairs are laid out and made distinct in
//! between, so that memory follows the distinct days and not the rows.

use std::cell::OnceCell;

use tierd_model::{Timestamp, Zone};

/// Pairs are made distinct from this many on.
const FIRST_COMPACTION: usize = 1 << 20;

/// Subjects and days, collected by one or several threads.
#[derive(Debug)]
pub(super) struct Days {
    /// Days of instants, or days as they are.
    timestamps: bool,
    subjects: usize,
    pairs: Vec<Pair>,
    compact_at: usize,
    /// What other threads have collected.
    others: Vec<Vec<Pair>>,
    /// Once nothing is added any more.
    by_subject: OnceCell<DaysBySubject>,
}

#[derive(Debug, Clone, Copy)]
struct Pair {
    subject: u32,
    day: i32,
}

impl Days {
    pub(super) fn new(timestamps: bool, subjects: usize) -> Self {
        let compact_at = FIRST_COMPACTION.max(4 * subjects);
        Days { timestamps, subjects, pairs: Vec::new(), compact_at, others: Vec::new(), by_subject: OnceCell::new() }
    }

    /// Adds the pairs of all rows of a mask; unknown subjects have no days.
    pub(super) fn take(&mut self, subjects: &[u32], values: &[i64], mask: &[u8], zone: &Zone) {
        let known = self.subjects as u32;
        let rows = subjects.iter().zip(values).zip(mask);
        let counted = rows.filter(|((subject, _), mask)| **mask != 0 && **subject < known).map(|(row, _)| row);
        let day = |value| if self.timestamps { zone.date_of(Timestamp(value)).0 } else { value as i32 };
        self.pairs.extend(counted.map(|(&subject, &value)| Pair { subject, day: day(value) }));
        if self.pairs.len() >= self.compact_at {
            self.compact();
        }
    }

    pub(super) fn merge(&mut self, other: Days) {
        self.others.push(other.pairs);
        self.others.extend(other.others);
    }

    #[cold]
    fn compact(&mut self) {
        let by_subject = DaysBySubject::new(&[&self.pairs], self.subjects);
        self.pairs.clear();
        for subject in 0..self.subjects {
            let pair = |&day| Pair { subject: subject as u32, day };
            self.pairs.extend(by_subject.of(subject).iter().map(pair));
        }
        self.compact_at = self.compact_at.max(2 * self.pairs.len());
    }

    /// The distinct days of each subject; nothing is added from here on.
    pub(super) fn by_subject(&self) -> &DaysBySubject {
        self.by_subject.get_or_init(|| {
            let mut parts: Vec<&[Pair]> = self.others.iter().map(Vec::as_slice).collect();
            parts.push(&self.pairs);
            DaysBySubject::new(&parts, self.subjects)
        })
    }
}

/// Days of all subjects, one after the other; each subject's ascending, each once.
#[derive(Debug)]
pub(super) struct DaysBySubject {
    /// Where each subject's days begin.
    starts: Vec<usize>,
    /// Where they end: repeated ones have left a gap before the next subject's.
    ends: Vec<usize>,
    days: Vec<i32>,
}

impl DaysBySubject {
    fn new(parts: &[&[Pair]], subjects: usize) -> Self {
        let pairs = || parts.iter().flat_map(|part| part.iter());
        let mut ends = vec![0; subjects];
        pairs().for_each(|pair| ends[pair.subject as usize] += 1);
        let mut total = 0;
        for end in &mut ends {
            // For now, where the next of the subject's days goes.
            total += std::mem::replace(end, total);
        }
        let starts = ends.clone();
        let mut days = vec![0; total];
        for pair in pairs() {
            let next = &mut ends[pair.subject as usize];
            days[*next] = pair.day;
            *next += 1;
        }
        for (&start, end) in starts.iter().zip(&mut ends) {
            *end = start + sort_distinct(&mut days[start..*end]);
        }
        DaysBySubject { starts, ends, days }
    }

    /// A subject's days, ascending, each once.
    pub(super) fn of(&self, subject: usize) -> &[i32] {
        &self.days[self.starts[subject]..self.ends[subject]]
    }
}

/// Sorts, moves distinct days to the front, and says how many there are.
fn sort_distinct(days: &mut [i32]) -> usize {
    days.sort_unstable();
    let mut distinct = 0;
    for at in 0..days.len() {
        if distinct == 0 || days[at] != days[distinct - 1] {
            days[distinct] = days[at];
            distinct += 1;
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_distinct_and_in_order_however_often_pairs_are_compacted() {
        let zone = Zone::utc();
        let whole = || Days { compact_at: 100, ..Days::new(false, 3) };
        let (mut days, mut other) = (whole(), whole());
        for i in 0..5000i64 {
            let into = if i % 3 == 0 { &mut other } else { &mut days };
            // Subject 3 isn't known, and every seventh row doesn't count.
            into.take(&[(i % 4) as u32], &[i * 31 % 60 - 30], &[u8::from(i % 7 != 0)], &zone);
            assert!(into.pairs.len() <= 400, "memory follows the distinct days");
        }
        days.merge(other);
        let by_subject = days.by_subject();
        for subject in 0..3 {
            let expected =
                (-30..30).filter(|day| (0..5000).any(|i| i % 7 != 0 && i % 4 == subject && i * 31 % 60 - 30 == *day));
            assert_eq!(by_subject.of(subject as usize), expected.collect::<Vec<_>>());
        }
    }
}
