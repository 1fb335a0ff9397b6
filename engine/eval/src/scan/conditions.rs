//! Conditions and computed arguments over the rows of a batch.

use arrow_array::{ArrayRef, cast::AsArray};

use super::{
    arrays::{batch_array, read_back, text_array},
    batch::{BATCH_ROWS, Batch, VALID},
    filter::Filter,
    mask::{self, FALSE, TRUE, Truth, truth_of},
    plan::{FactPlan, Origin},
};
use crate::expr::{evaluate, truth};

/// A text column that only conditions read forgets its texts beyond this number, so that a column of a million different
/// remarks takes no memory.
const FORGET_TEXTS_FROM: usize = 1 << 16;

/// What one thread knows of the plan's conditions.
#[derive(Debug)]
pub(super) struct Conditions<'a> {
    plan: &'a FactPlan,
    /// Truth by text id, for each table of the plan.
    tables: Vec<Vec<u8>>,
    /// Columns of the facts as Arrow arrays, made when an expression of this batch first needs them.
    arrays: Vec<Option<ArrayRef>>,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(plan: &'a FactPlan) -> Self {
        Conditions { plan, tables: vec![Vec::new(); plan.tables.len()], arrays: vec![None; plan.scope] }
    }

    /// Makes ready for the rows of a batch, and computes the arguments that are no plain columns.
    pub(super) fn prepare(&mut self, batch: &mut Batch) {
        self.arrays.fill(None);
        self.extend_tables(batch);
        for (column, of_plan) in self.plan.columns.iter().enumerate() {
            let Origin::Computed(other) = of_plan.origin else { continue };
            let array = self.evaluate_other(batch, other);
            let (values, texts) = batch.column_and_texts(column);
            if read_back(&array, of_plan.ty, values, texts) {
                batch.note_bad();
            }
        }
    }

    /// 1 for each row of the batch that passes the facts' own filter.
    pub(super) fn rows(&mut self, batch: &Batch) -> Truth {
        let mut rows = match &self.plan.row_filter {
            Some(filter) => self.run(batch, filter),
            None => [TRUE; BATCH_ROWS],
        };
        rows.iter_mut().for_each(|truth| *truth &= TRUE);
        rows[batch.rows()..].fill(0);
        rows
    }

    /// The truth of a condition for each row.
    pub(super) fn run(&mut self, batch: &Batch, filter: &Filter) -> Truth {
        let mut out = [0; BATCH_ROWS];
        match filter {
            Filter::Constant(truth) => out.fill(*truth),
            Filter::Range(column, range) => range.truth(batch.column(*column), &mut out),
            Filter::RealRange(column, range) => range.truth(batch.column(*column), &mut out),
            Filter::IsNull(column) => {
                let flags = &batch.column(*column).flags;
                out.iter_mut().zip(flags).for_each(|(truth, flag)| *truth = TRUE + (flag & VALID));
            }
            Filter::Table(table) => {
                let (column, truths) = (self.plan.tables[*table].column, &self.tables[*table]);
                let ids = &batch.column(column).values[..batch.rows()];
                out.iter_mut().zip(ids).for_each(|(truth, &id)| *truth = truths[id as usize]);
            }
            Filter::Not(inner) => {
                out = self.run(batch, inner);
                mask::not(&mut out);
            }
            Filter::All(all) => {
                out.fill(TRUE);
                all.iter().for_each(|inner| mask::and(&mut out, &self.run(batch, inner)));
            }
            Filter::Any(any) => {
                out.fill(FALSE);
                any.iter().for_each(|inner| mask::or(&mut out, &self.run(batch, inner)));
            }
            Filter::Other(other) => {
                let array = self.evaluate_other(batch, *other);
                out.iter_mut().zip(array.as_boolean()).for_each(|(truth, value)| *truth = truth_of(value));
            }
        }
        out
    }

    /// Between two batches: columns of very many texts begin anew.
    pub(super) fn forget_texts(&mut self, batch: &mut Batch) {
        for (column, of_plan) in self.plan.columns.iter().enumerate() {
            if of_plan.keeps_texts {
                continue;
            }
            if let (_, Some(texts)) = batch.column_and_texts(column)
                && texts.len() > FORGET_TEXTS_FROM
            {
                texts.clear();
                let tables = self.plan.tables.iter().zip(&mut self.tables);
                tables.filter(|(table, _)| table.column == column).for_each(|(_, known)| known.clear());
            }
        }
    }

    /// Decides the conditions on text for texts that are new.
    fn extend_tables(&mut self, batch: &Batch) {
        for (table, known) in self.plan.tables.iter().zip(&mut self.tables) {
            let Some(texts) = batch.texts(table.column).filter(|texts| texts.len() > known.len()) else { continue };
            let new = known.len() as u32..texts.len() as u32;
            let rows = new.len();
            let mut columns = vec![None; self.plan.scope];
            columns[table.scope_column] = Some(text_array(new, texts));
            known.extend(truth(&table.expr, &columns, rows, &self.plan.clock).iter().map(truth_of));
        }
    }

    fn evaluate_other(&mut self, batch: &Batch, other: usize) -> ArrayRef {
        let plan = self.plan;
        let expr = &plan.others[other];
        for read in expr.columns() {
            if self.arrays[read].is_none() {
                let column = plan.columns().find(|(_, of_facts)| *of_facts == read).map(|(column, _)| column);
                self.arrays[read] = column.map(|column| batch_array(batch, column, plan.columns[column].ty));
            }
        }
        evaluate(expr, &self.arrays, batch.rows(), &plan.clock)
    }
}
