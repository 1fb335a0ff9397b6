//! Explaining one customer after the other to a steady stream of requests, as a daemon's callers make them.

use std::{
    fs,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tierd_daemon::{
    Project,
    evaluate::Evaluator,
    run,
    serve::{self, Handle, SystemWall},
};
use tierd_eval::due::Due;
use tierd_model::{Clock, parse_timestamp};
use tierd_sources::{Progress, ReadOptions};

use crate::{
    AS_OF, Failure,
    generate::{Size, database},
    memory::{anonymous_kib, processor_seconds},
    project,
};

/// Requests a second, as the promise has it.
const RATE: u32 = 200;
/// How many are made.
const REQUESTS: u32 = 6000;
/// How many are waited for at the same time.
const CALLERS: u32 = 4;
/// The promise: 99 of 100 are answered in this time.
const MOST_P99_MS: f64 = 20.0;
/// The promise: an idle daemon takes no more.
const MOST_IDLE_MIB: f64 = 60.0;

/// Runs the worker, prints its figures and says whether they are within bounds.
pub(crate) fn compare(size: Size) -> Result<(), Failure> {
    let path = database(size)?;
    let output = std::process::Command::new(std::env::current_exe()?).arg("worker-explain").arg(&path).output()?;
    if !output.status.success() {
        return Err(format!("the worker failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let figures: Value = serde_json::from_slice(&output.stdout)?;
    crate::report::print_line(&figures)?;
    for project in ["plain", "retail"] {
        let of = |name: &str| figures[project][name].as_f64().unwrap_or(f64::INFINITY);
        if of("p99_ms") > MOST_P99_MS || of("idle_mib") > MOST_IDLE_MIB {
            return Err(format!("{project}: more than {MOST_P99_MS} ms or {MOST_IDLE_MIB} MiB").into());
        }
    }
    Ok(())
}

/// Figures of both projects.
pub(crate) fn run(database: &Path) -> Result<Value, Failure> {
    let plain = explained(project::plain(database)?)?;
    Ok(json!({ "plain": plain, "retail": explained(project::retail(database)?)? }))
}

fn explained(project: Project) -> Result<Value, Failure> {
    let (customers, rest) = two_runs(&project)?;
    let rules = project.load()?.rules.ok_or("rules that don't load")?;
    let mut file = project.ledger(&rules.config).into_os_string();
    file.push(".decisions");
    let bytes = fs::metadata(&file)?.len();
    drop(rules);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let serving = runtime.block_on(serve::start(project, Arc::new(SystemWall)))?;
    let processor = processor_seconds();
    let mut took = ask(serving.handle(), customers)?;
    let processor_ms = (processor_seconds() - processor) * 1000.0 / took.len() as f64;
    took.sort_by(f64::total_cmp);
    let share = |of: f64| took[((took.len() - 1) as f64 * of) as usize];
    Ok(json!({
        "requests": took.len(), "per_second": RATE, "p50_ms": share(0.5), "p99_ms": share(0.99), "max_ms": share(1.0),
        "processor_ms": processor_ms,
        "file_mib": bytes as f64 / 1024.0 / 1024.0, "bytes_per_customer": bytes as f64 / customers as f64,
        "idle_mib": anonymous_kib() as f64 / 1024.0, "run_rest_seconds": rest,
    }))
}

/// A first run and one that changes nothing. How many customers there are, and what the second took besides reading, evaluating
/// and writing the ledger: nearly all of it writes the decision file.
fn two_runs(project: &Project) -> Result<(u64, f64), Failure> {
    let rules = project.load()?.rules.ok_or("rules that don't load")?;
    let at = parse_timestamp(AS_OF.as_bytes()).ok_or("as_of")?.instant(&rules.config.zone);
    let (clock, progress) = (Clock::new(at, rules.config.zone.clone()), Progress::default());
    let evaluator = Evaluator { clock: &clock, due: &Due::ALL, options: ReadOptions::default(), progress: &progress };
    run::run(project, &rules, &evaluator, run::Asked::by_hand(at))?;
    let started = Instant::now();
    let report = run::run(project, &rules, &evaluator, run::Asked::by_hand(at))?;
    let known = report.evaluation.read + report.evaluation.evaluate + report.write;
    Ok((report.evaluation.subject_count(), (started.elapsed() - known).as_secs_f64()))
}

/// Milliseconds from the time when each request was due until its answer.
fn ask(handle: &Handle, customers: u64) -> Result<Vec<f64>, Failure> {
    let begin = Instant::now() + Duration::from_millis(50);
    let caller = |caller: u32| {
        let handle = handle.clone();
        thread::spawn(move || {
            let mut took = Vec::new();
            for request in (caller..REQUESTS).step_by(CALLERS as usize) {
                let due = begin + Duration::from_secs(1) * request / RATE;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                // Keys spread over the whole file.
                let key = 1 + u64::from(request) * 0x9e37_79b9 % customers;
                handle.explain(&key.to_string(), None).map_err(|error| error.to_string())?;
                took.push(due.elapsed().as_secs_f64() * 1000.0);
            }
            Ok::<_, String>(took)
        })
    };
    let callers: Vec<_> = (0..CALLERS).map(caller).collect();
    let mut all = Vec::new();
    for caller in callers {
        all.extend(caller.join().map_err(|_| "a caller panicked")??);
    }
    Ok(all)
}
