use axum::{Json, extract::State};
use tierd_ledger::ErrorKind;

use super::Api;
use crate::{documents::Status, problem::Problem};

/// How far back the last run of each schedule is looked for.
const RUNS: u32 = 200;

/// How the daemon stands: rules in force, refused files, schedules, the run that is being made
#[utoipa::path(get, path = "/api/v1/status", tag = "daemon", responses((status = 200, body = Status, description = "How it stands")))]
pub(super) async fn status(State(api): State<Api>) -> Result<Json<Status>, Problem> {
    let status = api.blocking(&api.0.reads, |handle| {
        let runs = match handle.reader().and_then(|ledger| ledger.runs(RUNS)) {
            Ok(runs) => runs,
            Err(error) if matches!(error.kind, ErrorKind::Missing) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(Status::of(handle, &runs))
    });
    status.await.map(Json)
}
