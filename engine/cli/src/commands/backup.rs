//! `tierd backup`: a copy of the ledger, also while a daemon writes it.

use std::path::Path;

use serde_json::json;

use crate::{
    args::{BackupArgs, Format},
    exit::Failure,
    output::{Output, counted, thousands},
    session::{Session, ledger_failure},
};

/// Copies the ledger of a project.
pub(crate) fn backup(args: &BackupArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::in_force(folder, output)?;
    let ledger = session.project.ledger(&session.rules.config);
    let done = tierd_ledger::backup(&ledger, &args.file, args.force).map_err(|error| ledger_failure(&error))?;
    let path = done.path.display();
    if output.format == Format::Json {
        return output.json(&json!({ "file": path.to_string(), "bytes": done.bytes, "runs": done.runs }));
    }
    output.remark(&format!("{path}: {}, {} bytes, checked", counted(done.runs, "run"), thousands(done.bytes)));
    Ok(())
}
