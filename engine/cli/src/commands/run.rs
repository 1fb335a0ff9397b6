//! `tierd run`: by the daemon where one answers, and else here.

mod by_daemon;
mod show;

use std::path::Path;

use tierd_daemon::run::{self as runs, Asked, RunReport};
use tierd_http::{client::Client, documents};
use tierd_ledger::{Outcome, Override, OverrideFilter};
use tierd_model::Clock;
use tierd_rules::RuleSet;

use crate::{
    args::RunArgs,
    exit::{Code, Failure},
    output::Output,
    reading,
    session::{self, Session},
};

/// Evaluates all rules, stores the levels, and prints what came of it.
pub(crate) fn run(args: &RunArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let daemon = if args.dry_run { None } else { Client::find(&session::open_project(folder)?) };
    match daemon {
        Some(client) => by_daemon::run(&client, args, folder, output),
        None => run_here(args, folder, output),
    }
}

fn run_here(args: &RunArgs, folder: &Path, output: Output) -> Result<(), Failure> {
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
    let document = documents::Run::of_report(report, rules, clock);
    show::print(&document, &report.evaluation.remarks(rules), rules, output)
}
