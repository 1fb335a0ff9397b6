//! One thread's pass over one fact table: batches in, accumulators on.

use arrow_array::ArrayRef;
use tierd_rules::{MetricId, PointsId};

use super::{
    accumulators::Accumulators,
    batch::{BATCH_ROWS, Batch},
    bookings::Bookings,
    conditions::Conditions,
    counts::{FactCounts, is_bad, is_bad_subject},
    fact_times::{FactTime, FactTimes},
    finish,
    gathered::Gathered,
    interner::{Interner, NULL_ID},
    mask::Truth,
    merge::MergedTexts,
    plan::{FactPlan, WindowPlan},
};
use crate::{given::Booked, plugin::SubjectFacts};

/// One thread's pass: fill [`FactScan::batch`], call [`FactScan::take`] whenever it is full and at the end.
#[derive(Debug)]
pub struct FactScan<'a> {
    plan: &'a FactPlan,
    batch: Batch,
    conditions: Conditions<'a>,
    accumulators: Accumulators,
    bookings: Bookings,
    gathered: Gathered,
    times: FactTimes,
    counts: FactCounts,
    work: Work,
}

/// What a pass has found.
#[derive(Debug)]
pub struct Scanned {
    /// The metrics of the plan, one value per subject.
    pub metrics: Vec<(MetricId, ArrayRef)>,
    /// What these facts have booked, by program, in any order.
    pub bookings: Vec<(PointsId, Vec<Booked>)>,
    /// What plugins are to be given of these facts, by metric.
    pub gathered: Vec<(MetricId, SubjectFacts)>,
    /// The facts that [`FactPlan::of_times`] asked for, in any order.
    pub times: Vec<FactTime>,
    /// What else the pass has met. Of the readings of one table, the last speaks for all.
    pub counts: FactCounts,
}

/// A bad value of the batch that was inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadCell {
    /// Row of the batch.
    pub row: usize,
    /// Column of the batch; `None` for the subject column.
    pub column: Option<usize>,
}

/// Buffers that every batch uses anew.
#[derive(Debug)]
struct Work {
    windows: Vec<Truth>,
    filters: Vec<Truth>,
    masks: Vec<Truth>,
}

impl<'a> FactScan<'a> {
    /// A pass that has seen nothing yet, over this many subjects.
    pub fn new(plan: &'a FactPlan, subjects: usize) -> Self {
        let buffers = |n: usize| vec![[0; BATCH_ROWS]; n];
        FactScan {
            plan,
            batch: Batch::new(plan.columns.iter().map(|column| column.ty)),
            conditions: Conditions::new(plan),
            accumulators: Accumulators::new(plan, subjects),
            bookings: Bookings::new(plan),
            gathered: Gathered::new(plan),
            times: FactTimes::default(),
            counts: FactCounts::new(plan),
            work: Work {
                windows: buffers(plan.windows.len()),
                filters: buffers(plan.filters.len()),
                masks: buffers(plan.masks.len()),
            },
        }
    }

    /// The batch to fill: of its columns, those that [`FactPlan::columns`] names.
    #[inline]
    pub fn batch(&mut self) -> &mut Batch {
        &mut self.batch
    }

    /// Takes in the rows of the batch and empties it.
    ///
    /// # Panics
    /// If a subject's index is larger than the number of subjects.
    pub fn take(&mut self) {
        let rows = self.batch.rows();
        if rows == 0 {
            return;
        }
        let spare = self.accumulators.subjects() as u32;
        self.batch.subjects[rows..].fill(spare);
        let subjects = self.batch.subjects;
        // First of all, so that memory answers while the masks are made.
        let targets = self.accumulators.targets(&subjects);
        self.plan.own_windows.iter().for_each(|own| own.prefetch(&subjects));
        self.conditions.prepare(&mut self.batch);
        let counting = self.conditions.rows(&self.batch);
        self.counts.take(self.plan, &self.batch, &counting, spare);
        self.fill_masks(&counting);
        self.accumulators.take(self.plan, &self.batch, &targets, &self.work.masks);
        self.bookings.take(self.plan, &self.batch, &self.work.masks, spare);
        self.gathered.take(self.plan, &self.batch, &self.work.masks, spare);
        self.times.take(self.plan, &self.batch, &self.work.masks, spare);
        self.empty_batch();
    }

    /// The bad values among the rows of the batch, which it then empties without taking them in.
    pub fn inspect(&mut self) -> Vec<BadCell> {
        let mut found = Vec::new();
        self.conditions.prepare(&mut self.batch);
        if self.batch.any_bad() {
            let (plan, batch) = (self.plan, &self.batch);
            let counting = self.conditions.rows(batch);
            for row in 0..batch.rows() {
                let columns = (0..plan.columns.len()).filter(|&column| is_bad(plan, batch, &counting, row, column));
                found.extend(columns.map(|column| BadCell { row, column: Some(column) }));
                found.extend(is_bad_subject(batch, &counting, row).then_some(BadCell { row, column: None }));
            }
        }
        self.empty_batch();
        found
    }

    /// What the pass has met so far.
    pub fn counts(&self) -> &FactCounts {
        &self.counts
    }

    /// Adds another thread's pass under the same plan.
    pub fn merge(&mut self, other: FactScan<'_>) {
        let FactScan { batch, accumulators, bookings, gathered, times, counts, .. } = other;
        let mut ids = Vec::new();
        for (column, theirs) in batch.into_texts().into_iter().enumerate() {
            let kept = theirs.filter(|_| self.plan.columns[column].keeps_texts);
            let (_, ours) = self.batch.column_and_texts(column);
            ids.push(kept.zip(ours).map(|(theirs, ours)| renamed(&theirs, ours)));
        }
        self.gathered.merge(self.plan, gathered, &ids);
        self.accumulators.merge(self.plan, accumulators, &MergedTexts { ids, batch: &self.batch });
        self.bookings.merge(bookings);
        self.times.merge(times);
        self.counts.merge(&counts);
    }

    /// What the pass has found.
    pub fn finish(self) -> Scanned {
        let FactScan { plan, batch, accumulators, bookings, gathered, times, counts, .. } = self;
        let (texts, subjects) = (batch.into_texts(), accumulators.subjects());
        Scanned {
            gathered: gathered.finish(plan, &texts, subjects),
            metrics: finish::metrics(plan, accumulators, &texts),
            bookings: bookings.finish(plan),
            times: times.finish(),
            counts: counts.finish(plan),
        }
    }

    /// The masks of the plan: 1 for rows in the window, with the filter TRUE and the argument not NULL.
    fn fill_masks(&mut self, counting: &Truth) {
        let (plan, batch) = (self.plan, &self.batch);
        let Work { windows, filters, masks } = &mut self.work;
        for (window, out) in plan.windows.iter().zip(&mut *windows) {
            match *window {
                WindowPlan::Common(range) => range.mask(batch.column(plan.time), out),
                WindowPlan::Own(own) => plan.own_windows[own].mask(batch.column(plan.time), &batch.subjects, out),
            }
            keep(out, counting);
        }
        for (filter, out) in plan.filters.iter().zip(&mut *filters) {
            *out = self.conditions.run(batch, filter);
        }
        for (of_plan, out) in plan.masks.iter().zip(masks) {
            *out = windows[of_plan.window];
            if let Some(filter) = of_plan.filter {
                keep(out, &filters[filter]);
            }
            if let Some(argument) = of_plan.argument {
                keep(out, &batch.column(argument).flags);
            }
        }
    }

    fn empty_batch(&mut self) {
        self.batch.clear();
        self.conditions.forget_texts(&mut self.batch);
    }
}

/// Leaves 1 where the other has its lowest bit: TRUE, or valid.
fn keep(mask: &mut Truth, other: &[u8; BATCH_ROWS]) {
    mask.iter_mut().zip(other).for_each(|(mask, other)| *mask &= other);
}

/// Our id for each of their texts.
fn renamed(theirs: &Interner, ours: &mut Interner) -> Vec<u32> {
    let id = |their_id: u32| match theirs.text(their_id) {
        Some(text) => ours.intern(text.as_bytes()).unwrap_or_else(|_| unreachable!("interned texts are UTF-8")),
        None => NULL_ID,
    };
    (0..theirs.len() as u32).map(id).collect()
}
