//! `tierd doctor`: whether a project has what a daemon needs, a line for each thing, and what to do where it hasn't.
//!
//! It changes nothing, and takes no lock that a daemon could wait for. What a command would find out by failing is looked at here
//! before it fails: owners of files, free space, limits of the system, the clock.

mod data;
mod files;
mod machine;

use std::path::Path;

use tierd_daemon::Project;
use tierd_rules::RuleSet;

use crate::{
    args::{DoctorArgs, Format},
    exit::{Code, Failure},
    output::{Cell, Output, Table},
    session,
};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    what: &'static str,
    state: State,
    found: String,
    /// What to do.
    fix: Option<String>,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// It keeps a daemon from its work, now or soon.
    Bad,
}

impl Finding {
    fn ok(what: &'static str, found: impl ToString) -> Self {
        Finding { what, state: State::Ok, found: found.to_string(), fix: None }
    }

    fn note(what: &'static str, found: impl ToString, fix: impl ToString) -> Self {
        Finding { what, state: State::Note, found: found.to_string(), fix: Some(fix.to_string()) }
    }

    fn bad(what: &'static str, found: impl ToString, fix: impl ToString) -> Self {
        Finding { what, state: State::Bad, found: found.to_string(), fix: Some(fix.to_string()) }
    }
}

/// Looks at everything, and fails where something is bad.
pub(crate) fn doctor(args: &DoctorArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let project = session::open_project(folder)?;
    // Who only asks whether a daemon serves needs no rules where one answers.
    if let Some(daemon) = machine::answering(&project).filter(|_| args.serving) {
        return show(&[daemon], output);
    }
    let (on_disk, mut findings) = files::rules(&project);
    // Broken files keep no daemon from its work: it goes on with the last good ones.
    let rules = match on_disk {
        Some(rules) => Some(rules),
        None => data::last_good(&project).unwrap_or_else(|finding| {
            findings.push(finding);
            None
        }),
    };
    match &rules {
        Some(rules) if args.serving => findings = vec![machine::must_serve(&project, rules)],
        Some(rules) => findings.extend(of_rules(&project, rules)),
        None => {}
    }
    show(&findings, output)?;
    match findings.iter().any(|finding| finding.state == State::Bad) {
        true => Err(Failure::silent(Code::Failed)),
        false => Ok(()),
    }
}

fn of_rules(project: &Project, rules: &RuleSet) -> Vec<Finding> {
    let mut findings = vec![files::schedules(rules), data::sqlite()];
    findings.extend(data::database(project, rules));
    findings.extend(data::ledger(project, rules));
    findings.push(machine::disk(project, rules));
    findings.push(machine::clock(project, rules));
    findings.push(machine::zone(rules));
    findings.push(machine::watches(project, rules));
    findings.push(files::token(project, rules));
    findings.push(files::socket(project, rules));
    findings.push(machine::daemon(project, rules));
    findings
}

fn show(findings: &[Finding], output: Output) -> Result<(), Failure> {
    let mut table = Table::new(["check", "state", "found", "fix"]);
    for finding in findings {
        let state = match finding.state {
            State::Ok => "ok",
            State::Note => "note",
            State::Bad => "bad",
        };
        let cells = [Cell::text(finding.what), Cell::text(state), Cell::text(&finding.found)];
        table.push(cells.into_iter().chain([Cell::optional(finding.fix.as_deref())]).collect());
    }
    if output.format != Format::Table {
        return output.table(&table, false);
    }
    for finding in findings.iter().filter(|finding| !output.quiet || finding.state == State::Bad) {
        let mark = match finding.state {
            State::Ok => "ok  ",
            State::Note => "note",
            State::Bad => "BAD ",
        };
        let fix = finding.fix.as_ref().map(|fix| format!("\n      → {fix}")).unwrap_or_default();
        output.line(&format!("{mark}  {}: {}{fix}", finding.what, finding.found))?;
    }
    Ok(())
}
