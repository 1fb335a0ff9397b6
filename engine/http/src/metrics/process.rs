//! The process itself, under the names that Prometheus' own libraries use. Only where there is `/proc`.

use std::fs;

use super::exposition::{
    Exposition,
    Kind::{Counter, Gauge},
};

/// Linux tells times of processes in hundredths of a second on every machine that tierd is built for.
const TICKS: f64 = 100.0;

pub(super) fn write(out: &mut Exposition) {
    if let Some(bytes) = resident() {
        out.family("process_resident_memory_bytes", Gauge, "Memory that is in use.").sample(&[], bytes);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        out.family("process_open_fds", Gauge, "Open file descriptors.").sample(&[], open.count() as f64);
    }
    if let Some(limit) = open_limit() {
        out.family("process_max_fds", Gauge, "How many file descriptors may be open.").sample(&[], limit);
    }
    let Some((cpu, started)) = times() else { return };
    out.family("process_cpu_seconds_total", Counter, "Processor time spent, by user and system.").sample(&[], cpu);
    out.family("process_start_time_seconds", Gauge, "When the process started.").sample(&[], started);
}

fn resident() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

fn open_limit() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?.parse().ok()
}

/// Processor time, and the start as seconds since 1970.
fn times() -> Option<(f64, f64)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may hold anything; fields count from after it, where the state is the third.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    let boot = fs::read_to_string("/proc/stat").ok()?;
    let boot: f64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(((field(14)? + field(15)?) / TICKS, boot + field(22)? / TICKS))
}
