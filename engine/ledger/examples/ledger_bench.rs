//! What the ledger costs, for the bars: `cargo run --release -p tierd-ledger --example ledger_bench [SUBJECTS] [FOLDER]`.
//!
//! Writes a ledger of a million subjects (or as many as asked for) in one tier set of four levels: the first write, runs
//! without changes, runs where 1 % of the levels change, reading everything that is held, and the same with a movement policy
//! that remembers something of every subject. The folder (default: the
//! system's temporary one) decides which disk is measured. Processor time stands beside the time on the clock: on a busy
//! machine it is the one to compare.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{error::Error, fmt::Write as _, path::PathBuf, time::Instant};

use tierd_ledger::{
    Cause, Keys, Ledger, Reader, RevisionHash, RevisionRecord, RunRecord, RunStart, RunSummary, SetDecisions, StateRow,
};
use tierd_model::{Date, Timestamp};

const LEVELS: [&str; 4] = ["D", "C", "B", "A"];
const HASH: RevisionHash = RevisionHash([7; 32]);
const ROUNDS: u32 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let subjects: usize = args.next().map_or(Ok(1_000_000), |n| n.parse())?;
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder)?;
    for text_keys in [false, true] {
        let path = folder.path().join(if text_keys { "text.ledger" } else { "integer.ledger" });
        let keys = if text_keys { TestKeys::text(subjects) } else { TestKeys::integer(subjects) };
        println!("{subjects} subjects, {} keys", if text_keys { "text" } else { "integer" });
        bench(&path, &keys.as_keys(), subjects)?;
    }
    println!("peak resident memory: {}", peak_memory());
    Ok(())
}

fn bench(path: &std::path::Path, keys: &Keys<'_>, subjects: usize) -> Result<(), Box<dyn Error>> {
    let mut ledger = Ledger::open(path, "ledger_bench")?;
    ledger.record_revision(&RevisionRecord {
        hash: HASH,
        loaded: Timestamp(0),
        files: &[("rules/a.toml", "")],
        plugins: &[],
    })?;
    let mut assigned: Vec<u16> = (0..subjects).map(|i| (mix(i as u64) % 4) as u16).collect();

    report("first write", &mut [run(&mut ledger, keys, &assigned, None)?]);
    println!("  file size: {} MiB", std::fs::metadata(path)?.len() >> 20);

    let unchanged = (0..ROUNDS).map(|_| run(&mut ledger, keys, &assigned, None)).collect::<Result<Vec<_>, _>>();
    report("unchanged run", &mut unchanged?);

    let mut changed = Vec::new();
    for round in 0..ROUNDS {
        for (i, level) in assigned.iter_mut().enumerate() {
            if mix(i as u64 ^ (u64::from(round) << 40)).is_multiple_of(100) {
                *level = (*level + 1) % 4;
            }
        }
        changed.push(run(&mut ledger, keys, &assigned, None)?);
    }
    report("run with 1 % changes", &mut changed);

    let reader = Reader::open(path)?;
    let held = timed("held levels for `unknown = keep`", || reader.held_levels("value", *keys, &LEVELS))?;
    assert_eq!(held, assigned, "what is held is what was decided");
    let standings = timed("standings for a movement policy", || reader.standings("value", *keys, &LEVELS))?;
    assert!(standings.iter().map(|standing| standing.level).eq(assigned.clone()), "standings are of what was decided");
    let start = Instant::now();
    let history = reader.history("value", keys.get(subjects / 2))?;
    println!("  history of one subject ({} changes): {} µs", history.len(), start.elapsed().as_micros());

    // The most that a policy can remember: something of every subject.
    let locked = |(subject, &policy)| StateRow {
        subject,
        policy,
        below_since: None,
        locked_until: Some(Date(30_000)),
        decided: Some(Date(20_000)),
    };
    let states: Vec<StateRow> = (0..).zip(&assigned).map(locked).collect();
    report("run that locks every level", &mut [run(&mut ledger, keys, &assigned, Some(&states))?]);
    let standings = timed("standings with every level locked", || reader.standings("value", *keys, &LEVELS))?;
    assert!(standings.iter().all(|standing| standing.locked_until == Some(Date(30_000))), "every level is locked");
    Ok(())
}

/// What one run took.
struct Took {
    clock_ms: f64,
    processor_ms: f64,
    transitions: u64,
}

fn run(
    ledger: &mut Ledger,
    keys: &Keys<'_>,
    assigned: &[u16],
    states: Option<&[StateRow]>,
) -> tierd_ledger::Result<Took> {
    let set = SetDecisions {
        name: "value",
        family: "value",
        category: None,
        subject: "customer",
        levels: &LEVELS,
        keys: *keys,
        assigned,
        metrics: &|subject, json| {
            let n = mix(subject as u64);
            let (spend, contacts, idle) = (n % 1_000_000, n % 13, n % 365);
            let _ = write!(
                json,
                r#"{{"annual_spend":"{}.{:02}","monthly_contacts":{contacts},"days_idle":{idle}}}"#,
                spend / 100,
                spend % 100
            );
        },
        reason: &|_| "first level",
        states,
    };
    let start = RunStart {
        cause: Cause::Hand,
        schedules: None,
        as_of: Timestamp(0),
        today: Date(0),
        started: Timestamp(0),
        revision: HASH,
    };
    let before = processor_ms();
    let record = RunRecord { data_version: "bench", ..RunRecord::default() };
    let RunSummary { write, transitions, .. } = ledger.begin_run(start).apply(&record, &[set], &[])?;
    Ok(Took { clock_ms: write.as_secs_f64() * 1e3, processor_ms: processor_ms() - before, transitions })
}

fn report(what: &str, runs: &mut [Took]) {
    let transitions = runs.iter().map(|run| run.transitions).max().unwrap_or(0);
    let worst = runs.iter().map(|run| run.clock_ms).fold(0.0, f64::max);
    runs.sort_by(|a, b| a.clock_ms.total_cmp(&b.clock_ms));
    let Took { clock_ms, processor_ms, .. } = runs[runs.len() / 2];
    println!(
        "  {what}: median {clock_ms:.1} ms (processor {processor_ms:.1} ms), worst {worst:.1} ms, {transitions} transitions"
    );
}

/// Does something once and says what it took.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (start, before) = (Instant::now(), processor_ms());
    let done = work();
    let (clock_ms, processor_ms) = (start.elapsed().as_secs_f64() * 1e3, processor_ms() - before);
    println!("  {what}: {clock_ms:.1} ms (processor {processor_ms:.1} ms)");
    done
}

/// How long this process's only thread has had a processor; 0 where the system doesn't say.
fn processor_ms() -> f64 {
    let schedstat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    schedstat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e6
}

/// SplitMix64: the same levels each time.
fn mix(n: u64) -> u64 {
    let n = (n.wrapping_add(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 16
}

enum TestKeys {
    Integer(Vec<i64>),
    Text(Vec<String>),
}

impl TestKeys {
    fn integer(subjects: usize) -> Self {
        TestKeys::Integer((1..=subjects as i64).collect())
    }

    fn text(subjects: usize) -> Self {
        TestKeys::Text((1..=subjects).map(|i| format!("CUST-{i:09}")).collect())
    }

    fn as_keys(&self) -> Keys<'_> {
        match self {
            TestKeys::Integer(keys) => Keys::Integer(keys),
            TestKeys::Text(keys) => Keys::Text(keys),
        }
    }
}

fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |kb| kb.trim().to_owned())
}
