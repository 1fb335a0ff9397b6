//! What a pass meets besides the metrics: rows, bad values, unknown subjects, the newest time.

use tierd_model::{Date, Timestamp, Type};

use super::{
    batch::{BAD, BATCH_ROWS, Batch},
    mask::Truth,
    plan::FactPlan,
};

/// Counts of one pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactCounts {
    /// Rows read.
    pub rows: u64,
    /// Of those, rows for which the facts' filter is TRUE.
    pub counted: u64,
    /// Of those, rows that name no known subject.
    pub unknown_subjects: u64,
    /// Rows with at least one bad value.
    pub bad_rows: u64,
    /// Bad values of the subject column.
    pub bad_subjects: u64,
    /// Bad values of each column of the batch. Of a computed argument, results that don't fit in 64 bits are bad.
    pub bad_values: Vec<u64>,
    /// The time of the newest row up to `as_of`; known once the pass is finished.
    pub newest: Option<Timestamp>,
    newest_stored: Option<i64>,
}

impl FactCounts {
    pub(super) fn new(plan: &FactPlan) -> Self {
        FactCounts { bad_values: vec![0; plan.columns.len()], ..FactCounts::default() }
    }

    /// Counts a batch. `rows` is 1 for rows that pass the facts' filter; `spare` stands for unknown subjects.
    pub(super) fn take(&mut self, plan: &FactPlan, batch: &Batch, rows: &Truth, spare: u32) {
        self.rows += batch.rows() as u64;
        self.counted += rows.iter().map(|&row| u64::from(row)).sum::<u64>();
        let unknown = rows.iter().zip(&batch.subjects).map(|(&row, &subject)| u64::from(row == 1 && subject == spare));
        self.unknown_subjects += unknown.sum::<u64>();
        self.take_newest(plan, batch, rows);
        if batch.any_bad() {
            self.take_bad(plan, batch, rows);
        }
    }

    fn take_newest(&mut self, plan: &FactPlan, batch: &Batch, rows: &Truth) {
        let times = batch.column(plan.time);
        let mut known = [0; BATCH_ROWS];
        plan.known.mask(times, &mut known);
        let mut newest = i64::MIN;
        for ((&time, known), row) in times.values.iter().zip(known).zip(rows) {
            newest = newest.max(if known & row == 1 { time } else { i64::MIN });
        }
        if newest != i64::MIN {
            self.newest_stored = self.newest_stored.max(Some(newest));
        }
    }

    #[cold]
    fn take_bad(&mut self, plan: &FactPlan, batch: &Batch, rows: &Truth) {
        for row in 0..batch.rows() {
            let subject = is_bad_subject(batch, rows, row);
            let mut any = subject;
            self.bad_subjects += u64::from(subject);
            for column in 0..plan.columns.len() {
                let bad = is_bad(plan, batch, rows, row, column);
                self.bad_values[column] += u64::from(bad);
                any |= bad;
            }
            self.bad_rows += u64::from(any);
        }
    }

    pub(super) fn merge(&mut self, other: &FactCounts) {
        self.rows += other.rows;
        self.counted += other.counted;
        self.unknown_subjects += other.unknown_subjects;
        self.bad_rows += other.bad_rows;
        self.bad_subjects += other.bad_subjects;
        self.bad_values.iter_mut().zip(&other.bad_values).for_each(|(ours, theirs)| *ours += theirs);
        self.newest_stored = self.newest_stored.max(other.newest_stored);
    }

    pub(super) fn finish(mut self, plan: &FactPlan) -> Self {
        self.newest = self.newest_stored.map(|stored| match plan.columns[plan.time].ty {
            Type::Date => plan.clock.zone().midnight(Date(stored as i32)),
            _ => Timestamp(stored),
        });
        self
    }
}

/// Whether a value is bad and its row counts; where the row filter itself reads the column, the row may be missing because of
/// just this value, which counts then, too.
pub(super) fn is_bad(plan: &FactPlan, batch: &Batch, rows: &Truth, row: usize, column: usize) -> bool {
    batch.column(column).flags[row] == BAD && (rows[row] == 1 || plan.filter_columns.contains(&column))
}

pub(super) fn is_bad_subject(batch: &Batch, rows: &Truth, row: usize) -> bool {
    batch.subject_flags[row] == BAD && rows[row] == 1
}
