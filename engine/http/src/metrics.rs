//! `/metrics`: how a daemon is, for Prometheus.
//!
//! Everything comes from what the daemon publishes, what it has counted, and the ledger; a scrape reads a few rows and evaluates
//! nothing. Labels are names that people gave to rules, levels, schedules and files, never anything of a customer, and there are only
//! so many of each ([`exposition::MOST_SERIES`]).
//!
//! The text is written here rather than by the crate `prometheus-client`: that one writes OpenMetrics only, whose names and types
//! `promtool check metrics` of Debian 12 doesn't read.

mod exposition;
mod plugins;
mod process;
mod requests;

use sha2::{Digest, Sha256};
use tierd_daemon::serve::{Counts, DURATION_BOUNDS, Handle, Watching};
use tierd_ledger::{Numbers, Reader};
use tierd_model::Timestamp;

use exposition::{
    Exposition,
    Kind::{Counter, Gauge},
};

pub use requests::Requests;

/// What `Content-Type` says of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics of a daemon but for those of its HTTP requests ([`Requests::render`]), in Prometheus' text format. Reads the ledger and
/// `/proc`: to be called on a thread for blocking work.
pub fn render(handle: &Handle) -> String {
    let mut out = Exposition::default();
    rules(handle, &mut out);
    schedules(handle, &mut out);
    runs(handle, &handle.counts(), &mut out);
    ledger(handle, &mut out);
    plugins::write(handle, &mut out);
    out.family("tierd_build_info", Gauge, "The version of tierd, as a label.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    process::write(&mut out);
    out.finish()
}

/// The rules in force, and whether they are those of the files.
fn rules(handle: &Handle, out: &mut Exposition) {
    let active = handle.active();
    let refused = active.refused.as_ref();
    out.family(
        "tierd_config_last_reload_successful",
        Gauge,
        "Whether the files on disk are in force (1) or refused (0).",
    )
    .sample(&[], f64::from(u8::from(refused.is_none())));
    out.family(
        "tierd_config_last_reload_timestamp_seconds",
        Gauge,
        "When the rules in force came into force, or the files were refused.",
    )
    .sample(&[], seconds(refused.map_or(active.since, |refused| refused.since)));
    let at_once = matches!(handle.watching(), Watching::Events { .. });
    out.family(
        "tierd_files_watched",
        Gauge,
        "Whether changes of files are seen at once (1) or only every 30 seconds (0).",
    )
    .sample(&[], f64::from(u8::from(at_once)));
    let mut files = out.family(
        "tierd_rules_file_info",
        Gauge,
        "Each file of the rules in force, by content, and each that is refused.",
    );
    for (_, file) in active.rules.files.iter() {
        let of_text = || hexadecimal(&Sha256::digest(file.text.as_bytes()));
        let sha256 = file.plugin().map_or_else(of_text, |plugin| plugin.to_string());
        files.sample(&[("file", &file.path), ("sha256", &sha256), ("state", "active")], 1.0);
    }
    let mut names: Vec<&str> =
        refused.iter().flat_map(|refused| &refused.problems).filter_map(|problem| problem.file.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        files.sample(&[("file", name), ("sha256", ""), ("state", "refused")], 1.0);
    }
}

fn schedules(handle: &Handle, out: &mut Exposition) {
    let schedules = handle.schedules();
    let mut next =
        out.family("tierd_schedule_next_timestamp_seconds", Gauge, "When the next run of a schedule begins.");
    for schedule in &schedules.schedules {
        if let Some(begins) = schedule.begins {
            next.sample(&[("schedule", &schedule.name)], seconds(begins));
        }
    }
}

/// What this daemon has done since it started.
fn runs(handle: &Handle, counts: &Counts, out: &mut Exposition) {
    let mut runs =
        out.family("tierd_runs_total", Counter, "Runs that have ended since the start, by outcome and cause.");
    for ((outcome, cause), count) in &counts.runs {
        runs.sample(&[("outcome", outcome), ("cause", cause)], *count as f64);
    }
    let durations = &counts.durations;
    let buckets = DURATION_BOUNDS.into_iter().zip(durations.within);
    out.histogram(
        "tierd_run_duration_seconds",
        "How long runs took, whatever came of them.",
        buckets,
        durations.count,
        durations.sum,
    );
    out.family("tierd_run_in_progress", Gauge, "Whether a run is being made.")
        .sample(&[], f64::from(u8::from(handle.running().is_some())));
    if let Some(last) = handle.last_run() {
        let mut phases = out.family("tierd_run_phase_seconds", Gauge, "How long each phase of the last run took.");
        let taken = [("read", last.phases.read), ("evaluate", last.phases.evaluate), ("write", last.phases.write)];
        for (phase, took) in taken {
            phases.sample(&[("phase", phase)], took.as_secs_f64());
        }
        out.family("tierd_run_last_timestamp_seconds", Gauge, "When the last run of this daemon ended.")
            .sample(&[], seconds(last.finished));
    }
    let mut moved =
        out.family("tierd_transitions_total", Counter, "Changes of level since the start; an empty label is no level.");
    for ((set, from, to), count) in &counts.transitions {
        let (from, to) = (from.as_deref().unwrap_or(""), to.as_deref().unwrap_or(""));
        moved.sample(&[("set", set), ("from", from), ("to", to)], *count as f64);
    }
    let mut unknown = out.family(
        "tierd_unknown_subjects",
        Gauge,
        "Subjects whose decision met UNKNOWN in the last run that decided the set.",
    );
    for (set, count) in &counts.unknown {
        unknown.sample(&[("set", set)], *count as f64);
    }
}

/// How the ledger stands. A ledger that isn't there yet, or can't be read, gives no numbers but that.
fn ledger(handle: &Handle, out: &mut Exposition) {
    let reader = handle.reader();
    let numbers = reader.as_ref().ok().and_then(|reader| reader.numbers().ok());
    out.family("tierd_ledger_readable", Gauge, "Whether the ledger is there and can be read.")
        .sample(&[], f64::from(u8::from(numbers.is_some())));
    let (Ok(reader), Some(numbers)) = (reader, numbers) else { return };
    ledger_numbers(&numbers, out);
    levels(handle, &reader, out);
}

fn ledger_numbers(numbers: &Numbers, out: &mut Exposition) {
    out.family("tierd_holds_waiting", Gauge, "Runs that wait for a person.").sample(&[], numbers.holds_waiting as f64);
    out.family("tierd_tasks_open", Gauge, "Tasks that nobody has done yet.").sample(&[], numbers.tasks_open as f64);
    // Events are pulled: how far each receiver is behind, it alone knows.
    out.family(
        "tierd_outbox_last_cursor",
        Gauge,
        "Cursor of the newest event; a receiver that has come so far has seen all.",
    )
    .sample(&[], numbers.last_event as f64);
    let mut missed = out.family("tierd_run_missed_total", Counter, "Slots of a schedule for which there was no run.");
    for (schedule, slots) in &numbers.missed {
        missed.sample(&[("schedule", schedule)], *slots as f64);
    }
}

/// How many subjects have each level, as of the last run that was applied.
fn levels(handle: &Handle, reader: &Reader, out: &mut Exposition) {
    let active = handle.active();
    let mut subjects =
        out.family("tierd_tier_subjects", Gauge, "Subjects that hold each level; an empty label is no level.");
    for set in &active.rules.tier_sets {
        for count in reader.distribution(&set.name).unwrap_or_default() {
            let level = count.level.as_deref().unwrap_or("");
            subjects.sample(&[("set", &set.name), ("level", level)], count.subjects as f64);
        }
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.0 as f64 / tierd_model::MICROS as f64
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
