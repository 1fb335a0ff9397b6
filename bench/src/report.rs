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
};

/// The evaluation may take at most this share of the SQL's time …
const MOST_SHARE: f64 = 0.1;
/// … and so much anonymous memory.
const MOST_MIB: f64 = 200.0;
/// Storing the first million levels may take so long …
const MOST_FIRST_WRITE: f64 = 3.0;
/// … and a run without changes so many times as long as the evaluation alone.
const MOST_UNCHANGED: f64 = 1.1;

/// One program and its runs.
struct Entry {
    name: &'static str,
    runs: Vec<Outcome>,
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
    let mut ours = Entry { name: "tierd", runs: Vec::new() };
    let mut step = Entry { name: "tierd, stepping", runs: Vec::new() };
    let mut sql = Entry { name: "SQL in SQLite", runs: Vec::new() };
    let mut duck = Entry { name: "DuckDB, own format", runs: Vec::new() };
    // Once before the clock counts: files come into the cache, DuckDB imports.
    worker("worker-tierd", &path)?;
    if with_duckdb {
        duckdb::run(&path)?;
    }
    for round in 1..=rounds.max(1) {
        eprintln!("round {round} of {}", rounds.max(1));
        ours.runs.push(worker("worker-tierd", &path)?);
        sql.runs.push(worker("worker-sql", &path)?);
        if round == 1 {
            step.runs.push(worker("worker-step", &path)?);
        }
        if with_duckdb {
            duck.runs.push(duckdb::run(&path)?);
        }
    }
    let entries = [ours, step, sql, duck];
    check_agreement(&entries)?;
    write_report(size, &entries, with_duckdb)?;
    write_ledger_report(&serde_json::from_str(&output("worker-ledger", &path)?)?)
}

fn worker(kind: &str, database: &Path) -> Result<Outcome, Failure> {
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
        let seconds = sorted(entry, |run| run.seconds);
        let peak = sorted(entry, |run| run.peak_mib);
        let (low, high) = (seconds[0], seconds[seconds.len() - 1]);
        writeln!(
            out,
            "{:20} {:8.3} s  ({low:.3}..{high:.3})  {:7.1} MiB",
            entry.name,
            median(&seconds),
            median(&peak)
        )?;
    }
    for phase in entries[0].runs[0].phases.keys() {
        let seconds = sorted(&entries[0], |run| run.phases.get(phase).copied().unwrap_or(0.0));
        writeln!(out, "  of tierd: {phase:20} {:8.3} s", median(&seconds))?;
    }
    if !with_duckdb {
        writeln!(out, "DuckDB is not installed; `pip install duckdb` puts it beside them")?;
    }
    writeln!(out, "levels: {:?}, checksum {}", entries[0].runs[0].levels, entries[0].runs[0].checksum)?;
    let ours = median(&sorted(&entries[0], |run| run.seconds));
    let share = ours / median(&sorted(&entries[2], |run| run.seconds));
    let peak = median(&sorted(&entries[0], |run| run.peak_mib));
    writeln!(out, "share of the SQL's time: 1/{:.1} (at most 1/10: {})", 1.0 / share, verdict(share <= MOST_SHARE))?;
    writeln!(out, "anonymous memory: {peak:.1} MiB (at most {MOST_MIB}: {})", verdict(peak <= MOST_MIB))?;
    Ok(())
}

/// What storing costs.
fn write_ledger_report(found: &Value) -> Result<(), Failure> {
    let seconds = |name: &str| {
        let mut all: Vec<f64> = found[name].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
        all.sort_by(f64::total_cmp);
        median(&all)
    };
    let first = found["first_write"].as_f64().ok_or("no time of the first write")?;
    let (alone, unchanged) = (seconds("evaluation"), seconds("unchanged_run"));
    let share = unchanged / alone;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "first write of all levels: {first:.2} s (at most {MOST_FIRST_WRITE}: {})",
        verdict(first <= MOST_FIRST_WRITE)
    )?;
    writeln!(
        out,
        "run without changes: {unchanged:.3} s, evaluation alone {alone:.3} s: {share:.3} times (at most {MOST_UNCHANGED}: {})",
        verdict(share <= MOST_UNCHANGED)
    )?;
    Ok(())
}

fn verdict(good: bool) -> &'static str {
    if good { "kept" } else { "MISSED" }
}

fn sorted(entry: &Entry, of: impl Fn(&Outcome) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = entry.runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}
