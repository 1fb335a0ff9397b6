//! The way of a plugin's file: looked at, compiled, linked, asked what it offers, tried out and called as a run calls it. Whatever it does
//! on its way, a good plugin works afterwards.

use std::{
    iter,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, cast::AsArray, types::Float64Type,
};
use serde_json::Map;
use tierd_eval::{
    columns::arrow_type,
    plugin::{PluginFailure, Plugins, SubjectFacts},
};
use tierd_host::{Compiler, Host, HostOptions, PluginError};
use tierd_model::{Clock, Timestamp, Type, Zone};
use tierd_rules::{
    FileId, Location,
    plugin::{
        Accepts, OnPluginError, Plugin, PluginCall, PluginDescription, PluginFile, PluginFunction, PluginGrants, PluginId,
        PluginKind, PluginLimits,
    },
};

/// A half of the first input, a quarter of the second, an eighth of the third: `weighted` of the host's tests.
pub(crate) const GOOD: &[u8] = include_bytes!("../good/weighted.wasm");

/// Little, so that plugins that never end or always grow cost little.
const LIMITS: PluginLimits = PluginLimits { memory_bytes: 8 << 20, time_ms: 20, fuel: None };
/// Units of fuel of those that are given fuel.
const FUEL: u64 = 100_000;
/// Functions of a plugin that are called; others are like them.
const FUNCTIONS: usize = 3;
/// Rows of a call: a few bytes of validity, the last of them not full.
const ROWS: usize = 19;

static HOST: LazyLock<Host> =
    LazyLock::new(|| Host::new(HostOptions { cache: None, compiler: Compiler::InProcess }));

/// How far files came.
static TALLY: Tally = Tally::new();

/// Takes a file its whole way.
pub fn take(bytes: &[u8]) {
    let described = HOST.describe(bytes);
    TALLY.count(&described);
    if let Ok(description) = described {
        // Compiled once more, so only a part of them.
        let fuel = bytes.len().is_multiple_of(4).then_some(FUEL);
        for function in description.functions.iter().take(FUNCTIONS) {
            call_of(bytes, &description, function, PluginLimits { fuel, ..LIMITS });
        }
    }
    good_one_works();
}

fn call_of(bytes: &[u8], description: &Arc<PluginDescription>, function: &PluginFunction, limits: PluginLimits) {
    let (plugin, call) = (plugin(bytes, description.clone(), limits), call(function));
    TALLY.tested.fetch_add(u64::from(HOST.self_test(&plugin, &call).is_ok()), Relaxed);
    let runner = HOST.runner(&[plugin], &[]);
    TALLY.gave.fetch_add(u64::from(make(&runner, &call, function).is_ok()), Relaxed);
}

/// Makes the call with a few rows, and looks whether what comes back is what evaluations rely on.
fn make(runner: &dyn Plugins, call: &PluginCall, function: &PluginFunction) -> Result<(), PluginFailure> {
    let inputs: Vec<ArrayRef> = function.inputs.iter().map(|input| values(input.accepts, input.nullable)).collect();
    let clock = Clock::new(Timestamp(0), Arc::new(Zone::utc()));
    match function.kind {
        PluginKind::Planner => {
            let proposals = runner.plan(call, &inputs, ROWS, &clock)?;
            assert!(proposals.iter().all(|proposal| (proposal.row as usize) < ROWS));
        }
        PluginKind::Aggregator => {
            let facts = SubjectFacts { rows_of: vec![4, 15], times: (0..ROWS as i64).collect(), inputs };
            check(&runner.aggregate(call, &facts, &clock)?, function, 2);
        }
        _ => check(&runner.column(call, &inputs, ROWS, &clock)?.column, function, ROWS),
    }
    Ok(())
}

fn check(column: &ArrayRef, function: &PluginFunction, rows: usize) {
    assert_eq!(column.len(), rows);
    assert_eq!(Some(column.data_type().clone()), function.output.map(arrow_type));
    if function.output == Some(Type::Real) {
        assert!(column.as_primitive::<Float64Type>().values().iter().all(|value| value.is_finite()));
    }
    column.to_data().validate_full().unwrap_or_else(|error| panic!("a column that isn't one: {error}"));
}

/// Values of the type that an input accepts; the second is missing where that may be.
fn values(accepts: Accepts, nullable: bool) -> ArrayRef {
    fn of<T>(nullable: bool, value: impl Fn(usize) -> T) -> Vec<Option<T>> {
        (0..ROWS).map(|row| (row != 1 || !nullable).then(|| value(row))).collect()
    }
    let ty = match accepts {
        Accepts::Exactly(ty) => ty,
        Accepts::Number => Type::Real,
    };
    match ty {
        Type::Integer => Arc::new(Int64Array::from(of(nullable, |row| row as i64 - 3))),
        Type::Real => Arc::new(Float64Array::from(of(nullable, |row| row as f64 / 4.0))),
        Type::Bool => Arc::new(BooleanArray::from(of(nullable, |row| row % 3 == 0))),
        Type::Text => Arc::new(StringArray::from(of(nullable, |row| "ä text"[..row % 7 / 2 * 2].to_owned()))),
        Type::Date => Arc::new(Date32Array::from(of(nullable, |row| row as i32 * 1000))),
        Type::Timestamp => Arc::new(TimestampMicrosecondArray::from(of(nullable, |row| row as i64 * 1_000_000_007))),
        Type::Decimal(_) => {
            let units = Decimal128Array::from(of(nullable, |row| row as i128 * 99));
            Arc::new(units.with_data_type(arrow_type(ty)))
        }
    }
}

fn plugin(bytes: &[u8], description: Arc<PluginDescription>, limits: PluginLimits) -> Plugin {
    let grants = PluginGrants {
        tasks: Some(Vec::new()),
        events: Some(vec!["news".to_owned()]),
        per_subject: 3,
        ..PluginGrants::default()
    };
    Plugin { name: "fuzzed".to_owned(), file: PluginFile::new("rules/fuzzed.wasm", bytes), description, limits, grants }
}

fn call(function: &PluginFunction) -> PluginCall {
    PluginCall {
        plugin: PluginId(0),
        function: function.name.clone(),
        kind: function.kind,
        inputs: Vec::new(),
        required: Vec::new(),
        config: Map::new(),
        on_error: OnPluginError::Fail,
        at: Location { file: FileId(0), range: 0..0 },
    }
}

/// A good plugin gives what it always gives.
fn good_one_works() {
    // On a busy machine it may not get its time to describe itself at once.
    static DESCRIPTION: LazyLock<Arc<PluginDescription>> = LazyLock::new(|| {
        (0..100).find_map(|_| HOST.describe(GOOD).ok()).unwrap_or_else(|| panic!("the good plugin doesn't describe itself"))
    });
    let function = &DESCRIPTION.functions[0];
    // It shares nothing with others but the host, so it may take its time on a busy machine.
    let limits = PluginLimits { time_ms: 10_000, ..LIMITS };
    let runner = HOST.runner(&[plugin(GOOD, DESCRIPTION.clone(), limits)], &[]);
    let column = |value| Arc::new(Float64Array::from_iter_values(iter::repeat_n(value, ROWS))) as ArrayRef;
    let clock = Clock::new(Timestamp(0), Arc::new(Zone::utc()));
    let given = runner.column(&call(function), &[column(1.0), column(2.0), column(4.0)], ROWS, &clock);
    let given = given.unwrap_or_else(|failure| panic!("the good plugin: {failure}")).column;
    assert!(given.as_primitive::<Float64Type>().iter().all(|value| value == Some(1.5)));
}

/// Counts, and says them now and then.
struct Tally {
    files: AtomicU64,
    asked: AtomicU64,
    described: AtomicU64,
    tested: AtomicU64,
    gave: AtomicU64,
}

impl Tally {
    const fn new() -> Self {
        const ZERO: AtomicU64 = AtomicU64::new(0);
        Tally { files: ZERO, asked: ZERO, described: ZERO, tested: ZERO, gave: ZERO }
    }

    fn count(&self, described: &Result<Arc<PluginDescription>, PluginError>) {
        let asked =
            matches!(described, Ok(_) | Err(PluginError::Describe { .. } | PluginError::Description { .. }));
        self.asked.fetch_add(u64::from(asked), Relaxed);
        self.described.fetch_add(u64::from(described.is_ok()), Relaxed);
        let files = self.files.fetch_add(1, Relaxed) + 1;
        if files.is_power_of_two() && files >= 1024 {
            eprintln!(
                "of {files} files {} were asked what they offer, {} said it; {} calls of made-up rows and {} of others worked",
                self.asked.load(Relaxed),
                self.described.load(Relaxed),
                self.tested.load(Relaxed),
                self.gave.load(Relaxed)
            );
        }
    }
}
