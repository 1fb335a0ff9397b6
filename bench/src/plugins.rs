//! A scorer of three numbers on all subjects: as a plugin and in native Rust, on the same columns, taking turns.
//!
//! The plugin is `plugins/standing`, written with the SDK, and runs as in a run of the daemon: a fresh instance for each batch, on all
//! threads, everything that it gives checked. The native function is the same code in a loop over the same columns, and writes the same kind of
//! column; both must give the same bits.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use arrow_array::{Array, ArrayRef, Float64Array, cast::AsArray, types::Float64Type};
use tierd_eval::plugin::Plugins;
use tierd_host::{Host, HostOptions, Runner};
use tierd_model::{Clock, parse_timestamp};
use tierd_rules::{
    FileId, Location,
    plugin::{OnPluginError, Plugin, PluginCall, PluginFile, PluginGrants, PluginId, PluginKind, PluginLimits},
};

use crate::{AS_OF, Failure, generate::Size, memory::processor_seconds, report};

const STANDING: &[u8] = include_bytes!("../../plugins/standing/standing.wasm");

const ROUNDS: usize = 51;
/// The plugin may take so many times as long.
const MOST: f64 = 3.0;

/// Lets both take turns on so many subjects, and prints what a subject costs.
///
/// # Errors
/// Where the plugin can't be called, gives other values, or takes longer than it may at full size.
pub(crate) fn compare(size: Size) -> Result<(), Failure> {
    let inputs = inputs(size.customers as usize);
    let scorer = Scorer::load()?;
    let alike = *scorer.score(&inputs)? == *native(&inputs);
    if !alike {
        return Err("the plugin and the native function give different values".into());
    }
    let (mut plugin, mut native_code) = (Taken::default(), Taken::default());
    for _ in 0..ROUNDS {
        native_code.round(|| Ok(native(&inputs)))?;
        plugin.round(|| scorer.score(&inputs))?;
    }
    print(size, &mut plugin, &mut native_code)
}

#[expect(clippy::print_stdout, reason = "a measurement prints what it found")]
fn print(size: Size, plugin: &mut Taken, native: &mut Taken) -> Result<(), Failure> {
    let subjects = size.customers as f64;
    println!("a scorer of three numbers on {} subjects, medians of {ROUNDS} rounds", size.customers);
    for (what, taken) in [("native Rust, one thread", &mut *native), ("plugin, all threads", &mut *plugin)] {
        let (median, fastest, slowest) = taken.seconds();
        let ns = |seconds: f64| seconds * 1e9 / subjects;
        println!(
            "{what:24} {:6.2} ns each ({:.2}..{:.2}), {:6.2} ns of processors",
            ns(median),
            ns(fastest),
            ns(slowest),
            ns(taken.processor / ROUNDS as f64)
        );
    }
    let times = plugin.seconds().0 / native.seconds().0;
    let verdict = report::verdict(times <= MOST, size);
    println!(
        "{times:.2} times as long (at most {MOST}: {verdict}), {:.2} times the processors' time",
        plugin.processor / native.processor
    );
    if size.full && times > MOST { Err("plugins take too long".into()) } else { Ok(()) }
}

/// What rounds took.
#[derive(Default)]
struct Taken {
    times: Vec<Duration>,
    processor: f64,
}

impl Taken {
    fn round(&mut self, work: impl FnOnce() -> Result<ArrayRef, Failure>) -> Result<(), Failure> {
        let (begun, processor) = (Instant::now(), processor_seconds());
        black_box(work()?);
        self.times.push(begun.elapsed());
        self.processor += processor_seconds() - processor;
        Ok(())
    }

    /// The median, the shortest and the longest.
    fn seconds(&mut self) -> (f64, f64, f64) {
        self.times.sort();
        let at = |index: usize| self.times[index].as_secs_f64();
        (at(self.times.len() / 2), at(0), at(self.times.len() - 1))
    }
}

/// The plugin as a run has it.
struct Scorer {
    runner: Runner,
    call: PluginCall,
    clock: Clock,
}

impl Scorer {
    fn load() -> Result<Self, Failure> {
        let host = Host::new(HostOptions::default());
        let plugin = Plugin {
            name: "standing".to_owned(),
            file: PluginFile::new("rules/standing.wasm", STANDING),
            description: host.describe(STANDING)?,
            limits: PluginLimits::default(),
            grants: PluginGrants::default(),
        };
        let call = PluginCall {
            plugin: PluginId(0),
            function: "score".to_owned(),
            kind: PluginKind::Scorer,
            inputs: Vec::new(),
            required: vec![0, 1],
            config: serde_json::Map::new(),
            on_error: OnPluginError::Fail,
            at: Location { file: FileId(0), range: 0..0 },
        };
        let zone = Arc::new(tierd_model::Zone::utc());
        let as_of = parse_timestamp(AS_OF.as_bytes()).ok_or("as_of")?.instant(&zone);
        Ok(Scorer { runner: host.runner(&[plugin], &[]), call, clock: Clock::new(as_of, zone) })
    }

    fn score(&self, inputs: &[ArrayRef]) -> Result<ArrayRef, Failure> {
        let given = self.runner.column(&self.call, inputs, inputs[0].len(), &self.clock);
        Ok(given.map_err(|failure| failure.to_string())?.column)
    }
}

/// What the plugin computes (`plugins/standing/src/lib.rs`).
fn native(inputs: &[ArrayRef]) -> ArrayRef {
    let [spend, tenure, late] = [0, 1, 2].map(|input| inputs[input].as_primitive::<Float64Type>());
    let at_most = |value: f64, most: f64| if value < most { value } else { most };
    let scores = spend.values().iter().zip(tenure.values()).zip(late.iter()).map(|((spend, tenure), late)| {
        let (spends, stays) = (at_most(spend / 10_000.0, 1.0), at_most(tenure / 3650.0, 1.0));
        let score = 60.0 * spends + 40.0 * stays - 15.0 * late.unwrap_or(0.0);
        at_most(if score > 0.0 { score } else { 0.0 }, 100.0)
    });
    Arc::new(Float64Array::from_iter_values(scores))
}

/// Spend, days of tenure, and late payments, of which every tenth subject has no number.
fn inputs(subjects: usize) -> Vec<ArrayRef> {
    let number = |row: usize, step: usize, bound: usize| (row * step % bound) as f64 / 4.0;
    let late = |row: usize| (row % 10 != 7).then_some((row * 31 % 7) as f64);
    vec![
        Arc::new(Float64Array::from_iter_values((0..subjects).map(|row| number(row, 104_729, 60_000)))),
        Arc::new(Float64Array::from_iter_values((0..subjects).map(|row| number(row, 7919, 20_000)))),
        Arc::new((0..subjects).map(late).collect::<Float64Array>()),
    ]
}
