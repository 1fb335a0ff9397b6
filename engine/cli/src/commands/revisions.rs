//! `tierd revisions` and `tierd diff`: the revisions that the ledger has, and what is different between two.

use std::path::Path;

use serde_json::json;
use tierd_daemon::Project;
use tierd_ledger::{Activation, Reader, Reload, ReloadOutcome, Revision, RevisionHash};
use tierd_model::Timestamp;
use tierd_rules::{Change, ChangeKind, File, FileSet, diff_files};

use crate::{
    args::{DiffArgs, Format},
    exit::{Code, Failure},
    output::{Cell, Output, Table},
    session::{self, ledger_failure},
};

/// Hashes are unique by far fewer characters than they have.
const SHOWN_HASH: usize = 12;

/// Lists all revisions, the latest first.
pub(crate) fn revisions(folder: &Path, output: Output) -> Result<(), Failure> {
    let project = session::open_project(folder)?;
    let failed = |error| ledger_failure(&error);
    let ledger = Reader::open(&project.ledger_as_written()).map_err(failed)?;
    let (activations, reloads) = (ledger.activations().map_err(failed)?, ledger.reloads(u32::MAX).map_err(failed)?);
    let mut table = Table::new(["revision", "first_seen", "in_force_from", "in_force_to", "by", "files", "runs"]);
    let people = output.format == Format::Table;
    let (shown, zone) = if people { (SHOWN_HASH, session::zone(&project)) } else { (usize::MAX, None) };
    let time = |at: Timestamp| zone.as_deref().map_or_else(|| at.to_string(), |zone| session::local_second(at, zone));
    for revision in ledger.revisions().map_err(failed)? {
        table.push(row(&revision, &activations, &reloads, shown, &time));
    }
    output.table(&table, false)
}

/// Of several times in force, the last one is shown.
fn row(
    revision: &Revision,
    activations: &[Activation],
    reloads: &[Reload],
    shown: usize,
    time: &impl Fn(Timestamp) -> String,
) -> Vec<Cell> {
    let hash = revision.hash.to_string();
    let last = activations.iter().rposition(|activation| activation.revision == revision.hash);
    let from = last.map(|at| time(activations[at].at));
    let to = last.and_then(|at| activations.get(at + 1)).map(|next| time(next.at));
    vec![
        Cell::text(&hash[..shown.min(hash.len())]),
        Cell::text(time(revision.first_seen)),
        Cell::optional(from),
        Cell::optional(to),
        Cell::text(by(revision.hash, reloads)),
        Cell::number(revision.files),
        Cell::number(revision.runs),
    ]
}

/// How a revision came into force the last time.
fn by(revision: RevisionHash, reloads: &[Reload]) -> &'static str {
    let came =
        reloads.iter().find(|reload| reload.revision == Some(revision) && reload.outcome != ReloadOutcome::Refused);
    match came.map(|reload| reload.outcome) {
        Some(ReloadOutcome::RolledBack) => "rollback",
        Some(_) => "files",
        None => "run",
    }
}

/// Shows what is different in one revision against another.
pub(crate) fn diff(args: &DiffArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let project = session::open_project(folder)?;
    let changes = diff_files(&files(&project, &args.old)?, &files(&project, &args.new)?);
    if output.format != Format::Table {
        let mut table = Table::new(["kind", "what", "part", "from", "to"]);
        changes.iter().for_each(|change| table.push(cells(change)));
        return match output.format {
            Format::Json => output.json(&json!(changes.iter().map(as_json).collect::<Vec<_>>())),
            _ => output.table(&table, false),
        };
    }
    if changes.is_empty() {
        output.remark("no difference in rule terms");
    }
    changes.iter().try_for_each(|change| output.line(&change.to_string()))
}

fn kind(change: &Change) -> &'static str {
    match change.kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
    }
}

fn cells(change: &Change) -> Vec<Cell> {
    let optional = |text: &Option<String>| Cell::optional(text.as_deref());
    vec![
        Cell::text(kind(change)),
        Cell::text(&change.what),
        optional(&change.part),
        optional(&change.from),
        optional(&change.to),
    ]
}

fn as_json(change: &Change) -> serde_json::Value {
    let Change { what, part, from, to, .. } = change;
    json!({ "kind": kind(change), "what": what, "part": part, "from": from, "to": to })
}

/// The files of a revision, or of another thing that has files.
fn files(project: &Project, name: &str) -> Result<FileSet, Failure> {
    if name == "files" {
        return project.read().map_err(|error| Failure::from_error(Code::Config, &error));
    }
    let failed = |error| ledger_failure(&error);
    let ledger = Reader::open(&project.ledger_as_written()).map_err(failed)?;
    let revision = match name {
        "active" => ledger.last_good().map_err(failed)?.map(|good| good.revision),
        prefix => one(prefix, &ledger.revisions_beginning(prefix).map_err(failed)?)?,
    };
    let none = || Failure::new(Code::Failed, format!("there is no revision `{name}`; `tierd revisions` lists them"));
    let files = ledger.revision_files(revision.ok_or_else(none)?).map_err(failed)?;
    Ok(FileSet::new(files.into_iter().map(|(path, text)| File { path: path.into(), text: text.into() }).collect()))
}

fn one(prefix: &str, found: &[RevisionHash]) -> Result<Option<RevisionHash>, Failure> {
    match found {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        several => {
            let message = format!("{} revisions begin with `{prefix}`; give more of the hash", several.len());
            Err(Failure::new(Code::Failed, message))
        }
    }
}
