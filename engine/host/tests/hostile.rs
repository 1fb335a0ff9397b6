//! Every guest of the corpus ends in the failure that its file says, in its time, and leaves the host as it was.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "this program is a test, and tells what it measured")]

mod guests;

use std::{
    fs,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use arrow_array::{Array, ArrayRef, Float64Array};
use guests::Guest;
use tierd_eval::plugin::{PluginFailure, Plugins, SubjectFacts};
use tierd_host::{Host, HostOptions, PluginError};
use tierd_model::{Clock, Timestamp, Zone};
use tierd_rules::plugin::{PluginGrants, PluginKind};

/// What a guest may take beyond its time on a machine that does much else. The strict figure is measured by the example `hostile`.
const SLACK: Duration = Duration::from_secs(10);
/// Milliseconds that describing may take.
const DESCRIBE_MS: u64 = 5000;
/// Bytes that the process may have had at most: limits of several plugins at once, the compiler, and the tests themselves.
const PEAK_BYTES: u64 = 1 << 30;

#[test]
fn hostile_guests_end_in_their_failures_and_the_next_batch_is_right() {
    let host = Host::new(HostOptions::default());
    let guests = guests::folder("hostile");
    assert!(guests.len() >= 40);
    thread::scope(|scope| {
        for guests in guests.chunks(guests.len().div_ceil(4)) {
            scope.spawn(|| guests.iter().for_each(|guest| check(&host, guest)));
        }
    });
    let peak = peak_bytes();
    println!("peak memory: {} MiB", peak >> 20);
    assert!(peak < PEAK_BYTES, "{peak}");
}

fn check(host: &Host, guest: &Guest) {
    let begun = Instant::now();
    let (ended, time_ms) = match host.describe(&guest.bytes) {
        Err(error) => {
            println!("{:32} {error}", guest.name);
            (format!("load {}", name_of(&error)), DESCRIBE_MS)
        }
        Ok(description) => {
            assert_eq!(*description, guest.description, "{}", guest.name);
            let ended =
                call(host, guest).map_or_else(|failure| format!("call {}", failure.reason), |()| "good".to_owned());
            (ended, DESCRIBE_MS + guest.limits.time_ms)
        }
    };
    let took = begun.elapsed();
    println!("{:32} {ended:24} {took:?}", guest.name);
    assert_eq!(ended, guest.expect, "{}", guest.name);
    assert!(took < Duration::from_millis(time_ms) + SLACK, "{}: {took:?}", guest.name);
    weighs(host);
}

fn name_of(error: &PluginError) -> String {
    match error {
        PluginError::Describe { reason, .. } => format!("Describe {}", reason.word()),
        other => format!("{other:?}").split([' ', '{']).next().unwrap().to_owned(),
    }
}

/// Calls the guest's function with 1000 rows.
fn call(host: &Host, guest: &Guest) -> Result<(), PluginFailure> {
    let mut plugin = guest.plugin();
    if guest.name != "proposal_not_granted" {
        plugin.grants =
            PluginGrants { events: Some(vec!["news".to_owned()]), per_subject: 3, ..PluginGrants::default() };
    }
    let (runner, call) = (host.runner(&[plugin], &[]), guest.call());
    let rows = 1000;
    let inputs: Vec<ArrayRef> = (0..3).map(|_| Arc::new(Float64Array::from(vec![1.5; rows])) as ArrayRef).collect();
    match call.kind {
        PluginKind::Planner => runner.plan(&call, &inputs, rows, &clock()).map(drop),
        PluginKind::Aggregator => {
            let facts = SubjectFacts { rows_of: vec![10; 100], times: vec![0; rows], inputs };
            runner.aggregate(&call, &facts, &clock()).map(drop)
        }
        _ => runner.column(&call, &inputs, rows, &clock()).map(drop),
    }
}

/// Whether the next good batch is right.
fn weighs(host: &Host) {
    let guest = guests::good("weighted");
    host.describe(&guest.bytes).unwrap();
    let runner = host.runner(&[guest.plugin()], &[]);
    let column = |value| Arc::new(Float64Array::from(vec![value; 100])) as ArrayRef;
    let given = runner.column(&guest.call(), &[column(1.0), column(2.0), column(4.0)], 100, &clock()).unwrap();
    let given = given.column.as_any().downcast_ref::<Float64Array>().unwrap().clone();
    assert_eq!(given, Float64Array::from(vec![1.5; 100]));
}

fn clock() -> Clock {
    Clock::new(Timestamp(0), Arc::new(Zone::utc()))
}

fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}
