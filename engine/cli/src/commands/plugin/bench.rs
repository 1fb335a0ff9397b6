use std::{sync::Arc, time::Instant};

use arrow_array::ArrayRef;
use tierd_eval::plugin::Plugins;
use tierd_model::{Clock, Zone};
use tierd_rules::plugin::{PluginFunction, PluginKind};

use super::{Opened, columns, settings};
use crate::{
    args::PluginBenchArgs,
    exit::{Code, Failure},
    output::{Output, thousands},
    session,
};

/// How often the function is called.
const ROUNDS: usize = 5;

/// Times a function on made-up rows, as a run would call it: in batches, each on a fresh instance.
pub(super) fn bench(args: &PluginBenchArgs, output: Output) -> Result<(), Failure> {
    let opened = Opened::new(&args.plugin)?;
    let function = opened.function(args.function.as_deref())?;
    if matches!(function.kind, PluginKind::Aggregator | PluginKind::Planner) {
        return Err(Failure::new(Code::Usage, "scorers, segmenters and models can be timed"));
    }
    let call = opened.call(function, settings(args.config.as_deref())?);
    let zone = Zone::utc();
    let runner = opened.runner(&args.lookup, &zone, output)?;
    let inputs = made_up(function, args.rows);
    let clock = Clock::new(session::now(), Arc::new(zone));
    let mut seconds = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let made = runner.column(&call, &inputs, args.rows, &clock);
        made.map_err(|failure| Failure::new(Code::Failed, failure))?;
        seconds.push(begun.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let (least, median, most) = (seconds[0], seconds[ROUNDS / 2], seconds[ROUNDS - 1]);
    let each = median * 1e9 / args.rows.max(1) as f64;
    let stats = opened.host.stats();
    let memory = stats.iter().map(|stats| stats.memory_peak).max().unwrap_or(0);
    output.line(&format!(
        "{} rows: {median:.4} s ({least:.4}..{most:.4}), {each:.1} ns for each; at most {} KiB in an instance",
        thousands(args.rows as u64),
        memory >> 10
    ))
}

/// Values of every size, the same in every bench.
fn made_up(function: &PluginFunction, rows: usize) -> Vec<ArrayRef> {
    let cell = |input: usize, row: usize| (row * 7919 + input * 104_729) % 1000;
    let column = |(index, input): (usize, &tierd_rules::plugin::PluginInput)| {
        columns::of_numbers(input.accepts, (0..rows).map(|row| cell(index, row)))
    };
    function.inputs.iter().enumerate().map(column).collect()
}
