//! `tierd status`: how things stand, told by the daemon, or from the ledger where none answers.

use std::path::Path;

use tierd_http::{
    client::Client,
    documents::{LastRun, LastSlot, NextRun, PluginStatus, Running, Status, Watching},
};
use tierd_ledger::Reader;
use tierd_model::{Timestamp, Zone, parse_timestamp};

use crate::{
    args::Format,
    exit::{Code, Failure},
    output::{Cell, Output, Table, counted, thousands},
    session::{self, daemon_failure},
};

/// Prints how things stand.
pub(crate) fn status(folder: &Path, output: Output) -> Result<(), Failure> {
    let project = session::open_project(folder)?;
    let status = match Client::find(&project) {
        Some(client) => {
            let told = client.get("/api/v1/status").map_err(|error| daemon_failure(&error))?;
            serde_json::from_value(told).map_err(|error| Failure::from_error(Code::Unreachable, &error))?
        }
        None => {
            output.remark("no daemon answers for this project: nothing runs by schedule until `tierd serve`; this is what the ledger has");
            let ledger = Reader::open(&project.ledger_as_written());
            let status = ledger.and_then(|ledger| Status::of_ledger(&ledger, session::now()));
            status.map_err(|error| session::ledger_failure(&error))?
        }
    };
    if output.format == Format::Json {
        return output.json(&status);
    }
    let zone = session::zone(&project);
    let zone = Times(zone.as_deref());
    if output.format == Format::Table {
        lines(&status, &zone).iter().try_for_each(|line| output.line(line))?;
    }
    if status.schedules.is_empty() { Ok(()) } else { output.table(&schedules(&status.schedules, &zone), false) }
}

/// Times as people read them.
struct Times<'a>(Option<&'a Zone>);

impl Times<'_> {
    fn show(&self, at: &str) -> String {
        let instant = parse_timestamp(at.as_bytes()).zip(self.0);
        instant.map_or_else(|| at.to_owned(), |(civil, zone)| self.at(civil.instant(zone), zone))
    }

    fn at(&self, at: Timestamp, zone: &Zone) -> String {
        session::local_second(at, zone)
    }
}

fn lines(status: &Status, times: &Times<'_>) -> Vec<String> {
    let mut lines = vec![in_force(status, times)];
    if let Some(refused) = &status.refused {
        lines.push(format!("the files on disk are refused since {}:", times.show(&refused.since)));
        for problem in &refused.problems {
            let place =
                [problem.file.clone(), problem.line.map(|n| n.to_string()), problem.column.map(|n| n.to_string())];
            let place = place.into_iter().flatten().collect::<Vec<_>>().join(":");
            lines.push(format!("  {place}{}{}", if place.is_empty() { "" } else { ": " }, problem.message));
        }
        lines.push(
            "  `tierd check` shows each in its place; once they are mended, the files come into force".to_owned(),
        );
    }
    lines.extend(status.running.as_ref().map(|running| running_line(running, times)));
    lines.extend(status.last_run.as_ref().map(|run| last_run_line(run, times)));
    if status.holds > 0 {
        lines.push(format!("{} for a person; `tierd holds` shows what they would change", waiting(status.holds)));
    }
    lines.extend(status.plugins.iter().map(plugin_line));
    lines.extend(status.watching.as_ref().and_then(unwatched_line));
    if status.stopping {
        lines.push("the daemon is stopping".to_owned());
    }
    lines
}

fn in_force(status: &Status, times: &Times<'_>) -> String {
    let (Some(revision), Some(since)) = (&status.revision, &status.since) else {
        return "no rules were in force yet".to_owned();
    };
    let origin = match status.origin.as_deref() {
        Some("last_good") => ", the last good one",
        Some("rolled_back") => ", rolled back to until the files change",
        _ => "",
    };
    let (is, short) = (if status.daemon { "is" } else { "was last" }, revision.get(..12).unwrap_or(revision));
    format!("revision {short} {is} in force, since {}{origin}", times.show(since))
}

fn running_line(running: &Running, times: &Times<'_>) -> String {
    let what = running.schedules.as_ref().map_or("everything".to_owned(), |names| names.join(", "));
    let expected = running.rows_expected.max(running.rows);
    format!(
        "a run is being made since {} (cause: {}; decides {what}): {} of about {} rows read",
        times.show(&running.since),
        running.cause,
        thousands(running.rows),
        thousands(expected),
    )
}

fn last_run_line(run: &LastRun, times: &Times<'_>) -> String {
    let name = run.run.map_or("the last run".to_owned(), |run| format!("run {run}"));
    let message = run.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    format!("{name} as of {}: {}{message}", times.show(&run.as_of), run.outcome)
}

/// `plugin credit 1.0.0 (3f2a91c0d4e5): ready, 12 calls`
fn plugin_line(plugin: &PluginStatus) -> String {
    let short = plugin.sha256.get(..12).unwrap_or(&plugin.sha256);
    let state = match plugin.state.as_str() {
        "resting" => "resting after failures in a row; its rules wait or fail until it is mended",
        state => state,
    };
    let failed = if plugin.failures == 0 { String::new() } else { format!(", {} failed", thousands(plugin.failures)) };
    format!("plugin {} {} ({short}): {state}, {}{failed}", plugin.name, plugin.version, counted(plugin.calls, "call"))
}

/// Where changes of files aren't seen at once.
fn unwatched_line(watching: &Watching) -> Option<String> {
    let reason = watching.reason.as_deref().filter(|_| !watching.at_once)?;
    Some(format!("changes of files are seen only every 30 seconds: {reason}; `tierd doctor` says what to do"))
}

fn waiting(holds: u64) -> String {
    format!("{} {}", counted(holds, "run"), if holds == 1 { "waits" } else { "wait" })
}

fn schedules(schedules: &[NextRun], times: &Times<'_>) -> Table {
    let mut table = Table::new(["schedule", "next", "last", "outcome", "run", "again", "gaps"]);
    for next in schedules {
        let last = |of: fn(&LastSlot) -> String| Cell::optional(next.last.as_ref().map(of));
        let shown = |at: &Option<String>| Cell::optional(at.as_ref().map(|at| times.show(at)));
        let on_change = || if next.on_change { Cell::text("when the data changes") } else { Cell::Null };
        table.push(vec![
            Cell::text(&next.schedule),
            if next.slot.is_some() { shown(&next.slot) } else { on_change() },
            Cell::optional(next.last.as_ref().map(|last| times.show(&last.slot))),
            last(|last| last.outcome.clone()),
            Cell::optional(next.last.as_ref().and_then(|last| last.run).map(|run| run.to_string())),
            shown(&next.retry),
            if next.open_gaps == 0 { Cell::Null } else { Cell::number(next.open_gaps) },
        ]);
    }
    table
}
