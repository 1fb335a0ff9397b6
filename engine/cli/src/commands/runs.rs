//! `tierd runs`: what was run, what was missed, and making that good.

use std::{path::Path, sync::Arc};

use tierd_daemon::{
    fill::{self, FillPlan, FillRun},
    report::PluginFailure,
    run::{self, Asked, RunReport},
};
use tierd_eval::due::Due;
use tierd_ledger::{Cause, Gap, GapState, Outcome, Run};
use tierd_model::{Clock, MICROS, Zone};
use tierd_rules::ScheduleId;

use crate::{
    args::{Format, RunsCommand, RunsFillArgs, RunsGapsArgs, RunsListArgs},
    exit::{Code, Failure},
    output::{Cell, Output, Table, counted},
    reading,
    session::{self, Session, ledger_failure, local_time},
};

/// More runs than any ledger has.
const ALL: u32 = u32::MAX;

/// Carries out one of its commands.
pub(crate) fn runs(command: &RunsCommand, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::in_force(folder, output)?;
    match command {
        RunsCommand::List(args) => list(args, &session, output),
        RunsCommand::Gaps(args) => gaps(args, &session, output),
        RunsCommand::Fill(args) => fill(args, &session, output),
    }
}

fn list(args: &RunsListArgs, session: &Session, output: Output) -> Result<(), Failure> {
    let limit = if args.schedule.is_some() { ALL } else { args.limit };
    let runs = session.reader()?.runs(limit).map_err(|error| ledger_failure(&error))?;
    let decides = |run: &&Run| match (&args.schedule, &run.schedules) {
        (Some(name), Some(names)) => names.contains(name),
        _ => true,
    };
    let names =
        ["run", "as_of", "cause", "schedules", "outcome", "changes", "actions", "started", "seconds", "message"];
    let mut table = Table::new(names);
    let zone = &session.rules.config.zone;
    runs.iter().filter(decides).take(args.limit as usize).for_each(|run| table.push(run_row(run, zone, output)));
    output.table(&table, false)
}

fn run_row(run: &Run, zone: &Zone, output: Output) -> Vec<Cell> {
    let took = run.finished.0.saturating_sub(run.started.0) as f64 / MICROS as f64;
    let message = match &run.outcome {
        Outcome::Held(message) | Outcome::Failed(message) => Some(first_line(message, output)),
        Outcome::Applied | Outcome::Unchanged => plugins_failed(&PluginFailure::of_run(run)),
    };
    vec![
        Cell::number(run.id.0),
        time(run.as_of, zone, output),
        Cell::text(run.cause.name()),
        Cell::optional(run.schedules.as_ref().map(|names| names.join(", "))),
        Cell::text(run.outcome.name()),
        Cell::number(run.transitions),
        Cell::number(run.actions),
        time(run.started, zone, output),
        Cell::number(format!("{took:.2}")),
        Cell::optional(message),
    ]
}

/// `plugin regions gave nothing for risk (timeout)`
fn plugins_failed(failures: &[PluginFailure]) -> Option<String> {
    let failed = |failure: &PluginFailure| {
        let asked = failure.metric.as_ref().or(failure.rule.as_ref()).map_or("", String::as_str);
        format!("plugin {} gave nothing for {asked} ({})", failure.plugin, failure.reason)
    };
    let all: Vec<String> = failures.iter().map(failed).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// People get the first line of a long message; programs all of it.
fn first_line(message: &str, output: Output) -> String {
    let line = if output.format == Format::Table { message.lines().next().unwrap_or_default() } else { message };
    line.to_owned()
}

/// On the clock of the project for people, in UTC for programs.
fn time(at: tierd_model::Timestamp, zone: &Zone, output: Output) -> Cell {
    Cell::text(if output.format == Format::Table { local_time(at, zone) } else { at.to_string() })
}

fn gaps(args: &RunsGapsArgs, session: &Session, output: Output) -> Result<(), Failure> {
    let gaps = session.reader()?.gaps(args.schedule.as_deref()).map_err(|error| ledger_failure(&error))?;
    let shown: Vec<&Gap> = gaps.iter().filter(|gap| args.all || gap.state == GapState::Open).collect();
    if shown.is_empty() && output.format == Format::Table {
        output.remark(if gaps.is_empty() { "no gaps" } else { "no open gaps; --all shows the others" });
        return Ok(());
    }
    let mut table = Table::new(["schedule", "first", "last", "slots", "filled", "reason", "state", "noted"]);
    let zone = &session.rules.config.zone;
    for gap in shown {
        table.push(vec![
            Cell::text(&gap.schedule),
            time(gap.first, zone, output),
            time(gap.last, zone, output),
            Cell::number(gap.slots),
            Cell::number(gap.filled),
            Cell::text(gap.reason.name()),
            Cell::text(gap.state.name()),
            time(gap.noted, zone, output),
        ]);
    }
    output.table(&table, false)
}

fn fill(args: &RunsFillArgs, session: &Session, output: Output) -> Result<(), Failure> {
    let schedules = session.rules.schedules.iter().map(|schedule| schedule.name.as_str());
    if let Some(name) = args.schedule.as_deref().filter(|name| !schedules.clone().any(|one| one == *name)) {
        return Err(session::unknown("no schedule", name, schedules));
    }
    let plan = fill::read_plan(&session.rules, &session.reader()?, args.schedule.as_deref());
    let plan = plan.map_err(|error| ledger_failure(&error))?;
    refusals(&plan, &session.rules.config.zone).iter().for_each(|line| output.remark(line));
    if plan.runs.is_empty() {
        output.remark("nothing to fill");
    }
    let mut table = Table::new(["slot", "schedules", "run", "outcome"]);
    let stopped = match args.dry_run {
        true => {
            plan.runs.iter().for_each(|run| table.push(fill_row(run, None, session, output)));
            None
        }
        false => fill_all(&plan, args, session, output, &mut table),
    };
    if !plan.runs.is_empty() || output.format != Format::Table {
        output.table(&table, false)?;
    }
    stopped.map_or(Ok(()), Err)
}

/// Makes the runs, and returns why it stopped before the last.
fn fill_all(
    plan: &FillPlan,
    args: &RunsFillArgs,
    session: &Session,
    output: Output,
    table: &mut Table,
) -> Option<Failure> {
    for run in &plan.runs {
        let report = match fill_one(run, args, session, output) {
            Ok(report) => report,
            Err(failure) => return Some(failure),
        };
        table.push(fill_row(run, Some(&report), session, output));
        if let Outcome::Held(message) = &report.outcome {
            let held = format!("a run waits for a person, and the others after it: {message}");
            return Some(Failure::new(Code::Held, held));
        }
    }
    None
}

fn fill_one(run: &FillRun, args: &RunsFillArgs, session: &Session, output: Output) -> Result<RunReport, Failure> {
    let Session { project, rules } = session;
    let clock = Clock::new(run.slot, Arc::clone(&rules.config.zone));
    let is_due = |id: &usize| run.schedules.contains(&rules.schedules[*id].name);
    let due = Due::by((0..rules.schedules.len()).filter(is_due).map(ScheduleId).collect());
    let asked = Asked { cause: Cause::Fill, schedules: Some(&run.schedules), started: session::now(), activates: true };
    reading::deciding(&due, &args.reading, session, &clock, output, |evaluator| {
        run::run(project, rules, evaluator, asked)
    })
}

fn fill_row(run: &FillRun, report: Option<&RunReport>, session: &Session, output: Output) -> Vec<Cell> {
    let id = report.and_then(|report| report.run);
    vec![
        time(run.slot, &session.rules.config.zone, output),
        Cell::text(run.schedules.join(", ")),
        id.map_or(Cell::Null, |id| Cell::number(id.0)),
        Cell::optional(report.map(|report| report.outcome.name())),
    ]
}

/// One line for each gap that can't be made good.
fn refusals(plan: &FillPlan, zone: &Zone) -> Vec<String> {
    let line = |refused: &fill::Unfillable| {
        let (first, last) = (local_time(refused.first, zone), local_time(refused.last, zone));
        let range = if refused.first == refused.last { first } else { format!("{first} to {last}") };
        let slots = counted(refused.slots, "slot");
        format!("{}: {slots} can't be made good ({range}): {}", refused.schedule, refused.why)
    };
    plan.refused.iter().map(line).collect()
}
