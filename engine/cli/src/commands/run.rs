use std::path::Path;

use tierd_daemon::{
    report::{RuleReport, SetReport},
    run::{self as runs, Asked, RunReport},
};
use tierd_http::documents;
use tierd_ledger::{Outcome, Override, OverrideFilter};
use tierd_model::Clock;
use tierd_rules::RuleSet;

use crate::{
    args::{Format, RunArgs},
    commands::levels::{distribution_table, push_level},
    exit::{Code, Failure},
    output::{Output, Table, counted, thousands},
    reading,
    session::{self, Session},
};

/// Evaluates all rules, stores the levels, and prints what came of it.
pub(crate) fn run(args: &RunArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::open(folder, output)?;
    let clock = session.clock(args.as_of.as_deref())?;
    // A ledger that can't be read is for the run to report, with what it knows of it.
    let last = session.time_of_last_run().ok().flatten();
    let report = reading::with_progress(&args.reading, &session, &clock, output, |evaluator| match args.dry_run {
        true => runs::dry_run(&session.project, &session.rules, evaluator),
        false => runs::run(&session.project, &session.rules, evaluator, Asked::by_hand(session::now())),
    })?;
    print(&report, &session.rules, &clock, output)?;
    idle_overrides(&session, &report, &clock)?.iter().for_each(|line| output.remark(line));
    if let Some(last) = last.filter(|&last| clock.as_of() < last) {
        let last = session::local_time(last, clock.zone());
        output.remark(&format!(
            "note: the last run was for a later time, {last}; what policies and rules remember is as of then"
        ));
    }
    match (&report.outcome, report.run) {
        (Outcome::Held(_), Some(run)) => Err(Failure::new(Code::Held, waits(run.0))),
        _ => Ok(()),
    }
}

fn waits(run: i64) -> String {
    format!(
        "run {run} exceeds a guard: nothing was changed, and it waits for `tierd approve {run}` or `tierd reject {run}`; \
             `tierd holds {run}` shows what it would change"
    )
}

/// Overrides in force that no customer feels, with why: one that is mistyped would be missed by nobody.
fn idle_overrides(session: &Session, report: &RunReport, clock: &Clock) -> Result<Vec<String>, Failure> {
    if !session.project.ledger(&session.rules.config).exists() {
        return Ok(Vec::new());
    }
    let filter = OverrideFilter { in_force: Some(clock.as_of()), ..OverrideFilter::default() };
    let given = session.reader()?.overrides(filter).map_err(|error| session::ledger_failure(&error))?;
    let why = |one: &Override| {
        let rules = &session.rules;
        let outcome = report.evaluation.outcome.sets.iter().find(|of| rules.tier_sets[of.set.0].name == one.set);
        let Some(outcome) = outcome else { return Some(format!("there is no tier set `{}`", one.set)) };
        let set = &rules.tier_sets[outcome.set.0];
        let subject = &rules.config.subjects[set.subject.0].name;
        if report.evaluation.source(outcome).keys.find(&one.key).is_none() {
            return Some(format!("no {subject} has the key {}", one.key));
        }
        let known = set.levels.iter().any(|level| level.name == one.level);
        (!known).then(|| format!("tier set `{}` has no level `{}`", set.name, one.level))
    };
    let idle = given.iter().filter_map(|one| Some((one.id.0, why(one)?)));
    Ok(idle.map(|(id, why)| format!("override {id} does nothing: {why}")).collect())
}

/// Prints a report in the format asked for.
pub(crate) fn print(report: &RunReport, rules: &RuleSet, clock: &Clock, output: Output) -> Result<(), Failure> {
    match output.format {
        Format::Json => output.json(&documents::Run::of_report(report, rules, clock)),
        Format::Csv => output.table(&distribution(report, rules), false),
        Format::Table => {
            headline(report, rules, clock).iter().for_each(|line| output.remark(line));
            output.remark("");
            output.table(&distribution(report, rules), false)?;
            output.remark("");
            changes(report, rules).iter().for_each(|line| output.remark(line));
            Ok(())
        }
    }
}

fn headline(report: &RunReport, rules: &RuleSet, clock: &Clock) -> Vec<String> {
    let name = report.run.map_or("dry run".to_owned(), |run| format!("run {}", run.0));
    let at = session::local_time(clock.as_of(), clock.zone());
    let mut lines = vec![format!("{name} as of {at}, revision {}", rules.revision.short())];
    let evaluation = &report.evaluation;
    let tables: Vec<String> =
        evaluation.rows(rules).map(|(name, rows)| format!("{} {name}", thousands(rows))).collect();
    let seconds = |d: std::time::Duration| format!("{:.2} s", d.as_secs_f64());
    lines.push(format!(
        "read {} in {}, evaluated in {}{}",
        tables.join(", "),
        seconds(evaluation.read),
        seconds(evaluation.evaluate),
        if report.run.is_some() { format!(", stored in {}", seconds(report.write)) } else { String::new() },
    ));
    lines.extend(evaluation.remarks(rules));
    lines
}

fn distribution(report: &RunReport, rules: &RuleSet) -> Table {
    let mut table = distribution_table();
    for set in &report.sets {
        let total = set.levels.iter().map(|(_, n)| n).sum::<u64>() + set.without_level;
        for (name, subjects) in set.levels.iter().rev() {
            let level = rules.tier_set(&set.name).and_then(|s| s.levels.iter().find(|l| &l.name == name));
            push_level(&mut table, &set.name, Some(name), level.and_then(|l| l.title.clone()), *subjects, total);
        }
        if set.without_level > 0 {
            push_level(&mut table, &set.name, None, None, set.without_level, total);
        }
    }
    table
}

fn changes(report: &RunReport, rules: &RuleSet) -> Vec<String> {
    let mut lines: Vec<String> = report.sets.iter().filter_map(|set| set_changes(set, rules)).collect();
    let is_real = report.run.is_some() && !matches!(report.outcome, Outcome::Held(_));
    let (real, verb) = if is_real { (true, "changed") } else { (false, "would change") };
    match report.outcome {
        Outcome::Unchanged => lines.push(format!("nothing {verb}: every level is as it was")),
        _ if lines.is_empty() && !report.sets.is_empty() => lines.push(format!("no level {verb}")),
        _ => {}
    }
    lines.extend(report.rules.iter().map(|rule| rule_line(rule, real)));
    lines.extend(report.violations.iter().map(|violation| {
        let what = if violation.holds() { "guard" } else { "warning" };
        format!("{what}: {}", violation.message)
    }));
    for set in report.sets.iter().filter(|set| set.unknown > 0) {
        lines.push(format!(
            "{}: a condition was UNKNOWN for {} customers, for want of data; UNKNOWN promotes nobody",
            set.name,
            thousands(set.unknown),
        ));
    }
    for set in report.sets.iter().filter(|set| set.absent > 0) {
        lines.push(format!(
            "{}: {} held levels of customers who are no longer in the data stay",
            set.name,
            thousands(set.absent)
        ));
    }
    lines
}

/// `win_back: acted on 12, held out 2; 20 wait for the limit`; `real` says that it wasn't a dry run.
fn rule_line(rule: &RuleReport, real: bool) -> String {
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
    format!("{}: {said}", rule.name)
}

fn set_changes(set: &SetReport, rules: &RuleSet) -> Option<String> {
    if set.moves.is_empty() {
        return None;
    }
    let name = |level: &Option<String>| level.clone().unwrap_or_else(|| "–".to_owned());
    let mut moves: Vec<_> = set.moves.iter().collect();
    moves.sort_by_key(|m| std::cmp::Reverse(m.subjects));
    let total: u64 = moves.iter().map(|m| m.subjects).sum();
    if moves.iter().all(|m| m.from.is_none()) {
        // The distribution above says it all.
        let subject = rules.tier_set(&set.name).map_or("subject", |set| &rules.config.subjects[set.subject.0].name);
        return Some(format!("{}: first level of {}", set.name, counted(total, subject)));
    }
    let shown = moves.iter().take(6).map(|m| format!("{} → {} {}", name(&m.from), name(&m.to), thousands(m.subjects)));
    let more = if moves.len() > 6 { ", …" } else { "" };
    Some(format!("{}: {}: {}{more}", set.name, counted(total, "change"), shown.collect::<Vec<_>>().join(", ")))
}
