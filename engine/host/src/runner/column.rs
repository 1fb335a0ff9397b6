//! Scorers, segmenters and models: a value per row.

use arrow_array::ArrayRef;
use tierd_eval::plugin::PluginColumn;
use tierd_model::Type;
use tierd_rules::plugin::PluginKind;

use super::{
    calling::{Calling, bytes_for, columns},
    model, work,
};
use crate::{
    columns::{Whole, check, check_segments},
    contract::{Call, Column, Given, Instance, Said},
    fault::{Fault, Reason},
    sandbox::{BATCH_ROWS, State},
};

/// The values of all rows.
pub(super) fn column(calling: &Calling<'_>, inputs: &[ArrayRef], rows: usize) -> Result<PluginColumn, Fault> {
    calling.check_inputs(inputs, rows)?;
    match calling.kind() {
        PluginKind::Scorer => {
            in_batches(calling, rows, |from, rows| score(calling, inputs, from, rows)).map(without_summary)
        }
        PluginKind::Segmenter => {
            in_batches(calling, rows, |from, rows| segment(calling, inputs, from, rows)).map(without_summary)
        }
        PluginKind::Model => model::column(calling, inputs, rows),
        PluginKind::Aggregator | PluginKind::Planner => {
            Err(Fault::new(Reason::Missing, format!("a {} gives no column", calling.kind().name())))
        }
    }
}

/// A call of every function that a column takes, on one batch, even if it has no rows.
pub(super) fn self_test(calling: &Calling<'_>, inputs: &[ArrayRef], rows: usize) -> Result<(), Fault> {
    calling.check_inputs(inputs, rows)?;
    match calling.kind() {
        PluginKind::Scorer => score(calling, inputs, 0, rows).map(drop),
        PluginKind::Segmenter => segment(calling, inputs, 0, rows).map(drop),
        _ => model::self_test(calling, inputs, rows),
    }
}

fn without_summary(column: ArrayRef) -> PluginColumn {
    PluginColumn { column, summary: None }
}

/// The column of all batches: `batch` is given the first row and how many.
pub(super) fn in_batches(
    calling: &Calling<'_>,
    rows: usize,
    batch: impl Fn(usize, usize) -> Result<ArrayRef, Fault> + Sync,
) -> Result<ArrayRef, Fault> {
    let ty = calling.output()?;
    let mut whole = Whole::new(ty, rows, BATCH_ROWS);
    let places = whole.places();
    let placed = work::in_order(batches(rows), |at| {
        let from = at * BATCH_ROWS;
        batch(from, BATCH_ROWS.min(rows - from)).map(|batch| places.put(at, batch))
    })?;
    whole.finish(placed).map_err(Fault::output)
}

/// How many batches so many rows are.
pub(super) fn batches(rows: usize) -> usize {
    rows.div_ceil(BATCH_ROWS)
}

fn score(calling: &Calling<'_>, inputs: &[ArrayRef], from: usize, rows: usize) -> Result<ArrayRef, Fault> {
    let ty = calling.output()?;
    values(calling, ty, inputs, from, rows, |instance, store, call, rows, inputs| {
        instance.score(store, call, rows, inputs)
    })
}

/// A batch's values of type `ty`, by the function that `ask` calls.
pub(super) fn values(
    calling: &Calling<'_>,
    ty: Type,
    inputs: &[ArrayRef],
    from: usize,
    rows: usize,
    ask: impl FnOnce(&dyn Instance, &mut wasmtime::Store<State>, Call, u32, &[Column]) -> Said<Given>,
) -> Result<ArrayRef, Fault> {
    let held = calling.hold(inputs, from, rows)?;
    let given = calling.fresh(|sandbox| {
        let columns = columns(&held);
        sandbox.ask(bytes_for(rows), |instance, store| ask(instance, store, calling.call(), rows as u32, &columns))
    })?;
    check(given, ty, rows)
}

fn segment(calling: &Calling<'_>, inputs: &[ArrayRef], from: usize, rows: usize) -> Result<ArrayRef, Fault> {
    let held = calling.hold(inputs, from, rows)?;
    let given = calling.fresh(|sandbox| {
        let columns = columns(&held);
        let call = calling.call();
        sandbox.ask(bytes_for(rows), |instance, store| instance.segment(store, call, rows as u32, &columns))
    })?;
    check_segments(&given, rows)
}
