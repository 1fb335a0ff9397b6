//! Facts that plugins are given: what a pass yields where a metric is found by an aggregator.
//!
//! Every thread writes down the rows that count. In the end they are put in order by subject, time and all inputs, so that neither
//! the order of rows nor their division among threads reaches the plugin: rows that are equal in all of these are the same to it.

use std::cmp::Ordering;

use arrow_buffer::NullBuffer;
use tierd_model::Type;
use tierd_rules::MetricId;

use super::{
    arrays::{array_from, text_array},
    batch::{BATCH_ROWS, Batch, VALID},
    fact_times::instant,
    interner::{Interner, NULL_ID},
    mask::Truth,
    plan::FactPlan,
};
use crate::plugin::SubjectFacts;

/// Which rows a metric is given, and what of them.
#[derive(Debug, Clone)]
pub(super) struct GatherPlan {
    pub(super) metric: MetricId,
    /// Index of the mask: in the window, with the filter TRUE.
    pub(super) mask: usize,
    /// Column of the batch for each input.
    pub(super) inputs: Vec<usize>,
    /// Columns of the batch without whose values a row isn't given.
    pub(super) required: Vec<usize>,
}

/// What one thread has found, by metric of the plan.
#[derive(Debug)]
pub(super) struct Gathered {
    found: Vec<Rows>,
}

/// Rows in any order.
#[derive(Debug, Default)]
struct Rows {
    subjects: Vec<u32>,
    times: Vec<i64>,
    /// By input, as [`super::Values`] lays them out.
    inputs: Vec<Cells>,
}

#[derive(Debug, Clone, Default)]
struct Cells {
    values: Vec<i64>,
    valid: Vec<bool>,
}

impl Gathered {
    pub(super) fn new(plan: &FactPlan) -> Self {
        let rows = |of: &GatherPlan| Rows { inputs: vec![Cells::default(); of.inputs.len()], ..Rows::default() };
        Gathered { found: plan.gathers.iter().map(rows).collect() }
    }

    /// Takes in one batch. `masks` are those of the plan; `spare` stands for unknown subjects.
    pub(super) fn take(&mut self, plan: &FactPlan, batch: &Batch, masks: &[Truth], spare: u32) {
        for (of, rows) in plan.gathers.iter().zip(&mut self.found) {
            let mask = &masks[of.mask];
            let there = |row: usize| of.required.iter().all(|&column| batch.column(column).flags[row] & VALID != 0);
            let counts = |row: &usize| mask[*row] != 0 && batch.subjects[*row] != spare && there(*row);
            for row in (0..BATCH_ROWS).filter(counts) {
                rows.subjects.push(batch.subjects[row]);
                rows.times.push(instant(plan, batch, row).0);
                for (&column, cells) in of.inputs.iter().zip(&mut rows.inputs) {
                    let values = batch.column(column);
                    cells.values.push(values.values[row]);
                    cells.valid.push(values.flags[row] & VALID != 0);
                }
            }
        }
    }

    /// Adds what another thread has found. `ids` gives, for each text column of the batch, this side's id for each of the other's.
    pub(super) fn merge(&mut self, plan: &FactPlan, other: Gathered, ids: &[Option<Vec<u32>>]) {
        for ((of, ours), theirs) in plan.gathers.iter().zip(&mut self.found).zip(other.found) {
            ours.subjects.extend(theirs.subjects);
            ours.times.extend(theirs.times);
            for ((&column, ours), theirs) in of.inputs.iter().zip(&mut ours.inputs).zip(theirs.inputs) {
                ours.valid.extend(theirs.valid);
                match &ids[column] {
                    Some(ids) => ours.values.extend(theirs.values.iter().map(|&id| i64::from(ids[id as usize]))),
                    None => ours.values.extend(theirs.values),
                }
            }
        }
    }

    /// By metric, in order.
    pub(super) fn finish(
        self,
        plan: &FactPlan,
        texts: &[Option<Interner>],
        subjects: usize,
    ) -> Vec<(MetricId, SubjectFacts)> {
        let of_metric = |(of, rows): (&GatherPlan, Rows)| (of.metric, rows.finish(of, plan, texts, subjects));
        plan.gathers.iter().zip(self.found).map(of_metric).collect()
    }
}

impl Rows {
    fn finish(self, of: &GatherPlan, plan: &FactPlan, texts: &[Option<Interner>], subjects: usize) -> SubjectFacts {
        let texts: Vec<Option<&Interner>> = of.inputs.iter().map(|&column| texts[column].as_ref()).collect();
        let mut order: Vec<usize> = (0..self.subjects.len()).collect();
        order.sort_unstable_by(|&a, &b| self.compare(&texts, a, b));
        let mut rows_of = vec![0; subjects];
        self.subjects.iter().for_each(|&subject| rows_of[subject as usize] += 1);
        let inputs = of.inputs.iter().zip(&self.inputs).zip(&texts);
        let inputs = inputs.map(|((&column, cells), texts)| cells.array(plan.columns[column].ty, *texts, &order));
        SubjectFacts { rows_of, times: order.iter().map(|&row| self.times[row]).collect(), inputs: inputs.collect() }
    }

    /// By subject, time and inputs; NULL before all values.
    fn compare(&self, texts: &[Option<&Interner>], a: usize, b: usize) -> Ordering {
        let first = (self.subjects[a], self.times[a]).cmp(&(self.subjects[b], self.times[b]));
        let inputs = self.inputs.iter().zip(texts);
        inputs.fold(first, |so_far, (cells, texts)| so_far.then_with(|| cells.compare(*texts, a, b)))
    }
}

impl Cells {
    fn compare(&self, texts: Option<&Interner>, a: usize, b: usize) -> Ordering {
        self.valid[a].cmp(&self.valid[b]).then_with(|| match texts {
            // Ids are in the order in which a thread met the texts.
            Some(texts) => texts.text(self.id(a)).cmp(&texts.text(self.id(b))),
            None => self.values[a].cmp(&self.values[b]),
        })
    }

    fn id(&self, row: usize) -> u32 {
        if self.valid[row] { self.values[row] as u32 } else { NULL_ID }
    }

    fn array(&self, ty: Type, texts: Option<&Interner>, order: &[usize]) -> arrow_array::ArrayRef {
        if let Some(texts) = texts {
            return text_array(order.iter().map(|&row| self.id(row)), texts);
        }
        let valid = NullBuffer::from_iter(order.iter().map(|&row| self.valid[row]));
        let values = order.iter().map(|&row| self.values[row]).collect();
        array_from(ty, values, Some(valid).filter(|valid| valid.null_count() > 0))
    }
}
