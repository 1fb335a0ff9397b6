//! Takes turns, checks that all agree, and prints medians.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    Failure, duckdb,
    generate::{Size, database},
    outcome::Outcome,
    plugins,
};

/// The evaluation may take at most this share of the SQL's time …
const MOST_SHARE: f64 = 0.1;
/// … and so much anonymous memory.
const MOST_MIB: f64 = 200.0;
/// Storing the first million levels may take so long …
const MOST_FIRST_WRITE: f64 = 3.0;
/// … and a run without changes so many times as long as the evaluation alone.
const MOST_UNCHANGED: f64 = 1.1;
/// A run with points and retention rules may take so many times as long as one of the plain levels.
const MOST_RETAIL: f64 = 2.0;

/// One program and its runs.
struct Entry {
    name: &'static str,
    worker: &'static str,
    /// Takes part in so many rounds.
    rounds: usize,
    runs: Vec<Outcome>,
}

impl Entry {
    fn new(name: &'static str, worker: &'static str) -> Self {
        Entry { name, worker, rounds: usize::MAX, runs: Vec::new() }
    }

    fn median(&self, of: impl Fn(&Outcome) -> f64) -> f64 {
        median(&self.sorted(of))
    }

    fn sorted(&self, of: impl Fn(&Outcome) -> f64) -> Vec<f64> {
        let mut values: Vec<f64> = self.runs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values
    }
}

/// Prints what a worker has found, for the parent to read.
pub(crate) fn print(outcome: &Outcome) -> Result<(), Failure> {
    print_line(&outcome.to_json())
}

/// As [`print`], for a worker with findings of its own.
#[expect(clippy::print_stdout, reason = "the line is the worker's result")]
pub(crate) fn print_line(found: &Value) -> Result<(), Failure> {
    println!("{found}");
    Ok(())
}

/// Lets all programs take turns on the database of this size.
pub(crate) fn compare(size: Size, rounds: usize) -> Result<(), Failure> {
    let path = database(size)?;
    let with_duckdb = duckdb::is_installed();
    let ours = Entry::new("tierd", "worker-tierd");
    let step = Entry { rounds: 1, ..Entry::new("tierd, plain reader", "worker-step") };
    let sql = [Entry::new("SQL, group by", "worker-sql-group"), Entry::new("SQL, upserts", "worker-sql-upsert")];
    let duck = Entry { rounds: if with_duckdb { usize::MAX } else { 0 }, ..Entry::new("DuckDB, own format", "duckdb") };
    let [group, upsert] = sql;
    let mut entries = [ours, step, group, upsert, duck];
    if with_duckdb {
        // The first run imports.
        duckdb::run(&path)?;
    }
    for round in 0..rounds.max(1) {
        eprintln!("round {} of {}", round + 1, rounds.max(1));
        for entry in entries.iter_mut().filter(|entry| round < entry.rounds) {
            entry.runs.push(worker(entry.worker, &path)?);
        }
    }
    check_agreement(&entries)?;
    let [ours, _, group, upsert, _] = &entries;
    let best = [group, upsert].map(|sql| sql.median(|run| run.seconds)).into_iter().fold(f64::INFINITY, f64::min);
    write_report(size, &entries, with_duckdb)?;
    write_verdict(ours, best, size)?;
    write_ledger_report(&serde_json::from_str(&output("worker-ledger", &path)?)?, size)?;
    retail(size)?;
    plugins::compare(size)
}

/// Whole runs with points and retention rules beside whole runs of the plain levels.
pub(crate) fn retail(size: Size) -> Result<(), Failure> {
    let found: Value = serde_json::from_str(&output("worker-retail", &database(size)?)?)?;
    let (plain, retail) = (&found["plain"], &found["retail"]);
    let of = |runs: &Value, figure: &str| median(&times(runs, figure));
    let share = of(retail, "seconds") / of(plain, "seconds");
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "department store's card, first run: {:.2} s, acting {} times; plain levels {:.2} s",
        found["first_retail"].as_f64().ok_or("no time of the first run")?,
        found["first_acted"],
        found["first_plain"].as_f64().ok_or("no time of the first run")?,
    )?;
    writeln!(
        out,
        "each day after it: {:.3} s, acting {} times in all; plain levels {:.3} s: {share:.2} times (at most {MOST_RETAIL}: {})",
        of(retail, "seconds"),
        found["acted"],
        of(plain, "seconds"),
        verdict(share <= MOST_RETAIL, size)
    )?;
    for figure in ["processor", "read", "evaluate", "write", "peak_mib"] {
        writeln!(out, "  {figure:10} {:8.3} {:8.3}", of(retail, figure), of(plain, figure))?;
    }
    Ok(())
}

/// Seconds of a worker's runs, ascending.
fn times(found: &Value, name: &str) -> Vec<f64> {
    let mut all: Vec<f64> = found[name].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    all.sort_by(f64::total_cmp);
    all
}

fn worker(kind: &str, database: &Path) -> Result<Outcome, Failure> {
    if kind == "duckdb" {
        return duckdb::run(database);
    }
    Outcome::from_json(&output(kind, database)?)
}

/// What a worker prints.
fn output(kind: &str, database: &Path) -> Result<String, Failure> {
    let output = Command::new(std::env::current_exe()?).arg(kind).arg(database).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{kind} failed").into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn check_agreement(entries: &[Entry]) -> Result<(), Failure> {
    let mut runs = entries.iter().flat_map(|entry| entry.runs.iter().map(|run| (entry.name, run)));
    let Some((first_name, first)) = runs.next() else { return Ok(()) };
    for (name, run) in runs {
        if (&run.levels, run.checksum) != (&first.levels, first.checksum) {
            return Err(format!(
                "{name} and {first_name} disagree: {:?} {} and {:?} {}",
                run.levels, run.checksum, first.levels, first.checksum
            )
            .into());
        }
    }
    Ok(())
}

fn write_report(size: Size, entries: &[Entry], with_duckdb: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} customers, {} orders", size.customers, size.orders)?;
    for entry in entries.iter().filter(|entry| !entry.runs.is_empty()) {
        let seconds = entry.sorted(|run| run.seconds);
        let (low, high) = (seconds[0], seconds[seconds.len() - 1]);
        let (processor, peak) = (entry.median(|run| run.processor_seconds), entry.median(|run| run.peak_mib));
        let (name, median) = (entry.name, median(&seconds));
        writeln!(
            out,
            "{name:20} {median:7.3} s ({low:.3}..{high:.3}), {processor:6.2} s of processors, {peak:6.1} MiB"
        )?;
    }
    for phase in entries[0].runs[0].phases.keys() {
        let seconds = entries[0].median(|run| run.phases.get(phase).copied().unwrap_or(0.0));
        writeln!(out, "  of tierd: {phase:20} {seconds:7.3} s")?;
    }
    if !with_duckdb {
        writeln!(out, "DuckDB is not installed; `pip install duckdb` puts it beside them")?;
    }
    writeln!(out, "levels: {:?}, checksum {}", entries[0].runs[0].levels, entries[0].runs[0].checksum)?;
    Ok(())
}

/// Against the faster SQL.
fn write_verdict(ours: &Entry, sql_seconds: f64, size: Size) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let share = ours.median(|run| run.seconds) / sql_seconds;
    let peak = ours.median(|run| run.peak_mib);
    writeln!(
        out,
        "share of the SQL's time: 1/{:.1} (at most 1/10: {})",
        1.0 / share,
        verdict(share <= MOST_SHARE, size)
    )?;
    writeln!(out, "anonymous memory: {peak:.1} MiB (at most {MOST_MIB}: {})", verdict(peak <= MOST_MIB, size))?;
    Ok(())
}

/// What storing costs.
fn write_ledger_report(found: &Value, size: Size) -> Result<(), Failure> {
    let seconds = |name: &str| median(&times(found, name));
    let first = found["first_write"].as_f64().ok_or("no time of the first write")?;
    let (alone, unchanged) = (seconds("evaluation"), seconds("unchanged_run"));
    let share = unchanged / alone;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "first write of all levels: {first:.2} s (at most {MOST_FIRST_WRITE}: {})",
        verdict(first <= MOST_FIRST_WRITE, size)
    )?;
    writeln!(
        out,
        "run without changes: {unchanged:.3} s, evaluation alone {alone:.3} s: {share:.3} times (at most {MOST_UNCHANGED}: {})",
        verdict(share <= MOST_UNCHANGED, size)
    )?;
    Ok(())
}

/// The bars are for the full size.
pub(crate) fn verdict(good: bool, size: Size) -> &'static str {
    match (size.full, good) {
        (false, _) => "at full size",
        (true, true) => "kept",
        (true, false) => "MISSED",
    }
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}
