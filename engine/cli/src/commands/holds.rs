//! `tierd holds`, `tierd approve`, `tierd reject`: runs that wait for a person.

use std::path::Path;

use serde_json::{Value as Json, json};
use tierd_daemon::{
    approval::{self, ApproveError},
    run::RunError,
    shown::{Shown, ShownSet},
};
use tierd_ledger::{Hold, Outcome, RunId, Verdict};
use tierd_model::Zone;
use tierd_sources::Progress;

use crate::{
    args::{Format, HoldsArgs, VerdictArgs},
    exit::{Code, Failure},
    output::{Cell, Output, Table, counted, thousands},
    reading,
    session::{self, Session, ledger_failure},
};

/// So many holds are listed, the latest.
const LISTED: u32 = 100;

/// Lists held runs, or shows one.
pub(crate) fn holds(args: &HoldsArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::in_force(folder, output)?;
    let (reader, zone) = (session.reader()?, &session.rules.config.zone);
    match args.run {
        Some(run) => {
            let hold = reader.hold(RunId(run)).map_err(|error| ledger_failure(&error))?;
            let none = || Failure::new(Code::Failed, tierd_ledger::ErrorKind::NoHold(run));
            show(&hold.ok_or_else(none)?, zone, output)
        }
        None => {
            let all = reader.holds(!args.all, LISTED).map_err(|error| ledger_failure(&error))?;
            if all.is_empty() && output.format == Format::Table {
                output.remark(if args.all { "no run was ever held" } else { "no run waits" });
                return Ok(());
            }
            output.table(&list(&all, zone), false)
        }
    }
}

/// Applies a held run.
pub(crate) fn approve(args: &VerdictArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::in_force(folder, output)?;
    session.reader()?;
    let (hold, verdict) = (RunId(args.run), verdict(args));
    let applied = approval::approve(&session.project, &session.rules, hold, verdict, &Progress::default());
    let report = applied.map_err(|error| not_approved(&error, &session, output))?;
    let run = report.run.map_or(0, |run| run.0);
    for set in report.sets.iter().filter(|set| !set.moves.is_empty()) {
        let changes = set.moves.iter().map(|moved| moved.subjects).sum();
        output.remark(&format!("{}: {}", set.name, counted(changes, "change")));
    }
    for rule in &report.rules {
        output.remark(&format!("{}: acted on {}", rule.name, thousands(rule.acted)));
    }
    output.remark(&format!("run {run} has applied what run {} showed", args.run));
    said(output, run, &json!({ "hold": args.run, "state": "approved", "run": run, "outcome": report.outcome.name() }))
}

/// Has a held run never applied.
pub(crate) fn reject(args: &VerdictArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::in_force(folder, output)?;
    session.reader()?;
    approval::reject(&session.project, &session.rules, RunId(args.run), verdict(args))
        .map_err(|error| run_failure(&error, &session, output))?;
    output.remark(&format!("run {} is rejected; nothing of it is applied", args.run));
    said(output, args.run, &json!({ "hold": args.run, "state": "rejected" }))
}

fn said(output: Output, run: i64, document: &Json) -> Result<(), Failure> {
    match output.format {
        Format::Json => output.json(document),
        _ => output.line(&run.to_string()),
    }
}

fn verdict(args: &VerdictArgs) -> Verdict<'_> {
    Verdict { at: session::now(), by: &args.by, why: &args.why }
}

fn not_approved(error: &ApproveError, session: &Session, output: Output) -> Failure {
    match error {
        ApproveError::Run(error) => run_failure(error, session, output),
        ApproveError::Rules { .. } => Failure::new(Code::Config, error),
        ApproveError::MovedOn(_) => Failure::new(Code::Held, error),
    }
}

fn run_failure(error: &RunError, session: &Session, output: Output) -> Failure {
    match error {
        RunError::Ledger(error) => ledger_failure(error),
        error => reading::failure(error, &session.rules, output),
    }
}

fn list(all: &[Hold], zone: &Zone) -> Table {
    let names = ["run", "as_of", "state", "why_held", "schedules", "by", "why", "followed"];
    let mut table = Table::new(names);
    for hold in all {
        let schedules = hold.run.schedules.as_ref().map(|names| names.join(", "));
        table.push(vec![
            Cell::number(hold.run.id.0),
            Cell::text(session::local_time(hold.run.as_of, zone)),
            Cell::text(hold.state.name()),
            Cell::text(message(hold)),
            Cell::optional(schedules),
            Cell::optional(hold.by.as_deref()),
            Cell::optional(hold.why.as_deref()),
            hold.followed.map_or(Cell::Null, |run| Cell::number(run.0)),
        ]);
    }
    table
}

fn message(hold: &Hold) -> &str {
    match &hold.run.outcome {
        Outcome::Held(message) => message,
        _ => "",
    }
}

fn show(hold: &Hold, zone: &Zone, output: Output) -> Result<(), Failure> {
    let shown = Shown::parse(&hold.shown)
        .map_err(|error| Failure::new(Code::Failed, format!("the hold is of another version of tierd: {error}")))?;
    match output.format {
        Format::Json => output.json(&document(hold, &shown)),
        Format::Csv => output.table(&cells(&shown), false),
        Format::Table => for_people(hold, &shown, zone, output),
    }
}

fn document(hold: &Hold, shown: &Shown) -> Json {
    json!({
        "run": hold.run.id.0,
        "as_of": hold.run.as_of.to_string(),
        "revision": hold.run.revision.to_string(),
        "cause": hold.run.cause.name(),
        "schedules": hold.run.schedules,
        "message": message(hold),
        "state": hold.state.name(),
        "at": hold.at.map(|at| at.to_string()),
        "by": hold.by,
        "why": hold.why,
        "followed": hold.followed.map(|run| run.0),
        "shown": shown,
    })
}

/// Who goes where, a row for each pair of levels.
fn cells(shown: &Shown) -> Table {
    let mut table = Table::new(["set", "from", "to", "customers"]);
    for set in &shown.sets {
        for cell in &set.matrix {
            let (from, to) = (Cell::optional(cell.from.as_deref()), Cell::optional(cell.to.as_deref()));
            table.push(vec![Cell::text(&set.set), from, to, Cell::number(cell.subjects)]);
        }
    }
    table
}

fn for_people(hold: &Hold, shown: &Shown, zone: &Zone, output: Output) -> Result<(), Failure> {
    let (run, at) = (hold.run.id.0, session::local_time(hold.run.as_of, zone));
    output.line(&format!(
        "run {run} as of {at}, revision {}: {}",
        &hold.run.revision.to_string()[..12],
        hold.state.name()
    ))?;
    match shown.violations.is_empty() {
        true => output.line(&format!("  {}", message(hold)))?,
        false => shown.violations.iter().try_for_each(|violation| {
            let what = if violation.holds { "held" } else { "warning" };
            output.line(&format!("  {what}: {}", violation.message))
        })?,
    }
    for set in &shown.sets {
        output.line("")?;
        show_set(set, output)?;
    }
    if !shown.rules.is_empty() {
        output.line("")?;
        output.table(&rules(shown), false)?;
    }
    if hold.state == tierd_ledger::HoldState::Waiting {
        output.remark("");
        output.remark(&format!("tierd approve {run} --by NAME --why … applies this; tierd reject {run} … never does"));
    }
    Ok(())
}

fn show_set(set: &ShownSet, output: Output) -> Result<(), Failure> {
    if set.matrix.iter().all(|cell| cell.from == cell.to) {
        return output.line(&format!("{}: nobody would move", set.set));
    }
    output.line(&format!("{}: from (rows) to (columns)", set.set))?;
    output.table(&matrix(set), false)?;
    if !set.proposals.is_empty() {
        output.line("")?;
        output.line("thresholds that would keep to the guard")?;
        set.proposals.iter().try_for_each(|proposal| output.line(&format!("  {proposal}")))?;
    }
    if set.movers.is_empty() {
        return Ok(());
    }
    output.line("")?;
    output.line(&format!("{}: those who move furthest", set.set))?;
    output.table(&movers(set), false)
}

/// Who goes where, as a square; the highest level first.
fn matrix(set: &ShownSet) -> Table {
    let shown: Vec<_> =
        set.levels.iter().rev().filter(|level| level.level.is_some() || level.before + level.after > 0).collect();
    let name = |level: &Option<String>| level.clone().unwrap_or_else(|| "no level".to_owned());
    let to = shown.iter().map(|level| name(&level.level));
    let columns = ["".to_owned()].into_iter().chain(to).chain(["before".to_owned()]);
    let mut table = Table::new(columns);
    for from in &shown {
        let count = |to: &Option<String>| {
            let cell = set.matrix.iter().find(|cell| cell.from == from.level && cell.to == *to);
            Cell::number(thousands(cell.map_or(0, |cell| cell.subjects)))
        };
        let counts = shown.iter().map(|to| count(&to.level));
        let total = Cell::number(thousands(from.before));
        table.push([Cell::text(name(&from.level))].into_iter().chain(counts).chain([total]).collect());
    }
    let after = shown.iter().map(|level| Cell::number(thousands(level.after)));
    table.push([Cell::text("after")].into_iter().chain(after).chain([Cell::Null]).collect());
    table
}

fn movers(set: &ShownSet) -> Table {
    let metrics: Vec<&String> = set.movers.first().map_or_else(Vec::new, |mover| mover.metrics.keys().collect());
    let columns = ["customer", "from", "to"].into_iter().chain(metrics.iter().map(|name| name.as_str()));
    let mut table = Table::new(columns);
    for mover in &set.movers {
        let metrics = metrics.iter().map(|name| cell(mover.metrics.get(*name)));
        let to = Cell::optional(mover.to.as_deref());
        table.push([cell(Some(&mover.key)), Cell::text(&mover.from), to].into_iter().chain(metrics).collect());
    }
    table
}

fn cell(value: Option<&Json>) -> Cell {
    match value {
        None | Some(Json::Null) => Cell::Null,
        Some(Json::Number(number)) => Cell::number(number),
        Some(Json::String(text)) => Cell::text(text),
        Some(other) => Cell::text(other.to_string()),
    }
}

fn rules(shown: &Shown) -> Table {
    let mut table = Table::new(["rule", "acts_on", "held_out", "shadow"]);
    for rule in &shown.rules {
        let counts = [rule.acted, rule.held_out, rule.shadow].map(|count| Cell::number(thousands(count)));
        table.push([Cell::text(&rule.rule)].into_iter().chain(counts).collect());
    }
    table
}
