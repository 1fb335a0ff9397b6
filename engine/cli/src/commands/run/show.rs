//! What came of a run, for people and for programs.

use tierd_http::documents::{Change, PluginFailure, RuleOutcome, Run, SetOutcome};
use tierd_model::{Zone, parse_timestamp};
use tierd_rules::RuleSet;

use crate::{
    args::Format,
    commands::levels::{distribution_table, push_level},
    exit::Failure,
    output::{Output, Table, counted, thousands},
    session,
};

/// Prints a run in the format asked for; `remarks` are on the data that it read.
pub(super) fn print(run: &Run, remarks: &[String], rules: &RuleSet, output: Output) -> Result<(), Failure> {
    match output.format {
        Format::Json => output.json(run),
        Format::Csv => output.table(&distribution(run, rules), false),
        Format::Table => {
            let failures: Vec<String> = run.plugin_failures.iter().map(plugin_failed).collect();
            let lines = headline(run, &rules.config.zone);
            lines.iter().chain(remarks).chain(&failures).for_each(|line| output.remark(line));
            output.remark("");
            output.table(&distribution(run, rules), false)?;
            output.remark("");
            changes(run, rules).iter().for_each(|line| output.remark(line));
            Ok(())
        }
    }
}

fn headline(run: &Run, zone: &Zone) -> [String; 2] {
    let name = run.run.map_or("dry run".to_owned(), |run| format!("run {run}"));
    let as_of = parse_timestamp(run.as_of.as_bytes()).map(|civil| session::local_time(civil.instant(zone), zone));
    let (as_of, revision) = (as_of.unwrap_or_else(|| run.as_of.clone()), run.revision.get(..12).unwrap_or_default());
    let rows =
        run.rows.iter().flatten().map(|(name, rows)| format!("{} {name}", thousands(rows.as_u64().unwrap_or(0))));
    let seconds = |milliseconds: f64| format!("{:.2} s", milliseconds / 1000.0);
    let stored = run.run.map(|_| format!(", stored in {}", seconds(run.write_ms))).unwrap_or_default();
    let held = if run.run.is_some() && run.outcome == "held" { ": held, nothing is changed" } else { "" };
    [
        format!("{name} as of {as_of}, revision {revision}{held}"),
        format!(
            "read {} in {}, evaluated in {}{stored}",
            rows.collect::<Vec<_>>().join(", "),
            seconds(run.read_ms),
            seconds(run.evaluate_ms),
        ),
    ]
}

/// `risk is NULL for 1,000 customers: plugin regions, function f: the call took more than 2000 ms`
fn plugin_failed(failure: &PluginFailure) -> String {
    let PluginFailure { metric, rule, plugin, function, message, subjects, .. } = failure;
    let customers = thousands(*subjects);
    let so = match (metric, rule) {
        (Some(metric), _) => format!("{metric} is NULL for {customers} customers"),
        (None, rule) => format!("{} acts on nobody, {customers} customers wait", rule.as_deref().unwrap_or("a rule")),
    };
    format!("{so}: plugin {plugin}, function {function}: {message}")
}

fn distribution(run: &Run, rules: &RuleSet) -> Table {
    let mut table = distribution_table();
    for set in run.sets.iter().flatten() {
        let total = set.levels.iter().map(|level| level.customers).sum::<u64>() + set.without_level;
        for count in set.levels.iter().rev() {
            let level = rules.tier_set(&set.set).and_then(|s| s.levels.iter().find(|level| level.name == count.level));
            let title = level.and_then(|level| level.title.clone());
            push_level(&mut table, &set.set, Some(&count.level), title, count.customers, total);
        }
        if set.without_level > 0 {
            push_level(&mut table, &set.set, None, None, set.without_level, total);
        }
    }
    table
}

fn changes(run: &Run, rules: &RuleSet) -> Vec<String> {
    let sets = run.sets.as_deref().unwrap_or_default();
    let mut lines: Vec<String> = sets.iter().filter_map(|set| set_changes(set, rules)).collect();
    let is_real = run.run.is_some() && run.outcome != "held";
    let (real, verb) = if is_real { (true, "changed") } else { (false, "would change") };
    match run.outcome.as_str() {
        "unchanged" => lines.push(format!("nothing {verb}: every level is as it was")),
        _ if lines.is_empty() && !sets.is_empty() => lines.push(format!("no level {verb}")),
        _ => {}
    }
    lines.extend(run.rules.iter().flatten().map(|rule| rule_line(rule, real)));
    lines.extend(run.violations.iter().flatten().map(|violation| {
        let what = if violation.holds { "guard" } else { "warning" };
        format!("{what}: {}", violation.message)
    }));
    // A daemon's run has only the message.
    let message = run.message.as_ref().filter(|_| run.outcome == "held" && run.violations.is_none());
    lines.extend(message.map(|message| format!("guard: {message}")));
    for (set, unknown) in sets.iter().filter_map(|set| Some((set, set.unknown.filter(|unknown| *unknown > 0)?))) {
        lines.push(format!(
            "{}: a condition was UNKNOWN for {} customers, for want of data; UNKNOWN promotes nobody",
            set.set,
            thousands(unknown),
        ));
    }
    for set in sets.iter().filter(|set| set.absent > 0) {
        lines.push(format!(
            "{}: {} held levels of customers who are no longer in the data stay",
            set.set,
            thousands(set.absent)
        ));
    }
    lines
}

/// `win_back: acted on 12, held out 2; 20 wait for the limit`; `real` says that it wasn't a dry run.
fn rule_line(rule: &RuleOutcome, real: bool) -> String {
    let counts = |counts: Vec<(u64, String)>| {
        let some = counts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text);
        some.collect::<Vec<_>>().join(", ")
    };
    let said = |count: u64, done: &str, would: &str| {
        (count, format!("{} {}", if real { done } else { would }, thousands(count)))
    };
    let acts = vec![
        said(rule.acted, "acted on", "would act on"),
        said(rule.held_out, "held out", "would hold out"),
        (rule.shadow, format!("would act on {} if it weren't in shadow mode", thousands(rule.shadow))),
    ];
    let waiting = &rule.waiting;
    let wait = |count: u64, what: &str| {
        (count, format!("{} {} for {what}", thousands(count), if count == 1 { "waits" } else { "wait" }))
    };
    let waits = vec![
        wait(waiting.hold_for, "the time that `for` asks"),
        wait(waiting.cooldown, "the cool-down"),
        wait(waiting.group, "another rule of the group"),
        wait(waiting.limit, "the limit"),
        wait(waiting.plugin, "the plugin to work"),
    ];
    let mut parts = vec![counts(acts), counts(waits)];
    if rule.held.is_some() {
        parts.push("more than its limit allows".to_owned());
    }
    if rule.unknown > 0 {
        parts.push(format!("UNKNOWN for {}", thousands(rule.unknown)));
    }
    parts.retain(|part| !part.is_empty());
    let said = if parts.is_empty() { "nobody".to_owned() } else { parts.join("; ") };
    format!("{}: {said}", rule.rule)
}

fn set_changes(set: &SetOutcome, rules: &RuleSet) -> Option<String> {
    if set.changes.is_empty() {
        return None;
    }
    let name = |level: &Option<String>| level.clone().unwrap_or_else(|| "–".to_owned());
    let mut moves: Vec<&Change> = set.changes.iter().collect();
    moves.sort_by_key(|m| std::cmp::Reverse(m.customers));
    let total: u64 = moves.iter().map(|m| m.customers).sum();
    if moves.iter().all(|m| m.from.is_none()) {
        // The distribution above says it all.
        let subject = rules.tier_set(&set.set).map_or("subject", |set| &rules.config.subjects[set.subject.0].name);
        return Some(format!("{}: first level of {}", set.set, counted(total, subject)));
    }
    let shown = moves.iter().take(6).map(|m| format!("{} → {} {}", name(&m.from), name(&m.to), thousands(m.customers)));
    let more = if moves.len() > 6 { ", …" } else { "" };
    Some(format!("{}: {}: {}{more}", set.set, counted(total, "change"), shown.collect::<Vec<_>>().join(", ")))
}
