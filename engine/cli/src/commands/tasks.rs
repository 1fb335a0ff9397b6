//! `tierd tasks`: what retention rules ask people to do.

use std::path::Path;

use tierd_ledger::{Task, TaskFilter};
use tierd_model::Date;

use super::overrides::key_cell;
use crate::{
    args::{Format, TasksCommand, TasksDoneArgs, TasksListArgs, TasksSnoozeArgs},
    exit::{Code, Failure},
    output::{Cell, Output, Table},
    session::{self, Session, ledger_failure},
};

/// Ids are unique by far fewer characters than they have.
const SHOWN_ID: usize = 12;

/// Carries out one of its commands.
pub(crate) fn tasks(command: &TasksCommand, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::in_force(folder, output)?;
    match command {
        TasksCommand::List(args) => list(args, &session, output),
        TasksCommand::Done(args) => done(args, &session, output),
        TasksCommand::Snooze(args) => snooze(args, &session, output),
    }
}

fn list(args: &TasksListArgs, session: &Session, output: Output) -> Result<(), Failure> {
    let today = session.clock(None)?.today();
    let rules = session.rules.retention.iter().map(|rule| rule.name.as_str());
    if let Some(name) = args.rule.as_deref().filter(|name| !rules.clone().any(|rule| rule == *name)) {
        return Err(session::unknown("no retention rule", name, rules));
    }
    let filter = TaskFilter {
        open: (!args.all).then_some(today),
        overdue: args.overdue.then_some(today),
        owner: args.owner.as_deref(),
        rule: args.rule.as_deref(),
        ..TaskFilter::default()
    };
    let tasks = session.reader()?.tasks(filter).map_err(|error| ledger_failure(&error))?;
    let names = [
        "task",
        "due",
        "state",
        "snoozed_until",
        "owner",
        "title",
        "key",
        "channel",
        "text",
        "rule",
        "escalates",
        "to",
        "by",
        "note",
    ];
    let mut table = Table::new(names);
    // Programs get the whole id, which events have as well.
    let shown = if output.format == Format::Table { SHOWN_ID } else { usize::MAX };
    tasks.iter().for_each(|task| table.push(row(task, today, shown)));
    if tasks.is_empty() && output.format == Format::Table {
        output.remark("no such tasks");
        return Ok(());
    }
    output.table(&table, false)
}

fn row(task: &Task, today: Date, shown: usize) -> Vec<Cell> {
    let day = |day: Option<Date>| Cell::optional(day.map(|day| day.to_string()));
    // Once it has escalated, or can't any more, when it would is of no interest.
    let escalate = task.escalate.as_ref().filter(|_| task.escalated.is_none() && task.done.is_none());
    let done = task.done.as_ref();
    vec![
        Cell::text(&task.id[..shown.min(task.id.len())]),
        day(task.due),
        Cell::text(task.state(today)),
        day(task.snoozed_until.filter(|_| task.is_snoozed(today))),
        Cell::optional(task.owner.as_deref()),
        Cell::text(&task.title),
        key_cell(&task.key),
        Cell::optional(task.channel.as_deref()),
        Cell::optional(task.text.as_deref()),
        Cell::text(&task.rule),
        day(escalate.map(|(day, _)| *day)),
        Cell::optional(escalate.map(|(_, to)| to.as_str())),
        Cell::optional(done.map(|done| done.by.as_str())),
        Cell::optional(done.and_then(|done| done.note.as_deref())),
    ]
}

fn done(args: &TasksDoneArgs, session: &Session, output: Output) -> Result<(), Failure> {
    let finished = session.existing_ledger("tierd tasks done")?.finish_task(
        &args.id,
        session::now(),
        &args.by,
        args.note.as_deref(),
    );
    let id = finished.map_err(|error| ledger_failure(&error))?;
    output.remark(&format!("task {id} is done"));
    Ok(())
}

fn snooze(args: &TasksSnoozeArgs, session: &Session, output: Output) -> Result<(), Failure> {
    let until = session::parse_day(&args.until)?;
    if until <= session.clock(None)?.today() {
        return Err(Failure::new(Code::Failed, format!("--until {until} has come already; name a later day")));
    }
    let snoozed = session.existing_ledger("tierd tasks snooze")?.snooze_task(&args.id, until, &args.by);
    let id = snoozed.map_err(|error| ledger_failure(&error))?;
    output.remark(&format!("task {id} is put off until {until}"));
    Ok(())
}
