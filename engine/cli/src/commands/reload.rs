//! `tierd reload` and `tierd rollback`: by the daemon, where one answers.

use std::path::Path;

use serde_json::{Value as Json, json};
use tierd_daemon::serve::{self, RollbackRefused};
use tierd_http::client::Client;

use crate::{
    args::{Format, RollbackArgs},
    exit::{Code, Failure},
    output::Output,
    session::{self, daemon_failure},
};

/// Has the daemon look at the files now.
pub(crate) fn reload(folder: &Path, output: Output) -> Result<(), Failure> {
    let project = session::open_project(folder)?;
    let none = "no daemon answers for this project; the next `tierd serve` begins with the files as they are";
    let client = Client::find(&project).ok_or_else(|| Failure::new(Code::Unreachable, none))?;
    let answer = client.post("/-/reload", &Json::Null).map_err(|error| daemon_failure(&error))?.body;
    let text = |key: &str| answer.get(key).and_then(Json::as_str).unwrap_or_default();
    let problems = answer.pointer("/refused/problems").and_then(Json::as_array);
    for problem in problems.into_iter().flatten() {
        eprintln!("{}\n", problem.get("rendered").and_then(Json::as_str).unwrap_or_default());
    }
    if output.format == Format::Json {
        output.json(&answer)?;
    }
    let revision = text("revision").get(..12).unwrap_or_default();
    match (problems.is_some(), text("outcome")) {
        (true, _) => {
            Err(Failure::new(Code::Failed, format!("the files are refused; revision {revision} stays in force")))
        }
        (false, "activated") => said(&format!("revision {revision} is in force now"), output),
        (false, _) => said(&format!("nothing has changed; revision {revision} is in force"), output),
    }
}

/// Goes back to an earlier revision, by the daemon or, where none runs, for the next one.
pub(crate) fn rollback(args: &RollbackArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let project = session::open_project(folder)?;
    let revision = match Client::find(&project) {
        Some(client) => {
            let asked = json!({ "revision": args.revision, "by": args.by, "why": args.why });
            let answer = client.post("/api/v1/rollback", &asked).map_err(|error| daemon_failure(&error))?.body;
            answer.get("revision").and_then(Json::as_str).unwrap_or_default().to_owned()
        }
        None => {
            let said = (args.by.as_deref(), args.why.as_deref());
            let ledger = project.ledger_as_written();
            let rolled = serve::roll_back(&project, &ledger, &args.revision, said, session::now());
            rolled.map_err(|error| not_rolled_back(&error))?.revision.to_string()
        }
    };
    if output.format == Format::Json {
        return output.json(&json!({ "revision": revision }));
    }
    let revision = revision.get(..12).unwrap_or_default();
    said(&format!("revision {revision} is in force until the files change"), output)
}

fn said(text: &str, output: Output) -> Result<(), Failure> {
    output.remark(text);
    Ok(())
}

fn not_rolled_back(error: &RollbackRefused) -> Failure {
    match error {
        RollbackRefused::Ledger(error) => session::ledger_failure(error),
        error => Failure::from_error(Code::Failed, error),
    }
}
