//! Points that facts book: what a pass yields besides metrics.
//!
//! Only the bookings are found here. What they do to an account depends on their order in time, which one pass doesn't know:
//! [`crate::points`] replays them.

use tierd_rules::PointsId;

use super::{
    batch::{BATCH_ROWS, Batch},
    fact_times::instant,
    mask::Truth,
    plan::FactPlan,
};
use crate::given::Booked;

/// Which rows book points, and how many.
#[derive(Debug, Clone, Copy)]
pub(super) struct BookingPlan {
    pub(super) program: PointsId,
    /// Index into the program's bookings.
    pub(super) booking: u16,
    /// Index of the mask: known before the run, of the right kind, with a number of points.
    pub(super) mask: usize,
    /// Column of the batch that holds the points.
    pub(super) column: usize,
    /// How many units of the column make one of the program; `None` if more than a column can hold.
    pub(super) units: Option<i64>,
}

/// What one thread has found, by booking of the plan.
#[derive(Debug)]
pub(super) struct Bookings {
    found: Vec<Vec<Booked>>,
    /// Rows of a batch that book something.
    rows: Box<[u16; BATCH_ROWS]>,
}

impl Bookings {
    pub(super) fn new(plan: &FactPlan) -> Self {
        Bookings { found: vec![Vec::new(); plan.bookings.len()], rows: Box::new([0; BATCH_ROWS]) }
    }

    /// Takes in one batch. `masks` are those of the plan; `spare` stands for unknown subjects.
    pub(super) fn take(&mut self, plan: &FactPlan, batch: &Batch, masks: &[Truth], spare: u32) {
        for (booking, found) in plan.bookings.iter().zip(&mut self.found) {
            let Some(units) = booking.units else { continue };
            let (amounts, mask) = (&batch.column(booking.column).values, &masks[booking.mask]);
            // Without branches: every row is written down, and the next takes its place unless it counts.
            let mut count = 0;
            for row in 0..BATCH_ROWS {
                self.rows[count] = row as u16;
                count += usize::from((mask[row] != 0) & (batch.subjects[row] != spare) & (amounts[row] >= units));
            }
            found.extend(self.rows[..count].iter().map(|&row| {
                let row = usize::from(row);
                let (at, amount) = (instant(plan, batch, row), amounts[row] / units);
                Booked { subject: batch.subjects[row], booking: booking.booking, at, amount }
            }));
        }
    }

    pub(super) fn merge(&mut self, other: Bookings) {
        self.found.iter_mut().zip(other.found).for_each(|(ours, theirs)| ours.extend(theirs));
    }

    /// By program.
    pub(super) fn finish(self, plan: &FactPlan) -> Vec<(PointsId, Vec<Booked>)> {
        let mut by_program = Vec::new();
        for (booking, found) in plan.bookings.iter().zip(self.found) {
            add_bookings(&mut by_program, booking.program, found);
        }
        by_program
    }
}

/// Adds bookings to those of the program.
pub(super) fn add_bookings(all: &mut Vec<(PointsId, Vec<Booked>)>, program: PointsId, more: Vec<Booked>) {
    match all.iter_mut().find(|(known, _)| *known == program) {
        Some((_, bookings)) if bookings.is_empty() => *bookings = more,
        Some((_, bookings)) => bookings.extend(more),
        None => all.push((program, more)),
    }
}
