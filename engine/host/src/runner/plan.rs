//! Planners: what is to be done, held against what an operator has granted.

use arrow_array::ArrayRef;
use serde_json::{Map, Value as Json};
use tierd_eval::plugin::{Proposal, ProposedAction};
use tierd_rules::plugin::PluginGrants;

use super::{
    calling::{Calling, bytes_for, columns},
    column::batches,
    work,
};
use crate::{
    contract::{GivenAction, GivenProposal},
    fault::{Fault, Reason},
    sandbox::BATCH_ROWS,
};

/// Characters of a title, an owner and a channel at most.
const LINE_CHARS: usize = 200;
/// Characters of a text at most.
const TEXT_CHARS: usize = 4000;
/// Bytes of an event's data at most.
const DATA_BYTES: usize = 16 << 10;
/// Days from today that a task may be due in.
const DUE_DAYS: u32 = 3660;

/// The proposals for all rows.
pub(super) fn plan(calling: &Calling<'_>, inputs: &[ArrayRef], rows: usize) -> Result<Vec<Proposal>, Fault> {
    calling.check_inputs(inputs, rows)?;
    if !calling.is_planner() {
        return Err(Fault::new(Reason::Missing, format!("a {} proposes nothing", calling.kind().name())));
    }
    let plans = work::in_order(batches(rows), |at| {
        let from = at * BATCH_ROWS;
        batch(calling, inputs, from, BATCH_ROWS.min(rows - from))
    })?;
    Ok(plans.concat())
}

/// The proposals for a batch; their rows count from the first of all.
pub(super) fn batch(
    calling: &Calling<'_>,
    inputs: &[ArrayRef],
    from: usize,
    rows: usize,
) -> Result<Vec<Proposal>, Fault> {
    let held = calling.hold(inputs, from, rows)?;
    let given = calling.fresh(|sandbox| {
        let (call, columns) = (calling.call(), columns(&held));
        sandbox.ask(bytes_for(rows), |instance, store| instance.plan(store, call, rows as u32, &columns))
    })?;
    check_order(&given, rows, calling.grants.per_subject)?;
    let proposal = |GivenProposal { row, action }| {
        let action = match action {
            GivenAction::Task { title, owner, channel, text, due_days } => {
                check_task(calling.grants, &title, owner.as_deref(), channel.as_deref(), text.as_deref(), due_days)?;
                ProposedAction::Task { title, owner, channel, text, due_days }
            }
            GivenAction::Event { name, data } => {
                let data = check_event(calling.grants, &name, &data)?;
                ProposedAction::Event { name, data }
            }
        };
        Ok(Proposal { row: from as u32 + row, action })
    };
    given.into_iter().map(proposal).collect()
}

/// Whether rows ascend, are rows of the batch, and none has too many proposals.
fn check_order(given: &[GivenProposal], rows: usize, per_subject: u16) -> Result<(), Fault> {
    if given.windows(2).any(|two| two[0].row > two[1].row) {
        return Err(Fault::output("gave proposals that aren't in the order of rows"));
    }
    if given.last().is_some_and(|last| last.row as usize >= rows) {
        return Err(Fault::output("gave a proposal for a row that it wasn't given"));
    }
    let most = given.chunk_by(|one, other| one.row == other.row).map(<[_]>::len).max().unwrap_or_default();
    if most > usize::from(per_subject) {
        return Err(refused(format!("proposed {most} things for a subject, and may {per_subject} (`per_subject`)")));
    }
    Ok(())
}

fn check_task(
    grants: &PluginGrants,
    title: &str,
    owner: Option<&str>,
    channel: Option<&str>,
    text: Option<&str>,
    due_days: Option<u32>,
) -> Result<(), Fault> {
    let Some(channels) = &grants.tasks else { return Err(refused("proposed a task, and may propose none")) };
    if channel.is_some_and(|channel| !granted(channels, channel)) {
        return Err(refused("proposed a task with a channel that isn't granted"));
    }
    if owner.is_some_and(|owner| !granted(&grants.owners, owner)) {
        return Err(refused("proposed a task with an owner that isn't granted"));
    }
    if title.trim().is_empty() {
        return Err(Fault::output("proposed a task without a title"));
    }
    for (what, line) in [("title", Some(title)), ("owner", owner), ("channel", channel)] {
        if line.is_some_and(|line| longer(line, LINE_CHARS) || line.contains(char::is_control)) {
            return Err(Fault::output(format!(
                "proposed a task whose {what} isn't one line of up to {LINE_CHARS} characters"
            )));
        }
    }
    if text.is_some_and(|text| longer(text, TEXT_CHARS)) {
        return Err(Fault::output(format!("proposed a task whose text has more than {TEXT_CHARS} characters")));
    }
    if due_days.is_some_and(|days| days > DUE_DAYS) {
        return Err(Fault::output(format!("proposed a task that is due in more than {DUE_DAYS} days")));
    }
    Ok(())
}

/// Names are empty for any.
fn granted(names: &[String], name: &str) -> bool {
    names.is_empty() || names.iter().any(|granted| granted == name)
}

fn longer(text: &str, chars: usize) -> bool {
    text.chars().nth(chars).is_some()
}

fn check_event(grants: &PluginGrants, name: &str, data: &str) -> Result<Map<String, Json>, Fault> {
    if !grants.events.as_ref().is_some_and(|names| granted(names, name)) {
        return Err(refused("proposed an event that isn't granted"));
    }
    if data.len() > DATA_BYTES {
        return Err(Fault::output(format!("proposed an event with more than {DATA_BYTES} bytes of data")));
    }
    serde_json::from_str(data).map_err(|_| Fault::output("proposed an event whose data isn't a JSON object"))
}

fn refused(message: impl Into<String>) -> Fault {
    Fault::new(Reason::Refused, message)
}
