//! A scorer of three numbers on a million subjects, as a plugin and in native Rust: `cargo run -p tierd-host --release --example speed`.
//!
//! The plugin's figure has everything in it: threads, a fresh instance for each batch, and the checks of what comes back.

#![expect(clippy::print_stdout, reason = "figures are what it is for")]

#[path = "../tests/guests/mod.rs"]
mod guests;

use std::{hint::black_box, sync::Arc, time::Instant};

use arrow_array::{ArrayRef, Float64Array, cast::AsArray, types::Float64Type};
use tierd_eval::plugin::Plugins;
use tierd_host::{Host, HostOptions};
use tierd_model::{Clock, Timestamp, Zone};

const ROWS: usize = 1_000_000;
const ROUNDS: usize = 15;

fn main() {
    let inputs: Vec<ArrayRef> = (1..=3)
        .map(|n| Arc::new(Float64Array::from_iter_values((0..ROWS).map(|row| (row % 1000 * n) as f64))) as ArrayRef)
        .collect();
    let guest = guests::good("weighted");
    let host = Host::new(HostOptions::default());
    let runner = host.runner(&[guest.plugin()], &[]);
    let (call, clock) = (guest.call(), Clock::new(Timestamp(0), Arc::new(Zone::utc())));

    let native = best(|| native(&inputs));
    let plugin = best(|| {
        runner.column(&call, &inputs, ROWS, &clock).map_or_else(|error| panic!("{error}"), |given| given.column)
    });
    println!("native Rust, one thread: {native:.2} ns a row");
    println!("plugin, all threads:     {plugin:.2} ns a row ({:.2} times as long)", plugin / native);
    println!("memory of an instance:   {} KiB", host.stats()[0].memory_peak >> 10);
}

/// What the plugin computes, into a fresh column.
fn native(inputs: &[ArrayRef]) -> ArrayRef {
    let [a, b, c] = [0, 1, 2].map(|at| inputs[at].as_primitive::<Float64Type>().values());
    let score = |row: usize| a[row] * 0.5 + b[row] * 0.25 + c[row] * 0.125;
    Arc::new(Float64Array::from_iter_values((0..ROWS).map(score)))
}

/// Nanoseconds a row of the best of several rounds.
fn best(work: impl Fn() -> ArrayRef) -> f64 {
    let round = |_| {
        let begun = Instant::now();
        black_box(work());
        begun.elapsed().as_secs_f64() * 1e9 / ROWS as f64
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}
