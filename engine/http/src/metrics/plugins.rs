//! Plugins: calls, failures and what they took, by the name in rules. Counted since the start, by content: a new file begins anew.

use tierd_daemon::{BreakerState, PluginStats, serve::Handle};

use super::exposition::{
    Exposition,
    Kind::{Counter, Gauge},
};

/// Nothing where no plugin was ever called.
pub(super) fn write(handle: &Handle, out: &mut Exposition) {
    let stats = of_the_rules(handle);
    if stats.is_empty() {
        return;
    }
    let mut each = |name, kind, help, value: fn(&PluginStats) -> f64| {
        let mut family = out.family(name, kind, help);
        for (plugin, stats) in &stats {
            family.sample(&[("plugin", plugin)], value(stats));
        }
    };
    each("tierd_plugin_calls_total", Counter, "Calls of a plugin; a metric of a run is one.", |stats| {
        stats.calls as f64
    });
    each("tierd_plugin_rows_total", Counter, "Rows that a plugin was given.", |stats| stats.rows as f64);
    each("tierd_plugin_seconds_total", Counter, "Seconds that calls of a plugin took.", |stats| stats.seconds);
    each("tierd_plugin_memory_peak_bytes", Gauge, "The most memory that an instance of a plugin had.", |stats| {
        stats.memory_peak as f64
    });
    each("tierd_plugin_resting", Gauge, "Whether a plugin is left alone after failures in a row (1).", |stats| {
        f64::from(u8::from(stats.breaker != BreakerState::Closed))
    });
    let mut failures =
        out.family("tierd_plugin_failures_total", Counter, "Calls of a plugin that gave nothing, by reason.");
    for (plugin, stats) in &stats {
        for (reason, times) in &stats.failures {
            failures.sample(&[("plugin", plugin), ("reason", reason.word())], *times as f64);
        }
    }
}

/// Those of the rules in force that have been called, by name.
fn of_the_rules(handle: &Handle) -> Vec<(String, PluginStats)> {
    let all = handle.project().plugin_stats();
    let active = handle.active();
    let of = |plugin: &tierd_rules::plugin::Plugin| {
        let stats = all.iter().find(|stats| stats.hash == plugin.file.hash)?;
        Some((plugin.name.clone(), stats.clone()))
    };
    active.rules.plugins.iter().filter_map(of).collect()
}
