//! Models: fitted to all rows in rounds, then applied to each batch.
//!
//! In a round every batch gives a part, and one call makes the next model of all parts in the order of the batches: so the
//! result doesn't depend on the number of threads.

use std::time::{Duration, Instant};

use arrow_array::ArrayRef;
use serde_json::{Map, Value as Json};
use tierd_eval::plugin::PluginColumn;

use super::{
    calling::{Calling, columns},
    column::{batches, in_batches, values},
    work,
};
use crate::{
    contract::Fitted,
    fault::{Fault, Reason},
    sandbox::BATCH_ROWS,
};

/// Bytes of a model at most.
const MODEL_BYTES: usize = 1 << 20;
/// Bytes of a part at most.
const PART_BYTES: usize = 64 << 10;
/// Bytes of a summary at most.
const SUMMARY_BYTES: usize = 64 << 10;
/// Bytes of what goes with them.
const SLACK: usize = 16 << 10;
/// Rounds at most.
const ROUNDS: usize = 1000;
/// How long all rounds may take together, as a multiple of the time of a call: 10 minutes by default.
const FIT_CALLS: u32 = 300;

/// A model that is final, and what it says of itself.
struct Final {
    model: Vec<u8>,
    summary: Map<String, Json>,
}

/// The values of all rows, by a model fitted to them.
pub(super) fn column(calling: &Calling<'_>, inputs: &[ArrayRef], rows: usize) -> Result<PluginColumn, Fault> {
    let fitted = fit(calling, inputs, rows)?;
    let column = in_batches(calling, rows, |from, rows| apply(calling, &fitted.model, inputs, from, rows))?;
    Ok(PluginColumn { column, summary: Some(fitted.summary) })
}

/// One round on one batch, and what it makes of that batch.
pub(super) fn self_test(calling: &Calling<'_>, inputs: &[ArrayRef], rows: usize) -> Result<(), Fault> {
    let part = part(calling, &[], inputs, 0, rows)?;
    let fitted = next(calling, &[], &[part])?;
    summary(&fitted.summary)?;
    if fitted.done {
        apply(calling, &fitted.model, inputs, 0, rows)?;
    }
    Ok(())
}

fn fit(calling: &Calling<'_>, inputs: &[ArrayRef], rows: usize) -> Result<Final, Fault> {
    let time = Duration::from_millis(calling.time_ms()).saturating_mul(FIT_CALLS);
    let (begun, mut model) = (Instant::now(), Vec::new());
    for _ in 0..ROUNDS {
        let parts = work::in_order(batches(rows), |at| {
            let from = at * BATCH_ROWS;
            part(calling, &model, inputs, from, BATCH_ROWS.min(rows - from))
        })?;
        let fitted = next(calling, &model, &parts)?;
        model = fitted.model;
        if fitted.done {
            return Ok(Final { model, summary: summary(&fitted.summary)? });
        }
        if begun.elapsed() > time {
            return Err(Fault::new(Reason::Timeout, format!("took longer than {} s to be fitted", time.as_secs())));
        }
    }
    Err(Fault::output(format!("its model isn't final after {ROUNDS} rounds")))
}

fn part(calling: &Calling<'_>, model: &[u8], inputs: &[ArrayRef], from: usize, rows: usize) -> Result<Vec<u8>, Fault> {
    let held = calling.hold(inputs, from, rows)?;
    let part = calling.fresh(|sandbox| {
        let (call, columns) = (calling.call(), columns(&held));
        sandbox.ask(PART_BYTES + SLACK, |instance, store| instance.part(store, call, model, rows as u32, &columns))
    })?;
    at_most("a part", part.len(), PART_BYTES)?;
    Ok(part)
}

fn next(calling: &Calling<'_>, model: &[u8], parts: &[Vec<u8>]) -> Result<Fitted, Fault> {
    let fitted = calling.fresh(|sandbox| {
        let bytes = MODEL_BYTES + SUMMARY_BYTES + SLACK;
        sandbox.ask(bytes, |instance, store| instance.fit(store, calling.call(), model, parts))
    })?;
    at_most("a model", fitted.model.len(), MODEL_BYTES)?;
    at_most("a summary", fitted.summary.len(), SUMMARY_BYTES)?;
    Ok(fitted)
}

fn apply(
    calling: &Calling<'_>,
    model: &[u8],
    inputs: &[ArrayRef],
    from: usize,
    rows: usize,
) -> Result<ArrayRef, Fault> {
    let ty = calling.output()?;
    values(calling, ty, inputs, from, rows, |instance, store, call, rows, inputs| {
        instance.apply(store, call, model, rows, inputs)
    })
}

fn at_most(what: &str, bytes: usize, limit: usize) -> Result<(), Fault> {
    if bytes <= limit { Ok(()) } else { Err(Fault::output(format!("gave {what} of {bytes} bytes, more than {limit}"))) }
}

fn summary(said: &str) -> Result<Map<String, Json>, Fault> {
    serde_json::from_str(said).map_err(|_| Fault::output("gave a summary that isn't a JSON object"))
}
