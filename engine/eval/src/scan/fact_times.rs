//! When things happened: what a pass yields where somebody asks for the rows themselves, and not for a metric over them.
//!
//! Only subjects of the pass are asked about, so that whoever wants to know about a few gives the pass only these.

use tierd_model::{Date, Timestamp, Type};

use super::{
    batch::{BATCH_ROWS, Batch},
    mask::Truth,
    plan::FactPlan,
};

/// The time of one fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FactTime {
    /// Index of the subject.
    pub subject: u32,
    /// When; a date counts as its local midnight.
    pub at: Timestamp,
}

/// What one thread has found.
#[derive(Debug, Default)]
pub(super) struct FactTimes(Vec<FactTime>);

impl FactTimes {
    /// Takes in one batch. `masks` are those of the plan; `spare` stands for unknown subjects.
    pub(super) fn take(&mut self, plan: &FactPlan, batch: &Batch, masks: &[Truth], spare: u32) {
        let Some(mask) = plan.asked_times.map(|mask| &masks[mask]) else { return };
        for row in (0..BATCH_ROWS).filter(|&row| mask[row] != 0 && batch.subjects[row] != spare) {
            self.0.push(FactTime { subject: batch.subjects[row], at: instant(plan, batch, row) });
        }
    }

    pub(super) fn merge(&mut self, other: FactTimes) {
        self.0.extend(other.0);
    }

    pub(super) fn finish(self) -> Vec<FactTime> {
        self.0
    }
}

/// The time of a row; a date counts as its local midnight.
pub(super) fn instant(plan: &FactPlan, batch: &Batch, row: usize) -> Timestamp {
    let stored = batch.column(plan.time).values[row];
    match plan.columns[plan.time].ty {
        Type::Date => plan.clock.zone().midnight(Date(stored as i32)),
        _ => Timestamp(stored),
    }
}
