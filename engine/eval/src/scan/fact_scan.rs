//! One thread's pass over one fact table: batches in, accumulators on.

use arrow_array::{ArrayRef, cast::AsArray};
use tierd_model::{Date, Timestamp, Type};
use tierd_rules::MetricId;

use super::{
    accumulators::{Accumulators, MergedTexts},
    arrays::{batch_array, read_back, text_array},
    batch::{BAD, BATCH_ROWS, Batch, VALID},
    filter::Filter,
    finish,
    interner::Interner,
    mask::{self, FALSE, TRUE, Truth, truth_of},
    plan::{FactPlan, Origin},
};
use crate::expr::{evaluate, truth};

/// A text column that only conditions read forgets its texts beyond this number, so that a column of a million different
/// remarks takes no memory.
const FORGET_TEXTS_FROM: usize = 1 << 16;

/// One thread's pass: fill [`FactScan::batch`], call [`FactScan::take`] whenever it is full and at the end.
#[derive(Debug)]
pub struct FactScan<'a> {
    plan: &'a FactPlan,
    batch: Batch,
    /// Truth by text id, for each table of the plan.
    tables: Vec<Vec<u8>>,
    accumulators: Accumulators,
    counts: FactCounts,
    work: Box<Work>,
}

/// What a pass has met besides the metrics.
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
    /// Bad values of each column of the batch. Beyond the columns that are read come those that are computed: a computed
    /// argument that doesn't fit in 64 bits is bad as well.
    pub bad_values: Vec<u64>,
    /// The time of the newest row up to `as_of`.
    pub newest: Option<Timestamp>,
    newest_stored: Option<i64>,
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
    row: Truth,
    windows: Vec<Truth>,
    filters: Vec<Truth>,
    masks: Vec<Truth>,
    /// Columns of the facts as Arrow arrays, made when an expression first needs them.
    arrays: Vec<Option<ArrayRef>>,
}

impl<'a> FactScan<'a> {
    /// A pass that has seen nothing yet, over this many subjects.
    pub fn new(plan: &'a FactPlan, subjects: usize) -> Self {
        let buffers = |n: usize| vec![[0; BATCH_ROWS]; n];
        FactScan {
            plan,
            batch: Batch::new(plan.columns.iter().map(|column| column.ty)),
            tables: vec![Vec::new(); plan.tables.len()],
            accumulators: Accumulators::new(plan, subjects),
            counts: FactCounts { bad_values: vec![0; plan.columns.len()], ..FactCounts::default() },
            work: Box::new(Work {
                row: [0; BATCH_ROWS],
                windows: buffers(plan.windows.len()),
                filters: buffers(plan.filters.len()),
                masks: buffers(plan.masks.len()),
                arrays: vec![None; plan.scope],
            }),
        }
    }

    /// The batch to fill. Its columns are [`FactPlan::columns`], in that order.
    #[inline]
    pub fn batch(&mut self) -> &mut Batch {
        &mut self.batch
    }

    /// Takes in the rows of the batch and empties it.
    ///
    /// # Panics
    /// If a subject's index is larger than the number of subjects.
    pub fn take(&mut self) {
        if self.batch.rows() == 0 {
            return;
        }
        let spare = self.accumulators.subjects() as u32;
        let rows = self.batch.rows();
        self.batch.subjects[rows..].fill(spare);
        let subjects = self.batch.subjects;
        let targets = self.accumulators.targets(&subjects);
        self.prepare();
        self.count(spare);
        self.fill_masks();
        self.accumulators.take(self.plan, &self.batch, &targets, &self.work.masks);
        self.empty_batch();
    }

    /// The bad values among the rows of the batch, which it then empties without taking them in.
    pub fn inspect(&mut self) -> Vec<BadCell> {
        let mut found = Vec::new();
        self.prepare();
        if self.batch.any_bad() {
            for row in 0..self.batch.rows() {
                let columns = (0..self.plan.columns.len()).filter(|&column| self.is_bad(row, column));
                found.extend(columns.map(|column| BadCell { row, column: Some(column) }));
                if self.is_bad_subject(row) {
                    found.push(BadCell { row, column: None });
                }
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
        let FactScan { batch, accumulators, counts, tables, work, .. } = other;
        drop((tables, work));
        let theirs = batch.into_texts();
        let mut ids = Vec::new();
        for (column, texts) in theirs.iter().enumerate() {
            let kept = texts.as_ref().filter(|_| self.plan.columns[column].keeps_texts);
            ids.push(kept.and_then(|theirs| {
                let (_, ours) = self.batch.column_and_texts(column);
                ours.map(|ours| renamed(theirs, ours))
            }));
        }
        self.accumulators.merge(self.plan, accumulators, &MergedTexts { ids, batch: &self.batch });
        self.counts.add(&counts);
    }

    /// The metrics, one value per subject, and what else the pass has met.
    pub fn finish(self) -> (Vec<(MetricId, ArrayRef)>, FactCounts) {
        let FactScan { plan, batch, accumulators, mut counts, .. } = self;
        counts.newest = counts.newest_stored.map(|stored| match plan.columns[plan.time].ty {
            Type::Date => plan.clock.zone().midnight(Date(stored as i32)),
            _ => Timestamp(stored),
        });
        (finish::metrics(plan, accumulators, &batch.into_texts()), counts)
    }

    /// Computes arguments, text tables and the rows that count at all.
    fn prepare(&mut self) {
        self.work.arrays.fill(None);
        self.extend_tables();
        self.compute_columns();
        let mut row = match &self.plan.row_filter {
            Some(filter) => self.run(filter),
            None => [TRUE; BATCH_ROWS],
        };
        row.iter_mut().for_each(|truth| *truth &= TRUE);
        row[self.batch.rows()..].fill(0);
        self.work.row = row;
    }

    /// Decides the conditions on text for texts that are new.
    fn extend_tables(&mut self) {
        let plan = self.plan;
        for (table, known) in plan.tables.iter().zip(&mut self.tables) {
            let Some(texts) = self.batch.texts(table.column) else { continue };
            if known.len() == texts.len() {
                continue;
            }
            let new = known.len() as u32..texts.len() as u32;
            let rows = new.len();
            let mut columns = vec![None; plan.scope];
            columns[table.scope_column] = Some(text_array(new, texts));
            let truths = truth(&table.expr, &columns, rows, &plan.clock);
            known.extend(truths.iter().map(truth_of));
        }
    }

    fn compute_columns(&mut self) {
        let plan = self.plan;
        for (column, of_plan) in plan.columns.iter().enumerate() {
            let Origin::Computed(other) = of_plan.origin else { continue };
            let array = self.evaluate_other(other);
            let (values, texts) = self.batch.column_and_texts(column);
            if read_back(&array, of_plan.ty, values, texts) {
                self.batch.note_bad();
            }
        }
    }

    fn evaluate_other(&mut self, other: usize) -> ArrayRef {
        let plan = self.plan;
        let expr = &plan.others[other];
        for column in expr.columns() {
            if self.work.arrays[column].is_none() {
                let at = plan
                    .columns()
                    .position(|read| read == column)
                    .unwrap_or_else(|| unreachable!("a plan reads every column of its expressions"));
                self.work.arrays[column] = Some(batch_array(&self.batch, at, plan.columns[at].ty));
            }
        }
        evaluate(expr, &self.work.arrays, self.batch.rows(), &plan.clock)
    }

    fn run(&mut self, filter: &Filter) -> Truth {
        let mut out = [0; BATCH_ROWS];
        match filter {
            Filter::Constant(truth) => out.fill(*truth),
            Filter::Range(column, range) => range.truth(self.batch.column(*column), &mut out),
            Filter::RealRange(column, range) => range.truth(self.batch.column(*column), &mut out),
            Filter::IsNull(column) => {
                let flags = &self.batch.column(*column).flags;
                out.iter_mut().zip(flags).for_each(|(truth, flag)| *truth = TRUE + (flag & VALID));
            }
            Filter::Table(table) => {
                let (column, truths) = (self.plan.tables[*table].column, &self.tables[*table]);
                let rows = self.batch.rows();
                let ids = &self.batch.column(column).values[..rows];
                out.iter_mut().zip(ids).for_each(|(truth, &id)| *truth = truths[id as usize]);
            }
            Filter::Not(inner) => {
                out = self.run(inner);
                mask::not(&mut out);
            }
            Filter::All(all) => {
                out.fill(TRUE);
                all.iter().for_each(|inner| mask::and(&mut out, &self.run(inner)));
            }
            Filter::Any(any) => {
                out.fill(FALSE);
                any.iter().for_each(|inner| mask::or(&mut out, &self.run(inner)));
            }
            Filter::Other(other) => {
                let array = self.evaluate_other(*other);
                out.iter_mut().zip(array.as_boolean()).for_each(|(truth, value)| *truth = truth_of(value));
            }
        }
        out
    }

    fn count(&mut self, spare: u32) {
        let (rows, row) = (self.batch.rows(), self.work.row);
        self.counts.rows += rows as u64;
        self.counts.counted += ones(&row);
        let unknown =
            row.iter().zip(&self.batch.subjects).filter(|(counts, subject)| **counts == 1 && **subject == spare);
        self.counts.unknown_subjects += unknown.count() as u64;
        self.count_newest(&row);
        if self.batch.any_bad() {
            self.count_bad();
        }
    }

    fn count_newest(&mut self, row: &Truth) {
        let times = self.batch.column(self.plan.time);
        let mut known = [0; BATCH_ROWS];
        self.plan.known.mask(times, &mut known);
        let mut newest = i64::MIN;
        for ((&time, known), row) in times.values.iter().zip(known).zip(row) {
            newest = newest.max(if known & row == 1 { time } else { i64::MIN });
        }
        if newest != i64::MIN {
            self.counts.newest_stored = self.counts.newest_stored.max(Some(newest));
        }
    }

    fn count_bad(&mut self) {
        for row in 0..self.batch.rows() {
            let subject = self.is_bad_subject(row);
            let mut any = subject;
            self.counts.bad_subjects += u64::from(subject);
            for column in 0..self.plan.columns.len() {
                let bad = self.is_bad(row, column);
                self.counts.bad_values[column] += u64::from(bad);
                any |= bad;
            }
            self.counts.bad_rows += u64::from(any);
        }
    }

    /// Whether a value is bad and its row counts, or may only be missing because the row filter met this value.
    fn is_bad(&self, row: usize, column: usize) -> bool {
        let counts = self.work.row[row] == 1 || self.plan.filter_columns.contains(&column);
        self.batch.column(column).flags[row] == BAD && counts
    }

    fn is_bad_subject(&self, row: usize) -> bool {
        self.batch.subject_flags[row] == BAD && self.work.row[row] == 1
    }

    fn fill_masks(&mut self) {
        let plan = self.plan;
        for (index, window) in plan.windows.iter().enumerate() {
            let out = &mut self.work.windows[index];
            window.mask(self.batch.column(plan.time), out);
            out.iter_mut().zip(&self.work.row).for_each(|(mask, row)| *mask &= row);
        }
        for (index, filter) in plan.filters.iter().enumerate() {
            self.work.filters[index] = self.run(filter);
        }
        let Work { windows, filters, masks, .. } = &mut *self.work;
        for (of_plan, out) in plan.masks.iter().zip(masks) {
            *out = windows[of_plan.window];
            if let Some(filter) = of_plan.filter {
                out.iter_mut().zip(&filters[filter]).for_each(|(mask, truth)| *mask &= truth);
            }
            if let Some(argument) = of_plan.argument {
                let flags = &self.batch.column(argument).flags;
                out.iter_mut().zip(flags).for_each(|(mask, flag)| *mask &= flag);
            }
        }
    }

    fn empty_batch(&mut self) {
        self.batch.clear();
        for (column, of_plan) in self.plan.columns.iter().enumerate() {
            if of_plan.keeps_texts {
                continue;
            }
            if let (_, Some(texts)) = self.batch.column_and_texts(column)
                && texts.len() > FORGET_TEXTS_FROM
            {
                texts.clear();
                let tables = self.plan.tables.iter().zip(&mut self.tables);
                tables.filter(|(table, _)| table.column == column).for_each(|(_, known)| known.clear());
            }
        }
    }
}

impl FactCounts {
    fn add(&mut self, other: &FactCounts) {
        self.rows += other.rows;
        self.counted += other.counted;
        self.unknown_subjects += other.unknown_subjects;
        self.bad_rows += other.bad_rows;
        self.bad_subjects += other.bad_subjects;
        self.bad_values.iter_mut().zip(&other.bad_values).for_each(|(ours, theirs)| *ours += theirs);
        self.newest_stored = self.newest_stored.max(other.newest_stored);
    }
}

/// Our id for each of their texts.
fn renamed(theirs: &Interner, ours: &mut Interner) -> Vec<u32> {
    let id = |theirs_id: u32| match theirs.text(theirs_id) {
        Some(text) => ours.intern(text.as_bytes()).unwrap_or_else(|_| unreachable!("interned texts are UTF-8")),
        None => super::interner::NULL_ID,
    };
    (0..theirs.len() as u32).map(id).collect()
}

fn ones(mask: &Truth) -> u64 {
    mask.iter().map(|&one| u64::from(one)).sum()
}
