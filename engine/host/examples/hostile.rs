//! How long hostile guests take to be ended, beyond the time that they have: `cargo run -p tierd-host --release --example hostile`.
//!
//! Prints a table, and fails if one ends otherwise than its file says or more than 50 ms late.

#![expect(clippy::print_stdout, reason = "a table is what it is for")]

#[path = "../tests/guests/mod.rs"]
mod guests;

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use arrow_array::{ArrayRef, Float64Array};
use guests::Guest;
use tierd_eval::plugin::{Plugins, SubjectFacts};
use tierd_host::{Host, HostOptions, PluginError};
use tierd_model::{Clock, Timestamp, Zone};
use tierd_rules::plugin::{PluginGrants, PluginKind};

/// Milliseconds that describing may take.
const DESCRIBE_MS: u64 = 5000;
/// How late one may be ended.
const LATE: Duration = Duration::from_millis(50);
const ROWS: usize = 1000;

fn main() -> ExitCode {
    let host = Host::new(HostOptions::default());
    let mut bad = 0;
    println!("{:32} {:24} {:>10} {:>10}", "guest", "ends in", "took ms", "has ms");
    for guest in guests::folder("hostile") {
        let (ended, took, ms) = end_of(&host, &guest);
        let late = took.saturating_sub(Duration::from_millis(ms)) > LATE;
        let wrong = ended != guest.expect;
        let remark = if wrong { format!("  expected {}", guest.expect) } else { String::new() };
        let remark = if late { format!("{remark}  LATE") } else { remark };
        println!("{:32} {ended:24} {:>10.1} {ms:>10}{remark}", guest.name, took.as_secs_f64() * 1000.0);
        bad += u32::from(late || wrong);
    }
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What it ends in, how long the part took that ended it, and how long that may take. Compiling has no deadline here.
fn end_of(host: &Host, guest: &Guest) -> (String, Duration, u64) {
    let begun = Instant::now();
    match host.describe(&guest.bytes) {
        Err(PluginError::Describe { reason, .. }) => {
            let compiled = host.stats().first().and_then(|stats| stats.compile_seconds).unwrap_or_default();
            let took = begun.elapsed().saturating_sub(Duration::from_secs_f64(compiled));
            (format!("load Describe {}", reason.word()), took, DESCRIBE_MS)
        }
        Err(error) => {
            let name = format!("{error:?}").split([' ', '{']).next().unwrap_or_default().to_owned();
            (format!("load {name}"), begun.elapsed(), DESCRIBE_MS)
        }
        Ok(_) => {
            let begun = Instant::now();
            let ended = call(host, guest).map_or_else(|reason| format!("call {reason}"), |()| "good".to_owned());
            (ended, begun.elapsed(), guest.limits.time_ms)
        }
    }
}

fn call(host: &Host, guest: &Guest) -> Result<(), &'static str> {
    let mut plugin = guest.plugin();
    if guest.name != "proposal_not_granted" {
        plugin.grants =
            PluginGrants { events: Some(vec!["news".to_owned()]), per_subject: 3, ..PluginGrants::default() };
    }
    let (runner, call) = (host.runner(&[plugin], &[]), guest.call());
    let clock = Clock::new(Timestamp(0), Arc::new(Zone::utc()));
    let inputs: Vec<ArrayRef> = (0..3).map(|_| Arc::new(Float64Array::from(vec![1.5; ROWS])) as ArrayRef).collect();
    let called = match call.kind {
        PluginKind::Planner => runner.plan(&call, &inputs, ROWS, &clock).map(drop),
        PluginKind::Aggregator => {
            let facts = SubjectFacts { rows_of: vec![10; 100], times: vec![0; ROWS], inputs };
            runner.aggregate(&call, &facts, &clock).map(drop)
        }
        _ => runner.column(&call, &inputs, ROWS, &clock).map(drop),
    };
    called.map_err(|failure| failure.reason)
}
