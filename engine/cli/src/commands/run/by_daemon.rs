//! A run that the daemon makes: it comes after those that wait there already, and by the rules that are in force.

use std::{path::Path, thread, time::Duration};

use indicatif::ProgressBar;
use serde_json::{Value as Json, json};
use tierd_http::{
    client::{Client, ClientError},
    documents::Run,
};

use crate::{
    args::RunArgs,
    exit::{Code, Failure},
    output::Output,
    progress,
    session::{self, Session, daemon_failure},
};

/// The daemon is asked so often how the run stands.
const ASKED: Duration = Duration::from_millis(200);

/// Has the daemon make a run, shows how far it is, and prints what came of it.
pub(super) fn run(client: &Client, args: &RunArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    // Mistakes in the files are better seen than run past, though the daemon would go on with the rules in force.
    let session = Session::open(folder, output)?;
    let as_of = args.as_of.as_deref().map(|text| session::parse_as_of(text, &session.rules.config.zone)).transpose()?;
    // Whoever saves and runs means what was saved.
    client.post("/-/reload", &json!({})).map_err(|error| daemon_failure(&error))?;
    let document = request(client, as_of.map(|at| at.to_string()), output).map_err(|error| daemon_failure(&error))?;
    let run: Run = serde_json::from_value(document).map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
    if run.revision != session.rules.revision.to_string() {
        let short = run.revision.get(..12).unwrap_or_default();
        output.remark(&format!(
            "note: the daemon ran by revision {short}; `tierd status` says why the files aren't in force"
        ));
    }
    super::show::print(&run, &[], &session.rules, output)?;
    match (run.outcome.as_str(), run.run) {
        ("held", Some(run)) => Err(Failure::new(Code::Held, super::waits(run))),
        ("failed", _) => Err(Failure::new(Code::Failed, run.message.unwrap_or_default())),
        _ => Ok(()),
    }
}

/// The document of the run, once it is done.
fn request(client: &Client, as_of: Option<String>, output: Output) -> Result<Json, ClientError> {
    let bar = progress::bar(output.quiet, "reading");
    // Without a bar there is nothing to ask for meanwhile.
    let wait = if bar.is_some() { 0 } else { 50 };
    let answer = client.post("/api/v1/runs", &json!({ "as_of": as_of, "wait": wait }))?;
    let Some(place) = answer.location else { return Ok(answer.body) };
    loop {
        let told = client.get(&place)?;
        match told["state"].as_str() {
            Some("pending") => {}
            Some("done") => return Ok(told["run"].clone()),
            _ => {
                let detail = told["message"].as_str().unwrap_or("the daemon lost this run").to_owned();
                return Err(ClientError::Refused { status: 409, code: "run-failed".to_owned(), detail });
            }
        }
        bar.iter().try_for_each(|bar| show(client, bar))?;
        thread::sleep(ASKED);
    }
}

fn show(client: &Client, bar: &ProgressBar) -> Result<(), ClientError> {
    let status = client.get("/api/v1/status")?;
    bar.set_position(status["running"]["rows"].as_u64().unwrap_or(0));
    Ok(())
}
